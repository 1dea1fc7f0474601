//! The questions to a CardDAV server: PROPFIND (RFC 4918), what changed (RFC 6578), the cards themselves (RFC 6352
//! section 8.7), and what each refusal means for the next run.

use frontdesk_connector::{Error, check_status, header, http};

use crate::multistatus::{self, Item, Multistatus};

/// Answers to a batch of cards that may be unreadable before the server is said to be broken.
const MOST_UNREADABLE: usize = 24;
const PROLOGUE: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";
const BOOK: &str = "<D:resourcetype/><D:displayname/><D:current-user-principal/><C:addressbook-home-set/>\
    <D:supported-report-set/>";
const STATE: &str = "<D:sync-token/><S:getctag/>";
/// The lines of a card that are read; servers that can leave out the others.
const LINES: [&str; 19] = [
    "VERSION",
    "UID",
    "FN",
    "N",
    "NICKNAME",
    "ORG",
    "TITLE",
    "ROLE",
    "TEL",
    "EMAIL",
    "IMPP",
    "NOTE",
    "URL",
    "KIND",
    "X-ABSHOWAS",
    "X-ABLABEL",
    "X-ADDRESSBOOKSERVER-KIND",
    "X-JABBER",
    "X-SIP",
];

/// A server, and whether we sign in there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Server {
    /// With the user and the password that the host keeps.
    pub(crate) signs_in: bool,
}

/// An answer, and where it came from.
#[derive(Debug)]
pub(crate) struct Answer {
    /// After redirects.
    pub(crate) url: String,
    /// What it says.
    pub(crate) says: Multistatus,
}

/// The members of an address book, or what has changed there.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Paths of cards that are there or new, sorted; `true` for those that are gone.
    pub(crate) entries: Vec<(String, bool)>,
    /// Everything up to here is in it.
    pub(crate) token: Option<String>,
    /// The server has more, after the token.
    pub(crate) is_cut: bool,
}

impl Server {
    /// What an address is, and with a depth of 1 what it holds; with the states of collections or without.
    pub(crate) fn properties(self, url: &str, depth: u8, states: bool) -> Result<Answer, Error> {
        let state = if states { STATE } else { "" };
        self.ask("PROPFIND", url, depth, &propfind(&format!("{BOOK}{state}")))
    }

    /// All members of a book, of a server that cannot tell what has changed.
    pub(crate) fn members(self, url: &str) -> Result<Listing, Error> {
        let answer = self.ask("PROPFIND", url, 1, &propfind("<D:resourcetype/><D:getetag/>"))?;
        Ok(listing(&answer, url, None))
    }

    /// What has changed since a token; without one, all members. A part of them, about `limit`, only where all of it is
    /// more than an answer has room for, and from then on: some servers (sabre/dav up to 4.3) give the newest token with
    /// a part, and what is missing would never come.
    pub(crate) fn changes(
        self,
        url: &str,
        since: Option<&str>,
        limit: usize,
        in_parts: &mut bool,
    ) -> Result<Listing, Error> {
        let body = |limit: &str| {
            format!(
                "{PROLOGUE}<D:sync-collection xmlns:D=\"DAV:\"><D:sync-token>{}</D:sync-token>\
                 <D:sync-level>1</D:sync-level>{limit}<D:prop><D:getetag/></D:prop></D:sync-collection>",
                escaped(since.unwrap_or_default())
            )
        };
        let whole = if *in_parts { None } else { Some(self.send("REPORT", url, 0, &body(""))) };
        let response = match whole {
            None | Some(Err(http::Error::TooLarge(_))) => {
                *in_parts = true;
                let limit = format!("<D:limit><D:nresults>{limit}</D:nresults></D:limit>");
                self.send("REPORT", url, 0, &body(&limit))?
            }
            Some(whole) => whole?,
        };
        let answer = understood(response)?;
        let token = answer.says.token.clone();
        if token.is_none() {
            return Err(Error::Protocol("changes without a token".to_owned()));
        }
        Ok(listing(&answer, url, token))
    }

