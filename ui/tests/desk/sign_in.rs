//! Signing in and out, and the locked screen (ACC-1): by touches only, and by keys only.

use frontdesk_ui::link::Event;
use frontdesk_ui::scenes;
use frontdesk_ui::screen::{self, Board, Desk, Note, PinStanding, Screen, SettingsStop, SignIn, SignInStage};
use ipc::{
    CallRef, Command, CommandError, HookAction, Note as Kept, OperatorId, OperatorName, Pin, PinProblem,
    PinTry, Preferences, PreferencesWish, View,
};
use slint::platform::Key;
use slint::{ComponentHandle, Model};

use crate::hands::Stage;

const CLARA: OperatorId = OperatorId(3);

fn stage_of(stage: &Stage) -> SignInStage {
    stage.app.global::<SignIn>().get_stage()
}

fn standing(stage: &Stage) -> PinStanding {
    stage.app.global::<SignIn>().get_standing()
}

fn listed(stage: &Stage) -> Vec<String> {
    stage.app.global::<SignIn>().get_operators().iter().map(|one| one.name.to_string()).collect()
}

fn type_by_touch(stage: &Stage, pin: &str) {
    for digit in pin.chars() {
        // What is covered has numbers, too.
        stage.tap(stage.top(&digit.to_string()));
    }
}

fn sign_in(pin: &str) -> Vec<Command> {
    vec![Command::SignIn { operator: CLARA, pin: Pin::new(pin) }]
}

/// A view later than the one before it.
fn later(view: View) -> View {
    View { generation: view.generation + 10, ..view }
}

#[test]
fn acc_1_a_name_and_a_pin_by_touches_alone_open_the_desk() {
    let stage = Stage::with(scenes::signed_out(5));
    stage.commands();
    assert_eq!((stage_of(&stage), standing(&stage)), (SignInStage::Choose, PinStanding::Nobody));
    // What is covered cannot be touched.
    for label in ["Log", "Settings", "Customers", "Day"] {
        assert!(!stage.has(label), "{label}");
    }
    assert_eq!((stage.commands(), stage.app.global::<Desk>().get_screen()), (vec![], Screen::Directory));
    // Digits without a name are nobody's PIN.
    type_by_touch(&stage, "4711");
    stage.tap(stage.top("Sign in"));
    assert_eq!(stage.commands(), []);
    stage.tap(stage.middle("Clara Duval"));
    assert_eq!(standing(&stage), PinStanding::Awaited);
    assert_eq!(stage.app.global::<SignIn>().get_digits(), 0, "what was typed for nobody is for nobody");
    type_by_touch(&stage, "47190");
    stage.tap(stage.middle("Erase the last digit"));
    stage.tap(stage.middle("Erase the last digit"));
    type_by_touch(&stage, "1");
    stage.tap(stage.top("Sign in"));
    assert_eq!(stage.commands(), sign_in("4711"));
    assert_eq!((standing(&stage), stage.app.global::<SignIn>().get_digits()), (PinStanding::Checking, 0));
    stage.answer(Ok(()));
    stage.show(later(scenes::signed_in()));
    assert_eq!(stage_of(&stage), SignInStage::Open);
    stage.tap(stage.middle("Log"));
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Log);
    assert!(stage.has("Clara Duval: lock or sign out"));
}

#[test]
fn acc_1_a_name_and_a_pin_by_keys_alone_open_the_desk() {
    let stage = Stage::with(scenes::signed_out(12));
    stage.commands();
    // Letters look for a name, by any of its words.
    stage.write("du");
    assert_eq!(listed(&stage), ["Clara Duval"]);
    stage.write("4711");
    stage.key(Key::Return);
    assert_eq!(stage.commands(), sign_in("4711"));
    stage.answer(Err(CommandError::Pin(PinProblem::Wrong { left: 9, wait_ms: 0 })));
    assert_eq!((standing(&stage), stage.app.global::<SignIn>().get_left()), (PinStanding::Wrong, 9));
    stage.write("12");
    stage.key(Key::Backspace);
    assert_eq!((standing(&stage), stage.app.global::<SignIn>().get_digits()), (PinStanding::Awaited, 1));
    // Escape: first the digits, then the name that was looked for.
    stage.key(Key::Escape);
    assert_eq!(stage.app.global::<SignIn>().get_digits(), 0);
    stage.key(Key::Escape);
    assert_eq!(listed(&stage).len(), 12);
    stage.key(Key::Home);
    for _ in 0..2 {
        stage.key(Key::DownArrow);
    }
    stage.write("4712");
    stage.key(Key::Return);
    assert_eq!(stage.commands(), sign_in("4712"));
    stage.answer(Ok(()));
    stage.write("zzz");
    assert_eq!(listed(&stage), [""; 0]);
    assert!(stage.has("Nobody is called that"));
    // Nothing that is covered hears a key.
    for key in [Key::F3, Key::F4, Key::F9, Key::F10, Key::F11, Key::F12, Key::F6] {
        stage.key(key);
    }
    stage.control("e");
    stage.control("f");
    assert_eq!(stage.commands(), []);
    assert_eq!(stage_of(&stage), SignInStage::Choose);
}

