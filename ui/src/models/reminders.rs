//! The rows of the reminders (REM-1): what is due, what is to come by day, what is past.

use std::collections::HashSet;

use chrono::NaiveDate;
use ipc::{Reminder, ReminderId};

use super::reminder_time::{on_the_wall, when};
use crate::screen::{ReminderCard, ReminderGroup, ReminderRow};

/// One told more than this after its time, in milliseconds, fell due while nobody could be told.
const LATE_MS: i64 = 60_000;

/// All rows in their order, seen from a day. `due`: those that the operator was told of and has not answered.
pub(crate) fn rows(reminders: &[Reminder], due: &HashSet<ReminderId>, today: NaiveDate) -> Vec<ReminderRow> {
    let mut grouped: Vec<(ReminderGroup, &Reminder)> =
        reminders.iter().map(|reminder| (group(reminder, due, today), reminder)).collect();
    // What is past the other way round: what was done last is looked for first.
    grouped.sort_by_key(|(group, reminder)| {
        let at = reminder.what.due_unix_ms;
        (*group as i32, if *group == ReminderGroup::Past { at.saturating_neg() } else { at }, reminder.id)
    });
    let mut before = None;
    let row = |(group, reminder): (ReminderGroup, &Reminder)| {
        let first = before.replace(group) != Some(group);
        let what = &reminder.what;
        ReminderRow {
            id: row_id(reminder.id),
            group,
            first,
            text: one_line(&what.text).into(),
            name: what.name.as_str().into(),
            number: what.number.as_str().into(),
            when: when(on_the_wall(what.due_unix_ms), today),
            pending: !matches!(group, ReminderGroup::Due | ReminderGroup::Past),
        }
    };
    grouped.into_iter().map(row).collect()
}

/// One that is due, as a notification.
pub(crate) fn card(reminder: &Reminder, now_unix_ms: i64, today: NaiveDate) -> ReminderCard {
    let what = &reminder.what;
    let told = reminder.rang_unix_ms.unwrap_or(now_unix_ms);
    ReminderCard {
        id: row_id(reminder.id),
        text: one_line(&what.text).into(),
        name: what.name.as_str().into(),
        number: what.number.as_str().into(),
        when: when(on_the_wall(what.due_unix_ms), today),
        late: told.saturating_sub(what.due_unix_ms) > LATE_MS,
    }
}

/// What a row is called, and back.
pub(crate) fn row_id(id: ReminderId) -> slint::SharedString {
    slint::format!("{}", id.0)
}

pub(crate) fn id_of(row: &str) -> Option<ReminderId> {
    row.parse().ok().map(ReminderId)
}

fn group(reminder: &Reminder, due: &HashSet<ReminderId>, today: NaiveDate) -> ReminderGroup {
    if reminder.done_unix_ms.is_some() {
        return ReminderGroup::Past;
    }
    if reminder.rang_unix_ms.is_some() || due.contains(&reminder.id) {
        return ReminderGroup::Due;
    }
    match on_the_wall(reminder.what.due_unix_ms).date().signed_duration_since(today).num_days() {
        ..=0 => ReminderGroup::Today,
        1 => ReminderGroup::Tomorrow,
        _ => ReminderGroup::Later,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use chrono::NaiveDateTime;
    use ipc::ReminderForm;

    use super::*;
    use crate::models::reminder_time::unix_ms;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    fn reminder(id: i64, due: &str, rang: bool, done: bool) -> Reminder {
        let due_unix_ms = unix_ms(at(due));
        let what = ReminderForm { text: format!(" {id}\n x "), due_unix_ms, ..ReminderForm::default() };
        Reminder {
            id: ReminderId(id),
            what,
            rang_unix_ms: rang.then_some(due_unix_ms),
            done_unix_ms: done.then_some(due_unix_ms),
        }
    }

    #[test]
    fn rem_1_the_list_is_in_groups_and_a_pin_is_red_as_long_as_nobody_was_told() {
        let list = [
            reminder(1, "2026-11-27 08:00", true, true),
            reminder(2, "2026-11-27 08:30", true, false),
            reminder(3, "2026-11-26 08:00", true, true),
            reminder(4, "2026-11-27 14:00", false, false),
            reminder(5, "2026-12-24 14:00", false, false),
            reminder(6, "2026-11-28 00:00", false, false),
            reminder(7, "2026-11-27 11:00", false, false),
            reminder(8, "2026-11-26 17:00", true, false),
            // The view knows of it, the list does not yet.
            reminder(9, "2026-11-27 11:29", false, false),
        ];
        let due = HashSet::from([ReminderId(9)]);
        let rows = rows(&list, &due, at("2026-11-27 11:30").date());
        let told: Vec<(&str, ReminderGroup, bool, bool)> =
            rows.iter().map(|row| (row.id.as_str(), row.group, row.first, row.pending)).collect();
        use ReminderGroup::{Due, Later, Past, Today, Tomorrow};
        assert_eq!(
            told,
            [
                ("8", Due, true, false),
                ("2", Due, false, false),
                ("9", Due, false, false),
                ("7", Today, true, true),
                ("4", Today, false, true),
                ("6", Tomorrow, true, true),
                ("5", Later, true, true),
                ("1", Past, true, false),
                ("3", Past, false, false),
            ]
        );
        assert_eq!(
            (rows[0].when.days, rows[0].when.time.as_str(), rows[0].text.as_str()),
            (-1, "17:00", "8 x")
        );
        assert_eq!(id_of(&rows[0].id), Some(ReminderId(8)));
        assert_eq!(id_of("x"), None);
    }

    #[test]
    fn rem_1_one_that_fell_due_while_the_box_was_off_says_that_it_was() {
        let mut told = reminder(1, "2026-11-27 08:30", true, false);
        let today = at("2026-11-27 11:30").date();
        assert!(!card(&told, 0, today).late);
        told.rang_unix_ms = Some(told.what.due_unix_ms + LATE_MS + 1);
        assert!(card(&told, 0, today).late);
        told.rang_unix_ms = None;
        assert!(!card(&told, told.what.due_unix_ms + 5, today).late);
    }
}
