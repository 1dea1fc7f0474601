//! The operator's line at the top and the bar at the bottom.

use ipc::{Action, AudioState, Availability, Command, HookAction, Registration};
use slint::ComponentHandle;

use super::Desk;
use crate::clock::{WallClock, duration};
use crate::models::drops::rings;
use crate::models::words::{dotted, initials, party_name, tint};
use crate::screen::LinkState;

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
        desk.set_missed(count(counters.missed));
        desk.set_ringing(count(counters.ringing));
        desk.set_held(count(counters.held));
        desk.set_incoming(count(counters.incoming));
        desk.set_outgoing(count(counters.outgoing));
        self.show_party();
    }

    /// Clock, date and talk time; properties that keep their value cost nothing.
    pub(crate) fn run_header_clock(&mut self, now_ms: u64) {
        let desk = self.app.global::<crate::screen::Desk>();
        let wall = WallClock::now();
        desk.set_clock(wall.time.into());
        desk.set_weekday(wall.weekday);
        desk.set_day(wall.day);
        desk.set_month(wall.month);
        if let Some(call) = self.view.talk.and_then(|call| self.call(call)) {
            let since = call.answered_ms.unwrap_or(call.began_ms);
            desk.set_in_call_time(duration(now_ms.saturating_sub(since)).into());
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
        let on = !matches!(self.view.operator.audio, AudioState::Connected { .. });
        self.send(Command::Audio { on });
    }

    /// The handset pill: hangs up when there is a call in the ear, answers when there is none.
    pub(crate) fn hook(&mut self) {
        let action = if self.view.talk.is_some() { HookAction::HangUpActive } else { HookAction::OffHook };
        self.send(Command::Hook { action });
    }

    fn show_party(&mut self) {
        let desk = self.app.global::<crate::screen::Desk>();
        desk.set_can_answer(self.view.incoming.iter().any(rings));
        let Some(call) = self.view.talk.and_then(|call| self.call(call)) else {
            desk.set_in_call(false);
            desk.set_can_digits(false);
            return;
        };
        let party = &call.party;
        let name = party_name(party);
        desk.set_in_call_known(party.name.is_some());
        desk.set_in_call_initials(initials(&name));
        desk.set_in_call_tint(tint(&name));
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
        AudioState::Failed { reason } => (LinkState::Failed, reason),
    }
}
