//! Partitions the rest of the disk at the first boot: swap, and file systems such as /home (docs/formats/boot-images.md).
//!
//! The table on the disk is written last, so that a power failure does no harm: before that the disk is unchanged and the
//! next boot starts over, afterwards everything is in place.
//!
//! 1. The new partitions exist for the kernel only; swap and file systems are created in them. A file system receives what
//!    the system has in its mount point.
//! 2. The lines are added to the system's fstab. They name partitions that may never appear, and so have `nofail`.
//! 3. The table is written, with the system's own partition at its new length, in which it then grows.
//!
//! A disk that is already partitioned is left unchanged; so is one without space, with a message.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use bootconfig::{
    Content, FstabLine, LEAST_PARTITION, Partition as Planned, PlannedSize, Table, partition_name,
};
use ondisk::Bytes;
use ondisk::partition_table::{Addition, Extension, PartitionTable, Room};

use crate::console::Console;
use crate::device::{Device, Partition, sector_size, size};
use crate::fstab;
use crate::grow;
use crate::machine::Machine;
use crate::program;
use crate::sys::{self, PartitionChange};

/// Partitions the disk of the mounted system on `device`; returns the updated device.
pub(crate) fn repartition(machine: &Machine, device: Device, planned: &Table, console: &Console) -> Device {
    let Some(location) = device.partition.clone() else { return device };
    match attempt(machine, &location, planned, console) {
        Ok(Outcome::Divided) => device.resized(machine),
        Ok(Outcome::DividedBefore) => device,
        Ok(Outcome::NoRoom(why)) => {
            console.warn(&format!("{why}; the system uses the whole disk"));
            grow::partition(machine, device, console)
        }
        Err(error) => {
            console.warn(&format!("partitioning {}: {error}; the boot continues", location.disk));
            device
        }
    }
}

enum Outcome {
    Divided,
    DividedBefore,
    NoRoom(String),
}

fn attempt(
    machine: &Machine,
    location: &Partition,
    planned: &Table,
    console: &Console,
) -> io::Result<Outcome> {
    let path = machine.dev.join(&location.disk);
    let mut disk = OpenOptions::new().read(true).write(true).open(&path)?;
    let disk_size = size(machine, &location.disk).unwrap_or_default();
    let table = PartitionTable::read(&mut disk, sector_size(machine, &location.disk))?;
    let Some(table) = table else { return Ok(Outcome::DividedBefore) };
    let Some(room) = table.room(location.number, disk_size)? else { return Ok(Outcome::DividedBefore) };
    let lengths = match lengths(planned, room, memory(machine)) {
        Ok(lengths) => lengths,
        Err(why) => return Ok(Outcome::NoRoom(why)),
    };
    if lengths == [room.length()] {
        return Ok(Outcome::DividedBefore);
    }
    let system = Extension { number: location.number, start: room.start, length: lengths[0] };
    let mut start = system.start.saturating_add(system.length);
    let mut parts = Vec::new();
    let created = planned.created().into_iter().zip(&lengths[1..]).zip(location.number + 1..);
    for (((partition, _), length), number) in created {
        let partition_type = partition.content.partition_type();
        let addition = Addition { start, length: *length, partition_type, guid: random_guid(machine)? };
        parts.push(Part { number, partition, uuid: table.future_uuid(number, addition.guid), addition });
        start = start.saturating_add(*length);
    }
    let added: Vec<Addition> = parts.iter().map(|part| part.addition).collect();
    if !table.has_free_entries(location.number, parts.len()) {
        return Ok(Outcome::NoRoom("the partition table has no free entries".to_owned()));
    }
    let made = make_all(machine, &disk, location, &parts, console)
        .and_then(|()| write_fstab(&machine.system, &parts))
        .and_then(|()| {
            rustix::fs::sync();
            Ok(table.repartition(&mut disk, system, &added, |disk: &mut File| disk.sync_all())?)
        });
    if made.is_err() {
        for part in &parts {
            let _ = sys::change_partition(&disk, PartitionChange::Remove, part.number, Bytes(0), Bytes(0));
        }
        return made.map(|()| Outcome::Divided);
    }
    sys::change_partition(&disk, PartitionChange::Resize, system.number, system.start, system.length)?;
    Ok(Outcome::Divided)
}

