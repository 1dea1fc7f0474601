//! Power cuts, full disks, wrong and damaged files (APP-4).
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use directory::Contact;
use ipc::{Direction, EndStatus, LogQuery, LogRow, Party};
use rusqlite::Connection;
use store::{Store, StoreError};

/// Set in the child process that writes until it is killed.
const VICTIM: &str = "STORE_TEST_VICTIM";

fn call() -> LogRow {
    LogRow {
        id: 0,
        direction: Direction::Incoming,
        party: Party { name: Some("A".repeat(200)), ..Party::default() },
        line_number: "5550100".into(),
        line_name: "Sales".into(),
        began_unix_ms: 1,
        answered_after_ms: None,
        talk_ms: 0,
        hold_ms: 0,
        end: EndStatus::Missed,
        transfers: Vec::new(),
        rules: Vec::new(),
        customer: None,
        call: None,
        sound: None,
        mark: ipc::LogMark::None,
    }
}

fn logged(store: &Store) -> u32 {
    let all = LogQuery {
        from_unix_ms: 0,
        until_unix_ms: i64::MAX,
        text: String::new(),
        limit: 1,
        ..LogQuery::default()
    };
    store.log_page(&all).unwrap().total
}

/// The child: logs calls and adds contacts, and says the row of each call once the store has.
fn write_until_killed(path: &Path) -> ! {
    let mut store = Store::open(path).unwrap();
    let staff = store.add_directory("Staff", true).unwrap().id;
    loop {
        let row = store.append_call(&call()).unwrap();
        let pair = ["x", "y"].map(|name| Contact { last_name: format!("{name}{row}"), ..Contact::default() });
        store.add_contacts(staff, &pair).unwrap();
        println!("kept {row}");
        std::io::stdout().flush().unwrap();
    }
}

#[test]
fn app_4_a_kill_in_the_midst_of_writing_loses_nothing_that_was_kept() {
    if let Some(path) = std::env::var_os(VICTIM) {
        write_until_killed(Path::new(&path));
    }
    for round in [1_i64, 7, 40] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "app_4_a_kill_in_the_midst_of_writing_loses_nothing_that_was_kept",
                "--exact",
                "--nocapture",
            ])
            .env(VICTIM, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let kept = |line: String| line.split("kept ").nth(1)?.parse::<i64>().ok();
        let mut last = lines.by_ref().filter_map(kept).find(|row| *row >= round).unwrap();
        // SIGKILL: no destructor, no flush, most likely within a transaction.
        child.kill().unwrap();
        child.wait().unwrap();
        last = lines.filter_map(kept).fold(last, i64::max);
        let store = Store::open(&path).unwrap();
        let calls = i64::from(logged(&store));
        assert!(calls >= last, "{last} calls were kept, {calls} are there");
        let contacts = store.load_catalogue().unwrap().1.len();
        assert_eq!(contacts % 2, 0, "half a transaction is there");
        assert!(contacts as i64 >= 2 * last, "contacts were lost");
        let whole: String = Connection::open(&path)
            .unwrap()
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(whole, "ok");
    }
}

#[test]
fn another_reader_sees_a_row_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    let mut store = Store::open(&path).unwrap();
    store.append_call(&call()).unwrap();
    // Another reader sees the row in the write-ahead log while the writer is open.
    let other = Connection::open(&path).unwrap();
    assert_eq!(other.query_row("SELECT count(*) FROM call", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    assert_eq!(other.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0)).unwrap(), "wal");
}

#[test]
fn a_damaged_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    fs::write(&path, "this is not a database, it is a letter to the editor".repeat(100)).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::NotADatabase { .. }), "{error:?}");
    assert!(error.to_string().contains("desk.db: is not a database"), "{error}");
}

#[test]
fn damage_within_the_file_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    let mut store = Store::open(&path).unwrap();
    for _ in 0..200 {
        store.append_call(&call()).unwrap();
    }
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    // Everything after the first page, which says what tables there are.
    bytes[4096..].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let all =
        LogQuery { from_unix_ms: 0, until_unix_ms: 9, text: "a".into(), limit: 9, ..LogQuery::default() };
    let error = Store::open(&path).and_then(|store| store.log_page(&all)).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains("desk.db: is damaged"), "{error}");
}

#[test]
fn a_newer_schema_and_another_program_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    drop(Store::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error:?}");
    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE recipe (name TEXT)").unwrap();
    assert!(matches!(Store::open(&other).unwrap_err(), StoreError::Foreign { .. }));
    let tables: i64 = Connection::open(&other)
        .unwrap()
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 1);
}

#[test]
fn app_4_what_is_written_stays_when_another_program_looked_into_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    // As the desk and the administrator's page: two in one process.
    let (mut desk, page) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    desk.add_directory("Before", true).unwrap();
    let count = || {
        let query = "SELECT count(*) FROM directory";
        let looked = Command::new("sqlite3").arg(&path).arg(query).output();
        let looked = looked.expect("sqlite3 is installed (package sqlite3)");
        assert!(looked.status.success(), "{looked:?}");
        String::from_utf8(looked.stdout).unwrap()
    };
    assert_eq!(count(), "1\n");
    desk.add_directory("After", true).unwrap();
    assert_eq!(count(), "2\n", "the other program ended, and took nothing with it");
    drop((desk, page));
    assert_eq!(Store::open(&path).unwrap().load_catalogue().unwrap().0.len(), 2);
}

#[test]
fn a_path_that_cannot_be_opened_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("missing/desk.db")] {
        assert!(matches!(Store::open(&path).unwrap_err(), StoreError::Open { .. }));
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    let mut store = Store::open(&path).unwrap();
    store.append_call(&call()).unwrap();
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{file:?}");
    }
}

#[test]
fn two_processes_may_write_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    let mut one = Store::open(&path).unwrap();
    let mut other = Store::open(&path).unwrap();
    one.append_call(&call()).unwrap();
    other.append_call(&call()).unwrap();
    assert_eq!(logged(&one), 2);
}
