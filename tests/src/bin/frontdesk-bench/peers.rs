//! What one would take off the shelf for the search: the full-text index of SQLite, and a fuzzy matcher.

use directory::{Contact, Field, fold};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32String};
use rusqlite::{Connection, params};

/// All that is searched of a contact, as one text.
fn text(contact: &Contact) -> String {
    Field::ALL.map(|field| contact.text(field)).join(" ")
}

/// FTS5 with the trigram tokenizer, in memory: finds any part of any word from three letters on.
pub(crate) struct Fts5 {
    db: Connection,
}

impl Fts5 {
    pub(crate) fn filled(people: &[Contact]) -> Self {
        let db = Connection::open_in_memory().expect("a database in memory");
        db.execute_batch("CREATE VIRTUAL TABLE contact USING fts5 (text, tokenize = 'trigram'); BEGIN")
            .expect("SQLite is built with FTS5");
        let mut insert = db.prepare("INSERT INTO contact (text) VALUES (?1)").expect("the table is there");
        for contact in people {
            insert.execute([fold(&text(contact))]).expect("memory takes it");
        }
        drop(insert);
        db.execute_batch("COMMIT").expect("memory takes it");
        Self { db }
    }

    /// The best of those that have every word.
    pub(crate) fn page(&self, typed: &str, rows: u32) -> usize {
        let folded = fold(typed);
        let (long, short): (Vec<&str>, Vec<&str>) =
            folded.split_whitespace().partition(|word| word.chars().count() >= 3);
        let mut conditions: Vec<String> =
            short.iter().map(|word| format!("text LIKE '%{}%'", word.replace('\'', "''"))).collect();
        let phrase: Vec<String> = long.iter().map(|word| format!("\"{}\"", word.replace('"', ""))).collect();
        let order = if long.is_empty() { "" } else { "ORDER BY rank" };
        if !long.is_empty() {
            conditions.push("contact MATCH ?1".to_owned());
        } else {
            conditions.push("?1 IS NOT NULL".to_owned());
        }
        let sql =
            format!("SELECT rowid FROM contact WHERE {} {order} LIMIT {rows}", conditions.join(" AND "));
        let mut statement = self.db.prepare_cached(&sql).expect("a good statement");
        let found = statement.query_map(params![phrase.join(" AND ")], |row| row.get::<_, i64>(0));
        found.expect("a good query").count()
    }
}

/// The matcher of the editor helix.
pub(crate) struct Nucleo {
    matcher: Matcher,
    texts: Vec<Utf32String>,
}

impl Nucleo {
    pub(crate) fn filled(people: &[Contact]) -> Self {
        let texts = people.iter().map(|contact| Utf32String::from(text(contact))).collect();
        Self { matcher: Matcher::new(Config::DEFAULT), texts }
    }

    /// The best of those that have every word, letters between its letters allowed.
    pub(crate) fn page(&mut self, typed: &str, rows: usize) -> usize {
        let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
        let mut found: Vec<(u32, usize)> = Vec::new();
        for (at, text) in self.texts.iter().enumerate() {
            if let Some(score) = pattern.score(text.slice(..), &mut self.matcher) {
                found.push((score, at));
            }
        }
        found.sort_unstable_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
        found.truncate(rows);
        found.len()
    }
}
