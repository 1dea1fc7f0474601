//! `rest-crm` against a small service with a JSON API: with the defaults, over TLS, with each way to sign in, and
//! with a way to ask whether a call is there.

use std::sync::{Arc, Mutex};

use plugin_host::connector::Cancel;
use serde_json::{Value, json};

use crate::yard::{self, Yard};
use crate::{
    ApiServer, Asked, Plugin, Reply, caller, found, is_signed, item, lost, refusals, reply, stranger,
    told_thrice,
};

fn load(settings: Value) -> Plugin {
    load_in(Yard::with_names(&[]), settings)
}

fn load_in(yard: Yard, settings: Value) -> Plugin {
    Plugin::load(yard, "rest-crm", &settings, &yard::granted("server", true))
}

/// Customers whose numbers have a part of what is asked for: a search that finds too much.
fn customers(asked: &Asked) -> Reply {
    let all = json!([
        { "id": 1, "name": "Bo Chen", "phone": "+41 44 555 00 011", "company": "Wrong" },
        { "id": 2, "name": "Zoë Keller", "phone": "044 555 00 01", "company": "Example AG",
          "contract": { "level": "Gold" } },
    ]);
    let Some(number) = asked.query("phone") else {
        return reply(400, &json!({ "message": "phone is missing" }));
    };
    // Only the way that is dialled at home is known here.
    if number.starts_with("044555") {
        reply(200, &json!({ "items": all }))
    } else {
        reply(200, &json!({ "items": [] }))
    }
}

#[test]
fn crm_3_a_customer_is_found_by_the_second_spelling_and_nobody_by_half_a_number() {
    let server = ApiServer::start(|asked| match (is_signed(asked), asked.route()) {
        (true, ("GET", "/api/customers")) => customers(asked),
        (true, _) => reply(404, &Value::Null),
        (false, _) => reply(401, &json!({ "error": { "message": "sign in" } })),
    });
    let url = format!("http://127.0.0.1:{}/api/", server.port);
    let page = "https://crm.example/c/{id}";
    let lines = "Contract = contract.level";
    let plugin = load(json!({ "url": url, "secret": "hush", "lines": lines, "page": page }));
    assert_eq!(plugin.check(&Cancel::default()).unwrap(), "the service answers; set up: customers");
    let cards = found(&plugin, &caller());
    assert_eq!(cards.len(), 1);
    assert_eq!((cards[0].id.as_str(), cards[0].name.as_str()), ("2", "Zoë Keller"));
    assert_eq!(cards[0].organization.as_deref(), Some("Example AG"));
    assert_eq!(cards[0].lines, [("Contract".to_owned(), "Gold".to_owned())]);
    assert_eq!(cards[0].url.as_deref(), Some("https://crm.example/c/2"));
    let numbers: Vec<String> =
        server.asked().iter().filter_map(|asked| asked.query("phone").map(str::to_owned)).collect();
    assert_eq!(numbers, ["+999000000000", "+41445550001", "0445550001"]);
    assert!(found(&plugin, &stranger()).is_empty());

    let wrong = load(json!({ "url": url, "secret": "wrong" })).check(&Cancel::default()).unwrap_err();
    assert_eq!((wrong.case(), wrong.words()), ("auth-failed", "HTTP status 401: sign in"));
    // Nothing is set up for calls and notes: said once and for all, and the service is not asked.
    let before = server.asked().len();
    let call = yard::hostile::finished_call("a-1");
    assert_eq!(plugin.log_call(&call, &Cancel::default()).unwrap_err().case(), "unsupported");
    assert_eq!(
        plugin.create_item(&item("b-1", true, None), &Cancel::default()).unwrap_err().case(),
        "unsupported"
    );
    assert_eq!(server.asked().len(), before);
}

