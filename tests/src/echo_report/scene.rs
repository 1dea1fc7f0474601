//! Who speaks: one at the far end, one at the desk, and what the desk makes of it.

use media::{Voice, VoicePath};

use crate::audio_report::say;

/// Samples in 10 ms.
const FRAME: usize = 480;
/// The far end: some twenty seconds.
const FAR: [(&str, &str); 3] = [
    (
        "en-us",
        "The visitor from London is waiting at the front desk. He says that he has an appointment with the director of sales at three.",
    ),
    (
        "en-us+f3",
        "Please hold the line, I will put you through to her office. She is in a meeting until noon, but she will ring you back.",
    ),
    (
        "en-us",
        "We have changed the date of the delivery to next Thursday, and the invoice will follow by mail as usual.",
    ),
];
/// The desk, in another voice and language.
const NEAR: (&str, &str) = (
    "fr-fr+m3",
    "Votre rendez-vous de quinze heures est déplacé à jeudi. Ne quittez pas, je vous passe le service des achats. Le directeur \
     est en réunion jusqu'à midi, voulez-vous laisser un message ?",
);

/// What is spoken, at 48 kHz and the usual level of -26 dBFS.
#[derive(Clone, Debug)]
pub struct Scene {
    /// By the far end: played by the desk's loudspeaker.
    pub far: Vec<f64>,
    /// By the operator.
    pub near: Vec<f64>,
}

impl Scene {
    /// Has it spoken.
    ///
    /// # Panics
    /// When espeak-ng is not installed.
    #[must_use]
    #[track_caller]
    pub fn spoken() -> Self {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let speak = |(voice, text)| say(scratch.path(), voice, text).into_iter().map(f64::from);
        let mut far: Vec<f64> = FAR.into_iter().flat_map(|each| speak(each).collect::<Vec<_>>()).collect();
        far.truncate(far.len() / FRAME * FRAME);
        Self { far, near: speak(NEAR).collect() }
    }
}

/// What is sent: `heard` by the microphone while `played` by the loudspeaker, which are as long as each other. The desk takes
/// the way round to last `told_ms`.
pub(super) fn sent(voice: Voice, played: &[f64], heard: &[f64], told_ms: u32) -> Vec<f64> {
    let mut path = VoicePath::new(voice);
    let frames = played.chunks_exact(FRAME).zip(heard.chunks_exact(FRAME));
    let frame = |sound: &[f64]| -> [i16; FRAME] { std::array::from_fn(|n| sound[n].round() as i16) };
    frames
        .flat_map(|(played, heard)| {
            let said = path.process(&frame(heard), told_ms);
            path.played(&frame(played));
            said.map(f64::from)
        })
        .collect()
}
