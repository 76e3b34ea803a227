//! Reads XML into the tree with positions.
//!
//! ```text
//! text -> roxmltree (no document type, limited) -> Element
//! broken XML -> one Diagnostic at the position of the error, with the position of the unclosed element
//! ```
//!
//! Document types and entities are refused: no description needs them, and XML files use them to exhaust memory or to read
//! other files.

mod bounds;

use std::ops::Range;
use std::sync::Arc;

use roxmltree::{Document, Error, Node, NodeType, ParsingOptions, TextPos};

use crate::document::{Attribute, Element, Layout, MAX_DEPTH, Text};
use crate::{Diagnostic, SourceFile, Span};

/// More nodes than any description has; limits the memory that hostile input can use.
const MAX_NODES: u32 = 150_000;

/// Bytes of text that are searched for the unclosed element.
const MAX_SEARCHED: usize = 1 << 18;

const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Reads the text of `file`.
pub(crate) fn read(file: &Arc<SourceFile>) -> Result<Element, Box<Diagnostic>> {
    let reader = Reader { file };
    if let Some((location, message)) = bounds::beyond(&file.text) {
        return Err(Box::new(
            Diagnostic::error(reader.span(location), message)
                .label("too much")
                .help("check for tags that are not closed"),
        ));
    }
    match Document::parse_with_options(&file.text, options()) {
        Ok(document) => {
            let mut root = reader.element(document.root_element(), 1).map_err(Box::new)?;
            let comments = document.root().children().filter(Node::is_comment);
            let (before, after): (Vec<_>, Vec<_>) =
                comments.partition(|comment| comment.range().start < document.root_element().range().start);
            let texts = |comments: Vec<Node<'_, '_>>| -> Vec<String> {
                comments.iter().filter_map(|comment| comment.text().map(str::to_owned)).collect()
            };
            root.layout.comments.splice(..0, texts(before));
            root.layout.closing_comments.extend(texts(after));
            Ok(root)
        }
        Err(error) => Err(Box::new(reader.broken(&error))),
    }
}

fn options<'input>() -> ParsingOptions<'input> {
    ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() }
}

struct Reader<'a> {
    file: &'a Arc<SourceFile>,
}

