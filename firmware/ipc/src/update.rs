//! What the operator is told of an update of the box (APP-3), and a bundle that comes from a stick.

use serde::{Deserialize, Serialize};

/// Largest part of a bundle in one [`crate::ToDesk::Stick`], in bytes before base64.
pub const MAX_STICK_PART: usize = 256 * 1024;

/// How it stands with an update, for the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateNotice {
    /// The bundle's version; empty when that could not be read.
    pub version: String,
    /// What has happened.
    pub news: UpdateNews,
}

/// What has happened to an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpdateNews {
    /// It came by a stick, and is written when no call is up.
    Taken,
    /// It is being written; calls go on.
    Writing,
    /// It is written; the box restarts into it when no call is up.
    Ready,
    /// It runs and is well.
    Done,
    /// It runs and is not well; the version before cannot be started.
    Kept {
        /// What is wrong.
        why: UpdateTrouble,
    },
    /// It was not well, and the version before runs again.
    TakenBack {
        /// What was wrong.
        why: UpdateTrouble,
    },
    /// The one on a stick was not taken; nothing was changed.
    Refused {
        /// Why.
        why: UpdateRefusal,
    },
    /// It could not be written; the version before runs on.
    Failed {
        /// What the update service said, untranslated.
        reason: String,
    },
}

/// What a version does not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpdateTrouble {
    /// It did not start, or not to its end.
    Start,
    /// The desk did not answer.
    Desk,
    /// The screen did not come.
    Screen,
    /// A line did not register.
    Line {
        /// Its number.
        number: String,
    },
    /// A newer version of the program knows.
    Unknown,
}

/// Why a bundle on a stick is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum UpdateRefusal {
    /// It is signed by nobody whom this box trusts.
    #[error("its signature is not one that this box trusts")]
    Signature,
    /// It is not whole.
    #[error("the file is damaged, or was not read to its end")]
    Damaged,
    /// It is something else.
    #[error("the file is no update of Frontdesk")]
    NotAnUpdate,
    /// It is made for another kind of box.
    #[error("it is made for another kind of box")]
    OtherBox,
    /// It is older than the version that runs, or than another one that waits.
    #[error("it is older than {than}")]
    Older {
        /// The newer version.
        than: String,
    },
    /// It is the version that runs.
    #[error("it is the version that runs")]
    Same,
    /// It, or the one that runs, has a version that cannot be compared.
    #[error("whether it is newer cannot be told from its version")]
    NoVersion,
    /// This box took it back before: only an administrator may try again.
    #[error("it was installed before and was not well")]
    TakenBackBefore,
    /// It is larger than any update.
    #[error("the file is larger than any update of this box")]
    TooLarge,
    /// The disk has no room for it.
    #[error("there is not enough room on the disk")]
    NoRoom,
    /// Another one is under way.
    #[error("another update is under way")]
    Busy,
    /// The administrator does not want updates by stick.
    #[error("updates by stick are turned off")]
    Off,
    /// The box cannot update itself, or the disk refuses.
    #[error("{reason}")]
    Failed {
        /// What was said, untranslated.
        reason: String,
    },
}

/// A bundle on its way from a stick. Each part is answered before the next one is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StickPart {
    /// A bundle comes.
    Begin {
        /// Its size.
        bytes: u64,
    },
    /// Some of it.
    Bytes {
        /// At most [`MAX_STICK_PART`] bytes, in base64 (RFC 4648 section 4).
        base64: String,
    },
    /// That was all: it is looked at, and taken or refused.
    End,
}
