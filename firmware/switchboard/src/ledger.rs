//! The books of the transfer ledger (CALL-13): entries, their stages, and the log rows that wait for
//! a transfer's last word. What writes into them is in `transfer`.

use std::collections::BTreeMap;

use ipc::{
    CallRef, LampState, LogRow, Party, RecallReason, TransferEnd, TransferId, TransferKind, TransferState,
    TransferView,
};

use crate::call::{Call, Ms, is_unsure};

/// Ended transfers kept in view at most; the oldest give way.
const MAX_ENDED: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) entries: BTreeMap<TransferId, Entry>,
    /// Calls that are gone while a final NOTIFY may still tell what became of them.
    pub(crate) departed: BTreeMap<CallRef, Departed>,
    /// Calls that are gone and logged as handed over, of which a refusal may still be heard.
    pub(crate) entrusted: BTreeMap<CallRef, Entrusted>,
    /// Since when each phone that a call waits for can take it. A phone that is busy, not vouched
    /// for, or already being tried is not here.
    pub(crate) free: BTreeMap<String, Ms>,
    last: u64,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) call: CallRef,
    pub(crate) who: Party,
    pub(crate) to: Party,
    pub(crate) target: Target,
    pub(crate) kind: TransferKind,
    pub(crate) since: Ms,
    pub(crate) stage: Stage,
    pub(crate) place: Place,
    /// The end, and when it was known.
    pub(crate) ended: Option<(TransferEnd, Ms)>,
    /// Open: when the desk acts by itself, if it ever does. Ended: when it leaves the view.
    pub(crate) due: Option<Ms>,
    /// Its time is over: whether the call is still there is being asked.
    pub(crate) overdue: bool,
    pub(crate) before: Before,
    /// The log row of a consultation call that ended first; it waits for the transfer's end.
    pub(crate) consultation: Option<LogRow>,
}

/// Whom the exchange is asked to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Cleaned.
    Number(String),
    /// The other party of the consultation call.
    Call(CallRef),
}

/// How far a transfer has come; only ever moves down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Can still be undone.
    Grace,
    /// Waits for a busy phone.
    Waiting,
    /// From here on the exchange was asked.
    Requested,
    Trying,
    Ringing,
}

/// Place among those that wait for one phone; derived at the end of a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) lamp: LampState,
    pub(crate) position: u32,
    pub(crate) due: Option<Ms>,
}

/// What a transfer changes and an undo restores.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    /// Which of the calls concerned had the operator's ear.
    pub(crate) talked: Option<CallRef>,
    pub(crate) recalling: bool,
    pub(crate) recall: Option<RecallReason>,
    pub(crate) waited_for: Option<Party>,
}

#[derive(Debug)]
pub(crate) struct Departed {
    pub(crate) row: LogRow,
    /// Which transfer of the row late news would be about.
    pub(crate) unsure: Option<usize>,
    pub(crate) until: Ms,
}

/// Whom the exchange has, as far as is known.
#[derive(Debug)]
pub(crate) struct Entrusted {
    pub(crate) who: Party,
    pub(crate) to: Party,
    pub(crate) until: Ms,
}

impl Ledger {
    pub(crate) fn draw(&mut self) -> TransferId {
        self.last += 1;
        TransferId(self.last)
    }

    /// Writes down a call that was sent on without being answered: what becomes of it is the
    /// exchange's business from the first moment, and no REFER of ours is heard of again.
    pub(crate) fn add_redirect(
        &mut self,
        now: Ms,
        until: Ms,
        call: &Call,
        to: Party,
        kind: TransferKind,
    ) -> TransferId {
        let id = self.draw();
        let number = to.number.clone().unwrap_or_default();
        let entry = Entry {
            call: call.id,
            who: call.party.clone(),
            to,
            target: Target::Number(number),
            kind,
            since: now,
            stage: Stage::Grace,
            place: Place::default(),
            ended: Some((TransferEnd::HandedOver, now)),
            due: Some(until),
            overdue: false,
            before: Before::default(),
            consultation: None,
        };
        self.entries.insert(id, entry);
        self.drop_oldest_ended();
        id
    }

