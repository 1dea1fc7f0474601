//! Views built by hand: the scenes that the pictures show and the tests play in.
//!
//! They stand for what a desk would send; nothing of them is used when a desk is there.

mod customers;
mod directories;
mod editing;
mod elsewhere;
mod faces;
mod figures;
mod notices;
mod reminders;
mod sign_in;
mod sounds;
mod states;
mod updates;

pub use customers::{customer, customer_answered, customer_asked, customer_hostile, customer_unknown};
pub use directories::{barren, connector, people, place, rows, take_over, taken_over, vast};
pub use editing::{alerts, card, files, form, importing, known_callers, removed, report};
pub use elsewhere::{elsewhere, found};
pub use faces::face;
pub use figures::{call_days, log_page, statistics};
pub use notices::{refusals, told, troubles};
pub use reminders::{reminded, reminders, to_be_reminded};
pub use sign_in::{locked, locked_at_rest, pin_refused, signed_in, signed_out};
pub use sounds::{
    SOUND_BACK, SOUND_CALL, SOUND_LOUD, SOUND_MUTED, SOUND_NOTHING, SOUND_RECORDING, muted, sound,
};
pub use states::{
    attended, colleagues, conference, encrypted, encrypted_conference, encrypted_out, greeting, night, note,
    park, phone_connecting, phone_failed, recall, undo, waiting,
};
pub use updates::{told_of_updates, update_over, update_ready};

use std::sync::Arc;

use ipc::{
    Action, AudioState, Availability, CallRef, CallSound, CallState, CallView, ContactId, ContactPage,
    ContactQuery, ContactRow, Counters, Direction, DirectoryId, DirectoryView, EndStatus, LampState,
    LampView, LineView, LogMark, LogPage, LogRow, LogTransfer, Notice, NoticeId, NoticeKind, OperatorView,
    Party, Preferences, RecallReason, RecallWhy, Registration, TransferEnd, TransferId, TransferKind,
    TransferState, TransferView, View,
};

/// Now, on the desk's clock of every scene.
const NOW: u64 = 10_000_000;

/// A desk whose operator has keys of their own.
#[must_use]
pub fn own_keys() -> View {
    let mut view = empty();
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    view.preferences.shortcuts = [
        ("night".to_owned(), keys(&["F12", "Control+k"])),
        ("transfer".to_owned(), keys(&["+", "F8", "F1"])),
        ("view".to_owned(), keys(&[])),
    ]
    .into();
    view
}

/// A desk at rest: registered, three directories, every lamp lit, no call.
#[must_use]
pub fn empty() -> View {
    View {
        generation: 1,
        now_ms: NOW,
        operator: OperatorView {
            name: "Front desk".into(),
            availability: Availability::Available,
            registration: Registration::Registered,
            audio: AudioState::Connected { device: "Handset".into() },
            muted: false,
        },
        lines: vec![
            line("5550000", "Main line", 0, "Northwind, good morning, this is the front desk."),
            line("5550100", "Sales", 5, "Northwind sales, how may I help?"),
            line("5550200", "Support", 6, ""),
        ],
        lamps: lamps(),
        directories: vec![
            directory(1, "Staff", true, 428),
            directory(2, "Customers", false, 12_904),
            directory(3, "Suppliers", false, 611),
        ],
        mailbox: Some("*97".into()),
        counters: Counters { voicemail: 3, missed: 1, ..Counters::default() },
        preferences: Preferences::default(),
        ..View::default()
    }
}

/// A box that nobody has set up: how its administrator's page is opened (APP-2).
#[must_use]
pub fn first_time() -> View {
    let setup = ipc::SetupView { address: "https://192.0.2.47:8443".into(), code: "40718823".into() };
    let operator = OperatorView { registration: Registration::Off, ..empty().operator };
    View { generation: 2, now_ms: NOW, setup: Some(setup), operator, ..View::default() }
}

/// Calls, and an administrator who wants to see the screen, or sees it (APP-2).
#[must_use]
pub fn watched(allowed: Option<bool>) -> View {
    View { generation: 3, watch: Some(ipc::WatchView { who: "Ada".into(), allowed }), ..picture() }
}

