//! The call log (LOG-1, LOG-2): its dates, what of it is shown and in which order, its search, all that is known of a call.

use chrono::{Datelike, Local, NaiveDate, Weekday};
use frontdesk_ui::dates::{self, Span, Stretch};
use frontdesk_ui::screen::{Calendar, Desk, Directory, Log, LogDetails, LogWord, Menu, Screen, SearchState};
use frontdesk_ui::{keys, scenes};
use i_slint_backend_testing::ElementHandle;
use ipc::{Command, Direction, EndStatus, LogOrder, LogPage, LogQuery, LogRow, LogSort, View};
use slint::platform::{Key, PointerEventButton};
use slint::{ComponentHandle, Model};

use crate::hands::Stage;

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn today() -> NaiveDate {
    Local::now().date_naive()
}

fn days_ago(days: i64) -> NaiveDate {
    dates::moved(today(), -days)
}

/// A desk with its log in front.
fn with_log() -> Stage {
    let stage = Stage::with(scenes::picture());
    stage.tap(stage.middle("Log"));
    stage.log_asked();
    stage.commands();
    stage
}

/// Of which day the log was asked last.
fn day_asked(stage: &Stage) -> (i64, i64) {
    let asked = stage.log_asked();
    let last = asked.last().unwrap_or_else(|| panic!("the log was not asked"));
    (last.from_unix_ms, last.until_unix_ms)
}

fn bounds(day: NaiveDate) -> (i64, i64) {
    Stretch::with(Span::Day, day).bounds(&Local)
}

/// As the bar has a day.
fn on_the_bar(day: NaiveDate) -> String {
    let weekday = WEEKDAYS[day.weekday().num_days_from_sunday() as usize];
    format!("{} {} {} {}", &weekday[..3], day.day(), &MONTHS[day.month0() as usize][..3], day.year())
}

/// As the calendar has it.
pub(crate) fn in_the_calendar(day: NaiveDate) -> String {
    let age = (today() - day).num_days();
    let has_calls = age == 0 || age > 0 && age != 2 && day.weekday() != Weekday::Sun;
    format!(
        "{} {} {} {}{}{}",
        WEEKDAYS[day.weekday().num_days_from_sunday() as usize],
        day.day(),
        MONTHS[day.month0() as usize],
        day.year(),
        if age == 0 { ", today" } else { "" },
        if has_calls { ", has calls" } else { "" },
    )
}

fn names(stage: &Stage) -> Vec<String> {
    let rows = stage.app.global::<Log>().get_rows();
    rows.iter().map(|row| if row.name.is_empty() { row.number } else { row.name }.to_string()).collect()
}

fn calendar_is_open(stage: &Stage) -> bool {
    stage.app.global::<Calendar>().get_open()
}

#[test]
fn log_2_single_arrows_move_a_day_double_arrows_a_week_and_nothing_lies_ahead() {
    let stage = with_log();
    assert!(stage.has(&on_the_bar(today())));
    for (button, ago) in [
        ("A day back", 1),
        ("A week back", 8),
        ("A day on", 7),
        ("A week on", 0),
        ("A week back", 7),
        ("Today", 0),
    ] {
        stage.tap(stage.middle(button));
        assert_eq!(day_asked(&stage), bounds(days_ago(ago)), "{button}");
        assert!(stage.has(&on_the_bar(days_ago(ago))), "{button}");
    }
    for button in ["A day on", "A week on", "Today"] {
        stage.tap(stage.middle(button));
        assert!(stage.log_asked().is_empty(), "{button} goes ahead of today");
    }
    stage.tap(stage.middle("A day back"));
    stage.tap(stage.middle("A week on"));
    assert_eq!(day_asked(&stage), bounds(today()), "a week on from yesterday is today");
}

