//! Calls that something was wrong with, as the operator has said: a list on `/diagnostics`, and of each its last minute,
//! second by second, as a table and as a file.

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};
use ipc::{CallMark, CallSecond, Direction, Language};
use maud::{Markup, html};
use store::MarkedCall;

use crate::{
    fault::{Fault, of_store},
    guard::Signed,
    layout::{self, Place},
    pages::{Page, statistics::outcome},
    table::Table,
    text::{self, Text},
};

/// Marks that are listed.
const SHOWN: u32 = 50;

/// The list, as a part of `/diagnostics`.
pub(crate) async fn section(signed: &Signed) -> Markup {
    let (language, t) = (signed.language, |text: Text| text.is(signed.language));
    let told = signed.app.keeper.ask(|store| store.marked_calls(SHOWN)).await;
    html! {
        section #marks aria-labelledby="marks-title" {
            h2 #marks-title { (t(text::MARKS)) }
            p { (t(text::MARKS_INTRO)) }
            @match &told {
                Err(problem) => p.empty { (of_store(problem, language).1) },
                Ok(told) if told.is_empty() => p.empty { (t(text::MARKS_NONE)) },
                Ok(told) => {
                    (list(told, language))
                    @if told.len() == SHOWN as usize { p { (text::MARKS_NEWEST.with(language, &[("most", &SHOWN)])) } }
                }
            }
        }
    }
}

/// `GET /diagnostics/marks/{id}`
pub(crate) async fn show(signed: Signed, Path(id): Path<i64>) -> Page {
    let (language, t) = (signed.language, |text: Text| text.is(signed.language));
    let told = find(&signed, id).await?;
    let MarkedCall { mark, call, .. } = &told;
    let mut facts = vec![
        (t(text::MARK_SAID), layout::moment(mark.at_unix_ms)),
        (t(text::MARK_BEGAN), layout::moment(call.began_unix_ms)),
    ];
    facts.extend(whose(&told, language));
    facts.push((t(text::OUTCOME), html! { (t(outcome(call.end))) }));
    let talked = layout::duration((call.talk_ms + call.hold_ms) / 1000, language);
    facts.push((t(text::MARK_TALKED), html! { (talked) }));
    facts.push((t(text::MARK_SOUND), html! { (sum(mark, language)) }));
    let caption = text::MARK_SECONDS.with(language, &[("seconds", &mark.seconds.len())]);
    let body = html! {
        section {
            (layout::facts("mark", &facts))
            @if mark.until_unix_ms < mark.at_unix_ms {
                p #ended-before { (text::MARK_ENDED.with(language, &[("when", &clock(mark.until_unix_ms))])) }
            }
        }
        @if !mark.seconds.is_empty() {
            section aria-labelledby="seconds-title" {
                h2 #seconds-title { (t(text::MARK_SHOW)) }
                p { (t(text::MARK_LEGEND)) }
                p { a #csv href=(format!("/diagnostics/marks/{id}/seconds.csv")) { (t(text::MARK_FILE)) } }
                div.wide { (layout::table("seconds", &caption, &heads(language), &rows(mark, language))) }
            }
        }
        p { a href="/diagnostics#marks" { (t(text::MARK_BACK)) } }
    };
    Ok(layout::page(&signed, Place::Diagnostics, t(text::MARKS), body))
}

/// `GET /diagnostics/marks/{id}/seconds.csv`
pub(crate) async fn file(signed: Signed, Path(id): Path<i64>) -> Page {
    let told = find(&signed, id).await?;
    let name = format!("frontdesk-mark-{id}.csv");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, csv(&told.mark)).into_response())
}

async fn find(signed: &Signed, id: i64) -> Result<MarkedCall, Response> {
    let language = signed.language;
    match signed.app.keeper.ask(move |store| store.marked_call(id)).await {
        Ok(Some(told)) => Ok(told),
        Ok(None) => Err(Fault::not_found(language).into_response()),
        Err(problem) => {
            let (status, words) = of_store(&problem, language);
            Err(Fault::saying(status, language, words).into_response())
        }
    }
}

