//! The form of a plugin's settings, typed as its author declared them, and the values read back from it.

use ipc::{Language, PluginForm, PluginSetting, PluginSettingKind};
use maud::{Markup, html};
use serde_json::{Map, Value};

use crate::{
    fields::Fields,
    language,
    text::{self, Text},
};

/// Minutes between two runs.
const INTERVAL: std::ops::RangeInclusive<u64> = 1..=10_080;

/// What an author calls a setting.
pub(crate) fn label(setting: &PluginSetting, language: Language) -> &str {
    let label = setting.label.get(language::code(language)).or_else(|| setting.label.get("en"));
    label.map_or(setting.key.as_str(), String::as_str)
}

/// The fields. `typed` is what was typed before and not taken, in place of what is set.
pub(crate) fn inputs(
    form: &PluginForm,
    interval_s: u64,
    typed: Option<&Fields>,
    may_write: bool,
    language: Language,
) -> Markup {
    let interval = match typed {
        Some(fields) => fields.get("interval").to_owned(),
        None => interval_s.div_ceil(60).to_string(),
    };
    html! {
        fieldset.plain disabled[!may_write] {
            @for setting in &form.settings { (input(form, setting, typed, language)) }
            @if form.settings.is_empty() { p.empty { (text::NO_SETTINGS.is(language)) } }
            div.field {
                label for="interval" { (text::INTERVAL.is(language)) }
                input #interval name="interval" type="number" min="1" max="10080" value=(interval) required
                    aria-describedby="interval-hint";
                p.hint #interval-hint { (text::INTERVAL_HINT.is(language)) }
            }
        }
    }
}

fn input(form: &PluginForm, setting: &PluginSetting, typed: Option<&Fields>, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let name = format!("setting.{}", setting.key);
    let value = value(form, setting, typed, &name);
    let is_set = form.secrets.contains(&setting.key);
    let must = setting.required && !(setting.kind == PluginSettingKind::Secret && is_set);
    let hint = format!("{name}-hint");
    html! {
        div.field {
            @if setting.kind == PluginSettingKind::Boolean {
                div.tick {
                    input type="checkbox" id=(name) name=(name) checked[value == "true"];
                    label for=(name) { (label(setting, language)) }
                }
            } @else {
                label for=(name) {
                    (label(setting, language))
                    @if setting.required { " " span.note { (t(text::REQUIRED)) } }
                }
                @match setting.kind {
                    PluginSettingKind::Multiline => {
                        textarea id=(name) name=(name) rows="4" required[must] { "\n" (value) }
                    },
                    PluginSettingKind::Choice => {
                        select id=(name) name=(name) required[must] {
                            @if !setting.required { option value="" { (t(text::SETTING_NONE)) } }
                            @for choice in &setting.choices {
                                option value=(choice) selected[*choice == value] { (choice) }
                            }
                        }
                    },
                    PluginSettingKind::Integer => {
                        input id=(name) name=(name) type="number" min=[setting.min] max=[setting.max] value=(value)
                            required[must];
                    },
                    PluginSettingKind::Secret => {
                        input id=(name) name=(name) type="password" autocomplete="off" required[must]
                            aria-describedby=(hint);
                        p.hint id=(hint) {
                            (t(if is_set { text::SECRET_SET } else { text::SECRET_UNSET }))
                            @if setting.expose { " " (t(text::SECRET_EXPOSED)) }
                        }
                        @if is_set && !setting.required {
                            @let forget = format!("forget.{}", setting.key);
                            div.tick {
                                input type="checkbox" id=(forget) name=(forget);
                                label for=(forget) {
                                    (text::SECRET_FORGET.with(language, &[("setting", &label(setting, language))]))
                                }
                            }
                        }
                    },
                    // A browser's own check of addresses knows `https` and little else; the host checks them.
                    _ => input id=(name) name=(name) type="text" value=(value) required[must];,
                }
            }
        }
    }
}

