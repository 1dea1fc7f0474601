//! A reminder is written or changed (REM-1). It lies over the directory and stays until the desk has taken it, or says
//! why not; what was typed is lost only when the operator says so.

use chrono::NaiveDateTime;
use ipc::{
    Command, CommandError, MAX_REMINDER_PARTY, MAX_REMINDER_TEXT, Reminder, ReminderForm, ReminderId,
    ReminderProblem, ReminderWish,
};
use slint::ComponentHandle;

use super::Desk;
use super::leaving::{self, DISCARD, KEEP_ON, SAVE};
use crate::keys::ConsoleKey;
use crate::models::reminder_time::{
    now, on_the_wall, read, shown, soon, step, step_day, today, tomorrow, unix_ms, usual, when,
};
use crate::screen::{FocusPlace, ReminderEditor, ReminderFault};

/// The reminder being written.
pub(crate) struct Editing {
    /// `None` for a new one.
    id: Option<ReminderId>,
    /// As it was opened.
    before: ReminderForm,
    /// When, on the wall.
    at: NaiveDateTime,
    /// Somebody has chosen a day or a time here: until then it is exactly as it was.
    is_chosen: bool,
    /// What is typed for the time is one.
    is_time: bool,
    /// The command that is with the desk.
    seq: Option<u64>,
}

// Opened and closed.
impl Desk {
    /// A new reminder, to call somebody where there is a number.
    pub(crate) fn open_new_reminder(&mut self, name: &str, number: &str) {
        let at = usual(now());
        let what = ReminderForm {
            due_unix_ms: unix_ms(at),
            number: number.to_owned(),
            name: name.to_owned(),
            ..ReminderForm::default()
        };
        self.edit_this(None, what);
    }

    /// One that is there.
    pub(crate) fn open_reminder_editor(&mut self, reminder: &Reminder) {
        self.edit_this(Some(reminder.id), reminder.what.clone());
    }

    fn edit_this(&mut self, id: Option<ReminderId>, before: ReminderForm) {
        // What is being written stays; its owner is asked.
        if self.reminder_editor_is_open() && !self.leave_reminder_editor() {
            return;
        }
        let editor = self.app.global::<ReminderEditor>();
        editor.set_is_new(id.is_none());
        editor.set_text(before.text.as_str().into());
        editor.set_number(before.number.as_str().into());
        editor.set_name(before.name.as_str().into());
        let at = on_the_wall(before.due_unix_ms);
        self.reminder_editor = Some(Editing { id, before, at, is_chosen: false, is_time: true, seq: None });
        editor.set_time(shown(at.time()).into());
        self.show_reminder_editor(ReminderFault::None, "");
        editor.set_open(true);
    }

    pub(crate) fn reminder_editor_is_open(&self) -> bool {
        self.reminder_editor.is_some()
    }

    /// Escape, the cross, Cancel, and beside the form: asks first where something would be lost.
    pub(crate) fn close_reminder_editor(&mut self) {
        self.leave_reminder_editor();
    }

    /// Closes the form where nothing is lost by that, else asks. `false` when it stays.
    pub(crate) fn leave_reminder_editor(&mut self) -> bool {
        let editor = self.app.global::<ReminderEditor>();
        if self.reminder_is_changed() {
            if editor.get_asks() {
                self.keep_editing_reminder();
            } else {
                editor.set_answer(KEEP_ON);
                editor.set_asks(true);
                self.focus(FocusPlace::Nowhere);
            }
            return false;
        }
        self.discard_reminder();
        true
    }

    /// What was changed may be lost.
    pub(crate) fn discard_reminder(&mut self) {
        if self.reminder_editor.take().is_some() {
            let editor = self.app.global::<ReminderEditor>();
            editor.set_asks(false);
            editor.set_open(false);
            self.focus(FocusPlace::Nowhere);
        }
    }

    pub(crate) fn keep_editing_reminder(&mut self) {
        self.app.global::<ReminderEditor>().set_asks(false);
    }

    /// Save, and then leave: what is wrong in the form keeps one in it.
    pub(crate) fn save_reminder_and_leave(&mut self) {
        self.keep_editing_reminder();
        self.save_reminder();
    }

    /// Takes the reminder away that is being changed.
    pub(crate) fn remove_edited_reminder(&mut self) {
        if let Some(id) = self.reminder_editor.as_ref().and_then(|editing| editing.id) {
            self.discard_reminder();
            self.remove_reminders(vec![id]);
        }
    }

