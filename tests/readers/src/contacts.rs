//! Files of contacts (DIR-3): what was read can be kept, is written without formulas, and read again it is the same.

use std::io::{self, Read};

use directory::Contact;
use directory::csv::{Verdict, export, import};
use ipc::ImportReport;

/// Most rows of which a report says what is wrong.
const MOST_PROBLEMS: usize = 1000;

pub(crate) fn contacts(bytes: &[u8]) -> bool {
    let Some((taken, report)) = read(bytes) else { return false };
    assert_eq!(report.loaded as usize, taken.len());
    assert!(report.problems.len() <= MOST_PROBLEMS && report.problems.len() <= report.left_out as usize);
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    assert!(report.problems.iter().all(|problem| (1..=lines).contains(&problem.line)), "{report:?}");
    assert_eq!(read(ByteByByte(bytes)), Some((taken.clone(), report)), "another file, read byte by byte");
    for contact in &taken {
        assert!(contact.check().is_ok(), "{contact:?} cannot be kept");
        let mut trimmed = contact.clone();
        trimmed.trim();
        assert_eq!(trimmed, *contact, "texts come trimmed");
    }
    let mut file = Vec::new();
    export(&mut file, &taken).unwrap_or_else(|error| panic!("{error}"));
    let again = read(file.as_slice());
    let again = again.map(|(contacts, report)| (contacts, report.left_out, report.unknown_columns));
    assert_eq!(again, Some((taken.clone(), 0, Vec::new())), "{}", String::from_utf8_lossy(&file));
    !taken.is_empty()
}

fn read(file: impl Read) -> Option<(Vec<Contact>, ImportReport)> {
    let mut taken = Vec::new();
    let take = |contact| {
        taken.push(contact);
        Verdict::Taken
    };
    let report = import(file, false, take).ok()?;
    Some((taken, report))
}

/// A slow stick.
struct ByteByByte<'a>(&'a [u8]);

impl Read for ByteByByte<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}
