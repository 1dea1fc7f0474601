//! `/statistics`: the calls of a day or a week, counted (STA-1).

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{Datelike, Local, NaiveDate};
use ipc::{Direction, EndStatus, Language};
use maud::{Markup, html};
use store::{CallCounts, CallStatistics, SlotCounts, TimeFigures};

use crate::{
    app::App,
    calendar::{Span, Stretch, wall},
    charts::{self, Column},
    fault::{Fault, of_store},
    guard::Signed,
    keeper::KeeperError,
    layout::{self, Place},
    pages::Page,
    table::Table,
    text::{self, Text},
};

/// `GET /statistics`
pub(crate) async fn show(signed: Signed) -> Page {
    let (language, t) = (signed.language, |text: Text| text.is(signed.language));
    let stretch = asked(&signed).ok_or_else(|| unknown(language))?;
    let told = count(&signed.app, stretch).await.map_err(|problem| failed(&problem, language))?;
    let is_empty = told.all.incoming + told.all.outgoing == 0;
    let body = html! {
        (navigation(stretch, language))
        @if is_empty {
            section { p.empty { (t(text::STATISTICS_NONE)) } }
        } @else {
            section aria-labelledby="figures-title" {
                h2 #figures-title { (t(text::STATISTICS_FIGURES)) }
                (layout::facts("figures", &figures(&told, language)))
            }
            @for chart in charts_of(stretch, &told.slots, language) { (chart) }
            section aria-labelledby="outcomes-title" {
                h2 #outcomes-title { (t(text::STATISTICS_OUTCOMES)) }
                (outcomes(&told, language))
            }
            section aria-labelledby="lines-title" {
                h2 #lines-title { (t(text::STATISTICS_LINES)) }
                (lines(&told, language))
            }
            section aria-labelledby="files-title" {
                h2 #files-title { (t(text::STATISTICS_FILES)) }
                p { (t(text::STATISTICS_FILES_HINT)) }
                ul.plain {
                    @for (by, name) in [("hour", text::STATISTICS_CSV_HOURS), ("line", text::STATISTICS_CSV_LINES), ("outcome", text::STATISTICS_CSV_OUTCOMES)] {
                        li { a #{"csv-" (by)} href=(format!("/statistics.csv?{}&by={by}", query(stretch))) { (t(name)) } }
                    }
                }
            }
        }
    };
    Ok(layout::page(&signed, Place::Statistics, t(text::STATISTICS), body))
}

/// `GET /statistics.csv`
pub(crate) async fn file(signed: Signed) -> Page {
    let language = signed.language;
    let stretch = asked(&signed).ok_or_else(|| unknown(language))?;
    let told = count(&signed.app, stretch).await.map_err(|problem| failed(&problem, language))?;
    let by = signed.asked().get("by").to_owned();
    let table = match by.as_str() {
        "hour" => hours_table(&told),
        "line" => lines_table(&told),
        "outcome" => outcomes_table(&told),
        _ => return Err(unknown(language)),
    };
    let name = format!("frontdesk-{}-{}-{by}.csv", stretch.span.word(), stretch.first);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, table.csv()).into_response())
}

/// Counts, by the clock on the wall of the box. `None` for days that no calendar has.
pub(crate) async fn count(app: &App, stretch: Stretch) -> Result<CallStatistics, KeeperError> {
    let Some(slots) = stretch.hours(&Local) else { return Ok(CallStatistics::default()) };
    app.keeper.ask(move |store| store.statistics(&slots)).await
}

fn asked(signed: &Signed) -> Option<Stretch> {
    let asked = signed.asked();
    let today = Local::now().date_naive();
    match (asked.get("span"), asked.get("day")) {
        ("", "") => Some(Stretch::with(Span::Day, today)),
        (span, "") => Some(Stretch::with(Span::of_word(span)?, today)),
        (span, day) => Stretch::of_words(span, day),
    }
}

fn unknown(language: Language) -> Response {
    Fault::new(StatusCode::UNPROCESSABLE_ENTITY, language, text::STATISTICS_WHICH).into_response()
}

fn failed(problem: &KeeperError, language: Language) -> Response {
    let (status, words) = of_store(problem, language);
    Fault::saying(status, language, words).into_response()
}

fn query(stretch: Stretch) -> String {
    format!("span={}&day={}", stretch.span.word(), stretch.first)
}

