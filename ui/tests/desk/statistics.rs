//! Statistics of a day or a week (STA-1).

use chrono::{Local, NaiveDate};
use frontdesk_ui::dates::{self, Span, Stretch};
use frontdesk_ui::link::Event;
use frontdesk_ui::scenes;
use frontdesk_ui::screen::{
    Calendar, DateSpan, Desk, Panes, Screen, StatTile, StatTileKind, Statistics as Shown,
};
use ipc::{CallStatistics, Language, Statistics, StatisticsQuery};
use slint::platform::Key;
use slint::{ComponentHandle, Model};

use crate::hands::Stage;
use crate::log::in_the_calendar;

fn today() -> NaiveDate {
    Local::now().date_naive()
}

fn day(ago: i64) -> Stretch {
    Stretch::with(Span::Day, dates::moved(today(), -ago))
}

fn week(ago: i64) -> Stretch {
    Stretch::with(Span::Week, dates::moved(today(), -7 * ago))
}

/// A desk with its statistics in front.
fn with_figures() -> Stage {
    let stage = Stage::with(scenes::empty());
    stage.tap(stage.middle("Statistics"));
    stage
}

/// What the figures were asked of last.
fn asked(stage: &Stage) -> Vec<i64> {
    stage.figures_asked().pop().map(|query| query.edges_unix_ms).unwrap_or_default()
}

fn told(stretch: Stretch) -> CallStatistics {
    let query = StatisticsQuery { edges_unix_ms: stretch.hours(&Local), before_unix_ms: None };
    scenes::statistics(&query).told
}

#[test]
fn sta_1_a_day_is_told_with_its_figures_and_what_they_were_before() {
    let stage = with_figures();
    let query = stage.figures_asked().pop().unwrap();
    assert_eq!(query.edges_unix_ms, day(0).hours(&Local));
    let (from, until) = query.before_unix_ms.unwrap();
    assert_eq!(from, day(1).bounds(&Local).0);
    assert!(until <= day(1).bounds(&Local).1, "no more than has gone by of today");
    let figures = told(day(0)).all;
    let before = scenes::statistics(&query).before.unwrap().all;
    let words = format!("Calls in: {}, {} yesterday by now", figures.incoming, before.incoming);
    assert!(stage.has(&words), "{words}");
    // Each column carries its figures.
    let ten = told(day(0))
        .slots
        .into_iter()
        .find(|slot| slot.from_unix_ms == day(0).bounds(&Local).0 + 10 * 3_600_000);
    let ten = ten.unwrap().counts;
    let other = ten.incoming - ten.answered - ten.missed;
    let column = format!(
        "10:00 – 11:00: {} answered here, {} missed, {other} other incoming",
        ten.answered, ten.missed
    );
    let shown = stage.app.global::<Shown>();
    assert!(labels(&stage).iter().any(|label| label.starts_with(&column)), "{column}: {:?}", labels(&stage));
    assert_eq!((shown.get_days().row_count(), shown.get_tiles().row_count()), (0, 8));
    // An hour of 26 calls or so is the highest: the scale ends above it.
    assert!(shown.get_hours().iter().all(|bar| bar.total <= shown.get_hours_top()));
    let busiest = shown.get_lines().row_data(0).unwrap();
    assert_eq!((busiest.name.as_str(), busiest.incoming), ("Main line", (figures.incoming * 6 / 10) as i32));
}

/// What is read out.
fn labels(stage: &Stage) -> Vec<String> {
    let mut labels = Vec::new();
    let query = i_slint_backend_testing::ElementQuery::from_root(&stage.app);
    query.match_descendants().match_predicate(|_| true).find_all().iter().for_each(|element| {
        labels.extend(element.accessible_label().map(|label| label.to_string()));
    });
    labels
}

#[test]
fn sta_1_a_difference_without_room_gives_way_to_what_was_before() {
    let stage = with_figures();
    let tile = StatTile {
        kind: StatTileKind::Talk,
        value: "1008:08:08".into(),
        before: "96:04:04".into(),
        difference: "+912:04:04".into(),
    };
    let tiles = slint::ModelRc::new(slint::VecModel::from(vec![tile]));
    stage.app.global::<Shown>().set_tiles(tiles);
    stage.settle();
    assert!(stage.has("before: 96:04:04"), "{:?}", labels(&stage));
}

