//! Reminders (REM-1): when one is due, and how the operator is told.
//!
//! The records thread writes every change to the disk first and then shows the whole list to the task here, which holds
//! it against the clock on the wall: a reminder is for half past nine, however often the clock is set until then, and
//! however long the box is off. The engine shows what is due and chimes. What was told is written down afterwards: a
//! power cut in between tells it twice, never not at all.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ipc::{
    AudioState, CommandError, MAX_DUE_SHOWN, MAX_REMINDERS, MAX_SNOOZE_MINUTES, OperatorId, Reminder,
    ReminderId, ReminderProblem, ReminderWish, RemindersView, View,
};
use media::Role;
use store::StoreError;
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};
use tracing::{info, warn};

use crate::{
    editing::unix_ms,
    engine::{Engine, Event},
    records::{Answer, Keeper, Records, Request},
};

/// The longest time between two looks at the clock: one that was set, and a sleep of the machine, are noticed by then.
const LOOK: Duration = Duration::from_secs(5);

/// All reminders, as they are on the disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    /// Counts the changes.
    generation: u64,
    /// By the time at which they are due.
    reminders: Arc<[Reminder]>,
}

/// What is asked about reminders.
pub(crate) enum Ask {
    /// An operator changes theirs; the answer is the one that is kept now.
    Wish { operator: OperatorId, wish: ReminderWish, answer: Answer<Option<Reminder>> },
    /// All of an operator.
    All { operator: OperatorId, answer: oneshot::Sender<Result<Vec<Reminder>, String>> },
    /// Who is signed in was told of these, which were due then.
    Rang { told: Vec<(ReminderId, i64)>, answer: oneshot::Sender<Result<(), String>> },
}

impl Records {
    /// Changes reminders of an operator; says what is kept now.
    pub(crate) async fn remind(
        &self,
        operator: OperatorId,
        wish: ReminderWish,
    ) -> Result<Option<Reminder>, CommandError> {
        let (answer, done) = oneshot::channel();
        self.command(Request::Reminder(Ask::Wish { operator, wish, answer }), done).await
    }

    /// All reminders of an operator.
    pub(crate) async fn all_reminders(&self, operator: OperatorId) -> Result<Vec<Reminder>, String> {
        let (answer, all) = oneshot::channel();
        self.ask(Request::Reminder(Ask::All { operator, answer }), all).await
    }

    async fn reminders_rang(&self, told: Vec<(ReminderId, i64)>) -> Result<(), String> {
        let (answer, done) = oneshot::channel();
        self.ask(Request::Reminder(Ask::Rang { told, answer }), done).await
    }
}

impl Keeper {
    pub(crate) fn take_reminder(&mut self, ask: Ask) {
        match ask {
            Ask::Wish { operator, wish, answer } => {
                let done = self.change_reminders(operator.0, &wish, unix_ms());
                if done.is_ok() {
                    self.show_reminders();
                }
                let _ = answer.send(done);
            }
            Ask::All { operator, answer } => {
                let _ = answer.send(self.store.reminders(operator.0).map_err(|error| error.to_string()));
            }
            Ask::Rang { told, answer } => {
                let done = self.store.reminders_rang(self.desk.operator_id, &told, unix_ms());
                if done.is_ok() {
                    self.show_reminders();
                }
                let _ = answer.send(done.map_err(|error| error.to_string()));
            }
        }
    }

    /// Shows the list as it is on the disk to whoever looks at the clock.
    pub(crate) fn show_reminders(&self) {
        match self.store.reminders(self.desk.operator_id) {
            Ok(all) => self.reminders.send_modify(|list| {
                *list = List { generation: list.generation + 1, reminders: all.into() };
            }),
            Err(error) => warn!(%error, "the reminders cannot be read"),
        }
    }