fn list(told: &[MarkedCall], language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let row = |told: &MarkedCall| {
        let mut cells = vec![layout::moment(told.mark.at_unix_ms)];
        cells.extend(whose(told, language).into_iter().map(|(_, cell)| cell));
        cells.push(html! { (sum(&told.mark, language)) });
        let to = format!("/diagnostics/marks/{}", told.id);
        cells.push(html! { a href=(to) { (t(text::MARK_SHOW)) } });
        cells
    };
    let rows: Vec<Vec<Markup>> = told.iter().map(row).collect();
    let heads =
        [text::MARK_SAID, text::CALL_WITH, text::DIRECTION, text::LINE, text::MARK_SOUND, text::ACTIONS];
    layout::table("marks-list", t(text::MARKS), &heads.map(t), &rows)
}

/// With whom, which way, over which line.
fn whose(told: &MarkedCall, language: Language) -> Vec<(&'static str, Markup)> {
    let t = |text: Text| text.is(language);
    let call = &told.call;
    let direction = match call.direction {
        Direction::Incoming => text::INCOMING,
        Direction::Outgoing => text::OUTGOING,
    };
    let who = call.party.name.as_deref().or(call.party.number.as_deref());
    let line = if call.line_name.is_empty() { &call.line_number } else { &call.line_name };
    vec![
        (t(text::CALL_WITH), html! { (who.unwrap_or(t(text::WITHHELD))) }),
        (t(text::DIRECTION), html! { (t(direction)) }),
        (t(text::LINE), html! { (line) }),
    ]
}

/// The whole minute in one line.
fn sum(mark: &CallMark, language: Language) -> String {
    if mark.seconds.is_empty() {
        return text::MARK_NO_SOUND.is(language).to_owned();
    }
    let all =
        |of: fn(&CallSecond) -> u32| mark.seconds.iter().map(|second| u64::from(of(second))).sum::<u64>();
    let values = [all(|s| s.received), all(|s| s.lost), all(|s| s.late), all(|s| s.concealed_ms)];
    text::MARK_SUM.with(
        language,
        &[("received", &values[0]), ("lost", &values[1]), ("late", &values[2]), ("concealed", &values[3])],
    )
}

fn heads(language: Language) -> Vec<&'static str> {
    let heads = [
        text::MARK_AT,
        text::MARK_RECEIVED,
        text::MARK_LOST,
        text::MARK_LATE,
        text::MARK_CONCEALED,
        text::MARK_REPAIRED,
        text::MARK_SHORTENED,
        text::MARK_LENGTHENED,
        text::MARK_LEFT_OUT,
        text::MARK_JITTER,
        text::MARK_BUFFER,
        text::MARK_ROUND_TRIP,
        text::MARK_HEARD,
        text::MARK_SENT,
        text::MARK_SPOKEN,
    ];
    heads.map(|head| head.is(language)).to_vec()
}

fn rows(mark: &CallMark, language: Language) -> Vec<Vec<Markup>> {
    let point = if language == Language::French { ',' } else { '.' };
    let tenths = |text: String| text.replace('.', &point.to_string());
    let row = |(ends, second): (i64, &CallSecond)| {
        let counts = [
            second.received,
            second.lost,
            second.late,
            second.concealed_ms,
            second.repaired_ms,
            second.shortened_ms,
            second.lengthened_ms,
            second.left_out_ms,
        ];
        let mut cells =
            vec![html! { (clock(ends)) @if second.held { " · " (text::MARK_HELD.is(language)) } }];
        cells.extend(counts.map(|count| html! { (count) }));
        let trip = second.round_trip_us.map_or_else(|| "–".to_owned(), |us| tenths(milliseconds(us)));
        cells.extend([
            html! { (tenths(milliseconds(second.jitter_us))) },
            html! { (second.buffer_ms) },
            html! { (trip) },
            html! { (tenths(decibels(second.heard_decibel_tenths))) },
            html! { (second.sent) },
            html! { (tenths(decibels(second.said_decibel_tenths))) },
        ]);
        cells
    };
    timed(mark).map(row).collect()
}

