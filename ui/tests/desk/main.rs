//! What a hand does and what the desk is then asked to do. Mock time, no window, no sleeping.

#![allow(clippy::unwrap_used, reason = "tests")]

mod aloud;
mod board;
mod contacts;
mod control;
mod customers;
mod directories;
mod elsewhere;
mod faces;
mod finder;
mod hands;
mod hurry;
mod log;
mod marks;
mod note;
mod page;
mod privacy;
mod reminders;
mod settings;
mod sign_in;
mod sound;
mod statistics;
mod take_over;
mod told;
mod updates;
mod watch;

use frontdesk_ui::link::Event;
use frontdesk_ui::scenes;
use frontdesk_ui::screen::{
    Calls, Desk, Directory, Drag, DropVerdict, Keypad, LampKind, LinkCard, Log, Menu, MenuWord, NumberMatch,
    Panes, Prompt, Screen, SearchState,
};
use hands::Stage;
use i_slint_core::input::TouchPhase;
use ipc::{CallRef, CallState, Command, CommandError, HookAction, LampState, Language, Theme};
use slint::platform::{Key, PointerEventButton};
use slint::{ComponentHandle, LogicalPosition, Model};

fn answer(call: u64) -> Command {
    Command::Answer { call: CallRef(call) }
}

/// One call rings, nothing else.
fn one_ringing() -> ipc::View {
    let mut view = scenes::empty();
    view.incoming =
        vec![scenes::ringing(7, scenes::outside("Helena Brandt", "+493055570142"), ("5550100", "Sales"), 3)];
    view
}

#[test]
fn call_1_a_ringing_call_is_answered_by_one_tap_on_answer() {
    let stage = Stage::with(one_ringing());
    let place = stage.middle("Answer");
    stage.tap(place);
    assert_eq!(stage.commands(), [answer(7)]);
}

#[test]
fn call_7_double_tap_answers_and_retrieves() {
    let stage = Stage::with(scenes::picture());
    stage.double_tap(stage.spot("Anonymous"));
    assert_eq!(stage.commands(), [answer(2)]);
    stage.double_tap(stage.spot("Tomás Rivera"));
    assert_eq!(stage.commands(), [Command::Retrieve { call: CallRef(3) }]);
}

#[test]
fn call_7_double_tap_holds_the_call_that_talks() {
    let stage = Stage::with(scenes::picture());
    let card = LogicalPosition::new(240., stage.find("Hang up").absolute_position().y - 40.);
    stage.double_tap(card);
    assert_eq!(stage.commands(), [Command::Hold { call: CallRef(5) }]);
}

#[test]
fn call_7_dir_8_two_taps_of_a_finger_do_what_two_clicks_do() {
    let stage = Stage::with(scenes::picture());
    stage.finger_taps_twice(stage.spot("Anonymous"));
    assert_eq!(stage.commands(), [answer(2)]);
    stage.finger_taps_twice(stage.spot("Grace Kim"));
    assert!(matches!(stage.commands()[..], [Command::Dial { .. }]));
    stage.finger_taps_twice(stage.middle("Registered"));
    assert_eq!(stage.commands(), [Command::Register { on: false }]);
}

#[test]
fn two_taps_far_from_each_other_or_slow_are_two_taps() {
    let stage = Stage::with(scenes::picture());
    let place = stage.spot("Anonymous");
    stage.tap(place);
    stage.tap(LogicalPosition::new(place.x + 150., place.y));
    assert_eq!(stage.commands(), []);
    stage.wait(600);
    stage.tap(place);
    stage.wait(600);
    stage.tap(place);
    assert_eq!(stage.commands(), []);
}

#[test]
fn two_taps_on_two_cards_that_changed_places_are_no_double_tap() {
    let stage = Stage::with(scenes::picture());
    let place = stage.spot("Helena Brandt");
    stage.tap(place);
    let mut view = scenes::picture();
    view.incoming.remove(0);
    stage.show(view);
    stage.tap(place);
    assert_eq!(stage.commands(), []);
}

#[test]
fn the_cards_stay_under_the_finger_until_it_is_lifted() {
    let stage = Stage::with(scenes::picture());
    let place = stage.spot("Anonymous");
    stage.press(place, PointerEventButton::Left);
    let mut view = scenes::picture();
    view.incoming.remove(0);
    stage.show(view);
    assert_eq!(stage.spot("Anonymous"), place, "moved under the finger");
    stage.release(place, PointerEventButton::Left);
    assert!(stage.spot("Anonymous").y < place.y, "caught up on release");
}

