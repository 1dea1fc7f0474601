//! How accounts reach their exchanges, and whom encrypted connections trust (ACC-5, SET-1).
#![allow(clippy::unwrap_used, reason = "tests")]

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use store::{Nat, Refusal, Secret, Settings, Srtp, Store, StoreError, Tls, Transport, Why};

const FILE: &str = r#"
[[accounts]]
user = "desk"
domain = "pbx.example"
transport = "tls"
srtp = "mandatory"
trust_identity = false
nat = "stun:stun.example:3479"
session_timer_s = 90
"#;

/// As the release before kept them.
const OLD_DOCUMENT: &str = r#"{"operator":{"name":"Accueil"},"rules":{"transfer_timeout_s":30,"hold_alarm_s":90,
    "ended_transfer_s":8,"max_calls":50,"monitor":true},"numbers":{"country":"33","trunk_prefix":"0",
    "international_prefix":"00","extension_min":3,"extension_max":4},"accounts":[{"user":"2100","domain":"pbx.example",
    "password":"s3cret","expires_s":600}],"crm":{"open":"menu"},"timers":{"undo_ms":0,"hold_ms":1,"queue_ms":2,
    "park_ms":3,"queue_delay_ms":4},"timetable":{}}"#;

/// A certificate and its key, made anew each time.
fn pair(name: &str, is_authority: bool) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_after = rcgen::date_time_ymd(2020, 5, 17);
    if is_authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn with_tls(tls: Tls) -> Settings {
    Settings { tls, ..Settings::default() }
}

fn refused(settings: &Settings) -> (Refusal, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path().join("desk.db")).unwrap();
    let Err(StoreError::Settings(error)) = store.save_settings(settings) else {
        unreachable!("it was saved: {settings:?}")
    };
    assert_eq!(store.load_settings().unwrap(), Settings::default());
    (*error.refusal.unwrap(), error.message)
}

#[test]
fn acc_5_transport_encryption_trust_and_timer_of_an_account_are_read_written_and_kept() {
    let settings = Settings::from_toml(FILE, "desk.toml").unwrap();
    let account = &settings.accounts[0];
    assert_eq!((account.transport, account.srtp), (Transport::Tls, Srtp::Mandatory));
    assert_eq!((account.trust_identity, account.session_timer_s), (false, 90));
    assert_eq!(account.nat, Nat::Stun("stun.example:3479".into()));
    assert_eq!(Settings::from_toml(&settings.to_toml(true), "again").unwrap(), settings);
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path().join("desk.db")).unwrap();
    store.save_settings(&settings).unwrap();
    assert_eq!(store.load_settings().unwrap(), settings);
}

#[test]
fn acc_5_files_and_databases_of_before_get_the_defaults() {
    let plain = Settings::from_toml("[[accounts]]\nuser = \"desk\"\ndomain = \"b\"", "old.toml").unwrap();
    let read: Settings = serde_json::from_str(OLD_DOCUMENT).unwrap();
    for account in [&plain.accounts[0], &read.accounts[0]] {
        assert_eq!((account.transport, account.srtp), (Transport::Auto, Srtp::Off));
        assert_eq!((account.trust_identity, account.session_timer_s), (true, 1800));
        assert_eq!(account.nat, Nat::None);
    }
    assert_eq!((&read.tls, read.tls.verify), (&Tls::default(), true));
}

#[test]
fn acc_5_what_cannot_be_is_refused_with_its_line() {
    for (old, new, says) in [
        ("\"tls\"", "\"sctp\"", ":5: unknown variant `sctp`, expected one of `auto`, `udp`, `tcp`, `tls`"),
        ("\"mandatory\"", "\"yes\"", ":6: unknown variant `yes`, expected one of `off`, `optional`"),
        (
            "stun:stun.example:3479",
            "turn:x",
            ":8: \"turn:x\" is not allowed; give none, registrar, or stun:HOST",
        ),
        ("stun:stun.example:3479", "stun:", ":8: \"stun:\" is not allowed"),
        ("stun:stun.example:3479", "stun:a b", ":8: accounts (1.) nat: \"a b\" is no host"),
        ("= 90", "= 89", ":9: accounts (1.) session_timer_s: 89 is not allowed; 0 and 90 to 86400 are"),
        ("= 90", "= 86401", ":9: accounts (1.) session_timer_s: "),
    ] {
        assert!(FILE.contains(old), "{old}");
        let error = Settings::from_toml(&FILE.replace(old, new), "desk.toml").unwrap_err().to_string();
        assert!(error.starts_with(&format!("desk.toml{says}")), "{error}\ninstead of\n{says}");
    }
    for nat in ["none", "registrar", "stun:192.0.2.1", "stun:[2001:db8::1]:3478"] {
        let file = FILE.replace("stun:stun.example:3479", nat);
        assert_eq!(Settings::from_toml(&file, "x").unwrap().accounts[0].nat.to_string(), nat);
    }
}

