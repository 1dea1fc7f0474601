//! Directories as rows or tiles, their menu, the search over all of them, web and e-mail, and what a tile
//! tells of phone and person.

use frontdesk_ui::link::{Event, News};
use frontdesk_ui::scenes;
use frontdesk_ui::screen::{
    Directory, DirectoryForm, DirectoryFormKind, DirectoryProblem, DirectoryWord, LampKind, LinkCard,
    LinkKind, Menu, PersonState, PhoneCard, TalkWay,
};
use i_slint_backend_testing::ElementHandle;
use ipc::{
    Column, Command, CommandError, DirectoryId, DirectoryLook, DirectoryView, Edit, EditProblem, Layout,
    NameOrder, SortKey, View,
};
use slint::platform::Key;
use slint::{ComponentHandle, Model};

use crate::hands::Stage;

const STAFF: DirectoryId = DirectoryId(1);

fn look(change: impl FnOnce(&mut DirectoryLook)) -> Command {
    let mut look = DirectoryLook::default();
    change(&mut look);
    Command::Edit(Edit::SetLook { directory: STAFF, look })
}

fn shown_as(change: impl FnOnce(&mut DirectoryLook)) -> View {
    let mut view = scenes::picture();
    change(&mut view.directories[0].look);
    view
}

/// The names of the rows or tiles from the first on.
fn names(stage: &Stage, count: usize) -> Vec<String> {
    let rows = stage.app.global::<Directory>().get_rows();
    let tiles =
        (0..rows.row_count()).flat_map(|row| rows.row_data(row).unwrap().tiles.iter().collect::<Vec<_>>());
    tiles.take(count).map(|tile| tile.name.to_string()).collect()
}

fn lamp(stage: &Stage, index: usize) -> frontdesk_ui::screen::Lamp {
    let directory = stage.app.global::<Directory>();
    let columns = usize::try_from(directory.get_columns()).unwrap();
    directory.get_rows().row_data(index / columns).unwrap().lamps.row_data(index % columns).unwrap()
}

/// The menu's row with this word is chosen.
fn choose(stage: &Stage, word: DirectoryWord) {
    let menu = stage.app.global::<Menu>();
    let at = menu.get_entries().iter().position(|entry| entry.part == word);
    let at = at.unwrap_or_else(|| panic!("the menu has no row {word:?}"));
    menu.invoke_choose(i32::try_from(at).unwrap());
    stage.settle();
}

fn open_menu(stage: &Stage) {
    stage.tap(stage.middle("Menu of the directory"));
    assert!(stage.app.global::<Menu>().get_open());
}

/// All requests so far are answered with this: numbers count up from one.
fn answer_commands(stage: &Stage, result: &Result<(), CommandError>) {
    let done = |seq| Event::Done { seq, result: result.clone() };
    stage.console.take(News { events: (0..80).map(done).collect(), view: None });
    stage.settle();
}

#[test]
fn dir_5_list_or_table_is_the_directorys_own_and_shown_when_the_desk_has_kept_it() {
    let stage = Stage::with(scenes::picture());
    stage.tap(stage.middle("Show a list"));
    assert_eq!(stage.commands(), [look(|look| look.layout = Layout::List)]);
    let directory = stage.app.global::<Directory>();
    assert!(!directory.get_list(), "the desk keeps it, the next view shows it");
    stage.show(shown_as(|look| look.layout = Layout::List));
    assert!(directory.get_list());
    assert_eq!(directory.get_columns(), 1);
    assert!(stage.has("Name") && stage.has("Company") && stage.has("Alice Fournier"));
    // Another directory has its own.
    directory.invoke_open_tab(1);
    stage.settle();
    assert!(!directory.get_list());
    assert_eq!(directory.get_columns(), 2);
}

#[test]
fn dir_5_columns_are_chosen_in_a_menu_that_stays_and_stand_in_the_rows() {
    let stage = Stage::with(shown_as(|look| look.layout = Layout::List));
    open_menu(&stage);
    choose(&stage, DirectoryWord::Columns);
    choose(&stage, DirectoryWord::ColumnEmail);
    choose(&stage, DirectoryWord::ColumnTitle);
    assert!(stage.app.global::<Menu>().get_open(), "often several are chosen");
    let with_mail =
        [Column::Phone, Column::Company, Column::Department, Column::Title, Column::Mobile, Column::Email];
    let without_title = [Column::Phone, Column::Company, Column::Department, Column::Mobile, Column::Email];
    let sent = |columns: &[Column]| {
        look(|look| {
            look.layout = Layout::List;
            look.columns = columns.to_vec();
        })
    };
    assert_eq!(stage.commands(), [sent(&with_mail), sent(&without_title)], "the second builds on the first");
    stage.show(shown_as(|look| {
        look.layout = Layout::List;
        look.columns = without_title.to_vec();
    }));
    let cells = stage.app.global::<Directory>().get_rows().row_data(0).unwrap().cells;
    let cells: Vec<_> = cells.iter().map(|cell| cell.to_string()).collect();
    assert_eq!(cells, ["2101", "Northwind HQ", "", "+49 151 5550 0000", "alice.fournier@northwind.example"]);
}

