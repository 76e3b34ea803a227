//! The description's `root/` on top of the tree, and its archives.
//!
//! Every file lands where its path leads **inside the tree**: a link a package made (`/bin` to `usr/bin`) is followed
//! there, a hostile one cannot lead out. Links of the overlay itself are stored as links; one that climbs above the
//! overlay is replaced by what it points to if that is part of the description, and refused otherwise.

use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;

use crate::host::Host;
use crate::root_tree::RootTree;

/// Folders of version control that are no part of an image.
const LEFT_OUT: [&str; 4] = [".svn", ".git", ".hg", "CVS"];

/// Where a link of the overlay leads.
#[derive(Debug, PartialEq, Eq)]
enum Leads {
    /// It stays a link.
    Inside,
    /// It climbs out of the overlay to a file of the description.
    ToDescription(PathBuf),
}

/// Looks at every link before anything is copied.
pub(super) fn check(overlay: &Path, description: &Path) -> Result<()> {
    for entry in entries(overlay) {
        let entry = entry.with_context(|| format!("reading the overlay {}", overlay.display()))?;
        if entry.path_is_symlink() {
            leads(entry.path(), overlay, description)?;
        }
    }
    Ok(())
}

/// Copies `overlay` into the tree. Everything belongs to root; modes and times are kept.
pub(super) fn copy(overlay: &Path, description: &Path, tree: &RootTree, host: &Host) -> Result<()> {
    for entry in entries(overlay) {
        let entry = entry?;
        host.check_interrupt()?;
        let inside = entry.path().strip_prefix(overlay)?;
        if inside.as_os_str().is_empty() {
            continue;
        }
        if !entry.path_is_symlink() {
            place(entry.path(), inside, tree)?;
            continue;
        }
        match leads(entry.path(), overlay, description)? {
            Leads::Inside => tree.symlink(inside, std::fs::read_link(entry.path())?)?,
            Leads::ToDescription(target) => {
                for below in WalkDir::new(&target) {
                    let below = below?;
                    place(below.path(), &join(inside, below.path().strip_prefix(&target)?), tree)?;
                }
            }
        }
    }
    Ok(())
}

fn join(folder: &Path, name: &Path) -> PathBuf {
    if name.as_os_str().is_empty() { folder.to_owned() } else { folder.join(name) }
}

fn entries(overlay: &Path) -> impl Iterator<Item = walkdir::Result<walkdir::DirEntry>> {
    let walk = WalkDir::new(overlay).sort_by_file_name().into_iter();
    walk.filter_entry(|entry| !LEFT_OUT.iter().any(|name| entry.file_name() == *name))
}

/// Puts one file or folder of the host at `inside` in the tree.
fn place(path: &Path, inside: &Path, tree: &RootTree) -> Result<()> {
    let metadata = path.metadata().with_context(|| format!("reading {}", path.display()))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_dir() {
        if !tree.exists(inside) {
            tree.create_dir(inside, mode)?;
            tree.set_mode(inside, mode)?;
        }
        return Ok(());
    }
    if !metadata.is_file() {
        bail!("{} is neither file, folder nor link; the overlay can hold only those", path.display());
    }
    // A link that a package left at this very name gives way to the file.
    if tree.root().resolve_nofollow(inside).is_ok() {
        tree.remove(inside)?;
    }
    tree.write(inside, std::fs::read(path).with_context(|| format!("reading {}", path.display()))?, mode)?;
    let times =
        std::fs::FileTimes::new().set_modified(metadata.modified()?).set_accessed(metadata.modified()?);
    tree.open_file(inside)?.set_times(times)?;
    Ok(())
}

/// Decides about a link by its target's text; nothing of the host is followed unless it is the description's.
fn leads(link: &Path, overlay: &Path, description: &Path) -> Result<Leads> {
    let target = std::fs::read_link(link).with_context(|| format!("reading the link {}", link.display()))?;
    if target.is_absolute() {
        return Ok(Leads::Inside);
    }
    let inside = link.strip_prefix(overlay)?;
    let mut depth = inside.components().count() as i64 - 1;
    let climbs = target.components().any(|component| {
        match component {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
        depth < 0
    });
    if !climbs {
        return Ok(Leads::Inside);
    }
    // Boot descriptions share files with their siblings, one folder above the description.
    let allowed = description.parent().unwrap_or(description);
    match link.canonicalize() {
        Ok(real) if real.starts_with(allowed) && allowed.parent().is_some() => Ok(Leads::ToDescription(real)),
        _ => bail!(
            "the link {} leads out of the root tree: its target is {}; make it absolute (it is then meant inside the \
             image) or copy the file into the overlay",
            link.display(),
            target.display()
        ),
    }
}

/// Unpacks a tar archive of the description in the tree, by the tree's or the host's tar.
pub(super) fn unpack(archive: &Path, tree: &RootTree, host: &Host) -> Result<()> {
    let listing = host.command("tar").arg("--list").arg("--file").arg(archive).output()?;
    for member in listing.lines() {
        let path = Path::new(member);
        if path.is_absolute() || path.components().any(|component| component == Component::ParentDir) {
            bail!(
                "the archive {} has the member {member}, which leads out of the root tree",
                archive.display()
            );
        }
    }
    // The host's tar in a view where the tree is all there is to write to; its links are resolved below the tree by
    // unpacking in the tree itself.
    let copy = ".kiwi-archive";
    tree.write(copy, std::fs::read(archive)?, 0o600)?;
    let command = match tree.exists("bin/tar") {
        true => {
            tree.command(host, "/bin/tar").args(["--extract", "--directory", "/", "--file", "/.kiwi-archive"])
        }
        false => bail!("the archive {} cannot be unpacked: the image has no tar", archive.display()),
    };
    let result = command.args(["--numeric-owner", "--keep-directory-symlink", "--no-overwrite-dir"]).run();
    tree.remove(copy)?;
    Ok(result?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    fn overlay() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let description = folder.path().join("boot/debian");
        let root = description.join("root");
        std::fs::create_dir_all(root.join("etc")).unwrap();
        (folder, description, root)
    }

    #[test]
    fn links_inside_and_absolute_ones_stay_links() {
        let (_keep, description, root) = overlay();
        symlink("../usr/x", root.join("etc/a")).unwrap();
        symlink("/etc/passwd", root.join("etc/b")).unwrap();
        assert_eq!(leads(&root.join("etc/a"), &root, &description).unwrap(), Leads::Inside);
        assert_eq!(leads(&root.join("etc/b"), &root, &description).unwrap(), Leads::Inside);
    }

    #[test]
    fn links_to_shared_files_of_the_description_are_followed() {
        let (_keep, description, root) = overlay();
        let shared = description.parent().unwrap().join("shared");
        std::fs::write(&shared, "x").unwrap();
        symlink("../../shared", root.join("linuxrc")).unwrap();
        let expected = Leads::ToDescription(shared.canonicalize().unwrap());
        let description = description.canonicalize().unwrap();
        assert_eq!(leads(&root.join("linuxrc"), &root, &description).unwrap(), expected);
    }

    #[test]
    fn links_that_leave_are_refused() {
        let (_keep, description, root) = overlay();
        symlink("../../../../../../../../../etc/passwd", root.join("etc/evil")).unwrap();
        let error = check(&root, &description.canonicalize().unwrap()).unwrap_err().to_string();
        assert!(error.contains("etc/evil leads out of the root tree"), "{error}");
        assert_eq!(
            root.join("etc/evil").symlink_metadata().unwrap().uid(),
            rustix::process::geteuid().as_raw()
        );
    }
}
