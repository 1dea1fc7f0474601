//! What belongs to the desk and not to a call: lines, lamps, sound device, directories,
//! preferences, counters and notices.

use std::collections::{BTreeMap, VecDeque};

use ipc::{
    AudioState, Availability, DirectoryId, DirectoryView, LampState, LampView, LineView, Notice, NoticeId,
    NoticeKind, Preferences, Registration, Volumes,
};

use crate::call::{Call, Ms};
use crate::number;
use crate::switchboard::Switchboard;
use crate::{Effect, Settings};

/// Most notices kept; the oldest give way.
const MAX_NOTICES: usize = 32;

#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) lines: Vec<LineView>,
    pub(crate) availability: Availability,
    pub(crate) audio: AudioState,
    pub(crate) muted: bool,
    pub(crate) lamps: BTreeMap<String, LampView>,
    pub(crate) directories: Vec<DirectoryView>,
    pub(crate) front: Option<DirectoryId>,
    pub(crate) preferences: Preferences,
    pub(crate) voicemail: u32,
    pub(crate) mailbox: Option<String>,
    pub(crate) missed: u32,
    pub(crate) volumes: Volumes,
}

#[derive(Debug, Default)]
pub(crate) struct Notices {
    pub(crate) list: VecDeque<Notice>,
    last: u64,
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
            availability: Availability::Available,
            audio: AudioState::Disconnected,
            muted: false,
            lamps: BTreeMap::new(),
            directories: settings.directories.clone(),
            front: None,
            preferences: settings.preferences,
            voicemail: 0,
            mailbox: None,
            missed: settings.missed,
            volumes: clamped(settings.volumes),
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

    pub(crate) fn lamp(
        &mut self,
        now: Ms,
        number: String,
        state: LampState,
        calls: u16,
        peer: Option<String>,
    ) {
        let before = self.desk.lamps.get(&number);
        let since_ms = before.filter(|l| l.state == state).map_or(now, |l| l.since_ms);
        let in_use = matches!(state, LampState::Ringing | LampState::Busy);
        let rings = before.filter(|_| in_use).and_then(|l| l.rings.clone());
        let lamp = LampView { number: number.clone(), state, calls, peer, since_ms, rings };
        if before != Some(&lamp) {
            self.slot_lamp(&number, state);
            self.desk.lamps.insert(number, lamp);
            self.touch();
        }
    }

    pub(crate) fn lamp_gone(&mut self, number: &str) {
        if self.desk.lamps.remove(number).is_some() {
            self.touch();
        }
    }

    pub(crate) fn audio(&mut self, now: Ms, state: AudioState) {
        match (&self.desk.audio, &state) {
            (AudioState::Connected { device }, AudioState::Failed { reason }) => {
                let kind = NoticeKind::AudioLost { device: device.clone(), reason: reason.clone() };
                self.notify(now, kind);
            }
            (_, AudioState::Connected { .. }) => {
                self.withdraw(|kind| matches!(kind, NoticeKind::AudioLost { .. }));
            }
            _ => {}
        }
        self.desk.audio = state;
        self.touch();
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
            self.preferences(preferences);
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

    pub(crate) fn line(&self, number: &str) -> Option<&crate::Line> {
        self.settings.lines.iter().find(|l| l.number == number)
    }

    pub(crate) fn line_name(&self, number: &str) -> String {
        self.line(number).map(|l| l.name.clone()).unwrap_or_default()
    }

    /// The page about a call's other end in the CRM of its line, else of the house (CRM-1).
    pub(crate) fn crm_page(&self, call: &Call) -> Option<String> {
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