#[test]
fn sta_1_dates_move_as_in_the_log_by_touches() {
    let stage = with_figures();
    stage.figures_asked();
    for (button, ago) in [("A day back", 1), ("A week back", 8), ("A day on", 7), ("A week on", 0)] {
        stage.tap(stage.middle(button));
        assert_eq!(asked(&stage), day(ago).hours(&Local), "{button}");
    }
    stage.tap(stage.middle("A day on"));
    assert!(stage.figures_asked().is_empty(), "nothing lies ahead");
    stage.tap(stage.middle("Week"));
    assert_eq!(asked(&stage), week(0).hours(&Local));
    assert!(!stage.has("A day back"), "a week moves by weeks");
    stage.tap(stage.middle("A week back"));
    assert_eq!(asked(&stage), week(1).hours(&Local));
    assert_eq!(stage.app.global::<Shown>().get_days().row_count(), 7);
    stage.tap(stage.middle("This week"));
    assert_eq!(asked(&stage), week(0).hours(&Local));
    stage.tap(stage.top("Day"));
    assert_eq!(asked(&stage), day(0).hours(&Local), "of this week today");
}

#[test]
fn sta_1_a_week_is_chosen_in_the_calendar() {
    let stage = with_figures();
    stage.tap(stage.middle("Week"));
    stage.figures_asked();
    let label = labels(&stage).into_iter().find(|label| label.contains("week ") && label.contains(" – "));
    stage.tap(stage.middle(&label.unwrap()));
    let calendar = stage.app.global::<Calendar>();
    assert!(calendar.get_open() && calendar.get_weeks());
    assert_eq!(calendar.get_begins(), 1, "whole weeks begin on Monday");
    assert!(calendar.get_days().iter().filter(|day| day.chosen).count() == 7);
    stage.tap(stage.middle("A month back"));
    let first = dates::months_later(today(), -1, today());
    stage.tap(stage.middle(&in_the_calendar(first)));
    assert_eq!(asked(&stage), Stretch::with(Span::Week, first).hours(&Local));
    assert!(!calendar.get_open());
}

#[test]
fn sta_1_all_of_it_by_keys() {
    let stage = Stage::with(scenes::picture());
    stage.control("g");
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Statistics);
    assert_eq!(asked(&stage), day(0).hours(&Local));
    stage.key(Key::LeftArrow);
    assert_eq!(asked(&stage), day(1).hours(&Local));
    stage.key(Key::RightArrow);
    assert_eq!(asked(&stage), day(0).hours(&Local));
    // Its menu: a day, a week, charts, tables, and the dates.
    let menu = |steps: usize| {
        stage.key(Key::F1);
        (0..steps).for_each(|_| stage.key(Key::DownArrow));
        stage.key(Key::Return);
    };
    menu(1);
    assert_eq!(asked(&stage), week(0).hours(&Local));
    stage.key(Key::LeftArrow);
    assert_eq!(asked(&stage), week(1).hours(&Local), "a week by the arrows");
    menu(3);
    assert!(stage.app.global::<Shown>().get_tables());
    menu(2);
    assert!(!stage.app.global::<Shown>().get_tables());
    menu(4);
    assert!(stage.app.global::<Calendar>().get_open());
    stage.key(Key::UpArrow);
    stage.key(Key::Return);
    assert_eq!(asked(&stage), week(2).hours(&Local));
    let place = |stage: &Stage| stage.find("Calls by hour, all days together").absolute_position().y;
    let top = place(&stage);
    stage.key(Key::PageDown);
    let below = place(&stage);
    assert!(below < top - 100., "it scrolls: {top} {below}");
    stage.key(Key::Home);
    assert_eq!(place(&stage), top);
    // A hidden contact is not called.
    stage.key(Key::Insert);
    stage.key(Key::Return);
    assert_eq!(stage.commands(), []);
    stage.key(Key::Escape);
    assert_eq!(stage.app.global::<Desk>().get_screen(), Screen::Directory);
}

