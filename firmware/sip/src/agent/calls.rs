//! What the program has done with calls: made, answered, refused, sent elsewhere, held, transferred and ended.
//!
//! Each is handed to its session ([`crate::session`]). Not done here: what comes in ([`super::receive`]), and two calls
//! that are joined ([`super::joining`]).

use std::time::Instant;

use super::{Error, Invite, SessionId, UserAgent};
use crate::core::{Core, Owner};
use crate::diversion::Diversion;
use crate::replaces::Replaces;
use crate::sdp::{LocalMedia, Media};
use crate::session::{Session, Standing};

impl UserAgent {
    /// Calls somebody.
    ///
    /// # Errors
    /// See [`Error`]; nothing was sent then.
    pub fn invite(&mut self, now: Instant, invite: Invite) -> Result<SessionId, Error> {
        if self.is_full() {
            return Err(Error::TooManySessions(self.core.config.max_sessions));
        }
        let id = SessionId(self.core.new_id());
        let session = Session::call(&mut self.core, now, id, &invite)?;
        self.sessions.insert(id, session);
        self.settle(now);
        Ok(id)
    }

    /// Tells the caller that we ring (180).
    pub fn ring(&mut self, now: Instant, session: SessionId) {
        self.with(now, session, |session, core| session.ring(core, now));
    }

    /// The same, by a program that knows already what it would answer with. A caller that leaves the offer to us and
    /// requires reliable provisional responses can be told of ringing in this way only (RFC 3262 section 5).
    pub fn ring_with(&mut self, now: Instant, session: SessionId, media: LocalMedia) {
        self.with(now, session, |session, core| session.ring_with(core, now, media));
    }

    /// Lets the caller hear something before the answer (183 with our description), reliably where it can (RFC 3262).
    /// [`Event::MediaChanged`] says what is agreed. Nothing happens where the caller left the offer to us and knows no
    /// reliable responses. `media` must be the one `accept` will be given.
    pub fn early_media(&mut self, now: Instant, session: SessionId, media: LocalMedia) {
        self.with(now, session, |session, core| session.early_media(core, now, media));
    }

    /// Answers a ringing call (200). [`Event::Confirmed`] follows when the caller has acknowledged.
    /// Where it takes over another call ([`Event::Incoming`]'s `replaces`), that call ends now, with
    /// BYE, or with CANCEL if it only rang.
    pub fn accept(&mut self, now: Instant, session: SessionId, media: LocalMedia) {
        let Some(entry) = self.sessions.get_mut(&session) else { return };
        let answered = entry.accept(&mut self.core, now, media);
        if let Some(replaced) = entry.replaces().filter(|_| answered)
            && let Some(replaced) = self.sessions.get_mut(&replaced)
        {
            replaced.leave_to(&mut self.core, now, session);
        }
        self.settle(now);
    }

    /// What was agreed last about the sound of a call; `None` before there is an answer.
    pub fn media(&self, session: SessionId) -> Option<&Media> {
        self.sessions.get(&session)?.media()
    }

    /// Refuses a ringing call with `code`, 300 to 699.
    pub fn reject(&mut self, now: Instant, session: SessionId, code: u16) {
        self.with(now, session, |session, core| session.reject(core, now, code));
    }

    /// Refuses a ringing call with more header lines, such as a challenge.
    pub fn reject_with(&mut self, now: Instant, session: SessionId, code: u16, headers: &[(String, String)]) {
        self.with(now, session, |session, core| session.reject_with(core, now, code, headers));
    }

    /// Sends a ringing call's caller to `target`, a number or URI (302). With a `diversion` the target
    /// is told who sends the call on (RFC 5806); its counter goes on from where the INVITE stands.
    ///
    /// # Errors
    /// Nothing was sent, and a call that rings rings on: [`Error::NotRinging`]; [`Error::BadTarget`] or
    /// [`Error::UnknownAccount`] where the target or the diverting party cannot be called;
    /// [`Error::TooManyDiversions`] where [`MAX_DIVERSIONS`](crate::MAX_DIVERSIONS) have happened;
    /// [`Error::DiversionLoop`] where the target itself sent the call on before.
    pub fn redirect(
        &mut self,
        now: Instant,
        session: SessionId,
        target: &str,
        diversion: Option<&Diversion>,
    ) -> Result<(), Error> {
        let entry = self.sessions.get_mut(&session).ok_or(Error::NotRinging(session))?;
        let result = entry.redirect(&mut self.core, now, target, diversion);
        self.settle(now);
        result
    }

    /// Ends a call in any state: CANCEL, 480 or BYE. [`Event::Ended`] comes at once; what the peer
    /// still has to be told goes on behind it.
    pub fn hang_up(&mut self, now: Instant, session: SessionId) {
        self.with(now, session, |session, core| session.hang_up(core, now));
    }

    /// Puts a call on hold. [`Event::Held`] or [`Event::HoldFailed`] follows; before the answer of
    /// the call it waits. A call that is joined ([`UserAgent::join`]) is so no longer: who is held hears us.
    pub fn hold(&mut self, now: Instant, session: SessionId) {
        self.release(now, session, "put on hold");
        self.with(now, session, |session, core| session.hold(core, now));
    }

    /// Takes a call back. [`Event::Retrieved`] or [`Event::HoldFailed`] follows.
    pub fn retrieve(&mut self, now: Instant, session: SessionId) {
        self.with(now, session, |session, core| session.retrieve(core, now));
    }

