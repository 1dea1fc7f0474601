//! The way of `plugins/README.md`, with the programs themselves: pack, sign, seal, serve, and the directory is
//! there. An unsigned plugin does not run without the developer's switch, one with another key never.
#![allow(clippy::unwrap_used, reason = "tests")]

mod yard;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use minisign::KeyPair;
use yard::server::{self, Server};

const PLUGIN: &str = env!("CARGO_BIN_EXE_frontdesk-plugin");
const PLUGIND: &str = env!("CARGO_BIN_EXE_frontdesk-plugind");

fn run(program: &str, folder: &Path, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).current_dir(folder).output().unwrap()
}

fn config(folder: &Path, head: &str, file: &str, more: &str, port: u16) {
    let text = format!(
        "state = \"state\"\n{head}\n[[plugin]]\nfile = \"{file}\"\n{more}\n\
         settings = {{ url = \"http://127.0.0.1:{port}/people.csv\" }}\n\
         granted = {{ net = [\"server\"], loopback = [\"server\"] }}\n"
    );
    fs::write(folder.join("plugins.toml"), text).unwrap();
}

fn serve(folder: &Path) -> Output {
    run(PLUGIND, folder, &["serve", "plugins.toml", "--once"])
}

#[test]
fn a_plugin_is_packed_signed_and_served_as_the_readme_says() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let server = Server::start(|_| server::ok(b"name,phone\nAnn Lee,555 0100\nBo Chen,555 0101\n"));
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let key = pair.pk.to_base64();
    let id = "id = \"org.frontdesk.web-directory\"";
    let signed = yard::manifest("web-directory").replace(id, &format!("{id}\nkey = \"{key}\""));
    fs::write(folder.join("connector.toml"), signed).unwrap();
    fs::write(folder.join("component.wasm"), yard::component("web_directory")).unwrap();

    let packed = run(PLUGIN, folder, &["pack", "component.wasm", "connector.toml", "web.wasm"]);
    assert!(packed.status.success(), "{packed:?}");
    let bytes = fs::read(folder.join("web.wasm")).unwrap();
    let signature = minisign::sign(None, &pair.sk, bytes.as_slice(), Some("web"), None).unwrap();
    fs::write(folder.join("web.wasm.minisig"), signature.into_string()).unwrap();
    let sealed = run(PLUGIN, folder, &["seal", "web.wasm", "web.wasm.minisig", "signed.wasm"]);
    assert!(sealed.status.success(), "{sealed:?}");
    let inspected = run(PLUGIN, folder, &["inspect", "signed.wasm"]);
    let words = String::from_utf8(inspected.stdout).unwrap();
    assert!(words.contains("Connect to the server you enter") && words.contains(&key), "{words}");

    // Not signed: only under the developer's switch.
    config(folder, "", "web.wasm", "", server.port);
    assert!(!serve(folder).status.success());
    config(folder, "developer = true", "web.wasm", "", server.port);
    let served = serve(folder);
    assert!(served.status.success(), "{served:?}");
    let directory =
        fs::read_to_string(folder.join("state/directories/org.frontdesk.web-directory.json")).unwrap();
    assert!(directory.contains("Ann Lee") && directory.contains("555 0101"), "{directory}");

    // Signed: only with the key that the administrator has compared.
    fs::remove_dir_all(folder.join("state/directories")).unwrap();
    config(folder, "", "signed.wasm", "", server.port);
    assert!(!serve(folder).status.success());
    let other = KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64();
    config(folder, "developer = true", "signed.wasm", &format!("key = \"{other}\""), server.port);
    assert!(!serve(folder).status.success());
    assert!(!folder.join("state/directories").exists());
    config(folder, "", "signed.wasm", &format!("key = \"{key}\""), server.port);
    let served = serve(folder);
    assert!(served.status.success(), "{served:?}");
    assert!(folder.join("state/directories/org.frontdesk.web-directory.json").exists());
}
