//! Two streams and the network between them.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::api::{Alternative, Codec, Direction, SrtpKeys, SrtpSuite};
use crate::frame::SILENCE;
use crate::hold::Pips;
use crate::srtp::Guard;
use crate::wav::WavOut;

const EPOCH: Duration = Duration::from_secs(3_900_000_000);
const A: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 4000);
const B: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 4000);

/// Two streams and the network between them, on a clock of 10 ms ticks.
struct Pair {
    a: Stream,
    b: Stream,
    hold: HoldSound,
    now: Duration,
    /// What is under way: when it arrives, from whom, what, bytes.
    wire: Vec<(Duration, SocketAddr, Wire, Vec<u8>)>,
    events: Vec<Event>,
    sent: u64,
    phase: f32,
    /// Timestamp and length of A's packets of speech and music.
    packets: Vec<(u32, u32)>,
}

fn remote(rtp: SocketAddr, codec: Codec) -> Remote {
    Remote {
        rtp,
        rtcp: None,
        codec,
        payload_type: 100,
        remote_payload_type: 100,
        also: Vec::new(),
        dtmf_payload_type: Some(101),
        dtmf_clock_hz: codec.clock_rate(),
        ptime_ms: 20,
        direction: Direction::SendRecv,
        rtcp_mux: false,
        srtp: None,
    }
}

impl Pair {
    fn new(codec: Codec) -> Pair {
        let mut a = Stream::new(StreamId(1), Duration::ZERO, EPOCH, 11);
        let mut b = Stream::new(StreamId(2), Duration::ZERO, EPOCH, 22);
        a.connect(remote(B, codec)).expect("a codec");
        b.connect(remote(A, codec)).expect("a codec");
        a.set_live(true);
        b.set_live(true);
        let (wire, events) = (Vec::new(), Vec::new());
        let hold = HoldSound::Beep(Pips::default());
        Pair { a, b, hold, now: Duration::ZERO, wire, events, sent: 0, phase: 0.0, packets: Vec::new() }
    }

    /// 10 ms in which A says `voice` and every packet of A's meets `fate`: a delay, or its loss.
    fn tick(&mut self, voice: &Frame, fate: impl Fn(u64) -> Option<Duration>) -> Frame {
        let now = self.now;
        let Pair { a, b, hold, wire, events, sent, packets, .. } = self;
        let codec = a.link.as_ref().map(|link| link.remote.codec);
        a.tick(now, voice, hold, &mut |e| events.push(e), &mut |kind, to, bytes| {
            assert_eq!(to.ip(), B.ip());
            *sent += 1;
            if kind == Wire::Rtp && bytes[1] & 0x7F == 100 {
                let timestamp = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
                let units = codec.and_then(|codec| codec::duration(codec, &bytes[12..]));
                packets.push((timestamp, units.expect("a payload")));
            }
            if let Some(delay) = fate(*sent) {
                wire.push((now + delay, A, kind, bytes.to_vec()));
            }
        });
        b.tick(now, &SILENCE, hold, &mut |e| events.push(e), &mut |kind, _, bytes| {
            wire.push((now + Duration::from_millis(30), B, kind, bytes.to_vec()));
        });
        self.deliver();
        let heard = self.b.play(now).unwrap_or(SILENCE);
        self.a.play(now);
        self.now += Duration::from_millis(10);
        heard
    }

    fn deliver(&mut self) {
        let now = self.now;
        let (due, rest) = std::mem::take(&mut self.wire).into_iter().partition(|(at, ..)| *at <= now);
        self.wire = rest;
        let due: Vec<(Duration, SocketAddr, Wire, Vec<u8>)> = due;
        for (at, from, kind, bytes) in due {
            let to = if from == A { &mut self.b } else { &mut self.a };
            match kind {
                Wire::Rtp => to.receive(at, from, &bytes, &mut |e| self.events.push(e)),
                Wire::Rtcp => to.receive_rtcp(at, from, &bytes),
            }
        }
    }

    fn hum(&mut self) -> Frame {
        std::array::from_fn(|_| {
            self.phase = (self.phase + 440.0 / 48_000.0) % 1.0;
            (10_000.0 * (self.phase * std::f32::consts::TAU).sin()) as i16
        })
    }

