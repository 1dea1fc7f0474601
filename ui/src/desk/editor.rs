//! The editor of contacts (DIR-2): what is edited, what has become of it, and saving.
//!
//! What is typed lives on the screen; here is what it was compared with. Nothing typed is lost by an answer of
//! the desk, by a call, or by a change that somebody else makes meanwhile: that one is taken in where the
//! operator has not written. `editor_view` shows it and has the keys.

use std::rc::Rc;

use ipc::{
    AlertSet, Command, CommandError, ContactCard, ContactForm, ContactId, DirectoryId, Edit, EditProblem,
    Party, Query, View,
};
use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use super::{Area, Desk};
use crate::models::form;
use crate::screen::{self, App, EditFault, FieldProblem, FocusPlace, HistoryRow, SaveBlock};

/// The first field.
pub(super) const FIRST_STOP: i32 = 1;

/// State of the editor that is the screen's own.
pub(crate) struct Editor {
    pub(super) subject: Option<Subject>,
    pub(super) directories: Rc<VecModel<SharedString>>,
    pub(super) problems: Rc<VecModel<FieldProblem>>,
    pub(super) flags: Rc<VecModel<bool>>,
    pub(super) history: Rc<VecModel<HistoryRow>>,
}

/// The contact in the editor.
pub(super) struct Subject {
    /// `None`: a new one.
    pub(super) contact: Option<ContactId>,
    pub(super) directory: Option<DirectoryId>,
    /// As it was when it came, or as a call filled it in.
    pub(super) base: ContactForm,
    base_directory: Option<DirectoryId>,
    /// It is here.
    pub(super) loaded: bool,
    /// The question for it that is on its way.
    asked: Option<u64>,
    /// The answer to this one says whether it was saved.
    pub(super) sent: Option<u64>,
    pub(super) presence: bool,
    /// The operator has touched the presence: a change of the directory leaves it alone.
    pub(super) presence_meant: bool,
    pub(super) alerts: AlertSet,
    pub(super) picture: bool,
    pub(super) keep_picture: bool,
    pub(super) fault: (EditFault, String),
    pub(super) refused: Option<(ipc::ContactField, FieldProblem)>,
    /// Who else changed it meanwhile; empty when nobody knows.
    pub(super) changed_by: Option<String>,
    pub(super) removed: bool,
}

impl Editor {
    pub(crate) fn new(app: &App) -> Self {
        let this = Self {
            subject: None,
            directories: Rc::default(),
            problems: Rc::default(),
            flags: Rc::default(),
            history: Rc::default(),
        };
        let editor = app.global::<screen::Editor>();
        editor.set_directories(ModelRc::from(this.directories.clone()));
        editor.set_problems(ModelRc::from(this.problems.clone()));
        editor.set_alerts(ModelRc::from(this.flags.clone()));
        editor.set_history(ModelRc::from(this.history.clone()));
        this
    }
}

impl Subject {
    fn new(contact: Option<ContactId>, directory: Option<DirectoryId>, base: ContactForm) -> Self {
        Self {
            contact,
            directory,
            base_directory: directory,
            loaded: contact.is_none(),
            asked: None,
            sent: None,
            presence: base.presence,
            presence_meant: false,
            alerts: base.alerts,
            picture: false,
            keep_picture: true,
            fault: (EditFault::None, String::new()),
            refused: None,
            changed_by: None,
            removed: false,
            base,
        }
    }
}

// Opening and closing.
impl Desk {
    /// A contact that is not there yet.
    pub(crate) fn open_editor_for_new(&mut self, directory: DirectoryId) {
        self.open_editor_filled(directory, ContactForm::default());
    }

    /// Somebody from a call or from the log, into a directory.
    pub(crate) fn open_editor_for_party(&mut self, party: &Party, directory: DirectoryId) {
        self.open_editor_filled(directory, form::of_party(party));
    }

    fn open_editor_filled(&mut self, directory: DirectoryId, mut base: ContactForm) {
        // On by default for company staff (PRE-2).
        base.presence = self.is_local(Some(directory));
        if self.editor_gives_way() {
            self.fill_editor(&base);
            self.begin_editing(Subject::new(None, Some(directory), base));
            self.focus_stop(FIRST_STOP);
        }
    }

    /// A contact that is there. Its row is shown already; the rest comes with the desk's answer.
    pub(crate) fn open_editor(&mut self, contact: ContactId, directory: DirectoryId) {
        if self.editor_gives_way() {
            let mut subject = Subject::new(Some(contact), Some(directory), ContactForm::default());
            subject.asked = self.outbox.query(Query::Contact(contact)).ok();
            if subject.asked.is_none() {
                subject.fault = (EditFault::Unreachable, String::new());
            }
            self.fill_editor(&ContactForm::default());
            self.begin_editing(subject);
            self.focus_stop(-1);
        }
    }

