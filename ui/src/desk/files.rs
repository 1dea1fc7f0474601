//! Contacts from a file and into one (DIR-3). The desk reads and writes the files; here one is chosen, the
//! import is watched, and its report is read.

use std::rc::Rc;

use ipc::{Command, CommandError, ContactFile, DirectoryId, ImportReport, Query, Reply, RowFault};
use slint::{ComponentHandle, Model, ModelRc, SharedString, VecModel};

use super::Desk;
use crate::clock::Moment;
use crate::keys::ConsoleKey;
use crate::models::{form, rows};
use crate::screen::{self, App, BadRow, EditFault, FileRow, Files as Screen, FilesStep, RowFaultKind};

/// Rows a page key moves.
const PAGE: i32 = 5;
/// Rows left out that the desk tells of.
const TOLD: usize = 1_000;

/// State of the window that is the screen's own.
pub(crate) struct Files {
    files: Vec<ContactFile>,
    rows: Rc<VecModel<FileRow>>,
    directories: Rc<VecModel<SharedString>>,
    bad: Rc<VecModel<BadRow>>,
    asked: Option<u64>,
    chosen: Option<usize>,
    into: Option<DirectoryId>,
    /// The import begun here.
    sent: Option<u64>,
    cancelling: bool,
    /// The directory whose file is being written.
    exporting: Option<u64>,
}

impl Files {
    pub(crate) fn new(app: &App) -> Self {
        let this = Self {
            files: Vec::new(),
            rows: Rc::default(),
            directories: Rc::default(),
            bad: Rc::default(),
            asked: None,
            chosen: None,
            into: None,
            sent: None,
            cancelling: false,
            exporting: None,
        };
        let files = app.global::<Screen>();
        files.set_rows(ModelRc::from(this.rows.clone()));
        files.set_directories(ModelRc::from(this.directories.clone()));
        files.set_bad(ModelRc::from(this.bad.clone()));
        this
    }
}

// Choosing.
impl Desk {
    /// Which file? Then, into which directory: that one, unless another is chosen.
    pub(crate) fn import_contacts(&mut self, directory: Option<DirectoryId>) {
        // Its keys are the window's, not those of a field that somebody was in.
        self.focus(screen::FocusPlace::Nowhere);
        let files = self.app.global::<Screen>();
        self.files.into = directory;
        files.set_name(SharedString::default());
        files.set_local(false);
        files.set_open(true);
        if self.view.import.is_some() || self.files.sent.is_some() {
            self.set_files_step(FilesStep::Running);
            self.show_import();
        } else {
            self.list_files();
        }
    }

    /// Writes a directory into a file of the administrator's folder; where, is said when it is done.
    pub(crate) fn export_contacts(&mut self, directory: DirectoryId) {
        self.files.exporting = self.send(Command::ExportContacts { directory, path: None });
    }

    /// Looks for the files.
    pub(crate) fn list_files(&mut self) {
        self.files.chosen = None;
        self.files.asked = self.outbox.query(Query::ContactFiles).ok();
        self.set_files_step(FilesStep::List);
        if self.files.asked.is_none() {
            self.files_fault(EditFault::Failed, "");
        }
        self.app.global::<Screen>().set_loading(self.files.asked.is_some());
    }

    pub(crate) fn choose_file(&mut self, index: i32) {
        let chosen = usize::try_from(index).ok().filter(|index| *index < self.files.files.len());
        let Some(file) = chosen.and_then(|index| self.files.files.get(index)) else { return };
        let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stem = file.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        self.files.chosen = chosen;
        let files = self.app.global::<Screen>();
        files.set_file(name.into());
        files.set_name(stem.into());
        self.set_files_step(FilesStep::Into);
        self.show_files_directory();
    }

    pub(crate) fn choose_files_directory(&mut self, index: i32) {
        let chosen = usize::try_from(index).ok().and_then(|index| self.own_directories().nth(index));
        self.files.into = chosen.map(|directory| directory.id);
        self.show_files_directory();
    }

