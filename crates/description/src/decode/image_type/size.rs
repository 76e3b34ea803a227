//! `<size>`, and lists of options.

use super::super::{boolean, number};
use crate::SizeRule;
use crate::document::Element;
use crate::schema;
use ondisk::Mebibytes;

/// Returns the size that a type specifies; none: that of its content.
pub(super) fn size(element: &Element) -> Option<SizeRule> {
    let size = element.child("size")?;
    let unit = if size.value("unit").is_some_and(|unit| unit.text == "G") { 1024 } else { 1 };
    let mebibytes = |number: u64| Mebibytes(number.saturating_mul(unit));
    let written = schema::number(&size.text.as_ref()?.text)?;
    let additive = boolean(size, "additive").unwrap_or(false);
    // Without a size the image has the one that its content needs; a rule warns about it.
    if written == 0 && !additive && size.attribute("unpartitioned").is_none() {
        return None;
    }
    Some(SizeRule {
        size: mebibytes(written),
        additive,
        unpartitioned: mebibytes(number(size, "unpartitioned").unwrap_or(0)),
    })
}

/// Returns the options of an attribute, which are separated by blanks.
pub(super) fn blank_list(element: &Element, name: &str) -> Vec<String> {
    let text = element.value(name).map(|value| value.text.as_str()).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}
