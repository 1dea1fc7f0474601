//! The editor of contacts on the screen: its texts in and out, what it says, where Tab goes, its keys.

use ipc::{ContactChange, ContactChangeKind, ContactForm};
use slint::{ComponentHandle, SharedString};

use super::Desk;
use super::editor::Subject;
use super::leaving::{self, DISCARD, KEEP_ON, SAVE};
use crate::clock::Moment;
use crate::faces::Place;
use crate::keys::ConsoleKey;
use crate::models::words::{initials, tint};
use crate::models::{form, rows};
use crate::screen::{self, EditField, FieldProblem, FocusPlace, HistoryKind, HistoryRow, SaveBlock};

/// Places at which Tab stops, see `Stops` in `editor.slint`.
const STOPS: i32 = 26;
const PRESENCE_STOP: i32 = 11;
const NOTE_STOP: i32 = 16;
/// The alerts about a phone.
const PHONE_STOPS: std::ops::RangeInclusive<i32> = 17..=20;
const SAVE_STOP: i32 = 25;

// Texts.
impl Desk {
    /// Writes a form into the fields; one that says it already keeps its cursor.
    pub(super) fn fill_editor(&self, form: &ContactForm) {
        let editor = self.app.global::<screen::Editor>();
        let text = |text: &String| SharedString::from(text.as_str());
        editor.set_first_name(text(&form.first_name));
        editor.set_last_name(text(&form.last_name));
        editor.set_company(text(&form.company));
        editor.set_department(text(&form.department));
        editor.set_title(text(&form.title));
        editor.set_office(text(&form.office));
        editor.set_phone(text(&form.phone));
        editor.set_mobile(text(&form.mobile));
        editor.set_home(text(&form.home));
        editor.set_voicemail(text(&form.voicemail));
        editor.set_email(text(&form.email));
        editor.set_xmpp(text(&form.xmpp));
        editor.set_web(text(&form.web));
        editor.set_calendar(text(&form.calendar));
        editor.set_note(text(&form.note));
    }

    /// What stands in the fields, with what is chosen.
    pub(super) fn written(&self, subject: &Subject) -> ContactForm {
        let editor = self.app.global::<screen::Editor>();
        ContactForm {
            first_name: editor.get_first_name().into(),
            last_name: editor.get_last_name().into(),
            company: editor.get_company().into(),
            department: editor.get_department().into(),
            title: editor.get_title().into(),
            office: editor.get_office().into(),
            phone: editor.get_phone().into(),
            mobile: editor.get_mobile().into(),
            home: editor.get_home().into(),
            voicemail: editor.get_voicemail().into(),
            email: editor.get_email().into(),
            xmpp: editor.get_xmpp().into(),
            web: editor.get_web().into(),
            calendar: editor.get_calendar().into(),
            note: editor.get_note().into(),
            presence: subject.presence,
            alerts: subject.alerts,
        }
    }

    /// A directory was chosen. The presence follows it until the operator has chosen that too (PRE-2).
    pub(crate) fn choose_editor_directory(&mut self, index: i32) {
        let chosen = usize::try_from(index).ok().and_then(|index| self.own_directories().nth(index));
        let Some((id, local)) = chosen.map(|directory| (directory.id, directory.local)) else { return };
        if let Some(subject) = self.editor.subject.as_mut() {
            subject.directory = Some(id);
            if subject.contact.is_none() && !subject.presence_meant {
                subject.presence = local;
                subject.base.presence = local;
            }
        }
        self.editor_edited();
    }

    pub(crate) fn set_editor_presence(&mut self, on: bool) {
        if let Some(subject) = self.editor.subject.as_mut() {
            subject.presence = on;
            subject.presence_meant = true;
        }
        self.editor_edited();
    }

    pub(crate) fn set_editor_alert(&mut self, index: i32, on: bool) {
        if let Some(subject) = self.editor.subject.as_mut() {
            form::set_flag(&mut subject.alerts, index, on);
        }
        self.editor_edited();
    }

    pub(crate) fn set_editor_picture(&mut self, keep: bool) {
        if let Some(subject) = self.editor.subject.as_mut() {
            subject.keep_picture = keep;
        }
        self.editor_edited();
    }
}

