//! From the schemas 4.1 to 5.9.
//!
//! | until | old | new |
//! |---|---|---|
//! | 4.2 | `type/@lvmgroup` | `lvmvolumes/@lvmgroup` |
//! | 4.6 | `<vmwareconfig>`, `<xenconfig>` | `<machine>` |
//! | 4.7 | `type/@lvm`, `<lvmvolumes>`, `<oem-home>` with them | `<systemdisk>` |
//! | 4.7 | `<oem-home>` alone | `<deploy>` with a partition for `/home` |
//! | 4.8 | `<oem-dumphalt>` | `<oem-bootwait>` |
//! | 5.4 | `<boot-theme>` | `<bootsplash-theme>`, `<bootloader-theme>` |
//! | 5.5 | `@pwd` | `@password` |
//! | 5.6 | `<opensusePattern>`, `<rhelGroup>` | `<namedCollection>` |
//! | 5.8 | `vmdisk/@controller="scsi"` | `lsilogic` |

use super::edit::{
    attribute, element, is_type, rename_attribute, rename_children, replace_keyword, sections,
    take_attribute, take_children, types,
};
use crate::document::Element;
use crate::{Span, schema};

pub(super) fn volume_group(root: &mut Element) {
    for image_type in types(root) {
        let Some(group) = take_attribute(image_type, "lvmgroup") else { continue };
        if image_type.child("lvmvolumes").is_none() {
            image_type.children.push(element("lvmvolumes", &group.name_span));
        }
        for volumes in image_type.children.iter_mut().filter(|child| child.name == "lvmvolumes") {
            if volumes.attribute("lvmgroup").is_none() {
                volumes.attributes.push(group.clone());
            }
        }
    }
}

pub(super) fn machine(root: &mut Element) {
    for image_type in types(root) {
        // If both exist, the one that fits the type comes first and counts.
        let (own, other) = match is_type(image_type, &["xen"]) {
            true => ("xenconfig", "vmwareconfig"),
            false => ("vmwareconfig", "xenconfig"),
        };
        if let (Some(fits), Some(rest)) = (location(image_type, own), location(image_type, other))
            && rest < fits
        {
            image_type.children.swap(fits, rest);
        }
        for old in [own, other] {
            rename_children(image_type, old, "machine");
        }
        for machine in image_type.children.iter_mut().filter(|child| child.name == "machine") {
            rename_children(machine, "vmwaredisk", "vmdisk");
            rename_children(machine, "xendisk", "vmdisk");
            rename_children(machine, "vmwarecdrom", "vmdvd");
            rename_children(machine, "vmwarenic", "vmnic");
            rename_children(machine, "xenbridge", "vmnic");
            rename_children(machine, "vmware-config-entry", "vmconfig-entry");
            rename_children(machine, "xen-config-entry", "vmconfig-entry");
            rename_attribute(machine, "guestOS_32Bit", "guestOS");
            rename_attribute(machine, "guestOS_64Bit", "guestOS");
            for gone in ["guestOS_32Bit", "guestOS_64Bit", "usb"] {
                take_attribute(machine, gone);
            }
            for bridge in machine.children.iter_mut().filter(|child| child.name == "vmnic") {
                rename_attribute(bridge, "name", "interface");
            }
        }
    }
}

/// Returns the index of the first child of that name.
fn location(element: &Element, name: &str) -> Option<usize> {
    element.children.iter().position(|child| child.name == name && !child.foreign)
}

pub(super) fn system_disk(root: &mut Element) {
    for image_type in types(root) {
        let wanted = take_attribute(image_type, "lvm")
            .filter(|lvm| schema::boolean(&lvm.value.text) == Some(true))
            .map(|lvm| lvm.name_span);
        rename_children(image_type, "lvmvolumes", "systemdisk");
        let mut homes = Vec::new();
        for config in image_type.children.iter_mut().filter(|child| child.name == "oemconfig") {
            homes.extend(take_children(config, "oem-home"));
        }
        homes.retain(|home| home.text.as_ref().and_then(|text| schema::boolean(&text.text)) == Some(true));
        if let Some(location) = &wanted
            && image_type.child("systemdisk").is_none()
        {
            image_type.children.push(element("systemdisk", location));
        }
        if let Some(home) = homes.first()
            && image_type.child("systemdisk").is_none()
        {
            let home = home_partition(&home.span);
            image_type.children.push(home);
        }
        for disk in image_type.children.iter_mut().filter(|child| child.name == "systemdisk") {
            rename_attribute(disk, "lvmgroup", "name");
            if let Some(span) = &wanted {
                disk.attributes.push(attribute("preferlvm", "true", span));
            }
            let has_home = disk
                .children("volume")
                .any(|volume| volume.value("name").is_some_and(|name| name.text == "home"));
            if let (Some(home), false) = (homes.first(), has_home) {
                let mut volume = element("volume", &home.span);
                volume.attributes.push(attribute("name", "home", &home.span));
                disk.children.push(volume);
            }
        }
    }
}

/// Adds a `<deploy>` for the home directories, behind the partitions of the disk: the system and perhaps swap.
fn home_partition(location: &Span) -> Element {
    let mut partition = element("partition", location);
    partition.attributes =
        vec![attribute("number", "3", location), attribute("mountpoint", "/home", location)];
    let mut partitions = element("partitions", location);
    partitions.children.push(partition);
    let mut deploy = element("deploy", location);
    deploy.children.push(partitions);
    deploy
}

pub(super) fn boot_wait(root: &mut Element) {
    for image_type in types(root) {
        for config in image_type.children.iter_mut().filter(|child| child.name == "oemconfig") {
            rename_children(config, "oem-dumphalt", "oem-bootwait");
        }
    }
}

/// Replaces one theme for both by two.
pub(super) fn themes(root: &mut Element) {
    for section in sections(root, "preferences") {
        for theme in take_children(section, "boot-theme") {
            for name in ["bootsplash-theme", "bootloader-theme"] {
                if section.child(name).is_none() {
                    section.children.push(Element { name: name.to_owned(), ..theme.clone() });
                }
            }
        }
    }
}

pub(super) fn password(root: &mut Element) {
    for section in &mut root.children {
        match section.name.as_str() {
            "users" => {
                section.children.iter_mut().for_each(|user| rename_attribute(user, "pwd", "password"));
            }
            "repository" => rename_attribute(section, "pwd", "password"),
            _ => {}
        }
    }
}

pub(super) fn named_collection(root: &mut Element) {
    for section in sections(root, "packages") {
        rename_children(section, "opensusePattern", "namedCollection");
        rename_children(section, "rhelGroup", "namedCollection");
    }
}

pub(super) fn scsi_controller(root: &mut Element) {
    for image_type in types(root) {
        let machines = image_type.children.iter_mut().filter(|child| child.name == "machine");
        let disks = machines.flat_map(|machine| &mut machine.children).filter(|child| child.name == "vmdisk");
        for attribute in disks.flat_map(|disk| &mut disk.attributes) {
            if attribute.name == "controller" {
                replace_keyword(&mut attribute.value, "scsi", "lsilogic");
            }
        }
    }
}
