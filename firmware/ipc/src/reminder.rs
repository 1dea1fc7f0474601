//! Reminders (REM-1): what the operator wants to be told, and when.

use serde::{Deserialize, Serialize};

/// Most reminders of one operator, those that are past included.
pub const MAX_REMINDERS: usize = 500;

/// Longest text of a reminder, in bytes of UTF-8.
pub const MAX_REMINDER_TEXT: usize = 1000;

/// Longest number, and longest name, of whom a reminder is to call, in bytes of UTF-8.
pub const MAX_REMINDER_PARTY: usize = 200;

/// Longest time for which a reminder is put off, in minutes: a day.
pub const MAX_SNOOZE_MINUTES: u16 = 24 * 60;

/// Most reminders in [`RemindersView::due`].
pub const MAX_DUE_SHOWN: usize = 8;

/// Identity of a reminder; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReminderId(pub i64);

/// What a reminder says, as the operator wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReminderForm {
    /// Of what; may be empty where there is a number: then it is to call it.
    pub text: String,
    /// When, Unix milliseconds.
    pub due_unix_ms: i64,
    /// Whom to call; empty when nobody is to be called.
    #[serde(default)]
    pub number: String,
    /// Their name, as it was found; empty when it is not known.
    #[serde(default)]
    pub name: String,
}

/// A reminder as the desk keeps it.
///
/// It is pending until the operator is told of it, due from then on, and past once the operator has answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
    /// Which.
    pub id: ReminderId,
    /// What it says.
    pub what: ReminderForm,
    /// When the operator was told, Unix milliseconds; `None` before. Putting it off makes it pending again.
    #[serde(default)]
    pub rang_unix_ms: Option<i64>,
    /// When the operator said that it is done, Unix milliseconds.
    #[serde(default)]
    pub done_unix_ms: Option<i64>,
}

/// What the view has of reminders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemindersView {
    /// Another one whenever any reminder has changed; [`crate::Query::Reminders`] then has another answer.
    pub generation: u64,
    /// Those that the operator was told of and has not answered, the one due longest first: the first
    /// [`MAX_DUE_SHOWN`] of them.
    pub due: Vec<Reminder>,
    /// How many those are.
    pub due_count: u32,
}

/// A change of reminders. Done when a power cut cannot take it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReminderWish {
    /// A new one; [`crate::Reply::Reminder`] has it as it is kept.
    Add(ReminderForm),
    /// Other words, or another time: with another time it is pending again.
    Change {
        /// Which.
        id: ReminderId,
        /// What it says from now on.
        what: ReminderForm,
    },
    /// Tell me again after a while, from now.
    Snooze {
        /// Which.
        id: ReminderId,
        /// 1 to [`MAX_SNOOZE_MINUTES`].
        minutes: u16,
    },
    /// It is done.
    Finish {
        /// Which.
        id: ReminderId,
    },
    /// Take them away; those that are gone already do not matter.
    Remove {
        /// Which, at most [`MAX_REMINDERS`].
        ids: Vec<ReminderId>,
    },
    /// Removing them was not meant; possible for a day.
    Restore {
        /// Which, at most [`MAX_REMINDERS`].
        ids: Vec<ReminderId>,
    },
}

/// Why a reminder is not kept like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error, Serialize, Deserialize)]
pub enum ReminderProblem {
    /// It says nothing and calls nobody.
    #[error("a reminder needs a text or a number")]
    Empty,
    /// A text is longer than it may be.
    #[error(
        "the text of a reminder has at most {MAX_REMINDER_TEXT} bytes, its number and name {MAX_REMINDER_PARTY} each"
    )]
    TooLong,
    /// Not in the years 2000 to 2099, or put off for no time or for too long.
    #[error("a reminder cannot be set to that time")]
    BadTime,
    /// There are as many as can be kept.
    #[error("there are {MAX_REMINDERS} reminders already: remove those that are past")]
    Full,
    /// It was removed meanwhile.
    #[error("there is no such reminder any more")]
    Gone,
}
