//! The same engine in real time for a while: how late its audio thread wakes, and whether it ever waits for anything but
//! the time.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use media::{Config, DeviceState, Event, Media, Role};

use crate::report::Row;
use crate::wait;

const THREAD: &str = "fd-audio";
/// How often it wakes.
const TICK: Duration = Duration::from_millis(10);
/// The number of `SCHED_FIFO`, and a priority above all threads of the engine.
const FIFO: u32 = 1;
const ABOVE: i32 = 60;

/// Runs the engine with ALSA's null device for so long.
///
/// # Panics
/// When it does not start.
pub fn in_real_time(length: Duration, rows: &mut Vec<Row>) {
    let config = Config {
        speaker: "null".into(),
        // A microphone is waited for, up to 2 ms in each tick.
        microphone: "none".into(),
        ringer: "none".into(),
        realtime: true,
        ..Config::default()
    };
    let (sender, events) = std::sync::mpsc::channel();
    let media = Media::start(config, move |event| _ = sender.send(event)).expect("media starts");
    let open = |role| {
        let is_open = |event: &Event| matches!(event, Event::Device { role: of, state: DeviceState::Open, .. } if *of == role);
        events.iter().find(is_open)
    };
    assert!(open(Role::Speaker).is_some());
    let thread = wait::within(Duration::from_secs(5), audio_thread).expect("the audio thread is there");
    thread::sleep(Duration::from_secs(1));
    let before = (media.timing(), waits(&thread));
    let machine = idle(length);
    let after = (media.timing(), waits(&thread));
    let timing = after.0.since(&before.0);
    let slept = after.1.saturating_sub(before.1) as f64;
    let realtime = fs::read_to_string(format!("{thread}/sched")).is_ok_and(|text| policy(&text) == FIFO);
    let values = [
        ("median", timing.within_us(0.5) as f64),
        ("p99", timing.within_us(0.99) as f64),
        ("max", timing.worst_us as f64),
        ("wake-ups", timing.wakes() as f64),
    ];
    rows.push(
        Row::told("wake-up jitter of the audio thread", "µs", &values)
            .note(format!("in real time; SCHED_FIFO: {realtime}; to the upper edge of a class")),
    );
    rows.push(Row::told(
        "latest wake-up of a thread before all others that only sleeps",
        "µs",
        &[("max", machine.as_micros() as f64)],
    ));
    let late = timing.late_buffers as usize;
    let what = "late buffers in real time";
    rows.push(if realtime && machine < TICK {
        Row::none(what, late)
    } else {
        let why = "no bar: no real-time scheduling, or the machine itself stood still for longer than a tick";
        Row::told(what, "", &[("count", late as f64)]).note(why)
    });
    let values = [("a wake-up", slept / timing.wakes().max(1) as f64), ("count", slept)];
    rows.push(
        Row::of("times the audio thread went to sleep", "", &values, "a wake-up", 1.01)
            .note("once a tick, for the time to the next: a wait for a lock would be one more"),
    );
}

/// Sleeps from tick to tick for so long, if it may with a priority above the engine's: by how much the machine woke it too
/// late at worst, whatever else it did.
fn idle(length: Duration) -> Duration {
    thread::spawn(move || {
        let parameters = libc::sched_param { sched_priority: ABOVE };
        // SAFETY: `parameters` lives during the call; 0 names the calling thread.
        unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) };
        let (begun, mut worst) = (Instant::now(), Duration::ZERO);
        while begun.elapsed() < length {
            let due = Instant::now() + TICK;
            thread::sleep(TICK);
            worst = worst.max(due.elapsed());
        }
        worst
    })
    .join()
    .unwrap_or_default()
}

/// The folder of the audio thread in `/proc`.
fn audio_thread() -> Option<String> {
    fs::read_dir("/proc/self/task")
        .ok()?
        .flatten()
        .map(|task| task.path().display().to_string())
        .find(|task| fs::read_to_string(format!("{task}/comm")).is_ok_and(|name| name.trim() == THREAD))
}

/// How often a thread gave up the processor by itself.
fn waits(thread: &str) -> u64 {
    let status = fs::read_to_string(format!("{thread}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
}

/// The scheduling class by `/proc/…/sched`.
fn policy(sched: &str) -> u32 {
    let line = sched.lines().find(|line| line.starts_with("policy"));
    line.and_then(|line| line.split(':').nth(1)?.trim().parse().ok()).unwrap_or_default()
}
