//! Directories by finger: the contact's menu and editor, undo, the search over all directories, mail, alerts.
//! The screen is the real one, the phones are baresip, the exchange is kamailio.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::picture::Area;
use frontdesk_tests::screen::{CALLS, GREEN, Screen, word};
use frontdesk_tests::sound::{A_TONE, B_TONE};
use frontdesk_tests::wait;
use ipc::{AlertKind, AlertSet, ContactForm, DirectoryId, Edit, LampState, NoticeKind};

const SOON: Duration = Duration::from_secs(10);
/// The directory with its head and what lies over it.
const PANE: Area = Area { x: 486, y: 84, width: 716, height: 590 };
/// The buttons at the right edge.
const RAIL: Area = Area { x: 1204, y: 60, width: 76, height: 420 };

/// Opens the menu of the contact with this first name.
#[track_caller]
fn menu_of(screen: &mut Screen, name: &str) -> String {
    let tile = screen.wait(name, SOON, |picture| word(picture, PANE, name));
    screen.long_press(tile.centre())
}

fn staff(house: &mut House) -> DirectoryId {
    house.client.wait("the directory", SOON, |view| !view.directories.is_empty()).directories[0].id
}

#[test]
fn dir_2_dir_9_a_contact_is_edited_through_its_menu_removed_and_brought_back() {
    let mut house = House::build(Digest::Md5);
    let mut screen = house.screen();
    let menu = menu_of(&mut screen, "Jonas");
    for row in ["Call", "Alert", "Contact"] {
        assert!(menu.contains(row), "{row:?} is not offered in {menu:?}");
    }
    screen.choose("Contact");
    screen.plate_says(&["Edit", "Add", "presence", "Remove"]);
    screen.choose("Edit");
    screen.says(PANE, &["Jonas", "Becker", "Save"]);
    screen.tap_word(PANE, "Company");
    screen.keys("Acme");
    screen.says(PANE, &["Acme"]);
    screen.keep("editor");
    screen.tap_word(PANE, "Save");
    wait::until("the company kept", SOON, || {
        (house.client.contact("Becker").company == "Acme").then_some(())
    });
    screen.says(PANE, &["Ingrid"]);

    menu_of(&mut screen, "Jonas");
    screen.choose("Contact");
    screen.plate_says(&["Remove"]);
    screen.choose("Remove");
    house.client.wait("one less", SOON, |view| view.directories[0].contacts == 2);
    screen.says(CALLS, &["Jonas", "Undo"]);
    screen.tap_word(CALLS, "Undo");
    house.client.wait("all of them", SOON, |view| view.directories[0].contacts == 3);
    assert_eq!(house.client.contact("Becker").company, "Acme");
}

#[test]
fn dir_7_the_search_over_all_directories_goes_to_the_contact_in_its_directory() {
    let mut house = House::build(Digest::Md5);
    let clients = Edit::AddDirectory { name: "Clients".into(), local: false };
    let clients = house.client.edit(clients).unwrap().1.unwrap();
    let anne = ContactForm {
        first_name: "Anne".into(),
        last_name: "Lefèvre".into(),
        company: "Moreau".into(),
        phone: "+33145672110".into(),
        ..ContactForm::default()
    };
    house.client.edit(Edit::AddContact { directory: clients, form: Box::new(anne) }).unwrap();
    let mut screen = house.screen();
    screen.says(PANE, &["Ingrid"]);
    screen.tap_word(RAIL, "Search");
    screen.says(PANE, &["all directories"]);
    screen.keys("xqz");
    screen.says(PANE, &["No contact matches", "Fewer letters"]);
    for _ in 0..3 {
        screen.key("Backspace");
    }
    screen.keys("lefev");
    screen.says(PANE, &["Anne", "Moreau", "Clients"]);
    screen.keep("finder");
    screen.key("Enter");
    house.client.wait("its directory in front", SOON, |view| view.front_directory == Some(clients));
    screen.wait("the contact in its directory", SOON, |picture| {
        let text = picture.text(PANE);
        (text.contains("Anne") && text.contains("Staff") && !text.contains("all directories")).then_some(())
    });
}

#[test]
fn dir_8_a_mail_has_the_call_in_the_ear_as_its_subject_and_other_addresses_are_refused() {
    let mut house = House::build(Digest::Md5);
    let directory = staff(&mut house);
    let form = ContactForm {
        first_name: "Paula".into(),
        last_name: "Weiss".into(),
        email: "paula@example.org".into(),
        web: "javascript:alert(1)".into(),
        ..ContactForm::default()
    };
    house.client.edit(Edit::AddContact { directory, form: Box::new(form) }).unwrap();
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550100");
    house.answer_next(&mut a);
    let mut screen = house.screen();
    menu_of(&mut screen, "Paula");
    screen.choose("Write");
    screen.plate_says(&["Scan", "tablet"]);
    screen.keep("mail");
    screen.key("Escape");
    screen.plate_closes();
    menu_of(&mut screen, "Paula");
    screen.choose("Open");
    screen.says(CALLS, &["neither"]);
}

#[test]
fn pre_7_an_alert_stands_bottom_right_and_its_button_picks_the_call_up() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", B_TONE, Codec::Pcma);
    let free = |view: &ipc::View| {
        view.lamps.iter().any(|lamp| lamp.number == "2102" && lamp.state == LampState::Available)
    };
    house.client.wait("Ingrid's phone free", SOON, free);
    let contact = house.client.contact("Solberg").id;
    let alerts = AlertSet { ringing: true, available: true, ..AlertSet::default() };
    house.client.edit(Edit::SetAlerts { contact, alerts }).unwrap();
    wait::until("the wish known", SOON, || (house.client.contact("Solberg").alerts == alerts).then_some(()));
    let mut screen = house.screen();
    screen.says(PANE, &["Ingrid"]);
    a.dial("2102");
    b.expect("CALL_INCOMING", SOON);
    screen.says(PANE, &["Phone rings"]);
    let button =
        screen.wait("the button", SOON, |picture| picture.areas(PANE, GREEN, (80, 40)).into_iter().next());
    assert!(button.x > 800 && button.y > 400, "bottom right: {button:?}");
    screen.keep("alert");
    screen.tap(button.centre());
    // baresip refuses Replaces: that it was asked for is what the button is for.
    house.client.wait("an intercept under way or refused", SOON, |view| {
        let refused = |notice: &ipc::Notice| matches!(notice.kind, NoticeKind::InterceptFailed { .. });
        view.outgoing.iter().any(|call| call.intercepted.is_some()) || view.notices.iter().any(refused)
    });
    b.accept();
    b.expect("CALL_ESTABLISHED", SOON);
    b.hang_up();
    house.client.wait("Ingrid free again", SOON, |view| {
        view.alerts.iter().any(|alert| alert.what == AlertKind::Available)
    });
    screen.says(PANE, &["Phone is free"]);
}
