//! The software renderer at 1280×800: the console itself, drawing into memory in this process.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use frontdesk_ui::link::{Event, News, Outbox};
// With the traits of a window, which only `ui` may name.
use frontdesk_ui::screen::*;
use frontdesk_ui::web::{self, Input, Offscreen, Pointer, PointerKind};
use frontdesk_ui::{Console, scenes};
use ipc::{ContactId, ContactPage, ContactQuery, DirectoryId, LampState, Query, Reply, Theme, ToDesk, View};

use crate::board;
use crate::day;
use crate::people::person;
use crate::stopwatch;
use frontdesk_tests::report::{Row, Unit};

const RUNS: usize = 200;

/// Whole and partial frames of the desk of the design's picture, and a view of a full desk.
pub(crate) fn measure() -> Vec<Row> {
    let stage = Stage::open();
    let with = "at 1280x800";
    let whole = stage.frames(|view, run| {
        view.preferences.theme = if run % 2 == 0 { Theme::Light } else { Theme::Dark };
    });
    let lamp = stage.frames(|view, run| {
        std::sync::Arc::make_mut(&mut view.lamps[0]).state =
            if run % 2 == 0 { LampState::Busy } else { LampState::Available };
    });
    let card = stage.frames(|view, run| {
        view.incoming = scenes::picture().incoming;
        if run % 2 == 0 {
            view.incoming.remove(0);
        }
    });
    let full = stage.frames(|view, run| {
        *view = if run % 2 == 0 { board::view() } else { scenes::picture() };
    });
    let note = format!("{RUNS} frames, from the view to the finished picture");
    vec![
        Row::times(format!("whole frame {with}"), Unit::Milliseconds, &whole, "p99", 33.0)
            .note(format!("the theme changes; {note}")),
        Row::times(format!("partial frame {with}: a lamp"), Unit::Milliseconds, &lamp, "p99", 8.0)
            .note(note.as_str()),
        Row::times(
            format!("partial frame {with}: a card comes or goes"),
            Unit::Milliseconds,
            &card,
            "p99",
            16.0,
        )
        .note(note.as_str()),
        Row::times(format!("frame {with}: 50 calls and 500 lamps"), Unit::Milliseconds, &full, "p99", 50.0)
            .note(format!("they come or go at once; {note}")),
        drag(&stage, with),
        scroll(&stage, with),
        day::whole(&stage),
    ]
}

/// A call in mid-air over the directory: each step under the finger is a frame.
fn drag(stage: &Stage, with: &str) -> Row {
    stage.take(Vec::new(), Some(scenes::picture()));
    stage.settle();
    stage.pointer(CARD, PointerKind::Down);
    let steps = u16::try_from(RUNS).expect("a few hundred");
    let mut times = Vec::new();
    for step in 0..steps {
        // Across the directory and back, row by row.
        let (x, y) = (f32::from(step % 50) * 12.0, f32::from(step / 50) * 120.0);
        times.extend(stopwatch::each(1, || {
            stage.pointer((560.0 + x, 180.0 + y), PointerKind::Move);
            stage.screen.draw()
        }));
    }
    assert!(stage.console.app().global::<Drag>().get_active(), "the call hangs on the finger");
    // Where nothing takes it.
    stage.pointer(NOWHERE, PointerKind::Move);
    stage.pointer(NOWHERE, PointerKind::Up);
    stage.settle();
    Row::times(
        format!("frame {with}: a call is dragged over the directory"),
        Unit::Milliseconds,
        &times,
        "p99",
        16.7,
    )
    .note(format!("{RUNS} steps, from the finger's move to the finished picture"))
}

/// On the first card.
const CARD: (f32, f32) = (200.0, 150.0);
/// In the header.
const NOWHERE: (f32, f32) = (640.0, 20.0);

/// The whole of a large directory under the wheel, from the first contact to the last: every frame with the pages
/// that have come meanwhile.
fn scroll(stage: &Stage, with: &str) -> Row {
    stage.take(Vec::new(), Some(crowd()));
    stage.settle_with(&page_of_the_crowd);
    let mut times = Vec::new();
    let mut pages = Vec::new();
    let mut at_end = false;
    while !at_end {
        let mut answers = std::mem::take(&mut pages);
        times.extend(stopwatch::each(1, || {
            stage.screen.turn_wheel(DIRECTORY, WHEEL).expect("the screen takes the wheel");
            stage.take(std::mem::take(&mut answers), None);
            stage.screen.draw()
        }));
        for request in stage.requests.try_iter() {
            // The page with the last contact is asked for when that is about to be seen.
            at_end |= matches!(&request, ToDesk::Query { query: Query::Contacts(query), .. }
                if query.offset + query.limit >= CROWD);
            pages.extend(answer(request, &page_of_the_crowd));
        }
        assert!(times.len() < MOST_FRAMES, "the directory has no end");
    }
    assert!(times.len() > FEWEST_FRAMES, "{} frames are not the whole directory", times.len());
    Row::times(format!("frame {with}: scrolling {CROWD} contacts"), Unit::Milliseconds, &times, "max", 16.7)
        .note(format!("{} frames from the first contact to the last", times.len()))
}

