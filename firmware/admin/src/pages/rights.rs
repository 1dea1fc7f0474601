//! What a plugin asks for, in plain words, as boxes to tick.

use ipc::{Language, PluginGrants, PluginRight, PluginSetting};
use maud::{Markup, html};

use crate::{
    fields::Fields,
    plugin_settings::label,
    text::{self, Text},
};

/// The boxes, ticked as granted.
pub(crate) fn boxes(
    rights: &[PluginRight],
    settings: &[PluginSetting],
    granted: &PluginGrants,
    may_write: bool,
    language: Language,
) -> Markup {
    let t = |text: Text| text.is(language);
    html! {
        @if rights.is_empty() {
            p.empty { (t(text::NO_RIGHTS)) }
        } @else {
            p { (t(text::RIGHTS_INTRO)) }
            @for right in rights {
                fieldset.right id=(format!("right-{}", right.id)) disabled[!may_write] {
                    legend {
                        (what(right, settings, language))
                        @if right.new { " " strong.badge.busy { (t(text::RIGHT_NEW)) } }
                    }
                    (tick("net", &right.id, t(text::RIGHT_ALLOW).into(), granted.net.contains(&right.id)))
                    @if right.private {
                        (tick("private", &right.id, t(text::RIGHT_PRIVATE).into(), granted.private.contains(&right.id)))
                        (tick("loopback", &right.id, t(text::RIGHT_LOOPBACK).into(), granted.loopback.contains(&right.id)))
                    }
                    @if right.plain { p.warn { (t(text::RIGHT_PLAIN)) } }
                    @if !right.secrets.is_empty() {
                        @let secrets = right.secrets.iter().map(|key| name_of(key, settings, language));
                        @let secrets = secrets.collect::<Vec<_>>().join(", ");
                        p { (text::RIGHT_SECRETS.with(language, &[("secrets", &secrets)])) }
                    }
                    @if right.token { p { (t(text::RIGHT_TOKEN)) } }
                    p.note { (text::RIGHT_REASON.with(language, &[("reason", &right.reason)])) }
                }
            }
        }
    }
}

/// What was ticked, of what the plugin asks for; anything else in the form is none of it.
pub(crate) fn ticked(fields: &Fields, rights: &[PluginRight]) -> PluginGrants {
    let of = |kind: &str, wanted: &dyn Fn(&PluginRight) -> bool| {
        let ids = rights.iter().filter(|right| wanted(right) && fields.has(&format!("{kind}.{}", right.id)));
        ids.map(|right| right.id.clone()).collect()
    };
    PluginGrants {
        net: of("net", &|_| true),
        private: of("private", &|right| right.private),
        loopback: of("loopback", &|right| right.private),
    }
}

fn tick(kind: &str, id: &str, label: String, on: bool) -> Markup {
    let name = format!("{kind}.{id}");
    html! {
        div.tick {
            input type="checkbox" id=(name) name=(name) checked[on];
            label for=(name) { (label) }
        }
    }
}

fn what(right: &PluginRight, settings: &[PluginSetting], language: Language) -> String {
    match &right.from_setting {
        Some(key) => text::RIGHT_SETTING.with(language, &[("setting", &name_of(key, settings, language))]),
        None => text::RIGHT_PLACES.with(language, &[("places", &right.places.join(", "))]),
    }
}

fn name_of(key: &str, settings: &[PluginSetting], language: Language) -> String {
    settings
        .iter()
        .find(|setting| setting.key == key)
        .map_or(key, |setting| label(setting, language))
        .to_owned()
}
