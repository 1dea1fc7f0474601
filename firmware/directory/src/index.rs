//! The search index of one directory (DIR-6).
//!
//! A contact is a handful of *chunks*: the folded text of its fields between white space, and its
//! numbers as bare digits. Each different chunk is kept once, all in one text with the contacts that
//! have it beside; a search runs through that text, which is a fraction of all contacts' text because
//! names, companies and titles repeat. Searches of one letter hit nearly everything, so their result is
//! made beforehand.
//!
//! Not done here: cutting the query into words ([`crate::query`]), the order of equals and paging
//! ([`crate::catalogue`]).

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use memchr::memmem;

use crate::contact::{Contact, Field};
use crate::fold::fold_into;
use crate::near;
use crate::number::{NumberPlan, numbers_in};
use crate::query::{Needle, Query, Word};

/// How well a word was found: 0 not at all, up to 6.
///
/// The ranking in one place: a whole word before the beginning of a word before the inside of a word,
/// and for each of these the person's name before every other field, because a receptionist who types
/// "mar" means Martin before Marketing and both before Lamarche. The points of several words are added;
/// equals come in the order of the list. Initials ("mt" for Marie Tissot) count as the beginning of a word in
/// another field. Words with a slip ("matrin") are a second tier below all others, see [`crate::near`].
pub(crate) type Points = u8;

/// What initials are worth.
const INITIALS_POINTS: Points = 3;

/// Letters of initials that are looked for.
const INITIALS: std::ops::RangeInclusive<usize> = 2..=4;

/// Most points one word can have.
const MAX_POINTS: Points = 6;

/// Letters whose result is made beforehand, the most frequent ones; one byte per contact each.
const LETTERS: usize = 64;

/// Needles whose result is remembered: the words of a query as it grows letter by letter. Costs a byte per
/// contact each.
const RECENT: usize = 16;

/// Likewise of one or two characters: with them every search begins, people type the same ones all day, and they
/// have the most hits.
const RECENT_SHORT: usize = 128;

/// Needles whose chunks are remembered as well, for the next letter.
const RECENT_FOUND: usize = 16;

/// Longest list of chunks remembered.
const RECENT_CHUNKS: usize = 100_000;

/// The keys are not secret and their order is never used; the standard hasher would draw random numbers (law 2).
type Hasher = BuildHasherDefault<DefaultHasher>;

/// An index over the contacts it was made of. It never changes; see [`crate::catalogue`] for later edits.
#[derive(Default)]
pub(crate) struct Index {
    /// The contacts: their place in the catalogue, by the number they have here.
    slots: Vec<u32>,
    /// Every different chunk, sorted, each followed by a newline.
    text: String,
    /// Where each chunk begins in `text`, and the end of all.
    starts: Vec<usize>,
    /// Per chunk whether it is letters and digits only, one word.
    plain: Vec<bool>,
    /// Per chunk the contacts that have it: number here times two, plus one when it is in the name.
    owners: Vec<u32>,
    /// Where the owners of each chunk begin, and the end of all.
    owner_starts: Vec<usize>,
    /// Who has these initials: the number here.
    initials: HashMap<Box<str>, Vec<u32>, Hasher>,
    /// Points per contact for the most frequent letters.
    letters: BTreeMap<char, Vec<Points>>,
    /// What was found for needles looked for lately, that looked for last at the end.
    recent: Vec<Recent>,
}

/// A needle looked for lately.
struct Recent {
    needle: String,
    /// It counts at the beginning of a chunk only.
    at_start: bool,
    /// Its chunks, unless they are too many.
    found: Option<Found>,
    points: Arc<[Points]>,
}

/// Chunks that have a needle, and how.
type Found = Arc<[(u32, Place)]>;

/// Where in a chunk a needle was found, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Inside = 0,
    Beginning = 1,
    Whole = 2,
}

impl Place {
    fn points(self, in_name: bool) -> Points {
        self as Points * 2 + 1 + Points::from(in_name)
    }
}

