//! Statistics of the call log (STA-1), counted by SQLite: nobody reads the rows one by one.
//!
//! Not done here: calendars. Whoever asks says where the hours and days of the clock on the wall begin, so that a
//! day has 23 or 25 hours where it has.

use ipc::{
    ANSWER_BINS_MS, AnswerTimes, CallCounts, CallStatistics, Direction, EndStatus, LineCounts, MAX_CALL_DAYS,
    MAX_SLOTS, OutcomeCount, QUICK_MS, SlotCounts, Statistics, StatisticsQuery, TimeFigures,
};
use rusqlite::{Connection, Row, params, params_from_iter};

use crate::calls::{direction, direction_word, end, neighbour};
use crate::{Failure, Store, StoreError};

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
        self.read("count the calls", |db| tell(db, slots))
    }

    /// The same as a client asks for it, with what it is compared with and where the next calls are. `None` when its
    /// edges make no sense.
    ///
    /// # Errors
    /// The database's.
    pub fn asked_statistics(&self, query: &StatisticsQuery) -> Result<Option<Statistics>, StoreError> {
        let Some(slots) = Slots::new(query.edges_unix_ms.clone()) else { return Ok(None) };
        let before = match query.before_unix_ms.map(|(from, until)| Slots::new(vec![from, until])) {
            Some(None) => return Ok(None),
            Some(before) => before,
            None => None,
        };
        self.read("count the calls", |db| {
            let (from, until) = slots.span();
            Ok(Some(Statistics {
                told: tell(db, &slots)?,
                before: before.as_ref().map(|before| tell(db, before)).transpose()?,
                earlier_unix_ms: neighbour(db, from, "", false)?,
                later_unix_ms: neighbour(db, until, "", true)?,
            }))
        })
    }

    /// Whether each of the days between neighbouring edges has calls; `None` when the edges make no sense, or are more
    /// than [`MAX_CALL_DAYS`] days.
    ///
    /// # Errors
    /// The database's.
    pub fn call_days(&self, edges: Vec<i64>) -> Result<Option<Vec<bool>>, StoreError> {
        let Some(days) = Slots::new(edges).filter(|days| days.edges.len() <= MAX_CALL_DAYS + 1) else {
            return Ok(None);
        };
        self.read("look for days with calls", |db| {
            let sql = "SELECT EXISTS (SELECT 1 FROM call WHERE began >= ?1 AND began < ?2)";
            let mut statement = db.prepare_cached(sql)?;
            let has = |day: &[i64]| statement.query_row([day[0], day[1]], |row| row.get(0));
            Ok(Some(days.edges.windows(2).map(has).collect::<Result<_, _>>()?))
        })
    }
}

fn tell(db: &Connection, slots: &Slots) -> Result<CallStatistics, Failure> {
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
    let within: String = (4..)
        .zip(ANSWER_BINS_MS)
        .map(|(place, _)| format!(", count(*) FILTER (WHERE answered_after <= ?{place})"))
        .collect();
    let sql = format!(
        "SELECT count(*), count(*) FILTER (WHERE answered_after <= ?3), sum(min(answered_after, {LONGEST_MS})){within} \
         {ANSWERED}"
    );
    let limits = [QUICK_MS].into_iter().chain(ANSWER_BINS_MS).map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
    let edges: Vec<i64> = [from, until].into_iter().chain(limits).collect();
    let (answered, quick, sum, within) =
        db.prepare_cached(&sql)?.query_row(params_from_iter(edges), |row| {
            let within =
                (0..ANSWER_BINS_MS.len()).map(|bin| row.get(3 + bin)).collect::<Result<Vec<i64>, _>>()?;
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(2)?, within))
        })?;
    let mut bins = [0; ANSWER_BINS_MS.len() + 1];
    let mut below = 0;
    for (bin, upto) in bins.iter_mut().zip(within.into_iter().chain([answered])) {
        *bin = positive(upto - below);
        below = upto;
    }
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
        mean_ms: sum.and_then(|sum| sum.checked_div(answered)).map(positive),
        median_ms: rank(50),
        p95_ms: rank(95),
        longest_ms: rank(100),
        bins,
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
