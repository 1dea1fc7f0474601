//! Reliable provisional responses (RFC 3262), both ways, and the descriptions that travel with them.
//!
//! As caller: each reliable provisional response is acknowledged once, in order, within its own early dialog. Nothing
//! waits for the answer to a PRACK. As callee: repeated until acknowledged; an answer waits only where one of them
//! carried a description, as section 3 demands.
//!
//! Not done here: preconditions (RFC 3312).

use std::time::{Duration, Instant};

use super::{Session, State, ringing};
use crate::agent::{EndedBy, Event};
use crate::core::{Alarm, Core};
use crate::message::Message;
use crate::method::Method;
use crate::sdp::{Direction, LocalMedia, OfferAnswer, SdpError};
use crate::transaction::TxId;

/// The option tag.
pub(crate) const TAG: &str = "100rel";

/// What the peer's INVITE says of reliable provisional responses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wanted {
    #[default]
    Unknown,
    Supported,
    Required,
}

/// The provisional responses of ours to the peer's INVITE.
#[derive(Debug, Default)]
pub(super) struct Provisionals {
    wanted: Wanted,
    /// The last RSeq; 0 before the first.
    rseq: u32,
    unacked: Option<Unacked>,
    /// The next one, while the one before is not acknowledged.
    next: Option<(u16, Option<LocalMedia>)>,
    early: Option<Early>,
    /// The call was accepted, and the answer waits for a PRACK.
    accepting: Option<LocalMedia>,
}

/// A reliable provisional response that no PRACK has named yet.
#[derive(Debug)]
struct Unacked {
    tx: TxId,
    bytes: Vec<u8>,
    interval: Duration,
    until: Instant,
    described: bool,
}

/// A description of ours that went before the answer.
#[derive(Debug)]
struct Early {
    body: Vec<u8>,
    /// It arrived for certain, and settled the offer of the INVITE or made one of our own.
    reliable: bool,
}

/// The reliable responses to a re-INVITE of ours.
#[derive(Debug, Default)]
pub(super) struct Reasked {
    rseq: Option<u32>,
    /// The answer one of them brought.
    answer: Option<Vec<u8>>,
}

/// What the 2xx to the peer's INVITE has to carry after what went before it.
pub(super) enum Described {
    /// Nothing went before.
    No,
    /// This description again.
    Again(Vec<u8>),
    /// Offer and answer are over.
    Done,
}

/// RSeq, INVITE CSeq of a RAck (RFC 3262 section 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RAck {
    rseq: u32,
    cseq: u32,
}

impl RAck {
    fn parse(text: &str) -> Option<RAck> {
        let mut words = text.split_ascii_whitespace();
        let (rseq, cseq) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        (words.next()? == "INVITE" && words.next().is_none()).then_some(RAck { rseq, cseq })
    }
}

impl Provisionals {
    pub(super) fn of(invite: &Message) -> Provisionals {
        let names = |header| invite.headers(header).any(|tag| tag.eq_ignore_ascii_case(TAG));
        let wanted = match (names("Require"), names("Supported")) {
            (true, _) => Wanted::Required,
            (false, true) => Wanted::Supported,
            (false, false) => Wanted::Unknown,
        };
        Provisionals { wanted, ..Provisionals::default() }
    }

    /// Whether an offer may come in the dialog before the answer (RFC 3311 section 5.1).
    pub(super) fn is_settled(&self) -> bool {
        self.unacked.is_none() && self.early.as_ref().is_some_and(|early| early.reliable)
    }
}

/// The RSeq of a reliable provisional response; `None` for a plain one.
pub(super) fn rseq_of(response: &Message) -> Option<u32> {
    let reliable = response.headers("Require").any(|tag| tag.eq_ignore_ascii_case(TAG));
    response.header("RSeq")?.trim().parse().ok().filter(|_| reliable)
}

/// The calling side.
impl Session {
    /// Acknowledges a reliable provisional response in the early dialog `fork`. False for one that came before, or
    /// before its turn: nothing in it counts then (RFC 3262 section 4).
    pub(super) fn acknowledge_provisional(
        &mut self,
        core: &mut Core,
        now: Instant,
        fork: usize,
        response: &Message,
        rseq: u32,
    ) -> bool {
        let Some(fork) = self.forks.get_mut(fork) else { return false };
        if fork.rseq.is_some_and(|last| last.checked_add(1) != Some(rseq)) {
            return false;
        }
        fork.rseq = Some(rseq);
        let number = response.cseq().map_or(0, |cseq| cseq.number);
        let request = fork.dialog.request(Method::Prack);
        let hop = core.dialog_hop(self.account, fork.dialog.hop());
        self.send_on(core, now, request, &hop, |prack| prack.push("RAck", format!("{rseq} {number} INVITE")));
        true
    }

