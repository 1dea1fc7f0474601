//! Every directory in memory: lists, search and numbers.
//!
//! Contacts live in numbered slots. Each directory has a search index over the contacts it had when the
//! index was made; those changed since are *loose* and looked through one by one, until there are so many
//! that a new index is worth its time. A slot freed by a removed contact is used again only once no
//! index knows it any more.
//!
//! Not done here: keeping anything ([`Entry`] comes from the store and goes there first), pictures.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use ipc::{
    ContactId, ContactPage, ContactPlace, ContactQuery, ContactRow, DirectoryId, DirectoryLook,
    DirectoryView, Party, SortKey,
};

use crate::contact::{Contact, Field};
use crate::index::{Index, Points, most_points, score};
use crate::number::{Form, MatchRule, NumberKey, NumberPlan, numbers_in};
use crate::order::sort_text;
use crate::query::Query;

/// Most rows in one page.
pub(crate) const MAX_PAGE: u32 = 500;

/// Longest text in a row of a page, in bytes, so that a page fits a frame; the contact itself has all of it.
const MAX_ROW_TEXT: usize = 512;

/// Most contacts looked through one by one before an index is made.
const MAX_LOOSE: usize = 256;

/// Fewer hits than this leave room for those with a slip of the finger.
const FEW: usize = 12;

/// Most matches of a number that are of use: a switchboard's number may be everybody's.
const MAX_MATCHES: usize = 32;

/// What a directory is, without its contacts (DIR-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Identity.
    pub id: DirectoryId,
    /// Name of the tab.
    pub name: String,
    /// Company staff (local) or external.
    pub local: bool,
    /// The line it is linked to, by number.
    pub line: Option<String>,
    /// How to greet.
    pub note: String,
    /// How it is shown (DIR-5).
    pub look: DirectoryLook,
    /// The connector that keeps it (DIR-4), by its id.
    pub source: Option<String>,
}

/// A contact in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Identity.
    pub id: ContactId,
    /// The directory it is in.
    pub directory: DirectoryId,
    /// What is known.
    pub contact: Contact,
}

/// A contact that has a number, and why it is the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Who.
    pub contact: ContactId,
    /// In which directory.
    pub directory: DirectoryId,
    /// That directory is local: shown bold (CALL-5).
    pub local: bool,
    /// The field with the number.
    pub field: Field,
    /// Why it is the same number.
    pub rule: MatchRule,
}

/// Why a contact cannot be taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// The directory was never announced by [`Catalogue::set_directory`], or has been removed.
    #[error("there is no directory {}", .0.0)]
    NoSuchDirectory(DirectoryId),
}

/// One directory, or all of them, and the number of a [`SortKey`].
type ListKey = (Option<DirectoryId>, u8);

/// Every directory in memory.
#[derive(Default)]
pub struct Catalogue {
    plan: NumberPlan,
    shelves: BTreeMap<DirectoryId, Shelf>,
    slots: Vec<Option<Entry>>,
    free: Vec<u32>,
    by_id: BTreeMap<ContactId, u32>,
    numbers: BTreeSet<Owned>,
    orders: BTreeMap<ListKey, Vec<u32>>,
    last: Option<Last>,
}

/// A directory and what is indexed of it.
struct Shelf {
    directory: Directory,
    contacts: u32,
    generation: u64,
    index: Index,
    loose: BTreeSet<u32>,
    /// Freed since the index was made; the index still knows them.
    retired: Vec<u32>,
}

/// A reading of a number and whose it is, sorted by number, local directories first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Owned {
    key: NumberKey,
    external: bool,
    slot: u32,
    field: Field,
    form: Form,
}

/// The last search, for the next page of it.
struct Last {
    directory: Option<DirectoryId>,
    sort: SortKey,
    query: Query,
    hits: Vec<u32>,
}

impl Catalogue {
    /// No directories.
    #[must_use]
    pub fn new(plan: NumberPlan) -> Self {
        Self { plan, ..Self::default() }
    }