#[test]
fn call_8_long_press_opens_the_menu_of_the_view_and_is_no_tap() {
    let stage = Stage::with(scenes::picture());
    let place = stage.spot("Tomás Rivera");
    stage.finger(TouchPhase::Started, place);
    stage.wait(700);
    stage.finger(TouchPhase::Ended, place);
    stage.settle();
    let menu = stage.app.global::<Menu>();
    assert!(menu.get_open());
    assert_eq!(
        menu.get_entries().row_count(),
        8,
        "Retrieve, Transfer, to voicemail, Remind me, Add to, E-mail, Report a problem, Hang up"
    );
    assert_eq!(stage.commands(), []);
    stage.tap(stage.middle("Transfer to…"));
    assert!(stage.app.global::<Prompt>().get_open());
    assert!(!menu.get_open());
}

#[test]
fn call_8_right_click_opens_the_menu_and_a_row_acts() {
    let stage = Stage::with(scenes::picture());
    stage.right_click(stage.spot("Tomás Rivera"));
    stage.tap(stage.middle("Retrieve"));
    assert_eq!(stage.commands(), [Command::Retrieve { call: CallRef(3) }]);
}

#[test]
fn crm_1_the_customers_page_is_in_the_menu_of_a_call_that_has_one() {
    let stage = Stage::with(scenes::picture());
    let crm = stage.app.global::<LinkCard>();
    stage.right_click(stage.spot("Helena Brandt"));
    stage.tap(stage.middle("Customer page"));
    assert!(crm.get_open() && crm.get_address().ends_with("%2B493055570142"), "{}", crm.get_address());
    stage.key(Key::Escape);
    assert!(!crm.get_open());
    stage.right_click(stage.spot("Tomás Rivera"));
    assert!(!stage.has("Customer page"));
    assert_eq!(stage.commands(), []);
}

#[test]
fn call_9_a_card_dragged_by_mouse_onto_a_contact_is_transferred() {
    let stage = Stage::with(scenes::picture());
    let to = stage.middle("Ingrid Solberg");
    stage.mouse_drag(stage.spot("Tomás Rivera"), to);
    let drag = stage.app.global::<Drag>();
    assert_eq!((drag.get_verdict(), drag.get_target().as_str()), (DropVerdict::Transfer, "Ingrid Solberg"));
    stage.release(to, PointerEventButton::Left);
    assert_eq!(stage.commands(), [Command::BlindTransfer { call: CallRef(3), to: "2110".into() }]);
    assert!(!drag.get_active());
}

#[test]
fn call_9_a_card_dragged_by_finger_onto_a_contact_is_transferred() {
    let stage = Stage::with(scenes::picture());
    stage.finger_drag(50, stage.spot("Tomás Rivera"), stage.middle("Hugo Almeida"));
    assert_eq!(stage.commands(), [Command::BlindTransfer { call: CallRef(3), to: "2109".into() }]);
    assert!(!stage.app.global::<Menu>().get_open());
}

#[test]
fn call_9_a_long_press_that_becomes_a_drag_leaves_the_selection_as_it_was() {
    let stage = Stage::with(scenes::picture());
    let selected = || stage.app.global::<Calls>().get_selected();
    let before = selected();
    assert_ne!(before, "3");
    let opened = || stage.app.global::<Calls>().get_opened();
    let (from, to) = (stage.spot("Tomás Rivera"), stage.middle("Hugo Almeida"));
    stage.finger(TouchPhase::Started, from);
    stage.wait(1_000);
    assert!(stage.app.global::<Menu>().get_open(), "then there would be nothing to put back");
    for step in 1..=40_u8 {
        let part = f32::from(step) / 40.;
        let at = LogicalPosition::new(from.x + (to.x - from.x) * part, from.y + (to.y - from.y) * part);
        stage.wait(50);
        stage.finger(TouchPhase::Moved, at);
    }
    assert!(stage.app.global::<Drag>().get_active() && !stage.app.global::<Menu>().get_open());
    assert_eq!((selected(), opened()), (before.clone(), before.clone()), "in mid-air");
    stage.finger(TouchPhase::Ended, to);
    assert_eq!(stage.commands(), [Command::BlindTransfer { call: CallRef(3), to: "2109".into() }]);
    assert_eq!(selected(), before);
}

