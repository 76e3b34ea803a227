//! Loads an image from a server to a device, a file or memory.
//!
//! ```text
//! server -> Watched -> Unpacked -> copy: MD5 and SHA-256 on the way -> Target
//! resumes   remembers   gzip, xz,  exactly the bytes that N.md5        the first block
//!           its errors  zstd       specifies, no more                  is written last
//! ```
//!
//! The image is read once: the sums are those of the bytes that are written, so that no second pass over the device is
//! needed. [`Target`] makes every interruption harmless: until the sums are right and everything else is on the device, its
//! first block is zero, and the device holds no file system.

mod copy;
mod sums;
mod target;
mod unpack;
mod watched;

pub(crate) use copy::{CopyError, copy};
pub(crate) use sums::{Sums, parse_sha256};
pub(crate) use target::{Target, invalidate};
pub(crate) use unpack::Unpacked;
pub(crate) use watched::Watched;
