//! What an answer means: where its list is, which records have the caller's number, and how one becomes a card.
//! A record that has not the number is nobody's card, whatever the search thought. No network here.

use frontdesk_connector::crm::same_number;
use frontdesk_connector::serde_json::Value;
use frontdesk_connector::{Card, CardKind, Error, Line, misconfigured};

use crate::plan::Settings;
use crate::template;

/// Records that are looked at in one answer.
const MOST: usize = 200;
/// Text of a field, in characters.
const LONGEST: usize = 500;
/// Lines of a card.
const LINES: usize = 12;

/// Where things are in an answer. A path is keys and places in lists, divided by dots: `address.city`, `phones.0`.
#[derive(Debug)]
pub(crate) struct Shape {
    list: String,
    id: String,
    name: Vec<String>,
    organization: Vec<String>,
    numbers: Vec<String>,
    lines: Vec<(String, String)>,
    page: String,
    trusted: bool,
}

impl Shape {
    pub(crate) fn read(settings: &Settings) -> Result<Self, Error> {
        let wrong = |field: &str, words: &str| Err(misconfigured(Some(field), words));
        let shape = Self {
            list: settings.list.trim().to_owned(),
            id: settings.id.trim().to_owned(),
            name: paths(&settings.name),
            organization: paths(&settings.organization),
            numbers: paths(&settings.numbers),
            lines: lines(&settings.lines)?,
            page: settings.page.trim().to_owned(),
            trusted: settings.trust_search,
        };
        if shape.id.is_empty() {
            return wrong("id", "the field with the identity of a customer is needed");
        }
        if shape.name.is_empty() {
            return wrong("name", "the field with the name is needed");
        }
        let is_web = |text: &str| text.starts_with("https://") || text.starts_with("http://");
        if !shape.page.is_empty() && (!is_web(&shape.page) || shape.page.contains(char::is_whitespace)) {
            return wrong("page", "an address such as https://crm.example.com/customers/{id}");
        }
        Ok(shape)
    }

    /// The records of an answer.
    ///
    /// # Errors
    /// [`Error::Protocol`] where there is no list, which is also how a page for people looks.
    pub(crate) fn records<'answer>(&self, answer: &'answer Value) -> Result<Vec<&'answer Value>, Error> {
        let missing = |words: String| Err(Error::Protocol(words));
        let found = if self.list.is_empty() {
            match answer {
                Value::Object(object) => object.values().find(|value| value.is_array()).unwrap_or(answer),
                other => other,
            }
        } else {
            match at(answer, &self.list) {
                Some(found) => found,
                None => return missing(format!("the answer has nothing at {}", self.list)),
            }
        };
        match found {
            Value::Array(list) => Ok(list.iter().take(MOST).collect()),
            // One customer without a list around it.
            Value::Object(_) if at(found, &self.id).is_some() => Ok(vec![found]),
            Value::Null if !self.list.is_empty() => Ok(Vec::new()),
            _ => missing("neither a list of customers nor one customer".to_owned()),
        }
    }

    /// The card of a record that has one of these numbers.
    pub(crate) fn card(&self, record: &Value, spellings: &[String]) -> Option<Card> {
        if !self.trusted && !self.has_number(record, spellings) {
            return None;
        }
        let id = text(record, &self.id)?;
        let organization = joined(record, &self.organization);
        let name = joined(record, &self.name).or_else(|| organization.clone())?;
        let lines = self
            .lines
            .iter()
            .filter_map(|(label, path)| Some(Line { label: label.clone(), value: text(record, path)? }));
        let lines = lines.take(LINES).collect();
        let page = template::address(&self.page, |path| at(record, path).cloned()).ok();
        let url = page.filter(|page| !page.is_empty());
        Some(Card {
            kind: CardKind::Person,
            id,
            organization: organization.filter(|organization| *organization != name),
            name,
            lines,
            url,
        })
    }

    fn has_number(&self, record: &Value, spellings: &[String]) -> bool {
        if self.numbers.is_empty() {
            return anywhere(record, spellings);
        }
        self.numbers.iter().filter_map(|path| at(record, path)).any(|value| anywhere(value, spellings))
    }
}

/// Whether a value, or anything in it, is one of these numbers.
fn anywhere(value: &Value, spellings: &[String]) -> bool {
    match value {
        Value::String(text) => same_number(text, spellings),
        // A number as a number of JSON has lost its zeros in front: it is the same only without any.
        Value::Number(number) => same_number(&number.to_string(), spellings),
        Value::Array(list) => list.iter().any(|item| anywhere(item, spellings)),
        Value::Object(object) => object.values().any(|item| anywhere(item, spellings)),
        Value::Bool(_) | Value::Null => false,
    }
}

/// The value at a path.
fn at<'value>(value: &'value Value, path: &str) -> Option<&'value Value> {
    path.split('.').try_fold(value, |value, key| match value {
        Value::Array(list) => list.get(key.parse::<usize>().ok()?),
        other => other.get(key),
    })
}

fn text(record: &Value, path: &str) -> Option<String> {
    let value = at(record, path)?;
    let text = match value {
        Value::Array(list) => {
            list.iter().map(template::plain).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
        }
        other => template::plain(other),
    };
    // The desk shows no more, and a card that is too large is left out altogether.
    let text: String = text.trim().chars().take(LONGEST).collect();
    (!text.is_empty()).then_some(text)
}

