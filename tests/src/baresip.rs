//! baresip as a telephone: registers at kamailio, speaks a tone of its own, records what it hears,
//! and is told to dial, accept or hang up over its control socket. Its events come from there too.
//!
//! What baresip 1.0 cannot do here: after it was put on hold and taken off again it hears but no longer
//! records (two of them alone show it too), so [`Baresip::hears`] says nothing about a retrieved call.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kamailio::{DOMAIN, Kamailio};
use crate::ports::Ports;
use crate::program::Program;
use crate::sound::{self, Recording};
pub use crate::telephone::Codec;
use crate::telephone::{Exchange, Registers, Telephone, Transport, Wish};
use crate::wait;

const SOON: Duration = Duration::from_secs(10);
/// Debian's folder of modules; the triplet's folder comes first on newer releases.
pub(crate) const MODULES: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/lib/baresip/modules"];

impl Codec {
    pub(crate) fn account(self) -> &'static str {
        match self {
            Self::Pcma => "pcma",
            Self::Pcmu => "pcmu",
            Self::G722 => "G722/16000/1",
            Self::Opus => "opus/48000/1",
        }
    }

    pub(crate) fn module(self) -> &'static str {
        match self {
            Self::Pcma | Self::Pcmu => "g711.so",
            Self::G722 => "g722.so",
            Self::Opus => "opus.so",
        }
    }
}

/// The ports of one telephone on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// SIP, over UDP and TCP; over TLS the port after it.
    pub sip: u16,
    /// Its control socket, over TCP.
    pub control: u16,
    /// First and last port for speech.
    pub rtp: (u16, u16),
}

/// A running baresip.
#[derive(Debug)]
pub struct Baresip {
    /// The process.
    pub program: Program,
    /// The user it is registered as, which is its number.
    pub number: String,
    recordings: PathBuf,
    control: TcpStream,
    unread: Vec<u8>,
}

impl Baresip {
    /// Starts it and waits until it is registered.
    ///
    /// # Panics
    /// When it is not installed, does not come up or is not registered within 15 s.
    #[must_use]
    #[track_caller]
    pub fn start(
        scratch: &Path,
        ports: &mut Ports,
        exchange: &impl Registers,
        number: &str,
        tone: f64,
        codec: Codec,
    ) -> Self {
        let place = Place { control: ports.one(), sip: ports.one(), rtp: ports.rtp() };
        let mut phone = Self::launch(scratch, place, &exchange.address(), number, tone, codec);
        phone.program.wait_log("200 OK", Duration::from_secs(15));
        phone
    }

    /// Starts one that answers every call by itself, and waits until it is registered: baresip 1.0 does not know
    /// the ways to ask for that in a call.
    ///
    /// # Panics
    /// As [`Baresip::start`].
    #[must_use]
    #[track_caller]
    pub fn start_answering(
        scratch: &Path,
        ports: &mut Ports,
        exchange: &impl Registers,
        number: &str,
        tone: f64,
        codec: Codec,
    ) -> Self {
        let place = Place { control: ports.one(), sip: ports.one(), rtp: ports.rtp() };
        let exchange = exchange.exchange();
        let wish = Wish { scratch: scratch.to_owned(), exchange: &exchange, number, tone, codec };
        let mut phone = Self::launch_as(place, &wish, "auto");
        phone.program.wait_log("200 OK", Duration::from_secs(15));
        phone
    }

    /// Starts it, registered or not.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    #[track_caller]
    pub fn launch(
        scratch: &Path,
        place: Place,
        exchange: &str,
        number: &str,
        tone: f64,
        codec: Codec,
    ) -> Self {
        let exchange = Exchange {
            address: exchange.to_owned(),
            transport: Transport::Udp,
            authority: None,
            identity: None,
        };
        let scratch = scratch.to_owned();
        Self::launch_as(place, &Wish { scratch, exchange: &exchange, number, tone, codec }, "manual")
    }

    /// Starts it as the wish says and waits until it is registered.
    ///
    /// # Panics
    /// When it is not installed, does not come up or is not registered within 15 s.
    #[must_use]
    #[track_caller]
    pub fn start_as(ports: &mut Ports, wish: &Wish<'_>) -> Self {
        let place = Place { control: ports.one(), sip: ports.one(), rtp: ports.rtp() };
        let mut phone = Self::launch_as(place, wish, "manual");
        phone.program.wait_log("200 OK", Duration::from_secs(15));
        phone
    }

