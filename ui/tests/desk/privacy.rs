//! Names and numbers hidden from visitors, and a screen that dims (ACC-1): by touches, by keys, and in the picture.

use std::sync::atomic::{AtomicUsize, Ordering};

use frontdesk_ui::scenes;
use frontdesk_ui::screen::{Calls, Desk, Directory, Privacy, Screen};
use i_slint_backend_testing::{ElementHandle, ElementRoot};
use ipc::{CallRef, CallState, Command, HookAction, Party, Preferences, View};
use slint::ComponentHandle;
use slint::platform::Key;

use crate::hands::Stage;

/// Each view is a later one.
static GENERATION: AtomicUsize = AtomicUsize::new(1);

fn is_hidden(stage: &Stage) -> bool {
    stage.app.global::<Privacy>().get_on()
}

fn is_dim(stage: &Stage) -> bool {
    stage.app.global::<Privacy>().get_dim()
}

/// Another desk that does the same: everybody has another name and another number.
fn of_others(mut view: View) -> View {
    for call in view.incoming.iter_mut().chain(&mut view.outgoing) {
        let Party { number, name, company, title, .. } = &mut call.party;
        for text in [number, name, company, title].into_iter().flatten() {
            *text = "9998".to_owned();
        }
        call.party.contact = None;
        call.history = None;
        call.transfer = None;
    }
    view.transfers.clear();
    view
}

/// The pixels of the desk when it shows this.
fn pixels(stage: &Stage, mut view: View) -> Vec<u8> {
    view.generation += u64::try_from(GENERATION.fetch_add(1, Ordering::Relaxed)).unwrap();
    stage.show(view);
    stage.wait(300);
    stage.app.window().take_snapshot().unwrap().as_bytes().to_vec()
}

#[test]
fn acc_1_hidden_by_a_touch_and_shown_by_another() {
    let stage = Stage::with(scenes::picture());
    stage.tap(stage.middle("Helena Brandt"));
    stage.commands();
    stage.tap(stage.middle("Hide names and numbers"));
    assert!(is_hidden(&stage) && stage.has("Ringing · Sales") && stage.has("On hold · Main line"));
    let held = stage.find("On hold · Main line").accessible_description().unwrap_or_default();
    assert!(held.contains(", On hold "), "for how long: {held}");
    let handed = stage.find("Transferring · Support").accessible_description().unwrap_or_default();
    assert!(
        handed.contains(", Transferring 0:") && !handed.contains("On hold"),
        "as its card says it: {handed}"
    );
    let root = stage.app.root_element();
    let told: Vec<String> = root
        .query_descendants()
        .match_predicate(|element: &ElementHandle| element.accessible_label().is_some())
        .find_all()
        .iter()
        .flat_map(|element| [element.accessible_label(), element.accessible_description()])
        .flatten()
        .map(String::from)
        .collect();
    assert!(told.len() > 8, "the call, its buttons and the way back: {told:?}");
    for who in ["Brandt", "5557", "Rivera", "2114", "Laurent", "2107", "Moreau", "Fournier"] {
        assert!(!told.iter().any(|text| text.contains(who)), "{who}: {told:?}");
    }
    // The first call that rings, and the one on hold.
    stage.tap(stage.middle("Answer"));
    // The second tap of a hurried finger means what was there before the first.
    stage.tap(stage.middle("Retrieve"));
    stage.wait(800);
    stage.tap(stage.middle("Retrieve"));
    let expected = [Command::Answer { call: CallRef(1) }, Command::Retrieve { call: CallRef(3) }];
    assert_eq!(stage.commands(), expected);
    stage.tap(stage.middle("Show names and numbers"));
    assert!(!is_hidden(&stage) && stage.has("Helena Brandt"));
}

