//! The jitter buffer: puts packets in order and decides when each is played.
//!
//! It measures how long each packet took compared with the quickest of the last seconds, keeps a fading
//! histogram of that, and steers the delay of playing towards what 97 % of packets need ([`delay`]). It gains and loses
//! time by asking for one frame at a time to be played a little longer or shorter ([`Stretch`]); time is lost in pauses of
//! speech, as long as there are any. A packet that is not there in time is waited for while something is made up; when it
//! turns out to be lost, the time waited counts as its place.
//!
//! Pure: time is handed in. Not done here: decoding, concealment, stretching; they act on what is returned.

mod delay;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::loudness::Loudness;
use delay::Delay;

/// Packets kept at most: 2 s of 10 ms packets.
const MAX_PACKETS: usize = 200;
/// Playing happens in ticks of 10 ms, so a packet must be there up to 10 ms early.
const TICK_MS: f64 = 10.0;
/// Waiting longer than this for the next packet, the stream is taken for paused.
const PAUSE_MS: u32 = 500;
/// Having waited so long for a packet that then proves to be the next, the quickest one is measured anew. Nothing is heard
/// any more by then, so that a little more of it, in which the delay aimed for is gathered, is heard less than speech that
/// is stretched until it has been.
const RELEARN_MS: u32 = 100;
const GATHER: Duration = Duration::from_millis(30);
/// A gap in timestamps longer than this is a new time base.
const MAX_GAP_MS: u32 = 2000;
/// This many new packets in a row before their turn show that the time base moved back.
const LATE_RUN: u32 = 4;
/// With more delay beyond the target than the end of this range packets are left out, so that what is left is within it and
/// the cut is where least is said; [`KEPT_MS`] where that is the same everywhere. Pauses make up for the rest: until then it is
/// as much as a conversation bears (ITU-T G.114: 400 ms), because a word that is missed is worse.
const KEEP_MS: std::ops::RangeInclusive<f64> = 200.0..=400.0;
const KEPT_MS: f64 = 260.0;

/// Packets waiting to be played.
pub(crate) struct JitterBuffer {
    /// Units of the RTP clock in a millisecond.
    per_ms: u32,
    loudness: Loudness,
    packets: BTreeMap<i64, Packet>,
    playing: Packet,
    state: State,
    /// The last timestamp unwrapped, to unwrap the next.
    last: Option<(u32, i64)>,
    next: Next,
    /// The sequence number after the last that was played.
    decoded: u64,
    delay: Delay,
    late_run: u32,
    figures: Figures,
}

