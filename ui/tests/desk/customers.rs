//! Customers (CRM-3): what is seen of them and when, what stays under the finger, and notes.

use frontdesk_ui::link::Event;
use frontdesk_ui::scenes;
use frontdesk_ui::screen::{Calls, Customer, Item, ItemFault, ItemStep, LinkCard, Menu};
use ipc::{CallRef, Command, CommandError, CustomerItem, CustomerRef, ItemProblem, Reply, TextSize, View};
use slint::platform::{Key, PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, Model};

use super::hands::Stage;

fn customer(stage: &Stage) -> Customer<'_> {
    stage.app.global::<Customer>()
}

fn item(stage: &Stage) -> Item<'_> {
    stage.app.global::<Item>()
}

/// The note that was sent.
fn sent(stage: &Stage) -> CustomerItem {
    match stage.commands().pop() {
        Some(Command::AddItem(item)) => *item,
        other => panic!("no note was sent: {other:?}"),
    }
}

fn without_answer() -> View {
    let mut view = scenes::customer();
    for call in &mut view.incoming {
        (call.customer, call.customer_asked, call.named_by) = (None, true, None);
        call.party.name = None;
    }
    view
}

#[test]
fn crm_3_a_card_that_comes_late_moves_nothing() {
    let stage = Stage::with(without_answer());
    let (answer, below) = (stage.middle("Answer"), stage.spot("+44 20 7946 0991"));
    stage.show(View { generation: 5, ..scenes::customer() });
    assert_eq!(stage.middle("Answer"), answer, "the button under the finger");
    assert_eq!(stage.spot("+44 20 7946 0991"), below);
    let card = stage.app.global::<Calls>().get_incoming().row_data(0).unwrap();
    assert_eq!((card.name.as_str(), card.named_by.as_str()), ("Helena Brandt", "Northwind CRM"));
    assert!(card.customer.contains("Contract: Gold"), "{}", card.customer);
    // Nor does one that nobody knows.
    let mut nobody = without_answer();
    nobody.incoming.iter_mut().for_each(|call| call.customer_asked = false);
    stage.show(View { generation: 6, ..nobody });
    assert_eq!(stage.middle("Answer"), answer);
}

#[test]
fn crm_3_the_panel_of_the_call_in_the_ear_keeps_its_place() {
    let stage = Stage::with(scenes::customer_asked());
    assert!(customer(&stage).get_shown() && customer(&stage).get_card().asked);
    let note = stage.middle("Note");
    let hang_up = stage.middle("Hang up");
    let mut view = scenes::customer_asked();
    view.generation = 9;
    let known = scenes::customer_answered().incoming[0].customer.clone();
    (view.incoming[0].customer, view.incoming[0].customer_asked) = (known, false);
    stage.show(view);
    assert!(customer(&stage).get_card().known);
    assert_eq!((stage.middle("Note"), stage.middle("Hang up")), (note, hang_up));
    // A finger is on it: it does not become somebody else's.
    stage.press(note, PointerEventButton::Left);
    stage.show(View { generation: 10, ..scenes::customer() });
    assert!(customer(&stage).get_shown());
    stage.release(note, PointerEventButton::Left);
    assert!(!customer(&stage).get_shown(), "nobody is in the ear");
}

#[test]
fn acc_4_a_second_call_is_seen_whole_above_the_customer_in_the_largest_texts() {
    let mut view = scenes::customer_answered();
    view.preferences.text_size = TextSize::Largest;
    let stage = Stage::with(view);
    stage.settle();
    let card = stage.find("+44 20 7946 0991");
    let foot = card.absolute_position().y + card.size().height;
    let outgoing = stage.find("Divider between the incoming and the outgoing calls").absolute_position().y;
    assert!(foot <= outgoing, "it ends at {foot}, its list at {outgoing}");
    // So is the one that is selected, with its buttons: the foot of one is in sight and acts.
    stage.key(Key::Home);
    stage.key(Key::DownArrow);
    stage.commands();
    let answer = stage.find("Answer");
    let (at, size) = (answer.absolute_position(), answer.size());
    stage.tap(LogicalPosition::new(at.x + size.width / 2., at.y + size.height - 4.));
    assert_eq!(stage.commands(), [Command::Answer { call: CallRef(2) }]);
    // The customer is there all the same: a note is a tap away.
    stage.tap(stage.middle("Note"));
    assert!(item(&stage).get_open());
}

#[test]
fn crm_3_without_connectors_there_is_neither_line_nor_panel() {
    let stage = Stage::with(scenes::greeting());
    assert!(!customer(&stage).get_shown());
    let card = stage.app.global::<Calls>().get_incoming().row_data(0).unwrap();
    assert!(!card.has_customer);
    assert!(!stage.has("Note"));
}

#[test]
fn crm_3_a_colleague_in_the_ear_takes_no_room_for_a_customer() {
    let mut view = scenes::picture();
    view.crm = scenes::customer().crm;
    let stage = Stage::with(view);
    assert!(!customer(&stage).get_shown(), "Marie Laurent of the staff");
}

#[test]
fn crm_3_open_shows_the_customers_own_page() {
    let stage = Stage::with(scenes::customer_answered());
    stage.tap(stage.middle("Open"));
    let link = stage.app.global::<LinkCard>();
    assert!(link.get_open());
    assert_eq!(link.get_address(), "https://crm.northwind.example/people/4711");
}

