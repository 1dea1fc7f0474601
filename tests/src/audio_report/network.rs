//! What the network does to a stream: which packets arrive, when, and how often. The same each time, by seed.

use std::fs;
use std::path::PathBuf;

use crate::dice::Dice;
use crate::repository;

/// Milliseconds between two packets that are sent.
pub(super) const PTIME_MS: f64 = 20.0;
/// Losses come in bursts of so many packets on average (Gilbert's model) where they are not each for itself.
const BURST: f64 = 3.0;
/// Shares of packets that are lost, in per cent.
const LOSSES: [u32; 3] = [2, 5, 10];

/// One way for a stream of packets to arrive.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// What is done to it.
    pub name: String,
    /// Whether packets get lost, but nothing else happens.
    pub lossy: bool,
    /// By time of arrival.
    pub(super) arrivals: Vec<Arrival>,
    /// Packets spoken, those that are lost included.
    pub(super) packets: usize,
}

/// One packet that arrives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Arrival {
    /// Milliseconds after the beginning.
    pub(super) at_ms: f64,
    /// Which packet of what is spoken.
    pub(super) packet: usize,
    /// By how many the numbers of sequence and timestamps have jumped.
    pub(super) jumped: u32,
}

impl Network {
    /// Every packet at its time.
    #[must_use]
    pub fn clean(packets: usize) -> Self {
        Self::losing("clean".into(), packets, |_| false)
    }

    /// `per_cent` of the packets are lost, each for itself.
    #[must_use]
    pub fn random_loss(packets: usize, per_cent: u32, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        Self::losing(format!("{per_cent} % lost"), packets, |_| dice.below(1000) < u64::from(per_cent) * 10)
    }

    /// `per_cent` of the packets are lost, three in a row on average.
    #[must_use]
    pub fn bursty_loss(packets: usize, per_cent: u32, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let lost = f64::from(per_cent) / 100.0;
        let ends = 1.0 / BURST;
        // So that the share of time in the bad state is `lost`.
        let begins = ends * lost / (1.0 - lost);
        let mut bad = false;
        Self::losing(format!("{per_cent} % lost in bursts"), packets, |_| {
            let roll = dice.below(1_000_000) as f64 / 1e6;
            bad = if bad { roll >= ends } else { roll < begins };
            bad
        })
    }

    /// The clean network, and all that lose.
    #[must_use]
    pub fn of_loss(packets: usize, seed: u64) -> Vec<Self> {
        let random = |per_cent| Self::random_loss(packets, per_cent, seed + u64::from(per_cent));
        let bursty = |per_cent| Self::bursty_loss(packets, per_cent, seed + 100 + u64::from(per_cent));
        let lossy = LOSSES.into_iter().flat_map(|per_cent| [random(per_cent), bursty(per_cent)]);
        [Self::clean(packets)].into_iter().chain(lossy).collect()
    }

    /// The recorded traces (pjsip's `Jbtest.dat`, third-party data that is tested in place where it is), each played on
    /// until `packets` have been spoken; none where the file is not there.
    #[must_use]
    pub fn recorded(packets: usize) -> Vec<Self> {
        let text = fs::read_to_string(traces()).unwrap_or_default();
        sessions(&text).into_iter().map(|(name, events)| trace(name, &events, packets)).collect()
    }

    /// Milliseconds from the beginning until the quickest of all packets could have been there, had it been the first:
    /// what was spoken first was on its way since then.
    pub(super) fn quickest_ms(&self) -> f64 {
        let transits = self.arrivals.iter().map(|arrival| arrival.at_ms - arrival.packet as f64 * PTIME_MS);
        transits.fold(f64::INFINITY, f64::min)
    }

    fn losing(name: String, packets: usize, mut lost: impl FnMut(usize) -> bool) -> Self {
        // The first second says where everybody stands.
        let lost = |packet: usize| lost(packet) && packet >= 50;
        let mut lost = lost;
        let kept = (0..packets).filter(|&packet| !lost(packet));
        let arrivals: Vec<Arrival> =
            kept.map(|packet| Arrival { at_ms: packet as f64 * PTIME_MS, packet, jumped: 0 }).collect();
        let lossy = name != "clean";
        Self { name, lossy, arrivals, packets }
    }
}

