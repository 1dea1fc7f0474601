//! What a run has shown: each figure with its bar.
#![allow(clippy::print_stdout, reason = "a report is printed")]

use frontdesk_tests::census;
use frontdesk_tests::report::Row;
use ipc::{Direction, EndStatus};

use crate::loss::Tally;
use crate::phases::{GRANTED, Phase};
use crate::run::Day;
use crate::wire::Seen;

/// The ends that the promise names, in its order.
const PROMISED: [&str; 6] = ["talked", "voicemail", "forwarded", "abandoned", "rejected", "transferred"];
/// Calls that the network or a dead peer broke; the promise has no word for them, the log has.
const BROKEN: &str = "broken";
/// How far the share of lost datagrams may be from the one asked for, in points of a hundred: a few hundred
/// datagrams scatter. Where little is asked for it is a part of that, so that no loss at all never holds.
const SCATTER: f64 = 5.0;
const SCATTER_OF_ASKED: f64 = 0.75;
/// Of the calls that were placed, at least so many must have come in for the run to mean anything.
const CAME_IN: f64 = 0.6;
/// Of the calls that came in, at most so many may be broken: the peers that die in a call are fewer.
const BROKEN_AT_MOST: f64 = 0.05;
/// Of the calls that came in, at most so many may have callers who cannot know how they ended.
const UNSURE: f64 = 0.35;

/// The books, as a sum.
pub(crate) fn print_books(day: &Day) {
    let count = |name: &str| day.balance.ends.get(name).copied().unwrap_or_default();
    println!("\n{} calls were placed, {} came in:", day.seen.len(), day.arrivals.len());
    for name in PROMISED.into_iter().chain([BROKEN]) {
        println!("  {:>5} {name}", count(name));
    }
    println!("  {:>5} in all, in {:.0} s", day.balance.ends.values().sum::<usize>(), day.took.as_secs_f64());
    let deeds = &day.deeds;
    println!("the operator: {deeds:?}\n");
}

/// All figures.
pub(crate) fn rows(day: &Day) -> Vec<Row> {
    let mut rows = vec![came_in(day), sum(day), broken(day)];
    rows.extend(discrepancies(day));
    rows.extend(transfers(day));
    rows.extend(census::none_left("at the end", day.rest));
    rows.push(census::peaks(day.peak));
    rows.extend(peers(day));
    rows.extend(day.losses.iter().flat_map(|(phase, tally)| losses(phase, *tally)));
    rows.push(deeds(day));
    rows.push(Row::none("frontdeskd has ended meanwhile", usize::from(!day.up)));
    rows.push(Row::none("panics in its log", day.panics));
    rows
}

fn came_in(day: &Day) -> Row {
    let (placed, came) = (day.seen.len() as f64, day.arrivals.len() as f64);
    let values = [("placed", placed), ("came in", came)];
    Row::at_least("calls", "", &values, "came in", (placed * CAME_IN).max(1.0))
}