#[test]
fn acc_5_authorities_and_the_desks_own_certificate_are_kept_and_the_key_is_a_secret() {
    let (authority, _) = pair("Northwind CA", true);
    let (certificate, key) = pair("desk.example", false);
    let wanted = with_tls(Tls {
        ca: vec![format!("as it came\n{authority}"), authority.clone() + &authority],
        certificate: Some(certificate),
        key: Secret::new(&key),
        verify: false,
    });
    let secret = key.lines().nth(1).unwrap();
    assert!(!format!("{wanted:?}").contains(secret) && !wanted.to_toml(false).contains(secret));
    assert_eq!(Settings::from_toml(&wanted.to_toml(true), "again").unwrap(), wanted);
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path().join("desk.db")).unwrap();
    store.save_settings(&wanted).unwrap();
    assert_eq!(store.load_settings().unwrap(), wanted);
    // Brought back without it, the key stays; for another certificate one is needed.
    let exported = Settings::from_toml(&wanted.to_toml(false), "again").unwrap();
    assert!(exported.tls.key.is_empty());
    store.save_settings(&exported).unwrap();
    assert_eq!(store.load_settings().unwrap(), wanted);
    let other = with_tls(Tls { certificate: Some(pair("other", false).0), ..Tls::default() });
    assert!(store.save_settings(&other).unwrap_err().to_string().contains("the certificate needs its key"));
    assert_eq!(store.load_settings().unwrap(), wanted);
    // Expired since, they are told and do not keep anything else from being changed.
    let (authorities, own) = wanted.tls.certificates();
    let expected = 1000 * 1_589_673_600;
    assert_eq!((authorities.len(), own.len()), (3, 1));
    assert!(authorities[0].subject.contains("Northwind CA") && own[0].subject.contains("desk.example"));
    assert!(authorities.iter().chain(&own).all(|certificate| certificate.until_ms == expected));
    store.save_settings(&Settings::default()).unwrap();
    assert_eq!(store.load_settings().unwrap().tls, Tls::default());
}

#[test]
fn acc_5_what_is_no_certificate_or_no_key_is_refused_and_the_reason_says_what_to_give() {
    let (authority, _) = pair("Northwind CA", true);
    let ((certificate, key), (_, other)) = (pair("desk.example", false), pair("other", false));
    let half = authority[..authority.len() / 2].to_owned();
    let broken = authority.replacen("MII", "AAA", 1);
    let ca = |text: &str| with_tls(Tls { ca: vec![authority.clone(), text.into()], ..Tls::default() });
    let own = |certificate: &str, key: &str| {
        let certificate = Some(certificate.to_owned()).filter(|text| !text.is_empty());
        with_tls(Tls { certificate, key: Secret::new(key), ..Tls::default() })
    };
    let many = with_tls(Tls { ca: vec![authority.clone(); 33], ..Tls::default() });
    let long = authority.clone() + &"x".repeat(65_536);
    for (settings, field, why, says) in [
        (ca("hello"), "ca", Why::NoCertificate, "the 2. text: this is not a certificate; a PEM text"),
        (ca(&half), "ca", Why::NoCertificate, "this is not a certificate"),
        (ca(&broken), "ca", Why::NoCertificate, "this is not a certificate"),
        (ca(&key), "ca", Why::KeyInCertificate, "it belongs into key"),
        (ca(&long), "ca", Why::Length { min: 1, max: 65_536 }, "1 to 65536 bytes"),
        (many, "ca", Why::TooMany { most: 32 }, "at most 32"),
        (own("hello", &key), "certificate", Why::NoCertificate, "this is not a certificate"),
        (
            own(&(certificate.clone() + &key), &key),
            "certificate",
            Why::KeyInCertificate,
            "it belongs into key",
        ),
        (own(&certificate, "hello"), "key", Why::NoKey, "without a passphrase"),
        (own(&certificate, &certificate), "key", Why::NoKey, "not a private key"),
        (own(&certificate, &other), "key", Why::OtherKey, "does not belong to the certificate"),
        (own(&certificate, ""), "key", Why::NoKey, "needs its key"),
        (own("", &key), "certificate", Why::NoCertificate, "a key and no certificate"),
    ] {
        let (refusal, message) = refused(&settings);
        assert_eq!((refusal.table, refusal.index, refusal.field), ("tls", None, field), "{message}");
        assert_eq!(refusal.why, why, "{message}");
        assert!(message.contains(says), "{message}\ninstead of\n{says}");
        for secret in [&key, &other] {
            assert!(!message.contains(secret.lines().nth(1).unwrap()), "{message}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn acc_5_rubbish_is_an_error_and_no_panic(
        text in "(-----(BEGIN|END) (CERTIFICATE|PRIVATE KEY|X)-----\n|[A-Za-z0-9+/=\n]{0,40}){0,8}",
    ) {
        let tls = Tls { ca: vec![text.clone()], certificate: Some(text.clone()), key: Secret::new(&text), verify: true };
        let _ = with_tls(tls.clone()).to_toml(true);
        let _ = tls.certificates();
        proptest::prop_assert!(Settings::from_toml(&with_tls(tls).to_toml(true), "x").is_err());
    }
}
