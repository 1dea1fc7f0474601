//! Answers of DHCP servers, leases, and addresses of settings.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| frontdesk_readers::run("dhcp", bytes));
