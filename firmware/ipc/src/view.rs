//! What the desk looks like now.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    ContactId, CrmView, CustomerView, DirectoryId, DirectoryView, EndStatus, ImportView, Preferences,
    RemindersView, RemovalId, Removed, ServiceMode, SignInView, UpdateNotice,
    lamp::{LampState, LampView},
};

/// Everything the screen needs to draw the desk, whole, at one moment.
///
/// A view is complete: a screen that missed any number of earlier ones, or has just started,
/// shows the right desk from this one alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Counts up with each published view.
    pub generation: u64,
    /// The desk's monotonic clock when this view was made, in milliseconds since the desk started.
    /// All `*_ms` fields below are on this clock; a screen adds the time since it received the view.
    pub now_ms: u64,
    /// Who sits at the desk.
    pub operator: OperatorView,
    /// The companies or services answered for, in the order of the settings.
    pub lines: Vec<LineView>,
    /// Calls that came in, oldest first. A recall comes before all others.
    pub incoming: Vec<CallView>,
    /// Calls that were placed from here, oldest first.
    pub outgoing: Vec<CallView>,
    /// The one call that has the operator's ear.
    pub talk: Option<CallRef>,
    /// Every transfer whose end is not known yet, and those that ended a moment ago.
    pub transfers: Vec<TransferView>,
    /// The state of each monitored phone, by number, in the order of the numbers.
    /// Shared, because each of some thousands is the same in nearly every view.
    pub lamps: Vec<Arc<LampView>>,
    /// The directories, in tab order.
    pub directories: Vec<DirectoryView>,
    /// The directory that belongs in front because of the call answered last (TEN-2).
    pub front_directory: Option<DirectoryId>,
    /// The numbers in the status bar.
    pub counters: Counters,
    /// Things to tell the operator that belong to no call on the desk.
    pub notices: Vec<Notice>,
    /// How this operator wants the screen.
    pub preferences: Preferences,
    /// Whether the house is open.
    pub service: ServiceView,
    /// The conference, while it has members.
    pub conference: Option<ConferenceView>,
    /// The park slots, in the order of the settings (CALL-14).
    pub park: Vec<ParkSlotView>,
    /// Loudness of what is heard and said (BAR-2).
    pub volumes: Volumes,
    /// The number under which voice messages are heard, where the exchange says it (BAR-1).
    #[serde(default)]
    pub mailbox: Option<String>,
    /// Whether people are online, by address, in the order of the addresses (PRE-5).
    #[serde(default)]
    pub people: Vec<PersonView>,
    /// When the page about a caller is opened by itself (CRM-1).
    #[serde(default)]
    pub page_when: PageWhen,
    /// What the operator wanted to be told and has not seen yet, oldest first (PRE-7).
    #[serde(default)]
    pub alerts: Vec<AlertView>,
    /// The import that runs (DIR-3).
    #[serde(default)]
    pub import: Option<ImportView>,
    /// How to open the administrator's page for the first time; there while nobody has (APP-2).
    #[serde(default)]
    pub setup: Option<SetupView>,
    /// What the connectors to customer databases offer (CRM-3).
    #[serde(default)]
    pub crm: CrmView,
    /// Who wants to see the screen, or sees it (APP-2).
    #[serde(default)]
    pub watch: Option<WatchView>,
    /// What the operator is reminded of (REM-1).
    #[serde(default)]
    pub reminders: RemindersView,
    /// The administrator lets calls that colleagues are in be taken over (PRE-3).
    #[serde(default)]
    pub take_over: bool,
    /// Who sits at the desk (ACC-1).
    #[serde(default)]
    pub sign_in: SignInView,
    /// A touchscreen's program is connected ([`crate::SCREEN`]); without one keypads do by themselves what they can (HW-2).
    #[serde(default)]
    pub screen: bool,
    /// The time zone that the desk lives in, by its name in the IANA database ([`crate::in_time_zone`]); empty where it is that
    /// of its machine.
    #[serde(default)]
    pub time_zone: String,
}

/// Somebody who wants to see the screen, or sees it (APP-2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchView {
    /// The administrator's name.
    pub who: String,
    /// What the operator said to it; `None` before.
    pub allowed: Option<bool>,
}

/// How to open the administrator's page for the first time (APP-2).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupView {
    /// Where a browser finds the page, such as `https://192.0.2.7`; empty while the box has no address.
    pub address: String,
    /// Eight digits that the page asks for.
    pub code: String,
}

