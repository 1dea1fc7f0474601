//! Keys and hooks that act on whichever call they mean now (CALL-12, HW-1).
//!
//! | pressed | something rings | a call or the conference has the ear | else |
//! |---|---|---|---|
//! | F9 (`Next`), button held | take the most urgent | retrieve the longest held, else hold, or leave the conference | retrieve the longest held, else join the conference |
//! | `AnswerLongest`, handset lifted | take the most urgent | – | – |
//! | button | take the most urgent | hang up, or leave the conference; nothing, where something has just stopped ringing | – |
//! | F10, handset down | hang up the one with the ear, never the one that rings | hang up, or leave the conference | – |
//!
//! Most urgent are recalls and overdue park slots by the time their party waits, then new calls by
//! the time they ring. A slot is taken by dialling it.

use ipc::{Action, CallRef, CommandError, HookAction, ServiceMode};

use crate::call::{Ms, State};
use crate::switchboard::Switchboard;

/// For so long after something has stopped ringing the button still means that: it is told of when it is let go.
const MEANT_MS: Ms = 1_500;

/// What the operator should take next.
enum Urgent {
    Call(CallRef),
    Slot(String),
}

impl Switchboard {
    pub(crate) fn do_hook(&mut self, now: Ms, action: HookAction) -> Result<(), CommandError> {
        match action {
            HookAction::Next | HookAction::ButtonHeld => self.do_next(now),
            HookAction::AnswerLongest | HookAction::OffHook => self.take_most_urgent(now),
            HookAction::HangUpActive | HookAction::OnHook => self.hang_up_active(now),
            HookAction::Button => match self.take_most_urgent(now) {
                // Who is spoken with must not go in the place of who gave up a moment ago.
                Err(CommandError::NothingToDo) if self.has_just_stopped_ringing(now) => {
                    Err(CommandError::NothingToDo)
                }
                Err(CommandError::NothingToDo) => self.hang_up_active(now),
                done => done,
            },
            HookAction::Night => {
                let night = Some(ServiceMode::Night);
                let mode = if self.settings.service == night { None } else { night };
                self.set_service(now, mode);
                Ok(())
            }
        }
    }

    fn has_just_stopped_ringing(&self, now: Ms) -> bool {
        self.stopped_ringing.is_some_and(|at| now < at.saturating_add(MEANT_MS))
    }

    fn do_next(&mut self, now: Ms) -> Result<(), CommandError> {
        match self.take_most_urgent(now) {
            Err(CommandError::NothingToDo) => {}
            done => return done,
        }
        if let Some(call) = self.longest_held() {
            return self.do_retrieve(now, call);
        }
        if self.conference.joined() {
            self.leave_conference();
            return Ok(());
        }
        if self.talk.is_none() && self.conference.is_running() {
            self.join_conference(now);
            return Ok(());
        }
        let talking = |call: &CallRef| self.calls.get(call).is_some_and(|c| c.allows(Action::Hold));
        let call = self.talk.filter(talking).ok_or(CommandError::NothingToDo)?;
        self.do_hold(now, call)
    }

    fn take_most_urgent(&mut self, now: Ms) -> Result<(), CommandError> {
        match self.most_urgent().ok_or(CommandError::NothingToDo)? {
            Urgent::Call(call) => self.do_answer(now, call),
            Urgent::Slot(slot) => self.do_unpark(now, &slot),
        }
    }

    /// The operator leaves a conference that goes on; a single party is put on hold at the end of
    /// the turn, and not lost.
    fn hang_up_active(&mut self, now: Ms) -> Result<(), CommandError> {
        if self.conference.joined() {
            self.leave_conference();
            return Ok(());
        }
        let call = self.talk.ok_or(CommandError::NothingToDo)?;
        self.do_hang_up(now, call)
    }

    fn most_urgent(&self) -> Option<Urgent> {
        let ringing = self.calls.values().filter(|c| c.rings());
        let place = |c: &crate::call::Call| (c.state() != State::Recalling, c.waits_since(), c.id);
        let call = ringing.map(|c| (place(c), c.id)).min();
        match (call, self.longest_overdue_slot()) {
            (Some(((false, since, _), call)), Some((parked, _))) if since <= parked => {
                Some(Urgent::Call(call))
            }
            (_, Some((_, slot))) => Some(Urgent::Slot(slot)),
            (call, None) => call.map(|(_, call)| Urgent::Call(call)),
        }
    }

    fn longest_held(&self) -> Option<CallRef> {
        let held = self.calls.values().filter(|c| c.state() == State::Held);
        held.min_by_key(|c| (c.times.held_since(), c.id)).map(|c| c.id)
    }
}
