//! Sessions: one call leg, from the INVITE to the last answer.
//!
//! `calling` makes calls (forks, CANCEL and its races), `ringing` takes them, `reliable` acknowledges
//! provisional responses, `renegotiate` holds,
//! retrieves and follows the peer's re-INVITE and UPDATE, `lending` lets two peers speak with each other
//! directly, `refresh` does session timers, `transfer` does REFER both ways, `replace`
//! lets one call take another's place, `party` reads who is who, `identity` follows a peer who becomes somebody else, and
//! `unattended` asks for an answer without a hand. A session that has ended stays
//! for 64 T1 to acknowledge late 2xx.
//!
//! Not done here: what a call means on the desk, media itself.

mod calling;
mod identity;
mod lending;
mod party;
mod refresh;
mod reliable;
mod renegotiate;
mod replace;
mod ringing;
mod transfer;
mod unattended;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

pub(crate) use calling::target_uri;
use identity::Peer;
pub(crate) use identity::TAG as FROM_CHANGE;
use lending::Borrowed;
pub(crate) use lending::Note;
use refresh::Refresh;
use reliable::{Provisionals, Reasked};
pub(crate) use replace::Standing;
pub(crate) use transfer::referral;
use transfer::{ReferTo, Referred, Transfer};

use crate::agent::{AccountId, Cause, EndedBy, Event, SessionId, TransferResult};
use crate::core::{Alarm, Core, Hop, Owner};
use crate::dialog::{Dialog, Order};
use crate::flow::Target;
use crate::message::Message;
use crate::method::Method;
use crate::sdp::{Direction, Media, OfferAnswer};
use crate::transaction::TxId;

/// A Reason (RFC 3326): somebody else has the call now.
const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// A Reason: no agreement on media.
const NO_MEDIA: &str = "SIP;cause=488;text=\"Not Acceptable Here\"";

/// ACKs kept for repeated 2xx.
const MAX_ACKS: usize = 16;

/// Commands waiting for their turn in one session.
const MAX_TASKS: usize = 16;

/// One call leg.
#[derive(Debug)]
pub(crate) struct Session {
    id: SessionId,
    account: Option<AccountId>,
    call_id: String,
    local_tag: String,
    /// We sent the INVITE, and so chose the Call-ID (RFC 3261 14.1).
    caller: bool,
    state: State,
    /// Our INVITE without final response, the first or a later one.
    asking: Option<TxId>,
    /// A provisional response came, so a CANCEL may be sent (RFC 3261 9.1).
    proceeding: bool,
    /// More than 100 came: somebody behind the first hop has our INVITE.
    passed_on: bool,
    cancel_sent: bool,
    /// INVITEs that were sent to a target that died: another one was sent instead.
    left: Vec<Left>,
    redirects: u8,
    /// The peer's first INVITE, not answered for good yet.
    asked: Option<TxId>,
    offer: Vec<u8>,
    provisionals: Provisionals,
    reasked: Reasked,
    dialog: Option<Dialog>,
    forks: Vec<Fork>,
    media: OfferAnswer,
    told: Option<Media>,
    held: bool,
    remote_held: bool,
    acks: VecDeque<Ack>,
    unacked: Option<Unacked>,
    /// BYE as soon as our 2xx is acknowledged (RFC 3261 15).
    bye_due: bool,
    tasks: VecDeque<Task>,
    doing: Option<Task>,
    tries: u8,
    refresh: Refresh,
    transfer: Option<Transfer>,
    transferred: bool,
    referred: Option<Referred>,
    /// The call this one replaces when it is answered.
    replaces: Option<SessionId>,
    /// The peer was last told where somebody else hears, and not where we do.
    astray: bool,
    /// The offer we asked the peer for, whose 2xx waits for our ACK with the answer.
    borrowed: Option<Borrowed>,
    /// Our OPTIONS in the dialog without an answer.
    probe: Option<TxId>,
    /// What our CANCEL or BYE says of why (RFC 3326).
    reason: Option<&'static str>,
    /// Who the peer is, as the program knows it.
    peer: Peer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Our INVITE is out.
    Calling,
    /// The peer's INVITE waits for our answer.
    Ringing,
    /// Our 2xx waits for its ACK.
    Answering,
    Up,
    /// Ended for the program; only late messages are still answered.
    Over,
}

