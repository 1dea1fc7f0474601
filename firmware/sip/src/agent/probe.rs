//! Whether the targets of our exchanges are alive: OPTIONS, and what follows from the answer or from none.
//!
//! As soon as a target that we are registered at has been quiet for [`QUIET`], it is asked; where nothing at all is
//! heard for [`PATIENCE`] after that, it is dead, which is known within [`TARGET_KNOWN_FOR`]. Then everything of its
//! accounts goes to the next target ([`super::follow`]). While there is a better target than the one in use, the
//! better one is asked every [`AWAY`]; after [`ANSWERS`] answers in a row everything returns to it. One
//! target is asked once, however many accounts share it, and anything that comes from it counts as life.
//!
//! Some exchanges register us and drop OPTIONS without a word. So a target that has never answered one is
//! asked to register us before it is called dead; where it does, it is not asked by OPTIONS any more, and its death is
//! noticed by the next refresh only.
//!
//! Not done here: connections that break (they are told by the program), and lamps ([`super::vigil`]).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::{AccountId, Nat, UserAgent};
use crate::core::{Alarm, Hop, Owner};
use crate::flow::{Target, Transport};
use crate::message::Message;
use crate::method::Method;
use crate::resolver::Place;
use crate::transaction::TxId;

/// The promise: so long after its last word a dead target is known to be dead at the latest.
pub const TARGET_KNOWN_FOR: Duration = Duration::from_secs(10);

/// After so long without a word a target is asked: between the two, so that a house full of desks does not ask at once.
const QUIET: (Duration, Duration) = (Duration::from_secs(4), Duration::from_millis(5500));

/// So long an answer is waited for: by then the question went out four times over UDP.
const PATIENCE: Duration = Duration::from_secs(4);

/// How often a target is asked that is better than the one in use.
const AWAY: Duration = Duration::from_secs(10);

/// Answers in a row after which a better target is used again.
const ANSWERS: u32 = 2;

/// Pause between two questions to a target that is dead and in use, because there is no other.
const KNOCK: Duration = Duration::from_secs(1);

/// How long a new target has to answer by itself, to the REGISTER that goes there, before it is asked.
const AT_ONCE: Duration = Duration::from_millis(500);

/// A better target that was returned to and left again within this is not trusted at once.
const PROVEN: Duration = Duration::from_secs(60);

/// The longest for which it is not.
const DISTRUST: Duration = Duration::from_secs(600);

/// Questions without an answer from a target that is alive, until it is not asked any more.
const DEAF: u32 = 3;

/// How often a datagram of nothing keeps a NAT's way to us open (RFC 5626 section 3.5.1; many forget after 30 s).
const KEEP_OPEN: Duration = Duration::from_secs(25);

/// The longest pause between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// All targets that are watched.
pub(super) type Probes = BTreeMap<Target, Probe>;

/// What is known of one target.
#[derive(Debug)]
pub(super) struct Probe {
    /// When anything last came from it.
    heard: Option<Instant>,
    asked: Option<Asked>,
    /// When it may be asked next.
    next: Instant,
    /// It has answered an OPTIONS at some time.
    answers: bool,
    /// Answers in a row.
    good: u32,
    /// Questions in a row without an answer while it was heard of otherwise.
    unanswered: u32,
    /// It is being asked to register us, since it has never answered an OPTIONS.
    confirming: bool,
    kept_open: Option<Instant>,
    /// When it was returned to last, and how often in a row that was in vain.
    returned: Option<(Instant, u32)>,
}

/// A question that is on its way.
#[derive(Clone, Copy, Debug)]
struct Asked {
    tx: TxId,
    at: Instant,
}

/// A place with accounts that are registered there, or want to be.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) place: Place,
    pub(super) accounts: Vec<AccountId>,
    pub(super) current: Target,
    /// All its targets, the best first.
    pub(super) targets: Vec<Target>,
}

impl Use {
    /// Those better than the one in use.
    fn better(&self) -> &[Target] {
        let at = self.targets.iter().position(|target| *target == self.current).unwrap_or(0);
        &self.targets[..at]
    }
}

impl Probe {
    fn new(now: Instant) -> Probe {
        Probe {
            heard: None,
            asked: None,
            next: now + AT_ONCE,
            answers: false,
            good: 0,
            unanswered: 0,
            confirming: false,
            kept_open: None,
            returned: None,
        }
    }

