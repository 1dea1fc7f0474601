//! The books: what came in (the desk's own words as each call arrived), what each caller saw, and the rows
//! of the desk's log. Every call has one row, every row one call, and the two say the same wherever the
//! caller can know. Where it cannot, because the decisive datagram was lost, [`allowed`] says which ends
//! remain possible, and no other.

use std::collections::{BTreeMap, BTreeSet};

use ipc::{Direction, EndStatus, LogRow, LogTransfer, TransferEnd, TransferKind};

use crate::wire::{Calls, Seen, Signer};

/// How far the two clocks that write a call's beginning may differ: both are the desk's, but one line is
/// written when the turn is under way.
const SAME_MOMENT_MS: i64 = 1000;

/// Whether to a colleague or to a mailbox, only the desk knows: its row must agree with itself there.
const PASSED_ON: &[EndStatus] = &[EndStatus::Transferred, EndStatus::Voicemail];

/// A call that arrived, as the desk said it at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The desk's name for the call.
    pub(crate) call: u64,
    pub(crate) call_id: String,
    pub(crate) number: String,
    pub(crate) at_unix_ms: i64,
}

/// What is wrong, call by call; all empty when the books balance.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Balance {
    /// Rows of calls that came in, by their end.
    pub(crate) ends: BTreeMap<&'static str, usize>,
    /// Calls that came in and have no row.
    pub(crate) unlogged: Vec<String>,
    /// Rows beyond the first of a call, and rows of calls that did not come in.
    pub(crate) surplus: Vec<String>,
    /// Calls that came in twice.
    pub(crate) twice: Vec<String>,
    /// Calls that nobody placed.
    pub(crate) strangers: Vec<String>,
    /// Calls whose caller has heard from the desk, which never took them in.
    pub(crate) unheard: Vec<String>,
    /// Rows whose end is not the one that their own transfers make.
    pub(crate) inconsistent: Vec<String>,
    /// Calls whose row says what their caller contradicts.
    pub(crate) contradicted: Vec<String>,
    /// Calls of which the caller could not know much: more than two ends remain, and the row has one of them.
    pub(crate) unsure: usize,
    /// The end of each call in its row, by the desk's name for the call.
    pub(crate) by_call: BTreeMap<u64, EndStatus>,
}

impl Balance {
    /// Compares what the callers saw, what came in and what the desk wrote. Rows of calls that the desk has
    /// placed itself are not looked at. `cut` are the calls whose transfer the operator has interrupted.
    pub(crate) fn strike(seen: &Calls, arrivals: &[Arrival], rows: &[LogRow], cut: &BTreeSet<u64>) -> Self {
        let mut balance = Self::default();
        let mut open: Vec<&Arrival> = arrivals.iter().collect();
        let mut ends: BTreeMap<u64, EndStatus> = BTreeMap::new();
        let incoming = rows.iter().filter(|row| row.direction == Direction::Incoming);
        for row in incoming {
            *balance.ends.entry(name(row.end)).or_default() += 1;
            let number = row.party.number.as_deref().unwrap_or_default();
            if !is_consistent(row) {
                balance.inconsistent.push(format!("{number} {:?} {:?}", row.end, row.transfers));
            }
            let distance = |arrival: &Arrival| (arrival.at_unix_ms - row.began_unix_ms).abs();
            let fits = |arrival: &Arrival| arrival.number == number && distance(arrival) <= SAME_MOMENT_MS;
            let nearest = open.iter().enumerate().filter(|(_, arrival)| fits(arrival));
            match nearest.min_by_key(|(_, arrival)| distance(arrival)).map(|(at, _)| at) {
                Some(at) => drop(ends.insert(open.remove(at).call, row.end)),
                None => balance.surplus.push(format!("{number} {:?}", row.end)),
            }
        }
        let tell = |arrival: &Arrival| format!("{} ({})", arrival.number, arrival.call_id);
        balance.unlogged = open.iter().map(|arrival| tell(arrival)).collect();
        let mut arrived = BTreeSet::new();
        for arrival in arrivals {
            if !arrived.insert(arrival.call_id.as_str()) {
                balance.twice.push(tell(arrival));
            }
            let Some(seen) = seen.get(&arrival.call_id) else {
                balance.strangers.push(tell(arrival));
                continue;
            };
            let Some(&end) = ends.get(&arrival.call) else { continue };
            let allowed = allowed(seen, cut.contains(&arrival.call));
            if !allowed.contains(&end) {
                balance.contradicted.push(format!("{}: {end:?}, not {allowed:?}", tell(arrival)));
            } else if allowed.len() > 2 {
                balance.unsure += 1;
            }
        }
        let heard = seen.iter().filter(|(_, seen)| seen.heard_desk);
        let unheard = heard.filter(|(call_id, _)| !arrived.contains(call_id.as_str()));
        balance.unheard = unheard.map(|(call_id, seen)| format!("{} ({call_id})", seen.number)).collect();
        balance.by_call = ends;
        balance
    }
}