/// The scene of the design's pictures.
#[must_use]
pub fn picture() -> View {
    let mut view = empty();
    view.incoming = vec![
        ringing(1, outside("Helena Brandt", "+49 30 5557 0142"), ("5550100", "Sales"), 7),
        ringing(2, Party::default(), ("5550000", "Main line"), 2),
        held(3, staff("Tomás Rivera", "2114"), ("5550000", "Main line"), 291, 158),
        CallView {
            transfer: Some(transfer(4, 4, "Nadia Okafor", "David Moreau", TransferState::Ringing)),
            state: CallState::Transferring,
            actions: vec![Action::HangUp],
            ..held(4, outside("Nadia Okafor", "+44 20 7946 0991"), ("5550200", "Support"), 72, 41)
        },
    ];
    view.incoming[0].crm = Some("https://crm.example/customers?number=%2B493055570142".into());
    view.outgoing = vec![talking(5, staff("Marie Laurent", "2107"), 134)];
    view.talk = Some(CallRef(5));
    view.transfers = vec![transfer(4, 4, "Nadia Okafor", "David Moreau", TransferState::Ringing)];
    count(&mut view);
    view
}

/// What can become of transfers, and what else the desk has to say; a recall among the calls.
#[must_use]
pub fn fates() -> View {
    let mut view = picture();
    let ended = |end| TransferState::Ended { end, at_ms: NOW - 1_000 };
    let recall = RecallReason {
        from: staff("Ingrid Solberg", "2110"),
        why: RecallWhy::Transfer(TransferEnd::Refused { code: 486 }),
    };
    view.incoming.insert(
        0,
        CallView {
            state: CallState::Recalling,
            recall: Some(recall),
            ..ringing(
                6,
                outside("Pierre-Emmanuel Delacroix-Beaumont", "+33 1 55 57 01 42"),
                ("5550200", "Support"),
                64,
            )
        },
    );
    view.transfers = vec![
        transfer(4, 4, "Nadia Okafor", "David Moreau", TransferState::Ringing),
        transfer(5, 9, "Tomás Rivera", "Ingrid Solberg", ended(TransferEnd::Answered)),
        transfer(
            6,
            6,
            "Pierre-Emmanuel Delacroix-Beaumont",
            "Ingrid Solberg",
            ended(TransferEnd::Refused { code: 486 }),
        ),
    ];
    let to = Party { number: Some("2199".into()), ..Party::default() };
    let kind = NoticeKind::DialFailed { to, code: 404, reason: "Not Found".into() };
    view.notices = vec![Notice { id: NoticeId(1), since_ms: NOW - 4_000, kind }];
    count(&mut view);
    view
}

/// Thirty calls at once: more than fit.
#[must_use]
pub fn thirty_calls() -> View {
    let mut view = picture();
    let lines = [("5550000", "Main line"), ("5550100", "Sales"), ("5550200", "Support")];
    for number in 10..35_u64 {
        let row = &staff_rows()[usize::try_from(number).unwrap_or(0) % STAFF.len()];
        let party =
            outside(&format!("{} {}", row.first_name, row.last_name), &format!("+49 30 5557 {number:04}"));
        let line = lines[usize::try_from(number).unwrap_or(0) % lines.len()];
        let call = if number % 3 == 0 {
            held(number, party, line, number * 9, number * 5)
        } else {
            ringing(number, party, line, number)
        };
        view.incoming.push(call);
    }
    count(&mut view);
    view
}

/// The answer to a question about contacts, from the scene's directories.
#[must_use]
pub fn contacts(query: &ContactQuery) -> ContactPage {
    if query.directory == Some(directories::VAST) && query.text.is_empty() {
        return directories::vast_page(query);
    }
    let rows: Vec<ContactRow> = match query.directory {
        Some(DirectoryId(2)) => external_rows(),
        Some(DirectoryId(3)) => supplier_rows(),
        Some(DirectoryId(5)) => Vec::new(),
        None => staff_rows().into_iter().chain(external_rows()).chain(supplier_rows()).collect(),
        _ => staff_rows(),
    };
    let needle = query.text.to_lowercase();
    let hit = |row: &ContactRow| {
        let text = [&row.first_name, &row.last_name, &row.title, &row.office, &row.phone]
            .map(String::as_str)
            .join(" ");
        needle.split_whitespace().all(|word| text.to_lowercase().contains(word))
    };
    let mut rows: Vec<ContactRow> = rows.into_iter().filter(hit).collect();
    directories::sort(&mut rows, query.sort);
    let total = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let page = rows.into_iter().skip(query.offset as usize).take(query.limit as usize).collect();
    ContactPage { total, offset: query.offset, rows: page }
}

