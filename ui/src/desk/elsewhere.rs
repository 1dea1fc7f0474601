//! People of sources that are asked while somebody types (DIR-7), below the hits of the search over all directories.
//!
//! They have an area of their own, which is there as long as there is such a source: an answer that comes late moves
//! nothing. In the count of the keyboard they follow the last hit.

use std::rc::Rc;
use std::time::Duration;

use ipc::{AlertSet, ContactId, ContactRow, DirectoryId, FoundPerson, Query};
use slint::{ComponentHandle, ModelRc, Timer, TimerMode, VecModel};

use super::Desk;
use super::menu::{At, Choice, Row, entry};
use crate::models::contacts;
use crate::models::words::{digits, initials, tint};
use crate::offers::{Offer, Place};
use crate::screen::{self, ElsewhereState, FoundRow, MenuWord};

/// How long nobody has typed before the sources are asked.
const PAUSE: Duration = Duration::from_millis(300);
/// Fewer letters mean too many people.
const LETTERS: usize = 3;
/// Hits that are looked through for somebody who is in a directory of the desk as well.
const COMPARED: usize = 100;

/// State of the area.
#[derive(Default)]
pub(super) struct Elsewhere {
    wait: Timer,
    asked: Option<u64>,
    people: Vec<FoundPerson>,
}

// The question and its answer.
impl Desk {
    /// The words are others: whoever was found for those before goes, and the sources are asked soon.
    pub(super) fn look_elsewhere(&mut self) {
        self.forget_elsewhere();
        if !self.view.crm.people {
            return;
        }
        if self.finder.query.chars().count() < LETTERS {
            return self.show_elsewhere(ElsewhereState::Short);
        }
        self.show_elsewhere(ElsewhereState::Searching);
        let app = self.app.as_weak();
        self.finder.elsewhere.wait.start(TimerMode::SingleShot, PAUSE, move || {
            if let Some(app) = app.upgrade() {
                app.global::<screen::Finder>().invoke_ask_elsewhere();
            }
        });
    }

    /// Nobody is typing any more.
    pub(crate) fn ask_elsewhere(&mut self) {
        self.finder.elsewhere.wait.stop();
        if self.view.crm.people && self.finder.query.chars().count() >= LETTERS {
            let text = self.finder.query.chars().take(100).collect();
            self.finder.elsewhere.asked = self.outbox.query(Query::People { text }).ok();
        }
    }

    /// Nobody is found, and no answer is waited for.
    pub(super) fn forget_elsewhere(&mut self) {
        let elsewhere = &mut self.finder.elsewhere;
        elsewhere.wait.stop();
        elsewhere.asked = None;
        elsewhere.people.clear();
        let total = self.finder.contacts.total();
        self.finder.cursor = self.finder.cursor.filter(|cursor| *cursor < total);
        self.show_elsewhere(ElsewhereState::Short);
    }

    /// The sources have answered; for words that are no longer there, nothing happens.
    pub(crate) fn people_arrived(&mut self, seq: u64, people: Vec<FoundPerson>) {
        if self.finder.elsewhere.asked.take_if(|asked| *asked == seq).is_none() {
            return;
        }
        let here = self.finder.contacts.total().min(COMPARED);
        let here: Vec<_> = (0..here).filter_map(|index| self.finder.contacts.contact(index)).collect();
        let is_new = |person: &FoundPerson| !here.iter().any(|contact| is_the_same(contact, person));
        self.finder.elsewhere.people = people.into_iter().filter(is_new).collect();
        let nobody = self.finder.elsewhere.people.is_empty();
        self.show_elsewhere(if nobody { ElsewhereState::None } else { ElsewhereState::Hits });
        self.show_finder();
    }

    /// The desk could not ask.
    pub(crate) fn people_failed(&mut self, seq: u64, reason: &str) -> bool {
        let ours = self.finder.elsewhere.asked == Some(seq);
        if ours {
            tracing::warn!("people could not be looked for elsewhere: {reason}");
            self.people_arrived(seq, Vec::new());
        }
        ours
    }

