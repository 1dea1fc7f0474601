//! Damage: files of the registry that are not what they were, clients that do not read or say almost the right
//! thing, servers that never answer. What can be used is used, the rest says why, and nobody else notices.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests; figures for who runs them")]

mod desk;
mod yard;

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use desk::{Client, Daemon, HOSTILE, WEB, loopback};
use ipc::{
    FromPlugins, MAX_FRAME_TO_PLUGINS, PLUGIN_PROTOCOL, PluginAnswer, PluginGrants, PluginProblem,
    PluginRequest, PluginState, ToPlugins, UploadId, encode,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use yard::packed;
use yard::server::{self, Server};

fn with_people(daemon: &Daemon, server: &Server) -> Client {
    let mut client = daemon.follower();
    client.bring(&packed("web-directory", "web_directory"), loopback("server"));
    client.configure(
        WEB,
        json!({"url": format!("http://127.0.0.1:{}/", server.port), "password": "correct-horse"}),
    );
    client.enable(WEB, true);
    client.until(WEB, |view| view.directory.is_some());
    client
}

#[test]
fn damaged_files_are_said_and_what_can_be_mended_is() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start(|_| server::ok(b"name,phone\nAnn Lee,555 0100\n"));
    let daemon = Daemon::start(scratch.path());
    let mut client = with_people(&daemon, &server);
    client.bring(&packed("hostile", "hostile"), PluginGrants::default());
    client.configure(HOSTILE, json!({"behaviour": "well-behaved"}));
    let before = client.view(WEB).directory.unwrap();
    assert!(daemon.end().success());
    let folder = scratch.path().join("state/plugins");

    // The directory is cut: it is fetched again, and nothing else is different.
    let file = folder.join(WEB).join("directory.jsonl");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.follower();
    let view = client.until(WEB, |view| view.directory.is_some());
    assert_eq!(view.directory.unwrap().generation, before.generation);
    assert!(client.lines(WEB).iter().any(|(host, words)| *host && words.contains("damaged")));
    assert!(daemon.end().success());

    // The package is another file than the one that was installed: it does not run, the directory stays.
    let package = fs::read_dir(folder.join(WEB)).unwrap().map(|entry| entry.unwrap().path());
    let package = package.into_iter().find(|path| path.extension().is_some_and(|end| end == "wasm")).unwrap();
    let good = fs::read(&package).unwrap();
    fs::write(&package, packed("hostile", "hostile")).unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.follower();
    let view = client.until(WEB, |view| matches!(view.state, PluginState::Broken { .. }));
    assert!(
        matches!(&view.state, PluginState::Broken { reason } if reason.contains("has changed")),
        "{view:?}"
    );
    assert_eq!(view.directory.unwrap().contacts, 1);
    assert!(daemon.end().success());
    fs::write(&package, good).unwrap();

    // The key is another one: the secrets are entered again.
    fs::write(scratch.path().join("state/key"), [7; 32]).unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.follower();
    let view = client.until(WEB, |view| matches!(view.state, PluginState::Broken { .. }));
    assert!(matches!(&view.state, PluginState::Broken { reason } if reason.contains("secrets")), "{view:?}");
    let url = format!("http://127.0.0.1:{}/", server.port);
    client.configure(WEB, json!({"url": url, "password": "other-horse"}));
    client.until(WEB, |view| matches!(view.state, PluginState::Waiting { next_run_s: 1.. }));
    assert!(daemon.end().success());

    // The record is rubbish: that plugin can be removed, the other is as it was.
    fs::write(folder.join(WEB).join("record.json"), "{\"format\": 1}").unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.follower();
    let view = client.view(WEB);
    assert!(matches!(&view.state, PluginState::Broken { reason } if reason.contains("record")), "{view:?}");
    let form = client.ask(PluginRequest::Form { plugin: WEB.to_owned() });
    assert!(matches!(form, Err(PluginProblem::NotNow(_))), "{form:?}");
    let inspection = client.inspect(&packed("web-directory", "web_directory")).unwrap();
    assert!(matches!(inspection.refused, Some(PluginProblem::NotNow(_))), "no way around the key it had");
    client.done(PluginRequest::Remove { plugin: WEB.to_owned() });
    assert_eq!(client.test(HOSTILE), Ok("still here".to_owned()));
}

