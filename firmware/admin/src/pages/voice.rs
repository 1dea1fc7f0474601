//! `/sound/voice`: what is done to the microphone's sound; a part of the page of the sound.

use maud::{Markup, html};
use store::Voice;

use crate::{
    audit::Act,
    form::Form,
    guard::{Posted, Signed},
    pages::Page,
    settings::said,
    text::{self, Text},
};

/// `POST /sound/voice`
pub(crate) async fn set(Posted { signed, fields }: Posted) -> Page {
    let has = |name: &str| fields.has(name);
    let voice =
        Voice { hands_free: has("hands_free"), echo: has("echo"), noise: has("noise"), gain: has("gain") };
    let changed = signed.app.change_settings(move |settings| {
        settings.voice = voice;
        Ok(())
    });
    match changed.await {
        Ok(()) => {
            signed.app.audit(&signed.actor(), Act::SettingsChanged, "voice").await;
            Ok(signed.done("/sound", text::DESK_SAVED.is(signed.language)))
        }
        Err(problem) => Ok(signed.failed("/sound", said(&problem, signed.language))),
    }
}

/// The section of the page.
pub(crate) fn section(signed: &Signed, now: Voice) -> Markup {
    let t = |text: Text| text.is(signed.language);
    let form = Form::new(signed, None);
    let fields = html! {
        (form.tick("hands_free", t(text::VOICE_HANDS_FREE), now.hands_free))
        (form.tick("echo", t(text::VOICE_ECHO), now.echo))
        (form.tick("noise", t(text::VOICE_NOISE), now.noise))
        (form.tick("gain", t(text::VOICE_GAIN), now.gain))
        p.hint { (t(text::VOICE_HINT)) }
    };
    html! {
        section aria-labelledby="voice-title" {
            h2 #voice-title { (t(text::VOICE_TITLE)) }
            p.lead { (t(text::VOICE_INTRO)) }
            (form.around("voice", "/sound/voice", fields))
        }
    }
}
