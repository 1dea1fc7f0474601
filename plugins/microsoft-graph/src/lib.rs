//! People and contacts of Microsoft 365 over Microsoft Graph v1.0: the users of the organisation and the contacts of
//! mailboxes, each read by its own delta query, one after the other. Not here: what an answer means, which is
//! `answer`, who a person is, which is `person`, where a run stands, which is `place`, and anything a host does:
//! addresses, TLS, tokens, limits.

mod answer;
mod person;
mod place;
mod source;

use frontdesk_connector::{
    Change, DirectorySync, Error, Lifecycle, Next, Page, Start, connector, context, http, log, misconfigured,
    settings_as,
};
use serde::Deserialize;

use answer::{Found, Link, Refused};
use place::{Cursor, Links};
use source::Source;

/// Time that `check` keeps to answer, in milliseconds.
const KEPT: u64 = 900;
/// Changes of a page that did not come whole and are asked for one by one; with more of them, all is read again.
const MOST_PARTS: usize = 40;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Settings {
    sign_in: String,
    users: bool,
    #[serde(default)]
    mailboxes: String,
    server: String,
}

struct MicrosoftGraph;

connector!(MicrosoftGraph: lifecycle, directory_sync);

impl Settings {
    fn auth(&self) -> &'static str {
        if self.sign_in == "person" { "person" } else { "app" }
    }

    fn server(&self) -> &str {
        self.server.trim_end_matches('/')
    }

    fn sources(&self) -> Result<Vec<Source>, Error> {
        source::of(self.users, &self.mailboxes, self.auth() == "person")
            .map_err(|words| misconfigured(Some("mailboxes"), &words))
    }
}

impl Lifecycle for MicrosoftGraph {
    fn check() -> Result<String, Error> {
        let settings: Settings = settings_as()?;
        let mut words = Vec::new();
        for source in settings.sources()? {
            if !words.is_empty() && context::remaining_ms() < KEPT {
                words.push("there was no time for the rest".to_owned());
                break;
            }
            let link = source.first(settings.server());
            let found = ask(&settings, &link, 200).map_err(|refused| refused.at_the_form(&source))?;
            let people = found.items.iter().filter(|item| person::contact(item, &source).is_some()).count();
            let more = if matches!(found.link, Link::Next(_)) { "more than " } else { "" };
            let left_out = found.items.len() - people;
            let left_out = match left_out {
                0 => String::new(),
                _ => format!(" ({left_out} without a name or a number are left out)"),
            };
            words.push(format!("{more}{people} people of {}{left_out}", source.name()));
        }
        Ok(words.join("; "))
    }
}

impl DirectorySync for MicrosoftGraph {
    fn fetch(start: Start, limit: u32) -> Result<Page, Error> {
        let settings: Settings = settings_as()?;
        let sources = settings.sources()?;
        let names: Vec<String> = sources.iter().map(Source::key).collect();
        let cursor = match start {
            Start::Full => Cursor::full(),
            Start::Delta(token) => {
                let links = Links::of(&token).filter(|links| links.names().eq(names.iter()));
                Cursor::changed(&links.ok_or(Error::ResyncRequired)?)
            }
            Start::Resume(cursor) => Cursor::read(&cursor, &names).ok_or(Error::ResyncRequired)?,
        };
        turn_page(&settings, &sources, cursor, limit.clamp(1, 1000) as usize)
    }
}

/// Pages without anybody of interest are passed over for half the time there is: a page says something, or nothing
/// has changed.
fn turn_page(
    settings: &Settings,
    sources: &[Source],
    mut cursor: Cursor,
    limit: usize,
) -> Result<Page, Error> {
    let half = context::remaining_ms() / 2;
    let names: Vec<String> = sources.iter().map(Source::key).collect();
    loop {
        let source = sources.get(cursor.source).ok_or(Error::ResyncRequired)?;
        let changes = advance(settings, source, &mut cursor, limit)?;
        if cursor.source == sources.len() {
            let token = cursor.finish(names).map_err(|words| misconfigured(Some("mailboxes"), &words))?;
            return Ok(Page { changes, next: Next::Done(Some(token)), total: None });
        }
        if !changes.is_empty() || context::remaining_ms() < half {
            let next = cursor.write(names).map_err(|words| misconfigured(Some("mailboxes"), &words))?;
            return Ok(Page { changes, next: Next::More(next), total: None });
        }
    }
}

