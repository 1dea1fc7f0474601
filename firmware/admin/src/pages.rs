//! The pages, one file a topic. A page that changes something answers by sending the browser on, so that a page
//! loaded again changes nothing again.

pub(crate) mod about;
pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod certificate;
pub(crate) mod clock;
pub(crate) mod diagnostics;
pub(crate) mod directories;
pub(crate) mod handling;
pub(crate) mod imports;
pub(crate) mod line;
pub(crate) mod lines;
pub(crate) mod marks;
pub(crate) mod numbers;
pub(crate) mod online;
pub(crate) mod operators;
pub(crate) mod outside;
pub(crate) mod overview;
pub(crate) mod own;
pub(crate) mod plugin;
pub(crate) mod plugins;
pub(crate) mod provisioning;
pub(crate) mod provisioning_words;
pub(crate) mod refusals;
pub(crate) mod rights;
pub(crate) mod rule;
pub(crate) mod said;
pub(crate) mod screen;
pub(crate) mod sign_in;
pub(crate) mod sip_accounts;
pub(crate) mod sip_tls;
pub(crate) mod sound;
pub(crate) mod sound_test;
pub(crate) mod statistics;
pub(crate) mod tokens;
pub(crate) mod update;
pub(crate) mod upload;
pub(crate) mod voice;
pub(crate) mod waiting;
pub(crate) mod words;

use axum::response::Response;

/// What a page's handler answers: the page, or something said in its place.
pub(crate) type Page = Result<Response, Response>;
