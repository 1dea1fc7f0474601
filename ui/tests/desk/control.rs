//! Call control by hand and by key: drops, the binding of a touch to what it began on, the keys-only day.

use frontdesk_ui::keys::{CLEAR, ConsoleKey, KeyMap};
use frontdesk_ui::scenes;
use frontdesk_ui::screen::{
    Calls, Desk, Directory, Drag, DropVerdict, Ink, Item, ItemStep, Menu, Page, Prompt, Screen, Settings,
    Words,
};
use i_slint_backend_testing::{ElementHandle, ElementRoot};
use i_slint_core::input::TouchPhase;
use ipc::{
    Action, CallRef, CallState, Command, HookAction, LampState, Party, RecallWhy, ServiceMode, TextSize,
    TransferState, View, Volumes,
};
use slint::platform::{Key, PointerEventButton};
use slint::{ComponentHandle, LogicalPosition, Model};

use super::hands::Stage;

fn allow(view: &mut View, call: u64, actions: &[Action]) {
    let mut calls = view.incoming.iter_mut().chain(&mut view.outgoing);
    calls.find(|view| view.call == CallRef(call)).unwrap().actions = actions.to_vec();
}

fn gone(mut view: View, call: u64) -> View {
    view.generation += 1;
    view.incoming.retain(|view| view.call != CallRef(call));
    view.outgoing.retain(|view| view.call != CallRef(call));
    view
}

fn verdict(stage: &Stage) -> DropVerdict {
    stage.app.global::<Drag>().get_verdict()
}

fn selected(stage: &Stage) -> String {
    stage.app.global::<Calls>().get_selected().to_string()
}

/// A place on the card of the call that was placed here: its name stands in the directory as well.
fn consultation(stage: &Stage) -> LogicalPosition {
    LogicalPosition::new(200., stage.find("Hang up").absolute_position().y - 40.)
}

#[test]
fn crm_2_the_keyboard_is_the_consoles_again_when_the_page_is_left() {
    let stage = Stage::with(scenes::picture());
    let page = stage.app.global::<Page>();
    page.set_standing(frontdesk_ui::screen::PageStanding::Open);
    let desk = stage.app.global::<Desk>();
    desk.invoke_show(Screen::Page);
    stage.settle();
    stage.tap(LogicalPosition::new(840., 440.));
    stage.write("x");
    desk.invoke_show(Screen::Directory);
    stage.settle();
    stage.write("/");
    assert!(stage.app.global::<Menu>().get_open(), "the menu of the selected call");
}

#[test]
fn a_menu_that_a_key_opened_stands_at_what_it_is_for() {
    let stage = Stage::with(scenes::picture());
    let menu = stage.app.global::<Menu>();
    let calls = stage.app.global::<Calls>();
    let directory = stage.app.global::<Directory>();
    let at = |contact: i32| {
        directory.invoke_tapped(contact);
        stage.settle();
        stage.write("/");
        assert!(menu.get_open());
        let place = (menu.get_x(), menu.get_y());
        menu.invoke_close();
        stage.settle();
        place
    };
    let (first, beside, below) = (at(0), at(1), at(directory.get_columns()));
    assert!(beside.0 > first.0 && (beside.1 - first.1).abs() < 1., "{first:?}, {beside:?}");
    assert!(below.1 > first.1 && (below.0 - first.0).abs() < 1., "{first:?}, {below:?}");
    assert!(!menu.get_keyed() && calls.get_menu_y() < 1.);
}

#[test]
fn a_menu_that_a_key_opened_stands_at_the_selected_call() {
    let stage = Stage::with(scenes::picture());
    stage.write("/");
    assert!(stage.app.global::<Menu>().get_keyed());
    let first = stage.app.global::<Calls>().get_menu_y();
    stage.app.global::<Menu>().invoke_close();
    stage.settle();
    stage.tap(stage.spot("Tomás Rivera"));
    stage.write("/");
    let next = stage.app.global::<Calls>().get_menu_y();
    assert!(first > 0. && next > 0. && (next - first).abs() > 48., "{first} and {next}");
}