/// A partition to create.
struct Part<'p> {
    /// Its number on this disk.
    number: u32,
    partition: &'p Planned,
    /// Its `PARTUUID`.
    uuid: String,
    addition: Addition,
}

/// Returns the length of each partition, the system's first; or why that is impossible.
fn lengths(planned: &Table, room: Room, memory: Bytes) -> Result<Vec<Bytes>, String> {
    let grown = planned.growing().map_or(PlannedSize::Rest, |(_, size)| size);
    // It already has this size.
    let system = grown.bytes(memory).map(|size| size.max(room.length().to_mebibytes_up().into()));
    let created = planned.created().into_iter().map(|(_, size)| size.bytes(memory));
    let sizes: Vec<Option<Bytes>> = std::iter::once(system).chain(created).collect();
    let taken = sizes.iter().flatten().copied().fold(Bytes(0), Bytes::saturating_add);
    let rest = if system.is_none() {
        room.length()
    } else if sizes.contains(&None) {
        LEAST_PARTITION
    } else {
        Bytes(0)
    };
    let (least, all) = (taken.saturating_add(rest), room.largest());
    if least > all {
        return Err(format!(
            "the disk has {} MiB, but {} MiB are planned ({})",
            all.to_mebibytes().0,
            least.to_mebibytes().0,
            planned.planned()
        ));
    }
    Ok(sizes.into_iter().map(|size| size.unwrap_or(all.saturating_sub(taken))).collect())
}