#[test]
fn crm_3_the_whole_card_has_every_line_and_goes_with_its_call() {
    let stage = Stage::with(scenes::customer_answered());
    assert_eq!(customer(&stage).get_lines().row_count(), 3);
    // The words of the panel, above its buttons.
    let open = stage.middle("Open");
    stage.tap(LogicalPosition::new(open.x, open.y - 80.));
    assert!(customer(&stage).get_open());
    assert_eq!(customer(&stage).get_whole_lines().row_count(), 6);
    assert_eq!(customer(&stage).get_whole().more, 2);
    stage.show(View { generation: 7, ..scenes::empty() });
    assert!(!customer(&stage).get_open());
}

#[test]
fn crm_3_by_keys_alone_a_note_is_written_and_saved() {
    let stage = Stage::with(scenes::customer_answered());
    stage.key(Key::Home);
    stage.key("/");
    let menu = stage.app.global::<Menu>();
    assert!(menu.get_open());
    for word in ["Customer card", "Customer page", "Write a note…", "Write a task…"] {
        assert!(stage.has(word), "{word}");
    }
    while stage.app.global::<Menu>().get_open() {
        let at = usize::try_from(menu.get_cursor()).unwrap_or(0);
        let is_note = menu.get_entries().row_data(at).unwrap().word == frontdesk_ui::screen::MenuWord::Note;
        stage.key(if is_note { Key::Return } else { Key::DownArrow });
    }
    assert!(item(&stage).get_open());
    stage.write("Call back");
    stage.control("\n");
    let note = sent(&stage);
    assert_eq!((note.text.as_str(), note.task), ("Call back", false));
    assert_eq!(note.number.as_deref(), Some("+49 30 5557 0142"));
    assert_eq!(note.subject, Some(CustomerRef { plugin: "org.example.crm".into(), id: "C-4711".into() }));
    assert!(
        note.id.len() <= 64
            && note.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    );
    assert_eq!(item(&stage).get_step(), ItemStep::Sending);
    let url = Some("https://crm.northwind.example/notes/1".to_owned());
    stage.event(Event::Reply { seq: stage.last_command(), reply: Reply::ItemAdded { url } });
    stage.answer(Ok(()));
    assert_eq!(item(&stage).get_step(), ItemStep::Done);
    assert!(item(&stage).get_has_page());
    stage.key(Key::Escape);
    assert!(!item(&stage).get_open());
}

#[test]
fn crm_3_a_note_that_was_refused_keeps_its_text_and_its_identity() {
    let stage = Stage::with(scenes::customer_answered());
    stage.tap(stage.middle("Task"));
    assert!(item(&stage).get_task());
    stage.write("Send the offer");
    item(&stage).invoke_accept();
    stage.settle();
    let first = sent(&stage);
    assert!(first.task);
    let refused = ItemProblem::Refused { case: "auth-failed".into(), words: "401".into() };
    stage.answer(Err(CommandError::Item(refused)));
    let shown = item(&stage);
    assert_eq!((shown.get_step(), shown.get_fault()), (ItemStep::Failed, ItemFault::SignIn));
    assert_eq!((shown.get_text().as_str(), shown.get_reason().as_str()), ("Send the offer", "401"));
    // The call ends, the dialog is closed: the text is there again for the same caller.
    stage.show(View { generation: 8, ..scenes::customer_answered() });
    item(&stage).invoke_close();
    stage.settle();
    assert!(!item(&stage).get_open());
    customer(&stage).invoke_write("1".into(), false);
    stage.settle();
    assert_eq!(item(&stage).get_text(), "Send the offer");
    item(&stage).invoke_accept();
    stage.settle();
    let second = sent(&stage);
    assert_eq!(second.id, first.id, "it is made once");
    stage.answer(Ok(()));
    item(&stage).invoke_close();
    customer(&stage).invoke_write("1".into(), false);
    stage.settle();
    assert_eq!(item(&stage).get_text(), "", "what is there is no draft");
}

#[test]
fn crm_3_a_note_that_was_refused_is_not_sent_again_by_a_key_that_is_held() {
    let stage = Stage::with(scenes::customer_answered());
    stage.tap(stage.middle("Task"));
    stage.write("Send the offer");
    let control = slint::SharedString::from(Key::Control);
    stage.dispatch(WindowEvent::KeyPressed { text: control.clone() });
    stage.key(Key::Return);
    assert!(sent(&stage).task);
    let refused = ItemProblem::Refused { case: "auth-failed".into(), words: "401".into() };
    stage.answer(Err(CommandError::Item(refused)));
    stage.held(Key::Return, 3);
    assert_eq!(stage.commands(), []);
    stage.dispatch(WindowEvent::KeyReleased { text: control });
    assert_eq!(item(&stage).get_text(), "Send the offer");
}

#[test]
fn crm_3_a_note_outlives_its_call_and_calls_are_answered_beside_it() {
    let stage = Stage::with(scenes::customer_answered());
    stage.tap(stage.middle("Note"));
    stage.write("Half a word");
    let mut view = scenes::customer();
    view.generation = 12;
    view.incoming.remove(0);
    stage.show(view);
    assert!(item(&stage).get_open(), "the call has ended");
    assert_eq!(item(&stage).get_text(), "Half a word");
    stage.tap(stage.middle("Answer"));
    assert_eq!(stage.commands(), [Command::Answer { call: CallRef(2) }]);
    item(&stage).invoke_accept();
    stage.settle();
    assert_eq!(sent(&stage).text, "Half a word");
}

#[test]
fn crm_3_what_is_hostile_stays_in_its_place() {
    let stage = Stage::with(scenes::customer_answered());
    let places = || ["Hang up", "Note", "Task", "Open"].map(|button| stage.middle(button));
    let usual = places();
    stage.show(View { generation: 20, ..scenes::customer_hostile() });
    assert!(customer(&stage).get_card().name.starts_with("xxx"));
    assert_eq!(places(), usual);
}
