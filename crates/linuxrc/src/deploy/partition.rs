//! Partitions a disk.
//!
//! A power cut at any moment leads to a clean installation at the next boot:
//!
//! 1. The devices that images are written to, in the old table and in the new one, are made unusable: their first blocks
//!    become zero. From here on no system is found on them.
//! 2. The new table is written. An MBR is one sector; a GPT is restored from its backup or is missing.
//! 3. Swap space and empty file systems are created. Partitions that already have a file system keep it.
//!
//! The images follow, whose first blocks are written last, and the markers of the images at the very end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bootconfig::partition_name;
use ondisk::partition_table::{PartitionTable, PartitionType};
use ondisk::{Bytes, Filesystem, Uuid, probe};

use super::layout::{self, Layout, Placed};
use crate::boot_failure::BootFailure;
use crate::console::Console;
use crate::device::{sector_size, size};
use crate::download::invalidate;
use crate::machine::Machine;
use crate::program;
use crate::sys;

/// How long the kernel may take to read the new table, and to show the partitions.
const PATIENCE: Duration = Duration::from_secs(20);
/// Interval between two attempts.
const PAUSE: Duration = Duration::from_millis(100);
/// The first partition begins here; what is in front of it belongs to an old boot loader or an old table.
const BEFORE_PARTITIONS: u64 = 1 << 20;

/// Returns facts about the disk `name`, from which its layout is planned.
pub(crate) fn look(machine: &Machine, name: &str) -> io::Result<layout::Disk> {
    let bytes = size(machine, name).filter(|bytes| bytes.0 > 0);
    let bytes = bytes.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let sector_size = sector_size(machine, name);
    let present = PartitionTable::read(&mut File::open(machine.dev.join(name))?, sector_size);
    let uefi = machine.sys.join("firmware/efi").is_dir();
    // A damaged table is replaced.
    let scheme = layout::scheme(bytes, sector_size, present.unwrap_or(None).as_ref(), uefi);
    Ok(layout::Disk { bytes, sector_size, scheme, uefi })
}

/// Partitions the disk `name`. `targets` are the numbers of the partitions that images are written to.
pub(crate) fn partition(
    machine: &Machine,
    name: &str,
    layout: &Layout,
    targets: &[u32],
    console: &Console,
) -> Result<(), BootFailure> {
    let failed = |error: io::Error| {
        BootFailure::reboot(format!(
            "Partitioning /dev/{name} failed: {error}\n\nThe disk holds no complete system. It may be broken, or read-only."
        ))
    };
    console.announce(&format!("Partitioning /dev/{name}"));
    write(machine, name, layout, targets).map_err(failed)?;
    console.phase("partitioned");
    for placed in &layout.partitions {
        fill(machine, name, placed, targets, console).map_err(failed)?;
    }
    Ok(())
}

fn write(machine: &Machine, name: &str, layout: &Layout, targets: &[u32]) -> io::Result<()> {
    for number in targets {
        let old = machine.dev.join(partition_name(name, *number));
        if old.exists() {
            invalidate(&OpenOptions::new().read(true).write(true).open(old)?)?;
        }
    }
    let mut disk = OpenOptions::new().read(true).write(true).open(machine.dev.join(name))?;
    for placed in layout.partitions.iter().filter(|placed| targets.contains(&placed.number)) {
        let count = BEFORE_PARTITIONS.min(placed.length.0);
        disk.write_all_at(&vec![0; count as usize], placed.start.0)?;
    }
    disk.write_all_at(&vec![0; BEFORE_PARTITIONS as usize - 512], 512)?;
    disk.sync_all()?;
    let table = layout.table(|| random_guid(machine))?;
    table.write_durably(&mut disk, layout.sector_size, |disk: &mut File| disk.sync_all())?;
    let begin = Instant::now();
    while let Err(error) = sys::reread_partition_table(&disk) {
        if begin.elapsed() > PATIENCE {
            return Err(io::Error::new(
                error.kind(),
                format!("the kernel does not read the new table: {error}"),
            ));
        }
        std::thread::sleep(PAUSE);
    }
    for placed in &layout.partitions {
        appears(machine, &partition_name(name, placed.number), begin)?;
    }
    Ok(())
}

/// Waits for the device of a partition.
fn appears(machine: &Machine, name: &str, begin: Instant) -> io::Result<PathBuf> {
    let path = machine.dev.join(name);
    while !path.exists() || size(machine, name).is_none() {
        if begin.elapsed() > PATIENCE {
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("{name} does not appear")));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(path)
}

fn random_guid(machine: &Machine) -> io::Result<Uuid> {
    let mut guid = [0; 16];
    File::open(machine.dev.join("urandom"))?.read_exact(&mut guid)?;
    guid[6] = guid[6] & 0x0f | 0x40;
    guid[8] = guid[8] & 0x3f | 0x80;
    Ok(Uuid(guid))
}

/// Creates what a new partition contains before images are written: swap space, or a file system if it is mounted and has none.
fn fill(
    machine: &Machine,
    disk: &str,
    placed: &Placed,
    targets: &[u32],
    console: &Console,
) -> io::Result<()> {
    let path = machine.dev.join(partition_name(disk, placed.number));
    match placed.partition_type {
        PartitionType::Swap => program::run(machine, "mkswap", &["-f"], &path, console),
        PartitionType::BiosBoot | PartitionType::Firmware => Ok(()),
        PartitionType::Linux | PartitionType::Other(_) => {
            let is_free = !targets.contains(&placed.number) && placed.mount.is_some();
            if is_free && !has_filesystem(&path, placed.length)? {
                make_filesystem(machine, &path, console)?;
            }
            Ok(())
        }
    }
}

/// Whether a device holds a file system that fits.
pub(crate) fn has_filesystem(path: &std::path::Path, length: Bytes) -> io::Result<bool> {
    Ok(probe(&mut File::open(path)?)?.is_some_and(|superblock| superblock.bytes <= length))
}

/// Creates an empty ext4.
pub(crate) fn make_filesystem(
    machine: &Machine,
    path: &std::path::Path,
    console: &Console,
) -> io::Result<()> {
    let Some(maker) = Filesystem::Ext4.maker() else { return Ok(()) };
    program::run(machine, maker.programs[0], maker.arguments, path, console)
}
