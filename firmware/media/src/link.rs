//! What a stream has once its far end is known: codecs, the jitter buffer, and the encryption between them and the wire.
//!
//! Pure. Not done here: which packets are made when, and whose they are ([`crate::stream`]).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use crate::api::{Alternative, Codec, Remote};
use crate::codec::{Decoder, Encoder};
use crate::comfort::{self, Comfort};
use crate::frame::{FRAME, FRAME_MS, Frame, RATE};
use crate::jitter::{JitterBuffer, Pull, Stretch};
use crate::loudness;
use crate::rtp::{MAX_PACKET, Receiver};
use crate::srtp::{Guard, Kind, Sealed};
use crate::stretch::{self, Pauses};

/// Packets of an encrypted stream opened in 10 ms that come from another address than the peer's, which may have moved:
/// each costs the work of a forged one.
const MAX_STRANGE: u32 = 16;

/// What exists once the far end is known.
pub(crate) struct Link {
    pub(crate) remote: Remote,
    /// What arrives: what was agreed, or what the peer has gone over to since.
    pub(crate) arriving: Alternative,
    /// The payload type of the last packet of speech, where that was another.
    turning: Option<u8>,
    pub(crate) rx: Receiver,
    /// Of an encrypted stream.
    pub(crate) guard: Option<Guard>,
    /// Packets from where the peer is not that were opened since the last tick.
    pub(crate) strange: u32,
    pub(crate) jitter: JitterBuffer,
    /// What is heard while the peer suppresses its silence.
    pub(crate) comfort: Comfort,
    pub(crate) decoder: Decoder,
    pub(crate) pauses: Pauses,
    pub(crate) encoder: Encoder,
    /// Decoded, not yet played.
    pub(crate) heard: VecDeque<i16>,
    pub(crate) decoded: Vec<i16>,
    /// What was done to the time of what is heard, since the start.
    pub(crate) changes: Changes,
    /// Spoken, not yet a whole packet, and the timestamp of its first sample.
    pub(crate) spoken: Vec<i16>,
    pub(crate) spoken_at: u32,
    /// The timestamp up to which something has been sent: what was played on hold may reach into speech.
    pub(crate) sent_until: Option<u32>,
    pub(crate) payload: Vec<u8>,
}

/// How the time of what is heard was changed; what is stretched is counted in samples.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Changes {
    shortened: u64,
    lengthened: u64,
    pub(crate) repaired_ms: u64,
}

impl Changes {
    fn count(&mut self, stretch: Stretch, samples: usize) {
        match stretch {
            Stretch::Keep => {}
            Stretch::Shorten | Stretch::ShortenPause => self.shortened += samples as u64,
            Stretch::Lengthen | Stretch::LengthenPause => self.lengthened += samples as u64,
        }
    }

    /// What was played shorter, and longer, in milliseconds.
    pub(crate) fn stretched_ms(self) -> (u32, u32) {
        let ms = |samples| u32::try_from(samples * 1000 / u64::from(RATE)).unwrap_or(u32::MAX);
        (ms(self.shortened), ms(self.lengthened))
    }
}

