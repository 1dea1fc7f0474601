//! Calls the desk takes part in: outside callers to the company lines, calls of the desk, parked calls it fetches.
//!
//! Not done here: how calls leave the desk ([`super::departures`]).

use std::time::{Duration, Instant};

use sip::{AccountId, Cause, Identity, Invite, Media, Message, NameAddr, SessionId};

use super::call::{Call, DeskLeg, Party, Stage};
use super::departures::Redirection;
use super::{Exchange, take_desk};
use crate::demo::{LINES, Line};
use crate::leg::Leg;
use crate::plan::{self, Behaviour, Destination, Fate, FateEnd, MAILBOX};
use crate::report::{Failure, NewCall};
use crate::script::{Arrival, Caller};

/// How long a phone the desk calls rings that nobody answers: Timer C of RFC 3261.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long a colleague or supplier called by the desk talks, unless the script says otherwise.
const TALK: Duration = Duration::from_secs(600);

impl Exchange {
    /// A caller of the story; he hears busy when the desk has enough of them or is not there.
    pub(super) fn arrive(&mut self, now: Instant, arrival: Arrival) {
        let callers = self.calls.values().filter(|call| call.line.is_some() && call.desk.is_some()).count();
        if callers >= self.settings.script.most_callers {
            return;
        }
        let Arrival { caller, line, patience, talk, waits, .. } = arrival;
        match self.call_desk(now, Party::Outside(caller), line, patience, talk, None) {
            Ok(id) => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.waits = Some(waits);
                }
            }
            Err(failure) => tracing::debug!(%failure, "a caller did not get through"),
        }
    }

    /// A caller asked for at the control line.
    pub(super) fn command_call(&mut self, now: Instant, new: NewCall) -> Result<u64, Failure> {
        let wanted = new.line.as_deref().unwrap_or(LINES[0].number);
        let line =
            LINES.iter().find(|l| l.number == wanted).ok_or_else(|| Failure::NoLine(wanted.to_owned()))?;
        let (patience, talk) = (new.patience(), new.talk());
        let from = match new.from.as_deref().map(Destination::of) {
            None => Party::Outside(Caller { number: None, name: new.name }),
            Some(Destination::Extension(extension)) => Party::Extension(extension),
            Some(Destination::Outside(number)) => {
                Party::Outside(Caller { number: Some(number), name: new.name })
            }
            Some(_) => return Err(Failure::BadNumber(new.from.unwrap_or_default())),
        };
        if let Party::Extension(extension) = from
            && !self.is_free(extension)
        {
            return Err(Failure::Busy);
        }
        self.call_desk(now, from, line, patience, talk, new.answer_tone)
    }

    fn call_desk(
        &mut self,
        now: Instant,
        from: Party,
        line: &'static Line,
        patience: Duration,
        talk: Duration,
        hz: Option<u32>,
    ) -> Result<u64, Failure> {
        let id = self.new_id()?;
        let mut call = Call::new(id, from, Party::Desk, Stage::AtDesk, now + patience, talk);
        call.hz = hz.unwrap_or(call.hz);
        call.line = Some(line);
        call.desk = Some(self.invite_desk(now, id, &call.from, line, call.hz, &[])?);
        Ok(self.add(call))
    }

    /// Lets the desk ring for `from`; whose call was sent on already brings its Diversion headers along.
    pub(super) fn invite_desk(
        &mut self,
        now: Instant,
        id: u64,
        from: &Party,
        line: &'static Line,
        hz: u32,
        diversions: &[String],
    ) -> Result<DeskLeg, Failure> {
        let device = self.registrar.device(now).cloned().ok_or(Failure::NotRegistered)?;
        let leg = self.new_leg(id, hz)?;
        let mut invite = Invite::new(AccountId(0), device.uri, leg.local()?);
        invite.account = None;
        invite.destination = Some(device.source.into());
        self.identify(&mut invite, from, line);
        invite.headers.extend(diversions.iter().map(|entry| ("Diversion".to_owned(), entry.clone())));
        let session = self.agent.invite(now, invite)?;
        Ok(DeskLeg { session, leg, held: false })
    }

    /// Says who calls and on which line, in the three ways exchanges have: To, P-Called-Party-ID, Diversion.
    fn identify(&self, invite: &mut Invite, from: &Party, line: &'static Line) {
        let line_uri = format!("sip:{}@{}", line.number, self.domain);
        let desk_uri = format!("sip:{}@{}", self.registrar.user(), self.domain);
        let display = Some(line.name.to_owned());
        invite.from = Some(match from {
            Party::Outside(Caller { number: None, .. }) => {
                invite.headers.push(("Privacy".into(), "id".into()));
                Identity { display: Some("Anonymous".into()), uri: "sip:anonymous@anonymous.invalid".into() }
            }
            party => Identity {
                display: self.name_of(party),
                uri: format!("sip:{}@{}", party.label(), self.domain),
            },
        });
        let (named, to_desk) =
            (format!("\"{}\" <{line_uri}>", line.name), Identity { display: None, uri: desk_uri });
        invite.to = Some(match line.number {
            "5550100" => {
                invite.headers.push(("P-Called-Party-ID".into(), named));
                to_desk
            }
            "5550200" => {
                invite.headers.push(("Diversion".into(), format!("{named};reason=unconditional")));
                to_desk
            }
            _ => Identity { display, uri: line_uri },
        });
    }

    /// The desk picked up.
    pub(super) fn on_desk_answers(&mut self, now: Instant, session: SessionId, media: Media) {
        let Some(call) = self.call_of(session) else { return };
        if call.stage == Stage::AtDesk {
            call.stage = Stage::Talking;
            call.due = Some(now + call.talk);
        }
        if let Some(desk) = call.desk.as_mut() {
            desk.leg.agree(media);
        }
    }

    /// The desk calls somebody.
    pub(super) fn on_desk_calls(
        &mut self,
        now: Instant,
        session: SessionId,
        replaces: Option<SessionId>,
        invite: &Message,
    ) {
        if invite.from().and_then(|from| from.uri.user).as_deref() != Some(self.registrar.user()) {
            return self.agent.reject(now, session, 403);
        }
        if let Err(challenges) = self.registrar.authenticate(now, invite) {
            let headers: Vec<_> =
                challenges.into_iter().map(|challenge| ("WWW-Authenticate".to_owned(), challenge)).collect();
            return self.agent.reject_with(now, session, 401, &headers);
        }
        // Calls are not picked up by their dialogs here.
        if replaces.is_some() || invite.header("Replaces").is_some() {
            return self.agent.reject(now, session, 481);
        }
        let dialled = invite.request_uri().and_then(user_of).unwrap_or_default();
        if let Destination::Park(slot) = Destination::of(&dialled) {
            return self.fetch(now, session, slot);
        }
        match self.reach(&dialled, PATIENCE) {
            Err(code) => self.agent.reject(now, session, code),
            Ok((to, fate)) => {
                if let Err(failure) = self.ring_for_desk(now, session, to, fate) {
                    tracing::warn!(%failure, "a call of the desk failed");
                    self.agent.reject(now, session, 503);
                }
            }
        }
    }

    fn ring_for_desk(
        &mut self,
        now: Instant,
        session: SessionId,
        to: Party,
        fate: Fate,
    ) -> Result<(), Failure> {
        let id = self.new_id()?;
        let leg = self.new_leg(id, to.hz())?;
        if fate.rings {
            self.agent.ring(now, session);
        }
        let stage = Stage::Ringing { rings: fate.rings, end: fate.end };
        let mut call = Call::new(id, Party::Desk, to, stage, now + fate.after, TALK);
        call.desk = Some(DeskLeg { session, leg, held: false });
        self.add(call);
        Ok(())
    }

    /// The desk dials a park slot: whoever waits there talks with it again.
    fn fetch(&mut self, now: Instant, session: SessionId, slot: u16) {
        let parked = self.calls.values().find(|call| call.parked() == Some(slot));
        let Some((id, hz)) = parked.map(|call| (call.id, call.hz)) else {
            return self.agent.reject(now, session, 404);
        };
        let leg = self.new_leg(id, hz).and_then(|leg| Ok((leg.local()?, leg)));
        match (leg, self.calls.get_mut(&id)) {
            (Ok((local, leg)), Some(call)) => {
                call.desk = Some(DeskLeg { session, leg, held: false });
                call.stage = Stage::Talking;
                call.due = Some(call.until(now));
                self.agent.accept(now, session, local);
            }
            (Err(failure), _) => {
                tracing::warn!(%failure, "a parked call could not be fetched");
                self.agent.reject(now, session, 503);
            }
            (Ok(_), None) => self.agent.reject(now, session, 404),
        }
    }

    /// The desk's leg is gone: refused, cancelled, hung up or lost.
    pub(super) fn on_desk_gone(
        &mut self,
        now: Instant,
        session: SessionId,
        cause: &Cause,
        redirection: Option<Redirection>,
    ) {
        let Some(call) = self.call_of(session) else { return };
        let id = call.id;
        take_desk(call);
        match (&call.stage, redirection) {
            // The transferee still waits for the target.
            (Stage::Leaving { .. }, _) => {}
            (Stage::AtDesk, Some(redirection)) => self.forward(now, id, redirection),
            (Stage::AtDesk, None) => self.finish(now, id, &format!("refused with {}", cause.code)),
            (Stage::Ringing { .. }, _) => self.finish(now, id, "cancelled by the desk"),
            _ => self.finish(now, id, "hung up by the desk"),
        }
    }

    pub(super) fn desk_call_due(&mut self, now: Instant, id: u64) {
        let Some(call) = self.calls.get(&id) else { return };
        match call.stage.clone() {
            Stage::AtDesk => self.finish(now, id, "gave up"),
            Stage::Ringing { end, .. } => self.called_party_decides(now, id, end),
            Stage::Leaving { target, how, end, .. } => self.target_decides(now, id, target, how, end),
            Stage::Talking => {
                let waited = call.waits.is_some() && call.desk.as_ref().is_some_and(|desk| desk.held);
                self.finish(now, id, if waited { "gave up on hold" } else { "hung up by the caller" });
            }
            Stage::Away { target: Party::Park(slot), .. } => {
                self.finish(now, id, &format!("gave up parked at {slot}"));
            }
            Stage::Away { target, how, since } => {
                self.message_left(now, &target, since);
                self.finish(now, id, &format!("{} {}", how.words().1, target.label()));
            }
            Stage::ChatRinging | Stage::ChatTalking => {}
        }
    }

    fn called_party_decides(&mut self, now: Instant, id: u64, end: FateEnd) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(desk) = call.desk.as_mut() else { return };
        let session = desk.session;
        match (end, desk.leg.local()) {
            (FateEnd::Answered { hz, talk }, Ok(local)) => {
                if let Some(hz) = hz {
                    desk.leg.speak(hz);
                }
                call.stage = Stage::Talking;
                call.due = Some(now + talk.unwrap_or(call.talk));
                let own_mailbox = call.to == Party::Voicemail(MAILBOX);
                self.agent.accept(now, session, local);
                if own_mailbox {
                    self.messages_heard(now);
                }
            }
            (end, _) => {
                let code = if let FateEnd::Failed(code) = end { code } else { 500 };
                take_desk(call);
                self.agent.reject(now, session, code);
                self.finish(now, id, &format!("failed with {code}"));
            }
        }
    }

    /// The party that is not the desk hangs up, at whatever stage.
    pub(super) fn far_end_hangs_up(&mut self, now: Instant, id: u64) -> Result<(), Failure> {
        let call = self.calls.get(&id).ok_or(Failure::NoCall(id))?;
        let reached_by_desk = match (&call.stage, &call.desk) {
            (Stage::Ringing { .. }, Some(desk)) => Some(desk.session),
            _ => None,
        };
        if let (Stage::Leaving { .. }, Some(desk)) = (&call.stage, &call.desk) {
            self.agent.refer_progress(now, desk.session, 487);
        }
        if let Stage::Away { target, since, .. } = call.stage.clone() {
            self.message_left(now, &target, since);
        }
        if let Some(session) = reached_by_desk {
            self.agent.reject(now, session, 603);
        }
        self.finish(now, id, "hung up by the caller");
        Ok(())
    }

    /// Whom a number reaches and how he takes it, or the code for nobody.
    pub(super) fn reach(&self, dialled: &str, patience: Duration) -> Result<(Party, Fate), u16> {
        match Destination::of(dialled) {
            Destination::Extension(extension) => {
                let behaviour = self.behaviours.get(&extension).copied().unwrap_or(Behaviour::Offline);
                let behaviour = if self.is_free(extension) { behaviour } else { Behaviour::Busy };
                Ok((Party::Extension(extension), behaviour.fate(patience)))
            }
            Destination::Voicemail(extension) => {
                Ok((Party::Voicemail(extension), Behaviour::Answer(Duration::from_secs(1)).fate(patience)))
            }
            Destination::Park(slot) => {
                if self.calls.values().any(|call| call.goes_to(&Party::Park(slot))) {
                    return Err(486);
                }
                Ok((Party::Park(slot), plan::AT_ONCE))
            }
            Destination::Outside(number) => {
                let fate = plan::outside_fate(&number, patience);
                Ok((Party::Outside(Caller { number: Some(number), name: None }), fate))
            }
            // The company lines end at the desk, which is talking.
            Destination::Line(_) => Err(486),
            Destination::Nobody => Err(404),
        }
    }

    fn new_leg(&self, id: u64, hz: u32) -> Result<Leg, Failure> {
        let ssrc = crate::random::Dice::new(self.settings.secret ^ id, "ssrc").next() as u32;
        Ok(Leg::bind(self.settings.address.ip(), hz, ssrc)?)
    }
}

/// The user part of a URI: what was dialled.
pub(super) fn user_of(uri: &str) -> Option<String> {
    NameAddr::parse(&format!("<{uri}>")).ok()?.uri.number()
}
