//! What happens to each simulated call: decided by its number alone, so that the caller's side, the
//! operator's side and the books agree without a word between them.

use std::collections::BTreeMap;

use ipc::{EndStatus, LogRow, TransferEnd};

/// Digits of a caller's number; 8 and more are no extension.
const DIGITS: usize = 10;

/// One call's course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Plan {
    /// Answered; the caller hangs up.
    CallerHangsUp,
    /// Answered; the operator hangs up.
    OperatorHangsUp,
    /// The caller gives up while it rings.
    Abandoned,
    /// The operator refuses it.
    Rejected,
    /// Answered, put on hold, taken back; the caller hangs up.
    HeldAndRetrieved,
    /// Answered, transferred blind; the target answers.
    Transferred,
    /// Answered, transferred blind; the target is busy, the call comes back and is hung up.
    TransferRefused,
    /// Sent on while it rings (302).
    Forwarded,
}

/// Twenty calls in a row; it repeats.
const MIX: [Plan; 20] = [
    Plan::CallerHangsUp,
    Plan::Abandoned,
    Plan::OperatorHangsUp,
    Plan::HeldAndRetrieved,
    Plan::Rejected,
    Plan::Transferred,
    Plan::CallerHangsUp,
    Plan::Abandoned,
    Plan::Forwarded,
    Plan::OperatorHangsUp,
    Plan::TransferRefused,
    Plan::Rejected,
    Plan::CallerHangsUp,
    Plan::HeldAndRetrieved,
    Plan::Abandoned,
    Plan::Forwarded,
    Plan::Transferred,
    Plan::OperatorHangsUp,
    Plan::Abandoned,
    Plan::Rejected,
];

/// Which call, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Number(pub(crate) u32);

impl Number {
    /// What happens to it.
    pub(crate) fn plan(self) -> Plan {
        MIX[self.0 as usize % MIX.len()]
    }

    /// The caller's number on the wire, the same for no two calls.
    pub(crate) fn written(self) -> String {
        format!("07{:0width$}", self.0, width = DIGITS - 2)
    }

    /// The call whose caller has this number.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("07").filter(|digits| digits.len() == DIGITS - 2)?;
        digits.parse().ok().map(Self)
    }
}

/// How a call ended, as its caller saw it on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Answered, and ended with BYE.
    Talked,
    /// Answered, and the caller reached the target of a REFER before the BYE.
    Transferred,
    /// CANCEL and 487.
    Abandoned,
    /// 486.
    Rejected,
    /// 302, and the call came to where that led.
    Forwarded,
    /// Any other end: the status code.
    Broken(u16),
}

impl Plan {
    /// What its caller must see.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::CallerHangsUp | Self::OperatorHangsUp | Self::HeldAndRetrieved | Self::TransferRefused => {
                Outcome::Talked
            }
            Self::Abandoned => Outcome::Abandoned,
            Self::Rejected => Outcome::Rejected,
            Self::Transferred => Outcome::Transferred,
            Self::Forwarded => Outcome::Forwarded,
        }
    }
}

impl Outcome {
    /// What the desk's log must say of it; `None` where nothing right could be said.
    pub(crate) fn end(self) -> Option<EndStatus> {
        match self {
            Self::Talked => Some(EndStatus::Completed),
            Self::Transferred => Some(EndStatus::Transferred),
            Self::Abandoned => Some(EndStatus::Missed),
            Self::Rejected => Some(EndStatus::Rejected),
            Self::Forwarded => Some(EndStatus::Forwarded),
            Self::Broken(_) => None,
        }
    }
}

/// The callers' books against the desk's log.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Balance {
    /// Rows by how they ended.
    pub(crate) ends: BTreeMap<&'static str, usize>,
    /// Calls without a row.
    pub(crate) unlogged: Vec<Number>,
    /// Rows beyond the first of a call, and rows of calls that nobody made.
    pub(crate) surplus: usize,
    /// Calls whose row says something else than their caller saw.
    pub(crate) contradicted: Vec<Number>,
    /// Calls that their caller saw end otherwise than planned.
    pub(crate) unplanned: Vec<(Number, Outcome)>,
    /// Rows with a transfer that the log does not give the end of its plan.
    pub(crate) transfers_astray: Vec<Number>,
}

