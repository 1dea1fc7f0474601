//! The monitored phones (PRE-1, PRE-4): which are watched, and what the exchange says of them.
//!
//! What the words of dialog-info mean is in `bridge`, what of it can be picked up in `intercept`. How fast phones are
//! asked for, and when a silent exchange is no longer believed, is `sip`'s business ([`sip::LAMPS_KNOWN_FOR`]).

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use ipc::{LampState, TalkId};
use sip::{AccountId, Package, SubscriptionId, SubscriptionState, dialog_info::Dialog};
use switchboard::Input;
use tracing::{debug, info, warn};

use crate::{
    bridge::{self, Lamp},
    engine::Engine,
    intercept::{Pickup, Talks},
};

/// Phones monitored at most: twice the lamps the desk is made for. A list of customers loaded by mistake
/// as colleagues must not turn into ten thousand subscriptions.
const MAX_MONITORED: usize = 4000;
/// Phones whose monitoring is begun or ended in one turn: more would hold up the engine.
const A_TURN: usize = 16;
/// Datagrams were dropped and are no more for so long: then the flood is over.
const CALM: Duration = Duration::from_secs(2);

/// Which subscription is which phone.
#[derive(Default)]
pub(crate) struct Lamps {
    by_number: HashMap<String, SubscriptionId>,
    by_subscription: HashMap<SubscriptionId, String>,
    /// What the exchange said last, where it says anything.
    known: HashMap<String, Lamp>,
    /// Phones on which something rings that can be picked up.
    pub(crate) ringing: HashMap<String, Pickup>,
    /// Phones of which the switchboard was told last that such a call rings: only of these is it news that none does.
    rang: HashSet<String>,
    /// What can be taken over.
    pub(crate) talks: Talks,
    /// Phones whose person wants no calls.
    undisturbed: HashSet<String>,
    /// Phones to monitor whose turn has not come.
    waiting: VecDeque<String>,
    /// Phones no longer to be monitored whose turn has not come.
    leaving: VecDeque<String>,
    /// Through which account.
    account: Option<AccountId>,
    /// The phones that the directories want watched.
    wanted: Vec<String>,
    /// When the next few are begun or ended.
    due: Option<Instant>,
    /// Datagrams lost before the desk could read them, as far as the lamps have been asked about since.
    missed: u64,
    /// When they are asked.
    recheck: Option<Instant>,
}

impl Lamps {
    /// When there is something to do.
    pub(crate) fn next(&self) -> Option<Instant> {
        [self.due, self.recheck].into_iter().flatten().min()
    }

    /// Takes note of whether something rings on a phone that can be picked up; whether the switchboard must be told. Most
    /// news of thousands of phones is of none, and was so before.
    pub(crate) fn is_news_of_ringing(&mut self, number: &str, rings: bool) -> bool {
        if !rings {
            return self.rang.remove(number);
        }
        // The caller may be another one.
        self.rang.insert(number.to_owned());
        true
    }

    /// Whether the phone of that number is watched.
    pub(crate) fn watches(&self, number: &str) -> bool {
        self.by_number.contains_key(number)
    }
}

impl Engine {
    /// Watches exactly these phones, and those always watched.
    pub(crate) fn monitor(&mut self, now: Instant, numbers: Vec<String>) {
        self.lamps.wanted = numbers;
        self.monitor_wanted(now);
    }

    /// Watches them through the account of the first line; without a line there is nobody to ask.
    pub(crate) fn monitor_wanted(&mut self, now: Instant) {
        let account = self.parts.lines.first().map(|&(_, account)| account);
        if account.is_none() && self.lamps.account.is_none() {
            return;
        }
        let mut numbers = if account.is_some() { self.lamps.wanted.clone() } else { Vec::new() };
        // First, so that none of them falls behind the limit.
        numbers.retain(|number| !self.parts.watched.contains(number));
        if account.is_some() {
            numbers.splice(0..0, self.parts.watched.iter().cloned());
        }
        if numbers.len() > MAX_MONITORED {
            warn!(asked = numbers.len(), MAX_MONITORED, "too many phones to monitor: the rest have no lamp");
            numbers.truncate(MAX_MONITORED);
        }
        numbers.sort_unstable();
        let lamps = &mut self.lamps;
        // Another exchange is asked about all of them.
        let moved = lamps.account != account;
        let stays = |number: &&String| !moved && numbers.binary_search(number).is_ok();
        lamps.leaving = lamps.by_number.keys().filter(|number| !stays(number)).cloned().collect();
        let new = numbers.iter().filter(|number| moved || !lamps.by_number.contains_key(*number));
        lamps.waiting = new.cloned().collect();
        info!(
            phones = lamps.by_number.len(),
            new = lamps.waiting.len(),
            gone = lamps.leaving.len(),
            "monitoring"
        );
        lamps.due = Some(now);
        lamps.account = account;
    }

