//! The Debian packages say of the box what is true: every file of the box is in a package or left out for a reason, nothing of a
//! package needs the data partition, settings are those that the program reads, and the programs are those of the map.
//! That they install, start and go again is `make deb-test`.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use frontdesk_tests::dependencies::graph;
use frontdesk_tests::repository;
use toml::Table;

/// Folders whose files the image installs.
const FOLDERS: [&str; 8] = ["units", "sysusers", "tmpfiles", "udev", "libexec", "etc", "repart.d", "rauc"];

#[test]
fn every_file_of_the_box_is_in_a_package_or_left_out_for_a_reason() {
    let listed = listed();
    let names: BTreeSet<&str> = listed.iter().map(|line| line.file.as_str()).collect();
    assert_eq!(names.len(), listed.len(), "a file stands in deb/files twice");
    let mut there = BTreeSet::new();
    for folder in FOLDERS {
        files_under(&appliance().join(folder), &mut there);
    }
    assert!(there.len() > 30, "only {} files in firmware/appliance", there.len());
    for file in there.iter().filter(|file| !file.ends_with("README.md")) {
        assert!(names.contains(file.as_str()), "{file} is neither in a package nor left out (deb/files)");
    }
    for line in &listed {
        assert!(appliance().join(&line.file).is_file(), "deb/files names {}, which is not there", line.file);
        assert!(!line.rest.is_empty(), "{}: where does it go, or why is it left out?", line.file);
        assert!(
            ["frontdesk", "frontdesk-console", "box"].contains(&line.package.as_str()),
            "{}",
            line.package
        );
    }
}

#[test]
fn what_a_package_starts_is_in_it_or_in_what_it_leans_on() {
    let (programs, listed) = (programs(), listed());
    for line in listed.iter().filter(|line| line.package != "box" && line.file.ends_with(".service")) {
        let unit = read(&line.file);
        let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        // A script of ours is in the same package, and starts it in the unit's place.
        let script = command.strip_prefix("/usr/libexec/frontdesk/").map(|name| format!("libexec/{name}"));
        let started = script.map(|script| {
            let packed = listed.iter().find(|other| other.file == script);
            assert_eq!(
                packed.map(|packed| &packed.package),
                Some(&line.package),
                "{} needs {script}",
                line.file
            );
            read(&script).lines().find_map(|line| line.strip_prefix("exec ")).unwrap().to_owned()
        });
        let command = started.as_deref().unwrap_or(command);
        let ours: Vec<&str> = command
            .split_whitespace()
            .filter_map(|word| word.strip_prefix("/usr/bin/"))
            .filter(|name| name.starts_with("frontdesk"))
            .collect();
        assert!(!ours.is_empty(), "{} starts nothing of ours", line.file);
        for name in ours {
            assert_eq!(programs.get(name), Some(&line.package), "{} starts {name}", line.file);
        }
    }
}

#[test]
fn no_browser_comes_with_a_console_that_may_not_use_it() {
    let (unit, build) = (read("units/frontdesk-ui.service"), read("deb/build"));
    // Without a network there are no pages to show.
    assert!(unit.lines().any(|line| line == "IPAddressDeny=any"), "{unit}");
    assert!(!build.contains("chromium"), "the console of the packages cannot start it");
}

