//! The call log (LOG-1, LOG-2) and the counter of missed calls.
//!
//! Not done here: statistics (`statistics`); deciding when a call is over.

use std::collections::BTreeSet;

use directory::fold;
use ipc::{
    CallSound, CallerHistory, ContactId, Direction, EndStatus, LogMark, LogOrder, LogPage, LogQuery, LogRow,
    LogSort, LogTransfer, MAX_LOG_SORTS, OutcomeCount, Party, PastCall, TransferEnd, TransferKind,
};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use crate::contacts::{clipped, contact_id, id_value};
use crate::documents::{load_document, save_document};
use crate::{Failure, Store, StoreError, marks};

/// Most rows in one page of the log.
pub const MAX_LOG_PAGE: u32 = 500;

/// Longest text kept of what came over the wire, in bytes.
const MAX_TEXT: usize = 512;

/// Most transfers kept of one call.
const MAX_TRANSFERS: usize = 100;

/// Most rules kept of one call.
const MAX_RULES: usize = 32;

/// Most words that count in a search.
const MAX_WORDS: usize = 16;

/// Calls that are looked at for the next one that would match, when a part of the log is empty.
const LOOKED_AT: u32 = 20_000;

/// Document with the last row that was there when the missed calls were cleared.
const CLEARED: &str = "missed_cleared";

const PARTY: &str = "number, name, company, title, contact, local";

/// The longest for which a desk that is used has no call, in milliseconds.
const YEAR_MS: i64 = 366 * 24 * 3600 * 1000;

/// How far back a caller's history goes, in milliseconds.
const HISTORY_MS: i64 = 30 * 24 * 3600 * 1000;

/// Calls of it that are told one by one.
const HISTORY_CALLS: u32 = 3;

/// As much of a contact's note as goes on a card, in bytes.
const HISTORY_NOTE: usize = 2048;

impl Store {
    /// Adds an ended call and returns its row id. It is on the disk when this returns. `row.id` does not
    /// count.
    ///
    /// # Errors
    /// The database's.
    pub fn append_call(&mut self, row: &LogRow) -> Result<i64, StoreError> {
        self.write("add to the call log", |db| append(db, row))
    }

    /// Says how a call in the log sounded: that is known a moment after its end. Saying it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NoSuchCall`], or the database's.
    pub fn set_call_sound(&mut self, id: i64, sound: &CallSound) -> Result<(), StoreError> {
        self.write("change the call log", |db| {
            let sql = "UPDATE call SET sound = ?2 WHERE id = ?1";
            match db.prepare_cached(sql)?.execute(params![id, sound_text(sound)])? {
                0 => Err(StoreError::NoSuchCall(id).into()),
                _ => Ok(()),
            }
        })
    }

    /// A part of the log. The search ignores case and accents; each word must stand in a name,
    /// number or line, of the call or of one of its transfers.
    ///
    /// # Errors
    /// The database's.
    pub fn log_page(&self, query: &LogQuery) -> Result<LogPage, StoreError> {
        self.read("read the call log", |db| {
            let (found, mut values) = filter(query);
            let kinds = kinds(query);
            let count = format!("SELECT count(*) FROM call WHERE {found}{kinds}");
            let total: u32 =
                db.prepare_cached(&count)?.query_row(params_from_iter(&values), |row| row.get(0))?;
            let mut page = LogPage { total, offset: query.offset, ..LogPage::default() };
            if query.counted {
                page.counts = log_counts(db, &found, &values)?;
            }
            if total == 0 && query.text.trim().is_empty() {
                page.earlier_unix_ms = neighbour(db, query.from_unix_ms, &kinds, false)?;
                page.later_unix_ms = neighbour(db, query.until_unix_ms, &kinds, true)?;
            }
            let sql = format!(
                "SELECT {PARTY}, id, direction, line_number, line_name, began, answered_after, talk, hold, outcome, \
                 rules, sound FROM call WHERE {found}{kinds} ORDER BY {} LIMIT ? OFFSET ?",
                order(&query.sort)
            );
            values.push(Value::Integer(query.limit.min(MAX_LOG_PAGE).into()));
            values.push(Value::Integer(query.offset.into()));
            let mut statement = db.prepare_cached(&sql)?;
            let mut found = statement.query(params_from_iter(values))?;
            while let Some(row) = found.next()? {
                page.rows.push(call(db, row)?);
            }
            Ok(page)
        })
    }

