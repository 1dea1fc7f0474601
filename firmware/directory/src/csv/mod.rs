//! Files of contacts (DIR-3): comma-separated, a header, UTF-8 or Windows-1252.
//!
//! Not done here: opening files, and what to do with the contacts. Both ways are streams, so a file of
//! any size needs the memory of one row.

mod encoding;
mod export;
mod formula;
mod import;
mod rows;

pub use export::{ExportError, Exporter, export};
pub use import::{ImportError, Importer, Verdict, import};

use crate::contact::Field;

/// A column of DIR-3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Text(Field),
    Presence,
    Alert,
    PictureType,
    Picture,
}

impl Column {
    /// Every column, in the order of an export.
    const ALL: [Self; 19] = [
        Self::Text(Field::LastName),
        Self::Text(Field::FirstName),
        Self::Text(Field::Company),
        Self::Text(Field::Office),
        Self::Text(Field::Department),
        Self::Text(Field::Title),
        Self::Text(Field::Note),
        Self::Text(Field::Phone),
        Self::Text(Field::Mobile),
        Self::Text(Field::Home),
        Self::Text(Field::Voicemail),
        Self::Text(Field::Email),
        Self::Text(Field::Xmpp),
        Self::Text(Field::Calendar),
        Self::Text(Field::Web),
        Self::Presence,
        Self::Alert,
        Self::PictureType,
        Self::Picture,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Text(field) => field.column(),
            Self::Presence => "presence",
            Self::Alert => "alert",
            Self::PictureType => "picturetype",
            Self::Picture => "picture",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name().eq_ignore_ascii_case(name.trim()))
    }
}

/// The columns of DIR-3 in one line, for messages.
fn column_names() -> String {
    Column::ALL.map(Column::name).join(" ")
}
