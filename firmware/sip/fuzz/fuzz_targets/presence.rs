//! The reader of a document of presence.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    sip_fuzz::readers::presence(bytes);
});
