//! The words between `frontdesk-plugind` and those who use it: `frontdeskd`, which copies the directories of
//! connectors into its store, and its admin page, which installs and sets connectors up.
//!
//! The frames are those of [`crate::encode`] and [`crate::Decoder`]. The first frame of a client is
//! [`ToPlugins::Hello`]; the host answers [`FromPlugins::Welcome`] or says why not and closes. Nothing that comes
//! from a plugin is believed here: it was measured and bounded by the host, and text from it may say anything.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Version of these words. A client of another version is refused.
pub const PLUGIN_PROTOCOL: u32 = 1;

/// Largest frame a client may send to the plugin host, in bytes.
pub const MAX_FRAME_TO_PLUGINS: usize = 1024 * 1024;

/// Largest frame the plugin host sends, in bytes.
pub const MAX_FRAME_FROM_PLUGINS: usize = 16 * 1024 * 1024;

/// Largest part of an upload, in bytes before base64.
pub const MAX_UPLOAD_PART: usize = 512 * 1024;

/// Largest package, in bytes.
pub const MAX_PACKAGE: u64 = 32 * 1024 * 1024;

/// Most contacts in a [`PluginContacts`].
pub const MAX_PLUGIN_CONTACTS: u32 = 500;

/// Most lines of a [`PluginCard`].
pub const MAX_CARD_LINES: usize = 12;

/// Longest text of a [`PluginItem`], in characters.
pub const MAX_ITEM_TEXT: usize = 4000;

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToPlugins {
    /// The first frame.
    Hello {
        /// [`PLUGIN_PROTOCOL`] of the client.
        protocol: u32,
        /// The client's name, for the log.
        program: String,
        /// `true`: send [`FromPlugins::Plugins`] now and after each change, at most five times a second.
        follow: bool,
    },
    /// Something to do or to tell; answered by [`FromPlugins::Answer`]. Answers of requests that need the
    /// plugin itself (a test) may come after those of later requests.
    Request {
        /// Chosen by the client, returned in the answer.
        seq: u64,
        /// What.
        request: PluginRequest,
    },
}

/// What the plugin host says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromPlugins {
    /// The handshake succeeded.
    Welcome {
        /// Version of `frontdesk-plugind`.
        version: String,
    },
    /// The handshake or a frame was refused; the host closes the socket.
    Refused {
        /// Why, for the client's log.
        reason: String,
    },
    /// All plugins now, in the order of their names.
    Plugins(Vec<PluginView>),
    /// The answer to a request.
    Answer {
        /// Of the request.
        seq: u64,
        /// The answer.
        answer: Result<PluginAnswer, PluginProblem>,
    },
}

