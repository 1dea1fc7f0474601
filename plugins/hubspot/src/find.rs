//! What is asked to find a number, and what the answers mean. HubSpot's search takes endings of the numbers it
//! has calculated (area code and local number) and the numbers as they are typed; only who has the whole number
//! becomes a card. No network here.

use frontdesk_connector::crm::{ending, same_number, text};
use frontdesk_connector::serde_json::{Value, json};
use frontdesk_connector::{Card, CardKind, Error, Line};

/// Properties with numbers, of contacts and companies.
const NUMBERS: [&str; 2] = ["phone", "mobilephone"];
/// Values of one filter.
const SPELLINGS: usize = 20;
/// Deals on a card.
const DEALS: usize = 4;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Contact,
    Company,
}

impl Kind {
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Contact => "contacts",
            Self::Company => "companies",
        }
    }

    /// The type's id in addresses of pages.
    fn type_id(self) -> &'static str {
        match self {
            Self::Contact => "0-1",
            Self::Company => "0-2",
        }
    }
}

/// What a card's id says: `contacts/7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) kind: Kind,
    pub(crate) id: u64,
}

impl std::str::FromStr for Subject {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (kind, id) = text.split_once('/').ok_or(())?;
        let kind =
            [Kind::Contact, Kind::Company].into_iter().find(|known| known.plural() == kind).ok_or(())?;
        Ok(Self { kind, id: id.parse().map_err(|_| ())? })
    }
}

/// The account a token is of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) portal: u64,
    host: String,
}

impl Account {
    pub(crate) fn of(details: &Value) -> Result<Self, Error> {
        let portal = details["portalId"]
            .as_u64()
            .ok_or_else(|| Error::Protocol("an account without portalId".to_owned()))?;
        let host = details["uiDomain"].as_str().unwrap_or("app.hubspot.com");
        Self::read(&format!("{portal} {host}"))
            .ok_or_else(|| Error::Protocol("uiDomain is not HubSpot's".to_owned()))
    }

    /// As it is remembered.
    pub(crate) fn text(&self) -> String {
        format!("{} {}", self.portal, self.host)
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        let (portal, host) = text.split_once(' ')?;
        let is_plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        // A page is opened by the operator: only at HubSpot.
        let good = is_plain && (host == "hubspot.com" || host.ends_with(".hubspot.com"));
        good.then_some(Self { portal: portal.parse().ok()?, host: host.to_owned() })
    }
}

pub(crate) fn page(account: &Account, subject: Subject) -> String {
    format!(
        "https://{}/contacts/{}/record/{}/{}",
        account.host,
        account.portal,
        subject.kind.type_id(),
        subject.id
    )
}

/// The search for contacts; none where there is no number.
pub(crate) fn contacts(numbers: &[String], limit: usize) -> Option<Value> {
    let ends = format!("*{}", ending(numbers)?);
    let typed = typed(numbers);
    let groups = json!([
        filter("hs_searchable_calculated_phone_number", "CONTAINS_TOKEN", "value", &json!(ends)),
        filter("hs_searchable_calculated_mobile_number", "CONTAINS_TOKEN", "value", &json!(ends)),
        filter("phone", "IN", "values", &json!(typed)),
        filter("mobilephone", "IN", "values", &json!(typed)),
    ]);
    let properties = [
        "firstname",
        "lastname",
        "email",
        "jobtitle",
        "company",
        "phone",
        "mobilephone",
        "lifecyclestage",
        "hubspot_owner_id",
        "associatedcompanyid",
        "city",
    ];
    Some(json!({ "filterGroups": groups, "properties": properties, "limit": limit }))
}

/// The search for companies; none where there is no number.
pub(crate) fn companies(numbers: &[String], limit: usize) -> Option<Value> {
    let ends = format!("*{}", ending(numbers)?);
    let groups = json!([
        filter("phone", "CONTAINS_TOKEN", "value", &json!(ends)),
        filter("phone", "IN", "values", &json!(typed(numbers))),
    ]);
    let properties = ["name", "domain", "city", "phone", "lifecyclestage", "hubspot_owner_id"];
    Some(json!({ "filterGroups": groups, "properties": properties, "limit": limit }))
}

fn filter(property: &str, operator: &str, key: &str, value: &Value) -> Value {
    json!({ "filters": [{ "propertyName": property, "operator": operator, key: value }] })
}

fn typed(numbers: &[String]) -> Vec<&str> {
    let filled = numbers.iter().map(|number| number.trim()).filter(|number| !number.is_empty());
    filled.take(SPELLINGS).collect()
}

