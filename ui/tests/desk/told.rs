//! What the desk tells without being asked: alerts, imports, and the history of callers.

use frontdesk_ui::link::Event;
use frontdesk_ui::scenes;
use frontdesk_ui::screen::{AlertWishes, Alerts, Calls, Directory, EditFault, Files, FilesStep, Menu};
use i_slint_backend_testing::ElementHandle;
use ipc::{
    AlertId, AlertSet, Command, CommandError, ContactId, DirectoryId, Edit, EditProblem, ImportView,
    Language, NoticeKind, Party, Reply, View,
};
use slint::platform::{Key, PointerEventButton};
use slint::{ComponentHandle, Model};

use super::hands::Stage;

/// So long, in milliseconds, an alert that has just come or moved is not touched by accident.
const READY: u64 = 600;

/// Marks that say so, apart from the words of the cards.
fn locks(stage: &Stage) -> usize {
    ElementHandle::find_by_accessible_label(&stage.app, "Speech is encrypted").count()
}

fn files(stage: &Stage) -> Files<'_> {
    stage.app.global::<Files>()
}

#[test]
fn app_2_a_box_that_nobody_has_set_up_shows_where_and_with_which_code() {
    let stage = Stage::with(scenes::first_time());
    assert!(stage.has("Set this desk up in a browser"));
    let desk = stage.app.global::<frontdesk_ui::screen::Desk>();
    let shown = (desk.get_setup_code().to_string(), desk.get_setup_address().to_string());
    assert_eq!(shown, ("4071 8823".into(), "https://192.0.2.47:8443".into()));
    assert!(stage.has("No directory yet") && stage.has("Line off"));
    assert!(!stage.has("Search "), "there is no directory to search in");
    stage.tap(stage.middle("Import contacts…"));
    assert!(files(&stage).get_open());
    stage.show(View { generation: 3, ..scenes::empty() });
    assert!(!stage.has("Set this desk up in a browser") && !stage.has("No directory yet"), "somebody has");
}

#[test]
fn acc_4_what_went_wrong_is_said_with_what_to_do_and_in_the_operators_language() {
    let stage = Stage::with(scenes::empty());
    let mut generation = 2;
    let mut say = |notices: Vec<ipc::Notice>, language, told: &[(&str, &str)]| {
        assert_eq!(notices.len(), told.len());
        // Newest first stands above; each is shown by itself, so that none has to be scrolled to.
        for (notice, &(title, detail)) in notices.into_iter().rev().zip(told) {
            generation += 1;
            let mut view = View { generation, notices: vec![notice], ..scenes::picture() };
            view.preferences.language = language;
            stage.show(view);
            assert_eq!(stage.find(title).accessible_description().unwrap(), detail);
        }
    };
    say(
        scenes::refusals().notices,
        Language::English,
        &[
            ("Call lost: Pierre-Emmanuel Delacroix-Beaumont", "Marie Laurent: busy; call back"),
            ("No sound from Pierre-Emmanuel Delacroix-Beaumont", "hold and retrieve the call, or call back"),
            (
                "Digits refused by Pierre-Emmanuel Delacroix-Beaumont",
                "the other end takes no digits; ask your administrator",
            ),
            ("Digits refused by Marie Laurent", "refused (500); ask your administrator"),
            ("Hold refused by Pierre-Emmanuel Delacroix-Beaumont", "refused (488); ask your administrator"),
            ("Nothing intercepted from Ingrid Solberg", "answered meanwhile"),
        ],
    );
    // What a driver, the disk or the kernel says is English, and for the log.
    say(
        scenes::troubles().notices,
        Language::French,
        &[
            (
                "Périphérique audio perdu\u{a0}: Jabra Engage 75, headset",
                "vérifiez son câble\u{a0}; il reprend dès son retour",
            ),
            ("Échec de sauvegarde, nouvel essai", "disque plein\u{a0}; prévenez l’administrateur"),
            (
                "Règle inapplicable\u{a0}: Anonymous callers to the main line",
                "ignorée\u{a0}; prévenez l’administrateur",
            ),
            ("L’appel vers +49 30 5557 0142 a échoué", "le central ne répond pas"),
        ],
    );
    // Who has no name is told of as well.
    let (who, to) = (Party::default(), scenes::staff("Marie Laurent", "2107"));
    say(
        scenes::told(vec![NoticeKind::TransferLost { who, to, code: 486 }]).notices,
        Language::French,
        &[("Appel perdu\u{a0}: Anonyme", "Marie Laurent\u{a0}: occupé\u{a0}; rappelez")],
    );
}