    /// Numbers are written otherwise from now on.
    pub fn set_plan(&mut self, plan: NumberPlan) {
        if plan == self.plan {
            return;
        }
        self.plan = plan;
        self.last = None;
        let ids: Vec<DirectoryId> = self.shelves.keys().copied().collect();
        for id in ids {
            self.number_again(id);
            self.build_index(id);
        }
    }

    /// Adds a directory or changes what it is; its contacts stay.
    pub fn set_directory(&mut self, directory: Directory) {
        let id = directory.id;
        let Some(shelf) = self.shelves.get_mut(&id) else {
            self.shelves.insert(id, Shelf::new(directory));
            return;
        };
        let moved = shelf.directory.local != directory.local
            || shelf.directory.source.is_some() != directory.source.is_some();
        if shelf.directory != directory {
            shelf.directory = directory;
            shelf.generation += 1;
        }
        if moved {
            self.number_again(id);
        }
    }

    /// Removes a directory and its contacts. `false` when there is none such.
    pub fn remove_directory(&mut self, id: DirectoryId) -> bool {
        self.clear_directory(id);
        self.shelves.remove(&id).is_some()
    }

    /// Removes a directory's contacts. `false` when there is no such directory.
    pub fn clear_directory(&mut self, id: DirectoryId) -> bool {
        if !self.shelves.contains_key(&id) {
            return false;
        }
        for slot in self.members(id) {
            self.take(slot);
        }
        self.build_index(id);
        self.forget_lists(id);
        true
    }

    /// Puts these contacts in place of all that the directory had.
    ///
    /// # Errors
    /// [`CatalogueError::NoSuchDirectory`], also for an entry of another directory; nothing is changed then.
    pub fn replace_all(&mut self, id: DirectoryId, entries: Vec<Entry>) -> Result<(), CatalogueError> {
        if let Some(stray) = entries.iter().find(|entry| entry.directory != id) {
            return Err(CatalogueError::NoSuchDirectory(stray.directory));
        }
        if !self.clear_directory(id) {
            return Err(CatalogueError::NoSuchDirectory(id));
        }
        self.upsert_all(entries)
    }

    /// Adds contacts, or changes those whose identity is known.
    ///
    /// # Errors
    /// [`CatalogueError::NoSuchDirectory`]; nothing is changed then.
    pub fn upsert_all(&mut self, entries: Vec<Entry>) -> Result<(), CatalogueError> {
        if let Some(stray) = entries.iter().find(|entry| !self.shelves.contains_key(&entry.directory)) {
            return Err(CatalogueError::NoSuchDirectory(stray.directory));
        }
        let many = entries.len() > MAX_LOOSE;
        for entry in entries {
            let directories = [Some(entry.directory), self.get(entry.id).map(|old| old.directory)];
            if many {
                directories.into_iter().flatten().for_each(|id| self.forget_lists(id));
            }
            self.put(entry);
        }
        Ok(())
    }

    /// Adds a contact, or changes the one with its identity.
    ///
    /// # Errors
    /// [`CatalogueError::NoSuchDirectory`].
    pub fn upsert(&mut self, entry: Entry) -> Result<(), CatalogueError> {
        self.upsert_all(vec![entry])
    }

    /// Removes a contact. `false` when there is none such.
    pub fn remove(&mut self, id: ContactId) -> bool {
        let slot = self.by_id.get(&id).copied();
        if let Some(slot) = slot {
            self.take_from_lists(slot);
            self.take(slot);
        }
        slot.is_some()
    }

    /// Makes what the next question would otherwise make first: indices for contacts that came in
    /// numbers, and the order of each list by first and last name. Takes about a second for
    /// 100,000 contacts; call it after loading.
    pub fn prepare(&mut self) {
        let ids: Vec<DirectoryId> = self.shelves.keys().copied().collect();
        for &id in &ids {
            self.index_if_worth(id);
        }
        for directory in ids.into_iter().map(Some).chain([None]) {
            self.ensure_order(directory, SortKey::FirstName);
        }
    }

