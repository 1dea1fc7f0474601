//! `/sound`: which device does what, how they do, the volumes, which are set at the desk, what is done to the voice, and what
//! callers hear who wait.

use maud::{Markup, html};
use store::SoundDevices;

use crate::{
    audit::Act,
    cards::{self, Device},
    form::{Form, Refused, Wrong},
    guard::{Posted, Signed},
    layout::{self, Place},
    pages::{Page, lines, overview, sound_test, voice, waiting},
    settings::wrong,
    text::{self, Text},
};

/// The choices of each list, best first.
const CHOICES: [Text; 3] = [text::SOUND_FIRST, text::SOUND_SECOND, text::SOUND_THIRD];
/// The lists with their words in the form.
const ROLES: [(&str, Text); 4] = [
    ("speaker", text::SOUND_ROLE_SPEAKER),
    ("microphone", text::SOUND_ROLE_MICROPHONE),
    ("ringer", text::SOUND_ROLE_RINGER),
    ("notifier", text::SOUND_ROLE_NOTIFIER),
];

/// `GET /sound`
pub(crate) async fn show(signed: Signed) -> Page {
    page(&signed, None).await
}

/// `POST /sound`
pub(crate) async fn choose(Posted { signed, fields }: Posted) -> Page {
    let list = |role: &str| {
        let chosen = (0..CHOICES.len()).map(|index| fields.get(&field(role, index)).trim().to_owned());
        chosen.filter(|name| !name.is_empty()).collect()
    };
    let sound = SoundDevices {
        speaker: list("speaker"),
        microphone: list("microphone"),
        ringer: list("ringer"),
        notifier: list("notifier"),
    };
    let changed = signed.app.change_settings(move |settings| {
        settings.sound = sound;
        Ok(())
    });
    match changed.await {
        Ok(()) => {
            signed.app.audit(&signed.actor(), Act::SettingsChanged, "sound").await;
            Ok(signed.done("/sound", text::DESK_SAVED.is(signed.language)))
        }
        Err(problem) => {
            let Wrong { field: role, words } = wrong(&problem, "sound", signed.language);
            // Said at the first choice of the list.
            let at = if role.is_empty() { role } else { field(&role, 0) };
            page(&signed, Some(Refused { typed: &fields, wrong: &Wrong { field: at, words } })).await
        }
    }
}

fn field(role: &str, index: usize) -> String {
    format!("{role}_{}", index + 1)
}

async fn page(signed: &Signed, refused: Option<Refused<'_>>) -> Page {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let view = signed.app.view();
    let volumes = view.volumes;
    let percent = |value: u8, muted: bool| -> Markup {
        html! {
            progress max="100" value=(value) aria-label=(format!("{value} %")) {}
            " " (value) " %" @if muted { " · " span.badge.busy { (t(text::SOUND_MUTED)) } }
        }
    };
    let settings = lines::settings(signed).await?;
    let (cards, devices) = cards::look().await;
    let form = Form::new(signed, refused);
    let body = html! {
        (form.problem())
        section aria-labelledby="now-title" {
            h2 #now-title { (t(text::SOUND_NOW)) }
            (layout::facts("sound", &[
                (t(text::SOUND_DEVICE), overview::audio(&view.operator.audio, language)),
                (t(text::SOUND_EARPIECE), percent(volumes.output, volumes.output_muted)),
                (t(text::SOUND_MICROPHONE), percent(volumes.input, view.operator.muted)),
                (t(text::SOUND_RINGER), percent(volumes.ring, false)),
            ]))
        }
        (sound_test::section(signed))
        (voice::section(signed, settings.voice))
        (waiting::section(signed, &settings))
        section aria-labelledby="devices-title" {
            h2 #devices-title { (t(text::SOUND_DEVICES)) }
            p.lead { (t(text::SOUND_DEVICES_HINT)) }
            (form.around("sound-devices", "/sound", choices(&form, &settings.sound, &devices)))
        }
        section aria-labelledby="cards-title" {
            h2 #cards-title { (t(text::SOUND_CARDS)) }
            @if cards.is_empty() { p.empty { (t(text::SOUND_NO_CARDS)) } }
            @else { ul #cards { @for card in &cards { li { (card) } } } }
        }
    };
    Ok(layout::page(signed, Place::Sound, t(text::SOUND_TITLE), body))
}

fn choices(form: &Form<'_>, sound: &SoundDevices, devices: &[Device]) -> Markup {
    html! {
        @for (role, words) in ROLES {
            fieldset {
                legend { (words.is(form.signed.language)) }
                div.columns {
                    @for (index, label) in CHOICES.into_iter().enumerate() {
                        (choice(form, (role, index), label, chosen(sound, role), devices))
                    }
                }
            }
        }
    }
}

fn choice(
    form: &Form<'_>,
    (role, index): (&str, usize),
    label: Text,
    chosen: &[String],
    devices: &[Device],
) -> Markup {
    let language = form.signed.language;
    let here = |name: &str| devices.iter().any(|device| device.name == name);
    let nothing = match (index, role) {
        (0, "notifier") if of_file(form, role).is_empty() => {
            text::SOUND_WHERE_IT_RINGS.is(language).to_owned()
        }
        (0, _) => text::SOUND_OF_FILE.with(language, &[("names", &of_file(form, role).join(", "))]),
        _ => text::SOUND_NONE_FURTHER.is(language).to_owned(),
    };
    let mut options = vec![(String::new(), nothing)];
    let fits = |device: &&Device| if role == "microphone" { device.records } else { device.plays };
    for device in devices.iter().filter(fits) {
        options.push((device.name.clone(), format!("{} ({})", device.words, device.name)));
    }
    options.push(("default".to_owned(), text::SOUND_SYSTEM.is(language).to_owned()));
    options.push(("none".to_owned(), text::SOUND_SILENT.is(language).to_owned()));
    // What is chosen and unplugged stays chosen.
    let typed = form.refused.map(|refused| refused.typed.get(&field(role, index)).to_owned());
    for name in chosen.iter().chain(&typed) {
        if !here(name) && !options.iter().any(|(there, _)| there == name) {
            options.push((name.clone(), text::SOUND_NOT_THERE.with(language, &[("name", name)])));
        }
    }
    let now = chosen.get(index).map_or("", String::as_str);
    form.choice(&field(role, index), label, now, &options, None)
}

fn chosen<'a>(sound: &'a SoundDevices, role: &str) -> &'a [String] {
    match role {
        "speaker" => &sound.speaker,
        "microphone" => &sound.microphone,
        "ringer" => &sound.ringer,
        _ => &sound.notifier,
    }
}

/// What the configuration file says.
fn of_file<'a>(form: &Form<'a>, role: &str) -> &'a [String] {
    let sound = &form.signed.app.config.sound;
    match role {
        "speaker" => &sound.speaker,
        "microphone" => &sound.microphone,
        "ringer" => &sound.ringer,
        _ => &sound.notifier,
    }
}
