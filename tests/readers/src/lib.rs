//! What must hold of every reader of bytes from outside other than SIP's (`firmware/sip/tests/bad_input`), whatever it is
//! given: promises that a test keeps for what was found before, and the fuzz targets of `tests/fuzz` for anything.
//!
//! Readers that no crate offers are taken by the path of their source. A promise panics where it is broken.

mod browser;
mod contacts;
mod device;
mod directory_server;
mod frame;
pub mod kept;
mod number;
mod plugin;
mod printed;
mod provisioning;
mod seeds;
mod settings_file;
mod sound;
mod xmpp;

// Sources of the plugin host, which is more than its readers: a compiler stands behind them. Their names for each other are
// those of its root.
#[path = "../../../firmware/plugin-host/src/clean.rs"]
#[allow(dead_code, reason = "the plugin host uses the rest")]
mod clean;
#[path = "../../../firmware/plugin-host/src/grants.rs"]
#[allow(dead_code, unreachable_pub, reason = "the plugin host uses the rest")]
mod grants;
#[allow(dead_code, reason = "the plugin host uses the rest")]
mod ldap;
#[path = "../../../firmware/plugin-host/src/manifest.rs"]
#[allow(dead_code, unreachable_pub, reason = "the plugin host uses the rest")]
mod manifest;
#[allow(dead_code, reason = "the plugin host uses the rest")]
mod oauth;
#[path = "../../../firmware/plugin-host/src/package.rs"]
#[allow(dead_code, unreachable_pub, reason = "the plugin host uses the rest")]
mod package;
#[path = "../../../firmware/plugin-host/src/settings.rs"]
#[allow(dead_code, unreachable_pub, reason = "the plugin host uses the rest")]
mod settings;
#[path = "../../../firmware/plugin-host/src/target.rs"]
#[allow(dead_code, unreachable_pub, reason = "the plugin host uses the rest")]
mod target;

/// Where the answers of token servers look for it.
mod contact {
    pub(crate) use crate::clean::clean;
}

/// A reader and what must hold of it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it reads; the name of the fuzz target and of the file with inputs that were kept.
    pub name: &'static str,
    /// Reads any bytes. Whether the reader took them.
    ///
    /// # Panics
    /// When it breaks its word.
    pub promise: fn(&[u8]) -> bool,
    /// Inputs that it takes, to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every reader.
pub const TARGETS: [Target; 19] = [
    Target { name: "frame", promise: frame::frame, seeds: seeds::frame },
    Target { name: "contacts", promise: contacts::contacts, seeds: seeds::contacts },
    Target { name: "number", promise: number::number, seeds: seeds::number },
    Target { name: "settings", promise: settings_file::settings, seeds: seeds::settings },
    Target { name: "hid", promise: device::hid, seeds: seeds::hid },
    Target { name: "device_table", promise: device::device_table, seeds: seeds::device_table },
    Target { name: "rauc", promise: printed::rauc, seeds: seeds::rauc },
    Target { name: "version", promise: printed::version, seeds: seeds::version },
    Target { name: "plugin_package", promise: plugin::plugin_package, seeds: seeds::plugin_package },
    Target { name: "plugin_manifest", promise: plugin::plugin_manifest, seeds: seeds::plugin_manifest },
    Target { name: "token", promise: plugin::token, seeds: seeds::token },
    Target { name: "ldap", promise: directory_server::ldap, seeds: seeds::ldap },
    Target { name: "ldap_words", promise: directory_server::ldap_words, seeds: seeds::ldap_words },
    Target { name: "dhcp", promise: provisioning::dhcp, seeds: seeds::dhcp },
    Target { name: "xmpp", promise: xmpp::xmpp, seeds: seeds::xmpp },
    Target { name: "stream", promise: sound::stream, seeds: seeds::stream },
    Target { name: "stun", promise: sound::stun, seeds: seeds::stun },
    Target { name: "browser", promise: browser::browser, seeds: seeds::browser },
    Target { name: "music", promise: sound::music, seeds: seeds::music },
];

/// Gives bytes to a reader by its name.
///
/// # Panics
/// When the reader breaks its word, or there is none of that name.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("there is no reader {name}"));
    (target.promise)(bytes);
}
