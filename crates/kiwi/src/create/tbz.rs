//! The tree as a tar archive, compressed with xz: N.tar.xz and N.md5.
//!
//! The image type keeps the name it has in KIWI 1.x; the format is that of KIWI 8.5. Members are sorted, owners are numeric,
//! extended attributes are kept. Access control lists are stored as extended attributes, with numeric ids: tar's own format
//! for them would contain names of the host.

use anyhow::{Context, Result};
use bootconfig::ImageName;

use super::{ImageContext, remove_build_files};
use crate::artifact::{Artifact, Role};
use crate::host::StageTask;
use crate::identity::Identity;

/// The plan of a tar archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) name: ImageName,
    epoch: u64,
}

pub(super) fn plan(name: ImageName, identity: &Identity) -> Plan {
    Plan { name, epoch: identity.epoch }
}

pub(super) fn create(plan: &Plan, context: ImageContext<'_>) -> Result<Vec<Artifact>> {
    let ImageContext { tree, workspace, host, .. } = context;
    let mut artifacts = context.package_list(&plan.name)?;
    remove_build_files(tree)?;
    tree.clamp_times(plan.epoch)?;
    let file = format!("{}.tar.xz", plan.name);
    let path = workspace.unfinished(&file);
    let stage = host.stage(StageTask::WriteArchive, "Packing the archive");
    // Blocks of a fixed size make the result independent of the number of processors.
    let pack = "tar --create --directory \"$TREE\" --sort=name --format=pax \
                --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime --numeric-owner --xattrs \
                --xattrs-include='*' --mtime=\"@$EPOCH\" --clamp-mtime . | \
                xz --threads=\"$THREADS\" --block-size=16MiB -1 --stdout > \"$OUTPUT\"";
    let command = host
        .command("bash")
        .args(["-e", "-o", "pipefail", "-c", pack])
        .env("TREE", tree.path())
        .env("OUTPUT", &path)
        .env("EPOCH", plan.epoch.to_string())
        .env("THREADS", host.processors().max(2).to_string())
        .writable(workspace.out())
        .shows_devices(tree.devices()?)
        .reports_reading("tar", tree.last_measure()?.content, &stage);
    command.run().context("cannot pack the archive")?;
    let (checksum, sums) = context.checksum(&plan.name, &path)?;
    stage.finish();
    artifacts.push(checksum);
    artifacts.push(Artifact { sha256: Some(sums.sha256), ..Artifact::new(Role::Image, file, path) });
    Ok(artifacts)
}
