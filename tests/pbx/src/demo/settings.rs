//! The desk's settings for the demo, as `frontdeskd settings import` reads them.

use std::net::SocketAddr;

use serde::Serialize;

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
}

/// The three lines.
pub const LINES: [Line; 3] = [
    Line { number: "5550000", name: "Main line" },
    Line { number: "5550100", name: "Sales" },
    Line { number: "5550200", name: "Support" },
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
        directories: directories.into(),
    })
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
}
