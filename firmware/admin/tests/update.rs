//! The page of updates: what it says and offers, with a program in the place of RAUC (APP-2, APP-3).
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use house::{Browser, House, PASSWORD, clean::is_clean, until};
use ipc::{CallRef, UpdateRefusal, View};
use tempfile::TempDir;

/// Says of everything that it is version 2 and signed, and installs it at once.
const RAUC: &str = r#"#!/bin/sh
case $1 in
info) echo '{"compatible":"box","version":"2 <b>bold</b>","description":"What is new"}' ;;
status) echo '{"compatible":"box","booted":"A","boot_primary":"rootfs.0","slots":[
  {"rootfs.0":{"bootname":"A","state":"booted","boot_status":"good"}},
  {"rootfs.1":{"bootname":"B","state":"inactive","boot_status":"bad"}}]}' ;;
install) echo ' 50% Copying'; echo '100% Installing done.' ;;
esac
"#;

async fn with_ada() -> (House, Browser) {
    let (house, mut ada) = with_rauc(RAUC).await;
    ada.language = "en";
    (house, ada)
}

async fn signed_in(house: House) -> (House, Browser) {
    let mut ada = house.browser();
    let code = house.code();
    assert_eq!(ada.set_up(&code, "Ada", PASSWORD).await.status, 303);
    (house, ada)
}

async fn sees(ada: &Browser, words: &str) {
    until(words, async || ada.look("/update").await.has(words)).await;
}

async fn upload(ada: &mut Browser) {
    let sent = ada.upload("/update", "/update/upload", &[("file", b"hsqs and so on")]).await;
    assert_eq!((sent.status, sent.to.as_deref()), (303, Some("/update")), "{}", sent.body);
    assert!(ada.get("/update").await.has("can be installed."));
}

#[tokio::test]
async fn app_2_app_3_an_update_is_uploaded_ordered_put_off_and_not_wanted_any_more() {
    let (_house, mut ada) = with_ada().await;
    sees(&ada, "is not started").await;
    upload(&mut ada).await;
    let page = ada.get("/update").await;
    assert!(page.has("What is new") && page.has("2 &lt;b&gt;bold&lt;/b&gt;"), "{}", page.body);
    is_clean("/update", &page.body);
    for (fields, words) in [
        (
            [("when", "window"), ("from", "25:00"), ("until", "04:00"), ("password", PASSWORD)],
            "Give both times",
        ),
        ([("when", "later"), ("from", ""), ("until", ""), ("password", PASSWORD)], "Give both times"),
        ([("when", "now"), ("from", ""), ("until", ""), ("password", "wrong")], "Your password was wrong."),
    ] {
        ada.submit("/update", "/update/install", &fields).await;
        assert!(ada.get("/update").await.has(words), "{words}");
    }
    // A window of a minute, twelve hours from now: it is not opened while this runs.
    let from = (chrono::Local::now() + chrono::TimeDelta::hours(12)).format("%H:%M").to_string();
    let until = (chrono::Local::now() + chrono::TimeDelta::hours(13)).format("%H:%M").to_string();
    let fields =
        [("when", "window"), ("from", from.as_str()), ("until", until.as_str()), ("password", PASSWORD)];
    ada.submit("/update", "/update/install", &fields).await;
    sees(&ada, &format!("between {from} and {until}")).await;
    ada.language = "fr";
    assert!(ada.get("/update").await.has(&format!("entre {from} et {until}")));
    ada.language = "en";
    ada.submit("/update", "/update/postpone", &[]).await;
    sees(&ada, "It was put off until").await;
    ada.submit("/update", "/update/cancel", &[]).await;
    assert!(ada.get("/update").await.has("The update is not installed."));
    ada.submit("/update", "/update/cancel", &[]).await;
    assert!(ada.get("/update").await.has("It is too late for that"));
    ada.submit("/update", "/update/discard", &[]).await;
    sees(&ada, "Upload an update").await;
    assert!(!ada.get("/update").await.has("Update on the box"));
    ada.submit("/update", "/update/restart", &[]).await;
    assert!(ada.get("/update").await.has("There is no update to install."));
    let audit = ada.get("/audit").await;
    for words in ["uploaded an update", "had an update installed", "did not want an update any more"] {
        assert!(audit.has(words), "{words}");
    }
}

