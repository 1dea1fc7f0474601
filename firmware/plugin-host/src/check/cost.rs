//! What a plugin costs the desk: to compile once, to load at each start, to call. Its servers are not reached: it is
//! granted nothing, so that only the desk is measured.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Options, paper};
use crate::compile;
use crate::connector::{Cancel, Connector};
use crate::failure::Failure;
use crate::host::{Approved, Authority, Host, LoadError, Setup};
use crate::limits::Limits;
use crate::manifest::Granted;
use crate::resolve::Resolver;

/// Times are in microseconds, sizes in bytes.
#[derive(Debug, Clone, Serialize)]
pub struct Costs {
    /// Of the file.
    pub file: usize,
    /// The machine code that is kept.
    pub compiled: u64,
    /// Compiled in a process of its own; once for each version.
    pub compile_us: u64,
    /// Each time: the package read, the machine code found, everything linked.
    pub load_us: Vec<u64>,
    /// Each time: a fresh memory, and its test, which is refused the network.
    pub call_us: Vec<u64>,
    /// The most memory of one of these calls.
    pub memory: usize,
}

/// Measures, each `runs` times.
///
/// # Errors
/// If it does not load, or runs into a limit.
pub fn cost(file: &[u8], options: &Options, runs: usize) -> Result<Costs, LoadError> {
    let setup = Setup {
        compiler: options.compiler.clone(),
        cache: options.cache.clone(),
        locale: "en".to_owned(),
        certificates: Vec::new(),
    };
    let host = Host::new(setup, Resolver::System)?;
    let authority = Authority { known_key: None, new_key_confirmed: true, developer: true };
    let approve = || Approved::new(file.to_vec(), &authority);
    let approved = approve()?;
    let settings = paper::settings(approved.manifest(), &options.settings);
    let load = || Connector::load(&host, &approve()?, &settings, &Granted::default(), Limits::default());
    let (compile_us, _) = timed(load);
    let mut load_us = Vec::with_capacity(runs);
    let mut plugin = load()?;
    for _ in 0..runs {
        let (took, loaded) = timed(load);
        plugin = loaded?;
        load_us.push(took);
    }
    let mut call_us = Vec::with_capacity(runs);
    let mut memory = 0;
    for _ in 0..runs {
        if let Err(failure @ (Failure::Stopped { .. } | Failure::Contract(_))) =
            plugin.check(&Cancel::default())
        {
            return Err(LoadError::World(format!("its test is stopped: {}", super::in_short(&failure))));
        }
        let cost = plugin.last_cost();
        call_us.push(micros(cost.wall));
        memory = memory.max(cost.memory);
    }
    let compiled = compile::kept_size(&host.engine, &options.cache, file);
    Ok(Costs { file: file.len(), compiled, compile_us, load_us, call_us, memory })
}

fn timed<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let started = Instant::now();
    let done = work();
    (micros(started.elapsed()), done)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
