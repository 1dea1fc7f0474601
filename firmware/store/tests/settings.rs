//! The settings file and what the store keeps of it (SET-1, APP-5).
#![allow(clippy::unwrap_used, reason = "tests")]

use ipc::{
    Callers, Language, Outcome, Preferences, RingTone, ServiceMode, SpeechPace, TextSize, Theme, Trigger,
    Volumes,
};
use store::{Secret, Settings, SettingsError, Store, StoreError};
use tempfile::TempDir;

const FILE: &str = r#"
[operator]
name = "Accueil"

[rules]
hold_alarm_s = 90

[numbers]
outside_prefix = "0"

[[accounts]]
user = "desk"
domain = "127.0.0.1"
password = "s3cret"
registrar = "127.0.0.1:5070"

[[lines]]
number = "5550100"
name = "Sales"

[[directories]]
name = "Staff"
local = true
line = "5550100"
note = "Bonjour"
"#;

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("desk.db")).unwrap();
    (folder, store)
}

fn settings() -> Settings {
    Settings::from_toml(FILE, "desk.toml").unwrap()
}

fn refused(old: &str, new: &str) -> SettingsError {
    assert!(FILE.contains(old), "{old}");
    Settings::from_toml(&FILE.replace(old, new), "desk.toml").unwrap_err()
}

#[test]
fn app_5_a_file_says_what_it_must_and_the_rest_has_defaults() {
    let settings = settings();
    assert_eq!(settings.operator.name, "Accueil");
    assert_eq!(settings.rules.hold_alarm_s, 90);
    assert_eq!(settings.rules.transfer_timeout_s, 30);
    assert_eq!(settings.accounts[0].id(), "desk");
    assert_eq!(settings.accounts[0].registrar(), "127.0.0.1:5070");
    assert_eq!(settings.accounts[0].expires_s, 600);
    assert_eq!(settings.numbers.plan().outside_prefix.as_deref(), Some("0"));
    assert_eq!(settings.numbers.intercept, None);
    assert_eq!(Settings::from_toml("", "empty.toml").unwrap(), Settings::default());
}

#[test]
fn app_5_export_then_import_gives_the_same_settings() {
    let settings = settings();
    let text = settings.to_toml(true);
    assert_eq!(Settings::from_toml(&text, "again.toml").unwrap(), settings);
    assert!(!settings.to_toml(false).contains("s3cret"));
    assert!(!format!("{settings:?}").contains("s3cret"));
    assert_eq!(Settings::from_toml(&Settings::default().to_toml(true), "x").unwrap(), Settings::default());
}

#[test]
fn pre_3_the_feature_code_of_the_exchange_has_a_place_for_the_number() {
    for code in ["**$", "*8$#", "$*8"] {
        let settings = Settings::from_toml(&format!("[numbers]\nintercept = \"{code}\""), "x").unwrap();
        assert_eq!(settings.numbers.intercept.as_deref(), Some(code));
        assert_eq!(Settings::from_toml(&settings.to_toml(true), "x").unwrap(), settings);
    }
    for code in ["", "$", "**", "**$$", "sip:$", "pick up $", "*****************$"] {
        let file = format!("[numbers]\nintercept = \"{code}\"");
        assert!(Settings::from_toml(&file, "x").is_err(), "{code:?}");
    }
}

#[test]
fn acc_3_the_operators_telephone_is_a_number_or_an_address_and_its_account_one_that_there_is() {
    let read = |operator: &str| {
        Settings::from_toml(
            &format!("[operator]\n{operator}\n[[accounts]]\nuser = \"desk\"\ndomain = \"pbx\"\n"),
            "desk.toml",
        )
    };
    for phone in ["2190", "+49301234", "sip:2190@pbx.example:5070", "sip:192.0.2.7", "sips:2190@pbx.example"]
    {
        let settings = read(&format!("phone = \"{phone}\"\nphone_account = \"desk\"")).unwrap();
        assert_eq!(settings.operator.phone.as_deref(), Some(phone));
        assert_eq!(Settings::from_toml(&settings.to_toml(true), "again").unwrap(), settings);
    }
    for phone in ["", "21 90", "2190@pbx", "sip:", "sip:21 90@pbx", "sip:2190@pbx;x", "\\u0007"] {
        let error = read(&format!("phone = \"{phone}\"")).unwrap_err().to_string();
        assert!(error.starts_with("desk.toml:2: operator phone: "), "{phone:?}: {error}");
    }
    let error = read("phone = \"2190\"\nphone_account = \"other\"").unwrap_err().to_string();
    assert_eq!(error, "desk.toml:3: operator phone_account: \"other\" is no account; there are: desk");
}

