//! "Something was wrong with this call": said during a real call and after another, and what support then finds on the
//! administrator's page, by the command line and in the file for support. A telephone that stands still for a while is what
//! was wrong.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::sound::{A_TONE, DESK_TONE};
use frontdesk_tests::wait;
use ipc::{Action, CallMark, CallRef, CallSecond, Command, CommandError, LogMark, LogRow, Query, Reply};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(15);
const NAME: &str = "Marguerite";
const SECRET: &str = "four swans over the weir";

/// Lets a call go on: what is counted needs its seconds.
fn go_on(seconds: u64) {
    let begun = Instant::now();
    let over = || (begun.elapsed() >= Duration::from_secs(seconds)).then_some(());
    wait::until("the seconds of a call", SOON, over);
}

/// Talks for some seconds, stands still for two of them, and talks on.
fn talk(house: &mut House, phone: &mut Baresip) -> CallRef {
    phone.dial("5550100");
    let call = house.answer_next(phone);
    house.desk.hears(A_TONE);
    phone.hears(DESK_TONE);
    go_on(4);
    phone.program.freeze(true);
    go_on(2);
    phone.program.freeze(false);
    go_on(3);
    call
}

fn hang_up(house: &mut House, phone: &mut Baresip, call: CallRef) {
    house.client.command(Command::HangUp { call }).unwrap();
    phone.expect("CALL_CLOSED", SOON);
    house.client.wait_gone(call, SOON);
}

/// The newest row of the log, once it is as wanted.
fn row(house: &mut House, rows: usize, mark: LogMark) -> LogRow {
    wait::until(format!("a row with {mark:?}"), SOON, || {
        let log = house.client.whole_log();
        log.first().filter(|row| log.len() == rows && row.mark == mark).cloned()
    })
}

fn marks(house: &mut House, id: i64) -> Vec<CallMark> {
    match house.client.query(Query::Marks { id }) {
        Reply::Marks(marks) => marks,
        other => panic!("no marks but {other:?}"),
    }
}

/// What must be seen of [`talk`] in figures.
#[track_caller]
fn is_that_call(seconds: &[CallSecond]) {
    let whole: Vec<&CallSecond> = seconds.iter().filter(|second| second.length_ms == 1000).collect();
    assert!((8..=60).contains(&whole.len()), "{seconds:?}");
    // 50 packets of 20 ms a second, but for the second of the answer and those in which the telephone stood still.
    let usual = whole.iter().filter(|second| (45..=55).contains(&second.received)).count();
    let still = whole.iter().filter(|second| second.received <= 30).count();
    assert!(usual >= 4 && still >= 1, "{seconds:?}");
    let sent = whole.iter().filter(|second| (45..=55).contains(&second.sent)).count();
    assert!(sent + 2 >= whole.len(), "the desk did not stand still: {seconds:?}");
    assert!(whole.iter().any(|second| second.concealed_ms >= 100), "the gap was filled: {seconds:?}");
    // Both ways a tone of half the loudest and less, and nobody is silent all the time.
    let loud = |level: i32| (-400..0).contains(&level);
    let heard = whole.iter().filter(|second| loud(second.heard_decibel_tenths)).count();
    let said = whole.iter().filter(|second| loud(second.said_decibel_tenths)).count();
    assert!(heard >= 4 && said + 2 >= whole.len(), "{seconds:?}");
    assert!(whole.iter().all(|second| second.buffer_ms < 500), "{seconds:?}");
}

