//! The reader of a document of lamps.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    sip_fuzz::readers::dialog_info(bytes);
});
