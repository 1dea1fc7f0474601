//! Reminders (REM-1): written, changed, removed, and answered when they are due; by touches and by keys alone.

use chrono::Local;
use frontdesk_ui::link::Event;
use frontdesk_ui::scenes;
use frontdesk_ui::screen::{
    Calls, Desk, Directory, Log, Menu, ReminderEditor, ReminderFault, ReminderGroup, ReminderWhen,
    ReminderWords, Reminders, Screen,
};
use i_slint_backend_testing::ElementHandle;
use ipc::{
    Command, CommandError, Language, MAX_REMINDER_TEXT, Reminder, ReminderForm, ReminderId, ReminderProblem,
    ReminderWish, RemindersView, View,
};
use slint::platform::Key;
use slint::{ComponentHandle, Model};

use crate::hands::Stage;

/// Longer than a notification waits for a finger that was meant for something else.
const READY: u64 = 600;
const MINUTE: i64 = 60_000;

fn now() -> i64 {
    Local::now().timestamp_millis()
}

fn wish(wish: ReminderWish) -> Command {
    Command::Reminder(wish)
}

/// A desk at rest that has these reminders.
fn with(list: Vec<Reminder>) -> Stage {
    let stage = Stage::with(scenes::empty());
    stage.has_keys();
    have(&stage, list);
    stage
}

/// The list is this from now on. The view says that it is another one, and has no notifications.
fn have(stage: &Stage, list: Vec<Reminder>) {
    let generation = u64::try_from(now()).unwrap();
    stage.have_reminders(list);
    let reminders = RemindersView { generation, ..RemindersView::default() };
    stage.show(View { reminders, ..scenes::empty() });
    stage.commands();
}

/// Three that are due, four to come, two past; see the scene.
fn of_all_sorts() -> Stage {
    with(scenes::reminders())
}

fn open(stage: &Stage) {
    stage.tap(stage.middle("Reminders"));
    assert_eq!(screen(stage), Screen::Reminders);
}

fn screen(stage: &Stage) -> Screen {
    stage.app.global::<Desk>().get_screen()
}

fn is_open(stage: &Stage) -> bool {
    stage.app.global::<ReminderEditor>().get_open()
}

fn fault(stage: &Stage) -> ReminderFault {
    stage.app.global::<ReminderEditor>().get_fault()
}

/// The only command since the last time.
#[track_caller]
fn only(stage: &Stage) -> Command {
    let mut commands = stage.commands();
    assert_eq!(commands.len(), 1, "{commands:?}");
    commands.remove(0)
}

#[track_caller]
fn added(stage: &Stage) -> ReminderForm {
    match only(stage) {
        Command::Reminder(ReminderWish::Add(what)) => what,
        other => panic!("{other:?}"),
    }
}

fn groups(stage: &Stage) -> Vec<(ReminderGroup, bool)> {
    stage.app.global::<Reminders>().get_rows().iter().map(|row| (row.group, row.pending)).collect()
}

fn cards(stage: &Stage) -> usize {
    stage.app.global::<Reminders>().get_cards().row_count()
}

fn described(stage: &Stage, label: &str) -> String {
    stage.find(label).accessible_description().unwrap_or_default().to_string()
}

#[test]
fn rem_1_a_reminder_is_written_by_touches() {
    let stage = with(Vec::new());
    open(&stage);
    assert!(stage.has("No reminders"));
    stage.tap(stage.middle("New reminder"));
    assert!(is_open(&stage));
    stage.write("Fetch the parcel");
    let before = now();
    stage.tap(stage.middle("In 10 min"));
    stage.tap(stage.top("Save"));
    let what = added(&stage);
    assert_eq!((what.text.as_str(), what.number.as_str(), what.name.as_str()), ("Fetch the parcel", "", ""));
    let ahead = what.due_unix_ms - before;
    assert!((10 * MINUTE - 1_000..=11 * MINUTE + 1_000).contains(&ahead), "{ahead} ms");
    assert_eq!(what.due_unix_ms % MINUTE, 0, "at the full minute");
    assert!(is_open(&stage), "it is not shown as kept before it is");
    stage.answer(Ok(()));
    assert!(!is_open(&stage));
}

