//! The elements of an XML document, one after the other, so that a list of any length needs the memory of one entry.

use std::io::BufRead;

use anyhow::{Result, bail, ensure};
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

/// The greatest depth of nested elements that are kept.
const DEPTH: usize = 32;

/// An element with everything in it. Names are without their prefix.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    /// Returns the name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the text directly in the element, without the blanks around it.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// Returns the value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the value of an attribute that must be present.
    pub(super) fn required(&self, name: &str) -> Result<&str> {
        let value = self.attribute(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| anyhow::anyhow!("the element <{}> has no attribute {name}", self.name))
    }

    /// Returns the first child of the name.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Returns a child that must be present.
    pub(super) fn required_child(&self, name: &str) -> Result<&Element> {
        self.child(name).ok_or_else(|| anyhow::anyhow!("the element <{}> has no <{name}>", self.name))
    }

    /// Returns all children of the name, in their order.
    pub(super) fn children<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Returns the number in an attribute that may be missing.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>> {
        self.attribute(name).map(|text| number(text, &self.name)).transpose()
    }
}

/// Reads a number of an element.
pub(super) fn number(text: &str, element: &str) -> Result<u64> {
    text.parse().map_err(|_| anyhow::anyhow!("the number {text:?} in <{element}> is invalid"))
}

/// Calls `each` with every child of the root element, which must have the name `root`. Elements whose name `skipped`
/// contains are left out with everything in them.
pub(super) fn each_child(
    source: impl BufRead,
    root: &str,
    skipped: &[&str],
    mut each: impl FnMut(Element) -> Result<()>,
) -> Result<()> {
    let mut reader = Reader::from_reader(source);
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    // The elements that are open: none before the root, and from the root on every kept one.
    let mut open: Vec<Element> = Vec::new();
    let mut complete = false;
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer)? {
            Event::Start(start) => {
                let element = started(&start)?;
                ensure!(!complete, "the document goes on after its end");
                if open.is_empty() {
                    ensure!(element.name == root, "it is a document <{}>, not <{root}>", element.name);
                } else if skipped.contains(&element.name.as_str()) {
                    let end = start.to_end().into_owned();
                    let mut skipped = Vec::new();
                    reader.read_to_end_into(end.name(), &mut skipped)?;
                    continue;
                }
                ensure!(open.len() < DEPTH, "its elements are nested too deeply");
                open.push(element);
            }
            Event::End(_) => {
                let Some(element) = open.pop() else { bail!("an element ends that was not started") };
                match open.as_mut_slice() {
                    [] => complete = true,
                    [_] => each(element)?,
                    [.., parent] => parent.children.push(element),
                }
            }
            Event::Text(text) => add(&mut open, &text.xml10_content()),
            Event::CData(text) => add(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = resolved(&reference)?;
                add(&mut open, character.encode_utf8(&mut [0; 4]));
            }
            Event::Eof => break,
            Event::Empty(_) | Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    ensure!(complete, "it is incomplete: <{root}> does not end");
    Ok(())
}

/// Adds text to the innermost element; the root's own is of no use.
fn add(open: &mut [Element], text: &str) {
    if let [_, .., innermost] = open {
        innermost.text.push_str(text);
    }
}

/// Returns the element that a tag starts.
fn started(start: &BytesStart<'_>) -> Result<Element> {
    let mut element = Element { name: start.local_name().as_ref().to_owned(), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0)?;
        element.attributes.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
    }
    Ok(element)
}

/// Returns the character of `&amp;` or `&#38;`; a document type's own entities are refused.
fn resolved(reference: &BytesRef<'_>) -> Result<char> {
    if let Some(character) = reference.resolve_char_ref()? {
        return Ok(character);
    }
    let name = reference.xml10_content();
    let known = quick_xml::escape::resolve_predefined_entity(&name);
    known
        .and_then(|text| text.chars().next())
        .ok_or_else(|| anyhow::anyhow!("the entity &{name}; is unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Element>> {
        let mut elements = Vec::new();
        each_child(text.as_bytes(), "list", &["huge"], |element| {
            elements.push(element);
            Ok(())
        })?;
        Ok(elements)
    }

    #[test]
    fn children_come_one_by_one_with_text_and_attributes() {
        let text = "<?xml version='1.0'?><!DOCTYPE list><x:list xmlns:x='u'> a\n\
            <x:one k='1 &lt; 2'> &amp;&#65;<![CDATA[<b>]]> <huge><huge>no</huge></huge></x:one><two><in/><in n='2'/></two></x:list>\n";
        let elements = read(text).unwrap();
        assert_eq!(elements.len(), 2);
        assert_eq!(elements[0].name(), "one");
        assert_eq!(elements[0].attribute("k"), Some("1 < 2"));
        assert_eq!(elements[0].text(), "&A<b>");
        assert!(elements[0].child("huge").is_none());
        assert_eq!(elements[1].children("in").count(), 2);
        assert_eq!(elements[1].children("in").nth(1).unwrap().number("n").unwrap(), Some(2));
    }

    #[test]
    fn other_and_damaged_documents_are_refused() {
        for text in [
            "",
            "<other/>",
            "<list>",
            "<list><a></list>",
            "<list/><list/>",
            "<list><a>&unknown;</a></list>",
            "<list><a k='&unknown;'/></list>",
            "<list><a k=1/></list>",
            &format!("<list>{}{}</list>", "<a>".repeat(99), "</a>".repeat(99)),
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
