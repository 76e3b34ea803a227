//! Lets the system have the whole disk: first its partition, then, once it is mounted, its file system.
//!
//! Each step looks at what is there, not at what an earlier one did, so that it is done once, again after a power
//! cut, and never without need:
//!
//! 1. The table on the disk: longer than it is when free space follows the partition (`partition_table` says why a
//!    power cut does no harm).
//! 2. The kernel's idea of the partition: adjusted when the table says otherwise. Lost with the power, but then the
//!    kernel reads the new table itself.
//! 3. The file system: grown by the kernel, online, when the partition is larger. Each file system does it in
//!    transactions of its journal (ext2, which has none, is checked at the next boot), and what is missing after a
//!    cut is grown the next time.
//!
//! A system that cannot be grown is entered as it is, with a warning: small is better than down.

use std::fs::{File, OpenOptions};
use std::io;

use ondisk::partition_table::{Extension, PartitionTable};
use ondisk::{Growth, Superblock, probe};

use crate::console::Console;
use crate::device::{Device, Partition, number, sector_size};
use crate::machine::Machine;
use crate::root;
use crate::sys::{self, PartitionChange};

/// Less than this is not worth growing a file system for; some cannot use so little.
const WORTHWHILE: u64 = 1 << 20;

/// Steps 1 and 2. Gives the device as it is now.
pub(crate) fn partition(machine: &Machine, device: Device, console: &Console) -> Device {
    let Some(location) = &device.partition else {
        console.trace(&format!("{} is a whole disk, there is no partition to grow", device.path.display()));
        return device;
    };
    match extend(machine, location, console) {
        Ok(()) => {
            let bytes = number(&machine.sys.join("class/block").join(&device.name).join("size"));
            let bytes = bytes.map_or(device.bytes, |sectors| sectors * 512);
            device.resized(bytes)
        }
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
    let disk_bytes =
        number(&machine.sys.join("class/block").join(&location.disk).join("size")).unwrap_or(0) * 512;
    let Some(table) = PartitionTable::read(&mut disk, sector_size)? else { return Ok(()) };
    let Some(extension) = table.extension(location.number, disk_bytes)? else {
        console.trace(&format!(
            "partition {} of {} has all the room there is",
            location.number,
            path.display()
        ));
        return Ok(());
    };
    let Extension { number, start, length } = extension;
    console.trace(&format!("partition {number} of {} grows to {} MiB", path.display(), length >> 20));
    let mut disk = OpenOptions::new().read(true).write(true).open(&path)?;
    table.extend(&mut disk, extension, |disk: &mut File| disk.sync_all())?;
    // The second way works only while nothing on the disk is in use, which is so before anything is mounted.
    sys::change_partition(&disk, PartitionChange::Resize, number, start, length)
        .or_else(|_| sys::reread_partition_table(&disk))
}

/// Step 3.
pub(crate) fn filesystem(machine: &Machine, device: &Device, console: &Console) {
    let grown = File::open(&device.path)
        .and_then(|mut file| probe(&mut file))
        .map(|superblock| superblock.filter(|superblock| is_worthwhile(superblock, device.bytes)))
        .and_then(|superblock| superblock.map(|superblock| fill(machine, device, &superblock)).transpose());
    match grown {
        Ok(Some(())) => {
            console.trace(&format!("the file system has grown to {} MiB", device.bytes >> 20));
        }
        Ok(None) => console.trace("the file system has all the room there is"),
        Err(error) => {
            console.warn(&format!(
                "growing the file system on {}: {error}; the boot goes on",
                device.path.display()
            ));
        }
    }
}

fn is_worthwhile(superblock: &Superblock, bytes: u64) -> bool {
    match superblock.growth {
        Growth::Fixed => false,
        Growth::Ext { .. } | Growth::Xfs { .. } | Growth::Btrfs { .. } => {
            bytes >= superblock.bytes.saturating_add(WORTHWHILE)
        }
    }
}

fn fill(machine: &Machine, device: &Device, superblock: &Superblock) -> io::Result<()> {
    let mount_point = root::open_mount_point(machine)?;
    match superblock.growth {
        Growth::Ext { block_size } => sys::grow_ext(&mount_point, device.bytes / block_size),
        Growth::Xfs { block_size, inode_percentage } => {
            sys::grow_xfs(&mount_point, device.bytes / block_size, inode_percentage)
        }
        Growth::Btrfs { device } => sys::grow_btrfs(&mount_point, device),
        Growth::Fixed => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ondisk::Filesystem;

    fn superblock(growth: Growth) -> Superblock {
        Superblock { filesystem: Filesystem::Ext4, uuid: None, label: None, bytes: 100 << 20, growth }
    }

    #[test]
    fn a_file_system_grows_only_into_room_that_is_worth_it() {
        let ext = superblock(Growth::Ext { block_size: 4096 });
        assert!(is_worthwhile(&ext, 101 << 20));
        assert!(!is_worthwhile(&ext, (101 << 20) - 1));
        assert!(!is_worthwhile(&ext, 50 << 20), "a partition that shrank");
        assert!(!is_worthwhile(&superblock(Growth::Fixed), 200 << 20));
    }
}
