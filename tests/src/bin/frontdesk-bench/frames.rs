//! The software renderer at 1280×800: the console itself, drawing into memory in this process.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use frontdesk_ui::link::{Event, News, Outbox};
// With the traits of a window, which only `ui` may name.
use frontdesk_ui::screen::*;
use frontdesk_ui::web::{self, Offscreen};
use frontdesk_ui::{Console, scenes};
use ipc::{LampState, Query, Reply, Theme, ToDesk, View};

use crate::board;
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
        view.lamps[0].state = if run % 2 == 0 { LampState::Busy } else { LampState::Available };
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
    ]
}

struct Stage {
    screen: std::rc::Rc<Offscreen>,
    console: Console,
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

    fn take(&self, events: Vec<Event>, view: Option<View>) {
        self.console.take(News { events, view: view.map(Box::new) });
    }

    /// Answers questions and draws until there is nothing left to do.
    fn settle(&self) {
        loop {
            let answers: Vec<Event> = self.requests.try_iter().filter_map(answer).collect();
            let asked = !answers.is_empty();
            self.take(answers, None);
            if !self.screen.draw() && !asked {
                return;
            }
        }
    }
}

/// What a desk would answer.
fn answer(request: ToDesk) -> Option<Event> {
    match request {
        ToDesk::Query { seq, query: Query::Contacts(query) } => {
            Some(Event::Reply { seq, reply: Reply::Contacts(scenes::contacts(&query)) })
        }
        _ => None,
    }
}