#[test]
fn acc_6_a_call_whose_speech_is_encrypted_says_so_on_its_card_and_above() {
    let stage = Stage::with(scenes::encrypted());
    let desk = stage.app.global::<frontdesk_ui::screen::Desk>();
    let said = |who: &str| {
        let shown = ElementHandle::find_by_accessible_label(&stage.app, who);
        shown.filter_map(|element| element.accessible_description()).collect::<Vec<_>>().join("; ")
    };
    assert!(desk.get_in_call_encrypted());
    // Two cards, and the header.
    assert_eq!(locks(&stage), 3);
    assert!(said("Helena Brandt").contains("Talking, Speech is encrypted"), "{}", said("Helena Brandt"));
    let other = said("Tomás Rivera");
    assert!(other.starts_with("On hold") && !other.contains("encrypted"), "not this one: {other}");
    let mut view = scenes::encrypted();
    for call in &mut view.incoming {
        call.encrypted = false;
    }
    stage.show(View { generation: 3, ..view });
    assert_eq!((locks(&stage), desk.get_in_call_encrypted()), (0, false), "the far end changed its mind");
}

#[test]
fn pre_7_an_alert_intercepts_or_calls_or_goes() {
    let stage = Stage::with(scenes::alerts(2));
    assert!(stage.middle("Intercept").x > 484., "never over the calls");
    stage.wait(READY);
    stage.tap(stage.middle("Intercept"));
    assert_eq!(stage.commands(), [Command::Intercept { number: "2106".into() }]);
    stage.tap(stage.top("Call"));
    let seen = |id| Command::DismissAlert { alert: AlertId(id) };
    assert_eq!(stage.commands(), [Command::Dial { number: "2102".into(), line: None }, seen(2)]);
    stage.tap(stage.middle("Dismiss the alert"));
    assert_eq!(stage.commands(), [seen(2)], "the newest stands highest");
}

#[test]
fn pre_7_what_can_no_longer_be_picked_up_is_called() {
    let mut view = scenes::alerts(1);
    for lamp in &mut view.lamps {
        std::sync::Arc::make_mut(lamp).rings = None;
    }
    let stage = Stage::with(view);
    assert!(!stage.has("Intercept"));
    stage.wait(READY);
    stage.tap(stage.top("Call"));
    assert_eq!(stage.commands()[0], Command::Dial { number: "2106".into(), line: None });
}

#[test]
fn pre_7_alerts_stack_as_far_as_there_is_room_and_cover_no_call() {
    let stage = Stage::with(scenes::alerts(8));
    let alerts = stage.app.global::<Alerts>();
    let shown = alerts.get_cards().row_count();
    assert!((3..8).contains(&shown));
    assert_eq!(usize::try_from(alerts.get_more()).unwrap() + shown, 8);
    assert_eq!(alerts.get_cards().row_data(0).unwrap().id, "8", "the newest is among them");
    let cards = ElementHandle::find_by_element_type_name(&stage.app, "AlertView");
    for card in cards {
        let (at, size) = (card.absolute_position(), card.size());
        assert!(at.x > 484. && at.y > 84. && at.y + size.height < 680., "{at:?}");
    }
}

#[test]
fn pre_7_alerts_do_not_cover_a_large_screen() {
    let stage = Stage::with(scenes::alerts(8));
    stage.app.window().set_size(slint::LogicalSize::new(1920., 1080.));
    stage.settle();
    let alerts = stage.app.global::<Alerts>();
    assert_eq!((alerts.get_cards().row_count(), alerts.get_more()), (5, 3));
    assert!(stage.has("and 3 earlier"));
}

#[test]
fn pre_7_an_alert_takes_no_key() {
    let stage = Stage::with(scenes::empty());
    stage.key(Key::F3);
    stage.write("ma");
    let view = View { generation: 2, ..scenes::alerts(2) };
    stage.show(view);
    stage.write("r");
    stage.key(Key::Return);
    assert_eq!(stage.app.global::<Directory>().get_query(), "mar");
    let commands = stage.commands();
    assert!(!commands.iter().any(|c| matches!(c, Command::Intercept { .. } | Command::DismissAlert { .. })));
}