#[test]
fn an_error_names_file_line_and_what_is_allowed() {
    for (old, new, expected) in [
        (
            "hold_alarm_s = 90",
            "hold_alarm_s = 2",
            "desk.toml:6: rules hold_alarm_s: 2 is not allowed; 5 to 3600 are",
        ),
        ("hold_alarm_s", "hold_alarm", "desk.toml:6: unknown field `hold_alarm`, expected one of"),
        ("90", "\"long\"", "desk.toml:6: invalid type: string \"long\", expected u32"),
        ("[rules]", "[rules", "desk.toml:5: "),
        (
            "domain = \"127.0.0.1\"",
            "domain = \"a b\"",
            "desk.toml:13: accounts (1.) domain: \"a b\" is no host",
        ),
        ("domain = \"127.0.0.1\"", "", "desk.toml:11: missing field `domain`"),
        ("127.0.0.1:5070", "127.0.0.1:99999", "desk.toml:15: accounts (1.) registrar: "),
        ("number = \"5550100\"", "number = \"555 0100\"", "desk.toml:18: lines (1.) number: "),
        (
            "name = \"Sales\"",
            "name = \"Sales\"\naccount = \"x\"",
            "desk.toml:20: lines (1.) account: \"x\" is no account; there are: desk",
        ),
        (
            "line = \"5550100\"",
            "line = \"1\"",
            "desk.toml:24: directories (1.) line: \"1\" is no line; there are: 5550100",
        ),
        (
            "outside_prefix = \"0\"",
            "extension_min = 7",
            "desk.toml:8: numbers extension_max: 6 is not allowed; 7 to 10 are",
        ),
        (
            "outside_prefix = \"0\"",
            "intercept = \"**2102\"",
            "desk.toml:9: numbers intercept: \"**2102\" is no feature code; give digits, * and #",
        ),
        ("outside_prefix = \"0\"", "area = \"\"", "desk.toml:9: numbers area: "),
        (
            "outside_prefix = \"0\"",
            "intercept = \"$\"",
            "desk.toml:9: numbers intercept: \"$\" is no feature",
        ),
        (
            "[[lines]]",
            "[[accounts]]\nuser = \"desk\"\ndomain = \"b\"\n[[lines]]",
            "desk.toml:18: accounts (2.) user: \"desk\" names another account already",
        ),
    ] {
        let error = refused(old, new).to_string();
        assert!(error.starts_with(expected), "{error}\ninstead of\n{expected}");
    }
}

#[test]
fn hosts_are_names_and_addresses_with_and_without_port() {
    for (host, good) in [
        ("pbx.example.com", true),
        ("10.0.0.1:5060", true),
        ("[2001:db8::1]", true),
        ("[2001:db8::1]:5060", true),
        ("2001:db8::1", false),
        ("[pbx]", false),
        ("pbx:0", false),
        (":5060", false),
        ("pbx/..", false),
        ("", false),
    ] {
        let text = FILE.replace("127.0.0.1:5070", host);
        assert_eq!(Settings::from_toml(&text, "x").is_ok(), good, "{host}");
    }
}

#[test]
fn set_1_saved_settings_come_back_and_directories_keep_their_contacts() {
    let (folder, mut store) = open();
    assert_eq!(store.load_settings().unwrap(), Settings::default());
    let mut wanted = settings();
    store.save_settings(&wanted).unwrap();
    let (directories, _) = store.load_catalogue().unwrap();
    assert_eq!((directories[0].name.as_str(), directories[0].line.as_deref()), ("Staff", Some("5550100")));
    let contact = directory::Contact { last_name: "A".into(), ..Default::default() };
    store.add_contacts(directories[0].id, &[contact]).unwrap();
    wanted.directories[0].note = "Good morning".into();
    store.save_settings(&wanted).unwrap();
    drop(store);
    let store = Store::open(folder.path().join("desk.db")).unwrap();
    assert_eq!(store.load_settings().unwrap(), wanted);
    let (directories, contacts) = store.load_catalogue().unwrap();
    assert_eq!((directories.len(), contacts.len()), (1, 1));
}

