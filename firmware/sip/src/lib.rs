//! A SIP user agent without input and output of its own (sans-IO): bytes, time and random numbers are handed in.
//!
//! Wire: [`message`], [`header`], [`uri`], [`method`], [`digest`], [`sdp`], [`dialog_info`], [`pidf`], [`sipfrag`], [`stream`]. On top of it
//! transactions, dialogs and their usages.

mod account;
pub mod agent;
mod core;
mod dialog;
pub mod dialog_info;
pub mod digest;
mod diversion;
pub mod error;
mod flow;
mod guard;
pub mod header;
mod history_info;
mod lamp;
mod lexer;
pub mod message;
pub mod method;
mod mwi;
mod notifier;
mod params;
pub mod pidf;
mod random;
mod registration;
mod replaces;
mod resolver;
pub mod sdp;
mod session;
pub mod sipfrag;
pub mod stream;
mod subscription;
mod timers;
pub mod trace;
mod transaction;
mod turns;
pub mod uri;
mod xml;

pub use agent::{
    Account, AccountId, Cause, Config, EndedBy, Error, Event, HostPort, Identity, Invite, LAMPS_KNOWN_FOR,
    Nat, NotifierId, NotifierState, Package, Party, RegistrationState, RequestId, ResolveId, SessionId,
    SubscriptionId, SubscriptionState, TARGET_KNOWN_FOR, TransferResult, Transmit, UserAgent,
};
pub use diversion::{Diversion, DiversionPrivacy, DiversionReason, MAX_DIVERSIONS};
pub use error::SyntaxError;
pub use flow::{Target, Transport};
pub use header::{CSeq, NameAddr, Params, Via};
pub use message::{Message, ParseError};
pub use method::Method;
pub use replaces::Replaces;
pub use sdp::{Codec, Direction, LocalMedia, Media, OfferAnswer, SdpError, Srtp};
pub use subscription::is_of_all;
pub use uri::{Scheme, Uri};
