//! What is measured in the worked-out room, and the bars.

use std::time::Instant;

use media::Voice;

use super::level::{alike, dbfs, lag, lost, loudest, power, taken_away};
use super::room::{Room, drifted, noise};
use super::scene::{Scene, sent};
use crate::report::Row;

/// Samples a second.
const RATE: usize = 48_000;
/// What the echo has less than what is played, in dB, and how long it takes, in milliseconds.
const LOSS_DB: f64 = 6.0;
const WAY_MS: u32 = 100;
/// Which room.
const SEED: u64 = 77;
/// From here on an echo must be gone: 2 s.
const LEARNT: usize = 2 * RATE;
/// How much of it must be gone.
const BAR_DB: f64 = 35.0;
/// Likewise while the microphone's clock is another than the loudspeaker's.
const DRIFT_BAR_DB: f64 = 30.0;

/// Everything on, hands-free.
const ALL: Voice = Voice { hands_free: true, echo: true, noise: true, gain: true };
/// Echo alone.
const ECHO: Voice = Voice { noise: false, gain: false, ..ALL };
/// Each as it is called.
const WAYS: [(&str, Voice); 2] = [("echo cancelling alone", ECHO), ("with noise and gain", ALL)];

/// How much of an echo is taken away while only the far end speaks, in dB.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    /// In the first two seconds, from nothing known.
    pub first: f64,
    /// After them.
    pub after: f64,
    /// In the worst second after them that has speech.
    pub worst: f64,
    /// The loudest 20 ms that are sent after them, in dBFS.
    pub loudest_dbfs: f64,
}

/// What is left of the operator while both speak.
#[derive(Clone, Copy, Debug)]
pub struct Both {
    /// By how much the operator is quieter than without anybody at the far end, in dB.
    pub quieter: f64,
    /// How alike it is to that: the correlation coefficient.
    pub alike: f64,
    /// The share of the pieces of 20 ms with speech that are quieter by more than 12 dB.
    pub lost: f64,
}

/// The far end speaks in a room whose echo takes 100 ms and has `loss_db` less.
#[must_use]
pub fn talk(scene: &Scene, voice: Voice, loss_db: f64) -> Talk {
    single(&scene.far, &Room::new(f64::from(WAY_MS), loss_db, SEED).echo(&scene.far), voice)
}

fn single(far: &[f64], heard: &[f64], voice: Voice) -> Talk {
    let sent = sent(voice, far, heard, WAY_MS);
    let (echo, left) = (&heard[LEARNT..sent.len()], &sent[LEARNT..]);
    let usual = dbfs(echo);
    let seconds = echo.chunks_exact(RATE).zip(left.chunks_exact(RATE));
    let spoken = seconds.filter(|(echo, _)| dbfs(echo) > usual - 10.0);
    Talk {
        first: taken_away(&heard[..LEARNT], &sent[..LEARNT]),
        after: taken_away(echo, left),
        worst: spoken.map(|(echo, left)| taken_away(echo, left)).fold(f64::INFINITY, f64::min),
        loudest_dbfs: loudest(left),
    }
}

/// Both speak from the fourth second on, the operator `near_db` louder than usual.
#[must_use]
pub fn double_talk(scene: &Scene, voice: Voice, near_db: f64) -> Both {
    let start = 4 * RATE;
    let gain = 10_f64.powf(near_db / 20.0);
    let length = scene.near.len().min(scene.far.len() - start) / 480 * 480;
    let mut near = vec![0.0; scene.far.len()];
    near[start..start + length].iter_mut().zip(&scene.near).for_each(|(to, from)| *to = from * gain);
    let mut heard = Room::new(f64::from(WAY_MS), LOSS_DB, SEED).echo(&scene.far);
    heard.iter_mut().zip(&near).for_each(|(heard, near)| *heard += near);
    let both = sent(voice, &scene.far, &heard, WAY_MS);
    let alone = sent(voice, &vec![0.0; near.len()], &near, WAY_MS);
    let (both, alone) = (&both[start..start + length], &alone[start..start + length]);
    Both { quieter: taken_away(alone, both), alike: alike(alone, both), lost: lost(alone, both) }
}

/// Everything.
#[must_use]
pub fn rows(scene: &Scene) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, voice) in WAYS {
        for loss_db in [LOSS_DB, 10.0] {
            let talk = talk(scene, voice, loss_db);
            let figure = format!("{name}, echo at -{loss_db:.0} dB after 100 ms: taken away");
            rows.push(taken(figure, talk, BAR_DB));
        }
    }
    for millionths in [100.0, -100.0] {
        let heard = drifted(&Room::new(f64::from(WAY_MS), LOSS_DB, SEED).echo(&scene.far), millionths);
        let figure = format!("a microphone's clock {millionths:+.0} ppm off: taken away");
        rows.push(taken(figure, single(&scene.far, &heard, ECHO), DRIFT_BAR_DB));
    }
    rows.extend(noisy(scene));
    rows.extend(moved(scene));
    for (name, voice) in WAYS {
        for near_db in [0.0, 6.0] {
            rows.extend(both(
                &format!("{name}, both speak, the operator {near_db:+.0} dB"),
                double_talk(scene, voice, near_db),
            ));
        }
    }
    rows.extend(silent(scene));
    rows.extend(cost(scene));
    rows
}