/// Whether the end of a row follows from its transfers.
fn is_consistent(row: &LogRow) -> bool {
    let worked =
        |transfer: &&LogTransfer| matches!(transfer.end, TransferEnd::Answered | TransferEnd::HandedOver);
    let kind = row.transfers.iter().rfind(worked).map(|transfer| transfer.kind);
    match row.end {
        EndStatus::Forwarded => kind == Some(TransferKind::Forward),
        EndStatus::Voicemail => kind == Some(TransferKind::Voicemail),
        EndStatus::Transferred => {
            kind.is_some_and(|kind| !matches!(kind, TransferKind::Voicemail | TransferKind::Forward))
        }
        _ => kind.is_none(),
    }
}

/// The ends that the desk's log may give to a call whose caller saw this; `cut` when the operator has
/// interrupted its transfer.
pub(crate) fn allowed(seen: &Seen, cut: bool) -> &'static [EndStatus] {
    use EndStatus::{Completed, Failed, Forwarded, Missed, Rejected, Transferred, Voicemail};
    if seen.died {
        // It saw the beginning only; the desk may have gone on with the call for long.
        return &[Completed, Failed, Forwarded, Missed, Rejected, Transferred, Voicemail];
    }
    match (seen.answered, seen.refused) {
        (Some(Signer::Desk), _) => allowed_after_answer(seen, cut),
        // Whoever else answers or refuses was reached by our 302.
        (Some(Signer::Colleague), _) | (None, Some((_, Signer::Colleague))) => &[Forwarded],
        (_, Some((302, Signer::Desk))) => &[Forwarded],
        (_, Some((487, Signer::Desk))) => &[Missed],
        (_, Some((480 | 486, Signer::Desk))) => &[Rejected],
        // The desk's own last word was lost, or never reached: whatever it was, it was no conversation.
        (Some(Signer::Exchange), _) | (None, Some(_) | None) => &[Missed, Rejected, Forwarded],
    }
}

fn allowed_after_answer(seen: &Seen, cut: bool) -> &'static [EndStatus] {
    use EndStatus::{Completed, Failed, Missed, Transferred, Voicemail};
    let ended = seen.was_hung_up || (seen.hung_up && seen.bye_answered);
    let worked = seen.said.is_some_and(|code| code < 300);
    match (seen.said, seen.told) {
        // What the caller said and what the operator did have crossed.
        _ if cut && seen.referred => &[Completed, Failed, Transferred, Voicemail],
        (Some(_), true) if worked => PASSED_ON,
        // The caller says so, and never hears whether the desk has it.
        (Some(_), false) if worked => &[Completed, Failed, Transferred, Voicemail],
        // Gone before it could tell: the desk takes such a call for handed over.
        (None, _) if seen.referred => &[Completed, Failed, Transferred, Voicemail],
        // For all the desk could know the caller had gone before it was answered.
        _ if seen.unacknowledged => &[Completed, Failed, Missed],
        // The caller hung up, and heard that the desk knows.
        _ if ended && !seen.was_hung_up => &[Completed],
        // The BYE of an operator and that of a desk which has lost its caller look the same.
        _ if ended => &[Completed, Failed],
        // Neither end knows that the other has hung up, nor perhaps that the answer was acknowledged.
        _ => &[Completed, Failed, Missed],
    }
}

/// The word for an end in the report.
fn name(end: EndStatus) -> &'static str {
    match end {
        EndStatus::Completed => "talked",
        EndStatus::Missed => "abandoned",
        EndStatus::Rejected => "rejected",
        EndStatus::Transferred => "transferred",
        EndStatus::Forwarded => "forwarded",
        EndStatus::Voicemail => "voicemail",
        EndStatus::Failed => "broken",
        EndStatus::Elsewhere | EndStatus::Refused | EndStatus::NotAnswered => "other",
    }
}

