//! Debian's copyright files: machine-readable debian/copyright, version 1.0.
//!
//! ```text
//! Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
//!
//! Files: *
//! License: GPL-2+ or Artistic-2.0, and BSD-3-clause     a synopsis, followed by the text unless a paragraph of its own has it
//!
//! License: GPL-2+
//!  text
//! ```
//!
//! The licence of a package is that of all its paragraphs with files. A file in another form, or a synopsis that
//! is not in the grammar, makes the whole licence unknown.

use std::collections::BTreeSet;

use ondisk::digest::{Digest, Sha256, hex};

use super::identifier;
use super::licence::{Licence, LicenceText, is_expression};
use crate::deb822::{self, Comments};
use crate::root_tree::RootTree;

/// A part of the address in the field `Format`.
const FORMAT: &str = "copyright-format/1.0";
/// Digits of a digest in an identifier.
const DIGITS: usize = 12;

/// Returns the licence of an installed package, from the first of the trees that has its copyright file.
pub(super) fn licence<'a>(package: &str, trees: impl Iterator<Item = &'a RootTree>) -> Licence {
    let path = format!("usr/share/doc/{package}/copyright");
    let mut trees = trees;
    let Some(bytes) = trees.find_map(|tree| tree.read(&path).ok()) else {
        return Licence::Unknown { file: None, tag: None };
    };
    let unknown = || {
        let digest = hex(Sha256::digest(&bytes));
        Licence::Unknown { file: Some((format!("/{path}"), digest)), tag: None }
    };
    std::str::from_utf8(&bytes).ok().and_then(parse).unwrap_or_else(unknown)
}

/// Parses a copyright file; `None` if it is not machine-readable.
pub(super) fn parse(text: &str) -> Option<Licence> {
    let paragraphs = deb822::paragraphs(text, Comments::Skipped);
    let (head, others) = paragraphs.split_first()?;
    head.value("Format").filter(|format| format.contains(FORMAT))?;
    if paragraphs.iter().any(|paragraph| paragraph.stray.is_some()) {
        return None;
    }
    let licences = |with_files: bool| {
        let chosen = others.iter().filter(move |paragraph| paragraph.value("Files").is_some() == with_files);
        chosen.filter_map(|paragraph| paragraph.value("License")).map(Written::of).collect::<Vec<_>>()
    };
    let (of_files, alone) = (licences(true), licences(false));
    let used = if of_files.is_empty() { vec![Written::of(head.value("License")?)] } else { of_files };
    let mut names = Names { alone: &alone, texts: BTreeSet::new() };
    let mut parts: Vec<Part> = Vec::new();
    for written in &used {
        for part in names.expression(written)? {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
    }
    let expression = conjunction(parts);
    is_expression(&expression)
        .then(|| Licence::Declared { expression, texts: names.texts.into_iter().collect() })
}

/// The value of a field `License`.
struct Written<'a> {
    synopsis: &'a str,
    text: String,
}

impl<'a> Written<'a> {
    fn of(value: &'a str) -> Self {
        let mut lines = value.lines();
        let synopsis = lines.next().unwrap_or_default().trim();
        // A line begins with a blank, and a full stop alone is an empty line.
        let lines = lines.map(|line| match line.trim() {
            "." => "",
            _ => line.strip_prefix([' ', '\t']).unwrap_or(line),
        });
        let text = lines.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned();
        Self { synopsis, text }
    }
}

/// A part of a conjunction.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Identifier(String),
    /// It needs parentheses among other parts.
    Choice(String),
}

fn conjunction(parts: Vec<Part>) -> String {
    let is_single = parts.len() == 1;
    let text = |part| match part {
        Part::Choice(text) if !is_single => format!("({text})"),
        Part::Identifier(text) | Part::Choice(text) => text,
    };
    parts.into_iter().map(text).collect::<Vec<_>>().join(" AND ")
}

/// The names of one file.
struct Names<'a> {
    /// The paragraphs with the text of a licence only.
    alone: &'a [Written<'a>],
    texts: BTreeSet<LicenceText>,
}