    fn change_reminders(
        &mut self,
        operator: i64,
        wish: &ReminderWish,
        now: i64,
    ) -> Result<Option<Reminder>, CommandError> {
        let store = &mut self.store;
        let kept = match wish {
            ReminderWish::Add(what) => store.add_reminder(operator, what).map(Some),
            ReminderWish::Change { id, what } => store.change_reminder(operator, *id, what).map(Some),
            ReminderWish::Snooze { id, minutes } => {
                if !(1..=MAX_SNOOZE_MINUTES).contains(minutes) {
                    return Err(CommandError::Reminder(ReminderProblem::BadTime));
                }
                let until = now + i64::from(*minutes) * 60_000;
                store.snooze_reminder(operator, *id, until).map(Some)
            }
            ReminderWish::Finish { id } => store.finish_reminder(operator, *id, now).map(Some),
            ReminderWish::Remove { ids } | ReminderWish::Restore { ids } if ids.len() > MAX_REMINDERS => {
                return Err(CommandError::NotPossible);
            }
            ReminderWish::Remove { ids } => store.remove_reminders(operator, ids, now).map(|()| None),
            ReminderWish::Restore { ids } => store.restore_reminders(operator, ids).map(|()| None),
        };
        kept.map_err(|error| match error {
            StoreError::Reminder(problem) => CommandError::Reminder(problem),
            error => CommandError::Failed { reason: error.to_string() },
        })
    }
}

/// Tells the engine what is due, at once and whenever it changes, until the records or the engine are gone.
pub(crate) async fn follow(records: Records, inbox: mpsc::Sender<Event>) {
    let (mut lists, mut bell) = (records.reminders.clone(), Bell::default());
    let mut shown = RemindersView::default();
    loop {
        let list = lists.borrow_and_update().clone();
        let look = bell.look(&list.reminders, unix_ms());
        if look.rings > 0 {
            info!(count = look.rings, "the operator is reminded");
        }
        let view = RemindersView {
            generation: list.generation,
            due_count: u32::try_from(look.due.len()).unwrap_or(u32::MAX),
            due: look.due.into_iter().take(MAX_DUE_SHOWN).collect(),
        };
        if view != shown || look.rings > 0 {
            shown.clone_from(&view);
            let event = Event::Reminders { view: Box::new(view), chime: look.rings > 0 };
            if inbox.send(event).await.is_err() {
                return;
            }
        }
        if !look.unwritten.is_empty()
            && let Err(error) = records.reminders_rang(look.unwritten).await
        {
            warn!(%error, "that the operator was reminded is not on the disk; it is tried again");
        }
        tokio::select! {
            changed = lists.changed() => if changed.is_err() { return },
            () = sleep(look.wait) => {}
        }
    }
}

/// Which reminders rang since the desk was started, whatever the disk knows of it.
#[derive(Debug, Default)]
struct Bell {
    /// Each with the time for which it rang.
    rang: HashMap<ReminderId, i64>,
}

/// What there is to do at a moment.
#[derive(Debug)]
struct Look {
    /// How many the operator is told of now and was not before.
    rings: usize,
    /// Those that the operator was told of and has not answered, the one due longest first.
    due: Vec<Reminder>,
    /// What rang, and for which time, where the disk does not know it yet.
    unwritten: Vec<(ReminderId, i64)>,
    /// When to look again at the latest.
    wait: Duration,
}

impl Bell {
    /// Rings for what is due at `now`, Unix milliseconds, and did not ring for that time before. A clock that goes back
    /// takes back nothing.
    fn look(&mut self, reminders: &[Reminder], now: i64) -> Look {
        let mut look = Look { rings: 0, due: Vec::new(), unwritten: Vec::new(), wait: LOOK };
        let mut rang = HashMap::new();
        for reminder in reminders.iter().filter(|reminder| reminder.done_unix_ms.is_none()) {
            let (id, due) = (reminder.id, reminder.what.due_unix_ms);
            let is_written = reminder.rang_unix_ms.is_some();
            let has_rung = is_written || self.rang.get(&id) == Some(&due);
            if !has_rung && now < due {
                let left = u64::try_from(due.saturating_sub(now)).unwrap_or(u64::MAX);
                look.wait = look.wait.min(Duration::from_millis(left));
                continue;
            }
            look.rings += usize::from(!has_rung);
            look.due.push(reminder.clone());
            if !is_written {
                rang.insert(id, due);
                look.unwritten.push((id, due));
            }
        }
        self.rang = rang;
        look
    }
}