/// An INVITE in whose place another one was sent.
#[derive(Debug)]
struct Left {
    tx: TxId,
    is_cancelled: bool,
}

/// An early dialog of our INVITE.
#[derive(Debug)]
struct Fork {
    dialog: Dialog,
    /// The description it sent before answering.
    answer: Option<Vec<u8>>,
    /// The peer ended it with BYE; what it still says was on its way before.
    ended: bool,
    /// RSeq of its last reliable response.
    rseq: Option<u32>,
    /// What was agreed after the answer to our offer, by an UPDATE.
    media: Option<OfferAnswer>,
}

/// An ACK of ours, to be repeated with the 2xx it belongs to.
#[derive(Debug)]
struct Ack {
    number: u32,
    remote_tag: String,
    request: Message,
    hop: Hop,
    /// `None` while the name of the hop is being looked up.
    sent: Option<(Target, Vec<u8>)>,
}

/// A 2xx of ours that was not acknowledged yet (RFC 3261 13.3.1.4).
#[derive(Debug)]
struct Unacked {
    number: u32,
    to: Target,
    bytes: Vec<u8>,
    interval: Duration,
    until: Instant,
    /// The 2xx carried our offer; the ACK must bring the answer.
    offered: bool,
}

/// What the program asked for and what waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Task {
    Hold,
    Retrieve,
    /// A re-INVITE that changes nothing (RFC 4028).
    Refresh,
    Refer(ReferTo),
    /// Ask the peer for an offer (a re-INVITE without description), to be carried to another peer.
    Borrow,
    /// Offer what another peer described.
    Relay(Vec<u8>),
    /// Describe ourselves again.
    Own,
}

/// What identifies a session, given at birth.
struct Birth {
    id: SessionId,
    account: Option<AccountId>,
    call_id: String,
    local_tag: String,
}

impl Session {
    fn new(birth: Birth, state: State, media: OfferAnswer) -> Session {
        Session {
            id: birth.id,
            account: birth.account,
            call_id: birth.call_id,
            local_tag: birth.local_tag,
            caller: state == State::Calling,
            state,
            asking: None,
            proceeding: false,
            passed_on: false,
            cancel_sent: false,
            left: Vec::new(),
            redirects: 0,
            asked: None,
            offer: Vec::new(),
            provisionals: Provisionals::default(),
            reasked: Reasked::default(),
            dialog: None,
            forks: Vec::new(),
            media,
            told: None,
            held: false,
            remote_held: false,
            acks: VecDeque::new(),
            unacked: None,
            bye_due: false,
            tasks: VecDeque::new(),
            doing: None,
            tries: 0,
            refresh: Refresh::default(),
            transfer: None,
            transferred: false,
            referred: None,
            replaces: None,
            astray: false,
            borrowed: None,
            probe: None,
            reason: None,
            peer: Peer::default(),
        }
    }

    /// What was agreed last.
    pub(crate) fn media(&self) -> Option<&Media> {
        self.media.media()
    }

    /// Our address that the sound comes to, or is to come to.
    pub(crate) fn media_ip(&self) -> IpAddr {
        self.media.place().ip()
    }

    /// Ends the call from our side, whatever state it is in.
    pub(crate) fn hang_up(&mut self, core: &mut Core, now: Instant) {
        let reason = if self.state == State::Calling { "cancelled" } else { "hung up" };
        self.leave(core, now, reason);
    }

    /// Ends the call in the way its state asks for; `reason` is for the program alone.
    fn leave(&mut self, core: &mut Core, now: Instant, reason: &str) {
        self.give_back(core, now);
        match self.state {
            State::Calling => self.cancel(core, now, reason),
            State::Ringing => self.reject(core, now, 480),
            State::Answering => {
                self.bye_due = true;
                self.end(core, now, EndedBy::Local, 200, reason);
            }
            State::Up => {
                self.send_bye(core, now);
                self.end(core, now, EndedBy::Local, 200, reason);
            }
            State::Over => {}
        }
    }

    /// Puts a command behind those that wait.
    fn enqueue(&mut self, core: &mut Core, now: Instant, task: Task) {
        if self.state == State::Over {
            return;
        }
        if self.tasks.len() >= MAX_TASKS {
            return self.refuse_task(core, now, &task);
        }
        self.tasks.push_back(task);
        self.advance(core, now);
    }

