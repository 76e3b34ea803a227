//! From the schemas 6.0 to 6.9.
//!
//! | until | old | new |
//! |---|---|---|
//! | 6.0 | `<opensuseProduct>` | `<product>` |
//! | 6.2 | an ISO without `flags` | `flags="plain"` |
//! | 6.2 | no `<packagemanager>` | `zypper` |
//! | 6.3 | `users/@group`, `@id` | `user/@groups`, supplementary |
//! | 6.4 | `type/@container` | `<containerconfig>` |
//! | 6.5 | `machine/@domain="dom0"` | `type/@xen_server` |
//! | 6.9 | `<pxedeploy>` | `<deploy>`, the keyword of KIWI 1.x, which kiwi keeps |

use super::edit::{
    attribute, default_package_manager, element, is_type, rename_children, sections, take_attribute, types,
};
use crate::document::{Attribute, Element, Text};

/// Set on a user whose groups do not include the login group. No published schema has this keyword.
pub(crate) const SUPPLEMENTARY: &str = "supplementary-groups";

pub(super) fn product(root: &mut Element) {
    for section in sections(root, "packages") {
        rename_children(section, "opensuseProduct", "product");
    }
}

/// Today an ISO without flags is an overlay; earlier it was the plain layout of KIWI 1.x.
pub(super) fn plain_iso(root: &mut Element) {
    for image_type in types(root).filter(|image_type| is_type(image_type, &["iso"])) {
        if image_type.attribute("flags").is_none() {
            let flags = attribute("flags", "plain", &image_type.span);
            image_type.attributes.push(flags);
        }
    }
}

pub(super) fn zypper_is_the_default(root: &mut Element) {
    default_package_manager(root, "zypper");
}

/// There was one section for each group, which added its users to that group in addition to their login group.
pub(super) fn groups(root: &mut Element) {
    for section in sections(root, "users") {
        let group = take_attribute(section, "group");
        let id = take_attribute(section, "id");
        for user in section.children.iter_mut().filter(|child| child.name == "user") {
            if let Some(group) = &group {
                let text = match &id {
                    Some(id) => format!("{}:{}", group.value.text, id.value.text),
                    None => group.value.text.clone(),
                };
                user.attributes.push(Attribute {
                    name: "groups".to_owned(),
                    name_span: group.name_span.clone(),
                    value: Text { text, span: group.value.span.clone() },
                });
            }
            user.attributes.push(attribute(SUPPLEMENTARY, "true", &user.span.clone()));
        }
    }
}

pub(super) fn container(root: &mut Element) {
    for image_type in types(root) {
        let Some(mut name) = take_attribute(image_type, "container") else { continue };
        let mut config = element("containerconfig", &name.name_span);
        "name".clone_into(&mut name.name);
        config.attributes.push(name);
        image_type.children.push(config);
    }
}

pub(super) fn xen_server(root: &mut Element) {
    for image_type in types(root) {
        let mut server = None;
        for machine in image_type.children.iter_mut().filter(|child| child.name == "machine") {
            server = take_attribute(machine, "domain").filter(|domain| domain.value.text == "dom0");
        }
        if let Some(mut server) = server
            && image_type.attribute("xen_server").is_none()
        {
            "xen_server".clone_into(&mut server.name);
            "true".clone_into(&mut server.value.text);
            image_type.attributes.push(server);
        }
    }
}

pub(super) fn deploy(root: &mut Element) {
    rename_children(root, "pxedeploy", "deploy");
    for image_type in types(root) {
        rename_children(image_type, "pxedeploy", "deploy");
    }
}
