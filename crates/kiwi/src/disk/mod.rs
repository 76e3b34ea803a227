//! A disk as a file: the content and the offsets of its partitions, the partition table, and the fstab.

pub mod fstab;
mod layout;
pub mod storage;
pub mod swap;
mod table;

use layout::SECTOR;
pub use layout::{DiskLayout, Extent};
pub use table::write;
