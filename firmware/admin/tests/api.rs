//! The JSON API: tokens and their scopes, what it tells, and what it says to bad input (APP-1, APP-2).
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::{Browser, Host, House, PASSWORD, until};
use hyper::Method;
use ipc::PluginRequest;
use serde_json::{Value, json};

const PLUGIN: &str = "/api/v1/plugins/org.example.ldap";

async fn program(house: &House, ada: &mut Browser, scope: &str) -> Browser {
    let fields = [("token-name", scope), ("scope", scope), ("token-your-password", PASSWORD)];
    let shown = ada.submit("/accounts", "/tokens", &fields).await;
    let token = shown.between("<code id=\"token\">", "</code>").unwrap();
    Browser { bearer: Some(token), site: None, ..house.browser() }
}

async fn with_host() -> (House, Browser, Browser, Host) {
    let (house, mut ada) = House::with_ada().await;
    let host = Host::start(&house.socket(), true);
    let writer = program(&house, &mut ada, "write").await;
    let bearer = writer.bearer.clone();
    let address = house.admin.address;
    until("the host is seen", async || {
        Browser { bearer: bearer.clone(), ..Browser::new(address) }.get(PLUGIN).await.status == 200
    })
    .await;
    (house, ada, writer, host)
}

fn is_problem(answer: &house::browser::Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["status"], status);
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
}

#[tokio::test]
async fn app_2_the_api_wants_a_token_and_a_cookie_is_none() {
    let (house, mut ada) = House::with_ada().await;
    is_problem(&ada.get("/api/v1/overview").await, 401);
    let mut stranger = house.browser();
    for bearer in ["", "fdk_wrong", "\u{7f}"] {
        stranger.bearer = Some(bearer.trim_matches('\u{7f}').into());
        let answer = stranger.get("/api/v1/accounts").await;
        is_problem(&answer, 401);
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    }
    let mut reader = program(&house, &mut ada, "read").await;
    assert_eq!(reader.get("/api/v1/overview").await.status, 200);
    ada.submit("/accounts", "/tokens/1/revoke", &[]).await;
    is_problem(&reader.get("/api/v1/overview").await, 401);
    is_problem(&reader.get("/api/v1/nothing").await, 404);
    is_problem(&reader.send(Method::DELETE, "/api/v1/overview", None, vec![]).await, 405);
}

#[tokio::test]
async fn app_2_a_token_that_reads_writes_nothing() {
    let (house, mut ada, _, host) = with_host().await;
    let mut reader = program(&house, &mut ada, "read").await;
    let before = host.asked().len();
    let document = reader.get("/api/v1/openapi.json").await.json();
    let mut writes = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.replace("{id}", "1").replace("{key}", "x");
        for method in ["post", "put", "patch", "delete"].iter().filter(|m| operations.get(**m).is_some()) {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            is_problem(&reader.api(method, &path, Some(json!({}))).await, 403);
            writes += 1;
        }
    }
    assert!(writes >= 15, "{writes}");
    assert_eq!(host.asked().len(), before);
}

#[tokio::test]
async fn app_2_every_answer_has_the_shape_that_is_described() {
    let (_house, _ada, mut writer, _host) = with_host().await;
    let put = writer.api(Method::PUT, "/api/v1/settings", Some(settings())).await;
    assert_eq!(put.status, 200, "{}", put.body);
    let operator = json!({"name": "Grace", "language": "fr", "pin": "8306"});
    assert_eq!(writer.api(Method::POST, "/api/v1/operators", Some(operator)).await.status, 201);
    let document = writer.get("/api/v1/openapi.json").await.json();
    let mut read = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.replace("/accounts/{id}", "/accounts/1").replace("{id}", "org.example.ldap");
        if operations.get("get").is_none() || path.contains("{key}") {
            continue;
        }
        let answer = writer.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/json", "{path}");
        let schema = &operations["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        fits(&document, schema, &answer.json(), &path);
        read += 1;
    }
    assert!(read >= 10, "{read}");
}