fn navigation(stretch: Stretch, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let to = |stretch: Stretch| format!("/statistics?{}", query(stretch));
    let title = match stretch.span {
        Span::Day => long_day(stretch.first, language),
        Span::Week => {
            let (first, last) = (long_day(stretch.first, language), long_day(stretch.last(), language));
            text::STATISTICS_FROM_TO.with(language, &[("first", &first), ("last", &last)])
        }
    };
    html! {
        section aria-labelledby="when-title" {
            h2 #when-title { (title) }
            div.actions {
                a.button.quiet #earlier href=(to(stretch.earlier())) { "← " (t(text::EARLIER)) }
                a.button.quiet #today href=(format!("/statistics?span={}", stretch.span.word())) { (t(text::TODAY)) }
                a.button.quiet #later href=(to(stretch.later())) { (t(text::LATER)) " →" }
            }
            form.row method="get" action="/statistics" {
                div.field {
                    label for="span" { (t(text::STATISTICS_SPAN)) }
                    select #span name="span" {
                        @for (span, name) in [(Span::Day, text::DAY), (Span::Week, text::WEEK)] {
                            option value=(span.word()) selected[span == stretch.span] { (t(name)) }
                        }
                    }
                }
                div.field {
                    label for="day" { (t(text::STATISTICS_WITH)) }
                    input #day name="day" type="date" value=(stretch.first) required;
                }
                button #show type="submit" { (t(text::SHOW)) }
            }
        }
    }
}

fn figures(told: &CallStatistics, language: Language) -> Vec<(&'static str, Markup)> {
    let t = |text: Text| text.is(language);
    let (all, answers) = (&told.all, &told.answers);
    let of = |part: u64, whole: u64| html! { (part) " (" (percent(part, whole, language)) ")" };
    let wait = |ms: Option<u64>| ms.map_or_else(|| "–".to_owned(), |ms| seconds(ms, language));
    let times = |figures: &TimeFigures| {
        let mean = figures.total_ms.checked_div(figures.calls);
        html! {
            @if let Some(mean) = mean {
                (text::STATISTICS_TIMES.with(language, &[
                    ("all", &layout::duration(figures.total_ms / 1000, language)),
                    ("mean", &layout::duration(mean / 1000, language)),
                    ("longest", &layout::duration(figures.longest_ms / 1000, language)),
                ]))
            } @else { "–" }
        }
    };
    vec![
        (t(text::STATISTICS_INCOMING), html! { (all.incoming) }),
        (t(text::STATISTICS_ANSWERED), of(all.answered, all.incoming)),
        (t(text::STATISTICS_QUICK), of(answers.quick, answers.answered)),
        (t(text::STATISTICS_MEDIAN), html! { (wait(answers.median_ms)) }),
        (t(text::STATISTICS_P95), html! { (wait(answers.p95_ms)) }),
        (t(text::STATISTICS_LONGEST), html! { (wait(answers.longest_ms)) }),
        (t(text::STATISTICS_MISSED), of(all.missed, all.incoming)),
        (t(text::STATISTICS_OUTGOING), html! { (all.outgoing) }),
        (t(text::STATISTICS_TALK), times(&told.talk)),
        (t(text::STATISTICS_HOLD), times(&told.hold)),
    ]
}

/// A day by the hour; a week by the day, and by the hour of all its days.
fn charts_of(stretch: Stretch, slots: &[SlotCounts], language: Language) -> Vec<Markup> {
    let hour = |slot: &SlotCounts| wall(slot.from_unix_ms, &Local);
    match stretch.span {
        Span::Day => {
            let rows = slots.iter().map(|slot| (clock(hour(slot).1), slot.counts)).collect::<Vec<_>>();
            vec![chart("hours", text::STATISTICS_HOURS, text::HOUR, &rows, 3, language)]
        }
        Span::Week => {
            let mut days = vec![CallCounts::default(); 7];
            let mut hours = vec![CallCounts::default(); 24];
            for slot in slots {
                let (day, hour) = hour(slot);
                let at = usize::try_from((day - stretch.first).num_days()).unwrap_or(0);
                if let Some(day) = days.get_mut(at) {
                    day.add(&slot.counts);
                }
                hours[hour as usize % 24].add(&slot.counts);
            }
            let day = |(n, counts): (usize, CallCounts)| {
                let day =
                    stretch.first.checked_add_days(chrono::Days::new(n as u64)).unwrap_or(stretch.first);
                (short_day(day, language), counts)
            };
            let days: Vec<_> = days.into_iter().enumerate().map(day).collect();
            let hours: Vec<_> = (0..).zip(hours).map(|(hour, counts)| (clock(hour), counts)).collect();
            vec![
                chart("days", text::STATISTICS_DAYS, text::DAY, &days, 1, language),
                chart("hours", text::STATISTICS_HOURS_WEEK, text::HOUR, &hours, 3, language),
            ]
        }
    }
}

