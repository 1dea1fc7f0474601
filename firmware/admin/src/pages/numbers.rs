//! `/numbers`: how numbers are written here, the address of the CRM, and what applies to every call.

use ipc::PageWhen;
use maud::{Markup, html};
use store::{Crm, Numbers, Rules, Settings};

use crate::{
    fields::Fields,
    form::{Form, Refused, Wrong, optional, whole},
    guard::{Posted, Signed},
    layout::{self, Place},
    pages::{Page, lines},
    settings::wrong,
    text::{self, Text},
};

/// When the page of the CRM opens, with the word that is sent.
const OPEN: [(&str, PageWhen, Text); 3] = [
    ("menu", PageWhen::Menu, text::CRM_MENU),
    ("answer", PageWhen::Answer, text::CRM_ANSWER),
    ("ring", PageWhen::Ring, text::CRM_RING),
];

/// Which form of the page; the word is the table of the settings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Numbers,
    Crm,
    Rules,
}

/// `GET /numbers`
pub(crate) async fn show(signed: Signed) -> Page {
    page(&signed, None).await
}

/// `POST /numbers`
pub(crate) async fn set_numbers(Posted { signed, fields }: Posted) -> Page {
    let typed = numbers(&fields, &signed);
    save(&signed, &fields, Part::Numbers, typed, |settings, numbers| settings.numbers = numbers).await
}

/// `POST /numbers/crm`
pub(crate) async fn set_crm(Posted { signed, fields }: Posted) -> Page {
    let open = OPEN.iter().find(|(word, ..)| *word == fields.get("open"));
    let open = open.map(|(_, open, _)| *open).unwrap_or_default();
    let typed = Crm { url: optional(&fields, "url"), open };
    save(&signed, &fields, Part::Crm, Ok(typed), |settings, crm| settings.crm = crm).await
}

/// `POST /numbers/rules`
pub(crate) async fn set_rules(Posted { signed, fields }: Posted) -> Page {
    let typed = rules(&fields, &signed);
    save(&signed, &fields, Part::Rules, typed, |settings, rules| settings.rules = rules).await
}

fn numbers(fields: &Fields, signed: &Signed) -> Result<Numbers, Wrong> {
    let trimmed = |name: &str| fields.get(name).trim().to_owned();
    Ok(Numbers {
        country: trimmed("country"),
        trunk_prefix: trimmed("trunk_prefix"),
        area: optional(fields, "area"),
        international_prefix: trimmed("international_prefix"),
        outside_prefix: optional(fields, "outside_prefix"),
        extension_min: whole(fields, "extension_min", signed.language)?,
        extension_max: whole(fields, "extension_max", signed.language)?,
        intercept: optional(fields, "intercept"),
    })
}

fn rules(fields: &Fields, signed: &Signed) -> Result<Rules, Wrong> {
    let number = |name: &str| whole(fields, name, signed.language);
    Ok(Rules {
        transfer_timeout_s: number("transfer_timeout_s")?,
        hold_alarm_s: number("hold_alarm_s")?,
        ended_transfer_s: number("ended_transfer_s")?,
        max_calls: number("max_calls")?,
        log_days: if fields.get("log_days").trim().is_empty() { 0 } else { number("log_days")? },
        monitor: fields.has("monitor"),
        take_over: fields.has("take_over"),
    })
}

async fn save<T: Send + 'static>(
    signed: &Signed,
    fields: &Fields,
    part: Part,
    typed: Result<T, Wrong>,
    set: impl FnOnce(&mut Settings, T) + Send + 'static,
) -> Page {
    let table = match part {
        Part::Numbers => "numbers",
        Part::Crm => "crm",
        Part::Rules => "rules",
    };
    let refused = match typed {
        Err(wrong) => wrong,
        Ok(typed) => {
            let changed = signed.app.change_settings(move |settings| {
                set(settings, typed);
                Ok(())
            });
            match changed.await {
                Ok(()) => {
                    return Ok(signed.saved("/numbers", table).await);
                }
                Err(problem) => wrong(&problem, table, signed.language),
            }
        }
    };
    page(signed, Some((part, Refused { typed: fields, wrong: &refused }))).await
}

