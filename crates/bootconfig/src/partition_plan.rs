//! The partition plan: how a disk is repartitioned when it boots for the first time (`partitions=` of `/kiwi.boot`).
//!
//! ```text
//! partitions=system:4096,swap:memory,/home:rest
//! ```
//!
//! Partitions are listed in their order on the disk, after those that precede the system in the image. A size is in
//! mebibytes, `memory` (twice the memory of the machine, as KIWI 1.x sizes swap space) or `rest`, which one partition may
//! have. The system comes first: it already exists, and never becomes smaller.

use std::fmt;

/// A partition of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPartition {
    /// The purpose.
    pub purpose: Purpose,
    /// The size.
    pub size: PlannedSize,
}

/// The purpose of a planned partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The system.
    System,
    /// Swap space.
    Swap,
    /// A file system that is mounted at this absolute path.
    Mount(String),
}

/// The size of a planned partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlannedSize {
    /// A number of mebibytes.
    Mebibytes(u64),
    /// Twice the memory of the machine.
    TwiceMemory,
    /// The space that the other partitions leave.
    Rest,
}

/// The partitions of a disk, starting with the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionPlan(Vec<PlannedPartition>);

/// The error for partitions that cannot be planned.
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

/// Bytes of the smallest partition that is created.
pub const LEAST_PARTITION: u64 = 16 << 20;

impl PartitionPlan {
    /// Checks the partitions of a disk: the system first and once, swap space at most once, one size `rest`.
    pub fn new(partitions: Vec<PlannedPartition>) -> Result<Self, PartitionPlanError> {
        let count = |is: fn(&PlannedPartition) -> bool| partitions.iter().filter(|part| is(part)).count();
        let wrong = |text: &str| Err(PartitionPlanError(text.to_owned()));
        if partitions.first().is_none_or(|first| first.purpose != Purpose::System) {
            return wrong("the system must be the first partition");
        }
        if count(|part| part.purpose == Purpose::System) > 1
            || count(|part| part.purpose == Purpose::Swap) > 1
        {
            return wrong("system and swap can only be given once");
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
                return Err(PartitionPlanError(format!(
                    "\"{path}\" is not a mount point: expected an absolute path"
                )));
            }
        }
        Ok(Self(partitions))
    }

    /// Returns the partitions in their order on the disk.
    pub fn partitions(&self) -> &[PlannedPartition] {
        &self.0
    }

    /// Returns the size in bytes that a disk needs for the plan and for an image of `image` bytes that ends with the
    /// system. Swap space whose size depends on the memory is not counted.
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

    /// Parses the text.
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
                "\"{text}\" is not a partition plan: expected system:SIZE,swap:SIZE,/PATH:SIZE"
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
    fn reads_back_a_plan() {
        let text = "system:10240,swap:memory,/home:rest";
        let partition_plan = PartitionPlan::parse(text).unwrap();
        assert_eq!(partition_plan.partitions()[1].purpose, Purpose::Swap);
        assert_eq!(partition_plan.partitions()[1].size, PlannedSize::TwiceMemory);
        assert_eq!(partition_plan.to_string(), text);
    }

    #[test]
    fn computes_the_size_of_the_disk() {
        let least = |text| PartitionPlan::parse(text).unwrap().least(500 << 20) >> 20;
        assert_eq!(least("system:rest,swap:100"), 600);
        assert_eq!(least("system:800,swap:memory,/home:rest"), 816);
        assert_eq!(least("system:18446744073709551615,swap:9"), u64::MAX >> 20);
    }

    #[test]
    fn rejects_impossible_plans() {
        for (text, wrong) in [
            ("", "\"\" is not a partition plan"),
            ("swap:5,system:rest", "the system must be the first partition"),
            ("system:rest,swap:1,swap:2", "only be given once"),
            ("system:rest,/home:rest", "only one partition can have the rest"),
            ("system:memory", "a number of mebibytes above 0"),
            ("system:rest,swap:0", "a number of mebibytes above 0"),
            ("system:rest,/:5", "\"/\" is not a mount point"),
            ("system:rest,home:5", "is not a partition plan"),
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