#[test]
fn rem_1_a_time_is_stepped_and_typed() {
    let stage = with(Vec::new());
    open(&stage);
    stage.tap(stage.middle("New reminder"));
    stage.write("Post");
    stage.tap(stage.middle("Tomorrow 09:00"));
    let editor = stage.app.global::<ReminderEditor>();
    assert_eq!((editor.get_time().as_str(), editor.get_day().days), ("09:00", 1));
    for (button, time) in [
        ("An hour later", "10:00"),
        ("Five minutes later", "10:05"),
        ("Five minutes earlier", "10:00"),
        ("An hour earlier", "09:00"),
    ] {
        stage.tap(stage.middle(button));
        assert_eq!(editor.get_time(), time, "{button}");
    }
    stage.tap(stage.middle("Next day"));
    assert_eq!(editor.get_day().days, 2);
    for _ in 0..3 {
        stage.tap(stage.middle("Previous day"));
    }
    assert_eq!(editor.get_day().days, 0, "not before today");
    stage.tap(stage.middle("Next day"));

    stage.tap(stage.middle("Time of day"));
    stage.control("a");
    stage.write("25");
    assert_eq!(fault(&stage), ReminderFault::NoTime);
    stage.tap(stage.top("Save"));
    assert_eq!(stage.commands(), []);
    stage.control("a");
    stage.write("16.45");
    assert_eq!(fault(&stage), ReminderFault::None);
    stage.key(Key::Return);
    let due = Local::now().date_naive().succ_opt().unwrap().and_hms_opt(16, 45, 0).unwrap();
    let due = due.and_local_timezone(Local).earliest().unwrap().timestamp_millis();
    assert_eq!(added(&stage).due_unix_ms, due);
}

#[test]
fn rem_1_what_cannot_be_kept_is_not_sent_and_what_the_desk_refuses_is_said_and_stays() {
    let stage = with(Vec::new());
    open(&stage);
    stage.tap(stage.middle("New reminder"));
    stage.tap(stage.top("Save"));
    assert_eq!((fault(&stage), stage.commands()), (ReminderFault::Empty, vec![]));
    let editor = stage.app.global::<ReminderEditor>();
    editor.set_text("a".repeat(MAX_REMINDER_TEXT + 1).into());
    stage.tap(stage.top("Save"));
    assert_eq!((fault(&stage), stage.commands()), (ReminderFault::TooLong, vec![]));
    editor.set_text("Post".into());
    for (error, said) in [
        (CommandError::Reminder(ReminderProblem::Full), ReminderFault::Full),
        (CommandError::Reminder(ReminderProblem::BadTime), ReminderFault::BadTime),
        (CommandError::Failed { reason: "the disk is full".into() }, ReminderFault::Failed),
    ] {
        stage.tap(stage.top("Save"));
        added(&stage);
        stage.answer(Err(error));
        assert_eq!(fault(&stage), said);
        assert!(is_open(&stage) && editor.get_text() == "Post");
    }
    assert_eq!(editor.get_reason(), "the disk is full; tell your administrator");
    stage.tap(stage.top("Save"));
    added(&stage);
    stage.event(Event::Disconnected);
    assert!(is_open(&stage) && !editor.get_waiting());
    assert_eq!(fault(&stage), ReminderFault::Away);
    stage.event(Event::Connected);
    stage.tap(stage.top("Save"));
    added(&stage);
    stage.answer(Ok(()));
    assert!(!is_open(&stage));
}

#[test]
fn rem_1_the_list_is_grouped_and_a_pin_is_red_until_told_and_green_from_then_on() {
    let stage = of_all_sorts();
    open(&stage);
    use ReminderGroup::{Due, Later, Past, Tomorrow};
    let wanted = [
        (Due, false),
        (Due, false),
        (Due, false),
        (Tomorrow, true),
        (Tomorrow, true),
        (Later, true),
        (Later, true),
        (Past, false),
        (Past, false),
    ];
    assert_eq!(groups(&stage), wanted);
    for heading in ["Due", "Tomorrow", "Later"] {
        assert!(stage.has(heading), "{heading}");
    }
    // In words as well, for who sees no colour.
    assert!(described(&stage, "Ask about the contract").starts_with("Pending, Tomorrow, "));
    assert!(described(&stage, "Call back Helena Brandt").starts_with("Due "));
    let list = scenes::reminders().into_iter().filter(|reminder| reminder.done_unix_ms.is_some()).collect();
    have(&stage, list);
    assert_eq!(groups(&stage), [(Past, false), (Past, false)]);
    assert!(described(&stage, "Call back Tomás Rivera").starts_with("Past, "));
}

