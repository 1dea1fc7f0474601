//! What belongs to the desk and not to a call: lines, lamps, sound device, directories,
//! preferences, counters and notices.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ipc::{
    AudioState, Availability, CrmView, DirectoryId, DirectoryView, ImportView, LampState, LampView, LineView,
    Notice, NoticeId, NoticeKind, OnlineState, PersonView, Preferences, Registration, RemovalId, UpdateNews,
    UpdateNotice, Volumes,
};

use crate::call::{Call, Ms};
use crate::number;
use crate::switchboard::Switchboard;
use crate::{Effect, Settings};

/// Most notices kept; the oldest give way.
const MAX_NOTICES: usize = 32;

/// How long the undo of a removal is offered, and an import is told.
const FLEETING_MS: Ms = 60_000;

#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) lines: Vec<LineView>,
    /// Who is signed in.
    pub(crate) operator: Option<String>,
    pub(crate) availability: Availability,
    pub(crate) audio: AudioState,
    pub(crate) muted: bool,
    pub(crate) lamps: BTreeMap<String, Arc<LampView>>,
    pub(crate) people: BTreeMap<String, PersonView>,
    pub(crate) import: Option<ImportView>,
    pub(crate) directories: Vec<DirectoryView>,
    pub(crate) front: Option<DirectoryId>,
    pub(crate) preferences: Preferences,
    pub(crate) voicemail: u32,
    pub(crate) mailbox: Option<String>,
    pub(crate) missed: u32,
    pub(crate) volumes: Volumes,
    /// What the connectors to customer databases offer.
    pub(crate) crm: CrmView,
}

#[derive(Debug, Default)]
pub(crate) struct Notices {
    pub(crate) list: VecDeque<Notice>,
    last: u64,
}

impl Notices {
    pub(crate) fn deadline(&self) -> Option<Ms> {
        self.list.iter().filter_map(leaves_at).min()
    }
}

/// When a notice leaves by itself; `None`: it waits for the operator.
fn leaves_at(notice: &Notice) -> Option<Ms> {
    let fleeting = matches!(notice.kind, NoticeKind::Removed { .. } | NoticeKind::Imported { .. });
    fleeting.then(|| notice.since_ms.saturating_add(FLEETING_MS))
}

impl Desk {
    pub(crate) fn new(settings: &Settings) -> Self {
        let line = |l: &crate::Line| LineView {
            number: l.number.clone(),
            name: l.name.clone(),
            registration: Registration::Off,
            note: l.note.clone(),
            colour: l.colour,
        };
        Self {
            lines: settings.lines.iter().map(line).collect(),
            operator: None,
            availability: Availability::Available,
            audio: AudioState::Disconnected,
            muted: false,
            lamps: BTreeMap::new(),
            people: BTreeMap::new(),
            import: None,
            directories: settings.directories.clone(),
            front: None,
            preferences: settings.preferences.clone(),
            voicemail: 0,
            mailbox: None,
            missed: settings.missed,
            volumes: clamped(settings.volumes),
            crm: CrmView::default(),
        }
    }

    /// The worst state among the lines; a desk without lines is off.
    pub(crate) fn worst_registration(&self) -> Registration {
        let badness = |r: &Registration| match r {
            Registration::Failed { .. } => 3,
            Registration::Registering => 2,
            Registration::Off => 1,
            Registration::Registered => 0,
        };
        let states = self.lines.iter().map(|l| &l.registration);
        states.max_by_key(|r| badness(r)).cloned().unwrap_or_default()
    }
}

impl Switchboard {
    pub(crate) fn registration(&mut self, line: &str, state: Registration) {
        for known in self.desk.lines.iter_mut().filter(|l| l.number == line) {
            known.registration = state.clone();
        }
        self.touch();
    }

    /// News of a lamp; `since_ms` is when it came, and what rings there is said by [`crate::Input::Rings`].
    pub(crate) fn lamp(&mut self, now: Ms, mut lamp: LampView) {
        let before = self.desk.lamps.get(&lamp.number);
        let was = before.map(|l| l.state);
        if let Some(before) = before {
            if before.state == lamp.state {
                lamp.since_ms = before.since_ms;
            }
            if matches!(lamp.state, LampState::Ringing | LampState::Busy) {
                lamp.rings.clone_from(&before.rings);
            }
        }
        if before.is_none_or(|before| **before != lamp) {
            self.slot_lamp(now, &lamp.number, lamp.state);
            self.alert_lamp(now, &lamp.number, was, lamp.state);
            self.desk.lamps.insert(lamp.number.clone(), Arc::new(lamp));
            self.touch();
        }
    }

