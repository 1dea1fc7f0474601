//! The last minute of a stream, second by second, in figures: what support looks at when the operator says that something
//! was wrong. There is no speech in it, nor can any be made of it: of sound it has one level a second each way.
//!
//! Pure: time and figures are handed in. Its memory is made with it; a second that passes allocates nothing.
//! Not done here: who asks for it, and when that was ([`crate::Media::mark`]).

use std::collections::VecDeque;
use std::time::Duration;

use crate::api::Stats;
use crate::frame::{FRAME, Frame};

/// Seconds kept.
pub(crate) const SECONDS: usize = 60;
const SECOND: Duration = Duration::from_secs(1);
/// The level of nothing at all, in dBFS.
const FLOOR: f32 = -96.0;

/// What was counted of a stream in one second. What is counted from the start elsewhere ([`Stats`]) is counted here from
/// the second's beginning to its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Second {
    /// How long it was: 1000, or less of the one that was not over.
    pub length_ms: u32,
    /// At its end neither heard nor spoken to: late packets, made up sound and levels are not counted on hold.
    pub held: bool,
    /// RTP packets sent.
    pub packets_sent: u32,
    /// RTP packets accepted.
    pub packets_received: u32,
    /// Packets that turned out to be missing, which shows with the next one that comes.
    pub lost: u32,
    /// Packets that came after their time to play.
    pub late: u32,
    /// Milliseconds of speech made up.
    pub concealed_ms: u32,
    /// Milliseconds of these made of the packet after the hole, which holds a copy (Opus) or leads back (G.711, G.722).
    pub repaired_ms: u32,
    /// Milliseconds by which speech was played shorter, to lose delay.
    pub shortened_ms: u32,
    /// Milliseconds by which speech was played longer, to gain delay.
    pub lengthened_ms: u32,
    /// Milliseconds of speech that were there and not played, to lose much delay at once.
    pub left_out_ms: u32,
    /// Interarrival jitter in milliseconds (RFC 3550 section 6.4.1), at its end.
    pub jitter_ms: f32,
    /// Depth of the jitter buffer in milliseconds, at its end.
    pub buffer_ms: u32,
    /// Round trip in milliseconds by RTCP, as it was known at its end.
    pub round_trip_ms: Option<f32>,
    /// How loud the far end was, before the operator's own level: RMS in dBFS, 0.0 the loudest there is, -96.0 for nothing.
    pub heard_dbfs: f32,
    /// How loud the far end heard us, conference and mute included, likewise; not what it hears on hold.
    pub said_dbfs: f32,
}

/// The whole seconds of the last minute, and the one that runs.
pub(crate) struct LastMinute {
    /// Oldest first, never more than [`SECONDS`].
    whole: VecDeque<Second>,
    /// When the running second began; none runs before the far end is known.
    began: Option<Duration>,
    /// What had been counted when it began.
    before: Stats,
    /// The most packets that were ever missing: one that was only overtaken is not missed a second time.
    missed: u64,
    heard: Power,
    said: Power,
}

impl LastMinute {
    pub(crate) fn new() -> LastMinute {
        LastMinute {
            whole: VecDeque::with_capacity(SECONDS),
            began: None,
            before: Stats::default(),
            missed: 0,
            heard: Power::default(),
            said: Power::default(),
        }
    }

    /// True when [`LastMinute::pass`] has something to do.
    pub(crate) fn is_due(&self, now: Duration) -> bool {
        self.began.is_none_or(|began| now.saturating_sub(began) >= SECOND)
    }

    /// Begins the first second, or ends those that are over; `stats` is what has been counted by now. After a standstill
    /// the first that is over has everything, and the others nothing.
    pub(crate) fn pass(&mut self, now: Duration, stats: &Stats, held: bool) {
        let Some(began) = self.began else {
            self.began = Some(now);
            self.restart(stats);
            return;
        };
        let over = now.saturating_sub(began).as_secs();
        for _ in 0..over.min(SECONDS as u64) {
            let second = self.running(SECOND, stats, held);
            self.restart(stats);
            if self.whole.len() == SECONDS {
                self.whole.pop_front();
            }
            self.whole.push_back(second);
        }
        self.began = Some(began + SECOND * u32::try_from(over).unwrap_or(u32::MAX));
    }

    pub(crate) fn hear(&mut self, frame: &Frame) {
        self.heard.add(frame);
    }

    pub(crate) fn say(&mut self, frame: &Frame) {
        self.said.add(frame);
    }

