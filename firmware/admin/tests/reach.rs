//! How accounts reach their exchanges and whom encrypted connections trust, as the page sets it (ACC-5, APP-2).
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::{Browser, House, clean::is_clean};
use rcgen::{CertificateParams, DnType, KeyPair};
use store::{Nat, Settings, Srtp, Transport};

const ACCOUNT: [(&str, &str); 9] = [
    ("user", "2100"),
    ("domain", "pbx.example"),
    ("password", "s3cret-s3cret"),
    ("expires_s", "600"),
    ("transport", "tls"),
    ("srtp", "mandatory"),
    ("nat", "stun"),
    ("stun", "stun.example:3479"),
    ("session_timer_s", "90"),
];

/// A certificate and its key.
fn pair(name: &str, year: i32) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_after = rcgen::date_time_ymd(year, 5, 17);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

async fn saved(house: &House, ada: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Settings {
    let answer = ada.submit("/operators", path, fields).await;
    assert_eq!(answer.status, 303, "{path}: {}", answer.body);
    house.saved.borrow().as_ref().clone()
}

async fn refused(ada: &mut Browser, fields: &[(&str, &str)], field: &str, words: &str) {
    let answer = ada.submit("/operators", "/lines/tls", fields).await;
    assert_eq!(answer.status, 200);
    is_clean("/lines/tls", &answer.body);
    let at = answer.between(&format!("<p class=\"wrong\" id=\"{field}-wrong\">"), "</p>");
    assert!(at.as_deref().is_some_and(|at| at.contains(words)), "{field}: {at:?} in {}", answer.body);
    assert!(!answer.has("PRIVATE KEY-----\n"), "a key is never shown: {}", answer.body);
}

#[tokio::test]
async fn acc_5_app_2_an_account_says_how_its_exchange_is_reached() {
    let (house, mut ada) = House::with_ada().await;
    let page = ada.get("/lines/account").await;
    assert!(page.has("id=\"trust_identity\" name=\"trust_identity\" checked"), "{}", page.body);
    assert!(page.has("value=\"auto\" selected") && page.has("value=\"1800\""), "{}", page.body);
    let settings = saved(&house, &mut ada, "/lines/account", &ACCOUNT).await;
    let account = &settings.accounts[0];
    assert_eq!((account.transport, account.srtp), (Transport::Tls, Srtp::Mandatory));
    assert_eq!(account.nat, Nat::Stun("stun.example:3479".into()));
    assert_eq!((account.trust_identity, account.session_timer_s), (false, 90));
    let page = ada.get("/lines").await;
    assert!(page.has("pbx.example · TLS") && !page.has("keys are readable"), "{}", page.body);
    let page = ada.get("/lines/account?id=2100").await;
    for there in ["value=\"tls\" selected", "value=\"mandatory\" selected", "value=\"stun.example:3479\""] {
        assert!(page.has(there), "{there}: {}", page.body);
    }
    assert!(!page.has("name=\"trust_identity\" checked"), "{}", page.body);
    // Keys that anybody can read are named where the account is seen.
    let mut other = ACCOUNT.to_vec();
    other.retain(|(name, _)| *name != "transport" && *name != "nat");
    other.extend([("transport", "udp"), ("nat", "registrar"), ("was", "2100"), ("trust_identity", "on")]);
    let settings = saved(&house, &mut ada, "/lines/account", &other).await;
    assert_eq!((&settings.accounts[0].nat, settings.accounts[0].trust_identity), (&Nat::Registrar, true));
    assert!(ada.get("/lines").await.has("the keys are readable on the way"));
    ada.language = "fr";
    assert!(ada.get("/lines").await.has("les clés sont lisibles sur le trajet"));
}

#[tokio::test]
async fn acc_5_app_2_authorities_are_added_and_the_check_is_never_off_unnoticed() {
    let (house, mut ada) = House::with_ada().await;
    assert!(ada.get("/lines").await.has("those that computers know anyway"));
    let ((one, _), (two, _), (desk, key)) = (pair("CA one", 2060), pair("CA two", 2060), pair("desk", 2060));
    let both = format!("# ours\r\n{}{two}", one.replace('\n', "\r\n"));
    let fields = [("verify", "on"), ("ca", both.as_str()), ("certificate", &desk), ("key", &key)];
    let settings = saved(&house, &mut ada, "/lines/tls", &fields).await;
    assert_eq!(settings.tls.ca, [one.clone(), two.clone()]);
    assert!(settings.tls.verify && settings.tls.certificate.as_deref() == Some(desk.trim()));
    assert_eq!(settings.tls.key.reveal(), key.trim());
    let page = ada.get("/lines").await;
    assert!(page.has("CN=CA one") && page.has("CN=desk") && page.has("until 2060-05-17"), "{}", page.body);
    assert!(!page.has("is not checked"), "{}", page.body);
    let page = ada.get("/lines/tls").await;
    assert!(page.has("One is set, and never shown") && !page.has("PRIVATE KEY-----"), "{}", page.body);

    // The key stays with its certificate, goes with it, and is found beside it.
    let fields = [("ca", two.as_str()), ("certificate", &desk)];
    let settings = saved(&house, &mut ada, "/lines/tls", &fields).await;
    assert_eq!((settings.tls.key.reveal(), settings.tls.verify), (key.trim(), false));
    for path in ["/lines", "/lines/tls"] {
        assert!(ada.get(path).await.has("The certificate of the exchange is not checked: anybody"), "{path}");
    }
    let settings = saved(&house, &mut ada, "/lines/tls", &[("verify", "on")]).await;
    assert_eq!(settings.tls, store::Tls::default());
    let joined = format!("{key}{desk}");
    let settings = saved(&house, &mut ada, "/lines/tls", &[("verify", "on"), ("certificate", &joined)]).await;
    assert_eq!(settings.tls.key.reveal().trim(), key.trim());
    let log = ada.get("/audit").await;
    assert!(log.has("TLS") && !log.has("PRIVATE KEY"), "{}", log.body);
}

#[tokio::test]
async fn acc_5_app_2_what_is_no_certificate_is_said_at_its_field_and_expired_ones_are_named() {
    let (house, mut ada) = House::with_ada().await;
    let ((good, key), (other, _), (old, _)) = (pair("desk", 2060), pair("other", 2060), pair("Old CA", 2020));
    let half = &good[..good.len() / 2];
    refused(&mut ada, &[("ca", "hello")], "ca", "This is not a certificate").await;
    refused(&mut ada, &[("ca", half)], "ca", "This is not a certificate").await;
    refused(&mut ada, &[("ca", &key)], "ca", "A private key stands in this text").await;
    refused(&mut ada, &[("ca", &old)], "ca", "Old CA has expired on 2020-05-17").await;
    refused(&mut ada, &[("certificate", &old), ("key", &key)], "certificate", "has expired on").await;
    refused(&mut ada, &[("certificate", &good)], "key", "A private key is needed").await;
    refused(&mut ada, &[("certificate", &other), ("key", &key)], "key", "does not belong").await;
    refused(&mut ada, &[("key", &key)], "certificate", "This is not a certificate").await;
    ada.language = "fr";
    refused(&mut ada, &[("ca", "bonjour")], "ca", "Ce n’est pas un certificat").await;
    assert_eq!(*house.saved.borrow().as_ref(), Settings::default());
}
