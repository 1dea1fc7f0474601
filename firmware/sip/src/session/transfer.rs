//! REFER both ways (RFC 3515, RFC 3892): transfers we ask for, blind ones and those after a
//! consultation (RFC 5589), and, for an exchange, those a telephone asks for.
//!
//! A transfer never ends the call it is about: who hangs up, and when, is decided by the program. But an exchange that
//! has taken a REFER on may have the other party no longer on our leg when the target refuses, and keeps that leg up
//! regardless (Asterisk does, until it is asked something in it). So before such a transfer is told to have failed, a
//! re-INVITE that changes nothing finds out whether the call is still one; if it is not, its end is told first.

use std::time::{Duration, Instant};

use super::{Session, State, Task};
use crate::agent::{Error, Event, TransferResult};
use crate::core::{Alarm, Core};
use crate::header::NameAddr;
use crate::message::Message;
use crate::method::Method;
use crate::replaces::Replaces;
use crate::sipfrag::{self, SipFrag};
use crate::transaction::TxId;
use crate::uri::Uri;

/// Lifetime we state for the implied subscription of a REFER we accept, in seconds.
const REFER_EXPIRES: u32 = 180;

/// How long the peer may take to say that the call is still there, before its transfer is told to have failed regardless.
const SURE: Duration = Duration::from_secs(2);

/// How long after that a BYE may follow: an exchange may say both in one breath.
const BREATH: Duration = Duration::from_millis(200);

/// Where a transfer we ask for goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReferTo {
    /// Blind: a number or URI as a person typed it.
    Typed(String),
    /// Attended: the peer of the consultation, and which of its dialogs to replace. As it was when the
    /// transfer was asked for: should the consultation end while the hold is still under way, the
    /// target refuses, and that is the fate of the transfer.
    Consultation(Box<Uri>),
}

/// A transfer we asked for.
#[derive(Debug)]
pub(super) struct Transfer {
    /// CSeq of the REFER, which may come back as `id` of the Event header.
    number: u32,
    /// The peer has taken the REFER on; only news of its fate is still due.
    accepted: bool,
}

/// A transfer the peer asked for.
#[derive(Debug)]
pub(super) struct Referred {
    /// The REFER while it is unanswered.
    open: Option<TxId>,
    number: u32,
}

impl Referred {
    pub(super) fn into_open(self) -> Option<TxId> {
        self.open
    }
}

/// Where a REFER sends us, and the dialog to take over there. `None` unless there is exactly one readable Refer-To
/// (RFC 3515 section 2.4.2).
pub(crate) fn referral(refer: &Message) -> Option<(String, Option<Replaces>)> {
    let single = refer.headers("Refer-To").count() == 1;
    let target = refer.address("Refer-To").map(|address| address.uri).filter(|_| single)?;
    let replaces = Replaces::of_refer_to(&target).ok()?;
    // Of the header fields behind the URI only this one is asked for: a stranger's others would
    // become ours (RFC 3261 section 19.1.5).
    Some((Uri { headers: Vec::new(), ..target }.to_string(), replaces))
}

impl Session {
    /// Asks the peer to call `target`, after everything asked for before.
    pub(crate) fn refer(&mut self, core: &mut Core, now: Instant, target: &str) {
        self.enqueue(core, now, Task::Refer(ReferTo::Typed(target.to_owned())));
    }

    /// Asks the peer to take over a consultation: `target` is its [`Session::refer_to`].
    pub(crate) fn refer_attended(&mut self, core: &mut Core, now: Instant, target: Uri) -> Result<(), Error> {
        if self.state == State::Over {
            return Err(Error::NoSuchCall(self.id));
        }
        self.enqueue(core, now, Task::Refer(ReferTo::Consultation(Box::new(target))));
        Ok(())
    }

    pub(super) fn send_refer(&mut self, core: &mut Core, now: Instant, to: ReferTo) {
        // One that was accepted but whose fate stays unknown is given up for this one: the operator
        // has taken the call back from a target that never answered. News of it may be told apart by
        // the Event's `id`, which a peer must send from the second REFER on (RFC 3515 section 2.4.6).
        if self.transfer.as_ref().is_some_and(|transfer| !transfer.accepted) {
            return self
                .report(core, TransferResult::Refused(491, "a transfer is already under way".to_owned()));
        }
        let uri = match to {
            ReferTo::Consultation(uri) => *uri,
            ReferTo::Typed(target) => match super::target_uri(core, self.account, &target) {
                Ok(uri) => uri,
                Err(error) => return self.report(core, TransferResult::Refused(484, error.to_string())),
            },
        };
        let Some(dialog) = &self.dialog else { return };
        let referred_by = NameAddr::new(dialog.local().uri.clone()).to_string();
        let contact = core.contact(self.account);
        let sent = self.send_within(core, now, Method::Refer, |request| {
            request.push("Contact", contact);
            request.push("Refer-To", NameAddr::new(uri).to_string());
            request.push("Referred-By", referred_by);
        });
        let request = sent.and_then(|id| core.layer.sent_request(id));
        let number = request.and_then(Message::cseq).map_or(0, |cseq| cseq.number);
        core.timers.clear(Alarm::Transfer(self.id));
        self.failing = None;
        self.transfer = Some(Transfer { number, accepted: false });
        self.transferred = true;
    }