/// A chart with its figures; every `each`th column has a label.
fn chart(
    id: &str,
    title: Text,
    head: Text,
    rows: &[(String, CallCounts)],
    each: usize,
    language: Language,
) -> Markup {
    let t = |text: Text| text.is(language);
    let column = |(n, (label, counts)): (usize, &(String, CallCounts))| Column {
        // Of an hour such as 09:00 the hour is enough: on a telephone there is room for no more.
        label: if n % each == 0 { label.trim_end_matches(":00").to_owned() } else { String::new() },
        title: text::STATISTICS_COLUMN.with(
            language,
            &[
                ("when", label),
                ("incoming", &counts.incoming),
                ("answered", &counts.answered),
                ("outgoing", &counts.outgoing),
            ],
        ),
        answered: counts.answered.min(counts.incoming),
        unanswered: counts.incoming.saturating_sub(counts.answered),
        outgoing: counts.outgoing,
    };
    let columns: Vec<Column> = rows.iter().enumerate().map(column).collect();
    let row = |(label, counts): &(String, CallCounts)| {
        let mut cells = vec![html! { (label) }];
        cells.extend(cells_of(counts, language));
        cells
    };
    let with_calls = rows.iter().filter(|(_, counts)| counts.incoming + counts.outgoing > 0);
    let table_rows: Vec<Vec<Markup>> = with_calls.map(row).collect();
    let mut heads = vec![t(head)];
    heads.extend(count_heads(language));
    html! {
        section aria-labelledby=(format!("{id}-head")) {
            h2 id=(format!("{id}-head")) { (t(title)) }
            p.legend {
                @for (class, words) in [("answered", text::STATISTICS_ANSWERED), ("unanswered", text::STATISTICS_UNANSWERED), ("outgoing", text::STATISTICS_OUTGOING)] {
                    span { span.swatch.(class) {} " " (t(words)) } " "
                }
            }
            (charts::columns(&format!("{id}-chart"), t(title), &columns))
            details {
                summary { (t(text::STATISTICS_AS_TABLE)) }
                (layout::table(&format!("{id}-table"), t(title), &heads, &table_rows))
            }
        }
    }
}

fn count_heads(language: Language) -> [&'static str; 6] {
    [
        text::STATISTICS_INCOMING,
        text::STATISTICS_ANSWERED,
        text::STATISTICS_MISSED,
        text::STATISTICS_OUTGOING,
        text::STATISTICS_TALK,
        text::STATISTICS_HOLD,
    ]
    .map(|text| text.is(language))
}

fn cells_of(counts: &CallCounts, language: Language) -> [Markup; 6] {
    let time = |ms: u64| html! { (layout::duration(ms / 1000, language)) };
    [
        html! { (counts.incoming) },
        html! { (counts.answered) },
        html! { (counts.missed) },
        html! { (counts.outgoing) },
        time(counts.talk_ms),
        time(counts.hold_ms),
    ]
}

fn lines(told: &CallStatistics, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let calls = |counts: &CallCounts| counts.incoming + counts.outgoing;
    let most = told.lines.iter().map(|line| calls(&line.counts)).max().unwrap_or(0);
    let row = |line: &store::LineCounts| {
        let mut cells = vec![html! {
            @if !line.name.is_empty() { (line.name) " " }
            (line.number)
            (charts::across(calls(&line.counts), most))
        }];
        cells.extend(cells_of(&line.counts, language));
        cells
    };
    let rows: Vec<Vec<Markup>> = told.lines.iter().map(row).collect();
    let mut heads = vec![t(text::LINE)];
    heads.extend(count_heads(language));
    layout::table("lines", t(text::STATISTICS_LINES), &heads, &rows)
}