/// Returns the size of the machine's memory.
fn memory(machine: &Machine) -> Bytes {
    let text = fs::read_to_string(machine.proc.join("meminfo")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    Bytes(line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10)
}

fn random_guid(machine: &Machine) -> io::Result<[u8; 16]> {
    let mut guid = [0; 16];
    File::open(machine.dev.join("urandom"))?.read_exact(&mut guid)?;
    // Version 4; its first fields are little-endian on disk.
    guid[7] = guid[7] & 0x0f | 0x40;
    guid[8] = guid[8] & 0x3f | 0x80;
    Ok(guid)
}

fn make_all(
    machine: &Machine,
    disk: &File,
    location: &Partition,
    parts: &[Part<'_>],
    console: &Console,
) -> io::Result<()> {
    for part in parts {
        let Addition { start, length, .. } = part.addition;
        sys::change_partition(disk, PartitionChange::Add, part.number, start, length)?;
        let device = machine.dev.join(partition_name(&location.disk, part.number));
        console.announce(&format!(
            "Making {} of {} MiB",
            describe(&part.partition.content),
            length.to_mebibytes().0
        ));
        make(machine, &part.partition.content, &device, console)?;
    }
    Ok(())
}

/// Creates the content of a new partition.
fn make(machine: &Machine, content: &Content, device: &Path, console: &Console) -> io::Result<()> {
    match content {
        Content::Swap { .. } => program::run(machine, "mkswap", &["-f"], device, console),
        Content::Filesystem(volume) => {
            let Some(mount) = &volume.mount else { return Ok(()) };
            let from = machine.system.join(mount.path.trim_start_matches('/'));
            fs::create_dir_all(&from)?;
            let from = from.display().to_string();
            let keywords = ["-q", "-F", "-t", volume.kind.keyword(), "-d", &from];
            program::run(machine, "mke2fs", &keywords, device, console)
        }
        // The storage of an initrd contains none that is created.
        Content::Fat { .. } | Content::BootCode | Content::Empty => Ok(()),
    }
}

fn describe(content: &Content) -> String {
    match content {
        Content::Swap { .. } => "swap space".to_owned(),
        Content::Filesystem(_) | Content::Fat { .. } | Content::BootCode | Content::Empty => {
            content.mount().map_or_else(|| "a partition".to_owned(), |mount| mount.path.clone())
        }
    }
}

/// Adds a line for each partition to the system's fstab; lines of an earlier attempt are replaced.
fn write_fstab(system: &Path, parts: &[Part<'_>]) -> io::Result<()> {
    fstab::change(system, |before| with_lines(before, parts))
}

fn with_lines(before: &str, parts: &[Part<'_>]) -> String {
    let ours: Vec<FstabLine> =
        parts.iter().filter_map(|part| part.partition.fstab_line(&part.uuid)).collect();
    let is_earlier = |line: &str| {
        line.starts_with("PARTUUID=")
            && ours.iter().any(|our| line.split_whitespace().nth(1) == Some(&our.mount))
    };
    let kept = before.lines().filter(|line| !is_earlier(line)).flat_map(|line| [line, "\n"]);
    kept.chain(ours.iter().map(|our| our.text.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bootconfig::Storage;

    const MIB: u64 = 1 << 20;

    /// Returns a table whose system grows to `system`, with these further partitions.
    fn table(system: &str, created: &[&str]) -> Table {
        let root = format!("grows={system};content=filesystem;kind=ext4;mount=/;options=defaults");
        let items = [vec![root], created.iter().map(|text| (*text).to_owned()).collect()].concat();
        let items: String =
            items.iter().zip(1..).map(|(item, n)| format!(" partition;number={n};name=;{item}")).collect();
        Storage::parse(&format!("table;scheme=gpt{items}")).unwrap().tables.remove(0)
    }

    fn swap(size: &str) -> String {
        format!("creates={size};content=swap")
    }

    const HOME: &str = "creates=rest;content=filesystem;kind=ext4;mount=/home;options=defaults,nofail";

    fn planned(system: &str, created: &[&str], disk: u64) -> Result<Vec<u64>, String> {
        let room = Room { start: Bytes(MIB), end: Bytes(101 * MIB), limit: Bytes((disk + 1) * MIB) };
        let lengths = lengths(&table(system, created), room, Bytes(64 * MIB))?;
        Ok(lengths.into_iter().map(|length| length.to_mebibytes().0).collect())
    }

    #[test]
    fn the_rest_goes_to_the_partition_that_asks_for_it() {
        assert_eq!(planned("rest", &[&swap("100")], 1000), Ok(vec![900, 100]));
        assert_eq!(planned("300", &[&swap("memory"), HOME], 1000), Ok(vec![300, 128, 572]));
        assert_eq!(planned("300", &[&swap("100")], 1000), Ok(vec![300, 100]));
        assert_eq!(planned("50", &[HOME], 1000), Ok(vec![100, 900]), "the system never becomes smaller");
    }

    #[test]
    fn a_disk_that_is_too_small_is_reported() {
        let text = "the disk has 150 MiB, but 228 MiB are planned (system:rest,swap:memory)";
        assert_eq!(planned("rest", &[&swap("memory")], 150), Err(text.to_owned()));
        assert!(planned("100", &[HOME], 110).is_err());
    }

    #[test]
    fn fstab_gets_its_lines_once() {
        let table = table("300", &[&swap("64"), HOME]);
        let parts = |swap: &'static str| {
            let created = table.created().into_iter().zip([swap, "b"]);
            let part = |((partition, _), uuid): ((_, _), &str)| Part {
                number: 2,
                partition,
                uuid: uuid.to_owned(),
                addition: Addition {
                    start: Bytes(0),
                    length: Bytes(0),
                    partition_type: partition.content.partition_type(),
                    guid: [0; 16],
                },
            };
            created.map(part).collect::<Vec<_>>()
        };
        let before = "UUID=x / ext4 defaults 0 1\n";
        let first = with_lines(before, &parts("a"));
        let lines = "PARTUUID=a none swap sw,nofail 0 0\nPARTUUID=b /home ext4 defaults,nofail 0 2\n";
        assert_eq!(first, format!("{before}{lines}"));
        assert_eq!(with_lines(&first, &parts("c")), first.replace("PARTUUID=a", "PARTUUID=c"));
    }
}
