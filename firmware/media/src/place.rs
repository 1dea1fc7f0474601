//! Who hears whom: the levels between one stream, the operator and the conference.
//!
//! Everybody in the conference hears the sum of all others without itself (an N−1 mix). All changes are ramps of
//! one frame, so that nobody clicks in or out. Pure arithmetic.
//! Not done here: who belongs where (the request), codecs and jitter ([`crate::stream`]).

use crate::frame::{Frame, SILENCE};
use crate::mixer::{Gain, Limiter, Mixer};
use crate::speaking::Speaking;

/// What a stream is for, now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// On hold: neither heard nor spoken to.
    Held,
    /// Alone with the operator.
    Alone,
    /// In the conference; `muted`, it hears but is not heard. `operator` tells whether the operator is there.
    Member { muted: bool, operator: bool },
}

/// What is said in these 10 ms.
pub(crate) struct Bus {
    ear: Mixer,
    conference: Mixer,
    ear_limiter: Limiter,
}

impl Bus {
    pub(crate) fn new() -> Bus {
        Bus { ear: Mixer::new(), conference: Mixer::new(), ear_limiter: Limiter::new() }
    }

    /// What the operator hears of the streams; and all is ready for the next 10 ms.
    pub(crate) fn finish(&mut self) -> Frame {
        let heard = self.ear_limiter.apply(&self.ear);
        self.ear.clear();
        self.conference.clear();
        heard
    }
}

/// One stream among the others.
pub(crate) struct Place {
    part: Part,
    to_ear: Gain,
    to_others: Gain,
    from_others: Gain,
    from_operator: Gain,
    /// What this stream put into the conference in these 10 ms.
    said: Mixer,
    limiter: Limiter,
    speaking: Speaking,
}

impl Place {
    /// On hold.
    pub(crate) fn new() -> Place {
        Place {
            part: Part::Held,
            to_ear: Gain::new(0.0),
            to_others: Gain::new(0.0),
            from_others: Gain::new(0.0),
            from_operator: Gain::new(0.0),
            said: Mixer::new(),
            limiter: Limiter::new(),
            speaking: Speaking::default(),
        }
    }

    /// Takes a part; the levels follow in the next frame.
    pub(crate) fn set(&mut self, part: Part) {
        self.part = part;
        let (ear, others, from_others, from_operator) = match part {
            Part::Held => (false, false, false, false),
            Part::Alone => (true, false, false, true),
            Part::Member { muted, operator } => (operator && !muted, !muted, true, operator),
        };
        let level = |on: bool| if on { 1.0 } else { 0.0 };
        self.to_ear.set(level(ear));
        self.to_others.set(level(others));
        self.from_others.set(level(from_others));
        self.from_operator.set(level(from_operator));
    }

    pub(crate) fn part(&self) -> Part {
        self.part
    }

    /// Takes what the stream says, if anything; returns a change of its talking mark.
    pub(crate) fn hear(&mut self, frame: Option<&Frame>, bus: &mut Bus) -> Option<bool> {
        if let Some(frame) = frame {
            self.distribute(frame, bus);
        }
        match self.part {
            Part::Member { muted: false, .. } => self.speaking.hear(frame),
            _ => self.silence(),
        }
    }

    /// Takes the last that is heard of the stream before it is gone or pauses, and lets it die away.
    pub(crate) fn hear_last(&mut self, frame: &Frame, bus: &mut Bus) {
        let part = self.part;
        self.set(Part::Held);
        self.distribute(frame, bus);
        self.set(part);
    }

    /// Ends the talking mark; says so when there was one.
    pub(crate) fn silence(&mut self) -> Option<bool> {
        self.speaking.stop().then_some(false)
    }

    /// What the stream's far end is to hear, once everybody has been heard.
    pub(crate) fn mix(&mut self, bus: &Bus, voice: &Frame) -> Frame {
        if self.from_others.is_shut() && self.from_operator.is_shut() {
            // Most streams are on hold, and cost nothing here.
            self.said.clear();
            return SILENCE;
        }
        let mut mix = Mixer::new();
        if !self.from_others.is_shut() {
            mix = bus.conference.without(&self.said);
            self.from_others.apply_to(&mut mix);
        }
        if !self.from_operator.is_shut() {
            mix.add(&self.from_operator.applied(voice));
        }
        self.said.clear();
        self.limiter.apply(&mix)
    }