impl Balance {
    /// Compares what the callers saw with what the desk wrote.
    pub(crate) fn strike(seen: &BTreeMap<Number, Outcome>, rows: &[LogRow]) -> Self {
        let mut balance = Self::default();
        let mut logged: BTreeMap<Number, &LogRow> = BTreeMap::new();
        for row in rows {
            *balance.ends.entry(name(row.end)).or_default() += 1;
            let number = row.party.number.as_deref().and_then(Number::read);
            match number.filter(|number| seen.contains_key(number)) {
                Some(number) if !logged.contains_key(&number) => drop(logged.insert(number, row)),
                _ => balance.surplus += 1,
            }
        }
        for (&number, &outcome) in seen {
            if outcome != number.plan().outcome() {
                balance.unplanned.push((number, outcome));
            }
            let Some(row) = logged.get(&number) else {
                balance.unlogged.push(number);
                continue;
            };
            if outcome.end() != Some(row.end) {
                balance.contradicted.push(number);
            }
            let ends: Vec<&TransferEnd> = row.transfers.iter().map(|transfer| &transfer.end).collect();
            let as_planned = match number.plan() {
                Plan::Transferred => ends == [&TransferEnd::Answered],
                Plan::TransferRefused => ends == [&TransferEnd::Refused { code: 486 }],
                Plan::Forwarded => ends.len() == 1,
                _ => ends.is_empty(),
            };
            if !as_planned {
                balance.transfers_astray.push(number);
            }
        }
        balance
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
        EndStatus::Failed => "failed",
        EndStatus::Elsewhere | EndStatus::Refused | EndStatus::NotAnswered | EndStatus::Voicemail => "other",
    }
}

#[cfg(test)]
mod tests {
    use ipc::{Direction, LogTransfer, Party, TransferKind};

    use super::*;

    fn row(number: Number, end: EndStatus, transfer: Option<TransferEnd>) -> LogRow {
        let log = |end| LogTransfer { to: Party::default(), kind: TransferKind::Blind, end, took_ms: 1 };
        LogRow {
            id: 0,
            direction: Direction::Incoming,
            party: Party { number: Some(number.written()), ..Party::default() },
            line_number: String::new(),
            line_name: String::new(),
            began_unix_ms: 0,
            answered_after_ms: None,
            talk_ms: 0,
            hold_ms: 0,
            end,
            transfers: transfer.map(log).into_iter().collect(),
            rules: Vec::new(),
            customer: None,
            call: None,
            sound: None,
            mark: ipc::LogMark::None,
        }
    }

    /// The whole mix as planned, and the log that is right for it.
    fn day() -> (BTreeMap<Number, Outcome>, Vec<LogRow>) {
        let numbers = (0..20).map(Number);
        let seen: BTreeMap<_, _> = numbers.map(|number| (number, number.plan().outcome())).collect();
        let transfer = |plan| match plan {
            Plan::Transferred | Plan::Forwarded => Some(TransferEnd::Answered),
            Plan::TransferRefused => Some(TransferEnd::Refused { code: 486 }),
            _ => None,
        };
        let write = |(number, outcome): (&Number, &Outcome)| {
            outcome.end().map(|end| row(*number, end, transfer(number.plan())))
        };
        let rows = seen.iter().filter_map(write).collect();
        (seen, rows)
    }

    #[test]
    fn a_number_is_read_as_it_was_written() {
        for number in [0, 7, 20_000, 99_999_999].map(Number) {
            assert_eq!(Number::read(&number.written()), Some(number));
        }
        assert_eq!(Number::read("2101"), None);
    }

    #[test]
    fn right_books_balance() {
        let (seen, rows) = day();
        let balance = Balance::strike(&seen, &rows);
        let ends = balance.ends.clone();
        assert_eq!(balance, Balance { ends, ..Balance::default() });
        assert_eq!(balance.ends.values().sum::<usize>(), 20);
    }

    #[test]
    fn every_kind_of_mistake_shows() {
        let (seen, mut rows) = day();
        rows[0].end = EndStatus::Missed;
        rows[5].transfers.clear();
        let twice = rows[1].clone();
        rows.push(twice);
        rows.remove(2);
        let balance = Balance::strike(&seen, &rows);
        assert_eq!(balance.contradicted, [Number(0)]);
        assert_eq!(balance.transfers_astray, [Number(5)]);
        assert_eq!((balance.surplus, balance.unlogged), (1, vec![Number(2)]));
        let mut seen = seen;
        seen.insert(Number(3), Outcome::Broken(503));
        assert_eq!(Balance::strike(&seen, &rows).unplanned, [(Number(3), Outcome::Broken(503))]);
    }
}
