//! The root device: waiting for it, and mounting its system.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ondisk::{Filesystem, Growth, Superblock, partition_table};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount_remount};

use crate::boot_failure::BootFailure;
use crate::boot_plan::BootPlan;
use crate::console::Console;
use crate::device::{Device, Devices, System, sector_size};
use crate::machine::Machine;
use crate::modules::Modules;
use crate::sys;

/// Interval between checks of the devices.
const POLL: Duration = Duration::from_millis(50);

/// How long nothing new must have appeared before a system that was not specified is searched for: a better one may be on
/// a disk that is still starting.
const SETTLED: Duration = Duration::from_secs(1);

/// Loads drivers until the root device appears.
pub(crate) fn wait(
    machine: &Machine,
    plan: &BootPlan,
    modules: &mut Modules,
    console: &Console,
) -> Result<Device, BootFailure> {
    let begin = Instant::now();
    let mut last_news = begin;
    let mut devices = Devices::default();
    let mut repaired = false;
    loop {
        let new_hardware = modules.serve_devices(machine, console);
        let new_devices = devices.refresh(machine);
        if new_hardware || new_devices {
            last_news = Instant::now();
        }
        let finished = last_news.elapsed() >= SETTLED;
        let found = match &plan.root {
            Some(wanted) => devices.find(wanted),
            None => {
                // A system whose UUID was changed is searched for.
                let searched = || finished.then(|| devices.search(plan.system())).flatten();
                devices.of_builder(plan.system()).or_else(searched)
            }
        };
        if let Some(device) = found {
            console.trace(&format!("the system is on {}", device.path.display()));
            return Ok(device.clone());
        }
        if finished && !repaired {
            repair_tables(machine, &devices, console);
            repaired = true;
        }
        if plan.timeout.is_some_and(|seconds| begin.elapsed() >= Duration::from_secs(seconds)) {
            return Err(not_found(plan, &devices, modules));
        }
        std::thread::sleep(POLL);
    }
}

/// A power failure while a partition table was written leaves a disk without partitions; its backup is intact.
fn repair_tables(machine: &Machine, devices: &Devices, console: &Console) {
    for disk in devices.bare_disks() {
        let Ok(mut file) = OpenOptions::new().read(true).write(true).open(&disk.path) else { continue };
        match partition_table::repair(&mut file, sector_size(machine, &disk.name), |disk| disk.sync_all()) {
            Ok(false) => {}
            Ok(true) => {
                console.warn(&format!("{}: partition table restored from its backup", disk.path.display()));
                if let Err(error) = sys::reread_partition_table(&file) {
                    console.warn(&format!("reading the partition table of {}: {error}", disk.path.display()));
                }
            }
            Err(error) => console.trace(&format!("partition table of {}: {error}", disk.path.display())),
        }
    }
}

fn not_found(plan: &BootPlan, devices: &Devices, modules: &Modules) -> BootFailure {
    let wanted = match &plan.root {
        Some(root) => format!("the root device {root} was not found"),
        None => {
            let searched = match plan.system() {
                Some(System { number, .. }) => format!("partition {number}"),
                None => "the first or second partition".to_owned(),
            };
            format!("no system was found on {searched} of a disk, and root= does not specify one")
        }
    };
    let seconds = plan.timeout.unwrap_or_default();
    BootFailure::shell(format!(
        "{wanted} within {seconds} seconds.\n{}\n{}\n\
         A disk that is missing here has no driver in the initrd; one without the system is the wrong one.",
        devices.report(),
        modules.report()
    ))
}

/// Returns the file system on the device, which must be a known one.
pub(crate) fn recognise(device: Device, plan: &BootPlan) -> Result<(Device, Superblock), BootFailure> {
    // The contents of the device count. The keyword of the builder or the user only counts if nothing is recognised.
    let superblock = device.superblock.clone().or_else(|| {
        let filesystem = plan.filesystem?;
        Some(Superblock { filesystem, uuid: None, label: None, bytes: device.bytes, growth: Growth::Fixed })
    });
    match superblock {
        Some(superblock) => Ok((device, superblock)),
        None => Err(BootFailure::shell(format!(
            "{} has no known file system.\nKnown file systems: {}.",
            device.path.display(),
            Filesystem::recognised()
        ))),
    }
}

/// The mounted system.
#[derive(Debug)]
pub(crate) struct MountedSystem {
    directory: PathBuf,
    options: MountOptions,
    read_only: bool,
}

/// Returns mount options as mount(2) wants them: generic flags separate from options of this file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MountOptions {
    pub(crate) flags: MountFlags,
    pub(crate) own: CString,
}

impl MountOptions {
    pub(crate) fn parse(text: &str) -> Self {
        let mut flags = MountFlags::empty();
        let mut own = Vec::new();
        for keyword in text.split(',').filter(|keyword| !keyword.is_empty()) {
            match keyword {
                // The command line's `ro` decides about these.
                "defaults" | "ro" | "rw" => {}
                "noatime" => flags |= MountFlags::NOATIME,
                "nodiratime" => flags |= MountFlags::NODIRATIME,
                "relatime" => flags |= MountFlags::RELATIME,
                "strictatime" => flags |= MountFlags::STRICTATIME,
                "lazytime" => flags |= MountFlags::LAZYTIME,
                "sync" => flags |= MountFlags::SYNCHRONOUS,
                "dirsync" => flags |= MountFlags::DIRSYNC,
                "nodev" => flags |= MountFlags::NODEV,
                "nosuid" => flags |= MountFlags::NOSUID,
                keyword => own.push(keyword),
            }
        }
        // A command line contains no NUL bytes.
        Self { flags, own: CString::new(own.join(",")).unwrap_or_default() }
    }
}

