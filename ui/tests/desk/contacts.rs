//! Contacts written by hand: the editor, the ways into it, removing and bringing back.

use frontdesk_ui::link::Event;
use frontdesk_ui::scenes;
use frontdesk_ui::screen::{
    Desk, Directory, EditFault, EditField, Editor, FieldProblem, HistoryKind, LinkCard, Menu, SaveBlock,
    Screen,
};
use ipc::{
    AlertSet, CallRef, Command, CommandError, ContactCard, ContactField, ContactForm, ContactId, DirectoryId,
    Edit, EditProblem, HookAction, Language, RemovalId, Reply, TransferState, View,
};
use slint::platform::{Key, PointerEventButton};
use slint::{ComponentHandle, LogicalPosition, Model};

use super::hands::Stage;

/// Alice Fournier, whose tile is the first.
const ALICE: ContactId = ContactId(1);

fn editor(stage: &Stage) -> Editor<'_> {
    stage.app.global::<Editor>()
}

fn problem(stage: &Stage, index: usize) -> FieldProblem {
    editor(stage).get_problems().row_data(index).unwrap()
}

fn alice() -> ContactCard {
    scenes::card(ALICE).unwrap()
}

/// The editor is open with the first contact of the directory.
fn editing(view: View) -> Stage {
    let stage = Stage::with(view);
    stage.right_click(stage.spot("Alice Fournier"));
    stage.tap(stage.middle("Contact…"));
    stage.tap(stage.middle("Edit the contact"));
    stage.settle();
    assert!(editor(&stage).get_open() && !editor(&stage).get_loading());
    stage
}

fn sent(stage: &Stage) -> Edit {
    match stage.commands().pop() {
        Some(Command::Edit(edit)) => edit,
        other => panic!("no edit but {other:?}"),
    }
}

/// The directories have changed; what the desk knows of Alice is this now.
fn changed(stage: &Stage, card: Option<ContactCard>) {
    stage.know(ALICE, card);
    let mut view = scenes::picture();
    view.generation = 2;
    view.directories[0].generation = 2;
    stage.show(view);
    stage.settle();
}

#[test]
fn dir_2_dir_9_a_contact_is_edited_by_touch_and_keys_and_saved_whole() {
    let stage = editing(scenes::picture());
    assert_eq!(editor(&stage).get_block(), SaveBlock::Unchanged);
    assert_eq!(editor(&stage).get_phone(), "2101");
    // First name, then Tab to the last name.
    stage.key(Key::End);
    stage.write("x");
    stage.key(Key::Tab);
    stage.key(Key::End);
    stage.write("-Weber");
    stage.tap(stage.middle("Save"));
    let form =
        ContactForm { first_name: "Alicex".into(), last_name: "Fournier-Weber".into(), ..alice().form };
    let directory = DirectoryId(1);
    let edit = Edit::ChangeContact { contact: ALICE, directory, form: Box::new(form), keep_picture: true };
    assert_eq!(sent(&stage), edit);
    assert_eq!(editor(&stage).get_block(), SaveBlock::Sending);
    stage.answer(Ok(()));
    assert!(!editor(&stage).get_open());
}

#[test]
fn dir_2_enter_goes_on_from_field_to_field_and_control_s_saves() {
    let stage = Stage::with(scenes::empty());
    editor(&stage).invoke_open_new(2);
    stage.settle();
    assert_eq!(editor(&stage).get_block(), SaveBlock::NeedsName);
    stage.write("Ana");
    for _ in 0..6 {
        stage.key(Key::Return);
    }
    stage.write("+49 30 1");
    stage.key(Key::UpArrow);
    stage.write("HQ");
    stage.control("s");
    let form = ContactForm {
        first_name: "Ana".into(),
        office: "HQ".into(),
        phone: "+49 30 1".into(),
        ..ContactForm::default()
    };
    assert_eq!(sent(&stage), Edit::AddContact { directory: DirectoryId(2), form: Box::new(form) });
}

#[test]
fn dir_2_enter_that_is_held_goes_on_by_one_field_and_saves_nothing() {
    let stage = Stage::with(scenes::empty());
    editor(&stage).invoke_open_new(2);
    stage.settle();
    stage.write("Ana");
    stage.key(Key::Return);
    stage.held(Key::Return, 30);
    assert_eq!(stage.commands(), []);
    stage.write("Luz");
    assert_eq!(editor(&stage).get_last_name(), "Luz");
}

