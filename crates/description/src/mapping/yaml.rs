//! YAML.
//!
//! The events of the parser become nodes immediately, so that nothing is held that exceeds the limits. Anchors, aliases and
//! merge keys work as usual; an expanded alias keeps the position of its anchor.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::{DuplicateKeys, Key, Kind, Node, Reader, first_line, unquoted};
use crate::Diagnostic;

pub(super) fn read(reader: &mut Reader) -> Result<Node, Diagnostic> {
    let parser = Parser::new_from_str(reader.text());
    let location = Location { text: reader.text(), character: 0, byte: 0 };
    let mut yaml = Yaml { reader, parser, location, anchors: BTreeMap::new() };
    let mut root = None;
    loop {
        let (event, range) = yaml.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::Nothing | Event::DocumentStart(_) | Event::DocumentEnd => {}
            _ if root.is_some() => {
                return Err(yaml
                    .reader
                    .error(range, "the file has more than one document")
                    .label("a second one starts here")
                    .help("a description is one document"));
            }
            event => root = Some(yaml.node(event, range, 1)?),
        }
    }
    Ok(root.unwrap_or(Node { range: 0..0, kind: Kind::Nothing }))
}

struct Yaml<'r, 'a> {
    reader: &'r mut Reader<'a>,
    parser: Parser<'a, StrInput<'a>>,
    location: Location<'a>,
    anchors: BTreeMap<usize, Node>,
}

