//! The other maker's ear: a baresip that answers every call, and plays what it hears into a bridge that gives it back.
//!
//! baresip 1.0 has no player that writes a file in real time. Its `aubridge` takes 20 ms from the loudspeaker's side every
//! 20 ms and gives them to the microphone's at once; there `sndfile` writes them down before they are encoded, and the
//! packet that leaves in the same turn says when it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::ear::{Heard, Moments};
use super::mouth::Answer;
use crate::baresip::MODULES;
use crate::ports::Ports;
use crate::program::Program;
use crate::sound::Recording;
use crate::telephone::Codec;
use crate::wait;

const SOON: Duration = Duration::from_secs(10);

/// How a baresip is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    /// As its own template of a configuration has it: a jitter buffer of 5 to 10 packets, no concealment for G.711 and
    /// G.722.
    Default,
    /// Likewise, with spandsp's concealment (module `plc`), which it has for all codecs but Opus.
    Concealing,
}

/// A running baresip.
pub(super) struct Theirs {
    /// Where it is called.
    pub(super) uri: String,
    pub(super) setting: Setting,
    codec: Codec,
    program: Program,
    recordings: PathBuf,
    _ports: Ports,
}

impl Setting {
    /// Those that make a difference with `codec`.
    pub(super) fn of(codec: Codec) -> &'static [Self] {
        match codec {
            // libopus conceals by itself, and spandsp's module fails on two channels.
            Codec::Opus => &[Self::Default],
            Codec::Pcma | Codec::Pcmu | Codec::G722 => &[Self::Default, Self::Concealing],
        }
    }

    /// What differs from the template.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Concealing => "plc",
        }
    }
}

impl Theirs {
    /// Starts it and waits until it can be called.
    ///
    /// # Panics
    /// When it does not come up.
    #[track_caller]
    pub(super) fn start(scratch: &Path, codec: Codec, setting: Setting, realtime: bool) -> Self {
        let mut ports = Ports::take();
        let name = format!("baresip-{}-{}", codec.name(), setting.name());
        let folder = scratch.join(&name);
        let recordings = folder.join("recordings");
        fs::create_dir_all(&recordings).expect("the scratch folder is writable");
        let sip = ports.one();
        let uri = format!("sip:ear@127.0.0.1:{sip}");
        let account = format!("<{uri}>;regint=0;audio_codecs={};answermode=auto\n", codec.account());
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text).expect("the scratch folder is writable");
        };
        write("accounts", &account);
        write("contacts", "");
        write("config", &config(&folder, codec, setting, sip, ports.rtp()));
        // With the rights of our own audio threads, or without as they are.
        let mut command = if realtime { Command::new("chrt") } else { Command::new("baresip") };
        if realtime {
            command.args(["-f", "45", "baresip"]);
        }
        command.args(["-4", "-v", "-f"]).arg(&folder);
        let mut program = Program::start(&name, command, scratch);
        program.wait_log("baresip is ready", SOON);
        Self { uri, setting, codec, program, recordings, _ports: ports }
    }

    /// What it played in the call that has just ended, whose packets back were these; of the time from `begin` to `end`.
    ///
    /// # Panics
    /// When it played nothing.
    #[track_caller]
    pub(super) fn heard(&mut self, back: &[Answer], begin: Instant, end: Instant) -> Heard {
        let path = wait::until("baresip's recording", SOON, || self.newest());
        let recording = wait::until("baresip's whole recording", SOON, || {
            let before = fs::metadata(&path).map_or(0, |file| file.len());
            wait::within(Duration::from_millis(100), || None::<()>);
            let after = fs::metadata(&path).map_or(0, |file| file.len());
            (before == after).then(|| Recording::read(&path)).flatten()
        });
        let name = self.program.log();
        let first = back.first().unwrap_or_else(|| panic!("baresip sent nothing back:\n{name}"));
        // RTP clocks of Opus run at its rate, of G.722 at half of it (RFC 3551 section 4.5.2).
        let per_unit = if self.codec == Codec::G722 { 2 } else { 1 };
        let mut moments = Moments::default();
        for answer in back {
            moments.note(answer.at, answer.timestamp.wrapping_sub(first.timestamp) as usize * per_unit);
        }
        let from = moments.origin(recording.rate, begin, end).expect("baresip sends all the time");
        // The next call shall find no other.
        fs::remove_file(&path).expect("the scratch folder is writable");
        Heard { from, recording }.part(begin, end)
    }

    fn newest(&self) -> Option<PathBuf> {
        let files = fs::read_dir(&self.recordings).ok()?.flatten().map(|entry| entry.path());
        let mut spoken = files.filter(|path| path.to_string_lossy().ends_with("-enc.wav"));
        spoken.next()
    }
}

fn config(folder: &Path, codec: Codec, setting: Setting, sip: u16, rtp: (u16, u16)) -> String {
    let modules = MODULES.into_iter().find(|path| Path::new(path).is_dir());
    let modules = modules.expect("baresip's modules are installed (package baresip-core)");
    let plc = if setting == Setting::Concealing { "module plc.so\n" } else { "" };
    let (module, folder) = (codec.module(), folder.display());
    format!(
        "poll_method epoll\nnet_interface 127.0.0.1\nsip_listen 127.0.0.1:{sip}\ncall_max_calls 4\n\
         call_local_timeout 120\naudio_source aubridge,ear\naudio_player aubridge,ear\naudio_alert none,none\nstatmode_default off\n\
         ausrc_format s16\nauenc_format s16\naudec_format s16\n\
         auplay_format s16\naudio_buffer 20-160\njitter_buffer_delay 5-10\nrtp_ports {}-{}\nmodule_path {modules}\n\
         module {module}\n{plc}module aubridge.so\nmodule sndfile.so\nmodule_app account.so\n\
         module_app menu.so\nmodule_app contact.so\nopus_bitrate 28000\nsnd_path {folder}/recordings\n",
        rtp.0, rtp.1,
    )
}
