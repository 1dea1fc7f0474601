//! A finished call in the words of its operator, for services that keep text.

use crate::{Call, Direction, Item, ItemKind, Outcome};

/// One line, such as `Incoming call, missed`.
#[must_use]
pub fn title(direction: Direction, outcome: Outcome, french: bool) -> String {
    let direction = match (direction, french) {
        (Direction::Incoming, false) => "Incoming call",
        (Direction::Incoming, true) => "Appel entrant",
        (Direction::Outgoing, false) => "Outgoing call",
        (Direction::Outgoing, true) => "Appel sortant",
    };
    let (english, other) = match outcome {
        Outcome::Answered => ("answered", "répondu"),
        Outcome::Transferred => ("transferred", "transféré"),
        Outcome::Missed => ("missed", "manqué"),
        Outcome::Rejected => ("rejected", "refusé"),
        Outcome::Forwarded => ("forwarded", "renvoyé"),
        Outcome::Busy => ("busy", "occupé"),
        Outcome::Failed => ("failed", "échoué"),
    };
    format!("{direction}, {}", if french { other } else { english })
}

/// A line for each thing that is known.
#[must_use]
pub fn summary(call: &Call, french: bool) -> String {
    let pick = |english: &'static str, other: &'static str| if french { other } else { english };
    let mut lines = vec![title(call.direction, call.outcome, french)];
    let mut add = |label: &str, value: &str| {
        if !value.trim().is_empty() {
            lines.push(format!("{label}: {value}"));
        }
    };
    add(pick("Number", "Numéro"), call.remote.numbers.first().map_or("", String::as_str));
    add(pick("Name", "Nom"), call.remote.display_name.as_deref().unwrap_or_default());
    add(pick("Line", "Ligne"), call.line.as_deref().unwrap_or_default());
    add(pick("Operator", "Opérateur"), &call.operator);
    add(pick("Transferred to", "Transféré à"), call.transferred_to.as_deref().unwrap_or_default());
    add(pick("Rang", "Sonnerie"), &duration(call.ring_ms));
    if call.talk_ms > 0 {
        add(pick("Talked", "Conversation"), &duration(call.talk_ms));
    }
    lines.join("\n")
}

/// Who wrote a note or task, about whom: "By Ada, Zoë Keller, +41445550001".
#[must_use]
pub fn written_by(item: &Item, french: bool) -> String {
    let known = [
        Some(item.operator.as_str()),
        item.remote.display_name.as_deref(),
        item.remote.numbers.first().map(String::as_str),
    ];
    let known: Vec<&str> = known.into_iter().flatten().filter(|text| !text.trim().is_empty()).collect();
    format!("{} {}", if french { "Par" } else { "By" }, known.join(", "))
}

/// The first line of a note or task, shortened to what fits into a subject.
#[must_use]
pub fn item_title(kind: ItemKind, text: &str, french: bool) -> String {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    let fallback = match (kind, french) {
        (ItemKind::Note, _) => "Note",
        (ItemKind::Task, false) => "Task",
        (ItemKind::Task, true) => "Tâche",
    };
    let first = first.unwrap_or(fallback);
    if first.chars().count() <= 80 {
        first.to_owned()
    } else {
        first.chars().take(79).chain(['…']).collect()
    }
}

/// Such as `3 min 20 s`.
fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {} s", seconds / 60, seconds % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Party;

    #[test]
    fn a_call_is_told_in_both_languages() {
        let call = Call {
            id: "a-1".to_owned(),
            direction: Direction::Incoming,
            outcome: Outcome::Transferred,
            remote: Party { numbers: vec!["+41445550001".to_owned()], display_name: None },
            line: Some("Example AG".to_owned()),
            operator: "Zoë".to_owned(),
            started_ms: 0,
            ring_ms: 4000,
            talk_ms: 200_000,
            transferred_to: Some("2110".to_owned()),
            subject: None,
        };
        assert_eq!(
            summary(&call, false),
            "Incoming call, transferred\nNumber: +41445550001\nLine: Example AG\nOperator: Zoë\n\
             Transferred to: 2110\nRang: 4 s\nTalked: 3 min 20 s"
        );
        assert!(summary(&call, true).starts_with("Appel entrant, transféré\nNuméro: +41445550001\n"));
    }

    #[test]
    fn a_title_is_one_short_line() {
        assert_eq!(item_title(ItemKind::Task, "\n  Call back\nat nine", false), "Call back");
        assert_eq!(item_title(ItemKind::Task, " \n", true), "Tâche");
        assert_eq!(item_title(ItemKind::Note, &"é".repeat(200), false).chars().count(), 80);
    }
}