    /// What is known of a caller: calls both ways with this number, or with this contact under another one, in
    /// the last thirty days, and the contact's note. `now` is in Unix milliseconds.
    ///
    /// # Errors
    /// The database's.
    pub fn caller_history(
        &self,
        number: &str,
        contact: Option<ContactId>,
        now: i64,
    ) -> Result<CallerHistory, StoreError> {
        self.read("look back at a caller", |db| {
            let id = contact.map(id_value);
            let since = now.saturating_sub(HISTORY_MS);
            let filter = "(number = ?1 OR contact = ?2) AND began >= ?3";
            let count = format!("SELECT count(*) FROM call WHERE {filter}");
            let calls = db.prepare_cached(&count)?.query_row(params![number, id, since], |row| row.get(0))?;
            let sql = format!(
                "SELECT id, direction, began, outcome FROM call WHERE {filter} ORDER BY began DESC, id DESC LIMIT ?4"
            );
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query(params![number, id, since, HISTORY_CALLS])?;
            let mut last = Vec::new();
            while let Some(row) = rows.next()? {
                let taken = transfers(db, row.get(0)?)?.into_iter().rev();
                let taken = taken.filter(|transfer| transfer.end == TransferEnd::Answered).map(|found| found.to);
                last.push(PastCall {
                    direction: direction(row.get(1)?)?,
                    began_unix_ms: row.get(2)?,
                    end: end(row.get(3)?)?,
                    taken_by: taken.into_iter().next(),
                });
            }
            let note = "SELECT note FROM contact WHERE id = ?1 AND removal IS NULL";
            let note: Option<String> = db.prepare_cached(note)?.query_row([id], |row| row.get(0)).optional()?;
            let note = clipped(note.as_deref().unwrap_or_default(), HISTORY_NOTE).to_owned();
            Ok(CallerHistory { calls, last, note })
        })
    }

    /// Removes calls that began before `before_unix_ms`, the oldest first, `at_most` of them, with what is kept of their
    /// transfers and sound; how many. None where the newest call that is not later than `now_unix_ms` is more than a year
    /// older than what is asked for: then it is the clock that is wrong. A call that is later than now was logged by
    /// another wrong clock, and says nothing of this one.
    ///
    /// # Errors
    /// The database's.
    pub fn remove_calls_before(
        &mut self,
        before_unix_ms: i64,
        now_unix_ms: i64,
        at_most: u32,
    ) -> Result<u32, StoreError> {
        self.write("remove old calls from the log", |db| {
            let newest = "SELECT max(began) FROM call WHERE began <= ?1";
            let newest: Option<i64> = db.query_row(newest, [now_unix_ms], |row| row.get(0))?;
            if newest.is_none_or(|newest| newest < before_unix_ms.saturating_sub(YEAR_MS)) {
                return Ok(0);
            }
            let sql = "DELETE FROM call WHERE id IN (SELECT id FROM call WHERE began < ?1 ORDER BY began, id LIMIT ?2)";
            let removed = db.execute(sql, params![before_unix_ms, at_most])?;
            Ok(u32::try_from(removed).unwrap_or(u32::MAX))
        })
    }

    /// Missed calls added to the log since [`Store::clear_missed`].
    ///
    /// # Errors
    /// The database's.
    pub fn missed_count(&self) -> Result<u32, StoreError> {
        self.read("count missed calls", |db| {
            let cleared: i64 = load_document(db, CLEARED)?.unwrap_or(0);
            let sql = "SELECT count(*) FROM call WHERE outcome = 'missed' AND id > ?1";
            Ok(db.query_row(sql, [cleared], |row| row.get(0))?)
        })
    }

    /// Counts missed calls from here on. Goes by the order of the log, so a clock that is set back loses none.
    ///
    /// # Errors
    /// The database's.
    pub fn clear_missed(&mut self) -> Result<(), StoreError> {
        self.write("clear missed calls", |db| {
            let last: i64 = db.query_row("SELECT coalesce(max(id), 0) FROM call", [], |row| row.get(0))?;
            save_document(db, CLEARED, &last)
        })
    }
}