#[test]
fn acc_1_wrong_pins_say_how_many_are_left_and_how_long_to_wait_and_then_whom_to_ask() {
    let stage = Stage::with(scenes::signed_out(5));
    let global = stage.app.global::<SignIn>();
    stage.tap(stage.middle("Clara Duval"));
    type_by_touch(&stage, "0815");
    stage.tap(stage.top("Sign in"));
    stage.commands();
    stage.answer(Err(CommandError::Pin(PinProblem::Wrong { left: 1, wait_ms: 2_000 })));
    assert!(stage.has("Wrong PIN, 1 try left\nNext try in 2 s"));
    // While it waits, digits can be typed, and go nowhere.
    type_by_touch(&stage, "4711");
    assert!(!global.get_ready());
    stage.key(Key::Return);
    assert_eq!(stage.commands(), []);
    stage.wait(1_000);
    assert!(stage.has("Wrong PIN, 1 try left\nNext try in 1 s"));
    stage.wait(1_250);
    assert_eq!((standing(&stage), global.get_ready()), (PinStanding::Awaited, true));
    stage.key(Key::Return);
    assert_eq!(stage.commands(), sign_in("4711"));
    stage.answer(Err(CommandError::Pin(PinProblem::Locked)));
    assert!(stage.has("Locked after too many wrong PINs.\nYour administrator can unlock you."));
    // Another name is another story.
    stage.tap(stage.middle("Bastien Caron"));
    assert_eq!(standing(&stage), PinStanding::Awaited);
    stage.tap(stage.middle("Elif Yıldırım"));
    assert_eq!(standing(&stage), PinStanding::Blocked, "who is locked is known beforehand");
}

#[test]
fn acc_1_a_screen_that_is_started_anew_knows_of_the_wait_and_a_desk_that_is_away_says_so() {
    let stage = Stage::with(scenes::pin_refused(PinProblem::Wrong { left: 4, wait_ms: 8_000 }));
    stage.tap(stage.middle("Clara Duval"));
    assert_eq!((standing(&stage), stage.app.global::<SignIn>().get_wait()), (PinStanding::Wrong, 8));
    stage.event(Event::Disconnected);
    assert!(stage.has("Desk service not reachable, reconnecting…"));
    assert_eq!(stage_of(&stage), SignInStage::Choose, "it stays covered");
    stage.event(Event::Connected);
    let mut view = later(scenes::signed_out(5));
    view.sign_in.operators.truncate(1);
    stage.show(view);
    assert_eq!(standing(&stage), PinStanding::Awaited, "where there is no choice, nobody has to make it");
}

#[test]
fn acc_1_a_screen_that_is_started_anew_says_how_many_tries_are_left_though_nobody_waits() {
    let stage = Stage::with(scenes::pin_refused(PinProblem::Wrong { left: 8, wait_ms: 0 }));
    stage.tap(stage.middle("Bastien Caron"));
    assert_eq!(standing(&stage), PinStanding::Awaited, "it was not theirs");
    stage.tap(stage.middle("Clara Duval"));
    let global = stage.app.global::<SignIn>();
    assert_eq!((standing(&stage), global.get_left(), global.get_wait()), (PinStanding::Wrong, 8, 0));
    assert!(stage.has("Wrong PIN, 8 tries left"));
    type_by_touch(&stage, "4711");
    stage.tap(stage.top("Sign in"));
    assert_eq!(stage.commands(), sign_in("4711"));
}

