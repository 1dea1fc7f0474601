//! Statistics of the call log (STA-1), and which days have calls.
//!
//! Whoever asks says where the hours and days of the clock on the wall begin, so that a day has 23 or 25 hours where it
//! has.

use serde::{Deserialize, Serialize};

use crate::{Direction, EndStatus};

/// Most slots in one question: a week of hours, and the one more that a change of the clock gives.
pub const MAX_SLOTS: usize = 24 * 7 + 2;

/// Most days in one [`crate::Query::CallDays`]: six weeks, as a calendar shows them.
pub const MAX_CALL_DAYS: usize = 42;

/// An answer within so many milliseconds is a quick one.
pub const QUICK_MS: u64 = 20_000;

/// Where the bins of [`AnswerTimes::bins`] end, in milliseconds, the end included; the last bin has no end.
pub const ANSWER_BINS_MS: [u64; 6] = [5_000, 10_000, 20_000, 30_000, 60_000, 120_000];

/// Which calls are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatisticsQuery {
    /// Where the slots begin and the last one ends, Unix milliseconds: 2 to [`MAX_SLOTS`] + 1, each later than the one
    /// before.
    pub edges_unix_ms: Vec<i64>,
    /// A stretch to compare with, from its first millisecond to the one after its last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_unix_ms: Option<(i64, i64)>,
}

/// The answer to [`crate::Query::Statistics`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// What was asked for.
    pub told: CallStatistics,
    /// The stretch to compare with, in one slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<CallStatistics>,
    /// When the newest call before the stretch began, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_unix_ms: Option<i64>,
    /// When the first call after the stretch began, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later_unix_ms: Option<i64>,
}

/// What happened in one slot, or on one line. Times are milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallCounts {
    /// Calls that came in.
    pub incoming: u64,
    /// Of these, answered at this desk.
    pub answered: u64,
    /// Of these, missed.
    pub missed: u64,
    /// Calls that went out.
    pub outgoing: u64,
    /// Time talked, both ways.
    pub talk_ms: u64,
    /// Time on hold, both ways.
    pub hold_ms: u64,
}

/// A slot and its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotCounts {
    /// Calls that began at or after this time, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Calls that began before this time, Unix milliseconds.
    pub until_unix_ms: i64,
    /// Its calls.
    pub counts: CallCounts,
}

/// A line and its calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineCounts {
    /// Its number.
    pub number: String,
    /// The name it had last.
    pub name: String,
    /// Its calls.
    pub counts: CallCounts,
}

/// How many calls of a direction ended like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCount {
    /// Who began them.
    pub direction: Direction,
    /// How they ended.
    pub end: EndStatus,
    /// How many.
    pub calls: u64,
}

/// How long callers waited for an answer at this desk, in milliseconds; `None` where nobody was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnswerTimes {
    /// Callers answered.
    pub answered: u64,
    /// Of these, within [`QUICK_MS`].
    pub quick: u64,
    /// The mean wait, rounded down.
    pub mean_ms: Option<u64>,
    /// Half of them waited at most this long.
    pub median_ms: Option<u64>,
    /// 95 of 100 waited at most this long.
    pub p95_ms: Option<u64>,
    /// The longest wait.
    pub longest_ms: Option<u64>,
    /// How many waited how long, see [`ANSWER_BINS_MS`].
    pub bins: [u64; ANSWER_BINS_MS.len() + 1],
}

/// How long the longest took, and how many calls had any of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeFigures {
    /// Calls with more than none.
    pub calls: u64,
    /// All together, in milliseconds.
    pub total_ms: u64,
    /// The longest of one call, in milliseconds.
    pub longest_ms: u64,
}

/// Everything that is told of a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallStatistics {
    /// All calls.
    pub all: CallCounts,
    /// Waits of callers.
    pub answers: AnswerTimes,
    /// Time talked.
    pub talk: TimeFigures,
    /// Time on hold.
    pub hold: TimeFigures,
    /// Each slot, oldest first, also those without calls.
    pub slots: Vec<SlotCounts>,
    /// Each line with calls, the busiest first, at most 100.
    pub lines: Vec<LineCounts>,
    /// Each outcome that there was.
    pub outcomes: Vec<OutcomeCount>,
}

impl CallCounts {
    /// Adds the calls of another slot.
    pub fn add(&mut self, other: &Self) {
        self.incoming += other.incoming;
        self.answered += other.answered;
        self.missed += other.missed;
        self.outgoing += other.outgoing;
        self.talk_ms += other.talk_ms;
        self.hold_ms += other.hold_ms;
    }

    /// Calls both ways.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.incoming + self.outgoing
    }
}
