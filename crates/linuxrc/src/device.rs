//! The block devices of the machine, and which of them holds the system.
//!
//! Devices are read from sysfs and found by their contents: the superblock of a file system, the partition table of
//! the disk. udev's links do not exist yet.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use bootconfig::{RootDevice, search_order};
use ondisk::partition_table::{PartitionNames, PartitionTable};
use ondisk::{Bytes, Filesystem, Sectors, Superblock, probe};

use crate::machine::Machine;

/// A block device.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    /// The kernel's name.
    pub(crate) name: String,
    /// Path below the machine's dev directory.
    pub(crate) path: PathBuf,
    pub(crate) bytes: Bytes,
    /// For a partition: its disk.
    pub(crate) partition: Option<Partition>,
    /// Its identifiers in the partition table.
    names: Option<PartitionNames>,
    /// Its contents.
    pub(crate) superblock: Option<Superblock>,
}

/// A partition of a disk.
#[derive(Debug, Clone)]
pub(crate) struct Partition {
    /// The kernel's name of the disk.
    pub(crate) disk: String,
    /// Counted from 1.
    pub(crate) number: u32,
}

/// The facts that the builder knows about the partition with the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct System<'p> {
    /// Its number in the partition table.
    pub(crate) number: u32,
    /// Its file system, and the UUID of that.
    pub(crate) filesystem: Option<Filesystem>,
    pub(crate) uuid: Option<&'p str>,
}

/// Reads a number from a file of sysfs.
pub(crate) fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Returns the size of a device; none if it does not exist.
pub(crate) fn size(machine: &Machine, name: &str) -> Option<Bytes> {
    // sysfs counts units of 512 bytes, whatever the sector size of the disk.
    Sectors(number(&machine.sys.join("class/block").join(name).join("size"))?).to_bytes(512)
}

/// Returns the sector size of a disk in bytes.
pub(crate) fn sector_size(machine: &Machine, disk: &str) -> u64 {
    number(&machine.sys.join("class/block").join(disk).join("queue/logical_block_size")).unwrap_or(512)
}

impl Device {
    /// Reads the device `name`; none if it has no medium or is still being set up.
    pub(crate) fn look(machine: &Machine, name: &str) -> Option<Self> {
        let directory = machine.sys.join("class/block").join(name);
        let bytes = size(machine, name)?;
        let path = machine.dev.join(name);
        let superblock = probe(&mut File::open(&path).ok()?).ok()?;
        let partition = number(&directory.join("partition")).and_then(|number| {
            let disk = fs::canonicalize(&directory).ok()?.parent()?.file_name()?.to_str()?.to_owned();
            Some(Partition { disk, number: number.try_into().ok()? })
        });
        let names = partition.as_ref().and_then(|partition| {
            let mut disk = File::open(machine.dev.join(&partition.disk)).ok()?;
            let table = PartitionTable::read(&mut disk, sector_size(machine, &partition.disk)).ok()??;
            table.names(partition.number)
        });
        (bytes > Bytes(0)).then(|| Self { name: name.to_owned(), path, bytes, partition, names, superblock })
    }

    /// Returns the device with its current size.
    pub(crate) fn resized(self, machine: &Machine) -> Self {
        Self { bytes: size(machine, &self.name).unwrap_or(self.bytes), ..self }
    }

    fn is(&self, wanted: &RootDevice) -> bool {
        let uuid = self.superblock.as_ref().and_then(|superblock| superblock.uuid.as_deref());
        let label = self.superblock.as_ref().and_then(|superblock| superblock.label.as_deref());
        let names = self.names.as_ref();
        match wanted {
            RootDevice::Uuid(value) => uuid.is_some_and(|uuid| uuid.eq_ignore_ascii_case(value)),
            RootDevice::Label(value) => label == Some(value),
            RootDevice::PartUuid(value) => names.is_some_and(|names| names.uuid.eq_ignore_ascii_case(value)),
            RootDevice::PartLabel(value) => names.is_some_and(|names| names.label.as_ref() == Some(value)),
            RootDevice::Device(value) => self.name == *value,
        }
    }

