//! Somebody signs in for a plugin by a code, from the button to the contacts: over the socket of `frontdesk-plugind`,
//! against a stand-in for Microsoft Entra and Graph. Refresh tokens that are replaced, taken back, kept over a restart,
//! forgotten; and nothing of them anywhere.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod desk;
mod microsoft;
mod yard;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use desk::{Client, Daemon, found_in};
use ipc::{PluginAnswer, PluginGrants, PluginProblem, PluginRequest, PluginSignInState, PluginState};
use microsoft::Microsoft;
use microsoft::entra::{CLIENT, Person, SECRET, TENANT};
use serde_json::json;

const GRAPH: &str = "org.frontdesk.microsoft-graph";

fn start(scratch: &Path, server: &Microsoft) -> Daemon {
    let pem = scratch.join("authority.pem");
    fs::write(&pem, &server.pem).unwrap();
    Daemon::start_with(scratch, &format!("developer = true\ncertificates = [\"{}\"]", pem.display()))
}

fn friends(count: usize) -> Microsoft {
    let server = Microsoft::start(&[]);
    for number in 0..count {
        let contact =
            json!({"displayName": format!("Friend {number}"), "mobilePhone": format!("555 01 {number:02}")});
        server.world().contacts.add(&format!("AAk-{number}"), contact);
    }
    server
}

fn bring(client: &mut Client, server: &Microsoft) {
    let net = vec!["graph".to_owned(), "sign-in".to_owned()];
    let granted = PluginGrants { loopback: net.clone(), net, private: Vec::new() };
    client.bring(&yard::packed("microsoft-graph", "microsoft_graph"), granted);
    let place = format!("https://localhost:{}", server.port);
    client.configure(
        GRAPH,
        json!({"tenant": TENANT, "client": CLIENT, "sign-in": "person", "users": false, "mailboxes": "me",
            "server": place, "authority": place}),
    );
}

fn standing(client: &mut Client) -> PluginSignInState {
    match client.ask(PluginRequest::Form { plugin: GRAPH.to_owned() }) {
        Ok(PluginAnswer::Form(mut form)) => {
            assert_eq!(form.sign_ins.len(), 1);
            assert_eq!(form.sign_ins[0].id, "person");
            form.sign_ins.remove(0).state
        }
        other => panic!("{other:?}"),
    }
}