    /// Too much is waiting: the command fails at once.
    fn refuse_task(&mut self, core: &mut Core, now: Instant, task: &Task) {
        let reason = "too many commands are waiting".to_owned();
        core.emit(match task {
            Task::Borrow | Task::Relay(_) | Task::Own => {
                return core.note(Note::Failed { session: self.id, code: 500, reason });
            }
            Task::Refresh => return self.refresh_later(core, now),
            Task::Hold | Task::Retrieve => Event::HoldFailed { session: self.id, code: 500, reason },
            Task::Refer(_) => {
                Event::TransferEnded { session: self.id, result: TransferResult::Refused(500, reason) }
            }
        });
    }

    /// A response to one of our requests.
    pub(crate) fn on_response(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) {
        let Some(request) = core.layer.sent_request(id) else { return };
        let within = request.to().is_some_and(|to| to.tag().is_some());
        match request.method() {
            Some(Method::Invite) if within => self.on_reinvite_response(core, now, id, response),
            Some(Method::Invite) => self.on_invite_response(core, now, id, response),
            Some(Method::Update) => self.on_update_response(core, now, id, response),
            Some(Method::Refer) => self.on_refer_response(core, now, id, response),
            Some(Method::Bye | Method::Prack | Method::Notify) => {
                self.answer_challenge(core, now, id, response);
            }
            Some(Method::Options) => self.on_probe_response(core, now, id, response),
            _ => {}
        }
    }

    /// Nobody answered one of our requests; `reached` is false if it could not even be sent.
    pub(crate) fn on_silence(&mut self, core: &mut Core, now: Instant, id: TxId, reached: bool) {
        let Some(request) = core.layer.sent_request(id) else { return };
        let within = request.to().is_some_and(|to| to.tag().is_some());
        match request.method() {
            Some(Method::Invite) if within => self.on_reinvite_silence(core, now, id),
            Some(Method::Invite) => self.on_invite_silence(core, now, id, reached),
            Some(Method::Update) => self.on_update_silence(core, now, id),
            Some(Method::Refer) => self.on_refer_silence(core),
            Some(Method::Options) => self.on_probe_silence(core, now, id),
            _ => {}
        }
    }

    /// A 2xx to INVITE so late that its transaction is gone: acknowledge it, again or after all.
    pub(crate) fn on_late_answer(&mut self, core: &mut Core, now: Instant, response: &Message) {
        let tag = response.to().and_then(|to| to.tag().map(str::to_owned)).unwrap_or_default();
        if self.state == State::Up {
            self.acknowledge_reinvite(core, now, response, None);
        } else {
            let number = response.cseq().map_or(0, |cseq| cseq.number);
            self.repeat_ack(core, now, number, &tag);
        }
    }

    /// A request of the peer in one of our dialogs.
    pub(crate) fn on_request(&mut self, core: &mut Core, now: Instant, id: TxId, request: &Message) {
        let tag = request.from().and_then(|from| from.tag().map(str::to_owned)).unwrap_or_default();
        let fork = self.forks.iter().position(|fork| fork.dialog.is_with(&tag));
        let dialog = match (&mut self.dialog, fork) {
            (Some(dialog), _) if dialog.is_with(&tag) => dialog,
            (_, Some(at)) => &mut self.forks[at].dialog,
            _ => return core.reply(now, id, 481),
        };
        if dialog.receive(request) == Order::Stale {
            let pause = (core.random.bits() % 10).to_string();
            return core.reply_with(now, id, 500, "Retry-After", &pause);
        }
        match request.method() {
            Some(Method::Bye) => self.on_bye(core, now, id, request, fork),
            Some(Method::Notify) => self.on_notify(core, now, id, request),
            Some(Method::Options) => core.reply(now, id, 200),
            Some(Method::Prack) => self.on_prack(core, now, id, request),
            _ if self.state == State::Over => core.reply(now, id, 481),
            Some(Method::Invite) => self.on_reinvite(core, now, id, request),
            Some(Method::Update) => self.on_update(core, now, id, request, fork),
            Some(Method::Refer) => self.on_refer(core, now, id, request),
            _ => core.reply(now, id, 405),
        }
    }