/// What to do for the next stretch of time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pull<'a> {
    /// Decode and play this, perhaps a little longer or shorter. It `continues` the last one that was played: none between
    /// them was lost or left out, whatever was made up meanwhile.
    Play { payload: &'a [u8], stretch: Stretch, continues: bool },
    /// Make up `ms` milliseconds; `next` is the packet right after the hole, when it is there.
    Conceal { ms: u32, next: Option<&'a [u8]> },
    /// Play `ms` of silence: nothing is expected.
    Quiet { ms: u32 },
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Stretch {
    Keep,
    /// Shorten it if nobody speaks.
    ShortenPause,
    /// Shorten it whatever it is.
    Shorten,
    /// Lengthen it if nobody speaks.
    LengthenPause,
    /// Lengthen it whatever it is.
    Lengthen,
}

/// Counts since the buffer was made.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figures {
    pub late: u64,
    pub duplicates: u64,
    pub overflowed: u64,
    pub concealed_ms: u64,
    pub left_out_ms: u64,
}

#[derive(Default)]
struct Packet {
    sequence: u64,
    units: u32,
    payload: Vec<u8>,
}

enum State {
    Idle,
    Filling { until: Duration },
    Playing,
}

/// What is expected next.
#[derive(Default)]
struct Next {
    timestamp: i64,
    sequence: u64,
    /// Length of the last packet: the best guess for a missing one.
    units: u32,
    /// Units made up while waiting for it.
    waited: u32,
}

impl JitterBuffer {
    /// For a codec whose RTP clock runs at `clock_rate` Hz. With `repairs` a packet carries enough to repair the
    /// one before it: then, while packets get lost, each is kept until the next is there. Packets are left out where
    /// `loudness` is least.
    pub(crate) fn new(clock_rate: u32, repairs: bool, loudness: Loudness) -> JitterBuffer {
        JitterBuffer {
            per_ms: clock_rate / 1000,
            loudness,
            packets: BTreeMap::new(),
            playing: Packet::default(),
            state: State::Idle,
            last: None,
            next: Next::default(),
            decoded: 0,
            delay: Delay::new(repairs),
            late_run: 0,
            figures: Figures::default(),
        }
    }

    /// Forgets what waits, but not what was learnt of the network.
    pub(crate) fn reset(&mut self) {
        self.packets.clear();
        self.state = State::Idle;
        self.last = None;
        self.next.waited = 0;
        self.late_run = 0;
        self.delay.restart();
    }

    /// Takes a packet that plays for `units` of the RTP clock.
    pub(crate) fn insert(
        &mut self,
        now: Duration,
        sequence: u64,
        timestamp: u32,
        units: u32,
        payload: &[u8],
    ) {
        let mut at = self.unwrap(timestamp);
        if !matches!(self.state, State::Idle) && self.is_elsewhere(at) {
            self.reset();
            at = self.unwrap(timestamp);
        }
        self.delay.arrived(now, self.ms(at));
        match self.state {
            State::Idle => {
                let wait = Duration::from_secs_f64(self.delay.target() / 1000.0);
                self.state = State::Filling { until: now + wait };
            }
            State::Playing if at < self.next.timestamp => {
                self.figures.late += 1;
                // An old one that was overtaken says nothing of those to come.
                self.late_run += u32::from(sequence >= self.next.sequence);
                if self.late_run >= LATE_RUN {
                    self.reset();
                }
                return;
            }
            State::Playing | State::Filling { .. } => self.late_run = 0,
        }
        if self.packets.contains_key(&at) {
            self.figures.duplicates += 1;
            return;
        }
        if self.packets.len() >= MAX_PACKETS {
            self.packets.pop_first();
            self.figures.overflowed += 1;
        }
        self.packets.insert(at, Packet { sequence, units, payload: payload.to_vec() });
    }

    /// What to play at `play_at`. To be asked whenever the device is about to run out.
    pub(crate) fn pull(&mut self, play_at: Duration) -> Pull<'_> {
        match self.state {
            State::Idle => return Pull::Quiet { ms: TICK_MS as u32 },
            State::Filling { until } if play_at < until => return self.fill(),
            State::Filling { .. } => self.begin(),
            State::Playing => {}
        }
        let Some((&at, packet)) = self.packets.first_key_value() else { return self.wait() };
        let ahead = u32::try_from(at - self.next.timestamp).unwrap_or(0);
        let consumed = ahead.min(self.next.waited);
        self.next.timestamp += i64::from(consumed);
        if ahead == 0 && self.next.waited > RELEARN_MS * self.per_ms {
            // The sender paused without counting it, or the network held everything: the past says nothing now.
            self.delay.restart();
            let wait = Duration::from_secs_f64(self.delay.target() / 1000.0).min(GATHER);
            self.state = State::Filling { until: play_at + wait };
            return self.fill();
        }
        let missing = ahead - consumed;
        if missing == 0 || missing > MAX_GAP_MS * self.per_ms {
            return self.play(play_at);
        }
        self.next.waited = 0;
        if packet.sequence <= self.next.sequence {
            // Nothing is lost: the sender was silent and said so with its timestamps.
            let units = missing.min(TICK_MS as u32 * self.per_ms);
            self.next.timestamp += i64::from(units);
            return Pull::Quiet { ms: units.div_ceil(self.per_ms) };
        }
        self.lost(missing)
    }

    /// Takes note that what was played last has been made longer or shorter as was asked for: not every sound can be.
    pub(crate) fn stretched(&mut self) {
        self.delay.stretched();
    }

    /// Delay between the quickest arrival and playing, in ms, as it was when the last packet was played.
    pub(crate) fn depth_ms(&self) -> f64 {
        self.delay.smoothed.unwrap_or(0.0)
    }

    pub(crate) fn figures(&self) -> Figures {
        self.figures
    }

    fn begin(&mut self) {
        if let Some((&at, packet)) = self.packets.first_key_value() {
            let (sequence, units) = (packet.sequence, packet.units);
            self.next = Next { timestamp: at, sequence, units, waited: 0 };
        }
        self.state = State::Playing;
    }

    /// Before the first packet is played there is silence; before one that was waited for, what is made up goes on.
    fn fill(&mut self) -> Pull<'_> {
        let ms = TICK_MS as u32;
        if self.next.waited == 0 {
            return Pull::Quiet { ms };
        }
        self.figures.concealed_ms += u64::from(ms);
        Pull::Conceal { ms, next: None }
    }

    fn wait(&mut self) -> Pull<'_> {
        let ms = TICK_MS as u32;
        self.next.waited += ms * self.per_ms;
        if self.next.waited > PAUSE_MS * self.per_ms {
            self.reset();
            return Pull::Quiet { ms };
        }
        self.figures.concealed_ms += u64::from(ms);
        Pull::Conceal { ms, next: None }
    }

    fn lost(&mut self, missing: u32) -> Pull<'_> {
        let units = missing.min(self.next.units.max(self.per_ms));
        self.next.timestamp += i64::from(units);
        let ms = units.div_ceil(self.per_ms);
        self.figures.concealed_ms += u64::from(ms);
        let next = if units == missing { self.packets.first_key_value() } else { None };
        Pull::Conceal { ms, next: next.map(|(_, packet)| &packet.payload[..]) }
    }

    fn play(&mut self, play_at: Duration) -> Pull<'_> {
        let expected = self.decoded;
        self.skip(play_at);
        let mut stretch = Stretch::Keep;
        while self.take() {
            self.delay.played(play_at, self.ms(self.next.timestamp - i64::from(self.playing.units)));
            // Frames too short to be stretched are left out instead.
            let short = self.playing.units < 20 * self.per_ms;
            stretch = self.delay.steer();
            if !(short && stretch == Stretch::Shorten) || self.packets.is_empty() {
                break;
            }
            self.leave_out();
        }
        self.decoded = self.next.sequence;
        let continues = self.playing.sequence == expected;
        Pull::Play { payload: &self.playing.payload, stretch, continues }
    }

    /// With far too much delay: leaves out what comes before the best packet to go on with.
    fn skip(&mut self, play_at: Duration) {
        let excess = |at: i64| self.delay.excess(play_at, self.ms(at));
        if self.packets.first_key_value().is_none_or(|(&at, _)| excess(at) <= *KEEP_MS.end()) {
            return;
        }
        let mut before = (self.loudness)(&self.playing.payload);
        let mut best: Option<(u32, u32, i64)> = None;
        for (&at, packet) in &self.packets {
            let loudness = (self.loudness)(&packet.payload);
            if KEEP_MS.contains(&excess(at)) {
                // A cut is heard on both of its sides.
                let this = (before.saturating_add(loudness), (excess(at) - KEPT_MS).abs() as u32, at);
                best = Some(best.map_or(this, |best| best.min(this)));
            }
            before = loudness;
        }
        // When a hole is as long as the range: the first beyond.
        let beyond = || self.packets.keys().copied().find(|&at| excess(at) < *KEEP_MS.start());
        let Some(best) = best.map(|(.., at)| at).or_else(beyond) else { return };
        while self.packets.first_key_value().is_some_and(|(&at, _)| at < best) && self.take() {
            self.leave_out();
        }
    }

    /// What was just taken is not played.
    fn leave_out(&mut self) {
        self.delay.stretched();
        self.figures.left_out_ms += u64::from(self.playing.units / self.per_ms);
    }

    /// Makes the first packet the one that is played; false when there is none.
    fn take(&mut self) -> bool {
        let Some((at, packet)) = self.packets.pop_first() else { return false };
        let (sequence, units) = (packet.sequence, packet.units);
        let lost = sequence.saturating_sub(self.next.sequence);
        self.delay.counted(lost, f64::from(units / self.per_ms));
        self.next = Next { timestamp: at + i64::from(units), sequence: sequence + 1, units, waited: 0 };
        self.playing = packet;
        true
    }

    fn unwrap(&mut self, timestamp: u32) -> i64 {
        let at = match self.last {
            None => i64::from(timestamp),
            // The difference as a signed number crosses the wrap either way.
            Some((last, at)) => at + i64::from(timestamp.wrapping_sub(last) as i32),
        };
        self.last = Some((timestamp, at));
        at
    }

    /// True when a timestamp is too far from the others to be of the same time base.
    fn is_elsewhere(&self, at: i64) -> bool {
        let newest = self.packets.last_key_value().map_or(self.next.timestamp, |(&at, _)| at);
        let reach = i64::from(MAX_GAP_MS * self.per_ms) * 2;
        (at - newest).abs() > reach && self.next.waited == 0 || (at - newest).abs() > 30 * reach
    }

    fn ms(&self, units: i64) -> f64 {
        units as f64 / f64::from(self.per_ms)
    }
}

#[cfg(test)]
mod tests;
