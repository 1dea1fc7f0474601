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
//!
//! Not caught here but by a script each: whose ear a refused hold or an undo takes, tones and mute that
//! come back or do not, a recall that is not said in the ear, the recall reason after an undo, a grace
//! that goes on when its target has hung up, what the BYE of a consultation leg and a late answer mean
//! for the log, a stray answer after a wait, and whether our own number is refused.

use ipc::{
    Action, Availability, CallRef, CallState, Command, HookAction, LampState, Outcome, ParkSlot, Rule,
    ServiceMode, Timers, TransferState, Trigger,
};
use switchboard::{Effect, EndCause, Input, Mask, Settings};

use crate::bench::Bench;
use crate::network::{Network, Random, nonsense};
use crate::script::{incoming, ready_with};

const SEEDS: u64 = 120;
const STEPS: u64 = 250;

/// Phones to transfer to; few, so that calls meet at them.
const TARGETS: u64 = 6;

/// An operator in a hurry, callers and an exchange: every call ends in the log exactly once, with
/// the right times, and every transfer ends.
#[test]
fn every_call_is_logged_once_and_every_transfer_ends() {
    let mut seen = Seen::default();
    for seed in seeds(0) {
        let _replay = Replay(seed);
        let mut run = Run::new(seed);
        for _ in 0..run.random.below(STEPS) {
            run.step(&mut seen);
        }
        seen.turns += run.bench.turns;
        run.clear_the_desk();
    }
    if only().is_none() {
        seen.assert_everything_was_tried();
    }
}

/// After any beginning, a network that falls silent brings every transferring call back.
#[test]
fn no_transfer_is_lost_in_silence() {
    let mut brought_back = 0;
    for seed in seeds(1 << 32) {
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
            let back = card.state == CallState::Recalling;
            assert!(back || waits || released, "seed {seed}: {card:?}");
            brought_back += u64::from(back);
        }
        run.clear_the_desk();
    }
    assert!(only().is_some() || brought_back > SEEDS / 4, "only {brought_back} transfers were on their way");
}

/// Inputs that make no sense at all, at any time.
#[test]
fn nonsense_does_no_harm() {
    for seed in seeds(2 << 32) {
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
    }
}

