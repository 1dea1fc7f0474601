//! The desk from outside: scripts as data, and random operations against a model network.
//!
//! Every step of every test here goes through [`bench::Bench`], which checks the invariants from
//! inside and, by the effects and the views alone, from outside.
#![allow(clippy::unwrap_used, reason = "tests")]

mod administered;
mod alerts;
mod attended;
mod bench;
mod commands;
mod conference;
mod customer;
mod intercept;
mod let_go;
mod life;
mod network;
mod operations;
mod park;
mod queue;
mod random;
mod recall;
mod ring;
mod rules;
mod script;
mod takeover;
mod tally;
mod tethered;
mod transfers;
mod undo;
