//! Backup and restore, diagnostics, statistics: what the pages do, and what they say to bad input (APP-2, STA-1).
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::{fs, path::Path};

use chrono::{Local, TimeZone};
use house::{Browser, House, PASSWORD, clean::is_clean};
use hyper::Method;
use ipc::{Direction, EndStatus, LogRow, Party};
use serde_json::json;
use store::{Settings, Store};
use tempfile::TempDir;

const PASSPHRASE: &str = "seven herons by the lake";
const SIP_SECRET: &str = "sip-secret-of-the-desk";
const HEADSET: &str = "plughw:CARD=Headset,DEV=0";

fn db(house: &House) -> std::path::PathBuf {
    house.folder.path().join("desk.db")
}

/// A directory, an account with a password, and calls on 2026-11-26 in the morning.
fn fill(path: &Path) {
    let mut store = Store::open(path).unwrap();
    let settings = format!(
        "[[accounts]]\nuser = \"desk\"\ndomain = \"pbx.example\"\npassword = \"{SIP_SECRET}\"\n\
         [sound]\nspeaker = [\"{HEADSET}\"]\n"
    );
    store.save_settings(&Settings::from_toml(&settings, "").unwrap()).unwrap();
    store.add_directory("Staff", true).unwrap();
    let at = |hour| Local.with_ymd_and_hms(2026, 11, 26, hour, 30, 0).unwrap().timestamp_millis();
    for (hour, direction, end, answered_after_ms) in [
        (9, Direction::Incoming, EndStatus::Completed, Some(4_200)),
        (9, Direction::Incoming, EndStatus::Completed, Some(30_000)),
        (10, Direction::Incoming, EndStatus::Missed, None),
        (11, Direction::Outgoing, EndStatus::NotAnswered, None),
    ] {
        let row = LogRow {
            id: 0,
            direction,
            party: Party { number: Some("0791234567".into()), ..Party::default() },
            line_number: "5550100".into(),
            line_name: "=Sales, <b>main</b>".into(),
            began_unix_ms: at(hour),
            answered_after_ms,
            talk_ms: if answered_after_ms.is_some() { 60_000 } else { 0 },
            hold_ms: 0,
            end,
            transfers: Vec::new(),
            rules: Vec::new(),
            customer: None,
            call: None,
            sound: None,
            mark: ipc::LogMark::None,
        };
        store.append_call(&row).unwrap();
    }
}

async fn backup_of(ada: &mut Browser) -> Vec<u8> {
    let fields = [("passphrase", PASSPHRASE), ("passphrase-again", PASSPHRASE), ("password", PASSWORD)];
    let made = ada.submit("/backup", "/backup", &fields).await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(made.headers["content-length"], made.bytes.len().to_string());
    let name = made.headers["content-disposition"].to_str().unwrap();
    assert!(
        name.starts_with("attachment; filename=\"frontdesk-20") && name.ends_with(".fdbackup\""),
        "{name}"
    );
    made.bytes
}

async fn restore(ada: &mut Browser, password: &str, passphrase: &str, file: &[u8]) -> house::browser::Answer {
    let fields = [("restore-password", password), ("restore-passphrase", passphrase)];
    ada.upload_with("/backup", "/backup/upload", &fields, file).await
}

