//! GRUB's code for BIOS: `boot.img` in the first sector of the disk, `core.img` behind it.
//!
//! On an MBR the core is in the sectors before the first partition; on a GPT, whose table is there, it has a partition of its
//! own. The first sector is written last, and of it only what is code.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use ondisk::Bytes;

/// Bytes of a sector, as BIOS counts them.
const SECTOR: usize = 512;
/// The bytes of the first sector that hold code; its signature and the table follow.
const CODE: usize = 440;
/// The field of `boot.img` with the first sector of the core, and the field of the core's first sector with the next one
/// (boot.h and diskboot.h of GRUB).
const CORE_FIELD: usize = 0x5c;
const NEXT_FIELD: usize = 0x1f4;

/// The space for the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) start: Bytes,
    pub(crate) length: Bytes,
}

/// Writes both to the disk.
pub(crate) fn install(disk: &File, boot: &[u8], core: &[u8], gap: Gap) -> io::Result<()> {
    let wrong = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text);
    if boot.len() < SECTOR || core.len() < 2 * SECTOR {
        return Err(wrong("boot.img or core.img is too short"));
    }
    if core.len() as u64 > gap.length.0 {
        return Err(wrong("core.img does not fit in front of the first partition"));
    }
    let start = gap.start.0 / SECTOR as u64;
    let mut core = core.to_vec();
    core[NEXT_FIELD..NEXT_FIELD + 8].copy_from_slice(&(start + 1).to_le_bytes());
    disk.write_all_at(&core, gap.start.0)?;
    disk.sync_all()?;
    let mut sector = [0; SECTOR];
    disk.read_exact_at(&mut sector, 0)?;
    sector[..CODE].copy_from_slice(&boot[..CODE]);
    sector[CORE_FIELD..CORE_FIELD + 8].copy_from_slice(&start.to_le_bytes());
    disk.write_all_at(&sector, 0)?;
    disk.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stays_and_the_sectors_refer_to_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk");
        std::fs::write(&path, vec![0xee; 1 << 20]).unwrap();
        let disk = File::options().read(true).write(true).open(&path).unwrap();
        let gap = Gap { start: Bytes(34 * 512), length: Bytes(4096) };
        install(&disk, &[1; 512], &[2; 2000], gap).unwrap();
        let written = std::fs::read(&path).unwrap();
        assert!(written[CODE..34 * 512].iter().all(|byte| *byte == 0xee), "the table");
        assert_eq!(written[CORE_FIELD..CORE_FIELD + 8], 34_u64.to_le_bytes());
        let core = &written[34 * 512..][..2000];
        assert_eq!(core[NEXT_FIELD..NEXT_FIELD + 8], 35_u64.to_le_bytes());
        assert!(core[..NEXT_FIELD].iter().chain(&core[NEXT_FIELD + 8..]).all(|byte| *byte == 2));
        assert!(install(&disk, &[1; 512], &[2; 4097], gap).is_err());
        assert!(install(&disk, &[1; 100], &[2; 2000], gap).is_err());
    }
}
