//! `<type>`: disks, live media, formats and compression in today's spelling.

use super::Found;
use crate::document::{Attribute, Element, Text};
use crate::image_type::{Feature, type_row};
use crate::schema;
use crate::upgrade::edit::{attribute, element, sections, take_attribute, take_children, types};

pub(super) fn spell(root: &mut Element, found: &mut Found) {
    compressed_of_all(root, found);
    machines(root, found);
    for section in sections(root, "preferences") {
        let has_oem = section.children("type").any(|other| is(other, "oem"));
        for image_type in section.children.iter_mut().filter(|child| child.name == "type") {
            disk(image_type, has_oem, found);
            live(image_type, found);
            format(image_type);
            switched_off(image_type);
            installation_media(image_type);
            partition_names(image_type, found);
            compressed(image_type, found);
            if let Some(layer) = take_attribute(image_type, "layer_compression") {
                let message = "KIWI NG's schema 8.5 has no keyword for `layer_compression`";
                found.changed(&layer.name_span, message, "dropped: KIWI NG compresses layers in its own way");
            }
        }
    }
}

/// Returns the remedy for an image type that KIWI NG does not have.
pub(super) fn instead_of(keyword: &str) -> &'static str {
    match keyword {
        "usb" => "a disk of the type `oem` can be written to a stick",
        "split" => "`overlayroot=\"true\"` of the type `oem` is its nearest equivalent",
        "xen" => "a disk of the type `oem` starts in a virtual machine of Xen",
        "vmx" => "write the disk in one `<type image=\"oem\">`",
        _ => "choose another image type",
    }
}

fn is(image_type: &Element, keyword: &str) -> bool {
    image_type.value("image").is_some_and(|image| image.text == keyword)
}

/// `vmx` is today's `oem` that is not resized at its first boot.
fn disk(image_type: &mut Element, has_oem: bool, found: &mut Found) {
    if !is(image_type, "vmx") || has_oem {
        return;
    }
    let span = image_type.span.clone();
    for image in image_type.attributes.iter_mut().filter(|attribute| attribute.name == "image") {
        "oem".clone_into(&mut image.value.text);
    }
    let boot = image_type.value("boot").filter(|boot| boot.text.contains("oemboot")).cloned();
    let installs = boot.is_some();
    match boot {
        Some(boot) if image_type.child("deploy").is_none() => {
            let help =
                "write `image=\"oem\"` with `<oem-swap>` and a `<partition>` for `/home`, and remove `boot`";
            found.unsaid(&boot.span, "the partitions that oemboot of KIWI 1.x makes", help);
            return;
        }
        Some(_) => {}
        None => {
            let keyword = image_type.value("image").map_or(&span, |image| &image.span);
            let message = "`vmx` is written `oem` with `<oem-resize>false</oem-resize>`";
            found.changed(keyword, message, "the system keeps its size at the first boot");
        }
    }
    if image_type.child("oemconfig").is_none() {
        image_type.children.push(element("oemconfig", &span));
    }
    let configs = image_type.children.iter_mut().filter(|child| child.name == "oemconfig");
    for config in configs.filter(|config| config.child("oem-resize").is_none()) {
        let mut resize = element("oem-resize", &span);
        resize.text = Some(Text { text: installs.to_string(), span: span.clone() });
        config.children.push(resize);
    }
}

/// KIWI NG has one layout with an overlay, and makes the boot image of a live medium from the system.
fn live(image_type: &mut Element, found: &mut Found) {
    if !is(image_type, "iso") {
        return;
    }
    let old = |flags: &Attribute| matches!(flags.value.text.as_str(), "plain" | "compressed" | "unified");
    let flags = image_type.attributes.iter_mut().find(|attribute| attribute.name == "flags");
    if let Some(flags) = flags.filter(|flags| old(flags)) {
        let message = format!("the layout `{}` of a live medium is written `overlay`", flags.value.text);
        found.changed(&flags.value.span, &message, "a squashfs below an overlay");
        "overlay".clone_into(&mut flags.value.text);
    }
    if let Some(boot) = take_attribute(image_type, "boot") {
        let message = "KIWI NG makes the boot image of a live medium from the system, with dracut";
        found.changed(&boot.value.span, message, "dropped");
        take_attribute(image_type, "bootprofile");
        take_attribute(image_type, "bootkernel");
    }
}

/// A raw disk has no format, and `vpc` is qemu's name of `vhd`.
fn format(image_type: &mut Element) {
    match image_type.value("format").map(|format| format.text.as_str()) {
        Some("raw") => drop(take_attribute(image_type, "format")),
        Some("vpc") => {
            for format in image_type.attributes.iter_mut().filter(|attribute| attribute.name == "format") {
                "vhd".clone_into(&mut format.value.text);
            }
        }
        Some(_) | None => {}
    }
}

/// What needs another attribute is not written when it is switched off without that one.
fn switched_off(image_type: &mut Element) {
    for (name, other) in
        [("embed_verity_metadata", "verity_blocks"), ("embed_integrity_metadata", "standalone_integrity")]
    {
        let is_off = image_type.value(name).and_then(|value| schema::boolean(&value.text)) == Some(false);
        if is_off && image_type.attribute(other).is_none() {
            take_attribute(image_type, name);
        }
    }
}

/// The names that KIWI NG reserves. Its rule also refuses every name that is a part of this text.
const RESERVED: &str = "root readonly boot prep spare swap efi_csm efi";

