//! Readers of the plugin host for LDAP.

#[path = "../../../firmware/plugin-host/src/ldap/ber.rs"]
pub(crate) mod ber;
#[path = "../../../firmware/plugin-host/src/ldap/names.rs"]
pub(crate) mod names;