/// A morning's log; `noon_unix_ms` is the end of it. Only calls with these ends, unless there are none.
#[must_use]
pub fn log(noon_unix_ms: i64, ends: &[EndStatus]) -> LogPage {
    let minute = 60_000;
    let row = |id: i64, direction, party: Party, line: (&str, &str), talk_s: u64, hold_s: u64, end| LogRow {
        id,
        direction,
        party,
        line_number: line.0.into(),
        line_name: line.1.into(),
        began_unix_ms: noon_unix_ms - id * 13 * minute,
        answered_after_ms: (talk_s > 0).then_some(4_000),
        talk_ms: talk_s * 1000,
        hold_ms: hold_s * 1000,
        end,
        transfers: Vec::new(),
        rules: Vec::new(),
        customer: None,
        call: None,
        // The sixth was over a bad network.
        sound: (talk_s > 0).then(|| CallSound {
            mos_hundredths: Some(if id == 6 { 312 } else { 441 - id as u16 * 3 }),
            received: talk_s * 50,
            lost: if id == 6 { talk_s * 2 } else { 0 },
            late: talk_s / 30,
            jitter_us: if id == 6 { 23_400 } else { 1_200 },
            round_trip_us: Some(31_000),
            ..CallSound::default()
        }),
        // And the operator said so; of the two that came last it can still be said.
        mark: match id {
            6 => LogMark::Marked,
            2 | 3 => LogMark::Possible,
            _ => LogMark::None,
        },
    };
    let (main, sales, support) = (("5550000", "Main line"), ("5550100", "Sales"), ("5550200", "Support"));
    let (i, o) = (Direction::Incoming, Direction::Outgoing);
    let sent = |to: Party, end| vec![LogTransfer { to, kind: TransferKind::Blind, end, took_ms: 9_000 }];
    let mut rows = vec![
        row(1, i, outside("Helena Brandt", "+49 30 5557 0142"), sales, 0, 0, EndStatus::Missed),
        row(2, o, staff("Marie Laurent", "2107"), main, 254, 0, EndStatus::Completed),
        LogRow {
            transfers: sent(staff("Ingrid Solberg", "2110"), TransferEnd::Answered),
            ..row(3, i, staff("Tomás Rivera", "2114"), main, 31, 158, EndStatus::Transferred)
        },
        row(4, i, Party::default(), main, 0, 0, EndStatus::Rejected),
        row(5, o, outside("", "+44 20 7946 0991"), support, 0, 0, EndStatus::NotAnswered),
        LogRow {
            transfers: sent(staff("David Moreau", "2104"), TransferEnd::Refused { code: 486 }),
            ..row(6, i, outside("Nadia Okafor", "+44 20 7946 0991"), support, 412, 66, EndStatus::Completed)
        },
        row(7, i, outside("", "+33 1 55 57 01 42"), main, 0, 0, EndStatus::Elsewhere),
        row(8, o, staff("Emma Schneider", "2105"), main, 0, 0, EndStatus::Refused),
        row(9, i, outside("Holm & Søn A/S", "+45 33 12 45 67"), sales, 88, 0, EndStatus::Completed),
        row(10, i, outside("Atelier Lumière", "+33 4 72 00 11 22"), sales, 0, 0, EndStatus::Missed),
        row(11, o, outside("", "5559"), main, 0, 0, EndStatus::Failed),
    ];
    rows.retain(|row| ends.is_empty() || ends.contains(&row.end));
    LogPage { total: u32::try_from(rows.len()).unwrap_or(u32::MAX), rows, ..LogPage::default() }
}

/// A colleague, as a party matched in a local directory.
#[must_use]
pub fn staff(name: &str, number: &str) -> Party {
    let row = staff_rows().into_iter().find(|row| row.phone == number);
    Party {
        number: Some(number.into()),
        name: Some(name.into()),
        company: Some("Northwind HQ".into()),
        title: row.as_ref().map(|row| row.title.clone()).filter(|title| !title.is_empty()),
        contact: row.map(|row| row.id),
        local: true,
        matched: Some(ipc::NumberMatch::Extension),
    }
}

/// Somebody from outside; without a name when it is empty.
#[must_use]
pub fn outside(name: &str, number: &str) -> Party {
    let name = Some(name.to_owned()).filter(|name| !name.is_empty());
    Party { number: Some(number.into()), name, ..Party::default() }
}

/// A call that rings since `seconds`.
#[must_use]
pub fn ringing(call: u64, party: Party, line: (&str, &str), seconds: u64) -> CallView {
    // The records were asked and know nobody of that number.
    let history = party.number.is_some().then(ipc::CallerHistory::default);
    CallView {
        call: CallRef(call),
        direction: Direction::Incoming,
        state: CallState::Ringing,
        party,
        line_number: line.0.into(),
        line_name: line.1.into(),
        diverted_by: None,
        intercepted: None,
        taken_over: false,
        began_ms: NOW - seconds * 1000,
        answered_ms: None,
        held_since_ms: None,
        held_before_ms: 0,
        transfer: None,
        recall: None,
        rule: None,
        waited_for: None,
        crm: None,
        crm_waits: false,
        customer: None,
        customer_asked: false,
        named_by: None,
        history,
        encrypted: false,
        marked: false,
        actions: vec![Action::Answer, Action::Forward, Action::Reject],
    }
}

