//! Manifests of plugins.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| frontdesk_readers::run("plugin_manifest", bytes));