    pub(super) fn on_refer_response(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) {
        let number = response.cseq().map_or(0, |cseq| cseq.number);
        if self.transfer.as_ref().is_none_or(|transfer| transfer.number != number) {
            return;
        }
        match response.code().unwrap_or(0) {
            100..=199 => {}
            200..=299 => {
                self.transfer = Some(Transfer { number, accepted: true });
                // Nobody waits for the fate of a call that is over; it is told if it comes.
                if self.state != State::Over {
                    core.timers.set(Alarm::Transfer(self.id), now + core.config.transfer_silence);
                }
            }
            _ if self.state == State::Over => self.transfer = None,
            code => match self.answer_challenge(core, now, id, response) {
                Some(again) => {
                    let number = core.layer.sent_request(again).and_then(Message::cseq);
                    self.transfer = number.map(|cseq| Transfer { number: cseq.number, accepted: false });
                }
                None => {
                    let reason = response.reason().to_owned();
                    self.end_transfer(core, now, TransferResult::Refused(code, reason));
                }
            },
        }
    }

    pub(super) fn on_refer_silence(&mut self, core: &mut Core, now: Instant) {
        if self.state == State::Over {
            self.transfer = None;
            return;
        }
        self.end_transfer(core, now, TransferResult::Timeout);
    }

    pub(super) fn on_transfer_silence(&mut self, core: &mut Core, now: Instant) {
        match self.failing.take() {
            Some(result) => self.report(core, result),
            None => self.end_transfer(core, now, TransferResult::NoNotify),
        }
    }

    /// A NOTIFY in the call's dialog: the fate of a REFER of ours.
    pub(super) fn on_notify(&mut self, core: &mut Core, now: Instant, id: TxId, notify: &Message) {
        let event = notify.header("Event").unwrap_or_default();
        let (package, params) = event.split_once(';').unwrap_or((event, ""));
        if !package.trim().eq_ignore_ascii_case("refer") {
            return core.reply_with(now, id, 489, "Allow-Events", "refer");
        }
        if !self.transferred {
            return core.reply(now, id, 481);
        }
        core.reply(now, id, 200);
        let named = params.trim().strip_prefix("id=").and_then(|number| number.trim().parse::<u32>().ok());
        let Some(transfer) = &mut self.transfer else { return };
        if named.is_some_and(|number| number != transfer.number) {
            return;
        }
        transfer.accepted = true;
        let over = notify
            .header("Subscription-State")
            .is_some_and(|state| state.trim().to_ascii_lowercase().starts_with("terminated"));
        match SipFrag::parse(notify.body()) {
            Ok(SipFrag { code: code @ 200..=299, .. }) => {
                self.end_transfer(core, now, TransferResult::Ok(code));
            }
            Ok(SipFrag { code: code @ 300.., reason }) => {
                self.end_transfer(core, now, TransferResult::Refused(code, reason));
            }
            // Of a call that is over only its fate is news.
            Ok(_) | Err(_) if self.state == State::Over => {}
            Ok(_) | Err(_) if over => self.end_transfer(core, now, TransferResult::NoNotify),
            Ok(SipFrag { code, reason }) => {
                core.timers.set(Alarm::Transfer(self.id), now + self.patience(core, notify));
                core.emit(Event::TransferProgress { session: self.id, code, reason });
            }
            Err(error) => {
                tracing::debug!(session = self.id.0, %error, "NOTIFY of a transfer without a status")
            }
        }
    }

