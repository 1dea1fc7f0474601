//! The whole life of a plugin over the socket of `frontdesk-plugind`: uploaded, inspected, installed, set up,
//! tested, enabled, copied, read, upgraded, rolled back, removed.
#![allow(clippy::unwrap_used, reason = "tests")]

mod desk;
mod yard;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use desk::{Client, Daemon, HOSTILE, WEB, found_in, loopback, pair, web};
use ipc::{PluginAnswer, PluginGrants, PluginProblem, PluginRequest, PluginSignature, PluginState};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;
use yard::packed;
use yard::server::{self, Server};

fn people(count: usize) -> Vec<u8> {
    let rows = (0..count).map(|number| format!("Person {number:04},555 {number:04}\n"));
    ["name,phone\n,no name\n".to_owned()].into_iter().chain(rows).collect::<String>().into_bytes()
}

fn address(server: &Server) -> String {
    format!("http://127.0.0.1:{}/people.csv", server.port)
}

#[test]
fn a_plugin_lives_its_life() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start_with(scratch.path(), "");
    let mut client = daemon.follower();
    let server = Server::start(|_| {
        // Slow enough for a run to be seen.
        thread::sleep(Duration::from_millis(150));
        server::ok(&people(1000))
    });
    let author = pair();

    // Who made it, and what it asks for.
    let inspection = client.inspect(&web("0.1.0", &author, |text| text)).unwrap();
    assert_eq!(inspection.refused, None);
    assert_eq!((inspection.id.as_str(), inspection.installed), (WEB, None));
    assert_eq!(inspection.signature, PluginSignature::New { key: author.pk.to_base64() });
    assert_eq!(inspection.provides, ["directory-sync"]);
    let right = &inspection.rights[0];
    assert_eq!((right.id.as_str(), right.from_setting.as_deref(), right.new), ("server", Some("url"), false));
    assert_eq!(right.secrets, ["password"]);
    assert_eq!(inspection.settings.len(), 4);

    // The key has to be compared.
    let upload = inspection.upload;
    let none = PluginGrants::default();
    assert_eq!(client.install(upload, none.clone(), false), Err(PluginProblem::NotTrusted));
    let view = client.install(upload, none, true).unwrap();
    assert_eq!((view.enabled, view.state, view.directory), (false, PluginState::Disabled, None));
    assert_eq!(client.install(upload, PluginGrants::default(), true), Err(PluginProblem::NoSuchUpload));

    // It is set up.
    let enable = |on| PluginRequest::Enable { plugin: WEB.to_owned(), on };
    let missing = PluginProblem::Setting { key: "url".to_owned(), problem: "is missing".to_owned() };
    assert_eq!(client.ask(enable(true)), Err(missing.clone()));
    assert_eq!(client.try_configure(WEB, json!({"user": "desk"})), Err(missing));
    let wrong = client.try_configure(WEB, json!({"url": "ftp://x", "password": "never-kept-secret"}));
    assert!(matches!(wrong, Err(PluginProblem::Setting { key, .. }) if key == "url"));
    client.configure(WEB, json!({"url": address(&server), "user": "desk", "password": "correct-horse"}));
    client.configure(WEB, json!({"url": address(&server), "user": "desk"}));
    // The secret does not go to a server for which nobody typed it.
    let elsewhere = client.try_configure(WEB, json!({"url": "https://evil.example/", "user": "desk"}));
    assert_eq!(elsewhere, Err(PluginProblem::SecretAgain { key: "password".to_owned() }));
    let Ok(PluginAnswer::Form(form)) = client.ask(PluginRequest::Form { plugin: WEB.to_owned() }) else {
        panic!("no form")
    };
    assert_eq!(form.secrets, ["password"]);
    assert_eq!(form.values, yard::object(json!({"url": address(&server), "user": "desk"})));

    // Tried: what was not granted is not reached.
    let refused = client.test(WEB).unwrap_err();
    assert!(matches!(refused, PluginProblem::Failed { .. }), "{refused:?}");
    assert_eq!(server.connections(), 0);
    client.done(PluginRequest::Grant { plugin: WEB.to_owned(), granted: loopback("server") });
    assert_eq!(client.test(WEB), Ok("1000 people".to_owned()));
    let basic = "authorization: basic zgvzazpjb3jyzwn0lwhvcnnl";
    assert!(server.heads().iter().any(|head| head.to_lowercase().contains(basic)), "{:?}", server.heads());

    // It runs, and is seen running.
    client.done(enable(true));
    let running = client.until(WEB, |view| matches!(view.state, PluginState::Running { people: 1.., .. }));
    assert!(matches!(running.state, PluginState::Running { total: Some(1000), .. }), "{running:?}");
    let view = client.until(WEB, |view| view.directory.is_some());
    assert!(matches!(view.state, PluginState::Waiting { next_run_s: 3000..=3600 }), "{view:?}");
    let directory = view.directory.unwrap();
    assert_eq!(directory.contacts, 1000);
    let counters = view.counters;
    assert!(counters.calls >= 5 && counters.requests >= 5 && counters.most_memory > 0, "{counters:?}");

    let contacts = client.contacts(WEB, 300);
    assert_eq!(contacts.len(), 1000);
    assert_eq!(contacts[7].name, "Person 0007");
    assert_eq!(contacts[7].phones[0].1, "555 0007");
    let other = PluginRequest::Contacts {
        plugin: WEB.to_owned(),
        generation: directory.generation + 1,
        offset: 0,
        limit: 5,
    };
    assert_eq!(client.ask(other), Err(PluginProblem::Outdated));
    let lines = client.lines(WEB);
    assert!(lines.iter().any(|(host, words)| !host && words.contains("left out")), "{lines:?}");
    assert!(lines.iter().any(|(host, words)| *host && words.contains("1000 people")), "{lines:?}");

    upgraded_and_back(&mut client, &author);
    let last = server.heads().pop().unwrap_or_default().to_lowercase();
    assert!(last.contains(basic), "the secret is still sent after an upgrade and back: {last}");

    // Nothing of the secret anywhere, open or as it is sent.
    assert!(!daemon.log().is_empty());
    for secret in ["correct-horse", "ZGVzazpjb3JyZWN0LWhvcnNl", "never-kept-secret"] {
        assert_eq!(found_in(scratch.path(), secret.as_bytes()), Vec::<std::path::PathBuf>::new());
    }

    // Gone, with all it had.
    client.done(PluginRequest::Remove { plugin: WEB.to_owned() });
    assert_eq!(client.ask(PluginRequest::Form { plugin: WEB.to_owned() }), Err(PluginProblem::NoSuchPlugin));
    assert_eq!(fs::read_dir(daemon.state().join("plugins")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(daemon.state().join("removed")).unwrap().count(), 0);
    assert!(daemon.end().success());
}

