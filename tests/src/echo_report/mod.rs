//! Whether callers hear themselves: `make echo-report`.
//!
//! Speech by espeak-ng is played in a room that is worked out, and what its microphone hears of it, with a second speaker, with
//! noise, with another clock, goes through what the desk does to its microphone. The same is done with the whole appliance:
//! baresip calls a desk whose loudspeaker is heard by its microphone, and records what comes back.
//!
//! Not here: real rooms and loudspeakers that distort.

mod desk;
mod level;
mod room;
mod rows;
mod scene;

pub use desk::{Returned, returned, row};
pub use rows::{double_talk, rows, talk};
pub use scene::Scene;
