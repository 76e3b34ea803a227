//! A disk as a file: partitions at their locations, a table that names them.

mod layout;
mod table;

pub use layout::{DiskLayout, Partition, PartitionRole, SECTOR, plan, plan_machine, plan_stick};
pub use table::write;