#[tokio::test]
async fn app_2_a_backup_is_downloaded_uploaded_to_a_fresh_box_and_put_in_place_when_it_starts_anew() {
    let (house, mut ada) = House::with_ada().await;
    fill(&db(&house));
    let file = backup_of(&mut ada).await;
    assert!(!String::from_utf8_lossy(&file).contains(SIP_SECRET));
    assert!(ada.get("/audit").await.has("made a backup"));

    let (fresh, mut eve) = House::with_ada().await;
    let sent = restore(&mut eve, PASSWORD, PASSPHRASE, &file).await;
    assert_eq!((sent.status, sent.to.as_deref()), (303, Some("/backup")), "{}", sent.body);
    let page = eve.get("/backup").await;
    assert!(page.has("The backup is whole and waits.") && page.has("A backup waits to be used"));
    assert!(page.has("their calls ring here"), "who tries it elsewhere is told");
    is_clean("/backup", &page.body);
    assert!(eve.get("/").await.has("A backup waits: it takes the place of everything"));

    // Not while a call is up, and not without the password.
    fresh.desk.lock().unwrap().has_call = true;
    let wrong = [("restart-password", "wrong")];
    eve.submit("/backup", "/backup/restart", &wrong).await;
    assert!(eve.get("/backup").await.has("Your password was wrong."));
    assert!(fresh.desk.lock().unwrap().heard.is_empty());
    let right = [("restart-password", PASSWORD)];
    eve.submit("/backup", "/backup/restart", &right).await;
    assert!(eve.get("/backup").await.has("does not start anew while a call is up"));
    fresh.desk.lock().unwrap().has_call = false;
    let ends = eve.submit("/backup", "/backup/restart", &right).await;
    assert!(ends.status == 200 && ends.has("The desk starts anew"), "{}", ends.body);

    let House { admin, folder, .. } = fresh;
    drop(admin);
    let (path, state) = (folder.path().join("desk.db"), folder.path().join("admin"));
    // The page's own connection ends with its thread.
    house::until("the backup is in place", async || {
        admin::apply_waiting(&path, &state).unwrap() == admin::Applied::Restored
    })
    .await;
    let store = Store::open(&path).unwrap();
    let settings = store.load_settings().unwrap();
    assert_eq!(settings.accounts[0].password.reveal(), SIP_SECRET);
    // The page says so: on other hardware it is chosen anew.
    assert_eq!(settings.sound.speaker, [HEADSET]);
    assert_eq!(store.load_catalogue().unwrap().0.len(), 1);
    assert_eq!(store.audit(None, 1).unwrap()[0].action, "restored");
}

#[tokio::test]
async fn app_2_bad_backups_are_refused_in_words_and_change_nothing() {
    let (house, mut ada) = House::with_ada().await;
    fill(&db(&house));
    let file = backup_of(&mut ada).await;
    let mut damaged = file.clone();
    damaged[200] ^= 1;
    let mut newer = file.clone();
    newer[8] = 9;
    let half = &file[..file.len() / 2];
    let zip = b"PK\x03\x04 and so on, which is no backup but a zip file or a bomb".repeat(100);
    for (file, passphrase, status, words) in [
        (&file[..], "seven herons", 422, "the passphrase is wrong"),
        (half, PASSPHRASE, 422, "its end is missing or damaged"),
        (&damaged, PASSPHRASE, 422, "the file is damaged"),
        (&newer, PASSPHRASE, 422, "made by a newer version"),
        (&zip, PASSPHRASE, 422, "it is no backup of Frontdesk"),
        (b"", PASSPHRASE, 422, "it is no backup of Frontdesk"),
    ] {
        let sent = restore(&mut ada, PASSWORD, passphrase, file).await;
        assert_eq!(sent.status, status, "{}", sent.body);
        assert!(sent.has(words) && sent.has("nothing was changed"), "{words}: {}", sent.body);
        assert!(!ada.get("/backup").await.has("A backup waits"));
    }
    assert_eq!(restore(&mut ada, "not hers", PASSPHRASE, &file).await.status, 403);
    ada.site = Some("cross-site");
    let token = {
        let mut own = ada.thief();
        own.token("/backup").await
    };
    let (kind, body) =
        house::browser::multipart(&token, &[("restore-password", PASSWORD.as_bytes()), ("file", &file)]);
    assert_eq!(ada.send(Method::POST, "/backup/upload", Some(&kind), body).await.status, 403);
    ada.site = Some("same-origin");
    // The file before the password: nothing is read of it.
    let early = ada.upload("/backup", "/backup/upload", &[("file", &file)]).await;
    assert_eq!(early.status, 403);
    let names: Vec<String> = fs::read_dir(house.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("restore"))
        .collect();
    assert!(names.is_empty(), "{names:?}");
    // What waits can be discarded.
    restore(&mut ada, PASSWORD, PASSPHRASE, &file).await;
    ada.submit("/backup", "/backup/discard", &[]).await;
    let page = ada.get("/backup").await;
    assert!(page.has("The backup was discarded.") && !page.has("A backup waits"));
}