    /// Returns a short description of the device for a boot failure.
    fn summary(&self) -> String {
        let mut text = format!("{} ({} MiB", self.name, self.bytes.to_mebibytes().0);
        if let Some(superblock) = &self.superblock {
            let _ = write!(text, ", {}", superblock.filesystem.keyword());
            if let Some(uuid) = &superblock.uuid {
                let _ = write!(text, ", UUID={uuid}");
            }
            if let Some(label) = &superblock.label {
                let _ = write!(text, ", LABEL={label}");
            }
        }
        if let Some(names) = &self.names {
            let _ = write!(text, ", PARTUUID={}", names.uuid);
        }
        text + ")"
    }
}

/// The block devices found so far.
#[derive(Default)]
pub(crate) struct Devices(BTreeMap<String, Device>);

impl Devices {
    /// Looks for new devices; returns whether there are any.
    pub(crate) fn refresh(&mut self, machine: &Machine) -> bool {
        let present: Vec<String> = fs::read_dir(machine.sys.join("class/block"))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| can_hold_a_system(name))
            .collect();
        self.0.retain(|name, _| present.contains(name));
        let before = self.0.len();
        for name in present {
            if !self.0.contains_key(&name)
                && let Some(device) = Device::look(machine, &name)
            {
                self.0.insert(name, device);
            }
        }
        self.0.len() > before
    }

    /// Returns the device that `wanted` names.
    pub(crate) fn find(&self, wanted: &RootDevice) -> Option<&Device> {
        self.0.values().find(|device| device.is(wanted))
    }

    /// Returns the device with the file system of this UUID, if it is known.
    pub(crate) fn of_builder(&self, system: Option<System<'_>>) -> Option<&Device> {
        self.find(&RootDevice::Uuid(system?.uuid?.to_owned()))
    }

    /// Returns the first device with a system if none was specified, in the order of vmxboot
    /// (docs/formats/boot-images.md): the partition with this number and a file system of this driver, where they are known.
    pub(crate) fn search(&self, system: Option<System<'_>>) -> Option<&Device> {
        let number = system.map(|system| system.number);
        let filesystem = system.and_then(|system| system.filesystem);
        let is_system =
            |found: &Superblock| filesystem.is_none_or(|kind| found.filesystem.module() == kind.module());
        let names = search_order(number);
        let mut devices = names.iter().filter_map(|name| self.0.get(name));
        devices.find(|device| device.superblock.as_ref().is_some_and(is_system))
    }

    /// Returns disks without partitions known to the kernel.
    pub(crate) fn bare_disks(&self) -> Vec<&Device> {
        let has_partitions = |disk: &Device| {
            self.0.values().any(|device| device.partition.as_ref().is_some_and(|p| p.disk == disk.name))
        };
        self.0.values().filter(|device| device.partition.is_none() && !has_partitions(device)).collect()
    }

    /// Returns a list of the devices for a boot failure.
    pub(crate) fn report(&self) -> String {
        match self.0.is_empty() {
            true => "Block devices seen: none".to_owned(),
            false => {
                let lines: Vec<String> = self.0.values().map(Device::summary).collect();
                format!("Block devices seen:\n  {}", lines.join("\n  "))
            }
        }
    }
}

