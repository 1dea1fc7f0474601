//! Backups made, spoilt, read, and put in place.

use std::{fs, path::PathBuf};

use ipc::{Direction, EndStatus, LogRow, Party};
use store::{Settings, Store};

use super::{seal::Sealer, *};

const PASSPHRASE: &str = "seven herons by the lake";

struct Box {
    folder: tempfile::TempDir,
}

impl Box {
    /// A box with one line of this name and one call in its log.
    fn new(name: &str) -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(made.state()).unwrap();
        let mut store = Store::open(made.db()).unwrap();
        let settings = format!(
            "[[accounts]]\nuser = \"desk\"\ndomain = \"pbx.example\"\npassword = \"hunter2-hunter2\"\n\
             [[lines]]\nnumber = \"5550100\"\nname = \"{name}\"\n"
        );
        let settings = Settings::from_toml(&settings, "").unwrap();
        store.save_settings(&settings).unwrap();
        let row = LogRow {
            id: 0,
            direction: Direction::Incoming,
            party: Party::default(),
            line_number: "5550100".into(),
            line_name: name.into(),
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
        };
        store.append_call(&row).unwrap();
        made
    }

    fn db(&self) -> PathBuf {
        self.folder.path().join("desk.db")
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("admin")
    }

    fn sound(&self, name: &str) -> PathBuf {
        self.folder.path().join("sounds").join(name)
    }

    fn backup(&self) -> Vec<u8> {
        let prepared = Prepared::new(&self.db(), &self.state(), "1.2.3", "desk-1").unwrap();
        let (length, mut file) = (prepared.length(), Vec::new());
        prepared.write(PASSPHRASE, &mut file).unwrap();
        assert_eq!(length, file.len() as u64);
        file
    }

    fn stage(&self, file: &[u8], passphrase: &str) -> Result<Waiting, RestoreProblem> {
        stage(&self.db(), file, passphrase, Origin { who: "Ada".into(), from: "192.0.2.1".into() })
    }

    fn line(&self) -> String {
        Store::open(self.db()).unwrap().load_settings().unwrap().lines[0].name.clone()
    }

    fn apply(&self) -> Applied {
        apply_waiting(&self.db(), &self.state()).unwrap()
    }

    /// Every file but the database, the page's folder and that of sounds.
    fn left_over(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !["desk.db", "admin", "sounds"].contains(&name.as_str())).collect()
    }
}

/// What an attacker with the passphrase may seal.
fn sealed(description: &serde_json::Value, rest: &[u8]) -> Vec<u8> {
    let description = description.to_string().into_bytes();
    let mut sealer = Sealer::new(Vec::new(), PASSPHRASE).unwrap();
    sealer.write_all(&u32::try_from(description.len()).unwrap().to_be_bytes()).unwrap();
    sealer.write_all(&description).unwrap();
    sealer.write_all(rest).unwrap();
    sealer.finish().unwrap()
}

#[test]
fn app_2_a_backup_is_put_in_place_at_the_next_start_and_not_before() {
    let old = Box::new("Sales");
    fs::write(old.state().join("uploaded.pem"), "not read by a backup").unwrap();
    let file = old.backup();
    assert!(!String::from_utf8_lossy(&file).contains("hunter2"), "sealed");
    assert!(fs::read_dir(old.state()).unwrap().count() == 1, "no copy is left behind");
    let new = Box::new("Fresh");
    assert_eq!(new.apply(), Applied::Nothing);
    fs::remove_file(old.state().join("uploaded.pem")).unwrap();
    let file_without = old.backup();
    let found = new.stage(&file, PASSPHRASE).unwrap_err();
    assert!(matches!(found, RestoreProblem::Contents("its certificate cannot be read")), "{found:?}");
    let waits = new.stage(&file_without, PASSPHRASE).unwrap();
    assert_eq!((waits.calls, waits.contents.host.as_str()), (1, "desk-1"));
    assert_eq!(waiting(&new.db()), Some(waits));
    assert_eq!(new.line(), "Fresh", "not before");
    assert_eq!(new.apply(), Applied::Restored);
    assert_eq!(new.line(), "Sales");
    let audit = Store::open(new.db()).unwrap().audit(None, 10).unwrap();
    assert_eq!((audit[0].action.as_str(), audit[0].who.as_str()), ("restored", "Ada"));
    let settings = Store::open(new.db()).unwrap().load_settings().unwrap();
    assert_eq!(settings.accounts[0].password.reveal(), "hunter2-hunter2");
    assert_eq!(new.apply(), Applied::Nothing);
    assert_eq!(new.left_over(), Vec::<String>::new());
}

#[test]
fn app_2_the_uploaded_certificate_comes_back() {
    let old = Box::new("Sales");
    let (certificates, names) = (old.state(), vec!["desk".to_owned()]);
    drop(tls::Certificates::open(&certificates, names, vec![]).unwrap());
    fs::rename(old.state().join("own.pem"), old.state().join("uploaded.pem")).unwrap();
    let pem = fs::read(old.state().join("uploaded.pem")).unwrap();
    let new = Box::new("Fresh");
    new.stage(&old.backup(), PASSPHRASE).unwrap();
    assert!(!new.state().join("uploaded.pem").exists());
    assert_eq!(new.apply(), Applied::Restored);
    assert_eq!(fs::read(new.state().join("uploaded.pem")).unwrap(), pem);
}