#[tokio::test]
async fn app_2_a_backup_needs_a_good_passphrase_and_the_password() {
    let (_house, mut ada) = House::with_ada().await;
    for (passphrase, again, password, words) in [
        ("short", "short", PASSWORD, "The passphrase is too short"),
        (PASSPHRASE, "another passphrase", PASSWORD, "The two passphrases are not the same"),
        (PASSPHRASE, PASSPHRASE, "wrong", "Your password was wrong"),
    ] {
        let fields = [("passphrase", passphrase), ("passphrase-again", again), ("password", password)];
        let refused = ada.submit("/backup", "/backup", &fields).await;
        assert_eq!(refused.status, 303);
        assert!(ada.get("/backup").await.has(words), "{words}");
    }
    let long = "é".repeat(200);
    let fields = [("passphrase", long.as_str()), ("passphrase-again", &long), ("password", PASSWORD)];
    ada.submit("/backup", "/backup", &fields).await;
    assert!(ada.get("/backup").await.has("The passphrase is too long"));
    assert!(!ada.get("/audit").await.has("made a backup"));
}

#[tokio::test]
async fn acc_1_a_supervisor_takes_no_backup_and_no_diagnostics() {
    let (house, mut ada) = House::with_ada().await;
    let sue = [
        ("name", "Sue"),
        ("role", "supervisor"),
        ("password", "another horse"),
        ("password-again", "another horse"),
        ("your-password", PASSWORD),
    ];
    ada.submit("/accounts", "/accounts", &sue).await;
    let mut sue = house.browser();
    sue.sign_in("Sue", "another horse").await;
    let page = sue.get("/backup").await;
    assert!(page.status == 200 && !page.has("make-backup") && !page.has("upload-backup"), "{}", page.body);
    let token = sue.token("/backup").await;
    for path in ["/backup", "/backup/discard", "/backup/restart", "/diagnostics/bundle", "/diagnostics/level"]
    {
        assert_eq!(
            sue.post(path, &[("form", &token), ("password", "another horse")]).await.status,
            403,
            "{path}"
        );
    }
    let (kind, body) = house::browser::multipart(&token, &[("file", b"x")]);
    assert_eq!(sue.send(Method::POST, "/backup/upload", Some(&kind), body).await.status, 403);
    assert_eq!(sue.get("/statistics").await.status, 200);
    assert_eq!(sue.get("/diagnostics").await.status, 200);
}