    /// Lets A hum for `ms`, and returns what B heard.
    fn run(&mut self, ms: u32, fate: impl Fn(u64) -> Option<Duration>) -> Vec<i16> {
        (0..ms / 10)
            .flat_map(|_| {
                let voice = self.hum();
                self.tick(&voice, &fate)
            })
            .collect()
    }
}

fn at_once(_: u64) -> Option<Duration> {
    Some(Duration::from_millis(2))
}

fn rms(samples: &[i16]) -> f32 {
    (samples.iter().map(|&s| f32::from(s).powi(2)).sum::<f32>() / samples.len() as f32).sqrt()
}

/// Share of 440 Hz, in pieces of 50 ms.
fn share(samples: &[i16]) -> f64 {
    let (mut tone, mut all) = (0.0, 1e-9);
    for piece in samples.chunks_exact(2400) {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, &s) in piece.iter().enumerate() {
            let angle = std::f64::consts::TAU * 440.0 * n as f64 / 48_000.0;
            re += f64::from(s) * angle.cos();
            im += f64::from(s) * angle.sin();
        }
        tone += 2.0 * (re * re + im * im) / piece.len() as f64;
        all += piece.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>();
    }
    tone / all
}

#[test]
fn speech_takes_at_most_sixty_milliseconds_from_frame_to_frame() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus] {
        let mut pair = Pair::new(codec);
        // First a second of breath, so that the jitter buffer has settled.
        let breath: Frame = std::array::from_fn(|n| (n % 7) as i16);
        for _ in 0..150 {
            pair.tick(&breath, at_once);
        }
        let delay = (0..20).position(|_| {
            let voice = pair.hum();
            pair.tick(&voice, at_once).iter().any(|s| s.abs() > 2000)
        });
        // The frame being heard began one frame ago.
        assert!(delay.is_some_and(|frames| (frames + 1) * 10 <= 60), "{codec:?}: {delay:?}");
    }
}

#[test]
fn one_packet_in_ten_may_be_lost() {
    // Opus repairs with a coarse copy, which a bare tone shows more than speech does.
    for (codec, purity) in [(Codec::Pcma, 0.95), (Codec::G722, 0.9), (Codec::Opus, 0.85)] {
        let mut pair = Pair::new(codec);
        pair.run(1000, at_once);
        let heard = pair.run(5000, |n| (n % 10 != 3).then_some(Duration::from_millis(5)));
        assert!(share(&heard) > purity, "{codec:?}: {}", share(&heard));
        assert!(rms(&heard) > 6000.0, "{codec:?}: {}", rms(&heard));
        let stats = pair.b.stats();
        assert!((20..=30).contains(&stats.lost), "{stats:?}");
        assert!((400..=700).contains(&stats.concealed_ms), "{stats:?}");
    }
}

