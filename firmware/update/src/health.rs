//! Whether a version that has started is well, and what follows from it. Pure; what "well" means stands at the crate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Before;

/// Something that a version does not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Trouble {
    /// The desk does not answer.
    Desk {
        /// Why, untranslated.
        reason: String,
    },
    /// The screen is not connected.
    Screen,
    /// A line is not registered.
    Line {
        /// Its number.
        number: String,
        /// What the exchange or the network said, untranslated; empty when nothing.
        reason: String,
    },
    /// A newer version of the program knows.
    #[serde(other)]
    Unknown,
}

/// What a health check found in a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Verdict {
    /// The attempt whose trial it was; 0 for a start that was none.
    pub attempt: u64,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// What is wrong; empty when nothing.
    pub troubles: Vec<Trouble>,
    /// The slot is to be marked bad and is not yet: a start that finds this is the same trial once more.
    pub open: bool,
}

/// The newest verdict on each slot, by the boot loader's name.
pub type Verdicts = BTreeMap<String, Verdict>;

/// How the desk does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It does not answer.
    Nothing {
        /// Why.
        reason: String,
    },
    /// It does.
    Desk {
        /// A screen is connected.
        screen: bool,
        /// Its lines: number, and what stands in the way of calls.
        lines: Vec<(String, Option<String>)>,
    },
}

/// What is wrong, measured by what was so before. Without a trial the desk must answer, and no more.
#[must_use]
pub fn troubles(seen: &Seen, trial: Option<&Before>) -> Vec<Trouble> {
    let (screen, lines) = match seen {
        Seen::Nothing { reason } => return vec![Trouble::Desk { reason: reason.clone() }],
        Seen::Desk { screen, lines } => (*screen, lines),
    };
    let Some(before) = trial else { return Vec::new() };
    let mut found = Vec::new();
    if before.screen && !screen {
        found.push(Trouble::Screen);
    }
    for number in &before.lines {
        let line = lines.iter().find(|(there, _)| there == number);
        // A line that an administrator took away meanwhile is no line of the new version's.
        if let Some((_, Some(reason))) = line {
            found.push(Trouble::Line { number: number.clone(), reason: reason.clone() });
        }
    }
    found
}

/// What a health check does in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The slot is marked good.
    Good,
    /// The slot is marked bad, and the box restarts into the other one.
    Other,
    /// Nothing: the slot stays as it is, and up.
    Stay,
}

/// What follows from a check. `other` says whether the other slot may be started.
#[must_use]
pub fn decide(is_trial: bool, troubles: &[Trouble], other: bool) -> Deed {
    match (troubles.is_empty(), is_trial && other) {
        (true, _) => Deed::Good,
        (false, true) => Deed::Other,
        (false, false) => Deed::Stay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before() -> Before {
        Before { screen: true, lines: vec!["1".into(), "2".into()] }
    }

    fn desk(screen: bool, lines: &[(&str, Option<&str>)]) -> Seen {
        let lines =
            lines.iter().map(|(number, reason)| ((*number).into(), reason.map(str::to_owned))).collect();
        Seen::Desk { screen, lines }
    }

    #[test]
    fn app_3_a_version_on_trial_must_do_what_the_one_before_did() {
        let before = before();
        let said = |seen: &Seen| troubles(seen, Some(&before));
        assert!(
            said(&desk(true, &[("1", None), ("2", None), ("3", Some("403"))])).is_empty(),
            "3 was not registered before"
        );
        assert_eq!(said(&desk(false, &[("1", None), ("2", None)])), [Trouble::Screen]);
        let refused = Trouble::Line { number: "2".into(), reason: "403 Forbidden".into() };
        assert_eq!(said(&desk(true, &[("1", None), ("2", Some("403 Forbidden"))])), [refused]);
        assert!(said(&desk(true, &[("1", None)])).is_empty(), "2 was taken away by an administrator");
        let nothing = Seen::Nothing { reason: "no socket".into() };
        assert_eq!(said(&nothing), [Trouble::Desk { reason: "no socket".into() }]);
        let blind = Before { screen: false, ..before.clone() };
        assert!(troubles(&desk(false, &[("1", None), ("2", None)]), Some(&blind)).is_empty());
    }

    #[test]
    fn app_3_a_version_that_was_good_before_needs_no_network_and_no_screen() {
        assert!(troubles(&desk(false, &[("1", Some("timeout"))]), None).is_empty());
        assert_eq!(troubles(&Seen::Nothing { reason: "x".into() }, None).len(), 1);
    }

    #[test]
    fn app_3_the_box_changes_slots_once_and_never_into_one_that_is_bad() {
        let wrong = [Trouble::Screen];
        assert_eq!(decide(true, &[], false), Deed::Good);
        assert_eq!(decide(true, &wrong, true), Deed::Other);
        assert_eq!(decide(true, &wrong, false), Deed::Stay, "both have failed");
        assert_eq!(decide(false, &wrong, true), Deed::Stay, "a broken screen does not change versions");
    }
}
