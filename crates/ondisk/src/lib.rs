//! Facts about what lies on disks, shared by the builder and the boot program.
//!
//! * [`Filesystem`]: the file systems that descriptions, boot settings and superblocks can name.
//! * [`Bytes`], [`Mebibytes`], [`Sectors`]: sizes with their unit in the type.
//!
//! The crate is pure: bytes in, facts out. It opens no file and starts no process. Its input may come from a
//! damaged or crafted disk, and `linuxrc` is built to abort on panic, so that nothing here may panic, overflow or
//! allocate what the input asks for without a limit.
#![forbid(unsafe_code)]

mod filesystem;
mod size;

pub use filesystem::Filesystem;
pub use size::{Bytes, Mebibytes, Sectors};
