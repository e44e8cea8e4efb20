//! Every payload of hcsshim. The properties are in `tests/fuzzing`.
#![no_main]

#[path = "../../tests/fuzzing/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the other targets use the rest")]
mod fuzzing;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    fuzzing::hcsshim(input);
});