    /// A provisional response to a re-INVITE of ours; who asks a person before answering it may send it reliably.
    pub(super) fn on_reinvite_progress(&mut self, core: &mut Core, now: Instant, response: &Message) {
        let Some(rseq) = rseq_of(response) else { return };
        if self.reasked.rseq.is_some_and(|last| last.checked_add(1) != Some(rseq)) {
            return;
        }
        self.reasked.rseq = Some(rseq);
        if !response.body().is_empty() {
            self.reasked.answer = Some(response.body().to_vec());
        }
        let number = response.cseq().map_or(0, |cseq| cseq.number);
        self.send_within(core, now, Method::Prack, |prack| {
            prack.push("RAck", format!("{rseq} {number} INVITE"))
        });
    }

    /// The answer to a re-INVITE of ours: in its 2xx, or in a reliable response before.
    pub(super) fn reinvite_answer<'a>(&'a self, response: &'a Message) -> &'a [u8] {
        match (&self.reasked.answer, response.body()) {
            (Some(answer), []) => answer,
            (_, body) => body,
        }
    }

    /// An UPDATE with an offer in an early dialog of our INVITE. It may come once a reliable response has answered our
    /// own offer there (RFC 3311 section 5.1); the other early dialogs know nothing of it.
    pub(super) fn answer_early_offer(
        &mut self,
        offer: &[u8],
        fork: usize,
    ) -> Result<Vec<u8>, Option<SdpError>> {
        let wish = self.wish();
        let Some(fork) = self.forks.get_mut(fork) else { return Err(None) };
        let mut media = match (&fork.media, &fork.answer) {
            (Some(media), _) => media.clone(),
            (None, Some(answer)) if fork.rseq.is_some() => {
                let mut media = self.media.clone();
                media.receive_answer(answer)?;
                media
            }
            _ => return Err(None),
        };
        media.receive_offer(offer)?;
        let body = media.create_answer(wish)?;
        fork.media = Some(media);
        Ok(body)
    }

    /// What is agreed in an early dialog has changed.
    pub(super) fn note_early_media(&self, core: &mut Core, fork: usize) {
        let media = self.forks.get(fork).and_then(|fork| fork.media.as_ref()).and_then(OfferAnswer::media);
        if let Some(media) = media {
            core.emit(Event::Progress { session: self.id, code: 183, early_media: Some(media.clone()) });
        }
    }
}

/// The called side.
impl Session {
    /// Sends a provisional response: reliably where the caller requires it, and with a description where it can be
    /// done; else plainly. `media` is what we would answer with; the description goes out with 183 only, or where the
    /// caller left the offer to us and requires reliable responses (RFC 3261 section 13.2.1).
    pub(super) fn provisional(
        &mut self,
        core: &mut Core,
        now: Instant,
        code: u16,
        media: Option<LocalMedia>,
    ) {
        let Some(tx) = self.asked.filter(|_| self.state == State::Ringing) else { return };
        if self.provisionals.unacked.is_some() {
            self.provisionals.next = Some((code, media));
            return;
        }
        let wanted = self.provisionals.wanted;
        let owed = wanted == Wanted::Required && self.offer.is_empty() && self.provisionals.early.is_none();
        let body = match media {
            Some(local) if code == 183 || owed => self.describe(core, local),
            Some(_) | None => Ok(Vec::new()),
        };
        let body = match body {
            Ok(body) => body,
            Err(error) => {
                self.asked = None;
                ringing::refuse_offer(core, now, tx, error);
                return self.end(core, now, EndedBy::Error, error.code(), &error.to_string());
            }
        };
        if owed && body.is_empty() {
            return; // the first reliable response must have the offer, and nobody named our media
        }
        let described = !body.is_empty();
        let reliable = wanted == Wanted::Required || (wanted == Wanted::Supported && described);
        let Some(mut response) = core.response(tx, code, &self.local_tag) else { return };
        response.push("Contact", core.contact_in(self.account, tx));
        response.push("Allow", core.allow());
        if described {
            response.set_body(crate::sdp::CONTENT_TYPE, body);
        }
        if reliable {
            self.number(core, &mut response);
        }
        core.layer.respond(now, tx, &response);
        if reliable {
            let until = now + core.config.t1 * 64;
            let (bytes, interval) = (response.write(), core.config.t1);
            self.provisionals.unacked = Some(Unacked { tx, bytes, interval, until, described });
            core.timers.set(Alarm::Provisional(self.id), now + interval);
        }
        if described {
            self.note_media(core);
        }
    }

    fn number(&mut self, core: &mut Core, response: &mut Message) {
        let last = &mut self.provisionals.rseq;
        // The first is chosen below 2^31 (RFC 3262 section 3); there is room above it for every one that follows.
        *last = if *last == 0 { (core.random.bits() % 0x7fff_ffff) as u32 + 1 } else { last.wrapping_add(1) };
        response.push("Require", TAG);
        response.push("RSeq", last.to_string());
    }

    /// Our answer to the INVITE's offer, or our offer where it had none and the answer can come in a PRACK.
    fn describe(&mut self, core: &mut Core, local: LocalMedia) -> Result<Vec<u8>, SdpError> {
        let can = self.provisionals.wanted != Wanted::Unknown;
        match &self.provisionals.early {
            Some(early) if early.reliable => return Ok(Vec::new()),
            Some(early) => return Ok(early.body.clone()),
            None if self.offer.is_empty() && !can => return Ok(Vec::new()),
            None => {}
        }
        self.media = OfferAnswer::new(local, core.random.bits());
        let body = self.first_description()?;
        self.provisionals.early = Some(Early { body: body.clone(), reliable: can });
        Ok(body)
    }

