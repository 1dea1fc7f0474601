//! How late packets are compared with the quickest of the last seconds, and how late they may be.
//!
//! Pure. Not done here: keeping packets ([`super::JitterBuffer`]).

use std::time::Duration;

use super::{Stretch, TICK_MS};

/// Delay before the first packet is played, and until more is known. On an even network little of it need be given back.
const START_MS: f64 = 30.0;
/// Bounds of the delay aimed for.
const TARGET_MS: std::ops::RangeInclusive<f64> = 20.0..=300.0;
/// Share of packets that shall be in time.
const IN_TIME: f32 = 0.97;
/// Histogram: width of a bucket in ms, how many there are, and what each packet leaves of the past.
const BUCKET_MS: f64 = 5.0;
const BUCKETS: usize = 60;
const FORGET: f32 = 0.995;
/// How long the quickest packet is remembered: between one and two of these.
const QUICKEST_WINDOW: Duration = Duration::from_millis(1500);
/// Packets over which loss is averaged, and the share of it from which repair is worth its delay: two lost ones within
/// ten seconds. It stays worth it for a while, because each change of delay is heard more than the delay itself.
const LOSS_MEMORY: u64 = 500;
const WORTH_REPAIR: f64 = 0.003;
/// Frames between two stretches of speech, so that it is at most 10 % faster or slower. A pause may shrink by half.
const STRETCH_EVERY: u32 = 5;
/// Delay beyond the target, and short of it, that is not worth a change, in ms: playing happens in ticks.
const SLACK_MS: f64 = TICK_MS + 1.0;
const SHORT_MS: f64 = 4.0;
/// Delay beyond the target that is worth a change of speech, in ms.
const MUCH_MS: f64 = 30.0;
/// Milliseconds of too much or too little delay after which speech itself is stretched; before that, pauses are. A stretched
/// word is heard more than a delay: by PESQ speech with a drift of 2.5 % scores 3.5 when pauses make up for it and 2.6 when
/// words do. Nor is a word lengthened because packets may be late again: when they are, what is made up lengthens it.
const PATIENT_MS: f64 = 5000.0;

/// How late packets are, and how late they may be.
pub(super) struct Delay {
    histogram: [f32; BUCKETS],
    quickest: Option<Quickest>,
    /// The quickest of the last window were slower than those of the one before.
    slower: bool,
    pub(super) smoothed: Option<f64>,
    since_stretch: u32,
    /// Milliseconds for which there has been too much delay.
    patient_ms: f64,
    repairs: bool,
    /// Fading share of lost packets, and how long a packet plays, in ms.
    loss: f64,
    frame_ms: f64,
}

/// The smallest arrival time minus timestamp, in ms, of this window and the one before.
struct Quickest {
    since: Duration,
    current: f64,
    before: f64,
}

impl Delay {
    /// With `repairs` there is room for the packet after a lost one, while packets get lost.
    pub(super) fn new(repairs: bool) -> Delay {
        let mut histogram = [0.0; BUCKETS];
        // Until a second of packets says otherwise, believe in START_MS.
        histogram[((START_MS - TICK_MS) / BUCKET_MS) as usize - 1] = 1.0;
        Delay {
            histogram,
            quickest: None,
            slower: false,
            smoothed: None,
            since_stretch: 0,
            patient_ms: 0.0,
            repairs,
            loss: 0.0,
            frame_ms: 20.0,
        }
    }

    /// The quickest packet is looked for anew; how much others differ from it is still believed.
    pub(super) fn restart(&mut self) {
        self.quickest = None;
        self.smoothed = None;
    }

    /// Takes note of a packet whose turn is at `timestamp_ms`.
    pub(super) fn arrived(&mut self, now: Duration, timestamp_ms: f64) {
        let transit = now.as_secs_f64() * 1000.0 - timestamp_ms;
        let quickest =
            self.quickest.get_or_insert(Quickest { since: now, current: transit, before: transit });
        let before = quickest.least();
        let next = now.saturating_sub(quickest.since) > QUICKEST_WINDOW;
        if next {
            *quickest = Quickest { since: now, current: transit, before: quickest.current };
        }
        quickest.current = quickest.current.min(transit);
        let least = quickest.least();
        if next {
            let slower = least - before >= BUCKET_MS;
            // Time after time it is a clock that is slower, and the network as it was.
            if slower && !self.slower {
                self.rebase(least - before);
            }
            self.slower = slower;
        }
        for weight in &mut self.histogram {
            *weight *= FORGET;
        }
        self.histogram[bucket(transit - least)] += 1.0;
    }

