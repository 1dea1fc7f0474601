//! The operator's note (NOTE-1).

use frontdesk_ui::link::Event;
use frontdesk_ui::scenes;
use frontdesk_ui::screen::{Desk, Note, NoteStanding, Screen};
use ipc::{Command, CommandError, Note as Kept, Reply};
use slint::ComponentHandle;
use slint::platform::Key;

use crate::hands::Stage;

/// Longer than it takes until what is written is kept.
const KEPT: u64 = 800;

fn with_note(saved: &str, draft: Option<&str>) -> Stage {
    let stage = Stage::with(scenes::empty());
    let saved_ms = (!saved.is_empty()).then_some(1_000);
    stage.have_note(Kept { saved: saved.into(), saved_ms, draft: draft.map(Into::into) });
    stage.event(Event::Disconnected);
    stage.event(Event::Connected);
    stage.tap(stage.middle("Notes"));
    stage.commands();
    stage
}

fn text(stage: &Stage) -> String {
    stage.app.global::<Note>().get_text().into()
}

fn standing(stage: &Stage) -> NoteStanding {
    stage.app.global::<Note>().get_standing()
}

fn write(stage: &Stage, words: &str) {
    stage.tap(stage.middle("Text of the note"));
    words.chars().for_each(|letter| stage.key(letter));
}

/// The desk keeps what it was asked to.
fn keep(stage: &Stage, note: Kept) {
    let seq = stage.last_command();
    stage.event(Event::Reply { seq, reply: Reply::Note(Box::new(note)) });
    stage.event(Event::Done { seq, result: Ok(()) });
}

fn draft(text: &str) -> Command {
    Command::DraftNote { text: Some(text.into()) }
}

#[test]
fn note_1_what_is_written_is_kept_by_itself_and_saved_by_a_touch() {
    let stage = with_note("", None);
    assert_eq!(standing(&stage), NoteStanding::Empty);
    write(&stage, "key");
    assert_eq!((standing(&stage), stage.commands()), (NoteStanding::Keeping, vec![]));
    stage.wait(KEPT);
    assert_eq!(stage.commands(), [draft("key")]);
    keep(&stage, Kept { draft: Some("key".into()), ..Kept::default() });
    assert_eq!(standing(&stage), NoteStanding::Draft);
    stage.tap(stage.middle("Save"));
    assert_eq!(stage.commands(), [Command::SaveNote { text: "key".into() }]);
    keep(&stage, Kept { saved: "key".into(), saved_ms: Some(5), draft: None });
    assert_eq!((standing(&stage), text(&stage)), (NoteStanding::Saved, "key".into()));
    stage.wait(KEPT);
    assert_eq!(stage.commands(), []);
}

#[test]
fn note_1_the_note_of_before_a_power_cut_is_there_with_what_was_not_saved() {
    let stage = with_note("Saved words", Some("Saved words and more"));
    assert_eq!((text(&stage), standing(&stage)), ("Saved words and more".into(), NoteStanding::Draft));
    stage.tap(stage.middle("Discard"));
    assert_eq!(stage.commands(), [Command::DraftNote { text: None }]);
    keep(&stage, Kept { saved: "Saved words".into(), saved_ms: Some(1), draft: None });
    assert_eq!((text(&stage), standing(&stage)), ("Saved words".into(), NoteStanding::Saved));
    stage.tap(stage.middle("Bring back"));
    assert_eq!(text(&stage), "Saved words and more");
    stage.wait(KEPT);
    assert_eq!(stage.commands(), [draft("Saved words and more")]);
}

#[test]
fn note_1_bold_italic_and_underlined_by_button_and_key() {
    let stage = with_note("now", None);
    stage.tap(stage.middle("Text of the note"));
    stage.control("a");
    stage.tap(stage.middle("Bold"));
    assert_eq!(text(&stage), "**now**");
    stage.control("u");
    assert_eq!(text(&stage), "__**now**__", "the words stay selected");
    stage.tap(stage.middle("Underline"));
    stage.control("b");
    assert_eq!(text(&stage), "now");
    stage.tap(stage.middle("Italic"));
    assert_eq!(text(&stage), "*now*");
    stage.wait(KEPT);
    assert_eq!(stage.commands(), [draft("*now*")]);
}