/// Something to do or to tell. Unless said otherwise the answer is [`PluginAnswer::Done`], given when it is on
/// the disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PluginRequest {
    /// All plugins; answered by [`PluginAnswer::Plugins`].
    List,
    /// Begin an upload; answered by [`PluginAnswer::Upload`]. A client has at most two under way; they go with
    /// the connection.
    Upload {
        /// Size of the whole file, at most [`MAX_PACKAGE`].
        bytes: u64,
    },
    /// The next part of an upload.
    UploadPart {
        /// Of which.
        upload: UploadId,
        /// Bytes before it; parts come in order.
        offset: u64,
        /// At most [`MAX_UPLOAD_PART`] bytes, in base64.
        base64: String,
    },
    /// The file is whole: what is it? Answered by [`PluginAnswer::Inspection`]. Compiles it, in a process of its
    /// own with limits.
    Inspect {
        /// Which.
        upload: UploadId,
    },
    /// Install what was inspected, or put it in place of an earlier version, whose settings stay. A new plugin is
    /// not enabled. Answered by [`PluginAnswer::Plugin`].
    Install {
        /// Which.
        upload: UploadId,
        /// What it may do from now on.
        granted: PluginGrants,
        /// The administrator has compared a key that was not known.
        key_confirmed: bool,
    },
    /// What a plugin may do from now on.
    Grant {
        /// Which, by [`PluginView::id`].
        plugin: String,
        /// Whole.
        granted: PluginGrants,
    },
    /// The form of a plugin's settings; answered by [`PluginAnswer::Form`].
    Form {
        /// Which.
        plugin: String,
    },
    /// Settings from now on. A secret that is not named stays as it is, as long as the plugin's servers stay (else
    /// [`PluginProblem::SecretAgain`]); `null` forgets it.
    Configure {
        /// Which.
        plugin: String,
        /// By [`PluginSetting::key`].
        values: Map<String, Value>,
        /// Time between two runs, 60 to 604,800 s.
        interval_s: u64,
    },
    /// Ask the plugin whether it can work with its settings; answered by [`PluginAnswer::Tested`].
    Test {
        /// Which.
        plugin: String,
    },
    /// Somebody wants to sign in for a credential of it ([`PluginSignIn`]); answered by [`PluginAnswer::SignIn`]
    /// with a code that a person types in elsewhere, who has then signed in. One that is under way is given up.
    SignIn {
        /// Which.
        plugin: String,
        /// By [`PluginSignIn::id`].
        credential: String,
    },
    /// Forget who has signed in, and give up a sign-in that is under way.
    SignOut {
        /// Which.
        plugin: String,
        /// By [`PluginSignIn::id`].
        credential: String,
    },
    /// Whether it runs.
    Enable {
        /// Which.
        plugin: String,
        /// `true` runs.
        on: bool,
    },
    /// Run now, whatever it waits for.
    SyncNow {
        /// Which.
        plugin: String,
    },
    /// A run that would delete much ([`PluginState::Held`]) may do so, once; it runs at once.
    AllowToShrink {
        /// Which.
        plugin: String,
    },
    /// Go back to the version before.
    RollBack {
        /// Which.
        plugin: String,
    },
    /// Remove a plugin with its settings, secrets and directory.
    Remove {
        /// Which.
        plugin: String,
    },
    /// What a plugin and the host about it have logged lately; answered by [`PluginAnswer::Log`].
    Log {
        /// Which.
        plugin: String,
    },
    /// Who has this number, asked of a plugin that provides `directory-lookup`, within 2.5 s; answered by
    /// [`PluginAnswer::People`]. The same question is answered from memory for some minutes.
    LookUp {
        /// Which.
        plugin: String,
        /// Spellings of one number, the best first, 1 to 8.
        numbers: Vec<String>,
    },
    /// Whom these words mean, asked of a plugin that provides `directory-search`, within 2.5 s; answered by
    /// [`PluginAnswer::People`], at most 20. The same question is answered from memory for some minutes.
    Search {
        /// Which.
        plugin: String,
        /// What a person has typed, 2 to 100 characters.
        text: String,
    },
    /// Which customer this is, asked of a plugin that provides `crm-resolve`, within 2.5 s; answered by
    /// [`PluginAnswer::Cards`]. The same question is answered from memory for some minutes.
    Resolve {
        /// Which.
        plugin: String,
        /// Whose.
        caller: PluginParty,
    },
    /// A finished call for the customer database, through a plugin that provides `crm-journal`. `Done` means that
    /// the customer database has it; after any other answer it may be given again, and will be there once.
    LogCall {
        /// Which.
        plugin: String,
        /// What.
        call: Box<PluginCall>,
    },
    /// A note or a task for the customer database, through a plugin that provides `crm-items`; answered by
    /// [`PluginAnswer::Created`].
    CreateItem {
        /// Which.
        plugin: String,
        /// What.
        item: Box<PluginItem>,
    },
    /// A part of a plugin's directory; answered by [`PluginAnswer::Contacts`], or [`PluginProblem::Outdated`].
    Contacts {
        /// Which.
        plugin: String,
        /// As in [`PluginDirectory::generation`].
        generation: u64,
        /// The first wanted.
        offset: u32,
        /// At most so many, up to [`MAX_PLUGIN_CONTACTS`].
        limit: u32,
    },
}

/// The answer to a [`PluginRequest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PluginAnswer {
    /// It is done.
    Done,
    /// All plugins.
    Plugins(Vec<PluginView>),
    /// An upload has begun.
    Upload(UploadId),
    /// What an uploaded file is.
    Inspection(Box<PluginInspection>),
    /// A plugin as it is now.
    Plugin(Box<PluginView>),
    /// The settings of a plugin.
    Form(Box<PluginForm>),
    /// What the plugin found, in its words.
    Tested {
        /// Such as "1240 people".
        words: String,
    },
    /// What a person does to sign in.
    SignIn(PluginCode),
    /// Lines, oldest first.
    Log(Vec<PluginLogLine>),
    /// A part of a directory.
    Contacts(PluginContacts),
    /// Who has a number, or is meant by words, the best match first.
    People(Vec<PluginContact>),
    /// Which customers have a number, the best match first.
    Cards(Vec<PluginCard>),
    /// A note or task was made.
    Created {
        /// Its page; http or https.
        url: Option<String>,
    },
}