#[test]
fn app_2_music_for_callers_who_wait_comes_back_also_where_the_box_has_another_folder() {
    let old = Box::new("Sales");
    let name = format!("{}.wav", crate::random::token().unwrap());
    let (music, note) = (old.sound(&name), old.sound(&name.replace(".wav", ".json")));
    fs::create_dir(old.folder.path().join("sounds")).unwrap();
    fs::write(&music, "RIFF and so on").unwrap();
    fs::write(&note, "what is known of it").unwrap();
    fs::write(old.sound("new-half"), "on its way").unwrap();
    let mut store = Store::open(old.db()).unwrap();
    let mut settings = store.load_settings().unwrap();
    settings.waiting.music = Some(music.to_str().unwrap().to_owned());
    store.save_settings(&settings).unwrap();
    drop(store);
    let file = old.backup();
    // Brought back whole, and once more after a power cut between the two files.
    for cut in [false, true] {
        let new = Box::new("Fresh");
        // What this box had is heard no more, and takes no room from what is uploaded next.
        let own = new.sound(&format!("{}.wav", "b".repeat(43)));
        fs::create_dir(own.parent().unwrap()).unwrap();
        fs::write(&own, "RIFF of this box").unwrap();
        let waits = new.stage(&file, PASSPHRASE).unwrap();
        assert_eq!((waits.contents.sounds(), waits.contents.has_certificate()), (1, false));
        assert!(!new.sound(&name).exists(), "not before");
        if cut {
            let waits = new.folder.path().join("desk.db.restore").join(format!("{SOUND}{name}"));
            fs::rename(waits, new.sound(&name)).unwrap();
        }
        assert!(own.exists());
        assert_eq!(new.apply(), Applied::Restored);
        assert!(!own.exists());
        assert_eq!(fs::read(new.sound(&name)).unwrap(), b"RIFF and so on");
        assert_eq!(fs::read_dir(new.folder.path().join("sounds")).unwrap().count(), 2);
        let settings = Store::open(new.db()).unwrap().load_settings().unwrap();
        assert_eq!(settings.waiting.music.as_deref(), new.sound(&name).to_str());
        assert_eq!(settings.accounts[0].password.reveal(), "hunter2-hunter2", "what else is set stays");
        assert_eq!(new.left_over(), Vec::<String>::new());
    }
}

#[test]
fn app_2_a_spoilt_backup_is_refused_with_a_reason_and_leaves_what_was() {
    let desk = Box::new("Sales");
    let file = desk.backup();
    let waits = desk.stage(&file, PASSPHRASE).unwrap();
    let refused = |file: &[u8], passphrase: &str| {
        let found = desk.stage(file, passphrase).unwrap_err();
        assert_eq!(waiting(&desk.db()), Some(waits.clone()), "what waited still waits");
        assert_eq!(desk.line(), "Sales");
        assert!(!desk.left_over().iter().any(|name| name.contains("partial")), "{:?}", desk.left_over());
        found
    };
    let found = refused(&file, "seven herons by the lak");
    assert!(matches!(found, RestoreProblem::Seal(SealProblem::WrongPassphrase)), "{found:?}");
    for length in [0, 7, 40, 41, 1000, file.len() / 2, file.len() - 1] {
        let found = refused(&file[..length], PASSPHRASE);
        let is_said = matches!(found, RestoreProblem::Seal(SealProblem::Truncated | SealProblem::NotOurs));
        assert!(is_said, "{length}: {found:?}");
    }
    let mut damaged = file.clone();
    damaged[100] ^= 1;
    let found = refused(&damaged, PASSPHRASE);
    assert!(
        matches!(found, RestoreProblem::Seal(SealProblem::Damaged | SealProblem::Truncated)),
        "{found:?}"
    );
    let found = refused(&vec![0x50; 100_000], PASSPHRASE);
    assert!(matches!(found, RestoreProblem::Seal(SealProblem::NotOurs)), "{found:?}");
    let found = refused(
        &sealed(&serde_json::json!({ "format": 3, "version": "9.0.0", "novelty": 1 }), b""),
        PASSPHRASE,
    );
    assert!(matches!(&found, RestoreProblem::Newer { version } if version == "9.0.0"), "{found:?}");
    discard(&desk.db()).unwrap();
    assert_eq!((waiting(&desk.db()), desk.apply()), (None, Applied::Nothing));
}

