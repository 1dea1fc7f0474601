//! Finds the address books behind an address (RFC 6352 section 7.1, RFC 6764 section 6): the address may be that of
//! a book, of a home of books, of a user, or only of the server.

use frontdesk_connector::{Error, misconfigured};

use crate::multistatus::Item;
use crate::server::{Answer, Server, join, path_of};

/// More address books than anybody has: what is known of each has to go into a change token.
const MOST: usize = 16;
const WELL_KNOWN: &str = "/.well-known/carddav";

/// An address book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where it is.
    pub(crate) url: String,
    /// What people call it.
    pub(crate) name: String,
    /// It can say what has changed.
    pub(crate) syncs: bool,
    /// Its state, of whichever kind it has.
    pub(crate) token: Option<String>,
}

/// The address books that are wanted, in the order of their addresses; `wanted` has a name a line, or nothing. Their
/// states, which cost a server work, are asked for or not.
pub(crate) fn books(server: Server, address: &str, wanted: &str, states: bool) -> Result<Vec<Found>, Error> {
    let looked = Look { server, states };
    let is_root = path_of(address) == "/";
    let well_known = || looked.at(&join(address, WELL_KNOWN));
    let mut found = match looked.at(address) {
        // Nothing useful there: the server may say where to look.
        Ok(found) if found.is_empty() => well_known().unwrap_or_default(),
        // But an address of something that does not exist is a mistake, and not an address of everything.
        Err(error @ Error::Gone(_)) if !is_root => return Err(error),
        Err(error @ (Error::Gone(_) | Error::Unsupported(_) | Error::Protocol(_))) => {
            well_known().ok().filter(|found| !found.is_empty()).ok_or(error)?
        }
        other => other?,
    };
    if found.is_empty() {
        return Err(misconfigured(Some("address"), "no address book there"));
    }
    found.sort_by(|one, other| one.url.cmp(&other.url));
    chosen(found, wanted)
}

#[derive(Clone, Copy)]
struct Look {
    server: Server,
    states: bool,
}

impl Look {
    fn at(self, url: &str) -> Result<Vec<Found>, Error> {
        let answer = self.server.properties(url, 0, self.states)?;
        let Some(item) = answer.says.items.first() else { return Ok(Vec::new()) };
        if item.is_book {
            return Ok(book(&answer, item).into_iter().collect());
        }
        if let Some(home) = &item.home {
            return self.below(&join(&answer.url, home));
        }
        if let Some(principal) = &item.principal {
            let answer = self.server.properties(&join(&answer.url, principal), 0, false)?;
            let home = answer.says.items.first().and_then(|item| item.home.as_ref());
            if let Some(home) = home {
                return self.below(&join(&answer.url, home));
            }
        }
        if item.is_collection { self.below(url) } else { Ok(Vec::new()) }
    }

    fn below(self, home: &str) -> Result<Vec<Found>, Error> {
        let answer = self.server.properties(home, 1, self.states)?;
        let books = answer.says.items.iter().filter(|item| item.is_book);
        Ok(books.filter_map(|item| book(&answer, item)).collect())
    }
}

fn book(answer: &Answer, item: &Item) -> Option<Found> {
    let url = join(&answer.url, &item.href);
    let token = if item.syncs { item.token.clone() } else { item.ctag.clone() };
    let name = if item.name.is_empty() { last_part(&url).to_owned() } else { item.name.clone() };
    (!item.href.is_empty()).then_some(Found { url, name, syncs: item.syncs, token })
}

fn chosen(found: Vec<Found>, wanted: &str) -> Result<Vec<Found>, Error> {
    let lines: Vec<String> =
        wanted.lines().map(|line| line.trim().to_lowercase()).filter(|line| !line.is_empty()).collect();
    let is = |book: &Found, line: &String| {
        book.name.to_lowercase() == *line || last_part(&book.url).to_lowercase() == *line
    };
    if let Some(line) = lines.iter().find(|line| !found.iter().any(|book| is(book, line))) {
        let names: Vec<&str> = found.iter().map(|book| book.name.as_str()).collect();
        let words = format!("no address book {line}; there are: {}", names.join(", "));
        return Err(misconfigured(Some("books"), &words));
    }
    let books: Vec<Found> = found
        .into_iter()
        .filter(|book| lines.is_empty() || lines.iter().any(|line| is(book, line)))
        .collect();
    if books.len() > MOST {
        let words = format!("{} address books: choose at most {MOST} of them", books.len());
        return Err(misconfigured(Some("books"), &words));
    }
    Ok(books)
}

fn last_part(url: &str) -> &str {
    path_of(url).trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn found(url: &str, name: &str) -> Found {
        Found { url: url.to_owned(), name: name.to_owned(), syncs: true, token: None }
    }

    #[test]
    fn address_books_are_chosen_by_name_or_by_address() {
        let all = || vec![found("https://h/u/1/", "Sales"), found("https://h/u/house/", "The house")];
        let names = |wanted: &str| {
            chosen(all(), wanted).map(|books| books.into_iter().map(|book| book.name).collect::<Vec<_>>())
        };
        assert_eq!(names(" \n").unwrap(), ["Sales", "The house"]);
        assert_eq!(names("sales\n").unwrap(), ["Sales"]);
        assert_eq!(names("HOUSE\nSales").unwrap(), ["Sales", "The house"]);
        let Err(Error::Misconfigured(wrong)) = names("sales\nmarketing") else { panic!() };
        assert_eq!(wrong.field.as_deref(), Some("books"));
        assert!(wrong.message.contains("marketing") && wrong.message.contains("Sales, The house"));
    }

    #[test]
    fn more_books_than_a_token_can_tell_of_are_refused() {
        let many = (0..=MOST).map(|n| found(&format!("https://h/{n}/"), "x")).collect();
        assert!(matches!(chosen(many, ""), Err(Error::Misconfigured(_))));
    }
}
