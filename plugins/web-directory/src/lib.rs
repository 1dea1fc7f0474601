//! A directory that is one CSV or JSON file on a web server, fetched again only when its ETag has changed
//! (RFC 9110 section 8.8.3). Not here: reading the file, which is `reader`, and anything a host does:
//! addresses, TLS, credentials, limits.

mod reader;

use frontdesk_connector::{
    DirectorySync, Error, Lifecycle, Next, Page, Start, connector, get, header, log, page_of, settings_as,
    state,
};
use serde::Deserialize;

use reader::Format;

#[derive(Deserialize)]
struct Settings {
    url: String,
    #[serde(default)]
    format: Option<String>,
    #[serde(default)]
    user: Option<String>,
}

struct WebDirectory;

connector!(WebDirectory: lifecycle, directory_sync);

impl Lifecycle for WebDirectory {
    fn check() -> Result<String, Error> {
        let file = fetch_file(&settings_as()?, None)?.unwrap_or_default();
        Ok(format!("{} people", file.contacts.len()))
    }
}

impl DirectorySync for WebDirectory {
    fn fetch(start: Start, limit: u32) -> Result<Page, Error> {
        let settings: Settings = settings_as()?;
        if let Start::Delta(etag) = &start {
            // There is no "what changed" in a file: either nothing has, or all of it is read again.
            return match fetch_file(&settings, Some(etag))? {
                Some(_) => Err(Error::ResyncRequired),
                None => {
                    Ok(Page { changes: Vec::new(), next: Next::Done(Some(etag.clone())), total: Some(0) })
                }
            };
        }
        let file = fetch_file(&settings, None)?.unwrap_or_default();
        page_of(file.contacts, file.etag.as_deref(), &start, limit)
    }
}

#[derive(Default)]
struct File {
    contacts: Vec<frontdesk_connector::Contact>,
    etag: Option<String>,
}

/// The file, or nothing where it still is the one of this ETag.
fn fetch_file(settings: &Settings, etag: Option<&str>) -> Result<Option<File>, Error> {
    let mut headers = vec![("accept", "application/json, text/csv;q=0.9, */*;q=0.1")];
    if let Some(etag) = etag {
        headers.push(("if-none-match", etag));
    }
    let auth = settings.user.as_deref().filter(|user| !user.is_empty()).map(|_| "server");
    let response = get(&settings.url, &headers, auth)?;
    if response.status == 304 {
        return Ok(None);
    }
    let format = Format::of(settings.format.as_deref(), header(&response, "content-type"), &response.body);
    let (contacts, left_out) = reader::read(&response.body, format)?;
    if left_out > 0 {
        log::write(log::Level::Warn, &format!("{left_out} rows without a name or a number are left out"));
    }
    let runs =
        state::get("runs").and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok()).unwrap_or(0u64);
    // Only a number for support: a full state changes nothing for the directory.
    let _ = state::set("runs", (runs + 1).to_string().as_bytes());
    Ok(Some(File { contacts, etag: header(&response, "etag").map(str::to_owned) }))
}