    /// A part of a list: all contacts in their order, or those found by a search, best first.
    ///
    /// At most 500 rows; texts in them end after 512 bytes.
    pub fn page(&mut self, query: &ContactQuery) -> ContactPage {
        let words = Query::new(&query.text, &self.plan);
        self.ensure_order(query.directory, query.sort);
        if !words.is_empty() && !self.last.as_ref().is_some_and(|last| last.answers(query, &words)) {
            let hits = self.search(query, &words);
            self.last =
                Some(Last { directory: query.directory, sort: query.sort, query: words.clone(), hits });
        }
        let list: &[u32] = match &self.last {
            Some(last) if !words.is_empty() => &last.hits,
            _ => self.order(query.directory, query.sort),
        };
        let rest = list.get(query.offset as usize..).unwrap_or_default();
        let slots = rest.iter().take(query.limit.min(MAX_PAGE) as usize);
        let rows = slots.filter_map(|&slot| self.entry(slot).map(row)).collect();
        // Slots are numbered by u32, so a list is never longer than that.
        ContactPage { total: list.len() as u32, offset: query.offset, rows }
    }

    /// The directories as tabs, in the order they were made.
    #[must_use]
    pub fn directories(&self) -> Vec<DirectoryView> {
        self.shelves.values().map(Shelf::view).collect()
    }

    /// A directory.
    #[must_use]
    pub fn directory(&self, id: DirectoryId) -> Option<&Directory> {
        self.shelves.get(&id).map(|shelf| &shelf.directory)
    }

    /// A contact.
    #[must_use]
    pub fn get(&self, id: ContactId) -> Option<&Entry> {
        self.entry(*self.by_id.get(&id)?)
    }

    /// A contact as a tile or row shows it.
    #[must_use]
    pub fn row(&self, id: ContactId) -> Option<ContactRow> {
        self.get(id).map(row)
    }

    /// Where a contact stands in its directory.
    pub fn place(&mut self, id: ContactId, sort: SortKey) -> Option<ContactPlace> {
        let slot = *self.by_id.get(&id)?;
        let directory = self.entry(slot)?.directory;
        self.ensure_order(Some(directory), sort);
        let row = self.order(Some(directory), sort).iter().position(|&other| other == slot)?;
        // Slots are numbered by u32, so a list is never longer than that.
        Some(ContactPlace { contact: id, directory, row: row as u32 })
    }

