//! The partitions that `<deploy>` specifies, in the notation of KIWI 1.x configuration files
//! (docs/formats/description.md and docs/formats/image-files.md).
//!
//! ```text
//! PART=1024;S;x,x;L;/,8000;83;/home,
//! ```
//!
//! Each partition has a size, a type and a mount point. A size is in mebibytes, or `x` for the rest of the disk; the mount
//! point `x` stands for none.

use std::fmt;

use ondisk::{Bytes, Filesystem, Mebibytes};

use crate::plain_text;
use crate::storage::{
    Content, FilesystemContent, FirstBoot, Mount, Partition, PlannedSize, Scheme, StorageError, Table,
    created_filesystem,
};

/// The largest size of a partition in mebibytes: 16 EiB have one more.
const LARGEST: u64 = (1 << 44) - 1;

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedPartition {
    /// The size; none: the rest of the disk.
    pub size: Option<Mebibytes>,
    /// The type as sfdisk names it (`S`, `L`, `83`), or a text that contains `swap`.
    pub kind: String,
    /// The mount point in the system.
    pub mountpoint: Option<String>,
}

/// The partitions in their order on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// At least one partition.
    pub partitions: Vec<DeployedPartition>,
    /// The number of the partition for the system, counted from 1, when it is specified.
    pub target: Option<usize>,
}

impl DeployedPartition {
    /// Returns whether the partition is swap space.
    pub fn is_swap(&self) -> bool {
        let kind = self.kind.to_lowercase();
        kind == "s" || kind == "82" || kind.contains("swap")
    }

    fn planned_size(&self) -> PlannedSize {
        self.size.map_or(PlannedSize::Rest, PlannedSize::Fixed)
    }

    fn parse(entry: &str) -> Option<Self> {
        let mut fields = entry.split(';');
        let (size, kind) = (fields.next()?, fields.next()?);
        let size = match size {
            "x" => None,
            number => Some(Mebibytes(number.parse().ok().filter(|size| *size <= LARGEST)?)),
        };
        let mountpoint = fields.next().filter(|path| !matches!(*path, "" | "x"));
        if mountpoint.is_some_and(|path| !plain_text::stays_below(path)) {
            return None;
        }
        Some(Self { size, kind: kind.to_owned(), mountpoint: mountpoint.map(str::to_owned) })
    }
}

impl Deployed {
    /// Parses the value of `PART=`.
    pub fn parse(text: &str, target: Option<usize>) -> Result<Self, StorageError> {
        let entries = text.split(',').filter(|entry| !entry.is_empty());
        let partitions: Option<Vec<_>> = entries.map(DeployedPartition::parse).collect();
        match partitions {
            Some(partitions) if !partitions.is_empty() => Ok(Self { partitions, target }),
            _ => Err(StorageError::new(format!("PART=\"{text}\": expected <size>;<type>;<mountpoint>,..."))),
        }
    }

    /// Returns the index of the partition for the system: the specified one, else the one that is mounted at `/`, else the
    /// second one, as in KIWI 1.x network boot. Counted from 0.
    pub fn system(&self) -> Option<usize> {
        let second = self.partitions.get(1);
        let target = self.target.and_then(|number| number.checked_sub(1));
        target
            .filter(|index| *index < self.partitions.len())
            .or_else(|| self.partitions.iter().position(|part| part.mountpoint.as_deref() == Some("/")))
            .or_else(|| second.is_some_and(|part| !part.is_swap() && part.mountpoint.is_none()).then_some(1))
    }

    /// Adds the partitions to the table of a disk that already contains the system: the system grows, and the others are
    /// created behind it, regardless of its number, because the image ends with the system. Partitions that are neither swap
    /// space nor mounted are left out.
    pub fn add_to(&self, table: &mut Table) -> Result<(), StorageError> {
        let system = self.system();
        // Without a specified size the system keeps its size.
        table.grow_system(
            system.map_or(PlannedSize::Fixed(Mebibytes(1)), |index| self.partitions[index].planned_size()),
        );
        let others = self.partitions.iter().enumerate().filter(|(index, _)| Some(*index) != system);
        for (_, part) in others {
            let content = match &part.mountpoint {
                _ if part.is_swap() => Content::Swap { uuid: None, label: None },
                Some(path) => created_filesystem(path),
                None => continue,
            };
            table.create(content, part.planned_size());
        }
        table.check_first_boot()
    }

