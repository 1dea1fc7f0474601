//! One run of random operations: a hurried operator, callers, colleagues and the model network.

use ipc::{
    Action, Availability, CallRef, CallState, Callers, Command, HookAction, LampCall, LampState, Outcome,
    ParkSlot, Party, Rule, ServiceMode, TalkId, Timers, TransferId, TransferState, Trigger, Volumes,
};
use switchboard::{Effect, EndCause, Input, Settings};

use crate::bench::Bench;
use crate::customer::{ALL, card};
use crate::network::{Network, Random};
use crate::random::{Seen, first_word};
use crate::script::{incoming, ready_with};

/// Phones to transfer to; few, so that calls meet at them.
const TARGETS: u64 = 6;

/// Timers of a seed: every kind is on in some and off in others.
pub(crate) fn timers(seed: u64) -> Timers {
    let on = |bit: u64, ms| if seed >> bit & 1 == 1 { ms } else { 0 };
    Timers {
        undo_ms: on(0, 2_000),
        hold_ms: on(1, 20_000),
        queue_ms: on(2, 18_000),
        park_ms: on(4, 20_000),
        queue_delay_ms: on(3, 3_000),
    }
}

/// The desk of a seed: two park slots, some of the rules of [`RULES`], and whether calls may be taken over.
fn settings(seed: u64) -> Settings {
    let slot = |number: &str| ParkSlot { number: number.into(), name: String::new() };
    let mut random = Random::new(!seed);
    let rules = RULES.iter().filter(|_| random.percent(30)).map(Written::rule).collect();
    let park = vec![slot("701"), slot("702")];
    let take_over = !seed.is_multiple_of(3);
    Settings { park, rules, timers: timers(seed), take_over, ..Settings::default() }
}

/// A rule as the table has it.
pub(crate) struct Written {
    pub(crate) name: &'static str,
    when: Trigger,
    who: Callers,
    line: Option<&'static str>,
    mode: Option<ServiceMode>,
    then: Then,
}

enum Then {
    Forward(&'static str),
    Voicemail,
    Hold,
    Reject,
}

impl Written {
    const fn new(name: &'static str, when: Trigger, then: Then) -> Self {
        Self { name, when, who: Callers::Anybody, line: None, mode: None, then }
    }

    const fn of(self, who: Callers) -> Self {
        Self { who, ..self }
    }

    const fn on(self, line: &'static str) -> Self {
        Self { line: Some(line), ..self }
    }

    const fn at(self, mode: ServiceMode) -> Self {
        Self { mode: Some(mode), ..self }
    }

    fn rule(&self) -> Rule {
        Rule {
            name: self.name.into(),
            when: self.when,
            who: self.who,
            line: self.line.map(Into::into),
            modes: self.mode.into_iter().collect(),
            then: match self.then {
                Then::Forward(to) => Outcome::Forward { to: to.into() },
                Then::Voicemail => Outcome::Voicemail { to: "*97".into() },
                Then::Hold => Outcome::AnswerAndHold,
                Then::Reject => Outcome::Reject,
            },
        }
    }
}

/// Every trigger, caller, mode and outcome; the last two can never work.
pub(crate) const RULES: [Written; 14] = [
    Written::new("night", Trigger::Arrives, Then::Voicemail).at(ServiceMode::Night),
    Written::new("nameless on holidays", Trigger::Arrives, Then::Reject)
        .of(Callers::Anonymous)
        .at(ServiceMode::Holiday),
    Written::new("colleagues of service", Trigger::Arrives, Then::Hold).of(Callers::Internal).on("5550200"),
    Written::new("crowd", Trigger::TooMany { calls: 8 }, Then::Forward("2200")),
    Written::new("undisturbed", Trigger::DoNotDisturb, Then::Voicemail).of(Callers::External),
    Written::new("nobody", Trigger::NobodyThere, Then::Forward("2300")),
    Written::new("late at sales", Trigger::Unanswered { seconds: 10 }, Then::Forward("2200")).on("5550100"),
    Written::new("late", Trigger::Unanswered { seconds: 20 }, Then::Hold),
    Written::new("later", Trigger::Unanswered { seconds: 25 }, Then::Reject),
    Written::new("second operator", Trigger::RecallUnanswered { seconds: 5 }, Then::Forward("2200")),
    Written::new("recall waits", Trigger::RecallUnanswered { seconds: 8 }, Then::Hold).on("5550200"),
    Written::new("recall to mailbox", Trigger::RecallUnanswered { seconds: 10 }, Then::Voicemail),
    Written::new("cannot refuse", Trigger::RecallUnanswered { seconds: 3 }, Then::Reject),
    Written::new("round and round", Trigger::Unanswered { seconds: 5 }, Then::Forward("5550100"))
        .on("5550100"),
];

/// Those of [`RULES`] that can work.
pub(crate) const WORKING: usize = 12;

/// One seed.
pub(crate) struct Run {
    pub(crate) bench: Bench,
    pub(crate) network: Network,
    pub(crate) random: Random,
    /// The highest reference so far.
    pub(crate) last_call: u64,
    /// Members of the conference whose leg was replaced.
    pub(crate) seats: u32,
    /// Apart, so that calls happen as they did before there were customers.
    customers: Random,
    dialled: u64,
    /// Conversations elsewhere so far.
    talks: u64,
}

impl Run {
    pub(crate) fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        let bench = ready_with(settings(seed));
        let customers = Random::new(!seed);
        let network = Network::default();
        Self { bench, network, random, last_call: 0, seats: 0, customers, dialled: 0, talks: 0 }
    }