#[test]
fn note_1_cut_copy_and_paste_by_button_and_key() {
    let stage = with_note("one", None);
    stage.tap(stage.middle("Text of the note"));
    stage.control("a");
    stage.tap(stage.middle("Copy"));
    stage.key(Key::End);
    stage.tap(stage.middle("Paste"));
    assert_eq!(text(&stage), "oneone");
    stage.control("a");
    stage.tap(stage.middle("Cut"));
    assert_eq!(text(&stage), "");
    stage.control("v");
    stage.key("!");
    assert_eq!(text(&stage), "oneone!");
}

#[test]
fn note_1_what_the_disk_refuses_is_said_and_tried_again() {
    let stage = with_note("", None);
    write(&stage, "a");
    stage.wait(KEPT);
    assert_eq!(stage.commands(), [draft("a")]);
    stage.answer(Err(CommandError::Failed { reason: "the disk is full".into() }));
    assert_eq!(standing(&stage), NoteStanding::Failed);
    assert_eq!(stage.app.global::<Note>().get_reason(), "the disk is full; tell your administrator");
    stage.wait(5_100);
    assert_eq!(stage.commands(), [draft("a")]);
}

#[test]
fn note_1_why_it_is_not_kept_is_said_in_the_language_of_the_screen_and_never_in_the_desks_words() {
    let stage = with_note("", None);
    let mut view = scenes::empty();
    view.generation += 1;
    view.preferences.language = ipc::Language::French;
    stage.show(view);
    for (error, said) in [
        ("the disk is full", "disque plein\u{a0}; prévenez l’administrateur"),
        ("No space left on device (os error 28)", "disque plein\u{a0}; prévenez l’administrateur"),
        ("database is locked", "si cela dure, prévenez l’administrateur"),
    ] {
        let note = stage.app.global::<Note>();
        note.set_text(error.into());
        note.invoke_edited(note.get_text());
        // As long as it takes until it is tried again.
        stage.wait(5_100);
        assert_eq!(stage.commands(), [draft(error)]);
        stage.answer(Err(CommandError::Failed { reason: error.into() }));
        assert_eq!((standing(&stage), note.get_reason().as_str()), (NoteStanding::Failed, said));
    }
}

#[test]
fn note_1_what_is_written_without_a_connection_is_kept_when_there_is_one() {
    let stage = with_note("old", None);
    stage.event(Event::Disconnected);
    stage.app.global::<Note>().set_text("old, new".into());
    stage.app.global::<Note>().invoke_edited("".into());
    assert_eq!(standing(&stage), NoteStanding::Unreachable);
    stage.event(Event::Connected);
    stage.wait(KEPT);
    assert_eq!((text(&stage), stage.commands()), ("old, new".into(), vec![draft("old, new")]));
}

#[test]
fn note_1_a_note_that_is_too_long_is_not_sent_and_says_so() {
    let stage = with_note("", None);
    let note = stage.app.global::<Note>();
    note.set_text("a".repeat(ipc::MAX_NOTE + 1).into());
    note.invoke_edited(note.get_text());
    stage.wait(KEPT);
    note.invoke_save();
    assert_eq!((standing(&stage), stage.commands()), (NoteStanding::TooLong, vec![]));
}

#[test]
fn note_1_by_keys_alone_and_escape_leaves_the_text_then_the_note() {
    let stage = with_note("", None);
    stage.app.global::<Desk>().invoke_show(Screen::Directory);
    stage.control("e");
    let screen = || stage.app.global::<Desk>().get_screen();
    assert_eq!(screen(), Screen::Note);
    // Enter and the sign that opens the transfer menu are text here.
    for key in ["1", "+", "\n", "2"] {
        stage.key(key);
    }
    assert_eq!(text(&stage), "1+\n2");
    stage.control("s");
    assert_eq!(stage.commands(), [Command::SaveNote { text: "1+\n2".into() }]);
    stage.key(Key::Escape);
    assert_eq!(screen(), Screen::Note);
    stage.key("3");
    assert_eq!(text(&stage), "1+\n2");
    stage.key(Key::Escape);
    assert_eq!(screen(), Screen::Directory);
}
