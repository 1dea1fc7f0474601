//! What a [`UserAgent`](crate::UserAgent) tells the program.
//!
//! Events carry facts read from the wire; whether a caller is known, which line was meant and what
//! to ring is decided elsewhere.

use std::time::Duration;

use super::config::{AccountId, NotifierId, RequestId, ResolveId, SessionId, SubscriptionId};
use crate::dialog_info::Dialog as DialogEntry;
use crate::flow::{Target, Transport};
use crate::message::Message;
use crate::pidf::Presence;
use crate::replaces::Replaces;
use crate::sdp::Media;

/// Something that happened. Take them with [`poll_event`](crate::UserAgent::poll_event) until none
/// is left, after every call into the agent.
#[derive(Clone, Debug)]
pub enum Event {
    /// An account's standing with its registrar changed, or was confirmed by a refresh.
    Registration {
        /// Whose.
        account: AccountId,
        /// How it stands now.
        state: RegistrationState,
    },
    /// A new call for us; 100 has been sent. Answer with `ring`, `accept`, `reject` or `redirect`.
    Incoming {
        /// The new session.
        session: SessionId,
        /// The account it came in on, `None` when a stranger called our address.
        account: Option<AccountId>,
        /// Who calls: P-Asserted-Identity where our registrar vouches for one, else From.
        caller: Party,
        /// What was called: P-Called-Party-ID, else To.
        called: Party,
        /// Who sent the call on to us, from Diversion or History-Info.
        diversion: Option<Party>,
        /// What the caller offers; `None` when the offer is left to us.
        media: Option<Media>,
        /// The call of ours it takes over (RFC 3891): answer at once, without ringing. The agent ends
        /// that call as soon as `accept` has sent the answer, and leaves it alone if this one is
        /// refused or given up. It may have ended by itself before; then this is simply a new call.
        replaces: Option<SessionId>,
        /// After how long the caller wants to be answered without a hand (Call-Info, Alert-Info, Answer-Mode);
        /// believed from the account's own exchange only. Whether to do so is for the program to decide.
        answer_after: Option<Duration>,
        /// The whole INVITE, for what is not read above (Alert-Info, Authorization …).
        request: Box<Message>,
    },
    /// A provisional response above 100 to our INVITE.
    Progress {
        /// Which call.
        session: SessionId,
        /// 180, 181, 182, 183 …
        code: u16,
        /// Media before the answer, where the response described some.
        early_media: Option<Media>,
    },
    /// Our INVITE was answered; the ACK is sent.
    Answered {
        /// Which call.
        session: SessionId,
        /// What was agreed.
        media: Media,
        /// Who answered: P-Asserted-Identity or To of the answer.
        by: Party,
    },
    /// Our answer to an incoming call was acknowledged.
    Confirmed {
        /// Which call.
        session: SessionId,
        /// What was agreed.
        media: Media,
    },
    /// What is sent where has changed during the call (re-INVITE or UPDATE, of either side).
    MediaChanged {
        /// Which call.
        session: SessionId,
        /// What is agreed now.
        media: Media,
    },
    /// The peer acknowledged that we hold the call.
    Held {
        /// Which call.
        session: SessionId,
    },
    /// The peer acknowledged that we no longer hold the call.
    Retrieved {
        /// Which call.
        session: SessionId,
    },
    /// A hold or retrieve was refused for good; the call stays as it was.
    HoldFailed {
        /// Which call.
        session: SessionId,
        /// Whether it was a hold that was asked for, and not a retrieve. Something else may have been asked for since.
        hold: bool,
        /// Final code; 408 for silence, 503 where there was no connection.
        code: u16,
        /// Reason phrase of the peer.
        reason: String,
    },
    /// The peer refused a digit that was sent in INFO; those that were to follow were not sent.
    DigitsFailed {
        /// Which call.
        session: SessionId,
        /// Final code; 408 for silence.
        code: u16,
        /// Reason phrase of the peer.
        reason: String,
    },
    /// The peer pressed a key and said so in INFO.
    Digit {
        /// Which call.
        session: SessionId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        digit: char,
        /// For how many milliseconds; 0 where the peer does not say.
        duration_ms: u32,
    },
    /// The peers of two calls speak with each other now ([`join`](crate::UserAgent::join)), and not with us.
    /// `Parted` follows.
    Joined {
        /// Whose offer was carried.
        phone: SessionId,
        /// Who answered it.
        call: SessionId,
    },
    /// Two calls could not be joined. Both peers speak with us, as before.
    JoinFailed {
        /// Whose offer was asked for.
        phone: SessionId,
        /// Who was to answer it.
        call: SessionId,
        /// Final code; 408 for silence.
        code: u16,
        /// Why, for the log.
        reason: String,
    },
    /// Two calls are no longer joined, or no longer to be: asked for, or because one was held, has ended or wanted
    /// a change. Those that live come back to us; `MediaChanged` tells when they have.
    Parted {
        /// Whose offer was carried.
        phone: SessionId,
        /// Who answered it.
        call: SessionId,
        /// Why, for the log.
        reason: String,
    },
    /// The peer refuses to speak with us again after it was joined with another. The call lives without sound.
    Stranded {
        /// Which call.
        session: SessionId,
        /// Final code.
        code: u16,
        /// Reason phrase of the peer.
        reason: String,
    },
    /// The peer put us on hold or took us back.
    RemoteHold {
        /// Which call.
        session: SessionId,
        /// True while the peer wants none of our sound.
        held: bool,
    },
    /// The peer is somebody else now: the exchange has transferred it, and says so in a re-INVITE or UPDATE.
    PeerChanged {
        /// Which call.
        session: SessionId,
        /// Who it is: P-Asserted-Identity or Remote-Party-ID where the exchange is believed, else From (RFC 4916).
        peer: Party,
    },
    /// News of a transfer we asked for, from the peer's NOTIFY.
    TransferProgress {
        /// The call being transferred.
        session: SessionId,
        /// 100, 180 …: what the transferee was told.
        code: u16,
        /// Reason phrase with it.
        reason: String,
    },
    /// The fate of a transfer we asked for. Exactly one per `refer` and per
    /// `refer_attended` that returned `Ok`, unless the session ended first: then at most one, when the final
    /// NOTIFY comes behind the BYE.
    TransferEnded {
        /// The call that was to be transferred; it is still up.
        session: SessionId,
        /// How it went.
        result: TransferResult,
    },
    /// The peer asks us to call somebody (REFER in a dialog, [`Config::server`](crate::Config) or
    /// [`Config::takes_refer`](crate::Config)). Answer with `refer_progress` or `refuse_refer`.
    Refer {
        /// The dialog it came in.
        session: SessionId,
        /// Refer-To, the URI alone, without header fields.
        target: String,
        /// For an attended transfer: the dialog to take over at the target. It may be one of ours:
        /// [`session_by_dialog`](crate::UserAgent::session_by_dialog); else it belongs into
        /// [`Invite::replaces`](crate::Invite).
        replaces: Option<Replaces>,
        /// Referred-By, as written.
        referred_by: Option<String>,
    },
    /// Our exchange asks us to call somebody, in no dialog ([`Config::takes_refer`](crate::Config)). Answer with
    /// `accept_referral` and `referral_progress`, or with `refuse_referral`.
    Referral {
        /// To hand back.
        id: RequestId,
        /// The account that was asked.
        account: AccountId,
        /// Refer-To, the URI alone, without header fields.
        target: String,
        /// The dialog to take over at the target, if any: [`Invite::replaces`](crate::Invite).
        replaces: Option<Replaces>,
        /// Referred-By, as written.
        referred_by: Option<String>,
    },
    /// The session is over. Exactly one per session, and its last event but for a late
    /// [`Event::TransferEnded`].
    Ended {
        /// Which call.
        session: SessionId,
        /// Why.
        cause: Cause,
    },
    /// The calls of a monitored phone changed.
    Dialogs {
        /// Which subscription.
        subscription: SubscriptionId,
        /// All calls it has now, partial documents already merged.
        dialogs: Vec<DialogEntry>,
    },
    /// What a person says of themselves changed.
    Presence {
        /// Which subscription.
        subscription: SubscriptionId,
        /// What they say now.
        presence: Presence,
    },
    /// A subscription of ours changed its standing. While it is not `Active`, its last `Dialogs`
    /// or `Presence` are no longer known to be true.
    Subscription {
        /// Which.
        subscription: SubscriptionId,
        /// How it stands now.
        state: SubscriptionState,
    },
    /// Waiting voice messages (RFC 3842), subscribed to or sent unasked by our registrar.
    MessageSummary {
        /// The mailbox's account, where it can be told.
        account: Option<AccountId>,
        /// Whether any message waits.
        waiting: bool,
        /// Unread voice messages, where counted.
        new: Option<u32>,
        /// Read voice messages, where counted.
        old: Option<u32>,
        /// The number under which they can be heard, where it is said.
        mailbox: Option<String>,
    },
    /// A name must be looked up; answer with [`resolved`](crate::UserAgent::resolved).
    Resolve {
        /// To hand back.
        id: ResolveId,
        /// The name.
        host: String,
        /// The port; `None` asks for SRV records, then for the name at the transport's own port (RFC 3263).
        port: Option<u16>,
        /// The transport; `None` asks for NAPTR records where there is no port, and means UDP without any.
        transport: Option<Transport>,
    },
    /// A connection is needed; answer with [`connected`](crate::UserAgent::connected) or
    /// [`disconnected`](crate::UserAgent::disconnected). What goes there waits for it.
    Connect {
        /// Where to.
        target: Target,
        /// For TLS: the name that the certificate there must be for; `None` where only the address is known.
        server_name: Option<String>,
    },
    /// After [`shut_down`](crate::UserAgent::shut_down): everything was answered or timed out.
    Drained,
    /// A request outside any dialog ([`Config::server`](crate::Config)): REGISTER, MESSAGE, PUBLISH.
    /// Answer with `respond`.
    Request {
        /// To hand back.
        id: RequestId,
        /// The request.
        message: Box<Message>,
        /// Where it came from.
        from: Target,
    },
    /// Somebody wants to be notified ([`Config::server`](crate::Config)). Answer with
    /// `accept_subscription` or `respond`.
    SubscriptionRequest {
        /// To hand back.
        id: RequestId,
        /// The SUBSCRIBE.
        message: Box<Message>,
        /// Where it came from.
        from: Target,
    },
    /// A subscription somebody holds with us changed.
    Notifier {
        /// Which.
        notifier: NotifierId,
        /// How.
        state: NotifierState,
    },
}

