//! What must hold between any two turns, whatever happened before.

use std::collections::BTreeMap;

use ipc::{CallRef, LampState, TransferId};

use crate::call::{Call, State};
use crate::conference::MAX_MEMBERS;
use crate::ledger::{Entry, Stage, Target};
use crate::switchboard::Switchboard;

impl Switchboard {
    pub(crate) fn check(&self) {
        self.check_ear();
        self.check_ledger();
        self.check_queues();
        self.check_hold();
        self.check_conference();
        self.check_park();
        for (id, call) in &self.calls {
            assert_eq!(*id, call.id, "a call is filed under its own reference");
            assert!(!self.ledger.has_departed(*id), "{id:?} is on the desk and has left it");
            self.check_times(call);
            assert!(!call.unattended || self.talk != Some(*id), "{id:?} took the ear by itself");
            call.customer.check(call);
        }
    }

    /// At most one call talks, and it is the one with the ear.
    fn check_ear(&self) {
        for call in self.calls.values().filter(|c| c.state() == State::Talking) {
            assert_eq!(self.talk, Some(call.id), "{:?} talks without the ear", call.id);
        }
        if let Some(talk) = self.talk {
            let holder = self.calls.get(&talk);
            assert!(holder.is_some_and(Call::may_have_ear), "{talk:?} has the ear: {holder:?}");
        }
    }

    /// A call being transferred has exactly one open ledger entry, at the stage of its state, and no
    /// other call has one; a consultation call is bound to the open entry that names it.
    fn check_ledger(&self) {
        let stage_of = |state: State| match state {
            State::Grace(_) => Stage::Grace,
            State::Waiting(_) => Stage::Waiting,
            _ => Stage::Requested,
        };
        let moving =
            self.calls.values().filter_map(|c| Some((c.open_transfer()?, (c.id, stage_of(c.state())))));
        let moving: BTreeMap<TransferId, (CallRef, Stage)> = moving.collect();
        let open = self.ledger.open().map(|(id, e)| (id, (e.call, e.stage.min(Stage::Requested))));
        assert_eq!(moving, open.collect(), "transferring calls and open ledger entries");
        for (id, entry) in self.ledger.open() {
            let endless = entry.stage == Stage::Waiting && self.settings.timers.queue_ms == 0;
            assert!(entry.due.is_some() || endless, "{id:?} is open without a deadline");
        }
        for call in self.calls.values() {
            let entry = call.target_of().and_then(|id| self.ledger.entries.get(&id));
            let bound = entry.is_some_and(|e| e.ended.is_none() && e.target == Target::Call(call.id));
            assert!(bound || call.target_of().is_none(), "{:?} is bound to a transfer that is over", call.id);
            assert!(!bound || entry.is_some_and(|e| e.call != call.id), "{:?} goes to itself", call.id);
            let recalling = call.state() == State::Recalling;
            assert!(!recalling || call.recall.is_some(), "{:?} rings again without a reason", call.id);
        }
        let kept = |e: &Entry| e.ended.is_some() && e.consultation.is_some();
        assert!(!self.ledger.entries.values().any(kept), "a transfer ended and a log row still waits for it");
    }

    /// Those who wait for a phone stand in one row, and only the first has a time at which it goes.
    fn check_queues(&self) {
        for (number, queue) in self.queues() {
            let places = queue.iter().map(|id| self.ledger.entries[id].place);
            for (position, place) in (1..).zip(places) {
                assert_eq!(place.position, position, "place in the queue for {number}");
                assert!(place.due.is_none() || position == 1, "{number} is free for two");
                let vouched = place.lamp == LampState::Available;
                assert!(place.due.is_none() || vouched, "{number} is tried while it is {:?}", place.lamp);
            }
        }
    }

    /// The members are the calls in that state; the operator has one ear; nobody is left alone.
    fn check_conference(&self) {
        let members: Vec<CallRef> = self.conference.members().collect();
        let inside = self.calls.values().filter(|c| c.state() == State::Conference).map(|c| c.id);
        let mut sorted = members.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, inside.collect::<Vec<_>>(), "members and calls in the conference");
        assert!(members.len() <= MAX_MEMBERS, "{} members", members.len());
        if self.conference.joined() {
            assert_eq!(self.talk, None, "an ear in the conference and in a call");
            assert!(!members.is_empty(), "the operator is in an empty conference");
        } else {
            assert_ne!(members.len(), 1, "{members:?} is alone in the conference");
        }
    }

    /// Whoever talks was last asked to be off hold; whoever waits was asked to hold or refused to.
    fn check_hold(&self) {
        for call in self.calls.values() {
            let (state, hold) = (call.state(), call.hold);
            let heard = matches!(state, State::Talking | State::Conference);
            assert!(!heard || !hold.asked, "{:?} talks while asked to hold", call.id);
            let waits = matches!(state, State::Held | State::Recalling);
            let waits = waits || call.open_transfer().or(call.target_of()).is_some();
            assert!(!waits || hold.asked || hold.refused, "{:?} waits and was never told", call.id);
        }
    }

    /// From the answer on, each millisecond is either talked or on hold.
    fn check_times(&self, call: &Call) {
        let end = call.times.ended.unwrap_or(self.latest());
        let (talk, hold) = call.times.totals(end);
        let since_answer = call.times.answered.map_or(0, |at| end - at);
        assert_eq!(talk + hold, since_answer, "{:?}: talk and hold time", call.id);
    }
}
