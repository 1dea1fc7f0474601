//! prosody as the XMPP server of a company: a plain process on a free port, with accounts and a certificate
//! for its domain.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::authority::Identity;
use crate::program::Program;
use crate::wait;

/// The domain of every account. It has no DNS entry.
pub const DOMAIN: &str = "chat.test";

/// A running prosody.
#[derive(Debug)]
pub struct Prosody {
    /// The process.
    pub program: Program,
    /// Its port for clients on 127.0.0.1.
    pub port: u16,
    scratch: PathBuf,
}

impl Prosody {
    /// Starts it with these users and waits until it takes connections.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    #[track_caller]
    pub fn start(scratch: &Path, port: u16, identity: &Identity, users: &[&str]) -> Self {
        let folder = folder(scratch);
        let accounts = folder.join("data").join(DOMAIN.replace('.', "%2e")).join("accounts");
        fs::create_dir_all(&accounts).expect("the scratch folder is writable");
        for user in users {
            let account = format!("return {{ [\"password\"] = \"{}\"; }};\n", Self::password(user));
            fs::write(accounts.join(format!("{user}.dat")), account).expect("the scratch folder is writable");
        }
        let config = config(&folder, port, identity);
        fs::write(folder.join("prosody.cfg.lua"), config).expect("the scratch folder is writable");
        let program = run(scratch, port);
        Self { program, port, scratch: scratch.to_owned() }
    }

    /// Starts it again after its end. It has forgotten who is online, and kept the rosters.
    ///
    /// # Panics
    /// When it does not come up.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.program = run(&self.scratch, self.port);
    }

    /// The password it knows `user` by.
    #[must_use]
    pub fn password(user: &str) -> String {
        format!("xmpp-pw-{user}")
    }
}

fn folder(scratch: &Path) -> PathBuf {
    scratch.join("prosody")
}

/// The telephones of the staff are not the test: their clients may log in without TLS. The desk never does.
fn config(folder: &Path, port: u16, identity: &Identity) -> String {
    let Identity { certificate, key } = identity;
    let (folder, certificate, key) = (folder.display(), certificate.display(), key.display());
    format!(
        "run_as_root = true\ndata_path = \"{folder}/data\"\npidfile = \"{folder}/prosody.pid\"\n\
         log = {{ debug = \"*console\" }}\n\
         modules_enabled = {{ \"roster\", \"saslauth\", \"tls\", \"ping\" }}\n\
         modules_disabled = {{ \"s2s\" }}\n\
         c2s_ports = {{ {port} }}\nc2s_interfaces = {{ \"127.0.0.1\" }}\n\
         c2s_require_encryption = false\nallow_unencrypted_plain_auth = true\n\
         authentication = \"internal_plain\"\n\
         ssl = {{ certificate = \"{certificate}\", key = \"{key}\" }}\n\
         VirtualHost \"{DOMAIN}\"\n"
    )
}

#[track_caller]
fn run(scratch: &Path, port: u16) -> Program {
    let mut command = Command::new("/usr/bin/prosody");
    command.arg("-F").arg("--config").arg(folder(scratch).join("prosody.cfg.lua"));
    let mut program = Program::start("prosody", command, scratch);
    wait::until("prosody to take connections", Duration::from_secs(20), || {
        assert!(program.exit_status().is_none(), "prosody ended:\n{}", program.log());
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    program
}
