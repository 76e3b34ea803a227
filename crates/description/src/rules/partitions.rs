//! Rules of `<partitions>`, of the partition for `/boot` and of what they have in common with `<deploy>`.

use super::{Found, Rule, is, switched_on, types};
use crate::document::{Attribute, Element};
use crate::schema;
use ondisk::Filesystem;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "partitions-of-a-disk", check: of_a_disk },
    Rule { name: "different-names-of-partitions", check: names },
    Rule { name: "sizes-of-partitions", check: sizes },
    Rule { name: "mount-points-of-partitions", check: mount_points },
    Rule { name: "mount-points-differ", check: different_mount_points },
    Rule { name: "file-system-of-a-mounted-partition", check: filesystems },
    Rule { name: "labels-of-file-systems", check: labels },
    Rule { name: "partitions-of-an-mbr", check: mbr },
    Rule { name: "partitions-or-deploy", check: deploy },
    Rule { name: "boot-partition-is-on", check: boot_partition },
    Rule { name: "system-that-grows", check: growth },
    Rule { name: "swap-space-with-a-size", check: swap_size },
];

/// Partitions that an MBR has room for.
const MBR_PARTITIONS: usize = 4;

/// Directories that are part of the system itself: its init needs them before anything is mounted, or the kernel fills them.
const OF_THE_SYSTEM: [&str; 5] = ["/etc", "/dev", "/proc", "/sys", "/run"];

fn partitions(image_type: &Element) -> impl Iterator<Item = &Element> {
    image_type.child("partitions").into_iter().flat_map(|list| list.children("partition"))
}

fn all_partitions(root: &Element) -> impl Iterator<Item = &Element> {
    types(root).flat_map(partitions)
}

fn has_boot_partition(image_type: &Element) -> bool {
    switched_on(image_type, "bootpartition").is_some()
}

fn of_a_disk(root: &Element, found: &mut Found) {
    for image_type in types(root).filter(|image_type| !is(image_type, "image", &["oem", "vmx"])) {
        if let Some(list) = image_type.child("partitions") {
            found.element(list, "needs a disk", "this type has no partitions", "it fits `oem` and `vmx`");
        }
    }
}

fn names(root: &Element, found: &mut Found) {
    for image_type in types(root) {
        let names: Vec<&Attribute> =
            partitions(image_type).filter_map(|partition| partition.attribute("name")).collect();
        for (index, name) in names.iter().enumerate() {
            if names[..index].iter().any(|other| other.value.text == name.value.text) {
                found.value(name, "is a duplicate", "another partition has this name", "choose another name");
            }
        }
    }
}

fn sizes(root: &Element, found: &mut Found) {
    for size in all_partitions(root).filter_map(|partition| partition.attribute("size")) {
        if schema::number(size.value.text.trim_end_matches(['M', 'G'])) == Some(0) {
            found.value(size, "is empty", "no partition has this size", "write a number of megabytes");
        }
    }
}

fn mount_points(root: &Element, found: &mut Found) {
    let is_plain = |part: &str| {
        !matches!(part, "" | "." | "..") && !part.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    for mount in all_partitions(root).filter_map(|partition| partition.attribute("mountpoint")) {
        let path = mount.value.text.trim_end_matches('/');
        if !path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain)) {
            found.value(
                mount,
                "is not a mount point",
                "expected an absolute path below `/`",
                "write a path such as `/home`, without blanks, `.` and `..`",
            );
        } else if OF_THE_SYSTEM.iter().any(|own| path == *own || path.starts_with(&format!("{own}/"))) {
            found.value(
                mount,
                "is part of the system itself",
                "it is needed before anything is mounted",
                "leave it in the system's partition",
            );
        }
    }
}

fn different_mount_points(root: &Element, found: &mut Found) {
    for image_type in types(root) {
        let mut taken = Vec::new();
        if has_boot_partition(image_type) {
            taken.push("/boot");
        }
        if !is(image_type, "firmware", &["bios", "ec2"]) {
            taken.push("/boot/efi");
        }
        for mount in partitions(image_type).filter_map(|partition| partition.attribute("mountpoint")) {
            let path = mount.value.text.trim_end_matches('/');
            if taken.contains(&path) {
                found.value(
                    mount,
                    "is a duplicate",
                    "another partition of the disk is mounted there",
                    "remove one of the two",
                );
            }
            taken.push(path);
        }
    }
}