    fn reminder_is_changed(&self) -> bool {
        self.reminder_editor.as_ref().is_some_and(|editing| {
            let before = &editing.before;
            let new = editing.id.is_none() && before.number.is_empty();
            let written = self.reminder_form(editing);
            // The time alone of a new one was not much work.
            !editing.is_time
                || if new {
                    !written.text.is_empty() || !written.number.is_empty() || !written.name.is_empty()
                } else {
                    written != *before
                }
        })
    }
}

// What is written.
impl Desk {
    /// A letter more or less: what was wrong may be right now.
    pub(crate) fn reminder_edited(&mut self) {
        self.show_reminder_editor(ReminderFault::None, "");
    }

    /// The time is typed.
    pub(crate) fn reminder_time_edited(&mut self, text: &str) {
        if let Some(editing) = self.reminder_editor.as_mut() {
            let time = read(text);
            editing.is_time = time.is_some();
            editing.is_chosen = true;
            if let Some(time) = time {
                editing.at = editing.at.date().and_time(time);
            }
        }
        self.show_reminder_editor(ReminderFault::None, "");
    }

    pub(crate) fn step_reminder(&mut self, minutes: i32) {
        self.choose_reminder_time(|at| step(at, minutes));
    }

    pub(crate) fn step_reminder_day(&mut self, days: i32) {
        self.choose_reminder_time(|at| step_day(at.date(), days, now().date()).and_time(at.time()));
    }

    pub(crate) fn remind_soon(&mut self, minutes: i32) {
        self.choose_reminder_time(|_| soon(now(), minutes));
    }

    pub(crate) fn remind_today(&mut self) {
        self.choose_reminder_time(|at| today(now()).unwrap_or(at));
    }

    pub(crate) fn remind_tomorrow(&mut self) {
        self.choose_reminder_time(|_| tomorrow(now()));
    }

    fn choose_reminder_time(&mut self, choose: impl FnOnce(NaiveDateTime) -> NaiveDateTime) {
        if let Some(editing) = self.reminder_editor.as_mut() {
            editing.at = choose(editing.at);
            editing.is_chosen = true;
            editing.is_time = true;
            self.app.global::<ReminderEditor>().set_time(shown(editing.at.time()).into());
        }
        self.show_reminder_editor(ReminderFault::None, "");
    }

    /// Has the desk keep it.
    pub(crate) fn save_reminder(&mut self) {
        let Some(editing) = self.reminder_editor.as_ref().filter(|editing| editing.seq.is_none()) else {
            return;
        };
        let what = self.reminder_form(editing);
        let is_as_it_was = editing.id.is_some() && what.due_unix_ms == editing.before.due_unix_ms;
        let fault = if what.text.is_empty() && what.number.is_empty() {
            ReminderFault::Empty
        } else if what.text.len() > MAX_REMINDER_TEXT
            || what.number.len().max(what.name.len()) > MAX_REMINDER_PARTY
        {
            ReminderFault::TooLong
        } else if !editing.is_time {
            ReminderFault::NoTime
        } else if !is_as_it_was && what.due_unix_ms <= unix_ms(now()) {
            ReminderFault::Past
        } else {
            ReminderFault::None
        };
        if fault != ReminderFault::None {
            return self.show_reminder_editor(fault, "");
        }
        let wish = match editing.id {
            Some(_) if what == editing.before => return self.discard_reminder(),
            Some(id) => ReminderWish::Change { id, what },
            None => ReminderWish::Add(what),
        };
        let seq = self.outbox.command(Command::Reminder(wish)).ok();
        if let Some(editing) = self.reminder_editor.as_mut() {
            editing.seq = seq;
        }
        let fault = if seq.is_some() { ReminderFault::None } else { ReminderFault::Away };
        self.show_reminder_editor(fault, "");
    }

    /// Whether the desk took it. `false` when the answer was to something else.
    pub(crate) fn reminder_editor_done(&mut self, seq: u64, result: &Result<(), CommandError>) -> bool {
        let ours = |editing: &mut Editing| editing.seq.take_if(|asked| *asked == seq).is_some();
        if !self.reminder_editor.as_mut().is_some_and(ours) {
            return false;
        }
        match result {
            Ok(()) => self.discard_reminder(),
            Err(CommandError::Reminder(problem)) => {
                let fault = match problem {
                    ReminderProblem::Empty => ReminderFault::Empty,
                    ReminderProblem::TooLong => ReminderFault::TooLong,
                    ReminderProblem::BadTime => ReminderFault::BadTime,
                    ReminderProblem::Full => ReminderFault::Full,
                    ReminderProblem::Gone => ReminderFault::Gone,
                };
                self.show_reminder_editor(fault, "");
            }
            Err(error) => self.show_reminder_editor(ReminderFault::Failed, &error.to_string()),
        }
        true
    }