#[test]
fn rem_1_a_double_tap_or_a_button_edits_and_what_was_changed_is_not_lost_unasked() {
    let stage = of_all_sorts();
    open(&stage);
    stage.double_tap(stage.spot("Ask about the contract"));
    let editor = stage.app.global::<ReminderEditor>();
    assert_eq!((editor.get_text().as_str(), editor.get_is_new()), ("Ask about the contract", false));
    assert_eq!(
        (editor.get_name().as_str(), editor.get_number().as_str()),
        ("Nadia Okafor", "+44 20 7946 0991")
    );
    // Nothing was changed: nothing is asked, nothing sent.
    stage.tap(stage.top("Cancel"));
    assert!(!is_open(&stage));
    stage.double_tap(stage.spot("Ask about the contract"));
    stage.tap(stage.top("Save"));
    assert_eq!((is_open(&stage), stage.commands()), (false, vec![]));

    stage.double_tap(stage.spot("Ask about the contract"));
    assert!(is_open(&stage));
    stage.key(Key::End);
    stage.write("!");
    stage.key(Key::Escape);
    assert_eq!((editor.get_text().as_str(), is_open(&stage)), ("Ask about the contract!", true));
    assert!(editor.get_asks());
    stage.tap(stage.middle("Keep editing"));
    assert!(!editor.get_asks() && editor.get_text() == "Ask about the contract!");
    // Nor by going elsewhere.
    stage.app.global::<Desk>().invoke_show(Screen::Log);
    stage.settle();
    assert!(editor.get_asks());
    assert_eq!(screen(&stage), Screen::Reminders);
    stage.tap(stage.middle("Keep editing"));
    stage.tap(stage.top("Save"));
    let before = scenes::reminders().remove(3);
    match only(&stage) {
        Command::Reminder(ReminderWish::Change { id, what }) => {
            assert_eq!((id, what.text.as_str()), (before.id, "Ask about the contract!"));
            // To the millisecond as it was: nobody has chosen another time.
            let kept = stage.reminder(before.id).what;
            assert_eq!(what, ReminderForm { text: what.text.clone(), ..kept });
        }
        other => panic!("{other:?}"),
    }
    stage.answer(Ok(()));
    assert!(!is_open(&stage));

    stage.double_tap(stage.spot("Ask about the contract"));
    stage.tap(stage.middle("An hour later"));
    stage.tap(stage.top("Cancel"));
    stage.tap(stage.middle("Discard"));
    assert_eq!((is_open(&stage), stage.commands()), (false, vec![]));
}

#[test]
fn rem_1_who_leaves_is_offered_to_save_and_what_is_wrong_keeps_one_in_the_form() {
    let stage = of_all_sorts();
    open(&stage);
    stage.double_tap(stage.spot("Ask about the contract"));
    let editor = stage.app.global::<ReminderEditor>();
    stage.key(Key::End);
    stage.write("!");
    stage.key(Key::Escape);
    assert!(editor.get_asks());
    // A key too many neither loses anything nor sends it.
    stage.key(Key::Return);
    assert_eq!((editor.get_asks(), is_open(&stage), stage.commands()), (false, true, vec![]));
    stage.key(Key::Escape);
    assert!(editor.get_asks());
    // Keep editing, Discard, Save, from the right to the left.
    stage.key(Key::LeftArrow);
    stage.key(Key::LeftArrow);
    stage.key(Key::Return);
    let sent = only(&stage);
    assert!(matches!(sent, Command::Reminder(ReminderWish::Change { .. })), "{sent:?}");
    stage.answer(Ok(()));
    assert!(!is_open(&stage));

    stage.double_tap(stage.spot("Ask about the contract"));
    stage.wait(50);
    for _ in 0..3 {
        stage.key(Key::Tab);
    }
    stage.write("99");
    stage.key(Key::Escape);
    assert!(editor.get_asks());
    stage.key(Key::Tab);
    stage.key(Key::Return);
    assert_eq!((editor.get_asks(), is_open(&stage), stage.commands()), (false, true, vec![]));
    assert!(stage.has("Not a time: write it like 14:30"));
}

