//! One codec over one network, once: for a test.

use super::network::Network;
use super::score::{Judge, Score};
use super::speech::speech;
use super::stage::Stage;
use super::wish::may_be_realtime;
use crate::house;
use crate::telephone::Codec;

/// How one listener fared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Mouth to ear, in milliseconds.
    pub delay_ms: f64,
    /// PESQ, 1.0 to 4.64.
    pub score: f64,
}

/// Plays speech in `codec` to ours and to baresip as its template sets it up, over the network made for so many packets;
/// ours first.
///
/// # Panics
/// When something that it needs is not there, or nothing is heard.
#[must_use]
#[track_caller]
pub fn compare(codec: Codec, network: impl FnOnce(usize) -> Network) -> [Figures; 2] {
    let scratch = house::scratch();
    let speech = speech(scratch.path(), 0);
    let mut judge = Judge::start(scratch.path(), &speech, false);
    let mut stage = Stage::build(scratch.path(), codec, &speech, may_be_realtime());
    let network = network(stage.packets());
    let played = stage.play(&network, &scratch.path().join("played"));
    [0, 1].map(|ear| {
        let Score { delay_ms, pesq, .. } = judge.judge(&played.takes[ear]);
        Figures { delay_ms: delay_ms.expect("speech is understood"), score: pesq }
    })
}