/// The file; times in the box's own time.
fn csv(mark: &CallMark) -> String {
    let mut table = Table::new(&["until", "length_ms", "held", "received", "lost", "late", "concealed_ms"]);
    table.add_heads(&[
        "repaired_ms",
        "shortened_ms",
        "lengthened_ms",
        "left_out_ms",
        "jitter_ms",
        "buffer_ms",
        "round_trip_ms",
    ]);
    table.add_heads(&["heard_rms_dbfs", "sent", "said_rms_dbfs"]);
    for (ends, second) in timed(mark) {
        let at = chrono::DateTime::from_timestamp_millis(ends).unwrap_or_default();
        let at = at.with_timezone(&chrono::Local).to_rfc3339_opts(chrono::SecondsFormat::Millis, false);
        table.row([
            at,
            second.length_ms.to_string(),
            u8::from(second.held).to_string(),
            second.received.to_string(),
            second.lost.to_string(),
            second.late.to_string(),
            second.concealed_ms.to_string(),
            second.repaired_ms.to_string(),
            second.shortened_ms.to_string(),
            second.lengthened_ms.to_string(),
            second.left_out_ms.to_string(),
            milliseconds(second.jitter_us),
            second.buffer_ms.to_string(),
            second.round_trip_us.map_or_else(String::new, milliseconds),
            decibels(second.heard_decibel_tenths),
            second.sent.to_string(),
            decibels(second.said_decibel_tenths),
        ]);
    }
    table.csv()
}

/// Each second with its end, Unix milliseconds, oldest first.
fn timed(mark: &CallMark) -> impl Iterator<Item = (i64, &CallSecond)> {
    let length: i64 = mark.seconds.iter().map(|second| i64::from(second.length_ms)).sum();
    let mut ends = mark.until_unix_ms.saturating_sub(length);
    mark.seconds.iter().map(move |second| {
        ends = ends.saturating_add(i64::from(second.length_ms));
        (ends, second)
    })
}

fn clock(unix_ms: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(unix_ms).unwrap_or_default();
    at.with_timezone(&chrono::Local).format("%H:%M:%S").to_string()
}

fn milliseconds(us: u32) -> String {
    let tenths = us.saturating_add(50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn decibels(tenths: i32) -> String {
    format!("{:.1}", f64::from(tenths) / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_2_seconds_end_where_the_next_begins_and_figures_are_no_formulas() {
        let second = |length_ms, held, jitter_us, round_trip_us| CallSecond {
            length_ms,
            held,
            received: 50,
            jitter_us,
            round_trip_us,
            heard_decibel_tenths: -235,
            said_decibel_tenths: -960,
            ..CallSecond::default()
        };
        let seconds = vec![second(1000, true, 1_249, None), second(400, false, 30_050, Some(12_000))];
        let mark = CallMark { at_unix_ms: 9_999, until_unix_ms: 5_400, seconds };
        assert_eq!(timed(&mark).map(|(ends, _)| ends).collect::<Vec<_>>(), [5_000, 5_400]);
        let file = csv(&mark);
        let lines: Vec<&str> = file.lines().collect();
        assert_eq!(lines.len(), 3);
        let heads = lines[0].split(',').count();
        assert!(lines.iter().all(|line| line.split(',').count() == heads), "{file}");
        assert!(lines[1].ends_with(",1000,1,50,0,0,0,0,0,0,0,1.2,0,,-23.5,0,-96.0"), "{file}");
        assert!(lines[2].ends_with(",400,0,50,0,0,0,0,0,0,0,30.1,0,12.0,-23.5,0,-96.0"), "{file}");
    }
}
