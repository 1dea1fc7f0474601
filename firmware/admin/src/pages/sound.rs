//! `/sound`: the devices, how they do, the volumes, and what is done to the voice. The first two are only looked at here:
//! devices are chosen in `frontdesk.toml`, volumes at the desk.

use maud::{Markup, html};

use crate::{
    form::Refused,
    guard::Signed,
    layout::{self, Place},
    pages::{Page, lines, overview, voice},
    text::{self, Text},
};

/// What the kernel knows of sound cards.
const CARDS: &str = "/proc/asound/cards";

/// `GET /sound`
pub(crate) async fn show(signed: Signed) -> Page {
    page(&signed, None).await
}

/// The page; `refused` is what was typed into the form of the voice and not taken.
pub(crate) async fn page(signed: &Signed, refused: Option<Refused<'_>>) -> Page {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let settings = lines::settings(signed).await?;
    let view = signed.app.view();
    let volumes = view.volumes;
    let percent = |value: u8, muted: bool| -> Markup {
        html! {
            progress max="100" value=(value) aria-label=(format!("{value} %")) {}
            " " (value) " %" @if muted { " · " span.badge.busy { (t(text::SOUND_MUTED)) } }
        }
    };
    let sound = &signed.app.config.sound;
    let cards = tokio::fs::read_to_string(CARDS).await.map(|text| cards(&text)).unwrap_or_default();
    let body = html! {
        section aria-labelledby="now-title" {
            h2 #now-title { (t(text::SOUND_NOW)) }
            (layout::facts("sound", &[
                (t(text::SOUND_DEVICE), overview::audio(&view.operator.audio, language)),
                (t(text::SOUND_EARPIECE), percent(volumes.output, volumes.output_muted)),
                (t(text::SOUND_MICROPHONE), percent(volumes.input, view.operator.muted)),
                (t(text::SOUND_RINGER), percent(volumes.ring, false)),
            ]))
        }
        (voice::section(signed, refused, settings.voice))
        section aria-labelledby="devices-title" {
            h2 #devices-title { (t(text::SOUND_DEVICES)) }
            p.lead { (t(text::SOUND_DEVICES_HINT)) }
            (layout::facts("devices", &[
                (t(text::SOUND_ROLE_SPEAKER), html! { code { (sound.speaker) } }),
                (t(text::SOUND_ROLE_MICROPHONE), html! { code { (sound.microphone) } }),
                (t(text::SOUND_ROLE_RINGER), html! { code { (sound.ringer) } }),
            ]))
        }
        section aria-labelledby="cards-title" {
            h2 #cards-title { (t(text::SOUND_CARDS)) }
            @if cards.is_empty() { p.empty { (t(text::SOUND_NO_CARDS)) } }
            @else { ul #cards { @for card in &cards { li { (card) } } } }
        }
    };
    Ok(layout::page(signed, Place::Sound, t(text::SOUND_TITLE), body))
}

/// The names in the kernel's list: ` 0 [PCH ]: HDA-Intel - HDA Intel PCH`, each with a second line about where it is.
fn cards(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.contains("]: "));
    lines.filter_map(|line| Some(line.split_once("]: ")?.1.trim().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_2_sound_cards_are_read_as_the_kernel_lists_them() {
        let text = " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n                      HDA at 0xf7 irq 33\n \
                     1 [Headset        ]: USB-Audio - Jabra\n                      at usb-0000\n";
        assert_eq!(cards(text), ["HDA-Intel - HDA Intel PCH", "USB-Audio - Jabra"]);
        assert_eq!(cards("--- no soundcards ---\n"), Vec::<String>::new());
    }
}