fn held(call: u64, party: Party, line: (&str, &str), seconds: u64, held_seconds: u64) -> CallView {
    CallView {
        state: CallState::Held,
        answered_ms: Some(NOW - seconds * 1000 + 3000),
        held_since_ms: Some(NOW - held_seconds * 1000),
        actions: vec![Action::Retrieve, Action::Transfer, Action::Mark, Action::HangUp],
        ..ringing(call, party, line, seconds)
    }
}

/// An outgoing call that talks since `seconds`.
#[must_use]
pub fn talking(call: u64, party: Party, seconds: u64) -> CallView {
    CallView {
        direction: Direction::Outgoing,
        state: CallState::Talking,
        line_name: String::new(),
        answered_ms: Some(NOW - seconds * 1000),
        actions: vec![Action::Hold, Action::Transfer, Action::Digits, Action::Mark, Action::HangUp],
        ..ringing(call, party, ("5550000", ""), seconds + 6)
    }
}

fn transfer(id: u64, call: u64, who: &str, to: &str, state: TransferState) -> TransferView {
    TransferView {
        id: TransferId(id),
        call: CallRef(call),
        who: Party { name: Some(who.into()), ..Party::default() },
        to: Party { name: Some(to.into()), ..Party::default() },
        kind: TransferKind::Blind,
        since_ms: NOW - 20_000 + id * 1000,
        state,
    }
}

fn count(view: &mut View) {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let rings = |call: &&CallView| matches!(call.state, CallState::Ringing | CallState::Recalling);
    view.counters.ringing = number(view.incoming.iter().filter(rings).count());
    view.counters.held = number(view.incoming.iter().filter(|call| call.held_since_ms.is_some()).count());
    view.counters.incoming = number(view.incoming.len());
    view.counters.outgoing = number(view.outgoing.len());
}

fn line(number: &str, name: &str, colour: u8, note: &str) -> LineView {
    LineView {
        number: number.into(),
        name: name.into(),
        registration: Registration::Registered,
        note: note.into(),
        colour: Some(colour),
    }
}

fn directory(id: u32, name: &str, local: bool, contacts: u32) -> DirectoryView {
    DirectoryView {
        id: DirectoryId(id),
        name: name.into(),
        local,
        contacts,
        generation: 1,
        line: None,
        note: String::new(),
        look: ipc::DirectoryLook::default(),
        source: None,
    }
}

/// First name, last name, title or department, office, phone, lamp, calls, peer.
type StaffLine =
    (&'static str, &'static str, &'static str, &'static str, &'static str, LampState, u16, &'static str);

const STAFF: [StaffLine; 20] = [
    ("Alice", "Fournier", "Office manager", "HQ 1F", "2101", LampState::Available, 0, ""),
    ("Ben", "Whitaker", "Finance", "HQ 2F", "2102", LampState::Busy, 2, ""),
    ("Chiara", "Romano", "Legal counsel", "", "2103", LampState::Available, 0, ""),
    ("David", "Moreau", "Purchasing", "", "2104", LampState::Busy, 1, "+49 89 555 1180"),
    ("Emma", "Schneider", "People & culture", "", "2105", LampState::DoNotDisturb, 0, ""),
    ("Farid", "Haddad", "IT service desk", "", "2106", LampState::Ringing, 1, "2112"),
    ("Marie", "Laurent", "Head of procurement", "", "2107", LampState::Busy, 1, "5550000"),
    ("Grace", "Kim", "Product", "Lab", "2108", LampState::Available, 0, ""),
    ("Hugo", "Almeida", "Logistics", "Dock", "2109", LampState::Available, 0, ""),
    ("Ingrid", "Solberg", "CEO office", "", "2110", LampState::Available, 0, ""),
    ("Jonas", "Becker", "Facilities", "", "2111", LampState::Unknown, 0, ""),
    ("Khadija", "Benali", "Customer care", "", "2112", LampState::Ringing, 1, ""),
    ("Tomás", "Rivera", "Field service", "Depot", "2114", LampState::Busy, 1, "5550000"),
    ("Lea", "Castellanos", "Marketing", "HQ 3F", "2115", LampState::Available, 0, ""),
    (
        "Maximilian",
        "von Hohenberg-Schwarzenfels",
        "Senior director of strategic partnerships",
        "HQ 4F",
        "2116",
        LampState::Available,
        0,
        "",
    ),
    ("Noor", "Jansen", "Reception", "HQ 1F", "2117", LampState::Available, 0, ""),
    ("Olga", "Petrova", "Quality", "Lab", "2118", LampState::Busy, 1, "2103"),
    ("Paul", "Zimmermann", "Security", "Gate", "", LampState::Unknown, 0, ""),
    ("Quentin", "Lefèvre", "Payroll", "HQ 2F", "2120", LampState::Available, 0, ""),
    ("Rosa", "Silva", "Canteen", "HQ 0F", "2121", LampState::Available, 0, ""),
];

