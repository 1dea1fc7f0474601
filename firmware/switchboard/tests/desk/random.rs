//! Random operations against the model network, audited after each.
//!
//! What the audit is worth was tried by breaking the switchboard on purpose, one line at a time:
//!
//! | broken | caught by |
//! |---|---|
//! | auto-hold forgets to tell the other side | "waits and was never told" (which the audit lacked at first: a call that was answered while another talked went on hold untold, unnoticed) |
//! | the ear is given without being taken from the other call | "talks without the ear" |
//! | the ear stays with a call that ended or is transferred | "has the ear" |
//! | a call ends or is taken back and its transfer stays open | "transferring calls and open ledger entries" |
//! | the log row that waits for a late NOTIFY is dropped, or written twice | "is lost", "logged twice" |
//! | a transfer that times out does not bring its call back | "transferring calls and open ledger entries" |
//! | hold time begins anew with a transfer, or runs on after hang-up | "talk and hold time" |
//! | a 2xx that crosses our CANCEL is taken for an answer | "names a call that is gone" |
//! | a recall does not ring | "ringer with 1 ringing" |
//! | a change is not reported | "the view changed and nobody was told" |
//! | a phone that is being tried, is not vouched for, or was busy in between counts as free | "a deadline was handled and is still due", "is tried while it is Unknown", "has just become free" |
//! | a blind transfer overtakes those who wait | "overtakes those who wait" |
//! | the queue's order is not settled after a command | "place in the queue for" |
//! | a grace or a wait has no end | "is open without a deadline" |
//! | a call on hold is not recalled in time | "a deadline was handled and is still due" |
//! | the consultation call stays bound, is not told to hold, or can be hung up | "is bound to a transfer that is over", "waits and was never told", "not to be touched" |
//! | the row of a consultation call that ended first is dropped | "is lost" |
//! | a call is transferred to itself | "a call goes to itself" |
//! | talk time is counted twice after Replaces | "talk and hold time" |
//! | an overdue entry keeps its deadline | "a deadline was handled and is still due" |
//! | a call is picked up where nothing rings | "while nothing rings there" |
//! | a conversation is taken over that has ended, or though the administrator forbids it | "of what nobody was shown", "is not allowed" |
//!
//! Not caught here but by a script each: whose ear a refused hold or an undo takes, tones and mute that
//! come back or do not, a recall that is not said in the ear, the recall reason after an undo, a grace
//! that goes on when its target has hung up, what the BYE of a consultation leg and a late answer mean
//! for the log, a stray answer after a wait, and whether our own number is refused.

use std::collections::BTreeSet;

use ipc::{CallRef, CallState, TransferKind, TransferState};
use switchboard::Effect;

use crate::bench::Bench;
use crate::network::nonsense;
use crate::operations::{RULES, Run, WORKING, timers};
use crate::script::incoming;
use crate::tally::Tally;

const SEEDS: u64 = 150;
const STEPS: u64 = 300;

/// An operator in a hurry, callers and an exchange: every call ends in the log exactly once, with
/// the right times, and every transfer ends.
#[test]
fn every_call_is_logged_once_and_every_transfer_ends() {
    let (mut seen, mut tally) = (Seen::default(), Tally::default());
    // Three times as many: what the assertions below want to have met is rare.
    for seed in seeds(0, 3 * SEEDS) {
        let _replay = Replay(seed);
        let mut run = Run::new(seed);
        for _ in 0..run.random.below(STEPS) {
            run.step(&mut seen);
        }
        seen.turns += run.bench.turns;
        seen.seats += run.seats;
        run.clear_the_desk();
        tally.add(&run.bench);
    }
    tally.print("hurry");
    if only().is_none() {
        seen.assert_everything_was_tried();
    }
}