#[test]
fn acc_4_while_a_call_rings_a_menu_leaves_the_calls_free() {
    let mut view = scenes::customer_answered();
    let stage = Stage::with(view.clone());
    let menu = stage.app.global::<Menu>();
    let is_over_calls = || stage.find("Write a task…").absolute_position().x < stage.app.get_calls_width();
    stage.key(Key::Home);
    stage.write("/");
    assert!(menu.get_open() && !is_over_calls(), "by a key");
    menu.invoke_close();
    stage.settle();
    stage.right_click(LogicalPosition::new(200., 150.));
    assert!(menu.get_open() && !is_over_calls(), "by a finger");
    menu.invoke_close();
    view.generation += 1;
    view.incoming.retain(|call| call.state != CallState::Ringing);
    stage.show(view);
    stage.key(Key::Home);
    stage.write("/");
    assert!(menu.get_open() && is_over_calls(), "nothing rings: at its call");
}

#[test]
fn acc_4_a_menu_beside_the_rail_leaves_its_words() {
    let stage = Stage::with(scenes::picture());
    let rail = stage.find("Statistics").absolute_position().x;
    stage.right_click(stage.spot("Ben Whitaker"));
    let menu = stage.app.global::<Menu>();
    let entry = menu.get_entries().row_data(0).unwrap();
    // The menu is 392 wide, and so are its rows.
    let end = stage.top(&stage.app.global::<Words>().invoke_menu(entry)).x + 196.;
    assert!(menu.get_x() + 392. > rail && end <= rail, "{end} {rail}");
}

#[test]
fn acc_4_a_long_menu_leaves_who_talks_and_how_long() {
    let mut view = scenes::customer_answered();
    view.preferences.text_size = TextSize::Largest;
    let stage = Stage::with(view);
    stage.key(Key::Home);
    stage.write("/");
    let menu = stage.app.global::<Menu>();
    let entry = menu.get_entries().row_data(0).unwrap();
    let first = stage.top(&stage.app.global::<Words>().invoke_menu(entry));
    // Below the header of 84 stands the menu's title, and below that its rows, of 52 each.
    assert!(first.y - 26. >= 84. + 44., "{first:?}");
}

#[test]
fn acc_4_a_long_menu_is_within_the_screen_in_the_largest_texts() {
    let mut view = scenes::customer_answered();
    view.preferences.text_size = TextSize::Largest;
    let stage = Stage::with(view);
    stage.key(Key::Home);
    stage.write("/");
    let menu = stage.app.global::<Menu>();
    let window = stage.app.window();
    let ground = window.size().to_logical(window.scale_factor()).height - 56.;
    // Up from the first is the last.
    stage.key(Key::UpArrow);
    let count = i32::try_from(menu.get_entries().row_count()).unwrap();
    assert_eq!(menu.get_cursor(), count - 1);
    // The menu lies over the card, which has the same button.
    let row = stage.top("Hang up");
    assert!(row.x > stage.app.get_calls_width() && row.y + 26. <= ground, "{row:?} {ground}");
}

#[test]
fn call_9_a_card_on_another_card_is_an_attended_transfer() {
    let stage = Stage::with(scenes::attended());
    let to = consultation(&stage);
    stage.mouse_drag(stage.spot("Tomás Rivera"), to);
    assert_eq!(verdict(&stage), DropVerdict::Attended);
    stage.release(to, PointerEventButton::Left);
    assert_eq!(stage.commands(), [Command::AttendedTransfer { call: CallRef(3), to: CallRef(5) }]);
}

#[test]
fn call_9_two_cards_that_cannot_be_connected_say_so() {
    let stage = Stage::with(scenes::attended());
    let to = stage.spot("Anonymous");
    stage.mouse_drag(stage.spot("Tomás Rivera"), to);
    assert_eq!(verdict(&stage), DropVerdict::NotTogether);
    assert!(!stage.app.global::<Drag>().get_good());
    stage.release(to, PointerEventButton::Left);
    assert_eq!(stage.commands(), []);
}

