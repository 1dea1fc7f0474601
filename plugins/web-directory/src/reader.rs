//! Reads the file: CSV with a head line, or a JSON list of objects. Heads are matched without regard to
//! case; a row without a name or without a number is left out and counted. No network here.

use frontdesk_connector::serde_json::{self, Map, Value};
use frontdesk_connector::{Contact, Error, Field, Phone, PhoneKind, decoded, without_mark};

/// What the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// RFC 4180, comma or semicolon.
    Csv,
    /// A list of objects, or an object with one.
    Json,
}

impl Format {
    /// The setting decides, then the server's word, then the first byte.
    pub(crate) fn of(setting: Option<&str>, content_type: Option<&str>, body: &[u8]) -> Self {
        match setting {
            Some("csv") => return Self::Csv,
            Some("json") => return Self::Json,
            _ => {}
        }
        let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
        let first = without_mark(body).iter().find(|byte| !byte.is_ascii_whitespace());
        let looks_json = matches!(first, Some(b'[' | b'{'));
        if content_type.contains("csv") || !(content_type.contains("json") || looks_json) {
            Self::Csv
        } else {
            Self::Json
        }
    }
}

/// The contacts, and how many rows were left out.
pub(crate) fn read(body: &[u8], format: Format) -> Result<(Vec<Contact>, usize), Error> {
    let body = without_mark(body);
    let rows = match format {
        Format::Csv => csv_rows(body)?,
        Format::Json => json_rows(body)?,
    };
    let count = rows.len();
    let contacts: Vec<Contact> = rows.iter().filter_map(contact).collect();
    let left_out = count - contacts.len();
    Ok((contacts, left_out))
}

type Row = Vec<(String, String)>;

