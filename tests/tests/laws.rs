//! The laws of the architecture and the tidiness of the sources, each a test, so that a breach
//! names itself. The laws are listed in `CONTRIBUTING.md`; what no test here can see (law 5: a turn
//! never waits; law 6: the audio thread; law 8: input can be anything) is shown by tests that run:
//! `make bench`, `firmware/media/tests`, `tests/e2e_hostile.rs` and the fuzzed readers (`tests/readers`).
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use frontdesk_tests::{repository, requirements};
use toml::{Table, Value};

/// The map of `firmware/ARCHITECTURE.md`: folder, level, and the crates of the house it may know.
const MAP: &[(&str, u8, &[&str])] = &[
    ("firmware/ipc", 0, &[]),
    ("firmware/sip", 0, &[]),
    ("firmware/media", 0, &[]),
    ("firmware/switchboard", 1, &["ipc"]),
    ("firmware/directory", 1, &["ipc"]),
    ("firmware/store", 1, &["ipc", "directory"]),
    ("firmware/plugin-host", 1, &["ipc"]),
    ("firmware/controls", 1, &["ipc"]),
    ("firmware/update", 1, &["ipc"]),
    ("firmware/admin", 2, &["ipc", "store", "update"]),
    (
        "firmware/frontdeskd",
        3,
        &["ipc", "sip", "media", "switchboard", "directory", "store", "update", "admin"],
    ),
    ("ui/screen", 0, &[]),
    ("ui", 1, &["ipc", "frontdesk-screen"]),
    ("tests/pbx", 4, &["sip", "directory", "ipc"]),
    ("tests/readers", 4, &["ipc", "media", "directory", "store", "controls", "update"]),
    ("tests", 5, &["ipc", "sip", "media", "switchboard", "directory", "store", "frontdesk-ui"]),
];

/// The guests: a workspace of its own below `plugins/`, whose crates know nothing of the house but the SDK.
const GUESTS: &[&str] = &[
    "plugins/sdk",
    "plugins/web-directory",
    "plugins/ldap",
    "plugins/carddav",
    "plugins/microsoft-graph",
    "plugins/rest-crm",
    "plugins/hubspot",
    "plugins/salesforce",
    "plugins/odoo",
    "plugins/url-crm",
    "plugins/hostile",
];

/// Crates that only one folder may name (law 3). A trailing `*` stands for any ending.
const OWNED: &[(&str, &str)] = &[
    ("rsip", "firmware/sip"),
    ("alsa", "firmware/media"),
    ("opus", "firmware/media"),
    ("rusqlite", "firmware/store"),
    ("slint*", "ui"),
    ("i-slint*", "ui"),
    ("wasmtime*", "firmware/plugin-host"),
    ("hyper*", "firmware/plugin-host"),
    ("axum*", "firmware/admin"),
    ("argon2", "firmware/admin"),
    ("ldap3", "firmware/plugin-host"),
    ("minisign*", "firmware/plugin-host"),
    ("evdev*", "firmware/controls"),
    ("hidraw*", "firmware/controls"),
    ("hidapi*", "firmware/controls"),
];

/// The pure crates (law 2), and what none of them may lean on.
const PURE: &[&str] = &["firmware/switchboard", "firmware/sip", "firmware/directory"];
const IMPURE: &[&str] = &[
    "tokio",
    "mio",
    "async-std",
    "smol",
    "rand",
    "getrandom",
    "fastrand",
    "socket2",
    "chrono",
    "time",
    "libc",
];

/// The longest source file, in lines.
const LONGEST: usize = 900;

#[test]
fn law_1_arrows_point_down_the_levels_only() {
    let level =
        |name: &str| MAP.iter().find(|(folder, ..)| crate_name(folder) == name).map(|(_, level, _)| *level);
    for (folder, own, allowed) in MAP {
        for name in dependencies(folder).into_iter().filter(|name| level(name).is_some()) {
            assert!(allowed.contains(&name.as_str()), "{folder} depends on {name}: not on the map");
            let exception = *folder == "firmware/store" && name == "directory";
            assert!(
                level(&name) < Some(*own) || exception,
                "{folder} depends on {name}, which is not below it"
            );
        }
    }
}

