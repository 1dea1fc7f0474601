//! What a vCard says of a person or a firm, as a contact. Which lines a card has is `card`.

use frontdesk_connector::{Contact, Field, Phone, PhoneKind};

use crate::card::{self, Line};

/// More numbers, or addresses, than anybody has; the host takes 64 altogether.
const MOST: usize = 20;
/// The longest note that is kept, in characters; a contact may have 16 KiB.
const LONGEST_NOTE: usize = 2000;

/// What came of a card.
#[derive(Debug)]
pub(crate) enum Read {
    /// Somebody who can be called.
    Person(Box<Contact>),
    /// Nobody who can be called: no number, or a list of others.
    NoNumber,
    /// No card, or one without any name.
    Broken,
}

/// Reads a card; `id` is what the contact is known by.
pub(crate) fn read(id: &str, text: &str) -> Read {
    let Some(lines) = card::read(text) else { return Read::Broken };
    let card = Card(lines);
    let kind = card.text("KIND").or_else(|| card.text("X-ADDRESSBOOKSERVER-KIND"));
    let is = |wanted: &str| kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case(wanted));
    if is("group") {
        return Read::NoNumber;
    }
    let mut firm = card.parts("ORG").into_iter();
    let organization = firm.next().filter(|name| !name.is_empty());
    let department = firm.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let is_firm =
        is("org") || card.text("X-ABSHOWAS").is_some_and(|shown| shown.eq_ignore_ascii_case("company"));
    let name = card.parts("N");
    let part = |at: usize| name.get(at).cloned().unwrap_or_default().replace(',', " ");
    let (family, given) = (part(0), part(1));
    let composed =
        [part(3), given.clone(), part(2), family.clone(), part(4)].map(|part| part.trim().to_owned());
    let composed = composed.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let display_name = card
        .text("FN")
        .or_else(|| organization.clone().filter(|_| is_firm))
        .or(Some(composed).filter(|name| !name.is_empty()))
        .or_else(|| organization.clone())
        .or_else(|| card.text("NICKNAME"));
    let Some(display_name) = display_name else { return Read::Broken };
    let phones = card.phones();
    if phones.is_empty() {
        return Read::NoNumber;
    }
    let names = match is_firm {
        // A firm's name is not taken apart.
        true => (String::new(), display_name.clone()),
        false => (given.trim().to_owned(), family.trim().to_owned()),
    };
    let xmpp = card.uris("IMPP", "xmpp:").or_else(|| card.text("X-JABBER"));
    let extra = [("first-name", names.0), ("last-name", names.1), ("xmpp", xmpp.unwrap_or_default())];
    let extra = extra.into_iter().filter(|(_, value)| !value.is_empty());
    Read::Person(Box::new(Contact {
        id: id.to_owned(),
        display_name,
        organization,
        department: Some(department).filter(|text| !text.is_empty()),
        title: card.text("TITLE").or_else(|| card.text("ROLE")),
        phones,
        emails: card.emails(),
        note: card.text("NOTE").map(|note| note.chars().take(LONGEST_NOTE).collect()),
        url: card.text("URL").map(|url| if url.contains("://") { url } else { format!("https://{url}") }),
        extra: extra.map(|(key, value)| Field { key: key.to_owned(), value }).collect(),
    }))
}

struct Card(Vec<Line>);

impl Card {
    /// All lines of a name, those that are preferred first.
    fn all(&self, name: &str) -> Vec<&Line> {
        let mut lines: Vec<&Line> = self.0.iter().filter(|line| line.name == name).collect();
        lines.sort_by_key(|line| line.preference());
        lines
    }

    fn text(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().map(Line::text).find(|text| !text.is_empty())
    }

    fn parts(&self, name: &str) -> Vec<String> {
        self.all(name).first().map(|line| line.parts()).unwrap_or_default()
    }

    /// The first of these that has this scheme, without it.
    fn uris(&self, name: &str, scheme: &str) -> Option<String> {
        self.all(name)
            .into_iter()
            .find_map(|line| without(&line.text(), scheme))
            .filter(|text| !text.is_empty())
    }

    fn emails(&self) -> Vec<String> {
        let texts = self.all("EMAIL").into_iter().map(Line::text);
        let bare = texts.map(|text| without(&text, "mailto:").unwrap_or(text));
        bare.filter(|text| text.contains('@')).take(MOST).collect()
    }

