//! Descriptors and reports of USB telephones.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| frontdesk_readers::run("hid", bytes));
