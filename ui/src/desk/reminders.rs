//! The reminders (REM-1): the list, what is due as notifications, and what is done with them.
//!
//! The desk keeps them and decides what is due; here it is shown. The list is asked for whenever the view says that it is
//! another one. What was removed can be had again until something else is removed.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use ipc::{Command, CommandError, Query, Reminder, ReminderId, ReminderWish, Reply, View};
use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use super::menu::{At, Choice, Row, entry};
use super::{Area, Desk};
use crate::keys::{ConsoleKey, KeyMap};
use crate::models::reminder_time::now;
use crate::models::reminders::{self, id_of};
use crate::models::rows;
use crate::screen::{self, App, FocusPlace, MenuEntry, MenuWord, ReminderCard, ReminderRow, Screen};

/// Minutes for which one can be put off.
const SNOOZES: [u16; 4] = [5, 10, 15, 60];
/// Rows a page key moves.
const PAGE_ROWS: usize = 6;

/// State of the reminders that is the screen's own.
pub(crate) struct Reminders {
    /// As they came last; `None` before.
    list: Option<Vec<Reminder>>,
    /// Which list that was.
    generation: u64,
    asked: Option<u64>,
    fault: Option<String>,
    rows: Rc<VecModel<ReminderRow>>,
    shown: Vec<ReminderRow>,
    cursor: Option<ReminderId>,
    cards: Rc<VecModel<ReminderCard>>,
    fit: usize,
    /// The card a finger went down on: what it does on its way up is done to this one.
    bound: Option<String>,
    /// What was removed last.
    removed: Vec<ReminderId>,
    /// On their way to the desk.
    sent: HashMap<u64, Sent>,
    /// The minute in which it was shown: days pass.
    minute: i64,
}

/// What was asked of the desk.
enum Sent {
    Remove(Vec<ReminderId>),
    Restore,
    Answer,
    /// To call somebody; once the call is on its way the reminder is done.
    Call(ReminderId),
}

/// What a row of a menu does.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Add,
    Edit(ReminderId),
    Finish(ReminderId),
    Snooze(ReminderId, u16),
    Remove(ReminderId),
    RemovePast,
    /// To call somebody back: their name and number.
    CallBack(String, String),
}

impl Reminders {
    pub(crate) fn new(app: &App) -> Self {
        let this = Self {
            list: None,
            generation: 0,
            asked: None,
            fault: None,
            rows: Rc::default(),
            shown: Vec::new(),
            cursor: None,
            cards: Rc::default(),
            fit: 1,
            bound: None,
            removed: Vec::new(),
            sent: HashMap::new(),
            minute: 0,
        };
        let global = app.global::<screen::Reminders>();
        global.set_rows(ModelRc::from(this.rows.clone()));
        global.set_cards(ModelRc::from(this.cards.clone()));
        this
    }
}

// The desk's side.
impl Desk {
    /// Asks for the list: at the start, after the connection was gone, and when it is another one.
    pub(crate) fn ask_reminders(&mut self) {
        self.reminders.generation = self.view.reminders.generation;
        self.reminders.asked = self.outbox.query(Query::Reminders).ok();
    }

    /// A new view: what is due may be something else, and the list another one.
    pub(crate) fn reminders_changed(&mut self, before: &View) {
        if self.view.reminders == before.reminders {
            return;
        }
        if self.view.reminders.generation != self.reminders.generation && self.connected {
            self.ask_reminders();
        }
        self.show_reminders();
    }

    /// True when this was the list, or a reminder as it is kept.
    pub(crate) fn reminders_arrived(&mut self, seq: u64, reply: &Reply) -> bool {
        match reply {
            Reply::Reminders(list) => {
                if self.reminders.asked.take_if(|asked| *asked == seq).is_some() {
                    self.reminders.list = Some(list.clone());
                    self.reminders.fault = None;
                    self.show_reminders();
                }
                true
            }
            Reply::Failed { reason } if self.reminders.asked.take_if(|asked| *asked == seq).is_some() => {
                self.reminders.fault = Some(reason.clone());
                self.show_reminders();
                true
            }
            // The list says the same.
            Reply::Reminder(_) => true,
            _ => false,
        }
    }

