//! The contacts of one directory or search, a page at a time, as rows of tiles or of a list.
//!
//! The list view asks for rows; rows whose page is not here are skeletons until the page arrives.
//! Lamps live in models of their own, in the same order as the tiles, so that a NOTIFY repaints one
//! bar and shapes one short text (see `console-ui.md`, "the lesson that matters most").
//!
//! Not here: searching and sorting, the desk does both; what a tile tells (`tiles`).

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use ipc::{ContactId, ContactPage, ContactQuery, ContactRow, DirectoryId, Query, SortKey};
use slint::{Model, ModelNotify, ModelRc, ModelTracker, SharedString, VecModel};

use crate::faces::Faces;
use crate::link::Outbox;
use crate::models::tiles::{self, Doings, Shape};
pub(crate) use crate::models::tiles::{detail, name};
use crate::screen::{Lamp, Tile, TileRow};

/// Contacts in a page.
pub(crate) const PAGE: u32 = 100;
/// Pages kept: about 30 screens' worth in either direction.
const KEPT: usize = 40;

/// What is asked of the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The directory in front; `None` is all of them.
    pub(crate) directory: Option<DirectoryId>,
    /// Company staff: what a tile tells about a person differs.
    pub(crate) local: bool,
    /// Words in the search bar.
    pub(crate) text: String,
    /// In which order.
    pub(crate) sort: SortKey,
}

/// The model behind the tiles.
pub(crate) struct ContactList {
    outbox: Outbox,
    faces: Rc<Faces>,
    /// Tiles that fit in a row.
    fitting: Cell<usize>,
    shape: RefCell<Shape>,
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
    doings: RefCell<Rc<Doings>>,
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
    cells: Weak<VecModel<SharedString>>,
}

impl ContactList {
    /// An empty list that asks through `outbox` and has its pictures from `faces`.
    pub(crate) fn new(outbox: Outbox, faces: Rc<Faces>) -> Rc<Self> {
        Rc::new(Self {
            outbox,
            faces,
            fitting: Cell::new(2),
            shape: RefCell::default(),
            total: Cell::new(0),
            wanted: RefCell::default(),
            turn: Cell::new(0),
            shown: Cell::new(0),
            pages: RefCell::default(),
            uses: Cell::new(0),
            asked: RefCell::default(),
            live: RefCell::default(),
            doings: RefCell::default(),
            notify: ModelNotify::default(),
        })
    }

    /// Shows something else. What is shown stays until the first page of the new list is here; where there
    /// was nothing, as many rows without a contact as are `expected`.
    pub(crate) fn want(&self, wanted: Wanted, expected: u32) {
        if self.wanted.borrow().as_ref() == Some(&wanted) {
            return;
        }
        *self.wanted.borrow_mut() = Some(wanted);
        self.again();
        if self.total.get() == 0 && expected > 0 {
            self.total.set(expected);
            self.reset();
        }
    }

    /// Shows the same otherwise.
    pub(crate) fn set_shape(&self, shape: Shape) {
        if *self.shape.borrow() != shape {
            *self.shape.borrow_mut() = shape;
            self.reset();
        }
    }

    /// Nothing is wanted any more: whatever is on its way is too late.
    pub(crate) fn forget(&self) {
        *self.wanted.borrow_mut() = None;
        self.turn.set(self.turn.get() + 1);
        self.shown.set(self.turn.get());
        self.asked.borrow_mut().clear();
        self.pages.borrow_mut().clear();
        self.total.set(0);
        self.reset();
    }

    /// What is shown is what is wanted.
    pub(crate) fn is_current(&self) -> bool {
        self.shown.get() == self.turn.get()
    }

    /// Asks again: the directory has changed or the desk is back.
    pub(crate) fn again(&self) {
        self.turn.set(self.turn.get() + 1);
        self.asked.borrow_mut().clear();
        self.ask(0);
    }