#[test]
fn rem_1_removing_can_be_undone_by_touches_and_so_can_removing_all_that_are_past() {
    let stage = of_all_sorts();
    open(&stage);
    let id = ReminderId(2);
    stage.tap(stage.spot("Call back Helena Brandt"));
    stage.right_click(stage.spot("Call back Helena Brandt"));
    stage.tap(stage.top("Remove the reminder"));
    assert_eq!(only(&stage), wish(ReminderWish::Remove { ids: vec![id] }));
    assert!(!stage.has("Undo"), "nothing is removed before the desk says so");
    stage.answer(Ok(()));
    stage.tap(stage.middle("Undo"));
    assert_eq!(only(&stage), wish(ReminderWish::Restore { ids: vec![id] }));
    stage.answer(Ok(()));
    assert!(!stage.has("Undo"));

    stage.tap(stage.middle("Remove past ones"));
    let ids = [ReminderId(8), ReminderId(9)];
    let removed = only(&stage);
    assert!(
        matches!(&removed, Command::Reminder(ReminderWish::Remove { ids: sent }) if sent.len() == 2 && ids.iter().all(|id| sent.contains(id))),
        "{removed:?}"
    );
    stage.answer(Err(CommandError::Failed { reason: "the disk is full".into() }));
    assert!(!stage.has("Undo"));
    let said = stage.app.global::<Calls>().get_ledger().row_data(0).unwrap();
    assert_eq!((said.code, said.reason.as_str()), (1, ""));
    assert!(stage.has("the disk is full; tell your administrator"));
}

#[test]
fn rem_1_by_keys_alone() {
    let stage = of_all_sorts();
    stage.control("d");
    assert_eq!(screen(&stage), Screen::Reminders);
    let cursor = || stage.app.global::<Reminders>().get_cursor();
    assert_eq!(cursor(), 0);
    for (key, at) in [(Key::DownArrow, 1), (Key::End, 8), (Key::UpArrow, 7), (Key::PageUp, 1), (Key::Home, 0)]
    {
        stage.key(key);
        assert_eq!(cursor(), at, "{key:?}");
    }
    stage.key(Key::DownArrow);
    // Due: its menu has what the notification has.
    stage.key("/");
    assert!(stage.app.global::<Menu>().get_open());
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    assert_eq!(only(&stage), wish(ReminderWish::Finish { id: ReminderId(2) }));
    stage.answer(Ok(()));
    stage.key(Key::Delete);
    assert_eq!(only(&stage), wish(ReminderWish::Remove { ids: vec![ReminderId(2)] }));
    stage.answer(Ok(()));
    stage.key("-");
    assert_eq!(only(&stage), wish(ReminderWish::Restore { ids: vec![ReminderId(2)] }));
    stage.answer(Ok(()));

    for new in ["n", "+"] {
        stage.key(new);
        assert!(is_open(&stage), "{new}");
        stage.write("Nine");
        let editor = stage.app.global::<ReminderEditor>();
        let (time, day) = (editor.get_time(), editor.get_day().days);
        stage.key(Key::PageUp);
        assert_eq!(editor.get_day().days, day + 1);
        stage.key(Key::UpArrow);
        assert_ne!(editor.get_time(), time);
        assert_eq!(editor.get_text(), "Nine");
        // Out of the text with its changes: asked, and by keys answered.
        stage.key(Key::Escape);
        assert!(editor.get_asks());
        stage.key(Key::Escape);
        assert!(is_open(&stage) && !editor.get_asks());
        stage.key(Key::Return);
        assert_eq!(added(&stage).text, "Nine");
        stage.answer(Ok(()));
        assert!(!is_open(&stage));
    }
    stage.key(Key::Return);
    assert!(is_open(&stage), "Enter edits");
    stage.key(Key::Escape);
    assert!(!is_open(&stage));
    stage.key(Key::Escape);
    assert_eq!(screen(&stage), Screen::Directory);
    stage.key("n");
    assert!(!is_open(&stage), "a letter is none of ours elsewhere");
    assert_eq!(stage.commands(), []);
}

