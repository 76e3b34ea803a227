//! No bytes make reading them as the headers of an RPM package panic, or give more values than there are bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    kiwi::fuzzing::rpm_header(input);
});
