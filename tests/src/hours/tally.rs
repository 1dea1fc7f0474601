//! What was counted over the hours.

use std::collections::BTreeMap;

use media::Stats;

use super::caller::Network;

/// The sums.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) calls: u64,
    /// Datagrams that arrived, and turns in which the system did not bring them.
    pub(super) packets: u64,
    pub(super) vanished: u64,
    /// Wake-ups of the audio thread; frames that were not there for it; times the card ran dry, and what was left out.
    pub(super) wakes: u64,
    pub(super) late_buffers: u64,
    pub(super) starved: u64,
    pub(super) left_out: u64,
    /// Windows of two seconds in which the operator must have heard somebody, and those that were silent.
    pub(super) voiced_windows: u64,
    pub(super) silent_windows: u64,
    /// Packets that callers who talked with the operator did not get.
    pub(super) unheard: u64,
    pub(super) networks: BTreeMap<Network, Sums>,
}

/// Of the streams over one kind of network.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) received: u64,
    pub(super) late: u64,
    pub(super) concealed_ms: u64,
    /// Packets lost as the engine counted them, and as the network did.
    pub(super) lost: u64,
    pub(super) lost_on_the_way: u64,
    pub(super) ratings: Vec<f32>,
}

impl Tally {
    pub(super) fn add(&mut self, network: Network, lost_on_the_way: u64, stats: &Stats) {
        let sums = self.networks.entry(network).or_default();
        sums.received += stats.packets_received;
        sums.late += stats.late;
        sums.concealed_ms += stats.concealed_ms;
        sums.lost += stats.lost;
        sums.lost_on_the_way += lost_on_the_way;
        sums.ratings.extend(stats.mos());
    }
}

impl Sums {
    /// The worst rating, and the mean.
    pub(super) fn rating(&self) -> (f64, f64) {
        let sum: f32 = self.ratings.iter().sum();
        let worst = self.ratings.iter().copied().fold(f32::INFINITY, f32::min);
        (f64::from(worst), f64::from(sum) / self.ratings.len().max(1) as f64)
    }
}
