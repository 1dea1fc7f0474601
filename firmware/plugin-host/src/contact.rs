//! A contact as it came from a plugin, once it has been measured: what is too large, has no name or no id is
//! left out and counted, and nothing else of the page suffers for it.

use serde::{Deserialize, Serialize};

pub(crate) use crate::clean::{clean, is_web};
use crate::guest::types;

/// The largest contact, in bytes of text.
const LARGEST: usize = 16 << 10;
/// The largest id, in bytes.
pub(crate) const LARGEST_ID: usize = 512;
/// More numbers or addresses than anybody has.
const MOST_ITEMS: usize = 64;

/// A number of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// `work`, `mobile`, `home`, `extension`, `sip`, `fax` or `other`.
    pub kind: String,
    /// As it was written at the source.
    pub number: String,
}

/// One person or place. Text as it came, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The source's own id.
    pub id: String,
    /// Never empty.
    pub name: String,
    /// Firm.
    pub organization: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// What somebody is there.
    pub title: Option<String>,
    /// Numbers, perhaps none.
    pub phones: Vec<Phone>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Free text.
    pub note: Option<String>,
    /// Its page at the source; http or https.
    pub url: Option<String>,
    /// What has no field of its own.
    pub extra: Vec<(String, String)>,
}

impl Contact {
    /// Measures a contact; none, if it cannot be used.
    pub(crate) fn measured(raw: types::Contact) -> Option<Self> {
        let id_fits = (1..=LARGEST_ID).contains(&raw.id.len());
        let items = raw.phones.len() + raw.emails.len() + raw.extra.len();
        if !id_fits || items > MOST_ITEMS || size(&raw) > LARGEST {
            return None;
        }
        let name = clean(&raw.display_name);
        if name.is_empty() {
            return None;
        }
        let optional = |text: Option<String>| text.map(|text| clean(&text)).filter(|text| !text.is_empty());
        Some(Self {
            id: raw.id,
            name,
            organization: optional(raw.organization),
            department: optional(raw.department),
            title: optional(raw.title),
            phones: raw.phones.into_iter().map(phone).filter(|phone| !phone.number.is_empty()).collect(),
            emails: raw.emails.iter().map(|text| clean(text)).collect(),
            note: optional(raw.note),
            url: raw.url.map(|url| clean(&url)).filter(|url| is_web(url)),
            extra: raw.extra.into_iter().map(|field| (clean(&field.key), clean(&field.value))).collect(),
        })
    }

    /// Bytes of text in it, about.
    pub(crate) fn size(&self) -> usize {
        let optional = [&self.organization, &self.department, &self.title, &self.note, &self.url];
        let texts = optional.into_iter().flatten().map(String::len).sum::<usize>();
        let phones = self.phones.iter().map(|phone| phone.number.len()).sum::<usize>();
        let emails = self.emails.iter().map(String::len).sum::<usize>();
        let extra = self.extra.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        self.id.len() + self.name.len() + texts + phones + emails + extra
    }
}

fn phone(raw: types::Phone) -> Phone {
    let kind = match raw.kind {
        types::PhoneKind::Work => "work",
        types::PhoneKind::Mobile => "mobile",
        types::PhoneKind::Home => "home",
        types::PhoneKind::Extension => "extension",
        types::PhoneKind::Sip => "sip",
        types::PhoneKind::Fax => "fax",
        types::PhoneKind::Other => "other",
    };
    Phone { kind: kind.to_owned(), number: clean(&raw.number) }
}

fn size(raw: &types::Contact) -> usize {
    let optional = [&raw.organization, &raw.department, &raw.title, &raw.note, &raw.url];
    let texts = optional.into_iter().flatten().map(String::len).sum::<usize>();
    let phones = raw.phones.iter().map(|phone| phone.number.len()).sum::<usize>();
    let emails = raw.emails.iter().map(String::len).sum::<usize>();
    let extra = raw.extra.iter().map(|field| field.key.len() + field.value.len()).sum::<usize>();
    raw.id.len() + raw.display_name.len() + texts + phones + emails + extra
}