#[test]
fn law_1_every_crate_is_on_the_map() {
    let text = fs::read_to_string(repository::root().join("firmware/ARCHITECTURE.md")).unwrap();
    let workspace = manifest(&repository::root());
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let members: BTreeSet<&str> = members.iter().filter_map(Value::as_str).collect();
    assert_eq!(members, MAP.iter().map(|(folder, ..)| *folder).collect());
    for folder in members {
        let name = folder.rsplit('/').next().unwrap();
        assert!(text.contains(&format!("{name}/")), "firmware/ARCHITECTURE.md does not name {folder}");
    }
}

#[test]
fn law_1_guests_know_nothing_of_the_house_but_the_sdk() {
    let workspace = manifest(&repository::root().join("plugins"));
    let members = workspace["workspace"]["members"].as_array().unwrap().iter().filter_map(Value::as_str);
    let members: BTreeSet<String> = members.map(|name| format!("plugins/{name}")).collect();
    assert_eq!(members, GUESTS.iter().map(|folder| (*folder).to_owned()).collect());
    let house: BTreeSet<String> = MAP.iter().map(|(folder, ..)| crate_name(folder)).collect();
    for folder in GUESTS {
        for name in dependencies(folder) {
            assert!(!house.contains(&name), "{folder} depends on {name}, which is no guest's business");
        }
    }
    for (folder, ..) in MAP {
        let known = dependencies(folder);
        assert!(!known.contains("frontdesk-connector"), "{folder} is no guest and depends on the SDK");
    }
}

#[test]
fn law_2_the_pure_crates_have_no_clock_no_randomness_no_sockets_no_threads() {
    let banned = [
        "Instant::now(",
        "SystemTime::now(",
        "thread::spawn(",
        "thread::sleep(",
        "UdpSocket::",
        "TcpStream::",
    ];
    for folder in PURE {
        let clippy = fs::read_to_string(repository::root().join(folder).join("clippy.toml"));
        let clippy = clippy.unwrap_or_else(|error| panic!("{folder}/clippy.toml: {error}"));
        for path in ["std::time::Instant::now", "std::time::SystemTime::now", "std::thread::spawn"] {
            assert!(clippy.contains(path), "{folder}/clippy.toml does not ban {path}");
        }
        for name in direct_dependencies(folder) {
            assert!(!IMPURE.contains(&name.as_str()), "{folder} is pure and cannot depend on {name}");
        }
        for file in sources(&repository::root().join(folder).join("src")) {
            let code = production_code(&file);
            for word in banned {
                assert!(!code.contains(word), "{} has {word}", file.display());
            }
        }
    }
}

#[test]
fn law_3_what_one_crate_owns_no_other_names() {
    for (folder, ..) in MAP {
        for name in dependencies(folder) {
            for (owned, owner) in OWNED {
                let hit = match owned.strip_suffix('*') {
                    Some(start) => name.starts_with(start),
                    None => name == *owned,
                };
                // The bench measures our search beside that of SQLite.
                let is_peer = *folder == "tests" && name == "rusqlite";
                // Plugins ask by HTTP, the admin page answers; nobody else speaks it.
                let is_server = *folder == "firmware/admin" && name.starts_with("hyper");
                // What the guard lets through is given to the reader behind it.
                let is_behind = *folder == "tests/readers" && name == "ldap3";
                let is_its = folder == owner || folder.starts_with(&format!("{owner}/"));
                assert!(
                    !hit || is_its || is_peer || is_server || is_behind,
                    "{folder} names {name}, which only {owner} may"
                );
            }
        }
    }
}