    /// Every contact, in the order of their identities.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.by_id.values().filter_map(|&slot| self.entry(slot))
    }

    /// Number of contacts in all directories.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// No contact in any directory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Who has this number: local directories first, then the surest rule. At most 32, each contact once.
    #[must_use]
    pub fn match_number(&self, number: &str) -> Vec<Match> {
        let mut found: Vec<(bool, MatchRule, u32, Field)> = Vec::new();
        for reading in self.plan.readings(number) {
            let from = Owned {
                key: reading.key,
                external: false,
                slot: 0,
                field: Field::LastName,
                form: Form::Extension,
            };
            let same = self.numbers.range(from..).take_while(|owned| owned.key == reading.key);
            // One for each field with a number, and for the note.
            let new = same.take(MAX_MATCHES * (Field::NUMBERS.len() + 1));
            found.extend(new.map(|o| (o.external, reading.form.rule(o.form), o.slot, o.field)));
        }
        found.sort_unstable();
        let mut seen = BTreeSet::new();
        found.retain(|(_, _, slot, _)| seen.insert(*slot));
        found.truncate(MAX_MATCHES);
        let matched = |&(external, rule, slot, field): &(bool, MatchRule, u32, Field)| {
            let entry = self.entry(slot)?;
            Some(Match { contact: entry.id, directory: entry.directory, local: !external, field, rule })
        };
        found.iter().filter_map(matched).collect()
    }

    /// The other end of a call, named from the directories as far as they know it.
    ///
    /// `name` is what the exchange says, used when no directory has the number. A number that several
    /// people of one company share, such as its switchboard's, is shown as the company.
    #[must_use]
    pub fn party(&self, number: &str, name: Option<&str>) -> Party {
        let number_text = Some(number.to_owned()).filter(|number| !number.is_empty());
        let matches = self.match_number(number);
        let Some((best, entry)) = matches.first().and_then(|best| Some((best, self.get(best.contact)?)))
        else {
            return Party { number: number_text, name: name.map(str::to_owned), ..Party::default() };
        };
        let contact = &entry.contact;
        let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let mut party = Party {
            number: number_text,
            name: Some(contact.display_name()),
            company: text(&contact.company),
            title: text(&contact.title),
            contact: Some(entry.id),
            local: best.local,
            matched: Some(best.rule.into()),
        };
        let equals = matches.iter().filter(|other| (other.local, other.rule) == (best.local, best.rule));
        let companies =
            equals.filter_map(|other| self.get(other.contact)).map(|entry| &entry.contact.company);
        if companies.clone().count() > 1
            && !contact.company.is_empty()
            && companies.clone().all(|c| *c == contact.company)
        {
            party = Party { name: Some(contact.company.clone()), title: None, contact: None, ..party };
        }
        party
    }

    fn entry(&self, slot: u32) -> Option<&Entry> {
        self.slots.get(slot as usize)?.as_ref()
    }

    fn members(&self, id: DirectoryId) -> Vec<u32> {
        self.by_id
            .values()
            .copied()
            .filter(|&slot| self.entry(slot).is_some_and(|entry| entry.directory == id))
            .collect()
    }

    /// Puts one contact in its slot, its directory's lists and the number index.
    fn put(&mut self, entry: Entry) {
        let known = self.by_id.get(&entry.id).copied();
        if let Some(slot) = known {
            self.take_from_lists(slot);
            self.take(slot);
        }
        let (id, directory) = (entry.id, entry.directory);
        let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
        if slot as usize == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[slot as usize] = Some(entry);
        self.by_id.insert(id, slot);
        self.add_numbers(slot);
        self.put_in_lists(slot, directory);
        if let Some(shelf) = self.shelves.get_mut(&directory) {
            shelf.contacts += 1;
            shelf.generation += 1;
            shelf.loose.insert(slot);
        }
        self.last = None;
    }

    /// Empties a slot. Lists are the caller's concern.
    fn take(&mut self, slot: u32) {
        self.remove_numbers(slot);
        let Some(entry) = self.slots.get_mut(slot as usize).and_then(Option::take) else { return };
        self.by_id.remove(&entry.id);
        if let Some(shelf) = self.shelves.get_mut(&entry.directory) {
            shelf.contacts -= 1;
            shelf.generation += 1;
            shelf.loose.remove(&slot);
            shelf.retired.push(slot);
        }
        self.last = None;
    }

    fn put_in_lists(&mut self, slot: u32, directory: DirectoryId) {
        for ((of, sort), mut list) in self.take_lists(directory) {
            let at =
                list.partition_point(|&other| self.compare(other, slot, sort_key(sort)) == Ordering::Less);
            list.insert(at, slot);
            self.orders.insert((of, sort), list);
        }
    }

    fn take_from_lists(&mut self, slot: u32) {
        let Some(directory) = self.entry(slot).map(|entry| entry.directory) else { return };
        for (key, mut list) in self.take_lists(directory) {
            list.retain(|&other| other != slot);
            self.orders.insert(key, list);
        }
    }

    /// The lists that contacts of this directory are in, out of the catalogue.
    fn take_lists(&mut self, directory: DirectoryId) -> Vec<(ListKey, Vec<u32>)> {
        let keys: Vec<_> =
            self.orders.keys().filter(|(of, _)| of.is_none_or(|of| of == directory)).copied().collect();
        keys.into_iter().filter_map(|key| Some((key, self.orders.remove(&key)?))).collect()
    }

    fn forget_lists(&mut self, directory: DirectoryId) {
        self.orders.retain(|(of, _), _| of.is_some_and(|of| of != directory));
        self.last = None;
    }

    fn ensure_order(&mut self, directory: Option<DirectoryId>, sort: SortKey) {
        let key = (directory, sort as u8);
        if self.orders.contains_key(&key) {
            return;
        }
        let mut list: Vec<(String, ContactId, u32)> = self
            .by_id
            .iter()
            .filter_map(|(&id, &slot)| Some((id, slot, self.entry(slot)?)))
            .filter(|(_, _, entry)| directory.is_none_or(|wanted| entry.directory == wanted))
            .map(|(id, slot, entry)| (sort_text(&entry.contact, sort), id, slot))
            .collect();
        list.sort_unstable();
        if directory.is_none_or(|id| self.shelves.contains_key(&id)) {
            self.orders.insert(key, list.into_iter().map(|(_, _, slot)| slot).collect());
        }
    }

    fn order(&self, directory: Option<DirectoryId>, sort: SortKey) -> &[u32] {
        self.orders.get(&(directory, sort as u8)).map(Vec::as_slice).unwrap_or_default()
    }

    fn compare(&self, one: u32, other: u32, sort: SortKey) -> Ordering {
        let text = |slot| self.entry(slot).map(|entry| (sort_text(&entry.contact, sort), entry.id));
        text(one).cmp(&text(other))
    }

    /// What the words find, and below it, where that is little, what they find with a slip of the finger.
    fn search(&mut self, query: &ContactQuery, words: &Query) -> Vec<u32> {
        let mut hits = self.search_tier(query, words);
        if hits.len() < FEW
            && let Some(forgiving) = words.forgiving()
        {
            let exact: BTreeSet<u32> = hits.iter().copied().collect();
            let near = self.search_tier(query, &forgiving).into_iter();
            hits.extend(near.filter(|slot| !exact.contains(slot)));
        }
        hits
    }

    /// Searches, then sorts by points with as many buckets as there can be points.
    fn search_tier(&mut self, query: &ContactQuery, words: &Query) -> Vec<u32> {
        let mut scores: Vec<Points> = vec![0; self.slots.len()];
        let ids: Vec<DirectoryId> = match query.directory {
            Some(id) => vec![id],
            None => self.shelves.keys().copied().collect(),
        };
        for id in ids {
            self.index_if_worth(id);
            let Some(shelf) = self.shelves.get_mut(&id) else { continue };
            shelf.index.search(words, &mut scores);
            for &slot in &shelf.loose {
                let entry = self.slots.get(slot as usize).and_then(Option::as_ref);
                scores[slot as usize] = entry.map_or(0, |entry| score(&entry.contact, words, &self.plan));
            }
        }
        by_points(self.order(query.directory, query.sort), &scores, most_points(words))
    }

    fn index_if_worth(&mut self, id: DirectoryId) {
        if self.shelves.get(&id).is_some_and(|shelf| shelf.loose.len() > MAX_LOOSE) {
            self.build_index(id);
        }
    }

    fn build_index(&mut self, id: DirectoryId) {
        let members = self.members(id);
        let contacts = members.into_iter().filter_map(|slot| Some((slot, &self.entry(slot)?.contact)));
        let index = Index::new(contacts, &self.plan);
        if let Some(shelf) = self.shelves.get_mut(&id) {
            shelf.index = index;
            shelf.loose.clear();
            self.free.append(&mut shelf.retired);
        }
    }

    fn number_again(&mut self, id: DirectoryId) {
        let members: BTreeSet<u32> = self.members(id).into_iter().collect();
        self.numbers.retain(|owned| !members.contains(&owned.slot));
        for slot in members {
            self.add_numbers(slot);
        }
        self.last = None;
    }

    fn add_numbers(&mut self, slot: u32) {
        let owned = self.owned(slot);
        self.numbers.extend(owned);
    }

    fn remove_numbers(&mut self, slot: u32) {
        for owned in self.owned(slot) {
            self.numbers.remove(&owned);
        }
    }

    fn owned(&self, slot: u32) -> Vec<Owned> {
        let Some(entry) = self.entry(slot) else { return Vec::new() };
        let directory = self.directory(entry.directory);
        let external = directory.is_none_or(|directory| !directory.local);
        let fields = Field::NUMBERS.iter().map(|&field| (field, entry.contact.text(field)));
        let numbers = fields.flat_map(|(field, text)| numbers_in(text).map(move |number| (field, number)));
        // What somebody has typed into a note says nothing about who calls.
        let is_copied = directory.is_some_and(|directory| directory.source.is_some());
        let more = entry.contact.more_numbers().filter(|_| is_copied).map(|number| (Field::Note, number));
        let readings = numbers.chain(more).flat_map(|(field, number)| {
            self.plan.readings(number).into_iter().map(move |reading| (field, reading))
        });
        readings.map(|(field, r)| Owned { key: r.key, external, slot, field, form: r.form }).collect()
    }
}