/// Adds an ended call; its row id.
pub(crate) fn append(db: &Connection, row: &LogRow) -> Result<i64, Failure> {
    let sql = format!(
        "INSERT INTO call ({PARTY}, direction, line_number, line_name, began, answered_after, talk, hold, \
         outcome, search, rules, sound) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    );
    let mut values = party_values(&row.party);
    values.extend([
        text_value(direction_word(row.direction)),
        text_value(&row.line_number),
        text_value(&row.line_name),
        Value::Integer(row.began_unix_ms),
        row.answered_after_ms.map_or(Value::Null, duration),
        duration(row.talk_ms),
        duration(row.hold_ms),
        text_value(end_word(row.end)),
        Value::Text(search_text(row, &row.transfers)),
        Value::Text(rules_text(&row.rules)),
        row.sound.as_ref().and_then(sound_text).map_or(Value::Null, Value::Text),
    ]);
    db.prepare_cached(&sql)?.execute(params_from_iter(values))?;
    let id = db.last_insert_rowid();
    insert_transfers(db, id, &row.transfers)?;
    Ok(id)
}

/// Teaches SQLite to sort names as people do: in any case and without accents.
pub(crate) fn add_fold(db: &Connection) -> Result<(), rusqlite::Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("fold", 1, flags, |context| {
        // What is no text is nobody's name.
        Ok(fold(context.get_raw(0).as_str().unwrap_or_default()))
    })
}

/// How the rows of a query are sorted. None of it comes from outside but which and which way.
fn order(sorts: &[LogSort]) -> String {
    let mut order = String::new();
    for sort in sorts.iter().take(MAX_LOG_SORTS) {
        let what = match sort.by {
            LogOrder::When => "began",
            LogOrder::Whom => "fold(coalesce(nullif(name, ''), number, ''))",
            LogOrder::Line => "fold(coalesce(nullif(line_name, ''), line_number))",
            LogOrder::Talk => "talk",
            LogOrder::Hold => "hold",
        };
        order.push_str(what);
        order.push_str(if sort.descending { " DESC, " } else { ", " });
    }
    order + "began DESC, id DESC"
}

/// Which directions and ends are wanted, for the end of a condition.
fn kinds(query: &LogQuery) -> String {
    let mut kinds = String::new();
    // The words are ours, and a hostile list of them no longer than there are.
    for (column, words) in [
        ("direction", query.directions.iter().map(|one| direction_word(*one)).collect::<BTreeSet<_>>()),
        ("outcome", query.ends.iter().map(|one| end_word(*one)).collect()),
    ] {
        if !words.is_empty() {
            let words: Vec<String> = words.into_iter().map(|word| format!("'{word}'")).collect();
            kinds.push_str(&format!(" AND {column} IN ({})", words.join(", ")));
        }
    }
    kinds
}

/// How many calls of each direction ended how.
fn log_counts(db: &Connection, filter: &str, values: &[Value]) -> Result<Vec<OutcomeCount>, Failure> {
    let sql = format!(
        "SELECT direction, outcome, count(*) FROM call WHERE {filter} GROUP BY direction, outcome \
         ORDER BY direction, outcome"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        let (direction, end) = (direction(row.get(0)?)?, end(row.get(1)?)?);
        counts.push(OutcomeCount { direction, end, calls: milliseconds(row.get(2)?) });
    }
    Ok(counts)
}

/// When the next call of these kinds began, after an edge or before it.
pub(crate) fn neighbour(
    db: &Connection,
    edge: i64,
    kinds: &str,
    after: bool,
) -> Result<Option<i64>, Failure> {
    let (way, order, nearest) = if after { (">=", "ASC", "min") } else { ("<", "DESC", "max") };
    let sql = if kinds.is_empty() {
        format!("SELECT {nearest}(began) FROM call WHERE began {way} ?1")
    } else {
        format!(
            "SELECT {nearest}(began) FROM (SELECT began, direction, outcome FROM call WHERE began {way} ?1 \
             ORDER BY began {order} LIMIT {LOOKED_AT}) WHERE 1{kinds}"
        )
    };
    Ok(db.prepare_cached(&sql)?.query_row([edge], |row| row.get(0))?)
}

/// The rows a query means, whatever their direction and end: a condition and its values.
fn filter(query: &LogQuery) -> (String, Vec<Value>) {
    let mut filter = String::from("began >= ? AND began < ?");
    let mut values = vec![Value::Integer(query.from_unix_ms), Value::Integer(query.until_unix_ms)];
    let text = fold(clipped(&query.text, 1024));
    let words: Vec<String> = match digits(&text) {
        Some(number) => vec![number],
        None => text.split_whitespace().take(MAX_WORDS).map(str::to_owned).collect(),
    };
    for word in words {
        filter.push_str(" AND instr(search, ?) > 0");
        values.push(Value::Text(word));
    }
    (filter, values)
}

/// The digits of a text that is a number, however it is written.
fn digits(text: &str) -> Option<String> {
    let number = text.bytes().all(|b| b.is_ascii_digit() || b" +()./-".contains(&b));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (number && !digits.is_empty()).then_some(digits)
}

