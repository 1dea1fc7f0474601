//! Provisioning and the settings file on the page: what an administrator and a DHCP server may say, and what comes of it
//! (APP-5). A server with certificates is asked in `tests/tests/e2e_provisioning.rs`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::{fs, sync::Arc};

use admin::ProvisioningConfig;
use house::{Browser, House, PASSWORD, clean::is_clean};
use store::{Settings, Store};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Semaphore,
};

const PATH: &str = "/provisioning";
const HOUSE: &str = "[[accounts]]\nuser = \"desk\"\ndomain = \"pbx.example\"\npassword = \"sip-secret\"\n\
    [[lines]]\nnumber = \"5550100\"\nname = \"Sales\"\n[rules]\nhold_alarm_s = 77\n";

fn lease(option: &str, words: &str) -> String {
    let hex: String = words.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("# This is private data. Do not parse.\nADDRESS=192.0.2.23\n{option}={hex}\n")
}

/// A box that looks into a folder of leases, with the administrator Ada.
async fn box_with(
    lease: Option<String>,
    settings: &str,
    change: impl FnOnce(&mut ProvisioningConfig),
) -> (House, Browser) {
    let folder = tempfile::tempdir().unwrap();
    let leases = folder.path().join("leases");
    fs::create_dir(&leases).unwrap();
    if let Some(lease) = lease {
        fs::write(leases.join("2"), lease).unwrap();
    }
    let mut store = Store::open(folder.path().join("desk.db")).unwrap();
    store.save_settings(&Settings::from_toml(settings, "").unwrap()).unwrap();
    drop(store);
    let mut config = ProvisioningConfig { leases: vec![leases], ..ProvisioningConfig::default() };
    change(&mut config);
    let house = House::provisioned(folder, config).await;
    let mut ada = house.browser();
    let code = house.code();
    assert_eq!(ada.set_up(&code, "Ada", PASSWORD).await.status, 303);
    (house, ada)
}

async fn sees(ada: &mut Browser, words: &str) {
    let mut newest = String::new();
    for _ in 0..400 {
        newest = ada.get(PATH).await.body;
        if newest.contains(words) {
            is_clean(PATH, &newest);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{words:?} is not on {newest}");
}

/// A web server without TLS that knows one file, says who asked, and ends when nobody has it any more.
async fn server(file: &'static str) -> (u16, tokio::sync::mpsc::Receiver<String>) {
    let (port, asked, _) = server_that_waits(file, 64).await;
    (port, asked)
}

/// The same; it answers so many questions by itself, and each other one when it may.
async fn server_that_waits(
    file: &'static str,
    at_once: usize,
) -> (u16, tokio::sync::mpsc::Receiver<String>, Arc<Semaphore>) {
    let may = Arc::new(Semaphore::new(at_once));
    let waits = Arc::clone(&may);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, heard) = tokio::sync::mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let bytes = stream.read(&mut head).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..bytes]).into_owned();
            let answer = if head.contains("if-none-match: \"v1\"") {
                "HTTP/1.1 304 Not Modified\r\netag: \"v1\"\r\n\r\n".to_owned()
            } else {
                format!("HTTP/1.1 200 OK\r\netag: \"v1\"\r\ncontent-length: {}\r\n\r\n{file}", file.len())
            };
            if asked.send(head).await.is_err() {
                return;
            }
            waits.acquire().await.unwrap().forget();
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, heard, may)
}

