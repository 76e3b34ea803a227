//! Turns a system in a file system into the disk that an installation writes: boot loader, the installer's boot image
//! configured to start this system, and the system itself. At its first boot it partitions the machine's disk according
//! to `<deploy>` (docs/formats/boot-images.md).

use anyhow::{Context, Result, ensure};
use bootconfig::{BootConfig, InstallConfig, Kind};

use crate::artifact;
use crate::host::Host;
use crate::initrd;
use crate::media::boot_files::BootFiles;
use crate::media::stick::{self, Carrier};
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
    let path = workspace.passing_file("deployed.raw", plan.bytes());
    stick::create(&plan, &path, workspace, host)?;
    let sum = artifact::checksum(&path, host)?;
    Ok(SystemImage { path, name: system.name, content: Content::Disk, filesystem: None, sum })
}

/// The operation of the boot image on the machine.
fn orders(system: &SystemImage, config: &InstallConfig) -> Result<BootConfig> {
    let path = system.path.display();
    let deployed = config.deployed.as_ref().with_context(|| {
        format!(
            "{path} is a file system and {}.config beside it has no partitions (PART=) for it: describe them with \
             <deploy><partitions> and create the image again, or install a whole disk (a type oem or vmx)",
            system.name
        )
    })?;
    let partition_plan = deployed.partition_plan().with_context(|| format!("dividing a disk for {path}"))?;
    let kind = match system.content {
        Content::Writable | Content::Disk => Kind::Oem,
        Content::ReadOnly => {
            // The system that is written over it uses the rest of the disk.
            ensure!(
                partition_plan.partitions().len() == 1,
                "{path} is a squashfs, which gets the whole disk, but other partitions are specified ({partition_plan}): omit swap \
                 and mount points out of <deploy>, or make a file system that can be written to"
            );
            Kind::Usb
        }
    };
    Ok(BootConfig { grow: true, partitions: Some(partition_plan), ..BootConfig::new(kind) })
}

#[cfg(test)]
mod tests {
    use bootconfig::Digester;
    use ondisk::Filesystem;

    use super::*;

    fn ordered(content: Content, settings: &str) -> Result<String> {
        let path = "/n.x86_64-1".into();
        let (name, sum) = ("n.x86_64-1".to_owned(), Digester::default().finish());
        let system = SystemImage { path, name, content, filesystem: Some(Filesystem::Ext4), sum };
        let config = InstallConfig::parse(&format!("{settings}IMAGE=/dev/sda;n.x86_64;1\n"))?;
        orders(&system, &config).map(|orders| orders.to_string())
    }

    #[test]
    fn a_file_system_needs_partitions_and_a_squashfs_rejects_others() {
        let text = ordered(Content::Writable, "PART=64;S;x,x;L;/,\n").unwrap();
        assert!(text.contains("kind=oem\n") && text.contains("partitions=system:rest,swap:64\n"), "{text}");
        let error = |content, settings| ordered(content, settings).unwrap_err().to_string();
        assert!(error(Content::Writable, "").contains("n.x86_64-1.config beside it has no partitions"));
        assert!(
            error(Content::ReadOnly, "PART=64;S;x,x;L;/,\n")
                .contains("is a squashfs, which gets the whole disk")
        );
        assert!(ordered(Content::ReadOnly, "PART=x;L;/,\n").unwrap().contains("kind=usb\n"));
    }
}
