//! Where a run stands: the cursor between two of its pages, the token between two runs, and the list of cards still
//! to be read, which the host keeps so that the server is not asked for it at each page.

use frontdesk_connector::{serde_json, state};
use serde::{Deserialize, Serialize};

use crate::discovery::Found;

/// Key of the list in what the host keeps.
const LIST: &str = "list";
/// Bytes of the list that are kept; the rest is asked for again. The host keeps 256 KiB.
const KEPT: usize = 200 << 10;
/// The longest cursor or token, in bytes.
pub(crate) const LONGEST: usize = 4096;

/// An address book in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Book {
    /// Where it is.
    #[serde(rename = "u")]
    pub(crate) url: String,
    /// It can say what has changed.
    #[serde(rename = "s")]
    pub(crate) syncs: bool,
    /// What has changed after this is asked for; none: everything.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<String>,
    /// Known up to here after the run.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
}

/// Between two pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// All books of the run.
    pub(crate) books: Vec<Book>,
    /// The one whose turn it is.
    pub(crate) at: usize,
    /// The path that was read last in it.
    pub(crate) after: Option<String>,
    /// Changes so far.
    pub(crate) seen: u64,
    /// Everything is read, not only what has changed.
    pub(crate) full: bool,
    /// The server has more in a book than one answer holds.
    #[serde(default)]
    pub(crate) in_parts: bool,
}

impl Cursor {
    /// Everything in these books.
    pub(crate) fn full(found: Vec<Found>) -> Self {
        let book = |book: Found| {
            // Of a book that cannot sync, what is read later than its tag was is read again next time.
            Book { url: book.url, syncs: book.syncs, since: None, token: book.token }
        };
        Self {
            books: found.into_iter().map(book).collect(),
            at: 0,
            after: None,
            seen: 0,
            full: true,
            in_parts: false,
        }
    }

    /// What has changed in these books since the token; none where only a full run can tell.
    pub(crate) fn changed(found: Vec<Found>, token: &str) -> Option<Self> {
        let known: Vec<(String, String)> = serde_json::from_str(token).ok()?;
        if !found.iter().map(|book| &book.url).eq(known.iter().map(|(url, _)| url)) {
            return None;
        }
        let mut books = Vec::new();
        for (book, (_, since)) in found.into_iter().zip(known) {
            if !book.syncs && book.token.as_ref() != Some(&since) {
                return None;
            }
            books.push(Book { url: book.url, syncs: book.syncs, since: Some(since), token: book.token });
        }
        Some(Self { books, at: 0, after: None, seen: 0, full: false, in_parts: false })
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// None if it is longer than the host takes.
    pub(crate) fn write(&self) -> Option<String> {
        serde_json::to_string(self).ok().filter(|text| text.len() <= LONGEST)
    }

    /// For the next run; none if it has to be a full one.
    pub(crate) fn token(&self) -> Option<String> {
        let known: Option<Vec<(&str, &str)>> =
            self.books.iter().map(|book| Some((book.url.as_str(), book.token.as_deref()?))).collect();
        serde_json::to_string(&known?).ok().filter(|text| text.len() <= LONGEST)
    }

    /// The book whose turn it is: the next one in which there is something to read.
    pub(crate) fn book(&mut self) -> Option<&Book> {
        while let Some(book) = self.books.get(self.at) {
            if book.since.is_none() || book.since != book.token {
                break;
            }
            self.at += 1;
            self.after = None;
        }
        self.books.get(self.at)
    }
}

/// Cards still to be read in one book, as far as they are kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct List {
    /// Path, and whether it is gone; sorted.
    pub(crate) entries: Vec<(String, bool)>,
    /// There are more, which have to be asked for.
    pub(crate) is_part: bool,
    /// The server itself has more, after the token of the book.
    pub(crate) is_cut: bool,
}

impl List {
    /// The list that the host has kept for this book, beginning behind what was read.
    pub(crate) fn kept(book: &Book, after: Option<&str>) -> Option<Self> {
        let mut list = Self::parse(&String::from_utf8(state::get(LIST)?).ok()?, book)?;
        list.entries.retain(|(path, _)| after.is_none_or(|after| path.as_str() > after));
        (!list.entries.is_empty()).then_some(list)
    }

