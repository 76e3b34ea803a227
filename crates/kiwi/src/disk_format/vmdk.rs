//! The files of a VMDK (Virtual Disk Format 5.0, "The Descriptor File"): some modes store the sectors in files beside it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};

/// How a descriptor that is a file of its own begins.
const MARK: &str = "# Disk DescriptorFile";
/// The most bytes of a descriptor.
const LONGEST: u64 = 1 << 20;

/// Returns the names of the files that a VMDK consists of besides itself, in the order of their sectors.
pub fn extents(vmdk: &Path) -> Result<Vec<String>> {
    let reading = || format!("reading {}", vmdk.display());
    let mut bytes = Vec::new();
    File::open(vmdk).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes)).with_context(reading)?;
    Ok(if bytes.starts_with(MARK.as_bytes()) { parse(&String::from_utf8_lossy(&bytes)) } else { Vec::new() })
}

/// Returns the files of the extents in a descriptor: `RW 4192256 SPARSE "disk-s001.vmdk"`.
fn parse(descriptor: &str) -> Vec<String> {
    let lines = descriptor.lines().filter(|line| line.starts_with("RW "));
    lines.filter_map(|line| Some(line.split('"').nth(1)?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_the_file_of_each_extent() {
        let text = "# Disk DescriptorFile\nversion=1\n# Extent description\nRW 4192256 SPARSE \"a b-s001.vmdk\"\n\
                    RW 2048 FLAT \"n-flat.vmdk\" 0\nddb.adapterType = \"ide\"\n";
        assert_eq!(parse(text), ["a b-s001.vmdk", "n-flat.vmdk"]);
    }
}
