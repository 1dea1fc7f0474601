//! From the desk to the wire, the sound and the records: what each effect of the switchboard does.

pub(crate) mod parked;

use std::time::{Duration, Instant};

use ipc::{CallRef, Party, TransferId, Volumes};
use media::{Seat, StreamId};
use sip::{AccountId, Diversion, Invite, UserAgent, sdp::LocalMedia};
use switchboard::{Diverted, Effect, EndCause, Input, Tone, TransferResult};
use tracing::{info, warn};

use crate::{
    bridge,
    contacts::Who,
    editing::unix_ms,
    engine::{Engine, Leg},
    intercept::Intercepting,
};

/// What an attended transfer ends with that cannot even be asked for (RFC 3261 section 21.4.26).
const NOT_ACCEPTABLE_HERE: u16 = 488;

impl Engine {
    pub(crate) fn apply(&mut self, now: Instant, effect: Effect) {
        match effect {
            Effect::Ring180 { call } => {
                self.with(call, |agent, leg| agent.ring_with(now, leg.session, leg.local.clone()))
            }
            Effect::Reject { call, code } => {
                self.with(call, |agent, leg| agent.reject(now, leg.session, code))
            }
            Effect::Hold { call } => self.with(call, |agent, leg| agent.hold(now, leg.session)),
            Effect::Retrieve { call } => self.with(call, |agent, leg| agent.retrieve(now, leg.session)),
            Effect::HangUp { call } => self.with(call, |agent, leg| agent.hang_up(now, leg.session)),
            Effect::Answer { call } => self.answer(now, call),
            Effect::Intercept { call, number, line } => self.intercept(now, call, &number, &line),
            Effect::TakeOver { call, number, talk, line } => {
                self.take_over_talk(now, call, &number, talk, &line);
            }
            Effect::Dial { call, number, line } => self.dial(now, call, number, &line),
            Effect::Refer { call, transfer, to } => {
                info!(call = call.0, to, "transfer");
                self.with(call, |agent, leg| agent.refer(now, leg.session, &to));
                self.identify_target(transfer, to);
            }
            Effect::IdentifyTarget { transfer, number } => self.identify_target(transfer, number),
            Effect::ReferToCall { call, to, .. } => self.refer_to_call(now, call, to),
            Effect::GiveUpTransfer { call } => {
                self.with(call, |agent, leg| agent.give_up_transfer(now, leg.session));
            }
            Effect::Redirect { call, to, why } => self.redirect(now, call, &to, why),
            Effect::Announce { call } => self.announce(call),
            Effect::Conference(members) => {
                let seats = members.into_iter();
                let seats: Vec<Seat> =
                    seats.map(|(call, muted)| Seat { stream: StreamId(call.0), muted }).collect();
                self.sound(self.parts.media.conference(&seats));
            }
            Effect::Volumes(volumes) => {
                self.set_volumes(volumes);
                self.parts.records.save_volumes(volumes);
            }
            Effect::SaveService(mode) => self.parts.records.save_service(mode),
            Effect::SaveParked(parked) => {
                let up = now.saturating_duration_since(self.parts.started);
                self.parts.records.save_parked(parked::to_keep(parked, up, unix_ms()));
            }
            Effect::Digits { call, digits } => {
                self.send_digits(now, call, &digits);
            }
            Effect::Mark { call } => self.sound(self.parts.media.mark(StreamId(call.0))),
            Effect::Talk(ear) => {
                self.sound(self.parts.media.listen(bridge::ear(ear)));
                self.tether_ear(now, ear);
            }
            Effect::Ringer(ring) => self.sound(self.parts.media.ring(ring.map(bridge::ring))),
            // Who is waiting cannot be heard over a telephone that speaks with the caller directly.
            Effect::Tone(Some(Tone::CallWaiting)) if self.is_joined() => self.sound(self.parts.media.chime()),
            Effect::Tone(tone) => self.sound(self.parts.media.tone(tone.map(bridge::tone))),
            Effect::Mute(on) => {
                self.sound(self.parts.media.mute_microphone(on));
                self.tether_mute(now, on);
            }
            Effect::Audio(on) => {
                if !self.tap_headset(now, on) {
                    self.sound(self.parts.media.connect_audio(on));
                }
            }
            Effect::Register(on) => self.register_lines(now, on),
            Effect::Log(mut row) => {
                let up = now.saturating_duration_since(self.parts.started);
                row.began_unix_ms = wall_time(row.began_unix_ms, up, unix_ms());
                self.parts.records.log(*row);
            }
            Effect::SavePreferences(preferences) => {
                self.parts.records.save_preferences(self.parts.sign_in.operator_id(), preferences);
            }
            Effect::AskCustomer { call, number, name } => {
                self.parts.customers.ask_customer(call, number, name);
            }
            Effect::LookUpCaller { call, number } => self.parts.customers.look_up(call, number),
            Effect::Chime => self.sound(self.parts.media.chime()),
            Effect::AlertSpent(contact) => self.parts.records.alert_spent(contact),
            Effect::SaveMissed(count) => self.parts.records.save_missed(count),
        }
    }

