//! Rows: one codec over one network, all ears, and what is said of ours.

use super::network::Network;
use super::score::Score;
use crate::telephone::Codec;

/// Delays cannot be told apart more finely: the bridge of baresip looks at its clock every 4 ms.
const FINEST_MS: f64 = 2.0;
/// Nor scores: a resampling filter that cuts at 3.8 kHz in place of 3.5 kHz, which nobody hears in G.711, moves PESQ of an
/// undisturbed stream by 0.025 to 0.035 either way (measured), and ours plays at 48 kHz where baresip plays at 8 kHz.
const FINEST_SCORE: f64 = 0.035;
/// A difference counts when it is beyond so many standard errors of its mean.
const BEYOND: f64 = 2.0;

/// All repetitions of one codec over one network.
pub(super) struct Row {
    pub(super) codec: Codec,
    pub(super) network: Network,
    /// By repetition, ours first, then baresip's.
    pub(super) scores: Vec<Vec<Score>>,
    /// What our jitter buffer counted the last time.
    pub(super) counted: String,
}

/// What is said of ours beside baresip's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Beyond what chance does.
    Better,
    /// Within it.
    Same,
    /// Beyond it.
    Worse,
}

/// How much the difference between two ears varies from one repetition to the next: standard deviations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Noise {
    pub(super) score: f64,
    pub(super) delay_ms: f64,
}

impl Verdict {
    /// Of a difference of which more is better.
    fn of(difference: f64, tolerance: f64) -> Self {
        match difference {
            difference if difference > tolerance => Self::Better,
            difference if difference >= -tolerance => Self::Same,
            _ => Self::Worse,
        }
    }

    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Same => "same",
            Self::Worse => "WORSE",
        }
    }
}

impl Noise {
    /// Pooled over `rows`: what varies within each of them.
    pub(super) fn of(rows: &[&Row]) -> Self {
        let pooled = |of: fn(&Score) -> Option<f64>| {
            let (mut sum, mut freedom) = (0.0, 0.0);
            for row in rows {
                for ear in 1..row.ears() {
                    let differences = row.differences(ear, of);
                    let mean = mean(&differences);
                    sum += differences.iter().map(|one| (one - mean).powi(2)).sum::<f64>();
                    freedom += differences.len().saturating_sub(1) as f64;
                }
            }
            (sum / freedom.max(1.0)).sqrt()
        };
        Self { score: pooled(|score| Some(score.pesq)), delay_ms: pooled(|score| score.delay_ms) }
    }
}

impl Noise {
    fn words(&self, repetitions: usize) -> String {
        let score = tolerance(self.score, repetitions, 0.0);
        let delay = tolerance(self.delay_ms, repetitions, 0.0);
        format!("by repetition {score:.3} of PESQ and {delay:.1} ms")
    }
}

impl Row {
    /// The mean of a figure of one ear; none where it never had it.
    pub(super) fn mean(&self, ear: usize, of: fn(&Score) -> Option<f64>) -> Option<f64> {
        let all: Vec<f64> = self.scores.iter().filter_map(|ears| of(&ears[ear])).collect();
        (!all.is_empty()).then(|| mean(&all))
    }

    /// How good ours is, beside the better of baresip's.
    pub(super) fn quality(&self, noise: &Noise) -> Verdict {
        // That is the same in all rows of a codec, and says nothing of what is done about loss.
        let finest = if self.network.lossy { 0.01 } else { FINEST_SCORE };
        let tolerance = tolerance(noise.score, self.scores.len(), finest);
        let against = (1..self.ears()).map(|ear| mean(&self.differences(ear, |score| Some(score.pesq))));
        Verdict::of(against.fold(f64::INFINITY, f64::min), tolerance)
    }

    /// How quick ours is, beside the quicker of baresip's.
    pub(super) fn quickness(&self, noise: &Noise) -> Verdict {
        let tolerance = tolerance(noise.delay_ms, self.scores.len(), FINEST_MS);
        let against = (1..self.ears()).map(|ear| -mean(&self.differences(ear, |score| score.delay_ms)));
        Verdict::of(against.fold(f64::INFINITY, f64::min), tolerance)
    }

    /// Not worse anywhere, and better under loss.
    pub(super) fn holds(&self, noise: &Noise) -> bool {
        let quality = self.quality(noise);
        quality != Verdict::Worse
            && self.quickness(noise) != Verdict::Worse
            && (!self.network.lossy || quality == Verdict::Better)
    }

