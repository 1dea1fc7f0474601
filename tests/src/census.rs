//! What `frontdeskd` holds, as figures of a report: nothing of it may be left on a desk at rest.

use ipc::Census;

use crate::report::Row;

/// Each count of a desk at rest; all must be zero.
#[must_use]
pub fn none_left(when: &str, held: Census) -> Vec<Row> {
    none_left_but(0, when, held)
}

/// Likewise, of a desk whose exchange gives no answer: it may have that many questions of its own in flight.
#[must_use]
pub fn none_left_but(questions: u32, when: &str, held: Census) -> Vec<Row> {
    let Census { calls, open_transfers, ended_transfers, kept_rows, legs, sessions, transactions, streams } =
        held;
    let row = |what: &str, count: u32| Row::none(format!("{what} {when}"), count as usize);
    let transactions = match transactions <= questions {
        true => row("transactions", 0).note(format!("but {transactions} of the desk's own questions")),
        false => row("transactions", transactions),
    };
    vec![
        row("calls of the switchboard", calls),
        row("ledger entries", open_transfers + ended_transfers),
        row("log rows kept back", kept_rows),
        row("legs", legs),
        row("sessions of the user agent", sessions),
        transactions,
        row("RTP streams", streams),
    ]
}

/// The most that was held: the counters count, for in a run in which they never moved they prove nothing.
#[must_use]
pub fn peaks(peak: Census) -> Row {
    let values = [
        ("calls", f64::from(peak.calls)),
        ("sessions", f64::from(peak.sessions)),
        ("transactions", f64::from(peak.transactions)),
        ("streams", f64::from(peak.streams)),
    ];
    Row::at_least("held at most during the load", "", &values, "streams", 1.0)
        .note("the counters count: a run in which they never moved would prove nothing")
}

/// The larger of each.
#[must_use]
pub fn most(one: Census, other: Census) -> Census {
    Census {
        calls: one.calls.max(other.calls),
        open_transfers: one.open_transfers.max(other.open_transfers),
        ended_transfers: one.ended_transfers.max(other.ended_transfers),
        kept_rows: one.kept_rows.max(other.kept_rows),
        legs: one.legs.max(other.legs),
        sessions: one.sessions.max(other.sessions),
        transactions: one.transactions.max(other.transactions),
        streams: one.streams.max(other.streams),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_left_does_not_hold() {
        assert!(none_left("", Census::default()).iter().all(Row::holds));
        let one = Census { streams: 1, ..Census::default() };
        assert_eq!(none_left("", one).iter().filter(|row| !row.holds()).count(), 1);
        let asked = Census { transactions: 2, ..Census::default() };
        let failed =
            |questions| none_left_but(questions, "", asked).iter().filter(|row| !row.holds()).count();
        assert_eq!([failed(1), failed(2)], [1, 0]);
        assert!(peaks(one).holds() && !peaks(Census::default()).holds());
        let other = Census { calls: 2, ..Census::default() };
        assert_eq!(most(one, other), Census { streams: 1, calls: 2, ..Census::default() });
    }
}
