//! Conversion of descriptions generated from the tables: between every two schemas, and in every format.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::generated::{self, Dice};
use crate::{Choice, Conversion, Description, Dialect, Format, SchemaVersion, SourceFile};

fn file(format: Format, text: &str) -> SourceFile {
    SourceFile { name: format!("config.{format}"), text: text.to_owned() }
}

/// Returns everything that a build could use from the description.
fn meaning(format: Format, text: &str) -> Vec<String> {
    let parsed = generated::load(&format!("config.{format}"), text);
    let description = parsed.description.unwrap_or_else(|| panic!("{:#?}\n{text}", parsed.diagnostics));
    let mut meaning = vec![format!("{:?}", description.profiles)];
    for profiles in [Vec::new(), vec!["a".to_owned()]] {
        for entry in description.types() {
            let choice = Choice {
                image_type: Some(entry.keyword.clone()),
                profiles: profiles.clone(),
                ..Choice::default()
            };
            meaning.push(match description.select(&choice) {
                Ok(mut selection) => {
                    // Schema 8.5 has no keyword for it.
                    selection.variables.remove("kiwi_vga");
                    format!("{selection:?}")
                }
                Err(errors) => format!("{} errors", errors.0.len()),
            });
        }
    }
    meaning
}

/// Returns the text in the other schema; none if that schema cannot express something.
fn convert(from: Format, text: &str, schema: SchemaVersion, to: Format) -> Option<String> {
    let conversion = Conversion { schema, dialect: Dialect::Kiwi, format: to, whole: false };
    match Description::convert(file(from, text), conversion, &mut generated::included) {
        Ok(converted) => Some(converted.text),
        Err(errors) => {
            let unsaid = errors.0.iter().any(|error| error.label == "cannot be expressed in that schema");
            assert!(unsaid, "to {conversion:?}: {errors:#?}\n{text}");
            None
        }
    }
}

/// Converts descriptions generated in one schema to every later one in every format; returns their number.
fn convert_to_all_later(seed: usize, from: SchemaVersion) -> usize {
    let mut converted = 0;
    let text = generated::description(from, &mut Dice::new(seed as u64 + 1));
    let meant = meaning(Format::Xml, &text);
    assert!(from < SchemaVersion::V2_0 || text.contains("<include"), "{text}");
    for &to in SchemaVersion::ALL.iter().filter(|to| **to >= from) {
        for &format in Format::ALL {
            let Some(new) = convert(Format::Xml, &text, to, format) else { continue };
            assert_eq!(meaning(format, &new), meant, "{from} to {to} as {format}:\n{text}\n{new}");
            converted += 1;
        }
    }
    converted
}

#[test]
fn every_two_schemas_mean_the_same_in_every_format() {
    let all: Vec<(usize, SchemaVersion)> = SchemaVersion::ALL.iter().copied().enumerate().collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let take = || all.get(next.fetch_add(1, Ordering::Relaxed)).copied();
        std::iter::from_fn(take).map(|(seed, from)| convert_to_all_later(seed, from)).sum::<usize>()
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let converted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread that ends")).sum()
    });
    let pairs = SchemaVersion::ALL.len() * (SchemaVersion::ALL.len() + 1) / 2 * Format::ALL.len();
    assert!(converted > pairs * 17 / 20, "only {converted} of {pairs} pairs could be converted");
}

#[test]
fn every_two_formats_mean_the_same_and_converting_again_changes_nothing() {
    for seed in 100..116 {
        let schema = SchemaVersion::NEWEST;
        let text = generated::description(schema, &mut Dice::new(seed));
        let meant = meaning(Format::Xml, &text);
        for &one in Format::ALL {
            let written = convert(Format::Xml, &text, schema, one).expect("the same schema");
            for &other in Format::ALL {
                let again = convert(one, &written, schema, other).expect("the same schema");
                assert_eq!(meaning(other, &again), meant, "as {one}, then as {other}:\n{written}\n{again}");
                let once_more = convert(other, &again, schema, other).expect("the same schema");
                assert_eq!(once_more, again, "as {other} once more");
            }
        }
    }
}
