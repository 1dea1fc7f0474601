//! Directories of connectors on the desk (DIR-4): `frontdesk-plugind` with its plugins, slapd as the company's
//! LDAP server, lighttpd as its web server, and callers who are named from what they have.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use frontdesk_tests::authority::Authority;
use frontdesk_tests::baresip::Codec;
use frontdesk_tests::connectors::{PluginClient, PluginHost};
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::radicale::{self, Radicale};
use frontdesk_tests::repository;
use frontdesk_tests::slapd::{self, Slapd};
use frontdesk_tests::wait;
use ipc::{Edit, EditProblem, PluginGrants, PluginProblem, PluginRequest, PluginState, Query, Reply, View};
use serde_json::json;

const LDAP: &str = "org.frontdesk.ldap";
const CARDDAV: &str = "org.frontdesk.carddav";
/// Real time of the telephones.
const SOON: Duration = Duration::from_secs(15);
/// Ten thousand people, in a debug build on a busy machine.
const LATE: Duration = Duration::from_secs(120);
const PEOPLE: usize = 10_000;

/// Everything a plugin asks for.
fn all(plugin: &str) -> PluginGrants {
    let id = vec![match plugin {
        LDAP | CARDDAV => "server".to_owned(),
        _ => "any".to_owned(),
    }];
    PluginGrants { net: id.clone(), private: id.clone(), loopback: id }
}

/// The company's server with so many people.
fn company(house: &mut House, authority: &Authority, people: usize) -> Slapd {
    let port = house.free_port();
    Slapd::start(house.folder(), port, &authority.identity("localhost"), people)
}

/// A plugin host with the ldap connector set up for this server, which has not run yet.
fn with_ldap(house: &House, authority: &Authority, server: &Slapd) -> (PluginHost, PluginClient) {
    let host = PluginHost::start(house.folder(), &[authority.certificate()]);
    let mut client = host.client();
    client.install(&host.packed("ldap"), all(LDAP)).unwrap();
    configure(&mut client, server);
    (host, client)
}

fn configure(client: &mut PluginClient, server: &Slapd) {
    client.configure(LDAP, settings(server)).unwrap();
}

fn settings(server: &Slapd) -> serde_json::Value {
    json!({
        "server": format!("ldaps://localhost:{}", server.port),
        "base": slapd::BASE,
        "user": slapd::READER,
        "password": slapd::PASSWORD,
    })
}

fn kept_by_ldap(view: &View) -> Option<&ipc::DirectoryView> {
    kept_by(view, LDAP)
}

fn kept_by<'view>(view: &'view View, plugin: &str) -> Option<&'view ipc::DirectoryView> {
    view.directories.iter().find(|directory| directory.source.as_deref() == Some(plugin))
}

fn has(people: usize) -> impl Fn(&View) -> bool {
    move |view| kept_by_ldap(view).is_some_and(|directory| directory.contacts as usize == people)
}

#[test]
fn dir_4_ten_thousand_people_of_an_ldap_server_are_on_the_desk_and_name_their_callers() {
    let mut house = House::build(Digest::Md5);
    let authority = Authority::new(house.folder(), "ca");
    let server = company(&mut house, &authority, PEOPLE);
    let host = PluginHost::start(house.folder(), &[authority.certificate()]);
    let mut client = host.client();

    // Installed with no right at all, it reaches nobody, and says so.
    client.install(&host.packed("ldap"), PluginGrants::default()).unwrap();
    configure(&mut client, &server);
    let test = PluginRequest::Test { plugin: LDAP.into() };
    let refused = client.ask(test.clone());
    assert!(matches!(refused, Err(PluginProblem::Failed { .. })), "{refused:?}");
    client.ask(PluginRequest::Grant { plugin: LDAP.into(), granted: all(LDAP) }).unwrap();
    let tested = format!("{:?}", client.ask(test).unwrap());
    assert!(tested.contains("more than 2000 people") && tested.contains("1 ref"), "{tested}");
    client.ask(PluginRequest::SyncNow { plugin: LDAP.into() }).unwrap();

    let is_under_way = |state: &PluginState| matches!(state, PluginState::Running { people, .. } if (1..PEOPLE as u32).contains(people));
    client.wait("its progress", LDAP, LATE, |plugin| is_under_way(&plugin.state));
    let view = house.client.wait("the people on the desk", LATE, has(PEOPLE));
    let directory = kept_by_ldap(&view).unwrap();
    assert!(!directory.local, "nobody said that they are staff");
    let kept = client.wait("its end", LDAP, LATE, |plugin| plugin.directory.is_some()).directory.unwrap();
    assert_eq!((kept.contacts as usize, kept.left_out), (PEOPLE, 0));

    // 2103 is the internal number of the first of them; another is found by a part of the name, accents or not.
    let mut phone = house.phone("2103", 1500.0, Codec::Pcma);
    let (_, name) = house.ring(&mut phone);
    let (first, last) = slapd::name(0);
    assert_eq!(name, Some(format!("{first} {last}")));
    let found = house.client.contact("soren lindqvist-00018");
    assert_eq!((found.first_name.as_str(), found.phone.as_str()), ("Søren", slapd::number(18).as_str()));
    assert_eq!((found.email.as_str(), found.company.as_str()), ("p18@house.test", "House"));

    // They are the server's: nobody writes them by hand, and a desk that starts again has them at once.
    let refused = house.client.edit(Edit::RemoveContact { contact: found.id });
    assert_eq!(refused, Err(ipc::CommandError::Edit(EditProblem::KeptByConnector)));
    drop(client);
    drop(host);
    drop(server);
    assert!(house.desk.program.terminate(SOON).success());
    house.desk.start_again();
    house.client = house.desk.client();
    house.client.wait("the people after a restart", SOON, has(PEOPLE));
    assert_eq!(house.client.contact("soren lindqvist-00018").id, found.id);
}

