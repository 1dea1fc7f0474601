//! Contacts into a file.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Column, formula};
use crate::contact::Contact;

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The writer refused.
    #[error("contacts cannot be written: {0}")]
    Write(#[from] io::Error),
}

impl From<csv::Error> for ExportError {
    fn from(error: csv::Error) -> Self {
        Self::Write(error.into())
    }
}

/// Writes contacts so that [`super::import`] reads the same ones: UTF-8 with a byte order mark, by which
/// Excel knows it, lines ending in CR LF (RFC 4180).
///
/// # Errors
/// When the writer does.
pub fn export<'a>(
    mut writer: impl Write,
    contacts: impl IntoIterator<Item = &'a Contact>,
) -> Result<(), ExportError> {
    let mut file = Exporter::new(&mut writer)?;
    for contact in contacts {
        file.write(contact)?;
    }
    file.finish()
}

/// Writes one contact after another.
pub struct Exporter<W: Write> {
    csv: csv::Writer<W>,
}

impl<W: Write> Exporter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// When the writer does.
    pub fn new(mut writer: W) -> Result<Self, ExportError> {
        writer.write_all("\u{feff}".as_bytes())?;
        let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(writer);
        csv.write_record(Column::ALL.map(Column::name))?;
        Ok(Self { csv })
    }

    /// Writes one row.
    ///
    /// # Errors
    /// When the writer does.
    pub fn write(&mut self, contact: &Contact) -> Result<(), ExportError> {
        self.csv.write_record(Column::ALL.map(|column| cell(contact, column)))?;
        Ok(())
    }

    /// Hands the last bytes to the writer.
    ///
    /// # Errors
    /// When the writer does.
    pub fn finish(mut self) -> Result<(), ExportError> {
        Ok(self.csv.flush()?)
    }
}

fn cell(contact: &Contact, column: Column) -> String {
    let picture = contact.picture.as_ref();
    match column {
        Column::Text(field) => formula::harmless(field, contact.text(field)).into_owned(),
        Column::Presence => contact.presence.to_string(),
        Column::Alert => contact.alert.to_string(),
        Column::PictureType => picture.map(|picture| picture.kind().to_string()).unwrap_or_default(),
        Column::Picture => picture.map(|picture| STANDARD.encode(picture.bytes())).unwrap_or_default(),
    }
}
