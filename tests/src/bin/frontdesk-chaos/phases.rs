//! The course of a run: what is lost when, how many calls begin meanwhile, and who dies.

use std::time::Duration;

use crate::loss::Loss;

/// One part of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) seconds: u64,
    pub(crate) loss: Loss,
    /// Of a hundred calls, how many begin in it.
    pub(crate) share: u32,
    pub(crate) blow: Option<Blow>,
}

/// Something that happens once in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blow {
    /// A third into the phase the machine of some callers dies.
    CallersDie,
    /// At the beginning the exchange is ended, and started again after a while.
    ExchangeRestarts,
}

const CALM: Loss = Loss { signalling: 0, speech: 0 };

/// How long the exchange is gone.
pub(crate) const EXCHANGE_GONE: Duration = Duration::from_secs(3);

/// The lifetime that the exchange grants to registrations, in seconds. It forgets them when it dies, so this
/// is also the longest that a telephone can be out of reach afterwards.
pub(crate) const GRANTED: Duration = Duration::from_secs(60);

/// In this order.
pub(crate) const PHASES: [Phase; 8] = [
    Phase { name: "calm", seconds: 20, loss: CALM, share: 15, blow: None },
    Phase {
        name: "5 % of the signalling is lost",
        seconds: 35,
        loss: Loss { signalling: 5, speech: 0 },
        share: 20,
        blow: None,
    },
    Phase {
        name: "15 % of everything is lost",
        seconds: 40,
        loss: Loss { signalling: 15, speech: 15 },
        share: 25,
        blow: Some(Blow::CallersDie),
    },
    Phase {
        name: "nothing gets through",
        seconds: 6,
        loss: Loss { signalling: 100, speech: 100 },
        share: 5,
        blow: None,
    },
    Phase {
        name: "2 % is lost",
        seconds: 20,
        loss: Loss { signalling: 2, speech: 2 },
        share: 10,
        blow: None,
    },
    Phase {
        name: "the exchange dies and comes back",
        seconds: 65,
        loss: CALM,
        share: 15,
        blow: Some(Blow::ExchangeRestarts),
    },
    Phase { name: "calm again", seconds: 20, loss: CALM, share: 10, blow: None },
    Phase { name: "the last calls end", seconds: 10, loss: CALM, share: 0, blow: None },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_has_its_phase_and_the_telephones_are_back_in_time() {
        assert_eq!(PHASES.iter().map(|phase| phase.share).sum::<u32>(), 100);
        let gone = PHASES.iter().find(|phase| phase.blow == Some(Blow::ExchangeRestarts));
        assert!(gone.is_some_and(|phase| Duration::from_secs(phase.seconds) > GRANTED + EXCHANGE_GONE));
        assert_eq!(PHASES[PHASES.len() - 1].loss, CALM);
    }
}