    fn show_elsewhere(&self, state: ElsewhereState) {
        let finder = self.app.global::<screen::Finder>();
        let rows: Vec<FoundRow> = self.finder.elsewhere.people.iter().map(row).collect();
        finder.set_elsewhere(state);
        finder.set_found(ModelRc::from(Rc::new(VecModel::from(rows))));
    }
}

// Those who were found.
impl Desk {
    /// How many.
    pub(super) fn found_elsewhere(&self) -> usize {
        self.finder.elsewhere.people.len()
    }

    /// Who stands at a place, counted from the first hit of the directories.
    pub(super) fn found_person(&self, index: i32) -> Option<&FoundPerson> {
        let index = usize::try_from(index).ok()?.checked_sub(self.finder.contacts.total())?;
        self.finder.elsewhere.people.get(index)
    }

    /// The telephone of a row, Enter: the first number. `false`: nobody stands there.
    pub(crate) fn call_found(&mut self, index: i32) -> bool {
        let Some(person) = self.found_person(index) else { return false };
        let number = person.numbers.first().map(|(_, number)| number.clone()).unwrap_or_default();
        self.finder.cursor = usize::try_from(index).ok();
        self.call_number(&number);
        self.show_finder();
        true
    }

    /// All numbers, and where calls can be sent to. `false`: nobody stands there.
    pub(super) fn found_menu(&mut self, index: i32, at: At) -> bool {
        let Some(person) = self.found_person(index).cloned() else { return false };
        let mut rows: Vec<Row> = person
            .numbers
            .iter()
            .map(|(kind, number)| (entry(word(kind), number, "", ""), Choice::Call(number.clone())))
            .collect();
        let contact = as_contact(&person);
        let sends = |offer: &Offer| {
            matches!(offer, Offer::Blind { .. } | Offer::Forward { .. } | Offer::Voicemail { .. })
        };
        let offered = self.offers_here(Place::Contact(self.calls.selected), Some(&contact));
        let offered = offered.iter().filter(|offer| sends(offer));
        rows.extend(offered.filter_map(|offer| self.offer_row(offer, Some(&contact), true)));
        self.open_menu(person.name.into(), rows, at);
        true
    }
}

fn word(kind: &str) -> MenuWord {
    match kind {
        "mobile" => MenuWord::CallMobile,
        "home" => MenuWord::CallHome,
        _ => MenuWord::CallPhone,
    }
}

fn row(person: &FoundPerson) -> FoundRow {
    FoundRow {
        name: person.name.as_str().into(),
        detail: person.detail.as_str().into(),
        source: person.source.as_str().into(),
        number: person.numbers.first().map(|(_, number)| number.as_str()).unwrap_or_default().into(),
        initials: initials(&person.name),
        tint: tint(&person.name),
    }
}

/// By name and number: a directory of the desk has them already.
fn is_the_same(contact: &ContactRow, person: &FoundPerson) -> bool {
    let same = |number: &str| {
        let number = digits(number);
        !number.is_empty() && person.numbers.iter().any(|(_, other)| digits(other) == number)
    };
    contacts::name(contact).to_lowercase() == person.name.to_lowercase()
        && [&contact.phone, &contact.mobile, &contact.home].into_iter().any(|number| same(number))
}

/// For the transfers, which are offered to contacts; it is in no directory.
fn as_contact(person: &FoundPerson) -> ContactRow {
    let of = |mobile: bool| {
        let mut numbers = person.numbers.iter().filter(|(kind, _)| (kind == "mobile") == mobile);
        numbers.next().map(|(_, number)| number.clone()).unwrap_or_default()
    };
    let none = String::new;
    ContactRow {
        id: ContactId(0),
        directory: DirectoryId(0),
        last_name: none(),
        first_name: person.name.clone(),
        company: none(),
        office: none(),
        department: none(),
        title: none(),
        phone: of(false),
        mobile: of(true),
        home: none(),
        voicemail: none(),
        email: none(),
        xmpp: none(),
        calendar: none(),
        web: none(),
        note: none(),
        presence: false,
        alerts: AlertSet::default(),
    }
}
