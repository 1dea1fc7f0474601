//! Figures of the real programs: `frontdeskd` and `frontdesk-ui` as processes, SIP on loopback.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use frontdesk_tests::program::Program;
use frontdesk_tests::screen::{Screen, answer_button};

use crate::board::CALLS;
use crate::exchange::Leg;
use crate::glass::Glass;
use crate::house::House;
use frontdesk_tests::report::{Row, Unit};

/// Calls into a quiet desk.
const QUIET: u32 = 300;
/// Calls into a busy desk.
const BUSY: u32 = 200;
/// Lamps turn once in so many of them.
const TURN: u32 = 20;
/// Calls looked at on the screen, and answered there.
const CARDS: u32 = 60;
const ANSWERS: u32 = 40;
const CONTACTS: u32 = 10_000;
/// How long a program is looked at.
const WATCHED: Duration = Duration::from_secs(20);
const SOON: Duration = Duration::from_secs(10);

/// All of them, in one life of both programs. What is measured before something fails stays in `rows`.
pub(crate) fn measure(rows: &mut Vec<Row>) {
    let mut house = House::build();
    rows.push(memory("memory of frontdeskd, idle", &house.desk, 64.0));
    rows.push(quiet_calls(&mut house));
    let mut screen = house.screen();
    rows.push(memory("memory of frontdesk-ui, idle", &screen.program, 96.0));
    rows.push(work("processor used by the screen, idle", &screen.program, 2.0));
    let mut leg = house.exchange.call(house.sip);
    house.exchange.answered(&mut leg, 180);
    rows.push(work("processor used by the screen while a call rings", &screen.program, 5.0));
    house.exchange.cancel(&mut leg);
    house.wait_quiet();
    let glass = Glass::before(screen.port());
    rows.push(cards(&mut house, &glass));
    rows.push(answers(&mut house, &mut screen, &glass));
    house.import(CONTACTS);
    rows.push(memory("memory of frontdeskd, 10,000 contacts", &house.desk, 128.0));
    rows.push(memory("memory of frontdesk-ui, 10,000 contacts", &screen.program, 128.0));
    rows.push(busy_calls(&mut house));
    rows.push(memory("memory of frontdeskd, at the end", &house.desk, 128.0));
    rows.extend(turns(&house));
}

/// Calls one after the other.
fn quiet_calls(house: &mut House) -> Row {
    let times: Vec<Duration> = (0..QUIET).map(|_| set_up(house)).collect();
    house.wait_quiet();
    Row::times("INVITE in to 180 out", Unit::Milliseconds, &times, "p99", 5.0)
        .note(format!("{QUIET} calls, from send to receive of another process, loopback UDP"))
}

/// The same while 50 calls ring and the monitored phones pick up and hang up.
fn busy_calls(house: &mut House) -> Row {
    let mut ringing: Vec<Leg> = (0..CALLS)
        .map(|_| {
            let mut leg = house.exchange.call(house.sip);
            house.exchange.answered(&mut leg, 180);
            leg
        })
        .collect();
    house.wait_ringing();
    let mut times = Vec::new();
    let mut busy = false;
    for number in 0..BUSY {
        if number % TURN == 0 {
            busy = !busy;
            house.exchange.turn_lamps(busy);
            house.wait_lamps(busy);
        }
        times.push(set_up(house));
    }
    for leg in &mut ringing {
        house.exchange.cancel(leg);
    }
    house.wait_quiet();
    Row::times("INVITE in to 180 out, 50 calls, 500 lamps", Unit::Milliseconds, &times, "p99", 5.0)
        .note(format!("{BUSY} further calls; every lamp turns {} times", BUSY / TURN))
}

/// One call that rings and is given up.
fn set_up(house: &mut House) -> Duration {
    let mut leg = house.exchange.call(house.sip);
    let took = house.exchange.answered(&mut leg, 180) - leg.sent;
    house.exchange.cancel(&mut leg);
    took
}

