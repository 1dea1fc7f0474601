//! What is asked to find a number (SOSL), and what the answer means. Salesforce compares words of numbers; only who
//! has the whole number becomes a card. No network here.

use frontdesk_connector::crm::{ending, same_number, text};
use frontdesk_connector::serde_json::Value;
use frontdesk_connector::{Card, CardKind, Error, Line};

use crate::api::Server;

/// Spellings in a search.
const SPELLINGS: usize = 10;
/// Fields with numbers, of all kinds of records.
const NUMBERS: [&str; 5] = ["Phone", "MobilePhone", "HomePhone", "OtherPhone", "AssistantPhone"];

/// A search for everybody whose numbers have one of these words; none where there is no number.
pub(crate) fn search(numbers: &[String], leads: bool) -> Option<String> {
    let ending = ending(numbers)?;
    let mut words: Vec<String> = Vec::new();
    for number in numbers.iter().take(SPELLINGS).chain([&ending]) {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        if digits.len() > 1 && !words.contains(&digits) {
            words.push(digits);
        }
    }
    words.extend(grouped(&ending));
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let lead = "Lead(Id, Name, Title, Company, Status, Email, Phone, MobilePhone, Owner.Name WHERE IsConverted = false LIMIT 25), ";
    Some(format!(
        "FIND {{{}}} IN PHONE FIELDS RETURNING Contact(Id, Name, Title, Email, Phone, MobilePhone, HomePhone, OtherPhone, \
         AccountId, Account.Name, Owner.Name LIMIT 50), {}Account(Id, Name, Phone, Type, BillingCity, Owner.Name LIMIT 25)",
        words.join(" OR "),
        if leads { lead } else { "" }
    ))
}

/// The last digits as people group them: punctuation divides a number into words, and a search for them side by
/// side finds them at the end of a longer number.
fn grouped(ending: &str) -> Vec<String> {
    [&[3, 4][..], &[3, 2, 2], &[2, 2, 2, 2], &[4, 4]]
        .iter()
        .filter_map(|groups| {
            let length: usize = groups.iter().sum();
            let mut rest = ending.get(ending.len().checked_sub(length)?..)?;
            let mut words = Vec::new();
            for group in *groups {
                let (word, after) = rest.split_at(*group);
                words.push(word);
                rest = after;
            }
            Some(words.join(" "))
        })
        .collect()
}

/// The cards of those who have the number, people before companies, each with the account to ask about.
pub(crate) fn cards(
    answer: &Value,
    numbers: &[String],
    server: &Server<'_>,
    french: bool,
) -> Result<Vec<(Card, Option<String>)>, Error> {
    let records = answer["searchRecords"]
        .as_array()
        .ok_or_else(|| Error::Protocol("a search without searchRecords".to_owned()))?;
    let has_number = |record: &&Value| {
        let number = |key: &&str| record[*key].as_str().is_some_and(|number| same_number(number, numbers));
        NUMBERS.iter().any(number)
    };
    let mut cards: Vec<_> =
        records.iter().filter(has_number).filter_map(|record| card(record, server, french)).collect();
    cards.sort_by_key(|(card, _)| match card.kind {
        CardKind::Person => 0,
        CardKind::Lead => 1,
        _ => 2,
    });
    Ok(cards)
}

fn card(record: &Value, server: &Server<'_>, french: bool) -> Option<(Card, Option<String>)> {
    let id = text(&record["Id"]).filter(|id| is_id(id))?;
    let kind = match record["attributes"]["type"].as_str()? {
        "Contact" => CardKind::Person,
        "Lead" => CardKind::Lead,
        "Account" => CardKind::Company,
        _ => return None,
    };
    let account = match kind {
        CardKind::Company => Some(id.clone()),
        _ => text(&record["AccountId"]).filter(|id| is_id(id)),
    };
    let mut lines = Vec::new();
    for (value, english, other) in [
        (&record["Status"], "Status", "Statut"),
        (&record["Type"], "Type", "Type"),
        (&record["Title"], "Function", "Fonction"),
        (&record["Email"], "E-mail", "E-mail"),
        (&record["BillingCity"], "City", "Ville"),
        (&record["Owner"]["Name"], "Owner", "Responsable"),
    ] {
        let label = if french { other } else { english };
        lines.extend(text(value).map(|value| Line { label: label.to_owned(), value }));
    }
    let card = Card {
        kind,
        name: text(&record["Name"])?,
        organization: text(&record["Account"]["Name"]).or_else(|| text(&record["Company"])),
        lines,
        url: Some(server.page(&id)),
        id,
    };
    Some((card, account))
}

/// Open opportunities of an account.
pub(crate) fn opportunities(account: &str) -> String {
    format!(
        "SELECT Name, StageName, Amount FROM Opportunity WHERE AccountId = '{}' AND IsClosed = false \
         ORDER BY LastModifiedDate DESC LIMIT 3",
        quoted(account)
    )
}

