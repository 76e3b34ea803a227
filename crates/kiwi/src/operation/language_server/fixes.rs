//! Quick fixes: the edits that a diagnostic suggests.

use std::ops::Range;

use description::{Diagnostic, Format};

/// An edit of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fix {
    /// What it does.
    pub(super) title: String,
    /// The ranges and their new text.
    pub(super) edits: Vec<(Range<usize>, String)>,
}

/// What suggestions of the check begin with.
const SUGGESTIONS: [&str; 2] = ["did you mean `", "today it is written `"];

/// Returns the edit that a diagnostic suggests: another name or value in place of the one at its position.
pub(super) fn of(diagnostic: &Diagnostic) -> Option<Fix> {
    let help = diagnostic.help.as_deref()?;
    let suggested = SUGGESTIONS.iter().find_map(|head| help.strip_prefix(head))?;
    let (suggested, more) = suggested.split_once('`')?;
    // More words are a condition that an edit does not meet.
    if !matches!(more, "" | "?") {
        return None;
    }
    let element = suggested.strip_prefix('<').and_then(|name| name.strip_suffix('>'));
    let new = element.unwrap_or(suggested);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':');
    if new.is_empty() || !new.chars().all(is_plain) {
        return None;
    }
    let text = &diagnostic.span.file.text;
    let range = diagnostic.span.range.clone();
    let old = text.get(range.clone())?;
    if old.is_empty() || old.contains(char::is_whitespace) {
        return None;
    }
    let before = &text[..range.start];
    let is_xml = Format::of(&diagnostic.span.file) == Format::Xml;
    let is_element = if is_xml { before.ends_with('<') } else { !before.ends_with('@') };
    if element.is_some() && !is_element {
        return None;
    }
    let mut edits = vec![(range.clone(), new.to_owned())];
    if is_xml && is_element {
        edits.extend(closing_name(text, &range).map(|range| (range, new.to_owned())));
    }
    Some(Fix { title: format!("Write {new} instead of {old}"), edits })
}

/// Returns the range of the name in the closing tag of the element whose name is at `name`.
fn closing_name(text: &str, name: &Range<usize>) -> Option<Range<usize>> {
    let word = &text[name.clone()];
    let is_end = |rest: &str| rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '>' | '/'));
    let end_of_tag = |at: usize| text[at..].find('>').map(|end| at + end);
    if text[..end_of_tag(name.end)?].ends_with('/') {
        return None;
    }
    let (mut depth, mut at) = (1, name.end);
    while let Some(found) = text[at..].find('<') {
        let tag = at + found + 1;
        at = tag;
        if let Some(rest) = text[tag..].strip_prefix('/').and_then(|rest| rest.strip_prefix(word)) {
            if is_end(rest) {
                depth -= 1;
                if depth == 0 {
                    return Some(tag + 1..tag + 1 + word.len());
                }
            }
        } else if text[tag..].strip_prefix(word).is_some_and(is_end)
            && !text[..end_of_tag(tag)?].ends_with('/')
        {
            depth += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use description::{SourceFile, Span};

    use super::*;

    fn fixed(text: &str, old: &str, help: &str) -> Option<String> {
        fixed_in("config.xml", text, old, help)
    }

    fn fixed_in(name: &str, text: &str, old: &str, help: &str) -> Option<String> {
        let start = text.find(old).unwrap();
        let file = Arc::new(SourceFile { name: name.to_owned(), text: text.to_owned() });
        let span = Span { file, range: start..start + old.len() };
        let mut fix = of(&Diagnostic::error(span, "wrong").help(help))?;
        let mut fixed = text.to_owned();
        fix.edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        for (range, new) in fix.edits {
            fixed.replace_range(range, &new);
        }
        Some(fixed)
    }

    #[test]
    fn replaces_what_a_suggestion_names() {
        assert_eq!(
            fixed("<a><verzion>1</verzion></a>", "verzion", "did you mean `<version>`?").unwrap(),
            "<a><version>1</version></a>"
        );
        assert_eq!(fixed("<a><b/><b></b></a>", "b", "did you mean `<c>`?").unwrap(), "<a><c/><b></b></a>");
        assert_eq!(fixed("<x><x/><x></x></x>", "x", "did you mean `<y>`?").unwrap(), "<y><x/><x></x></y>");
        assert_eq!(fixed("<a nmae=\"1\"/>", "nmae", "did you mean `name`?").unwrap(), "<a name=\"1\"/>");
        assert_eq!(fixed("<a b=\"efi\"/>", "efi", "today it is written `uefi`").unwrap(), "<a b=\"uefi\"/>");
    }

    #[test]
    fn replaces_keys_of_mappings() {
        let to_element = "did you mean `<version>`?";
        for (name, text, expected) in [
            ("config.yaml", "image: {verzion: 1}", "image: {version: 1}"),
            ("config.toml", "[image]\nverzion = 1", "[image]\nversion = 1"),
            ("config.json", "{\"image\": {\"verzion\": 1}}", "{\"image\": {\"version\": 1}}"),
        ] {
            assert_eq!(fixed_in(name, text, "verzion", to_element).unwrap(), expected);
        }
        let attribute = "image: {\"@verzion\": 1}";
        assert_eq!(
            fixed_in("config.yaml", attribute, "verzion", to_element),
            None,
            "an attribute is not an element"
        );
        let fixed = fixed_in("config.yaml", attribute, "verzion", "did you mean `version`?");
        assert_eq!(fixed.unwrap(), "image: {\"@version\": 1}");
    }

    #[test]
    fn what_needs_more_than_a_word_has_no_fix() {
        for help in
            ["did you mean `<b>`? It belongs in `<c>`", "today it is written `image=\"oem\"`", "remove it"]
        {
            assert_eq!(fixed("<a/>", "a", help), None, "{help}");
        }
    }
}