#[test]
fn the_last_minute_tells_in_which_second_packets_were_lost_or_late() {
    for codec in [Codec::Pcma, Codec::Opus] {
        let mut pair = Pair::new(codec);
        pair.run(3000, at_once);
        let first = pair.sent;
        // Five in a row are lost half way through the fourth second; in the sixth five come 400 ms late.
        pair.run(1000, |n| (!(first + 25..first + 30).contains(&n)).then_some(Duration::from_millis(2)));
        pair.run(1000, at_once);
        let first = pair.sent;
        let slow = |n| if (first + 25..first + 30).contains(&n) { 400 } else { 2 };
        pair.run(1000, |n| Some(Duration::from_millis(slow(n))));
        pair.run(1010, at_once);
        let seconds = pair.b.seconds(pair.now);
        assert_eq!(
            seconds.iter().map(|s| s.length_ms).collect::<Vec<_>>(),
            [[1000; 7].as_slice(), &[10]].concat()
        );
        let whole = &seconds[..7];
        for (n, second) in whole.iter().enumerate() {
            let expected = if n == 3 { 43..=46 } else { 48..=51 };
            assert!(expected.contains(&second.packets_received), "{codec:?}, second {n}: {second:?}");
            assert_eq!(second.lost > 3, n == 3, "{codec:?}, second {n}: {second:?}");
            assert_eq!(second.late > 1, n == 5, "{codec:?}, second {n}: {second:?}");
            assert_eq!(second.concealed_ms >= 40, n == 3 || n == 5, "{codec:?}, second {n}: {second:?}");
            assert!(!second.held && second.said_dbfs == -96.0, "B says nothing: {second:?}");
            assert!(
                n == 0 || (-16.0..-12.0).contains(&second.heard_dbfs),
                "{codec:?}, second {n}: {second:?}"
            );
        }
        let (stats, sum) = (pair.b.stats(), |of: fn(&Second) -> u32| seconds.iter().map(of).sum::<u32>());
        assert_eq!(u64::from(sum(|s| s.packets_received)), stats.packets_received);
        assert_eq!(u64::from(sum(|s| s.concealed_ms)), stats.concealed_ms);
        assert_eq!(u64::from(sum(|s| s.late)), stats.late);
        pair.b.set_live(false);
        pair.run(2000, at_once);
        let held = pair.b.seconds(pair.now)[8];
        assert_eq!((held.held, held.concealed_ms, held.heard_dbfs), (true, 0, -96.0), "{held:?}");
        assert!((48..=51).contains(&held.packets_received), "{held:?}");
    }
}

#[test]
fn swinging_delays_are_ironed_out() {
    for codec in [Codec::Pcmu, Codec::Opus] {
        let mut pair = Pair::new(codec);
        let swing = |n: u64| Some(Duration::from_millis(n * 7919 % 41));
        pair.run(3000, swing);
        let heard = pair.run(5000, swing);
        assert!(share(&heard) > 0.95, "{codec:?}: {}", share(&heard));
    }
}

#[test]
fn reports_tell_both_sides_the_round_trip() {
    let mut pair = Pair::new(Codec::Pcmu);
    pair.run(20_000, at_once);
    let trip = pair.a.stats().round_trip_ms.expect("reports were exchanged");
    // 2 ms there, 30 ms back.
    assert!((31.5..=45.0).contains(&trip), "{trip}");
    assert_eq!(pair.a.stats().remote_loss, Some(0.0));
}

#[test]
fn a_strangers_flood_is_counted_and_not_heard() {
    let mut pair = Pair::new(Codec::Pcmu);
    pair.run(1000, at_once);
    let stranger = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9)), 4000);
    let mut forged = Vec::new();
    Sender::new(5).write(100, false, 0, &[0x80; 160], &mut forged);
    let mut heard = Vec::new();
    for _ in 0..200 {
        for _ in 0..50 {
            pair.b.receive(pair.now, stranger, &forged, &mut |_| {});
            pair.b.receive_rtcp(pair.now, stranger, &forged);
            pair.b.receive(pair.now, A, &forged[..9], &mut |_| {});
        }
        let voice = pair.hum();
        heard.extend(pair.tick(&voice, at_once));
    }
    assert!(share(&heard) > 0.99, "{}", share(&heard));
    let stats = pair.b.stats();
    assert_eq!((stats.strangers, stats.ignored, stats.lost), (20_000, 10_000, 0));
}

/// Encrypts what two streams say; the keys are those of `local` and its mirror.
fn encrypt(pair: &mut Pair, a: u8, b: u8) {
    let keys = |local, remote| SrtpKeys {
        suite: SrtpSuite::Aes128Sha1_80,
        local: vec![local; 30],
        remote: vec![remote; 30],
    };
    let secured = |to, srtp| Remote { srtp: Some(srtp), rtcp_mux: true, ..remote(to, Codec::G722) };
    pair.a.connect(secured(B, keys(a, b))).expect("keys");
    pair.b.connect(secured(A, keys(b, a))).expect("keys");
}