    pub(crate) fn set_files_local(&mut self, on: bool) {
        self.app.global::<Screen>().set_local(on);
    }

    /// A name was typed, or the directories have changed.
    pub(crate) fn show_files_directory(&mut self) {
        let names: Vec<SharedString> =
            self.own_directories().map(|directory| directory.name.as_str().into()).collect();
        rows::replace(&self.files.directories, &names);
        let files = self.app.global::<Screen>();
        let index = self.own_directories().position(|d| Some(d.id) == self.files.into);
        files.set_directory(index.and_then(|index| i32::try_from(index).ok()).unwrap_or(-1));
        let name = files.get_name();
        let taken = self.view.directories.iter().any(|directory| directory.name.trim() == name.trim());
        files.set_name_taken(index.is_none() && taken);
    }

    /// Import.
    pub(crate) fn begin_import(&mut self) {
        let Some(file) = self.files.chosen.and_then(|index| self.files.files.get(index)) else { return };
        let files = self.app.global::<Screen>();
        let there = self.view.directories.iter().find(|directory| Some(directory.id) == self.files.into);
        let (directory, local) = match there {
            Some(directory) => (directory.name.clone(), directory.local),
            None => (files.get_name().trim().to_owned(), files.get_local()),
        };
        if directory.is_empty() || (there.is_none() && files.get_name_taken()) {
            return;
        }
        files.set_into(directory.as_str().into());
        let command = Command::ImportContacts { directory, local, path: file.path.clone() };
        self.files.sent = self.outbox.command(command).ok();
        self.files.cancelling = false;
        if self.files.sent.is_some() {
            self.set_files_step(FilesStep::Running);
            self.show_import();
        } else {
            self.files_fault(EditFault::Unreachable, "");
        }
    }
}

// By keys.
impl Desk {
    /// A key while the window is in front: arrows move, Enter and Insert do what is under the cursor. The keys of the calls
    /// go on to them.
    pub(crate) fn files_key(&mut self, key: ConsoleKey) -> bool {
        let covered = self.keypad_is_open() || self.link_card_is_open() || self.phone_card_is_open();
        if !self.files_are_open() || covered {
            return false;
        }
        match key {
            ConsoleKey::Up | ConsoleKey::Left => self.move_files_cursor(|at, _| at - 1),
            ConsoleKey::Down | ConsoleKey::Right => self.move_files_cursor(|at, _| at + 1),
            ConsoleKey::PageUp => self.move_files_cursor(|at, _| at - PAGE),
            ConsoleKey::PageDown => self.move_files_cursor(|at, _| at + PAGE),
            ConsoleKey::Home => self.move_files_cursor(|_, _| 0),
            ConsoleKey::End => self.move_files_cursor(|_, last| last),
            ConsoleKey::Enter | ConsoleKey::Primary => self.act_at_files_cursor(),
            _ => return false,
        }
        true
    }

    /// Where the field for the name of a new directory stands, behind the directories.
    fn files_name_stop(&self) -> i32 {
        i32::try_from(self.own_directories().count()).unwrap_or(i32::MAX - 8) + 1
    }

    /// Behind the name and the kind of a new directory: Back, and then Import.
    fn files_foot(&self) -> i32 {
        let is_new = self.app.global::<Screen>().get_directory() < 0;
        self.files_name_stop() + if is_new { 3 } else { 0 }
    }

