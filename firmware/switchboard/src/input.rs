//! What reaches the desk: news of the network, of the sound device, of the store, and time.

use ipc::{
    AlertSet, AudioState, CallRef, CallerHistory, ContactId, CrmView, CustomerView, DirectoryView,
    ImportView, LampCall, LampState, OnlineState, Party, Preferences, Registration, RemovalId, Removed,
    ServiceMode, TransferId, UpdateNotice,
};
use serde::{Deserialize, Serialize};

use crate::Administered;

/// One piece of news. Every input is allowed in every state: what does not fit, such as news of a
/// call that has ended meanwhile, changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// A call comes in. Answered by [`crate::Effect::Ring180`] or [`crate::Effect::Reject`].
    Incoming {
        /// From [`crate::Switchboard::next_call`]; a reference used before is ignored.
        call: CallRef,
        /// Who calls, with what the directories already know of them.
        caller: Party,
        /// The number called, which tells the line.
        called_number: String,
        /// Who sent the call on to us (Diversion, History-Info).
        diverted_by: Option<Party>,
        /// The call on the desk whose place it takes (RFC 3891): the same conversation, with another
        /// or the same party, over another leg. The user agent has checked that it may.
        replaces: Option<CallRef>,
    },
    /// A provisional response to our INVITE.
    Progress {
        /// Which call.
        call: CallRef,
        /// 101 to 199. 180 and above shows as ringing.
        code: u16,
        /// The network sends sound before the answer: no ringback tone of ours.
        early_media: bool,
    },
    /// Our INVITE was answered with a 2xx.
    Answered {
        /// Which call.
        call: CallRef,
        /// Who answered; taken over when the number is another than the one dialled.
        by: Option<Party>,
    },
    /// The caller's side acknowledged our 2xx: speech can flow.
    Confirmed {
        /// Which call.
        call: CallRef,
    },
    /// The other side agreed to be on hold.
    Held {
        /// Which call.
        call: CallRef,
    },
    /// The other side agreed to be off hold.
    Retrieved {
        /// Which call.
        call: CallRef,
    },
    /// The other side refused a hold or retrieve. The call is alive.
    HoldFailed {
        /// Which call.
        call: CallRef,
        /// Which of the two: the other one may have been asked for since.
        #[serde(default)]
        hold: bool,
        /// SIP status.
        code: u16,
        /// Reason phrase.
        reason: String,
    },
    /// The other side does not send its sound here any more, and refused to do so again. The call is alive.
    SoundLost {
        /// Which call.
        call: CallRef,
        /// SIP status.
        code: u16,
    },
    /// The other side refused digits.
    DigitsFailed {
        /// Which call.
        call: CallRef,
        /// SIP status.
        code: u16,
    },
    /// The other side put us on hold or took us back. Nothing is shown: `ipc` has no word for it.
    RemoteHold {
        /// Which call.
        call: CallRef,
        /// Whether they hold us.
        held: bool,
    },
    /// News of a transfer (NOTIFY with sipfrag, or the 202 to our REFER as 100).
    TransferProgress {
        /// Which call.
        call: CallRef,
        /// 100 to 199; 180 and above shows as ringing.
        code: u16,
    },
    /// The transfer's end, as the network tells it. May come shortly after [`Input::Ended`].
    TransferEnded {
        /// Which call.
        call: CallRef,
        /// What became of it.
        result: TransferResult,
    },
    /// What [`crate::Effect::Redirect`] asked for cannot be: nothing was sent, and the caller waits as before.
    RedirectFailed {
        /// Which call.
        call: CallRef,
        /// SIP status that says why: 482 where the call came from there or was sent on too often, 404 where nobody
        /// here knows the target.
        code: u16,
    },
    /// The call is over. Nothing more comes of it, but for a late [`Input::TransferEnded`].
    Ended {
        /// Which call.
        call: CallRef,
        /// Why.
        cause: EndCause,
    },
    /// The other end is somebody else now, as the exchange says that has transferred it. [`Input::Identified`] may follow.
    PartyChanged {
        /// Which call.
        call: CallRef,
        /// Who it is by the network's word; without a number when it is withheld.
        party: Party,
    },
    /// A look-up that took longer than the ring: who the other end is.
    Identified {
        /// Which call.
        call: CallRef,
        /// Who it is, number included.
        party: Party,
    },
    /// A look-up of the number in [`crate::Effect::Refer`]: who the transfer target is.
    TargetIdentified {
        /// Which transfer.
        transfer: TransferId,
        /// Who it is, number included.
        party: Party,
    },
    /// A member of the conference begins or ceases to speak.
    Speaking {
        /// Which call.
        call: CallRef,
        /// Whether it speaks.
        on: bool,
    },
    /// What the timetable says: whether the house is open.
    Timetable {
        /// The mode from now on, unless the operator chose another one by hand.
        mode: ServiceMode,
    },
    /// Whether an operator is signed in at the desk.
    SignedIn {
        /// `false`: nobody is there to take a call.
        there: bool,
        /// Their name; `None` where nobody signs in.
        #[serde(default)]
        name: Option<String>,
    },
    /// A line's account registered, failed, or was switched off. Send one per line of the account.
    Registration {
        /// The line's number; one that is not in the settings is ignored.
        line: String,
        /// The account's state.
        state: Registration,
    },
    /// What a monitored phone does. [`LampState::Unknown`] when it is no longer vouched for.
    Lamp {
        /// The phone's number.
        number: String,
        /// What it does.
        state: LampState,
        /// Number of calls on it.
        calls: u16,
        /// The other end of its first call.
        peer: Option<String>,
        /// Each call on it, at most eight (PRE-4).
        #[serde(default)]
        talks: Vec<LampCall>,
    },
    /// The call that rings on a monitored phone, where it can be picked up from here. News of the lamp
    /// that it neither rings nor talks says that there is none as well.
    Rings {
        /// The phone's number; one without a lamp is ignored.
        number: String,
        /// Who calls, as far as the exchange says; `None`: nothing rings that could be picked up.
        caller: Option<Party>,
    },
    /// A phone is no longer monitored: its lamp leaves the view.
    LampGone {
        /// The phone's number.
        number: String,
    },
    /// Whether a person is online (PRE-5). [`OnlineState::Unknown`] when it is no longer vouched for.
    Person {
        /// As the directory has it.
        address: String,
        /// What they are.
        state: OnlineState,
        /// What they say about it.
        text: String,
    },
    /// A person is no longer watched: they leave the view.
    PersonGone {
        /// As the directory has it.
        address: String,
    },
    /// What the operator wants to be told, whole (PRE-7).
    Alerts(Vec<AlertWish>),
    /// What the records know of a caller.
    History {
        /// Which call.
        call: CallRef,
        /// Earlier calls, and the note of the contact.
        history: CallerHistory,
    },
    /// What the connectors to customer databases offer from now on.
    Connectors(CrmView),
    /// What they say to [`crate::Effect::AskCustomer`]: the best so far, or that nobody knows this number. A
    /// better one may follow.
    Customer {
        /// Which call.
        call: CallRef,
        /// The number asked for.
        number: String,
        /// Who has it.
        customer: Option<Box<CustomerView>>,
    },
    /// What they say to [`crate::Effect::LookUpCaller`], when somebody has the number.
    CallerNamed {
        /// Which call.
        call: CallRef,
        /// The number asked for.
        number: String,
        /// Who has it.
        name: String,
        /// Their firm.
        company: Option<String>,
        /// The connector that says so, for people.
        by: String,
    },
    /// How far the import is; `None` when none runs.
    Import(Option<ImportView>),
    /// An import ended.
    Imported {
        /// The directory's name.
        directory: String,
        /// Contacts loaded.
        loaded: u32,
        /// Rows left out.
        left_out: u32,
    },
    /// Contacts were removed, and can be brought back.
    Removed {
        /// For the undo.
        removal: RemovalId,
        /// What was removed.
        what: Removed,
    },
    /// A removal was undone.
    Restored {
        /// Which.
        removal: RemovalId,
    },
    /// The sound device.
    Audio(AudioState),
    /// A device on which calls ring or messages chime went away, while a telephone has the place of the others (ACC-3).
    RingerLost {
        /// The device.
        device: String,
        /// What it said, untranslated.
        reason: String,
    },
    /// Those devices work again, all of them.
    RingerWorks,
    /// Waiting voice messages.
    Voicemail {
        /// How many are unread.
        unread: u32,
        /// The number under which they are heard, where the exchange says it.
        mailbox: Option<String>,
    },
    /// The directories, whole, in tab order.
    Directories(Vec<DirectoryView>),
    /// The operator's preferences, as the store has them.
    Preferences(Preferences),
    /// An administrator has changed the settings.
    Settings(Box<Administered>),
    /// The missed calls' counter, as the store has it.
    Missed {
        /// Missed since the list was cleared.
        count: u32,
    },
    /// A record could not be written; it is tried again.
    StorageFailed {
        /// What the disk said.
        reason: String,
    },
    /// Writing works again.
    StorageWorks,
    /// How it stands with an update of the box; `None` when one that was to come does not come any more.
    Update(Option<UpdateNotice>),
    /// The time of [`crate::Switchboard::deadline`] has come. Early or needless ones do no harm.
    Deadline,
    /// The desk stops, and nothing more is heard of any transfer.
    Closing,
}

/// What the operator wants to be told about one contact (PRE-7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertWish {
    /// About whom.
    pub contact: ContactId,
    /// Their name.
    pub name: String,
    /// Their phone, as in [`Input::Lamp`]; empty when they have none.
    pub number: String,
    /// Their address, as in [`Input::Person`]; empty when they have none.
    pub address: String,
    /// Of what.
    pub alerts: AlertSet,
}

/// How the network says a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferResult {
    /// The target answered (NOTIFY with 2xx).
    Answered,
    /// The exchange refused the REFER or the target refused the call.
    Refused {
        /// SIP status, 300 to 699.
        code: u16,
    },
    /// The exchange fell silent: no answer to the REFER, or no final NOTIFY.
    Silent,
}

/// Why a call ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndCause {
    /// The other side ended it (BYE, CANCEL, final response); otherwise our own user agent did,
    /// asked by an effect or because nothing was heard any more.
    pub by_remote: bool,
    /// SIP status of the final response; 0 where there is none.
    pub code: u16,
    /// Reason phrase.
    pub reason: String,
    /// The caller's CANCEL said that another phone answered (RFC 3326).
    pub elsewhere: bool,
}
