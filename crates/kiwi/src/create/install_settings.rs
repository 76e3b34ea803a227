//! `N.config` beside an image: options for its installation, when the description has any.

use std::collections::BTreeSet;

use bootconfig::{Deployed, DeployedPartition, DeployedSize, ImageName, InstallChoice, InstallConfig};
use description::{Deploy, Oem, PartitionSize, Selection};
use ondisk::Mebibytes;

/// Returns the configuration of an installation; none when the description specifies nothing. `image` is the size of
/// the system's image.
pub(super) fn plan(
    selection: &Selection,
    oem: &Oem,
    name: &ImageName,
    image: Mebibytes,
) -> Option<InstallConfig> {
    let name = name.to_string();
    let deploy = selection.deploy.as_ref();
    let device = oem.unattended_disk.clone().or(deploy.and_then(|deploy| deploy.device.clone()));
    let config = InstallConfig {
        disk: device.map(|device| device.strip_prefix("/dev/").unwrap_or(&device).to_owned()),
        deployed: deploy.and_then(|deploy| deployed(deploy, oem, image)),
        filter: oem.device_filter.clone(),
        choices: choices(oem),
        ..InstallConfig::new(&name)
    };
    (config != InstallConfig::new(&name)).then_some(config)
}

fn choices(oem: &Oem) -> BTreeSet<InstallChoice> {
    let is_made = |choice: &InstallChoice| match choice {
        InstallChoice::Unattended => oem.unattended,
        InstallChoice::Shutdown => oem.shutdown,
        InstallChoice::Wait => oem.wait,
        InstallChoice::SilentInstall => oem.silent_install,
        InstallChoice::SilentVerify => oem.silent_verify,
        InstallChoice::SkipVerify => oem.skip_verify,
    };
    InstallChoice::ALL.into_iter().filter(is_made).collect()
}

/// Returns the partitions of `<deploy>`, if it has any. Swap space and the size of the system come from `<oemconfig>`
/// when `<deploy>` does not specify them. `image` is the size of a partition with the size `image`.
pub(super) fn deployed(deploy: &Deploy, oem: &Oem, image: Mebibytes) -> Option<Deployed> {
    let mut partitions: Vec<DeployedPartition> = deploy
        .partitions
        .iter()
        .map(|partition| DeployedPartition {
            size: match partition.size {
                PartitionSize::Rest => DeployedSize::Rest,
                PartitionSize::Image => DeployedSize::Fixed(image),
                PartitionSize::Fixed(size) => DeployedSize::Fixed(size),
            },
            kind: partition.kind.clone(),
            mountpoint: partition.mountpoint.clone(),
        })
        .collect();
    if partitions.is_empty() {
        return None;
    }
    let target = deploy.partitions.iter().position(|partition| partition.target).map(|index| index + 1);
    // Added last, so that the numbers of the others do not change.
    let said = Deployed { partitions: partitions.clone(), target };
    if let (None, Some(size)) = (said.system(), oem.system_size) {
        partitions.push(extra(size, "L", Some("/")));
    }
    if let (false, Some(size)) = (partitions.iter().any(DeployedPartition::is_swap), oem.swap) {
        partitions.push(extra(size, "S", None));
    }
    Some(Deployed { partitions, target })
}

fn extra(size: Mebibytes, kind: &str, mountpoint: Option<&str>) -> DeployedPartition {
    let mountpoint = mountpoint.map(str::to_owned);
    DeployedPartition { size: DeployedSize::Fixed(size), kind: kind.to_owned(), mountpoint }
}
