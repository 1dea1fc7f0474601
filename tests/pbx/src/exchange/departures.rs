//! How calls leave the desk: blind and attended transfer (REFER, RFC 3515 and RFC 5589), forwarding of a ringing call
//! (302 with Diversion, RFC 5806), and parking, which is a transfer to a slot.
//!
//! Both ends of every call are legs of this exchange, so that a transfer connects parties here and sends nobody a new
//! INVITE, unless a call is forwarded to another line of the desk. Not done here: fetching a parked call
//! ([`super::desk_calls`]).

use std::time::{Duration, Instant};

use sip::{Message, NameAddr, Replaces, SessionId};

use super::call::{Departure, Party, Stage};
use super::desk_calls::user_of;
use super::{Exchange, take_desk};
use crate::demo::Line;
use crate::plan::{Destination, Fate, FateEnd, MUSIC_HZ};

/// How long caller and target talk after a transfer.
const AWAY: Duration = Duration::from_secs(45);
/// How long a caller stays in a park slot who is not told otherwise: longer than any desk lets one wait.
const PARKED: Duration = Duration::from_secs(600);
/// Diversion headers kept of a redirection; the rest is noise.
const MOST_DIVERSIONS: usize = 10;

/// A 302 from the desk, as it was on the wire.
#[derive(Debug)]
pub(super) struct Redirection {
    /// What to call instead: the user part of the first Contact that has one.
    number: String,
    diversions: Vec<String>,
}

impl Redirection {
    /// Reads a 3xx to an INVITE, and gives the response back without its Contact.
    ///
    /// The user agent follows redirections, as a telephone does; an exchange decides itself where a call goes. Without
    /// Contact the agent acknowledges the response and ends the session with its code.
    pub(super) fn take(datagram: &[u8]) -> Option<(Redirection, Vec<u8>)> {
        if !datagram.starts_with(b"SIP/2.0 3") {
            return None;
        }
        let mut response = Message::parse(datagram).ok()?;
        let contacts = response.headers("Contact").filter_map(|contact| NameAddr::parse(contact).ok());
        let number = contacts.filter_map(|contact| contact.uri.number()).next()?;
        let diversions = response.headers("Diversion").take(MOST_DIVERSIONS).map(str::to_owned).collect();
        response.remove("Contact");
        Some((Redirection { number, diversions }, response.write()))
    }
}

impl Exchange {
    /// The desk asks for a transfer.
    pub(super) fn on_refer(
        &mut self,
        now: Instant,
        session: SessionId,
        target: &str,
        replaces: Option<&Replaces>,
    ) {
        let Some(id) = self.call_of(session).filter(|call| call.stage == Stage::Talking).map(|call| call.id)
        else {
            return self.agent.refuse_refer(now, session, 491);
        };
        self.agent.refer_progress(now, session, 100);
        if let Some(replaces) = replaces {
            return match self.consultation(id, replaces) {
                Err(code) => self.agent.refer_progress(now, session, code),
                Ok(consultation) => self.join(now, id, consultation),
            };
        }
        let dialled = user_of(target).unwrap_or_default();
        match self.reach(&dialled, self.settings.transfer_patience) {
            Err(code) => self.agent.refer_progress(now, session, code),
            Ok((target, fate)) => {
                if fate.rings {
                    self.agent.refer_progress(now, session, 180);
                }
                self.leave(now, id, target, Departure::Transfer, fate);
            }
        }
    }

    /// The call whose leg to the desk a Replaces names, or the code for none that could be taken over (RFC 3891
    /// section 3): it must be another one, and answered.
    fn consultation(&self, id: u64, replaces: &Replaces) -> Result<u64, u16> {
        let session = self.agent.session_by_dialog(replaces).ok_or(481_u16)?;
        let named = |call: &&super::Call| call.desk.as_ref().is_some_and(|desk| desk.session == session);
        let call = self.calls.values().find(named).filter(|call| call.id != id).ok_or(481_u16)?;
        match call.stage {
            Stage::Talking if replaces.early_only => Err(486),
            Stage::Talking => Ok(call.id),
            _ => Err(481),
        }
    }

    /// Connects the parties of two calls of the desk; both of its legs end.
    fn join(&mut self, now: Instant, id: u64, consultation: u64) {
        let Some(target) = self.calls.get(&consultation).map(|call| call.other().clone()) else { return };
        self.finish(now, consultation, &format!("joined with call {id}"));
        self.arrives(now, id, target, Departure::Transfer, None);
    }

    /// The desk has sent a ringing call on.
    pub(super) fn forward(&mut self, now: Instant, id: u64, redirection: Redirection) {
        let left = match self.calls.get(&id) {
            Some(call) => call.due.map_or(Duration::ZERO, |due| due.saturating_duration_since(now)),
            None => return,
        };
        let reached = match Destination::of(&redirection.number) {
            _ if redirection.number == self.registrar.user() => Err(482),
            Destination::Line(line) => self.ring_other_line(now, id, line, &redirection),
            _ => self.reach(&redirection.number, left).map(|(target, fate)| {
                self.divert(id, &redirection);
                self.leave(now, id, target, Departure::Forward, fate);
            }),
        };
        if let Err(code) = reached {
            self.finish(now, id, &format!("forward failed with {code}"));
        }
    }

