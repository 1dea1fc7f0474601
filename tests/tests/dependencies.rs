//! What Frontdesk says of its dependencies is true: the bill of materials is whole and only has licences that `deny.toml` allows,
//! the lists that were written are current, each direct dependency has its reason and is used, and everything that is linked has
//! the text of its licence.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use frontdesk_tests::dependencies::graph::{self, Graph, TARGET};
use frontdesk_tests::dependencies::{WRITTEN, extras, notices, reasons, sbom, spdx};
use frontdesk_tests::repository;
use serde_json::Value;
use toml::Table;

/// Cargo is asked once.
static GRAPH: LazyLock<Graph> = LazyLock::new(|| Graph::load().unwrap());

/// What is used only by another crate's code that is brought in by its path: `e2e_microsoft.rs` has the servers of the plugin
/// host's tests, and `tests/readers` has readers that no crate offers.
const BY_PATH: [(&str, &str); 10] = [
    ("frontdesk-screen", "slint-build"),
    ("frontdesk-tests", "rcgen"),
    ("frontdesk-tests", "url"),
    ("frontdesk-readers", "base64"),
    ("frontdesk-readers", "image"),
    ("frontdesk-readers", "proptest"),
    ("frontdesk-readers", "sha2"),
    ("frontdesk-readers", "tempfile"),
    ("frontdesk-readers", "thiserror"),
    ("frontdesk-readers", "tokio-xmpp"),
];

#[test]
fn every_crate_that_cargo_links_is_in_the_bill_with_the_checksum_of_the_lock_file() {
    let bill = sbom::bill(&GRAPH, 1_700_000_000).unwrap();
    let components = bill["components"].as_array().unwrap();
    let named = |of: &Value| (text(of, "name"), text(of, "version"));
    let listed: BTreeMap<(String, String), &Value> = components.iter().map(|of| (named(of), of)).collect();
    assert_eq!(listed.len(), components.len(), "something is in the bill twice");
    // Not by what the bill is made of: cargo's tree of the programs' packages.
    let linked = tree("normal,no-proc-macro");
    assert!(linked.len() > 200, "cargo tree knows only {} crates", linked.len());
    for of in &linked {
        let component = listed.get(of).unwrap_or_else(|| panic!("{} {} is not in the bill", of.0, of.1));
        assert_eq!(component["scope"], "required", "{} {}", of.0, of.1);
    }
    for of in tree("normal,build") {
        assert!(listed.contains_key(&of), "{} {} takes part in building and is not in the bill", of.0, of.1);
    }
    let lock: Table = graph::read("Cargo.lock").unwrap().parse().unwrap();
    let locked: BTreeMap<(String, String), String> = lock["package"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|of| {
            let text = |key: &str| of.get(key)?.as_str().map(str::to_owned);
            Some(((text("name")?, text("version")?), text("checksum")?))
        })
        .collect();
    let mut checked = 0;
    for (name, component) in &listed {
        let Some(purl) = component["purl"].as_str() else { continue };
        assert!(purl.starts_with(&format!("pkg:cargo/{}@", name.0)), "{purl}");
        assert_eq!(
            component["hashes"][0]["content"].as_str(),
            locked.get(name).map(String::as_str),
            "{purl}"
        );
        checked += 1;
    }
    assert!(checked > 300, "only {checked} crates have a checksum");
}

#[test]
fn the_graph_of_the_bill_is_closed_and_everything_in_it_is_reached() {
    let bill = sbom::bill(&GRAPH, 1_700_000_000).unwrap();
    assert_eq!((text(&bill, "bomFormat"), text(&bill, "specVersion")), ("CycloneDX".into(), "1.5".into()));
    let known: BTreeSet<String> =
        bill["components"].as_array().unwrap().iter().map(|of| text(of, "bom-ref")).collect();
    let edges: BTreeMap<String, Vec<String>> = bill["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| {
            let to = of["dependsOn"].as_array().unwrap().iter().map(|to| to.as_str().unwrap().to_owned());
            (text(of, "ref"), to.collect())
        })
        .collect();
    let whole = text(&bill["metadata"]["component"], "bom-ref");
    let mut seen = BTreeSet::new();
    let mut open = vec![whole.clone()];
    while let Some(at) = open.pop() {
        let to = edges.get(&at).unwrap_or_else(|| panic!("nothing is said of what {at} leans on"));
        open.extend(to.iter().filter(|to| seen.insert((*to).clone())).cloned());
    }
    assert_eq!(seen, known, "what is reached from {whole}, and what there is");
    assert!(known.iter().all(|of| !of.contains("proptest")), "what only tests have is in the bill");
}

