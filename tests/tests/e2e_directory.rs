//! Directories at the desk: edited, imported, exported, searched, while real telephones call.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::sound::{A_TONE, Recording};
use ipc::{
    AlertKind, AlertSet, CallState, CallView, Column, Command, CommandError, ContactForm, ContactId,
    ContactQuery, Direction, DirectoryId, DirectoryLook, Edit, EditProblem, EndStatus, LampState, Layout,
    NameOrder, NoticeKind, Query, Registration, Removed, Reply, SortKey, View,
};

const SOON: Duration = Duration::from_secs(10);
/// How long reading a large file may take on a busy machine.
const LONG: Duration = Duration::from_secs(120);
/// E5, the first note of the chime, in hertz.
const CHIME: f64 = 659.26;

fn staff(house: &mut House) -> DirectoryId {
    let view = house.client.wait("the directory", SOON, |view| !view.directories.is_empty());
    view.directories[0].id
}

fn form(first: &str, last: &str, phone: &str) -> ContactForm {
    ContactForm {
        first_name: first.into(),
        last_name: last.into(),
        phone: phone.into(),
        presence: true,
        ..ContactForm::default()
    }
}

#[track_caller]
fn add(house: &mut House, directory: DirectoryId, form: ContactForm) -> ContactId {
    house.client.edit(Edit::AddContact { directory, form: Box::new(form) }).unwrap().0.unwrap()
}

fn list(house: &mut House, directory: Option<DirectoryId>, text: &str, sort: SortKey) -> Vec<String> {
    let query = ContactQuery { directory, text: text.into(), sort, offset: 0, limit: 100 };
    let rows = house.client.contacts(query).rows;
    rows.iter().map(|row| format!("{} {}", row.first_name, row.last_name).trim().to_owned()).collect()
}

fn removed(view: &View) -> Option<(ipc::RemovalId, Removed)> {
    view.notices.iter().find_map(|notice| match &notice.kind {
        NoticeKind::Removed { removal, what } => Some((*removal, what.clone())),
        _ => None,
    })
}

#[test]
fn dir_1_directories_are_made_renamed_linked_noted_cleared_and_removed_and_come_back() {
    let mut house = House::build(Digest::Md5);
    let staff = staff(&mut house);
    let clients = Edit::AddDirectory { name: "Clients".into(), local: false };
    let clients = house.client.edit(clients).unwrap().1.unwrap();
    let change = |name: &str| Edit::ChangeDirectory {
        directory: clients,
        name: name.into(),
        local: false,
        line: Some("5550101".into()),
        note: "Bonjour, Atelier Moreau".into(),
    };
    assert_eq!(house.client.edit(change("staff")), Err(CommandError::Edit(EditProblem::NameTaken)));
    house.client.edit(change("Kunden")).unwrap();
    let known = |view: &View| {
        view.directories.iter().any(|directory| {
            directory.name == "Kunden"
                && !directory.local
                && directory.line.as_deref() == Some("5550101")
                && directory.note.starts_with("Bonjour")
        })
    };
    house.client.wait("the directory as changed", SOON, known);
    // The line's directory comes to the front when a call on it is answered.
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550101");
    let call = house.answer_next(&mut a);
    house.client.wait("the line's directory in front", SOON, |view| view.front_directory == Some(clients));
    house.client.command(Command::HangUp { call }).unwrap();
    house.client.edit(Edit::ClearDirectory { directory: staff }).unwrap();
    let gone = house
        .client
        .wait("nobody in it", SOON, |view| view.directories[0].contacts == 0 && removed(view).is_some());
    let (removal, what) = removed(&gone).unwrap();
    assert_eq!(what, Removed::Contacts { count: 3, directory: "Staff".into() });
    house.client.edit(Edit::Undo { removal }).unwrap();
    house.client.wait("everybody again, and nothing to undo", SOON, |view| {
        view.directories[0].contacts == 3 && removed(view).is_none()
    });
    house.client.edit(Edit::RemoveDirectory { directory: clients }).unwrap();
    house.client.wait("one directory", SOON, |view| view.directories.len() == 1);
    // All of it is on the disk.
    house.desk.program.kill();
    house.desk.start_again();
    house.client = house.desk.client();
    let view = house.client.wait("the directory", SOON, |view| !view.directories.is_empty());
    assert_eq!((view.directories.len(), view.directories[0].contacts), (1, 3));
}

