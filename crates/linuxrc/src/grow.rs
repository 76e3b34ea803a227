//! Grows the system to the whole disk: first its partition, then, after it is mounted, its file system.
//!
//! Each step checks the current state, not what an earlier step did, so that it happens once, again after a power failure,
//! and never without need:
//!
//! 1. The table on the disk: the entry grows if free space follows the partition (`ondisk` explains why a power failure
//!    does no harm).
//! 2. The kernel's view of the partition: adjusted if the table differs. After a power failure the kernel reads the new
//!    table itself.
//! 3. The file system: grown online by the kernel if the partition is larger. Each file system does this in journal
//!    transactions (ext2, which has none, is checked at the next boot), and an interrupted growth continues at the next
//!    boot.
//!
//! A system that cannot be grown starts unchanged, with a warning: a small system is better than none.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;

use ondisk::partition_table::{Extension, PartitionTable};
use ondisk::{Bytes, Growth, Superblock, probe};
use rustix::mount::{FsPickFlags, fsconfig_reconfigure, fsconfig_set_string, fspick};

use crate::console::Console;
use crate::device::{Device, Partition, sector_size, size};
use crate::machine::Machine;
use crate::root;
use crate::sys::{self, PartitionChange};

/// Minimum growth of a file system; some cannot use less.
const WORTHWHILE: Bytes = Bytes(1 << 20);

/// Performs steps 1 and 2; returns the updated device.
pub(crate) fn partition(machine: &Machine, device: Device, console: &Console) -> Device {
    let Some(location) = &device.partition else {
        console.trace(&format!("{} is a whole disk, there is no partition to grow", device.path.display()));
        return device;
    };
    match extend(machine, location, console) {
        Ok(()) => device.resized(machine),
        Err(error) => {
            console
                .warn(&format!("growing the partition {}: {error}; the boot goes on", device.path.display()));
            device
        }
    }
}

fn extend(machine: &Machine, location: &Partition, console: &Console) -> io::Result<()> {
    let path = machine.dev.join(&location.disk);
    let mut disk = OpenOptions::new().read(true).open(&path)?;
    let sector_size = sector_size(machine, &location.disk);
    let disk_size = size(machine, &location.disk).unwrap_or_default();
    let Some(table) = PartitionTable::read(&mut disk, sector_size)? else { return Ok(()) };
    let Some(extension) = table.extension(location.number, disk_size)? else {
        console.trace(&format!(
            "partition {} of {} already uses all the space",
            location.number,
            path.display()
        ));
        return Ok(());
    };
    let Extension { number, start, length } = extension;
    console.trace(&format!(
        "partition {number} of {} grows to {} MiB",
        path.display(),
        length.to_mebibytes().0
    ));
    let mut disk = OpenOptions::new().read(true).write(true).open(&path)?;
    table.extend(&mut disk, extension, |disk: &mut File| disk.sync_all())?;
    // The second call works only while nothing on the disk is in use, which is the case before anything is mounted.
    sys::change_partition(&disk, PartitionChange::Resize, number, start, length)
        .or_else(|_| sys::reread_partition_table(&disk))
}

/// Performs step 3.
pub(crate) fn filesystem(machine: &Machine, device: &Device, console: &Console) {
    let grown = File::open(&device.path)
        .and_then(|mut file| probe(&mut file))
        .map(|superblock| superblock.filter(|superblock| is_worthwhile(superblock, device.bytes)))
        .and_then(|superblock| superblock.map(|superblock| fill(machine, device, &superblock)).transpose());
    match grown {
        Ok(Some(())) => {
            console.trace(&format!("the file system has grown to {} MiB", device.bytes.to_mebibytes().0));
        }
        Ok(None) => console.trace("the file system already uses all the space"),
        Err(error) => {
            console.warn(&format!(
                "growing the file system on {}: {error}; the boot goes on",
                device.path.display()
            ));
        }
    }
}

fn is_worthwhile(superblock: &Superblock, bytes: Bytes) -> bool {
    match superblock.growth {
        Growth::Fixed => false,
        Growth::Ext { .. } | Growth::Xfs { .. } | Growth::Btrfs { .. } | Growth::Reiserfs { .. } => {
            bytes >= superblock.bytes.saturating_add(WORTHWHILE)
        }
    }
}

fn fill(machine: &Machine, device: &Device, superblock: &Superblock) -> io::Result<()> {
    let mount_point = root::open_mount_point(machine)?;
    match superblock.growth {
        Growth::Ext { block_size } => sys::grow_ext(&mount_point, device.bytes.0 / block_size),
        Growth::Xfs { block_size, inode_percentage } => {
            sys::grow_xfs(&mount_point, device.bytes.0 / block_size, inode_percentage)
        }
        Growth::Btrfs { device } => sys::grow_btrfs(&mount_point, device),
        Growth::Reiserfs { block_size } => {
            let blocks = (device.bytes.0 / block_size).to_string();
            let settings = fspick(&mount_point, c"", FsPickFlags::FSPICK_EMPTY_PATH)?;
            fsconfig_set_string(settings.as_fd(), "resize", blocks)?;
            Ok(fsconfig_reconfigure(settings.as_fd())?)
        }
        Growth::Fixed => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ondisk::Filesystem;

    fn superblock(growth: Growth) -> Superblock {
        Superblock { filesystem: Filesystem::Ext4, uuid: None, label: None, bytes: Bytes(100 << 20), growth }
    }

    #[test]
    fn a_file_system_grows_only_into_room_that_is_worth_it() {
        let ext = superblock(Growth::Ext { block_size: 4096 });
        assert!(is_worthwhile(&ext, Bytes(101 << 20)));
        assert!(!is_worthwhile(&ext, Bytes((101 << 20) - 1)));
        assert!(!is_worthwhile(&ext, Bytes(50 << 20)), "a partition that shrank");
        assert!(!is_worthwhile(&superblock(Growth::Fixed), Bytes(200 << 20)));
    }
}
