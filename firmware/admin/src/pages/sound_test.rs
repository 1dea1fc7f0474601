//! `/sound/test/…` and `/sound/measure`: a sound at the desk, and how loud it is there; a part of the page of the sound.
//!
//! Nobody hears anything of the desk here: the page gets levels, never speech.

use axum::{extract::Path, response::Response};
use ipc::{CommandError, Language, Loudness, SoundLevels, SoundTest, SoundTestEnd};
use maud::{Markup, html};

use crate::{
    audit::Act,
    guard::{Posted, Signed},
    layout,
    text::{self, Text},
};

/// What can be tried, by its word in the address.
const TESTS: [(&str, SoundTest, Text); 3] = [
    ("speaker", SoundTest::Speaker, text::SOUND_TEST_PLAY),
    ("ringer", SoundTest::Ringer, text::SOUND_TEST_RING),
    ("notifier", SoundTest::Notifier, text::SOUND_TEST_CHIME),
];

/// `POST /sound/test/{test}`
pub(crate) async fn test(Path(wanted): Path<String>, Posted { signed, .. }: Posted) -> Response {
    let Some((word, test, _)) = TESTS.into_iter().find(|(word, ..)| *word == wanted) else {
        return layout::go("/sound");
    };
    match signed.app.desk.test_sound(test).await {
        Some(Ok(())) => {
            signed.app.audit(&signed.actor(), Act::SoundTested, word).await;
            signed.done("/sound", text::SOUND_TEST_PLAYS.is(signed.language))
        }
        Some(Err(CommandError::SoundTest(end))) => signed.failed("/sound", why(end).is(signed.language)),
        Some(Err(_)) | None => signed.failed("/sound", text::SOUND_TEST_NO_ANSWER.is(signed.language)),
    }
}

/// `POST /sound/measure`
pub(crate) async fn measure(Posted { signed, .. }: Posted) -> Response {
    let language = signed.language;
    let Some(levels) = signed.app.desk.measure_sound().await else {
        return signed.failed("/sound", text::SOUND_TEST_NO_ANSWER.is(language));
    };
    signed.app.audit(&signed.actor(), Act::SoundTested, "measure").await;
    signed.done("/sound", measured(levels, language))
}

/// The section of the page.
pub(crate) fn section(signed: &Signed) -> Markup {
    let t = |text: Text| text.is(signed.language);
    html! {
        section aria-labelledby="test-title" {
            h2 #test-title { (t(text::SOUND_TEST)) }
            p.lead { (t(text::SOUND_TEST_INTRO)) }
            div.actions {
                @for (word, _, label) in TESTS {
                    @let (id, to) = (format!("test-{word}"), format!("/sound/test/{word}"));
                    (layout::action(signed, &id, &to, t(label), ""))
                }
                (layout::action(signed, "measure", "/sound/measure", t(text::SOUND_MEASURE), "quiet"))
            }
        }
    }
}

fn measured(levels: SoundLevels, language: Language) -> String {
    let word = |dbfs| {
        match Loudness::of(dbfs) {
            Loudness::Silent => text::SOUND_LEVEL_SILENT,
            Loudness::Good => text::SOUND_LEVEL_GOOD,
            Loudness::TooLoud => text::SOUND_LEVEL_LOUD,
        }
        .is(language)
    };
    let (input, output) = (levels.input_dbfs.to_string(), levels.output_dbfs.to_string());
    text::SOUND_MEASURED.with(
        language,
        &[
            ("input", &input),
            ("input_word", &word(levels.input_dbfs)),
            ("output", &output),
            ("output_word", &word(levels.output_dbfs)),
        ],
    )
}

/// Why a sound was not played.
fn why(end: SoundTestEnd) -> Text {
    match end {
        SoundTestEnd::Call => text::SOUND_TEST_CALL,
        SoundTestEnd::MicrophoneMuted | SoundTestEnd::SpeakerMuted => text::SOUND_TEST_MUTED,
        SoundTestEnd::Disconnected | SoundTestEnd::DeviceLost => text::SOUND_TEST_NO_DEVICE,
        SoundTestEnd::Telephone => text::SOUND_TEST_TELEPHONE,
        SoundTestEnd::Done { .. } | SoundTestEnd::Stopped => text::SOUND_TEST_STOPPED,
    }
}
