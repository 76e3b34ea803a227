//! Where a cursor is in a YAML, TOML or JSON text that may be incomplete.

mod flow;
mod toml;
mod yaml;

use std::ops::Range;

use description::Format;

/// A position in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The keys of the mappings around the position, the outermost first.
    pub(super) path: Vec<String>,
    /// The part of the text.
    pub(super) at: At,
    /// The range from the start of the key or value, with its opening quote, to the position.
    pub(super) word: Range<usize>,
}

/// The part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum At {
    /// A key; those that its mapping has before it.
    Key {
        /// The other keys.
        others: Vec<String>,
    },
    /// A key in the head of a TOML table, which is an element.
    Head,
    /// The value of this key.
    Value(String),
}

/// Returns the cursor at a byte offset; `None` in comments and long texts.
pub(super) fn at(text: &str, offset: usize, format: Format) -> Option<Cursor> {
    let before = text.get(..offset)?;
    match format {
        Format::Toml => toml::at(before),
        Format::Yaml => yaml::at(before),
        Format::Json => flow::read(before, before.len() - before.trim_start().len(), ':').open(&[], None),
        Format::Xml => None,
    }
}

/// Extends an offset to the end of the key or value that it is in.
pub(super) fn end_of_word(text: &str, offset: usize) -> usize {
    let rest = text.get(offset..).unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '#');
    offset + rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())
}

/// Returns a key or value without quotes, of which the second may be missing.
pub(super) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    match text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        Some(quote) => text[1..].strip_suffix(quote).unwrap_or(&text[1..]),
        None => text,
    }
}

/// Returns the offset of the first character that is not a blank.
fn first_word(text: &str, start: usize) -> usize {
    let rest = &text[start..];
    start + rest.len() - rest.trim_start().len()
}

/// Returns where a separator of key and value is in one line: not in quotes, and `:` only before a blank or the end.
fn separator(line: &str, separator: char) -> Option<usize> {
    let mut quote = None;
    let mut letters = line.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match (quote, letter) {
            (Some(open), letter) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, letter) if letter == separator => {
                let ends = letters.peek().is_none_or(|(_, next)| next.is_whitespace());
                if separator != ':' || ends {
                    return Some(at);
                }
            }
            (None, _) => {}
        }
    }
    None
}

/// Returns a line without its comment.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '#') if before.is_whitespace() => return &line[..at],
            (None, _) => {}
        }
        before = letter;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cursor at `|`: path, part of the text, word.
    fn found(marked: &str, format: Format) -> Option<(String, At, String)> {
        let offset = marked.find('|').unwrap();
        let text = marked.replacen('|', "", 1);
        let cursor = at(&text, offset, format)?;
        Some((cursor.path.join("/"), cursor.at, text[cursor.word].to_owned()))
    }

    fn key(others: &[&str]) -> At {
        At::Key { others: others.iter().map(|name| (*name).to_owned()).collect() }
    }

    fn value(of: &str) -> At {
        At::Value(of.to_owned())
    }

    fn assert_found(format: Format, cases: &[(&str, &str, At, &str)]) {
        for (text, path, at, word) in cases {
            let expected = Some(((*path).to_owned(), at.clone(), (*word).to_owned()));
            assert_eq!(found(text, format), expected, "{text}");
        }
    }

    #[test]
    fn finds_the_part_of_a_yaml_text() {
        let head = "image:\n  \"@schemaversion\": \"8.5\"\n";
        let packages = "image:\n  packages:\n    - \"@type\": image\n      package: [{\"@name\": a}, ";
        assert_found(
            Format::Yaml,
            &[
                ("im|", "", key(&[]), "im"),
                (&format!("{head}  pre|"), "image", key(&["@schemaversion"]), "pre"),
                (&format!("{head}  \"@na|"), "image", key(&["@schemaversion"]), "\"@na"),
                (
                    &format!("{head}  preferences:\n    packagemanager: ap|"),
                    "image/preferences",
                    value("packagemanager"),
                    "ap",
                ),
                (
                    &format!("{head}  preferences:\n    type:\n      \"@image\": \"o|"),
                    "image/preferences/type",
                    value("@image"),
                    "\"o",
                ),
                (
                    &format!("{head}  preferences:\n    type: {{\"@image\": oem, \"@f|"),
                    "image/preferences/type",
                    key(&["@image"]),
                    "\"@f",
                ),
                (
                    &format!("{head}  preferences:\n    type: {{\"@image\": |"),
                    "image/preferences/type",
                    value("@image"),
                    "",
                ),
                (
                    &format!("{head}  preferences:\n    version: 1\n  |"),
                    "image",
                    key(&["@schemaversion", "preferences"]),
                    "",
                ),
                (&format!("{packages}{{\"@a|"), "image/packages/package", key(&[]), "\"@a"),
                (&format!("{packages}]\n    - |"), "image/packages", key(&[]), ""),
                ("image:\n  packages:\n  - \"@type\": image\n  - pack|", "image/packages", key(&[]), "pack"),
                ("image: # a: b\n  # c: d\n  na|", "image", key(&[]), "na"),
            ],
        );
        for without in ["image: # na|", "image:\n  x: |\n    na".replace("|\n    na", ">\n    na|").as_str()]
        {
            assert_eq!(found(without, Format::Yaml), None, "{without}");
        }
    }

    #[test]
    fn finds_the_part_of_a_toml_text() {
        assert_found(
            Format::Toml,
            &[
                ("[im|", "", At::Head, "im"),
                ("[image]\n\"@name\" = \"a\"\n\"@sch|", "image", key(&["@name"]), "\"@sch"),
                ("[image.pre|", "image", At::Head, "pre"),
                ("[[image.packages]]\n\"@type\" = \"im|", "image/packages", value("@type"), "\"im"),
                ("[image.preferences]\ntype.\"@im|", "image/preferences/type", key(&[]), "\"@im"),
                ("[image.preferences]\ntype.\"@image\" = |", "image/preferences/type", value("@image"), ""),
                (
                    "[image.preferences]\ntype = { \"@image\" = \"oem\", |",
                    "image/preferences/type",
                    key(&["@image"]),
                    "",
                ),
                (
                    "[[image.packages]]\npackage = [\n  { \"@name\" = \"a\" }, # x\n  { |",
                    "image/packages/package",
                    key(&[]),
                    "",
                ),
            ],
        );
        assert_eq!(found("[image] # |", Format::Toml), None);
    }

    #[test]
    fn finds_the_part_of_a_json_text() {
        assert_found(
            Format::Json,
            &[
                ("{\"im|", "", key(&[]), "\"im"),
                ("{\"image\": {\"@name\": \"a\",\n \"pre|", "image", key(&["@name"]), "\"pre"),
                (
                    "{\"image\": {\"preferences\": [{}, {\"packagemanager\": \"|",
                    "image/preferences",
                    value("packagemanager"),
                    "\"",
                ),
            ],
        );
    }

    #[test]
    fn no_text_stops_it() {
        let text = "image: {a: [b, 'c\n - d\": ä}]]]\n[x.'\n\"\"\" = {\n\t- - : |\n   e\n=";
        for format in [Format::Yaml, Format::Toml, Format::Json] {
            for offset in (0..=text.len()).filter(|offset| text.is_char_boundary(*offset)) {
                if let Some(cursor) = at(text, offset, format) {
                    assert!(cursor.word.end == offset && cursor.word.start <= offset);
                }
            }
        }
    }
}