#[test]
fn call_9_a_drop_that_cannot_work_says_so_and_does_nothing() {
    let stage = Stage::with(scenes::picture());
    let to = stage.middle("Ingrid Solberg");
    stage.mouse_drag(stage.spot("Nadia Okafor"), to);
    assert_eq!(stage.app.global::<Drag>().get_verdict(), DropVerdict::NotNow);
    stage.release(to, PointerEventButton::Left);
    assert_eq!(stage.commands(), []);
    let drag = stage.app.global::<Drag>();
    drag.invoke_over(slint::DataTransfer::default(), 0, 1., 1.);
    assert!(!drag.get_active(), "somebody else's drag is none of ours");
}

#[test]
fn call_9_the_way_without_dragging() {
    let stage = Stage::with(scenes::picture());
    stage.tap(stage.spot("Ingrid Solberg"));
    assert!(stage.app.global::<Directory>().get_transfer_ready());
    assert_eq!(stage.app.global::<Directory>().get_transfer_who(), "Marie Laurent");
    stage.app.global::<Directory>().invoke_transfer_here();
    assert_eq!(stage.commands(), [Command::BlindTransfer { call: CallRef(5), to: "2110".into() }]);
    assert!(!stage.app.global::<Directory>().get_transfer_ready());
}

/// The tiles that can be seen whole, by name and height on the screen: the upper edge of each, and the lower.
fn tiles_in_sight(stage: &Stage) -> Vec<(String, f32, f32)> {
    let field = stage.find("Search Staff").absolute_position().y;
    let tabs = stage.middle("Menu of the directory").y;
    let tiles = i_slint_backend_testing::ElementHandle::find_by_element_type_name(&stage.app, "TileView");
    let placed = tiles.filter_map(|tile| {
        let (name, from) = (tile.accessible_label()?, tile.absolute_position().y);
        Some((name.to_string(), from, from + tile.size().height))
    });
    placed.filter(|(_, from, to)| *from > tabs && *to <= field).collect()
}

#[test]
fn call_9_the_bar_of_the_transfer_covers_nobody_who_was_tapped() {
    let stage = Stage::with(scenes::picture());
    let x = stage.spot("Ingrid Solberg").x;
    let whole = tiles_in_sight(&stage);
    let lowest = whole.iter().max_by(|one, other| one.2.total_cmp(&other.2)).unwrap().clone();
    stage.tap(LogicalPosition::new(x, lowest.1 + 30.));
    stage.settle();
    assert!(stage.app.global::<Directory>().get_transfer_ready());
    let name = stage.app.global::<Directory>().get_transfer_to();
    let bar = stage.find("Leave it").absolute_position().y;
    let now = tiles_in_sight(&stage);
    let tapped = now.iter().find(|tile| tile.0 == name.as_str()).unwrap();
    assert!(tapped.2 <= bar, "{tapped:?} {bar}");
    // Whoever can be seen beside it stays where the finger is.
    let free: Vec<_> = now.iter().filter(|tile| tile.2 <= bar).collect();
    let other = free.iter().min_by(|one, other| one.1.total_cmp(&other.1)).unwrap();
    stage.tap(LogicalPosition::new(x, other.1 + 30.));
    stage.settle();
    assert_eq!(tiles_in_sight(&stage), now);
}

#[test]
fn pre_1_what_a_phone_does_is_whole_where_there_is_no_room_for_the_number_it_talks_to() {
    let mut view = scenes::picture();
    view.preferences.language = Language::French;
    let stage = Stage::with(view);
    // With two columns there is room for both.
    assert!(stage.has("Occupé · +49 89 555 1180") && !stage.has("Occupé"));
    // Beside calls as wide as they can be the one column is narrower.
    stage.app.global::<Panes>().invoke_move_calls(2_000.);
    stage.settle();
    assert_eq!(stage.app.global::<Directory>().get_columns(), 1);
    assert!(stage.has("Occupé"));
}

