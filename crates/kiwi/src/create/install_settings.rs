//! `N.config` beside an image: how it is installed, where the description says anything about that.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use bootconfig::{Deployed, DeployedPartition, ImageName, InstallChoice, InstallConfig};
use description::{Deploy, Oem, PartitionSize, Selection};
use ondisk::Mebibytes;

use crate::artifact::{Artifact, Role};
use crate::host::Host;
use crate::workspace::Workspace;

/// What an installation is told; nothing where the description is silent. The system's image has `image` mebibytes.
pub(super) fn plan(selection: &Selection, oem: &Oem, name: &ImageName, image: u64) -> Option<InstallConfig> {
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

/// The partitions of `<deploy>`, if it has any, with the swap space and the size of the system that `<oemconfig>` says
/// where `<deploy>` is silent about them. `image` is how many mebibytes one of the size `image` gets.
pub fn deployed(deploy: &Deploy, oem: &Oem, image: u64) -> Option<Deployed> {
    let mut partitions: Vec<DeployedPartition> = deploy
        .partitions
        .iter()
        .map(|partition| DeployedPartition {
            size: match partition.size {
                PartitionSize::Rest => None,
                PartitionSize::Image => Some(image),
                PartitionSize::Fixed(size) => Some(size.0),
            },
            kind: partition.kind.clone(),
            mountpoint: partition.mountpoint.clone(),
        })
        .collect();
    if partitions.is_empty() {
        return None;
    }
    let target = deploy.partitions.iter().position(|partition| partition.target).map(|index| index + 1);
    // Behind the others, so that their numbers stay.
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
    DeployedPartition { size: Some(size.0), kind: kind.to_owned(), mountpoint }
}

/// Writes the file.
pub(super) fn create(
    config: &InstallConfig,
    name: &ImageName,
    workspace: &Workspace,
    host: &Host,
) -> Result<Artifact> {
    let file = format!("{name}.config");
    let location = workspace.unfinished(&file);
    host.write_file(&location, config.to_string()).context("writing how the image is installed")?;
    Ok(Artifact::new(Role::InstallSettings, file, location))
}
