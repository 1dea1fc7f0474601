//! The last minute of a stream, for whoever asks.

use super::Engine;
use crate::api::{Event, StreamId};

impl Engine {
    /// Tells what was counted of a stream second by second. The copy is made here, in the media thread: the audio thread
    /// has no part in it.
    pub(super) fn mark(&self, id: StreamId) {
        let now = self.clock.now();
        let seconds = self.streams.get(&id).map_or_else(Box::default, |entry| entry.stream.seconds(now));
        (self.events)(Event::Marked { stream: id, seconds });
    }
}
