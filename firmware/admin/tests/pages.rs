//! What the pages show: in both languages, with the host here and away, and whatever a plugin calls itself
//! (APP-1, APP-2, ACC-4, DIR-4).
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use chrono::Datelike;
use house::{Browser, Host, House, PASSWORD, host, until};
use hyper::Method;
use ipc::{PluginProblem, PluginRequest, PluginSignature, PluginState};
use serde_json::json;

const PLUGIN: &str = "/plugins/org.example.ldap";

const PAGES: [&str; 9] = [
    "/",
    "/directories",
    "/plugins",
    PLUGIN,
    "/plugins/org.example.ldap/remove",
    "/accounts",
    "/audit",
    "/certificate",
    "/account",
];

async fn with_host() -> (House, Browser, Host) {
    let (house, ada) = House::with_ada().await;
    let host = Host::start(&house.socket(), true);
    seen(&ada, "9.9.9").await;
    (house, ada, host)
}

/// Waits until the page of the plugins has these words.
async fn seen(browser: &Browser, words: &str) {
    until(words, async || browser.look("/plugins").await.has(words)).await;
}

/// No script and no style of a page is in the page itself, and no plugin's words are markup.
fn is_clean(path: &str, body: &str) {
    assert!(body.starts_with("<!DOCTYPE html><html lang=\""), "{path}");
    assert!(!body.contains("alert('x')</script>") && !body.contains("<script>"), "{path}: {body}");
    for (n, _) in body.match_indices("<script") {
        assert!(body[n..].starts_with("<script src=\"/static/progress.js\" defer></script>"), "{path}");
    }
    for word in ["<style", " style=", "javascript:", "<b>Staff", "<i>more"] {
        assert!(!body.contains(word), "{path} has {word}");
    }
    for handler in [" onclick=", " onload=", " onerror=", " onsubmit="] {
        assert!(!body.contains(handler), "{path} has {handler}");
    }
    // Every field that is seen has a label.
    for rest in body.split("<input ").skip(1).chain(body.split("<select ").skip(1)) {
        let tag = rest.split('>').next().unwrap();
        if !tag.contains("type=\"hidden\"") {
            let id = tag
                .split("id=\"")
                .nth(1)
                .unwrap_or_else(|| panic!("{path}: {tag}"))
                .split('"')
                .next()
                .unwrap();
            assert!(body.contains(&format!("<label for=\"{id}\"")), "{path}: {id} has no label");
        }
    }
    let mut ids: Vec<&str> =
        body.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "{path}: an id is there twice");
}

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
async fn app_1_a_plugin_is_uploaded_looked_at_granted_and_installed() {
    let (house, mut ada) = House::with_ada().await;
    let host = Host::start(&house.socket(), false);
    seen(&ada, "9.9.9").await;
    let file = [b"\0asm".as_slice(), &vec![7; 1_300_000]].concat();
    let sent = ada.upload("/plugins", "/plugins/upload", &[("file", &file)]).await;
    let here = sent.to.unwrap();
    assert!(here.starts_with("/plugins/uploads/"), "{here}: {}", ada.get("/plugins").await.body);
    assert_eq!(host.inner.lock().unwrap().uploaded, file, "in three parts, whole");
    let page = ada.get(&here).await;
    is_clean(&here, &page.body);
    for words in [
        "Compare it with the one its author publishes",
        "RWQkey",
        "Connect to https://api.example.com",
        "Connect to the address in its setting “Server”",
        "also in your own network",
        "Also without encryption",
        "The author’s reason: To read people",
    ] {
        assert!(page.has(words), "{words}");
    }
    let password = ("password", PASSWORD);
    ada.submit(&here, &here, &[password]).await;
    assert!(ada.get(&here).await.has("Compare the key with the one its author publishes, and tick"));
    ada.submit(&here, &here, &[("key-confirmed", "on"), ("password", "wrong password")]).await;
    assert!(ada.get(&here).await.has("Your password was wrong"));
    assert!(!host.asked().iter().any(|asked| matches!(asked, PluginRequest::Install { .. })));
    let ticks = [
        ("key-confirmed", "on"),
        password,
        ("net.server", "on"),
        ("private.server", "on"),
        ("private.api", "on"),
        ("net.made-up", "on"),
    ];
    let done = ada.submit(&here, &here, &ticks).await;
    assert_eq!(done.to.as_deref(), Some(PLUGIN));
    let install = host.asked().into_iter().find_map(|asked| match asked {
        PluginRequest::Install { granted, key_confirmed, .. } => Some((granted, key_confirmed)),
        _ => None,
    });
    let (granted, confirmed) = install.unwrap();
    assert_eq!(
        (granted.net, granted.private, granted.loopback),
        (vec!["server".into()], vec!["server".into()], vec![])
    );
    assert!(confirmed);
    host.set(|_| {});
    until("the plugin", async || ada.look(PLUGIN).await.status == 200).await;
    assert!(ada.get(PLUGIN).await.has("was installed. It does not run yet"));
    let log = ada.get("/audit").await;
    assert!(log.has("org.example.ldap 2.0.0, net: server, private: server, loopback: -"));
    assert_eq!(ada.get(&here).await.status, 404, "the upload is over");
}

