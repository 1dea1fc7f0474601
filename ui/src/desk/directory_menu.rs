//! The menu of a directory (DIR-1, DIR-5): how it is shown, its contacts, and the directory itself.
//!
//! How a directory is shown belongs to the directory and is kept by the desk: a choice is sent, and the next
//! view shows it.

use ipc::{Column, Command, DirectoryId, DirectoryLook, DirectoryView, Edit, Layout, NameOrder, SortKey};
use slint::{ComponentHandle, Model, SharedString};

use super::Desk;
use super::menu::{At, Choice, Row, entry};
use crate::screen::{DirectoryFormKind, DirectoryWord, DirectoryWords, Menu, MenuEntry, MenuWord, Size};

/// A page of the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Main,
    Layouts,
    Columns,
    Names,
    Sorts,
    /// What is done with the directory itself.
    This,
    Kinds,
    Lines,
}

impl Page {
    /// The page that leads to it.
    fn before(self) -> Option<Self> {
        match self {
            Self::Main => None,
            Self::Kinds | Self::Lines => Some(Self::This),
            _ => Some(Self::Main),
        }
    }

    /// What it is called in the row that leads to it.
    fn word(self) -> DirectoryWord {
        match self {
            Self::Main => DirectoryWord::None,
            Self::Layouts => DirectoryWord::View,
            Self::Columns => DirectoryWord::Columns,
            Self::Names => DirectoryWord::Names,
            Self::Sorts => DirectoryWord::Sort,
            Self::This => DirectoryWord::ThisDirectory,
            Self::Kinds => DirectoryWord::Kind,
            Self::Lines => DirectoryWord::Line,
        }
    }
}

/// What a row of it does.
#[derive(Clone, Debug)]
pub(super) enum DirectoryChoice {
    Open(Page),
    Layout(Layout),
    Column(Column),
    Names(NameOrder),
    Sort(SortKey),
    Local(bool),
    Line(Option<String>),
    Form(DirectoryFormKind),
    AddContact,
    Import,
    Export,
}

const COLUMNS: [(Column, DirectoryWord); 11] = [
    (Column::Phone, DirectoryWord::ColumnPhone),
    (Column::Company, DirectoryWord::ColumnCompany),
    (Column::Office, DirectoryWord::ColumnOffice),
    (Column::Department, DirectoryWord::ColumnDepartment),
    (Column::Title, DirectoryWord::ColumnTitle),
    (Column::Mobile, DirectoryWord::ColumnMobile),
    (Column::Home, DirectoryWord::ColumnHome),
    (Column::Voicemail, DirectoryWord::ColumnVoicemail),
    (Column::Email, DirectoryWord::ColumnEmail),
    (Column::Web, DirectoryWord::ColumnWeb),
    (Column::Note, DirectoryWord::ColumnNote),
];

const SORTS: [(SortKey, DirectoryWord); 6] = [
    (SortKey::LastName, DirectoryWord::ByLastName),
    (SortKey::FirstName, DirectoryWord::ByFirstName),
    (SortKey::Company, DirectoryWord::ByCompany),
    (SortKey::Office, DirectoryWord::ByOffice),
    (SortKey::Department, DirectoryWord::ByDepartment),
    (SortKey::Title, DirectoryWord::ByTitle),
];

impl Desk {
    /// The menu of the directory in front, at its button.
    pub(crate) fn open_directory_menu(&mut self, x: f32, y: f32) {
        self.directory_menu(self.fronted(), Page::Main, At::Finger(x, y));
    }

    /// The same by key.
    pub(crate) fn open_directory_menu_by_key(&mut self) {
        self.directory_menu(self.fronted(), Page::Main, At::DirectoryButton);
        self.move_menu(0);
    }

    /// The menu of a tab, under the finger.
    pub(crate) fn open_tab_menu(&mut self, index: i32, x: f32, y: f32) {
        let tab = usize::try_from(index).ok().and_then(|index| self.view.directories.get(index));
        if let Some(id) = tab.map(|directory| directory.id) {
            self.directory_menu(Some(id), Page::Main, At::Finger(x, y));
        }
    }

    /// The button beside the tabs.
    pub(crate) fn set_list(&mut self, on: bool) {
        if let Some(directory) = self.fronted() {
            let layout = if on { Layout::List } else { Layout::Table };
            self.set_look(directory, |look| look.layout = layout);
        }
    }

