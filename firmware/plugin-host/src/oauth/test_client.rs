//! Tests of clients of token servers: what a manifest may say, where they ask, what they send.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::*;
use proptest::prelude::*;
use serde_json::json;

const MANIFEST: &str = r#"
manifest = 1
[plugin]
id = "org.example.people"
name = "People"
version = "1.0.0"
abi = "0.1"
description = "People"

[[net]]
id = "api"
from-setting = "server"
reason = "People"

[[net]]
id = "login"
from-setting = "login"
reason = "Tokens"

[[auth]]
id = "app"
kind = "oauth-client-credentials"
user-setting = "client"
secret-setting = "secret"
token-net = "login"
token-url-setting = "login"
token-path = "/{tenant}/oauth2/v2.0/token"
scope = "{server}/.default"
parameters = { audience = "{server}" }
net = ["api"]

[[auth]]
id = "person"
kind = "oauth-device-code"
user-setting = "client"
token-net = "login"
token-url-setting = "login"
token-path = "/{tenant}/oauth2/v2.0/token"
device-path = "/{tenant}/oauth2/v2.0/devicecode"
scope = "offline_access"
net = ["api"]

[[settings]]
key = "server"
type = "url"
label = { en = "Server" }
default = "https://api.example.com"
[[settings]]
key = "login"
type = "url"
label = { en = "Login" }
default = "https://login.example.com/"
[[settings]]
key = "tenant"
type = "text"
label = { en = "Tenant" }
[[settings]]
key = "client"
type = "text"
label = { en = "Client" }
[[settings]]
key = "secret"
type = "secret"
label = { en = "Secret" }
"#;

fn client(id: &str, values: serde_json::Value) -> Result<Client, String> {
    client_of(MANIFEST, id, values)
}

fn client_of(text: &str, id: &str, values: serde_json::Value) -> Result<Client, String> {
    let manifest = Manifest::parse(text).unwrap();
    let filled = manifest.fill(values.as_object().unwrap()).unwrap();
    Client::of(&manifest, manifest.auth.iter().find(|auth| auth.id == id).unwrap(), &filled)
}

#[test]
fn the_forms_of_the_standards() {
    let values = json!({"tenant": "house.example", "client": "desk", "secret": "a b&c"});
    let app = client("app", values.clone()).unwrap();
    assert_eq!(app.token_url().as_str(), "https://login.example.com/house.example/oauth2/v2.0/token");
    assert_eq!(app.net(), "login");
    let form = app.credentials().unwrap().0;
    assert_eq!(
        form,
        "grant_type=client_credentials&client_id=desk&client_secret=a+b%26c\
         &scope=https%3A%2F%2Fapi.example.com%2F.default&audience=https%3A%2F%2Fapi.example.com"
    );
    let person = client("person", values).unwrap();
    let device = person.device_url().unwrap().as_str();
    assert_eq!(device, "https://login.example.com/house.example/oauth2/v2.0/devicecode");
    assert_eq!(person.device().unwrap().0, "client_id=desk&scope=offline_access");
    assert_eq!(
        person.poll("d/1").unwrap().0,
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=d%2F1&client_id=desk"
    );
    let refresh = person.refresh("r").unwrap().0;
    assert_eq!(refresh, "grant_type=refresh_token&refresh_token=r&client_id=desk&scope=offline_access");
}

#[test]
fn what_is_missing_is_said_and_nothing_typed_leads_elsewhere() {
    let missing = client("app", json!({"tenant": "t"})).err().unwrap();
    assert_eq!(missing, "the client id of app is not filled in");
    assert!(client("app", json!({"client": "c"})).err().unwrap().contains("tenant"));
    let secretless = client("app", json!({"tenant": "t", "client": "c"})).unwrap();
    assert_eq!(secretless.credentials().unwrap_err(), "the client secret is not filled in");
    for tenant in ["..", ".", "", " "] {
        assert!(client("app", json!({"tenant": tenant, "client": "c"})).is_err(), "{tenant:?}");
    }
    let sly = client("app", json!({"tenant": "@evil.example/../x?y#z", "client": "c"})).unwrap();
    assert_eq!(sly.token_url().host_str(), Some("login.example.com"));
    assert!(sly.token_url().path().ends_with("/oauth2/v2.0/token"), "{}", sly.token_url());
}

