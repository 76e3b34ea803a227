//! The format of Debian's control files, deb822(5): paragraphs of fields.
//!
//! ```text
//! Package: a            a field: name, colon, value
//! Description: short
//!  long                 lines that start with a blank continue the value
//!                       an empty line ends the paragraph
//! ```
//!
//! Reading never fails: a paragraph keeps its first stray line, and the caller decides whether that is an error.

/// Whether lines that start with `#` are comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comments {
    /// As in the files that administrators edit.
    Skipped,
    /// As in packages and in the database of those that are installed, where such a line is stray.
    Stray,
}

/// One paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paragraph<'a> {
    /// Its fields in order.
    pub fields: Vec<Field<'a>>,
    /// The first line that is neither a field nor part of one.
    pub stray: Option<&'a str>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name as written; case has no meaning.
    pub name: &'a str,
    /// Its value without white space around it. Continuation lines begin with a line feed and a blank.
    pub value: String,
}

impl<'a> Paragraph<'a> {
    /// Returns the value of the first field of this name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value.as_str())
    }
}

/// Returns the paragraphs of a text.
pub fn paragraphs(text: &str, comments: Comments) -> Vec<Paragraph<'_>> {
    let mut paragraphs: Vec<Paragraph> = Vec::new();
    // Whether a paragraph and whether a field is open.
    let (mut paragraph_open, mut field_open) = (false, false);
    for line in text.lines() {
        if comments == Comments::Skipped && line.starts_with('#') {
            continue;
        }
        if line.trim().is_empty() {
            (paragraph_open, field_open) = (false, false);
            continue;
        }
        if !paragraph_open {
            paragraphs.push(Paragraph { fields: Vec::new(), stray: None });
        }
        paragraph_open = true;
        let Some(paragraph) = paragraphs.last_mut() else { continue };
        let continues = line.starts_with([' ', '\t']);
        match (continues, paragraph.fields.last_mut().filter(|_| field_open), field(line)) {
            (true, Some(last), _) => {
                last.value.push('\n');
                last.value.push_str(line.trim_end());
            }
            (false, _, Some(field)) => {
                paragraph.fields.push(field);
                field_open = true;
            }
            (true, None, _) | (false, _, None) => {
                paragraph.stray = paragraph.stray.or(Some(line));
                field_open = false;
            }
        }
    }
    paragraphs
}

/// Returns the field that starts in a line. Names are printable ASCII and start with neither `#` nor `-`.
fn field(line: &str) -> Option<Field<'_>> {
    let (name, value) = line.split_once(':')?;
    let valid =
        !name.is_empty() && !name.starts_with(['#', '-']) && name.bytes().all(|byte| byte.is_ascii_graphic());
    valid.then(|| Field { name, value: value.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_continue_and_names_have_no_case() {
        let text = "\n\nPackage: a\nDescription:  x \n long\n .\n\t tab\n \nPackage:b\r\nempty:\n";
        let found = paragraphs(text, Comments::Stray);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].value("description"), Some("x\n long\n .\n\t tab"));
        assert_eq!((found[1].value("PACKAGE"), found[1].value("Empty")), (Some("b"), Some("")));
        assert_eq!(found[1].value("none"), None);
        assert!(found.iter().all(|paragraph| paragraph.stray.is_none()));
    }

    #[test]
    fn comments_do_not_end_a_value_or_a_paragraph() {
        let text = "# top\n\nURIs: a\n# between\n b\n#\nSuites: c\n";
        let found = paragraphs(text, Comments::Skipped);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].value("uris"), found[0].value("suites")), (Some("a\n b"), Some("c")));
        assert_eq!(paragraphs(text, Comments::Stray)[0].stray, Some("# top"));
    }

    #[test]
    fn keeps_the_first_line_that_is_no_field() {
        for stray in ["nonsense", " continues nothing", "a b: c", ": c", "-a: b", "#a: b", "\u{e4}: b"] {
            let text = format!("{stray}\nA: b\n more\nother\n not A\n");
            let found = paragraphs(&text, Comments::Stray);
            assert_eq!((found[0].stray, found[0].fields.len()), (Some(stray), 1), "{stray}");
            assert_eq!(found[0].value("a"), Some("b\n more"));
        }
    }
}
