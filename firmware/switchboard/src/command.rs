//! What the operator wants: guarded by the same table of actions that the screen shows.

use ipc::{Action, CallRef, Command, CommandError, Registration, TransferKind};

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
            Command::MarkCall { call } => self.do_mark(*call),
            Command::Forward { call, to } => self.do_forward(now, *call, to),
            Command::Park { call, slot } => self.do_park(now, *call, slot.as_deref()),
            Command::Unpark { slot } => self.do_unpark(now, slot),
            Command::Intercept { number } => self.do_intercept(now, number),
            Command::TakeOver { number, talk } => self.do_take_over(now, number, *talk),
            Command::Conference { call } => self.do_conference(now, *call),
            Command::MuteMember { call, on } => self.do_mute_member(*call, *on),
            Command::SetService { mode } => {
                self.set_service(now, *mode);
                Ok(())
            }
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
        match command {
            Command::SetAvailability { availability } => self.set_availability(*availability),
            Command::Mute { on } => self.set_mute(*on),
            Command::SetVolumes { volumes } => self.set_volumes(*volumes),
            Command::Register { on } => self.emit(Effect::Register(*on)),
            Command::Audio { on } => self.emit(Effect::Audio(*on)),
            Command::ShowDirectory { directory } if self.show_directory(*directory) => {}
            Command::ShowDirectory { .. } => {
                return Err(CommandError::Failed { reason: "there is no such directory".to_owned() });
            }
            Command::SetLanguage { language } => {
                self.choose(ipc::Preferences { language: *language, ..self.desk.preferences.clone() });
            }
            Command::SetTheme { theme } => {
                self.choose(ipc::Preferences { theme: *theme, ..self.desk.preferences.clone() });
            }
            Command::SetLockAfter { minutes } => {
                let lock_after_min = (*minutes).min(ipc::MAX_LOCK_AFTER);
                self.choose(ipc::Preferences { lock_after_min, ..self.desk.preferences.clone() });
            }
            Command::SavePreferences(wish) => {
                fit(&wish.shortcuts)?;
                self.choose(granted(&self.desk.preferences, wish.clone()));
            }
            Command::DismissNotice { notice } => self.dismiss_notice(*notice),
            Command::DismissAlert { alert } => self.dismiss_alert(*alert),
            Command::ClearMissed => self.set_missed(0),
            // What is left is the wiring's business.
            _ => return Err(CommandError::NotPossible),
        }
        Ok(())
    }

    pub(crate) fn do_answer(&mut self, now: Ms, call: CallRef) -> Result<(), CommandError> {
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
    pub(crate) fn do_hold(&mut self, now: Ms, call: CallRef) -> Result<(), CommandError> {
        self.guard(call, Action::Hold)?;
        if self.talk == Some(call) {
            self.free_ear(now);
        } else {
            self.put_on_hold(now, call);
        }
        Ok(())
    }

    pub(crate) fn do_retrieve(&mut self, now: Ms, call: CallRef) -> Result<(), CommandError> {
        self.guard(call, Action::Retrieve)?;
        match self.calls.get(&call).and_then(Call::open_transfer) {
            Some(transfer) => self.take_back(now, call, transfer),
            None => self.retrieve(now, call),
        }
        Ok(())
    }

    pub(crate) fn do_hang_up(&mut self, now: Ms, call: CallRef) -> Result<(), CommandError> {
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

    fn do_mark(&mut self, call: CallRef) -> Result<(), CommandError> {
        self.guard(call, Action::Mark)?;
        if let Some(marked) = self.calls.get_mut(&call) {
            marked.marked = true;
        }
        self.touch();
        self.emit(Effect::Mark { call });
        Ok(())
    }

    /// Whether a screen offers the action: beyond the table, what the rest of the desk says. The
    /// commands answer with the reason why not.
    pub(crate) fn offers(&self, call: &Call, action: Action) -> bool {
        match action {
            Action::Park => !self.settings.park.is_empty(),
            Action::Conference => self.may_confer(call),
            _ => true,
        }
    }

    pub(crate) fn guard(&self, call: CallRef, action: Action) -> Result<(), CommandError> {
        let call = self.calls.get(&call).ok_or(CommandError::NoSuchCall)?;
        if call.allows(action) { Ok(()) } else { Err(CommandError::NotPossible) }
    }
}

/// What the settings wish, with what is not theirs to choose as it was.
fn granted(kept: &ipc::Preferences, wish: ipc::PreferencesWish) -> ipc::Preferences {
    let ipc::PreferencesWish { language, theme, shortcuts, lock_after_min, text_size, calm, speech, pace } =
        wish;
    let lock_after_min = lock_after_min.unwrap_or(kept.lock_after_min).min(ipc::MAX_LOCK_AFTER);
    let hold_alarm_ms = kept.hold_alarm_ms;
    ipc::Preferences {
        language,
        theme,
        hold_alarm_ms,
        lock_after_min,
        shortcuts,
        text_size,
        calm,
        speech,
        pace,
    }
}

/// Which actions and keys there are is the screen's to know; that they are few is checked here, since each view has them.
fn fit(shortcuts: &ipc::Shortcuts) -> Result<(), CommandError> {
    let (actions, keys) = ipc::MAX_SHORTCUTS;
    let is_name = |name: &String| !name.is_empty() && name.len() <= ipc::MAX_SHORTCUT_NAME;
    let all_fit =
        shortcuts.iter().all(|(action, of)| is_name(action) && of.len() <= keys && of.iter().all(is_name));
    if shortcuts.len() <= actions && all_fit {
        return Ok(());
    }
    let reason = format!(
        "at most {actions} actions with {keys} keys each, and names of {} bytes",
        ipc::MAX_SHORTCUT_NAME
    );
    Err(CommandError::Failed { reason })
}