    fn is_deaf(&self) -> bool {
        !self.answers && self.unanswered >= DEAF
    }

    /// Whether enough answers came since it was last left.
    fn is_trusted(&self, now: Instant) -> bool {
        let distrust = |(at, vain): (Instant, u32)| at + (AWAY * (1 << vain.min(8))).min(DISTRUST);
        self.good >= ANSWERS && self.returned.is_none_or(|returned| now >= distrust(returned))
    }
}

impl UserAgent {
    /// Begins to look after the targets, if that is wanted.
    pub(super) fn watch_targets(&mut self, now: Instant) {
        let keeps_open = || self.core.lines.values().any(|line| line.account().nat != Nat::None);
        if self.core.config.probe || keeps_open() {
            self.core.timers.set(Alarm::Probe, now);
        }
    }

    /// Forgets all questions: the program ends.
    pub(super) fn stop_watching(&mut self) {
        for asked in std::mem::take(&mut self.probes).into_values().filter_map(|probe| probe.asked) {
            self.core.layer.forget(asked.tx);
        }
        self.core.timers.clear(Alarm::Probe);
    }

    /// Something came from `from`.
    pub(super) fn hear_from(&mut self, now: Instant, from: Target) {
        let Some(probe) = self.probes.get_mut(&from) else { return };
        probe.heard = Some(now);
        // What a target sends that everything has left says little: it may only be clearing its buffers.
        if self.core.silent.contains(&from) && self.uses().iter().any(|of| of.current == from) {
            self.revive(now, from);
        }
    }

    /// Time to look after the targets.
    pub(super) fn on_probe(&mut self, now: Instant) {
        let uses = self.uses();
        if uses.is_empty() && !self.registrations.values().any(|registration| registration.is_wanted()) {
            return self.stop_watching();
        }
        self.keep_open(now, &uses);
        let mut next = now + LOOK;
        if self.core.config.probe {
            for (target, account) in self.watched_targets(&uses) {
                let due = self.look_after(now, target, account, &uses);
                next = next.min(due.max(now + Duration::from_millis(10)));
            }
        }
        self.core.timers.set(Alarm::Probe, next);
    }

    /// The answer to an OPTIONS.
    pub(super) fn on_probe_answer(&mut self, now: Instant, target: Target, tx: TxId, response: &Message) {
        let code = response.code().unwrap_or(0);
        let pause = self.pause(target);
        let has_others = self.uses().iter().any(|of| of.current == target && of.targets.len() > 1);
        let Some(probe) = self.probes.get_mut(&target) else { return };
        if code < 200 || probe.asked.is_none_or(|asked| asked.tx != tx) {
            return;
        }
        probe.asked = None;
        probe.heard = Some(now);
        probe.next = now + pause;
        (probe.answers, probe.unanswered, probe.confirming) = (true, 0, false);
        // It is there, and says that it serves nobody: where others do, that is as good as dead.
        if code == 503 && has_others {
            return self.bury(now, target, "503");
        }
        probe.good = if code == 503 { 0 } else { probe.good.saturating_add(1) };
        self.take_life(now, target);
    }

    /// An OPTIONS could not be delivered at all: no connection.
    pub(super) fn on_probe_silence(&mut self, now: Instant, target: Target, tx: TxId) {
        let pause = self.pause(target);
        let Some(probe) = self.probes.get_mut(&target) else { return };
        if probe.asked.is_none_or(|asked| asked.tx != tx) {
            return;
        }
        (probe.asked, probe.good, probe.next) = (None, 0, now + pause);
        self.bury(now, target, "no connection");
    }

    /// Nobody takes connections at `target`. Where there is another, everything goes there before anybody hears that
    /// there was no answer: a call that is up would end by that.
    pub(super) fn on_no_connection(&mut self, now: Instant, target: Target) {
        let has_others = |of: &Use| of.current == target && of.targets.len() > 1;
        if self.core.config.probe && self.uses().iter().any(has_others) {
            self.bury(now, target, "no connection");
            self.follow(now);
        }
    }

    /// Every place that accounts are registered at, with its target.
    pub(super) fn uses(&self) -> Vec<Use> {
        let mut uses: Vec<Use> = Vec::new();
        for (&account, registration) in &self.registrations {
            let Some(place) = self.core.first_hop(account).filter(|_| registration.is_wanted()) else {
                continue;
            };
            if let Some(of) = uses.iter_mut().find(|of| of.place == place) {
                of.accounts.push(account);
            } else if let Some(current) = self.core.resolver.current(&place) {
                let targets = self.core.resolver.targets(&place);
                uses.push(Use { place, accounts: vec![account], current, targets });
            }
        }
        uses
    }

