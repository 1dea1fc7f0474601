//! `odoo` against the JSON-2 interface of Odoo 19 as it is documented: named arguments only, ids for methods of
//! records, errors as objects; searches by patterns.

use std::sync::{Arc, Mutex};

use ipc::PluginParty;
use plugin_host::connector::Cancel;
use serde_json::{Value, json};

use crate::yard::hostile::finished_call;
use crate::{
    ApiServer, Asked, Plugin, Reply, caller, found, is_signed, item, lost, on_stage, refusals, reply,
    stranger, told_thrice,
};

fn load(port: u16) -> Plugin {
    load_with(port, json!({}))
}

fn load_with(port: u16, more: Value) -> Plugin {
    let mut settings = json!({ "url": "https://example.odoo.com/", "key": "hush", "database": "example" });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    on_stage(port, "odoo", &settings, "server")
}

/// A database.
#[derive(Default)]
struct Database {
    messages: Mutex<Vec<Value>>,
    activities: Mutex<Vec<Value>>,
    loses: bool,
    /// Contacts still have a field for mobile numbers, and there are opportunities.
    rich: bool,
}

impl Database {
    fn answer(&self, asked: &Asked) -> Reply {
        if !is_signed(asked) {
            return reply(
                401,
                &json!({ "name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey" }),
            );
        }
        assert_eq!((asked.method.as_str(), asked.header("x-odoo-database")), ("POST", Some("example")));
        let body = &asked.body;
        let (Some(method), true) = (asked.path.strip_prefix("/json/2/"), body.is_object()) else {
            return reply(404, &json!({ "name": "werkzeug.exceptions.NotFound", "message": "no such path" }));
        };
        let takes: &[&str] = match method {
            "res.partner/fields_get" => &["allfields", "attributes"],
            "res.partner/search_read" | "crm.lead/search_read" => &["domain", "fields", "limit"],
            "res.partner/search" | "mail.message/search" | "mail.activity/search" => &["domain", "limit"],
            "res.partner/message_post" => {
                &["ids", "body", "body_is_html", "message_type", "subtype_xmlid", "message_id"]
            }
            "res.partner/activity_schedule" => {
                &["ids", "act_type_xmlid", "summary", "note", "automated", "user_id"]
            }
            _ => {
                return reply(
                    404,
                    &json!({ "name": "werkzeug.exceptions.NotFound", "message": "the model or method does not exist" }),
                );
            }
        };
        if let Some(name) = body.as_object().unwrap().keys().find(|name| !takes.contains(&name.as_str())) {
            return reply(
                422,
                &json!({ "name": "werkzeug.exceptions.UnprocessableEntity", "message": format!("got an unexpected keyword argument '{name}'") }),
            );
        }
        match method {
            "res.partner/fields_get" if self.rich => {
                reply(200, &json!({ "phone": { "type": "char" }, "mobile": { "type": "char" } }))
            }
            "res.partner/fields_get" => reply(200, &json!({ "phone": { "type": "char" } })),
            "crm.lead/search_read" if self.rich => {
                reply(200, &json!([{ "id": 4, "name": "Roof", "stage_id": [2, "Proposition"] }]))
            }
            "crm.lead/search_read" => reply(
                404,
                &json!({ "name": "werkzeug.exceptions.NotFound", "message": "the model 'crm.lead' does not exist" }),
            ),
            "res.partner/search_read" => self.partners(body),
            "res.partner/search" => {
                reply(200, &json!(if body["domain"][0][2] == 99 { json!([99]) } else { json!([]) }))
            }
            "mail.message/search" => {
                let wanted = &body["domain"][0];
                assert_eq!((&wanted[0], &wanted[1]), (&json!("message_id"), &json!("=")));
                let messages = self.messages.lock().unwrap();
                let known =
                    (1..).zip(messages.iter()).filter(|(_, message)| message["message_id"] == wanted[2]);
                reply(200, &json!(known.map(|(id, _)| id).collect::<Vec<u32>>()))
            }
            "mail.activity/search" => {
                let (contact, note) = (&body["domain"][1][2], body["domain"][2][2].as_str().unwrap());
                let activities = self.activities.lock().unwrap();
                let known = activities.iter().filter(|activity| {
                    activity["ids"][0] == *contact && activity["note"].as_str().unwrap().contains(note)
                });
                reply(200, &json!(known.map(|_| 1).collect::<Vec<u32>>()))
            }
            "res.partner/message_post" => {
                assert_eq!(body["subtype_xmlid"], "mail.mt_note");
                self.keep(&self.messages, body)
            }
            _ => self.keep(&self.activities, body),
        }
    }

    fn keep(&self, list: &Mutex<Vec<Value>>, body: &Value) -> Reply {
        list.lock().unwrap().push(body.clone());
        if self.loses { lost() } else { reply(200, &json!([list.lock().unwrap().len()])) }
    }