/// Memory, loop devices and floppies hold no system; probing an empty floppy drive takes seconds.
fn can_hold_a_system(name: &str) -> bool {
    let numbered = |prefix| {
        name.strip_prefix(prefix).is_some_and(|rest: &str| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    !["ram", "loop", "fd", "zram", "sr", "nbd"].into_iter().any(numbered)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::fs::symlink;

    use test_programs::{have, run};

    use super::*;

    /// A machine in a temporary directory, whose devices are files.
    pub(crate) struct Files {
        _dir: tempfile::TempDir,
        pub(crate) machine: Machine,
    }

    impl Files {
        pub(crate) fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let machine = Machine::below(dir.path());
            fs::create_dir_all(machine.sys.join("class/block")).unwrap();
            fs::create_dir_all(&machine.dev).unwrap();
            Self { _dir: dir, machine }
        }

        /// Adds the device `name`; `partition` gives its disk and number.
        pub(crate) fn add(&self, name: &str, partition: Option<(&str, u32)>, content: &[u8]) {
            let disk = partition.map(|(disk, _)| format!("{disk}/")).unwrap_or_default();
            let directory = self.machine.sys.join("devices").join(format!("{disk}{name}"));
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join("size"), format!("{}\n", content.len() / 512)).unwrap();
            if let Some((_, number)) = partition {
                fs::write(directory.join("partition"), format!("{number}\n")).unwrap();
            }
            symlink(&directory, self.machine.sys.join("class/block").join(name)).unwrap();
            fs::write(self.machine.dev.join(name), content).unwrap();
        }
    }

    /// An ext2 of 1 MiB.
    pub(crate) fn ext2(uuid: &str, label: &str) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        run("mke2fs", &["-q", "-F", "-t", "ext2", "-U", uuid, "-L", label, path.to_str().unwrap(), "1M"]);
        fs::read(path).unwrap()
    }

    const UUID: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    const OTHER: &str = "11111111-2222-3333-4444-555555555555";

    /// Adds disk sda with an MBR and a partition, and sdb without a table.
    fn two_disks() -> Files {
        let files = Files::new();
        let mut disk = vec![0; 8 << 20];
        disk[440..444].copy_from_slice(&0x1234_abcdu32.to_le_bytes());
        disk[446 + 4] = 0x83;
        disk[446 + 8..446 + 16].copy_from_slice(&[0, 8, 0, 0, 0, 8, 0, 0]);
        disk[510..512].copy_from_slice(&[0x55, 0xaa]);
        files.add("sda", None, &disk);
        files.add("sda1", Some(("sda", 1)), &ext2(UUID, "system"));
        files.add("sdb", None, &ext2(OTHER, "other"));
        files.add("ram0", None, &ext2(OTHER, "system"));
        files
    }

    #[test]
    fn the_system_is_found_by_every_name_it_has() {
        if !have(&["mke2fs"]) {
            return;
        }
        let files = two_disks();
        let mut devices = Devices::default();
        assert!(devices.refresh(&files.machine));
        assert!(!devices.refresh(&files.machine));
        for (root, name) in [
            (format!("UUID={UUID}"), Some("sda1")),
            (format!("UUID={}", UUID.to_uppercase()), Some("sda1")),
            ("LABEL=system".to_owned(), Some("sda1")),
            ("LABEL=other".to_owned(), Some("sdb")),
            ("PARTUUID=1234ABCD-01".to_owned(), Some("sda1")),
            ("/dev/sdb".to_owned(), Some("sdb")),
            ("/dev/sdc".to_owned(), None),
            ("PARTUUID=1234abcd-02".to_owned(), None),
        ] {
            let wanted = RootDevice::parse(&root).unwrap();
            assert_eq!(devices.find(&wanted).map(|device| device.name.as_str()), name, "{root}");
        }
    }

    #[test]
    fn without_a_name_the_order_of_kiwi_1x_counts() {
        if !have(&["mke2fs"]) {
            return;
        }
        let files = two_disks();
        let mut devices = Devices::default();
        devices.refresh(&files.machine);
        assert_eq!(devices.search(None).unwrap().name, "sda1");
        files.add("vda2", Some(("vda", 2)), &ext2(OTHER, "newer"));
        files.add("hda2", Some(("hda", 2)), &[0; 4096]);
        devices.refresh(&files.machine);
        assert_eq!(devices.search(None).unwrap().name, "vda2", "hda2 holds no file system");
        let system = |kind| Some(System { number: 1, filesystem: Some(kind), uuid: Some(OTHER) });
        let found = |kind| devices.search(system(kind)).map(|device| device.name.as_str());
        assert_eq!((found(Filesystem::Ext2), found(Filesystem::Xfs)), (Some("sda1"), None));
        let built = |uuid| devices.of_builder(Some(System { uuid, ..system(Filesystem::Ext2).unwrap() }));
        assert_eq!(built(Some(UUID)).map(|device| device.name.as_str()), Some("sda1"));
        assert!(built(Some("2222")).is_none() && built(None).is_none());
    }

    #[test]
    fn the_report_says_what_is_on_each_device() {
        if !have(&["mke2fs"]) {
            return;
        }
        let files = two_disks();
        let mut devices = Devices::default();
        assert_eq!(devices.report(), "Block devices seen: none");
        devices.refresh(&files.machine);
        let report = devices.report();
        let expected = format!("  sda1 (1 MiB, ext2, UUID={UUID}, LABEL=system, PARTUUID=1234abcd-01)");
        assert_eq!(report.lines().nth(2), Some(expected.as_str()), "{report}");
    }
}