    /// Whom to ask, and in whose name: what is in use, what is better, and what died. Others are forgotten.
    fn watched_targets(&mut self, uses: &[Use]) -> Vec<(Target, AccountId)> {
        let mut watched: BTreeMap<Target, AccountId> = BTreeMap::new();
        for of in uses {
            let is_in_need = self.core.silent.contains(&of.current);
            let dead = |target: &&Target| is_in_need || self.core.silent.contains(target);
            let all = [&of.current].into_iter().chain(of.better()).chain(of.targets.iter().filter(dead));
            for &target in all {
                watched.entry(target).or_insert(of.accounts[0]);
            }
        }
        let gone: Vec<Target> = self.probes.keys().copied().filter(|at| !watched.contains_key(at)).collect();
        for target in gone {
            if let Some(asked) = self.probes.remove(&target).and_then(|probe| probe.asked) {
                self.core.layer.forget(asked.tx);
            }
            self.core.silent.remove(&target);
        }
        watched.into_iter().collect()
    }

    /// Asks `target` if it is time, or gives its answer up; returns when to look again.
    fn look_after(&mut self, now: Instant, target: Target, account: AccountId, uses: &[Use]) -> Instant {
        let in_use = uses.iter().any(|of| of.current == target);
        let is_silent = self.core.silent.contains(&target);
        let probe = self.probes.entry(target).or_insert_with(|| Probe::new(now));
        if let Some(asked) = probe.asked {
            if now < asked.at + PATIENCE {
                return asked.at + PATIENCE;
            }
            self.give_up(now, target, asked);
        }
        let pause = self.pause(target);
        let Some(probe) = self.probes.get_mut(&target) else { return now + LOOK };
        if probe.asked.is_some() || probe.is_deaf() {
            return now + LOOK;
        }
        // While it talks it need not be asked; but for a return it must have answered.
        let quiet_at = probe.heard.map_or(now, |heard| heard + pause);
        let due = if in_use && !is_silent && probe.answers { probe.next.max(quiet_at) } else { probe.next };
        if now < due {
            return due;
        }
        self.ask_target(now, target, account);
        now + PATIENCE
    }

    fn ask_target(&mut self, now: Instant, target: Target, account: AccountId) {
        let Some(request) = self.options(account) else { return };
        let tx = self.core.send(now, request, &Hop::Address(target), Owner::Probe(target), 0);
        if let Some(probe) = self.probes.get_mut(&target) {
            probe.asked = Some(Asked { tx, at: now });
        }
    }

    fn give_up(&mut self, now: Instant, target: Target, asked: Asked) {
        self.core.layer.forget(asked.tx);
        let pause = self.pause(target);
        let Some(probe) = self.probes.get_mut(&target) else { return };
        probe.asked = None;
        probe.good = 0;
        probe.next = now + pause;
        if probe.heard.is_some_and(|heard| heard >= asked.at) {
            probe.unanswered += 1;
            probe.confirming = false;
            if probe.is_deaf() {
                tracing::info!(%target, "the exchange takes no OPTIONS: its death will be noticed late");
            } else {
                probe.next = now;
            }
            return;
        }
        if !probe.answers && probe.heard.is_some() && !probe.confirming {
            probe.confirming = true;
            probe.next = now;
            return self.confirm(now, target);
        }
        self.bury(now, target, "no answer");
    }

    /// Asks a target that has never answered an OPTIONS for something that it must answer.
    fn confirm(&mut self, now: Instant, target: Target) {
        let accounts: Vec<AccountId> =
            self.uses().into_iter().filter(|of| of.current == target).flat_map(|of| of.accounts).collect();
        for account in accounts {
            if let Some(registration) = self.registrations.get_mut(&account)
                && registration.refresh(&mut self.core, now)
            {
                return;
            }
        }
    }

