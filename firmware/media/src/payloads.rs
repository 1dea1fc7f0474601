//! Speech as this crate would send it, made beforehand: for reports and tests that play the same packets to several
//! listeners.

use crate::api::{Codec, SoundError};
use crate::codec::Encoder;
use crate::frame::RATE;

/// Milliseconds of speech in each payload.
const PAYLOAD_MS: u32 = 20;

/// Encodes `samples` (48 kHz, mono) into the payloads of packets of 20 ms each, as a call would; what is left at the end
/// and fills no packet is left out.
///
/// # Errors
/// [`SoundError::Codec`] when the codec fails.
pub fn payloads(codec: Codec, samples: &[i16]) -> Result<Vec<Vec<u8>>, SoundError> {
    let failed = |error: opus::Error| SoundError::Codec { reason: error.to_string() };
    let mut encoder = Encoder::new(codec).map_err(failed)?;
    let packets = samples.chunks_exact((PAYLOAD_MS * RATE / 1000) as usize);
    packets
        .map(|packet| {
            let mut payload = Vec::new();
            encoder.encode(packet, &mut payload).map_err(failed)?;
            Ok(payload)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_fifty_payloads_whatever_is_left_over() {
        for (codec, length) in [(Codec::Pcma, Some(160)), (Codec::G722, Some(160)), (Codec::Opus, None)] {
            let made = payloads(codec, &vec![100; 48_959]).expect("a codec");
            assert_eq!(made.len(), 50, "{codec:?}");
            assert!(made.iter().all(|one| length.is_none_or(|length| one.len() == length)), "{codec:?}");
        }
    }
}