#[test]
fn the_bill_is_the_same_for_the_same_lock_file_and_time() {
    let bill = |time| sbom::bill(&GRAPH, time).unwrap();
    assert_eq!(bill(1_700_000_000).to_string(), bill(1_700_000_000).to_string());
    assert_eq!(bill(1_700_000_000)["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
    let serial = |time| text(&bill(time), "serialNumber");
    assert_ne!(serial(1_700_000_000), serial(1_700_000_001));
    let plain = serial(1_700_000_000);
    let groups: Vec<usize> = plain.trim_start_matches("urn:uuid:").split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "{plain}");
}

#[test]
fn every_licence_is_one_that_may_be_linked() {
    let deny: Table = graph::read("deny.toml").unwrap().parse().unwrap();
    let allowed = deny["licenses"]["allow"].as_array().unwrap().iter().filter_map(toml::Value::as_str);
    let allowed: BTreeSet<&str> = allowed.collect();
    let bill = sbom::bill(&GRAPH, 0).unwrap();
    for component in bill["components"].as_array().unwrap() {
        let licence = text(&component["licenses"][0], "expression");
        let allows = |id: &str| {
            allowed.contains(id) || (component.get("purl").is_none() && extras::LICENCES.contains(&id))
        };
        let held = spdx::holds(&licence, &allows).unwrap_or_else(|problem| panic!("{component}: {problem}"));
        assert!(held, "{}: {licence} is not allowed by deny.toml", text(component, "name"));
    }
}

#[test]
fn what_is_written_of_the_dependencies_is_current() {
    for (path, make) in WRITTEN {
        let there = graph::read(path).unwrap();
        assert!(there == make(&GRAPH).unwrap(), "{path} is not current: run `make dependencies`");
    }
}

#[test]
fn each_direct_dependency_has_its_reason_and_each_reason_its_dependency() {
    let told = reasons::reasons(&graph::read("Cargo.toml").unwrap());
    let named: BTreeSet<&str> = reasons::direct(&GRAPH).into_keys().map(|(name, _)| name).collect();
    for name in &named {
        assert!(
            told.get(*name).is_some_and(|reason| reason.len() > 5),
            "Cargo.toml does not say why {name} is there"
        );
    }
    for name in told.keys() {
        assert!(named.contains(name.as_str()), "Cargo.toml gives a reason for {name}, which no crate names");
    }
    for (name, reason) in reasons::reasons(&graph::read("plugins/Cargo.toml").unwrap()) {
        assert!(reason.len() > 3, "plugins/Cargo.toml does not say why {name} is there");
    }
}

#[test]
fn no_crate_names_a_dependency_that_its_code_does_not_use() {
    for ours in GRAPH.packages.iter().filter(|package| package.is_ours()) {
        let code = sources(&ours.folder);
        for (at, known_as) in &ours.named {
            let name = GRAPH.packages[*at].name.as_str();
            let is_used =
                code.contains(&format!("{known_as}::")) || code.contains(&format!("use {known_as}"));
            assert!(
                is_used || BY_PATH.contains(&(ours.name.as_str(), name)),
                "{} names {name} and does not use it",
                ours.name
            );
        }
    }
}

#[test]
fn everything_that_is_linked_has_the_text_of_its_licence() {
    let texts = notices::texts(&GRAPH).unwrap();
    for (name, version, licence) in
        notices::list(&GRAPH).unwrap().lines().map(|line| notices::row(line).unwrap())
    {
        assert!(
            texts.contains(&format!("{name} {version}")),
            "{name} {version} ({licence}) is not in the file"
        );
    }
    for words in [
        "Permission is hereby granted, free of charge",
        "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION",
        "May you do good and not evil",
        "Open Font License",
        "Mozilla Public License Version 2.0",
        "Xiph.Org",
    ] {
        assert!(texts.contains(words), "{words:?} is in no text");
    }
    // Nothing of the machine that made it.
    let home = std::env::var("HOME").unwrap();
    assert!(!texts.contains(&home) || home == "/");
}

fn text(of: &Value, key: &str) -> String {
    of[key].as_str().unwrap_or_else(|| panic!("no {key} in {of}")).to_owned()
}

/// Name and version of what `cargo tree` shows of the packages that the programs are in.
fn tree(kinds: &str) -> BTreeSet<(String, String)> {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.args(["tree", "--locked", "--offline", "--target", TARGET, "--prefix", "none", "--edges", kinds]);
    for root in &GRAPH.roots {
        command.args(["-p", &GRAPH.packages[*root].name]);
    }
    let output = command.current_dir(repository::root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let of = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.trim_start_matches('v').to_owned()))
    };
    lines.lines().filter_map(of).collect()
}

/// All code of a crate, its build script and its tests, in one.
fn sources(folder: &Path) -> String {
    let mut code = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // A crate within a crate's folder is another one.
        if path.is_dir() && !path.join("Cargo.toml").exists() && !path.ends_with("target") {
            code.push_str(&sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            code.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
    code
}
