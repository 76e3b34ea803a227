//! The tree as a tar archive, compressed with xz: N.tar.xz and N.md5.
//!
//! The image type keeps the name it has in KIWI 1.x; the format is that of KIWI 8.5. Members are sorted, owners are numeric,
//! extended attributes are kept. Access control lists are stored as extended attributes, with numeric ids: tar's own format
//! for them would contain names of the host.

use anyhow::{Context, Result};
use bootconfig::ImageName;

use super::remove_build_files;
use crate::artifact::{Artifact, Role, Sums};
use crate::host::{Host, StageTask};
use crate::identity::Identity;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// The plan of a tar archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) name: ImageName,
    epoch: u64,
}

pub(super) fn plan(name: ImageName, identity: &Identity) -> Plan {
    Plan { name, epoch: identity.epoch }
}

pub(super) fn create(
    plan: &Plan,
    tree: &RootTree,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<Artifact>> {
    let mut artifacts = super::package_list(&plan.name, tree, workspace, host)?;
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
    host.command("bash")
        .args(["-e", "-o", "pipefail", "-c", pack])
        .env("TREE", tree.path())
        .env("OUTPUT", &path)
        .env("EPOCH", plan.epoch.to_string())
        .env("THREADS", host.processors().max(2).to_string())
        .writable(workspace.out())
        .shows_devices(tree.devices()?)
        .run()
        .context("cannot pack the archive")?;
    let sum_path = workspace.unfinished(&plan.name.checksum_file());
    let sums = Sums::of(&path, host)?;
    host.write_file(&sum_path, sums.md5.to_string()).context("cannot write the checksum")?;
    stage.finish();
    artifacts.push(Artifact::new(Role::Checksum, plan.name.checksum_file(), sum_path));
    artifacts.push(Artifact { sha256: Some(sums.sha256), ..Artifact::new(Role::Image, file, path) });
    Ok(artifacts)
}
