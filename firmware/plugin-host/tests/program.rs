//! The way of `plugins/README.md`, with the programs themselves: pack, sign, seal, run, and the directory is there.
//! An unsigned plugin does not run without the developer's switch.
#![allow(clippy::unwrap_used, reason = "tests")]

mod desk;
mod yard;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use desk::{Daemon, WEB, loopback};
use ipc::{PluginProblem, PluginState};
use minisign::KeyPair;
use serde_json::json;
use yard::server::{self, Server};

const PLUGIN: &str = env!("CARGO_BIN_EXE_frontdesk-plugin");

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(PLUGIN).args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn a_plugin_is_packed_signed_and_run_as_the_readme_says() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let server = Server::start(|_| server::ok(b"name,phone\nAnn Lee,555 0100\nBo Chen,555 0101\n"));
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let key = pair.pk.to_base64();
    let id = "id = \"org.frontdesk.web-directory\"";
    let signed = yard::manifest("web-directory").replace(id, &format!("{id}\nkey = \"{key}\""));
    fs::write(folder.join("connector.toml"), signed).unwrap();
    fs::write(folder.join("component.wasm"), yard::component("web_directory")).unwrap();

    let packed = run(folder, &["pack", "component.wasm", "connector.toml", "web.wasm"]);
    assert!(packed.status.success(), "{packed:?}");
    let bytes = fs::read(folder.join("web.wasm")).unwrap();
    let signature = minisign::sign(None, &pair.sk, bytes.as_slice(), Some("web"), None).unwrap();
    fs::write(folder.join("web.wasm.minisig"), signature.into_string()).unwrap();
    let sealed = run(folder, &["seal", "web.wasm", "web.wasm.minisig", "signed.wasm"]);
    assert!(sealed.status.success(), "{sealed:?}");
    let inspected = run(folder, &["inspect", "signed.wasm"]);
    let words = String::from_utf8(inspected.stdout).unwrap();
    assert!(words.contains("Connect to the server you enter") && words.contains(&key), "{words}");

    // Not signed: installed and run under the developer's switch, and only as long as it is on.
    let settings = json!({"url": format!("http://127.0.0.1:{}/people.csv", server.port)});
    let daemon = Daemon::start_with(folder, "developer = true");
    let mut client = daemon.follower();
    client.bring(&bytes, loopback("server"));
    client.configure(WEB, settings);
    client.enable(WEB, true);
    client.until(WEB, |view| view.directory.is_some());
    assert_eq!(client.contacts(WEB, 500)[0].name, "Ann Lee");
    assert!(daemon.end().success());
    let daemon = Daemon::start_with(folder, "");
    let mut client = daemon.follower();
    let broken = client.until(WEB, |view| matches!(view.state, PluginState::Broken { .. }));
    assert_eq!(broken.directory.unwrap().contacts, 2, "the last good directory stays");
    assert_eq!(client.inspect(&bytes).unwrap().refused, Some(PluginProblem::NotTrusted));

    // Signed: with the key that the administrator has compared, in place of the other; the settings stay.
    let signed = fs::read(folder.join("signed.wasm")).unwrap();
    let upload = client.inspect(&signed).unwrap().upload;
    assert_eq!(client.install(upload, loopback("server"), false), Err(PluginProblem::NotTrusted));
    client.install(upload, loopback("server"), true).unwrap();
    client.until(WEB, |view| matches!(view.state, PluginState::Waiting { next_run_s: 1.. }));
    // And not signed never again.
    drop(daemon);
    let daemon = Daemon::start_with(folder, "developer = true");
    assert_eq!(daemon.client().inspect(&bytes).unwrap().refused, Some(PluginProblem::NotTrusted));
}