#[test]
fn dir_7_people_of_a_directory_that_is_not_copied_are_found_while_somebody_types() {
    let mut house = House::build(Digest::Md5);
    let authority = Authority::new(house.folder(), "ca");
    let server = company(&mut house, &authority, 200);
    let host = PluginHost::start(house.folder(), &[authority.certificate()]);
    let mut client = host.client();
    client.install(&host.packed("ldap"), all(LDAP)).unwrap();
    let mut settings = settings(&server);
    settings["copied"] = json!("nobody");
    client.configure(LDAP, settings).unwrap();
    house.client.wait("a directory that can be searched", LATE, |view| view.crm.people);
    let mut find = |text: &str| match house.client.query(Query::People { text: text.into() }) {
        Reply::People(people) => people,
        other => panic!("{other:?}"),
    };

    // Whom the server means, with the number that it has; nobody of theirs is on the desk.
    let (first, last) = slapd::name(18);
    let found =
        wait::until("the server's answer", LATE, || Some(find(&last)).filter(|found| !found.is_empty()));
    assert_eq!((found.len(), found[0].name.clone()), (1, format!("{first} {last}")));
    assert_eq!(found[0].numbers[0].1, slapd::number(18));
    assert!(!found[0].source.is_empty() && found[0].detail.contains("House"), "{found:?}");
    assert_eq!(find("lindqvist").len(), 20, "no more than a screen can show");
    assert_eq!(find("nobody is called so"), []);

    // A server that is gone has found nobody.
    drop(server);
    assert_eq!(find("lindqvist-00019"), []);
    let view = house.client.wait("the desk", SOON, |_| true);
    assert!(kept_by_ldap(&view).is_none_or(|directory| directory.contacts == 0));
}

#[test]
fn dir_4_a_plugin_that_loops_for_ever_delays_no_call_and_costs_no_contact() {
    let mut house = House::build(Digest::Md5);
    let authority = Authority::new(house.folder(), "ca");
    let server = company(&mut house, &authority, 50);
    let (host, mut client) = with_ldap(&house, &authority, &server);
    house.client.wait("the people on the desk", LATE, has(50));
    let mut phone = house.phone("2103", 1500.0, Codec::Pcma);
    let before: Vec<Duration> = (0..4).map(|_| house.ring(&mut phone).0).collect();

    client.install(&host.packed_as("hostile", &looping(house.folder())), PluginGrants::default()).unwrap();
    client.configure(LDAP, json!({ "behaviour": "endless-loop" })).unwrap();
    client.ask(PluginRequest::SyncNow { plugin: LDAP.into() }).unwrap();
    let mut during = Vec::new();
    let mut name = None;
    for _ in 0..4 {
        let (took, named) = house.ring(&mut phone);
        during.push(took);
        name = named;
    }
    #[allow(clippy::print_stdout, reason = "the figures of the test, for whoever asks with --no-capture")]
    {
        println!("from the keypad to the card: {before:?} before, {during:?} while a plugin loops");
    }
    let (first, last) = slapd::name(0);
    assert_eq!(name, Some(format!("{first} {last}")), "the last good directory stays");
    let is_stopped = |state: &PluginState| match state {
        PluginState::Failing { case, .. } | PluginState::Suspended { case, .. } => case == "cpu",
        _ => false,
    };
    client.wait("the limit it hit", LDAP, LATE, |plugin| is_stopped(&plugin.state));
    assert!(has(50)(&house.client.wait("a view", SOON, |_| true)));

    // Back to the version before, which works again; removed, it takes its people with it.
    client.ask(PluginRequest::RollBack { plugin: LDAP.into() }).unwrap();
    configure(&mut client, &server);
    client.ask(PluginRequest::SyncNow { plugin: LDAP.into() }).unwrap();
    client.wait("a good run", LDAP, LATE, |plugin| matches!(plugin.state, PluginState::Waiting { .. }));
    client.ask(PluginRequest::Remove { plugin: LDAP.into() }).unwrap();
    house.client.wait("the directory gone", LATE, |view| kept_by_ldap(view).is_none());
}

