//! People of an LDAP directory (RFC 4511), page by page; afterwards what has changed by its time stamp, and all
//! of it again once a day, because a directory does not say who is gone. It can also be asked who has a number, and whom
//! words mean; a directory that is too large is only asked, and nobody of it copied. Not here: what an entry means, which
//! is `person`, where a run stands, which is `place`, and anything a host does: addresses, TLS, passwords, paging.

mod person;
mod place;

use std::time::{SystemTime, UNIX_EPOCH};

use frontdesk_connector::ldap::{Cut, Entry, Page as Found, Request, Scope, search};
use frontdesk_connector::{
    Change, Contact, DirectoryLookup, DirectorySearch, DirectorySync, Error, Lifecycle, Next, Page, Start,
    connector, context, ldap, log, misconfigured, settings_as,
};
use serde::Deserialize;

use person::{Map, has_one_of, id};
use place::{Cursor, Phase, Stamp, Token};

/// A full run at least so often, in seconds: less than a day, so that it falls into a daily one.
const FULL_RUN: u64 = 20 * 3600;
/// What clocks may differ, in seconds.
const SKEW: u64 = 600;
/// Entries that `check` counts.
const COUNTED: usize = 2000;
/// Time that `check` keeps to answer, in milliseconds.
const KEPT: u64 = 900;
/// Time that a second search for a number is worth, in milliseconds: it is slow where nothing is indexed for it.
const WORTH: u64 = 1200;
/// Entries that are compared with a number.
const COMPARED: u32 = 50;

#[derive(Deserialize)]
struct Settings {
    server: String,
    #[serde(default)]
    encryption: String,
    base: String,
    #[serde(default)]
    user: String,
    filter: String,
    #[serde(default)]
    attributes: String,
    #[serde(default)]
    copied: String,
}

struct Ldap;

connector!(Ldap: lifecycle, directory_sync, directory_lookup, directory_search);

impl Lifecycle for Ldap {
    fn check() -> Result<String, Error> {
        let settings: Settings = settings_as()?;
        let map = Map::read(&settings.attributes)?;
        let (mut people, mut left_out, mut references) = (0, 0, 0);
        let mut cookie = None;
        loop {
            let found = ask(&settings, &settings.filter, map.names(), 200, cookie).map_err(at_the_form)?;
            whole(&found, people + left_out)?;
            let usable = found.entries.iter().filter(|entry| map.contact(entry).is_some()).count();
            people += usable;
            left_out += found.entries.len() - usable;
            references += found.references;
            cookie = found.cookie;
            if cookie.is_none() || people + left_out >= COUNTED || context::remaining_ms() < KEPT {
                break;
            }
        }
        let more = if cookie.is_some() { "more than " } else { "" };
        let mut words = format!("{more}{people} people");
        if left_out > 0 {
            words += &format!("; {left_out} without a name or a number are left out");
        }
        if references > 0 {
            words += &format!("; {references} references to other servers are not followed");
        }
        Ok(words)
    }
}