#[test]
fn call_10_the_dial_bar_dials_and_gives_back_what_was_refused() {
    let stage = Stage::with(scenes::empty());
    stage.key(Key::F4);
    stage.write("2110");
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::Dial { number: "2110".into(), line: None }]);
    let calls = stage.app.global::<Calls>();
    assert_eq!(calls.get_number(), "");
    // Sequence numbers count up from one; the dial was the newest request.
    for seq in 0..50 {
        stage.event(Event::Done { seq, result: Err(CommandError::NotRegistered) });
    }
    assert_eq!(calls.get_number(), "2110");
    assert!(stage.has("The line is not registered"));
    // The keyboard is there as well: Enter tries again, but not one that is still held.
    stage.commands();
    stage.held(Key::Return, 3);
    assert_eq!(stage.commands(), []);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::Dial { number: "2110".into(), line: None }]);
    // Who has gone on to the directory meanwhile stays there.
    stage.key(Key::F5);
    stage.answer(Err(CommandError::NotRegistered));
    assert_eq!(calls.get_number(), "2110");
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::Dial { number: "2101".into(), line: None }]);
}

#[test]
fn call_11_transfer_asks_for_a_number_or_a_name() {
    let stage = Stage::with(scenes::picture());
    stage.tap(stage.middle("Transfer"));
    stage.write("2199");
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::BlindTransfer { call: CallRef(5), to: "2199".into() }]);
    stage.tap(stage.middle("Transfer"));
    stage.write("solb");
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::BlindTransfer { call: CallRef(5), to: "2110".into() }]);
    assert!(!stage.app.global::<Prompt>().get_open());
}

#[test]
fn call_11_who_rings_meanwhile_is_answered_beside_the_question() {
    let stage = Stage::with(scenes::picture());
    stage.tap(stage.middle("Transfer"));
    assert!(stage.app.global::<Prompt>().get_open());
    stage.commands();
    stage.tap(stage.spot("Helena Brandt"));
    assert!(stage.app.global::<Prompt>().get_open(), "a touch beside it takes nothing away");
    stage.wait(600);
    stage.tap(stage.middle("Answer"));
    assert_eq!(stage.commands(), [answer(1)]);
}

#[test]
fn call_11_nobody_is_transferred_to_themselves() {
    let stage = Stage::with(scenes::picture());
    stage.tap(stage.middle("Transfer"));
    stage.write("mar");
    let offered = stage.app.global::<Prompt>().get_suggestions();
    let names: Vec<_> = offered.iter().map(|one| one.name.to_string()).collect();
    assert!(!names.is_empty() && !names.contains(&"Marie Laurent".to_owned()), "{names:?}");
    assert_eq!(stage.app.global::<Prompt>().get_cursor(), 0);
}

#[test]
fn call_9_the_menu_of_a_contact_tells_the_mobile_from_the_phone() {
    let stage = Stage::with(scenes::picture());
    stage.right_click(stage.spot("Alice Fournier"));
    let menu = stage.app.global::<Menu>();
    let mobile = menu.get_entries().iter().position(|entry| entry.word == MenuWord::TransferWhoMobile);
    assert!(stage.has("Transfer Marie Laurent here"));
    assert!(stage.has("To this mobile: Marie Laurent"));
    stage.commands();
    menu.invoke_choose(i32::try_from(mobile.unwrap()).unwrap());
    let to = "+49 151 5550 0000".to_owned();
    assert_eq!(stage.commands(), [Command::BlindTransfer { call: CallRef(5), to }]);
}

#[test]
fn call_12_keys_answer_move_and_hang_up() {
    let stage = Stage::with(scenes::picture());
    stage.key(Key::Home);
    assert_eq!(stage.app.global::<Calls>().get_selected(), "1");
    stage.key(Key::Insert);
    stage.key(Key::DownArrow);
    stage.key(Key::F7);
    stage.key(Key::F9);
    stage.key(Key::F10);
    let hook = |action| Command::Hook { action };
    let reject = Command::Reject { call: CallRef(2) };
    assert_eq!(stage.commands(), [answer(1), reject, hook(HookAction::Next), hook(HookAction::HangUpActive)]);
}

