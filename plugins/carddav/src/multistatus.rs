//! Reads the answers of a WebDAV server (RFC 4918 section 13) into what is asked for here. No network.

use frontdesk_connector::Error;
use roxmltree::{Document, Node, ParsingOptions};

const DAV: &str = "DAV:";
const CARDDAV: &str = "urn:ietf:params:xml:ns:carddav";
/// More elements than any answer of 4 MiB has that is one; each costs memory.
const MOST_NODES: u32 = 400_000;

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Multistatus {
    /// In their order.
    pub(crate) items: Vec<Item>,
    /// Of a `sync-collection` (RFC 6578 section 6.2).
    pub(crate) token: Option<String>,
}

/// What is said of one address.
#[derive(Debug, Default)]
pub(crate) struct Item {
    /// As the server wrote it.
    pub(crate) href: String,
    /// Of the whole of it; 200 where each property has its own.
    pub(crate) status: u16,
    /// Holds others.
    pub(crate) is_collection: bool,
    /// Holds vCards.
    pub(crate) is_book: bool,
    /// For people.
    pub(crate) name: String,
    /// Whose address books they are (RFC 5397).
    pub(crate) principal: Option<String>,
    /// Where the address books are (RFC 6352 section 7.1.1).
    pub(crate) home: Option<String>,
    /// Can say what has changed since its token.
    pub(crate) syncs: bool,
    /// The state of the collection, for `sync-collection`.
    pub(crate) token: Option<String>,
    /// The same, of servers that have no more than that: another one after each change.
    pub(crate) ctag: Option<String>,
    /// The vCard.
    pub(crate) card: Option<String>,
}

/// Reads an answer.
///
/// # Errors
/// [`Error::Protocol`] if it is none.
pub(crate) fn read(body: &[u8]) -> Result<Multistatus, Error> {
    let broken = |words: String| Error::Protocol(format!("the answer cannot be read: {words}"));
    let text = str::from_utf8(body).map_err(|error| broken(error.to_string()))?;
    // A document type could define words that grow.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| broken(error.to_string()))?;
    let root = document.root_element();
    if !root.has_tag_name((DAV, "multistatus")) {
        return Err(broken(format!("it begins with {}", root.tag_name().name())));
    }
    let items = root.children().filter(|node| node.has_tag_name((DAV, "response"))).map(item).collect();
    Ok(Multistatus { items, token: words(root, DAV, "sync-token") })
}

/// Whether an error names this precondition (RFC 4918 section 16).
pub(crate) fn names(body: &[u8], precondition: &str) -> bool {
    let text = str::from_utf8(body).unwrap_or_default();
    let Ok(document) = Document::parse(text) else { return false };
    let root = document.root_element();
    root.has_tag_name((DAV, "error")) && root.children().any(|node| node.has_tag_name((DAV, precondition)))
}

fn item(response: Node) -> Item {
    let mut item =
        Item { href: words(response, DAV, "href").unwrap_or_default(), status: 200, ..Item::default() };
    if let Some(status) = words(response, DAV, "status") {
        item.status = code(&status);
    }
    for propstat in response.children().filter(|node| node.has_tag_name((DAV, "propstat"))) {
        let is_found = words(propstat, DAV, "status").is_none_or(|status| code(&status) == 200);
        let found = propstat.children().filter(|node| is_found && node.has_tag_name((DAV, "prop")));
        for property in found.flat_map(|prop| prop.children()) {
            take(&mut item, property);
        }
    }
    item
}

fn take(item: &mut Item, property: Node) {
    let text = || property.text().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    match (property.tag_name().namespace(), property.tag_name().name()) {
        (Some(DAV), "resourcetype") => {
            item.is_collection = property.children().any(|node| node.has_tag_name((DAV, "collection")));
            item.is_book = property.children().any(|node| node.has_tag_name((CARDDAV, "addressbook")));
        }
        (Some(DAV), "displayname") => item.name = text().unwrap_or_default(),
        (Some(DAV), "current-user-principal") => item.principal = words(property, DAV, "href"),
        (Some(CARDDAV), "addressbook-home-set") => item.home = words(property, DAV, "href"),
        (Some(DAV), "sync-token") => item.token = text(),
        (Some(DAV), "supported-report-set") => {
            item.syncs = property.descendants().any(|node| node.has_tag_name((DAV, "sync-collection")));
        }
        (Some("http://calendarserver.org/ns/"), "getctag") => item.ctag = text(),
        (Some(CARDDAV), "address-data") => {
            item.card = Some(
                property.descendants().filter_map(|node| node.is_text().then(|| node.text())?).collect(),
            );
        }
        _ => {}
    }
}