    fn phones(&self) -> Vec<Phone> {
        let numbers = self.all("TEL").into_iter().map(|line| {
            let text = line.text();
            match without(&text, "tel:") {
                // RFC 3966: parameters, such as an extension behind the number, are dialled by nobody here.
                Some(uri) => (self.kind(line), unpercent(uri.split(';').next().unwrap_or_default())),
                None if without(&text, "sip:").is_some() => (PhoneKind::Sip, text),
                None => (self.kind(line), text),
            }
        });
        let addresses = self.all("IMPP").into_iter().chain(self.all("X-SIP")).map(Line::text);
        let sip = addresses
            .filter(|text| without(text, "sip:").is_some() || without(text, "sips:").is_some())
            .map(|text| (PhoneKind::Sip, text));
        let is_number = |(kind, text): &(PhoneKind, String)| {
            *kind == PhoneKind::Sip || text.bytes().any(|byte| byte.is_ascii_digit())
        };
        numbers.chain(sip).filter(is_number).take(MOST).map(|(kind, number)| Phone { kind, number }).collect()
    }

    /// By its types, and by the label that Apple's programs write beside it.
    fn kind(&self, line: &Line) -> PhoneKind {
        let mut words: Vec<String> = line.types().collect();
        let beside =
            |other: &&Line| other.name == "X-ABLABEL" && other.group.is_some() && other.group == line.group;
        let label = self.0.iter().find(beside).map(Line::text).unwrap_or_default().to_lowercase();
        words.push(label.trim_start_matches("_$!<").trim_end_matches(">!$_").to_owned());
        let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
        if words.iter().any(|word| word.contains("fax")) {
            PhoneKind::Fax
        } else if has(&["cell", "mobile", "iphone", "handy", "portable", "natel"]) {
            PhoneKind::Mobile
        } else if has(&["extension", "x-extension", "ext", "internal", "intern", "interne"]) {
            PhoneKind::Extension
        } else if has(&["work", "main", "office", "bureau", "büro"]) {
            PhoneKind::Work
        } else if has(&["home", "privat", "privé"]) {
            PhoneKind::Home
        } else {
            PhoneKind::Other
        }
    }
}

/// The rest of a text that begins so, whatever the case.
fn without(text: &str, start: &str) -> Option<String> {
    let head = text.get(..start.len())?;
    head.eq_ignore_ascii_case(start).then(|| text.get(start.len()..).unwrap_or_default().trim().to_owned())
}

