//! `salesforce` against its REST API as it is documented: SOSL, SOQL, tasks, and errors whose code says more than
//! their status.

use std::sync::{Arc, Mutex, mpsc};

use plugin_host::connector::Cancel;
use serde_json::{Value, json};

use crate::yard::hostile::finished_call;
use crate::{
    ApiServer, Asked, Plugin, Reply, TOKEN_PATH, caller, found, is_signed, item, lost, on_stage, refusals,
    reply, stranger, token, told_thrice,
};

const ZOE: &str = "003000000000001AAA";
const ACCOUNT: &str = "001000000000001AAA";

fn load(port: u16) -> Plugin {
    load_with(port, "hush-hush")
}

fn load_with(port: u16, secret: &str) -> Plugin {
    let settings = json!({ "url": "https://example.my.salesforce.com", "client": "desk", "secret": secret });
    on_stage(port, "salesforce", &settings, "server")
}

/// An organisation with a contact, a lead, an account.
#[derive(Default)]
struct Organisation {
    tasks: Mutex<Vec<Value>>,
    loses: bool,
    /// The user may see no opportunities.
    narrow: bool,
}

impl Organisation {
    fn answer(&self, asked: &Asked) -> Reply {
        if asked.path == TOKEN_PATH {
            return token(asked);
        }
        if !is_signed(asked) {
            return reply(
                401,
                &json!([{ "errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid" }]),
            );
        }
        match asked.route() {
            ("GET", "/services/data/v60.0/search/") => search(asked.query("q").unwrap()),
            ("GET", "/services/data/v60.0/query/") => self.query(asked.query("q").unwrap()),
            ("POST", "/services/data/v60.0/sobjects/Task") => {
                let mut tasks = self.tasks.lock().unwrap();
                tasks.push(asked.body.clone());
                let id = format!("00T{:015}", tasks.len());
                if self.loses {
                    lost()
                } else {
                    reply(201, &json!({ "id": id, "success": true, "errors": [] }))
                }
            }
            _ => reply(
                404,
                &json!([{ "errorCode": "NOT_FOUND", "message": "The requested resource does not exist" }]),
            ),
        }
    }

    fn query(&self, query: &str) -> Reply {
        let rows =
            |rows: Vec<Value>| reply(200, &json!({ "totalSize": rows.len(), "done": true, "records": rows }));
        if query.ends_with(" COUNT() FROM Contact") {
            return reply(200, &json!({ "totalSize": 2, "done": true, "records": [] }));
        }
        if let Some((_, rest)) = query.split_once(" FROM Task WHERE CallObject = '") {
            let id = rest.strip_suffix("' LIMIT 1").unwrap();
            let tasks = self.tasks.lock().unwrap();
            let at = tasks.iter().position(|task| task["CallObject"] == id);
            return rows(at.map(|at| json!({ "Id": format!("00T{:015}", at + 1) })).into_iter().collect());
        }
        assert!(query.contains(&format!("WHERE AccountId = '{ACCOUNT}' AND IsClosed = false")), "{query}");
        if query.contains("FROM Opportunity") {
            if self.narrow {
                return reply(
                    400,
                    &json!([{ "errorCode": "INVALID_TYPE", "message": "sObject type 'Opportunity' is not supported" }]),
                );
            }
            return rows(vec![json!({ "Name": "Roof", "StageName": "Proposal", "Amount": 1200.0 })]);
        }
        rows(vec![json!({ "CaseNumber": "00001026", "Subject": "It leaks" })])
    }
}

/// Finds words of numbers side by side, as full-text search does: also those of somebody else.
fn search(query: &str) -> Reply {
    let (words, rest) = query
        .strip_prefix("FIND {")
        .and_then(|rest| rest.split_once("} IN PHONE FIELDS RETURNING "))
        .unwrap();
    assert!(rest.contains("Contact(") && rest.contains("Account(") && rest.contains("Lead("));
    let phrases: Vec<Vec<&str>> =
        words.split(" OR ").map(|word| word.trim_matches('"').split(' ').collect()).collect();
    let digits = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
    assert!(phrases.iter().flatten().all(digits), "{query}");
    let of = |kind: &str, id: &str, name: &str, phone: &str| {
        json!({ "attributes": { "type": kind, "url": format!("/services/data/v60.0/sobjects/{kind}/{id}") },
            "Id": id, "Name": name, "Phone": phone })
    };
    let mut zoe = of("Contact", ZOE, "Zoë Keller", "(044) 555-0001");
    zoe["AccountId"] = json!(ACCOUNT);
    zoe["Account"] = json!({ "attributes": {}, "Name": "Example AG" });
    let all = [
        of("Account", ACCOUNT, "Example AG", "+41 44 555 00 00"),
        of("Contact", "003000000000002AAA", "Bo Chen", "+41 43 555 00 01"),
        zoe,
        of("Lead", "00Q000000000001AAA", "Lea Lead", "+41445558888"),
    ];
    let hits = |record: &&Value| {
        let phone = record["Phone"].as_str().unwrap();
        let words: Vec<&str> =
            phone.split(|letter: char| !letter.is_ascii_digit()).filter(|word| !word.is_empty()).collect();
        phrases.iter().any(|phrase| words.windows(phrase.len()).any(|side_by_side| side_by_side == phrase))
    };
    let found: Vec<&Value> = all.iter().filter(hits).collect();
    reply(200, &json!({ "searchRecords": found }))
}

