//! Formats of data on disks, shared by the builder and the boot program.
//!
//! * [`Filesystem`]: the file systems that descriptions, boot settings and superblocks can name.
//! * [`Superblock`]: the file system that the start of a device describes.
//! * [`partition_table`]: GPT and MBR, read, written and changed.
//! * [`modules`]: the kernel modules that depmod lists, and which of them a name needs.
//! * [`command_line`]: kernel command lines, as boot loaders pass them on.
//! * [`digest`]: MD5 and SHA-256, and hexadecimal digits.
//! * [`Bytes`], [`Mebibytes`], [`Sectors`]: sizes with their unit in the type.
//!
//! The crate is pure: bytes in, values out. It opens no file and starts no process. Its input may come from a
//! damaged or crafted disk, and `linuxrc` is built to abort on panic, so that nothing here may panic, overflow or
//! allocate what the input asks for without a limit.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test is its own host"))]

pub mod command_line;
pub mod digest;
mod filesystem;
pub mod modules;
pub mod partition_table;
mod size;
mod superblock;
mod uuid;

pub use filesystem::{Checker, Filesystem, Maker};
pub use size::{Bytes, Mebibytes, Sectors};
pub use superblock::{Growth, Superblock, probe, probe_swap};
pub use uuid::Uuid;
