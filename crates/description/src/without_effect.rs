//! Settings that are built for some image types and have no effect where they stand: one warning for each.
//!
//! The image is right without them, so they are no errors. Keywords that no image type uses are marked in `schema`.

use crate::document::{Element, Text};
use crate::image_type::{Feature, Model, TypeRow, type_row};
use crate::schema;
use crate::{Diagnostic, Diagnostics, Span};

/// The parts of `<deploy>` that concern a client of a boot server only.
const OF_CLIENTS: [&str; 6] = ["union", "configuration", "timeout", "commandline", "kernel", "initrd"];

/// Warns about every setting of a canonical tree that has no effect.
pub(crate) fn check(root: &Element, diagnostics: &mut Diagnostics) {
    let mut found = Found(diagnostics);
    let types = || root.children("preferences").flat_map(|section| section.children("type"));
    let shared = root.child("deploy");
    release_version(root, &mut found);
    for image_type in types() {
        let keyword = image_type.value("image").map_or("", |image| image.text.as_str());
        let Some(row) = type_row(keyword).filter(|row| row.built) else { continue };
        attributes(image_type, row, shared.is_some(), &mut found);
        children(image_type, row, &mut found);
        of_format(image_type, row, &mut found);
        of_guest(image_type, row, &mut found);
        if let Some(deploy) = image_type.child("deploy") {
            of_deploy(deploy, &[row], &mut found);
        }
    }
    if let Some(deploy) = shared {
        let rows: Vec<&TypeRow> = types()
            .filter(|image_type| image_type.child("deploy").is_none())
            .filter_map(|image_type| type_row(&image_type.value("image")?.text))
            .collect();
        of_deploy(deploy, &rows, &mut found);
    }
}

/// apt has no variable for the release.
fn release_version(root: &Element, found: &mut Found) {
    let managers = || root.children("preferences").filter_map(|section| section.child_text("packagemanager"));
    let apt = managers().next().is_some() && managers().all(|manager| manager.text.starts_with("apt"));
    for section in root.children("preferences").filter(|_| apt) {
        if let Some(element) = section.child("release-version") {
            found.warn(&element.span, "`<release-version>`", "apt has no variable for it");
        }
    }
}

struct Found<'a>(&'a mut Diagnostics);

impl Found<'_> {
    fn warn(&mut self, span: &Span, what: &str, label: &str) {
        self.0.push(
            Diagnostic::warning(span.clone(), format!("{what} has no effect here"))
                .rule("keyword-without-effect")
                .label(label),
        );
    }
}

fn is_on(text: Option<&Text>) -> bool {
    text.and_then(|text| schema::boolean(&text.text)) == Some(true)
}

fn attributes(image_type: &Element, row: &TypeRow, deployed: bool, found: &mut Found) {
    let filesystem = image_type.value("filesystem").map(|filesystem| filesystem.text.as_str());
    let compresses = |wanted: &str| {
        // Of other types the compression is that of the type itself, or is refused.
        !row.takes(Feature::Filesystem) || row.takes(Feature::Live) || filesystem == Some(wanted)
    };
    for attribute in &image_type.attributes {
        let reason = match attribute.name.as_str() {
            name if row.unsupported.contains(&name) => continue,
            "fsmountoptions" if !row.takes(Feature::Disk) => "only a disk has an fstab for it",
            "boot" if row.takes(Feature::TwoFilesystems) => "its boot image is built separately",
            "squashfscompression" if !compresses("squashfs") => "the system is not in a squashfs",
            "erofscompression" if !compresses("erofs") => "the system is not in an erofs",
            "kernelcmdline"
                if matches!(row.model, Some(Model::Pxe))
                    && !deployed
                    && image_type.child("deploy").is_none() =>
            {
                "`N.config`, which passes it on, is written with `<deploy>`"
            }
            _ => continue,
        };
        found.warn(
            &attribute.name_span,
            &format!("`{}` of the type `{}`", attribute.name, row.keyword),
            reason,
        );
    }
}

