//! Our LDAP connector against slapd, a server that we did not write: ten thousand people past its limits, StartTLS
//! and LDAPS with certificates that are checked, a referral that is not followed, changes by their time stamps,
//! and the words for each mistake in the form.
#![allow(clippy::unwrap_used, reason = "tests")]

mod yard;

use std::collections::BTreeSet;
use std::fs;

use ldap3::{LdapConnAsync, Mod};
use plugin_host::backoff::Reaction;
use plugin_host::connector::{Cancel, Change, Connector, Next, Start};
use plugin_host::failure::Failure;
use plugin_host::limits::Limits;
use plugin_host::manifest::Granted;
use plugin_host::sync::{self, Directory, PAGE, SyncLimits, Synced};
use serde_json::{Value, json};
use yard::Yard;
use yard::slapd::{ADMIN, BASE, PEOPLE, Papers, READER, Slapd, name};

/// What slapd gives to a search that does not page, and to one that does.
const LIMITS: &str = "sizelimit size.soft=500 size.hard=500 size.prtotal=unlimited";
const COUNT: usize = 10_000;
/// Those with a number.
const LISTED: usize = COUNT - COUNT / 100;

struct Scene {
    yard: Yard,
    slapd: Slapd,
}

impl Scene {
    fn new(count: usize, limits: &str) -> Self {
        let papers = Papers::new();
        let yard = Yard::new(
            &[("ldap.example", &[&["127.0.0.1"]]), ("other.example", &[&["127.0.0.1"]])],
            vec![papers.authority.clone()],
        );
        let slapd = Slapd::start(yard.scratch.path(), &papers, count, limits);
        Self { yard, slapd }
    }

    fn ldaps(&self) -> String {
        format!("ldaps://ldap.example:{}", self.slapd.tls)
    }

    fn load(&self, changes: Value) -> Connector {
        self.load_granted(changes, &yard::granted("server", true))
    }

    fn load_granted(&self, changes: Value, granted: &Granted) -> Connector {
        let mut settings = yard::object(json!({
            "server": self.ldaps(), "base": PEOPLE, "user": READER, "password": "correct",
        }));
        settings.extend(yard::object(changes));
        let file = yard::packed("ldap", "ldap_directory");
        self.yard.load(file, &settings, granted, Limits::default()).unwrap()
    }

    fn check(&self, changes: Value) -> Result<String, Failure> {
        self.load(changes).check(&Cancel::default())
    }
}

fn synced(plugin: &Connector, before: &Directory) -> Result<Synced, sync::SyncError> {
    sync::run(plugin, before, &SyncLimits::default(), &Cancel::default(), &mut |_, _| {})
}

fn case(result: Result<String, Failure>) -> (&'static str, String, Reaction) {
    match result.unwrap_err() {
        Failure::Said { case, words, reaction } => (case, words, reaction),
        other => panic!("{other:?}"),
    }
}

#[test]
fn dir_4_ten_thousand_people_are_copied_from_slapd_past_its_size_limit() {
    let scene = Scene::new(COUNT, LIMITS);
    let plugin = scene.load(json!({}));
    let run = synced(&plugin, &Directory::default()).unwrap();
    assert_eq!((run.directory.contacts.len(), run.left_out), (LISTED, 0));
    assert!(run.pages >= COUNT / PAGE as usize, "{} pages", run.pages);
    let counters = plugin.tally().counters();
    assert!(counters.requests >= run.pages as u64 && counters.refused == 0, "{counters:?}");
    let names: BTreeSet<&str> = run.directory.contacts.values().map(|person| person.name.as_str()).collect();
    assert!((0..COUNT).filter(|n| n % 100 != 99).all(|n| names.contains(name(n).as_str())));
    let person = run.directory.contacts.values().find(|person| person.name == name(98)).unwrap();
    assert_eq!(person.phones[0].number, "+41 44 555 0098");
    assert_eq!(person.organization.as_deref(), Some("Example AG"));
    let extra =
        |key: &str| person.extra.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    assert_eq!(
        (extra("first-name"), extra("last-name"), extra("office")),
        (Some("Љубица"), Some("Person 98"), Some("B 2.14"))
    );
    // Somebody who presses "Test" does not wait until all are counted.
    let words = plugin.check(&Cancel::default()).unwrap();
    assert!(words.starts_with("more than ") && words.contains(" people"), "{words}");
    // The referral was met and not followed.
    let (log, _) = plugin.log();
    assert!(log.iter().any(|line| line.contains("references to other servers are not followed")), "{log:?}");

    // Asked for a number, slapd compares it without its blanks.
    let asked = |number: &str| plugin.lookup(&[number.to_owned()], 5, &Cancel::default()).unwrap().unwrap();
    let found: Vec<String> = asked("+41445550098").into_iter().map(|person| person.name).collect();
    assert_eq!(found, [name(98)]);
    assert!(asked("+41445559999").is_empty() && asked("*").is_empty());

    // Searched as somebody types: each word somewhere, a number by its digits, and nothing that is a filter.
    let search = |text: &str| plugin.search(text, 20, &Cancel::default()).unwrap().unwrap();
    assert!(search(&name(98).to_uppercase()).iter().all(|person| person.name.contains("98")));
    assert_eq!(
        search(&format!("{} 5550098", name(98).to_uppercase()))
            .into_iter()
            .map(|person| person.name)
            .collect::<Vec<_>>(),
        [name(98)]
    );
    assert_eq!(search("a").len(), 0, "too short");
    assert!(search("*)(uid=*").is_empty() && search("nobody at all").is_empty());

    // Again, by time stamps: nothing has changed, and nothing is read.
    let again = synced(&plugin, &run.directory).unwrap();
    assert!(again.directory.contacts == run.directory.contacts);
    assert_eq!(again.pages, 2);
}

