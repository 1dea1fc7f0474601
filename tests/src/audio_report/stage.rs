//! One codec's stage: a mouth, our ear and two of baresip's, and one network after another between them.

use std::path::Path;
use std::time::{Duration, Instant};

use super::call::Caller;
use super::ear::Heard;
use super::mouth::Mouth;
use super::network::{Network, PTIME_MS};
use super::ours::Ours;
use super::score::Take;
use super::speech::{PACKET, RATE};
use super::theirs::{Setting, Theirs};
use crate::ports::Ports;
use crate::sound::Recording;
use crate::telephone::Codec;

/// How long all listen after the last packet.
const REST: Duration = Duration::from_millis(1200);
/// Everybody has settled before the first packet.
const SETTLED: Duration = Duration::from_millis(500);

/// Everything that stands for one codec.
pub(super) struct Stage {
    codec: Codec,
    mouth: Mouth,
    ours: Ours,
    theirs: Vec<Theirs>,
    caller: Caller,
    speech: Vec<i16>,
    _ports: Ports,
}

/// What came of one network: recordings of all ears, ours first, then baresip's by setting.
pub(super) struct Played {
    pub(super) takes: Vec<Take>,
    /// The latest packet left so long after its time.
    pub(super) late: Duration,
    /// What our jitter buffer counted.
    pub(super) counted: String,
}

impl Stage {
    /// Builds it for `codec`, all speaking `speech` (48 kHz, whole packets).
    #[track_caller]
    pub(super) fn build(scratch: &Path, codec: Codec, speech: &[i16], realtime: bool) -> Self {
        let mut ports = Ports::take();
        let folder = scratch.join(codec.name());
        std::fs::create_dir_all(&folder).expect("the scratch folder is writable");
        let (media, payload_type) = ours(codec);
        Self {
            codec,
            mouth: Mouth::open(&mut ports, media, payload_type, speech),
            ours: Ours::start(&folder, media, payload_type),
            theirs: Setting::of(codec)
                .iter()
                .map(|setting| Theirs::start(scratch, codec, *setting, realtime))
                .collect(),
            caller: Caller::start(&mut ports),
            speech: speech.to_vec(),
            _ports: ports,
        }
    }

    /// Speaks other `speech` from now on.
    #[track_caller]
    pub(super) fn learn(&mut self, speech: &[i16]) {
        self.mouth.learn(speech);
        self.speech = speech.to_vec();
    }

    /// Packets until the speech begins again.
    pub(super) fn packets(&self) -> usize {
        self.mouth.packets()
    }

    /// Plays the speech over a network to all ears, in calls of their own.
    #[track_caller]
    pub(super) fn play(&mut self, network: &Network, folder: &Path) -> Played {
        std::fs::create_dir_all(folder).expect("the scratch folder is writable");
        self.mouth.forget();
        let mut peers = Vec::new();
        for theirs in &self.theirs {
            let (address, payload_type) =
                self.caller.call(&theirs.uri, spoken(self.codec), self.mouth.address);
            assert_eq!(payload_type, ours(self.codec).1, "baresip numbers the codec in a way of its own");
            peers.push(address);
        }
        let here = self.ours.answer(self.mouth.address);
        std::thread::sleep(SETTLED);
        let to: Vec<_> = [here].into_iter().chain(peers.iter().copied()).collect();
        let (begin, late) = self.mouth.speak(network, &to);
        std::thread::sleep(REST);
        let end = Instant::now();
        self.caller.hang_up(peers.len());
        let counted = self.ours.hang_up();
        let mut heard = vec![self.ours.heard(begin, end)];
        for (theirs, peer) in self.theirs.iter_mut().zip(peers) {
            heard.push(theirs.heard(&self.mouth.answers(peer), begin, end));
        }
        let counted = format!(
            "lost {}, late {}, concealed {} ms, buffer {} ms",
            counted.lost, counted.late, counted.concealed_ms, counted.buffer_ms
        );
        Played { takes: self.takes(network, folder, begin, heard), late, counted }
    }

    fn takes(&self, network: &Network, folder: &Path, begin: Instant, heard: Vec<Heard>) -> Vec<Take> {
        let reference = folder.join("spoken.wav");
        let samples = self.speech.iter().copied().cycle().take(network.packets * PACKET).collect();
        Recording { rate: RATE, samples }.write(&reference);
        // A packet leaves when its last sample has been spoken.
        let spoken_ms = network.quickest_ms() - PTIME_MS;
        let offset =
            |heard: &Heard| heard.from.saturating_duration_since(begin).as_secs_f64() - spoken_ms / 1000.0;
        let name = |n: usize| match n.checked_sub(1) {
            None => "ours".to_owned(),
            Some(n) => self.theirs[n].setting.name().to_owned(),
        };
        let each = heard.into_iter().enumerate();
        each.map(|(n, heard)| Take {
            reference: reference.clone(),
            offset: offset(&heard),
            heard: heard.write(folder.join(format!("{}.wav", name(n)))),
            wide: matches!(self.codec, Codec::G722 | Codec::Opus),
        })
        .collect()
    }
}

/// The codec in the words of `media`, and its payload type.
fn ours(codec: Codec) -> (media::Codec, u8) {
    match codec {
        Codec::Pcmu => (media::Codec::Pcmu, 0),
        Codec::Pcma => (media::Codec::Pcma, 8),
        Codec::G722 => (media::Codec::G722, 9),
        Codec::Opus => (media::Codec::Opus, OPUS),
    }
}

/// The number our user agent offers Opus by.
const OPUS: u8 = 111;

/// The codec in the words of `sip`.
fn spoken(codec: Codec) -> sip::Codec {
    match codec {
        Codec::Pcmu => sip::Codec::Pcmu,
        Codec::Pcma => sip::Codec::Pcma,
        Codec::G722 => sip::Codec::G722,
        Codec::Opus => sip::Codec::Opus,
    }
}
