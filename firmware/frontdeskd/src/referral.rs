//! The far end hands its call on (REFER from it: the desk is the transferee of RFC 5589). The desk calls whom it is told
//! to; once that is answered, the call goes on with them, and the one who handed it on is gone. Until then, and where
//! nobody answers, everything stays as it was.
//!
//! Who may do that: in an attended transfer everybody, since there the new call takes the place of one that exists; in a
//! blind one only the phones that the desk watches. Anybody else could have the house pay for calls to any number. The
//! agent has made sure that the request came from the exchange.

use std::collections::HashMap;
use std::time::Instant;

use ipc::CallRef;
use sip::{AccountId, EndedBy, Event, Invite, Replaces, SessionId};
use switchboard::Input;
use tracing::{info, warn};

use crate::{engine::Engine, speech::Ports};

/// Refused by the desk (RFC 3261 section 21.6.2).
const DECLINE: u16 = 603;

/// Calls under way in place of others, by their own session.
#[derive(Default)]
pub(crate) struct Referrals(HashMap<SessionId, Referral>);

/// One of them.
struct Referral {
    call: CallRef,
    /// Whom it takes the place of.
    from: SessionId,
    /// That one has hung up already.
    alone: bool,
}

impl Referrals {
    fn from(&self, session: SessionId) -> Option<SessionId> {
        self.0.iter().find(|(_, referral)| referral.from == session).map(|(&new, _)| new)
    }
}

impl Engine {
    /// The far end of a call asks the desk to call somebody in its place.
    pub(crate) fn referred(
        &mut self,
        now: Instant,
        session: SessionId,
        target: &str,
        replaces: Option<Replaces>,
        referred_by: Option<String>,
    ) {
        let Some((call, account)) = self.may_refer(session, replaces.is_some()) else {
            warn!(session = session.0, target, "transfer by the far end refused");
            return self.parts.agent.refuse_refer(now, session, DECLINE);
        };
        let Some(leg) = self.legs.by_call.get(&call) else { return };
        // The same port, for there is one operator; where speech is encrypted, keys of its own.
        let ports = Ports { rtp: leg.local.rtp, rtcp: leg.local.rtcp };
        let local = self.local_media(Some(account), ports);
        let mut invite = Invite { replaces, ..Invite::new(account, target, local) };
        invite.headers.extend(referred_by.map(|by| ("Referred-By".to_owned(), by)));
        match self.parts.agent.invite(now, invite) {
            Ok(new) => {
                info!(call = call.0, target, "the far end hands the call on");
                self.referrals.0.insert(new, Referral { call, from: session, alone: false });
                self.parts.agent.refer_progress(now, session, 100);
            }
            Err(error) => {
                warn!(call = call.0, target, %error, "the far end's transfer cannot be tried");
                self.parts.agent.refuse_refer(now, session, DECLINE);
            }
        }
    }

    /// Takes what concerns a call under way in place of another; hands the rest on.
    pub(crate) fn of_a_referral(&mut self, now: Instant, event: Event) -> Option<Event> {
        match event {
            Event::Ended { session, ref cause } if self.referrals.from(session).is_some() => {
                let new = self.referrals.from(session)?;
                if cause.by == EndedBy::Local {
                    // The operator has hung up on both.
                    self.referrals.0.remove(&new);
                    self.parts.agent.hang_up(now, new);
                    return Some(event);
                }
                // Who hands a call on may leave at once.
                let referral = self.referrals.0.get_mut(&new)?;
                referral.alone = true;
                let call = referral.call;
                self.take_over(call, session, new);
                None
            }
            Event::Progress { session, code, .. } if self.referrals.0.contains_key(&session) => {
                let from = self.referrals.0.get(&session)?.from;
                self.parts.agent.refer_progress(now, from, code);
                None
            }
            Event::Answered { session, media, by } if self.referrals.0.contains_key(&session) => {
                let Referral { call, from, alone } = self.referrals.0.remove(&session)?;
                info!(call = call.0, "the call goes on with whom the far end named");
                if !alone {
                    self.take_over(call, from, session);
                    self.parts.agent.refer_progress(now, from, 200);
                    let held = self.parts.agent.is_held(from);
                    // Some exchanges leave that to us.
                    self.parts.agent.hang_up(now, from);
                    if held {
                        self.parts.agent.hold(now, session);
                    }
                }
                self.connect(call, &media);
                self.parts.board.handle(now, Input::RemoteHold { call, held: false });
                let news = self.party_changed(call, by);
                self.parts.board.handle(now, news);
                None
            }
            Event::Ended { session, ref cause } if self.referrals.0.contains_key(&session) => {
                let Referral { call, from, alone } = self.referrals.0.remove(&session)?;
                info!(call = call.0, code = cause.code, "whom the far end named was not reached");
                if alone {
                    return Some(event); // nobody is left
                }
                self.parts.agent.refer_progress(now, from, cause.code.max(300));
                None
            }
            event => Some(event),
        }
    }

    /// From now on `new` is the session of a call.
    fn take_over(&mut self, call: CallRef, old: SessionId, new: SessionId) {
        self.legs.by_session.remove(&old);
        if let Some(leg) = self.legs.by_call.get_mut(&call) {
            leg.session = new;
            self.legs.by_session.insert(new, call);
        }
    }

    /// The call of a session whose far end may hand it on, and the account that pays for it.
    fn may_refer(&self, session: SessionId, attended: bool) -> Option<(CallRef, AccountId)> {
        let call = *self.legs.by_session.get(&session)?;
        let leg = self.legs.by_call.get(&call)?;
        let colleague = || leg.number.as_ref().is_some_and(|number| self.lamps.watches(number));
        let lines = &self.parts.lines;
        let of_line = || lines.iter().find(|(line, _)| *line == leg.line).or(lines.first());
        // The one that the call came by, which may be of no line: another would show another company's number.
        let account = leg.account.or_else(|| of_line().map(|(_, account)| *account))?;
        (attended || colleague()).then_some((call, account))
    }
}
