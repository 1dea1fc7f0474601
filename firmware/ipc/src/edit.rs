//! Changing directories and contacts, and what such a change needs to be told.

use serde::{Deserialize, Serialize};

use crate::{ContactId, DirectoryId, DirectoryLook};

/// A change of directories or contacts (DIR-1, DIR-2). Done when it is on the disk, not before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edit {
    /// Add a contact; [`crate::Reply::Edited`] names it.
    AddContact {
        /// Where.
        directory: DirectoryId,
        /// What is known.
        form: Box<ContactForm>,
    },
    /// Replace all that is known of a contact.
    ChangeContact {
        /// Which.
        contact: ContactId,
        /// The directory it is in from now on.
        directory: DirectoryId,
        /// What is known.
        form: Box<ContactForm>,
        /// `false` takes the picture away.
        keep_picture: bool,
    },
    /// Remove a contact. Can be undone.
    RemoveContact {
        /// Which.
        contact: ContactId,
    },
    /// Monitor a contact's phone or not (PRE-2).
    SetPresence {
        /// Which.
        contact: ContactId,
        /// `true` monitors. Refused in an external directory.
        on: bool,
    },
    /// What to tell the operator about a contact (PRE-7).
    SetAlerts {
        /// Which.
        contact: ContactId,
        /// The alerts from now on.
        alerts: AlertSet,
    },
    /// Add a directory; [`crate::Reply::Edited`] names it.
    AddDirectory {
        /// Its name, 1 to 128 bytes, that no other has.
        name: String,
        /// Company staff (local) or external.
        local: bool,
    },
    /// Change what a directory is; its contacts stay.
    ChangeDirectory {
        /// Which.
        directory: DirectoryId,
        /// Its name.
        name: String,
        /// Company staff (local) or external.
        local: bool,
        /// The line it is linked to, by number.
        line: Option<String>,
        /// How to greet.
        note: String,
    },
    /// How a directory is shown (DIR-5).
    SetLook {
        /// Which.
        directory: DirectoryId,
        /// From now on.
        look: DirectoryLook,
    },
    /// Remove all contacts of a directory. Can be undone.
    ClearDirectory {
        /// Which.
        directory: DirectoryId,
    },
    /// Remove a directory with its contacts. Can be undone.
    RemoveDirectory {
        /// Which.
        directory: DirectoryId,
    },
    /// Bring back what was removed.
    Undo {
        /// As in [`crate::NoticeKind::Removed`].
        removal: RemovalId,
    },
}

/// Identity of a removal that can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RemovalId(pub i64);

/// What was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Removed {
    /// One contact.
    Contact {
        /// As it was called.
        name: String,
    },
    /// All contacts of a directory.
    Contacts {
        /// How many.
        count: u32,
        /// The directory's name.
        directory: String,
    },
    /// A directory and its contacts.
    Directory {
        /// How many contacts.
        count: u32,
        /// The directory's name.
        directory: String,
    },
}

/// All that can be written about a contact by hand (DIR-2); empty where nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "each is the field of that name in DIR-2")]
pub struct ContactForm {
    pub last_name: String,
    pub first_name: String,
    pub company: String,
    pub office: String,
    pub department: String,
    pub title: String,
    pub note: String,
    pub phone: String,
    pub mobile: String,
    pub home: String,
    pub voicemail: String,
    pub email: String,
    pub xmpp: String,
    pub calendar: String,
    pub web: String,
    /// The phone is monitored; counts in local directories only (PRE-2).
    pub presence: bool,
    /// What to tell the operator about it (PRE-7).
    pub alerts: AlertSet,
}

/// One of the texts of a [`ContactForm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is the field of that name in ContactForm")]
pub enum ContactField {
    LastName,
    FirstName,
    Company,
    Office,
    Department,
    Title,
    Note,
    Phone,
    Mobile,
    Home,
    Voicemail,
    Email,
    Xmpp,
    Calendar,
    Web,
}

