//! `/handling`: what the desk does by itself. The rules in their order, the timers, the opening hours, the park slots.

use ipc::{ParkSlot, Rule, Timers};
use maud::{Markup, html};
use store::{Day, Hours, Settings, Timetable};

use crate::{
    fields::Fields,
    form::{Form, Refused, Wrong, about, whole},
    guard::{Posted, Signed},
    layout::{self, Place},
    pages::{
        Page, lines,
        rule::{self, MODES, WHO},
    },
    settings::{self, wrong},
    text::{self, Text},
};

/// Longest time in seconds that a form takes.
const DAY_S: u64 = 86_400;
/// Rows of opening hours in a form.
const MAX_ROWS: usize = 50;

const DAYS: [(&str, Day, Text); 7] = [
    ("mo", Day::Monday, text::MONDAY),
    ("tu", Day::Tuesday, text::TUESDAY),
    ("we", Day::Wednesday, text::WEDNESDAY),
    ("th", Day::Thursday, text::THURSDAY),
    ("fr", Day::Friday, text::FRIDAY),
    ("sa", Day::Saturday, text::SATURDAY),
    ("su", Day::Sunday, text::SUNDAY),
];

/// Which form of the page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Timers,
    Hours,
    Park,
}

/// `GET /handling`
pub(crate) async fn show(signed: Signed) -> Page {
    page(&signed, None).await
}

/// `POST /handling/timers`
pub(crate) async fn set_timers(Posted { signed, fields }: Posted) -> Page {
    let language = signed.language;
    let ms = |name: &str, most: u64| {
        let seconds: u64 = whole(&fields, name, language)?;
        if seconds > most {
            let words = text::WHY_RANGE.with(language, &[("min", &0), ("max", &most)]);
            return Err(Wrong::at(name, words));
        }
        Ok(seconds * 1000)
    };
    let typed = || {
        Ok(Timers {
            undo_ms: ms("undo", 60)?,
            hold_ms: ms("hold", DAY_S)?,
            queue_ms: ms("queue", DAY_S)?,
            park_ms: ms("park-time", DAY_S)?,
            queue_delay_ms: ms("queue-delay", 60)?,
        })
    };
    let typed = typed();
    save(&signed, &fields, Part::Timers, typed, |settings, timers| settings.timers = timers).await
}

/// `POST /handling/hours`
pub(crate) async fn set_hours(Posted { signed, fields }: Posted) -> Page {
    let typed = timetable(&fields, &signed);
    save(&signed, &fields, Part::Hours, typed, |settings, timetable| settings.timetable = timetable).await
}

/// `POST /handling/park`
pub(crate) async fn set_park(Posted { signed, fields }: Posted) -> Page {
    let slot = |line: &str| {
        let (number, name) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        ParkSlot { number: number.into(), name: name.trim().into() }
    };
    let typed: Vec<ParkSlot> =
        fields.get("slots").lines().filter(|line| !line.trim().is_empty()).map(slot).collect();
    save(&signed, &fields, Part::Park, Ok(typed), |settings, park| settings.park = park).await
}

async fn save<T: Send + 'static>(
    signed: &Signed,
    fields: &Fields,
    part: Part,
    typed: Result<T, Wrong>,
    set: impl FnOnce(&mut Settings, T) + Send + 'static,
) -> Page {
    let (detail, table) = match part {
        Part::Timers => ("timers", "timers"),
        Part::Hours => ("opening hours", "timetable"),
        Part::Park => ("park slots", "park"),
    };
    let refused = match typed {
        Err(wrong) => wrong,
        Ok(typed) => {
            let changed = signed.app.change_settings(move |settings| {
                set(settings, typed);
                Ok(())
            });
            match changed.await {
                Ok(()) => return Ok(rule::finish(signed, Ok(()), detail.into()).await),
                Err(problem) => {
                    let mut wrong = wrong(&problem, table, signed.language);
                    // The slots are one field here; of several entries the words say which.
                    if part == Part::Park && !wrong.field.is_empty() {
                        wrong =
                            Wrong { field: "slots".into(), ..settings::wrong(&problem, "", signed.language) };
                    }
                    if wrong.field == "open" {
                        wrong.field = String::new();
                    }
                    wrong
                }
            }
        }
    };
    page(signed, Some((part, Refused { typed: fields, wrong: &refused }))).await
}

