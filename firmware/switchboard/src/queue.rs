//! Blind transfer queueing (PRE-6): calls that wait, on hold and in order, for a busy phone.
//!
//! Nobody keeps a queue: those who wait for a phone are the ledger's entries that say so, in the
//! order in which they were wished for. At the end of each turn [`Switchboard::settle_queues`]
//! derives from lamps and ledger which phones are free and since when, so that no order of news can
//! leave a queue behind. A phone is free for the first in its queue when its lamp says so and no
//! transfer to it is open; a lamp that nobody vouches for is never free.

use std::collections::BTreeMap;

use ipc::{CallRef, LampState, TransferId, TransferKind};

use crate::call::{Ms, State};
use crate::ledger::{Place, Stage, Target};
use crate::switchboard::Switchboard;

impl Switchboard {
    /// Whether a blind transfer to this number has to wait: the phone cannot take a call, or others
    /// wait for it already and would be overtaken.
    pub(crate) fn must_wait(&self, number: &str) -> bool {
        match self.lamp_of(number) {
            LampState::Busy | LampState::Ringing | LampState::DoNotDisturb => true,
            LampState::Available => self.queues().contains_key(number),
            LampState::Unknown => false,
        }
    }

    /// Lets a call wait for the phone of its transfer.
    pub(crate) fn wait(&mut self, now: Ms, id: TransferId) {
        let patience = self.settings.timers.queue_ms;
        let Some(entry) = self.ledger.entries.get_mut(&id) else { return };
        entry.stage = Stage::Waiting;
        entry.due = (patience > 0).then(|| now.saturating_add(patience));
        let (call, to) = (entry.call, entry.to.clone());
        if let Some(moved) = self.calls.get_mut(&call) {
            moved.waited_for = Some(to);
        }
        self.enter(now, call, State::Waiting(id));
    }

    /// Puts a call back to wait, behind everybody else. Whatever the phone does now: one that is
    /// free must stay so for as long as always.
    pub(crate) fn wait_again(&mut self, now: Ms, call: CallRef) {
        let Some(to) = self.calls.get(&call).and_then(|c| c.waited_for.clone()) else { return };
        let Some(number) = to.number.clone() else { return };
        if let Some(id) = self.open_entry(now, call, TransferKind::Blind, to, Target::Number(number)) {
            self.wait(now, id);
        }
    }

    /// Derives who is where in which queue, and which phones are free since when.
    pub(crate) fn settle_queues(&mut self, now: Ms) {
        let queues = self.queues();
        self.ledger.free.retain(|number, _| queues.contains_key(number));
        for (number, queue) in queues {
            let lamp = self.lamp_of(&number);
            let free = lamp == LampState::Available && !self.is_tried(&number);
            let delay = self.settings.timers.queue_delay_ms;
            let due = free.then(|| *self.ledger.free.entry(number.clone()).or_insert(now) + delay);
            if !free {
                self.ledger.free.remove(&number);
            }
            for (position, id) in (1..).zip(queue) {
                let place = Place { lamp, position, due: due.filter(|_| position == 1) };
                if let Some(entry) = self.ledger.entries.get_mut(&id).filter(|e| e.place != place) {
                    entry.place = place;
                    self.touch();
                }
            }
        }
    }

    /// Transfers the first of each queue whose phone has been free for long enough.
    pub(crate) fn expire_queues(&mut self, now: Ms) {
        self.settle_queues(now);
        let due =
            |e: &crate::ledger::Entry| e.stage == Stage::Waiting && e.place.due.is_some_and(|due| due <= now);
        let due: Vec<TransferId> = self.ledger.open().filter(|(_, e)| due(e)).map(|(id, _)| id).collect();
        for id in due {
            self.refer(now, id);
        }
    }

    pub(crate) fn queue_deadline(&self) -> Option<Ms> {
        self.ledger.free.values().min().map(|since| since.saturating_add(self.settings.timers.queue_delay_ms))
    }

    /// Those who wait, in order, by the number they wait for.
    pub(crate) fn queues(&self) -> BTreeMap<String, Vec<TransferId>> {
        let mut queues: BTreeMap<String, Vec<TransferId>> = BTreeMap::new();
        for (id, entry) in self.ledger.open().filter(|(_, e)| e.stage == Stage::Waiting) {
            if let Target::Number(number) = &entry.target {
                queues.entry(number.clone()).or_default().push(id);
            }
        }
        queues
    }

    fn lamp_of(&self, number: &str) -> LampState {
        self.desk.lamps.get(number).map_or(LampState::Unknown, |lamp| lamp.state)
    }

    /// The exchange is trying this number for a call of ours.
    fn is_tried(&self, number: &str) -> bool {
        let tries = |target: &Target| matches!(target, Target::Number(to) if to == number);
        self.ledger.open().any(|(_, e)| e.stage >= Stage::Requested && tries(&e.target))
    }
}
