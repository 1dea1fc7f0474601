//! The operator's line at the top and the bar at the bottom.

use std::rc::Rc;

use ipc::{
    Action, AudioState, Availability, Command, ConferenceMember, ConferenceView, Direction, HookAction,
    ParkSlotView, Registration, Volumes,
};
use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use super::Desk;
use crate::clock::{WallClock, duration};
use crate::faces::Place;
use crate::models::cards::lamp_kind;
use crate::models::drops::rings;
use crate::models::rows;
use crate::models::words::{dotted, initials, party_name, tint};
use crate::screen::{App, LampKind, LinkState, ParkSlot, Party, ServiceMode};

/// Parties of a conference that the header has room for (OPS-1).
const PARTIES: usize = 3;

/// Models of the header and the park strip.
pub(crate) struct Status {
    parties: Rc<VecModel<Party>>,
    park: Rc<VecModel<ParkSlot>>,
    park_times: Rc<VecModel<SharedString>>,
}

impl Status {
    pub(crate) fn new(app: &App) -> Self {
        let this = Self { parties: Rc::default(), park: Rc::default(), park_times: Rc::default() };
        let desk = app.global::<crate::screen::Desk>();
        desk.set_parties(ModelRc::from(this.parties.clone()));
        desk.set_park(ModelRc::from(this.park.clone()));
        desk.set_park_times(ModelRc::from(this.park_times.clone()));
        this
    }
}

impl Desk {
    pub(crate) fn show_status(&mut self) {
        let desk = self.app.global::<crate::screen::Desk>();
        let operator = &self.view.operator;
        desk.set_operator(operator.name.as_str().into());
        desk.set_available(operator.availability == Availability::Available);
        desk.set_muted(operator.muted);
        let (state, reason) = registration(&operator.registration);
        desk.set_registration(if self.connected { state } else { LinkState::Off });
        desk.set_registration_reason(reason.into());
        let (state, device) = audio(&operator.audio);
        desk.set_audio(if self.connected { state } else { LinkState::Off });
        desk.set_audio_device(device.into());
        let counters = self.view.counters;
        let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        desk.set_voicemail(count(counters.voicemail));
        desk.set_can_hear_voicemail(self.connected && self.view.mailbox.is_some());
        desk.set_missed(count(counters.missed));
        desk.set_ringing(count(counters.ringing));
        desk.set_held(count(counters.held));
        desk.set_incoming(count(counters.incoming));
        desk.set_outgoing(count(counters.outgoing));
        desk.set_parked(count(counters.parked));
        self.show_setup();
        desk.set_service(match self.view.service.mode {
            ipc::ServiceMode::Day => ServiceMode::Day,
            ipc::ServiceMode::Night => ServiceMode::Night,
            ipc::ServiceMode::Holiday => ServiceMode::Holiday,
        });
        desk.set_service_by_hand(self.view.service.by_hand);
        let volumes = self.view.volumes;
        desk.set_output(i32::from(volumes.output));
        desk.set_input(i32::from(volumes.input));
        desk.set_ring(i32::from(volumes.ring));
        desk.set_output_muted(volumes.output_muted);
        self.show_talk();
        self.show_park();
    }

    /// Whom the operator talks to (OPS-1).
    pub(crate) fn show_talk(&mut self) {
        self.show_party();
        self.show_parties();
    }

    /// Clock, date and talk time; properties that keep their value cost nothing.
    pub(crate) fn run_header_clock(&mut self, now_ms: u64) {
        let desk = self.app.global::<crate::screen::Desk>();
        let wall = WallClock::now();
        desk.set_clock(wall.time.into());
        desk.set_weekday(wall.weekday);
        desk.set_day(wall.day);
        desk.set_month(wall.month);
        let talk = self.view.talk.and_then(|call| self.call(call));
        let since = match self.conference() {
            Some(conference) => Some(conference.since_ms),
            None => talk.map(|call| call.answered_ms.unwrap_or(call.began_ms)),
        };
        if let Some(since) = since {
            desk.set_in_call_time(duration(now_ms.saturating_sub(since)).into());
        }
        let time = |slot: &ParkSlotView| match &slot.parked {
            Some(parked) => duration(now_ms.saturating_sub(parked.since_ms)).into(),
            None => SharedString::default(),
        };
        let times: Vec<SharedString> = self.view.park.iter().map(time).collect();
        rows::replace(&self.status.park_times, &times);
    }

