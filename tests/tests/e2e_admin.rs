//! The administrator's page in a browser that we did not write: what a careful administrator does with it, from the
//! code on the touchscreen to a caller who is named from the company's own server, and how each page looks.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::chromium;
use frontdesk_tests::keeping;
use frontdesk_tests::looks::look_at;
use frontdesk_tests::office::{CONFIRM, LDAP, Office, SECRET};
use frontdesk_tests::repository;
use frontdesk_tests::slapd;
use ipc::{CallState, View};

/// Real time of the telephones.
const SOON: Duration = Duration::from_secs(15);
/// Ten thousand people, in a debug build on a busy machine.
const LATE: Duration = Duration::from_secs(300);
const PEOPLE: usize = 10_000;

fn has(people: usize) -> impl Fn(&View) -> bool {
    move |view| {
        let kept = view.directories.iter().find(|directory| directory.source.as_deref() == Some(LDAP));
        kept.is_some_and(|directory| directory.contacts as usize == people)
    }
}

/// How many there were, the one in the middle, and the longest.
fn figures(mut times: Vec<Duration>) -> String {
    times.sort();
    let (middle, longest) = (times[times.len() / 2], times[times.len() - 1]);
    format!("{} calls, median {middle:.1?}, longest {longest:.1?}", times.len())
}

/// How many people the page says have come so far.
fn so_far(text: &str) -> Option<usize> {
    let words = text.split_once("running: ")?.1;
    words.split_whitespace().next()?.parse().ok()
}

