//! Hours of calls in minutes: `make audio-hours`.
//!
//! The media engine as the desk has it, its sockets, requests and events, with its time handed in. Callers speak in RTP
//! over networks that delay and lose, by clocks of their own; the sound card has a clock of its own too; both threads wake
//! late as threads do. The audio thread is a thread of its own under watch (`watch`).
//!
//! Not here: how it sounds (`audio_report`), and real sound cards.

mod audio;
mod caller;
mod day;
mod desk;
mod real;
mod tally;
mod watch;

use std::fs;
use std::time::{Duration, Instant};

use self::day::Day;
use self::desk::Desk;
use self::tally::Tally;
use crate::audio_report::speech;
use crate::report::Row;
use crate::sound::Recording;

pub use real::in_real_time;
pub use watch::{Counting, Faults, live_bytes};

/// Less than this level of a second (0..=32768) is silence: speech is some twenty times as loud.
const SILENT: f64 = 80.0;
/// How much more may be allocated at the end than after the first hour, in bytes, and how much more memory resident.
const GROWTH: f64 = 4_096.0;
const RESIDENT_GROWTH_MIB: f64 = 1.0;
/// Packets in a million that may come too late on an even network, however clocks differ.
const LATE_ON_EVEN: f64 = 0.0;

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many hours.
    pub hours: u32,
    /// How long one is.
    pub hour: Duration,
    /// The dice.
    pub seed: u64,
}

/// What is held at the end of an hour, when all have hung up.
#[derive(Clone, Copy, Debug)]
struct Memory {
    live: i64,
    resident: u64,
}

/// Lets the hours pass.
///
/// # Panics
/// When something does not start, or what a stream is asked for is refused.
pub fn simulate(plan: Plan, rows: &mut Vec<Row>) {
    let begun = Instant::now();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let spoken = speech::speech(folder.path(), 0);
    let (music, announcement) = (folder.path().join("music.wav"), folder.path().join("message.wav"));
    Recording::sine(523.0, 48_000, 10).write(&music);
    Recording { rate: 48_000, samples: spoken.clone() }.write(&announcement);
    let mut day = Day::new(&spoken, plan.seed).expect("codecs");
    let mut desk = Desk::new(spoken, &music, plan.seed).expect("the media engine starts");
    let mut memory = Vec::with_capacity(plan.hours as usize);
    for hour in 0..plan.hours {
        desk.card_runs(if hour % 2 == 0 { 150 } else { -150 });
        day.hour(&mut desk, plan.hour, &announcement);
        memory.push(Memory { live: live_bytes(), resident: resident() });
    }
    let simulated = plan.hour.as_secs_f64() * f64::from(plan.hours);
    let took = begun.elapsed().as_secs_f64();
    let (tally, faults) = desk.end();
    rows.push(
        Row::told("simulated", "s", &[("simulated", simulated), ("took", took)])
            .note(format!("{:.0} times as fast as real time", simulated / took)),
    );
    rows.push(Row::at_least("calls", "", &[("count", tally.calls as f64)], "count", 1.0));
    memory_rows(&memory, rows);
    audio_rows(&tally, faults, rows);
    speech_rows(&tally, rows);
}

fn memory_rows(memory: &[Memory], rows: &mut Vec<Row>) {
    let (Some(first), Some(last)) = (memory.first(), memory.last()) else { return };
    let most = memory.iter().map(|hour| hour.live).max().unwrap_or_default();
    let live = [
        ("after the first hour", first.live as f64),
        ("at the end", last.live as f64),
        ("growth", (most - first.live) as f64),
    ];
    if live_bytes() > 0 {
        rows.push(Row::of("allocated when all have hung up", "bytes", &live, "growth", GROWTH));
    }
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let most = memory.iter().map(|hour| hour.resident).max().unwrap_or_default();
    let resident = [
        ("after the first hour", mib(first.resident)),
        ("at the end", mib(last.resident)),
        ("growth", mib(most.saturating_sub(first.resident))),
    ];
    rows.push(Row::of("resident memory", "MiB", &resident, "growth", RESIDENT_GROWTH_MIB));
}

fn audio_rows(tally: &Tally, faults: Faults, rows: &mut Vec<Row>) {
    rows.push(Row::none(
        "late buffers: frames that were not there for the audio thread",
        tally.late_buffers as usize,
    ));
    rows.push(
        Row::none("late buffers: times the sound card ran dry", tally.starved as usize)
            .note("its clock 150 ppm fast and slow in turn; both threads up to 14 ms late"),
    );
    let wakes = [("left out", tally.left_out as f64), ("wake-ups", tally.wakes as f64)];
    rows.push(Row::of("frames left out because too many waited in the card", "", &wakes, "left out", 0.0));
    rows.push(Row::none("allocations and releases in the audio thread", faults.allocations as usize));
    let waits = Row::none("waits for a lock in the audio thread", faults.calls as usize);
    let what = "system calls of the thread but read and write, futex among them, as caught by the kernel";
    rows.push(match faults.calls {
        0 => waits.note(what),
        _ => waits.note(format!("{what}; the last had the number {}", watch::last_caught())),
    });
}

fn speech_rows(tally: &Tally, rows: &mut Vec<Row>) {
    let silent = [("silent", tally.silent_windows as f64), ("with speech", tally.voiced_windows as f64)];
    rows.push(Row::of("pieces of 2 s of talk without a sound at the desk", "", &silent, "silent", 0.0));
    rows.push(Row::none("packets that callers in talk did not get", tally.unheard as usize));
    rows.push(Row::none("datagrams that the system did not bring", tally.vanished as usize));
    for (network, sums) in &tally.networks {
        let (worst, mean) = sums.rating();
        let million = 1e6 / sums.received.max(1) as f64;
        let values = [
            ("packets", sums.received as f64),
            ("late ppm", sums.late as f64 * million),
            ("lost", sums.lost as f64),
            ("lost on the way", sums.lost_on_the_way as f64),
            ("concealed s", sums.concealed_ms as f64 / 1000.0),
            ("worst MOS", worst),
            ("mean MOS", mean),
        ];
        let figure = format!("callers over a network: {}", network.name());
        rows.push(if *network == caller::Network::Even {
            Row::of(figure, "", &values, "late ppm", LATE_ON_EVEN).note("clocks up to 200 ppm apart")
        } else {
            Row::told(figure, "", &values)
        });
    }
}

/// Bytes of this process in memory.
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    // SAFETY: sysconf touches no memory of ours.
    pages * u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or_default()
}