/// A contact or company that has the number.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) id: u64,
    pub(crate) company_id: Option<u64>,
    pub(crate) owner_id: Option<u64>,
    properties: Value,
}

/// Of what the search found, who has the number.
pub(crate) fn with_number(kind: Kind, found: &Value, numbers: &[String]) -> Result<Vec<Record>, Error> {
    let results =
        found["results"].as_array().ok_or_else(|| Error::Protocol("a search without results".to_owned()))?;
    Ok(results.iter().filter_map(|result| Record::read(kind, result, numbers)).collect())
}

impl Record {
    fn read(kind: Kind, result: &Value, numbers: &[String]) -> Option<Self> {
        let properties = &result["properties"];
        let has = |key: &&str| properties[*key].as_str().is_some_and(|number| same_number(number, numbers));
        NUMBERS.iter().find(|key| has(key))?;
        let id = |value: &Value| value.as_str().and_then(|text| text.parse().ok()).or_else(|| value.as_u64());
        Some(Self {
            kind,
            id: id(&result["id"])?,
            company_id: id(&properties["associatedcompanyid"]),
            owner_id: id(&properties["hubspot_owner_id"]),
            properties: properties.clone(),
        })
    }

    pub(crate) fn subject(&self) -> Subject {
        Subject { kind: self.kind, id: self.id }
    }

    pub(crate) fn card(&self, account: &Account, extra: Extra, french: bool) -> Card {
        let property = |key: &str| text(&self.properties[key]);
        let pick = |english: &str, other: &str| if french { other } else { english }.to_owned();
        let organization = extra.company.or_else(|| property("company"));
        let composed =
            ["firstname", "lastname"].iter().filter_map(|key| property(key)).collect::<Vec<_>>().join(" ");
        let name = match self.kind {
            Kind::Contact => Some(composed).filter(|name| !name.is_empty()).or_else(|| property("email")),
            Kind::Company => property("name").or_else(|| property("domain")),
        };
        let name = name.or_else(|| organization.clone()).unwrap_or_else(|| self.id.to_string());
        let mut lines = Vec::new();
        let mut line = |label: String, value: Option<String>| {
            lines.extend(value.map(|value| Line { label, value }));
        };
        line(pick("Stage", "Phase"), property("lifecyclestage").map(|stage| named_stage(&stage, french)));
        for deal in extra.deals {
            line(pick("Open deal", "Affaire en cours"), Some(deal));
        }
        line(pick("Owner", "Responsable"), extra.owner);
        line(pick("Function", "Fonction"), property("jobtitle"));
        line(pick("E-mail", "E-mail"), property("email"));
        line(pick("City", "Ville"), property("city"));
        Card {
            kind: if self.kind == Kind::Contact { CardKind::Person } else { CardKind::Company },
            id: format!("{}/{}", self.kind.plural(), self.id),
            organization: organization.filter(|organization| *organization != name),
            name,
            lines,
            url: Some(page(account, self.subject())),
        }
    }
}

/// HubSpot's own stages; others are an account's own and stay as they are.
fn named_stage(stage: &str, french: bool) -> String {
    let (english, other) = match stage {
        "subscriber" => ("Subscriber", "Abonné"),
        "lead" => ("Lead", "Lead"),
        "marketingqualifiedlead" => ("Marketing qualified lead", "Lead qualifié marketing"),
        "salesqualifiedlead" => ("Sales qualified lead", "Lead qualifié commercial"),
        "opportunity" => ("Opportunity", "Opportunité"),
        "customer" => ("Customer", "Client"),
        "evangelist" => ("Evangelist", "Ambassadeur"),
        "other" => ("Other", "Autre"),
        own => (own, own),
    };
    if french { other } else { english }.to_owned()
}

/// What a card has besides the record itself.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    pub(crate) company: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) deals: Vec<String>,
}

/// Which deals to read of those that are linked.
pub(crate) fn deals(linked: &Value) -> Option<Value> {
    let ids = linked["results"].as_array()?.iter().filter_map(|deal| deal["toObjectId"].as_u64());
    let inputs: Vec<Value> = ids.map(|id| json!({ "id": id.to_string() })).collect();
    let properties = ["dealname", "amount", "deal_currency_code", "hs_is_closed"];
    (!inputs.is_empty()).then(|| json!({ "properties": properties, "inputs": inputs }))
}

