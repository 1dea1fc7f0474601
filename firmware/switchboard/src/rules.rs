//! Automatic handling (OVF-1 to OVF-4): rules, the service mode, and who is there.
//!
//! The first rule in the order of the settings that matches and can work is applied. A rule cannot
//! work when its target is no number, when it would send a call to the line it came in on, now or by
//! way of the rules of our other lines, or when it would refuse a caller whom we have answered
//! already: it is passed over, and the operator is told once. So is one whose target has sent the call here itself,
//! which is known only when the call is sent on ([`Switchboard::redirect_failed`]).
//!
//! Rules for new calls are asked when one comes in ([`Switchboard::receive`]), those for waiting
//! ones when their time has come ([`Switchboard::apply_due_rules`]).

use std::collections::BTreeSet;

use ipc::{
    Availability, CallRef, Callers, Direction, EndStatus, NoticeKind, Outcome, Rule, ServiceMode,
    ServiceView, TransferKind, Trigger,
};

use crate::call::{Call, Ms, State};
use crate::number;
use crate::redirect::Onward;
use crate::switchboard::Switchboard;
use crate::{Diverted, Effect};

/// What rules are about, beside calls.
#[derive(Debug)]
pub(crate) struct Handling {
    timetable: ServiceMode,
    /// An operator is signed in.
    there: bool,
    /// Rules of which the operator was told that they cannot work, by their place in the settings.
    pub(crate) told: BTreeSet<usize>,
}

/// What is done with a call.
#[derive(Debug)]
enum Step {
    Send { to: String, kind: TransferKind },
    Hold,
    Reject,
}

/// What a rule does with a call, if it can.
struct Applied {
    /// Its place in the settings.
    index: usize,
    step: Step,
}

impl Default for Handling {
    /// Somebody is there until we are told otherwise: a desk without sign-in never says.
    fn default() -> Self {
        Self { timetable: ServiceMode::Day, there: true, told: BTreeSet::new() }
    }
}

impl Switchboard {
    /// A call comes in: the first rule for it is applied, or it rings.
    pub(crate) fn receive(&mut self, now: Ms, mut call: Call) {
        // A full desk has no room for one more on hold.
        let room = |rule: &Rule| rule.then != Outcome::AnswerAndHold || !self.is_full();
        let (broken, applied) = self.pick_rule(&call, |rule| self.arrival_sets_off(rule.when) && room(rule));
        self.tell(now, &broken);
        let Some(Applied { index, step }) = applied else {
            self.ring_or_refuse(now, call);
            return;
        };
        let (name, why) = self.reason(index);
        call.add_rule(name);
        call.escalated.insert(index);
        match step {
            Step::Send { to, kind } => {
                self.redirect_on_arrival(now, call, Onward { to, why, kind, rule: Some(index) });
            }
            Step::Hold => {
                let id = call.id;
                self.calls.insert(id, call);
                self.answer_unattended(now, id);
            }
            Step::Reject => self.turn_away(now, &call, EndStatus::Rejected),
        }
    }

    /// Applies rules to calls that have waited for as long as those say.
    pub(crate) fn apply_due_rules(&mut self, now: Ms) {
        if self.settings.rules.is_empty() {
            return;
        }
        let waiting: Vec<CallRef> = self.calls.values().filter(|c| c.rings()).map(|c| c.id).collect();
        for id in waiting {
            let Some(call) = self.calls.get(&id) else { continue };
            let recall = call.state() == State::Recalling;
            let due = |rule: &Rule| due_at(rule, call).is_some_and(|due| due <= now);
            let (broken, applied) = self.pick_rule(call, due);
            self.tell(now, &broken);
            let Some(Applied { index, step }) = applied else { continue };
            let (name, why) = self.reason(index);
            if let Some(call) = self.calls.get_mut(&id) {
                call.add_rule(name);
                call.escalated.insert(index);
            }
            self.stopped_ringing = Some(now);
            match step {
                Step::Send { to, kind } if recall => {
                    self.transfer_by_rule(now, id, to, kind);
                }
                Step::Send { to, kind } => {
                    self.redirect(now, id, Onward { to, why, kind, rule: Some(index) });
                }
                Step::Hold if recall => {
                    self.put_on_hold(now, id);
                    self.emit(Effect::Announce { call: id });
                }
                Step::Hold => self.answer_unattended(now, id),
                Step::Reject => self.reject(now, id),
            }
        }
    }

