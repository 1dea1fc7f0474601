//! Statistics of the call log (STA-1), counted by SQLite: nobody reads the rows one by one.
//!
//! Not done here: calendars. Whoever asks says where the hours and days of the clock on the wall begin, so that a
//! day has 23 or 25 hours where it has.

use ipc::{Direction, EndStatus};
use rusqlite::{Connection, Row, params};
use serde::Serialize;

use crate::calls::{direction, direction_word, end};
use crate::{Failure, Store, StoreError};

/// Most slots in one question: a week of hours, and the one more that a change of the clock gives.
pub const MAX_SLOTS: usize = 24 * 7 + 2;

/// An answer within so many milliseconds is a quick one.
pub const QUICK_MS: u64 = 20_000;

/// Most lines told apart; those with the most calls.
const MAX_LINES: u32 = 100;

/// No call lasts longer than a year, in milliseconds: sums stay far from the end of their range.
const LONGEST_MS: i64 = 365 * 24 * 3600 * 1000;

const COUNTS: &str = "count(*) FILTER (WHERE direction = 'incoming'), \
     count(*) FILTER (WHERE direction = 'incoming' AND answered_after IS NOT NULL), \
     count(*) FILTER (WHERE outcome = 'missed'), \
     count(*) FILTER (WHERE direction = 'outgoing'), \
     coalesce(sum(min(talk, ?3)), 0), coalesce(sum(min(hold, ?3)), 0)";

/// A stretch of time, cut into slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slots {
    edges: Vec<i64>,
}

/// What happened in one slot, or on one line. Times are milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SlotCounts {
    /// Calls that began at or after this time, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Calls that began before this time, Unix milliseconds.
    pub until_unix_ms: i64,
    /// Its calls.
    pub counts: CallCounts,
}

/// A line and its calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineCounts {
    /// Its number.
    pub number: String,
    /// The name it had last.
    pub name: String,
    /// Its calls.
    pub counts: CallCounts,
}

/// How many calls of a direction ended like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OutcomeCount {
    /// Who began them.
    pub direction: Direction,
    /// How they ended.
    pub end: EndStatus,
    /// How many.
    pub calls: u64,
}

/// How long callers waited for an answer at this desk, in milliseconds; `None` where nobody was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AnswerTimes {
    /// Callers answered.
    pub answered: u64,
    /// Of these, within [`QUICK_MS`].
    pub quick: u64,
    /// Half of them waited at most this long.
    pub median_ms: Option<u64>,
    /// 95 of 100 waited at most this long.
    pub p95_ms: Option<u64>,
    /// The longest wait.
    pub longest_ms: Option<u64>,
}

/// How long the longest took, and how many calls had any of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TimeFigures {
    /// Calls with more than none.
    pub calls: u64,
    /// All together, in milliseconds.
    pub total_ms: u64,
    /// The longest of one call, in milliseconds.
    pub longest_ms: u64,
}

/// Everything that is told of a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// Each line with calls, the busiest first.
    pub lines: Vec<LineCounts>,
    /// Each outcome that there was.
    pub outcomes: Vec<OutcomeCount>,
}

impl Slots {
    /// Slots between neighbouring edges, in Unix milliseconds; `None` unless there are 1 to [`MAX_SLOTS`] and each
    /// edge is later than the one before.
    #[must_use]
    pub fn new(edges: Vec<i64>) -> Option<Self> {
        let is_right = (2..=MAX_SLOTS + 1).contains(&edges.len()) && edges.is_sorted_by(|a, b| a < b);
        is_right.then_some(Self { edges })
    }

    /// From the beginning of the first to the end of the last.
    fn span(&self) -> (i64, i64) {
        (self.edges[0], self.edges[self.edges.len() - 1])
    }
}

impl Store {
    /// What happened in a stretch of time; a call counts where it began.
    ///
    /// # Errors
    /// The database's.
    pub fn statistics(&self, slots: &Slots) -> Result<CallStatistics, StoreError> {
        self.read("count the calls", |db| {
            let span = slots.span();
            let mut told = CallStatistics {
                answers: answers(db, span)?,
                lines: lines(db, span)?,
                outcomes: outcomes(db, span)?,
                ..CallStatistics::default()
            };
            (told.talk, told.hold) = times(db, span)?;
            for edge in slots.edges.windows(2) {
                let counts = counts(db, (edge[0], edge[1]))?;
                // Together the slots are the stretch.
                told.all.add(&counts);
                told.slots.push(SlotCounts { from_unix_ms: edge[0], until_unix_ms: edge[1], counts });
            }
            Ok(told)
        })
    }
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
}

