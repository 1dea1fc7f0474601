//! What is drawn bit by bit is what would be drawn anew: no text on the screen stands still.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::rc::Rc;

use frontdesk_ui::link::{Event, News, Outbox};
use frontdesk_ui::web::{self, Offscreen};
use frontdesk_ui::{Console, scenes};
use ipc::{Theme, View};
use slint::{ComponentHandle, PhysicalSize};

/// Views with new names on every card, one after the other: far more texts than the 1024 that Slint 1.18.1
/// keeps shaped before it sweeps, and forgets what to draw.
const VIEWS: u32 = 400;

fn show(screen: &Rc<Offscreen>, console: &Console, view: &View) {
    console.take(News { events: Vec::new(), view: Some(Box::new(view.clone())) });
    screen.draw();
}

#[test]
fn counters_in_the_status_bar_follow_after_thousands_of_changes() {
    let size = PhysicalSize::new(1280, 800);
    let screen = web::install(size, 1.0).unwrap();
    let (outbox, _requests) = Outbox::recorded();
    let console = Console::new(outbox).unwrap();
    console.app().show().unwrap();
    console.take(News { events: vec![Event::Connected], view: None });
    let mut view = scenes::picture();
    for turn in 0..VIEWS {
        view.generation += 1;
        for (card, call) in view.incoming.iter_mut().enumerate() {
            call.party.name = Some(format!("Caller {turn} on {card}"));
        }
        show(&screen, &console, &view);
    }
    view.generation += 1;
    view.counters.incoming = 7;
    view.counters.outgoing = 8;
    show(&screen, &console, &view);
    let bit_by_bit = status_bar(&screen, size);

    // Another theme and back draws everything.
    for theme in [Theme::Light, Theme::Dark] {
        view.generation += 1;
        view.preferences.theme = theme;
        show(&screen, &console, &view);
    }
    assert!(bit_by_bit == status_bar(&screen, size), "the status bar shows what was true once");
}

/// The pixels of the lowest 56 rows.
fn status_bar(screen: &Rc<Offscreen>, size: PhysicalSize) -> Vec<u8> {
    let png = screen.picture().png().unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let row = size.width as usize * 3;
    pixels.split_off(row * (size.height as usize - 56))
}
