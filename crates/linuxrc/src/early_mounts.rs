//! Mounts the parts of the system that its init needs before it reads fstab: `/usr` and what is below it.
//!
//! They are partitions of the disk with the system, whose [`Storage`] the builder wrote into `/kiwi.boot`. All other file
//! systems are mounted by the system itself.

use bootconfig::{Content, Mount, Storage, partition_name};
use ondisk::Filesystem;
use rustix::mount::MountFlags;

use crate::boot_failure::BootFailure;
use crate::boot_plan::BootPlan;
use crate::check;
use crate::console::Console;
use crate::device::Device;
use crate::machine::Machine;
use crate::modules::Modules;
use crate::root::MountOptions;

/// Checks and mounts them below the mounted system, which is on `root`.
pub(crate) fn mount(
    machine: &Machine,
    plan: &BootPlan,
    root: &Device,
    modules: &mut Modules,
    console: &Console,
) -> Result<(), BootFailure> {
    for (name, kind, mount) in wanted(plan.storage.as_ref(), root) {
        let device = Device::look(machine, &name)
            .ok_or_else(|| BootFailure::shell(format!("cannot mount {}: {name} is missing", mount.path)))?;
        modules.load(kind.module(), console);
        check::check(machine, &device, kind, console)?;
        console.trace(&format!("mounting {} at {}", device.path.display(), mount.path));
        let options = MountOptions::parse(&mount.options);
        let read_only = mount.options.split(',').any(|option| option == "ro");
        let mode = if read_only { MountFlags::RDONLY } else { MountFlags::empty() };
        let target = machine.system.join(mount.path.trim_start_matches('/'));
        let mounted = rustix::mount::mount(
            &device.path,
            &target,
            kind.keyword(),
            options.flags | mode,
            options.own.as_c_str(),
        );
        mounted.map_err(|error| {
            BootFailure::shell(format!("cannot mount {} at {}: {error}", device.path.display(), mount.path))
        })?;
    }
    Ok(())
}

/// The kernel's name of each partition to mount, its file system and its mount point.
fn wanted<'s>(storage: Option<&'s Storage>, root: &Device) -> Vec<(String, Filesystem, &'s Mount)> {
    let Some(location) = &root.partition else { return Vec::new() };
    let early = storage.into_iter().flat_map(Storage::early_mounts);
    early
        .filter_map(|(partition, mount)| match &partition.content {
            Content::Filesystem(volume) => {
                Some((partition_name(&location.disk, partition.number), volume.kind, mount))
            }
            Content::Fat { .. } | Content::Swap { .. } | Content::BootCode | Content::Empty => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use test_programs::have;

    use super::*;
    use crate::device::tests::{Files, ext2};

    #[test]
    fn mounts_usr_from_the_disk_of_the_system() {
        if !have(&["mke2fs"]) {
            return;
        }
        let files = Files::new();
        files.add("nvme0n1", None, &[0; 4096]);
        let uuid = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
        files.add("nvme0n1p3", Some(("nvme0n1", 3)), &ext2(uuid, "root"));
        let text = "table;scheme=gpt partition;number=1;name=a;content=filesystem;kind=ext4;mount=/home;options=defaults \
                    partition;number=2;name=b;content=filesystem;kind=xfs;mount=/usr;options=noatime";
        let storage = Storage::parse(text).unwrap();
        let root = Device::look(&files.machine, "nvme0n1p3").unwrap();
        let mount = Mount::new("/usr", "noatime");
        assert_eq!(wanted(Some(&storage), &root), [("nvme0n1p2".to_owned(), Filesystem::Xfs, &mount)]);
        assert_eq!(wanted(None, &root), []);
    }
}
