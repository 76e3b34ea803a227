//! Files and directories of the host in the view of a command.

use std::io;
use std::path::{Path, PathBuf};

use crate::host::sandbox::{BindMount, CreatedTarget, c_path};

/// A file or directory of the host that a command sees at another path.
pub(super) struct Bind {
    pub(super) source: PathBuf,
    pub(super) target: PathBuf,
    pub(super) read_only: bool,
    /// What is created at `target`, in `/run`.
    pub(super) created: Created,
}

/// What a mount creates as its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Created {
    /// Nothing: the target exists.
    Nothing,
    /// A file.
    File,
    /// A directory.
    Directory,
}

impl Bind {
    /// Returns the mount in the view whose root is at `root` of the host.
    pub(super) fn mount(&self, root: Option<&Path>) -> io::Result<BindMount> {
        let below = |target: &Path| match root {
            Some(root) => root.join(target.strip_prefix("/").unwrap_or(target)),
            None => target.to_owned(),
        };
        let (target, run) = (below(&self.target), below(Path::new("/run")));
        let directories = |skipped: usize| -> io::Result<Vec<_>> {
            let inside = target.ancestors().skip(skipped).take_while(|parent| **parent != run);
            let mut directories = inside.map(c_path).collect::<io::Result<Vec<_>>>()?;
            directories.reverse();
            Ok(directories)
        };
        let created = match self.created {
            Created::Nothing => None,
            Created::File => Some(CreatedTarget { directories: directories(1)?, is_file: true }),
            Created::Directory => Some(CreatedTarget { directories: directories(0)?, is_file: false }),
        };
        Ok(BindMount {
            source: c_path(&self.source)?,
            target: c_path(&target)?,
            read_only: self.read_only,
            created,
        })
    }
}