#[tokio::test]
async fn app_5_dhcp_sets_a_new_desk_up_once_and_what_is_changed_afterwards_stays() {
    let (port, mut asked) = server(HOUSE).await;
    let lease = lease("VENDOR_SPECIFIC", &format!("http://127.0.0.1:{port}/desks/"));
    let (house, mut ada) = box_with(Some(lease), "", |config| config.allow_http = true).await;
    let head = asked.recv().await.unwrap();
    let mut saved = house.saved.clone();
    saved.wait_for(|settings| settings.lines.iter().any(|line| line.name == "Sales")).await.unwrap();
    sees(&mut ada, "from DHCP, option 43").await;
    sees(&mut ada, ">taken<").await;
    let device = ada.get(PATH).await.between("<code id=\"device\">", "<").unwrap();
    assert!(head.starts_with(&format!("GET /desks/{device}.toml HTTP/1.1\r\n")), "{head}");
    assert!(head.contains(&format!("user-agent: Frontdesk/1.2.3 {device}\r\n")), "{head}");

    // The administrator has another opinion, and the file is the one that was taken.
    let file = b"[rules]\nhold_alarm_s = 88\n";
    ada.upload(PATH, "/provisioning/import", &[("file", file)]).await;
    sees(&mut ada, "The settings file was taken; accounts: 1, lines: 1.").await;
    ada.submit(PATH, "/provisioning/ask", &[]).await;
    let head = asked.recv().await.unwrap();
    assert!(head.contains("if-none-match: \"v1\""), "{head}");
    sees(&mut ada, "as on the server").await;
    assert_eq!(saved.borrow_and_update().rules.hold_alarm_s, 88);
    let audit = ada.get("/audit").await;
    assert!(
        audit.has("took a file of the provisioning server") && audit.has("had the desk take a settings file")
    );
}

#[tokio::test]
async fn app_5_a_desk_that_was_set_up_by_hand_does_not_follow_dhcp_but_its_administrator() {
    let (port, mut asked) = server("[rules]\nhold_alarm_s = 99\n").await;
    let lease = lease("OPTION_66", &format!("http://127.0.0.1:{port}/"));
    let (house, mut ada) = box_with(Some(lease), HOUSE, |config| config.allow_http = true).await;
    sees(&mut ada, "but this desk was not set up from there").await;
    assert!(asked.try_recv().is_err(), "nobody was asked");
    let plain = format!("http://127.0.0.1:{port}/{{id}}.toml");
    let refused = ada.submit(PATH, PATH, &[("url", &plain), ("code", "4711")]).await;
    assert!(refused.has("A code is sent by HTTPS only"), "{}", refused.body);
    ada.submit(PATH, PATH, &[("url", ""), ("code", "4711")]).await;
    ada.submit(PATH, PATH, &[("url", &plain), ("code", "")]).await;
    let head = asked.recv().await.unwrap();
    assert!(!head.to_lowercase().contains("authorization"), "a code goes by HTTPS only: {head}");
    let mut saved = house.saved.clone();
    let settings = saved.wait_for(|settings| settings.rules.hold_alarm_s == 99).await.unwrap();
    assert_eq!(settings.lines[0].name, "Sales", "what the file does not have stays");
    drop(settings);
    sees(&mut ada, "typed on this page").await;
}

#[tokio::test]
async fn app_5_a_desk_that_is_set_up_while_the_server_of_dhcp_is_asked_stays_as_it_is() {
    let (port, mut asked, may) = server_that_waits("[rules]\nhold_alarm_s = 99\n", 0).await;
    let lease = lease("OPTION_66", &format!("http://127.0.0.1:{port}/"));
    let (house, mut ada) = box_with(Some(lease), "", |config| config.allow_http = true).await;
    // The desk has no account, so it asks; before there is an answer, it has one.
    asked.recv().await.unwrap();
    ada.upload(PATH, "/provisioning/import", &[("file", HOUSE.as_bytes())]).await;
    sees(&mut ada, "The settings file was taken; accounts: 1, lines: 1.").await;
    let path = house.folder.path().join("desk.db");
    let before = Store::open(&path).unwrap().load_settings().unwrap();
    may.add_permits(1);
    sees(&mut ada, "but this desk was not set up from there").await;
    let store = Store::open(&path).unwrap();
    assert_eq!(store.load_settings().unwrap(), before);
    assert_eq!(store.load_provisioned().unwrap().taken, None);
    assert!(!ada.get("/audit").await.has("took a file of the provisioning server"));
}

