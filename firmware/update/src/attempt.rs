//! The history of updates: an attempt is written down before it begins, so that one which a power cut ended is known, and
//! what came of it is found at the next start. Pure.

use serde::{Deserialize, Serialize};

use crate::{Order, Trouble, Verdicts};

/// Attempts that are kept.
const KEPT: usize = 20;

/// An update that was begun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attempt {
    /// Counts up.
    pub id: u64,
    /// Version of the bundle.
    pub version: String,
    /// Who wanted it.
    pub who: String,
    /// When it began, Unix milliseconds.
    pub begun_ms: i64,
    /// When its end was known.
    pub ended_ms: Option<i64>,
    /// The slot that ran.
    pub from: String,
    /// The slot that it was written into.
    pub to: String,
    /// Which start of the machine that was.
    pub boot_id: String,
    /// How the desk did just before the restart, or as it began.
    pub before: Before,
    /// What came of it.
    pub outcome: Outcome,
}

/// How the desk did before an update: what the new version must do as well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Before {
    /// A screen was connected.
    pub screen: bool,
    /// Numbers of the lines that were registered.
    pub lines: Vec<String>,
}

/// What came of an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Outcome {
    /// It is being written; found so after a start, it was [`Outcome::Interrupted`].
    #[default]
    Installing,
    /// It is in its slot and waits for a restart.
    Installed,
    /// It has started, and shows whether it is well.
    Trying,
    /// It is well, and stays.
    Good,
    /// It could not be written; the version before runs on.
    Failed {
        /// RAUC's words.
        reason: String,
    },
    /// It was not well, or did not start at all, and the version before runs again.
    RolledBack {
        /// What was wrong; empty when it did not come so far that it could be said.
        troubles: Vec<Trouble>,
    },
    /// It is not well, and runs all the same: the slot before cannot be started.
    Kept {
        /// What is wrong.
        troubles: Vec<Trouble>,
    },
    /// A power cut, or the end of the program, while it was being written. What ran is whole.
    Interrupted,
    /// A newer version of the program knows.
    #[serde(other)]
    Unknown,
}

impl Outcome {
    /// Its end is not known yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Installing | Self::Installed | Self::Trying)
    }
}

/// What the disk keeps: newest attempt last, and what was ordered and has not been done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// Oldest first.
    pub attempts: Vec<Attempt>,
    /// What waits for its time.
    pub order: Option<Order>,
    /// An administrator has turned updates by stick off.
    pub no_sticks: bool,
}

/// What is so as the program starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Which start of the machine this is.
    pub boot_id: String,
    /// The slot that runs; `None` when RAUC cannot be asked yet.
    pub booted: Option<String>,
    /// Unix milliseconds.
    pub now_ms: i64,
}

impl History {
    /// Writes a new attempt down.
    pub fn begin(&mut self, mut attempt: Attempt) {
        attempt.id = self.attempts.last().map_or(0, |last| last.id) + 1;
        self.attempts.push(attempt);
        let many = self.attempts.len().saturating_sub(KEPT);
        self.attempts.drain(..many);
    }

