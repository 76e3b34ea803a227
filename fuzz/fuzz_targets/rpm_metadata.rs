//! No bytes make reading them as the metadata of an RPM repository panic, or give a location outside of it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| kiwi::fuzzing::rpm_metadata(input));