    /// The call rings at the desk again, on another line; 482 where it rang there before.
    fn ring_other_line(
        &mut self,
        now: Instant,
        id: u64,
        line: &'static Line,
        redirection: &Redirection,
    ) -> Result<(), u16> {
        let call = self.calls.get(&id).ok_or(480_u16)?;
        if call.line.into_iter().chain(call.forwarded_from.iter().copied()).any(|before| before == line) {
            return Err(482);
        }
        self.divert(id, redirection);
        let call = self.calls.get(&id).ok_or(480_u16)?;
        let leg = self.invite_desk(now, id, &call.from.clone(), line, call.hz, &call.diversions.clone());
        match (leg, self.calls.get_mut(&id)) {
            (Ok(leg), Some(call)) => {
                (call.desk, call.line, call.stage) = (Some(leg), Some(line), Stage::AtDesk);
                Ok(())
            }
            (Err(failure), _) => {
                tracing::debug!(%failure, "a forwarded call did not get through");
                Err(480)
            }
            (Ok(_), None) => Err(480),
        }
    }

    /// Notes who sent the call on; where the desk did not say, its line did.
    fn divert(&mut self, id: u64, redirection: &Redirection) {
        let domain = self.domain.clone();
        let Some(call) = self.calls.get_mut(&id) else { return };
        let mut latest = redirection.diversions.clone();
        if let Some(line) = call.line {
            if latest.is_empty() {
                latest.push(format!("\"{}\" <sip:{}@{domain}>;reason=unknown", line.name, line.number));
            }
            call.forwarded_from.push(line);
        }
        // What the desk says about earlier diversions may repeat what we told it.
        latest.extend(std::mem::take(&mut call.diversions));
        let mut seen = std::collections::BTreeSet::new();
        latest.retain(|entry| seen.insert(entry.clone()));
        latest.truncate(MOST_DIVERSIONS);
        call.diversions = latest;
    }

    fn leave(&mut self, now: Instant, id: u64, target: Party, how: Departure, fate: Fate) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.stage = Stage::Leaving { target, how, rings: fate.rings, end: fate.end };
            call.due = Some(now + fate.after);
        }
    }

    pub(super) fn target_decides(
        &mut self,
        now: Instant,
        id: u64,
        target: Party,
        how: Departure,
        end: FateEnd,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match (end, &call.desk) {
            (FateEnd::Answered { talk, .. }, _) => self.arrives(now, id, target, how, talk),
            (FateEnd::Failed(code), Some(desk)) => {
                let session = desk.session;
                call.stage = Stage::Talking;
                call.due = Some(call.until(now));
                self.agent.refer_progress(now, session, code);
            }
            (FateEnd::Failed(code), None) => {
                self.finish(now, id, &format!("{} failed with {code}", how.words().2));
            }
        }
    }

    /// The call is with `target` now, and not with the desk any more.
    fn arrives(&mut self, now: Instant, id: u64, target: Party, how: Departure, talk: Option<Duration>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let session = take_desk(call);
        let stays = match target {
            Party::Park(_) => {
                call.heard.push(Some(MUSIC_HZ));
                call.waits.unwrap_or(PARKED)
            }
            _ => talk.unwrap_or(AWAY),
        };
        call.stage = Stage::Away { target, how, since: now };
        call.due = Some(now + stays);
        if let Some(session) = session {
            self.agent.refer_progress(now, session, 200);
            self.agent.hang_up(now, session);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn moved(lines: &str) -> Option<(Redirection, Vec<u8>)> {
        let text = format!(
            "SIP/2.0 302 Moved Temporarily\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\r\n\
             From: <sip:2114@x>;tag=1\r\nTo: <sip:desk@x>;tag=2\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\n{lines}\
             Content-Length: 0\r\n\r\n"
        );
        Redirection::take(text.as_bytes())
    }

    #[test]
    fn a_302_is_read_and_goes_on_without_its_contact() {
        let (redirection, rest) = moved(
            "Contact: <sip:2110@x>\r\nContact: <sip:2111@x>\r\nDiversion: <sip:desk@x>;reason=away;counter=2\r\n",
        )
        .unwrap();
        assert_eq!(redirection.number, "2110");
        assert_eq!(redirection.diversions, ["<sip:desk@x>;reason=away;counter=2"]);
        let rest = Message::parse(&rest).unwrap();
        assert_eq!((rest.code(), rest.header("Contact")), (Some(302), None));
        assert_eq!(rest.to().unwrap().to_string(), "<sip:desk@x>;tag=2");
    }

    #[test]
    fn what_sends_nobody_anywhere_stays_as_it_is() {
        assert!(moved("").is_none());
        assert!(moved("Contact: <sip:x>\r\nContact: rubbish<\r\n").is_none());
        assert!(Redirection::take(b"SIP/2.0 302").is_none());
        assert!(Redirection::take(b"SIP/2.0 200 OK\r\nContact: <sip:2110@x>\r\n\r\n").is_none());
    }
}
