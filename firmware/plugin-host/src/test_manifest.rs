//! Tests of the manifest: what it refuses, what it makes of settings and grants.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::grants::{Target, permit};
use proptest::prelude::*;
use serde_json::json;

const GOOD: &str = include_str!("../../../plugins/web-directory/connector.toml");
const LDAP: &str = include_str!("../../../plugins/ldap/connector.toml");

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn granted(private: bool) -> Granted {
    let server = BTreeSet::from(["server".to_owned()]);
    Granted {
        net: server.clone(),
        private: if private { server } else { BTreeSet::new() },
        ..Granted::default()
    }
}

#[test]
fn our_own_connector_says_what_it_wants() {
    let manifest = Manifest::parse(GOOD).unwrap();
    assert_eq!(
        manifest.wishes(),
        [
            "Connect to the server you enter as \"Address of the file\", also in your own network if you allow it, \
             also without encryption: The file with the directory",
            "Sign in there with \"Password\", which it cannot read",
        ]
    );
}

#[test]
fn secrets_are_kept_apart_and_defaults_filled_in() {
    let manifest = Manifest::parse(GOOD).unwrap();
    let filled = manifest
        .fill(&object(json!({"url": "https://example.com/d.csv", "password": "pst", "user": ""})))
        .unwrap();
    assert_eq!(Value::Object(filled.open), json!({"url": "https://example.com/d.csv", "format": "auto"}));
    assert_eq!(filled.secrets["password"], "pst");
    for (values, key) in [
        (json!({}), "url"),
        (json!({"url": "file:///etc/passwd"}), "url"),
        (json!({"url": "https://user:x@example.com/"}), "url"),
        (json!({"url": "https://example.com", "format": "xml"}), "format"),
        (json!({"url": "https://example.com", "other": 1}), "other"),
        (json!({"url": "https://example.com", "password": "two\nlines"}), "password"),
        (json!({"url": 7}), "url"),
    ] {
        let error = manifest.fill(&object(values)).unwrap_err();
        assert!(matches!(&error, ManifestError::Setting { key: found, .. } if found == key), "{error}");
    }
}

#[test]
fn a_grant_is_what_was_asked_for_and_allowed() {
    let manifest = Manifest::parse(GOOD).unwrap();
    let filled = manifest.fill(&object(json!({"url": "https://dir.example.com:8443/d.csv"}))).unwrap();
    assert!(manifest.grants(&Granted::default(), &filled).unwrap().is_empty());
    let grants = manifest.grants(&granted(true), &filled).unwrap();
    let target = |url: &str| Target::of(&Url::parse(url).unwrap()).unwrap();
    let here = target("https://dir.example.com:8443/other");
    let grant = permit(&grants, &here).unwrap();
    assert!(grant.vet(&here, &["10.0.0.7".parse().unwrap()]).is_ok());
    assert!(grant.vet(&here, &["127.0.0.1".parse().unwrap()]).is_err());
    assert!(permit(&grants, &target("https://dir.example.com/")).is_err(), "another port");
}

#[test]
fn a_manifest_that_breaks_a_rule_is_refused() {
    for (change, to) in [
        ("manifest = 1", "manifest = 2"),
        ("manifest = 1", "manifest = 1\nroot = true"),
        ("org.frontdesk.web-directory", "../../etc/passwd"),
        ("org.frontdesk.web-directory", "a..b"),
        ("org.frontdesk.web-directory", "nodots"),
        ("abi = \"0.1\"", "abi = \"9.9\""),
        ("version = \"0.1.0\"", "version = \"newest\""),
        ("from-setting = \"url\"", "from-setting = \"user\""),
        ("from-setting = \"url\"", "hosts = [\"https://*\"]"),
        ("from-setting = \"url\"", "hosts = [\"ftp://example.com\"]"),
        ("secret-setting = \"password\"", "secret-setting = \"user\""),
        ("net = [\"server\"]", "net = [\"elsewhere\"]"),
        ("key = \"format\"", "key = \"url\""),
        ("default = \"auto\"", "default = \"xml\""),
        ("choices = [\"auto\", \"csv\", \"json\"]", "choices = []"),
        ("reason = \"The file with the directory\"", "reason = \" \""),
        ("name = \"Web directory\"", "name = \"Web\\u001b[2Jdirectory\""),
        ("en = \"Format\"", "en = \"For\\nmat\""),
    ] {
        let text = GOOD.replacen(change, to, 1);
        assert_ne!(text, GOOD, "{change}");
        assert!(Manifest::parse(&text).is_err(), "{to}");
    }
}

