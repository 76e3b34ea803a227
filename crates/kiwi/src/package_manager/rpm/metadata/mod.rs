//! The metadata of an RPM repository (`repodata/`): which packages it has, where their files are, and their checksums.
//!
//! ```text
//! repomd.xml -> primary.xml (packages), patterns.xml or comps.xml (groups)
//! content    -> packages (on media before 2010)
//! ```
//!
//! The reader is pure: bytes in, values out. The package manager that solves checks signatures; `repomd.xml` has a checksum of
//! every other file. `docs/formats/rpm-md.md` describes the format.

mod checksum;
pub(crate) mod form;
mod group;
mod mirrors;
mod primary;
mod repomd;
mod susetags;
#[cfg(test)]
mod tests;
mod xml;

use std::io::{BufRead, BufReader, Read as _};

use anyhow::Result;

pub use checksum::{Algorithm, Checksum};
pub use group::{Group, groups, patterns};
pub use mirrors::{metalink, mirror_list};
pub use primary::{Edition, PrimaryPackage, packages};
pub use repomd::{MetadataFile, REPOMD, Repomd};
pub use susetags::{CONTENT, Content, packages_of_media};

use crate::compression::Compression;

/// Bytes of an uncompressed file that are read; the largest distributions have a quarter of it.
const MOST: u64 = 1 << 30;

/// Returns a reader of a file of metadata, whatever its compression is.
pub fn uncompressed<'r>(mut file: impl BufRead + 'r) -> Result<impl BufRead + 'r> {
    let compression = Compression::of_content(file.fill_buf()?);
    Ok(BufReader::with_capacity(1 << 16, compression.decoder(file)?.take(MOST)))
}