#[test]
fn dir_5_a_finger_goes_back_in_the_menu_and_its_title_says_where_it_is() {
    let stage = Stage::with(scenes::picture());
    let menu = stage.app.global::<Menu>();
    open_menu(&stage);
    assert_eq!(menu.get_title(), "Staff");
    choose(&stage, DirectoryWord::Sort);
    assert_eq!(menu.get_title(), "Staff · Sort by");
    assert_eq!(menu.get_entries().row_data(0).unwrap().part, DirectoryWord::Back);
    stage.tap(stage.middle("Back"));
    assert_eq!((menu.get_open(), menu.get_title().as_str()), (true, "Staff"));
    choose(&stage, DirectoryWord::ThisDirectory);
    choose(&stage, DirectoryWord::Kind);
    stage.tap(stage.middle("Back"));
    assert_eq!(menu.get_title(), "Staff · This directory", "one page back, and not to the first");
    assert_eq!(stage.commands(), []);
}

#[test]
fn dir_5_name_order_and_sort_are_asked_of_the_desk() {
    let stage = Stage::with(scenes::picture());
    open_menu(&stage);
    choose(&stage, DirectoryWord::Names);
    choose(&stage, DirectoryWord::LastFirst);
    open_menu(&stage);
    choose(&stage, DirectoryWord::Sort);
    choose(&stage, DirectoryWord::ByLastName);
    let last_first = look(|look| look.names = NameOrder::LastFirst);
    let sorted = |look: &mut DirectoryLook| {
        look.names = NameOrder::LastFirst;
        look.sort = SortKey::LastName;
    };
    assert_eq!(stage.commands(), [last_first, look(sorted)]);
    assert_eq!(names(&stage, 1), ["Alice Fournier"]);
    stage.show(shown_as(sorted));
    assert_eq!(names(&stage, 2), ["Almeida Hugo", "Becker Jonas"]);
}

#[test]
fn dir_5_the_head_of_a_column_sorts_and_the_names_head_changes_between_its_parts() {
    let stage = Stage::with(shown_as(|look| look.layout = Layout::List));
    stage.tap(stage.middle("Company"));
    stage.tap(stage.middle("Name"));
    let sort = |key| {
        look(|look| {
            look.layout = Layout::List;
            look.sort = key;
        })
    };
    assert_eq!(stage.commands(), [sort(SortKey::Company), sort(SortKey::FirstName)]);
}

#[test]
fn dir_5_columns_that_do_not_fit_move_under_the_name() {
    let stage = Stage::with(shown_as(|look| look.layout = Layout::List));
    let name = stage.find("Name").absolute_position();
    assert!(!stage.has("Mobile"), "it is out of sight");
    stage.key(Key::F5);
    for _ in 0..9 {
        stage.key(Key::RightArrow);
    }
    assert!(stage.has("Mobile") && !stage.has("Status"));
    assert_eq!(stage.find("Name").absolute_position(), name);
    assert_eq!(stage.app.global::<Directory>().get_cursor(), 0, "the contact stays");
    for _ in 0..9 {
        stage.key(Key::LeftArrow);
    }
    assert!(!stage.has("Mobile") && stage.has("Status"));
}

#[test]
fn dir_5_a_key_moves_the_columns_to_where_the_next_one_begins() {
    let stage = Stage::with(shown_as(|look| look.layout = Layout::List));
    let name = stage.find("Name").absolute_position().x;
    stage.key(Key::F5);
    stage.key(Key::RightArrow);
    stage.key(Key::RightArrow);
    // After those of the states and of the phones, just beside the name.
    let company = stage.find("Company").absolute_position().x;
    assert!((company - name - 216.).abs() < 1., "{company} {name}");
}

