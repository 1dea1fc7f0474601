//! Contacts out of a file.

use std::io::{self, Read};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ipc::{ImportProblem, ImportReport, RowFault};

use super::encoding::decode;
use super::rows::{Row, RowError, Rows};
use super::{Column, column_names, formula};
use crate::contact::{Contact, ContactError, MAX_PICTURE_BYTES, Picture, PictureType};

/// Most bad rows that are listed one by one.
const MAX_PROBLEMS: usize = 1000;

/// Most unknown columns that are named.
const MAX_UNKNOWN: usize = 100;

/// Why nothing, or not all of a file, could be read. What was handed over before stays good.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file has no byte.
    #[error("the file is empty; its first line must name the columns: {}", column_names())]
    Empty,
    /// The first line exceeds every limit.
    #[error("line 1 is longer than any header can be; it must name the columns: {}", column_names())]
    EndlessHeader,
    /// The first line names no column of DIR-3.
    #[error("line 1 names no known column (it begins {found:?}); it must name some of: {}", column_names())]
    NoHeader {
        /// How the line begins.
        found: String,
    },
    /// The columns are separated by something else.
    #[error(
        "the columns are separated by {found}, not by commas; save the file again as \"CSV (comma delimited)\" or \"CSV UTF-8\" with the comma as separator"
    )]
    NotCommas {
        /// `semicolons` or `tabs`.
        found: &'static str,
    },
    /// A column stands twice in the first line.
    #[error("line 1 names the column {column} twice")]
    ColumnTwice {
        /// Which.
        column: &'static str,
    },
    /// UTF-16, which some spreadsheets call "Unicode text".
    #[error("the file is UTF-16 (\"Unicode text\"); save it again as \"CSV UTF-8\"")]
    Utf16,
    /// The reader refused.
    #[error("the file cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// What became of a contact that was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is loaded.
    Taken,
    /// Its row is a bad one, for this reason; the import goes on.
    Refused(RowFault),
    /// It is not loaded, nor is anything after it.
    Stop,
}

/// Reads contacts and hands each to `sink`, which may refuse one or stop the import.
///
/// `presence` is meant where the file does not say. Bad rows are listed in the report while the good ones
/// go to `sink`; the report counts as loaded what `sink` took. Texts come trimmed.
///
/// # Errors
/// See [`ImportError`].
pub fn import(
    reader: impl Read,
    presence: bool,
    mut sink: impl FnMut(Contact) -> Verdict,
) -> Result<ImportReport, ImportError> {
    let mut file = Importer::new(reader, presence)?;
    while let Some(contact) = file.next()? {
        match sink(contact) {
            Verdict::Taken => file.loaded(),
            Verdict::Refused(fault) => file.refuse(fault),
            Verdict::Stop => break,
        }
    }
    Ok(file.finish())
}

/// Reads contacts one after another, so that the reader can do something else between two of them.
pub struct Importer<R> {
    rows: Rows<R>,
    header: Header,
    presence: bool,
    /// The line on which the contact given last began.
    line: u64,
    ended: bool,
    report: ImportReport,
}

impl<R: Read> Importer<R> {
    /// Reads the header. `presence` is meant where the file does not say.
    ///
    /// # Errors
    /// See [`ImportError`].
    pub fn new(reader: R, presence: bool) -> Result<Self, ImportError> {
        let mut rows = Rows::new(reader);
        let mut report = ImportReport::default();
        let header = match rows.next() {
            Ok(Some(row)) => Header::new(&row, &mut report.unknown_columns)?,
            Ok(None) => return Err(ImportError::Empty),
            Err(RowError::Endless { .. }) => return Err(ImportError::EndlessHeader),
            Err(RowError::Read(error)) => return Err(error.into()),
        };
        Ok(Self { rows, header, presence, line: 1, ended: false, report })
    }

    /// The contact of the next good row; the bad ones before it are in the report. `None` at the end.
    ///
    /// # Errors
    /// [`ImportError::Read`].
    #[allow(clippy::should_implement_trait, reason = "an iterator cannot refuse what it has given")]
    pub fn next(&mut self) -> Result<Option<Contact>, ImportError> {
        while !self.ended {
            let row = match self.rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(RowError::Endless { line }) => {
                    self.line = line;
                    self.refuse(RowFault::Endless);
                    break;
                }
                Err(RowError::Read(error)) => return Err(error.into()),
            };
            self.line = row.line;
            match self.header.contact(&row, self.presence) {
                Ok(contact) => return Ok(Some(contact)),
                Err(fault) => self.refuse(fault),
            }
        }
        self.ended = true;
        Ok(None)
    }

    /// The contact given last was taken.
    pub fn loaded(&mut self) {
        self.report.loaded = self.report.loaded.saturating_add(1);
    }

    /// The row of the contact given last is a bad one.
    pub fn refuse(&mut self, fault: RowFault) {
        self.report.left_out = self.report.left_out.saturating_add(1);
        if self.report.problems.len() < MAX_PROBLEMS {
            self.report.problems.push(ImportProblem { line: self.line, fault });
        }
    }

    /// What was found so far.
    pub fn report(&self) -> &ImportReport {
        &self.report
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> ImportReport {
        self.report
    }
}

