//! Agents and scripted peers on a fake wire with a fake clock.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

mod attended;
mod calls;
mod exchange;
mod lamps;
mod net;
mod refusals;
mod registrar;
mod replaces;
mod script;
mod tethered;
mod traps;
mod unattended;
mod vigil;
