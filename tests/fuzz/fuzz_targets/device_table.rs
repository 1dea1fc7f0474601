//! The table of devices.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| frontdesk_readers::run("device_table", bytes));
