//! No text makes reading it as `kiwi.yml` or as `kiwi.toml` panic.
//!
//! The first byte of an input chooses the file; the rest is the text.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [file, text @ ..] = input else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    if file % 4 == 0 {
        kiwi::fuzzing::kiwi_toml(text);
    } else {
        kiwi::fuzzing::kiwi_yml(text);
    }
});