fn search_text(row: &LogRow, transfers: &[LogTransfer]) -> String {
    let mut parts = vec![row.line_number.as_str(), &row.line_name];
    let mut numbers = Vec::new();
    for party in transfers.iter().take(MAX_TRANSFERS).map(|transfer| &transfer.to).chain([&row.party]) {
        let texts = [&party.name, &party.company, &party.title, &party.number];
        parts.extend(texts.into_iter().filter_map(Option::as_deref));
        numbers.extend(party.number.as_deref().and_then(digits));
    }
    parts.extend(numbers.iter().map(String::as_str));
    let clipped: Vec<&str> = parts.into_iter().map(|part| clipped(part, MAX_TEXT)).collect();
    fold(&clipped.join("\n"))
}

/// The names of the rules applied, as they are kept.
fn rules_text(rules: &[String]) -> String {
    let kept: Vec<&str> = rules.iter().take(MAX_RULES).map(|rule| clipped(rule, MAX_TEXT)).collect();
    serde_json::Value::from(kept).to_string()
}

fn rules(text: String) -> Result<Vec<String>, StoreError> {
    let unknown = |_| StoreError::Unknown { what: "the rules applied to a call", found: text.clone() };
    serde_json::from_str(&text).map_err(unknown)
}

/// How a call sounded, as it is kept.
fn sound_text(sound: &CallSound) -> Option<String> {
    // Plain numbers: cannot fail.
    serde_json::to_string(sound).ok()
}

/// What cannot be read, perhaps of another version, is not known.
fn sound(text: Option<String>) -> Option<CallSound> {
    text.and_then(|text| serde_json::from_str(&text).ok())
}

fn insert_transfers(db: &Connection, call: i64, transfers: &[LogTransfer]) -> Result<(), Failure> {
    let sql = format!(
        "INSERT INTO transfer ({PARTY}, call, position, kind, outcome, code, took) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    );
    let mut statement = db.prepare_cached(&sql)?;
    for (position, transfer) in (0_i64..).zip(transfers.iter().take(MAX_TRANSFERS)) {
        let (outcome, code) = transfer_words(&transfer.end);
        let mut values = party_values(&transfer.to);
        values.extend([
            Value::Integer(call),
            Value::Integer(position),
            text_value(kind_word(transfer.kind)),
            text_value(outcome),
            code.map_or(Value::Null, |code| Value::Integer(code.into())),
            duration(transfer.took_ms),
        ]);
        statement.execute(params_from_iter(values))?;
    }
    Ok(())
}

pub(crate) fn read_call(db: &Connection, id: i64) -> Result<Option<LogRow>, Failure> {
    let sql = format!(
        "SELECT {PARTY}, id, direction, line_number, line_name, began, answered_after, talk, hold, outcome, rules, \
         sound FROM call WHERE id = ?1"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(|row| call(db, row)).transpose()
}

fn call(db: &Connection, row: &Row<'_>) -> Result<LogRow, Failure> {
    let id = row.get(6)?;
    Ok(LogRow {
        id,
        direction: direction(row.get(7)?)?,
        party: party(row)?,
        line_number: row.get(8)?,
        line_name: row.get(9)?,
        began_unix_ms: row.get(10)?,
        answered_after_ms: row.get::<_, Option<i64>>(11)?.map(milliseconds),
        talk_ms: milliseconds(row.get(12)?),
        hold_ms: milliseconds(row.get(13)?),
        end: end(row.get(14)?)?,
        transfers: transfers(db, id)?,
        rules: rules(row.get(15)?)?,
        customer: None,
        call: None,
        sound: sound(row.get(16)?),
        mark: if marks::is_marked(db, id)? { LogMark::Marked } else { LogMark::None },
    })
}

fn transfers(db: &Connection, call: i64) -> Result<Vec<LogTransfer>, Failure> {
    let sql =
        format!("SELECT {PARTY}, kind, outcome, code, took FROM transfer WHERE call = ?1 ORDER BY position");
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([call])?;
    let mut transfers = Vec::new();
    while let Some(row) = rows.next()? {
        transfers.push(LogTransfer {
            to: party(row)?,
            kind: kind(row.get(6)?)?,
            end: transfer_end(row.get(7)?, row.get(8)?)?,
            took_ms: milliseconds(row.get(9)?),
        });
    }
    Ok(transfers)
}

/// In the order of [`PARTY`].
fn party_values(party: &Party) -> Vec<Value> {
    let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, text_value);
    vec![
        text(&party.number),
        text(&party.name),
        text(&party.company),
        text(&party.title),
        party.contact.map_or(Value::Null, |id| Value::Integer(id_value(id))),
        Value::Integer(party.local.into()),
    ]
}

fn party(row: &Row<'_>) -> Result<Party, Failure> {
    Ok(Party {
        number: row.get(0)?,
        name: row.get(1)?,
        company: row.get(2)?,
        title: row.get(3)?,
        contact: row.get::<_, Option<i64>>(4)?.map(contact_id),
        local: row.get(5)?,
        matched: None,
    })
}

fn text_value(text: &str) -> Value {
    Value::Text(clipped(text, MAX_TEXT).to_owned())
}

/// SQLite counts to 2^63; a call that long is none.
fn duration(ms: u64) -> Value {
    Value::Integer(i64::try_from(ms).unwrap_or(i64::MAX))
}

fn milliseconds(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(crate) fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Incoming => "incoming",
        Direction::Outgoing => "outgoing",
    }
}

