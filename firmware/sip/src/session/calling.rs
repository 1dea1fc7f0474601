//! Calls we make: INVITE, its early dialogs, its answer or refusal, CANCEL and what it may cross.

use std::time::Instant;

use super::{Birth, Fork, Peer, Session, State, party, reliable, unattended};
use crate::agent::{AccountId, Cause, EndedBy, Error, Event, Invite, SessionId};
use crate::core::{Core, Hop, Owner};
use crate::dialog::{Dialog, hop_of};
use crate::header::NameAddr;
use crate::message::Message;
use crate::method::Method;
use crate::sdp::{Direction, OfferAnswer, SdpError};
use crate::transaction::TxId;
use crate::uri::{Scheme, Uri};

/// Early dialogs of one INVITE.
const MAX_FORKS: usize = 16;

/// Redirections followed before giving up.
const MAX_REDIRECTS: u8 = 5;

impl Session {
    /// Sends the INVITE.
    pub(crate) fn call(
        core: &mut Core,
        now: Instant,
        id: SessionId,
        invite: &Invite,
    ) -> Result<Session, Error> {
        let target = target_uri(core, invite.account, &invite.target)?;
        let hop = match (invite.destination, invite.account.and_then(|account| core.first_hop(account))) {
            (Some(address), _) => Hop::Address(address),
            (None, Some(place)) => Hop::Place(place),
            (None, None) => Hop::Place(hop_of(&target)),
        };
        let mut media = OfferAnswer::new(invite.media.clone(), core.random.bits());
        let offer =
            media.create_offer(Direction::SendRecv).map_err(|error| Error::Media(error.to_string()))?;
        let birth =
            Birth { id, account: invite.account, call_id: core.new_call_id(), local_tag: core.random.word() };
        let mut request = first_request(core, invite, &target, &birth)?;
        super::refresh::ask(core, invite.account, &mut request);
        request.set_body(crate::sdp::CONTENT_TYPE, offer);
        if let Some(line) = invite.account.and_then(|account| core.lines.get_mut(&account)) {
            line.authorise(&mut request);
        }
        let mut session = Session::new(birth, State::Calling, media);
        core.enter_dialog(&session.call_id, &session.local_tag, Owner::Session(id));
        session.asking = Some(core.send(now, request, &hop, Owner::Session(id), 0));
        Ok(session)
    }

    /// Hangs up before an answer.
    pub(super) fn cancel(&mut self, core: &mut Core, now: Instant, reason: &str) {
        self.call_back(core, now);
        self.end(core, now, EndedBy::Local, 487, reason);
    }

    /// Takes the INVITE back. The CANCEL must wait for a first provisional response.
    pub(super) fn call_back(&mut self, core: &mut Core, now: Instant) {
        if let Some(invite) = self.asking {
            if core.layer.sent_to(invite).is_none() {
                core.layer.forget(invite);
                self.asking = None;
            } else if self.proceeding {
                self.send_cancel(core, now, invite);
            }
        }
    }

    pub(super) fn on_invite_response(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) {
        if let Some(at) = self.left.iter().position(|left| left.tx == id) {
            return self.on_left_response(core, now, at, response);
        }
        match response.code().unwrap_or(0) {
            code @ 100..=199 => self.on_progress(core, now, id, response, code),
            200..=299 => self.on_answer(core, now, id, response),
            code => self.on_refusal(core, now, id, response, code),
        }
    }

    fn on_progress(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message, code: u16) {
        self.proceeding = true;
        if self.state == State::Over {
            if !self.cancel_sent {
                self.send_cancel(core, now, id);
            }
            return;
        }
        if code == 100 || self.state != State::Calling {
            return;
        }
        self.passed_on = true;
        let fork = self.note_fork(core, now, id, response);
        if fork.and_then(|at| self.forks.get(at)).is_some_and(|fork| fork.ended) {
            return;
        }
        if let Some(rseq) = reliable::rseq_of(response)
            && let Some(fork) = fork
            && !self.acknowledge_provisional(core, now, fork, response, rseq)
        {
            return;
        }
        let answer = (!response.body().is_empty() && is_sdp(response)).then(|| response.body().to_vec());
        let early_media = answer.as_ref().and_then(|body| self.media.preview_answer(body).ok());
        if early_media.is_some()
            && let Some(fork) = fork.and_then(|at| self.forks.get_mut(at))
        {
            if fork.media.is_some() {
                return; // an old description: it was changed by an UPDATE since
            }
            fork.answer = answer;
        }
        core.emit(Event::Progress { session: self.id, code, early_media });
    }

