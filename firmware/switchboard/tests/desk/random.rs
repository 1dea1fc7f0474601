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
//! | an overdue entry keeps its deadline | "a deadline was handled and is still due" |
//!
//! Not caught here but by a script each: whose ear a refused hold takes, and tones that come back.

use ipc::{
    Availability, CallRef, CallState, Command, HookAction, LampState, Outcome, ParkSlot, Rule, ServiceMode,
    Timers, TransferState, Trigger,
};
use switchboard::{Effect, EndCause, Input, Mask, Settings};

use crate::bench::Bench;
use crate::network::{Network, Random, nonsense};
use crate::script::{incoming, no_timers, ready_with};

const SEEDS: u64 = 120;
const STEPS: u64 = 250;

/// An operator in a hurry, callers and an exchange: every call ends in the log exactly once, with
/// the right times, and every transfer ends.
#[test]
fn every_call_is_logged_once_and_every_transfer_ends() {
    let mut seen = Seen::default();
    for seed in 0..SEEDS {
        let mut run = Run::new(seed);
        for _ in 0..run.random.below(STEPS) {
            run.step(&mut seen);
        }
        run.clear_the_desk();
    }
    seen.assert_everything_was_tried();
}

/// After any beginning, a network that falls silent brings every transferring call back.
#[test]
fn no_transfer_is_lost_in_silence() {
    let mut brought_back = 0;
    for seed in 1000..1000 + SEEDS {
        let mut run = Run::new(seed);
        for _ in 0..run.random.below(STEPS) {
            run.step(&mut Seen::default());
        }
        run.network.fall_silent();
        let moving: Vec<CallRef> = run.in_state(&[CallState::Transferring]);
        run.pass(3 * 30_000 + 1);
        for call in moving {
            assert_eq!(run.bench.state(call), Some(CallState::Recalling), "seed {seed}: {call:?}");
            brought_back += 1;
        }
        run.clear_the_desk();
    }
    assert!(brought_back > SEEDS / 4, "only {brought_back} transfers were on their way");
}

/// Inputs that make no sense at all, at any time.
#[test]
fn nonsense_does_no_harm() {
    for seed in 2000..2000 + SEEDS {
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

/// What happened at least once over all seeds; a random test that tries nothing proves nothing.
#[derive(Default)]
struct Seen {
    states: std::collections::BTreeSet<String>,
    ends: std::collections::BTreeSet<String>,
    effects: std::collections::BTreeSet<String>,
}

impl Seen {
    fn note(&mut self, bench: &Bench, effects: &[Effect]) {
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
        let ends = ["Abandoned", "Answered", "HandedOver", "Refused", "TakenBack", "TimedOut"];
        let logged = ["Completed", "Elsewhere", "Failed", "Missed", "NotAnswered", "Refused", "Rejected"];
        for end in ends.map(str::to_owned).into_iter().chain(logged.map(|end| format!("log {end}"))) {
            assert!(self.ends.contains(&end), "{end} is not in {:?}", self.ends);
        }
        for effect in ["Ring180", "Answer", "Reject", "Hold", "Retrieve", "HangUp", "Dial", "Refer", "Tone"] {
            assert!(self.effects.contains(effect), "{effect} is not in {:?}", self.effects);
        }
    }
}

fn first_word(text: &str) -> String {
    text.split([' ', '(']).next().unwrap_or_default().to_owned()
}

/// Park slots that ring, and rules that concern the night, crowds and the unanswered.
fn handled() -> Settings {
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
    let timers = Timers { park_ms: 20_000, ..no_timers() };
    Settings { park: vec![slot("701"), slot("702")], rules, timers, ..Settings::default() }
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
        Self { bench: ready_with(handled()), network: Network::default(), random, last_call: 0, dialled: 0 }
    }

    fn step(&mut self, seen: &mut Seen) {
        if self.random.percent(10) {
            let input = self.elsewhere();
            self.input(input);
        }
        let effects = match self.random.below(10) {
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
        let call = self.random.pick(&cards).unwrap_or(CallRef(self.random.below(50)));
        match self.random.below(29) {
            22..25 => Command::Conference { call },
            25 => Command::MuteMember { call, on: self.random.percent(50) },
            26 => Command::Park { call, slot: None },
            27 => Command::Unpark { slot: "701".into() },
            28 => Command::Forward { call, to: "2110".into() },
            0..4 => Command::Answer { call },
            4 => Command::Reject { call },
            5..7 => Command::Hold { call },
            7..9 => Command::Retrieve { call },
            9 => Command::HangUp { call },
            10 => self.dial(),
            11..16 => Command::BlindTransfer { call, to: format!("21{}", self.random.below(40)) },
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

    fn in_state(&self, states: &[CallState]) -> Vec<CallRef> {
        self.bench.cards().filter(|c| states.contains(&c.state)).map(|c| c.call).collect()
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
        for call in self.bench.cards().map(|c| c.call).collect::<Vec<_>>() {
            if self.bench.state(call).is_none() {
                continue;
            }
            if self.random.percent(50) {
                self.bench.input(Input::Ended { call, cause: EndCause::default() });
            } else if self.bench.state(call) != Some(CallState::Ending) {
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
