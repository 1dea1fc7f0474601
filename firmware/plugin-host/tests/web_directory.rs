//! Our own connector against lighttpd, a web server that we did not write: CSV with an ETag over HTTP, JSON
//! over HTTPS with a password, a wrong certificate, and a directory that stays when the server dies.
#![allow(clippy::unwrap_used, reason = "tests")]

mod yard;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use plugin_host::backoff::{Reaction, Standing};
use plugin_host::connector::{Cancel, Connector, Next, Start};
use plugin_host::failure::Failure;
use plugin_host::keeper::{Keeper, Turn};
use plugin_host::limits::Limits;
use plugin_host::sync::{PAGE, SyncLimits};
use rustls::pki_types::CertificateDer;
use serde_json::json;
use yard::Yard;
use yard::lighttpd::{Lighttpd, tls_server};

const HOUR: Duration = Duration::from_secs(3600);

fn people(count: usize) -> String {
    let rows = (0..count).map(|n| format!("Person {n};044 555 {n:04}\n"));
    ["Name;Phone\n".to_owned()].into_iter().chain(rows).collect()
}

fn load(yard: &Yard, settings: serde_json::Value) -> Connector {
    let file = yard::packed("web-directory", "web_directory");
    yard.load(file, &yard::object(settings), &yard::granted("server", true), Limits::default()).unwrap()
}

#[test]
fn a_csv_file_is_copied_page_by_page_once_and_the_last_good_one_stays() {
    let yard = Yard::with_names(&[]);
    let server = Lighttpd::start(yard.scratch.path(), "");
    server.put("people.csv", &people(1240));
    let url = format!("http://127.0.0.1:{}/people.csv", server.port);
    let plugin = load(&yard, json!({ "url": url }));
    let cancel = Cancel::default();
    assert_eq!(plugin.check(&cancel).unwrap(), "1240 people");
    let first = plugin.fetch(&Start::Full, PAGE, &cancel).unwrap();
    assert_eq!((first.changes.len(), first.total), (200, Some(1240)));
    assert!(matches!(first.next, Next::More(_)));

    let kept = yard.scratch.path().join("kept/web.json");
    let mut keeper = Keeper::new(plugin, kept.clone(), SyncLimits::default(), Duration::ZERO, HOUR).unwrap();
    let synced = Turn::Synced { people: 1240, left_out: 0 };
    assert_eq!(keeper.turn(Duration::ZERO, &cancel).unwrap(), synced);
    assert_eq!(keeper.directory().contacts["Person 7 044 555 0007"].phones[0].number, "044 555 0007");
    assert_eq!(keeper.turn(HOUR / 2, &cancel).unwrap(), Turn::NotDue);

    // Unchanged: one conditional request, the directory as it was.
    assert!(keeper.directory().token.is_some());
    assert_eq!(keeper.turn(HOUR, &cancel).unwrap(), synced);

    // Changed: the token is given up, the whole file read again.
    server.put("people.csv", &people(1239));
    assert!(matches!(keeper.turn(HOUR * 2, &cancel).unwrap(), Turn::Failed(_)));
    assert_eq!(keeper.turn(HOUR * 2, &cancel).unwrap(), Turn::Synced { people: 1239, left_out: 0 });

    // Most of it gone: held until somebody says so.
    server.put("people.csv", &people(3));
    assert!(matches!(keeper.turn(HOUR * 3, &cancel).unwrap(), Turn::Failed(_)));
    assert_eq!(keeper.turn(HOUR * 3, &cancel).unwrap(), Turn::Held { deleted: 1236 });
    assert_eq!(keeper.directory().contacts.len(), 1239);
    keeper.allow_to_shrink(HOUR * 4);
    assert_eq!(keeper.turn(HOUR * 4, &cancel).unwrap(), Turn::Synced { people: 3, left_out: 0 });

    // The server is dead: the last good directory stays, and is there again after a restart.
    drop(server);
    assert!(matches!(keeper.turn(HOUR * 5, &cancel).unwrap(), Turn::Failed(_)));
    assert_eq!(keeper.directory().contacts.len(), 3);
    assert_eq!(keeper.standing(), Standing::Waiting(HOUR * 5 + Duration::from_secs(15)));
    let plugin = load(&yard, json!({ "url": url }));
    let again = Keeper::new(plugin, kept, SyncLimits::default(), Duration::ZERO, HOUR).unwrap();
    assert_eq!(again.directory(), keeper.directory());
}