    /// True when this was the answer to something that was to be done with a reminder. A call that could not be begun is
    /// told like any other.
    pub(crate) fn reminder_done(&mut self, seq: u64, result: &Result<(), CommandError>) -> bool {
        match (self.reminders.sent.remove(&seq), result) {
            (None, _) => return self.reminder_editor_done(seq, result),
            (Some(Sent::Call(id)), Ok(())) => self.wish(ReminderWish::Finish { id }, Sent::Answer),
            (Some(Sent::Call(_)), Err(_)) => return false,
            (Some(Sent::Remove(ids)), Ok(())) => self.reminders.removed = ids,
            (Some(Sent::Restore), Ok(())) => self.reminders.removed.clear(),
            (Some(Sent::Answer), Ok(())) => {}
            (Some(_), Err(error)) => self.notice(Some(error)),
        }
        self.show_reminders();
        true
    }

    /// Nothing can be asked or done now.
    pub(crate) fn reminders_disconnected(&mut self) {
        self.reminders.asked = None;
        self.reminders.sent.clear();
        self.reminders.bound = None;
        self.reminder_editor_disconnected();
        self.show_reminders();
    }

    /// What runs with the clock: a new day begins.
    pub(crate) fn run_reminders(&mut self) {
        let minute = now().and_utc().timestamp() / 60;
        if self.reminders.minute != minute {
            self.reminders.minute = minute;
            self.show_reminders();
        }
    }

    /// How many notifications the screen has room for.
    pub(crate) fn fit_reminders(&mut self, count: i32) {
        self.reminders.fit = usize::try_from(count).unwrap_or(1).max(1);
        self.show_reminders();
    }

    pub(crate) fn show_reminders(&mut self) {
        let (view, today) = (&self.view.reminders, now().date());
        let list = self.reminders.list.as_deref().unwrap_or_default();
        // One that has been removed or answered a moment ago is not due any more, whatever an older view says.
        let due: HashSet<ReminderId> = view.due.iter().map(|reminder| reminder.id).collect();
        let wanted = reminders::rows(list, &due, today);
        rows::sync(&self.reminders.rows, &wanted, |row| row.id.clone());
        let is_past = |reminder: &&Reminder| reminder.done_unix_ms.is_some();
        let past = list.iter().filter(is_past).count();
        self.reminders.shown = wanted;
        let now_ms = crate::models::reminder_time::unix_ms(now());
        let shown = view.due.iter().filter(|_| self.connected).take(self.reminders.fit);
        let cards: Vec<ReminderCard> =
            shown.map(|reminder| reminders::card(reminder, now_ms, today)).collect();
        rows::sync(&self.reminders.cards, &cards, |card| card.id.clone());
        let count = if self.connected { view.due_count } else { 0 };
        let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let global = self.app.global::<screen::Reminders>();
        global.set_known(self.reminders.list.is_some());
        global.set_fault(self.storage_words(self.reminders.fault.as_deref()));
        global.set_due_count(number(count as usize));
        global.set_more(number((count as usize).saturating_sub(cards.len())));
        global.set_past_count(number(past));
        global.set_removed_count(number(self.reminders.removed.len()));
        self.show_reminder_cursor();
    }

    fn show_reminder_cursor(&self) {
        let at = self.reminder_cursor();
        let heads = at.map_or(0, |at| self.reminders.shown[..=at].iter().filter(|row| row.first).count());
        let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let global = self.app.global::<screen::Reminders>();
        global.set_cursor_heads(number(heads));
        global.set_cursor(at.map_or(-1, number));
    }
}