#[test]
fn pre_7_an_alert_stays_under_the_finger_and_a_new_one_moves_none() {
    let stage = Stage::with(scenes::alerts(1));
    let place = stage.middle("Intercept");
    let mut view = scenes::alerts(3);
    view.generation = 2;
    stage.show(view);
    assert_eq!(stage.middle("Intercept"), place, "new ones come above");
    stage.wait(READY);
    stage.press(place, PointerEventButton::Left);
    let mut view = scenes::alerts(3);
    view.generation = 3;
    view.alerts.remove(0);
    stage.show(view);
    stage.release(place, PointerEventButton::Left);
    assert_eq!(stage.commands(), [], "it is gone, and what stands there now was not meant");
    assert_eq!(stage.app.global::<Alerts>().get_cards().row_count(), 2);
}

#[test]
fn pre_7_what_to_be_told_is_chosen_in_the_contacts_menu() {
    let stage = Stage::with(scenes::empty());
    stage.right_click(stage.spot("Grace Kim"));
    stage.tap(stage.middle("Alert…"));
    assert!(stage.app.global::<AlertWishes>().get_open());
    stage.tap(stage.middle("Online"));
    // By keys: down to the second, marked, saved.
    stage.key(Key::DownArrow);
    stage.key(Key::DownArrow);
    stage.key(Key::Insert);
    stage.key(Key::Return);
    // With the sound it had.
    let alerts = AlertSet { ringing: true, online: true, sound: true, ..AlertSet::default() };
    assert_eq!(stage.commands(), [Command::Edit(Edit::SetAlerts { contact: ContactId(8), alerts })]);
    assert!(!stage.app.global::<AlertWishes>().get_open());
}

#[test]
fn pre_7_of_strangers_only_the_person_is_told_about() {
    let stage = Stage::with(scenes::empty());
    stage.app.global::<Directory>().invoke_open_tab(1);
    stage.settle();
    stage.right_click(stage.spot("Luca Ferri"));
    stage.tap(stage.middle("Alert…"));
    assert!(stage.has("Phones of external contacts are not monitored"));
    stage.tap(stage.top("Ringing now"));
    stage.commands();
    stage.key(Key::DownArrow);
    stage.key(Key::Insert);
    stage.key(Key::Return);
    let alerts = AlertSet { online: true, ..AlertSet::default() };
    assert!(
        matches!(&stage.commands()[..], [Command::Edit(Edit::SetAlerts { alerts: set, .. })] if *set == alerts)
    );
}

#[test]
fn dir_3_a_file_is_chosen_imported_watched_and_reported() {
    let stage = Stage::with(scenes::empty());
    files(&stage).invoke_import_into(2);
    stage.settle();
    stage.tap(stage.middle("fair-guests.csv"));
    assert_eq!((files(&stage).get_step(), files(&stage).get_directory()), (FilesStep::Into, 1));
    stage.tap(stage.middle("Import"));
    let path = "/srv/contacts/fair-guests.csv".into();
    let command = Command::ImportContacts { directory: "Customers".into(), local: false, path };
    assert_eq!(stage.commands(), [command]);
    let import =
        ImportView { directory: "Customers".into(), bytes: 250, of_bytes: 1000, contacts: 12, left_out: 1 };
    let mut view = View { generation: 2, import: Some(import), ..scenes::empty() };
    stage.show(view.clone());
    assert_eq!((files(&stage).get_step(), files(&stage).get_percent()), (FilesStep::Running, 25));
    // Closed, it goes on; its report waits at the foot of the rail.
    stage.key(Key::Escape);
    assert!(!files(&stage).get_open() && stage.has("Show the import"));
    view = View { generation: 3, import: None, ..view };
    let seq = stage.last_command();
    stage.event(Event::Reply { seq, reply: Reply::Import(scenes::report()) });
    stage.answer(Ok(()));
    stage.show(view);
    stage.tap(stage.middle("Show what the import did"));
    assert_eq!(files(&stage).get_step(), FilesStep::Report);
    assert!(stage.has("The picture cannot be read") && stage.has("Row 10,002"));
    assert!(stage.has("The row has 21 cells, the first line has 19"));
    stage.tap(stage.middle("Done"));
    assert!(!files(&stage).get_open() && !stage.has("Show what the import did"));
}

#[test]
fn dir_3_into_a_new_directory_whose_name_is_not_taken() {
    let stage = Stage::with(scenes::empty());
    files(&stage).invoke_import_into(-1);
    stage.settle();
    stage.tap(stage.middle("suppliers.csv"));
    assert_eq!(files(&stage).get_name(), "suppliers", "as the file is called");
    stage.key(Key::End);
    for _ in 0..9 {
        stage.key(Key::Backspace);
    }
    stage.write("Staff");
    assert!(files(&stage).get_name_taken());
    stage.key(Key::Return);
    assert_eq!(stage.commands(), []);
    stage.write(" 2");
    stage.tap(stage.middle("Company staff"));
    stage.tap(stage.middle("Import"));
    let path = "/srv/contacts/suppliers.csv".into();
    assert_eq!(
        stage.commands(),
        [Command::ImportContacts { directory: "Staff 2".into(), local: true, path }]
    );
    stage.tap(stage.middle("Cancel the import"));
    assert_eq!(stage.commands(), [Command::CancelImport]);
}