async fn page(signed: &Signed, refused: Option<(Part, Refused<'_>)>) -> Page {
    let t = |text: Text| text.is(signed.language);
    let settings = lines::settings(signed).await?;
    let of =
        |part: Part| Form::new(signed, refused.filter(|(of, _)| *of == part).map(|(_, refused)| refused));
    let body = html! {
        @if let Some((part, _)) = refused { (of(part).problem()) }
        section aria-labelledby="crm-title" {
            h2 #crm-title { (t(text::CRM_TITLE)) }
            (crm_form(&of(Part::Crm), &settings.crm))
        }
        section aria-labelledby="numbers-title" {
            h2 #numbers-title { (t(text::NUMBERS)) }
            p.lead { (t(text::NUMBERS_INTRO)) }
            (numbers_form(&of(Part::Numbers), &settings.numbers))
        }
        section aria-labelledby="rules-title" {
            h2 #rules-title { (t(text::DESK_RULES)) }
            (rules_form(&of(Part::Rules), &settings.rules))
        }
    };
    Ok(layout::page(signed, Place::Numbers, t(text::NUMBERS_TITLE), body))
}

fn crm_form(form: &Form<'_>, now: &Crm) -> Markup {
    let language = form.signed.language;
    let options = OPEN.map(|(word, _, text)| (word.to_owned(), text.is(language).to_owned()));
    let open = OPEN.iter().find(|(_, open, _)| *open == now.open).map_or("menu", |(word, ..)| word);
    let url = now.url.as_deref().unwrap_or_default();
    let fields = html! {
        (form.text("url", text::CRM_URL, url, Some(text::CRM_URL_HINT), false))
        (form.choice("open", text::CRM_OPEN, open, &options, None))
    };
    form.around("crm", "/numbers/crm", fields)
}

fn numbers_form(form: &Form<'_>, now: &Numbers) -> Markup {
    let maybe = |text: &Option<String>| text.clone().unwrap_or_default();
    let fields = html! {
        div.columns {
            (form.text("country", text::COUNTRY, &now.country, Some(text::COUNTRY_HINT), true))
            (form.text("trunk_prefix", text::TRUNK, &now.trunk_prefix, None, false))
            (form.text("international_prefix", text::INTERNATIONAL, &now.international_prefix, None, false))
            (form.text("area", text::AREA, &maybe(&now.area), None, false))
            (form.text("outside_prefix", text::OUTSIDE, &maybe(&now.outside_prefix), None, false))
            (form.text("intercept", text::INTERCEPT, &maybe(&now.intercept), Some(text::INTERCEPT_HINT), false))
            (form.number("extension_min", text::EXTENSION_MIN, now.extension_min, 1..=10, None))
            (form.number("extension_max", text::EXTENSION_MAX, now.extension_max, 1..=10, None))
        }
    };
    form.around("numbers", "/numbers", fields)
}

fn rules_form(form: &Form<'_>, now: &Rules) -> Markup {
    let language = form.signed.language;
    let fields = html! {
        div.columns {
            (form.number("transfer_timeout_s", text::TRANSFER_TIMEOUT, now.transfer_timeout_s, 5..=600, None))
            (form.number("hold_alarm_s", text::HOLD_ALARM, now.hold_alarm_s, 5..=3600, None))
            (form.number("ended_transfer_s", text::ENDED_TRANSFER, now.ended_transfer_s, 1..=300, None))
            (form.number("max_calls", text::MAX_CALLS, now.max_calls, 1..=500, None))
            (form.number("log_days", text::LOG_DAYS, now.log_days, 0..=36_500, Some(text::LOG_DAYS_HINT)))
        }
        (form.tick("monitor", text::MONITOR.is(language), now.monitor))
        (form.tick("take_over", text::TAKE_OVER.is(language), now.take_over))
        p.hint { (text::TAKE_OVER_HINT.is(language)) }
    };
    form.around("desk-rules", "/numbers/rules", fields)
}
