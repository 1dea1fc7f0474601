//! The contacts of one directory or search, a page at a time, as rows of tiles.
//!
//! The list view asks for rows; rows whose page is not here are skeletons until the page arrives.
//! Lamps live in models of their own, in the same order as the tiles, so that a NOTIFY repaints one
//! bar and shapes one short text (see `console-ui.md`, "the lesson that matters most").
//!
//! Not here: searching and sorting. The desk does both.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use ipc::{ContactId, ContactPage, ContactQuery, ContactRow, DirectoryId, LampView, Query, SortKey};
use slint::{Model, ModelNotify, ModelRc, ModelTracker, SharedString, VecModel};

use crate::faces::{Faces, Place};
use crate::link::Outbox;
use crate::models::words::{digits, dotted, initials, tint};
use crate::screen::{Lamp, LampKind, Tile, TileRow};

/// Contacts in a page.
pub(crate) const PAGE: u32 = 100;
/// Pages kept: about 30 screens' worth in either direction.
const KEPT: usize = 40;

/// What is asked of the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The directory in front.
    pub(crate) directory: DirectoryId,
    /// Company staff: what a tile tells about a person differs.
    pub(crate) local: bool,
    /// Words in the search bar.
    pub(crate) text: String,
}

/// The model behind the tiles.
pub(crate) struct ContactList {
    outbox: Outbox,
    faces: Rc<Faces>,
    columns: Cell<usize>,
    total: Cell<u32>,
    wanted: RefCell<Option<Wanted>>,
    /// Counts up with each change of `wanted`; answers to older questions are dropped.
    turn: Cell<u64>,
    /// The turn that `pages` belong to: older than `turn` while the first answer is on its way.
    shown: Cell<u64>,
    pages: RefCell<HashMap<u32, Page>>,
    uses: Cell<u64>,
    asked: RefCell<HashMap<u64, (u64, u32)>>,
    live: RefCell<HashMap<usize, LiveRow>>,
    lamps: RefCell<HashMap<String, LampView>>,
    talking_to: RefCell<String>,
    notify: ModelNotify,
}

struct Page {
    used: u64,
    rows: Vec<ContactRow>,
}

/// The models of a row that some list view still holds.
struct LiveRow {
    tiles: Weak<VecModel<Tile>>,
    lamps: Weak<VecModel<Lamp>>,
}

impl ContactList {
    /// An empty list that asks through `outbox` and has its pictures from `faces`.
    pub(crate) fn new(outbox: Outbox, faces: Rc<Faces>) -> Rc<Self> {
        Rc::new(Self {
            outbox,
            faces,
            columns: Cell::new(2),
            total: Cell::new(0),
            wanted: RefCell::default(),
            turn: Cell::new(0),
            shown: Cell::new(0),
            pages: RefCell::default(),
            uses: Cell::new(0),
            asked: RefCell::default(),
            live: RefCell::default(),
            lamps: RefCell::default(),
            talking_to: RefCell::default(),
            notify: ModelNotify::default(),
        })
    }

    /// Shows something else. What is shown stays until the first page of the new list is here.
    pub(crate) fn want(&self, wanted: Wanted) {
        if self.wanted.borrow().as_ref() == Some(&wanted) {
            return;
        }
        *self.wanted.borrow_mut() = Some(wanted);
        self.again();
    }

    /// Asks again: the directory has changed or the desk is back.
    pub(crate) fn again(&self) {
        self.turn.set(self.turn.get() + 1);
        self.asked.borrow_mut().clear();
        self.ask(0);
    }

    /// Takes an answer. `true` when it was one of ours and changed what is shown from the first row on.
    pub(crate) fn reply(&self, seq: u64, page: ContactPage) -> bool {
        let Some((turn, number)) = self.asked.borrow_mut().remove(&seq) else { return false };
        if turn != self.turn.get() {
            return false;
        }
        let fresh = self.shown.replace(turn) != turn;
        if fresh {
            self.pages.borrow_mut().clear();
        }
        let resized = self.total.replace(page.total) != page.total;
        self.keep(number, page.rows);
        if fresh || resized {
            self.live.borrow_mut().clear();
            self.notify.reset();
        } else {
            self.refill(number);
        }
        fresh
    }

    /// Sets how many tiles stand in a row.
    pub(crate) fn set_columns(&self, columns: usize) {
        if self.columns.replace(columns.max(1)) != columns.max(1) {
            self.live.borrow_mut().clear();
            self.notify.reset();
        }
    }

