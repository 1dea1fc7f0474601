//! A customer database that is asked and told: the right card for a number, none for another, a call that is given
//! twice, notes and tasks; and the same of servers that answer badly.

use ipc::{PluginCall, PluginItem, PluginOutcome, PluginParty};

use super::good::{is_case, tell_cost};
use super::{Claim, Report, in_short};
use crate::connector::{Cancel, Connector};

/// Nobody has it.
const NOBODY: &str = "+999000000000";
/// As many as the desk asks for.
const LIMIT: u32 = 5;

/// All is well.
pub(super) fn good(plugin: &Connector, number: &str, asks_servers: bool, report: &mut Report) {
    resolved(plugin, number, asks_servers, report);
    journal(plugin, number, report);
    items(plugin, number, report);
}

fn resolved(plugin: &Connector, number: &str, asks_servers: bool, report: &mut Report) {
    let cancel = Cancel::default();
    let found = match plugin.resolve(&caller(number), LIMIT, &cancel) {
        Ok(None) => return,
        Ok(Some(cards)) => cards,
        Err(failure) => {
            let words = in_short(&failure);
            report.judge(
                false,
                format!("asked for a customer where all is well: {words} (say what its server answers with --play)"),
            );
            return;
        }
    };
    tell_cost(plugin, "a customer", report);
    let first = found.first().map_or("none", |card| card.name.as_str());
    report.judge(!found.is_empty(), format!("which customer {number} is: {first}, {} in all", found.len()));
    let hidden = plugin.resolve(&PluginParty::default(), LIMIT, &cancel);
    report.judge(
        hidden.as_ref().is_ok_and(|cards| cards.as_ref().is_none_or(Vec::is_empty)),
        match &hidden {
            Ok(cards) => {
                format!("a caller who hides the number: {} cards", cards.as_ref().map_or(0, Vec::len))
            }
            Err(failure) => format!("a caller who hides the number: {}", in_short(failure)),
        },
    );
    if !asks_servers {
        return;
    }
    // The stand-in answers whatever it is asked, as a search for words does: a wrong name is worse than none.
    let nobody = plugin.resolve(&caller(NOBODY), LIMIT, &cancel);
    report.judge(
        nobody.as_ref().is_ok_and(|cards| cards.as_ref().is_none_or(Vec::is_empty)),
        match &nobody {
            Ok(cards) => {
                let cards = cards.as_ref().map_or(0, Vec::len);
                format!("a number that nobody in the answers has: {cards} cards")
            }
            Err(failure) => format!("a number that nobody in the answers has: {}", in_short(failure)),
        },
    );
}

fn journal(plugin: &Connector, number: &str, report: &mut Report) {
    for (what, call) in [
        ("a finished call", call(number)),
        ("the same call once more, because the answer was lost", call(number)),
        (
            "a call of somebody unknown, missed",
            PluginCall {
                id: "kit-call-2".to_owned(),
                outcome: PluginOutcome::Missed,
                remote: PluginParty::default(),
                subject: None,
                ..call(number)
            },
        ),
    ] {
        match plugin.log_call(&call, &Cancel::default()) {
            Ok(None) => return,
            Ok(Some(())) => report.judge(true, format!("{what}: taken")),
            Err(failure) => {
                let good = is_case(&failure, &["unsupported"]);
                report.judge(good, format!("{what}: {}", in_short(&failure)));
            }
        }
    }
    tell_cost(plugin, "a call that is logged", report);
}

fn items(plugin: &Connector, number: &str, report: &mut Report) {
    for (what, task) in [("a note", false), ("a task", true)] {
        match plugin.create_item(&item(number, task), &Cancel::default()) {
            Ok(None) => return,
            Ok(Some(page)) => {
                let page = page.unwrap_or_else(|| "without a page".to_owned());
                report.judge(true, format!("{what}: made, {page}"));
            }
            Err(failure) => {
                let good = is_case(&failure, &["unsupported"]);
                report.judge(good, format!("{what}: {}", in_short(&failure)));
            }
        }
    }
}

/// What each kind of question comes to: its name, and a claim of success or a failure. Only kinds that it has.
pub(super) fn answers(plugin: &Connector, number: &str, cancel: &Cancel) -> Vec<(&'static str, Claim)> {
    let resolved = plugin.resolve(&caller(number), LIMIT, cancel).transpose();
    let logged = plugin.log_call(&call(number), cancel).transpose();
    let made = plugin.create_item(&item(number, false), cancel).transpose();
    let cards =
        resolved.map(|cards| cards.map(|cards| (cards.is_empty(), format!("{} customers", cards.len()))));
    let logged = logged.map(|done| done.map(|()| (false, "the call is logged".to_owned())));
    let made = made.map(|page| page.map(|_| (false, "the note is made".to_owned())));
    let all = [("the customer", cards), ("the call", logged), ("the note", made)];
    all.into_iter().filter_map(|(name, answer)| Some((name, answer?))).collect()
}

fn caller(number: &str) -> PluginParty {
    PluginParty { numbers: vec![number.to_owned()], name: Some("Kit Caller".to_owned()) }
}

fn call(number: &str) -> PluginCall {
    PluginCall {
        id: "kit-call-1".to_owned(),
        incoming: true,
        outcome: PluginOutcome::Answered,
        remote: caller(number),
        line: Some("Kit & Sons \"Bakery\"".to_owned()),
        operator: "Zoë".to_owned(),
        started_ms: 1_700_000_000_000,
        ring_ms: 4200,
        talk_ms: 61_000,
        transferred_to: None,
        subject: Some("kit-1".to_owned()),
    }
}

fn item(number: &str, task: bool) -> PluginItem {
    PluginItem {
        id: if task { "kit-task-1" } else { "kit-note-1" }.to_owned(),
        task,
        remote: caller(number),
        subject: Some("kit-1".to_owned()),
        text: "Wants \"two\" loaves,\nnot <three>.".to_owned(),
        operator: "Zoë".to_owned(),
    }
}
