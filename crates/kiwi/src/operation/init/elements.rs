//! The elements of a new description.

use std::collections::BTreeSet;

use super::template::Parts;

/// The packages of every Debian system of `kiwi init`.
const DEBIAN: [&str; 14] = [
    "console-setup",
    "dbus",
    "e2fsprogs",
    "iproute2",
    "kbd",
    "kmod",
    "locales",
    "login",
    "procps",
    "sudo",
    "systemd-resolved",
    "systemd-sysv",
    "tzdata",
    "udev",
];

/// Returns a `<user>` element; without a hash nobody can log in with a password.
pub(super) fn user_element(name: &str, groups: &str, hash: Option<&str>) -> String {
    let hash = escaped(hash.unwrap_or("*"));
    format!(
        "    <user name=\"{name}\" home=\"/home/{name}\" groups=\"{groups}\" shell=\"/bin/bash\"\n          \
         password=\"{hash}\"/>\n"
    )
}

/// Returns the `<package>` elements of Debian; those of other distributions are in their texts.
pub(super) fn packages(image_type: &str, parts: &Parts) -> String {
    let kernel = match image_type {
        "docker" | "oci" => None,
        "iso" | "usb" | "pxe" => Some("linux-image-amd64"),
        _ if parts.hardware => Some("linux-image-amd64"),
        _ => Some("linux-image-cloud-amd64"),
    };
    let names: BTreeSet<&str> =
        DEBIAN.into_iter().chain(parts.packages.iter().copied()).chain(kernel).collect();
    let lines: Vec<String> = names.iter().map(|name| format!("    <package name=\"{name}\"/>")).collect();
    lines.join("\n")
}

/// Returns the `<type>` element with the attributes that most systems of this type need.
pub(super) fn type_element(keyword: &str, parts: &Parts) -> String {
    let disk = if parts.hardware && keyword == "oem" { "installiso=\"true\"" } else { "format=\"qcow2\"" };
    match keyword {
        "oem" | "vmx" => format!(
            "<type image=\"{keyword}\" filesystem=\"ext4\" {disk}>\n      <bootloader name=\"grub2\" \
             timeout=\"2\"/>\n    </type>"
        ),
        "iso" => "<type image=\"iso\" flags=\"unified\">\n      <bootloader name=\"grub2\" timeout=\"5\"/>\n    </type>"
            .to_owned(),
        "usb" => "<type image=\"usb\" filesystem=\"squashfs\"/>".to_owned(),
        "pxe" => "<type image=\"pxe\" filesystem=\"ext4\" compressed=\"true\"/>".to_owned(),
        keyword => format!("<type image=\"{}\"/>", escaped(keyword)),
    }
}

/// Returns text with the characters of XML escaped.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
