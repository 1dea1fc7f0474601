//! What the Slint compiler makes of `ui/slint/app.slint`: the screen's window, its globals and the structures in them.
//!
//! A crate of its own, because it takes the compiler minutes: who changes only what `frontdesk-ui` does with it
//! does not wait for it, and it is compiled once for the program, the library and its tests.

#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::todo,
    clippy::unwrap_used,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]

slint::include_modules!();
