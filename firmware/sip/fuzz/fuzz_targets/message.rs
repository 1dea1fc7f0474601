//! The reader of a message: what is read is written and read alike.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    sip_fuzz::readers::message(bytes);
});