impl DirectorySync for Ldap {
    fn fetch(start: Start, limit: u32) -> Result<Page, Error> {
        let settings: Settings = settings_as()?;
        let map = Map::read(&settings.attributes)?;
        if settings.copied == "nobody" {
            return Ok(Page { changes: Vec::new(), next: Next::Done(None), total: Some(0) });
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let cursor = match start {
            Start::Full => Cursor::full(now),
            Start::Delta(token) => {
                let token = Token::read(&token).ok_or(Error::ResyncRequired)?;
                // A clock that was set back is no reason to trust the token.
                if now.checked_sub(token.full).is_none_or(|age| age > FULL_RUN) {
                    return Err(Error::ResyncRequired);
                }
                Cursor::changed(token, now)
            }
            Start::Resume(cursor) => Cursor::read(&cursor).ok_or(Error::ResyncRequired)?,
        };
        turn_page(&settings, &map, cursor, limit.clamp(1, 1000))
    }
}

impl DirectoryLookup for Ldap {
    fn lookup(numbers: Vec<String>, limit: u32) -> Result<Vec<Contact>, Error> {
        let settings: Settings = settings_as()?;
        let map = Map::read(&settings.attributes)?;
        let Some(has_number) = map.has_number(&numbers) else { return Ok(Vec::new()) };
        let filter = format!("(&{}{has_number})", settings.filter);
        // Whether there are more is not asked: a number that many have names nobody.
        let found = ask(&settings, &filter, map.names(), limit.clamp(1, 100), None)?;
        let people: Vec<Contact> =
            found.entries.iter().filter_map(|entry| map.contact(entry)).take(limit as usize).collect();
        let wider = map.may_have_number(&numbers).filter(|_| people.is_empty());
        match wider.filter(|_| context::remaining_ms() > WORTH) {
            Some(wider) => Ok(compared(&settings, &map, &wider, &numbers, limit)),
            None => Ok(people),
        }
    }
}

impl DirectorySearch for Ldap {
    fn search(text: String, limit: u32) -> Result<Vec<Contact>, Error> {
        let settings: Settings = settings_as()?;
        let map = Map::read(&settings.attributes)?;
        let Some(has_words) = map.has_words(&text) else { return Ok(Vec::new()) };
        let filter = format!("(&{}{has_words})", settings.filter);
        // Where the server stops, more letters go on.
        let found = ask(&settings, &filter, map.names(), limit.clamp(1, 100), None)?;
        let people = |found: &Found| -> Vec<Contact> {
            found.entries.iter().filter_map(|entry| map.contact(entry)).take(limit as usize).collect()
        };
        let there = people(&found);
        let wider = map.may_have_words(&text).filter(|_| there.is_empty());
        let Some(wider) = wider.filter(|_| context::remaining_ms() > WORTH) else { return Ok(there) };
        let filter = format!("(&{}{wider})", settings.filter);
        match ask(&settings, &filter, map.names(), limit.clamp(1, 100), None) {
            Ok(found) => Ok(people(&found)),
            Err(error) => {
                not_asked(&error);
                Ok(there)
            }
        }
    }
}

/// Of those who may have a number the ones who have it. A server that does not answer that in time has answered the first
/// question.
fn compared(
    settings: &Settings,
    map: &Map,
    may_have_number: &str,
    numbers: &[String],
    limit: u32,
) -> Vec<Contact> {
    let filter = format!("(&{}{may_have_number})", settings.filter);
    match ask(settings, &filter, map.names(), COMPARED, None) {
        Ok(found) => {
            let people = found.entries.iter().filter_map(|entry| map.contact(entry));
            people.filter(|person| has_one_of(person, numbers)).take(limit as usize).collect()
        }
        Err(error) => {
            not_asked(&error);
            Vec::new()
        }
    }
}

/// A server did not answer the second question in time: for the log.
fn not_asked(error: &Error) {
    log::write(log::Level::Info, &format!("not asked for a number as it may be written: {error:?}"));
}

fn turn_page(settings: &Settings, map: &Map, mut cursor: Cursor, limit: u32) -> Result<Page, Error> {
    let since = cursor.since.as_ref().map(Stamp::filter).unwrap_or_default();
    let (filter, names) = match cursor.phase {
        Phase::Full => (settings.filter.clone(), map.names()),
        Phase::Changed => (format!("(&{since}{})", settings.filter), map.names()),
        Phase::Gone => (format!("(&{since}(!{}))", settings.filter), person::IDS.map(str::to_owned).to_vec()),
    };
    let found = ask(settings, &filter, names, limit, cursor.cookie.take())?;
    whole(&found, cursor.seen as usize)?;
    let mut left_out = 0;
    let mut changes = Vec::new();
    for entry in &found.entries {
        if let Some(stamp) = Stamp::of(entry) {
            cursor.newest = cursor.newest.take().max(Some(stamp));
        }
        let contact = if cursor.phase == Phase::Gone { None } else { map.contact(entry) };
        match contact {
            Some(contact) => changes.push(Change::Upsert(contact)),
            None if cursor.phase == Phase::Full => left_out += 1,
            None => changes.extend(id(entry).map(Change::Delete)),
        }
    }
    cursor.seen += found.entries.len() as u64;
    if left_out > 0 {
        let words = format!("{left_out} of {} without a name or a number are left out", found.entries.len());
        log::write(log::Level::Info, &words);
    }
    if found.references > 0 {
        let words = format!("{} references to other servers are not followed", found.references);
        log::write(log::Level::Info, &words);
    }
    cursor.cookie = found.cookie;
    let next = if cursor.cookie.is_some() {
        Next::More(cursor.write())
    } else if cursor.phase == Phase::Changed {
        Next::More(Cursor { phase: Phase::Gone, ..cursor }.write())
    } else {
        Next::Done(token(cursor))
    };
    Ok(Page { changes, next, total: found.total })
}

/// The newest change that was seen, but none that may have been made while the run was under way, nor one from
/// the minutes before it by which clocks may differ.
fn token(cursor: Cursor) -> Option<String> {
    let newest = cursor.newest.or(cursor.since)?;
    let stamp = newest.not_after(cursor.started.saturating_sub(SKEW));
    Some(Token { stamp, full: cursor.full }.write())
}

/// A page that the server cut short is no directory: the people it lacks are not gone.
fn whole(found: &Found, before: usize) -> Result<(), Error> {
    let count = before + found.entries.len();
    match found.cut {
        None => Ok(()),
        // A server that is busy now has more time later.
        Some(Cut::Time) => {
            Err(Error::Unavailable(format!("the server's time was over after {count} entries")))
        }
        Some(Cut::Size) => {
            let words =
                format!("the server gives us only {count} entries: raise its limit, or take fewer people");
            Err(misconfigured(Some("filter"), &words))
        }
    }
}

fn ask(
    settings: &Settings,
    filter: &str,
    attributes: Vec<String>,
    limit: u32,
    cookie: Option<Vec<u8>>,
) -> Result<Found, Error> {
    let user = Some(settings.user.trim()).filter(|user| !user.is_empty());
    let request = Request {
        server: settings.server.clone(),
        plain: settings.encryption == "none",
        auth: user.map(|_| "server".to_owned()),
        base: settings.base.clone(),
        scope: Scope::Subtree,
        filter: filter.to_owned(),
        attributes,
        limit,
        cookie,
    };
    search(&request).map_err(|error| match error {
        // Active Directory's way to say that nobody may search who has not signed in.
        ldap::Error::Refused(refusal) if refusal.code == 1 && user.is_none() => {
            Error::AuthFailed(format!("the server wants a user and a password: {}", refusal.message))
        }
        other => other.into(),
    })
}

/// While somebody fills in the form, a base that is not there is a mistake in it.
fn at_the_form(error: Error) -> Error {
    match error {
        Error::Gone(words) => misconfigured(Some("base"), &words),
        other => other,
    }
}

/// The values of an attribute that are text, whatever the case of its name.
fn texts<'entry>(entry: &'entry Entry, name: &str) -> impl Iterator<Item = &'entry str> {
    let found = entry.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name));
    let values = found.map(|attribute| attribute.values.as_slice()).unwrap_or_default();
    values
        .iter()
        .filter_map(|value| str::from_utf8(value).ok())
        .map(str::trim)
        .filter(|text| !text.is_empty())
}