    /// All there is, oldest first, the running second last: at most [`SECONDS`].
    pub(crate) fn seconds(&self, now: Duration, stats: &Stats, held: bool) -> Box<[Second]> {
        let length = self.began.map_or(Duration::ZERO, |began| now.saturating_sub(began).min(SECOND));
        let running = (length.as_millis() > 0).then(|| self.running(length, stats, held));
        let surplus = (self.whole.len() + usize::from(running.is_some())).saturating_sub(SECONDS);
        self.whole.iter().skip(surplus).copied().chain(running).collect()
    }

    fn running(&self, length: Duration, stats: &Stats, held: bool) -> Second {
        let before = &self.before;
        Second {
            length_ms: length.as_millis() as u32,
            held,
            packets_sent: since(stats.packets_sent, before.packets_sent),
            packets_received: since(stats.packets_received, before.packets_received),
            lost: narrow(stats.lost.saturating_sub(self.missed)),
            late: since(stats.late, before.late),
            concealed_ms: since(stats.concealed_ms, before.concealed_ms),
            repaired_ms: since(stats.repaired_ms, before.repaired_ms),
            shortened_ms: since(stats.shortened_ms.into(), before.shortened_ms.into()),
            lengthened_ms: since(stats.lengthened_ms.into(), before.lengthened_ms.into()),
            left_out_ms: since(stats.left_out_ms.into(), before.left_out_ms.into()),
            jitter_ms: stats.jitter_ms,
            buffer_ms: stats.buffer_ms,
            round_trip_ms: stats.round_trip_ms,
            heard_dbfs: self.heard.dbfs(),
            said_dbfs: self.said.dbfs(),
        }
    }

    fn restart(&mut self, stats: &Stats) {
        self.before = *stats;
        self.missed = self.missed.max(stats.lost);
        (self.heard, self.said) = (Power::default(), Power::default());
    }
}

/// How much was counted since; what counts less than before has begun anew (another codec).
fn since(now: u64, before: u64) -> u32 {
    narrow(now.checked_sub(before).unwrap_or(now))
}

fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The mean square of what goes by.
#[derive(Debug, Default, Clone, Copy)]
struct Power {
    squares: u64,
    samples: u64,
}

impl Power {
    fn add(&mut self, frame: &Frame) {
        // A second of the loudest is 2^46.
        self.squares += frame.iter().map(|&s| u64::from(s.unsigned_abs()).pow(2)).sum::<u64>();
        self.samples += FRAME as u64;
    }