#[test]
fn pre_2_presence_is_on_for_new_staff_and_never_for_strangers() {
    let stage = Stage::with(scenes::empty());
    let write = |directory| {
        editor(&stage).invoke_open_new(directory);
        stage.settle();
        stage.write("Ana");
    };
    let presence = || match sent(&stage) {
        Edit::AddContact { form, directory } => (directory.0, form.presence),
        other => panic!("{other:?}"),
    };
    write(1);
    stage.control("s");
    assert_eq!(presence(), (1, true));
    stage.answer(Ok(()));
    // Moved to the customers: the switch is off and cannot be moved.
    write(1);
    stage.tap(stage.top("Customers"));
    assert!(!stage.find("Presence is for directories of company staff").accessible_enabled().unwrap());
    stage.control("s");
    assert_eq!(presence(), (2, false));
    stage.answer(Ok(()));
    // Switched off by hand it stays off.
    write(1);
    stage.tap(stage.middle("Presence: show what the phone does"));
    stage.control("s");
    assert_eq!(presence(), (1, false));
}

#[test]
fn pre_2_presence_is_switched_in_the_menu_of_a_local_contact_only() {
    let stage = Stage::with(scenes::picture());
    stage.right_click(stage.spot("Alice Fournier"));
    stage.tap(stage.middle("Contact…"));
    stage.tap(stage.middle("Turn presence off"));
    assert_eq!(sent(&stage), Edit::SetPresence { contact: ALICE, on: false });
    stage.app.global::<Directory>().invoke_open_tab(1);
    stage.settle();
    stage.right_click(stage.spot("Luca Ferri"));
    stage.tap(stage.middle("Contact…"));
    assert!(stage.has("Remove the contact") && !stage.has("Turn presence on"));
}

#[test]
fn dir_2_problems_are_said_beside_their_field_as_one_types() {
    let stage = Stage::with(scenes::empty());
    editor(&stage).invoke_open_new(1);
    stage.settle();
    stage.write("Ana");
    assert_eq!(editor(&stage).get_block(), SaveBlock::None);
    for _ in 0..6 {
        stage.key(Key::Tab);
    }
    stage.write("12x");
    assert_eq!(problem(&stage, 6), FieldProblem::NotANumber, "an extension without a digit");
    stage.write("3");
    assert_eq!(problem(&stage, 6), FieldProblem::None, "an extension behind a letter");
    stage.key(Key::Home);
    stage.write("no");
    assert_eq!(problem(&stage, 6), FieldProblem::NotANumber);
    assert_eq!(editor(&stage).get_block(), SaveBlock::SeeFields);
    assert!(stage.has("To save, correct the fields in red"));
    stage.control("s");
    assert_eq!(stage.commands(), []);
    stage.key(Key::Delete);
    for _ in 0..2 {
        stage.key(Key::Backspace);
    }
    for _ in 0..5 {
        stage.key(Key::Tab);
    }
    stage.write("ana@");
    assert_eq!(problem(&stage, 10), FieldProblem::NotAnAddress);
    stage.write("x");
    assert_eq!(problem(&stage, 10), FieldProblem::None);
    let mut view = scenes::empty();
    view.preferences.language = Language::French;
    stage.show(view);
    stage.write("@");
    assert!(stage.has("Pour enregistrer, corrigez les champs en rouge"));
    assert_eq!(stage.find("E-mail").accessible_description().unwrap(), "doit avoir la forme nom@domaine");
}

#[test]
fn dir_2_a_refusal_is_said_and_nothing_typed_is_lost() {
    let stage = editing(scenes::picture());
    stage.key(Key::End);
    stage.write("y");
    stage.control("s");
    stage.answer(Err(CommandError::Edit(EditProblem::DirectoryFull)));
    assert!(editor(&stage).get_open() && stage.has("The directory is full"));
    assert_eq!(editor(&stage).get_first_name(), "Alicey");
    // The desk's word about a field stands at the field, until that is changed.
    stage.control("s");
    stage.answer(Err(CommandError::Edit(EditProblem::TooLong { field: ContactField::FirstName })));
    assert_eq!(problem(&stage, 0), FieldProblem::TooLong);
    stage.key(Key::Backspace);
    assert_eq!(problem(&stage, 0), FieldProblem::None);
    // The desk goes away in the middle of it.
    stage.write("z");
    stage.control("s");
    stage.event(Event::Disconnected);
    assert_eq!(editor(&stage).get_fault(), EditFault::Unanswered);
    stage.event(Event::Connected);
    assert_eq!(editor(&stage).get_first_name(), "Alicez");
}