    /// `to` is asked with where the cursor stands and the last place there is.
    fn move_files_cursor(&self, to: impl FnOnce(i32, i32) -> i32) {
        let files = self.app.global::<Screen>();
        let count = |rows: usize| i32::try_from(rows).unwrap_or(i32::MAX);
        let last = match files.get_step() {
            // "Look again" where there is none.
            FilesStep::List if self.files.rows.row_count() == 0 => 0,
            FilesStep::List => count(self.files.rows.row_count()) - 1,
            FilesStep::Into => self.files_foot() + 1,
            FilesStep::Running => 0,
            FilesStep::Report => count(self.files.bad.row_count()),
        };
        let next = to(files.get_cursor(), last).clamp(0, last);
        files.set_cursor(next);
        // The field takes the keyboard by itself.
        let in_field = files.get_step() == FilesStep::Into
            && files.get_directory() < 0
            && next == self.files_name_stop();
        if !in_field {
            self.focus(screen::FocusPlace::Nowhere);
        }
    }

    fn act_at_files_cursor(&mut self) {
        let files = self.app.global::<Screen>();
        let at = files.get_cursor();
        match files.get_step() {
            FilesStep::List if self.files.rows.row_count() > 0 => self.choose_file(at),
            FilesStep::List if at == 0 && self.files.asked.is_none() => self.list_files(),
            FilesStep::List => {}
            FilesStep::Into => self.act_at_files_target(at),
            FilesStep::Running if at == 0 && !self.files.cancelling => self.cancel_import(),
            FilesStep::Running => {}
            // Also before anybody has moved to it.
            FilesStep::Report => self.close_files(),
        }
    }

    fn act_at_files_target(&mut self, at: i32) {
        let (name, foot) = (self.files_name_stop(), self.files_foot());
        match at {
            _ if at < 0 => {}
            _ if at < name => self.choose_files_directory(at - 1),
            _ if at == foot => self.list_files(),
            _ if at > foot => self.begin_import(),
            _ if at == name + 1 => self.set_files_local(true),
            _ if at == name + 2 => self.set_files_local(false),
            // In the field Enter begins by itself.
            _ => {}
        }
    }
}

// Watching.
impl Desk {
    /// Gives the import up.
    pub(crate) fn cancel_import(&mut self) {
        self.files.cancelling = self.send(Command::CancelImport).is_some();
        self.show_import();
    }

    pub(crate) fn close_files(&mut self) {
        let files = self.app.global::<Screen>();
        if files.get_step() == FilesStep::Report {
            files.set_unread(false);
        }
        files.set_open(false);
        self.files.asked = None;
        self.focus(screen::FocusPlace::Nowhere);
    }

    pub(crate) fn files_are_open(&self) -> bool {
        self.app.global::<Screen>().get_open()
    }

    /// From the foot of the rail: the import that runs, or its report.
    pub(crate) fn show_files(&mut self) {
        let files = self.app.global::<Screen>();
        if files.get_running() {
            self.set_files_step(FilesStep::Running);
        } else if files.get_unread() {
            self.set_files_step(FilesStep::Report);
        }
        files.set_open(true);
    }

    /// A new view: how far the import is, whoever began it.
    pub(crate) fn show_import(&mut self) {
        let files = self.app.global::<Screen>();
        files.set_running(self.view.import.is_some() || self.files.sent.is_some());
        files.set_cancelling(self.files.cancelling);
        let french = self.view.preferences.language == ipc::Language::French;
        match &self.view.import {
            Some(import) => {
                let whole = import.of_bytes.max(1);
                let percent = import.bytes.min(whole).saturating_mul(100) / whole;
                files.set_into(import.directory.as_str().into());
                files.set_percent(i32::try_from(percent).unwrap_or(100));
                let of = format!("{} / {}", bytes(import.bytes, french), bytes(import.of_bytes, french));
                files.set_bytes(of.into());
                files.set_contacts(super::directory::grouped(import.contacts as usize, french).into());
                files.set_left_out(i32::try_from(import.left_out).unwrap_or(i32::MAX));
            }
            None => {
                files.set_percent(0);
                files.set_bytes(SharedString::default());
                files.set_contacts("0".into());
                files.set_left_out(0);
            }
        }
        let watched = files.get_open() && files.get_step() == FilesStep::Running;
        if watched && self.view.import.is_none() && self.files.sent.is_none() {
            // It was begun elsewhere and is over; its report went there.
            self.close_files();
        }
        let files = self.app.global::<Screen>();
        if files.get_open() && files.get_step() == FilesStep::Into {
            self.show_files_directory();
        }
    }