impl<'a> Yaml<'_, 'a> {
    fn next(&mut self) -> Result<(Event<'a>, Range<usize>), Diagnostic> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.location.range(span))),
            Some(Err(error)) => Err(self.broken(&error)),
            None => Ok((Event::StreamEnd, 0..0)),
        }
    }

    fn node(&mut self, event: Event<'a>, range: Range<usize>, depth: usize) -> Result<Node, Diagnostic> {
        self.reader.count(&range, depth)?;
        let text = self.reader.text();
        let (anchor, node) = match event {
            Event::Scalar(content, style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &range)?;
                let plain = style == ScalarStyle::Plain;
                let nothing = plain && matches!(&*content, "" | "~" | "null" | "Null" | "NULL");
                let kind = if nothing { Kind::Nothing } else { Kind::Scalar(content.into_owned()) };
                let range = match style {
                    ScalarStyle::Plain => range,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => unquoted(text, range),
                    ScalarStyle::Literal | ScalarStyle::Folded => block(text, range),
                };
                (anchor, Node { range, kind })
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &range)?;
                let mut items = Vec::new();
                loop {
                    let (event, range) = self.next()?;
                    match event {
                        Event::SequenceEnd | Event::StreamEnd => break,
                        event => items.push(self.node(event, range, depth + 1)?),
                    }
                }
                (anchor, Node { range, kind: Kind::List(items) })
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &range)?;
                let entries = self.entries(depth)?;
                let end = entries.first().map_or(range.end, |(_, value)| value.range.end);
                let end = end + usize::from(text[end..].starts_with(['"', '\'']));
                let range = first_line(text, range.start..end.max(range.end));
                (anchor, Node { range, kind: Kind::Mapping(entries) })
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(self
                        .reader
                        .error(range, "this alias is inside its own anchor")
                        .label("endless")
                        .help("write the value out"));
                };
                self.count_all(&node, depth)?;
                return Ok(node);
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => (0, Node { range, kind: Kind::Nothing }),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<(Key, Node)>, Diagnostic> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut merged: Vec<(Key, Node)> = Vec::new();
        loop {
            let (event, range) = self.next()?;
            let key = match event {
                Event::MappingEnd | Event::StreamEnd => break,
                event => self.node(event, range, depth + 1)?,
            };
            let (event, range) = self.next()?;
            let value = self.node(event, range, depth + 1)?;
            let Kind::Scalar(text) = key.kind else {
                return Err(self
                    .reader
                    .error(key.range, "a key is not a text")
                    .label("expected the name of an element or attribute"));
            };
            let key = Key { text, range: key.range };
            if key.text == "<<" {
                merged.extend(self.merged(value)?);
            } else if seen.insert(key.text.clone()) || self.reader.duplicate_keys == DuplicateKeys::Kept {
                entries.push((key, value));
            } else {
                return Err(self.reader.twice(&key));
            }
        }
        // The keys of the mapping itself take precedence, then those that are merged first.
        for (key, value) in merged {
            if seen.insert(key.text.clone()) {
                entries.push((key, value));
            }
        }
        Ok(entries)
    }

    fn merged(&self, value: Node) -> Result<Vec<(Key, Node)>, Diagnostic> {
        match value.kind {
            Kind::Mapping(entries) => Ok(entries),
            Kind::List(items) => {
                let all: Result<Vec<_>, _> = items.into_iter().map(|item| self.merged(item)).collect();
                Ok(all?.into_iter().flatten().collect())
            }
            Kind::Nothing | Kind::Scalar(_) => Err(self
                .reader
                .error(value.range, "`<<` merges mappings, and this is not a mapping")
                .label("expected an alias of a mapping")),
        }
    }

    /// Counts the nodes of an alias as if they were written out.
    fn count_all(&mut self, node: &Node, depth: usize) -> Result<(), Diagnostic> {
        self.reader.count(&node.range, depth)?;
        match &node.kind {
            Kind::Nothing | Kind::Scalar(_) => Ok(()),
            Kind::List(items) => items.iter().try_for_each(|item| self.count_all(item, depth + 1)),
            Kind::Mapping(entries) => {
                entries.iter().try_for_each(|(_, value)| self.count_all(value, depth + 1))
            }
        }
    }

    fn refuse_tag(&self, tag: Option<&Tag>, range: &Range<usize>) -> Result<(), Diagnostic> {
        match tag {
            Some(tag) if !tag.is_yaml_core_schema() => Err(self
                .reader
                .error(range.clone(), format!("the tag `{tag}` has no meaning here"))
                .label("tagged")
                .help("remove it; to include a file, write `include: {from: FILE}`")),
            _ => Ok(()),
        }
    }

    fn broken(&mut self, error: &ScanError) -> Diagnostic {
        let mut at = self.location.byte(error.marker().index());
        let text = self.reader.text();
        let mut help = None;
        if error.info().contains("tab") {
            at += text[at..].find('\t').unwrap_or(0);
            help = Some("YAML is indented with blanks, not with tabs");
        } else if error.info().contains("quoted scalar") {
            help = Some("check for a missing closing quote");
        }
        let diagnostic = self
            .reader
            .error(at..at + 1, format!("this is not YAML: {}", error.info()))
            .label("cannot be read");
        match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

/// Returns a block text without its `|` or `>` and without the indentation of its first line.
fn block(text: &str, range: Range<usize>) -> Range<usize> {
    let covered = text.get(range.clone()).unwrap_or("");
    let Some(line_end) = covered.find('\n') else { return range };
    let body = &covered[line_end..];
    let start = range.start + line_end + (body.len() - body.trim_start().len());
    start.min(range.end)..range.start + covered.trim_end().len().max(start - range.start)
}

/// Converts character offsets to byte offsets; they are requested almost in ascending order.
struct Location<'a> {
    text: &'a str,
    character: usize,
    byte: usize,
}

impl Location<'_> {
    fn range(&mut self, span: Span) -> Range<usize> {
        let start = self.byte(span.start.index());
        let end = self.byte(span.end.index());
        start..end.max(start)
    }

    fn byte(&mut self, character: usize) -> usize {
        while self.character < character {
            let Some(next) = self.text[self.byte..].chars().next() else { break };
            self.byte += next.len_utf8();
            self.character += 1;
        }
        while self.character > character {
            let Some(before) = self.text[..self.byte].chars().next_back() else { break };
            self.byte -= before.len_utf8();
            self.character -= 1;
        }
        self.byte
    }
}