#[test]
fn dir_2_escape_asks_only_when_something_would_be_lost() {
    let stage = editing(scenes::picture());
    stage.key(Key::Escape);
    assert!(!editor(&stage).get_open());
    editor(&stage).invoke_open_new(1);
    stage.settle();
    stage.write("x");
    stage.key(Key::Escape);
    assert!(editor(&stage).get_open() && editor(&stage).get_asking());
    stage.key(Key::Escape);
    assert!(editor(&stage).get_open() && !editor(&stage).get_asking());
    assert!(editor(&stage).get_first_name().contains('x'));
    stage.tap(stage.middle("Close the editor"));
    stage.tap(stage.middle("Discard"));
    assert!(!editor(&stage).get_open());
    assert_eq!(stage.commands(), []);
}

#[test]
fn dir_2_who_leaves_is_offered_to_save_and_what_is_wrong_keeps_one_in_the_form() {
    let stage = editing(scenes::picture());
    stage.key(Key::End);
    stage.write("x");
    stage.key(Key::Escape);
    assert!(editor(&stage).get_asking());
    // Keep editing, Discard, Save, from the right to the left.
    stage.key(Key::LeftArrow);
    stage.key(Key::LeftArrow);
    stage.key(Key::Return);
    assert!(editor(&stage).get_open() && !editor(&stage).get_asking());
    assert!(matches!(sent(&stage), Edit::ChangeContact { .. }));
    stage.answer(Ok(()));
    assert!(!editor(&stage).get_open());
    editor(&stage).invoke_open_new(1);
    stage.settle();
    stage.write("Ana");
    for _ in 0..6 {
        stage.key(Key::Tab);
    }
    stage.write("12x");
    assert_eq!(editor(&stage).get_block(), SaveBlock::SeeFields);
    stage.key(Key::Escape);
    assert!(editor(&stage).get_asking());
    stage.commands();
    stage.tap(stage.middle("Save"));
    assert!(editor(&stage).get_open() && !editor(&stage).get_asking());
    assert_eq!(stage.commands(), []);
}

