//! The changes that the first boot makes to the partitions of a disk.
//!
//! The last partition of the image grows, and partitions that the image does not contain are created behind it. The
//! partition that grows already exists, and never becomes smaller.

use ondisk::{Bytes, Filesystem, Mebibytes};

use super::{Content, Mount, Partition, StorageError, Table};

/// The change that the first boot makes to a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FirstBoot {
    /// None.
    #[default]
    Unchanged,
    /// The partition and its file system grow to this size.
    Grows(PlannedSize),
    /// The partition is created with this size; the image does not contain it.
    Creates(PlannedSize),
}

/// The size that a partition gets at the first boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlannedSize {
    /// A fixed size.
    Fixed(Mebibytes),
    /// Twice the memory of the machine, the size of swap space in KIWI 1.x.
    TwiceMemory,
    /// The space that the other partitions leave; one partition can have it.
    Rest,
}

/// The smallest partition that is created.
pub const LEAST_PARTITION: Bytes = Bytes(16 << 20);

impl PlannedSize {
    /// Returns the fixed size in bytes on a machine with this much memory; none: the rest of the disk.
    pub fn bytes(self, memory: Bytes) -> Option<Bytes> {
        match self {
            Self::Fixed(size) => Some(size.into()),
            Self::TwiceMemory => Some(Bytes(memory.0.saturating_mul(2)).to_mebibytes_up().into()),
            Self::Rest => None,
        }
    }
}

impl Partition {
    /// Returns whether the image contains the partition.
    pub fn is_in_image(&self) -> bool {
        match self.first_boot {
            FirstBoot::Unchanged | FirstBoot::Grows(_) => true,
            FirstBoot::Creates(_) => false,
        }
    }

    fn planned(&self) -> Option<PlannedSize> {
        match self.first_boot {
            FirstBoot::Unchanged => None,
            FirstBoot::Grows(size) | FirstBoot::Creates(size) => Some(size),
        }
    }
}

/// Returns the content of a partition that is created with a file system for `path`. The partition may be missing
/// when the disk has no room for it, and the system starts nevertheless.
pub fn created_filesystem(path: &str) -> Content {
    Content::Filesystem(super::FilesystemContent {
        kind: Filesystem::Ext4,
        uuid: None,
        label: None,
        mount: Some(Mount::new(path, "defaults,nofail")),
    })
}

impl Table {
    /// Returns the partition that grows, and its size.
    pub fn growing(&self) -> Option<(&Partition, PlannedSize)> {
        self.partitions.iter().find_map(|partition| match partition.first_boot {
            FirstBoot::Grows(size) => Some((partition, size)),
            FirstBoot::Unchanged | FirstBoot::Creates(_) => None,
        })
    }

    /// Returns the partitions that are created, each with its size.
    pub fn created(&self) -> Vec<(&Partition, PlannedSize)> {
        let mut created = Vec::new();
        for partition in &self.partitions {
            match partition.first_boot {
                FirstBoot::Creates(size) => created.push((partition, size)),
                FirstBoot::Unchanged | FirstBoot::Grows(_) => {}
            }
        }
        created
    }

    /// Returns the changes for messages, such as `system:4096,swap:memory,/home:rest`; sizes are in mebibytes.
    pub fn planned(&self) -> String {
        let purpose = |partition: &Partition| match &partition.content {
            Content::Swap { .. } => "swap".to_owned(),
            content => match content.mount() {
                Some(mount) if mount.path == "/" => "system".to_owned(),
                Some(mount) => mount.path.clone(),
                None => format!("partition {}", partition.number),
            },
        };
        let planned = self.growing().into_iter().chain(self.created());
        planned.map(|(part, size)| format!("{}:{size}", purpose(part))).collect::<Vec<_>>().join(",")
    }

    /// Lets the first boot grow the system to `size`.
    pub fn grow_system(&mut self, size: PlannedSize) {
        if let Some(system) = self.partitions.iter_mut().find(|part| part.content.is_mounted_at("/")) {
            system.first_boot = FirstBoot::Grows(size);
        }
    }

    /// Lets the first boot create a partition behind the others.
    pub fn create(&mut self, content: Content, size: PlannedSize) {
        let number = self.partitions.iter().map(|partition| partition.number).max().unwrap_or(0) + 1;
        let first_boot = FirstBoot::Creates(size);
        self.partitions.push(Partition { number, name: String::new(), size: None, first_boot, content });
    }

    /// Returns the size of the smallest disk for an image of `image` bytes that ends with the partition that grows.
    /// Swap space whose size depends on the memory is not counted.
    pub fn least(&self, image: Bytes) -> Bytes {
        let grown = self.growing().and_then(|(_, size)| size.bytes(Bytes(0))).unwrap_or_default();
        let created = self.created().into_iter().map(|(_, size)| size.bytes(Bytes(0)));
        created
            .map(|size| size.unwrap_or(LEAST_PARTITION))
            .fold(image.max(grown), |sum, size| Bytes(sum.0.saturating_add(size.0)))
    }

    /// Checks what the first boot does with the disk.
    ///
    /// # Errors
    ///
    /// linuxrc cannot do that.
    pub fn check_first_boot(&self) -> Result<(), StorageError> {
        let wrong = |text: &str| Err(StorageError::new(text.to_owned()));
        let planned: Vec<PlannedSize> = self.partitions.iter().filter_map(Partition::planned).collect();
        if planned.iter().filter(|size| **size == PlannedSize::Rest).count() > 1 {
            return wrong("only one partition can have the rest of the disk");
        }
        if planned.contains(&PlannedSize::Fixed(Mebibytes(0)))
            || self.growing().is_some_and(|(_, size)| size == PlannedSize::TwiceMemory)
        {
            return wrong("a size must be a number of mebibytes above 0 or the rest of the disk");
        }
        let mut following = None;
        for partition in &self.partitions {
            following = match (partition.first_boot, following) {
                (FirstBoot::Unchanged, None) => None,
                (FirstBoot::Grows(_), None) => Some(partition.number + 1),
                (FirstBoot::Creates(_), Some(number)) if partition.number == number => Some(number + 1),
                (FirstBoot::Unchanged | FirstBoot::Grows(_) | FirstBoot::Creates(_), _) => {
                    return wrong(
                        "partitions can only be created behind the last partition of the image, and only if that grows",
                    );
                }
            };
        }
        self.created().into_iter().try_for_each(|(partition, _)| check_created(&partition.content))?;
        let is_swap = |(partition, _): &(&Partition, _)| matches!(partition.content, Content::Swap { .. });
        match self.created().iter().filter(|created| is_swap(created)).count() {
            0 | 1 => Ok(()),
            _ => wrong("swap space can only be created once"),
        }
    }
}

/// linuxrc creates swap space, and ext4 file systems that are mounted.
fn check_created(content: &Content) -> Result<(), StorageError> {
    let is_path = |path: &str| path.len() > 1 && path.starts_with('/') && !path.contains([' ', '\t', '\n']);
    match content {
        Content::Swap { .. } => Ok(()),
        Content::Filesystem(volume) if volume.kind == Filesystem::Ext4 => match &volume.mount {
            Some(mount) if is_path(&mount.path) => Ok(()),
            mount => Err(StorageError::new(format!(
                "\"{}\" is not a mount point: expected an absolute path",
                mount.as_ref().map_or("", |mount| &mount.path)
            ))),
        },
        Content::Filesystem(_) | Content::Fat { .. } | Content::BootCode | Content::Empty => {
            Err(StorageError::new("the first boot creates only swap space and ext4 file systems".to_owned()))
        }
    }
}
