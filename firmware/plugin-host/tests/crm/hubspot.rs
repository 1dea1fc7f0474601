//! `hubspot` against HubSpot's API as it is documented: search with groups of filters, associations, deals, owners,
//! activities; its search knows what was written only after a while.

use std::sync::{Arc, Mutex};

use plugin_host::connector::Cancel;
use serde_json::{Value, json};

use crate::yard::hostile::finished_call;
use crate::{
    ApiServer, Asked, Plugin, Reply, caller, found, is_signed, item, lost, on_stage, refusals, reply,
    stranger, told_thrice,
};

fn load(port: u16) -> Plugin {
    on_stage(port, "hubspot", &json!({ "token": "hush", "owner": "77" }), "api")
}

/// An account with two contacts, a company and a deal.
#[derive(Default)]
struct Account {
    made: Mutex<Vec<(String, Value)>>,
    /// Answers to what is written get lost.
    loses: bool,
    /// The search is behind.
    lags: bool,
    /// The token has no scope but contacts.
    narrow: bool,
}

impl Account {
    fn answer(&self, asked: &Asked) -> Reply {
        assert_eq!(asked.header("host"), Some("api.hubapi.com"));
        if !is_signed(asked) {
            return reply(
                401,
                &json!({ "status": "error", "message": "Authentication credentials not found" }),
            );
        }
        let scoped = ["/companies", "/deals", "/owners"].iter().any(|part| asked.path.contains(part));
        if self.narrow && scoped {
            return reply(403, &json!({ "message": "This app hasn't been granted all required scopes" }));
        }
        match asked.route() {
            ("GET", "/account-info/v3/details") => reply(
                200,
                &json!({ "portalId": 42, "uiDomain": "app-eu1.hubspot.com", "timeZone": "Europe/Zurich" }),
            ),
            ("POST", "/crm/v3/objects/contacts/search") => self.search(asked, &contacts()),
            ("POST", "/crm/v3/objects/companies/search") => self.search(asked, &companies()),
            ("GET", "/crm/v3/objects/companies/9") => {
                reply(200, &json!({ "id": "9", "properties": { "name": "Example AG" } }))
            }
            ("GET", "/crm/v4/objects/contacts/7/associations/deals") => {
                reply(200, &json!({ "results": [{ "toObjectId": 31, "associationTypes": [] }] }))
            }
            ("POST", "/crm/v3/objects/deals/batch/read") => {
                assert_eq!(asked.body["inputs"], json!([{ "id": "31" }]));
                let deal = json!({ "dealname": "Roof", "amount": "1200", "deal_currency_code": "CHF", "hs_is_closed": "false" });
                reply(200, &json!({ "status": "COMPLETE", "results": [{ "id": "31", "properties": deal }] }))
            }
            ("GET", "/crm/v3/owners/3") => {
                reply(200, &json!({ "id": "3", "firstName": "Olga", "lastName": "Own" }))
            }
            ("POST", path) => match path.strip_prefix("/crm/v3/objects/") {
                Some(kind) if kind.ends_with("/search") => {
                    let made = self.made.lock().unwrap();
                    let kind = kind.trim_end_matches("/search");
                    let of_kind = made.iter().filter(|(known, _)| known == kind && !self.lags);
                    self.search(
                        asked,
                        &of_kind.map(|(_, made)| made["properties"].clone()).collect::<Vec<_>>(),
                    )
                }
                Some(kind @ ("calls" | "notes" | "tasks")) => self.make(kind, asked),
                _ => reply(404, &json!({ "message": "no such path" })),
            },
            _ => reply(404, &json!({ "message": "no such path" })),
        }
    }

    fn make(&self, kind: &str, asked: &Asked) -> Reply {
        if asked.body["properties"]["hs_timestamp"].as_u64().is_none() {
            return reply(400, &json!({ "message": "hs_timestamp is required" }));
        }
        let mut made = self.made.lock().unwrap();
        made.push((kind.to_owned(), asked.body.clone()));
        if self.loses { lost() } else { reply(201, &json!({ "id": made.len().to_string() })) }
    }

    /// Groups are joined by OR, filters of a group by AND.
    fn search(&self, asked: &Asked, all: &[Value]) -> Reply {
        let none = Vec::new();
        let groups = asked.body["filterGroups"].as_array().unwrap_or(&none);
        let filters = |group: &Value| group["filters"].as_array().unwrap().clone();
        let count: usize = groups.iter().map(|group| filters(group).len()).sum();
        if groups.len() > 5
            || count > 18
            || groups.iter().any(|group| filters(group).is_empty() || filters(group).len() > 6)
        {
            return reply(400, &json!({ "message": "too many filters" }));
        }
        let fits = |record: &&Value| {
            groups.is_empty()
                || groups.iter().any(|group| filters(group).iter().all(|filter| passes(record, filter)))
        };
        let found: Vec<Value> = all
            .iter()
            .filter(fits)
            .map(|record| json!({ "id": record["hs_object_id"], "properties": record }))
            .collect();
        reply(200, &json!({ "total": found.len(), "results": found }))
    }
}

fn passes(record: &Value, filter: &Value) -> bool {
    let Some(value) = record[filter["propertyName"].as_str().unwrap()].as_str() else { return false };
    match filter["operator"].as_str().unwrap() {
        "EQ" => filter["value"] == value,
        "IN" => filter["values"].as_array().unwrap().iter().any(|wanted| wanted == value),
        "CONTAINS_TOKEN" => {
            let wanted = filter["value"].as_str().unwrap();
            let mut words = value.split(|letter: char| !letter.is_alphanumeric());
            match wanted.strip_prefix('*') {
                Some(ending) => words.any(|word| word.ends_with(ending)),
                None => words.any(|word| word == wanted),
            }
        }
        other => panic!("{other} is not an operator of text"),
    }
}

