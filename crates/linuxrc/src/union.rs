//! A read-only system below a writable layer, by overlayfs; `aufs` and `unionfs` in old descriptions mean this too.
//!
//! ```text
//! squashfs -> /read-only --+
//!                          +-> overlay at the system's mount point
//! layer    -> /read-write -+
//! ```
//!
//! The layer is the partition that the storage lets grow, which is grown to the rest of the medium. Without one it is in memory,
//! and what the system writes is lost when the machine is switched off; the console says so.

use std::ffi::CString;
use std::fs;
use std::path::Path;

use bootconfig::{Storage, partition_name};
use ondisk::Superblock;
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, unmount};

use crate::boot_failure::BootFailure;
use crate::boot_plan::BootPlan;
use crate::check;
use crate::console::Console;
use crate::device::Device;
use crate::grow;
use crate::machine::Machine;
use crate::modules::Modules;
use crate::root;

/// Mounts the read-only system on `device` with its layer at the machine's system directory.
pub(crate) fn mount(
    machine: &Machine,
    plan: &BootPlan,
    device: Device,
    superblock: &Superblock,
    modules: &mut Modules,
    console: &Console,
) -> Result<(), BootFailure> {
    let below = at(machine, "read-only");
    modules.load(superblock.filesystem.module(), console);
    modules.load("overlay", console);
    root::mount(&below, plan, false, &device, superblock, modules)?;
    let layer = at(machine, "read-write");
    mount_layer(&layer, plan, &device, modules, console)?;
    join(&below.system, &layer.system, &machine.system, plan.read_only, modules)?;
    // The overlay keeps both in use; the system does not need their mount points.
    for part in [&below.system, &layer.system] {
        let _ = unmount(part, UnmountFlags::DETACH);
    }
    Ok(())
}

/// Returns the machine with another system directory.
pub(crate) fn at(machine: &Machine, name: &str) -> Machine {
    Machine { system: machine.root.join(name), ..machine.clone() }
}

fn mount_layer(
    machine: &Machine,
    plan: &BootPlan,
    system: &Device,
    modules: &mut Modules,
    console: &Console,
) -> Result<(), BootFailure> {
    let device = layer(machine, plan.storage.as_ref(), system);
    let Some((device, superblock)) = device.and_then(|device| Some((device.clone(), device.superblock?)))
    else {
        console.warn("there is no partition for written data: it is lost when the machine is switched off");
        return mount_memory(&machine.system);
    };
    let plan = BootPlan { root_flags: None, read_only: false, ..plan.clone() };
    modules.load(superblock.filesystem.module(), console);
    check::check(machine, &device, superblock.filesystem, console)?;
    let device = grow::partition(machine, device, console);
    root::mount(machine, &plan, true, &device, &superblock, modules)?;
    grow::filesystem(machine, &device, console);
    Ok(())
}

/// Returns the partition for the layer, if there is one: the one that grows, or, where the storage is not known, the one
/// behind the system.
fn layer(machine: &Machine, storage: Option<&Storage>, system: &Device) -> Option<Device> {
    let location = system.partition.as_ref()?;
    let number = match storage {
        None => location.number + 1,
        Some(storage) => {
            let (table, system) = storage.system()?;
            table.growing().map(|(growing, _)| growing.number).filter(|number| *number != system.number)?
        }
    };
    Device::look(machine, &partition_name(&location.disk, number))
}

pub(crate) fn mount_memory(directory: &Path) -> Result<(), BootFailure> {
    fs::create_dir_all(directory)
        .and_then(|()| {
            Ok(rustix::mount::mount("tmpfs", directory, "tmpfs", MountFlags::empty(), Some(c"mode=755"))?)
        })
        .map_err(|error| BootFailure::reboot(format!("mounting memory on {}: {error}", directory.display())))
}

/// Mounts the writable `layer` over the system `below` at `system`.
pub(crate) fn join(
    below: &Path,
    layer: &Path,
    system: &Path,
    read_only: bool,
    modules: &Modules,
) -> Result<(), BootFailure> {
    let [upper, work] = ["upper", "work"].map(|name| layer.join(name));
    for directory in [&upper, &work, &system.to_owned()] {
        fs::create_dir_all(directory)
            .map_err(|error| BootFailure::shell(format!("making {}: {error}", directory.display())))?;
    }
    let options =
        format!("lowerdir={},upperdir={},workdir={}", below.display(), upper.display(), work.display());
    let mode = if read_only { MountFlags::RDONLY } else { MountFlags::empty() };
    // The three paths are ours and contain no NUL byte.
    let options = CString::new(options).unwrap_or_default();
    rustix::mount::mount("overlay", system, "overlay", mode, options.as_c_str()).map_err(|error| {
        BootFailure::shell(match error {
            Errno::NODEV if !modules.provides("overlay") => {
                "the kernel cannot mount an overlay over the system: its module overlay is missing in the initrd."
                    .to_owned()
            }
            error => format!("mounting an overlay over the system: {error}"),
        })
    })
}

#[cfg(test)]
mod tests {
    use test_programs::have;

    use super::*;
    use crate::device::tests::{Files, ext2};

    #[test]
    fn the_layer_is_the_partition_that_grows() {
        if !have(&["mke2fs"]) {
            return;
        }
        let files = Files::new();
        let uuid = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
        files.add("sda", None, &[0; 4096]);
        files.add("sda2", Some(("sda", 2)), &[0; 4096]);
        let system = Device::look(&files.machine, "sda2").unwrap();
        let found = |storage: Option<&Storage>, system: &Device| {
            layer(&files.machine, storage, system).map(|device| device.name)
        };
        assert_eq!(found(None, &system), None);
        files.add("sda3", Some(("sda", 3)), &ext2(uuid, "x"));
        assert_eq!(found(None, &system).as_deref(), Some("sda3"));
        let text =
            "table;scheme=mbr partition;number=2;name=;content=filesystem;kind=squashfs;mount=/;options=ro";
        let fixed = Storage::parse(text).unwrap();
        assert_eq!(found(Some(&fixed), &system), None, "nothing grows");
        let grows =
            Storage::parse(&format!("{text} partition;number=3;name=;grows=rest;content=empty")).unwrap();
        assert_eq!(found(Some(&grows), &system).as_deref(), Some("sda3"));
        let disk = Device::look(&files.machine, "sda").unwrap();
        assert_eq!(found(None, &disk), None, "a bare disk has no partition behind it");
    }
}