#[test]
fn log_2_a_tap_on_the_date_opens_a_calendar_and_a_day_of_it_is_shown() {
    let stage = with_log();
    stage.tap(stage.middle(&on_the_bar(today())));
    assert!(calendar_is_open(&stage) && stage.has(&in_the_calendar(today())));
    // A day that has not come cannot be taken.
    let tomorrow = dates::moved(today(), 1);
    stage.tap(stage.middle(&in_the_calendar(tomorrow)));
    assert!(calendar_is_open(&stage) && stage.log_asked().is_empty());
    stage.tap(stage.middle("A month back"));
    let first = dates::months_later(today(), -1, today()).with_day(1).unwrap();
    let day = stage.find(&in_the_calendar(first)).size();
    assert!(day.width >= 48. && day.height >= 48., "{day:?}");
    stage.tap(stage.middle(&in_the_calendar(first)));
    assert!(!calendar_is_open(&stage));
    assert_eq!(day_asked(&stage), bounds(first));
    assert!(stage.has(&on_the_bar(first)));
    // It opens where one is.
    stage.tap(stage.middle(&on_the_bar(first)));
    let global = stage.app.global::<Calendar>();
    assert_eq!((global.get_month(), global.get_year()), (first.month() as i32, first.year()));
    let chosen = global.get_days().iter().filter(|day| day.chosen).count();
    assert_eq!((chosen, global.get_days().row_count(), global.get_numbers().row_count()), (1, 42, 6));
    stage.tap(stage.middle("A year back"));
    assert_eq!(global.get_year(), first.year() - 1);
    stage.tap(stage.top("Today"));
    assert_eq!(day_asked(&stage), bounds(today()));
}

#[test]
fn log_2_on_a_wide_screen_the_calendar_stands_below_its_date() {
    let stage = with_log();
    stage.app.window().set_size(slint::LogicalSize::new(1920., 1080.));
    stage.settle();
    let date = stage.middle(&on_the_bar(today()));
    stage.tap(date);
    assert!(calendar_is_open(&stage));
    let calendar = stage.middle("Calendar");
    assert!((date.x - calendar.x).abs() < 1., "{date:?} {calendar:?}");
}

#[test]
fn log_2_the_calendar_leaves_by_a_touch_beside_it_and_by_its_button() {
    let stage = with_log();
    for way in ["beside", "button"] {
        stage.tap(stage.middle(&on_the_bar(today())));
        assert!(calendar_is_open(&stage));
        match way {
            "beside" => stage.tap(slint::LogicalPosition::new(560., 700.)),
            _ => stage.tap(stage.middle("Cancel")),
        }
        assert!(!calendar_is_open(&stage), "{way}");
    }
    assert!(stage.log_asked().is_empty() && stage.commands().is_empty());
}

#[test]
fn log_2_all_of_it_by_keys() {
    let stage = Stage::with(scenes::picture());
    stage.control("l");
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Log);
    stage.key(Key::LeftArrow);
    assert_eq!(day_asked(&stage), bounds(days_ago(1)));
    stage.key(Key::RightArrow);
    assert_eq!(day_asked(&stage), bounds(today()));
    // The menu of the log: the last rows are the calendar, today, a week back and on.
    let menu = |stage: &Stage, ups: usize| {
        stage.key(Key::F1);
        (0..ups).for_each(|_| stage.key(Key::UpArrow));
        stage.key(Key::Return);
    };
    menu(&stage, 2);
    assert_eq!(day_asked(&stage), bounds(days_ago(7)));
    menu(&stage, 3);
    assert_eq!(day_asked(&stage), bounds(today()));
    menu(&stage, 4);
    assert!(calendar_is_open(&stage));
    for key in [Key::UpArrow, Key::LeftArrow, Key::RightArrow, Key::Return] {
        stage.key(key);
    }
    assert!(!calendar_is_open(&stage));
    assert_eq!(day_asked(&stage), bounds(days_ago(7)));
    menu(&stage, 4);
    stage.key(Key::PageUp);
    stage.key(Key::PageUp);
    stage.key(Key::PageDown);
    stage.key(Key::Home);
    stage.key(Key::Return);
    assert_eq!(day_asked(&stage), bounds(today()), "Home is today");
    menu(&stage, 4);
    stage.key(Key::PageUp);
    stage.key(Key::Escape);
    assert!(!calendar_is_open(&stage) && stage.log_asked().is_empty());
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Log, "one step at a time");
    stage.key(Key::Escape);
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Directory);
    assert_eq!(stage.commands(), []);
}

