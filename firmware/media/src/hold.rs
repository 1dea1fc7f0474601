//! What a caller on hold hears: a message, if there is one for it, then pips, music or nothing.
//!
//! Everything is encoded beforehand, once for all callers. Pure: 10 ms at a time.
//! Not done here: RTP headers and when a stream is on hold ([`crate::stream`]), reading files
//! ([`crate::recording`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::{Codec, Remote};
use crate::codec::Encoder;
use crate::frame::FRAME_MS;
use crate::recording::Recording;
use crate::tones::{Generator, HOLD_PERIOD_MS, HOLD_PIPS_MS};

/// Someone must be on hold this long before the first sound, so that a call merely passing through hears none.
const FIRST_MS: u32 = 1000;
/// A message begins this long after it could: the far end has just been answered and may not listen yet.
const MESSAGE_FIRST_MS: u32 = 300;

/// What everybody on hold hears.
pub(crate) enum HoldSound {
    /// Nothing but RTCP.
    Nothing,
    /// Two soft pips every 5 s.
    Beep(Pips),
    /// Music, over and over.
    Music(Arc<Recording>),
}

/// The pips, encoded when first needed, by codec and packet time.
#[derive(Default)]
pub(crate) struct Pips {
    packets: BTreeMap<(u8, u32), Vec<Vec<u8>>>,
}

/// What one stream on hold has heard so far.
#[derive(Default)]
pub(crate) struct Waiting {
    /// Milliseconds on hold.
    held_ms: u32,
    /// Its own place in the music, which goes on there when it is on hold again.
    music_ms: u32,
    message: Option<Message>,
    /// Milliseconds for which the last packet still plays.
    covered_ms: u32,
}

/// A message being played.
struct Message {
    recording: Arc<Recording>,
    at_ms: u32,
}

/// What [`Waiting::next`] made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing to send now.
    Nothing,
    /// The payload is a packet of `ms` milliseconds; `first` when nothing was played just before it.
    Packet { ms: u32, first: bool },
}

impl Waiting {
    /// Hold begins. A message may be there already.
    pub(crate) fn begin(&mut self) {
        (self.held_ms, self.covered_ms) = (0, 0);
    }

    /// Hold ends. True when this cut a message short.
    pub(crate) fn end(&mut self) -> bool {
        self.message.take().is_some()
    }

    /// Lets 10 ms pass.
    pub(crate) fn elapse(&mut self) {
        self.held_ms = self.held_ms.wrapping_add(FRAME_MS);
    }

    /// Plays a message once. True when another is cut short by it.
    pub(crate) fn announce(&mut self, recording: Arc<Recording>) -> bool {
        self.message.replace(Message { recording, at_ms: 0 }).is_some()
    }

    /// Makes the packet due now, when the far end can be sent to. The second value tells that the message is over.
    pub(crate) fn next(
        &mut self,
        sound: &mut HoldSound,
        remote: &Remote,
        payload: &mut Vec<u8>,
    ) -> (Next, bool) {
        let first = self.covered_ms == 0;
        self.covered_ms = self.covered_ms.saturating_sub(FRAME_MS);
        if self.covered_ms > 0 {
            return (Next::Nothing, false);
        }
        let mut over = false;
        if let Some(message) = &mut self.message {
            if self.held_ms < MESSAGE_FIRST_MS {
                return (Next::Nothing, false);
            }
            let (codec, ptime_ms) = (remote.codec, remote.ptime_ms);
            if let Some(ms) = message.recording.packet(codec, message.at_ms, ptime_ms, payload) {
                message.at_ms += ms;
                self.covered_ms = ms;
                return (Next::Packet { ms, first }, false);
            }
            self.message = None;
            over = true;
        }
        let made = if self.held_ms < FIRST_MS { None } else { self.play(sound, remote, payload) };
        self.covered_ms = made.unwrap_or(0);
        (made.map_or(Next::Nothing, |ms| Next::Packet { ms, first }), over)
    }

    fn play(&mut self, sound: &mut HoldSound, remote: &Remote, payload: &mut Vec<u8>) -> Option<u32> {
        match sound {
            HoldSound::Nothing => None,
            HoldSound::Beep(pips) => {
                let position = (self.held_ms - FIRST_MS) % HOLD_PERIOD_MS;
                let due = position.is_multiple_of(remote.ptime_ms) && position < HOLD_PIPS_MS;
                due.then(|| pips.packet(remote, position, payload)).flatten()
            }
            HoldSound::Music(music) => {
                // A recording has 20 ms at least, and another one may have been longer.
                self.music_ms %= music.length_ms();
                let ms = music.packet(remote.codec, self.music_ms, remote.ptime_ms, payload)?;
                self.music_ms += ms;
                Some(ms)
            }
        }
    }
}