#[test]
fn call_9_a_contact_that_is_being_called_is_connected() {
    let stage = Stage::with(scenes::attended());
    // The seventh tile: whom the operator talks to.
    let next = stage.middle("Grace Kim");
    let to = LogicalPosition::new(next.x - 352., next.y);
    stage.mouse_drag(stage.spot("Tomás Rivera"), to);
    assert_eq!(
        (verdict(&stage), stage.app.global::<Drag>().get_target().as_str()),
        (DropVerdict::Attended, "Marie Laurent")
    );
    stage.release(to, PointerEventButton::Left);
    assert_eq!(stage.commands(), [Command::AttendedTransfer { call: CallRef(3), to: CallRef(5) }]);
}

#[test]
fn call_9_a_ringing_card_on_a_contact_is_forwarded() {
    let stage = Stage::with(scenes::picture());
    let to = stage.middle("Ingrid Solberg");
    stage.mouse_drag(stage.spot("Anonymous"), to);
    assert_eq!(verdict(&stage), DropVerdict::Forward);
    stage.release(to, PointerEventButton::Left);
    assert_eq!(stage.commands(), [Command::Forward { call: CallRef(2), to: "2110".into() }]);
}

#[test]
fn call_9_the_way_without_dragging_forwards_what_rings_and_says_who_is_busy() {
    let mut view = scenes::picture();
    view.talk = None;
    view.outgoing.clear();
    let stage = Stage::with(view);
    stage.tap(stage.spot("Anonymous"));
    stage.tap(stage.spot("Ingrid Solberg"));
    stage.app.global::<Directory>().invoke_transfer_here();
    stage.tap(stage.spot("Tomás Rivera"));
    stage.tap(stage.spot("Ben Whitaker"));
    assert_eq!(stage.app.global::<Directory>().get_transfer_verdict(), DropVerdict::WillWait);
    stage.app.global::<Directory>().invoke_transfer_here();
    let transfer = Command::BlindTransfer { call: CallRef(3), to: "2102".into() };
    assert_eq!(stage.commands(), [Command::Forward { call: CallRef(2), to: "2110".into() }, transfer]);
}

#[test]
fn pre_6_a_target_that_becomes_busy_under_the_card_says_so() {
    let stage = Stage::with(scenes::picture());
    let to = stage.middle("Ingrid Solberg");
    stage.mouse_drag(stage.spot("Tomás Rivera"), to);
    assert_eq!(verdict(&stage), DropVerdict::Transfer);
    let mut view = scenes::picture();
    let lamp = view.lamps.iter_mut().find(|lamp| lamp.number == "2110").unwrap();
    std::sync::Arc::make_mut(lamp).state = LampState::Busy;
    stage.show(view);
    assert_eq!(verdict(&stage), DropVerdict::WillWait);
    stage.release(to, PointerEventButton::Left);
    assert_eq!(stage.commands(), [Command::BlindTransfer { call: CallRef(3), to: "2110".into() }]);
}

#[test]
fn a_call_that_ends_in_mid_air_lands_nowhere() {
    let stage = Stage::with(scenes::picture());
    let to = stage.middle("Ingrid Solberg");
    stage.mouse_drag(stage.spot("Tomás Rivera"), to);
    stage.show(gone(scenes::picture(), 3));
    assert_eq!(verdict(&stage), DropVerdict::Gone);
    stage.release(to, PointerEventButton::Left);
    assert_eq!(stage.commands(), []);
}

#[test]
fn a_button_under_the_finger_does_not_change_its_call() {
    let stage = Stage::with(scenes::picture());
    stage.key(Key::Home);
    let answer = stage.middle("Answer");
    stage.press(answer, PointerEventButton::Left);
    stage.show(gone(scenes::picture(), 1));
    stage.release(answer, PointerEventButton::Left);
    assert_eq!(stage.commands(), [], "the call it was pressed for has ended");
    stage.key(Key::Home);
    stage.tap(stage.middle("Answer"));
    assert_eq!(stage.commands(), [Command::Answer { call: CallRef(2) }]);
}

#[test]
fn a_finger_on_a_button_acts_on_nothing_else_either() {
    let stage = Stage::with(scenes::picture());
    stage.key(Key::Home);
    let reject = stage.middle("Reject");
    stage.finger(TouchPhase::Started, reject);
    stage.show(gone(scenes::picture(), 1));
    stage.finger(TouchPhase::Ended, reject);
    stage.settle();
    assert_eq!(stage.commands(), []);
}

