//! A decoder of Opus that can wait: what it makes up for a packet that comes after all is taken back.

use std::collections::VecDeque;

use opus::Channels;

use crate::codec::MAX_SAMPLES;
use crate::frame::RATE;

/// Packets from which the state of a decoder is found again: 200 ms of 20 ms each. What is older is hardly heard in it.
const LATELY: usize = 10;
/// Samples over which real speech replaces what was made up: 10 ms.
const BLEND: usize = 480;

/// A decoder and what it was fed with.
pub(crate) struct Decoder {
    decoder: opus::Decoder,
    /// The last packets, in order and none missing between them.
    lately: VecDeque<Vec<u8>>,
    /// Something was made up since the last packet.
    made: bool,
    wide: Box<[i16; MAX_SAMPLES]>,
}

impl Decoder {
    /// # Errors
    /// When libopus has no memory.
    pub(crate) fn new() -> Result<Decoder, opus::Error> {
        let decoder = opus::Decoder::new(RATE, Channels::Mono)?;
        let (lately, wide) = (VecDeque::new(), Box::new([0; MAX_SAMPLES]));
        Ok(Decoder { decoder, lately, made: false, wide })
    }

    /// Decodes a packet and appends it to `out`; see [`crate::codec::Decoder::decode`].
    pub(crate) fn decode(
        &mut self,
        payload: &[u8],
        continues: bool,
        out: &mut Vec<i16>,
    ) -> Result<(), opus::Error> {
        let ahead = if self.made && continues { self.take_back()? } else { Vec::new() };
        if !continues {
            self.lately.clear();
        }
        self.made = false;
        let count = self.decoder.decode(payload, &mut self.wide[..], false)?.min(MAX_SAMPLES);
        let samples = &mut self.wide[..count];
        for (n, (sample, made)) in samples.iter_mut().zip(&ahead).enumerate() {
            let share = (n as f32 + 0.5) / BLEND as f32;
            *sample = (f32::from(*made) * (1.0 - share) + f32::from(*sample) * share) as i16;
        }
        out.extend_from_slice(samples);
        let oldest = if self.lately.len() < LATELY { None } else { self.lately.pop_front() };
        let mut kept = oldest.unwrap_or_default();
        kept.clear();
        kept.extend_from_slice(payload);
        self.lately.push_back(kept);
        Ok(())
    }

    /// Appends `count` samples in place of a missing packet; `next` is the one after it, which may hold a copy.
    pub(crate) fn conceal(&mut self, count: usize, next: Option<&[u8]>, out: &mut Vec<i16>) {
        self.made = true;
        let (payload, fec) = (next.unwrap_or_default(), next.is_some());
        match self.decoder.decode(payload, &mut self.wide[..count], fec) {
            Ok(made) => out.extend_from_slice(&self.wide[..made.min(count)]),
            // The next packet was broken: silence keeps the time right.
            Err(_) => out.resize(out.len() + count, 0),
        }
    }

    /// Puts the decoder where it was after the last packet; gives back what it would have made up next.
    fn take_back(&mut self) -> Result<Vec<i16>, opus::Error> {
        let mut ahead = vec![0; BLEND];
        let made = self.decoder.decode(&[], &mut ahead, false)?;
        ahead.truncate(made);
        self.decoder.reset_state()?;
        for payload in &self.lately {
            self.decoder.decode(payload, &mut self.wide[..], false)?;
        }
        Ok(ahead)
    }
}
