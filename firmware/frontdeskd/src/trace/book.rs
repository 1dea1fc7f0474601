//! The newest messages in memory, by call, within bounds; and what is counted of each call.
//!
//! Three shelves, each with a bound of its own, so that neither a storm of lamps nor a flood from strangers pushes the
//! calls out: dialogs that began with an INVITE and that the desk took part in, all others it took part in, and what
//! it never answered. On each the oldest message goes first; one dialog takes no more than [`MAX_DIALOG`]. Not done
//! here: time, and the file.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    sync::Arc,
};

use ipc::{CallFigures, CallRef, SoundFigures};
use sip::{
    Target,
    trace::{Glance, mask},
};

/// Sixteenths of the whole for each shelf, in the order of [`Shelf`].
const SHARES: [usize; 3] = [12, 3, 1];
/// Bytes kept of one dialog: several hundred messages.
const MAX_DIALOG: usize = 512 << 10;
/// What a message takes beside its bytes, about.
const OVERHEAD: usize = 256;
/// Dialogs told of at once, the newest first.
const MAX_TOLD: usize = 200;
/// Messages of one dialog and direction among which a repeated one is noticed.
const REMEMBERED: usize = 8;

/// One message, without its secrets.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Grows with every message.
    pub(crate) number: u64,
    /// Microseconds since 1970.
    pub(crate) at_us: u64,
    pub(crate) is_out: bool,
    pub(crate) local: SocketAddr,
    pub(crate) peer: Target,
    /// Bytes that streams carried the same way before it.
    pub(crate) position: u32,
    /// Empty where the message has none.
    pub(crate) call_id: Arc<str>,
    /// The call of the desk, once it is known.
    pub(crate) call: Option<CallRef>,
    pub(crate) message: Arc<[u8]>,
}