    /// Whether we hold a call, as far as the peer has agreed.
    pub fn is_held(&self, session: SessionId) -> bool {
        self.sessions.get(&session).is_some_and(Session::is_held)
    }

    /// Sends digits (`0`–`9`, `*`, `#`, `A`–`D`; others are left out), each in an INFO of its own: for a peer whose
    /// [`Media::dtmf_payload_type`] is `None`, which takes no telephone events (RFC 4733). Those that a peer refuses are
    /// not sent again, nor is what was to follow: [`Event::DigitsFailed`] says so.
    pub fn digits(&mut self, now: Instant, session: SessionId, digits: &str) {
        self.with(now, session, |session, core| session.send_digits(core, now, digits));
    }

    /// Asks the peer to call `target`, a number or URI (blind transfer), after a hold asked for
    /// before. [`Event::TransferEnded`] tells its fate; the call itself stays. A transfer the peer has
    /// accepted without telling its fate yet is given up for this one, and nothing more is told of it;
    /// while the peer has not answered the first, the second is refused with 491.
    pub fn refer(&mut self, now: Instant, session: SessionId, target: &str) {
        self.with(now, session, |session, core| session.refer(core, now, target));
    }

    /// Waits no longer for the fate of a transfer: [`Event::TransferEnded`] follows, by `NoNotify`, as soon as it is known
    /// whether the call is still there, within 2 s; if it is not, after [`Event::Ended`]. The peer is not told, and should
    /// it tell the fate after all, that follows too.
    pub fn give_up_transfer(&mut self, now: Instant, session: SessionId) {
        self.with(now, session, |session, core| session.give_up_transfer(core, now));
    }

    /// Asks the peer of `session` to take over our call `consultation` (attended transfer, RFC 5589
    /// section 7.3): REFER with a Replaces in Refer-To. It waits for what was asked for before, and its
    /// fate is told, just like [`UserAgent::refer`]'s. Where it succeeds, the target ends the consultation
    /// itself and `session` is left to hang up; some exchanges end only one of the two.
    ///
    /// # Errors
    /// Nothing was sent, and no event follows: [`Error::NoSuchCall`] for either call,
    /// [`Error::SameCall`]; [`Error::NotAnswered`] while the consultation rings (hang it up and use
    /// [`UserAgent::refer`]); [`Error::BadReplaces`] where the consultation's Call-ID or tag cannot be
    /// written into a URI.
    pub fn refer_attended(
        &mut self,
        now: Instant,
        session: SessionId,
        consultation: SessionId,
    ) -> Result<(), Error> {
        if session == consultation {
            return Err(Error::SameCall(session));
        }
        let consulted = self.sessions.get(&consultation).ok_or(Error::NoSuchCall(consultation))?;
        let target = consulted.refer_to()?;
        let entry = self.sessions.get_mut(&session).ok_or(Error::NoSuchCall(session))?;
        let result = entry.refer_attended(&mut self.core, now, target);
        self.settle(now);
        result
    }

    /// The call of ours with these identifiers, ours being `to_tag`; `None` also if it has ended.
    pub fn session_by_dialog(&self, replaces: &Replaces) -> Option<SessionId> {
        self.dialog_of(replaces).filter(|(_, standing)| *standing != Standing::Over).map(|(id, _)| id)
    }

    /// Tells the peer of a session how the transfer it asked for goes. The first news accepts the
    /// REFER (202); a code from 200 on ends it.
    pub fn refer_progress(&mut self, now: Instant, session: SessionId, code: u16) {
        self.with(now, session, |session, core| session.refer_progress(core, now, code));
    }

    /// Refuses the transfer the peer of a session asked for.
    pub fn refuse_refer(&mut self, now: Instant, session: SessionId, code: u16) {
        self.with(now, session, |session, core| session.refuse_refer(core, now, code));
    }

    /// Sessions the program has not seen the end of.
    pub fn live_sessions(&self) -> usize {
        self.sessions.values().filter(|session| session.is_live()).count()
    }

    /// The Call-ID of a session that has not been forgotten: what the exchange's own log knows a call by.
    pub fn call_id(&self, session: SessionId) -> Option<&str> {
        self.sessions.get(&session).map(|session| session.key().0)
    }

    pub(super) fn with(&mut self, now: Instant, id: SessionId, act: impl FnOnce(&mut Session, &mut Core)) {
        match self.sessions.get_mut(&id) {
            Some(session) => act(session, &mut self.core),
            None => tracing::debug!(session = id.0, "command for a session that is gone"),
        }
        self.settle(now);
    }

    /// The session with these identifiers and how its dialog stands; it may be over.
    pub(super) fn dialog_of(&self, replaces: &Replaces) -> Option<(SessionId, Standing)> {
        let Some(Owner::Session(id)) = self.core.dialog_owner(&replaces.call_id, &replaces.to_tag) else {
            return None;
        };
        self.sessions.get(&id)?.standing(replaces).map(|standing| (id, standing))
    }

    pub(super) fn is_full(&self) -> bool {
        self.live_sessions() >= self.core.config.max_sessions
    }

    /// Whether strangers have their share of the calls: a flood of theirs must not keep out those of our exchanges.
    pub(super) fn has_strangers_enough(&self) -> bool {
        let strangers =
            self.sessions.values().filter(|session| session.is_live() && session.account().is_none());
        self.has_exchange() && strangers.count() >= self.core.config.max_stranger_sessions
    }
}
