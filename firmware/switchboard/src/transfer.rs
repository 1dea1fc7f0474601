//! The transfer ledger (CALL-13): every transfer is written here when it is asked for and ends here
//! exactly once; until then the call it moves is [`State::Transferring`] and stays on the desk.
//!
//! A transfer that finds nobody brings the call back as a recall. When the exchange ends our leg,
//! the caller is with the exchange, or gone; a final NOTIFY that comes within
//! [`Settings::transfer_grace`](crate::Settings::transfer_grace) still says which, and the log row
//! waits for it. Such a late answer is the only thing that changes an end once written.
//!
//! The network's news names the call and not the transfer, so it is taken for the open one.

use std::collections::BTreeMap;

use ipc::{
    CallRef, EndStatus, LogRow, LogTransfer, Party, RecallReason, RecallWhy, TransferEnd, TransferId,
    TransferKind, TransferState, TransferView,
};

use crate::call::{Call, Farewell, Ms, State};
use crate::switchboard::{Switchboard, span};
use crate::{Effect, TransferResult};

/// Ended transfers kept in view at most; the oldest give way.
const MAX_ENDED: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) entries: BTreeMap<TransferId, Entry>,
    /// Calls that are gone while a final NOTIFY may still tell what became of them.
    departed: BTreeMap<CallRef, Departed>,
    last: u64,
}

#[derive(Debug)]
pub(crate) struct Entry {
    call: CallRef,
    who: Party,
    to: Party,
    kind: TransferKind,
    since: Ms,
    stage: Stage,
    /// The end, and when it was known.
    ended: Option<(TransferEnd, Ms)>,
    /// Open: when it times out. Ended: when it leaves the view.
    due: Ms,
}

/// How far a transfer has come; only ever moves down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Requested,
    Trying,
    Ringing,
}

#[derive(Debug)]
struct Departed {
    row: LogRow,
    until: Ms,
}

impl Ledger {
    pub(crate) fn rename_transferee(&mut self, call: CallRef, who: &Party) {
        for entry in self.entries.values_mut().filter(|e| e.call == call) {
            entry.who.clone_from(who);
        }
    }

    /// Writes down a call that was sent on without being answered: what becomes of it is the
    /// exchange's business from the first moment.
    pub(crate) fn add_redirect(&mut self, now: Ms, until: Ms, call: &Call, to: Party, kind: TransferKind) {
        self.last += 1;
        let entry = Entry {
            call: call.id,
            who: call.party.clone(),
            to,
            kind,
            since: now,
            stage: Stage::Requested,
            ended: Some((TransferEnd::HandedOver, now)),
            due: until,
        };
        self.entries.insert(TransferId(self.last), entry);
        self.drop_oldest_ended();
    }