// The operator's side: the list.
impl Desk {
    /// The key of the reminders: to the list, which the arrows then move in.
    pub(crate) fn open_reminders_by_key(&mut self) {
        self.show_screen(Screen::Reminders);
        if self.screen() != Screen::Reminders {
            return;
        }
        self.focus(FocusPlace::Nowhere);
        self.set_area(Area::Directory);
        if self.reminder_cursor().is_none() {
            self.move_reminder_cursor(|_, _| 0);
        }
    }

    pub(crate) fn tap_reminder(&mut self, index: i32) {
        // The second tap of two has opened its form, whose text has the keyboard.
        if self.reminder_editor_is_open() {
            return;
        }
        self.focus(FocusPlace::Nowhere);
        self.set_area(Area::Directory);
        self.reminders.cursor = self.reminder_at(index).map(|reminder| reminder.id);
        self.show_reminder_cursor();
    }

    pub(crate) fn edit_reminder(&mut self, index: i32) {
        if let Some(reminder) = self.reminder_at(index).cloned() {
            self.reminders.cursor = Some(reminder.id);
            self.open_reminder_editor(&reminder);
        }
    }

    pub(crate) fn remove_reminder(&mut self, index: i32) {
        if let Some(id) = self.reminder_at(index).map(|reminder| reminder.id) {
            self.do_reminder(Deed::Remove(id));
        }
    }

    pub(crate) fn finish_reminder(&mut self, index: i32) {
        if let Some(id) = self.reminder_at(index).map(|reminder| reminder.id) {
            self.do_reminder(Deed::Finish(id));
        }
    }

    /// Calls whom a reminder in the list is about; one that is due is done then.
    pub(crate) fn call_reminder(&mut self, index: i32) {
        if let Some(id) = self.reminder_at(index).map(|reminder| reminder.id) {
            self.call_of_reminder(id);
        }
    }

    /// The menu of a reminder, under the finger.
    pub(crate) fn open_reminder_menu(&mut self, index: i32, x: f32, y: f32) {
        self.tap_reminder(index);
        self.reminder_menu(At::Finger(x, y));
    }

    /// The menu of the list, where no reminder is.
    pub(crate) fn open_reminders_menu(&mut self, x: f32, y: f32) {
        let mut rows = vec![deed(MenuWord::ReminderAdd, Deed::Add)];
        if self.app.global::<screen::Reminders>().get_past_count() > 0 {
            rows.push(deed(MenuWord::ReminderRemovePast, Deed::RemovePast));
        }
        self.open_menu(SharedString::default(), rows, At::Finger(x, y));
    }

    pub(crate) fn remove_past_reminders(&mut self) {
        let list = self.reminders.list.iter().flatten();
        let ids: Vec<_> =
            list.filter(|reminder| reminder.done_unix_ms.is_some()).map(|reminder| reminder.id).collect();
        self.remove_reminders(ids);
    }

    /// Removing them was not meant.
    pub(crate) fn undo_reminder_removal(&mut self) {
        let ids = self.reminders.removed.clone();
        if !ids.is_empty() {
            self.wish(ReminderWish::Restore { ids }, Sent::Restore);
        }
    }

    /// Does what a row of a menu says.
    pub(super) fn do_reminder(&mut self, what: Deed) {
        match what {
            Deed::Add => self.open_new_reminder("", ""),
            Deed::CallBack(name, number) => self.open_new_reminder(&name, &number),
            Deed::Edit(id) => {
                if let Some(reminder) = self.reminder(id).cloned() {
                    self.open_reminder_editor(&reminder);
                }
            }
            Deed::Finish(id) => self.wish(ReminderWish::Finish { id }, Sent::Answer),
            Deed::Snooze(id, minutes) => self.wish(ReminderWish::Snooze { id, minutes }, Sent::Answer),
            Deed::Remove(id) => self.remove_reminders(vec![id]),
            Deed::RemovePast => self.remove_past_reminders(),
        }
    }

    /// "Remind me to call back" in the menu of somebody who has a number.
    pub(super) fn call_back_row(&self, name: &str, number: &str) -> Option<Row> {
        let call_back = Deed::CallBack(name.to_owned(), number.to_owned());
        (self.connected && !number.is_empty()).then(|| deed(MenuWord::Remind, call_back))
    }