fn organisation(organisation: Organisation) -> (Arc<Organisation>, ApiServer) {
    let organisation = Arc::new(organisation);
    let server = Arc::clone(&organisation);
    (organisation, ApiServer::start(move |asked| server.answer(asked)))
}

#[test]
fn crm_3_a_contact_is_found_by_its_whole_number_with_what_is_open() {
    let (_, server) = organisation(Organisation::default());
    let plugin = load(server.port);
    assert_eq!(plugin.check(&Cancel::default()).unwrap(), "2 contacts");
    let cards = found(&plugin, &caller());
    assert_eq!(cards.iter().map(|card| card.name.as_str()).collect::<Vec<_>>(), ["Zoë Keller"]);
    assert_eq!((cards[0].id.as_str(), cards[0].organization.as_deref()), (ZOE, Some("Example AG")));
    let lines: Vec<String> =
        cards[0].lines.iter().map(|(label, value)| format!("{label}: {value}")).collect();
    assert_eq!(lines, ["Open opportunity: Roof, Proposal, 1200", "Open case: 00001026, It leaks"]);
    assert_eq!(cards[0].url.as_deref(), Some("https://example.my.salesforce.com/003000000000001AAA"));
    assert!(found(&plugin, &stranger()).is_empty());

    let (_, server) = organisation(Organisation { narrow: true, ..Organisation::default() });
    let cards = found(&load(server.port), &caller());
    assert_eq!(cards[0].lines.len(), 1);
}

#[test]
fn crm_3_a_token_that_comes_after_its_call_has_ended_is_there_for_the_next_one() {
    let organisation = Organisation::default();
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let server = ApiServer::start(move |asked| {
        if asked.path == TOKEN_PATH {
            // Until it is opened.
            let _ = gate.lock().unwrap().recv();
        }
        organisation.answer(asked)
    });
    let plugin = load(server.port);
    assert!(plugin.resolve(&caller(), 5, &Cancel::default()).is_err(), "it ends without a token");
    drop(open);
    assert_eq!(found(&plugin, &caller()).len(), 1);
    assert_eq!(server.asked().iter().filter(|asked| asked.path == TOKEN_PATH).count(), 1);
}

#[test]
fn a_call_whose_answer_was_lost_is_one_task() {
    let (organisation, server) = organisation(Organisation { loses: true, ..Organisation::default() });
    told_thrice(|| load(server.port), "call-1");
    let tasks = organisation.tasks.lock().unwrap();
    assert_eq!(tasks.len(), 1);
    assert_eq!((&tasks[0]["WhoId"], &tasks[0]["CallObject"]), (&json!(ZOE), &json!("call-1")));
    assert_eq!((&tasks[0]["CallType"], &tasks[0]["CallDurationInSeconds"]), (&json!("Inbound"), &json!(60)));
    assert_eq!((&tasks[0]["ActivityDate"], &tasks[0]["Status"]), (&json!("2023-11-14"), &json!("Completed")));
}

#[test]
fn notes_and_tasks_are_tasks() {
    let (organisation, server) = organisation(Organisation::default());
    let plugin = load(server.port);
    let cancel = Cancel::default();
    let made = plugin.create_item(&item("item-1", true, Some(ACCOUNT)), &cancel).unwrap().unwrap();
    assert_eq!(made.as_deref(), Some("https://example.my.salesforce.com/00T000000000000001"));
    plugin.create_item(&item("item-2", false, None), &cancel).unwrap();
    plugin.create_item(&item("item-2", false, None), &cancel).unwrap();
    let tasks = organisation.tasks.lock().unwrap();
    assert_eq!(tasks.len(), 2);
    assert_eq!((&tasks[0]["WhatId"], &tasks[0]["Status"]), (&json!(ACCOUNT), &Value::Null));
    assert_eq!((&tasks[1]["WhoId"], &tasks[1]["Status"]), (&json!(ZOE), &json!("Completed")));
    assert_eq!(tasks[0]["Description"], "Call back \"<b>\"\nat nine\n\nBy Front desk, +41445550001");
}

#[test]
fn a_refusal_is_said_by_its_case() {
    refusals(load);
    let (_, server) = organisation(Organisation::default());
    let wrong = load_with(server.port, "hush-wrong").check(&Cancel::default()).unwrap_err();
    assert_eq!(wrong.case(), "auth-failed", "{wrong:?}");
    assert!(wrong.words().contains("invalid_client") && !wrong.words().contains("hush"), "{wrong:?}");
    let used_up = ApiServer::start(|asked| {
        if asked.path == TOKEN_PATH {
            return token(asked);
        }
        reply(
            403,
            &json!([{ "errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded." }]),
        )
    });
    let failure = load(used_up.port).check(&Cancel::default()).unwrap_err();
    assert_eq!(failure.case(), "retry-later", "{failure:?}");
    assert_eq!(
        load(used_up.port).log_call(&finished_call("a-1"), &Cancel::default()).unwrap_err().case(),
        "retry-later"
    );
}
