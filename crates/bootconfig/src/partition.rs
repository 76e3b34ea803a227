//! How partitions are called: the root device of a boot, and the kernel's names.

use std::fmt;

/// Where the system is, as `root=` of the kernel command line and of `/kiwi.boot` say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootDevice {
    /// `UUID=`: of the file system.
    Uuid(String),
    /// `LABEL=`: of the file system.
    Label(String),
    /// `PARTUUID=`: of the partition; its GUID in a GPT, `<disk id>-<number>` in an MBR.
    PartUuid(String),
    /// `PARTLABEL=`: the partition's name in a GPT.
    PartLabel(String),
    /// `/dev/<name>`: the kernel's name of the device, kept without `/dev/`.
    Device(String),
}

/// Why a text names no root device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootDeviceError(String);

impl fmt::Display for RootDeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "root=\"{}\" names no device: expected UUID=, LABEL=, PARTUUID=, PARTLABEL= or /dev/<name>",
            self.0
        )
    }
}

impl std::error::Error for RootDeviceError {}

impl RootDevice {
    /// Reads a device in one of the forms above. `/dev/disk/by-uuid/<x>` and its sisters, which only udev makes,
    /// mean the same as `UUID=<x>`. The `block:` that today's KIWI writes in front is accepted.
    pub fn parse(text: &str) -> Result<Self, RootDeviceError> {
        type Form = (&'static str, fn(String) -> RootDevice);
        const FORMS: [Form; 9] = [
            ("UUID=", RootDevice::Uuid),
            ("LABEL=", RootDevice::Label),
            ("PARTUUID=", RootDevice::PartUuid),
            ("PARTLABEL=", RootDevice::PartLabel),
            ("/dev/disk/by-uuid/", RootDevice::Uuid),
            ("/dev/disk/by-label/", RootDevice::Label),
            ("/dev/disk/by-partuuid/", RootDevice::PartUuid),
            ("/dev/disk/by-partlabel/", RootDevice::PartLabel),
            ("/dev/", RootDevice::Device),
        ];
        let written = text.strip_prefix("block:").unwrap_or(text);
        FORMS
            .into_iter()
            .find_map(|(prefix, form)| Some((written.strip_prefix(prefix)?, form)))
            .filter(|(value, _)| !value.is_empty() && !value.contains(['\n', '"', '\0']))
            .map(|(value, form)| form(value.to_owned()))
            .ok_or_else(|| RootDeviceError(text.to_owned()))
    }
}

impl fmt::Display for RootDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(value) => write!(f, "UUID={value}"),
            Self::Label(value) => write!(f, "LABEL={value}"),
            Self::PartUuid(value) => write!(f, "PARTUUID={value}"),
            Self::PartLabel(value) => write!(f, "PARTLABEL={value}"),
            Self::Device(value) => write!(f, "/dev/{value}"),
        }
    }
}

/// The kernel's name of partition `number` of `disk`: `sda2`, but `nvme0n1p2` where the disk's name ends in a digit.
pub fn partition_name(disk: &str, number: u32) -> String {
    let separator = if disk.ends_with(|c: char| c.is_ascii_digit()) { "p" } else { "" };
    format!("{disk}{separator}{number}")
}

/// One step of the search for a system when nobody said where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchedDevice {
    /// The disk's name as the kernel gives it to the first of its sort.
    pub disk: &'static str,
    /// The partition.
    pub number: u32,
}

/// The order of vmxboot (docs/formats/boot-images.md; hda2 sda2 hda1 sda1), with the disks that have come since. The second partition
/// goes first: where there are two, the first one holds the boot image.
pub const SEARCH_ORDER: [SearchedDevice; 12] = {
    const DISKS: [&str; 6] = ["hda", "sda", "vda", "xvda", "nvme0n1", "mmcblk0"];
    let mut order = [SearchedDevice { disk: "", number: 0 }; 12];
    let mut at = 0;
    while at < order.len() {
        order[at] =
            SearchedDevice { disk: DISKS[at % DISKS.len()], number: if at < DISKS.len() { 2 } else { 1 } };
        at += 1;
    }
    order
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_root_is_understood() {
        let parse = |text| RootDevice::parse(text).unwrap();
        assert_eq!(parse("UUID=ab-12"), RootDevice::Uuid("ab-12".into()));
        assert_eq!(parse("block:UUID=ab-12"), RootDevice::Uuid("ab-12".into()));
        assert_eq!(parse("/dev/disk/by-uuid/ab-12"), RootDevice::Uuid("ab-12".into()));
        assert_eq!(parse("PARTUUID=1234abcd-02"), RootDevice::PartUuid("1234abcd-02".into()));
        assert_eq!(parse("LABEL=my root"), RootDevice::Label("my root".into()));
        assert_eq!(parse("/dev/vda2"), RootDevice::Device("vda2".into()));
    }

    #[test]
    fn what_names_no_device_is_refused_with_what_was_expected() {
        for text in ["", "vda1", "UUID=", "/dev/", "0801"] {
            let error = RootDevice::parse(text).unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "root=\"{text}\" names no device: expected UUID=, LABEL=, PARTUUID=, PARTLABEL= or /dev/<name>"
                )
            );
        }
    }

    #[test]
    fn partitions_of_disks_ending_in_a_digit_have_a_p() {
        assert_eq!(partition_name("sda", 2), "sda2");
        assert_eq!(partition_name("nvme0n1", 1), "nvme0n1p1");
        assert_eq!(partition_name("mmcblk0", 1), "mmcblk0p1");
    }

    #[test]
    fn the_search_begins_as_the_chapters_does() {
        let names: Vec<String> = SEARCH_ORDER.iter().map(|d| partition_name(d.disk, d.number)).collect();
        let chapter: Vec<&String> =
            names.iter().filter(|n| n.starts_with("hd") || n.starts_with("sd")).collect();
        assert_eq!(chapter, ["hda2", "sda2", "hda1", "sda1"]);
        assert!(names.contains(&"nvme0n1p2".to_owned()) && names.contains(&"xvda1".to_owned()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in "(UUID=|LABEL=|PARTUUID=|PARTLABEL=|/dev/)[a-zA-Z0-9 .-]{1,40}") {
            let device = RootDevice::parse(&text).unwrap();
            prop_assert_eq!(RootDevice::parse(&device.to_string()), Ok(device));
        }
    }
}