    /// Returns the size of the smallest disk for the partitions and an image of `image` bytes that ends with the system.
    pub fn least(&self, image: Bytes) -> Result<Bytes, StorageError> {
        // The size of the image is that of the system, whatever its kind.
        let system = FilesystemContent {
            kind: Filesystem::Ext4,
            uuid: None,
            label: None,
            mount: Some(Mount::new("/", "defaults")),
        };
        let system = Partition {
            number: 1,
            name: String::new(),
            size: None,
            first_boot: FirstBoot::Unchanged,
            content: Content::Filesystem(system),
        };
        let mut table = Table { scheme: Scheme::Gpt, partitions: vec![system] };
        self.add_to(&mut table)?;
        Ok(table.least(image))
    }
}

impl fmt::Display for Deployed {
    /// Writes the value of `PART=`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.partitions {
            match part.size {
                Some(size) => write!(f, "{}", size.0)?,
                None => f.write_str("x")?,
            }
            write!(f, ";{};{},", part.kind, part.mountpoint.as_deref().unwrap_or("x"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::storage::Storage;

    /// Returns the changes of the first boot, or why they are impossible.
    fn plan_of(text: &str, target: Option<usize>) -> String {
        let system =
            "table;scheme=gpt partition;number=3;name=a;content=filesystem;kind=xfs;mount=/;options=noatime";
        let mut table = Storage::parse(system).unwrap().tables.remove(0);
        match Deployed::parse(text, target).unwrap().add_to(&mut table) {
            Ok(()) => table.planned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn puts_the_system_first() {
        assert_eq!(plan_of("1024;S;x,x;L;/,", None), "system:rest,swap:1024");
        assert_eq!(plan_of("1024;Linux swap,4000;L;x,x;83;/home", None), "system:4000,swap:1024,/home:rest");
        assert_eq!(
            plan_of("1024;S;x,500;L;x,x;83;x,", Some(3)),
            "system:rest,swap:1024",
            "the specified partition"
        );
        assert_eq!(
            plan_of("1024;S;x,500;L;/srv", None),
            "system:1,swap:1024,/srv:500",
            "no partition for the system"
        );
    }

    #[test]
    fn rejects_impossible_partitions() {
        for text in ["", ",", "5", "much;L;/", "x;"] {
            let read = Deployed::parse(text, None);
            assert_eq!(read.is_ok(), text == "x;", "{text}");
        }
        assert!(plan_of("x;L;/,x;L;/home", None).contains("only one partition can have the rest"));
        assert!(plan_of("5;L;/,0;S;x", None).contains("a number of mebibytes above 0"));
        assert!(plan_of("5;L;/,5;S;x,5;S;x", None).contains("swap space can only be created once"));
        assert!(plan_of("5;L;/,5;L;home", None).contains("\"home\" is not a mount point"));
    }

    #[test]
    fn computes_the_size_of_the_disk() {
        let least =
            |text: &str| Deployed::parse(text, None).unwrap().least(Bytes(500 << 20)).unwrap().0 >> 20;
        assert_eq!(least("x;L;/,100;S;x"), 600);
        assert_eq!(least("800;L;/,x;L;/home"), 816);
        assert_eq!(least(&format!("{LARGEST};L;/,9;S;x")), u64::MAX >> 20);
        assert!(Deployed::parse(&format!("{};L;/", LARGEST + 1), None).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in "((x|[1-9][0-9]{0,5});(S|L|83|swap);(x|/[a-z]{0,8}),){1,4}", target in proptest::option::of(1usize..9)) {
            let deployed = Deployed::parse(&text, target).unwrap();
            prop_assert_eq!(deployed.to_string(), text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = Deployed::parse(&text, Some(7)).map(|deployed| deployed.least(Bytes(1)));
        }
    }
}