    pub(crate) fn step(&mut self, seen: &mut Seen) {
        if self.random.percent(10) {
            let input = self.elsewhere();
            self.input(input);
        }
        if self.customers.percent(20) {
            let input = self.a_connector_speaks();
            self.input(input);
        }
        let effects = match self.random.below(16) {
            10 | 12..16 => self.a_lamp_changes(),
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
        let line = if self.random.percent(70) { "5550100" } else { "5550200" };
        let Input::Incoming { called_number, diverted_by, replaces, .. } = incoming(call, line) else {
            unreachable!("incoming makes an incoming call")
        };
        let caller = self.caller(call);
        self.input(Input::Incoming { call, caller, called_number, diverted_by, replaces })
    }

    /// Somebody with an extension, from outside, or without a number.
    fn caller(&mut self, call: CallRef) -> Party {
        let number = match self.random.below(4) {
            0 => None,
            1 => Some(format!("{:05}", call.0)),
            _ => Some(format!("01555{}", call.0)),
        };
        let name = self.customers.percent(80).then(|| format!("caller {}", call.0));
        Party { number, name, ..Party::default() }
    }

    /// Lamps of slots, the timetable, who is signed in, who speaks.
    fn elsewhere(&mut self) -> Input {
        let cards: Vec<CallRef> = self.bench.cards().map(|c| c.call).collect();
        let number = if self.random.percent(50) { "701" } else { "702" }.to_owned();
        let states = [LampState::Busy, LampState::Available, LampState::Unknown];
        let state = self.random.pick(&states).unwrap();
        match self.random.below(6) {
            0 => Input::Lamp { number, state, calls: 0, peer: None, talks: Vec::new() },
            1 => Input::Timetable { mode: self.mode() },
            2 => Input::SignedIn { there: self.random.percent(80), name: None },
            3 => {
                let known: Vec<(CallRef, &Party)> = self.bench.cards().map(|c| (c.call, &c.party)).collect();
                let Some((call, party)) = self.random.pick(&known) else { return Input::StorageWorks };
                let party = Party { name: Some(format!("known {}", call.0)), ..party.clone() };
                Input::Identified { call, party }
            }
            4 => {
                let known = self.bench.view.transfers.iter().map(|t| (t.id, &t.to));
                let known: Vec<(TransferId, &Party)> = known.collect();
                let Some((transfer, to)) = self.random.pick(&known) else { return Input::StorageWorks };
                let party = Party { name: Some("target".into()), ..to.clone() };
                Input::TargetIdentified { transfer, party }
            }
            _ => {
                let call = self.random.pick(&cards).unwrap_or(CallRef(1));
                Input::Speaking { call, on: self.random.percent(50) }
            }
        }
    }

    /// What customer databases say, and that they come and go.
    fn a_connector_speaks(&mut self) -> Input {
        if self.customers.percent(20) {
            let crm = if self.customers.percent(70) { ALL } else { ipc::CrmView::default() };
            return Input::Connectors(crm);
        }
        let known: Vec<(CallRef, &Party)> = self.bench.cards().map(|c| (c.call, &c.party)).collect();
        let Some((call, party)) = self.customers.pick(&known) else { return Input::StorageWorks };
        let number = party.number.clone().unwrap_or_default();
        let unnamed = Party { name: None, ..party.clone() };
        let name = format!("customer {}", self.customers.below(3));
        match self.customers.below(5) {
            0 => Input::Customer { call, number, customer: None },
            1 => Input::CallerNamed { call, number, name, company: None, by: "book".into() },
            2 => Input::Identified { call, party: unnamed },
            _ => Input::Customer { call, number, customer: Some(card(&name)) },
        }
    }

    fn mode(&mut self) -> ServiceMode {
        match self.random.below(10) {
            0 => ServiceMode::Night,
            1 => ServiceMode::Holiday,
            _ => ServiceMode::Day,
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
        let talks = if state == LampState::Busy { self.talks_elsewhere(&number) } else { Vec::new() };
        let mut effects =
            self.input(Input::Lamp { number: number.clone(), state, calls: 0, peer: None, talks });
        if self.random.percent(30) {
            let caller = self.random.percent(80).then(|| self.rings_elsewhere());
            effects.extend(self.input(Input::Rings { number, caller }));
        }
        effects
    }

    /// Whom a colleague talks with: some still with those before; not all of it can be taken over.
    fn talks_elsewhere(&mut self, number: &str) -> Vec<LampCall> {
        let known = self.bench.view.lamps.iter().find(|lamp| lamp.number == number);
        let mut talks = known.map(|lamp| lamp.talks.clone()).unwrap_or_default();
        talks.retain(|_| self.customers.percent(70));
        for _ in 0..self.customers.below(3) {
            self.talks += 1;
            let name = format!("talker {}", self.talks);
            let party = match self.customers.below(5) {
                0 => Party::default(),
                _ => {
                    Party { number: Some(format!("06{}", self.talks)), name: Some(name), ..Party::default() }
                }
            };
            let talk = self.customers.percent(80).then_some(TalkId(self.talks));
            talks.push(LampCall { ringing: false, direction: None, party, talk });
        }
        talks
    }

    /// Who calls a colleague: by number and name, by one of them, or not known at all.
    fn rings_elsewhere(&mut self) -> Party {
        self.dialled += 1;
        let (number, name) = (format!("07{}", self.dialled), format!("elsewhere {}", self.dialled));
        match self.random.below(8) {
            0 => Party::default(),
            1 => Party { name: Some(name), ..Party::default() },
            _ => Party { number: Some(number), name: Some(name), ..Party::default() },
        }
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
        let member = self.bench.state(old) == Some(CallState::Conference);
        let effects =
            self.input(Input::Incoming { call, caller, called_number, diverted_by, replaces: Some(old) });
        if effects.contains(&Effect::Answer { call }) {
            self.seats += u32::from(member);
            self.network.replaced(self.bench.now_ms, old, &mut self.random);
        }
        effects
    }

    fn operator_acts(&mut self) -> Vec<Effect> {
        let command = self.wish();
        let (_, effects) = self.bench.command(&command);
        for effect in &effects {
            self.network.hear(self.bench.now_ms, effect, &mut self.random);
            if let Effect::Dial { call, .. }
            | Effect::Intercept { call, .. }
            | Effect::TakeOver { call, .. } = effect
            {
                self.last_call = call.0;
            }
        }
        effects
    }

    fn wish(&mut self) -> Command {
        let cards: Vec<CallRef> = self.bench.cards().map(|c| c.call).collect();
        let roll = self.random.below(53);
        // Mostly what the screen offers; now and then what it does not.
        let wanted = match roll {
            0..=3 => Action::Answer,
            5..=6 => Action::Hold,
            7..9 => Action::Retrieve,
            11..16 | 27..29 => Action::Transfer,
            22..27 | 48..52 => Action::TransferToCall,
            29..31 => Action::Undo,
            31 => Action::TransferNow,
            32..34 => Action::WaitAgain,
            34..37 | 44..48 => Action::Conference,
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
            34..37 | 44..48 => Command::Conference { call },
            37 => Command::MuteMember { call, on: self.random.percent(50) },
            38..40 => Command::Park { call, slot: None },
            40 => Command::Unpark { slot: "701".into() },
            41 => Command::Forward { call, to: "2110".into() },
            42 => {
                let mode = self.mode();
                Command::SetService { mode: self.random.percent(40).then_some(mode) }
            }
            43 => {
                let mut percent = || u8::try_from(self.random.below(120)).unwrap();
                let volumes =
                    Volumes { output: percent(), input: percent(), ring: percent(), ..Volumes::default() };
                Command::SetVolumes { volumes }
            }
            0..4 => Command::Answer { call },
            4 => Command::Reject { call },
            5..7 => Command::Hold { call },
            7..9 => Command::Retrieve { call },
            9 => Command::HangUp { call },
            10 => self.dial(),
            52 if self.customers.percent(50) => self.take_over(),
            52 => self.intercept(),
            11..16 => Command::BlindTransfer { call, to: self.target() },
            22..27 | 48..52 => {
                let to = self.random.pick(&cards).unwrap_or(call);
                Command::AttendedTransfer { call, to }
            }
            27..29 => Command::VoicemailTransfer { call, to: "2900".into() },
            29..31 => Command::UndoTransfer { call },
            31 => Command::TransferNow { call },
            32..34 => Command::WaitAgain { call },
            // No roll of its own: the others fall as they did.
            16 if call.0.is_multiple_of(2) => Command::MarkCall { call },
            16 => Command::Digits { call, digits: "1".into() },
            17 => Command::Hook { action: self.key() },
            18 => Command::Mute { on: self.random.percent(50) },
            19 => Command::DismissTransfer { transfer: TransferId(self.random.below(20)) },
            20 if self.random.percent(20) => {
                Command::SetAvailability { availability: Availability::DoNotDisturb }
            }
            _ => Command::SetAvailability { availability: Availability::Available },
        }
    }

    fn target(&mut self) -> String {
        if self.random.percent(3) { "5550200".into() } else { format!("21{}", self.random.below(TARGETS)) }
    }

    /// Mostly where something rings.
    fn intercept(&mut self) -> Command {
        let lamps = self.bench.view.lamps.iter().filter(|lamp| lamp.rings.is_some());
        let ringing: Vec<&str> = lamps.map(|lamp| lamp.number.as_str()).collect();
        let number = self.random.pick(&ringing).filter(|_| self.random.percent(80)).map(str::to_owned);
        Command::Intercept { number: number.unwrap_or_else(|| self.target()) }
    }

    /// Mostly of somebody who talks; now and then of what has ended, or never was.
    fn take_over(&mut self) -> Command {
        let lamps = self.bench.view.lamps.iter();
        let told = lamps.flat_map(|lamp| lamp.talks.iter().map(|told| (lamp.number.as_str(), told.talk)));
        let talks: Vec<(&str, TalkId)> = told.filter_map(|(number, talk)| Some((number, talk?))).collect();
        let there = self.customers.percent(80);
        match self.customers.pick(&talks).filter(|_| there) {
            Some((number, talk)) => Command::TakeOver { number: number.to_owned(), talk },
            None => {
                let number = format!("21{}", self.customers.below(TARGETS));
                Command::TakeOver { number, talk: TalkId(self.customers.below(self.talks + 2)) }
            }
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
    pub(crate) fn pass(&mut self, ms: u64) -> Vec<Effect> {
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

    pub(crate) fn input(&mut self, input: Input) -> Vec<Effect> {
        let effects = self.bench.input(input);
        for effect in &effects {
            self.network.hear(self.bench.now_ms, effect, &mut self.random);
        }
        effects
    }

    /// The same calls in the same states, under other names and numbers.
    fn replay_masked(&self, plain: &ipc::View) {
        let masked = switchboard::masked(&self.bench.recording).unwrap();
        for secret in ["5550100", "5550200", "2200", "Sales", "caller 1", "customer 1"] {
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
    pub(crate) fn clear_the_desk(&mut self) {
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
                self.bench.input(Input::Lamp {
                    number: number.into(),
                    state,
                    calls: 0,
                    peer: None,
                    talks: Vec::new(),
                });
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
