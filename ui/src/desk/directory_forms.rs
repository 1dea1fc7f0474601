//! What is asked about a whole directory (DIR-1): its name and kind, its note, whether its contacts or all of
//! it may go. The form stays until the desk has taken it, or says why not.

use ipc::{Command, CommandError, DirectoryId, DirectoryView, Edit, EditProblem};
use slint::ComponentHandle;

use super::Desk;
use super::directory::grouped;
use crate::keys::ConsoleKey;
use crate::screen::{DirectoryForm, DirectoryFormKind, DirectoryProblem, FocusPlace};

/// What is asked, about which directory.
pub(super) struct Form {
    kind: DirectoryFormKind,
    /// `None` for a new one.
    directory: Option<DirectoryId>,
    /// The command that is with the desk.
    seq: Option<u64>,
}

impl Desk {
    /// Asks; about a new directory when none is given.
    pub(crate) fn open_form(&mut self, kind: DirectoryFormKind, directory: Option<DirectoryId>) {
        let view = directory.and_then(|id| self.directory_view(id));
        let form = self.app.global::<DirectoryForm>();
        let (name, note, count) =
            view.map(|d| (d.name.as_str(), d.note.as_str(), d.contacts)).unwrap_or_default();
        form.set_directory(name.into());
        form.set_contacts(i32::try_from(count).unwrap_or(i32::MAX));
        form.set_contacts_text(grouped(count as usize, self.is_french()).into());
        form.set_text(match kind {
            DirectoryFormKind::Rename => name.into(),
            DirectoryFormKind::Note => note.into(),
            _ => Default::default(),
        });
        form.set_local(true);
        form.set_problem(DirectoryProblem::None);
        form.set_waiting(false);
        form.set_sure(false);
        form.set_kind(kind);
        self.overlay.form = Some(Form { kind, directory, seq: None });
    }

    /// A letter more or less: what was wrong may be right now.
    pub(crate) fn form_edited(&mut self) {
        self.app.global::<DirectoryForm>().set_problem(DirectoryProblem::None);
    }

    pub(crate) fn close_form(&mut self) {
        if self.overlay.form.take().is_some() {
            self.app.global::<DirectoryForm>().set_kind(DirectoryFormKind::None);
            self.focus(FocusPlace::Nowhere);
        }
    }

    /// The button that does it.
    pub(crate) fn accept_form(&mut self) {
        let Some(form) = self.overlay.form.as_ref().filter(|form| form.seq.is_none()) else { return };
        let (kind, directory) = (form.kind, form.directory);
        let global = self.app.global::<DirectoryForm>();
        let text = global.get_text().trim().to_owned();
        let named = matches!(kind, DirectoryFormKind::Add | DirectoryFormKind::Rename);
        if named && text.is_empty() {
            return global.set_problem(DirectoryProblem::NoName);
        }
        let view = directory.and_then(|id| self.directory_view(id));
        let edit = match (kind, view) {
            (DirectoryFormKind::Add, _) => Edit::AddDirectory { name: text, local: global.get_local() },
            (DirectoryFormKind::Rename, Some(view)) => change(view, |change| change.name = text),
            (DirectoryFormKind::Note, Some(view)) => change(view, |change| change.note = text),
            (DirectoryFormKind::Clear, Some(view)) => Edit::ClearDirectory { directory: view.id },
            (DirectoryFormKind::Remove, Some(view)) => Edit::RemoveDirectory { directory: view.id },
            (DirectoryFormKind::None, _) | (_, None) => return global.set_problem(DirectoryProblem::Gone),
        };
        global.set_problem(DirectoryProblem::None);
        let seq = self.outbox.command(Command::Edit(edit)).ok();
        global.set_waiting(seq.is_some());
        if seq.is_none() {
            global.set_problem(DirectoryProblem::Away);
        }
        if let Some(form) = self.overlay.form.as_mut() {
            form.seq = seq;
        }
    }