#[test]
fn sta_1_tables_say_what_the_charts_say() {
    let stage = with_figures();
    stage.control("g");
    // All that is told of hours, wherever one has to scroll.
    let of = |stage: &Stage| {
        let mut columns = std::collections::BTreeSet::new();
        stage.key(Key::Home);
        for _ in 0..12 {
            columns.extend(labels(stage).into_iter().filter(|label| label.contains(" other incoming, ")));
            stage.key(Key::DownArrow);
        }
        columns
    };
    let charts = of(&stage);
    assert!(charts.len() >= 10, "{charts:?}");
    stage.key(Key::Home);
    stage.tap(stage.middle("Tables"));
    assert_eq!(of(&stage), charts);
    stage.tap(stage.middle("Charts"));
    assert_eq!(of(&stage), charts);
}

#[test]
fn sta_1_a_tap_on_a_column_tells_its_figures() {
    let stage = with_figures();
    let column = labels(&stage).into_iter().find(|label| label.starts_with("09:00 – 10:00")).unwrap();
    assert!(stage.has("Tap a column to see its figures"));
    let said = |stage: &Stage| labels(stage).iter().filter(|label| **label == column).count();
    let before = said(&stage);
    stage.tap(stage.middle(&column));
    assert!(!stage.has("Tap a column to see its figures"));
    assert!(said(&stage) > before);
}

#[test]
fn sta_1_a_day_without_calls_leads_to_the_last_one_with_some() {
    let stage = with_figures();
    stage.tap(stage.middle("A day back"));
    stage.tap(stage.middle("A day back"));
    assert!(stage.has("No calls on this day"));
    stage.figures_asked();
    stage.tap(stage.middle("Go to the previous day with calls"));
    assert_eq!(asked(&stage), day(3).hours(&Local));
    stage.count_by(|_| Ok(Statistics::default()));
    stage.tap(stage.middle("A day back"));
    assert!(stage.has("Figures come with the first call"));
    assert!(!stage.has("Go to the previous day with calls"), "there is none");
}

#[test]
fn sta_1_what_cannot_be_counted_is_said_and_asked_again() {
    let stage = Stage::with(scenes::empty());
    stage.count_by(|_| Err("the disk is full".to_owned()));
    stage.tap(stage.middle("Statistics"));
    assert!(
        stage.has("The calls could not be counted") && stage.has("the disk is full; tell your administrator")
    );
    stage.count_by(|query| Ok(scenes::statistics(query)));
    stage.tap(stage.middle("Try again"));
    assert!(!stage.has("The calls could not be counted"));
    // What is known stays when the desk goes, and is asked again when it is back.
    stage.event(Event::Disconnected);
    assert!(labels(&stage).iter().any(|label| label.starts_with("Calls in: ")));
    stage.figures_asked();
    stage.event(Event::Connected);
    assert_eq!(asked(&stage), day(0).hours(&Local));
}

#[test]
fn sta_1_a_week_across_two_months_names_both_where_there_is_little_room() {
    let stage = with_figures();
    stage.app.global::<Panes>().invoke_move_calls(2000.);
    let week = DateSpan { week: true, year: 2026, last_year: 2026, ..DateSpan::default() };
    for (span, shown) in [
        (DateSpan { day: 29, month: 6, last_day: 5, last_month: 7, ..week.clone() }, "29 Jun – 5 Jul 2026"),
        (DateSpan { day: 6, month: 7, last_day: 12, last_month: 7, ..week.clone() }, "6 – 12 Jul 2026"),
    ] {
        stage.app.global::<Shown>().set_date(span);
        stage.settle();
        assert!(stage.has(shown), "{shown}: {:?}", labels(&stage));
    }
}

#[test]
fn sta_1_a_call_that_ends_is_counted_while_one_looks() {
    let stage = Stage::with(scenes::picture());
    stage.tap(stage.middle("Statistics"));
    stage.figures_asked();
    let mut view = scenes::picture();
    view.incoming.remove(0);
    stage.show(view);
    assert_eq!(asked(&stage), day(0).hours(&Local));
}

#[test]
fn sta_1_acc_4_in_french_numbers_are_written_as_there() {
    let stage = with_figures();
    let mut view = scenes::empty();
    view.preferences.language = Language::French;
    stage.show(view);
    let tiles = stage.app.global::<Shown>().get_tiles();
    let texts: Vec<String> = tiles.iter().map(|tile| tile.value.to_string()).collect();
    assert!(texts[1].ends_with("\u{a0}%") && texts[4] == "8,4 s", "{texts:?}");
    assert!(labels(&stage).iter().any(|label| label.starts_with("Appels reçus")), "{:?}", labels(&stage));
}