    fn begin_editing(&mut self, subject: Subject) {
        self.editor.subject = Some(subject);
        self.editor.history.set_vec(Vec::new());
        self.set_area(Area::Calls);
        let editor = self.app.global::<screen::Editor>();
        editor.set_asking(false);
        editor.set_aside(false);
        editor.set_open(true);
        self.show_editor();
    }

    /// Whether another contact may be opened; else the one that is being edited comes to the front.
    fn editor_gives_way(&mut self) -> bool {
        let free = !self.editor_is_changed();
        if !free {
            self.set_editor_aside(false);
            self.ask_whether_to_leave();
        }
        free
    }

    /// Escape and the cross: asks when something would be lost.
    pub(crate) fn close_editor(&mut self) {
        if self.editor_is_changed() {
            self.ask_whether_to_leave();
        } else {
            self.leave_editor();
        }
    }

    /// What was typed is given up.
    pub(crate) fn leave_editor(&mut self) {
        self.editor.subject = None;
        let editor = self.app.global::<screen::Editor>();
        editor.set_open(false);
        editor.set_aside(false);
        editor.set_asking(false);
        editor.set_at(-1);
        self.focus(FocusPlace::Nowhere);
    }

    /// Lets the directory be seen, or comes back.
    pub(crate) fn set_editor_aside(&mut self, aside: bool) {
        if self.editor.subject.is_none() {
            return;
        }
        let editor = self.app.global::<screen::Editor>();
        if editor.get_aside() == aside {
            return;
        }
        editor.set_aside(aside);
        editor.set_at(-1);
        if aside {
            editor.set_asking(false);
            self.focus(FocusPlace::Nowhere);
        } else {
            self.set_area(Area::Calls);
        }
        self.focus_stop(if aside { -1 } else { FIRST_STOP });
    }

    /// It lies over the directory now.
    pub(crate) fn editor_covers(&self) -> bool {
        self.editor.subject.is_some() && !self.app.global::<screen::Editor>().get_aside()
    }

    pub(super) fn editor_is_changed(&self) -> bool {
        self.editor.subject.as_ref().is_some_and(|subject| {
            subject.loaded
                && (subject.directory != subject.base_directory
                    || !subject.keep_picture
                    || form::trimmed(self.written(subject)) != form::trimmed(subject.base.clone()))
        })
    }
}

// What happens to it meanwhile.
impl Desk {
    /// A letter more or less, or a choice: what the desk said of the text before counts no more.
    pub(crate) fn editor_edited(&mut self) {
        if let Some(subject) = self.editor.subject.as_mut() {
            subject.refused = None;
            subject.fault = (EditFault::None, String::new());
        }
        self.show_editor_state();
    }

    /// A new view: when directories have changed, the contact may have as well.
    pub(crate) fn editor_changed(&mut self, before: &View) {
        let state =
            |view: &View| -> Vec<_> { view.directories.iter().map(|d| (d.id, d.generation)).collect() };
        if self.editor.subject.is_some() && state(before) != state(&self.view) {
            self.ask_editor_again();
            self.show_editor();
        }
    }

    /// Asks for the contact again: the directory has changed, or the desk is back.
    pub(crate) fn ask_editor_again(&mut self) {
        let idle = self.editor.subject.as_ref().filter(|subject| subject.sent.is_none());
        let Some(contact) = idle.and_then(|subject| subject.contact) else { return };
        let asked = self.outbox.query(Query::Contact(contact)).ok();
        if let Some(subject) = self.editor.subject.as_mut() {
            subject.asked = asked;
        }
    }

    /// The desk went away: nobody knows what became of a save.
    pub(crate) fn editor_disconnected(&mut self) {
        if let Some(subject) = self.editor.subject.as_mut() {
            subject.asked = None;
            if subject.sent.take().is_some() {
                subject.fault = (EditFault::Unanswered, String::new());
            }
            self.show_editor_state();
        }
    }

    /// The contact, whole. `false` when nobody here asked for it.
    pub(crate) fn editor_arrived(&mut self, seq: u64, card: Option<&ContactCard>) -> bool {
        let Some(subject) = self.editor.subject.as_mut() else { return false };
        if subject.asked.take_if(|asked| *asked == seq).is_none() {
            return false;
        }
        match card {
            None if subject.loaded => subject.removed = true,
            None => subject.fault = (EditFault::NoSuchContact, String::new()),
            Some(card) if subject.loaded => self.editor_meets(card),
            Some(card) => self.editor_loads(card),
        }
        self.show_editor();
        true
    }

    /// The question for the contact failed. `false` when it was not ours.
    pub(crate) fn editor_failed(&mut self, seq: u64, reason: &str) -> bool {
        let Some(subject) = self.editor.subject.as_mut() else { return false };
        let ours = subject.asked.take_if(|asked| *asked == seq).is_some();
        if ours {
            subject.fault = (EditFault::Failed, reason.to_owned());
            self.show_editor_state();
        }
        ours
    }

