//! Rules of `<type>`: what one attribute or element requires of another.

use std::collections::BTreeSet;

use super::{Found, Rule, in_container, is, switched_on, takes, types};
use crate::document::{Element, Text};
use crate::image_type::{Feature, listed_types};
use crate::{SchemaVersion, schema};

pub(super) static RULES: &[Rule] = &[
    Rule { name: "one-type-of-a-kind", check: unique },
    Rule { name: "container-of-a-disk", check: container },
    Rule { name: "attributes-of-a-container", check: container_attributes },
    Rule { name: "base-of-a-disk", check: base },
    Rule { name: "name-of-a-bundle", check: bundle },
    Rule { name: "metadata-of-appx", check: metadata },
    Rule { name: "names-of-appx", check: appx_names },
    Rule { name: "command-or-none", check: command },
    Rule { name: "box-of-vagrant", check: vagrant },
    Rule { name: "additions-of-virtualbox", check: virtualbox },
    Rule { name: "media-to-install-from", check: install_media },
    Rule { name: "kernel-of-a-medium", check: kernel_of_medium },
    Rule { name: "host-or-guest-of-xen", check: xen },
    Rule { name: "check-of-a-medium", check: media_check },
    Rule { name: "one-end-of-an-installation", check: end_of_installation },
];

/// `--type` could not tell them apart; sections with other profiles or architectures belong to other builds.
fn unique(root: &Element, found: &mut Found) {
    let condition = |section: &Element| {
        let mut condition: Vec<Vec<String>> = Vec::new();
        for name in ["profiles", "arch"] {
            let items = section.value(name).map(Text::items).unwrap_or_default();
            let mut items: Vec<String> = items.into_iter().map(|item| item.text).collect();
            items.sort();
            condition.push(items);
        }
        condition
    };
    let mut earlier = BTreeSet::new();
    for section in root.children("preferences") {
        let condition = condition(section);
        let mut here = Vec::new();
        for attribute in section.children("type").filter_map(|this| this.attribute("image")) {
            here.push((condition.clone(), attribute.value.text.clone()));
            if here.last().is_some_and(|this| earlier.contains(this)) {
                found.value(
                    attribute,
                    "is in two sections for the same profiles",
                    "named before",
                    "`--type` could not tell them apart; give the sections different `profiles`",
                );
            }
        }
        earlier.extend(here);
    }
}

/// A machine cannot both reboot and shut down: it shuts down.
fn end_of_installation(root: &Element, found: &mut Found) {
    for config in types(root).filter_map(|image_type| image_type.child("oemconfig")) {
        let is_on =
            |name: &&str| config.child_text(name).and_then(|text| schema::boolean(&text.text)) == Some(true);
        let first = |names: &'static [&str]| {
            names.iter().find(|name| is_on(name)).and_then(|name| config.child(name))
        };
        let boots = first(&["oem-reboot", "oem-reboot-interactive"]);
        let ends = first(&["oem-shutdown", "oem-shutdown-interactive"]);
        if let (Some(boots), Some(ends)) = (boots, ends) {
            let message = format!("has no effect beside `<{}>`", ends.name);
            found.warn_element(boots, &message, "no effect", "remove one of the two");
        }
    }
}

fn is_disk(image_type: &Element) -> bool {
    takes(image_type, Feature::Disk)
}

fn container(root: &Element, found: &mut Found) {
    for image_type in types(root) {
        let Some(config) = image_type.child("containerconfig") else { continue };
        if is_disk(image_type) && !in_container(image_type) {
            found.element(
                config,
                "needs a disk inside a container image",
                "no container here",
                "give the type such a format: `format=\"oci:qcow2\"`",
            );
        } else if !is_disk(image_type) && !takes(image_type, Feature::ContainerConfig) {
            let fits = listed_types(Feature::ContainerConfig, SchemaVersion::NEWEST);
            found.element(
                config,
                "does not fit this image type",
                "no container here",
                &format!("it fits {fits}, and disks in a container"),
            );
        }
    }
}