    /// Keeps it for the next page. Where the host has no room, the next page asks the server again.
    pub(crate) fn keep(&self, book: &Book) {
        if state::set(LIST, self.print(book).as_bytes()).is_err() {
            state::delete(LIST);
        }
    }

    /// Forgets it: the run is over.
    pub(crate) fn forget() {
        state::delete(LIST);
    }

    fn head(book: &Book, flags: (bool, bool)) -> String {
        let of = |token: &Option<String>| token.clone().unwrap_or_default().replace(['\n', '\t'], " ");
        let (part, cut) = flags;
        format!("{}\t{}\t{}\t{part}\t{cut}", book.url, of(&book.since), of(&book.token))
    }

    fn print(&self, book: &Book) -> String {
        let mut text = String::new();
        let mut is_part = self.is_part;
        for (path, gone) in &self.entries {
            if text.len() + path.len() > KEPT {
                is_part = true;
                break;
            }
            text.push_str(if *gone { "\n-" } else { "\n+" });
            text.push_str(path);
        }
        Self::head(book, (is_part, self.is_cut)) + &text
    }

    fn parse(text: &str, book: &Book) -> Option<Self> {
        let (head, lines) = text.split_once('\n').unwrap_or((text, ""));
        let all = [(false, false), (false, true), (true, false), (true, true)];
        let (is_part, is_cut) = all.into_iter().find(|flags| Self::head(book, *flags) == head)?;
        let entry = |line: &str| Some((line.get(1..)?.to_owned(), line.starts_with('-')));
        Some(Self { entries: lines.lines().filter_map(entry).collect(), is_part, is_cut })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn found(url: &str, syncs: bool, token: Option<&str>) -> Found {
        Found { url: url.to_owned(), name: String::new(), syncs, token: token.map(str::to_owned) }
    }

    #[test]
    fn the_token_of_a_run_begins_the_next_one_where_nothing_else_has_changed() {
        let books = || vec![found("http://h/a/", true, Some("a1")), found("http://h/b/", false, Some("b1"))];
        let full = Cursor::full(books());
        assert_eq!(Cursor::read(&full.write().unwrap()), Some(full.clone()));
        let token = full.token().unwrap();
        // Nothing new: no book is read.
        let mut same = Cursor::changed(books(), &token).unwrap();
        assert_eq!(same.book(), None);
        assert_eq!(same.token(), Some(token.clone()));
        let mut changed = books();
        changed[0].token = Some("a2".to_owned());
        let mut some = Cursor::changed(changed, &token).unwrap();
        assert_eq!(some.book().unwrap().since.as_deref(), Some("a1"));
        // A book more or less, or one that cannot say what is new.
        assert_eq!(Cursor::changed(books()[..1].to_vec(), &token), None);
        let mut other = books();
        other[1].token = Some("b2".to_owned());
        assert_eq!(Cursor::changed(other, &token), None);
        assert_eq!(Cursor::changed(books(), "rubbish"), None);
        assert_eq!(Cursor::full(vec![found("http://h/a/", false, None)]).token(), None);
        assert_eq!(Cursor::read(""), None);
    }

    #[test]
    fn a_list_is_kept_for_its_book_and_as_far_as_there_is_room() {
        let book =
            Book { url: "http://h/a/".to_owned(), syncs: true, since: None, token: Some("t".to_owned()) };
        let entries = vec![("/a/1.vcf".to_owned(), false), ("/a/2.vcf".to_owned(), true)];
        let list = List { entries, is_part: false, is_cut: true };
        assert_eq!(List::parse(&list.print(&book), &book), Some(list));
        let other = Book { token: None, ..book.clone() };
        assert_eq!(List::parse(&List::default().print(&book), &other), None);
        let many = (0..10_000).map(|n| (format!("/a/{n:036}.vcf"), false)).collect();
        let kept = List::parse(&List { entries: many, ..List::default() }.print(&book), &book).unwrap();
        assert!(kept.is_part && (4000..5000).contains(&kept.entries.len()), "{}", kept.entries.len());
    }
}
