//! Hours of drift: the clock of the far end runs too fast or too slow against ours, and nothing is heard of it. Tests only.

use std::net::SocketAddr;
use std::time::Duration;

use crate::api::{Codec, Direction, Event, Remote, StreamId};
use crate::codec::Encoder;
use crate::frame::{FRAME, RATE};
use crate::rtp::Sender;
use crate::stream::Stream;

/// How far a clock is off, and for how long.
const DRIFT: f64 = 200e-6;
const HOURS: f64 = 2.0;
/// The tone that is sent: 100 periods in a second, so that whole packets of it can be sent over and over.
const HZ: f64 = 400.0;
const LEVEL: f64 = 8_000.0;
/// The steepest step between two samples of that tone at 48 kHz is 419; G.711 adds its steps of 256 at the top, smoothed by
/// the rise to 48 kHz. A sample left out or said twice in a bad place is a step of thousands.
const CLICK: i32 = 800;

/// What was heard.
#[derive(Debug, Default)]
struct Heard {
    clicks: u32,
    silent_frames: u32,
    /// Depth of the buffer in ms after the first ten seconds.
    least_ms: u32,
    most_ms: u32,
}

/// Listens to a far end whose clock is `drift` fast, for `HOURS`; the network delays each packet by 5 to 9 ms.
fn listen(codec: Codec, drift: f64) -> (Heard, crate::api::Stats) {
    let far: SocketAddr = ([10, 0, 0, 2], 4000).into();
    let mut stream = Stream::new(StreamId(1), Duration::ZERO, Duration::ZERO, 7);
    let remote = Remote {
        rtp: far,
        rtcp: None,
        rtcp_mux: false,
        srtp: None,
        codec,
        payload_type: 100,
        remote_payload_type: 100,
        also: Vec::new(),
        dtmf_payload_type: None,
        dtmf_clock_hz: codec.clock_rate(),
        ptime_ms: 20,
        direction: Direction::SendRecv,
    };
    stream.connect(remote).expect("a codec");
    stream.set_live(true);
    let words = words(codec);
    let mut sender = Sender::new(3);
    let units = 20 * codec.clock_rate() / 1000;
    let ticks = (HOURS * 3600.0 * 100.0) as u64;
    let (mut said, mut dice) = (0_u64, 1_u64);
    let mut next = None;
    let mut heard = Heard { least_ms: u32::MAX, ..Heard::default() };
    let mut last = 0_i32;
    let mut bytes = Vec::new();
    for tick in 0..ticks {
        let now = Duration::from_millis(10 * tick);
        loop {
            let at = *next.get_or_insert_with(|| {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let way = 0.005 + (dice >> 40) as f64 / (1_u64 << 24) as f64 * 0.004;
                Duration::from_secs_f64(said as f64 * 0.020 / (1.0 + drift) + way)
            });
            if at > now {
                break;
            }
            sender.write(100, false, sender.timestamp(), &words[(said % 50) as usize], &mut bytes);
            sender.advance(units);
            stream.receive(at, far, &bytes, &mut |_: Event| {});
            (said, next) = (said + 1, None);
        }
        let frame = stream.play(now).expect("it is heard");
        if tick > 1000 {
            for sample in frame {
                heard.clicks += u32::from((i32::from(sample) - last).abs() > CLICK);
                last = i32::from(sample);
            }
            let peak = frame.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
            heard.silent_frames += u32::from(f64::from(peak) < LEVEL / 2.0);
            // Just after a stretch it is not known.
            let depth = stream.stats().buffer_ms;
            if depth > 0 {
                (heard.least_ms, heard.most_ms) = (heard.least_ms.min(depth), heard.most_ms.max(depth));
            }
        }
        last = i32::from(frame[FRAME - 1]);
    }
    (heard, stream.stats())
}

/// A second of the tone in packets.
fn words(codec: Codec) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(codec).expect("a codec");
    let mut packets = Vec::new();
    // The first second is for codecs that learn.
    for packet in 0..100 {
        let samples: Vec<i16> = (0..2 * FRAME)
            .map(|n| {
                let at = (packet * 2 * FRAME + n) as f64 / f64::from(RATE);
                (LEVEL * (std::f64::consts::TAU * HZ * at).sin()) as i16
            })
            .collect();
        let mut payload = Vec::new();
        encoder.encode(&samples, &mut payload).expect("encodes");
        packets.push(payload);
    }
    packets.split_off(50)
}

fn drift_is_not_heard(codec: Codec, drift: f64) {
    let (heard, stats) = listen(codec, drift);
    // In two hours the clocks part by 1.44 s, 72 packets.
    assert_eq!((stats.lost, stats.late, heard.silent_frames), (0, 0, 0), "{heard:?} {stats:?}");
    assert!(stats.concealed_ms <= 40, "{heard:?} {stats:?}");
    assert_eq!(heard.clicks, 0, "{heard:?}");
    assert!(heard.least_ms >= 10 && heard.most_ms <= 60, "{heard:?}");
}

#[test]
fn two_hours_of_a_far_end_that_is_too_fast_are_heard_without_a_fault() {
    drift_is_not_heard(Codec::Pcma, DRIFT);
}

#[test]
fn two_hours_of_a_far_end_that_is_too_slow_are_heard_without_a_fault() {
    drift_is_not_heard(Codec::Pcma, -DRIFT);
}

#[test]
fn drift_is_followed_with_opus_too() {
    drift_is_not_heard(Codec::Opus, DRIFT);
    drift_is_not_heard(Codec::Opus, -DRIFT);
}