#[test]
fn app_2_app_5_the_time_zone_is_read_written_kept_and_known_before_the_store_is_opened() {
    let tokyo = Settings::from_toml("[clock]\ntime_zone = \"Asia/Tokyo\"\n", "desk.toml").unwrap();
    assert_eq!(tokyo.clock.time_zone, "Asia/Tokyo");
    assert_eq!(Settings::from_toml(&tokyo.to_toml(true), "again").unwrap(), tokyo);
    assert!(
        Settings::default().to_toml(true).contains("[clock]\ntime_zone = \"\"\n"),
        "a file says that there is one"
    );
    let (folder, mut store) = open();
    let path = folder.path().join("desk.db");
    assert_eq!(store::time_zone(&folder.path().join("nothing.db")).unwrap(), "");
    assert!(!folder.path().join("nothing.db").exists(), "nothing is made");
    assert_eq!(store::time_zone(&path).unwrap(), "", "none is set");
    store.save_settings(&tokyo).unwrap();
    assert_eq!(store.load_settings().unwrap(), tokyo);
    assert_eq!(store::time_zone(&path).unwrap(), "Asia/Tokyo", "while the store is open");
    drop(store);
    assert_eq!(store::time_zone(&path).unwrap(), "Asia/Tokyo");
    std::fs::write(folder.path().join("broken.db"), "no database").unwrap();
    assert!(store::time_zone(&folder.path().join("broken.db")).is_err());

    // A program of before, to which a box goes back when an update is not well, refuses settings with a table that it does not
    // know.
    let mut store = Store::open(&path).unwrap();
    let body = || -> serde_json::Value {
        let db = rusqlite::Connection::open(&path).unwrap();
        let sql = "SELECT body FROM document WHERE name = 'settings'";
        serde_json::from_str(&db.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()).unwrap()
    };
    let tables = body();
    assert!(tables.get("operator").is_some() && tables.get("clock").is_none(), "{tables}");
    store.save_settings(&Settings::default()).unwrap();
    assert_eq!(store::time_zone(&path).unwrap(), "", "taken away again");
}

#[test]
fn app_2_app_5_a_zone_that_this_machine_does_not_know_is_refused_with_its_line() {
    for name in ["Europe/Atlantis", "europe/paris", "../../etc/passwd", "/etc/localtime", "UTC+1", " "] {
        let text = format!("[clock]\ntime_zone = {name:?}\n");
        let error = Settings::from_toml(&text, "desk.toml").unwrap_err();
        let said = error.to_string();
        let expected =
            format!("desk.toml:2: clock time_zone: {name:?} is no time zone that this machine knows; ");
        assert!(said.starts_with(&expected), "{said}");
        assert_eq!(error.refusal.unwrap().why, store::Why::TimeZone);
        let (_folder, mut store) = open();
        let wanted = Settings { clock: store::Clock { time_zone: name.into() }, ..Settings::default() };
        assert!(store.save_settings(&wanted).is_err());
        assert_eq!(store.load_settings().unwrap(), Settings::default());
    }
}

#[test]
fn settings_without_passwords_keep_those_that_are_known() {
    let (_folder, mut store) = open();
    store.save_settings(&settings()).unwrap();
    let exported = store.load_settings().unwrap().to_toml(false);
    let again = Settings::from_toml(&exported, "x").unwrap();
    store.save_settings(&again).unwrap();
    assert_eq!(store.load_settings().unwrap().accounts[0].password, Secret::new("s3cret"));
    let others: [fn(&mut store::Account); 4] = [
        |account| account.user = "other".into(),
        |account| account.domain = "evil.example".into(),
        |account| account.registrar = Some("evil.example".into()),
        |account| account.outbound_proxy = Some("evil.example".into()),
    ];
    for change in others {
        store.save_settings(&settings()).unwrap();
        let mut other = again.clone();
        change(&mut other.accounts[0]);
        store.save_settings(&other).unwrap();
        let kept = store.load_settings().unwrap().accounts.remove(0);
        assert!(kept.password.is_empty(), "another user or machine, another password: {kept:?}");
    }
}

const XMPP: &str = r#"
[xmpp]
address = "desk@example.com"
password = "s3cret"
server = "chat.example.com:5222"
ca = "/etc/frontdesk/ca.pem"
"#;