    /// Takes reminders away.
    pub(super) fn remove_reminders(&mut self, ids: Vec<ReminderId>) {
        if ids.is_empty() {
            return;
        }
        // The cursor goes on to the next that stays.
        if let Some(at) = self.reminder_cursor() {
            let stays = |row: &&ReminderRow| id_of(&row.id).is_some_and(|id| !ids.contains(&id));
            let (before, after) = self.reminders.shown.split_at(at);
            let next = after.iter().find(stays).or(before.iter().rev().find(stays));
            self.reminders.cursor = next.and_then(|row| id_of(&row.id));
        }
        self.wish(ReminderWish::Remove { ids: ids.clone() }, Sent::Remove(ids));
    }

    /// A key where the reminders are in front and nothing lies over them. `None`: it means what it means elsewhere.
    pub(crate) fn reminders_key(&mut self, key: ConsoleKey, text: &str) -> Option<bool> {
        if self.screen() != Screen::Reminders || self.area != Area::Directory || self.editor_covers() {
            return None;
        }
        let at = self.reminder_cursor().and_then(|at| i32::try_from(at).ok());
        match (key, at) {
            (ConsoleKey::Up | ConsoleKey::Left, _) => {
                self.move_reminder_cursor(|at, _| at.saturating_sub(1));
            }
            (ConsoleKey::Down | ConsoleKey::Right, _) => self.move_reminder_cursor(|at, _| at + 1),
            (ConsoleKey::PageUp, _) => self.move_reminder_cursor(|at, _| at.saturating_sub(PAGE_ROWS)),
            (ConsoleKey::PageDown, _) => self.move_reminder_cursor(|at, _| at + PAGE_ROWS),
            (ConsoleKey::Home, _) => self.move_reminder_cursor(|_, _| 0),
            (ConsoleKey::End, _) => self.move_reminder_cursor(|_, last| last),
            (ConsoleKey::Enter, Some(at)) => self.edit_reminder(at),
            (ConsoleKey::Primary, Some(at)) => self.call_reminder(at),
            // F7 hangs up as it does everywhere.
            (ConsoleKey::HangUp, Some(at)) if !KeyMap::is_function(text) => self.remove_reminder(at),
            (ConsoleKey::Menu, Some(_)) => {
                self.reminder_menu(At::Pane);
                self.move_menu(0);
            }
            (ConsoleKey::Undo, _) if !self.reminders.removed.is_empty() => self.undo_reminder_removal(),
            (ConsoleKey::Transfer, _) if !KeyMap::is_function(text) => self.do_reminder(Deed::Add),
            // They would mean a contact that nobody sees.
            (ConsoleKey::Enter | ConsoleKey::Primary | ConsoleKey::Menu, None) => {}
            _ => return None,
        }
        Some(true)
    }

    /// N where the reminders are in front: a new one.
    pub(crate) fn reminders_letter(&mut self, text: &str) -> bool {
        let is_free = self.screen() == Screen::Reminders
            && self.area == Area::Directory
            && !self.editor_covers()
            && !self.reminder_editor_is_open()
            && !self.something_is_open();
        if is_free && text.eq_ignore_ascii_case("n") {
            self.do_reminder(Deed::Add);
            return true;
        }
        false
    }

    fn reminder_menu(&mut self, at: At) {
        let Some(row) = self.reminder_cursor().map(|at| self.reminders.shown[at].clone()) else { return };
        let Some(id) = id_of(&row.id) else { return };
        let mut rows = Vec::new();
        if !row.number.is_empty() {
            rows.push((entry(MenuWord::CallBack, &row.number, "", ""), Choice::CallReminder(id)));
        }
        if row.group == screen::ReminderGroup::Due {
            rows.push(deed(MenuWord::ReminderDone, Deed::Finish(id)));
            for minutes in SNOOZES {
                let (entry, choice) = deed(MenuWord::ReminderSnooze, Deed::Snooze(id, minutes));
                rows.push((MenuEntry { count: i32::from(minutes), ..entry }, choice));
            }
        }
        rows.push(deed(MenuWord::ReminderEdit, Deed::Edit(id)));
        rows.push(deed(MenuWord::ReminderAdd, Deed::Add));
        rows.push(deed(MenuWord::ReminderRemove, Deed::Remove(id)));
        let words = self.app.global::<screen::ReminderWords>();
        let title = words.invoke_title(row.text, row.name, row.number);
        self.open_menu(title, rows, at);
    }

