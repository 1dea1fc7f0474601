//! `frontdesk-plugin check`, as an author runs it: our own connectors pass, plugins that trap, loop, fail or claim
//! success do not, and each failure names what was asked.
#![allow(clippy::unwrap_used, reason = "tests")]

mod yard;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use plugin_host::package::pack;
use yard::Yard;

struct Checked {
    passed: bool,
    words: String,
}

fn check(yard: &Yard, file: &[u8], more: &[&str]) -> Checked {
    let path: PathBuf = yard.scratch.path().join("plugin.wasm");
    fs::write(&path, file).unwrap();
    // Compiled plugins are kept from run to run, as those of the other tests.
    let output = Command::new(env!("CARGO_BIN_EXE_frontdesk-plugin"))
        .arg("check")
        .arg(&path)
        .arg("--cache")
        .arg(yard::target().join("compiled"))
        .args(more)
        .output()
        .unwrap();
    let words = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    Checked { passed: output.status.success(), words }
}

#[test]
fn our_own_connectors_pass() {
    let yard = Yard::with_names(&[]);
    for (folder, library, people) in [
        ("web-directory", "web_directory", "a full run: 90 people in 1 pages"),
        ("ldap", "ldap_directory", "a full run: 90 people in 1 pages"),
        ("carddav", "carddav", "a full run: 90 people in 1 pages"),
    ] {
        let checked = check(&yard, &yard::packed(folder, library), &[]);
        assert!(checked.passed && checked.words.contains(people), "{}", checked.words);
        assert!(checked.words.contains("0 of "), "{}", checked.words);
    }
    // One that signs in with a token of the host's, whichever way it comes by it.
    let answer = yard::plugins().join("microsoft-graph/answer.json");
    let file = yard::packed("microsoft-graph", "microsoft_graph");
    for way in ["sign-in=application", "sign-in=person"] {
        let checked = check(&yard, &file, &["--answer", answer.to_str().unwrap(), "--set", way]);
        assert!(checked.passed && checked.words.contains("a full run: 25 people"), "{}", checked.words);
        assert!(checked.words.contains("0 of "), "{}", checked.words);
    }
    // With an answer of the author's own.
    let answer = yard.scratch.path().join("list.csv");
    fs::write(&answer, "name,phone\nAnn Lee,555 0100\nBo Chen,555 0101\n").unwrap();
    let file = yard::packed("web-directory", "web_directory");
    let checked = check(&yard, &file, &["--answer", answer.to_str().unwrap()]);
    assert!(checked.passed && checked.words.contains("2 people"), "{}", checked.words);
}

#[test]
fn a_connector_in_another_language_passes_as_well() {
    let yard = Yard::with_names(&[]);
    let file = pack(&yard::javascript("directory.js"), &yard::manifest("javascript-directory")).unwrap();
    let checked = check(&yard, &file, &[]);
    assert!(checked.passed && checked.words.contains("a full run: 90 people"), "{}", checked.words);
    assert!(checked.words.contains("0 of "), "{}", checked.words);
}

#[test]
fn what_misbehaves_does_not_pass_and_hears_why() {
    let yard = Yard::with_names(&[]);
    let file = yard::packed("hostile", "hostile");
    let set = |behaviour: &str| format!("behaviour={behaviour}");
    for (behaviour, words) in [
        ("well-behaved", "FAIL it has asked no server"),
        ("trap-in-call-1", "FAIL its test fails where all is well: stopped: trap"),
        ("endless-loop", "FAIL its test fails where all is well: stopped: time on the"),
        ("memory-bomb", "stopped: memory"),
        ("endless-pages", "the directory has no end"),
        ("huge-name", "FAIL contacts that the host could not use: 1"),
        ("fetch", "FAIL a full run: 0 people"),
    ] {
        let settings = [set(behaviour), "url=http://directory.example/".to_owned()];
        let checked = check(&yard, &file, &["--set", &settings[0], "--set", &settings[1]]);
        assert!(!checked.passed && checked.words.contains(words), "{behaviour}: {}", checked.words);
    }
}

#[test]
fn a_file_that_is_none_is_said_in_a_line() {
    let yard = Yard::with_names(&[]);
    for (file, words) in [
        (b"PK\x03\x04".to_vec(), "FAIL the file: not a WebAssembly file"),
        (pack(b"\0asm\x0d\0\x01\0", &yard::manifest("ldap")).unwrap(), "FAIL the code: "),
        (
            pack(&yard::component("hostile"), "manifest = 2").unwrap(),
            "FAIL the file: the manifest cannot be read",
        ),
    ] {
        let checked = check(&yard, &file, &[]);
        assert!(!checked.passed && checked.words.contains(words), "{}", checked.words);
    }
    // A signature is looked at; whose it is, an administrator says.
    let (mut file, _) = yard::hostile::signed();
    let settings = ["--set", "behaviour=well-behaved"];
    assert!(check(&yard, &file, &settings).words.contains("bytes, signed"));
    file[2000] ^= 1;
    assert!(check(&yard, &file, &settings).words.contains("FAIL the file: its signature does not allow it"));
}
