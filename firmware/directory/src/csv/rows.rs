//! A file as rows of cells, each with its line, none longer than the memory allows.
//!
//! The reader of the `csv` crate is not used: it has no limit, so a quote that is never closed would bring
//! the whole file into memory, and it counts blank lines to the row after them.

use std::io::{self, Read};

use csv_core::ReadRecordResult;

/// Longest row, in bytes: a picture in base64 with line ends, and all texts.
const MAX_ROW_BYTES: usize = 6 * 1024 * 1024;

/// Most cells in a row.
const MAX_CELLS: usize = 4096;

/// Why there is no next row.
#[derive(Debug)]
pub(super) enum RowError {
    /// The row that begins on this line exceeds every limit. The rest of the file cannot be read.
    Endless { line: u64 },
    /// The reader refused.
    Read(io::Error),
}

impl From<io::Error> for RowError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// Reads rows.
pub(super) struct Rows<R> {
    reader: R,
    automaton: csv_core::Reader,
    input: Vec<u8>,
    used: usize,
    line: u64,
    output: Vec<u8>,
    ends: Vec<usize>,
}

/// One row.
pub(super) struct Row<'a> {
    /// The line it begins on, from 1.
    pub(super) line: u64,
    text: &'a [u8],
    ends: &'a [usize],
}

impl<R: Read> Rows<R> {
    /// Rows of what `reader` gives.
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            automaton: csv_core::Reader::new(),
            input: Vec::new(),
            used: 0,
            line: 1,
            output: vec![0; 4096],
            ends: vec![0; 32],
        }
    }

    /// The next row; blank lines are passed over.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>, RowError> {
        self.skip_blank_lines()?;
        let line = self.line;
        let (mut written, mut cells) = (0, 0);
        loop {
            self.fill()?;
            let input = &self.input[self.used..];
            let (output, ends) = (&mut self.output[written..], &mut self.ends[cells..]);
            let (result, read, wrote, ended) = self.automaton.read_record(input, output, ends);
            self.line += lines(&input[..read]);
            self.used += read;
            written += wrote;
            cells += ended;
            match result {
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => grow(&mut self.output, MAX_ROW_BYTES, line)?,
                ReadRecordResult::OutputEndsFull => grow(&mut self.ends, MAX_CELLS, line)?,
            }
        }
        Ok(Some(Row { line, text: &self.output[..written], ends: &self.ends[..cells] }))
    }

    fn skip_blank_lines(&mut self) -> io::Result<()> {
        loop {
            self.fill()?;
            let input = &self.input[self.used..];
            let blank = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.line += lines(&input[..blank]);
            self.used += blank;
            if blank == 0 || self.used < self.input.len() {
                return Ok(());
            }
        }
    }

    /// Reads on when all input has been used. At the end of the file there is none.
    fn fill(&mut self) -> io::Result<()> {
        if self.used < self.input.len() {
            return Ok(());
        }
        self.input.resize(64 * 1024, 0);
        self.used = 0;
        let read = loop {
            match self.reader.read(&mut self.input) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.input.truncate(*read.as_ref().unwrap_or(&0));
        read.map(drop)
    }
}

impl<'a> Row<'a> {
    /// Number of cells.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cells, without their quotes.
    pub(super) fn cells(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let text = self.text;
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(self.ends).map(move |(start, &end)| &text[start..end])
    }
}

fn lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

fn grow<T: Default + Clone>(buffer: &mut Vec<T>, max: usize, line: u64) -> Result<(), RowError> {
    if buffer.len() >= max {
        return Err(RowError::Endless { line });
    }
    buffer.resize((buffer.len() * 2).min(max), T::default());
    Ok(())
}