    fn dbfs(self) -> f32 {
        let mean = self.squares as f64 / self.samples.max(1) as f64;
        ((10.0 * (mean / 32_768.0_f64.powi(2)).log10()) as f32).max(FLOOR)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::SILENCE;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn counted(packets_received: u64, lost: u64) -> Stats {
        Stats { packets_received, lost, ..Stats::default() }
    }

    /// A stream that gets a packet every 20 ms until `end`, in ms.
    fn call(last_minute: &mut LastMinute, from: u64, end: u64) {
        for ms in (from..=end).step_by(10) {
            if last_minute.is_due(at(ms)) {
                last_minute.pass(at(ms), &counted(ms / 20, 0), false);
            }
        }
    }

    #[test]
    fn a_call_of_seven_seconds_has_seven_of_fifty_packets() {
        let mut last_minute = LastMinute::new();
        let before = last_minute.seconds(at(5), &Stats::default(), false);
        assert!(before.is_empty(), "nothing before the far end is known");
        call(&mut last_minute, 0, 7_000);
        let seconds = last_minute.seconds(at(7_000), &counted(350, 0), false);
        assert_eq!(seconds.len(), 7);
        assert!(seconds.iter().all(|s| (s.length_ms, s.packets_received) == (1000, 50)), "{seconds:?}");
        let seconds = last_minute.seconds(at(7_240), &counted(362, 0), false);
        assert_eq!(seconds.len(), 8, "and the one that runs");
        assert_eq!((seconds[7].length_ms, seconds[7].packets_received), (240, 12));
    }

    #[test]
    fn older_seconds_than_sixty_fall_out_and_nothing_grows() {
        let mut last_minute = LastMinute::new();
        let room = last_minute.whole.capacity();
        // The first ten have twice the packets.
        for ms in (0..=75_000).step_by(10) {
            if last_minute.is_due(at(ms)) {
                last_minute.pass(at(ms), &counted(ms.min(10_000) / 20 + ms / 20, 0), false);
            }
        }
        let now = counted(500 + 3_775, 0);
        let seconds = last_minute.seconds(at(75_500), &now, false);
        assert_eq!(seconds.len(), 60);
        assert_eq!(seconds[59].length_ms, 500, "the running one takes the place of the oldest");
        assert!(seconds[..59].iter().all(|s| (s.length_ms, s.packets_received) == (1000, 50)));
        assert_eq!(last_minute.seconds(at(75_000), &counted(4_250, 0), false).len(), 60);
        assert_eq!(last_minute.whole.capacity(), room);
    }

    #[test]
    fn what_happens_stands_in_its_second() {
        let mut last_minute = LastMinute::new();
        let mut stats = Stats::default();
        last_minute.pass(at(0), &stats, true);
        stats.packets_received = 50;
        last_minute.pass(at(1_000), &stats, true);
        stats = Stats { packets_received: 97, lost: 3, concealed_ms: 60, jitter_ms: 4.5, ..stats };
        last_minute.pass(at(2_000), &stats, false);
        stats = Stats { packets_received: 145, late: 2, round_trip_ms: Some(30.0), buffer_ms: 80, ..stats };
        last_minute.pass(at(3_000), &stats, false);
        let seen = last_minute.seconds(at(3_000), &stats, false);
        let row = |s: &Second| (s.packets_received, s.lost, s.late, s.concealed_ms, s.held);
        assert_eq!(
            seen.iter().map(row).collect::<Vec<_>>(),
            [(50, 0, 0, 0, true), (47, 3, 0, 60, false), (48, 0, 2, 0, false)]
        );
        assert_eq!((seen[0].jitter_ms, seen[1].jitter_ms), (0.0, 4.5));
        assert_eq!((seen[1].round_trip_ms, seen[2].round_trip_ms, seen[2].buffer_ms), (None, Some(30.0), 80));
    }

    #[test]
    fn a_packet_that_was_only_overtaken_is_missed_once_and_another_codec_begins_anew() {
        let mut last_minute = LastMinute::new();
        for (second, (lost, late)) in [(0, 0), (1, 9), (0, 9), (2, 4)].into_iter().enumerate() {
            last_minute.pass(at(second as u64 * 1000), &Stats { lost, late, ..Stats::default() }, false);
        }
        let seen = last_minute.seconds(at(3_000), &Stats::default(), false);
        assert_eq!(seen.iter().map(|s| (s.lost, s.late)).collect::<Vec<_>>(), [(1, 9), (0, 0), (1, 4)]);
    }

    #[test]
    fn levels_are_root_mean_squares_of_their_second() {
        let mut last_minute = LastMinute::new();
        last_minute.pass(at(0), &Stats::default(), false);
        for _ in 0..100 {
            last_minute.hear(&[i16::MIN; FRAME]);
            last_minute.say(&[3277; FRAME]);
        }
        last_minute.pass(at(1_000), &Stats::default(), false);
        last_minute.say(&SILENCE);
        let seen = last_minute.seconds(at(1_010), &Stats::default(), false);
        assert!(seen[0].heard_dbfs.abs() < 0.01 && (seen[0].said_dbfs + 20.0).abs() < 0.01, "{seen:?}");
        assert_eq!((seen[1].heard_dbfs, seen[1].said_dbfs), (FLOOR, FLOOR));
    }

    #[test]
    fn a_standstill_is_seconds_of_nothing() {
        let mut last_minute = LastMinute::new();
        last_minute.pass(at(0), &Stats::default(), false);
        last_minute.pass(at(3_400), &counted(170, 0), false);
        assert!(
            !last_minute.is_due(at(3_990)) && last_minute.is_due(at(4_000)),
            "no second begins later for it"
        );
        let seen = last_minute.seconds(at(3_400), &counted(170, 0), false);
        let received: Vec<_> = seen.iter().map(|s| (s.length_ms, s.packets_received)).collect();
        assert_eq!(received, [(1000, 170), (1000, 0), (1000, 0), (400, 0)]);
        last_minute.pass(at(1_000_000_000), &counted(170, 0), false);
        assert_eq!(last_minute.seconds(at(1_000_000_000), &counted(170, 0), false).len(), SECONDS);
    }

    proptest! {
        /// Whenever it is looked at: nothing is lost and nothing counted twice, and a minute is the most.
        #[test]
        fn all_seconds_together_are_what_was_counted(steps in prop::collection::vec((1..1_500_u64, 0..90_u64), 1..40)) {
            let mut last_minute = LastMinute::new();
            let (mut now, mut stats) = (0, Stats::default());
            last_minute.pass(at(0), &stats, false);
            for (ms, packets) in steps {
                now += ms;
                stats.packets_received += packets;
                if last_minute.is_due(at(now)) {
                    last_minute.pass(at(now), &stats, false);
                }
            }
            let seen = last_minute.seconds(at(now), &stats, false);
            let length: u64 = seen.iter().map(|s| u64::from(s.length_ms)).sum();
            let received: u64 = seen.iter().map(|s| u64::from(s.packets_received)).sum();
            prop_assert!(seen.len() <= SECONDS && length <= 60_000);
            if now <= 59_000 {
                prop_assert_eq!(length, now);
                prop_assert_eq!(received, stats.packets_received);
            }
        }
    }
}