/// The seeds of a test, from `first` on: `FRONTDESK_CASES` says how many, `FRONTDESK_SEED` names one
/// to run alone.
fn seeds(first: u64) -> std::ops::Range<u64> {
    match only() {
        Some(seed) => seed..seed + 1,
        None => first..first + from_environment("FRONTDESK_CASES").unwrap_or(SEEDS),
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

/// Timers of a seed: every kind is on in some and off in others.
fn timers(seed: u64) -> Timers {
    let on = |bit: u64, ms| if seed >> bit & 1 == 1 { ms } else { 0 };
    Timers {
        undo_ms: on(0, 2_000),
        hold_ms: on(1, 20_000),
        queue_ms: on(2, 25_000),
        park_ms: on(4, 20_000),
        queue_delay_ms: on(3, 3_000),
    }
}

/// What happened at least once over all seeds; a random test that tries nothing proves nothing.
#[derive(Default)]
struct Seen {
    states: std::collections::BTreeSet<String>,
    stages: std::collections::BTreeSet<String>,
    recalls: std::collections::BTreeSet<String>,
    kinds: std::collections::BTreeSet<String>,
    /// Calls that left a queue by themselves.
    turns: u32,
    ends: std::collections::BTreeSet<String>,
    effects: std::collections::BTreeSet<String>,
}

impl Seen {
    fn note(&mut self, bench: &Bench, effects: &[Effect]) {
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
        self.effects.extend(effects.iter().map(|e| first_word(&format!("{e:?}"))));
    }

    fn assert_everything_was_tried(&self) {
        assert_eq!(self.states.len(), 10, "{:?}", self.states);
        assert_eq!(self.stages.len(), 6, "{:?}", self.stages);
        assert!(u64::from(self.turns) > SEEDS / 4, "only {} calls left a queue by themselves", self.turns);
        assert_eq!(self.recalls.len(), 3, "{:?}", self.recalls);
        assert_eq!(self.kinds.len(), 7, "{:?}", self.kinds);
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
            "Refer",
            "Redirect",
            "Announce",
            "Conference",
            "SaveService",
            "Tone",
        ] {
            assert!(self.effects.contains(effect), "{effect} is not in {:?}", self.effects);
        }
    }
}

fn first_word(text: &str) -> String {
    text.split([' ', '(']).next().unwrap_or_default().to_owned()
}

/// Park slots that ring, and rules that concern the night, crowds and the unanswered.
fn handled(seed: u64) -> Settings {
    let slot = |number: &str| ParkSlot { number: number.into(), name: String::new() };
    let rule = |when, then| Rule {
        name: format!("{when:?}"),
        when,
        who: ipc::Callers::Anybody,
        line: None,
        modes: Vec::new(),
        then,
    };
    let forward = || Outcome::Forward { to: "2200".into() };
    let voicemail = Outcome::Voicemail { to: "*97".into() };
    let night = Rule { modes: vec![ServiceMode::Night], ..rule(Trigger::Arrives, voicemail) };
    let rules = vec![
        night,
        rule(Trigger::TooMany { calls: 10 }, forward()),
        rule(Trigger::Unanswered { seconds: 20 }, Outcome::AnswerAndHold),
    ];
    let park = vec![slot("701"), slot("702")];
    Settings { park, rules, timers: timers(seed), ..Settings::default() }
}

/// One seed.
struct Run {
    bench: Bench,
    network: Network,
    random: Random,
    /// The highest reference so far.
    last_call: u64,
    dialled: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        let bench = ready_with(handled(seed));
        Self { bench, network: Network::default(), random, last_call: 0, dialled: 0 }
    }

    fn step(&mut self, seen: &mut Seen) {
        if self.random.percent(10) {
            let input = self.elsewhere();
            self.input(input);
        }
        let effects = match self.random.below(14) {
            10 | 12 | 13 => self.a_lamp_changes(),
            11 => self.a_leg_is_replaced(),
            0..2 => self.somebody_calls(),
            2..7 => self.operator_acts(),
            _ => {
                let ms = self.random.below(4_000);
                self.pass(ms)
            }
        };
        seen.note(&self.bench, &effects);
    }

    fn somebody_calls(&mut self) -> Vec<Effect> {
        if self.bench.cards().count() > 20 {
            return Vec::new();
        }
        let call = self.bench.next_call();
        self.last_call = call.0;
        self.input(incoming(call, "5550100"))
    }

    /// Lamps of slots, the timetable, who is signed in, who speaks.
    fn elsewhere(&mut self) -> Input {
        let cards: Vec<CallRef> = self.bench.cards().map(|c| c.call).collect();
        let number = if self.random.percent(50) { "701" } else { "702" }.to_owned();
        let states = [LampState::Busy, LampState::Available, LampState::Unknown];
        let state = self.random.pick(&states).unwrap();
        match self.random.below(4) {
            0 => Input::Lamp { number, state, calls: 0, peer: None },
            1 => {
                let mode = if self.random.percent(20) { ServiceMode::Night } else { ServiceMode::Day };
                Input::Timetable { mode }
            }
            2 => Input::SignedIn { there: self.random.percent(80) },
            _ => {
                let call = self.random.pick(&cards).unwrap_or(CallRef(1));
                Input::Speaking { call, on: self.random.percent(50) }
            }
        }
    }

    fn a_lamp_changes(&mut self) -> Vec<Effect> {
        // Where somebody waits it matters most.
        let waited: Vec<&ipc::TransferView> = self
            .bench
            .view
            .transfers
            .iter()
            .filter(|t| matches!(t.state, TransferState::Waiting { .. }))
            .collect();
        let waited = self.random.pick(&waited).and_then(|t| t.to.number.clone());
        let number = match waited.filter(|_| self.random.percent(60)) {
            Some(number) => number,
            None => format!("21{}", self.random.below(TARGETS)),
        };
        let states = [LampState::Available, LampState::Busy, LampState::Ringing];
        let state = match self.random.below(12) {
            0 => LampState::DoNotDisturb,
            1 => LampState::Unknown,
            2 => return self.input(Input::LampGone { number }),
            _ => self.random.pick(&states).unwrap(),
        };
        self.input(Input::Lamp { number, state, calls: 0, peer: None })
    }

    /// Now and then, by a new call from somewhere.
    fn a_leg_is_replaced(&mut self) -> Vec<Effect> {
        let cards: Vec<CallRef> = self.bench.cards().map(|c| c.call).collect();
        let Some(old) = self.random.pick(&cards).filter(|_| cards.len() < 20 && self.random.percent(30))
        else {
            return Vec::new();
        };
        let call = self.bench.next_call();
        self.last_call = call.0;
        let Input::Incoming { caller, called_number, diverted_by, .. } = incoming(call, "5550100") else {
            unreachable!("incoming makes an incoming call")
        };
        let effects =
            self.input(Input::Incoming { call, caller, called_number, diverted_by, replaces: Some(old) });
        if effects.contains(&Effect::Answer { call }) {
            self.network.replaced(self.bench.now_ms, old, &mut self.random);
        }
        effects
    }

    fn operator_acts(&mut self) -> Vec<Effect> {
        let command = self.wish();
        let (_, effects) = self.bench.command(&command);
        for effect in &effects {
            self.network.hear(self.bench.now_ms, effect, &mut self.random);
            if let Effect::Dial { call, .. } = effect {
                self.last_call = call.0;
            }
        }
        effects
    }

    fn wish(&mut self) -> Command {
        let cards: Vec<CallRef> = self.bench.cards().map(|c| c.call).collect();
        let roll = self.random.below(42);
        // Mostly what the screen offers; now and then what it does not.
        let wanted = match roll {
            0..=3 => Action::Answer,
            5..=6 => Action::Hold,
            7..9 => Action::Retrieve,
            11..16 | 27..29 => Action::Transfer,
            22..27 => Action::TransferToCall,
            29..31 => Action::Undo,
            31 => Action::TransferNow,
            32..34 => Action::WaitAgain,
            34..37 => Action::Conference,
            37 => Action::MuteMember,
            38..=40 => Action::Park,
            41 => Action::Forward,
            _ => Action::HangUp,
        };
        let offering = self.bench.cards().filter(|c| c.actions.contains(&wanted)).map(|c| c.call);
        let offering: Vec<CallRef> = offering.collect();
        let offered = self.random.pick(&offering).filter(|_| self.random.percent(75));
        let any = self.random.pick(&cards).unwrap_or(CallRef(self.random.below(50)));
        let call = offered.unwrap_or(any);
        match roll {
            34..37 => Command::Conference { call },
            37 => Command::MuteMember { call, on: self.random.percent(50) },
            38..40 => Command::Park { call, slot: None },
            40 => Command::Unpark { slot: "701".into() },
            41 => Command::Forward { call, to: "2110".into() },
            0..4 => Command::Answer { call },
            4 => Command::Reject { call },
            5..7 => Command::Hold { call },
            7..9 => Command::Retrieve { call },
            9 => Command::HangUp { call },
            10 => self.dial(),
            11..16 => Command::BlindTransfer { call, to: self.target() },
            22..27 => {
                let to = self.random.pick(&cards).unwrap_or(call);
                Command::AttendedTransfer { call, to }
            }
            27..29 => Command::VoicemailTransfer { call, to: "2900".into() },
            29..31 => Command::UndoTransfer { call },
            31 => Command::TransferNow { call },
            32..34 => Command::WaitAgain { call },
            16 => Command::Digits { call, digits: "1".into() },
            17 => Command::Hook { action: self.key() },
            18 => Command::Mute { on: self.random.percent(50) },
            19 => Command::DismissTransfer { transfer: ipc::TransferId(self.random.below(20)) },
            20 if self.random.percent(20) => {
                Command::SetAvailability { availability: Availability::DoNotDisturb }
            }
            _ => Command::SetAvailability { availability: Availability::Available },
        }
    }

    fn target(&mut self) -> String {
        if self.random.percent(3) { "5550200".into() } else { format!("21{}", self.random.below(TARGETS)) }
    }

    fn dial(&mut self) -> Command {
        self.dialled += 1;
        Command::Dial { number: format!("0{}", self.dialled), line: None }
    }

    fn key(&mut self) -> HookAction {
        let keys = [
            HookAction::Next,
            HookAction::HangUpActive,
            HookAction::OffHook,
            HookAction::OnHook,
            HookAction::Button,
            HookAction::ButtonHeld,
            HookAction::AnswerLongest,
            HookAction::Night,
        ];
        self.random.pick(&keys).unwrap()
    }

    /// Lets time pass; the network speaks in between.
    fn pass(&mut self, ms: u64) -> Vec<Effect> {
        let until = self.bench.now_ms + ms;
        let mut effects = Vec::new();
        while let Some((at, input)) = self.network.next(until) {
            effects.extend(self.wait(at.saturating_sub(self.bench.now_ms)));
            if self.network.allows(&input) {
                effects.extend(self.input(input));
            }
        }
        effects.extend(self.wait(until - self.bench.now_ms));
        effects
    }

    fn wait(&mut self, ms: u64) -> Vec<Effect> {
        let effects = self.bench.pass(ms);
        for effect in &effects {
            self.network.hear(self.bench.now_ms, effect, &mut self.random);
        }
        effects
    }

    fn input(&mut self, input: Input) -> Vec<Effect> {
        let effects = self.bench.input(input);
        for effect in &effects {
            self.network.hear(self.bench.now_ms, effect, &mut self.random);
        }
        effects
    }

    /// The same calls in the same states, under other names and numbers.
    fn replay_masked(&self, plain: &ipc::View) {
        let mut mask = Mask::default();
        let (_, lines) = self.bench.recording.split_once('\n').unwrap();
        let settings = mask.settings(&self.bench.settings).unwrap();
        let mut masked = switchboard::head(&settings).unwrap();
        for line in lines.lines() {
            masked += &mask.recorded(&serde_json::from_str(line).unwrap()).unwrap().line().unwrap();
        }
        for secret in ["5550100", "5550200", "2200", "Sales"] {
            assert!(!masked.contains(&format!("\"{secret}\"")), "{secret} is still there");
        }
        let replayed = switchboard::replay(&masked, self.bench.start()).unwrap();
        assert_eq!(replayed.view.generation, plain.generation, "as many changes");
        assert_eq!(replayed.view.counters, plain.counters);
        let kinds = |effects: &[Effect]| -> Vec<String> {
            effects.iter().map(|effect| first_word(&format!("{effect:?}"))).collect()
        };
        assert_eq!(kinds(&replayed.effects), kinds(&self.bench.asked), "the same was asked for");
    }

    /// Everybody hangs up; half of it is never confirmed. Then nothing may be left.
    fn clear_the_desk(&mut self) {
        self.network.fall_silent();
        let alive = |c: &&ipc::CallView| {
            let consulted = c.transfer.as_ref().is_some_and(|t| t.call != c.call);
            !consulted && c.state != CallState::Ending
        };
        loop {
            let next = self.bench.cards().find(alive).map(|c| c.call);
            let Some(call) = next else { break };
            if self.random.percent(50) {
                self.bench.input(Input::Ended { call, cause: EndCause::default() });
            } else {
                self.bench.command(&Command::HangUp { call }).0.unwrap();
            }
        }
        self.bench.pass(60_000);
        for number in ["701", "702"] {
            for state in [LampState::Busy, LampState::Available] {
                self.bench.input(Input::Lamp { number: number.into(), state, calls: 0, peer: None });
            }
        }
        self.bench.assert_quiet();
        let replayed = switchboard::replay(&self.bench.recording, self.bench.start()).unwrap();
        assert_eq!(replayed.effects, self.bench.asked, "a replay asks for the same");
        let now = replayed.view.now_ms;
        assert_eq!(replayed.view, ipc::View { now_ms: now, ..self.bench.view.clone() }, "and ends the same");
        self.replay_masked(&replayed.view);
    }
}
