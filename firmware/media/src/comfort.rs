//! Comfort noise (RFC 3389): what is heard while a peer with silence suppression sends no speech.
//!
//! The peer says how loud its noise is and what colour it has, in packets of payload type 13, and is silent otherwise. We
//! take them wherever the RTP clock is 8 kHz, negotiated or not, since gateways send them unasked; we do not offer them,
//! because an offer invites the peer to cut the beginnings of words. Our own side always sends speech.
//! Opus has no such packets (RFC 7587 section 3.1.3): there the decoder makes the noise.
//! Not done here: when the noise is due ([`crate::link`]).

use crate::api::Codec;
use crate::frame::{FRAME, Frame};
use crate::resample::Upsampler;

/// Its static payload type (RFC 3551 section 6).
pub(crate) const PAYLOAD_TYPE: u8 = 13;
/// The noise is made at this rate, in Hz.
const RATE: u32 = 8_000;
/// Reflection coefficients used at most; more of them only cost.
const ORDER: usize = 10;
/// The filter stays stable below 1.0.
const MOST: f32 = 0.98;

/// The noise of one peer.
pub(crate) struct Comfort {
    /// Packets so far, by which speech is counted less: they have sequence numbers and no time of their own.
    packets: u64,
    /// The sequence number of the last of them.
    last: u64,
    /// What is to be heard in the next pause; `None` since speech was heard.
    wanted: Option<Noise>,
    /// Speech after the last of them has arrived, and is heard soon.
    ending: bool,
    /// Level as a root of the mean square, moving towards the wanted one.
    level: f32,
    backward: [f32; ORDER],
    seed: u32,
    up: Upsampler,
    narrow: Vec<i16>,
    made: Vec<i16>,
}

/// What the peer says of its noise.
#[derive(Clone, Copy)]
struct Noise {
    level: f32,
    reflections: [f32; ORDER],
}

impl Comfort {
    pub(crate) fn new() -> Comfort {
        Comfort {
            packets: 0,
            last: 0,
            wanted: None,
            ending: false,
            level: 0.0,
            backward: [0.0; ORDER],
            seed: 1,
            up: Upsampler::new(RATE),
            narrow: Vec::new(),
            made: Vec::new(),
        }
    }

    /// Whether packets of this payload type are about noise, where speech is in `codec`.
    pub(crate) fn is(payload_type: u8, codec: Codec) -> bool {
        payload_type == PAYLOAD_TYPE && codec.clock_rate() == RATE
    }

    /// Takes a packet's payload: the level, then the reflection coefficients.
    pub(crate) fn receive(&mut self, sequence: u64, payload: &[u8]) {
        self.packets += 1;
        self.last = sequence;
        self.ending = false;
        let Some((&level, colours)) = payload.split_first() else { return };
        let mut reflections = [0.0; ORDER];
        for (reflection, &colour) in reflections.iter_mut().zip(colours) {
            // RFC 3389 section 3.2.
            *reflection = (258.0 * (f32::from(colour) - 127.0) / 32_768.0).clamp(-MOST, MOST);
        }
        // Its highest bit is reserved. 0 dBov is the loudest square wave.
        let level = 32_768.0 * 10_f32.powf(-f32::from(level & 0x7F) / 20.0);
        self.wanted = Some(Noise { level, reflections });
    }

    /// Takes note of a packet of speech: its sequence number among those of speech only.
    pub(crate) fn speech(&mut self, sequence: u64) -> u64 {
        self.ending |= sequence > self.last;
        sequence.saturating_sub(self.packets)
    }

    /// Speech has been played: the noise ends, unless it was told of what comes after.
    pub(crate) fn played(&mut self) {
        if self.ending {
            (self.wanted, self.level) = (None, 0.0);
        }
    }

