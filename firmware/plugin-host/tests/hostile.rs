//! Every hostile plugin, file and server of the catalogue runs into its limit, and the host runs on.
#![allow(clippy::unwrap_used, reason = "tests")]

mod yard;

use plugin_host::connector::Cancel;
use plugin_host::limits::Limits;
use yard::hostile::{self, CASES};
use yard::server::{self, Server};

#[test]
fn every_hostile_plugin_runs_into_its_limit_and_the_host_runs_on() {
    let yard = hostile::yard();
    let mut escaped = Vec::new();
    for case in CASES {
        let outcome = case.try_it(&yard);
        if !outcome.contained {
            escaped.push(format!("{}: expected \"{}\", got \"{}\"", case.name, case.expect, outcome.words));
        }
    }
    assert!(escaped.is_empty(), "{escaped:#?}");
}

#[test]
fn a_call_that_is_stopped_leaves_no_trace_in_the_state_and_the_next_one_runs() {
    let yard = hostile::yard();
    let plugin = yard.hostile("state-flood", "");
    assert!(plugin.check(&Cancel::default()).is_err());
    assert!(plugin.state().is_empty());
}

#[test]
fn the_words_of_a_panic_reach_the_log_for_the_author() {
    let yard = hostile::yard();
    let plugin = yard.hostile("trap-in-call-1", "");
    assert!(plugin.check(&Cancel::default()).is_err());
    let (lines, _) = plugin.log();
    assert!(lines.iter().any(|line| line.contains("the first call")), "{lines:?}");
}

#[test]
fn a_credential_does_not_follow_a_redirect_to_another_place() {
    // Both places are granted, the credential is for the first alone.
    let yard = hostile::yard();
    let second = Server::start(|_| server::ok(b"name,phone\n"));
    let to = format!("http://127.0.0.1:{}/", second.port);
    let first = Server::start(move |_| server::redirect(&to));
    let text = yard::manifest("web-directory")
        .replace("[[auth]]", &format!("[[net]]\nid = \"other\"\nhosts = [\"http://127.0.0.1:{}\"]\nplain = true\nreason = \"x\"\n\n[[auth]]", second.port));
    let file = plugin_host::package::pack(&yard::component("web_directory"), &text).unwrap();
    let url = format!("http://127.0.0.1:{}/list.csv", first.port);
    let settings = yard::object(serde_json::json!({"url": url, "user": "desk", "password": "hunter2"}));
    let mut granted = yard::granted("server", true);
    granted.net.insert("other".to_owned());
    granted.loopback.insert("other".to_owned());
    let plugin = yard.load(file, &settings, &granted, Limits::default()).unwrap();
    assert!(plugin.check(&Cancel::default()).is_ok());
    let sent = |server: &Server| {
        server.heads().iter().any(|head| head.to_lowercase().contains("authorization: basic"))
    };
    assert!(sent(&first) && !sent(&second), "{:?} {:?}", first.heads(), second.heads());
}
