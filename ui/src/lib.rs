//! The console's screen: shows an [`ipc::View`], sends [`ipc::Command`]s, holds no truth.
//!
//! Everything that decides anything about a call lives in `frontdeskd`. What is decided here is
//! only how the desk looks and what a touch or a key means: which card is selected, which tab is
//! in front, what the menu offers (exactly what the view allows). If this program dies, a new one
//! shows the same desk from the next view.
//!
//! Not here: sound, calls, storage, the keypad under the desk (that one is read by `frontdeskd`).

pub mod browser;
pub mod clock;
pub mod desk;
pub mod faces;
pub mod keys;
pub mod link;
mod models;
pub mod offers;
pub mod panes;
pub mod pseudo;
pub mod scenes;
pub mod shortcuts;
pub mod text_size;
pub mod time_zone;
pub mod web;

pub use desk::Console;
pub use models::dates;

/// What the Slint compiler makes of `slint/app.slint`.
pub use frontdesk_screen as screen;
