//! The Yocto layer says of the programs what is true: its lists of crates are those of `Cargo.lock`, every program of the map is
//! built, the users are those of the box, licences are those that `deny.toml` allows, and every layer of others is pinned.
//! That bitbake reads it all is `make yocto-check`.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use frontdesk_tests::repository;
use toml::{Table, Value};

/// The crates of a lock file that come from the registry: name and version, checksum.
type Crates = BTreeMap<(String, String), String>;

/// A workspace's lock file, and the list that the recipe of the workspace requires.
const LISTS: &[(&str, &str)] = &[("Cargo.lock", "frontdesk"), ("plugins/Cargo.lock", "frontdesk-plugins")];

#[test]
fn every_crate_of_the_lock_files_has_its_checksum_in_the_recipes_and_none_is_too_many() {
    for (lock, recipe) in LISTS {
        let locked = locked(&read(&repository::root().join(lock)));
        let path = recipes().join(recipe).join(format!("{recipe}-crates.inc"));
        let listed = listed(&read(&path));
        assert!(locked.len() > 40, "{lock} has only {} crates", locked.len());
        for (name, checksum) in &locked {
            assert_eq!(
                listed.get(name),
                Some(checksum),
                "{} of {lock} is not in {}: run yocto/update-crates",
                name.0,
                path.display()
            );
        }
        let spare: Vec<_> = listed.keys().filter(|name| !locked.contains_key(*name)).collect();
        assert!(spare.is_empty(), "{} fetches what {lock} does not have: {spare:?}", path.display());
        let text = read(&recipe_file(recipe));
        assert!(
            text.contains(&format!("require {recipe}-crates.inc")),
            "{recipe} requires no list of crates"
        );
        assert!(text.contains("--frozen"), "{recipe} is not built with --frozen");
    }
}

#[test]
fn a_list_of_crates_that_lies_is_found_out() {
    let good = "SRC_URI += \"\\\n    crate://crates.io/a/1.0.0 \\\n    crate://crates.io/b/2.0.0+x \\\n\"\n\n\
                SRC_URI[a-1.0.0.sha256sum] = \"aa\"\nSRC_URI[b-2.0.0+x.sha256sum] = \"bb\"\n";
    let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\nchecksum = \"aa\"\n\
                [[package]]\nname = \"b\"\nversion = \"2.0.0+x\"\nsource = \"registry+x\"\nchecksum = \"bb\"\n\
                [[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n";
    assert_eq!(listed(good), locked(lock));
    assert_ne!(listed(&good.replace("\"bb\"", "\"bc\"")), locked(lock));
    assert_ne!(listed(&good.replace("b/2.0.0+x", "b/2.0.1")), locked(lock));
}