#[test]
fn an_encrypted_stream_is_heard_and_reports_on_one_port() {
    let mut pair = Pair::new(Codec::G722);
    encrypt(&mut pair, 1, 2);
    pair.run(1000, at_once);
    let heard = pair.run(12_000, at_once);
    assert!(share(&heard) > 0.99, "{}", share(&heard));
    assert!(pair.a.stats().round_trip_ms.is_some(), "reports were opened");
    // New keys at both ends: nothing is lost but what is under way.
    encrypt(&mut pair, 3, 4);
    let heard = pair.run(1000, at_once);
    assert!(share(&heard) > 0.9, "{}", share(&heard));
    let stats = pair.b.stats();
    assert_eq!((stats.strangers, stats.ignored, stats.replayed), (0, 0, 0), "{stats:?}");
    assert!(stats.forged <= 4, "{stats:?}");
}

#[test]
fn nothing_of_an_encrypted_stream_is_plain_and_nothing_plain_is_taken() {
    let mut pair = Pair::new(Codec::G722);
    encrypt(&mut pair, 1, 2);
    pair.run(500, at_once);
    let before = pair.b.stats();
    let mut plain = Vec::new();
    Sender::new(5).write(100, false, 0, &[0x80; 160], &mut plain);
    pair.b.receive(pair.now, A, &plain, &mut |_| {});
    pair.b.receive_rtcp(pair.now, A, &[0x80, 201, 0, 1, 0, 0, 0, 1]);
    pair.b.receive_rtcp(
        pair.now,
        A,
        &[0x80, 201, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    );
    let stats = pair.b.stats();
    assert_eq!(stats.packets_received, before.packets_received);
    assert_eq!((stats.forged - before.forged, stats.ignored - before.ignored), (2, 1), "{stats:?}");
    // Digits, speech, what is heard on hold, reports and the farewell.
    pair.a.queue_digits("1");
    let mut sent = Vec::new();
    let (mut hold, now) = (HoldSound::Music(music()), pair.now);
    for n in 0..1200_u32 {
        pair.a.set_live(n < 400);
        let voice = pair.hum();
        let at = now + Duration::from_millis(10) * n;
        pair.a.tick(at, &voice, &mut hold, &mut |_| {}, &mut |_, _, bytes| sent.push(bytes.to_vec()));
    }
    pair.a.close(now + Duration::from_secs(13), &mut |_, _, bytes| sent.push(bytes.to_vec()));
    assert!(sent.len() > 500, "{}", sent.len());
    let mut wrong =
        Guard::new(SrtpKeys { suite: SrtpSuite::Aes128Sha1_80, local: vec![1; 30], remote: vec![9; 30] });
    let mut right =
        Guard::new(SrtpKeys { suite: SrtpSuite::Aes128Sha1_80, local: vec![2; 30], remote: vec![1; 30] });
    let (wrong, right) = (wrong.as_mut().expect("keys"), right.as_mut().expect("keys"));
    let mut reports = 0;
    for bytes in &sent {
        let kind = if RTCP_TYPES.contains(&bytes[1]) { Kind::Rtcp } else { Kind::Rtp };
        reports += u32::from(kind == Kind::Rtcp);
        assert!(wrong.open(kind, bytes).is_err() && right.open(kind, bytes).is_ok(), "{kind:?}");
    }
    assert!(reports >= 2, "{reports}");
}

#[test]
fn an_encrypted_peer_that_moves_is_followed_and_a_strangers_flood_is_hardly_looked_at() {
    let mut pair = Pair::new(Codec::G722);
    encrypt(&mut pair, 1, 2);
    pair.run(500, at_once);
    let before = pair.b.stats();
    let place = |host| SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 5, 5, host)), 7000);
    let mut forged = Vec::new();
    Sender::new(5).write(100, false, 0, &[0x80; 160], &mut forged);
    let mut goes = Vec::new();
    for _ in 0..20 {
        let voice = pair.hum();
        let Pair { a, b, hold, now, .. } = &mut pair;
        let mut sent = Vec::new();
        a.tick(*now, &voice, hold, &mut |_| {}, &mut |_, _, bytes| sent.push(bytes.to_vec()));
        for bytes in &sent {
            b.receive(*now, place(1), bytes, &mut |_| {});
        }
        for _ in 0..100 {
            b.receive(*now, place(2), &forged, &mut |_| {});
        }
        b.play(*now);
        b.tick(*now, &voice, hold, &mut |_| {}, &mut |_, to, _| goes.push(to));
        *now += Duration::from_millis(10);
    }
    assert_eq!((goes.first(), goes.last()), (Some(&A), Some(&place(1))));
    let stats = pair.b.stats();
    assert_eq!(stats.packets_received - before.packets_received, 10);
    assert!((200..=320).contains(&stats.forged), "{stats:?}");
    assert_eq!(stats.forged + stats.strangers, 2000, "{stats:?}");
}