impl Pips {
    fn packet(&mut self, remote: &Remote, position: u32, payload: &mut Vec<u8>) -> Option<u32> {
        let codec = match remote.codec {
            Codec::Pcmu => 0,
            Codec::Pcma => 1,
            Codec::Opus => 2,
            Codec::G722 => 3,
        };
        let packets = self.packets.entry((codec, remote.ptime_ms)).or_insert_with(|| pips(remote));
        payload.clear();
        payload.extend_from_slice(packets.get((position / remote.ptime_ms) as usize)?);
        Some(remote.ptime_ms)
    }
}

/// Encodes the pips; none when the codec cannot be had, and then holding is silent.
fn pips(remote: &Remote) -> Vec<Vec<u8>> {
    let Ok(mut encoder) = Encoder::new(remote.codec) else { return Vec::new() };
    let mut generator = Generator::hold();
    let mut packets = Vec::new();
    for _ in 0..HOLD_PIPS_MS.div_ceil(remote.ptime_ms) {
        let samples: Vec<i16> = (0..remote.ptime_ms / FRAME_MS).flat_map(|_| generator.next()).collect();
        let mut payload = Vec::new();
        if encoder.encode(&samples, &mut payload).is_ok() {
            packets.push(payload);
        }
    }
    packets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Direction;
    use crate::frame::FRAME;
    use crate::wav::WavOut;

    fn remote() -> Remote {
        Remote {
            rtp: "10.0.0.1:4000".parse().expect("a literal"),
            rtcp: None,
            codec: Codec::Pcma,
            payload_type: 8,
            remote_payload_type: 8,
            also: Vec::new(),
            dtmf_payload_type: None,
            dtmf_clock_hz: 8_000,
            ptime_ms: 20,
            direction: Direction::SendRecv,
            rtcp_mux: false,
            srtp: None,
        }
    }

    /// 400 ms, in which no packet is as another.
    fn music() -> Arc<Recording> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("music.wav");
        let mut out = WavOut::open(path.to_str().expect("a plain path"), false).expect("opens");
        (0..40).for_each(|n| out.write(&[n * 500; FRAME]).expect("writes"));
        drop(out);
        Arc::new(Recording::open(&path).expect("a recording"))
    }

    #[test]
    fn music_goes_on_where_it_was_and_a_message_comes_first() {
        let mut waiting = Waiting::default();
        let (mut sound, to_b) = (HoldSound::Music(music()), remote());
        let (recording, mut payload, mut expected) = (music(), Vec::new(), Vec::new());
        let mut play = |waiting: &mut Waiting, ms: u32| {
            let mut played = Vec::new();
            for _ in 0..ms / FRAME_MS {
                let (next, over) = waiting.next(&mut sound, &to_b, &mut payload);
                if let Next::Packet { first, .. } = next {
                    played.push((first, payload.clone()));
                }
                if over {
                    played.push((true, Vec::new()));
                }
                waiting.elapse();
            }
            played
        };
        let mut packet = |at: u32| {
            recording.packet(Codec::Pcma, at, 20, &mut expected).expect("a packet");
            expected.clone()
        };
        // A second of nothing, then its beginning.
        let played = play(&mut waiting, 1100);
        assert_eq!(played.len(), 5);
        assert_eq!((&played[0], &played[1]), (&(true, packet(0)), &(false, packet(20))));
        assert!(!waiting.end());
        waiting.begin();
        assert_eq!(play(&mut waiting, 1020), [(true, packet(100))]);
        // The message: 300 ms of nothing, all its 400 ms, and the music goes on.
        waiting.begin();
        assert!(!waiting.announce(music()));
        let played = play(&mut waiting, 1020);
        assert_eq!(played.len(), 20 + 1 + 1);
        assert_eq!((&played[0], &played[19]), (&(true, packet(0)), &(false, packet(380))));
        assert_eq!((&played[20], &played[21]), (&(true, Vec::new()), &(true, packet(120))));
        assert!(!waiting.announce(music()) && waiting.announce(music()) && waiting.end());
    }
}
