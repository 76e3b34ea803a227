//! Files of a tree: each one is written beside its name, to disk, and then renamed.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Tree;
use crate::failure::fail;
use crate::host::Host;

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It is new.
    Created,
    /// It was there, with other content.
    Replaced,
    /// It was there with the same content.
    Unchanged,
}

/// A file that is complete, and has its final name only after [`Copied::publish`].
#[derive(Debug)]
pub struct Copied {
    unfinished: Option<std::path::PathBuf>,
    target: std::path::PathBuf,
    /// What publishing it does.
    pub change: Change,
}

impl Copied {
    /// Gives the file its final name.
    pub fn publish(self, host: &Host) -> Result<Change> {
        if let Some(unfinished) = &self.unfinished {
            let publishing = || format!("publishing {}", self.target.display());
            host.rename(unfinished, &self.target).with_context(publishing)?;
            let directory = self.target.parent().unwrap_or(Path::new("."));
            File::open(directory).and_then(|directory| directory.sync_all()).with_context(publishing)?;
        }
        Ok(self.change)
    }
}

/// Copies the file `source` to a path in the tree. One that is there with other content is an error, unless it may be
/// replaced.
pub fn copy(tree: &Tree, path: &str, source: &Path, replace: bool, host: &Host) -> Result<Copied> {
    let target = tree.file(path);
    let change = match is_same(source, &target).with_context(|| format!("comparing {}", target.display()))? {
        None => Change::Created,
        Some(true) => return Ok(Copied { unfinished: None, target, change: Change::Unchanged }),
        Some(false) if replace => Change::Replaced,
        Some(false) => fail!(
            Exists,
            "{} exists with other content, and machines can be loading it: raise the version of the image, or use --replace",
            target.display()
        ),
    };
    let copying = || format!("copying {} to {}", source.display(), target.display());
    let directory = target.parent().unwrap_or(Path::new("."));
    let unfinished = host.unfinished_file(directory).with_context(copying)?;
    host.copy_file(source, &unfinished).with_context(copying)?;
    finish(&unfinished, host).with_context(copying)?;
    Ok(Copied { unfinished: Some(unfinished), target, change })
}

/// Writes a file of the tree, replacing what is there.
pub fn write(tree: &Tree, path: &str, content: &[u8], host: &Host) -> Result<Change> {
    let target = tree.file(path);
    let writing = || format!("writing {}", target.display());
    let change = match std::fs::read(&target) {
        Ok(bytes) if bytes == content => return Ok(Change::Unchanged),
        Ok(_) => Change::Replaced,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Change::Created,
        Err(error) => return Err(error).with_context(writing),
    };
    let directory = target.parent().unwrap_or(Path::new("."));
    let unfinished = host.unfinished_file(directory).with_context(writing)?;
    host.write_file(&unfinished, content).with_context(writing)?;
    finish(&unfinished, host).with_context(writing)?;
    Copied { unfinished: Some(unfinished), target: target.clone(), change }.publish(host)
}

/// Gives an unfinished file of the tree its name, replacing what is there.
pub fn adopt(tree: &Tree, path: &str, unfinished: PathBuf, host: &Host) -> Result<Change> {
    let target = tree.file(path);
    let writing = || format!("writing {}", target.display());
    let change = match is_same(&unfinished, &target).with_context(writing)? {
        None => Change::Created,
        Some(true) => Change::Unchanged,
        Some(false) => Change::Replaced,
    };
    finish(&unfinished, host).with_context(writing)?;
    Copied { unfinished: Some(unfinished), target: target.clone(), change }.publish(host)
}

/// Lets the servers read a file, and waits until it is on the disk.
fn finish(path: &Path, host: &Host) -> std::io::Result<()> {
    let file = host.open_file(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    file.sync_all()
}

/// Returns whether two files have the same content; none if the second one does not exist.
fn is_same(one: &Path, other: &Path) -> std::io::Result<Option<bool>> {
    let (mut one, mut other) = match (File::open(one), File::open(other)) {
        (_, Err(error)) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        (one, other) => (one?, other?),
    };
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(Some(false));
    }
    let (mut a, mut b) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let count = one.read(&mut a)?;
        if count == 0 {
            return Ok(Some(true));
        }
        other.read_exact(&mut b[..count])?;
        if a[..count] != b[..count] {
            return Ok(Some(false));
        }
    }
}