#[test]
fn a_double_tap_means_what_it_meant_at_the_first_tap() {
    let stage = Stage::with(scenes::picture());
    let place = stage.spot("Tomás Rivera");
    stage.tap(place);
    let mut view = scenes::picture();
    view.incoming[2].state = CallState::Talking;
    allow(&mut view, 3, &[Action::Hold, Action::Transfer, Action::HangUp]);
    stage.show(view);
    stage.tap(place);
    assert_eq!(stage.commands(), [], "it was Retrieve, and is Hold now");
}

#[test]
fn contacts_stay_under_the_finger_and_a_tap_means_the_one_it_began_on() {
    let stage = Stage::with(scenes::picture());
    let place = stage.spot("Ingrid Solberg");
    stage.press(place, PointerEventButton::Left);
    let mut view = scenes::picture();
    view.front_directory = Some(ipc::DirectoryId(2));
    stage.show(view);
    assert!(stage.has("Ingrid Solberg"), "the other directory waits for the finger");
    stage.release(place, PointerEventButton::Left);
    assert!(!stage.has("Ingrid Solberg"));
    assert_eq!(stage.app.global::<Directory>().get_current(), 1);
}

#[test]
fn undo_is_a_big_button_and_a_key() {
    let stage = Stage::with(scenes::undo());
    let undo = stage.find("Undo");
    assert!(undo.size().height >= 64. && undo.size().width >= 120.);
    stage.tap(stage.middle("Undo"));
    stage.key("-");
    let command = Command::UndoTransfer { call: CallRef(3) };
    assert_eq!(stage.commands(), [command.clone(), command]);
    stage.show(scenes::picture());
    stage.key("-");
    assert_eq!(stage.commands(), []);
    assert!(stage.has("No call to act on"));
}

#[test]
fn acc_4_what_can_be_undone_comes_into_sight_in_the_largest_texts() {
    let mut view = scenes::undo();
    view.preferences.text_size = TextSize::Largest;
    let stage = Stage::with(view);
    stage.settle();
    // Half a button would be found, too: all of it can be touched.
    let undo = stage.find("Undo");
    let (at, size) = (undo.absolute_position(), undo.size());
    stage.tap(LogicalPosition::new(at.x + size.width / 2., at.y + 4.));
    stage.tap(LogicalPosition::new(at.x + size.width / 2., at.y + size.height - 4.));
    let command = Command::UndoTransfer { call: CallRef(3) };
    assert_eq!(stage.commands(), [command.clone(), command]);
}

#[test]
fn acc_4_what_can_be_undone_is_in_sight_beside_another_call_that_is_meant_in_the_largest_texts() {
    let mut view = scenes::undo();
    view.preferences.text_size = TextSize::Largest;
    let stage = Stage::with(view);
    stage.settle();
    stage.key(Key::Home);
    // The call that is meant has all of its buttons.
    let answer = stage.find("Answer");
    let (at, size) = (answer.absolute_position(), answer.size());
    stage.commands();
    stage.tap(LogicalPosition::new(at.x + size.width / 2., at.y + size.height - 4.));
    assert_eq!(stage.commands(), [Command::Answer { call: CallRef(1) }]);
    // The card of the other is out of sight: what is told of it is below the lists.
    stage.tap(stage.top("Undo"));
    assert_eq!(stage.commands(), [Command::UndoTransfer { call: CallRef(3) }]);
}

#[test]
fn acc_4_every_notice_that_can_be_undone_is_in_sight_where_there_is_room_in_the_largest_texts() {
    let mut view = scenes::removed();
    view.preferences.text_size = TextSize::Largest;
    let stage = Stage::with(view);
    stage.settle();
    let dial = stage.find("Number or name").absolute_position().y;
    let found = ElementHandle::find_by_accessible_label(&stage.app, "Undo");
    // The buttons without the words in them.
    let undo: Vec<_> = found.filter(|found| found.size().height >= 48.).collect();
    let mut tops: Vec<_> = undo.iter().map(|undo| undo.absolute_position().y as i32).collect();
    tops.dedup();
    assert_eq!(tops.len(), 3, "{tops:?}");
    for undo in undo {
        let foot = undo.absolute_position().y + undo.size().height;
        assert!(foot <= dial, "{foot} {dial}");
    }
}

