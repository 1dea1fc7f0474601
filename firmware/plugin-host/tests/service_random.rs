//! Any order of what an administrator can do, with the program killed in between, against a model of what must be
//! there: nothing is lost, nothing comes back, nothing is half.
#![allow(clippy::unwrap_used, reason = "tests")]

mod desk;
mod yard;

use std::fs;

use desk::{Client, Daemon, WEB, found_in, loopback};
use ipc::{PluginAnswer, PluginForm, PluginGrants, PluginProblem, PluginRequest};
use plugin_host::package::pack;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use yard::server::{self, Server};

#[derive(Clone, Debug)]
enum Step {
    Install { version: u8, granted: bool },
    Configure(u8),
    ForgetSecret,
    Grant(bool),
    Enable(bool),
    Test,
    Sync,
    RollBack,
    Remove,
    Kill,
    End,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..4_u8, any::<bool>()).prop_map(|(version, granted)| Step::Install { version, granted }),
        3 => any::<u8>().prop_map(Step::Configure),
        1 => Just(Step::ForgetSecret),
        2 => any::<bool>().prop_map(Step::Grant),
        3 => any::<bool>().prop_map(Step::Enable),
        1 => Just(Step::Test),
        1 => Just(Step::Sync),
        2 => Just(Step::RollBack),
        1 => Just(Step::Remove),
        1 => Just(Step::Kill),
        1 => Just(Step::End),
    ]
}

/// What must be there.
#[derive(Clone, Debug, PartialEq)]
struct Model {
    version: u8,
    granted: bool,
    previous: Option<(u8, bool)>,
    user: Option<u8>,
    secret: bool,
    enabled: bool,
}

#[test]
fn whatever_is_done_in_whatever_order_is_there_afterwards() {
    let server = Server::start(|_| server::ok(b"name,phone\nAnn Lee,555 0100\n"));
    let url = format!("http://127.0.0.1:{}/", server.port);
    let files: Vec<Vec<u8>> = (0..4).map(file).collect();
    // What chance would seldom find: a right that was taken away does not come back with the version before.
    let taken_away = vec![
        Step::Install { version: 1, granted: true },
        Step::Configure(1),
        Step::Install { version: 2, granted: true },
        Step::Grant(false),
        Step::Kill,
        Step::RollBack,
        Step::Test,
        Step::RollBack,
    ];
    tried(taken_away, &files, &url);
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    runner
        .run(&proptest::collection::vec(step(), 1..25), |steps| {
            tried(steps, &files, &url);
            Ok(())
        })
        .unwrap();
}

/// Does all of it, and looks after each step.
fn tried(steps: Vec<Step>, files: &[Vec<u8>], url: &str) {
    let scratch = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(scratch.path());
    let mut client = daemon.client();
    let mut model: Option<Model> = None;
    for step in steps {
        match step {
            Step::Kill => {
                daemon.kill();
                daemon = Daemon::start(scratch.path());
                client = daemon.client();
            }
            Step::End => {
                assert!(daemon.end().success());
                daemon = Daemon::start(scratch.path());
                client = daemon.client();
            }
            step => done(&mut client, files, url, &step, &mut model),
        }
        compare(&mut client, &model);
    }
    let left = fs::read_dir(daemon.state().join("plugins")).unwrap().count();
    assert_eq!(left, usize::from(model.is_some()));
    assert!(found_in(scratch.path(), b"hidden-words").is_empty());
}

fn file(version: u8) -> Vec<u8> {
    let text = yard::manifest("web-directory")
        .replace("version = \"0.1.0\"", &format!("version = \"{}\"", name(version)));
    pack(&yard::component("web_directory"), &text).unwrap()
}

fn name(version: u8) -> String {
    format!("0.{version}.0")
}

fn grants(granted: bool) -> PluginGrants {
    if granted { loopback("server") } else { PluginGrants::default() }
}