    fn editor_loads(&mut self, card: &ContactCard) {
        self.fill_editor(&card.form);
        if let Some(subject) = self.editor.subject.as_mut() {
            let keep = subject.asked;
            *subject = Subject::new(Some(card.contact), Some(card.directory), card.form.clone());
            (subject.asked, subject.loaded, subject.picture) = (keep, true, card.picture);
        }
        self.show_history(&card.history);
        if self.editor_covers() {
            self.focus_stop(FIRST_STOP);
        }
    }

    /// Somebody has changed it, or something else in its directory.
    fn editor_meets(&mut self, card: &ContactCard) {
        let Some(subject) = self.editor.subject.as_ref() else { return };
        let moved = subject.base_directory != Some(card.directory);
        let other = subject.base != card.form || moved || subject.picture != card.picture;
        let mut mine = self.written(subject);
        form::merge(&mut mine, &subject.base, &card.form);
        self.fill_editor(&mine);
        if let Some(subject) = self.editor.subject.as_mut() {
            if subject.directory == subject.base_directory {
                subject.directory = Some(card.directory);
            }
            (subject.presence, subject.alerts) = (mine.presence, mine.alerts);
            (subject.base, subject.base_directory) = (card.form.clone(), Some(card.directory));
            (subject.picture, subject.removed) = (card.picture, false);
            if other {
                let by = card.history.first().map(|change| change.by.clone());
                subject.changed_by = Some(by.unwrap_or_default());
            }
        }
        self.show_history(&card.history);
    }
}

// Saving.
impl Desk {
    /// Sends what is written, unless something is in the way: then the keyboard goes there.
    pub(crate) fn save_editor(&mut self) {
        match self.save_block() {
            SaveBlock::None => {}
            SaveBlock::SeeFields => return self.focus_problem(),
            _ => return,
        }
        let Some(subject) = self.editor.subject.as_ref() else { return };
        let Some(directory) = subject.directory else { return };
        let mut form = form::trimmed(self.written(subject));
        if !self.is_local(Some(directory)) {
            form = form::of_a_stranger(form);
        }
        let edit = match subject.contact.filter(|_| !subject.removed) {
            None => Edit::AddContact { directory, form: Box::new(form) },
            Some(contact) => Edit::ChangeContact {
                contact,
                directory,
                form: Box::new(form),
                keep_picture: subject.keep_picture,
            },
        };
        let sent = self.outbox.command(Command::Edit(edit)).ok();
        if let Some(subject) = self.editor.subject.as_mut() {
            subject.sent = sent;
            let fault = if sent.is_none() { EditFault::Unreachable } else { EditFault::None };
            subject.fault = (fault, String::new());
        }
        self.show_editor_state();
    }

    /// What became of it. `false` when it was not ours.
    pub(crate) fn editor_done(&mut self, seq: u64, result: &Result<(), CommandError>) -> bool {
        let Some(subject) = self.editor.subject.as_mut() else { return false };
        if subject.sent.take_if(|sent| *sent == seq).is_none() {
            return false;
        }
        let Err(error) = result else {
            self.leave_editor();
            return true;
        };
        subject.fault = form::fault(error);
        subject.refused = form::refused_field(error);
        if matches!(error, CommandError::Edit(EditProblem::NoSuchContact)) {
            subject.removed = true;
            subject.fault = (EditFault::None, String::new());
        }
        self.show_editor_state();
        if form::refused_field(error).is_some() {
            self.focus_problem();
        }
        true
    }

    /// What keeps it from being saved.
    pub(super) fn save_block(&self) -> SaveBlock {
        let Some(subject) = self.editor.subject.as_ref() else { return SaveBlock::Loading };
        let written = self.written(subject);
        if !subject.loaded {
            SaveBlock::Loading
        } else if subject.sent.is_some() {
            SaveBlock::Sending
        } else if self.problems(subject, &written).iter().any(|problem| *problem != FieldProblem::None) {
            SaveBlock::SeeFields
        } else if !form::can_be_found(&written) {
            SaveBlock::NeedsName
        } else if subject.directory.is_none_or(|id| self.view.directories.iter().all(|d| d.id != id)) {
            SaveBlock::NoDirectory
        } else if subject.contact.is_some() && !subject.removed && !self.editor_is_changed() {
            SaveBlock::Unchanged
        } else {
            SaveBlock::None
        }
    }

    /// What is wrong with each text, the desk's word first.
    pub(super) fn problems(&self, subject: &Subject, written: &ContactForm) -> Vec<FieldProblem> {
        let mut problems = form::problems(written);
        if let Some((field, problem)) = subject.refused
            && let Some(at) = form::FIELDS.iter().position(|(other, _)| *other == field)
        {
            problems[at] = problem;
        }
        problems
    }

    pub(super) fn is_local(&self, directory: Option<DirectoryId>) -> bool {
        self.view.directories.iter().any(|other| Some(other.id) == directory && other.local)
    }
}