/// What the engine has of reminders.
#[derive(Debug, Default)]
pub(crate) struct Reminded {
    view: RemindersView,
    /// It chimes as soon as it can be heard.
    chimes: bool,
}

impl Reminded {
    /// Something is to be heard as soon as that is possible.
    pub(crate) fn wants_to_chime(&self) -> bool {
        self.chimes
    }
}

impl Engine {
    /// Other reminders are due, or something else has changed about them.
    pub(crate) fn take_reminders(&mut self, view: RemindersView, chime: bool) {
        let chimes = (self.reminded.chimes || chime) && view.due_count > 0;
        self.reminded = Reminded { view, chimes };
        self.stale = true;
    }

    /// Puts what is due into the view, and is heard: not while a call rings, which comes first and would drown it, and
    /// not before there is a device to be heard from, which is so for a moment after the start.
    pub(crate) fn show_reminders(&mut self, view: &mut View) {
        view.reminders.clone_from(&self.reminded.view);
        let is_open = matches!(self.audio.of(Role::Notifier), Some(AudioState::Connected { .. }));
        if self.reminded.chimes && is_open && view.counters.ringing == 0 {
            self.reminded.chimes = false;
            self.sound(self.parts.media.chime());
        }
    }
}

#[cfg(test)]
mod tests {
    use ipc::ReminderForm;

    use super::*;

    const NINE: i64 = 1_795_770_000_000;
    const MINUTE: i64 = 60_000;

    fn reminder(id: i64, due_unix_ms: i64) -> Reminder {
        let what = ReminderForm { text: format!("{id}"), due_unix_ms, ..ReminderForm::default() };
        Reminder { id: ReminderId(id), what, rang_unix_ms: None, done_unix_ms: None }
    }

    fn due(look: &Look) -> Vec<i64> {
        look.due.iter().map(|reminder| reminder.id.0).collect()
    }

    /// The disk has taken what was told.
    fn written(list: &mut [Reminder], look: &Look, now: i64) {
        for reminder in list {
            if look.unwritten.contains(&(reminder.id, reminder.what.due_unix_ms)) {
                reminder.rang_unix_ms = Some(now);
            }
        }
    }

    #[test]
    fn rem_1_each_rings_once_at_its_time() {
        let mut list = [reminder(1, NINE), reminder(2, NINE + MINUTE)];
        let mut bell = Bell::default();
        let look = bell.look(&list, NINE - 3_000);
        assert_eq!((look.rings, due(&look), look.wait), (0, vec![], Duration::from_secs(3)));
        let look = bell.look(&list, NINE - 1);
        assert_eq!((look.rings, look.wait), (0, Duration::from_millis(1)));
        let look = bell.look(&list, NINE);
        assert_eq!((look.rings, due(&look), look.wait), (1, vec![1], LOOK));
        assert_eq!(look.unwritten, [(ReminderId(1), NINE)]);
        written(&mut list, &look, NINE);
        let look = bell.look(&list, NINE + 1);
        assert_eq!((look.rings, due(&look), look.unwritten.len()), (0, vec![1], 0));
        let look = bell.look(&list, NINE + MINUTE);
        assert_eq!((look.rings, due(&look)), (1, vec![1, 2]));
        list[0].done_unix_ms = Some(NINE + MINUTE);
        assert_eq!(due(&bell.look(&list, NINE + MINUTE)), [2]);
    }