    /// The newest attempt.
    #[must_use]
    pub fn last(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// Its end.
    pub fn end(&mut self, outcome: Outcome, now_ms: i64) {
        if let Some(last) = self.attempts.last_mut() {
            if !outcome.is_open() {
                last.ended_ms = Some(now_ms);
            }
            last.outcome = outcome;
        }
    }

    /// Finds at a start of the program what has come of the newest attempt; whether anything was found.
    pub fn resume(&mut self, facts: &Facts, verdicts: &Verdicts) -> bool {
        let Some(last) = self.attempts.last() else { return false };
        let is_other_start = last.boot_id != facts.boot_id;
        let was_written = last.outcome == Outcome::Installed;
        let outcome = match &last.outcome {
            Outcome::Installing => Outcome::Interrupted,
            // A restart of the program alone changes nothing.
            Outcome::Installed if !is_other_start => return false,
            Outcome::Installed | Outcome::Trying => match &facts.booted {
                None => return false,
                Some(booted) => after_a_start(last, booted, verdicts),
            },
            // RAUC works on when its caller ends: it may have written the slot to its end all the same.
            Outcome::Interrupted if is_other_start && facts.booted.as_ref() == Some(&last.to) => {
                after_a_start(last, &last.to, verdicts)
            }
            _ => return false,
        };
        let changed = outcome != last.outcome;
        if changed {
            // It was for this one: a restart that came by itself has done it.
            if outcome == Outcome::Interrupted || was_written {
                self.order = None;
            }
            self.end(outcome, facts.now_ms);
        }
        changed
    }
}

fn after_a_start(attempt: &Attempt, booted: &str, verdicts: &Verdicts) -> Outcome {
    let verdict = verdicts.get(&attempt.to).filter(|verdict| verdict.attempt == attempt.id);
    match verdict {
        _ if booted != attempt.to => Outcome::RolledBack {
            troubles: verdict.map_or_else(Vec::new, |verdict| verdict.troubles.clone()),
        },
        Some(verdict) if verdict.troubles.is_empty() => Outcome::Good,
        Some(verdict) => Outcome::Kept { troubles: verdict.troubles.clone() },
        None => Outcome::Trying,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;

    fn history(outcome: Outcome) -> History {
        let mut history = History::default();
        let attempt =
            Attempt { from: "A".into(), to: "B".into(), boot_id: "one".into(), ..Attempt::default() };
        history.begin(Attempt { outcome, ..attempt });
        history
    }

    fn resumed(outcome: Outcome, boot_id: &str, booted: &str, verdict: Option<Vec<Trouble>>) -> Outcome {
        let mut history = history(outcome);
        let mut verdicts = Verdicts::default();
        if let Some(troubles) = verdict {
            verdicts.insert("B".into(), Verdict { attempt: 1, troubles, ..Verdict::default() });
        }
        let facts = Facts { boot_id: boot_id.into(), booted: Some(booted.into()), now_ms: 5 };
        history.resume(&facts, &verdicts);
        history.attempts[0].outcome.clone()
    }

    #[test]
    fn app_3_an_attempt_that_a_power_cut_ended_is_found_as_interrupted() {
        assert_eq!(resumed(Outcome::Installing, "two", "A", None), Outcome::Interrupted);
        assert_eq!(resumed(Outcome::Installing, "one", "A", None), Outcome::Interrupted);
        assert_eq!(
            resumed(Outcome::Interrupted, "two", "B", None),
            Outcome::Trying,
            "rauc had come to its end"
        );
        assert_eq!(resumed(Outcome::Interrupted, "two", "A", None), Outcome::Interrupted);
    }

    #[test]
    fn app_3_after_the_restart_a_version_is_on_trial_good_kept_or_rolled_back() {
        let wrong = vec![Trouble::Screen];
        assert_eq!(
            resumed(Outcome::Installed, "one", "A", None),
            Outcome::Installed,
            "only the program started anew"
        );
        assert_eq!(resumed(Outcome::Installed, "two", "B", None), Outcome::Trying);
        assert_eq!(resumed(Outcome::Installed, "two", "B", Some(Vec::new())), Outcome::Good);
        assert_eq!(resumed(Outcome::Trying, "two", "B", Some(Vec::new())), Outcome::Good);
        assert_eq!(
            resumed(Outcome::Trying, "three", "A", Some(wrong.clone())),
            Outcome::RolledBack { troubles: wrong.clone() }
        );
        assert_eq!(
            resumed(Outcome::Installed, "two", "A", None),
            Outcome::RolledBack { troubles: Vec::new() },
            "it never came so far"
        );
        assert_eq!(
            resumed(Outcome::Trying, "two", "B", Some(wrong.clone())),
            Outcome::Kept { troubles: wrong }
        );
    }

    #[test]
    fn app_3_the_verdict_on_another_attempt_is_none_and_only_the_newest_attempts_are_kept() {
        let mut history = history(Outcome::Installed);
        let mut verdicts = Verdicts::default();
        verdicts.insert("B".into(), Verdict { attempt: 7, ..Verdict::default() });
        let facts = Facts { boot_id: "two".into(), booted: Some("B".into()), now_ms: 5 };
        assert!(history.resume(&facts, &verdicts));
        assert_eq!(history.attempts[0].outcome, Outcome::Trying);
        for _ in 0..30 {
            history.begin(Attempt::default());
        }
        assert_eq!((history.attempts.len(), history.attempts[KEPT - 1].id), (KEPT, 31));
    }

    #[test]
    fn app_3_an_older_program_reads_what_a_newer_one_wrote() {
        let text = r#"{"attempts":[{"id":3,"version":"9","outcome":{"is":"teleported","to":"mars"},"more":1}],"else":2}"#;
        let read: Result<History, _> = serde_json::from_str(text);
        assert!(read.is_ok_and(|history| history.attempts[0].outcome == Outcome::Unknown));
    }
}