#[tokio::test]
async fn app_2_app_3_an_older_version_is_said_to_be_one_and_installed_only_where_that_is_wanted() {
    let (_house, mut ada) = with_rauc(&RAUC.replace("2 <b>bold</b>", "0.9")).await;
    ada.language = "en";
    sees(&ada, "is not started").await;
    upload(&mut ada).await;
    let page = ada.get("/update").await;
    assert!(page.has("This version is older than the one that runs, 1."), "{}", page.body);
    is_clean("/update", &page.body);
    let bearer = {
        let fields = [("token-name", "w"), ("scope", "write"), ("token-your-password", PASSWORD)];
        ada.submit("/accounts", "/tokens", &fields).await.between("<code id=\"token\">", "</code>")
    };
    let mut program = Browser { bearer, site: None, ..Browser::new(ada.address) };
    assert_eq!(program.get("/api/v1/update").await.json()["bundle"]["older"], true);
    let order = serde_json::json!({"when": "now"});
    let refused = program.api(hyper::Method::PUT, "/api/v1/update/order", Some(order)).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let fields = [("when", "now"), ("from", ""), ("until", ""), ("password", PASSWORD)];
    ada.submit("/update", "/update/install", &fields).await;
    assert!(ada.get("/update").await.has("Tick that the older version is wanted"));
    assert!(!ada.get("/audit").await.has("had an update installed"));
    let fields = [("when", "now"), ("from", ""), ("until", ""), ("password", PASSWORD), ("older", "on")];
    ada.submit("/update", "/update/install", &fields).await;
    sees(&ada, "written, waits for the restart").await;
}

#[tokio::test]
async fn app_3_updates_by_stick_are_turned_off_and_on_and_refused_while_they_are_off() {
    let (house, mut ada) = with_ada().await;
    sees(&ada, "Turn updates by stick off").await;
    is_clean("/update", &ada.get("/update").await.body);
    // Twice, as by a double click, or from a page that was open all the while.
    for _ in 0..2 {
        ada.submit("/update", "/update/sticks", &[("allow", "off")]).await;
        sees(&ada, "Sticks do not update this box.").await;
        sees(&ada, "Turn updates by stick on").await;
    }
    is_clean("/update", &ada.get("/update").await.body);
    let update = house.update.clone().unwrap();
    assert_eq!(update.begin_stick(8).await.unwrap_err(), UpdateRefusal::Off);
    for password in ["", "wrong"] {
        let on = [("allow", "on"), ("sticks-password", password)];
        ada.submit("/update", "/update/sticks", &on).await;
        assert!(ada.get("/update").await.has("Your password was wrong."), "{password:?}");
        assert_eq!(update.begin_stick(8).await.unwrap_err(), UpdateRefusal::Off);
    }
    ada.submit("/update", "/update/sticks", &[("allow", "on"), ("sticks-password", PASSWORD)]).await;
    sees(&ada, "Turn updates by stick off").await;
    ada.language = "fr";
    assert!(ada.get("/update").await.has("Désactiver les mises à jour par clé"));
    ada.language = "en";
    let audit = ada.get("/audit").await;
    assert!(audit.has("updates by stick: off") && audit.has("updates by stick: on"));
    // On again, a stick updates the box; here the desk has a call, so that it waits.
    let idle = View::clone(&house.views.borrow());
    house.views.send_replace(std::sync::Arc::new(View { talk: Some(CallRef(1)), ..idle }));
    let mut incoming = update.begin_stick(8).await.unwrap();
    incoming.push(b"hsqs").await.unwrap();
    // Its version is none that could be compared.
    assert_eq!(update.take_stick(incoming).await.unwrap_err(), UpdateRefusal::NoVersion);
    assert!(!ada.get("/update").await.has("Update on the box"), "nothing is left of it");
}

