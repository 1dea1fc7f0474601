//! A turn of the agent: what transactions and deadlines have to say goes to whom it is for, and what follows from it
//! is cleared up.
//!
//! Not done here: reading what comes in ([`super::receive`]).

use std::time::Instant;

use super::{AccountId, Event, SessionId, UserAgent};
use crate::core::{Alarm, Owner};
use crate::notifier::Notifier;
use crate::registration::Registration;
use crate::session::Session;
use crate::transaction::{Outcome, TxId};

/// Deadlines served in one turn. Hundreds of lamps that were asked for together expire and refresh
/// together; one SUBSCRIBE costs some tens of microseconds, and no turn may take two milliseconds.
const MAX_DUE: usize = 32;

impl UserAgent {
    /// Lets what is due at `now` happen, at most a few dozen deadlines in one call: where more fall
    /// together, [`UserAgent::poll_timeout`] is due again at once, and other work can go between.
    pub fn handle_timeout(&mut self, now: Instant) {
        let mut budget = MAX_DUE;
        while let Some(outcome) = self.core.layer.expire(now, &mut budget) {
            self.on_outcome(now, outcome);
        }
        while budget > 0
            && let Some(alarm) = self.core.timers.pop(now)
        {
            budget -= 1;
            self.on_alarm(now, alarm);
        }
        self.settle(now);
    }

    pub(super) fn on_outcome(&mut self, now: Instant, outcome: Outcome<Owner>) {
        let core = &mut self.core;
        match outcome {
            Outcome::Response { id, owner, response } => match owner {
                Owner::Session(session) => {
                    if let Some(session) = self.sessions.get_mut(&session) {
                        session.on_response(core, now, id, &response);
                    }
                }
                Owner::Registration(account) => {
                    if let Some(registration) = self.registrations.get_mut(&account) {
                        registration.on_response(core, now, id, &response);
                        if matches!(response.code(), Some(200..=299)) {
                            self.rejoin(now, account);
                        }
                    }
                }
                Owner::Subscription(id_of) => self.on_subscription_answer(now, id_of, id, &response),
                Owner::Probe(target) => self.on_probe_answer(now, target, id, &response),
                Owner::Notifier(notifier) => {
                    if let Some(entry) = self.notifiers.get_mut(&notifier) {
                        entry.on_response(core, now, id, &response);
                        self.stirred.push(notifier);
                    }
                }
            },
            Outcome::Silence { id, owner } => self.on_silence(now, id, owner, true),
        }
    }

    pub(super) fn on_silence(&mut self, now: Instant, id: TxId, owner: Owner, reached: bool) {
        let core = &mut self.core;
        let reached = reached && core.layer.sent_to(id).is_some();
        match owner {
            Owner::Session(session) => {
                if let Some(session) = self.sessions.get_mut(&session) {
                    session.on_silence(core, now, id, reached);
                }
            }
            Owner::Registration(account) => {
                if let Some(registration) = self.registrations.get_mut(&account) {
                    registration.on_silence(core, now, id, reached);
                }
            }
            Owner::Subscription(subscription) => {
                if let Some(subscription) = self.subscriptions.get_mut(&subscription) {
                    subscription.on_silence(core, now, id, reached);
                }
            }
            Owner::Probe(target) => self.on_probe_silence(now, target, id),
            Owner::Notifier(notifier) => {
                if let Some(entry) = self.notifiers.get_mut(&notifier) {
                    entry.on_silence(core, id);
                    self.stirred.push(notifier);
                }
            }
        }
        self.core.layer.forget(id);
    }

    pub(super) fn on_alarm(&mut self, now: Instant, alarm: Alarm) {
        let core = &mut self.core;
        match alarm {
            Alarm::Repeat(id)
            | Alarm::Provisional(id)
            | Alarm::StillRinging(id)
            | Alarm::AskAgain(id)
            | Alarm::Transfer(id)
            | Alarm::Overdue(id)
            | Alarm::Refresh(id)
            | Alarm::Expiry(id)
            | Alarm::Digit(id)
            | Alarm::Unsaid(id)
            | Alarm::Invited(id) => {
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.on_alarm(core, now, alarm);
                }
            }
            Alarm::Join(id) => self.on_join_alarm(now, id),
            Alarm::Linger(id) => self.forget_session(now, id),
            Alarm::Registration(account) => {
                if let Some(registration) = self.registrations.get_mut(&account) {
                    registration.on_alarm(core, now);
                }
            }
            Alarm::Subscription(id) => self.on_subscription_alarm(now, id),
            // What may go now goes when the turn is settled.
            Alarm::Turns => {}
            Alarm::Exchange(account) => self.on_vigil(now, account),
            Alarm::Probe => self.on_probe(now),
            Alarm::Notifier(id) => {
                if let Some(notifier) = self.notifiers.get_mut(&id) {
                    notifier.on_alarm(core, now);
                    self.stirred.push(id);
                }
            }
        }
    }

    /// An account is registered again whose connection broke. Our end of it was what the peers of its calls and what
    /// it watches knew us by: they are told the new one.
    pub(super) fn rejoin(&mut self, now: Instant, account: AccountId) {
        if !self.stranded.remove(&account) {
            return;
        }
        for subscription in self.subscriptions.values_mut().filter(|s| s.account() == account) {
            subscription.refresh(&mut self.core);
        }
        let calls = self.sessions.values_mut();
        for session in calls.filter(|session| session.is_live() && session.account() == Some(account)) {
            session.tell_contact(&mut self.core, now);
        }
    }

    pub(super) fn forget_session(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get(&id) else { return };
        if session.is_busy() || session.is_owing() {
            return self.core.timers.set(Alarm::Linger(id), now + self.core.config.t1 * 64);
        }
        let (call_id, tag) = session.key();
        self.core.leave_dialog(call_id, tag);
        self.sessions.remove(&id);
    }

    /// What follows every call: requests that could not be sent, ends to clear up after, Drained.
    pub(super) fn settle(&mut self, now: Instant) {
        self.follow(now);
        self.admit(now);
        while let Some(id) = self.core.lost.pop_front() {
            if let Some(owner) = self.core.layer.owner(id) {
                self.on_silence(now, id, owner, false);
            }
        }
        self.take_notes(now);
        while let Some(id) = self.stirred.pop() {
            if self.notifiers.get(&id).is_some_and(Notifier::is_done)
                && let Some(notifier) = self.notifiers.remove(&id)
            {
                let (call_id, tag) = notifier.key();
                self.core.leave_dialog(call_id, tag);
            }
        }
        let (registrations, lines) = (&mut self.registrations, &mut self.core.lines);
        let (vigils, sessions) = (&mut self.vigils, &self.sessions);
        self.leaving.retain(|account| {
            // Also those that have ended a moment ago: their BYE may be challenged.
            let calls = || sessions.values().any(|session| session.account() == Some(*account));
            let busy = registrations.get(account).is_some_and(Registration::is_busy) || calls();
            if !busy {
                registrations.remove(account);
                lines.remove(account);
                vigils.remove(account);
            }
            busy
        });
        if self.draining && !self.drained && !self.has_open_ends() {
            self.drained = true;
            self.core.emit(Event::Drained);
        }
    }

    pub(super) fn has_open_ends(&self) -> bool {
        !self.core.turns.is_idle()
            || self.core.layer.has_open_clients()
            || self.sessions.values().any(Session::is_busy)
    }
}
