//! The fuzzer of this check.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lakou_fuzz::check("frames")(bytes));
