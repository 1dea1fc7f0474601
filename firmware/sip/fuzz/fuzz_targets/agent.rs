//! A user agent in the middle of its work is sent any messages: registered, with calls and lamps.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    sip_fuzz::scene::agent(bytes);
});