#[test]
fn every_program_of_the_map_is_in_the_recipe() {
    let map = read(&repository::root().join("firmware/ARCHITECTURE.md"));
    let rows = map.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | `"));
    // The simulated exchange is for `make run` and the tests.
    let programs: BTreeSet<&str> =
        rows.filter(|(_, folder)| !folder.starts_with("tests/")).map(|(name, _)| name).collect();
    let programs: BTreeSet<&str> =
        programs.into_iter().filter(|name| name.starts_with("frontdesk")).collect();
    assert!(programs.len() >= 6, "the map of firmware/ARCHITECTURE.md has only {programs:?}");
    let recipe = read(&recipe_file("frontdesk"));
    let built = assigned(&recipe, "FRONTDESK_PROGRAMS");
    assert_eq!(built.split_whitespace().collect::<BTreeSet<_>>(), programs);
    for package in ["frontdeskd", "frontdesk-ui", "plugin-host", "controls"] {
        assert!(
            recipe.contains(&format!("-p {package} ")),
            "the recipe does not build the package {package}"
        );
    }
    assert!(assigned(&recipe, "CARGO_FEATURES").contains("frontdesk-ui/linuxkms"));
}

#[test]
fn every_connector_but_the_hostile_one_is_in_the_recipe() {
    let workspace: Table = read(&repository::root().join("plugins/Cargo.toml")).parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap().iter().filter_map(Value::as_str);
    let members: BTreeSet<&str> = members.filter(|name| !["sdk", "hostile"].contains(name)).collect();
    let built = assigned(&read(&recipe_file("frontdesk-plugins")), "FRONTDESK_PLUGINS");
    assert_eq!(built.split_whitespace().collect::<BTreeSet<_>>(), members);
    for name in members {
        let manifest = repository::root().join("plugins").join(name).join("connector.toml");
        assert!(manifest.exists(), "the recipe puts {} beside the component", manifest.display());
        // The recipe reads the package's name off this one line.
        let package = read(&manifest.with_file_name("Cargo.toml"));
        assert_eq!(package.lines().filter(|line| line.starts_with("name = \"")).count(), 1, "{name}");
    }
}

#[test]
fn the_recipes_licences_are_those_that_may_be_linked() {
    let deny: Table = read(&repository::root().join("deny.toml")).parse().unwrap();
    let allowed = deny["licenses"]["allow"].as_array().unwrap().iter().filter_map(Value::as_str);
    let allowed: BTreeSet<String> = allowed.map(|name| name.replace(" WITH ", "-with-")).collect();
    let said = assigned(&read(&recipe_file("frontdesk")), "LICENSE");
    assert_eq!(said.split('&').map(|name| name.trim().to_owned()).collect::<BTreeSet<_>>(), allowed);
    let said = assigned(&read(&recipe_file("frontdesk-plugins")), "LICENSE");
    for name in said.split('&').map(str::trim) {
        assert!(allowed.contains(name), "deny.toml does not allow {name}");
    }
}

/// Units are taken by looking into the folder, so that none can be forgotten; what the recipe names has to be there, and what
/// the units start has to be in the image.
#[test]
fn the_units_that_the_recipe_names_exist_and_start_what_is_installed() {
    const OWN: [&str; 4] =
        ["frontdeskd.service", "emergency.service", "drop-ins/back-off.conf", "drop-ins/reset-key.conf"];
    let recipe = read(&recipe_file("frontdesk-appliance"));
    let folder = repository::root().join("firmware/appliance/units");
    let left_out = assigned(&recipe, "FRONTDESK_UNITS_LEFT_OUT");
    let with_back_off =
        recipe.lines().find_map(|line| line.trim().strip_prefix("for unit in frontdeskd ")).unwrap();
    let with_back_off = with_back_off.trim_end_matches("; do").split_whitespace();
    let named = left_out.split_whitespace().map(str::to_owned);
    let named = named.chain(with_back_off.map(|name| format!("{name}.service")));
    for unit in named.chain(OWN.map(str::to_owned)) {
        assert!(folder.join(&unit).exists(), "the recipe names {unit}, which is not in {}", folder.display());
    }
    let programs = assigned(&read(&recipe_file("frontdesk")), "FRONTDESK_PROGRAMS");
    let programs: BTreeSet<&str> = programs.split_whitespace().collect();
    let mut started = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() || left_out.split_whitespace().any(|unit| unit == name) {
            continue;
        }
        for command in read(&path).lines().filter_map(|line| line.strip_prefix("Exec")?.split_once('=')) {
            let program =
                command.1.trim_start_matches(['-', '+', '!', ':', '@']).split_whitespace().next().unwrap();
            if let Some(helper) = program.strip_prefix("/usr/libexec/frontdesk/") {
                let helper = repository::root().join("firmware/appliance/libexec").join(helper);
                assert!(
                    helper.exists(),
                    "{name} starts {program}, which is not in firmware/appliance/libexec"
                );
                started += 1;
            } else if let Some(ours) =
                program.strip_prefix("/usr/bin/").filter(|name| name.starts_with("frontdesk"))
            {
                assert!(programs.contains(ours), "{name} starts {ours}, which the recipe does not build");
                started += 1;
            }
        }
    }
    assert!(started >= 5, "only {started} commands of ours in {}", folder.display());
}

#[test]
fn the_users_of_the_image_are_those_of_the_box() {
    let recipe = read(&recipe_file("frontdesk-appliance"));
    let groups = assigned(&recipe, "GROUPADD_PARAM:${PN}");
    let users = assigned(&recipe, "USERADD_PARAM:${PN}");
    let users: Vec<&str> = users.split(';').map(str::trim).collect();
    let sysusers = read(&repository::root().join("firmware/appliance/sysusers/frontdesk.conf"));
    let mut seen = 0;
    for line in sysusers.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["g", name, id, ..] => {
                let group = format!("-r -g {id} {name}");
                assert!(
                    groups.split(';').any(|said| said.trim() == group),
                    "no group {name} with the id {id}"
                );
            }
            ["u", name, ids, ..] => {
                let id = ids.split(':').next().unwrap();
                let start = format!("-r -u {id} -g {name} ");
                let made =
                    users.iter().any(|said| said.starts_with(&start) && said.ends_with(&format!(" {name}")));
                assert!(made, "no user {name} with the id {id}");
            }
            ["m", name, group] => {
                let said = users.iter().find(|said| said.ends_with(&format!(" {name}"))).unwrap();
                let more = said.split_once(" -G ").map_or("", |(_, rest)| rest.split(' ').next().unwrap());
                assert!(more.split(',').any(|one| one == *group), "{name} is not in the group {group}");
            }
            _ => continue,
        }
        seen += 1;
    }
    assert!(seen > 8, "firmware/appliance/sysusers says only {seen} things");
}

#[test]
fn the_layers_of_others_are_pinned_by_commit() {
    let folder = repository::root().join("yocto");
    let machines = fs::read_dir(folder.join("machines")).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = machines.chain([folder.join("kas.yml")]).collect();
    assert!(files.len() > 3);
    let mut pinned = 0;
    for path in files {
        let text = read(&path);
        for repository in text.split("\n    url: ").skip(1) {
            let commit = repository.lines().find_map(|line| line.trim().strip_prefix("commit: "));
            let commit = commit.unwrap_or_else(|| panic!("{}: no commit for {repository}", path.display()));
            let whole = commit.len() == 40 && commit.chars().all(|sign| sign.is_ascii_hexdigit());
            assert!(whole, "{}: {commit} is no commit", path.display());
            pinned += 1;
        }
    }
    assert!(pinned >= 5, "only {pinned} layers");
}

#[test]
fn the_compiler_of_the_layer_is_new_enough() {
    let workspace: Table = read(&repository::root().join("Cargo.toml")).parse().unwrap();
    let wanted = workspace["workspace"]["package"]["rust-version"].as_str().unwrap().to_owned();
    let distro = read(&repository::root().join("yocto/meta-frontdesk/conf/distro/frontdesk-box.conf"));
    for recipe in ["rust-bin-cross", "cargo-bin-cross"] {
        let version = assigned(&distro, &format!("PREFERRED_VERSION_{recipe}-${{TARGET_ARCH}}"));
        assert!(numbers(&version) >= numbers(&wanted), "{recipe} is {version}, and {wanted} is needed");
    }
}

fn recipes() -> PathBuf {
    repository::root().join("yocto/meta-frontdesk/recipes-frontdesk")
}

/// The recipe of this name, whatever its version.
fn recipe_file(name: &str) -> PathBuf {
    let start = format!("{name}_");
    let entries = fs::read_dir(recipes().join(name)).unwrap().map(|entry| entry.unwrap().path());
    let mut found = entries.filter(|path| {
        let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default();
        file.starts_with(&start) && file.ends_with(".bb")
    });
    found.next().unwrap_or_else(|| panic!("there is no recipe {name}"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What is assigned to a variable of a recipe, its lines put together.
fn assigned(recipe: &str, variable: &str) -> String {
    let joined = recipe.replace("\\\n", " ");
    let line = joined.lines().find_map(|line| {
        let value = line.strip_prefix(variable)?.trim_start_matches([' ', '+', '?', '=']);
        value.strip_prefix('"')?.trim_end().strip_suffix('"').map(str::to_owned)
    });
    line.unwrap_or_else(|| panic!("nothing is assigned to {variable}"))
}

fn locked(lock: &str) -> Crates {
    let lock: Table = lock.parse().unwrap();
    let packages =
        lock["package"].as_array().unwrap().iter().filter(|package| package.get("source").is_some());
    let text = |package: &Value, key: &str| package[key].as_str().unwrap().to_owned();
    packages
        .map(|package| {
            let source = text(package, "source");
            assert!(source.starts_with("registry+"), "{source}: only the registry's crates are handled");
            ((text(package, "name"), text(package, "version")), text(package, "checksum"))
        })
        .collect()
}

/// What a list of crates fetches, each with the checksum that is given for it: none, where none is given.
fn listed(list: &str) -> Crates {
    let sums: BTreeMap<&str, &str> = list
        .lines()
        .filter_map(|line| {
            line.strip_prefix("SRC_URI[")?.trim_end_matches('"').split_once(".sha256sum] = \"")
        })
        .collect();
    let addresses = list.lines().filter_map(|line| line.trim().strip_prefix("crate://crates.io/"));
    let named: Crates = addresses
        .map(|address| {
            let (name, version) = address.trim_end_matches([' ', '\\']).split_once('/').unwrap();
            let sum = sums.get(format!("{name}-{version}").as_str()).copied().unwrap_or_default();
            ((name.to_owned(), version.to_owned()), sum.to_owned())
        })
        .collect();
    assert!(
        named.len() >= sums.len(),
        "checksums of crates that are not fetched, or crates that are named twice"
    );
    named
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap()).collect()
}
