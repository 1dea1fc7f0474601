//! Frames of the desk's and the plugin host's sockets.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| frontdesk_readers::run("frame", bytes));