#[test]
fn call_12_the_transfer_menu_by_keys() {
    let stage = Stage::with(scenes::picture());
    stage.key(Key::F5);
    for _ in 0..4 {
        stage.key(Key::DownArrow);
    }
    stage.key(Key::RightArrow);
    stage.key("+");
    assert!(stage.app.global::<Menu>().get_open());
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::BlindTransfer { call: CallRef(5), to: "2110".into() }]);
    stage.key(Key::F8);
    stage.key(Key::Escape);
    assert!(!stage.app.global::<Menu>().get_open());
    assert_eq!(stage.commands(), []);
}

#[test]
fn call_12_insert_calls_the_contact_under_the_keyboard() {
    let stage = Stage::with(scenes::empty());
    stage.key(frontdesk_ui::keys::CLEAR);
    stage.key(Key::RightArrow);
    stage.key(Key::Insert);
    assert_eq!(stage.commands(), [Command::Dial { number: "2102".into(), line: None }]);
}

#[test]
fn a_new_call_takes_neither_the_selection_nor_the_keyboard() {
    let mut view = scenes::picture();
    view.incoming.remove(0);
    let stage = Stage::with(view);
    stage.key(Key::F3);
    stage.write("ma");
    stage.show(scenes::picture());
    stage.write("r");
    assert_eq!(stage.app.global::<Directory>().get_query(), "mar");
    assert_eq!(stage.app.global::<Calls>().get_selected(), "5");
}

#[test]
fn dir_6_search_filters_and_colours_and_escape_clears() {
    let stage = Stage::with(scenes::empty());
    stage.key(Key::F3);
    stage.write("mar");
    let directory = stage.app.global::<Directory>();
    assert_eq!((directory.get_total(), directory.get_search()), (2, SearchState::Hits));
    assert_eq!(directory.get_cursor(), 0, "the first match is highlighted");
    assert!(stage.has("Marie Laurent") && !stage.has("Alice Fournier"));
    stage.write("xq");
    assert_eq!((directory.get_total(), directory.get_search()), (0, SearchState::None));
    stage.key(Key::Escape);
    assert_eq!((directory.get_query().as_str(), directory.get_search()), ("", SearchState::Idle));
    assert!(stage.has("Alice Fournier"));
}

#[test]
fn dir_8_double_tap_and_the_little_icons_call() {
    let stage = Stage::with(scenes::empty());
    stage.double_tap(stage.spot("Grace Kim"));
    assert_eq!(stage.commands(), [Command::Dial { number: "2108".into(), line: None }]);
    stage.tap(stage.middle("Call mobile"));
    assert_eq!(stage.commands(), [Command::Dial { number: "+49 151 5550 0000".into(), line: None }]);
}

#[test]
fn pre_1_a_lamp_touches_its_own_row_only() {
    let stage = Stage::with(scenes::empty());
    let rows = stage.app.global::<Directory>().get_rows();
    let lamp = |row: usize, column: usize| rows.row_data(row).unwrap().lamps.row_data(column).unwrap().kind;
    let (first, second) = (rows.row_data(0).unwrap(), rows.row_data(1).unwrap());
    assert_eq!(lamp(0, 0), LampKind::Available);
    let mut view = scenes::empty();
    std::sync::Arc::make_mut(&mut view.lamps[0]).state = LampState::DoNotDisturb;
    stage.show(view);
    assert_eq!(lamp(0, 0), LampKind::DoNotDisturb);
    // The very same models: nothing was rebuilt, neither here nor next door.
    assert!(rows.row_data(0).unwrap().tiles == first.tiles && rows.row_data(0).unwrap().lamps == first.lamps);
    assert!(rows.row_data(1).unwrap().lamps == second.lamps);
}

#[test]
fn pre_1_without_the_desk_no_lamp_is_green() {
    let stage = Stage::with(scenes::empty());
    stage.event(Event::Disconnected);
    assert!(stage.has("Desk service not reachable, reconnecting…"));
    let rows = stage.app.global::<Directory>().get_rows();
    for row in 0..6 {
        for lamp in rows.row_data(row).unwrap().lamps.iter() {
            assert!(matches!(lamp.kind, LampKind::Unknown | LampKind::None), "row {row}");
        }
    }
    stage.event(Event::Connected);
    stage.show(scenes::empty());
    assert!(!stage.has("Desk service not reachable, reconnecting…"));
    assert_eq!(rows.row_data(0).unwrap().lamps.row_data(0).unwrap().kind, LampKind::Available);
}

