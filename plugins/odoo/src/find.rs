//! What is asked to find a number, and what the answers mean. Odoo is searched for the digits of the number in
//! their order, whatever stands between them; only who has the whole number becomes a card. No network here.

use frontdesk_connector::crm::{ending, same_number, text};
use frontdesk_connector::serde_json::{Value, json};
use frontdesk_connector::{Card, CardKind, Error, Line};

/// Fields that may hold a number.
pub(crate) const NUMBERS: [&str; 2] = ["phone", "mobile"];
/// Contacts that are compared with the number.
const CANDIDATES: usize = 100;

/// Of the fields with numbers, those that this Odoo has.
pub(crate) fn fields(answer: &Value) -> Result<Vec<&'static str>, Error> {
    let there = answer.as_object().ok_or_else(|| Error::Protocol("fields that are no object".to_owned()))?;
    Ok(NUMBERS.into_iter().filter(|field| there.contains_key(*field)).collect())
}

/// Digits in their order, anything between them; none where there is no number.
pub(crate) fn pattern(numbers: &[String]) -> Option<String> {
    let digits = ending(numbers)?;
    Some(digits.chars().flat_map(|digit| ['%', digit]).chain(['%']).collect())
}

pub(crate) fn question(fields: &[&str], numbers: &[String]) -> Option<Value> {
    let pattern = pattern(numbers)?;
    // Polish notation: one sign less than terms.
    let mut domain = vec![json!("|"); fields.len().saturating_sub(1)];
    domain.extend(fields.iter().map(|field| json!([field, "=ilike", pattern])));
    let mut wanted =
        vec!["name", "is_company", "commercial_company_name", "function", "email", "city", "user_id"];
    wanted.extend(fields);
    Some(json!({ "domain": domain, "fields": wanted, "limit": CANDIDATES }))
}

/// Of what was found, who has the number; people before companies.
pub(crate) fn with_number(answer: Value, fields: &[&str], numbers: &[String]) -> Result<Vec<Value>, Error> {
    let Value::Array(found) = answer else {
        return Err(Error::Protocol("contacts that are no list".to_owned()));
    };
    let has = |contact: &Value| {
        let mut stored = fields.iter().filter_map(|field| contact[*field].as_str());
        stored.any(|number| same_number(number, numbers))
    };
    let mut found: Vec<Value> = found.into_iter().filter(has).collect();
    found.sort_by_key(|contact| contact["is_company"] == true);
    Ok(found)
}

pub(crate) fn card(contact: &Value, base: &str, french: bool) -> Option<Card> {
    let id = contact["id"].as_u64()?;
    let organization = text(&contact["commercial_company_name"]);
    let name = text(&contact["name"]).or_else(|| organization.clone())?;
    let mut lines = Vec::new();
    for (value, english, other) in [
        (&contact["function"], "Function", "Fonction"),
        (&contact["email"], "E-mail", "E-mail"),
        (&contact["city"], "City", "Ville"),
        // A reference is a pair of number and name.
        (&contact["user_id"][1], "Salesperson", "Vendeur"),
    ] {
        let label = if french { other } else { english };
        lines.extend(text(value).map(|value| Line { label: label.to_owned(), value }));
    }
    Some(Card {
        kind: if contact["is_company"] == true { CardKind::Company } else { CardKind::Person },
        id: id.to_string(),
        organization: organization.filter(|organization| *organization != name),
        name,
        lines,
        url: Some(page(base, id)),
    })
}

/// The address that Odoo itself writes into messages: it leads to the record in every version.
pub(crate) fn page(base: &str, contact: u64) -> String {
    format!("{base}/mail/view?model=res.partner&res_id={contact}")
}

pub(crate) fn opportunities(contact: u64) -> Value {
    let domain =
        json!([["partner_id", "=", contact], ["type", "=", "opportunity"], ["stage_id.is_won", "=", false],]);
    json!({ "domain": domain, "fields": ["name", "stage_id"], "limit": 3 })
}

pub(crate) fn opportunity(record: &Value) -> Option<String> {
    let name = text(&record["name"])?;
    Some(match text(&record["stage_id"][1]) {
        Some(stage) => format!("{name}, {stage}"),
        None => name,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn caller() -> Vec<String> {
        vec!["+41445550001".to_owned(), "0445550001".to_owned()]
    }

    #[test]
    fn the_question_has_the_digits_in_their_order() {
        let question = question(&NUMBERS, &caller()).unwrap();
        assert_eq!(
            question["domain"],
            json!(["|", ["phone", "=ilike", "%4%5%5%5%0%0%0%1%"], ["mobile", "=ilike", "%4%5%5%5%0%0%0%1%"]])
        );
        assert_eq!(super::question(&["phone"], &caller()).unwrap()["domain"].as_array().unwrap().len(), 1);
        assert!(pattern(&[]).is_none());
        assert_eq!(fields(&json!({ "phone": {}, "vat": {} })).unwrap(), ["phone"]);
        assert!(fields(&json!([])).is_err());
    }

    #[test]
    fn a_contact_becomes_a_card() {
        let found = json!([
            { "id": 9, "name": "Example AG", "is_company": true, "phone": "+41 44 555 00 01" },
            { "id": 8, "name": "Bo", "is_company": false, "phone": "+41 44 555 50 0001" },
            { "id": 7, "name": "Zoë Keller", "is_company": false, "commercial_company_name": "Example AG",
                "function": "CEO", "email": false, "user_id": [2, "Ann"], "phone": false, "mobile": "044 555 00 01" },
        ]);
        let found = with_number(found, &NUMBERS, &caller()).unwrap();
        assert_eq!(found.len(), 2);
        let card = card(&found[0], "https://example.odoo.com", true).unwrap();
        assert_eq!((card.id.as_str(), card.name.as_str()), ("7", "Zoë Keller"));
        assert_eq!(card.organization.as_deref(), Some("Example AG"));
        let lines: Vec<String> =
            card.lines.iter().map(|line| format!("{}: {}", line.label, line.value)).collect();
        assert_eq!(lines, ["Fonction: CEO", "Vendeur: Ann"]);
        assert_eq!(
            card.url.as_deref(),
            Some("https://example.odoo.com/mail/view?model=res.partner&res_id=7")
        );
        assert!(with_number(json!({ "error": 1 }), &NUMBERS, &caller()).is_err());
    }

    proptest! {
        #[test]
        fn nobody_with_another_number_is_shown(stored in "\\+?[1-9][0-9]{5,12}", caller in "\\+?[1-9][0-9]{5,12}") {
            let found = json!([{ "id": 7, "name": "A", "phone": stored.clone() }]);
            let found = with_number(found, &NUMBERS, std::slice::from_ref(&caller)).unwrap();
            prop_assert_eq!(found.len() == 1, stored == caller);
        }
    }
}
