//! How calls sound at the desk, beside baresip, which we did not write: `make audio-report`.
//!
//! One mouth sends the same packets at the same moments to our media engine with a file for a loudspeaker and to two
//! baresips, over networks that lose and delay them. What each plays is held against what was spoken: how much later, and
//! how good by PESQ (ITU-T P.862). The whole appliance is measured as well, from its microphone to its loudspeaker.
//!
//! Not here: the quality of the devices, echo, and what a person would say.

mod appliance;
mod call;
mod compare;
mod ear;
mod mouth;
mod network;
mod ours;
mod score;
pub(crate) mod speech;
mod stage;
mod table;
mod theirs;
mod wish;

pub use compare::{Figures, compare};
pub use network::Network;
pub(crate) use speech::say;
pub use table::Verdict;
pub use wish::{Wish, run};