#[test]
fn law_3_only_the_store_has_sql() {
    let words = ["\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE FROM", "\"CREATE TABLE", "\"PRAGMA "];
    for (folder, ..) in MAP.iter().filter(|(folder, ..)| !["firmware/store", "tests"].contains(folder)) {
        for file in sources(&repository::root().join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            for word in words {
                assert!(!text.contains(word), "{} has SQL: {word}", file.display());
            }
        }
    }
}

#[test]
fn law_4_the_agent_and_the_switchboard_have_one_owner() {
    for maker in ["UserAgent::new(", "Switchboard::new("] {
        let files = sources(&repository::root().join("firmware/frontdeskd/src"));
        let makers: Vec<PathBuf> =
            files.into_iter().filter(|file| production_code(file).contains(maker)).collect();
        assert_eq!(makers.len(), 1, "{maker} belongs to the engine alone, but is in {makers:?}");
    }
    for file in sources(&repository::root().join("firmware/frontdeskd/src")) {
        let code = production_code(&file);
        // Whatever it is imported by; what takes one answer is no queue.
        let is_queue = |(at, _): (usize, &str)| !code[..at].ends_with("oneshot::");
        let has_queue = code.match_indices("channel()").any(is_queue);
        assert!(!has_queue, "{} has a queue without bound", file.display());
    }
}

/// What runs in the audio thread, beside the rings: neither a lock nor a log line is named there, so that none is taken.
#[test]
fn law_6_the_sources_of_the_audio_thread_name_no_lock_and_no_log() {
    let folder = repository::root().join("firmware/media/src");
    for name in ["audio.rs", "alsa_pcm.rs", "wav.rs", "timing.rs", "frame.rs", "by_hand/device.rs"] {
        let code = production_code(&folder.join(name));
        for word in ["Mutex", "RwLock", "Condvar", "Barrier", "mpsc", "LazyLock", "tracing", "println"] {
            assert!(!code.contains(word), "{name} belongs to the audio thread and names {word}");
        }
    }
}

#[test]
fn law_7_anyhow_only_in_the_binaries() {
    for (folder, ..) in MAP.iter().filter(|(folder, ..)| *folder != "tests") {
        let root = repository::root().join(folder);
        let has_library = root.join("src/lib.rs").exists();
        let named = direct_dependencies(folder).contains("anyhow");
        let has_binary = root.join("src/main.rs").exists() || root.join("src/bin").exists();
        assert!(!named || has_binary, "{folder} is a library and depends on anyhow");
        for file in sources(&root.join("src")).into_iter().filter(|_| has_library) {
            let in_binary =
                file.ends_with("src/main.rs") || file.ancestors().any(|at| at.ends_with("src/bin"));
            let uses =
                code_lines(&file).iter().any(|line| line.contains("anyhow::") || line.contains("anyhow!"));
            assert!(in_binary || !uses, "{} belongs to a library and uses anyhow", file.display());
        }
    }
}

#[test]
fn law_7_production_code_unwraps_only_with_a_reason() {
    for file in every_source() {
        if !is_test_file(&file) {
            let code = production_code(&file);
            assert!(
                !code.contains(".unwrap()"),
                "{} unwraps without saying why that cannot fail",
                file.display()
            );
            assert!(!code.contains(".expect(\"\")"), "{} expects without a reason", file.display());
        }
    }
}

