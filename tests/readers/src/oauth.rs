//! Readers of the plugin host for OAuth 2.0.

#[path = "../../../firmware/plugin-host/src/oauth/answer.rs"]
pub(crate) mod answer;
#[path = "../../../firmware/plugin-host/src/oauth/client.rs"]
pub(crate) mod client;
