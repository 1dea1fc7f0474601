//! What is watched at others, and who watches here: subscriptions and notifiers as the program asks for them.
//!
//! Not done here: whether an exchange still vouches for its lamps ([`super::vigil`]).

use std::time::{Duration, Instant};

use super::{AccountId, NotifierId, Package, RequestId, SubscriptionId, UserAgent};
use crate::core::Alarm;
use crate::message::Message;
use crate::notifier::Notifier;
use crate::subscription::Subscription;
use crate::transaction::TxId;

impl UserAgent {
    /// Watches `target`, a number or URI, until [`UserAgent::unsubscribe`]. The SUBSCRIBE goes out when its turn has
    /// come: at once where few are asked for, and at most 800 a second.
    pub fn subscribe(
        &mut self,
        now: Instant,
        account: AccountId,
        target: &str,
        package: Package,
    ) -> SubscriptionId {
        let id = SubscriptionId(self.core.new_id());
        let target = target.to_owned();
        let subscription = Subscription::new(&mut self.core, id, account, target, package);
        self.subscriptions.insert(id, subscription);
        self.keep_vigil(now, account, package);
        self.settle(now);
        id
    }

    /// Watches no longer.
    pub fn unsubscribe(&mut self, now: Instant, subscription: SubscriptionId) {
        if let Some(subscription) = self.subscriptions.get_mut(&subscription) {
            subscription.close(&mut self.core, now);
        }
        self.settle(now);
    }

    /// Refreshes everything that is watched, each in its turn: news may have been lost on the way.
    pub fn refresh(&mut self, now: Instant) {
        for subscription in self.subscriptions.values_mut() {
            subscription.refresh(&mut self.core);
        }
        self.settle(now);
    }

    /// Accepts a subscription for `expires`; send full state with [`UserAgent::notify`] next.
    /// `None` if the request is already answered or of no use.
    pub fn accept_subscription(
        &mut self,
        now: Instant,
        request: RequestId,
        expires: Duration,
    ) -> Option<NotifierId> {
        let tx = TxId::from_raw(request.0);
        if !self.core.layer.is_open(tx) {
            return None;
        }
        let id = NotifierId(self.core.new_id());
        let notifier = Notifier::accept(&mut self.core, now, id, tx, expires)?;
        self.notifiers.insert(id, notifier);
        self.settle(now);
        Some(id)
    }

    /// Notifies a subscriber; `terminated` ends the subscription.
    pub fn notify(
        &mut self,
        now: Instant,
        notifier: NotifierId,
        content_type: &str,
        body: Vec<u8>,
        terminated: bool,
    ) {
        if let Some(entry) = self.notifiers.get_mut(&notifier) {
            entry.notify(&mut self.core, now, content_type, body, terminated);
            self.stirred.push(notifier);
        }
        self.settle(now);
    }

    pub(super) fn on_subscription_answer(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        tx: TxId,
        response: &Message,
    ) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        let (account, refresh) = (subscription.account(), subscription.is_notified());
        subscription.on_response(&mut self.core, now, tx, response);
        let code = response.code().unwrap_or(0);
        // A proxy that only tries is no word of the exchange behind it.
        if code >= 200 {
            self.hear(now, account);
        }
        if refresh {
            self.remember(now, account, code);
        }
    }

    pub(super) fn on_subscription_alarm(&mut self, now: Instant, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        if subscription.is_closed() {
            let (call_id, tag) = subscription.key();
            self.core.leave_dialog(call_id, tag);
            self.core.turns.leave(subscription.account(), id);
            self.core.turns.end(subscription.account(), id);
            self.subscriptions.remove(&id);
        } else {
            subscription.on_alarm(&mut self.core, now);
        }
    }

    /// Lets the SUBSCRIBEs go whose turn has come.
    pub(super) fn admit(&mut self, now: Instant) {
        while let Some(id) = self.core.turns.next(now) {
            if let Some(subscription) = self.subscriptions.get_mut(&id) {
                subscription.go(&mut self.core, now);
            }
        }
        let next = self.core.turns.deadline();
        self.core.timers.arm(Alarm::Turns, next);
    }
}