#[test]
fn log_2_chips_filter_by_direction_and_end_and_say_how_many_there_are() {
    let stage = with_log();
    let counts = |stage: &Stage| -> Vec<i32> {
        stage.app.global::<Log>().get_chips().iter().map(|chip| chip.count).collect()
    };
    // All, incoming, outgoing, answered, missed, passed on, not taken, failed.
    assert_eq!(counts(&stage), [11, 7, 4, 3, 2, 2, 3, 1]);
    assert_eq!(stage.find("Missed calls").accessible_value().unwrap(), "2");
    stage.tap(stage.middle("Missed calls"));
    assert_eq!(stage.log_asked().last().unwrap().ends, [EndStatus::Missed]);
    assert_eq!(names(&stage), ["Helena Brandt", "Atelier Lumière"]);
    stage.tap(stage.middle("Calls not taken"));
    let ends = [EndStatus::Missed, EndStatus::Rejected, EndStatus::Refused, EndStatus::NotAnswered];
    assert_eq!(stage.log_asked().last().unwrap().ends, ends);
    stage.tap(stage.middle("Outgoing calls"));
    assert_eq!(stage.log_asked().last().unwrap().directions, [Direction::Outgoing]);
    assert_eq!(names(&stage), ["+44 20 7946 0991", "Emma Schneider"]);
    stage.tap(stage.middle("Calls not taken"));
    // Nobody misses a call that goes out.
    assert!(names(&stage).is_empty() && stage.has("No such calls on this day"));
    stage.tap(stage.top("All calls"));
    assert_eq!(names(&stage).len(), 11);
    assert_eq!(counts(&stage)[0], 11);
}

#[test]
fn log_2_filters_by_keys() {
    let stage = Stage::with(scenes::picture());
    stage.control("l");
    stage.key(Key::F1);
    // Sort by…, All calls, Incoming, Outgoing.
    (0..3).for_each(|_| stage.key(Key::DownArrow));
    stage.key(Key::Return);
    assert_eq!(stage.log_asked().last().unwrap().directions, [Direction::Outgoing]);
    assert_eq!(names(&stage).len(), 4);
}

#[test]
fn log_2_by_a_key_the_menu_stands_at_the_button_that_sorts() {
    let stage = Stage::with(scenes::picture());
    let menu = stage.app.global::<Menu>();
    stage.control("l");
    stage.key(Key::F1);
    assert!(menu.get_open());
    let by_key = (menu.get_x(), menu.get_y());
    stage.key(Key::Escape);
    stage.tap(stage.middle("Sort the log"));
    assert!(menu.get_open());
    assert_eq!(by_key, (menu.get_x(), menu.get_y()));
    // It stays within its pane: the rail beside it is not covered, whatever the size of the screen.
    for (width, height) in [(1280., 800.), (1920., 1080.)] {
        stage.key(Key::Escape);
        stage.app.window().set_size(slint::LogicalSize::new(width, height));
        stage.settle();
        let rail = stage.find("Statistics").absolute_position().x;
        stage.tap(stage.middle("Sort the log"));
        assert!(menu.get_open());
        assert!(menu.get_x() + 392. <= rail, "{} {rail}", menu.get_x());
        assert!(menu.get_x() > stage.app.get_calls_width());
    }
}

#[test]
fn log_2_it_is_sorted_by_several_criteria() {
    let stage = with_log();
    let sort_by = |criterion: &str| {
        stage.tap(stage.middle("Sort the log"));
        assert!(stage.has("Sort by"), "the menu says what it is for");
        stage.tap(stage.top(criterion));
        stage.log_asked().last().unwrap().sort.clone()
    };
    let by = |by, descending| LogSort { by, descending };
    assert_eq!(sort_by("Talk time"), [by(LogOrder::Talk, true), by(LogOrder::When, true)]);
    assert_eq!(names(&stage)[..2], ["Nadia Okafor", "Marie Laurent"]);
    assert_eq!(
        sort_by("Line"),
        [by(LogOrder::Line, false), by(LogOrder::Talk, true), by(LogOrder::When, true)],
        "what was first is second"
    );
    assert_eq!(names(&stage)[0], "Marie Laurent", "of the main line the longest");
    assert!(stage.app.global::<Log>().get_sorted());
    assert_eq!(sort_by("Line")[0], by(LogOrder::Line, true), "once more: the other way");
    assert_eq!(sort_by("Name")[0], by(LogOrder::Whom, false));
    // By keys, from the menu of the log.
    stage.control("l");
    stage.key(Key::F1);
    stage.key(Key::Return);
    (0..4).for_each(|_| stage.key(Key::DownArrow));
    stage.key(Key::Return);
    assert_eq!(stage.log_asked().last().unwrap().sort[0], by(LogOrder::Hold, true));
    assert_eq!(names(&stage)[0], "Tomás Rivera");
}

