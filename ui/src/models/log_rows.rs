//! A row of the call log, and all that is known of it.

use ipc::{CallSound, Direction, EndStatus, LogMark, LogRow, LogTransfer};

use crate::clock::{duration, time_of_day};
use crate::models::cards::{transfer_end, transfer_kind};
use crate::models::words::{grouped, party_name};
use crate::screen::{LogEnd, LogFact, LogFactKind, LogItem, LogStep, TransferStep};

/// Hundredths of a mean opinion score below which many listeners are dissatisfied (ITU-T G.107 annex B).
const DISSATISFIED: u16 = 360;

/// Thousandths of lost packets from which on they are heard, as gaps made up, by most.
const NOTICED: u64 = 20;

/// One ended call as the log shows it.
pub(crate) fn item(row: &LogRow) -> LogItem {
    let transfer = row.transfers.last();
    let (step, code) = transfer.map_or((TransferStep::None, 0), |transfer| transfer_end(&transfer.end));
    let rating = row.sound.and_then(|sound| sound.mos_hundredths);
    LogItem {
        outgoing: row.direction == Direction::Outgoing,
        end: end(row.end),
        time: time_of_day(row.began_unix_ms).into(),
        name: row.party.name.as_deref().unwrap_or_default().into(),
        number: row.party.number.as_deref().unwrap_or_default().into(),
        local: row.party.local,
        line: if row.line_name.is_empty() { &row.line_number } else { &row.line_name }.as_str().into(),
        talk: text(row.talk_ms),
        hold: text(row.hold_ms),
        rating: rating.map_or(0, |mos| i32::from((mos + 5) / 10)),
        sounded_bad: rating.is_some_and(|mos| mos < DISSATISFIED),
        transfer: step,
        transfer_to: transfer.map(|transfer| party_name(&transfer.to)).unwrap_or_default(),
        transfer_code: code,
        marked: row.mark == LogMark::Marked,
        rules: row.rules.join(" · ").into(),
        can_call: row.party.number.as_deref().is_some_and(|number| !number.is_empty()),
    }
}

/// What is known of the call itself.
pub(crate) fn facts(row: &LogRow) -> Vec<LogFact> {
    let party = &row.party;
    let mut facts = Vec::new();
    let texts = [
        (LogFactKind::Number, party.number.as_deref().filter(|_| party.name.is_some())),
        (LogFactKind::Company, party.company.as_deref()),
        (LogFactKind::Title, party.title.as_deref()),
    ];
    for (kind, text) in texts {
        facts.extend(text.filter(|text| !text.is_empty()).map(|text| fact(kind, text)));
    }
    let line = [row.line_name.as_str(), &row.line_number];
    let line: Vec<&str> = line.into_iter().filter(|part| !part.is_empty()).collect();
    if !line.is_empty() {
        facts.push(fact(LogFactKind::Line, &line.join(" · ")));
    }
    match row.answered_after_ms {
        // Below a minute tenths are told.
        Some(ms) if ms < 60_000 => facts.push(tenths(LogFactKind::AnsweredAfter, ms / 100)),
        Some(ms) => facts.push(fact(LogFactKind::AnsweredAfter, &duration(ms))),
        None => facts.push(LogFact { kind: LogFactKind::Rang, ..LogFact::default() }),
    }
    if row.answered_after_ms.is_some() {
        facts.push(fact(LogFactKind::Talk, &duration(row.talk_ms)));
        facts.push(fact(LogFactKind::Hold, &duration(row.hold_ms)));
    }
    facts.extend(row.rules.iter().map(|rule| fact(LogFactKind::Rule, rule)));
    facts
}

/// How it sounded; `french`: how large counts are written.
pub(crate) fn sound(row: &LogRow, french: bool) -> Vec<LogFact> {
    let Some(CallSound { mos_hundredths: Some(mos), received, lost, late, jitter_us, .. }) = row.sound else {
        return Vec::new();
    };
    let sent = received.saturating_add(lost);
    let part = |kind, count: u64, whole: u64| {
        let exact = count.saturating_mul(1000);
        let rounded = exact.saturating_add(whole / 2).checked_div(whole).unwrap_or(0);
        let text = |count: u64| grouped(usize::try_from(count).unwrap_or(usize::MAX), french);
        let (first, second) = (text(count).into(), text(whole).into());
        // What is rounded up to where it is noticed is not there yet.
        let bad = whole > 0 && exact >= whole.saturating_mul(NOTICED);
        LogFact { first, second, bad, ..tenths(kind, rounded) }
    };
    let milliseconds = |us: u32| format!("{} ms", (us + 500) / 1000);
    let rounded = u64::from((mos + 5) / 10);
    let mut facts = vec![
        LogFact { bad: mos < DISSATISFIED, ..tenths(LogFactKind::Mos, rounded) },
        part(LogFactKind::Lost, lost, sent),
        part(LogFactKind::Late, late, received),
        fact(LogFactKind::Jitter, &milliseconds(jitter_us)),
    ];
    if let Some(us) = row.sound.and_then(|sound| sound.round_trip_us) {
        facts.push(fact(LogFactKind::RoundTrip, &milliseconds(us)));
    }
    if let Some(lost) = row.sound.and_then(|sound| sound.lost_there_thousandths).map(u64::from) {
        facts.push(LogFact { bad: lost >= NOTICED, ..tenths(LogFactKind::LostThere, lost) });
    }
    facts
}