#[test]
fn rem_1_what_is_due_is_a_notification_on_any_screen_and_covers_no_call() {
    let stage = Stage::with(scenes::reminded(3));
    stage.have_reminders(scenes::reminders());
    assert_eq!(cards(&stage), 2, "as many as there is room for");
    assert!(stage.has("and 1 more reminder"));
    assert_eq!(described(&stage, "Reminders"), "3 due");
    assert!(described(&stage, "Water the plants in the hall").starts_with("Was due "));
    assert!(described(&stage, "Call back Helena Brandt").starts_with("Due "));
    let edge = stage.app.get_calls_width();
    for to in [Screen::Log, Screen::Note, Screen::Settings, Screen::Reminders, Screen::Directory] {
        stage.app.global::<Desk>().invoke_show(to);
        stage.settle();
        assert_eq!(cards(&stage), 2, "{to:?}");
        // The list has them all: nothing lies over it and says them again.
        let shown = if to == Screen::Reminders { 0 } else { 2 };
        assert_eq!(stage.has("Again in 10 minutes"), shown > 0, "{to:?}");
        assert_eq!(stage.app.global::<Reminders>().get_due_count(), 3, "{to:?}");
        for label in ["Water the plants in the hall", "Call back Helena Brandt"].into_iter().take(shown) {
            let card = ElementHandle::find_by_accessible_label(&stage.app, label).last().unwrap();
            assert!(card.absolute_position().x > edge, "{label}");
        }
    }
    stage.tap(stage.middle("and 1 more reminder"));
    assert_eq!(screen(&stage), Screen::Reminders);
    // Without a connection nothing could be answered.
    stage.event(Event::Disconnected);
    assert_eq!(cards(&stage), 0);
}

#[test]
fn rem_1_a_notification_is_done_or_put_off_but_not_by_a_finger_that_was_meant_for_what_lay_there() {
    let stage = Stage::with(scenes::reminded(1));
    stage.tap(stage.middle("Done"));
    assert_eq!(stage.commands(), []);
    stage.wait(READY);
    stage.tap(stage.middle("Done"));
    let id = ReminderId(1);
    assert_eq!(only(&stage), wish(ReminderWish::Finish { id }));
    stage.answer(Ok(()));
    stage.tap(stage.middle("Again in 10 minutes"));
    assert_eq!(only(&stage), wish(ReminderWish::Snooze { id, minutes: 10 }));
    for (button, minutes) in
        [("Again in 5 minutes", 5), ("Again in 15 minutes", 15), ("Again in an hour", 60)]
    {
        if !stage.has(button) {
            stage.tap(stage.middle("Again later"));
        }
        stage.tap(stage.middle(button));
        assert_eq!(only(&stage), wish(ReminderWish::Snooze { id, minutes }));
    }
    stage.tap(stage.middle("Back"));
    assert!(stage.has("Done"));
    stage.show(View { reminders: RemindersView::default(), ..scenes::picture() });
    assert!(!stage.has("Done"));
}

#[test]
fn rem_1_calling_back_from_a_notification_is_done_once_the_call_is_on_its_way() {
    let mut view = scenes::reminded(2);
    view.reminders.due.remove(0);
    view.reminders.due_count = 1;
    let stage = Stage::with(view);
    stage.wait(READY);
    let dial = Command::Dial { number: "+49 30 5557 0142".into(), line: None };
    stage.tap(stage.top("Call"));
    assert_eq!(stage.commands(), std::slice::from_ref(&dial));
    stage.answer(Err(CommandError::NotRegistered));
    assert_eq!(stage.commands(), [], "who could not be called is not done with");
    assert!(stage.app.global::<Calls>().get_ledger().iter().any(|entry| entry.refused != Default::default()));
    stage.tap(stage.top("Call"));
    assert_eq!(stage.commands(), [dial]);
    stage.answer(Ok(()));
    assert_eq!(only(&stage), wish(ReminderWish::Finish { id: ReminderId(2) }));
}

#[test]
fn rem_1_who_rings_while_a_reminder_is_written_is_answered_and_what_is_written_stays() {
    let stage = with(Vec::new());
    open(&stage);
    stage.tap(stage.middle("New reminder"));
    stage.write("Post");
    stage.show(scenes::picture());
    stage.key(Key::F9);
    assert!(matches!(only(&stage), Command::Hook { .. }));
    stage.write("!");
    let editor = stage.app.global::<ReminderEditor>();
    assert_eq!((editor.get_text().as_str(), is_open(&stage)), ("Post!", true));
}