#[test]
fn dir_2_a_contact_added_from_a_call_is_the_next_callers_name_and_its_changes_are_remembered() {
    let mut house = House::build(Digest::Md5);
    let staff = staff(&mut house);
    let mut a = house.phone("2103", A_TONE, Codec::Pcma);
    a.dial("5550100");
    let call = house.answer_next(&mut a);
    let nameless = house.wait_state(call, CallState::Talking);
    assert_eq!(nameless.party.contact, None);
    let number = nameless.party.number.unwrap();
    let id = add(&mut house, staff, form("Chiara", "Romano", &number));
    let twin = Edit::AddContact { directory: staff, form: Box::new(form("Chiara", "Romano", &number)) };
    assert_eq!(house.client.edit(twin), Err(CommandError::Edit(EditProblem::AlreadyThere)));
    house.client.command(Command::HangUp { call }).unwrap();
    house.client.wait_gone(call, SOON);
    let changed = ContactForm {
        title: "Counsel".into(),
        note: "Prefers mornings".into(),
        ..form("Chiara", "Romano", &number)
    };
    let edit =
        Edit::ChangeContact { contact: id, directory: staff, form: Box::new(changed), keep_picture: true };
    house.client.edit(edit).unwrap();
    let nobody = Edit::AddContact { directory: staff, form: Box::default() };
    assert_eq!(house.client.edit(nobody), Err(CommandError::Edit(EditProblem::EmptyContact)));
    a.dial("5550100");
    let named =
        |call: &CallView| call.party.contact == Some(id) && call.party.title.as_deref() == Some("Counsel");
    let call = house.client.wait_call("the caller named", SOON, named);
    assert!(call.party.local);
    let known = |now: &CallView| now.call == call.call && now.history.is_some();
    let history = house.client.wait_call("what is known of the caller", SOON, known).history.unwrap();
    assert_eq!((history.calls, history.note.as_str()), (1, "Prefers mornings"));
    let last = &history.last[0];
    assert_eq!((last.direction, last.end), (Direction::Incoming, EndStatus::Completed));
    let card = house.client.query(Query::Contact(id));
    let Reply::Contact(Some(card)) = card else { panic!("{card:?}") };
    assert_eq!((card.form.title.as_str(), card.history.len()), ("Counsel", 2));
    assert!(card.history.iter().all(|change| change.by == "Front desk"), "{:?}", card.history);
}

