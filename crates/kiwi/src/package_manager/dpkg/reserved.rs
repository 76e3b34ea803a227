//! Paths that no package may contain: parts of dpkg's database, and kiwi's mount point in the tree.

use std::io::Read;
use std::path::Path;

use anyhow::Result;

use crate::failure::fail;
use crate::package_manager::deb::{Entry, Kind, entries};

/// dpkg's database.
pub(super) const DIRECTORY: &str = "var/lib/dpkg";
/// The directory of the tree at which packages are visible while dpkg installs them.
pub(in super::super) const MOUNT_POINT: &str = ".kiwi";

/// Rejects an entry of a package that would replace a part of dpkg's database. A package contains directories of the
/// database at most.
pub(super) fn check(entry: &Entry) -> Result<()> {
    let (path, is_directory) = (entry.path.as_path(), entry.kind == Kind::Directory);
    let mut parents = Path::new(DIRECTORY).ancestors().filter(|parent| !parent.as_os_str().is_empty());
    if !is_directory && (path.starts_with(DIRECTORY) || parents.any(|parent| parent == path)) {
        fail!(Damaged, "it contains /{}, which belongs to the database of dpkg", path.display());
    }
    if path.starts_with(MOUNT_POINT) {
        fail!(Damaged, "it contains /{}, which kiwi uses during the installation", path.display());
    }
    Ok(())
}

/// Rejects an unpacked `data.tar` with such an entry.
pub(in super::super) fn check_entries(archive: impl Read) -> Result<()> {
    entries(archive, |entry, _| check(&entry))
}

#[cfg(test)]
mod tests {
    use super::super::super::deb::Owner;
    use super::*;

    fn checked(path: &str, kind: Kind) -> Result<()> {
        let owner = Owner { name: String::new(), id: 0 };
        check(&Entry { path: path.into(), kind, mode: 0o755, user: owner.clone(), group: owner, time: 0 })
    }

    #[test]
    fn rejects_what_belongs_to_dpkg_or_kiwi() {
        for path in
            ["var/lib/dpkg/status", "var/lib/dpkg/info/a.list", "var/lib/dpkg", "var", ".kiwi/etc/x", ".kiwi"]
        {
            assert!(checked(path, Kind::File).is_err(), "{path}");
            assert!(checked(path, Kind::Link("/etc".into())).is_err(), "{path}");
        }
        for path in ["var/lib/dpkg/info", "var/lib/dpkg", "var"] {
            checked(path, Kind::Directory).unwrap();
        }
        for path in ["var/lib/dpkg-cross/x", "var/lib/x", ".kiwi-other", "usr/share/var/lib/dpkg/status"] {
            checked(path, Kind::File).unwrap();
        }
    }
}
