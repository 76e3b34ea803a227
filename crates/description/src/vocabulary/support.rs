//! The part of the reference page that says what this version does with each keyword.

use super::{Support, Word, types, words};

const HEAD: &str = "
## What is built

What this version does with each attribute, and with the text of each element, in a build of each image type that it builds:
**built** is that it has the effect that it names; **ignored** that it has none, for which there is a warning; **refused** that it
is an error. Types that are not listed do not have the attribute. Of some keywords only certain values are built; `kiwi check`
names the others. Keywords outside of `<type>` do the same for every type that uses their section.

| keyword | built | ignored, with a warning | refused |
|---|---|---|---|
";

/// Returns the table, which is found out by reading a description with each keyword.
pub(super) fn table() -> String {
    let mut text = HEAD.to_owned();
    for word in words() {
        let supports: Vec<(&str, Support)> = word
            .image_types()
            .into_iter()
            .map(|image_type| (image_type, word.support(image_type)))
            .filter(|(_, support)| *support != Support::Misfit)
            .collect();
        // Types that are not built have it.
        if supports.is_empty() {
            continue;
        }
        let cells =
            [Support::Built, Support::Warned, Support::Refused].map(|column| cell(&word, column, &supports));
        text.push_str(&format!("| `{}` | {} |\n", word.name(), cells.join(" | ")));
    }
    text
}

fn cell(word: &Word, column: Support, supports: &[(&str, Support)]) -> String {
    let listed: Vec<&str> = supports
        .iter()
        .filter(|(_, support)| *support == column)
        .map(|(image_type, _)| *image_type)
        .collect();
    match listed.len() {
        0 => String::new(),
        _ if !word.is_of_type() => "yes".to_owned(),
        count if count == types().count() => "all types".to_owned(),
        _ => listed.iter().map(|image_type| format!("`{image_type}`")).collect::<Vec<_>>().join(" "),
    }
}
