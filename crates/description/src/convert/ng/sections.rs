//! The sections outside of `<type>`: settings, repositories, drivers and packages.

use super::Found;
use crate::document::{Element, Text};
use crate::schema;
use crate::upgrade::edit::{sections, take_attribute, take_children, types as types_of};

pub(super) fn spell(root: &mut Element, found: &mut Found) {
    package_manager(root, found);
    preferences(root, found);
    repositories(root, found);
    drivers(root);
    packages(root, found);
    root.children.retain(|child| child.name != "extension" || !child.children.is_empty());
    unused_sections(root, found);
}

/// Drops sections that concern no type, and those that say nothing.
fn unused_sections(root: &mut Element, found: &mut Found) {
    let is_split =
        |image_type: &Element| image_type.value("image").is_some_and(|image| image.text == "split");
    let types = root.children("preferences").flat_map(|section| section.children("type"));
    let has_split = types.filter(|image_type| is_split(image_type)).count() > 0;
    let mut lists = if has_split { Vec::new() } else { take_children(root, "split") };
    for image_type in types_of(root).filter(|image_type| !is_split(image_type)) {
        lists.extend(take_children(image_type, "split"));
    }
    for list in lists {
        found.dropped(&list.span, "`<split>` without the image type `split`");
    }
    let is_empty =
        |child: &Element| child.name == "deploy" && child.attributes.is_empty() && child.children.is_empty();
    root.children.retain(|child| !is_empty(child));
    types_of(root).for_each(|image_type| image_type.children.retain(|child| !is_empty(child)));
}

/// Returns the remedy for a keyword that has no equivalent.
pub(super) fn instead_of(keyword: &str) -> &'static str {
    match keyword {
        "deploy" => {
            "write partitions as `<partitions>` and swap as `<oem-swap>`; the setup of network clients belongs on their server"
        }
        "inherit" => "copy the packages of that description, or `<include>` them",
        "compressed" => "write `compressed` in the types that it concerns",
        "split" => "`<overlayroot>` of an `oem` disk is its nearest equivalent",
        "memory" | "disk" => "write a `<machine>` in the type",
        _ => "remove it",
    }
}

fn repository_types(root: &Element) -> impl Iterator<Item = &Text> {
    root.children("repository").filter_map(|repository| repository.value("type"))
}

/// Returns whether the packages are those of Debian.
pub(super) fn uses_apt(root: &Element) -> bool {
    let managers = root.children("preferences").filter_map(|section| section.child_text("packagemanager"));
    let apt = managers.filter(|manager| manager.text != "smart").any(|manager| manager.text == "apt");
    apt || repository_types(root).any(|kind| matches!(kind.text.as_str(), "apt-deb" | "deb" | "deb-dir"))
}

/// smart read the repositories of zypper and of apt.
fn package_manager(root: &mut Element, found: &mut Found) {
    let today = if uses_apt(root) { "apt" } else { "zypper" };
    for section in sections(root, "preferences") {
        let managers = section.children.iter_mut().filter(|child| child.name == "packagemanager");
        for manager in managers.filter_map(|child| child.text.as_mut()).filter(|text| text.text == "smart") {
            let message =
                format!("the package manager `smart` is written `{today}`, which reads these repositories");
            found.changed(&manager.span, &message, "no longer exists");
            today.clone_into(&mut manager.text);
        }
    }
}

fn preferences(root: &mut Element, found: &mut Found) {
    for section in sections(root, "preferences") {
        for name in ["defaultdestination", "defaultroot"] {
            for child in take_children(section, name) {
                let message = format!("KIWI NG's schema 8.5 has no keyword for `<{name}>`");
                found.changed(&child.span, &message, "dropped: the command line names the directory");
            }
        }
        section.children.retain(|child| {
            let off = child.text.as_ref().is_some_and(|text| schema::boolean(&text.text) == Some(false));
            !(matches!(child.name.as_str(), "rpm-force" | "compressed") && off)
        });
        for child in take_children(section, "rpm-force") {
            let message = "KIWI NG's schema 8.5 has no keyword for `<rpm-force>`";
            found.changed(&child.span, message, "dropped: packages with the same files are an error");
        }
        locale(section, found);
    }
}

