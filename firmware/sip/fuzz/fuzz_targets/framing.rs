//! What cuts streams (TCP, TLS) into messages: cut anywhere, they are the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    sip_fuzz::readers::framing(bytes);
});
