//! Questions over the socket of `frontdesk-plugind` while phones ring: answered from memory where they can be, beside a
//! copy that runs, and by a clear "no" where a plugin does not work.
#![allow(clippy::unwrap_used, reason = "tests")]

mod desk;
mod yard;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use desk::{Client, Daemon, HOSTILE, loopback};
use ipc::{
    PluginAnswer, PluginCard, PluginGrants, PluginItem, PluginParty, PluginProblem, PluginRequest,
    PluginState,
};
use plugin_host::kept::Kept;
use plugin_host::package::pack;
use plugin_host::registry::Registry;
use serde_json::json;
use yard::hostile::finished_call;
use yard::server::{self, Server};

fn caller(number: &str) -> PluginParty {
    PluginParty { numbers: vec![number.to_owned()], name: None }
}

fn resolve(number: &str) -> PluginRequest {
    PluginRequest::Resolve { plugin: HOSTILE.to_owned(), caller: caller(number) }
}

fn cards(client: &mut Client, number: &str) -> Result<Vec<PluginCard>, PluginProblem> {
    match client.ask(resolve(number))? {
        PluginAnswer::Cards(cards) => Ok(cards),
        other => panic!("{other:?}"),
    }
}

fn item(text: &str) -> PluginRequest {
    let item = PluginItem {
        id: "item-1".to_owned(),
        task: true,
        remote: caller("1"),
        subject: Some("17".to_owned()),
        text: text.to_owned(),
        operator: "Front desk".to_owned(),
    };
    PluginRequest::CreateItem { plugin: HOSTILE.to_owned(), item: Box::new(item) }
}

fn log_call(id: &str) -> PluginRequest {
    PluginRequest::LogCall { plugin: HOSTILE.to_owned(), call: Box::new(finished_call(id)) }
}

fn case(answer: Result<PluginAnswer, PluginProblem>) -> String {
    match answer {
        Err(PluginProblem::Failed { case, .. }) => case,
        other => format!("{other:?}"),
    }
}

/// The hostile plugin, behaving like this, enabled, loaded, and its first run over.
fn hostile(client: &mut Client, granted: PluginGrants, settings: serde_json::Value) {
    client.bring(&yard::packed("hostile", "hostile"), granted);
    client.configure(HOSTILE, settings);
    client.enable(HOSTILE, true);
    client.becomes(HOSTILE, |view| {
        view.provides.len() == 4
            && view.counters.calls > 0
            && !matches!(view.state, PluginState::Running { .. })
    });
}

#[test]
fn crm_3_a_customer_is_found_a_call_logged_and_a_note_made() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.client();
    assert_eq!(client.ask(resolve("1")), Err(PluginProblem::NoSuchPlugin));
    client.bring(&yard::packed("hostile", "hostile"), PluginGrants::default());
    assert!(matches!(client.ask(resolve("1")), Err(PluginProblem::NotNow(_))), "not enabled");
    client.configure(HOSTILE, json!({"behaviour": "well-behaved"}));
    client.enable(HOSTILE, true);
    let view = client.becomes(HOSTILE, |view| view.provides.len() == 4);
    assert_eq!(view.provides, ["directory-sync", "crm-resolve", "crm-journal", "crm-items"]);

    let found = cards(&mut client, "+41445550001").unwrap();
    assert_eq!((found[0].name.as_str(), found[0].id.as_str()), ("Zoë Customer", "+41445550001"));
    client.done(log_call("call-1"));
    let page = Some("https://crm.example/item-1".to_owned());
    assert_eq!(client.ask(item("Call back")), Ok(PluginAnswer::Created { url: page }));

    // Questions that are none.
    assert!(matches!(client.ask(item("")), Err(PluginProblem::NotNow(_))));
    assert!(matches!(client.ask(item(&"x".repeat(4001))), Err(PluginProblem::NotNow(_))));
    assert!(matches!(client.ask(log_call("../1")), Err(PluginProblem::NotNow(_))));
    let many = PluginParty { numbers: vec!["1".to_owned(); 9], name: None };
    let many = PluginRequest::Resolve { plugin: HOSTILE.to_owned(), caller: many };
    assert!(matches!(client.ask(many), Err(PluginProblem::NotNow(_))));
    let numbers = vec!["1".to_owned()];
    let look_up = PluginRequest::LookUp { plugin: HOSTILE.to_owned(), numbers };
    assert_eq!(case(client.ask(look_up)), "unsupported");
}