#[test]
fn keys_that_are_none_make_a_stream_silent_and_not_plain() {
    let mut pair = Pair::new(Codec::Pcmu);
    let bad = SrtpKeys { suite: SrtpSuite::Aes256Sha1_80, local: vec![1; 30], remote: vec![2; 30] };
    let broken = Remote { srtp: Some(bad), ..remote(B, Codec::Pcmu) };
    assert!(pair.a.connect(broken.clone()).is_err());
    pair.run(6000, at_once);
    assert_eq!(pair.sent, 0);
    let mut fresh = Stream::new(StreamId(3), Duration::ZERO, EPOCH, 33);
    assert!(fresh.connect(broken).is_err());
}

#[test]
fn media_is_said_to_flow_and_to_stop() {
    let mut pair = Pair::new(Codec::Pcmu);
    pair.run(500, at_once);
    let flows = |flowing| Event::Media { stream: StreamId(2), flowing };
    assert_eq!(pair.events.iter().filter(|e| **e == flows(true)).count(), 1);
    pair.run(4000, |_| None);
    assert!(!pair.events.contains(&flows(false)));
    pair.run(2000, |_| None);
    assert_eq!(pair.events.iter().filter(|e| **e == flows(false)).count(), 1);
    pair.run(500, at_once);
    assert_eq!(pair.events.iter().filter(|e| **e == flows(true)).count(), 2);
}

/// As an exchange does that transfers the far end, or a telephone that is joined with it and parted again.
#[test]
fn what_is_said_right_after_a_time_in_which_nothing_was_received_is_heard_at_once_and_whole() {
    for codec in [Codec::Pcma, Codec::Opus] {
        for (pause_ms, is_silent) in [(100, false), (300, true), (400, false), (1000, false), (1900, true)] {
            let mut pair = Pair::new(codec);
            let rest = |to| Remote { direction: Direction::Inactive, ..remote(to, codec) };
            pair.run(1000, at_once);
            pair.b.connect(rest(A)).expect("a codec");
            if is_silent {
                pair.a.connect(rest(B)).expect("a codec");
            }
            pair.run(pause_ms, at_once);
            pair.a.connect(remote(B, codec)).expect("a codec");
            pair.b.connect(remote(A, codec)).expect("a codec");
            let which = format!("{codec:?}, {pause_ms} ms, silent {is_silent}");
            let first = pair.run(100, at_once);
            assert!(first.iter().any(|sample| sample.abs() > 2000), "{which}");
            pair.run(400, at_once);
            let heard = pair.run(1000, at_once);
            assert!(share(&heard) > 0.9 && rms(&heard) > 6000.0, "{which}: {}", share(&heard));
            let stats = pair.b.stats();
            assert!(stats.left_out_ms == 0 && stats.buffer_ms < 80, "{which}: {stats:?}");
        }
    }
}

#[test]
fn digits_beside_opus_are_counted_by_the_clock_that_the_peer_has_for_them() {
    let mut pair = Pair::new(Codec::Opus);
    let slow = |to| Remote { dtmf_clock_hz: 8_000, ..remote(to, Codec::Opus) };
    pair.a.connect(slow(B)).expect("a codec");
    pair.b.connect(slow(A)).expect("a codec");
    pair.run(500, at_once);
    pair.a.queue_digits("7");
    let mut lengths = Vec::new();
    let (mut hold, now) = (HoldSound::Beep(Pips::default()), pair.now);
    for n in 0..20_u32 {
        let at = now + Duration::from_millis(10) * n;
        pair.a.tick(at, &SILENCE, &mut hold, &mut |_| {}, &mut |kind, _, bytes| {
            if kind == Wire::Rtp && bytes[1] & 0x7F == 101 {
                lengths.push(u16::from_be_bytes([bytes[14], bytes[15]]));
                pair.b.receive(at, A, bytes, &mut |e| pair.events.push(e));
            }
        });
    }
    // 100 ms at 8 kHz, the end said three times.
    assert_eq!(lengths, [160, 320, 480, 640, 800, 800, 800]);
    let heard = Event::Digit { stream: StreamId(2), digit: '7', duration_ms: 100 };
    assert!(pair.events.contains(&heard), "{:?}", pair.events);
}

