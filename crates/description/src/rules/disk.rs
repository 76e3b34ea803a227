//! Rules of `<type>` about the disk: sizes, partitions and volumes.

use super::{Found, Rule, is, switched_on, types};
use crate::document::{Attribute, Element};
use crate::schema;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "size-of-nothing", check: empty_size },
    Rule { name: "unpartitioned-part-of-the-size", check: unpartitioned },
    Rule { name: "reserved-names-of-partitions", check: partition_names },
    Rule { name: "reserved-labels", check: labels },
    Rule { name: "labels-of-logical-volumes", check: volume_labels },
    Rule { name: "one-volume-takes-the-rest", check: whole_rest },
    Rule { name: "volume-of-the-system", check: root_volume },
    Rule { name: "attributes-of-subvolumes", check: subvolumes },
    Rule { name: "name-of-the-swap-volume", check: swap_name },
    Rule { name: "btrfs-of-a-btrfs-system", check: btrfs },
    Rule { name: "volumes-below-an-overlay", check: overlay },
    Rule { name: "partition-identifiers-in-a-gpt", check: persistency },
];

/// Labels and names of the disk's own partitions.
const RESERVED_NAMES: [&str; 8] = ["root", "readonly", "boot", "prep", "spare", "swap", "efi_csm", "efi"];
const RESERVED_LABELS: [&str; 4] = ["BOOT", "EFI", "SWAP", "SPARE"];

/// The sizes of 1.x descriptions are sometimes zero for "as needed".
fn empty_size(root: &Element, found: &mut Found) {
    for size in types(root).filter_map(|image_type| image_type.child("size")) {
        let zero = size.text.as_ref().filter(|text| schema::number(&text.text) == Some(0));
        if zero.is_some() && size.attribute("unpartitioned").is_none() {
            found.warn_element(
                size,
                "of 0 has no effect: the image has the size that its content needs",
                "no size",
                "remove it",
            );
        }
    }
}

fn unpartitioned(root: &Element, found: &mut Found) {
    for size in types(root).filter_map(|image_type| image_type.child("size")) {
        let whole = size.text.as_ref().and_then(|text| schema::number(&text.text));
        let Some(part) = size.attribute("unpartitioned") else { continue };
        if let (Some(whole), Some(number)) = (whole, schema::number(&part.value.text))
            && number > whole
        {
            found.value(part, "is more than the size itself", "too much", "it is a part of the size");
        }
    }
}

fn partitions(root: &Element) -> impl Iterator<Item = &Element> {
    types(root)
        .filter_map(|image_type| image_type.child("partitions"))
        .flat_map(|list| list.children("partition"))
}

fn volumes(image_type: &Element) -> impl Iterator<Item = &Element> {
    image_type.child("systemdisk").into_iter().flat_map(|disk| disk.children("volume"))
}

fn partition_names(root: &Element, found: &mut Found) {
    for name in partitions(root).filter_map(|partition| partition.attribute("name")) {
        if RESERVED_NAMES.contains(&name.value.text.as_str()) {
            found.value(
                name,
                "is the name of a partition that every disk may have",
                "reserved",
                "choose another name",
            );
        }
    }
}

fn labels(root: &Element, found: &mut Found) {
    for image_type in types(root) {
        let of_system = image_type.value("rootfs_label").map_or("ROOT", |label| label.text.as_str());
        let list = image_type.child("partitions");
        let partitions = list.into_iter().flat_map(|list| list.children("partition"));
        for label in volumes(image_type).chain(partitions).filter_map(|part| part.attribute("label")) {
            let label_text = label.value.text.as_str();
            if label_text == of_system || RESERVED_LABELS.contains(&label_text) {
                found.value(
                    label,
                    "is the label of a partition that every disk may have",
                    "reserved",
                    "choose another label",
                );
            }
        }
    }
}

/// Returns whether the volumes of the type are logical volumes; btrfs has subvolumes.
fn has_logical_volumes(image_type: &Element) -> bool {
    image_type.child("systemdisk").is_some_and(|disk| {
        !is(image_type, "filesystem", &["btrfs"]) || switched_on(disk, "preferlvm").is_some()
    })
}