#[test]
fn crm_3_what_a_call_has_changed_outlasts_a_restart() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.client();
    hostile(&mut client, PluginGrants::default(), json!({"behaviour": "well-behaved"}));
    client.done(log_call("call-7"));
    let state = daemon.state();
    assert!(daemon.end().success());
    let (registry, _) = Registry::open(&state).unwrap();
    let kept = Kept::new(registry.directory(HOSTILE), Some(registry.vault())).state().unwrap();
    assert_eq!(kept.get("call-7").map(Vec::as_slice), Some(b"Front desk".as_slice()));
}

#[test]
fn the_same_question_costs_one_request_and_a_server_that_is_down_costs_one_too() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.client();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let server = Server::start(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => server::ok(b"nobody"),
        _ => b"HTTP/1.1 500 Broken\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
    });
    let url = format!("http://127.0.0.1:{}/", server.port);
    // The run of its directory has asked too.
    hostile(&mut client, loopback("any"), json!({"behaviour": "fetch", "url": url}));
    asked.store(0, Ordering::SeqCst);
    for _ in 0..5 {
        assert_eq!(cards(&mut client, "1"), Ok(Vec::new()));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1, "remembered");
    for number in 2..20 {
        assert_eq!(case(client.ask(resolve(&number.to_string()))), "unavailable");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2, "left alone");
    // Somebody has typed a note and waits: it is tried all the same.
    assert_eq!(case(client.ask(item("Note"))), "unavailable");
    assert_eq!(case(client.ask(item("Note"))), "unavailable");
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    assert!(cards(&mut client, "1").is_ok(), "what is remembered is still there");
}

#[test]
fn a_plugin_that_loops_while_it_rings_is_left_alone_and_nobody_else_waits_for_it() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.client();
    hostile(&mut client, PluginGrants::default(), json!({"behaviour": "endless-resolve"}));
    let asked: Vec<u64> = (0..40).map(|number| client.send(resolve(&number.to_string()))).collect();
    // A list is answered at once, whatever runs.
    assert!(matches!(client.ask(PluginRequest::List), Ok(PluginAnswer::Plugins(_))));
    let cases: Vec<String> = asked.into_iter().map(|seq| case(client.answer(seq))).collect();
    let at_limit = |case: &&String| ["cpu", "wall"].contains(&case.as_str());
    assert!(cases.iter().all(|case| ["cpu", "wall", "busy"].contains(&case.as_str())), "{cases:?}");
    assert!(cases.iter().filter(at_limit).count() >= 2, "{cases:?}");
    let view = client.view(HOSTILE);
    assert!(view.counters.calls < 12, "two at once, three crashes: {:?}", view.counters);
    // What it was disabled with is forgotten.
    client.enable(HOSTILE, false);
    assert!(matches!(client.ask(resolve("1")), Err(PluginProblem::NotNow(_))));
}

#[test]
fn questions_are_bounded() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.client();
    hostile(&mut client, PluginGrants::default(), json!({"behaviour": "endless-resolve"}));
    let asked: Vec<u64> = (0..200).map(|number| client.send(resolve(&number.to_string()))).collect();
    let refused =
        asked.into_iter().filter(|seq| matches!(client.answer(*seq), Err(PluginProblem::NotNow(_))));
    assert!(refused.count() > 0);
}

#[test]
fn a_manifest_without_a_directory_that_the_code_has_is_no_lie() {
    // What the code has is offered; what the manifest promises must be there.
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.client();
    let id = "id = \"org.frontdesk.hostile\"";
    let text = yard::manifest("hostile").replace(id, &format!("{id}\nprovides = [\"crm-resolve\"]"));
    let inspection = client.inspect(&pack(&yard::component("hostile"), &text).unwrap()).unwrap();
    assert_eq!((inspection.refused, inspection.provides.len()), (None, 4));
}
