//! The keyboard on the screen: searching, writing and answering questions with no other.

use frontdesk_ui::scenes;
use frontdesk_ui::screen::{
    App, Board, Calls, Customer, Desk, Directory, Editor, Item, Log, Note, Prompt, ReminderEditor, Screen,
};
use i_slint_backend_testing::ElementHandle;
use i_slint_core::input::TouchPhase;
use ipc::{CallRef, Command, CommandError, HookAction, ItemProblem, Language, TextSize, View};
use slint::platform::Key;
use slint::{ComponentHandle, Global, LogicalPosition, LogicalSize};

use crate::hands::Stage;

/// Longer than a field that was reached by a key is known as such.
const NO_KEY: std::time::Duration = std::time::Duration::from_millis(450);

fn is_open(stage: &Stage) -> bool {
    stage.app.global::<Board>().get_open()
}

/// Touches the keys of these names; elsewhere on the screen there are digits, too.
fn press(stage: &Stage, keys: &[&str]) {
    for key in keys {
        stage.tap(stage.top(key));
    }
}

fn letters(stage: &Stage, word: &str) {
    word.chars().for_each(|letter| press(stage, &[&letter.to_string()]));
}

/// A touch into the search bar of the directory in front.
fn search(stage: &Stage, word: &str) {
    let name = get::<Directory<'_>>(stage).get_name();
    stage.tap(stage.middle(&format!("{word} {name}")));
}

fn get<'a, T: Global<'a, App>>(stage: &'a Stage) -> T {
    stage.app.global::<T>()
}