pub(crate) fn direction(word: String) -> Result<Direction, StoreError> {
    let all = [Direction::Incoming, Direction::Outgoing];
    find(all, direction_word, "the direction of a call", word)
}

pub(crate) fn end_word(end: EndStatus) -> &'static str {
    match end {
        EndStatus::Completed => "completed",
        EndStatus::Missed => "missed",
        EndStatus::Elsewhere => "elsewhere",
        EndStatus::Rejected => "rejected",
        EndStatus::Refused => "refused",
        EndStatus::NotAnswered => "not_answered",
        EndStatus::Transferred => "transferred",
        EndStatus::Forwarded => "forwarded",
        EndStatus::Voicemail => "voicemail",
        EndStatus::Failed => "failed",
    }
}

pub(crate) fn end(word: String) -> Result<EndStatus, StoreError> {
    let all = [
        EndStatus::Completed,
        EndStatus::Missed,
        EndStatus::Elsewhere,
        EndStatus::Rejected,
        EndStatus::Refused,
        EndStatus::NotAnswered,
        EndStatus::Transferred,
        EndStatus::Forwarded,
        EndStatus::Voicemail,
        EndStatus::Failed,
    ];
    find(all, end_word, "the end of a call", word)
}

fn kind_word(kind: TransferKind) -> &'static str {
    match kind {
        TransferKind::Blind => "blind",
        TransferKind::Attended => "attended",
        TransferKind::SemiAttended => "semi_attended",
        TransferKind::Voicemail => "voicemail",
        TransferKind::Park => "park",
        TransferKind::Forward => "forward",
        TransferKind::Rule => "rule",
    }
}

fn kind(word: String) -> Result<TransferKind, StoreError> {
    let all = [
        TransferKind::Blind,
        TransferKind::Attended,
        TransferKind::SemiAttended,
        TransferKind::Voicemail,
        TransferKind::Park,
        TransferKind::Forward,
        TransferKind::Rule,
    ];
    find(all, kind_word, "the kind of a transfer", word)
}

fn transfer_words(end: &TransferEnd) -> (&'static str, Option<u16>) {
    match end {
        TransferEnd::Answered => ("answered", None),
        TransferEnd::HandedOver => ("handed_over", None),
        TransferEnd::Refused { code } => ("refused", Some(*code)),
        TransferEnd::TimedOut => ("timed_out", None),
        TransferEnd::TakenBack => ("taken_back", None),
        TransferEnd::Undone => ("undone", None),
        TransferEnd::Abandoned => ("abandoned", None),
    }
}

fn transfer_end(word: String, code: Option<u16>) -> Result<TransferEnd, StoreError> {
    let all = [
        TransferEnd::Answered,
        TransferEnd::HandedOver,
        TransferEnd::Refused { code: code.unwrap_or(0) },
        TransferEnd::TimedOut,
        TransferEnd::TakenBack,
        TransferEnd::Undone,
        TransferEnd::Abandoned,
    ];
    let found = all.into_iter().find(|end| transfer_words(end).0 == word);
    found.ok_or(StoreError::Unknown { what: "the end of a transfer", found: word })
}

fn find<T: Copy, const N: usize>(
    all: [T; N],
    word_of: fn(T) -> &'static str,
    what: &'static str,
    word: String,
) -> Result<T, StoreError> {
    let found = all.into_iter().find(|value| word_of(*value) == word);
    found.ok_or(StoreError::Unknown { what, found: word })
}
