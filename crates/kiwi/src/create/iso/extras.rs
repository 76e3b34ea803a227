//! Files that a description adds to its medium: files for its top level, and settings of the boot loader.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::host::Host;
use crate::media::iso::Graft;
use crate::root_tree::{DESCRIPTION, RootTree};
use crate::workspace::Workspace;

/// The script that writes the medium instead of kiwi.
const SCRIPT: &str = "isolinux.sh";

/// Unpacks `config-cdroot.tgz`, whose members are added to the top level of the medium.
pub(super) fn cd_root(tree: &RootTree, epoch: u64, workspace: &Workspace, host: &Host) -> Result<Vec<Graft>> {
    let archive = format!("{DESCRIPTION}/config-cdroot.tgz");
    if !tree.exists(&archive) {
        return Ok(Vec::new());
    }
    let (copy, directory) = (workspace.scratch_file("cdroot.tgz"), workspace.scratch_file("cdroot"));
    host.write_file(&copy, tree.read(&archive)?).context("cannot copy config-cdroot.tgz")?;
    host.create_directories(&directory).context("cannot create a directory for config-cdroot.tgz")?;
    // tar can write to this directory only: a member outside of it is an error.
    host.command("tar")
        .args(["--extract", "--gzip", "--no-same-owner", "--file"])
        .arg(&copy)
        .arg("--directory")
        .arg(&directory)
        .writable(&directory)
        .run()
        .context("cannot unpack config-cdroot.tgz")?;
    let unpacked = RootTree::merged(&directory)?;
    unpacked.clamp_times(epoch)?;
    let names = unpacked.list("/")?;
    Ok(names.into_iter().map(|name| Graft::new(format!("/{name}"), directory.join(&name))).collect())
}

/// The files of `cdboot/`. A file of the system's description replaces that of the boot image.
pub(super) struct Cdboot {
    files: Vec<(String, PathBuf)>,
}

impl Cdboot {
    pub(super) fn of(
        tree: &RootTree,
        boot_image: &[(String, Vec<u8>)],
        workspace: &Workspace,
        host: &Host,
    ) -> Result<Self> {
        let directory = workspace.scratch_file("cdboot");
        host.create_directories(&directory).context("cannot create a directory for cdboot")?;
        let mut files = Vec::new();
        let mut add = |name: &str, bytes: Vec<u8>| -> Result<()> {
            if files.iter().all(|(known, _)| known != name) {
                let path = directory.join(name);
                host.write_file(&path, bytes).with_context(|| format!("cannot copy cdboot/{name}"))?;
                files.push((name.to_owned(), path));
            }
            Ok(())
        };
        let own = format!("{DESCRIPTION}/cdboot");
        for name in tree.list(&own)? {
            add(&name, tree.read(format!("{own}/{name}"))?)?;
        }
        for (name, bytes) in boot_image {
            add(name, bytes.clone())?;
        }
        Ok(Self { files })
    }

    /// Returns the files for the directory of the boot loader on the medium.
    pub(super) fn loader_files(&self, loader: &str) -> Vec<Graft> {
        let shown = self.files.iter().filter(|(name, _)| name != SCRIPT);
        shown.map(|(name, path)| Graft::new(format!("{loader}/{name}"), path)).collect()
    }

    /// Returns the path of `isolinux.sh`.
    pub(super) fn script(&self) -> Option<&Path> {
        self.files.iter().find(|(name, _)| name == SCRIPT).map(|(_, path)| path.as_path())
    }
}