fn sum(day: &Day) -> Row {
    let ends = &day.balance.ends;
    let mut values: Vec<(&'static str, f64)> =
        ends.iter().map(|(name, count)| (*name, *count as f64)).collect();
    let known = |name: &str| PROMISED.contains(&name) || name == BROKEN;
    let accounted: usize = ends.iter().filter(|(name, _)| known(name)).map(|(_, count)| count).sum();
    values.push(("unaccounted", (day.arrivals.len() as f64 - accounted as f64).abs()));
    Row::of("calls that came in, by their end", "", &values, "unaccounted", 0.0)
}

/// A desk that no longer hears its caller ends the call as broken; most calls survive the losses.
fn broken(day: &Day) -> Row {
    let broken = day.balance.ends.get(BROKEN).copied().unwrap_or_default() as f64;
    let most = (day.arrivals.len() as f64 * BROKEN_AT_MOST).floor();
    Row::of("broken by the network or a dead peer", "", &[("calls", broken)], "calls", most)
}

fn discrepancies(day: &Day) -> Vec<Row> {
    let balance = &day.balance;
    let none = |what: &str, calls: &[String]| {
        for call in calls {
            println!("{what}: {call}");
        }
        Row::none(what, calls.len()).note(calls.first().cloned().unwrap_or_default())
    };
    let unsure = [("calls", balance.unsure as f64)];
    let most = (day.arrivals.len() as f64 * UNSURE).floor();
    vec![
        none("calls without a row", &balance.unlogged),
        none("rows too many", &balance.surplus),
        none("calls that came in twice", &balance.twice),
        none("calls that nobody placed", &balance.strangers),
        none("calls answered by the desk that never came in", &balance.unheard),
        none("rows that their callers contradict", &balance.contradicted),
        none("rows whose end is not that of their transfers", &balance.inconsistent),
        Row::of("calls whose callers cannot know it all", "", &unsure, "calls", most)
            .note("died, or lost the decisive datagram: the row is one of the ends that remain possible"),
    ]
}

fn transfers(day: &Day) -> Vec<Row> {
    let logged: usize = day.log.iter().map(|row| row.transfers.len()).sum();
    let asked = day.deeds.transfers + day.deeds.forwards;
    let ended = [("begun", asked as f64), ("in the log", logged as f64), apart(asked, logged)];
    let rows = day.log.iter().filter(|row| row.direction == Direction::Outgoing).count();
    let dialled = day.deeds.dialled;
    let calls = [("placed", dialled as f64), ("in the log", rows as f64), apart(dialled, rows)];
    vec![
        Row::of("transfers and their ends in the log", "", &ended, "apart", 0.0),
        Row::of("calls that the desk placed", "", &calls, "apart", 0.0),
    ]
}

fn apart(one: usize, other: usize) -> (&'static str, f64) {
    ("apart", one.abs_diff(other) as f64)
}

fn peers(day: &Day) -> Vec<Row> {
    let timed_out = |seen: &&Seen| seen.hung_up && !seen.was_hung_up && !seen.bye_answered && !seen.died;
    let timed_out = day.seen.values().filter(timed_out).count();
    let (count, toll) = (day.count, day.toll);
    let made = [("asked", f64::from(count.asked)), ("made", f64::from(count.made))];
    let killed = [
        ("ringing", toll.in_ring as f64),
        ("in a call", toll.in_call as f64),
        ("fell by themselves", toll.fell as f64),
        ("least", toll.in_ring.min(toll.in_call) as f64),
    ];
    let crowds = [("runs", f64::from(count.killed))];
    vec![
        Row::at_least("SIPp's calls", "", &made, "made", f64::from(count.asked)),
        Row::none("SIPp's calls that never ended", count.left as usize)
            .note(format!("{timed_out} callers never heard an answer to their BYE and ended by timeout")),
        Row::at_least("telephones killed", "", &killed, "least", 1.0),
        Row::at_least("SIPp runs killed with all their calls", "", &crowds, "runs", 1.0),
        exchange_back(day),
        exchange_lost(day),
    ]
}

/// The exchange has forgotten where the desk is; the desk tells it again when it refreshes.
fn exchange_back(day: &Day) -> Row {
    let back = day.exchange.back_unix_ms;
    let through = |call_id: &str| day.seen.get(call_id).is_some_and(|seen| seen.by_exchange);
    let later = day.arrivals.iter().filter(|arrival| arrival.at_unix_ms > back && through(&arrival.call_id));
    let Some(first) = later.map(|arrival| arrival.at_unix_ms).min() else {
        return Row::failed("first call through the exchange", "none after it came back".to_owned());
    };
    let after = [("after", (first - back) as f64 / 1000.0)];
    Row::of("first call through the exchange that came back", "s", &after, "after", GRANTED.as_secs_f64())
        .note("it grants registrations for as long, and forgets them when it dies")
}

fn exchange_lost(day: &Day) -> Row {
    let caller = |call: &u64| {
        let arrival = day.arrivals.iter().find(|arrival| arrival.call == *call)?;
        day.seen.get(&arrival.call_id).filter(|seen| seen.by_exchange && !seen.died)
    };
    let were_up: Vec<&u64> = day.exchange.were_up.iter().filter(|call| caller(call).is_some()).collect();
    let lost = |call: &&&u64| {
        let end = day.balance.by_call.get(**call);
        end.is_none_or(|end| matches!(end, EndStatus::Failed | EndStatus::Missed))
    };
    let (up, lost) = (were_up.len(), were_up.iter().filter(lost).count());
    if up == 0 {
        return Row::failed("calls through the exchange when it died", "none was up".to_owned());
    }
    let values = [("up", up as f64), ("lost", lost as f64)];
    Row::of("calls through the exchange when it died", "", &values, "lost", 0.0)
}

fn losses(phase: &Phase, tally: Tally) -> Vec<Row> {
    let row = |what: &str, asked: u32, (came, lost): (u64, u64)| {
        let share = if came == 0 { 0.0 } else { 100.0 * lost as f64 / came as f64 };
        let off = (share - f64::from(asked)).abs();
        let values = [("datagrams", came as f64), ("lost", lost as f64), ("off", off)];
        let most = SCATTER.min(SCATTER_OF_ASKED * f64::from(asked));
        Row::of(format!("{what}, {}", phase.name), "%", &values, "off", most)
    };
    let mut rows = Vec::new();
    if phase.loss.signalling > 0 {
        rows.push(row("signalling", phase.loss.signalling, tally.signalling));
    }
    if phase.loss.speech > 0 {
        rows.push(row("speech", phase.loss.speech, tally.speech));
    }
    rows
}

/// A run in which the operator never did one of these things shows less than it says.
fn deeds(day: &Day) -> Row {
    let deeds = &day.deeds;
    let values = [
        ("answered", deeds.answered),
        ("held", deeds.held),
        ("retrieved", deeds.retrieved),
        ("transferred", deeds.transfers),
        ("attended", deeds.attended),
        ("forwarded", deeds.forwards),
        ("rejected", deeds.rejected),
        ("hung up", deeds.hung_up),
    ];
    let least = values.iter().map(|(_, count)| *count).min().unwrap_or_default();
    let values: Vec<(&'static str, f64)> = values
        .map(|(name, count)| (name, count as f64))
        .into_iter()
        .chain([("least", least as f64)])
        .collect();
    Row::at_least("what the operator did", "", &values, "least", 1.0)
}

#[cfg(test)]
mod tests {
    use crate::phases::PHASES;

    use super::*;

    #[test]
    fn a_phase_in_which_nothing_was_lost_or_too_much_does_not_hold() {
        for phase in PHASES.iter().filter(|phase| phase.loss.signalling > 0) {
            let tally = |share: u32| {
                let lost = (1000, u64::from(share) * 10);
                Tally { signalling: lost, speech: lost }
            };
            assert!(losses(phase, tally(phase.loss.signalling)).iter().all(Row::holds), "{}", phase.name);
            assert!(!losses(phase, tally(0))[0].holds(), "{}", phase.name);
            assert!(!losses(phase, tally(phase.loss.signalling.abs_diff(50)))[0].holds(), "{}", phase.name);
        }
    }
}
