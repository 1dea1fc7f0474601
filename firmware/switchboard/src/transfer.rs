//! Transfers from the wish to their end (CALL-13): every one is written into the ledger when it is
//! wished for and ends there exactly once; until then the call it moves stays on the desk.
//!
//! A transfer that finds nobody brings the call back as a recall. When the exchange ends our leg,
//! the caller is with the exchange, or gone; a final NOTIFY that comes within
//! [`Settings::transfer_grace`](crate::Settings::transfer_grace) still says which, and the log row
//! waits for it. Nothing else changes an end once written: a late answer makes it one, and a late refusal of what was
//! handed over says that the caller may be nowhere by now, and is told also when the row is written already.
//!
//! The network's news names the call and not the transfer, so it is taken for the one asked for last.
//!
//! Not here: what comes before the REFER (`grace`, `queue`), and the second leg of an attended
//! transfer (`attended`).

use std::time::Duration;

use ipc::{
    CallRef, CommandError, EndStatus, LogRow, LogTransfer, NoticeKind, Party, RecallReason, RecallWhy,
    TransferEnd, TransferId, TransferKind,
};

use crate::call::{Call, Farewell, Ms, Past, State};
use crate::ledger::{Before, Departed, Entrusted, Entry, Place, Stage, Target};
use crate::switchboard::{Switchboard, span};
use crate::{Effect, TransferResult, number, record};

/// How long the answer to [`Effect::GiveUpTransfer`] is waited for; it comes sooner.
const ASKED_IN_VAIN: Duration = Duration::from_secs(3);

/// How long after its row is written a call's transfer may still be told to have been refused; the user agent hears no
/// longer of a call that is over (64 T1, 32 s).
const ENTRUSTED: Duration = Duration::from_secs(30);

/// What an exchange says of a target that it called no longer because the caller had given up.
const CALLER_GAVE_UP: u16 = 487;

impl Switchboard {
    /// Begins a transfer of a call that talks, is on hold, or came back as a recall; the caller has
    /// checked that. `to` has a cleaned number (otherwise nothing happens).
    ///
    /// A blind transfer to a busy phone waits (PRE-6); one that was wished for by the operator can be
    /// undone for a while; any other is asked for at once.
    pub(crate) fn begin_transfer(&mut self, now: Ms, call: CallRef, kind: TransferKind, to: Party) {
        let Some(number) = to.number.clone() else { return };
        let Some(id) = self.open_entry(now, call, kind, to, Target::Number(number.clone())) else { return };
        let undo = match kind {
            TransferKind::Blind | TransferKind::Attended | TransferKind::Voicemail | TransferKind::Park => {
                self.settings.timers.undo_ms
            }
            TransferKind::SemiAttended | TransferKind::Forward | TransferKind::Rule => 0,
        };
        let waits = kind == TransferKind::Blind && self.must_wait(&number);
        if (waits || undo > 0) && kind != TransferKind::Park {
            self.emit(Effect::IdentifyTarget { transfer: id, number });
        }
        if waits {
            self.wait(now, id);
        } else if undo > 0 {
            self.begin_grace(now, id);
        } else {
            self.refer(now, id);
        }
    }

    /// Transfers a call that is answered and waits on hold or as a recall, by a rule: at once, and
    /// without waiting for a busy phone. `to` is cleaned. `false` when the call is in no such state;
    /// then nothing has changed.
    ///
    /// `kind` is [`TransferKind::Rule`], or [`TransferKind::Voicemail`] when `to` is a mailbox.
    pub(crate) fn transfer_by_rule(
        &mut self,
        now: Ms,
        call: CallRef,
        to: String,
        kind: TransferKind,
    ) -> bool {
        let waits = |c: &Call| matches!(c.state(), State::Held | State::Recalling);
        if !self.calls.get(&call).is_some_and(waits) {
            return false;
        }
        let party = Party { number: Some(to.clone()), ..Party::default() };
        let id = self.open_entry(now, call, kind, party, Target::Number(to));
        if let Some(id) = id {
            self.refer(now, id);
        }
        id.is_some()
    }

