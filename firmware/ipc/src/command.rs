//! What the operator wants.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    AlertId, Availability, CallRef, CustomerItem, DirectoryId, Edit, EditProblem, ItemProblem, Language,
    NoticeId, OperatorId, Party, Pin, PinProblem, PreferencesWish, ReminderProblem, ReminderWish,
    ServiceMode, SoundTest, SoundTestEnd, SpeechPace, TalkId, Theme, Volumes,
};

/// One wish of the operator. The answer says whether it could be begun; what became of it shows in
/// the next [`crate::View`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Take a ringing call or a recall; the call that has the ear now is put on hold.
    Answer {
        /// Which call.
        call: CallRef,
    },
    /// Refuse a ringing call.
    Reject {
        /// Which call.
        call: CallRef,
    },
    /// Put a call on hold.
    Hold {
        /// Which call.
        call: CallRef,
    },
    /// Take a call off hold; the call that has the ear now is put on hold.
    Retrieve {
        /// Which call.
        call: CallRef,
    },
    /// End a call in whatever state it is.
    HangUp {
        /// Which call.
        call: CallRef,
    },
    /// Place a call; the call that has the ear now is put on hold.
    Dial {
        /// A number as typed or as the directory has it.
        number: String,
        /// The line to show; the first one when absent.
        line: Option<String>,
    },
    /// Transfer without asking the target first.
    BlindTransfer {
        /// Which call.
        call: CallRef,
        /// The target's number.
        to: String,
    },
    /// Transfer to a mailbox.
    VoicemailTransfer {
        /// Which call.
        call: CallRef,
        /// The mailbox's number.
        to: String,
    },
    /// Transfer one call to the other party of another: attended when that one talks or is on hold,
    /// semi-attended while it still rings.
    AttendedTransfer {
        /// The transferee's call.
        call: CallRef,
        /// The consultation call.
        to: CallRef,
    },
    /// Call a transfer off before it is asked for; the call is as it was before.
    UndoTransfer {
        /// Which call.
        call: CallRef,
    },
    /// Transfer at once a call that can still be undone or that waits for a phone to become free.
    TransferNow {
        /// Which call.
        call: CallRef,
    },
    /// Let a call wait again for the busy phone from which it was taken back (PRE-6).
    WaitAgain {
        /// Which call.
        call: CallRef,
    },
    /// Send a ringing call on without answering it (302).
    Forward {
        /// Which call.
        call: CallRef,
        /// The target's number.
        to: String,
    },
    /// Park a call (CALL-14).
    Park {
        /// Which call.
        call: CallRef,
        /// The slot's number; the first free one when absent.
        slot: Option<String>,
    },
    /// Fetch the call from a park slot: the slot is dialled.
    Unpark {
        /// The slot's number.
        slot: String,
    },
    /// Pick up the call that rings on a monitored phone; the call that has the ear now is put on hold
    /// (PRE-3).
    Intercept {
        /// The phone's number, as its [`crate::LampView`] has it.
        number: String,
    },
    /// Take over a call that somebody is in: its other end is spoken to from here, and who spoke to them is cut off
    /// (PRE-3). The call that has the ear now is put on hold.
    TakeOver {
        /// The number of the phone that talks, as its [`crate::LampView`] has it.
        number: String,
        /// Which of its calls, by [`crate::LampCall::talk`].
        talk: TalkId,
    },
    /// Take a call into the conference, which begins with it and the call that talks; or join again
    /// with any of its calls (CONF-1).
    Conference {
        /// Which call.
        call: CallRef,
    },
    /// Mute or unmute one member of the conference.
    MuteMember {
        /// Which call.
        call: CallRef,
        /// `true` mutes.
        on: bool,
    },
    /// Send digits in a call (RFC 4733).
    Digits {
        /// Which call.
        call: CallRef,
        /// 0-9, *, #, A-D.
        digits: String,
    },
    /// Something was wrong with this call: its last minute is kept in figures, without speech, with its row of the log.
    /// Works too for one that has just ended.
    MarkCall {
        /// Which call.
        call: CallRef,
    },
    /// Likewise of a call in the log, while [`crate::LogRow::mark`] says that it is possible.
    MarkLoggedCall {
        /// Row id in the store.
        id: i64,
    },
    /// A key or a hook that acts on whichever call it means now (F9, F10, handset).
    Hook {
        /// What was pressed.
        action: HookAction,
    },
    /// Available or Do Not Disturb.
    SetAvailability {
        /// The new state.
        availability: Availability,
    },
    /// Mute or unmute the microphone.
    Mute {
        /// `true` mutes.
        on: bool,
    },
    /// Set all loudnesses (BAR-2).
    SetVolumes {
        /// Values above 100 count as 100.
        volumes: Volumes,
    },
    /// Choose the service mode by hand; `None` gives it back to the timetable.
    SetService {
        /// The mode.
        mode: Option<ServiceMode>,
    },
    /// Register or unregister every line (OPS-2).
    Register {
        /// `true` registers.
        on: bool,
    },
    /// Connect or disconnect the sound device (OPS-3).
    Audio {
        /// `true` connects.
        on: bool,
    },
    /// Bring a directory to the front.
    ShowDirectory {
        /// Which directory.
        directory: DirectoryId,
    },
    /// Switch the language of the screen.
    SetLanguage {
        /// The new language.
        language: Language,
    },
    /// Switch the colours of the screen.
    SetTheme {
        /// The new colours.
        theme: Theme,
    },
    /// Keep the settings of the screen as a whole (SET-1).
    SavePreferences(PreferencesWish),
    /// Lock the screen after so many minutes without a touch or a key (ACC-1).
    SetLockAfter {
        /// 0 never does; more than [`crate::MAX_LOCK_AFTER`] counts as that.
        minutes: u16,
    },
    /// Sit down at the desk (ACC-1): the lines register. Possible while nobody is signed in, and while the screen of
    /// somebody else is locked, whose place is taken with the calls that are there. The answer comes when the PIN has
    /// been looked at, and may come after those of later requests.
    SignIn {
        /// Who.
        operator: OperatorId,
        /// Their PIN.
        pin: Pin,
    },
    /// Leave the desk (ACC-1): the lines unregister. Refused while there is a call.
    SignOut,
    /// Cover the screen until a PIN is typed (ACC-1). Calls ring and can be answered all the same.
    Lock,
    /// Uncover it. The answer comes when the PIN has been looked at, and may come after those of later requests.
    Unlock {
        /// The PIN of who is signed in.
        pin: Pin,
    },
    /// The operator has read a notice.
    DismissNotice {
        /// Which notice.
        notice: NoticeId,
    },
    /// The operator has read that a transfer ended.
    DismissTransfer {
        /// Which ledger entry.
        transfer: crate::TransferId,
    },
    /// Forget the missed calls' counter.
    ClearMissed,
    /// Load contacts from a CSV file on this machine (DIR-3) into a directory, which is made if it
    /// does not exist. The file must be readable by `frontdeskd`.
    ImportContacts {
        /// The directory's name.
        directory: String,
        /// Local (company staff) or external; used when it is made.
        local: bool,
        /// The file.
        path: PathBuf,
    },
    /// Keeps what is written in the note without saving it (NOTE-1); done when a power cut cannot take it. `None` gives
    /// up what has been written since the note was saved.
    DraftNote {
        /// At most [`crate::MAX_NOTE`] bytes.
        text: Option<String>,
    },
    /// Saves the note (NOTE-1); done when a power cut cannot take it.
    SaveNote {
        /// At most [`crate::MAX_NOTE`] bytes.
        text: String,
    },
    /// Change reminders (REM-1).
    Reminder(ReminderWish),
    /// Give the import that runs up; nothing of it stays.
    CancelImport,
    /// Write a directory as CSV (DIR-3); [`crate::Reply::Exported`] says where.
    ExportContacts {
        /// Which.
        directory: DirectoryId,
        /// The file, which must not exist; when absent, one in the administrator's folder is made.
        path: Option<PathBuf>,
    },
    /// Change directories or contacts.
    Edit(Edit),
    /// Write a note or a task into the customer database (CRM-3); [`crate::Reply::ItemAdded`] says where it is.
    /// Its answer may come after those of later wishes.
    AddItem(Box<CustomerItem>),
    /// The operator has seen an alert.
    DismissAlert {
        /// Which.
        alert: AlertId,
    },
    /// The operator lets an administrator see this screen, or no longer (APP-2). The client that says so is the
    /// one whose pictures are taken.
    AllowWatching {
        /// `false` refuses, and ends what was allowed.
        allow: bool,
    },
    /// Tell this client how loud it is, and of tests of the sound ([`crate::FromDesk::Sound`]), or no longer: that ends
    /// a test it began, too.
    Meter {
        /// `true` tells.
        on: bool,
    },
    /// Try the sound devices, in place of a test that runs; not while there is a call.
    TestSound {
        /// `None` stops the one that runs.
        test: Option<SoundTest>,
    },
    /// Speak a text where notifications sound: the talking desk.
    Say {
        /// At most [`MAX_SAID`] bytes.
        text: String,
        /// Whose sounds it has.
        language: Language,
        /// What it gives way to.
        rank: SpokenRank,
        /// How fast.
        #[serde(default)]
        pace: SpeechPace,
        /// News of one call: they take the place of older news of it that are not said to their end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<CallRef>,
    },
}

