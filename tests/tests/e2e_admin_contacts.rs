//! An administrator brings the company's people to the desk in a browser: a file with good and bad rows, in both languages,
//! and files that change nothing.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::time::Duration;

use frontdesk_tests::chromium::Chromium;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::office::{NAME, SECRET};

/// Real time of the desk and the browser.
const SOON: Duration = Duration::from_secs(20);

/// Puts these bytes into a file and uploads it into a new directory of this name.
fn upload(house: &House, browser: &mut Chromium, directory: &str, bytes: &[u8]) {
    let path = house.folder().join("people.csv");
    fs::write(&path, bytes).unwrap();
    browser.press("Directories");
    browser.choose("Into the directory", "a new directory, by the name below");
    browser.fill("Name of the new directory", directory);
    browser.choose("Kind of the new directory", "local: staff");
    browser.choose_file("CSV file", &path);
    browser.press("Add these contacts");
}

#[test]
fn dir_3_app_2_an_administrator_adds_contacts_from_a_file_and_sees_which_rows_were_left_out() {
    let mut house = House::build(Digest::Md5);
    let (mut browser, address) = house.administered(NAME, SECRET);
    // As a spreadsheet of Western Europe writes it.
    let file = b"lastname,firstname,phone,presence,shoe\n\
        Castaing,\xc9lo\xefse,2177,yes,39\nWrong,Row,2178,perhaps,40\nShort,Row\n";
    upload(&house, &mut browser, "Warehouse", file);
    let is_told = |text: &str| text.contains("the first line has 5");
    let text = browser.wait_text("what came of the file", SOON, is_told);
    for words in [
        "people.csv",
        "Warehouse",
        "shoe",
        "it has 2 cells, the first line has 5",
        "“perhaps” is none of true false yes no 1 0",
    ] {
        assert!(text.contains(words), "{words:?}: {text}");
    }
    let figure = |browser: &mut Chromium, at: u8| {
        let found = browser.evaluate(&format!("document.querySelectorAll('#imported dd')[{at}].textContent"));
        found.as_str().unwrap_or_default().to_owned()
    };
    let (added, left_out) = (figure(&mut browser, 2), figure(&mut browser, 3));
    assert_eq!((added.as_str(), left_out.as_str()), ("1", "2"), "{text}");
    // The desk has who was good, and nobody else.
    house.client.wait("the directory", SOON, |view| {
        view.directories
            .iter()
            .any(|directory| directory.name == "Warehouse" && directory.local && directory.contacts == 1)
    });
    assert_eq!(house.client.contact("éloïse castaing").phone, "2177");

    browser.open(&format!("{address}/language/fr?to=/directories/import"));
    browser.sees("elle a 2 cellules, la première ligne en a 5");
    browser.sees("« perhaps » n’est pas l’une des valeurs true false yes no 1 0");
    browser.open(&format!("{address}/language/en?to=/audit"));
    browser.sees("added contacts from a file");
    browser.sees("people.csv, directory Warehouse: 1 added, 2 rows refused");
    assert!(!browser.text().contains("Castaing"), "no personal data in the audit log");
}

#[test]
fn dir_3_app_2_a_file_that_is_none_changes_nothing_and_the_page_says_why() {
    let mut house = House::build(Digest::Md5);
    let (mut browser, address) = house.administered(NAME, SECRET);
    let before = house.client.wait("a view", SOON, |_| true).directories;
    for (bytes, words, french) in [
        (
            b"lastname;phone\nCastaing;2177\n".to_vec(),
            "separated by semicolons",
            "séparées par des points-virgules",
        ),
        (b"\xff\xfel\0a\0s\0t\0n\0a\0m\0e\0\n\0".to_vec(), "The file is UTF-16", "Le fichier est en UTF-16"),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
            "names no column that the desk knows",
            "ne nomme aucune colonne connue du poste",
        ),
    ] {
        upload(&house, &mut browser, "Warehouse", &bytes);
        browser.wait_text(words, SOON, |text| text.contains(words));
        browser.open(&format!("{address}/language/fr?to=/directories/import"));
        browser.sees(french);
        browser.open(&format!("{address}/language/en?to=/directories"));
    }
    let after = house.client.wait("a view", SOON, |_| true).directories;
    assert_eq!(after, before);
    browser.open(&format!("{address}/audit"));
    assert!(!browser.text().contains("added contacts from a file"), "nothing was added");
}