/// Where the wheel is turned: over the directory.
const DIRECTORY: (f32, f32) = (900.0, 420.0);
/// How far in a frame, in pixels: two and a half screens, so that no row is seen twice.
const WHEEL: f32 = 1_500.0;
const CROWD: u32 = 100_000;
const MOST_FRAMES: usize = 10_000;
const FEWEST_FRAMES: usize = 1_000;

/// The desk of the picture with a large directory in front.
fn crowd() -> View {
    let mut view = scenes::picture();
    view.generation += 1;
    view.directories[0].contacts = CROWD;
    view.directories[0].generation += 1;
    view
}

fn page_of_the_crowd(query: &ContactQuery) -> ContactPage {
    let last = CROWD.min(query.offset + query.limit);
    let row = |n: u32| person(n).row(ContactId(u64::from(n) + 1), DirectoryId(1));
    ContactPage { total: CROWD, offset: query.offset, rows: (query.offset..last).map(row).collect() }
}

pub(crate) struct Stage {
    pub(crate) screen: std::rc::Rc<Offscreen>,
    pub(crate) console: Console,
    requests: Receiver<ToDesk>,
}

impl Stage {
    fn open() -> Self {
        let screen = web::install(Default::default(), 1.0).expect("no other screen is in this process");
        let (outbox, requests) = Outbox::recorded();
        let console = Console::new(outbox).expect("memory to draw into is there");
        let mut size = console.app().window().size();
        (size.width, size.height) = (1280, 800);
        screen.set_size(size);
        console.app().show().expect("a screen in memory can be shown");
        let stage = Self { screen, console, requests };
        stage.take(vec![Event::Connected], Some(scenes::picture()));
        stage.settle();
        stage
    }

    /// How long it takes from a view that `change` made to the finished picture. Every change must
    /// show: a frame in which nothing is drawn is no frame.
    fn frames(&self, change: impl Fn(&mut View, usize)) -> Vec<Duration> {
        let mut view = scenes::picture();
        self.take(Vec::new(), Some(view.clone()));
        self.settle();
        let mut run = |run| {
            change(&mut view, run);
            view.generation += 1;
            let next = view.clone();
            let mut drawn = false;
            let took = stopwatch::each(1, || {
                self.take(Vec::new(), Some(next.clone()));
                drawn = self.screen.draw();
            });
            assert!(drawn, "the change shows");
            self.settle();
            took
        };
        (0..RUNS).flat_map(&mut run).collect()
    }

    /// A mouse at a place.
    fn pointer(&self, (x, y): (f32, f32), kind: PointerKind) {
        let pointer = Pointer { x, y, kind, button: Default::default(), touch: false };
        for event in Input::Pointer(pointer).events().expect("a place on the screen") {
            self.screen.dispatch(event).expect("the screen takes the pointer");
        }
    }

    pub(crate) fn take(&self, events: Vec<Event>, view: Option<View>) {
        self.console.take(News { events, view: view.map(Box::new) });
    }

    pub(crate) fn settle(&self) {
        self.settle_with(&scenes::contacts);
    }

    /// Answers questions and draws until there is nothing left to do.
    fn settle_with(&self, contacts: &dyn Fn(&ContactQuery) -> ContactPage) {
        loop {
            let answers: Vec<Event> =
                self.requests.try_iter().filter_map(|request| answer(request, contacts)).collect();
            let asked = !answers.is_empty();
            self.take(answers, None);
            if !self.screen.draw() && !asked {
                return;
            }
        }
    }
}

/// What a desk would answer.
fn answer(request: ToDesk, contacts: &dyn Fn(&ContactQuery) -> ContactPage) -> Option<Event> {
    match request {
        ToDesk::Query { seq, query: Query::Contacts(query) } => {
            Some(Event::Reply { seq, reply: Reply::Contacts(contacts(&query)) })
        }
        _ => None,
    }
}
