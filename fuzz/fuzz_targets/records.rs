//! No bytes make reading them as `kiwi.lock`, `kiwi.result.json` or `image/kiwi.json` panic, and what is read is written so
//! that it reads back.
//!
//! The first byte of an input chooses the file; the rest is its content.
#![no_main]

use description::SourceFile;
use kiwi::lock::Lock;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [file, content @ ..] = input else { return };
    match file % 3 {
        0 => {
            let Ok(text) = std::str::from_utf8(content) else { return };
            let parse =
                |text: &str| Lock::parse(SourceFile { name: "kiwi.lock".to_owned(), text: text.to_owned() });
            let Ok(lock) = parse(text) else { return };
            for package in &lock.packages {
                let parts = [&package.name, &package.version, &package.architecture, &package.sha256];
                assert!(!parts.iter().any(|part| part.is_empty() || part.contains('/')), "{package:?}");
                assert!(
                    !package.file.starts_with('/') && !package.file.split('/').any(|part| part == ".."),
                    "{package:?}"
                );
            }
            let written = lock.text().expect("a lock that was read");
            assert_eq!(parse(&written).expect("a lock that was written"), lock);
        }
        1 => kiwi::fuzzing::result_record(content),
        _ => kiwi::fuzzing::record(content),
    }
});