fn filesystems(root: &Element, found: &mut Found) {
    for partition in all_partitions(root).filter(|partition| partition.attribute("filesystem").is_none()) {
        let empty = "this partition stays empty";
        if let Some(mount) = partition.attribute("mountpoint") {
            found.attribute(mount, "needs a file system", empty, "add a `filesystem`, or remove it");
        } else if let Some(label) = partition.attribute("label") {
            found.warn(label, "has no effect", empty, "add a `filesystem`, or remove it");
        }
    }
}

fn labels(root: &Element, found: &mut Found) {
    for partition in all_partitions(root) {
        let kind = partition.value("filesystem").and_then(|keyword| Filesystem::parse(&keyword.text));
        let (Some(kind), Some(label)) = (kind, partition.attribute("label")) else { continue };
        let most = kind.max_label_length().unwrap_or(0);
        if label.value.text.len() > most {
            let keyword = kind.keyword();
            found.value(
                label,
                &format!("does not fit {keyword}"),
                &format!("a label of {keyword} has at most {most} bytes"),
                "shorten or remove it",
            );
        }
    }
}

/// Returns whether the image itself has swap space; see `has_swap` of the builder.
fn swap(image_type: &Element) -> bool {
    let Some(config) = image_type.child("oemconfig") else { return false };
    let text = |name| config.child_text(name).map(|text| text.text.as_str());
    text("oem-swap").and_then(schema::boolean) == Some(true)
        && text("oem-swapsize").and_then(schema::number) != Some(0)
}

fn mbr(root: &Element, found: &mut Found) {
    for image_type in types(root).filter(|image_type| is(image_type, "firmware", &["bios", "ec2"])) {
        let Some(list) = image_type.child("partitions") else { continue };
        let count = partitions(image_type).count()
            + usize::from(has_boot_partition(image_type))
            + usize::from(swap(image_type))
            + 1;
        if count > MBR_PARTITIONS {
            found.element(
                list,
                &format!("makes {count} partitions, and an MBR has room for {MBR_PARTITIONS}"),
                "too many for this firmware",
                "write `firmware=\"uefi\"`, whose disks also boot by BIOS, or remove partitions",
            );
        }
    }
}

fn deploy(root: &Element, found: &mut Found) {
    let divides = |element: &Element| {
        element.child("deploy").is_some_and(|deploy| {
            deploy.child("partitions").is_some_and(|list| list.children("partition").next().is_some())
        })
    };
    for image_type in types(root) {
        let Some(list) = image_type.child("partitions") else { continue };
        if divides(image_type) {
            found.element(
                list,
                "and the partitions of `<deploy>` exclude each other",
                "one of them divides the disk",
                "remove one of the two",
            );
        }
    }
}

fn boot_partition(root: &Element, found: &mut Found) {
    for image_type in types(root).filter(|image_type| !has_boot_partition(image_type)) {
        for name in ["bootpartsize", "bootfilesystem"] {
            if let Some(attribute) = image_type.attribute(name) {
                found.warn(
                    attribute,
                    "has no effect",
                    "there is no partition for /boot",
                    "add `bootpartition=\"true\"`",
                );
            }
        }
    }
}

fn growth(root: &Element, found: &mut Found) {
    for config in types(root).filter_map(|image_type| image_type.child("oemconfig")) {
        let resize = config.child_text("oem-resize").and_then(|text| schema::boolean(&text.text));
        if let (Some(false), Some(size)) = (resize, config.child("oem-systemsize")) {
            found.warn_element(
                size,
                "has no effect",
                "this system does not grow",
                "remove it, or `<oem-resize>false</oem-resize>`",
            );
        }
    }
}

fn swap_size(root: &Element, found: &mut Found) {
    for config in types(root).filter_map(|image_type| image_type.child("oemconfig")) {
        let text = |name: &str| config.child_text(name).map(|text| text.text.as_str());
        let Some(size) = config.child("oem-swapsize") else { continue };
        let is_on = text("oem-swap").and_then(schema::boolean) == Some(true);
        let is_none = text("oem-swapsize").and_then(schema::number) == Some(0);
        if is_on && is_none {
            found.warn_element(
                size,
                "of 0 is no swap space",
                "there is no swap space in spite of `<oem-swap>`",
                "specify a size, or remove both",
            );
        } else if !is_on && !is_none {
            found.warn_element(
                size,
                "has no effect",
                "there is no swap space",
                "add `<oem-swap>true</oem-swap>`, or remove it",
            );
        }
    }
}
