//! Our CardDAV connector against Radicale, a server that we did not write: two address books found from every
//! address, what changed since, what is gone, a server that dies or forgets, and the words for each mistake in the
//! form.
#![allow(clippy::unwrap_used, reason = "tests")]

mod yard;

use std::sync::{Arc, Mutex};

use plugin_host::backoff::Reaction;
use plugin_host::connector::{Cancel, Change, Connector, Next, Start};
use plugin_host::failure::Failure;
use plugin_host::limits::Limits;
use plugin_host::sync::{self, Directory, SyncError, SyncLimits, Synced};
use serde_json::{Value, json};
use yard::Yard;
use yard::radicale::{PASSWORD, Radicale, USER, card};
use yard::server::Server;

struct Scene {
    yard: Yard,
    server: Radicale,
}

impl Scene {
    fn new(sales: usize) -> Self {
        let yard = Yard::with_names(&[]);
        let server = Radicale::start(yard.scratch.path(), sales);
        Self { yard, server }
    }

    fn load(&self, path: &str, changes: Value) -> Connector {
        let address = self.server.url(path);
        let mut settings = json!({ "address": address, "user": USER, "password": PASSWORD });
        settings.as_object_mut().unwrap().extend(yard::object(changes));
        let file = yard::packed("carddav", "carddav");
        let granted = yard::granted("server", true);
        self.yard.load(file, &yard::object(settings), &granted, Limits::default()).unwrap()
    }

    /// The button "Test", pressed again where the server was too slow for somebody who waits.
    fn check(&self, path: &str, changes: Value) -> Result<String, Failure> {
        let plugin = self.load(path, changes);
        let press = || plugin.check(&Cancel::default());
        (0..8).map(|_| press()).find(|said| !said.as_ref().is_err_and(is_slow)).unwrap_or_else(press)
    }
}

fn synced(plugin: &Connector, before: &Directory) -> Result<Synced, SyncError> {
    sync::run(plugin, before, &SyncLimits::default(), &Cancel::default(), &mut |_, _| {})
}

/// A full run of a server that sees its cards for the first time. Radicale is further each time it is asked, as it is by
/// the host, which asks again.
fn patiently(plugin: &Connector) -> Synced {
    let slow = |error: &SyncError| matches!(error, SyncError::Call(Failure::Said { case: "unavailable", words, .. }) if words.contains("in time"));
    for _ in 0..8 {
        match synced(plugin, &Directory::default()) {
            Err(error) if slow(&error) => {}
            other => return other.unwrap(),
        }
    }
    panic!("the server is never done");
}

fn is_slow(failure: &Failure) -> bool {
    matches!(failure, Failure::Said { case: "unavailable", words, .. } if words.contains("in time"))
}

fn case(failure: Failure) -> (&'static str, String, Reaction) {
    match failure {
        Failure::Said { case, words, reaction } => (case, words, reaction),
        other => panic!("{other:?}"),
    }
}

