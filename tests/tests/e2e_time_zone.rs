//! The time zone of the house, with real programs whose own is another one: the desk opens and closes by it, the screen and the
//! command line show it, and another one that is chosen on the administrator's page is that of both once the desk has started
//! anew.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::process::Command;
use std::time::Duration;

use chrono::{DateTime, Local, TimeDelta, TimeZone, Timelike, Utc};
use frontdesk_tests::desk::NO_TIMERS;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::office::{NAME, SECRET};
use frontdesk_tests::picture::Area;
use frontdesk_tests::repository;
use frontdesk_tests::screen::Screen;
use ipc::{Reminder, ServiceMode, View};

const SOON: Duration = Duration::from_secs(15);
/// A farewell to every peer and the pause before it; a screen that starts.
const STARTED_ANEW: Duration = Duration::from_secs(40);

/// The clock of the screen.
const CLOCK: Area = Area { x: 1090, y: 0, width: 190, height: 82 };

/// Zones far from each other in which every day of the year has the same offset, in minutes.
const ZONES: [(&str, i64); 3] = [("Asia/Tokyo", 540), ("Asia/Kolkata", 330), ("America/Bogota", -300)];

/// Two of them that are not that of this machine, nor near it.
fn two_zones() -> [(&'static str, i64); 2] {
    let own = i64::from(Local::now().offset().local_minus_utc()) / 60;
    let apart = |minutes: i64| (minutes - own).rem_euclid(1440).min((own - minutes).rem_euclid(1440));
    let mut far = ZONES.into_iter().filter(|(_, minutes)| apart(*minutes) > 150);
    [far.next().unwrap(), far.next().unwrap()]
}

fn now_in(minutes: i64) -> DateTime<Utc> {
    Utc::now() + TimeDelta::minutes(minutes)
}

/// A house that is always open but for the hour around what the clock shows there now.
fn closed_now_in((name, minutes): (&str, i64)) -> String {
    let now = now_in(minutes);
    let minute = now.hour() * 60 + now.minute();
    let time = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let days = r#"["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]"#;
    let parts = [(0, minute.saturating_sub(30)), ((minute + 30).min(1440), 1440)];
    let rows = parts.into_iter().filter(|(from, until)| from < until).map(|(from, until)| {
        format!("[[timetable.open]]\ndays = {days}\nfrom = \"{}\"\nuntil = \"{}\"\n", time(from), time(until))
    });
    format!("[clock]\ntime_zone = \"{name}\"\n{}", rows.collect::<String>())
}

fn lives_in(zone: &str, mode: ServiceMode) -> impl Fn(&View) -> bool {
    move |view| view.time_zone == zone && view.service.mode == mode && !view.service.by_hand
}

/// Waits until the screen shows what the clock shows there.
#[track_caller]
fn shows(screen: &mut Screen, (name, minutes): (&str, i64)) {
    screen.wait(&format!("the time of {name}"), STARTED_ANEW, |picture| {
        let now = now_in(minutes);
        let read: String = picture.text(CLOCK).chars().filter(char::is_ascii_digit).collect();
        // The minute may have gone while it was read.
        let times = [now, now - TimeDelta::minutes(1)].map(|at| format!("{}{:02}", at.hour(), at.minute()));
        times.iter().any(|time| read.contains(time)).then_some(())
    });
}

#[test]
fn app_2_ovf_1_rem_1_desk_screen_and_command_line_live_in_the_time_zone_that_is_set() {
    let [first, second] = two_zones();
    let mut house = House::build_with(Digest::Md5, &format!("{NO_TIMERS}{}", closed_now_in(first)));
    house.client.wait("night by the clock of the house", SOON, lives_in(first.0, ServiceMode::Night));
    let mut screen = house.screen();
    shows(&mut screen, first);

    // A zone that is not there is refused, and nothing changes.
    let (mut browser, _address) = house.administered(NAME, SECRET);
    house.client.wait("night after a start", SOON, lives_in(first.0, ServiceMode::Night));
    browser.press("Clock");
    browser.sees(first.0);
    browser.fill("Time zone", "Europe/Atlantis");
    browser.press("Save");
    browser.sees("This machine knows no time zone of that name.");

    // Another one counts once the desk has started anew, and for the screen as well.
    browser.fill("Time zone", second.0);
    browser.wait_text("the time there", SOON, |text| text.contains("There it is now: "));
    browser.press("Save");
    browser.sees("The desk starts anew in this time zone as soon as no call is up");
    assert_eq!(
        house.desk.program.wait(STARTED_ANEW).code(),
        Some(75),
        "whoever watches over it starts it anew"
    );
    house.desk.start_again();
    house.client = house.desk.client();
    house.client.wait("day by the other clock", SOON, lives_in(second.0, ServiceMode::Day));
    shows(&mut screen, second);
    assert_eq!(screen.program.exit_status(), None, "it is the same process");

    let kept = house.desk.ctl(&["remind", "2035-03-15 09:00", "Spring"]);
    let kept: Reminder = serde_json::from_value(kept[0]["Reminder"].clone()).unwrap();
    let there = Utc.with_ymd_and_hms(2035, 3, 15, 9, 0, 0).unwrap() - TimeDelta::minutes(second.1);
    assert_eq!(kept.what.due_unix_ms, there.timestamp_millis());
}

#[test]
fn app_5_a_settings_file_with_an_unknown_time_zone_is_refused_and_one_that_is_known_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let (config, file) = (folder.path().join("frontdesk.toml"), folder.path().join("settings.toml"));
    fs::write(&config, format!("store = {:?}\n", folder.path().join("desk.db"))).unwrap();
    let settings = |arguments: &[&str]| {
        let mut command = Command::new(repository::program("frontdeskd"));
        let output = command.arg("--config").arg(&config).arg("settings").args(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.success(), said.concat())
    };
    let path = file.to_str().unwrap();
    fs::write(&file, "[clock]\ntime_zone = \"Asia/Tokyo\"\n").unwrap();
    assert!(settings(&["import", path]).0);
    fs::write(&file, "[clock]\ntime_zone = \"Europe/Atlantis\"\n").unwrap();
    let (is_taken, said) = settings(&["import", path]);
    let words =
        "settings.toml:2: clock time_zone: \"Europe/Atlantis\" is no time zone that this machine knows";
    assert!(!is_taken && said.contains(words), "{said}");
    let (_, exported) = settings(&["export"]);
    assert!(exported.contains("[clock]\ntime_zone = \"Asia/Tokyo\"\n"), "{exported}");
}