#[test]
fn acc_1_hidden_and_shown_by_keys_and_calls_are_answered_by_keys_meanwhile() {
    let stage = Stage::with(scenes::picture());
    stage.has_keys();
    stage.key(Key::F3);
    stage.write("mar");
    stage.commands();
    stage.control("h");
    assert!(is_hidden(&stage));
    stage.key(Key::Home);
    stage.key(Key::DownArrow);
    assert_eq!(stage.app.global::<Calls>().get_selected(), "2");
    stage.key(Key::F6);
    stage.key(Key::F11);
    stage.key(Key::F9);
    let hook = |action| Command::Hook { action };
    let expected =
        [Command::Answer { call: CallRef(2) }, hook(HookAction::AnswerLongest), hook(HookAction::Next)];
    assert_eq!(stage.commands(), expected);
    // What is out of sight is not typed into, nor opened, nor dialled.
    stage.write("x1");
    stage.key(Key::F12);
    stage.control("f");
    assert_eq!(stage.commands(), []);
    stage.control("h");
    assert!(!is_hidden(&stage));
    assert_eq!(stage.app.global::<Directory>().get_query(), "mar", "it is as it was left");
    stage.control("h");
    stage.key(Key::Escape);
    assert!(!is_hidden(&stage), "Escape leaves");
}

#[test]
fn acc_1_the_hidden_desk_looks_the_same_whoever_calls() {
    let one = scenes::picture();
    let mut bare = one.clone();
    for call in bare.incoming.iter_mut().chain(&mut bare.outgoing) {
        call.transfer = None;
        call.history = None;
    }
    bare.transfers.clear();
    let others = of_others(one);
    let stage = Stage::drawn(bare.clone());
    assert!(pixels(&stage, bare.clone()) != pixels(&stage, others.clone()), "else nothing is shown by it");
    stage.tap(stage.middle("Hide names and numbers"));
    // A second may pass between two pictures; hardly in each of these.
    let same = (0..20).any(|_| {
        let [first, other, again] = [&bare, &others, &bare].map(|view| pixels(&stage, view.clone()));
        first == again && first == other
    });
    assert!(same);
}

#[test]
fn acc_1_a_call_that_comes_is_seen_and_answered_while_names_are_hidden() {
    let stage = Stage::with(scenes::empty());
    stage.control("h");
    assert!(stage.has("Show names and numbers"));
    stage.commands();
    let mut view = crate::one_ringing();
    view.generation += 1;
    stage.show(view);
    assert!(is_hidden(&stage) && stage.has("Ringing · Sales") && !stage.has("Helena Brandt"));
    stage.tap(stage.middle("Answer"));
    assert_eq!(stage.commands(), [Command::Answer { call: CallRef(7) }]);
}

#[test]
fn acc_1_a_screen_that_nobody_touches_dims_and_a_touch_only_wakes_it() {
    let mut view = scenes::signed_in();
    view.preferences = Preferences { lock_after_min: 5, ..Preferences::default() };
    let busy = view.clone();
    view.talk = None;
    view.incoming.clear();
    view.outgoing.clear();
    let stage = Stage::with(busy);
    stage.wait(160_000);
    assert!(!is_dim(&stage), "who talks is there");
    let later = |view: &View, by| View { generation: view.generation + by, ..view.clone() };
    stage.show(later(&view, 1));
    stage.wait(250);
    assert!(is_dim(&stage));
    stage.commands();
    // Where "Log" is; the touch goes no further.
    stage.tap(stage.middle("Log"));
    assert!(!is_dim(&stage));
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Directory);
    // A key wakes it as well, and so does a call that rings.
    stage.wait(160_000);
    assert!(is_dim(&stage));
    stage.key(Key::Shift);
    assert!(!is_dim(&stage));
    stage.wait(160_000);
    assert!(is_dim(&stage));
    let mut ringing = later(&view, 2);
    ringing.incoming = crate::one_ringing().incoming;
    stage.show(ringing);
    stage.wait(250);
    assert!(!is_dim(&stage));
    assert_eq!(stage.commands(), [], "it is not locked yet");
}

#[test]
fn acc_1_conf_1_in_a_conference_the_screen_neither_dims_nor_locks_itself() {
    let mut view = View { talk: None, sign_in: scenes::signed_in().sign_in, ..scenes::conference() };
    view.preferences = Preferences { lock_after_min: 5, ..Preferences::default() };
    view.incoming.retain(|call| call.state != CallState::Ringing);
    let stage = Stage::with(view.clone());
    stage.commands();
    stage.wait(310_000);
    assert!(!is_dim(&stage), "who talks is there");
    assert_eq!(stage.commands(), []);
    view.generation += 1;
    view.conference = None;
    stage.show(view);
    stage.wait(250);
    assert_eq!(stage.commands(), [Command::Lock], "else nothing would be shown by it");
}