#[test]
fn acc_4_french_comes_with_the_view_and_changes_everything() {
    let stage = Stage::with(one_ringing());
    assert!(stage.has("Answer"));
    let mut view = one_ringing();
    view.preferences.language = Language::French;
    view.preferences.theme = Theme::Light;
    stage.show(view);
    for word in ["Répondre", "Refuser", "Annuaire", "Réglages", "Disponible"] {
        assert!(stage.has(word), "{word}");
    }
    assert!(!stage.has("Answer") && !stage.has("Directory"));
    stage.tap(stage.middle("Réglages"));
    stage.commands();
    stage.tap(stage.middle("English"));
    assert!(stage.has("Answer") && !stage.has("Répondre"), "seen before it is saved");
}

#[test]
fn bar_1_missed_calls_are_listed_and_forgotten() {
    let stage = Stage::with(scenes::empty());
    stage.tap(stage.middle("1 missed call"));
    assert_eq!(stage.commands(), [Command::ClearMissed]);
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Log);
    let log = stage.app.global::<Log>();
    assert!(log.get_filtered());
    assert_eq!(log.get_rows().row_count(), 2);
    stage.double_tap(stage.spot("Atelier Lumière"));
    assert_eq!(stage.commands(), [Command::Dial { number: "+33 4 72 00 11 22".into(), line: None }]);
}

#[test]
fn bar_3_the_keypad_sends_digits_to_the_talking_call() {
    let stage = Stage::with(scenes::picture());
    stage.tap(stage.middle("Keypad"));
    stage.tap(stage.middle("5"));
    stage.key("#");
    let digit = |digits: &str| Command::Digits { call: CallRef(5), digits: digits.into() };
    assert_eq!(stage.commands(), [digit("5"), digit("#")]);
    assert_eq!(stage.app.global::<Keypad>().get_sent(), "5#");
    let mut view = scenes::picture();
    view.talk = None;
    view.outgoing.clear();
    stage.show(view);
    assert!(!stage.app.global::<Keypad>().get_open(), "the call it was for is gone");
}

#[test]
fn ops_2_and_3_pills_act_on_double_tap_only() {
    let stage = Stage::with(scenes::picture());
    stage.tap(stage.middle("Registered"));
    stage.wait(600);
    assert_eq!(stage.commands(), []);
    stage.double_tap(stage.middle("Registered"));
    stage.double_tap(stage.middle("Audio"));
    stage.double_tap(stage.middle("In call"));
    let hang_up = Command::Hook { action: HookAction::HangUpActive };
    assert_eq!(stage.commands(), [Command::Register { on: false }, Command::Audio { on: false }, hang_up]);
}

#[test]
fn call_5_the_menu_says_why_the_number_is_the_contacts() {
    let stage = Stage::with(scenes::picture());
    stage.right_click(stage.spot("Tomás Rivera"));
    assert_eq!(stage.app.global::<Menu>().get_matched(), NumberMatch::Extension);
    stage.right_click(stage.spot("Anonymous"));
    stage.settle();
    stage.app.global::<Menu>().invoke_close();
    stage.right_click(stage.spot("Anonymous"));
    assert_eq!(stage.app.global::<Menu>().get_matched(), NumberMatch::None);
}

#[test]
fn bar_1_a_tap_on_the_voice_messages_calls_the_mailbox_where_it_is_known() {
    let stage = Stage::with(scenes::picture());
    let place = stage.middle("3 voice messages");
    stage.tap(place);
    assert_eq!(stage.commands(), [Command::Dial { number: "*97".into(), line: None }]);
    stage.show(ipc::View { mailbox: None, ..scenes::picture() });
    stage.tap(place);
    assert_eq!(stage.commands(), []);
}

#[test]
fn ops_3_in_a_conference_the_handset_is_off_the_hook_and_leaves_it() {
    let stage = Stage::with(scenes::conference());
    stage.double_tap(stage.middle("In call"));
    assert_eq!(stage.commands(), [Command::Hook { action: HookAction::HangUpActive }]);
}

