//! A day at the screen in a minute: what the console still holds of it in the evening.

use frontdesk_ui::scenes;
// With the traits of a window, which only `ui` may name.
use frontdesk_tests::report::Row;
use frontdesk_ui::screen::*;
use ipc::{CallState, CallView, LampState, Language, View};

use crate::frames::Stage;

const HOURS: u64 = 24;
/// Calls an hour: a busy desk, without a pause at night.
const CALLS: u64 = 60;
/// What the first hours need of room for good: fonts, glyphs, rows of lists.
const WARM: u64 = 4;
/// MiB in the remaining hours.
const GROWTH: f64 = 2.0;

/// 24 hours of 60 calls each, with lamps, searches and every screen.
pub(crate) fn whole(stage: &Stage) -> Row {
    let mut generation = 1_000_000;
    let mut mib = Vec::new();
    for hour in 0..HOURS {
        for call in 0..CALLS {
            one_call(stage, &mut generation, hour * CALLS + call);
        }
        look_around(stage, &mut generation, hour);
        mib.push(resident_mib());
    }
    let (warm, end) = (mib[WARM as usize - 1], mib[HOURS as usize - 1]);
    let values = [("after 4 h", warm), ("after 12 h", mib[11]), ("after 24 h", end), ("growth", end - warm)];
    Row::of("memory of the screen over 24 simulated hours", "MiB", &values, "growth", GROWTH).note(format!(
        "{} calls from ringing to their end, lamps, searches and every screen in three looks; of this process",
        HOURS * CALLS
    ))
}

/// Rings, is answered, waits, talks again, is gone; lamps turn meanwhile.
fn one_call(stage: &Stage, generation: &mut u64, number: u64) {
    let caller =
        scenes::outside(&format!("Caller number {number}"), &format!("+33155570{:03}", number % 1_000));
    let rings = scenes::ringing(10_000 + number, caller, ("Sales", "5550100"), 3);
    let mut show = |change: &dyn Fn(&mut CallView), lamp: LampState| {
        let mut view = scenes::picture();
        let mut call = rings.clone();
        change(&mut call);
        if call.state != CallState::Ending {
            view.incoming.insert(0, call);
        }
        std::sync::Arc::make_mut(&mut view.lamps[0]).state = lamp;
        next(stage, generation, view);
    };
    show(&|_| {}, LampState::Available);
    show(&|call| call.state = CallState::Talking, LampState::Ringing);
    show(
        &|call| {
            call.state = CallState::Held;
            call.held_since_ms = Some(call.began_ms);
        },
        LampState::Busy,
    );
    show(&|call| call.state = CallState::Talking, LampState::Busy);
    show(&|call| call.state = CallState::Ending, LampState::Available);
}

/// Every screen once, a search letter by letter, another theme and language.
fn look_around(stage: &Stage, generation: &mut u64, hour: u64) {
    let app = stage.console.app();
    let mut view = scenes::picture();
    view.preferences.theme = [ipc::Theme::Dark, ipc::Theme::Light, ipc::Theme::Contrast][hour as usize % 3];
    view.preferences.language = [Language::English, Language::French][hour as usize % 2];
    next(stage, generation, view);
    let desk = app.global::<Desk>();
    for screen in [
        Screen::Log,
        Screen::Statistics,
        Screen::Note,
        Screen::Reminders,
        Screen::Settings,
        Screen::Directory,
    ] {
        desk.invoke_show(screen);
        stage.settle();
    }
    let directory = app.global::<Directory>();
    for text in ["m", "ma", "mar", ""] {
        directory.set_query(text.into());
        directory.invoke_query_edited(text.into());
        stage.settle();
    }
    for (at, by) in [((900.0, 420.0), 800.0), ((900.0, 420.0), -800.0)] {
        stage.screen.turn_wheel(at, by).expect("the screen takes the wheel");
        stage.settle();
    }
}

fn next(stage: &Stage, generation: &mut u64, mut view: View) {
    *generation += 1;
    view.generation = *generation;
    stage.take(Vec::new(), Some(view));
    stage.settle();
}

fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("of every process");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number of KiB");
    kib / 1024.0
}