/// Where it was sent, oldest first.
pub(crate) fn steps(row: &LogRow) -> Vec<LogStep> {
    let step = |transfer: &LogTransfer| {
        let (step, code) = transfer_end(&transfer.end);
        LogStep {
            kind: transfer_kind(transfer.kind),
            step,
            code,
            to: party_name(&transfer.to),
            number: transfer.to.number.as_deref().unwrap_or_default().into(),
            took: duration(transfer.took_ms).into(),
        }
    };
    row.transfers.iter().map(step).collect()
}

fn fact(kind: LogFactKind, text: &str) -> LogFact {
    LogFact { kind, first: text.into(), ..LogFact::default() }
}

fn tenths(kind: LogFactKind, tenths: u64) -> LogFact {
    let number = |value: u64| i32::try_from(value).unwrap_or(i32::MAX);
    LogFact { kind, whole: number(tenths / 10), tenths: number(tenths % 10), ..LogFact::default() }
}

/// A duration; nothing for less than a second.
fn text(ms: u64) -> slint::SharedString {
    if ms < 1000 { Default::default() } else { duration(ms).into() }
}

/// How a call ended, as the screen words it.
pub(crate) fn end(end: EndStatus) -> LogEnd {
    match end {
        EndStatus::Completed => LogEnd::Completed,
        EndStatus::Missed => LogEnd::Missed,
        EndStatus::Elsewhere => LogEnd::Elsewhere,
        EndStatus::Rejected => LogEnd::Rejected,
        EndStatus::Refused => LogEnd::Refused,
        EndStatus::NotAnswered => LogEnd::NotAnswered,
        EndStatus::Transferred => LogEnd::Transferred,
        EndStatus::Forwarded => LogEnd::Forwarded,
        EndStatus::Voicemail => LogEnd::Voicemail,
        EndStatus::Failed => LogEnd::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes;

    #[test]
    fn log_1_all_that_is_known_of_a_call_is_told() {
        let mut row = scenes::log(0, &[]).rows.remove(2);
        let kinds = |facts: &[LogFact]| facts.iter().map(|fact| fact.kind).collect::<Vec<_>>();
        use LogFactKind as Kind;
        let wanted = [
            Kind::Number,
            Kind::Company,
            Kind::Title,
            Kind::Line,
            Kind::AnsweredAfter,
            Kind::Talk,
            Kind::Hold,
        ];
        assert_eq!(kinds(&facts(&row)), wanted);
        let after = &facts(&row)[4];
        assert_eq!((after.whole, after.tenths), (4, 0));
        assert_eq!(steps(&row)[0].to, "Ingrid Solberg");
        row.sound = Some(CallSound {
            mos_hundredths: Some(351),
            received: 970,
            lost: 30,
            late: 1,
            jitter_us: 12_600,
            round_trip_us: Some(31_000),
            lost_there_thousandths: Some(4),
        });
        let told = sound(&row, false);
        let wanted = [Kind::Mos, Kind::Lost, Kind::Late, Kind::Jitter, Kind::RoundTrip, Kind::LostThere];
        assert_eq!(kinds(&told), wanted);
        assert_eq!((told[0].whole, told[0].tenths, told[0].bad), (3, 5, true));
        assert_eq!((told[1].first.as_str(), told[1].second.as_str()), ("30", "1,000"));
        assert_eq!(sound(&row, true)[1].second, "1\u{202f}000");
        assert_eq!((told[1].whole, told[1].tenths, told[1].bad), (3, 0, true));
        assert_eq!((told[3].first.as_str(), told[4].first.as_str()), ("13 ms", "31 ms"));
        assert_eq!((told[5].whole, told[5].tenths, told[5].bad), (0, 4, false));
        row.answered_after_ms = None;
        assert!(kinds(&facts(&row)).contains(&Kind::Rang) && !kinds(&facts(&row)).contains(&Kind::Talk));
    }

    #[test]
    fn a_part_is_rounded_and_is_bad_from_the_exact_limit_on() {
        let mut row = scenes::log(0, &[]).rows.remove(1);
        let mut lost = |received, lost| {
            row.sound = Some(CallSound { mos_hundredths: Some(400), received, lost, ..Default::default() });
            let part = sound(&row, false).remove(1);
            (part.whole, part.tenths, part.bad)
        };
        assert_eq!([lost(9_996, 4), lost(9_994, 6)], [(0, 0, false), (0, 1, false)]);
        assert_eq!([lost(9_805, 195), lost(9_800, 200)], [(2, 0, false), (2, 0, true)]);
    }

    #[test]
    fn a_rating_is_rounded_to_tenths_and_is_bad_below_what_listeners_bear() {
        let mut row = scenes::log(0, &[]).rows.remove(1);
        let mut shown = |mos: Option<u16>| {
            row.sound = mos.map(|mos| CallSound { mos_hundredths: Some(mos), ..Default::default() });
            let item = item(&row);
            (item.rating, item.sounded_bad)
        };
        assert_eq!([shown(None), shown(Some(441)), shown(Some(360))], [(0, false), (44, false), (36, false)]);
        assert_eq!(
            [shown(Some(359)), shown(Some(312)), shown(Some(100))],
            [(36, true), (31, true), (10, true)]
        );
    }
}