    /// The head of a column; -1 is the name's, which changes between first and last name.
    pub(crate) fn sort_by(&mut self, column: i32) {
        let Some(directory) = self.fronted() else { return };
        let Some(look) = self.look(directory) else { return };
        let column = usize::try_from(column).ok().map(|index| look.columns.get(index).copied());
        let key = match (column, look.names, look.sort) {
            (Some(column), ..) => column.and_then(sort_key),
            (None, NameOrder::FirstLast, SortKey::FirstName) => Some(SortKey::LastName),
            (None, NameOrder::FirstLast, _) => Some(SortKey::FirstName),
            (None, NameOrder::LastFirst, SortKey::LastName) => Some(SortKey::FirstName),
            (None, NameOrder::LastFirst, _) => Some(SortKey::LastName),
        };
        if let Some(key) = key {
            self.set_look(directory, |look| look.sort = key);
        }
    }

    /// Does what a row says.
    pub(super) fn choose_of_directory(
        &mut self,
        directory: Option<DirectoryId>,
        choice: DirectoryChoice,
        at: At,
    ) {
        let cursor = self.overlay.menu_cursor;
        match (choice, directory) {
            (DirectoryChoice::Open(page), directory) => {
                self.directory_menu(directory, page, at);
                if cursor >= 0 {
                    self.app.global::<Menu>().set_cursor(self.chosen_row());
                }
            }
            (DirectoryChoice::Form(kind), directory) => self.open_form(kind, directory),
            (DirectoryChoice::Layout(layout), Some(id)) => self.set_look(id, |look| look.layout = layout),
            (DirectoryChoice::Names(names), Some(id)) => self.set_look(id, |look| look.names = names),
            (DirectoryChoice::Sort(sort), Some(id)) => self.set_look(id, |look| look.sort = sort),
            (DirectoryChoice::Column(column), Some(id)) => {
                self.set_look(id, |look| toggle(&mut look.columns, column));
                // Often several are chosen: the menu stays.
                self.directory_menu(directory, Page::Columns, at);
                self.app.global::<Menu>().set_cursor(cursor);
            }
            (DirectoryChoice::Local(local), Some(id)) => {
                self.change_directory(id, |change| change.local = local)
            }
            (DirectoryChoice::Line(line), Some(id)) => self.change_directory(id, |change| change.line = line),
            (DirectoryChoice::AddContact, Some(id)) => self.open_editor_for_new(id),
            (DirectoryChoice::Import, Some(id)) => self.import_contacts(Some(id)),
            (DirectoryChoice::Export, Some(id)) => self.export_contacts(id),
            (_, None) => {}
        }
    }

    /// Left in a page of the menu: the page before. `false` where there is none.
    pub(super) fn menu_back(&mut self) -> bool {
        let Some((directory, page, at)) = self.overlay.menu_page else { return false };
        let Some(before) = page.before() else { return false };
        self.directory_menu(directory, before, at);
        self.move_menu(0);
        true
    }

    /// A new view: what the menu and the form are about may be gone, a look may have arrived.
    pub(crate) fn directory_overlays_changed(&mut self) {
        let gone = |id: Option<DirectoryId>| id.is_some_and(|id| self.directory_view(id).is_none());
        if gone(self.overlay.menu_page.and_then(|(directory, ..)| directory)) {
            self.close_menu();
        }
        let there = |(id, look): &(DirectoryId, DirectoryLook)| {
            self.directory_view(*id).is_none_or(|view| view.look == *look)
        };
        if self.overlay.look.as_ref().is_some_and(there) {
            self.forget_look();
        }
    }

    /// A look that was sent was not taken, or has arrived.
    pub(crate) fn forget_look(&mut self) {
        self.overlay.look = None;
    }

    pub(crate) fn directory_view(&self, id: DirectoryId) -> Option<&DirectoryView> {
        self.view.directories.iter().find(|directory| directory.id == id)
    }

    /// The directories that are written by hand: those no connector keeps (DIR-4).
    pub(super) fn own_directories(&self) -> impl Iterator<Item = &DirectoryView> {
        self.view.directories.iter().filter(|directory| directory.source.is_none())
    }

    /// How a directory is shown, with what is on its way to the desk.
    fn look(&self, directory: DirectoryId) -> Option<DirectoryLook> {
        let sent = self.overlay.look.as_ref().filter(|(id, _)| *id == directory).map(|(_, look)| look);
        sent.or_else(|| self.directory_view(directory).map(|view| &view.look)).cloned()
    }

    fn set_look(&mut self, directory: DirectoryId, change: impl FnOnce(&mut DirectoryLook)) {
        let Some(before) = self.look(directory) else { return };
        let mut look = before.clone();
        change(&mut look);
        if look != before
            && self.send(Command::Edit(Edit::SetLook { directory, look: look.clone() })).is_some()
        {
            self.overlay.look = Some((directory, look));
        }
    }

