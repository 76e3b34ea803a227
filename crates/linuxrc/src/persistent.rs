//! A partition of the stick that keeps what a live system writes.
//!
//! The image's partition table has two entries, the image and the FAT for UEFI; the third one is created at the first boot,
//! from the end of the image to the end of the stick, and gets a file system with the label `cow`. Only an empty entry of
//! the boot stick is ever written. A stick on which that is impossible boots nevertheless, and the console says that
//! nothing is kept.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bootconfig::{LiveParameters, partition_name};
use ondisk::partition_table::{self, BootSector, TableError};
use ondisk::{Bytes, Filesystem, Maker, Sectors};
use rustix::mount::{MountFlags, mount};

use crate::check;
use crate::console::Console;
use crate::device::Device;
use crate::live::Kept;
use crate::machine::Machine;
use crate::medium::Medium;
use crate::modules::Modules;
use crate::sys;

/// Label of the file system.
const LABEL: &str = "cow";
/// Number of the partition.
const NUMBER: u32 = 3;
/// Alignment of partitions in sectors: whole MiB.
const ALIGNMENT: u64 = 2048;
/// How long the kernel and the drive may take to show a new partition.
const PATIENCE: Duration = Duration::from_secs(10);

/// Mounts the partition, which is created if it is missing; none if that is impossible, with a message to the user.
pub(crate) fn prepare(
    machine: &Machine,
    medium: &Medium,
    parameters: &LiveParameters,
    modules: &mut Modules,
    console: &Console,
) -> Option<Kept> {
    let filesystem = parameters.persistent_filesystem.unwrap_or(Filesystem::Ext4);
    modules.load(filesystem.module(), console);
    let kept = match medium.is_optical() {
        true => Err("a CD cannot be written to".to_owned()),
        false => filesystem
            .maker()
            .ok_or_else(|| format!("{} cannot be made on a stick", filesystem.keyword()))
            .and_then(|maker| find_or_make(machine, medium, maker, console))
            .and_then(|device| mount_part(machine, &device, modules, console)),
    };
    match kept {
        Ok(kept) => Some(kept),
        Err(why) => {
            console.announce(&format!("Changes will not be kept: {why}."));
            None
        }
    }
}

