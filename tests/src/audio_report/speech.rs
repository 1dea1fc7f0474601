//! What is spoken: sentences by espeak-ng, in English and in French, by men and women.

use std::f64::consts::PI;
use std::path::Path;
use std::process::Command;

use crate::sound::Recording;

/// Samples a second of everything spoken.
pub(crate) const RATE: u32 = 48_000;
/// Samples in a packet of 20 ms.
pub(super) const PACKET: usize = 960;
/// Who says what: the voices of espeak-ng, and two sentences of two to three seconds each.
const SENTENCES: [(&str, &str); 4] = [
    ("en-us", "The visitor from London is waiting at the front desk."),
    ("en-us+f3", "Please hold the line, I will put you through to her office."),
    ("fr-fr", "Votre rendez-vous de quinze heures est déplacé à jeudi."),
    ("fr-fr+f4", "Ne quittez pas, je vous passe le service des achats."),
];
/// Silence before each sentence and at the end, in samples.
const PAUSE: usize = RATE as usize * 2 / 5;
/// The level of speech on a telephone: 26 dB below the loudest there is (ITU-T P.56, P.800), as root of the mean square.
const LEVEL: f64 = 32_768.0 * 0.05;
/// Samples of the slower rate that conversion looks at, each way.
const REACH: f64 = 24.0;

/// How many ways there are to begin.
pub(super) const BEGINNINGS: usize = SENTENCES.len();

/// All sentences one after another, from the one numbered `first` (of [`BEGINNINGS`], and over again) on: whole packets, at
/// 48 kHz.
///
/// # Panics
/// When espeak-ng is not installed.
#[track_caller]
pub(crate) fn speech(scratch: &Path, first: usize) -> Vec<i16> {
    let mut all = Vec::new();
    for (voice, sentence) in SENTENCES.into_iter().cycle().skip(first % BEGINNINGS).take(BEGINNINGS) {
        all.resize(all.len() + PAUSE, 0);
        all.extend(say(scratch, voice, sentence));
    }
    all.resize((all.len() + PAUSE).next_multiple_of(PACKET), 0);
    all
}

/// One sentence by one voice, at 48 kHz and the usual level.
///
/// # Panics
/// When espeak-ng is not installed.
#[track_caller]
pub(crate) fn say(scratch: &Path, voice: &str, sentence: &str) -> Vec<i16> {
    let file = scratch.join(format!("{voice}.wav"));
    let mut command = Command::new("espeak-ng");
    command.args(["-v", voice, "-s", "165", "-w"]).arg(&file).arg(sentence);
    let status = command.status().expect("espeak-ng is installed (package espeak-ng)");
    assert!(status.success(), "espeak-ng does not speak as {voice}");
    let spoken = Recording::read(&file).expect("espeak-ng writes WAV files of 16 bit");
    levelled(&converted(&spoken))
}

/// The same at the usual level.
fn levelled(samples: &[i16]) -> Vec<i16> {
    let level = Recording { rate: RATE, samples: samples.to_vec() }.level();
    let gain = LEVEL / level.max(1.0);
    samples.iter().map(|&sample| (f64::from(sample) * gain).clamp(-32_768.0, 32_767.0) as i16).collect()
}

/// The same at [`RATE`], which is higher: windowed-sinc interpolation.
fn converted(recording: &Recording) -> Vec<i16> {
    let ratio = f64::from(recording.rate) / f64::from(RATE);
    let length = (recording.samples.len() as f64 / ratio) as usize;
    let at = |n: usize| {
        let centre = n as f64 * ratio;
        let first = (centre - REACH).ceil().max(0.0) as usize;
        let last = ((centre + REACH) as usize).min(recording.samples.len().saturating_sub(1));
        let sum: f64 =
            (first..=last).map(|m| f64::from(recording.samples[m]) * kernel(centre - m as f64)).sum();
        sum.clamp(-32_768.0, 32_767.0) as i16
    };
    (0..length).map(at).collect()
}

fn kernel(x: f64) -> f64 {
    let sinc = if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) };
    sinc * (0.5 + 0.5 * (PI * x / REACH).cos())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_the_same_tone_at_the_higher_rate() {
        let tone = Recording::sine(1000.0, 22_050, 1);
        let converted = Recording { rate: RATE, samples: converted(&tone) };
        assert!((converted.seconds() - 1.0).abs() < 0.001);
        assert!(converted.share(1000.0) > 0.999, "{}", converted.share(1000.0));
        assert!((converted.level() / tone.level() - 1.0).abs() < 0.01);
    }
}
