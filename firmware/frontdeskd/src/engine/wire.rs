//! From the wire to the desk: what each event of the user agent is for the switchboard, the sound and the contacts.

use std::time::Instant;

use ipc::{CallRef, Party};
use media::StreamId;
use sip::{AccountId, SessionId};
use switchboard::Input;
use tracing::{error, info, warn};

use super::{Engine, Leg};
use crate::{bridge, contacts::Who, mailboxes};

impl Engine {
    pub(super) fn take_agent(&mut self, now: Instant, event: sip::Event) {
        let Some(event) = self.of_a_referral(now, event) else { return };
        match event {
            sip::Event::Refer { session, target, replaces, referred_by } => {
                self.referred(now, session, &target, replaces, referred_by);
            }
            // Nobody else places calls at the operator's desk.
            sip::Event::Referral { id, .. } => self.parts.agent.refuse_referral(now, id, 603),
            sip::Event::Incoming { .. } => self.incoming(now, event),
            sip::Event::Registration { account, state } => self.registration(now, account, state),
            sip::Event::Dialogs { subscription, dialogs } => self.lamp_news(now, subscription, &dialogs),
            sip::Event::Presence { subscription, presence } => {
                self.person_news(now, subscription, &presence);
            }
            sip::Event::Subscription { subscription, state } => {
                self.lamp_standing(now, subscription, &state);
                self.person_standing(now, subscription, &state);
            }
            sip::Event::MessageSummary { account, waiting, new, mailbox, .. } => {
                let unread = new.unwrap_or(u32::from(waiting));
                let news = mailboxes::news(&mut self.parts.mailboxes, account, unread, mailbox);
                self.parts.board.handle(now, news);
            }
            sip::Event::Resolve { id, host, port, transport } => {
                self.parts.names.resolve(id, host, port, transport, self.parts.inbox.clone());
            }
            sip::Event::Connect { target, server_name } => self.open_connection(now, target, server_name),
            sip::Event::Ended { session, cause } => self.ended(now, session, cause),
            event => {
                if let Some(event) = self.take_phone(now, event) {
                    self.of_a_call(now, event);
                }
            }
        }
    }

    /// Events of a session whose call is on the desk.
    fn of_a_call(&mut self, now: Instant, event: sip::Event) {
        let call_of = |session| self.legs.by_session.get(&session).copied();
        let (call, media, input) = match event {
            sip::Event::Progress { session, code, early_media } => {
                let Some(call) = call_of(session) else { return };
                let input = Input::Progress { call, code, early_media: early_media.is_some() };
                (call, early_media, Some(input))
            }
            sip::Event::Answered { session, media, by } => {
                let Some(call) = call_of(session) else { return };
                let by = Some(bridge::party(by)).filter(|by| !self.is_only_the_way(call, by));
                if let Some(by) = &by {
                    self.identify_answerer(call, by);
                }
                (call, Some(media), Some(Input::Answered { call, by }))
            }
            sip::Event::Confirmed { session, media } => {
                let Some(call) = call_of(session) else { return };
                (call, Some(media), Some(Input::Confirmed { call }))
            }
            sip::Event::MediaChanged { session, media } => {
                let Some(call) = call_of(session) else { return };
                (call, Some(media), None)
            }
            sip::Event::Held { session } => {
                let Some(call) = call_of(session) else { return };
                (call, None, Some(Input::Held { call }))
            }
            sip::Event::Retrieved { session } => {
                let Some(call) = call_of(session) else { return };
                (call, None, Some(Input::Retrieved { call }))
            }
            sip::Event::HoldFailed { session, hold, code, reason } => {
                let Some(call) = call_of(session) else { return };
                warn!(call = call.0, hold, code, reason, "hold or retrieve refused");
                (call, None, Some(Input::HoldFailed { call, hold, code, reason }))
            }
            sip::Event::Stranded { session, code, reason } => {
                let Some(call) = call_of(session) else { return };
                warn!(call = call.0, code, reason, "a call does not come back from the operator's telephone");
                return self.call_stranded(now, call, code);
            }
            sip::Event::DigitsFailed { session, code, reason } => {
                let Some(call) = call_of(session) else { return };
                warn!(call = call.0, code, reason, "digits refused");
                (call, None, Some(Input::DigitsFailed { call, code }))
            }
            sip::Event::Digit { session, duration_ms, .. } => {
                let Some(call) = call_of(session) else { return };
                return info!(call = call.0, duration_ms, "digit received");
            }
            sip::Event::RemoteHold { session, held } => {
                let Some(call) = call_of(session) else { return };
                (call, None, Some(Input::RemoteHold { call, held }))
            }
            sip::Event::PeerChanged { session, peer } => {
                let Some(call) = call_of(session) else { return };
                (call, None, Some(self.party_changed(call, peer)))
            }
            sip::Event::TransferProgress { session, code, .. } => {
                let Some(call) = call_of(session) else { return };
                (call, None, Some(Input::TransferProgress { call, code }))
            }
            sip::Event::TransferEnded { session, result } => {
                let Some(call) = self.legs.call_or_departed(session) else { return };
                info!(call = call.0, ?result, "transfer ended");
                let result = bridge::transfer_result(result);
                (call, None, Some(Input::TransferEnded { call, result }))
            }
            // The exchange's side of the agent (`Config::server`) is off.
            _ => return,
        };
        if let Some(media) = media {
            self.tether.call_renewed(call);
            self.connect(call, &media);
        }
        if let Some(input) = input {
            let joins =
                matches!(input, Input::Answered { .. } | Input::Confirmed { .. } | Input::Retrieved { .. });
            self.parts.board.handle(now, input);
            if joins {
                self.tether_news(now, call);
            }
        }
    }