fn counts(db: &Connection, (from, until): (i64, i64)) -> Result<CallCounts, Failure> {
    let sql = format!("SELECT {COUNTS} FROM call WHERE began >= ?1 AND began < ?2");
    Ok(db.prepare_cached(&sql)?.query_row(params![from, until, LONGEST_MS], |row| read_counts(row, 0))?)
}

fn read_counts(row: &Row<'_>, first: usize) -> Result<CallCounts, rusqlite::Error> {
    let number = |at: usize| Ok::<u64, rusqlite::Error>(positive(row.get(first + at)?));
    Ok(CallCounts {
        incoming: number(0)?,
        answered: number(1)?,
        missed: number(2)?,
        outgoing: number(3)?,
        talk_ms: number(4)?,
        hold_ms: number(5)?,
    })
}

const ANSWERED: &str =
    "FROM call WHERE began >= ?1 AND began < ?2 AND direction = 'incoming' AND answered_after IS NOT NULL";

fn answers(db: &Connection, (from, until): (i64, i64)) -> Result<AnswerTimes, Failure> {
    let sql = format!("SELECT count(*), count(*) FILTER (WHERE answered_after <= ?3) {ANSWERED}");
    let quick = i64::try_from(QUICK_MS).unwrap_or(i64::MAX);
    let (answered, quick): (i64, i64) = db
        .prepare_cached(&sql)?
        .query_row(params![from, until, quick], |row| Ok((row.get(0)?, row.get(1)?)))?;
    // The nearest rank: a wait that somebody had, not one between two.
    let sql = format!(
        "SELECT answered_after, place FROM (SELECT answered_after, row_number() OVER (ORDER BY answered_after) AS place \
         {ANSWERED}) WHERE place IN (?3, ?4, ?5)"
    );
    let place = |percent: i64| (answered * percent + 99) / 100;
    let mut waits = std::collections::BTreeMap::new();
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params![from, until, place(50), place(95), place(100)])?;
    while let Some(row) = rows.next()? {
        waits.insert(row.get::<_, i64>(1)?, positive(row.get(0)?));
    }
    let rank = |percent: i64| waits.get(&place(percent)).copied();
    Ok(AnswerTimes {
        answered: positive(answered),
        quick: positive(quick),
        median_ms: rank(50),
        p95_ms: rank(95),
        longest_ms: rank(100),
    })
}

/// Time talked and time on hold.
fn times(db: &Connection, (from, until): (i64, i64)) -> Result<(TimeFigures, TimeFigures), Failure> {
    let figures = |column: &str| {
        format!(
            "count(*) FILTER (WHERE {column} > 0), coalesce(sum(min({column}, ?3)), 0), coalesce(max({column}), 0)"
        )
    };
    let sql =
        format!("SELECT {}, {} FROM call WHERE began >= ?1 AND began < ?2", figures("talk"), figures("hold"));
    Ok(db.prepare_cached(&sql)?.query_row(params![from, until, LONGEST_MS], |row| {
        let read = |first: usize| {
            Ok::<_, rusqlite::Error>(TimeFigures {
                calls: positive(row.get(first)?),
                total_ms: positive(row.get(first + 1)?),
                longest_ms: positive(row.get(first + 2)?),
            })
        };
        Ok((read(0)?, read(3)?))
    })?)
}

fn lines(db: &Connection, (from, until): (i64, i64)) -> Result<Vec<LineCounts>, Failure> {
    // Beside max() SQLite takes the name from the row that has it.
    let sql = format!(
        "SELECT line_number, line_name, max(id), {COUNTS} FROM call WHERE began >= ?1 AND began < ?2 \
         GROUP BY line_number ORDER BY count(*) DESC, line_number LIMIT {MAX_LINES}"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![from, until, LONGEST_MS], |row| {
        Ok(LineCounts { number: row.get(0)?, name: row.get(1)?, counts: read_counts(row, 3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn outcomes(db: &Connection, (from, until): (i64, i64)) -> Result<Vec<OutcomeCount>, Failure> {
    let sql = "SELECT direction, outcome, count(*) FROM call WHERE began >= ?1 AND began < ?2 \
               GROUP BY direction, outcome ORDER BY direction, count(*) DESC, outcome";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![from, until])?;
    let mut told = Vec::new();
    while let Some(row) = rows.next()? {
        let (direction, end) = (direction(row.get(0)?)?, end(row.get(1)?)?);
        told.push(OutcomeCount { direction, end, calls: positive(row.get(2)?) });
    }
    Ok(told)
}

/// SQLite has no numbers without a sign; counts have none below zero.
fn positive(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A word for an outcome, as the log keeps it.
#[must_use]
pub fn outcome_word(end: EndStatus) -> &'static str {
    crate::calls::end_word(end)
}

/// A word for a direction, as the log keeps it.
#[must_use]
pub fn call_direction_word(direction: Direction) -> &'static str {
    direction_word(direction)
}