#[test]
fn each_way_to_sign_in_over_tls() {
    let key = rcgen::generate_simple_self_signed(vec!["crm.example".to_owned()]).unwrap();
    let server = ApiServer::start_tls(&key, |asked| {
        let good = asked.header("x-api-key") == Some("hush")
            || matches!(
                asked.header("authorization"),
                Some("Bearer hush" | "Token hush" | "Basic ZGVzazpodXNo")
            );
        if good { customers(asked) } else { reply(401, &Value::Null) }
    });
    let yard = || Yard::new(&[("crm.example", &[&["127.0.0.1"]])], vec![key.cert.der().clone()]);
    let url = format!("https://crm.example:{}", server.port);
    for (kind, secret) in
        [("bearer", "hush"), ("basic", "hush"), ("x-api-key", "hush"), ("authorization", "Token hush")]
    {
        let settings = json!({ "url": url, "sign-in": kind, "user": "desk", "secret": secret });
        assert_eq!(found(&load_in(yard(), settings), &caller()).len(), 1, "{kind}");
    }
    let none = load_in(yard(), json!({ "url": url, "sign-in": "none" })).check(&Cancel::default());
    assert_eq!(none.unwrap_err().case(), "auth-failed");
}

#[test]
fn a_call_whose_answer_was_lost_is_one_entry() {
    let calls: Arc<Mutex<Vec<Value>>> = Arc::default();
    let kept = Arc::clone(&calls);
    let server = ApiServer::start(move |asked| match asked.route() {
        ("GET", "/calls") => {
            let calls = kept.lock().unwrap();
            let known = calls.iter().filter(|call| call["reference"].as_str() == asked.query("ref"));
            reply(200, &json!({ "items": known.collect::<Vec<_>>() }))
        }
        ("POST", "/calls") => {
            assert_eq!(asked.header("idempotency-key"), asked.body["reference"].as_str());
            kept.lock().unwrap().push(asked.body.clone());
            lost()
        }
        _ => reply(404, &Value::Null),
    });
    let url = format!("http://127.0.0.1:{}", server.port);
    let settings = json!({ "url": url, "sign-in": "none", "find": "", "call-path": "/calls", "call-known": "/calls?ref={call.id}" });
    told_thrice(|| load(settings.clone()), "call-1");
    let calls = calls.lock().unwrap();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0]["started"], "2023-11-14T22:13:20Z");
    assert_eq!((&calls[0]["seconds"], &calls[0]["customer"]), (&json!(60), &Value::Null));
    assert_eq!((&calls[0]["direction"], &calls[0]["outcome"]), (&json!("incoming"), &json!("answered")));
    assert_eq!(calls[0]["line"], "Bakery");
}

#[test]
fn a_note_goes_below_its_customer_and_says_where_it_is() {
    let server = ApiServer::start(|asked| match asked.route() {
        ("POST", "/c/2%2F3/notes") => reply(201, &json!({ "id": 9, "url": "https://crm.example/notes/9" })),
        ("POST", "/tasks") => reply(409, &Value::Null),
        _ => reply(404, &Value::Null),
    });
    let settings = json!({ "url": format!("http://127.0.0.1:{}", server.port), "sign-in": "none", "find": "",
        "note-path": "/c/{item.customer}/notes", "task-path": "/tasks" });
    let plugin = load(settings);
    let cancel = Cancel::default();
    let made = plugin.create_item(&item("b-1", false, Some("2/3")), &cancel).unwrap().unwrap();
    assert_eq!(made.as_deref(), Some("https://crm.example/notes/9"));
    let body = server.asked()[0].body.clone();
    assert_eq!((&body["text"], &body["customer"]), (&json!("Call back \"<b>\"\nat nine"), &json!("2/3")));
    // The same key is being worked on: later.
    assert_eq!(plugin.create_item(&item("b-2", true, None), &cancel).unwrap_err().case(), "retry-later");
    // The same note again: one entry.
    assert_eq!(plugin.create_item(&item("b-1", false, Some("2/3")), &cancel), Ok(Some(None)));
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_refusal_is_said_by_its_case() {
    refusals(|port| {
        load(json!({ "url": format!("http://127.0.0.1:{port}"), "secret": "hush",
            "call-path": "/calls", "call-known": "/calls?ref={call.id}", "note-path": "/notes", "note-known": "/notes/{item.id}" }))
    });
    let nobody = ApiServer::start(|_| reply(404, &Value::Null));
    let settings = json!({ "url": format!("http://127.0.0.1:{}", nobody.port), "sign-in": "none", "find-unknown": true });
    assert!(found(&load(settings), &caller()).is_empty());
    let settings = json!({ "url": "https://crm.example", "call-path": "/calls", "call-body": "{" });
    let failure = load(settings).check(&Cancel::default()).unwrap_err();
    assert_eq!(failure.case(), "misconfigured", "{failure:?}");
}
