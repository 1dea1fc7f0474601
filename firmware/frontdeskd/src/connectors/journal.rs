//! Finished calls on their way into customer databases (CRM-3): what they are called there, and when they are sent.
//!
//! The records thread has written them down with the log (`store::journal`); one task a connector sends them, one at a
//! time, and only what the customer database has is forgotten. A database that is down gets them when it is up
//! again, after a restart of the desk as well.

use std::time::Duration;

use directory::NumberPlan;
use ipc::{
    Direction, EndStatus, LogRow, PluginAnswer, PluginCall, PluginOutcome, PluginParty, PluginProblem,
    TransferEnd,
};
use tokio::time::sleep;
use tracing::{debug, info, warn};

use super::asking::Connectors;
use crate::{editing::unix_ms, records::Records};

/// The pause after a first failure; it doubles with each further one.
const FIRST: Duration = Duration::from_secs(15);
/// The longest pause, and the one where only an administrator can help.
const LONGEST: Duration = Duration::from_secs(3600);
/// The pause while there is no plugin host, and when the disk did not answer.
const NOT_THERE: Duration = Duration::from_secs(2);
/// A call that rang for longer did not: the clock was set.
const MOST_RING_MS: i64 = 3_600_000;

/// Why a finished call is not in a customer database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The plugin host is not there; it was not tried.
    NotThere,
    /// It was tried.
    Failed {
        /// As in [`PluginProblem::Failed`].
        case: String,
        words: String,
    },
}

/// What becomes of a call that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Again(Duration),
    Never,
}

