//! Whether an exchange still vouches for the lamps it has lit.
//!
//! A dead exchange sends no news, and a lamp without news looks like a phone that is free. So the desk asks: as soon
//! as an account's exchange has been quiet for [`QUIET`], the lamp whose turn it is is refreshed, which shows at once
//! whether the exchange is there and whether it remembers. Where nothing at all is heard of it for
//! nearly [`LAMPS_KNOWN_FOR`], every subscription of the account is lost in one go, and one of them knocks every [`KNOCK`]
//! until there is an answer; then all are asked for anew, as fast as [`crate::turns`] allows, and the account
//! registers again. An exchange that answers but has forgotten two lamps one after the other (481) was restarted,
//! and is treated as one that came back.
//!
//! Not done here: accounts that watch neither phones nor people; their registration finds out by itself.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{AccountId, Package, SubscriptionId, UserAgent};
use crate::core::Alarm;
use crate::subscription::{Doubt, Subscription};

/// The promise: so long after the last word of its exchange a lamp is known to be unknown at the latest.
pub const LAMPS_KNOWN_FOR: Duration = Duration::from_secs(10);

/// When an exchange is found silent: by then two lamps have asked it, four times or so each, the first [`QUIET`] after its
/// last word. The rest of [`LAMPS_KNOWN_FOR`] is for saying so of thousands of lamps.
const SILENT: Duration = Duration::from_millis(9500);

/// After so long without a word the exchange is asked.
const QUIET: Duration = Duration::from_secs(3);

/// How often a silent exchange is asked whether it is back.
const KNOCK: Duration = Duration::from_secs(2);

/// After so many knocks the next address of the exchange is tried, if it has several.
const KNOCKS_AN_ADDRESS: u32 = 3;

/// Lamps forgotten one after the other that show that the exchange has forgotten all.
const FORGOTTEN: u32 = 2;

/// An exchange that answers 481 to whatever is refreshed has not forgotten its lamps time and again: where none was
/// refreshed since the last time, so long must pass, each time twice as long, before all are asked for anew.
const FORGOTTEN_AGAIN: Duration = Duration::from_secs(10);
const FORGOTTEN_AGAIN_LONGEST: Duration = Duration::from_secs(600);

/// The vigils of all accounts that watch something.
pub(super) type Vigils = BTreeMap<AccountId, Vigil>;

/// What is known of one account's exchange.
#[derive(Debug)]
pub(super) struct Vigil {
    /// When it last answered or notified.
    heard: Instant,
    /// Knocks without an answer since it was found silent.
    silent: Option<u32>,
    /// Refreshes in a row that met 481.
    forgotten: u32,
    /// From when on it can be found forgetful again, and how long it is after that; `None` where a lamp was refreshed
    /// since.
    again: Option<(Instant, Duration)>,
    /// The lamp that was asked last.
    asked: SubscriptionId,
}

impl UserAgent {
    /// A subscription of this account begins.
    pub(super) fn keep_vigil(&mut self, now: Instant, account: AccountId, package: Package) {
        if is_watched(package) && !self.vigils.contains_key(&account) {
            let vigil =
                Vigil { heard: now, silent: None, forgotten: 0, again: None, asked: SubscriptionId(0) };
            self.vigils.insert(account, vigil);
            self.core.timers.set(Alarm::Exchange(account), now + QUIET);
        }
    }

    /// The account's exchange answered a SUBSCRIBE of ours, or notified within a dialog of ours: nobody else knows
    /// their identifiers. That it answers a REGISTER says nothing of its lamps.
    pub(super) fn hear(&mut self, now: Instant, account: AccountId) {
        let Some(vigil) = self.vigils.get_mut(&account) else { return };
        vigil.heard = now;
        if vigil.silent.take().is_some() {
            tracing::info!(account = account.0, "the exchange is back: everything is asked for anew");
            self.doubt_all(now, account, Doubt::Forgotten);
            self.register_anew(now, account);
        }
    }

    /// What the answer to a refresh says of the exchange's memory.
    pub(super) fn remember(&mut self, now: Instant, account: AccountId, code: u16) {
        let Some(vigil) = self.vigils.get_mut(&account) else { return };
        match code {
            200..=299 => (vigil.forgotten, vigil.again) = (0, None),
            481 => {
                vigil.forgotten += 1;
                if vigil.forgotten < FORGOTTEN {
                    return self.probe_next(account);
                }
                vigil.forgotten = 0;
                if vigil.again.is_some_and(|(at, _)| now < at) {
                    return;
                }
                let pause = vigil.again.map_or(FORGOTTEN_AGAIN, |(_, pause)| pause * 2);
                let pause = pause.min(FORGOTTEN_AGAIN_LONGEST);
                vigil.again = Some((now + pause, pause));
                tracing::warn!(account = account.0, "the exchange has forgotten its lamps");
                self.doubt_all(now, account, Doubt::Forgotten);
            }
            _ => {}
        }
    }