fn taken(figure: String, talk: Talk, bar: f64) -> Row {
    let Talk { first, after, worst, loudest_dbfs } = talk;
    let values = [("first 2 s", first), ("then", after), ("worst second", worst)];
    Row::at_least(figure, "dB", &values, "then", bar)
        .note(format!("the loudest 20 ms after 2 s are sent at {loudest_dbfs:.0} dBFS"))
}

/// A room with noise: of the echo nothing is heard above it.
fn noisy(scene: &Scene) -> Vec<Row> {
    let row = |(name, voice): (&str, Voice)| {
        let noise = noise(scene.far.len(), -60.0, 9);
        let echo = Room::new(f64::from(WAY_MS), LOSS_DB, SEED).echo(&scene.far);
        let heard: Vec<f64> = echo.iter().zip(&noise).map(|(echo, noise)| echo + noise).collect();
        let left = sent(voice, &scene.far, &heard, WAY_MS);
        let quiet = sent(voice, &vec![0.0; noise.len()], &noise, WAY_MS);
        let values = [
            ("above the noise alone", dbfs(&left[LEARNT..]) - dbfs(&quiet[LEARNT..])),
            ("loudest 20 ms above it", loudest(&left[LEARNT..]) - dbfs(&quiet[LEARNT..])),
        ];
        Row::of(
            format!("{name}, noise at -60 dBFS: what is sent"),
            "dB",
            &values,
            "above the noise alone",
            3.0,
        )
    };
    WAYS.into_iter().map(row).collect()
}

/// Somebody moves the microphone after eight seconds.
fn moved(scene: &Scene) -> Option<Row> {
    let at = 8 * RATE;
    let [before, after] = [(WAY_MS, SEED), (WAY_MS + 30, SEED + 1)]
        .map(|(way, seed)| Room::new(f64::from(way), LOSS_DB, seed).echo(&scene.far));
    let heard = [&before[..at], &after[at..]].concat();
    let sent = sent(ECHO, &scene.far, &heard, WAY_MS);
    // From when on every half second with speech is below the bar.
    let piece = RATE / 2;
    let spoken = dbfs(&heard) - 10.0;
    let starts = (at..sent.len().saturating_sub(piece)).step_by(piece / 5);
    let mut bad = starts.filter(|&n| {
        let (heard, sent) = (&heard[n..n + piece], &sent[n..n + piece]);
        dbfs(heard) > spoken && taken_away(heard, sent) < BAR_DB
    });
    let last = bad.next_back().map_or(0.0, |n| (n + piece / 5 - at) as f64 / RATE as f64);
    let values = [("learnt again after", last)];
    Some(Row::of(
        "the microphone is moved (100 to 130 ms, another room)",
        "s",
        &values,
        "learnt again after",
        3.0,
    ))
}

fn both(name: &str, both: Both) -> [Row; 2] {
    let Both { quieter, alike, lost } = both;
    let of = "away from its level alone";
    [
        Row::of(format!("{name}: kept"), "dB", &[(of, quieter.abs())], of, 4.0),
        Row::at_least(
            format!("{name}: alike"),
            "",
            &[("correlation", alike), ("pieces lost", lost)],
            "correlation",
            0.75,
        ),
    ]
}

/// A microphone that hears nothing at all.
fn silent(scene: &Scene) -> [Row; 1] {
    let sent = sent(ALL, &scene.far, &vec![0.0; scene.far.len()], WAY_MS);
    let values = [("loudest 20 ms", loudest(&sent)), ("after 2 s", loudest(&sent[LEARNT..]))];
    [Row::of("a dead microphone while the far end speaks: what is sent", "dBFS", &values, "after 2 s", -80.0)]
}

/// What it takes of the call.
fn cost(scene: &Scene) -> Vec<Row> {
    let nobody = vec![0.0; scene.near.len()];
    let plain: Vec<f64> = scene.near.iter().map(|sample| sample.round()).collect();
    let ways = [
        ("a handset", Voice::default(), 0.0),
        ("echo cancelling alone", ECHO, 10.0),
        ("with noise and gain", ALL, 16.0),
    ];
    let mut rows = Vec::new();
    for (name, voice, bar) in ways {
        let begun = Instant::now();
        let sent = sent(voice, &nobody, &scene.near, WAY_MS);
        let frames = (sent.len() / 480).max(1) as f64;
        let took = begun.elapsed().as_secs_f64() * 1e3 / frames;
        let untouched = power(&sent.iter().zip(&plain).map(|(a, b)| a - b).collect::<Vec<_>>()) == 0.0;
        let later = if untouched {
            0
        } else {
            lag(&plain[..sent.len().min(4 * RATE)], &sent[..sent.len().min(4 * RATE)], 1000)
        };
        let values = [("delay", later as f64 / 48.0), ("work for 10 ms", took)];
        rows.push(Row::of(format!("{name}: added"), "ms", &values, "delay", bar));
    }
    rows
}
