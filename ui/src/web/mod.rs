//! The desk without a screen: a platform of our own that draws into memory, and a small web server
//! that shows the picture live and takes clicks, drags and keys.
//!
//! `platform` is the Slint platform, `picture` what it draws into, `input` the words of pointer and
//! keys, `server` the HTTP and WebSocket side on threads of its own, `guard` who may talk to it.
//!
//! Not here: encryption and passwords. The page is for the machine itself; `--web-allow-remote`
//! opens it to a network the operator of the machine trusts.

mod guard;
mod input;
mod picture;
mod platform;
mod server;

pub use input::{BadInput, Button, Input, Pointer, PointerKind};
pub use picture::{Picture, encode_png};
pub use platform::{Offscreen, install};
pub use server::{ServeError, Server, serve};