/// Whether a value is of a schema, as far as our description uses JSON Schema.
fn fits(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return fits(document, &document["components"]["schemas"][name], value, at);
    }
    if let Some(either) = schema["oneOf"].as_array() {
        let schema = either.iter().find(|one| (one["type"] == "null") == value.is_null()).unwrap();
        return fits(document, schema, value, at);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match &schema["type"] {
        Value::String(wanted) => assert_eq!(wanted, kind, "{at}: {value}"),
        Value::Array(wanted) => assert!(wanted.contains(&json!(kind)), "{at}: {value}"),
        // Anything goes.
        _ => return,
    }
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at}: {value}");
    }
    if let Some(items) = value.as_array() {
        items.iter().for_each(|item| fits(document, &schema["items"], item, at));
    }
    let (Some(fields), Some(properties)) = (value.as_object(), schema["properties"].as_object()) else {
        return;
    };
    for (name, value) in fields {
        let schema = properties.get(name).unwrap_or_else(|| panic!("{at}: {name} is not described"));
        fits(document, schema, value, &format!("{at}.{name}"));
    }
    for name in schema["required"].as_array().unwrap() {
        assert!(fields.contains_key(name.as_str().unwrap()), "{at}: {name} is missing");
    }
}

#[tokio::test]
async fn app_1_a_program_uploads_installs_and_sets_a_plugin_up() {
    let (_house, mut ada, mut writer, host) = with_host().await;
    let sent =
        writer.send(Method::POST, "/api/v1/uploads", Some("application/wasm"), b"\0asm....".to_vec()).await;
    assert_eq!(sent.status, 201, "{}", sent.body);
    let (key, install) =
        (sent.json()["key"].as_str().unwrap().to_owned(), json!({"grants": {"net": ["api"]}}));
    assert_eq!(sent.json()["signature"], "new");
    assert_eq!(writer.get(&format!("/api/v1/uploads/{key}")).await.json(), sent.json());
    let path = format!("/api/v1/uploads/{key}/install");
    let wrong = json!({"grants": {"net": ["api"], "private": ["api"]}});
    is_problem(&writer.api(Method::POST, &path, Some(wrong)).await, 422);
    let installed = writer.api(Method::POST, &path, Some(install)).await;
    assert_eq!((installed.status, &installed.json()["grants"]["net"]), (201, &json!(["api"])));
    is_problem(&writer.get(&format!("/api/v1/uploads/{key}")).await, 404);
    let settings = json!({"values": {"url": "ldap://x", "password": null}, "interval_s": 60});
    let put = writer.api(Method::PUT, &format!("{PLUGIN}/settings"), Some(settings.clone())).await;
    assert_eq!((put.status, put.body.as_str()), (204, ""));
    let told = host.asked().into_iter().find_map(|asked| match asked {
        PluginRequest::Configure { values, interval_s, .. } => {
            Some(json!({"values": values, "interval_s": interval_s}))
        }
        _ => None,
    });
    assert_eq!(told.unwrap(), settings);
    for action in ["enable", "disable", "sync", "allow-to-shrink", "roll-back"] {
        let body = json!({"action": action});
        assert_eq!(writer.api(Method::POST, &format!("{PLUGIN}/actions"), Some(body)).await.status, 204);
    }
    let tested = writer.send(Method::POST, &format!("{PLUGIN}/test"), None, vec![]).await;
    assert!(tested.json()["words"].as_str().unwrap().starts_with("1240 people"));
    assert_eq!(writer.send(Method::DELETE, PLUGIN, None, vec![]).await.status, 204);
    let log = ada.get("/audit").await;
    assert!(log.has("token write") && log.has("removed a plugin"));
}

