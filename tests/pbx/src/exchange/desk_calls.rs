//! Calls the desk takes part in: outside callers to the company lines, calls of the desk, and its transfers.

use std::time::{Duration, Instant};

use sip::{AccountId, Cause, Identity, Invite, Media, Message, NameAddr, Replaces, SessionId};

use super::call::{Call, DeskLeg, Party, Stage};
use super::{Exchange, take_desk};
use crate::demo::{LINES, Line};
use crate::leg::Leg;
use crate::plan::{self, Behaviour, Destination, Fate, FateEnd};
use crate::report::{Failure, NewCall};
use crate::script::{Arrival, Caller};

/// How long a phone the desk calls rings that nobody answers: Timer C of RFC 3261.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long a colleague or supplier called by the desk talks, unless the script says otherwise.
const TALK: Duration = Duration::from_secs(600);
/// How long caller and target talk after a transfer.
const AWAY: Duration = Duration::from_secs(45);

impl Exchange {
    /// A caller of the story; he hears busy when the desk has enough of them or is not there.
    pub(super) fn arrive(&mut self, now: Instant, arrival: Arrival) {
        let callers = self.calls.values().filter(|call| call.line.is_some() && call.desk.is_some()).count();
        if callers >= self.settings.script.most_callers {
            return;
        }
        let Arrival { caller, line, patience, talk, .. } = arrival;
        if let Err(failure) = self.call_desk(now, Party::Outside(caller), line, patience, talk, None) {
            tracing::debug!(%failure, "a caller did not get through");
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
        let device = self.registrar.device(now).cloned().ok_or(Failure::NotRegistered)?;
        let id = self.new_id()?;
        let leg = self.new_leg(id, hz.unwrap_or_else(|| from.hz()))?;
        let mut invite = Invite::new(AccountId(0), device.uri, leg.local()?);
        invite.account = None;
        invite.destination = Some(device.source);
        self.identify(&mut invite, &from, line);
        let session = self.agent.invite(now, invite)?;
        Ok(self.add(Call {
            id,
            from,
            to: Party::Desk,
            line: Some(line),
            desk: Some(DeskLeg { session, leg, held: false }),
            stage: Stage::AtDesk,
            due: Some(now + patience),
            talk,
            heard: Vec::new(),
        }))
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
        self.add(Call {
            id,
            from: Party::Desk,
            to,
            line: None,
            desk: Some(DeskLeg { session, leg, held: false }),
            stage: Stage::Ringing { rings: fate.rings, end: fate.end },
            due: Some(now + fate.after),
            talk: TALK,
            heard: Vec::new(),
        });
        Ok(())
    }

    /// The desk asks for a transfer.
    pub(super) fn on_refer(
        &mut self,
        now: Instant,
        session: SessionId,
        target: &str,
        replaces: Option<&Replaces>,
    ) {
        // Attended transfers name a dialog to replace; they are not offered here.
        if replaces.is_some() {
            return self.agent.refuse_refer(now, session, 501);
        }
        let Some(id) = self.call_of(session).filter(|call| call.stage == Stage::Talking).map(|call| call.id)
        else {
            return self.agent.refuse_refer(now, session, 491);
        };
        let dialled = user_of(target).unwrap_or_default();
        self.agent.refer_progress(now, session, 100);
        match self.reach(&dialled, self.settings.transfer_patience) {
            Err(code) => self.agent.refer_progress(now, session, code),
            Ok((target, fate)) => {
                if fate.rings {
                    self.agent.refer_progress(now, session, 180);
                }
                if let Some(call) = self.calls.get_mut(&id) {
                    call.stage = Stage::Transferring { target, rings: fate.rings, end: fate.end };
                    call.due = Some(now + fate.after);
                }
            }
        }
    }

    /// The desk's leg is gone: refused, cancelled, hung up or lost.
    pub(super) fn on_desk_gone(&mut self, now: Instant, session: SessionId, cause: &Cause) {
        let Some(call) = self.call_of(session) else { return };
        let id = call.id;
        take_desk(call);
        match call.stage {
            // The transferee still waits for the target.
            Stage::Transferring { .. } => {}
            Stage::AtDesk => self.finish(now, id, &format!("refused with {}", cause.code)),
            Stage::Ringing { .. } => self.finish(now, id, "cancelled by the desk"),
            _ => self.finish(now, id, "hung up by the desk"),
        }
    }

    pub(super) fn desk_call_due(&mut self, now: Instant, id: u64) {
        let Some(call) = self.calls.get(&id) else { return };
        match call.stage.clone() {
            Stage::AtDesk => self.finish(now, id, "gave up"),
            Stage::Ringing { end, .. } => self.called_party_decides(now, id, end),
            Stage::Transferring { target, end, .. } => self.target_decides(now, id, target, end),
            Stage::Talking => self.finish(now, id, "hung up by the caller"),
            Stage::Away { target } => self.finish(now, id, &format!("transferred to {}", target.label())),
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
                self.agent.accept(now, session, local);
            }
            (end, _) => {
                let code = if let FateEnd::Failed(code) = end { code } else { 500 };
                take_desk(call);
                self.agent.reject(now, session, code);
                self.finish(now, id, &format!("failed with {code}"));
            }
        }
    }

    fn target_decides(&mut self, now: Instant, id: u64, target: Party, end: FateEnd) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let session = call.desk.as_ref().map(|desk| desk.session);
        match end {
            FateEnd::Answered { talk, .. } => {
                call.stage = Stage::Away { target };
                call.due = Some(now + talk.unwrap_or(AWAY));
                take_desk(call);
                if let Some(session) = session {
                    self.agent.refer_progress(now, session, 200);
                    self.agent.hang_up(now, session);
                }
            }
            FateEnd::Failed(code) => match session {
                Some(session) => {
                    call.stage = Stage::Talking;
                    call.due = Some(now + call.talk);
                    self.agent.refer_progress(now, session, code);
                }
                None => self.finish(now, id, &format!("transfer failed with {code}")),
            },
        }
    }

    /// The party that is not the desk hangs up, at whatever stage.
    pub(super) fn far_end_hangs_up(&mut self, now: Instant, id: u64) -> Result<(), Failure> {
        let call = self.calls.get(&id).ok_or(Failure::NoCall(id))?;
        if let (Stage::Transferring { .. }, Some(desk)) = (&call.stage, &call.desk) {
            self.agent.refer_progress(now, desk.session, 487);
        }
        if let (Stage::Ringing { .. }, Some(desk)) = (&call.stage, &call.desk) {
            self.agent.reject(now, desk.session, 603);
        }
        self.finish(now, id, "hung up by the caller");
        Ok(())
    }

    /// Whom a number reaches and how he takes it, or the code for nobody.
    fn reach(&self, dialled: &str, patience: Duration) -> Result<(Party, Fate), u16> {
        match Destination::of(dialled) {
            Destination::Extension(extension) => {
                let behaviour = self.behaviours.get(&extension).copied().unwrap_or(Behaviour::Offline);
                let behaviour = if self.is_free(extension) { behaviour } else { Behaviour::Busy };
                Ok((Party::Extension(extension), behaviour.fate(patience)))
            }
            Destination::Voicemail(extension) => {
                Ok((Party::Voicemail(extension), Behaviour::Answer(Duration::from_secs(1)).fate(patience)))
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
fn user_of(uri: &str) -> Option<String> {
    NameAddr::parse(&format!("<{uri}>")).ok()?.uri.number()
}