#[test]
fn dir_3_a_directory_exported_and_imported_is_the_same_and_bad_rows_are_told_by_line() {
    let mut house = House::build(Digest::Md5);
    let staff = staff(&mut house);
    add(&mut house, staff, ContactForm { title: "=1+1".into(), ..form("Éric", "Müller", "+33 1 23") });
    let (reply, done) =
        house.client.command_with_reply(Command::ExportContacts { directory: staff, path: None });
    done.unwrap();
    let Some(Reply::Exported { path, contacts: 4 }) = reply else { panic!("{reply:?}") };
    assert!(path.starts_with(house.desk.contact_files()), "{}", path.display());
    let Reply::ContactFiles(files) = house.client.query(Query::ContactFiles) else { panic!("no files") };
    assert_eq!(files.iter().map(|file| &file.path).collect::<Vec<_>>(), [&path]);
    assert!(fs::read_to_string(&path).unwrap().contains("'=1+1"), "a spreadsheet would compute it");
    let import = |path: &std::path::Path| Command::ImportContacts {
        directory: "Copy".into(),
        local: true,
        path: path.to_owned(),
    };
    let (report, done) = house.client.command_with_reply(import(&path));
    done.unwrap();
    let Some(Reply::Import(report)) = report else { panic!("{report:?}") };
    assert_eq!((report.loaded, report.left_out), (4, 0));
    let view = house.client.wait("the copy", SOON, |view| view.directories.iter().any(|d| d.name == "Copy"));
    let copy = view.directories.iter().find(|directory| directory.name == "Copy").unwrap().id;
    let first = |row: &mut ipc::ContactRow| {
        row.id = ContactId(0);
        row.directory = DirectoryId(0);
    };
    let mut rows = |directory| {
        let query = ContactQuery {
            directory: Some(directory),
            text: String::new(),
            sort: SortKey::LastName,
            offset: 0,
            limit: 10,
        };
        let mut rows = house.client.contacts(query).rows;
        rows.iter_mut().for_each(first);
        rows
    };
    assert_eq!(rows(copy), rows(staff));
    // A file with one good row among bad ones, by a spreadsheet of Western Europe.
    let mut bad = b"phone;lastname\n1;A\n".to_vec();
    let path = house.folder().join("bad.csv");
    fs::write(&path, &bad).unwrap();
    let refused = house.client.command(import(&path)).unwrap_err().to_string();
    assert!(refused.contains("separated by semicolons"), "{refused}");
    bad = b"phone,lastname,presence,colour\n1,M\xfcller,yes,red\n2,B,perhaps,red\n\n3\n".to_vec();
    fs::write(&path, &bad).unwrap();
    let (report, done) = house.client.command_with_reply(import(&path));
    done.unwrap();
    let Some(Reply::Import(report)) = report else { panic!("{report:?}") };
    let lines: Vec<u64> = report.problems.iter().map(|problem| problem.line).collect();
    assert_eq!((report.loaded, lines, report.unknown_columns), (1, vec![3, 5], vec!["colour".to_owned()]));
    assert_eq!(list(&mut house, None, "muller", SortKey::LastName), ["Müller", "Éric Müller", "Éric Müller"]);
}

#[test]
fn dir_3_calls_are_answered_and_logged_while_a_large_file_is_read_and_a_cancelled_one_leaves_nothing() {
    let mut house = House::build(Digest::Md5);
    let mut file = String::from("lastname,firstname,phone\n");
    for n in 0..60_000 {
        writeln!(file, "Name{n},First{n},+49 30 {n:07}").unwrap();
    }
    let path = house.folder().join("large.csv");
    fs::write(&path, file).unwrap();
    let import = |directory: &str| Command::ImportContacts {
        directory: directory.into(),
        local: false,
        path: path.clone(),
    };
    let mut other = house.desk.client();
    house.client.begin(import("Large"));
    let half =
        |view: &View| view.import.as_ref().is_some_and(|import| import.contacts > 0 && import.bytes > 0);
    house.client.wait("progress", LONG, half);
    assert_eq!(other.command(import("Other")), Err(CommandError::ImportRuns));
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    a.dial("5550100");
    let call = house.answer_next(&mut a);
    house.client.command(Command::HangUp { call }).unwrap();
    house.client.wait_gone(call, SOON);
    other.command(Command::CancelImport).unwrap();
    let view = house.client.wait("no import", LONG, |view| view.import.is_none());
    // Where the machine was quicker than the call the file is in; else nothing of it is.
    let ended = view.directories.iter().find(|directory| directory.name == "Large").map(|d| d.contacts);
    assert!(matches!(ended, None | Some(60_000)), "{ended:?}");
    assert_eq!(house.client.log(10).total, 1, "the call is in the log");
    if ended.is_none() {
        let (report, done) = other.command_with_reply(import("Large"));
        done.unwrap();
        assert!(matches!(report, Some(Reply::Import(report)) if report.loaded == 60_000));
        house.client.wait("the contacts", LONG, |view| {
            view.directories.iter().any(|directory| directory.name == "Large" && directory.contacts == 60_000)
        });
    }
    let imported = |view: &View| {
        view.notices.iter().any(|notice| matches!(&notice.kind, NoticeKind::Imported { loaded: 60_000, .. }))
    };
    house.client.wait("word of the import", SOON, imported);
}