/// `%20` and its like; what is none stays.
fn unpercent(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        plain.push_str(before);
        let byte = behind.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.filter(u8::is_ascii) {
            Some(byte) => {
                plain.push(char::from(byte));
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                plain.push('%');
                rest = behind;
            }
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn person(lines: &str) -> Contact {
        match read("/x.vcf", &format!("BEGIN:VCARD\n{lines}\nEND:VCARD\n")) {
            Read::Person(contact) => *contact,
            other => panic!("{other:?}"),
        }
    }

    fn phones(contact: &Contact) -> Vec<(PhoneKind, &str)> {
        contact.phones.iter().map(|phone| (phone.kind, phone.number.as_str())).collect()
    }

    fn extra<'contact>(contact: &'contact Contact, key: &str) -> Option<&'contact str> {
        contact.extra.iter().find(|field| field.key == key).map(|field| field.value.as_str())
    }

    #[test]
    fn version_3_as_a_phone_writes_it() {
        let contact = person(
            "VERSION:3.0\nN:Keller;Zoë;Maria;Dr.;\nFN:Dr. Zoë Keller\nORG:Example\\, AG;Sales;EMEA\nTITLE:Head\n\
             TEL;TYPE=HOME,VOICE:044 555 03\nTEL;TYPE=CELL;TYPE=pref:079 555 01\nTEL;type=WORK,FAX:044 555 09\n\
             item1.TEL:2103\nitem1.X-ABLabel:Intern\nitem2.TEL:044 555 04\nitem2.X-ABLabel:_$!<Main>!$_\n\
             EMAIL;TYPE=INTERNET:b@example.com\nEMAIL;TYPE=INTERNET,PREF:a@example.com\nURL:https://example.com\n\
             NOTE:one\\ntwo\nIMPP;X-SERVICE-TYPE=Jabber:xmpp:zoe@example.com",
        );
        assert_eq!((contact.id.as_str(), contact.display_name.as_str()), ("/x.vcf", "Dr. Zoë Keller"));
        assert_eq!(contact.organization.as_deref(), Some("Example, AG"));
        assert_eq!(contact.department.as_deref(), Some("Sales, EMEA"));
        let known = [
            (PhoneKind::Mobile, "079 555 01"),
            (PhoneKind::Home, "044 555 03"),
            (PhoneKind::Fax, "044 555 09"),
            (PhoneKind::Extension, "2103"),
            (PhoneKind::Work, "044 555 04"),
        ];
        assert_eq!(phones(&contact), known);
        assert_eq!(contact.emails, ["a@example.com", "b@example.com"]);
        assert_eq!(contact.note.as_deref(), Some("one\ntwo"));
        assert_eq!(extra(&contact, "first-name"), Some("Zoë"));
        assert_eq!(extra(&contact, "last-name"), Some("Keller"));
        assert_eq!(extra(&contact, "xmpp"), Some("zoe@example.com"));
    }

    #[test]
    fn version_4_with_addresses_for_numbers() {
        let contact = person(
            "VERSION:4.0\nFN:Bo Chen\nTEL;VALUE=uri;TYPE=\"voice,work\";PREF=1:tel:+41-44-555-0101;ext=12\n\
             TEL;VALUE=uri;TYPE=cell:tel:+41%2079%20555\nTEL;VALUE=uri:sip:bo@example.com\nEMAIL:mailto:bo@example.com",
        );
        let known = [
            (PhoneKind::Work, "+41-44-555-0101"),
            (PhoneKind::Mobile, "+41 79 555"),
            (PhoneKind::Sip, "sip:bo@example.com"),
        ];
        assert_eq!(phones(&contact), known);
        assert_eq!(contact.emails, ["bo@example.com"]);
    }

    #[test]
    fn version_2_1_of_an_old_telephone() {
        let contact = person(
            "VERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BCrg\nTEL;WORK;VOICE:1",
        );
        assert_eq!(contact.display_name, "Jürg Müller");
        assert_eq!(phones(&contact), [(PhoneKind::Work, "1")]);
    }

    #[test]
    fn a_firm_keeps_its_name_in_one_piece() {
        for lines in ["N:;;;;\nORG:Example AG\nX-ABShowAs:COMPANY\nTEL:1", "KIND:org\nFN:Example AG\nTEL:1"] {
            let contact = person(lines);
            assert_eq!(contact.display_name, "Example AG");
            assert_eq!(
                (extra(&contact, "last-name"), extra(&contact, "first-name")),
                (Some("Example AG"), None)
            );
        }
        assert_eq!(person("FN:\nN:;\nORG:Example AG\nTEL:1").display_name, "Example AG");
    }

    #[test]
    fn who_cannot_be_called_or_has_no_name_is_told_apart() {
        let of = |lines: &str| read("x", &format!("BEGIN:VCARD\n{lines}\nEND:VCARD"));
        assert!(matches!(of("FN:Ann"), Read::NoNumber));
        assert!(matches!(of("FN:Ann\nTEL:unknown"), Read::NoNumber));
        assert!(matches!(of("KIND:group\nFN:All\nTEL:1"), Read::NoNumber));
        assert!(matches!(of("X-ADDRESSBOOKSERVER-KIND:group\nFN:All\nTEL:1"), Read::NoNumber));
        assert!(matches!(of("FN: \nTEL:1"), Read::Broken));
        assert!(matches!(read("x", "BEGIN:VCARD\nFN:Ann\nTEL:1"), Read::Broken));
    }

    proptest! {
        #[test]
        fn no_card_makes_more_of_a_contact_than_the_host_takes(
            lines in proptest::collection::vec("(item1\\.)?(FN|N|ORG|TEL|EMAIL|NOTE|IMPP|KIND)(;TYPE=[a-z,]{0,8})?:[ -~é]{0,60}", 0..80)
        ) {
            let card = format!("BEGIN:VCARD\n{}\nEND:VCARD", lines.join("\n"));
            if let Read::Person(contact) = read("/x", &card) {
                prop_assert!(!contact.display_name.trim().is_empty());
                prop_assert!(!contact.phones.is_empty());
                prop_assert!(contact.phones.len() + contact.emails.len() + contact.extra.len() <= 64);
            }
        }
    }
}