/// Those of a list that have points, the most first, equals in the order of the list: sorted by counting.
fn by_points(list: &[u32], scores: &[Points], most: Points) -> Vec<u32> {
    let points = |slot: &u32| usize::from(scores[*slot as usize]);
    let mut counts = vec![0_usize; usize::from(most) + 1];
    list.iter().for_each(|slot| counts[points(slot)] += 1);
    // Where each number of points begins: behind all that have more.
    let mut begins = vec![0_usize; counts.len()];
    let mut total = 0;
    for (begin, count) in begins.iter_mut().zip(&counts).skip(1).rev() {
        *begin = total;
        total += count;
    }
    let mut hits = vec![0; total];
    for slot in list {
        let points = points(slot);
        if points > 0 {
            hits[begins[points]] = *slot;
            begins[points] += 1;
        }
    }
    hits
}

impl Shelf {
    fn new(directory: Directory) -> Self {
        Self {
            directory,
            contacts: 0,
            generation: 1,
            index: Index::default(),
            loose: BTreeSet::new(),
            retired: Vec::new(),
        }
    }

    fn view(&self) -> DirectoryView {
        let Directory { id, name, local, line, note, look, source } = self.directory.clone();
        let (contacts, generation) = (self.contacts, self.generation);
        DirectoryView { id, name, local, contacts, generation, line, note, look, source }
    }
}

impl Last {
    fn answers(&self, query: &ContactQuery, words: &Query) -> bool {
        self.directory == query.directory && self.sort == query.sort && self.query == *words
    }
}

fn sort_key(number: u8) -> SortKey {
    use SortKey::{Company, Department, FirstName, LastName, Office, Title};
    [LastName, FirstName, Company, Office, Department, Title]
        .into_iter()
        .find(|&key| key as u8 == number)
        .unwrap_or_default()
}

fn row(entry: &Entry) -> ContactRow {
    let mut row = entry.contact.row(entry.id, entry.directory);
    let texts = [
        &mut row.last_name,
        &mut row.first_name,
        &mut row.company,
        &mut row.office,
        &mut row.department,
        &mut row.title,
        &mut row.phone,
        &mut row.mobile,
        &mut row.home,
        &mut row.voicemail,
        &mut row.email,
        &mut row.xmpp,
        &mut row.calendar,
        &mut row.web,
        &mut row.note,
    ];
    for text in texts.into_iter().filter(|text| text.len() > MAX_ROW_TEXT) {
        let end = (0..=MAX_ROW_TEXT).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        text.truncate(end);
    }
    row
}
