//! Names of partitions: the root device of a boot, and the names that the kernel uses.

use std::fmt;

/// The device with the system, as `root=` of the kernel command line and of `/kiwi.boot` specifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootDevice {
    /// `UUID=`: the UUID of the file system.
    Uuid(String),
    /// `LABEL=`: the label of the file system.
    Label(String),
    /// `PARTUUID=`: the GUID of the partition in a GPT, `<disk id>-<number>` in an MBR.
    PartUuid(String),
    /// `PARTLABEL=`: the name of the partition in a GPT.
    PartLabel(String),
    /// `/dev/<name>`: the kernel's name of the device, stored without `/dev/`.
    Device(String),
}

/// The error for a text that names no root device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootDeviceError(String);

impl fmt::Display for RootDeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "root=\"{}\" is not a device: expected UUID=, LABEL=, PARTUUID=, PARTLABEL= or /dev/<name>",
            self.0
        )
    }
}

impl std::error::Error for RootDeviceError {}

impl RootDevice {
    /// Parses a device in one of these forms. `/dev/disk/by-uuid/<x>` and the like, which only udev creates, mean the
    /// same as `UUID=<x>`. The prefix `block:`, which later versions of KIWI write, is accepted.
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

/// Returns the kernel's name of partition `number` of `disk`: `sda2`, but `nvme0n1p2` when the disk ends in a digit.
pub fn partition_name(disk: &str, number: u32) -> String {
    let separator = if disk.ends_with(|c: char| c.is_ascii_digit()) { "p" } else { "" };
    format!("{disk}{separator}{number}")
}

/// The disks on which the system is searched for when no root device is specified: the first one of each kind, in the order
/// of vmxboot (docs/formats/boot-images.md), with newer kinds of disks added.
const SEARCHED_DISKS: [&str; 6] = ["hda", "sda", "vda", "xvda", "nvme0n1", "mmcblk0"];

/// Returns the kernel's names of the partitions on which the system is searched for: those with this number, or, where the
/// number is not known, the second ones before the first ones as in vmxboot. The first partition contains the boot image
/// when there are two.
pub fn search_order(number: Option<u32>) -> Vec<String> {
    let numbers = number.map_or_else(|| vec![2, 1], |number| vec![number]);
    let on_every_disk = |number| SEARCHED_DISKS.into_iter().map(move |disk| partition_name(disk, number));
    numbers.into_iter().flat_map(on_every_disk).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_every_form_of_root() {
        let parse = |text| RootDevice::parse(text).unwrap();
        assert_eq!(parse("UUID=ab-12"), RootDevice::Uuid("ab-12".into()));
        assert_eq!(parse("block:UUID=ab-12"), RootDevice::Uuid("ab-12".into()));
        assert_eq!(parse("/dev/disk/by-uuid/ab-12"), RootDevice::Uuid("ab-12".into()));
        assert_eq!(parse("PARTUUID=1234abcd-02"), RootDevice::PartUuid("1234abcd-02".into()));
        assert_eq!(parse("LABEL=my root"), RootDevice::Label("my root".into()));
        assert_eq!(parse("/dev/vda2"), RootDevice::Device("vda2".into()));
    }

    #[test]
    fn rejects_a_text_that_is_not_a_device() {
        for text in ["", "vda1", "UUID=", "/dev/", "0801"] {
            let error = RootDevice::parse(text).unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "root=\"{text}\" is not a device: expected UUID=, LABEL=, PARTUUID=, PARTLABEL= or /dev/<name>"
                )
            );
        }
    }

    #[test]
    fn puts_a_p_after_disks_that_end_in_a_digit() {
        assert_eq!(partition_name("sda", 2), "sda2");
        assert_eq!(partition_name("nvme0n1", 1), "nvme0n1p1");
        assert_eq!(partition_name("mmcblk0", 1), "mmcblk0p1");
    }

    #[test]
    fn searches_in_the_order_of_kiwi_1() {
        let names = search_order(None);
        let usual: Vec<&String> =
            names.iter().filter(|n| n.starts_with("hd") || n.starts_with("sd")).collect();
        assert_eq!(usual, ["hda2", "sda2", "hda1", "sda1"]);
        assert!(names.contains(&"nvme0n1p2".to_owned()) && names.contains(&"xvda1".to_owned()));
        assert_eq!(search_order(Some(3)), ["hda3", "sda3", "vda3", "xvda3", "nvme0n1p3", "mmcblk0p3"]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in "(UUID=|LABEL=|PARTUUID=|PARTLABEL=|/dev/)[a-zA-Z0-9 .-]{1,40}") {
            let device = RootDevice::parse(&text).unwrap();
            prop_assert_eq!(RootDevice::parse(&device.to_string()), Ok(device));
        }
    }
}