/// A Windows package is started by its launcher and has no registry with tags.
fn container_attributes(root: &Element, found: &mut Found) {
    let fits = listed_types(Feature::ContainerRoot, SchemaVersion::NEWEST);
    for image_type in types(root).filter(|image_type| is(image_type, "image", &["appx"])) {
        let config = image_type.child("containerconfig");
        for name in ["tag", "additionalnames", "maintainer", "user", "workingdir"] {
            if let Some(attribute) = config.and_then(|config| config.attribute(name)) {
                found.attribute(
                    attribute,
                    "does not fit this image type",
                    "an appx has no such thing",
                    &format!("it fits {fits}, and disks in a container"),
                );
            }
        }
    }
}

fn base(root: &Element, found: &mut Found) {
    for image_type in types(root).filter(|image_type| is_disk(image_type) && !in_container(image_type)) {
        if let Some(attribute) = image_type.attribute("derived_from") {
            found.attribute(
                attribute,
                "needs a disk inside a container image",
                "no container here",
                "give the type such a format: `format=\"oci:qcow2\"`",
            );
        }
    }
}

fn bundle(root: &Element, found: &mut Found) {
    const LETTERS: [char; 9] = ['N', 'P', 'A', 'I', 'T', 'v', 'M', 'm', 'p'];
    for format in types(root).filter_map(|image_type| image_type.attribute("bundle_format")) {
        let mut letters = format.value.text.chars();
        let mut after_percent =
            std::iter::from_fn(|| letters.find(|letter| *letter == '%').map(|_| letters.next()));
        let unknown = after_percent.any(|letter| letter.is_none_or(|letter| !LETTERS.contains(&letter)));
        if unknown || format.value.text.contains('/') {
            found.value(
                format,
                "is not a name pattern for the files of a bundle",
                "a `%` without its letter, or a `/`",
                "there are %N name, %P profiles, %A machine, %I id, %T type, %v version, and its parts %M, %m, %p",
            );
        }
    }
}

fn metadata(root: &Element, found: &mut Found) {
    for image_type in types(root).filter(|image_type| is(image_type, "image", &["appx"])) {
        if let (None, Some(keyword)) = (image_type.attribute("metadata_path"), image_type.attribute("image"))
        {
            found.value(
                keyword,
                "needs `metadata_path`",
                "`metadata_path` is missing",
                "add `metadata_path=\"...\"`: the directory of its metadata",
            );
        }
    }
}

fn appx_names(root: &Element, found: &mut Found) {
    for history in types(root)
        .filter(|image_type| is(image_type, "image", &["appx"]))
        .filter_map(|image_type| image_type.child("containerconfig")?.child("history"))
    {
        if let Some(launcher) = history.attribute("launcher")
            && !launcher.value.text.ends_with(".exe")
        {
            found.value(
                launcher,
                "is not the name of a program",
                "expected a name that ends in `.exe`",
                ".exe",
            );
        }
        let part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if let Some(name) = history.attribute("application_id")
            && (name.value.text.len() > 64 || !name.value.text.split('.').all(part))
        {
            found.value(
                name,
                "is not an identifier of an appx",
                "expected letters and digits, parts separated by points, at most 64",
                "such as `My.Application`",
            );
        }
    }
}

fn command(root: &Element, found: &mut Found) {
    let configs = types(root).filter_map(|image_type| image_type.child("containerconfig"));
    for command in
        configs.flat_map(|config| config.children("entrypoint").chain(config.children("subcommand")))
    {
        let clear = switched_on(command, "clear");
        if let (Some(clear), Some(_)) = (clear, command.attribute("execute")) {
            found.attribute(
                clear,
                "and `execute` exclude each other",
                "only one of the two is allowed",
                "remove one of them",
            );
        } else if clear.is_none() && command.attribute("execute").is_none() {
            found.element(
                command,
                "specifies neither a program nor its absence",
                "`execute` or `clear` is missing",
                "add `execute=\"PROGRAM\"` or `clear=\"true\"`",
            );
        }
    }
}

