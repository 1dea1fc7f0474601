//! linphonec as a telephone: a console program with liblinphone behind it, which is typed at. It speaks from a file
//! and records into one (`soundcard use files`).
//!
//! It works only while it waits for a key at a terminal, which `script` (of Debian's essential bsdutils) is to it.
//! What its TLS cannot do is find an address among a certificate's names: it checks who vouches for it, and no name.
//! Its SIP port must be one that is free: 0 means that it has none. Where it was told of one codec, all the others
//! must be told off by name, for what its settings do not mention it takes as wished. What it plays stands in its
//! settings, too: the command `play` of its release 5.3 (Debian 13) leaves it at the music that it came with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::kamailio::{DOMAIN, Kamailio};
use crate::ports::Ports;
use crate::sound::{self, Recording};
use crate::talker::Talker;
use crate::telephone::{Codec, Telephone, Transport, Wish};
use crate::wait;

const SOON: Duration = Duration::from_secs(10);
/// How long it may take to come up and register.
const START: Duration = Duration::from_secs(20);
/// What its trace says when it is registered; its console says nothing.
const REGISTERED: &str = "[LinphoneRegistrationOk]";
/// What liblinphone can do, by name and rate.
const CODECS: [(&str, u32); 8] = [
    ("opus", 48_000),
    ("speex", 16_000),
    ("speex", 8_000),
    ("PCMU", 8_000),
    ("PCMA", 8_000),
    ("GSM", 8_000),
    ("G722", 8_000),
    ("G729", 8_000),
];

/// A running linphonec.
#[derive(Debug)]
pub struct Linphone {
    talker: Talker,
    heard: PathBuf,
    rate: u32,
}

impl Linphone {
    /// Starts it and waits until it is registered.
    ///
    /// # Panics
    /// When it is not installed, does not come up or is not registered within 20 s.
    #[must_use]
    #[track_caller]
    pub fn start(ports: &mut Ports, wish: &Wish<'_>) -> Self {
        let name = format!("linphone-{}", wish.number);
        let folder = wish.scratch.join(&name);
        // Its database is there, or it says at every step that it is not.
        fs::create_dir_all(folder.join(".local/share/linphone")).expect("the scratch folder is writable");
        let (tone, heard) = (folder.join("tone.wav"), folder.join("heard.wav"));
        Recording::sine(wish.tone, wish.codec.rate(), 120).write(&tone);
        let settings = folder.join("settings");
        fs::write(&settings, config(ports, wish, &tone)).expect("the scratch folder is writable");
        let trace = folder.join("trace.log");
        let line = format!("exec linphonec -c {} -d 5 -l {}", settings.display(), trace.display());
        let mut command = Command::new("script");
        command.args(["-q", "-f", "-e", "-c", &line, "/dev/null"]);
        command.env("HOME", &folder).env("TERM", "dumb").env("SHELL", "/bin/sh").current_dir(&folder);
        let mut talker = Talker::start(&name, command, &wish.scratch);
        talker.tell("soundcard use files");
        talker.tell(&format!("record {}", heard.display()));
        wait::until(format!("{name} to register"), START, || {
            fs::read_to_string(&trace).unwrap_or_default().contains(REGISTERED).then_some(())
        });
        Self { talker, heard, rate: wish.codec.rate() }
    }

    /// It writes the head of a recording when it ends.
    fn heard(&self) -> Option<(PathBuf, Recording)> {
        Some((self.heard.clone(), Recording::read_headless(&self.heard, self.rate)?))
    }
}

impl Drop for Linphone {
    fn drop(&mut self) {
        // `script` would take its time to end it.
        self.talker.leave("quit", Duration::from_secs(2));
    }
}

impl Telephone for Linphone {
    #[track_caller]
    fn dial(&mut self, number: &str) {
        self.talker.tell(&format!("call sip:{number}@{DOMAIN}"));
    }

    #[track_caller]
    fn rings(&mut self) {
        self.talker.expect(&["Receiving new incoming call"], SOON);
    }

    #[track_caller]
    fn accept(&mut self) {
        self.talker.tell("answer");
    }

    #[track_caller]
    fn talks(&mut self) {
        self.talker.expect(&[" connected."], SOON);
    }

    #[track_caller]
    fn hold(&mut self) {
        self.talker.tell("pause");
        self.talker.expect(&[" is now paused."], SOON);
    }

    #[track_caller]
    fn retrieve(&mut self) {
        self.talker.tell("resume");
        self.talker.expect(&["Media streams established"], SOON);
    }

    #[track_caller]
    fn hang_up(&mut self) {
        self.talker.tell("terminate");
    }

    #[track_caller]
    fn is_over(&mut self) {
        self.talker.expect(&[" ended (", " error."], SOON);
    }

    #[track_caller]
    fn hears(&self, hz: f64) {
        sound::wait_tone_by("linphonec", hz, SOON, || self.heard());
    }

    #[track_caller]
    fn hears_no_more(&self, hz: f64) {
        sound::wait_tone_gone("linphonec", hz, SOON, || self.heard());
    }

    #[track_caller]
    fn has_digits(&mut self, digits: &str) {
        for digit in digits.chars() {
            self.talker.expect(&[&format!("Receiving tone {digit} ")], SOON);
        }
    }
}

fn config(ports: &mut Ports, wish: &Wish<'_>, tone: &Path) -> String {
    let (sip, rtp) = (ports.one(), ports.one());
    let port = |transport| if transport == wish.exchange.transport { sip } else { 0 };
    let (udp, tcp, tls) = (port(Transport::Udp), port(Transport::Tcp), port(Transport::TlsSrtp));
    let number = wish.number;
    let password = Kamailio::password(number);
    let route = format!("sip:{};transport={};lr", wish.exchange.address, wish.exchange.transport.word());
    let encryption = if wish.exchange.transport == Transport::TlsSrtp { ("srtp", 1) } else { ("none", 0) };
    let authority = wish.exchange.authority.as_ref().map(|path| format!("root_ca={}\n", path.display()));
    let authority = authority.unwrap_or_default();
    let codecs: String = (0..)
        .zip(CODECS)
        .map(|(n, (name, rate))| {
            let wished = u8::from(name == wish.codec.name());
            let channels = if name == Codec::Opus.name() { 2 } else { 1 };
            format!("[audio_codec_{n}]\nmime={name}\nrate={rate}\nchannels={channels}\nenabled={wished}\n")
        })
        .collect();
    format!(
        "[sip]\nsip_port={udp}\nsip_tcp_port={tcp}\nsip_tls_port={tls}\nguess_hostname=0\n\
         contact=\"{number}\" <sip:{number}@127.0.0.1>\nbind_address=127.0.0.1\nuse_ipv6=0\n\
         media_encryption={}\nmedia_encryption_mandatory={}\ndefault_proxy=0\nuse_rfc2833=1\n{authority}\
         verify_server_certs=1\nverify_server_cn=0\n\
         [rtp]\naudio_rtp_port={rtp}\nbind_address=127.0.0.1\n\
         [sound]\nechocancellation=0\nhold_music={}\n\
         [proxy_0]\nreg_proxy=<{route}>\nreg_route=<{route}>\nreg_identity=sip:{number}@{DOMAIN}\n\
         reg_expires=600\nreg_sendregister=1\npublish=0\n\
         [auth_info_0]\nusername={number}\npasswd={password}\nrealm={DOMAIN}\ndomain={DOMAIN}\n\
         {codecs}",
        encryption.0,
        encryption.1,
        tone.display()
    )
}