#[test]
fn a_test_names_only_requirements_that_exist() {
    let list = requirements::list();
    let ids: BTreeSet<&str> = list.iter().map(|line| line.id.as_str()).collect();
    let areas: BTreeSet<&str> = ids.iter().filter_map(|id| id.split('-').next()).collect();
    for file in every_source() {
        for name in tests_in(&file) {
            for id in requirements::claimed(&name) {
                let ours = end_to_end(&file) || areas.contains(id.split('-').next().unwrap());
                assert!(
                    !ours || ids.contains(id.as_str()),
                    "{}: {name} names {id}: no such line",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn every_end_to_end_test_names_the_requirement_it_shows() {
    // The peers without us, and defence against rubbish, show no line of the list.
    let without = ["e2e_peers.rs", "e2e_hostile.rs"];
    let files = every_source().into_iter().filter(|file| end_to_end(file));
    let files: Vec<PathBuf> = files.filter(|file| !without.iter().any(|name| file.ends_with(name))).collect();
    assert!(!files.is_empty());
    for file in files {
        for name in tests_in(&file) {
            assert!(
                !requirements::claimed(&name).is_empty(),
                "{}: {name} names no requirement",
                file.display()
            );
        }
    }
}

#[test]
fn no_test_is_ignored_and_nothing_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let words = [
        ["#[ign", "ore"].concat(),
        ["to", "do!("].concat(),
        ["unimpl", "emented!("].concat(),
        ["FIX", "ME"].concat(),
        ["// TO", "DO"].concat(),
    ];
    for file in every_source() {
        let text = fs::read_to_string(&file).unwrap();
        for word in &words {
            assert!(!text.contains(word), "{} has {word}", file.display());
        }
    }
}

#[test]
fn no_source_file_is_longer_than_900_lines() {
    for file in every_source() {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", file.display());
    }
}

#[test]
fn only_the_tokens_have_colours() {
    let files = files_under(&repository::root().join("ui/slint"), "slint");
    assert!(files.iter().any(|file| file.ends_with("tokens.slint")), "ui/slint/tokens.slint is missing");
    for file in files.iter().filter(|file| !file.ends_with("tokens.slint")) {
        for (number, line) in fs::read_to_string(file).unwrap().lines().enumerate() {
            let line = line.split("//").next().unwrap();
            assert!(
                !has_colour(line),
                "{}:{}: a colour outside the tokens: {line}",
                file.display(),
                number + 1
            );
        }
    }
}

#[test]
fn every_manifest_inherits_licence_edition_and_lints() {
    for folder in MAP.iter().map(|(folder, ..)| folder).chain(GUESTS) {
        let manifest = manifest(&repository::root().join(folder));
        let package = &manifest["package"];
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            let inherited =
                package.get(key).and_then(|value| value.get("workspace")).and_then(Value::as_bool);
            assert_eq!(inherited, Some(true), "{folder}: `{key}.workspace = true` is missing");
        }
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
        assert_eq!(lints, Some(true), "{folder}: `[lints] workspace = true` is missing");
    }
    let workspace = manifest(&repository::root());
    let licence = workspace["workspace"]["package"]["license"].as_str();
    assert_eq!(licence, Some("GPL-3.0-or-later"));
    assert!(
        fs::read_to_string(repository::root().join("LICENSE"))
            .unwrap()
            .contains("GNU GENERAL PUBLIC LICENSE")
    );
}

#[test]
fn every_module_says_what_it_is() {
    for file in every_source() {
        let text = fs::read_to_string(&file).unwrap();
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        assert!(first.starts_with("//!"), "{} begins without //! documentation", file.display());
    }
}

fn crate_name(folder: &str) -> String {
    let manifest = manifest(&repository::root().join(folder));
    manifest["package"]["name"].as_str().unwrap().to_owned()
}

fn manifest(folder: &Path) -> Table {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a crate depends on in its product and its build, under its real name.
fn direct_dependencies(folder: &str) -> BTreeSet<String> {
    dependencies_in(folder, &["dependencies", "build-dependencies"])
}

/// What a crate depends on for any purpose.
fn dependencies(folder: &str) -> BTreeSet<String> {
    dependencies_in(folder, &["dependencies", "build-dependencies", "dev-dependencies"])
}

fn dependencies_in(folder: &str, tables: &[&str]) -> BTreeSet<String> {
    let manifest = manifest(&repository::root().join(folder));
    let mut all: Vec<&Table> = vec![&manifest];
    if let Some(targets) = manifest.get("target").and_then(Value::as_table) {
        all.extend(targets.values().filter_map(Value::as_table));
    }
    let tables =
        all.into_iter().flat_map(|table| tables.iter().filter_map(|name| table.get(*name)?.as_table()));
    let entries = tables.flat_map(|table| table.iter());
    entries
        .map(|(name, value)| value.get("package").and_then(Value::as_str).unwrap_or(name).to_owned())
        .collect()
}

/// All Rust files of the workspace.
fn every_source() -> Vec<PathBuf> {
    MAP.iter()
        .map(|(folder, ..)| folder)
        .chain(GUESTS)
        .flat_map(|folder| sources(&repository::root().join(folder)))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    files_under(folder, "rs")
}

fn files_under(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("target") {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A file without its comments and its test modules.
fn production_code(file: &Path) -> String {
    without_tests(&code_lines(file)).join("\n")
}

/// Only modules go: what else is marked as the tests' own is held to the laws, and so is the code that follows it.
fn without_tests(lines: &[String]) -> Vec<&str> {
    let (mut kept, mut is_test) = (Vec::new(), false);
    for (number, line) in lines.iter().enumerate() {
        is_test |= begins_tests(&lines[number..]);
        if !is_test {
            kept.push(line.as_str());
        }
        // Where rustfmt ends a module of the file.
        is_test &= line != "}";
    }
    kept
}

/// A module with a body that is compiled for tests only.
fn begins_tests(lines: &[String]) -> bool {
    let item = lines.iter().find(|line| !line.starts_with("#["));
    lines[0] == "#[cfg(test)]" && item.is_some_and(|item| item.contains("mod ") && item.ends_with('{'))
}

fn code_lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect()
}

fn is_test_file(file: &Path) -> bool {
    let file = file.strip_prefix(repository::root()).unwrap();
    let parts: Vec<&str> = file.iter().filter_map(|part| part.to_str()).collect();
    let in_package = parts[..parts.len() - 1].iter().skip(1);
    in_package.clone().any(|part| ["tests", "benches", "examples"].contains(part))
        || parts.last().is_some_and(|name| name.starts_with("test"))
}

fn end_to_end(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with("e2e_")
}

/// The names of the functions marked as tests.
fn tests_in(file: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut marked = false;
    for line in fs::read_to_string(file).unwrap().lines().map(str::trim) {
        marked |= line == "#[test]" || line.starts_with("#[tokio::test");
        if let Some(rest) = line.strip_prefix("fn ").or_else(|| line.strip_prefix("async fn ")) {
            if marked {
                names.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            }
            marked = false;
        }
    }
    names
}

/// `#rgb`, `#rrggbb`, `#rrggbbaa`, `rgb(…)`, `Colors.name`.
fn has_colour(line: &str) -> bool {
    let hex = line.split('#').skip(1).any(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let ends =
            rest.as_bytes().get(digits).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
        ends && [3, 4, 6, 8].contains(&digits)
    });
    hex || line.contains("rgb(")
        || line.contains("rgba(")
        || line.contains("hsv(")
        || line.contains("Colors.")
}

#[test]
fn the_eyes_of_the_laws_see() {
    assert!(has_colour("background: #34171b;") && has_colour("color: #fff;") && has_colour("rgb(1,2,3)"));
    assert!(!has_colour("text: \"line #5550100x\"; // no colour") && !has_colour("pad: 12px;"));
    let this = repository::root().join("tests/tests/laws.rs");
    assert!(tests_in(&this).contains(&"the_eyes_of_the_laws_see".to_owned()));
    assert!(is_test_file(&this) && !is_test_file(&repository::root().join("tests/src/lib.rs")));
    let text = "fn a() {\n}\n#[cfg(test)]\nmod far;\n#[cfg(test)]\nfn b() {\n}\nfn c() {\n}\n\
                #[cfg(test)]\n#[allow(x)]\nmod tests {\n    fn d() {\n    }\n}\nfn e() {\n}";
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let kept = without_tests(&lines).join("\n");
    assert!(["fn a", "fn b", "fn c", "fn e"].iter().all(|code| kept.contains(code)), "{kept}");
    assert!(!kept.contains("fn d") && !kept.contains("mod tests"), "{kept}");
}
