//! Files of contacts on the administrator's page and in the API: what came of one in both languages, and what is refused.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::{Browser, House, PASSWORD, clean::is_clean, until};
use hyper::Method;

const UPLOAD: &str = "/directories/upload";
const RESULT: &str = "/directories/import";

/// What the form says beside the file, for a directory that is there and for a new one.
const INTO_STAFF: [(&str, &str); 3] =
    [("directory", "1"), ("directory-name", ""), ("directory-kind", "external")];
const INTO_NEW: [(&str, &str); 3] =
    [("directory", ""), ("directory-name", " Suppliers "), ("directory-kind", "external")];

fn heard(house: &House) -> Vec<String> {
    house.desk.lock().unwrap().heard.clone()
}

async fn told(ada: &mut Browser, words: &str) -> String {
    for _ in 0..600 {
        let page = ada.get(RESULT).await;
        if page.has(words) {
            return page.body;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("never: {words}");
}

#[tokio::test]
async fn dir_3_contacts_are_uploaded_and_what_came_of_them_is_told_in_both_languages() {
    let (house, mut ada) = House::with_ada().await;
    let page = ada.get("/directories").await;
    is_clean("/directories", &page.body);
    assert!(page.has("at most 256 MiB") && page.has("<option value=\"1\""), "{}", page.body);
    assert!(!page.has("<option value=\"2\""), "a plugin keeps that one: {}", page.body);
    assert!(ada.get(RESULT).await.has("No file was taken since the desk started."));
    let sent = ada.upload_with("/directories", UPLOAD, &INTO_STAFF, b"lastname,phone\nRivera,2101\n").await;
    assert_eq!((sent.status, sent.to.as_deref()), (303, Some(RESULT)), "{}", sent.body);
    let page = told(&mut ada, "it has 3 cells, the first line has 2").await;
    assert_eq!(heard(&house), ["import <b>Staff</b> true"]);
    is_clean(RESULT, &page);
    assert!(
        page.contains("none of true false yes no 1 0") && page.contains("<code>presence</code>"),
        "{page}"
    );
    assert!(!page.contains("<i>perhaps</i>") && !page.contains("<b>shoe</b>"), "{page}");
    ada.language = "fr";
    let page = told(&mut ada, "elle a 3 cellules, la première ligne en a 2").await;
    assert!(page.contains("Ajoutés") && page.contains("Lignes laissées de côté"), "{page}");
    ada.language = "en";
    let sent = ada.upload_with("/directories", UPLOAD, &INTO_NEW, b"lastname\nMoreau\n").await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    until("the new directory", async || heard(&house).len() == 2).await;
    assert_eq!(heard(&house)[1], "import Suppliers false");
    told(&mut ada, "Suppliers").await;
    let audit = ada.get("/audit").await;
    assert!(audit.has("added contacts from a file"), "{}", audit.body);
    assert!(audit.has("file, directory Suppliers: 2 added, 2 rows refused"), "{}", audit.body);
    // Nothing is left of the files.
    let left = walk(house.folder.path());
    assert!(!left.iter().any(|name| name.starts_with("contacts-")), "{left:?}");
}

/// The names of all files below a folder.
fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            names.extend(walk(&entry.path()));
        } else {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names
}

#[tokio::test]
async fn dir_3_what_cannot_be_taken_is_refused_in_words_and_the_desk_does_not_hear_of_it() {
    let (house, mut ada) = House::with_ada().await;
    let answer = ada.upload_with("/directories", UPLOAD, &INTO_STAFF, b"").await;
    assert!(answer.status == 422 && answer.has("it is empty"), "{}", answer.body);
    let kept = [("directory", "2"), ("directory-name", ""), ("directory-kind", "local")];
    let answer = ada.upload_with("/directories", UPLOAD, &kept, b"lastname\n").await;
    assert!(answer.status == 422 && answer.has("A plugin keeps this directory"), "{}", answer.body);
    let gone = [("directory", "9"), ("directory-name", ""), ("directory-kind", "local")];
    assert_eq!(ada.upload_with("/directories", UPLOAD, &gone, b"lastname\n").await.status, 422);
    let unnamed = [("directory", ""), ("directory-name", " "), ("directory-kind", "local")];
    ada.language = "fr";
    let answer = ada.upload_with("/directories", UPLOAD, &unnamed, b"lastname\n").await;
    assert!(answer.status == 422 && answer.has("donnez au nouveau un nom"), "{}", answer.body);
    ada.language = "en";
    // A gigabyte is refused before it comes.
    assert_eq!(ada.announce(UPLOAD, 1_000_000_000).await, "HTTP/1.1 413");
    assert!(ada.get("/directories").await.has("larger than 256 MiB"), "the next page says it too");
    // A form that was not made for this session.
    let stolen = ada.upload_as("stolen", UPLOAD, &[("directory", b"1"), ("file", b"lastname")]).await;
    assert_eq!(stolen.status, 403);
    assert_eq!(heard(&house), Vec::<String>::new());
    // What the desk refuses is told by the page.
    assert_eq!(ada.upload_with("/directories", UPLOAD, &INTO_STAFF, b"\x89PNG\r\n").await.status, 303);
    let page = told(&mut ada, "names no column that the desk knows").await;
    is_clean(RESULT, &page);
    assert!(!ada.get("/audit").await.has("added contacts from a file"));
}

#[tokio::test]
async fn dir_3_acc_1_a_supervisor_sees_the_result_and_adds_nobody() {
    let (house, mut ada) = House::with_ada().await;
    let fields =
        [("name", "Sue"), ("role", "supervisor"), ("password", "another horse"), ("your-password", PASSWORD)];
    assert_eq!(ada.submit("/accounts", "/accounts", &fields).await.status, 303);
    let mut sue = house.browser();
    assert_eq!(sue.sign_in("Sue", "another horse").await.status, 303);
    let page = sue.get("/directories").await;
    assert!(page.status == 200 && !page.has("id=\"load-form\""), "{}", page.body);
    assert_eq!(sue.get(RESULT).await.status, 200);
    let answer = sue.upload_with("/account", UPLOAD, &INTO_STAFF, b"lastname\nRivera\n").await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert_eq!(heard(&house), Vec::<String>::new());
}

#[tokio::test]
async fn dir_3_app_2_a_program_adds_contacts_and_is_told_what_came_of_them() {
    let (house, mut ada) = House::with_ada().await;
    let fields = [("token-name", "write"), ("scope", "write"), ("token-your-password", PASSWORD)];
    let shown = ada.submit("/accounts", "/tokens", &fields).await;
    let token = shown.between("<code id=\"token\">", "</code>").unwrap();
    let mut writer = Browser { bearer: Some(token), site: None, ..house.browser() };
    let path = "/api/v1/contacts?directory=Suppliers&local=true&name=people.csv";
    let answer = writer.send(Method::POST, path, Some("text/csv"), b"lastname\nRivera\n".to_vec()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let told = answer.json();
    assert_eq!((told["added"].as_u64(), told["refused"].as_u64()), (Some(2), Some(2)), "{told}");
    assert_eq!(told["file"], "people.csv");
    assert_eq!(told["directory"], "Suppliers");
    assert_eq!(told["rows"][0]["line"], 3);
    assert!(told["rows"][0]["column"].is_null() && told["rows"][1]["column"] == "presence", "{told}");
    assert_eq!(heard(&house), ["import Suppliers true"]);
    let answer = writer.send(Method::POST, path, Some("text/csv"), b"MZ a program".to_vec()).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    let unnamed = writer.send(Method::POST, "/api/v1/contacts", Some("text/csv"), b"lastname".to_vec()).await;
    assert_eq!(unnamed.status, 422, "{}", unnamed.body);
    assert_eq!(heard(&house).len(), 2);
}
