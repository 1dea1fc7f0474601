//! Requests of ours within a call, its 2xx and its ACKs: sent, repeated and proved with a password.
//!
//! Not done here: what they are for.

use std::time::{Duration, Instant};

use super::{Ack, MAX_ACKS, Session, State, Unacked, Unsaid, is_undelivered};
use crate::agent::EndedBy;
use crate::core::{Alarm, Core, Hop, Owner};
use crate::dialog::Dialog;
use crate::message::Message;
use crate::method::Method;
use crate::transaction::TxId;

/// Pause before a BYE is said again that met no connection; it doubles, up to the second.
const SAY_AGAIN: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));

/// For so long it is said again.
const SAY_AGAIN_FOR: Duration = Duration::from_secs(300);

impl Session {
    /// A 200 with our Contact and, if not empty, a description.
    pub(super) fn answer_with(&self, core: &Core, id: TxId, body: Vec<u8>) -> Option<Message> {
        let mut response = core.response(id, 200, &self.local_tag)?;
        response.push("Contact", core.contact_in(self.account, id));
        response.push("Allow", core.allow());
        response.push("Supported", core.supported());
        if !body.is_empty() {
            response.set_body(crate::sdp::CONTENT_TYPE, body);
        }
        Some(response)
    }

    /// Sends a 2xx to INVITE and keeps it until the ACK.
    pub(super) fn send_answer(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: TxId,
        response: &Message,
        offered: bool,
    ) {
        let Some(to) = core.layer.reply_to(id) else { return };
        core.layer.respond(now, id, response);
        self.unacked = Some(Unacked {
            number: response.cseq().map_or(0, |cseq| cseq.number),
            to,
            bytes: response.write(),
            interval: core.config.t1,
            until: now + core.config.t1 * 64,
            offered,
        });
        core.timers.set(Alarm::Repeat(self.id), now + core.config.t1);
    }

    /// Repeats a 2xx that nobody acknowledged, or gives up.
    pub(super) fn repeat_answer(&mut self, core: &mut Core, now: Instant) {
        let Some(unacked) = &mut self.unacked else { return };
        if now >= unacked.until {
            self.unacked = None;
            // A call that we have hung up since has had its BYE, unless that waited for the ACK.
            if std::mem::take(&mut self.bye_due) || self.state != State::Over {
                self.send_bye(core, now);
            }
            return self.end(core, now, EndedBy::Timeout, 408, "our answer was never acknowledged");
        }
        core.layer.send_plain(unacked.to, unacked.bytes.clone());
        unacked.interval = (unacked.interval * 2).min(core.config.t2);
        let next = (now + unacked.interval).min(unacked.until);
        core.timers.set(Alarm::Repeat(self.id), next);
    }

    /// Sends a request in the confirmed dialog.
    pub(super) fn send_within(
        &mut self,
        core: &mut Core,
        now: Instant,
        method: Method,
        fill: impl FnOnce(&mut Message),
    ) -> Option<TxId> {
        let dialog = self.dialog.as_mut()?;
        let request = dialog.request(method);
        let hop = core.dialog_hop(self.account, dialog.hop());
        Some(self.send_on(core, now, request, &hop, fill))
    }

    /// Sends a request of one of our dialogs, with what our own exchange wants to see.
    pub(super) fn send_on(
        &self,
        core: &mut Core,
        now: Instant,
        mut request: Message,
        hop: &Hop,
        fill: impl FnOnce(&mut Message),
    ) -> TxId {
        fill(&mut request);
        core.reroute(self.account, &mut request);
        if core.is_ours(self.account, hop)
            && let Some(line) = self.account.and_then(|account| core.lines.get_mut(&account))
        {
            line.authorise(&mut request);
        }
        core.send(now, request, hop, Owner::Session(self.id), 0)
    }

    pub(super) fn send_bye(&mut self, core: &mut Core, now: Instant) {
        let reason = self.reason;
        self.send_within(core, now, Method::Bye, |bye| {
            if let Some(reason) = reason {
                bye.push("Reason", reason);
            }
        });
    }

    /// A BYE that says why.
    pub(super) fn send_bye_because(&mut self, core: &mut Core, now: Instant, reason: &'static str) {
        self.reason = Some(reason);
        self.send_bye(core, now);
    }

    /// Nobody has heard our BYE. Where that is because there is no connection it is kept: by UDP it would be repeated, and
    /// a call that nobody ends stays for ever.
    pub(super) fn on_bye_silence(&mut self, core: &mut Core, now: Instant, id: TxId) {
        let Some(bye) = core.layer.sent_request(id) else { return };
        if !self.is_in_own_dialog(bye) {
            return;
        }
        if !is_undelivered(core, id) {
            self.unsaid = None;
            return;
        }
        let mut bye = bye.clone();
        crate::agent::undress(&mut bye);
        let (first, longest) = SAY_AGAIN;
        let unsaid = self.unsaid.get_or_insert(Unsaid { bye, pause: first, until: now + SAY_AGAIN_FOR });
        core.timers.set(Alarm::Unsaid(self.id), now + unsaid.pause);
        unsaid.pause = (unsaid.pause * 2).min(longest);
    }

