//! Rules of the boot image that dracut makes.
//!
//! KIWI NG leaves the boot image to dracut, whose modules come from packages of the description. kiwi needs none of them, so
//! a missing one is only a warning, and only if the description names dracut.

use super::{Found, Rule, is, switched_on, takes, types};
use crate::document::{Attribute, Element};
use crate::image_type::Feature;
use crate::schema;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "dracut-module-to-install", check: install },
    Rule { name: "dracut-module-to-resize", check: resize },
    Rule { name: "dracut-module-of-an-overlay", check: overlay },
];

/// The disks for which the description itself selects dracut.
fn with_dracut(root: &Element) -> impl Iterator<Item = (&Element, &Attribute)> {
    types(root)
        .filter(|image_type| takes(image_type, Feature::Disk) && is(image_type, "initrd_system", &["dracut"]))
        .filter_map(|image_type| Some((image_type, image_type.attribute("initrd_system")?)))
}

/// Warns if no packages section contains the module; Debian's packages have other names.
fn needs(root: &Element, dracut: &Attribute, modules: [&str; 2], found: &mut Found) {
    let listed = root
        .children("packages")
        .flat_map(|section| section.children("package"))
        .filter_map(|package| package.value("name"))
        .any(|name| modules.contains(&name.text.as_str()));
    // An inherited description may contain it.
    if !listed && root.attribute("inherit").is_none() {
        let [module, of_debian] = modules;
        found.warn(
            dracut,
            &format!("without the package `{module}`"),
            "KIWI NG refuses this",
            &format!(
                "add `<package name=\"{module}\"/>`, on Debian `{of_debian}`; this kiwi does not need it"
            ),
        );
    }
}

fn install(root: &Element, found: &mut Found) {
    for (image_type, dracut) in with_dracut(root) {
        if ["installiso", "installstick", "installpxe"]
            .iter()
            .any(|name| switched_on(image_type, name).is_some())
        {
            needs(root, dracut, ["dracut-kiwi-oem-dump", "kiwi-dracut-oem-dump"], found);
        }
    }
}

fn resize(root: &Element, found: &mut Found) {
    for (image_type, dracut) in with_dracut(root) {
        let resize = image_type.child("oemconfig").and_then(|config| config.child_text("oem-resize"));
        if resize.and_then(|resize| schema::boolean(&resize.text)) != Some(false) {
            needs(root, dracut, ["dracut-kiwi-oem-repart", "kiwi-dracut-oem-repart"], found);
        }
    }
}

fn overlay(root: &Element, found: &mut Found) {
    for (image_type, dracut) in with_dracut(root) {
        if switched_on(image_type, "overlayroot").is_some() {
            needs(root, dracut, ["dracut-kiwi-overlay", "kiwi-dracut-overlay"], found);
        }
    }
}
