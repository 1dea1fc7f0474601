//! Our connector in JavaScript against lighttpd, a web server that we did not write: a list over HTTPS with a password
//! and an ETag, a list in pages, and mistakes of the author, which arrive as errors and not as crashes without a word.
#![allow(clippy::unwrap_used, reason = "tests")]

mod yard;

use plugin_host::connector::{Cancel, Connector, Next, Start};
use plugin_host::failure::Failure;
use plugin_host::limits::Limits;
use plugin_host::package::pack;
use plugin_host::sync::{self, Directory, SyncError, SyncLimits, Synced};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use yard::Yard;
use yard::lighttpd::{Lighttpd, tls_server};

struct Scene {
    yard: Yard,
    server: Lighttpd,
}

impl Scene {
    fn new() -> Self {
        let own = rcgen::generate_simple_self_signed(vec!["directory.example".to_owned()]).unwrap();
        let certificate: CertificateDer<'static> = own.cert.der().clone();
        let yard = Yard::new(&[("directory.example", &[&["127.0.0.1"]])], vec![certificate]);
        let server = tls_server(yard.scratch.path(), &own);
        Self { yard, server }
    }

    fn load(&self, entry: &str, name: &str, password: &str) -> Connector {
        let url = format!("https://directory.example:{}/{name}", self.server.port);
        let settings = yard::object(json!({ "url": url, "user": "desk", "password": password }));
        let file = pack(&yard::javascript(entry), &yard::manifest("javascript-directory")).unwrap();
        self.yard.load(file, &settings, &yard::granted("server", true), Limits::default()).unwrap()
    }
}

fn people(range: std::ops::Range<usize>) -> Vec<Value> {
    range
        .map(|n| json!({ "id": n, "name": format!("Zoë 人 {n}"), "phone": format!("044 555 {n:04}"), "company": "Example AG" }))
        .collect()
}

fn synced(plugin: &Connector, before: &Directory) -> Result<Synced, SyncError> {
    sync::run(plugin, before, &SyncLimits::default(), &Cancel::default(), &mut |_, _| {})
}

fn case(failure: &Failure) -> (&'static str, &str) {
    match failure {
        Failure::Said { case, words, .. } => (case, words),
        other => panic!("{other:?}"),
    }
}

#[test]
fn dir_4_a_connector_in_javascript_copies_a_list_and_asks_again_only_by_its_etag() {
    let scene = Scene::new();
    let mut list = people(0..450);
    list.extend([json!({ "name": "No number" }), json!("rubbish"), Value::Null]);
    scene.server.put("people.json", &Value::Array(list).to_string());
    let plugin = scene.load("directory.js", "people.json", "correct");
    assert_eq!(plugin.check(&Cancel::default()).unwrap(), "450 people");
    let first = synced(&plugin, &Directory::default()).unwrap();
    assert_eq!((first.directory.contacts.len(), first.pages, first.left_out), (450, 3, 0));
    let person = &first.directory.contacts["7"];
    assert_eq!((person.name.as_str(), person.phones[0].number.as_str()), ("Zoë 人 7", "044 555 0007"));
    assert_eq!(person.organization.as_deref(), Some("Example AG"));
    let (log, _) = plugin.log();
    assert!(log.iter().any(|line| line.contains("3 without a name or a number")), "{log:?}");

    let again = synced(&plugin, &first.directory).unwrap();
    assert!(again.directory == first.directory && again.pages == 1);
    scene.server.put("people.json", &Value::Array(people(0..449)).to_string());
    let SyncError::Call(failure) = synced(&plugin, &first.directory).unwrap_err() else { panic!() };
    assert_eq!(case(&failure).0, "resync-required");
    // Between two pages it has changed: no directory is made of halves.
    let page = plugin.fetch(&Start::Full, 200, &Cancel::default()).unwrap();
    let Next::More(cursor) = page.next else { panic!() };
    scene.server.put("people.json", &Value::Array(people(0..440)).to_string());
    let failure = plugin.fetch(&Start::Resume(cursor), 200, &Cancel::default()).unwrap_err();
    assert_eq!(case(&failure).0, "resync-required");

    let failure = scene.load("directory.js", "people.json", "wrong").check(&Cancel::default()).unwrap_err();
    assert_eq!(case(&failure).0, "auth-failed");
    let failure =
        scene.load("directory.js", "nothing.json", "correct").check(&Cancel::default()).unwrap_err();
    assert_eq!(case(&failure).0, "gone");
}

#[test]
fn a_list_in_pages_is_followed_to_its_end() {
    let scene = Scene::new();
    let page = |people: Vec<Value>, next: Option<&str>| json!({ "people": people, "next": next }).to_string();
    scene.server.put("one.json", &page(people(0..300), Some("two.json")));
    scene.server.put("two.json", &page(people(300..301), Some("/three.json")));
    scene.server.put("three.json", &page(people(301..450), None));
    let plugin = scene.load("directory.js", "one.json", "correct");
    let run = synced(&plugin, &Directory::default()).unwrap();
    assert_eq!((run.directory.contacts.len(), run.pages), (450, 4));
    assert_eq!(run.directory.token, None, "the ETag of a page says nothing about the others");
}

#[test]
fn what_an_author_throws_is_an_error_with_words() {
    let scene = Scene::new();
    let plugin = scene.load("tests/throws.js", "people.json", "correct");
    let failure = plugin.check(&Cancel::default()).unwrap_err();
    let (said, words) = case(&failure);
    assert!(said == "internal" && words.contains("TypeError"), "{words}");
    let of = |start: &Start| plugin.fetch(start, 10, &Cancel::default()).unwrap_err();
    assert_eq!(case(&of(&Start::Full)), ("internal", "\"a word\""));
    let failure = of(&Start::Delta("x".to_owned()));
    assert_eq!(case(&failure).0, "misconfigured");
    // What is no page at all ends the call, and nothing else.
    let failure = of(&Start::Resume("x".to_owned()));
    assert!(!matches!(failure, Failure::Said { .. }), "{failure:?}");
    assert_eq!(case(&of(&Start::Full)).0, "internal");
}
