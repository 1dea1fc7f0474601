//! Alerts about contacts (PRE-7), people online (PRE-5), and notices that leave by themselves.

use std::time::{Duration, Instant};

use ipc::{
    AlertKind, AlertSet, Command, CommandError, ContactId, LampState, NoticeKind, OnlineState, RemovalId,
    Removed, View,
};
use switchboard::{AlertWish, Effect, Input, Settings, Switchboard};

struct Desk {
    board: Switchboard,
    now: Instant,
}

impl Desk {
    #[allow(clippy::disallowed_methods, reason = "a test's clock has to begin somewhere")]
    fn new(wishes: Vec<AlertWish>) -> Self {
        let now = Instant::now();
        let mut desk = Self { board: Switchboard::new(Settings::default(), now), now };
        desk.say(Input::Alerts(wishes));
        desk
    }

    /// What comes of it.
    fn say(&mut self, input: Input) -> Vec<Effect> {
        self.board.handle(self.now, input);
        self.board.verify_invariants();
        std::iter::from_fn(|| self.board.poll_effect()).collect()
    }

    fn lamp(&mut self, number: &str, state: LampState) -> Vec<Effect> {
        let talks = Vec::new();
        self.say(Input::Lamp { number: number.into(), state, calls: 0, peer: None, talks })
    }

    fn person(&mut self, address: &str, state: OnlineState) -> Vec<Effect> {
        self.say(Input::Person { address: address.into(), state, text: String::new() })
    }

    fn view(&self) -> View {
        self.board.view(self.now)
    }

    fn shown(&self) -> Vec<(u64, AlertKind)> {
        self.view().alerts.iter().map(|alert| (alert.contact.0, alert.what)).collect()
    }

    /// Lets the time pass that the desk asks for, and no more.
    fn wait(&mut self) {
        self.now = self.board.deadline().unwrap();
        self.say(Input::Deadline);
    }
}

fn wish(contact: u64, number: &str, alerts: AlertSet) -> AlertWish {
    let address = format!("{number}@example.org");
    AlertWish {
        contact: ContactId(contact),
        name: format!("N{contact}"),
        number: number.into(),
        address,
        alerts,
    }
}

/// Every alert, without a sound.
fn all() -> AlertSet {
    AlertSet {
        available: true,
        ringing: true,
        busy: true,
        do_not_disturb: true,
        online: true,
        offline: true,
        ..AlertSet::default()
    }
}

#[test]
fn pre_7_a_change_is_told_and_what_was_so_before_is_not() {
    let mut desk = Desk::new(vec![wish(1, "2101", all())]);
    desk.lamp("2101", LampState::Unknown);
    desk.lamp("2101", LampState::Available);
    desk.lamp("2102", LampState::Available);
    assert_eq!(desk.shown(), [], "it was not known before");
    desk.lamp("2101", LampState::Busy);
    desk.lamp("2102", LampState::Busy);
    assert_eq!(desk.shown(), [(1, AlertKind::Busy)]);
    desk.lamp("2101", LampState::Unknown);
    desk.lamp("2101", LampState::Available);
    assert_eq!(desk.shown(), [(1, AlertKind::Busy)], "an exchange that comes back is no news");
    desk.lamp("2101", LampState::DoNotDisturb);
    assert_eq!(desk.shown(), [(1, AlertKind::DoNotDisturb)], "of one contact the newest is shown");
}

#[test]
fn pre_7_only_what_was_wished_is_told_with_a_sound_where_that_was_wished() {
    let ringing = AlertSet { ringing: true, sound: true, ..AlertSet::default() };
    let mut desk = Desk::new(vec![wish(1, "2101", ringing), wish(2, "2102", all())]);
    for number in ["2101", "2102"] {
        desk.lamp(number, LampState::Available);
        assert_eq!(desk.lamp(number, LampState::Busy), []);
    }
    assert_eq!(desk.shown(), [(2, AlertKind::Busy)]);
    assert_eq!(desk.lamp("2101", LampState::Ringing), [Effect::Chime]);
    assert_eq!(desk.lamp("2102", LampState::Ringing), []);
    desk.lamp("2101", LampState::Busy);
    assert_eq!(desk.shown(), [(2, AlertKind::Ringing)], "what no longer rings cannot be intercepted");
}

