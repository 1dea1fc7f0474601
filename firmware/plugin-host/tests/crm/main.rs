//! Our own connectors to customer databases, each against a service played as its documentation describes it: who
//! is found and who is not, what is written, that it is written once, and what a refusal means.
#![allow(clippy::unwrap_used, reason = "tests")]

mod check;
mod hubspot;
mod json_server;
mod odoo;
mod rest;
mod salesforce;
mod url;
#[path = "../yard/mod.rs"]
mod yard;

use std::ops::Deref;

use ipc::{PluginCall, PluginCard, PluginItem, PluginParty};
use plugin_host::backoff::Reaction;
use plugin_host::connector::{Cancel, Connector};
use plugin_host::failure::Failure;
use plugin_host::limits::Limits;
use plugin_host::manifest::Granted;
use serde_json::Value;
use yard::Yard;
use yard::api_server::{ApiServer, Asked, Reply, lost, reply};

/// A caller with two spellings.
fn caller() -> PluginParty {
    PluginParty { numbers: vec!["+41445550001".to_owned(), "0445550001".to_owned()], name: None }
}

fn stranger() -> PluginParty {
    PluginParty { numbers: vec!["+41445559999".to_owned(), "0445559999".to_owned()], name: None }
}

fn found(plugin: &Connector, caller: &PluginParty) -> Vec<PluginCard> {
    plugin.resolve(caller, 5, &Cancel::default()).unwrap().unwrap()
}

fn item(id: &str, task: bool, subject: Option<&str>) -> PluginItem {
    PluginItem {
        id: id.to_owned(),
        task,
        remote: caller(),
        subject: subject.map(str::to_owned),
        text: "Call back \"<b>\"\nat nine".to_owned(),
        operator: "Front desk".to_owned(),
    }
}

/// A connector, and the host it lives in.
struct Plugin {
    connector: Connector,
    _yard: Yard,
}

impl Plugin {
    fn load(yard: Yard, folder: &str, settings: &Value, granted: &Granted) -> Self {
        let file = yard::packed(folder, &folder.replace('-', "_"));
        let connector = yard.load(file, &yard::object(settings.clone()), granted, Limits::default()).unwrap();
        Self { connector, _yard: yard }
    }
}

impl Deref for Plugin {
    type Target = Connector;

    fn deref(&self) -> &Connector {
        &self.connector
    }
}

/// A connector whose servers are all on this port, without TLS, whatever their names and ports are.
fn on_stage(port: u16, folder: &str, settings: &Value, net: &str) -> Plugin {
    Plugin::load(Yard::on_stage(port), folder, settings, &yard::granted(net, true))
}

/// Each status means the same to everybody who is asked, and no secret is in the words.
fn refusals(load: impl Fn(u16) -> Plugin) {
    for (status, headers, case, reaction) in [
        (401, "", "auth-failed", Reaction::Blocked),
        (403, "", "forbidden", Reaction::Blocked),
        (404, "", "gone", Reaction::NextRun),
        (429, "retry-after: 17\r\n", "retry-later", Reaction::RetryLater(Some(17))),
        (500, "", "unavailable", Reaction::BackOff),
        (0, "", "unavailable", Reaction::BackOff),
        (200, "", "protocol", Reaction::BackOff),
    ] {
        let server = ApiServer::start(move |_| Reply {
            status,
            headers: headers.to_owned(),
            body: b"<title>Sign in</title> secret".to_vec(),
        });
        let plugin = load(server.port);
        let cancel = Cancel::default();
        let answers = [
            plugin.check(&cancel).map(|_| ()),
            plugin.resolve(&caller(), 5, &cancel).map(|_| ()),
            plugin.log_call(&yard::hostile::finished_call("a-1"), &cancel).map(|_| ()),
            plugin.create_item(&item("b-1", false, None), &cancel).map(|_| ()),
        ];
        for answer in answers {
            let failure = answer.unwrap_err();
            assert_eq!((failure.case(), failure.reaction()), (case, reaction), "{status}: {failure:?}");
            assert!(!failure.words().contains("hush"), "{failure:?}");
        }
        assert!(!server.asked().is_empty());
    }
}

/// Tells a call whose answer is lost, once more as a fresh plugin, and once more to the same.
fn told_thrice(load: impl Fn() -> Plugin, id: &str) {
    let call = PluginCall { remote: caller(), ..yard::hostile::finished_call(id) };
    let cancel = Cancel::default();
    let failure = load().log_call(&call, &cancel).unwrap_err();
    assert!(matches!(failure, Failure::Said { case: "unavailable", .. }), "{failure:?}");
    let plugin = load();
    assert_eq!(plugin.log_call(&call, &cancel), Ok(Some(())));
    assert_eq!(plugin.log_call(&call, &cancel), Ok(Some(())));
}

/// Whether a request has the secret of these tests as its bearer token.
fn is_signed(asked: &Asked) -> bool {
    asked.header("authorization") == Some("Bearer hush")
}