    /// Fetches the call from a slot (CALL-14).
    pub(crate) fn unpark(&mut self, slot: &str) {
        self.send(Command::Unpark { slot: slot.to_owned() });
    }

    /// The window with the loudnesses (BAR-2).
    pub(crate) fn open_volumes(&mut self, on: bool) {
        self.app.global::<crate::screen::Desk>().set_volumes_open(on);
    }

    /// One loudness changes, the others are sent as they are. It is shown at once, so that a slider
    /// does not jump back; the next view says what became of it.
    pub(crate) fn set_volumes(&mut self, change: impl FnOnce(&mut Volumes)) {
        change(&mut self.view.volumes);
        self.show_status();
        self.send(Command::SetVolumes { volumes: self.view.volumes });
    }

    /// How the administrator's page is opened for the first time, while nobody has (APP-2).
    fn show_setup(&self) {
        let desk = self.app.global::<crate::screen::Desk>();
        let setup = self.view.setup.as_ref().filter(|_| self.connected);
        // In two groups of four: eight digits in a row are lost on the way to a keyboard.
        let code = setup.map_or_else(String::new, |setup| match setup.code.split_at_checked(4) {
            Some((first, rest)) => format!("{first} {rest}"),
            None => setup.code.clone(),
        });
        desk.set_setup_code(code.into());
        desk.set_setup_address(setup.map_or("", |setup| setup.address.as_str()).into());
    }

    /// Calls the mailbox (BAR-1).
    pub(crate) fn call_voicemail(&mut self) {
        if let Some(number) = self.view.mailbox.clone() {
            self.call_out(&number);
        }
    }

    pub(crate) fn set_available(&mut self, on: bool) {
        let availability = if on { Availability::Available } else { Availability::DoNotDisturb };
        self.send(Command::SetAvailability { availability });
    }

    pub(crate) fn toggle_registration(&mut self) {
        let on = matches!(self.view.operator.registration, Registration::Off | Registration::Failed { .. });
        self.send(Command::Register { on });
    }

    pub(crate) fn toggle_audio(&mut self) {
        let audio = &self.view.operator.audio;
        let on = !matches!(audio, AudioState::Connected { .. } | AudioState::Connecting { .. });
        self.send(Command::Audio { on });
    }

    /// The handset pill: hangs up when there is a call or the conference in the ear, answers when there is
    /// none.
    pub(crate) fn hook(&mut self) {
        let action = if self.is_talking() { HookAction::HangUpActive } else { HookAction::OffHook };
        self.send(Command::Hook { action });
    }

    /// A call or the conference has the operator's ear.
    pub(crate) fn is_talking(&self) -> bool {
        self.view.talk.is_some() || self.conference().is_some()
    }

    /// The conference that has the operator's ear.
    fn conference(&self) -> Option<&ConferenceView> {
        self.view.conference.as_ref().filter(|conference| conference.joined)
    }

