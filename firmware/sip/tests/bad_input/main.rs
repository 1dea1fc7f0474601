//! Whatever comes in, nothing panics, nothing grows beyond its bound, and everything that goes out can be read.
//!
//! The long run is `make mutate`: ten million messages instead of fifty thousand. The targets of `make fuzz` use the
//! same readers and the same scene.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

mod batch;
mod corpus;
#[path = "../../../../tests/readers/src/kept.rs"]
#[allow(dead_code, reason = "the fuzz targets write what is read here")]
mod kept;
mod mutate;
mod readers;
mod scene;
#[path = "../agent/script.rs"]
mod script;
mod xml;

use std::fs;
use std::path::Path;
use std::time::Instant;

/// Messages in all, of four seeds.
const MESSAGES: u64 = 50_000;

/// Changed streams.
const STREAMS: usize = 2_000;

/// Feeds half of them, from two seeds.
fn half(seeds: [u64; 2]) {
    let start = Instant::now();
    let counts = seeds.map(|seed| batch::feed(start, seed, MESSAGES / 4));
    let counts = counts[0].and(counts[1]);
    assert_eq!(counts.made, MESSAGES / 2);
    // Changes that nobody notices and changes that nobody forgives: both are many.
    assert!((counts.made / 10..counts.made * 9 / 10).contains(&counts.read), "{counts:?}");
    assert!(counts.scenes > 50, "{counts:?}");
}

#[test]
fn fifty_thousand_wrong_messages_break_nothing() {
    half([0, 1]);
}

#[test]
fn the_other_half_of_them_neither() {
    half([2, 3]);
}

#[test]
fn the_seeds_are_valid() {
    let all = |seeds: &[&str], read: fn(&[u8]) -> bool| seeds.iter().all(|seed| read(seed.as_bytes()));
    assert!(all(&corpus::MESSAGES, readers::message));
    assert!(all(&corpus::DIALOGS, readers::dialog_info));
    assert!(all(&corpus::PRESENCES, readers::presence));
    assert!(all(&corpus::FRAGMENTS, readers::fragment));
    assert!(all(&corpus::DESCRIPTIONS[..2], readers::description));
    assert!(corpus::streams().iter().all(|stream| readers::framing(stream)));
    let scene = scene::Scene::build(Instant::now(), 1);
    assert!(scene.valid.iter().all(|message| readers::message(message)));
}

#[test]
fn changed_streams_cut_anywhere_have_the_same_messages() {
    let streams = corpus::streams();
    let mut dice = mutate::Dice::new(0);
    let mut with_messages = 0;
    for _ in 0..STREAMS {
        let (one, other) = (dice.of(&streams).clone(), dice.of(&streams).clone());
        with_messages += usize::from(readers::framing(&mutate::mutated(&mut dice, &one, &other)));
    }
    assert!(with_messages > STREAMS / 10, "{with_messages}");
}

/// A reader, by the name of its fuzz target.
type Reader = (&'static str, fn(&[u8]));

#[test]
fn what_was_kept_of_fuzzing_breaks_nothing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/kept");
    let readers: [Reader; 7] = [
        ("message", |bytes| _ = readers::message(bytes)),
        ("description", |bytes| _ = readers::description(bytes)),
        ("dialog_info", |bytes| _ = readers::dialog_info(bytes)),
        ("presence", |bytes| _ = readers::presence(bytes)),
        ("fragment", |bytes| _ = readers::fragment(bytes)),
        ("framing", |bytes| _ = readers::framing(bytes)),
        ("agent", scene::agent),
    ];
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let (_, read) = readers.iter().find(|(reader, _)| *reader == name).unwrap();
        kept::unpack(&fs::read(entry.path()).unwrap()).unwrap().iter().for_each(|input| read(input));
    }
}