fn csv_rows(body: &[u8]) -> Result<Vec<Row>, Error> {
    let head = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let semicolons = head.iter().filter(|byte| **byte == b';').count();
    let commas = head.iter().filter(|byte| **byte == b',').count();
    let delimiter = if semicolons > commas { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(body);
    let broken = |error: csv::Error| Error::Protocol(error.to_string());
    let heads: Vec<String> = reader.byte_headers().map_err(broken)?.iter().map(text).collect();
    // A page that asks somebody to sign in has rows too, but it is no directory without anybody in it.
    let is_known = |head: &String| phone_kind(head).is_some();
    if !heads.iter().map(|head| head.to_lowercase()).any(|head| is_known(&head)) {
        return Err(Error::Protocol("no column with numbers, such as phone, in the first line".to_owned()));
    }
    let mut rows = Vec::new();
    for record in reader.byte_records() {
        let record = record.map_err(broken)?;
        rows.push(heads.iter().map(|head| head.to_lowercase()).zip(record.iter().map(text)).collect());
    }
    Ok(rows)
}

fn text(bytes: &[u8]) -> String {
    decoded(bytes).trim().to_owned()
}

fn json_rows(body: &[u8]) -> Result<Vec<Row>, Error> {
    let value: Value = serde_json::from_slice(body).map_err(|error| Error::Protocol(error.to_string()))?;
    let list = match value {
        Value::Array(list) => list,
        Value::Object(object) => object
            .into_iter()
            .find_map(|(_, value)| match value {
                Value::Array(list) => Some(list),
                _ => None,
            })
            .ok_or_else(|| Error::Protocol("an object without a list in it".to_owned()))?,
        _ => return Err(Error::Protocol("neither a list nor an object with one".to_owned())),
    };
    Ok(list.into_iter().map(|item| item.as_object().map(json_row).unwrap_or_default()).collect())
}

fn json_row(object: &Map<String, Value>) -> Row {
    let mut row = Row::new();
    for (key, value) in object {
        let key = key.to_lowercase();
        match value {
            Value::String(text) => row.push((key, text.trim().to_owned())),
            Value::Number(number) => row.push((key, number.to_string())),
            Value::Array(items) => {
                let texts = items.iter().filter_map(Value::as_str);
                row.extend(texts.map(|text| (key.clone(), text.trim().to_owned())));
            }
            _ => {}
        }
    }
    row
}

fn contact(row: &Row) -> Option<Contact> {
    let find = |keys: &[&str]| {
        keys.iter()
            .find_map(|key| row.iter().find(|(head, value)| head == key && !value.is_empty()))
            .map(|(_, value)| value.clone())
    };
    let given = find(&["first name", "given name", "firstname", "vorname", "prénom"]);
    let family = find(&["last name", "family name", "lastname", "surname", "nachname"]);
    let composed = [&given, &family].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    let whole = find(&["name", "display name", "displayname", "full name"]);
    // A column of first names beside whole ones says only half.
    let (given, family) =
        if whole.is_some() && (given.is_none() || family.is_none()) { (None, None) } else { (given, family) };
    let display_name = whole
        .or(Some(composed).filter(|name| !name.is_empty()))
        .or_else(|| find(&["company", "organization", "organisation"]))?;
    let phones: Vec<Phone> = row
        .iter()
        .filter(|(_, value)| value.bytes().any(|byte| byte.is_ascii_digit()))
        .filter_map(|(head, value)| Some(Phone { kind: phone_kind(head)?, number: value.clone() }))
        .collect();
    let first = phones.first()?.number.clone();
    // A name in two columns stays in two, and what this desk exports (DIR-3) comes back whole.
    let extra = [
        ("first-name", given),
        ("last-name", family),
        ("office", find(&["office"])),
        ("voicemail", find(&["voicemail"])),
        ("xmpp", find(&["xmpp", "jabber"])),
        ("calendar", find(&["calendar"])),
    ];
    let extra =
        extra.into_iter().filter_map(|(key, value)| Some(Field { key: key.to_owned(), value: value? }));
    Some(Contact {
        id: find(&["id", "uid", "key"]).unwrap_or_else(|| format!("{display_name} {first}")),
        display_name,
        organization: find(&["company", "organization", "organisation", "firma", "société"]),
        department: find(&["department", "abteilung", "service"]),
        title: find(&["title", "function", "funktion", "fonction"]),
        phones,
        emails: find(&["email", "e-mail", "mail"]).into_iter().collect(),
        note: find(&["note", "notes", "remark"]),
        url: find(&["url", "web", "link"]),
        extra: extra.collect(),
    })
}

fn phone_kind(head: &str) -> Option<PhoneKind> {
    Some(match head {
        "phone" | "phones" | "telephone" | "number" | "work" | "business phone" | "telefon" | "téléphone" => {
            PhoneKind::Work
        }
        "mobile" | "cell" | "mobile phone" | "handy" | "portable" => PhoneKind::Mobile,
        "home" | "home phone" | "privat" => PhoneKind::Home,
        "extension" | "ext" | "internal" => PhoneKind::Extension,
        "sip" => PhoneKind::Sip,
        "fax" => PhoneKind::Fax,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_spreadsheets_file_with_semicolons_and_a_byte_order_mark() {
        let file = "\u{feff}Name;Phone;Mobile;Company\r\nZoë Keller;044 555 01 02;079 555 01 03;Example AG\r\n;1;;\r\nNo number;;;\r\n";
        let (contacts, left_out) = read(file.as_bytes(), Format::Csv).unwrap();
        assert_eq!((contacts.len(), left_out), (1, 2));
        assert_eq!(contacts[0].display_name, "Zoë Keller");
        assert_eq!(contacts[0].organization.as_deref(), Some("Example AG"));
        let kinds: Vec<PhoneKind> = contacts[0].phones.iter().map(|phone| phone.kind).collect();
        assert_eq!(kinds, [PhoneKind::Work, PhoneKind::Mobile]);
    }

    #[test]
    fn dir_4_a_spreadsheets_file_in_windows_1252() {
        let file = b"Nom;Name;Phone\r\n1;Fran\xe7ois L\x9c;0145672110\r\n2;Zo\xc3\xab;0145672111\r\n";
        let (contacts, _) = read(file, Format::Csv).unwrap();
        let names: Vec<&str> = contacts.iter().map(|contact| contact.display_name.as_str()).collect();
        assert_eq!(names, ["François Lœ", "Zoë"], "each cell by itself");
    }

    #[test]
    fn dir_3_dir_4_what_this_desk_exports_comes_back_with_its_names_apart() {
        let file = "lastname,firstname,company,office,phone,voicemail,xmpp,calendar,web\n\
            van der Berg,Anna,Acme,3B,2110,*972110,anna@example.org,https://c.example/a,https://example.org/anna\n";
        let (contacts, _) = read(file.as_bytes(), Format::Csv).unwrap();
        let anna = &contacts[0];
        assert_eq!((anna.display_name.as_str(), anna.phones.len()), ("Anna van der Berg", 1));
        assert_eq!(anna.url.as_deref(), Some("https://example.org/anna"));
        let extra: Vec<(&str, &str)> =
            anna.extra.iter().map(|field| (field.key.as_str(), field.value.as_str())).collect();
        assert_eq!(
            extra,
            [
                ("first-name", "Anna"),
                ("last-name", "van der Berg"),
                ("office", "3B"),
                ("voicemail", "*972110"),
                ("xmpp", "anna@example.org"),
                ("calendar", "https://c.example/a"),
            ]
        );
        let (half, _) = read(b"name,vorname,phone\nKeller,Anna,2110\n", Format::Csv).unwrap();
        assert_eq!((half[0].display_name.as_str(), half[0].extra.len()), ("Keller", 0));
    }

    #[test]
    fn json_with_a_byte_order_mark_is_seen_and_read() {
        let file = b"\xef\xbb\xbf[{\"name\": \"Ann\", \"phone\": \"1\"}]";
        let format = Format::of(None, None, file);
        assert_eq!((format, read(file, format).unwrap().0.len()), (Format::Json, 1));
    }

    #[test]
    fn a_json_list_inside_an_object() {
        let file = br#"{"count": 2, "people": [
            {"id": 7, "first name": "Ann", "last name": "Lee", "phones": ["555-0100", "555-0101"]}, 12]}"#;
        let (contacts, left_out) = read(file, Format::Json).unwrap();
        assert_eq!((contacts.len(), left_out), (1, 1));
        assert_eq!((contacts[0].id.as_str(), contacts[0].display_name.as_str()), ("7", "Ann Lee"));
        assert_eq!(contacts[0].phones.len(), 2);
    }

    #[test]
    fn rubbish_is_an_error_or_nothing_but_never_a_panic() {
        assert!(read(b"{]", Format::Json).is_err());
        assert!(read(b"12", Format::Json).is_err());
        assert!(read(b"{\"error\": \"sign in\"}", Format::Json).is_err());
        assert!(read(b"<!DOCTYPE html>\n<title>Sign in</title>\n", Format::Csv).is_err());
        assert!(read(b"", Format::Csv).is_err());
        for length in 0..64_usize {
            let noise: Vec<u8> = (0..length).map(|at| (at * 37 + length * 101) as u8).collect();
            if let Ok((contacts, _)) = read(&noise, Format::Csv) {
                assert!(contacts.len() <= length);
            }
        }
    }

    #[test]
    fn the_format_is_set_said_or_seen() {
        assert_eq!(Format::of(Some("csv"), Some("application/json"), b"["), Format::Csv);
        assert_eq!(Format::of(Some("auto"), Some("application/json"), b"x"), Format::Json);
        assert_eq!(Format::of(None, Some("text/csv"), b"[a"), Format::Csv);
        assert_eq!(Format::of(None, None, b"  [1"), Format::Json);
        assert_eq!(Format::of(None, None, b"name,phone"), Format::Csv);
    }
}
