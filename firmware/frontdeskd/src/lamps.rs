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

/// What is done next about a phone.
enum Step {
    /// It is no longer monitored.
    Leave(String),
    /// It is monitored, through this account.
    Watch(AccountId, String),
}

impl Lamps {
    /// Notes which phones are to be monitored no longer and which anew, so that in the end exactly `numbers`, in their
    /// order, are, through `account`.
    fn want(&mut self, account: Option<AccountId>, numbers: &[String]) {
        // Another exchange is asked about all of them. What is on its way out from before goes all the same: it may be
        // the one before that watches it.
        let moved = self.account != account;
        let going: HashSet<String> = self.leaving.drain(..).collect();
        let stays =
            |number: &&String| !moved && !going.contains(*number) && numbers.binary_search(number).is_ok();
        self.leaving = self.by_number.keys().filter(|number| !stays(number)).cloned().collect();
        let watched = |number: &&String| self.by_number.contains_key(*number) && stays(number);
        self.waiting = numbers.iter().filter(|number| !watched(number)).cloned().collect();
        self.account = account;
    }

    /// The next of them, those to be monitored no longer first.
    fn step(&mut self) -> Option<Step> {
        if let Some(number) = self.leaving.pop_front() {
            return Some(Step::Leave(number));
        }
        let account = self.account?;
        self.waiting.pop_front().map(|number| Step::Watch(account, number))
    }

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
        lamps.want(account, &numbers);
        info!(
            phones = lamps.by_number.len(),
            new = lamps.waiting.len(),
            gone = lamps.leaving.len(),
            "monitoring"
        );
        lamps.due = Some(now);
    }

    /// Begins to monitor the next few phones, or no longer monitors them.
    pub(crate) fn monitor_some(&mut self, now: Instant) {
        if self.lamps.due.is_none_or(|due| due > now) {
            return;
        }
        for _ in 0..A_TURN {
            match self.lamps.step() {
                Some(Step::Leave(number)) => self.monitor_no_longer(now, number),
                Some(Step::Watch(account, number)) => {
                    let subscription = self.parts.agent.subscribe(now, account, &number, Package::Dialog);
                    self.set_lamp(now, number.clone(), None);
                    self.lamps.by_number.insert(number.clone(), subscription);
                    self.lamps.by_subscription.insert(subscription, number);
                }
                None => break,
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

    /// Does so many steps; through which account each phone is watched after them.
    fn work(lamps: &mut Lamps, steps: usize, through: &mut HashMap<String, AccountId>) {
        for _ in 0..steps {
            match lamps.step() {
                Some(Step::Leave(number)) => {
                    lamps.by_number.remove(&number);
                    through.remove(&number);
                }
                Some(Step::Watch(account, number)) => {
                    lamps.by_number.insert(number.clone(), SubscriptionId(0));
                    assert_eq!(through.insert(number.clone(), account), None, "{number} is watched twice");
                }
                None => return,
            }
        }
    }

    #[test]
    fn pre_1_another_exchange_is_asked_about_every_phone_though_contacts_change_meanwhile() {
        let mut numbers: Vec<String> = (2100..2140).map(|number| number.to_string()).collect();
        let (mut lamps, mut through) = (Lamps::default(), HashMap::new());
        lamps.want(Some(AccountId(1)), &numbers);
        work(&mut lamps, usize::MAX, &mut through);
        assert_eq!(through.len(), 40);
        lamps.want(Some(AccountId(2)), &numbers);
        work(&mut lamps, A_TURN, &mut through);
        // Contacts are edited twice before all of them have left.
        numbers.remove(7);
        lamps.want(Some(AccountId(2)), &numbers);
        work(&mut lamps, 1, &mut through);
        lamps.want(Some(AccountId(2)), &numbers);
        work(&mut lamps, usize::MAX, &mut through);
        let mut watched: Vec<&String> = through.keys().collect();
        watched.sort_unstable();
        assert_eq!(watched, numbers.iter().collect::<Vec<_>>());
        assert!(through.values().all(|account| *account == AccountId(2)), "{through:?}");
        // Nothing to do where nothing changes.
        lamps.want(Some(AccountId(2)), &numbers);
        assert!(lamps.step().is_none());
    }

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