    /// `answers` is what baresip calls its answer mode.
    #[track_caller]
    fn launch_as(place: Place, wish: &Wish<'_>, answers: &str) -> Self {
        let Wish { scratch, exchange, number, codec, .. } = wish;
        let folder = scratch.join(format!("baresip-{number}"));
        let recordings = folder.join("recordings");
        fs::create_dir_all(&recordings).expect("the scratch folder is writable");
        Recording::sine(wish.tone, codec.rate(), 120).write(&folder.join("tone.wav"));
        let secret = if exchange.transport == Transport::TlsSrtp { ";mediaenc=srtp-mand" } else { "" };
        let account = format!(
            "<sip:{number}@{DOMAIN};transport={}>;auth_user={number};auth_pass={};\
             outbound=\"sip:{};transport={}\";regint=600;audio_codecs={};answermode={answers}{secret}\n",
            exchange.transport.word(),
            Kamailio::password(number),
            exchange.address,
            exchange.transport.word(),
            codec.account(),
        );
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text).expect("the scratch folder is writable");
        };
        write("accounts", &account);
        write("contacts", "");
        if let Some(identity) = &exchange.identity {
            let [certificate, key] = [&identity.certificate, &identity.key]
                .map(|path| fs::read_to_string(path).expect("it was made"));
            write("certificate.pem", &(certificate + &key));
        }
        write("config", &config(&folder, wish, place));
        let mut command = Command::new("baresip");
        let family = if exchange.home().is_ipv4() { "-4" } else { "-6" };
        command.args([family, "-s", "-v", "-f"]).arg(&folder);
        let program = Program::start(&format!("baresip-{number}"), command, scratch);
        let control = wait::until("baresip's control socket", Duration::from_secs(15), || {
            TcpStream::connect(("127.0.0.1", place.control)).ok()
        });
        Self { program, number: (*number).to_owned(), recordings, control, unread: Vec::new() }
    }

    /// Calls `number`.
    #[track_caller]
    pub fn dial(&mut self, number: &str) {
        self.command("dial", number);
    }

    /// Accepts the call that rings.
    #[track_caller]
    pub fn accept(&mut self) {
        self.command("accept", "");
    }

    /// Ends the current call, or refuses the one that rings.
    #[track_caller]
    pub fn hang_up(&mut self) {
        self.command("hangup", "");
    }

    /// Sends REFER in the current call.
    #[track_caller]
    pub fn transfer(&mut self, number: &str) {
        self.command("transfer", number);
    }

    /// The next event, or answer to a command, that comes within `limit`.
    pub fn next_event(&mut self, limit: Duration) -> Option<Value> {
        let end = Instant::now() + limit;
        loop {
            if let Some(message) = self.next_unread() {
                return Some(message);
            }
            // Zero would wait for ever.
            let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            if !self.read_more(left) || Instant::now() >= end {
                return self.next_unread();
            }
        }
    }

    /// Reads events until one of type `kind` (for example `CALL_INCOMING`); those before it are
    /// forgotten.
    ///
    /// # Panics
    /// When none comes within `limit`.
    #[track_caller]
    pub fn expect(&mut self, kind: &str, limit: Duration) -> Value {
        let end = Instant::now() + limit;
        let mut seen = Vec::new();
        loop {
            while let Some(message) = self.next_unread() {
                if message["type"] == kind {
                    return message;
                }
                seen.push(message["type"].as_str().unwrap_or("answer").to_owned());
            }
            let left = end.saturating_duration_since(Instant::now());
            let more = !left.is_zero() && self.read_more(left);
            assert!(more, "{} has no event {kind} within {limit:?}, only {seen:?}", self.number);
        }
    }

    /// What it hears: the recording that was written last.
    #[must_use]
    pub fn newest_recording(&self) -> Option<PathBuf> {
        let files = fs::read_dir(&self.recordings).ok()?.flatten().map(|entry| entry.path());
        let heard = files.filter(|path| path.to_string_lossy().ends_with("-dec.wav"));
        heard.max_by_key(|path| fs::metadata(path).and_then(|data| data.modified()).ok())
    }

    /// Waits until it hears the tone of `hz`.
    ///
    /// # Panics
    /// When it does not within 10 s.
    #[track_caller]
    pub fn hears(&self, hz: f64) {
        sound::wait_tone(&self.number, hz, Duration::from_secs(10), || self.newest_recording());
    }

    /// Waits until it hears exactly these tones of those that anybody speaks.
    ///
    /// # Panics
    /// When it does not within 10 s.
    #[track_caller]
    pub fn hears_mix(&self, present: &[f64]) {
        sound::wait_mix(&self.number, present, Duration::from_secs(10), || self.newest_recording());
    }

    /// Says a command of its menu over the control socket.
    ///
    /// # Panics
    /// When the socket is gone.
    #[track_caller]
    pub fn command(&mut self, command: &str, parameters: &str) {
        let text =
            serde_json::json!({ "command": command, "params": parameters, "token": command }).to_string();
        let message = format!("{}:{text},", text.len());
        self.control.write_all(message.as_bytes()).expect("baresip's control socket is open");
    }

    /// The next netstring (`12:{"event":…},`) that has arrived whole.
    fn next_unread(&mut self) -> Option<Value> {
        let colon = self.unread.iter().position(|&byte| byte == b':')?;
        let length: usize = std::str::from_utf8(&self.unread[..colon]).ok()?.parse().ok()?;
        let text = self.unread.get(colon + 1..colon + 1 + length)?;
        let message = serde_json::from_slice(text).ok();
        self.unread.drain(..(colon + length + 2).min(self.unread.len()));
        message
    }

    /// Blocks until bytes have come; `false` when none do.
    fn read_more(&mut self, limit: Duration) -> bool {
        self.control.set_read_timeout(Some(limit)).expect("a timeout above zero can be set");
        let mut bytes = [0; 4096];
        match self.control.read(&mut bytes) {
            Ok(length) => {
                self.unread.extend_from_slice(&bytes[..length]);
                length > 0
            }
            Err(error) => error.kind() == ErrorKind::Interrupted,
        }
    }
}