/// Sends what is in the journal of a connector, for ever.
pub(super) async fn deliver(plugin: String, records: Records, connectors: Connectors) {
    let mut news = records.journal_news();
    loop {
        // Whatever is written from here on is seen at the next look.
        news.mark_unchanged();
        match records.journal_due(plugin.clone(), unix_ms()).await {
            Ok(Some(row)) => {
                let sent = connectors.log_call(plugin.clone(), row.call.clone()).await;
                let pause = match sent {
                    Ok(()) => {
                        debug!(
                            connector = plugin,
                            call = row.call.id,
                            "a finished call is in the customer database"
                        );
                        keep(records.journal_done(row.id).await);
                        continue;
                    }
                    Err(Refusal::NotThere) => NOT_THERE,
                    Err(Refusal::Failed { case, words }) => match verdict(&case, row.tries) {
                        Verdict::Never => {
                            warn!(
                                connector = plugin,
                                call = row.call.id,
                                case,
                                words,
                                "a finished call is given up"
                            );
                            keep(records.journal_done(row.id).await);
                            continue;
                        }
                        Verdict::Again(after) => {
                            let tries = row.tries + 1;
                            info!(connector = plugin, tries, ?after, case, words, "a finished call waits");
                            let due = unix_ms()
                                .saturating_add(i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
                            keep(records.journal_again(row.id, due).await);
                            // The next one would fare no better at once.
                            after.min(FIRST)
                        }
                    },
                };
                sleep(pause).await;
            }
            Ok(None) => {
                let due = records.journal_next(plugin.clone()).await.ok().flatten();
                let wait = due.map_or(LONGEST, |due| until(due, unix_ms()));
                tokio::select! {
                    () = sleep(wait) => {}
                    changed = news.changed() => if changed.is_err() { return },
                }
            }
            Err(_) => sleep(NOT_THERE).await,
        }
    }
}

/// What a connector said to a finished call; `None`: no answer came.
pub(super) fn answer(answer: Option<Result<PluginAnswer, PluginProblem>>) -> Result<(), Refusal> {
    let failed = |case: &str, words: String| Err(Refusal::Failed { case: case.to_owned(), words });
    match answer {
        Some(Ok(PluginAnswer::Done)) => Ok(()),
        Some(Ok(_)) => failed("protocol", String::new()),
        Some(Err(PluginProblem::Failed { case, words })) => Err(Refusal::Failed { case, words }),
        Some(Err(other)) => failed("refused", other.to_string()),
        None => failed("timeout", String::new()),
    }
}

/// The cases are those of the connectors' interface (`types.error`).
fn verdict(case: &str, tries: u32) -> Verdict {
    match case {
        // True of this call alone, and for ever.
        "unsupported" => Verdict::Never,
        // Until the administrator has done something. A 404 is no word about the call: a proxy says it while the customer
        // database is installed anew, and so does a path that was mistyped.
        "misconfigured" | "auth-failed" | "forbidden" | "gone" => Verdict::Again(LONGEST),
        _ => Verdict::Again(FIRST.saturating_mul(2_u32.saturating_pow(tries.min(16))).min(LONGEST)),
    }
}

/// From now until then; never longer than an hour, in case the clock is set.
fn until(due: i64, now: i64) -> Duration {
    let left = u64::try_from(due.saturating_sub(now)).unwrap_or(0);
    // A whole millisecond more than rounding takes away.
    Duration::from_millis(left.saturating_add(1)).min(LONGEST)
}

fn keep(kept: Result<(), String>) {
    if let Err(reason) = kept {
        // The call is sent once more, under the same identity.
        warn!(reason, "the journal was not changed");
    }
}

/// A call of the log as a customer database is told of it; its identity comes from the store. `ended` is in Unix
/// milliseconds.
pub(crate) fn finished(
    row: &LogRow,
    plugin: &str,
    ended: i64,
    plan: &NumberPlan,
    operator: &str,
) -> PluginCall {
    let number = row.party.number.as_deref().unwrap_or_default();
    let rang = ended.saturating_sub(row.began_unix_ms).clamp(0, MOST_RING_MS).unsigned_abs();
    let taken = |end: &TransferEnd| matches!(end, TransferEnd::Answered | TransferEnd::HandedOver);
    let target =
        row.transfers.iter().rev().find(|transfer| taken(&transfer.end)).map(|transfer| &transfer.to);
    let line = if row.line_name.is_empty() { &row.line_number } else { &row.line_name };
    PluginCall {
        id: String::new(),
        incoming: row.direction == Direction::Incoming,
        outcome: outcome(row),
        remote: PluginParty { numbers: plan.spellings(number), name: row.party.name.clone() },
        line: Some(line.clone()).filter(|line| !line.is_empty()),
        operator: operator.to_owned(),
        started_ms: row.began_unix_ms,
        ring_ms: row.answered_after_ms.unwrap_or(rang),
        talk_ms: row.talk_ms,
        transferred_to: target.and_then(|to| to.number.clone().or_else(|| to.name.clone())),
        subject: row.customer.as_ref().filter(|of| of.plugin == plugin).map(|of| of.id.clone()),
    }
}

fn outcome(row: &LogRow) -> PluginOutcome {
    let spoken = row.answered_after_ms.is_some() && row.talk_ms > 0;
    match row.end {
        EndStatus::Completed => PluginOutcome::Answered,
        EndStatus::Missed | EndStatus::NotAnswered => PluginOutcome::Missed,
        EndStatus::Rejected => PluginOutcome::Rejected,
        EndStatus::Refused => PluginOutcome::Busy,
        EndStatus::Transferred | EndStatus::Voicemail if spoken => PluginOutcome::Transferred,
        // Somebody else of the house has it.
        EndStatus::Transferred | EndStatus::Voicemail | EndStatus::Forwarded | EndStatus::Elsewhere => {
            PluginOutcome::Forwarded
        }
        // The line broke in the middle of it.
        EndStatus::Failed if spoken => PluginOutcome::Answered,
        EndStatus::Failed => PluginOutcome::Failed,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ipc::{CustomerRef, LogTransfer, Party, TransferKind};

    use super::*;

    fn row(end: EndStatus) -> LogRow {
        LogRow {
            id: 0,
            direction: Direction::Incoming,
            party: Party { number: Some("0145678910".into()), ..Party::default() },
            line_number: "5550100".into(),
            line_name: "Sales".into(),
            began_unix_ms: 1_000_000,
            answered_after_ms: None,
            talk_ms: 0,
            hold_ms: 0,
            end,
            transfers: Vec::new(),
            rules: Vec::new(),
            customer: Some(CustomerRef { plugin: "a.crm".into(), id: "C-1".into() }),
            call: None,
            sound: None,
            mark: ipc::LogMark::None,
        }
    }

    fn told(row: &LogRow, plugin: &str) -> PluginCall {
        finished(row, plugin, 1_009_000, &NumberPlan::default(), "Front desk")
    }

    #[test]
    fn crm_3_a_finished_call_says_who_how_and_how_long() {
        let missed = told(&row(EndStatus::Missed), "a.crm");
        assert_eq!((missed.outcome, missed.ring_ms, missed.talk_ms), (PluginOutcome::Missed, 9_000, 0));
        assert_eq!((missed.subject.as_deref(), missed.line.as_deref()), (Some("C-1"), Some("Sales")));
        assert_eq!(missed.remote.numbers[0], "+33145678910");
        assert_eq!(told(&row(EndStatus::Missed), "b.crm").subject, None, "another's record");
        let to = Party { number: Some("2110".into()), name: Some("Ingrid".into()), ..Party::default() };
        let transfer = |end| LogTransfer { to: to.clone(), kind: TransferKind::Blind, end, took_ms: 1 };
        let passed_on = LogRow {
            answered_after_ms: Some(3_000),
            talk_ms: 5_000,
            transfers: vec![transfer(TransferEnd::Answered), transfer(TransferEnd::TakenBack)],
            ..row(EndStatus::Transferred)
        };
        let passed_on = told(&passed_on, "a.crm");
        assert_eq!((passed_on.outcome, passed_on.ring_ms), (PluginOutcome::Transferred, 3_000));
        assert_eq!(passed_on.transferred_to.as_deref(), Some("2110"));
        assert_eq!(told(&row(EndStatus::Transferred), "").outcome, PluginOutcome::Forwarded);
        let set_back = finished(&row(EndStatus::Missed), "", 0, &NumberPlan::default(), "");
        assert_eq!(set_back.ring_ms, 0, "a clock that was set back");
    }

    #[test]
    fn crm_3_a_failure_is_tried_again_later_each_time_and_what_cannot_be_is_not() {
        let pauses: Vec<u64> = (0..12)
            .map(|tries| match verdict("unavailable", tries) {
                Verdict::Again(pause) => pause.as_secs(),
                Verdict::Never => 0,
            })
            .collect();
        assert_eq!(pauses, [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]);
        assert_eq!(verdict("cpu", u32::MAX), Verdict::Again(LONGEST));
        for case in ["misconfigured", "auth-failed", "forbidden", "gone"] {
            assert_eq!(verdict(case, 0), Verdict::Again(LONGEST), "{case}");
        }
        assert_eq!(verdict("unsupported", 0), Verdict::Never);
    }

    #[test]
    fn crm_3_only_done_is_done() {
        assert_eq!(answer(Some(Ok(PluginAnswer::Done))), Ok(()));
        for other in [None, Some(Ok(PluginAnswer::Cards(Vec::new()))), Some(Err(PluginProblem::NoSuchPlugin))]
        {
            assert!(answer(other).is_err());
        }
    }
}
