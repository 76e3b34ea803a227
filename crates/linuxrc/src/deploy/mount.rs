//! Mounts the root file system of a client from its parts.
//!
//! ```text
//! IMAGE                the device of the first image
//! UNIONFS_CONFIG       read-only device + writable device or memory -> overlay
//! COMBINED_IMAGE       the second image at /system, links to its directories in the first one, what is temporary below memory
//! NBDROOT              a network block device
//! NFSROOT              a directory of a server
//! ```
//!
//! A read-only file system without a writable layer gets one in memory.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use bootconfig::{ClientConfig, MOVED, MOVED_TEMPORARY, NbdRoot, NfsRoot, READ_ONLY_PART};
use ondisk::Superblock;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::{Scene, nbd_swap, partition};
use crate::boot_failure::BootFailure;
use crate::check;
use crate::device::{Device, Devices};
use crate::grow;
use crate::machine::Machine;
use crate::modules::Modules;
use crate::remote_root::{nbd, nfs};
use crate::root;
use crate::union;

/// Interval between looks at the devices.
const POLL: Duration = Duration::from_millis(50);

/// The kernel's names of devices that the configuration names differently: images in memory are loop devices.
pub(crate) type Storages = BTreeMap<String, String>;

/// The devices of a root file system, by the kernel's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The system; with a layer, the read-only part.
    pub(crate) system: String,
    pub(crate) layer: Layer,
    /// The read-only image of a combined system.
    pub(crate) second: Option<String>,
}

/// Where a system is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layer {
    /// Its own device; memory, if that is read-only.
    Own,
    Memory,
    Device(String),
}

impl Parts {
    /// Returns the parts that the configuration specifies. `storages` has the devices in memory, `nbd` the network block device.
    pub(crate) fn of(config: &ClientConfig, storages: &Storages, nbd: Option<&str>) -> Option<Self> {
        let known = |name: &str| storages.get(name).cloned().unwrap_or_else(|| name.to_owned());
        let image = |index: usize| config.images.get(index).map(|image| known(&image.device));
        let second = if config.combined_image { image(1) } else { None };
        if let Some(union) = &config.union {
            let is_memory = is_memory(&union.read_write) && !storages.contains_key(&union.read_write);
            let layer = if is_memory { Layer::Memory } else { Layer::Device(known(&union.read_write)) };
            let system = match nbd {
                Some(device) => device.to_owned(),
                None => known(&union.read_only),
            };
            return Some(Self { system, layer, second });
        }
        let system = nbd.map(str::to_owned).or_else(|| image(0))?;
        Some(Self { system, layer: Layer::Own, second })
    }
}

/// Whether a device of the configuration is in memory.
pub(crate) fn is_memory(device: &str) -> bool {
    device.strip_prefix("ram").is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Loads drivers until these disks or partitions exist.
pub(crate) fn wait_for_disks(
    scene: Scene<'_>,
    names: &[&str],
    modules: &mut Modules,
) -> Result<(), BootFailure> {
    let Scene { machine, plan, console, .. } = scene;
    let begin = Instant::now();
    let mut devices = Devices::default();
    loop {
        let is_new = modules.serve_devices(machine, console);
        devices.refresh(machine);
        let missing: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| crate::device::size(machine, name).is_none_or(|size| size.0 == 0))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        if !is_new && plan.timeout.is_some_and(|seconds| begin.elapsed() >= Duration::from_secs(seconds)) {
            return Err(BootFailure::reboot(format!(
                "The disk /dev/{} of the configuration was not found within {} seconds.\n{}\n{}\n\n\
                 Nothing was written to a disk. Correct DISK or IMAGE, or add the driver to the boot image.",
                missing.join(", /dev/"),
                plan.timeout.unwrap_or_default(),
                devices.report(),
                modules.report()
            )));
        }
        std::thread::sleep(POLL);
    }
}

/// Mounts the parts at the machine's system directory; returns the device that the system writes to, if it has one.
pub(crate) fn mount_parts(
    scene: Scene<'_>,
    parts: &Parts,
    modules: &mut Modules,
) -> Result<Option<(Device, Superblock)>, BootFailure> {
    let Scene { machine, plan, console, .. } = scene;
    let device = look(machine, &parts.system)?;
    let (device, superblock) = root::recognise(device, plan)?;
    modules.load(superblock.filesystem.module(), console);
    let is_read_only = superblock.filesystem.is_read_only();
    let written = if parts.layer == Layer::Own && !is_read_only {
        check::check(machine, &device, superblock.filesystem, console)?;
        let system = root::mount(machine, plan, true, &device, &superblock, modules)?;
        grow::filesystem(machine, &device, console);
        system.set_mode(plan.read_only && parts.second.is_none())?;
        Some((device, superblock))
    } else {
        modules.load("overlay", console);
        let below = union::at(machine, "read-only");
        let layer = union::at(machine, "read-write");
        root::mount(&below, &read_only(scene), false, &device, &superblock, modules)?;
        let written = mount_layer(scene, &layer, &parts.layer, modules)?;
        union::join(&below.system, &layer.system, &machine.system, plan.read_only, modules)?;
        for part in [&below.system, &layer.system] {
            let _ = unmount(part, UnmountFlags::DETACH);
        }
        written
    };
    if let Some(second) = &parts.second {
        combine(scene, second, modules)?;
    }
    console.phase("mount");
    Ok(written)
}

