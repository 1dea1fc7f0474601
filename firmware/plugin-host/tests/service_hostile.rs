//! What goes wrong around `frontdesk-plugind`: files that are no plugins, clients that say rubbish, plugins that
//! loop for ever, programs that are killed. Everybody else notices nothing.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests; figures for who runs them")]

mod desk;
mod yard;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use desk::{Client, Daemon, HOSTILE, WEB, found_in, loopback, pair, web};
use ipc::{
    FromPlugins, MAX_PACKAGE, PluginAnswer, PluginGrants, PluginProblem, PluginRequest, PluginSignature,
    PluginState, ToPlugins,
};
use plugin_host::kept::{Book, Kept, generation};
use plugin_host::package::pack;
use plugin_host::{Contact, Phone};
use serde_json::json;
use yard::server::{self, Server};
use yard::{component, manifest, packed};

fn uploads(daemon: &Daemon) -> usize {
    fs::read_dir(daemon.state().join("uploads")).unwrap().count()
}

#[test]
fn files_that_are_no_plugins_are_refused_with_a_reason() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let whole = packed("web-directory", "web_directory");
    let bomb = [b"PK\x03\x04".as_slice(), &[0; 100_000]].concat();
    for (file, reason) in [
        (bomb, "not a WebAssembly file"),
        (b"#!/bin/sh\n".to_vec(), "not a WebAssembly file"),
        (whole[..whole.len() / 2].to_vec(), "cut off"),
        (b"\0asm\x01\0\0\0".to_vec(), "a core module"),
        (b"\0asm\x0d\0\x01\0".to_vec(), "no manifest"),
        (pack(&component("web_directory"), "manifest = 7").unwrap(), "manifest"),
    ] {
        let refused = daemon.client().inspect(&file).unwrap_err();
        assert!(
            matches!(&refused, PluginProblem::NotAPlugin(words) if words.contains(reason)),
            "{refused:?}"
        );
    }
    // A manifest that can be read, around code that is not what it says.
    let promise = |text: String| {
        let id = format!("id = \"{WEB}\"");
        text.replace(&id, &format!("{id}\nprovides = [\"directory-lookup\"]"))
    };
    let lying = pack(&component("web_directory"), &promise(manifest("web-directory"))).unwrap();
    let broken = [b"\0asm\x0d\0\x01\0".as_slice(), &[1, 12], &[0xff; 12]].concat();
    let broken = pack(&broken, &manifest("web-directory")).unwrap();
    for (file, reason) in [(lying, "its code does not"), (broken, "not a valid component")] {
        let mut client = daemon.client();
        let inspection = client.inspect(&file).unwrap();
        assert_eq!(inspection.id, WEB);
        let refused = &inspection.refused;
        assert!(
            matches!(refused, Some(PluginProblem::NotAPlugin(words)) if words.contains(reason)),
            "{refused:?}"
        );
        let installed = client.install(inspection.upload, loopback("server"), true);
        assert_eq!(installed, Err(PluginProblem::NoSuchUpload));
    }
    // What was never inspected is not installed.
    let mut client = daemon.client();
    let upload = client.upload(&whole);
    assert!(matches!(client.install(upload, loopback("server"), true), Err(PluginProblem::NotNow(_))));
    assert_eq!(fs::read_dir(daemon.state().join("plugins")).unwrap().count(), 0);
}

#[test]
fn only_a_whole_and_signed_file_without_the_developers_switch() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start_with(scratch.path(), "");
    let mut client = daemon.client();
    let unsigned = client.inspect(&packed("web-directory", "web_directory")).unwrap();
    assert_eq!(unsigned.signature, PluginSignature::None);
    assert_eq!(unsigned.refused, Some(PluginProblem::NotTrusted));
    let mut file = web("0.1.0", &pair(), |text| text);
    file[2000] ^= 1;
    let broken = client.inspect(&file).unwrap();
    assert_eq!(broken.signature, PluginSignature::Broken);
    assert_eq!(broken.refused, Some(PluginProblem::NotTrusted));
}

