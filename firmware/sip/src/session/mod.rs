//! Sessions: one call leg, from the INVITE to the last answer.
//!
//! `calling` makes calls (forks, CANCEL and its races), `digits` sends and takes keys in INFO, `next_target` has them go on where a target has died, `ringing`
//! takes them, `reliable` acknowledges provisional responses, `renegotiate` holds, retrieves and follows the peer's
//! re-INVITE and UPDATE, `lending` lets two peers speak with each other directly, `refresh` does session timers, `transfer`
//! does REFER both ways, `replace` lets one call take another's place, `party` reads who is who, `identity` follows a peer
//! who becomes somebody else, `unattended` asks for an answer without a hand, `sending` sends what belongs to a call, and
//! `ending` ends it. A session that has ended stays for 64 T1 to acknowledge late 2xx.
//!
//! Not done here: what a call means on the desk, media itself.

mod calling;
mod digits;
mod ending;
mod identity;
mod lending;
mod next_target;
mod party;
mod refresh;
mod reliable;
mod renegotiate;
mod replace;
mod ringing;
mod sending;
mod transfer;
mod unattended;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

pub(crate) use calling::target_uri;
use digits::Digits;
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
use crate::core::{Alarm, Core, Hop};
use crate::dialog::{Dialog, Order};
use crate::flow::Target;
use crate::message::Message;
use crate::method::Method;
use crate::sdp::{Direction, Media, OfferAnswer};
use crate::transaction::TxId;
use crate::uri::Uri;

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
    /// Where else a 3xx said that the call may go.
    contacts: VecDeque<Uri>,
    /// What says most of why the call was refused there, so far.
    refused: Option<Cause>,
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
    /// Our BYE, while there is no connection to say it by.
    unsaid: Option<Unsaid>,
    tasks: VecDeque<Task>,
    doing: Option<Task>,
    tries: u8,
    refresh: Refresh,
    transfer: Option<Transfer>,
    transferred: bool,
    /// A transfer that has failed, until it is known whether the call is still there.
    failing: Option<TransferResult>,
    referred: Option<Referred>,
    /// The call this one replaces when it is answered.
    replaces: Option<SessionId>,
    /// The peer was last told where somebody else hears, and not where we do.
    astray: bool,
    /// The offer we asked the peer for, whose 2xx waits for our ACK with the answer.
    borrowed: Option<Borrowed>,
    /// Our OPTIONS in the dialog without an answer.
    probe: Option<TxId>,
    digits: Digits,
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

/// A BYE that could not be delivered.
#[derive(Debug)]
struct Unsaid {
    bye: Message,
    pause: Duration,
    until: Instant,
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
            contacts: VecDeque::new(),
            refused: None,
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
            unsaid: None,
            tasks: VecDeque::new(),
            doing: None,
            tries: 0,
            refresh: Refresh::default(),
            transfer: None,
            transferred: false,
            failing: None,
            referred: None,
            replaces: None,
            astray: false,
            borrowed: None,
            probe: None,
            digits: Digits::default(),
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
            Task::Hold | Task::Retrieve => {
                Event::HoldFailed { session: self.id, hold: *task == Task::Hold, code: 500, reason }
            }
            Task::Refer(_) => {
                Event::TransferEnded { session: self.id, result: TransferResult::Refused(500, reason) }
            }
        });
    }

    /// A response to one of our requests.
    pub(crate) fn on_response(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) {
        let Some(request) = core.layer.sent_request(id) else { return };
        let within = request.to().is_some_and(|to| to.tag().is_some());
        let says_end = self.is_in_own_dialog(request) && response.code().is_some_and(|code| code >= 200);
        match request.method() {
            Some(Method::Invite) if within => self.on_reinvite_response(core, now, id, response),
            Some(Method::Invite) => self.on_invite_response(core, now, id, response),
            Some(Method::Update) => self.on_update_response(core, now, id, response),
            Some(Method::Refer) => self.on_refer_response(core, now, id, response),
            Some(Method::Bye) => {
                // Whoever answers a BYE in another dialog, that of an end that answered too, does not know of ours.
                if says_end {
                    self.unsaid = None;
                }
                self.answer_challenge(core, now, id, response);
            }
            Some(Method::Prack | Method::Notify) => {
                self.answer_challenge(core, now, id, response);
            }
            Some(Method::Options) => self.on_probe_response(core, now, id, response),
            Some(Method::Info) => self.on_info_response(core, now, id, response),
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
            Some(Method::Refer) => self.on_refer_silence(core, now),
            Some(Method::Options) => self.on_probe_silence(core, now, id),
            Some(Method::Info) => self.on_info_silence(core, id),
            Some(Method::Bye) => self.on_bye_silence(core, now, id),
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
            Some(Method::Info) => self.on_info(core, now, id, request),
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
            Alarm::Transfer(_) => self.on_transfer_silence(core, now),
            Alarm::Overdue(_) => self.on_reinvite_overdue(core, now),
            Alarm::Refresh(_) => self.on_refresh_due(core, now),
            Alarm::Expiry(_) => self.on_expired(core, now),
            Alarm::Digit(_) => self.on_digit_over(core, now),
            Alarm::Unsaid(_) => self.say_bye_again(core, now),
            Alarm::Invited(_) => self.on_invitation_over(core, now),
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

    /// The account it goes through.
    pub(crate) fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// Whether the program still knows this session.
    pub(crate) fn is_live(&self) -> bool {
        self.state != State::Over
    }

    /// Whether an ended session still has something to wait for.
    pub(crate) fn is_busy(&self) -> bool {
        self.unacked.is_some() || self.asking.is_some()
    }

    /// Whether the peer has still to be told that the call is over. Nobody need wait for that.
    pub(crate) fn is_owing(&self) -> bool {
        self.unsaid.is_some()
    }

    /// Whether the unanswered INVITE of server transaction `tx` is this call's.
    pub(crate) fn is_asked_by(&self, tx: TxId) -> bool {
        self.asked == Some(tx)
    }

    /// Call-ID and our tag.
    pub(crate) fn key(&self) -> (&str, &str) {
        (&self.call_id, &self.local_tag)
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

    /// What we wish to do with the stream at present.
    fn wish(&self) -> Direction {
        if self.held { Direction::SendOnly } else { Direction::SendRecv }
    }
}

/// Whether a request of ours has not been heard for the sole reason that there is no connection, or no address: as good as
/// a 503 (RFC 3261 8.1.3.1), which says nothing of the dialog that it was sent in (RFC 5057).
fn is_undelivered(core: &Core, id: TxId) -> bool {
    core.layer.sent_to(id).is_none_or(|at| at.transport.is_stream() && core.flows.local(at).is_none())
}