impl Index {
    /// An index of these contacts, each with its place in the catalogue.
    pub(crate) fn new<'a>(contacts: impl Iterator<Item = (u32, &'a Contact)>, plan: &NumberPlan) -> Self {
        let mut slots = Vec::new();
        let mut chunks: HashMap<Box<str>, Vec<u32>, Hasher> = HashMap::default();
        let mut initials: HashMap<Box<str>, Vec<u32>, Hasher> = HashMap::default();
        for (slot, contact) in contacts {
            // A directory has far fewer than 2^31 contacts: the store keeps at most half a million.
            let owner = (slots.len() as u32) << 1;
            if let Some(letters) = initials_of(contact) {
                initials.entry(letters.into()).or_default().push(owner >> 1);
            }
            slots.push(slot);
            chunks_of(contact, plan, |chunk, in_name| {
                let owner = owner | u32::from(in_name);
                match chunks.get_mut(chunk) {
                    Some(owners) if owners.last() == Some(&owner) => {}
                    Some(owners) => owners.push(owner),
                    None => drop(chunks.insert(chunk.into(), vec![owner])),
                }
            });
        }
        let mut chunks: Vec<_> = chunks.into_iter().collect();
        chunks.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let mut index = Self { slots, initials, ..Self::default() };
        index.text.reserve_exact(chunks.iter().map(|(chunk, _)| chunk.len() + 1).sum());
        index.owners.reserve_exact(chunks.iter().map(|(_, owners)| owners.len()).sum());
        for (chunk, owners) in chunks {
            index.starts.push(index.text.len());
            index.owner_starts.push(index.owners.len());
            index.plain.push(chunk.chars().all(char::is_alphanumeric));
            index.text.push_str(&chunk);
            index.text.push('\n');
            index.owners.extend(owners);
        }
        index.starts.push(index.text.len());
        index.owner_starts.push(index.owners.len());
        index.prepare_letters();
        index
    }

    /// Adds to `scores`, by place in the catalogue, the points of each contact that `query` finds.
    pub(crate) fn search(&mut self, query: &Query, scores: &mut [Points]) {
        let mut total = self.all_words(&query.words);
        if let Some(number) = &query.number {
            // As a number the query counts as much as all its words together.
            let weight = query.words.len() as Points;
            let mut points = vec![0; self.slots.len()];
            self.word(number, &mut points);
            for (total, points) in total.iter_mut().zip(points) {
                *total = (*total).max(points.saturating_mul(weight));
            }
        }
        for (&slot, points) in self.slots.iter().zip(total) {
            scores[slot as usize] = points;
        }
    }

    fn all_words(&mut self, words: &[Word]) -> Vec<Points> {
        let mut total = vec![0; self.slots.len()];
        let mut points = vec![0; self.slots.len()];
        for (nth, word) in words.iter().enumerate() {
            if nth == 0 {
                self.word(word, &mut total);
                continue;
            }
            points.fill(0);
            self.word(word, &mut points);
            for (total, &points) in total.iter_mut().zip(&points) {
                *total = if *total == 0 || points == 0 { 0 } else { total.saturating_add(points) };
            }
        }
        total
    }

    fn word(&mut self, word: &Word, points: &mut [Points]) {
        for owner in self.initials.get(word.letters()).into_iter().flatten() {
            let points = &mut points[*owner as usize];
            *points = (*points).max(INITIALS_POINTS);
        }
        for needle in &word.needles {
            if needle.near {
                self.near(&needle.text, points);
            } else if needle.at_start && !is_short(&needle.text) {
                self.beginnings(&needle.text, points);
            } else if needle.at_start {
                raise_all(points, &self.points(&needle.text, true));
            } else if let Some(letter) = only_char(&needle.text).and_then(|c| self.letters.get(&c)) {
                raise_all(points, letter);
            } else {
                raise_all(points, &self.points(&needle.text, false));
            }
        }
    }

    /// The points of each contact for `needle`.
    fn points(&mut self, needle: &str, at_start: bool) -> Arc<[Points]> {
        let known = |recent: &Recent| recent.at_start == at_start && recent.needle == needle;
        if let Some(at) = self.recent.iter().position(known) {
            self.recent[at..].rotate_left(1);
            let points = self.recent.last().map(|recent| recent.points.clone());
            return points.unwrap_or_default();
        }
        let (found, points) = if at_start {
            let mut points = vec![0; self.slots.len()];
            self.beginnings(needle, &mut points);
            (None, points)
        } else {
            let found = self.find(needle);
            let points = self.points_of(&found);
            (Some(found).filter(|found| found.len() <= RECENT_CHUNKS), points)
        };
        let points: Arc<[Points]> = points.into();
        self.remember(Recent { needle: needle.to_owned(), at_start, found, points: points.clone() });
        points
    }

    /// Keeps what was found; the longest unused of its kind gives way.
    fn remember(&mut self, new: Recent) {
        let short = is_short(&new.needle);
        let mut alike = self.recent.iter().filter(|recent| is_short(&recent.needle) == short);
        if alike.clone().count() == if short { RECENT_SHORT } else { RECENT }
            && let Some(oldest) = alike.next().map(|oldest| (oldest.needle.clone(), oldest.at_start))
        {
            self.recent.retain(|recent| (&recent.needle, recent.at_start) != (&oldest.0, oldest.1));
        }
        self.recent.push(new);
        if let Some(older) = self.recent.len().checked_sub(RECENT_FOUND + 1) {
            self.recent[older].found = None;
        }
    }

    fn points_of(&self, found: &[(u32, Place)]) -> Vec<Points> {
        let mut points = vec![0; self.slots.len()];
        for &(chunk, place) in found {
            self.give(chunk as usize, place, &mut points);
        }
        points
    }

    /// Chunks that begin with `text` lie side by side, since they are sorted.
    fn beginnings(&self, text: &str, points: &mut [Points]) {
        let chunks = self.starts.len().saturating_sub(1);
        let first = partition(chunks, |chunk| self.chunk(chunk) < text);
        let end = first + partition(chunks - first, |chunk| self.chunk(first + chunk).starts_with(text));
        for chunk in first..end {
            let place = if self.chunk(chunk) == text { Place::Whole } else { Place::Beginning };
            self.give(chunk, place, points);
        }
    }

    /// Chunks with the same first letter that begin with `text` but for a slip.
    fn near(&self, text: &str, points: &mut [Points]) {
        let Some(letter) = text.chars().next() else { return };
        let chunks = self.starts.len().saturating_sub(1);
        let letter = letter.encode_utf8(&mut [0; 4]).to_owned();
        let first = partition(chunks, |chunk| self.chunk(chunk) < letter.as_str());
        let same = |chunk: &usize| self.chunk(*chunk).starts_with(&letter);
        for chunk in (first..chunks).take_while(same) {
            if let Some(whole) = near::begins(self.chunk(chunk), text) {
                self.give(chunk, if whole { Place::Whole } else { Place::Beginning }, points);
            }
        }
    }

    fn give(&self, chunk: usize, place: Place, points: &mut [Points]) {
        for &owner in &self.owners[self.owner_starts[chunk]..self.owner_starts[chunk + 1]] {
            let points = &mut points[(owner >> 1) as usize];
            *points = (*points).max(place.points(owner & 1 == 1));
        }
    }

    fn chunk(&self, chunk: usize) -> &str {
        &self.text[self.starts[chunk]..self.starts[chunk + 1] - 1]
    }

    /// The chunks that have `needle`. A chunk that has "mart" has "mar" too, so a word that has grown is
    /// looked for only where the shorter one was.
    fn find(&self, needle: &str) -> Found {
        let shorter = self.recent.iter().filter(|recent| needle.contains(&recent.needle));
        match shorter.filter_map(|recent| recent.found.as_ref()).min_by_key(|found| found.len()) {
            Some(found) => self.find_among(needle, found),
            None => self.find_anywhere(needle),
        }
    }

    fn find_among(&self, needle: &str, chunks: &[(u32, Place)]) -> Found {
        let finder = memmem::Finder::new(needle);
        chunks
            .iter()
            .filter_map(|&(chunk, _)| {
                let text = self.chunk(chunk as usize);
                let at = finder.find(text.as_bytes())?;
                Some((chunk, self.place(chunk as usize, text, at, &finder)))
            })
            .collect()
    }

    fn find_anywhere(&self, needle: &str) -> Found {
        let finder = memmem::Finder::new(needle);
        let mut found = Vec::new();
        let (mut from, mut chunk) = (0, 0);
        while let Some(hit) = finder.find(&self.text.as_bytes()[from..]) {
            let at = from + hit;
            // The next chunk is most often near: gallop, then halve.
            let mut step = 1;
            while self.starts.get(chunk + step).is_some_and(|&start| start <= at) {
                chunk += step;
                step *= 2;
            }
            chunk +=
                self.starts[chunk..self.starts.len().min(chunk + step)].partition_point(|&s| s <= at) - 1;
            from = self.starts[chunk + 1];
            let text = &self.text[self.starts[chunk]..from - 1];
            let place = self.place(chunk, text, at - self.starts[chunk], &finder);
            found.push((chunk as u32, place));
        }
        found.into()
    }

    /// The best place of the needle in a chunk, the first of which is known. Most chunks are one word, where
    /// that is all there is to know.
    fn place(&self, chunk: usize, text: &str, first: usize, finder: &memmem::Finder<'_>) -> Place {
        match first {
            _ if !self.plain[chunk] => best_place(text, first, finder),
            0 if text.len() == finder.needle().len() => Place::Whole,
            0 => Place::Beginning,
            _ => Place::Inside,
        }
    }

    fn prepare_letters(&mut self) {
        let mut counts: BTreeMap<char, usize> = BTreeMap::new();
        for c in self.text.chars().filter(|c| *c != '\n') {
            *counts.entry(c).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().map(|(c, count)| (std::cmp::Reverse(count), c)).collect();
        counts.sort_unstable();
        for (_, letter) in counts.into_iter().take(LETTERS) {
            let found = self.find_anywhere(letter.encode_utf8(&mut [0; 4]));
            self.letters.insert(letter, self.points_of(&found));
        }
    }
}