#[test]
fn acc_4_notices_leave_the_call_that_talks_its_buttons_in_the_largest_texts() {
    let mut view = scenes::fates();
    view.preferences.text_size = TextSize::Largest;
    let stage = Stage::with(view);
    stage.settle();
    let hang_up = stage.find("Hang up");
    let (at, size) = (hang_up.absolute_position(), hang_up.size());
    stage.commands();
    stage.tap(LogicalPosition::new(at.x + size.width / 2., at.y + size.height - 4.));
    assert_eq!(stage.commands(), [Command::HangUp { call: CallRef(5) }]);
}

#[test]
fn a_recall_says_why_and_can_wait_again() {
    let stage = Stage::with(scenes::recall());
    let said = |who: &str| stage.find(who).accessible_description().unwrap().to_string();
    assert!(said("Camille Durand").ends_with("Back: waited too long for David Moreau"));
    assert!(said("Pierre-Emmanuel Delacroix-Beaumont").ends_with("Back from Ingrid Solberg: busy"));
    stage.key(Key::Home);
    stage.key(Key::DownArrow);
    stage.tap(stage.middle("Wait again"));
    assert_eq!(stage.commands(), [Command::WaitAgain { call: CallRef(7) }]);
    assert!(matches!(scenes::recall().incoming[2].recall.as_ref().unwrap().why, RecallWhy::Hold));
}

#[test]
fn pre_6_a_waiting_call_says_for_whom_and_in_which_place() {
    let stage = Stage::with(scenes::waiting());
    let said = |who: &str| stage.find(who).accessible_description().unwrap().to_string();
    assert!(said("Nadia Okafor").ends_with("For David Moreau · busy · place 2"));
    assert!(
        scenes::waiting()
            .transfers
            .iter()
            .any(|t| matches!(t.state, TransferState::Waiting { due_ms: Some(_), .. }))
    );
    stage.key(Key::Home);
    stage.tap(stage.middle("Take back"));
    stage.wait(800);
    stage.tap(stage.middle("Transfer"));
    assert_eq!(
        stage.commands(),
        [Command::Retrieve { call: CallRef(1) }, Command::TransferNow { call: CallRef(1) }]
    );
}

#[test]
fn call_14_a_parked_call_is_fetched_by_a_tap() {
    let stage = Stage::with(scenes::park());
    stage.tap(stage.middle("Park slot 702"));
    stage.tap(stage.middle("Park slot Warehouse"));
    let unpark = |slot: &str| Command::Unpark { slot: slot.into() };
    assert_eq!(stage.commands(), [unpark("702"), unpark("703")]);
}

#[test]
fn pre_3_dir_9_what_rings_on_a_contacts_phone_is_picked_up_from_the_menu_while_it_rings() {
    let mut view = scenes::picture();
    let stage = Stage::with(view.clone());
    let ring = |view: &mut View, rings: Option<Party>| {
        view.generation += 1;
        let lamp = view.lamps.iter_mut().find(|lamp| lamp.number == "2112").unwrap();
        std::sync::Arc::make_mut(lamp).rings = rings;
    };
    let here = stage.spot("Khadija Benali");
    stage.right_click(here);
    assert!(stage.has("Call") && !stage.has("Intercept"), "it rings, and nobody says how to take it");
    stage.key(Key::Escape);
    let tomas = Party { number: Some("2114".into()), name: Some("Tomás".into()), ..Party::default() };
    ring(&mut view, Some(tomas));
    stage.show(view.clone());
    stage.right_click(stage.spot("Ingrid Solberg"));
    assert!(!stage.has("Intercept Tomás"), "another phone");
    stage.key(Key::Escape);
    stage.right_click(here);
    stage.tap(stage.middle("Intercept Tomás"));
    let pick = Command::Intercept { number: "2112".into() };
    assert_eq!(stage.commands(), std::slice::from_ref(&pick));
    ring(&mut view, Some(Party::default()));
    stage.show(view.clone());
    stage.right_click(here);
    stage.tap(stage.middle("Intercept"));
    assert_eq!(stage.commands(), [pick]);
    ring(&mut view, None);
    stage.show(view);
    stage.right_click(here);
    assert!(stage.has("Call") && !stage.has("Intercept"));
}

