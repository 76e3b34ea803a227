//! CDs and sticks from finished artifacts: a boot image with its kernel and, if wanted, a system.
//!
//! ```text
//! boot image (N.gz, N.kernel) + system image -> plan -> one file: the stick or CD -> published, or written to a device
//! ```
//!
//! Each medium is a plan and its execution. `removable` chooses devices; `flash` writes them and reads them back.

pub mod boot_files;
mod boot_menu;
pub mod cd;
pub mod flash;
pub mod iso;
pub mod removable;
pub mod stick;
pub mod system_image;
pub mod system_kernel;

use bootconfig::Checksum;

use crate::host::Host;
use crate::identity::Identity;

/// The earliest time that FAT and ISO 9660 can represent, 1980-01-01.
const EARLIEST: u64 = 315_532_800;

/// The identity of a medium: its identifiers derive from its contents and its times from `SOURCE_DATE_EPOCH`, so that the
/// same artifacts give the same bytes.
pub fn identity(purpose: &str, content: &[Checksum], host: &Host) -> Identity {
    let epoch = host.variable("SOURCE_DATE_EPOCH").and_then(|text| text.parse().ok()).unwrap_or(EARLIEST);
    let sums: Vec<String> = content.iter().map(Checksum::to_string).collect();
    Identity::new(epoch.max(EARLIEST), std::iter::once(purpose).chain(sums.iter().map(String::as_str)))
}
