//! `/kiwi.boot` of the boot image that a type needs.

use anyhow::{Context as _, Result};
use bootconfig::{BootConfig, Kind};
use description::{Boots, DiskKeyword, Iso, Selection};
use ondisk::Filesystem;

use crate::artifact::{Artifact, Role, Sums};
use crate::create::is_oemboot_of_kiwi_1x;
use crate::host::Host;
use crate::identity::Identity;
use crate::initrd;
use crate::media::iso;
use crate::workspace::Workspace;

/// Returns the configuration of the selection's boot image. Without `identity`, which follows from the system, that of a disk has
/// no UUIDs, and a live medium, which is found by its UUID, has none.
pub(super) fn of(selection: &Selection, identity: Option<&Identity>) -> Result<Option<BootConfig>> {
    let kind = match selection.image_type.boots() {
        None => return Ok(None),
        Some(Boots::Iso(live)) => return Ok(identity.map(|identity| live_config(live, identity))),
        Some(Boots::Usb(_) | Boots::Kis(_) | Boots::Xen(_)) => Kind::Usb,
        Some(Boots::Pxe(_)) => Kind::Netboot,
        Some(Boots::Disk(disk)) if disk.keyword == DiskKeyword::Oem => Kind::Oem,
        Some(Boots::Disk(disk)) if is_oemboot_of_kiwi_1x(disk) => Kind::Oem,
        Some(Boots::Disk(_)) => Kind::Vmx,
    };
    let verify_key = selection.verify_key.clone();
    Ok(Some(BootConfig {
        storage: crate::create::storage(selection, identity)?,
        verify_key,
        ..BootConfig::new(kind)
    }))
}

/// Returns the configuration of a live medium's boot image: how to identify the medium and how to mount it.
fn live_config(live: &Iso, identity: &Identity) -> BootConfig {
    let needed = ["isofs", "loop", "overlay", live.filesystem.keyword()];
    let kept = live.persistent.filter(|filesystem| *filesystem != Filesystem::Ext4);
    BootConfig {
        medium: Some(iso::uuid_of(identity)),
        modules: needed.into_iter().chain(kept.map(Filesystem::keyword)).map(str::to_owned).collect(),
        ..BootConfig::new(Kind::Iso)
    }
}

/// Replaces the initrd by one with other settings, and its checksum.
pub(super) fn replace(
    artifacts: &mut [Artifact],
    config: &BootConfig,
    epoch: u64,
    workspace: &Workspace,
    host: &Host,
) -> Result<()> {
    let mut md5 = None;
    for artifact in artifacts.iter_mut().filter(|artifact| artifact.role == Role::Initrd) {
        let path = workspace.unfinished(&artifact.name);
        initrd::reconfigure(&artifact.path, config, epoch, &path, host)?;
        let sums = Sums::of(&path, host)?;
        *artifact = Artifact {
            sha256: Some(sums.sha256),
            ..Artifact::new(Role::Initrd, artifact.name.clone(), path)
        };
        md5 = Some(sums.md5.to_string());
    }
    for artifact in artifacts.iter_mut().filter(|artifact| artifact.role == Role::Checksum) {
        let path = workspace.unfinished(&artifact.name);
        host.write_file(&path, md5.as_deref().unwrap_or_default())
            .with_context(|| format!("writing {}", path.display()))?;
        *artifact = Artifact::new(Role::Checksum, artifact.name.clone(), path);
    }
    Ok(())
}
