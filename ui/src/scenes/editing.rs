//! Contacts that are edited, alerts, imports, and what is known of callers.

use ipc::{
    AlertId, AlertKind, AlertSet, AlertView, CallRef, CallerHistory, ContactCard, ContactChange,
    ContactChangeKind, ContactField, ContactFile, ContactForm, ContactId, ContactQuery, ContactRow,
    Direction, DirectoryId, EndStatus, ImportProblem, ImportReport, ImportView, LampState, Notice, NoticeId,
    NoticeKind, PastCall, RemovalId, Removed, RowFault, TextChange, View,
};

use super::{NOW, contacts, empty, outside, picture, staff};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// The answer to a question for a contact of the scenes; the first of them has a past.
#[must_use]
pub fn card(contact: ContactId) -> Option<ContactCard> {
    let directory = DirectoryId(if contact.0 < 1000 { 1 } else { 2 });
    let query = ContactQuery {
        directory: Some(directory),
        text: String::new(),
        sort: ipc::SortKey::default(),
        offset: 0,
        limit: 500,
    };
    let row = contacts(&query).rows.into_iter().find(|row| row.id == contact)?;
    let mut form = form(&row);
    form.note = "Prefers e-mail.\nOn Fridays in the warehouse, extension 2190.".into();
    form.alerts = AlertSet { available: true, sound: true, ..AlertSet::default() };
    let now = crate::clock::now_unix_ms();
    let text =
        |field, before: &str, after: &str| TextChange { field, before: before.into(), after: after.into() };
    let change = |ago, by: &str, what| ContactChange { at_unix_ms: now - ago, by: by.into(), what };
    let texts = vec![
        text(ContactField::Title, "Assistant", &form.title),
        text(ContactField::Mobile, "", &form.mobile),
    ];
    let history = vec![
        change(2 * DAY, "Noor Jansen", ContactChangeKind::Changed { texts, otherwise: false }),
        change(9 * DAY, "Front desk", ContactChangeKind::Changed { texts: Vec::new(), otherwise: true }),
        change(61 * DAY, "Front desk", ContactChangeKind::Added),
    ];
    Some(ContactCard { contact, directory, form, picture: false, history })
}

/// All that a row tells.
#[must_use]
pub fn form(row: &ContactRow) -> ContactForm {
    let row = row.clone();
    ContactForm {
        last_name: row.last_name,
        first_name: row.first_name,
        company: row.company,
        office: row.office,
        department: row.department,
        title: row.title,
        note: row.note,
        phone: row.phone,
        mobile: row.mobile,
        home: row.home,
        voicemail: row.voicemail,
        email: row.email,
        xmpp: row.xmpp,
        calendar: row.calendar,
        web: row.web,
        presence: row.presence,
        alerts: row.alerts,
    }
}

/// As many alerts as asked for, at most eight, over the scene of the pictures.
#[must_use]
pub fn alerts(count: u64) -> View {
    let mut view = picture();
    let told = [
        (6, "Farid Haddad", "2106", AlertKind::Ringing),
        (2, "Ben Whitaker", "2102", AlertKind::Available),
        (5, "Emma Schneider", "2105", AlertKind::DoNotDisturb),
        (8, "Grace Kim", "2108", AlertKind::Online),
        (15, "Maximilian von Hohenberg-Schwarzenfels", "2116", AlertKind::Busy),
        (18, "Paul Zimmermann", "", AlertKind::Offline),
        (9, "Hugo Almeida", "2109", AlertKind::Available),
        (12, "Khadija Benali", "2112", AlertKind::Ringing),
    ];
    let mut ago = 40_000;
    view.alerts = told
        .into_iter()
        .zip(1..=count)
        .map(|((contact, name, number, what), id)| {
            ago -= 4_000;
            let (name, number) = (name.into(), number.into());
            AlertView {
                id: AlertId(id),
                contact: ContactId(contact),
                name,
                number,
                what,
                since_ms: NOW - ago,
            }
        })
        .collect();
    for lamp in view.lamps.iter_mut().filter(|lamp| lamp.state == LampState::Ringing && lamp.number == "2106")
    {
        std::sync::Arc::make_mut(lamp).rings = Some(outside("Aiko Tanaka", "+81 3 5555 0199"));
    }
    view
}