/// Views are written to logs and bug reports; the code stays out of them.
impl std::fmt::Debug for SetupView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetupView").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Whether a person is online (PRE-5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    /// As the directory has it, trimmed: an XMPP address, or a `sip:` address.
    pub address: String,
    /// What they are.
    pub state: OnlineState,
    /// What they say about it; often empty.
    pub text: String,
    /// Since when.
    pub since_ms: u64,
}

/// Whether a person is online (PRE-5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OnlineState {
    /// Not known, or no longer vouched for.
    #[default]
    Unknown,
    /// There.
    Online,
    /// Away for a while, or does not want to be disturbed.
    Away,
    /// Not there.
    Offline,
}

/// Identity of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlertId(pub u64);

/// One thing the operator wanted to be told about a contact (PRE-7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertView {
    /// For [`crate::Command::DismissAlert`].
    pub id: AlertId,
    /// About whom.
    pub contact: ContactId,
    /// Their name.
    pub name: String,
    /// Their phone; empty when they have none.
    pub number: String,
    /// What happened.
    pub what: AlertKind,
    /// When.
    pub since_ms: u64,
}

/// What an alert says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AlertKind {
    /// The phone became free. CALL is offered.
    Available,
    /// The phone rings. INTERCEPT is offered while [`LampView::rings`] says that it can be done.
    Ringing,
    /// The phone became busy.
    Busy,
    /// Do Not Disturb was switched on.
    DoNotDisturb,
    /// The person came online.
    Online,
    /// The person went offline.
    Offline,
}

/// What is known of a caller besides the name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerHistory {
    /// Calls with this number, both ways, in the last thirty days.
    pub calls: u32,
    /// The last of them, newest first, at most three.
    pub last: Vec<PastCall>,
    /// The note of the contact; empty when there is none.
    pub note: String,
}

/// An earlier call with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastCall {
    /// Who called whom; `Outgoing`: they were called back.
    pub direction: Direction,
    /// When it began, Unix milliseconds.
    pub began_unix_ms: i64,
    /// How it ended.
    pub end: EndStatus,
    /// Who took it in the end, where it was passed on.
    pub taken_by: Option<Party>,
}

/// Whether the house is open, and who says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceView {
    /// The mode in force.
    pub mode: ServiceMode,
    /// The operator chose it; otherwise the timetable did.
    pub by_hand: bool,
}

/// The conference (CONF-1): up to five parties and the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferenceView {
    /// Its members, in the order in which they came.
    pub members: Vec<ConferenceMember>,
    /// The operator takes part now; otherwise the members talk among themselves.
    pub joined: bool,
    /// When it began.
    pub since_ms: u64,
}

/// One call in the conference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferenceMember {
    /// Which call.
    pub call: CallRef,
    /// Hears the others and is not heard.
    pub muted: bool,
    /// Speaks now.
    pub speaking: bool,
}

/// One park slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkSlotView {
    /// Its number.
    pub number: String,
    /// Its name; empty when it has none.
    pub name: String,
    /// What the exchange says of it: `Available` is free, `Busy` is taken.
    pub state: LampState,
    /// The call that this desk parked there and that was not fetched since.
    pub parked: Option<ParkedView>,
}

/// A call parked from this desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedView {
    /// Who waits there.
    pub who: Party,
    /// Who parked them: the operator's name.
    pub by: String,
    /// Since when.
    pub since_ms: u64,
    /// Longer than the administrator allows: it rings at the desk until somebody fetches the call.
    pub overdue: bool,
}

/// Loudness in percent, 0 to 100, of full (BAR-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volumes {
    /// What the operator hears.
    pub output: u8,
    /// What the operator says.
    pub input: u8,
    /// The ringer.
    pub ring: u8,
    /// The operator hears nothing.
    pub output_muted: bool,
}

impl Default for Volumes {
    fn default() -> Self {
        Self { output: 80, input: 80, ring: 80, output_muted: false }
    }
}

/// Who sits at the desk and in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorView {
    /// The name shown at the top right, for example "Front desk".
    pub name: String,
    /// Available or Do Not Disturb (BAR-1, OVF-4).
    pub availability: Availability,
    /// The worst state among the lines (OPS-2).
    pub registration: Registration,
    /// The sound device (OPS-3).
    pub audio: AudioState,
    /// The microphone is muted.
    pub muted: bool,
}

/// Whether new calls ring at the desk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Availability {
    /// New calls ring.
    #[default]
    Available,
    /// New calls are refused as busy; calls in progress stay.
    DoNotDisturb,
}

/// Whether an account is known to its registrar.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Registration {
    /// Registration was switched off here.
    #[default]
    Off,
    /// Asked, not answered yet.
    Registering,
    /// Calls come in.
    Registered,
    /// Refused or unreachable; it is tried again.
    Failed {
        /// What the registrar or the network said, untranslated, for example "403 Forbidden".
        reason: String,
    },
}

