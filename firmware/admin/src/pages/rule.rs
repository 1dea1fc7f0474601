//! `/handling/rule`: one rule of automatic handling, added, changed, moved or removed.
//!
//! A rule is known by its place and its name: two may have the same name.

use std::collections::HashMap;

use axum::response::{IntoResponse, Response};
use ipc::{Callers, Language, Outcome, Rule, ServiceMode, Trigger};
use maud::{Markup, html};
use store::{Settings, StoreError};

use crate::{
    fault::Fault,
    fields::Fields,
    form::{Form, Refused, Wrong, optional, whole},
    guard::{Posted, Signed},
    keeper::KeeperError,
    layout::{self, Place},
    pages::{Page, lines},
    settings::{move_one, said, wrong},
    text::{self, Text},
};

/// Where it is.
pub(crate) const PATH: &str = "/handling/rule";

/// The modes, with the field that ticks each.
pub(crate) const MODES: [(&str, ServiceMode, Text); 3] = [
    ("mode-day", ServiceMode::Day, text::MODE_DAY),
    ("mode-night", ServiceMode::Night, text::MODE_NIGHT),
    ("mode-holiday", ServiceMode::Holiday, text::MODE_HOLIDAY),
];
/// Whose calls, with the word that is sent.
pub(crate) const WHO: [(&str, Callers, Text); 4] = [
    ("anybody", Callers::Anybody, text::WHO_ANYBODY),
    ("external", Callers::External, text::WHO_EXTERNAL),
    ("internal", Callers::Internal, text::WHO_INTERNAL),
    ("anonymous", Callers::Anonymous, text::WHO_ANONYMOUS),
];
const WHEN: [(&str, Text); 6] = [
    ("arrives", text::WHEN_ARRIVES),
    ("unanswered", text::WHEN_UNANSWERED),
    ("too_many", text::WHEN_TOO_MANY),
    ("do_not_disturb", text::WHEN_DND),
    ("nobody_there", text::WHEN_NOBODY),
    ("recall_unanswered", text::WHEN_RECALL),
];
const THEN: [(&str, Text); 4] = [
    ("forward", text::THEN_FORWARD),
    ("voicemail", text::THEN_VOICEMAIL),
    ("answer_and_hold", text::THEN_HOLD),
    ("reject", text::THEN_REJECT),
];

/// `GET /handling/rule`, with `?at=` of one that is there.
pub(crate) async fn show(signed: Signed) -> Page {
    let settings = lines::settings(&signed).await?;
    let asked = signed.asked();
    match asked.find("at") {
        None => Ok(page(&signed, &settings, None, None)),
        Some(at) => match at.parse().ok().and_then(|at: usize| Some((at, settings.handling.get(at)?))) {
            Some(known) => Ok(page(&signed, &settings, Some(known), None)),
            None => Err(Fault::not_found(signed.language).into_response()),
        },
    }
}

/// `POST /handling/rule`
pub(crate) async fn save(Posted { signed, fields }: Posted) -> Page {
    let at = fields.find("at").map(|at| at.parse().unwrap_or(usize::MAX));
    let refused = match take(&signed, &fields, at).await {
        Ok(name) => {
            return Ok(signed.saved("/handling", format!("rule {name}")).await);
        }
        Err(wrong) => wrong,
    };
    let settings = lines::settings(&signed).await?;
    let known = at.and_then(|at| Some((at, settings.handling.get(at)?)));
    Ok(page(&signed, &settings, known, Some(Refused { typed: &fields, wrong: &refused })))
}

async fn take(signed: &Signed, fields: &Fields, at: Option<usize>) -> Result<String, Wrong> {
    let typed = typed(fields, signed.language)?;
    let (name, was) = (typed.name.clone(), fields.get("was").to_owned());
    let sends_on = matches!(typed.then, Outcome::Forward { .. } | Outcome::Voicemail { .. });
    let changed = signed.app.change_settings(move |settings| {
        match at {
            None => settings.handling.push(typed),
            Some(at) => *find(settings, at, &was)? = typed,
        }
        Ok(())
    });
    changed.await.map_err(|problem| {
        let mut wrong = wrong(&problem, "handling", signed.language);
        wrong.field = match wrong.field.as_str() {
            "then" if sends_on => "to".into(),
            "when" if fields.get("when") == "too_many" => "calls".into(),
            "when" => "seconds".into(),
            other => other.into(),
        };
        wrong
    })?;
    Ok(name)
}

