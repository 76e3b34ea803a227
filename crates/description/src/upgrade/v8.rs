//! From the schemas 7.0 to 8.4.
//!
//! | until | old | new |
//! |---|---|---|
//! | 7.1 | `type/@bootloader`, `@boottimeout`, `@bootloader_console`, `@zipl_targettype` | `<bootloader>` |
//! | 7.3 | package managers `apt-get`, `yum` | `apt`, `dnf` |
//! | 7.4 | `containerconfig/@additionaltags` | `additionalnames` |
//! | 7.5 | package manager `dnf` | `dnf4` |
//! | 8.2 | `@btrfs_root_is_snapshot` | `btrfs_root_is_snapper_snapshot` |
//! | 8.3 | `bootloader/@console` | `output_console`, `input_console` |

use super::edit::{
    attribute, element, rename_attribute, replace_keyword, sections, take_attribute, take_children, types,
};
use crate::document::{Attribute, Element, Text};

/// Boot loaders that GRUB 2 replaces.
const REPLACED: [&str; 4] = ["grub", "extlinux", "syslinux", "isolinux"];

/// Keywords of `console` for input devices.
const INPUT: [&str; 5] = ["none", "console", "serial", "at_keyboard", "usb_keyboard"];

pub(super) fn bootloader(root: &mut Element) {
    const MOVED: [(&str, &str); 4] = [
        ("bootloader", "name"),
        ("boottimeout", "timeout"),
        ("bootloader_console", "console"),
        ("zipl_targettype", "targettype"),
    ];
    for image_type in types(root) {
        let mut attributes: Vec<Attribute> = Vec::new();
        for (old, new) in MOVED {
            if let Some(mut moved) = take_attribute(image_type, old) {
                new.clone_into(&mut moved.name);
                attributes.push(moved);
            }
        }
        let settings = take_children(image_type, "bootloadersettings");
        let location = attributes.first().map(|first| first.name_span.clone());
        let Some(location) = location.or_else(|| settings.first().map(|first| first.span.clone())) else {
            continue;
        };
        for name in attributes.iter_mut().filter(|attribute| attribute.name == "name") {
            if REPLACED.contains(&name.value.text.as_str()) {
                "grub2".clone_into(&mut name.value.text);
            }
        }
        if !attributes.iter().any(|attribute| attribute.name == "name") {
            attributes.insert(0, attribute("name", "grub2", &location));
        }
        let mut bootloader = element("bootloader", &location);
        bootloader.attributes = attributes;
        bootloader.children = settings;
        image_type.children.push(bootloader);
    }
}

fn package_managers(root: &mut Element, keywords: &[(&str, &str)]) {
    for section in sections(root, "preferences") {
        for manager in section.children.iter_mut().filter(|child| child.name == "packagemanager") {
            for (from, to) in keywords {
                if let Some(text) = &mut manager.text {
                    replace_keyword(text, from, to);
                }
            }
        }
    }
}

pub(super) fn package_manager_keywords(root: &mut Element) {
    package_managers(root, &[("apt-get", "apt"), ("yum", "dnf")]);
}

pub(super) fn dnf4(root: &mut Element) {
    package_managers(root, &[("dnf", "dnf4")]);
}

/// A tag alone becomes a name without repository.
pub(super) fn additional_names(root: &mut Element) {
    for image_type in types(root) {
        for config in image_type.children.iter_mut().filter(|child| child.name == "containerconfig") {
            if config.attribute("additionalnames").is_some() {
                continue;
            }
            rename_attribute(config, "additionaltags", "additionalnames");
            for names in config.attributes.iter_mut().filter(|names| names.name == "additionalnames") {
                let tags = names.value.items();
                let named = tags.iter().map(|tag| format!(":{}", tag.text)).collect::<Vec<_>>();
                names.value.text = named.join(",");
            }
        }
    }
}

pub(super) fn snapper(root: &mut Element) {
    for image_type in types(root) {
        rename_attribute(image_type, "btrfs_root_is_snapshot", "btrfs_root_is_snapper_snapshot");
    }
}

pub(super) fn consoles(root: &mut Element) {
    for image_type in types(root) {
        for bootloader in image_type.children.iter_mut().filter(|child| child.name == "bootloader") {
            let Some(console) = take_attribute(bootloader, "console") else { continue };
            let input: Vec<String> = console
                .value
                .keywords()
                .into_iter()
                .map(|keyword| keyword.text)
                .filter(|keyword| INPUT.contains(&keyword.as_str()))
                .collect();
            if !input.is_empty() {
                bootloader.attributes.push(Attribute {
                    name: "input_console".to_owned(),
                    name_span: console.name_span.clone(),
                    value: Text { text: input.join(" "), span: console.value.span.clone() },
                });
            }
            bootloader.attributes.push(Attribute { name: "output_console".to_owned(), ..console });
        }
    }
}