fn contacts() -> Vec<Value> {
    vec![
        // Ends as the caller does, and is another.
        json!({ "hs_object_id": "6", "firstname": "Bo", "phone": "+41 43 45 55 00 01",
            "hs_searchable_calculated_phone_number": "434555 0001".replace(' ', "") }),
        json!({ "hs_object_id": "5", "firstname": "Cy", "phone": "+33 1 45 55 00 01", "hs_searchable_calculated_phone_number": "145550001" }),
        json!({ "hs_object_id": "7", "firstname": "Zoë", "lastname": "Keller", "mobilephone": "(044) 555 00 01",
            "hs_searchable_calculated_mobile_number": "445550001", "lifecyclestage": "customer",
            "associatedcompanyid": "9", "hubspot_owner_id": "3" }),
    ]
}

fn companies() -> Vec<Value> {
    vec![json!({ "hs_object_id": "9", "name": "Example AG", "phone": "+41445559999" })]
}

fn account(account: Account) -> (Arc<Account>, ApiServer) {
    let account = Arc::new(account);
    let server = Arc::clone(&account);
    (account, ApiServer::start(move |asked| server.answer(asked)))
}

#[test]
fn crm_3_a_contact_is_found_by_its_whole_number_with_company_deal_and_owner() {
    let (_, server) = account(Account::default());
    let plugin = load(server.port);
    assert_eq!(plugin.check(&Cancel::default()).unwrap(), "account 42, 3 contacts");
    let cards = found(&plugin, &caller());
    assert_eq!(cards.iter().map(|card| card.name.as_str()).collect::<Vec<_>>(), ["Zoë Keller"]);
    assert_eq!((cards[0].id.as_str(), cards[0].kind.as_str()), ("contacts/7", "person"));
    assert_eq!(cards[0].organization.as_deref(), Some("Example AG"));
    let lines: Vec<String> =
        cards[0].lines.iter().map(|(label, value)| format!("{label}: {value}")).collect();
    assert_eq!(lines, ["Stage: Customer", "Open deal: Roof, 1200 CHF", "Owner: Olga Own"]);
    assert_eq!(cards[0].url.as_deref(), Some("https://app-eu1.hubspot.com/contacts/42/record/0-1/7"));
    // The switchboard of a company, where nobody of it is known.
    let company = found(&plugin, &stranger());
    assert_eq!((company[0].id.as_str(), company[0].kind.as_str()), ("companies/9", "company"));
}

#[test]
fn a_token_for_contacts_alone_shows_less_and_nothing_wrong() {
    let (_, server) = account(Account { narrow: true, ..Account::default() });
    let plugin = load(server.port);
    let cards = found(&plugin, &caller());
    assert_eq!((cards.len(), cards[0].name.as_str(), &cards[0].organization), (1, "Zoë Keller", &None));
    assert!(found(&plugin, &stranger()).is_empty());
    assert!(
        plugin.log().0.iter().any(|line| line.contains("granted all required scopes")),
        "{:?}",
        plugin.log()
    );
}

#[test]
fn a_call_whose_answer_was_lost_is_one_activity() {
    let (account, server) = account(Account { loses: true, ..Account::default() });
    told_thrice(|| load(server.port), "call-1");
    let made = account.made.lock().unwrap();
    assert_eq!(made.len(), 1);
    let call = &made[0].1;
    assert_eq!(call["associations"][0]["to"]["id"], "7");
    assert_eq!(
        call["associations"][0]["types"][0],
        json!({ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194 })
    );
    let properties = &call["properties"];
    assert_eq!(properties["hs_timestamp"], 1_700_000_000_000_u64);
    assert_eq!(
        (&properties["hs_call_direction"], &properties["hs_call_duration"]),
        (&json!("INBOUND"), &json!("60000"))
    );
    assert_eq!(properties["hs_call_from_number"], "+41445550001");
}

#[test]
fn what_the_search_does_not_know_yet_is_remembered() {
    let (account, server) = account(Account { lags: true, ..Account::default() });
    let plugin = load(server.port);
    let cancel = Cancel::default();
    for _ in 0..2 {
        assert_eq!(plugin.log_call(&finished_call("call-1"), &cancel), Ok(Some(())));
        let page = plugin.create_item(&item("item-1", false, Some("contacts/7")), &cancel).unwrap();
        assert!(page.is_some());
        plugin.create_item(&item("item-2", true, None), &cancel).unwrap();
    }
    let made = account.made.lock().unwrap();
    assert_eq!(made.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["calls", "notes", "tasks"]);
    assert_eq!(made[1].1["properties"]["hubspot_owner_id"], "77");
    assert!(
        made[1].1["properties"]["hs_note_body"]
            .as_str()
            .unwrap()
            .starts_with("Call back &quot;&lt;b&gt;&quot;<br>at nine<br>")
    );
    assert_eq!(made[2].1["properties"]["hs_task_subject"], "Call back \"<b>\"");
    // Somebody who forgot finds them, as soon as the search does.
    drop(made);
    let again = Account { made: Mutex::new(account.made.lock().unwrap().clone()), ..Account::default() };
    let (again, server) = self::account(again);
    let plugin = load(server.port);
    plugin.create_item(&item("item-1", false, Some("contacts/7")), &cancel).unwrap();
    plugin.create_item(&item("item-2", true, None), &cancel).unwrap();
    assert_eq!(again.made.lock().unwrap().len(), 3);
}

#[test]
fn a_refusal_is_said_by_its_case() {
    refusals(load);
}