// What it says.
impl Desk {
    /// All but the texts.
    pub(super) fn show_editor(&mut self) {
        let names: Vec<SharedString> =
            self.own_directories().map(|directory| directory.name.as_str().into()).collect();
        rows::replace(&self.editor.directories, &names);
        self.show_editor_state();
    }

    /// What follows from each letter.
    pub(super) fn show_editor_state(&self) {
        let Some(subject) = self.editor.subject.as_ref() else { return };
        let written = self.written(subject);
        rows::replace(&self.editor.problems, &self.problems(subject, &written));
        rows::replace(&self.editor.flags, &form::flags(subject.alerts));
        let editor = self.app.global::<screen::Editor>();
        let named = if subject.contact.is_some() { &subject.base } else { &written };
        let name = contact_name(named);
        editor.set_initials(initials(&name));
        editor.set_tint(tint(&name));
        editor.set_name(name);
        editor.set_fresh(subject.contact.is_none());
        editor.set_loading(!subject.loaded);
        editor.set_changed(self.editor_is_changed());
        let index = self.own_directories().position(|d| Some(d.id) == subject.directory);
        editor.set_directory(index.and_then(|index| i32::try_from(index).ok()).unwrap_or(-1));
        editor.set_local(self.is_local(subject.directory));
        editor.set_presence(subject.presence);
        editor.set_has_picture(subject.picture);
        editor.set_keep_picture(subject.keep_picture);
        let face = subject.contact.filter(|_| subject.picture && subject.keep_picture);
        editor.set_picture(self.faces.of(face, Place::Header));
        editor.set_block(self.save_block());
        editor.set_fault(subject.fault.0);
        let reason = Some(subject.fault.1.as_str()).filter(|reason| !reason.is_empty());
        editor.set_fault_reason(self.storage_words(reason));
        editor.set_removed_meanwhile(subject.removed);
        editor.set_changed_meanwhile(subject.changed_by.is_some());
        editor.set_meanwhile_by(subject.changed_by.as_deref().unwrap_or_default().into());
    }

    pub(super) fn show_history(&self, history: &[ContactChange]) {
        let lines: Vec<HistoryRow> = history.iter().flat_map(history_rows).collect();
        rows::replace(&self.editor.history, &lines);
    }

    /// Leave without saving?
    pub(super) fn ask_whether_to_leave(&self) {
        let editor = self.app.global::<screen::Editor>();
        editor.set_answer(KEEP_ON);
        editor.set_asking(true);
        editor.set_at(-1);
        self.focus_stop(-1);
        self.focus(FocusPlace::Nowhere);
    }

    /// No: back to where one was.
    pub(crate) fn keep_editing(&self) {
        self.app.global::<screen::Editor>().set_asking(false);
        self.focus_stop(super::editor::FIRST_STOP);
    }

    /// Save, and then leave: what is wrong in the form keeps one in it.
    pub(crate) fn save_from_question(&mut self) {
        self.keep_editing();
        self.save_editor();
    }
}

// Where the keyboard is.
impl Desk {
    /// Tab, Enter, Shift+Tab: on to the next place that can be changed, round and round.
    pub(crate) fn step_in_editor(&self, by: i32) {
        let editor = self.app.global::<screen::Editor>();
        let local = editor.get_local();
        let passed = |stop: i32| {
            (!local && (stop == PRESENCE_STOP || PHONE_STOPS.contains(&stop)))
                || (stop == SAVE_STOP && editor.get_block() != SaveBlock::None)
        };
        let mut stop = editor.get_at();
        for _ in 0..STOPS {
            stop = if stop < 0 && by < 0 { STOPS - 1 } else { (stop + by).rem_euclid(STOPS) };
            if !passed(stop) {
                break;
            }
        }
        self.focus_stop(stop);
    }

    pub(super) fn focus_stop(&self, stop: i32) {
        let editor = self.app.global::<screen::Editor>();
        editor.set_focus_stop(stop);
        // The field says so too, a moment later.
        editor.set_at(stop);
        editor.set_focus_turn(editor.get_focus_turn().wrapping_add(1));
    }