fn volume_labels(root: &Element, found: &mut Found) {
    for image_type in types(root).filter(|image_type| !has_logical_volumes(image_type)) {
        for label in volumes(image_type).filter_map(|volume| volume.attribute("label")) {
            found.attribute(
                label,
                "needs a logical volume",
                "a subvolume of btrfs has no label",
                "remove it, or write `preferlvm=\"true\"`",
            );
        }
    }
}

fn whole_rest(root: &Element, found: &mut Found) {
    for image_type in types(root) {
        let rest = volumes(image_type).filter_map(|volume| {
            ["size", "freespace"].iter().find_map(|name| {
                volume.attribute(name).filter(|attribute: &&Attribute| attribute.value.text == "all")
            })
        });
        for second in rest.skip(1) {
            found.value(
                second,
                "occurs at a second volume",
                "only one volume can use the remaining space",
                "give the others a size",
            );
        }
    }
}

fn root_volume(root: &Element, found: &mut Found) {
    for volume in types(root).flat_map(volumes) {
        for name in ["name", "mountpoint"] {
            if let Some(attribute) = volume.attribute(name).filter(|path| path.value.text == "/") {
                found.value(
                    attribute,
                    "refers to the system itself",
                    "the system's own volume has a reserved name",
                    "write `name=\"@root\"`",
                );
            }
        }
    }
}

fn subvolumes(root: &Element, found: &mut Found) {
    for image_type in types(root) {
        if is(image_type, "filesystem", &["btrfs"]) && !has_logical_volumes(image_type) {
            continue;
        }
        for volume in volumes(image_type) {
            for attribute in ["quota", "parent"].iter().filter_map(|name| volume.attribute(name)) {
                found.attribute(
                    attribute,
                    "needs a subvolume of btrfs",
                    "these volumes are not subvolumes",
                    "it fits `filesystem=\"btrfs\"` without `preferlvm`",
                );
            }
        }
    }
}

fn swap_name(root: &Element, found: &mut Found) {
    for image_type in types(root).filter(|image_type| !has_logical_volumes(image_type)) {
        let name = image_type.child("oemconfig").and_then(|config| config.child("oem-swapname"));
        if let Some(name) = name {
            found.element(
                name,
                "needs logical volumes",
                "a partition for swap has no name",
                "add a `<systemdisk>`, or remove it",
            );
        }
    }
}

fn btrfs(root: &Element, found: &mut Found) {
    for image_type in types(root) {
        let own = |attribute: &&Attribute| attribute.name.starts_with("btrfs_");
        let other = image_type.value("filesystem").is_some_and(|keyword| keyword.text != "btrfs");
        let logical =
            image_type.child("systemdisk").is_some_and(|disk| switched_on(disk, "preferlvm").is_some());
        for attribute in image_type.attributes.iter().filter(own) {
            if other {
                found.attribute(
                    attribute,
                    "needs the file system btrfs",
                    "has no meaning for this file system",
                    "write `filesystem=\"btrfs\"`, or remove it",
                );
            } else if logical {
                found.attribute(
                    attribute,
                    "does not fit logical volumes",
                    "`preferlvm` replaces subvolumes",
                    "remove one of the two",
                );
            }
        }
    }
}

fn overlay(root: &Element, found: &mut Found) {
    for image_type in types(root) {
        if let (Some(_), Some(disk)) =
            (switched_on(image_type, "overlayroot"), image_type.child("systemdisk"))
        {
            found.element(
                disk,
                "and `overlayroot` exclude each other",
                "a read-only system has no volumes",
                "remove one of the two",
            );
        }
    }
}

fn persistency(root: &Element, found: &mut Found) {
    for image_type in types(root).filter(|image_type| is(image_type, "efiparttable", &["msdos"])) {
        let names = image_type.attribute("devicepersistency");
        if let Some(names) = names.filter(|names| names.value.text == "by-partuuid") {
            found.value(
                names,
                "does not work with an msdos partition table",
                "its partitions have no identifiers",
                "write `efiparttable=\"gpt\"` or `devicepersistency=\"by-uuid\"`",
            );
        }
    }
}