    fn directory_menu(&mut self, directory: Option<DirectoryId>, page: Page, at: At) {
        if !self.connected {
            return;
        }
        let view = directory.and_then(|id| self.directory_view(id));
        let mut rows: Vec<(DirectoryWord, MenuEntry, DirectoryChoice)> = match view {
            Some(view) => self.rows_of(view, page),
            // The first directory of all.
            None => vec![row(DirectoryWord::AddDirectory, DirectoryChoice::Form(DirectoryFormKind::Add))],
        };
        let mut title = view.map(|view| SharedString::from(view.name.as_str())).unwrap_or_default();
        // A finger goes back by a row; Left and Escape do, too.
        if let Some(before) = page.before() {
            rows.insert(0, row(DirectoryWord::Back, DirectoryChoice::Open(before)));
            let words =
                self.app.global::<DirectoryWords>().invoke_menu(page.word(), SharedString::default(), 0);
            title = slint::format!("{title} · {words}");
        }
        let wrap = |(part, entry, choice): (DirectoryWord, MenuEntry, DirectoryChoice)| -> Row {
            (MenuEntry { part, ..entry }, Choice::Directory(directory, choice, at))
        };
        let rows = rows.into_iter().map(wrap).collect();
        self.open_menu(title, rows, at);
        self.overlay.menu_page = Some((directory, page, at));
    }

    fn rows_of(&self, view: &DirectoryView, page: Page) -> Vec<(DirectoryWord, MenuEntry, DirectoryChoice)> {
        let look = self.look(view.id).unwrap_or_default();
        match page {
            Page::Main => main_rows(view, &look),
            Page::Layouts => [Layout::Table, Layout::List]
                .map(|layout| {
                    chosen(layout_word(layout), look.layout == layout, DirectoryChoice::Layout(layout))
                })
                .to_vec(),
            Page::Columns => COLUMNS
                .map(|(column, word)| {
                    chosen(word, look.columns.contains(&column), DirectoryChoice::Column(column))
                })
                .to_vec(),
            Page::Names => [NameOrder::FirstLast, NameOrder::LastFirst]
                .map(|names| chosen(names_word(names), look.names == names, DirectoryChoice::Names(names)))
                .to_vec(),
            Page::Sorts => {
                SORTS.map(|(key, word)| chosen(word, look.sort == key, DirectoryChoice::Sort(key))).to_vec()
            }
            Page::This => self.this_rows(view),
            Page::Kinds => [(true, DirectoryWord::KindLocal), (false, DirectoryWord::KindExternal)]
                .map(|(local, word)| chosen(word, view.local == local, DirectoryChoice::Local(local)))
                .to_vec(),
            Page::Lines => {
                let none = chosen(DirectoryWord::LineNone, view.line.is_none(), DirectoryChoice::Line(None));
                let line = |line: &ipc::LineView| {
                    let on = view.line.as_ref() == Some(&line.number);
                    let (word, mut row, choice) =
                        chosen(DirectoryWord::LineIs, on, DirectoryChoice::Line(Some(line.number.clone())));
                    row.to = line_name(line).into();
                    row.detail = line.number.as_str().into();
                    (word, row, choice)
                };
                std::iter::once(none).chain(self.view.lines.iter().map(line)).collect()
            }
        }
    }

    fn this_rows(&self, view: &DirectoryView) -> Vec<(DirectoryWord, MenuEntry, DirectoryChoice)> {
        let form = |word, kind| row(word, DirectoryChoice::Form(kind));
        let kind = if view.local { DirectoryWord::KindLocal } else { DirectoryWord::KindExternal };
        let mut line = leads(DirectoryWord::Line, DirectoryWord::None, Page::Lines);
        let linked = self.view.lines.iter().find(|line| view.line.as_ref() == Some(&line.number));
        match (linked, &view.line) {
            (Some(linked), _) => line.1.detail = line_name(linked).into(),
            (None, Some(number)) => line.1.detail = number.as_str().into(),
            (None, None) => line.1.now = DirectoryWord::LineNone,
        }
        let mut clear = form(DirectoryWord::Clear, DirectoryFormKind::Clear);
        clear.1.enabled = view.contacts > 0;
        let mut rows = vec![
            form(DirectoryWord::Rename, DirectoryFormKind::Rename),
            leads(DirectoryWord::Kind, kind, Page::Kinds),
            line,
            form(DirectoryWord::Note, DirectoryFormKind::Note),
        ];
        if view.source.is_none() {
            rows.extend([clear, form(DirectoryWord::Remove, DirectoryFormKind::Remove)]);
        }
        rows
    }