pub(crate) fn open_deals(read: &Value) -> Vec<String> {
    let deals = read["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let open = deals.iter().map(|deal| &deal["properties"]).filter(|deal| deal["hs_is_closed"] != "true");
    let told = open.filter_map(|deal| {
        let name = text(&deal["dealname"])?;
        let amount = text(&deal["amount"]).map(|amount| {
            let currency =
                text(&deal["deal_currency_code"]).map(|code| format!(" {code}")).unwrap_or_default();
            format!(", {amount}{currency}")
        });
        Some(format!("{name}{}", amount.unwrap_or_default()))
    });
    told.take(DEALS).collect()
}

pub(crate) fn owner(answer: &Value) -> Option<String> {
    let names =
        ["firstName", "lastName"].iter().filter_map(|key| text(&answer[*key])).collect::<Vec<_>>().join(" ");
    Some(names).filter(|names| !names.is_empty()).or_else(|| text(&answer["email"]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn caller() -> Vec<String> {
        vec!["+41445550001".to_owned(), "0445550001".to_owned()]
    }

    fn account() -> Account {
        Account::of(&json!({ "portalId": 42, "uiDomain": "app-eu1.hubspot.com" })).unwrap()
    }

    #[test]
    fn the_search_has_the_ending_and_the_spellings() {
        let search = contacts(&caller(), 50).unwrap();
        let group = |at: usize| search["filterGroups"][at]["filters"][0].clone();
        assert_eq!(group(0)["value"], "*45550001");
        assert_eq!(
            group(2),
            json!({ "propertyName": "phone", "operator": "IN", "values": ["+41445550001", "0445550001"] })
        );
        assert!(contacts(&[], 50).is_none() && companies(&["anonymous".to_owned()], 50).is_none());
    }

    #[test]
    fn a_contact_becomes_a_card() {
        let found = json!({ "total": 2, "results": [
            { "id": "6", "properties": { "firstname": "Bo", "phone": "+41 43 455 50 001" } },
            { "id": "7", "properties": { "firstname": "Zoë", "lastname": "Keller", "phone": null,
                "mobilephone": "044 555 00 01", "company": "Typed AG", "lifecyclestage": "customer",
                "hubspot_owner_id": "3", "associatedcompanyid": "9" } },
        ] });
        let records = with_number(Kind::Contact, &found, &caller()).unwrap();
        assert_eq!(records.iter().map(|record| record.id).collect::<Vec<_>>(), [7]);
        assert_eq!((records[0].company_id, records[0].owner_id), (Some(9), Some(3)));
        let deals = json!({ "results": [
            { "properties": { "dealname": "Roof", "amount": "1200", "deal_currency_code": "CHF", "hs_is_closed": "false" } },
            { "properties": { "dealname": "Old", "hs_is_closed": "true" } },
        ] });
        let extra = Extra { company: Some("Example AG".to_owned()), owner: None, deals: open_deals(&deals) };
        let card = records[0].card(&account(), extra, true);
        assert_eq!((card.id.as_str(), card.name.as_str()), ("contacts/7", "Zoë Keller"));
        assert_eq!(card.organization.as_deref(), Some("Example AG"));
        let lines: Vec<String> =
            card.lines.iter().map(|line| format!("{}: {}", line.label, line.value)).collect();
        assert_eq!(lines, ["Phase: Client", "Affaire en cours: Roof, 1200 CHF"]);
        assert_eq!(card.url.as_deref(), Some("https://app-eu1.hubspot.com/contacts/42/record/0-1/7"));
    }

    #[test]
    fn an_account_leads_to_hubspot_only() {
        assert_eq!(Account::read(&account().text()), Some(account()));
        for host in
            ["evil.example", "hubspot.com.evil.example", "evil.example/.hubspot.com", "evilhubspot.com"]
        {
            assert!(Account::of(&json!({ "portalId": 1, "uiDomain": host })).is_err(), "{host}");
        }
        assert!("contacts/7x".parse::<Subject>().is_err() && "deals/7".parse::<Subject>().is_err());
    }

    proptest! {
        #[test]
        fn nobody_with_another_number_is_shown(stored in "\\+?[1-9][0-9]{5,12}", caller in "\\+?[1-9][0-9]{5,12}") {
            let found = json!({ "results": [{ "id": "7", "properties": { "phone": stored.clone() } }] });
            let records = with_number(Kind::Contact, &found, std::slice::from_ref(&caller)).unwrap();
            prop_assert_eq!(records.len() == 1, stored == caller);
        }
    }
}
