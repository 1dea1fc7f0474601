//! The stand-in as a WebDAV server with one address book in it (RFC 6352), which can say what has changed (RFC 6578)
//! and gives no more of it than was asked for. Questions are looked at as text, not as XML: what plugins ask is known.

use super::stage_web::PEOPLE;

const HOME: &str = "/kit/";
const BOOK: &str = "/kit/book/";
/// What it says of the book, and of everything else.
const BOOK_IS: &str = "<resourcetype><collection/><C:addressbook/></resourcetype><displayname>Kit</displayname>\
    <supported-report-set><supported-report><report><sync-collection/></report></supported-report>\
    </supported-report-set>";
const USER_IS: &str = "<resourcetype><collection/></resourcetype><current-user-principal><href>/kit/</href>\
    </current-user-principal><C:addressbook-home-set><href>/kit/</href></C:addressbook-home-set>";

/// Whether this is a question for it.
pub(super) fn is_asked(head: &str) -> bool {
    head.starts_with("propfind ") || head.starts_with("report ")
}

/// Status and body of the answer; `given` are vCards, one after the other.
pub(super) fn answer(head: &str, body: &str, given: Option<&[u8]>) -> (u16, String) {
    let cards = match given {
        Some(given) => cards_in(&String::from_utf8_lossy(given)),
        None => (0..PEOPLE).map(card).collect(),
    };
    let path = head.split(' ').nth(1).unwrap_or_default();
    let is_book = path.trim_end_matches('/') == BOOK.trim_end_matches('/');
    let is_deep = head.contains("\r\ndepth: 1\r\n");
    let items = if head.starts_with("propfind ") {
        let token = format!("<sync-token>{}</sync-token>", token(cards.len()));
        let book = found(BOOK, &format!("{BOOK_IS}{token}"));
        match (is_book, is_deep) {
            (true, false) => book,
            (true, true) => book + &(0..cards.len()).map(member).collect::<String>(),
            (false, true) => found(HOME, USER_IS) + &book,
            (false, false) => found(path, USER_IS),
        }
    } else if body.contains("sync-collection") {
        match changes(body, cards.len()) {
            Some(items) => items,
            None => return (403, "<error xmlns=\"DAV:\"><valid-sync-token/></error>".to_owned()),
        }
    } else {
        let wanted = body.split(BOOK).skip(1).filter_map(|rest| rest.split('.').next()?.parse().ok());
        wanted.filter_map(|n: usize| Some(found(&path_of(n), &data(cards.get(n)?)))).collect()
    };
    (
        207,
        format!(
            "<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\">{items}</multistatus>"
        ),
    )
}

/// What comes after the token in a question; none where the token is none of ours.
fn changes(body: &str, count: usize) -> Option<String> {
    let said = inside(body, "sync-token").unwrap_or_default();
    let start = match said.trim() {
        "" => 0,
        said => said.strip_prefix("kit-")?.parse().ok().filter(|start| *start <= count)?,
    };
    let limit = inside(body, "nresults").and_then(|limit| limit.trim().parse().ok()).unwrap_or(usize::MAX);
    let end = start.saturating_add(limit).min(count);
    let mut items: String = (start..end).map(member).collect();
    if end < count {
        items += &format!("<response><href>{BOOK}</href><status>HTTP/1.1 507 More</status></response>");
    }
    Some(format!("{items}<sync-token>{}</sync-token>", token(end)))
}

/// The text of the first element of this name, whatever its prefix.
fn inside<'body>(body: &'body str, name: &str) -> Option<&'body str> {
    let (_, behind) = body.split_once(&format!("{name}>"))?;
    behind.split('<').next()
}

fn found(path: &str, properties: &str) -> String {
    format!(
        "<response><href>{path}</href><propstat><prop>{properties}</prop><status>HTTP/1.1 200 OK</status></propstat>\
         </response>"
    )
}

fn member(n: usize) -> String {
    found(&path_of(n), &format!("<resourcetype/><getetag>\"{n}\"</getetag>"))
}

fn data(card: &str) -> String {
    let escaped = card.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<C:address-data>{escaped}</C:address-data>")
}

fn path_of(n: usize) -> String {
    format!("{BOOK}{n}.vcf")
}

fn token(n: usize) -> String {
    format!("kit-{n}")
}

fn card(n: usize) -> String {
    format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zoë Person {n}\r\nTEL;TYPE=WORK:+41 44 555 {n:04}\r\nEND:VCARD\r\n"
    )
}

fn cards_in(text: &str) -> Vec<String> {
    const END: &str = "END:VCARD";
    let whole = text.split_inclusive(END).filter(|part| part.ends_with(END));
    whole.map(|part| part.trim_start().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_in_parts_ends_where_all_is_known() {
        let ask = |token: &str| {
            format!("<D:sync-collection><D:sync-token>{token}</D:sync-token><D:nresults>50</D:nresults>")
        };
        let (status, first) = answer("report /kit/book/ http/1.1\r\n", &ask(""), None);
        assert!(status == 207 && first.contains("507") && first.contains("<sync-token>kit-50<"));
        let (_, second) = answer("report /kit/book/ http/1.1\r\n", &ask("kit-50"), None);
        assert!(!second.contains("507") && second.contains("/kit/book/89.vcf") && second.contains("kit-90<"));
        assert_eq!(answer("report /kit/book/ http/1.1\r\n", &ask("other"), None).0, 403);
        let (_, card) =
            answer("report /kit/book/ http/1.1\r\n", "multiget <D:href>/kit/book/7.vcf</D:href>", None);
        assert!(card.contains("Zoë Person 7") && !card.contains("Person 8"));
    }

    #[test]
    fn the_authors_own_cards_are_its_members() {
        let cards = "BEGIN:VCARD\nFN:A & B\nEND:VCARD\n\nBEGIN:VCARD\nFN:C\nEND:VCARD\nBEGIN:VCARD";
        let (_, members) = answer("propfind /kit/book/ http/1.1\r\ndepth: 1\r\n", "", Some(cards.as_bytes()));
        assert!(members.contains("1.vcf") && !members.contains("2.vcf"));
        let (_, card) =
            answer("report /kit/book/ http/1.1\r\n", "<href>/kit/book/0.vcf<", Some(cards.as_bytes()));
        assert!(card.contains("FN:A &amp; B"));
    }
}