#[test]
fn digits_that_could_not_be_sent_for_long_are_not_sent_any_more() {
    for (typed, pause_ms, then_typed, expected) in
        [("12", 9_000, "", 2), ("12", 10_500, "", 0), ("12", 20_000, "3", 1)]
    {
        let mut pair = Pair::new(Codec::Pcma);
        pair.a.connect(Remote { direction: Direction::RecvOnly, ..remote(B, Codec::Pcma) }).expect("a codec");
        pair.a.queue_digits(typed);
        pair.run(pause_ms, at_once);
        pair.a.queue_digits(then_typed);
        pair.run(500, at_once);
        pair.a.connect(remote(B, Codec::Pcma)).expect("a codec");
        pair.run(1000, at_once);
        let digits = pair.events.iter().filter(|event| matches!(event, Event::Digit { .. })).count();
        assert_eq!(digits, expected, "{typed}, {pause_ms} ms, {then_typed}");
    }
}

/// An exchange whose answer named several sends any of them, and goes over to another at once.
#[test]
fn what_comes_by_another_codec_of_the_answer_is_heard_and_what_is_sent_stays() {
    for (agreed, other) in
        [(Codec::G722, Codec::Pcma), (Codec::Opus, Codec::Pcmu), (Codec::Pcma, Codec::Opus)]
    {
        let mut pair = Pair::new(agreed);
        let also = vec![Alternative { codec: other, payload_type: 96 }];
        let several = |direction| Remote { also: also.clone(), direction, ..remote(A, agreed) };
        pair.b.connect(several(Direction::SendRecv)).expect("a codec");
        pair.run(500, at_once);
        let elsewhere = Remote { remote_payload_type: 96, ..remote(B, other) };
        for (sends, arrives) in [(elsewhere, other), (remote(B, agreed), agreed)] {
            pair.a.connect(sends).expect("a codec");
            pair.run(500, at_once);
            let heard = pair.run(1000, at_once);
            assert!(share(&heard) > 0.9 && rms(&heard) > 6000.0, "{arrives:?}: {}", share(&heard));
            assert_eq!(pair.b.stats().codec, Some(arrives));
            // A hold and its end change nothing in that.
            pair.b.connect(several(Direction::SendOnly)).expect("a codec");
            pair.b.connect(several(Direction::SendRecv)).expect("a codec");
            let link = pair.b.link.as_ref().expect("connected");
            assert_eq!((link.remote.codec, link.arriving.codec), (agreed, arrives));
        }
        assert_eq!(pair.b.stats().strangers, 0);
        // A packet alone is a straggler, and what was never named is nothing.
        let link = pair.b.link.as_mut().expect("connected");
        let heard = [96, 100, 96, 97, 96, 96, 100].map(|payload_type| link.hears(payload_type));
        assert_eq!(heard, [false, true, false, false, true, true, false]);
    }
}

#[test]
fn digits_interrupt_speech_and_arrive_while_on_hold_too() {
    let mut pair = Pair::new(Codec::Opus);
    pair.run(500, at_once);
    pair.a.queue_digits("19");
    pair.run(600, at_once);
    pair.a.set_live(false);
    pair.a.queue_digits("#");
    pair.run(600, at_once);
    let digits: String = pair
        .events
        .iter()
        .filter_map(|e| match e {
            Event::Digit { stream: StreamId(2), digit, duration_ms: 100 } => Some(*digit),
            _ => None,
        })
        .collect();
    assert_eq!(digits, "19#");
}