    /// An ACK of one of our 2xx.
    pub(crate) fn on_ack(&mut self, core: &mut Core, now: Instant, ack: &Message) {
        let number = ack.cseq().map_or(0, |cseq| cseq.number);
        if self.unacked.as_ref().is_none_or(|unacked| unacked.number != number) {
            return;
        }
        let offered = self.unacked.take().is_some_and(|unacked| unacked.offered);
        core.timers.clear(Alarm::Repeat(self.id));
        if self.bye_due {
            self.bye_due = false;
            return self.send_bye(core, now);
        }
        if self.state == State::Over {
            return;
        }
        if offered && let Err(error) = self.media.receive_answer(ack.body()) {
            tracing::warn!(session = self.id.0, %error, "no usable answer in the ACK");
            self.send_bye_because(core, now, NO_MEDIA);
            return self.end(core, now, EndedBy::Error, 488, &error.to_string());
        }
        self.confirm(core);
        self.advance(core, now);
    }

    /// One of our deadlines came.
    pub(crate) fn on_alarm(&mut self, core: &mut Core, now: Instant, alarm: Alarm) {
        match alarm {
            Alarm::Repeat(_) => self.repeat_answer(core, now),
            Alarm::Provisional(_) => self.repeat_provisional(core, now),
            Alarm::StillRinging(_) => self.ring(core, now),
            Alarm::AskAgain(_) => self.ask_again(core, now),
            Alarm::Transfer(_) => self.on_transfer_silence(core),
            Alarm::Overdue(_) => self.on_reinvite_overdue(core, now),
            Alarm::Refresh(_) => self.on_refresh_due(core, now),
            Alarm::Expiry(_) => self.on_expired(core, now),
            Alarm::Linger(_)
            | Alarm::Join(_)
            | Alarm::Registration(_)
            | Alarm::Subscription(_)
            | Alarm::Turns
            | Alarm::Exchange(_)
            | Alarm::Probe
            | Alarm::Notifier(_) => {}
        }
    }

    /// Whether the program still knows this session.
    /// The account it goes through.
    pub(crate) fn account(&self) -> Option<AccountId> {
        self.account
    }

    pub(crate) fn is_live(&self) -> bool {
        self.state != State::Over
    }

    /// Whether an ended session still has something to wait for.
    pub(crate) fn is_busy(&self) -> bool {
        self.unacked.is_some() || self.asking.is_some()
    }

    /// Whether the unanswered INVITE of server transaction `tx` is this call's.
    pub(crate) fn is_asked_by(&self, tx: TxId) -> bool {
        self.asked == Some(tx)
    }

    /// Call-ID and our tag.
    pub(crate) fn key(&self) -> (&str, &str) {
        (&self.call_id, &self.local_tag)
    }

    fn on_bye(&mut self, core: &mut Core, now: Instant, id: TxId, bye: &Message, fork: Option<usize>) {
        core.reply(now, id, 200);
        if self.state == State::Over {
            self.bye_due = false;
            self.unacked = None;
            core.timers.clear(Alarm::Repeat(self.id));
            return;
        }
        if self.dialog.is_none() {
            // A BYE in an early dialog ends that fork; others may still answer.
            if let Some(fork) = fork.and_then(|at| self.forks.get_mut(at)) {
                fork.ended = true;
            }
            return;
        }
        if let Some(invite) = self.asked.take() {
            let tag = self.local_tag.clone();
            if let Some(response) = core.response(invite, 487, &tag) {
                core.layer.respond(now, invite, &response);
            }
        }
        // Whoever hangs up after our 2xx was answered, though the ACK was lost or is overtaken.
        if self.state == State::Answering {
            self.confirm(core);
        }
        self.unacked = None;
        let (reason, elsewhere) = party::reason_of(bye);
        let cause = Cause { by: EndedBy::Remote, code: 200, reason, elsewhere };
        self.finish(core, now, cause);
    }

    /// The peer has our 2xx.
    fn confirm(&mut self, core: &mut Core) {
        let Some(media) = self.media.media().cloned() else { return };
        if self.state == State::Answering {
            self.state = State::Up;
            self.told = Some(media.clone());
            core.emit(Event::Confirmed { session: self.id, media });
            self.note_remote_hold(core);
        } else {
            self.note_media(core);
        }
    }

