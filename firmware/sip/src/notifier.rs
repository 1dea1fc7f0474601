//! Subscriptions others hold with us (RFC 6665), for an exchange, and those that a REFER implies: answer, refresh, NOTIFY one after
//! the other so that none overtakes another, expiry.
//!
//! Not done here: what is notified. The program sends full state after accepting and after every
//! refresh.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::agent::{AccountId, Event, NotifierId, NotifierState};
use crate::core::{Alarm, Core, Hop, Owner};
use crate::dialog::{Dialog, Order};
use crate::message::Message;
use crate::method::Method;
use crate::transaction::TxId;

/// NOTIFYs waiting for the answer to the one before; the oldest gives way.
const MAX_WAITING: usize = 32;

/// How long the news of a referral may go on.
const REFER_EXPIRES: Duration = Duration::from_secs(180);

/// One subscriber.
#[derive(Debug)]
pub(crate) struct Notifier {
    id: NotifierId,
    dialog: Dialog,
    call_id: String,
    local_tag: String,
    event: String,
    /// Whose telephone it is; `None` for an exchange.
    account: Option<AccountId>,
    until: Instant,
    tx: Option<TxId>,
    waiting: VecDeque<Notice>,
    over: bool,
}

#[derive(Debug)]
struct Notice {
    content_type: String,
    body: Vec<u8>,
    terminated: Option<&'static str>,
}

impl Notifier {
    /// Accepts the SUBSCRIBE of a server transaction. `None` if it is gone or has no usable dialog.
    pub(crate) fn accept(
        core: &mut Core,
        now: Instant,
        id: NotifierId,
        tx: TxId,
        expires: Duration,
    ) -> Option<Notifier> {
        let event = core.layer.received_request(tx)?.header("Event")?.to_owned();
        let mut notifier = Notifier::of_request(core, now, id, tx, event)?;
        notifier.grant(core, now, tx, expires, 200);
        Some(notifier)
    }

    /// Accepts a REFER outside any dialog; it implies a subscription (RFC 3515 section 2.4.4).
    pub(crate) fn refer(
        core: &mut Core,
        now: Instant,
        id: NotifierId,
        tx: TxId,
        account: Option<AccountId>,
    ) -> Option<Notifier> {
        let mut notifier = Notifier::of_request(core, now, id, tx, "refer".to_owned())?;
        notifier.account = account;
        notifier.grant(core, now, tx, REFER_EXPIRES, 202);
        Some(notifier)
    }

    fn of_request(
        core: &mut Core,
        now: Instant,
        id: NotifierId,
        tx: TxId,
        event: String,
    ) -> Option<Notifier> {
        let call_id = core.layer.received_request(tx)?.call_id()?.to_owned();
        let local_tag = core.random.word();
        let dialog = Dialog::of_callee(core.layer.received_request(tx)?, &local_tag)?;
        core.enter_dialog(&call_id, &local_tag, Owner::Notifier(id));
        Some(Notifier {
            id,
            dialog,
            call_id,
            local_tag,
            event,
            account: None,
            until: now,
            tx: None,
            waiting: VecDeque::new(),
            over: false,
        })
    }

    /// Sends a NOTIFY, or lets it wait for the answer to the one before.
    pub(crate) fn notify(
        &mut self,
        core: &mut Core,
        now: Instant,
        content_type: &str,
        body: Vec<u8>,
        terminated: bool,
    ) {
        let terminated = terminated.then_some("noresource");
        self.queue(core, now, Notice { content_type: content_type.to_owned(), body, terminated });
    }

    /// A SUBSCRIBE in the dialog: refresh or end.
    pub(crate) fn on_subscribe(&mut self, core: &mut Core, now: Instant, tx: TxId, request: &Message) {
        if self.over {
            return core.reply(now, tx, 481);
        }
        if self.dialog.receive(request) == Order::Stale {
            return core.reply(now, tx, 500);
        }
        self.dialog.refresh_target(request);
        let expires = Duration::from_secs(u64::from(request.expires().unwrap_or(3600)));
        self.grant(core, now, tx, expires, 200);
        if expires.is_zero() {
            self.close(core, now, "timeout");
        } else {
            self.report(core, NotifierState::Refreshed);
        }
    }