    pub(crate) fn lamp_gone(&mut self, number: &str) {
        if self.desk.lamps.remove(number).is_some() {
            self.touch();
        }
    }

    /// Whether a person is online (PRE-5).
    pub(crate) fn person(&mut self, now: Ms, address: String, state: OnlineState, text: String) {
        let before = self.desk.people.get(&address);
        let was = before.map(|person| person.state);
        let since_ms = before.filter(|person| person.state == state).map_or(now, |person| person.since_ms);
        let person = PersonView { address: address.clone(), state, text, since_ms };
        if before != Some(&person) {
            self.alert_person(now, &address, was, state);
            self.desk.people.insert(address, person);
            self.touch();
        }
    }

    pub(crate) fn person_gone(&mut self, address: &str) {
        if self.desk.people.remove(address).is_some() {
            self.touch();
        }
    }

    pub(crate) fn import(&mut self, import: Option<ImportView>) {
        if self.desk.import != import {
            self.desk.import = import;
            self.touch();
        }
    }

    pub(crate) fn restored(&mut self, undone: RemovalId) {
        self.withdraw(|kind| matches!(kind, NoticeKind::Removed { removal, .. } if *removal == undone));
    }

    pub(crate) fn audio(&mut self, now: Ms, state: AudioState) {
        match (&self.desk.audio, &state) {
            (AudioState::Connected { device }, AudioState::Failed { reason }) => {
                let kind = NoticeKind::AudioLost { device: device.clone(), reason: reason.clone() };
                self.notify(now, kind);
            }
            (_, AudioState::PhoneFailed { phone, why }) => {
                // Nobody is there to talk with: who was talking hears music, and not nothing.
                self.free_ear(now);
                self.notify(now, NoticeKind::PhoneFailed { phone: phone.clone(), why: *why });
            }
            (_, AudioState::Connected { .. }) => {
                self.withdraw(|kind| {
                    matches!(kind, NoticeKind::AudioLost { .. } | NoticeKind::PhoneFailed { .. })
                });
            }
            _ => {}
        }
        self.desk.audio = state;
        self.touch();
    }

    /// While a telephone has the place of the other devices, none of them is told of.
    pub(crate) fn ringer_works(&mut self) {
        self.withdraw(|kind| matches!(kind, NoticeKind::AudioLost { .. }));
    }

    pub(crate) fn voicemail(&mut self, unread: u32, mailbox: Option<String>) {
        self.desk.voicemail = unread;
        self.desk.mailbox = mailbox;
        self.touch();
    }

    pub(crate) fn directories(&mut self, directories: Vec<DirectoryView>) {
        self.desk.directories = directories;
        let there = |id: &DirectoryId| self.desk.directories.iter().any(|d| d.id == *id);
        self.desk.front = self.desk.front.filter(there);
        self.touch();
    }

    pub(crate) fn preferences(&mut self, preferences: Preferences) {
        self.desk.preferences = preferences;
        self.touch();
    }

    /// The operator changes the preferences: shown at once, and kept.
    pub(crate) fn choose(&mut self, preferences: Preferences) {
        if self.desk.preferences != preferences {
            self.preferences(preferences.clone());
            self.emit(Effect::SavePreferences(preferences));
        }
    }

    pub(crate) fn missed(&mut self, count: u32) {
        self.desk.missed = count;
        self.touch();
    }

    /// The counter changes here, and is kept.
    pub(crate) fn set_missed(&mut self, count: u32) {
        if self.desk.missed != count {
            self.missed(count);
            self.emit(Effect::SaveMissed(count));
        }
    }

    pub(crate) fn storage_works(&mut self) {
        self.withdraw(|kind| matches!(kind, NoticeKind::StorageFailed { .. }));
    }

