//! Storage: the content of the disks of a system, as a tree.
//!
//! ```text
//! Storage -> Table (GPT or MBR) -> Partition -> Content: file system, FAT, swap space, boot code, nothing
//! ```
//!
//! The builder derives everything about a disk from this value: the partition table, the content of each partition,
//! fstab, the file system that GRUB reads, the kernel's parameters for the system, and `storage=` of `/kiwi.boot`. From that
//! linuxrc derives which partition contains the system and how it is mounted, what the first boot changes ([`FirstBoot`]), and
//! what it mounts before it enters the system. A new
//! layer (a volume group, an encrypted device) is a new variant of [`Content`].

mod error;
mod first_boot;
mod fstab;
mod root;
mod text;

use ondisk::partition_table::PartitionType;
use ondisk::{Filesystem, Mebibytes};

pub use error::StorageError;
pub use first_boot::{FirstBoot, LEAST_PARTITION, PlannedSize, created_filesystem};
pub use fstab::{FstabLine, NO_MOUNT};
pub use ondisk::partition_table::Scheme;

/// All disks of a system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Storage {
    /// One table per disk.
    pub tables: Vec<Table>,
}

/// The partition table of one disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The kind of the table.
    pub scheme: Scheme,
    /// The partitions in their order on the disk.
    pub partitions: Vec<Partition>,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its number in the table, counted from 1.
    pub number: u32,
    /// Its name in a GPT.
    pub name: String,
    /// The size in the image; none: the size that its content needs.
    pub size: Option<Mebibytes>,
    /// The change that the first boot makes.
    pub first_boot: FirstBoot,
    /// The content.
    pub content: Content,
}

/// The content of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A Linux file system.
    Filesystem(FilesystemContent),
    /// A FAT file system, which firmware reads.
    Fat {
        /// The volume id; none: not yet chosen.
        id: Option<u32>,
        /// The mount point in the system.
        mount: Option<Mount>,
    },
    /// Swap space.
    Swap {
        /// The UUID; none: not yet chosen.
        uuid: Option<String>,
        /// The label.
        label: Option<String>,
    },
    /// The core image of the boot loader for BIOS.
    BootCode,
    /// Nothing.
    Empty,
}

/// A Linux file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesystemContent {
    /// The kind of file system.
    pub kind: Filesystem,
    /// The UUID; none: the file system has none, or it is not yet chosen.
    pub uuid: Option<String>,
    /// The label.
    pub label: Option<String>,
    /// The mount point in the system.
    pub mount: Option<Mount>,
}

/// A mount point in fstab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// An absolute path without a `/` at its end; `/` is the root file system.
    pub path: String,
    /// Mount options.
    pub options: String,
}

impl Mount {
    /// Returns the mount point `path` with these options.
    pub fn new(path: impl Into<String>, options: impl Into<String>) -> Self {
        Self { path: path.into(), options: options.into() }
    }

    /// Returns whether the absolute path `file` is inside this mount point.
    pub fn contains(&self, file: &str) -> bool {
        self.path == "/"
            || file.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Returns a FAT volume id as `blkid` and fstab write it: `1234-ABCD`.
pub fn fat_uuid(id: u32) -> String {
    format!("{:04X}-{:04X}", id >> 16, id & 0xffff)
}

impl Content {
    /// Returns the type of its partition in the table.
    pub fn partition_type(&self) -> PartitionType {
        match self {
            Self::BootCode => PartitionType::BiosBoot,
            Self::Fat { .. } => PartitionType::Firmware,
            Self::Swap { .. } => PartitionType::Swap,
            Self::Filesystem(_) | Self::Empty => PartitionType::Linux,
        }
    }

    /// Returns the mount point of the content.
    pub fn mount(&self) -> Option<&Mount> {
        match self {
            Self::Filesystem(volume) => volume.mount.as_ref(),
            Self::Fat { mount, .. } => mount.as_ref(),
            Self::Swap { .. } | Self::BootCode | Self::Empty => None,
        }
    }

    /// Returns whether the system mounts the partition at `path`.
    pub fn is_mounted_at(&self, path: &str) -> bool {
        self.mount().is_some_and(|mount| mount.path == path)
    }
}

impl Table {
    /// Returns the partition that the system mounts at `path`.
    pub fn mounted_at(&self, path: &str) -> Option<&Partition> {
        self.partitions.iter().find(|partition| partition.content.is_mounted_at(path))
    }

    /// Returns the partition whose file system contains the absolute path `file` when everything is mounted, and the path
    /// of that file inside it.
    pub fn containing<'a>(&self, file: &'a str) -> Option<(&Partition, &'a str)> {
        let mounts =
            self.partitions.iter().filter_map(|partition| Some((partition, partition.content.mount()?)));
        let (partition, mount) =
            mounts.filter(|(_, mount)| mount.contains(file)).max_by_key(|(_, mount)| mount.path.len())?;
        let inside = if mount.path == "/" { file } else { &file[mount.path.len()..] };
        Some((partition, inside))
    }
}

impl Storage {
    /// Returns the storage of a system on one disk.
    pub fn of(table: Table) -> Self {
        Self { tables: vec![table] }
    }

    /// Returns the table of the disk with the system, and the partition with the system.
    pub fn system(&self) -> Option<(&Table, &Partition)> {
        self.tables.iter().find_map(|table| Some((table, table.mounted_at("/")?)))
    }

    /// Returns the partitions that must be mounted before the init of the system starts, parents before children, each
    /// with its mount point: `/usr` contains programs and libraries of the init. The system mounts the others by its fstab.
    pub fn early_mounts(&self) -> Vec<(&Partition, &Mount)> {
        let partitions = self.tables.iter().flat_map(|table| &table.partitions);
        let mut early: Vec<_> = partitions
            .filter_map(|partition| Some((partition, partition.content.mount()?)))
            .filter(|(_, mount)| mount.path == "/usr" || mount.path.starts_with("/usr/"))
            .collect();
        early.sort_by_key(|(_, mount)| mount.path.len());
        early
    }
}

#[cfg(test)]
mod tests;
