//! Directories of all sorts: as rows, with people online, without anybody, with a hundred thousand.

use ipc::{
    AlertSet, Column, ContactId, ContactPage, ContactPlace, ContactQuery, ContactRow, Direction, DirectoryId,
    DirectoryLook, LampCall, Layout, Notice, NoticeId, NoticeKind, OnlineState, Party, PersonView, SortKey,
    TalkId, View,
};

use super::{NOW, STAFF, contact, directory, outside, picture, staff};

/// The directory of [`vast`].
pub(super) const VAST: DirectoryId = DirectoryId(4);
/// Contacts in it.
const MANY: u32 = 100_000;

/// The picture with people online and away, and with what the exchange tells of the calls on their phones.
#[must_use]
pub fn people() -> View {
    let mut view = picture();
    let states = [
        ("alice", OnlineState::Online, ""),
        ("ben", OnlineState::Away, "In a meeting"),
        ("chiara", OnlineState::Offline, ""),
        ("emma", OnlineState::Away, "Until three"),
        ("farid", OnlineState::Online, ""),
        ("grace", OnlineState::Online, "At the lab"),
        ("hugo", OnlineState::Unknown, ""),
        ("ingrid", OnlineState::Online, ""),
        ("marie", OnlineState::Online, ""),
    ];
    let person = |(name, state, text): (&str, OnlineState, &str)| PersonView {
        address: format!("{name}@chat.northwind.example"),
        state,
        text: text.into(),
        since_ms: NOW - 600_000,
    };
    view.people = states.into_iter().map(person).collect();
    let talk =
        |ringing, direction, party| LampCall { ringing, direction: Some(direction), party, talk: None };
    for lamp in &mut view.lamps {
        std::sync::Arc::make_mut(lamp).talks = match lamp.number.as_str() {
            "2102" => vec![
                talk(false, Direction::Incoming, outside("Camille Durand", "+33 4 72 00 11 22")),
                talk(true, Direction::Incoming, staff("Khadija Benali", "2112")),
            ],
            "2104" => vec![talk(false, Direction::Outgoing, outside("", "+49 89 555 1180"))],
            "2106" => vec![talk(true, Direction::Incoming, staff("Khadija Benali", "2112"))],
            "2112" => vec![talk(true, Direction::Outgoing, Party::default())],
            _ => Vec::new(),
        };
    }
    view
}

/// Likewise, where the administrator lets calls be taken over (PRE-3): Ben is in two, David in one.
#[must_use]
pub fn take_over() -> View {
    let mut view = people();
    view.take_over = true;
    for lamp in &mut view.lamps {
        let lamp = std::sync::Arc::make_mut(lamp);
        if lamp.number == "2102" {
            let party = outside("Helena Brandt", "+49 30 5557 0142");
            let direction = Some(Direction::Outgoing);
            lamp.talks.insert(1, LampCall { ringing: false, direction, party, talk: None });
            lamp.calls = 3;
        }
        let number: u64 = lamp.number.parse().unwrap_or_default();
        let talking = lamp.talks.iter_mut().filter(|call| !call.ringing);
        for (place, call) in (0..).zip(talking) {
            call.talk = Some(TalkId(number * 10 + place));
        }
    }
    view
}

/// Likewise: one was taken over, another one was not given.
#[must_use]
pub fn taken_over() -> View {
    let mut view = take_over();
    let from = |name: &str| Party { name: Some(name.into()), ..Party::default() };
    if let Some(call) = view.outgoing.first_mut() {
        call.intercepted = Some(from("Marie-Christine de la Fontaine"));
        call.taken_over = true;
    }
    for (id, code) in [(70, 403), (71, 481)] {
        let kind = NoticeKind::TakeOverFailed { from: from("Ben Whitaker"), code, reason: String::new() };
        view.notices.push(Notice { id: NoticeId(id), since_ms: NOW - id, kind });
    }
    view
}

/// The same as rows with columns (DIR-5).
#[must_use]
pub fn rows() -> View {
    let mut view = people();
    for directory in &mut view.directories {
        directory.look.layout = Layout::List;
    }
    view.directories[1].note =
        "Names are said first.\nWho is in a hurry is called back within the hour.".into();
    view.directories[1].look.columns = vec![Column::Phone, Column::Company, Column::Title, Column::Web];
    view
}

/// A directory that a connector keeps (DIR-4).
#[must_use]
pub fn connector() -> View {
    let mut view = people();
    view.directories[0].source = Some("org.frontdesk.ldap".into());
    view
}

/// A directory that nobody is in yet.
#[must_use]
pub fn barren() -> View {
    let mut view = picture();
    view.directories.insert(0, directory(5, "Partners", false, 0));
    view
}

/// A directory of a hundred thousand contacts, as rows.
#[must_use]
pub fn vast() -> View {
    let mut view = picture();
    let look = DirectoryLook { layout: Layout::List, ..DirectoryLook::default() };
    let all = ipc::DirectoryView { look, ..directory(VAST.0, "Everybody", false, MANY) };
    view.directories.insert(0, all);
    view
}

/// A page of it.
pub(super) fn vast_page(query: &ContactQuery) -> ContactPage {
    let end = query.offset.saturating_add(query.limit).min(MANY);
    ContactPage { total: MANY, offset: query.offset, rows: (query.offset..end).map(vast_row).collect() }
}

fn vast_row(index: u32) -> ContactRow {
    let at = index as usize;
    let (first, last) = (STAFF[at % STAFF.len()], STAFF[at / STAFF.len() % STAFF.len()]);
    let last = format!("{} {}", last.1, index + 1);
    ContactRow {
        company: format!("Company {}", index / 40 + 1),
        title: first.2.into(),
        mobile: format!("+49 151 {index:07}"),
        ..contact(u64::from(index) + 1_000_000, VAST.0, first.0, &last, &format!("+49 30 {index:07}"))
    }
}

/// Where a contact of the scenes stands in its directory.
#[must_use]
pub fn place(contact: ContactId, sort: SortKey) -> Option<ContactPlace> {
    if contact.0 >= 1_000_000 {
        let row = u32::try_from(contact.0 - 1_000_000).ok().filter(|row| *row < MANY)?;
        return Some(ContactPlace { contact, directory: VAST, row });
    }
    let directories = [1, 2, 3].map(DirectoryId);
    directories.into_iter().find_map(|directory| {
        let query =
            ContactQuery { directory: Some(directory), text: String::new(), sort, offset: 0, limit: 500 };
        let row = super::contacts(&query).rows.iter().position(|row| row.id == contact)?;
        Some(ContactPlace { contact, directory, row: u32::try_from(row).ok()? })
    })
}

/// Puts rows into an order; that of first names is the scene's own.
pub(super) fn sort(rows: &mut [ContactRow], key: SortKey) {
    match key {
        SortKey::FirstName => {}
        SortKey::LastName => rows.sort_by(|a, b| a.last_name.cmp(&b.last_name)),
        SortKey::Company => rows.sort_by(|a, b| a.company.cmp(&b.company)),
        SortKey::Office => rows.sort_by(|a, b| a.office.cmp(&b.office)),
        SortKey::Department => rows.sort_by(|a, b| a.department.cmp(&b.department)),
        SortKey::Title => rows.sort_by(|a, b| a.title.cmp(&b.title)),
    }
}

/// The operator waits for one of the staff.
pub(super) fn alerts(index: usize) -> AlertSet {
    AlertSet { available: index == 3, sound: true, ..AlertSet::default() }
}
