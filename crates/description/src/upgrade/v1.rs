//! From the schemas 1.4 to 3.9.
//!
//! | until | old | new |
//! |---|---|---|
//! | 1.4 | `packages/@type="boot"` | `bootstrap` |
//! | 1.4 | `type/@filesystem="rw,ro"` of `split` | `fsreadwrite`, `fsreadonly` |
//! | 1.4 | no `<packagemanager>` | `smart` |
//! | 2.4 | `image/@schemeversion` | `schemaversion` |
//! | 3.8 | `preferences/oem-*` | `<oemconfig>` |
//! | 3.9 | text of `<type>` | `type/@image` |
//! | 3.9 | `preferences/size` and sections about one kind of type | inside the types they concern |

use super::edit::{
    default_package_manager, element, is_type, rename_attribute, rename_children, replace_keyword, sections,
    take_attribute, take_children, types,
};
use crate::document::{Attribute, Element, Text};
use crate::image_type::{TypeRow, type_row};

pub(super) fn bootstrap_packages(root: &mut Element) {
    for section in sections(root, "packages") {
        for attribute in section.attributes.iter_mut().filter(|attribute| attribute.name == "type") {
            replace_keyword(&mut attribute.value, "boot", "bootstrap");
        }
    }
}

pub(super) fn split_filesystems(root: &mut Element) {
    for image_type in
        types(root).filter(|child| child.text.as_ref().is_some_and(|keyword| keyword.text == "split"))
    {
        let Some(pair) = image_type.value("filesystem").map(Text::items) else { continue };
        let Ok([read_write, read_only]) = <[_; 2]>::try_from(pair) else { continue };
        if read_write.text.is_empty() || read_only.text.is_empty() {
            continue;
        }
        let Some(old) = take_attribute(image_type, "filesystem") else { continue };
        for (name, value) in [("fsreadwrite", read_write), ("fsreadonly", read_only)] {
            image_type.attributes.push(Attribute {
                name: name.to_owned(),
                name_span: old.name_span.clone(),
                value,
            });
        }
    }
}

pub(super) fn smart_is_the_default(root: &mut Element) {
    default_package_manager(root, "smart");
}

pub(super) fn schema_version_attribute(root: &mut Element) {
    rename_attribute(root, "schemeversion", "schemaversion");
}

/// Moves the settings of installed machines to one section.
pub(super) fn oem_settings(root: &mut Element) {
    let mut settings: Vec<Element> = Vec::new();
    for section in sections(root, "preferences") {
        let is_setting = |child: &Element| child.name.starts_with("oem-") && !child.foreign;
        let (taken, rest) = std::mem::take(&mut section.children).into_iter().partition(is_setting);
        section.children = rest;
        settings.extend::<Vec<Element>>(taken);
    }
    let Some(first) = settings.first() else { return };
    let mut config = element("oemconfig", &first.span);
    config.children = settings;
    root.children.push(config);
}

pub(super) fn image_attribute(root: &mut Element) {
    for image_type in types(root) {
        if let Some(keyword) = image_type.text.take() {
            image_type.attributes.insert(
                0,
                Attribute { name: "image".to_owned(), name_span: keyword.span.clone(), value: keyword },
            );
        }
    }
}

/// Moves settings for all types, or for all of one kind, into each of these types.
pub(super) fn settings_of_types(root: &mut Element) {
    for section in sections(root, "preferences") {
        let sizes = take_children(section, "size");
        // A size that no type can use stays with all of them, where it is refused.
        let sized = section.children("type").any(has_size);
        for image_type in section.children.iter_mut().filter(|child| child.name == "type") {
            if image_type.child("size").is_none() && (has_size(image_type) || !sized) {
                image_type.children.extend(sizes.first().cloned());
            }
        }
    }
    rename_children(root, "pxedeploy", "deploy");
    for (name, concerned) in [
        ("oemconfig", &["oem"][..]),
        ("lvmvolumes", &["oem", "vmx", "usb"]),
        ("vmwareconfig", &["vmx", "oem"]),
        ("xenconfig", &["xen"]),
    ] {
        for moved in take_children(root, name) {
            for image_type in types(root).filter(|image_type| is_type(image_type, concerned)) {
                image_type.children.push(moved.clone());
            }
        }
    }
}

/// Returns whether a type can have a size other than that of its content.
fn has_size(image_type: &Element) -> bool {
    let row = image_type.value("image").and_then(|keyword| type_row(&keyword.text));
    row.is_none_or(TypeRow::has_size)
}