    /// Notes an early dialog, and says which it is. One of too many is simply not remembered until it answers.
    fn note_fork(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) -> Option<usize> {
        let to = response.to()?;
        let tag = to.tag()?;
        let known = self.forks.iter().position(|fork| fork.dialog.is_with(tag));
        if known.is_some() || self.forks.len() >= MAX_FORKS {
            return known;
        }
        let dialog = Dialog::of_caller(core.layer.sent_request(id)?, response)?;
        // Its name, if it has one, is known by the time of the answer.
        core.look_up(now, self.account, dialog.hop());
        self.forks.push(Fork { dialog, answer: None, ended: false, rseq: None, media: None });
        Some(self.forks.len() - 1)
    }

    /// A 2xx: the first one wins, copies are acknowledged again, and whatever else answers (another
    /// fork, or a call already cancelled) is acknowledged and ended.
    fn on_answer(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) {
        let Some(request) = core.layer.sent_request(id).cloned() else { return };
        let Some(mut dialog) = Dialog::of_caller(&request, response) else { return };
        let number = request.cseq().map_or(0, |cseq| cseq.number);
        if self.asking == Some(id) {
            self.asking = None;
        }
        if self.repeat_ack(core, now, number, dialog.remote_tag()) {
            return;
        }
        self.acknowledge(core, now, &dialog, number, Some(&request));
        let first = self.state == State::Calling;
        let fork = self.forks.iter().position(|fork| fork.dialog.is_with(dialog.remote_tag()));
        let (mut settled, mut ended) = (None, false);
        let early = fork.and_then(|at| {
            let fork = self.forks.swap_remove(at);
            ended = fork.ended;
            // The peer may have sent requests in the early dialog: its CSeq counts on.
            dialog = fork.dialog;
            dialog.refresh_target(response);
            dialog.refresh_route(response);
            settled = fork.media;
            fork.answer
        });
        if !first {
            // Nobody is told to end what they have ended themselves.
            if !ended {
                self.end_spare(core, now, dialog);
            }
            return;
        }
        self.dialog = Some(dialog);
        let taken = match settled {
            // What was agreed since the answer to our offer stands.
            Some(media) => {
                self.media = media;
                Ok(())
            }
            None => self.take_answer(response, early),
        };
        match taken {
            // Its BYE has overtaken its answer (RFC 3261 15): no other will come.
            Ok(()) if ended => {
                self.tasks.clear();
                self.begin(core, now, response);
                self.end(core, now, EndedBy::Remote, 200, "hung up");
            }
            Ok(()) => self.begin(core, now, response),
            Err(error) => {
                tracing::warn!(session = self.id.0, %error, "the answer has no media we can use");
                self.send_bye_because(core, now, super::NO_MEDIA);
                self.end(core, now, EndedBy::Error, 488, &error.to_string());
            }
        }
    }

    fn take_answer(&mut self, response: &Message, early: Option<Vec<u8>>) -> Result<(), SdpError> {
        let own = !response.body().is_empty() && is_sdp(response);
        let body = if own { Some(response.body()) } else { early.as_deref() };
        self.media.receive_answer(body.ok_or(SdpError::NoAudio)?).map(|_| ())
    }

    fn begin(&mut self, core: &mut Core, now: Instant, response: &Message) {
        self.state = State::Up;
        self.forks.clear();
        let Some(media) = self.media.media().cloned() else { return };
        self.told = Some(media.clone());
        let trusted = self.account.is_some_and(|account| core.believes_exchange(account));
        let by = party::answerer(response, trusted);
        self.peer = Peer::of(by.clone(), response);
        self.take_timer(core, now, response);
        core.emit(Event::Answered { session: self.id, media, by });
        self.note_remote_hold(core);
        self.advance(core, now);
    }

    /// Ends a dialog that nobody wanted.
    fn end_spare(&mut self, core: &mut Core, now: Instant, mut spare: Dialog) {
        let mut bye = spare.request(Method::Bye);
        core.reroute(self.account, &mut bye);
        if self.state == State::Up {
            bye.push("Reason", super::ELSEWHERE);
        }
        let hop = core.dialog_hop(self.account, spare.hop());
        core.send(now, bye, &hop, Owner::Session(self.id), 0);
    }

