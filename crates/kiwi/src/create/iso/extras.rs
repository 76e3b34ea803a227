//! Files that a description adds to its medium: files for its top level, and settings of the boot loader.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::compression::Compression;
use crate::host::Host;
use crate::media::iso::Graft;
use crate::root_tree::{DESCRIPTION, RootTree};
use crate::workspace::Workspace;

/// The script that writes the medium instead of kiwi.
const SCRIPT: &str = "isolinux.sh";

/// How the name of the archive begins; it may have any compression that kiwi reads.
const ARCHIVE: &str = "config-cdroot.t";

/// Unpacks the archive `config-cdroot.tar..`, whose members are added to the top level of the medium.
pub(super) fn cd_root(tree: &RootTree, epoch: u64, workspace: &Workspace, host: &Host) -> Result<Vec<Graft>> {
    let Some(name) = tree.list(DESCRIPTION)?.into_iter().find(|name| name.starts_with(ARCHIVE)) else {
        return Ok(Vec::new());
    };
    let bytes = tree.read(format!("{DESCRIPTION}/{name}"))?;
    let (copy, directory) = (workspace.scratch_file("cdroot.tar"), workspace.scratch_file("cdroot"));
    let mut decoder = Compression::of_content(&bytes).decoder(bytes.as_slice())?;
    let mut plain = host.create_file(&copy).with_context(|| format!("cannot copy {name}"))?;
    std::io::copy(&mut decoder, &mut plain).with_context(|| format!("cannot decompress {name}"))?;
    host.create_directories(&directory).with_context(|| format!("cannot create a directory for {name}"))?;
    // tar can write to this directory only: a member outside of it is an error.
    host.command("tar")
        .args(["--extract", "--no-same-owner", "--file"])
        .arg(&copy)
        .arg("--directory")
        .arg(&directory)
        .writable(&directory)
        .run()
        .with_context(|| format!("cannot unpack {name}"))?;
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
