//! Sections about one kind of image that the types of the description cannot use.

use super::{Found, Rule, type_of, types};
use crate::SchemaVersion;
use crate::document::Element;
use crate::image_type::{Feature, TYPES, TypeRow, listed_types};
use crate::suggest::listed;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "installation-of-a-disk", check: oemconfig },
    Rule { name: "size-of-a-type-with-a-size", check: size },
    Rule { name: "files-of-a-split-image", check: split },
];

fn oemconfig(root: &Element, found: &mut Found) {
    for image_type in types(root) {
        if let Some(config) = image_type.child("oemconfig")
            && type_of(image_type).is_some_and(|row| !row.takes(Feature::Disk))
        {
            found.element(
                config,
                "does not fit this image type",
                "nothing is installed or grows here",
                &format!("it fits {}; remove it", listed_types(Feature::Disk, SchemaVersion::NEWEST)),
            );
        }
    }
}

/// A size of all types, as old schemas have it, is of use if one of them has a size.
fn size(root: &Element, found: &mut Found) {
    let sized = |image_type: &Element| type_of(image_type).is_none_or(TypeRow::has_size);
    let used: Vec<_> = types(root)
        .filter(|image_type| sized(image_type))
        .filter_map(|image_type| image_type.child("size"))
        .map(|size| &size.span)
        .collect();
    let mut told = Vec::new();
    for image_type in types(root).filter(|image_type| !sized(image_type)) {
        let Some(size) = image_type.child("size") else { continue };
        if used.contains(&&size.span) || told.contains(&&size.span) {
            continue;
        }
        told.push(&size.span);
        let fitting = TYPES.iter().filter(|row| row.sized).map(|row| row.keyword);
        found.element(
            size,
            "does not fit this image type",
            "its size is always that of its content",
            &format!("it fits {}; remove it", listed(fitting)),
        );
    }
}

fn split(root: &Element, found: &mut Found) {
    let is_split = |image_type: &Element| type_of(image_type).is_some_and(|row| row.keyword == "split");
    let inside = types(root).filter(|image_type| !is_split(image_type));
    let inside = inside.filter_map(|image_type| image_type.child("split"));
    let outside = root.child("split").filter(|_| !types(root).any(is_split));
    for section in inside.chain(outside) {
        found.element(
            section,
            "does not fit this image type",
            "the files of two parts, and this image has one",
            "it fits `split`; remove it",
        );
    }
}