#[test]
fn a_request_that_is_never_answered_is_called_off_with_its_plugin() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let server = Server::start(|_| {
        loop {
            std::thread::park();
        }
    });
    let mut client = daemon.follower();
    client.bring(&packed("web-directory", "web_directory"), loopback("server"));
    client.configure(WEB, json!({"url": format!("http://127.0.0.1:{}/", server.port)}));
    client.enable(WEB, true);
    wait_for_a_connection(&server, 0);
    let started = Instant::now();
    client.done(PluginRequest::Remove { plugin: WEB.to_owned() });
    eprintln!("removed in the middle of a request that has no answer, in {:?}", started.elapsed());
    // Called off, not timed out.
    assert!(daemon.log().contains("limit: Cancelled"));
    // The program ends in the middle of one as well.
    let connections = server.connections();
    client.bring(&packed("web-directory", "web_directory"), loopback("server"));
    client.configure(WEB, json!({"url": format!("http://127.0.0.1:{}/", server.port)}));
    client.enable(WEB, true);
    wait_for_a_connection(&server, connections);
    assert!(daemon.end().success());
}

#[test]
fn a_client_that_does_not_read_holds_up_itself_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let server = Server::start(|_| {
        let rows = (0..2000).map(|number| format!("Person {number},{number}\n"));
        let text: String = ["name,phone\n".to_owned()].into_iter().chain(rows).collect();
        server::ok(text.as_bytes())
    });
    let mut client = with_people(&daemon, &server);
    let generation = client.view(WEB).directory.unwrap().generation;
    let mut deaf = UnixStream::connect(daemon.socket()).unwrap();
    deaf.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let say = |message: &ToPlugins| encode(message, MAX_FRAME_TO_PLUGINS).unwrap();
    let hello = ToPlugins::Hello { protocol: PLUGIN_PROTOCOL, program: "deaf".to_owned(), follow: true };
    deaf.write_all(&say(&hello)).unwrap();
    let page = PluginRequest::Contacts { plugin: WEB.to_owned(), generation, offset: 0, limit: 500 };
    let frame = say(&ToPlugins::Request { seq: 1, request: page });
    // Until the program takes no more from it.
    let mut taken = 0;
    while deaf.write_all(&frame).is_ok() {
        taken += 1;
        assert!(taken < 100_000, "it is read without end though it reads nothing");
    }
    for _ in 0..20 {
        client.done(PluginRequest::SyncNow { plugin: WEB.to_owned() });
        assert_eq!(client.contacts(WEB, 500).len(), 2000);
    }
    drop(deaf);
    assert!(daemon.end().success());
}

#[test]
fn words_that_are_almost_right_are_answered_or_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let plugin = || WEB.to_owned();
    let granted = || loopback("server");
    let requests = [
        PluginRequest::List,
        PluginRequest::Upload { bytes: 5 },
        PluginRequest::UploadPart { upload: UploadId(1), offset: 0, base64: "aGVsbG8=".to_owned() },
        PluginRequest::Inspect { upload: UploadId(1) },
        PluginRequest::Install { upload: UploadId(1), granted: granted(), key_confirmed: true },
        PluginRequest::Grant { plugin: plugin(), granted: granted() },
        PluginRequest::Configure {
            plugin: plugin(),
            values: yard::object(json!({"url": 1})),
            interval_s: 3600,
        },
        PluginRequest::Test { plugin: plugin() },
        PluginRequest::Contacts { plugin: plugin(), generation: 1, offset: 0, limit: 500 },
        PluginRequest::Remove { plugin: plugin() },
        // An id that is a way out of the folder names no plugin.
        PluginRequest::Remove { plugin: "../../..".to_owned() },
    ];
    let frames: Vec<Vec<u8>> = requests
        .into_iter()
        .map(|request| encode(&ToPlugins::Request { seq: 1, request }, MAX_FRAME_TO_PLUGINS).unwrap())
        .collect();
    let client = Mutex::new(daemon.client());
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    let which = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), any::<bool>());
    runner
        .run(&which, |(frame, at, byte, replace)| {
            let mut frame = frames[frame.index(frames.len())].clone();
            // Behind the length: with another one, the program waits for the rest.
            let at = 4 + at.index(frame.len() - 4);
            if replace {
                frame[at] = byte;
            } else {
                frame.remove(at);
                let length = u32::try_from(frame.len() - 4).unwrap();
                frame[..4].copy_from_slice(&length.to_be_bytes());
            }
            let mut client = client.lock().unwrap();
            client.say_bytes(&frame);
            if let Some(FromPlugins::Refused { .. }) = client.hear() {
                *client = daemon.client();
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(daemon.client().ask(PluginRequest::List), Ok(PluginAnswer::Plugins(Vec::new())));
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
    assert!(daemon.end().success());
}

/// Waits until the server was connected to more often than `before`.
#[track_caller]
fn wait_for_a_connection(server: &Server, before: usize) {
    let asked = Instant::now();
    while server.connections() <= before {
        assert!(asked.elapsed() < Duration::from_secs(60), "the server is not asked");
        std::thread::sleep(Duration::from_millis(5));
    }
}
