//! Sound devices that a test can pull out, put back, block and stop: an external plugin of ALSA with a clock of its own
//! (`firmware/media/tests/pulled/pulled.c`), and what has been heard on them, by the clock.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::repository;
use crate::sound::Recording;

/// Samples a second of these devices.
pub const RATE: u32 = 48_000;

/// What is heard is looked at in parts of so many samples: 5 ms.
const PART: usize = 240;
/// Quieter than this root of the mean square, nothing is heard.
const HEARD: f64 = 1_000.0;

/// A device that can be pulled out.
#[derive(Debug)]
pub struct Card {
    folder: PathBuf,
}

/// A part of what was heard, by the monotonic clock in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// From then …
    pub from: f64,
    /// … until then.
    pub until: f64,
}

/// Builds the plugin in `folder` and writes a configuration of ALSA with these devices, each with the tone in Hz that its
/// microphone hears. Gives the configuration, for the variable `ALSA_CONFIG_PATH` of the desk, and the devices, all
/// plugged in.
///
/// # Panics
/// Without a C compiler and ALSA's headers.
#[must_use]
pub fn cards(folder: &Path, devices: &[(&str, f64)]) -> (PathBuf, Vec<Card>) {
    let library = folder.join("libasound_module_pcm_pulled.so");
    let source = repository::root().join("firmware/media/tests/pulled/pulled.c");
    let mut compiler = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.args(["-shared", "-fPIC", "-DPIC", "-O1", "-o"]).arg(&library);
    let built = compiler.arg(source).args(["-lasound", "-lm"]).status().expect("a C compiler");
    assert!(built.success(), "the plugin is not built (package libasound2-dev)");
    let mut text = format!("pcm_type.pulled {{ lib \"{}\" }}\n", library.display());
    let mut cards = Vec::new();
    for (name, hz) in devices {
        let card = Card { folder: folder.join(name) };
        fs::create_dir_all(&card.folder).expect("the scratch folder is writable");
        text += &format!("pcm.{name} {{ type pulled folder \"{}\" hz {hz:.0} }}\n", card.folder.display());
        card.set("there", true);
        cards.push(card);
    }
    let configuration = folder.join("asound.conf");
    fs::write(&configuration, text).expect("the scratch folder is writable");
    (configuration, cards)
}

/// The monotonic clock, in seconds.
#[must_use]
pub fn now() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` lives during the call, which writes nothing else.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

impl Card {
    /// `there`: it is plugged in; `blocks`: who writes or reads does not return; `silent`: its clock stands still.
    ///
    /// # Panics
    /// When it is so already.
    #[track_caller]
    pub fn set(&self, what: &str, on: bool) {
        let file = self.folder.join(what);
        let done = if on { fs::write(file, "") } else { fs::remove_file(file) };
        done.expect("the scratch folder is writable");
    }

    /// What has been played on it since `from` (seconds by [`now`]): when each piece sounds, and its samples.
    #[must_use]
    pub fn played(&self, from: f64) -> Vec<(f64, Vec<i16>)> {
        let bytes = fs::read(self.folder.join("played")).unwrap_or_default();
        let (mut rest, mut pieces) = (bytes.as_slice(), Vec::new());
        while let Some((head, after)) = rest.split_first_chunk::<12>() {
            let [a, b, c, d, e, f, g, h, count @ ..] = *head;
            let begin = i64::from_le_bytes([a, b, c, d, e, f, g, h]) as f64 / 1e9;
            let Some((piece, after)) = after.split_at_checked(2 * u32::from_le_bytes(count) as usize) else {
                break;
            };
            if begin >= from {
                let samples = piece.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]]));
                pieces.push((begin, samples.collect()));
            }
            rest = after;
        }
        pieces
    }

    /// When something was heard on it since `from`.
    #[must_use]
    pub fn heard(&self, from: f64) -> Vec<Span> {
        let mut spans = Vec::new();
        for (begin, samples) in self.played(from) {
            for (n, part) in samples.chunks(PART).enumerate() {
                let at = begin + (n * PART) as f64 / f64::from(RATE);
                let part = Recording { rate: RATE, samples: part.to_vec() };
                if part.level() >= HEARD {
                    spans.push(Span { from: at, until: at + part.seconds() });
                }
            }
        }
        spans
    }

    /// What was played on it since `from`, in one piece.
    #[must_use]
    pub fn recording(&self, from: f64) -> Recording {
        let samples = self.played(from).into_iter().flat_map(|(_, samples)| samples).collect();
        Recording { rate: RATE, samples }
    }
}

/// The longest silence between `from` and `until`, in seconds, where anything is heard in `spans`.
#[must_use]
pub fn longest_silence(mut spans: Vec<Span>, from: f64, until: f64) -> f64 {
    spans.retain(|span| span.until > from && span.from < until);
    spans.sort_by(|one, other| one.from.total_cmp(&other.from));
    let (mut heard_until, mut longest) = (from, 0.0_f64);
    for span in spans {
        longest = longest.max(span.from - heard_until);
        heard_until = heard_until.max(span.until);
    }
    longest.max(until - heard_until)
}

/// The longest time in a recording in which less than a quarter of its loud parts' level is heard, in seconds.
#[must_use]
pub fn longest_pause(recording: &Recording) -> f64 {
    let size = (recording.rate / 200).max(1) as usize;
    let level = |part: &[i16]| Recording { rate: recording.rate, samples: part.to_vec() }.level();
    let levels: Vec<f64> = recording.samples.chunks_exact(size).map(level).collect();
    let mut sorted = levels.clone();
    sorted.sort_by(f64::total_cmp);
    // Even where most of it is silent.
    let loud = sorted.get(sorted.len() * 9 / 10).copied().unwrap_or_default();
    let pause = (loud / 4.0).max(HEARD / 4.0);
    let (mut run, mut longest) = (0_usize, 0);
    for level in levels {
        run = if level < pause { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    (longest * size) as f64 / f64::from(recording.rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hw_3_silence_is_found_between_two_devices_and_at_the_ends() {
        let span = |from, until| Span { from, until };
        let spans = vec![span(3.0, 5.0), span(0.0, 2.0), span(1.0, 2.5)];
        assert_eq!(longest_silence(spans.clone(), 0.0, 5.0), 0.5);
        assert_eq!(longest_silence(spans.clone(), 0.0, 6.5), 1.5);
        assert_eq!(longest_silence(spans, 2.0, 4.0), 0.5);
        assert_eq!(longest_silence(Vec::new(), 1.0, 4.0), 3.0);
    }

    #[test]
    fn hw_3_a_pause_in_a_recording_is_measured() {
        let mut recording = Recording::sine(440.0, 8_000, 3);
        recording.samples[8_000..8_800].fill(0);
        assert_eq!(longest_pause(&recording), 0.1);
        recording.samples[16_000..20_000].fill(0);
        assert_eq!(longest_pause(&recording), 0.5);
        recording.samples[4_000..24_000].fill(0);
        assert_eq!(longest_pause(&recording), 2.5);
        recording.samples.fill(0);
        assert_eq!(longest_pause(&recording), 3.0);
    }
}