    fn incoming(&mut self, now: Instant, event: sip::Event) {
        let sip::Event::Incoming { session, account, caller, called, diversion, replaces, request, .. } =
            event
        else {
            return;
        };
        let call = self.parts.board.next_call(now);
        let called_number = self.line_of(&called, diversion.as_ref());
        let caller = bridge::party(caller);
        let diverted_by = diversion.map(bridge::party);
        let replaces = replaces.and_then(|session| self.legs.by_session.get(&session).copied());
        // The Call-ID is what the exchange's own log knows this call by.
        let call_id = request.call_id();
        info!(call = call.0, from = caller.number, to = called_number, call_id, "incoming call");
        let Some(ip) = self.parts.agent.media_ip_of(session) else { return };
        let ports = match self.open_stream(StreamId(call.0), ip, account) {
            Ok(ports) => ports,
            Err(error) => {
                error!(call = call.0, %error, "call refused: no sound");
                return self.parts.agent.reject(now, session, 503);
            }
        };
        self.parts.trace.name(call, call_id);
        let local = self.local_media(account, ports);
        let line = called_number.clone();
        let number = caller.number.clone();
        self.legs.insert(
            call,
            Leg { session, account, number, line, local, agreed: None, intercept: None, came_in: true },
        );
        self.parts.contacts.identify(Who::Call(call), caller.clone());
        self.parts.board.handle(now, Input::Incoming { call, caller, called_number, diverted_by, replaces });
    }

    /// The line meant: the number called where it is one of ours, else the one that sent the call on
    /// to us, else what was called.
    fn line_of(&self, called: &sip::Party, diversion: Option<&sip::Party>) -> String {
        let numbers =
            [Some(called), diversion].into_iter().flatten().filter_map(|party| party.number.as_deref());
        let ours = numbers.clone().find(|number| self.parts.lines.iter().any(|(line, _)| line == number));
        ours.or(called.number.as_deref()).unwrap_or_default().to_owned()
    }

    fn registration(&mut self, now: Instant, account: AccountId, state: sip::RegistrationState) {
        match &state {
            sip::RegistrationState::Failed { code, reason } => {
                warn!(account = account.0, code, reason, "registration failed");
            }
            state => info!(account = account.0, ?state, "registration"),
        }
        let state = bridge::registration(state);
        if self.parts.accounts.iter().any(|known| known.id == account) {
            self.registrations.insert(account, state.clone());
        }
        let lines: Vec<String> =
            self.parts.lines.iter().filter(|(_, of)| *of == account).map(|(line, _)| line.clone()).collect();
        for line in lines {
            self.parts.board.handle(now, Input::Registration { line, state: state.clone() });
        }
    }

    fn ended(&mut self, now: Instant, session: SessionId, cause: sip::Cause) {
        if self.phone_ended(now, session, &cause) || self.intercept_otherwise(now, session, &cause) {
            return;
        }
        let Some(call) = self.legs.remove(session) else { return };
        info!(call = call.0, by = ?cause.by, code = cause.code, reason = cause.reason, "call ended");
        self.parts.trace.ended(call);
        self.tether.call_renewed(call);
        self.sound(self.parts.media.close(StreamId(call.0)));
        self.parts.board.handle(now, Input::Ended { call, cause: bridge::end_cause(cause) });
    }

    /// The exchange has transferred the other end, and says to whom; the directories are asked for the name.
    pub(crate) fn party_changed(&mut self, call: CallRef, peer: sip::Party) -> Input {
        let party = bridge::party(peer);
        if let Some(leg) = self.legs.by_call.get_mut(&call) {
            leg.number.clone_from(&party.number);
        }
        self.parts.contacts.identify(Who::Call(call), party.clone());
        Input::PartyChanged { call, party }
    }

    /// Asks who answered, when it is another number than the one dialled (a diversion, a group).
    fn identify_answerer(&self, call: CallRef, by: &Party) {
        let dialled = self.legs.by_call.get(&call).and_then(|leg| leg.number.as_ref());
        if by.number.is_some() && by.number.as_ref() != dialled {
            self.parts.contacts.identify(Who::Call(call), by.clone());
        }
    }
}