impl Telephone for Baresip {
    #[track_caller]
    fn dial(&mut self, number: &str) {
        self.dial(number);
    }

    #[track_caller]
    fn rings(&mut self) {
        self.expect("CALL_INCOMING", SOON);
    }

    #[track_caller]
    fn accept(&mut self) {
        self.accept();
    }

    #[track_caller]
    fn talks(&mut self) {
        self.expect("CALL_ESTABLISHED", SOON);
    }

    #[track_caller]
    fn hold(&mut self) {
        self.command("hold", "");
    }

    #[track_caller]
    fn retrieve(&mut self) {
        self.command("resume", "");
    }

    #[track_caller]
    fn hang_up(&mut self) {
        self.hang_up();
    }

    #[track_caller]
    fn is_over(&mut self) {
        self.expect("CALL_CLOSED", SOON);
    }

    #[track_caller]
    fn hears(&self, hz: f64) {
        self.hears(hz);
    }

    #[track_caller]
    fn hears_no_more(&self, hz: f64) {
        sound::wait_tone_gone(&self.number, hz, SOON, || {
            let path = self.newest_recording()?;
            Recording::read(&path).map(|recording| (path, recording))
        });
    }

    #[track_caller]
    fn has_digits(&mut self, digits: &str) {
        for digit in digits.chars() {
            let event = self.expect("CALL_DTMF_START", SOON);
            assert_eq!(event["param"], digit.to_string(), "another digit: {event}");
        }
    }
}

fn config(folder: &Path, wish: &Wish<'_>, place: Place) -> String {
    let Place { sip, control, rtp } = place;
    let modules = MODULES.into_iter().find(|path| Path::new(path).is_dir());
    let modules = modules.expect("baresip's modules are installed (package baresip-core)");
    let rate = wish.codec.rate();
    let ip = wish.exchange.home();
    let listen = SocketAddr::new(ip, sip);
    let authority = wish.exchange.authority.as_ref().map_or_else(String::new, |path| {
        let (folder, path) = (folder.display(), path.display());
        format!("sip_cafile {path}\nsip_certificate {folder}/certificate.pem\nmodule srtp.so\n")
    });
    let folder = folder.display();
    // An address instead of the name `lo`: baresip refuses the loopback interface by name, and
    // without it announces another address in SDP than it sends from.
    // Since 1.1 aufile is a player as well, and where there is one, a call whose player is not there ends. Nobody listens at
    // this bridge; aufile itself crashes 1.1 in a call with Opus that comes in.
    format!(
        "poll_method epoll\nnet_interface {ip}\nsip_listen {listen}\ncall_max_calls 4\n\
         call_local_timeout 120\naudio_source aufile,{folder}/tone.wav\naudio_player aubridge,nobody\n\
         audio_alert none,none\nausrc_srate {rate}\nausrc_channels 1\nausrc_format s16\n\
         auenc_format s16\naudec_format s16\nauplay_format s16\naudio_buffer 20-160\n\
         rtp_ports {}-{}\nmodule_path {modules}\nmodule {}\nmodule aufile.so\nmodule aubridge.so\n\
         module sndfile.so\n{authority}\
         module ctrl_tcp.so\nmodule_app account.so\nmodule_app menu.so\nmodule_app contact.so\n\
         opus_bitrate 28000\nsnd_path {folder}/recordings\nctrl_tcp_listen 127.0.0.1:{control}\n",
        rtp.0,
        rtp.1,
        wish.codec.module(),
    )
}
