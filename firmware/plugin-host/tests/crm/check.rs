//! `frontdesk-plugin check` on each of them, with what its service says in `check.json` beside its manifest.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::yard;

/// Runs the check; a line that fails is a failure, and so is one that is missing.
fn passes(folder: &str, lines: &[&str]) {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("plugin.wasm");
    fs::write(&file, yard::packed(folder, &folder.replace('-', "_"))).unwrap();
    let play = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins").join(folder).join("check.json");
    let output = Command::new(env!("CARGO_BIN_EXE_frontdesk-plugin"))
        .arg("check")
        .arg(&file)
        .arg("--play")
        .arg(&play)
        .arg("--cache")
        .arg(yard::target().join("compiled"))
        .output()
        .unwrap();
    let words = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !words.contains("FAIL"), "{words}");
    for line in lines {
        assert!(words.contains(line), "{line} is not in {words}");
    }
}

const ZOE: &str = "which customer +41445550001 is: Zoë Keller, 1 in all";

#[test]
fn rest_crm_passes() {
    passes("rest-crm", &[ZOE, "a note: made, https://crm.example/notes/1"]);
}

#[test]
fn hubspot_passes() {
    passes("hubspot", &[ZOE, "a note: made, https://app.hubspot.com/contacts/42/record/0-1/7"]);
}

#[test]
fn salesforce_passes() {
    passes("salesforce", &[ZOE, "a task: made, https://example.my.salesforce.com/00T000000000001AAA"]);
}

#[test]
fn odoo_passes() {
    passes("odoo", &[ZOE, "a task: made, https://example.odoo.com/mail/view?model=res.partner&res_id=7"]);
}

#[test]
fn url_crm_passes_without_any_network() {
    passes("url-crm", &["it asks for no network", "which customer +41445550001 is: Kit Caller, 1 in all"]);
}