#[test]
fn pre_5_the_account_that_sees_who_is_online_is_read_written_and_kept() {
    let settings = Settings::from_toml(XMPP, "desk.toml").unwrap();
    let xmpp = settings.xmpp.as_ref().unwrap();
    assert_eq!(xmpp.address, "desk@example.com");
    assert_eq!(
        (xmpp.server.as_deref(), xmpp.ca.as_deref()),
        (Some("chat.example.com:5222"), Some("/etc/frontdesk/ca.pem"))
    );
    assert_eq!(Settings::from_toml(&settings.to_toml(true), "again").unwrap(), settings);
    assert!(!settings.to_toml(false).contains("s3cret") && !format!("{settings:?}").contains("s3cret"));
    assert_eq!(Settings::from_toml("", "none").unwrap().xmpp, None);
    let (_folder, mut store) = open();
    store.save_settings(&settings).unwrap();
    assert_eq!(store.load_settings().unwrap(), settings);
    // Brought back without passwords, it keeps the one it has; another account does not.
    let mut again = Settings::from_toml(&settings.to_toml(false), "again").unwrap();
    store.save_settings(&again).unwrap();
    assert_eq!(store.load_settings().unwrap(), settings);
    again.xmpp.as_mut().unwrap().address = "other@example.com".into();
    store.save_settings(&again).unwrap();
    assert!(store.load_settings().unwrap().xmpp.unwrap().password.is_empty());
    store.save_settings(&Settings::default()).unwrap();
    assert_eq!(store.load_settings().unwrap().xmpp, None);
}

