//! REFER outside any dialog (RFC 3515): our exchange has us call somebody, as when a call is placed from another device.
//!
//! REFER within a call is the session's (`session::transfer`). Not done here: the call itself, which is the program's.

use std::time::Instant;

use super::{Event, NotifierId, RequestId, UserAgent};
use crate::flow::Target;
use crate::message::Message;
use crate::notifier::Notifier;
use crate::session::referral;
use crate::sipfrag::{self, SipFrag};
use crate::transaction::TxId;

impl UserAgent {
    /// Agrees to [`Event::Referral`] (202) and tells that it is tried; [`UserAgent::referral_progress`] says more.
    /// `None` if the request is already answered or of no use.
    pub fn accept_referral(&mut self, now: Instant, request: RequestId) -> Option<NotifierId> {
        let tx = TxId::from_raw(request.0);
        if !self.core.layer.is_open(tx) {
            return None;
        }
        let (refer, from) = (self.core.layer.received_request(tx)?, self.core.layer.reply_to(tx)?);
        let account = self.core.account_of(refer, from.ip());
        let id = NotifierId(self.core.new_id());
        let notifier = Notifier::refer(&mut self.core, now, id, tx, account)?;
        self.notifiers.insert(id, notifier);
        self.referral_progress(now, id, 100);
        Some(id)
    }

    /// Refuses [`Event::Referral`] with `code`, 300 to 699.
    pub fn refuse_referral(&mut self, now: Instant, request: RequestId, code: u16) {
        self.core.reply(now, TxId::from_raw(request.0), code.clamp(300, 699));
        self.settle(now);
    }

    /// Tells the referrer how the call it asked for goes; a code from 200 on is the end.
    pub fn referral_progress(&mut self, now: Instant, notifier: NotifierId, code: u16) {
        let body = SipFrag::new(code).write();
        self.notify(now, notifier, sipfrag::CONTENT_TYPE, body, code >= 200);
    }

    /// Our exchange alone may have us call somebody.
    pub(super) fn on_referral(&mut self, now: Instant, tx: TxId, from: Target, request: &Message) {
        let account = self.core.account_of(request, from.ip());
        let Some(account) = account.filter(|&account| self.core.is_exchange_of(account, from.ip())) else {
            tracing::info!(%from, "REFER refused: not from our exchange");
            return self.core.reply(now, tx, 403);
        };
        let Some((target, replaces)) = referral(request) else {
            return self.core.reply(now, tx, 400);
        };
        let referred_by = request.header("Referred-By").map(str::to_owned);
        let id = RequestId(tx.raw());
        self.core.emit(Event::Referral { id, account, target, replaces, referred_by });
    }
}