#[tokio::test]
async fn sta_1_the_page_counts_in_both_languages_and_gives_files() {
    let (house, mut ada) = House::with_ada().await;
    fill(&db(&house));
    let day = "/statistics?span=day&day=2026-11-26";
    let page = ada.get(day).await;
    is_clean(day, &page.body);
    for words in [
        "Thursday 2026-11-26",
        "2 (67%)",
        "1 (33%)",
        "1 (50%)",
        "4.2 s",
        "30.0 s",
        "talked, then hung up",
        "=Sales, &lt;b&gt;main&lt;/b&gt;",
        "09:00: 2 incoming, 2 answered here, 0 outgoing",
        "<svg class=\"chart\"",
    ] {
        assert!(page.has(words), "{words}: {}", page.body);
    }
    let week = ada.get("/statistics?span=week&day=2026-11-29").await;
    assert!(
        week.has("Monday 2026-11-23 to Sunday 2026-11-29") && week.has("Thu 26: 3 incoming"),
        "{}",
        week.body
    );
    is_clean("week", &week.body);
    assert!(ada.get("/statistics?span=day&day=2026-11-25").await.has("No calls in this time."));
    ada.language = "fr";
    let french = ada.get(day).await;
    assert!(
        french.has("jeudi 2026-11-26") && french.has("2 (67\u{a0}%)") && french.has("4,2 s"),
        "{}",
        french.body
    );
    let file = ada.get("/statistics.csv?span=day&day=2026-11-26&by=hour").await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    assert!(file.body.starts_with("from,until,incoming,answered,missed,outgoing,talk_s,hold_s\r\n"));
    assert_eq!(file.body.lines().count(), 25);
    assert!(file.body.contains(",2,2,0,0,120,0\r\n"), "{}", file.body);
    let file = ada.get("/statistics.csv?span=day&day=2026-11-26&by=line").await;
    assert_eq!(file.body.lines().nth(1), Some("5550100,\"'=Sales, <b>main</b>\",3,2,1,1,120,0"));
    let file = ada.get("/statistics.csv?span=day&day=2026-11-26&by=outcome").await;
    assert!(
        file.body.contains("incoming,completed,2\r\n") && file.body.contains("outgoing,not_answered,1\r\n")
    );
    for bad in ["?span=year", "?span=day&day=2026-02-30", "?day=2026-01-01", "?span=day&day=99999-01-01"] {
        assert_eq!(ada.get(&format!("/statistics{bad}")).await.status, 422, "{bad}");
        assert_eq!(ada.get(&format!("/statistics.csv{bad}&by=hour")).await.status, 422, "{bad}");
    }
    assert_eq!(ada.get("/statistics.csv?by=moon").await.status, 422);
}

#[tokio::test]
async fn app_2_the_log_is_seen_and_taken_and_has_no_secret() {
    let (house, mut ada) = House::with_ada().await;
    fill(&db(&house));
    for (level, words) in [(" INFO", "incoming call from=\"0791234567\""), (" WARN", "<script>odd</script>")]
    {
        house.log.push(format!("2026-11-26T10:00:00.0Z {level} frontdeskd: {words}\n").as_bytes());
    }
    let page = ada.get("/diagnostics").await;
    is_clean("/diagnostics", &page.body);
    assert!(page.has("0791234567") && page.has("&lt;script&gt;odd") && page.has("calls: 4"), "{}", page.body);
    assert!(!ada.get("/diagnostics?level=warn").await.has("0791234567"));
    let masked = ada.submit("/diagnostics", "/diagnostics/bundle", &[]).await;
    assert_eq!(masked.headers["content-type"], "application/gzip");
    let plain = ada.submit("/diagnostics", "/diagnostics/bundle", &[("plain", "on")]).await;
    let (masked, plain) = (unpacked(&masked.bytes), unpacked(&plain.bytes));
    for secret in [SIP_SECRET, PASSWORD, "$argon2id", "PRIVATE KEY"] {
        assert!(!masked.contains(secret) && !plain.contains(secret), "{secret}");
    }
    assert!(plain.contains("0791234567") && plain.contains("pbx.example") && plain.contains("<b>Staff</b>"));
    assert!(
        !masked.contains("0791234567") && !masked.contains("pbx.example") && !masked.contains("<b>Staff")
    );
    assert!(
        masked.contains("\"calls\": 4") && masked.contains("incoming call from=\"##########\""),
        "{masked}"
    );
    assert_eq!(ada.get("/audit").await.body.matches("took diagnostics").count(), 2);

    ada.submit("/diagnostics", "/diagnostics/level", &[("log-level", "debug")]).await;
    assert!(ada.get("/diagnostics").await.has("for another 60 min"));
    ada.submit("/diagnostics", "/diagnostics/level", &[("log-level", "set")]).await;
    assert!(ada.get("/diagnostics").await.has("Log more for an hour"));
    assert_eq!(house.desk.lock().unwrap().heard, ["Some(Debug)", "None"]);
}