    /// Registers or unregisters every line.
    pub(crate) fn register_lines(&mut self, now: Instant, on: bool) {
        let mut accounts: Vec<AccountId> = self.parts.lines.iter().map(|&(_, account)| account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        for account in accounts {
            self.parts.agent.register(now, account, on);
        }
    }

    /// Loudness as kept: at the start, and when the operator changes it.
    pub(crate) fn set_volumes(&self, volumes: Volumes) {
        let share = |percent: u8| f32::from(percent.min(100)) / 100.0;
        let media = &self.parts.media;
        self.sound(media.volume(share(volumes.output), share(volumes.input)));
        self.sound(media.ring_volume(share(volumes.ring)));
        self.sound(media.mute_speaker(volumes.output_muted));
    }

    /// Asks the directories who a transfer target is.
    fn identify_target(&self, transfer: TransferId, number: String) {
        let party = Party { number: Some(number), ..Party::default() };
        self.parts.contacts.identify(Who::Target(transfer), party);
    }

    /// Attended transfer. What the agent refuses at once is the transfer's end.
    fn refer_to_call(&mut self, now: Instant, call: CallRef, to: CallRef) {
        let session = |call| self.legs.by_call.get(&call).map(|leg| leg.session);
        let (Some(transferee), Some(consultation)) = (session(call), session(to)) else { return };
        info!(call = call.0, to = to.0, "attended transfer");
        if let Err(error) = self.parts.agent.refer_attended(now, transferee, consultation) {
            warn!(call = call.0, %error, "attended transfer not possible");
            let result = TransferResult::Refused { code: NOT_ACCEPTABLE_HERE };
            self.parts.board.handle(now, Input::TransferEnded { call, result });
        }
    }

    /// Sends a call on that was not answered. Where that cannot be done it rings on.
    fn redirect(&mut self, now: Instant, call: CallRef, to: &str, why: Diverted) {
        let Some(leg) = self.legs.by_call.get(&call) else { return };
        info!(call = call.0, to, ?why, "call sent on");
        let diversion = Diversion { party: leg.line.clone(), reason: bridge::diverted(why), privacy: None };
        // A line that has no number is called by a stranger at our address: nothing to tell the target.
        let diversion = (!leg.line.is_empty()).then_some(&diversion);
        if let Err(error) = self.parts.agent.redirect(now, leg.session, to, diversion) {
            warn!(call = call.0, %error, "call could not be sent on");
            let code = bridge::not_sent_on(&error);
            self.parts.board.handle(now, Input::RedirectFailed { call, code });
        }
    }

    fn announce(&self, call: CallRef) {
        if let Some(message) = &self.parts.announcement {
            self.sound(self.parts.media.announce(StreamId(call.0), message.clone()));
        }
    }

    fn with(&mut self, call: CallRef, act: impl FnOnce(&mut UserAgent, &Leg)) {
        if let Some(leg) = self.legs.by_call.get(&call) {
            act(&mut self.parts.agent, leg);
        }
    }

    /// With the sound where the peer takes telephone events (RFC 4733), else each in an INFO.
    fn send_digits(&mut self, now: Instant, call: CallRef, digits: &str) {
        let leg = self.legs.by_call.get(&call);
        let media = leg.and_then(|leg| self.parts.agent.media(leg.session));
        if media.is_some_and(|media| media.dtmf_payload_type.is_none()) {
            return self.with(call, |agent, leg| agent.digits(now, leg.session, digits));
        }
        self.sound(self.parts.media.digits(StreamId(call.0), digits));
        self.tether_digits(now, call, digits.len());
    }

    fn answer(&mut self, now: Instant, call: CallRef) {
        let Some(leg) = self.legs.by_call.get(&call) else { return };
        self.parts.agent.accept(now, leg.session, leg.local.clone());
        self.connect_answered(call);
    }

    fn dial(&mut self, now: Instant, call: CallRef, number: String, line: &str) {
        info!(call = call.0, to = number, line, "outgoing call");
        let Some((account, local)) = self.prepare(now, call, line) else { return };
        let invite = Invite::new(account, number.as_str(), local);
        if self.place(now, call, invite, Some(number.clone()), line, None) {
            self.identify_call(call, Party { number: Some(number), ..Party::default() });
        }
    }

    /// The account of a line and an RTP port for a call to be placed; without either the call ends.
    pub(crate) fn prepare(
        &mut self,
        now: Instant,
        call: CallRef,
        line: &str,
    ) -> Option<(AccountId, LocalMedia)> {
        let lines = &self.parts.lines;
        let Some(&(_, account)) = lines.iter().find(|(of, _)| of == line).or(lines.first()) else {
            self.not_dialled(now, call, 0, "no line is set up".into());
            return None;
        };
        match self.open_stream(StreamId(call.0), self.parts.agent.media_ip(account), Some(account)) {
            Ok(ports) => Some((account, self.local_media(Some(account), ports))),
            Err(error) => {
                self.not_dialled(now, call, 0, error.to_string());
                None
            }
        }
    }

    /// Sends the INVITE of a call whose RTP port is open; `number` is whom it calls. `false`: the call has
    /// ended.
    pub(crate) fn place(
        &mut self,
        now: Instant,
        call: CallRef,
        invite: Invite,
        number: Option<String>,
        line: &str,
        intercept: Option<Intercepting>,
    ) -> bool {
        let (local, account) = (invite.media.clone(), invite.account);
        match self.parts.agent.invite(now, invite) {
            Ok(session) => {
                self.parts.trace.name(call, self.parts.agent.call_id(session));
                let line = line.to_owned();
                self.legs.insert(
                    call,
                    Leg { session, account, number, line, local, agreed: None, intercept, came_in: false },
                );
                true
            }
            Err(error) => {
                self.sound(self.parts.media.close(StreamId(call.0)));
                self.not_dialled(now, call, 0, error.to_string());
                false
            }
        }
    }

    /// Asks the directories who the other end of a call is.
    pub(crate) fn identify_call(&self, call: CallRef, party: Party) {
        self.parts.contacts.identify(Who::Call(call), party);
    }

    pub(crate) fn not_dialled(&mut self, now: Instant, call: CallRef, code: u16, reason: String) {
        warn!(call = call.0, reason, "call not placed");
        let cause = EndCause { by_remote: false, code, reason, elsewhere: false };
        self.parts.board.handle(now, Input::Ended { call, cause });
    }
}

/// When something began, in Unix milliseconds: it is known in milliseconds since the desk started, which was `up` ago. By
/// the clock as it is now, not as it was at the start: a box without a battery starts at the last known time, and only
/// learns a moment later what time it is.
fn wall_time(began_ms: i64, up: Duration, now_unix_ms: i64) -> i64 {
    let up_ms = i64::try_from(up.as_millis()).unwrap_or(i64::MAX);
    now_unix_ms.saturating_sub(up_ms).saturating_add(began_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_1_a_call_is_dated_by_the_clock_that_was_set_right_after_the_start() {
        // It began 20 s after the start and is logged at 60 s; meanwhile the clock went from the last year to today.
        let today = 1_800_000_060_000;
        assert_eq!(wall_time(20_000, Duration::from_secs(60), today), 1_800_000_020_000);
        assert_eq!(wall_time(0, Duration::MAX, 5), 5 - i64::MAX);
    }
}
