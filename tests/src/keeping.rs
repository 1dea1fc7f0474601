//! What an administrator keeps and looks at: backups and diagnostics downloaded with a browser, a backup uploaded, and
//! a log that has something in it.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ipc::{Direction, EndStatus, LogRow, Party};
use serde_json::json;
use store::Store;

use crate::chromium::Chromium;
use crate::office::SECRET;

/// The passphrase of every backup of the tests.
pub const PASSPHRASE: &str = "seven herons by the lake";

/// Fills in the form with this id and takes the file that the box answers with, as the browser would store it.
///
/// # Panics
/// When the box answers with anything else.
#[must_use]
#[track_caller]
pub fn download(browser: &mut Chromium, form: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let script = format!(
        "(async () => {{ const form = document.getElementById({});
         for (const [id, text] of {}) {{ form.querySelector('#' + id).value = text; }}
         const answer = await fetch(form.action, {{ method: 'POST', body: new URLSearchParams(new FormData(form)) }});
         if (!answer.ok || !answer.headers.get('content-disposition')) {{
           return {{ failed: answer.status + ' ' + await answer.text() }};
         }}
         const bytes = new Uint8Array(await answer.arrayBuffer());
         let text = '';
         for (let n = 0; n < bytes.length; n += 8192) {{
           text += String.fromCharCode(...bytes.subarray(n, n + 8192));
         }}
         return {{ base64: btoa(text) }}; }})()",
        json!(form),
        json!(fields)
    );
    let told = browser.evaluate(&script);
    let base64 = told["base64"].as_str().unwrap_or_else(|| panic!("no file came of {form}: {told}"));
    STANDARD.decode(base64).expect("btoa writes base64")
}

/// Makes a backup on the page of backups, which is open.
///
/// # Panics
/// When none comes of it.
#[must_use]
#[track_caller]
pub fn backup(browser: &mut Chromium) -> Vec<u8> {
    let fields = [("passphrase", PASSPHRASE), ("passphrase-again", PASSPHRASE), ("password", SECRET)];
    download(browser, "make-form", &fields)
}

/// Uploads a backup on the page of backups, which is open.
///
/// # Panics
/// When it cannot be sent; what the page says then is not looked at.
#[track_caller]
pub fn upload_backup(browser: &mut Chromium, folder: &Path, file: &[u8], passphrase: &str) {
    let path = folder.join("sent.fdbackup");
    fs::write(&path, file).expect("the scratch folder is writable");
    for (id, text) in [("restore-password", SECRET), ("restore-passphrase", passphrase)] {
        browser.evaluate(&format!("document.getElementById({}).value = {}; null", json!(id), json!(text)));
    }
    browser.choose_file("Backup file", &path);
}

/// Logs the calls of an ordinary week, in the past so many milliseconds before `now`: 40 an hour from eight to six.
///
/// # Panics
/// When the database is not there.
pub fn log_a_week(store: &Path, now_ms: i64) {
    const HOUR: i64 = 3_600_000;
    let mut store = Store::open(store).expect("the desk has made its database");
    for n in 0..800_i64 {
        let (day, rest) = (n / 160, n % 160);
        let hour = 8 + rest / 16;
        let began =
            now_ms - now_ms.rem_euclid(24 * HOUR) - day * 24 * HOUR + hour * HOUR + rest % 16 * 200_000;
        let (direction, end, answered) = match n % 7 {
            0 => (Direction::Incoming, EndStatus::Missed, None),
            1 | 2 => (Direction::Incoming, EndStatus::Transferred, Some(3_000 + n as u64 * 40)),
            3 => (Direction::Outgoing, EndStatus::Completed, Some(6_000)),
            4 => (Direction::Outgoing, EndStatus::NotAnswered, None),
            _ => (Direction::Incoming, EndStatus::Completed, Some(2_000 + n as u64 * 25)),
        };
        let (number, name) = if n % 3 == 0 { ("5550101", "Support") } else { ("5550100", "Sales") };
        let row = LogRow {
            id: 0,
            direction,
            party: Party { number: Some(format!("07912{n:05}")), ..Party::default() },
            line_number: number.into(),
            line_name: name.into(),
            began_unix_ms: began,
            answered_after_ms: answered,
            talk_ms: if answered.is_some() { 30_000 + n as u64 * 250 } else { 0 },
            hold_ms: if n % 5 == 0 && answered.is_some() { 12_000 } else { 0 },
            end,
            transfers: Vec::new(),
            rules: Vec::new(),
            customer: None,
            call: None,
            sound: None,
            mark: ipc::LogMark::None,
        };
        store.append_call(&row).expect("the disk has room");
    }
}
