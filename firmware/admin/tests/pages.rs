//! What the pages show: in both languages, with the host here and away, and whatever a plugin calls itself
//! (APP-1, APP-2, ACC-4, DIR-4).
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use chrono::Datelike;
use house::{Host, House, PASSWORD, clean::is_clean, host, seen, until, with_host};
use ipc::{PluginProblem, PluginRequest, PluginState};
use serde_json::json;

const PLUGIN: &str = "/plugins/org.example.ldap";

const PAGES: [&str; 29] = [
    "/",
    "/clock",
    "/lines",
    "/lines/account",
    "/lines/line",
    "/lines/tls",
    "/handling",
    "/handling/rule",
    "/numbers",
    "/operators",
    "/sound",
    "/screen",
    "/directories",
    "/directories/import",
    "/directories/online",
    "/plugins",
    PLUGIN,
    "/plugins/org.example.ldap/remove",
    "/accounts",
    "/audit",
    "/certificate",
    "/account",
    "/statistics",
    "/statistics?span=week&day=2026-10-25",
    "/backup",
    "/provisioning",
    "/update",
    "/diagnostics",
    "/about",
];

#[tokio::test]
async fn app_2_acc_4_every_page_is_there_in_both_languages_and_clean() {
    let (_house, mut ada, _host) = with_host().await;
    for path in PAGES {
        for (language, word) in [("en", "Main menu"), ("fr", "Menu principal")] {
            ada.language = language;
            let answer = ada.get(path).await;
            assert_eq!(answer.status, 200, "{path}");
            assert!(
                answer.has(word) && answer.has(&format!("<html lang=\"{language}\"")),
                "{path} {language}"
            );
            is_clean(path, &answer.body);
            let policy = answer.headers["content-security-policy"].to_str().unwrap();
            assert!(
                policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
                "{policy}"
            );
            assert!(!policy.contains("unsafe"), "{policy}");
            for (name, value) in [
                ("strict-transport-security", "max-age=31536000"),
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "same-origin"),
                ("cache-control", "no-store"),
            ] {
                assert_eq!(answer.headers[name], value, "{path}");
            }
        }
    }
    ada.language = "en";
    let chosen = ada.get("/language/fr?to=%2Faudit").await;
    assert_eq!(chosen.to.as_deref(), Some("/audit"));
    assert!(ada.get("/audit").await.has("Journal d’audit"), "the choice wins over the browser");
    assert_eq!(ada.get("/language/fr?to=https%3A%2F%2Fevil").await.to.as_deref(), Some("/"));
    assert_eq!(ada.get("/language/xx").await.status, 404);
}

#[tokio::test]
async fn app_2_about_names_everything_that_is_in_the_programs_with_its_licence() {
    let (_house, mut ada) = House::with_ada().await;
    let page = ada.get("/about").await;
    let parts: Vec<ipc::ThirdParty> = ipc::third_parties().collect();
    assert!(parts.len() > 250, "only {} parts", parts.len());
    for part in &parts {
        assert!(!part.version.is_empty() && !part.licence.is_empty(), "{}", part.name);
        let row = format!(">{}</td>", part.name);
        assert!(page.has(&row), "{} is not on the page", part.name);
    }
    for name in ["tokio", "slint", "SQLite", "Opus", "Inter"] {
        assert!(parts.iter().any(|part| part.name == name), "{name}");
    }
    assert!(page.has("without any warranty") && page.has("GPL-3.0-or-later"));
    // The file is of the package; without it the page says so, and no link leads nowhere.
    let texts = ada.get("/about/licences.txt").await;
    if std::path::Path::new(ipc::LICENCE_TEXTS).exists() {
        assert!(texts.status == 200 && texts.has("Permission is hereby granted"));
    } else {
        assert!(texts.status == 404 && texts.has("is not on this machine"));
        assert!(!page.has("licences.txt"), "a link leads nowhere");
    }
}

