//! People of Microsoft 365 on the desk (DIR-4): the connector `microsoft-graph` in `frontdesk-plugind`, a stand-in for
//! Microsoft Graph and Entra, and callers who are named from what it has. The stand-in is that of the plugin host's own
//! tests.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../firmware/plugin-host/tests/microsoft/mod.rs"]
mod microsoft;

use std::fs;
use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::connectors::PluginHost;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use ipc::{PluginAnswer, PluginGrants, PluginRequest, PluginState, View};
use microsoft::Microsoft;
use microsoft::entra::{CLIENT, Person, SECRET, TENANT};
use serde_json::json;

const GRAPH: &str = "org.frontdesk.microsoft-graph";
/// A connector's run and its copy, in a debug build on a busy machine.
const LATE: Duration = Duration::from_secs(120);

fn has(people: usize) -> impl Fn(&View) -> bool {
    move |view| {
        let kept = view.directories.iter().find(|directory| directory.source.as_deref() == Some(GRAPH));
        kept.is_some_and(|directory| directory.contacts as usize == people)
    }
}

#[test]
fn dir_4_people_and_contacts_of_microsoft_365_name_their_callers() {
    let mut house = House::build(Digest::Md5);
    let server = Microsoft::start(&[]);
    for number in 0..300 {
        let user = json!({
            "displayName": format!("Person {number:03}"), "givenName": "Person", "surname": format!("{number:03}"),
            "businessPhones": [if number == 0 { "2103".to_owned() } else { format!("+41 44 555 {number:04}") }],
        });
        server.world().users.add(&format!("u-{number:03}"), user);
    }
    let friend = json!({"displayName": "Zoë Keller", "givenName": "Zoë", "surname": "Keller",
        "mobilePhone": "+41 79 555 01 02", "emailAddresses": [{"address": "zoe@example.com"}]});
    server.world().contacts.add("AAk=", friend);
    let authority = house.folder().join("microsoft.pem");
    fs::write(&authority, &server.pem).unwrap();
    let host = PluginHost::start(house.folder(), &[authority]);
    let mut client = host.client();
    let net = vec!["graph".to_owned(), "sign-in".to_owned()];
    let granted = PluginGrants { net: net.clone(), private: Vec::new(), loopback: net };
    client.install(&host.packed("microsoft-graph"), granted).unwrap();
    let place = format!("https://localhost:{}", server.port);
    let mut settings = json!({"tenant": TENANT, "client": CLIENT, "secret": SECRET, "server": place,
        "authority": place, "mailboxes": server.world().mailbox});
    client.configure(GRAPH, settings.clone()).unwrap();
    house.client.wait("the people on the desk", LATE, has(301));

    let mut phone = house.phone("2103", 1500.0, Codec::Pcma);
    assert_eq!(house.ring(&mut phone).1.as_deref(), Some("Person 000"));
    let zoe = house.client.contact("zoe keller");
    assert_eq!((zoe.first_name.as_str(), zoe.email.as_str()), ("Zoë", "zoe@example.com"));

    // What has changed there is so here after the next run.
    server.world().users.change("u-000", json!({"displayName": "Person Renamed", "surname": "Renamed"}));
    server.world().users.remove("u-001", "deleted");
    client.ask(PluginRequest::SyncNow { plugin: GRAPH.into() }).unwrap();
    house.client.wait("one of them gone", LATE, has(300));
    assert_eq!(house.ring(&mut phone).1.as_deref(), Some("Person Renamed"));

    // Read for a person instead, who signs in by a code; until then the last good directory stays.
    settings["sign-in"] = json!("person");
    settings["mailboxes"] = json!("me");
    client.configure(GRAPH, settings).unwrap();
    let is_failing = |state: &PluginState| matches!(state, PluginState::Failing { .. });
    client.wait("nobody has signed in", GRAPH, LATE, |plugin| is_failing(&plugin.state));
    assert!(has(300)(&house.client.wait("a view", LATE, |_| true)));
    server.world().entra.person = Person::SignsIn;
    let sign_in = PluginRequest::SignIn { plugin: GRAPH.into(), credential: "person".into() };
    let PluginAnswer::SignIn(code) = client.ask(sign_in).unwrap() else { panic!("no code") };
    assert_eq!(code.code, "FJC3-X5N7");
    server.world().users.remove("u-002", "deleted");
    house.client.wait("the run after the sign-in", LATE, has(299));
}