    fn on_refusal(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message, code: u16) {
        if self.asking != Some(id) {
            return;
        }
        self.asking = None;
        if self.state != State::Calling {
            return;
        }
        self.forks.clear();
        (self.proceeding, self.passed_on) = (false, false);
        self.asking = match code {
            401 | 407 => self.answer_challenge(core, now, id, response),
            422 => self.ask_for_longer(core, now, id, response),
            300..=399 => {
                self.note_contacts(response);
                None
            }
            488 | 606 => self.offer_otherwise(core, now, id),
            503 => self.try_elsewhere(core, now, id),
            _ => None,
        };
        if self.asking.is_some() {
            return;
        }
        let (text, elsewhere) = party::reason_of(response);
        let reason = if text.is_empty() { response.reason().to_owned() } else { text };
        let cause = self.best_refusal(Cause { by: EndedBy::Remote, code, reason, elsewhere });
        // Who says 6xx speaks for all.
        if (300..600).contains(&code) {
            self.asking = self.call_next_contact(core, now, id);
            if self.asking.is_some() {
                self.refused = Some(cause);
                return;
            }
        }
        self.finish(core, now, cause);
    }

    /// Of those whom a 3xx named, and `last`: whose refusal says most of why there is no call (RFC 3261 16.7, step 6). Among
    /// equals it is the first one's: the best are called first.
    pub(super) fn best_refusal(&mut self, last: Cause) -> Cause {
        match self.refused.take() {
            Some(best) if rank(best.code) <= rank(last.code) => best,
            _ => last,
        }
    }

    /// Where the call may go instead, as a 3xx says: the best first, and before what an earlier one said.
    fn note_contacts(&mut self, response: &Message) {
        let contacts = response.headers("Contact").filter_map(|contact| NameAddr::parse(contact).ok());
        let mut contacts: Vec<NameAddr> =
            contacts.filter(|contact| contact.uri.scheme == Scheme::Sip).collect();
        contacts.sort_by(|one, other| weight(other).total_cmp(&weight(one)));
        let uris = contacts.into_iter().map(|contact| Uri { headers: Vec::new(), ..contact.uri });
        let before = std::mem::take(&mut self.contacts);
        self.contacts = uris.chain(before).take(usize::from(MAX_REDIRECTS)).collect();
    }

    /// Calls the next Contact of those that were named by a 3xx (RFC 3261 8.1.3.4).
    fn call_next_contact(&mut self, core: &mut Core, now: Instant, id: TxId) -> Option<TxId> {
        let target = self.contacts.pop_front()?;
        self.redirects += 1;
        if self.redirects > MAX_REDIRECTS {
            return None;
        }
        let uri = target.to_string();
        let request = self.again(core, id, |request| request.set_request_uri(&uri))?;
        // Through our own exchange, which knows what may be called; without one, straight there.
        let hop = match self.account.and_then(|account| core.first_hop(account)) {
            Some(place) => Hop::Place(place),
            None => Hop::Place(hop_of(&target)),
        };
        Some(core.send(now, request, &hop, Owner::Session(self.id), 0))
    }

    /// Calls again with another offer of encryption, at last with none, where the peer may have refused for that.
    fn offer_otherwise(&mut self, core: &mut Core, now: Instant, id: TxId) -> Option<TxId> {
        if !self.media.offer_otherwise() {
            return None;
        }
        let offer = self.media.create_offer(Direction::SendRecv).ok()?;
        let request = self.again(core, id, |request| request.set_body(crate::sdp::CONTENT_TYPE, offer))?;
        let hop = Hop::Address(core.layer.sent_to(id)?);
        tracing::info!(session = self.id.0, "the offer was refused: another one of encryption, or none");
        Some(core.send(now, request, &hop, Owner::Session(self.id), 0))
    }

    /// The INVITE of a finished transaction, with the next CSeq, without what depends on its way, and changed before
    /// credentials are put to it: they cover Request-URI and body.
    pub(super) fn again(
        &self,
        core: &mut Core,
        id: TxId,
        change: impl FnOnce(&mut Message),
    ) -> Option<Message> {
        let mut request = core.layer.sent_request(id)?.clone();
        for name in ["Via", "Max-Forwards", "User-Agent", "Authorization", "Proxy-Authorization"] {
            request.remove(name);
        }
        let number = request.cseq()?.number.checked_add(1)?;
        request.set("CSeq", format!("{number} INVITE"));
        change(&mut request);
        if let Some(line) = self.account.and_then(|account| core.lines.get_mut(&account)) {
            line.authorise(&mut request);
        }
        Some(request)
    }

    pub(super) fn send_cancel(&mut self, core: &mut Core, now: Instant, invite: TxId) {
        self.cancel_sent = true;
        core.send_cancel(now, invite, Owner::Session(self.id), self.reason);
    }
}

/// The lower, the more a final code says of why nobody took the call.
fn rank(code: u16) -> u16 {
    match code / 100 {
        6 => 0,
        class @ 4..=5 => class,
        // A redirection has been followed, or led nowhere.
        _ => u16::MAX,
    }
}

