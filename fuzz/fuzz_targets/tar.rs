//! No tar archive makes reading its entries panic, take much memory, or name a path outside the tree.
//!
//! The first byte of an input is an option, which corrects the checksums of the headers; the rest is the archive.
#![no_main]

mod checksums;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [options, archive @ ..] = input else { return };
    let mut archive = archive.to_vec();
    if options & 1 == 0 {
        checksums::correct(&mut archive);
    }
    kiwi::fuzzing::tar(archive.as_slice());
});
