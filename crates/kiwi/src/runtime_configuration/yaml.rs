//! `kiwi.yml` as a flat list of settings, in both of its forms.
//!
//! ```text
//! bundle: {compress: true}        current: a section is a mapping
//! bundle: [{compress: true}]      earlier: a section is a list of mappings with one key
//! ```

use saphyr_parser::{Event, Parser, StrInput};

/// Maximum depth of the file; every setting is less deep.
const MAX_DEPTH: usize = 6;

/// One setting with its position.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) section: String,
    /// Line of the section's name, counted from 1.
    pub(super) section_line: usize,
    /// `None`: a section without settings.
    pub(super) key: Option<String>,
    /// A single value, or all of a list.
    pub(super) values: Vec<String>,
    /// Line of the setting's name.
    pub(super) line: usize,
}

enum Node {
    Scalar(String),
    List(Vec<Node>),
    Mapping(Vec<(String, usize, Node)>),
}

/// Returns all settings of a file, or the problem and its line.
pub(super) fn settings(text: &str) -> Result<Vec<Setting>, (usize, String)> {
    let mut parser = Parser::new_from_str(text);
    let mut settings = Vec::new();
    loop {
        let (event, line) = next(&mut parser)?;
        match event {
            Event::StreamEnd => return Ok(settings),
            Event::MappingStart(..) => match node(event, line, &mut parser, 0)? {
                Node::Mapping(sections) => {
                    for (section, line, node) in sections {
                        collect(&section, line, node, &mut settings)?;
                    }
                }
                Node::Scalar(_) | Node::List(_) => {}
            },
            Event::Scalar(..) | Event::SequenceStart(..) => {
                return Err((line, "expected sections such as `bundle:`".to_owned()));
            }
            _ => {}
        }
    }
}

fn collect(
    section: &str,
    line: usize,
    node: Node,
    settings: &mut Vec<Setting>,
) -> Result<(), (usize, String)> {
    let entries = match node {
        Node::Mapping(entries) => entries,
        Node::List(items) => {
            let mut entries = Vec::new();
            for item in items {
                match item {
                    Node::Mapping(more) => entries.extend(more),
                    Node::Scalar(_) | Node::List(_) => {
                        return Err((
                            line,
                            format!("expected settings such as `name: value` in `{section}`"),
                        ));
                    }
                }
            }
            entries
        }
        Node::Scalar(value) if value.is_empty() => Vec::new(),
        Node::Scalar(_) => {
            return Err((line, format!("expected settings such as `name: value` in `{section}`")));
        }
    };
    if entries.is_empty() {
        settings.push(Setting {
            section: section.to_owned(),
            section_line: line,
            key: None,
            values: Vec::new(),
            line,
        });
    }
    let section_line = line;
    for (key, line, node) in entries {
        let values = match node {
            Node::Scalar(value) => vec![value],
            Node::List(items) => {
                let scalar = |item| match item {
                    Node::Scalar(value) => Ok(value),
                    Node::List(_) | Node::Mapping(_) => Err((line, format!("expected texts in `{key}`"))),
                };
                items.into_iter().map(scalar).collect::<Result<_, _>>()?
            }
            Node::Mapping(_) => return Err((line, format!("expected one value of `{key}`"))),
        };
        settings.push(Setting { section: section.to_owned(), section_line, key: Some(key), values, line });
    }
    Ok(())
}

fn next<'a>(parser: &mut Parser<'a, StrInput<'a>>) -> Result<(Event<'a>, usize), (usize, String)> {
    match parser.next_event() {
        Some(Ok((event, span))) => Ok((event, span.start.line())),
        Some(Err(error)) => Err((error.marker().line(), error.info().to_owned())),
        None => Ok((Event::StreamEnd, 0)),
    }
}

fn node<'a>(
    event: Event<'a>,
    line: usize,
    parser: &mut Parser<'a, StrInput<'a>>,
    depth: usize,
) -> Result<Node, (usize, String)> {
    if depth > MAX_DEPTH {
        return Err((line, "nested too deep".to_owned()));
    }
    match event {
        Event::Scalar(text, ..) => Ok(Node::Scalar(text.into_owned())),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next(parser)? {
                    (Event::SequenceEnd | Event::StreamEnd, _) => return Ok(Node::List(items)),
                    (event, line) => items.push(node(event, line, parser, depth + 1)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut entries = Vec::new();
            loop {
                let (key, line) = match next(parser)? {
                    (Event::MappingEnd | Event::StreamEnd, _) => return Ok(Node::Mapping(entries)),
                    (Event::Scalar(text, ..), line) => (text.into_owned(), line),
                    (_, line) => return Err((line, "a name is not a text".to_owned())),
                };
                let (event, line_of_value) = next(parser)?;
                entries.push((key, line, node(event, line_of_value, parser, depth + 1)?));
            }
        }
        _ => Err((line, "anchors and aliases are not used in this file".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let shown = |setting: &Setting| {
            let key = setting.key.as_deref().unwrap_or("-");
            format!("{}:{}.{key}={}", setting.line, setting.section, setting.values.join("|"))
        };
        settings(text).unwrap().iter().map(shown).collect()
    }

    #[test]
    fn both_forms_give_the_same_settings() {
        let mapping = "# comment\nbundle:\n  compress: false\n  shasum_size: 512\nruntime_checks:\n  disable: [a, b]\nobs:\n";
        let list = "# comment\nbundle:\n  - compress: false\n  - shasum_size: 512\nruntime_checks:\n  - disable: [a, b]\nobs:\n";
        let expected = [
            "3:bundle.compress=false",
            "4:bundle.shasum_size=512",
            "6:runtime_checks.disable=a|b",
            "7:obs.-=",
        ];
        assert_eq!(shown(mapping), expected);
        assert_eq!(shown(list), expected);
        assert_eq!(shown(""), Vec::<String>::new());
    }

    #[test]
    fn reports_the_line_of_an_invalid_file() {
        assert_eq!(settings("- a\n").unwrap_err(), (1, "expected sections such as `bundle:`".to_owned()));
        let said = settings("x: 1\nbundle: true\n").unwrap_err();
        assert_eq!(said, (1, "expected settings such as `name: value` in `x`".to_owned()));
        assert_eq!(settings("a:\n  b: {c: d}\n").unwrap_err().0, 2);
        assert!(settings("a: [\n").is_err());
        assert!(settings(&"- ".repeat(10_000)).is_err());
    }
}