    /// A party of the desk got its name.
    pub(crate) fn rename(&mut self, call: CallRef, party: &Party) {
        for entry in self.entries.values_mut() {
            if entry.call == call {
                entry.who.clone_from(party);
            } else if entry.target == Target::Call(call) {
                entry.to.clone_from(party);
            }
        }
    }

    /// Forgets an ended entry; `false` when its end is not known yet.
    pub(crate) fn dismiss(&mut self, id: TransferId) -> bool {
        let open = self.entries.get(&id).is_some_and(|e| e.ended.is_none());
        if !open {
            self.entries.remove(&id);
        }
        !open
    }

    pub(crate) fn deadline(&self) -> Option<Ms> {
        let entries = self.entries.values().filter_map(|e| e.due);
        entries.chain(self.departed.values().map(|d| d.until)).min()
    }

    pub(crate) fn view(&self, id: TransferId) -> Option<TransferView> {
        self.entries.get(&id).map(|entry| entry.view(id))
    }

    pub(crate) fn views(&self) -> Vec<TransferView> {
        self.entries.iter().map(|(id, entry)| entry.view(*id)).collect()
    }

    /// The open entries, in the order in which they were asked for.
    pub(crate) fn open(&self) -> impl Iterator<Item = (TransferId, &Entry)> {
        self.entries.iter().filter(|(_, e)| e.ended.is_none()).map(|(id, e)| (*id, e))
    }

    pub(crate) fn stage(&self, id: TransferId) -> Option<Stage> {
        self.entries.get(&id).map(|e| e.stage)
    }

    pub(crate) fn has_departed(&self, call: CallRef) -> bool {
        self.departed.contains_key(&call)
    }

    /// Log rows that wait for a transfer's last word.
    pub(crate) fn kept_rows(&self) -> usize {
        self.departed.len() + self.entries.values().filter(|e| e.consultation.is_some()).count()
    }

    /// The newest entry of a call that was asked for and written off without knowing what the target
    /// did.
    pub(crate) fn newest_unsure_of(&self, call: CallRef) -> Option<TransferId> {
        let unsure = |e: &Entry| {
            e.stage >= Stage::Requested && e.ended.as_ref().is_some_and(|(end, _)| is_unsure(end))
        };
        self.entries.iter().rfind(|(_, e)| e.call == call && unsure(e)).map(|(id, _)| *id)
    }

    pub(crate) fn drop_oldest_ended(&mut self) {
        let ended = |(id, e): (&TransferId, &Entry)| e.ended.is_some().then_some(*id);
        let ids: Vec<TransferId> = self.entries.iter().filter_map(ended).collect();
        for id in ids.iter().take(ids.len().saturating_sub(MAX_ENDED)) {
            self.entries.remove(id);
        }
    }
}

impl Entry {
    fn view(&self, id: TransferId) -> TransferView {
        let state = match (&self.ended, self.stage) {
            (Some((end, at)), _) => TransferState::Ended { end: end.clone(), at_ms: *at },
            (None, Stage::Grace) => TransferState::Grace { until_ms: self.due.unwrap_or(self.since) },
            (None, Stage::Waiting) => {
                let Place { lamp, position, due } = self.place;
                TransferState::Waiting { lamp, position, due_ms: due }
            }
            (None, Stage::Requested) => TransferState::Requested,
            (None, Stage::Trying) => TransferState::Trying,
            (None, Stage::Ringing) => TransferState::Ringing,
        };
        TransferView {
            id,
            call: self.call,
            who: self.who.clone(),
            to: self.to.clone(),
            kind: self.kind,
            since_ms: self.since,
            state,
        }
    }
}