#[test]
fn dir_5_only_where_phones_are_watched_is_a_column_of_what_they_do() {
    let mut view = shown_as(|look| look.layout = Layout::List);
    view.directories[1].look.layout = Layout::List;
    let stage = Stage::with(view);
    assert!(stage.has("Status") && stage.has("Phone"));
    stage.app.global::<Directory>().invoke_open_tab(1);
    stage.settle();
    assert!(!stage.has("Status") && stage.has("Phone") && stage.has("Company"));
}

#[test]
fn dir_5_what_lies_under_the_name_is_not_touched_through_it() {
    let stage = Stage::with(shown_as(|look| {
        look.layout = Layout::List;
        look.columns = vec![Column::Mobile, Column::Company, Column::Title, Column::Email, Column::Web];
    }));
    stage.key(Key::F5);
    stage.key(Key::RightArrow);
    stage.key(Key::RightArrow);
    let row = stage.find("Chiara Romano").absolute_position();
    for x in [500., 520., 540., 560., 580.] {
        stage.tap(slint::LogicalPosition::new(x, row.y + 26.));
        stage.wait(600);
    }
    assert_eq!(stage.commands(), []);
    assert_eq!(stage.app.global::<Directory>().get_cursor(), 2);
}

#[test]
fn dir_5_a_refused_look_is_not_built_upon() {
    let stage = Stage::with(scenes::picture());
    let directory = stage.app.global::<Directory>();
    directory.invoke_set_list(true);
    answer_commands(&stage, &Err(CommandError::Failed { reason: "disk full".into() }));
    open_menu(&stage);
    choose(&stage, DirectoryWord::Names);
    choose(&stage, DirectoryWord::LastFirst);
    let tiles = look(|look| look.names = NameOrder::LastFirst);
    assert_eq!(stage.commands()[1..], [tiles]);
}

#[test]
fn dir_5_rows_without_a_contact_stand_until_the_first_page_is_here() {
    let stage = Stage::silent(scenes::vast());
    let directory = stage.app.global::<Directory>();
    assert_eq!(directory.get_total(), 100_000, "as many as the directory has");
    assert!(directory.get_rows().row_data(0).unwrap().tiles.row_data(0).unwrap().loading);
    assert!(!stage.has("No contacts here yet"));
}

#[test]
fn dir_5_a_hundred_thousand_rows_are_made_only_where_they_can_be_seen() {
    let stage = Stage::with(scenes::vast());
    let rows = |stage: &Stage| ElementHandle::find_by_element_type_name(&stage.app, "ContactRowView").count();
    assert!((8..=14).contains(&rows(&stage)), "{} rows", rows(&stage));
    stage.key(Key::F5);
    stage.key(Key::End);
    stage.settle();
    assert!((8..=14).contains(&rows(&stage)), "{} rows", rows(&stage));
    assert!(stage.has("Rosa Silva 100000"));
}

#[test]
fn dir_1_a_directory_is_renamed_linked_and_given_a_kind_and_a_note() {
    let stage = Stage::with(scenes::picture());
    let change = |name: &str, local, line: Option<&str>, note: &str| {
        Command::Edit(Edit::ChangeDirectory {
            directory: STAFF,
            name: name.into(),
            local,
            line: line.map(str::to_owned),
            note: note.into(),
        })
    };
    let this = |word| {
        open_menu(&stage);
        choose(&stage, DirectoryWord::ThisDirectory);
        choose(&stage, word);
    };
    this(DirectoryWord::Line);
    let lines = stage.app.global::<Menu>().get_entries();
    assert_eq!(
        lines.iter().map(|line| line.to.to_string()).collect::<Vec<_>>(),
        ["", "", "Main line", "Sales", "Support"],
        "the way back, and no line"
    );
    stage.app.global::<Menu>().invoke_choose(3);
    this(DirectoryWord::Kind);
    choose(&stage, DirectoryWord::KindExternal);
    assert_eq!(
        stage.commands(),
        [change("Staff", true, Some("5550100"), ""), change("Staff", false, None, "")]
    );
    this(DirectoryWord::Rename);
    stage.write("People");
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [change("People", true, None, "")]);
    stage.key(Key::Escape);
    this(DirectoryWord::Note);
    stage.write("Two");
    stage.key(Key::Return);
    stage.write("lines");
    stage.tap(stage.middle("Save"));
    assert_eq!(stage.commands(), [change("Staff", true, None, "Two\nlines")]);
}

