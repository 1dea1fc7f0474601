//! One contact as a tile, a row of the list view or a search hit shows it (DIR-2, DIR-5, DIR-7), with what
//! its phone and its person do (PRE-1, PRE-4, PRE-5).

use std::collections::HashMap;
use std::sync::Arc;

use ipc::{
    AlertSet, Column, ContactRow, Direction, DirectoryId, DirectoryLook, LampCall, LampState, LampView,
    Layout, NameOrder, OnlineState, PersonView,
};
use slint::SharedString;

use crate::faces::{Faces, Place};
use crate::models::cards::lamp_kind;
use crate::models::words::{digits, dotted, initials, party_name, tint};
use crate::screen::{Lamp, LampKind, PersonState, TalkWay, Tile};

/// How contacts are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// One below the other instead of tiles.
    pub(crate) list: bool,
    /// How names are put together.
    pub(crate) names: NameOrder,
    /// What stands beside the name.
    pub(crate) cells: Cells,
}

/// What stands beside the name of a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cells {
    /// Nothing: a tile has its own places.
    #[default]
    None,
    /// These columns.
    Columns(Vec<Column>),
    /// The name of its directory.
    Directory(HashMap<DirectoryId, String>),
}

impl From<&DirectoryLook> for Shape {
    fn from(look: &DirectoryLook) -> Self {
        let list = look.layout == Layout::List;
        let cells = if list { Cells::Columns(look.columns.clone()) } else { Cells::None };
        Self { list, names: look.names, cells }
    }
}

/// What phones and people do now.
#[derive(Debug, Default)]
pub(crate) struct Doings {
    lamps: HashMap<String, Arc<LampView>>,
    people: HashMap<String, PersonView>,
    /// Digits of the number the operator talks to.
    talking_to: String,
}

impl Doings {
    /// `vouched`: the desk is there; without it nothing is known of anybody.
    pub(crate) fn new(
        lamps: &[Arc<LampView>],
        people: &[PersonView],
        talking_to: &str,
        vouched: bool,
    ) -> Self {
        let lamp = |lamp: &Arc<LampView>| {
            let shown = match vouched {
                true => Arc::clone(lamp),
                false => Arc::new(LampView { state: LampState::Unknown, ..(**lamp).clone() }),
            };
            (digits(&lamp.number), shown)
        };
        let person = |person: &PersonView| {
            let known = PersonView { address: person.address.trim().to_owned(), ..person.clone() };
            let blank = PersonView { state: OnlineState::Unknown, text: String::new(), ..known.clone() };
            (known.address.clone(), if vouched { known } else { blank })
        };
        Self {
            lamps: lamps.iter().map(lamp).collect(),
            people: people.iter().map(person).collect(),
            talking_to: if vouched { digits(talking_to) } else { String::new() },
        }
    }

    /// The monitored phone of a contact.
    pub(crate) fn phone(&self, contact: &ContactRow) -> Option<&LampView> {
        self.lamps.get(&digits(&contact.phone)).map(|lamp| &**lamp).filter(|_| contact.presence)
    }

    /// What the phone and the person of a contact do.
    pub(crate) fn lamp(&self, contact: &ContactRow) -> Lamp {
        let (person, person_text) = self.person(contact);
        let number = SharedString::from(contact.phone.as_str());
        let key = digits(&contact.phone);
        let blank = Lamp { number, person, person_text, ..Lamp::default() };
        if !contact.presence || key.is_empty() {
            return Lamp { kind: LampKind::None, ..blank };
        }
        let Some(view) = self.lamps.get(&key) else {
            return Lamp { kind: LampKind::Unknown, ..blank };
        };
        let kind = lamp_kind(view.state);
        // What a phone does that nobody vouches for is not told either.
        if kind == LampKind::Unknown {
            return Lamp { kind, ..blank };
        }
        let first = view.talks.first();
        let named = first.map(|talk| party_name(&talk.party)).filter(|name| !name.is_empty());
        Lamp {
            kind,
            calls: i32::from(view.calls),
            peer: named.unwrap_or_else(|| view.peer.as_deref().unwrap_or_default().into()),
            way: first.map(way).unwrap_or_default(),
            with_us: kind == LampKind::Busy && key == self.talking_to,
            ..blank
        }
    }