/// Whether speech can be heard here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AudioState {
    /// Disconnected by the operator.
    #[default]
    Disconnected,
    /// Device open.
    Connected {
        /// The device's name.
        device: String,
    },
    /// The device is gone or refuses; it is tried again.
    Failed {
        /// What the device said, untranslated.
        reason: String,
    },
    /// The operator's telephone is being called, in place of a sound device (ACC-3).
    Connecting {
        /// Its number.
        device: String,
    },
    /// The operator's telephone is of no use. It is called again when the operator wants to speak.
    PhoneFailed {
        /// Its number.
        phone: String,
        /// What is the matter.
        why: PhoneFault,
    },
}

/// Why the operator's telephone is of no use (ACC-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PhoneFault {
    /// It rang and did not answer by itself, or is not to be reached.
    NoAnswer,
    /// It is in another call.
    Busy,
    /// It, or the exchange, refused the call.
    Refused {
        /// SIP status.
        code: u16,
    },
    /// It was there, and is not any more.
    Lost,
    /// It cannot be called at all: no account, no port, or no number.
    NotCallable,
}

/// One company or service that the desk answers for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    /// The number called, for example `5550100`.
    pub number: String,
    /// The name of the line, for example `Sales`.
    pub name: String,
    /// State of the account it belongs to.
    pub registration: Registration,
    /// How to greet, shown on answer (TEN-2); empty when there is nothing to say.
    pub note: String,
    /// Its colour on the screen, 0 to 7 of the screen's palette; `None` for no colour.
    pub colour: Option<u8>,
}

/// Identity of one call on the desk, unique while the desk runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallRef(pub u64);

/// One call as a card on the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallView {
    /// Which call.
    pub call: CallRef,
    /// Who began it.
    pub direction: Direction,
    /// Where it stands.
    pub state: CallState,
    /// The other end.
    pub party: Party,
    /// The number of the line called or used.
    pub line_number: String,
    /// The name of that line; empty when the number belongs to no line.
    pub line_name: String,
    /// Who sent the call on to this line, where the exchange says so (Diversion).
    pub diverted_by: Option<Party>,
    /// For a call that rang on somebody's phone and is picked up from here: whose (PRE-3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intercepted: Option<Party>,
    /// With [`CallView::intercepted`]: they talked there already, and are cut off by it.
    #[serde(default)]
    pub taken_over: bool,
    /// When the call appeared.
    pub began_ms: u64,
    /// When it was first answered.
    pub answered_ms: Option<u64>,
    /// Since when it is on hold now.
    pub held_since_ms: Option<u64>,
    /// Time on hold before that, in milliseconds.
    pub held_before_ms: u64,
    /// The open transfer of this call.
    pub transfer: Option<TransferView>,
    /// Why it came back, for a recall and for a call whose transfer failed.
    pub recall: Option<RecallReason>,
    /// The rule of automatic handling applied last (OVF-1 to OVF-4).
    pub rule: Option<String>,
    /// The target for which it waited last, so that it can be put back to wait (PRE-6).
    pub waited_for: Option<Party>,
    /// The page about the other end: the customer's own, else that of the line's CRM (CRM-1); `None` without
    /// either.
    pub crm: Option<String>,
    /// A better page may come in a moment: this one is not opened by itself yet.
    #[serde(default)]
    pub crm_waits: bool,
    /// Who the other end is by a customer database (CRM-3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Arc<CustomerView>>,
    /// The customer databases are being asked.
    #[serde(default)]
    pub customer_asked: bool,
    /// The connector that gave the other end its name, where no directory and no exchange did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named_by: Option<String>,
    /// Earlier calls with this number; of incoming calls, once the records were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<CallerHistory>,
    /// Its speech is encrypted both ways (SRTP), all the way from the operator's ear to the next machine that hears
    /// it, as agreed last. What lies behind that machine nobody here can tell.
    #[serde(default)]
    pub encrypted: bool,
    /// The operator has said that something was wrong with it; it may be said again.
    #[serde(default)]
    pub marked: bool,
    /// What can be done with it now, in menu order. A screen offers these and no others.
    pub actions: Vec<Action>,
}