/// The longest text that is spoken, in bytes.
pub const MAX_SAID: usize = 2_000;

/// What a spoken text is, and so what it interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SpokenRank {
    /// What the keyboard is on. The next one takes its place at once, and news interrupt it.
    Place,
    /// Something has happened. Said to its end, one after the other; of more than eight that wait the oldest is left out.
    News,
    /// The operator has asked. In place of everything else.
    Answer,
}

/// A key or a hook that acts on whichever call it means now (CALL-12, HW-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HookAction {
    /// F9: answer the first ringing call, else retrieve the first on hold, else hold the active one.
    Next,
    /// F10: hang up the active call.
    HangUpActive,
    /// Handset lifted: answer the first ringing call.
    OffHook,
    /// Handset put down: hang up the active call.
    OnHook,
    /// Headset button pressed shortly: answer the first ringing call, else hang up the active one.
    Button,
    /// Headset button held for two seconds: hold the active call and take the next one.
    ButtonHeld,
    /// Answer the recall or ringing call of the highest priority that has waited longest.
    AnswerLongest,
    /// Night service on, or back to the timetable.
    Night,
}

/// Why a command was not begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum CommandError {
    /// The call has ended meanwhile.
    #[error("there is no such call")]
    NoSuchCall,
    /// The call is in a state where this cannot be done.
    #[error("not possible in the call's present state")]
    NotPossible,
    /// There is no call that a hook action could mean.
    #[error("no call to act on")]
    NothingToDo,
    /// The number is empty, too long, or has characters that no telephone number has.
    #[error("{number:?} is not a number that can be called")]
    BadNumber {
        /// What was given.
        number: String,
    },
    /// The name matches no contact with a number, or several.
    #[error("{matches} contacts match {name:?}")]
    AmbiguousName {
        /// What was given.
        name: String,
        /// How many match.
        matches: usize,
    },
    /// No line is set up or the one named does not exist.
    #[error("no such line")]
    NoLine,
    /// The line is not registered.
    #[error("the line is not registered")]
    NotRegistered,
    /// The call would be sent to one of the desk's own lines, and ring here again.
    #[error("{number} is this desk's own number")]
    OwnNumber {
        /// What was given.
        number: String,
    },
    /// The conference has as many members as it can hold.
    #[error("the conference is full")]
    ConferenceFull,
    /// No park slot is set up, none is free, or the one named is taken or does not exist.
    #[error("no free park slot")]
    NoSlot,
    /// Nothing rings on the phone, or the exchange gives no way to pick it up.
    #[error("no call rings at {number} that could be picked up")]
    NothingRings {
        /// What was given.
        number: String,
    },
    /// The call has ended meanwhile, or the exchange does not tell what taking it over needs.
    #[error("no such call is talking at {number} any more, or it cannot be taken over")]
    NobodyTalks {
        /// What was given.
        number: String,
    },
    /// The administrator does not let calls be taken over.
    #[error("taking over calls is not allowed here; the administrator can allow it")]
    TakeOverNotAllowed,
    /// There are as many calls as the desk can hold.
    #[error("too many calls")]
    TooManyCalls,
    /// Directories or contacts cannot be changed like this.
    #[error(transparent)]
    Edit(EditProblem),
    /// The customer database did not take it.
    #[error(transparent)]
    Item(ItemProblem),
    /// The reminder is not kept like this.
    #[error(transparent)]
    Reminder(ReminderProblem),
    /// The last minute of that call is not there any more.
    #[error("the figures of that call are no longer there")]
    NoFigures,
    /// An import runs already.
    #[error("an import is running")]
    ImportRuns,
    /// The sound cannot be tested now.
    #[error(transparent)]
    SoundTest(SoundTestEnd),
    /// Nobody is signed in at the desk.
    #[error("nobody is signed in at the desk")]
    SignedOut,
    /// The screen is locked.
    #[error("the screen is locked")]
    Locked,
    /// Nobody leaves a call alone.
    #[error("there are calls; end them or pass them on before signing out")]
    CallsAreUp,
    /// The PIN opens nothing.
    #[error(transparent)]
    Pin(PinProblem),
    /// Sound, network or storage refused.
    #[error("{reason}")]
    Failed {
        /// What it said.
        reason: String,
    },
}

impl CommandError {
    /// A [`CommandError::BadNumber`] for a party without a number.
    #[must_use]
    pub fn no_number(party: &Party) -> Self {
        Self::BadNumber { number: party.name.clone().unwrap_or_default() }
    }
}