fn find_or_make(
    machine: &Machine,
    medium: &Medium,
    maker: &Maker,
    console: &Console,
) -> Result<Device, String> {
    let name = partition_name(&medium.drive, NUMBER);
    if let Some(device) = Device::look(machine, &name) {
        return match device.superblock {
            Some(_) => Ok(device),
            None => make_filesystem(machine, &device, maker, console),
        };
    }
    let disk = File::options()
        .read(true)
        .write(true)
        .open(medium.drive_device())
        .map_err(|error| format!("the stick cannot be written to: {error}"))?;
    let mut table = [0; 512];
    disk.read_exact_at(&mut table, 0).map_err(|error| format!("reading its partition table: {error}"))?;
    add_partition(&mut table, medium.volume.bytes, medium.bytes, maker.least)?;
    console.announce("Creating a partition for persistent data ...");
    disk.write_all_at(&table, 0)
        .and_then(|()| disk.sync_all())
        .and_then(|()| sys::reread_partition_table(&disk))
        .map_err(|error| format!("writing its partition table: {error}"))?;
    let begin = Instant::now();
    let device = loop {
        if let Some(device) = Device::look(machine, &name) {
            break device;
        }
        if begin.elapsed() > PATIENCE {
            return Err(format!("the new partition {name} does not appear"));
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    make_filesystem(machine, &device, maker, console)
}

/// Adds the third partition to an MBR: everything behind the image on the disk, `least` or more.
fn add_partition(table: &mut BootSector, image: Bytes, disk: Bytes, least: Bytes) -> Result<(), String> {
    let too_small = || format!("fewer than {} MiB are left behind the image", least.to_mebibytes().0);
    let start = image.0.div_ceil(512).checked_next_multiple_of(ALIGNMENT).ok_or_else(too_small)?;
    // An MBR counts sectors in 32 bits.
    let end = (disk.0 / 512).min(u64::from(u32::MAX)) / ALIGNMENT * ALIGNMENT;
    let sectors = end.checked_sub(start).filter(|sectors| *sectors > 0 && sectors * 512 >= least.0);
    let sectors = Sectors(sectors.ok_or_else(too_small)?);
    partition_table::append(table, NUMBER, Sectors(start), sectors).map_err(|error| match error {
        TableError::NoFreeEntries => "its partition table has other entries behind the image".to_owned(),
        error => error.to_string(),
    })
}

fn make_filesystem(
    machine: &Machine,
    device: &Device,
    maker: &Maker,
    console: &Console,
) -> Result<Device, String> {
    let program = machine
        .program(maker.programs)
        .ok_or_else(|| format!("the initrd has no {} to make a file system with", maker.programs[0]))?;
    console.trace(&format!("{} on {}", program.display(), device.path.display()));
    let output = Command::new(&program)
        .args(maker.arguments)
        .args(["-L", LABEL])
        .arg(&device.path)
        .output()
        .map_err(|error| format!("starting {}: {error}", program.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        return Err(format!("{} ended with {}: {said}", program.display(), output.status));
    }
    Device::look(machine, &device.name).ok_or_else(|| format!("{} is gone", device.path.display()))
}

fn mount_part(
    machine: &Machine,
    device: &Device,
    modules: &mut Modules,
    console: &Console,
) -> Result<Kept, String> {
    let superblock = device.superblock.as_ref().ok_or("it holds no file system")?;
    modules.load(superblock.filesystem.module(), console);
    check::check(machine, device, superblock.filesystem, console)
        .map_err(|boot_failure| boot_failure.text.replace('\n', " "))?;
    let location = machine.root.join("run/kiwi/kept");
    mount_at(&device.path, &location, superblock.filesystem)
        .map_err(|error| format!("mounting {}: {error}", device.path.display()))?;
    Ok(Kept(location))
}

fn mount_at(device: &Path, location: &Path, filesystem: Filesystem) -> std::io::Result<()> {
    fs::create_dir_all(location)?;
    Ok(mount(device, location, filesystem.keyword(), MountFlags::NOATIME, None)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    /// Returns the start of the third entry of an MBR.
    const ENTRY: usize = 446 + 2 * 16;

    fn table() -> [u8; 512] {
        let mut table = [0; 512];
        table[446] = 0x80;
        table[510..].copy_from_slice(&[0x55, 0xaa]);
        table
    }

    #[test]
    fn the_partition_fills_the_stick_behind_the_image() {
        let mut table = table();
        add_partition(&mut table, Bytes(100 * MIB + 2048), Bytes(1000 * MIB + 512), Bytes(64 * MIB)).unwrap();
        assert_eq!(table[446..ENTRY], self::table()[446..ENTRY]);
        assert_eq!(table[ENTRY + 4], 0x83);
        let number = |at: usize| u32::from_le_bytes(table[at..at + 4].try_into().unwrap());
        assert_eq!((number(ENTRY + 8), number(ENTRY + 12)), (101 * 2048, 899 * 2048));
        assert_eq!(table[510..], [0x55, 0xaa]);
    }

    #[test]
    fn a_changed_table_is_left_alone() {
        let mut foreign = table();
        foreign[446 + 48 + 4] = 0x83;
        let before = foreign;
        let error = add_partition(&mut foreign, Bytes(MIB), Bytes(1000 * MIB), Bytes(64 * MIB)).unwrap_err();
        assert_eq!(error, "its partition table has other entries behind the image");
        assert_eq!(foreign, before);
        assert!(add_partition(&mut [0; 512], Bytes(MIB), Bytes(1000 * MIB), Bytes(64 * MIB)).is_err());
        for (filesystem, used, text) in [(Filesystem::Ext4, 937, "64"), (Filesystem::Xfs, 701, "300")] {
            let mut full = table();
            let mut add = |used| {
                add_partition(
                    &mut full,
                    Bytes(used * MIB),
                    Bytes(1000 * MIB),
                    filesystem.maker().unwrap().least,
                )
            };
            assert_eq!(add(used).unwrap_err(), format!("fewer than {text} MiB are left behind the image"));
            add(used - 1).unwrap();
        }
    }
}