/// Who began a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// It came in.
    Incoming,
    /// It was placed here.
    Outgoing,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CallState {
    /// Incoming, waiting to be answered. Priority red.
    Ringing,
    /// Answer pressed, the caller's side has not confirmed yet.
    Answering,
    /// Outgoing, sent, nothing heard yet.
    Dialing,
    /// Outgoing, the other end rings.
    Alerting,
    /// Has the operator's ear. Priority green.
    Talking,
    /// On hold. Priority orange.
    Held,
    /// In the conference; see [`View::conference`]. Priority green.
    Conference,
    /// Being transferred, or waiting until that can be done; see [`CallView::transfer`].
    Transferring,
    /// Back at the desk after a transfer that found nobody, ringing again. Priority red.
    Recalling,
    /// Hang-up sent, the other side has not confirmed yet.
    Ending,
}

/// The other end of a call, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The number; `None` when it is withheld.
    pub number: Option<String>,
    /// The name: from a directory, else what the exchange says.
    pub name: Option<String>,
    /// From the directory.
    pub company: Option<String>,
    /// From the directory.
    pub title: Option<String>,
    /// The contact matched.
    pub contact: Option<ContactId>,
    /// Matched in a local directory: shown bold (CALL-5).
    pub local: bool,
    /// Why the number counts as the contact's; of calls on the desk only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<NumberMatch>,
}

/// Why two numbers are the same (CALL-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NumberMatch {
    /// The same extension.
    Extension,
    /// The same digits.
    Identical,
    /// Both international, one with `+` and one with the prefix.
    International,
    /// One national, one international.
    National,
    /// One lacks the trunk prefix.
    TrunkPrefix,
    /// One has the country code without `+` or prefix.
    CountryCode,
    /// One lacks the area's code.
    Area,
    /// One has the prefix for outside calls.
    OutsidePrefix,
}

/// What can be done with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// Take the ringing call or recall.
    Answer,
    /// Refuse the ringing call.
    Reject,
    /// Send the ringing call on to a number without answering it.
    Forward,
    /// Put on hold.
    Hold,
    /// Take off hold.
    Retrieve,
    /// Blind transfer to a number or contact, or to a mailbox.
    Transfer,
    /// Transfer to the other party of another call that has [`Action::TakeTransfer`] (attended or,
    /// while that one still rings, semi-attended).
    TransferToCall,
    /// Be the target of an attended transfer of another call.
    TakeTransfer,
    /// Call the transfer off before it is asked for.
    Undo,
    /// Transfer at once what waits for a phone to become free.
    TransferNow,
    /// Wait again for the target it was taken back from.
    WaitAgain,
    /// Park in a park slot.
    Park,
    /// Take into the conference, or join the conference again.
    Conference,
    /// Mute or unmute this member of the conference.
    MuteMember,
    /// Send digits.
    Digits,
    /// Say that something was wrong with it.
    Mark,
    /// End the call.
    HangUp,
}

/// Identity of a ledger entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TransferId(pub u64);

/// One entry of the transfer ledger (CALL-13): who goes to whom, since when, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferView {
    /// Which transfer.
    pub id: TransferId,
    /// The call transferred. It may have left the desk already.
    pub call: CallRef,
    /// The transferee, as the card shows them.
    pub who: Party,
    /// The transfer target.
    pub to: Party,
    /// How.
    pub kind: TransferKind,
    /// When it was asked for.
    pub since_ms: u64,
    /// Where it stands.
    pub state: TransferState,
}

/// How a call is transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TransferKind {
    /// Without talking to the target first.
    Blind,
    /// After talking to the target.
    Attended,
    /// While the target, called from here, still rings.
    SemiAttended,
    /// To a mailbox.
    Voicemail,
    /// Into a park slot.
    Park,
    /// A ringing call sent on without being answered (302).
    Forward,
    /// By a rule of automatic handling.
    Rule,
}

/// Where a transfer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferState {
    /// Can still be undone; not asked for yet.
    Grace {
        /// Until when.
        until_ms: u64,
    },
    /// Waits until the target's phone is free (PRE-6).
    Waiting {
        /// What that phone does now.
        lamp: LampState,
        /// Place among the calls that wait for this phone, from 1.
        position: u32,
        /// When it will be transferred, if the phone stays free until then.
        due_ms: Option<u64>,
    },
    /// Holding the call, then asking the exchange.
    Requested,
    /// The exchange has accepted and tries the target.
    Trying,
    /// The target rings.
    Ringing,
    /// Its end is known.
    Ended {
        /// What became of it.
        end: TransferEnd,
        /// When, on the desk's clock.
        at_ms: u64,
    },
}

/// What became of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferEnd {
    /// The target answered.
    Answered,
    /// The exchange took the call over and ended our part without saying what came of it.
    /// The caller is with the exchange, not with us.
    HandedOver,
    /// The target or the exchange refused; the call is back at the desk.
    Refused {
        /// SIP status, 300 to 699.
        code: u16,
    },
    /// Nobody answered in time; the call is back at the desk.
    TimedOut,
    /// The operator took the call back.
    TakenBack,
    /// Called off before it was asked for.
    Undone,
    /// The caller hung up first.
    Abandoned,
}

