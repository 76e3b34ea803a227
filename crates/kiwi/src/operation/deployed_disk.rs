//! Turns a system in a file system into the disk that an installation writes: boot loader, the installer's boot image
//! configured to start this system, and the system itself. At its first boot it partitions the machine's disk according
//! to `<deploy>` (docs/formats/boot-images.md).

use anyhow::{Context, Result};
use bootconfig::{BootConfig, InstallConfig, Kind, Storage};
use ondisk::Filesystem;

use crate::artifact;
use crate::failure::{Failure, Kind as FailureKind, fail};
use crate::host::Host;
use crate::initrd;
use crate::media::boot_files::BootFiles;
use crate::media::stick::{self, Carrier, carried};
use crate::media::system_image::{Content, SystemImage};
use crate::media::{self, system_kernel};
use crate::workspace::Workspace;

/// Returns the disk of `system`, whose boot image is the installer's `boot`; a whole disk is returned unchanged.
pub(super) fn of(
    boot: &BootFiles,
    system: SystemImage,
    config: &InstallConfig,
    workspace: &Workspace,
    host: &Host,
) -> Result<SystemImage> {
    if system.content == Content::Disk {
        return Ok(system);
    }
    for program in stick::programs() {
        host.find_program(program)?;
    }
    system_kernel::compare(boot, &system, host)?;
    let orders = orders(&system, config)?;
    let initrd = workspace.scratch_file("deployed-initrd");
    let sums = [&boot.sums(host)?[..], &[system.sum]].concat();
    let identity = media::identity(&format!("deployed disk {orders}"), &sums, host);
    initrd::reconfigure(&boot.initrd, &orders, identity.epoch, &initrd, host)?;
    let boot = BootFiles { initrd, ..boot.clone() };
    let plan = stick::plan(boot, Some(&system), Carrier::Disk, &identity)?;
    let path = workspace.passing_file("deployed.raw", plan.size());
    stick::create(&plan, &path, workspace, host)?;
    let sum = artifact::checksum(&path, host)?;
    Ok(SystemImage { path, name: system.name, content: Content::Disk, filesystem: None, sum })
}

/// The operation of the boot image on the machine.
fn orders(system: &SystemImage, config: &InstallConfig) -> Result<BootConfig> {
    let path = system.path.display();
    let deployed = config.deployed.as_ref().ok_or_else(|| {
        let message = format!(
            "{path} is a file system and {}.config beside it has no partitions (PART=) for it: describe them with \
             <deploy><partitions> and create the image again, or install a whole disk (a type oem or vmx)",
            system.name
        );
        Failure::new(FailureKind::InvalidDescription, message)
    })?;
    let filesystem = system.filesystem.with_context(|| format!("{path} is a whole disk"))?;
    let mut table = carried(Some(filesystem), Carrier::Disk);
    let kind = match system.content {
        Content::Writable | Content::Disk => {
            deployed.add_to(&mut table).with_context(|| format!("dividing a disk for {path}"))?;
            Kind::Oem
        }
        Content::ReadOnly => {
            // What is written goes to a layer over it, which uses the rest of the disk.
            let mut other = carried(Some(Filesystem::Ext4), Carrier::Disk);
            deployed.add_to(&mut other).with_context(|| format!("dividing a disk for {path}"))?;
            if !other.created().is_empty() {
                fail!(
                    InvalidDescription,
                    "{path} is a squashfs, which gets the whole disk, but other partitions are specified ({}): omit swap \
                 and mount points in <deploy>, or make a file system that can be written to",
                    other.planned()
                );
            }
            Kind::Usb
        }
    };
    Ok(BootConfig { storage: Some(Storage::of(table)), ..BootConfig::new(kind) })
}

#[cfg(test)]
mod tests {
    use bootconfig::Digester;

    use super::*;

    fn ordered(content: Content, settings: &str) -> Result<String> {
        let path = "/n.x86_64-1".into();
        let (name, sum) = ("n.x86_64-1".to_owned(), Digester::default().finish());
        let filesystem = match content {
            Content::Writable | Content::Disk => Filesystem::Ext4,
            Content::ReadOnly => Filesystem::Squashfs,
        };
        let system = SystemImage { path, name, content, filesystem: Some(filesystem), sum };
        let config = InstallConfig::parse(&format!("{settings}IMAGE=/dev/sda;n.x86_64;1\n"))?;
        orders(&system, &config).map(|orders| orders.to_string())
    }

    #[test]
    fn a_file_system_needs_partitions_and_a_squashfs_rejects_others() {
        let text = ordered(Content::Writable, "PART=64;S;x,x;L;/,\n").unwrap();
        assert!(text.contains("kind=oem\n"), "{text}");
        let storage = |text: &str| BootConfig::parse(text).unwrap().storage.unwrap().tables.remove(0);
        assert_eq!(storage(&text).planned(), "system:rest,swap:64");
        for (content, settings) in [(Content::Writable, ""), (Content::ReadOnly, "PART=64;S;x,x;L;/,\n")] {
            let error = ordered(content, settings).unwrap_err();
            let failure = error.downcast_ref::<Failure>().unwrap();
            assert_eq!(failure.kind, FailureKind::InvalidDescription);
            assert!(failure.message.contains("/n.x86_64-1"), "{error}");
        }
        let text = ordered(Content::ReadOnly, "PART=x;L;/,\n").unwrap();
        assert!(text.contains("kind=usb\n"), "{text}");
        assert_eq!(storage(&text).planned(), "partition 4:rest", "the layer grows");
    }
}