    /// Says how the open transfer `id` is made.
    pub(crate) fn set_kind(&mut self, id: TransferId, kind: TransferKind) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.kind = kind;
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
        let entries = self.entries.values().map(|e| e.due);
        entries.chain(self.departed.values().map(|d| d.until)).min()
    }

    pub(crate) fn view(&self, id: TransferId) -> Option<TransferView> {
        self.entries.get(&id).map(|entry| entry.view(id))
    }

    pub(crate) fn views(&self) -> Vec<TransferView> {
        self.entries.iter().map(|(id, entry)| entry.view(*id)).collect()
    }

    /// The open entries and the calls they move.
    pub(crate) fn open(&self) -> impl Iterator<Item = (TransferId, CallRef)> {
        self.entries.iter().filter(|(_, e)| e.ended.is_none()).map(|(id, e)| (*id, e.call))
    }

    pub(crate) fn has_departed(&self, call: CallRef) -> bool {
        self.departed.contains_key(&call)
    }

    /// The newest entry of a call that was written off without knowing what the target did.
    fn newest_unsure_of(&mut self, call: CallRef) -> Option<&mut Entry> {
        let unsure = |e: &&mut Entry| e.ended.as_ref().is_some_and(|(end, _)| is_unsure(end));
        self.entries.values_mut().rfind(|e| e.call == call && unsure(e))
    }

    fn drop_oldest_ended(&mut self) {
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

impl Switchboard {
    /// Begins a blind transfer of a call that talks, is on hold, or came back as a recall.
    pub(crate) fn transfer_blind(&mut self, now: Ms, call: CallRef, to: String) {
        if self.talk == Some(call) {
            self.talk = None;
        }
        self.ask_hold(call);
        let due = now + span(self.settings.transfer_timeout);
        let Some(entry) = self.calls.get_mut(&call) else { return };
        entry.recall = None;
        let who = entry.party.clone();
        self.ledger.last += 1;
        let id = TransferId(self.ledger.last);
        let target = Party { number: Some(to.clone()), ..Party::default() };
        let entry = Entry {
            call,
            who,
            to: target,
            kind: TransferKind::Blind,
            since: now,
            stage: Stage::Requested,
            ended: None,
            due,
        };
        self.ledger.entries.insert(id, entry);
        self.enter(now, call, State::Transferring(id));
        self.emit(Effect::Refer { call, transfer: id, to });
    }

    pub(crate) fn transfer_progress(&mut self, now: Ms, call: CallRef, code: u16) {
        let stage = match code {
            100..180 => Stage::Trying,
            180..200 => Stage::Ringing,
            _ => return,
        };
        let Some(id) = self.calls.get(&call).and_then(Call::open_transfer) else { return };
        let due = now + span(self.settings.transfer_timeout);
        if let Some(entry) = self.ledger.entries.get_mut(&id)
            && entry.stage < stage
        {
            entry.stage = stage;
            entry.due = due;
            self.touch();
        }
    }

    pub(crate) fn transfer_ended(&mut self, now: Ms, call: CallRef, result: TransferResult) {
        let Some(state) = self.calls.get(&call).map(Call::state) else {
            self.late_news(now, call, result);
            return;
        };
        let answered = result == TransferResult::Answered;
        match (state, result) {
            (State::Transferring(id), TransferResult::Answered) => {
                self.close(now, id, TransferEnd::Answered);
                self.hang_up(now, call, Farewell::Transferred);
            }
            (State::Transferring(id), TransferResult::Refused { code }) => {
                self.bring_back(now, id, TransferEnd::Refused { code: code.clamp(300, 699) });
            }
            (State::Transferring(id), TransferResult::Silent) => {
                self.bring_back(now, id, TransferEnd::TimedOut);
            }
            // A target answered after we had given up on it and before the operator took the
            // recall. Another target may have been tried, and have refused, in between.
            (State::Recalling, _) if answered && self.was_given_up(call) => {
                self.revise(now, call);
                self.hang_up(now, call, Farewell::Transferred);
            }
            (State::Ending { .. }, _) if answered && self.last_end(call) == Some(TransferEnd::HandedOver) => {
                self.revise(now, call);
            }
            _ => {}
        }
    }

    /// The operator takes the call back before the transfer's end is known.
    pub(crate) fn take_back(&mut self, now: Ms, call: CallRef, transfer: TransferId) {
        self.close(now, transfer, TransferEnd::TakenBack);
        self.retrieve(now, call);
    }

    /// The operator hangs up a call that is being transferred. What the exchange has accepted goes
    /// on without us; before that the transfer is off.
    pub(crate) fn hang_up_transfer(&mut self, now: Ms, call: CallRef, transfer: TransferId) {
        if self.accepted(transfer) {
            self.close(now, transfer, TransferEnd::HandedOver);
            self.hang_up(now, call, Farewell::Transferred);
        } else {
            self.close(now, transfer, TransferEnd::TakenBack);
            self.hang_up(now, call, Farewell::HungUp);
        }
    }

    /// The call is about to leave the desk: ends its open transfer. `true` when a final NOTIFY may
    /// still change what became of the transfer.
    pub(crate) fn end_transfer_of_gone_call(&mut self, now: Ms, call: CallRef) -> bool {
        match self.calls.get(&call).map(Call::state) {
            Some(State::Transferring(id)) => {
                let accepted = self.accepted(id);
                let end = if accepted { TransferEnd::HandedOver } else { TransferEnd::Abandoned };
                self.close(now, id, end);
                true
            }
            Some(State::Recalling) => self.was_given_up(call),
            _ => false,
        }
    }

    /// Keeps the log row of a transferred call until its fate is final.
    pub(crate) fn keep_for_late_news(&mut self, now: Ms, call: CallRef, row: LogRow) {
        let until = now + span(self.settings.transfer_grace);
        self.ledger.departed.insert(call, Departed { row, until });
    }

    pub(crate) fn target_identified(&mut self, transfer: TransferId, party: Party) {
        let Some(entry) = self.ledger.entries.get_mut(&transfer) else { return };
        let (call, nameless) = (entry.call, std::mem::replace(&mut entry.to, party.clone()));
        if let Some(call) = self.calls.get_mut(&call) {
            for to in call.recall.iter_mut().map(|r| &mut r.from) {
                if *to == nameless {
                    *to = party.clone();
                }
            }
            if let Some(last) = call.transfers.last_mut().filter(|t| t.to == nameless) {
                last.to = party;
            }
        } else if let Some(departed) = self.ledger.departed.get_mut(&call)
            && let Some(last) = departed.row.transfers.last_mut()
        {
            last.to = party;
        }
        self.touch();
    }

    pub(crate) fn expire_transfers(&mut self, now: Ms) {
        let due = self.ledger.entries.iter().filter(|(_, e)| e.due <= now);
        let due: Vec<(TransferId, CallRef, bool)> =
            due.map(|(id, e)| (*id, e.call, e.ended.is_some())).collect();
        for (id, call, ended) in due {
            if ended {
                self.retire(now, id, call);
            } else {
                self.bring_back(now, id, TransferEnd::TimedOut);
            }
        }
        let due = self.ledger.departed.iter().filter(|(_, d)| d.until <= now);
        for call in due.map(|(call, _)| *call).collect::<Vec<_>>() {
            if let Some(departed) = self.ledger.departed.remove(&call) {
                self.log(departed.row);
            }
        }
    }

    /// Takes an ended entry out of the view, unless its call still rings because of it.
    fn retire(&mut self, now: Ms, id: TransferId, call: CallRef) {
        let recalling = self.calls.get(&call).is_some_and(|c| c.state() == State::Recalling);
        if recalling && let Some(entry) = self.ledger.entries.get_mut(&id) {
            entry.due = now + span(self.settings.notice_time).max(1);
        } else {
            self.ledger.entries.remove(&id);
            self.touch();
        }
    }

    /// Writes the end of a transfer into the ledger and the call.
    fn close(&mut self, now: Ms, id: TransferId, end: TransferEnd) {
        let Some(entry) = self.ledger.entries.get_mut(&id) else { return };
        entry.ended = Some((end.clone(), now));
        entry.due = now + span(self.settings.notice_time);
        let transfer =
            LogTransfer { to: entry.to.clone(), kind: entry.kind, end, took_ms: now - entry.since };
        let call = entry.call;
        if let Some(call) = self.calls.get_mut(&call) {
            call.add_transfer(transfer);
        }
        self.note_parking(now, call);
        self.ledger.drop_oldest_ended();
        self.touch();
    }

    /// A transfer found nobody: its call rings at the desk again.
    fn bring_back(&mut self, now: Ms, id: TransferId, end: TransferEnd) {
        self.close(now, id, end.clone());
        let Some(entry) = self.ledger.entries.get(&id) else { return };
        let (call, from) = (entry.call, entry.to.clone());
        if let Some(call) = self.calls.get_mut(&call) {
            call.recall = Some(RecallReason { from, why: RecallWhy::Transfer(end) });
        }
        self.enter(now, call, State::Recalling);
        self.ring_began(now);
    }

    /// The final NOTIFY for a call that has left the desk already.
    fn late_news(&mut self, now: Ms, call: CallRef, result: TransferResult) {
        let Some(mut departed) = self.ledger.departed.remove(&call) else { return };
        if result == TransferResult::Answered {
            departed.row.end = EndStatus::Transferred;
            revise_log(&mut departed.row.transfers);
            self.revise_entry(now, call);
        } else if matches!(result, TransferResult::Refused { .. }) {
            self.parking_refused(call);
        }
        self.log(departed.row);
    }

    /// The target did answer, although the transfer was written off.
    fn revise(&mut self, now: Ms, call: CallRef) {
        if let Some(call) = self.calls.get_mut(&call) {
            call.recall = None;
            revise_log(&mut call.transfers);
        }
        self.revise_entry(now, call);
    }

    fn revise_entry(&mut self, now: Ms, call: CallRef) {
        let due = now + span(self.settings.notice_time);
        if let Some(entry) = self.ledger.newest_unsure_of(call) {
            entry.ended = Some((TransferEnd::Answered, now));
            entry.due = due;
        }
        self.note_parking(now, call);
        self.touch();
    }

    fn accepted(&self, id: TransferId) -> bool {
        self.ledger.entries.get(&id).is_some_and(|e| e.stage > Stage::Requested)
    }

    fn was_given_up(&self, call: CallRef) -> bool {
        let call = self.calls.get(&call);
        call.is_some_and(|c| c.transfers.iter().any(|t| t.end == TransferEnd::TimedOut))
    }

    fn last_end(&self, call: CallRef) -> Option<TransferEnd> {
        self.calls.get(&call)?.transfers.last().map(|t| t.end.clone())
    }
}

/// The desk stopped waiting before it knew what the target did.
fn is_unsure(end: &TransferEnd) -> bool {
    matches!(end, TransferEnd::TimedOut | TransferEnd::HandedOver | TransferEnd::Abandoned)
}

fn revise_log(transfers: &mut [LogTransfer]) {
    if let Some(transfer) = transfers.iter_mut().rfind(|t| is_unsure(&t.end)) {
        transfer.end = TransferEnd::Answered;
    }
}