/// Why a call came back to the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecallReason {
    /// The target that did not take it, the phone it waited for, or the slot it is parked in; empty
    /// for a call that was on hold.
    pub from: Party,
    /// Why.
    pub why: RecallWhy,
}

/// What brought a call back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecallWhy {
    /// Its transfer found nobody.
    Transfer(TransferEnd),
    /// It was on hold too long.
    Hold,
    /// It waited too long for a busy phone.
    Waiting,
}

/// The numbers in the status bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Unread voice messages.
    pub voicemail: u32,
    /// Missed calls since the list was cleared.
    pub missed: u32,
    /// Calls ringing, recalls included.
    pub ringing: u32,
    /// Calls on hold.
    pub held: u32,
    /// Calls that came in.
    pub incoming: u32,
    /// Calls placed here.
    pub outgoing: u32,
    /// Calls parked from this desk and not fetched since.
    pub parked: u32,
}

/// Identity of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NoticeId(pub u64);

/// Something to tell the operator that belongs to no call on the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// For [`crate::Command::DismissNotice`].
    pub id: NoticeId,
    /// When it appeared.
    pub since_ms: u64,
    /// What it says.
    pub kind: NoticeKind,
}

/// What a notice says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoticeKind {
    /// An outgoing call did not come about.
    DialFailed {
        /// Who was called.
        to: Party,
        /// SIP status; 0 when there was no answer at all.
        code: u16,
        /// The reason phrase, untranslated.
        reason: String,
    },
    /// A call that rang on another phone was not picked up (PRE-3).
    InterceptFailed {
        /// Whose phone.
        from: Party,
        /// SIP status; 481 when nothing rings there any more, 486 when somebody else has answered, 0 when
        /// there was no answer at all.
        code: u16,
        /// The reason phrase, untranslated.
        reason: String,
    },
    /// A call that somebody was in was not taken over (PRE-3): they talk on, if they still do.
    TakeOverFailed {
        /// Whose phone.
        from: Party,
        /// SIP status; 481 and 603 when the call had ended, 0 when there was no answer at all.
        code: u16,
        /// The reason phrase, untranslated.
        reason: String,
    },
    /// Putting a call on hold or taking it off was refused by the other side.
    HoldFailed {
        /// Whose call.
        party: Party,
        /// SIP status.
        code: u16,
    },
    /// Digits that were typed in a call were refused by the other side.
    DigitsFailed {
        /// Whose call.
        party: Party,
        /// SIP status.
        code: u16,
    },
    /// The call is here, its sound is not: the other side refused to send it back to where somebody hears it.
    SoundLost {
        /// Whose call.
        party: Party,
        /// SIP status.
        code: u16,
    },
    /// A caller who had left the desk did not arrive: the target refused after the exchange had taken the call off the desk.
    TransferLost {
        /// Who was transferred.
        who: Party,
        /// To whom.
        to: Party,
        /// SIP status, 300 to 699.
        code: u16,
    },
    /// A rule of automatic handling cannot work and was passed over, for example because it would
    /// send calls to their own line.
    RuleIgnored {
        /// The rule's name.
        rule: String,
    },
    /// Contacts were removed; [`crate::Edit::Undo`] brings them back. Leaves by itself after a while.
    Removed {
        /// What to undo.
        removal: RemovalId,
        /// What was removed.
        what: Removed,
    },
    /// A file of contacts was read. Leaves by itself after a while.
    Imported {
        /// The directory's name.
        directory: String,
        /// Contacts loaded.
        loaded: u32,
        /// Rows left out.
        left_out: u32,
    },
    /// The log or another record could not be written; it is tried again.
    StorageFailed {
        /// What the disk said, untranslated.
        reason: String,
    },
    /// How it stands with an update of the box (APP-3).
    Update(UpdateNotice),
    /// A sound device went away.
    AudioLost {
        /// The device.
        device: String,
        /// What it said, untranslated.
        reason: String,
    },
    /// The operator's telephone is of no use (ACC-3). Who was talking is on hold.
    PhoneFailed {
        /// Its number.
        phone: String,
        /// What is the matter.
        why: PhoneFault,
    },
}

/// When the page about a caller ([`CallView::crm`]) is opened (CRM-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageWhen {
    /// From the call's menu only.
    #[default]
    Menu,
    /// When the call is answered.
    Answer,
    /// When the call rings and nobody is talked to.
    Ring,
}