/// What was removed a moment ago: a contact, all of a directory, a directory; and an import that is over.
#[must_use]
pub fn removed() -> View {
    let mut view = empty();
    let removed = |id: i64, what| NoticeKind::Removed { removal: RemovalId(id), what };
    let kinds = [
        removed(1, Removed::Contact { name: "Helena Brandt".into() }),
        removed(2, Removed::Contacts { count: 611, directory: "Suppliers".into() }),
        removed(3, Removed::Directory { count: 24, directory: "Fair guests".into() }),
        NoticeKind::Imported { directory: "Customers".into(), loaded: 12_904, left_out: 3 },
    ];
    view.notices = kinds
        .into_iter()
        .zip(1..)
        .map(|(kind, id)| Notice { id: NoticeId(id), since_ms: NOW - 9_000 + id * 1000, kind })
        .collect();
    view
}

/// An import that is under way.
#[must_use]
pub fn importing() -> View {
    let import = ImportView {
        directory: "Customers".into(),
        bytes: 9_310_000,
        of_bytes: 21_400_000,
        contacts: 43_118,
        left_out: 2,
    };
    View { import: Some(import), ..picture() }
}

/// Callers of whom something is known, one of whom nothing is known yet, and one without a number.
#[must_use]
pub fn known_callers() -> View {
    let mut view = picture();
    let now = crate::clock::now_unix_ms();
    let call =
        |ago, direction, end, taken_by| PastCall { direction, began_unix_ms: now - ago, end, taken_by };
    let (i, o) = (Direction::Incoming, Direction::Outgoing);
    let marie = Some(staff("Marie Laurent", "2107"));
    view.incoming[0].history = Some(CallerHistory {
        calls: 3,
        last: vec![
            call(2 * DAY + 40 * MINUTE, i, EndStatus::Transferred, marie),
            call(3 * DAY, o, EndStatus::Completed, None),
            call(11 * DAY, i, EndStatus::Missed, None),
        ],
        note: String::new(),
    });
    let ringing = |id: u64, name: &str, number: &str| {
        super::ringing(id, outside(name, number), ("5550000", "Main line"), id)
    };
    let mut noted = ringing(11, "Camille Durand", "+33 4 72 00 11 22");
    noted.history = Some(CallerHistory {
        calls: 1,
        last: vec![call(50 * MINUTE, i, EndStatus::Completed, None)],
        note: "Put through to Ingrid at once.\nSpeaks French only.".into(),
    });
    let mut unasked = ringing(12, "Ewa Nowak", "+48 22 555 01 77");
    unasked.history = None;
    view.incoming.splice(1..1, [noted, unasked]);
    view.incoming.retain(|call| call.call != CallRef(4));
    super::count(&mut view);
    view
}

/// The files of the administrator's folder.
#[must_use]
pub fn files() -> Vec<ContactFile> {
    let file = |name: &str, bytes, ago| ContactFile {
        path: format!("/srv/contacts/{name}").into(),
        bytes,
        modified_unix_ms: crate::clock::now_unix_ms() - ago,
    };
    vec![
        file("customers-2026-11.csv", 21_400_000, 3 * DAY),
        file("fair-guests.csv", 4_249, 8 * DAY),
        file("suppliers.csv", 128_400, 40 * DAY),
    ]
}

/// What an import did.
#[must_use]
pub fn report() -> ImportReport {
    let problem = |line, fault| ImportProblem { line, fault };
    ImportReport {
        loaded: 12_904,
        left_out: 3,
        unknown_columns: vec!["fax".into(), "birthday".into()],
        problems: vec![
            problem(214, RowFault::Cells { cells: 21, columns: 19 }),
            problem(3_977, RowFault::PictureEncoding),
            problem(10_002, RowFault::Empty),
        ],
    }
}
