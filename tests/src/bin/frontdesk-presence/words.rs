//! What a view of so many lamps costs on the socket: the desk writes it for each screen, each screen reads it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use frontdesk_tests::report::{Row, Unit};
use ipc::{Decoder, FromDesk, MAX_FRAME_FROM_DESK, View};

const RUNS: usize = 100;

/// Encoding and decoding `view`, each with its bar: a view comes at most every 16 ms.
pub(crate) fn measure(view: View) -> [Row; 2] {
    let lamps = view.lamps.len();
    let message = FromDesk::View(Box::new(view));
    let encode = || ipc::encode(&message, MAX_FRAME_FROM_DESK).expect("a view fits a frame");
    let bytes = encode();
    let decode = || {
        let mut decoder = Decoder::new(MAX_FRAME_FROM_DESK);
        decoder.push(&bytes);
        decoder.next_message::<FromDesk>().expect("the desk speaks in frames")
    };
    let size = format!("{} bytes of JSON", bytes.len());
    let row = |what: &str, times: &[Duration]| {
        Row::times(format!("{what} a view of {lamps} lamps"), Unit::Milliseconds, times, "median", 8.0)
            .note(size.as_str())
    };
    [row("write", &each(encode)), row("read", &each(decode))]
}

fn each<T>(mut call: impl FnMut() -> T) -> Vec<Duration> {
    let run = |_| {
        let start = Instant::now();
        black_box(call());
        start.elapsed()
    };
    (0..RUNS).map(run).collect()
}