    /// Answers to what this window asked. `false`: not ours.
    pub(crate) fn files_arrived(&mut self, seq: u64, reply: &Reply) -> bool {
        match reply {
            Reply::ContactFiles(files) if self.files.asked.take_if(|asked| *asked == seq).is_some() => {
                self.files.files.clone_from(files);
                let french = self.view.preferences.language == ipc::Language::French;
                let lines: Vec<FileRow> = files.iter().map(|file| file_row(file, french)).collect();
                rows::replace(&self.files.rows, &lines);
                self.app.global::<Screen>().set_loading(false);
                true
            }
            Reply::Import(report) if self.files.sent == Some(seq) => {
                self.show_report(report);
                true
            }
            Reply::Exported { path, contacts }
                if self.files.exporting.take_if(|sent| *sent == seq).is_some() =>
            {
                self.notice_exported(path, *contacts);
                true
            }
            Reply::Failed { reason } if self.files.asked.take_if(|asked| *asked == seq).is_some() => {
                self.app.global::<Screen>().set_loading(false);
                self.files_fault(EditFault::Failed, reason);
                true
            }
            _ => false,
        }
    }

    /// What became of the import. `false`: not ours.
    pub(crate) fn files_done(&mut self, seq: u64, result: &Result<(), CommandError>) -> bool {
        if self.files.sent.take_if(|sent| *sent == seq).is_none() {
            return false;
        }
        let given_up = std::mem::take(&mut self.files.cancelling);
        let shown = self.app.global::<Screen>().get_open();
        if let Err(error) = result {
            let (fault, reason) = form::fault(error);
            if shown && self.files.chosen.is_some() {
                self.set_files_step(FilesStep::Into);
            }
            if given_up {
                // That is what was wanted.
            } else if shown {
                self.files_fault(fault, &reason);
            } else {
                self.notice(Some(error));
            }
        }
        self.show_import();
        true
    }

    /// The desk went away; what it was doing goes on there, and its end shows in the ledger.
    pub(crate) fn files_disconnected(&mut self) {
        self.files.sent = None;
        self.files.asked = None;
        self.files.exporting = None;
        self.files.cancelling = false;
        self.view.import = None;
        self.close_files();
        self.show_import();
    }

    fn show_report(&mut self, report: &ImportReport) {
        let french = self.view.preferences.language == ipc::Language::French;
        let bad: Vec<BadRow> =
            report.problems.iter().map(|problem| bad_row(problem.line, &problem.fault, french)).collect();
        self.files.bad.set_vec(bad);
        let files = self.app.global::<Screen>();
        files.set_loaded(super::directory::grouped(report.loaded as usize, french).into());
        files.set_unknown_columns(report.unknown_columns.join(", ").into());
        files.set_bad_cut(report.problems.len() >= TOLD);
        files.set_unread(true);
        if files.get_open() {
            self.set_files_step(FilesStep::Report);
        }
    }

    fn set_files_step(&self, step: FilesStep) {
        let files = self.app.global::<Screen>();
        files.set_step(step);
        files.set_cursor(-1);
        files.set_fault(EditFault::None);
    }

    fn files_fault(&self, fault: EditFault, reason: &str) {
        let files = self.app.global::<Screen>();
        files.set_fault(fault);
        let words = match form::file_fault(reason) {
            Some(fault) => self.app.global::<screen::Words>().invoke_file(fault),
            None => self.storage_words(Some(reason).filter(|reason| !reason.is_empty())),
        };
        files.set_fault_reason(words);
    }
}

