//! The connector `microsoft-graph` with the tokens that the host holds for it, against a stand-in for Microsoft Graph
//! and Microsoft Entra: a run in pages, runs of changes, links that are good no more, patience, tokens that end in the
//! middle, and nothing of a secret or a token anywhere. How a person signs in is in `sign_in`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod microsoft;
mod yard;

use std::collections::BTreeSet;
use std::time::Duration;

use microsoft::Microsoft;
use microsoft::entra::{CLIENT, SECRET, TENANT};
use plugin_host::backoff::Standing;
use plugin_host::connector::{Cancel, Connector};
use plugin_host::failure::Failure;
use plugin_host::keeper::{Keeper, Turn};
use plugin_host::limits::Limits;
use plugin_host::manifest::Granted;
use plugin_host::sync::{SyncError, SyncLimits};
use serde_json::{Value, json};
use yard::Yard;

const HOUR: Duration = Duration::from_secs(3600);

fn user(number: usize) -> Value {
    json!({
        "displayName": format!("Person {number:04}"), "givenName": "Person", "surname": format!("{number:04}"),
        "businessPhones": [format!("+41 44 555 {number:04}")], "mobilePhone": null, "accountEnabled": true,
        "mail": format!("p{number}@house.example"), "department": "Reception", "companyName": "House",
    })
}

fn contact(number: usize) -> Value {
    json!({
        "@odata.etag": "W/\"EQAAABY\"", "displayName": format!("Friend {number:02}"), "homePhones": [],
        "businessPhones": [], "mobilePhone": format!("+41 79 555 00 {number:02}"), "personalNotes": "rings twice",
        "emailAddresses": [{"name": "F", "address": format!("f{number}@example.com")}],
    })
}

/// A tenant with so many users, five of them without a number, and thirty contacts in one mailbox.
fn tenant(users: usize) -> (Microsoft, Yard) {
    let server = Microsoft::start(&["graph.example", "login.example"]);
    {
        let mut world = server.world();
        for number in 0..users {
            world.users.add(&format!("u-{number:04}"), user(number));
        }
        for number in 0..5 {
            world
                .users
                .add(&format!("v-{number}"), json!({"displayName": "No Number", "businessPhones": []}));
        }
        for number in 0..30 {
            world.contacts.add(&format!("AAk-{number:02}="), contact(number));
        }
    }
    let names: &[(&str, &[&[&str]])] =
        &[("graph.example", &[&["127.0.0.1"]]), ("login.example", &[&["127.0.0.1"]])];
    let yard = Yard::new(names, vec![server.certificate.clone()]);
    (server, yard)
}

fn settings(server: &Microsoft, more: Value) -> Value {
    let mut settings = json!({
        "tenant": TENANT, "client": CLIENT, "secret": SECRET, "mailboxes": "desk@house.example\n",
        "server": format!("https://graph.example:{}", server.port),
        "authority": format!("https://login.example:{}/", server.port),
    });
    for (key, value) in more.as_object().unwrap() {
        settings[key] = value.clone();
    }
    settings
}

fn granted(ids: &[&str]) -> Granted {
    let net: BTreeSet<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    Granted { loopback: net.clone(), net, private: BTreeSet::new() }
}

fn load_with(yard: &Yard, settings: Value, ids: &[&str]) -> Connector {
    let file = yard::packed("microsoft-graph", "microsoft_graph");
    yard.load(file, &yard::object(settings), &granted(ids), Limits::default()).unwrap()
}

fn load(yard: &Yard, server: &Microsoft, more: Value) -> Connector {
    load_with(yard, settings(server, more), &["graph", "sign-in"])
}

fn keeper(yard: &Yard, plugin: Connector) -> Keeper {
    let kept = yard.scratch.path().join("kept.json");
    Keeper::new(plugin, kept, SyncLimits::default(), Duration::ZERO, HOUR).unwrap()
}