#[test]
fn log_2_the_search_hides_highlights_and_colours_as_that_of_a_directory() {
    let stage = with_log();
    let log = stage.app.global::<Log>();
    stage.key(Key::F3);
    stage.write("ri");
    assert_eq!((log.get_search(), log.get_total(), log.get_cursor()), (SearchState::Hits, 2, 0));
    assert!(stage.has("2 matches"));
    stage.write("v");
    assert_eq!(names(&stage), ["Tomás Rivera"]);
    stage.write("x");
    assert_eq!((log.get_search(), log.get_cursor()), (SearchState::None, -1));
    assert!(stage.has("No match") && stage.has("Nothing matches “rivx”"));
    stage.key(Key::Escape);
    assert_eq!(
        (log.get_search(), log.get_query().as_str(), names(&stage).len()),
        (SearchState::Idle, "", 11)
    );
    // The cross clears as well; the arrows move among what is found while one types.
    stage.key(Key::F3);
    stage.write("ri");
    stage.key(Key::DownArrow);
    assert_eq!(log.get_cursor(), 1);
    stage.tap(stage.top("Clear the field"));
    assert_eq!((log.get_search(), log.get_query().as_str()), (SearchState::Idle, ""));
    assert_eq!(stage.commands(), []);
}

#[test]
fn log_2_an_empty_day_leads_to_the_last_one_with_calls() {
    let stage = with_log();
    stage.tap(stage.middle("A day back"));
    stage.tap(stage.middle("A day back"));
    assert!(stage.has("No calls on this day"));
    stage.log_asked();
    stage.tap(stage.middle("Go to the previous day with calls"));
    assert_eq!(day_asked(&stage), bounds(days_ago(3)));
}

#[test]
fn log_1_a_row_says_its_direction_and_end_and_local_matches_are_bold() {
    let stage = with_log();
    // Helena Brandt rings as well: the row of the log comes after the card.
    let said = |who: &str| {
        let named = ElementHandle::find_by_accessible_label(&stage.app, who);
        named.filter_map(|element| element.accessible_description()).last().unwrap().to_string()
    };
    assert_eq!(said("Helena Brandt"), "incoming, Missed");
    assert_eq!(said("Emma Schneider"), "outgoing, Refused");
    assert_eq!(said("Tomás Rivera"), "incoming, Transferred");
    let rows = stage.app.global::<Log>().get_rows();
    let bold: Vec<bool> = rows.iter().map(|row| row.local).collect();
    assert_eq!(bold[..4], [false, true, true, false]);
}

#[test]
fn log_1_the_second_line_of_a_row_begins_below_its_name() {
    // With letters as they are drawn: an empty text is as wide as a space there.
    let stage = Stage::drawn(scenes::picture());
    stage.tap(stage.middle("Log"));
    let rows = ElementHandle::find_by_accessible_label(&stage.app, "Helena Brandt");
    let is_row =
        |row: &ElementHandle| row.accessible_description().is_some_and(|it| it == "incoming, Missed");
    let row = rows.filter(is_row).last().unwrap();
    let (corner, height) = (row.absolute_position(), row.size().height);
    let left = |words: &str| {
        let places =
            ElementHandle::find_by_accessible_label(&stage.app, words).map(|it| it.absolute_position());
        let mut within = places.filter(|at| at.x > corner.x && at.y >= corner.y && at.y < corner.y + height);
        within.next().unwrap_or_else(|| panic!("the row has no {words:?}")).x
    };
    let (name, number) = (left("Helena Brandt"), left("+49 30 5557 0142"));
    assert!((name - number).abs() < 0.5, "{name} {number}");
}