    /// The question was ours, and the answer is still wanted.
    pub(crate) fn has_asked(&self, seq: u64) -> bool {
        self.asked.borrow().contains_key(&seq)
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
            self.reset();
        } else {
            self.refill(number);
        }
        fresh
    }

    /// Sets how many tiles fit in a row.
    pub(crate) fn set_fitting(&self, fitting: usize) {
        if self.fitting.replace(fitting.max(1)) != fitting.max(1) {
            self.reset();
        }
    }

    /// Takes what phones and people do; changes only the rows that differ.
    pub(crate) fn set_doings(&self, doings: &Rc<Doings>) {
        *self.doings.borrow_mut() = Rc::clone(doings);
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
        let is = |at| self.with(at, |row| row.id == contact).unwrap_or_default();
        let has = |row| self.places(row).flatten().any(is);
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

    /// Contacts in a row.
    pub(crate) fn columns(&self) -> usize {
        if self.shape.borrow().list { 1 } else { self.fitting.get() }
    }

    /// Contacts in the list.
    pub(crate) fn total(&self) -> usize {
        self.total.get() as usize
    }

    /// The contact at a place, when its page is here.
    pub(crate) fn contact(&self, index: usize) -> Option<ContactRow> {
        self.with(index, ContactRow::clone)
    }

    fn with<T>(&self, index: usize, read: impl FnOnce(&ContactRow) -> T) -> Option<T> {
        let index = u32::try_from(index).ok()?;
        let pages = self.pages.borrow();
        pages.get(&(index / PAGE))?.rows.get((index % PAGE) as usize).map(read)
    }

    fn reset(&self) {
        self.live.borrow_mut().clear();
        self.notify.reset();
    }

    fn ask(&self, number: u32) {
        let Some(wanted) = self.wanted.borrow().clone() else { return };
        let query = ContactQuery {
            directory: wanted.directory,
            text: wanted.text,
            sort: wanted.sort,
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
    pub(crate) fn need(&self, index: usize) {
        let Ok(index) = u32::try_from(index) else { return };
        let number = index / PAGE;
        let used = self.count_use();
        if let Some(page) = self.pages.borrow_mut().get_mut(&number) {
            page.used = used;
            return;
        }
        let asked = self.asked.borrow().values().any(|ask| *ask == (self.turn.get(), number));
        if self.is_current() && !asked {
            self.ask(number);
        }
    }

    /// Fills the rows on screen that waited for a page.
    fn refill(&self, number: u32) {
        let columns = self.columns();
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
            if let Some(model) = live.cells.upgrade() {
                crate::models::rows::replace(&model, &self.row_cells(row));
            }
        }
    }

    /// The rows on screen; forgets those that are not.
    fn living(&self) -> Vec<(usize, LiveRow)> {
        let mut live = self.live.borrow_mut();
        live.retain(|_, row| row.tiles.strong_count() > 0 || row.lamps.strong_count() > 0);
        let copy = |row: &LiveRow| LiveRow {
            tiles: row.tiles.clone(),
            lamps: row.lamps.clone(),
            cells: row.cells.clone(),
        };
        live.iter().map(|(number, row)| (*number, copy(row))).collect()
    }

    fn places(&self, row: usize) -> impl Iterator<Item = Option<usize>> + use<> {
        let (columns, total) = (self.columns(), self.total());
        (row * columns..(row + 1) * columns).map(move |index| (index < total).then_some(index))
    }

    fn row_tiles(&self, row: usize) -> Vec<Tile> {
        let local = self.wanted.borrow().as_ref().is_some_and(|wanted| wanted.local);
        let names = self.shape.borrow().names;
        self.places(row)
            .map(|place| match place {
                None => Tile { empty: true, ..Tile::default() },
                Some(index) => self
                    .with(index, |contact| tiles::tile(contact, local, names, &self.faces))
                    .unwrap_or_else(|| Tile { loading: true, ..Tile::default() }),
            })
            .collect()
    }

    fn row_lamps(&self, row: usize) -> Vec<Lamp> {
        let doings = self.doings.borrow();
        let lamp = |index| self.with(index, |contact| doings.lamp(contact));
        self.places(row).map(|place| place.and_then(lamp).unwrap_or_default()).collect()
    }

    /// Only a row of the list view has them.
    fn row_cells(&self, row: usize) -> Vec<SharedString> {
        let shape = self.shape.borrow();
        if !shape.list {
            return Vec::new();
        }
        let here = self.with(row, |contact| tiles::cells(Some(contact), &shape));
        here.unwrap_or_else(|| tiles::cells(None, &shape))
    }
}

impl Model for ContactList {
    type Data = TileRow;

    fn row_count(&self) -> usize {
        self.total().div_ceil(self.columns())
    }

    fn row_data(&self, row: usize) -> Option<TileRow> {
        if row >= self.row_count() {
            return None;
        }
        for place in self.places(row).flatten() {
            self.need(place);
        }
        let held = self
            .live
            .borrow()
            .get(&row)
            .and_then(|live| Some((live.tiles.upgrade()?, live.lamps.upgrade()?, live.cells.upgrade()?)));
        let (tiles, lamps, cells) = held.unwrap_or_else(|| {
            let tiles = Rc::new(VecModel::from(self.row_tiles(row)));
            let lamps = Rc::new(VecModel::from(self.row_lamps(row)));
            let cells = Rc::new(VecModel::from(self.row_cells(row)));
            let live = LiveRow {
                tiles: Rc::downgrade(&tiles),
                lamps: Rc::downgrade(&lamps),
                cells: Rc::downgrade(&cells),
            };
            self.live.borrow_mut().insert(row, live);
            (tiles, lamps, cells)
        });
        Some(TileRow {
            tiles: ModelRc::from(tiles),
            lamps: ModelRc::from(lamps),
            cells: ModelRc::from(cells),
        })
    }

    fn model_tracker(&self) -> &dyn ModelTracker {
        &self.notify
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