#[test]
fn acc_1_a_name_is_looked_for_by_touches_alone() {
    let stage = Stage::with(scenes::signed_out(12));
    let board = stage.app.global::<Board>();
    stage.tap(stage.middle("Names that begin like this"));
    assert!(board.get_open());
    for letter in ["d", "u"] {
        stage.tap(stage.top(letter));
    }
    assert_eq!(listed(&stage), ["Clara Duval"]);
    stage.tap(stage.top("Clear the field"));
    assert_eq!(listed(&stage).len(), 12);
    stage.tap(stage.top("d"));
    stage.tap(stage.top("u"));
    stage.tap(stage.top("Clara Duval"));
    assert!(!board.get_open(), "the digits have its room");
    type_by_touch(&stage, "4711");
    stage.tap(stage.top("Sign in"));
    stage.commands();
    // Put away by its own key, and by Escape before anything else.
    stage.tap(stage.middle("Names that begin like this"));
    stage.tap(stage.top("Put the keyboard away"));
    assert!(!board.get_open());
    stage.tap(stage.middle("Names that begin like this"));
    stage.key(Key::Escape);
    assert!(!board.get_open());
    assert_eq!(listed(&stage), ["Clara Duval"]);
}

#[test]
fn acc_1_the_first_name_that_is_seen_of_a_long_list_is_whole() {
    let stage = Stage::with(scenes::signed_out(12));
    stage.key(Key::End);
    for _ in 0..4 {
        stage.key(Key::UpArrow);
    }
    let top = |label: &str| stage.find(label).absolute_position().y;
    let field = stage.find("Names that begin like this");
    let list = field.absolute_position().y + field.size().height + 12.;
    let row = top("Marie-Thérèse de la Rochefoucauld-Montbel");
    let above = (row - list) / (top("Nadia Okafor") - row);
    assert!(above > -0.01 && (above - above.round()).abs() < 0.01, "{above} rows above it");
}

#[test]
fn acc_1_digits_are_touched_only_for_somebody_who_may_sign_in() {
    let stage = Stage::with(scenes::signed_out(5));
    let enabled = || stage.find("Erase the last digit").accessible_enabled();
    assert_eq!(enabled(), Some(false));
    type_by_touch(&stage, "47");
    assert_eq!(stage.app.global::<SignIn>().get_digits(), 0, "nobody's");
    stage.tap(stage.middle("Elif Yıldırım"));
    type_by_touch(&stage, "47");
    assert_eq!((standing(&stage), stage.app.global::<SignIn>().get_digits()), (PinStanding::Blocked, 0));
    stage.tap(stage.middle("Clara Duval"));
    type_by_touch(&stage, "47");
    assert_eq!((stage.app.global::<SignIn>().get_digits(), enabled()), (2, Some(true)));
}

#[test]
fn acc_1_lock_and_sign_out_by_touches_alone() {
    let stage = Stage::with(scenes::signed_in());
    stage.commands();
    stage.tap(stage.middle("Clara Duval: lock or sign out"));
    stage.tap(stage.middle("Lock the screen"));
    assert_eq!(stage.commands(), [Command::Lock]);
    stage.answer(Ok(()));
    stage.tap(stage.middle("Clara Duval: lock or sign out"));
    stage.tap(stage.middle("Sign out"));
    assert_eq!(stage.commands(), [Command::SignOut]);
    stage.answer(Err(CommandError::CallsAreUp));
    assert!(stage.has("There are calls: end them or pass them on, then sign out"));
    // In the settings, too; and when the screen locks itself.
    stage.tap(stage.middle("Settings"));
    assert_eq!(stage.commands(), [Command::Meter { on: true }]);
    stage.tap(stage.middle("Lock"));
    assert_eq!(stage.commands(), [Command::Lock]);
    stage.answer(Ok(()));
    stage.tap(stage.middle("Sign out"));
    assert_eq!(stage.commands(), [Command::SignOut]);
    stage.answer(Err(CommandError::CallsAreUp));
    // When it locks by itself is kept with the rest.
    stage.tap(stage.middle("5 min"));
    assert_eq!(stage.commands(), []);
    stage.tap(stage.middle("Save"));
    let wish = PreferencesWish { lock_after_min: Some(5), ..PreferencesWish::default() };
    assert_eq!(stage.commands(), [Command::SavePreferences(wish)]);
    stage.answer(Ok(()));
    stage.tap(stage.middle("Clara Duval"));
    assert!(stage.has("Locks after 5 min") && !stage.has("15 min"), "it folds, and says what is in it");
}