fn look(machine: &Machine, name: &str) -> Result<Device, BootFailure> {
    Device::look(machine, name).ok_or_else(|| {
        BootFailure::reboot(format!("The device /dev/{name} of the configuration cannot be read."))
    })
}

/// Returns the plan of a part that is never written to.
fn read_only(scene: Scene<'_>) -> crate::boot_plan::BootPlan {
    crate::boot_plan::BootPlan { read_only: true, root_flags: None, ..scene.plan.clone() }
}

fn mount_layer(
    scene: Scene<'_>,
    at: &Machine,
    layer: &Layer,
    modules: &mut Modules,
) -> Result<Option<(Device, Superblock)>, BootFailure> {
    let Scene { machine, plan, console, .. } = scene;
    let Layer::Device(name) = layer else {
        console.announce("What this system writes is lost when the machine is switched off");
        return union::mount_memory(&at.system).map(|()| None);
    };
    let mut device = look(machine, name)?;
    if device.superblock.is_none() {
        console.announce(&format!("Making a file system for written data on /dev/{name}"));
        partition::make_filesystem(machine, &device.path, console).map_err(|error| {
            BootFailure::reboot(format!("The writable part of UNIONFS_CONFIG cannot be made: {error}"))
        })?;
        device = look(machine, name)?;
    }
    let (device, superblock) = root::recognise(device, plan)?;
    if superblock.filesystem.is_read_only() {
        return Err(BootFailure::reboot(format!(
            "/dev/{name} is the writable part of UNIONFS_CONFIG, but contains {}, which cannot be written to.",
            superblock.filesystem.keyword()
        )));
    }
    modules.load(superblock.filesystem.module(), console);
    check::check(machine, &device, superblock.filesystem, console)?;
    let plan = crate::boot_plan::BootPlan { root_flags: None, read_only: false, ..plan.clone() };
    root::mount(at, &plan, true, &device, &superblock, modules)?;
    grow::filesystem(at, &device, console);
    Ok(Some((device, superblock)))
}

/// Mounts the read-only image of a combined system, and links its directories.
fn combine(scene: Scene<'_>, name: &str, modules: &mut Modules) -> Result<(), BootFailure> {
    let Scene { machine, plan, console, .. } = scene;
    let (device, superblock) = root::recognise(look(machine, name)?, plan)?;
    modules.load(superblock.filesystem.module(), console);
    let at = Machine { system: machine.system.join(READ_ONLY_PART), ..machine.clone() };
    root::mount(&at, &read_only(scene), false, &device, &superblock, modules)?;
    mount_temporary(scene, &at.system.join(MOVED_TEMPORARY), modules)?;
    // The boot image for later boots is written to /boot.
    let own: &[&str] = if scene.config.initrd.is_some() { &["lost+found", "boot"] } else { &["lost+found"] };
    link_directories(&machine.system, own)
        .map_err(|error| BootFailure::reboot(format!("Combining the two images failed: {error}")))
}

/// Mounts what is lost at the next boot, `files` of the read-only image, below a layer in memory.
fn mount_temporary(scene: Scene<'_>, files: &Path, modules: &mut Modules) -> Result<(), BootFailure> {
    let Scene { machine, console, .. } = scene;
    if !fs::symlink_metadata(files).is_ok_and(|found| found.is_dir()) {
        return Ok(());
    }
    modules.load("overlay", console);
    let layer = union::at(machine, "temporary").system;
    union::mount_memory(&layer)?;
    union::join(files, &layer, &machine.system.join(MOVED_TEMPORARY), false, modules)?;
    let _ = unmount(&layer, UnmountFlags::DETACH);
    Ok(())
}