fn find<'a>(settings: &'a mut Settings, at: usize, name: &str) -> Result<&'a mut Rule, StoreError> {
    settings.handling.get_mut(at).filter(|rule| rule.name == name).ok_or(StoreError::NoSuchAccount)
}

fn typed(fields: &Fields, language: Language) -> Result<Rule, Wrong> {
    let unreadable = || Wrong::above(text::FORM_UNREADABLE.is(language));
    let when = match fields.get("when") {
        "arrives" => Trigger::Arrives,
        "unanswered" => Trigger::Unanswered { seconds: whole(fields, "seconds", language)? },
        "too_many" => Trigger::TooMany { calls: whole(fields, "calls", language)? },
        "do_not_disturb" => Trigger::DoNotDisturb,
        "nobody_there" => Trigger::NobodyThere,
        "recall_unanswered" => Trigger::RecallUnanswered { seconds: whole(fields, "seconds", language)? },
        _ => return Err(unreadable()),
    };
    let to = || optional(fields, "to").ok_or_else(|| Wrong::at("to", text::RULE_TO_MISSING.is(language)));
    let then = match fields.get("then") {
        "forward" => Outcome::Forward { to: to()? },
        "voicemail" => Outcome::Voicemail { to: to()? },
        "answer_and_hold" => Outcome::AnswerAndHold,
        "reject" => Outcome::Reject,
        _ => return Err(unreadable()),
    };
    let who = WHO.iter().find(|(word, ..)| *word == fields.get("who")).ok_or_else(unreadable)?.1;
    let modes = MODES.iter().filter(|(field, ..)| fields.has(field)).map(|(_, mode, _)| *mode).collect();
    Ok(Rule {
        name: fields.get("name").trim().into(),
        when,
        who,
        line: optional(fields, "line"),
        modes,
        then,
    })
}

/// `POST /handling/rule/remove`
pub(crate) async fn remove(Posted { signed, fields }: Posted) -> Response {
    let (at, was) = (fields.get("at").parse().unwrap_or(usize::MAX), fields.get("was").to_owned());
    let detail = format!("rule {was} removed");
    let changed = signed.app.change_settings(move |settings| {
        find(settings, at, &was)?;
        settings.handling.remove(at);
        Ok(())
    });
    finish(&signed, changed.await, detail).await
}

/// `POST /handling/rule/move`
pub(crate) async fn move_it(Posted { signed, fields }: Posted) -> Response {
    let (at, was) = (fields.get("at").parse().unwrap_or(usize::MAX), fields.get("was").to_owned());
    let (up, detail) = (fields.get("way") == "up", format!("rule {was} moved"));
    let changed = signed.app.change_settings(move |settings| {
        find(settings, at, &was)?;
        move_one(&mut settings.handling, at, up);
        Ok(())
    });
    finish(&signed, changed.await, detail).await
}

/// Goes back to the page of the handling, and tells the audit log.
pub(crate) async fn finish(signed: &Signed, done: Result<(), KeeperError>, detail: String) -> Response {
    match done {
        Ok(()) => signed.saved("/handling", detail).await,
        Err(problem) => signed.failed("/handling", said(&problem, signed.language)),
    }
}

/// When a rule applies, in words.
pub(crate) fn when(trigger: Trigger, language: Language) -> String {
    let n = |text: Text, n: u32| text.with(language, &[("n", &n)]);
    match trigger {
        Trigger::Arrives => text::WHEN_ARRIVES.is(language).into(),
        Trigger::Unanswered { seconds } => n(text::WHEN_UNANSWERED_S, seconds),
        Trigger::TooMany { calls } => n(text::WHEN_TOO_MANY_N, calls),
        Trigger::DoNotDisturb => text::WHEN_DND.is(language).into(),
        Trigger::NobodyThere => text::WHEN_NOBODY.is(language).into(),
        Trigger::RecallUnanswered { seconds } => n(text::WHEN_RECALL_S, seconds),
    }
}

/// What a rule does, in words.
pub(crate) fn then(outcome: &Outcome, language: Language) -> String {
    match outcome {
        Outcome::Forward { to } => text::THEN_FORWARD_TO.with(language, &[("to", to)]),
        Outcome::Voicemail { to } => text::THEN_VOICEMAIL_TO.with(language, &[("to", to)]),
        Outcome::AnswerAndHold => text::THEN_HOLD.is(language).into(),
        Outcome::Reject => text::THEN_REJECT.is(language).into(),
    }
}

