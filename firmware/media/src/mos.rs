//! What a listener would have thought of a call: the mean opinion score by the E-model (ITU-T G.107), from what was
//! counted of its stream.
//!
//! An estimate, on the scale of narrow-band speech: wide-band codecs are rated as if they were narrow-band, so that a
//! number says what the network did and not which codec was agreed. Rated is what was heard here. Not done here: loudness,
//! echo and background noise, for which the model's own usual values stand.

use crate::api::Stats;

/// The rating of a call without any fault, with all of the model's other values as usual (G.107 section 7.8).
const R_DEFAULT: f32 = 93.2;
/// Ways of sound besides network and jitter buffer, one way: a packet of 20 ms filled, and the sound device.
const FIXED_MS: f32 = 40.0;
/// Bpl of G.711 whose losses are concealed (G.113 appendix I, table I.4). No recommendation rates G.722 and Opus on this
/// scale; with the copies that it sends along, Opus bears at least as much.
const ROBUSTNESS: f32 = 25.1;
/// Packets of less than half a second of speech say nothing.
const ENOUGH: u64 = 25;

impl Stats {
    /// Mean opinion score of what was heard, 1.0 (bad) to 4.5 (excellent); below 3.6 many listeners are dissatisfied (G.107
    /// annex B). `None` where less than half a second was received, or nothing was agreed.
    #[must_use]
    pub fn mos(&self) -> Option<f32> {
        self.codec.filter(|_| self.packets_received >= ENOUGH)?;
        let missing = (self.lost + self.late) as f32;
        let loss_percent =
            100.0 * missing / (missing + (self.packets_received.saturating_sub(self.late)) as f32);
        let network_ms = self.round_trip_ms.unwrap_or(0.0).max(0.0) / 2.0;
        let delay_ms = network_ms + self.buffer_ms as f32 + FIXED_MS;
        Some(score(R_DEFAULT - delay_impairment(delay_ms) - loss_impairment(loss_percent)))
    }
}

/// Idd of G.107 section 7.4: a conversation does not suffer below 100 ms.
fn delay_impairment(one_way_ms: f32) -> f32 {
    if one_way_ms <= 100.0 {
        return 0.0;
    }
    let x = (one_way_ms / 100.0).log2();
    let root = |x: f32| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    25.0 * (root(x) - 3.0 * root(x / 3.0) + 2.0)
}

/// Ie,eff of G.107 section 7.5 for losses at random; in per cent.
fn loss_impairment(loss_percent: f32) -> f32 {
    95.0 * loss_percent / (loss_percent + ROBUSTNESS)
}

/// The score of a rating (G.107 annex B).
fn score(r: f32) -> f32 {
    match r {
        r if r <= 0.0 => 1.0,
        r if r >= 100.0 => 4.5,
        // The curve falls below 1 between 0 and 6.5.
        r => (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7.0e-6).max(1.0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::Codec;

    fn stats(received: u64, lost: u64) -> Stats {
        Stats { codec: Some(Codec::Pcma), packets_received: received, lost, ..Stats::default() }
    }

    #[test]
    fn ratings_have_the_scores_of_the_recommendation() {
        // G.107 table B.1.
        for (r, wanted) in [(90.0, 4.34), (80.0, 4.03), (70.0, 3.60), (60.0, 3.10), (50.0, 2.58)] {
            assert!((score(r) - wanted).abs() < 0.01, "{r}: {}", score(r));
        }
        assert_eq!((score(-10.0), score(3.0), score(120.0)), (1.0, 1.0, 4.5));
    }

    #[test]
    fn a_faultless_call_loss_and_delay_are_rated_as_by_the_model() {
        let near = |stats: Stats, wanted: f32| {
            let mos = stats.mos().expect("enough was received");
            assert!((mos - wanted).abs() < 0.02, "{mos} is not {wanted}");
        };
        near(stats(1000, 0), 4.41);
        // 2 %: Ie,eff = 95 × 2 / 27.1 = 7.0, R = 86.2.
        near(stats(980, 20), 4.24);
        // 10 %: Ie,eff = 27.1, R = 66.1.
        near(stats(900, 100), 3.42);
        // 400 ms: Idd = 24.1 by the formula, R = 69.1.
        near(Stats { round_trip_ms: Some(720.0), ..stats(1000, 0) }, 3.56);
        near(Stats { buffer_ms: 60, ..stats(1000, 0) }, 4.41);
    }

    #[test]
    fn what_came_too_late_counts_as_lost_and_only_once() {
        let late = Stats { late: 100, ..stats(1000, 0) };
        assert_eq!(late.mos(), stats(900, 100).mos());
    }

    #[test]
    fn little_or_nothing_has_no_score() {
        assert_eq!(stats(24, 0).mos(), None);
        assert_eq!(Stats { codec: None, ..stats(1000, 0) }.mos(), None);
        assert_eq!(Stats::default().mos(), None);
    }

    proptest! {
        #[test]
        fn more_faults_never_sound_better(received in 75_u64..1_000_000, lost in 0_u64..1_000_000, late in 0_u64..50,
            buffer_ms in 0_u32..1000, trip in 0.0_f32..5000.0) {
            let better = Stats { late, buffer_ms, round_trip_ms: Some(trip), ..stats(received, lost) };
            let worse = Stats { lost: lost + 1, buffer_ms: buffer_ms + 1, ..better };
            let (better, worse) = (better.mos().unwrap_or(0.0), worse.mos().unwrap_or(0.0));
            prop_assert!((1.0..=4.5).contains(&better) && (1.0..=4.5).contains(&worse));
            prop_assert!(worse <= better + 1e-4);
        }
    }
}