/// After any beginning, a network that falls silent brings every transferring call back.
#[test]
fn no_transfer_is_lost_in_silence() {
    let (mut brought_back, mut tally) = (0, Tally::default());
    for seed in seeds(1 << 32, SEEDS) {
        let _replay = Replay(seed);
        let mut run = Run::new(seed);
        for _ in 0..run.random.below(STEPS) {
            run.step(&mut Seen::default());
        }
        run.network.fall_silent();
        let transfers = run.bench.cards().filter_map(|c| Some((c.call, c.transfer.as_ref()?.call != c.call)));
        let moving: Vec<(CallRef, bool)> = transfers.collect();
        run.pass(300_000);
        for (call, consulted) in moving {
            let card = run.bench.cards().find(|c| c.call == call).unwrap();
            let waits = matches!(
                card.transfer.as_ref().map(|t| &t.state),
                Some(TransferState::Waiting { .. }) if timers(seed).queue_ms == 0
            );
            // A consultation call is on hold again.
            let released = consulted && card.state == CallState::Held && timers(seed).hold_ms == 0;
            let held_by_rule = card.state == CallState::Held && card.rule.as_deref() == Some("recall waits");
            let released = released || held_by_rule && timers(seed).hold_ms == 0;
            let back = card.state == CallState::Recalling;
            assert!(back || waits || released, "seed {seed}: {card:?}");
            brought_back += u64::from(back);
        }
        run.clear_the_desk();
        tally.add(&run.bench);
    }
    tally.print("silence");
    assert!(only().is_some() || brought_back > SEEDS / 4, "only {brought_back} transfers were on their way");
}

/// Inputs that make no sense at all, at any time.
#[test]
fn nonsense_does_no_harm() {
    let mut tally = Tally::default();
    for seed in seeds(2 << 32, SEEDS) {
        let _replay = Replay(seed);
        let mut run = Run::new(seed);
        for _ in 0..run.random.below(STEPS) {
            if run.random.percent(60) {
                let cards: Vec<CallRef> = run.bench.cards().map(|c| c.call).collect();
                let twice = run.random.pick(&cards).filter(|_| run.random.percent(5));
                let input = twice.map_or_else(
                    || nonsense(&mut run.random, run.last_call),
                    |call| incoming(call, "5550200"),
                );
                run.input(input);
            } else {
                run.step(&mut Seen::default());
            }
        }
        run.clear_the_desk();
        tally.add(&run.bench);
    }
    tally.print("nonsense");
}

/// The seeds of a test, from `first` on: `many`, or as many as `FRONTDESK_CASES` says; `FRONTDESK_SEED` names one to run
/// alone.
fn seeds(first: u64, many: u64) -> std::ops::Range<u64> {
    match only() {
        Some(seed) => seed..seed + 1,
        None => first..first + from_environment("FRONTDESK_CASES").unwrap_or(many),
    }
}

fn only() -> Option<u64> {
    from_environment("FRONTDESK_SEED")
}

#[allow(clippy::disallowed_methods, reason = "how many cases a test runs is for who starts it to say")]
fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Says which seed failed.
struct Replay(u64);

#[allow(clippy::print_stderr, reason = "a seed that nobody sees cannot be replayed")]
impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("replay with FRONTDESK_SEED={}", self.0);
        }
    }
}

/// What happened at least once over all seeds; a random test that tries nothing proves nothing.
#[derive(Default)]
pub(crate) struct Seen {
    states: BTreeSet<String>,
    stages: BTreeSet<String>,
    recalls: BTreeSet<String>,
    kinds: BTreeSet<String>,
    /// Calls that left a queue by themselves.
    turns: u32,
    ends: BTreeSet<String>,
    effects: BTreeSet<String>,
    /// Names of rules in the log.
    rules: BTreeSet<String>,
    notices: BTreeSet<String>,
    /// Steps after which a conference, an attended transfer and a queue were open at once.
    together: u32,
    /// Members of a conference whose leg was replaced.
    seats: u32,
}