fn lamps() -> Vec<Arc<LampView>> {
    let lit = STAFF.iter().filter(|line| !line.4.is_empty());
    let lamp = |line: &StaffLine| LampView {
        number: line.4.into(),
        state: line.5,
        calls: line.6,
        peer: Some(line.7.to_owned()).filter(|peer| !peer.is_empty()),
        since_ms: NOW - 60_000,
        rings: None,
        talks: Vec::new(),
    };
    lit.map(|line| Arc::new(lamp(line))).collect()
}

fn staff_rows() -> Vec<ContactRow> {
    let row = |(index, line): (usize, &StaffLine)| ContactRow {
        title: line.2.into(),
        office: line.3.into(),
        company: "Northwind HQ".into(),
        mobile: if index % 5 == 3 { String::new() } else { format!("+49 151 5550 {index:04}") },
        voicemail: if line.4.is_empty() { String::new() } else { format!("*{}", line.4) },
        email: if index % 3 == 2 { String::new() } else { email(line.0, line.1) },
        presence: true,
        alerts: directories::alerts(index),
        xmpp: format!("{}@chat.northwind.example", line.0.to_lowercase()),
        ..contact(index as u64 + 1, 1, line.0, line.1, line.4)
    };
    STAFF.iter().enumerate().map(row).collect()
}

/// "ben.whitaker@northwind.example".
fn email(first: &str, last: &str) -> String {
    let plain =
        |name: &str| name.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect::<String>();
    format!("{}.{}@northwind.example", plain(first), plain(last))
}

fn external_rows() -> Vec<ContactRow> {
    let people = [
        ("Helena", "Brandt", "Brandt Maschinenbau GmbH", "+49 30 5557 0142"),
        ("Nadia", "Okafor", "Okafor & Partners", "+44 20 7946 0991"),
        ("Søren", "Holm", "Holm & Søn A/S", "+45 33 12 45 67"),
        ("Camille", "Durand", "Atelier Lumière", "+33 4 72 00 11 22"),
        ("Aiko", "Tanaka", "Tanaka Optics", "+81 3 5555 0199"),
        ("Luca", "Ferri", "Ferri Logistica", "+39 02 5550 144"),
        ("Ewa", "Nowak", "Nowak Druk", "+48 22 555 01 77"),
        ("", "", "Stadtwerke Neustadt", "+49 30 5557 9000"),
        ("Beatriz", "Campos", "Campos Catering", "+34 91 555 01 23"),
        ("Ian", "McAllister", "McAllister Freight", "+44 131 496 0123"),
    ];
    let row = |(index, person): (usize, &(&str, &str, &str, &str))| ContactRow {
        company: person.2.into(),
        title: if person.0.is_empty() { String::new() } else { "Purchasing".into() },
        web: match index {
            0 => "javascript:alert(1)".into(),
            _ => format!("www.{}.example", person.2.split(' ').next().unwrap_or_default().to_lowercase()),
        },
        ..contact(index as u64 + 1000, 2, person.0, person.1, person.3)
    };
    people.iter().enumerate().map(row).collect()
}

fn supplier_rows() -> Vec<ContactRow> {
    let mut rows: Vec<ContactRow> = external_rows().into_iter().skip(7).collect();
    for row in &mut rows {
        row.id = ContactId(row.id.0 + 1000);
        row.directory = DirectoryId(3);
    }
    rows
}

fn contact(id: u64, directory: u32, first: &str, last: &str, phone: &str) -> ContactRow {
    ContactRow {
        id: ContactId(id),
        directory: DirectoryId(directory),
        last_name: last.into(),
        first_name: first.into(),
        company: String::new(),
        office: String::new(),
        department: String::new(),
        title: String::new(),
        phone: phone.into(),
        mobile: String::new(),
        home: String::new(),
        voicemail: String::new(),
        email: String::new(),
        xmpp: String::new(),
        calendar: String::new(),
        web: String::new(),
        note: String::new(),
        alerts: ipc::AlertSet::default(),
        presence: false,
    }
}