/// The arrivals in the log of `frontdeskd`: one line each, with time, Call-ID and number.
pub(crate) fn arrivals(log: &str) -> Vec<Arrival> {
    let lines = log.lines().filter(|line| line.contains("incoming call "));
    lines.filter_map(arrival).collect()
}

fn arrival(line: &str) -> Option<Arrival> {
    let value = |name: &str| {
        let text = line.split_once(&format!(" {name}="))?.1.split(' ').next()?;
        Some(text.trim_matches('"').to_owned())
    };
    Some(Arrival {
        call: value("call")?.parse().ok()?,
        call_id: value("call_id")?,
        number: value("from").unwrap_or_default(),
        at_unix_ms: unix_ms(line.split(' ').next()?)?,
    })
}

/// `2026-11-26T09:13:46.123456Z` in Unix milliseconds (RFC 3339, UTC).
fn unix_ms(text: &str) -> Option<i64> {
    let mut numbers = text.trim_end_matches('Z').split(['-', 'T', ':', '.']).map(str::parse::<i64>);
    let mut next = || numbers.next()?.ok();
    let (year, month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?, next()?);
    let fraction = text.split_once('.').map_or("0", |(_, digits)| digits.trim_end_matches('Z'));
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    // Days since 1970 in the proleptic Gregorian calendar, years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ipc::Party;

    use super::*;

    fn row(number: &str, began_unix_ms: i64, end: EndStatus) -> LogRow {
        let moved = |kind| LogTransfer { to: Party::default(), kind, end: TransferEnd::Answered, took_ms: 1 };
        let transfers = match end {
            EndStatus::Forwarded => vec![moved(TransferKind::Forward)],
            EndStatus::Transferred => vec![moved(TransferKind::Blind)],
            _ => Vec::new(),
        };
        LogRow {
            id: 0,
            direction: Direction::Incoming,
            party: Party { number: Some(number.to_owned()), ..Party::default() },
            line_number: String::new(),
            line_name: String::new(),
            began_unix_ms,
            answered_after_ms: None,
            talk_ms: 0,
            hold_ms: 0,
            end,
            transfers,
            rules: Vec::new(),
            customer: None,
            call: None,
            sound: None,
            mark: ipc::LogMark::None,
        }
    }

    fn refused(code: u16) -> Seen {
        Seen { heard_desk: true, refused: Some((code, Signer::Desk)), ..Seen::default() }
    }

    fn answered() -> Seen {
        Seen { heard_desk: true, answered: Some(Signer::Desk), ..Seen::default() }
    }

    fn strike(seen: &Calls, arrivals: &[Arrival], rows: &[LogRow]) -> Balance {
        Balance::strike(seen, arrivals, rows, &BTreeSet::new())
    }

    fn known(seen: &Seen) -> &'static [EndStatus] {
        allowed(seen, false)
    }

    /// Six calls, the last two from one number, and the log that is right for them.
    fn day() -> (Calls, Vec<Arrival>, Vec<LogRow>) {
        let talked = Seen { hung_up: true, bye_answered: true, ..answered() };
        let moved = Seen { referred: true, said: Some(200), told: true, was_hung_up: true, ..answered() };
        let views = [
            ("1", talked.clone(), EndStatus::Completed),
            ("2", refused(486), EndStatus::Rejected),
            ("3", refused(487), EndStatus::Missed),
            ("4", refused(302), EndStatus::Forwarded),
            ("2112", moved, EndStatus::Transferred),
            ("2112", talked, EndStatus::Completed),
        ];
        let (mut seen, mut arrivals, mut rows) = (Calls::new(), Vec::new(), Vec::new());
        for (at, (number, view, end)) in (0..).zip(views) {
            let (call_id, began) = (format!("id{at}"), 10_000 * at);
            seen.insert(call_id.clone(), Seen { number: number.into(), ..view });
            arrivals.push(Arrival { call: at as u64, call_id, number: number.into(), at_unix_ms: began + 3 });
            rows.push(row(number, began, end));
        }
        (seen, arrivals, rows)
    }

    #[test]
    fn right_books_balance() {
        let (seen, arrivals, rows) = day();
        let balance = strike(&seen, &arrivals, &rows);
        let (ends, by_call) = (balance.ends.clone(), balance.by_call.clone());
        assert_eq!(ends.values().sum::<usize>(), 6);
        assert_eq!(by_call[&4], EndStatus::Transferred);
        assert_eq!(balance, Balance { ends, by_call, ..Balance::default() });
    }

    #[test]
    fn a_dropped_a_doubled_and_a_wrong_row_each_show() {
        let (seen, arrivals, rows) = day();
        let mut dropped = rows.clone();
        dropped.remove(1);
        assert_eq!(strike(&seen, &arrivals, &dropped).unlogged, ["2 (id1)"]);
        let mut doubled = rows.clone();
        doubled.push(rows[1].clone());
        assert_eq!(strike(&seen, &arrivals, &doubled).surplus, ["2 Rejected"]);
        let mut wrong = rows.clone();
        wrong[0].end = EndStatus::Missed;
        assert_eq!(strike(&seen, &arrivals, &wrong).contradicted.len(), 1);
        assert_eq!(strike(&seen, &arrivals, &wrong).inconsistent.len(), 0);
        let mut astray = rows.clone();
        astray[4].transfers.clear();
        assert_eq!(strike(&seen, &arrivals, &astray).inconsistent, ["2112 Transferred []"]);
        // One row too many for one call of a number, and one missing for its other: not the same as none.
        let mut swapped = rows.clone();
        swapped[5].began_unix_ms = rows[4].began_unix_ms;
        let balance = strike(&seen, &arrivals, &swapped);
        assert_eq!((balance.unlogged.len(), balance.surplus.len()), (1, 1));
    }

    #[test]
    fn a_call_that_is_lost_doubled_or_nobodys_shows() {
        let (mut seen, mut arrivals, rows) = day();
        let last = arrivals.pop().unwrap();
        assert_eq!(strike(&seen, &arrivals, &rows).unheard, ["2112 (id5)"]);
        arrivals.push(last.clone());
        arrivals.push(Arrival { call: 9, ..last });
        let balance = strike(&seen, &arrivals, &rows);
        assert_eq!((balance.twice.len(), balance.unlogged.len()), (1, 1));
        arrivals.pop();
        seen.remove("id0");
        assert_eq!(strike(&seen, &arrivals, &rows).strangers, ["1 (id0)"]);
    }

    #[test]
    fn what_the_caller_cannot_know_leaves_few_ends_and_what_it_knows_one() {
        use EndStatus::{Completed, Failed, Forwarded, Missed, Rejected, Transferred, Voicemail};
        let ended = Seen { was_hung_up: true, ..answered() };
        assert_eq!(known(&ended), [Completed, Failed]);
        let hung_up = Seen { hung_up: true, bye_answered: true, ..answered() };
        assert_eq!(known(&hung_up), [Completed]);
        assert!(known(&Seen { unacknowledged: true, ..ended.clone() }).contains(&Missed));
        assert_eq!(known(&Seen { hung_up: true, ..answered() }), [Completed, Failed, Missed]);
        let said = |code, told| Seen { referred: true, said: Some(code), told, ..ended.clone() };
        assert_eq!(known(&said(200, true)), [Transferred, Voicemail]);
        assert!(known(&said(200, false)).contains(&Completed));
        assert_eq!(known(&said(486, true)), [Completed, Failed]);
        assert!(allowed(&said(200, true), true).contains(&Completed));
        assert_eq!(known(&Seen::default()), [Missed, Rejected, Forwarded]);
        let sent_on = Seen { answered: Some(Signer::Colleague), ..Seen::default() };
        assert_eq!(known(&sent_on), [Forwarded]);
    }

    #[test]
    fn an_arrival_is_read_from_its_line() {
        let line = "2026-11-26T09:13:46.123456Z  INFO frontdeskd::engine: incoming call call=7 \
                    from=\"07201\" to=\"5550100\" call_id=\"1-9@127.0.0.1\"";
        let wanted = Arrival {
            call: 7,
            call_id: "1-9@127.0.0.1".into(),
            number: "07201".into(),
            at_unix_ms: 1_795_684_426_123,
        };
        assert_eq!(arrivals(line), [wanted]);
        assert_eq!(arrivals("2026-11-26T09:13:46.1Z INFO call ended call=7"), []);
        assert_eq!(unix_ms("1970-01-01T00:00:00.5Z"), Some(500));
        assert_eq!(unix_ms("2024-02-29T00:00:00Z"), Some(1_709_164_800_000));
    }
}