#[test]
fn pre_5_an_account_that_cannot_be_is_refused_with_its_line() {
    for (old, new, says) in [
        ("desk@example.com", "desk", ":3: xmpp address: \"desk\" is no address; give user@domain"),
        ("desk@example.com", "@example.com", ":3: xmpp address: "),
        ("desk@example.com", "desk@example.com/front", ":3: xmpp address: "),
        ("desk@example.com", "desk@example.com:5222", ":3: xmpp address: \"example.com:5222\" is no domain"),
        ("desk@example.com", "a b@example.com", ":3: xmpp address: "),
        ("chat.example.com:5222", "chat.example.com:0", ":5: xmpp server: "),
        ("/etc/frontdesk/ca.pem", "ca.pem", ":6: xmpp ca: \"ca.pem\" is no whole path"),
        ("/etc/frontdesk/ca.pem", "", ":6: xmpp ca: "),
        ("server =", "host =", ":5: unknown field `host`"),
        ("address = \"desk@example.com\"", "", ":2: missing field `address`"),
    ] {
        assert!(XMPP.contains(old), "{old}");
        let error = Settings::from_toml(&XMPP.replace(old, new), "desk.toml").unwrap_err().to_string();
        assert!(error.starts_with(&format!("desk.toml{says}")), "{error}\ninstead of\n{says}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn settings_that_are_not_allowed_are_not_saved() {
    let (_folder, mut store) = open();
    let mut wanted = settings();
    wanted.rules.max_calls = 0;
    let error = store.save_settings(&wanted).unwrap_err();
    assert!(matches!(error, StoreError::Settings(_)));
    assert_eq!(error.to_string(), "settings: rules max_calls: 0 is not allowed; 1 to 500 are");
    assert_eq!(store.load_settings().unwrap(), Settings::default());
}

#[test]
fn preferences_are_kept_and_the_hold_alarm_follows_the_settings() {
    let (folder, mut store) = open();
    assert_eq!(store.load_preferences(0).unwrap(), Preferences::default());
    let shortcuts = [("night".to_owned(), vec!["F9".to_owned()])].into();
    let wanted = Preferences {
        language: Language::French,
        theme: Theme::Contrast,
        hold_alarm_ms: 1,
        lock_after_min: 5,
        shortcuts,
        text_size: TextSize::Large,
        calm: true,
        speech: true,
        pace: SpeechPace::Fastest,
    };
    store.save_preferences(0, &wanted).unwrap();
    store.save_settings(&settings()).unwrap();
    drop(store);
    let store = Store::open(folder.path().join("desk.db")).unwrap();
    assert_eq!(store.load_preferences(0).unwrap(), Preferences { hold_alarm_ms: 90_000, ..wanted });
}

const HANDLING: &str = r#"
[timers]
undo_ms = 0

[timetable]
open = [{ days = ["monday", "friday"], from = "08:30", until = "18:00" }]
holidays = ["12-25", "2027-05-01"]

[[lines]]
number = "5550100"
name = "Sales"
note = "Northwind sales, good morning"
colour = 3
ring = "chime"
crm = "https://crm.example/?q=$"

[crm]
url = "http://intranet/$"

[[park]]
number = "701"

[[handling]]
name = "Night service"
when = "arrives"
modes = ["night", "holiday"]
then = { voicemail = { to = "2199" } }

[[handling]]
name = "Nobody answers"
when = { unanswered = { seconds = 20 } }
who = "external"
line = "5550100"
then = "answer_and_hold"
"#;

#[test]
fn ovf_1_rules_timers_park_slots_and_opening_hours_are_read_and_written() {
    let settings = Settings::from_toml(HANDLING, "desk.toml").unwrap();
    assert_eq!((settings.timers.undo_ms, settings.timers.hold_ms), (0, 180_000));
    assert_eq!(settings.handling[0].modes, [ServiceMode::Night, ServiceMode::Holiday]);
    assert_eq!(settings.handling[0].then, Outcome::Voicemail { to: "2199".into() });
    assert_eq!(settings.handling[1].when, Trigger::Unanswered { seconds: 20 });
    assert_eq!(settings.handling[1].who, Callers::External);
    assert_eq!(settings.park[0].number, "701");
    let line = &settings.lines[0];
    assert_eq!((line.ring, line.crm.as_deref()), (RingTone::Chime, Some("https://crm.example/?q=$")));
    assert_eq!(settings.crm.url.as_deref(), Some("http://intranet/$"));
    assert_eq!(settings.timetable.open[0].days.len(), 2);
    assert_eq!(Settings::from_toml(&settings.to_toml(true), "again").unwrap(), settings);
    let (_folder, mut store) = open();
    store.save_settings(&settings).unwrap();
    assert_eq!(store.load_settings().unwrap(), settings);
}

#[test]
fn ovf_1_handling_that_cannot_work_is_refused_with_its_line() {
    let cases = [
        ("undo_ms = 0", "undo_ms = 60001", "0 to 60000"),
        ("seconds = 20", "seconds = 0", "1 to 600"),
        ("line = \"5550100\"", "line = \"1\"", "is no line"),
        ("to = \"2199\"", "to = \"5550100\"", "its own line"),
        ("to = \"2199\"", "to = \"\"", "bytes"),
        ("when = \"arrives\"", "when = { recall_unanswered = { seconds = 9 } }\nwho = \"nobody\"", "nobody"),
        ("\"08:30\"", "\"19:30\"", "in this order"),
        ("\"12-25\"", "\"25.12.\"", "12-25"),
        ("number = \"701\"", "number = \"7 1\"", "white space"),
        ("colour = 3", "colour = 8", "0 to 7"),
        ("ring = \"chime\"", "ring = \"loud\"", "`bell`, `chime`"),
        ("https://crm.example/?q=$", "crm.example/?q=$", "http:// or https://"),
        ("http://intranet/$", "https://?q=$", "no address"),
    ];
    for (old, new, says) in cases {
        assert!(HANDLING.contains(old), "{old}");
        let error = Settings::from_toml(&HANDLING.replace(old, new), "desk.toml").unwrap_err();
        assert!(error.message.contains(says), "{new}: {error}");
        assert!(error.line.is_some(), "{new}: {error}");
    }
}

#[test]
fn bar_2_loudness_and_the_mode_chosen_by_hand_are_kept() {
    let (folder, mut store) = open();
    assert_eq!((store.load_volumes().unwrap(), store.load_service().unwrap()), (Volumes::default(), None));
    let volumes = Volumes { output: 10, output_muted: true, ..Volumes::default() };
    store.save_volumes(&volumes).unwrap();
    store.save_service(Some(ServiceMode::Night)).unwrap();
    drop(store);
    let mut store = Store::open(folder.path().join("desk.db")).unwrap();
    assert_eq!(
        (store.load_volumes().unwrap(), store.load_service().unwrap()),
        (volumes, Some(ServiceMode::Night))
    );
    store.save_service(None).unwrap();
    assert_eq!(store.load_service().unwrap(), None);
}