#[test]
fn pre_7_an_alert_wished_once_is_told_once() {
    let once = AlertSet { busy: true, once: true, ..AlertSet::default() };
    let mut desk = Desk::new(vec![wish(1, "2101", once)]);
    desk.lamp("2101", LampState::Available);
    assert_eq!(desk.lamp("2101", LampState::Busy), [Effect::AlertSpent(ContactId(1))]);
    desk.lamp("2101", LampState::Available);
    assert_eq!(desk.lamp("2101", LampState::Busy), []);
}

#[test]
fn pre_7_an_alert_is_shown_until_it_is_seen_or_old() {
    let mut desk = Desk::new(vec![wish(1, "2101", all()), wish(2, "2102", all())]);
    for number in ["2101", "2102"] {
        desk.lamp(number, LampState::Ringing);
        desk.lamp(number, LampState::Available);
    }
    let [first, second] = desk.view().alerts.try_into().unwrap();
    assert_eq!(desk.board.command(desk.now, &Command::DismissAlert { alert: first.id }), Ok(()));
    assert_eq!(desk.view().alerts, [second]);
    desk.wait();
    assert_eq!((desk.shown(), desk.board.deadline()), (vec![], None));
}

#[test]
fn pre_7_a_house_that_starts_to_talk_does_not_fill_the_screen() {
    let mut desk = Desk::new((0..50).map(|n| wish(n, &n.to_string(), all())).collect());
    for n in 0..50 {
        desk.lamp(&n.to_string(), LampState::Available);
        desk.lamp(&n.to_string(), LampState::Busy);
    }
    let newest: Vec<u64> = desk.shown().into_iter().map(|(contact, _)| contact).collect();
    assert_eq!(newest, (42..50).collect::<Vec<_>>());
}

#[test]
fn pre_5_pre_7_people_come_and_go() {
    let mut desk = Desk::new(vec![wish(1, "2101", all())]);
    let address = "2101@example.org";
    desk.person(address, OnlineState::Unknown);
    desk.person(address, OnlineState::Online);
    assert_eq!(desk.shown(), []);
    desk.person(address, OnlineState::Away);
    assert_eq!(desk.shown(), [], "who is away has not gone");
    desk.person(address, OnlineState::Offline);
    assert_eq!(desk.shown(), [(1, AlertKind::Offline)]);
    desk.person(address, OnlineState::Unknown);
    assert_eq!(desk.view().people[0].state, OnlineState::Unknown);
    desk.person(address, OnlineState::Offline);
    desk.person(address, OnlineState::Online);
    assert_eq!(desk.shown(), [(1, AlertKind::Online)]);
    desk.say(Input::PersonGone { address: address.into() });
    assert_eq!(desk.view().people, []);
}

#[test]
fn dir_1_the_undo_of_a_removal_is_offered_for_a_minute_and_leaves_when_it_is_done() {
    let mut desk = Desk::new(Vec::new());
    let removed =
        |n| Input::Removed { removal: RemovalId(n), what: Removed::Contact { name: "Alice".into() } };
    desk.say(removed(1));
    desk.say(removed(2));
    desk.say(Input::Restored { removal: RemovalId(1) });
    let notices = desk.view().notices;
    let [notice] = notices.as_slice() else { panic!("{notices:?}") };
    assert!(matches!(notice.kind, NoticeKind::Removed { removal: RemovalId(2), .. }));
    let before = desk.now;
    desk.wait();
    assert_eq!((desk.view().notices, desk.now), (vec![], before + Duration::from_secs(60)));
}

#[test]
fn directories_are_not_the_switchboards_business() {
    let mut desk = Desk::new(Vec::new());
    let edit = ipc::Edit::Undo { removal: RemovalId(1) };
    assert_eq!(desk.board.command(desk.now, &Command::Edit(edit)), Err(CommandError::NotPossible));
    assert_eq!(desk.board.command(desk.now, &Command::CancelImport), Err(CommandError::NotPossible));
}