    /// The first text that something is wrong with.
    pub(super) fn focus_problem(&self) {
        let Some(subject) = self.editor.subject.as_ref() else { return };
        let problems = self.problems(subject, &self.written(subject));
        if let Some(at) = problems.iter().position(|problem| *problem != FieldProblem::None) {
            let stop = i32::try_from(at + 1).unwrap_or(0);
            // The presence stands after the numbers.
            self.focus_stop(if stop >= PRESENCE_STOP { stop + 1 } else { stop });
        }
    }

    /// A key while the editor is in front. `None`: it is none of ours. `Some(false)`: it is the field's.
    /// The keys of the calls go on to them, from anywhere.
    pub(crate) fn editor_key(&mut self, text: &str, control: bool, typing: bool) -> Option<bool> {
        if !self.editor_covers() {
            return None;
        }
        let editor = self.app.global::<screen::Editor>();
        if control && text == "s" {
            self.save_editor();
            return Some(true);
        }
        if control {
            return None;
        }
        let at = editor.get_at();
        let tab = match text.chars().next() {
            Some('\t') => 1,
            Some('\u{19}') => -1,
            _ => 0,
        };
        if editor.get_asking() && !typing {
            let key = self.keys.read(text, false, false, false);
            let answer = editor.get_answer();
            match (leaving::moved(answer, text, key), key) {
                (Some(other), _) => editor.set_answer(other),
                (_, Some(ConsoleKey::Enter)) if answer == DISCARD => self.leave_editor(),
                (_, Some(ConsoleKey::Enter)) if answer == SAVE => self.save_from_question(),
                (_, Some(ConsoleKey::Enter | ConsoleKey::Escape)) => self.keep_editing(),
                _ => return None,
            }
            return Some(true);
        }
        let key = self.keys.read(text, false, false, true);
        match key {
            Some(ConsoleKey::PageUp | ConsoleKey::PageDown) if at >= 0 => Some(false),
            Some(ConsoleKey::Up | ConsoleKey::Down) if at == NOTE_STOP => Some(false),
            Some(ConsoleKey::Up) if at >= 0 => {
                self.step_in_editor(-1);
                Some(true)
            }
            Some(ConsoleKey::Down) if at >= 0 => {
                self.step_in_editor(1);
                Some(true)
            }
            // Nobody has the keyboard: Tab goes into the form, Escape closes it.
            _ if !typing && tab != 0 => {
                self.step_in_editor(tab);
                Some(true)
            }
            _ if !typing && self.keys.read(text, false, false, false) == Some(ConsoleKey::Escape) => {
                self.close_editor();
                Some(true)
            }
            _ => None,
        }
    }
}

/// As the editor's title has it.
fn contact_name(form: &ContactForm) -> SharedString {
    let name = format!("{} {}", form.first_name.trim(), form.last_name.trim());
    let fallbacks = [name.trim(), form.company.trim(), form.phone.trim(), form.email.trim()];
    fallbacks.into_iter().find(|text| !text.is_empty()).unwrap_or_default().into()
}

/// A line for the change, and one for each text of it.
fn history_rows(change: &ContactChange) -> Vec<HistoryRow> {
    let moment = Moment::of(change.at_unix_ms);
    let mut head = HistoryRow {
        by: change.by.as_str().into(),
        day: moment.day,
        month: moment.month.max(1),
        year: moment.year,
        time: moment.time.into(),
        ..HistoryRow::default()
    };
    let texts = match &change.what {
        ContactChangeKind::Added => {
            head.kind = HistoryKind::Added;
            &[][..]
        }
        ContactChangeKind::Removed => {
            head.kind = HistoryKind::Removed;
            &[][..]
        }
        ContactChangeKind::Restored => {
            head.kind = HistoryKind::Restored;
            &[][..]
        }
        ContactChangeKind::Changed { texts, .. } => {
            head.kind = if texts.is_empty() { HistoryKind::Otherwise } else { HistoryKind::Changed };
            texts.as_slice()
        }
    };
    let one_line = |text: &str| SharedString::from(text.split_whitespace().collect::<Vec<_>>().join(" "));
    let text = |change: &ipc::TextChange| HistoryRow {
        text: true,
        field: form::FIELDS
            .iter()
            .find(|(field, _)| *field == change.field)
            .map_or(EditField::Note, |(_, field)| *field),
        before: one_line(&change.before),
        after: one_line(&change.after),
        ..HistoryRow::default()
    };
    std::iter::once(head).chain(texts.iter().map(text)).collect()
}
