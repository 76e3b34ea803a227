//! The contract between kiwi, which builds images, and linuxrc, which boots them.
//!
//! Everything that one side writes and the other reads is here once, parse and write side by side: the boot
//! settings of an initrd (`config`), the kernel command line (`parameter`), how the root device is named
//! (`partition`), the partitions of a disk (`deployed`, `partition_plan`), the checksum file of an image (`checksum`),
//! the names of the files (`image_name`), the kinds of boot images (`kind`), what CDs and sticks say about themselves
//! (`medium`) and what live media carry (`live`).
//!
//! Pure: text and bytes in, values out. No file, clock, process or terminal is touched.
#![forbid(unsafe_code)]

mod checksum;
mod config;
mod deployed;
mod image_name;
mod install;
mod install_choice;
mod kind;
mod live;
mod medium;
mod parameter;
mod partition;
mod partition_plan;
mod storage;

pub use checksum::{Blocks, Checksum, ChecksumError, Digester};
pub use config::{BootConfig, ConfigError};
pub use deployed::{Deployed, DeployedPartition};
pub use image_name::ImageName;
pub use install::{InstallConfig, InstallConfigError};
pub use install_choice::InstallChoice;
pub use kind::Kind;
pub use live::{LiveConfig, LiveConfigError, LiveParameters, Union};
pub use medium::{DESCRIPTOR, MediumDigester, MediumSum, SECTOR, Volume};
pub use parameter::{BootParameters, ParameterError, Parameters};
pub use partition::{RootDevice, RootDeviceError, SEARCH_ORDER, SearchedDevice, partition_name};
pub use partition_plan::{
    LEAST_PARTITION, PartitionPlan, PartitionPlanError, PlannedPartition, PlannedSize, Purpose,
};
pub use storage::{
    Content, FilesystemContent, Mount, Partition, Scheme, Storage, StorageError, Table, fat_uuid,
};
