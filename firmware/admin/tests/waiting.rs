//! What callers hear who wait, on the administrator's page: uploaded, listened to, removed; what is refused changes nothing.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::{fs, path::Path};

use house::{Browser, House, PASSWORD, clean::is_clean};
use hyper::Method;
use serde_json::{Value, json};
use store::{Line, Settings, Store};

const UPLOAD: &str = "/sound/waiting/upload";
const REMOVE: &str = "/sound/waiting/remove";
const FILE: &str = "/sound/waiting/file?heard=music";

/// The files of the folder, those with notes left out.
fn files(house: &House) -> Vec<String> {
    let Ok(entries) = fs::read_dir(house.folder.path().join("sounds")) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| Path::new(name).extension().is_none_or(|ending| ending != "json")).collect()
}

#[tokio::test]
async fn app_2_ovf_1_music_and_announcement_are_uploaded_heard_of_and_removed() {
    let (house, mut ada) = House::with_ada().await;
    let page = ada.get("/sound").await;
    is_clean("/sound", &page.body);
    assert!(page.has("Soft pips") && page.has("at most ten minutes and 64 MiB"), "{}", page.body);
    let first = b"RIFF and a melody".as_slice();
    let answer = ada.upload_with("/sound", UPLOAD, &[("heard", "music")], first).await;
    assert_eq!((answer.status, answer.to.as_deref()), (303, Some("/sound")), "{}", answer.body);
    assert_eq!(house.desk.lock().unwrap().heard, ["examine"]);
    let heard = house.saved.borrow().waiting.music.clone().unwrap();
    assert_eq!(fs::read(&heard).unwrap(), first);
    let page = ada.get("/sound").await;
    is_clean("/sound", &page.body);
    // The name without the folders that the browser said; length and loudness as the desk said.
    for words in
        ["<td role=\"cell\" data-label=\"Sound\">file</td>", "1 min", "-21 dBFS, peaks -6 dBFS", "good"]
    {
        assert!(page.has(words), "{words}: {}", page.body);
    }
    let listened = ada.get("/sound/waiting/file?heard=music").await;
    assert_eq!((listened.status, listened.bytes.as_slice()), (200, first));
    assert_eq!(listened.headers.get("content-type").unwrap(), "audio/wav");
    // Another one in its place: another path, and the old file is gone.
    let second = b"RIFF and another melody".as_slice();
    assert_eq!(ada.upload_with("/sound", UPLOAD, &[("heard", "music")], second).await.status, 303);
    let next = house.saved.borrow().waiting.music.clone().unwrap();
    assert_ne!(next, heard);
    assert_eq!((files(&house).len(), fs::read(&next).unwrap().as_slice()), (1, second));
    let message = b"RIFF please wait".as_slice();
    assert_eq!(ada.upload_with("/sound", UPLOAD, &[("heard", "announcement")], message).await.status, 303);
    let message = house.saved.borrow().waiting.announcement.clone().unwrap();
    assert!(Path::new(&message).exists() && files(&house).len() == 2);
    // Away with the music: the message stays.
    assert_eq!(ada.submit("/sound", REMOVE, &[("heard", "music")]).await.status, 303);
    let waiting = house.saved.borrow().waiting.clone();
    assert_eq!((waiting.music, waiting.announcement), (None, Some(message)));
    assert_eq!((files(&house).len(), ada.get("/sound/waiting/file?heard=music").await.status), (1, 404));
    let audit = ada.get("/audit").await;
    assert!(audit.has("music, a sound file was uploaded") && audit.has("music, the sound file was removed"));
}