fn timetable(fields: &Fields, signed: &Signed) -> Result<Timetable, Wrong> {
    let mut open = Vec::new();
    for row in 0..MAX_ROWS {
        let get = |what: &str| fields.get(&format!("{what}-{row}")).trim().to_owned();
        let (from, until) = (get("from"), get("until"));
        let ticked = DAYS.iter().filter(|(day, ..)| fields.has(&format!("{day}-{row}")));
        let days: Vec<Day> = ticked.map(|(_, day, _)| *day).collect();
        if from.is_empty() && until.is_empty() {
            continue;
        }
        // A browser's field has no 24:00.
        let until = if until == "00:00" { "24:00".into() } else { until };
        let in_order =
            store::minutes(&from).zip(store::minutes(&until)).is_some_and(|(from, until)| from < until);
        if days.is_empty() || !in_order {
            return Err(Wrong::at(format!("from-{row}"), text::WHY_HOURS.is(signed.language)));
        }
        open.push(Hours { days, from, until });
    }
    let holidays = fields.get("holidays").split_whitespace().map(str::to_owned).collect();
    Ok(Timetable { open, holidays })
}

async fn page(signed: &Signed, refused: Option<(Part, Refused<'_>)>) -> Page {
    let t = |text: Text| text.is(signed.language);
    let settings = lines::settings(signed).await?;
    let of =
        |part: Part| Form::new(signed, refused.filter(|(of, _)| *of == part).map(|(_, refused)| refused));
    let body = html! {
        @if let Some((part, _)) = refused { (of(part).problem()) }
        section aria-labelledby="rules-title" {
            h2 #rules-title { (t(text::RULES)) }
            p.lead { (t(text::RULES_INTRO)) }
            (rules_table(signed, &settings))
            @if signed.may_write() { p { a.button #add-rule href=(rule::PATH) { (t(text::RULE_ADD)) } } }
        }
        section aria-labelledby="timers-title" {
            h2 #timers-title { (t(text::TIMERS)) }
            p.lead { (t(text::TIMERS_INTRO)) }
            (timers(&of(Part::Timers), settings.timers))
        }
        section aria-labelledby="hours-title" {
            h2 #hours-title { (t(text::HOURS_TITLE)) }
            p.lead { (t(text::HOURS_INTRO)) }
            (hours(&of(Part::Hours), &settings.timetable))
        }
        section aria-labelledby="park-title" {
            h2 #park-title { (t(text::PARK_TITLE)) }
            (park(&of(Part::Park), &settings.park))
        }
    };
    Ok(layout::page(signed, Place::Handling, t(text::HANDLING_TITLE), body))
}

fn rules_table(signed: &Signed, settings: &Settings) -> Markup {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    if settings.handling.is_empty() {
        return html! { p.empty { (t(text::NO_RULES)) } };
    }
    let last = settings.handling.len() - 1;
    let row = |(at, rule): (usize, &Rule)| {
        let who = WHO.iter().find(|(_, who, _)| *who == rule.who).map_or("", |(.., words)| t(*words));
        let modes = MODES.iter().filter(|(_, mode, _)| rule.modes.contains(mode));
        let modes: Vec<&str> = modes.map(|(.., words)| t(*words)).collect();
        let modes = if modes.is_empty() { t(text::MODE_ALWAYS).to_owned() } else { modes.join(", ") };
        let key = at.to_string();
        vec![
            html! { a href=(about(rule::PATH, "at", &key)) { (rule.name) } },
            html! { (rule::when(rule.when, language)) },
            html! { (rule::then(&rule.then, language)) },
            html! { (who) },
            html! { (rule.line.as_deref().unwrap_or(t(text::RULE_LINE_ALL))) },
            html! { (modes) },
            lines::moves(signed, &format!("{}/move", rule::PATH), ("at", &key), &rule.name, (at, last)),
        ]
    };
    let rows: Vec<Vec<Markup>> = settings.handling.iter().enumerate().map(row).collect();
    let heads = [
        t(text::RULE),
        t(text::RULE_WHEN),
        t(text::RULE_THEN),
        t(text::RULE_WHOSE),
        t(text::LINE),
        t(text::MODE),
        t(text::ACTIONS),
    ];
    layout::table("rules", t(text::RULES), &heads, &rows)
}

fn timers(form: &Form<'_>, now: Timers) -> Markup {
    let one =
        |name: &str, label: Text, ms: u64, most: u64| form.number(name, label, ms / 1000, 0..=most, None);
    let fields = html! {
        div.columns {
            (one("undo", text::TIMER_UNDO, now.undo_ms, 60))
            (one("hold", text::TIMER_HOLD, now.hold_ms, DAY_S))
            (one("queue", text::TIMER_QUEUE, now.queue_ms, DAY_S))
            (one("park-time", text::TIMER_PARK, now.park_ms, DAY_S))
            (one("queue-delay", text::TIMER_QUEUE_DELAY, now.queue_delay_ms, 60))
        }
    };
    form.around("timers", "/handling/timers", fields)
}

fn hours(form: &Form<'_>, now: &Timetable) -> Markup {
    let language = form.signed.language;
    let t = |text: Text| text.is(language);
    // What was typed may have one more than what is set.
    let rows = if form.refused.is_some() { now.open.len() + 2 } else { now.open.len() + 1 }.min(MAX_ROWS);
    let row = |row: usize| {
        let set = now.open.get(row);
        let legend = match set {
            Some(_) => text::HOURS_ROW.with(language, &[("n", &(row + 1))]),
            None => t(text::HOURS_MORE).to_owned(),
        };
        let from = format!("from-{row}");
        let time = |name: &str, label: Text, set: &str| {
            // A browser's field has no 24:00.
            let set = if set == "24:00" { "00:00" } else { set };
            html! {
                div {
                    label for=(name) { (t(label)) }
                    input.short id=(name) name=(name) type="time" value=(form.value(name, set));
                }
            }
        };
        html! {
            fieldset {
                legend { (legend) }
                div.days {
                    @for (day, of_week, words) in DAYS {
                        @let ticked = set.is_some_and(|set| set.days.contains(&of_week));
                        (form.tick(&format!("{day}-{row}"), t(words), ticked))
                    }
                }
                div.times {
                    (time(&from, text::HOURS_FROM, set.map_or("", |set| &set.from)))
                    (time(&format!("until-{row}"), text::HOURS_UNTIL, set.map_or("", |set| &set.until)))
                }
                @if let Some(words) = form.words(&from) { p.wrong { (words) } }
            }
        }
    };
    let fields = html! {
        p.hint { (t(text::HOURS_HINT)) }
        @for n in 0..rows { (row(n)) }
        (form.area("holidays", text::HOLIDAYS, &now.holidays.join("\n"), Some(text::HOLIDAYS_HINT), 4))
    };
    form.around("hours", "/handling/hours", fields)
}

fn park(form: &Form<'_>, now: &[ParkSlot]) -> Markup {
    let line = |slot: &ParkSlot| format!("{} {}", slot.number, slot.name).trim_end().to_owned();
    let text = now.iter().map(line).collect::<Vec<_>>().join("\n");
    let fields = form.area("slots", text::PARK_SLOTS, &text, Some(text::PARK_HINT), 4);
    form.around("park", "/handling/park", fields)
}
