//! When an update is written and when the box restarts: a state machine that does nothing itself. Its time and whether the
//! desk is busy are handed in.

use serde::{Deserialize, Serialize};

use crate::{Attempt, Before, Facts, History, Outcome, STICK, Verdicts};

/// How long the operator's "not now" counts, in milliseconds.
const POSTPONED_MS: i64 = 60 * 60 * 1000;

/// How long until a restart that the desk refused is tried again: a call came in between.
const AGAIN_MS: i64 = 5_000;

/// When an update shall come. In each case the restart waits until no call is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Written at once.
    Now,
    /// Written when no call is up, too.
    Idle,
    /// Written and restarted between two times of the day, in minutes since midnight, when no call is up. A window whose
    /// end is before its beginning goes over midnight; one of no length is the whole day.
    Window {
        /// First minute, 0 to 1439.
        from: u16,
        /// The minute after the last, 0 to 1439.
        until: u16,
    },
}

impl When {
    fn has(self, minute: u16) -> bool {
        match self {
            Self::Now | Self::Idle => true,
            Self::Window { from, until } if from < until => (from..until).contains(&minute),
            Self::Window { from, until } if from > until => minute >= from || minute < until,
            Self::Window { .. } => true,
        }
    }
}

/// What an administrator wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// When.
    pub when: When,
    /// Who.
    pub who: String,
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was ordered.
    #[default]
    Resting,
    /// It waits for its time.
    Waiting,
    /// It is being written.
    Installing {
        /// 0 to 100.
        percent: u8,
        /// RAUC's words.
        words: String,
    },
    /// It is written, and waits until no call is up.
    Written,
    /// The box restarts.
    Restarting,
}

/// What is so now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Unix milliseconds.
    pub unix_ms: i64,
    /// Minutes since midnight on the clock on the wall.
    pub minute: u16,
    /// A restart would cut somebody off.
    pub occupied: bool,
}

/// What is to be done; the attempt is on the disk before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Have the bundle written.
    Install,
    /// Ask the desk to end, and restart the box.
    Restart,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    history: History,
    stage: Stage,
    not_before_ms: i64,
}

impl Machine {
    /// After a start of the program; whether the history has changed.
    #[must_use]
    pub fn resume(mut history: History, facts: &Facts, verdicts: &Verdicts) -> (Self, bool) {
        let changed = history.resume(facts, verdicts);
        let stage = match history.last() {
            Some(last) if last.outcome == Outcome::Installed && last.boot_id == facts.boot_id => {
                Stage::Written
            }
            _ if history.order.is_some() => Stage::Waiting,
            _ => Stage::Resting,
        };
        (Self { history, stage, not_before_ms: 0 }, changed)
    }

    /// What the disk keeps.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// How far it is.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Until when the operator wants nothing of it, Unix milliseconds.
    #[must_use]
    pub(crate) fn not_before_ms(&self) -> i64 {
        self.not_before_ms
    }

    /// Looks again what has come of the newest attempt; whether anything was found.
    pub fn look(&mut self, facts: &Facts, verdicts: &Verdicts) -> bool {
        if !matches!(self.stage, Stage::Resting | Stage::Waiting) || !self.history.resume(facts, verdicts) {
            return false;
        }
        if self.history.order.is_none() {
            self.stage = Stage::Resting;
        }
        true
    }

    /// The version that runs has yet to show that it is well: what it could go back to is not written over.
    fn is_on_trial(&self) -> bool {
        self.history.last().is_some_and(|last| last.outcome == Outcome::Trying)
    }

    /// Whether what a stick brings may be ordered: nothing is under way or on trial, and what an administrator has ordered
    /// comes first.
    #[must_use]
    pub(crate) fn is_free_for_a_stick(&self) -> bool {
        matches!(self.stage, Stage::Resting | Stage::Waiting)
            && !self.is_on_trial()
            && self.history.order.as_ref().is_none_or(|order| order.who == STICK)
    }

    /// An administrator wants the update; `false` when one is under way, or on trial. A new order takes the place of one
    /// that waits.
    pub fn order(&mut self, order: Order) -> bool {
        match self.stage {
            Stage::Resting | Stage::Waiting if self.is_on_trial() => return false,
            Stage::Resting | Stage::Waiting => self.stage = Stage::Waiting,
            // Written already: only its restart can still be put off or brought forward.
            Stage::Written => {}
            Stage::Installing { .. } | Stage::Restarting => return false,
        }
        self.history.order = Some(order);
        self.not_before_ms = 0;
        true
    }

    /// An administrator does not want it any more; `false` when it is too late.
    pub fn cancel(&mut self) -> bool {
        if self.stage != Stage::Waiting {
            return false;
        }
        (self.stage, self.history.order) = (Stage::Resting, None);
        true
    }

    /// An administrator lets sticks update the box, or not.
    pub fn allow_sticks(&mut self, allow: bool) {
        self.history.no_sticks = !allow;
    }

    /// The operator does not want it now; whether anything waits.
    pub fn postpone(&mut self, now: Now) -> bool {
        let waits = matches!(self.stage, Stage::Waiting | Stage::Written);
        if waits {
            self.not_before_ms = now.unix_ms + POSTPONED_MS;
        }
        waits
    }

    /// What is to be done now. `attempt` has the version and the slots of the bundle that is there.
    pub fn step(&mut self, now: Now, attempt: Option<&Attempt>, before: &Before) -> Option<Step> {
        // A clock that was set back does not keep an update away for years.
        self.not_before_ms = self.not_before_ms.min(now.unix_ms + POSTPONED_MS);
        let order = self.history.order.clone()?;
        let is_time = now.unix_ms >= self.not_before_ms && order.when.has(now.minute) && !now.occupied;
        match self.stage {
            Stage::Waiting if self.is_on_trial() => None,
            Stage::Waiting if is_time || order.when == When::Now => {
                let attempt = attempt?.clone();
                self.history.begin(Attempt {
                    who: order.who,
                    begun_ms: now.unix_ms,
                    before: before.clone(),
                    outcome: Outcome::Installing,
                    ..attempt
                });
                self.stage = Stage::Installing { percent: 0, words: String::new() };
                Some(Step::Install)
            }
            Stage::Written if is_time => {
                if let Some(last) = self.history.attempts.last_mut() {
                    last.before = before.clone();
                }
                self.stage = Stage::Restarting;
                Some(Step::Restart)
            }
            _ => None,
        }
    }

    /// RAUC is so far.
    pub fn progress(&mut self, percent: u8, words: &str) {
        if let Stage::Installing { .. } = self.stage {
            self.stage = Stage::Installing { percent, words: words.to_owned() };
        }
    }

    /// RAUC is at its end.
    pub fn installed(&mut self, now: Now, done: Result<(), String>) {
        match done {
            Ok(()) => {
                self.history.end(Outcome::Installed, now.unix_ms);
                self.stage = Stage::Written;
            }
            Err(reason) => {
                self.history.end(Outcome::Failed { reason }, now.unix_ms);
                self.history.order = None;
                self.stage = Stage::Resting;
            }
        }
    }

    /// Whether the desk ends, as it was asked to; else a call came in between.
    pub fn restarts(&mut self, now: Now, taken: bool) {
        if self.stage == Stage::Restarting {
            if taken {
                self.history.order = None;
            } else {
                self.stage = Stage::Written;
                self.not_before_ms = now.unix_ms + AGAIN_MS;
            }
        }
    }
}
