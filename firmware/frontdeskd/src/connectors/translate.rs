//! What a connector's contact is called in the directory (DIR-2). Plain functions.

use directory::Contact;
use ipc::PluginContact;

/// The contact's source has one name for some of these, another has two numbers where a form here has one: the
/// internal one is called first, and what finds no field is told in the note.
pub(crate) fn contact(from: PluginContact) -> Contact {
    let extra = |keys: &[&str]| -> String {
        let known = |key: &&str| from.extra.iter().find(|(name, text)| name == key && !text.is_empty());
        keys.iter().find_map(known).map(|(_, text)| text.clone()).unwrap_or_default()
    };
    let (mut first_name, mut last_name) = (extra(&["first-name"]), extra(&["last-name"]));
    if first_name.is_empty() && last_name.is_empty() {
        (first_name, last_name) = parted(&from.name);
    }
    let mut numbers = Numbers(from.phones.clone());
    let phone = numbers.take(&["extension", "work", "sip", "other"]);
    let mobile = numbers.take(&["mobile"]);
    let home = numbers.take(&["home"]);
    let mut note = from.note.clone().unwrap_or_default();
    for (kind, number) in numbers.0 {
        if !note.is_empty() {
            note.push('\n');
        }
        note.push_str(&Contact::number_line(&kind, &number));
    }
    Contact {
        first_name,
        last_name,
        company: from.organization.clone().unwrap_or_default(),
        office: extra(&["office"]),
        department: from.department.clone().unwrap_or_default(),
        title: from.title.clone().unwrap_or_default(),
        note,
        phone,
        mobile,
        home,
        voicemail: extra(&["voicemail"]),
        email: from.emails.first().cloned().unwrap_or_default(),
        xmpp: extra(&["xmpp", "jabber"]),
        calendar: extra(&["calendar"]),
        web: from.url.clone().unwrap_or_default(),
        ..Contact::default()
    }
}

struct Numbers(Vec<(String, String)>);

impl Numbers {
    /// The first number of the first of these kinds.
    fn take(&mut self, kinds: &[&str]) -> String {
        let found = kinds.iter().find_map(|kind| self.0.iter().position(|(of, _)| of == kind));
        found.map(|at| self.0.remove(at).1).unwrap_or_default()
    }
}

/// First and last name of a name in one piece: "Solberg, Ingrid" and "Ingrid Solberg". What is in no two pieces is a
/// last name.
fn parted(name: &str) -> (String, String) {
    let parts = match name.split_once(',') {
        Some((last, first)) => Some((first, last)),
        None => name.rsplit_once(' '),
    };
    let (first, last) = parts.unwrap_or(("", name));
    (first.trim().to_owned(), last.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, phones: &[(&str, &str)], extra: &[(&str, &str)]) -> Contact {
        let owned = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>()
        };
        contact(PluginContact {
            id: "1".into(),
            name: name.into(),
            organization: None,
            department: None,
            title: None,
            phones: owned(phones),
            emails: vec!["a@example.org".into(), "b@example.org".into()],
            note: None,
            url: None,
            extra: owned(extra),
        })
    }

    #[test]
    fn a_name_in_one_piece_is_parted_as_people_write_it() {
        for (name, first, last) in [
            ("Ingrid Solberg", "Ingrid", "Solberg"),
            ("Solberg, Ingrid", "Ingrid", "Solberg"),
            ("Jean Luc Picard", "Jean Luc", "Picard"),
            ("Reception", "", "Reception"),
        ] {
            let contact = person(name, &[], &[]);
            assert_eq!((contact.first_name.as_str(), contact.last_name.as_str()), (first, last), "{name}");
        }
        let contact = person("X Y", &[], &[("last-name", "Solberg"), ("first-name", "Ingrid")]);
        assert_eq!((contact.first_name.as_str(), contact.last_name.as_str()), ("Ingrid", "Solberg"));
    }

    #[test]
    fn the_internal_number_is_called_first_and_none_is_lost() {
        let phones = [("work", "+41441112233"), ("extension", "2233"), ("mobile", "+4179"), ("fax", "99")];
        let contact = person("A", &phones, &[("office", "3B"), ("xmpp", "a@x")]);
        assert_eq!((contact.phone.as_str(), contact.mobile.as_str()), ("2233", "+4179"));
        assert_eq!(contact.note, "work: +41441112233\nfax: 99");
        assert_eq!((contact.office.as_str(), contact.xmpp.as_str()), ("3B", "a@x"));
        assert_eq!(contact.email, "a@example.org");
        assert_eq!(person("A", &[("work", "1")], &[]).phone, "1");
    }
}