fn page(
    signed: &Signed,
    settings: &Settings,
    known: Option<(usize, &Rule)>,
    refused: Option<Refused<'_>>,
) -> Response {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let form = Form::new(signed, refused);
    let title = match known {
        Some((_, rule)) => text::RULE_EDIT.with(language, &[("name", &rule.name)]),
        None => t(text::RULE_NEW).to_owned(),
    };
    let body = html! {
        (form.problem())
        section { (form.around("rule", PATH, fields(&form, settings, known))) }
        @if let (Some((at, rule)), true) = (known, signed.may_write()) {
            form method="post" action=(format!("{PATH}/remove")) {
                (layout::token(signed))
                (form.hidden("at", &at.to_string()))
                (form.hidden("was", &rule.name))
                button.danger #remove-rule type="submit" {
                    (text::REMOVE_NAMED.with(language, &[("name", &rule.name)]))
                }
            }
        }
        p { a href="/handling" { (t(text::BACK)) } }
    };
    layout::page(signed, Place::Handling, &title, body)
}

/// The words that are sent for what a rule has: when, seconds, calls, then, to.
fn words(rule: Option<&Rule>) -> HashMap<&'static str, String> {
    let (mut when, mut seconds, mut calls) = ("unanswered", 20, 5);
    let (mut then, mut number) = ("forward", String::new());
    if let Some(rule) = rule {
        when = match rule.when {
            Trigger::Arrives => "arrives",
            Trigger::DoNotDisturb => "do_not_disturb",
            Trigger::NobodyThere => "nobody_there",
            Trigger::Unanswered { seconds: s } => {
                seconds = s;
                "unanswered"
            }
            Trigger::RecallUnanswered { seconds: s } => {
                seconds = s;
                "recall_unanswered"
            }
            Trigger::TooMany { calls: n } => {
                calls = n;
                "too_many"
            }
        };
        then = match &rule.then {
            Outcome::Forward { to } => {
                number.clone_from(to);
                "forward"
            }
            Outcome::Voicemail { to } => {
                number.clone_from(to);
                "voicemail"
            }
            Outcome::AnswerAndHold => "answer_and_hold",
            Outcome::Reject => "reject",
        };
    }
    let words = [("when", when), ("then", then)].map(|(name, word)| (name, word.to_owned()));
    let numbers = [("seconds", seconds.to_string()), ("calls", calls.to_string()), ("to", number)];
    words.into_iter().chain(numbers).collect()
}

fn fields(form: &Form<'_>, settings: &Settings, known: Option<(usize, &Rule)>) -> Markup {
    let language = form.signed.language;
    let t = |text: Text| text.is(language).to_owned();
    let rule = known.map(|(_, rule)| rule);
    let now = words(rule);
    let now = |name: &str| now.get(name).map(String::as_str).unwrap_or_default();
    let named = |(word, text): (&str, Text)| (word.to_owned(), t(text));
    let who = rule.map(|rule| rule.who).unwrap_or_default();
    let who = WHO.iter().find(|(_, callers, _)| *callers == who).map_or("anybody", |(word, ..)| word);
    let mut lines = vec![(String::new(), t(text::RULE_LINE_ALL))];
    let line = |line: &store::Line| (line.number.clone(), format!("{} {}", line.number, line.name));
    lines.extend(settings.lines.iter().map(line));
    let its_line = rule.and_then(|rule| rule.line.as_deref()).unwrap_or_default();
    html! {
        @if let Some((at, rule)) = known {
            (form.hidden("at", &at.to_string()))
            (form.hidden("was", &rule.name))
        }
        (form.text("name", text::NAME, rule.map_or("", |rule| &rule.name), Some(text::RULE_NAME_HINT), true))
        div.columns {
            (form.choice("when", text::RULE_WHEN, now("when"), &WHEN.map(named), None))
            (form.number("seconds", text::RULE_SECONDS, now("seconds"), 1..=600, Some(text::RULE_SECONDS_HINT)))
            (form.number("calls", text::RULE_CALLS, now("calls"), 1..=500, Some(text::RULE_CALLS_HINT)))
        }
        div.columns {
            (form.choice("then", text::RULE_THEN, now("then"), &THEN.map(named), None))
            (form.text("to", text::RULE_TO, now("to"), Some(text::RULE_TO_HINT), false))
        }
        div.columns {
            (form.choice("who", text::RULE_WHOSE, who, &WHO.map(|(word, _, text)| named((word, text))), None))
            (form.choice("line", text::LINE, its_line, &lines, None))
        }
        fieldset {
            legend { (text::RULE_MODES.is(language)) }
            div.days {
                @for (field, mode, words) in MODES {
                    (form.tick(field, words.is(language), rule.is_some_and(|rule| rule.modes.contains(&mode))))
                }
            }
        }
    }
}
