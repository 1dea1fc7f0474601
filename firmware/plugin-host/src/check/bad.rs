//! The servers answer badly, or not: for each way, the cases that make the host do the right thing next.

use std::thread;
use std::time::{Duration, Instant};

use super::good::is_case;
use super::stage::{Mood, Spoken};
use super::{Bench, Claim, Report, SECRET, customers, in_short};
use crate::backoff::Reaction;
use crate::connector::{Cancel, Connector, Start};
use crate::failure::Failure;
use crate::host::LoadError;
use crate::limits::Limit;
use crate::manifest::Granted;
use crate::sync::PAGE;

/// What a server does, how that is called, and the cases that fit.
type Way = (Mood, &'static str, &'static [&'static str]);

const WAYS: &[Way] = &[
    (Mood::Status(401), "a status of 401 (LDAP 49)", &["auth-failed"]),
    (Mood::Status(403), "a status of 403 (LDAP 50)", &["forbidden", "auth-failed"]),
    (Mood::Status(404), "a status of 404 (LDAP 32)", &["gone", "misconfigured"]),
    (Mood::Status(410), "a status of 410 (LDAP 32)", &["gone", "misconfigured"]),
    (Mood::Status(429), "a status of 429 (LDAP 51)", &["retry-later"]),
    (Mood::Status(500), "a status of 500 (LDAP 52)", &["unavailable", "retry-later"]),
    (Mood::HangUp, "a server that hangs up", &["unavailable"]),
    (Mood::Silent, "a server that never answers, until the deadline", &["unavailable"]),
    (Mood::Drip, "a byte now and then, until the deadline", &["unavailable"]),
    (Mood::Cut, "an answer that is cut off", &["unavailable", "protocol"]),
    (Mood::Malformed, "a broken answer", &["protocol"]),
    (Mood::ForPeople, "a page that asks somebody to sign in", &["protocol", "auth-failed", "misconfigured"]),
    (Mood::Empty, "an empty answer", &["protocol", "unavailable", "gone"]),
    (Mood::Huge, "an answer of 9 MiB", &["protocol", "unavailable"]),
];

/// A cancelled call ends within this, which is before its deadline.
const SOON: Duration = Duration::from_secs(2);

pub(super) fn run(bench: &Bench, report: &mut Report) -> Result<(), LoadError> {
    if bench.approved.manifest().net.is_empty() {
        // The administrator has read that too.
        return Ok(());
    }
    let Some(spoken) = bench.stage.spoken() else {
        report.judge(false, "it has asked no server: the rest cannot be seen");
        return Ok(());
    };
    let mut secret = false;
    for way in WAYS {
        bench.stage.set(way.0);
        // A fresh one each time: none is to suffer for the requests of the one before.
        let plugin = bench.load()?;
        judge(&plugin, &bench.number, way, spoken, &mut secret, report);
    }
    bench.stage.set(Mood::Good);
    let denied: Way = (Mood::Good, "no right to any server", &["forbidden", "misconfigured"]);
    judge(&bench.load_granted(&Granted::default())?, &bench.number, &denied, spoken, &mut secret, report);
    report.judge(!secret, "no secret in the words of its errors or in its log");
    bench.stage.set(Mood::Silent);
    cancelled(&bench.load()?, report);
    bench.stage.set(Mood::Good);
    let again = bench.load()?.check(&Cancel::default());
    report.judge(again.is_ok(), "and when all is well again, it works again");
    Ok(())
}

fn judge(
    plugin: &Connector,
    number: &str,
    way: &Way,
    spoken: Spoken,
    secret: &mut bool,
    report: &mut Report,
) {
    let (mood, name, cases) = *way;
    let cancel = Cancel::default();
    // A directory without anybody in it is an answer that can be given.
    let may_be_empty = mood == Mood::Empty && spoken == Spoken::Ldap;
    let test = outcome(plugin.check(&cancel).map(|words| (true, words)), cases, may_be_empty);
    let mut outcomes = vec![("the test", test)];
    for (what, answer) in questions(plugin, number, &cancel) {
        // What it never offers it cannot be blamed for.
        let never = answer.as_ref().is_err_and(|failure| is_case(failure, &["unsupported"]));
        if !never {
            outcomes.push((what, outcome(answer, cases, may_be_empty)));
        }
    }
    let (lines, _) = plugin.log();
    *secret |= lines.iter().any(|line| line.contains(SECRET));
    *secret |= outcomes.iter().any(|(_, outcome)| outcome.words.contains(SECRET));
    let good = outcomes.iter().all(|(_, outcome)| outcome.good);
    let test = outcomes.first().map_or("", |(_, outcome)| outcome.words.as_str());
    let others = outcomes.iter().skip(1).filter(|(_, outcome)| outcome.words != test);
    let others: Vec<String> = others.map(|(what, outcome)| format!("{what} {}", outcome.words)).collect();
    let words = match others.is_empty() {
        true => test.to_owned(),
        false => format!("the test {test}; {}", others.join("; ")),
    };
    report.judge(good, format!("{name}: {words}"));
}

/// All that it can be asked for, but its test.
fn questions(plugin: &Connector, number: &str, cancel: &Cancel) -> Vec<(&'static str, Claim)> {
    let mut answers = Vec::new();
    if plugin.has_directory() {
        let fetched = plugin.fetch(&Start::Full, PAGE, cancel);
        let words = |count: usize| format!("a page of {count} people");
        let page = fetched.map(|page| (page.changes.is_empty(), words(page.changes.len())));
        answers.push(("the page", page));
    }
    if let Some(found) = plugin.lookup(&[number.to_owned()], 5, cancel).transpose() {
        let words = |count: usize| format!("{count} people with a number");
        answers.push(("the number", found.map(|people| (people.is_empty(), words(people.len())))));
    }
    if let Some(found) = plugin.search("person", 20, cancel).transpose() {
        let words = |count: usize| format!("{count} people for words");
        answers.push(("the search", found.map(|people| (people.is_empty(), words(people.len())))));
    }
    answers.extend(customers::answers(plugin, number, cancel));
    answers
}

struct Outcome {
    good: bool,
    words: String,
}

fn outcome(result: Claim, cases: &[&str], may_be_empty: bool) -> Outcome {
    match result {
        Ok((empty, words)) if may_be_empty => Outcome { good: empty, words },
        Ok((_, words)) => Outcome { good: false, words: format!("claims success: {words}") },
        Err(failure) => {
            // A server that asks for half a minute gets it, where it can ask.
            let hurried = matches!(&failure, Failure::Said { reaction: Reaction::RetryLater(Some(seconds)), .. } if *seconds < 30);
            let words = in_short(&failure);
            let fits = is_case(&failure, cases);
            let wrong = match (&failure, fits, hurried) {
                (_, true, true) => " (sooner than the server allowed)".to_owned(),
                (Failure::Said { .. }, false, _) => format!(" (fitting: {})", cases.join(", ")),
                _ => String::new(),
            };
            Outcome { good: fits && !hurried, words: format!("{words}{wrong}") }
        }
    }
}

fn cancelled(plugin: &Connector, report: &mut Report) {
    let cancel = Cancel::default();
    let (answer, took) = thread::scope(|scope| {
        let call = scope.spawn(|| {
            if plugin.has_directory() {
                plugin.fetch(&Start::Full, PAGE, &cancel).map(drop)
            } else {
                plugin.check(&cancel).map(drop)
            }
        });
        thread::sleep(Duration::from_millis(200));
        let started = Instant::now();
        cancel.cancel();
        (call.join(), started.elapsed())
    });
    let (good, words) = match answer {
        Ok(Err(Failure::Stopped { limit: Limit::Cancelled, .. })) => (true, "ended".to_owned()),
        Ok(Err(failure @ Failure::Said { .. })) => (true, in_short(&failure)),
        Ok(Err(failure)) => (false, in_short(&failure)),
        Ok(Ok(_)) => (false, "claims success".to_owned()),
        Err(_) => (false, "the host broke".to_owned()),
    };
    report.judge(
        good && took < SOON,
        format!("a call cancelled in the middle: {words}, {} ms later", took.as_millis()),
    );
}
