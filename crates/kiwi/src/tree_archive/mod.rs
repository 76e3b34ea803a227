//! A tree in one file: `tar` packed with zstd, everything a root tree has included.
//!
//! ```text
//! tree -> pack -> archive (all of it, or only what differs from a snapshot) -> unpack -> the same tree
//! ```
//!
//! Owners, modes, times to the nanosecond, hard links, extended attributes, capabilities and special files come back
//! as they were; ids are those seen inside kiwi's user namespace, so an archive made by root and one made by an
//! ordinary user are the same. What a build itself made has the time of the build, which means nothing later: such a
//! file is marked and comes back as if it were made at that moment.

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

/// Key of a pax record that says: made during the build.
const MADE: &str = "KIWI.made";
/// Prefix of pax records with extended attributes, as tar programs have it.
const ATTRIBUTE: &str = "SCHILY.xattr.";
/// Key of a pax record with a time to the nanosecond.
const TIME: &str = "mtime";

#[cfg(test)]
mod tests;