    fn person(&self, contact: &ContactRow) -> (PersonState, SharedString) {
        let address = contact.xmpp.trim();
        if address.is_empty() {
            return (PersonState::None, SharedString::default());
        }
        match self.people.get(address) {
            None => (PersonState::Unknown, SharedString::default()),
            Some(person) => (state(person.state), person.text.trim().into()),
        }
    }
}

/// Who called whom, as the phone sees it.
pub(crate) fn way(talk: &LampCall) -> TalkWay {
    match talk.direction {
        None => TalkWay::Unknown,
        Some(Direction::Incoming) => TalkWay::Incoming,
        Some(Direction::Outgoing) => TalkWay::Outgoing,
    }
}

fn state(state: OnlineState) -> PersonState {
    match state {
        OnlineState::Unknown => PersonState::Unknown,
        OnlineState::Online => PersonState::Online,
        OnlineState::Away => PersonState::Away,
        OnlineState::Offline => PersonState::Offline,
    }
}

/// The name, the first name first.
pub(crate) fn name(contact: &ContactRow) -> String {
    named(contact, NameOrder::FirstLast)
}

/// The name in an order; who has none is called as their company, else as their number.
pub(crate) fn named(contact: &ContactRow, order: NameOrder) -> String {
    let (first, last) = (contact.first_name.trim(), contact.last_name.trim());
    let name = match order {
        NameOrder::FirstLast => format!("{first} {last}"),
        NameOrder::LastFirst => format!("{last} {first}"),
    };
    let fallbacks = [name.trim(), contact.company.trim(), contact.phone.trim(), contact.email.trim()];
    fallbacks.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}

/// The second line of a tile: what a receptionist asks first.
pub(crate) fn detail(contact: &ContactRow, local: bool) -> SharedString {
    let role = if contact.title.is_empty() { &contact.department } else { &contact.title };
    let place = if local { &contact.office } else { &contact.company };
    dotted([role.as_str(), place.as_str()])
}

/// The part of a contact that seldom changes.
pub(crate) fn tile(contact: &ContactRow, local: bool, names: NameOrder, faces: &Faces) -> Tile {
    // Initials and colour do not change with the order of the names.
    let usual = name(contact);
    Tile {
        empty: false,
        loading: false,
        initials: initials(&usual),
        tint: tint(&usual),
        picture: faces.of(Some(contact.id), Place::Tile),
        detail: detail(contact, local),
        phone: contact.phone.as_str().into(),
        mobile: !contact.mobile.is_empty(),
        home: !contact.home.is_empty(),
        voicemail: !contact.voicemail.is_empty(),
        mail: !contact.email.trim().is_empty(),
        web: !contact.web.trim().is_empty(),
        alert: tells(contact.alerts),
        name: named(contact, names).into(),
    }
}

/// The texts beside the name.
pub(crate) fn cells(contact: Option<&ContactRow>, shape: &Shape) -> Vec<SharedString> {
    match &shape.cells {
        Cells::None => Vec::new(),
        Cells::Columns(columns) => {
            let text = |column| contact.map(|contact| column_text(contact, column)).unwrap_or_default();
            columns.iter().map(|column| text(*column)).collect()
        }
        Cells::Directory(names) => {
            let name = contact.and_then(|contact| names.get(&contact.directory));
            vec![name.map(|name| name.as_str().into()).unwrap_or_default()]
        }
    }
}

fn column_text(contact: &ContactRow, column: Column) -> SharedString {
    let text = match column {
        Column::Company => &contact.company,
        Column::Office => &contact.office,
        Column::Department => &contact.department,
        Column::Title => &contact.title,
        Column::Phone => &contact.phone,
        Column::Mobile => &contact.mobile,
        Column::Home => &contact.home,
        Column::Voicemail => &contact.voicemail,
        Column::Email => &contact.email,
        Column::Web => &contact.web,
        // A row has one line.
        Column::Note => return contact.note.split_whitespace().collect::<Vec<_>>().join(" ").into(),
    };
    text.as_str().into()
}

/// The operator wants to be told something.
fn tells(alerts: AlertSet) -> bool {
    let AlertSet { available, ringing, busy, do_not_disturb, online, offline, sound: _, once: _ } = alerts;
    available || ringing || busy || do_not_disturb || online || offline
}
