//! The same engine in real time for a while: how late its audio thread wakes, and whether it ever waits for anything but
//! the time.

use std::fs;
use std::thread;
use std::time::Duration;

use media::{Config, DeviceState, Event, Media, Role};

use crate::report::Row;
use crate::wait;

const THREAD: &str = "fd-audio";

/// Runs the engine with ALSA's null device for so long.
///
/// # Panics
/// When it does not start.
pub fn in_real_time(length: Duration, rows: &mut Vec<Row>) {
    let config = Config {
        speaker: "null".into(),
        microphone: "null".into(),
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
    thread::sleep(length);
    let after = (media.timing(), waits(&thread));
    let timing = after.0.since(&before.0);
    let slept = after.1.saturating_sub(before.1) as f64;
    let realtime = fs::read_to_string(format!("{thread}/sched"))
        .is_ok_and(|text| text.contains("policy") && policy(&text) == 1);
    let values = [
        ("median", timing.within_us(0.5) as f64),
        ("p99", timing.within_us(0.99) as f64),
        ("max", timing.worst_us as f64),
    ];
    rows.push(
        Row::told("wake-up jitter of the audio thread", "µs", &values)
            .note(format!("{} wake-ups in real time, SCHED_FIFO: {realtime}", timing.wakes())),
    );
    let late = timing.late_buffers as usize;
    let late_row = Row::none("late buffers in real time", late);
    rows.push(if realtime {
        late_row
    } else {
        Row::told("late buffers in real time", "", &[("count", late as f64)])
    });
    let values = [("a wake-up", slept / timing.wakes().max(1) as f64), ("count", slept)];
    rows.push(
        Row::of("times the audio thread went to sleep", "", &values, "a wake-up", 1.01)
            .note("once a tick, for the time to the next: a wait for a lock would be one more"),
    );
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

/// The scheduling class by `/proc/…/sched`: 1 is `SCHED_FIFO`.
fn policy(sched: &str) -> u32 {
    let line = sched.lines().find(|line| line.starts_with("policy"));
    line.and_then(|line| line.split(':').nth(1)?.trim().parse().ok()).unwrap_or_default()
}
