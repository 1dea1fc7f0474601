//! A new version takes the place of one that works only if it works too, and for good only after an hour.
#![allow(clippy::unwrap_used, reason = "tests")]

mod desk;
mod yard;

use desk::{Client, Daemon, HOSTILE};
use ipc::{PluginAnswer, PluginGrants, PluginItem, PluginParty, PluginProblem, PluginRequest, PluginState};
use plugin_host::package::pack;
use serde_json::json;
use yard::{component, manifest};

/// The hostile plugin in this version, which behaves like this where nothing else is set.
fn version(version: &str, behaviour: &str) -> Vec<u8> {
    let text = manifest("hostile")
        .replace("\"0.1.0\"", &format!("\"{version}\""))
        .replace("required = true", &format!("default = \"{behaviour}\""));
    pack(&component("hostile"), &text).unwrap()
}

fn running(client: &mut Client) {
    client.bring(&version("0.1.0", "well-behaved"), PluginGrants::default());
    client.enable(HOSTILE, true);
    client.becomes(HOSTILE, |view| view.directory.is_some());
}

fn upgrade(client: &mut Client, file: &[u8]) -> Result<(), PluginProblem> {
    let inspection = client.inspect(file)?;
    assert_eq!(inspection.refused, None);
    client.install(inspection.upload, PluginGrants::default(), true).map(drop)
}

fn note() -> PluginRequest {
    let item = PluginItem {
        id: "note-1".to_owned(),
        task: false,
        remote: PluginParty::default(),
        subject: None,
        text: "Note".to_owned(),
        operator: "Desk".to_owned(),
    };
    PluginRequest::CreateItem { plugin: HOSTILE.to_owned(), item: Box::new(item) }
}

#[test]
fn app_1_a_version_that_crashes_in_its_test_never_takes_the_place_of_one_that_works() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.client();
    running(&mut client);
    let refused = upgrade(&mut client, &version("0.2.0", "trap-in-call-1")).unwrap_err();
    assert!(matches!(&refused, PluginProblem::Failed { case, .. } if case == "trap"), "{refused:?}");
    let view = client.view(HOSTILE);
    assert_eq!((view.version.as_str(), view.previous.clone()), ("0.1.0", None));
    assert!(matches!(view.state, PluginState::Waiting { .. }), "{view:?}");
    // One whose server is down is no worse than the one before.
    upgrade(&mut client, &version("0.2.0", "fetch")).unwrap();
    assert_eq!(client.view(HOSTILE).version, "0.2.0");
    // One that needs other settings comes, and says what it waits for.
    let mut text = manifest("hostile").replace("\"0.1.0\"", "\"0.3.0\"");
    text += "\n[[settings]]\nkey = \"more\"\ntype = \"text\"\nlabel = { en = \"M\" }\nrequired = true\n";
    upgrade(&mut client, &pack(&component("hostile"), &text).unwrap()).unwrap();
    let view = client.becomes(HOSTILE, |view| matches!(view.state, PluginState::Broken { .. }));
    assert_eq!((view.version.as_str(), view.previous.as_deref()), ("0.3.0", Some("0.2.0")));
}

#[test]
fn app_1_a_version_that_is_suspended_in_its_first_hour_is_taken_back() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.client();
    running(&mut client);
    // Its test passes, and it traps where it matters.
    client.configure(HOSTILE, json!({"behaviour": "well-behaved", "url": "https://one.example/"}));
    let text = manifest("hostile").replace("\"0.1.0\"", "\"0.2.0\"");
    let other = text
        .replace("key = \"url\"", "key = \"address\"")
        .replace("from-setting = \"url\"", "from-setting = \"address\"");
    upgrade(&mut client, &pack(&component("hostile"), &other).unwrap()).unwrap();
    // What is set up now does not know the setting of the version before.
    client.configure(HOSTILE, json!({"behaviour": "trap-in-notes"}));
    client.becomes(HOSTILE, |view| view.version == "0.2.0" && view.provides.len() == 4);
    for _ in 0..3 {
        assert!(matches!(client.ask(note()), Err(PluginProblem::Failed { .. })));
    }
    let view = client.becomes(HOSTILE, |view| view.version == "0.1.0");
    assert_eq!(view.previous, None);
    let Ok(PluginAnswer::Form(form)) = client.ask(PluginRequest::Form { plugin: HOSTILE.to_owned() }) else {
        panic!("no form")
    };
    assert_eq!(form.values.get("url"), Some(&json!("https://one.example/")), "{:?}", form.values);
    assert!(client.lines(HOSTILE).iter().any(|(host, words)| *host && words.contains("taken back")));
    // Set to what the later version was set to, it does the same; the setting is shared.
    client.configure(HOSTILE, json!({"behaviour": "well-behaved"}));
    client.becomes(HOSTILE, |view| view.provides.len() == 4);
    assert!(matches!(client.ask(note()), Ok(PluginAnswer::Created { .. })));
}

#[test]
fn a_version_that_was_always_there_stays_whatever_it_does() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    let mut client = daemon.client();
    client.bring(&version("0.1.0", "trap-in-notes"), PluginGrants::default());
    client.enable(HOSTILE, true);
    client.becomes(HOSTILE, |view| view.provides.len() == 4);
    for _ in 0..3 {
        assert!(client.ask(note()).is_err());
    }
    assert_eq!(client.view(HOSTILE).version, "0.1.0");
    client.configure(HOSTILE, json!({"behaviour": "well-behaved"}));
    client.becomes(HOSTILE, |view| view.provides.len() == 4);
    assert!(client.ask(note()).is_ok());
}