/// The form is open for these, and Save sends them.
#[track_caller]
fn calls_back(stage: &Stage, name: &str, number: &str) {
    assert!(is_open(stage));
    stage.commands();
    stage.tap(stage.top("Save"));
    let what = added(stage);
    assert_eq!((what.text.as_str(), what.name.as_str(), what.number.as_str()), ("", name, number));
    stage.answer(Ok(()));
    assert!(!is_open(stage));
}

#[test]
fn rem_1_call_8_a_call_back_is_noted_from_a_call_a_row_of_the_log_and_a_contact() {
    let stage = Stage::with(scenes::picture());
    stage.has_keys();
    stage.right_click(stage.spot("Helena Brandt"));
    stage.tap(stage.middle("Remind me to call back…"));
    calls_back(&stage, "Helena Brandt", "+49 30 5557 0142");
    // Nobody knows whom to call back.
    stage.right_click(stage.spot("Anonymous"));
    assert!(!stage.has("Remind me to call back…"));
    stage.key(Key::Escape);

    stage.app.global::<Desk>().invoke_show(Screen::Log);
    stage.settle();
    let rows = stage.app.global::<Log>().get_rows();
    let (at, row) = rows.iter().enumerate().find(|(_, row)| row.can_call && !row.name.is_empty()).unwrap();
    stage.app.global::<Log>().invoke_menu(i32::try_from(at).unwrap(), 700., 300.);
    stage.settle();
    stage.tap(stage.middle("Remind me to call back…"));
    calls_back(&stage, &row.name, &row.number);

    stage.app.global::<Desk>().invoke_show(Screen::Directory);
    stage.settle();
    let row = stage.app.global::<Directory>().get_rows().row_data(0).unwrap();
    let tile = row.tiles.row_data(0).unwrap();
    stage.right_click(stage.spot(&tile.name));
    stage.tap(stage.middle("Remind me to call back…"));
    assert!(is_open(&stage));
    assert_eq!(stage.app.global::<ReminderEditor>().get_name(), tile.name);
}

#[test]
fn rem_1_acc_4_a_list_that_cannot_be_read_says_what_to_do() {
    let stage = Stage::with(scenes::empty());
    stage.refuse_reminders("the database is damaged");
    stage.show(scenes::to_be_reminded());
    open(&stage);
    assert!(
        stage.has("The reminders cannot be read") && stage.has("if it stays so, tell your administrator")
    );
    assert!(!stage.has("the database is damaged"), "that is English, whatever the screen speaks");
    stage.have_reminders(scenes::reminders());
    stage.event(Event::Disconnected);
    stage.event(Event::Connected);
    assert_eq!(groups(&stage).len(), 9);
}

#[test]
fn rem_1_acc_4_in_french_the_first_of_a_month_has_an_ordinal() {
    let mut view = scenes::empty();
    view.preferences.language = Language::French;
    let stage = Stage::with(view);
    let words = stage.app.global::<ReminderWords>();
    let november = |day| {
        words.invoke_day(ReminderWhen { days: 9, weekday: 0, day, month: 11, ..ReminderWhen::default() })
    };
    assert_eq!((november(1).as_str(), november(2).as_str()), ("dim. 1er nov.", "dim. 2 nov."));
}

#[test]
fn rem_1_the_second_of_two_taps_on_done_does_nothing_to_the_next_reminder() {
    let mut view = scenes::reminded(2);
    let stage = Stage::with(view.clone());
    stage.wait(READY);
    let place = stage.middle("Done");
    let below = ElementHandle::find_by_accessible_label(&stage.app, "Done").last().unwrap();
    let (at, size) = (below.absolute_position(), below.size());
    let lower = slint::LogicalPosition::new(at.x + size.width / 2., at.y + size.height / 2.);
    assert!(lower.y > place.y);
    stage.tap(lower);
    let ended = view.reminders.due.remove(1).id;
    assert_eq!(only(&stage), wish(ReminderWish::Finish { id: ended }));
    view.generation += 1;
    view.reminders.due_count = 1;
    stage.show(view);
    stage.tap(lower);
    assert_eq!(stage.commands(), [], "another has come there");
}