fn vagrant(root: &Element, found: &mut Found) {
    for image_type in types(root).filter(|image_type| image_type.child("vagrantconfig").is_none()) {
        if let Some(format) = image_type.attribute("format").filter(|format| format.value.text == "vagrant") {
            found.value(
                format,
                "needs `<vagrantconfig>`",
                "`<vagrantconfig>` is missing inside",
                "add `<vagrantconfig provider=\"libvirt\" virtualsize=\"20\"/>`",
            );
        }
    }
}

fn virtualbox(root: &Element, found: &mut Found) {
    for config in types(root).flat_map(|image_type| image_type.children("vagrantconfig")) {
        if let Some(additions) = config.attribute("virtualbox_guest_additions_present")
            && !is(config, "provider", &["virtualbox"])
        {
            found.attribute(
                additions,
                "does not fit this provider",
                "means nothing here",
                "it fits `virtualbox`",
            );
        }
    }
}

fn install_media(root: &Element, found: &mut Found) {
    for image_type in types(root) {
        let media = ["installiso", "installstick", "installpxe"];
        if let Some(settings) = image_type.child("installmedia")
            && media.iter().all(|name| switched_on(image_type, name).is_none())
        {
            found.element(
                settings,
                "needs a medium to install from",
                "none is made",
                "add `installiso=\"true\"` or `installpxe=\"true\"` to the type",
            );
        }
    }
}

/// A medium starts real machines, whose sticks and keyboards are at USB ports.
fn kernel_of_medium(root: &Element, found: &mut Found) {
    let is_medium = |image_type: &Element| {
        is(image_type, "image", &["iso", "usb"])
            || ["installiso", "installstick"].iter().any(|name| switched_on(image_type, name).is_some())
    };
    if !types(root).any(is_medium) {
        return;
    }
    let sections = root.children("packages").filter(|section| !is(section, "type", &["delete", "uninstall"]));
    let names = sections
        .flat_map(|section| section.children("package"))
        .filter_map(|package| package.attribute("name"));
    let (of_clouds, others): (Vec<_>, Vec<_>) = names
        .filter(|name| is_kernel(&name.value.text))
        .partition(|name| is_kernel_of_clouds(&name.value.text));
    for name in of_clouds.into_iter().filter(|_| others.is_empty()) {
        found.warn(
            name,
            "has no drivers for USB, SATA and real network cards",
            "for virtual machines only",
            "a medium also starts real machines: name the general kernel, such as `linux-image-amd64`",
        );
    }
}

fn is_kernel(package: &str) -> bool {
    ["linux-image-", "linux-virtual", "linux-generic", "linux-kvm"]
        .iter()
        .any(|start| package.starts_with(start))
        || ["kernel", "kernel-core", "kernel-default", "kernel-default-base", "kernel-kvmsmall"]
            .contains(&package)
}

/// Returns whether a kernel package leaves out the drivers of real machines.
fn is_kernel_of_clouds(package: &str) -> bool {
    ["-cloud", "virtual", "kvm", "-default-base"].iter().any(|part| package.contains(part))
}

fn xen(root: &Element, found: &mut Found) {
    for image_type in types(root) {
        let loader = image_type.child("machine").and_then(|machine| machine.attribute("xen_loader"));
        if let (Some(_), Some(loader)) = (switched_on(image_type, "xen_server"), loader) {
            found.attribute(
                loader,
                "and `xen_server` exclude each other",
                "a guest of Xen, and its host",
                "remove one of the two",
            );
        }
    }
}

fn media_check(root: &Element, found: &mut Found) {
    for image_type in types(root).filter(|image_type| is(image_type, "efiparttable", &["msdos"])) {
        if let Some(check) = switched_on(image_type, "mediacheck") {
            found.attribute(
                check,
                "does not work with an msdos partition table",
                "there is no space for the digest",
                "write `efiparttable=\"gpt\"`, or remove it",
            );
        }
    }
}
