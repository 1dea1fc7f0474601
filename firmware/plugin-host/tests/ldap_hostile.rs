//! Our LDAP connector against servers that lie: each runs into a limit of the host, is said in words, and the
//! host asks a good one afterwards. Some of these bytes make ldap3 panic or fill the memory when it is alone.
#![allow(clippy::unwrap_used, reason = "tests")]

mod yard;

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use plugin_host::connector::{Cancel, Connector};
use plugin_host::failure::Failure;
use plugin_host::limits::Limits;
use plugin_host::sync::{self, Directory, SyncLimits};
use serde_json::json;
use yard::Yard;
use yard::ldap_server::{LdapServer, done, entry, message, reference, tlv};

const SEARCH: u8 = 0x65;
const BIND: u8 = 0x61;
const EXTENDED: u8 = 0x78;

/// A server, what it does, and what the connector says to that: a case and a part of its words.
type Case = (&'static str, fn(&mut TcpStream, u8), &'static str, &'static str);

fn say(stream: &mut TcpStream, bytes: &[u8]) {
    // The host hangs up in the middle: that is what is tested.
    let _ = stream.write_all(bytes);
}

fn flood(stream: &mut TcpStream, bytes: &[u8]) {
    while stream.write_all(bytes).is_ok() {}
}

/// One person, and the code of a limit.
fn cut_short(id: u8, code: u8) -> Vec<u8> {
    let person = entry("cn=Ann", &[("cn", "Ann"), ("mobile", "5550100")]);
    [message(id, &person), message(id, &done(SEARCH, code, ""))].concat()
}

const CASES: &[Case] = &[
    ("an empty sequence", |to, _| say(to, &[0x30, 0]), "protocol", "not an LDAP message"),
    ("an id and no more", |to, id| say(to, &[0x30, 3, 2, 1, id]), "protocol", "not an LDAP message"),
    ("a length without end", |to, _| flood(to, &[0x30, 0x80, 2, 1, 1]), "protocol", "length"),
    (
        "a length of 4 GB",
        |to, _| flood(to, &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
        "protocol",
        "8388608 bytes",
    ),
    ("a length of eight bytes", |to, _| say(to, &[0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 1]), "protocol", "length"),
    ("entries without end", |to, id| flood(to, &message(id, &entry("cn=x", &[]))), "protocol", "entries"),
    (
        "references without end",
        |to, id| flood(to, &message(id, &reference("ldap://x"))),
        "protocol",
        "references",
    ),
    (
        "entries of 3 MB without end",
        |to, id| {
            flood(to, &message(id, &entry("cn=x", &[("cn", &"N".repeat(3 << 20))])));
        },
        "protocol",
        "bytes",
    ),
    (
        "an entry of two million empty values",
        |to, id| {
            let values = tlv(0x31, &[4, 0].repeat(2 << 20));
            let attribute = tlv(0x30, &[tlv(4, b"cn"), values].concat());
            let entry = tlv(0x64, &[tlv(4, b"cn=x"), tlv(0x30, &attribute)].concat());
            say(to, &message(id, &entry));
        },
        "protocol",
        "elements",
    ),
    (
        "a thousand sequences in each other",
        |to, id| {
            let nested = (0..1000).fold(Vec::new(), |inner, _| tlv(0x30, &inner));
            say(to, &message(id, &tlv(0x64, &nested)));
        },
        "protocol",
        "not an LDAP message",
    ),
    (
        "an answer to another question",
        |to, id| say(to, &message(id + 1, &done(SEARCH, 0, ""))),
        "protocol",
        "not asked",
    ),
    (
        "an answer to another operation",
        |to, id| say(to, &message(id, &done(BIND, 0, ""))),
        "protocol",
        "operation",
    ),
    ("a web server", |to, _| say(to, b"HTTP/1.1 400 Bad Request\r\n\r\n"), "protocol", "does not begin"),
    (
        "a server that never answers",
        |_, _| loop {
            thread::park();
        },
        "unavailable",
        "no answer in time",
    ),
    (
        "a byte every tenth of a second",
        |to, id| {
            for byte in message(id, &entry("cn=x", &[("cn", &"N".repeat(9000))])) {
                if to.write_all(&[byte]).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(100));
            }
        },
        "unavailable",
        "no answer in time",
    ),
    (
        "half a message",
        |to, id| {
            let whole = message(id, &entry("cn=x", &[("cn", "Ann")]));
            say(to, &whole[..whole.len() / 2]);
            let _ = to.shutdown(std::net::Shutdown::Both);
        },
        "unavailable",
        "hung up",
    ),
    (
        "a notice that it hangs up",
        |to, _| {
            say(to, &message(0, &done(EXTENDED, 52, "going down")));
        },
        "unavailable",
        "going down",
    ),
    (
        "a referral instead of an answer",
        |to, id| say(to, &message(id, &done(SEARCH, 10, ""))),
        "misconfigured",
        "another one",
    ),
    ("a server that cannot page", |to, id| say(to, &message(id, &done(SEARCH, 12, ""))), "unsupported", "12"),
    (
        "its time is over in the middle of a page",
        |to, id| say(to, &cut_short(id, 3)),
        "unavailable",
        "time was over after 1 entries",
    ),
    ("no more entries for us", |to, id| say(to, &cut_short(id, 4)), "misconfigured", "only 1 entries"),
    ("busy", |to, id| say(to, &message(id, &done(SEARCH, 51, ""))), "retry-later", ""),
    (
        "words of 1 MB",
        |to, id| say(to, &message(id, &done(SEARCH, 80, &"W".repeat(1 << 20)))),
        "protocol",
        "WWWW",
    ),
];

fn load(yard: &Yard, server: &str, more: serde_json::Value) -> Connector {
    let mut settings = yard::object(json!({ "server": server, "base": "dc=x", "encryption": "none" }));
    settings.extend(yard::object(more));
    let file = yard::packed("ldap", "ldap_directory");
    yard.load(file, &settings, &yard::granted("server", true), Limits::default()).unwrap()
}

fn told(result: Result<String, Failure>) -> (&'static str, String) {
    match result {
        Ok(words) => ("success", words),
        Err(Failure::Said { case, words, .. }) => (case, words),
        Err(other) => ("stopped", format!("{other:?}")),
    }
}

#[test]
fn every_lying_server_runs_into_a_limit_and_the_host_asks_a_good_one_afterwards() {
    let yard = Yard::with_names(&[]);
    let good = LdapServer::start(|to, id, _| {
        say(to, &message(id, &entry("cn=Ann", &[("cn", "Ann"), ("mobile", "5550100")])));
        say(to, &message(id, &done(SEARCH, 0, "")));
    });
    let good = load(&yard, &good.url(), json!({}));
    let mut wrong = Vec::new();
    for (name, lie, case, words) in CASES {
        let server = LdapServer::start(move |to, id, _| lie(to, id));
        let said = told(load(&yard, &server.url(), json!({})).check(&Cancel::default()));
        if said.0 != *case || !said.1.contains(words) || said.1.len() > 1000 {
            wrong.push(format!("{name}: {said:?}"));
        }
        let alive = told(good.check(&Cancel::default()));
        assert_eq!(alive, ("success", "1 people".to_owned()), "after {name}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_search_finds_who_came_before_the_servers_time_was_over() {
    let yard = Yard::with_names(&[]);
    let server = LdapServer::start(|to, id, _| say(to, &cut_short(id, 3)));
    let found = load(&yard, &server.url(), json!({})).search("ann", 5, &Cancel::default()).unwrap().unwrap();
    assert_eq!(found.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["Ann"]);
}

#[test]
fn call_5_a_number_is_found_as_it_is_written_where_the_server_compares_letters() {
    let yard = Yard::with_names(&[]);
    let questions = AtomicUsize::new(0);
    // As Active Directory does: nobody has the digits as they stand, some have them in this order.
    let server = LdapServer::start(move |to, id, _| {
        if questions.fetch_add(1, Ordering::SeqCst) > 0 {
            for (name, number) in [("Bo", "+33 1 45 67 21 19 poste 10"), ("Ann", "+33 1 45 67 21 10")] {
                let person = entry(&format!("cn={name}"), &[("cn", name), ("telephoneNumber", number)]);
                say(to, &message(id, &person));
            }
        }
        say(to, &message(id, &done(SEARCH, 0, "")));
    });
    let plugin = load(&yard, &server.url(), json!({}));
    let numbers = ["+33145672110", "0145672110"].map(str::to_owned);
    let found = plugin.lookup(&numbers, 5, &Cancel::default()).unwrap().unwrap();
    assert_eq!(found.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["Ann"]);
}

#[test]
fn dir_7_a_typed_number_is_looked_for_in_parts_only_where_nobody_has_it_as_it_stands() {
    let yard = Yard::with_names(&[]);
    let asked = |answer: fn(&mut TcpStream, u8)| {
        let server = LdapServer::start(move |to, id, _| answer(to, id));
        let plugin = load(&yard, &server.url(), json!({}));
        let found = plugin.search("0145672110", 5, &Cancel::default()).unwrap().unwrap();
        let heard = server.heard();
        // The pieces of a pattern (RFC 4511 section 4.5.1): the number, and each of its digits.
        let has = |piece: &[u8]| heard.windows(piece.len()).any(|seen| seen == piece);
        (found.len(), has(b"0145672110"), has(&[0x81, 1, b'0', 0x81, 1, b'1', 0x81, 1, b'4']))
    };
    assert_eq!(asked(|to, id| say(to, &cut_short(id, 0))), (1, true, false));
    assert_eq!(asked(|to, id| say(to, &message(id, &done(SEARCH, 0, "")))), (0, true, true));
}

#[test]
fn a_referral_that_leads_in_circles_is_counted_and_not_followed() {
    let yard = Yard::with_names(&[]);
    let server = LdapServer::start(|to, id, here| {
        for _ in 0..3 {
            say(to, &message(id, &reference(here)));
        }
        say(to, &message(id, &done(SEARCH, 0, "")));
    });
    let said = told(load(&yard, &server.url(), json!({})).check(&Cancel::default()));
    assert_eq!(said, ("success", "0 people; 3 references to other servers are not followed".to_owned()));
    assert_eq!(server.connections(), 1);
}

#[test]
fn pages_without_end_and_without_people_end() {
    let yard = Yard::with_names(&[]);
    let server = LdapServer::start(|to, id, _| {
        let value = tlv(0x30, &[&[2, 1, 0][..], &tlv(4, b"more")].concat());
        let control = tlv(0x30, &[tlv(4, b"1.2.840.113556.1.4.319"), tlv(4, &value)].concat());
        say(to, &message(id, &[done(SEARCH, 0, ""), tlv(0xa0, &control)].concat()));
    });
    let plugin = load(&yard, &server.url(), json!({}));
    let run =
        sync::run(&plugin, &Directory::default(), &SyncLimits::default(), &Cancel::default(), &mut |_, _| {});
    assert!(run.unwrap_err().to_string().contains("too many empty pages"));
    assert_eq!(server.connections(), 1, "one search, one connection");
}

#[test]
fn starttls_is_not_given_up_and_nothing_said_before_it_counts() {
    let yard = Yard::with_names(&[]);
    let refusing = LdapServer::start(|to, id, _| say(to, &message(id, &done(EXTENDED, 53, "not here"))));
    // Says yes, and in the same breath, in plain text, that there is somebody.
    let injecting = LdapServer::start(|to, id, _| {
        let person = message(2, &entry("cn=Eve", &[("cn", "Eve"), ("mobile", "1")]));
        say(to, &[message(id, &done(EXTENDED, 0, "")), person, message(2, &done(SEARCH, 0, ""))].concat());
    });
    let rubbish = LdapServer::start(|to, _, _| say(to, &[0x30, 0]));
    for (server, case) in [(&refusing, "unavailable"), (&injecting, "unavailable"), (&rubbish, "protocol")] {
        let encrypted = json!({ "encryption": "starttls", "user": "cn=a", "password": "hunter2" });
        let said = told(load(&yard, &server.url(), encrypted).check(&Cancel::default()));
        assert_eq!(said.0, case, "{said:?}");
        assert!(!server.heard().windows(7).any(|seen| seen == b"hunter2"), "the password in plain text");
    }
}

#[test]
fn a_place_that_is_granted_under_two_names_is_signed_in_to_by_either() {
    let yard = Yard::with_names(&[]);
    let messages = AtomicUsize::new(0);
    let server = LdapServer::start(move |to, id, _| match messages.fetch_add(1, Ordering::SeqCst) {
        0 => say(to, &message(id, &done(BIND, 0, ""))),
        _ => {
            say(to, &message(id, &entry("cn=Ann", &[("cn", "Ann"), ("mobile", "5550100")])));
            say(to, &message(id, &done(SEARCH, 0, "")));
        }
    });
    // The more generous grant is not the one that the password is for.
    let other =
        "[[net]]\nid = \"other\"\nfrom-setting = \"server\"\nplain = true\nreason = \"x\"\n\n[[auth]]";
    let text = yard::manifest("ldap").replace("[[auth]]", other);
    let file = plugin_host::package::pack(&yard::component("ldap_directory"), &text).unwrap();
    let settings = yard::object(json!({
        "server": server.url(), "base": "dc=x", "encryption": "none", "user": "cn=a", "password": "hunter2"
    }));
    let mut granted = yard::granted("other", true);
    granted.net.insert("server".to_owned());
    let plugin = yard.load(file, &settings, &granted, Limits::default()).unwrap();
    assert_eq!(told(plugin.check(&Cancel::default())), ("success", "1 people".to_owned()));
}

#[test]
fn a_password_goes_to_the_granted_server_only_and_never_an_empty_one() {
    let yard = Yard::with_names(&[]);
    let server = LdapServer::start(|to, id, _| say(to, &message(id, &done(BIND, 49, "no"))));
    let said = |settings| told(load(&yard, &server.url(), settings).check(&Cancel::default()));
    assert_eq!(said(json!({ "user": "cn=a" })).0, "auth-failed");
    assert_eq!(server.connections(), 0, "an empty password is not even tried");
    let (case, words) = said(json!({ "user": "cn=a", "password": "hunter2" }));
    assert!(case == "auth-failed" && words.contains("refuses the name or the password"), "{words}");
    assert!(server.heard().windows(7).any(|seen| seen == b"hunter2"), "it was the host that sent it");
    // The guest is told neither by its settings nor in words.
    assert!(!words.contains("hunter2"));
}