fn children(image_type: &Element, row: &TypeRow, found: &mut Found) {
    if matches!(row.model, Some(Model::Split))
        && let Some(size) = image_type.child("size")
    {
        found.warn(&size.span, "`<size>` of the type `split`", "each part has the size of its content");
    }
    if let Some(Model::Filesystem(filesystem)) = row.model
        && filesystem.is_read_only()
        && let Some(size) = image_type.child("size")
        && let Some(additive) = size.attribute("additive").filter(|additive| is_on(Some(&additive.value)))
    {
        let what = format!("`additive` of the type `{}`", row.keyword);
        found.warn(&additive.name_span, &what, "a read-only file system has no free space");
    }
    let config = image_type.child("oemconfig");
    let shuts_down = ["oem-shutdown", "oem-shutdown-interactive"]
        .iter()
        .any(|name| is_on(config.and_then(|config| config.child_text(name))));
    let reboot = config.and_then(|config| config.child("oem-reboot")).filter(|_| !shuts_down);
    let off = |text: &Text| schema::boolean(&text.text) == Some(false);
    if let Some(reboot) = reboot.filter(|reboot| reboot.text.as_ref().is_some_and(off)) {
        let label = "the machine reboots after an installation, unless `<oem-shutdown>` is on";
        found.warn(&reboot.span, "`<oem-reboot>false</oem-reboot>`", label);
    }
}

/// Warns about settings of a disk that concern another format.
fn of_format(image_type: &Element, row: &TypeRow, found: &mut Found) {
    if !row.takes(Feature::Disk) {
        return;
    }
    let format = image_type.value("format").map_or("raw", |format| format.text.as_str());
    let machine = image_type.child("machine");
    let disk = machine.and_then(|machine| machine.child("vmdisk"));
    for (element, name, concerned) in [
        (Some(image_type), "vhdfixedtag", "vhd-fixed"),
        (Some(image_type), "gcelicense", "gce"),
        (disk, "diskmode", "vmdk"),
        (machine, "min_memory", "ova"),
        (machine, "max_memory", "ova"),
        (machine, "min_cpu", "ova"),
        (machine, "max_cpu", "ova"),
    ] {
        let attribute = element.and_then(|element| element.attribute(name));
        if let Some(attribute) = attribute.filter(|_| format != concerned) {
            let label = format!("concerns `format=\"{concerned}\"` only");
            found.warn(&attribute.name_span, &format!("`{name}`"), &label);
        }
    }
    for config in image_type.children("vagrantconfig").filter(|_| format != "vagrant") {
        found.warn(&config.span, "`<vagrantconfig>`", "concerns `format=\"vagrant\"` only");
    }
}

/// Warns about settings of a machine that a guest of Xen does not have.
fn of_guest(image_type: &Element, row: &TypeRow, found: &mut Found) {
    if !matches!(row.model, Some(Model::Xen)) {
        return;
    }
    for config in image_type.children("vagrantconfig") {
        found.warn(&config.span, "`<vagrantconfig>`", "the type `xen` makes no box of vagrant");
    }
    let Some(machine) = image_type.child("machine") else { return };
    let label = "a guest of Xen does not have it";
    let disks = machine.children("vmdisk").map(|disk| (disk, &["controller", "id", "diskmode"][..]));
    let cards = machine.children("vmnic").map(|card| (card, &["driver", "mode"][..]));
    let own = [(machine, &["HWversion", "min_memory", "min_cpu"][..])];
    for (element, names) in own.into_iter().chain(disks).chain(cards) {
        for attribute in names.iter().filter_map(|name| element.attribute(name)) {
            let what = format!("`{}` of `<{}>`", attribute.name, element.name);
            found.warn(&attribute.name_span, &what, label);
        }
    }
    for drive in machine.children("vmdvd") {
        found.warn(&drive.span, "`<vmdvd>`", label);
    }
    let guest =
        machine.attribute("guestOS").filter(|guest| !["pv", "pvh"].contains(&guest.value.text.as_str()));
    if let Some(guest) = guest {
        found.warn(&guest.name_span, "`guestOS`", "expected the kind of guest, `pv` or `pvh`");
    }
}

/// Warns about the parts of a `<deploy>` that none of its types uses.
fn of_deploy(deploy: &Element, rows: &[&TypeRow], found: &mut Found) {
    let configures =
        |row: &&TypeRow| matches!(row.model, Some(Model::Filesystem(_) | Model::Pxe | Model::Split));
    if rows.is_empty() || rows.iter().any(configures) {
        return;
    }
    if !rows.iter().any(|row| row.takes(Feature::Disk)) {
        found.warn(&deploy.span, "`<deploy>`", "none of its image types is deployed");
        return;
    }
    let label = "concerns clients of a boot server, not a disk";
    for attribute in &deploy.attributes {
        found.warn(&attribute.name_span, &format!("`{}` of `<deploy>`", attribute.name), label);
    }
    for child in deploy.children.iter().filter(|child| OF_CLIENTS.contains(&child.name.as_str())) {
        found.warn(&child.span, &format!("`<{}>` in `<deploy>`", child.name), label);
    }
}