/// The INVITE outside any dialog, without Via and body.
fn first_request(core: &Core, invite: &Invite, target: &Uri, birth: &Birth) -> Result<Message, Error> {
    let identity = |identity: &crate::agent::Identity| match Uri::parse(&identity.uri) {
        Ok(uri) => Ok(NameAddr { display: identity.display.clone(), ..NameAddr::new(uri) }),
        Err(_) => Err(Error::BadTarget(identity.uri.clone())),
    };
    let line = birth.account.and_then(|account| core.lines.get(&account));
    let own = match (&invite.from, line) {
        (Some(from), _) => identity(from)?,
        (None, Some(line)) => line.identity(),
        (None, None) => NameAddr::new(Uri::sip(None, &core.config.local.ip().to_string(), None)),
    };
    let from = if invite.anonymous { anonymous() } else { own.clone() };
    let to = match &invite.to {
        Some(to) => identity(to)?,
        None => NameAddr::new(target.clone()),
    };
    let mut request = Message::request(Method::Invite, &target.to_string());
    for route in line.map(crate::account::Line::route).unwrap_or_default() {
        request.push("Route", route);
    }
    request.push("From", from.with_tag(&birth.local_tag).to_string());
    request.push("To", to.to_string());
    request.push("Call-ID", birth.call_id.as_str());
    request.push("CSeq", "1 INVITE");
    request.push("Contact", core.contact(birth.account));
    request.push("Allow", core.allow());
    request.push("Supported", core.supported());
    if invite.anonymous {
        request.push("Privacy", "id");
    }
    // Our own exchange may know who calls, and which of our numbers is meant (RFC 3325 section 9.2).
    if line.is_some() && invite.destination.is_none() && (invite.anonymous || invite.from.is_some()) {
        request.push("P-Preferred-Identity", own.to_string());
    }
    if let Some(replaces) = &invite.replaces {
        if !replaces.is_sound() {
            return Err(Error::BadReplaces);
        }
        request.push("Replaces", replaces.to_string());
        request.push("Require", "replaces");
    }
    if let Some(after) = invite.answer_after {
        unattended::ask(&mut request, after, &core.config.local.to_string());
    }
    for (name, value) in &invite.headers {
        request.push(name, value.as_str());
    }
    Ok(request)
}

/// How much a Contact is to be preferred, 0 to 1 (RFC 3261 20.10).
fn weight(contact: &NameAddr) -> f32 {
    contact.params.value("q").and_then(|q| q.trim().parse().ok()).unwrap_or(1.0)
}

/// Who calls without saying so (RFC 3323 section 4.1.1.3).
fn anonymous() -> NameAddr {
    let uri = Uri::sip(Some("anonymous"), "anonymous.invalid", None);
    NameAddr { display: Some("Anonymous".to_owned()), ..NameAddr::new(uri) }
}

fn is_sdp(message: &Message) -> bool {
    message.content_type().is_some_and(|kind| kind == crate::sdp::CONTENT_TYPE)
}

/// What a person typed, as a URI: a whole URI as it is, a number or extension at the account's
/// domain, with the marks people write into numbers left out.
pub(crate) fn target_uri(core: &Core, account: Option<AccountId>, text: &str) -> Result<Uri, Error> {
    let text = text.trim();
    let bad = || Error::BadTarget(text.to_owned());
    let line = match account {
        Some(id) => Some(core.lines.get(&id).ok_or(Error::UnknownAccount(id))?),
        None => None,
    };
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("sip:") || lower.starts_with("sips:") || lower.starts_with("tel:") {
        let uri = Uri::parse(text).map_err(|_| bad())?;
        return match (&uri.scheme, line) {
            (Scheme::Sip, _) => Ok(uri),
            (Scheme::Tel, Some(line)) => uri.number().map(|number| line.address(&number)).ok_or_else(bad),
            _ => Err(bad()),
        };
    }
    if text.contains('@') {
        return Uri::parse(&format!("sip:{text}")).map_err(|_| bad());
    }
    let mark = |c: char| matches!(c, ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}');
    let number = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '*' | '#') || mark(c));
    let user: String = text.chars().filter(|&c| !(number && mark(c))).collect();
    let callable =
        |c: char| c.is_alphanumeric() || matches!(c, '+' | '*' | '#' | '-' | '_' | '.' | '!' | '~');
    match line {
        Some(line) if !user.is_empty() && user.chars().all(callable) => Ok(line.address(&user)),
        _ => Err(bad()),
    }
}