    /// Whether the desk took it. `false` when the answer was to something else.
    pub(crate) fn form_done(&mut self, seq: u64, result: &Result<(), CommandError>) -> bool {
        let Some(form) = self.overlay.form.as_mut() else { return false };
        if form.seq.take_if(|asked| *asked == seq).is_none() {
            return false;
        }
        match result {
            Ok(()) => self.close_form(),
            Err(error) => {
                let global = self.app.global::<DirectoryForm>();
                global.set_waiting(false);
                global.set_problem(problem(error));
            }
        }
        true
    }

    /// A new directory comes to the front.
    pub(crate) fn directory_added(&mut self, seq: u64, directory: DirectoryId) {
        let ours = |form: &Form| form.seq == Some(seq) && form.kind == DirectoryFormKind::Add;
        if self.overlay.form.as_ref().is_some_and(ours) {
            self.directory.coming = Some(directory);
            self.send(Command::ShowDirectory { directory });
            self.directories_changed();
        }
    }

    /// Sets the kind or the line of a directory; the rest stays.
    pub(super) fn change_directory(&mut self, directory: DirectoryId, set: impl FnOnce(&mut Change)) {
        if let Some(edit) = self.directory_view(directory).map(|view| change(view, set)) {
            self.send(Command::Edit(edit));
        }
    }

    /// A key while the form is open. `None`: it means what it means without.
    pub(crate) fn form_key(&mut self, key: ConsoleKey) -> Option<bool> {
        let kind = self.overlay.form.as_ref()?.kind;
        let global = self.app.global::<DirectoryForm>();
        let asks = matches!(kind, DirectoryFormKind::Clear | DirectoryFormKind::Remove);
        match key {
            ConsoleKey::Escape => self.close_form(),
            // The text wants them.
            ConsoleKey::Up | ConsoleKey::Down | ConsoleKey::PageUp | ConsoleKey::PageDown
                if kind == DirectoryFormKind::Note =>
            {
                return Some(false);
            }
            ConsoleKey::Up | ConsoleKey::Down if kind == DirectoryFormKind::Add => {
                global.set_local(!global.get_local());
            }
            ConsoleKey::Up | ConsoleKey::Down | ConsoleKey::Left | ConsoleKey::Right if asks => {
                global.set_sure(!global.get_sure());
            }
            ConsoleKey::Enter if asks && !global.get_sure() => self.close_form(),
            ConsoleKey::Enter => self.accept_form(),
            ConsoleKey::Search | ConsoleKey::Find | ConsoleKey::Switch | ConsoleKey::Number => {
                self.close_form();
                return None;
            }
            ConsoleKey::Up
            | ConsoleKey::Down
            | ConsoleKey::Left
            | ConsoleKey::Right
            | ConsoleKey::PageUp
            | ConsoleKey::PageDown
            | ConsoleKey::Home
            | ConsoleKey::End => {}
            _ => return None,
        }
        Some(true)
    }
}

/// What can be changed of a directory.
pub(super) struct Change {
    pub(super) name: String,
    pub(super) local: bool,
    pub(super) line: Option<String>,
    pub(super) note: String,
}

fn change(view: &DirectoryView, set: impl FnOnce(&mut Change)) -> Edit {
    let mut change = Change {
        name: view.name.clone(),
        local: view.local,
        line: view.line.clone(),
        note: view.note.clone(),
    };
    set(&mut change);
    let Change { name, local, line, note } = change;
    Edit::ChangeDirectory { directory: view.id, name, local, line, note }
}

fn problem(error: &CommandError) -> DirectoryProblem {
    match error {
        CommandError::Edit(EditProblem::EmptyName) => DirectoryProblem::NoName,
        CommandError::Edit(EditProblem::BadName) => DirectoryProblem::BadName,
        CommandError::Edit(EditProblem::NameTaken) => DirectoryProblem::NameTaken,
        CommandError::Edit(EditProblem::NoSuchDirectory) => DirectoryProblem::Gone,
        error => {
            tracing::warn!("the desk did not change a directory: {error}");
            DirectoryProblem::Failed
        }
    }
}