/// KIWI NG names languages without an encoding; each is UTF-8.
fn locale(section: &Element, found: &mut Found) {
    let Some(text) = section.child_text("locale") else { return };
    for locale in text.items() {
        let (name, encoding) = locale.text.split_once('.').unwrap_or((&locale.text, "UTF-8"));
        let is_utf_8 = matches!(encoding.to_ascii_lowercase().as_str(), "utf-8" | "utf8");
        let named = locale.text == "C" || locale.text == "POSIX" || is_language_and_country(name);
        if !(named && is_utf_8) {
            let what = format!("the locale `{}`", locale.text);
            found.unsaid(
                &locale.span,
                &what,
                "write language and country, such as `de_DE`, which means UTF-8",
            );
        }
    }
}

fn is_language_and_country(name: &str) -> bool {
    let Some((language, country)) = name.split_once('_') else { return false };
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
}

fn repositories(root: &mut Element, found: &mut Found) {
    for repository in sections(root, "repository") {
        if let Some(status) = take_attribute(repository, "status")
            && status.value.text == "replaceable"
        {
            let message = "KIWI NG replaces every repository of a boot image by those of the system";
            found.changed(&status.name_span, message, "dropped");
        }
        match repository.value("type").map(|kind| kind.text.as_str()) {
            Some("deb") => {
                for kind in repository.attributes.iter_mut().filter(|attribute| attribute.name == "type") {
                    "apt-deb".clone_into(&mut kind.value.text);
                }
            }
            // zypper finds out the kind by itself.
            Some("yast2" | "rpm-dir") => drop(take_attribute(repository, "type")),
            Some(_) | None => {}
        }
        one_of_two(repository);
        architectures(repository, found);
        let path = repository.child("source").and_then(|source| source.value("path"));
        let scheme =
            path.and_then(|path| ["debian:", "opensuse:"].into_iter().find(|own| path.text.starts_with(own)));
        if let (Some(path), Some(scheme)) = (path, scheme) {
            let message = format!("KIWI NG has no repositories with `{scheme}`");
            found.changed(&path.span, &message, "name a URI for a build with KIWI NG");
        }
    }
}

/// Only one of the two may be written.
fn one_of_two(repository: &mut Element) {
    for name in ["imageinclude", "imageonly"] {
        if repository.value(name).and_then(|value| schema::boolean(&value.text)) == Some(false) {
            take_attribute(repository, name);
        }
    }
}

/// The names are those of `arch`, and only one kind of repository has them.
fn architectures(repository: &Element, found: &mut Found) {
    let Some(attribute) = repository.attribute("architectures") else { return };
    let is_known =
        |name: &str| schema::NAMES_OF_ARCHITECTURES.iter().any(|known| known.keyword == name && !known.own);
    let is_apt = repository.value("type").is_none_or(|kind| kind.text == "apt-deb");
    if let Some(name) = schema::list_items(&attribute.value.text).find(|name| !is_known(name) || !is_apt) {
        let what = format!("the architecture `{name}` of this repository");
        found.unsaid(&attribute.value.span, &what, "remove it: the package manager knows the architecture");
    }
}

/// File names of drivers are relative to the kernel's directory of modules.
fn drivers(root: &mut Element) {
    for section in sections(root, "drivers") {
        let directory = match take_attribute(section, "type").as_ref().map(|kind| kind.value.text.as_str()) {
            Some("netdrivers") => "drivers/net/",
            Some("scsidrivers") => "drivers/scsi/",
            Some("usbdrivers") => "drivers/usb/",
            Some(_) | None => continue,
        };
        let names = section.children.iter_mut().flat_map(|file| &mut file.attributes);
        for name in names.filter(|attribute| attribute.name == "name") {
            let text = name.value.text.trim_start_matches("usb/");
            name.value.text = format!("{directory}{text}");
        }
    }
}

/// Packages of disks have one name, and those of types without effect are dropped.
fn packages(root: &mut Element, found: &mut Found) {
    let built = |root: &Element, keyword: &str| {
        let types = root.children("preferences").flat_map(|section| section.children("type"));
        let mut keywords = types.filter_map(|image_type| image_type.value("image"));
        keywords.any(|image| image.text == keyword)
    };
    let (xen, split) = (built(root, "xen"), built(root, "split"));
    root.children.retain_mut(|section| {
        if section.name != "packages" {
            return true;
        }
        let Some(kind) = section.attributes.iter_mut().find(|attribute| attribute.name == "type") else {
            return true;
        };
        let without_type = match kind.value.text.as_str() {
            "vmx" | "vmware" => {
                "oem".clone_into(&mut kind.value.text);
                false
            }
            "testsuite" => true,
            "xen" => !xen,
            "split" => !split,
            _ => false,
        };
        if without_type {
            found.dropped(&kind.value.span, &format!("`<packages type=\"{}\">`", kind.value.text));
        }
        !without_type
    });
}