/// The points of one contact, found without an index.
pub(crate) fn score(contact: &Contact, query: &Query, plan: &NumberPlan) -> Points {
    let mut chunks = Vec::new();
    chunks_of(contact, plan, |chunk, in_name| chunks.push((chunk.to_owned(), in_name)));
    let word = |word: &Word| {
        let needles = word.needles.iter().map(|needle| (needle, memmem::Finder::new(&needle.text)));
        let scores = needles.flat_map(|(needle, finder)| {
            let points = |(chunk, in_name): &(String, bool)| needle_points(chunk, *in_name, needle, &finder);
            chunks.iter().map(points).collect::<Vec<_>>()
        });
        let initials = initials_of(contact).is_some_and(|letters| letters == word.letters());
        scores.max().unwrap_or(0).max(if initials { INITIALS_POINTS } else { 0 })
    };
    let words: Vec<Points> = query.words.iter().map(word).collect();
    let total = if words.contains(&0) { 0 } else { words.iter().sum() };
    let number = query.number.as_ref().map_or(0, word).saturating_mul(query.words.len() as Points);
    total.max(number)
}

/// Most points a query can have, for sorting by counting.
pub(crate) fn most_points(query: &Query) -> Points {
    (query.words.len() as Points).saturating_mul(MAX_POINTS)
}

