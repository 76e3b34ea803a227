//! No bytes make reading them as `kiwi.lock`, `kiwi.result.json` or `image/kiwi.json` panic, and what is read is written so
//! that it reads back.
//!
//! The first byte of an input chooses the file; the rest is its content.
#![no_main]

use kiwi::lock::Lock;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [file, content @ ..] = input else { return };
    match file % 3 {
        0 => {
            let Ok(text) = std::str::from_utf8(content) else { return };
            let Ok(lock) = Lock::parse(text) else { return };
            let written = lock.text().expect("a lock that was read");
            assert_eq!(Lock::parse(&written).expect("a lock that was written"), lock);
        }
        1 => kiwi::fuzzing::result_record(content),
        _ => kiwi::fuzzing::record(content),
    }
});
