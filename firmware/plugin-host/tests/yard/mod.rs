//! The yard where plugins are tried: guests built from `plugins/`, packed and signed, a host with a name
//! server of ours, web servers on 127.0.0.1, and the catalogue of what hostile plugins do.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub, reason = "tests; each uses a part of it")]

pub mod api_server;
pub mod hostile;
pub mod ldap_server;
pub mod lighttpd;
pub mod radicale;
pub mod server;
pub mod slapd;

use std::collections::{BTreeSet, HashMap};
use std::env;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use plugin_host::connector::Connector;
use plugin_host::host::{Approved, Authority, Host, LoadError, Setup};
use plugin_host::limits::Limits;
use plugin_host::manifest::Granted;
use plugin_host::package::pack;
use plugin_host::resolve::Resolver;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A host that trusts what the test hands it, in a scratch folder.
pub struct Yard {
    pub host: Host,
    pub scratch: TempDir,
}

impl Yard {
    /// With a name server that knows these names.
    pub fn with_names(names: &[(&str, &[&[&str]])]) -> Self {
        Self::new(names, Vec::new())
    }

    pub fn new(
        names: &[(&str, &[&[&str]])],
        certificates: Vec<rustls::pki_types::CertificateDer<'static>>,
    ) -> Self {
        let addresses =
            |list: &&[&str]| list.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let names: HashMap<String, Vec<Vec<IpAddr>>> = names
            .iter()
            .map(|(name, answers)| ((*name).to_owned(), answers.iter().map(addresses).collect()))
            .collect();
        Self::resolving(Resolver::fixed(names), certificates)
    }

    /// Where every name is this port of this machine, without TLS: for plugins that go to a fixed place.
    pub fn on_stage(port: u16) -> Self {
        Self::resolving(Resolver::Stage(port), Vec::new())
    }

    fn resolving(resolver: Resolver, certificates: Vec<rustls::pki_types::CertificateDer<'static>>) -> Self {
        // Compiled plugins are kept from run to run, as on the desk.
        let cache = target().join("compiled");
        let setup = Setup { compiler: program(), cache, locale: "en".to_owned(), certificates };
        let host = Host::new(setup, resolver).unwrap();
        Self { host, scratch: tempfile::tempdir().unwrap() }
    }

    /// The hostile plugin, doing one thing; it may go to `url`, not in private networks and not on this machine.
    pub fn hostile(&self, behaviour: &str, url: &str) -> Connector {
        self.hostile_with(behaviour, url, false, Limits::default())
    }

    pub fn hostile_with(&self, behaviour: &str, url: &str, loopback: bool, limits: Limits) -> Connector {
        let settings = object(json!({"behaviour": behaviour, "url": url, "hidden": "hunter2"}));
        let file = packed("hostile", "hostile");
        self.load(file, &settings, &granted("any", loopback), limits).unwrap()
    }

    pub fn load(
        &self,
        file: Vec<u8>,
        settings: &Map<String, Value>,
        granted: &Granted,
        limits: Limits,
    ) -> Result<Connector, LoadError> {
        let approved = Approved::new(file, &Authority { developer: true, ..Authority::default() })?;
        Connector::load(&self.host, &approved, settings, granted, limits)
    }
}

pub fn granted(id: &str, loopback: bool) -> Granted {
    let net = BTreeSet::from([id.to_owned()]);
    Granted { loopback: if loopback { net.clone() } else { BTreeSet::new() }, net, private: BTreeSet::new() }
}

pub fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// The manifest of a folder below `plugins/`.
pub fn manifest(folder: &str) -> String {
    fs::read_to_string(plugins().join(folder).join("connector.toml")).unwrap()
}

/// A guest, built now, with its manifest.
pub fn packed(folder: &str, library: &str) -> Vec<u8> {
    pack(&component(library), &manifest(folder)).unwrap()
}

/// A guest, built now from its sources by plain cargo.
pub fn component(library: &str) -> Vec<u8> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let target = target().join("guests");
        let output = Command::new(env!("CARGO"))
            .args(["build", "--locked", "--release", "--target", "wasm32-wasip2"])
            .current_dir(plugins())
            .env("CARGO_TARGET_DIR", &target)
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "the guests do not build (rustup target add wasm32-wasip2?): {words}"
        );
        target.join("wasm32-wasip2/release")
    });
    fs::read(built.join(format!("{library}.wasm"))).unwrap()
}

/// A guest in JavaScript, made now by its script, of `directory.js` or of another file beside it.
pub fn javascript(entry: &str) -> Vec<u8> {
    let folder = plugins().join("javascript-directory");
    let name = entry.replace(['/', '.'], "_");
    let output = target().join("guests").join(format!("javascript_{name}.wasm"));
    let mut command = Command::new(folder.join("build"));
    let made = command.arg(&output).arg(folder.join(entry)).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fs::read(output).unwrap()
}

pub fn plugins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins")
}

/// The folder of this profile's programs.
fn profile() -> PathBuf {
    let here = env::current_exe().unwrap();
    here.ancestors().find(|folder| folder.join("deps").is_dir()).unwrap().to_owned()
}

pub fn target() -> PathBuf {
    profile().parent().unwrap().to_owned()
}

fn program() -> PathBuf {
    let program = profile().join("frontdesk-plugind");
    assert!(program.is_file(), "{} is not built: cargo build -p plugin-host --bins", program.display());
    program
}
