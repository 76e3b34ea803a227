//! The partitions that `<deploy>` specifies, in the notation of KIWI 1.x configuration files
//! (docs/formats/description.md and docs/formats/image-files.md).
//!
//! ```text
//! PART=1024;S;x,x;L;/,8000;83;/home,
//! ```
//!
//! Each partition has a size, a type and a mount point. A size is in mebibytes unless it has a unit as sfdisk writes it
//! (`512M`, `2GiB`), `x` for the rest of the disk, or `image` for the size of the image that is written to the partition;
//! the mount point `x` stands for none.

use std::fmt;

use ondisk::{Bytes, Filesystem, Mebibytes};

use crate::plain_text;
use crate::storage::{
    Content, FilesystemContent, FirstBoot, Mount, Partition, PlannedSize, Scheme, StorageError, Table,
    created_filesystem,
};

/// The largest size of a partition in mebibytes: 16 EiB have one more.
const LARGEST: u64 = (1 << 44) - 1;

/// The size of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeployedSize {
    /// A number of mebibytes.
    Fixed(Mebibytes),
    /// The rest of the disk.
    Rest,
    /// The size of the image that is written to the partition.
    Image,
}

impl DeployedSize {
    /// Parses a size; a fraction of a mebibyte is rounded up.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim_start_matches('+').find(|c: char| !c.is_ascii_digit());
        let number = text.trim_start_matches('+');
        match (text, digits.map_or((number, ""), |at| number.split_at(at))) {
            // `-` and `+` are the default of sfdisk.
            ("x" | "-" | "+", _) => Some(Self::Rest),
            ("image", _) => Some(Self::Image),
            (_, (number, unit)) => {
                let number: u64 = number.parse().ok()?;
                let size = match unit.trim_end_matches("iB") {
                    "K" => number.div_ceil(1 << 10),
                    "" | "M" => number,
                    "G" => number.checked_mul(1 << 10)?,
                    "T" => number.checked_mul(1 << 20)?,
                    _ => return None,
                };
                (size <= LARGEST && unit != "iB").then_some(Self::Fixed(Mebibytes(size)))
            }
        }
    }
}

impl fmt::Display for DeployedSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{}", size.0),
            Self::Rest => f.write_str("x"),
            Self::Image => f.write_str("image"),
        }
    }
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedPartition {
    /// The size.
    pub size: DeployedSize,
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

    /// Returns the size for the plan of a disk that already contains the system.
    fn planned_size(&self) -> PlannedSize {
        match self.size {
            DeployedSize::Fixed(size) => PlannedSize::Fixed(size),
            DeployedSize::Rest => PlannedSize::Rest,
            // The partition that the disk has: the system keeps its size, and others are not written.
            DeployedSize::Image => PlannedSize::Fixed(Mebibytes(1)),
        }
    }

    fn parse(entry: &str) -> Option<Self> {
        let mut fields = entry.split(';').map(str::trim);
        let (size, kind) = (fields.next()?, fields.next()?);
        let size = DeployedSize::parse(size)?;
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
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let partitions: Option<Vec<_>> = entries.map(DeployedPartition::parse).collect();
        match partitions {
            Some(partitions) if !partitions.is_empty() => Ok(Self { partitions, target }),
            _ => Err(StorageError::new(format!("PART=\"{text}\": expected <size>;<type>;<mountpoint>,..."))),
        }
    }

    /// Returns the number of the partition at `index`, counted from 0, on a disk that has no other partitions. Of more than four
    /// partitions, those from the fourth on have the next number, because an extended partition has number 4 on an MBR.
    pub fn number(&self, index: usize) -> u32 {
        let skipped = usize::from(self.partitions.len() > 4 && index >= 3);
        u32::try_from(index + 1 + skipped).unwrap_or(u32::MAX)
    }

    /// Returns the partition with this number.
    pub fn numbered(&self, number: u32) -> Option<&DeployedPartition> {
        (0..self.partitions.len())
            .find(|index| self.number(*index) == number)
            .map(|index| &self.partitions[index])
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
            write!(f, "{};{};{},", part.size, part.kind, part.mountpoint.as_deref().unwrap_or("x"))?;
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
    fn more_than_four_partitions_leave_number_four_to_the_extended_one() {
        let numbers = |count: usize| {
            let deployed = Deployed::parse(&"1;L;x,".repeat(count), None).unwrap();
            (0..count).map(|index| deployed.number(index)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(4), [1, 2, 3, 4]);
        assert_eq!(numbers(6), [1, 2, 3, 5, 6, 7]);
        let deployed = Deployed::parse("1;S;x,2;L;/,3;L;x,4;L;x,5;L;/srv,", None).unwrap();
        assert_eq!(deployed.numbered(6).and_then(|part| part.mountpoint.as_deref()), Some("/srv"));
        assert_eq!((deployed.numbered(4), deployed.numbered(7)), (None, None));
    }

    #[test]
    fn reads_the_sizes_of_sfdisk() {
        let size = |text| DeployedSize::parse(text).map(|size| size.to_string());
        for (text, expected) in [
            ("200", "200"),
            ("200M", "200"),
            ("2GiB", "2048"),
            ("1T", "1048576"),
            ("1025K", "2"),
            ("+5", "5"),
        ] {
            assert_eq!(size(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(
            (DeployedSize::parse("-"), DeployedSize::parse("image")),
            (Some(DeployedSize::Rest), Some(DeployedSize::Image))
        );
        for text in ["", "G", "iB", "5iB", "5 G", "0x5", "5MB", "99999999999T", "1.5G"] {
            assert_eq!(size(text), None, "{text}");
        }
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
        fn what_is_written_is_read_back(text in "((x|image|[1-9][0-9]{0,5});(S|L|83|swap);(x|/[a-z]{0,8}),){1,4}", target in proptest::option::of(1usize..9)) {
            let deployed = Deployed::parse(&text, target).unwrap();
            prop_assert_eq!(deployed.to_string(), text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = Deployed::parse(&text, Some(7)).map(|deployed| deployed.least(Bytes(1)));
        }
    }
}