/// Which column is which.
struct Header {
    columns: Vec<Option<Column>>,
}

impl Header {
    fn new(row: &Row<'_>, unknown: &mut Vec<String>) -> Result<Self, ImportError> {
        let first = row.cells().next().unwrap_or_default();
        if first.starts_with(&[0xff, 0xfe]) || first.starts_with(&[0xfe, 0xff]) {
            return Err(ImportError::Utf16);
        }
        let names: Vec<String> =
            row.cells().map(|cell| decode(cell).trim_start_matches('\u{feff}').trim().to_owned()).collect();
        let columns: Vec<Option<Column>> = names.iter().map(|name| Column::named(name)).collect();
        if columns.iter().all(Option::is_none) {
            return Err(not_a_header(&names));
        }
        for (at, column) in columns.iter().enumerate() {
            if let Some(column) = column
                && columns[..at].contains(&Some(*column))
            {
                return Err(ImportError::ColumnTwice { column: column.name() });
            }
        }
        let strange =
            names.iter().zip(&columns).filter(|(name, column)| column.is_none() && !name.is_empty());
        unknown.extend(strange.take(MAX_UNKNOWN).map(|(name, _)| clipped(name)));
        Ok(Self { columns })
    }

    fn contact(&self, row: &Row<'_>, presence: bool) -> Result<Contact, RowFault> {
        let extra = row.cells().skip(self.columns.len());
        if row.len() < self.columns.len() || !extra.clone().all(<[u8]>::is_empty) {
            let count = |cells: usize| u32::try_from(cells).unwrap_or(u32::MAX);
            return Err(RowFault::Cells { cells: count(row.len()), columns: count(self.columns.len()) });
        }
        let mut contact = Contact { presence, ..Contact::default() };
        let mut said_type = None;
        for (column, bytes) in self.columns.iter().zip(row.cells()) {
            let Some(column) = column else { continue };
            self.read_cell(&mut contact, &mut said_type, *column, bytes)?;
        }
        match (&contact.picture, said_type) {
            (Some(picture), Some(said)) if picture.kind() != said => {
                return Err(ContactError::OtherPicture { found: picture.kind(), said }.into());
            }
            _ => {}
        }
        contact.check()?;
        Ok(contact)
    }

    fn read_cell(
        &self,
        contact: &mut Contact,
        said_type: &mut Option<PictureType>,
        column: Column,
        bytes: &[u8],
    ) -> Result<(), RowFault> {
        if column == Column::Picture {
            contact.picture = read_picture(bytes)?;
            return Ok(());
        }
        let text = decode(bytes);
        let text = text.trim();
        match column {
            Column::Text(field) => formula::restored(text).clone_into(contact.text_mut(field)),
            Column::Presence if text.is_empty() => {}
            Column::Presence => contact.presence = read_bool(text)?,
            Column::Alert => contact.alert = text.parse()?,
            Column::PictureType if text.is_empty() => {}
            Column::PictureType => *said_type = Some(text.parse()?),
            Column::Picture => {}
        }
        Ok(())
    }
}

fn read_bool(text: &str) -> Result<bool, RowFault> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(RowFault::Presence { found: clipped(text) }),
    }
}

/// Reads base64 as others write it: with line ends, with or without padding.
fn read_picture(bytes: &[u8]) -> Result<Option<Picture>, ContactError> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.len() / 4 * 3 > MAX_PICTURE_BYTES + 3 {
        return Err(ContactError::PictureTooLarge);
    }
    let picture =
        GeneralPurpose::new(&STANDARD, lenient).decode(bytes).map_err(|_| ContactError::PictureEncoding)?;
    Picture::new(&picture).map(Some)
}

fn not_a_header(names: &[String]) -> ImportError {
    let known = |separator| {
        names
            .iter()
            .flat_map(move |name| name.split(separator))
            .any(|name| Column::named(name.trim_matches('"')).is_some())
    };
    if known(';') {
        ImportError::NotCommas { found: "semicolons" }
    } else if known('\t') {
        ImportError::NotCommas { found: "tabs" }
    } else {
        ImportError::NoHeader { found: clipped(&names.join(",")) }
    }
}

fn clipped(text: &str) -> String {
    text.chars().take(64).collect()
}
