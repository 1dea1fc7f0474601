//! The registry: what it keeps, and that nothing is ever half.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use proptest::prelude::*;

const ID: &str = "org.example.people";

fn secrets(text: &str) -> Secrets {
    Secrets::from([("password".to_owned(), text.to_owned())])
}

fn install(registry: &Registry, content: &[u8]) -> Record {
    let sha256 = registry.add_package(ID, content).unwrap();
    let current = Installed {
        sha256,
        version: "1.0.0".to_owned(),
        granted: PluginGrants::default(),
        settings: Map::new(),
    };
    let mut record = Record::new(ID.to_owned(), current);
    registry.keep(&mut record, None).unwrap();
    record
}

fn only(found: Vec<(String, Result<Record, String>)>) -> Record {
    assert_eq!(found.len(), 1);
    found.into_iter().next().unwrap().1.unwrap()
}

#[test]
fn a_second_program_is_refused_and_the_first_goes_on() {
    let scratch = tempfile::tempdir().unwrap();
    let (registry, _) = Registry::open(scratch.path()).unwrap();
    assert!(matches!(Registry::open(scratch.path()), Err(RegistryError::InUse(_))));
    install(&registry, b"one");
    drop(registry);
    assert_eq!(Registry::open(scratch.path()).unwrap().1.len(), 1);
}

#[test]
fn an_installation_without_its_record_and_files_without_a_name_are_swept() {
    let scratch = tempfile::tempdir().unwrap();
    let (registry, _) = Registry::open(scratch.path()).unwrap();
    let mut record = install(&registry, b"one");
    registry.keep(&mut record, Some(&secrets("first"))).unwrap();
    registry.add_package("org.example.begun", b"half").unwrap();
    let folder = scratch.path().join("plugins").join(ID);
    registry.add_package(ID, b"two").unwrap();
    for name in ["99.secrets", "record.json.part", "directory.jsonl.part"] {
        fs::write(folder.join(name), b"left").unwrap();
    }
    fs::write(scratch.path().join("uploads/1.part"), b"left").unwrap();
    fs::write(scratch.path().join("compiled/0123.cwasm"), b"left").unwrap();
    drop(registry);
    let (registry, found) = Registry::open(scratch.path()).unwrap();
    assert_eq!(only(found), record);
    assert_eq!(registry.secrets(&record).unwrap(), secrets("first"));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3, "record, package, secrets");
    for gone in ["plugins/org.example.begun", "uploads/1.part", "compiled/0123.cwasm"] {
        assert!(!scratch.path().join(gone).exists(), "{gone}");
    }
}

#[test]
fn a_package_that_changed_a_lost_key_and_a_damaged_record_are_said() {
    let scratch = tempfile::tempdir().unwrap();
    let (registry, _) = Registry::open(scratch.path()).unwrap();
    let mut record = install(&registry, b"one");
    registry.keep(&mut record, Some(&secrets("hunter2"))).unwrap();
    assert_eq!(registry.package(ID, &record.current).unwrap(), b"one");
    fs::write(registry.package_file(ID, &record.current.sha256), b"other").unwrap();
    assert_eq!(registry.package(ID, &record.current).unwrap_err().kind(), io::ErrorKind::InvalidData);
    drop(registry);
    fs::remove_file(scratch.path().join("key")).unwrap();
    let (registry, _) = Registry::open(scratch.path()).unwrap();
    assert!(matches!(registry.secrets(&record), Err(VaultError::Unreadable)));
    drop(registry);
    fs::write(scratch.path().join("plugins").join(ID).join(RECORD), b"{").unwrap();
    let (registry, found) = Registry::open(scratch.path()).unwrap();
    assert!(found[0].1.as_ref().unwrap_err().contains("cannot be read"));
    registry.remove(ID).unwrap();
    assert_eq!(fs::read_dir(scratch.path().join("plugins")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(scratch.path().join("removed")).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// A loss of power between two steps of a change: each step leaves files, and what is read then is what was
    /// before or what was meant, settings and secrets of the same moment.
    #[test]
    fn power_lost_anywhere_leaves_the_old_or_the_new(texts in proptest::collection::vec("[a-z]{1,9}", 1..5), lost in any::<prop::sample::Index>()) {
        let scratch = tempfile::tempdir().unwrap();
        let (registry, _) = Registry::open(scratch.path()).unwrap();
        let mut record = install(&registry, b"one");
        let lost = lost.index(texts.len());
        for (number, text) in texts.iter().enumerate() {
            let mut next = record.clone();
            next.settings.insert("user".to_owned(), text.clone().into());
            if number == lost {
                // Everything but the flip.
                let folder = registry.folder(ID);
                let sealed = registry.vault.seal(&purpose(ID), &serde_json::to_vec(&secrets(text)).unwrap()).unwrap();
                fs::write(folder.join(registry.free_name(&folder)), sealed).unwrap();
                fs::write(folder.join("record.json.part"), serde_json::to_vec(&next).unwrap()).unwrap();
                break;
            }
            registry.keep(&mut next, Some(&secrets(text))).unwrap();
            record = next;
        }
        drop(registry);
        let (registry, found) = Registry::open(scratch.path()).unwrap();
        let read = only(found);
        prop_assert_eq!(&read, &record);
        let user = read.settings.get("user").map(|user| user.as_str().unwrap().to_owned());
        prop_assert_eq!(registry.secrets(&read).unwrap().get("password").cloned(), user);
    }
}

#[test]
fn of_what_was_only_looked_at_the_newest_eight_stay_compiled() {
    let scratch = tempfile::tempdir().unwrap();
    let (registry, _) = Registry::open(scratch.path()).unwrap();
    let record = install(&registry, b"one");
    let put = |name: &str, age: u64| {
        let file = File::create(registry.compiled().join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(age)).unwrap();
    };
    let installed = format!("{}-00.cwasm", record.current.sha256);
    put(&installed, 9999);
    put("77-1.part", 9999);
    for age in 0..20 {
        put(&format!("{age:04}-00.cwasm"), age * 10);
    }
    registry.trim_compiled().unwrap();
    let mut left: Vec<String> = fs::read_dir(registry.compiled())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != &installed && name != "77-1.part")
        .collect();
    left.sort();
    assert_eq!(left, (0..8).map(|age| format!("{age:04}-00.cwasm")).collect::<Vec<_>>());
    assert_eq!(fs::read_dir(registry.compiled()).unwrap().count(), 10);
}