#[test]
fn dir_1_a_form_stays_until_the_desk_has_taken_it() {
    let stage = Stage::with(scenes::picture());
    let form = stage.app.global::<DirectoryForm>();
    open_menu(&stage);
    choose(&stage, DirectoryWord::AddDirectory);
    stage.key(Key::Return);
    assert_eq!((form.get_problem(), stage.commands()), (DirectoryProblem::NoName, vec![]));
    stage.write("Staff");
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::Edit(Edit::AddDirectory { name: "Staff".into(), local: false })]);
    answer_commands(&stage, &Err(CommandError::Edit(EditProblem::NameTaken)));
    assert_eq!(form.get_kind(), DirectoryFormKind::Add);
    assert!(stage.has("Another directory has this name"));
    stage.write("2");
    assert_eq!(form.get_problem(), DirectoryProblem::None);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::Edit(Edit::AddDirectory { name: "Staff2".into(), local: false })]);
    answer_commands(&stage, &Ok(()));
    assert_eq!(form.get_kind(), DirectoryFormKind::None);
}

#[test]
fn dir_1_a_kind_that_is_chosen_leaves_its_name_all_of_its_line() {
    let stage = Stage::with(scenes::picture());
    open_menu(&stage);
    choose(&stage, DirectoryWord::AddDirectory);
    let named = || ElementHandle::find_by_accessible_label(&stage.app, "External contacts");
    // The button comes first, then the name in it.
    let room = || named().last().unwrap().size().width;
    let before = room();
    assert!(before < named().next().unwrap().size().width);
    stage.key(Key::DownArrow);
    assert!(!stage.app.global::<DirectoryForm>().get_local());
    assert!((room() - before).abs() < 0.5, "{} {before}", room());
}

#[test]
fn dir_1_clearing_and_removing_ask_first_and_say_how_many() {
    let stage = Stage::with(scenes::picture());
    let form = stage.app.global::<DirectoryForm>();
    let ask = |word| {
        open_menu(&stage);
        choose(&stage, DirectoryWord::ThisDirectory);
        choose(&stage, word);
    };
    ask(DirectoryWord::Clear);
    assert_eq!((form.get_kind(), form.get_contacts()), (DirectoryFormKind::Clear, 428));
    assert!(stage.has("428 contacts will be removed."));
    // Enter alone is no.
    stage.key(Key::Return);
    assert_eq!((form.get_kind(), stage.commands()), (DirectoryFormKind::None, vec![]));
    ask(DirectoryWord::Clear);
    stage.key(Key::RightArrow);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::Edit(Edit::ClearDirectory { directory: STAFF })]);
    answer_commands(&stage, &Ok(()));
    ask(DirectoryWord::Remove);
    stage.tap(stage.middle("Cancel"));
    assert_eq!(stage.commands(), []);
    ask(DirectoryWord::Remove);
    stage.tap(stage.middle("Remove"));
    assert_eq!(stage.commands(), [Command::Edit(Edit::RemoveDirectory { directory: STAFF })]);
}

#[test]
fn dir_1_a_tabs_menu_is_of_that_tab_and_leaves_with_its_directory() {
    let stage = Stage::with(scenes::picture());
    stage.right_click(stage.middle("Suppliers"));
    let menu = stage.app.global::<Menu>();
    assert_eq!(menu.get_title(), "Suppliers");
    assert_eq!(stage.app.global::<Directory>().get_current(), 0);
    let mut view = scenes::picture();
    view.directories.pop();
    stage.show(view);
    assert!(!menu.get_open());
}

#[test]
fn dir_1_the_current_tab_is_whole_in_sight_among_many() {
    let mut view = scenes::picture();
    let (first, before) = (view.directories[0].name.clone(), view.directories.len());
    for id in 100..112 {
        let like = view.directories[0].clone();
        view.directories.push(DirectoryView { id: DirectoryId(id), name: format!("Directory {id}"), ..like });
    }
    let last = view.directories.len() - 1;
    let stage = Stage::with(view);
    let directory = stage.app.global::<Directory>();
    // From where to where it stands, once it is the current one.
    let brought = |index: usize, name: &str| {
        directory.invoke_open_tab(i32::try_from(index).unwrap());
        stage.wait(100);
        let tab = stage.find(name);
        let from = tab.absolute_position().x;
        (from, from + tab.size().width)
    };
    // Two buttons stand behind the tabs, and a fade where there are more of them.
    let button = stage.find("Menu of the directory");
    let (start, end) = (brought(0, &first).0, button.absolute_position().x - button.size().width);
    let fade = 24.;
    let (from, to) = brought(before + 5, "Directory 105");
    assert!(from >= start + fade && to <= end - fade, "{start} {from} {to} {end}");
    let (from, to) = brought(last, "Directory 111");
    assert!(from >= start + fade && to <= end, "{start} {from} {to} {end}");
    assert_eq!(brought(0, &first).0, start);
}