fn upgraded_and_back(client: &mut Client, author: &minisign::KeyPair) {
    let more = |text: String| {
        let right =
            "[[net]]\nid = \"more\"\nhosts = [\"https://more.example\"]\nreason = \"More\"\n\n[[auth]]";
        text.replace("[[auth]]", right)
    };
    let inspection = client.inspect(&web("0.2.0", author, more)).unwrap();
    assert_eq!((inspection.signature, inspection.refused), (PluginSignature::Known, None));
    assert_eq!(inspection.installed.as_deref(), Some("0.1.0"));
    let new: Vec<(&str, bool)> =
        inspection.rights.iter().map(|right| (right.id.as_str(), right.new)).collect();
    assert_eq!(new, [("server", false), ("more", true)]);
    // The right that grew is not granted: the request does not say so. What is not asked for, never.
    let mut granted = loopback("server");
    granted.net.push("invented".to_owned());
    granted.private.push("more".to_owned());
    let view = client.install(inspection.upload, granted, false).unwrap();
    assert_eq!((view.version.as_str(), view.previous.as_deref()), ("0.2.0", Some("0.1.0")));
    assert_eq!(view.granted, loopback("server"));
    assert!(view.enabled && view.directory.is_some(), "{view:?}");
    // Settings and the secret are still there.
    assert_eq!(client.test(WEB), Ok("1000 people".to_owned()));

    let older = client.inspect(&web("0.1.0", author, |text| text)).unwrap();
    let downgrade = PluginProblem::Downgrade { installed: "0.2.0".to_owned(), new: "0.1.0".to_owned() };
    assert_eq!(older.refused, Some(downgrade));
    assert_eq!(client.install(older.upload, loopback("server"), true), Err(PluginProblem::NoSuchUpload));
    let stranger = client.inspect(&web("0.3.0", &pair(), |text| text)).unwrap();
    assert_eq!(stranger.signature, PluginSignature::OtherKey);
    assert_eq!(stranger.refused, Some(PluginProblem::NotTrusted));

    client.done(PluginRequest::RollBack { plugin: WEB.to_owned() });
    let view = client.view(WEB);
    assert_eq!((view.version.as_str(), view.previous), ("0.1.0", None));
    assert_eq!(client.test(WEB), Ok("1000 people".to_owned()));
    let again = client.ask(PluginRequest::RollBack { plugin: WEB.to_owned() });
    assert!(matches!(again, Err(PluginProblem::NotNow(_))), "{again:?}");
}