/// Does it, compares the answer with what the model says, and changes the model.
fn done(client: &mut Client, files: &[Vec<u8>], url: &str, step: &Step, model: &mut Option<Model>) {
    let plugin = || WEB.to_owned();
    let ask = |client: &mut Client, request| client.ask(request).map(|_| ());
    match step {
        Step::Install { version, granted } => {
            let inspection = client.inspect(&files[usize::from(*version)]).unwrap();
            assert_eq!(inspection.installed, model.as_ref().map(|model| name(model.version)));
            let older = model.as_ref().is_some_and(|model| *version < model.version);
            assert_eq!(matches!(inspection.refused, Some(PluginProblem::Downgrade { .. })), older);
            let installed = client.install(inspection.upload, grants(*granted), false);
            assert_eq!(installed.is_ok(), !older, "{installed:?}");
            if older {
                return;
            }
            let before = model.clone();
            let fresh = Model {
                version: 0,
                granted: false,
                previous: None,
                user: None,
                secret: false,
                enabled: false,
            };
            let next = model.get_or_insert(fresh);
            if let Some(before) = before.filter(|before| before.version != *version) {
                next.previous = Some((before.version, before.granted));
            }
            (next.version, next.granted) = (*version, *granted);
        }
        Step::Configure(user) => {
            let values =
                json!({"url": url, "user": user.to_string(), "password": format!("hidden-words-{user}")});
            let answer = client.try_configure(WEB, values).map(|_| ());
            expect(answer, model, |model| {
                (model.user, model.secret) = (Some(*user), true);
                true
            });
        }
        Step::ForgetSecret => {
            let user = model.as_ref().and_then(|model| model.user);
            let values = match user {
                Some(user) => json!({"url": url, "user": user.to_string(), "password": null}),
                None => json!({"password": null}),
            };
            let answer = client.try_configure(WEB, values).map(|_| ());
            expect(answer, model, |model| {
                model.secret &= model.user.is_none();
                model.user.is_some()
            });
        }
        Step::Grant(granted) => {
            let answer = ask(client, PluginRequest::Grant { plugin: plugin(), granted: grants(*granted) });
            expect(answer, model, |model| {
                model.granted = *granted;
                true
            });
        }
        Step::Enable(on) => {
            let answer = ask(client, PluginRequest::Enable { plugin: plugin(), on: *on });
            expect(answer, model, |model| {
                // Without its address it cannot run.
                let can = !on || model.user.is_some();
                model.enabled = if can { *on } else { model.enabled };
                can
            });
        }
        Step::Test => {
            let answer = client.test(WEB).map(|_| ());
            expect(answer, model, |model| model.user.is_some() && model.secret && model.granted);
        }
        Step::Sync => {
            let answer = ask(client, PluginRequest::SyncNow { plugin: plugin() });
            expect(answer, model, |model| model.enabled);
        }
        Step::RollBack => {
            let answer = ask(client, PluginRequest::RollBack { plugin: plugin() });
            expect(answer, model, |model| {
                let Some((version, granted)) = model.previous.take() else { return false };
                // What was taken away since does not come back.
                (model.version, model.granted) = (version, granted && model.granted);
                true
            });
        }
        Step::Remove => {
            let answer = ask(client, PluginRequest::Remove { plugin: plugin() });
            expect(answer, model, |_| true);
            *model = None;
        }
        Step::Kill | Step::End => {}
    }
}

/// Whether it was done or refused, as the model says.
fn expect(
    answer: Result<(), PluginProblem>,
    model: &mut Option<Model>,
    change: impl FnOnce(&mut Model) -> bool,
) {
    match model {
        None => assert_eq!(answer, Err(PluginProblem::NoSuchPlugin)),
        Some(model) => {
            let good = change(model);
            assert_eq!(answer.is_ok(), good, "{answer:?} {model:?}");
        }
    }
}

fn compare(client: &mut Client, model: &Option<Model>) {
    let Ok(PluginAnswer::Plugins(views)) = client.ask(PluginRequest::List) else { panic!("no list") };
    let Some(model) = model else {
        assert_eq!(views, []);
        return;
    };
    let view = &views[0];
    assert_eq!(view.version, name(model.version));
    assert_eq!(view.previous, model.previous.map(|(version, _)| name(version)));
    assert_eq!(view.granted, grants(model.granted));
    assert_eq!(view.enabled, model.enabled);
    let form: PluginForm = match client.ask(PluginRequest::Form { plugin: WEB.to_owned() }) {
        Ok(PluginAnswer::Form(form)) => *form,
        other => panic!("{other:?}"),
    };
    let user = form.values.get("user").map(|user| user.as_str().unwrap().to_owned());
    assert_eq!(user, model.user.map(|user| user.to_string()));
    assert_eq!(form.secrets.is_empty(), !model.secret);
}
