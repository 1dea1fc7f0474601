//! What is played when packets of G.711 or G.722 are missing. Opus conceals by itself.
//!
//! The voice goes on as it was: the last pitch period of what excites it (the residual of a linear predictor), mixed with
//! noise as far as the sound was no vowel, drives the predictor on from where it stood, so that there is no step at the
//! beginning. It is led to the loudness and the phase of the packet after the gap where that is there already, and dies
//! away slowly where it is not.

use crate::predictor::Predictor;

/// Milliseconds remembered: two of the longest periods and what they are compared over.
const HISTORY_MS: usize = 50;
/// Pitch periods looked for: 400 Hz down to 57 Hz, in samples at 8 kHz.
const SHORTEST: usize = 20;
const LONGEST: usize = 140;
/// Samples compared when looking for the period: 20 ms.
const COMPARE: usize = 160;
/// A shorter period is taken where it is nearly as good as the best: twice a period is one as well.
const NEARLY: f32 = 0.9;
/// The excitation holds so long at its level, then loses so much of it every 10 ms.
const HOLD_MS: f32 = 20.0;
const DECAY: f32 = 0.85;
/// After so many milliseconds there is silence.
const SILENT_MS: f32 = 160.0;
/// Milliseconds over which real speech replaces what was made up.
const BLEND_MS: f32 = 10.0;

/// Fills gaps in speech.
pub(crate) struct Concealer {
    /// Samples in a millisecond.
    per_ms: usize,
    history: Vec<f32>,
    predictor: Predictor,
    /// The last period of the excitation, over and over, and where in it we are.
    excitation: Vec<f32>,
    at: usize,
    /// How much of a vowel it was: 1.0 all, 0.0 nothing but noise.
    voiced: f32,
    noise: Noise,
    /// Samples made up since the last real one.
    made: usize,
    /// Made up already, beyond the end of the gap: real speech is blended with it.
    ahead: Vec<f32>,
}

impl Concealer {
    /// For speech at `rate` Hz, a multiple of 8,000.
    pub(crate) fn new(rate: u32) -> Concealer {
        let per_ms = (rate / 1000) as usize;
        Concealer {
            per_ms,
            history: vec![0.0; HISTORY_MS * per_ms],
            predictor: Predictor::new(per_ms),
            excitation: Vec::new(),
            at: 0,
            voiced: 0.0,
            noise: Noise(1),
            made: 0,
            ahead: Vec::new(),
        }
    }

    /// Remembers real speech, and blends its beginning with what was made up before it.
    pub(crate) fn good(&mut self, samples: &mut [i16]) {
        if self.made > 0 {
            let blend = self.blend().min(samples.len());
            if self.ahead.len() < blend {
                let more = blend - self.ahead.len();
                let made = self.make(more);
                self.ahead.extend(made);
            }
            for (n, sample) in samples[..blend].iter_mut().enumerate() {
                let share = (n as f32 + 0.5) / blend as f32;
                *sample = (self.ahead[n] * (1.0 - share) + f32::from(*sample) * share).round() as i16;
            }
            self.ahead.clear();
            self.made = 0;
        }
        self.remember(samples.iter().map(|&sample| f32::from(sample)));
    }

    /// What comes next does not go on where the last left off: it is blended with what would have come there.
    pub(crate) fn bridge(&mut self) {
        if self.made == 0 {
            self.begin();
            self.made = 1;
        }
    }

    /// Makes up `count` samples and appends them. `next` is what comes right after them, where that is known.
    pub(crate) fn conceal(&mut self, count: usize, next: Option<&[i16]>, out: &mut Vec<i16>) {
        if self.made == 0 {
            self.begin();
        }
        // Made for a packet that did not come after all.
        self.ahead.clear();
        let mut samples = match next {
            Some(next) if next.len() >= self.blend() => self.lead(count, next),
            _ => self.make(count),
        };
        out.extend(samples.iter().map(|sample| sample.round() as i16));
        self.remember(samples.drain(..));
    }

    /// What would come next, were it made up too: `count` samples.
    pub(crate) fn ahead(&mut self, count: usize) -> Vec<i16> {
        if self.ahead.len() < count {
            let kept = (self.predictor.clone(), self.at, self.made, self.noise.0);
            self.ahead = self.make(count);
            (self.predictor, self.at, self.made, self.noise.0) = kept;
            return self.ahead.drain(..).map(|sample| sample.round() as i16).collect();
        }
        self.ahead[..count].iter().map(|sample| sample.round() as i16).collect()
    }