/// Why a stream cannot be had as agreed. It is silent then both ways.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unconnected {
    #[error("no codec: {0}")]
    Codec(#[from] opus::Error),
    #[error("no encryption with these keys: {0}")]
    Keys(#[from] libsrtp::SrtpError),
}

fn jitter_buffer(codec: Codec) -> JitterBuffer {
    JitterBuffer::new(codec.clock_rate(), codec == Codec::Opus, loudness::of(codec))
}

impl Link {
    pub(crate) fn new(remote: Remote) -> Result<Link, Unconnected> {
        Ok(Link {
            rx: Receiver::new(remote.rtp),
            guard: remote.srtp.clone().map(Guard::new).transpose()?,
            strange: 0,
            jitter: jitter_buffer(remote.codec),
            comfort: Comfort::new(),
            decoder: Decoder::new(remote.codec)?,
            pauses: Pauses::default(),
            encoder: Encoder::new(remote.codec)?,
            heard: VecDeque::new(),
            decoded: Vec::new(),
            changes: Changes::default(),
            spoken: Vec::new(),
            spoken_at: 0,
            sent_until: None,
            payload: Vec::new(),
            arriving: remote.agreed(),
            turning: None,
            remote,
        })
    }

    /// Takes what was agreed anew.
    pub(crate) fn change(&mut self, remote: Remote) -> Result<(), Unconnected> {
        match (&mut self.guard, &remote.srtp) {
            (Some(guard), Some(keys)) => guard.rekey(keys.clone())?,
            (guard, keys) => *guard = keys.clone().map(Guard::new).transpose()?,
        }
        self.rx.negotiate(remote.rtp);
        // Where the peer has gone over to another that it may still send, it is not taken back by a hold.
        let arriving = if remote.also.contains(&self.arriving) { self.arriving } else { remote.agreed() };
        if self.arriving.codec != arriving.codec {
            self.decoder = Decoder::new(arriving.codec)?;
            self.jitter = jitter_buffer(arriving.codec);
        }
        (self.arriving, self.turning) = (arriving, None);
        if self.remote.codec != remote.codec {
            self.encoder = Encoder::new(remote.codec)?;
            self.spoken.clear();
            // It may count by another clock now.
            self.sent_until = None;
        } else if self.remote.ptime_ms != remote.ptime_ms {
            self.spoken.clear();
        }
        let (before, after) = (self.remote.direction, remote.direction);
        if after.receives() && !before.receives() {
            // What was not to be heard is over: it is neither waited for nor made up.
            self.jitter.reset();
            self.heard.clear();
            self.comfort = Comfort::new();
        }
        if before.sends() && !after.sends() {
            // Half a packet of before does not begin the first one of later.
            self.spoken.clear();
        }
        self.remote = remote;
        Ok(())
    }

    /// Whether a packet of speech is of what is heard. The second in a row of another that may arrive is, and so is all of
    /// it that follows: the peer has gone over to it. One alone may be a straggler.
    pub(crate) fn hears(&mut self, payload_type: u8) -> bool {
        if payload_type == self.arriving.payload_type {
            self.turning = None;
            return true;
        }
        let agreed = self.remote.agreed();
        let mut known = self.remote.also.iter().copied().chain([agreed]);
        let Some(other) = known.find(|known| known.payload_type == payload_type) else { return false };
        if self.turning.replace(payload_type) != Some(payload_type) {
            return false;
        }
        let Ok(decoder) = Decoder::new(other.codec) else { return false };
        self.decoder = decoder;
        self.jitter = jitter_buffer(other.codec);
        self.comfort = Comfort::new();
        (self.arriving, self.turning) = (other, None);
        true
    }

    /// The plain packet inside a datagram of an encrypted stream; `None` of one that is not encrypted.
    pub(crate) fn open(
        &mut self,
        kind: Kind,
        from: SocketAddr,
        datagram: &[u8],
    ) -> Result<Option<Vec<u8>>, Sealed> {
        let Some(guard) = &mut self.guard else { return Ok(None) };
        if datagram.len() > MAX_PACKET {
            return Err(Sealed::Malformed);
        }
        if !self.rx.is_near(from) {
            self.strange += 1;
            if self.strange > MAX_STRANGE {
                return Err(Sealed::Strange);
            }
        }
        guard.open(kind, datagram).map(Some)
    }

    pub(crate) fn give_back(&mut self, opened: Option<Vec<u8>>) {
        if let (Some(guard), Some(room)) = (&mut self.guard, opened) {
            guard.give_back(room);
        }
    }

    /// Encrypts a packet if the stream is encrypted. False: it must not be sent.
    pub(crate) fn seal(&mut self, kind: Kind, packet: &mut Vec<u8>) -> bool {
        self.guard.as_mut().is_none_or(|guard| guard.seal(kind, packet).is_ok())
    }

    /// Where RTCP goes: RFC 5761, RFC 3605, or the port above RTP, which may have turned out to be elsewhere.
    pub(crate) fn rtcp_address(&self) -> SocketAddr {
        let peer = self.rx.peer();
        if self.remote.rtcp_mux {
            return peer;
        }
        let moved = peer.ip() != self.remote.rtp.ip().to_canonical();
        let named = self.remote.rtcp.filter(|_| !moved);
        named.unwrap_or(SocketAddr::new(peer.ip(), peer.port().wrapping_add(1)))
    }

    pub(crate) fn play(&mut self, now: Duration) -> Frame {
        while self.heard.len() < FRAME {
            let play_at = now + Duration::from_secs_f64(self.heard.len() as f64 / f64::from(RATE));
            self.decoded.clear();
            match self.jitter.pull(play_at) {
                Pull::Play { payload, stretch, continues } => {
                    self.comfort.played();
                    if self.decoder.decode(payload, continues, &mut self.decoded).is_err() {
                        self.decoder.conceal(2 * FRAME, None, &mut self.decoded);
                    }
                    let pauses = self.pauses.hear(&self.decoded);
                    let changed = match stretch {
                        Stretch::Keep => 0,
                        Stretch::ShortenPause | Stretch::LengthenPause if !pauses => 0,
                        Stretch::ShortenPause => stretch::shorten_pause(&mut self.decoded),
                        Stretch::Shorten => stretch::shorten(&mut self.decoded),
                        Stretch::Lengthen | Stretch::LengthenPause => stretch::lengthen(&mut self.decoded),
                    };
                    if changed > 0 {
                        self.jitter.stretched();
                        self.changes.count(stretch, changed);
                        if self.decoded.is_empty() {
                            continue;
                        }
                    }
                }
                Pull::Conceal { ms, next } => {
                    self.changes.repaired_ms += if next.is_some() { u64::from(ms) } else { 0 };
                    let pause = if next.is_none() { self.comfort.next() } else { None };
                    self.decoder.conceal((ms * RATE / 1000) as usize, next, &mut self.decoded);
                    if let Some(noise) = pause {
                        // Nothing is missing: the peer has said that it is silent.
                        self.jitter.reset();
                        comfort::fade_into(&mut self.decoded, &noise);
                    }
                }
                Pull::Quiet { ms } => {
                    self.decoded.extend(self.comfort.next().into_iter().flatten());
                    self.decoded.resize((ms * RATE / 1000) as usize, 0);
                }
            }
            if self.decoded.is_empty() {
                self.decoded.resize(FRAME, 0);
            }
            self.heard.extend(&self.decoded);
        }
        let mut frame = [0; FRAME];
        for (slot, sample) in frame.iter_mut().zip(self.heard.drain(..FRAME)) {
            *slot = sample;
        }
        frame
    }

    /// Gathers speech; true when `payload` holds a packet.
    pub(crate) fn speak(&mut self, voice: &Frame, timestamp: u32) -> bool {
        if self.spoken.is_empty() {
            // No moment is sent twice: at most the rest of one packet is waited for.
            if self.sent_until.is_some_and(|until| (until.wrapping_sub(timestamp) as i32) > 0) {
                return false;
            }
            self.sent_until = None;
            self.spoken_at = timestamp;
        }
        self.spoken.extend_from_slice(voice);
        if self.spoken.len() < (self.remote.ptime_ms * RATE / 1000) as usize {
            return false;
        }
        let encoded = self.encoder.encode(&self.spoken, &mut self.payload);
        self.spoken.clear();
        encoded.is_ok()
    }
}

/// Milliseconds in a packet as the codec can have them, at most what was asked for.
pub(crate) fn packet_time(codec: Codec, wanted_ms: u32) -> u32 {
    let wanted_ms = (wanted_ms / FRAME_MS * FRAME_MS).clamp(10, 60);
    match (codec, wanted_ms) {
        (Codec::Opus, 30) => 20,
        (Codec::Opus, 50) => 40,
        _ => wanted_ms,
    }
}
