//! The operator's note (NOTE-1): what is written is kept by the desk while one writes, saved when one says so.
//!
//! What is typed lives on the screen; nothing of it is lost by an answer of the desk or by its absence: what could not be
//! kept is kept as soon as there is a connection again. Signs for bold and the like are in `models::note`.

use std::ops::Range;
use std::time::Duration;

use ipc::{Command, CommandError, MAX_NOTE, Query, Reply};
use slint::{ComponentHandle, SharedString, StyledText, Timer, TimerMode};

use super::Desk;
use crate::clock::Moment;
use crate::models::ledger::is_full;
use crate::models::note::{self, Style};
use crate::screen::{self, App, FocusPlace, NoteStanding, NoteStyle, Words};

/// How long somebody writes before it is kept: a power cut takes no more than this.
const KEEP_AFTER: Duration = Duration::from_millis(600);
/// When the desk could not keep it, it is asked again after this long.
const AGAIN: Duration = Duration::from_secs(5);

/// State of the note that is the screen's own.
#[derive(Default)]
pub(crate) struct Note {
    /// As the desk has it; `None` until it has come.
    there: Option<ipc::Note>,
    asked: Option<u64>,
    /// What is on its way to the disk.
    sent: Option<u64>,
    /// Why the last try failed.
    fault: Option<String>,
    /// What was given up, until something else is written.
    given_up: Option<String>,
    /// What was copied, for boards without a clipboard.
    clip: String,
    timer: Timer,
}

impl Note {
    /// What the desk would show after a power cut.
    fn kept(&self) -> &str {
        self.there.as_ref().map_or("", |there| there.draft.as_deref().unwrap_or(&there.saved))
    }

    fn saved(&self) -> &str {
        self.there.as_ref().map_or("", |there| &there.saved)
    }
}

// The desk's side.
impl Desk {
    /// Asks for the note: at the start, and after the connection was gone.
    pub(crate) fn ask_note(&mut self) {
        self.note.sent = None;
        self.note.asked = self.outbox.query(Query::Note).ok();
    }

    /// True when this was the answer to a question for the note, or to what was to be kept.
    pub(crate) fn note_arrived(&mut self, seq: u64, reply: &Reply) -> bool {
        let (asked, sent) = (self.note.asked == Some(seq), self.note.sent == Some(seq));
        match reply {
            Reply::Note(note) if asked || sent => {
                // What was written without a connection is newer.
                let is_mine = self.note.there.is_some() && self.note_text() != self.note.kept();
                self.note.there = Some(ipc::Note::clone(note));
                if asked {
                    self.note.asked = None;
                    if is_mine {
                        self.keep_soon(KEEP_AFTER);
                    } else {
                        self.write(self.note.kept().to_owned(), None);
                    }
                }
            }
            Reply::Failed { reason } if asked => {
                self.note.asked = None;
                self.note.fault = Some(reason.clone());
            }
            _ => return false,
        }
        self.show_note();
        true
    }

    /// True when this was the answer to what was to be kept.
    pub(crate) fn note_done(&mut self, seq: u64, result: &Result<(), CommandError>) -> bool {
        if self.note.sent != Some(seq) {
            return false;
        }
        self.note.sent = None;
        self.note.fault = match result {
            Ok(()) => None,
            Err(CommandError::Failed { reason }) => Some(reason.clone()),
            Err(error) => Some(error.to_string()),
        };
        if self.note_text() != self.note.kept() {
            self.keep_soon(if result.is_ok() { KEEP_AFTER } else { AGAIN });
        }
        self.show_note();
        true
    }

    /// What is said in place of the desk's reason for not keeping something; empty without one.
    pub(super) fn storage_words(&self, reason: Option<&str>) -> SharedString {
        reason.map(|reason| self.app.global::<Words>().invoke_storage(is_full(reason))).unwrap_or_default()
    }

    /// Somebody else's note comes in its place, or none: nothing of this one is sent any more.
    pub(crate) fn forget_note(&mut self) {
        self.note.timer.stop();
        self.note = Note::default();
        self.write(String::new(), None);
        self.show_note();
    }

    /// Nothing can be kept now.
    pub(crate) fn note_disconnected(&mut self) {
        (self.note.asked, self.note.sent) = (None, None);
        self.note.timer.stop();
        self.show_note();
    }
}

// The operator's side.
impl Desk {
    /// Something was typed.
    pub(crate) fn note_edited(&mut self) {
        self.note.given_up = None;
        self.note.fault = None;
        if !self.note.timer.running() {
            self.keep_soon(KEEP_AFTER);
        }
        self.show_note();
    }

    /// Saves what is written.
    pub(crate) fn save_note(&mut self) {
        let text = self.note_text();
        if text.len() <= MAX_NOTE && text != self.note.saved() {
            self.note.timer.stop();
            self.send_note(Command::SaveNote { text });
        }
    }

    /// Back to what was saved.
    pub(crate) fn give_up_note(&mut self) {
        self.note.given_up = Some(self.note_text());
        self.note.timer.stop();
        self.write(self.note.saved().to_owned(), None);
        self.send_note(Command::DraftNote { text: None });
    }

    /// What was given up was meant after all.
    pub(crate) fn bring_back_note(&mut self) {
        if let Some(text) = self.note.given_up.take() {
            self.write(text, None);
            self.note_edited();
        }
    }

    /// Makes what is selected bold and the like, or takes it away.
    pub(crate) fn style_note(&mut self, style: NoteStyle, anchor: i32, cursor: i32) {
        let style = match style {
            NoteStyle::Bold => Style::Bold,
            NoteStyle::Italic => Style::Italic,
            NoteStyle::Underlined => Style::Underlined,
        };
        let (text, selection) = note::toggle(&self.note_text(), selected(anchor, cursor), style);
        self.write(text, Some(selection));
        self.note_edited();
    }