    /// Repeats a 2xx that nobody acknowledged, or gives up.
    fn repeat_answer(&mut self, core: &mut Core, now: Instant) {
        let Some(unacked) = &mut self.unacked else { return };
        if now >= unacked.until {
            self.unacked = None;
            self.bye_due = false;
            self.send_bye(core, now);
            return self.end(core, now, EndedBy::Timeout, 408, "our answer was never acknowledged");
        }
        core.layer.send_plain(unacked.to, unacked.bytes.clone());
        unacked.interval = (unacked.interval * 2).min(core.config.t2);
        let next = (now + unacked.interval).min(unacked.until);
        core.timers.set(Alarm::Repeat(self.id), next);
    }

    /// Sends a 2xx to INVITE and keeps it until the ACK.
    fn send_answer(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message, offered: bool) {
        let Some(to) = core.layer.reply_to(id) else { return };
        core.layer.respond(now, id, response);
        self.unacked = Some(Unacked {
            number: response.cseq().map_or(0, |cseq| cseq.number),
            to,
            bytes: response.write(),
            interval: core.config.t1,
            until: now + core.config.t1 * 64,
            offered,
        });
        core.timers.set(Alarm::Repeat(self.id), now + core.config.t1);
    }

    /// A 200 with our Contact and, if not empty, a description.
    fn answer_with(&self, core: &Core, id: TxId, body: Vec<u8>) -> Option<Message> {
        let mut response = core.response(id, 200, &self.local_tag)?;
        response.push("Contact", core.contact_in(self.account, id));
        response.push("Allow", core.allow());
        response.push("Supported", core.supported());
        if !body.is_empty() {
            response.set_body(crate::sdp::CONTENT_TYPE, body);
        }
        Some(response)
    }

    /// Sends a request in the confirmed dialog.
    fn send_within(
        &mut self,
        core: &mut Core,
        now: Instant,
        method: Method,
        fill: impl FnOnce(&mut Message),
    ) -> Option<TxId> {
        let dialog = self.dialog.as_mut()?;
        let request = dialog.request(method);
        let hop = core.dialog_hop(self.account, dialog.hop());
        Some(self.send_on(core, now, request, &hop, fill))
    }

    /// Sends a request of one of our dialogs, with what our own exchange wants to see.
    fn send_on(
        &self,
        core: &mut Core,
        now: Instant,
        mut request: Message,
        hop: &Hop,
        fill: impl FnOnce(&mut Message),
    ) -> TxId {
        fill(&mut request);
        core.reroute(self.account, &mut request);
        if core.is_ours(self.account, hop)
            && let Some(line) = self.account.and_then(|account| core.lines.get_mut(&account))
        {
            line.authorise(&mut request);
        }
        core.send(now, request, hop, Owner::Session(self.id), 0)
    }

    fn send_bye(&mut self, core: &mut Core, now: Instant) {
        let reason = self.reason;
        self.send_within(core, now, Method::Bye, |bye| {
            if let Some(reason) = reason {
                bye.push("Reason", reason);
            }
        });
    }

    /// A BYE that says why.
    fn send_bye_because(&mut self, core: &mut Core, now: Instant, reason: &'static str) {
        self.reason = Some(reason);
        self.send_bye(core, now);
    }

    /// Sends an ACK in `dialog` and keeps it. To our own exchange it carries the credentials of its INVITE
    /// (RFC 3261 13.2.2.4): a proxy cannot ask for them.
    fn acknowledge(
        &mut self,
        core: &mut Core,
        now: Instant,
        dialog: &Dialog,
        number: u32,
        invite: Option<&Message>,
    ) {
        self.acknowledge_with(core, now, dialog, (number, invite), Vec::new());
    }

    /// The same with a description, unless it is empty.
    fn acknowledge_with(
        &mut self,
        core: &mut Core,
        now: Instant,
        dialog: &Dialog,
        (number, invite): (u32, Option<&Message>),
        body: Vec<u8>,
    ) {
        let hop = core.dialog_hop(self.account, dialog.hop());
        let mut request = dialog.ack(number);
        core.reroute(self.account, &mut request);
        if let Some(invite) = invite.filter(|_| core.is_ours(self.account, &hop)) {
            for name in ["Authorization", "Proxy-Authorization"] {
                invite.headers(name).for_each(|value| request.push(name, value));
            }
        }
        if !body.is_empty() {
            request.set_body(crate::sdp::CONTENT_TYPE, body);
        }
        self.keep_ack(core, now, dialog, number, request, hop);
    }