/// One page of a source, or the part of it that fits.
fn advance(
    settings: &Settings,
    source: &Source,
    cursor: &mut Cursor,
    limit: usize,
) -> Result<Vec<Change>, Error> {
    let resumed = cursor.link.is_some();
    // A place that was kept before another server was set is none there.
    if cursor.link.clone().is_some_and(|link| within(settings, link).is_err()) {
        return Err(Error::ResyncRequired);
    }
    let link = cursor.link.clone().unwrap_or_else(|| source.first(settings.server()));
    let mut found = ask(settings, &link, limit).map_err(|refused| refused.in_a_run(source, resumed))?;
    let print = answer::print(&found.items);
    // The rest of a page that has changed meanwhile would be a directory that never was.
    if cursor.offset > 0 && cursor.print != print {
        return Err(Error::ResyncRequired);
    }
    let whole = found.items.len();
    let items: Vec<_> = found.items.drain(..).skip(cursor.offset).take(limit).collect();
    let end = cursor.offset + items.len();
    let changes = changes(settings, source, cursor, items)?;
    if end < whole {
        cursor.rest(link, end, print);
        return Ok(changes);
    }
    match found.link {
        Link::Next(next) => cursor.next(within(settings, next)?),
        Link::Delta(delta) => cursor.source_done(within(settings, delta)?),
    }
    Ok(changes)
}

fn changes(
    settings: &Settings,
    source: &Source,
    cursor: &Cursor,
    items: Vec<answer::Item>,
) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::new();
    let (mut left_out, mut parts) = (0, 0);
    for mut item in items {
        let removed = item.is_removed();
        if cursor.is_delta && !removed && item.is_part() {
            parts += 1;
            if parts > MOST_PARTS {
                return Err(Error::ResyncRequired);
            }
            item = whole(settings, source, item)?;
        }
        match person::contact(&item, source).filter(|_| !item.is_removed()) {
            Some(contact) => changes.push(Change::Upsert(contact)),
            None if cursor.is_delta || removed => changes.push(Change::Delete(item.id)),
            None => left_out += 1,
        }
    }
    if left_out > 0 {
        let words = format!("{left_out} of {} without a name or a number are left out", source.name());
        log::write(log::Level::Info, &words);
    }
    Ok(changes)
}

/// An item of which only what has changed was told.
fn whole(settings: &Settings, source: &Source, part: answer::Item) -> Result<answer::Item, Error> {
    let url = source.one(settings.server(), &part.id);
    match send(settings, &url, 1).and_then(|response| answer::read_one(&response)) {
        Ok(item) => Ok(item),
        // Gone since.
        Err(Refused::Said { status: 404, .. }) => Ok(answer::Item::removed(part.id)),
        Err(refused) => Err(refused.in_a_run(source, false)),
    }
}

fn ask(settings: &Settings, url: &str, limit: usize) -> Result<Found, Refused> {
    send(settings, url, limit).and_then(|response| answer::read(&response))
}

fn send(settings: &Settings, url: &str, limit: usize) -> Result<http::Response, Refused> {
    let headers = [
        ("accept", "application/json".to_owned()),
        // Outlook keeps to it, the directory has pages of its own size.
        ("prefer", format!("odata.maxpagesize={limit}")),
    ];
    let request = http::Request {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        body: None,
        auth: Some(settings.auth().to_owned()),
    };
    http::send(&request).map_err(|error| Refused::Host(error.into()))
}

/// A link that the server gave, if it leads back to it.
fn within(settings: &Settings, link: String) -> Result<String, Error> {
    let server = settings.server();
    let is_there = link.get(..server.len()).is_some_and(|start| start.eq_ignore_ascii_case(server));
    if !is_there || link.as_bytes().get(server.len()) != Some(&b'/') {
        return Err(Error::Protocol("a link that leads to another server".to_owned()));
    }
    if link.len() > place::LONGEST_LINK {
        return Err(Error::Protocol("a link of more than 8 KiB".to_owned()));
    }
    Ok(link)
}