    /// Takes the lamps and the number the operator talks to; changes only the rows that differ.
    pub(crate) fn set_lamps(&self, lamps: &[LampView], talking_to: &str) {
        let by_number = lamps.iter().map(|lamp| (digits(&lamp.number), lamp.clone())).collect();
        *self.lamps.borrow_mut() = by_number;
        *self.talking_to.borrow_mut() = talking_to.to_owned();
        for (row, live) in self.living() {
            let Some(model) = live.lamps.upgrade() else { continue };
            for (column, lamp) in self.row_lamps(row).into_iter().enumerate() {
                if model.row_data(column).is_some_and(|old| old != lamp) {
                    model.set_row_data(column, lamp);
                }
            }
        }
    }

    /// The face of a contact is here.
    pub(crate) fn face_arrived(&self, contact: ContactId) {
        let has =
            |row| self.places(row).flatten().any(|at| self.contact(at).is_some_and(|c| c.id == contact));
        for (row, live) in self.living() {
            if let Some(model) = live.tiles.upgrade().filter(|_| has(row)) {
                crate::models::rows::replace(&model, &self.row_tiles(row));
            }
        }
    }

    /// Faces may be others: asks for those on screen.
    pub(crate) fn faces_changed(&self) {
        for (row, live) in self.living() {
            if let Some(model) = live.tiles.upgrade() {
                crate::models::rows::replace(&model, &self.row_tiles(row));
            }
        }
    }

    /// Tiles in a row.
    pub(crate) fn columns(&self) -> usize {
        self.columns.get()
    }

    /// Contacts in the list.
    pub(crate) fn total(&self) -> usize {
        self.total.get() as usize
    }

    /// The contact at a place, when its page is here.
    pub(crate) fn contact(&self, index: usize) -> Option<ContactRow> {
        let index = u32::try_from(index).ok()?;
        let pages = self.pages.borrow();
        pages.get(&(index / PAGE))?.rows.get((index % PAGE) as usize).cloned()
    }

    fn ask(&self, number: u32) {
        let Some(wanted) = self.wanted.borrow().clone() else { return };
        let query = ContactQuery {
            directory: Some(wanted.directory),
            text: wanted.text,
            sort: SortKey::default(),
            offset: number * PAGE,
            limit: PAGE,
        };
        // Without a desk there is no page; `again` asks when it is back.
        if let Ok(seq) = self.outbox.query(Query::Contacts(query)) {
            self.asked.borrow_mut().insert(seq, (self.turn.get(), number));
        }
    }

    fn keep(&self, number: u32, rows: Vec<ContactRow>) {
        let mut pages = self.pages.borrow_mut();
        let used = self.count_use();
        pages.insert(number, Page { used, rows });
        if pages.len() > KEPT
            && let Some(oldest) = pages.iter().min_by_key(|(_, page)| page.used).map(|(number, _)| *number)
        {
            pages.remove(&oldest);
        }
    }

    fn count_use(&self) -> u64 {
        self.uses.set(self.uses.get() + 1);
        self.uses.get()
    }

    /// Makes sure that the page of a place is here or on its way.
    fn need(&self, index: usize) {
        let Ok(index) = u32::try_from(index) else { return };
        let number = index / PAGE;
        let used = self.count_use();
        if let Some(page) = self.pages.borrow_mut().get_mut(&number) {
            page.used = used;
            return;
        }
        let current = self.shown.get() == self.turn.get();
        let asked = self.asked.borrow().values().any(|ask| *ask == (self.turn.get(), number));
        if current && !asked {
            self.ask(number);
        }
    }

    /// Fills the rows on screen that waited for a page.
    fn refill(&self, number: u32) {
        let columns = self.columns.get();
        let first = (number * PAGE) as usize / columns;
        let last = ((number + 1) * PAGE) as usize / columns;
        for (row, live) in self.living() {
            if row < first || row > last {
                continue;
            }
            if let Some(model) = live.tiles.upgrade() {
                crate::models::rows::replace(&model, &self.row_tiles(row));
            }
            if let Some(model) = live.lamps.upgrade() {
                crate::models::rows::replace(&model, &self.row_lamps(row));
            }
        }
    }

