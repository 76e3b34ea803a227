//! No package file makes reading it panic, take much memory, or name a path outside the tree.
//!
//! The first byte of an input is an option, which corrects the checksums of the tar headers in the file; the rest is the file.
#![no_main]

mod checksums;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [options, package @ ..] = input else { return };
    let mut package = package.to_vec();
    if options & 1 == 0 {
        checksums::correct(&mut package);
    }
    kiwi::fuzzing::deb(&package);
});