    /// Begins to monitor the next few phones, or no longer monitors them.
    pub(crate) fn monitor_some(&mut self, now: Instant) {
        if self.lamps.due.is_none_or(|due| due > now) {
            return;
        }
        for _ in 0..A_TURN {
            if let Some(number) = self.lamps.leaving.pop_front() {
                self.monitor_no_longer(now, number);
            } else if let Some(account) = self.lamps.account
                && let Some(number) = self.lamps.waiting.pop_front()
            {
                let subscription = self.parts.agent.subscribe(now, account, &number, Package::Dialog);
                self.set_lamp(now, number.clone(), None);
                self.lamps.by_number.insert(number.clone(), subscription);
                self.lamps.by_subscription.insert(subscription, number);
            }
        }
        let is_done = self.lamps.leaving.is_empty() && self.lamps.waiting.is_empty();
        self.lamps.due = (!is_done).then_some(now);
    }

    /// Asks about all phones again after datagrams were dropped: news of them may have been among these, and an
    /// exchange that had no answer in time sends no more of it.
    pub(crate) fn recheck_lamps(&mut self, now: Instant) {
        let dropped = self.parts.gauges.dropped.load(Ordering::Relaxed);
        if dropped != self.lamps.missed {
            self.lamps.missed = dropped;
            self.lamps.recheck = Some(now + CALM);
        } else if self.lamps.recheck.is_some_and(|at| at <= now) {
            self.lamps.recheck = None;
            info!(dropped, "datagrams were dropped: all phones are asked again");
            self.parts.agent.refresh(now);
        }
    }

    fn monitor_no_longer(&mut self, now: Instant, number: String) {
        if let Some(subscription) = self.lamps.by_number.remove(&number) {
            self.lamps.by_subscription.remove(&subscription);
            self.parts.agent.unsubscribe(now, subscription);
        }
        self.lamps.ringing.remove(&number);
        self.lamps.rang.remove(&number);
        self.lamps.talks.forget(&number);
        self.lamps.known.remove(&number);
        self.parts.board.handle(now, Input::LampGone { number });
    }

    /// The exchange says what a phone does.
    pub(crate) fn lamp_news(&mut self, now: Instant, subscription: SubscriptionId, dialogs: &[Dialog]) {
        if let Some(number) = self.lamps.by_subscription.get(&subscription).cloned() {
            let talks: Vec<Option<TalkId>> = self.know_talks(&number, dialogs);
            self.set_lamp(now, number.clone(), Some(bridge::lamp(dialogs, &talks)));
            self.set_ringing(now, number, dialogs);
        }
    }

    /// A subscription is believed, or not any more.
    pub(crate) fn lamp_standing(&mut self, now: Instant, of: SubscriptionId, state: &SubscriptionState) {
        let Some(number) = self.lamps.by_subscription.get(&of).cloned() else { return };
        match state {
            SubscriptionState::Active => return,
            // The agent has said it once for all of them.
            SubscriptionState::Lost { reason } if sip::is_of_all(reason) => {
                debug!(number, reason, "phone state lost")
            }
            SubscriptionState::Lost { reason } => info!(number, reason, "phone state lost"),
            SubscriptionState::Pending | SubscriptionState::Terminated => {}
        }
        self.set_lamp(now, number, None);
    }

    /// Whether the person at a phone wants no calls, where that is told beside what the phone does.
    pub(crate) fn set_undisturbed(&mut self, now: Instant, number: &str, on: bool) {
        let changed = match on {
            true => self.lamps.undisturbed.insert(number.to_owned()),
            false => self.lamps.undisturbed.remove(number),
        };
        if changed && let Some(lamp) = self.lamps.known.get(number).cloned() {
            self.show_lamp(now, number.to_owned(), lamp);
        }
    }

    /// What a phone does, `None` if nothing vouches for it. What rings there is said by [`Engine::set_ringing`],
    /// each time anew.
    fn set_lamp(&mut self, now: Instant, number: String, lamp: Option<Lamp>) {
        self.lamps.ringing.remove(&number);
        match &lamp {
            Some(lamp) => drop(self.lamps.known.insert(number.clone(), lamp.clone())),
            None => {
                self.lamps.talks.forget(&number);
                self.lamps.known.remove(&number);
            }
        }
        self.show_lamp(now, number, lamp.unwrap_or_default());
    }

    /// Do Not Disturb is shown where the phone would be free: that it rings or talks is more to the point.
    fn show_lamp(&mut self, now: Instant, number: String, lamp: Lamp) {
        let Lamp { mut state, calls, peer, talks } = lamp;
        if state == LampState::Available && self.lamps.undisturbed.contains(&number) {
            state = LampState::DoNotDisturb;
        }
        self.parts.board.handle(now, Input::Lamp { number, state, calls, peer, talks });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_nothing_rings_is_told_once_and_each_ringing_call_every_time() {
        let mut lamps = Lamps::default();
        let mut told = |number: &str, rings: &[bool]| -> Vec<bool> {
            rings.iter().map(|&rings| lamps.is_news_of_ringing(number, rings)).collect()
        };
        assert_eq!(
            told("2101", &[false, false, true, true, false, false]),
            [false, false, true, true, true, false]
        );
        assert_eq!(told("2102", &[false, true]), [false, true]);
        assert_eq!(told("2101", &[false]), [false], "each phone by itself");
        assert_eq!(told("2102", &[false]), [true]);
    }
}