#[test]
fn on_hold_there_are_pips_or_nothing_and_speech_returns() {
    for (hold, loudest, sent) in
        [(HoldSound::Beep(Pips::default()), 1000.0, 28), (HoldSound::Nothing, 0.0, 0)]
    {
        let mut pair = Pair::new(Codec::Pcma);
        pair.hold = hold;
        pair.run(1000, at_once);
        pair.a.set_live(false);
        pair.run(500, at_once);
        let before = pair.a.stats().packets_sent;
        let heard = pair.run(10_000, at_once);
        let peak = heard.iter().map(|s| f32::from(s.abs())).fold(0.0, f32::max);
        assert!(peak >= loudest && peak < 4000.0, "{peak}");
        let packets = pair.a.stats().packets_sent - before;
        assert_eq!(packets, sent);
        pair.a.set_live(true);
        pair.run(500, at_once);
        assert!(share(&pair.run(1000, at_once)) > 0.95);
    }
}

/// A recording of 400 ms at 440 Hz.
fn music() -> Arc<Recording> {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("music.wav");
    let mut out = WavOut::open(path.to_str().expect("a plain path"), false).expect("opens");
    let mut pair = Pair::new(Codec::Pcmu);
    (0..40).for_each(|_| out.write(&pair.hum()).expect("writes"));
    drop(out);
    Arc::new(Recording::open(&path).expect("a recording"))
}

#[test]
fn music_on_hold_is_heard_whatever_the_packet_time_and_no_moment_is_sent_twice() {
    for (codec, ptime_ms) in [
        (Codec::Pcmu, 10),
        (Codec::Pcma, 60),
        (Codec::Pcma, 30),
        (Codec::G722, 20),
        (Codec::Opus, 10),
        (Codec::Opus, 60),
    ] {
        let mut pair = Pair::new(codec);
        pair.hold = HoldSound::Music(music());
        let mut to_b = remote(B, codec);
        to_b.ptime_ms = ptime_ms;
        pair.a.connect(to_b).expect("a codec");
        pair.run(500, at_once);
        // Retrieved at every moment of a packet.
        for late in 0..6 {
            pair.a.set_live(false);
            pair.run(2000 + late * 10, at_once);
            let heard = pair.run(1000, at_once);
            assert!(share(&heard) > 0.9 && rms(&heard) > 6000.0, "{codec:?} {ptime_ms}: {}", share(&heard));
            pair.a.set_live(true);
            pair.run(500, at_once);
            let heard = pair.run(500, at_once);
            assert!(share(&heard) > 0.9 && rms(&heard) > 6000.0, "{codec:?} {ptime_ms}: {}", share(&heard));
        }
        let mut sent = pair.packets.iter().map(|(timestamp, units)| (*timestamp, timestamp + units));
        let mut end = sent.next().expect("packets").1;
        for (from, to) in sent {
            assert!(from >= end, "{codec:?} {ptime_ms}: {from} < {end}");
            end = to;
        }
    }
}

#[test]
fn an_address_of_nowhere_is_never_sent_to() {
    let mut pair = Pair::new(Codec::Pcmu);
    let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 4000);
    pair.a.connect(remote(nowhere, Codec::Pcmu)).expect("a codec");
    pair.run(10_000, at_once);
    assert_eq!(pair.sent, 0);
}

#[test]
fn every_packet_time_is_understood() {
    for codec in [Codec::Pcmu, Codec::G722, Codec::Opus] {
        for ptime_ms in [5, 10, 20, 30, 40, 50, 60, 200] {
            let mut pair = Pair::new(codec);
            let mut to_b = remote(B, codec);
            to_b.ptime_ms = ptime_ms;
            pair.a.connect(to_b).expect("a codec");
            pair.run(1500, at_once);
            let heard = pair.run(1000, at_once);
            assert!(share(&heard) > 0.97, "{codec:?} {ptime_ms}: {}", share(&heard));
            let longest = pair.packets.iter().map(|(_, units)| units * 1000 / codec.clock_rate()).max();
            assert!(longest.is_some_and(|ms| ms <= ptime_ms.max(10)), "{codec:?} {ptime_ms}: {longest:?}");
        }
    }
}