    fn keep_ack(
        &mut self,
        core: &mut Core,
        now: Instant,
        dialog: &Dialog,
        number: u32,
        request: Message,
        hop: Hop,
    ) {
        let sent = core.send_ack(now, request.clone(), &hop);
        if self.acks.len() >= MAX_ACKS {
            self.acks.pop_front();
        }
        self.acks.push_back(Ack { number, remote_tag: dialog.remote_tag().to_owned(), request, hop, sent });
    }

    /// Sends the ACK of a repeated 2xx again; false if this 2xx is new.
    fn repeat_ack(&mut self, core: &mut Core, now: Instant, number: u32, remote_tag: &str) -> bool {
        let mut known = self.acks.iter_mut();
        let Some(ack) = known.find(|ack| ack.number == number && ack.remote_tag == remote_tag) else {
            return false;
        };
        match &ack.sent {
            Some((to, bytes)) => core.layer.send_plain(*to, bytes.clone()),
            None => ack.sent = core.send_ack(now, ack.request.clone(), &ack.hop),
        }
        true
    }

    /// Answers a 401 or 407 with a new request; `None` if this response is none or cannot be
    /// answered. Only our own exchange gets an answer: whoever calls us directly could otherwise
    /// collect proofs of our password by challenging our BYE.
    fn answer_challenge(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: TxId,
        response: &Message,
    ) -> Option<TxId> {
        if !matches!(response.code(), Some(401 | 407)) {
            return None;
        }
        let refused = core.layer.sent_request(id)?.clone();
        let attempt = core.layer.attempt(id);
        if !core.is_trusted(core.layer.sent_to(id)?.ip()) {
            return None;
        }
        let line = core.lines.get_mut(&self.account?)?;
        let mut again = line.answer(&mut core.random, &refused, response, attempt)?;
        let tag = refused.to().and_then(|to| to.tag().map(str::to_owned));
        let number = match tag.and_then(|tag| self.dialog_with(&tag)) {
            Some(dialog) => dialog.next_cseq(),
            None => refused.cseq()?.number.checked_add(1)?,
        };
        again.set("CSeq", format!("{number} {}", refused.method()?));
        let hop = Hop::Address(core.layer.sent_to(id)?);
        Some(core.send(now, again, &hop, Owner::Session(self.id), attempt + 1))
    }

    /// The dialog, early or not, with the peer of that tag.
    fn dialog_with(&mut self, tag: &str) -> Option<&mut Dialog> {
        let dialogs = self.dialog.iter_mut().chain(self.forks.iter_mut().map(|fork| &mut fork.dialog));
        dialogs.into_iter().find(|dialog| dialog.is_with(tag))
    }

    /// What we wish to do with the stream at present.
    fn wish(&self) -> Direction {
        if self.held { Direction::SendOnly } else { Direction::SendRecv }
    }

    fn end(&mut self, core: &mut Core, now: Instant, by: EndedBy, code: u16, reason: &str) {
        self.finish(core, now, Cause { by, code, reason: reason.to_owned(), elsewhere: false });
    }

    /// Tells the program that the session is over, once.
    fn finish(&mut self, core: &mut Core, now: Instant, cause: Cause) {
        if self.state == State::Over {
            return;
        }
        self.give_back(core, now);
        self.state = State::Over;
        core.note(Note::Over { session: self.id });
        self.tasks.clear();
        self.doing = None;
        if let Some(tx) = self.referred.take().and_then(Referred::into_open) {
            core.reply(now, tx, 481);
        }
        self.stop_timer(core);
        let id = self.id;
        for alarm in
            [Alarm::Provisional(id), Alarm::StillRinging(id), Alarm::AskAgain(id), Alarm::Transfer(id)]
        {
            core.timers.clear(alarm);
        }
        if self.unacked.is_none() {
            core.timers.clear(Alarm::Repeat(self.id));
        }
        core.timers.set(Alarm::Linger(self.id), now + core.config.t1 * 64);
        core.emit(Event::Ended { session: self.id, cause });
    }
}
