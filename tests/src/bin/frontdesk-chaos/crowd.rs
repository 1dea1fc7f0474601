//! The crowd: SIPp in several runs at once, some through the exchange and some straight to the desk. Some
//! runs are killed with all their calls. What its callers saw is read from the messages it wrote down.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use frontdesk_tests::ports::Ports;
use frontdesk_tests::sipp::{Run, Sipp};

use crate::wire::{self, Calls};

/// The longest that one call may last, from its INVITE to the last repetition of its BYE, and some.
const LONGEST: Duration = Duration::from_secs(150);

/// How the callers of a run behave, and by which way they come.
#[derive(Clone, Copy, Debug)]
struct Kind {
    scenario: &'static str,
    by_exchange: bool,
    /// What becomes of a transfer.
    fate: &'static str,
    /// Of a hundred calls.
    share: u32,
}

/// The scenario of those who wait to be answered and talk.
const CALLER: &str = "chaos_caller";

const KINDS: [Kind; 6] = [
    Kind { scenario: CALLER, by_exchange: true, fate: "200 OK", share: 25 },
    Kind { scenario: CALLER, by_exchange: true, fate: "486 Busy Here", share: 10 },
    Kind { scenario: CALLER, by_exchange: false, fate: "200 OK", share: 20 },
    Kind { scenario: CALLER, by_exchange: false, fate: "480 Temporarily Unavailable", share: 10 },
    Kind { scenario: "chaos_quitter", by_exchange: true, fate: "200 OK", share: 20 },
    Kind { scenario: "chaos_quitter", by_exchange: false, fate: "200 OK", share: 15 },
];

/// The caller's number is 07, the three digits of the run from here on, and the number of the call.
const FIRST_SET: usize = 200;

/// All runs so far.
pub(crate) struct Crowd {
    scratch: PathBuf,
    exchange: u16,
    desk: u16,
    runs: Vec<Group>,
}

struct Group {
    sipp: Sipp,
    calls: u32,
    by_exchange: bool,
    talks: bool,
    killed: bool,
    _ports: Ports,
}

/// What SIPp itself says of a finished crowd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Calls asked for, of the runs that were not killed.
    pub(crate) asked: u32,
    /// Calls that SIPp counted in them.
    pub(crate) made: u32,
    /// Calls that were still up when a run ended, or that nothing is known of.
    pub(crate) left: u32,
    /// Runs that were killed.
    pub(crate) killed: u32,
}

impl Crowd {
    pub(crate) fn new(scratch: &Path, exchange: u16, desk: u16) -> Self {
        Self { scratch: scratch.to_owned(), exchange, desk, runs: Vec::new() }
    }

    /// Places about `calls` calls, spread over `time`.
    ///
    /// # Panics
    /// When SIPp is not installed.
    pub(crate) fn send(&mut self, calls: u32, time: Duration) {
        for kind in KINDS {
            let calls = (calls * kind.share).div_ceil(100);
            if calls == 0 {
                continue;
            }
            let set = format!("{:03}", FIRST_SET + self.runs.len());
            let mut ports = Ports::take();
            let run = Run {
                calls,
                rate: 1,
                period: time / calls,
                limit: time + LONGEST,
                ..Run::one(ports.one(), if kind.by_exchange { self.exchange } else { self.desk })
            };
            let name = format!("{}-{set}", kind.scenario);
            // What comes late or twice is no reason to give a call up.
            let patient = ["-default_behaviors", "all,-abortunexp"];
            let keys = ["-key", "set", &set, "-key", "fate", kind.fate];
            let more = [&patient[..], &keys].concat();
            let sipp = Sipp::start_as(&self.scratch, kind.scenario, &name, run, &more);
            let (by_exchange, talks) = (kind.by_exchange, kind.scenario == CALLER);
            self.runs.push(Group { sipp, calls, by_exchange, talks, killed: false, _ports: ports });
        }
    }

    /// Kills a run of callers who would talk, with all its calls: the youngest that still runs and comes
    /// straight to the desk.
    pub(crate) fn kill_one(&mut self) {
        let wanted = |group: &&mut Group| group.talks && !group.by_exchange;
        let mut youngest = self.runs.iter_mut().rev().filter(wanted);
        let found = youngest.find_map(|group| group.sipp.program.exit_status().is_none().then_some(group));
        if let Some(group) = found {
            group.sipp.program.kill();
            group.killed = true;
        }
    }

    /// Whether the caller with this number is of the crowd and comes through the exchange.
    pub(crate) fn is_by_exchange(&self, number: &str) -> bool {
        let set = number.strip_prefix("07").and_then(|rest| rest.get(..3)?.parse::<usize>().ok());
        let run = set.and_then(|set| self.runs.get(set.checked_sub(FIRST_SET)?));
        run.is_some_and(|run| run.by_exchange)
    }

    /// Whether a run still has calls to make or to end.
    pub(crate) fn is_busy(&mut self) -> bool {
        self.runs.iter_mut().any(|group| group.sipp.program.exit_status().is_none())
    }

    /// Waits for the end of every run, at most until `end`; then kills what is left. Reads what all callers
    /// saw.
    pub(crate) fn finish(mut self, end: Instant, calls: &mut Calls) -> Count {
        let mut count = Count::default();
        while self.is_busy() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(100));
        }
        for group in &mut self.runs {
            let on_its_own = group.sipp.program.exit_status().is_some();
            group.sipp.program.kill();
            let mut seen = Calls::new();
            wire::sipp(&group.sipp.messages(), self.exchange, &mut seen);
            if group.killed {
                count.killed += 1;
                seen.values_mut().filter(|seen| !seen.is_over()).for_each(|seen| seen.died = true);
            } else {
                let (made, left) = group.sipp.counted().unwrap_or((0, group.calls));
                count.asked += group.calls;
                count.made += made;
                count.left += if on_its_own { left } else { left.max(1) };
            }
            calls.append(&mut seen);
        }
        count
    }
}