#[tokio::test]
async fn app_2_a_sound_is_opened_by_the_browser_s_own_player_whole_or_in_parts() {
    let (_house, mut ada) = House::with_ada().await;
    let sound = b"RIFF and a melody".as_slice();
    assert_eq!(ada.upload_with("/sound", UPLOAD, &[("heard", "music")], sound).await.status, 303);
    for (language, listen) in [("en", "Listen"), ("fr", "Écouter")] {
        ada.language = language;
        let page = ada.get("/sound").await;
        let link = format!("<a href=\"{FILE}\" aria-label=\"{listen} file\">{listen}</a>");
        assert!(page.has(&link) && !page.has("<audio"), "{}", page.body);
    }
    let said = |answer: &house::browser::Answer, name: &str| {
        answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    let whole = ada.get(FILE).await;
    assert_eq!((whole.status, whole.bytes.as_slice()), (200, sound));
    for (name, value) in [
        ("content-type", "audio/wav"),
        ("content-length", "17"),
        ("accept-ranges", "bytes"),
        ("content-disposition", "inline; filename=\"sound.wav\""),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(said(&whole, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(said(&whole, "content-range"), None);
    assert!(said(&whole, "content-security-policy").unwrap().contains("media-src 'self'"));
    for (range, bytes, told) in [
        ("bytes=0-1", b"RI".as_slice(), "bytes 0-1/17"),
        ("bytes=9-", b"a melody".as_slice(), "bytes 9-16/17"),
        ("bytes=-6", b"melody".as_slice(), "bytes 11-16/17"),
    ] {
        ada.range = Some(range);
        let part = ada.get(FILE).await;
        assert_eq!((part.status, part.bytes.as_slice()), (206, bytes), "{range}");
        assert_eq!(said(&part, "content-range").as_deref(), Some(told));
        assert_eq!(said(&part, "content-length"), Some(bytes.len().to_string()));
        assert_eq!(said(&part, "content-type").as_deref(), Some("audio/wav"));
    }
    ada.range = Some("bytes=17-");
    let beyond = ada.get(FILE).await;
    assert_eq!((beyond.status, beyond.bytes.len()), (416, 0));
    assert_eq!(said(&beyond, "content-range").as_deref(), Some("bytes */17"));
}

#[tokio::test]
async fn app_2_what_is_no_sound_is_refused_in_words_and_changes_nothing() {
    let (house, mut ada) = House::with_ada().await;
    assert_eq!(ada.upload_with("/sound", UPLOAD, &[("heard", "music")], b"RIFF a melody").await.status, 303);
    let before = house.saved.borrow().as_ref().clone();
    let kept = files(&house);
    ada.language = "fr";
    let answer = ada.upload_with("/sound", UPLOAD, &[("heard", "music")], b"MZ a program").await;
    assert_eq!(answer.status, 422);
    assert!(answer.has("ni un fichier WAV ni un fichier Opus"), "{}", answer.body);
    ada.language = "en";
    let answer = ada.upload_with("/sound", UPLOAD, &[("heard", "music")], b"").await;
    assert!(answer.status == 422 && answer.has("it is empty"), "{}", answer.body);
    // 500 MB are refused before they come.
    assert_eq!(ada.announce(UPLOAD, 500_000_000).await, "HTTP/1.1 413");
    assert!(ada.get("/sound").await.has("larger than 64 MiB"), "the next page says it too");
    for place in ["", "everything", "line 4711"] {
        let answer = ada.upload_with("/sound", UPLOAD, &[("heard", place)], b"RIFF a melody").await;
        assert_eq!(answer.status, 422, "{place}");
    }
    // Without the token of this session, and from another site.
    let stolen = ada.upload_as("stolen", UPLOAD, &[("heard", b"music"), ("file", b"RIFF")]).await;
    assert_eq!(stolen.status, 403);
    let mut elsewhere = ada.thief();
    elsewhere.site = Some("cross-site");
    let answer = elsewhere.upload_with("/sound", UPLOAD, &[("heard", "music")], b"RIFF a melody").await;
    assert_eq!(answer.status, 403);
    assert_eq!((house.saved.borrow().as_ref(), files(&house)), (&before, kept));
}

#[tokio::test]
async fn app_2_ten_1_a_line_has_its_own_and_a_file_elsewhere_is_neither_sent_nor_removed() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.wav");
    fs::write(&secret, b"RIFF nobody's").unwrap();
    let line = |number: &str, music: Option<&Path>| Line {
        number: number.into(),
        name: format!("House {number}"),
        music: music.map(|path| path.to_str().unwrap().to_owned()),
        ..Line::default()
    };
    let settings =
        Settings { lines: vec![line("1", None), line("2", Some(secret.as_path()))], ..Settings::default() };
    Store::open(folder.path().join("desk.db")).unwrap().save_settings(&settings).unwrap();
    let house = House::beside(folder).await;
    let mut ada = house.browser();
    ada.set_up(&house.code(), "Ada", PASSWORD).await;
    let page = ada.get("/sound").await;
    is_clean("/sound", &page.body);
    assert!(page.has("Music on hold of House 2 (2)") && page.has(secret.to_str().unwrap()));
    assert_eq!(ada.get("/sound/waiting/file?heard=line+2").await.status, 404);
    let answer = ada.upload_with("/sound", UPLOAD, &[("heard", "line 1")], b"RIFF a melody").await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let lines = house.saved.borrow().lines.clone();
    assert_eq!(fs::read(lines[0].music.as_ref().unwrap()).unwrap(), b"RIFF a melody");
    assert_eq!(lines[1], settings.lines[1]);
    assert_eq!(ada.get("/sound/waiting/file?heard=line+1").await.bytes, b"RIFF a melody");
    // A file of somebody else's is not heard any more, and stays where it is.
    assert_eq!(ada.submit("/sound", REMOVE, &[("heard", "line 2")]).await.status, 303);
    assert_eq!(house.saved.borrow().lines[1].music, None);
    assert!(secret.exists() && files(&house).len() == 1);
    // Who only reads listens, and changes nothing.
    let fields =
        [("name", "Sue"), ("role", "supervisor"), ("password", "another horse"), ("your-password", PASSWORD)];
    assert_eq!(ada.submit("/accounts", "/accounts", &fields).await.status, 303);
    let mut sue = house.browser();
    assert_eq!(sue.sign_in("Sue", "another horse").await.status, 303);
    let page = sue.get("/sound").await;
    assert!(page.has("Download file") && !page.has("waiting-file") && !page.has(REMOVE), "{}", page.body);
    assert_eq!(sue.get("/sound/waiting/file?heard=line+1").await.status, 200);
    let answer = sue.upload_with("/account", UPLOAD, &[("heard", "line 1")], b"RIFF other").await;
    assert_eq!(answer.status, 403);
    assert_eq!(sue.submit("/account", REMOVE, &[("heard", "line 1")]).await.status, 403);
    let mut nobody = house.browser();
    assert_eq!(nobody.get("/sound/waiting/file?heard=line+1").await.status, 303);
    assert!(house.saved.borrow().lines[0].music.is_some());
}

#[tokio::test]
async fn app_2_a_program_uploads_and_removes_what_callers_hear_who_wait() {
    let (house, mut ada) = House::with_ada().await;
    let fields = [("token-name", "music"), ("scope", "write"), ("token-your-password", PASSWORD)];
    let shown = ada.submit("/accounts", "/tokens", &fields).await;
    let token = shown.between("<code id=\"token\">", "</code>").unwrap();
    let mut program = Browser { bearer: Some(token), site: None, ..house.browser() };
    let standing = program.get("/api/v1/sounds").await.json();
    assert_eq!((&standing[0]["key"], &standing[0]["path"]), (&json!("music"), &Value::Null));
    let kind = Some("application/octet-stream");
    let path = "/api/v1/sounds/announcement";
    let refused = program.send(Method::POST, path, kind, b"no sound".to_vec()).await;
    assert_eq!((refused.status, house.saved.borrow().waiting.announcement.clone()), (422, None));
    let named = format!("{path}?name=please%20wait.wav");
    let taken = program.send(Method::POST, &named, kind, b"RIFF please wait".to_vec()).await;
    assert_eq!(taken.status, 201, "{}", taken.body);
    let told = taken.json();
    assert_eq!((&told["name"], &told["length_ms"]), (&json!("please wait.wav"), &json!(61_000)));
    let heard = house.saved.borrow().waiting.announcement.clone().unwrap();
    assert_eq!(
        (&told["path"], fs::read(&heard).unwrap().as_slice()),
        (&json!(heard), &b"RIFF please wait"[..])
    );
    assert_eq!(program.get("/api/v1/sounds").await.json()[1], told);
    // As after a backup was brought back on another box.
    fs::remove_file(&heard).unwrap();
    assert_eq!(program.get("/api/v1/sounds").await.json()[1]["lost"], json!(true));
    assert!(ada.get("/sound").await.has("not on the box any more"));
    assert_eq!(program.send(Method::DELETE, path, None, Vec::new()).await.status, 204);
    assert_eq!(house.saved.borrow().waiting.announcement, None);
    assert_eq!(fs::read_dir(house.folder.path().join("sounds")).unwrap().count(), 0);
    let unknown = program.send(Method::POST, "/api/v1/sounds/line%2099", kind, b"RIFF".to_vec()).await;
    assert_eq!(unknown.status, 404);
}
