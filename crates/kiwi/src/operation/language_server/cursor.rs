//! Where a cursor is in an XML text that may be incomplete.

use std::ops::Range;

/// A position in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The elements around the position, the outermost first; in a tag with the element of the tag.
    pub(super) path: Vec<String>,
    /// The part of the text.
    pub(super) at: At,
    /// The range from the start of the word to the position.
    pub(super) word: Range<usize>,
}

/// The part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum At {
    /// Between tags.
    Text,
    /// The name of an element in an opening tag; not part of the path.
    Element,
    /// The name in a closing tag.
    ClosingTag,
    /// The name of an attribute; those that the tag has before it.
    Attribute {
        /// The names of the others.
        others: Vec<String>,
    },
    /// The value of this attribute.
    Value(String),
    /// A comment, a declaration.
    Other,
}

/// Returns the cursor at a byte offset.
pub(super) fn at(text: &str, offset: usize) -> Cursor {
    let mut scanner = Scanner { text: &text[..offset], next: 0, path: Vec::new() };
    loop {
        if let Some((at, start)) = scanner.step() {
            return Cursor { path: scanner.path, at, word: start..offset };
        }
    }
}

/// Extends an offset to the end of the name that it is in.
pub(super) fn end_of_name(text: &str, offset: usize) -> usize {
    let rest = text.get(offset..).unwrap_or_default();
    offset + rest.find(|c: char| !is_name(c)).unwrap_or(rest.len())
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')
}

struct Scanner<'a> {
    /// The text before the cursor.
    text: &'a str,
    next: usize,
    path: Vec<String>,
}

impl Scanner<'_> {
    /// Reads the text to the next tag and the tag; returns where the cursor is once the text ends.
    fn step(&mut self) -> Option<(At, usize)> {
        let Some(open) = self.text[self.next..].find('<') else {
            let text = &self.text[self.next..];
            let start = self.next + text.len() - text.trim_start().len();
            return Some((At::Text, start));
        };
        let tag = self.next + open;
        let rest = &self.text[tag..];
        for (head, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">")] {
            if rest.starts_with(head) {
                return match rest.find(end) {
                    Some(found) => {
                        self.next = tag + found + end.len();
                        None
                    }
                    None => Some((At::Other, tag)),
                };
            }
        }
        if let Some(name) = rest.strip_prefix("</") {
            let Some(end) = name.find('>') else { return Some((At::ClosingTag, tag + 2)) };
            self.path.pop();
            self.next = tag + 2 + end + 1;
            return None;
        }
        self.opening(tag)
    }

    /// Reads an opening tag.
    fn opening(&mut self, tag: usize) -> Option<(At, usize)> {
        let start = tag + 1;
        let mut at = end_of_name(self.text, start);
        if at == self.text.len() {
            return Some((At::Element, start));
        }
        self.path.push(self.text[start..at].to_owned());
        let mut others = Vec::new();
        loop {
            let rest = &self.text[at..];
            at += rest.len() - rest.trim_start().len();
            let rest = &self.text[at..];
            if rest.is_empty() {
                return Some((At::Attribute { others }, at));
            }
            if rest.starts_with("/>") || rest.starts_with('>') {
                if rest.starts_with('/') {
                    self.path.pop();
                }
                self.next = at + if rest.starts_with('/') { 2 } else { 1 };
                return None;
            }
            // A tag that is not closed yet.
            if rest.starts_with('<') {
                self.path.pop();
                self.next = at;
                return None;
            }
            let name_end = end_of_name(self.text, at);
            if name_end == self.text.len() {
                return Some((At::Attribute { others }, at));
            }
            if name_end == at {
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            }
            let name = self.text[at..name_end].to_owned();
            let after = self.text[name_end..].trim_start();
            at = self.text.len() - after.len();
            if let Some(value) = after.strip_prefix('=') {
                let value = value.trim_start();
                let begin = self.text.len() - value.len();
                let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
                    at = begin;
                    others.push(name);
                    continue;
                };
                let Some(length) = value[1..].find(quote) else { return Some((At::Value(name), begin + 1)) };
                at = begin + 1 + length + 1;
            }
            others.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cursor at `|`.
    fn found(marked: &str) -> (String, At, String) {
        let offset = marked.find('|').unwrap();
        let text = marked.replacen('|', "", 1);
        let cursor = at(&text, offset);
        (cursor.path.join("/"), cursor.at, text[cursor.word].to_owned())
    }

    #[test]
    fn finds_the_part_of_the_text() {
        let attribute = |others: &[&str]| At::Attribute {
            others: others.iter().map(|name| (*name).to_owned()).collect(),
        };
        for (text, path, at, word) in [
            ("|", "", At::Text, ""),
            ("<im|", "", At::Element, "im"),
            ("<image |", "image", attribute(&[]), ""),
            ("<image name=\"a\" sch|", "image", attribute(&["name"]), "sch"),
            ("<image name=\"a|", "image", At::Value("name".to_owned()), "a"),
            ("<image name='a\"|", "image", At::Value("name".to_owned()), "a\""),
            ("<image><!-- <x> --><pre|", "image", At::Element, "pre"),
            ("<image><a/><b>t</b> x|", "image", At::Text, "x"),
            ("<image><a><b c=\"1\"/></a></im|", "image", At::ClosingTag, "im"),
            ("<image><packagemanager>ap|", "image/packagemanager", At::Text, "ap"),
            ("<image>\n <type \n <a>|", "image/a", At::Text, ""),
            ("<?xml version=\"1|", "", At::Other, "<?xml version=\"1"),
            ("<image><!-- |", "image", At::Other, "<!-- "),
        ] {
            assert_eq!(found(text), (path.to_owned(), at, word.to_owned()), "{text}");
        }
    }

    #[test]
    fn no_text_stops_it() {
        let text = "<image a = b <c d='<!-- ä' /><![CDATA[ </x> ]]></image></image></a \"='";
        for offset in (0..=text.len()).filter(|offset| text.is_char_boundary(*offset)) {
            let cursor = at(text, offset);
            assert!(cursor.word.end == offset && cursor.word.start <= offset);
        }
    }
}