fn until(client: &mut Client, so: impl Fn(&PluginSignInState) -> bool) -> PluginSignInState {
    let started = Instant::now();
    loop {
        let state = standing(client);
        if so(&state) {
            return state;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "it never came to that: {state:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn sign_in(client: &mut Client) -> Result<PluginAnswer, PluginProblem> {
    client.ask(PluginRequest::SignIn { plugin: GRAPH.to_owned(), credential: "person".to_owned() })
}

fn sync(client: &mut Client) {
    client.done(PluginRequest::SyncNow { plugin: GRAPH.to_owned() });
}

fn is_auth_failed(state: &PluginState) -> bool {
    matches!(state, PluginState::Failing { case, next_run_s: None, .. } if case == "auth-failed")
}

#[test]
fn from_the_button_to_the_contacts_and_over_a_restart() {
    let scratch = tempfile::tempdir().unwrap();
    let server = friends(30);
    server.world().entra.lifetime = json!(0);
    let daemon = start(scratch.path(), &server);
    let mut client = daemon.follower();
    bring(&mut client, &server);
    client.enable(GRAPH, true);
    client.until(GRAPH, |view| is_auth_failed(&view.state));
    assert_eq!(standing(&mut client), PluginSignInState::None { problem: None });

    // The code, which waits until somebody has typed it in; asked for too often, the host waits longer.
    let Ok(PluginAnswer::SignIn(code)) = sign_in(&mut client) else { panic!("no code") };
    assert_eq!(
        (code.address.as_str(), code.code.as_str()),
        ("https://microsoft.com/devicelogin", "FJC3-X5N7")
    );
    assert!((800..=900).contains(&code.expires_s) && code.address_with_code.is_none());
    until(
        &mut client,
        |state| matches!(state, PluginSignInState::Waiting(waiting) if waiting.code == code.code),
    );
    let started = Instant::now();
    while server.world().entra.polls() == 0 {
        assert!(started.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(20));
    }
    assert!(matches!(standing(&mut client), PluginSignInState::Waiting(_)));
    server.world().entra.person = Person::Slow;
    let view = client.until(GRAPH, |view| view.directory.is_some());
    assert_eq!(view.directory.unwrap().contacts, 30);
    assert_eq!(standing(&mut client), PluginSignInState::SignedIn);

    // Each run uses the refresh token that the one before was given; the last outlasts a restart.
    let refresh = server.world().entra.refresh.clone();
    server.world().contacts.add("AAk-new", json!({"displayName": "New", "mobilePhone": "555 02 00"}));
    sync(&mut client);
    client.until(GRAPH, |view| view.directory.as_ref().is_some_and(|directory| directory.contacts == 31));
    assert_ne!(server.world().entra.refresh, refresh);
    drop(client);
    assert!(daemon.end().success());
    let daemon = start(scratch.path(), &server);
    let mut client = daemon.follower();
    server.world().contacts.add("AAk-newer", json!({"displayName": "Newer", "mobilePhone": "555 02 01"}));
    sync(&mut client);
    client.until(GRAPH, |view| view.directory.as_ref().is_some_and(|directory| directory.contacts == 32));
    assert!(client.test(GRAPH).unwrap().contains("32 people of the person who has signed in"));

    // Signed out: nobody is there any more.
    client.done(PluginRequest::SignOut { plugin: GRAPH.to_owned(), credential: "person".to_owned() });
    client.until(GRAPH, |view| is_auth_failed(&view.state));
    assert_eq!(standing(&mut client), PluginSignInState::None { problem: None });

    // Nothing of a token anywhere, open or in a log.
    assert!(daemon.log().contains("somebody has signed in"));
    for part in ["0.AWgA1.refresh", "eyJ0eXAiOiJKV1Qi", "GMMhmHCXhWEzkobqIHGG"] {
        assert_eq!(found_in(scratch.path(), part.as_bytes()), Vec::<PathBuf>::new(), "{part}");
    }
    client.done(PluginRequest::Remove { plugin: GRAPH.to_owned() });
    assert_eq!(fs::read_dir(daemon.state().join("plugins")).unwrap().count(), 0);
}

#[test]
fn a_sign_in_that_is_refused_or_taken_back_is_said_and_can_be_done_again() {
    let scratch = tempfile::tempdir().unwrap();
    let server = friends(3);
    let daemon = start(scratch.path(), &server);
    let mut client = daemon.follower();
    bring(&mut client, &server);
    client.enable(GRAPH, true);

    server.world().entra.person = Person::Declines;
    assert!(matches!(sign_in(&mut client), Ok(PluginAnswer::SignIn(_))));
    let none = until(&mut client, |state| matches!(state, PluginSignInState::None { problem: Some(_) }));
    assert!(format!("{none:?}").contains("authorization_declined"), "{none:?}");

    server.world().entra.person = Person::SignsIn;
    assert!(matches!(sign_in(&mut client), Ok(PluginAnswer::SignIn(_))));
    client.until(GRAPH, |view| view.directory.is_some());

    // Taken back by whoever may: the run says so, and so does the form.
    server.world().entra.refresh = None;
    server.world().requests_of_a_token = 0;
    sync(&mut client);
    client.until(GRAPH, |view| matches!(&view.state, PluginState::Failing { words, .. } if words.contains("sign in again: invalid_grant")));
    let none = standing(&mut client);
    assert!(format!("{none:?}").contains("AADSTS700082"), "{none:?}");
    let asked = server.asked("/house.example/");
    let again = client.test(GRAPH).unwrap_err();
    assert!(matches!(again, PluginProblem::Failed { case, .. } if case == "auth-failed"));
    assert_eq!(server.asked("/house.example/"), asked, "a token that was taken back is not sent again");

    // And again, twice at once: the later one counts.
    server.world().requests_of_a_token = usize::MAX;
    server.world().entra.person = Person::Away;
    assert!(matches!(sign_in(&mut client), Ok(PluginAnswer::SignIn(_))));
    assert!(matches!(sign_in(&mut client), Ok(PluginAnswer::SignIn(_))));
    server.world().entra.person = Person::SignsIn;
    until(&mut client, |state| *state == PluginSignInState::SignedIn);
    client.until(GRAPH, |view| matches!(view.state, PluginState::Waiting { .. }));
}

#[test]
fn whoever_changes_the_server_does_not_get_the_token_of_whoever_signed_in() {
    let scratch = tempfile::tempdir().unwrap();
    let server = friends(3);
    let daemon = start(scratch.path(), &server);
    let mut client = daemon.follower();
    bring(&mut client, &server);
    client.enable(GRAPH, true);
    server.world().entra.person = Person::SignsIn;
    assert!(matches!(sign_in(&mut client), Ok(PluginAnswer::SignIn(_))));
    client.until(GRAPH, |view| view.directory.is_some());
    // Another name for this machine is another server.
    client.configure(
        GRAPH,
        json!({"tenant": TENANT, "client": CLIENT, "sign-in": "person", "users": false, "mailboxes": "me",
            "server": format!("https://127.0.0.1:{}", server.port),
            "authority": format!("https://localhost:{}", server.port)}),
    );
    assert_eq!(standing(&mut client), PluginSignInState::None { problem: None });
    sync(&mut client);
    client.becomes(GRAPH, |view| is_auth_failed(&view.state));
}

#[test]
fn nobody_signs_in_where_that_is_not_wanted_or_not_granted() {
    let scratch = tempfile::tempdir().unwrap();
    let server = friends(3);
    let daemon = start(scratch.path(), &server);
    let mut client = daemon.client();
    let ask = |plugin: &str, credential: &str| {
        let (plugin, credential) = (plugin.to_owned(), credential.to_owned());
        [
            PluginRequest::SignIn { plugin: plugin.clone(), credential: credential.clone() },
            PluginRequest::SignOut { plugin, credential },
        ]
    };
    for request in ask(GRAPH, "person") {
        assert_eq!(client.ask(request), Err(PluginProblem::NoSuchPlugin));
    }
    client.bring(&yard::packed("microsoft-graph", "microsoft_graph"), PluginGrants::default());
    let missing = sign_in(&mut client).unwrap_err();
    assert!(matches!(missing, PluginProblem::Setting { .. }), "{missing:?}");
    bring(&mut client, &server);
    for credential in ["app", "nobody", ""] {
        for request in ask(GRAPH, credential) {
            let refused = client.ask(request);
            assert!(matches!(refused, Err(PluginProblem::NotNow(_))), "{refused:?}");
        }
    }
    client.done(PluginRequest::Grant { plugin: GRAPH.to_owned(), granted: PluginGrants::default() });
    let denied = sign_in(&mut client).unwrap_err();
    assert!(matches!(&denied, PluginProblem::Failed { case, .. } if case == "forbidden"), "{denied:?}");
    assert_eq!(server.world().asked.len(), 0);
    // A server that refuses to begin.
    bring(&mut client, &server);
    server.world().entra.broken =
        Some((400, json!({"error": "invalid_client", "error_description": "no public clients"})));
    let refused = sign_in(&mut client).unwrap_err();
    assert!(
        matches!(&refused, PluginProblem::Failed { words, .. } if words.contains("no public clients")),
        "{refused:?}"
    );
    assert_eq!(standing(&mut client), PluginSignInState::None { problem: None });
}

#[test]
fn an_application_reads_with_a_secret_that_is_nowhere_to_be_found() {
    let scratch = tempfile::tempdir().unwrap();
    let server = friends(12);
    let daemon = start(scratch.path(), &server);
    let mut client = daemon.follower();
    let file = yard::packed("microsoft-graph", "microsoft_graph");
    let rights = client.inspect(&file).unwrap().rights;
    let secrets: Vec<(&str, &[String])> =
        rights.iter().map(|right| (right.id.as_str(), right.secrets.as_slice())).collect();
    assert_eq!(secrets, [("graph", [].as_slice()), ("sign-in", &["secret".to_owned()])]);

    bring(&mut client, &server);
    let place = format!("https://localhost:{}", server.port);
    let mut settings = json!({"tenant": TENANT, "client": CLIENT, "users": false, "mailboxes": "desk@house.example",
        "server": place, "authority": place, "secret": "wrong-secret-of-the-desk"});
    client.configure(GRAPH, settings.clone());
    client.enable(GRAPH, true);
    client.until(GRAPH, |view| is_auth_failed(&view.state));
    settings["secret"] = json!(SECRET);
    client.configure(GRAPH, settings);
    let view = client.until(GRAPH, |view| view.directory.is_some());
    assert_eq!(view.directory.unwrap().contacts, 12);
    assert!(daemon.log().contains("a new token"));
    for part in [SECRET, "wrong-secret-of-the-desk", "eyJ0eXAiOiJKV1Qi"] {
        assert_eq!(found_in(scratch.path(), part.as_bytes()), Vec::<PathBuf>::new(), "{part}");
    }
}
