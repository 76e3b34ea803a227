//! No text in any format makes reading, selecting or converting panic, or convert to something else.
//!
//! The first byte of an input chooses the format, the second the schema it is converted to; the rest is the text.
#![no_main]

#[path = "../../tests/quick/descriptions/survive/mod.rs"]
mod survive;

use std::sync::LazyLock;

use description::{Format, SchemaVersion};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use survive::mutate::{Dice, keywords, mutate};

static WORDS: LazyLock<Vec<String>> = LazyLock::new(keywords);

fuzz_target!(|input: &[u8]| {
    let [format, schema, text @ ..] = input else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let format = Format::ALL[usize::from(*format) % Format::ALL.len()];
    let schema = *SchemaVersion::ALL.get(usize::from(*schema)).unwrap_or(&SchemaVersion::NEWEST);
    survive::survive(format, text, schema);
});

// Most changes by keywords, some by bytes.
fuzz_mutator!(|input: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if size < 2 || seed % 4 == 0 {
        return fuzzer_mutate(input, size, max_size);
    }
    let mut text = String::from_utf8_lossy(&input[2..size]).into_owned();
    let mut dice = Dice(u64::from(seed));
    mutate(&mut text, &WORDS, &mut dice);
    text.truncate(text.floor_char_boundary(max_size - 2));
    let size = text.len() + 2;
    input[2..size].copy_from_slice(text.as_bytes());
    size
});
