//! People of the address books of a CardDAV server (RFC 6352), page by page; afterwards what the server says has
//! changed since (RFC 6578), or all of it again where a book has another tag and the server can say no more. Not
//! here: finding the books, which is `discovery`, the questions, which are `server`, what a card means, which is
//! `person`, where a run stands, which is `place`, and anything a host does: addresses, TLS, passwords.

mod card;
mod discovery;
mod multistatus;
mod person;
mod place;
mod server;

use frontdesk_connector::{
    Change, DirectorySync, Error, Lifecycle, Next, Page, Start, connector, context, log, misconfigured,
    settings_as,
};
use serde::Deserialize;

use person::Read;
use place::{Cursor, List};
use server::Server;

/// Cards asked for in one question; each may have a picture in it.
const BATCH: u32 = 200;
/// Time that `check` keeps to answer, in milliseconds.
const KEPT: u64 = 900;
/// The longest path that can be an id.
const LONGEST_ID: usize = 512;

#[derive(Deserialize)]
struct Settings {
    address: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    books: String,
}

impl Settings {
    fn server(&self) -> Server {
        Server { signs_in: !self.user.trim().is_empty() }
    }
}

struct CardDav;

connector!(CardDav: lifecycle, directory_sync);

impl Lifecycle for CardDav {
    fn check() -> Result<String, Error> {
        let settings: Settings = settings_as()?;
        let server = settings.server();
        let books =
            discovery::books(server, &settings.address, &settings.books, false).map_err(at_the_form)?;
        let count = books.len();
        let mut words = Vec::new();
        let mut is_counted = true;
        for book in books {
            let cards = match book.syncs {
                // Many books, or a slow server: their names will do.
                _ if !is_counted || context::remaining_ms() < KEPT => Err(Error::Unavailable(String::new())),
                true => server.changes(&book.url, None, BATCH as usize, &mut false),
                false => server.members(&book.url),
            };
            is_counted = cards.is_ok();
            words.push(match cards {
                Ok(cards) => {
                    let more = if cards.is_cut { "more than " } else { "" };
                    format!("{} ({more}{} cards)", book.name, cards.entries.len())
                }
                Err(Error::Unavailable(_)) => book.name,
                Err(error) => return Err(error),
            });
        }
        let what = if count == 1 { "address book" } else { "address books" };
        Ok(format!("{count} {what}: {}", words.join(", ")))
    }
}

impl DirectorySync for CardDav {
    fn fetch(start: Start, limit: u32) -> Result<Page, Error> {
        let settings: Settings = settings_as()?;
        let server = settings.server();
        let find = || discovery::books(server, &settings.address, &settings.books, true);
        let cursor = match start {
            Start::Full => Cursor::full(find()?),
            Start::Delta(token) => Cursor::changed(find()?, &token).ok_or(Error::ResyncRequired)?,
            Start::Resume(cursor) => Cursor::read(&cursor).ok_or(Error::ResyncRequired)?,
        };
        turn_page(server, cursor, limit.clamp(1, BATCH) as usize)
    }
}

fn turn_page(server: Server, mut cursor: Cursor, limit: usize) -> Result<Page, Error> {
    let mut changes = Vec::new();
    let mut total = None;
    // Books in which nothing has changed, or nothing is, are passed by.
    while changes.is_empty() && cursor.book().is_some() {
        total = part(server, &mut cursor, limit, &mut changes)?;
    }
    let next = match cursor.book() {
        Some(_) => {
            let words = "the address books have names that are too long: choose some of them";
            Next::More(cursor.write().ok_or_else(|| misconfigured(Some("books"), words))?)
        }
        None => {
            List::forget();
            Next::Done(cursor.token())
        }
    };
    Ok(Page { changes, next, total })
}

/// The next part of the book whose turn it is, and a guess of the whole.
fn part(
    server: Server,
    cursor: &mut Cursor,
    limit: usize,
    changes: &mut Vec<Change>,
) -> Result<Option<u64>, Error> {
    let (at, full) = (cursor.at, cursor.full);
    let Some(book) = cursor.books.get_mut(at) else { return Ok(None) };
    let after = cursor.after.as_deref();
    let mut list = match List::kept(book, after).filter(|_| after.is_some()) {
        Some(list) => list,
        None => {
            let listing = match book.syncs {
                true => server.changes(&book.url, book.since.as_deref(), limit, &mut cursor.in_parts)?,
                false => server.members(&book.url)?,
            };
            // Of an answer that was cut off nobody knows whether it is the same cut again.
            let after = after.filter(|_| !listing.is_cut);
            // What changes while the run is under way is changed after the first answer, and comes next time.
            if after.is_none() && book.syncs {
                book.token = listing.token;
            }
            let mut entries = listing.entries;
            entries.retain(|(path, _)| after.is_none_or(|after| path.as_str() > after));
            List { entries, is_part: false, is_cut: listing.is_cut }
        }
    };
    let rest = list.entries.split_off(list.entries.len().min(limit));
    let taken = std::mem::replace(&mut list.entries, rest);
    read_cards(server, &book.url, &taken, full, changes)?;
    cursor.seen += taken.len() as u64;
    let total = (!list.is_cut && !list.is_part).then_some(cursor.seen + list.entries.len() as u64);
    if !list.entries.is_empty() || list.is_part {
        cursor.after = taken.last().map(|(path, _)| path.clone());
        list.keep(book);
    } else if list.is_cut {
        if book.since == book.token {
            return Err(Error::Protocol("changes that never end".to_owned()));
        }
        book.since = book.token.take();
        cursor.after = None;
    } else {
        cursor.at += 1;
        cursor.after = None;
    }
    Ok(total)
}

fn read_cards(
    server: Server,
    book: &str,
    taken: &[(String, bool)],
    full: bool,
    changes: &mut Vec<Change>,
) -> Result<(), Error> {
    let there = taken.iter().filter(|(path, gone)| !gone && path.len() <= LONGEST_ID);
    let there: Vec<String> = there.map(|(path, _)| path.clone()).collect();
    let gone = taken.iter().filter(|(_, gone)| *gone).map(|(path, _)| path.clone());
    let mut deleted: Vec<String> = gone.collect();
    let (mut broken, mut no_number) = (taken.len() - there.len() - deleted.len(), 0);
    let cards = if there.is_empty() { Vec::new() } else { server.cards(book, &there)? };
    for (path, item) in cards {
        match item.map(|item| (item.status, item.card)) {
            Some((_, Some(card))) => match person::read(&path, &card) {
                Read::Person(contact) => {
                    changes.push(Change::Upsert(*contact));
                    continue;
                }
                Read::NoNumber => no_number += 1,
                Read::Broken => broken += 1,
            },
            // Gone since the list was made.
            Some((404 | 410, None)) => {}
            _ => broken += 1,
        }
        deleted.push(path);
    }
    if broken + no_number > 0 {
        let words = format!("left out: {no_number} cards without a number, {broken} that cannot be read");
        log::write(log::Level::Info, &words);
    }
    // In a full run who is not named goes anyway; but pages without any change look like a run without an end.
    if !full || changes.is_empty() {
        changes.extend(deleted.into_iter().filter(|path| path.len() <= LONGEST_ID).map(Change::Delete));
    }
    Ok(())
}

/// While somebody fills in the form, an address where nothing is, is a mistake in it.
fn at_the_form(error: Error) -> Error {
    match error {
        Error::Gone(words) | Error::Unsupported(words) => misconfigured(Some("address"), &words),
        other => other,
    }
}
