//! The CD or stick with a live system: finding it among all drives, and checking that it is complete.
//!
//! A medium is identified by the volume set id of its ISO 9660 descriptor, a UUID of its build. On a stick the same volume
//! appears twice, as the whole disk and as its first partition; the partition is mounted, because the kernel does not allow
//! access to another partition of a disk that is mounted as a whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bootconfig::{DESCRIPTOR, LiveConfig, MediumDigester, MediumSum, SECTOR, Volume};
use ondisk::{Bytes, Sectors};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::boot_failure::BootFailure;
use crate::boot_plan::BootPlan;
use crate::console::Console;
use crate::device::number;
use crate::machine::Machine;
use crate::modules::Modules;
use crate::sys;

/// Interval between checks of the drives.
const POLL: Duration = Duration::from_millis(100);

/// How long partitions may take to appear after their disk.
const PARTITIONS: Duration = Duration::from_millis(500);

/// A drive with a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Medium {
    /// The kernel's name of the device to mount.
    pub(crate) name: String,
    /// The kernel's name of the whole drive; the same if it has no partitions.
    pub(crate) drive: String,
    /// Size of the drive.
    pub(crate) bytes: Bytes,
    /// Its volume descriptor.
    pub(crate) volume: Volume,
    device: PathBuf,
    drive_device: PathBuf,
}

/// Mount point of a medium.
pub(crate) fn location(machine: &Machine) -> PathBuf {
    machine.root.join("run/kiwi/medium")
}

/// Loads drivers until the medium appears. `carries` describes its contents in messages.
pub(crate) fn wait(
    machine: &Machine,
    plan: &BootPlan,
    carries: &str,
    modules: &mut Modules,
    console: &Console,
) -> Result<Medium, BootFailure> {
    let begin = Instant::now();
    let mut first_sight = None;
    loop {
        modules.serve_devices(machine, console);
        let drives = drives(machine);
        let mut found: Vec<&Medium> =
            drives.values().filter(|medium| is_wanted(machine, medium, plan)).collect();
        found.sort_by_key(|medium| medium.name == medium.drive);
        if let Some(medium) = found.first() {
            let seen = *first_sight.get_or_insert_with(Instant::now);
            let is_partition = medium.name != medium.drive;
            if is_partition || medium.is_optical() || seen.elapsed() >= PARTITIONS {
                console.trace(&format!("the medium is in {}", medium.device.display()));
                return Ok((*medium).clone());
            }
        }
        if plan.timeout.is_some_and(|seconds| begin.elapsed() >= Duration::from_secs(seconds)) {
            return Err(not_found(plan, carries, &drives, modules));
        }
        std::thread::sleep(POLL);
    }
}

fn is_wanted(machine: &Machine, medium: &Medium, plan: &BootPlan) -> bool {
    match &plan.medium {
        Some(set) => medium.volume.set.eq_ignore_ascii_case(set),
        // A boot image that was made without its medium uses the first live system.
        None => {
            let path = location(machine).join(LiveConfig::PATH.trim_start_matches('/'));
            let is_live = medium.try_mount(machine).is_ok() && path.is_file();
            let _ = unmount(location(machine), UnmountFlags::DETACH);
            is_live
        }
    }
}

fn not_found(
    plan: &BootPlan,
    carries: &str,
    drives: &BTreeMap<String, Medium>,
    modules: &Modules,
) -> BootFailure {
    let seen: Vec<String> = drives
        .values()
        .map(|medium| format!("  {} (\"{}\", {})", medium.name, medium.volume.id, medium.volume.set))
        .collect();
    let seen = if seen.is_empty() { "  none".to_owned() } else { seen.join("\n") };
    let id = plan.medium.as_deref().unwrap_or("any");
    BootFailure::shell(format!(
        "The CD or USB stick with the {carries} was not found within {} seconds.\n\n\
         Is it still in its drive? Take it out, put it in again and restart the machine; try another drive or\n\
         another USB socket.\n\nWanted: medium {id}\nMedia seen:\n{seen}\n{}",
        plan.timeout.unwrap_or_default(),
        modules.report()
    ))
}

/// Returns every drive and partition with an ISO 9660 volume.
fn drives(machine: &Machine) -> BTreeMap<String, Medium> {
    let entries = fs::read_dir(machine.sys.join("class/block")).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !["ram", "loop", "fd", "zram", "nbd"].iter().any(|other| name.starts_with(other)))
        .filter_map(|name| Some((name.clone(), Medium::look(machine, &name)?)))
        .collect()
}