#[tokio::test]
async fn app_2_the_pages_of_strangers_are_clean_too() {
    let house = House::new().await;
    let mut browser = house.browser();
    for language in ["en", "fr"] {
        browser.language = language;
        is_clean("/setup", &browser.get("/setup").await.body);
    }
    let (house, _) = House::with_ada().await;
    let mut browser = house.browser();
    for language in ["en", "fr"] {
        browser.language = language;
        let evil = browser.sign_in("\"><script>alert('x')</script>", "x").await;
        is_clean("/sign-in", &evil.body);
        assert_eq!(evil.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn app_1_a_host_that_is_away_is_said_and_the_rest_works() {
    let (house, mut ada) = House::with_ada().await;
    for path in ["/", "/plugins", "/directories"] {
        let answer = ada.get(path).await;
        assert_eq!(answer.status, 200);
        assert!(answer.has("The plugin host is not running"), "{path}");
    }
    assert_eq!(ada.get(PLUGIN).await.status, 503);
    assert_eq!(ada.submit("/account", &format!("{PLUGIN}/sync"), &[]).await.status, 303);
    assert!(ada.get("/accounts").await.has("Ada"));
    let host = Host::start(&house.socket(), true);
    seen(&ada, "9.9.9").await;
    host.stop();
    seen(&ada, "The plugin host is not running").await;
    let _host = Host::start(&house.socket(), false);
    seen(&ada, "No plugins are installed yet").await;
}

#[tokio::test]
async fn app_1_settings_are_typed_kept_and_told_to_the_host() {
    let (_house, mut ada, host) = with_host().await;
    let page = ada.get(PLUGIN).await;
    assert!(
        page.has("A value is set. Leave it empty to keep it, as long as the server stays.")
            && page.has("value=\"60\"")
    );
    let settings = format!("{PLUGIN}/settings");
    let wrong = [("setting.url", "ldap://new"), ("setting.page", "500"), ("interval", "5")];
    let answer = ada.submit(PLUGIN, &settings, &wrong).await;
    assert_eq!(answer.status, 422);
    assert!(
        answer.has("“Page size” must be from 1 to 100") && answer.has("value=\"ldap://new\""),
        "typed stays"
    );
    let right = [
        ("setting.url", "ldap://new"),
        ("setting.password", "hunter2hunter2"),
        ("setting.page", "50"),
        ("setting.tls", "on"),
        ("setting.which", "all"),
        ("interval", "5"),
    ];
    assert_eq!(ada.submit(PLUGIN, &settings, &right).await.to.as_deref(), Some(PLUGIN));
    assert!(ada.get(PLUGIN).await.has("The settings were saved"));
    let configured = host.asked().into_iter().find_map(|asked| match asked {
        PluginRequest::Configure { values, interval_s, .. } => Some((json!(values), interval_s)),
        _ => None,
    });
    let wanted =
        json!({"url": "ldap://new", "password": "hunter2hunter2", "page": 50, "tls": true, "which": "all"});
    assert_eq!(configured.unwrap(), (wanted, 300));
    host.set(|inner| {
        inner.problem = Some(PluginProblem::Setting { key: "url".into(), problem: "is no address".into() });
    });
    let refused = ada.submit("/account", &settings, &right).await;
    assert_eq!(refused.status, 422);
    host.set(|inner| inner.problem = Some(PluginProblem::SecretAgain { key: "password".into() }));
    let refused = ada.submit("/account", &settings, &right).await;
    let words = "“password” was typed for another server: type it again";
    assert!(refused.status == 422 && refused.has(words), "{}", refused.body);
    host.set(|inner| inner.problem = None);
    assert!(!ada.get("/audit").await.has("hunter2"));
}

#[tokio::test]
async fn app_1_a_plugin_is_tested_switched_run_rolled_back_and_removed() {
    let (_house, mut ada, host) = with_host().await;
    ada.submit(PLUGIN, &format!("{PLUGIN}/test"), &[]).await;
    assert!(ada.get(PLUGIN).await.has("The test worked: 1240 people &lt;script"));
    host.set(|inner| inner.plugins[0].state = PluginState::Held { deleted: 900 });
    until("held", async || ada.look(PLUGIN).await.has("Allow the removal of 900 people")).await;
    for (action, words) in [
        ("disable", "It is disabled"),
        ("enable", "It is enabled and runs now"),
        ("sync", "It runs now"),
        ("shrink", "may remove people"),
        ("roll-back", "The version before is in use again"),
    ] {
        assert_eq!(ada.submit(PLUGIN, &format!("{PLUGIN}/{action}"), &[]).await.to.as_deref(), Some(PLUGIN));
        assert!(ada.get(PLUGIN).await.has(words), "{action}");
    }
    let failed = PluginProblem::Failed { case: "auth-failed".into(), words: "49 <invalid>".into() };
    host.set(|inner| inner.problem = Some(failed));
    ada.submit("/account", &format!("{PLUGIN}/test"), &[]).await;
    host.set(|inner| inner.problem = None);
    assert!(
        ada.get(PLUGIN).await.has(
            "the server refused the user or the password; check them in the settings. Detail: “49 &lt;invalid&gt;”"
        )
    );
    let grants = format!("{PLUGIN}/grants");
    ada.submit(PLUGIN, &grants, &[("net.api", "on"), ("password", "wrong password")]).await;
    assert!(ada.get(PLUGIN).await.has("Your password was wrong"));
    ada.submit(PLUGIN, &grants, &[("net.api", "on"), ("password", PASSWORD)]).await;
    assert_eq!(host.inner.lock().unwrap().plugins[0].granted.net, ["api"]);
    let remove = format!("{PLUGIN}/remove");
    assert!(ada.get(&remove).await.has("its directory with 99 contacts"));
    ada.submit(&remove, &remove, &[("password", PASSWORD)]).await;
    assert!(ada.get("/plugins").await.has("was removed."));
    host.set(|_| {});
    until("it is gone", async || ada.look(PLUGIN).await.status == 404).await;
}

#[tokio::test]
async fn dir_4_somebody_signs_in_by_a_code_on_a_page_that_asks_again_by_itself() {
    let (house, mut ada, host) = with_host().await;
    let (here, there) = (format!("{PLUGIN}/sign-in/person"), format!("{PLUGIN}/sign-out/person"));
    let words = "nobody is signed in: it did not succeed</span> <span class=\"detail\">Detail: “<span lang=\"en\">AADSTS";
    assert!(ada.get(PLUGIN).await.has(&format!("{words} &lt;script&gt;")));
    assert!(!ada.get(&here).await.headers.contains_key("refresh"));
    assert_eq!(ada.submit(PLUGIN, &here, &[]).await.to.as_deref(), Some(here.as_str()));
    for (language, word) in
        [("en", "The code is good for 14 min 0 s more"), ("fr", "encore valable 14 min 0 s")]
    {
        ada.language = language;
        let page = ada.get(&here).await;
        assert_eq!(page.headers["refresh"], "5", "without a script");
        assert!(page.has(word) && page.has("<code id=\"sign-in-code\">&lt;script&gt;"), "{}", page.body);
        is_clean(&here, &page.body);
        is_clean(PLUGIN, &ada.get(PLUGIN).await.body);
    }
    ada.language = "en";
    assert!(ada.get(PLUGIN).await.has("a code waits to be typed in"));
    let sue =
        [("name", "Sue"), ("role", "supervisor"), ("password", "another horse"), ("your-password", PASSWORD)];
    ada.submit("/accounts", "/accounts", &sue).await;
    let mut sue = house.browser();
    sue.sign_in("Sue", "another horse").await;
    let page = sue.get(&here).await;
    assert!(page.has("a code waits") && !page.has("sign-in-code"), "who only reads signs in for nobody");
    host.set(|inner| inner.sign_in = ipc::PluginSignInState::SignedIn);
    let page = ada.get(&here).await;
    assert!(page.has("somebody has signed in") && !page.headers.contains_key("refresh"));
    assert_eq!(ada.submit(PLUGIN, &there, &[]).await.to.as_deref(), Some(PLUGIN));
    assert!(ada.get(PLUGIN).await.has("Whoever had signed in is forgotten"));
    // What nobody signs in for, and a host that says no.
    assert_eq!(ada.get(&format!("{PLUGIN}/sign-in/nobody")).await.status, 404);
    ada.submit(PLUGIN, &format!("{PLUGIN}/sign-in/nobody"), &[]).await;
    assert!(ada.get(PLUGIN).await.has("nobody signs in for that"));
    let audit = ada.get("/audit").await;
    assert!(audit.has("asked for a code to sign in for a plugin") && audit.has("signed a plugin out"));
    assert!(!audit.has("FJC3"));
}

#[tokio::test]
async fn dir_4_the_directories_tell_how_a_run_goes() {
    let (_house, mut ada, host) = with_host().await;
    let page = ada.get("/directories").await;
    assert!(page.has("running: 120 of about 1000 people") && page.has("max=\"1000\" value=\"120\""));
    let row = page.between("People of LDAP", "</tr>").unwrap();
    assert!(row.contains("href=\"/plugins/org.example.ldap\""), "{row}");
    assert!(page.has("&lt;b&gt;Staff&lt;/b&gt;") && page.has("2023-11-14"));
    let words = "connection refused".to_owned();
    host.set(|inner| {
        inner.plugins[0].state =
            PluginState::Failing { case: "unavailable".into(), words, next_run_s: Some(90) };
    });
    until("the failure", async || {
        let page = ada.look("/directories").await;
        page.has(
            "failed: the server does not answer. It is tried again in 1 min 30 s.</span> \
             <span class=\"detail\">Detail: “<span lang=\"en\">connection refused</span>”",
        )
    })
    .await;
}

#[tokio::test]
async fn app_2_a_path_leads_nowhere_else() {
    let (house, mut ada, _host) = with_host().await;
    for path in [
        "/static/..%2f..%2fown.pem",
        "/static/../own.pem",
        "/plugins/uploads/..%2f..",
        "/plugins/..%2f..%2fetc%2fpasswd",
        "/language/..%2ffr",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/api/v1/plugins/..%2fx",
    ] {
        let answer = ada.get(path).await;
        assert!([400, 401, 404].contains(&answer.status), "{path}: {}", answer.status);
        assert!(!answer.has("PRIVATE KEY") && !answer.has("root:"), "{path}");
    }
    let style = house.browser().get("/static/admin.css").await;
    assert_eq!(style.status, 200);
    assert!(style.headers["content-type"].to_str().unwrap().starts_with("text/css"));
    assert_eq!(host::ID, "org.example.ldap");
}

#[tokio::test]
async fn app_1_the_largest_settings_fit_into_a_frame() {
    let (_house, mut ada, host) = with_host().await;
    // Each of these characters is three bytes in a form and six in JSON.
    let large = "\u{1}".repeat(80_000);
    let fields = [("setting.url", "x"), ("setting.filter", large.as_str()), ("interval", "5")];
    assert_eq!(ada.submit(PLUGIN, &format!("{PLUGIN}/settings"), &fields).await.status, 303);
    let is_whole = |asked: &PluginRequest| match asked {
        PluginRequest::Configure { values, .. } => values["filter"] == large,
        _ => false,
    };
    assert!(host.asked().iter().any(is_whole));
}

#[tokio::test]
async fn app_2_a_huge_form_is_refused() {
    let (_house, mut ada) = House::with_ada().await;
    let token = ada.token("/account").await;
    let big = "x".repeat(400_000);
    let answer = ada.post("/account/password", &[("form", &token), ("password", &big)]).await;
    assert_eq!(answer.status, 413);
    assert!(answer.has("too large or broke off"));
    let long = "x".repeat(5000);
    assert_eq!(ada.sign_in("Ada", &long).await.status, 401, "a long password is no work for the hasher");
}

#[tokio::test]
async fn app_2_a_certificate_is_replaced_and_a_wrong_one_is_not() {
    let (_house, mut ada) = House::with_ada().await;
    let before = ada.get("/certificate").await.between("<code id=\"fingerprint\">", "</code>").unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let other = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["desk.example".into()]).unwrap().self_signed(&key).unwrap();
    let chain = certificate.pem();
    let wrong = [("chain", chain.as_bytes()), ("key", &other.serialize_pem().into_bytes())]
        .map(|(n, b)| (n, b.to_vec()));
    let wrong: Vec<(&str, &[u8])> = wrong.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    ada.upload("/certificate", "/certificate", &wrong).await;
    let page = ada.get("/certificate").await;
    assert!(page.has("the old one stays: the key does not belong to the certificate") && page.has(&before));
    let key = key.serialize_pem();
    ada.upload("/certificate", "/certificate", &[("chain", chain.as_bytes()), ("key", key.as_bytes())]).await;
    let page = ada.get("/certificate").await;
    assert!(page.has("in use from the next connection on") && page.has("desk.example") && !page.has(&before));
    assert!(!ada.get("/").await.has("counts only until"));
    let mut soon = rcgen::CertificateParams::new(vec!["desk.example".into()]).unwrap();
    let week = chrono::Utc::now() + chrono::Days::new(7);
    let part = |n: u32| u8::try_from(n).unwrap();
    soon.not_after = rcgen::date_time_ymd(week.year(), part(week.month()), part(week.day()));
    let pair = rcgen::KeyPair::generate().unwrap();
    let (chain, key) = (soon.self_signed(&pair).unwrap().pem(), pair.serialize_pem());
    ada.upload("/certificate", "/certificate", &[("chain", chain.as_bytes()), ("key", key.as_bytes())]).await;
    assert!(ada.get("/").await.has("The certificate counts only until"));
    ada.submit("/certificate", "/certificate/own", &[]).await;
    assert!(ada.get("/certificate").await.has(&before));
}

#[tokio::test]
async fn app_2_the_own_certificate_is_made_anew_where_it_does_not_count_for_the_box() {
    let (house, _) = House::with_ada().await;
    let House { folder, admin, .. } = house;
    drop(admin);
    // As it was made before the box had its address.
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["desk".into()]).unwrap();
    let pem = format!("{}{}", params.self_signed(&key).unwrap().pem(), key.serialize_pem());
    std::fs::write(folder.path().join("admin/own.pem"), pem).unwrap();
    let house = House::beside(folder).await;
    let mut ada = house.browser();
    ada.sign_in("Ada", PASSWORD).await;
    let page = ada.get("/certificate").await;
    assert!(page.has("It does not count for 127.0.0.1, where the box is reached now."), "{}", page.body);
    is_clean("/certificate", &page.body);
    ada.submit("/certificate", "/certificate/own", &[]).await;
    let page = ada.get("/certificate").await;
    assert!(page.has("in use from the next connection on") && page.has("127.0.0.1"), "{}", page.body);
    assert!(!page.has("It does not count for"), "{}", page.body);
}