    /// Where a menu of the directory stands that a key opened.
    pub(super) fn pane_corner(&self) -> (f32, f32) {
        let size = self.app.global::<Size>();
        (
            self.app.get_calls_width() + size.get_pad(),
            size.get_header() + size.get_section() + size.get_pad_l(),
        )
    }

    fn chosen_row(&self) -> i32 {
        let entries = self.app.global::<Menu>().get_entries();
        let chosen = entries.iter().position(|entry| entry.chosen);
        let first = || entries.iter().position(|entry| entry.part != DirectoryWord::Back);
        let at = chosen.or_else(first).unwrap_or(0);
        i32::try_from(at).unwrap_or(0)
    }
}

fn main_rows(view: &DirectoryView, look: &DirectoryLook) -> Vec<(DirectoryWord, MenuEntry, DirectoryChoice)> {
    let sort = SORTS.iter().find(|(key, _)| *key == look.sort).map(|(_, word)| *word).unwrap_or_default();
    let mut columns = leads(DirectoryWord::Columns, DirectoryWord::None, Page::Columns);
    columns.1.detail = slint::format!("{}", look.columns.len());
    let mut rows = vec![leads(DirectoryWord::View, layout_word(look.layout), Page::Layouts)];
    // Tiles have none.
    rows.extend(Some(columns).filter(|_| look.layout == Layout::List));
    rows.extend([
        leads(DirectoryWord::Names, names_word(look.names), Page::Names),
        leads(DirectoryWord::Sort, sort, Page::Sorts),
    ]);
    // What a connector keeps is not written by hand (DIR-4).
    if view.source.is_none() {
        rows.push(row(DirectoryWord::AddContact, DirectoryChoice::AddContact));
        rows.push(row(DirectoryWord::Import, DirectoryChoice::Import));
    }
    rows.extend([
        row(DirectoryWord::Export, DirectoryChoice::Export),
        leads(DirectoryWord::ThisDirectory, DirectoryWord::None, Page::This),
        row(DirectoryWord::AddDirectory, DirectoryChoice::Form(DirectoryFormKind::Add)),
    ]);
    rows
}

fn row(word: DirectoryWord, choice: DirectoryChoice) -> (DirectoryWord, MenuEntry, DirectoryChoice) {
    (word, entry(MenuWord::Directory, "", "", ""), choice)
}

fn chosen(
    word: DirectoryWord,
    on: bool,
    choice: DirectoryChoice,
) -> (DirectoryWord, MenuEntry, DirectoryChoice) {
    let (word, row, choice) = row(word, choice);
    (word, MenuEntry { chosen: on, ..row }, choice)
}

/// A row that opens another page and shows what holds now.
fn leads(word: DirectoryWord, now: DirectoryWord, page: Page) -> (DirectoryWord, MenuEntry, DirectoryChoice) {
    let (word, row, choice) = row(word, DirectoryChoice::Open(page));
    (word, MenuEntry { now, leads: true, ..row }, choice)
}

fn toggle(columns: &mut Vec<Column>, column: Column) {
    if let Some(at) = columns.iter().position(|have| *have == column) {
        columns.remove(at);
    } else {
        // In the order of the menu, whatever was there before.
        let rank = |column: &Column| COLUMNS.iter().position(|(have, _)| have == column);
        let at = columns.iter().position(|have| rank(have) > rank(&column)).unwrap_or(columns.len());
        columns.insert(at, column);
    }
}

pub(super) fn sort_key(column: Column) -> Option<SortKey> {
    match column {
        Column::Company => Some(SortKey::Company),
        Column::Office => Some(SortKey::Office),
        Column::Department => Some(SortKey::Department),
        Column::Title => Some(SortKey::Title),
        _ => None,
    }
}

fn line_name(line: &ipc::LineView) -> &str {
    if line.name.is_empty() { &line.number } else { &line.name }
}

fn layout_word(layout: Layout) -> DirectoryWord {
    match layout {
        Layout::Table => DirectoryWord::LayoutTable,
        Layout::List => DirectoryWord::LayoutList,
    }
}

fn names_word(names: NameOrder) -> DirectoryWord {
    match names {
        NameOrder::FirstLast => DirectoryWord::FirstLast,
        NameOrder::LastFirst => DirectoryWord::LastFirst,
    }
}
