//! What an entry says of a person: which attribute is which field, in the names of inetOrgPerson (RFC 2798) and
//! of Active Directory, both at once, since no server has an attribute of the other's by another meaning.

use frontdesk_connector::crm::{ending, same_number};
use frontdesk_connector::ldap::Entry;
use frontdesk_connector::{Contact, Error, Field, Phone, PhoneKind, escape, misconfigured};

use crate::place;
use crate::texts;

/// What tells one entry from another for ever, the best first; without one, its name.
pub(crate) const IDS: [&str; 2] = ["entryUUID", "objectGUID"];

/// Field, and the attributes that may have it, the best first.
const FIELDS: [(&str, &str); 14] = [
    ("name", "displayName, cn"),
    ("first-name", "givenName"),
    ("last-name", "sn"),
    ("company", "company, o"),
    ("office", "physicalDeliveryOfficeName, roomNumber"),
    ("department", "department, ou, departmentNumber"),
    ("title", "title"),
    ("phone", "telephoneNumber, otherTelephone"),
    ("mobile", "mobile, otherMobile"),
    ("home", "homePhone, otherHomePhone"),
    ("extension", "ipPhone"),
    ("mail", "mail"),
    ("web", "labeledURI, wWWHomePage"),
    ("note", "description"),
];

/// Spellings of a number, and attributes, that are looked for at once: the product is what a server has to do.
const MOST: usize = 12;

/// Words that are looked for, and the shortest of them in characters: a server has to read much for less.
const WORDS: usize = 4;
const SHORTEST: usize = 2;

/// Fewer digits may be anybody's, with others between them.
const FEWEST: usize = 6;

/// Fields in which words are looked for.
const SEARCHED: [&str; 5] = ["name", "first-name", "last-name", "company", "department"];

const PHONES: [(&str, PhoneKind); 4] = [
    ("phone", PhoneKind::Work),
    ("mobile", PhoneKind::Mobile),
    ("home", PhoneKind::Home),
    ("extension", PhoneKind::Extension),
];

