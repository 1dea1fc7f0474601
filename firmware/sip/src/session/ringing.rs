//! Calls that come in: ringing, answer, refusal, redirection, and the caller's CANCEL.

use std::time::{Duration, Instant};

use super::reliable::{Described, Provisionals};
use super::{Birth, Peer, Session, State, party, refresh, unattended};
use crate::agent::{AccountId, Cause, EndedBy, Error, Event, HostPort, SessionId};
use crate::core::{Alarm, Core, LONGEST_EXPIRES, Owner};
use crate::dialog::Dialog;
use crate::diversion::{self, Diversion, MAX_DIVERSIONS};
use crate::flow::Target;
use crate::header::NameAddr;
use crate::history_info;
use crate::message::Message;
use crate::sdp::{LocalMedia, Media, OfferAnswer, SdpError, Srtp};
use crate::transaction::TxId;

/// How often a ringing indication is repeated, so that no proxy gives the call up
/// (RFC 3261 13.3.1.1).
const STILL_RINGING: Duration = Duration::from_secs(60);

impl Session {
    /// Takes in an INVITE that passed all checks. An offer nobody could accept is refused here, and
    /// then there is no session.
    pub(crate) fn incoming(
        core: &mut Core,
        now: Instant,
        tx: TxId,
        from: Target,
        (id, account): (SessionId, Option<AccountId>),
        replaces: Option<SessionId>,
    ) -> Option<Session> {
        let request = core.layer.received_request(tx)?.clone();
        let local_tag = core.random.word();
        if refresh::is_too_short(&request) {
            refresh::refuse_interval(core, now, tx);
            return None;
        }
        let Some(dialog) = Dialog::of_callee(&request, &local_tag) else {
            core.reply(now, tx, 400);
            return None;
        };
        let srtp = account.and_then(|id| core.lines.get(&id)).map_or(Srtp::Off, |line| line.account().srtp);
        let near = core.local_of(from.address.is_ipv4()).unwrap_or(core.config.local);
        let mut preset = LocalMedia { srtp, ..LocalMedia::plain(near, core.config.codecs.clone()) };
        let offered = match request.body() {
            [] => None,
            body => match read_offer(core, &mut preset, body) {
                Ok(media) => Some(media),
                Err(error) => {
                    refuse_offer(core, now, tx, error);
                    return None;
                }
            },
        };
        let call_id = request.call_id().unwrap_or_default().to_owned();
        let birth = Birth { id, account, call_id, local_tag };
        let mut session = Session::new(birth, State::Ringing, OfferAnswer::new(preset, core.random.bits()));
        session.asked = Some(tx);
        session.offer = request.body().to_vec();
        session.provisionals = Provisionals::of(&request);
        session.replaces = replaces;
        session.dialog = Some(dialog);
        core.enter_dialog(&session.call_id, &session.local_tag, Owner::Session(id));
        if let Some(dialog) = &session.dialog {
            core.look_up(now, account, dialog.hop());
        }
        // Some write 0 who set no limit.
        if let Some(seconds) = request.expires().filter(|seconds| *seconds > 0) {
            let limit = Duration::from_secs(u64::from(seconds)).min(LONGEST_EXPIRES);
            core.timers.set(Alarm::Invited(id), now + limit);
        }
        let trusted = core.believes(account, from.ip());
        let exchange = account.is_some_and(|account| core.is_exchange_of(account, from.ip()));
        let caller = party::caller(&request, trusted);
        session.peer = Peer::of(caller.clone(), &request);
        core.emit(Event::Incoming {
            session: id,
            account,
            caller,
            called: party::called(&request),
            diversion: party::diversion(&request),
            media: offered,
            replaces,
            // Else anybody could listen in on a room.
            answer_after: exchange.then(|| unattended::answer_after(&request)).flatten(),
            request: Box::new(request),
        });
        Some(session)
    }

    /// Tells the caller that somebody is being alerted.
    pub(crate) fn ring(&mut self, core: &mut Core, now: Instant) {
        self.provisional(core, now, 180, None);
        self.keep_ringing(core, now);
    }

    /// The same, with a description where the rules demand one.
    pub(crate) fn ring_with(&mut self, core: &mut Core, now: Instant, media: LocalMedia) {
        self.provisional(core, now, 180, Some(media));
        self.keep_ringing(core, now);
    }

    /// Describes our media before the answer.
    pub(crate) fn early_media(&mut self, core: &mut Core, now: Instant, media: LocalMedia) {
        self.provisional(core, now, 183, Some(media));
        self.keep_ringing(core, now);
    }

    fn keep_ringing(&self, core: &mut Core, now: Instant) {
        if self.state != State::Ringing {
            return;
        }
        core.timers.set(Alarm::StillRinging(self.id), now + STILL_RINGING);
    }