#[test]
fn a_restart_keeps_everything_and_a_run_that_is_killed_leaves_the_last_good_directory() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.follower();
    let (gate, waits) = (Arc::new(std::sync::Mutex::new(())), Arc::default());
    let (passes, waiting): (_, Arc<std::sync::atomic::AtomicUsize>) = (Arc::clone(&gate), Arc::clone(&waits));
    let server = Server::start(move |_| {
        waiting.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        drop(passes.lock());
        server::ok(&people(300))
    });
    client.bring(&packed("web-directory", "web_directory"), loopback("server"));
    client.configure(WEB, json!({"url": address(&server), "user": "desk", "password": "correct-horse"}));
    client.enable(WEB, true);
    let before = client.until(WEB, |view| view.directory.is_some());
    let folder = daemon.state().join("plugins").join(WEB);
    for entry in fs::read_dir(&folder).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(fs::metadata(daemon.state()).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(daemon.end().success());
    assert!(!scratch.path().join("run/plugind.sock").exists());

    // Started again, with the server asleep: all is there before the first run has ended.
    let asleep = gate.lock().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.follower();
    let view = client.until(WEB, |view| matches!(view.state, PluginState::Running { .. }));
    assert_eq!(view.directory, before.directory);
    assert_eq!((view.granted, view.interval_s, view.enabled), (before.granted.clone(), 3600, true));
    assert_eq!(client.contacts(WEB, 500).len(), 300);

    // Killed in the middle of that run.
    let seen = waits.load(std::sync::atomic::Ordering::SeqCst);
    daemon.kill();
    drop(asleep);
    assert!(seen > 0 || waits.load(std::sync::atomic::Ordering::SeqCst) > 0);
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.follower();
    let generation = |view: &ipc::PluginView| view.directory.as_ref().map(|directory| directory.generation);
    assert_eq!(generation(&client.view(WEB)), generation(&before));
    assert_eq!(client.contacts(WEB, 500).len(), 300);
    // The same content once more has the same number.
    let synced = before.directory.as_ref().unwrap().synced_ms;
    let view = client.until(WEB, |view| view.directory.as_ref().is_some_and(|new| new.synced_ms > synced));
    assert_eq!(generation(&view), generation(&before));
    assert_eq!(found_in(scratch.path(), b"correct-horse"), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_run_that_would_delete_much_is_held_until_somebody_says_so() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.follower();
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(100));
    let now = Arc::clone(&count);
    let server = Server::start(move |_| server::ok(&people(now.load(std::sync::atomic::Ordering::SeqCst))));
    client.bring(&packed("web-directory", "web_directory"), loopback("server"));
    client.configure(WEB, json!({"url": address(&server)}));
    let plugin = || WEB.to_owned();
    let not_now = client.ask(PluginRequest::SyncNow { plugin: plugin() });
    assert!(matches!(not_now, Err(PluginProblem::NotNow(_))), "{not_now:?}");
    client.enable(WEB, true);
    client.until(WEB, |view| view.directory.is_some());
    let not_now = client.ask(PluginRequest::AllowToShrink { plugin: plugin() });
    assert!(matches!(not_now, Err(PluginProblem::NotNow(_))), "{not_now:?}");

    count.store(10, std::sync::atomic::Ordering::SeqCst);
    client.done(PluginRequest::SyncNow { plugin: plugin() });
    let held = client.until(WEB, |view| view.state == PluginState::Held { deleted: 90 });
    assert_eq!(held.directory.unwrap().contacts, 100);
    client.done(PluginRequest::AllowToShrink { plugin: plugin() });
    client.until(WEB, |view| view.directory.as_ref().is_some_and(|directory| directory.contacts == 10));
}

