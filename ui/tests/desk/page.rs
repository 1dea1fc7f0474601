//! What a page in the browser tab asks (CRM-2), answered by keys; the calls keep theirs.

use frontdesk_ui::scenes;
use frontdesk_ui::screen::{Calls, Desk, Directory, Page, PageStanding, Screen};
use ipc::{Command, HookAction, PageWhen, View};
use slint::ComponentHandle;
use slint::platform::Key;

use crate::hands::Stage;

/// A page in front that asks something; without a choice it only tells.
fn asked(choice: bool) -> Stage {
    let stage = Stage::with(scenes::picture());
    stage.app.global::<Page>().set_standing(PageStanding::Open);
    stage.app.global::<Page>().set_question("Leave without saving the order?".into());
    stage.app.global::<Page>().set_choice(choice);
    stage.app.global::<Page>().set_asks(true);
    stage.app.global::<Desk>().invoke_show(Screen::Page);
    stage.settle();
    stage.commands();
    stage
}

fn asks(stage: &Stage) -> bool {
    stage.app.global::<Page>().get_asks()
}

fn is_sure(stage: &Stage) -> bool {
    stage.app.global::<Page>().get_sure()
}

#[test]
fn crm_2_what_a_page_asks_is_answered_by_keys_and_enter_alone_cancels() {
    let stage = asked(true);
    assert!(stage.has("Cancel") && stage.has("OK") && !is_sure(&stage));
    stage.key(Key::RightArrow);
    assert!(is_sure(&stage));
    stage.key(Key::LeftArrow);
    assert!(!is_sure(&stage));
    stage.key(Key::RightArrow);
    stage.key(Key::Return);
    assert!(!asks(&stage) && !is_sure(&stage), "the next question begins at Cancel");
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Page);
}

#[test]
fn crm_2_escape_answers_the_page_and_does_not_leave_it() {
    let stage = asked(true);
    stage.key(Key::Escape);
    assert!(!asks(&stage));
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Page);
}

#[test]
fn crm_2_what_a_page_only_tells_has_one_button() {
    let stage = asked(false);
    assert!(stage.has("OK") && !stage.has("Cancel"));
    stage.key(Key::RightArrow);
    assert!(!is_sure(&stage), "there is nothing to move to");
    stage.key(Key::Return);
    assert!(!asks(&stage));
}

#[test]
fn crm_2_a_question_takes_no_key_of_the_calls_and_none_of_a_field() {
    let stage = asked(true);
    stage.key(Key::F9);
    assert_eq!(stage.commands(), [Command::Hook { action: HookAction::Next }]);
    stage.key(Key::F4);
    stage.write("21");
    stage.key(Key::LeftArrow);
    assert!(!is_sure(&stage) && stage.app.global::<Calls>().get_number() == "21");
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::Dial { number: "21".into(), line: None }]);
    assert!(asks(&stage));
}

#[test]
fn crm_1_a_page_that_comes_by_itself_waits_for_the_end_of_a_word() {
    let mut view = View { talk: None, page_when: PageWhen::Ring, ..scenes::picture() };
    view.outgoing.clear();
    let stage = Stage::with(View { incoming: Vec::new(), ..view.clone() });
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("browser");
    stage.console.browse_with(nowhere, folder.path().to_owned()).unwrap();
    let in_front = || stage.app.global::<Desk>().get_screen();
    stage.key(Key::F3);
    stage.write("ma");
    view.generation += 1;
    stage.show(view);
    stage.write("r");
    assert_eq!(stage.app.global::<Directory>().get_query(), "mar");
    assert_eq!(in_front(), Screen::Directory);
    stage.wait(5_500);
    assert_eq!(in_front(), Screen::Page);
}
