//! What comes in: checks of RFC 3261 8.2 in its order, then to the usage it belongs to.
//!
//! Every request gets the answer the RFC names, unless it is one too many from a stranger.

use std::net::IpAddr;
use std::time::Instant;

use super::{Event, Package, RequestId, SessionId, UserAgent};
use crate::core::{EXTENSIONS, Owner};
use crate::flow::Target;
use crate::message::{Message, ParseError};
use crate::method::Method;
use crate::mwi::MessageSummary;
use crate::replaces::Replaces;
use crate::sdp;
use crate::session::{Session, Standing};
use crate::subscription::is_for;
use crate::transaction::{Received, TxId, trace_source};
use crate::uri::{Scheme, Uri};

impl UserAgent {
    pub(super) fn receive(&mut self, now: Instant, from: Target, bytes: &[u8]) {
        self.hear_from(now, from);
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | b' ' | b'\t' | 0)) {
            return; // keepalive (RFC 5626 4.4.1)
        }
        if self.turns_away(now, from, bytes) {
            return;
        }
        match Message::parse(bytes) {
            Ok(message) if message.is_request() => self.receive_request(now, from, message),
            Ok(message) => self.receive_response(now, message),
            Err(error) => self.receive_rubbish(now, from, &error),
        }
    }

    fn receive_rubbish(&mut self, now: Instant, from: Target, error: &ParseError) {
        // Registrars too: whoever sends much rubbish fills the log and learns nothing from the answers.
        if !self.guard.admit(now, from.ip()) {
            return;
        }
        tracing::info!(%from, %error, "unreadable message");
        let Some(mut reply) = error.reply_400() else { return };
        if let Some(to) = reply.to().filter(|to| to.tag().is_none()) {
            let tag = self.core.random.word();
            reply.set("To", to.with_tag(&tag).to_string());
        }
        let to = trace_source(&mut reply, from);
        self.core.layer.send_plain(to, reply.write());
    }

    fn receive_response(&mut self, now: Instant, response: Message) {
        match self.core.layer.on_response(now, response) {
            Ok(Some(outcome)) => self.on_outcome(now, outcome),
            Ok(None) => {}
            Err(stray) => self.receive_stray(now, &stray),
        }
    }

    /// A response without a transaction: only a 2xx to INVITE means anything (RFC 3261 13.2.2.4).
    fn receive_stray(&mut self, now: Instant, response: &Message) {
        let answer = matches!(response.code(), Some(200..=299))
            && response.cseq().is_some_and(|cseq| cseq.method == Method::Invite);
        let tag = response.from().and_then(|from| from.tag().map(str::to_owned));
        let (true, Some(call_id), Some(tag)) = (answer, response.call_id(), tag) else { return };
        if let Some(Owner::Session(id)) = self.core.dialog_owner(call_id, &tag)
            && let Some(session) = self.sessions.get_mut(&id)
        {
            session.on_late_answer(&mut self.core, now, response);
        }
    }

    fn receive_request(&mut self, now: Instant, from: Target, request: Message) {
        if !self.is_welcome(now, from, &request) {
            return;
        }
        match self.core.layer.on_request(now, from, request) {
            Received::New(tx) => {
                let Some(request) = self.core.layer.shared_request(tx) else { return };
                match self.refusal(&request) {
                    Some(refusal) => self.refuse(now, tx, &refusal),
                    None => self.dispatch(now, tx, from, &request),
                }
            }
            Received::Ack(ack) => self.receive_ack(now, &ack),
            Received::Swallowed => {}
            Received::Merged { request, reply_to } => self.answer_stateless(&request, reply_to, 482),
            Received::Full { request, reply_to } => self.answer_stateless(&request, reply_to, 503),
        }
    }

    /// Registrars, and whoever has a dialog or transaction with us, are never counted.
    fn is_welcome(&mut self, now: Instant, from: Target, request: &Message) -> bool {
        let known = self.core.is_trusted(from.ip())
            || self.owner_of(request).is_some()
            || self.core.layer.knows(request);
        known || self.guard.admit(now, from.ip()) && self.has_room_for_strangers()
    }

    fn answer_stateless(&mut self, request: &Message, reply_to: Target, code: u16) {
        let tag = self.core.random.word();
        let mut response = self.core.response_to(request, code, &tag);
        if code == 503 {
            tracing::warn!("too many transactions: a request was refused");
            response.push("Retry-After", "10");
        }
        self.core.layer.send_plain(reply_to, response.write());
    }

    fn receive_ack(&mut self, now: Instant, ack: &Message) {
        if let Some(Owner::Session(id)) = self.owner_of(ack)
            && let Some(session) = self.sessions.get_mut(&id)
        {
            session.on_ack(&mut self.core, now, ack);
        }
    }

    /// The usage whose dialog a request is in.
    fn owner_of(&self, request: &Message) -> Option<Owner> {
        let to = request.to()?;
        self.core.dialog_owner(request.call_id()?, to.tag()?)
    }

    fn dispatch(&mut self, now: Instant, tx: TxId, from: Target, request: &Message) {
        if request.method() == Some(&Method::Cancel) {
            return self.on_cancel(now, tx, request);
        }
        match self.owner_of(request) {
            Some(owner) => self.within_dialog(now, tx, request, owner),
            None => self.outside_dialog(now, tx, from, request),
        }
    }

    fn within_dialog(&mut self, now: Instant, tx: TxId, request: &Message, owner: Owner) {
        let core = &mut self.core;
        match owner {
            Owner::Session(id) => {
                if let Some(session) = self.sessions.get_mut(&id) {
                    return session.on_request(core, now, tx, request);
                }
            }
            Owner::Subscription(id) if request.method() == Some(&Method::Notify) => {
                if let Some(subscription) = self.subscriptions.get_mut(&id) {
                    let account = subscription.account();
                    if subscription.on_notify(core, now, tx, request) {
                        self.hear(now, account);
                    }
                    return;
                }
            }
            Owner::Notifier(id) if request.method() == Some(&Method::Subscribe) => {
                if let Some(notifier) = self.notifiers.get_mut(&id) {
                    self.stirred.push(id);
                    return notifier.on_subscribe(core, now, tx, request);
                }
            }
            _ => {}
        }
        core.reply(now, tx, 481);
    }

    fn outside_dialog(&mut self, now: Instant, tx: TxId, from: Target, request: &Message) {
        let stray = request.to().is_some_and(|to| to.tag().is_some());
        let server = self.core.config.server;
        match request.method() {
            Some(Method::Options) if !stray => self.answer_options(now, tx),
            Some(Method::Notify) => self.on_unsolicited(now, tx, from, request),
            _ if stray => self.core.reply(now, tx, 481),
            Some(Method::Invite) => self.on_invite(now, tx, from, request),
            Some(Method::Refer) if self.core.config.takes_refer && !server => {
                self.on_referral(now, tx, from, request);
            }
            Some(Method::Bye | Method::Update | Method::Refer | Method::Prack | Method::Info) => {
                self.core.reply(now, tx, 481)
            }
            Some(Method::Subscribe) if server && request.header("Event").is_some() => {
                let (id, message) = (RequestId(tx.raw()), Box::new(request.clone()));
                self.core.emit(Event::SubscriptionRequest { id, message, from });
            }
            Some(Method::Subscribe) => self.core.reply(now, tx, 489),
            _ => {
                let (id, message) = (RequestId(tx.raw()), Box::new(request.clone()));
                self.core.emit(Event::Request { id, message, from });
            }
        }
    }

    fn on_invite(&mut self, now: Instant, tx: TxId, from: Target, request: &Message) {
        let trying = self.core.response(tx, 100, "");
        if let Some(trying) = trying {
            self.core.layer.respond(now, tx, &trying);
        }
        if self.draining {
            return self.core.reply(now, tx, 480);
        }
        let replaces = match self.replaced_by(from.ip(), request) {
            Ok(replaces) => replaces,
            Err(code) => {
                tracing::info!(%from, code, "INVITE with Replaces refused");
                return self.core.reply(now, tx, code);
            }
        };
        let account = self.core.account_of(request, from.ip());
        if self.is_full() || account.is_none() && self.has_strangers_enough() {
            tracing::warn!(%from, ?account, "call refused: too many sessions");
            return self.core.reply(now, tx, 486);
        }
        let id = SessionId(self.core.new_id());
        if let Some(session) = Session::incoming(&mut self.core, now, tx, from, (id, account), replaces) {
            self.sessions.insert(id, session);
        }
    }

    /// The call an INVITE takes over, if any, or the code to refuse it with (RFC 3891 section 3).
    fn replaced_by(&self, from: IpAddr, invite: &Message) -> Result<Option<SessionId>, u16> {
        let Some(value) = invite.header("Replaces") else { return Ok(None) };
        let replaces = Replaces::parse(value).map_err(|_| 400_u16)?;
        let found = self.dialog_of(&replaces);
        let server = self.core.config.server;
        if !server {
            let session = found.and_then(|(id, _)| self.sessions.get(&id));
            let allowed = match session {
                Some(session) => session.may_be_replaced_from(&self.core, &replaces, from),
                None => self.core.is_trusted(from),
            };
            // Before anything else, so that a stranger does not learn which calls there are.
            if !allowed {
                return Err(403);
            }
        }
        match found {
            None if server => Ok(None),
            None | Some((_, Standing::EarlyTheirs)) => Err(481),
            Some((_, Standing::Over)) => Err(603),
            Some((_, Standing::Confirmed)) if replaces.early_only => Err(486),
            Some((id, Standing::Confirmed | Standing::EarlyOurs)) => Ok(Some(id)),
        }
    }

    fn on_cancel(&mut self, now: Instant, tx: TxId, cancel: &Message) {
        let Some(invite) = self.core.layer.cancelled_by(cancel) else {
            return self.core.reply(now, tx, 481);
        };
        let Some(session) = self.sessions.values_mut().find(|session| session.is_asked_by(invite)) else {
            return self.core.reply(now, tx, 200);
        };
        // With the tag that the INVITE is answered with (RFC 3261 9.2).
        if let Some(ok) = self.core.response(tx, 200, session.key().1) {
            self.core.layer.respond(now, tx, &ok);
        }
        session.on_cancel(&mut self.core, now, cancel);
    }

    fn answer_options(&mut self, now: Instant, tx: TxId) {
        let tag = self.core.random.word();
        let Some(mut response) = self.core.response(tx, 200, &tag) else { return };
        response.push("Accept", sdp::CONTENT_TYPE);
        response.push("Accept-Language", "en");
        response.push("Supported", self.core.supported());
        self.core.layer.respond(now, tx, &response);
    }

    /// Waiting messages may be told unasked (RFC 3842 2.2 is often done so); believed from our
    /// registrars only.
    fn on_unsolicited(&mut self, now: Instant, tx: TxId, from: Target, notify: &Message) {
        if is_for(notify, Package::MessageSummary) && self.core.is_trusted(from.ip()) {
            self.core.reply(now, tx, 200);
            let account = self.core.account_of(notify, from.ip());
            let MessageSummary { waiting, new, old, mailbox } = MessageSummary::parse(notify.body());
            return self.core.emit(Event::MessageSummary { account, waiting, new, old, mailbox });
        }
        let packages = [Package::Dialog, Package::MessageSummary, Package::Presence];
        let known = packages.into_iter().any(|package| is_for(notify, package));
        let refer = notify.header("Event").is_some_and(|event| event.trim().starts_with("refer"));
        if known || refer {
            self.core.reply(now, tx, 481);
        } else {
            self.core.reply_with(now, tx, 489, "Allow-Events", "dialog, message-summary, presence, refer");
        }
    }

    fn refuse(&mut self, now: Instant, tx: TxId, refusal: &Refusal) {
        match &refusal.header {
            Some((name, value)) => self.core.reply_with(now, tx, refusal.code, name, value),
            None => self.core.reply(now, tx, refusal.code),
        }
    }

    /// Whether a request must be refused before anybody looks at what it wants.
    fn refusal(&self, request: &Message) -> Option<Refusal> {
        let method = request.method()?;
        if !self.takes(method) {
            return Some(Refusal::bare(if *method == Method::Subscribe { 489 } else { 405 }));
        }
        let uri = request.request_uri().and_then(|uri| Uri::parse(uri).ok());
        if uri.is_none_or(|uri| !matches!(uri.scheme, Scheme::Sip | Scheme::Tel)) {
            return Some(Refusal::bare(416));
        }
        if *method == Method::Cancel {
            return None;
        }
        let unknown: Vec<&str> =
            request.headers("Require").filter(|tag| !tag.is_empty() && !EXTENSIONS.contains(tag)).collect();
        if !unknown.is_empty() {
            return Some(Refusal::with(420, "Unsupported", unknown.join(", ")));
        }
        if !is_replaces_clear(request, method) {
            return Some(Refusal::bare(400));
        }
        if *method == Method::Invite && !takes_descriptions(request) {
            return Some(Refusal::with(406, "Accept", sdp::CONTENT_TYPE.to_owned()));
        }
        if matches!(method, Method::Invite | Method::Update | Method::Prack) && !request.body().is_empty() {
            return body_refusal(request);
        }
        None
    }

    fn takes(&self, method: &Method) -> bool {
        self.core.allow().split(", ").any(|known| known == method.as_str())
    }
}

