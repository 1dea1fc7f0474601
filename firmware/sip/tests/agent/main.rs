//! Agents and scripted peers on a fake wire with a fake clock.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

mod attended;
mod calls;
mod exchange;
mod failover;
mod lamps;
mod moved;
mod net;
mod refusals;
mod registrar;
mod replaces;
mod script;
mod traps;
mod vigil;