impl Medium {
    fn look(machine: &Machine, name: &str) -> Option<Self> {
        let directory = machine.sys.join("class/block").join(name);
        let drive = match number(&directory.join("partition")) {
            Some(_) => fs::canonicalize(&directory).ok()?.parent()?.file_name()?.to_str()?.to_owned(),
            None => name.to_owned(),
        };
        // A drive without a medium has a size all the same; reading from it fails.
        let device = machine.dev.join(name);
        read_volume(&device).ok()??;
        let drive_device = machine.dev.join(&drive);
        let volume = read_volume(&drive_device).ok()??;
        let bytes =
            Sectors(number(&machine.sys.join("class/block").join(&drive).join("size"))?).to_bytes(512)?;
        Some(Self { name: name.to_owned(), drive, bytes, volume, device, drive_device })
    }

    /// Whether it is a CD or DVD.
    pub(crate) fn is_optical(&self) -> bool {
        self.drive.starts_with("sr")
    }

    /// Returns the device of the whole drive.
    pub(crate) fn drive_device(&self) -> &PathBuf {
        &self.drive_device
    }

    /// Refuses a medium that is shorter than its volume.
    pub(crate) fn is_whole(&self) -> Result<(), BootFailure> {
        if self.bytes >= self.volume.bytes {
            return Ok(());
        }
        Err(BootFailure::reboot(format!(
            "The medium is incomplete: {} MiB are missing at its end.\n\n\
             It has {} MiB and its image has {} MiB. The image was not downloaded or not written completely;\n\
             write it again, to a medium that is large enough.",
            self.volume.bytes.saturating_sub(self.bytes).to_mebibytes_up().0,
            self.bytes.to_mebibytes().0,
            self.volume.bytes.to_mebibytes_up().0
        )))
    }

    /// Reads all of it and compares its checksum.
    pub(crate) fn check(&self, machine: &Machine, console: &Console) -> Result<(), BootFailure> {
        let unreadable = |error: io::Error| {
            BootFailure::reboot(format!(
                "The medium is damaged: reading {} failed: {error}\n\nWrite its image to another medium.",
                machine.dev.join(&self.drive).display()
            ))
        };
        let Some(expected) = self.expected_sum().map_err(unreadable)? else {
            console.announce("This medium has no checksum and cannot be checked; the boot continues.");
            return Ok(());
        };
        console.announce("Checking the medium ...");
        let found = self.sum(console).map_err(unreadable)?;
        if found != expected {
            return Err(BootFailure::reboot(
                "The medium is damaged: its checksum does not match its image.\n\n\
                 Compare the sum of the image that was downloaded, and write it to another medium.",
            ));
        }
        console.announce("The medium is intact.");
        Ok(())
    }

    /// Returns the checksum stored on it, if there is one.
    fn expected_sum(&self) -> io::Result<Option<MediumSum>> {
        let mut sector = vec![0; SECTOR as usize];
        File::open(&self.drive_device)?.read_exact_at(&mut sector, self.volume.summed())?;
        Ok(MediumSum::parse(&sector))
    }

    fn sum(&self, console: &Console) -> io::Result<MediumSum> {
        let total = self.volume.summed();
        let mut rest = File::open(&self.drive_device)?.take(total);
        let (mut digester, mut done, mut told) = (MediumDigester::default(), 0, 0);
        let mut buffer = vec![0; 1 << 20];
        loop {
            let count = rest.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            digester.update(&mut buffer[..count]);
            done += count as u64;
            let tenth = done * 10 / total.max(1);
            if tenth > told {
                told = tenth;
                console.announce(&format!("{} % of the medium checked", tenth * 10));
            }
        }
        if done < total {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(digester.sum())
    }

    /// Mounts it at `location`.
    pub(crate) fn mount(&self, machine: &Machine, modules: &Modules) -> Result<(), BootFailure> {
        self.try_mount(machine).map_err(|error| self.not_mounted(&error, modules))
    }

    fn try_mount(&self, machine: &Machine) -> io::Result<()> {
        let location = location(machine);
        fs::create_dir_all(&location)?;
        Ok(mount(&self.device, &location, "iso9660", MountFlags::RDONLY | MountFlags::NODEV, None)?)
    }

    /// Returns the error for a failed mount: a missing driver or a damaged medium.
    fn not_mounted(&self, error: &io::Error, modules: &Modules) -> BootFailure {
        match error.raw_os_error() {
            Some(code) if code == Errno::NODEV.raw_os_error() => {
                modules.unknown_filesystem("iso9660", "isofs", &self.device)
            }
            _ => BootFailure::shell(format!(
                "The medium in {} cannot be mounted: {error}\n\nIt is damaged; write its image again.",
                self.device.display()
            )),
        }
    }
}

impl Medium {
    /// Ejects it, if possible: a stick can only be removed by hand.
    pub(crate) fn eject(&self, machine: &Machine) -> io::Result<()> {
        if !self.is_optical() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        unmount(location(machine), UnmountFlags::empty())?;
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        sys::eject(&File::options().read(true).custom_flags(flags).open(&self.drive_device)?)
    }