fn file_row(file: &ContactFile, french: bool) -> FileRow {
    let moment = Moment::of(file.modified_unix_ms);
    FileRow {
        name: file.path.file_name().unwrap_or_default().to_string_lossy().as_ref().into(),
        folder: file.path.parent().map(|folder| folder.display().to_string()).unwrap_or_default().into(),
        size: bytes(file.bytes, french).into(),
        day: moment.day,
        month: moment.month.max(1),
        year: moment.year,
        time: moment.time.into(),
    }
}

/// What is wrong with a row, as parts that the screen words.
fn bad_row(line: u64, fault: &RowFault, french: bool) -> BadRow {
    let line = super::directory::grouped(usize::try_from(line).unwrap_or(usize::MAX), french);
    let nothing = String::new;
    let (kind, first, second) = match fault {
        RowFault::Endless => (RowFaultKind::Endless, nothing(), nothing()),
        RowFault::Cells { cells, columns } => (RowFaultKind::Cells, cells.to_string(), columns.to_string()),
        RowFault::Empty => (RowFaultKind::Empty, nothing(), nothing()),
        RowFault::TooLong { column, .. } => (RowFaultKind::TooLong, column.clone(), nothing()),
        RowFault::ControlCharacter { column, .. } => {
            (RowFaultKind::ControlCharacter, column.clone(), nothing())
        }
        RowFault::Alert { letter } => (RowFaultKind::Alert, letter.to_string(), nothing()),
        RowFault::Presence { found } => (RowFaultKind::Presence, found.clone(), nothing()),
        RowFault::PictureType { found } => (RowFaultKind::PictureType, found.clone(), nothing()),
        RowFault::NoPicture => (RowFaultKind::NoPicture, nothing(), nothing()),
        RowFault::OtherPicture { found, said } => (RowFaultKind::OtherPicture, found.clone(), said.clone()),
        RowFault::PictureTooLarge { .. } => (RowFaultKind::PictureTooLarge, nothing(), nothing()),
        RowFault::PictureEncoding => (RowFaultKind::PictureEncoding, nothing(), nothing()),
        RowFault::PictureDimensions { width, height } => {
            (RowFaultKind::PictureDimensions, width.to_string(), height.to_string())
        }
        // What the reader of its type said is English, and for the log.
        RowFault::PictureBroken { .. } => (RowFaultKind::PictureBroken, nothing(), nothing()),
    };
    BadRow { line: line.into(), kind, first: first.into(), second: second.into() }
}

/// "812 B", "4.2 MB", "4,2 Mo": powers of a thousand, as the file managers of our time have them.
fn bytes(count: u64, french: bool) -> String {
    let units = if french { ["o", "ko", "Mo", "Go"] } else { ["B", "kB", "MB", "GB"] };
    let mut tenths = count.saturating_mul(10);
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < units.len() {
        tenths /= 1000;
        unit += 1;
    }
    let number = if unit == 0 || tenths >= 1000 {
        (tenths / 10).to_string()
    } else {
        format!("{}{}{}", tenths / 10, if french { ',' } else { '.' }, tenths % 10)
    };
    format!("{number} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbered_as_the_language_does() {
        assert_eq!(bad_row(10_002, &RowFault::Empty, false).line, "10,002");
        assert_eq!(bad_row(10_002, &RowFault::Empty, true).line, "10\u{202f}002");
    }

    #[test]
    fn sizes_are_short() {
        for (count, english, french) in [
            (0, "0 B", "0 o"),
            (999, "999 B", "999 o"),
            (4_249, "4.2 kB", "4,2 ko"),
            (128_000, "128 kB", "128 ko"),
            (1_000_000_000, "1.0 GB", "1,0 Go"),
            (u64::MAX, "1844674407 GB", "1844674407 Go"),
        ] {
            assert_eq!((bytes(count, false).as_str(), bytes(count, true).as_str()), (english, french));
        }
    }
}