#[test]
fn a_directory_has_settings_and_rights_of_its_own() {
    let manifest = Manifest::parse(LDAP).unwrap();
    let filled = |server: &str, base: &str, filter: &str| {
        manifest.fill(&object(json!({"server": server, "base": base, "filter": filter})))
    };
    let good = filled("ldaps://LDAP.example.com", "ou=people,dc=example", "").unwrap();
    assert_eq!(good.open["filter"], "(&(objectClass=person)(|(telephoneNumber=*)(mobile=*)(homePhone=*)))");
    let grants = manifest.grants(&granted(true), &good).unwrap();
    let target = |url: &str| Target::of(&Url::parse(url).unwrap()).unwrap();
    assert!(permit(&grants, &target("ldaps://ldap.example.com:636")).is_ok());
    assert!(permit(&grants, &target("ldap://ldap.example.com:636")).is_err(), "another scheme");
    assert!(permit(&grants, &target("https://ldap.example.com:636")).is_err(), "another scheme");
    for (server, base, filter, key) in [
        ("https://ldap.example.com", "dc=x", "", "server"),
        ("ldap:///dc=x", "dc=x", "", "server"),
        ("ldap://cn=a:b@ldap.example.com", "dc=x", "", "server"),
        ("ldapi:///run/ldap", "dc=x", "", "server"),
        ("ldap://ldap.example.com", "people", "", "base"),
        ("ldap://ldap.example.com", "dc=x", "objectClass=person", "filter"),
        ("ldap://ldap.example.com", "dc=x", "(cn=*)(cn=*)", "filter"),
    ] {
        let error = filled(server, base, filter).unwrap_err();
        assert!(matches!(&error, ManifestError::Setting { key: found, .. } if found == key), "{error}");
    }
    for (change, to) in [
        ("user-setting = \"user\"\n", ""),
        ("schemes = [\"ldap\", \"ldaps\"]", "schemes = [\"ldap\", \"ftp\"]"),
        ("type = \"ldap-dn\"", "type = \"ldap-dn\"\nschemes = [\"ldap\"]"),
        ("default = \"(&", "default = \"(("),
    ] {
        let text = LDAP.replacen(change, to, 1);
        assert_ne!(text, LDAP, "{change}");
        assert!(Manifest::parse(&text).is_err(), "{to}");
    }
    let places = LDAP.replacen("from-setting = \"server\"", "hosts = [\"ldap://ldap.example.com\"]", 1);
    assert!(Manifest::parse(&places).is_ok());
    // Without encryption only where the manifest asks for it; StartTLS needs no such word.
    let encrypted = Manifest::parse(&LDAP.replacen("plain = true\n", "", 1)).unwrap();
    let good = encrypted.fill(&object(json!({"server": "ldap://ldap.example.com", "base": ""}))).unwrap_err();
    assert!(matches!(good, ManifestError::Setting { key, .. } if key == "base"));
    let good = encrypted.fill(&object(json!({"server": "ldap://ldap.example.com", "base": "dc=x"}))).unwrap();
    let grants = encrypted.grants(&granted(true), &good).unwrap();
    assert!(!permit(&grants, &target("ldap://ldap.example.com")).unwrap().is_plain());
}

#[test]
fn versions_compare_as_numbers() {
    assert!(version("1.10.0") > version("1.9.9"));
    assert_eq!(version("1.2"), None);
    assert_eq!(version("1.2.3.4"), None);
    assert_eq!(version("-1.2.3"), None);
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}", at in 0usize..2000, noise in "\\PC{1,4}") {
        let _ = Manifest::parse(&text);
        let mut changed = GOOD.to_owned();
        let mut at = at % changed.len();
        while !changed.is_char_boundary(at) { at -= 1; }
        changed.insert_str(at, &noise);
        let _ = Manifest::parse(&changed);
    }
}