    /// Finds out how the voice was.
    fn begin(&mut self) {
        let (lag, alike) = self.period();
        self.voiced = ((alike - 0.35) / 0.4).clamp(0.0, 1.0);
        let residual = self.predictor.learn(&self.history);
        self.excitation = residual[residual.len() - lag..].to_vec();
        self.at = 0;
    }

    /// Makes up `count` samples that go on from the last.
    fn make(&mut self, count: usize) -> Vec<f32> {
        let period = self.excitation.len().max(1);
        let level = rms(&self.excitation);
        let (voice, noise) = (self.voiced, (1.0 - self.voiced * self.voiced).sqrt());
        (0..count)
            .map(|_| {
                let pulse = self.excitation.get(self.at % period).copied().unwrap_or_default();
                self.at += 1;
                let excitation = pulse * voice + self.noise.next() * level * noise;
                let gain = self.gain();
                self.made += 1;
                self.predictor.speak(excitation * gain)
            })
            .collect()
    }

    /// Likewise, so that what is made up arrives at the loudness and the phase of `next`.
    fn lead(&mut self, count: usize, next: &[i16]) -> Vec<f32> {
        let period = self.excitation.len();
        let (blend, reach) = (self.blend(), (period / 2).min(count / 4));
        let next: Vec<f32> = next.iter().map(|&sample| f32::from(sample)).collect();
        let made = self.make(count + reach + blend);
        let shift = shift(&made, &next[..blend], count, reach);
        let length = (count as isize + shift) as usize;
        let rate = length as f32 / count as f32;
        let mut samples: Vec<f32> = (0..count).map(|n| between(&made, n as f32 * rate)).collect();
        self.ahead = made[length..length + blend].to_vec();
        // Over a period, because one pulse louder or softer would decide else.
        let window = period.max(blend).min(next.len());
        let tail = &samples[count.saturating_sub(window)..];
        let gain = (rms(&next[..window]) / rms(tail).max(1.0)).clamp(0.0, 2.0);
        for (n, sample) in samples.iter_mut().enumerate() {
            *sample *= 1.0 + (gain - 1.0) * (n as f32 / count as f32);
        }
        for sample in &mut self.ahead {
            *sample *= gain;
        }
        samples
    }

    fn gain(&self) -> f32 {
        let ms = self.made as f32 / self.per_ms as f32;
        if ms >= SILENT_MS { 0.0 } else { DECAY.powf((ms - HOLD_MS).max(0.0) / 10.0) }
    }

    fn blend(&self) -> usize {
        (BLEND_MS * self.per_ms as f32) as usize
    }

    /// The lag at which the recent past is most like itself, and how much: 0.0..=1.0.
    fn period(&self) -> (usize, f32) {
        let scale = self.per_ms / 8;
        let (length, compare) = (self.history.len(), COMPARE * scale);
        let recent = &self.history[length - compare..];
        let own = recent.iter().map(|a| a * a).sum::<f32>() + 1.0;
        let score = |lag: usize| {
            let before = &self.history[length - compare - lag..length - lag];
            let (mut product, mut energy) = (0.0_f32, 1.0_f32);
            for (&a, &b) in recent.iter().zip(before) {
                product += a * b;
                energy += b * b;
            }
            product / (energy * own).sqrt()
        };
        let scores: Vec<(usize, f32)> =
            (SHORTEST * scale..=LONGEST * scale).map(|lag| (lag, score(lag))).collect();
        let best = scores.iter().map(|(_, score)| *score).fold(0.0, f32::max);
        (0..scores.len())
            .find(|&n| is_peak(&scores, n, best))
            .map_or((LONGEST * scale, 0.0), |n| (scores[n].0, scores[n].1.max(0.0)))
    }

    fn remember(&mut self, samples: impl ExactSizeIterator<Item = f32>) {
        let length = self.history.len();
        let skip = samples.len().saturating_sub(length);
        let samples = samples.skip(skip);
        let new = samples.len();
        self.history.copy_within(new.., 0);
        for (slot, sample) in self.history[length - new..].iter_mut().zip(samples) {
            *slot = sample;
        }
    }
}