#[test]
fn log_1_all_that_is_known_of_a_call_is_there_by_touches() {
    let stage = with_log();
    stage.tap(stage.middle("Details of the call"));
    let details = stage.app.global::<LogDetails>();
    assert!(details.get_open());
    assert!(stage.has("Number: +49 30 5557 0142") && stage.has("No answer: nobody took it"));
    assert!(stage.has("Incoming call · Missed") && !stage.has("Contact"));
    stage.tap(stage.top("Call back"));
    let dial = |number: &str| Command::Dial { number: number.into(), line: None };
    assert_eq!(stage.commands(), [dial("+49 30 5557 0142")]);
    stage.tap(stage.middle("The call below"));
    stage.tap(stage.middle("The call below"));
    for words in [
        "Answered after: 4.0 s",
        "Talk time: 0:31",
        "Time on hold: 2:38",
        "Ingrid Solberg: answered",
        "Line: Main line · 5550000",
    ] {
        assert!(stage.has(words), "{words}");
    }
    assert!(stage.has("Quality: fine, 4.3 of 5"));
    stage.tap(stage.middle("The call above"));
    assert_eq!(details.get_item().name, "Marie Laurent");
    // Something was wrong with it, which can still be said.
    stage.tap(stage.top("Report a problem"));
    assert_eq!(stage.commands(), [Command::MarkLoggedCall { id: 2 }]);
    stage.answer(Ok(()));
    stage.tap(stage.top("Contact"));
    assert!(matches!(stage.commands()[..], [Command::ShowDirectory { .. }]));
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Directory);
    let directory = stage.app.global::<Directory>();
    assert!(directory.get_cursor() >= 0, "the contact is marked");
    stage.tap(stage.middle("Log"));
    assert!(!details.get_open(), "it is closed when one comes back");
    stage.tap(stage.middle("Details of the call"));
    stage.tap(stage.middle("Back to the log"));
    assert!(!details.get_open());
}

#[test]
fn log_1_all_that_is_known_of_a_call_is_there_by_keys() {
    let stage = Stage::with(scenes::picture());
    stage.control("l");
    let (log, details) = (stage.app.global::<Log>(), stage.app.global::<LogDetails>());
    (0..6).for_each(|_| stage.key(Key::DownArrow));
    assert_eq!(log.get_cursor(), 5);
    stage.key(Key::Return);
    assert!(details.get_open());
    assert!(stage.has("Quality: poor, 3.1 of 5"));
    assert!(stage.has("Incoming call · Answered, Problem reported"), "the operator has said so");
    assert!(stage.has("David Moreau: busy, back with you"));
    stage.key(Key::UpArrow);
    assert_eq!((details.get_item().number.as_str(), log.get_cursor()), ("+44 20 7946 0991", 4));
    stage.key(Key::Return);
    assert_eq!(stage.commands(), [Command::Dial { number: "+44 20 7946 0991".into(), line: None }]);
    stage.key(Key::Escape);
    assert!(!details.get_open());
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Log);
    // The keys of calls mean what is in front, nobody who is hidden.
    stage.key(Key::Home);
    stage.key(Key::Insert);
    assert_eq!(stage.commands(), [Command::Dial { number: "+49 30 5557 0142".into(), line: None }]);
    stage.key("/");
    assert!(stage.app.global::<Menu>().get_open());
    stage.key(Key::Escape);
    stage.key(Key::End);
    assert_eq!(log.get_cursor(), 10);
    // Back among the calls the arrows move there.
    stage.key(keys::CLEAR);
    stage.key(Key::DownArrow);
    assert_eq!(log.get_cursor(), 10);
}

#[test]
fn log_1_a_call_without_a_number_is_not_called_back() {
    let stage = with_log();
    let rows = stage.app.global::<Log>().get_rows();
    let at = rows.iter().position(|row| row.number.is_empty()).unwrap();
    stage.control("l");
    (0..=at).for_each(|_| stage.key(Key::DownArrow));
    stage.key(Key::Insert);
    stage.key(Key::Return);
    stage.tap(stage.top("Call back"));
    assert_eq!(stage.commands(), []);
}

