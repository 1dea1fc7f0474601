//! Contacts, a page at a time.

use serde::{Deserialize, Serialize};

use crate::AlertSet;

/// Identity of a directory, kept for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DirectoryId(pub u32);

/// Identity of a contact, kept for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContactId(pub u64);

/// One directory, as its tab shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryView {
    /// Which directory.
    pub id: DirectoryId,
    /// Its name.
    pub name: String,
    /// Company staff (local) or external.
    pub local: bool,
    /// Number of contacts.
    pub contacts: u32,
    /// Counts up with each change; a screen asks again for the pages it shows.
    pub generation: u64,
    /// The line it is linked to, by number.
    pub line: Option<String>,
    /// How to greet, shown when it comes to the front.
    pub note: String,
    /// How it is shown (DIR-5).
    #[serde(default)]
    pub look: DirectoryLook,
    /// The connector that keeps it (DIR-4), by its id: contacts are changed at their source, not here.
    #[serde(default)]
    pub source: Option<String>,
}

/// How a directory is shown (DIR-5), kept with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct DirectoryLook {
    /// Rows or tiles.
    pub layout: Layout,
    /// How names are put together.
    pub names: NameOrder,
    /// Sort key.
    pub sort: SortKey,
    /// The columns of the rows, in this order; the name comes before them and is always there.
    pub columns: Vec<Column>,
}

impl Default for DirectoryLook {
    fn default() -> Self {
        Self {
            layout: Layout::default(),
            names: NameOrder::default(),
            sort: SortKey::default(),
            // The number stands beside the name: on a small screen the rest moves under it.
            columns: vec![Column::Phone, Column::Company, Column::Department, Column::Title, Column::Mobile],
        }
    }
}

/// How the contacts of a directory are laid out (DIR-5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Layout {
    /// Tiles.
    #[default]
    Table,
    /// Rows with columns.
    List,
}

/// A column of the rows (DIR-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is the field of that name in DIR-2")]
pub enum Column {
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
    Web,
}

/// Which contacts, in which order, which part of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContactQuery {
    /// One directory, or all of them.
    pub directory: Option<DirectoryId>,
    /// Words to search for; empty shows all.
    pub text: String,
    /// Sort key of the unfiltered list; search results come best first.
    pub sort: SortKey,
    /// First row wanted.
    pub offset: u32,
    /// Rows wanted, at most 500.
    pub limit: u32,
}

/// Sort key of a directory (DIR-5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SortKey {
    /// Last name, then first name.
    LastName,
    /// First name, then last name.
    #[default]
    FirstName,
    /// Company.
    Company,
    /// Office.
    Office,
    /// Department.
    Department,
    /// Title.
    Title,
}

/// How a name is put together (DIR-5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NameOrder {
    /// "Alice Fournier".
    #[default]
    FirstLast,
    /// "Fournier Alice".
    LastFirst,
}

/// A part of a list of contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPage {
    /// How many match in all.
    pub total: u32,
    /// The row number of the first of `rows`.
    pub offset: u32,
    /// The rows.
    pub rows: Vec<ContactRow>,
}

/// One contact as a tile or row shows it (DIR-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRow {
    /// Which contact.
    pub id: ContactId,
    /// The directory it is in.
    pub directory: DirectoryId,
    /// Field of DIR-2; empty when absent. So are all that follow.
    pub last_name: String,
    /// First name.
    pub first_name: String,
    /// Company.
    pub company: String,
    /// Office.
    pub office: String,
    /// Department.
    pub department: String,
    /// Title.
    pub title: String,
    /// Phone, as written in the directory.
    pub phone: String,
    /// Mobile.
    pub mobile: String,
    /// Home.
    pub home: String,
    /// Voicemail.
    pub voicemail: String,
    /// E-mail.
    pub email: String,
    /// XMPP address, or `sip:` address of a person's presence; its state is in [`crate::View::people`].
    #[serde(default)]
    pub xmpp: String,
    /// Calendar, usually an address.
    #[serde(default)]
    pub calendar: String,
    /// Web page.
    pub web: String,
    /// Free text.
    #[serde(default)]
    pub note: String,
    /// The phone is monitored; its lamp is in [`crate::View::lamps`] under `phone`.
    pub presence: bool,
    /// What the operator is told about it (PRE-7).
    #[serde(default)]
    pub alerts: AlertSet,
}