#[test]
fn dir_7_a_directory_that_nobody_is_copied_of_is_searched_all_the_same() {
    let scene = Scene::new(300, LIMITS);
    let plugin = scene.load(json!({"copied": "nobody"}));
    assert!(synced(&plugin, &Directory::default()).unwrap().directory.contacts.is_empty());
    let found = plugin.search(&name(98), 20, &Cancel::default()).unwrap().unwrap();
    assert!(found.iter().any(|person| person.name == name(98)));
}

#[test]
fn a_change_comes_by_its_time_stamp_and_who_lost_the_number_goes() {
    let scene = Scene::new(300, LIMITS);
    let plugin = scene.load(json!({}));
    let first = synced(&plugin, &Directory::default()).unwrap();
    assert_eq!(first.directory.contacts.len(), 297);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = format!("ldap://127.0.0.1:{}", scene.slapd.plain);
        let (connection, mut ldap) = LdapConnAsync::new(&url).await.unwrap();
        tokio::spawn(async move { connection.drive().await });
        ldap.simple_bind(ADMIN, "master").await.unwrap().success().unwrap();
        let number =
            |text: &'static str| vec![Mod::Replace("telephoneNumber", text.split_whitespace().collect())];
        for (who, change) in [("p1", number("5550100")), ("p2", number(""))] {
            ldap.modify(&format!("uid={who},{PEOPLE}"), change).await.unwrap().success().unwrap();
        }
        ldap.delete(&format!("uid=p3,{PEOPLE}")).await.unwrap().success().unwrap();
    });
    let second = synced(&plugin, &first.directory).unwrap();
    let find =
        |run: &Synced, n: usize| run.directory.contacts.values().find(|one| one.name == name(n)).cloned();
    assert_eq!(find(&second, 1).unwrap().phones[0].number, "5550100");
    assert_eq!(find(&second, 2), None, "without a number he is not in the directory");
    assert!(find(&second, 3).is_some(), "a directory does not say who was deleted");
    assert_eq!(second.pages, 2);
    // The full run that comes once a day does.
    let before = Directory { token: None, ..second.directory };
    let full = synced(&plugin, &before).unwrap();
    assert_eq!((full.deleted, find(&full, 3)), (1, None));
    // A token from long ago, or none of ours, asks for that run.
    for token in ["1 m20250101000000 1600000000", "rubbish"] {
        let failed = plugin.fetch(&Start::Delta(token.to_owned()), PAGE, &Cancel::default()).unwrap_err();
        assert_eq!(failed.reaction(), Reaction::Resync);
    }
}

#[test]
fn starttls_ldaps_and_plain_where_that_was_chosen() {
    let scene = Scene::new(150, LIMITS);
    let plain = format!("ldap://ldap.example:{}", scene.slapd.plain);
    let words = "149 people; 1 references to other servers are not followed".to_owned();
    assert_eq!(scene.check(json!({})), Ok(words.clone()));
    assert_eq!(scene.check(json!({ "server": plain })), Ok(words.clone()));
    assert_eq!(scene.check(json!({ "server": plain, "encryption": "none" })), Ok(words));
    // A filter of the administrator's own; those without a number are counted.
    assert_eq!(
        scene.check(json!({ "filter": "(objectClass=inetOrgPerson)" })),
        Ok("149 people; 1 without a name or a number are left out; 1 references to other servers are not followed"
            .to_owned())
    );
    // Certificates: another name, StartTLS or not; an authority that nobody trusts.
    for server in [
        format!("ldaps://other.example:{}", scene.slapd.tls),
        format!("ldap://other.example:{}", scene.slapd.plain),
    ] {
        let (case, words, _) = case(scene.check(json!({ "server": server })));
        assert!(case == "unavailable" && words.contains("certificate"), "{case}: {words}");
    }
    let papers = Papers::new();
    let folder = scene.yard.scratch.path().join("liar");
    fs::create_dir(&folder).unwrap();
    let liar = Slapd::start(&folder, &papers, 1, "");
    let (case, words, _) =
        case(scene.check(json!({ "server": format!("ldaps://ldap.example:{}", liar.tls) })));
    assert!(case == "unavailable" && words.contains("certificate"), "{case}: {words}");
}