fn run_case(result: Result<Synced, SyncError>) -> (&'static str, Reaction) {
    match result.unwrap_err() {
        SyncError::Call(failure) => {
            let (case, _, reaction) = case(failure);
            (case, reaction)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn dir_4_two_address_books_of_radicale_are_copied_and_followed() {
    let mut scene = Scene::new(500);
    let plugin = scene.load("/", json!({}));
    // How many cards there are, it says if the server is fast enough for somebody who waits.
    let words = scene.check("/", json!({})).unwrap();
    assert!(words.starts_with("2 address books: House"), "{words}");

    let first = patiently(&plugin);
    assert_eq!((first.directory.contacts.len(), first.left_out), (495 + 3, 0));
    assert!(first.pages >= 4, "{} pages", first.pages);
    let person = &first.directory.contacts["/desk/sales/sales-98.vcf"];
    assert_eq!(
        (person.name.as_str(), person.phones[0].number.as_str()),
        ("Zoë Person 98", "+41 44 555 0098")
    );
    assert_eq!(person.organization.as_deref(), Some("Example, AG"));
    let (log, _) = plugin.log();
    assert!(log.iter().any(|line| line.contains("2 cards without a number")), "{log:?}");

    // Nothing has changed: where the books are is asked for, and nothing of what is in them.
    let before = plugin.tally().counters().requests;
    let again = synced(&plugin, &first.directory).unwrap();
    assert!(again.directory == first.directory && again.pages == 1);
    assert_eq!(plugin.tally().counters().requests - before, 3);

    // One is new, one has another number, one has none any more, one is gone.
    let server = &scene.server;
    server.change("sales", "new", Some(&card("new", 7777, Some("2103"))));
    server.change("sales", "sales-5", Some(&card("sales", 5, Some("+41 44 555 99 99"))));
    server.change("house", "house-1", Some(&card("house", 1, None)));
    server.change("sales", "sales-6", None);
    let page = plugin.fetch(&Start::Delta(again.directory.token.clone().unwrap()), 200, &Cancel::default());
    assert!(page.unwrap().changes.len() < 3, "only what has changed");
    let second = synced(&plugin, &again.directory).unwrap();
    assert_eq!((second.directory.contacts.len(), second.deleted), (497, 2));
    let number = |id: &str| second.directory.contacts.get(id).map(|person| person.phones[0].number.as_str());
    assert_eq!(number("/desk/sales/new.vcf"), Some("2103"));
    assert_eq!(number("/desk/sales/sales-5.vcf"), Some("+41 44 555 99 99"));
    assert_eq!((number("/desk/house/house-1.vcf"), number("/desk/sales/sales-6.vcf")), (None, None));

    // The server dies, and comes back with a change.
    scene.server.kill();
    assert_eq!(run_case(synced(&plugin, &second.directory)), ("unavailable", Reaction::BackOff));
    scene.server.start_again();
    scene.server.change("house", "house-2", None);
    let third = synced(&plugin, &second.directory).unwrap();
    assert_eq!((third.directory.contacts.len(), third.deleted), (496, 1));

    // It has forgotten how it was then: everything is read again.
    scene.server.change("sales", "sales-7", None);
    scene.server.forget("sales");
    assert_eq!(run_case(synced(&plugin, &third.directory)), ("resync-required", Reaction::Resync));
    let full = Directory { token: None, ..third.directory };
    assert_eq!(synced(&plugin, &full).unwrap().directory.contacts.len(), 495);
}

#[test]
fn a_book_more_or_less_is_noticed() {
    let scene = Scene::new(5);
    let plugin = scene.load("/", json!({}));
    let first = synced(&plugin, &Directory::default()).unwrap();
    scene.server.make_book("new");
    scene.server.change("new", "one", Some(&card("one", 1, Some("1"))));
    assert_eq!(run_case(synced(&plugin, &first.directory)), ("resync-required", Reaction::Resync));
    let full = Directory { token: None, ..first.directory };
    assert_eq!(synced(&plugin, &full).unwrap().directory.contacts.len(), 5 + 3 + 1);
    // The one that was chosen has not changed.
    let plugin = scene.load("/", json!({ "books": "house" }));
    let house = synced(&plugin, &Directory::default()).unwrap();
    assert_eq!(house.directory.contacts.len(), 3);
}

#[test]
fn a_run_goes_on_after_a_restart_of_the_plugin() {
    let scene = Scene::new(90);
    let cancel = Cancel::default();
    let mut start = Start::Full;
    let mut found = Vec::new();
    loop {
        // Each page by a plugin that remembers nothing.
        let page = scene.load("/", json!({})).fetch(&start, 25, &cancel).unwrap();
        assert!(page.changes.len() <= 25);
        found.extend(page.changes.into_iter().map(|change| match change {
            Change::Upsert(contact) => contact.id,
            Change::Delete(id) => panic!("{id} is there"),
        }));
        match page.next {
            Next::More(cursor) => start = Start::Resume(cursor),
            Next::Done(token) => break assert!(token.is_some()),
        }
    }
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 93);
}

#[test]
fn the_books_are_found_from_every_address() {
    let scene = Scene::new(5);
    // A server that is slow just then is not counted, so that it is asked again.
    let says = |path: &str, changes: Value, words: &str| {
        let counted = (0..20).any(|_| scene.check(path, changes.clone()).unwrap() == words);
        assert!(counted, "{path}: {:?}", scene.check(path, changes));
    };
    for path in ["", "/", "/desk/", "/desk", "/.well-known/carddav"] {
        says(path, json!({}), "2 address books: House (3 cards), Sales & more (5 cards)");
    }
    says("/desk/house/", json!({}), "1 address book: House (3 cards)");
    says("/", json!({ "books": "\n sales & MORE \n" }), "1 address book: Sales & more (5 cards)");
}

#[test]
fn each_mistake_in_the_form_has_its_words() {
    let scene = Scene::new(5);
    for (path, changes, wanted, words) in [
        ("/", json!({ "password": "wrong" }), "auth-failed", "401"),
        ("/", json!({ "user": "nobody" }), "auth-failed", "401"),
        ("/", json!({ "user": "" }), "auth-failed", "401"),
        ("/", json!({ "books": "Marketing" }), "misconfigured", "House, Sales & more"),
        ("/desk/nothing/", json!({}), "misconfigured", "404"),
    ] {
        let (said, told, reaction) = case(scene.check(path, changes.clone()).unwrap_err());
        assert!(said == wanted && told.contains(words), "{path} {changes}: {said} {told}");
        assert_eq!(reaction, Reaction::Blocked);
    }
}

/// An old server, which knows nothing of `sync-collection`: one book whose tag is `tag`, with 300 cards. One of them
/// cannot stand in XML, so that no answer with it can be read, and one has a picture that no answer has room for.
fn old_server(tag: Arc<Mutex<String>>) -> Server {
    const BAD: [usize; 2] = [7, 250];
    let found = |path: &str, properties: &str| {
        format!(
            "<response><href>{path}</href><propstat><prop>{properties}</prop><status>HTTP/1.1 200 OK</status></propstat></response>"
        )
    };
    Server::asked(move |head, body| {
        let book = || {
            let tag = tag.lock().unwrap().clone();
            format!("<resourcetype><collection/><C:addressbook/></resourcetype><S:getctag>{tag}</S:getctag>")
        };
        let items: String = if head.starts_with("REPORT ") {
            assert!(body.contains("addressbook-multiget"), "{body}");
            let asked = body.split("<D:href>/book/").skip(1).map(|rest| rest.split('.').next().unwrap());
            asked
                .map(|n| match n.parse().unwrap() {
                    n if n == BAD[0] => {
                        found(&format!("/book/{n}.vcf"), "<C:address-data>\u{b}</C:address-data>")
                    }
                    n if n == BAD[1] => " ".repeat(5 << 20),
                    n => found(
                        &format!("/book/{n}.vcf"),
                        &format!("<C:address-data>{}</C:address-data>", card("old", n, Some("1"))),
                    ),
                })
                .collect()
        } else if head.contains("depth: 1") {
            let cards =
                (0..300).map(|n| found(&format!("/book/{n}.vcf"), "<resourcetype/><getetag>\"1\"</getetag>"));
            std::iter::once(found("/book/", &book())).chain(cards).collect()
        } else {
            found("/book/", &book())
        };
        let text = format!(
            "<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\" xmlns:S=\"http://calendarserver.org/ns/\">{items}</multistatus>"
        );
        format!("HTTP/1.1 207 Multi\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}", text.len())
            .into_bytes()
    })
}

#[test]
fn an_old_server_is_read_again_when_its_tag_is_another_and_a_bad_card_costs_itself() {
    let yard = Yard::with_names(&[]);
    let tag = Arc::new(Mutex::new("one".to_owned()));
    let server = old_server(Arc::clone(&tag));
    let settings = json!({ "address": format!("http://127.0.0.1:{}/book/", server.port) });
    let file = yard::packed("carddav", "carddav");
    let granted = yard::granted("server", true);
    let plugin = yard.load(file, &yard::object(settings), &granted, Limits::default()).unwrap();
    let first = synced(&plugin, &Directory::default()).unwrap();
    assert_eq!((first.directory.contacts.len(), first.pages), (298, 2));
    let (log, _) = plugin.log();
    assert_eq!(log.iter().filter(|line| line.contains("1 that cannot be read")).count(), 2, "{log:?}");
    let again = synced(&plugin, &first.directory).unwrap();
    assert!(again.directory == first.directory && again.pages == 1);
    "two".clone_into(&mut tag.lock().unwrap());
    assert_eq!(run_case(synced(&plugin, &first.directory)), ("resync-required", Reaction::Resync));
}

/// A server whose list fits into no answer: 450 cards, in the parts that are asked for.
fn large_server() -> Server {
    Server::asked(|head, body| {
        let found = |path: &str, properties: &str| {
            format!(
                "<response><href>{path}</href><propstat><prop>{properties}</prop><status>HTTP/1.1 200 OK</status>\
                 </propstat></response>"
            )
        };
        let between = |start: &str| {
            body.split_once(start).map(|(_, rest)| rest.split('<').next().unwrap_or_default().to_owned())
        };
        let items: String = if body.contains("multiget") {
            let asked = body.split("<D:href>/book/").skip(1).map(|rest| rest.split('.').next().unwrap());
            let data = |n: &str| card("large", n.parse().unwrap(), Some("1"));
            asked
                .map(|n| {
                    found(&format!("/book/{n}.vcf"), &format!("<C:address-data>{}</C:address-data>", data(n)))
                })
                .collect()
        } else if body.contains("sync-collection xmlns") {
            let start: usize = between("<D:sync-token>").and_then(|token| token.parse().ok()).unwrap_or(0);
            let limit: Option<usize> = between("<D:nresults>").and_then(|limit| limit.parse().ok());
            let end = (start + limit.unwrap_or(450)).min(450);
            let cards: String =
                (start..end).map(|n| found(&format!("/book/{n}.vcf"), "<getetag/>")).collect();
            let room = if limit.is_none() && end > start { " ".repeat(5 << 20) } else { String::new() };
            let more = if end < 450 {
                "<response><href>/book/</href><status>HTTP/1.1 507 More</status></response>"
            } else {
                ""
            };
            format!("{cards}{more}<sync-token>{end}</sync-token>{room}")
        } else {
            let reports = "<supported-report-set><supported-report><report><sync-collection/></report>\
                </supported-report></supported-report-set>";
            let is = "<resourcetype><collection/><C:addressbook/></resourcetype><sync-token>450</sync-token>";
            assert!(head.starts_with("PROPFIND "), "{head}");
            found("/book/", &format!("{is}{reports}"))
        };
        let text = format!(
            "<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\">{items}</multistatus>"
        );
        format!("HTTP/1.1 207 Multi\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}", text.len())
            .into_bytes()
    })
}

#[test]
fn a_list_that_fits_into_no_answer_is_read_in_parts() {
    let yard = Yard::with_names(&[]);
    let server = large_server();
    let settings = json!({ "address": format!("http://127.0.0.1:{}/book/", server.port) });
    let file = yard::packed("carddav", "carddav");
    let granted = yard::granted("server", true);
    let plugin = yard.load(file, &yard::object(settings), &granted, Limits::default()).unwrap();
    let first = synced(&plugin, &Directory::default()).unwrap();
    assert_eq!((first.directory.contacts.len(), first.pages), (450, 3));
    // Where it is, all of it once in vain, and then a list and its cards three times.
    assert_eq!(plugin.tally().counters().requests, 1 + 1 + 3 * 2);
    let again = synced(&plugin, &first.directory).unwrap();
    assert!(again.directory == first.directory && again.pages == 1);
}