impl Names<'_> {
    /// Returns the conjunction of a synopsis: names, "and", "or" (which binds less), and a comma before either of them, which
    /// binds least.
    fn expression(&mut self, written: &Written<'_>) -> Option<Vec<Part>> {
        let mut groups = Vec::new();
        let mut operators = BTreeSet::new();
        for (number, group) in written.synopsis.split(',').map(str::trim).enumerate() {
            let group = if number == 0 {
                group
            } else {
                let (operator, group) = group.split_once(' ')?;
                operators.insert(operator);
                group
            };
            groups.push(self.group(group, written)?);
        }
        match operators.into_iter().collect::<Vec<_>>().as_slice() {
            [] => groups.pop(),
            ["and"] => Some(groups.concat()),
            ["or"] => Some(choice(groups)),
            _ => None,
        }
    }

    fn group(&mut self, group: &str, written: &Written<'_>) -> Option<Vec<Part>> {
        let mut choices = Vec::new();
        for choice in group.split(" or ") {
            let mut parts = Vec::new();
            for name in choice.split(" and ") {
                parts.push(Part::Identifier(self.name(name.trim(), written)?));
            }
            choices.push(parts);
        }
        Some(choice(choices))
    }

    /// Returns the identifier of one licence.
    fn name(&mut self, name: &str, written: &Written<'_>) -> Option<String> {
        let is_name = match name.split_once(" with ") {
            Some((licence, exception)) => {
                is_word(licence) && exception.split(' ').next_back() == Some("exception")
            }
            None => is_word(name),
        };
        if !is_name {
            return None;
        }
        if let Some(id) = identifier::of(name) {
            return Some(id);
        }
        let own = || Some(written.text.as_str()).filter(|text| !text.is_empty() && written.synopsis == name);
        let alone = || {
            let mut named = self
                .alone
                .iter()
                .filter(|alone| alone.synopsis.eq_ignore_ascii_case(name) && !alone.text.is_empty());
            named.next().map(|alone| alone.text.as_str())
        };
        let text = own().or_else(alone)?.to_owned();
        let digest = hex(Sha256::digest(text.as_bytes()));
        let plain = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' });
        let id = format!("LicenseRef-Debian-{}-{}", plain.collect::<String>(), &digest[..DIGITS]);
        self.texts.insert(LicenceText { id: id.clone(), name: name.to_owned(), text });
        Some(id)
    }
}

/// Returns the choice between conjunctions.
fn choice(mut conjunctions: Vec<Vec<Part>>) -> Vec<Part> {
    match conjunctions.len() {
        1 => conjunctions.remove(0),
        _ => {
            let texts: Vec<String> = conjunctions.into_iter().map(conjunction).collect();
            vec![Part::Choice(texts.join(" OR "))]
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n";

    fn expression(text: &str) -> Option<String> {
        match parse(&format!("{HEAD}{text}"))? {
            Licence::Declared { expression, .. } => Some(expression),
            Licence::Unknown { .. } => None,
        }
    }

    #[test]
    fn a_synopsis_becomes_an_expression() {
        for (synopsis, expected) in [
            ("GPL-2+", "GPL-2.0-or-later"),
            ("GPL-2+ or Artistic-2.0", "GPL-2.0-or-later OR Artistic-2.0"),
            ("GPL-2+ and Expat", "GPL-2.0-or-later AND MIT"),
            ("Expat and ISC or Zlib", "MIT AND ISC OR Zlib"),
            (
                "GPL-2+ or Artistic-2.0, and BSD-3-clause",
                "(GPL-2.0-or-later OR Artistic-2.0) AND BSD-3-Clause",
            ),
        ] {
            assert_eq!(expression(&format!("Files: *\nLicense: {synopsis}\n")).as_deref(), Some(expected));
        }
    }

    #[test]
    fn the_licence_of_a_package_is_that_of_all_its_files() {
        let text = "Files: *\nLicense: GPL-3+ or Expat\n\nFiles: a\nLicense: ISC\n\nFiles: b\nLicense: ISC\n";
        assert_eq!(expression(text).as_deref(), Some("(GPL-3.0-or-later OR MIT) AND ISC"));
        let text = "Files: *\nLicense: Zlib and ISC\n\nFiles: b\nLicense: ISC and Zlib and Expat\n";
        assert_eq!(expression(text).as_deref(), Some("Zlib AND ISC AND MIT"), "each once");
    }

    #[test]
    fn a_name_without_identifier_refers_to_its_text() {
        let text =
            format!("{HEAD}Files: *\nLicense: BSD-special\n\nLicense: BSD-special\n Do it.\n .\n Well.\n");
        let Some(Licence::Declared { expression, texts }) = parse(&text) else { panic!("{text}") };
        assert!(expression.starts_with("LicenseRef-Debian-BSD-special-"), "{expression}");
        assert_eq!(texts[0].text, "Do it.\n\nWell.");
        assert_eq!(texts[0].id, expression);
    }

    #[test]
    fn what_is_not_in_the_grammar_is_not_guessed() {
        for text in [
            "Files: *\nLicense: BSD-special\n",
            "Files: *\nLicense: GPL-2+ with a twist\n",
            "Files: *\nLicense: see the file COPYING\n",
            "Files: *\nLicense: GPL-2+, Expat\n",
            "Files: *\nLicense: GPL-2+, or Expat, and ISC\n",
        ] {
            assert_eq!(expression(text), None, "{text}");
        }
        assert_eq!(parse("Format: copyright\n\nFiles: *\nLicense: GPL-2\n"), None);
        assert_eq!(parse("This package was debianized by hand.\nLicense: GPL-2\n"), None);
    }
}