    /// A number to transfer to: cleaned, and none of our own lines, which would ring here again.
    /// URIs are not compared: whether a domain is ours is the exchange's business.
    ///
    /// # Errors
    /// [`CommandError::BadNumber`], [`CommandError::OwnNumber`].
    pub(crate) fn foreign_number(&self, typed: &str) -> Result<String, CommandError> {
        let cleaned = number::clean(typed)?;
        let is_it = |line: &crate::Line| number::clean(&line.number).is_ok_and(|own| own == cleaned);
        if self.settings.lines.iter().any(is_it) {
            return Err(CommandError::OwnNumber { number: cleaned });
        }
        Ok(cleaned)
    }

    /// Writes a new entry, takes the ear from the call and puts it on hold. The caller says by which
    /// stage it begins. `None` when there is no such call.
    pub(crate) fn open_entry(
        &mut self,
        now: Ms,
        call: CallRef,
        kind: TransferKind,
        to: Party,
        target: Target,
    ) -> Option<TransferId> {
        let moved = self.calls.get_mut(&call)?;
        let before = Before {
            talked: (self.talk == Some(call)).then_some(call),
            recalling: moved.state() == State::Recalling,
            recall: moved.recall.take(),
            waited_for: moved.waited_for.take(),
        };
        let who = moved.party.clone();
        if before.talked.is_some() {
            self.talk = None;
        }
        self.ask_hold(call);
        let id = self.ledger.draw();
        let entry = Entry {
            call,
            who,
            to,
            target,
            kind,
            since: now,
            stage: Stage::Grace,
            place: Place::default(),
            ended: None,
            due: None,
            overdue: false,
            before,
            consultation: None,
        };
        self.ledger.entries.insert(id, entry);
        Some(id)
    }

    /// Asks the exchange.
    pub(crate) fn refer(&mut self, now: Ms, id: TransferId) {
        let due = now + span(self.settings.transfer_timeout);
        let Some(entry) = self.ledger.entries.get_mut(&id) else { return };
        entry.stage = Stage::Requested;
        entry.due = Some(due);
        let (call, target) = (entry.call, entry.target.clone());
        self.enter(now, call, State::Transferring(id));
        self.emit(match target {
            Target::Number(to) => Effect::Refer { call, transfer: id, to },
            Target::Call(to) => Effect::ReferToCall { call, transfer: id, to },
        });
    }