/// Mounts the system below the machine's system directory, writable if it grows, because that needs it; the mode
/// that the user requested is set afterwards.
pub(crate) fn mount(
    machine: &Machine,
    plan: &BootPlan,
    grows: bool,
    device: &Device,
    superblock: &Superblock,
    modules: &Modules,
) -> Result<MountedSystem, BootFailure> {
    let options = MountOptions::parse(plan.root_flags.as_deref().unwrap_or_default());
    let read_only = superblock.filesystem.is_read_only() || (plan.read_only && !grows);
    let mode = if read_only { MountFlags::RDONLY } else { MountFlags::empty() };
    let attempt = |keyword: &str| {
        rustix::mount::mount(
            &device.path,
            &machine.system,
            keyword,
            options.flags | mode,
            options.own.as_c_str(),
        )
    };
    let keyword = superblock.filesystem.keyword();
    let directory = machine.system.clone();
    fs::create_dir_all(&directory)
        .map_err(|error| BootFailure::reboot(format!("making {}: {error}", directory.display())))?;
    // ext4's driver registers the older two under their own names only in some kernels.
    let outcome = attempt(keyword).or_else(|error| match error {
        Errno::NODEV => attempt(superblock.filesystem.module()),
        error => Err(error),
    });
    match outcome {
        Ok(()) => Ok(MountedSystem { directory, options, read_only }),
        Err(Errno::NODEV) => {
            Err(modules.unknown_filesystem(keyword, superblock.filesystem.module(), &device.path))
        }
        Err(error) => Err(BootFailure::shell(format!(
            "mounting {} as {keyword}: {error}\nThe file system is damaged, or rootflags= contains an option it does not know.",
            device.path.display()
        ))),
    }
}

impl MountedSystem {
    /// Makes the system read-only if the user requested it.
    pub(crate) fn set_mode(&self, read_only: bool) -> Result<(), BootFailure> {
        if !read_only || self.read_only {
            return Ok(());
        }
        mount_remount(&self.directory, self.options.flags | MountFlags::RDONLY, self.options.own.as_c_str())
            .map_err(|error| BootFailure::shell(format!("making the system read-only: {error}")))
    }
}

/// Opens the mount point of the system, for the calls that grow it.
pub(crate) fn open_mount_point(machine: &Machine) -> std::io::Result<File> {
    File::open(&machine.system)
}

#[cfg(test)]
mod tests {
    use bootconfig::{Kind, RootDevice};
    use test_programs::have;

    use super::*;
    use crate::device::tests::{Files, ext2};

    const UUID: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

    fn plan(root: Option<&str>) -> BootPlan {
        BootPlan {
            kind: Kind::Vmx,
            root: root.map(|root| RootDevice::parse(root).unwrap()),
            filesystem: None,
            root_flags: None,
            read_only: false,
            storage: None,
            modules: Vec::new(),
            medium: None,
            init: None,
            verify_key: None,
            timeout: Some(0),
        }
    }

    fn waited(files: &Files, root: &str) -> Result<Device, BootFailure> {
        let console = Console::quiet(&files.machine);
        wait(&files.machine, &plan(Some(root)), &mut Modules::open(&files.machine, &[], &console), &console)
    }

    #[test]
    fn a_present_device_is_not_waited_for() {
        if !have(&["mke2fs"]) {
            return;
        }
        let files = Files::new();
        files.add("vda", None, &ext2(UUID, "x"));
        assert_eq!(waited(&files, &format!("UUID={UUID}")).unwrap().name, "vda");
    }

    #[test]
    fn a_missing_device_is_reported_with_the_devices_that_exist() {
        if !have(&["mke2fs"]) {
            return;
        }
        let files = Files::new();
        files.add("vda", None, &ext2(UUID, "x"));
        let text = waited(&files, "LABEL=y").unwrap_err().text;
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "the root device LABEL=y was not found within 0 seconds.");
        assert_eq!(lines[1], "Block devices seen:");
        assert_eq!(lines[2], format!("  vda (1 MiB, ext2, UUID={UUID}, LABEL=x)"));
        assert_eq!(lines[3], "Modules loaded: none");
        assert!(lines[4].starts_with("The initrd has no modules for this kernel: "), "{text}");
    }

    #[test]
    fn a_device_without_a_known_file_system_is_refused_unless_it_was_specified() {
        let files = Files::new();
        files.add("vda", None, &[0; 4096]);
        let device = Device::look(&files.machine, "vda").unwrap();
        let text = recognise(device.clone(), &plan(None)).unwrap_err().text;
        assert!(
            text.ends_with("Known file systems: ext2, ext3, ext4, reiserfs, xfs, btrfs, squashfs, erofs."),
            "{text}"
        );
        let told = BootPlan { filesystem: Some(Filesystem::Xfs), ..plan(None) };
        assert_eq!(recognise(device, &told).unwrap().1.filesystem, Filesystem::Xfs);
    }

    #[test]
    fn generic_flags_are_not_options_of_the_file_system() {
        let options = MountOptions::parse("rw,noatime,subvol=@,commit=5");
        assert_eq!(options, MountOptions { flags: MountFlags::NOATIME, own: c"subvol=@,commit=5".into() });
    }
}