fn unpacked(bytes: &[u8]) -> String {
    use std::io::Read;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    let mut all = String::new();
    for entry in archive.entries().unwrap() {
        entry.unwrap().read_to_string(&mut all).unwrap();
    }
    all
}

#[tokio::test]
async fn app_2_sta_1_programs_get_statistics_and_diagnostics_and_a_backup_that_can_be_restored() {
    let (house, mut ada) = House::with_ada().await;
    fill(&db(&house));
    let mut token = async |scope: &str| {
        let fields = [("token-name", scope), ("scope", scope), ("token-your-password", PASSWORD)];
        let shown = ada.submit("/accounts", "/tokens", &fields).await;
        let token = shown.between("<code id=\"token\">", "</code>").unwrap();
        Browser { bearer: Some(token), site: None, ..house.browser() }
    };
    let (mut reader, mut writer) = (token("read").await, token("write").await);
    let told = reader.get("/api/v1/statistics?span=day&day=2026-11-26").await.json();
    assert_eq!((&told["all"]["incoming"], &told["answers"]["within_20_s"]), (&json!(3), &json!(1)));
    assert_eq!((&told["answers"]["median_ms"], told["hours"].as_array().unwrap().len()), (&json!(4200), 24));
    assert_eq!(reader.get("/api/v1/statistics").await.status, 200);
    for bad in ["span=x", "day=x", "span=week&day=2026-13-01", "day="] {
        assert_eq!(reader.get(&format!("/api/v1/statistics?{bad}")).await.status, 422, "{bad}");
    }
    assert_eq!(reader.get("/api/v1/diagnostics").await.json()["database"]["calls"], 4);
    house.log.push(b"2026-11-26T10:00:00.0Z  WARN x: y\n");
    assert_eq!(reader.get("/api/v1/log?level=warn").await.json()[0]["level"], "warn");
    assert_eq!(reader.get("/api/v1/log?level=loud").await.status, 422);
    let wanted = json!({ "passphrase": PASSPHRASE });
    assert_eq!(reader.api(Method::POST, "/api/v1/backup", Some(wanted.clone())).await.status, 403);
    let short = json!({ "passphrase": "short" });
    assert_eq!(writer.api(Method::POST, "/api/v1/backup", Some(short)).await.status, 422);
    let made = writer.api(Method::POST, "/api/v1/backup", Some(wanted)).await;
    assert_eq!(
        (made.status, made.headers["content-type"].to_str().unwrap()),
        (200, "application/octet-stream")
    );
    let (_fresh, mut eve) = House::with_ada().await;
    assert_eq!(restore(&mut eve, PASSWORD, PASSPHRASE, &made.bytes).await.status, 303);
}

/// A browser that goes away in the middle of an upload leaves nothing, and the place is free again.
#[tokio::test]
async fn app_2_an_upload_that_breaks_off_leaves_nothing() {
    use tokio::io::AsyncWriteExt;
    let (house, mut ada) = House::with_ada().await;
    let file = backup_of(&mut ada).await;
    let token = ada.token("/backup").await;
    let fields = [("restore-password", PASSWORD.as_bytes()), ("restore-passphrase", PASSPHRASE.as_bytes())];
    let (kind, body) = house::browser::multipart(&token, &[&fields[..], &[("file", &file)]].concat());
    let cookies: Vec<String> = ada.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let head = format!(
        "POST /backup/upload HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nCookie: {}\r\n\
         Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        cookies.join("; "),
        body.len()
    );
    let mut stream = ada.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..body.len() / 2]).await.unwrap();
    stream.flush().await.unwrap();
    drop(stream);
    house::until("the place is free", async || {
        restore(&mut ada.thief(), PASSWORD, "another passphrase", &file).await.has("the passphrase is wrong")
    })
    .await;
    let left: TempDir = house.folder;
    let has_rest = fs::read_dir(left.path())
        .unwrap()
        .any(|entry| entry.unwrap().file_name().to_string_lossy().contains("restore"));
    assert!(!has_rest);
}

