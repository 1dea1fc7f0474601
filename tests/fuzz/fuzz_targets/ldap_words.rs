//! Filters and names of LDAP.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| frontdesk_readers::run("ldap_words", bytes));