    /// Answers the call; false if it did not come to that.
    pub(crate) fn accept(&mut self, core: &mut Core, now: Instant, local: LocalMedia) -> bool {
        if self.state != State::Ringing {
            return false;
        }
        let Some(tx) = self.asked else { return false };
        if self.defers_answer(&local) {
            return true;
        }
        let (body, offered) = match self.described() {
            Described::No => {
                self.media = OfferAnswer::new(local, core.random.bits());
                (self.first_description(), self.offer.is_empty())
            }
            Described::Again(body) => (Ok(body), false),
            Described::Done => (Ok(Vec::new()), false),
        };
        let body = match body {
            Ok(body) => body,
            Err(error) => {
                self.asked = None;
                refuse_offer(core, now, tx, error);
                self.end(core, now, EndedBy::Error, error.code(), &error.to_string());
                return false;
            }
        };
        self.asked = None;
        self.offer = Vec::new();
        self.state = State::Answering;
        for alarm in [Alarm::StillRinging(self.id), Alarm::Provisional(self.id), Alarm::Invited(self.id)] {
            core.timers.clear(alarm);
        }
        let request = core.layer.received_request(tx).cloned();
        if let Some(mut response) = self.answer_with(core, tx, body)
            && let Some(request) = request
        {
            self.settle_timer(core, now, &request, &mut response);
            self.send_answer(core, now, tx, &response, offered);
        }
        true
    }

    /// Refuses the call.
    pub(crate) fn reject(&mut self, core: &mut Core, now: Instant, code: u16) {
        self.reject_with(core, now, code, &[]);
    }

    /// Refuses the call with more headers, such as a challenge.
    pub(crate) fn reject_with(
        &mut self,
        core: &mut Core,
        now: Instant,
        code: u16,
        headers: &[(String, String)],
    ) {
        if self.state != State::Ringing {
            return;
        }
        let code = if (300..700).contains(&code) { code } else { 480 };
        if let Some(tx) = self.asked.take()
            && let Some(mut response) = core.response(tx, code, &self.local_tag)
        {
            for (name, value) in headers {
                response.push(name, value.as_str());
            }
            core.layer.respond(now, tx, &response);
        }
        self.end(core, now, EndedBy::Local, code, crate::message::default_reason(code));
    }

    /// Sends the caller elsewhere (302). Where that cannot be nothing is sent, and the call rings on.
    pub(crate) fn redirect(
        &mut self,
        core: &mut Core,
        now: Instant,
        target: &str,
        diversion: Option<&Diversion>,
    ) -> Result<(), Error> {
        let Some(tx) = self.asked.filter(|_| self.state == State::Ringing) else {
            return Err(Error::NotRinging(self.id));
        };
        let headers = self.redirection(core, tx, target, diversion)?;
        self.reject_with(core, now, 302, &headers);
        Ok(())
    }

    /// The headers of a 302.
    fn redirection(
        &self,
        core: &Core,
        invite: TxId,
        target: &str,
        diversion: Option<&Diversion>,
    ) -> Result<Vec<(String, String)>, Error> {
        let uri = super::target_uri(core, self.account, target)?;
        let invite = core.layer.received_request(invite).ok_or(Error::NotRinging(self.id))?;
        let before = diversion::diversions(invite);
        if before >= MAX_DIVERSIONS {
            return Err(Error::TooManyDiversions(before));
        }
        if diversion::was_at(invite, &uri) {
            return Err(Error::DiversionLoop(target.to_owned()));
        }
        let mut headers = vec![("Contact".to_owned(), NameAddr::new(uri).to_string())];
        if let Some(diversion) = diversion {
            let party = super::target_uri(core, self.account, &diversion.party)?;
            for entry in history_info::of_redirection(invite, &party, diversion) {
                headers.push(("History-Info".to_owned(), entry));
            }
            headers.push(("Diversion".to_owned(), diversion::value(party, diversion, before)));
        }
        Ok(headers)
    }

    /// The caller gave up; the CANCEL itself is answered already.
    pub(crate) fn on_cancel(&mut self, core: &mut Core, now: Instant, cancel: &Message) {
        let (reason, elsewhere) = party::reason_of(cancel);
        let reason = if reason.is_empty() { "cancelled".to_owned() } else { reason };
        self.terminate(core, now, reason, elsewhere);
    }

    /// The time is over that the caller gave us to answer in (Expires, RFC 3261 13.3.1). No CANCEL need follow.
    pub(super) fn on_invitation_over(&mut self, core: &mut Core, now: Instant) {
        self.terminate(core, now, "the invitation has expired".to_owned(), false);
    }

    /// Ends a ringing call that the caller does not want any more (487).
    fn terminate(&mut self, core: &mut Core, now: Instant, reason: String, elsewhere: bool) {
        if self.state != State::Ringing {
            return;
        }
        if let Some(tx) = self.asked.take()
            && let Some(response) = core.response(tx, 487, &self.local_tag)
        {
            core.layer.respond(now, tx, &response);
        }
        self.finish(core, now, Cause { by: EndedBy::Remote, code: 487, reason, elsewhere });
    }
}

/// Reads a first offer. It may name an address of the other family than the one that it came by: then we hear there,
/// if we have one of that family.
fn read_offer(core: &Core, preset: &mut LocalMedia, body: &[u8]) -> Result<Media, SdpError> {
    let read = |preset: &LocalMedia| OfferAnswer::new(preset.clone(), 0).receive_offer(body);
    match (read(preset), core.local_of(!preset.rtp.is_ipv4())) {
        (Err(SdpError::Family), Some(other)) => {
            preset.rtp = other;
            read(preset)
        }
        (read, _) => read,
    }
}

/// 488 or 400 with a Warning that says why (RFC 3261 20.43).
pub(super) fn refuse_offer(core: &mut Core, now: Instant, tx: TxId, error: SdpError) {
    let agent = HostPort { port: None, ..core.config.local.into() };
    let warning = format!("{} {agent} \"{error}\"", error.warning());
    core.reply_with(now, tx, error.code(), "Warning", &warning);
}