/// Why a [`PluginRequest`] was not carried out. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum PluginProblem {
    /// There is no such plugin.
    #[error("there is no such plugin")]
    NoSuchPlugin,
    /// There is no such upload, or parts are missing or come out of order.
    #[error("the upload is not whole")]
    NoSuchUpload,
    /// The file is larger than [`MAX_PACKAGE`], or than announced.
    #[error("the file is too large")]
    TooLarge,
    /// The file is not a plugin of this host.
    #[error("not a plugin: {0}")]
    NotAPlugin(String),
    /// Its author is not trusted; see [`PluginSignature`].
    #[error("its author is not trusted")]
    NotTrusted,
    /// An older version than the one that is installed; use [`PluginRequest::RollBack`] instead.
    #[error("version {new} is older than {installed}, which is installed")]
    Downgrade {
        /// Installed.
        installed: String,
        /// Of the file.
        new: String,
    },
    /// A setting does not do.
    #[error("the setting {key} {problem}")]
    Setting {
        /// Which.
        key: String,
        /// Why, such as "is missing".
        problem: String,
    },
    /// A secret that is kept would go to another server than the one for which it was typed.
    #[error("the secret {key} must be typed again: it was typed for another server")]
    SecretAgain {
        /// The setting that is the secret.
        key: String,
    },
    /// The plugin said no, or failed.
    #[error("{case}: {words}")]
    Failed {
        /// A case of the interface's errors such as `auth-failed`, or the limit it hit such as `cpu`.
        case: String,
        /// In its words.
        words: String,
    },
    /// Nothing to go back to, nothing held, not enabled.
    #[error("{0}")]
    NotNow(String),
    /// The directory has changed since; ask for the new generation.
    #[error("the directory has changed")]
    Outdated,
    /// The disk does not take it.
    #[error("it could not be written: {0}")]
    Disk(String),
}

/// Identity of an upload, within its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UploadId(pub u64);

/// A plugin, as a page shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginView {
    /// Reverse domain name; never changes.
    pub id: String,
    /// For people.
    pub name: String,
    /// `major.minor.patch`.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// The version to go back to.
    pub previous: Option<String>,
    /// Interfaces it offers, such as `directory-sync`; while it does not run, those that its manifest names.
    #[serde(default)]
    pub provides: Vec<String>,
    /// It runs.
    pub enabled: bool,
    /// How it does.
    pub state: PluginState,
    /// Its last good directory, if it has had one.
    pub directory: Option<PluginDirectory>,
    /// Time between two runs, in seconds.
    pub interval_s: u64,
    /// What it may do.
    pub granted: PluginGrants,
    /// What it has done since it was loaded.
    pub counters: PluginCounters,
}

/// How a plugin does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PluginState {
    /// Not enabled.
    Disabled,
    /// It waits for its next run.
    Waiting {
        /// Until then, in seconds.
        next_run_s: u64,
    },
    /// It has no directory to copy and waits to be asked.
    Ready,
    /// It runs.
    Running {
        /// People so far.
        people: u32,
        /// Its guess of all.
        total: Option<u32>,
    },
    /// The last run failed; the last good directory stays.
    Failing {
        /// As in [`PluginProblem::Failed`].
        case: String,
        /// In its words.
        words: String,
        /// Until it is asked again, in seconds; `None`: not before settings or rights change.
        next_run_s: Option<u64>,
    },
    /// It crashed too often and is left alone for a while.
    Suspended {
        /// As in [`PluginProblem::Failed`].
        case: String,
        /// In its words.
        words: String,
        /// For so long, in seconds.
        next_run_s: u64,
    },
    /// A run that would delete so many waits for [`PluginRequest::AllowToShrink`].
    Held {
        /// People that would be gone.
        deleted: u32,
    },
    /// It cannot be loaded.
    Broken {
        /// Why.
        reason: String,
    },
}

