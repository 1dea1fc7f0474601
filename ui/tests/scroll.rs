//! A hundred thousand contacts, scrolled from the top: each page is asked for once, and the time that a frame
//! takes is printed (DIR-5).
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use frontdesk_ui::link::{Event, News, Outbox};
use frontdesk_ui::web::{self, Input};
use frontdesk_ui::{Console, scenes};
use ipc::{Layout, Query, Reply, ToDesk};
use slint::{ComponentHandle, PhysicalSize};

/// Frames, and how far each moves the list, in pixels: a fast flick.
const FRAMES: u32 = 60;
const STEP: f32 = 185.0;

#[test]
#[allow(clippy::print_stdout, reason = "the figures are for whoever looks")]
fn dir_5_a_hundred_thousand_contacts_scroll_and_each_page_is_asked_for_once() {
    let screen = web::install(PhysicalSize::new(1280, 800), 1.0).unwrap();
    for layout in [Layout::List, Layout::Table] {
        let (outbox, requests) = Outbox::recorded();
        let console = Console::new(outbox).unwrap();
        console.app().show().unwrap();
        let mut view = scenes::vast();
        view.directories[0].look.layout = layout;
        console.take(News { events: vec![Event::Connected], view: Some(Box::new(view)) });
        let mut pages = Vec::new();
        let mut answer = || {
            let mut events = Vec::new();
            for request in requests.try_iter() {
                if let ToDesk::Query { seq, query: Query::Contacts(query) } = request {
                    pages.push(query.offset);
                    events.push(Event::Reply { seq, reply: Reply::Contacts(scenes::contacts(&query)) });
                }
            }
            console.take(News { events, view: None });
        };
        for _ in 0..4 {
            screen.draw();
            answer();
        }
        let mut frames = Vec::new();
        for _ in 0..FRAMES {
            let start = Instant::now();
            for event in (Input::Wheel { x: 800., y: 400., dx: 0., dy: -STEP }).events().unwrap() {
                screen.dispatch(event).unwrap();
            }
            screen.draw();
            frames.push(start.elapsed());
            answer();
        }
        frames.sort_unstable();
        let ms = |time: &Duration| time.as_secs_f64() * 1000.0;
        let (median, worst) = (ms(&frames[frames.len() / 2]), ms(frames.last().unwrap()));
        println!("{layout:?}: {FRAMES} frames of {STEP} px, median {median:.2} ms, worst {worst:.2} ms");
        assert_eq!(pages.first(), Some(&0));
        let in_order = pages.windows(2).all(|pair| pair[1] == pair[0] + 100);
        assert!(in_order, "asked for {pages:?}");
        assert!(pages.len() > 2, "it did not scroll: {pages:?}");
        console.app().hide().unwrap();
    }
}