#[test]
fn dir_2_what_somebody_else_changed_meanwhile_is_taken_in_and_said() {
    let stage = editing(scenes::picture());
    stage.key(Key::End);
    stage.write("x");
    let mut theirs = alice();
    theirs.form.mobile = "+49 151 1".into();
    theirs.form.first_name = "Alix".into();
    theirs.history.insert(0, ipc::ContactChange { by: "Paul".into(), ..theirs.history[0].clone() });
    changed(&stage, Some(theirs.clone()));
    assert!(stage.has("Changed meanwhile by Paul; what you typed is kept"));
    assert_eq!(editor(&stage).get_first_name(), "Alicex");
    assert_eq!(editor(&stage).get_mobile(), "+49 151 1");
    stage.control("s");
    match sent(&stage) {
        Edit::ChangeContact { form, .. } => {
            assert_eq!((&*form.first_name, &*form.mobile), ("Alicex", "+49 151 1"))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn dir_2_a_contact_removed_meanwhile_is_added_again() {
    let stage = editing(scenes::picture());
    stage.write("x");
    changed(&stage, None);
    assert!(stage.has("Removed meanwhile; saving adds it again"));
    stage.control("s");
    assert!(matches!(sent(&stage), Edit::AddContact { .. }));
}

#[test]
fn dir_2_the_same_when_the_desk_is_the_first_to_say_that_it_was_removed() {
    let stage = editing(scenes::picture());
    stage.write("x");
    stage.control("s");
    stage.commands();
    stage.answer(Err(CommandError::Edit(EditProblem::NoSuchContact)));
    assert!(editor(&stage).get_removed_meanwhile());
    stage.control("s");
    assert!(matches!(sent(&stage), Edit::AddContact { .. }));
}

#[test]
fn dir_2_the_history_says_who_changed_what() {
    let stage = editing(scenes::picture());
    let history = editor(&stage).get_history();
    let rows: Vec<_> = history.iter().map(|row| (row.text, row.kind, row.by.to_string())).collect();
    let head = |kind, by: &str| (false, kind, by.to_owned());
    let text = (true, HistoryKind::Added, String::new());
    let (noor, desk) = ("Noor Jansen", "Front desk");
    let changed = head(HistoryKind::Changed, noor);
    let others = [head(HistoryKind::Otherwise, desk), head(HistoryKind::Added, desk)];
    assert_eq!(rows, [vec![changed, text.clone(), text], others.to_vec()].concat());
    let title = history.row_data(1).unwrap();
    assert_eq!(
        (title.field, &*title.before, &*title.after),
        (EditField::Title, "Assistant", "Office manager")
    );
}

#[test]
fn dir_2_the_picture_can_be_taken_away() {
    let stage = Stage::with(scenes::picture());
    stage.know(ALICE, Some(ContactCard { picture: true, ..alice() }));
    stage.right_click(stage.spot("Alice Fournier"));
    stage.tap(stage.middle("Contact…"));
    stage.tap(stage.middle("Edit the contact"));
    stage.settle();
    stage.tap(stage.middle("Remove picture"));
    stage.control("s");
    assert!(matches!(sent(&stage), Edit::ChangeContact { keep_picture: false, .. }));
}

#[test]
fn a_call_that_rings_meanwhile_is_answered_by_touch_and_by_key_and_the_text_stays() {
    let mut quiet = scenes::picture();
    quiet.incoming.clear();
    let stage = editing(quiet);
    stage.key(Key::End);
    stage.write("x");
    let mut view = scenes::picture();
    view.generation = 2;
    view.incoming.truncate(1);
    stage.show(view);
    stage.write("y");
    assert_eq!(editor(&stage).get_first_name(), "Alicexy", "the keyboard stays where it is");
    stage.key(Key::F9);
    assert_eq!(stage.commands(), [Command::Hook { action: HookAction::Next }]);
    let card = stage.spot("Helena Brandt");
    assert!(card.x < 484.);
    stage.double_tap(card);
    assert_eq!(stage.commands(), [Command::Answer { call: CallRef(1) }]);
    assert!(editor(&stage).get_open());
    assert_eq!(editor(&stage).get_first_name(), "Alicexy");
}

#[test]
fn a_call_dragged_over_the_editor_does_not_reach_the_contact_below() {
    let stage = Stage::with(scenes::picture());
    let below = stage.middle("Ingrid Solberg");
    editor(&stage).invoke_open_new(1);
    stage.wait(50);
    // The calls have more room without the keyboard that came to the first field.
    stage.app.global::<frontdesk_ui::screen::Board>().invoke_hide();
    stage.settle();
    stage.mouse_drag(stage.spot("Tomás Rivera"), below);
    stage.release(below, PointerEventButton::Left);
    assert_eq!(stage.commands(), []);
}

#[test]
fn the_editor_set_aside_lets_the_directory_be_seen_and_keeps_the_text() {
    let stage = editing(scenes::picture());
    stage.key(Key::End);
    stage.write("x");
    stage.key(Key::F3);
    stage.write("mar");
    assert!(editor(&stage).get_open() && editor(&stage).get_aside());
    assert_eq!(stage.app.global::<Directory>().get_query(), "mar");
    // Another contact waits until this one is done with.
    editor(&stage).invoke_open_new(1);
    stage.settle();
    assert!(editor(&stage).get_asking() && !editor(&stage).get_aside());
    stage.tap(stage.middle("Keep editing"));
    assert_eq!(editor(&stage).get_first_name(), "Alicex");
    stage.app.global::<Desk>().invoke_show(Screen::Log);
    stage.settle();
    assert!(editor(&stage).get_aside());
    stage.tap(stage.middle("Back to the contact that is being edited"));
    assert!(!editor(&stage).get_aside());
    stage.write("y");
    assert!(editor(&stage).get_first_name().contains('y'));
}

#[test]
fn call_8_add_to_opens_the_editor_with_what_the_call_tells() {
    let stage = Stage::with(scenes::picture());
    stage.right_click(stage.spot("Helena Brandt"));
    stage.tap(stage.middle("Add to…"));
    assert_eq!(stage.app.global::<Menu>().get_entries().row_count(), 3);
    stage.tap(stage.top("Suppliers"));
    stage.control("s");
    let form = ContactForm {
        first_name: "Helena".into(),
        last_name: "Brandt".into(),
        phone: "+49 30 5557 0142".into(),
        ..ContactForm::default()
    };
    assert_eq!(sent(&stage), Edit::AddContact { directory: DirectoryId(3), form: Box::new(form) });
}

#[test]
fn call_8_nobody_of_whom_nothing_is_known_is_added() {
    let stage = Stage::with(scenes::picture());
    stage.right_click(stage.spot("Anonymous"));
    assert!(stage.app.global::<Menu>().get_open() && !stage.has("Add to…"));
}

#[test]
fn call_8_the_menu_of_a_call_has_the_e_mail_of_its_contact() {
    let stage = Stage::with(scenes::picture());
    let talking = LogicalPosition::new(200., stage.find("Hang up").absolute_position().y - 40.);
    stage.right_click(talking);
    stage.tap(stage.middle("E-mail"));
    let card = stage.app.global::<LinkCard>();
    assert!(card.get_open());
    let address = card.get_address();
    assert!(address.starts_with("mailto:marie.laurent@northwind.example?subject="), "{address}");
    assert!(address.contains("Marie%20Laurent") && address.contains("2107"), "{address}");
    stage.key(Key::Escape);
    stage.right_click(stage.spot("Helena Brandt"));
    assert!(!stage.has("E-mail"));
}

#[test]
fn log_a_row_is_added_to_a_directory() {
    let stage = Stage::with(scenes::picture());
    stage.app.global::<Desk>().invoke_show(Screen::Log);
    stage.tap(stage.middle("Missed calls"));
    stage.right_click(stage.spot("Atelier Lumière"));
    stage.tap(stage.middle("Add to…"));
    stage.tap(stage.top("Customers"));
    assert_eq!(editor(&stage).get_phone(), "+33 4 72 00 11 22");
    assert_eq!(editor(&stage).get_last_name(), "Lumière");
}

#[test]
fn dir_9_removing_asks_nothing_and_is_undone_from_the_ledger_or_by_key() {
    let stage = Stage::with(scenes::empty());
    stage.right_click(stage.spot("Alice Fournier"));
    stage.tap(stage.middle("Contact…"));
    stage.tap(stage.middle("Remove the contact"));
    assert_eq!(sent(&stage), Edit::RemoveContact { contact: ALICE });
    let mut view = scenes::removed();
    view.notices.truncate(1);
    stage.show(view);
    assert!(stage.has("Removed: Helena Brandt"));
    stage.tap(stage.middle("Undo"));
    assert_eq!(sent(&stage), Edit::Undo { removal: RemovalId(1) });
    stage.key("-");
    assert_eq!(sent(&stage), Edit::Undo { removal: RemovalId(1) });
    stage.answer(Err(CommandError::Edit(EditProblem::NothingToUndo)));
    assert!(stage.has("This can no longer be undone"));
}

#[test]
fn dir_9_the_menu_of_a_contact_by_keys() {
    let stage = Stage::with(scenes::empty());
    stage.key(frontdesk_ui::keys::CLEAR);
    stage.key("/");
    assert!(stage.app.global::<Menu>().get_open());
    stage.key(Key::UpArrow);
    stage.key(Key::Return);
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    assert!(editor(&stage).get_open() && editor(&stage).get_fresh());
}

#[test]
fn dir_2_the_editor_has_the_alerts_too() {
    let stage = Stage::with(scenes::empty());
    editor(&stage).invoke_open_new(1);
    stage.settle();
    stage.write("Ana");
    // Backwards from the first field: directory, Save, then the last alert.
    for _ in 0..3 {
        stage.key(Key::Backtab);
    }
    stage.key(" ");
    stage.control("s");
    match sent(&stage) {
        Edit::AddContact { form, .. } => {
            assert_eq!(form.alerts, AlertSet { once: true, ..AlertSet::default() });
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_for_somebody_else_changes_nothing() {
    let stage = editing(scenes::picture());
    stage.event(Event::Reply { seq: 9_999, reply: Reply::Contact(None) });
    assert!(!editor(&stage).get_removed_meanwhile());
}

#[test]
fn call_12_who_is_a_moment_too_late_for_a_transfer_brings_back_no_contact() {
    let mut view = scenes::removed();
    let mut transfer = scenes::picture().transfers.remove(0);
    (transfer.since_ms, transfer.state) = (view.now_ms - 3_000, TransferState::Requested);
    view.transfers.push(transfer);
    let stage = Stage::with(view.clone());
    stage.commands();
    stage.key("-");
    assert_eq!(stage.commands(), []);
    assert!(stage.has("No call to act on"));
    view.generation += 1;
    view.now_ms += 20_000;
    stage.show(view);
    stage.key("-");
    assert_eq!(sent(&stage), Edit::Undo { removal: RemovalId(3) });
}