/// Open cases of an account.
pub(crate) fn cases(account: &str) -> String {
    format!(
        "SELECT CaseNumber, Subject FROM Case WHERE AccountId = '{}' AND IsClosed = false \
         ORDER BY LastModifiedDate DESC LIMIT 3",
        quoted(account)
    )
}

pub(crate) fn opportunity(record: &Value) -> Option<String> {
    let amount = record["Amount"].as_f64().map(|amount| format!("{amount:.0}"));
    let parts = [text(&record["Name"]), text(&record["StageName"]), amount];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

pub(crate) fn case(record: &Value) -> Option<String> {
    let parts = [text(&record["CaseNumber"]), text(&record["Subject"])];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// 15 letters and digits, or 18 with three of a checksum.
pub(crate) fn is_id(text: &str) -> bool {
    matches!(text.len(), 15 | 18) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Text as it may stand between the quotes of SOQL.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars().filter(|character| !character.is_control()) {
        if matches!(character, '\'' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use frontdesk_connector::serde_json::json;
    use proptest::prelude::*;

    const SERVER: Server<'static> = Server { base: "https://example.my.salesforce.com" };

    fn caller() -> Vec<String> {
        vec!["+41445550001".to_owned(), "0445550001".to_owned()]
    }

    #[test]
    fn a_search_has_nothing_but_digits_in_its_braces() {
        let search = search(&["+41 44) 5{}55\" 00 01".to_owned(), "0445550001".to_owned()], false).unwrap();
        assert!(search.starts_with("FIND {\"41445550001\" OR \"0445550001\" OR \""), "{search}");
        assert!(!search.contains("Lead("));
        let grouped_so = super::search(&caller(), false).unwrap();
        let grouped_as = "\"555 0001\" OR \"555 00 01\" OR \"45 55 00 01\" OR \"4555 0001\"}";
        assert!(grouped_so.contains(grouped_as), "{grouped_so}");
        assert!(grouped("12345").is_empty());
        assert!(super::search(&["anonymous".to_owned()], true).is_none());
    }

    #[test]
    fn people_come_before_companies_and_others_not_at_all() {
        let of = |kind: &str, id: &str, name: &str, phone: &str| json!({ "attributes": { "type": kind }, "Id": id, "Name": name, "Phone": phone });
        let mut contact = of("Contact", "003000000000001AAA", "Zoë Keller", "(044) 555 00 01");
        contact["AccountId"] = json!("001000000000001AAA");
        contact["Account"] = json!({ "Name": "Example AG" });
        contact["Title"] = json!("CEO");
        let answer = json!({ "searchRecords": [
            of("Account", "001000000000001AAA", "Example AG", "+41445550001"),
            of("Contact", "003000000000002AAA", "Bo", "+41445550002"),
            contact,
            of("Lead", "00Q00000000000X/..", "Bad", "+41445550001"),
        ] });
        let cards = cards(&answer, &caller(), &SERVER, true).unwrap();
        let names: Vec<&str> = cards.iter().map(|(card, _)| card.name.as_str()).collect();
        assert_eq!(names, ["Zoë Keller", "Example AG"]);
        assert_eq!(cards[0].0.organization.as_deref(), Some("Example AG"));
        assert_eq!(
            (cards[0].0.lines[0].label.as_str(), cards[0].0.lines[0].value.as_str()),
            ("Fonction", "CEO")
        );
        assert_eq!(cards[0].0.url.as_deref(), Some("https://example.my.salesforce.com/003000000000001AAA"));
        assert!(cards.iter().all(|(_, account)| account.as_deref() == Some("001000000000001AAA")));
        assert!(super::cards(&json!({ "records": [] }), &caller(), &SERVER, true).is_err());
    }

    #[test]
    fn what_is_open_is_told_in_a_line() {
        let told = opportunity(&json!({ "Name": "Roof", "StageName": "Proposal", "Amount": 1200.0 }));
        assert_eq!(told.as_deref(), Some("Roof, Proposal, 1200"));
        assert_eq!(case(&json!({ "CaseNumber": "00001026", "Subject": null })).as_deref(), Some("00001026"));
        assert_eq!(opportunity(&json!({})), None);
    }

    proptest! {
        #[test]
        fn nobody_with_another_number_is_shown(stored in "\\+?[1-9][0-9]{5,12}", caller in "\\+?[1-9][0-9]{5,12}") {
            let record = json!({ "attributes": { "type": "Account" }, "Id": "001000000000001AAA", "Name": "A", "Phone": stored.clone() });
            let cards = cards(&json!({ "searchRecords": [record] }), std::slice::from_ref(&caller), &SERVER, false).unwrap();
            prop_assert_eq!(cards.len() == 1, stored == caller);
        }

        #[test]
        fn nothing_leaves_its_quotes(text in "\\PC{0,30}|['\\\\]{0,8}") {
            let quoted = quoted(&text);
            let mut inside = quoted.chars();
            while let Some(character) = inside.next() {
                prop_assert!(character != '\'');
                if character == '\\' {
                    prop_assert!(matches!(inside.next(), Some('\'' | '\\')));
                }
            }
        }
    }
}