#[test]
fn acc_1_the_section_of_who_is_signed_in_by_keys() {
    let stage = Stage::with(scenes::signed_in());
    stage.control("p");
    stage.commands();
    let stop = || stage.app.global::<screen::Settings>().get_stop();
    stage.key(Key::Home);
    assert_eq!(stop(), SettingsStop::Seat);
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::Lock]);
    stage.answer(Ok(()));
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::SignOut]);
    stage.answer(Err(CommandError::CallsAreUp));
    for _ in 0..4 {
        stage.key(Key::DownArrow);
    }
    assert_eq!(stop(), SettingsStop::LockFifteen);
    stage.key(Key::Return);
    stage.control("s");
    let wish = PreferencesWish { lock_after_min: Some(15), ..PreferencesWish::default() };
    assert_eq!(stage.commands(), [Command::SavePreferences(wish)]);
    stage.key(Key::Home);
    stage.key(Key::LeftArrow);
    stage.key(Key::DownArrow);
    assert_eq!(stop(), SettingsStop::Look, "what is folded is passed over");
}

#[test]
fn acc_1_lock_and_sign_out_by_keys_alone() {
    let stage = Stage::with(scenes::signed_in());
    stage.commands();
    stage.control("q");
    assert_eq!(stage.commands(), [Command::Lock]);
    stage.answer(Ok(()));
    stage.control("o");
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::SignOut]);
    stage.control("o");
    stage.key(Key::UpArrow);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::SetLockAfter { minutes: 15 }]);
    stage.control("o");
    stage.key(Key::Escape);
    assert_eq!(stage.commands(), []);
}

#[test]
fn acc_1_a_desk_where_nobody_signs_in_has_nothing_to_lock() {
    let stage = Stage::with(scenes::picture());
    stage.commands();
    stage.control("o");
    stage.control("q");
    assert_eq!(stage.commands(), []);
    assert!(!stage.has("Clara Duval: lock or sign out"));
}

#[test]
fn acc_1_a_locked_screen_names_nobody_and_calls_are_answered_held_and_ended_by_touch_and_key() {
    let stage = Stage::with(scenes::locked());
    stage.commands();
    assert_eq!(stage_of(&stage), SignInStage::Locked);
    assert!(stage.has("A call is ringing for Sales") && stage.has("You are talking"));
    assert!(!stage.has("Helena Brandt") && !stage.has("Marie Laurent"));
    stage.tap(stage.top("Answer"));
    // The second tap of a hurried finger means what was there before the first: nobody is put on hold, hung up or answered.
    for next in ["Answer", "Hold", "Hang up", "Retrieve"] {
        stage.tap(stage.top(next));
    }
    stage.wait(800);
    stage.tap(stage.top("Hold"));
    stage.tap(stage.top("Hang up"));
    stage.tap(stage.top("Retrieve"));
    let expected = [
        Command::Hook { action: HookAction::AnswerLongest },
        Command::Hold { call: CallRef(5) },
        Command::Hook { action: HookAction::HangUpActive },
        Command::Retrieve { call: CallRef(3) },
    ];
    assert_eq!(stage.commands(), expected);
    stage.key(Key::F11);
    stage.key(Key::F10);
    stage.key(Key::F9);
    let hooks = [HookAction::AnswerLongest, HookAction::HangUpActive, HookAction::Next];
    assert_eq!(stage.commands(), hooks.map(|action| Command::Hook { action }));
    // Night service and the rest are not for whoever passes by.
    stage.key(Key::F12);
    stage.key(Key::F4);
    assert_eq!(stage.commands(), []);
    stage.write("4711");
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::Unlock { pin: Pin::new("4711") }]);
    stage.answer(Ok(()));
    stage.show(later(scenes::signed_in()));
    assert_eq!(stage_of(&stage), SignInStage::Open);
}

#[test]
fn acc_1_somebody_else_takes_the_place_of_who_has_locked_the_screen() {
    let stage = Stage::with(scenes::locked_at_rest());
    stage.commands();
    stage.tap(stage.middle("Someone else"));
    assert_eq!(stage_of(&stage), SignInStage::Choose);
    assert!(!listed(&stage).contains(&"Clara Duval".to_owned()), "{:?}", listed(&stage));
    stage.tap(stage.top("Back"));
    assert_eq!(stage_of(&stage), SignInStage::Locked);
    stage.control("o");
    stage.key(Key::Escape);
    assert_eq!(stage_of(&stage), SignInStage::Locked);
    stage.control("o");
    stage.key(Key::Home);
    stage.write("8306");
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::SignIn { operator: OperatorId(1), pin: Pin::new("8306") }]);
}