#[test]
fn pre_3_the_card_says_from_whose_phone_a_call_was_picked_up() {
    let mut view = scenes::attended();
    view.outgoing[0].intercepted = Some(Party { name: Some("Khadija Benali".into()), ..Party::default() });
    let stage = Stage::with(view.clone());
    assert!(stage.has("intercepted from Khadija Benali"));
    view.generation += 1;
    view.outgoing[0].state = CallState::Dialing;
    stage.show(view.clone());
    assert!(stage.has("intercepting from Khadija Benali"));
    let from = view.outgoing.remove(0).intercepted.unwrap();
    let kind = ipc::NoticeKind::InterceptFailed { from, code: 481, reason: String::new() };
    view.generation += 1;
    view.notices.push(ipc::Notice { id: ipc::NoticeId(90), since_ms: view.now_ms, kind });
    stage.show(view);
    assert!(stage.has("Nothing intercepted from Khadija Benali") && stage.has("the call is gone"));
}

#[test]
fn the_service_mode_is_a_menu_and_a_key() {
    let stage = Stage::with(scenes::night());
    assert!(stage.has("Night · by hand"));
    stage.tap(stage.middle("Night · by hand"));
    stage.tap(stage.middle("By the timetable"));
    stage.tap(stage.middle("Night · by hand"));
    stage.tap(stage.middle("Day service"));
    stage.key(Key::F12);
    let night = Command::Hook { action: HookAction::Night };
    let by_hand = Command::SetService { mode: Some(ServiceMode::Day) };
    assert_eq!(stage.commands(), [Command::SetService { mode: None }, by_hand, night]);
}

#[test]
fn bar_2_a_loudness_is_said_when_the_finger_is_lifted() {
    let stage = Stage::with(scenes::picture());
    stage.tap(stage.middle("Volume"));
    let slider = stage.find("Ringing tone");
    let (at, size) = (slider.absolute_position(), slider.size());
    let far_left = LogicalPosition::new(at.x + 60., at.y + size.height / 2. + 10.);
    stage.press(far_left, PointerEventButton::Left);
    assert_eq!(stage.commands(), []);
    stage.release(far_left, PointerEventButton::Left);
    stage.tap(stage.middle("Mute what you hear"));
    let quiet = Volumes { ring: 0, ..Volumes::default() };
    let muted = Volumes { output_muted: true, ..quiet };
    assert_eq!(
        stage.commands(),
        [Command::SetVolumes { volumes: quiet }, Command::SetVolumes { volumes: muted }]
    );
    stage.key(Key::Escape);
    assert!(!stage.app.global::<Desk>().get_volumes_open());
}

#[test]
fn conf_1_members_are_shown_and_muted() {
    let stage = Stage::with(scenes::conference());
    let desk = stage.app.global::<Desk>();
    assert_eq!((desk.get_parties().row_count(), desk.get_more_parties()), (3, 2));
    stage.key(Key::Home);
    stage.tap(stage.middle("Mute"));
    assert_eq!(stage.commands(), [Command::MuteMember { call: CallRef(1), on: true }]);
    let mut shown = ElementHandle::find_by_accessible_label(&stage.app, "Nadia Okafor");
    assert!(shown.any(|card| card.accessible_description().is_some_and(|said| said == "Muted")));
    let mut shown = ElementHandle::find_by_accessible_label(&stage.app, "Marie Laurent");
    assert!(shown.any(|card| card.accessible_description().is_some_and(|said| said == "[Talking]")));
}

#[test]
fn call_12_switch_goes_round_the_two_lists_and_the_directory() {
    let stage = Stage::with(scenes::picture());
    let focused = || {
        let (calls, directory) = (stage.app.global::<Calls>(), stage.app.global::<Directory>());
        (calls.get_focused(), directory.get_focused())
    };
    stage.key(Key::Home);
    stage.key(Key::DownArrow);
    assert_eq!(selected(&stage), "2");
    stage.key(CLEAR);
    assert_eq!((selected(&stage).as_str(), focused()), ("5", (true, false)));
    stage.key(CLEAR);
    assert_eq!(focused(), (false, true));
    stage.key(Key::F5);
    assert_eq!((selected(&stage).as_str(), focused()), ("2", (true, false)), "each list keeps its place");
}