/// Which attribute is which field.
pub(crate) struct Map(Vec<(&'static str, Vec<String>)>);

impl Map {
    /// The fields as they are usually called, and lines such as `mobile = pager, mobile` for those that are not.
    /// A line without an attribute leaves the field out.
    pub(crate) fn read(lines: &str) -> Result<Self, Error> {
        let list = |text: &str| {
            text.split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let mut fields: Vec<(&'static str, Vec<String>)> =
            FIELDS.iter().map(|(field, attributes)| (*field, list(attributes))).collect();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let wrong = |words: &str| misconfigured(Some("attributes"), &format!("{line}: {words}"));
            let (field, attributes) =
                line.split_once('=').ok_or_else(|| wrong("write: field = attribute, attribute"))?;
            let known = fields.iter_mut().find(|(name, _)| *name == field.trim().to_lowercase());
            let (_, names) = known.ok_or_else(|| {
                let known: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
                wrong(&format!("the fields are {}", known.join(", ")))
            })?;
            *names = list(attributes);
            let good = |name: &String| {
                name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.;".contains(&byte))
            };
            if names.len() > 4 || !names.iter().all(good) {
                return Err(wrong("at most four names of attributes"));
            }
        }
        Ok(Self(fields))
    }

    /// All attributes that have to be asked for.
    pub(crate) fn names(&self) -> Vec<String> {
        let fields = self.0.iter().flat_map(|(_, names)| names.iter().cloned());
        let ours = IDS.iter().chain(&place::STAMPS).map(|name| (*name).to_owned());
        let mut names: Vec<String> = fields.chain(ours).collect();
        names.sort();
        names.dedup();
        names
    }

    /// A filter for whoever has one of these spellings of a number; none, if there is nothing to look for.
    pub(crate) fn has_number(&self, numbers: &[String]) -> Option<String> {
        let names = self.attributes(&PHONES.map(|(field, _)| field));
        let mut filter = String::new();
        for number in numbers.iter().filter(|number| !number.trim().is_empty()).take(MOST) {
            for name in &names {
                filter += &format!("({name}={})", escape(number.trim()));
            }
        }
        (!filter.is_empty()).then(|| format!("(|{filter})"))
    }

    /// A filter for whoever may have one of these spellings of a number, with whatever between its digits; none, if they
    /// are too few. Active Directory, for one, takes +41 44 555 and +4144555 for two numbers.
    pub(crate) fn may_have_number(&self, numbers: &[String]) -> Option<String> {
        let digits = ending(numbers).filter(|digits| digits.len() >= FEWEST)?;
        let names = self.attributes(&PHONES.map(|(field, _)| field));
        let pattern = spaced(&digits);
        let filter: String = names.iter().map(|name| format!("({name}={pattern})")).collect();
        (!filter.is_empty()).then(|| format!("(|{filter})"))
    }

    /// A filter for whoever has each of these words in a name, a company, a department or a number; none, if there is
    /// no word that could be looked for.
    pub(crate) fn has_words(&self, text: &str) -> Option<String> {
        self.each_word(text, |word| format!("*{}*", escape(word)))
    }

    /// The same with whatever between the digits of a number; none, if no number among the words is long enough for that. No
    /// index helps a server with it: it is for when nobody has the words as they stand.
    pub(crate) fn may_have_words(&self, text: &str) -> Option<String> {
        let is_any_long = sought(text).any(|word| long_number(word).is_some());
        let value = |word: &str| match long_number(word) {
            Some(digits) => spaced(&digits),
            None => format!("*{}*", escape(word)),
        };
        is_any_long.then(|| self.each_word(text, value)).flatten()
    }

    /// A filter with what `value` makes of each of these words.
    fn each_word(&self, text: &str, value: impl Fn(&str) -> String) -> Option<String> {
        let (texts, phones) = (self.attributes(&SEARCHED), self.attributes(&PHONES.map(|(field, _)| field)));
        let mut filter = String::new();
        for word in sought(text) {
            let attributes = if is_number(word) { &phones } else { &texts };
            let value = value(word);
            let any: String = attributes.iter().map(|name| format!("({name}={value})")).collect();
            if !any.is_empty() {
                filter += &format!("(|{any})");
            }
        }
        (!filter.is_empty()).then(|| format!("(&{filter})"))
    }

    /// The person; none without a name, a number or an id.
    pub(crate) fn contact(&self, entry: &Entry) -> Option<Contact> {
        let first = self.first(entry, "first-name");
        let last = self.first(entry, "last-name");
        let composed = [&first, &last].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        let display_name =
            self.first(entry, "name").or_else(|| Some(composed).filter(|name| !name.is_empty()))?;
        let phones = self.phones(entry);
        if phones.is_empty() {
            return None;
        }
        // The address, without the label behind it (RFC 2079).
        let url = self.first(entry, "web").and_then(|text| text.split_whitespace().next().map(str::to_owned));
        let extra = [("first-name", first), ("last-name", last), ("office", self.first(entry, "office"))];
        let extra =
            extra.into_iter().filter_map(|(key, value)| Some(Field { key: key.to_owned(), value: value? }));
        Some(Contact {
            id: id(entry)?,
            display_name,
            organization: self.first(entry, "company"),
            department: self.first(entry, "department"),
            title: self.first(entry, "title"),
            phones,
            emails: self.all(entry, "mail").take(8).map(str::to_owned).collect(),
            note: self.first(entry, "note"),
            url,
            extra: extra.collect(),
        })
    }

    /// The attributes of these fields.
    fn attributes(&self, wanted: &[&str]) -> Vec<&String> {
        let fields = self.0.iter().filter(|(field, _)| wanted.contains(field));
        fields.flat_map(|(_, names)| names).take(MOST).collect()
    }

    fn phones(&self, entry: &Entry) -> Vec<Phone> {
        let mut phones: Vec<Phone> = Vec::new();
        for (field, kind) in PHONES {
            for number in self.all(entry, field).filter(|text| text.bytes().any(|byte| byte.is_ascii_digit()))
            {
                // Some directories say the same number under each name they know.
                if phones.len() < 16 && !phones.iter().any(|phone| phone.number == number) {
                    phones.push(Phone { kind, number: number.to_owned() });
                }
            }
        }
        phones
    }

    fn all<'entry>(&self, entry: &'entry Entry, field: &str) -> impl Iterator<Item = &'entry str> {
        let names = self.0.iter().find(|(name, _)| *name == field).map(|(_, names)| names.as_slice());
        names.unwrap_or_default().iter().flat_map(|name| texts(entry, name))
    }

    fn first(&self, entry: &Entry, field: &str) -> Option<String> {
        self.all(entry, field).next().map(str::to_owned)
    }
}

/// Whether somebody has one of these spellings of a number.
pub(crate) fn has_one_of(contact: &Contact, numbers: &[String]) -> bool {
    contact.phones.iter().any(|phone| same_number(&phone.number, numbers))
}

/// The words of a text that are looked for.
fn sought(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().filter(|word| word.chars().count() >= SHORTEST).take(WORDS)
}

/// A word of digits, and of what stands between those of a number.
fn is_number(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().all(|byte| byte.is_ascii_digit() || b"+-/().".contains(&byte))
}

/// The digits of a word that is a number, where they are not too few to have others between them.
fn long_number(word: &str) -> Option<String> {
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    (is_number(word) && digits.len() >= FEWEST).then_some(digits)
}

/// Digits, with whatever between them (RFC 4515).
fn spaced(digits: &str) -> String {
    digits.chars().flat_map(|digit| ['*', digit]).chain(['*']).collect()
}

/// The entry's own id; its name where the server has none.
pub(crate) fn id(entry: &Entry) -> Option<String> {
    let of = |wanted: &str| {
        let attribute =
            entry.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(wanted))?;
        attribute.values.first().filter(|value| !value.is_empty())
    };
    let id = match (of("entryUUID"), of("objectGUID")) {
        (Some(uuid), _) => String::from_utf8_lossy(uuid).to_lowercase(),
        (None, Some(guid)) => place::hex(guid),
        (None, None) => entry.dn.to_lowercase(),
    };
    (1..=512).contains(&id.len()).then_some(id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use frontdesk_connector::ldap::Attribute;

    fn entry(attributes: &[(&str, &[&str])]) -> Entry {
        let attribute = |(name, values): &(&str, &[&str])| Attribute {
            name: (*name).to_owned(),
            values: values.iter().map(|value| value.as_bytes().to_vec()).collect(),
        };
        Entry { dn: "CN=Zoë,DC=x".to_owned(), attributes: attributes.iter().map(attribute).collect() }
    }

    #[test]
    fn an_entry_of_openldap_and_one_of_active_directory() {
        let map = Map::read("").unwrap();
        let open = entry(&[
            ("cn", &["Zoë Keller", "Z. Keller"]),
            ("sn", &["Keller"]),
            ("givenName", &["Zoë"]),
            ("o", &["Example AG"]),
            ("ou", &["Sales"]),
            ("telephoneNumber", &["+41 44 555 01 02", "x"]),
            ("mobile", &["079 555 01 03"]),
            ("labeledURI", &["https://example.com/zoe her page"]),
            ("entryUUID", &["ABC-1"]),
        ]);
        let contact = map.contact(&open).unwrap();
        assert_eq!((contact.id.as_str(), contact.display_name.as_str()), ("abc-1", "Zoë Keller"));
        assert_eq!(contact.organization.as_deref(), Some("Example AG"));
        assert_eq!(contact.url.as_deref(), Some("https://example.com/zoe"));
        assert_eq!(contact.phones.len(), 2);
        let extra: Vec<&str> = contact.extra.iter().map(|field| field.key.as_str()).collect();
        assert_eq!(extra, ["first-name", "last-name"]);

        let active = entry(&[
            ("displayName", &["Bo Chen (HR)"]),
            ("cn", &["bchen"]),
            ("department", &["HR"]),
            ("physicalDeliveryOfficeName", &["B 2.14"]),
            ("ipPhone", &["214"]),
            ("telephoneNumber", &["214"]),
        ]);
        let contact = map.contact(&active).unwrap();
        assert_eq!((contact.id.as_str(), contact.display_name.as_str()), ("cn=zoë,dc=x", "Bo Chen (HR)"));
        assert_eq!(contact.phones.len(), 1, "the same number twice is one");
        assert_eq!(contact.extra[0].value, "B 2.14");
    }

    #[test]
    fn without_a_number_or_a_name_it_is_left_out() {
        let map = Map::read("").unwrap();
        assert!(map.contact(&entry(&[("cn", &["Ann"])])).is_none());
        assert!(map.contact(&entry(&[("telephoneNumber", &["555 0100"])])).is_none());
        assert!(map.contact(&entry(&[("cn", &["Ann"]), ("telephoneNumber", &["ask"])])).is_none());
        let composed = entry(&[("givenName", &["Ann"]), ("sn", &["Lee"]), ("mobile", &["1"])]);
        assert_eq!(map.contact(&composed).unwrap().display_name, "Ann Lee");
    }

    #[test]
    fn a_number_is_looked_for_under_all_its_names_and_cannot_leave_the_filter() {
        let map = Map::read("phone = telephoneNumber\nmobile =\nhome = homePhone\nextension =").unwrap();
        let numbers = ["+41445550001".to_owned(), " ".to_owned(), "*)(cn=*".to_owned()];
        assert_eq!(
            map.has_number(&numbers).as_deref(),
            Some(
                "(|(telephoneNumber=+41445550001)(homePhone=+41445550001)\
                 (telephoneNumber=\\2a\\29\\28cn=\\2a)(homePhone=\\2a\\29\\28cn=\\2a))"
            )
        );
        assert_eq!(map.has_number(&[]), None);
        let many = vec!["1".to_owned(); 1000];
        let filter = Map::read("").unwrap().has_number(&many).unwrap();
        assert!(filter.matches('=').count() <= MOST * MOST);
    }

    #[test]
    fn call_5_a_number_may_be_written_with_anything_between_its_digits() {
        let map = Map::read("phone = telephoneNumber\nmobile = pager\nhome =\nextension =").unwrap();
        let numbers = ["+33145672110", "0145672110"].map(str::to_owned);
        assert_eq!(
            map.may_have_number(&numbers).as_deref(),
            Some("(|(telephoneNumber=*4*5*6*7*2*1*1*0*)(pager=*4*5*6*7*2*1*1*0*))")
        );
        assert_eq!(map.may_have_number(&["2110".to_owned()]), None, "an extension is somebody's ending");
        assert_eq!(map.may_have_number(&["*".to_owned()]), None);
        let person =
            |number: &str| map.contact(&entry(&[("cn", &["Ann"]), ("telephoneNumber", &[number])])).unwrap();
        assert!(has_one_of(&person("+33 (0)1 45 67 21 10"), &numbers));
        assert!(!has_one_of(&person("+33 1 45 67 21 109"), &numbers));
    }

    #[test]
    fn dir_7_a_typed_number_is_asked_for_as_it_stands_before_anything_is_between_its_digits() {
        let map = Map::read("phone = telephoneNumber\nmobile =\nhome =\nextension =").unwrap();
        let plain = map.has_words("01.45.67").unwrap();
        assert_eq!(plain, "(&(|(telephoneNumber=*01.45.67*)))", "which an index for substrings makes quick");
        let wide = map.may_have_words("01.45.67").unwrap();
        assert_eq!(wide, "(&(|(telephoneNumber=*0*1*4*5*6*7*)))");
        let both = map.may_have_words("ann 01.45.67").unwrap();
        assert!(both.contains("(cn=*ann*)") && both.contains("(telephoneNumber=*0*1*4*5*6*7*)"), "{both}");
        for nothing_else in ["ann lee", "ann 04412", "a1b2c3d4e5f6", ""] {
            assert_eq!(map.may_have_words(nothing_else), None, "{nothing_else}");
        }
    }

    #[test]
    fn words_are_looked_for_in_names_and_numbers_among_phones() {
        let lines = "first-name =\nlast-name = sn\ncompany = o\ndepartment =\nname = cn\nphone = telephoneNumber\n\
            mobile =\nhome =\nextension =";
        let map = Map::read(lines).unwrap();
        assert_eq!(
            map.has_words(" ann  *) 0441 x").as_deref(),
            Some(
                "(&(|(cn=*ann*)(sn=*ann*)(o=*ann*))(|(cn=*\\2a\\29*)(sn=*\\2a\\29*)(o=*\\2a\\29*))(|(telephoneNumber=*0441*)))"
            )
        );
        assert_eq!(map.has_words(" a "), None);
        let long = map.has_words(&"word ".repeat(100)).unwrap();
        assert_eq!(long.matches("cn=").count(), WORDS);
        assert!(Map::read("").unwrap().has_words(&"w".repeat(100)).unwrap().len() < 8000);
    }

    #[test]
    fn attributes_of_another_name() {
        let map = Map::read("Mobile = pager, mobile\n\nnote =").unwrap();
        let entry = entry(&[("CN", &["Ann"]), ("Pager", &["7"]), ("description", &["secret"])]);
        let contact = map.contact(&entry).unwrap();
        assert_eq!((contact.phones[0].kind, contact.note), (PhoneKind::Mobile, None));
        for bad in ["mobile pager", "colour = c", "mobile = a b", "mobile = a,b,c,d,e", "mobile = a)(b=*"] {
            assert!(matches!(Map::read(bad), Err(Error::Misconfigured(_))), "{bad}");
        }
    }
}
