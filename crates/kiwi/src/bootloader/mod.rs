//! Boot loaders, written into a disk file at their places.

pub mod grub2;