/// By how many samples what was made up must be longer than `count`, at most `reach` either way, to go on as `next` does.
fn shift(made: &[f32], next: &[f32], count: usize, reach: usize) -> isize {
    let score = |shift: isize| {
        let from = (count as isize + shift) as usize;
        let (mut product, mut energy) = (0.0, 1.0);
        for (a, b) in made[from..].iter().zip(next) {
            product += a * b;
            energy += a * a;
        }
        product / f32::sqrt(energy)
    };
    let reach = reach as isize;
    let scores: Vec<(isize, f32)> = (-reach..=reach).map(|shift| (shift, score(shift))).collect();
    let best = scores.iter().map(|(_, score)| *score).fold(0.0, f32::max);
    // The smallest that is nearly as good as the best: a gap in silence stays as long as it is, and a tone, which fits
    // again and again, keeps its pitch.
    let smallest =
        (0..scores.len()).filter(|n| is_peak(&scores, *n, best)).min_by_key(|n| scores[*n].0.abs());
    smallest.map_or(0, |n| scores[n].0)
}

/// Whether none beside the one at `n` is better, and it is nearly as good as the best.
fn is_peak<T>(scores: &[(T, f32)], n: usize, best: f32) -> bool {
    let score = scores[n].1;
    let higher = |other: Option<&(T, f32)>| other.is_none_or(|(_, other)| *other <= score);
    score >= NEARLY * best
        && higher(n.checked_sub(1).and_then(|n| scores.get(n)))
        && higher(scores.get(n + 1))
}

/// The value at a place between two samples.
fn between(samples: &[f32], place: f32) -> f32 {
    let (whole, part) = (place as usize, place.fract());
    let at = |n: usize| samples.get(n).copied().unwrap_or_default();
    at(whole) * (1.0 - part) + at(whole + 1) * part
}

fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32).sqrt()
}