#[test]
fn a_sign_in_is_for_the_servers_that_get_its_tokens_and_for_no_other() {
    let at = |server: &str| json!({"tenant": "t", "client": "c", "server": server});
    let bound = |text: &str, values| client_of(text, "person", values).unwrap().bound_to();
    let before = bound(MANIFEST, at("https://api.example.com"));
    assert_eq!(bound(MANIFEST, at("https://API.example.com:443/v2")), before, "the same server");
    assert_ne!(bound(MANIFEST, at("https://evil.example")), before);
    // A version that wants to send it to a place more.
    let usage = "[[net]]\nid = \"usage\"\nhosts = [\"https://stats.example\"]\nreason = \"Usage\"\n";
    let asks = format!("{MANIFEST}{usage}");
    assert_eq!(bound(&asks, at("https://api.example.com")), before, "it may go there, without a token");
    let sends = asks.replacen(
        "scope = \"offline_access\"\nnet = [\"api\"]",
        "scope = \"offline_access\"\nnet = [\"api\", \"usage\"]",
        1,
    );
    assert_ne!(bound(&sends, at("https://api.example.com")), before);
}

#[test]
fn a_manifest_that_breaks_a_rule_of_tokens_is_refused() {
    for (change, to) in [
        ("token-net = \"login\"\n", ""),
        ("token-net = \"login\"", "token-net = \"elsewhere\""),
        ("token-path = \"/{tenant}/oauth2/v2.0/token\"\n", ""),
        ("token-path = \"/{tenant}", "token-path = \"//evil.example/{tenant}"),
        ("token-path = \"/{tenant}", "token-path = \"/{secret}"),
        ("token-path = \"/{tenant}", "token-path = \"/{nothing}"),
        ("scope = \"{server}/.default\"", "scope = \"{secret}\""),
        ("token-url-setting = \"login\"\n", "token-url = \"https://{tenant}.example/token\"\n"),
        ("token-url-setting = \"login\"\n", "token-url-setting = \"tenant\"\n"),
        ("user-setting = \"client\"\n", "user-setting = \"secret\"\n"),
        ("user-setting = \"client\"\n", ""),
        ("secret-setting = \"secret\"\n", ""),
        ("device-path = \"/{tenant}/oauth2/v2.0/devicecode\"\n", ""),
        ("kind = \"oauth-client-credentials\"", "kind = \"bearer\""),
        ("kind = \"oauth-device-code\"", "kind = \"oauth-client-credentials\"\nsecret-setting = \"secret\""),
    ] {
        let text = MANIFEST.replacen(change, to, 1);
        assert_ne!(text, MANIFEST, "{change}");
        assert!(Manifest::parse(&text).is_err(), "{to}");
    }
    let fixed = MANIFEST
        .replacen(
            "token-url-setting = \"login\"\ntoken-path = \"",
            "token-url = \"https://login.example.com",
            1,
        )
        .replacen("from-setting = \"login\"", "hosts = [\"https://login.example.com\"]", 1);
    assert!(Manifest::parse(&fixed).is_ok());
}

proptest! {
    #[test]
    fn whatever_is_typed_stays_on_the_server(tenant in "\\PC{1,20}") {
        if let Ok(client) = client("app", json!({"tenant": tenant, "client": "c"})) {
            prop_assert_eq!(client.token_url().origin().ascii_serialization(), "https://login.example.com");
            prop_assert!(client.token_url().path().ends_with("/oauth2/v2.0/token"));
        }
    }
}