    /// The peer's REFER, for the program to decide about.
    pub(super) fn on_refer(&mut self, core: &mut Core, now: Instant, id: TxId, refer: &Message) {
        if self.state != State::Up {
            return core.reply(now, id, 491);
        }
        if !core.config.server && !self.is_through_exchange(core) {
            tracing::info!(session = self.id.0, "transfer refused: not from our exchange");
            return core.reply(now, id, 403);
        }
        let Some((target, replaces)) = referral(refer) else {
            tracing::info!(session = self.id.0, "transfer refused: unreadable Refer-To");
            return core.reply(now, id, 400);
        };
        if self.referred.is_some() {
            return core.reply(now, id, 491);
        }
        let number = refer.cseq().map_or(0, |cseq| cseq.number);
        self.referred = Some(Referred { open: Some(id), number });
        let referred_by = refer.header("Referred-By").map(str::to_owned);
        core.emit(Event::Refer { session: self.id, target, replaces, referred_by });
    }

    fn is_through_exchange(&self, core: &Core) -> bool {
        let hop = self.dialog.as_ref().map(|dialog| core.dialog_hop(self.account, dialog.hop()));
        self.account.is_some() && hop.is_some_and(|hop| core.is_ours(self.account, &hop))
    }

    /// Tells the peer how its transfer goes; the first news accepts the REFER.
    pub(crate) fn refer_progress(&mut self, core: &mut Core, now: Instant, code: u16) {
        let Some(referred) = &mut self.referred else { return };
        let number = referred.number;
        if let Some(tx) = referred.open.take() {
            let contact = core.contact_in(self.account, tx);
            if let Some(mut response) = core.response(tx, 202, &self.local_tag) {
                response.push("Contact", contact);
                core.layer.respond(now, tx, &response);
            }
        }
        let over = code >= 200;
        if over {
            self.referred = None;
        }
        let contact = core.contact(self.account);
        self.send_within(core, now, Method::Notify, |request| {
            let state = format!("active;expires={REFER_EXPIRES}");
            request.push("Contact", contact);
            request.push("Event", format!("refer;id={number}"));
            request
                .push("Subscription-State", if over { "terminated;reason=noresource".into() } else { state });
            request.set_body(sipfrag::CONTENT_TYPE, SipFrag::new(code).write());
        });
    }

    /// Refuses the peer's REFER.
    pub(crate) fn refuse_refer(&mut self, core: &mut Core, now: Instant, code: u16) {
        if let Some(tx) = self.referred.take().and_then(Referred::into_open) {
            core.reply(now, tx, code.clamp(300, 699));
        }
    }

    /// How long the peer may now be silent: as long as it says its subscription lives, within reason.
    fn patience(&self, core: &Core, notify: &Message) -> Duration {
        let stated = notify
            .header("Subscription-State")
            .and_then(|state| state.split(';').find_map(|part| part.trim().strip_prefix("expires=")))
            .and_then(|seconds| seconds.trim().parse().ok())
            .map_or(Duration::ZERO, Duration::from_secs);
        stated.clamp(core.config.transfer_silence, core.config.transfer_silence * 5)
    }

    fn end_transfer(&mut self, core: &mut Core, now: Instant, result: TransferResult) {
        let Some(transfer) = self.transfer.take() else { return };
        self.failing = None;
        core.timers.clear(Alarm::Transfer(self.id));
        let failed = !matches!(result, TransferResult::Ok(_));
        if failed && transfer.accepted && self.state == State::Up {
            return self.look_after(core, now, result);
        }
        self.report(core, result);
    }

    /// The program has waited long enough. What the peer tells later is still told.
    pub(crate) fn give_up_transfer(&mut self, core: &mut Core, now: Instant) {
        match &self.transfer {
            Some(transfer) if transfer.accepted && self.state == State::Up => {
                self.look_after(core, now, TransferResult::NoNotify);
            }
            _ => self.report(core, TransferResult::NoNotify),
        }
    }

    /// Asks whether the call is still one, and keeps the fate of its transfer until that is known.
    fn look_after(&mut self, core: &mut Core, now: Instant, result: TransferResult) {
        self.failing = Some(result);
        core.timers.set(Alarm::Transfer(self.id), now + SURE);
        if !self.tasks.contains(&Task::Refresh) {
            self.enqueue(core, now, Task::Refresh);
        }
    }

    /// The peer has answered a re-INVITE.
    pub(super) fn note_alive(&self, core: &mut Core, now: Instant) {
        if self.failing.is_some() {
            core.timers.set(Alarm::Transfer(self.id), now + BREATH);
        }
    }

    /// The call is over: a transfer of it that has failed is told now.
    pub(super) fn tell_failing(&mut self, core: &mut Core) {
        if let Some(result) = self.failing.take() {
            self.report(core, result);
        }
    }

    fn report(&self, core: &mut Core, result: TransferResult) {
        core.emit(Event::TransferEnded { session: self.id, result });
    }
}