#[test]
fn dir_1_call_12_the_directory_menu_by_keys() {
    let stage = Stage::with(scenes::picture());
    stage.key(Key::F5);
    stage.key(Key::F1);
    let menu = stage.app.global::<Menu>();
    assert!(menu.get_open());
    stage.key(Key::RightArrow);
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [look(|look| look.layout = Layout::List)]);
    stage.key(Key::F1);
    stage.key(Key::RightArrow);
    stage.key(Key::LeftArrow);
    assert_eq!(menu.get_entries().row_data(0).unwrap().part, DirectoryWord::View, "one page back");
    stage.key(Key::Escape);
    assert!(!menu.get_open());
}

#[test]
fn dir_1_by_a_key_the_menu_stands_at_its_button_too() {
    let stage = Stage::with(scenes::picture());
    let menu = stage.app.global::<Menu>();
    stage.key(Key::F5);
    stage.key(Key::F1);
    assert!(menu.get_open());
    let by_key = (menu.get_x(), menu.get_y());
    stage.key(Key::Escape);
    open_menu(&stage);
    assert_eq!(by_key, (menu.get_x(), menu.get_y()));
}

#[test]
fn dir_8_an_e_mail_has_the_call_in_the_ear_as_its_subject() {
    let stage = Stage::with(scenes::picture());
    stage.tap(stage.middle("Write an e-mail"));
    let card = stage.app.global::<LinkCard>();
    assert_eq!(
        (card.get_open(), card.get_kind(), card.get_who().as_str()),
        (true, LinkKind::Mail, "Alice Fournier")
    );
    let address = card.get_address();
    assert_eq!(card.get_mailbox(), "alice.fournier@northwind.example");
    assert!(card.get_about().starts_with("Call to Marie Laurent (Northwind HQ), 2107, "));
    assert!(stage.has(&card.get_mailbox()) && stage.has(&card.get_about()), "read as it was written");
    let start = "mailto:alice.fournier@northwind.example?subject=Call%20to%20Marie%20Laurent%20%28Northwind%20HQ%29%2C%202107%2C%20";
    assert!(address.starts_with(start), "{address}");
    stage.key(Key::Escape);
    assert!(!card.get_open());
    stage.show(scenes::empty());
    stage.wait(600);
    stage.tap(stage.middle("Write an e-mail"));
    assert_eq!(card.get_address(), "mailto:alice.fournier@northwind.example");
    assert_eq!(card.get_about(), "");
}

#[test]
fn dir_8_web_addresses_are_completed_and_others_refused() {
    let stage = Stage::with(scenes::picture());
    let directory = stage.app.global::<Directory>();
    directory.invoke_open_tab(1);
    stage.settle();
    let card = stage.app.global::<LinkCard>();
    directory.invoke_open_link(0, frontdesk_ui::screen::ContactLink::Page);
    stage.settle();
    assert!(!card.get_open());
    assert!(stage.has("“javascript:alert(1)” is not opened"));
    directory.invoke_open_link(1, frontdesk_ui::screen::ContactLink::Page);
    stage.settle();
    assert_eq!(
        (card.get_kind(), card.get_address().as_str()),
        (LinkKind::Page, "https://www.okafor.example")
    );
}

#[test]
fn dir_8_two_quick_taps_on_an_icon_are_one_call() {
    let stage = Stage::with(scenes::empty());
    stage.double_tap(stage.middle("Call mobile"));
    assert_eq!(stage.commands(), [Command::Dial { number: "+49 151 5550 0000".into(), line: None }]);
}