#[test]
fn uploads_are_bounded_in_order_and_gone_with_their_connection() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.client();
    assert_eq!(client.begin(500 << 20), Err(PluginProblem::TooLarge));
    assert_eq!(client.begin(MAX_PACKAGE + 1), Err(PluginProblem::TooLarge));
    let upload = client.begin(10).unwrap();
    assert_eq!(client.part(upload, 5, b"late"), Err(PluginProblem::NoSuchUpload));
    assert_eq!(client.part(upload, 0, b"in"), Ok(PluginAnswer::Done));
    assert_eq!(client.part(upload, 0, b"in"), Err(PluginProblem::NoSuchUpload));
    assert_eq!(client.ask(PluginRequest::Inspect { upload }), Err(PluginProblem::NoSuchUpload));
    assert_eq!(client.part(upload, 2, b"more than it said"), Err(PluginProblem::TooLarge));
    assert_eq!(client.part(upload, 2, b"after"), Err(PluginProblem::NoSuchUpload));
    assert_eq!(uploads(&daemon), 0);

    // Two at a time, and none of another connection.
    let (first, _) = (client.begin(1 << 20).unwrap(), client.begin(1 << 20).unwrap());
    assert!(matches!(client.begin(1), Err(PluginProblem::NotNow(_))));
    assert_eq!(client.part(first, 0, &[0; 1000]), Ok(PluginAnswer::Done));
    assert_eq!(daemon.client().part(first, 1000, &[0; 1000]), Err(PluginProblem::NoSuchUpload));
    assert_eq!(uploads(&daemon), 2);
    // One that is whole makes room: who brought it has left.
    assert_eq!(client.part(first, 1000, &[0; 1000]), Ok(PluginAnswer::Done));
    let rest = vec![0; (1 << 20) - 2000];
    for (number, part) in rest.chunks(500_000).enumerate() {
        assert_eq!(client.part(first, 2000 + number as u64 * 500_000, part), Ok(PluginAnswer::Done));
    }
    client.begin(1 << 20).unwrap();
    assert_eq!(client.part(first, 1 << 20, b""), Err(PluginProblem::NoSuchUpload));
    assert_eq!(uploads(&daemon), 2);
    drop(client);
    let started = Instant::now();
    while uploads(&daemon) > 0 {
        assert!(started.elapsed().as_secs() < 60, "an interrupted upload stays");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // And none after the program was killed in the middle of one.
    let mut client = daemon.client();
    client.begin(1 << 20).unwrap();
    daemon.kill();
    let daemon = Daemon::start(scratch.path());
    assert_eq!(uploads(&daemon), 0);
}