fn said(turn: Turn) -> (&'static str, String) {
    match turn {
        Turn::Failed(SyncError::Call(Failure::Said { case, words, .. })) => (case, words),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_full_run_in_pages_and_then_only_what_has_changed() {
    let (server, yard) = tenant(450);
    let cancel = Cancel::default();
    let plugin = load(&yard, &server, json!({}));
    let words = plugin.check(&cancel).unwrap();
    assert_eq!(words, "more than 100 people of the organisation; 30 people of desk@house.example");
    let mut keeper = keeper(&yard, plugin);
    let whole = Turn::Synced { people: 480, left_out: 0 };
    assert_eq!(keeper.turn(Duration::ZERO, &cancel).unwrap(), whole);
    let people = &keeper.directory().contacts;
    let ann = &people["u-0007"];
    assert_eq!((ann.name.as_str(), ann.phones[0].number.as_str()), ("Person 0007", "+41 44 555 0007"));
    assert_eq!(people["AAk-03="].note.as_deref(), Some("rings twice"));
    // One token for all of it, and each page of a hundred once.
    assert_eq!(server.asked("/house.example/oauth2/v2.0/token"), 1);
    assert_eq!(server.asked("/v1.0/users/delta?$skiptoken="), 4);
    assert!(!server.world().asked.iter().any(|(_, path, _)| path.contains(SECRET)));

    // Nothing has changed: a request a source.
    let before = server.world().asked.len();
    assert_eq!(keeper.turn(HOUR, &cancel).unwrap(), whole);
    assert_eq!(server.world().asked.len() - before, 2);

    // Changed, new, without a number any more, switched off, deleted in both ways.
    {
        let mut world = server.world();
        world.users.change("u-0001", json!({"displayName": "Person Renamed"}));
        world.users.add("u-9000", user(9000));
        world.users.change("u-0002", json!({"businessPhones": []}));
        world.users.change("u-0003", json!({"accountEnabled": false}));
        world.users.remove("u-0004", "changed");
        world.users.remove("u-0005", "deleted");
        world.contacts.remove("AAk-00=", "deleted");
        // Outlook may tell only what has changed.
        world.contacts.tells_parts = true;
        world.contacts.change("AAk-01=", json!({"mobilePhone": "+41 79 555 99 99"}));
    }
    assert_eq!(keeper.turn(HOUR * 2, &cancel).unwrap(), Turn::Synced { people: 476, left_out: 0 });
    let people = &keeper.directory().contacts;
    assert_eq!(people["u-0001"].name, "Person Renamed");
    for gone in ["u-0002", "u-0003", "u-0004", "u-0005", "AAk-00="] {
        assert!(!people.contains_key(gone), "{gone}");
    }
    let friend = &people["AAk-01="];
    assert_eq!((friend.name.as_str(), friend.phones[0].number.as_str()), ("Friend 01", "+41 79 555 99 99"));
    assert_eq!(server.asked("/house.example/oauth2/v2.0/token"), 1, "the token is good for an hour");

    // Pages that are larger than the host takes come in parts.
    server.world().page = 1000;
    let plugin = load(&yard, &server, json!({"mailboxes": ""}));
    let mut whole = Keeper::new(
        plugin,
        yard.scratch.path().join("other.json"),
        SyncLimits::default(),
        Duration::ZERO,
        HOUR,
    )
    .unwrap();
    assert_eq!(whole.turn(Duration::ZERO, &cancel).unwrap(), Turn::Synced { people: 447, left_out: 0 });
}

#[test]
fn a_link_that_is_good_no_more_starts_a_full_run() {
    let (server, yard) = tenant(20);
    let cancel = Cancel::default();
    let mut keeper = keeper(&yard, load(&yard, &server, json!({})));
    assert_eq!(keeper.turn(Duration::ZERO, &cancel).unwrap(), Turn::Synced { people: 50, left_out: 0 });
    {
        let mut world = server.world();
        world.users.remove("u-0004", "deleted");
        world.forgotten = true;
    }
    assert_eq!(said(keeper.turn(HOUR, &cancel).unwrap()).0, "resync-required");
    assert_eq!(keeper.turn(HOUR, &cancel).unwrap(), Turn::Synced { people: 49, left_out: 0 });
    assert!(!keeper.directory().contacts.contains_key("u-0004"));

    // Other mailboxes: what is kept does not fit, and all is read again.
    server.world().forgotten = false;
    let plugin = load(&yard, &server, json!({"mailboxes": ""}));
    let mut again = self::keeper(&yard, plugin);
    assert_eq!(said(again.turn(HOUR, &cancel).unwrap()).0, "resync-required");
    assert!(matches!(again.turn(HOUR, &cancel).unwrap(), Turn::Held { deleted: 30 }));
}

#[test]
fn a_server_that_asks_for_patience_gets_it() {
    let (server, yard) = tenant(250);
    let cancel = Cancel::default();
    let mut keeper = keeper(&yard, load(&yard, &server, json!({})));
    for (status, now) in [(429, 0), (503, 60)] {
        server.world().busy = Some((0, status, 47));
        let now = Duration::from_secs(now);
        assert_eq!(said(keeper.turn(now, &cancel).unwrap()).0, "retry-later");
        assert_eq!(keeper.standing(), Standing::Waiting(now + Duration::from_secs(47)));
    }
    assert_eq!(keeper.turn(HOUR, &cancel).unwrap(), Turn::Synced { people: 280, left_out: 0 });
    // In the middle of a run the host waits for it, and goes on with the same page.
    let before = server.asked("/v1.0/");
    server.world().busy = Some((2, 429, 1));
    let mut long = self::keeper(&yard, load(&yard, &server, json!({"users": true})));
    server.world().forgotten = true;
    assert_eq!(said(long.turn(HOUR, &cancel).unwrap()).0, "resync-required");
    server.world().forgotten = false;
    assert_eq!(long.turn(HOUR, &cancel).unwrap(), Turn::Synced { people: 280, left_out: 0 });
    assert_eq!(server.asked("/v1.0/") - before, 1 + 4 + 1, "the link, the pages, the one that was refused");
    // The token server as well.
    server.world().entra.broken = Some((429, Value::Null));
    let refused = load(&yard, &server, json!({})).check(&cancel).unwrap_err();
    assert!(matches!(refused, Failure::Said { case: "retry-later", .. }), "{refused:?}");
}

#[test]
fn a_token_that_ends_in_the_middle_of_a_run_is_replaced_there() {
    let (server, yard) = tenant(450);
    let cancel = Cancel::default();
    server.world().requests_of_a_token = 2;
    let mut keeper = keeper(&yard, load(&yard, &server, json!({})));
    assert_eq!(keeper.turn(Duration::ZERO, &cancel).unwrap(), Turn::Synced { people: 480, left_out: 0 });
    // Six pages, two a token; each further token comes after one refusal.
    assert_eq!(server.asked("/house.example/oauth2/v2.0/token"), 3);
    assert_eq!(server.asked("/v1.0/"), 6 + 2);

    // One that is over by the server's own word is not sent any more.
    server.world().requests_of_a_token = usize::MAX;
    server.world().entra.lifetime = json!("0");
    let plugin = load(&yard, &server, json!({}));
    let before = server.asked("/v1.0/");
    assert!(plugin.check(&cancel).is_ok());
    assert_eq!(server.asked("/house.example/oauth2/v2.0/token"), 3 + 2, "one a request");
    assert_eq!(server.asked("/v1.0/") - before, 2);

    // A server that takes none at all is asked twice, not for ever.
    server.world().requests_of_a_token = 0;
    let before = server.asked("/v1.0/");
    let refused = plugin.check(&cancel).unwrap_err();
    assert!(
        matches!(&refused, Failure::Said { case: "auth-failed", words, .. } if words.contains("InvalidAuthenticationToken")),
        "{refused:?}"
    );
    assert_eq!(server.asked("/v1.0/") - before, 2);
}

#[test]
fn a_wrong_secret_is_said_in_the_servers_words_and_nobody_is_told_a_token() {
    let (server, yard) = tenant(3);
    let cancel = Cancel::default();
    let said = |plugin: &Connector| match plugin.check(&cancel).unwrap_err() {
        Failure::Said { case, words, .. } => (case, words),
        other => panic!("{other:?}"),
    };
    let wrong = load(&yard, &server, json!({"secret": "wrong-secret-of-the-desk"}));
    let (case, words) = said(&wrong);
    assert_eq!(case, "auth-failed");
    assert!(words.contains("invalid_client: AADSTS7000215: Invalid client secret provided"), "{words}");
    let (case, words) = said(&load(&yard, &server, json!({"client": "nobody"})));
    assert!(case == "auth-failed" && words.contains("AADSTS700016"), "{words}");
    let (case, words) = said(&load(&yard, &server, json!({"secret": ""})));
    assert!(case == "auth-failed" && words.contains("client secret is not filled in"), "{words}");
    assert_eq!(server.asked("/v1.0/"), 0, "nothing is read without a token");

    // A token server that repeats what it was sent, and a Graph that repeats a token.
    let repeats = json!({"error": "invalid_client", "error_description": format!("not {SECRET}")});
    server.world().entra.broken = Some((401, repeats));
    let (_, words) = said(&load(&yard, &server, json!({})));
    assert!(words.contains("not [secret]"), "{words}");
    {
        let mut world = server.world();
        (world.entra.broken, world.repeats_tokens, world.requests_of_a_token) = (None, true, 0);
    }
    let plugin = load(&yard, &server, json!({}));
    let (_, words) = said(&plugin);
    assert!(words.contains("[secret]"), "{words}");
    let given = server.world().entra.given();
    assert!(given.len() >= 2);
    for token in given {
        assert!(!words.contains(&token) && !format!("{:?}", plugin.log()).contains(&token));
    }
    // Nor by a server whose answer has no end.
    server.world().entra.broken = Some((200, json!("x".repeat(100_000))));
    let (case, words) = said(&load(&yard, &server, json!({})));
    assert!(
        case == "unavailable" && words.contains("the token server: an answer of more than 65536"),
        "{words}"
    );
    // Neither from a token server that speaks another language.
    for (status, body) in [
        (200, json!({})),
        (200, json!({"token_type": "Bearer", "access_token": "a\nb"})),
        (302, Value::Null),
        (500, json!("no")),
    ] {
        server.world().entra.broken = Some((status, body));
        let (case, words) = said(&load(&yard, &server, json!({})));
        assert!(case == "unavailable" && words.contains("the token server"), "{case} {words}");
    }
}

#[test]
fn neither_secret_nor_token_goes_where_it_was_not_granted() {
    let (server, yard) = tenant(3);
    let cancel = Cancel::default();
    for ids in [["graph"].as_slice(), &["sign-in"], &[]] {
        let plugin = load_with(&yard, settings(&server, json!({})), ids);
        let refused = plugin.check(&cancel).unwrap_err();
        assert!(matches!(refused, Failure::Said { case: "forbidden", .. }), "{ids:?}: {refused:?}");
    }
    assert_eq!(server.world().asked.len(), 0);
    // A token server that nobody vouches for.
    let liar = Microsoft::start(&["login.example"]);
    let authority = json!({"authority": format!("https://login.example:{}", liar.port)});
    let refused = load(&yard, &server, authority).check(&cancel).unwrap_err();
    assert!(
        matches!(&refused, Failure::Said { case: "unavailable", words, .. } if words.contains("certificate")),
        "{refused:?}"
    );
    assert_eq!(liar.world().asked.len(), 0);
}

#[test]
fn what_the_form_says_wrong_and_what_the_server_denies_is_said_where_it_belongs() {
    let (server, yard) = tenant(3);
    let cancel = Cancel::default();
    for (more, case, part) in [
        (
            json!({"mailboxes": "nobody@house.example"}),
            "misconfigured",
            "mailboxes: nobody@house.example: HTTP status 404: ErrorItemNotFound",
        ),
        (json!({"mailboxes": "me"}), "misconfigured", "mailboxes: me is the person"),
        (json!({"users": false, "mailboxes": ""}), "misconfigured", "nothing is to be read"),
        (json!({"mailboxes": "a b"}), "misconfigured", "the address of a mailbox"),
        (json!({"sign-in": "person"}), "auth-failed", "nobody has signed in"),
    ] {
        let refused = load(&yard, &server, more.clone()).check(&cancel).unwrap_err();
        let Failure::Said { case: said, words, .. } = &refused else { panic!("{refused:?}") };
        assert!(*said == case && words.contains(part), "{more}: {refused:?}");
    }
}
