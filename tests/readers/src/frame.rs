//! Frames of the desk's and the plugin host's sockets: cut anywhere they are the same messages, and what was read can be
//! written and read again.

use std::fmt::Debug;

use ipc::{
    Decoder, FromDesk, FromPlugins, MAX_FRAME_FROM_DESK, MAX_FRAME_FROM_PLUGINS, MAX_FRAME_TO_DESK,
    MAX_FRAME_TO_PLUGINS, ToDesk, ToPlugins, encode,
};
use serde::{Serialize, de::DeserializeOwned};

/// The first byte says who speaks, and how many bytes come at once.
pub(crate) fn frame(bytes: &[u8]) -> bool {
    let Some((&way, stream)) = bytes.split_first() else { return false };
    let piece = usize::from(way >> 2) + 1;
    match way & 3 {
        0 => told::<ToDesk>(stream, piece, MAX_FRAME_TO_DESK),
        1 => told::<FromDesk>(stream, piece, MAX_FRAME_FROM_DESK),
        2 => told::<ToPlugins>(stream, piece, MAX_FRAME_TO_PLUGINS),
        _ => told::<FromPlugins>(stream, piece, MAX_FRAME_FROM_PLUGINS),
    }
}

fn told<T: Serialize + DeserializeOwned + PartialEq + Debug>(
    stream: &[u8],
    piece: usize,
    limit: usize,
) -> bool {
    let (messages, end) = read::<T>([stream].into_iter(), limit);
    let (pieces, end_of_pieces) = read::<T>(stream.chunks(piece), limit);
    assert_eq!((&pieces, &end_of_pieces), (&messages, &end), "another stream, in pieces of {piece}");
    for message in &messages {
        // Left out fields are written, so that it may be longer than it was.
        let frame = encode(message, usize::MAX);
        let frame = frame.unwrap_or_else(|error| panic!("{message:?} cannot be written: {error}"));
        let (again, end) = read::<T>([frame.as_slice()].into_iter(), usize::MAX);
        assert_eq!((again.as_slice(), end), (std::slice::from_ref(message), None));
    }
    !messages.is_empty()
}

/// The messages of a stream, and why it ended before its end.
fn read<'a, T: DeserializeOwned>(
    pieces: impl Iterator<Item = &'a [u8]>,
    limit: usize,
) -> (Vec<T>, Option<String>) {
    let (mut decoder, mut messages) = (Decoder::new(limit), Vec::new());
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error.to_string())),
            }
        }
    }
    (messages, None)
}
