//! PJSUA2 as a telephone: `tests/pjsua2/telephone.py` on the package `pjsua2-python` of PyPI, which `.ci/pjsua2`
//! puts into a folder of its own. The package has no Opus.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::kamailio::{DOMAIN, Kamailio};
use crate::ports::Ports;
use crate::repository;
use crate::sound::{self, Recording};
use crate::talker::Talker;
use crate::telephone::{Telephone, Wish};

const SOON: Duration = Duration::from_secs(10);
/// How long it may take to come up and register.
const START: Duration = Duration::from_secs(20);
/// What it speaks from is mixed at this rate.
const RATE: u32 = 16_000;

/// A running PJSUA2.
#[derive(Debug)]
pub struct Pjsua {
    talker: Talker,
    heard: PathBuf,
}

impl Pjsua {
    /// Starts it and waits until it is registered.
    ///
    /// # Panics
    /// When it is not installed, does not come up or is not registered within 20 s.
    #[must_use]
    #[track_caller]
    pub fn start(ports: &mut Ports, wish: &Wish<'_>) -> Self {
        let mut phone = Self::launch(ports, wish);
        phone.talker.expect(&["registered 200"], START);
        phone
    }

    /// Starts it, registered or not.
    ///
    /// # Panics
    /// When it is not installed.
    #[must_use]
    #[track_caller]
    pub fn launch(ports: &mut Ports, wish: &Wish<'_>) -> Self {
        let name = format!("pjsua-{}", wish.number);
        let folder = wish.scratch.join(&name);
        fs::create_dir_all(&folder).expect("the scratch folder is writable");
        let (tone, heard) = (folder.join("tone.wav"), folder.join("heard.wav"));
        Recording::sine(wish.tone, RATE, 120).write(&tone);
        let settings = serde_json::json!({
            "ip": wish.exchange.home(), "sip": ports.one(), "rtp": ports.rtp().0, "user": wish.number, "domain": DOMAIN,
            "password": Kamailio::password(wish.number), "exchange": wish.exchange.address,
            "transport": wish.exchange.transport.word(), "authority": wish.exchange.authority,
            "codec": wish.codec.name(), "tone": tone, "heard": heard, "trace": folder.join("trace.log"),
        });
        let mut command = Command::new(python());
        command.arg(repository::root().join("tests/pjsua2/telephone.py"));
        let mut talker = Talker::start(&name, command, &wish.scratch);
        talker.tell(&settings.to_string());
        Self { talker, heard }
    }
}

impl Pjsua {
    /// What it has sent and received so far, among other things.
    #[must_use]
    pub fn trace(&self) -> String {
        fs::read_to_string(self.heard.with_file_name("trace.log")).unwrap_or_default()
    }
}

impl Telephone for Pjsua {
    #[track_caller]
    fn dial(&mut self, number: &str) {
        self.talker.tell(&format!("dial {number}"));
    }

    #[track_caller]
    fn rings(&mut self) {
        self.talker.expect(&["incoming "], SOON);
    }

    #[track_caller]
    fn accept(&mut self) {
        self.talker.tell("accept");
    }

    #[track_caller]
    fn talks(&mut self) {
        self.talker.expect(&["confirmed "], SOON);
    }

    #[track_caller]
    fn hold(&mut self) {
        self.talker.tell("hold");
        self.talker.expect(&["media "], SOON);
    }

    #[track_caller]
    fn retrieve(&mut self) {
        self.talker.tell("retrieve");
        self.talker.expect(&["media "], SOON);
    }

    #[track_caller]
    fn hang_up(&mut self) {
        self.talker.tell("hangup");
    }

    #[track_caller]
    fn is_over(&mut self) {
        self.talker.expect(&["disconnected "], SOON);
    }

    #[track_caller]
    fn hears(&self, hz: f64) {
        sound::wait_tone("PJSUA2", hz, SOON, || Some(self.heard.clone()));
    }

    #[track_caller]
    fn hears_no_more(&self, hz: f64) {
        sound::wait_tone_gone("PJSUA2", hz, SOON, || {
            Some((self.heard.clone(), Recording::read(&self.heard)?))
        });
    }

    #[track_caller]
    fn has_digits(&mut self, digits: &str) {
        for digit in digits.chars() {
            self.talker.expect(&[&format!("digit {digit}")], SOON);
        }
    }
}

/// The Python that has PJSUA2.
///
/// # Panics
/// When it is not installed.
#[must_use]
#[track_caller]
pub fn python() -> PathBuf {
    let home = env::var_os("HOME").expect("a home folder");
    let path = PathBuf::from(home).join(".cache/frontdesk/tools/pjsua2/bin/python");
    assert!(path.exists(), "{} is not there: `.ci/pjsua2` puts it there", path.display());
    path
}