/// Links each entry of /system that the writable part does not have itself, or has as an empty directory, except those in `own`.
fn link_directories(system: &Path, own: &[&str]) -> io::Result<()> {
    for entry in fs::read_dir(system.join(READ_ONLY_PART))? {
        let name = entry?.file_name();
        if name == MOVED {
            continue;
        }
        let link = system.join(&name);
        let target = Path::new(READ_ONLY_PART).join(&name);
        match fs::symlink_metadata(&link) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => symlink(&target, &link)?,
            Err(error) => return Err(error),
            // A directory with content belongs to the writable part.
            Ok(found) if found.is_dir() => {
                if !own.iter().any(|own| name == *own) && fs::remove_dir(&link).is_ok() {
                    symlink(&target, &link)?;
                }
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

/// Connects the network block device of the configuration, and its swap space; returns the kernel's name of the device.
pub(crate) fn mount_nbd(
    scene: Scene<'_>,
    root: &NbdRoot,
    address: Ipv4Addr,
    modules: &mut Modules,
) -> Result<String, BootFailure> {
    modules.load("nbd", scene.console);
    let connect = |port: u16, export: &str, device: Option<&str>| {
        let connected = nbd::connect(address, port, export).and_then(|(stream, export)| {
            let wanted = device.and_then(|device| device.strip_prefix("nbd")?.parse().ok());
            nbd::attach(&stream, export, wanted)
        });
        connected.map(|number| format!("nbd{number}")).map_err(|error| {
            let reason = match error.raw_os_error() {
                Some(_) => format!("{error}\n{}", modules.report()),
                None => error.to_string(),
            };
            BootFailure::reboot(format!(
                "The network block device of {}, port {port}, cannot be used: {reason}\n\n\
                 Check NBDROOT, and that nbd-server runs and exports it to this machine.",
                root.server
            ))
        })
    };
    let name = connect(root.port, &root.export, root.device.as_deref())?;
    if let Some(swap) = &root.swap {
        let device = connect(swap.port, &swap.export, swap.device.as_deref())?;
        if let Err(error) = nbd_swap::start(scene, &scene.machine.dev.join(&device)) {
            scene.console.warn(&format!("swap space on /dev/{device}: {error}; the boot continues"));
        }
    }
    wait_for_disks(scene, &[&name], modules)?;
    Ok(name)
}

/// Mounts the NFS root at the machine's system directory.
pub(crate) fn mount_nfs(
    scene: Scene<'_>,
    root: &NfsRoot,
    server: Ipv4Addr,
    client: Ipv4Addr,
    modules: &mut Modules,
) -> Result<(), BootFailure> {
    let Scene { machine, console, .. } = scene;
    for name in ["nfs", "nfsv3", "nfsv4"] {
        modules.load(name, console);
    }
    let location = &machine.system;
    fs::create_dir_all(location)
        .and_then(|()| nfs::mount_root(server, &root.path, client, location, |text| console.trace(text)))
        .map_err(|error| {
            BootFailure::reboot(format!(
                "The system {}:{} cannot be mounted: {error}\n\n\
                 Check NFSROOT, and that the server exports this directory to this machine.\n{}",
                root.server,
                root.path,
                modules.report()
            ))
        })?;
    console.phase("mount");
    Ok(())
}

/// Reads the markers of an installed system; none if nothing can be mounted.
pub(super) fn read_markers(
    scene: Scene<'_>,
    parts: &Parts,
    paths: &[String],
    modules: &mut Modules,
) -> Option<BTreeMap<String, String>> {
    let Scene { machine, console, .. } = scene;
    let (name, directory) = match &parts.layer {
        Layer::Own => (&parts.system, ""),
        Layer::Device(name) => (name, "upper"),
        Layer::Memory => return None,
    };
    let device = Device::look(machine, name)?;
    let superblock = device.superblock.clone()?;
    modules.load(superblock.filesystem.module(), console);
    let location = machine.root.join("installed");
    let mounted = fs::create_dir_all(&location).and_then(|()| {
        let keyword = superblock.filesystem.keyword();
        let attempt = |keyword: &str| mount(&device.path, &location, keyword, MountFlags::RDONLY, None);
        attempt(keyword).or_else(|_| attempt(superblock.filesystem.module())).map_err(io::Error::from)
    });
    if let Err(error) = mounted {
        console.trace(&format!("mounting {}: {error}", device.path.display()));
        return None;
    }
    let tree = super::system_file::SystemTree::open(&location.join(directory));
    let markers = tree.map_or_else(
        |_| BTreeMap::new(),
        |tree| {
            let read = |path: &String| Some((path.clone(), tree.read_text(path, 4096).ok()?));
            paths.iter().filter_map(read).collect()
        },
    );
    // The partition table can only be read again when nothing is mounted.
    if let Err(error) = unmount(&location, UnmountFlags::empty()) {
        console.trace(&format!("unmounting {}: {error}", location.display()));
    }
    Some(markers)
}

#[cfg(test)]
mod tests;