#[test]
fn each_mistake_in_the_form_is_said_in_words() {
    let scene = Scene::new(20, LIMITS);
    let said = |changes: Value| case(scene.check(changes));
    let (wrong, words, reaction) = said(json!({ "password": "wrong" }));
    assert_eq!((wrong, reaction), ("auth-failed", Reaction::Blocked), "{words}");
    assert!(!words.contains("wrong"), "{words}");
    assert_eq!(said(json!({ "password": "" })).0, "auth-failed");
    assert_eq!(said(json!({ "user": "not a name" })).0, "auth-failed");
    let (missing, words, _) = said(json!({ "base": format!("ou=nobody,{BASE}") }));
    assert!(missing == "misconfigured" && words.starts_with("base: "), "{missing}: {words}");
    // Only a reference to elsewhere, which is not followed.
    let (sent_on, words, _) = said(json!({ "base": format!("ou=elsewhere,{PEOPLE}") }));
    assert!(sent_on == "misconfigured" && words.contains("another one"), "{words}");
    // Anonymous: this server shows such a reader nothing at all.
    assert_eq!(said(json!({ "user": "" })).0, "forbidden");
    let (lines, words, _) = said(json!({ "attributes": "colour = c" }));
    assert!(lines == "misconfigured" && words.starts_with("attributes: "), "{words}");
    // A run that finds no base leaves the directory as it is, and tries at the next planned time.
    let plugin = scene.load(json!({ "base": format!("ou=nobody,{BASE}") }));
    let failed = plugin.fetch(&Start::Full, PAGE, &Cancel::default()).unwrap_err();
    assert_eq!(failed.reaction(), Reaction::NextRun);
    // The rights: not granted at all, and not on this machine.
    let refused = scene.load_granted(json!({}), &Granted::default()).check(&Cancel::default());
    assert_eq!(case(refused).0, "forbidden");
    let refused = scene.load_granted(json!({}), &yard::granted("server", false)).check(&Cancel::default());
    let (denied, words, _) = case(refused);
    assert!(denied == "forbidden" && words.contains("127.0.0.1"), "{words}");
}

#[test]
fn a_server_that_cuts_the_search_off_is_no_whole_directory() {
    let scene = Scene::new(700, "sizelimit size.soft=100 size.hard=100 size.prtotal=300");
    let (limited, words, _) = case(scene.check(json!({})));
    assert!(limited == "misconfigured" && words.contains("only"), "{limited}: {words}");
    assert!(synced(&scene.load(json!({})), &Directory::default()).is_err());
}

#[test]
fn a_server_that_dies_between_two_pages_means_a_new_run() {
    let scene = Scene::new(300, LIMITS);
    let plugin = scene.load(json!({}));
    let cancel = Cancel::default();
    let Next::More(cursor) = plugin.fetch(&Start::Full, 100, &cancel).unwrap().next else { panic!() };
    drop(scene.slapd);
    let lost = plugin.fetch(&Start::Resume(cursor), 100, &cancel).unwrap_err();
    assert_eq!(lost.reaction(), Reaction::Resync, "{lost:?}");
    let dead = plugin.fetch(&Start::Full, 100, &cancel).unwrap_err();
    assert_eq!(dead.reaction(), Reaction::BackOff, "{dead:?}");
}

#[test]
fn a_page_is_good_once_and_a_search_goes_on_where_it_stood() {
    let scene = Scene::new(500, LIMITS);
    let plugin = scene.load(json!({}));
    let cancel = Cancel::default();
    let page = |start: &Start| plugin.fetch(start, 100, &cancel);
    let first = page(&Start::Full).unwrap();
    let Next::More(cursor) = first.next.clone() else { panic!("{first:?}") };
    let second = page(&Start::Resume(cursor.clone())).unwrap();
    let ids = |changes: &[Change]| -> BTreeSet<String> {
        changes
            .iter()
            .map(|change| match change {
                Change::Upsert(contact) => contact.id.clone(),
                Change::Delete(id) => id.clone(),
            })
            .collect()
    };
    assert!(ids(&first.changes).is_disjoint(&ids(&second.changes)));
    assert_eq!(page(&Start::Resume(cursor)).unwrap_err().reaction(), Reaction::Resync);
    assert_eq!(page(&Start::Resume("rubbish".to_owned())).unwrap_err().reaction(), Reaction::Resync);
}