#[test]
fn log_2_the_missed_counter_shows_missed_calls_only() {
    let stage = Stage::with(scenes::empty());
    stage.tap(stage.middle("1 missed call"));
    let on: Vec<LogWord> =
        stage.app.global::<Log>().get_chips().iter().filter(|chip| chip.on).map(|chip| chip.word).collect();
    assert_eq!(on, [LogWord::Missed]);
    assert_eq!(stage.log_asked().last().unwrap().ends, [EndStatus::Missed]);
}

/// The log of the scenes, and a call that has just ended above it.
fn one_more(query: &LogQuery) -> LogPage {
    let mut page = scenes::log_page(query);
    let newest = LogRow { id: 900, ..page.rows[8].clone() };
    page.rows.insert(0, newest);
    page.total += 1;
    page
}

/// More calls than are asked for at once.
fn many(query: &LogQuery) -> LogPage {
    let one = scenes::log_page(&LogQuery { offset: 0, ..query.clone() }).rows.remove(0);
    let rows = (0..1_250).map(|at| LogRow { id: 1_000 + at, ..one.clone() });
    let rows = rows.skip(query.offset as usize).take(query.limit as usize).collect();
    LogPage { total: 1_250, offset: query.offset, rows, ..LogPage::default() }
}

/// A call was missed meanwhile: the log is asked again.
fn missed(stage: &Stage, generation: u64) {
    let mut view = View { generation, ..scenes::empty() };
    view.counters.missed += u32::try_from(generation).unwrap();
    stage.show(view);
}

#[test]
fn log_1_what_a_finger_does_is_done_to_the_call_that_it_went_down_on() {
    let stage = Stage::with(scenes::empty());
    stage.tap(stage.middle("Log"));
    let place = stage.spot("Helena Brandt");
    stage.tap(place);
    stage.log_by(one_more);
    missed(&stage, 2);
    assert_eq!(names(&stage)[..2], ["Holm & Søn A/S", "Helena Brandt"]);
    stage.tap(place);
    assert_eq!(stage.commands(), [], "no double-tap: somebody else stands there now");
    stage.wait(600);
    let telephone = stage.middle("Call back");
    stage.press(telephone, PointerEventButton::Left);
    stage.log_by(scenes::log_page);
    missed(&stage, 3);
    stage.release(telephone, PointerEventButton::Left);
    assert_eq!(names(&stage)[0], "Helena Brandt");
    assert_eq!(stage.commands(), [], "the finger went down on another");
    stage.tap(telephone);
    let dial = Command::Dial { number: "+49 30 5557 0142".into(), line: None };
    assert_eq!(stage.commands(), std::slice::from_ref(&dial));
    stage.wait(600);
    stage.double_tap(place);
    assert_eq!(stage.commands(), [dial]);
}

#[test]
fn log_1_two_taps_on_call_back_make_one_call() {
    let stage = Stage::with(scenes::empty());
    stage.tap(stage.middle("Log"));
    let dial = Command::Dial { number: "+49 30 5557 0142".into(), line: None };
    stage.double_tap(stage.middle("Call back"));
    assert_eq!(stage.commands(), std::slice::from_ref(&dial));
    stage.tap(stage.middle("Details of the call"));
    stage.double_tap(stage.top("Call back"));
    assert_eq!(stage.commands(), [dial]);
}

#[test]
fn log_2_a_call_that_ends_leaves_the_list_as_long_as_it_is() {
    let stage = Stage::with(scenes::empty());
    stage.log_by(many);
    stage.tap(stage.middle("Log"));
    let log = stage.app.global::<Log>();
    log.invoke_need_more();
    stage.settle();
    assert_eq!(log.get_rows().row_count(), 200);
    assert_eq!(log.get_total_text(), "1,250", "as the directory counts its contacts");
    stage.log_asked();
    missed(&stage, 2);
    assert_eq!(stage.log_asked().last().unwrap().limit, 200);
    assert_eq!(log.get_rows().row_count(), 200);
    // Other calls begin at the first.
    stage.tap(stage.middle("Missed calls"));
    assert_eq!(stage.log_asked().last().unwrap().limit, 100);
}