#[test]
fn dir_5_a_directory_looks_and_is_sorted_as_it_was_left() {
    let mut house = House::build(Digest::Md5);
    let staff = staff(&mut house);
    let look = DirectoryLook {
        layout: Layout::List,
        names: NameOrder::LastFirst,
        sort: SortKey::Title,
        columns: vec![Column::Title, Column::Phone],
    };
    house.client.edit(Edit::SetLook { directory: staff, look: look.clone() }).unwrap();
    house.client.wait("the look", SOON, |view| view.directories[0].look == look);
    let by_title = list(&mut house, Some(staff), "", SortKey::Title);
    assert_eq!(by_title, ["Ingrid Solberg", "Jonas Becker", "Tomas Rivera"]);
    assert_eq!(
        list(&mut house, Some(staff), "", SortKey::LastName),
        ["Jonas Becker", "Tomas Rivera", "Ingrid Solberg"]
    );
    assert_eq!(
        list(&mut house, Some(staff), "", SortKey::Department),
        ["Jonas Becker", "Ingrid Solberg", "Tomas Rivera"]
    );
    house.desk.program.kill();
    house.desk.start_again();
    house.client = house.desk.client();
    house.client.wait("the look kept", SOON, |view| view.directories.iter().any(|d| d.look == look));
}

#[test]
fn dir_6_dir_7_a_search_finds_any_part_of_any_field_in_one_directory_or_all() {
    let mut house = House::build(Digest::Md5);
    let staff = staff(&mut house);
    let clients = Edit::AddDirectory { name: "Clients".into(), local: false };
    let clients = house.client.edit(clients).unwrap().1.unwrap();
    let client = ContactForm {
        company: "Atelier Moreau".into(),
        email: "anne.lefevre@moreau.example".into(),
        note: "Délivre le mardi".into(),
        ..form("Anne", "Lefèvre", "+33 1 45 67 21 10")
    };
    let anne = add(&mut house, clients, client);
    for text in ["lefev", "MOREAU atel", "mardi", "4567", "01 45 67", "anne lef", "moreau.ex", "Lefevrr"] {
        assert_eq!(list(&mut house, None, text, SortKey::LastName), ["Anne Lefèvre"], "{text}");
        assert_eq!(list(&mut house, Some(staff), text, SortKey::LastName), Vec::<String>::new(), "{text}");
    }
    assert_eq!(list(&mut house, None, "xyzzy", SortKey::LastName), Vec::<String>::new());
    let row = house.client.contact("mardi");
    assert_eq!((row.id, row.directory), (anne, clients), "a hit says where it is");
    let place = house.client.query(Query::Place { contact: anne, sort: SortKey::LastName });
    assert!(matches!(place, Reply::Place(Some(place)) if (place.directory, place.row) == (clients, 0)));
    let nobody = house.client.query(Query::Place { contact: ContactId(999), sort: SortKey::LastName });
    assert_eq!(nobody, Reply::Place(None));
}

#[test]
fn pre_2_a_phone_is_monitored_when_its_contact_says_so() {
    let mut house = House::build(Digest::Md5);
    let watched = |view: &View| view.lamps.iter().any(|lamp| lamp.number == "2102");
    let _ingrid = house.phone("2102", A_TONE, Codec::Pcma);
    house.client.wait("a lamp", SOON, watched);
    let ingrid = house.client.contact("Solberg").id;
    house.client.edit(Edit::SetPresence { contact: ingrid, on: false }).unwrap();
    house.client.wait("no lamp", SOON, |view| !watched(view));
    house.client.edit(Edit::SetPresence { contact: ingrid, on: true }).unwrap();
    let lit = |view: &View| {
        view.lamps.iter().any(|lamp| lamp.number == "2102" && lamp.state == LampState::Available)
    };
    house.client.wait("the lamp lit again", SOON, lit);
    let clients = Edit::AddDirectory { name: "Clients".into(), local: false };
    let clients = house.client.edit(clients).unwrap().1.unwrap();
    let outside = add(&mut house, clients, form("Anne", "Lefèvre", "2104"));
    assert!(!house.client.contact("Lefèvre").presence, "none for external ones");
    let refused = house.client.edit(Edit::SetPresence { contact: outside, on: true });
    assert_eq!(refused, Err(CommandError::Edit(EditProblem::ExternalPresence)));
}

