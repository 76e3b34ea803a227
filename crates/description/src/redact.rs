//! The text of a description without the passwords of its repositories.

use std::ops::Range;
use std::sync::Arc;

use crate::document::{Element, Text};
use crate::{Description, SourceFile, format};

/// The value that replaces a user name or a password.
const HIDDEN: &str = "hidden";

impl Description {
    /// Returns the text of a description with other user names and passwords of repositories, or `None` if it has none.
    /// It need not be valid; a text that is no XML has none.
    pub fn without_repository_passwords(file: SourceFile) -> Option<String> {
        let file = Arc::new(file);
        let mut secrets = Vec::new();
        collect(&format::read(&file).ok()?, &mut secrets);
        secrets.sort_by_key(|range| range.start);
        let mut text = file.text.clone();
        for range in secrets.iter().rev() {
            text.replace_range(range.clone(), HIDDEN);
        }
        (!secrets.is_empty()).then_some(text)
    }
}

/// Adds the positions of all secrets of an element and of its children.
fn collect(element: &Element, secrets: &mut Vec<Range<usize>>) {
    for attribute in &element.attributes {
        match (element.name.as_str(), attribute.name.as_str()) {
            ("repository", "username" | "password" | "pwd") => {
                secrets.push(attribute.value.span.range.clone());
            }
            ("source" | "signing", "path" | "key") => secrets.extend(user_of_url(&attribute.value)),
            _ => {}
        }
    }
    element.children.iter().for_each(|child| collect(child, secrets));
}

/// Returns the position of `USER:PASSWORD` in a URL.
fn user_of_url(value: &Text) -> Option<Range<usize>> {
    let written = value.span.file.text.get(value.span.range.clone())?;
    let start = written.find("://")? + 3;
    let authority = written[start..].split('/').next()?;
    let range = start..start + authority.rfind('@')?;
    Some(value.span.range.start + range.start..value.span.range.start + range.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str) -> Option<String> {
        Description::without_repository_passwords(SourceFile {
            name: "config.xml".to_owned(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn removes_user_names_and_passwords_and_nothing_else() {
        for (attributes, path, expected, source) in [
            (
                r#"username="u" password="a&amp;b""#,
                "https://h/x",
                r#"username="hidden" password="hidden""#,
                "https://h/x",
            ),
            ("pwd='p' username='u'", "https://h/x", "pwd='hidden' username='hidden'", "https://h/x"),
            ("", "https://u:p@h/x@y", "", "https://hidden@h/x@y"),
        ] {
            let text = |attributes: &str, source: &str| {
                format!(
                    "<image schemaversion=\"8.5\" name=\"x\">\n<!-- é --><users><user name=\"u\" password=\"p\"/></users>\
                     <repository {attributes}>\n<source path=\"{source}\"/></repository></image>"
                )
            };
            assert_eq!(redacted(&text(attributes, path)), Some(text(expected, source)));
        }
        assert_eq!(redacted("<image schemaversion=\"8.5\" name=\"x\"><repository/></image>"), None);
    }
}