/// A message on its way in or out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sighting<'a> {
    pub(crate) at_us: u64,
    pub(crate) is_out: bool,
    pub(crate) local: SocketAddr,
    pub(crate) peer: Target,
    pub(crate) bytes: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shelf {
    Calls,
    Others,
    Unanswered,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Book {
    /// The most that each shelf holds, in bytes.
    bounds: [usize; 3],
    last: u64,
    entries: BTreeMap<u64, Entry>,
    shelves: [Kept; 3],
    dialogs: HashMap<Arc<str>, Dialog>,
    /// Bytes that streams carried in, and out.
    carried: [u32; 2],
}

#[derive(Debug, Default)]
struct Kept {
    numbers: BTreeSet<u64>,
    bytes: usize,
}

#[derive(Debug)]
struct Dialog {
    shelf: Shelf,
    has_invite: bool,
    numbers: VecDeque<u64>,
    bytes: usize,
    call: Option<CallRef>,
    is_over: bool,
    figures: CallFigures,
    /// Hashes of the newest messages, in and out.
    recent: [VecDeque<u64>; 2],
}

impl Book {
    /// An empty one that holds `size` bytes at most.
    pub(crate) fn new(size: usize) -> Self {
        Self {
            bounds: SHARES.map(|share| size / 16 * share),
            last: 0,
            entries: BTreeMap::new(),
            shelves: Default::default(),
            dialogs: HashMap::new(),
            carried: [0; 2],
        }
    }

    /// Writes a message down.
    pub(crate) fn note(&mut self, seen: &Sighting<'_>) {
        let Glance { call_id, is_invite } = Glance::at(seen.bytes);
        let call_id: Arc<str> = call_id.unwrap_or_default().into();
        let dialog = self.dialog(&call_id, seen.at_us);
        dialog.has_invite |= is_invite;
        dialog.count(seen);
        let shelf = match (seen.is_out || dialog.call.is_some(), dialog.has_invite, dialog.shelf) {
            (true, true, _) => Shelf::Calls,
            (true, false, Shelf::Unanswered) => Shelf::Others,
            (_, _, shelf) => shelf,
        };
        self.move_to(&call_id, shelf);
        self.keep(seen, call_id);
    }

    /// Says which call of the desk a dialog is; a call may have several.
    pub(crate) fn name(&mut self, call: CallRef, call_id: &str, at_us: u64) {
        let call_id: Arc<str> = call_id.chars().take(sip::trace::MAX_CALL_ID).collect::<String>().into();
        let dialog = self.dialog(&call_id, at_us);
        (dialog.call, dialog.figures.call) = (Some(call), Some(call));
        let numbers = dialog.numbers.clone();
        self.move_to(&call_id, Shelf::Calls);
        for number in numbers {
            if let Some(entry) = self.entries.get_mut(&number) {
                entry.call = Some(call);
            }
        }
    }

    /// The call has ended; what it leaves goes when its last message does.
    pub(crate) fn ended(&mut self, call: CallRef) {
        for dialog in self.dialogs.values_mut().filter(|dialog| dialog.call == Some(call)) {
            dialog.is_over = true;
        }
    }

    /// The call is over, and so was its sound; what was counted of it, of all its dialogs together.
    pub(crate) fn over(&mut self, call: CallRef, sound: SoundFigures) -> CallFigures {
        let mut all = CallFigures { call: Some(call), ..CallFigures::default() };
        self.dialogs.retain(|_, dialog| {
            if dialog.call != Some(call) {
                return true;
            }
            dialog.is_over = true;
            dialog.figures.sound = Some(sound);
            add(&mut all, &dialog.figures);
            !dialog.numbers.is_empty()
        });
        all
    }

    /// Messages behind `after`, in their order, until they have `bytes`; and whether more follow.
    pub(crate) fn page(&self, call: Option<CallRef>, after: u64, bytes: usize) -> (Vec<Entry>, bool) {
        let mut left = bytes;
        let mut page = Vec::new();
        let wanted = self.entries.range(after.saturating_add(1)..).map(|(_, entry)| entry);
        for entry in wanted.filter(|entry| call.is_none() || entry.call == call) {
            if left == 0 {
                return (page, true);
            }
            left = left.saturating_sub(entry.message.len() + OVERHEAD);
            page.push(entry.clone());
        }
        (page, false)
    }

    /// What was counted of the newest dialogs with the desk, calls and others, the newest first.
    pub(crate) fn figures(&self) -> Vec<CallFigures> {
        let known = self.dialogs.values().filter(|dialog| dialog.shelf != Shelf::Unanswered);
        let mut told: Vec<&CallFigures> = known.map(|dialog| &dialog.figures).collect();
        told.sort_unstable_by(|a, b| (b.last_unix_us, &b.call_id).cmp(&(a.last_unix_us, &a.call_id)));
        told.into_iter().take(MAX_TOLD).cloned().collect()
    }

    fn dialog(&mut self, call_id: &Arc<str>, at_us: u64) -> &mut Dialog {
        self.dialogs.entry(Arc::clone(call_id)).or_insert_with(|| Dialog {
            shelf: Shelf::Unanswered,
            has_invite: false,
            numbers: VecDeque::new(),
            bytes: 0,
            call: None,
            is_over: false,
            figures: CallFigures {
                call_id: call_id.to_string(),
                began_unix_us: at_us,
                last_unix_us: at_us,
                ..CallFigures::default()
            },
            recent: [VecDeque::new(), VecDeque::new()],
        })
    }

    fn keep(&mut self, seen: &Sighting<'_>, call_id: Arc<str>) {
        let Some(dialog) = self.dialogs.get_mut(&call_id) else { return };
        self.last += 1;
        let number = self.last;
        let mut position = 0;
        if seen.peer.transport.is_stream() {
            let carried = &mut self.carried[usize::from(seen.is_out)];
            position = *carried;
            *carried = carried.wrapping_add(u32::try_from(seen.bytes.len()).unwrap_or(0));
        }
        let entry = Entry {
            number,
            at_us: seen.at_us,
            is_out: seen.is_out,
            local: seen.local,
            peer: seen.peer,
            position,
            call_id: Arc::clone(&call_id),
            call: dialog.call,
            message: mask(seen.bytes).into(),
        };
        let size = size(&entry);
        dialog.numbers.push_back(number);
        dialog.bytes += size;
        let (shelf, mut too_much) = (dialog.shelf, dialog.bytes.saturating_sub(MAX_DIALOG));
        let mut spare = Vec::new();
        for number in &dialog.numbers {
            if too_much == 0 {
                break;
            }
            spare.push(*number);
            too_much = too_much.saturating_sub(self.entries.get(number).map_or(0, self::size));
        }
        self.entries.insert(number, entry);
        self.shelves[shelf as usize].numbers.insert(number);
        self.shelves[shelf as usize].bytes += size;
        spare.into_iter().for_each(|number| self.drop_entry(number));
        self.trim(shelf);
    }

    fn move_to(&mut self, call_id: &Arc<str>, shelf: Shelf) {
        let Some(dialog) = self.dialogs.get_mut(call_id).filter(|dialog| dialog.shelf != shelf) else {
            return;
        };
        let (before, bytes) = (dialog.shelf, dialog.bytes);
        dialog.shelf = shelf;
        for number in &dialog.numbers {
            self.shelves[before as usize].numbers.remove(number);
            self.shelves[shelf as usize].numbers.insert(*number);
        }
        self.shelves[before as usize].bytes -= bytes;
        self.shelves[shelf as usize].bytes += bytes;
        self.trim(shelf);
    }

    fn trim(&mut self, shelf: Shelf) {
        while self.shelves[shelf as usize].bytes > self.bounds[shelf as usize]
            && let Some(&oldest) = self.shelves[shelf as usize].numbers.first()
        {
            self.drop_entry(oldest);
        }
    }

    fn drop_entry(&mut self, number: u64) {
        let Some(entry) = self.entries.remove(&number) else { return };
        let Some(dialog) = self.dialogs.get_mut(&entry.call_id) else { return };
        let size = size(&entry);
        self.shelves[dialog.shelf as usize].numbers.remove(&number);
        self.shelves[dialog.shelf as usize].bytes -= size;
        dialog.bytes -= size;
        // They go in the order in which they came.
        dialog.numbers.pop_front();
        if dialog.numbers.is_empty() && (dialog.call.is_none() || dialog.is_over) {
            self.dialogs.remove(&entry.call_id);
        }
    }
}

impl Dialog {
    fn count(&mut self, seen: &Sighting<'_>) {
        let mut hasher = DefaultHasher::new();
        seen.bytes.hash(&mut hasher);
        let hash = hasher.finish();
        let recent = &mut self.recent[usize::from(seen.is_out)];
        let is_repeated = recent.contains(&hash);
        if !is_repeated {
            if recent.len() == REMEMBERED {
                recent.pop_front();
            }
            recent.push_back(hash);
        }
        let (figures, bytes) = (&mut self.figures, seen.bytes.len() as u64);
        figures.last_unix_us = seen.at_us;
        if seen.is_out {
            figures.messages_out += 1;
            figures.bytes_out += bytes;
            figures.repeated_out += u64::from(is_repeated);
        } else {
            figures.messages_in += 1;
            figures.bytes_in += bytes;
            figures.repeated_in += u64::from(is_repeated);
        }
    }
}

fn size(entry: &Entry) -> usize {
    entry.message.len() + OVERHEAD
}

fn add(all: &mut CallFigures, one: &CallFigures) {
    if all.call_id.is_empty() || one.began_unix_us < all.began_unix_us {
        (all.call_id, all.began_unix_us) = (one.call_id.clone(), one.began_unix_us);
    }
    all.last_unix_us = all.last_unix_us.max(one.last_unix_us);
    all.messages_in += one.messages_in;
    all.messages_out += one.messages_out;
    all.bytes_in += one.bytes_in;
    all.bytes_out += one.bytes_out;
    all.repeated_in += one.repeated_in;
    all.repeated_out += one.repeated_out;
    all.sound = one.sound;
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(method: &str, call_id: &str, fill: usize) -> Vec<u8> {
        format!(
            "{method} sip:a@b SIP/2.0\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\nSubject: {}\r\n\r\n",
            "x".repeat(fill)
        )
        .into_bytes()
    }

    fn note(book: &mut Book, is_out: bool, bytes: &[u8]) {
        let address = SocketAddr::from(([127, 0, 0, 1], 5060));
        let at_us = book.last + 1;
        book.note(&Sighting { at_us, is_out, local: address, peer: address.into(), bytes });
    }

    /// All that must be true at any time.
    fn is_sound(book: &Book) {
        let mut bytes = [0; 3];
        for (number, entry) in &book.entries {
            let dialog = &book.dialogs[&entry.call_id];
            bytes[dialog.shelf as usize] += size(entry);
            assert!(book.shelves[dialog.shelf as usize].numbers.contains(number));
            assert!(dialog.numbers.contains(number));
        }
        assert_eq!(book.shelves.each_ref().map(|shelf| shelf.bytes), bytes);
        assert!(bytes.iter().zip(book.bounds).all(|(bytes, bound)| *bytes <= bound), "{bytes:?}");
        assert_eq!(book.shelves.iter().map(|shelf| shelf.numbers.len()).sum::<usize>(), book.entries.len());
        assert_eq!(book.dialogs.values().map(|of| of.numbers.len()).sum::<usize>(), book.entries.len());
        assert!(book.dialogs.values().all(|dialog| dialog.bytes <= MAX_DIALOG));
        assert!(book.dialogs.values().all(|of| !of.numbers.is_empty() || of.call.is_some() && !of.is_over));
    }

    #[test]
    fn a_call_is_counted_and_its_messages_come_in_order() {
        let mut book = Book::new(8 << 20);
        let (invite, bye) = (message("INVITE", "c", 10), message("BYE", "c", 10));
        note(&mut book, false, &invite);
        note(&mut book, false, &invite);
        book.name(CallRef(7), "c", 1);
        note(&mut book, true, &bye);
        note(&mut book, false, &message("OPTIONS", "other", 0));
        let (all, more) = book.page(None, 0, 1 << 20);
        assert_eq!((all.len(), more), (4, false));
        let (first, more) = book.page(Some(CallRef(7)), 0, 1);
        assert_eq!((first.len(), more), (1, true));
        let (rest, more) = book.page(Some(CallRef(7)), first[0].number, 1 << 20);
        assert_eq!((rest.len(), more), (2, false));
        let sound = SoundFigures { sent: 5, ..SoundFigures::default() };
        let figures = book.over(CallRef(7), sound);
        assert_eq!((figures.messages_in, figures.repeated_in, figures.messages_out), (2, 1, 1));
        assert_eq!((figures.bytes_in, figures.sound), (2 * invite.len() as u64, Some(sound)));
        assert_eq!(book.figures().len(), 1, "what was never answered is told of no call");
        is_sound(&book);
    }

    #[test]
    fn neither_a_flood_nor_a_storm_of_lamps_pushes_a_call_out() {
        let mut book = Book::new(8 << 20);
        note(&mut book, false, &message("INVITE", "call", 0));
        note(&mut book, true, &message("INVITE", "call", 1));
        for n in 0..20_000 {
            note(&mut book, false, &message("INVITE", &format!("flood{n}"), 500));
            note(&mut book, true, &message("SUBSCRIBE", &format!("lamp{}", n % 100), 500 + n % 7));
        }
        is_sound(&book);
        assert!(book.entries.values().filter(|entry| &*entry.call_id == "call").count() == 2);
        assert!(book.entries.len() < 4_000, "{}", book.entries.len());
    }

    #[test]
    fn an_endless_call_keeps_its_newest_messages_and_all_its_figures() {
        let mut book = Book::new(8 << 20);
        book.name(CallRef(1), "long", 1);
        for _ in 0..3_000 {
            note(&mut book, true, &message("INFO", "long", 1_000));
        }
        is_sound(&book);
        let (kept, _) = book.page(Some(CallRef(1)), 0, usize::MAX);
        assert!((300..3_000).contains(&kept.len()), "{}", kept.len());
        assert_eq!(kept.last().unwrap().number, 3_000);
        let figures = book.over(CallRef(1), SoundFigures::default());
        assert_eq!((figures.messages_out, figures.repeated_out), (3_000, 2_999));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn whatever_happens_the_books_agree(steps in proptest::collection::vec((0_u8..6, 0_u8..5, 0_usize..60_000), 0..200)) {
            let mut book = Book::new(8 << 20);
            for (what, who, fill) in steps {
                let call_id = format!("c{who}");
                match what {
                    0 => book.name(CallRef(u64::from(who)), &call_id, 1),
                    1 => _ = book.over(CallRef(u64::from(who)), SoundFigures::default()),
                    2 => note(&mut book, true, &message("NOTIFY", &call_id, fill)),
                    3 => note(&mut book, false, b"rubbish"),
                    4 => note(&mut book, false, &message("INVITE", &format!("{call_id}-{fill}"), fill)),
                    _ => note(&mut book, false, &message("INVITE", &call_id, fill)),
                }
                is_sound(&book);
            }
        }
    }
}