/// Which changes of a contact's phone and person the operator wants to be told (PRE-7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertSet {
    /// The phone becomes free.
    pub available: bool,
    /// The phone rings.
    pub ringing: bool,
    /// The phone becomes busy.
    pub busy: bool,
    /// Do Not Disturb is switched on.
    pub do_not_disturb: bool,
    /// The person comes online.
    pub online: bool,
    /// The person goes offline.
    pub offline: bool,
    /// With a sound.
    pub sound: bool,
    /// Told once, then never again.
    pub once: bool,
}

/// A contact with everything that is kept of it, the answer to [`crate::Query::Contact`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactCard {
    /// Which contact.
    pub contact: ContactId,
    /// The directory it is in.
    pub directory: DirectoryId,
    /// What is known, whole.
    pub form: ContactForm,
    /// It has a picture; see [`crate::Query::Picture`].
    pub picture: bool,
    /// What was changed, newest first, at most the last fifty changes.
    pub history: Vec<ContactChange>,
}

/// One change of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactChange {
    /// When, Unix milliseconds.
    pub at_unix_ms: i64,
    /// The operator's name.
    pub by: String,
    /// What.
    pub what: ContactChangeKind,
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContactChangeKind {
    /// Added by hand.
    Added,
    /// Texts, presence, alerts or picture changed.
    Changed {
        /// The texts that changed.
        texts: Vec<TextChange>,
        /// Presence, alerts, the picture or the directory changed.
        otherwise: bool,
    },
    /// Removed.
    Removed,
    /// Brought back after a removal.
    Restored,
}

/// A text before and after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextChange {
    /// Which.
    pub field: ContactField,
    /// What it was, at most 200 characters of it.
    pub before: String,
    /// What it is, at most 200 characters of it.
    pub after: String,
}

/// Why a change was refused, so that the screen can say it in the operator's language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum EditProblem {
    /// Nothing is known of the contact.
    #[error("a contact needs a name, a company or a number")]
    EmptyContact,
    /// A text is longer than 64 KiB.
    #[error("{field:?} is too long")]
    TooLong {
        /// Which.
        field: ContactField,
    },
    /// A text has a character that no text has.
    #[error("{field:?} has a control character")]
    ControlCharacter {
        /// Which.
        field: ContactField,
    },
    /// Presence and alerts on phones belong to local directories.
    #[error("phones of external contacts are not monitored")]
    ExternalPresence,
    /// Somebody removed the contact meanwhile.
    #[error("there is no such contact any more")]
    NoSuchContact,
    /// Somebody removed the directory meanwhile.
    #[error("there is no such directory any more")]
    NoSuchDirectory,
    /// A connector keeps the directory (DIR-4): its contacts are changed at their source.
    #[error("a connector keeps this directory: change it at its source")]
    KeptByConnector,
    /// The directory has this contact already, equal in every field.
    #[error("this contact is there already")]
    AlreadyThere,
    /// A directory has as many contacts as it can hold.
    #[error("the directory is full")]
    DirectoryFull,
    /// A directory needs a name.
    #[error("a directory needs a name")]
    EmptyName,
    /// The name is longer than 128 bytes or has control characters.
    #[error("the name is too long or has control characters")]
    BadName,
    /// Another directory has this name.
    #[error("there is a directory of that name")]
    NameTaken,
    /// The removal is too long ago, or was undone already.
    #[error("this can no longer be undone")]
    NothingToUndo,
}

/// A file of contacts in one of the folders the administrator named, for [`crate::Query::ContactFiles`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactFile {
    /// Where.
    pub path: std::path::PathBuf,
    /// Size in bytes.
    pub bytes: u64,
    /// Changed last, Unix milliseconds.
    pub modified_unix_ms: i64,
}

/// How far an import is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportView {
    /// The directory's name.
    pub directory: String,
    /// Bytes read.
    pub bytes: u64,
    /// Bytes of the whole file.
    pub of_bytes: u64,
    /// Contacts found.
    pub contacts: u32,
    /// Rows left out.
    pub left_out: u32,
}