fn partition_names(image_type: &Element, found: &mut Found) {
    let partitions = image_type.child("partitions").into_iter().flat_map(|list| list.children("partition"));
    let names = partitions.filter_map(|partition| partition.value("name"));
    for name in names.filter(|name| RESERVED.contains(&name.text)) {
        let what = format!("a partition with the name `{}`", name.text);
        found.unsaid(&name.span, &what, "choose a name that is not part of a reserved one, such as `data`");
    }
}

/// An installation stick is the ISO.
fn installation_media(image_type: &mut Element) {
    let is_on = |name| image_type.value(name).and_then(|value| schema::boolean(&value.text)) == Some(true);
    if is_on("installstick") && !is_on("installiso") && image_type.child("installmedia").is_some() {
        let stick = take_attribute(image_type, "installstick");
        take_attribute(image_type, "installiso");
        image_type.attributes.extend(stick.map(|stick| Attribute { name: "installiso".to_owned(), ..stick }));
    }
}

fn takes_compressed(image_type: &Element) -> bool {
    let row = image_type.value("image").and_then(|image| type_row(&image.text));
    row.is_some_and(|row| row.takes(Feature::Compressed))
}

/// Moves `<compressed>` of all types into each type that it concerns.
fn compressed_of_all(root: &mut Element, found: &mut Found) {
    let is_on =
        |element: &Element| element.text.as_ref().and_then(|text| schema::boolean(&text.text)) == Some(true);
    let unconditional =
        |section: &Element| section.attribute("profiles").is_none() && section.attribute("arch").is_none();
    let concerned = |root: &Element| {
        root.children("preferences").any(|section| section.children("type").any(takes_compressed))
    };
    let mut for_all = None;
    for section in sections(root, "preferences") {
        let whole = unconditional(section) || section.children("type").any(takes_compressed);
        let Some(setting) = section.child("compressed").filter(|setting| whole && is_on(setting)) else {
            continue;
        };
        let span = setting.span.clone();
        if unconditional(section) {
            for_all = Some(span);
        } else {
            section.children.iter_mut().for_each(|image_type| switch_compressed(image_type, &span));
        }
        take_children(section, "compressed");
    }
    let Some(span) = for_all else { return };
    if concerned(root) {
        types(root).for_each(|image_type| switch_compressed(image_type, &span));
    } else {
        found.dropped(&span, "`<compressed>` in `<preferences>`");
    }
}

fn switch_compressed(image_type: &mut Element, span: &crate::Span) {
    if image_type.name == "type"
        && takes_compressed(image_type)
        && image_type.attribute("compressed").is_none()
    {
        image_type.attributes.push(attribute("compressed", "true", span));
    }
}

/// KIWI NG compresses the systems of network clients, and others when it bundles the results.
fn compressed(image_type: &mut Element, found: &mut Found) {
    let keyword = image_type.value("image").map_or("", |image| image.text.as_str());
    // Types that KIWI NG does not have are errors themselves.
    if matches!(keyword, "pxe" | "kis" | "usb" | "xen") {
        return;
    }
    let Some(compressed) = take_attribute(image_type, "compressed") else { return };
    if schema::boolean(&compressed.value.text) == Some(true) {
        let message = "KIWI NG has no keyword for the compression of this type";
        found.changed(
            &compressed.name_span,
            message,
            "dropped: `kiwi-ng result bundle` compresses the image",
        );
    }
}

/// Moves the virtual machine of `<packages type="vmware">` into the disks.
fn machines(root: &mut Element, found: &mut Found) {
    let mut machine: Option<Element> = None;
    for section in sections(root, "packages") {
        let is_vmware =
            section.value("type").is_some_and(|kind| matches!(kind.text.as_str(), "vmware" | "vmx" | "oem"));
        if !is_vmware || section.attribute("profiles").is_some() {
            continue;
        }
        let memory = take_attribute(section, "memory");
        let disk = take_attribute(section, "disk");
        let version = take_attribute(section, "HWversion");
        let guest = [take_attribute(section, "guestOS_32Bit"), take_attribute(section, "guestOS_64Bit")];
        let (Some(mut memory), Some(disk)) = (memory.clone(), disk.clone()) else {
            for alone in [memory, disk].into_iter().flatten() {
                found.dropped(&alone.name_span, &format!("`{}` of `<packages>` alone", alone.name));
            }
            continue;
        };
        let mut new = element("machine", &memory.name_span);
        "memory".clone_into(&mut memory.name);
        new.attributes.push(memory);
        new.attributes.extend(version);
        if let Some(mut guest) = guest.into_iter().flatten().next() {
            "guestOS".clone_into(&mut guest.name);
            new.attributes.push(guest);
        }
        new.children.push(virtual_disk(&disk));
        machine.get_or_insert(new);
    }
    let Some(machine) = machine else { return };
    let disks = types(root).filter(|image_type| is(image_type, "vmx") || is(image_type, "oem"));
    for disk in disks.filter(|disk| disk.child("machine").is_none()) {
        disk.children.push(machine.clone());
    }
}

/// Returns the `<vmdisk>` of a name such as `ide0` or `scsi0`.
fn virtual_disk(disk: &Attribute) -> Element {
    let span = &disk.name_span;
    let mut new = element("vmdisk", span);
    let named = |prefix| disk.value.text.strip_prefix(prefix).filter(|id| schema::number(id).is_some());
    new.attributes = match (named("ide"), named("scsi")) {
        (Some(id), _) => vec![attribute("controller", "ide", span), attribute("id", id, span)],
        (_, Some(id)) => vec![attribute("controller", "lsilogic", span), attribute("id", id, span)],
        (None, None) => vec![attribute("device", &disk.value.text, span)],
    };
    new
}
