//! Swap space on a network block device.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::Scene;
use crate::{program, sys};

/// Bytes at the start of a device that must be zero before swap space is made on it.
const LOOKED_AT: u64 = 1 << 20;

/// Lets the kernel use the device. One that begins with zeros is made swap space first; other content is not overwritten.
pub(super) fn start(scene: Scene<'_>, device: &Path) -> io::Result<()> {
    if is_blank(device)? {
        program::run(scene.machine, "mkswap", &[], device, scene.console)?;
    }
    sys::swap_on(device)
}

fn is_blank(device: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(device)?.take(LOOKED_AT).read_to_end(&mut start)?;
    Ok(start.iter().all(|byte| *byte == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_with_content_is_not_blank() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("device");
        for (content, expected) in [(vec![0; 3 << 20], true), ([vec![0; 9000], vec![1]].concat(), false)] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(is_blank(&path).unwrap(), expected);
        }
    }
}
