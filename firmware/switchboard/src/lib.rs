//! The call core of the desk: who rings, who is on hold, who has the operator's ear, and what
//! became of each transfer.
//!
//! [`Switchboard`] takes news of the network as [`Input`]s and wishes of the operator as
//! [`ipc::Command`]s, and asks for things to be done by [`Effect`]s. What it believes is its
//! [`ipc::View`]. It is pure: time is handed in, nothing here waits, sleeps, reads or writes.
//!
//! Not done here: SIP (crate `sip`), sound and mixing (crate `media`), looking up names (crate
//! `directory`; parties come in already matched), the timetable and who is signed in (they come in as
//! news), keeping anything over a restart (it says what to keep; crate `store`), wording (crate `ui`).
//!
//! Module map, in reading order: `switchboard` (the state, and one turn), `command` (wishes), `hook`
//! (keys that act on whichever call they mean now), `call` (one call and its times), `calls` (life of
//! a call), `ear` (hold, retrieve, the one talk field), `conference`, `transfer` (from the wish to its
//! end) with `ledger` (its books), `transfer_commands`, `grace` (undo), `queue` (waiting for a busy
//! phone), `attended` (the consultation call), `recall` (calls that come back), `takeover` (INVITE
//! with Replaces), `intercept` (calls of other phones picked up and taken over), `park`, `rules` (automatic handling), `redirect` (302), `sound` (ringer and tones,
//! derived from the state), `customer` (what
//! customer databases say of a caller), `record` (the log row), `number` (what can be called), `desk` (lines,
//! lamps, notices, preferences), `alerts` (what the operator wants to be told of contacts), `view`, `invariants`, `replay` (recordings of a desk, played again)
//! with `mask` (names and numbers taken out), `administered` (settings changed while the desk runs). The words at the border are in `input`, `effect` and
//! `settings`.

mod administered;
mod alerts;
mod attended;
mod call;
mod calls;
mod command;
mod conference;
mod customer;
mod desk;
mod ear;
mod effect;
mod grace;
mod hook;
mod input;
mod intercept;
mod invariants;
mod ledger;
mod mask;
mod number;
mod park;
mod queue;
mod recall;
mod record;
mod redirect;
mod replay;
mod rules;
mod settings;
mod sound;
mod switchboard;
mod takeover;
mod transfer;
mod transfer_commands;
mod view;

pub use effect::{Diverted, Ear, Effect, Tone};
pub use input::{AlertWish, EndCause, Input, TransferResult};
pub use replay::{Event, Recorded, ReplayError, Replayed, head, masked, replay};
pub use settings::{Administered, Line, ParkedCall, Settings};
pub use switchboard::Switchboard;