    /// Whether it is still present.
    pub(crate) fn is_in(&self, machine: &Machine) -> bool {
        machine.sys.join("class/block").join(&self.drive).exists()
    }
}

/// Returns the volume on a device; none if it has other contents.
fn read_volume(device: &PathBuf) -> io::Result<Option<Volume>> {
    let mut sector = vec![0; SECTOR as usize];
    match File::open(device)?.read_exact_at(&mut sector, DESCRIPTOR) {
        Ok(()) => Ok(Volume::parse(&sector)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::tests::Files;

    const SET: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

    /// Writes a volume of `sectors`, of which the first 64 exist, with its checksum.
    fn volume(sectors: u32) -> Vec<u8> {
        let mut bytes = vec![0; 64 * 2048];
        let descriptor = &mut bytes[DESCRIPTOR as usize..][..2048];
        descriptor.fill(b' ');
        descriptor[..7].copy_from_slice(b"\x01CD001\x01");
        descriptor[80..84].copy_from_slice(&sectors.to_le_bytes());
        descriptor[190..190 + SET.len()].copy_from_slice(SET.as_bytes());
        let mut digester = MediumDigester::default();
        let location = (64 - 16) * 2048;
        digester.update(&mut bytes[..location].to_vec());
        bytes[location..][..2048].copy_from_slice(&digester.sum().sector());
        bytes
    }

    #[test]
    fn a_stick_is_known_as_a_disk_and_as_its_partition() {
        let files = Files::new();
        files.add("sda", None, &volume(64));
        files.add("sda1", Some(("sda", 1)), &volume(64));
        files.add("sdb", None, &[0; 40_000]);
        files.add("loop0", None, &volume(64));
        let drives = drives(&files.machine);
        assert_eq!(drives.keys().collect::<Vec<_>>(), ["sda", "sda1"]);
        let partition = &drives["sda1"];
        assert_eq!((partition.drive.as_str(), partition.volume.set.as_str()), ("sda", SET));
        assert!(!partition.is_optical());
    }

    #[test]
    fn a_missing_driver_is_distinguished_from_damage() {
        let files = Files::new();
        let modules = Modules::open(&files.machine, &[], &Console::quiet(&files.machine));
        files.add("sr0", None, &volume(64));
        let drives = drives(&files.machine);
        let says = |errno: Errno| drives["sr0"].not_mounted(&errno.into(), &modules).text;
        let text = says(Errno::NODEV);
        assert!(text.starts_with("The kernel cannot mount iso9660, which is on "), "{text}");
        assert!(
            text.contains("its module isofs is missing in the initrd") && !text.contains("damaged"),
            "{text}"
        );
        assert!(says(Errno::INVAL).ends_with("It is damaged; write its image again."));
    }

    #[test]
    fn damage_is_distinguished_from_truncation() {
        let files = Files::new();
        let console = Console::quiet(&files.machine);
        let mut damaged = volume(64);
        damaged[50_000] ^= 1;
        files.add("sr0", None, &volume(64));
        files.add("sr1", None, &volume(65 + (1 << 9)));
        files.add("sr2", None, &damaged);
        let drives = drives(&files.machine);
        assert_eq!(drives["sr0"].is_whole(), Ok(()));
        assert_eq!(drives["sr0"].check(&files.machine, &console), Ok(()));
        let text = drives["sr1"].is_whole().unwrap_err().text;
        assert!(text.starts_with("The medium is incomplete: 2 MiB are missing at its end.\n"), "{text}");
        assert_eq!(drives["sr2"].is_whole(), Ok(()));
        let text = drives["sr2"].check(&files.machine, &console).unwrap_err().text;
        assert!(
            text.starts_with("The medium is damaged: its checksum does not match its image.\n"),
            "{text}"
        );
    }
}