#[tokio::test]
async fn app_3_the_restart_waits_for_the_call_and_asks_the_desk_before_it_comes() {
    let (house, mut ada) = with_ada().await;
    sees(&ada, "is not started").await;
    upload(&mut ada).await;
    let idle = View::clone(&house.views.borrow());
    house.views.send_replace(std::sync::Arc::new(View { talk: Some(CallRef(1)), ..idle.clone() }));
    let fields = [("when", "now"), ("from", ""), ("until", ""), ("password", PASSWORD)];
    ada.submit("/update", "/update/install", &fields).await;
    sees(&ada, "The box restarts as soon as no call is up.").await;
    sees(&ada, "A call is up, held or parked now.").await;
    assert!(house.desk.lock().unwrap().heard.is_empty());
    // The view says that it is over; the desk knows better.
    house.desk.lock().unwrap().has_call = true;
    house.views.send_replace(std::sync::Arc::new(idle.clone()));
    until("the desk is asked", async || !house.desk.lock().unwrap().heard.is_empty()).await;
    let restart = house.folder.path().join("run/restart");
    sees(&ada, "The box restarts as soon as no call is up.").await;
    assert!(!restart.exists());
    house.desk.lock().unwrap().has_call = false;
    until("the box is restarted", async || restart.exists()).await;
    sees(&ada, "written, waits for the restart").await;
    assert!(!ada.get("/update").await.has("Upload an update"), "one at a time");
}

/// A box whose rauc does this.
async fn with_rauc(script: &str) -> (House, Browser) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rauc");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let (house, mut ada) = signed_in(House::updating(folder, Some(path)).await).await;
    ada.language = "fr";
    (house, ada)
}

#[tokio::test]
async fn acc_4_app_2_what_rauc_says_is_quoted_beside_a_french_sentence_and_not_in_it() {
    let quoted =
        |said: &str| format!(" <span class=\"detail\">Détail : « <span lang=\"en\">{said}</span> »</span>");
    let seen = async |ada: &mut Browser, words: &str| {
        until(words, async || ada.get("/update").await.has(words)).await;
        is_clean("/update", &ada.get("/update").await.body);
    };
    let (_house, mut ada) = with_rauc("#!/bin/sh\necho 'no D-Bus <here>' >&2\nexit 1\n").await;
    let words = "prenez un diagnostic pour l’assistance.";
    seen(&mut ada, &format!("{words}{}", quoted("no D-Bus &lt;here&gt;"))).await;

    let refuses = RAUC
        .replace("info) echo", "info) echo 'signature verification failed: self-signed' >&2; exit 1; echo");
    let (_house, mut ada) = with_rauc(&refuses).await;
    seen(&mut ada, "ne démarre pas").await;
    let sent = ada.upload("/update", "/update/upload", &[("file", b"hsqs and so on")]).await;
    let words = "est à l’heure. Détail : « signature verification failed: self-signed »";
    assert!(sent.status == 422 && sent.has(words), "{}", sent.body);

    let fails = RAUC.replace("install) echo", "install) echo 'LastError: no room on B'; exit 1; echo");
    let (_house, mut ada) = with_rauc(&fails).await;
    seen(&mut ada, "ne démarre pas").await;
    let sent = ada.upload("/update", "/update/upload", &[("file", b"hsqs and so on")]).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let fields = [("when", "now"), ("from", ""), ("until", ""), ("password", PASSWORD)];
    ada.submit("/update", "/update/install", &fields).await;
    let words = "n’a pas pu être écrite ; la version précédente reste en service</span>";
    seen(&mut ada, &format!("{words}{}", quoted("no room on B"))).await;
}

#[tokio::test]
async fn app_2_a_box_that_cannot_update_itself_says_so_and_offers_nothing() {
    let (_house, ada) = House::with_ada().await;
    let page = ada.look("/update").await;
    assert!(page.has("does not update itself") && !page.has("<form id="), "{}", page.body);
    let (_house, mut ada) = {
        let folder: TempDir = tempfile::tempdir().unwrap();
        signed_in(House::updating(folder, Some(PathBuf::from("/nowhere/rauc"))).await).await
    };
    sees(&ada, "The program rauc is not installed on this machine").await;
    let page = ada.get("/update").await;
    assert!(!page.has("upload-form") && !page.has("install-form"), "{}", page.body);
    is_clean("/update", &page.body);
    let sent = ada.upload("/accounts", "/update/upload", &[("file", b"hsqs")]).await;
    assert_eq!(sent.status, 409, "{}", sent.body);
}