    pub(crate) fn transfer_progress(&mut self, now: Ms, call: CallRef, code: u16) {
        let stage = match code {
            100..180 => Stage::Trying,
            180..200 => Stage::Ringing,
            _ => return,
        };
        let Some(State::Transferring(id)) = self.calls.get(&call).map(Call::state) else { return };
        let due = now + span(self.settings.transfer_timeout);
        if let Some(entry) = self.ledger.entries.get_mut(&id)
            && entry.stage < stage
        {
            entry.stage = stage;
            entry.due = Some(due);
            entry.overdue = false;
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
                self.return_to_desk(now, id, TransferEnd::Refused { code: code.clamp(300, 699) });
            }
            (State::Transferring(id), TransferResult::Silent) => {
                self.return_to_desk(now, id, TransferEnd::TimedOut);
            }
            // A target answered after we had given up on it and before the operator took the
            // recall. Another target may have been tried, and have refused, in between, or was about
            // to be asked for.
            (State::Recalling, _) if answered && self.was_given_up(call) => {
                self.revise(now, call);
                self.hang_up(now, call, Farewell::Transferred);
            }
            (State::Grace(next) | State::Waiting(next), _) if answered && self.was_given_up(call) => {
                self.close(now, next, TransferEnd::Undone);
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
        let end = self.called_off(transfer);
        self.close(now, transfer, end);
        self.retrieve(now, call);
    }

    /// The operator hangs up a call that is being transferred. What the exchange has accepted goes
    /// on without us; before that the transfer is off.
    pub(crate) fn hang_up_transfer(&mut self, now: Ms, call: CallRef, transfer: TransferId) {
        if self.accepted(transfer) {
            self.close(now, transfer, TransferEnd::HandedOver);
            self.hang_up(now, call, Farewell::Transferred);
        } else {
            let end = self.called_off(transfer);
            self.close(now, transfer, end);
            self.hang_up(now, call, Farewell::HungUp);
        }
    }

    /// The call is about to leave the desk: ends its open transfer. `true` when a final NOTIFY may
    /// still change what became of a transfer.
    pub(crate) fn end_transfer_of_gone_call(&mut self, now: Ms, call: CallRef) -> bool {
        match self.calls.get(&call).map(Call::state) {
            Some(State::Transferring(id)) => {
                let accepted = self.accepted(id) || self.consultation_is_over(id);
                let end = if accepted { TransferEnd::HandedOver } else { TransferEnd::Abandoned };
                self.close(now, id, end);
                true
            }
            Some(State::Grace(id) | State::Waiting(id)) => {
                self.close(now, id, TransferEnd::Abandoned);
                self.was_given_up(call)
            }
            Some(State::Recalling) => self.was_given_up(call),
            // Hung up here while the exchange was at it.
            Some(State::Ending { why: Farewell::Transferred, .. }) => {
                self.last_end(call) == Some(TransferEnd::HandedOver)
            }
            _ => false,
        }
    }

    /// Keeps the log row of a transferred call until its fate is final.
    pub(crate) fn keep_for_late_news(&mut self, now: Ms, call: &Call, row: LogRow) {
        let until = now + span(self.settings.transfer_grace);
        self.ledger.departed.insert(call.id, Departed { row, unsure: call.unsure(), until });
    }

    pub(crate) fn target_identified(&mut self, transfer: TransferId, party: Party) {
        let Some(entry) = self.ledger.entries.get_mut(&transfer) else { return };
        // A slot has its name from the settings.
        if entry.kind == TransferKind::Park {
            return;
        }
        let (call, nameless) = (entry.call, std::mem::replace(&mut entry.to, party.clone()));
        if let Some(call) = self.calls.get_mut(&call) {
            let from = call.recall.iter_mut().map(|r| &mut r.from);
            for to in from.chain(&mut call.waited_for) {
                if *to == nameless {
                    *to = party.clone();
                }
            }
            if let Some(last) = call.transfers.last_mut().filter(|t| t.log.to == nameless) {
                last.log.to = party;
            }
        } else if let Some(departed) = self.ledger.departed.get_mut(&call)
            && let Some(last) = departed.row.transfers.last_mut()
        {
            last.to = party;
        }
        self.touch();
    }

    pub(crate) fn expire_transfers(&mut self, now: Ms) {
        let due = self.ledger.entries.iter().filter(|(_, e)| e.due.is_some_and(|due| due <= now));
        let due: Vec<(TransferId, CallRef, Option<Stage>)> =
            due.map(|(id, e)| (*id, e.call, e.ended.is_none().then_some(e.stage))).collect();
        for (id, call, open) in due {
            match open {
                None => self.retire(now, id, call),
                Some(Stage::Grace) => self.end_grace(now, id),
                Some(Stage::Waiting) => self.bring_back(now, id, TransferEnd::TimedOut, RecallWhy::Waiting),
                Some(Stage::Requested | Stage::Trying | Stage::Ringing) => self.time_out(now, id, call),
            }
        }
        let due = self.ledger.departed.iter().filter(|(_, d)| d.until <= now);
        for call in due.map(|(call, _)| *call).collect::<Vec<_>>() {
            if let Some(departed) = self.ledger.departed.remove(&call) {
                self.entrust(now, call, &departed);
                self.log(departed.row);
            }
        }
        self.ledger.entrusted.retain(|_, entrusted| now <= entrusted.until);
    }

    /// A transfer has taken too long. An exchange that has connected the caller with a mailbox may have said nothing, and
    /// have nobody on our leg: so before the call rings again, it is asked whether it is still one.
    fn time_out(&mut self, now: Ms, id: TransferId, call: CallRef) {
        match self.ledger.entries.get_mut(&id) {
            Some(entry) if !entry.overdue => {
                entry.overdue = true;
                entry.due = Some(now + span(ASKED_IN_VAIN));
                self.emit(Effect::GiveUpTransfer { call });
            }
            _ => self.return_to_desk(now, id, TransferEnd::TimedOut),
        }
    }

    /// Takes an ended entry out of the view, unless its call still rings because of it.
    fn retire(&mut self, now: Ms, id: TransferId, call: CallRef) {
        let recalling = self.calls.get(&call).is_some_and(|c| c.state() == State::Recalling);
        if recalling && let Some(entry) = self.ledger.entries.get_mut(&id) {
            entry.due = Some(now + span(self.settings.notice_time).max(1));
        } else {
            self.ledger.entries.remove(&id);
            self.touch();
        }
    }

    /// Writes the end of a transfer into the ledger and the call, and lets the consultation call go.
    pub(crate) fn close(&mut self, now: Ms, id: TransferId, end: TransferEnd) {
        let due = now + span(self.settings.notice_time);
        let Some(entry) = self.ledger.entries.get_mut(&id) else { return };
        entry.ended = Some((end.clone(), now));
        entry.due = Some(due);
        let (call, to, kind, took_ms) = (entry.call, entry.to.clone(), entry.kind, now - entry.since);
        let asked = entry.stage >= Stage::Requested;
        if let Some(call) = self.calls.get_mut(&call) {
            call.add_transfer(Past { log: LogTransfer { to, kind, end, took_ms }, asked });
        }
        self.release_consultation(now, id);
        self.note_parking(now, call);
        self.ledger.drop_oldest_ended();
        self.touch();
    }

    /// A transfer that was asked for found nobody.
    fn return_to_desk(&mut self, now: Ms, id: TransferId, end: TransferEnd) {
        self.bring_back(now, id, end.clone(), RecallWhy::Transfer(end));
    }

    /// A transfer is over and its call rings at the desk again.
    pub(crate) fn bring_back(&mut self, now: Ms, id: TransferId, end: TransferEnd, why: RecallWhy) {
        self.close(now, id, end);
        let Some(entry) = self.ledger.entries.get(&id) else { return };
        let (call, from) = (entry.call, entry.to.clone());
        self.recall(now, call, RecallReason { from, why });
    }

    /// The final NOTIFY for a call that has left the desk already.
    fn late_news(&mut self, now: Ms, call: CallRef, result: TransferResult) {
        let Some(mut departed) = self.ledger.departed.remove(&call) else {
            return self.latest_news(now, call, &result);
        };
        if result == TransferResult::Silent {
            self.entrust(now, call, &departed);
        }
        let unsure = departed.unsure.and_then(|at| departed.row.transfers.get_mut(at));
        match (result, unsure) {
            (TransferResult::Answered, Some(transfer)) => {
                transfer.end = TransferEnd::Answered;
                departed.row.end = record::success(transfer.kind);
                self.revise_entry(now, call);
            }
            (TransferResult::Refused { code }, unsure) => {
                let lost = |t: &&mut LogTransfer| t.end == TransferEnd::HandedOver && code != CALLER_GAVE_UP;
                if let Some(transfer) = unsure.filter(lost) {
                    let code = code.clamp(300, 699);
                    transfer.end = TransferEnd::Refused { code };
                    departed.row.end = EndStatus::Failed;
                    let (who, to) = (departed.row.party.clone(), transfer.to.clone());
                    self.lose_entry(call);
                    self.notify(now, NoticeKind::TransferLost { who, to, code });
                }
                self.parking_refused(call);
            }
            _ => {}
        }
        self.log(departed.row);
    }

    /// The row of a call is written: its caller was handed over, as far as is known.
    fn entrust(&mut self, now: Ms, call: CallRef, departed: &Departed) {
        let transfer = departed.unsure.and_then(|at| departed.row.transfers.get(at));
        if let Some(transfer) = transfer.filter(|transfer| transfer.end == TransferEnd::HandedOver) {
            let (who, to) = (departed.row.party.clone(), transfer.to.clone());
            self.ledger.entrusted.insert(call, Entrusted { who, to, until: now + span(ENTRUSTED) });
        }
    }

    /// What the network tells of a call whose row is written.
    fn latest_news(&mut self, now: Ms, call: CallRef, result: &TransferResult) {
        let Some(Entrusted { who, to, until }) = self.ledger.entrusted.remove(&call) else { return };
        if let TransferResult::Refused { code } = *result
            && code != CALLER_GAVE_UP
            && now <= until
        {
            self.notify(now, NoticeKind::TransferLost { who, to, code: code.clamp(300, 699) });
            self.parking_refused(call);
        }
    }

    /// A notice says what became of the transfer, until it is read.
    fn lose_entry(&mut self, call: CallRef) {
        if let Some(id) = self.ledger.newest_unsure_of(call) {
            self.ledger.entries.remove(&id);
            self.touch();
        }
    }

    /// Writes the log rows that were kept for the last word on a transfer: it does not come any more.
    pub(crate) fn close_books(&mut self) {
        let consultations = self.ledger.entries.values_mut().filter_map(|entry| entry.consultation.take());
        let consultations: Vec<LogRow> = consultations.collect();
        let departed = std::mem::take(&mut self.ledger.departed);
        for row in departed.into_values().map(|departed| departed.row).chain(consultations) {
            self.log(row);
        }
    }

    /// The target did answer, although the transfer was written off.
    fn revise(&mut self, now: Ms, call: CallRef) {
        if let Some(call) = self.calls.get_mut(&call) {
            call.recall = None;
            if let Some(at) = call.unsure() {
                call.transfers[at].log.end = TransferEnd::Answered;
            }
        }
        self.revise_entry(now, call);
    }

    fn revise_entry(&mut self, now: Ms, call: CallRef) {
        let due = now + span(self.settings.notice_time);
        if let Some(id) = self.ledger.newest_unsure_of(call)
            && let Some(entry) = self.ledger.entries.get_mut(&id)
        {
            entry.ended = Some((TransferEnd::Answered, now));
            entry.due = Some(due);
            self.release_late(now, id);
        }
        self.note_parking(now, call);
        self.touch();
    }

    fn accepted(&self, id: TransferId) -> bool {
        self.ledger.stage(id) > Some(Stage::Requested)
    }

    /// How a transfer ends that the operator calls off.
    fn called_off(&self, id: TransferId) -> TransferEnd {
        match self.ledger.stage(id) {
            Some(Stage::Grace) => TransferEnd::Undone,
            _ => TransferEnd::TakenBack,
        }
    }

    fn was_given_up(&self, call: CallRef) -> bool {
        let gave_up = |t: &Past| t.asked && t.log.end == TransferEnd::TimedOut;
        self.calls.get(&call).is_some_and(|c| c.transfers.iter().any(gave_up))
    }

    fn last_end(&self, call: CallRef) -> Option<TransferEnd> {
        self.calls.get(&call)?.transfers.last().map(|t| t.log.end.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use ipc::{Command, LampState, Timers, TransferState};

    use super::*;
    use crate::{Input, Settings};

    /// Neither a grace nor a busy phone holds up a rule; a call that somebody talks to is not its
    /// business.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test's clock has to begin somewhere")]
    fn a_rule_transfers_at_once_what_waits() {
        let now = Instant::now();
        let timers = Timers { undo_ms: 2_000, ..Timers::default() };
        let mut desk = Switchboard::new(Settings { timers, ..Settings::default() }, now);
        let (call, number) = (desk.next_call(), String::from("2110"));
        let caller = Party { number: Some("1".into()), ..Party::default() };
        let called_number = String::from("5550100");
        desk.handle(
            now,
            Input::Lamp {
                number: number.clone(),
                state: LampState::Busy,
                calls: 1,
                peer: None,
                talks: Vec::new(),
            },
        );
        desk.handle(now, Input::Incoming { call, caller, called_number, diverted_by: None, replaces: None });
        assert!(!desk.transfer_by_rule(0, call, number.clone(), TransferKind::Rule), "it rings");
        assert_eq!(desk.command(now, &Command::Answer { call }), Ok(()));
        desk.handle(now, Input::Confirmed { call });
        assert!(!desk.transfer_by_rule(0, call, number.clone(), TransferKind::Rule), "it talks");
        assert_eq!(desk.view(now).transfers, []);
        assert_eq!(desk.command(now, &Command::Hold { call }), Ok(()));
        while desk.poll_effect().is_some() {}
        assert!(desk.transfer_by_rule(0, call, number.clone(), TransferKind::Rule));
        let referred = desk.poll_effect();
        assert!(matches!(referred, Some(Effect::Refer { to, .. }) if to == number));
        desk.verify_invariants();
        let entry = desk.view(now).transfers.remove(0);
        assert_eq!((entry.kind, entry.state), (TransferKind::Rule, TransferState::Requested));
        desk.handle(now + Duration::from_secs(30), Input::Deadline);
        let asked = std::iter::from_fn(|| desk.poll_effect()).any(|e| e == Effect::GiveUpTransfer { call });
        assert!(asked, "is the caller still there?");
        desk.handle(now + Duration::from_secs(33), Input::Deadline);
        assert!(desk.calls.get(&call).is_some_and(|c| c.state() == State::Recalling), "nobody took it");
    }
}