    /// The next 10 ms; `None` where the peer has announced none.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let Noise { level, reflections } = self.wanted?;
        // The filter is louder than what drives it by so much.
        let gain = reflections.iter().map(|k| 1.0 - k * k).product::<f32>().sqrt();
        let count = FRAME / (crate::frame::RATE / RATE) as usize;
        let step = (level - self.level) / count as f32;
        self.narrow.clear();
        for _ in 0..count {
            self.level += step;
            let mut sample = self.white() * self.level * gain;
            for n in (0..ORDER).rev() {
                sample -= reflections[n] * self.backward[n];
                if n + 1 < ORDER {
                    self.backward[n + 1] = self.backward[n] + reflections[n] * sample;
                }
            }
            self.backward[0] = sample;
            // `as` saturates.
            self.narrow.push(sample as i16);
        }
        self.level = level;
        self.made.clear();
        self.up.process(&self.narrow, &mut self.made);
        Some(std::array::from_fn(|n| self.made.get(n).copied().unwrap_or(0)))
    }

    /// White, with a mean square of 1.
    fn white(&mut self) -> f32 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        (self.seed as f32 / (1_u32 << 31) as f32 - 1.0) * 3_f32.sqrt()
    }
}

/// Lets what is left of speech die away in the noise, within 10 ms.
pub(crate) fn fade_into(speech: &mut [i16], noise: &Frame) {
    let length = speech.len().max(1) as f32;
    for (n, (sample, noise)) in speech.iter_mut().zip(noise).enumerate() {
        // `as` saturates.
        *sample = (f32::from(*sample) * (1.0 - (n + 1) as f32 / length) + f32::from(*noise)) as i16;
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::api::{Direction, Remote, StreamId};
    use crate::stream::Stream;

    const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 4000);

    fn rms(sound: &[i16]) -> f32 {
        (sound.iter().map(|&s| f32::from(s) * f32::from(s)).sum::<f32>() / sound.len().max(1) as f32).sqrt()
    }

    fn dbov(sound: &[i16]) -> f32 {
        20.0 * (rms(sound) / 32_768.0).log10()
    }

    fn second(payload: &[u8]) -> Vec<i16> {
        let mut comfort = Comfort::new();
        comfort.receive(0, payload);
        (0..100).flat_map(|_| comfort.next().expect("noise")).collect()
    }

    #[test]
    fn the_noise_has_the_level_told_whatever_its_colour() {
        for level in [30, 45, 60] {
            for colours in [&[][..], &[200][..], &[40, 180, 127, 90][..]] {
                let noise = second(&[&[level], colours].concat());
                // What is beyond 3.5 kHz is lost on the way to the devices.
                let off = dbov(&noise[4800..]) + f32::from(level);
                assert!((-3.0..1.5).contains(&off), "-{level} dBov, {colours:?}: {off} dB off");
            }
        }
    }

    #[test]
    fn the_colour_told_is_heard() {
        // Falls and rises a sample: the share of the steps in the level tells dark from bright.
        let brightness = |noise: &[i16]| {
            let steps: Vec<i16> = noise.windows(2).map(|w| w[1].saturating_sub(w[0])).collect();
            rms(&steps) / rms(noise)
        };
        let (dark, white, bright) = (second(&[40, 20]), second(&[40]), second(&[40, 235]));
        assert!(brightness(&dark) < 0.7 * brightness(&white) && brightness(&white) < brightness(&bright));
    }

    proptest! {
        #[test]
        fn whatever_is_told_the_noise_is_never_louder_than_that(payload in prop::collection::vec(any::<u8>(), 1..40)) {
            let noise = second(&payload);
            prop_assert!(dbov(&noise) < 6.0 - f32::from(payload[0] & 0x7F), "{payload:?}: {}", dbov(&noise));
        }
    }

    /// A call in G.711, and what is heard of it.
    struct Call {
        stream: Stream,
        now: Duration,
        sequence: u16,
        timestamp: u32,
        heard: Vec<i16>,
    }

    impl Call {
        fn new() -> Call {
            Call::in_codec(Codec::Pcmu, 0)
        }

        fn in_codec(codec: Codec, payload_type: u8) -> Call {
            let mut stream = Stream::new(StreamId(1), Duration::ZERO, Duration::ZERO, 5);
            let remote = Remote {
                rtp: PEER,
                rtcp: None,
                rtcp_mux: false,
                srtp: None,
                codec,
                payload_type,
                remote_payload_type: payload_type,
                also: Vec::new(),
                dtmf_payload_type: None,
                dtmf_clock_hz: codec.clock_rate(),
                ptime_ms: 20,
                direction: Direction::SendRecv,
            };
            stream.connect(remote).expect("a codec");
            stream.set_live(true);
            Call { stream, now: Duration::ZERO, sequence: 0, timestamp: 0, heard: Vec::new() }
        }

        fn packet(&mut self, payload_type: u8, payload: &[u8]) {
            let mut packet = vec![0x80, payload_type];
            packet.extend(self.sequence.to_be_bytes());
            packet.extend(self.timestamp.to_be_bytes());
            packet.extend([0, 0, 0, 7]);
            packet.extend(payload);
            self.sequence += 1;
            self.stream.receive(self.now, PEER, &packet, &mut |_| {});
        }

        /// 20 ms pass.
        fn pass(&mut self) {
            for _ in 0..2 {
                self.heard.extend(self.stream.play(self.now).expect("it is heard"));
                self.now += Duration::from_millis(10);
            }
            self.timestamp += 160;
        }

        fn speak(&mut self, packets: u32) {
            for _ in 0..packets {
                // Two codes in turn: a loud 4 kHz is still a sound.
                let payload: Vec<u8> = (0..160).map(|n| if n / 8 % 2 == 0 { 0x90 } else { 0x10 }).collect();
                self.packet(0, &payload);
                self.pass();
            }
        }

        fn tail(&self, ms: usize) -> &[i16] {
            &self.heard[self.heard.len() - 48 * ms..]
        }
    }

    #[test]
    fn in_a_pause_with_noise_told_the_noise_is_heard_and_nothing_is_lost() {
        for pause_ms in [200, 2000] {
            let mut call = Call::new();
            call.speak(50);
            let loud = rms(call.tail(200));
            call.packet(PAYLOAD_TYPE, &[45]);
            (0..pause_ms / 20).for_each(|_| call.pass());
            let level = dbov(call.tail(100));
            assert!((-48.0..-43.0).contains(&level), "after {pause_ms} ms: {level} dBov");
            call.speak(50);
            assert!(rms(call.tail(200)) > 0.8 * loud, "speech is back after {pause_ms} ms");
            let stats = call.stream.stats();
            assert_eq!((stats.lost, stats.late, stats.ignored), (0, 0, 0), "after {pause_ms} ms");
            assert!(stats.concealed_ms <= 10, "after {pause_ms} ms: {} ms made up", stats.concealed_ms);
        }
    }

    #[test]
    fn without_noise_told_a_pause_becomes_silence() {
        let mut call = Call::new();
        call.speak(50);
        (0..50).for_each(|_| call.pass());
        assert!(call.tail(100).iter().all(|sample| *sample == 0));
    }

    #[test]
    fn a_peer_that_speaks_opus_without_its_silence_is_never_heard_as_silence() {
        let mut encoder =
            opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Voip).expect("opus");
        encoder.set_dtx(true).expect("opus can");
        // Below the rates of music, where it looks for speech.
        encoder.set_bitrate(opus::Bitrate::Bits(14_000)).expect("opus can");
        let mut call = Call::in_codec(Codec::Opus, 96);
        let (mut noise, mut sent) = (Comfort::new(), 0);
        for n in 0..250 {
            let level = if n < 50 { 4000.0 } else { 40.0 };
            let frame: Vec<i16> = (0..960).map(|_| (noise.white() * level) as i16).collect();
            let payload = encoder.encode_vec(&frame, 400).expect("encodes");
            // Two bytes and less are not sent (RFC 7587 section 3.1.3).
            if payload.len() > 2 {
                call.packet(96, &payload);
                sent += 1;
            }
            call.pass();
            call.timestamp += 960 - 160;
        }
        assert!(sent < 150, "{sent} of 250 packets: the peer did not suppress its silence");
        let silent = call.heard[48_000..].chunks(4800).filter(|chunk| rms(chunk) < 1.0).count();
        assert_eq!(silent, 0, "tenths of a second without any noise");
        assert_eq!(call.stream.stats().lost, 0);
    }

    #[test]
    fn noise_is_not_taken_where_the_clock_is_another() {
        assert!(
            Comfort::is(13, Codec::G722) && !Comfort::is(13, Codec::Opus) && !Comfort::is(12, Codec::Pcmu)
        );
    }
}