/// Noise of level 1.0, the same each time.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Between -1 and 1 evenly; the root of three makes the level of it 1.
        ((self.0 >> 8) as f32 / 8_388_608.0 - 1.0) * 1.732
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A vowel: pulses at `hz` through two resonances.
    fn vowel(hz: f32, rate: u32, count: usize) -> Vec<i16> {
        let rate = rate as f32;
        let pole = |formant: f32| (2.0 * 0.97 * (std::f32::consts::TAU * formant / rate).cos(), -0.97 * 0.97);
        let (one, two) = (pole(600.0), pole(1100.0));
        let (mut a, mut b, mut phase) = ([0.0_f32; 2], [0.0_f32; 2], 0.0);
        (0..count)
            .map(|_| {
                phase += hz / rate;
                let pulse = if phase >= 1.0 { 1500.0 } else { 0.0 };
                phase -= phase.floor();
                let first = pulse + one.0 * a[0] + one.1 * a[1];
                a = [first, a[0]];
                let second = first * 0.3 + two.0 * b[0] + two.1 * b[1];
                b = [second, b[0]];
                second as i16
            })
            .collect()
    }

    fn level(samples: &[i16]) -> f32 {
        rms(&samples.iter().map(|&sample| f32::from(sample)).collect::<Vec<f32>>())
    }

    /// How far `made` is from `real`, as a share of its level.
    fn error(made: &[i16], real: &[i16]) -> f32 {
        let difference: Vec<i16> = made.iter().zip(real).map(|(a, b)| a.saturating_sub(*b)).collect();
        level(&difference) / level(real)
    }

    fn after(speech: &[i16]) -> Concealer {
        let mut plc = Concealer::new(8_000);
        plc.good(&mut speech.to_vec());
        plc
    }

    #[test]
    fn a_lost_packet_of_a_steady_vowel_is_hardly_noticed() {
        for rate in [8_000, 16_000] {
            for hz in [100.0, 160.0, 200.0] {
                let (packet, voice) = (rate as usize / 50, vowel(hz, rate, rate as usize));
                let gap = rate as usize / 2;
                let mut plc = Concealer::new(rate);
                plc.good(&mut voice[..gap].to_vec());
                let mut made = Vec::new();
                plc.conceal(packet, Some(&voice[gap + packet..gap + 2 * packet]), &mut made);
                let error = error(&made, &voice[gap..gap + packet]);
                assert!(error < 0.45, "{hz} Hz at {rate}: {error}");
            }
        }
    }

    #[test]
    fn a_voice_holds_over_sixty_milliseconds_and_dies_away_after() {
        let voice = vowel(120.0, 8_000, 4000);
        let before = level(&voice[3000..]);
        let mut plc = after(&voice);
        let mut made = Vec::new();
        for _ in 0..20 {
            plc.conceal(80, None, &mut made);
        }
        assert!(level(&made[400..480]) > before / 4.0, "at 60 ms: {} of {before}", level(&made[400..480]));
        let levels: Vec<f32> = made.chunks(160).map(level).collect();
        assert!(levels.windows(2).all(|two| two[1] <= two[0] * 1.1), "{levels:?}");
        assert!(made[1400..].iter().all(|sample| sample.abs() < 50), "{levels:?}");
    }

    #[test]
    fn what_is_made_up_arrives_at_the_loudness_of_what_comes_next() {
        let voice = vowel(120.0, 8_000, 4000);
        let soft: Vec<i16> = voice[160..320].iter().map(|sample| sample / 5).collect();
        let end = |next: Option<&[i16]>| {
            let mut plc = after(&voice);
            let mut made = Vec::new();
            plc.conceal(160, next, &mut made);
            level(&made[93..])
        };
        // The ramp is still on its way there in the last period.
        assert!(end(Some(&soft)) < end(None) * 0.65, "{} {}", end(Some(&soft)), end(None));
    }

    #[test]
    fn speech_returns_without_a_step_wherever_it_is_in_its_period() {
        let voice = vowel(120.0, 8_000, 4200);
        let steps = |samples: &[i16]| {
            samples.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap_or(0)
        };
        for late in 0..66 {
            let mut plc = after(&voice[..3200]);
            let mut joined = voice[3100..3200].to_vec();
            plc.conceal(80, None, &mut joined);
            let mut real = voice[3280 + late..3440 + late].to_vec();
            plc.good(&mut real);
            joined.extend(&real);
            assert!(steps(&joined) <= steps(&voice) * 3 / 2, "{late}: {} {}", steps(&joined), steps(&voice));
            assert_eq!(real[100..], voice[3380 + late..3440 + late]);
        }
    }

    #[test]
    fn noise_goes_on_as_noise_and_does_not_hum() {
        let mut noise = Noise(7);
        let hiss: Vec<i16> = (0..4000).map(|_| (noise.next() * 1000.0) as i16).collect();
        let mut plc = after(&hiss);
        let mut made = Vec::new();
        plc.conceal(480, None, &mut made);
        let (mut made_plc, made_level) = (Concealer::new(8_000), level(&made[..160]));
        made_plc.good(&mut made.clone());
        let (_, alike) = made_plc.period();
        assert!(alike < 0.5, "a period of {alike}");
        assert!((0.5..1.5).contains(&(made_level / level(&hiss))), "{made_level}");
    }

    #[test]
    fn a_tone_keeps_its_pitch_though_it_fits_again_and_again() {
        let tone: Vec<i16> = (0..1200)
            .map(|n| (8000.0 * (n as f32 * 440.0 / 8000.0 * std::f32::consts::TAU).sin()) as i16)
            .collect();
        let mut plc = after(&tone[..800]);
        let mut made = Vec::new();
        plc.conceal(160, Some(&tone[960..1120]), &mut made);
        let error = error(&made, &tone[800..960]);
        assert!(error < 0.5, "{error}");
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        let mut plc = Concealer::new(16_000);
        let mut made = Vec::new();
        plc.conceal(320, None, &mut made);
        plc.good(&mut [0; 320]);
        plc.conceal(320, Some(&[0; 320]), &mut made);
        plc.conceal(320, Some(&[5; 3]), &mut made);
        assert_eq!(made.len(), 960);
        assert!(made.iter().all(|sample| sample.abs() <= 1), "{:?}", made.iter().max());
    }

    proptest::proptest! {
        /// Whatever was heard and comes next, as much is made up as was asked for, and it is not louder than twice that.
        #[test]
        fn anything_at_all_is_concealed_within_bounds(
            heard in proptest::collection::vec(proptest::num::i16::ANY, 0..2000),
            gaps in proptest::collection::vec((1_usize..1000, proptest::option::of(0_usize..400)), 1..6),
        ) {
            let mut plc = Concealer::new(8_000);
            for (count, next) in gaps {
                plc.good(&mut heard.clone());
                let mut made = Vec::new();
                let next: Option<Vec<i16>> = next.map(|length| heard.iter().copied().cycle().take(length).collect());
                plc.conceal(count, next.as_deref(), &mut made);
                proptest::prop_assert_eq!(made.len(), count);
            }
        }
    }
}
