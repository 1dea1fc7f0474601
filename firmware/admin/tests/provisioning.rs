//! Provisioning and the settings file on the page: what an administrator and a DHCP server may say, and what comes of it
//! (APP-5). A server with certificates is asked in `tests/tests/e2e_provisioning.rs`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::fs;

use admin::ProvisioningConfig;
use house::{Browser, House, PASSWORD, clean::is_clean};
use store::{Settings, Store};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
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
            let _ = stream.write_all(answer.as_bytes()).await;
            if asked.send(head).await.is_err() {
                return;
            }
        }
    });
    (port, heard)
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
        (&b"[rules]\nhold = 60\n"[..], "line 2: unknown field `hold`"),
        (&b"\xff\xfe"[..], "it is no text in UTF-8"),
        (&b""[..], "no file was chosen"),
        (&vec![b'#'; 512 * 1024 + 1][..], "it is larger than 512 KiB"),
    ] {
        ada.upload(PATH, "/provisioning/import", &[("file", file)]).await;
        sees(&mut ada, words).await;
        let now = Store::open(house.folder.path().join("desk.db")).unwrap().load_settings().unwrap();
        assert_eq!(now, before, "{words}");
    }
    let other = whole.body.replace("Sales", "Orders");
    ada.upload(PATH, "/provisioning/import", &[("file", other.as_bytes())]).await;
    sees(&mut ada, "The settings file was taken").await;
    assert_eq!(house.saved.borrow().lines[0].name, "Orders", "and the desk hears of it");
}
