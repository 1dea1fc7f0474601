//! The settings file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| frontdesk_readers::run("settings", bytes));