#[test]
fn a_secret_that_a_plugin_tells_is_struck_out_wherever_it_goes() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.follower();
    let exposing = yard::manifest("hostile").replace("type = \"secret\"", "type = \"secret\"\nexpose = true");
    let file = plugin_host::package::pack(&yard::component("hostile"), &exposing).unwrap();
    client.bring(&file, PluginGrants::default());
    client.configure(HOSTILE, json!({"behaviour": "secret", "hidden": "correct-horse"}));
    let told = client.test(HOSTILE).unwrap_err();
    let PluginProblem::Failed { case, words } = told else { panic!("{told:?}") };
    assert!(case == "unsupported" && words.contains("[secret]"), "{words}");
    client.enable(HOSTILE, true);
    let view = client.until(HOSTILE, |view| matches!(view.state, PluginState::Failing { .. }));
    assert!(
        matches!(&view.state, PluginState::Failing { next_run_s: None, words, .. } if words.contains("[secret]"))
    );
    assert!(client.lines(HOSTILE).iter().any(|(_, words)| words.contains("[secret]")));
    assert!(!format!("{:?}", client.lines(HOSTILE)).contains("correct-horse"));
    // Another secret, and the old one forgotten.
    client.configure(HOSTILE, json!({"behaviour": "secret", "hidden": null}));
    let told = client.test(HOSTILE).unwrap_err();
    assert!(matches!(&told, PluginProblem::Failed { words, .. } if words.contains("None")), "{told:?}");
    drop(client);
    assert!(daemon.end().success());
    assert_eq!(found_in(scratch.path(), b"correct-horse"), Vec::<std::path::PathBuf>::new());
}

/// A web server with TLS and this certificate.
fn tls(own: &rcgen::CertifiedKey<rcgen::KeyPair>) -> u16 {
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, tcp);
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
                head.push(byte[0]);
            }
            // Who does not trust the certificate hangs up here.
            let _ = stream.write_all(&server::ok(&people(3))).and_then(|()| stream.flush());
        }
    });
    port
}

#[test]
fn an_authority_of_the_company_is_trusted_when_it_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let port = tls(&own);
    let pem = scratch.path().join("company.pem");
    fs::write(&pem, own.cert.pem()).unwrap();

    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.client();
    client.bring(&packed("web-directory", "web_directory"), loopback("server"));
    client.configure(WEB, json!({"url": format!("https://localhost:{port}/people.csv")}));
    let refused = client.test(WEB).unwrap_err();
    assert!(
        matches!(&refused, PluginProblem::Failed { words, .. } if words.contains("certificate")),
        "{refused:?}"
    );
    assert!(daemon.end().success());

    let named = |path: &std::path::Path| format!("developer = true\ncertificates = [\"{}\"]", path.display());
    let daemon = Daemon::start_with(scratch.path(), &named(&pem));
    assert_eq!(daemon.client().test(WEB), Ok("3 people".to_owned()));
    assert!(daemon.end().success());

    // A file without one, and none at all, are said and not passed over.
    let empty = scratch.path().join("empty.pem");
    fs::write(&empty, "nothing").unwrap();
    for (file, words) in [(empty, "no certificate"), (scratch.path().join("gone.pem"), "gone.pem")] {
        assert!(!Daemon::command(scratch.path(), &named(&file)).output().unwrap().status.success());
        let log = fs::read_to_string(scratch.path().join("log")).unwrap();
        assert!(log.lines().last().is_some_and(|line| line.contains(words)), "{log}");
    }
}