/// Where the traces are: `FRONTDESK_JITTER`, or beside the repository.
fn traces() -> PathBuf {
    let beside = || repository::root().join("../shared/data/jitter/Jbtest.dat");
    std::env::var_os("FRONTDESK_JITTER").map_or_else(beside, PathBuf::from)
}

/// The sessions of a file of traces: title and events. A second title line is a remark.
fn sessions(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        match (line.strip_prefix('='), found.last_mut()) {
            (Some(title), _) if !open => {
                found.push((title.trim().to_owned(), String::new()));
                open = true;
            }
            (None, _) if line.starts_with('.') => open = false,
            (None, Some((_, events))) if open && !line.starts_with(['%', '!']) => events.push_str(line),
            _ => {}
        }
    }
    found
}

/// `P` puts a packet, `G` lets 20 ms pass, `L` loses one, `D` doubles one, `O` repeats an old one, `R` and `J` jump the
/// numbering.
fn trace(name: String, events: &str, packets: usize) -> Network {
    let (mut arrivals, mut packet, mut jumped, mut now) = (Vec::new(), 0, 0, 0.0);
    for event in events.chars() {
        let again = |back: usize| Arrival { at_ms: now, packet: usize::saturating_sub(packet, back), jumped };
        match event {
            'P' => {
                arrivals.push(again(0));
                packet += 1;
            }
            'L' => packet += 1,
            'D' => arrivals.push(again(1)),
            'O' => arrivals.push(again(5)),
            'R' => jumped += 30_000,
            'J' => jumped += 20,
            'G' => now += PTIME_MS,
            _ => {}
        }
    }
    while packet < packets {
        arrivals.push(Arrival { at_ms: now, packet, jumped });
        packet += 1;
        now += PTIME_MS;
    }
    Network { name: shortened(&name), lossy: false, arrivals, packets: packet }
}

/// The titles are whole sentences.
fn shortened(name: &str) -> String {
    let short: String = name.chars().take(44).collect();
    if short.len() < name.len() { format!("trace: {short}…") } else { format!("trace: {name}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn loss_is_the_share_that_was_asked_for_and_the_same_each_time() {
        for per_cent in LOSSES {
            for network in [Network::random_loss, Network::bursty_loss] {
                let once = network(40_000, per_cent, 7);
                let lost = 1.0 - once.arrivals.len() as f64 / 40_000.0;
                assert!((lost * 100.0 - f64::from(per_cent)).abs() < 0.7, "{}: {lost}", once.name);
                assert_eq!(once, network(40_000, per_cent, 7));
                assert_ne!(once, network(40_000, per_cent, 8));
            }
        }
    }

    #[test]
    fn bursts_are_three_packets_long_on_average() {
        let network = Network::bursty_loss(100_000, 10, 3);
        let holes =
            network.arrivals.windows(2).map(|two| two[1].packet - two[0].packet - 1).filter(|hole| *hole > 0);
        let holes: Vec<usize> = holes.collect();
        let mean = holes.iter().sum::<usize>() as f64 / holes.len() as f64;
        assert!((2.7..3.3).contains(&mean), "{mean}");
    }

    #[test]
    fn a_trace_says_when_packets_arrive() {
        let text = "= One\n%adaptive 0 0 10\n!lost 1 <- P\nPGPG # P\nLPGD\n.\n= Two\n= a remark\nPPGG\n.\n";
        let read = sessions(text);
        assert_eq!(read, [("One".into(), "PGPGLPGD".into()), ("Two".into(), "PPGG".into())]);
        let network = trace(read[0].0.clone(), &read[0].1, 6);
        let arrivals: Vec<(f64, usize)> =
            network.arrivals.iter().map(|one| (one.at_ms, one.packet)).collect();
        assert_eq!(arrivals, [(0.0, 0), (20.0, 1), (40.0, 3), (60.0, 3), (60.0, 4), (80.0, 5)]);
        assert_eq!((network.packets, network.quickest_ms()), (6, -20.0));
    }
}