    fn ears(&self) -> usize {
        self.scores.first().map_or(0, Vec::len)
    }

    /// Ours less that of another ear, by repetition.
    fn differences(&self, ear: usize, of: fn(&Score) -> Option<f64>) -> Vec<f64> {
        let pairs = self.scores.iter().filter_map(|ears| of(&ears[0]).zip(of(&ears[ear])));
        pairs.map(|(ours, theirs)| ours - theirs).collect()
    }
}

/// The table as text.
pub(super) fn text(rows: &[Row], noise: impl Fn(&Row) -> Noise) -> String {
    let ears = "ours / default / plc";
    let mut text = format!(
        "{:<6}{:<54}{:<24}{:<24}{:<24}verdict: quality, delay\n",
        "codec",
        "network",
        format!("ms {ears}"),
        format!("PESQ {ears}"),
        format!("ViSQOL {ears}"),
    );
    for row in rows {
        let noise = noise(row);
        let cells = |digits: usize, of: fn(&Score) -> Option<f64>| {
            let one =
                |ear| row.mean(ear, of).map_or_else(|| "–".to_owned(), |mean| format!("{mean:.digits$}"));
            (0..row.ears()).map(one).collect::<Vec<_>>().join(" / ")
        };
        text += &format!(
            "{:<6}{:<54}{:<24}{:<24}{:<24}{}, {}{}\n",
            row.codec.name(),
            row.network.name,
            cells(0, |score| score.delay_ms),
            cells(2, |score| Some(score.pesq)),
            cells(2, |score| score.visqol),
            row.quality(&noise).word(),
            row.quickness(&noise).word(),
            if row.holds(&noise) { "" } else { "   FAILS" },
        );
        if !row.holds(&noise) {
            text +=
                &format!("      (ours: {}; counts beyond {})\n", row.counted, noise.words(row.scores.len()));
        }
    }
    text
}

fn tolerance(deviation: f64, repetitions: usize, finest: f64) -> f64 {
    (BEYOND * deviation / (repetitions as f64).sqrt()).max(finest)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / (values.len() as f64).max(1.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn row(network: Network, ours: [f64; 2], theirs: [f64; 2], delays: [f64; 2]) -> Row {
        let score = |pesq, delay_ms| Score { delay_ms: Some(delay_ms), pesq, visqol: None };
        let scores = (0..2).map(|n| vec![score(ours[n], delays[0]), score(theirs[n], delays[1])]).collect();
        Row { codec: Codec::Pcma, network, scores, counted: String::new() }
    }

    #[test]
    fn a_difference_counts_beyond_what_varies_by_itself() {
        let clean = || Network::clean(100);
        let steady = Noise { score: 0.05, delay_ms: 1.0 };
        let same = row(clean(), [4.00, 4.04], [4.05, 4.07], [60.0, 61.0]);
        assert_eq!((same.quality(&steady), same.quickness(&steady)), (Verdict::Same, Verdict::Same));
        assert!(same.holds(&steady));
        let worse = row(clean(), [3.8, 3.9], [4.0, 4.0], [60.0, 100.0]);
        assert_eq!((worse.quality(&steady), worse.quickness(&steady)), (Verdict::Worse, Verdict::Better));
        assert!(!worse.holds(&steady));
        let later = row(clean(), [4.0, 4.0], [3.0, 3.0], [110.0, 100.0]);
        assert!(!later.holds(&steady));
    }

    #[test]
    fn under_loss_the_same_is_not_enough() {
        let steady = Noise { score: 0.05, delay_ms: 1.0 };
        let lossy = || Network::random_loss(100, 5, 1);
        assert!(!row(lossy(), [3.0, 3.0], [3.0, 3.0], [60.0, 60.0]).holds(&steady));
        assert!(row(lossy(), [3.2, 3.2], [3.0, 3.0], [60.0, 60.0]).holds(&steady));
    }

    #[test]
    fn noise_is_what_varies_within_a_row() {
        let row = row(Network::clean(100), [4.0, 4.2], [3.0, 3.0], [60.0, 60.0]);
        let noise = Noise::of(&[&row]);
        assert!((noise.score - 0.02_f64.sqrt()).abs() < 1e-9, "{noise:?}");
        assert_eq!(noise.delay_ms, 0.0);
    }
}
