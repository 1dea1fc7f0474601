//! Reminders (REM-1): a list of all sorts, and a desk on which some are due.

use ipc::{Reminder, ReminderForm, ReminderId, RemindersView, View};

use super::{empty, picture};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// A list of all sorts, seen from now: the first three are due, then one for each of the next days, then two that are past.
#[must_use]
pub fn reminders() -> Vec<Reminder> {
    let now = crate::clock::now().timestamp_millis();
    let call = |name: &str, number: &str| (String::new(), number.to_owned(), name.to_owned());
    let say = |text: &str| (text.to_owned(), String::new(), String::new());
    let with = |text: &str, name: &str, number: &str| (text.to_owned(), number.to_owned(), name.to_owned());
    let reminder = |id, due: i64, (text, number, name): (String, String, String)| Reminder {
        id: ReminderId(id),
        what: ReminderForm { text, due_unix_ms: due, number, name },
        rang_unix_ms: None,
        done_unix_ms: None,
    };
    let told = |reminder: Reminder, after: i64| Reminder {
        rang_unix_ms: Some(reminder.what.due_unix_ms + after),
        ..reminder
    };
    let done = |reminder: Reminder| Reminder { done_unix_ms: Some(now), ..reminder };
    let visitors = "Visitors from Lindqvist & Søn arrive at the back entrance: badges, parking places 4 and 5, lunch at noon";
    vec![
        told(reminder(1, now - 190 * MINUTE, say("Water the plants in the hall")), 120 * MINUTE),
        told(reminder(2, now - 2 * MINUTE, call("Helena Brandt", "+49 30 5557 0142")), 0),
        told(reminder(3, now - MINUTE / 2, say(visitors)), 0),
        reminder(4, now + DAY, with("Ask about the contract", "Nadia Okafor", "+44 20 7946 0991")),
        reminder(5, now + DAY + MINUTE, call("", "5550177")),
        reminder(6, now + 3 * DAY, say("Order letter paper and toner")),
        reminder(7, now + 12 * DAY, with("Fire drill: tell all floors", "Marie Laurent", "2107")),
        done(told(reminder(8, now - DAY, call("Tomás Rivera", "2114")), 0)),
        done(told(reminder(9, now - 5 * DAY, say("Parcels to the post office")), 0)),
    ]
}

/// So many of them are due, on a desk with calls.
#[must_use]
pub fn reminded(count: usize) -> View {
    View { reminders: due(count), generation: 4, ..picture() }
}

/// The same on a desk at rest, with the whole list.
#[must_use]
pub fn to_be_reminded() -> View {
    View { generation: 4, reminders: due(3), ..empty() }
}

fn due(count: usize) -> RemindersView {
    let mut due = reminders();
    due.truncate(3);
    let is_more = due.len() < count;
    due.truncate(count);
    let due_count = u32::try_from(if is_more { count } else { due.len() }).unwrap_or(u32::MAX);
    RemindersView { generation: 1, due, due_count }
}
