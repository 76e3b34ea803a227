//! Conditions that hold for every text, valid or not; the test `hostile` and the fuzz target check them.

#![allow(unreachable_pub, reason = "the fuzz target has this module too")]

pub mod mutate;

use description::{Choice, Conversion, Description, Diagnostic, Dialect, Format, SchemaVersion, SourceFile};

/// Returns what a file includes: under the name `config.FORMAT` the text itself, under `part.xml` a valid one.
fn included(text: &str) -> impl FnMut(&str) -> Result<SourceFile, String> {
    move |path: &str| {
        let text = match path {
            "part.xml" => "<image><packages type=\"image\"><package name=\"included\"/></packages></image>",
            _ if path.starts_with("config.") => text,
            _ => return Err("there is no such file".to_owned()),
        };
        Ok(SourceFile { name: path.to_owned(), text: text.to_owned() })
    }
}

/// Reads the text, selects every type of it, and converts it to `schema` in every format.
///
/// Nothing panics, every reported position lies in its text, a rejection has a reason, the converted text has the same
/// meaning, and converting it once more changes nothing.
pub fn survive(format: Format, text: &str, schema: SchemaVersion) {
    let file = SourceFile { name: format!("config.{format}"), text: text.to_owned() };
    let mut include = included(text);
    let parsed = Description::load(file.clone(), &mut include);
    assert_eq!(parsed.description.is_none(), parsed.diagnostics.has_errors());
    parsed.diagnostics.0.iter().chain(&parsed.deprecated.0).for_each(in_place);
    let Some(description) = parsed.description else { return };
    let meant = meaning(&description);
    for &to in Format::ALL {
        for whole in [false, true] {
            let conversion = Conversion { schema, dialect: Dialect::Kiwi, format: to, whole };
            let converted = match Description::convert(file.clone(), conversion, &mut include) {
                Ok(converted) => converted.text,
                Err(errors) => {
                    errors.0.iter().for_each(in_place);
                    let mistake = errors.0.iter().find(|one| one.message.starts_with("kiwi cannot write"));
                    assert!(mistake.is_none(), "as {to}: {mistake:?}\n{text}");
                    assert!(errors.has_errors(), "as {to}: a refusal without a reason\n{text}");
                    continue;
                }
            };
            let new = SourceFile { name: format!("config.{to}"), text: converted };
            let again = Description::load(new.clone(), &mut include);
            let Some(again) = again.description else {
                panic!("as {to}: {:#?}\n{text}\n{}", again.diagnostics, new.text);
            };
            assert_eq!(meaning(&again), meant, "as {to}:\n{text}\n{}", new.text);
            let once_more = Description::convert(new.clone(), conversion, &mut include);
            let once_more = once_more.map(|converted| converted.text);
            assert_eq!(once_more.as_ref(), Ok(&new.text), "as {to} once more:\n{text}");
        }
    }
}

/// Returns everything that a build reads from the description.
fn meaning(description: &Description) -> Vec<String> {
    let mut meaning = vec![format!("{:?} {:?}", description.profiles, description.split)];
    for entry in description.types() {
        let choice = Choice { image_type: Some(entry.keyword.clone()), ..Choice::default() };
        meaning.push(match description.select(&choice) {
            Ok(selection) => format!("{selection:?}"),
            Err(errors) => {
                errors.0.iter().for_each(in_place);
                assert!(errors.has_errors(), "a refusal without a reason");
                format!("{} errors", errors.0.len())
            }
        });
    }
    meaning
}

fn in_place(diagnostic: &Diagnostic) {
    diagnostic.span.line_and_column();
    assert!(diagnostic.span.file.text.get(diagnostic.span.range.clone()).is_some(), "{diagnostic:?}");
    assert!(!diagnostic.message.is_empty() && !diagnostic.label.is_empty(), "{diagnostic:?}");
}
