//! Reminders with the real desk: set before a crash and told after it, with a sound that really comes out of the device;
//! put off, changed, done; and who calls comes first.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::sound::{A_TONE, Recording};
use frontdesk_tests::wait;
use ipc::{
    CallState, Command, CommandError, Query, Reminder, ReminderForm, ReminderId, ReminderProblem,
    ReminderWish, Reply, View,
};

const SOON: Duration = Duration::from_secs(20);
/// A5, the second note of the chime, in hertz: no ring tone of these lines has it.
const CHIME: f64 = 880.0;

fn unix_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn all(house: &mut House) -> Vec<Reminder> {
    match house.client.query(Query::Reminders) {
        Reply::Reminders(all) => all,
        other => panic!("no reminders but {other:?}"),
    }
}

/// Does it; the reminder as it is kept then.
#[track_caller]
fn wish(house: &mut House, wish: ReminderWish) -> Option<Reminder> {
    let (reply, done) = house.client.command_with_reply(Command::Reminder(wish));
    done.unwrap();
    reply.map(|reply| match reply {
        Reply::Reminder(kept) => *kept,
        other => panic!("{other:?}"),
    })
}

fn form(text: &str, in_ms: i64) -> ReminderForm {
    ReminderForm { text: text.into(), due_unix_ms: unix_ms() + in_ms, ..ReminderForm::default() }
}

fn is_due(id: ReminderId) -> impl Fn(&View) -> bool {
    move |view| view.reminders.due.iter().any(|due| due.id == id)
}

/// How often it chimed in this file: chimes are further apart than a quarter of a second.
fn chimes(file: &Path) -> usize {
    let Some(heard) = Recording::read(file) else { return 0 };
    let block = heard.rate as usize / 50;
    let loud = |part: &[i16]| Recording { rate: heard.rate, samples: part.to_vec() }.has_tone(CHIME);
    let (mut count, mut quiet) = (0, usize::MAX);
    for part in heard.samples.chunks_exact(block) {
        if loud(part) {
            count += usize::from(quiet > 12);
            quiet = 0;
        } else {
            quiet = quiet.saturating_add(1);
        }
    }
    count
}

fn wait_chimes(file: &Path, count: usize) {
    wait::until(format!("{count} chimes"), SOON, || (chimes(file) == count).then_some(()));
}

fn crash(house: &mut House) {
    house.desk.program.kill();
}

fn start_again(house: &mut House) {
    house.desk.start_again();
    house.client = house.desk.client();
}

#[test]
fn rem_1_app_4_a_reminder_set_before_a_crash_is_told_after_it_with_sound_put_off_and_done() {
    let mut house = House::build(Digest::Md5);
    let rings = house.desk.ring_into_a_file();
    house.client = house.desk.client();
    let before = unix_ms();
    let kept = house.desk.ctl(&[
        "remind",
        "+4s",
        "Fetch",
        "the parcel",
        "--number",
        "2101",
        "--name",
        "Tomas Rivera",
    ]);
    let kept: Reminder = serde_json::from_value(kept[0]["Reminder"].clone()).unwrap();
    assert_eq!(kept.what.text, "Fetch the parcel");
    assert!((4_000..9_000).contains(&(kept.what.due_unix_ms - before)), "{kept:?}");
    let later = wish(&mut house, ReminderWish::Add(form("Tomorrow", 86_400_000))).unwrap();
    assert_eq!(all(&mut house), [kept.clone(), later.clone()]);
    crash(&mut house);
    assert!(unix_ms() < kept.what.due_unix_ms, "the machine is too slow for this test: it was due before");
    wait::until("its time", SOON, || (unix_ms() > kept.what.due_unix_ms + 1_500).then_some(()));

    start_again(&mut house);
    let view = house.client.wait("the reminder", SOON, is_due(kept.id));
    assert_eq!(view.reminders.due_count, 1);
    assert_eq!(view.reminders.due[0].what, kept.what);
    wait_chimes(&rings, 1);
    let told = wait::until("the disk knows it", SOON, || {
        all(&mut house).into_iter().find(|reminder| reminder.id == kept.id && reminder.rang_unix_ms.is_some())
    });
    assert!(told.rang_unix_ms.unwrap() > kept.what.due_unix_ms + 1_000, "it was late, and says so: {told:?}");

    // Not answered, it is there still after the next crash, and does not chime again.
    crash(&mut house);
    // What chimed before is in the file until it chimes again.
    std::fs::remove_file(&rings).unwrap();
    start_again(&mut house);
    house.client.wait("the reminder again", SOON, is_due(kept.id));

    // Put off, it is pending again; changed to a moment, it chimes at that.
    let put_off = wish(&mut house, ReminderWish::Snooze { id: kept.id, minutes: 10 }).unwrap();
    let ahead = put_off.what.due_unix_ms - unix_ms();
    assert!((9 * 60_000..=10 * 60_000).contains(&ahead), "{ahead}");
    assert_eq!(put_off.rang_unix_ms, None);
    house.client.wait("none is due", SOON, |view| view.reminders.due_count == 0);
    assert_eq!(chimes(&rings), 0, "since the second start");
    let what = ReminderForm { due_unix_ms: unix_ms() + 1_500, ..put_off.what };
    wish(&mut house, ReminderWish::Change { id: kept.id, what });
    house.client.wait("due once more", SOON, is_due(kept.id));
    wait_chimes(&rings, 1);

    let done = wish(&mut house, ReminderWish::Finish { id: kept.id }).unwrap();
    assert!(done.done_unix_ms.is_some());
    house.client.wait("answered", SOON, |view| view.reminders.due_count == 0);
    crash(&mut house);
    start_again(&mut house);
    let view = house.client.wait("the desk", SOON, |view| view.reminders.generation > 0);
    assert_eq!(view.reminders.due_count, 0, "done is done");
    assert_eq!(all(&mut house), [done, later]);
}