#[test]
fn pre_7_the_operator_is_told_what_a_colleagues_phone_does_once_or_each_time() {
    let mut house = House::build(Digest::Md5);
    let rings = house.desk.ring_into_a_file();
    house.client = house.desk.client();
    house.client.wait("Registered", SOON, |view| view.operator.registration == Registration::Registered);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut b = house.phone("2102", A_TONE, Codec::Pcma);
    let free = |view: &View| {
        ["2101", "2102"].iter().all(|number| {
            view.lamps.iter().any(|lamp| lamp.number == *number && lamp.state == LampState::Available)
        })
    };
    house.client.wait("both free", SOON, free);
    let (tomas, ingrid) = (house.client.contact("Rivera").id, house.client.contact("Solberg").id);
    let alerts = AlertSet { ringing: true, available: true, sound: true, ..AlertSet::default() };
    house.client.edit(Edit::SetAlerts { contact: ingrid, alerts }).unwrap();
    let once = AlertSet { busy: true, once: true, ..AlertSet::default() };
    house.client.edit(Edit::SetAlerts { contact: tomas, alerts: once }).unwrap();
    frontdesk_tests::wait::until("the wishes known", SOON, || {
        let known = (house.client.contact("Rivera").alerts, house.client.contact("Solberg").alerts);
        (known == (once, alerts)).then_some(())
    });
    assert!(
        house.client.wait("nothing yet", SOON, |_| true).alerts.is_empty(),
        "what is so already is no news"
    );
    let told = |view: &View, who, what| view.alerts.iter().any(|a| a.contact == who && a.what == what);
    a.dial("2102");
    b.expect("CALL_INCOMING", SOON);
    let view = house.client.wait("Ingrid's phone rings", SOON, |view| told(view, ingrid, AlertKind::Ringing));
    let alert = view.alerts.iter().find(|alert| alert.contact == ingrid).unwrap();
    assert_eq!((alert.name.as_str(), alert.number.as_str()), ("Ingrid Solberg", "2102"));
    // No call rings at the desk: what is heard is the chime.
    frontdesk_tests::wait::until("the chime", SOON, || {
        let heard = Recording::read(&rings)?;
        let block = heard.rate as usize / 50;
        let loud = |part: &[i16]| Recording { rate: heard.rate, samples: part.to_vec() }.has_tone(CHIME);
        heard.samples.chunks_exact(block).any(loud).then_some(())
    });
    b.accept();
    house.client.wait("the ringing is over", SOON, |view| !told(view, ingrid, AlertKind::Ringing));
    house.client.wait("Tomas is busy", SOON, |view| told(view, tomas, AlertKind::Busy));
    b.hang_up();
    let view = house.client.wait("Ingrid is free", SOON, |view| told(view, ingrid, AlertKind::Available));
    let alert = view.alerts.iter().find(|alert| alert.contact == ingrid).unwrap().id;
    house.client.command(Command::DismissAlert { alert }).unwrap();
    house.client.wait("it is seen", SOON, |view| view.alerts.iter().all(|other| other.id != alert));
    // The wish for one alert is spent.
    frontdesk_tests::wait::until("the wish forgotten", SOON, || {
        (house.client.contact("Rivera").alerts == AlertSet::default()).then_some(())
    });
    assert_eq!(house.client.contact("Solberg").alerts, alerts);
}