/// One contact's place in a list, the answer to [`crate::Query::Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPlace {
    /// Which contact.
    pub contact: ContactId,
    /// Its directory.
    pub directory: DirectoryId,
    /// Its row in the whole directory, in the order asked for.
    pub row: u32,
}

/// The picture of a contact (DIR-2), the answer to [`crate::Query::Picture`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPicture {
    /// Whose.
    pub contact: ContactId,
    /// `None` when the directory has none.
    pub picture: Option<Picture>,
}

/// A picture, no side longer than 256 pixels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Type of the file.
    pub kind: PictureKind,
    /// The file's bytes in base64: a third of what a list of numbers would take in a frame.
    pub base64: String,
}

/// Type of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PictureKind {
    /// JPEG.
    Jpg,
    /// PNG.
    Png,
    /// GIF.
    Gif,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Contacts loaded.
    pub loaded: u32,
    /// Rows left out.
    #[serde(default)]
    pub left_out: u32,
    /// Columns of the file that mean nothing here.
    pub unknown_columns: Vec<String>,
    /// The first thousand rows left out.
    pub problems: Vec<ImportProblem>,
}

/// A row left out by an import, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportProblem {
    /// Line in the file, from 1.
    pub line: u64,
    /// Why.
    pub fault: RowFault,
}

/// What is wrong with a row of a file of contacts (DIR-3), so that it can be said in anybody's language. Columns are
/// named as in the first line of such a file. Its display is English, for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum RowFault {
    /// It exceeds every limit.
    #[error("the row is longer than any can be, perhaps a quote is never closed; nothing after it was read")]
    Endless,
    /// It has not as many cells as there are columns.
    #[error("the row has {cells} cells, the first line has {columns}")]
    Cells {
        /// Of the row.
        cells: u32,
        /// Of the first line.
        columns: u32,
    },
    /// No field says anything.
    #[error("the row is empty")]
    Empty,
    /// A text is too long.
    #[error("{column} has {bytes} bytes, at most {most} are allowed")]
    TooLong {
        /// Which.
        column: String,
        /// Its length.
        bytes: u64,
        /// What is allowed.
        most: u64,
    },
    /// A text has a character that no text has, such as NUL.
    #[error("{column} has the control character U+{code:04X}")]
    ControlCharacter {
        /// Which.
        column: String,
        /// The character.
        code: u32,
    },
    /// A letter of the alerts that means nothing.
    #[error("alert {letter:?} is none of a r b d n f s")]
    Alert {
        /// What was found.
        letter: char,
    },
    /// Neither yes nor no.
    #[error("presence {found:?} is none of true false yes no 1 0")]
    Presence {
        /// What was found; its first 64 characters.
        found: String,
    },
    /// A type of picture that none is read of.
    #[error("picturetype {found:?} is none of jpg, png, gif")]
    PictureType {
        /// What was found.
        found: String,
    },
    /// The bytes begin like no picture of a known type.
    #[error("picture is no jpg, png or gif")]
    NoPicture,
    /// The bytes are a picture of another type than said.
    #[error("picture is {found}, picturetype says {said}")]
    OtherPicture {
        /// What the bytes are: `jpg`, `png` or `gif`.
        found: String,
        /// What was said, likewise.
        said: String,
    },
    /// The picture has too many bytes.
    #[error("picture has more than {most} bytes")]
    PictureTooLarge {
        /// What is allowed.
        most: u64,
    },
    /// The picture is not base64.
    #[error("picture is not base64")]
    PictureEncoding,
    /// The picture would need more memory than a face is worth.
    #[error("picture is too large to unpack: {width}×{height} pixels")]
    PictureDimensions {
        /// As the file says.
        width: u32,
        /// As the file says.
        height: u32,
    },
    /// The picture breaks off or is damaged.
    #[error("picture cannot be read: {reason}")]
    PictureBroken {
        /// What the reader of its type said, in English.
        reason: String,
    },
}
