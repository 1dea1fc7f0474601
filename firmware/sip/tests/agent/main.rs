//! Agents and scripted peers on a fake wire with a fake clock.

#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::disallowed_methods, reason = "tests")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

mod attended;
mod calls;
mod credentials;
mod digits;
mod disorder;
mod exchange;
mod failover;
mod families;
mod identities;
mod lamps;
mod moved;
mod net;
mod outcomes;
mod provisionals;
mod referrals;
mod refusals;
mod registrar;
mod replaces;
mod rogue;
mod script;
mod srtp;
mod steps;
mod streams;
mod stuck;
mod tethered;
mod timers;
mod torture;
mod transfers;
mod traps;
mod unattended;
mod vigil;
