//! What a disk was told, in order: the log that QEMU's `blklogwrites` keeps (the format of Linux's dm-log-writes), and what is
//! on the platters after a power cut at any moment of it.
//!
//! A disk may keep writes in its own memory until it is told to flush. So what counts as written at a moment is everything up
//! to the last flush before it; of what came after that, any part may be lost, and here a part is, by dice.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use frontdesk_tests::dice::Dice;

/// `WRITE_LOG_MAGIC` of dm-log-writes.
const MAGIC: u64 = 0x006a_7366_7773_6872;
const FLUSH: u64 = 1;
const DISCARD: u64 = 4;
/// The most that one entry carries: QEMU splits what is larger.
const LARGEST: u64 = 1 << 26;

/// One thing that the disk was told.
#[derive(Debug)]
struct Entry {
    /// Where its bytes go, and how many they are.
    place: Range<u64>,
    /// Where they are in the log; `None` when there are none.
    data: Option<u64>,
    is_flush: bool,
    /// Where in the log it is complete.
    end: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct DiskLog {
    file: File,
    entries: Vec<Entry>,
}

impl DiskLog {
    /// Reads what there is.
    ///
    /// # Errors
    /// Those of the file, or that it is no such log.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut head = [0; 28];
        file.read_exact(&mut head)?;
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let sector = number(&head[24..28]);
        if number(&head[..8]) != MAGIC || sector == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no log of writes"));
        }
        let (mut entries, mut at) = (Vec::new(), sector);
        while at + sector <= length {
            let mut words = [0; 32];
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut words)?;
            let [first, count, flags] = [0, 8, 16].map(|from| number(&words[from..from + 8]));
            if first == 0 && count == 0 && flags == 0 {
                break;
            }
            let bytes = count.saturating_mul(sector);
            if bytes > LARGEST && flags & DISCARD == 0 {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "an entry of no size"));
            }
            let has_data = flags & DISCARD == 0 && count > 0;
            let end = at + sector + if has_data { bytes } else { 0 };
            if end > length {
                break;
            }
            let place = first * sector..first * sector + bytes;
            let data = has_data.then_some(at + sector);
            entries.push(Entry { place, data, is_flush: flags & FLUSH != 0, end });
            at = end;
        }
        Ok(Self { file, entries })
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Where in the log the first `count` entries end.
    pub(crate) fn end(&self, count: usize) -> u64 {
        count.checked_sub(1).and_then(|last| self.entries.get(last)).map_or(0, |entry| entry.end)
    }

    /// How many of the first `count` entries are on the platters whatever happens.
    pub(crate) fn flushed(&self, count: usize) -> usize {
        let flush = self.entries[..count].iter().rposition(|entry| entry.is_flush);
        flush.map_or(0, |flush| flush + 1)
    }

    /// Does to `part`, which begins at `from` of the disk, what these entries say; with dice, only some of it.
    ///
    /// # Errors
    /// Those of the log's file.
    pub(crate) fn apply(
        &mut self,
        entries: Range<usize>,
        (part, from): (&mut [u8], u64),
        mut dice: Option<&mut Dice>,
    ) -> io::Result<()> {
        let until = from + part.len() as u64;
        for entry in &self.entries[entries] {
            if dice.as_deref_mut().is_some_and(|dice| dice.below(2) == 0) {
                continue;
            }
            let (begin, end) = (entry.place.start.max(from), entry.place.end.min(until));
            let Some(data) = entry.data.filter(|_| begin < end) else { continue };
            let there = &mut part[(begin - from) as usize..(end - from) as usize];
            self.file.seek(SeekFrom::Start(data + (begin - entry.place.start)))?;
            self.file.read_exact(there)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;

    use super::*;

    const SECTOR: usize = 512;

    fn log(entries: &[(u64, u64, u64, u8)]) -> Vec<u8> {
        let mut bytes = [MAGIC, 1, entries.len() as u64].map(u64::to_le_bytes).concat();
        bytes.extend(512_u32.to_le_bytes());
        bytes.resize(SECTOR, 0);
        for (sector, count, flags, fill) in entries {
            let begin = bytes.len();
            bytes.extend([*sector, *count, *flags, 0].map(u64::to_le_bytes).concat());
            bytes.resize(begin + SECTOR, 0);
            if flags & DISCARD == 0 {
                bytes.resize(bytes.len() + *count as usize * SECTOR, *fill);
            }
        }
        bytes
    }

    #[test]
    fn app_4_what_was_flushed_is_there_and_what_was_not_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, log(&[(2, 1, 0, 7), (0, 0, FLUSH, 0), (3, 2, 0, 8), (2, 1, DISCARD, 0)])).unwrap();
        let mut log = DiskLog::read(&path).unwrap();
        assert_eq!((log.len(), log.flushed(1), log.flushed(2), log.flushed(4)), (4, 0, 2, 2));
        assert!(log.end(1) < log.end(2) && log.end(0) == 0);
        // The part begins at the third sector and has two.
        let mut part = vec![0; 2 * SECTOR];
        log.apply(0..log.flushed(4), (&mut part, 2 * SECTOR as u64), None).unwrap();
        assert_eq!((part[0], part[SECTOR]), (7, 0));
        log.apply(2..4, (&mut part, 2 * SECTOR as u64), None).unwrap();
        assert_eq!((part[0], part[SECTOR], part[2 * SECTOR - 1]), (7, 8, 8));
    }

    #[test]
    fn app_4_a_log_that_is_cut_off_or_none_is_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let whole = log(&[(0, 4, 0, 1), (0, 0, FLUSH, 0)]);
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            if let Ok(log) = DiskLog::read(&path) {
                assert!(log.len() <= 2);
            }
        }
        fs::write(&path, vec![1; 2000]).unwrap();
        assert!(DiskLog::read(&path).is_err());
    }
}