impl Reader<'_> {
    /// Returns a span whose range is adjusted to the text and its character boundaries.
    fn span(&self, range: Range<usize>) -> Span {
        let text = &self.file.text;
        let start = text.floor_char_boundary(range.start.min(text.len()));
        let end = text.floor_char_boundary(range.end.min(text.len())).max(start);
        Span { file: Arc::clone(self.file), range: start..end }
    }

    fn element(&self, node: Node<'_, '_>, depth: usize) -> Result<Element, Diagnostic> {
        let span = self.name_span(node);
        if depth > MAX_DEPTH {
            return Err(Diagnostic::error(span, format!("elements are nested more than {MAX_DEPTH} deep"))
                .label("too deep")
                .help("no element of any schema is nested that deep"));
        }
        let mut children = Vec::new();
        let mut comments = Vec::new();
        let mut blank_line = false;
        for child in node.children() {
            match child.node_type() {
                NodeType::Element => {
                    let mut element = self.element(child, depth + 1)?;
                    element.layout.comments.splice(..0, comments.drain(..));
                    element.layout.blank_line = std::mem::take(&mut blank_line);
                    children.push(element);
                }
                NodeType::Comment => comments.extend(child.text().map(str::to_owned)),
                NodeType::Text => {
                    let text = child.text().unwrap_or("");
                    blank_line |=
                        comments.is_empty() && text.trim().is_empty() && text.matches('\n').count() > 1;
                }
                NodeType::Root | NodeType::PI => {}
            }
        }
        let leaf = children.is_empty();
        let layout = Layout {
            comments: if leaf { std::mem::take(&mut comments) } else { Vec::new() },
            closing_comments: comments,
            blank_line: false,
            foreign: self.foreign(node),
            unmarked: None,
            prefix: self.prefix(node),
            source: self.span(node.range()).range,
        };
        Ok(Element {
            name: node.tag_name().name().to_owned(),
            foreign: node.tag_name().namespace().is_some(),
            span,
            item: false,
            attributes: node
                .attributes()
                // Written by XML editors, and meant for them.
                .filter(|attribute| attribute.namespace() != Some(SCHEMA_INSTANCE))
                .map(|attribute| Attribute {
                    name: attribute.name().to_owned(),
                    name_span: self.span(attribute.range_qname()),
                    value: Text {
                        text: attribute.value().trim().to_owned(),
                        span: self.trimmed(attribute.range_value()),
                    },
                })
                .collect(),
            children,
            text: self.text(node),
            layout,
        })
    }

    /// Returns namespace declarations and attributes with a namespace.
    fn foreign(&self, node: Node<'_, '_>) -> Vec<(String, String)> {
        let parent: Vec<_> = node.parent().into_iter().flat_map(|parent| parent.namespaces()).collect();
        let declared = node.namespaces().filter(|namespace| !parent.contains(namespace)).map(|namespace| {
            let name = namespace.name().map_or_else(|| "xmlns".to_owned(), |name| format!("xmlns:{name}"));
            (name, namespace.uri().to_owned())
        });
        let attributes = node.attributes().filter(|attribute| attribute.namespace().is_some());
        let attributes = attributes.map(|attribute| {
            let name = self.file.text.get(attribute.range_qname()).unwrap_or(attribute.name());
            (name.to_owned(), attribute.value().to_owned())
        });
        declared.filter(|(name, _)| name != "xmlns:xml").chain(attributes).collect()
    }

    fn prefix(&self, node: Node<'_, '_>) -> Option<String> {
        let name = &self.file.text[self.name_span(node).range];
        name.split_once(':').map(|(prefix, _)| prefix.to_owned())
    }

    fn name_span(&self, node: Node<'_, '_>) -> Span {
        let start = node.range().start + 1;
        let tag = self.file.text.get(start..).unwrap_or("");
        let length = tag.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(tag.len());
        self.span(start..start + length)
    }

    /// Returns all text directly inside the element; its position is that of the first piece that is not blank.
    fn text(&self, node: Node<'_, '_>) -> Option<Text> {
        let mut text = String::new();
        let mut location = None;
        for piece in node.children().filter(|child| child.node_type() == NodeType::Text) {
            let content = piece.text().unwrap_or("");
            text.push_str(content);
            if location.is_none() && !content.trim().is_empty() {
                location = Some(self.trimmed(piece.range()));
            }
        }
        location.map(|span| Text { text: text.trim().to_owned(), span })
    }

    /// Returns the range without surrounding white space.
    fn trimmed(&self, range: Range<usize>) -> Span {
        let mut span = self.span(range);
        let text = &self.file.text[span.range.clone()];
        if !text.trim().is_empty() {
            let start = span.range.start + (text.len() - text.trim_start().len());
            span.range = start..start + text.trim().len();
        }
        span
    }

    /// Returns an error with a remedy for XML that cannot be read.
    fn broken(&self, error: &Error) -> Diagnostic {
        let at = |position: TextPos| self.span(self.offset(position)..self.offset(position) + 1);
        let end = || {
            let length = self.file.text.trim_end().len();
            self.span(length..length)
        };
        match error {
            Error::UnexpectedCloseTag(expected, actual, position) => {
                let mut span = at(*position);
                span.range.end = span.range.start + closing_tag_length(&self.file.text[span.range.start..]);
                let message = format!("`</{actual}>` does not close `<{expected}>`");
                let diagnostic =
                    Diagnostic::error(span.clone(), message).label(format!("expected `</{expected}>`"));
                self.with_open_element(diagnostic, span.range.start)
            }
            Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
                let diagnostic =
                    Diagnostic::error(end(), "the text ends in the middle of an element").label("ends here");
                self.with_open_element(diagnostic, self.file.text.len())
            }
            Error::NoRootNode => Diagnostic::error(end(), "there is no element in this file")
                .label("only white space and comments")
                .help("a description starts with `<image schemaversion=\"8.5\" name=\"...\">`"),
            Error::DtdDetected => {
                let start = self.file.text.find("<!DOCTYPE").unwrap_or(0);
                Diagnostic::error(
                    self.span(start..start + "<!DOCTYPE".len()),
                    "a document type is not accepted",
                )
                .label("not accepted in a description")
                .help("remove `<!DOCTYPE ...>`; only the entities &lt; &gt; &amp; &quot; &apos; exist")
            }
            Error::UnknownEntityReference(name, position) => {
                Diagnostic::error(at(*position), format!("the entity `&{name};` does not exist"))
                    .label("not known")
                    .help("write `&amp;` where the character & is meant")
            }
            Error::MalformedEntityReference(position) => Diagnostic::error(at(*position), "a lone `&`")
                .label("starts a reference, but none follows")
                .help("write `&amp;` where the character & is meant"),
            Error::InvalidAttributeValue(position) => {
                Diagnostic::error(at(*position), "an attribute value contains the character `<`")
                    .label("not allowed here")
                    .help("write `&lt;`, or check for a missing closing quote before this position")
            }
            Error::DuplicatedAttribute(name, position) => {
                let mut span = at(*position);
                span.range.end = span.range.start + name.len();
                let span = self.span(span.range);
                Diagnostic::error(span, format!("duplicate attribute `{name}`"))
                    .label("given a second time")
                    .help("remove one of the two")
            }
            Error::UnexpectedDeclaration(position) => Diagnostic::error(
                at(*position),
                "`<?xml ...?>` is only allowed at the very start of the file",
            )
            .label("not at the start")
            .help("remove everything before it, including blank lines"),
            Error::UnknownNamespace(prefix, position) => {
                Diagnostic::error(at(*position), format!("the prefix `{prefix}:` is not declared"))
                    .label("unknown prefix")
                    .help(format!("declare it: `xmlns:{prefix}=\"...\"`"))
            }
            Error::NonXmlChar(character, position) => Diagnostic::error(
                at(*position),
                format!("the character U+{:04X} is not allowed in XML", u32::from(*character)),
            )
            .label("remove it"),
            Error::InvalidComment(position) => Diagnostic::error(at(*position), "a comment contains `--`")
                .label("not allowed inside a comment"),
            Error::InvalidChar(expected, actual, position) => {
                let expected = char::from(*expected);
                let message = format!("expected `{expected}`, found {}", shown(*actual));
                let diagnostic =
                    Diagnostic::error(at(*position), message).label(format!("expected `{expected}`"));
                match expected {
                    '>' => diagnostic
                        .help("a closing tag contains only its name; an opening tag starts without `/`"),
                    _ => diagnostic,
                }
            }
            Error::InvalidChar2(expected, actual, position) => {
                let message = format!("expected {expected}, found {}", shown(*actual));
                let diagnostic =
                    Diagnostic::error(at(*position), message).label(format!("expected {expected}"));
                match *expected {
                    "a whitespace" => {
                        diagnostic.help("a quote is missing before this position, or there is one too many")
                    }
                    "a quote" => diagnostic.help("write the value of an attribute in quotes"),
                    _ => diagnostic,
                }
            }
            Error::UnknownToken(position) => {
                Diagnostic::error(at(*position), "only comments are allowed outside of `<image>`")
                    .label("not allowed here")
                    .help("a description is one `<image>` element; check for an extra closing tag")
            }
            Error::InvalidString(expected, position) => {
                Diagnostic::error(at(*position), format!("expected `{expected}`"))
                    .label(format!("expected `{expected}`"))
            }
            Error::NodesLimitReached | Error::AttributesLimitReached | Error::NamespacesLimitReached => {
                Diagnostic::error(
                    self.span(0..1),
                    format!("the file has more than {MAX_NODES} elements and texts"),
                )
                .label("too large")
            }
            Error::InvalidName(position) => {
                Diagnostic::error(at(*position), "a name of an element or attribute cannot start like this")
                    .label("expected a name")
                    .help("write `&lt;` where the character < is meant")
            }
            Error::InvalidXmlPrefixUri(position)
            | Error::UnexpectedXmlUri(position)
            | Error::UnexpectedXmlnsUri(position)
            | Error::InvalidElementNamePrefix(position)
            | Error::DuplicatedNamespace(_, position)
            | Error::UnexpectedEntityCloseTag(position)
            | Error::EntityReferenceLoop(position)
            | Error::InvalidExternalID(position)
            | Error::EntityResolver(position, _)
            | Error::InvalidCharacterData(position) => {
                let keywords = error.to_string();
                let message = keywords.split(" at ").next().unwrap_or(&keywords);
                Diagnostic::error(at(*position), format!("this is not XML: {message}"))
                    .label("cannot be read")
            }
        }
    }

    /// Returns the byte offset of a position that counts lines and characters from 1.
    fn offset(&self, position: TextPos) -> usize {
        let text = &self.file.text;
        let line_start = match position.row {
            0 | 1 => 0,
            row => text.match_indices('\n').nth(row as usize - 2).map_or(text.len(), |(at, _)| at + 1),
        };
        let column = (position.col as usize).saturating_sub(1);
        text[line_start..].char_indices().nth(column).map_or(text.len(), |(at, _)| line_start + at)
    }

    /// Adds the position where the innermost element that is still open at `end` was opened.
    ///
    /// The parser does not report it. Closing missing tags until the text before `end` can be read yields a tree in
    /// which the last element of every level is an open one.
    fn with_open_element(&self, diagnostic: Diagnostic, end: usize) -> Diagnostic {
        // The text is read once more for each level.
        if end > MAX_SEARCHED {
            return diagnostic;
        }
        let mut text = self.file.text[..end].to_owned();
        // An incomplete tag is not open.
        if let Some(tag) = text.rfind('<').filter(|tag| !text[*tag..].contains('>')) {
            text.truncate(tag);
        }
        let mut open = 0;
        loop {
            text.push_str("</_>");
            let error = match Document::parse_with_options(&text, options()) {
                Err(Error::UnexpectedCloseTag(expected, ..)) if open < MAX_DEPTH => expected,
                _ => break,
            };
            text.truncate(text.len() - "</_>".len());
            text.push_str(&format!("</{error}>"));
            open += 1;
            let Ok(document) = Document::parse_with_options(&text, options()) else { continue };
            let mut node = document.root_element();
            for _ in 1..open {
                node = node.last_element_child().unwrap_or(node);
            }
            let span = self.name_span(node);
            let (line, _) = span.line_and_column();
            let name = &self.file.text[span.range];
            return diagnostic
                .help(format!("`<{name}>` is opened in line {line} and not closed before this position"));
        }
        diagnostic
    }
}

fn closing_tag_length(text: &str) -> usize {
    text.find('>').map_or(text.len(), |at| at + 1)
}

fn shown(byte: u8) -> String {
    if byte.is_ascii_graphic() { format!("`{}`", char::from(byte)) } else { "something else".to_owned() }
}