    /// What was on its way may have been kept or not; what is written stays.
    pub(crate) fn reminder_editor_disconnected(&mut self) {
        if self.reminder_editor.as_mut().is_some_and(|editing| editing.seq.take().is_some()) {
            self.show_reminder_editor(ReminderFault::Away, "");
        }
    }

    /// Tab and Shift+Tab among the answers to the question whether to leave. `false`: there is no such question, or it is
    /// another key.
    pub(crate) fn reminder_question_tab(&self, text: &str) -> bool {
        let editor = self.app.global::<ReminderEditor>();
        let moved = leaving::moved(editor.get_answer(), text, None);
        let Some(answer) = moved.filter(|_| self.reminder_editor.is_some() && editor.get_asks()) else {
            return false;
        };
        editor.set_answer(answer);
        true
    }

    /// A key while the form is open. `None`: it means what it means without.
    pub(crate) fn reminder_editor_key(&mut self, key: ConsoleKey) -> Option<bool> {
        self.reminder_editor.as_ref()?;
        let editor = self.app.global::<ReminderEditor>();
        if editor.get_asks() {
            let answer = editor.get_answer();
            match (leaving::moved(answer, "", Some(key)), key) {
                (Some(other), _) => editor.set_answer(other),
                (_, ConsoleKey::Enter) if answer == DISCARD => self.discard_reminder(),
                (_, ConsoleKey::Enter) if answer == SAVE => self.save_reminder_and_leave(),
                (_, ConsoleKey::Enter | ConsoleKey::Escape) => self.keep_editing_reminder(),
                // They move nothing below the question.
                (_, ConsoleKey::Up | ConsoleKey::Down) => {}
                _ => return None,
            }
            return Some(true);
        }
        match key {
            ConsoleKey::Up => self.step_reminder(5),
            ConsoleKey::Down => self.step_reminder(-5),
            ConsoleKey::Right => self.step_reminder(60),
            ConsoleKey::Left => self.step_reminder(-60),
            ConsoleKey::PageUp => self.step_reminder_day(1),
            ConsoleKey::PageDown => self.step_reminder_day(-1),
            ConsoleKey::Enter => self.save_reminder(),
            ConsoleKey::Escape => self.close_reminder_editor(),
            ConsoleKey::Home | ConsoleKey::End => {}
            // They lead away.
            ConsoleKey::Search
            | ConsoleKey::Find
            | ConsoleKey::Note
            | ConsoleKey::Reminders
            | ConsoleKey::Switch
                if !self.leave_reminder_editor() => {}
            _ => return None,
        }
        Some(true)
    }

    fn reminder_form(&self, editing: &Editing) -> ReminderForm {
        let editor = self.app.global::<ReminderEditor>();
        let due = if editing.is_chosen && editing.at != on_the_wall(editing.before.due_unix_ms) {
            unix_ms(editing.at)
        } else {
            editing.before.due_unix_ms
        };
        ReminderForm {
            text: editor.get_text().trim().to_owned(),
            due_unix_ms: due,
            number: editor.get_number().trim().to_owned(),
            name: editor.get_name().trim().to_owned(),
        }
    }

    fn show_reminder_editor(&self, fault: ReminderFault, reason: &str) {
        let Some(editing) = self.reminder_editor.as_ref() else { return };
        let (editor, now) = (self.app.global::<ReminderEditor>(), now());
        let is_unread = !editing.is_time && fault == ReminderFault::None;
        editor.set_fault(if is_unread { ReminderFault::NoTime } else { fault });
        editor.set_reason(self.storage_words(Some(reason).filter(|reason| !reason.is_empty())));
        editor.set_day(when(editing.at, now.date()));
        editor.set_today_time(today(now).map(|at| shown(at.time())).unwrap_or_default().into());
        editor.set_tomorrow_time(shown(tomorrow(now).time()).into());
        editor.set_waiting(editing.seq.is_some());
        editor.set_asks(false);
    }
}
