//! Connectors that strangers wrote, run as WebAssembly components that can do nothing but what was granted:
//! the library of `frontdesk-plugind`. A package is read (`package`), its author checked (`trust`), its wishes
//! read (`manifest`) and compared with what the administrator granted (`grants`); its code is compiled in a
//! limited child process (`compile`) and called with a fresh memory for each call (`connector`); a whole
//! directory is copied page by page (`sync`) and kept (`kept`) when a later run fails (`keeper`). What an
//! administrator installed is on the disk (`registry`), and a Unix socket tells of it and takes orders (`service`).
//!
//! Below these: `host` is what all plugins share, `guest` what one sees of it, with `wasi`; `abilities` finds what its code
//! exports. `limits` is what a call may use, `gate` how many run at once, `rate` how often a plugin may ask, `backoff` when
//! it is asked again, `failure` how a call can fail. `contact`, `customers` and `clean` measure what comes back. A request
//! goes by `http` or `ldap` over `way` (with `target` and `resolve`); `wire` is one HTTP exchange, `oauth` has the tokens,
//! `strike` takes secrets out of words. `settings` is what an administrator fills in, `tally` counts what a plugin has
//! done, and `check` is the conformance kit for authors.
//!
//! Not here: the desk's own storage, the admin page, and anything of `frontdeskd`, which never runs a guest.

mod abilities;
pub mod backoff;
pub mod check;
mod clean;
pub mod compile;
pub mod connector;
mod contact;
mod customers;
pub mod failure;
mod gate;
pub mod grants;
mod guest;
pub mod host;
mod http;
pub mod keeper;
pub mod kept;
mod ldap;
pub mod limits;
pub mod manifest;
mod oauth;
pub mod package;
mod rate;
pub mod registry;
pub mod resolve;
pub mod service;
mod settings;
mod strike;
pub mod sync;
pub mod tally;
mod target;
pub mod trust;
mod wasi;
mod way;
mod wire;

pub use contact::{Contact, Phone};