/// What stands in a field. A secret never does.
fn value(form: &PluginForm, setting: &PluginSetting, typed: Option<&Fields>, name: &str) -> String {
    match (setting.kind, typed) {
        (PluginSettingKind::Secret, _) => return String::new(),
        (PluginSettingKind::Boolean, Some(fields)) => return fields.has(name).to_string(),
        (_, Some(fields)) => return fields.get(name).to_owned(),
        (_, None) => {}
    }
    match form.values.get(&setting.key).or(setting.default.as_ref()) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

/// The values of a form that was sent, and the seconds between two runs.
///
/// # Errors
/// What is wrong, in words.
pub(crate) fn read(
    form: &PluginForm,
    fields: &Fields,
    language: Language,
) -> Result<(Map<String, Value>, u64), String> {
    let mut values = Map::new();
    for setting in &form.settings {
        if let Some(value) = typed_value(form, setting, fields, language)? {
            values.insert(setting.key.clone(), value);
        }
    }
    let minutes = fields.get("interval").trim().parse().ok().filter(|minutes| INTERVAL.contains(minutes));
    let minutes: u64 = minutes.ok_or_else(|| text::INTERVAL_WRONG.is(language).to_owned())?;
    Ok((values, minutes * 60))
}

fn typed_value(
    form: &PluginForm,
    setting: &PluginSetting,
    fields: &Fields,
    language: Language,
) -> Result<Option<Value>, String> {
    let named = |text: Text| text.with(language, &[("setting", &label(setting, language))]);
    let typed = fields.get(&format!("setting.{}", setting.key));
    let is_empty = typed.trim().is_empty();
    let is_kept = setting.kind == PluginSettingKind::Secret && form.secrets.contains(&setting.key);
    if setting.required && is_empty && !is_kept && setting.kind != PluginSettingKind::Boolean {
        return Err(named(text::SETTING_MISSING));
    }
    Ok(match setting.kind {
        PluginSettingKind::Boolean => Some(fields.has(&format!("setting.{}", setting.key)).into()),
        PluginSettingKind::Secret if !is_empty => Some(typed.into()),
        PluginSettingKind::Secret if !setting.required && fields.has(&format!("forget.{}", setting.key)) => {
            Some(Value::Null)
        }
        PluginSettingKind::Secret => None,
        _ if is_empty => None,
        PluginSettingKind::Integer => {
            let number: i64 = typed.trim().parse().map_err(|_| named(text::SETTING_INTEGER))?;
            let (min, max) = (setting.min.unwrap_or(i64::MIN), setting.max.unwrap_or(i64::MAX));
            if !(min..=max).contains(&number) {
                let values: [(&str, &dyn std::fmt::Display); 3] =
                    [("setting", &label(setting, language)), ("min", &min), ("max", &max)];
                return Err(text::SETTING_RANGE.with(language, &values));
            }
            Some(number.into())
        }
        PluginSettingKind::Choice if !setting.choices.iter().any(|choice| choice == typed) => {
            return Err(named(text::SETTING_CHOICE));
        }
        // Browsers send lines with CR LF.
        PluginSettingKind::Multiline => Some(typed.replace("\r\n", "\n").into()),
        PluginSettingKind::Text
        | PluginSettingKind::Url
        | PluginSettingKind::LdapDn
        | PluginSettingKind::LdapFilter => Some(typed.trim().into()),
        PluginSettingKind::Choice => Some(typed.into()),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    fn setting(key: &str, kind: PluginSettingKind) -> PluginSetting {
        let label = [("en".to_owned(), key.to_uppercase())].into();
        PluginSetting {
            key: key.into(),
            kind,
            label,
            required: false,
            default: None,
            choices: vec!["a".into(), "b".into()],
            min: Some(1),
            max: Some(9),
            expose: false,
        }
    }

    fn form() -> PluginForm {
        use PluginSettingKind::{Boolean, Choice, Integer, Multiline, Secret, Text, Url};
        let kinds = [Text, Multiline, Url, Secret, Integer, Boolean, Choice];
        let settings = kinds.iter().map(|kind| setting(&format!("{kind:?}").to_lowercase(), *kind)).collect();
        PluginForm {
            rights: vec![],
            settings,
            values: Map::new(),
            secrets: vec!["secret".into()],
            sign_ins: vec![],
        }
    }

    fn sent(query: &str) -> Result<(Map<String, Value>, u64), String> {
        read(&form(), &Fields::of_bytes(query.as_bytes()), Language::English)
    }

    #[test]
    fn app_1_each_kind_of_setting_becomes_its_kind_of_value() {
        let (values, interval_s) = sent(
            "interval=5&setting.text=+x+&setting.multiline=a%0D%0Ab&setting.url=https://a&setting.secret=s\
             &setting.integer=7&setting.boolean=on&setting.choice=b&setting.other=no",
        )
        .unwrap();
        let wanted = json!({"text": "x", "multiline": "a\nb", "url": "https://a", "secret": "s", "integer": 7,
            "boolean": true, "choice": "b"});
        assert_eq!((Value::Object(values), interval_s), (wanted, 300));
    }

    #[test]
    fn app_1_a_secret_left_empty_stays_and_one_forgotten_is_null() {
        assert_eq!(Value::Object(sent("interval=1").unwrap().0), json!({"boolean": false}));
        let (values, _) = sent("interval=1&forget.secret=on").unwrap();
        assert_eq!(values["secret"], Value::Null);
    }

    #[test]
    fn app_1_what_does_not_fit_is_named_with_its_label() {
        for (query, word) in [
            ("interval=1&setting.integer=x", "“INTEGER” must be a whole number"),
            ("interval=1&setting.integer=10", "“INTEGER” must be from 1 to 9"),
            ("interval=1&setting.choice=c", "“CHOICE” must be one"),
            ("interval=0", "minutes between"),
            ("", "minutes between"),
        ] {
            assert!(sent(query).unwrap_err().contains(word), "{query}");
        }
        let mut form = form();
        form.settings[0].required = true;
        let missing = read(&form, &Fields::of_bytes(b"interval=1&setting.text=+"), Language::English);
        assert!(missing.unwrap_err().contains("“TEXT” must be filled in"));
    }

    #[test]
    fn app_1_a_secret_is_never_in_the_page() {
        let typed = Fields::of_bytes(b"setting.secret=hunter2&interval=1");
        let page = inputs(&form(), 60, Some(&typed), true, Language::French).into_string();
        assert!(page.contains("setting.secret") && !page.contains("hunter2"));
    }
}