#[test]
fn app_1_app_2_dir_4_an_administrator_connects_the_company_s_server_and_a_looping_plugin_delays_no_call() {
    let mut office = Office::open(PEOPLE);

    // The first set-up: a code that is not on the screen is none.
    office.browser.open(&office.address.clone());
    office.browser.sees("First set-up");
    let code = office.code();
    let wrong = if code == "00000000" { "11111111" } else { "00000000" };
    office.set_up_with(wrong);
    office.browser.sees("That is not the code.");
    office.set_up_with(&code);
    office.browser.sees("The desk");
    office.browser.sees("registered: calls come in");
    office.house.client.wait("the code gone from the screen", SOON, |view| view.setup.is_none());

    // Installed with no right at all, it reaches nobody, and the page says why.
    office.install_ldap();
    office.configure_ldap();
    office.browser.press("Test");
    office.browser.sees("The test failed: it may not read that: the address is not among what it may reach");
    office.browser.sees("was not granted");
    office.grant();
    office.browser.press("Test");
    office.browser.sees("The test worked:");
    office.browser.sees("more than 2000 people");

    // Ten thousand people, and how far they are is seen: asked for again by hand, then by the page itself.
    office.browser.press("Enable");
    office.browser.sees("It is enabled and runs now.");
    let plugin = format!("{}/plugins/{LDAP}", office.address);
    let end = Instant::now() + LATE;
    let mut seen = None;
    while seen.is_none() {
        assert!(Instant::now() < end, "no progress on the page:\n{}", office.browser.text());
        office.browser.open(&plugin);
        seen = so_far(&office.browser.text()).filter(|people| (1..PEOPLE).contains(people));
    }
    office.browser.wait_text("the end of the run", LATE, |text| text.contains("fine; next run in"));
    office.house.client.wait("the people on the desk", LATE, has(PEOPLE));
    office.browser.press("Directories");
    office.browser.sees("10000");
    let found = office.house.client.contact("soren lindqvist-00018");
    assert_eq!((found.first_name.as_str(), found.phone.as_str()), ("Søren", slapd::number(18).as_str()));

    // 2103 is the internal number of the first of them.
    let mut phone = office.house.phone("2103", 1500.0, Codec::Pcma);
    let (first, last) = slapd::name(0);
    let name = Some(format!("{first} {last}"));
    let mut before = Vec::new();
    for _ in 0..20 {
        let (took, named) = office.house.ring(&mut phone);
        assert_eq!(named, name);
        before.push(took);
    }

    // In its place comes one that loops for ever.
    let hostile = office.host.packed_as("hostile", &looping(office.house.folder()));
    office.upload(&hostile);
    office.browser.sees("This version asks for more than the one that is installed.");
    office.browser.fill(CONFIRM, SECRET);
    office.browser.press("Install in place of 0.1.0");
    office.browser.sees("Hostile is now version 9.0.0.");
    office.browser.fill("What to do", "endless-loop");
    office.browser.press("Save");
    office.browser.sees("The settings were saved.");
    office.browser.press("Run now");
    let limit = "it computed for longer than it may and was stopped";
    let mut during = Vec::new();
    // Asked at each ring which customer it is, it loops as well; three times, and it is taken back by itself.
    let stopped = |text: &str| text.contains(limit) || text.contains("Version\n0.1.0\n");
    while during.len() < 20 || !stopped(&office.browser.text()) {
        assert!(during.len() < 1000, "the loop goes on:\n{}", office.browser.text());
        let (took, named) = office.house.ring(&mut phone);
        assert_eq!(named, name, "the last good directory stays");
        during.push(took);
    }
    #[allow(clippy::print_stdout, reason = "the figures of the test, for whoever asks with --no-capture")]
    {
        println!("{seen:?} of {PEOPLE} people were there when the page was asked");
        let (before, during) = (figures(before), figures(during));
        println!("from the keypad to the card: {before}; until the loop was stopped: {during}");
    }
    assert!(has(PEOPLE)(&office.house.client.wait("a view", SOON, |_| true)));
    assert_eq!(office.house.ring(&mut phone).1, name);
    if office.browser.text().contains(limit) {
        office.browser.press("Go back to version 0.1.0");
        office.browser.sees("The version before is in use again.");
    }
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
fn app_2_acc_4_every_page_is_readable_in_both_languages_wide_and_on_a_telephone() {
    let checker = fs::read_to_string(chromium::axe()).unwrap();
    let mut office = Office::open(50);
    let address = office.address.clone();
    let mut wrong = Vec::new();
    for language in ["en", "fr"] {
        office.browser.open(&format!("{address}/language/{language}?to=/setup"));
        wrong.extend(look_at(&mut office.browser, &format!("{language}-setup"), &checker));
    }
    office.browser.open(&format!("{address}/language/en?to=/setup"));
    let code = office.code();
    office.set_up_with("0");
    wrong.extend(look_at(&mut office.browser, "en-setup-wrong-code", &checker));
    office.set_up_with(&code);

    // A plugin that has run, one that waits for a decision, and a call that rings.
    office.install_ldap();
    office.configure_ldap();
    office.grant();
    office.browser.press("Enable");
    office.house.client.wait("the people on the desk", LATE, has(50));
    let hostile = office.host.packed_as("hostile", &looping(office.house.folder()));
    office.upload(&hostile);
    let waiting = office.browser.address().replace(&address, "");
    let mut phone = office.house.phone("2103", 1500.0, Codec::Pcma);
    phone.dial("5550100");
    office.house.client.wait_call("a ringing call", SOON, |call| call.state == CallState::Ringing);

    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    keeping::log_a_week(&office.house.desk.store, i64::try_from(now.as_millis()).unwrap());

    let plugin = format!("/plugins/{LDAP}");
    let pages = [
        ("overview", "/".to_owned()),
        ("directories", "/directories".into()),
        ("directories-import", "/directories/import".into()),
        ("online", "/directories/online".into()),
        ("provisioning", "/provisioning".into()),
        ("update", "/update".into()),
        ("about", "/about".into()),
        ("plugins", "/plugins".into()),
        ("plugin", plugin.clone()),
        ("plugin-remove", format!("{plugin}/remove")),
        ("upload", waiting),
        ("accounts", "/accounts".into()),
        ("account", "/accounts/1".into()),
        ("audit", "/audit".into()),
        ("certificate", "/certificate".into()),
        ("own-account", "/account".into()),
        ("statistics", "/statistics".into()),
        ("statistics-week", "/statistics?span=week".into()),
        ("backup", "/backup".into()),
        ("diagnostics", "/diagnostics".into()),
        ("nothing", "/nothing".into()),
    ];
    for language in ["en", "fr"] {
        for (name, path) in &pages {
            office.browser.open(&format!("{address}/language/{language}?to={path}"));
            wrong.extend(look_at(&mut office.browser, &format!("{language}-{name}"), &checker));
        }
    }
    // A backup that waits.
    office.browser.open(&format!("{address}/language/en?to=/backup"));
    let file = keeping::backup(&mut office.browser);
    let folder = office.house.folder().to_owned();
    keeping::upload_backup(&mut office.browser, &folder, &file, keeping::PASSPHRASE);
    office.browser.press("Upload and look at it");
    for language in ["en", "fr"] {
        office.browser.open(&format!("{address}/language/{language}?to=/backup"));
        wrong.extend(look_at(&mut office.browser, &format!("{language}-backup-waits"), &checker));
    }
    // A token is shown once, in answer to a form; a failed test is told on the page.
    office.browser.open(&format!("{address}/language/en?to=/accounts"));
    let _ = office.make_token();
    wrong.extend(look_at(&mut office.browser, "en-token", &checker));
    office.browser.open(&format!("{address}{plugin}"));
    drop(office.server);
    office.browser.press("Test");
    wrong.extend(look_at(&mut office.browser, "en-plugin-failed", &checker));
    office.browser.press("Sign out");
    for language in ["en", "fr"] {
        office.browser.open(&format!("{address}/language/{language}?to=/sign-in"));
        wrong.extend(look_at(&mut office.browser, &format!("{language}-sign-in"), &checker));
    }
    // A check that finds nothing anywhere would show nothing: a page that is wrong is found to be.
    let spoil = "document.body.append(Object.assign(document.createElement('input'), { type: 'text' })); \
                 document.body.lastChild.style.minWidth = '1300px'";
    office.browser.evaluate(&format!("{spoil}; null"));
    let found = look_at(&mut office.browser, "spoilt", &checker).join("\n");
    assert!(found.contains("spoilt-wide is 13") && found.contains("spoilt-phone is 13"), "{found}");
    assert!(found.matches("\"impact\":\"critical\"").count() >= 2, "{found}");
    assert!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
