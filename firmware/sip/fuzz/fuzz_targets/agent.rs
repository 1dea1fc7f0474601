//! A user agent in the middle of its work is sent any messages: registered, with calls and lamps.
#![no_main]

use std::sync::OnceLock;
use std::time::Instant;

use sip_fuzz::BETWEEN;
use sip_fuzz::mutate::Dice;
use sip_fuzz::scene::Scene;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // The same first instant for every input, so that the same input does the same again.
    static START: OnceLock<Instant> = OnceLock::new();
    let mut scene = Scene::build(*START.get_or_init(Instant::now), 1);
    let mut dice = Dice::new(bytes.len() as u64);
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN).unwrap_or(rest.len());
        scene.feed(&mut dice, &rest[..end]);
        rest = rest.get(end + BETWEEN.len()..).unwrap_or_default();
    }
});