    pub(crate) fn on_response(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) {
        let code = response.code().unwrap_or(0);
        if self.tx != Some(id) || code < 200 {
            return;
        }
        self.tx = None;
        if matches!(code, 401 | 407) {
            self.tx = self.answer_challenge(core, now, id, response);
            if self.tx.is_some() {
                return;
            }
        }
        // 500 and 503 are passing; everything else says that nobody listens.
        if code >= 300 && !matches!(code, 500 | 503) {
            return self.end(core);
        }
        self.advance(core, now);
    }

    pub(crate) fn on_silence(&mut self, core: &mut Core, id: TxId) {
        if self.tx == Some(id) {
            self.tx = None;
            self.end(core);
        }
    }

    /// The subscription expired.
    pub(crate) fn on_alarm(&mut self, core: &mut Core, now: Instant) {
        self.close(core, now, "timeout");
    }

    /// Whether it has ended and its last NOTIFY is settled.
    pub(crate) fn is_done(&self) -> bool {
        self.over && self.tx.is_none() && self.waiting.is_empty()
    }

    /// Call-ID and our tag.
    pub(crate) fn key(&self) -> (&str, &str) {
        (&self.call_id, &self.local_tag)
    }

    /// Ends the subscription with a last NOTIFY.
    pub(crate) fn close(&mut self, core: &mut Core, now: Instant, reason: &'static str) {
        let notice = Notice { content_type: String::new(), body: Vec::new(), terminated: Some(reason) };
        self.queue(core, now, notice);
    }

    /// Our own exchange alone gets an answer.
    fn answer_challenge(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: TxId,
        response: &Message,
    ) -> Option<TxId> {
        let to = core.layer.sent_to(id)?;
        let refused = core.layer.sent_request(id)?.clone();
        let attempt = core.layer.attempt(id);
        let account = self.account.filter(|&account| core.is_exchange_of(account, to.ip()))?;
        let line = core.lines.get_mut(&account)?;
        let mut again = line.answer(&mut core.random, &refused, response, attempt)?;
        again.set("CSeq", format!("{} NOTIFY", self.dialog.next_cseq()));
        Some(core.send(now, again, &Hop::Address(to), Owner::Notifier(self.id), attempt + 1))
    }

    fn grant(&mut self, core: &mut Core, now: Instant, tx: TxId, expires: Duration, code: u16) {
        self.until = now + expires;
        let contact = core.contact_in(self.account, tx);
        if let Some(mut response) = core.response(tx, code, &self.local_tag) {
            response.push("Contact", contact);
            response.push("Expires", expires.as_secs().to_string());
            core.layer.respond(now, tx, &response);
        }
        core.timers.set(Alarm::Notifier(self.id), self.until);
    }

    fn queue(&mut self, core: &mut Core, now: Instant, notice: Notice) {
        if self.over {
            return;
        }
        let last = notice.terminated.is_some();
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(notice);
        self.advance(core, now);
        if last {
            self.finish(core);
        }
    }

    fn advance(&mut self, core: &mut Core, now: Instant) {
        if self.tx.is_some() {
            return;
        }
        let Some(notice) = self.waiting.pop_front() else { return };
        let mut request = self.dialog.request(Method::Notify);
        request.push("Contact", core.contact(self.account));
        request.push("Event", self.event.as_str());
        let left = self.until.saturating_duration_since(now).as_secs();
        let state = match notice.terminated {
            Some(reason) => format!("terminated;reason={reason}"),
            None => format!("active;expires={left}"),
        };
        request.push("Subscription-State", state);
        if !notice.body.is_empty() {
            request.set_body(&notice.content_type, notice.body);
        }
        let hop = core.dialog_hop(self.account, self.dialog.hop());
        self.tx = Some(core.send(now, request, &hop, Owner::Notifier(self.id), 0));
    }

    /// Nobody listens: what waits is worthless.
    fn end(&mut self, core: &mut Core) {
        self.waiting.clear();
        self.finish(core);
    }

    fn finish(&mut self, core: &mut Core) {
        if !self.over {
            self.over = true;
            core.timers.clear(Alarm::Notifier(self.id));
            self.report(core, NotifierState::Ended);
        }
    }

    fn report(&self, core: &mut Core, state: NotifierState) {
        core.emit(Event::Notifier { notifier: self.id, state });
    }
}