    /// When the next rule for a waiting call is due.
    pub(crate) fn rules_deadline(&self) -> Option<Ms> {
        let calls = self.calls.values().filter(|c| c.rings());
        let due = |call: &Call| {
            let rules = self.settings.rules.iter().enumerate();
            let mine = rules.filter(|(at, rule)| self.concerns(rule, call) && !call.escalated.contains(at));
            let works =
                |at: &usize, rule: &Rule| !self.handling.told.contains(at) || self.step(rule, call).is_some();
            mine.filter(|(at, rule)| works(at, rule)).filter_map(|(_, rule)| due_at(rule, call)).min()
        };
        calls.filter_map(due).min()
    }

    pub(crate) fn timetable(&mut self, now: Ms, mode: ServiceMode) {
        self.handling.timetable = mode;
        self.touch();
        self.apply_due_rules(now);
    }

    /// The operator chooses the mode, or gives it back to the timetable.
    pub(crate) fn set_service(&mut self, now: Ms, mode: Option<ServiceMode>) {
        if self.settings.service != mode {
            self.settings.service = mode;
            self.emit(Effect::SaveService(mode));
            self.touch();
            self.apply_due_rules(now);
        }
    }

    /// Somebody sits down at the desk, or leaves it.
    pub(crate) fn signed_in(&mut self, there: bool, name: Option<String>) {
        self.handling.there = there;
        self.desk.operator = name;
        self.touch();
    }

    /// Whether an operator is signed in.
    pub(crate) fn is_somebody_there(&self) -> bool {
        self.handling.there
    }

    pub(crate) fn service(&self) -> ServiceView {
        let by_hand = self.settings.service;
        ServiceView { mode: by_hand.unwrap_or(self.handling.timetable), by_hand: by_hand.is_some() }
    }

    /// What a rule answered can be spoken on: it waits, hears the message, and takes no ear.
    pub(crate) fn keep_waiting(&mut self, now: Ms, call: CallRef) {
        self.put_on_hold(now, call);
        self.emit(Effect::Announce { call });
    }