#[test]
fn acc_1_a_screen_that_nobody_touches_locks_itself_unless_somebody_talks() {
    let after = |minutes| Preferences { lock_after_min: minutes, ..Preferences::default() };
    let mut view = scenes::signed_in();
    view.preferences = after(1);
    let talking = view.clone();
    view.talk = None;
    let stage = Stage::with(talking);
    stage.commands();
    stage.wait(90_000);
    assert_eq!(stage.commands(), [], "who talks is there");
    stage.show(later(view.clone()));
    stage.wait(250);
    assert_eq!(stage.commands(), [Command::Lock]);
    stage.answer(Ok(()));
    // A touch and a key begin the minute anew.
    stage.tap(stage.middle("Log"));
    stage.wait(50_000);
    stage.key(Key::Escape);
    stage.wait(50_000);
    assert_eq!(stage.commands(), []);
    stage.wait(11_000);
    assert_eq!(stage.commands(), [Command::Lock]);
    stage.answer(Ok(()));
    let mut never = later(later(view));
    never.preferences = after(0);
    stage.show(never);
    stage.wait(120_000);
    assert_eq!(stage.commands(), [], "off by default");
}

#[test]
fn acc_1_note_1_what_somebody_has_written_goes_with_them_and_is_kept_before_they_leave() {
    let stage = Stage::with(scenes::signed_in());
    stage.have_note(Kept { saved: "of Bastien".into(), saved_ms: Some(1), draft: None });
    stage.tap(stage.middle("Notes"));
    stage.control("e");
    stage.write("of Clara");
    stage.commands();
    stage.control("o");
    stage.key(Key::DownArrow);
    stage.key(Key::Return);
    let draft = Command::DraftNote { text: Some("of Clara".into()) };
    assert_eq!(stage.commands(), [draft, Command::SignOut]);
    stage.answer(Ok(()));
    stage.show(later(scenes::signed_out(5)));
    assert_eq!(stage.app.global::<Note>().get_text(), "");
    stage.wait(2_000);
    assert_eq!(stage.commands(), [], "nothing of it is sent for anybody else");
    let mut bastien = later(later(scenes::signed_in()));
    bastien.sign_in.operator =
        Some(OperatorName { id: OperatorId(2), name: "Bastien Caron".into(), blocked: false });
    stage.show(bastien);
    assert_eq!(stage.app.global::<Note>().get_text(), "of Bastien");
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Directory);
}

#[test]
fn acc_1_call_6_the_panes_are_those_of_who_is_signed_in() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::with(scenes::signed_in());
    stage.console.keep_panes(folder.path()).unwrap();
    let table = || stage.app.global::<screen::Panes>().get_table();
    stage.tap(stage.middle("Table view"));
    assert!(table());
    stage.show(later(scenes::signed_out(5)));
    let mut bastien = later(later(scenes::signed_in()));
    bastien.sign_in.operator =
        Some(OperatorName { id: OperatorId(2), name: "Bastien Caron".into(), blocked: false });
    stage.show(bastien);
    assert!(!table(), "Bastien has not arranged anything");
    stage.show(later(later(later(scenes::signed_in()))));
    assert!(table());
}

#[test]
fn acc_1_the_last_try_of_a_view_is_not_told_twice() {
    let stage = Stage::with(scenes::signed_out(5));
    let mut view = later(scenes::signed_out(5));
    let problem = PinProblem::Wrong { left: 9, wait_ms: 0 };
    view.sign_in.last_try = Some(PinTry { operator: CLARA, problem, at_ms: view.now_ms });
    stage.show(view);
    stage.tap(stage.middle("Clara Duval"));
    assert_eq!(standing(&stage), PinStanding::Awaited, "another screen's try is that screen's");
}

#[test]
fn acc_1_conf_1_a_locked_screen_knows_of_the_conference_and_leaves_it() {
    let conference = View { talk: None, ..scenes::conference() };
    let stage = Stage::with(View { sign_in: scenes::locked().sign_in, ..conference });
    stage.commands();
    assert_eq!(stage_of(&stage), SignInStage::Locked);
    assert!(stage.has("You are talking"));
    stage.tap(stage.top("Hold"));
    assert_eq!(stage.commands(), [Command::Hook { action: HookAction::HangUpActive }]);
}
