//! A complete root tree in one file: a `tar` archive compressed with zstd.
//!
//! ```text
//! tree -> pack -> archive (all of it, or only the differences from a snapshot) -> unpack -> the same tree
//! ```
//!
//! Owners, modes, times to the nanosecond, hard links, extended attributes, capabilities and special files are restored
//! exactly; ids are those inside kiwi's user namespace, so archives made by root and by an ordinary user are the same.
//! The time of a file that the build itself created is the time of the build, which has no meaning later: such a file
//! is marked, and gets the current time when it is unpacked.

mod copy;
mod pack;
mod snapshot;
mod tar_writer;
mod unpack;

pub use copy::copy;
pub use pack::{Extent, pack};
pub use snapshot::{Moment, Snapshot, now};
pub use tar_writer::TarWriter;
pub use unpack::{remove, unpack};

/// Key of a pax record that marks a file created during the build.
const MADE: &str = "KIWI.made";
/// Prefix of pax records with extended attributes, as in other tar programs.
const ATTRIBUTE: &str = "SCHILY.xattr.";
/// Prefix of pax records with extended attributes in hex, whose values contain line breaks: the reader takes those for the ends
/// of records.
const HEX_ATTRIBUTE: &str = "KIWI.xattr.";
/// Key of a pax record that marks a file with holes.
const HOLES: &str = "KIWI.holes";
/// Key of a pax record with a time to the nanosecond.
const TIME: &str = "mtime";

#[cfg(test)]
mod tests;