#[test]
fn rem_1_removing_is_undone_and_what_cannot_be_kept_is_refused() {
    let mut house = House::build(Digest::Md5);
    let ids: Vec<ReminderId> = (1..=3)
        .map(|n| wish(&mut house, ReminderWish::Add(form(&format!("{n}"), n * 3_600_000))).unwrap().id)
        .collect();
    let before = all(&mut house);
    assert_eq!(wish(&mut house, ReminderWish::Remove { ids: ids[..2].to_vec() }), None);
    assert_eq!(all(&mut house), before[2..]);
    crash(&mut house);
    start_again(&mut house);
    assert_eq!(wish(&mut house, ReminderWish::Restore { ids: ids[..2].to_vec() }), None);
    assert_eq!(all(&mut house), before);
    for (wrong, why) in [
        (ReminderWish::Add(form(" ", 60_000)), ReminderProblem::Empty),
        (ReminderWish::Add(form(&"a".repeat(2_000), 60_000)), ReminderProblem::TooLong),
        (ReminderWish::Snooze { id: ids[0], minutes: 0 }, ReminderProblem::BadTime),
        (ReminderWish::Snooze { id: ids[0], minutes: u16::MAX }, ReminderProblem::BadTime),
        (ReminderWish::Finish { id: ReminderId(99) }, ReminderProblem::Gone),
    ] {
        let refused = house.client.command(Command::Reminder(wrong.clone()));
        assert_eq!(refused, Err(CommandError::Reminder(why)), "{wrong:?}");
    }
    assert_eq!(all(&mut house), before);
    assert_eq!(house.desk.ctl(&["reminders"])[0]["Reminders"].as_array().unwrap().len(), 3);
}

#[test]
fn rem_1_who_calls_is_heard_before_a_reminder() {
    let mut house = House::build(Digest::Md5);
    let rings = house.desk.ring_into_a_file();
    house.client = house.desk.client();
    let registered = |view: &View| view.operator.registration == ipc::Registration::Registered;
    house.client.wait("Registered", SOON, registered);
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
    phone.dial("5550100");
    let call = house.client.wait_call("the call", SOON, |card| card.state == CallState::Ringing).call;
    let kept = wish(&mut house, ReminderWish::Add(form("Post", 500))).unwrap();
    house.client.wait("the reminder beside the call", SOON, is_due(kept.id));
    // Two periods of the ring tone later nothing but the ring is heard.
    let at = Recording::read(&rings).map_or(0.0, |heard| heard.seconds());
    wait::until("the ring tone", SOON, || (Recording::read(&rings)?.seconds() > at + 8.0).then_some(()));
    assert_eq!(chimes(&rings), 0);
    phone.hang_up();
    house.client.wait_gone(call, SOON);
    wait_chimes(&rings, 1);
}