#[test]
fn https_is_verified_and_the_password_is_the_hosts() {
    let own = rcgen::generate_simple_self_signed(vec!["directory.example".to_owned()]).unwrap();
    let stranger = rcgen::generate_simple_self_signed(vec!["directory.example".to_owned()]).unwrap();
    let certificate: CertificateDer<'static> = own.cert.der().clone();
    let names: &[(&str, &[&[&str]])] =
        &[("directory.example", &[&["127.0.0.1"]]), ("other.example", &[&["127.0.0.1"]])];
    let yard = Yard::new(names, vec![certificate]);
    let scratch = yard.scratch.path();
    let server = tls_server(scratch, &own);
    server.put("people.json", r#"{"people": [{"id": 1, "name": "Ann Lee", "mobile": "079 555 01 02"}]}"#);
    let cancel = Cancel::default();
    let at = |port: u16, host: &str, password: &str| {
        let url = format!("https://{host}:{port}/people.json");
        load(&yard, json!({ "url": url, "user": "desk", "password": password })).check(&cancel)
    };
    assert_eq!(at(server.port, "directory.example", "correct"), Ok("1 people".to_owned()));
    let wrong = at(server.port, "directory.example", "wrong").unwrap_err();
    assert!(matches!(&wrong, Failure::Said { case: "auth-failed", .. }), "{wrong:?}");
    assert_eq!(wrong.reaction(), Reaction::Blocked);
    // A certificate of another name, and one that nobody vouches for.
    for failure in [at(server.port, "other.example", "correct").unwrap_err(), {
        let other = tempfile::tempdir().unwrap();
        let liar = tls_server(other.path(), &stranger);
        liar.put("people.json", "[]");
        at(liar.port, "directory.example", "correct").unwrap_err()
    }] {
        assert!(
            matches!(&failure, Failure::Said { case: "unavailable", words, .. } if words.contains("certificate")),
            "{failure:?}"
        );
    }
}

#[test]
fn a_directory_that_the_disk_did_not_take_is_used_and_kept_as_soon_as_it_does() {
    let yard = Yard::with_names(&[]);
    let kept = yard.scratch.path().join("kept.json");
    let cancel = Cancel::default();
    let start = |kept: PathBuf| {
        let plugin = yard.hostile("well-behaved", "");
        Keeper::new(plugin, kept, SyncLimits::default(), Duration::ZERO, HOUR).unwrap()
    };
    let mut keeper = start(kept.clone());
    // Something stands where the new file would be written.
    let in_the_way = yard.scratch.path().join("kept.json.part");
    fs::create_dir(&in_the_way).unwrap();
    assert!(keeper.turn(Duration::ZERO, &cancel).is_err());
    assert_eq!(keeper.directory().contacts.len(), 2);
    let again = Duration::from_secs(15);
    assert_eq!(keeper.standing(), Standing::Waiting(again));
    fs::remove_dir(&in_the_way).unwrap();
    // The same people once more: they are not on the disk yet.
    assert_eq!(keeper.turn(again, &cancel).unwrap(), Turn::Synced { people: 2, left_out: 0 });
    assert_eq!(start(kept).directory(), keeper.directory());
}

#[test]
fn a_plugin_that_loops_for_ever_is_suspended_and_the_directory_stays() {
    let yard = Yard::with_names(&[]);
    let limits = Limits { cpu_page: Duration::from_millis(50), ..Limits::default() };
    let kept = yard.scratch.path().join("kept.json");
    let cancel = Cancel::default();
    let good = yard.hostile("well-behaved", "");
    let mut keeper = Keeper::new(good, kept.clone(), SyncLimits::default(), Duration::ZERO, HOUR).unwrap();
    assert_eq!(keeper.turn(Duration::ZERO, &cancel).unwrap(), Turn::Synced { people: 2, left_out: 0 });

    let bad = yard.hostile_with("endless-loop", "", false, limits);
    let mut keeper = Keeper::new(bad, kept, SyncLimits::default(), Duration::ZERO, HOUR).unwrap();
    for now in [0, 15, 45] {
        assert!(matches!(keeper.turn(Duration::from_secs(now), &cancel).unwrap(), Turn::Failed(_)));
    }
    assert_eq!(keeper.standing(), Standing::Suspended(Duration::from_secs(45 + 1800)));
    assert_eq!(keeper.turn(Duration::from_secs(600), &cancel).unwrap(), Turn::NotDue);
    assert_eq!(keeper.directory().contacts.len(), 2);
}
