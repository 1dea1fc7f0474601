//! What is read: the users of the organisation, and the contacts of mailboxes. Where each is found in Microsoft
//! Graph v1.0 (user: delta, contact: delta), and which of its properties are asked for.

/// Mailboxes that can be read.
const MOST_MAILBOXES: usize = 20;

/// Of a user.
const USER: &str = "displayName,givenName,surname,mail,userPrincipalName,businessPhones,mobilePhone,faxNumber,\
    jobTitle,department,companyName,officeLocation,accountEnabled";
/// Of a contact.
const CONTACT: &str = "displayName,givenName,surname,companyName,department,jobTitle,officeLocation,\
    businessPhones,homePhones,mobilePhone,emailAddresses,personalNotes";

/// One delta query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The users of the organisation.
    Users,
    /// The contacts of a mailbox, by its address or the id of its user.
    Mailbox(String),
    /// Those of the person who has signed in.
    Me,
}

/// What the settings say, or what is wrong with them.
pub(crate) fn of(users: bool, mailboxes: &str, by_person: bool) -> Result<Vec<Source>, String> {
    let mut sources: Vec<Source> = users.then_some(Source::Users).into_iter().collect();
    for line in mailboxes.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let is_name = |byte: u8| byte.is_ascii_graphic() && !b"/?#%&\\\"<>".contains(&byte);
        let source = match line {
            "me" if by_person => Source::Me,
            "me" => return Err("me is the person who signs in by a code; name the mailbox".to_owned()),
            line if line.len() <= 256 && line.bytes().all(is_name) && !line.trim_matches('.').is_empty() => {
                Source::Mailbox(line.to_ascii_lowercase())
            }
            _ => return Err("a line is the address of a mailbox, such as desk@example.com".to_owned()),
        };
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    if sources.len() > MOST_MAILBOXES {
        return Err(format!("at most {MOST_MAILBOXES} mailboxes"));
    }
    if sources.is_empty() {
        return Err(
            "nothing is to be read: tick the people of the organisation, or name a mailbox".to_owned()
        );
    }
    Ok(sources)
}

impl Source {
    /// For people.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Users => "the organisation",
            Self::Mailbox(mailbox) => mailbox,
            Self::Me => "the person who has signed in",
        }
    }

    /// Where it stands among what is kept.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Users => "users".to_owned(),
            Self::Mailbox(mailbox) => format!("mailbox {mailbox}"),
            Self::Me => "me".to_owned(),
        }
    }

    /// Whether its items are contacts of Outlook.
    pub(crate) fn has_contacts(&self) -> bool {
        *self != Self::Users
    }

    /// The first page of all of it.
    pub(crate) fn first(&self, server: &str) -> String {
        format!("{}/delta?$select={}", self.collection(server), self.select())
    }

    /// One item, whole.
    pub(crate) fn one(&self, server: &str, id: &str) -> String {
        let id: String = id.bytes().map(escaped).collect();
        format!("{}/{id}?$select={}", self.collection(server), self.select())
    }

    fn collection(&self, server: &str) -> String {
        match self {
            Self::Users => format!("{server}/v1.0/users"),
            Self::Mailbox(mailbox) => format!("{server}/v1.0/users/{mailbox}/contacts"),
            Self::Me => format!("{server}/v1.0/me/contacts"),
        }
    }

    fn select(&self) -> &'static str {
        if self.has_contacts() { CONTACT } else { USER }
    }
}

/// A byte of an id in a path (RFC 3986 section 2.3).
fn escaped(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_typed_becomes_what_is_read() {
        let sources = of(true, "Ann@Example.com\n\n  desk@example.com \nann@example.com\n", false).unwrap();
        let mailbox = |name: &str| Source::Mailbox(name.to_owned());
        assert_eq!(sources, [Source::Users, mailbox("ann@example.com"), mailbox("desk@example.com")]);
        assert_eq!(of(false, "me", true).unwrap(), [Source::Me]);
        for (users, mailboxes) in
            [(false, ""), (true, "me"), (true, "a/b"), (true, "../users"), (true, ".."), (true, "a b")]
        {
            assert!(of(users, mailboxes, false).is_err(), "{mailboxes}");
        }
        let many: String = (0..30).map(|n| format!("m{n}@example.com\n")).collect();
        assert!(of(false, &many, false).is_err());
    }

    #[test]
    fn the_addresses_of_microsoft_graph() {
        let first = Source::Mailbox("ann@example.com".to_owned()).first("https://graph.microsoft.com");
        let start =
            "https://graph.microsoft.com/v1.0/users/ann@example.com/contacts/delta?$select=displayName,";
        assert!(first.starts_with(start), "{first}");
        let one = Source::Me.one("https://graph.microsoft.com", "AAk=/+..");
        assert!(
            one.starts_with("https://graph.microsoft.com/v1.0/me/contacts/AAk%3D%2F%2B%2E%2E?$select="),
            "{one}"
        );
        assert!(Source::Users.first("https://x").starts_with("https://x/v1.0/users/delta?$select="));
    }
}