#[test]
fn dir_3_a_file_is_chosen_imported_and_given_up_by_keys_alone() {
    let stage = Stage::with(scenes::empty());
    stage.has_keys();
    files(&stage).invoke_import_into(2);
    stage.settle();
    stage.key(Key::DownArrow);
    stage.key(Key::DownArrow);
    assert_eq!((files(&stage).get_step(), files(&stage).get_cursor()), (FilesStep::List, 1));
    stage.key(Key::Return);
    assert_eq!(files(&stage).get_step(), FilesStep::Into);
    assert_eq!((files(&stage).get_file().as_str(), files(&stage).get_directory()), ("fair-guests.csv", 1));
    // Another directory, and past all of them to the last button.
    stage.key(Key::Home);
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    assert_eq!(files(&stage).get_directory(), 0);
    stage.key(Key::End);
    stage.key(Key::Return);
    let path = "/srv/contacts/fair-guests.csv".into();
    let command = Command::ImportContacts { directory: "Staff".into(), local: true, path };
    assert_eq!(stage.commands(), [command]);
    // Enter alone gives nothing up.
    stage.key(Key::Return);
    assert_eq!(stage.commands(), []);
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::CancelImport]);
}

#[test]
fn dir_3_a_new_directory_is_named_and_its_kind_chosen_by_keys_alone() {
    let stage = Stage::with(scenes::empty());
    stage.has_keys();
    files(&stage).invoke_import_into(-1);
    stage.settle();
    stage.key(Key::End);
    stage.key(Key::Return);
    assert_eq!(files(&stage).get_name(), "suppliers", "as the file is called");
    // The name has the keyboard, behind what is there.
    stage.write(" 2");
    assert_eq!(files(&stage).get_name(), "suppliers 2");
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    assert!(files(&stage).get_local());
    stage.key(Key::UpArrow);
    stage.write("6");
    assert_eq!(files(&stage).get_name(), "suppliers 26", "back in the name");
    stage.key(Key::Return);
    let path = "/srv/contacts/suppliers.csv".into();
    assert_eq!(
        stage.commands(),
        [Command::ImportContacts { directory: "suppliers 26".into(), local: true, path }]
    );
}

#[test]
fn dir_3_a_report_is_read_and_closed_by_keys_alone() {
    let stage = Stage::with(scenes::empty());
    files(&stage).invoke_import_into(2);
    stage.settle();
    files(&stage).invoke_choose(0);
    files(&stage).invoke_begin();
    stage.commands();
    let seq = stage.last_command();
    stage.event(Event::Reply { seq, reply: Reply::Import(scenes::report()) });
    stage.answer(Ok(()));
    assert_eq!(files(&stage).get_step(), FilesStep::Report);
    let mut french = View { generation: 2, ..scenes::empty() };
    french.preferences.language = Language::French;
    stage.show(french);
    assert!(stage.has("La ligne est vide") && stage.has("La ligne a 21 cellules, la première ligne en a 19"));
    let rows = i32::try_from(files(&stage).get_bad().row_count()).unwrap();
    stage.key(Key::DownArrow);
    assert_eq!(files(&stage).get_cursor(), 0);
    // A row is only read.
    stage.key(Key::End);
    assert_eq!((files(&stage).get_cursor(), files(&stage).get_open()), (rows, true));
    stage.key(Key::Return);
    assert!(!files(&stage).get_open());
}

#[test]
fn dir_3_a_refused_import_says_why_and_can_be_tried_again() {
    let stage = Stage::with(scenes::empty());
    files(&stage).invoke_import_into(1);
    stage.settle();
    files(&stage).invoke_choose(0);
    files(&stage).invoke_begin();
    stage.commands();
    stage.answer(Err(CommandError::ImportRuns));
    assert_eq!(
        (files(&stage).get_step(), files(&stage).get_fault()),
        (FilesStep::Into, EditFault::ImportRuns)
    );
    assert!(stage.has("An import is running already"));
    files(&stage).invoke_begin();
    stage.commands();
    stage.answer(Err(CommandError::Failed { reason: "the columns are separated by semicolons".into() }));
    assert!(stage.has("It did not work: the columns are separated by semicolons; save it again with commas"));
    // What the desk says of itself is English, and for its log.
    files(&stage).invoke_begin();
    stage.commands();
    stage.answer(Err(CommandError::Failed { reason: "/var/lib/desk.db: cannot write: I/O error".into() }));
    assert!(stage.has("It did not work: if it stays so, tell your administrator"));
}