    /// The rows on screen; forgets those that are not.
    fn living(&self) -> Vec<(usize, LiveRow)> {
        let mut live = self.live.borrow_mut();
        live.retain(|_, row| row.tiles.strong_count() > 0 || row.lamps.strong_count() > 0);
        let copy = |row: &LiveRow| LiveRow { tiles: row.tiles.clone(), lamps: row.lamps.clone() };
        live.iter().map(|(number, row)| (*number, copy(row))).collect()
    }

    fn places(&self, row: usize) -> impl Iterator<Item = Option<usize>> + use<> {
        let (columns, total) = (self.columns.get(), self.total());
        (row * columns..(row + 1) * columns).map(move |index| (index < total).then_some(index))
    }

    fn row_tiles(&self, row: usize) -> Vec<Tile> {
        let local = self.wanted.borrow().as_ref().is_some_and(|wanted| wanted.local);
        self.places(row)
            .map(|place| match place {
                None => Tile { empty: true, ..Tile::default() },
                Some(index) => match self.contact(index) {
                    None => Tile { loading: true, ..Tile::default() },
                    Some(contact) => tile(&contact, local, &self.faces),
                },
            })
            .collect()
    }

    fn row_lamps(&self, row: usize) -> Vec<Lamp> {
        let lamps = self.lamps.borrow();
        let talking_to = self.talking_to.borrow();
        self.places(row)
            .map(|place| match place.and_then(|index| self.contact(index)) {
                None => Lamp::default(),
                Some(contact) => lamp(&contact, &lamps, &talking_to),
            })
            .collect()
    }
}

impl Model for ContactList {
    type Data = TileRow;

    fn row_count(&self) -> usize {
        self.total().div_ceil(self.columns.get())
    }

    fn row_data(&self, row: usize) -> Option<TileRow> {
        if row >= self.row_count() {
            return None;
        }
        for place in self.places(row).flatten() {
            self.need(place);
        }
        let held =
            self.live.borrow().get(&row).and_then(|live| live.tiles.upgrade().zip(live.lamps.upgrade()));
        let (tiles, lamps) = held.unwrap_or_else(|| {
            let tiles = Rc::new(VecModel::from(self.row_tiles(row)));
            let lamps = Rc::new(VecModel::from(self.row_lamps(row)));
            let live = LiveRow { tiles: Rc::downgrade(&tiles), lamps: Rc::downgrade(&lamps) };
            self.live.borrow_mut().insert(row, live);
            (tiles, lamps)
        });
        Some(TileRow { tiles: ModelRc::from(tiles), lamps: ModelRc::from(lamps) })
    }

    fn model_tracker(&self) -> &dyn ModelTracker {
        &self.notify
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// The name as a tile shows it.
pub(crate) fn name(contact: &ContactRow) -> String {
    let name = format!("{} {}", contact.first_name, contact.last_name);
    let name = name.trim();
    let fallbacks = [name, contact.company.trim(), contact.phone.trim(), contact.email.trim()];
    fallbacks.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}

/// The second line of a tile: what a receptionist asks first.
pub(crate) fn detail(contact: &ContactRow, local: bool) -> SharedString {
    let role = if contact.title.is_empty() { &contact.department } else { &contact.title };
    let place = if local { &contact.office } else { &contact.company };
    dotted([role.as_str(), place.as_str()])
}

fn tile(contact: &ContactRow, local: bool, faces: &Faces) -> Tile {
    let name = name(contact);
    Tile {
        empty: false,
        loading: false,
        initials: initials(&name),
        tint: tint(&name),
        picture: faces.of(Some(contact.id), Place::Tile),
        detail: detail(contact, local),
        phone: contact.phone.as_str().into(),
        mobile: !contact.mobile.is_empty(),
        voicemail: !contact.voicemail.is_empty(),
        name: name.into(),
    }
}

fn lamp(contact: &ContactRow, lamps: &HashMap<String, LampView>, talking_to: &str) -> Lamp {
    let number = SharedString::from(contact.phone.as_str());
    let key = digits(&contact.phone);
    if !contact.presence || key.is_empty() {
        return Lamp { kind: LampKind::None, number, ..Lamp::default() };
    }
    let Some(view) = lamps.get(&key) else {
        return Lamp { kind: LampKind::Unknown, number, ..Lamp::default() };
    };
    let kind = crate::models::cards::lamp_kind(view.state);
    Lamp {
        kind,
        number,
        calls: i32::from(view.calls),
        peer: view.peer.as_deref().unwrap_or_default().into(),
        with_us: kind == LampKind::Busy && key == talking_to,
    }
}