    fn move_reminder_cursor(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        let Some(last) = self.reminders.shown.len().checked_sub(1) else { return };
        let next = self.reminder_cursor().map_or(0, |at| to(at, last)).min(last);
        self.reminders.cursor = id_of(&self.reminders.shown[next].id);
        self.show_reminder_cursor();
        let global = self.app.global::<screen::Reminders>();
        global.set_cursor_turn(global.get_cursor_turn().wrapping_add(1));
    }

    /// The row that the keyboard is at.
    fn reminder_cursor(&self) -> Option<usize> {
        let id = reminders::row_id(self.reminders.cursor?);
        self.reminders.shown.iter().position(|row| row.id == id)
    }

    fn reminder_at(&self, index: i32) -> Option<&Reminder> {
        let row = self.reminders.shown.get(usize::try_from(index).ok()?)?;
        self.reminder(id_of(&row.id)?)
    }

    fn reminder(&self, id: ReminderId) -> Option<&Reminder> {
        let list = self.reminders.list.iter().flatten();
        list.chain(&self.view.reminders.due).find(|reminder| reminder.id == id)
    }
}

// The operator's side: the notifications.
impl Desk {
    /// A finger goes down on a button of a notification.
    pub(crate) fn press_reminder(&mut self, id: &str, down: bool) {
        if down {
            self.reminders.bound = Some(id.to_owned());
        }
    }

    pub(crate) fn finish_due(&mut self, id: &str) {
        if let Some(id) = self.bound_reminder(id) {
            self.do_reminder(Deed::Finish(id));
        }
    }

    pub(crate) fn snooze_due(&mut self, id: &str, minutes: i32) {
        if let (Some(id), Ok(minutes)) = (self.bound_reminder(id), u16::try_from(minutes)) {
            self.do_reminder(Deed::Snooze(id, minutes));
        }
    }

    pub(crate) fn call_due(&mut self, id: &str) {
        if let Some(id) = self.bound_reminder(id) {
            self.call_of_reminder(id);
        }
    }

    /// Calls whom a reminder is about, as from the dial bar; one that is due is done once the call is on its way.
    pub(super) fn call_of_reminder(&mut self, id: ReminderId) {
        let Some(reminder) = self.reminder(id) else { return };
        let is_due = self.view.reminders.due.iter().any(|due| due.id == id)
            || reminder.rang_unix_ms.is_some() && reminder.done_unix_ms.is_none();
        let number = reminder.what.number.clone();
        if number.is_empty() {
            return;
        }
        let seq = self.call_out(&number);
        if let Some(seq) = seq.filter(|_| is_due) {
            self.reminders.sent.insert(seq, Sent::Call(id));
        }
    }

    /// The one that is meant, unless a finger went down on another.
    fn bound_reminder(&mut self, id: &str) -> Option<ReminderId> {
        let ours = self.reminders.bound.take().is_none_or(|bound| bound == id);
        id_of(id).filter(|id| ours && self.view.reminders.due.iter().any(|due| due.id == *id))
    }

    fn wish(&mut self, wish: ReminderWish, sent: Sent) {
        if let Some(seq) = self.send(Command::Reminder(wish)) {
            self.reminders.sent.insert(seq, sent);
        }
    }
}

fn deed(word: MenuWord, what: Deed) -> Row {
    (entry(word, "", "", ""), Choice::Reminder(what))
}