/// A refusal that needs no thought.
#[derive(Debug)]
struct Refusal {
    code: u16,
    header: Option<(&'static str, String)>,
}

impl Refusal {
    fn bare(code: u16) -> Refusal {
        Refusal { code, header: None }
    }

    fn with(code: u16, name: &'static str, value: String) -> Refusal {
        Refusal { code, header: Some((name, value)) }
    }
}

/// Replaces stands at most once, readable, in an INVITE only, and not beside Join (RFC 3891 section 3).
fn is_replaces_clear(request: &Message, method: &Method) -> bool {
    let mut values = request.headers("Replaces");
    match (values.next(), values.next()) {
        (None, _) => true,
        (Some(value), None) => {
            *method == Method::Invite && request.header("Join").is_none() && Replaces::parse(value).is_ok()
        }
        (Some(_), Some(_)) => false,
    }
}

/// Whether the sender can read our answer: without Accept it can (RFC 3261 20.1). An empty one, which would mean that it
/// can read nothing at all, is passed over.
fn takes_descriptions(invite: &Message) -> bool {
    let mut kinds =
        invite.headers("Accept").map(|kind| kind.split(';').next().unwrap_or(kind).trim()).peekable();
    let takes = |kind: &str| {
        [sdp::CONTENT_TYPE, "application/*", "*/*"].iter().any(|of| of.eq_ignore_ascii_case(kind))
    };
    kinds.peek().is_none() || kinds.any(takes)
}

/// A body other than plain SDP (RFC 3261 8.2.3).
fn body_refusal(request: &Message) -> Option<Refusal> {
    if request.content_type().as_deref() != Some(sdp::CONTENT_TYPE) {
        return Some(Refusal::with(415, "Accept", sdp::CONTENT_TYPE.to_owned()));
    }
    let encoded =
        request.header("Content-Encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
    encoded.then(|| Refusal::with(415, "Accept-Encoding", "identity".to_owned()))
}