    /// The operator takes a call that a rule is answering.
    pub(crate) fn attend(&mut self, now: Ms, call: CallRef) {
        self.give_ear(now, call);
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.unattended = false;
            self.touch();
        }
    }

    fn answer_unattended(&mut self, now: Ms, call: CallRef) {
        self.emit(Effect::Answer { call });
        self.enter(now, call, State::Answering);
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.unattended = true;
        }
    }

    /// The first rule that is set off, concerns the call and can work; and those before it that
    /// cannot.
    fn pick_rule(&self, call: &Call, set_off: impl Fn(&Rule) -> bool) -> (Vec<usize>, Option<Applied>) {
        let mut broken = Vec::new();
        let mut applied = None;
        for (index, rule) in self.settings.rules.iter().enumerate() {
            let done = call.escalated.contains(&index);
            if done || !self.concerns(rule, call) || !set_off(rule) {
                continue;
            }
            match self.step(rule, call) {
                Some(step) => {
                    applied = Some(Applied { index, step });
                    break;
                }
                None => broken.push(index),
            }
        }
        (broken, applied)
    }

    /// Tells the operator, once each, of rules that cannot work.
    pub(crate) fn tell(&mut self, now: Ms, broken: &[usize]) {
        for &index in broken {
            if self.handling.told.insert(index) {
                let rule = self.settings.rules[index].name.clone();
                tracing::warn!(rule, "a rule cannot work and was passed over");
                self.notify(now, NoticeKind::RuleIgnored { rule });
            }
        }
    }

    fn reason(&self, index: usize) -> (String, Diverted) {
        let rule = &self.settings.rules[index];
        let why = match rule.when {
            Trigger::Arrives if rule.modes.is_empty() => Diverted::Unconditional,
            Trigger::Arrives => Diverted::TimeOfDay,
            Trigger::Unanswered { .. } | Trigger::RecallUnanswered { .. } => Diverted::NoAnswer,
            Trigger::TooMany { .. } => Diverted::Busy,
            Trigger::DoNotDisturb => Diverted::DoNotDisturb,
            Trigger::NobodyThere => Diverted::Away,
        };
        (rule.name.clone(), why)
    }

    /// Whether the call, its line and the hour are the rule's.
    fn concerns(&self, rule: &Rule, call: &Call) -> bool {
        self.concerns_line(rule, &call.line_number, call)
    }

    fn concerns_line(&self, rule: &Rule, line: &str, call: &Call) -> bool {
        let its_line = rule.line.as_deref().is_none_or(|number| number::same(number, line));
        let its_mode = rule.modes.is_empty() || rule.modes.contains(&self.service().mode);
        its_line && its_mode && self.is_among(call, rule.who)
    }

    fn is_among(&self, call: &Call, callers: Callers) -> bool {
        let number = call.party.number.as_deref();
        let internal = number.is_some_and(|number| {
            let number = number::user(number);
            number.bytes().all(|b| b.is_ascii_digit())
                && self.settings.extension_digits.contains(&number.len())
        });
        match callers {
            Callers::Anybody => true,
            Callers::Anonymous => number.is_none(),
            Callers::External => !internal,
            Callers::Internal => internal,
        }
    }

    fn arrival_sets_off(&self, trigger: Trigger) -> bool {
        let incoming = || {
            let here = |c: &&Call| c.direction == Direction::Incoming && c.ending_until().is_none();
            self.calls.values().filter(here).count()
        };
        match trigger {
            Trigger::Arrives => true,
            Trigger::TooMany { calls } => incoming() >= usize::try_from(calls).unwrap_or(usize::MAX),
            Trigger::DoNotDisturb => self.desk.availability == Availability::DoNotDisturb,
            Trigger::NobodyThere => !self.handling.there,
            Trigger::Unanswered { .. } | Trigger::RecallUnanswered { .. } => false,
        }
    }

    /// What the rule does with the call; `None` when it cannot work.
    fn step(&self, rule: &Rule, call: &Call) -> Option<Step> {
        let (to, kind) = match &rule.then {
            Outcome::Forward { to } => (to, TransferKind::Rule),
            Outcome::Voicemail { to } => (to, TransferKind::Voicemail),
            Outcome::AnswerAndHold => return Some(Step::Hold),
            // Who was answered cannot be refused as busy any more.
            Outcome::Reject => return (call.state() == State::Ringing).then_some(Step::Reject),
        };
        let to = number::clean(to).ok()?;
        let back = number::same(&to, &call.line_number) || self.comes_round(rule, call, &to);
        (!back).then_some(Step::Send { to, kind })
    }

    /// Whether the rules of our other lines would send the call back to the line it is on. Followed
    /// along the rules that would be applied there, for a reason that holds there as it does here.
    fn comes_round(&self, rule: &Rule, call: &Call, to: &str) -> bool {
        let line_of = |number: &str| self.settings.lines.iter().find(|l| number::same(&l.number, number));
        let Some(mut line) = line_of(to) else { return false };
        let sender = call.diverted_by.as_ref().and_then(|p| p.number.as_deref());
        if sender.is_some_and(|sender| number::same(sender, to)) {
            return true;
        }
        let mut seen = Vec::new();
        while !seen.contains(&&line.number) {
            seen.push(&line.number);
            let next = self.sent_on_from(&line.number, rule.when, call);
            match next.and_then(line_of) {
                Some(next) if number::same(&next.number, &call.line_number) => return true,
                Some(next) => line = next,
                None => return false,
            }
        }
        false
    }

    /// Where the call would be sent if it came in on `line`: at once, else when nobody answers.
    fn sent_on_from(&self, line: &str, cause: Trigger, call: &Call) -> Option<&str> {
        let rules = self.settings.rules.iter().filter(|rule| self.concerns_line(rule, line, call));
        let works = |rule: &&Rule| target(rule).is_none_or(|to| is_elsewhere(to, line));
        let rules: Vec<&Rule> = rules.filter(works).collect();
        let at_once = |rule: &&&Rule| match rule.when {
            Trigger::Arrives => true,
            Trigger::Unanswered { .. } | Trigger::RecallUnanswered { .. } => false,
            other => std::mem::discriminant(&other) == std::mem::discriminant(&cause),
        };
        if let Some(rule) = rules.iter().find(at_once) {
            return target(rule);
        }
        let later = rules.iter().filter_map(|rule| match rule.when {
            Trigger::Unanswered { seconds } => Some((seconds, *rule)),
            _ => None,
        });
        later.min_by_key(|(seconds, _)| *seconds).and_then(|(_, rule)| target(rule))
    }
}

/// When a waiting call is due for the rule; `None` when the rule is about something else.
fn due_at(rule: &Rule, call: &Call) -> Option<Ms> {
    let (since, seconds) = match (rule.when, call.state()) {
        (Trigger::Unanswered { seconds }, State::Ringing) => (call.times.began, seconds),
        (Trigger::RecallUnanswered { seconds }, State::Recalling) => (call.since(), seconds),
        _ => return None,
    };
    Some(since.saturating_add(Ms::from(seconds) * 1000))
}

fn target(rule: &Rule) -> Option<&str> {
    match &rule.then {
        Outcome::Forward { to } | Outcome::Voicemail { to } => Some(to),
        Outcome::AnswerAndHold | Outcome::Reject => None,
    }
}

fn is_elsewhere(to: &str, line: &str) -> bool {
    number::clean(to).is_ok() && !number::same(to, line)
}