/// Standing of an account with its registrar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationState {
    /// A first or new attempt is on its way.
    Registering,
    /// Bound; refreshed by itself before `expires` is over.
    Registered {
        /// Lifetime granted.
        expires: Duration,
    },
    /// Refused or silent; tried again by itself with growing pauses.
    Failed {
        /// The code, `None` when nobody answered or the name could not be resolved.
        code: Option<u16>,
        /// In words.
        reason: String,
    },
    /// Not bound, and not trying to be.
    Unregistered,
}

/// Standing of a subscription of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionState {
    /// Notified and believed.
    Active,
    /// The notifier waits for somebody's permission.
    Pending,
    /// Refused, ended or silent; tried again by itself with growing pauses.
    Lost {
        /// In words.
        reason: String,
    },
    /// Ended because we asked for it.
    Terminated,
}

/// What became of a subscription somebody holds with us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifierState {
    /// Refreshed, and answered: full state is due by `notify`.
    Refreshed,
    /// Unsubscribed, expired, or the subscriber did not answer.
    Ended,
}

/// The fate of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferResult {
    /// The transferee reached the target.
    Ok(u16),
    /// The peer refused the REFER, or the target refused the transferee.
    Refused(u16, String),
    /// The peer agreed, but then never said how it went.
    NoNotify,
    /// The peer never answered the REFER.
    Timeout,
}

/// Who ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// We did.
    Local,
    /// The peer did, or refused.
    Remote,
    /// Nobody answered in time.
    Timeout,
    /// Something made it impossible: no agreement on media, no address, no memory.
    Error,
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// By whom.
    pub by: EndedBy,
    /// The final code; 200 after a BYE, 487 after a CANCEL, 408 after silence, 0 where the exchange itself has died.
    pub code: u16,
    /// Reason phrase, or the text of a Reason header (RFC 3326).
    pub reason: String,
    /// The caller's CANCEL said that somebody else took the call (`Reason: …;cause=200` or its
    /// text): not a missed call.
    pub elsewhere: bool,
}

/// Somebody in a call, as the wire names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// User part cleaned for display; `None` when anonymous or without any.
    pub number: Option<String>,
    /// Name beside it, if any.
    pub display: Option<String>,
    /// The whole URI.
    pub uri: String,
}
