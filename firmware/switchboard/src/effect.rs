//! What the desk wants done.

use ipc::{CallRef, ContactId, LogRow, Preferences, RingTone, ServiceMode, TalkId, TransferId, Volumes};

use crate::ParkedCall;

/// One thing to do, in the order of [`crate::Switchboard::poll_effect`]. No effect names a call
/// after its [`Effect::HangUp`], [`Effect::Reject`], [`Effect::Redirect`] (unless
/// [`crate::Input::RedirectFailed`] follows) or [`crate::Input::Ended`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tell the caller that it rings here (180).
    Ring180 {
        /// Which call.
        call: CallRef,
    },
    /// Accept the call (200); [`crate::Input::Confirmed`] follows.
    Answer {
        /// Which call.
        call: CallRef,
    },
    /// Refuse the call.
    Reject {
        /// Which call.
        call: CallRef,
        /// SIP status to refuse with.
        code: u16,
    },
    /// Put the other side on hold. Followed at once by [`Effect::Refer`] in a transfer, which must
    /// wait for the hold's answer.
    Hold {
        /// Which call.
        call: CallRef,
    },
    /// Take the other side off hold.
    Retrieve {
        /// Which call.
        call: CallRef,
    },
    /// End the call (CANCEL or BYE, as it stands).
    HangUp {
        /// Which call.
        call: CallRef,
    },
    /// Place a call.
    Dial {
        /// Allocated here.
        call: CallRef,
        /// Cleaned: digits, `+`, `*`, `#`, or a `sip:`/`sips:` URI.
        number: String,
        /// Number of the line to show; it is one of the settings.
        line: String,
    },
    /// Place a call that takes the one ringing on somebody's phone (PRE-3).
    Intercept {
        /// Allocated here.
        call: CallRef,
        /// The phone, as in [`crate::Input::Rings`].
        number: String,
        /// Number of the line to show; it is one of the settings.
        line: String,
    },
    /// Place a call that takes the place of somebody in a call (PRE-3).
    TakeOver {
        /// Allocated here.
        call: CallRef,
        /// The phone, as in [`crate::Input::Lamp`].
        number: String,
        /// Which of its calls.
        talk: TalkId,
        /// Number of the line to show; it is one of the settings.
        line: String,
    },
    /// Look up whose number this is, for [`crate::Input::TargetIdentified`]: the REFER leaves later, and
    /// the screen shows the target until then.
    IdentifyTarget {
        /// The ledger entry.
        transfer: TransferId,
        /// Cleaned like [`Effect::Dial::number`].
        number: String,
    },
    /// Ask the other side to call somebody else (REFER, RFC 3515).
    Refer {
        /// Which call.
        call: CallRef,
        /// The ledger entry, for [`crate::Input::TargetIdentified`].
        transfer: TransferId,
        /// Cleaned like [`Effect::Dial::number`].
        to: String,
    },
    /// Ask the other side to take the place of this desk in another call (REFER with Replaces,
    /// RFC 3891): attended transfer.
    ReferToCall {
        /// The transferee's call.
        call: CallRef,
        /// The ledger entry.
        transfer: TransferId,
        /// The consultation call, which is answered.
        to: CallRef,
    },
    /// Wait no longer for a transfer's end: [`crate::Input::TransferEnded`] follows as soon as it is known whether the call
    /// is still there, or [`crate::Input::Ended`] because it is not.
    GiveUpTransfer {
        /// The transferee's call.
        call: CallRef,
    },
    /// Send a call on that was not answered (302 with Diversion, RFC 5806). Where that cannot be, nothing is sent, and
    /// [`crate::Input::RedirectFailed`] says so.
    Redirect {
        /// Which call.
        call: CallRef,
        /// Cleaned like [`Effect::Dial::number`].
        to: String,
        /// Why, for the one who gets it.
        why: Diverted,
    },
    /// Play the message for callers that were answered by a rule, once; the music follows.
    Announce {
        /// Which call; it is on hold.
        call: CallRef,
    },
    /// Send digits (RFC 4733).
    Digits {
        /// Which call.
        call: CallRef,
        /// 0-9, *, #, A-D.
        digits: String,
    },
    /// Something was wrong with this call: keep what was counted of its last minute.
    Mark {
        /// Which call.
        call: CallRef,
    },
    /// Who has the operator's ear from now on. Nobody else's speech is connected to it.
    Talk(Ear),
    /// Who is in the conference from now on, in any order; `true` for a member that is muted. An
    /// empty list ends it.
    Conference(Vec<(CallRef, bool)>),
    /// Set these loudnesses, and keep them.
    Volumes(Volumes),
    /// The operator chose the service mode by hand, or gave it back to the timetable: keep it.
    SaveService(Option<ServiceMode>),
    /// Others are parked from here than before, or a slot's lamp was seen lit: keep all of them, for
    /// [`crate::Settings::parked`].
    SaveParked(Vec<ParkedCall>),
    /// Ring like this, or stop ringing.
    Ringer(Option<RingTone>),
    /// Play this tone in the operator's ear until told otherwise; `None` is silence.
    Tone(Option<Tone>),
    /// Mute or open the microphone.
    Mute(bool),
    /// Register or unregister every line.
    Register(bool),
    /// Connect or disconnect the sound device.
    Audio(bool),
    /// Write this ended call to the log. Exactly one per call. `id` is 0, and `began_unix_ms` is on
    /// the desk's clock (milliseconds since the desk started): add the Unix time of the start.
    Log(Box<LogRow>),
    /// The operator changed the preferences: keep them.
    SavePreferences(Preferences),
    /// The missed calls' counter changed: keep it.
    SaveMissed(u32),
    /// Ask the customer databases who has this number, for [`crate::Input::Customer`].
    AskCustomer {
        /// Which call.
        call: CallRef,
        /// As the call has it.
        number: String,
        /// As the exchange or a directory names them.
        name: Option<String>,
    },
    /// No directory has this number: ask connectors for a name, for [`crate::Input::CallerNamed`].
    LookUpCaller {
        /// Which call.
        call: CallRef,
        /// As the call has it.
        number: String,
    },
    /// Draw the operator's attention to an alert, once, beside whatever else is heard (PRE-7).
    Chime,
    /// An alert that was wanted once was given: forget the wish.
    AlertSpent(ContactId),
}

/// Who has the operator's ear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ear {
    /// Silence, but for tones.
    #[default]
    Nobody,
    /// One call.
    Call(CallRef),
    /// All members of the conference.
    Conference,
}

/// Why a call was sent on without being answered (RFC 5806 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diverted {
    /// By the operator, or by a rule for every call.
    Unconditional,
    /// Too many calls.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// Because of the service mode.
    TimeOfDay,
    /// Do Not Disturb.
    DoNotDisturb,
    /// Nobody is signed in.
    Away,
}

/// A call-progress tone. The desk says when it begins and when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The other end rings.
    Ringback,
    /// The other end is busy.
    Busy,
    /// The call did not come about.
    Congestion,
    /// Another call rings while the operator talks.
    CallWaiting,
}
