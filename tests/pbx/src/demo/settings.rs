//! The desk's settings for the demo, as `frontdeskd settings import` reads them.

use std::net::SocketAddr;

use serde::Serialize;

use crate::plan::{MAILBOX, PARK_SLOTS};

/// The account the desk registers with.
pub const DEMO_USER: &str = "desk";
/// Its secret: printed in documentation, of no use outside loopback.
pub const DEMO_PASSWORD: &str = "desk-demo-secret";

/// A line of the company that is answered at the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The number outside callers dial.
    pub number: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// How its callers are greeted.
    pub note: &'static str,
    /// Its colour on the screen, 0 to 7.
    pub colour: u8,
}

/// The three lines.
pub const LINES: [Line; 3] = [
    Line { number: "5550000", name: "Main line", note: "Northwind, good morning.", colour: 0 },
    Line { number: "5550100", name: "Sales", note: "Northwind sales, how may I help you?", colour: 2 },
    Line {
        number: "5550200",
        name: "Support",
        note: "Northwind support. Your machine number, please?",
        colour: 4,
    },
];

/// The three directories: name, local, line that brings it to the front, note.
pub const DIRECTORIES: [(&str, bool, Option<&str>, &str); 3] = [
    ("Staff", true, Some("5550000"), "Northwind, good morning."),
    ("Customers", false, Some("5550100"), "Northwind sales, how may I help you?"),
    ("Suppliers", false, None, ""),
];

#[derive(Serialize)]
struct Settings<'a> {
    operator: Operator<'a>,
    accounts: Vec<Account<'a>>,
    lines: Vec<Line>,
    park: Vec<ParkSlot>,
    handling: [Rule; 2],
    directories: Vec<DirectoryRow<'a>>,
}

#[derive(Serialize)]
struct Operator<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Account<'a> {
    user: &'a str,
    domain: String,
    display_name: &'a str,
    password: &'a str,
    registrar: String,
}

#[derive(Serialize)]
struct ParkSlot {
    number: String,
    name: String,
}

/// One rule of automatic handling.
#[derive(Serialize)]
struct Rule {
    name: &'static str,
    when: When,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    modes: &'static [&'static str],
    then: Then,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum When {
    Arrives,
    Unanswered { seconds: u32 },
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Then {
    Voicemail { to: String },
    AnswerAndHold,
}

#[derive(Serialize)]
struct DirectoryRow<'a> {
    name: &'a str,
    local: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'a str,
}

/// The settings file for a desk at the exchange listening on `registrar`.
///
/// # Errors
/// None is known; the writer's own is handed on.
pub fn settings_toml(registrar: SocketAddr, user: &str, password: &str) -> Result<String, toml::ser::Error> {
    let directories = DIRECTORIES.map(|(name, local, line, note)| DirectoryRow { name, local, line, note });
    toml::to_string(&Settings {
        operator: Operator { name: "Front desk" },
        accounts: vec![Account {
            user,
            domain: registrar.ip().to_string(),
            display_name: "Front desk",
            password,
            registrar: registrar.to_string(),
        }],
        lines: LINES.to_vec(),
        park: PARK_SLOTS
            .map(|slot| ParkSlot { number: slot.to_string(), name: format!("Park {slot}") })
            .collect(),
        handling: rules(),
        directories: directories.into(),
    })
}

/// Nobody is sent away at night, and nobody rings on and on by day.
fn rules() -> [Rule; 2] {
    [
        Rule {
            name: "Night service",
            when: When::Arrives,
            modes: &["night", "holiday"],
            then: Then::Voicemail { to: MAILBOX.to_string() },
        },
        Rule {
            name: "Nobody answers",
            when: When::Unanswered { seconds: 30 },
            modes: &["day"],
            then: Then::AnswerAndHold,
        },
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn settings_name_account_lines_and_directories() {
        let text = settings_toml("127.0.0.1:5070".parse().unwrap(), DEMO_USER, "a\"b").unwrap();
        let read: toml::Table = text.parse().unwrap();
        let account = &read["accounts"][0];
        assert_eq!(account["password"].as_str(), Some("a\"b"));
        assert_eq!(account["registrar"].as_str(), Some("127.0.0.1:5070"));
        assert_eq!(account["domain"].as_str(), Some("127.0.0.1"));
        assert_eq!(read["lines"].as_array().unwrap().len(), 3);
        assert_eq!(read["directories"][0]["local"].as_bool(), Some(true));
        assert_eq!(read["operator"]["name"].as_str(), Some("Front desk"));
    }

    #[test]
    fn the_desk_reads_the_rules_and_the_park_slots_as_they_are_meant() {
        let text = settings_toml("127.0.0.1:5070".parse().unwrap(), DEMO_USER, DEMO_PASSWORD).unwrap();
        let mut read: toml::Table = text.parse().unwrap();
        let rules: Vec<ipc::Rule> = read.remove("handling").unwrap().try_into().unwrap();
        assert_eq!((rules[0].when, rules[0].who), (ipc::Trigger::Arrives, ipc::Callers::Anybody));
        assert_eq!(rules[0].modes, [ipc::ServiceMode::Night, ipc::ServiceMode::Holiday]);
        assert_eq!(rules[0].then, ipc::Outcome::Voicemail { to: "2199".into() });
        assert_eq!(rules[1].when, ipc::Trigger::Unanswered { seconds: 30 });
        assert_eq!((&rules[1].then, rules.len()), (&ipc::Outcome::AnswerAndHold, 2));
        let slots: Vec<ipc::ParkSlot> = read.remove("park").unwrap().try_into().unwrap();
        let numbers: Vec<&str> = slots.iter().map(|slot| slot.number.as_str()).collect();
        assert_eq!(numbers, ["701", "702", "703", "704", "705"]);
        let mut colours: Vec<i64> = Vec::new();
        for line in read["lines"].as_array().unwrap() {
            assert!(line["note"].as_str().unwrap().starts_with("Northwind"));
            colours.push(line["colour"].as_integer().unwrap());
        }
        assert_eq!(colours, [0, 2, 4]);
    }
}
