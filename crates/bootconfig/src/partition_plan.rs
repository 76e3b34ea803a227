//! How a disk is divided when it boots for the first time: `partitions=` of `/kiwi.boot`.
//!
//! ```text
//! partitions=system:4096,swap:memory,/home:rest
//! ```
//!
//! In the order on the disk, behind what the image has in front of its system. Sizes are mebibytes, `memory` (twice the
//! machine's, the chapter's rule for swap) or `rest`, which one partition may have. The system comes first: it is there
//! already, and never becomes smaller.

use std::fmt;

/// A partition that a disk is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPartition {
    /// What it is for.
    pub purpose: Purpose,
    /// How large it is.
    pub size: PlannedSize,
}

/// What a partition is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The system.
    System,
    /// Swap space.
    Swap,
    /// A file system, mounted at this absolute path.
    Mount(String),
}

/// How large a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlannedSize {
    /// So many mebibytes.
    Mebibytes(u64),
    /// Twice the memory of the machine.
    TwiceMemory,
    /// What the others leave.
    Rest,
}

/// The partitions of a disk, the system first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionPlan(Vec<PlannedPartition>);

/// Why partitions cannot be planned so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionPlanError(String);

impl fmt::Display for PartitionPlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PartitionPlanError {}

impl PartitionPlanError {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }
}

/// Bytes of the smallest partition that is of use.
pub const LEAST_PARTITION: u64 = 16 << 20;

impl PartitionPlan {
    /// The partitions of a disk: the system first and once, swap at most once, one size `rest`.
    pub fn new(partitions: Vec<PlannedPartition>) -> Result<Self, PartitionPlanError> {
        let count = |is: fn(&PlannedPartition) -> bool| partitions.iter().filter(|part| is(part)).count();
        let wrong = |text: &str| Err(PartitionPlanError(text.to_owned()));
        if partitions.first().is_none_or(|first| first.purpose != Purpose::System) {
            return wrong("the system must be the first partition");
        }
        if count(|part| part.purpose == Purpose::System) > 1
            || count(|part| part.purpose == Purpose::Swap) > 1
        {
            return wrong("system and swap can only be there once");
        }
        if count(|part| part.size == PlannedSize::Rest) > 1 {
            return wrong("only one partition can have the rest of the disk");
        }
        if partitions[0].size == PlannedSize::TwiceMemory
            || count(|part| part.size == PlannedSize::Mebibytes(0)) > 0
        {
            return wrong("a size must be a number of mebibytes above 0 or the rest of the disk");
        }
        let is_path =
            |path: &str| path.len() > 1 && path.starts_with('/') && !path.contains([',', ':', ' ', '\n']);
        for part in &partitions {
            if let Purpose::Mount(path) = &part.purpose
                && !is_path(path)
            {
                return Err(PartitionPlanError(format!("\"{path}\" is no location to mount a partition at")));
            }
        }
        Ok(Self(partitions))
    }

    /// The partitions in their order.
    pub fn partitions(&self) -> &[PlannedPartition] {
        &self.0
    }

    /// Bytes a disk must have for it and for an image of `image` bytes that ends with the system. Swap space that depends
    /// on the memory is left out.
    pub fn least(&self, image: u64) -> u64 {
        let bytes = |part: &PlannedPartition, rest| match part.size {
            PlannedSize::Mebibytes(size) => size.saturating_mul(1 << 20),
            PlannedSize::TwiceMemory => 0,
            PlannedSize::Rest => rest,
        };
        let others: u64 =
            self.0[1..].iter().map(|part| bytes(part, LEAST_PARTITION)).fold(0, u64::saturating_add);
        image.max(bytes(&self.0[0], 0)).saturating_add(others)
    }

    /// Reads the text.
    pub fn parse(text: &str) -> Result<Self, PartitionPlanError> {
        let partition = |keyword: &str| {
            let (purpose, size) = keyword.split_once(':')?;
            let purpose = match purpose {
                "system" => Purpose::System,
                "swap" => Purpose::Swap,
                path if path.starts_with('/') => Purpose::Mount(path.to_owned()),
                _ => return None,
            };
            let size = match size {
                "rest" => PlannedSize::Rest,
                "memory" => PlannedSize::TwiceMemory,
                number => PlannedSize::Mebibytes(number.parse().ok()?),
            };
            Some(PlannedPartition { purpose, size })
        };
        let partitions: Option<Vec<PlannedPartition>> = text.split(',').map(partition).collect();
        Self::new(partitions.ok_or_else(|| {
            PartitionPlanError(format!(
                "\"{text}\" are no partitions: expected system:SIZE,swap:SIZE,/PATH:SIZE"
            ))
        })?)
    }
}

impl fmt::Display for PartitionPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, part) in self.0.iter().enumerate() {
            let purpose = match &part.purpose {
                Purpose::System => "system",
                Purpose::Swap => "swap",
                Purpose::Mount(path) => path,
            };
            let comma = if number == 0 { "" } else { "," };
            match part.size {
                PlannedSize::Mebibytes(size) => write!(f, "{comma}{purpose}:{size}")?,
                PlannedSize::TwiceMemory => write!(f, "{comma}{purpose}:memory")?,
                PlannedSize::Rest => write!(f, "{comma}{purpose}:rest")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_chapters_division_reads_as_written() {
        let text = "system:10240,swap:memory,/home:rest";
        let partition_plan = PartitionPlan::parse(text).unwrap();
        assert_eq!(partition_plan.partitions()[1].purpose, Purpose::Swap);
        assert_eq!(partition_plan.partitions()[1].size, PlannedSize::TwiceMemory);
        assert_eq!(partition_plan.to_string(), text);
    }

    #[test]
    fn a_disk_needs_room_for_all_of_it() {
        let least = |text| PartitionPlan::parse(text).unwrap().least(500 << 20) >> 20;
        assert_eq!(least("system:rest,swap:100"), 600);
        assert_eq!(least("system:800,swap:memory,/home:rest"), 816);
        assert_eq!(least("system:18446744073709551615,swap:9"), u64::MAX >> 20);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (text, wrong) in [
            ("", "\"\" are no partitions"),
            ("swap:5,system:rest", "the system must be the first partition"),
            ("system:rest,swap:1,swap:2", "only be there once"),
            ("system:rest,/home:rest", "only one partition can have the rest"),
            ("system:memory", "a number of mebibytes above 0"),
            ("system:rest,swap:0", "a number of mebibytes above 0"),
            ("system:rest,/:5", "\"/\" is no location"),
            ("system:rest,home:5", "are no partitions"),
        ] {
            let error = PartitionPlan::parse(text).unwrap_err().to_string();
            assert!(error.contains(wrong), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_back(text in "system:(rest|[1-9][0-9]{0,5})(,swap:(memory|[1-9][0-9]{0,4}))?(,/[a-z]{1,8}:[1-9][0-9]{0,3}){0,2}") {
            let partition_plan = PartitionPlan::parse(&text).unwrap();
            prop_assert_eq!(partition_plan.to_string(), text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = PartitionPlan::parse(&text);
        }
    }
}