#[test]
fn dir_3_without_a_file_it_says_where_to_put_one() {
    let stage = Stage::with(scenes::empty());
    stage.have_files(Vec::new());
    files(&stage).invoke_import_into(1);
    stage.settle();
    assert_eq!(files(&stage).get_rows().row_count(), 0);
    assert!(stage.has("Look again"));
}

#[test]
fn dir_3_an_export_says_where_it_was_written() {
    let stage = Stage::with(scenes::empty());
    files(&stage).invoke_export_from(2);
    assert_eq!(stage.commands(), [Command::ExportContacts { directory: DirectoryId(2), path: None }]);
    let reply = Reply::Exported { path: "/srv/contacts/customers.csv".into(), contacts: 12_904 };
    stage.event(Event::Reply { seq: stage.last_command(), reply });
    let entry = stage.app.global::<Calls>().get_ledger().row_data(0).unwrap();
    assert_eq!((entry.reason.as_str(), entry.count), ("/srv/contacts/customers.csv", 12_904));
    assert_eq!(entry.amount, "12,904", "as numbers are written");
    files(&stage).invoke_export_from(2);
    stage.commands();
    stage.answer(Err(CommandError::Edit(EditProblem::NoSuchDirectory)));
    assert!(stage.has("That directory is not there any more"));
}

#[test]
fn the_history_of_a_caller_is_on_the_card_and_moves_nothing() {
    let mut view = scenes::known_callers();
    let history = view.incoming[0].history.take();
    let stage = Stage::with(view.clone());
    let below = stage.find("Anonymous").absolute_position();
    view.generation = 2;
    view.incoming[0].history = history;
    stage.show(view);
    assert_eq!(stage.find("Anonymous").absolute_position(), below);
    let card = stage.app.global::<Calls>().get_incoming().row_data(0).unwrap();
    assert!(card.past.known && card.past.called_back);
    let said = stage.find("Helena Brandt").accessible_description().unwrap();
    assert!(said.contains("3 calls in 30 days") && said.contains("taken by Marie Laurent"), "{said}");
    stage.right_click(stage.spot("Camille Durand"));
    let menu = stage.app.global::<Menu>();
    assert_eq!(menu.get_past().note, "Put through to Ingrid at once.\nSpeaks French only.");
    assert_eq!(menu.get_past_calls().row_count(), 1);
}

#[test]
fn pre_7_an_alert_that_has_just_come_or_moved_is_not_touched_by_accident() {
    let stage = Stage::with(scenes::alerts(7));
    let cross = |at: usize| {
        let found = ElementHandle::find_by_accessible_label(&stage.app, "Dismiss the alert").nth(at).unwrap();
        let (at, size) = (found.absolute_position(), found.size());
        slint::LogicalPosition::new(at.x + size.width / 2., at.y + size.height / 2.)
    };
    let seen = |id| [Command::DismissAlert { alert: AlertId(id) }];
    stage.tap(cross(0));
    assert_eq!(stage.commands(), [], "a finger was on its way to what lay there");
    stage.wait(READY);
    stage.tap(cross(0));
    assert_eq!(stage.commands(), seen(7));
    // There is no room for one more: it comes on top, and moves all that stay.
    stage.show(View { generation: 2, ..scenes::alerts(8) });
    stage.tap(cross(0));
    stage.tap(cross(1));
    assert_eq!(stage.commands(), []);
    stage.wait(READY);
    stage.tap(cross(1));
    assert_eq!(stage.commands(), seen(7));
}

#[test]
fn call_12_f6_answers_beside_an_import_and_beside_what_one_wants_to_be_told() {
    let stage = Stage::with(scenes::picture());
    stage.key(Key::Home);
    files(&stage).invoke_import_into(1);
    stage.key(Key::F6);
    assert_eq!(stage.commands(), [Command::Answer { call: ipc::CallRef(1) }]);
    assert!(files(&stage).get_open());
    files(&stage).invoke_close();
    stage.right_click(stage.spot("Grace Kim"));
    stage.tap(stage.middle("Alert…"));
    stage.commands();
    stage.key(Key::F6);
    assert_eq!(stage.commands(), [Command::Answer { call: ipc::CallRef(1) }]);
    assert!(stage.app.global::<AlertWishes>().get_open());
}
