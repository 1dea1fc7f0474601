//! What the desk wants done.

use ipc::{CallRef, LogRow, Preferences, TransferId};

/// One thing to do, in the order of [`crate::Switchboard::poll_effect`]. No effect names a call
/// after its [`Effect::HangUp`], [`Effect::Reject`] or [`crate::Input::Ended`].
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
    /// Ask the other side to call somebody else (REFER, RFC 3515).
    Refer {
        /// Which call.
        call: CallRef,
        /// The ledger entry, for [`crate::Input::TargetIdentified`].
        transfer: TransferId,
        /// Cleaned like [`Effect::Dial::number`].
        to: String,
    },
    /// Send digits (RFC 4733).
    Digits {
        /// Which call.
        call: CallRef,
        /// 0-9, *, #, A-D.
        digits: String,
    },
    /// Who has the operator's ear from now on: the only call whose speech is connected.
    Talk(Option<CallRef>),
    /// Ring, or stop ringing.
    Ringer(bool),
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
