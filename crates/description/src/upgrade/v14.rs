//! From the words of schema 1.4 (2007) to canonical ones.
//!
//! | 1.4 | canonical |
//! |---|---|
//! | `image/@schemeversion` | `schemaversion` |
//! | text of `<type>` | `type/@image` |
//! | `preferences/size` | `<size>` of every type |
//! | `users/@group` | `user/@groups`, supplementary |
//! | `user/@pwd` | `password` |
//! | `packages/@type="boot"` | `bootstrap` |
//! | `<opensusePattern>` | `<namedCollection>` |

use crate::document::{Attribute, Element, Text};

/// Set on a user whose groups do not include the login group. No schema has this word: only this step writes it.
pub(crate) const SUPPLEMENTARY: &str = "supplementary-groups";

/// Rewrites the tree.
pub(super) fn upgrade(root: &mut Element) {
    rename_attribute(root, "schemeversion", "schemaversion");
    for section in &mut root.children {
        match section.name.as_str() {
            "preferences" => preferences(section),
            "users" => users(section),
            "packages" => packages(section),
            _ => {}
        }
    }
}

fn rename_attribute(element: &mut Element, from: &str, to: &str) {
    for attribute in element.attributes.iter_mut().filter(|attribute| attribute.name == from) {
        attribute.name = to.to_owned();
    }
}

/// The one size of the image is the size of each of its types.
fn preferences(section: &mut Element) {
    let size = section.child("size").cloned();
    section.children.retain(|child| child.name != "size");
    for image_type in section.children.iter_mut().filter(|child| child.name == "type") {
        if let Some(word) = image_type.text.take() {
            image_type.attributes.push(Attribute {
                name: "image".to_owned(),
                name_span: word.span.clone(),
                value: word,
            });
        }
        image_type.children.extend(size.clone());
    }
}

/// The chapter has one section per group and adds its users to that group beside their login group.
fn users(section: &mut Element) {
    let group = section.attribute("group").cloned();
    section.attributes.retain(|attribute| attribute.name != "group");
    for user in &mut section.children {
        rename_attribute(user, "pwd", "password");
        if let Some(group) = &group {
            user.attributes.push(Attribute { name: "groups".to_owned(), ..group.clone() });
        }
        user.attributes.push(Attribute {
            name: SUPPLEMENTARY.to_owned(),
            name_span: user.span.clone(),
            value: Text { text: "true".to_owned(), span: user.span.clone() },
        });
    }
}

fn packages(section: &mut Element) {
    for attribute in &mut section.attributes {
        if attribute.name == "type" && attribute.value.text == "boot" {
            attribute.value.text = "bootstrap".to_owned();
        }
    }
    for child in section.children.iter_mut().filter(|child| child.name == "opensusePattern") {
        child.name = "namedCollection".to_owned();
    }
}
