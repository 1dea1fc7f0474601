//! The life of a call: it comes in or is placed, is answered, and ends.

use ipc::{
    Availability, CallRef, CallerHistory, CommandError, Direction, EndStatus, LogRow, NoticeKind, Party,
};

use crate::call::{Call, Farewell, Ms, State};
use crate::record;
use crate::switchboard::{Switchboard, span};
use crate::{Effect, EndCause, Tone};

/// SIP status with which new calls are refused: Busy Here, so that the exchange applies its rule
/// for a busy desk (another operator, voicemail). 603 would end the search everywhere.
const BUSY_HERE: u16 = 486;
/// Temporarily Unavailable, while nobody is signed in: what the exchange expects of an agent who is away
/// (RFC 3261 section 21.4.18).
const NOBODY_HERE: u16 = 480;

impl Switchboard {
    pub(crate) fn incoming(
        &mut self,
        now: Ms,
        id: CallRef,
        caller: Party,
        called_number: String,
        diverted_by: Option<Party>,
    ) {
        if !self.admit(id) {
            tracing::warn!(call = id.0, "call reference used twice, ignored");
            return;
        }
        let mut call = Call::new(id, Direction::Incoming, caller, now);
        call.line_name = self.line_name(&called_number);
        call.line_number = called_number;
        call.diverted_by = diverted_by;
        self.receive(now, call);
    }

    /// A call that no rule has taken: rings, unless nobody is signed in, the operator wants no calls or the desk is full.
    pub(crate) fn ring_or_refuse(&mut self, now: Ms, call: Call) {
        if !self.is_somebody_there() {
            self.refuse(now, &call, NOBODY_HERE, EndStatus::Missed);
        } else if self.desk.availability == Availability::DoNotDisturb {
            self.turn_away(now, &call, EndStatus::Rejected);
        } else if self.is_full() {
            self.turn_away(now, &call, EndStatus::Missed);
        } else {
            let id = call.id;
            self.calls.insert(id, call);
            self.emit(Effect::Ring180 { call: id });
            self.ring_began(now);
            self.touch();
        }
    }

    /// There are as many calls as the desk can hold.
    pub(crate) fn is_full(&self) -> bool {
        self.calls.len() >= self.settings.max_calls
    }

    /// Places a call and gives it the ear.
    pub(crate) fn dial(&mut self, now: Ms, number: String, line: usize) -> Result<(), CommandError> {
        if self.is_full() {
            return Err(CommandError::TooManyCalls);
        }
        let party = Party { number: Some(number.clone()), ..Party::default() };
        let mut call = Call::new(self.draw_call(), Direction::Outgoing, party, now);
        call.dialled = Some(number.clone());
        let (call, line) = self.place(now, call, line);
        self.emit(Effect::Dial { call, number, line });
        Ok(())
    }

    /// Puts a call that is about to be placed on the desk and gives it the ear; its reference, and the
    /// line's number.
    pub(crate) fn place(&mut self, now: Ms, mut call: Call, line: usize) -> (CallRef, String) {
        let id = call.id;
        call.line_number.clone_from(&self.settings.lines[line].number);
        call.line_name.clone_from(&self.settings.lines[line].name);
        let line = call.line_number.clone();
        self.calls.insert(id, call);
        self.give_ear(now, id);
        self.touch();
        (id, line)
    }

    pub(crate) fn progress(&mut self, now: Ms, call: CallRef, code: u16, early_media: bool) {
        let Some(entry) = self.calls.get_mut(&call) else { return };
        let state = entry.state();
        if !matches!(state, State::Dialing | State::Alerting) {
            return;
        }
        entry.early_media |= early_media;
        if state == State::Dialing && (180..200).contains(&code) {
            self.enter(now, call, State::Alerting);
        }
    }

    pub(crate) fn answered(&mut self, now: Ms, call: CallRef, by: Option<Party>) {
        let Some(entry) = self.calls.get_mut(&call) else { return };
        if !matches!(entry.state(), State::Dialing | State::Alerting) {
            return;
        }
        // Whose phone it rang on is not who is spoken to.
        let phone = entry.intercepted.as_ref().and_then(|phone| phone.number.as_ref());
        if let Some(by) = by
            && by.number.is_some()
            && by.number != entry.party.number
            && by.number.as_ref() != phone
        {
            entry.party = by;
        }
        self.fetched(call);
        self.established(now, call);
    }

    /// Answers a ringing call. A recall is already answered: it is taken off hold. What a rule is
    /// answering just now gets the ear as soon as it can be spoken on.
    pub(crate) fn answer(&mut self, now: Ms, call: CallRef) {
        let Some(entry) = self.calls.get(&call) else { return };
        let line = entry.line_number.clone();
        match entry.state() {
            State::Recalling => self.retrieve(now, call),
            State::Answering => self.attend(now, call),
            _ => {
                self.give_ear(now, call);
                self.emit(Effect::Answer { call });
                self.enter(now, call, State::Answering);
            }
        }
        self.front_line(&line);
    }

    pub(crate) fn confirmed(&mut self, now: Ms, call: CallRef) {
        let Some(entry) = self.calls.get(&call).filter(|c| c.state() == State::Answering) else { return };
        if entry.unattended {
            self.keep_waiting(now, call);
        } else {
            self.established(now, call);
        }
    }

    pub(crate) fn reject(&mut self, now: Ms, call: CallRef) {
        self.emit(Effect::Reject { call, code: BUSY_HERE });
        self.begin_ending(now, call, Farewell::Rejected);
    }

