//! The talking desk (ACC-7): what is said of calls, and of everything that the keyboard comes to.

use frontdesk_ui::link::Event;
use frontdesk_ui::scenes;
use frontdesk_ui::screen::{Desk, Directory, Menu, Screen};
use ipc::{CallState, Command, CommandError, Language, SpokenRank, View};
use slint::ComponentHandle;
use slint::platform::Key;

use crate::hands::Stage;

/// A view whose operator wants to hear what happens.
fn talking(mut view: View) -> View {
    view.preferences.speech = true;
    view
}

fn at_talking_desk(view: View) -> Stage {
    let stage = Stage::with(talking(view));
    stage.commands();
    stage
}

/// What was said since the last time.
fn said(stage: &Stage) -> Vec<(SpokenRank, String)> {
    let text = |command| match command {
        Command::Say { text, rank, .. } => Some((rank, text)),
        _ => None,
    };
    stage.commands().into_iter().filter_map(text).collect()
}

fn news(stage: &Stage) -> Vec<String> {
    said(stage).into_iter().filter(|(rank, _)| *rank == SpokenRank::News).map(|(_, text)| text).collect()
}

/// What is said of where one key leads.
#[track_caller]
fn place(stage: &Stage, key: impl Into<slint::SharedString>) -> String {
    said(stage);
    stage.key(key);
    let places: Vec<_> = said(stage).into_iter().filter(|(rank, _)| *rank == SpokenRank::Place).collect();
    assert!(!places.is_empty(), "nothing is said of it");
    places.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(" | ")
}

/// A later view.
fn then(stage: &Stage, change: impl FnOnce(&mut View)) -> View {
    let mut view = talking(scenes::empty());
    view.generation += 10;
    change(&mut view);
    stage.show(view.clone());
    view
}

fn helena(seconds: u64) -> ipc::CallView {
    scenes::ringing(7, scenes::outside("Helena Brandt", "+493055570142"), ("5550100", "Sales"), seconds)
}

#[test]
fn acc_7_the_name_of_a_caller_takes_the_place_of_the_number_that_is_being_read() {
    let stage = at_talking_desk(scenes::empty());
    let rings = |name: &str| {
        then(&stage, |view| {
            view.incoming =
                vec![scenes::ringing(7, scenes::outside(name, "+493055570142"), ("5550100", "Sales"), 1)];
        });
        let about = |command| match command {
            Command::Say { text, about, rank: SpokenRank::News, .. } => Some((text, about)),
            _ => None,
        };
        stage.commands().into_iter().filter_map(about).collect::<Vec<_>>()
    };
    let (number, name) = (rings(""), rings("Helena Brandt"));
    let ([(number, of)], [(name, of_the_same)]) = (&number[..], &name[..]) else {
        panic!("{number:?} {name:?}")
    };
    assert!(number.contains("5 5 5 7 0") && name.contains("Helena Brandt"), "{number}; {name}");
    assert_eq!((*of, *of_the_same), (Some(ipc::CallRef(7)), Some(ipc::CallRef(7))));
}

#[test]
fn acc_7_who_rings_talks_waits_and_goes_is_told() {
    let stage = at_talking_desk(scenes::empty());
    then(&stage, |view| view.incoming = vec![helena(3)]);
    assert_eq!(news(&stage), ["Helena Brandt, Ringing, to Sales"]);
    // The same again is no news.
    then(&stage, |view| view.incoming = vec![helena(9)]);
    assert_eq!(news(&stage), [""; 0]);
    // On its way to being answered is neither.
    then(&stage, |view| view.incoming = vec![ipc::CallView { state: CallState::Answering, ..helena(9) }]);
    assert_eq!(news(&stage), [""; 0]);
    then(&stage, |view| view.incoming = vec![ipc::CallView { state: CallState::Talking, ..helena(9) }]);
    assert_eq!(news(&stage), ["Helena Brandt, Talking, to Sales"]);
    let held = |since| {
        let mut call = ipc::CallView { state: CallState::Held, ..helena(9) };
        call.held_since_ms = Some(since);
        call
    };
    then(&stage, |view| view.incoming = vec![held(view.now_ms)]);
    assert_eq!(news(&stage), ["Helena Brandt, On hold, to Sales"]);
    // Forgotten for longer than the operator wants: said once.
    for _ in 0..3 {
        then(&stage, |view| {
            view.now_ms += 500_000;
            view.incoming = vec![held(view.now_ms - view.preferences.hold_alarm_ms - 5_000)];
        });
    }
    let late = news(&stage);
    assert_eq!(late.len(), 1, "{late:?}");
    assert!(late[0].starts_with("Helena Brandt has been on hold for 2:0"), "{late:?}");
    then(&stage, |_| {});
    assert_eq!(news(&stage), ["Helena Brandt: the call is over"]);
    then(&stage, |view| view.incoming = vec![helena(1)]);
    said(&stage);
    then(&stage, |_| {});
    assert_eq!(news(&stage), ["Helena Brandt rings no more"]);
}