/// A plugin's last good directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginDirectory {
    /// Another number for each other content, also over restarts.
    pub generation: u64,
    /// Contacts in it.
    pub contacts: u32,
    /// Contacts that could not be used in the last run.
    pub left_out: u32,
    /// When it came, in Unix milliseconds.
    pub synced_ms: i64,
}

/// What a plugin has done since it was loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginCounters {
    /// Calls of it.
    pub calls: u64,
    /// Calls that it or a limit ended badly.
    pub failures: u64,
    /// Requests it sent.
    pub requests: u64,
    /// Requests that were refused: not granted, too many, an address that is never allowed.
    pub refused: u64,
    /// Log lines lost because there were too many.
    pub lost_lines: u64,
    /// Longest call on the processor, in milliseconds.
    pub longest_cpu_ms: u64,
    /// Most memory of a call, in bytes.
    pub most_memory: u64,
}

/// What the administrator allowed, by [`PluginRight::id`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PluginGrants {
    /// May be reached.
    pub net: Vec<String>,
    /// Also in the customer's own network.
    pub private: Vec<String>,
    /// Also on this machine.
    pub loopback: Vec<String>,
}

/// What an uploaded file is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginInspection {
    /// Of the file.
    pub upload: UploadId,
    /// What it says of itself.
    pub id: String,
    /// For people.
    pub name: String,
    /// `major.minor.patch`.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// SPDX.
    pub license: Option<String>,
    /// Interfaces it offers, such as `directory-sync`.
    pub provides: Vec<String>,
    /// Who signed it.
    pub signature: PluginSignature,
    /// The version that is installed.
    pub installed: Option<String>,
    /// What it asks for.
    pub rights: Vec<PluginRight>,
    /// What can be set.
    pub settings: Vec<PluginSetting>,
    /// Why it cannot be installed, whatever the administrator says.
    pub refused: Option<PluginProblem>,
}

/// Who signed a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PluginSignature {
    /// The key this plugin has always had.
    Known,
    /// A key that was never seen for this plugin.
    New {
        /// As minisign prints it, to be compared with what the author publishes.
        key: String,
    },
    /// This plugin had another key before: never installed.
    OtherKey,
    /// Broken: never installed.
    Broken,
    /// None: installed under the developer's switch only.
    None,
}

/// Something that a plugin asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginRight {
    /// Its name, for [`PluginGrants`].
    pub id: String,
    /// Where it wants to go, such as `https://api.example.com`.
    pub places: Vec<String>,
    /// Or the place that is typed into this setting.
    pub from_setting: Option<String>,
    /// It may be in the customer's own network, if that is allowed.
    pub private: bool,
    /// Without encryption too.
    pub plain: bool,
    /// Why, in the author's words.
    pub reason: String,
    /// Secrets it can read or that are sent there, by [`PluginSetting::key`].
    pub secrets: Vec<String>,
    /// Tokens of an application or of whoever has signed in are sent there.
    #[serde(default)]
    pub token: bool,
    /// The version that is installed did not ask for it.
    pub new: bool,
}

/// The settings of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginForm {
    /// What it asks for.
    pub rights: Vec<PluginRight>,
    /// What can be set, in the author's order.
    pub settings: Vec<PluginSetting>,
    /// What is set, without secrets.
    pub values: Map<String, Value>,
    /// The secrets that are set.
    pub secrets: Vec<String>,
    /// Credentials that a person signs in for.
    #[serde(default)]
    pub sign_ins: Vec<PluginSignIn>,
}

/// A credential for which a person signs in by a code (RFC 8628).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginSignIn {
    /// Its name, for [`PluginRequest::SignIn`].
    pub id: String,
    /// How it stands.
    pub state: PluginSignInState,
}

/// How a sign-in stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PluginSignInState {
    /// Nobody has signed in; why, where somebody tried or the server takes it no more.
    None {
        /// In the server's words.
        problem: Option<String>,
    },
    /// A code waits to be typed in.
    Waiting(PluginCode),
    /// Somebody has signed in.
    SignedIn,
}

/// What a person does to sign in. Text of the server, in one line each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginCode {
    /// Where the code is typed in; http or https.
    pub address: String,
    /// The same with the code in it, if the server has such a page.
    pub address_with_code: Option<String>,
    /// The code.
    pub code: String,
    /// The code is good for so many seconds.
    pub expires_s: u64,
}