#[test]
fn clients_that_say_rubbish_lose_their_connection_and_nobody_else_does() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mode = fs::metadata(daemon.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    assert_eq!(fs::metadata(daemon.state().join("key")).unwrap().permissions().mode() & 0o777, 0o600);
    let mut good = daemon.client();
    let refused = |client: &mut Client| {
        let reason = match client.hear() {
            Some(FromPlugins::Refused { reason }) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(client.hear(), None);
        reason
    };
    let say = |text: &[u8]| [&u32::try_from(text.len()).unwrap().to_be_bytes(), text].concat();
    for rubbish in [say(b"hi"), say(b"{\"Hello\":1}"), say(b"\xff\xfe"), vec![0xff; 8]] {
        // As the first frame, and after a greeting.
        let mut client = Client::bare(&daemon.socket());
        client.say_bytes(&rubbish);
        refused(&mut client);
        let mut client = daemon.client();
        client.say_bytes(&rubbish);
        refused(&mut client);
    }
    let hello = |protocol| ToPlugins::Hello { protocol, program: "old".to_owned(), follow: false };
    let mut old = Client::bare(&daemon.socket());
    old.say(&hello(7));
    assert!(refused(&mut old).contains("protocol 7"));
    let mut rude = Client::bare(&daemon.socket());
    rude.say(&ToPlugins::Request { seq: 1, request: PluginRequest::List });
    assert!(refused(&mut rude).contains("Hello"));
    assert_eq!(good.ask(PluginRequest::List), Ok(PluginAnswer::Plugins(Vec::new())));

    // Eight at once; a ninth is told so, and has a place when another has gone.
    drop(good);
    let mut clients = Vec::new();
    let started = Instant::now();
    while clients.len() < 8 {
        assert!(started.elapsed().as_secs() < 60, "places of clients that have gone are not free");
        let mut client = Client::bare(&daemon.socket());
        client.say(&hello(ipc::PLUGIN_PROTOCOL));
        if matches!(client.hear(), Some(FromPlugins::Welcome { .. })) {
            clients.push(client);
        }
    }
    let mut ninth = Client::bare(&daemon.socket());
    assert!(refused(&mut ninth).contains('8'));
    for client in &mut clients {
        assert_eq!(client.ask(PluginRequest::List), Ok(PluginAnswer::Plugins(Vec::new())));
    }
}

#[test]
fn a_second_program_is_refused_and_does_no_harm() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let second = Daemon::command(scratch.path(), "").output().unwrap();
    assert!(!second.status.success());
    assert!(daemon.log().contains("another frontdesk-plugind uses"), "{}", daemon.log());
    // On the same socket with a state of its own.
    let config = scratch.path().join("other.toml");
    let text =
        format!("state = \"{0}/other\"\nsocket = \"{0}/run/plugind.sock\"\n", scratch.path().display());
    fs::write(&config, text).unwrap();
    let second = std::process::Command::new(desk::PLUGIND).arg("serve").arg(&config).output().unwrap();
    let words = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && words.contains("another program listens"), "{words}");
    assert_eq!(daemon.client().ask(PluginRequest::List), Ok(PluginAnswer::Plugins(Vec::new())));
    assert!(daemon.end().success());
    // A file in place of the socket is left alone.
    let path = scratch.path().join("run/plugind.sock");
    fs::write(&path, "mine").unwrap();
    assert!(!Daemon::command(scratch.path(), "").output().unwrap().status.success());
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn a_plugin_that_loops_for_ever_holds_up_nobody() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.follower();
    let server = Server::start(|_| server::ok(b"name,phone\nAnn Lee,555 0100\n"));
    client.bring(&packed("web-directory", "web_directory"), loopback("server"));
    client.configure(WEB, json!({"url": format!("http://127.0.0.1:{}/", server.port)}));
    client.bring(&packed("hostile", "hostile"), PluginGrants::default());
    client.configure(HOSTILE, json!({"behaviour": "endless-loop"}));
    client.enable(HOSTILE, true);
    client.until(HOSTILE, |view| matches!(view.state, PluginState::Running { .. }));

    // While it loops: everything about the other one, and a list.
    let loops = |client: &mut Client| matches!(client.view(HOSTILE).state, PluginState::Running { .. });
    let started = Instant::now();
    let mut longest = std::time::Duration::ZERO;
    client.enable(WEB, true);
    client.until(WEB, |view| view.directory.is_some());
    assert_eq!(client.contacts(WEB, 10).len(), 1);
    for _ in 0..50 {
        let asked = Instant::now();
        client.view(WEB);
        longest = longest.max(asked.elapsed());
    }
    let took = started.elapsed();
    assert!(loops(&mut client), "all of this was within its five seconds: {took:?}");
    eprintln!(
        "beside a plugin that loops: enabled, copied, read and listed 50 times in {took:?}, longest answer {longest:?}"
    );

    // A test of it waits for its limit, and the answers of later requests do not.
    let test = client.send(PluginRequest::Test { plugin: HOSTILE.to_owned() });
    let list = client.send(PluginRequest::List);
    assert!(client.answer(list).is_ok());
    let Err(PluginProblem::Failed { case, .. }) = client.answer(test) else { panic!("it was not stopped") };
    // On a machine that is busy with others it may not get its half second within two and a half.
    assert!(["cpu", "wall"].contains(&case.as_str()), "{case}");

    // Left alone, it runs into its limit; the state says so.
    let failing =
        |view: &ipc::PluginView| matches!(&view.state, PluginState::Failing { case, .. } if case == "cpu");
    let view = client.until(HOSTILE, failing);
    assert!(view.counters.failures > 0 && view.counters.longest_cpu_ms >= 400, "{:?}", view.counters);
    assert!(client.lines(HOSTILE).iter().any(|(host, words)| *host && words.contains("cpu")));

    // Disabled in the middle of its loop, with a test under way: both are called off.
    client.done(PluginRequest::SyncNow { plugin: HOSTILE.to_owned() });
    client.until(HOSTILE, |view| matches!(view.state, PluginState::Running { .. }));
    assert!(!daemon.log().contains("limit: Cancelled"));
    client.enable(HOSTILE, false);
    assert_eq!(client.view(HOSTILE).state, PluginState::Disabled);
    client.enable(HOSTILE, true);
    client.until(HOSTILE, |view| matches!(view.state, PluginState::Running { .. }));
    client.done(PluginRequest::Remove { plugin: HOSTILE.to_owned() });
    assert_eq!(fs::read_dir(daemon.state().join("plugins")).unwrap().count(), 1);
    let log = daemon.log();
    let called_off = |line: &&str| line.contains("a call failed") && line.contains("limit: Cancelled");
    assert_eq!(log.lines().filter(called_off).count(), 2, "called off both times, not at its limit");
    assert!(daemon.end().success());
}