#[tokio::test]
async fn dir_4_a_program_asks_for_a_code_and_is_told_when_somebody_has_signed_in() {
    let (house, mut ada, mut writer, host) = with_host().await;
    let mut reader = program(&house, &mut ada, "read").await;
    let settings = format!("{PLUGIN}/settings");
    let standing = async |writer: &mut Browser| writer.get(&settings).await.json()["sign_ins"][0].clone();
    assert_eq!(standing(&mut writer).await["state"], "none");
    let (begin, end) = (format!("{PLUGIN}/sign-in"), format!("{PLUGIN}/sign-out"));
    let body = json!({"credential": "person"});
    let code = writer.api(Method::POST, &begin, Some(body.clone())).await;
    assert_eq!((code.status, &code.json()["expires_s"]), (200, &json!(840)));
    let document = writer.get("/api/v1/openapi.json").await.json();
    fits(&document, &document["components"]["schemas"]["SignInCode"], &code.json(), &begin);
    let waiting = standing(&mut writer).await;
    assert_eq!((&waiting["state"], &waiting["code"]), (&json!("waiting"), &code.json()));
    fits(&document, &document["components"]["schemas"]["SignIn"], &waiting, &settings);
    let read = standing(&mut reader).await;
    assert_eq!(
        (&read["state"], &read["code"]),
        (&json!("waiting"), &Value::Null),
        "who only reads signs in for nobody"
    );
    host.set(|inner| inner.sign_in = ipc::PluginSignInState::SignedIn);
    assert_eq!(standing(&mut writer).await["state"], "signed-in");
    assert_eq!(writer.api(Method::POST, &end, Some(body)).await.status, 204);
    for path in [begin, end] {
        is_problem(&writer.api(Method::POST, &path, Some(json!({"credential": "app"}))).await, 409);
        is_problem(&writer.api(Method::POST, &path, Some(json!({}))).await, 422);
    }
}

#[tokio::test]
async fn acc_1_a_program_manages_accounts() {
    let (house, mut ada) = House::with_ada().await;
    let mut writer = program(&house, &mut ada, "write").await;
    let new = json!({"name": "Sue", "role": "supervisor", "password": PASSWORD});
    let added = writer.api(Method::POST, "/api/v1/accounts", Some(new.clone())).await;
    assert_eq!((added.status, &added.json()["role"]), (201, &json!("supervisor")));
    is_problem(&writer.api(Method::POST, "/api/v1/accounts", Some(new)).await, 409);
    let mut sue = house.browser();
    sue.sign_in("Sue", PASSWORD).await;
    assert_eq!(sue.get("/").await.status, 200);
    let change = json!({"role": "administrator"});
    assert_eq!(writer.api(Method::PATCH, "/api/v1/accounts/2", Some(change)).await.status, 204);
    assert_eq!(sue.get("/").await.status, 303, "its sessions end");
    assert_eq!(writer.send(Method::DELETE, "/api/v1/accounts/1", None, vec![]).await.status, 204);
    // Its tokens went with the account.
    is_problem(&writer.get("/api/v1/accounts").await, 401);
    sue.sign_in("Sue", PASSWORD).await;
    let mut writer = program(&house, &mut sue, "write").await;
    is_problem(&writer.send(Method::DELETE, "/api/v1/accounts/2", None, vec![]).await, 409);
    is_problem(&writer.get("/api/v1/accounts/99").await, 404);
    let made = writer.api(Method::POST, "/api/v1/tokens", Some(json!({"name": "x", "scope": "read"}))).await;
    let mut reader = Browser { bearer: made.json()["token"].as_str().map(str::to_owned), ..house.browser() };
    assert_eq!(reader.get("/api/v1/tokens").await.json().as_array().unwrap().len(), 2);
    assert!(!reader.get("/api/v1/tokens").await.has("fdk_"));
}