#[test]
fn acc_7_what_the_desk_itself_does_is_told() {
    let stage = at_talking_desk(scenes::empty());
    then(&stage, |view| view.operator.muted = true);
    assert_eq!(news(&stage), ["Microphone off"]);
    then(&stage, |view| view.operator.availability = ipc::Availability::DoNotDisturb);
    assert_eq!(news(&stage), ["Microphone on", "Do not disturb"]);
    then(&stage, |view| view.service.mode = ipc::ServiceMode::Night);
    assert_eq!(news(&stage), ["Available", "Night service"]);
    then(&stage, |view| {
        view.service.mode = ipc::ServiceMode::Night;
        view.counters.missed += 2;
        view.counters.voicemail += 1;
    });
    assert_eq!(news(&stage), ["3 missed calls", "4 voice messages"]);
    stage.event(Event::Disconnected);
    stage.event(Event::Connected);
    assert_eq!(news(&stage), ["Connected to the desk"]);
}

#[test]
fn acc_7_the_whole_desk_is_read_out_when_it_is_asked_for() {
    let stage = at_talking_desk(scenes::picture());
    said(&stage);
    stage.control("j");
    let answers = said(&stage);
    let [(SpokenRank::Answer, text)] = &answers[..] else { panic!("{answers:?}") };
    for part in ["calls ring", "on hold", "Talking", "Ringing", ":"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn acc_7_contacts_are_read_with_what_their_phones_do() {
    let stage = at_talking_desk(scenes::picture());
    // From the incoming calls past the outgoing ones.
    while !stage.app.global::<Directory>().get_focused() {
        stage.key(Key::F5);
    }
    stage.key(Key::End);
    let first = place(&stage, Key::Home);
    assert!(first.contains(", Available") || first.contains(", Busy"), "{first}");
    let next = place(&stage, Key::DownArrow);
    assert!(!next.is_empty() && next != first);
    // Letters, how many are found, and the first of them.
    stage.key(Key::F3);
    let found = place(&stage, "m");
    assert!(found.contains('m') && found.contains("match"), "{found}");
}

#[test]
fn acc_7_menus_questions_and_switches_are_read() {
    let stage = at_talking_desk(scenes::picture());
    let menu = place(&stage, "/");
    assert!(menu.contains('.') || !menu.is_empty(), "{menu}");
    let row = place(&stage, Key::DownArrow);
    assert!(!row.is_empty());
    stage.key(Key::Escape);
    stage.control("p");
    for _ in 0..8 {
        let stop = place(&stage, Key::DownArrow);
        assert!(!stop.is_empty());
    }
    stage.key(Key::Escape);
    stage.control("l");
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Log);
    let row = place(&stage, Key::DownArrow);
    assert!(row.contains("incoming") || row.contains("outgoing"), "{row}");
    stage.control("d");
    let screen: Vec<_> = said(&stage);
    assert!(screen.iter().any(|(_, text)| text.contains("Reminders")), "{screen:?}");
}

/// What is read of the question whether to leave something unsaved, and of two keys to the left of its first answer.
#[track_caller]
fn leaves_by_ear(stage: &Stage) {
    let asked = place(stage, Key::Escape);
    assert!(asked.starts_with("Leave without saving? Keep editing"), "{asked}");
    let answers = [place(stage, Key::LeftArrow), place(stage, Key::LeftArrow)];
    assert!(answers[0].starts_with("Discard") && answers[1].starts_with("Save"), "{answers:?}");
}

#[test]
fn acc_7_set_1_whether_to_leave_the_settings_is_asked_aloud() {
    let stage = at_talking_desk(scenes::empty());
    stage.tap(stage.middle("Settings"));
    stage.tap(stage.middle("Light"));
    leaves_by_ear(&stage);
}

#[test]
fn acc_7_dir_2_whether_to_leave_a_contact_is_asked_aloud() {
    let stage = at_talking_desk(scenes::picture());
    stage.right_click(stage.spot("Alice Fournier"));
    stage.tap(stage.middle("Contact…"));
    stage.tap(stage.middle("Edit the contact"));
    stage.settle();
    stage.write("x");
    leaves_by_ear(&stage);
}

#[test]
fn acc_7_rem_1_whether_to_leave_a_reminder_is_asked_aloud() {
    let stage = at_talking_desk(scenes::empty());
    stage.have_reminders(scenes::reminders());
    then(&stage, |view| view.reminders.generation = 10);
    stage.tap(stage.middle("Reminders"));
    stage.double_tap(stage.spot("Ask about the contract"));
    stage.write("!");
    leaves_by_ear(&stage);
}

#[test]
fn acc_7_acc_1_somebody_signs_in_by_ear() {
    let stage = Stage::with(scenes::signed_out(5));
    stage.commands();
    // Nobody's preferences are known yet: the key is there.
    stage.control("k");
    let begun: Vec<String> = said(&stage).into_iter().map(|(_, text)| text).collect();
    let begun = begun.join(" ");
    for part in ["reads aloud", "Sign in", "Choose your name first"] {
        assert!(begun.contains(part), "{part} in {begun}");
    }
    let name = place(&stage, Key::DownArrow);
    assert!(!name.is_empty());
    stage.key(Key::Return);
    said(&stage);
    assert_eq!(place(&stage, "4"), "1 digit");
    assert_eq!(place(&stage, "7"), "2 digits");
    // Never which.
    assert!(!place(&stage, "1").contains("4 7 1"));
}

#[test]
fn acc_7_acc_1_the_letters_that_find_a_name_are_said_as_in_every_field() {
    let stage = Stage::with(scenes::signed_out(12));
    stage.control("k");
    let letter = |said: &str, letter: &str| said.split(" | ").any(|one| one == letter);
    let first = place(&stage, "d");
    assert!(letter(&first, "d"), "{first}");
    let second = place(&stage, "u");
    assert!(letter(&second, "u"), "{second}");
    // The one that goes is said, too.
    let back = place(&stage, Key::Backspace);
    assert!(letter(&back, "u"), "{back}");
}

#[test]
fn acc_7_the_key_for_it_is_kept_with_the_operators_preferences() {
    let stage = Stage::with(scenes::empty());
    stage.commands();
    stage.control("k");
    let wished = stage.commands();
    let speech = |wished: &[Command]| match wished {
        [Command::SavePreferences(wish)] => wish.speech,
        other => panic!("{other:?}"),
    };
    assert!(speech(&wished));
    stage.answer(Ok(()));
    then(&stage, |_| {});
    assert_eq!(said(&stage)[0].1, "The desk reads aloud");
    stage.control("k");
    assert!(!speech(
        &stage.commands().into_iter().filter(|c| !matches!(c, Command::Say { .. })).collect::<Vec<_>>()
    ));
    stage.show(View { generation: 99, ..scenes::empty() });
    assert_eq!(news(&stage), ["The desk does not read aloud"]);
    stage.key(Key::F3);
    assert_eq!(said(&stage), []);
}

#[test]
fn acc_7_it_speaks_the_language_of_the_screen_and_says_once_that_it_cannot() {
    let stage = at_talking_desk(scenes::empty());
    then(&stage, |view| {
        view.preferences.language = Language::French;
        view.incoming = vec![helena(3)];
    });
    let commands = stage.commands();
    let rings = commands.iter().find_map(|command| match command {
        Command::Say { text, language: Language::French, rank: SpokenRank::News, .. } => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(rings, Some("Helena Brandt, Sonne, pour Sales"));
    let refused = || Err(CommandError::Failed { reason: "espeak-ng does not start".into() });
    let notices = || slint::Model::row_count(&stage.app.global::<frontdesk_ui::screen::Calls>().get_ledger());
    assert_eq!(notices(), 0);
    for _ in 0..3 {
        stage.key(Key::F3);
        if stage.commands().iter().any(|command| matches!(command, Command::Say { .. })) {
            stage.answer(refused());
        }
        stage.key(Key::F4);
        if stage.commands().iter().any(|command| matches!(command, Command::Say { .. })) {
            stage.answer(refused());
        }
    }
    assert_eq!(notices(), 1);
}

#[test]
fn call_12_acc_7_a_menu_over_the_search_bar_takes_enter_and_escape() {
    let stage = at_talking_desk(scenes::picture());
    stage.key(Key::F3);
    stage.write("m");
    stage.key(Key::F8);
    let menu = stage.app.global::<Menu>();
    assert!(menu.get_open());
    stage.key(Key::Escape);
    assert!(!menu.get_open());
    assert_eq!(stage.app.global::<Directory>().get_query(), "m", "the field keeps its text");
    said(&stage);
    stage.key(Key::F8);
    stage.key(Key::Return);
    let sent: Vec<Command> =
        stage.commands().into_iter().filter(|command| !matches!(command, Command::Say { .. })).collect();
    // What the menu offered first, and no call to the contact.
    assert!(!menu.get_open());
    assert!(matches!(&sent[..], [Command::BlindTransfer { .. }]), "{sent:?}");
}

#[test]
fn acc_7_acc_1_a_locked_screen_says_that_somebody_rings_and_never_who() {
    let stage = at_talking_desk(scenes::signed_in());
    stage.show(View { generation: 50, ..talking(scenes::locked_at_rest()) });
    said(&stage);
    let mut view = View { generation: 60, ..talking(scenes::locked_at_rest()) };
    view.incoming = vec![helena(3)];
    view.counters.ringing += 1;
    stage.show(view.clone());
    stage.control("j");
    // Lamps turn and a transfer ends below.
    let mut view = View { generation: 70, ..view };
    view.incoming[0].state = CallState::Held;
    view.incoming[0].held_since_ms = Some(0);
    view.now_ms += 500_000;
    stage.show(view);
    stage.wait(1_000);
    stage.show(View { generation: 80, ..talking(scenes::locked_at_rest()) });
    let said: Vec<String> = said(&stage).into_iter().map(|(_, text)| text).collect();
    assert!(said.iter().any(|text| text.contains("1 call rings")), "{said:?}");
    assert!(!said.iter().any(|text| text.contains("Helena") || text.contains("5 5")), "{said:?}");
}