    /// The description of ours that the INVITE asks for.
    pub(super) fn first_description(&mut self) -> Result<Vec<u8>, SdpError> {
        if self.offer.is_empty() {
            return self.media.create_offer(Direction::SendRecv);
        }
        self.media.receive_offer(&self.offer)?;
        self.media.create_answer(Direction::SendRecv)
    }

    /// What the 2xx has to carry.
    pub(super) fn described(&self) -> Described {
        match &self.provisionals.early {
            None => Described::No,
            Some(early) if early.reliable => Described::Done,
            Some(early) => Described::Again(early.body.clone()),
        }
    }

    /// Keeps an answer back while a description is not acknowledged: "the UAS MUST NOT send the 2xx" (section 3).
    pub(super) fn defers_answer(&mut self, local: &LocalMedia) -> bool {
        let waits = self.provisionals.unacked.as_ref().is_some_and(|unacked| unacked.described);
        if waits {
            self.provisionals.accepting = Some(local.clone());
        }
        waits
    }

    /// Repeats a reliable response that no PRACK has named, or gives the call up (504, section 3).
    pub(super) fn repeat_provisional(&mut self, core: &mut Core, now: Instant) {
        let Some(unacked) = self.provisionals.unacked.as_mut() else { return };
        if now >= unacked.until {
            self.provisionals.unacked = None;
            tracing::info!(session = self.id.0, "call refused: no PRACK for our provisional response");
            if let Some(tx) = self.asked.take()
                && let Some(response) = core.response(tx, 504, &self.local_tag)
            {
                core.layer.respond(now, tx, &response);
            }
            return self.end(
                core,
                now,
                EndedBy::Timeout,
                504,
                "our provisional response was never acknowledged",
            );
        }
        if let Some(to) = core.layer.reply_to(unacked.tx) {
            core.layer.send_plain(to, unacked.bytes.clone());
        }
        unacked.interval *= 2;
        let next = (now + unacked.interval).min(unacked.until);
        core.timers.set(Alarm::Provisional(self.id), next);
    }

    /// The peer's PRACK, and the answer or offer that may be in it.
    pub(super) fn on_prack(&mut self, core: &mut Core, now: Instant, id: TxId, prack: &Message) {
        let rack = prack.header("RAck").and_then(RAck::parse);
        let expected = self.provisionals.unacked.as_ref().map(|unacked| RAck {
            rseq: self.provisionals.rseq,
            cseq: core
                .layer
                .received_request(unacked.tx)
                .and_then(Message::cseq)
                .map_or(0, |cseq| cseq.number),
        });
        if rack.is_none() || rack != expected {
            return core.reply(now, id, 481);
        }
        let described = self.provisionals.unacked.take().is_some_and(|unacked| unacked.described);
        core.timers.clear(Alarm::Provisional(self.id));
        // What is refused already has nothing more to agree on.
        if self.state != State::Ringing {
            return core.reply(now, id, 200);
        }
        let owed = described && self.media.local_offer_pending();
        let result = match prack.body() {
            [] if owed => Err(SdpError::NoAudio),
            [] => Ok(Vec::new()),
            body if owed => self.media.receive_answer(body).map(|_| Vec::new()),
            // The offer of the INVITE is still unanswered.
            _ if !self.provisionals.is_settled() => {
                let pause = (core.random.bits() % 10).to_string();
                core.reply_with(now, id, 500, "Retry-After", &pause);
                return self.go_on(core, now);
            }
            body => {
                let wish = self.wish();
                let read = self.media.receive_offer(body);
                read.and_then(|_| self.media.create_answer(wish))
            }
        };
        match result {
            Ok(body) => {
                if let Some(mut response) = core.response(id, 200, &self.local_tag) {
                    if !body.is_empty() {
                        response.set_body(crate::sdp::CONTENT_TYPE, body);
                    }
                    core.layer.respond(now, id, &response);
                }
                self.note_media(core);
            }
            Err(error) => {
                ringing::refuse_offer(core, now, id, error);
                if owed {
                    // Without an answer to our offer there is no call.
                    return self.reject(core, now, 488);
                }
            }
        }
        self.go_on(core, now);
    }

    /// What waited for a PRACK.
    fn go_on(&mut self, core: &mut Core, now: Instant) {
        if let Some(local) = self.provisionals.accepting.take() {
            self.accept(core, now, local);
        } else if let Some((code, media)) = self.provisionals.next.take() {
            self.provisional(core, now, code, media);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rack_names_a_response_to_an_invite() {
        assert_eq!(RAck::parse(" 776656  1 INVITE "), Some(RAck { rseq: 776_656, cseq: 1 }));
        for text in
            ["", "1", "1 2", "1 2 UPDATE", "1 2 INVITE 3", "x 2 INVITE", "4294967296 2 INVITE", "-1 2 INVITE"]
        {
            assert_eq!(RAck::parse(text), None, "{text:?}");
        }
    }
}
