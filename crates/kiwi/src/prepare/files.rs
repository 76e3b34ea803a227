//! Single files of the description (`<file>`), with the owner and permissions that it names.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use description::{DescriptionFile, Selection};
use rustix::fs::{Timespec, Timestamps};

use super::placement::Placement;
use super::unchanged::{Unchanged, digest};
use crate::failure::fail;
use crate::host::Host;
use crate::root_tree::{Attributes, RootTree};
use crate::source::{Source, real};
use crate::stage::{Digest, Inputs};

/// A file as it was when the build was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    file: DescriptionFile,
    source: PathBuf,
    mode: u32,
    modified: i64,
    digest: Digest,
}

pub(super) fn plan(selection: &Selection, source: &Source) -> Result<Vec<Plan>> {
    let mut plans = Vec::new();
    for file in selection.bootstrap.files.iter().chain(&selection.image.files) {
        let Some(path) = source.find_file(&file.name)? else {
            fail!(
                File,
                "the file {} does not exist in the description directory {}",
                file.name,
                source.directory().display()
            )
        };
        let metadata = real::metadata(&path)?;
        plans.push(Plan {
            file: file.clone(),
            mode: metadata.permissions().mode() & 0o7777,
            modified: metadata.mtime(),
            digest: digest(&path)?,
            source: path,
        });
    }
    Ok(plans)
}

impl Plan {
    /// Returns its path in the tree.
    pub(super) fn target(&self) -> &Path {
        Path::new(&self.file.target)
    }

    /// Adds the file; times after `epoch` count as equal.
    pub(super) fn inputs(&self, epoch: u64, inputs: &mut Inputs) -> Result<()> {
        let Self { file, source: _, mode, modified, digest } = self;
        let modified = (*modified).min(i64::try_from(epoch).unwrap_or(i64::MAX));
        inputs.value(format!("the file {}", file.target), &(file, mode, modified, digest))
    }
}

/// Copies the files, which belong to root unless the description says otherwise.
pub(super) fn copy(plans: &[Plan], tree: &RootTree, host: &Host) -> Result<()> {
    for Plan { file, source, mode, modified, digest } in plans {
        let copying = || format!("copying {} to {} of the root tree", file.name, file.target);
        let mut placement = Placement::new("the description", tree);
        let mut content = Unchanged::open(source, host)?;
        let time = Timespec { tv_sec: *modified, tv_nsec: 0 };
        let attributes = Attributes {
            mode: *mode,
            user: rustix::process::geteuid().as_raw(),
            group: rustix::process::getegid().as_raw(),
            times: Timestamps { last_access: time, last_modification: time },
            extended: Vec::new(),
        };
        let target = PathBuf::from(file.target.trim_start_matches('/'));
        placement.file(&target, &mut content, false, attributes).with_context(copying)?;
        content.end(digest)?;
        // The notation of both, and the names of accounts, are those of the tree's programs.
        for (program, value) in [("/bin/chown", &file.owner), ("/bin/chmod", &file.permissions)] {
            if let Some(value) = value {
                let target = format!("/{}", target.display());
                tree.command(host, program).args(["--", value, &target]).run().with_context(copying)?;
            }
        }
    }
    Ok(())
}