    /// Ends a call from our side, whatever state it is in.
    pub(crate) fn hang_up(&mut self, now: Ms, call: CallRef, why: Farewell) {
        self.emit(Effect::HangUp { call });
        self.begin_ending(now, call, why);
    }

    pub(crate) fn ended(&mut self, now: Ms, id: CallRef, cause: &EndCause) {
        let Some(state) = self.calls.get(&id).map(Call::state) else { return };
        let had_ear = self.talk == Some(id);
        if had_ear {
            self.talk = None;
        }
        if let State::Target(transfer) = state {
            self.consultation_ends(now, transfer);
        }
        let more_may_come = self.end_transfer_of_gone_call(now, id);
        let Some(mut call) = self.calls.remove(&id) else { return };
        call.times.ended.get_or_insert(now);
        if matches!(state, State::Ringing | State::Recalling) {
            self.stopped_ringing = Some(now);
        }
        self.touch();
        if matches!(state, State::Dialing | State::Alerting) {
            self.fetch_failed(id, cause);
            self.dial_failed(now, &call, cause, had_ear);
        }
        let mut end = record::end_status(&call, state, cause);
        if self.went_with_transfer(&call) {
            end = EndStatus::Transferred;
        }
        let row = record::row(&call, now, end);
        if more_may_come {
            self.keep_for_late_news(now, &call, row);
            return;
        }
        let row = match state {
            State::Target(transfer) => self.keep_consultation(transfer, row),
            _ => Some(row),
        };
        if let Some(row) = row {
            self.log(row);
        }
    }

    /// Of a number that is neither the other end's nor that of the phone it was taken from any more, nothing is taken.
    pub(crate) fn identified(&mut self, call: CallRef, mut party: Party) {
        let is_to_a_slot = self.park.is_fetched_by(call);
        if let Some(entry) = self.calls.get_mut(&call) {
            let same = |known: &Party| known.number == party.number;
            let is_phone = entry.intercepted.as_ref().is_some_and(same);
            let is_party = same(&entry.party);
            if is_phone {
                entry.intercepted = Some(party.clone());
            }
            // A slot has its name from the settings.
            if is_party && is_to_a_slot && party.name.is_none() {
                party.name.clone_from(&entry.party.name);
            }
            if is_party {
                entry.customer.directories_asked(&party);
                self.ledger.rename(call, &party);
                entry.party = party;
            }
            self.touch();
            // Who it is may be what a rule waits for.
            self.apply_due_rules(self.latest());
        }
    }

    /// The other end is somebody else by now: what was known of the one before is not said of this one.
    pub(crate) fn party_changed(&mut self, call: CallRef, party: Party) {
        let Some(entry) = self.calls.get_mut(&call) else { return };
        if matches!(entry.state(), State::Ending { .. }) {
            return;
        }
        tracing::info!(call = call.0, "the other end is somebody else now");
        self.ledger.rename(call, &party);
        entry.party = party;
        entry.history = None;
        self.touch();
        self.apply_due_rules(self.latest());
    }

    /// What the records know of a caller. It stays on the card of a call that was answered meanwhile.
    pub(crate) fn caller_history(&mut self, call: CallRef, history: CallerHistory) {
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.history = Some(history);
            self.touch();
        }
    }

    /// Calls whose end the network never confirmed leave the desk.
    pub(crate) fn expire_endings(&mut self, now: Ms) {
        let due = |c: &&Call| c.ending_until().is_some_and(|until| until <= now);
        let overdue: Vec<CallRef> = self.calls.values().filter(due).map(|c| c.id).collect();
        for call in overdue {
            tracing::warn!(call = call.0, "the network never confirmed the end of this call");
            self.ended(now, call, &EndCause::default());
        }
    }

    pub(crate) fn log(&mut self, row: LogRow) {
        if row.end == EndStatus::Missed {
            self.set_missed(self.desk.missed.saturating_add(1));
        }
        self.emit(Effect::Log(Box::new(row)));
    }

    /// Refuses a call before it ever rang.
    pub(crate) fn turn_away(&mut self, now: Ms, call: &Call, end: EndStatus) {
        self.refuse(now, call, BUSY_HERE, end);
    }

    fn refuse(&mut self, now: Ms, call: &Call, code: u16, end: EndStatus) {
        self.emit(Effect::Reject { call: call.id, code });
        self.log(record::row(call, now, end));
    }

    pub(crate) fn begin_ending(&mut self, now: Ms, call: CallRef, why: Farewell) {
        if self.talk == Some(call) {
            self.talk = None;
        }
        let until = now + span(self.settings.ending_timeout);
        self.enter(now, call, State::Ending { why, until });
    }

    fn dial_failed(&mut self, now: Ms, call: &Call, cause: &EndCause, had_ear: bool) {
        let (code, reason) = (cause.code, cause.reason.clone());
        if had_ear {
            let tone = if matches!(code, 486 | 600 | 603) { Tone::Busy } else { Tone::Congestion };
            self.sound.start_failure_tone(tone, now + span(self.settings.failure_tone));
        }
        let kind = match call.intercepted.clone() {
            Some(from) if call.taking.is_some() => NoticeKind::TakeOverFailed { from, code, reason },
            Some(from) => NoticeKind::InterceptFailed { from, code, reason },
            None => NoticeKind::DialFailed { to: call.party.clone(), code, reason },
        };
        self.notify(now, kind);
    }
}