/// A call's card on the screen, as a browser receives it.
fn cards(house: &mut House, glass: &Glass) -> Row {
    let mut times = Vec::new();
    for _ in 0..CARDS {
        let mut leg = house.exchange.call(house.sip);
        house.exchange.answered(&mut leg, 180);
        times.push(glass.card() - leg.sent);
        house.exchange.cancel(&mut leg);
        glass.no_card();
    }
    house.wait_quiet();
    Row::times("INVITE in to its card rendered", Unit::Milliseconds, &times, "p99", 100.0)
        .note(format!("{CARDS} calls, until the frame has left the screen's web page as PNG"))
}

/// A tap on the green button.
fn answers(house: &mut House, screen: &mut Screen, glass: &Glass) -> Row {
    let mut times = Vec::new();
    for _ in 0..ANSWERS {
        let mut leg = house.exchange.call(house.sip);
        house.exchange.answered(&mut leg, 180);
        glass.card();
        let button = screen.wait("an Answer button", SOON, answer_button);
        let touched = Instant::now();
        screen.tap(button.centre());
        times.push(house.exchange.answered(&mut leg, 200) - touched);
        house.exchange.acknowledge(&leg);
        house.exchange.hang_up(&mut leg);
        house.wait_quiet();
        glass.no_card();
    }
    Row::times("touch \"Answer\" to 200 out", Unit::Milliseconds, &times, "p99", 100.0)
        .note(format!("{ANSWERS} calls, from before the finger goes down; down and up are two HTTP requests"))
}

/// The engine's own stopwatches over all of the above. What it uses of the processor is its own doing; the
/// wall's clock also counts while the other programs of the measurement have the processor.
fn turns(house: &House) -> [Row; 2] {
    let turns = house.turns();
    let milliseconds = |us: u64| us as f64 / 1e3;
    let used = [("max", milliseconds(turns.longest_cpu_us))];
    let took = [
        ("median", milliseconds(turns.median_us)),
        ("p99", milliseconds(turns.p99_us)),
        ("max", milliseconds(turns.longest_us)),
    ];
    [
        Row::of("longest turn of the engine, processor time", "ms", &used, "max", 2.0)
            .note(format!("{} turns, {} above 2 ms", turns.turns, turns.over_2_ms_cpu)),
        Row::of("turns of the engine by the wall's clock", "ms", &took, "p99", 2.0)
            .note(format!("{} of {} took longer than 2 ms", turns.over_2_ms, turns.turns)),
    ]
}

/// How much of a core a program uses while nobody touches it.
fn work(figure: &str, program: &Program, bar: f64) -> Row {
    let used = || {
        let stat =
            fs::read_to_string(format!("/proc/{}/stat", program.id())).expect("a running child has one");
        // After the name in brackets; user and system time are the 14th and 15th field of all.
        let fields = stat.rsplit_once(") ").map(|(_, rest)| rest.split_whitespace().collect::<Vec<_>>());
        let fields = fields.expect("a name in brackets");
        let ticks: f64 = [11, 12].iter().map(|at| fields[*at].parse::<f64>().expect("a count")).sum();
        // SAFETY: no arguments but a number.
        ticks / unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64
    };
    // What has just been done is over.
    thread::sleep(Duration::from_secs(2));
    let (before, start) = (used(), Instant::now());
    thread::sleep(WATCHED);
    let share = 100.0 * (used() - before) / start.elapsed().as_secs_f64();
    Row::of(figure, "% of a core", &[("share", share)], "share", bar)
        .note(format!("over {} s", WATCHED.as_secs()))
}

fn memory(figure: &str, program: &Program, bar: f64) -> Row {
    let path = format!("/proc/{}/status", program.id());
    let status = fs::read_to_string(path).expect("a running child has a status");
    let kib = |field: &str| -> f64 {
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let number = line.and_then(|line| line.split_whitespace().next()).and_then(|word| word.parse().ok());
        number.unwrap_or_else(|| panic!("{figure}: no {field} in /proc, the program has ended"))
    };
    let values = [("resident", kib("VmRSS:") / 1024.0), ("of it not from files", kib("RssAnon:") / 1024.0)];
    Row::of(figure, "MiB", &values, "resident", bar)
}
