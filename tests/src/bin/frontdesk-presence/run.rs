//! The run itself, from the first subscription to the last return of the exchange.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use frontdesk_tests::desk::{Account, Desk, Machine, NO_TIMERS};
use frontdesk_tests::house::scratch;
use frontdesk_tests::kamailio::Kamailio;
use frontdesk_tests::ports::Ports;
use frontdesk_tests::publisher::{Kind, Publisher};
use frontdesk_tests::report::{Row, Unit};
use frontdesk_tests::screen::{self, DIRECTORY, Screen};
use frontdesk_tests::wait;
use ipc::{LampState, Registration};
use sip::LAMPS_KNOWN_FOR;

use crate::board::{Board, Tally};
use crate::glass::{self, Glass};
use crate::plan::{Plan, Seen, Shown, number};
use crate::words;

const SOON: Duration = Duration::from_secs(20);
/// For what is measured, and has its bar in the report.
const LONG: Duration = Duration::from_secs(120);
/// All lamps are known so long after the directory was loaded.
const LIT_S: f64 = 10.0;
/// From PUBLISH to picture.
const PICTURE_MS: f64 = 200.0;
/// All lamps are true again so long after the exchange is back.
const BACK_S: f64 = 10.0;
/// Pause between two turns of the lamp on the screen.
const GLANCE: Duration = Duration::from_millis(150);
/// Contacts without a lamp that fill the screen behind the one that is looked at.
const QUIET: usize = 100;
/// How long the exchange stays away so that nobody can have missed it.
const AWAY: Duration = Duration::from_secs(15);

pub(crate) fn run(plan: Plan, rows: &mut Vec<Row>) {
    let scratch = scratch();
    let mut ports = Ports::take();
    let mut exchange = Kamailio::start_presence(scratch.path(), ports.one());
    let publisher = Publisher::to(exchange.port);
    // One more than change in the storm: the one that is looked at on the screen.
    let phones = plan.lamps + 1;
    for phone in 0..phones {
        publisher.add(&number(phone), Kind::Phone);
    }
    let board = Board::new(publisher, phones);
    board.publisher().tell_all(board.documents(), LONG);

    let machine = Machine { sip: ports.one(), rtp: ports.rtp(), log: "info" };
    let desk = Desk::start_on(scratch.path(), &Account::at(&exchange), NO_TIMERS, &machine);
    desk.client().wait("a desk that is registered", SOON, |view| {
        view.operator.registration == Registration::Registered
    });
    let follower = board.follow(&desk.socket);
    let all = |tally: Tally| tally.right == phones;

    eprintln!("{phones} lamps are asked for");
    let began = Instant::now();
    desk.import(&staff(plan.lamps));
    let lit = reached(&board, began, "every lamp lit", all) - began;
    rows.push(seconds("all lamps known after the directory is loaded", phones, lit, LIT_S));

    let mut screen = Screen::start(scratch.path(), &mut ports, &desk.socket);
    storm(plan, &board, &mut screen, rows);
    drop(screen);
    if let Some(view) = board.view() {
        rows.extend(words::measure(view));
    }

    rows.push(turns(&desk));
    eprintln!("kamailio is killed");
    let killed = Instant::now();
    exchange.program.kill_all();
    let dark = reached(&board, killed, "every lamp unknown", |tally| tally.unknown == phones) - killed;
    let promise = LAMPS_KNOWN_FOR.as_secs_f64();
    rows.push(seconds("kamailio killed: all lamps unknown", phones, dark, promise));
    thread::sleep(AWAY.saturating_sub(dark));
    let back = restart(&mut exchange, &board);
    let again = reached(&board, back, "every lamp true again", all) - back;
    rows.push(seconds("kamailio back: all lamps true again", phones, again, BACK_S));

    eprintln!("kamailio is killed and started at once");
    exchange.program.kill_all();
    turn_all(&board, phones);
    let back = restart(&mut exchange, &board);
    let again = reached(&board, back, "every lamp true again", all) - back;
    rows.push(
        seconds("kamailio restarted at once: all lamps true again", phones, again, BACK_S)
            .note("what it lights is something else than before, so a lamp that was believed would be wrong"),
    );
    board.stop();
    // A follower that panicked has said so on standard error, and the figures are missing.
    let _ = follower.join();
    rows.push(Row::none("frontdeskd has ended meanwhile", usize::from(ended(desk))));
}

/// The engine's turns so far: all subscriptions, all changes, all views built.
fn turns(desk: &Desk) -> Row {
    let turns = desk.client().diagnostics().turns;
    let milliseconds = |us: u64| us as f64 / 1e3;
    let values = [
        ("median", milliseconds(turns.median_us)),
        ("p99", milliseconds(turns.p99_us)),
        ("max", milliseconds(turns.longest_us)),
    ];
    Row::of("turns of the engine by the wall's clock", "ms", &values, "p99", 2.0)
        .note(format!("{} of {} used more than 2 ms of the processor", turns.over_2_ms_cpu, turns.turns))
}

fn ended(mut desk: Desk) -> bool {
    desk.program.exit_status().is_some()
}