#[test]
fn call_13_a_transfers_end_stays_until_it_is_dismissed() {
    // Something else was said before it ended; on a small screen two entries are seen at once, the others are scrolled to.
    let stage = Stage::with(scenes::fates());
    let row = stage.find("Tomás Rivera → Ingrid Solberg");
    assert_eq!(row.accessible_description().unwrap(), "answered");
    let at = row.absolute_position();
    stage.tap(LogicalPosition::new(at.x + row.size().width - 24., at.y + 24.));
    assert_eq!(stage.commands(), [Command::DismissTransfer { transfer: ipc::TransferId(5) }]);
    assert!(stage.has("Tomás Rivera → Ingrid Solberg"), "the desk decides when it goes");
}

#[test]
fn a_menu_leaves_with_the_call_it_was_for() {
    let stage = Stage::with(scenes::picture());
    stage.right_click(stage.spot("Anonymous"));
    let mut view = scenes::picture();
    view.incoming.retain(|call| call.state != CallState::Ringing);
    stage.show(view);
    assert!(!stage.app.global::<Menu>().get_open());
}

#[test]
fn call_1_a_lines_name_is_whole_and_its_number_gives_way() {
    let stage = Stage::with(scenes::picture());
    // Beside "Transferring 0:41" there is no room for both; beside "Ringing" there is.
    let name = stage.find("to Support");
    let end = name.absolute_position().x + name.size().width;
    assert!(name.size().width > 60. && end < stage.app.get_calls_width(), "{} {end}", name.size().width);
    assert!(!stage.has("5550200") && !stage.has("to Support · 5550200"));
    assert!(stage.has("to Sales · 5550100"));
    // Nor is there for a lock and both.
    let mut view = scenes::encrypted();
    view.generation += 1;
    stage.show(view);
    assert!(stage.find("to Support").size().width > 60. && !stage.has("5550200"));
}

#[test]
fn ops_1_a_greeting_does_not_move_the_time() {
    let stage = Stage::with(scenes::greeting());
    let (desk, top) = (stage.app.global::<Desk>(), || stage.find("Talk time").absolute_position().y);
    let greeted = top();
    assert_ne!(desk.get_in_call_note(), "");
    let mut view = scenes::picture();
    view.generation += 1;
    stage.show(view);
    assert_eq!(desk.get_in_call_note(), "");
    assert!((top() - greeted).abs() < 0.5, "{greeted} {}", top());
}

#[test]
fn call_6_the_buttons_of_the_views_have_the_room_of_a_finger() {
    let stage = Stage::with(scenes::picture());
    let table = || stage.app.global::<Panes>().get_table();
    for (label, from_top, then) in [
        ("Table view", true, true),
        ("List view", true, false),
        ("Table view", false, true),
        ("List view", false, false),
    ] {
        let (at, size) = (stage.find(label).absolute_position(), stage.find(label).size());
        assert!(size.width >= 48. && size.height >= 48., "{label}: {size:?}");
        // At its very edges.
        let y = if from_top { at.y + 1. } else { at.y + 47. };
        stage.tap(LogicalPosition::new(at.x + size.width / 2., y));
        stage.settle();
        assert_eq!(table(), then, "{label} at {y}");
    }
}

#[test]
fn dir_5_a_wide_screen_has_more_tiles_in_a_row() {
    let stage = Stage::with(scenes::empty());
    let directory = stage.app.global::<Directory>();
    assert_eq!(directory.get_columns(), 2);
    stage.app.window().set_size(slint::LogicalSize::new(1920., 1080.));
    stage.settle();
    // A fourth would cut the titles and the states that a receptionist reads before a transfer: no tile is narrower
    // than on the small screen.
    assert_eq!(directory.get_columns(), 3);
    let tiles = i_slint_backend_testing::ElementHandle::find_by_element_type_name(&stage.app, "TileView");
    let widths: Vec<f32> = tiles.take(3).map(|tile| tile.size().width).collect();
    assert!(widths.len() == 3 && widths.iter().all(|width| *width >= 340.), "{widths:?}");
    // What they leave is the calls'.
    assert!(stage.app.get_calls_width() > 500., "{}", stage.app.get_calls_width());
}

#[test]
fn only_what_can_be_seen_is_made_of_a_large_directory() {
    let stage = Stage::with(scenes::empty());
    let tiles =
        i_slint_backend_testing::ElementHandle::find_by_element_type_name(&stage.app, "TileView").count();
    assert!((12..=18).contains(&tiles), "{tiles} tiles for 20 contacts at 1280×800");
}