fn needle_points(chunk: &str, in_name: bool, needle: &Needle, finder: &memmem::Finder<'_>) -> Points {
    let near = |whole| if whole { Place::Whole } else { Place::Beginning };
    let place = match needle.at_start {
        true if needle.near => near::begins(chunk, &needle.text).map(near),
        true if chunk == needle.text => Some(Place::Whole),
        true => chunk.starts_with(&needle.text).then_some(Place::Beginning),
        false => place_in(chunk, finder),
    };
    place.map_or(0, |place| place.points(in_name))
}

fn place_in(chunk: &str, finder: &memmem::Finder<'_>) -> Option<Place> {
    let first = finder.find(chunk.as_bytes())?;
    Some(best_place(chunk, first, finder))
}

/// The best of all places where the needle is in `chunk`, the first of which is known. "Jean-Marie" has
/// two words: a word begins and ends at whatever is no letter or digit.
fn best_place(chunk: &str, first: usize, finder: &memmem::Finder<'_>) -> Place {
    let length = finder.needle().len();
    let mut best = Place::Inside;
    let mut at = first;
    loop {
        let after_word = chunk[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let before_word = chunk[at + length..].chars().next().is_some_and(char::is_alphanumeric);
        best = best.max(match (after_word, before_word) {
            (false, false) => return Place::Whole,
            (false, true) => Place::Beginning,
            (true, _) => Place::Inside,
        });
        // The needle is whole characters, so its end is the beginning of one.
        match finder.find(&chunk.as_bytes()[at + length..]) {
            Some(next) => at += length + next,
            None => return best,
        }
    }
}

/// Hands each chunk of a contact to `each`, with whether it is part of the name.
fn chunks_of(contact: &Contact, plan: &NumberPlan, mut each: impl FnMut(&str, bool)) {
    let mut folded = String::new();
    for field in Field::ALL {
        let text = contact.text(field);
        if text.is_empty() {
            continue;
        }
        if field.is_number() {
            let mut is_number = false;
            for digits in numbers_in(text).filter_map(|number| plan.search_digits(number)) {
                is_number = true;
                each(&digits, false);
            }
            if is_number && !text.chars().any(char::is_alphabetic) {
                continue;
            }
        }
        folded.clear();
        fold_into(&mut folded, text);
        for chunk in folded.split_whitespace() {
            each(chunk, field.is_name());
        }
    }
    for digits in contact.more_numbers().filter_map(|number| plan.search_digits(number)) {
        each(&digits, false);
    }
}

/// The first letters of the words of a name: "jmd" for Jean-Marc Dupont. `None` where they are too few or many.
fn initials_of(contact: &Contact) -> Option<String> {
    let mut folded = String::new();
    fold_into(&mut folded, contact.text(Field::FirstName));
    folded.push(' ');
    fold_into(&mut folded, contact.text(Field::LastName));
    let words = folded.split(|c: char| !c.is_alphanumeric());
    let letters: String = words.filter_map(|word| word.chars().next()).collect();
    INITIALS.contains(&letters.chars().count()).then_some(letters)
}

fn raise_all(points: &mut [Points], to: &[Points]) {
    for (points, &to) in points.iter_mut().zip(to) {
        *points = (*points).max(to);
    }
}

fn is_short(needle: &str) -> bool {
    needle.chars().nth(2).is_none()
}

fn only_char(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// The first of `0..count` for which `before` no longer holds.
fn partition(count: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn contact() -> impl Strategy<Value = Contact> {
        let text = "[ab1]{0,3}[-. @é]?[ab1]{0,3}";
        (text, text, text, "[0-3]{0,8}").prop_map(|(last_name, company, email, phone)| Contact {
            last_name,
            company,
            email,
            phone,
            ..Contact::default()
        })
    }

    proptest! {
        /// The index gives each contact the very points that looking at the contact alone gives, also when
        /// earlier searches are remembered.
        #[test]
        fn the_index_agrees_with_looking_at_each_contact(
            contacts in prop::collection::vec(contact(), 0..30),
            typed in prop::collection::vec("[ab1é.@ ]{0,4}|[0-3 +]{0,5}", 1..30),
        ) {
            let plan = NumberPlan::default();
            let mut index = Index::new((0..).zip(&contacts), &plan);
            for text in typed {
                let query = Query::new(&text, &plan);
                let mut scores = vec![0; contacts.len()];
                index.search(&query, &mut scores);
                let expected: Vec<Points> = contacts.iter().map(|contact| score(contact, &query, &plan)).collect();
                prop_assert!(query.is_empty() || scores == expected, "{:?}: {:?}, not {:?}", text, scores, expected);
                prop_assert!(scores.iter().all(|points| *points <= most_points(&query)));
            }
        }
    }

    #[test]
    fn letters_made_beforehand_give_what_a_search_gives() {
        let names = ["Anna", "bA", "x-a", "é a", "b"];
        let contacts: Vec<Contact> =
            names.iter().map(|name| Contact { last_name: (*name).into(), ..Contact::default() }).collect();
        let plan = NumberPlan::default();
        let mut index = Index::new((0..).zip(&contacts), &plan);
        assert!(index.letters.contains_key(&'a'));
        let query = Query::new("a", &plan);
        let (mut before, mut after) = (vec![0; names.len()], vec![0; names.len()]);
        index.search(&query, &mut before);
        index.letters.clear();
        index.search(&query, &mut after);
        assert_eq!(before, after);
        assert_eq!(before, [4, 2, 6, 6, 0]);
    }
}