impl Seen {
    pub(crate) fn note(&mut self, bench: &Bench, effects: &[Effect]) {
        self.stages.extend(bench.view.transfers.iter().map(|t| first_word(&format!("{:?}", t.state))));
        self.recalls
            .extend(bench.cards().filter_map(|c| Some(first_word(&format!("{:?}", c.recall.as_ref()?.why)))));
        self.kinds.extend(bench.view.transfers.iter().map(|t| format!("{:?}", t.kind)));
        self.states.extend(bench.cards().map(|c| format!("{:?}", c.state)));
        self.ends.extend(bench.view.transfers.iter().filter_map(|t| match &t.state {
            TransferState::Ended { end, .. } => Some(first_word(&format!("{end:?}"))),
            _ => None,
        }));
        self.ends.extend(bench.logged.iter().map(|row| format!("log {:?}", row.end)));
        self.rules.extend(bench.logged.iter().flat_map(|row| row.rules.clone()));
        self.notices.extend(bench.view.notices.iter().map(|n| first_word(&format!("{:?}", n.kind))));
        let open = |wanted: fn(&ipc::TransferView) -> bool| bench.view.transfers.iter().any(wanted);
        let attended = |t: &ipc::TransferView| {
            t.kind == TransferKind::Attended && !matches!(t.state, TransferState::Ended { .. })
        };
        let waiting = |t: &ipc::TransferView| matches!(t.state, TransferState::Waiting { .. });
        self.together += u32::from(bench.view.conference.is_some() && open(attended) && open(waiting));
        self.effects.extend(effects.iter().map(|e| first_word(&format!("{e:?}"))));
    }

    fn assert_everything_was_tried(&self) {
        assert_eq!(self.states.len(), 10, "{:?}", self.states);
        assert_eq!(self.stages.len(), 6, "{:?}", self.stages);
        assert!(u64::from(self.turns) > SEEDS / 4, "only {} calls left a queue by themselves", self.turns);
        assert_eq!(self.recalls.len(), 3, "{:?}", self.recalls);
        assert_eq!(self.kinds.len(), 7, "{:?}", self.kinds);
        // Who is signed out gets no calls: fewer steps than before have all of it at once.
        assert!(u64::from(self.together) > SEEDS / 16, "only {} steps with everything open", self.together);
        assert!(self.seats > 5, "only {} members were replaced", self.seats);
        let working: BTreeSet<String> = RULES.iter().take(WORKING).map(|r| r.name.to_owned()).collect();
        assert_eq!(self.rules, working, "rules applied, and no others");
        for notice in ["DialFailed", "InterceptFailed", "TakeOverFailed", "HoldFailed", "RuleIgnored"] {
            assert!(self.notices.contains(notice), "{notice} is not in {:?}", self.notices);
        }
        let ends = ["Undone", "Abandoned", "Answered", "HandedOver", "Refused", "TakenBack", "TimedOut"];
        let logged = [
            "Completed",
            "Elsewhere",
            "Failed",
            "Forwarded",
            "Missed",
            "NotAnswered",
            "Refused",
            "Rejected",
            "Transferred",
            "Voicemail",
        ];
        for end in ends.map(str::to_owned).into_iter().chain(logged.map(|end| format!("log {end}"))) {
            assert!(self.ends.contains(&end), "{end} is not in {:?}", self.ends);
        }
        for effect in [
            "IdentifyTarget",
            "ReferToCall",
            "Ring180",
            "Answer",
            "Reject",
            "Hold",
            "Retrieve",
            "HangUp",
            "Dial",
            "Intercept",
            "TakeOver",
            "Refer",
            "Redirect",
            "Announce",
            "Conference",
            "SaveService",
            "Volumes",
            "Tone",
        ] {
            assert!(self.effects.contains(effect), "{effect} is not in {:?}", self.effects);
        }
    }
}

pub(crate) fn first_word(text: &str) -> String {
    text.split([' ', '(']).next().unwrap_or_default().to_owned()
}