    #[test]
    fn rem_1_what_fell_due_while_the_box_was_off_rings_after_the_start_and_what_had_rung_is_shown_still() {
        let mut list = [reminder(1, NINE), reminder(2, NINE + MINUTE), reminder(3, NINE + 90 * MINUTE)];
        list[0].rang_unix_ms = Some(NINE);
        let look = Bell::default().look(&list, NINE + 60 * MINUTE);
        assert_eq!((look.rings, due(&look)), (1, vec![1, 2]));
        // Killed before the disk knew it: told twice, not never.
        let look = Bell::default().look(&list, NINE + 61 * MINUTE);
        assert_eq!((look.rings, due(&look)), (1, vec![1, 2]));
        written(&mut list, &look, NINE + 61 * MINUTE);
        let look = Bell::default().look(&list, NINE + 62 * MINUTE);
        assert_eq!((look.rings, due(&look)), (0, vec![1, 2]));
    }

    #[test]
    fn rem_1_a_clock_that_is_set_loses_none_and_repeats_none() {
        let mut list = [reminder(1, NINE), reminder(2, NINE + 60 * MINUTE), reminder(3, NINE + 61 * MINUTE)];
        let mut bell = Bell::default();
        let look = bell.look(&list, NINE);
        assert_eq!(look.rings, 1);
        written(&mut list, &look, NINE);
        // An hour back, as a wrong time server would: what was told stays told.
        let look = bell.look(&list, NINE - 60 * MINUTE);
        assert_eq!((look.rings, due(&look)), (0, vec![1]));
        // A day on, or a machine that slept: both at once, one sound.
        let look = bell.look(&list, NINE + 24 * 60 * MINUTE);
        assert_eq!((look.rings, due(&look)), (2, vec![1, 2, 3]));
        written(&mut list, &look, NINE);
        // And back again.
        let look = bell.look(&list, NINE);
        assert_eq!((look.rings, due(&look)), (0, vec![1, 2, 3]));
        assert!(look.wait <= LOOK, "a clock that is set is noticed soon");
    }

    #[test]
    fn rem_1_a_disk_that_refuses_does_not_keep_the_operator_from_being_reminded_once() {
        let list = [reminder(1, NINE)];
        let mut bell = Bell::default();
        assert_eq!(bell.look(&list, NINE).rings, 1);
        for later in 1..4 {
            let look = bell.look(&list, NINE + later * 5_000);
            assert_eq!((look.rings, due(&look), look.unwritten.len()), (0, vec![1], 1), "tried again");
        }
        // Back before its time it is not pending again.
        assert_eq!(due(&bell.look(&list, NINE - MINUTE)), [1]);
    }

    #[test]
    fn rem_1_put_off_it_rings_again() {
        let mut list = [reminder(1, NINE)];
        let mut bell = Bell::default();
        let look = bell.look(&list, NINE);
        written(&mut list, &look, NINE);
        list[0] = reminder(1, NINE + 10 * MINUTE);
        let look = bell.look(&list, NINE + MINUTE);
        assert_eq!((look.rings, due(&look)), (0, vec![]));
        assert_eq!(bell.look(&list, NINE + 10 * MINUTE).rings, 1);
        // Even where the disk never took that it rang the first time.
        let mut bell = Bell::default();
        assert_eq!(bell.look(&[reminder(1, NINE)], NINE).rings, 1);
        assert!(bell.look(&list, NINE + MINUTE).due.is_empty());
        assert_eq!(bell.look(&list, NINE + 10 * MINUTE).rings, 1);
    }

    #[test]
    fn rem_1_the_times_at_the_ends_of_the_calendar_do_no_harm() {
        let list = [reminder(1, i64::MIN), reminder(2, i64::MAX)];
        let look = Bell::default().look(&list, NINE);
        assert_eq!((look.rings, due(&look), look.wait), (1, vec![1], LOOK));
        assert_eq!(Bell::default().look(&list, i64::MIN).wait, LOOK);
    }
}
