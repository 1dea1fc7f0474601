//! The reader of the status line of a transfer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    sip_fuzz::readers::fragment(bytes);
});