#[test]
fn call_8_log_1_app_2_a_call_that_something_was_wrong_with_is_marked_and_found_with_its_seconds() {
    let mut house = House::build(Digest::Md5);
    let (mut browser, address) = house.administered(NAME, SECRET);
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);

    // During the call, as the screen does it.
    let call = talk(&mut house, &mut phone);
    let card = house.client.wait_call("the call", SOON, |card| card.call == call);
    assert!(card.actions.contains(&Action::Mark) && !card.marked, "{card:?}");
    house.client.command(Command::MarkCall { call }).unwrap();
    house.client.wait_call("the call marked", SOON, |card| card.call == call && card.marked);
    hang_up(&mut house, &mut phone, call);
    let first = row(&mut house, 1, LogMark::Marked);
    let kept = marks(&mut house, first.id);
    assert_eq!(kept.len(), 1, "{kept:?}");
    is_that_call(&kept[0].seconds);
    assert_eq!(kept[0].at_unix_ms, kept[0].until_unix_ms, "it was said while it was counted");

    // After the call, from its row of the log, as people do who have hung up first.
    let call = talk(&mut house, &mut phone);
    hang_up(&mut house, &mut phone, call);
    let second = row(&mut house, 2, LogMark::Possible);
    let id = second.id.to_string();
    house.desk.ctl(&["mark", "--row", &id]);
    assert_eq!(row(&mut house, 2, LogMark::Marked).id, second.id);
    let told = house.desk.ctl(&["marks", &id]);
    let late: Vec<CallMark> = serde_json::from_value(told[0].clone()).unwrap();
    is_that_call(&late[0].seconds);
    assert!(late[0].until_unix_ms < late[0].at_unix_ms, "{late:?}");
    // A word that comes a moment after the end of the call means that call too; one about no call is refused.
    house.client.command(Command::MarkCall { call }).unwrap();
    assert_eq!(marks(&mut house, second.id).len(), 2);
    let refused = house.client.command(Command::MarkCall { call: CallRef(999) });
    assert_eq!(refused, Err(CommandError::NoSuchCall));
    let refused = house.client.command(Command::MarkLoggedCall { id: 999 });
    assert_eq!(refused, Err(CommandError::NoFigures));

    on_the_page(&mut browser, &address, &kept[0]);

    // They outlive a crash.
    house.desk.program.kill();
    house.desk.start_again();
    house.client = house.desk.client();
    assert_eq!(marks(&mut house, first.id), kept);
    let again = house.client.command(Command::MarkLoggedCall { id: first.id });
    assert_eq!(again, Err(CommandError::NoFigures), "the sound of a call is not counted over a new start");
}

/// What the support engineer sees of the first mark.
fn on_the_page(browser: &mut frontdesk_tests::chromium::Chromium, address: &str, mark: &CallMark) {
    browser.open(&format!("{address}/diagnostics"));
    browser.sees("Calls that something was wrong with");
    let links = "[...document.querySelectorAll('#marks-list tbody a')].map(a => a.getAttribute('href'))";
    let links = browser.evaluate(links);
    let links: Vec<&str> = links.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(links.len(), 3, "newest first: {links:?}");
    browser.open(&format!("{address}{}", links[2]));
    let text = browser.wait_text("the call", SOON, |text| text.contains("Second by second"));
    assert!(text.contains("Tomas Rivera") && text.contains("Sales"), "{text}");
    let cells = "[...document.querySelectorAll('#seconds tbody tr')].map(row => [...row.cells].map(c => c.innerText))";
    let cells = browser.evaluate(cells);
    let received: Vec<u32> = cells
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row[1].as_str().unwrap().trim().parse().unwrap())
        .collect();
    assert_eq!(received, mark.seconds.iter().map(|second| second.received).collect::<Vec<_>>());
    let file = browser.evaluate("fetch(document.getElementById('csv').href).then(answer => answer.text())");
    let file = file.as_str().unwrap();
    assert_eq!(file.lines().count(), mark.seconds.len() + 1, "{file}");
    assert!(file.starts_with("until,length_ms,held,received,lost,late,"), "{file}");
    let column = |line: &str| line.split(',').nth(3).and_then(|cell| cell.parse::<u32>().ok());
    assert_eq!(file.lines().skip(1).filter_map(column).collect::<Vec<_>>(), received);
}