    /// Even the quickest packets take `by_ms` longer than they did: a longer way, whose length is no jitter. What was late
    /// by that much was not late.
    fn rebase(&mut self, by_ms: f64) {
        let by = bucket(by_ms);
        let quickest = self.histogram[..=by].iter().sum();
        self.histogram.copy_within(by.., 0);
        self.histogram[BUCKETS - by..].fill(0.0);
        self.histogram[0] = quickest;
    }

    /// Takes note that a packet came after `lost` others that did not.
    pub(super) fn counted(&mut self, lost: u64, frame_ms: f64) {
        for _ in 0..lost.min(LOSS_MEMORY) {
            self.loss += (1.0 - self.loss) / LOSS_MEMORY as f64;
        }
        self.loss -= self.loss / LOSS_MEMORY as f64;
        self.frame_ms = frame_ms;
    }

    /// By how many ms the delay would exceed the target if a packet were played at `play_at`.
    pub(super) fn excess(&self, play_at: Duration, timestamp_ms: f64) -> f64 {
        self.depth(play_at, timestamp_ms).map_or(0.0, |depth| depth - self.target())
    }

    /// Takes note that a packet is played at `play_at`.
    pub(super) fn played(&mut self, play_at: Duration, timestamp_ms: f64) {
        let Some(depth) = self.depth(play_at, timestamp_ms) else { return };
        let smoothed = self.smoothed.map_or(depth, |s| s + (depth - s) / 4.0);
        self.smoothed = Some(smoothed);
        self.since_stretch += 1;
    }

    fn depth(&self, play_at: Duration, timestamp_ms: f64) -> Option<f64> {
        let quickest = self.quickest.as_ref()?;
        Some(play_at.as_secs_f64() * 1000.0 - timestamp_ms - quickest.least())
    }

    /// What is to be done about the delay with the packet that is played now.
    pub(super) fn steer(&mut self) -> Stretch {
        let Some(depth) = self.smoothed else { return Stretch::Keep };
        let excess = depth - self.target();
        let right = (-SHORT_MS..=SLACK_MS).contains(&excess);
        self.patient_ms = if right { 0.0 } else { self.patient_ms + self.frame_ms };
        let speech_too = self.patient_ms > PATIENT_MS && self.since_stretch >= STRETCH_EVERY;
        match excess {
            _ if right => Stretch::Keep,
            excess if excess < 0.0 && speech_too => Stretch::Lengthen,
            excess if excess < 0.0 => Stretch::LengthenPause,
            excess if excess > MUCH_MS && speech_too => Stretch::Shorten,
            _ => Stretch::ShortenPause,
        }
    }

    /// The delay has just been changed.
    pub(super) fn stretched(&mut self) {
        self.since_stretch = 0;
        self.smoothed = None;
    }

    /// The delay to aim for, in ms.
    pub(super) fn target(&self) -> f64 {
        let total: f32 = self.histogram.iter().sum();
        let mut sum = 0.0;
        let reaches = |weight: &f32| {
            sum += weight;
            sum >= IN_TIME * total
        };
        let bucket = self.histogram.iter().position(reaches).unwrap_or(BUCKETS - 1);
        let mut need = (bucket + 1) as f64 * BUCKET_MS + TICK_MS;
        if self.repairs && self.loss > WORTH_REPAIR {
            need += self.frame_ms;
        }
        need.clamp(*TARGET_MS.start(), *TARGET_MS.end())
    }
}

/// The bucket of what is so many ms late.
fn bucket(late_ms: f64) -> usize {
    // Less than nothing is nothing.
    ((late_ms / BUCKET_MS) as usize).min(BUCKETS - 1)
}

impl Quickest {
    fn least(&self) -> f64 {
        self.current.min(self.before)
    }
}