    /// `target` is dead. What it stood for goes to the next; where there is none, the lines say so.
    fn bury(&mut self, now: Instant, target: Target, reason: &str) {
        if let Some(probe) = self.probes.get_mut(&target) {
            probe.good = 0;
        }
        if !self.core.silent.insert(target) {
            return;
        }
        tracing::warn!(%target, reason, "the exchange does not answer");
        for of in self.uses().into_iter().filter(|of| of.current == target) {
            if self.core.resolver.fail_over(now, &of.place, target) {
                continue;
            }
            for account in &of.accounts {
                if let Some(registration) = self.registrations.get_mut(account) {
                    registration.on_dead_target(&mut self.core, now, target);
                }
            }
            let core = &mut self.core;
            for session in self.sessions.values_mut() {
                if session.account().is_some_and(|account| of.accounts.contains(&account)) {
                    session.on_last_target_dead(core, now, target);
                }
            }
        }
    }

    /// `target` has answered: it may be back, or better than the one in use.
    fn take_life(&mut self, now: Instant, target: Target) {
        let was_silent = self.core.silent.contains(&target);
        let Some(is_trusted) = self.probes.get(&target).map(|probe| probe.is_trusted(now)) else { return };
        for of in self.uses() {
            if of.current == target {
                if was_silent {
                    self.revive(now, target);
                }
                self.prove(now, target);
                continue;
            }
            let is_in_need = self.core.silent.contains(&of.current);
            if of.targets.contains(&target)
                && (is_in_need || is_trusted && of.better().contains(&target))
                && self.core.resolver.move_to(&of.place, target)
            {
                tracing::info!(from = %of.current, to = %target, "the exchange is used by its better target again");
                self.core.silent.remove(&target);
                if let Some(probe) = self.probes.get_mut(&target) {
                    let vain = probe.returned.map_or(0, |(_, vain)| vain + 1);
                    probe.returned = Some((now, vain));
                }
            }
        }
    }

    /// A target that was returned to and has stayed is trusted as before.
    fn prove(&mut self, now: Instant, target: Target) {
        if let Some(probe) = self.probes.get_mut(&target)
            && probe.returned.is_some_and(|(at, _)| now >= at + PROVEN)
        {
            probe.returned = None;
        }
    }

    /// The target in use is there again, after there was no other.
    fn revive(&mut self, now: Instant, target: Target) {
        self.core.silent.remove(&target);
        tracing::info!(%target, "the exchange answers again");
        let accounts = self.uses().into_iter().filter(|of| of.current == target).flat_map(|of| of.accounts);
        for account in accounts {
            if let Some(registration) = self.registrations.get_mut(&account) {
                registration.on_life(&mut self.core, now);
            }
        }
    }

    /// How long to wait before the next question.
    fn pause(&mut self, target: Target) -> Duration {
        let in_use = self.uses().iter().any(|of| of.current == target);
        match (in_use, self.core.silent.contains(&target)) {
            (true, true) => KNOCK,
            (true, false) => self.core.random.between(QUIET.0, QUIET.1),
            (false, _) => AWAY,
        }
    }

    /// OPTIONS outside any dialog, about the exchange itself (RFC 3261 section 11.1).
    fn options(&mut self, account: AccountId) -> Option<Message> {
        let line = self.core.lines.get(&account)?;
        let (identity, mut place) = (line.identity(), line.address(""));
        place.user = None;
        let mut request = Message::request(Method::Options, &place.to_string());
        let tag = self.core.random.word();
        request.push("From", identity.with_tag(&tag).to_string());
        request.push("To", format!("<{place}>"));
        request.push("Call-ID", self.core.new_call_id());
        request.push("CSeq", "1 OPTIONS");
        request.push("Contact", self.core.contact(Some(account)));
        request.push("Accept", crate::sdp::CONTENT_TYPE);
        Some(request)
    }

    /// Sends nothing but a line's end to the exchanges of accounts behind a NAT, so that it keeps its way open.
    fn keep_open(&mut self, now: Instant, uses: &[Use]) {
        let behind_nat = |account: &AccountId| {
            self.core.lines.get(account).is_some_and(|line| line.account().nat != Nat::None)
        };
        let of_nat = uses.iter().filter(|of| of.accounts.iter().any(behind_nat));
        let targets: BTreeSet<Target> = of_nat.map(|of| of.current).collect();
        for target in targets.into_iter().filter(|target| target.transport == Transport::Udp) {
            let probe = self.probes.entry(target).or_insert_with(|| Probe::new(now));
            if probe.kept_open.is_none_or(|at| now >= at + KEEP_OPEN) {
                probe.kept_open = Some(now);
                self.core.layer.send_plain(target, b"\r\n\r\n".to_vec());
            }
        }
    }
}