/// Several fields, a blank between them: `first_name last_name`.
fn joined(record: &Value, paths: &[String]) -> Option<String> {
    let parts: Vec<String> = paths.iter().filter_map(|path| text(record, path)).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn paths(setting: &str) -> Vec<String> {
    setting.split([' ', ',', '\n', '\t']).filter(|path| !path.is_empty()).map(str::to_owned).collect()
}

fn lines(setting: &str) -> Result<Vec<(String, String)>, Error> {
    let wrong = || misconfigured(Some("lines"), "a line each, such as: Contract = contract.level");
    setting
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (label, path) = line.split_once('=').ok_or_else(wrong)?;
            let (label, path) = (label.trim(), path.trim());
            let good = !label.is_empty() && !path.is_empty() && !path.contains(char::is_whitespace);
            if good { Ok((label.to_owned(), path.to_owned())) } else { Err(wrong()) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use frontdesk_connector::serde_json::json;
    use proptest::prelude::*;

    fn shape(change: impl Fn(&mut Settings)) -> Shape {
        let mut settings = Settings {
            id: "id".to_owned(),
            name: "first last".to_owned(),
            organization: "company.name".to_owned(),
            lines: "Contract = contract.level\n\nTags = tags\nNothing = nowhere".to_owned(),
            page: "https://crm.example/c/{id}?n={first}".to_owned(),
            ..Settings::default()
        };
        change(&mut settings);
        Shape::read(&settings).unwrap()
    }

    fn caller() -> Vec<String> {
        vec!["+41445550001".to_owned(), "0445550001".to_owned()]
    }

    #[test]
    fn a_record_becomes_a_card() {
        let answer = json!({"count": 1, "customers": [{"id": 7, "first": "Zoë & Co", "last": "Keller",
            "company": {"name": "Example AG"}, "phones": [{"n": "044 555 00 01"}],
            "contract": {"level": "Gold"}, "tags": ["vip", "de"]}]});
        let shape = shape(|_| ());
        let records = shape.records(&answer).unwrap();
        let card = shape.card(records[0], &caller()).unwrap();
        assert_eq!((card.id.as_str(), card.name.as_str()), ("7", "Zoë & Co Keller"));
        assert_eq!(card.organization.as_deref(), Some("Example AG"));
        let lines: Vec<(&str, &str)> =
            card.lines.iter().map(|line| (line.label.as_str(), line.value.as_str())).collect();
        assert_eq!(lines, [("Contract", "Gold"), ("Tags", "vip, de")]);
        assert_eq!(card.url.as_deref(), Some("https://crm.example/c/7?n=Zo%C3%AB%20%26%20Co"));
    }

    #[test]
    fn who_has_another_number_is_nobody() {
        let record = json!({"id": 7, "first": "Ann", "phone": "044 555 00 02", "fax": "044 555 00 01"});
        assert!(shape(|_| ()).card(&record, &caller()).is_some());
        assert!(shape(|form| form.numbers = "phone, mobile".to_owned()).card(&record, &caller()).is_none());
        assert!(shape(|form| form.numbers = "fax".to_owned()).card(&record, &caller()).is_some());
        let long = json!({"id": 7, "first": "é".repeat(20_000), "phone": "0445550001"});
        let card = shape(|_| ()).card(&long, &caller()).unwrap();
        assert_eq!(card.name.chars().count(), LONGEST);
        let without = json!({"id": 7, "first": "Ann"});
        assert!(shape(|_| ()).card(&without, &caller()).is_none());
        assert!(shape(|form| form.trust_search = true).card(&without, &caller()).is_some());
    }

    #[test]
    fn the_list_is_found_or_the_answer_is_none() {
        let auto = shape(|_| ());
        assert_eq!(auto.records(&json!([1, 2])).unwrap().len(), 2);
        assert_eq!(auto.records(&json!({"id": 7})).unwrap().len(), 1);
        for bad in [json!({"error": "sign in"}), json!("x"), json!(null), json!(3)] {
            assert!(matches!(auto.records(&bad), Err(Error::Protocol(_))), "{bad}");
        }
        let named = shape(|form| form.list = "data.0.people".to_owned());
        assert_eq!(named.records(&json!({"data": [{"people": [1]}]})).unwrap().len(), 1);
        assert!(named.records(&json!({"data": [{"people": null}]})).unwrap().is_empty());
        assert!(named.records(&json!({"data": []})).is_err());
    }

    proptest! {
        #[test]
        fn no_card_without_the_number(stored in "\\+?[0-9]{6,12}", caller in "\\+?[0-9]{6,12}") {
            let record = json!({"id": 1, "first": "Ann", "phone": stored});
            let card = shape(|_| ()).card(&record, std::slice::from_ref(&caller));
            let plain = |text: &str| match text.strip_prefix("00") {
                Some(rest) if rest.len() >= 7 => format!("+{rest}"),
                _ => text.to_owned(),
            };
            prop_assert_eq!(card.is_some(), plain(&stored) == plain(&caller));
        }
    }
}
