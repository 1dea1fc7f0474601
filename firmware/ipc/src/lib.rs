//! The words between `frontdeskd` and its clients (the screen, the controls, the command line), and those of the plugin
//! host, which has a socket of its own: [`ToPlugins`] and [`FromPlugins`].
//!
//! Three directions of speech over the desk's Unix socket:
//! a [`View`] says what the desk looks like now, a [`Command`] says what the operator wants,
//! a [`Query`] asks for something too large to be part of every view (contacts, the call log).
//!
//! No logic lives here but for `time_zone`: no defaults that decide anything, no texts (the screen words everything
//! in the operator's language), no sockets. Times in a view are milliseconds of the desk's own
//! monotonic clock (see [`View::now_ms`]); times in the log are Unix milliseconds.

mod command;
mod customer;
mod directory;
mod edit;
mod frame;
mod handling;
mod lamp;
mod log;
mod mark;
mod note;
mod people;
mod plugin;
mod preferences;
mod reminder;
mod sign_in;
mod sound;
mod statistics;
mod third_parties;
mod time_zone;
mod trace;
mod update;
mod view;

pub use command::{Command, CommandError, HookAction, MAX_SAID, SpokenRank};
pub use customer::{
    CrmView, CustomerItem, CustomerKind, CustomerLine, CustomerRef, CustomerView, ItemProblem,
};
pub use directory::{
    Column, ContactId, ContactPage, ContactPicture, ContactPlace, ContactQuery, ContactRow, DirectoryId,
    DirectoryLook, DirectoryView, ImportProblem, ImportReport, Layout, NameOrder, Picture, PictureKind,
    RowFault, SortKey,
};
pub use edit::{
    AlertSet, ContactCard, ContactChange, ContactChangeKind, ContactField, ContactFile, ContactForm, Edit,
    EditProblem, ImportView, RemovalId, Removed, TextChange,
};
pub use frame::{
    Census, Decoder, Diagnostics, FrameError, FromDesk, MAX_FRAME_FROM_DESK, MAX_FRAME_TO_DESK,
    MAX_SCREEN_PICTURE, PROTOCOL, Query, Reply, SCREEN, ToDesk, TurnFigures, encode,
};
pub use handling::{Callers, Outcome, ParkSlot, RingTone, Rule, ServiceMode, Timers, Trigger};
pub use lamp::{LampCall, LampState, LampView, TalkId};
pub use log::{
    CallSound, EndStatus, LogOrder, LogPage, LogQuery, LogRow, LogSort, LogTransfer, MAX_LOG_SORTS,
};
pub use mark::{CallMark, CallSecond, LogMark};
pub use note::{MAX_NOTE, Note};
pub use people::FoundPerson;
pub use plugin::{
    FromPlugins, MAX_CARD_LINES, MAX_FRAME_FROM_PLUGINS, MAX_FRAME_TO_PLUGINS, MAX_ITEM_TEXT, MAX_PACKAGE,
    MAX_PLUGIN_CONTACTS, MAX_UPLOAD_PART, PLUGIN_PROTOCOL, PluginAnswer, PluginCall, PluginCard, PluginCode,
    PluginContact, PluginContacts, PluginCounters, PluginDirectory, PluginForm, PluginGrants,
    PluginInspection, PluginItem, PluginLogLine, PluginOutcome, PluginParty, PluginProblem, PluginRequest,
    PluginRight, PluginSetting, PluginSettingKind, PluginSignIn, PluginSignInState, PluginSignature,
    PluginState, PluginView, ToPlugins, UploadId,
};
pub use preferences::{
    Language, MAX_LOCK_AFTER, MAX_SHORTCUT_NAME, MAX_SHORTCUTS, Preferences, PreferencesWish, Shortcuts,
    SpeechPace, TextSize, Theme,
};
pub use reminder::{
    MAX_DUE_SHOWN, MAX_REMINDER_PARTY, MAX_REMINDER_TEXT, MAX_REMINDERS, MAX_SNOOZE_MINUTES, Reminder,
    ReminderForm, ReminderId, ReminderProblem, ReminderWish, RemindersView,
};
pub use sign_in::{OperatorId, OperatorName, Pin, PinProblem, PinTry, SignInView};
pub use sound::{Loudness, SoundLevels, SoundTest, SoundTestEnd, SoundTestState, SoundTestView, SoundView};
pub use statistics::{
    ANSWER_BINS_MS, AnswerTimes, CallCounts, CallStatistics, LineCounts, MAX_CALL_DAYS, MAX_SLOTS,
    OutcomeCount, QUICK_MS, SlotCounts, Statistics, StatisticsQuery, TimeFigures,
};
pub use third_parties::{LICENCE_TEXTS, ThirdParty, third_parties};
pub use time_zone::{MAX_TIME_ZONE, in_time_zone, is_time_zone, time_zones};
pub use trace::{CallFigures, SoundFigures, TracePage};
pub use update::{MAX_STICK_PART, StickPart, UpdateNews, UpdateNotice, UpdateRefusal, UpdateTrouble};
pub use view::{
    Action, AlertId, AlertKind, AlertView, AudioState, Availability, CallRef, CallState, CallView,
    CallerHistory, ConferenceMember, ConferenceView, Counters, Direction, LineView, Notice, NoticeId,
    NoticeKind, NumberMatch, OnlineState, OperatorView, PageWhen, ParkSlotView, ParkedView, Party, PastCall,
    PersonView, PhoneFault, RecallReason, RecallWhy, Registration, ServiceView, SetupView, TransferEnd,
    TransferId, TransferKind, TransferState, TransferView, View, Volumes, WatchView,
};