    fn partners(&self, body: &Value) -> Reply {
        let mut zoe = json!({ "id": 7, "name": "Zoë Keller", "is_company": false, "commercial_company_name": "Example AG",
            "function": "CEO", "email": false, "city": false, "user_id": [2, "Ann Admin"], "phone": "044 555 00 01" });
        if self.rich {
            zoe["mobile"] = zoe["phone"].take();
        }
        let all = [
            json!({ "id": 6, "name": "Bo Chen", "is_company": false, "phone": "+41 43 455 50 00 12" }),
            zoe,
            json!({ "id": 9, "name": "Example AG", "is_company": true, "phone": "+41 44 555 00 01" }),
            json!({ "id": 8, "name": "No Number", "is_company": false, "phone": false }),
        ];
        let domain: Vec<&Value> =
            body["domain"].as_array().unwrap().iter().filter(|term| **term != "|").collect();
        let hits = |partner: &&Value| {
            domain.is_empty()
                || domain.iter().any(|term| {
                    assert_eq!(term[1], "=ilike");
                    let field = term[0].as_str().unwrap();
                    assert!(field == "phone" || self.rich, "Invalid field res.partner.{field}");
                    partner[field].as_str().is_some_and(|value| like(value, term[2].as_str().unwrap()))
                })
        };
        reply(200, &json!(all.iter().filter(hits).collect::<Vec<_>>()))
    }
}

/// Of a pattern of single letters between `%`.
fn like(value: &str, pattern: &str) -> bool {
    let mut letters = value.chars();
    pattern.chars().filter(|letter| *letter != '%').all(|letter| letters.any(|other| other == letter))
}

fn database(database: Database) -> (Arc<Database>, ApiServer) {
    let database = Arc::new(database);
    let server = Arc::clone(&database);
    (database, ApiServer::start(move |asked| server.answer(asked)))
}

#[test]
fn crm_3_a_contact_is_found_by_its_whole_number_whatever_fields_there_are() {
    for rich in [false, true] {
        let (_, server) = database(Database { rich, ..Database::default() });
        let plugin = load(server.port);
        let words = plugin.check(&Cancel::default()).unwrap();
        assert_eq!(words.ends_with("phone, mobile"), rich, "{words}");
        let cards = found(&plugin, &caller());
        let names: Vec<&str> = cards.iter().map(|card| card.name.as_str()).collect();
        assert_eq!(names, ["Zoë Keller", "Example AG"]);
        assert_eq!((cards[0].id.as_str(), cards[0].organization.as_deref()), ("7", Some("Example AG")));
        let lines: Vec<String> =
            cards[0].lines.iter().map(|(label, value)| format!("{label}: {value}")).collect();
        let more: &[&str] = if rich { &["Open opportunity: Roof, Proposition"] } else { &[] };
        assert_eq!(lines, [&["Function: CEO", "Salesperson: Ann Admin"], more].concat());
        assert_eq!(
            cards[0].url.as_deref(),
            Some("https://example.odoo.com/mail/view?model=res.partner&res_id=7")
        );
        assert!(found(&plugin, &stranger()).is_empty());
    }
}

#[test]
fn a_call_whose_answer_was_lost_is_one_message() {
    let (database, server) = database(Database { loses: true, ..Database::default() });
    // Two have the number: it goes to the contact that is set up.
    told_thrice(|| load_with(server.port, json!({ "strangers": 99 })), "call-1");
    let messages = database.messages.lock().unwrap();
    assert_eq!(messages.len(), 1);
    assert_eq!(
        (&messages[0]["ids"], &messages[0]["message_id"]),
        (&json!([99]), &json!("<call-1@frontdesk.invalid>"))
    );
    assert!(
        messages[0]["body"]
            .as_str()
            .unwrap()
            .starts_with("Incoming call, answered<br>Number: +41445550001<br>")
    );
}

#[test]
fn calls_and_notes_of_strangers_go_where_they_are_wanted_or_nowhere() {
    let (database, server) = database(Database::default());
    let cancel = Cancel::default();
    let stranger = PluginParty { numbers: Vec::new(), ..stranger() };
    let mut call = finished_call("call-1");
    call.remote = stranger;
    let refused = load(server.port).log_call(&call, &cancel).unwrap_err();
    assert_eq!(refused.case(), "unsupported");
    call.subject = Some("7".to_owned());
    assert_eq!(load(server.port).log_call(&call, &cancel), Ok(Some(())));
    assert_eq!(database.messages.lock().unwrap()[0]["ids"], json!([7]));
    let wrong = load_with(server.port, json!({ "strangers": 98 })).check(&cancel).unwrap_err();
    assert_eq!(
        (wrong.case(), wrong.words()),
        ("misconfigured", "strangers: there is no contact of this number")
    );
}

#[test]
fn a_task_is_an_activity_once() {
    let (database, server) = database(Database::default());
    let cancel = Cancel::default();
    for _ in 0..2 {
        // Each time one that remembers nothing.
        let plugin = load_with(server.port, json!({ "user": 5 }));
        let made = plugin.create_item(&item("item-1", true, Some("7")), &cancel).unwrap().unwrap();
        assert_eq!(made.as_deref(), Some("https://example.odoo.com/mail/view?model=res.partner&res_id=7"));
    }
    let activities = database.activities.lock().unwrap();
    assert_eq!(activities.len(), 1);
    assert_eq!(
        (&activities[0]["summary"], &activities[0]["user_id"]),
        (&json!("Call back \"<b>\""), &json!(5))
    );
    assert!(
        activities[0]["note"].as_str().unwrap().starts_with("Call back &quot;&lt;b&gt;&quot;<br>at nine<br>")
    );
}

#[test]
fn a_refusal_is_said_by_its_case() {
    refusals(load);
}