    /// Up to three of the conference (OPS-1); who speaks and does not fit takes the last place.
    fn show_parties(&mut self) {
        let members = self.conference().map(|conference| conference.members.clone()).unwrap_or_default();
        let mut shown: Vec<ConferenceMember> = members.iter().take(PARTIES).copied().collect();
        if let (Some(last), Some(speaker)) =
            (shown.last_mut(), members.iter().skip(PARTIES).find(|member| member.speaking))
            && !members.iter().take(PARTIES).any(|member| member.speaking)
        {
            *last = *speaker;
        }
        let parties: Vec<Party> = shown
            .iter()
            .filter_map(|member| {
                let party = &self.call(member.call)?.party;
                let name = party_name(party);
                Some(Party {
                    initials: initials(&name),
                    tint: tint(&name),
                    picture: self.faces.of(party.contact, Place::Party),
                    name: party.name.as_deref().unwrap_or_default().into(),
                    number: party.number.as_deref().unwrap_or_default().into(),
                    muted: member.muted,
                    speaking: member.speaking,
                })
            })
            .collect();
        let desk = self.app.global::<crate::screen::Desk>();
        desk.set_more_parties(i32::try_from(members.len() - shown.len()).unwrap_or(0));
        rows::replace(&self.status.parties, &parties);
    }

    fn show_park(&mut self) {
        let live = self.connected;
        let slot = |slot: &ParkSlotView| {
            let parked = slot.parked.as_ref();
            ParkSlot {
                number: slot.number.as_str().into(),
                name: slot.name.as_str().into(),
                lamp: if live { lamp_kind(slot.state) } else { LampKind::Unknown },
                parked: parked.is_some(),
                who: parked.map(|parked| party_name(&parked.who)).unwrap_or_default(),
                by: parked.map(|parked| parked.by.as_str().into()).unwrap_or_default(),
                overdue: parked.is_some_and(|parked| parked.overdue),
            }
        };
        let slots: Vec<ParkSlot> = self.view.park.iter().map(slot).collect();
        rows::replace(&self.status.park, &slots);
    }

    fn show_party(&mut self) {
        let desk = self.app.global::<crate::screen::Desk>();
        desk.set_can_answer(self.view.incoming.iter().any(rings));
        let Some(call) = self.view.talk.and_then(|call| self.call(call)) else {
            // The conference has the ear, and no single call (OPS-3).
            desk.set_in_call(self.conference().is_some());
            desk.set_in_call_note(SharedString::default());
            desk.set_in_call_encrypted(false);
            desk.set_can_digits(false);
            return;
        };
        let line = self.view.lines.iter().find(|line| line.number == call.line_number);
        let greeted = line.filter(|_| call.direction == Direction::Incoming);
        desk.set_in_call_note(greeted.map(|line| line.note.as_str().into()).unwrap_or_default());
        desk.set_in_call_colour(greeted.and_then(|line| line.colour).map_or(-1, i32::from));
        desk.set_in_call_encrypted(call.encrypted);
        let party = &call.party;
        let name = party_name(party);
        desk.set_in_call_known(party.name.is_some());
        desk.set_in_call_initials(initials(&name));
        desk.set_in_call_tint(tint(&name));
        desk.set_in_call_picture(self.faces.of(party.contact, Place::Header));
        let number = party.number.as_deref().filter(|_| party.name.is_some()).unwrap_or_default();
        let (title, company) = (party.title.as_deref(), party.company.as_deref());
        desk.set_in_call_detail(dotted([title.unwrap_or_default(), company.unwrap_or_default(), number]));
        desk.set_in_call_name(name);
        desk.set_can_digits(self.connected && call.actions.contains(&Action::Digits));
        desk.set_in_call(true);
    }
}

fn registration(state: &Registration) -> (LinkState, &str) {
    match state {
        Registration::Off => (LinkState::Off, ""),
        Registration::Registering => (LinkState::Busy, ""),
        Registration::Registered => (LinkState::Good, ""),
        Registration::Failed { reason } => (LinkState::Failed, reason),
    }
}

fn audio(state: &AudioState) -> (LinkState, &str) {
    match state {
        AudioState::Disconnected => (LinkState::Off, ""),
        AudioState::Connected { device } => (LinkState::Good, device),
        AudioState::Connecting { device } => (LinkState::Busy, device),
        AudioState::Failed { reason } => (LinkState::Failed, reason),
        AudioState::PhoneFailed { phone, .. } => (LinkState::Failed, phone),
    }
}
