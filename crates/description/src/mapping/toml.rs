//! TOML.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::{Key, Kind, MAX_NODES, Node, Reader, first_line, unquoted};
use crate::Diagnostic;

pub(super) fn read(reader: &mut Reader) -> Result<Node, Diagnostic> {
    // The parser holds the whole file in pieces before the first of them can be counted.
    for separator in [b',', b'=', b'[', b'{'] {
        if reader.text().bytes().filter(|byte| *byte == separator).count() > MAX_NODES {
            return Err(reader.too_many(0..0));
        }
    }
    let root = DeTable::parse(reader.text()).map_err(|error| broken(reader, &error))?;
    let range = root.span();
    Ok(Node { range: first_line(reader.text(), range), kind: table(reader, root.get_ref(), 1)? })
}

fn table(reader: &mut Reader, table: &DeTable<'_>, depth: usize) -> Result<Kind, Diagnostic> {
    let mut mapping = Vec::with_capacity(table.len());
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let range = unquoted(reader.text(), key.span());
        let key = Key { text: key.get_ref().clone().into_owned(), range };
        mapping.push((key, node(reader, value, depth + 1)?));
    }
    Ok(Kind::Mapping(mapping))
}

fn node(reader: &mut Reader, value: &Spanned<DeValue<'_>>, depth: usize) -> Result<Node, Diagnostic> {
    let range = value.span();
    let start = first_line(reader.text(), range.clone());
    reader.count(&start, depth)?;
    let written = |range: &Range<usize>| reader.text().get(range.clone()).unwrap_or("").to_owned();
    let (range, kind) = match value.get_ref() {
        DeValue::String(text) => (unquoted(reader.text(), range), Kind::Scalar(text.clone().into_owned())),
        DeValue::Integer(number) if number.radix() == 10 => (range, Kind::Scalar(number.as_str().to_owned())),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            let written = written(&range);
            (range, Kind::Scalar(written))
        }
        DeValue::Array(items) => {
            let items: Result<_, _> = items.iter().map(|item| node(reader, item, depth + 1)).collect();
            (start, Kind::List(items?))
        }
        DeValue::Table(entries) => (start, table(reader, entries, depth)?),
    };
    Ok(Node { range, kind })
}

fn broken(reader: &Reader, error: &Error) -> Diagnostic {
    let range = error.span().unwrap_or(0..0);
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    let diagnostic = reader.error(range, format!("this is not TOML: {message}")).label("cannot be read");
    if message.contains("duplicate key") {
        diagnostic.help("write several elements of the same name as a list: `[[image.preferences]]`")
    } else {
        diagnostic
    }
}