#[test]
fn a_hundred_thousand_contacts_are_read_in_two_hundred_pages() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    daemon.client().bring(&packed("web-directory", "web_directory"), loopback("server"));
    assert!(daemon.end().success());
    let contact = |number: u32| {
        let id = format!("{number:06}");
        let phones = vec![Phone { kind: "work".to_owned(), number: format!("044 555 {number:06}") }];
        let contact = Contact {
            name: format!("Person {number}"),
            id: id.clone(),
            phones,
            organization: Some("Example Works".to_owned()),
            department: None,
            title: None,
            emails: vec![format!("{number}@example.com")],
            note: None,
            url: None,
            extra: Vec::new(),
        };
        (id, Arc::new(contact))
    };
    let people: BTreeMap<_, _> = (0..100_000).map(contact).collect();
    let kept = Kept::new(scratch.path().join(format!("state/plugins/{WEB}/directory.jsonl")), None);
    let number = generation(&people);
    kept.keep_people(number, &people).unwrap();
    kept.keep_book(&Book { generation: number, synced_ms: 1, ..Book::default() }).unwrap();

    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.client();
    assert_eq!(client.view(WEB).directory.unwrap().generation, number);
    let started = Instant::now();
    let contacts = client.contacts(WEB, 500);
    eprintln!("100,000 contacts in 200 pages: {:?}, both ends unoptimised", started.elapsed());
    let mut raw = daemon.client();
    let started = Instant::now();
    let bytes: usize = (0..200)
        .map(|page| {
            let request = PluginRequest::Contacts {
                plugin: WEB.to_owned(),
                generation: number,
                offset: page * 500,
                limit: 500,
            };
            raw.send(request);
            raw.skip()
        })
        .sum();
    eprintln!("the same, {bytes} bytes, counted and not read: {:?}", started.elapsed());
    assert!(contacts.iter().map(|contact| &contact.id).eq(people.keys()));
    // Beyond the end is nothing, and more than a page is not to be had.
    let mut page = |offset, limit| {
        let request = PluginRequest::Contacts { plugin: WEB.to_owned(), generation: number, offset, limit };
        let Ok(PluginAnswer::Contacts(page)) = client.ask(request) else { panic!("no page") };
        (page.contacts.len(), page.total)
    };
    assert_eq!(page(99_999, 500), (1, 100_000));
    assert_eq!(page(u32::MAX, 500), (0, 100_000));
    assert_eq!(page(0, u32::MAX), (500, 100_000));
}

#[test]
fn killed_while_settings_change_they_are_the_old_or_the_new_with_the_secret_of_the_same_moment() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start(|_| server::ok(b"name,phone\nAnn Lee,555 0100\n"));
    let url = format!("http://127.0.0.1:{}/", server.port);
    let daemon = Daemon::start(scratch.path());
    daemon.client().bring(&packed("web-directory", "web_directory"), loopback("server"));
    drop(daemon);
    let mut number = 0;
    for round in 0..6_u32 {
        let daemon = Daemon::start(scratch.path());
        let mut client = daemon.client();
        let mut acknowledged = number;
        // Killed at another place each time: so many answers, then one request more under way.
        for _ in 0..=round {
            number += 1;
            let settings = json!({"url": url, "user": format!("user-{number}"), "password": format!("hidden-words-{number}")});
            client.configure(WEB, settings);
            acknowledged = number;
        }
        number += 1;
        let values = json!({"url": url, "user": format!("user-{number}"), "password": format!("hidden-words-{number}")});
        client.send(PluginRequest::Configure {
            plugin: WEB.to_owned(),
            values: yard::object(values),
            interval_s: 3600,
        });
        std::thread::sleep(std::time::Duration::from_millis(u64::from(round) * 3));
        daemon.kill();

        let daemon = Daemon::start(scratch.path());
        let mut client = daemon.client();
        assert_eq!(client.test(WEB), Ok("1 people".to_owned()));
        let sent = server.heads().pop().unwrap().to_lowercase();
        let sign = |number: u32| {
            use base64::Engine as _;
            let pair = format!("user-{number}:hidden-words-{number}");
            base64::engine::general_purpose::STANDARD.encode(pair).to_lowercase()
        };
        assert!((acknowledged..=number).any(|number| sent.contains(&sign(number))), "{acknowledged}: {sent}");
        let left = fs::read_dir(daemon.state().join("plugins").join(WEB)).unwrap().count();
        assert_eq!(left, 3, "record, package, secrets");
    }
    assert_eq!(found_in(scratch.path(), b"hidden-words-"), Vec::<PathBuf>::new());
}