#[tokio::test]
async fn app_2_calls_that_something_was_wrong_with_are_listed_with_their_seconds_in_both_languages() {
    let (house, mut ada) = House::with_ada().await;
    let empty = ada.get("/diagnostics").await;
    assert!(empty.has("The operator has said so of no call."), "{}", empty.body);
    fill(&db(&house));
    let said = Local.with_ymd_and_hms(2026, 11, 26, 9, 31, 30).unwrap().timestamp_millis();
    let second = |n: u32| ipc::CallSecond {
        length_ms: 1000,
        sent: 50,
        received: 50 - n % 7,
        lost: n % 7,
        concealed_ms: 20 * (n % 7),
        jitter_us: 1_250,
        buffer_ms: 60,
        round_trip_us: (n > 5).then_some(31_000),
        heard_decibel_tenths: -235,
        said_decibel_tenths: -960,
        ..ipc::CallSecond::default()
    };
    let seconds: Vec<ipc::CallSecond> = (0..60).map(second).collect();
    let mut store = Store::open(db(&house)).unwrap();
    for (call, until_unix_ms, seconds) in [(1, said - 12_000, seconds), (2, said, Vec::new())] {
        let mark = ipc::CallMark { at_unix_ms: said, until_unix_ms, seconds };
        store.add_mark(call, &mark).unwrap();
    }
    drop(store);
    let page = ada.get("/diagnostics").await;
    is_clean("/diagnostics", &page.body);
    let sum = "received: 2826, lost: 174, late: 0, made up: 3480 ms";
    assert!(page.has(sum) && page.has("no sound came through the desk"), "{}", page.body);
    let path = page.body.split("href=\"/diagnostics/marks/").filter_map(|rest| rest.split('"').next()).last();
    let path = format!("/diagnostics/marks/{}", path.unwrap());
    let shown = ada.get(&path).await;
    is_clean(&path, &shown.body);
    assert!(shown.has("0791234567") && shown.has("=Sales, &lt;b&gt;main&lt;/b&gt;"), "{}", shown.body);
    assert!(shown.has("The call ended at 09:31:18") && shown.has("-23.5") && shown.has("31.0"));
    assert_eq!(shown.body.matches("<tr role=\"row\">").count(), 61);
    let file = ada.get(&format!("{path}/seconds.csv")).await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(file.body.lines().count(), 61);
    assert!(file.body.contains(",1000,0,49,1,0,20,0,0,0,0,1.3,60,,-23.5,50,-96.0\r\n"), "{}", file.body);
    ada.language = "fr";
    let french = ada.get(&path).await;
    assert!(
        french.has("perdus : 174") && french.has("-23,5") && french.has("signalé ensuite"),
        "{}",
        french.body
    );
    for none in ["/diagnostics/marks/99", "/diagnostics/marks/99/seconds.csv"] {
        assert_eq!(ada.get(none).await.status, 404, "{none}");
    }
    assert_eq!(ada.get("/diagnostics/marks/x").await.status, 400);
    // And what goes to support has the figures and nobody's name.
    let masked = ada.submit("/diagnostics", "/diagnostics/bundle", &[]).await;
    let masked = unpacked(&masked.bytes);
    assert!(masked.contains("\"concealed_ms\": 120") && masked.contains("\"direction\": \"Incoming\""));
    assert!(!masked.contains("0791234567"));
}

#[tokio::test]
async fn app_2_a_copy_that_a_power_cut_left_of_a_backup_does_not_stay() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("admin");
    fs::create_dir(&state).unwrap();
    for name in ["backup-x1y2z3", "backup-x1y2z3-journal"] {
        fs::write(state.join(name), "the whole database, in clear").unwrap();
    }
    let _house = House::beside(folder).await;
    let left = fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.filter(|name| name.to_string_lossy().starts_with("backup-")).count(), 0);
}
