//! The call core of the desk: who rings, who is on hold, who has the operator's ear, and what
//! became of each transfer.
//!
//! [`Switchboard`] takes news of the network as [`Input`]s and wishes of the operator as
//! [`ipc::Command`]s, and asks for things to be done by [`Effect`]s. What it believes is its
//! [`ipc::View`]. It is pure: time is handed in, nothing here waits, sleeps, reads or writes.
//!
//! Not done here: SIP (crate `sip`), sound (crate `media`), looking up names (crate `directory`;
//! parties come in already matched), keeping anything over a restart (crate `store`), wording
//! (crate `ui`). Not done yet: park, conference and overflow rules.
//!
//! Module map, in reading order: `switchboard` (the state, and one turn), `command` (wishes),
//! `call` (one call and its times), `calls` (life of a call), `ear` (hold, retrieve, the one talk
//! field), `transfer` (from the wish to its end) with `ledger` (its books), `transfer_commands`,
//! `grace` (undo), `queue` (waiting for a busy phone), `attended` (the consultation call), `recall`
//! (calls that come back), `takeover` (INVITE with Replaces), `sound` (ringer and tones, derived from the state), `record`
//! (the log row), `desk` (lines, lamps, notices, preferences), `view`, `invariants`.

mod attended;
mod call;
mod calls;
mod command;
mod desk;
mod ear;
mod effect;
mod grace;
mod input;
mod invariants;
mod ledger;
mod number;
mod queue;
mod recall;
mod record;
mod settings;
mod sound;
mod switchboard;
mod takeover;
mod transfer;
mod transfer_commands;
mod view;

pub use effect::{Diverted, Ear, Effect, Tone};
pub use input::{EndCause, Input, TransferResult};
pub use settings::{Line, Settings};
pub use switchboard::Switchboard;
