//! A simulated exchange: what `make run` and the tests put on the other end of the wire.
//!
//! It is never the only proof: the same things are shown against kamailio, baresip and SIPp in `tests/`.
//!
//! [`Pbx`] runs one in a thread of its own; [`exchange`] is the exchange without socket and clock. [`demo`] is the
//! invented company, [`script`] what happens by itself, [`plan`] what a number reaches, [`report`] the words of the
//! control line.

mod control;
pub mod demo;
pub mod exchange;
mod lamps;
mod leg;
pub mod plan;
mod random;
mod registrar;
pub mod report;
mod run;
pub mod script;
mod tone;

pub use run::{Gone, Options, Pbx, StartError};

#[cfg(test)]
mod tests;