/// The text of the first child of this name.
fn words(node: Node, namespace: &str, name: &str) -> Option<String> {
    let child = node.children().find(|child| child.has_tag_name((namespace, name)))?;
    child.text().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Of `HTTP/1.1 404 Not Found`.
fn code(status: &str) -> u16 {
    status.split_whitespace().nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn address_books_are_told_from_what_else_there_is() {
        let body = br#"<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"
            xmlns:cs="http://calendarserver.org/ns/"><d:response><d:href>/u/</d:href><d:propstat><d:prop>
            <d:resourcetype><d:collection/></d:resourcetype><d:current-user-principal><d:href>/p/u/</d:href>
            </d:current-user-principal><C:addressbook-home-set><d:href> /u/ </d:href></C:addressbook-home-set>
            </d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop><d:displayname>no
            </d:displayname></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>
            <d:response><d:href>/u/b%20c/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/><C:addressbook/>
            </d:resourcetype><d:displayname>Sales &amp; more</d:displayname><d:sync-token>t1</d:sync-token>
            <cs:getctag>c1</cs:getctag><d:supported-report-set><d:supported-report><d:report><d:sync-collection/>
            </d:report></d:supported-report></d:supported-report-set></d:prop><d:status>HTTP/1.1 200 OK</d:status>
            </d:propstat></d:response></d:multistatus>"#;
        let [first, second] = read(body).unwrap().items.try_into().unwrap();
        assert_eq!((first.principal.as_deref(), first.home.as_deref()), (Some("/p/u/"), Some("/u/")));
        assert!(first.is_collection && !first.is_book && first.name.is_empty());
        assert!(second.is_book && second.syncs);
        assert_eq!((second.href.as_str(), second.name.as_str()), ("/u/b%20c/", "Sales & more"));
        assert_eq!((second.token.as_deref(), second.ctag.as_deref()), (Some("t1"), Some("c1")));
    }

    #[test]
    fn changes_say_who_is_gone_and_where_they_end() {
        let body =
            br#"<multistatus xmlns="DAV:"><response><href>/b/1.vcf</href><status>HTTP/1.1 404 Gone</status>
            </response><response><href>/b/2.vcf</href><propstat><prop><address-data
            xmlns="urn:ietf:params:xml:ns:carddav">BEGIN:VCARD&#13;
FN:&lt;Ann&gt;<![CDATA[ & Bo]]></address-data></prop><status>HTTP/1.1 200 OK</status></propstat></response>
            <sync-token>t2</sync-token></multistatus>"#;
        let answer = read(body).unwrap();
        assert_eq!(answer.token.as_deref(), Some("t2"));
        assert_eq!((answer.items[0].status, answer.items[1].status), (404, 200));
        assert_eq!(answer.items[1].card.as_deref(), Some("BEGIN:VCARD\r\nFN:<Ann> & Bo"));
        let refused = br#"<error xmlns="DAV:"><valid-sync-token/></error>"#;
        assert!(names(refused, "valid-sync-token") && !names(refused, "lock-token-submitted"));
        assert!(!names(b"no", "valid-sync-token"));
    }

    #[test]
    fn what_is_none_is_an_error() {
        let deep = "<a xmlns=\"DAV:\">".repeat(200_000);
        let entity = "<!DOCTYPE m [<!ENTITY a \"aaaa\">]><multistatus xmlns=\"DAV:\">&a;</multistatus>";
        for body in ["", "{}", "<html></html>", "<multistatus/>", deep.as_str(), entity] {
            assert!(matches!(read(body.as_bytes()), Err(Error::Protocol(_))));
        }
        assert!(read(b"\xff").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not_but_never_a_panic(
            middle in "(<(response|href|propstat|prop|status|resourcetype)>|</(response|href|propstat|prop|status)>|[a-z &;<>/é]){0,60}"
        ) {
            let _ = read(format!("<multistatus xmlns=\"DAV:\">{middle}</multistatus>").as_bytes());
            let _ = names(middle.as_bytes(), "valid-sync-token");
        }
    }
}
