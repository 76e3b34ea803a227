//! Where symbolic links of a tree lead, also those whose target does not exist yet.

use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::RootTree;

/// Maximum number of links that one path leads through, as in Linux.
const LINKS: usize = 40;

impl RootTree {
    /// Returns the path to which the links at `path` lead, relative to the tree. It need not exist.
    pub fn target(&self, path: impl AsRef<Path>) -> Result<PathBuf> {
        let mut path = path.as_ref().to_owned();
        for _ in 0..LINKS {
            let Ok(target) = self.root.readlink(&path) else { return Ok(path) };
            path = path.parent().unwrap_or(Path::new("")).join(target);
            path = path.strip_prefix("/").map(Path::to_owned).unwrap_or(path);
        }
        bail!("/{} leads through more than {LINKS} symbolic links", path.display())
    }

    /// Returns the path, without links, to which `path` leads, relative to the tree. Its last components need not exist.
    pub fn real_path(&self, path: impl AsRef<Path>) -> Result<PathBuf> {
        let target = self.target(path)?;
        for existing in target.ancestors() {
            let place = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
            let Ok(handle) = self.root.resolve(place) else { continue };
            let real = std::fs::read_link(format!("/proc/self/fd/{}", handle.as_fd().as_raw_fd()))
                .with_context(|| format!("looking up {} in the tree", target.display()))?;
            let real = real.strip_prefix(&self.path).context("a path leads out of the tree")?;
            let missing = target.strip_prefix(existing)?;
            return Ok(if missing.as_os_str().is_empty() { real.to_owned() } else { real.join(missing) });
        }
        bail!("/{} leads nowhere in the tree", target.display())
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test is its own host")]
mod tests {
    use super::*;
    use crate::host::Host;

    #[test]
    fn writing_follows_links_inside_the_tree_also_to_what_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let tree =
            RootTree::create(&Host::new(crate::host::Output::Quiet), &directory.path().join("tree")).unwrap();
        tree.create_dir("etc/default", 0o755).unwrap();
        for (link, target) in [
            ("etc/default/locale", "../locale.conf"),
            ("etc/absolute", "/run/a/b"),
            ("etc/up", "../../../../escaped"),
            ("etc/twice", "absolute"),
            ("etc/loop", "loop"),
            ("var", "run/a"),
        ] {
            tree.symlink(link, target).unwrap();
        }
        assert_eq!(tree.real_path("etc/twice").unwrap(), Path::new("run/a/b"));
        for (link, file) in
            [("etc/default/locale", "etc/locale.conf"), ("etc/absolute", "run/a/b"), ("etc/up", "escaped")]
        {
            tree.write(link, link, 0o644).unwrap();
            assert!(std::fs::symlink_metadata(tree.path().join(link)).unwrap().is_symlink());
            assert_eq!(std::fs::read(tree.path().join(file)).unwrap(), link.as_bytes());
        }
        tree.write("etc/twice", "twice", 0o600).unwrap();
        assert_eq!(tree.read("run/a/b").unwrap(), b"twice");
        assert_eq!(tree.real_path("var/b").unwrap(), Path::new("run/a/b"));
        assert_eq!(tree.real_path("var/none/more").unwrap(), Path::new("run/a/none/more"));
        assert_eq!(tree.real_path("none").unwrap(), Path::new("none"));
        assert!(tree.write("etc/loop", "x", 0o644).is_err());
        assert!(!directory.path().join("escaped").exists());
    }
}
