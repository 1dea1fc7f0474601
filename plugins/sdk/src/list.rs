//! A directory that comes in one piece, handed over page by page: each page is asked of a fresh instance, so that the
//! list is read for each of them, and its version tells whether it still is the same one.

use crate::{Change, Contact, Error, Next, Page, Start};

/// The page of a list that a run asks for. `version` is what changes whenever the list does, such as an ETag, and the
/// token of the next run: nothing has changed, or all of it is read again. Without one each run is a full one, and a list
/// that changes while it is read may be copied in part as it was before.
///
/// # Errors
/// [`Error::ResyncRequired`] after a change: pages of two versions would be a directory that never was.
pub fn page_of(list: Vec<Contact>, version: Option<&str>, start: &Start, limit: u32) -> Result<Page, Error> {
    let offset = match start {
        Start::Full => 0,
        Start::Delta(token) if Some(token.as_str()) == version => {
            return Ok(Page { changes: Vec::new(), next: Next::Done(Some(token.clone())), total: Some(0) });
        }
        Start::Delta(_) => return Err(Error::ResyncRequired),
        Start::Resume(cursor) => {
            let (offset, of) = read_cursor(cursor).ok_or(Error::ResyncRequired)?;
            if of != version.unwrap_or_default() {
                return Err(Error::ResyncRequired);
            }
            offset
        }
    };
    let total = list.len();
    let changes: Vec<Change> =
        list.into_iter().skip(offset).take(limit.max(1) as usize).map(Change::Upsert).collect();
    let end = offset.saturating_add(changes.len());
    let next = match end < total {
        true => Next::More(format!("{end} {}", version.unwrap_or_default())),
        false => Next::Done(version.map(str::to_owned)),
    };
    Ok(Page { changes, next, total: Some(total as u64) })
}

/// "offset version"; the version may be empty and may have blanks in it.
fn read_cursor(cursor: &str) -> Option<(usize, &str)> {
    let (offset, version) = cursor.split_once(' ')?;
    Some((offset.parse().ok()?, version))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn people(count: usize) -> Vec<Contact> {
        let person = |n: usize| Contact {
            id: n.to_string(),
            display_name: format!("Person {n}"),
            organization: None,
            department: None,
            title: None,
            phones: Vec::new(),
            emails: Vec::new(),
            note: None,
            url: None,
            extra: Vec::new(),
        };
        (0..count).map(person).collect()
    }

    #[test]
    fn pages_of_any_size_are_the_list() {
        for (count, limit) in [(0, 5), (5, 5), (11, 5), (11, 1), (3, 200), (2, 0)] {
            let mut start = Start::Full;
            let mut found = Vec::new();
            let token = loop {
                let page = page_of(people(count), Some("W/\"a b\""), &start, limit).unwrap();
                assert_eq!(page.total, Some(count as u64));
                found.extend(page.changes.into_iter().map(|change| match change {
                    Change::Upsert(contact) => contact.id,
                    Change::Delete(id) => id,
                }));
                match page.next {
                    Next::More(cursor) => start = Start::Resume(cursor),
                    Next::Done(token) => break token,
                }
            };
            assert_eq!(token.as_deref(), Some("W/\"a b\""));
            assert_eq!(found, (0..count).map(|n| n.to_string()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn another_version_and_what_is_no_cursor_begin_again() {
        let at = |cursor: &str, version| page_of(people(9), version, &Start::Resume(cursor.to_owned()), 5);
        assert!(at("5 a", Some("a")).is_ok() && at("5 ", None).is_ok());
        for (cursor, version) in [("5 a", Some("b")), ("5 a", None), ("five a", Some("a")), ("", None)] {
            assert!(matches!(at(cursor, version), Err(Error::ResyncRequired)), "{cursor}");
        }
        assert!(at("18446744073709551615 a", Some("a")).unwrap().changes.is_empty());
        let delta = Start::Delta("a".to_owned());
        assert!(page_of(people(1), Some("a"), &delta, 5).unwrap().changes.is_empty());
        assert!(matches!(page_of(people(1), Some("b"), &delta, 5), Err(Error::ResyncRequired)));
        assert!(matches!(page_of(people(1), None, &delta, 5), Err(Error::ResyncRequired)));
    }
}