#[tokio::test]
async fn app_1_an_update_marks_what_is_new_and_a_refused_file_says_why() {
    let (_house, mut ada, host) = with_host().await;
    host.set(|inner| inner.signature = Some(PluginSignature::Known));
    let file: &[u8] = b"\0asm....";
    let here = ada.upload("/plugins", "/plugins/upload", &[("file", file)]).await.to.unwrap();
    let page = ada.get(&here).await;
    assert!(page.has("asks for more than the one that is installed") && page.has(">new</strong>"));
    assert!(page.has("id=\"net.server\" name=\"net.server\" checked"), "what was granted stays ticked");
    assert!(page.has("id=\"net.api\" name=\"net.api\">"), "what is new is not");
    assert!(page.has("Install in place of 1.0.0"));
    assert_eq!(ada.submit(&here, &format!("{here}/cancel"), &[]).await.to.as_deref(), Some("/plugins"));
    assert_eq!(ada.get(&here).await.status, 404);
    host.set(|inner| {
        inner.signature = Some(PluginSignature::OtherKey);
        inner.refused = Some(PluginProblem::NotTrusted);
    });
    let here = ada.upload("/plugins", "/plugins/upload", &[("file", file)]).await.to.unwrap();
    let page = ada.get(&here).await;
    assert!(
        page.has("Somebody else may have made this file") && page.has("cannot be installed: its signature")
    );
    assert!(!page.has("id=\"install\""));
}

#[tokio::test]
async fn app_1_what_is_no_plugin_is_refused_in_words() {
    let (_house, mut ada, host) = with_host().await;
    ada.upload("/plugins", "/plugins/upload", &[("file", b"MZ")]).await;
    assert!(
        ada.get("/plugins").await.has("it is not a plugin that this box can run (wrong magic &lt;b&gt;)")
    );
    ada.upload("/plugins", "/plugins/upload", &[("file", b"")]).await;
    assert!(ada.get("/plugins").await.has("No file was chosen"));
    let before = host.asked().len();
    let (kind, body) = house::browser::multipart("guessed", &[("file", b"\0asm")]);
    let answer = ada.send(Method::POST, "/plugins/upload", Some(&kind), body).await;
    assert_eq!(answer.status, 403);
    let answer = ada.send(Method::POST, "/plugins/upload", Some("text/plain"), b"x".to_vec()).await;
    assert_eq!(answer.status, 400);
    assert_eq!(host.asked().len(), before);
}

#[tokio::test]
async fn app_1_a_huge_file_and_a_broken_upload_leave_nothing() {
    use tokio::io::AsyncWriteExt;
    let (house, mut ada, host) = with_host().await;
    let before = host.asked().len();
    let huge = vec![0; 33 * 1024 * 1024];
    let token = ada.token("/plugins").await;
    let head = |length: usize| {
        let session = &ada.cookies["__Host-session"];
        format!(
            "POST /plugins/upload HTTP/1.1\r\nHost: desk\r\nCookie: __Host-session={session}\r\n\
             Sec-Fetch-Site: same-origin\r\nContent-Type: multipart/form-data; boundary=cut\r\n\
             Content-Length: {length}\r\n\r\n"
        )
    };
    let announced = read_answer(&house, &ada, head(500_000_000).as_bytes()).await;
    assert!(announced.starts_with("HTTP/1.1 413"), "500 MB are refused before they come: {announced}");
    let (_, body) = house::browser::multipart(&token, &[("file", &huge)]);
    let mut stream = ada.connect().await;
    let chunked = head(0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    stream.write_all(chunked.as_bytes()).await.unwrap();
    for part in body.chunks(1024 * 1024) {
        let framed = [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
        // The box may hang up as soon as it is too much.
        if stream.write_all(&framed).await.is_err() {
            break;
        }
    }
    until("too large is said", async || ada.thief().get("/plugins").await.has("a plugin has at most 32 MiB"))
        .await;
    drop(stream);
    // More than may be under way at once: each that breaks off makes room.
    for _ in 0..4 {
        let mut stream = ada.connect().await;
        stream.write_all(head(body.len()).as_bytes()).await.unwrap();
        stream.write_all(&body[..100_000]).await.unwrap();
        drop(stream);
    }
    assert_eq!(host.asked().len(), before, "the plugin host heard of none of it");
    let left: Vec<_> = std::fs::read_dir(house.folder.path().join("admin")).unwrap().collect();
    assert_eq!(left.len(), 1, "only the certificate is there: {left:?}");
    until("there is room again", async || {
        let sent = ada.thief().upload("/plugins", "/plugins/upload", &[("file", b"\0asm....")]).await;
        sent.to.unwrap().starts_with("/plugins/uploads/")
    })
    .await;
}

async fn read_answer(_: &House, browser: &Browser, request: &[u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = browser.connect().await;
    stream.write_all(request).await.unwrap();
    let mut bytes = vec![0; 65_536];
    let read = stream.read(&mut bytes).await.unwrap_or(0);
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}

#[tokio::test]
async fn app_1_settings_are_typed_kept_and_told_to_the_host() {
    let (_house, mut ada, host) = with_host().await;
    let page = ada.get(PLUGIN).await;
    assert!(page.has("A value is set. Leave it empty to keep it.") && page.has("value=\"60\""));
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
            "the server refused the user or the password; check them in the settings (49 &lt;invalid&gt;)"
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
async fn dir_4_the_directories_tell_how_a_run_goes() {
    let (_house, mut ada, host) = with_host().await;
    let page = ada.get("/directories").await;
    assert!(page.has("running: 120 of about 1000 people") && page.has("max=\"1000\" value=\"120\""));
    assert!(page.has("&lt;b&gt;Staff&lt;/b&gt;") && page.has("2023-11-14"));
    let words = "connection refused".to_owned();
    host.set(|inner| {
        inner.plugins[0].state =
            PluginState::Failing { case: "unavailable".into(), words, next_run_s: Some(90) };
    });
    until("the failure", async || {
        let page = ada.look("/directories").await;
        page.has("failed: the server does not answer (connection refused). It is tried again in 1 min 30 s.")
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
