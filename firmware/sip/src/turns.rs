//! Whose SUBSCRIBE goes next: two thousand lamps must neither drown an exchange nor take the transactions that
//! calls need.
//!
//! Every SUBSCRIBE of an account waits here for its turn: the first one of a lamp, its refreshes, and the last one.
//! So many may be unanswered at once ([`WINDOW`]) and so many go in a second ([`GAP`]), whatever made them due
//! together: the start of the desk, a list of new colleagues, the return of an exchange that had forgotten them.
//! Not done here: sending, and what a lamp shows meanwhile.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use crate::agent::{AccountId, SubscriptionId};

/// SUBSCRIBEs of one account that may wait for their answer at once: what fits the socket buffer of a small
/// exchange, with the NOTIFYs they bring.
pub(crate) const WINDOW: usize = 32;

/// One SUBSCRIBE every so long, on average: 800 a second, so that 2,000 lamps are asked for in 2.5 seconds.
pub(crate) const GAP: Duration = Duration::from_micros(1250);

/// So many may follow each other at once; below what one turn of the desk may take.
pub(crate) const BURST: u32 = 16;

/// After this an unanswered SUBSCRIBE no longer keeps others waiting, though it is still repeated: an exchange that
/// is silent about some numbers is not silent about all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// The turns of all accounts.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    lanes: BTreeMap<AccountId, Lane>,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<SubscriptionId>,
    /// Those of `waiting`, to find them without a search.
    entered: BTreeSet<SubscriptionId>,
    /// Unanswered, and since when.
    open: BTreeMap<SubscriptionId, Instant>,
    /// When the next one would go if each kept its [`GAP`]; [`BURST`] may run ahead of it.
    schedule: Option<Instant>,
}

impl Turns {
    /// A subscription wants to send. One that waits already keeps its place.
    pub(crate) fn enter(&mut self, account: AccountId, id: SubscriptionId) {
        let lane = self.lanes.entry(account).or_default();
        if lane.entered.insert(id) {
            lane.waiting.push_back(id);
        }
    }

    /// Likewise, before all others: what it asks tells whether the others need to ask at all.
    pub(crate) fn enter_first(&mut self, account: AccountId, id: SubscriptionId) {
        let lane = self.lanes.entry(account).or_default();
        if !lane.entered.insert(id) {
            lane.waiting.retain(|waiting| *waiting != id);
        }
        lane.waiting.push_front(id);
    }

    /// It no longer wants to.
    pub(crate) fn leave(&mut self, account: AccountId, id: SubscriptionId) {
        if let Some(lane) = self.lanes.get_mut(&account)
            && lane.entered.remove(&id)
        {
            lane.waiting.retain(|waiting| *waiting != id);
        }
    }

    /// Its SUBSCRIBE has gone out.
    pub(crate) fn begin(&mut self, account: AccountId, id: SubscriptionId, now: Instant) {
        self.lanes.entry(account).or_default().open.insert(id, now);
    }

    /// Its SUBSCRIBE is answered or given up.
    pub(crate) fn end(&mut self, account: AccountId, id: SubscriptionId) {
        if let Some(lane) = self.lanes.get_mut(&account) {
            lane.open.remove(&id);
        }
    }

    /// Takes the next one whose turn has come.
    pub(crate) fn next(&mut self, now: Instant) -> Option<SubscriptionId> {
        self.lanes.values_mut().find_map(|lane| lane.next(now))
    }

    /// When [`Turns::next`] may have one without anything else happening before. `None` while nobody waits.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.lanes.values().filter_map(Lane::deadline).min()
    }

    /// Whether nobody waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.lanes.values().all(|lane| lane.waiting.is_empty())
    }
}

impl Lane {
    fn next(&mut self, now: Instant) -> Option<SubscriptionId> {
        if self.waiting.is_empty() || self.deadline().is_some_and(|at| at > now) {
            return None;
        }
        let id = self.waiting.pop_front()?;
        self.entered.remove(&id);
        let behind = now.checked_sub(GAP * BURST).unwrap_or(now);
        self.schedule = Some(self.schedule.map_or(behind, |at| at.max(behind)) + GAP);
        Some(id)
    }

    fn deadline(&self) -> Option<Instant> {
        if self.waiting.is_empty() {
            return None;
        }
        // Never set back by a clock that is asked twice: in the past means at once.
        let schedule = self.schedule?;
        let mut open: Vec<Instant> = self.open.values().copied().collect();
        if open.len() < WINDOW {
            return Some(schedule);
        }
        // The window opens when all but its last few are answered or have waited long enough.
        open.sort_unstable();
        let frees = open[open.len() - WINDOW] + PATIENCE;
        Some(schedule.max(frees))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
#[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
mod tests {
    use super::*;

    const US: AccountId = AccountId(1);

    fn id(number: u64) -> SubscriptionId {
        SubscriptionId(number)
    }

    /// Lets everybody go who may at `now`.
    fn go(turns: &mut Turns, now: Instant) -> Vec<u64> {
        let mut gone = Vec::new();
        while let Some(next) = turns.next(now) {
            turns.begin(US, next, now);
            gone.push(next.0);
        }
        gone
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_pace() {
        let start = Instant::now();
        let mut turns = Turns::default();
        (0..2000).for_each(|n| turns.enter(US, id(n)));
        let (mut now, mut sent, mut most) = (start, 0, 0);
        while !turns.is_idle() {
            let gone = go(&mut turns, now);
            // The exchange answers within the millisecond.
            gone.iter().for_each(|&n| turns.end(US, id(n)));
            sent += gone.len();
            most = most.max(gone.len());
            now += Duration::from_millis(1);
        }
        assert_eq!((sent, most), (2000, BURST as usize + 1));
        let took = now - start;
        assert!(took > GAP * 1900 && took < GAP * 2000 + PATIENCE, "{took:?}");
    }

    #[test]
    fn no_more_than_the_window_waits_for_an_answer() {
        let mut now = Instant::now();
        let mut turns = Turns::default();
        (0..200).for_each(|n| turns.enter(US, id(n)));
        let mut gone = Vec::new();
        for _ in 0..1000 {
            gone.extend(go(&mut turns, now));
            now += Duration::from_millis(1);
        }
        assert_eq!(gone.len(), WINDOW, "nobody answers");
        turns.end(US, id(5));
        assert_eq!(go(&mut turns, now), [WINDOW as u64], "one answer lets one more go");
        now += PATIENCE;
        assert_eq!(go(&mut turns, now).len(), BURST as usize + 1, "the silent ones do not block the rest");
    }

    #[test]
    fn nobody_goes_twice_or_after_leaving_and_the_first_goes_first() {
        let now = Instant::now();
        let mut turns = Turns::default();
        for n in [1, 2, 3, 2, 1] {
            turns.enter(US, id(n));
        }
        turns.leave(US, id(2));
        turns.enter_first(US, id(9));
        turns.enter_first(US, id(3));
        assert_eq!(go(&mut turns, now), [3, 9, 1]);
        assert!(turns.is_idle() && turns.deadline().is_none());
    }

    #[test]
    fn accounts_do_not_wait_for_each_other() {
        let now = Instant::now();
        let mut turns = Turns::default();
        (0..100).for_each(|n| turns.enter(US, id(n)));
        go(&mut turns, now);
        turns.enter(AccountId(2), id(500));
        assert_eq!(turns.next(now), Some(id(500)));
    }
}