    /// Remembers what is selected.
    pub(crate) fn copy_from_note(&mut self, anchor: i32, cursor: i32) {
        if let Some(words) = self.note_text().get(selected(anchor, cursor)).filter(|words| !words.is_empty())
        {
            words.clone_into(&mut self.note.clip);
        }
    }

    /// Takes out what is selected; copied before.
    pub(crate) fn take_out_of_note(&mut self, anchor: i32, cursor: i32) {
        self.replace_in_note(selected(anchor, cursor), "");
    }

    /// Puts what was copied in the place of what is selected.
    pub(crate) fn put_into_note(&mut self, anchor: i32, cursor: i32) {
        let clip = self.note.clip.clone();
        if !clip.is_empty() {
            self.replace_in_note(selected(anchor, cursor), &clip);
        }
    }

    /// Escape: out of the text, which stays.
    pub(crate) fn leave_note(&mut self) {
        self.focus(FocusPlace::Nowhere);
    }

    /// The note's key: to the text.
    pub(crate) fn open_note_by_key(&mut self) {
        self.show_screen(screen::Screen::Note);
        if self.screen() == screen::Screen::Note {
            self.focus(FocusPlace::Note);
        }
    }

    fn replace_in_note(&mut self, place: Range<usize>, words: &str) {
        let mut text = self.note_text();
        if text.get(place.clone()).is_none() || place.is_empty() && words.is_empty() {
            return;
        }
        text.replace_range(place.clone(), words);
        let cursor = place.start + words.len();
        self.write(text, Some(cursor..cursor));
        self.note_edited();
    }
}

impl Desk {
    fn note_text(&self) -> String {
        self.app.global::<screen::Note>().get_text().into()
    }

    /// Puts a text into the field, and the cursor where it belongs.
    fn write(&self, text: String, selection: Option<Range<usize>>) {
        let global = self.app.global::<screen::Note>();
        global.set_text(text.into());
        if let Some(selection) = selection {
            let offset = |at| i32::try_from(at).unwrap_or(i32::MAX);
            global.set_anchor(offset(selection.start));
            global.set_cursor(offset(selection.end));
            global.set_turn(global.get_turn().wrapping_add(1));
        }
    }

    fn keep_soon(&self, after: Duration) {
        let app: App = self.app.clone_strong();
        self.note.timer.start(TimerMode::SingleShot, after, move || {
            app.global::<screen::Note>().invoke_keep();
        });
    }

    /// Has the desk keep what is written, before it belongs to somebody who is not here.
    pub(crate) fn flush_note(&mut self) {
        let text = self.note_text();
        let is_new = self.note.there.is_some() && text != self.note.kept();
        if is_new && text.len() <= MAX_NOTE && self.connected {
            self.note.timer.stop();
            self.send_note(Command::DraftNote { text: Some(text) });
        }
    }

    /// Has the desk keep what is written.
    pub(crate) fn keep_note(&mut self) {
        let text = self.note_text();
        if self.note.there.is_none() || text == self.note.kept() || text.len() > MAX_NOTE || self.is_closed()
        {
            return;
        }
        if self.note.sent.is_some() {
            return self.keep_soon(KEEP_AFTER);
        }
        self.send_note(Command::DraftNote { text: Some(text) });
    }

    fn send_note(&mut self, command: Command) {
        // Without a connection it is kept when there is one again.
        self.note.sent = self.outbox.command(command).ok();
        self.show_note();
    }

    /// What has become of the note, and how it reads.
    pub(crate) fn show_note(&self) {
        let (global, text, note) = (self.app.global::<screen::Note>(), self.note_text(), &self.note);
        let kept = text == note.kept();
        let standing = match &note.there {
            None if self.connected && note.fault.is_none() => NoteStanding::Awaited,
            None if self.connected => NoteStanding::Failed,
            None => NoteStanding::Unreachable,
            Some(_) if text.len() > MAX_NOTE => NoteStanding::TooLong,
            Some(_) if note.fault.is_some() && !kept => NoteStanding::Failed,
            Some(_) if !self.connected && !kept => NoteStanding::Unreachable,
            Some(_) if note.sent.is_some() || !kept => NoteStanding::Keeping,
            Some(there) if there.draft.is_some() => NoteStanding::Draft,
            Some(there) if there.saved_ms.is_none() => NoteStanding::Empty,
            Some(_) => NoteStanding::Saved,
        };
        let moment = Moment::of(note.there.as_ref().and_then(|there| there.saved_ms).unwrap_or_default());
        global.set_standing(standing);
        global.set_reason(self.storage_words(note.fault.as_deref()));
        global.set_saved_time(moment.time.into());
        global.set_saved_days_ago(moment.days_ago);
        global.set_saved_weekday(moment.weekday);
        global.set_saved_day(moment.day);
        global.set_saved_month(moment.month);
        global.set_changed(note.there.is_some() && text != note.saved());
        global.set_can_bring_back(note.given_up.is_some());
        let reads = StyledText::from_markdown(&note::markdown(&text));
        // It is always read (tested); if not, it is better seen with its signs than not at all.
        global.set_reads(reads.unwrap_or_else(|_| StyledText::from_plain_text(&text)));
    }
}

fn selected(anchor: i32, cursor: i32) -> Range<usize> {
    let place = |at| usize::try_from(at).unwrap_or_default();
    let (anchor, cursor) = (place(anchor), place(cursor));
    anchor.min(cursor)..anchor.max(cursor)
}