/// One setting of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginSetting {
    /// Its name.
    pub key: String,
    /// What it takes.
    pub kind: PluginSettingKind,
    /// By language (`en` is always there).
    pub label: std::collections::BTreeMap<String, String>,
    /// Must be filled in.
    pub required: bool,
    /// What stands in for nothing.
    pub default: Option<Value>,
    /// Of a choice.
    pub choices: Vec<String>,
    /// Smallest integer.
    pub min: Option<i64>,
    /// Largest integer.
    pub max: Option<i64>,
    /// A secret that the plugin may read.
    pub expose: bool,
}

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PluginSettingKind {
    /// One line.
    Text,
    /// Several lines.
    Multiline,
    /// An absolute URL.
    Url,
    /// Kept from the plugin, unless [`PluginSetting::expose`]; never told back.
    Secret,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// One of [`PluginSetting::choices`].
    Choice,
    /// A distinguished name of LDAP (RFC 4514), in one line.
    LdapDn,
    /// A search filter of LDAP (RFC 4515), in one line.
    LdapFilter,
}

/// A line of a plugin's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginLogLine {
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The host said it, not the plugin.
    pub host: bool,
    /// What. Secrets are struck out.
    pub words: String,
}

/// A person or place of a plugin's directory. Text without control characters, at most 16 KiB altogether.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginContact {
    /// The source's own id, 1 to 512 bytes.
    pub id: String,
    /// Never empty.
    pub name: String,
    /// Firm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// What somebody is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Kind (`work`, `mobile`, `home`, `extension`, `sip`, `fax`, `other`) and number as the source has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<(String, String)>,
    /// E-mail addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Its page at the source; http or https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What has no field of its own, such as `first-name`, `last-name`, `office`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<(String, String)>,
}

/// The other end of a call, for a customer database.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PluginParty {
    /// Spellings of its number, the best first, up to 8; none where it is hidden.
    pub numbers: Vec<String>,
    /// As the exchange or a directory names it.
    pub name: Option<String>,
}

/// What a customer database knows of a caller. Text without control characters, at most 16 KiB altogether.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginCard {
    /// `person`, `company`, `lead`, `deal`, `ticket` or `other`.
    pub kind: String,
    /// Of the record at the source, 1 to 512 bytes.
    pub id: String,
    /// Never empty.
    pub name: String,
    /// Firm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Label and value, the most important first, at most [`MAX_CARD_LINES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<(String, String)>,
    /// Its page; http or https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// How a call ended, for a customer database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginOutcome {
    /// Spoken with.
    Answered,
    /// Spoken with, then passed on.
    Transferred,
    /// Nobody took it.
    Missed,
    /// The operator did not want it.
    Rejected,
    /// Passed on without a word, by a rule or by the operator.
    Forwarded,
    /// The other end was busy.
    Busy,
    /// It did not come about.
    Failed,
}

/// A finished call, for a customer database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginCall {
    /// Unique, 1 to 64 of `a-z 0-9 -`: the same call has the same id again.
    pub id: String,
    /// The desk was called.
    pub incoming: bool,
    /// How it ended.
    pub outcome: PluginOutcome,
    /// With whom.
    pub remote: PluginParty,
    /// The line's name.
    pub line: Option<String>,
    /// Who sat at the desk.
    pub operator: String,
    /// When it began, in Unix milliseconds.
    pub started_ms: i64,
    /// It rang for so long, in milliseconds.
    pub ring_ms: u64,
    /// They talked for so long, in milliseconds.
    pub talk_ms: u64,
    /// Number or name it was passed on to.
    pub transferred_to: Option<String>,
    /// [`PluginCard::id`] of this plugin's card that was shown.
    pub subject: Option<String>,
}

/// A note or a task, for a customer database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginItem {
    /// Unique, as [`PluginCall::id`].
    pub id: String,
    /// A task; otherwise a note.
    pub task: bool,
    /// About whom.
    pub remote: PluginParty,
    /// As [`PluginCall::subject`].
    pub subject: Option<String>,
    /// 1 to [`MAX_ITEM_TEXT`] characters.
    pub text: String,
    /// Who wrote it.
    pub operator: String,
}

/// A part of a plugin's directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginContacts {
    /// Of which content.
    pub generation: u64,
    /// Contacts in all.
    pub total: u32,
    /// In the order of [`PluginContact::id`].
    pub contacts: Vec<PluginContact>,
}