#[tokio::test]
async fn acc_4_app_5_why_a_server_gives_nothing_is_said_in_french_with_the_foreign_words_beside_it() {
    let (house, mut ada) = box_with(None, "", |config| config.allow_http = true).await;
    ada.language = "fr";
    let look = async |ada: &mut Browser, url: &str, words: &str, detail: Option<&str>| {
        ada.submit(PATH, PATH, &[("url", url), ("code", "")]).await;
        // What is said from then on is of this address.
        sees(ada, &format!("{url} (saisie sur cette page)")).await;
        sees(ada, words).await;
        let page = ada.get(PATH).await;
        let trouble = page.between("id=\"trouble\" role=\"alert\">", "</p>").unwrap();
        let (sentence, quoted) = trouble.split_once(" <span class=\"detail\">").unwrap_or((&trouble, ""));
        assert!(sentence.contains(words), "{trouble}");
        match detail {
            None => assert_eq!(quoted, "", "{trouble}"),
            Some(said) => {
                let said_there = quoted
                    .strip_prefix("Détail : « <span lang=\"en\">")
                    .unwrap_or_else(|| panic!("{trouble}"));
                assert!(said_there.contains(said) && !sentence.contains(said), "{trouble}");
                assert!(said_there.ends_with("</span> »</span>"), "{trouble}");
            }
        }
    };
    // A port that was free a moment ago.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let url = format!("https://127.0.0.1:{closed}/a.toml");
    look(&mut ada, &url, "est injoignable : personne ne répond sur ce port.", Some("Connection refused"))
        .await;
    let answers = async |said: &'static [u8]| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = vec![0; 4096];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(said).await;
            }
        });
        port
    };
    let port = answers(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let url = format!("https://127.0.0.1:{port}/a.toml");
    look(&mut ada, &url, "est injoignable : personne n’y parle TLS.", None).await;
    let url = format!("http://127.0.0.1:{}/a.toml", answers(b"SSH-2.0-OpenSSH_9.2\r\n\r\n").await);
    look(
        &mut ada,
        &url,
        "est injoignable : ce qui y répond n’est pas un serveur web (HTTP).",
        Some("invalid HTTP"),
    )
    .await;
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[rules]\n";
    for (answer, said) in [(&b""[..], "connection closed"), (&cut[..], "reading a body")] {
        let url = format!("http://127.0.0.1:{}/a.toml", answers(answer).await);
        let words = "est injoignable : la connexion a pris fin avant la réponse complète.";
        look(&mut ada, &url, words, Some(said)).await;
    }
    let (port, _asked) = server("[rules]\nhold = 1\n").await;
    let url = format!("http://127.0.0.1:{port}/a.toml");
    let words = "rien n’a été modifié : ligne 2 : le champ « hold » n’existe pas à cet endroit. Corrigez-le";
    look(&mut ada, &url, words, Some("unknown field `hold`, expected one of ")).await;
    let url =
        format!("http://127.0.0.1:{}/a.toml", answers(b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n").await);
    look(&mut ada, &url, "répond HTTP 500. Son propre journal dit pourquoi.", None).await;
    drop(house);
}

#[tokio::test]
async fn app_5_the_one_time_code_is_forgotten_when_an_administrator_wants_that() {
    let (house, mut ada) = box_with(None, HOUSE, |_| {}).await;
    let button = "id=\"forget-code\"";
    let store = Store::open(house.folder.path().join("desk.db")).unwrap();
    let code = || store.load_provisioned().unwrap().code.reveal().to_owned();
    let page = ada.get(PATH).await;
    assert!(!page.has(button), "there is nothing to forget: {}", page.body);
    ada.submit(PATH, PATH, &[("url", ""), ("code", "4711-0815")]).await;
    sees(&mut ada, "A code was typed and waits to be used.").await;
    assert!(ada.get(PATH).await.has(button) && code() == "4711-0815");
    // Not without the form's token, nor by who only reads, nor by a link.
    assert_eq!(ada.post("/provisioning/forget", &[]).await.status, 403);
    assert_eq!(ada.get("/provisioning/forget").await.status, 405);
    let sue =
        [("name", "Sue"), ("role", "supervisor"), ("password", "another horse"), ("your-password", PASSWORD)];
    ada.submit("/accounts", "/accounts", &sue).await;
    let mut sue = house.browser();
    sue.sign_in("Sue", "another horse").await;
    assert!(!sue.get(PATH).await.has(button));
    assert_eq!(sue.submit("/account", "/provisioning/forget", &[]).await.status, 403);
    assert_eq!(code(), "4711-0815");

    let done = ada.submit(PATH, "/provisioning/forget", &[]).await;
    assert_eq!((done.status, done.to.as_deref(), code().as_str()), (303, Some(PATH), ""));
    let page = ada.get(PATH).await;
    assert!(page.has("The one-time code was forgotten.") && !page.has(button), "{}", page.body);
    assert!(page.has("Where the server asks for one.") && !page.has("4711"), "{}", page.body);
    is_clean(PATH, &page.body);
    // From a page that was open all the while.
    ada.submit(PATH, "/provisioning/forget", &[]).await;
    assert!(ada.get(PATH).await.has("There is no code to forget"));
    let audit = ada.get("/audit").await.body;
    assert_eq!(audit.matches("had the one-time code forgotten").count(), 1, "{audit}");
    ada.submit(PATH, PATH, &[("url", ""), ("code", "4711-0815")]).await;
    ada.language = "fr";
    assert!(ada.get(PATH).await.has("Oublier le code à usage unique"));
    ada.submit(PATH, "/provisioning/forget", &[]).await;
    assert!(ada.get(PATH).await.has("Le code à usage unique a été oublié."));
    assert!(ada.get("/audit").await.has("a fait oublier le code à usage unique"));
}

#[tokio::test]
async fn app_5_acc_1_who_only_reads_does_not_read_what_opens_the_settings_file() {
    let (house, mut ada) = box_with(None, HOUSE, |_| {}).await;
    let url = "https://pbx.example/p?token=key-to-it";
    ada.submit(PATH, PATH, &[("url", url), ("code", "")]).await;
    assert!(ada.get(PATH).await.has(&format!("value=\"{url}\"")), "who may change it sees it whole");
    let sue =
        [("name", "Sue"), ("role", "supervisor"), ("password", "another horse"), ("your-password", PASSWORD)];
    ada.submit("/accounts", "/accounts", &sue).await;
    let mut sue = house.browser();
    sue.sign_in("Sue", "another horse").await;
    let page = sue.get(PATH).await;
    assert!(page.has("value=\"https://pbx.example/p?…\"") && !page.has("key-to-it"), "{}", page.body);
}

#[tokio::test]
async fn app_5_an_address_that_is_not_https_is_refused_in_both_languages() {
    let tftp = lease("OPTION_66", "tftp://192.0.2.1/");
    let (_house, mut ada) = box_with(Some(tftp), "", |_| {}).await;
    sees(&mut ada, "tftp://192.0.2.1/ is no https:// address.").await;
    for (typed, words) in [
        ("http://pbx.example/", "http://pbx.example/ is no https:// address."),
        ("https://user:pw@pbx.example/", "is no address of a provisioning server."),
    ] {
        let page = ada.submit(PATH, PATH, &[("url", typed), ("code", "")]).await;
        assert!(page.status == 200 && page.has(words) && page.has(typed), "{}", page.body);
        is_clean(PATH, &page.body);
    }
    ada.language = "fr";
    sees(&mut ada, "tftp://192.0.2.1/ n’est pas une adresse https://.").await;
}

#[tokio::test]
async fn app_5_a_code_typed_at_the_first_set_up_is_kept_and_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    let house = House::provisioned(folder, ProvisioningConfig::default()).await;
    let mut ada = house.browser();
    let page = ada.get("/setup").await;
    assert!(page.has("Provisioning code"), "{}", page.body);
    is_clean("/setup", &page.body);
    let code = house.code();
    let fields = [
        ("code", code.as_str()),
        ("name", "Ada"),
        ("password", PASSWORD),
        ("password-again", PASSWORD),
        ("provisioning-code", " 4711-0815 "),
    ];
    // One that cannot be is refused here as on its own page, before there is an administrator.
    let long = "7".repeat(129);
    let mut wrong = fields;
    wrong[4].1 = &long;
    let refused = ada.submit("/setup", "/setup", &wrong).await;
    assert!(refused.status == 422 && refused.has("Provisioning code: At most 128 bytes"), "{}", refused.body);
    assert!(house.admin.setup.borrow().is_some(), "nobody is its administrator yet");
    assert_eq!(ada.submit("/setup", "/setup", &fields).await.status, 303);
    let kept = Store::open(&path).unwrap().load_provisioned().unwrap();
    assert_eq!(kept.code.reveal(), "4711-0815");
    sees(&mut ada, "A code was typed and waits to be used.").await;
    sees(&mut ada, "no address: type one, or let DHCP name it").await;
    assert!(!ada.get(PATH).await.has("4711") && !ada.get("/audit").await.has("4711"));
}

#[tokio::test]
async fn app_5_settings_go_out_as_a_file_and_come_back_wholly_or_not_at_all() {
    let (house, mut ada) = box_with(None, HOUSE, |_| {}).await;
    let plain = ada.submit(PATH, "/provisioning/export", &[]).await;
    assert!(plain.has("name = \"Sales\"") && !plain.has("sip-secret"), "{}", plain.body);
    assert_eq!(plain.headers["content-disposition"], "attachment; filename=\"settings.toml\"");
    let wrong = [("passwords", "on"), ("export-password", "wrong")];
    let refused = ada.submit(PATH, "/provisioning/export", &wrong).await;
    assert!(refused.status == 303 && !refused.has("sip-secret"));
    let right = [("passwords", "on"), ("export-password", PASSWORD)];
    let whole = ada.submit(PATH, "/provisioning/export", &right).await;
    assert!(whole.has("password = \"sip-secret\""), "{}", whole.body);

    let before = Store::open(house.folder.path().join("desk.db")).unwrap().load_settings().unwrap();
    for (file, words) in [
        (
            &b"[rules]\nhold_alarm_s = 60\n[[lines]]\nnumber = \"1\"\nname = \"\"\n"[..],
            "line 5: lines (1.) name: ",
        ),
        (
            &b"[rules]\nhold = 60\n"[..],
            "line 2: there is no field “hold” here. Detail: “unknown field `hold`, expected one of ",
        ),
        (&b"\xff\xfe"[..], "it is no text in UTF-8"),
        (&b""[..], "no file was chosen"),
        (&vec![b'#'; 512 * 1024 + 1][..], "it is larger than 512 KiB"),
    ] {
        ada.upload(PATH, "/provisioning/import", &[("file", file)]).await;
        sees(&mut ada, words).await;
        let now = Store::open(house.folder.path().join("desk.db")).unwrap().load_settings().unwrap();
        assert_eq!(now, before, "{words}");
    }
    let moved = b"[[accounts]]\nuser = \"desk\"\ndomain = \"other.example\"\n";
    ada.upload(PATH, "/provisioning/import", &[("file", moved)]).await;
    sees(&mut ada, "These accounts have no password now: desk.").await;
    let other = whole.body.replace("Sales", "Orders");
    ada.upload(PATH, "/provisioning/import", &[("file", other.as_bytes())]).await;
    sees(&mut ada, "The settings file was taken").await;
    assert_eq!(house.saved.borrow().lines[0].name, "Orders", "and the desk hears of it");
}
