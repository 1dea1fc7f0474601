//! The call core of the desk: who rings, who is on hold, who has the operator's ear, and what
//! became of each transfer.
//!
//! [`Switchboard`] takes news of the network as [`Input`]s and wishes of the operator as
//! [`ipc::Command`]s, and asks for things to be done by [`Effect`]s. What it believes is its
//! [`ipc::View`]. It is pure: time is handed in, nothing here waits, sleeps, reads or writes.
//!
//! Not done here: SIP (crate `sip`), sound (crate `media`), looking up names (crate `directory`;
//! parties come in already matched), keeping anything over a restart (crate `store`), wording
//! (crate `ui`). Not done yet: attended transfer, camp-on, recall timers, park, conference and
//! overflow rules.
//!
//! Module map, in reading order: `switchboard` (the state, and one turn), `command` (wishes),
//! `call` (one call and its times), `calls` (life of a call), `ear` (hold, retrieve, the one talk
//! field), `transfer` (the ledger), `sound` (ringer and tones, derived from the state), `record`
//! (the log row), `desk` (lines, lamps, notices, preferences), `view`, `invariants`.

mod call;
mod calls;
mod command;
mod conference;
mod desk;
mod ear;
mod effect;
mod hook;
mod input;
mod invariants;
mod mask;
mod number;
mod park;
mod record;
mod redirect;
mod replay;
mod rules;
mod settings;
mod sound;
mod switchboard;
mod transfer;
mod view;

pub use effect::{Diverted, Ear, Effect, Tone};
pub use input::{EndCause, Input, TransferResult};
pub use mask::Mask;
pub use replay::{Event, Recorded, ReplayError, Replayed, head, replay};
pub use settings::{Line, Settings};
pub use switchboard::Switchboard;
