//! What every change on the desk costs: a view is built, and encoded for each screen.

use std::time::Instant;

use ipc::{Command, FromDesk, LampState, MAX_FRAME_FROM_DESK, Party, View};
use switchboard::{Input, Line, Settings, Switchboard};

use crate::stopwatch;
use frontdesk_tests::report::{Row, Unit};

pub(crate) const CALLS: u32 = 50;
pub(crate) const LAMPS: u32 = 500;
const RUNS: usize = 5_000;

/// View building and encoding with 50 calls and 500 lamps.
pub(crate) fn measure() -> Vec<Row> {
    let start = Instant::now();
    let board = busy(start);
    let view = board.view(start);
    let build = stopwatch::each(RUNS, || board.view(start));
    let message = FromDesk::View(Box::new(view));
    let bytes = encode(&message).len();
    let json = stopwatch::each(RUNS, || encode(&message));
    let with = "with 50 calls and 500 lamps";
    vec![
        Row::times(format!("build the view {with}"), Unit::Milliseconds, &build, "p99", 2.0),
        Row::times(format!("encode the view {with}"), Unit::Milliseconds, &json, "p99", 5.0)
            .note(format!("{bytes} bytes of JSON; done by a client's task, not by the engine")),
    ]
}

/// The view of [`measure`].
pub(crate) fn view() -> View {
    let start = Instant::now();
    busy(start).view(start)
}

fn encode(message: &FromDesk) -> Vec<u8> {
    ipc::encode(message, MAX_FRAME_FROM_DESK).expect("a view of 50 calls fits a frame")
}

/// A desk at its busiest: 20 calls ring, 15 are on hold, one of them being transferred, 15 were placed.
fn busy(now: Instant) -> Switchboard {
    let line =
        |number: &str, name: &str| Line { number: number.into(), name: name.into(), ..Line::default() };
    let lines = vec![line("5550100", "Sales"), line("5550101", "Support")];
    let mut board = Switchboard::new(Settings { lines, ..Settings::default() }, now);
    for line in ["5550100", "5550101"] {
        let state = ipc::Registration::Registered;
        board.handle(now, Input::Registration { line: line.into(), state });
    }
    for number in 0..LAMPS {
        let state = [LampState::Available, LampState::Busy, LampState::Ringing][number as usize % 3];
        let busy = state != LampState::Available;
        let peer = busy.then(|| format!("+49 30 5557 {number:04}"));
        board.handle(
            now,
            Input::Lamp {
                number: (2000 + number).to_string(),
                state,
                calls: busy.into(),
                peer,
                talks: Vec::new(),
            },
        );
    }
    (0..35).for_each(|number| incoming(&mut board, now, number));
    (0..15).for_each(|number| outgoing(&mut board, now, number));
    drain(&mut board);
    let view = board.view(now);
    let (calls, lamps) = (view.incoming.len() + view.outgoing.len(), view.lamps.len());
    assert_eq!((calls, lamps), (CALLS as usize, LAMPS as usize), "the desk to measure is not set up");
    board
}

fn incoming(board: &mut Switchboard, now: Instant, number: u32) {
    let call = board.next_call();
    let caller = Party {
        number: Some(format!("+33 1 55 57 {number:04}")),
        name: Some(format!("Maximilian von Hohenberg-Schwarzenfels {number}")),
        company: Some("Hohenberg Maschinenbau GmbH".into()),
        title: Some("Senior director of strategic partnerships".into()),
        ..Party::default()
    };
    let called_number = if number.is_multiple_of(2) { "5550100" } else { "5550101" }.into();
    board.handle(now, Input::Incoming { call, caller, called_number, diverted_by: None, replaces: None });
    if number >= 20 {
        // The one before goes on hold by itself.
        board.command(now, &Command::Answer { call }).expect("a ringing call can be answered");
        board.handle(now, Input::Confirmed { call });
        board.command(now, &Command::Hold { call }).expect("a call that talks can be held");
        board.handle(now, Input::Held { call });
    }
    if number == 34 {
        let transfer = Command::BlindTransfer { call, to: "2110".into() };
        board.command(now, &transfer).expect("a held call can be transferred");
    }
    drain(board);
}

fn outgoing(board: &mut Switchboard, now: Instant, number: u32) {
    let dial = Command::Dial { number: format!("21{number:02}"), line: None };
    board.command(now, &dial).expect("a registered line can be dialled from");
    let call = board.view(now).outgoing.last().map(|card| card.call).expect("the call just placed is shown");
    board.handle(now, Input::Answered { call, by: None });
    drain(board);
}

/// What the desk wants done is done by nobody here.
fn drain(board: &mut Switchboard) {
    while let Some(effect) = board.poll_effect() {
        assert!(
            !matches!(effect, switchboard::Effect::Reject { .. }),
            "the desk refuses a call of the scene"
        );
    }
}