#[test]
fn call_12_the_selected_call_is_in_sight_among_thirty() {
    let stage = Stage::with(scenes::thirty_calls());
    for key in [Key::Home, Key::PageDown, Key::PageDown, Key::End, Key::Home] {
        stage.key(key);
        stage.settle();
        let hang_up = ["Hang up", "Reject"].into_iter().find(|label| stage.has(label)).unwrap();
        let y = stage.middle(hang_up).y;
        assert!(y > 84. && y < 680., "{y}");
    }
}

/// The ring around the card is as bright as that of what the keyboard is on.
fn ring_is_bright(stage: &Stage, name: &str) -> bool {
    let card = stage.find(name);
    let (at, width) = (card.absolute_position(), card.size().width);
    let picture = stage.app.window().take_snapshot().unwrap();
    // It is 2 px wide, and around the card.
    let above = (at.y - 1.) as usize * picture.width() as usize + (at.x + width / 2.) as usize;
    let (pixel, focus) = (picture.as_slice()[above], stage.app.global::<Ink>().get_focus());
    let parts = [(pixel.r, focus.red()), (pixel.g, focus.green()), (pixel.b, focus.blue())];
    parts.iter().all(|(seen, meant)| seen.abs_diff(*meant) < 8)
}

#[test]
fn call_12_the_ring_of_the_selected_call_is_dimmer_while_something_else_has_the_keyboard() {
    let stage = Stage::drawn(scenes::picture());
    stage.key(Key::Home);
    let (menu, item) = (stage.app.global::<Menu>(), stage.app.global::<Item>());
    // Beside the calls.
    menu.set_x(900.);
    menu.set_y(400.);
    item.set_step(ItemStep::Done);
    let page = |asks: bool| {
        stage.app.global::<Desk>().set_screen(if asks { Screen::Page } else { Screen::Directory });
        stage.app.global::<Page>().set_asks(asks);
    };
    let settings = |asks: bool| stage.app.global::<Settings>().set_asking(asks);
    let others: [(&str, &dyn Fn(bool)); 4] = [
        ("a menu", &|open| menu.set_open(open)),
        ("a note that is done", &|open| item.set_open(open)),
        ("a page that asks", &page),
        ("settings that are left", &settings),
    ];
    for (what, set) in others {
        assert!(ring_is_bright(&stage, "Helena Brandt"), "before {what}");
        set(true);
        stage.settle();
        assert!(!ring_is_bright(&stage, "Helena Brandt"), "{what}");
        set(false);
        stage.settle();
    }
}

/// How many ring or are on hold too long out of sight on this side, as the title of the list says it.
fn calls_unseen(stage: &Stage, side: &str) -> Option<(usize, String)> {
    // "11 ringing below", or "11 need you below, 3 above" where some are on hold too long.
    let count = |words: &str| -> Option<usize> {
        let said = [" ringing ", " needs you ", " need you "];
        let (first, rest) = said.iter().find_map(|said| words.split_once(said))?;
        let (first_side, other) = rest.split_once(", ").unwrap_or((rest, ""));
        let told = if first_side == side { first } else { other.strip_suffix(side)?.trim_end() };
        told.parse().ok()
    };
    let root = stage.app.root_element();
    let labelled = |element: &ElementHandle| element.accessible_label().is_some();
    let found = root.query_descendants().match_predicate(labelled).find_all();
    let mut labels = found.iter().filter_map(ElementHandle::accessible_label);
    labels.find_map(|label| count(label.as_str()).map(|n| (n, label.to_string())))
}