    /// Time to look after the exchange of `account`.
    pub(super) fn on_vigil(&mut self, now: Instant, account: AccountId) {
        let Some(vigil) = self.vigils.get_mut(&account) else { return };
        if let Some(knocks) = vigil.silent {
            vigil.silent = Some(knocks.saturating_add(1));
            self.knock(now, account, knocks);
            return self.core.timers.set(Alarm::Exchange(account), now + KNOCK);
        }
        let quiet_at = vigil.heard + QUIET;
        if now < quiet_at {
            return self.core.timers.set(Alarm::Exchange(account), quiet_at);
        }
        if self.watched(account).next().is_none() {
            self.vigils.remove(&account);
            return;
        }
        // Where everything was refused there is nothing to vouch for, and nothing was to be heard.
        let asks = self.watched(account).any(|(_, lamp)| lamp.is_notified() || lamp.is_asking());
        let Some(vigil) = self.vigils.get_mut(&account) else { return };
        if !asks {
            vigil.heard = now;
            return self.core.timers.set(Alarm::Exchange(account), now + QUIET);
        }
        let silent_at = vigil.heard + SILENT;
        if now < silent_at {
            self.probe_next(account);
            return self.core.timers.set(Alarm::Exchange(account), silent_at.min(now + QUIET));
        }
        vigil.silent = Some(0);
        vigil.forgotten = 0;
        let lamps = self.watched(account).count();
        tracing::warn!(account = account.0, lamps, "the exchange is silent: nothing is known of its phones");
        self.doubt_all(now, account, Doubt::Silent);
        self.register_anew(now, account);
        self.core.timers.set(Alarm::Exchange(account), now + KNOCK);
    }

    /// The subscriptions that are lit by the exchange of `account`.
    fn watched(&self, account: AccountId) -> impl Iterator<Item = (SubscriptionId, &Subscription)> {
        let ours = move |subscription: &Subscription| {
            subscription.account() == account
                && is_watched(subscription.package())
                && !subscription.is_closed()
        };
        self.subscriptions.iter().map(|(&id, subscription)| (id, subscription)).filter(move |(_, s)| ours(s))
    }

    /// Refreshes the next lamp behind the one asked last, which is then no longer the next for a long while.
    fn probe_next(&mut self, account: AccountId) {
        let Some(last) = self.vigils.get(&account).map(|vigil| vigil.asked) else { return };
        let ready = |(_, subscription): &(SubscriptionId, &Subscription)| {
            subscription.is_notified() && !subscription.is_asking()
        };
        let behind = self.watched(account).filter(ready).find(|(id, _)| *id > last);
        let Some((next, _)) = behind.or_else(|| self.watched(account).find(ready)) else { return };
        if let Some(vigil) = self.vigils.get_mut(&account) {
            vigil.asked = next;
        }
        if let Some(subscription) = self.subscriptions.get_mut(&next) {
            subscription.probe(&mut self.core);
        }
    }

    /// Asks the silent exchange with one of the subscriptions, in place of the one that asked before.
    fn knock(&mut self, now: Instant, account: AccountId, knocks: u32) {
        let asking = self.watched(account).find(|(_, subscription)| subscription.is_asking());
        let dead = asking.and_then(|(_, subscription)| subscription.asked_at(&self.core));
        let Some((id, _)) = asking.or_else(|| self.watched(account).next()) else {
            self.vigils.remove(&account);
            return;
        };
        if knocks % KNOCKS_AN_ADDRESS == KNOCKS_AN_ADDRESS - 1
            && let (Some(place), Some(dead)) = (self.core.first_hop(account), dead)
        {
            self.core.resolver.fail_over(now, &place, dead);
        }
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            subscription.knock(&mut self.core, now);
        }
    }

    /// Has every subscription of the account take back what it knows, but for those that have just asked anew.
    fn doubt_all(&mut self, now: Instant, account: AccountId, doubt: Doubt) {
        for subscription in self.subscriptions.values_mut().filter(|s| s.account() == account) {
            if doubt == Doubt::Silent || !subscription.is_new() {
                subscription.doubt(&mut self.core, now, doubt);
            }
        }
    }

    /// The account's exchange is used by another target, which knows nothing of its lamps.
    pub(super) fn ask_lamps_anew(&mut self, now: Instant, account: AccountId) {
        if let Some(vigil) = self.vigils.get_mut(&account) {
            (vigil.heard, vigil.silent, vigil.forgotten) = (now, None, 0);
            self.core.timers.set(Alarm::Exchange(account), now + QUIET);
        }
        for subscription in self.subscriptions.values_mut().filter(|s| s.account() == account) {
            subscription.doubt(&mut self.core, now, Doubt::Forgotten);
        }
    }

    fn register_anew(&mut self, now: Instant, account: AccountId) {
        if let Some(registration) = self.registrations.get_mut(&account) {
            registration.start_again(&mut self.core, now);
        }
    }
}

/// Whether what a package tells must not be shown once nobody vouches for it.
fn is_watched(package: Package) -> bool {
    match package {
        Package::Dialog | Package::Presence => true,
        Package::MessageSummary => false,
    }
}