#[tokio::test]
async fn app_2_bad_input_is_never_an_error_of_the_box() {
    let (_house, _ada, mut writer, _host) = with_host().await;
    let document = writer.get("/api/v1/openapi.json").await.json();
    let deep = "[".repeat(5000);
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("application/json", vec![]),
        ("application/json", b"{".to_vec()),
        ("application/json", b"null".to_vec()),
        ("application/json", b"[]".to_vec()),
        ("application/json", deep.into_bytes()),
        ("application/json", vec![0xff, 0xfe]),
        ("application/json", br#"{"values":{},"interval_s":-1}"#.to_vec()),
        ("application/json", br#"{"values":{},"interval_s":1e99}"#.to_vec()),
        ("application/json", br#"{"name":"","role":"king","password":"x","scope":"all"}"#.to_vec()),
        ("application/json", br#"{"name":"a","role":"supervisor","password":"a"}"#.to_vec()),
        ("application/json", br#"{"action":"explode"}"#.to_vec()),
        ("application/json", vec![b' '; 600_000]),
        ("text/plain", b"{}".to_vec()),
        ("application/octet-stream", vec![7; 1000]),
    ];
    let names = [
        "1",
        "-1",
        "99999999999999999999999",
        "%00",
        "%ff",
        "a%2Fb",
        "..",
        "org.example.none",
        "%F0%9F%98%80",
    ];
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in
            ["get", "post", "put", "patch", "delete"].iter().filter(|m| operations.get(**m).is_some())
        {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            // The own certificate is a good one.
            if path == "/api/v1/certificate" && method == Method::DELETE {
                continue;
            }
            let names: &[&str] = if path.contains('{') { &names } else { &["x"] };
            for name in names {
                let path = path.replace("{id}", name).replace("{key}", name);
                let bodies = if method == Method::GET || method == Method::DELETE {
                    &bodies[..1]
                } else {
                    &bodies[..]
                };
                // A bad body is bad under every name; once is enough.
                let bodies = if *name == names[0] { bodies } else { &bodies[..1] };
                for (kind, body) in bodies {
                    let answer = writer.send(method.clone(), &path, Some(kind), body.clone()).await;
                    assert!(answer.status < 500, "{method} {path} {kind}: {} {}", answer.status, answer.body);
                    if answer.status >= 400 {
                        is_problem(&answer, answer.status);
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn app_1_a_host_that_is_away_is_a_problem_of_its_own() {
    let (house, mut ada) = House::with_ada().await;
    let mut reader = program(&house, &mut ada, "read").await;
    is_problem(&reader.get("/api/v1/plugins").await, 503);
    assert_eq!(reader.get("/api/v1/audit?limit=1").await.json().as_array().unwrap().len(), 1);
    for query in ["limit=0", "limit=501", "limit=x", "before=x", "limit="] {
        is_problem(&reader.get(&format!("/api/v1/audit?{query}")).await, 422);
    }
    let overview = reader.get("/api/v1/overview").await.json();
    assert_eq!(overview["plugin_host"]["here"], false);
    assert_eq!(overview["version"], "1.2.3");
    assert_eq!(overview["lines"][0]["registration"]["state"], "failed");
}

/// Every table with something in it.
fn settings() -> Value {
    json!({
        "operator": { "name": "Accueil" },
        "clock": { "time_zone": "Europe/Paris" },
        "rules": { "transfer_timeout_s": 30, "hold_alarm_s": 90, "ended_transfer_s": 8, "max_calls": 50, "log_days": 365,
            "monitor": true, "take_over": true },
        "numbers": { "country": "33", "trunk_prefix": "0", "area": "1", "international_prefix": "00",
            "outside_prefix": "9", "extension_min": 3, "extension_max": 4, "intercept": "**$" },
        "voice": { "hands_free": true, "echo": true, "noise": false, "gain": true },
        "waiting": { "music": "/music/all.wav", "announcement": "/music/please-wait.opus" },
        "crm": { "url": "https://crm.example/?q=$", "open": "answer" },
        "timers": { "undo_ms": 0, "hold_ms": 1, "queue_ms": 2, "park_ms": 3, "queue_delay_ms": 4 },
        "timetable": { "open": [{ "days": ["monday"], "from": "08:30", "until": "24:00" }], "holidays": ["12-25"] },
        "xmpp": { "address": "desk@chat.example", "password": "secret", "server": "127.0.0.1", "ca": "/ca.pem" },
        "accounts": [{ "user": "2100", "domain": "pbx.example", "password": "s3cret", "auth_user": "x",
            "registrar": "127.0.0.1:5070", "outbound_proxy": "127.0.0.1", "mailbox": "2199", "display_name": "Desk",
            "id": "desk", "expires_s": 600, "transport": "tls", "srtp": "optional", "trust_identity": false,
            "nat": "stun:stun.example", "session_timer_s": 0 }],
        "tls": { "ca": [], "verify": false },
        "lines": [{ "number": "5550100", "name": "Sales", "account": "desk", "note": "Good day", "colour": 3,
            "ring": "gong", "crm": "http://x/$", "music": "/music/sales.opus" }],
        "handling": [
            { "name": "Night", "when": "arrives", "who": "external", "line": "5550100", "modes": ["night"],
                "then": { "voicemail": { "to": "2199" } } },
            { "name": "Late", "when": { "unanswered": { "seconds": 20 } }, "then": "reject" },
        ],
        "park": [{ "number": "701", "name": "Hall" }],
    })
}

#[tokio::test]
async fn app_2_a_program_sets_the_desk_up_and_passwords_only_go_in() {
    let (house, mut ada) = House::with_ada().await;
    let mut writer = program(&house, &mut ada, "write").await;
    const PATH: &str = "/api/v1/settings";
    assert_eq!(writer.api(Method::PUT, PATH, Some(settings())).await.status, 200);
    let told = writer.get(PATH).await;
    assert!(told.has("2100") && !told.has("s3cret") && !told.has("secret"), "{}", told.body);
    // As it was told, with something else in it: the passwords stay.
    let mut next = told.json();
    next["lines"][0]["name"] = json!("Sales and more");
    assert_eq!(writer.api(Method::PUT, PATH, Some(next.clone())).await.json(), next);
    let heard = house.saved.borrow().as_ref().clone();
    assert_eq!(heard.accounts[0].password.reveal(), "s3cret");
    assert_eq!(
        (heard.xmpp.as_ref().unwrap().password.reveal(), heard.lines[0].name.as_str()),
        ("secret", "Sales and more")
    );
    // The password of the chat account does not go to another machine, nor to another account.
    for (field, value) in
        [("address", "other@chat.example"), ("server", "127.0.0.2"), ("ca", "/other.pem"), ("server", "")]
    {
        let mut elsewhere = next.clone();
        elsewhere["xmpp"][field] = if value.is_empty() { Value::Null } else { json!(value) };
        let answer = writer.api(Method::PUT, PATH, Some(elsewhere.clone())).await;
        is_problem(&answer, 422);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("xmpp.password: Type the password."), "{field} {value:?}: {detail}");
        assert_eq!(*house.saved.borrow().as_ref(), heard, "{field} {value:?}");
        elsewhere["xmpp"]["password"] = json!("secret again");
        assert_eq!(writer.api(Method::PUT, PATH, Some(elsewhere)).await.status, 200, "{field} {value:?}");
        assert_eq!(house.saved.borrow().xmpp.as_ref().unwrap().password.reveal(), "secret again");
        let mut back = next.clone();
        back["xmpp"]["password"] = json!("secret");
        assert_eq!(writer.api(Method::PUT, PATH, Some(back)).await.status, 200);
    }
    // Nor does that of an account at the exchange.
    for (field, value) in
        [("domain", "evil.example"), ("registrar", "127.0.0.2"), ("outbound_proxy", "127.0.0.2")]
    {
        let mut elsewhere = next.clone();
        elsewhere["accounts"][0][field] = json!(value);
        let answer = writer.api(Method::PUT, PATH, Some(elsewhere.clone())).await;
        is_problem(&answer, 422);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("accounts[0].password: Type the password."), "{field}: {detail}");
        assert_eq!(*house.saved.borrow().as_ref(), heard, "{field}");
        elsewhere["accounts"][0]["password"] = json!("typed again");
        assert_eq!(writer.api(Method::PUT, PATH, Some(elsewhere)).await.status, 200, "{field}");
        assert_eq!(house.saved.borrow().accounts[0].password.reveal(), "typed again");
        let mut back = next.clone();
        back["accounts"][0]["password"] = json!("s3cret");
        assert_eq!(writer.api(Method::PUT, PATH, Some(back)).await.status, 200);
    }
    // By another name it is the same account.
    let mut renamed = next.clone();
    renamed["accounts"][0]["id"] = json!("front");
    renamed["lines"][0]["account"] = json!("front");
    assert_eq!(writer.api(Method::PUT, PATH, Some(renamed.clone())).await.status, 200);
    assert_eq!(house.saved.borrow().accounts[0].password.reveal(), "s3cret");
    assert_eq!(writer.api(Method::PUT, PATH, Some(next.clone())).await.status, 200);
    renamed["accounts"][0]["domain"] = json!("evil.example");
    let answer = writer.api(Method::PUT, PATH, Some(renamed)).await;
    is_problem(&answer, 422);
    assert!(
        answer.json()["detail"].as_str().unwrap().starts_with("accounts[0].password: Type the password.")
    );
    assert_eq!(*house.saved.borrow().as_ref(), heard);
    // Without an account none appears without its password.
    let mut without = next.clone();
    without["xmpp"] = Value::Null;
    assert_eq!(writer.api(Method::PUT, PATH, Some(without)).await.status, 200);
    is_problem(&writer.api(Method::PUT, PATH, Some(next.clone())).await, 422);
    assert_eq!(house.saved.borrow().xmpp, None);
    let mut back = next.clone();
    back["xmpp"]["password"] = json!("secret");
    assert_eq!(writer.api(Method::PUT, PATH, Some(back)).await.status, 200);
    assert_eq!(*house.saved.borrow().as_ref(), heard);
    // What is wrong is named, and nothing changes.
    let mut wrong = next.clone();
    wrong["accounts"][0]["domain"] = json!("a b");
    wrong["accounts"][0]["password"] = json!("s3cret");
    let answer = writer.api(Method::PUT, PATH, Some(wrong)).await;
    is_problem(&answer, 422);
    assert!(answer.json()["detail"].as_str().unwrap().starts_with("accounts[0].domain: "), "{}", answer.body);
    for (field, value) in [("directories", json!([{"name": "x", "local": true}])), ("nothing", json!(1))] {
        let mut wrong = next.clone();
        wrong[field] = value;
        is_problem(&writer.api(Method::PUT, PATH, Some(wrong)).await, 422);
    }
    assert_eq!(*house.saved.borrow().as_ref(), heard);
}

#[tokio::test]
async fn app_2_what_a_program_leaves_out_of_the_settings_is_not_emptied() {
    let (house, mut ada) = House::with_ada().await;
    let mut writer = program(&house, &mut ada, "write").await;
    const PATH: &str = "/api/v1/settings";
    assert_eq!(writer.api(Method::PUT, PATH, Some(settings())).await.status, 200);
    let heard = house.saved.borrow().as_ref().clone();
    for part in [json!({}), json!({ "clock": { "time_zone": "Europe/London" } })] {
        let answer = writer.api(Method::PUT, PATH, Some(part)).await;
        is_problem(&answer, 422);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("accounts, ") && detail.contains("lines, "), "{detail}");
        assert_eq!(*house.saved.borrow().as_ref(), heard);
    }
    // As it was told, without one table.
    let mut next = writer.get(PATH).await.json();
    next.as_object_mut().unwrap().remove("park");
    let answer = writer.api(Method::PUT, PATH, Some(next.clone())).await;
    is_problem(&answer, 422);
    assert!(answer.json()["detail"].as_str().unwrap().contains("left out: park."), "{}", answer.body);
    // What is sent empty is meant so, and what is empty need not be sent.
    next["park"] = json!([]);
    assert_eq!(writer.api(Method::PUT, PATH, Some(next)).await.status, 200);
    assert!(house.saved.borrow().park.is_empty());
    let told = writer.get(PATH).await.json();
    assert_eq!(told.get("park"), None);
    assert_eq!(writer.api(Method::PUT, PATH, Some(told.clone())).await.json(), told);
}

#[tokio::test]
async fn acc_1_a_program_manages_operators() {
    let (house, mut ada) = House::with_ada().await;
    let mut writer = program(&house, &mut ada, "write").await;
    const PATH: &str = "/api/v1/operators";
    let new = |pin: &str| Some(json!({"name": "Grace", "language": "fr", "pin": pin}));
    is_problem(&writer.api(Method::POST, PATH, new("1234")).await, 422);
    let added = writer.api(Method::POST, PATH, new("8306")).await;
    assert_eq!((added.status, &added.json()["locked"]), (201, &json!(false)));
    is_problem(&writer.api(Method::POST, PATH, new("8306")).await, 409);
    for change in [json!({}), json!({"pin": "0000"}), json!({"language": "de"}), json!({"hash": "x"})] {
        is_problem(&writer.api(Method::PATCH, &format!("{PATH}/1"), Some(change)).await, 422);
    }
    let change = json!({"name": "Hopper", "pin": "5938", "locked": true});
    assert_eq!(writer.api(Method::PATCH, &format!("{PATH}/1"), Some(change)).await.status, 204);
    let told = writer.get(PATH).await;
    assert_eq!((&told.json()[0]["name"], &told.json()[0]["locked"]), (&json!("Hopper"), &json!(true)));
    assert!(!told.has("argon2") && !told.has("5938"));
    assert_eq!(writer.send(Method::DELETE, &format!("{PATH}/1"), None, vec![]).await.status, 204);
    is_problem(&writer.send(Method::DELETE, &format!("{PATH}/1"), None, vec![]).await, 404);
}
