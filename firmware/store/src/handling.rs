//! Settings of automatic handling: rules, park slots, times and the timetable (OVF-1 to OVF-4, CALL-14).
//!
//! What a rule says is in [`ipc::Rule`]; what it does, in the call core. Here it is only checked that an
//! administrator wrote something that can work.

use ipc::{Outcome, Trigger};
use serde::{Deserialize, Serialize};

use crate::Why;
use crate::settings::{At, Invalid, Settings};

/// Most rules, park slots, opening times and holidays each.
const MAX_ENTRIES: usize = 200;
/// Longest of the times after which the desk acts by itself: a day, in milliseconds.
const DAY_MS: u64 = 24 * 3600 * 1000;

/// When the house is open, in the local time of the box. Without opening hours it always is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timetable {
    /// Opening hours. Outside them it is night.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Hours>,
    /// Days off, `2026-12-25`, or `12-25` for every year.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<String>,
}

/// Opening hours on some days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The days.
    pub days: Vec<Day>,
    /// From this time on, `08:30`.
    pub from: String,
    /// Until this time, `18:00`, or `24:00`. After `from`.
    pub until: String,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the days of the week")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// Minutes since midnight of a time such as `08:30`; `24:00` is the end of the day.
#[must_use]
pub fn minutes(time: &str) -> Option<u32> {
    let (hours, minutes) = time.split_once(':')?;
    let two = |digits: &str| digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
    if !two(hours) || !two(minutes) {
        return None;
    }
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= 24 * 60).then_some(total)
}

/// Month and day of a holiday, and its year unless it is every year's.
#[must_use]
pub fn holiday(text: &str) -> Option<(Option<i32>, u32, u32)> {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let numbers: Option<Vec<u32>> = parts.iter().map(|part| part.parse().ok()).collect();
    let (year, month, day) = match (lengths.as_slice(), numbers?.as_slice()) {
        ([4, 2, 2], &[year, month, day]) => (Some(i32::try_from(year).ok()?), month, day),
        ([2, 2], &[month, day]) => (None, month, day),
        _ => return None,
    };
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((year, month, day))
}

impl Settings {
    pub(crate) fn validate_handling(&self) -> Result<(), Invalid> {
        self.validate_timers()?;
        for (index, rule) in self.handling.iter().enumerate() {
            let at = At { table: "handling", index: Some(index) };
            at.count(MAX_ENTRIES)?;
            at.text("name", &rule.name, 1, 128)?;
            let known = |number: &String| self.lines.iter().any(|line| line.number == *number);
            if let Some(number) = rule.line.as_ref().filter(|number| !known(number)) {
                return Err(at.invalid("line", Why::NoLine, format!("{number:?} is no line")));
            }
            match rule.when {
                Trigger::Unanswered { seconds } | Trigger::RecallUnanswered { seconds } => {
                    at.range("when", seconds, 1, 600)?;
                }
                Trigger::TooMany { calls } => at.range("when", calls, 1, 500)?,
                Trigger::Arrives | Trigger::DoNotDisturb | Trigger::NobodyThere => {}
            }
            if let Outcome::Forward { to } | Outcome::Voicemail { to } = &rule.then {
                at.word("then", to, 1)?;
                let ours = |line: &&crate::Line| rule.line.as_ref().is_none_or(|of| *of == line.number);
                if self.lines.iter().filter(ours).any(|line| line.number == *to) {
                    return Err(at.invalid(
                        "then",
                        Why::OwnLine,
                        format!("{to:?} would send the call to its own line"),
                    ));
                }
            }
            let refused_recall = matches!(rule.when, Trigger::RecallUnanswered { .. })
                && matches!(rule.then, Outcome::Reject | Outcome::AnswerAndHold);
            if refused_recall {
                let reason = "a recall can only be forwarded or sent to voicemail: it is answered already";
                return Err(at.invalid("then", Why::Recall, reason.into()));
            }
        }
        self.validate_park()?;
        self.validate_timetable()
    }

    fn validate_timers(&self) -> Result<(), Invalid> {
        let at = At { table: "timers", index: None };
        let timers = &self.timers;
        let most = [
            ("undo_ms", timers.undo_ms, 60_000),
            ("hold_ms", timers.hold_ms, DAY_MS),
            ("queue_ms", timers.queue_ms, DAY_MS),
            ("park_ms", timers.park_ms, DAY_MS),
            ("queue_delay_ms", timers.queue_delay_ms, 60_000),
        ];
        for (field, value, most) in most {
            if value > most {
                let why = Why::Range { min: 0, max: most };
                return Err(at.invalid(field, why, format!("{value} is not allowed; 0 to {most} are")));
            }
        }
        Ok(())
    }

    fn validate_park(&self) -> Result<(), Invalid> {
        for (index, slot) in self.park.iter().enumerate() {
            let at = At { table: "park", index: Some(index) };
            at.count(MAX_ENTRIES)?;
            at.word("number", &slot.number, 1)?;
            at.text("name", &slot.name, 0, 64)?;
            if self.park[..index].iter().any(|other| other.number == slot.number) {
                return Err(at.invalid(
                    "number",
                    Why::Taken,
                    format!("{:?} is another slot's already", slot.number),
                ));
            }
        }
        Ok(())
    }

    fn validate_timetable(&self) -> Result<(), Invalid> {
        let at = At { table: "timetable", index: None };
        if self.timetable.open.len().max(self.timetable.holidays.len()) > MAX_ENTRIES {
            let why = Why::TooMany { most: MAX_ENTRIES };
            return Err(at.invalid("", why, format!("at most {MAX_ENTRIES} are allowed")));
        }
        for hours in &self.timetable.open {
            match (minutes(&hours.from), minutes(&hours.until)) {
                (Some(from), Some(until)) if from < until => {}
                _ => {
                    let said = format!("from {:?} until {:?}", hours.from, hours.until);
                    return Err(at.invalid(
                        "open",
                        Why::Hours,
                        format!("{said}: two times as 08:30, in this order"),
                    ));
                }
            }
        }
        match self.timetable.holidays.iter().find(|text| holiday(text).is_none()) {
            Some(text) => {
                Err(at.invalid("holidays", Why::Holiday, format!("{text:?} is neither 2026-12-25 nor 12-25")))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day() {
        assert_eq!(minutes("08:30"), Some(510));
        assert_eq!(minutes("24:00"), Some(1440));
        for wrong in ["", "8:30", "08.30", "24:01", "12:60", "-1:00", "aa:bb", "08:30:00"] {
            assert_eq!(minutes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn holidays() {
        assert_eq!(holiday("2026-12-25"), Some((Some(2026), 12, 25)));
        assert_eq!(holiday("12-25"), Some((None, 12, 25)));
        for wrong in ["", "25.12.2026", "2026-13-01", "12-00", "2026-12", "26-12-25"] {
            assert_eq!(holiday(wrong), None, "{wrong}");
        }
    }
}
