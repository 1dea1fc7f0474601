//! What the operator wants: guarded by the same table of actions that the screen shows.

use ipc::{Action, CallRef, Command, CommandError, HookAction, Registration, TransferKind};

use crate::Effect;
use crate::call::{Call, Farewell, Ms, State};
use crate::number;
use crate::switchboard::Switchboard;

impl Switchboard {
    pub(crate) fn obey(&mut self, now: Ms, command: &Command) -> Result<(), CommandError> {
        match command {
            Command::Answer { call } => self.do_answer(now, *call),
            Command::Reject { call } => self.do_reject(now, *call),
            Command::Hold { call } => self.do_hold(now, *call),
            Command::Retrieve { call } => self.do_retrieve(now, *call),
            Command::HangUp { call } => self.do_hang_up(now, *call),
            Command::Dial { number, line } => self.do_dial(now, number, line.as_deref()),
            Command::BlindTransfer { call, to } => self.do_transfer(now, *call, TransferKind::Blind, to),
            Command::VoicemailTransfer { call, to } => {
                self.do_transfer(now, *call, TransferKind::Voicemail, to)
            }
            Command::AttendedTransfer { call, to } => self.do_attended_transfer(now, *call, *to),
            Command::UndoTransfer { call } => self.do_undo_transfer(now, *call),
            Command::TransferNow { call } => self.do_transfer_now(now, *call),
            Command::WaitAgain { call } => self.do_wait_again(now, *call),
            Command::Digits { call, digits } => self.do_digits(*call, digits),
            Command::Hook { action } => self.do_hook(now, *action),
            Command::DismissTransfer { transfer } => {
                let done = self.ledger.dismiss(*transfer);
                self.touch();
                if done { Ok(()) } else { Err(CommandError::NotPossible) }
            }
            for_the_desk => self.obey_for_desk(for_the_desk),
        }
    }

    /// Wishes that concern no call.
    fn obey_for_desk(&mut self, command: &Command) -> Result<(), CommandError> {
        let preferences = self.desk.preferences;
        match command {
            Command::SetAvailability { availability } => self.set_availability(*availability),
            Command::Mute { on } => self.set_mute(*on),
            Command::Register { on } => self.emit(Effect::Register(*on)),
            Command::Audio { on } => self.emit(Effect::Audio(*on)),
            Command::ShowDirectory { directory } if self.show_directory(*directory) => {}
            Command::ShowDirectory { .. } => {
                return Err(CommandError::Failed { reason: "there is no such directory".to_owned() });
            }
            Command::SetLanguage { language } => {
                self.choose(ipc::Preferences { language: *language, ..preferences });
            }
            Command::SetTheme { theme } => self.choose(ipc::Preferences { theme: *theme, ..preferences }),
            Command::DismissNotice { notice } => self.dismiss_notice(*notice),
            Command::ClearMissed => self.set_missed(0),
            // What is left is the wiring's business.
            _ => return Err(CommandError::NotPossible),
        }
        Ok(())
    }

    fn do_answer(&mut self, now: Ms, call: CallRef) -> Result<(), CommandError> {
        self.guard(call, Action::Answer)?;
        self.answer(now, call);
        Ok(())
    }

    fn do_reject(&mut self, now: Ms, call: CallRef) -> Result<(), CommandError> {
        self.guard(call, Action::Reject)?;
        self.reject(now, call);
        Ok(())
    }

    /// A talking call, or a recall that shall stop ringing.
    fn do_hold(&mut self, now: Ms, call: CallRef) -> Result<(), CommandError> {
        self.guard(call, Action::Hold)?;
        if self.talk == Some(call) {
            self.free_ear(now);
        } else {
            self.put_on_hold(now, call);
        }
        Ok(())
    }

    fn do_retrieve(&mut self, now: Ms, call: CallRef) -> Result<(), CommandError> {
        self.guard(call, Action::Retrieve)?;
        match self.calls.get(&call).and_then(Call::open_transfer) {
            Some(transfer) => self.take_back(now, call, transfer),
            None => self.retrieve(now, call),
        }
        Ok(())
    }

    fn do_hang_up(&mut self, now: Ms, call: CallRef) -> Result<(), CommandError> {
        match self.calls.get(&call).map(Call::state) {
            None => return Err(CommandError::NoSuchCall),
            Some(State::Ending { .. } | State::Target(_)) => return Err(CommandError::NotPossible),
            Some(State::Ringing) => self.reject(now, call),
            Some(State::Grace(transfer) | State::Waiting(transfer) | State::Transferring(transfer)) => {
                self.hang_up_transfer(now, call, transfer);
            }
            Some(_) => self.hang_up(now, call, Farewell::HungUp),
        }
        Ok(())
    }

    fn do_dial(&mut self, now: Ms, number: &str, line: Option<&str>) -> Result<(), CommandError> {
        let number = number::clean(number)?;
        let lines = &self.desk.lines;
        let line = match line {
            Some(number) => lines.iter().position(|l| l.number == number),
            None => (!lines.is_empty()).then_some(0),
        };
        let line = line.ok_or(CommandError::NoLine)?;
        if lines[line].registration != Registration::Registered {
            return Err(CommandError::NotRegistered);
        }
        self.dial(now, number, line)
    }

    fn do_digits(&mut self, call: CallRef, digits: &str) -> Result<(), CommandError> {
        self.guard(call, Action::Digits)?;
        let bad = || CommandError::BadNumber { number: digits.chars().take(64).collect() };
        let digits = number::dtmf(digits).ok_or_else(bad)?;
        self.emit(Effect::Digits { call, digits });
        Ok(())
    }

    fn do_hook(&mut self, now: Ms, action: HookAction) -> Result<(), CommandError> {
        match action {
            HookAction::OffHook => {
                let call = self.first_ringing().ok_or(CommandError::NothingToDo)?;
                self.do_answer(now, call)
            }
            HookAction::HangUpActive | HookAction::OnHook => {
                let call = self.talk.ok_or(CommandError::NothingToDo)?;
                self.do_hang_up(now, call)
            }
            HookAction::Next => self.do_next(now),
            _ => Err(CommandError::NothingToDo),
        }
    }

    /// F9: answer the first ringing call, else retrieve the one longest on hold, else hold the
    /// active one.
    fn do_next(&mut self, now: Ms) -> Result<(), CommandError> {
        if let Some(call) = self.first_ringing() {
            return self.do_answer(now, call);
        }
        if let Some(call) = self.longest_held() {
            return self.do_retrieve(now, call);
        }
        let talking = |call: &CallRef| self.calls.get(call).is_some_and(|c| c.allows(Action::Hold));
        let call = self.talk.filter(talking).ok_or(CommandError::NothingToDo)?;
        self.do_hold(now, call)
    }

    pub(crate) fn guard(&self, call: CallRef, action: Action) -> Result<(), CommandError> {
        let call = self.calls.get(&call).ok_or(CommandError::NoSuchCall)?;
        if call.allows(action) { Ok(()) } else { Err(CommandError::NotPossible) }
    }

    fn first_ringing(&self) -> Option<CallRef> {
        self.calls.values().filter(|c| c.rings()).min_by_key(|c| c.order()).map(|c| c.id)
    }

    fn longest_held(&self) -> Option<CallRef> {
        let held = self.calls.values().filter(|c| c.state() == State::Held);
        held.min_by_key(|c| (c.times.held_since(), c.id)).map(|c| c.id)
    }
}