    /// Whether a request of ours was sent in the dialog of the call, and not in that of an end that answered too and that
    /// nobody wanted.
    pub(super) fn is_in_own_dialog(&self, request: &Message) -> bool {
        let tag = request.to().and_then(|to| to.tag().map(str::to_owned)).unwrap_or_default();
        let is_with = self.dialog.as_ref().is_some_and(|dialog| dialog.is_with(&tag));
        is_with && request.call_id() == Some(self.call_id.as_str())
    }

    /// There may be a connection by now for the BYE that met none.
    pub(super) fn say_bye_again(&mut self, core: &mut Core, now: Instant) {
        let (Some(unsaid), Some(dialog)) = (&self.unsaid, &self.dialog) else { return };
        if now >= unsaid.until {
            tracing::warn!(session = self.id.0, "the peer could not be told that the call is over");
            self.unsaid = None;
            return;
        }
        let mut bye = unsaid.bye.clone();
        let hop = core.dialog_hop(self.account, dialog.hop());
        core.reroute(self.account, &mut bye);
        core.send(now, bye, &hop, Owner::Session(self.id), 0);
    }

    /// Sends an ACK in `dialog` and keeps it. To our own exchange it carries the credentials of its INVITE
    /// (RFC 3261 13.2.2.4): a proxy cannot ask for them.
    pub(super) fn acknowledge(
        &mut self,
        core: &mut Core,
        now: Instant,
        dialog: &Dialog,
        number: u32,
        invite: Option<&Message>,
    ) {
        self.acknowledge_with(core, now, dialog, (number, invite), Vec::new());
    }

    /// The same with a description, unless it is empty.
    pub(super) fn acknowledge_with(
        &mut self,
        core: &mut Core,
        now: Instant,
        dialog: &Dialog,
        (number, invite): (u32, Option<&Message>),
        body: Vec<u8>,
    ) {
        let hop = core.dialog_hop(self.account, dialog.hop());
        let mut request = dialog.ack(number);
        core.reroute(self.account, &mut request);
        if let Some(invite) = invite.filter(|_| core.is_ours(self.account, &hop)) {
            for name in ["Authorization", "Proxy-Authorization"] {
                invite.headers(name).for_each(|value| request.push(name, value));
            }
        }
        if !body.is_empty() {
            request.set_body(crate::sdp::CONTENT_TYPE, body);
        }
        self.keep_ack(core, now, dialog, number, request, hop);
    }

    pub(super) fn keep_ack(
        &mut self,
        core: &mut Core,
        now: Instant,
        dialog: &Dialog,
        number: u32,
        request: Message,
        hop: Hop,
    ) {
        let sent = core.send_ack(now, request.clone(), &hop);
        if self.acks.len() >= MAX_ACKS {
            self.acks.pop_front();
        }
        self.acks.push_back(Ack { number, remote_tag: dialog.remote_tag().to_owned(), request, hop, sent });
    }

    /// Sends the ACK of a repeated 2xx again; false if this 2xx is new.
    pub(super) fn repeat_ack(
        &mut self,
        core: &mut Core,
        now: Instant,
        number: u32,
        remote_tag: &str,
    ) -> bool {
        let mut known = self.acks.iter_mut();
        let Some(ack) = known.find(|ack| ack.number == number && ack.remote_tag == remote_tag) else {
            return false;
        };
        match &ack.sent {
            Some((to, bytes)) => core.layer.send_plain(*to, bytes.clone()),
            None => ack.sent = core.send_ack(now, ack.request.clone(), &ack.hop),
        }
        true
    }

    /// Answers a 401 or 407 with a new request; `None` if this response is none or cannot be
    /// answered. Only our own exchange gets an answer: whoever calls us directly could otherwise
    /// collect proofs of our password by challenging our BYE.
    pub(super) fn answer_challenge(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: TxId,
        response: &Message,
    ) -> Option<TxId> {
        if !matches!(response.code(), Some(401 | 407)) {
            return None;
        }
        let refused = core.layer.sent_request(id)?.clone();
        let attempt = core.layer.attempt(id);
        if !core.is_trusted(core.layer.sent_to(id)?.ip()) {
            return None;
        }
        let line = core.lines.get_mut(&self.account?)?;
        let mut again = line.answer(&mut core.random, &refused, response, attempt)?;
        let tag = refused.to().and_then(|to| to.tag().map(str::to_owned));
        let number = match tag.and_then(|tag| self.dialog_with(&tag)) {
            Some(dialog) => dialog.next_cseq(),
            None => refused.cseq()?.number.checked_add(1)?,
        };
        again.set("CSeq", format!("{number} {}", refused.method()?));
        let hop = Hop::Address(core.layer.sent_to(id)?);
        Some(core.send(now, again, &hop, Owner::Session(self.id), attempt + 1))
    }

    /// The dialog, early or not, with the peer of that tag.
    pub(super) fn dialog_with(&mut self, tag: &str) -> Option<&mut Dialog> {
        let dialogs = self.dialog.iter_mut().chain(self.forks.iter_mut().map(|fork| &mut fork.dialog));
        dialogs.into_iter().find(|dialog| dialog.is_with(tag))
    }
}