fn outcomes(told: &CallStatistics, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let row = |count: &store::OutcomeCount| {
        let (direction, whole) = match count.direction {
            Direction::Incoming => (text::INCOMING, told.all.incoming),
            Direction::Outgoing => (text::OUTGOING, told.all.outgoing),
        };
        vec![
            html! { (t(direction)) },
            html! { (t(outcome(count.end))) },
            html! { (count.calls) },
            html! { (percent(count.calls, whole, language)) },
        ]
    };
    let rows: Vec<Vec<Markup>> = told.outcomes.iter().map(row).collect();
    let heads = [t(text::DIRECTION), t(text::OUTCOME), t(text::CALLS), t(text::STATISTICS_SHARE)];
    layout::table("outcomes", t(text::STATISTICS_OUTCOMES), &heads, &rows)
}

fn hours_table(told: &CallStatistics) -> Table {
    let mut table = Table::new(&["from", "until"]);
    table.add_heads(COUNTS);
    for slot in &told.slots {
        let at = |ms| {
            let at = chrono::DateTime::from_timestamp_millis(ms).unwrap_or_default().with_timezone(&Local);
            at.to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
        };
        table.row(
            [at(slot.from_unix_ms), at(slot.until_unix_ms)].into_iter().chain(count_texts(&slot.counts)),
        );
    }
    table
}

fn lines_table(told: &CallStatistics) -> Table {
    let mut table = Table::new(&["number", "name"]);
    table.add_heads(COUNTS);
    for line in &told.lines {
        let names = [line.number.clone(), line.name.clone()];
        table.row(names.into_iter().chain(count_texts(&line.counts)));
    }
    table
}

fn outcomes_table(told: &CallStatistics) -> Table {
    let mut table = Table::new(&["direction", "outcome", "calls"]);
    for count in &told.outcomes {
        let words = [store::call_direction_word(count.direction), store::outcome_word(count.end)];
        table.row(words.map(str::to_owned).into_iter().chain([count.calls.to_string()]));
    }
    table
}

const COUNTS: &[&str] = &["incoming", "answered", "missed", "outgoing", "talk_s", "hold_s"];

fn count_texts(counts: &CallCounts) -> [String; 6] {
    let CallCounts { incoming, answered, missed, outgoing, talk_ms, hold_ms } = counts;
    [*incoming, *answered, *missed, *outgoing, talk_ms / 1000, hold_ms / 1000].map(|count| count.to_string())
}

/// What an outcome is called.
pub(crate) fn outcome(end: EndStatus) -> Text {
    match end {
        EndStatus::Completed => text::END_COMPLETED,
        EndStatus::Missed => text::END_MISSED,
        EndStatus::Elsewhere => text::END_ELSEWHERE,
        EndStatus::Rejected => text::END_REJECTED,
        EndStatus::Refused => text::END_REFUSED,
        EndStatus::NotAnswered => text::END_NOT_ANSWERED,
        EndStatus::Transferred => text::END_TRANSFERRED,
        EndStatus::Forwarded => text::END_FORWARDED,
        EndStatus::Voicemail => text::END_VOICEMAIL,
        EndStatus::Failed => text::END_FAILED,
    }
}

fn clock(hour: u32) -> String {
    format!("{hour:02}:00")
}

fn weekday(day: NaiveDate) -> usize {
    day.weekday().num_days_from_monday() as usize
}

fn long_day(day: NaiveDate, language: Language) -> String {
    let name = text::WEEKDAYS[weekday(day)].is(language);
    format!("{name} {day}")
}

fn short_day(day: NaiveDate, language: Language) -> String {
    let name: String = text::WEEKDAYS[weekday(day)].is(language).chars().take(3).collect();
    format!("{name} {}", day.day())
}

fn percent(part: u64, whole: u64, language: Language) -> String {
    let share = (part * 100 + whole / 2).checked_div(whole);
    let space = if language == Language::French { "\u{a0}" } else { "" };
    share.map_or_else(|| "–".to_owned(), |share| format!("{share}{space}%"))
}

/// With tenths below a minute.
fn seconds(ms: u64, language: Language) -> String {
    if ms >= 60_000 {
        return layout::duration(ms / 1000, language);
    }
    let point = if language == Language::French { ',' } else { '.' };
    format!("{}{point}{} s", ms / 1000, ms % 1000 / 100)
}
