//! No text makes reading it as a control file, a Release file, a copyright file or a source list of apt panic.
#![no_main]

use kiwi::deb822::{Comments, paragraphs};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for comments in [Comments::Skipped, Comments::Stray] {
        let found = paragraphs(text, comments);
        let write = |name: &str, value: &str| format!("{name}: {value}\n");
        let paragraph = |fields: &[kiwi::deb822::Field]| -> String {
            fields.iter().map(|field| write(field.name, &field.value)).chain(["\n".to_owned()]).collect()
        };
        let written: String = found.iter().map(|found| paragraph(&found.fields)).collect();
        let again = paragraphs(&written, comments);
        let fields = found.iter().map(|found| &found.fields).filter(|fields| !fields.is_empty());
        assert!(fields.eq(again.iter().map(|found| &found.fields)), "{written:?}");
    }
    kiwi::fuzzing::control(text);
    kiwi::fuzzing::copyright(text);
    kiwi::fuzzing::source_lists(text);
});