#[test]
fn app_2_a_backup_names_no_files_and_has_no_more_and_no_less_than_it_says() {
    let desk = Box::new("Sales");
    let described = |parts: serde_json::Value| serde_json::json!({ "format": 2, "version": "1", "made_ms": 0, "host": "x", "parts": parts });
    let part = |name: &str, bytes: u64| serde_json::json!({ "name": name, "bytes": bytes });
    let sound = format!("sound-{}.wav", "a".repeat(43));
    let many: Vec<_> = (0..1000).map(|_| part("database", 1)).collect();
    for (parts, rest) in [
        (serde_json::json!([part("../../etc/passwd", 4)]), &b"evil"[..]),
        (serde_json::json!([part("database", 0), part("/tmp/x", 4)]), b"evil"),
        (serde_json::json!([]), b""),
        (serde_json::json!(many), b"x"),
        (serde_json::json!([part("certificate", 1), part("database", 1)]), b"xx"),
        (serde_json::json!([part("database", u64::MAX)]), b"x"),
        (serde_json::json!([part("database", 10)]), b"short"),
        (serde_json::json!([part("database", 2)]), b"longer"),
        (serde_json::json!([part("database", 0), part("certificate", 1 << 40)]), b""),
        (serde_json::json!([part("database", 1), part("database", 1)]), b"xx"),
        (serde_json::json!([part("database", 1), part(&sound, 1), part(&sound, 1)]), b"xxx"),
        (serde_json::json!([part("database", 1), part(&sound, 1 << 40)]), b"x"),
        (serde_json::json!([part("database", 1), part("sound-../../../etc/x.wav", 1)]), b"xx"),
        (serde_json::json!([part("database", 1), part("sound-calm.wav", 1)]), b"xx"),
        (serde_json::json!([part("database", 1), part("waiting.json", 1)]), b"xx"),
    ] {
        let found = desk.stage(&sealed(&described(parts.clone()), rest), PASSPHRASE).unwrap_err();
        assert!(matches!(found, RestoreProblem::Contents(_)), "{parts}: {found:?}");
    }
    let found =
        desk.stage(&sealed(&described(serde_json::json!([part("database", 7)])), b"rubbish"), PASSPHRASE);
    assert!(matches!(found, Err(RestoreProblem::Store(_))), "{found:?}");
    assert_eq!((desk.line().as_str(), waiting(&desk.db())), ("Sales", None));
    assert_eq!(desk.left_over(), Vec::<String>::new());
}

#[test]
fn app_4_what_does_not_fit_on_the_disk_is_refused_before_it_is_written() {
    let desk = Box::new("Sales");
    let file = desk.backup();
    let size = file.len() as u64;
    for (free, fits) in [(0, false), (SPARE, false), (SPARE + size / 2, false), (SPARE + size, true)] {
        let staged = stage::stage_on(&desk.db(), &file[..], PASSPHRASE, Origin::default(), &|_| Some(free));
        match staged {
            Ok(_) => assert!(fits, "{free}"),
            Err(RestoreProblem::NoRoom) => assert!(!fits, "{free}"),
            Err(other) => panic!("{free}: {other:?}"),
        }
        assert_eq!(waiting(&desk.db()).is_some(), fits, "{free}");
    }
    assert_eq!(desk.left_over(), ["desk.db.restore"]);
    // And what the disk says while it is written.
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge] {
        assert!(matches!(stage::full(kind.into()), RestoreProblem::NoRoom));
    }
}

/// The power goes after each step of putting a backup in place; at the next start the desk has one or the other.
#[test]
fn app_4_a_power_cut_in_the_middle_of_a_restore_is_made_up_for() {
    let file = Box::new("Sales").backup();
    let ready = |desk: &Box| desk.folder.path().join("desk.db.restore");
    for cut in 0..4 {
        let desk = Box::new("Fresh");
        desk.stage(&file, PASSPHRASE).unwrap();
        let before = desk.folder.path().join("desk.db.before");
        if cut > 0 {
            fs::rename(desk.db(), &before).unwrap();
        }
        if cut > 1 {
            fs::rename(ready(&desk).join("database"), desk.db()).unwrap();
        }
        if cut > 2 {
            fs::remove_dir_all(ready(&desk)).unwrap();
        }
        assert_eq!(desk.apply(), Applied::Restored, "cut {cut}");
        assert_eq!(desk.line(), "Sales", "cut {cut}");
        assert_eq!(desk.left_over(), Vec::<String>::new(), "cut {cut}");
    }
    // Cut while it was being staged: it never was.
    let desk = Box::new("Fresh");
    desk.stage(&file, PASSPHRASE).unwrap();
    fs::rename(ready(&desk), desk.folder.path().join("desk.db.restore-partial")).unwrap();
    assert_eq!((desk.apply(), desk.line().as_str()), (Applied::Nothing, "Fresh"));
    assert_eq!(desk.left_over(), Vec::<String>::new());
}

#[test]
fn app_4_a_backup_that_does_not_open_after_all_gives_the_old_one_back() {
    let desk = Box::new("Fresh");
    desk.stage(&Box::new("Sales").backup(), PASSPHRASE).unwrap();
    fs::write(desk.folder.path().join("desk.db.restore/database"), "the disk lies").unwrap();
    assert_eq!(desk.apply(), Applied::Returned);
    assert_eq!((desk.line().as_str(), desk.apply()), ("Fresh", Applied::Nothing));
    assert_eq!(desk.left_over(), Vec::<String>::new());
}