    fn distribute(&mut self, frame: &Frame, bus: &mut Bus) {
        if !self.to_ear.is_shut() {
            bus.ear.add(&self.to_ear.applied(frame));
        }
        if !self.to_others.is_shut() {
            let said = self.to_others.applied(frame);
            bus.conference.add(&said);
            self.said.add(&said);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};
    use std::time::Duration;

    use super::*;
    use crate::api::{Codec, Direction, Remote, StreamId};
    use crate::frame::FRAME;
    use crate::hold::HoldSound;
    use crate::stream::{Stream, Wire};

    const MEMBER: Part = Part::Member { muted: false, operator: true };
    const MUTED: Part = Part::Member { muted: true, operator: true };
    const ALONE_AMONG_US: Part = Part::Member { muted: false, operator: false };

    /// Three streams that say constant levels, and an operator who says 1000.
    struct Desk {
        places: [Place; 3],
        bus: Bus,
    }

    /// What is heard at the end of each frame: by the streams, and by the operator.
    type Heard = ([i16; 3], i16);

    impl Desk {
        fn new(parts: [Part; 3]) -> Desk {
            let mut desk = Desk { places: std::array::from_fn(|_| Place::new()), bus: Bus::new() };
            desk.set(parts);
            desk
        }

        fn set(&mut self, parts: [Part; 3]) {
            self.places.iter_mut().zip(parts).for_each(|(place, part)| place.set(part));
        }

        fn frames(&mut self) -> ([Frame; 3], Frame) {
            for (place, level) in self.places.iter_mut().zip([100, 200, 400]) {
                place.hear(Some(&[level; FRAME]), &mut self.bus);
            }
            let heard = std::array::from_fn(|n| self.places[n].mix(&self.bus, &[1000; FRAME]));
            (heard, self.bus.finish())
        }

        /// The second frame after a change, when all ramps are over.
        fn settled(&mut self) -> Heard {
            self.frames();
            let (streams, ear) = self.frames();
            (streams.map(|frame| frame[0]), ear[0])
        }
    }

    #[test]
    fn everybody_hears_all_others_and_nobody_itself() {
        let mut desk = Desk::new([MEMBER; 3]);
        assert_eq!(desk.settled(), ([1600, 1500, 1300], 700));
        desk.set([MEMBER, MUTED, MEMBER]);
        assert_eq!(desk.settled(), ([1400, 1500, 1100], 500));
        desk.set([ALONE_AMONG_US; 3]);
        assert_eq!(desk.settled(), ([600, 500, 300], 0));
        desk.set([Part::Alone, ALONE_AMONG_US, ALONE_AMONG_US]);
        assert_eq!(desk.settled(), ([1000, 400, 200], 100));
        desk.set([Part::Held, MEMBER, Part::Held]);
        assert_eq!(desk.settled(), ([0, 1000, 0], 200));
    }

    #[test]
    fn whoever_comes_goes_or_is_muted_does_so_without_a_step() {
        let mut desk = Desk::new([MEMBER; 3]);
        let mut heard: [Vec<i16>; 4] = std::array::from_fn(|_| Vec::new());
        let parts = [MEMBER, MUTED, Part::Held, ALONE_AMONG_US, Part::Alone, MEMBER, Part::Held];
        for part in parts {
            desk.set([MEMBER, part, MEMBER]);
            for _ in 0..2 {
                let (streams, ear) = desk.frames();
                heard.iter_mut().zip(streams.into_iter().chain([ear])).for_each(|(all, f)| all.extend(f));
            }
        }
        // A hang-up in mid-tick: the last frame dies away, and the next has nothing.
        desk.places[2].hear_last(&[400; FRAME], &mut desk.bus);
        desk.places[0].hear(Some(&[100; FRAME]), &mut desk.bus);
        heard[0].extend(desk.places[0].mix(&desk.bus, &[1000; FRAME]));
        desk.bus.finish();
        desk.places[0].hear(Some(&[100; FRAME]), &mut desk.bus);
        heard[0].extend(desk.places[0].mix(&desk.bus, &[1000; FRAME]));
        for all in &heard {
            // At most 1600 come or go in one frame of 480 samples, by up to two ramps at once; a click is 100.
            let step = all.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max();
            assert!(step <= Some(10), "{step:?}");
        }
        assert_eq!(heard[0].last(), Some(&1000));
    }

    /// A member of a conference without sockets: our end, its end, and what it hums.
    struct Member {
        near: Stream,
        far: Stream,
        place: Place,
        hz: f32,
        heard: Vec<i16>,
    }

    fn address(host: u8) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, host)), 4000)
    }

    fn stream(id: u64, to: SocketAddr, codec: Codec) -> Stream {
        let mut stream = Stream::new(StreamId(id), Duration::ZERO, Duration::from_secs(3_900_000_000), id);
        let remote = Remote {
            rtp: to,
            rtcp: None,
            codec,
            payload_type: 100,
            remote_payload_type: 100,
            also: Vec::new(),
            dtmf_payload_type: None,
            dtmf_clock_hz: codec.clock_rate(),
            ptime_ms: 20,
            direction: Direction::SendRecv,
            rtcp_mux: false,
            srtp: None,
        };
        stream.connect(remote).expect("a codec");
        stream.set_live(true);
        stream
    }

    fn hum(hz: f32, tick: usize) -> Frame {
        std::array::from_fn(|n| {
            let t = (tick * FRAME + n) as f32 / 48_000.0;
            (3000.0 * (hz * t * std::f32::consts::TAU).sin()) as i16
        })
    }

    /// Level of the sine at `hz`; all hums have whole periods in a second.
    fn level(samples: &[i16], hz: f32) -> f32 {
        let pieces = samples.chunks_exact(4800);
        let count = pieces.len() as f32;
        let one = |piece: &[i16]| {
            let (mut re, mut im) = (0.0_f32, 0.0_f32);
            for (n, &s) in piece.iter().enumerate() {
                let angle = std::f32::consts::TAU * hz * n as f32 / 48_000.0;
                re += f32::from(s) * angle.cos();
                im += f32::from(s) * angle.sin();
            }
            2.0 * (re * re + im * im).sqrt() / piece.len() as f32
        };
        pieces.map(one).sum::<f32>() / count
    }

    fn cpu_time() -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` lives during the call.
        unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    /// Runs five members for `ticks` and returns what each hears after the first second, and the computing time
    /// our end took.
    fn conference(codec: Codec, hums: [f32; 5], ticks: usize) -> ([Vec<i16>; 5], Duration) {
        let mut members: [Member; 5] = std::array::from_fn(|n| {
            let (here, there) = (address(n as u8 + 1), address(n as u8 + 101));
            let (near, far) = (stream(n as u64, there, codec), stream(n as u64 + 100, here, codec));
            let mut place = Place::new();
            place.set(MEMBER);
            Member { near, far, place, hz: hums[n], heard: Vec::new() }
        });
        let (mut bus, mut hold, mut used) = (Bus::new(), HoldSound::Nothing, Duration::ZERO);
        for tick in 0..ticks {
            let now = Duration::from_millis(10 * tick as u64);
            let mut wire = Vec::new();
            for (n, member) in members.iter_mut().enumerate() {
                let voice = hum(member.hz, tick);
                member.far.tick(now, &voice, &mut hold, &mut |_| {}, &mut |kind, _, bytes| {
                    wire.push((n, kind, bytes.to_vec()));
                });
            }
            let before = cpu_time();
            for (n, kind, bytes) in wire.drain(..) {
                if kind == Wire::Rtp {
                    members[n].near.receive(now, address(n as u8 + 101), &bytes, &mut |_| {});
                }
            }
            for Member { near, place, .. } in &mut members {
                place.hear(near.play(now).as_ref(), &mut bus);
            }
            let voice = hum(300.0, tick);
            for (n, Member { near, place, .. }) in members.iter_mut().enumerate() {
                let said = place.mix(&bus, &voice);
                near.tick(now, &said, &mut hold, &mut |_| {}, &mut |kind, _, bytes| {
                    wire.push((n, kind, bytes.to_vec()));
                });
            }
            bus.finish();
            used += cpu_time() - before;
            for (n, kind, bytes) in wire {
                if kind == Wire::Rtp {
                    members[n].far.receive(now, address(n as u8 + 1), &bytes, &mut |_| {});
                }
            }
            for Member { far, heard, .. } in &mut members {
                let frame = far.play(now);
                heard.extend(frame.filter(|_| tick >= 100).into_iter().flatten());
            }
        }
        (members.map(|member| member.heard), used)
    }

    #[test]
    #[allow(clippy::print_stderr, reason = "a figure to be looked at, which depends on the machine")]
    fn five_members_hear_each_other_through_every_codec() {
        let hums = [420.0, 560.0, 740.0, 960.0, 1240.0];
        for codec in [Codec::Pcmu, Codec::Opus] {
            let (heard, used) = conference(codec, hums, 400);
            // 400 ticks of 10 ms are 200 of 20 ms.
            eprintln!("{codec:?}: {:?} of one core for 20 ms with 5 members", used / 200);
            for (own, heard) in heard.iter().enumerate() {
                for (n, hz) in hums.iter().enumerate() {
                    let level = level(heard, *hz);
                    let right = if n == own { level < 100.0 } else { (2300.0..3500.0).contains(&level) };
                    assert!(right, "{codec:?}: {hz} Hz at member {own}: {level}");
                }
                assert!((2300.0..3500.0).contains(&level(heard, 300.0)), "the operator at member {own}");
            }
        }
    }
}
