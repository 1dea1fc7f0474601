//! `plugins/README.md` as an author reads it who has never seen this repository: its commands are run as they stand
//! there, and what comes of them is uploaded to a plugin host that takes no plugin without a signature. So is what
//! `make connectors` makes of the plugins of this repository.
#![allow(clippy::unwrap_used, reason = "tests")]

mod desk;
mod yard;

use std::fs;
use std::path::Path;
use std::process::Command;

use desk::{Daemon, loopback};
use ipc::PluginProblem;
use serde_json::json;
use yard::lighttpd::tls_server;

const ID: &str = "com.example.my-directory";

#[test]
fn what_the_readme_tells_an_author_makes_a_plugin_that_copies_a_list() {
    let scratch = tempfile::tempdir().unwrap();
    let home = scratch.path().join("home");
    fs::create_dir(&home).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/check-readme");
    let programs = Path::new(desk::PLUGIND).parent().unwrap();
    let said = Command::new(script).arg(&home).arg(programs).output().unwrap();
    let words = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success(), "{words}");
    let passed = words.lines().filter(|line| line.starts_with("0 of ") && line.ends_with("checks failed"));
    assert_eq!(passed.count(), 2, "{words}");

    // The administrator's side, without the developer's switch.
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = scratch.path().join("certificate.pem");
    fs::write(&certificate, own.cert.pem()).unwrap();
    let server = tls_server(scratch.path(), &own);
    let people = json!([{ "id": 7, "name": "Ann Lee", "phone": "555 0100" }, { "name": "No Number" }]);
    server.put("people.json", &people.to_string());
    let daemon = Daemon::start_with(scratch.path(), &format!("certificates = [{certificate:?}]"));
    let mut client = daemon.follower();
    let file = |name: &str| fs::read(home.join("my-directory").join(name)).unwrap();
    let unsigned = client.inspect(&file("my-directory.wasm")).unwrap();
    assert_eq!(unsigned.refused, Some(PluginProblem::NotTrusted));
    client.bring(&file("my-directory-signed.wasm"), loopback("server"));
    let url = format!("https://localhost:{}/people.json", server.port);
    client.configure(ID, json!({ "url": url, "user": "desk", "password": "correct" }));
    assert_eq!(client.test(ID), Ok("1 people".to_owned()));
    client.enable(ID, true);
    client.until(ID, |view| view.directory.is_some());
    assert_eq!(client.contacts(ID, 500)[0].name, "Ann Lee");
}

#[test]
fn dir_4_the_connectors_of_this_repository_are_packed_and_signed_with_a_key_of_ones_own() {
    let scratch = tempfile::tempdir().unwrap();
    let (key, output) = (scratch.path().join("my.key"), scratch.path().join("connectors"));
    let run = |command: &mut Command| {
        let said = command.output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    };
    run(Command::new("minisign").args(["-G", "-W", "-s"]).arg(&key).arg("-p").arg(key.with_extension("pub")));
    // As `make guests` leaves them.
    let bare = yard::component("url_crm");
    let components = yard::target().join("guests/wasm32-wasip2/release");
    let javascript = yard::plugins().join("javascript-directory/build");
    run(Command::new(javascript).arg(components.join("javascript_directory.wasm")));
    let programs = Path::new(desk::PLUGIND).parent().unwrap();
    run(Command::new(yard::plugins().join("pack")).arg(components).arg(programs).arg(&key).arg(&output));

    let daemon = Daemon::start_with(scratch.path(), "");
    assert!(daemon.client().inspect(&bare).is_err(), "a component alone is no plugin");
    for folder in ["ldap", "url-crm"] {
        let signed = fs::read(output.join(format!("{folder}.wasm"))).unwrap();
        assert_eq!(daemon.client().inspect(&signed).unwrap().refused, None, "{folder}");
    }
    let listed = fs::read_dir(yard::plugins()).unwrap().map(|entry| entry.unwrap().path());
    let wanted = listed.filter(|folder| folder.join("connector.toml").exists()).count();
    // Not the template, and not what the host is tested with.
    assert_eq!(fs::read_dir(output).unwrap().count(), wanted - 2);
}