#[test]
fn pre_4_a_tile_tells_how_many_calls_with_whom_and_which_way_and_the_card_tells_all() {
    let stage = Stage::with(scenes::people());
    let ben = lamp(&stage, 1);
    assert_eq!((ben.calls, ben.peer.as_str(), ben.way), (2, "Camille Durand", TalkWay::Incoming));
    assert_eq!(lamp(&stage, 3).way, TalkWay::Outgoing);
    stage.right_click(stage.spot("Ben Whitaker"));
    choose(&stage, DirectoryWord::Phone);
    let card = stage.app.global::<PhoneCard>();
    let talks =
        |card: &PhoneCard| card.get_talks().iter().map(|talk| talk.name.to_string()).collect::<Vec<_>>();
    assert!(card.get_open());
    assert_eq!(talks(&card), ["Camille Durand", "Khadija Benali"]);
    assert!(stage.has("Ben Whitaker · 2 calls"), "above the card");
    // It follows the desk.
    let mut view = scenes::people();
    let lamp = std::sync::Arc::make_mut(&mut view.lamps[1]);
    lamp.calls = 3;
    lamp.talks.pop();
    stage.show(view);
    assert_eq!((talks(&card).len(), card.get_untold()), (1, 2));
    stage.key(Key::Escape);
    assert!(!card.get_open());
}

#[test]
fn pre_4_a_row_leaves_out_with_whom_where_there_is_no_room_for_all_of_it() {
    let mut view = scenes::people();
    view.directories[0].look.layout = Layout::List;
    let stage = Stage::with(view);
    assert!(stage.app.global::<Directory>().get_list());
    assert_eq!(lamp(&stage, 1).peer, "Camille Durand");
    assert!(stage.has("Busy · 2 calls"));
}

#[test]
fn pre_5_a_tile_tells_whether_the_person_is_online() {
    let stage = Stage::with(scenes::people());
    let person = |index| (lamp(&stage, index).person, lamp(&stage, index).person_text.to_string());
    assert_eq!(person(0), (PersonState::Online, String::new()));
    assert_eq!(person(1), (PersonState::Away, "In a meeting".into()));
    assert_eq!(person(2), (PersonState::Offline, String::new()));
    assert_eq!(person(10), (PersonState::Unknown, String::new()), "the desk knows nothing of Jonas");
    stage.event(Event::Disconnected);
    assert_eq!(person(0), (PersonState::Unknown, String::new()), "nobody vouches for it");
}

#[test]
fn pre_1_an_unknown_phone_tells_nothing_of_calls() {
    let stage = Stage::with(scenes::people());
    stage.event(Event::Disconnected);
    let ben = lamp(&stage, 1);
    assert_eq!((ben.kind, ben.calls, ben.peer.as_str()), (LampKind::Unknown, 0, ""));
}

#[test]
fn a_contact_that_another_took_the_place_of_is_not_meant_any_more() {
    let stage = Stage::with(scenes::picture());
    stage.key(Key::F5);
    assert_eq!(stage.app.global::<Directory>().get_cursor(), 0);
    stage.show(shown_as(|look| look.sort = SortKey::LastName));
    assert_eq!(names(&stage, 1), ["Hugo Almeida"]);
    stage.key(Key::F6);
    assert_eq!(stage.commands(), [], "the operator never chose Hugo");
}

#[test]
fn dir_4_what_a_connector_keeps_is_looked_at_and_not_written_by_hand() {
    let mut view = scenes::picture();
    view.directories[0].source = Some("org.example.ldap".into());
    let own = view.directories.iter().filter(|directory| directory.source.is_none()).count();
    let stage = Stage::with(view);
    open_menu(&stage);
    let offers = |word| stage.app.global::<Menu>().get_entries().iter().any(|entry| entry.part == word);
    assert!(offers(DirectoryWord::Export) && offers(DirectoryWord::AddDirectory));
    assert!(!offers(DirectoryWord::AddContact) && !offers(DirectoryWord::Import));
    choose(&stage, DirectoryWord::ThisDirectory);
    assert!(offers(DirectoryWord::Rename) && offers(DirectoryWord::Line));
    assert!(!offers(DirectoryWord::Clear) && !offers(DirectoryWord::Remove));
    stage.app.global::<Menu>().invoke_close();
    stage.settle();
    stage.right_click(stage.spot("Alice Fournier"));
    stage.tap(stage.middle("Contact…"));
    assert!(stage.has("Turn presence off") && stage.has("Can only be changed at its source"));
    assert!(!stage.has("Edit the contact") && !stage.has("Remove the contact"));
    stage.tap(stage.middle("Can only be changed at its source"));
    assert_eq!(stage.commands(), []);
    // A caller is added to one of the others.
    stage.key(Key::Escape);
    stage.app.global::<frontdesk_ui::screen::Editor>().invoke_open_new(2);
    stage.settle();
    assert_eq!(stage.app.global::<frontdesk_ui::screen::Editor>().get_directories().row_count(), own);
    assert_eq!(stage.app.global::<frontdesk_ui::screen::Editor>().get_directory(), 0);
}
