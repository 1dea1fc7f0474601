//! A connector to begin with: a list of people in JSON on a web server, such as
//! `[{ "id": 7, "name": "Ann Lee", "phone": "555 0100", "email": "ann@example.com" }]`.
//!
//! `cargo test --lib` tests it here, `cargo build --release --target wasm32-wasip2` builds it for the desk. Change `Settings` together with connector.toml, `Person` and `contact` to what your server says, and `people` to how
//! it is asked. Everything a host does – addresses, TLS, passwords, limits, when to run – is not your business.

use frontdesk_connector::{
    Contact, DirectorySync, Error, Lifecycle, Page, Phone, PhoneKind, Start, connector, get, header, json,
    log, page_of, serde_json, settings_as,
};
use serde::Deserialize;

/// What the administrator has filled in; the names are the keys of `[[settings]]`. Secrets are not among them.
#[derive(Deserialize)]
struct Settings {
    url: String,
    #[serde(default)]
    user: String,
}

/// What the server says of somebody. What is not named here is not looked at.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Person {
    id: serde_json::Value,
    name: String,
    company: Option<String>,
    phone: String,
    mobile: String,
    email: Option<String>,
}

struct MyDirectory;

// Which interfaces it offers; the manifest names those that are optional.
connector!(MyDirectory: lifecycle, directory_sync);

impl Lifecycle for MyDirectory {
    /// The button "Test" beside the settings: reads, and says what it has found.
    fn check() -> Result<String, Error> {
        let (people, _) = people(&settings_as()?)?;
        Ok(format!("{} people", people.len()))
    }
}

impl DirectorySync for MyDirectory {
    /// One page of the directory. Each call is a fresh instance: nothing is remembered but what is handed in.
    fn fetch(start: Start, limit: u32) -> Result<Page, Error> {
        let (people, version) = people(&settings_as()?)?;
        page_of(people, version.as_deref(), &start, limit)
    }
}

/// Everybody, and the version of the list. A `?` behind `get` already says the right thing to the administrator, and to
/// the host when to try again; `plugins/README.md` has the table of errors.
fn people(settings: &Settings) -> Result<(Vec<Contact>, Option<String>), Error> {
    let auth = if settings.user.is_empty() { None } else { Some("server") };
    let response = get(&settings.url, &[("accept", "application/json")], auth)?;
    let list: Vec<Person> = json(&response)?;
    let count = list.len();
    let people: Vec<Contact> = list.into_iter().filter_map(contact).collect();
    if people.len() < count {
        let words = format!("{} without a name or a number are left out", count - people.len());
        log::write(log::Level::Info, &words);
    }
    Ok((people, header(&response, "etag").map(str::to_owned)))
}

/// Somebody with a name and a number, or nobody. The id is what the host knows the contact by: the same at each run.
fn contact(person: Person) -> Option<Contact> {
    let numbers = [(PhoneKind::Work, person.phone), (PhoneKind::Mobile, person.mobile)];
    let phones: Vec<Phone> = numbers
        .into_iter()
        .filter(|(_, number)| !number.is_empty())
        .map(|(kind, number)| Phone { kind, number })
        .collect();
    let id = match person.id {
        serde_json::Value::Null => person.name.clone(),
        serde_json::Value::String(id) => id,
        other => other.to_string(),
    };
    if person.name.is_empty() || phones.is_empty() {
        return None;
    }
    Some(Contact {
        id,
        display_name: person.name,
        organization: person.company,
        department: None,
        title: None,
        phones,
        emails: person.email.into_iter().collect(),
        note: None,
        url: None,
        extra: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Contact> {
        serde_json::from_str(json).ok().and_then(contact)
    }

    #[test]
    fn somebody_has_a_name_and_a_number() {
        let found = read(r#"{ "id": 7, "name": "Ann Lee", "phone": "555 0100", "badge": true }"#);
        let found = found.map(|contact| (contact.id, contact.display_name, contact.phones.len()));
        assert_eq!(found, Some(("7".to_owned(), "Ann Lee".to_owned(), 1)));
        assert!(read(r#"{ "name": "No Number" }"#).is_none());
        assert!(read(r#"{ "phone": "555 0100" }"#).is_none());
    }
}
