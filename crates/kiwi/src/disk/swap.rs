//! Swap space as mkswap creates it: one page with a header (`union swap_header` of the kernel's include/linux/swap.h).

use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};
use ondisk::Bytes;

use crate::failure::fail;

/// Bytes of a page.
const PAGE: u64 = 4096;
/// The offset of the header's fields in bytes.
const HEADER: u64 = 1024;

/// Writes the header of swap space of this size at `offset` of the disk.
pub fn write(disk: &File, offset: Bytes, size: Bytes, uuid: &str, label: Option<&str>) -> Result<()> {
    let pages = u32::try_from(size.0 / PAGE).context("swap space can have at most 16 TiB")?;
    if pages <= 10 {
        fail!(InvalidDescription, "swap space needs at least 11 pages and has {pages}");
    }
    let uuid =
        u128::from_str_radix(&uuid.replace('-', ""), 16).context("cannot read the UUID of swap space")?;
    let label = label.unwrap_or_default().as_bytes();
    if label.len() > 16 {
        fail!(InvalidDescription, "the label of swap space can have at most 16 bytes");
    }
    let mut page = vec![0; PAGE as usize];
    let mut put = |at: u64, bytes: &[u8]| page[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
    put(HEADER, &1u32.to_le_bytes());
    put(HEADER + 4, &(pages - 1).to_le_bytes());
    put(HEADER + 12, &uuid.to_be_bytes());
    put(HEADER + 28, label);
    put(PAGE - 10, b"SWAPSPACE2");
    disk.write_all_at(&page, offset.0).context("writing swap space")
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test calls the foreign tool directly")]
mod tests {
    use test_programs::{have, run};

    use super::*;

    #[test]
    fn mkswap_writes_the_same_bytes() {
        if !have(&["mkswap"]) {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let [ours, theirs] = ["ours", "theirs"].map(|name| directory.path().join(name));
        let uuid = "0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0";
        for path in [&ours, &theirs] {
            File::create(path).unwrap().set_len(64 << 20).unwrap();
        }
        let file = File::options().write(true).open(&ours).unwrap();
        write(&file, Bytes(0), Bytes(64 << 20), uuid, Some("SWAP")).unwrap();
        run("mkswap", &["-p", "4096", "-U", uuid, "-L", "SWAP", theirs.to_str().unwrap()]);
        assert!(std::fs::read(&ours).unwrap() == std::fs::read(&theirs).unwrap(), "the bytes differ");
    }
}