    /// What is told of an update takes the place of what was told before; a refusal leaves that of one which is under
    /// way. `None`: what was to come does not come.
    pub(crate) fn update_news(&mut self, now: Ms, notice: Option<UpdateNotice>) {
        let is_refused = |news: &UpdateNews| matches!(news, UpdateNews::Refused { .. });
        self.withdraw(|kind| match (kind, &notice) {
            (NoticeKind::Update(before), None) => before.news == UpdateNews::Taken,
            (NoticeKind::Update(before), Some(after)) => !is_refused(&after.news) || is_refused(&before.news),
            _ => false,
        });
        if let Some(notice) = notice {
            self.notify(now, NoticeKind::Update(notice));
        }
    }

    pub(crate) fn set_mute(&mut self, on: bool) {
        if self.desk.muted != on {
            self.desk.muted = on;
            self.emit(Effect::Mute(on));
            self.touch();
        }
    }

    /// Sets all loudnesses (BAR-2).
    pub(crate) fn set_volumes(&mut self, volumes: Volumes) {
        let volumes = clamped(volumes);
        if self.desk.volumes != volumes {
            self.desk.volumes = volumes;
            self.emit(Effect::Volumes(volumes));
            self.touch();
        }
    }

    pub(crate) fn set_availability(&mut self, availability: Availability) {
        self.desk.availability = availability;
        self.touch();
    }

    /// Brings a directory to the front; `false` when there is none of this id.
    pub(crate) fn show_directory(&mut self, id: DirectoryId) -> bool {
        let there = self.desk.directories.iter().any(|d| d.id == id);
        if there {
            self.desk.front = Some(id);
            self.touch();
        }
        there
    }

    /// Brings the directory linked to a line to the front, if there is one (TEN-2).
    pub(crate) fn front_line(&mut self, line: &str) {
        let linked = self.desk.directories.iter().find(|d| d.line.as_deref() == Some(line));
        if let Some(id) = linked.map(|d| d.id) {
            self.show_directory(id);
        }
    }

    /// Who sits at the desk: whoever is signed in, else the desk's own name.
    pub(crate) fn operator_name(&self) -> &str {
        self.desk.operator.as_deref().unwrap_or(&self.settings.operator_name)
    }

    pub(crate) fn line(&self, number: &str) -> Option<&crate::Line> {
        self.settings.lines.iter().find(|l| l.number == number)
    }

    pub(crate) fn line_name(&self, number: &str) -> String {
        self.line(number).map(|l| l.name.clone()).unwrap_or_default()
    }

    /// The page about a call's other end: the customer's own (CRM-3), else that in the CRM of its line, else of
    /// the house (CRM-1).
    pub(crate) fn crm_page(&self, call: &Call) -> Option<String> {
        if let Some(own) = call.customer.card().and_then(|card| card.url.clone()) {
            return Some(own);
        }
        let own = self.line(&call.line_number).and_then(|line| line.crm.as_ref());
        let address = own.or(self.settings.crm.as_ref())?;
        let number = number::encoded(number::user(call.party.number.as_deref()?));
        Some(address.replace('$', &number))
    }

    /// Tells the operator something. What is said already is not said twice.
    pub(crate) fn notify(&mut self, now: Ms, kind: NoticeKind) {
        self.notices.list.retain(|n| n.kind != kind);
        if self.notices.list.len() >= MAX_NOTICES {
            self.notices.list.pop_front();
        }
        self.notices.last += 1;
        self.notices.list.push_back(Notice { id: NoticeId(self.notices.last), since_ms: now, kind });
        self.touch();
    }

    pub(crate) fn dismiss_notice(&mut self, id: NoticeId) {
        self.notices.list.retain(|n| n.id != id);
        self.touch();
    }

    /// What need not be read leaves by itself.
    pub(crate) fn expire_notices(&mut self, now: Ms) {
        let count = self.notices.list.len();
        self.notices.list.retain(|notice| leaves_at(notice).is_none_or(|at| at > now));
        if self.notices.list.len() != count {
            self.touch();
        }
    }

    fn withdraw(&mut self, settled: impl Fn(&NoticeKind) -> bool) {
        self.notices.list.retain(|n| !settled(&n.kind));
        self.touch();
    }
}

/// Values above 100 percent count as 100.
fn clamped(volumes: Volumes) -> Volumes {
    Volumes {
        output: volumes.output.min(100),
        input: volumes.input.min(100),
        ring: volumes.ring.min(100),
        output_muted: volumes.output_muted,
    }
}