/// The manifest of the hostile plugin, which says that it is a newer ldap connector.
fn looping(folder: &Path) -> PathBuf {
    let manifest = repository::root().join("plugins/hostile/connector.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    let manifest = manifest.replace("org.frontdesk.hostile", LDAP).replace("0.1.0", "9.0.0");
    let path = folder.join("looping.toml");
    fs::write(&path, manifest).unwrap();
    path
}

#[test]
fn dir_4_a_plugin_host_that_is_killed_leaves_its_people_and_goes_on_when_it_is_back() {
    let mut house = House::build(Digest::Md5);
    let authority = Authority::new(house.folder(), "ca");
    let server = company(&mut house, &authority, 300);
    let (mut host, mut client) = with_ldap(&house, &authority, &server);
    house.client.wait("the people on the desk", LATE, has(300));
    let directory = kept_by_ldap(&house.client.wait("a view", SOON, |_| true)).unwrap().id;
    let (name, note) = ("Colleagues".to_owned(), String::new());
    house.client.edit(Edit::ChangeDirectory { directory, name, local: true, line: None, note }).unwrap();
    drop(client);
    host.program.kill();
    let mut phone = house.phone("2103", 1500.0, Codec::Pcma);
    let (first, last) = slapd::name(0);
    assert_eq!(house.ring(&mut phone).1, Some(format!("{first} {last}")));
    host.start_again();
    client = host.client();
    client.ask(PluginRequest::SyncNow { plugin: LDAP.into() }).unwrap();
    client.wait("a good run", LDAP, LATE, |plugin| matches!(plugin.state, PluginState::Waiting { .. }));
    let view = house.client.wait("still all of them", SOON, has(300));
    let kept = kept_by_ldap(&view).unwrap();
    assert_eq!((kept.name.as_str(), kept.local), ("Colleagues", true), "what the operator chose stays");
}

#[test]
fn dir_4_an_address_book_is_on_the_desk_and_what_changes_there_changes_here() {
    let mut house = House::build(Digest::Md5);
    let authority = Authority::new(house.folder(), "ca");
    let port = house.free_port();
    let card = |name: &str, more: &str| {
        format!("BEGIN:VCARD\nVERSION:3.0\nUID:{name}\nFN:{name}\n{more}END:VCARD\n")
    };
    let cards = [
        card(
            "Søren Lindqvist",
            "N:Lindqvist;Søren;;;\nTEL;TYPE=WORK:2103\nitem1.TEL:+41 79 555 01 02\nitem1.X-ABLabel:_$!<Mobile>!$_\n",
        ),
        card("Example, AG", "ORG:Example\\, AG\nX-ABShowAs:COMPANY\nTEL;TYPE=WORK:+41 44 555 00 00\n"),
        card("Nobody Reachable", "EMAIL:nobody@house.test\n"),
    ];
    let mut server = Radicale::start(house.folder(), port, &authority.identity("localhost"), &cards);
    let host = PluginHost::start(house.folder(), &[authority.certificate()]);
    let mut client = host.client();
    client.install(&host.packed("carddav"), all(CARDDAV)).unwrap();
    let settings = |password: &str| {
        let address = format!("https://localhost:{port}/");
        json!({ "address": address, "user": radicale::USER, "password": password })
    };

    // A password that is wrong is said at once, and the right one is asked for before anything else is done.
    client.configure(CARDDAV, settings("wrong")).unwrap();
    let refused = client.ask(PluginRequest::Test { plugin: CARDDAV.into() });
    assert!(
        matches!(&refused, Err(PluginProblem::Failed { case, .. }) if case == "auth-failed"),
        "{refused:?}"
    );
    client.configure(CARDDAV, settings(radicale::PASSWORD)).unwrap();
    let has =
        |people: u32| move |view: &View| kept_by(view, CARDDAV).is_some_and(|kept| kept.contacts == people);
    house.client.wait("the people on the desk", LATE, has(2));

    let mut phone = house.phone("2103", 1500.0, Codec::Pcma);
    assert_eq!(house.ring(&mut phone).1.as_deref(), Some("Søren Lindqvist"));
    let found = house.client.contact("soren lindqvist");
    assert_eq!((found.first_name.as_str(), found.mobile.as_str()), ("Søren", "+41 79 555 01 02"));

    // Somebody changes a card on a telephone, another is removed, and one gets a number.
    server.put("p0", &card("Søren Holm", "N:Holm;Søren;;;\nTEL;TYPE=WORK:2103\n"));
    server.put("p2", &card("Nobody Reachable", "TEL:+41 44 555 00 09\n"));
    server.remove("p1");
    client.ask(PluginRequest::SyncNow { plugin: CARDDAV.into() }).unwrap();
    let is_new = |view: &View| has(2)(view) && kept_by(view, CARDDAV).is_some();
    house.client.wait("still two people", LATE, is_new);
    client.wait("the run after it", CARDDAV, LATE, |plugin| {
        matches!(plugin.state, PluginState::Waiting { .. })
    });
    let renamed = wait::within(SOON, || (house.client.contact("soren").last_name == "Holm").then_some(()));
    assert!(renamed.is_some(), "the change has not come");
    assert_eq!(house.ring(&mut phone).1.as_deref(), Some("Søren Holm"));
}
