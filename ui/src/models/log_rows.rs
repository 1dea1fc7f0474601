//! A row of the call log.

use ipc::{Direction, EndStatus, LogMark, LogRow};

use crate::clock::{duration, time_of_day};
use crate::models::cards::transfer_end;
use crate::models::words::party_name;
use crate::screen::{LogEnd, LogItem, TransferStep};

/// Hundredths of a mean opinion score below which many listeners are dissatisfied (ITU-T G.107 annex B).
const DISSATISFIED: u16 = 360;

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
    fn a_rating_is_rounded_to_tenths_and_is_bad_below_what_listeners_bear() {
        let mut row = scenes::log(0, false).rows.remove(1);
        let mut shown = |mos: Option<u16>| {
            row.sound = mos.map(|mos| ipc::CallSound { mos_hundredths: Some(mos), ..Default::default() });
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