#[test]
fn acc_4_a_finger_in_a_field_brings_it_and_it_types_there() {
    let stage = Stage::with(scenes::empty());
    assert!(!is_open(&stage));
    search(&stage, "Search");
    assert!(is_open(&stage));
    letters(&stage, "mar");
    assert_eq!(get::<Directory<'_>>(&stage).get_query(), "mar");
    press(&stage, &["Delete what is before the cursor", "Capitals"]);
    letters(&stage, "Yo");
    assert_eq!(get::<Directory<'_>>(&stage).get_query(), "maYo", "one capital");
    press(&stage, &["Accents and signs"]);
    letters(&stage, "é");
    press(&stage, &["Letters", "Space", "7"]);
    assert_eq!(get::<Directory<'_>>(&stage).get_query(), "maYoé 7");
    press(&stage, &["Cursor left", "Cursor left", "Delete what is before the cursor"]);
    assert_eq!(get::<Directory<'_>>(&stage).get_query(), "maYo 7");
    press(&stage, &["Put the keyboard away"]);
    assert!(!is_open(&stage));
}

#[test]
fn acc_4_it_never_covers_the_field() {
    let stage = Stage::with(scenes::picture());
    stage.tap(stage.middle("Number or name"));
    assert!(is_open(&stage));
    for (width, height) in [(1280., 800.), (1920., 1080.)] {
        stage.app.window().set_size(LogicalSize::new(width, height));
        stage.settle();
        let (field, board) = (stage.find("Number or name"), stage.find("Keyboard"));
        let bottom = field.absolute_position().y + field.size().height;
        assert!(bottom <= board.absolute_position().y, "{bottom} {}", board.absolute_position().y);
    }
}

#[test]
fn acc_4_a_number_is_dialled_by_fingers_alone() {
    let stage = Stage::with(scenes::empty());
    stage.commands();
    stage.tap(stage.middle("Number or name"));
    letters(&stage, "2104");
    press(&stage, &["Enter"]);
    let dialled = stage.commands();
    assert!(matches!(&dialled[..], [Command::Dial { number, .. }] if number == "2104"), "{dialled:?}");
}

#[test]
fn acc_4_where_a_number_is_written_its_signs_need_no_other_page() {
    let stage = Stage::with(scenes::empty());
    stage.commands();
    stage.tap(stage.middle("Number or name"));
    assert!(!stage.has("@"));
    letters(&stage, "+49*#");
    assert_eq!(get::<Calls<'_>>(&stage).get_number(), "+49*#");
    search(&stage, "Search");
    assert!(is_open(&stage) && stage.has("@"));
    letters(&stage, "a@");
    assert_eq!(get::<Directory<'_>>(&stage).get_query(), "a@");
}

#[test]
fn acc_4_it_comes_to_questions_too() {
    let stage = Stage::with(scenes::attended());
    stage.key(Key::Home);
    stage.key("+");
    stage.key(Key::Escape);
    std::thread::sleep(NO_KEY);
    assert!(!is_open(&stage), "a key brought it nowhere");
    // By hand, where no field is.
    stage.tap(stage.middle("Keyboard on the screen"));
    assert!(is_open(&stage));
    press(&stage, &["Put the keyboard away"]);
    assert!(!is_open(&stage) && !get::<Prompt<'_>>(&stage).get_open());
}

#[test]
fn acc_4_who_has_real_keys_is_left_alone() {
    let stage = Stage::with(scenes::empty());
    stage.key(Key::F3);
    assert!(!is_open(&stage), "the field was reached by a key");
    stage.key(Key::Escape);
    std::thread::sleep(NO_KEY);
    search(&stage, "Search");
    assert!(is_open(&stage));
    stage.key("5");
    assert!(is_open(&stage), "the keypad has digits");
    stage.key("a");
    assert!(!is_open(&stage));
    std::thread::sleep(NO_KEY);
    stage.tap(stage.middle("Number or name"));
    assert!(!is_open(&stage), "it does not come again by itself");
    stage.tap(stage.middle("Keyboard on the screen"));
    assert!(is_open(&stage));
}

#[test]
fn acc_4_it_speaks_the_language_of_the_screen() {
    let mut view = scenes::empty();
    view.preferences.language = Language::French;
    let stage = Stage::with(view);
    search(&stage, "Chercher dans");
    let (a, q) = (stage.top("a"), stage.top("q"));
    assert!(a.y < q.y, "AZERTY");
    letters(&stage, "zo");
    press(&stage, &["Accents et signes", "é"]);
    assert_eq!(get::<Directory<'_>>(&stage).get_query(), "zoé");
}

#[test]
fn acc_4_all_of_the_rail_is_in_sight_above_it() {
    let stage = Stage::with(scenes::empty());
    search(&stage, "Search");
    assert!(is_open(&stage));
    for label in ["Directory", "Log", "Statistics", "Notes", "Reminders", "Settings"] {
        assert!(is_in_sight(&stage, label), "{label}");
        assert!(stage.find(label).size().height >= 48., "{label}");
    }
}

#[test]
fn acc_4_calls_are_answered_over_it() {
    let stage = Stage::with(scenes::empty());
    search(&stage, "Search");
    let view = crate::one_ringing();
    let call = view.incoming[0].call;
    stage.show(view);
    assert!(is_open(&stage));
    stage.commands();
    stage.tap(stage.middle("Answer"));
    assert_eq!(stage.commands(), [Command::Answer { call }]);
}

#[test]
fn acc_4_it_writes_the_note_and_goes_with_its_field() {
    let stage = Stage::with(scenes::empty());
    stage.have_note(ipc::Note::default());
    stage.event(frontdesk_ui::link::Event::Disconnected);
    stage.event(frontdesk_ui::link::Event::Connected);
    stage.tap(stage.middle("Notes"));
    stage.tap(stage.middle("Text of the note"));
    letters(&stage, "key");
    press(&stage, &["Enter"]);
    letters(&stage, "x");
    assert_eq!(get::<Note<'_>>(&stage).get_text(), "key\nx");
    stage.tap(stage.middle("Log"));
    assert_eq!(get::<Desk<'_>>(&stage).get_screen(), Screen::Log);
    assert!(!is_open(&stage));
    assert_eq!(get::<Log<'_>>(&stage).get_query(), "");
}

/// A desk at rest with texts of this size.
fn in_size(text_size: TextSize) -> View {
    let mut view = scenes::empty();
    view.preferences.text_size = text_size;
    view
}

/// Where what is beside the calls ends. A field that is scrolled out of sight loses the keyboard: then there is more room.
fn top_of_board(stage: &Stage) -> f32 {
    if is_open(stage) {
        return stage.find("Keyboard").absolute_position().y;
    }
    let window = stage.app.window();
    window.size().to_logical(window.scale_factor()).height - 56.
}

/// The whole element lies between the header and the keyboard.
fn is_in_sight(stage: &Stage, label: &str) -> bool {
    // What is scrolled out of sight is not found.
    if !stage.has(label) {
        return false;
    }
    let element = stage.find(label);
    let (from, height) = (element.absolute_position().y, element.size().height);
    from >= 84. && from + height <= top_of_board(stage)
}

/// It lies above the answers at the foot of the form, which cover nothing.
fn is_above_answers(stage: &Stage, label: &str) -> bool {
    if !is_in_sight(stage, label) {
        return false;
    }
    let element = stage.find(label);
    element.absolute_position().y + element.size().height <= stage.find("Cancel").absolute_position().y
}

/// Fingers move the form until this is in sight. They rest before they are lifted: it does not go on by itself.
fn scroll_to(stage: &Stage, label: &str) {
    let x = stage.middle("Close").x - 100.;
    for _ in 0..12 {
        if is_above_answers(stage, label) {
            return;
        }
        let low = stage.find("Cancel").absolute_position().y - 20.;
        let at = |step: u8| LogicalPosition::new(x, low - 10. * f32::from(step));
        stage.finger(TouchPhase::Started, at(0));
        for step in 1..=5 {
            stage.wait(50);
            stage.finger(TouchPhase::Moved, at(step));
        }
        stage.wait(300);
        stage.finger(TouchPhase::Ended, at(5));
        stage.wait(1000);
    }
    panic!("{label} cannot be brought into sight");
}

fn a_tall_form_scrolls(text_size: TextSize) {
    let stage = Stage::with(in_size(text_size));
    stage.tap(stage.middle("Reminders"));
    stage.tap(stage.middle("New reminder"));
    assert!(is_open(&stage) && is_in_sight(&stage, "Remind me of"), "{text_size:?}");
    letters(&stage, "key");
    assert_eq!(get::<ReminderEditor<'_>>(&stage).get_text(), "key");
    assert!(!is_above_answers(&stage, "Time of day"), "then there would be nothing to scroll");
    for label in ["Number to call", "In an hour", "Next day", "Time of day"] {
        assert!(is_in_sight(&stage, "Cancel") && is_in_sight(&stage, "Save"), "{text_size:?}: {label}");
        scroll_to(&stage, label);
    }
    assert!(is_in_sight(&stage, "Cancel") && is_in_sight(&stage, "Save"), "{text_size:?}");
    stage.commands();
    stage.tap(stage.middle("Save"));
    assert!(matches!(&stage.commands()[..], [Command::Reminder(_)]), "{text_size:?}");
}

#[test]
fn acc_4_a_tall_form_scrolls_above_it() {
    a_tall_form_scrolls(TextSize::Usual);
}

#[test]
fn acc_4_a_tall_form_scrolls_above_it_in_the_largest_texts() {
    a_tall_form_scrolls(TextSize::Largest);
}

#[test]
fn acc_4_a_form_is_answered_without_scrolling_in_the_largest_texts() {
    let stage = Stage::with(in_size(TextSize::Largest));
    stage.tap(stage.middle("Reminders"));
    stage.tap(stage.middle("New reminder"));
    letters(&stage, "key");
    press(&stage, &["Put the keyboard away"]);
    for label in ["Remind me of", "In an hour", "Next day", "An hour later", "Cancel", "Save"] {
        assert!(is_in_sight(&stage, label), "{label}");
    }
    assert!(is_above_answers(&stage, "An hour later"));
    stage.commands();
    stage.tap(stage.middle("Save"));
    assert!(matches!(&stage.commands()[..], [Command::Reminder(_)]));
}

#[test]
fn acc_4_the_field_that_is_typed_into_comes_into_sight_by_itself() {
    let stage = Stage::with(in_size(TextSize::Largest));
    stage.tap(stage.middle("Reminders"));
    stage.tap(stage.middle("New reminder"));
    press(&stage, &["Put the keyboard away"]);
    // Low in the form, where the keyboard will be.
    let place = stage.middle("Time of day");
    stage.tap(place);
    assert!(is_open(&stage));
    assert!(is_above_answers(&stage, "Time of day"));
    assert!(place.y > top_of_board(&stage), "it was where the keyboard is now");
}

#[test]
fn acc_4_put_away_it_comes_back_when_the_same_field_is_touched() {
    let stage = Stage::with(scenes::empty());
    search(&stage, "Search");
    letters(&stage, "mar");
    press(&stage, &["Put the keyboard away"]);
    assert!(!is_open(&stage));
    std::thread::sleep(NO_KEY);
    search(&stage, "Search");
    assert!(is_open(&stage), "a touch on the text");
    press(&stage, &["Put the keyboard away"]);
    // The edge of the bar, before its text.
    let name = get::<Directory<'_>>(&stage).get_name();
    let field = stage.find(&format!("Search {name}"));
    stage.tap(LogicalPosition::new(
        field.absolute_position().x - 20.,
        stage.middle(&format!("Search {name}")).y,
    ));
    assert!(is_open(&stage), "a touch on the frame");
    letters(&stage, "y");
    assert_eq!(get::<Directory<'_>>(&stage).get_query().len(), 4);
}

fn a_call_is_not_squeezed(text_size: TextSize) {
    let mut view = scenes::customer_answered();
    view.preferences.text_size = text_size;
    let stage = Stage::with(view);
    stage.tap(stage.middle("Number or name"));
    assert!(is_open(&stage));
    let ringing = crate::one_ringing();
    let mut view = scenes::customer_answered();
    view.preferences.text_size = text_size;
    view.generation += 1;
    view.incoming.truncate(1);
    view.incoming.splice(0..0, ringing.incoming);
    stage.show(view);
    let least = stage.app.global::<frontdesk_ui::screen::Size>().get_card();
    assert!(stage.app.get_incoming_height() >= least, "{} {least}", stage.app.get_incoming_height());
    stage.commands();
    // Its card is reached by a finger that moves the list, and at once by the key.
    stage.key(Key::F11);
    assert_eq!(stage.commands(), [Command::Hook { action: HookAction::AnswerLongest }], "{text_size:?}");
}

#[test]
fn acc_4_a_call_that_rings_is_not_squeezed_above_it() {
    a_call_is_not_squeezed(TextSize::Usual);
}

#[test]
fn acc_4_nor_is_it_in_the_largest_texts() {
    a_call_is_not_squeezed(TextSize::Largest);
}

#[test]
fn acc_4_above_it_the_call_that_talks_keeps_its_buttons_in_the_largest_texts() {
    let mut view = scenes::picture();
    view.preferences.text_size = TextSize::Largest;
    let stage = Stage::with(view);
    stage.tap(stage.middle("Number or name"));
    assert!(is_open(&stage));
    assert!(is_in_sight(&stage, "Hang up"));
    assert!(is_in_sight(&stage, "Helena Brandt"), "and who rings");
    let size = stage.find("Hang up").size();
    assert!(size.width >= 48. && size.height >= 48., "{size:?}");
    stage.commands();
    stage.tap(stage.middle("Hang up"));
    assert!(matches!(&stage.commands()[..], [Command::HangUp { call: CallRef(5) }]));
}

/// Where the frame of a field ends: below its text, whose label comes before it.
fn end_of_field(stage: &Stage, label: &str) -> f32 {
    let text = ElementHandle::find_by_accessible_label(&stage.app, label).last();
    let text = text.unwrap_or_else(|| panic!("{label} is out of sight"));
    text.absolute_position().y + text.size().height + 10.
}

fn top_of(stage: &Stage, label: &str) -> f32 {
    stage.find(label).absolute_position().y
}

#[test]
fn acc_4_a_field_stays_in_sight_when_its_fault_is_said_below_it_in_the_largest_texts() {
    let stage = Stage::with(in_size(TextSize::Largest));
    stage.tap(stage.middle("Reminders"));
    stage.tap(stage.middle("New reminder"));
    press(&stage, &["Put the keyboard away"]);
    for _ in 0..3 {
        stage.key(Key::Tab);
    }
    stage.write("99");
    stage.settle();
    let fault = "Not a time: write it like 14:30";
    assert!(stage.has(fault));
    let end = end_of_field(&stage, "Time of day");
    assert!(end <= top_of(&stage, fault), "{end} {}", top_of(&stage, fault));
}

#[test]
fn acc_4_the_question_whether_to_leave_stands_above_its_answers_in_the_largest_texts() {
    let stage = Stage::with(in_size(TextSize::Largest));
    get::<Editor<'_>>(&stage).invoke_open_new(1);
    stage.settle();
    stage.write("x");
    stage.key(Key::Escape);
    assert!(get::<Editor<'_>>(&stage).get_asking());
    let question = stage.find("Leave without saving?");
    let end = question.absolute_position().y + question.size().height;
    assert!(end <= top_of(&stage, "Discard"), "{end} {}", top_of(&stage, "Discard"));
}

#[test]
fn acc_4_the_first_field_of_a_new_contact_is_whole_above_it_in_the_largest_texts() {
    let mut view = scenes::picture();
    view.preferences.text_size = TextSize::Largest;
    let stage = Stage::with(view);
    get::<Editor<'_>>(&stage).invoke_open_new(1);
    stage.wait(50);
    if !is_open(&stage) {
        get::<Board<'_>>(&stage).invoke_toggle();
        stage.settle();
    }
    assert!(is_open(&stage));
    let end = end_of_field(&stage, "First name");
    assert!(end <= top_of_board(&stage), "{end} {}", top_of_board(&stage));
}

#[test]
fn acc_4_why_a_note_was_refused_is_in_sight_above_it_in_the_largest_texts() {
    let mut view = scenes::customer_answered();
    view.preferences.text_size = TextSize::Largest;
    let stage = Stage::with(view);
    get::<Customer<'_>>(&stage).invoke_write("1".into(), false);
    stage.settle();
    stage.write("x");
    get::<Item<'_>>(&stage).invoke_accept();
    stage.settle();
    let refused = ItemProblem::Refused { case: "auth-failed".into(), words: "401".into() };
    stage.answer(Err(CommandError::Item(refused)));
    if !is_open(&stage) {
        get::<Board<'_>>(&stage).invoke_toggle();
        stage.settle();
    }
    assert!(is_open(&stage));
    let fault = "The customer database refused the sign-in; tell the administrator";
    assert!(is_above_answers(&stage, fault));
}

#[test]
fn acc_4_where_we_are_is_in_sight_in_the_rail_above_it_in_the_largest_texts() {
    let stage = Stage::with(in_size(TextSize::Largest));
    stage.tap(stage.middle("Settings"));
    assert_eq!(get::<Desk<'_>>(&stage).get_screen(), Screen::Settings);
    stage.tap(stage.middle("Keyboard on the screen"));
    assert!(is_open(&stage));
    assert!(is_in_sight(&stage, "Settings"));
}