#[test]
fn the_programs_are_those_of_the_map() {
    let map = graph::read("firmware/ARCHITECTURE.md").unwrap();
    let rows = map.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | `"));
    let rows = rows.filter(|(name, folder)| name.starts_with("frontdesk") && !folder.starts_with("tests/"));
    let of_map: BTreeSet<&str> = rows.map(|(name, _)| name).collect();
    assert_eq!(programs().keys().map(String::as_str).collect::<BTreeSet<_>>(), of_map);
    for builder in ["image/build", "deb/build"] {
        assert!(read(builder).contains("$appliance/programs"), "{builder} has a list of its own");
    }
}

#[test]
fn a_release_builds_every_program() {
    let script = graph::read(".ci/release").unwrap();
    for name in programs().keys().map(String::as_str).chain(["frontdesk-dependencies"]) {
        let arms = script.lines().filter(|line| line.contains(") package="));
        let of =
            arms.filter(|line| line.split(')').next().unwrap().split('|').any(|word| word.trim() == name));
        assert_eq!(of.count(), 1, ".ci/release does not know in which crate {name} is");
    }
}

/// The box has a partition for its data; a machine that only has the packages does not.
#[test]
fn nothing_of_a_package_needs_the_data_partition() {
    let listed = listed();
    for line in listed.iter().filter(|line| line.package != "box" && line.file.ends_with(".service")) {
        let name = line.file.rsplit('/').next().unwrap();
        let drop_in = format!("usr/lib/systemd/system/{name}.d");
        let drop_in: String =
            listed.iter().filter(|other| other.rest == drop_in).map(|other| read(&other.file)).collect();
        for setting in
            read(&line.file).lines().filter(|line| !line.starts_with('#') && is_on_the_partition(line))
        {
            let (key, value) = setting.split_once('=').unwrap();
            let is_harmless = match key {
                // A mount that is asked for where there is none is the root's.
                "RequiresMountsFor" => true,
                "Environment" => {
                    drop_in.contains(&format!("Environment={}=", value.split('=').next().unwrap()))
                }
                "ReadWritePaths" if value.starts_with('-') => true,
                _ => drop_in.lines().any(|line| line == format!("{key}=")),
            };
            assert!(is_harmless, "{name}: {setting} holds in the package, too");
        }
    }
    for line in listed.iter().filter(|line| line.package != "box" && !line.file.starts_with("units/")) {
        let adapted = adapted(&line.file);
        let mut settings = adapted.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(settings.find(|line| is_on_the_partition(line)), None, "{}", line.file);
    }
}

/// Whether it names `/data`, which is no folder of another name inside some other.
fn is_on_the_partition(line: &str) -> bool {
    line.match_indices("/data").any(|(at, _)| !line[..at].ends_with(char::is_alphanumeric))
}

#[test]
fn settings_of_the_package_are_those_of_the_box_but_for_its_disk_and_its_port() {
    let of_box: Table = read("etc/frontdesk/frontdesk.toml").parse().unwrap();
    let of_package: Table = adapted("etc/frontdesk/frontdesk.toml").parse().unwrap();
    let mut wanted = of_box.clone();
    assert!(wanted.remove("update").is_some(), "the box has lost its updates");
    wanted["admin"].as_table_mut().unwrap().insert("listen".into(), "0.0.0.0:8443".into());
    // What identifies the very device.
    for value in wanted["provisioning"].as_table_mut().unwrap().iter_mut().map(|(_, value)| value) {
        if let Some(path) = value.as_str().and_then(|path| path.strip_prefix("/data/device/")) {
            *value = format!("/etc/frontdesk/device/{path}").into();
        }
    }
    assert_eq!(of_package, wanted);
    assert_ne!(of_box["admin"]["listen"], of_package["admin"]["listen"]);
    let plugins: Table = adapted("etc/frontdesk/plugind.toml").parse().unwrap();
    assert_eq!(plugins["state"].as_str(), Some("/var/lib/frontdesk-plugind"));
    let of_box: Table = read("etc/frontdesk/plugind.toml").parse().unwrap();
    assert_eq!(plugins["socket"], of_box["socket"]);
    let rules = adapted("udev/70-frontdesk.rules");
    assert!(rules.contains("hidraw") && rules.contains("open-mixer") && !rules.contains("stick"), "{rules}");
    let users = adapted("sysusers/frontdesk.conf");
    let fixed = users.lines().filter(|line| !line.starts_with('#') && line.contains(" 95")).count();
    assert_eq!(fixed, 0, "ids that somebody may have already:\n{users}");
    assert_eq!(users.lines().filter(|line| line.starts_with("u ")).count(), 4, "{users}");
    let members = |text: &str| text.lines().filter(|line| line.starts_with("m ")).count();
    assert_eq!(members(&users), members(&read("sysusers/frontdesk.conf")));
}

#[test]
fn scripts_of_the_packages_can_be_read_and_a_removal_keeps_the_data() {
    let mut seen = 0;
    for package in ["frontdesk", "frontdesk-console"] {
        for script in ["postinst", "prerm", "postrm"] {
            let path = appliance().join(format!("deb/{package}.{script}"));
            let checked = Command::new("sh").arg("-n").arg(&path).status().unwrap();
            assert!(checked.success(), "{}", path.display());
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains("units=\"@UNITS@\"") && text.contains("\nset -e\n"), "{}", path.display());
            // What is wiped is wiped after the word purge.
            if let Some(at) = text.find("rm -rf") {
                assert_eq!(script, "postrm", "{} wipes", path.display());
                assert!(
                    text.find("= purge").is_some_and(|purge| purge < at),
                    "{} wipes too early",
                    path.display()
                );
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 2);
}

/// A line of `deb/files`.
struct Line {
    package: String,
    file: String,
    rest: String,
}

fn listed() -> Vec<Line> {
    let text = read("deb/files");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let mut words = line.split_whitespace().map(str::to_owned);
            let (package, file) = (words.next().unwrap(), words.next().unwrap());
            Line { package, file, rest: words.collect::<Vec<_>>().join(" ") }
        })
        .collect()
}

/// The programs and the packages they are in.
fn programs() -> BTreeMap<String, String> {
    let text = read("programs");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let mut words = line.split_whitespace().map(str::to_owned);
            (words.next().unwrap(), words.next().unwrap())
        })
        .collect()
}

fn appliance() -> PathBuf {
    repository::root().join("firmware/appliance")
}

fn read(file: &str) -> String {
    let path = appliance().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A file as the packages have it.
fn adapted(file: &str) -> String {
    let output = Command::new(appliance().join("deb/adapt")).arg(appliance().join(file)).output().unwrap();
    assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn files_under(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_under(&path, into);
        } else {
            into.insert(path.strip_prefix(appliance()).unwrap().to_str().unwrap().to_owned());
        }
    }
}