    /// The cards at these paths; none for one that is gone or cannot be read. An answer that is too large or broken
    /// is asked for again in halves, so that one bad card costs no more than itself.
    pub(crate) fn cards(self, url: &str, paths: &[String]) -> Result<Vec<(String, Option<Item>)>, Error> {
        let mut found = Vec::with_capacity(paths.len());
        let mut batches = vec![paths];
        let mut unreadable = 0;
        while let Some(batch) = batches.pop() {
            match self.batch(url, batch) {
                Ok(mut items) => {
                    for path in batch {
                        let at = items.iter().position(|item| path_of(&join(url, &item.href)) == path);
                        found.push((path.clone(), at.map(|at| items.swap_remove(at))));
                    }
                }
                Err(error @ Error::Protocol(_)) => {
                    unreadable += 1;
                    if unreadable >= MOST_UNREADABLE || paths.len() == 1 {
                        return Err(error);
                    }
                    let (first, second) = batch.split_at(batch.len() / 2);
                    if first.is_empty() {
                        found.extend(second.iter().map(|path| (path.clone(), None)));
                    } else {
                        batches.extend([second, first]);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    fn batch(self, url: &str, paths: &[String]) -> Result<Vec<Item>, Error> {
        let lines: String = LINES.iter().map(|name| format!("<C:prop name=\"{name}\"/>")).collect();
        let hrefs: String = paths.iter().map(|path| format!("<D:href>{}</D:href>", escaped(path))).collect();
        let body = format!(
            "{PROLOGUE}<C:addressbook-multiget xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\"><D:prop>\
             <D:getetag/><C:address-data>{lines}</C:address-data></D:prop>{hrefs}</C:addressbook-multiget>"
        );
        Ok(self.ask("REPORT", url, 0, &body)?.says.items)
    }

    fn ask(self, method: &str, url: &str, depth: u8, body: &str) -> Result<Answer, Error> {
        understood(self.send(method, url, depth, body)?)
    }

    fn send(self, method: &str, url: &str, depth: u8, body: &str) -> Result<http::Response, http::Error> {
        let headers = [
            ("depth", depth.to_string()),
            ("content-type", "application/xml; charset=utf-8".to_owned()),
            ("accept", "application/xml, text/xml".to_owned()),
        ];
        http::send(&http::Request {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            body: Some(body.as_bytes().to_vec()),
            auth: self.signs_in.then(|| "server".to_owned()),
        })
    }
}

fn propfind(properties: &str) -> String {
    format!(
        "{PROLOGUE}<D:propfind xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\" \
         xmlns:S=\"http://calendarserver.org/ns/\"><D:prop>{properties}</D:prop></D:propfind>"
    )
}

fn understood(response: http::Response) -> Result<Answer, Error> {
    let status = response.status;
    if status == 207 {
        return Ok(Answer { says: multistatus::read(&response.body)?, url: response.url });
    }
    // RFC 6578 section 3.2: also when the server has forgotten that far back.
    if multistatus::names(&response.body, "valid-sync-token") {
        return Err(Error::ResyncRequired);
    }
    if matches!(status, 405 | 501) {
        return Err(Error::Unsupported("no WebDAV at this address".to_owned()));
    }
    check_status(status, header(&response, "retry-after"))?;
    Err(Error::Protocol(format!("HTTP status {status} where WebDAV has 207")))
}

fn listing(answer: &Answer, book: &str, token: Option<String>) -> Listing {
    let own = path_of(book).trim_end_matches('/');
    let mut listing = Listing { token, ..Listing::default() };
    for item in &answer.says.items {
        let url = join(&answer.url, &item.href);
        let path = path_of(&url);
        if item.status == 507 {
            listing.is_cut = true;
        } else if path.trim_end_matches('/') != own && !path.ends_with('/') && !item.is_collection {
            listing.entries.push((path.to_owned(), matches!(item.status, 404 | 410)));
        }
    }
    listing.entries.sort();
    listing.entries.dedup_by(|later, earlier| later.0 == earlier.0);
    listing
}

/// The address that a reference in an answer from `base` leads to (RFC 3986 section 5, but for dots, which are the
/// host's business).
pub(crate) fn join(base: &str, href: &str) -> String {
    let href = href.trim();
    let (scheme, behind) = base.split_once("://").unwrap_or(("https", base));
    let authority = behind.split(['/', '?', '#']).next().unwrap_or_default();
    if href.starts_with("http://") || href.starts_with("https://") {
        href.to_owned()
    } else if let Some(rest) = href.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else if href.starts_with('/') {
        format!("{scheme}://{authority}{href}")
    } else {
        let path = path_of(base);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{href}")
    }
}

/// What stands behind the host in an address, without a query.
pub(crate) fn path_of(url: &str) -> &str {
    let behind = url.split_once("://").map_or(url, |(_, behind)| behind);
    let path = behind.find('/').and_then(|at| behind.get(at..)).unwrap_or("/");
    path.split(['?', '#']).next().unwrap_or("/")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_that_makes_a_number_or_an_address_is_asked_for() {
        for name in ["TEL", "IMPP", "X-SIP", "X-JABBER", "EMAIL"] {
            assert!(LINES.contains(&name), "{name}");
        }
    }

    #[test]
    fn references_are_read_as_a_browser_does() {
        let base = "https://dav.example:8443/u/ann/?x";
        for (href, url) in [
            ("/a/b.vcf", "https://dav.example:8443/a/b.vcf"),
            ("b.vcf", "https://dav.example:8443/u/ann/b.vcf"),
            ("//other.example/a", "https://other.example/a"),
            ("http://other.example/a", "http://other.example/a"),
        ] {
            assert_eq!(join(base, href), url);
        }
        assert_eq!(join("http://host", "a"), "http://host/a");
        assert_eq!((path_of("http://host"), path_of("http://host/a?b"), path_of("/a")), ("/", "/a", "/a"));
    }

    #[test]
    fn a_refusal_decides_what_the_host_does() {
        let of = |status: u16, body: &str| {
            let headers = vec![("retry-after".to_owned(), "30".to_owned())];
            let body = body.as_bytes().to_vec();
            understood(http::Response { status, headers, body, url: "http://h/".to_owned() }).map(|_| ())
        };
        let gone = "<error xmlns=\"DAV:\"><valid-sync-token/></error>";
        for status in [403, 409, 412] {
            assert!(matches!(of(status, gone), Err(Error::ResyncRequired)));
        }
        assert!(matches!(of(403, "no"), Err(Error::Forbidden(_))));
        assert!(matches!(of(405, ""), Err(Error::Unsupported(_))));
        assert!(matches!(of(429, ""), Err(Error::RetryLater(Some(30)))));
        assert!(matches!(of(200, "<html/>"), Err(Error::Protocol(_))));
        assert!(of(207, "<multistatus xmlns=\"DAV:\"/>").is_ok());
    }

    #[test]
    fn a_listing_has_cards_once_and_says_whether_there_are_more() {
        let body = "<multistatus xmlns=\"DAV:\"><response><href>/b/</href><status>HTTP/1.1 507 x</status></response>\
            <response><href>/b/2.vcf</href></response><response><href>http://h/b/1.vcf</href>\
            <status>HTTP/1.1 404 x</status></response><response><href>/b/2.vcf</href></response>\
            <response><href>/b/sub/</href></response></multistatus>";
        let says = multistatus::read(body.as_bytes()).unwrap_or_default();
        let listing = listing(&Answer { url: "http://h/b/".to_owned(), says }, "http://h/b", None);
        assert_eq!(listing.entries, [("/b/1.vcf".to_owned(), true), ("/b/2.vcf".to_owned(), false)]);
        assert!(listing.is_cut);
    }
}