#[test]
fn call_3_who_rings_out_of_sight_is_told_and_a_touch_goes_there() {
    let stage = Stage::with(scenes::picture());
    assert_eq!(calls_unseen(&stage, "below"), None);
    let mut many = scenes::thirty_calls();
    many.generation += 1;
    stage.show(many);
    stage.key(Key::Home);
    stage.settle();
    assert_eq!(calls_unseen(&stage, "above"), None);
    let (mut left, mut both_are_told) = (usize::MAX, false);
    while let Some((count, words)) = calls_unseen(&stage, "below") {
        assert!(count < left, "{words}: nothing came of the touch");
        left = count;
        both_are_told |= calls_unseen(&stage, "above").is_some_and(|(_, same)| same == words);
        stage.tap(stage.middle(&words));
        stage.settle();
    }
    assert!(left < usize::MAX && both_are_told, "below, and above as well once there are some: {left}");
    let (_, words) = calls_unseen(&stage, "above").expect("now they are on the other side");
    stage.tap(stage.middle(&words));
    stage.settle();
    assert!(calls_unseen(&stage, "below").is_some());
}

#[test]
fn call_12_other_keys_take_the_place_of_the_default() {
    let stage = Stage::with(scenes::picture());
    let table = [(ConsoleKey::Next, vec!["n".to_owned()])].into_iter().collect();
    stage.console.use_keys(KeyMap::new(table).unwrap());
    stage.key(Key::F9);
    stage.key("n");
    assert_eq!(stage.commands(), [Command::Hook { action: HookAction::Next }]);
}

/// Everything that a day at the desk needs, with the keys of a keypad alone.
#[test]
fn call_12_a_day_by_keys_only() {
    let hook = |action| Command::Hook { action };
    let stage = Stage::with(scenes::picture());
    stage.key("*");
    stage.key(Key::F9);
    stage.key(Key::Home);
    stage.key(Key::Insert);
    stage.key(Key::Delete);
    let one = CallRef(1);
    assert_eq!(
        stage.commands(),
        [
            hook(HookAction::AnswerLongest),
            hook(HookAction::Next),
            Command::Answer { call: one },
            Command::Reject { call: one },
        ]
    );
    // A ringing call is forwarded to a number.
    stage.key("+");
    stage.key(Key::Return);
    assert!(stage.app.global::<Prompt>().get_open());
    stage.write("2199");
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::Forward { call: one, to: "2199".into() }]);
    // The caller on hold is connected with the consultation, put into the conference, parked.
    let mut view = scenes::park();
    let both = [
        Action::Retrieve,
        Action::Transfer,
        Action::TransferToCall,
        Action::TakeTransfer,
        Action::Park,
        Action::Conference,
        Action::HangUp,
    ];
    allow(&mut view, 3, &both);
    allow(&mut view, 5, &both);
    stage.show(view.clone());
    stage.key(Key::DownArrow);
    stage.key(Key::DownArrow);
    assert_eq!(selected(&stage), "3");
    stage.key("+");
    stage.key(Key::Return);
    stage.key("+");
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    let three = CallRef(3);
    assert_eq!(
        stage.commands(),
        [Command::AttendedTransfer { call: three, to: CallRef(5) }, Command::Conference { call: three }]
    );
    stage.key("+");
    for _ in 0..4 {
        stage.key(Key::DownArrow);
    }
    stage.key(Key::Return);
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    assert!(stage.app.global::<Menu>().get_open(), "a slot that is taken is not chosen");
    stage.key(Key::UpArrow);
    stage.key(Key::UpArrow);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::Park { call: three, slot: Some("704".into()) }]);
    // The menu of the call has the rest; Escape leaves it.
    stage.key("/");
    assert!(stage.app.global::<Menu>().get_open());
    stage.key(Key::Escape);
    stage.key("/");
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::Retrieve { call: three }]);
    // In the directory: the talking call to a contact, and a contact is called.
    stage.key(CLEAR);
    stage.key(CLEAR);
    stage.key(Key::Home);
    stage.key("+");
    stage.key(Key::Return);
    stage.key(Key::Home);
    stage.key(Key::Insert);
    stage.key(Key::F10);
    assert_eq!(
        stage.commands(),
        [
            Command::BlindTransfer { call: CallRef(5), to: "2101".into() },
            Command::Dial { number: "2101".into(), line: None },
            hook(HookAction::HangUpActive),
        ]
    );
}