/// The phones change one after the other, at the plan's rate, and so does the one on the screen.
fn storm(plan: Plan, board: &Arc<Board>, screen: &mut Screen, rows: &mut Vec<Row>) {
    let glass_phone = plan.lamps;
    screen.wait("Anne's name", SOON, |picture| screen::word(picture, DIRECTORY, "Anne"));
    let before = screen.picture();
    wait::until("a change taken in", SOON, || board.change(glass_phone, Shown::nth(2)).then_some(()));
    let (point, [free, busy]) =
        screen.wait("a lamp that turned", SOON, |now| glass::difference(&before, now, DIRECTORY));
    let glass = Glass::before(screen.port(), point);
    let over = Arc::new(AtomicBool::new(false));
    let glances = {
        let (board, over) = (Arc::clone(board), Arc::clone(&over));
        thread::spawn(move || glances(&board, &over, glass_phone, &glass, [free, busy]))
    };
    board.take_seen();

    eprintln!("{} changes a second for {} s", plan.rate, plan.seconds);
    let changes = plan.rate * plan.seconds;
    let took = pour(plan, board, changes);
    over.store(true, Ordering::Release);
    let all_seen = wait::within(SOON, || (board.unseen() == 0).then_some(()));
    let (glances, blind) = glances.join().expect("the looking thread has not panicked");
    let (seen, missing) = board.take_seen();

    let rate = f64::from(changes) / took.as_secs_f64();
    let values = [("a second", rate), ("changes", f64::from(changes)), ("lamps", plan.lamps as f64)];
    let whole = Plan::WHOLE;
    let is_whole = plan.lamps >= whole.lamps && plan.rate >= whole.rate && plan.seconds >= whole.seconds;
    let least = 0.98 * f64::from(whole.rate);
    rows.push(
        Row::at_least("state changes that kamailio took in", "", &values, "a second", least)
            .note(format!("refused by it: {:?}", board.publisher().refused())),
    );
    rows.push(Row::none("the run is smaller than the report is about", usize::from(!is_whole)));
    let times = |of: fn(&Seen) -> Duration| seen.iter().map(of).collect::<Vec<_>>();
    let sent = times(|seen| seen.since_sent);
    rows.push(
        Row::times("PUBLISH to the lamp in a view", Unit::Milliseconds, &sent, "p99", PICTURE_MS)
            .note("kamailio's work included; until the view is read by a client of the socket"),
    );
    let answered = times(|seen| seen.since_answered);
    rows.push(Row::times("NOTIFY to the lamp in a view", Unit::Milliseconds, &answered, "p99", PICTURE_MS));
    rows.push(
        Row::times("PUBLISH to the lamp on the screen", Unit::Milliseconds, &glances, "p99", PICTURE_MS)
            .note(format!("{} turns, until the frame has left the screen's web page as PNG", glances.len())),
    );
    rows.push(
        Row::none("changes never shown", missing + blind)
            .note(format!("all in the end: {}", all_seen.is_some())),
    );
}

/// Changes `changes` phones in turn; how long that took.
fn pour(plan: Plan, board: &Board, changes: u32) -> Duration {
    let began = Instant::now();
    let mut steps = vec![0; plan.lamps];
    let mut done = 0;
    while done < changes {
        let due = (began.elapsed().as_secs_f64() * f64::from(plan.rate)) as u32;
        while done < due.min(changes) {
            let phone = done as usize % plan.lamps;
            if !board.change(phone, Shown::nth(steps[phone] + 1)) {
                board.publisher().repeat();
                break;
            }
            steps[phone] += 1;
            done += 1;
        }
        assert!(began.elapsed() < LONG, "kamailio took {done} changes in {LONG:?}");
        thread::sleep(Duration::from_micros(500));
    }
    board.publisher().settle(LONG);
    began.elapsed()
}

/// Turns the lamp on the screen until it is `over`; how long each turn took, and how many were not seen.
fn glances(
    board: &Board,
    over: &AtomicBool,
    phone: usize,
    glass: &Glass,
    [free, busy]: [frontdesk_tests::picture::Colour; 2],
) -> (Vec<Duration>, usize) {
    let (mut times, mut blind, mut step) = (Vec::new(), 0, 2);
    while !over.load(Ordering::Acquire) {
        // Free, talking, free, talking with somebody else …
        step += if step % 3 == 0 { 2 } else { 1 };
        let sent = Instant::now();
        if !board.change(phone, Shown::nth(step)) {
            step -= if step % 3 == 0 { 1 } else { 2 };
            thread::sleep(Duration::from_millis(1));
            continue;
        }
        let colour = if Shown::nth(step).state == LampState::Available { free } else { busy };
        match glass.turned(colour, SOON) {
            Some(at) => times.push(at - sent),
            None => blind += 1,
        }
        thread::sleep(GLANCE);
    }
    (times, blind)
}

/// Starts the exchange again and tells it what all phones do; when it was back.
fn restart(exchange: &mut Kamailio, board: &Board) -> Instant {
    exchange.start_again();
    let back = Instant::now();
    board.publisher().forget();
    board.publisher().tell_all(board.documents(), LONG);
    back
}

/// What every phone does is something else now; nobody is told yet.
fn turn_all(board: &Board, phones: usize) {
    (0..phones).for_each(|phone| board.imagine(phone, Shown::nth(100 + (phone % 2) as u32)));
}

/// When the lamps were seen like this, in a view that came after `since`.
fn reached(board: &Board, since: Instant, what: &str, wanted: impl Fn(Tally) -> bool) -> Instant {
    wait::until(what, LONG, || {
        let tally = Some(board.last()).filter(|tally| wanted(*tally))?;
        tally.at.filter(|at| *at > since)
    })
}

fn seconds(figure: &str, lamps: usize, took: Duration, bar: f64) -> Row {
    Row::of(figure, "s", &[("took", took.as_secs_f64())], "took", bar).note(format!("{lamps} lamps"))
}

/// The directory: who is looked at, those who fill the screen, and all others.
fn staff(lamps: usize) -> String {
    let mut text = String::from("lastname,firstname,phone,presence\n");
    text += &format!("Aaaa,Anne,{},true\n", number(lamps));
    (0..QUIET).for_each(|n| text += &format!("Abbot {n},Quiet,,false\n"));
    (0..lamps).for_each(|phone| text += &format!("Zed {phone},Busy,{},true\n", number(phone)));
    text
}
