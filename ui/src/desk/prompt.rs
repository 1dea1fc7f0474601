//! The transfer question (CALL-11): a number, or a name with its matches below.

use ipc::{CallRef, Command, CommandError, ContactPage, ContactQuery, ContactRow, Query, SortKey};
use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use super::Desk;
use crate::models::contacts;
use crate::models::words::{digits, party_name};
use crate::screen::{Prompt, PromptKind, Suggestion};

/// Matches shown below the question.
const SUGGESTIONS: u32 = 5;

/// What is asked, for which call.
pub(super) struct Question {
    pub(super) call: CallRef,
    kind: PromptKind,
    /// The digits of who would go: nobody is transferred to themselves.
    itself: String,
    asked: Option<u64>,
    matches: Vec<Suggestion>,
    cursor: Option<usize>,
}

/// A text that was the answer, until the desk has said what it thinks of it.
pub(super) struct Answered {
    seq: u64,
    call: CallRef,
    kind: PromptKind,
    text: String,
}

impl Question {
    /// What the desk is asked when the answer is this number.
    fn answer(&self, to: String) -> Command {
        let call = self.call;
        match self.kind {
            PromptKind::Transfer => Command::BlindTransfer { call, to },
            PromptKind::Forward => Command::Forward { call, to },
            PromptKind::Voicemail => Command::VoicemailTransfer { call, to },
        }
    }
}

impl Desk {
    pub(crate) fn open_prompt(&mut self, call: CallRef, kind: PromptKind) {
        let Some(view) = self.call(call) else { return };
        let who = party_name(&view.party);
        let itself = digits(view.party.number.as_deref().unwrap_or_default());
        self.overlay.prompt =
            Some(Question { call, kind, itself, asked: None, matches: Vec::new(), cursor: None });
        let prompt = self.app.global::<Prompt>();
        prompt.set_kind(kind);
        prompt.set_who(who);
        prompt.set_text(SharedString::default());
        prompt.set_open(true);
        self.show_suggestions();
    }

    pub(crate) fn prompt_is_open(&self) -> bool {
        self.overlay.prompt.is_some()
    }

    /// A letter more or less: names are looked up, numbers are taken as they are.
    pub(crate) fn prompt_edited(&mut self, text: &str) {
        let Some(question) = self.overlay.prompt.as_mut() else { return };
        question.asked = None;
        question.cursor = None;
        question.matches.clear();
        if !text.trim().is_empty() {
            let query = ContactQuery {
                directory: None,
                text: text.trim().to_owned(),
                sort: SortKey::default(),
                offset: 0,
                // One of them may be who would go.
                limit: SUGGESTIONS + 1,
            };
            question.asked = self.outbox.query(Query::Contacts(query)).ok();
        }
        self.show_suggestions();
    }

    /// The answer to the look-up. `false` when it was not ours.
    pub(crate) fn suggestions_arrived(&mut self, seq: u64, page: &ContactPage) -> bool {
        let Some(question) = self.overlay.prompt.as_mut() else { return false };
        if question.asked.take_if(|asked| *asked == seq).is_none() {
            return false;
        }
        let kind = question.kind;
        let itself = std::mem::take(&mut question.itself);
        let others = page.rows.iter().filter_map(|row| suggestion(row, kind));
        let others = others.filter(|found| itself.is_empty() || digits(&found.number) != itself);
        question.matches = others.take(SUGGESTIONS as usize).collect();
        question.itself = itself;
        let typed = self.app.global::<Prompt>().get_text();
        let is_name = typed.chars().any(char::is_alphabetic);
        question.cursor = (is_name && !question.matches.is_empty()).then_some(0);
        self.show_suggestions();
        true
    }

    /// Up and Down among the matches; above the first is the text itself.
    pub(crate) fn move_suggestion(&mut self, down: bool) {
        let Some(question) = self.overlay.prompt.as_mut() else { return };
        let last = question.matches.len().checked_sub(1);
        question.cursor = match (question.cursor, down) {
            (None, true) => last.map(|_| 0),
            (Some(at), true) => last.map(|last| (at + 1).min(last)),
            (Some(at), false) => at.checked_sub(1),
            (None, false) => None,
        };
        self.show_suggestions();
    }

    /// A match was tapped.
    pub(crate) fn take_suggestion(&mut self, index: i32) {
        let question = self.overlay.prompt.as_ref();
        let number = question.and_then(|question| {
            let chosen = question.matches.get(usize::try_from(index).ok()?)?;
            Some(question.answer(chosen.number.to_string()))
        });
        if let Some(command) = number {
            self.close_prompt();
            self.send(command);
        }
    }

    /// Enter: the match that is meant, else what was typed.
    pub(crate) fn accept_prompt(&mut self) {
        let Some(question) = self.overlay.prompt.as_ref() else { return };
        if let Some(index) = question.cursor.and_then(|index| i32::try_from(index).ok()) {
            return self.take_suggestion(index);
        }
        let to = self.app.global::<Prompt>().get_text().trim().to_owned();
        if !to.is_empty() {
            let (call, kind, text) = (question.call, question.kind, to.clone());
            let command = question.answer(to);
            self.close_prompt();
            let seq = self.send(command);
            self.overlay.answered = seq.map(|seq| Answered { seq, call, kind, text });
        }
    }

    /// What the desk can call nobody by stands in the question again, unless something else is open by now.
    pub(crate) fn prompt_done(&mut self, seq: u64, result: &Result<(), CommandError>) {
        let Some(answered) = self.overlay.answered.take_if(|answered| answered.seq == seq) else { return };
        let is_unknown =
            matches!(result, Err(CommandError::AmbiguousName { .. } | CommandError::BadNumber { .. }));
        if is_unknown && !self.something_is_open() && !self.is_in_field() {
            self.open_prompt(answered.call, answered.kind);
            self.app.global::<Prompt>().set_text(answered.text.as_str().into());
            self.prompt_edited(&answered.text);
        }
    }

    pub(crate) fn close_prompt(&mut self) {
        self.overlay.prompt = None;
        self.app.global::<Prompt>().set_open(false);
        self.focus(crate::screen::FocusPlace::Nowhere);
    }

    fn show_suggestions(&self) {
        let Some(question) = self.overlay.prompt.as_ref() else { return };
        let prompt = self.app.global::<Prompt>();
        prompt.set_suggestions(ModelRc::new(VecModel::from(question.matches.clone())));
        prompt.set_cursor(question.cursor.and_then(|index| i32::try_from(index).ok()).unwrap_or(-1));
    }
}

/// A contact that has such a number.
fn suggestion(contact: &ContactRow, kind: PromptKind) -> Option<Suggestion> {
    let number = if kind == PromptKind::Voicemail { &contact.voicemail } else { &contact.phone };
    (!digits(number).is_empty()).then(|| Suggestion {
        name: contacts::name(contact).into(),
        detail: contacts::detail(contact, contact.company.is_empty()),
        number: number.as_str().into(),
    })
}
