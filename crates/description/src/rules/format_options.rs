//! Rules of `formatoptions`: options that the format of a disk does not have, or that kiwi sets itself.

use super::{Found, Rule, is, types};
use crate::DiskFormat;
use crate::document::{Attribute, Element};
use crate::image_type::format_options;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "options-without-effect", check: without_effect },
    Rule { name: "options-of-a-format", check: refused },
];

/// Returns the format and the options of each disk that has any.
fn with_options(root: &Element) -> impl Iterator<Item = (&Element, DiskFormat, &Attribute)> {
    types(root).filter_map(|image_type| {
        let format = image_type.value("format").map_or("raw", |format| format.text.as_str());
        let format = format.split_once(':').map_or(format, |(_, inside)| inside);
        Some((image_type, DiskFormat::parse(format)?, image_type.attribute("formatoptions")?))
    })
}

/// Returns whether the format is written by qemu-img with options.
fn takes_options(image_type: &Element, format: DiskFormat) -> bool {
    match format {
        DiskFormat::Raw | DiskFormat::Gce => false,
        // The box for VirtualBox always has the same kind of disk.
        DiskFormat::Vagrant => {
            image_type.children("vagrantconfig").any(|config| is(config, "provider", &["libvirt"]))
        }
        DiskFormat::Qcow2
        | DiskFormat::Qcow
        | DiskFormat::Vmdk
        | DiskFormat::Vdi
        | DiskFormat::Vpc
        | DiskFormat::VhdFixed
        | DiskFormat::Vhdx
        | DiskFormat::Parallels
        | DiskFormat::Ova => true,
    }
}

fn without_effect(root: &Element, found: &mut Found) {
    for (image_type, format, attribute) in with_options(root) {
        if !takes_options(image_type, format) {
            found.warn_attribute(
                attribute,
                "has no effect for this format",
                "no effect",
                "the formats `raw` and `gce` and the Vagrant box for VirtualBox have no options; remove it",
            );
        }
    }
}

fn refused(root: &Element, found: &mut Found) {
    for (image_type, format, attribute) in with_options(root) {
        if !takes_options(image_type, format) {
            continue;
        }
        for option in format_options(&attribute.value.text) {
            let (name, value) = option.split_once('=').unwrap_or((&option, ""));
            if let Some((reason, help)) = refusal(format, name, value) {
                found.value(
                    attribute,
                    &format!("contains the option `{name}`, which {reason}"),
                    "not possible",
                    help,
                );
                break;
            }
        }
    }
}

/// Returns why kiwi cannot honour an option, and what to do instead.
fn refusal(format: DiskFormat, name: &str, value: &str) -> Option<(&'static str, &'static str)> {
    let subformat = match format {
        DiskFormat::VhdFixed => Some(("fixed", "write `format=\"vhd\"` for another one")),
        DiskFormat::Ova => Some(("streamOptimized", "write `format=\"vmdk\"` for another one")),
        DiskFormat::Raw
        | DiskFormat::Qcow2
        | DiskFormat::Qcow
        | DiskFormat::Vmdk
        | DiskFormat::Vdi
        | DiskFormat::Vpc
        | DiskFormat::Vhdx
        | DiskFormat::Parallels
        | DiskFormat::Gce
        | DiskFormat::Vagrant => None,
    };
    match (name, subformat) {
        ("backing_file" | "backing_fmt" | "data_file" | "data_file_raw", _) => {
            Some(("makes the image depend on another file", "remove it"))
        }
        ("encryption", _) => Some(("needs a secret", "remove it")),
        ("size", _) => Some(("contradicts the partitions", "remove it, or add `<size>`")),
        ("subformat", Some((own, help))) if value != own => Some(("contradicts the format", help)),
        _ if name.starts_with("encrypt.") => Some(("needs a secret", "remove it")),
        _ => None,
    }
}
