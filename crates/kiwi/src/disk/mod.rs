//! A disk as a file: what its partitions contain, where they lie, the table that names them, the fstab that mounts them.

pub mod fstab;
mod layout;
pub mod storage;
pub mod swap;
mod table;

pub use layout::{DiskLayout, Extent, SECTOR};
pub use table::write;
