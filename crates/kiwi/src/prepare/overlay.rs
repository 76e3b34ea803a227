//! Copies `root/` of the description over the tree, and unpacks its archives.
//!
//! Paths are resolved **inside the tree**: a link that a package contains (`/bin` to `usr/bin`) is followed there, and
//! a hostile link cannot lead outside. Links of the overlay itself are stored as links and not followed; one that leads above
//! the overlay is replaced by its target if that is part of the description or allowed, and rejected otherwise.

use std::fs::File;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;

use crate::failure::fail;
use crate::host::Host;
use crate::host::device::Device;
use crate::root_tree::RootTree;
use crate::source::{Files, real};
use crate::stage::{Digest, Inputs};

/// Directories of version control, which are not copied.
const LEFT_OUT: [&str; 4] = [".svn", ".git", ".hg", "CVS"];

/// An overlay as it was when the build was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// Its name in the description.
    name: String,
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    /// Path in the tree.
    inside: PathBuf,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Directory { mode: u32 },
    File { source: PathBuf, mode: u32, modified: (i64, i64), digest: Digest },
    Link { target: PathBuf },
    Device { device: Device, mode: u32, modified: (i64, i64) },
}

/// The target of a link of the overlay.
#[derive(Debug, PartialEq, Eq)]
enum Leads {
    /// The link is stored as it is.
    Inside,
    /// The link leads out of the overlay to this file of the description.
    ToDescription(PathBuf),
}

/// Reads the overlay and checks every link before anything is copied.
pub(super) fn plan(name: &str, overlay: &Path, files: &Files) -> Result<Plan> {
    let mut items = Vec::new();
    let walk = WalkDir::new(overlay).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(is_copied) {
        let entry = entry.with_context(|| format!("reading the overlay {}", overlay.display()))?;
        let inside = entry.path().strip_prefix(overlay)?;
        if inside.as_os_str().is_empty() {
            continue;
        }
        if !entry.path_is_symlink() {
            items.push(item(entry.path(), inside.to_owned())?);
            continue;
        }
        match leads(entry.path(), overlay, files)? {
            Leads::Inside => {
                let target = real::read_link(entry.path())?;
                items.push(Item { inside: inside.to_owned(), content: Content::Link { target } });
            }
            Leads::ToDescription(target) => {
                for below in WalkDir::new(&target).sort_by_file_name() {
                    let below = below?;
                    let inside = join(inside, below.path().strip_prefix(&target)?);
                    if below.path_is_symlink() {
                        let target = real::read_link(below.path())?;
                        items.push(Item { inside, content: Content::Link { target } });
                    } else {
                        items.push(item(below.path(), inside)?);
                    }
                }
            }
        }
    }
    Ok(Plan { name: name.to_owned(), items })
}

fn is_copied(entry: &walkdir::DirEntry) -> bool {
    !LEFT_OUT.iter().any(|name| entry.file_name() == *name)
}

/// Checks every link of an overlay, and reads no file.
pub(super) fn check_links(overlay: &Path, files: &Files) -> Result<()> {
    for entry in WalkDir::new(overlay).into_iter().filter_entry(is_copied) {
        let entry = entry.with_context(|| format!("reading the overlay {}", overlay.display()))?;
        if entry.path_is_symlink() && entry.depth() > 0 {
            leads(entry.path(), overlay, files)?;
        }
    }
    Ok(())
}

fn join(directory: &Path, name: &Path) -> PathBuf {
    if name.as_os_str().is_empty() { directory.to_owned() } else { directory.join(name) }
}

/// Reads one file or directory of the host whose path in the tree is `inside`.
fn item(path: &Path, inside: PathBuf) -> Result<Item> {
    let reading = || format!("reading {}", path.display());
    let metadata = real::metadata(path)?;
    let mode = metadata.permissions().mode() & 0o7777;
    let modified = (metadata.mtime(), metadata.mtime_nsec());
    let content = if let Some(device) = Device::of(path, &metadata).with_context(reading)? {
        Content::Device { device, mode, modified }
    } else if metadata.is_dir() {
        Content::Directory { mode }
    } else if metadata.is_file() {
        Content::File { source: path.to_owned(), mode, modified, digest: digest(path)? }
    } else {
        fail!(
            InvalidDescription,
            "{} is a pipe or a socket, which an overlay cannot contain; create it in config.sh",
            path.display()
        );
    };
    Ok(Item { inside, content })
}

impl Plan {
    /// Returns whether the overlay contains this path of the tree.
    pub(super) fn provides(&self, path: &str) -> bool {
        self.items.iter().any(|item| item.inside == Path::new(path))
    }

    /// Adds every file; times after `epoch` count as equal, because the image has the epoch instead.
    pub(super) fn inputs(&self, epoch: u64, inputs: &mut Inputs) -> Result<()> {
        let limit = (i64::try_from(epoch).unwrap_or(i64::MAX), 0);
        for Item { inside, content } in &self.items {
            let name = format!("{}/{}", self.name, inside.display());
            match content {
                Content::Directory { mode } => inputs.value(name, &("directory", mode))?,
                Content::File { source: _, mode, modified, digest } => {
                    inputs.value(name, &("file", mode, (*modified).min(limit), digest))?;
                }
                // The target may be other bytes than UTF-8.
                Content::Link { target } => {
                    inputs.value(name, &("link", target.as_os_str().as_encoded_bytes()))?;
                }
                Content::Device { device, mode, modified } => {
                    inputs.value(name, &("device", mode, (*modified).min(limit), device))?;
                }
            }
        }
        Ok(())
    }
}

/// Copies the overlay into the tree. Root owns every file; modes and times are kept.
pub(super) fn copy(plan: &Plan, tree: &RootTree, host: &Host) -> Result<()> {
    for item in &plan.items {
        host.check_interrupt()?;
        write_item(item, tree).with_context(|| format!("copying {}/{}", plan.name, item.inside.display()))?;
    }
    Ok(())
}

fn write_item(Item { inside, content }: &Item, tree: &RootTree) -> Result<()> {
    match content {
        Content::Directory { mode } => {
            if !tree.exists(inside) {
                tree.create_dir(inside, *mode)?;
                tree.set_mode(inside, *mode)?;
            }
            Ok(())
        }
        Content::Link { target } => tree.symlink(inside, target),
        Content::File { source, mode, modified, digest } => {
            // A file replaces a link of a package with the same path.
            if tree.root().resolve_nofollow(inside).is_ok() {
                tree.remove(inside)?;
            }
            tree.write_with(inside, *mode, |file| copy_unchanged(source, digest, file))?;
            set_time(&tree.open_file(inside)?, *modified)
        }
        Content::Device { device, mode, modified } => {
            set_time(&tree.make_device(inside, *device, *mode)?, *modified)
        }
    }
}

/// Returns the digest of a file of the description.
pub(super) fn digest(path: &Path) -> Result<Digest> {
    Digest::of_stream(real::open(path)?, std::io::sink())
        .with_context(|| format!("reading {}", path.display()))
}

/// Writes the bytes of a file that was read for the plan; fails if they have changed since.
fn copy_unchanged(source: &Path, digest: &Digest, output: &mut File) -> Result<()> {
    let copied = Digest::of_stream(real::open(source)?, output)
        .with_context(|| format!("copying {}", source.display()))?;
    if copied != *digest {
        bail!("{} changed during the build; build again", source.display());
    }
    Ok(())
}

fn set_time(file: &File, modified: (i64, i64)) -> Result<()> {
    let time = time(modified);
    let times = std::fs::FileTimes::new().set_modified(time).set_accessed(time);
    Ok(file.set_times(times)?)
}

fn time((seconds, nanoseconds): (i64, i64)) -> SystemTime {
    let part = Duration::from_nanos(nanoseconds.unsigned_abs());
    let whole = Duration::from_secs(seconds.unsigned_abs());
    match seconds < 0 {
        true => SystemTime::UNIX_EPOCH - whole + part,
        false => SystemTime::UNIX_EPOCH + whole + part,
    }
}

/// Resolves a link by the text of its target; no link is followed on the host unless it leads to the description.
fn leads(link: &Path, overlay: &Path, files: &Files) -> Result<Leads> {
    let target = real::read_link(link)?;
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
    if link.metadata().is_err() {
        fail!(
            InvalidDescription,
            "the link {} leads out of the root tree: its target is {}; make it absolute (it then refers to a path \
             in the image) or copy the file into the overlay",
            link.display(),
            target.display()
        );
    }
    // Descriptions use such links for files that several overlays share.
    files.follow(link).map(Leads::ToDescription)
}

/// Unpacks a tar archive of the description in the tree, with the tar of the tree.
pub(super) fn unpack(archive: &Path, digest: &Digest, tree: &RootTree, host: &Host) -> Result<()> {
    // The tar of the tree runs in the sandbox of the tree, so links cannot lead to files of the host.
    let copy = ".kiwi-archive";
    tree.write_with(copy, 0o600, |file| copy_unchanged(archive, digest, file))?;
    let result =
        check_members(archive, &tree.path().join(copy), host).and_then(|()| extract(archive, tree, host));
    tree.remove(copy)?;
    result
}

/// Refuses an archive, of which there is a copy, with a member that leads out of the tree.
fn check_members(archive: &Path, copy: &Path, host: &Host) -> Result<()> {
    let listing = host.command("tar").arg("--list").arg("--file").arg(copy).output()?;
    for member in listing.lines() {
        let path = Path::new(member);
        if path.is_absolute() || path.components().any(|component| component == Component::ParentDir) {
            fail!(
                InvalidDescription,
                "the archive {} contains the member {member}, which leads out of the root tree",
                archive.display()
            );
        }
    }
    Ok(())
}

/// Extracts the copy of the archive in the tree.
fn extract(archive: &Path, tree: &RootTree, host: &Host) -> Result<()> {
    let command = match tree.exists("bin/tar") {
        true => {
            tree.command(host, "/bin/tar").args(["--extract", "--directory", "/", "--file", "/.kiwi-archive"])
        }
        false => fail!(
            Packages,
            "the archive {} cannot be unpacked because the image has no tar; add the package tar",
            archive.display()
        ),
    };
    Ok(command.args(["--numeric-owner", "--keep-directory-symlink", "--no-overwrite-dir"]).run()?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    use crate::source::{AllowedPaths, Source};

    fn overlay() -> (tempfile::TempDir, Source, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let description = directory.path().join("boot/debian");
        std::fs::create_dir_all(description.join("root/etc")).unwrap();
        std::fs::write(description.join("config.xml"), "<image/>").unwrap();
        let source = Source::open(&description, &AllowedPaths::default()).unwrap();
        let root = source.directory().join("root");
        (directory, source, root)
    }

    #[test]
    fn links_inside_and_absolute_links_stay_links() {
        let (_keep, source, root) = overlay();
        symlink("../usr/x", root.join("etc/a")).unwrap();
        symlink("/etc/passwd", root.join("etc/b")).unwrap();
        assert_eq!(leads(&root.join("etc/a"), &root, source.files()).unwrap(), Leads::Inside);
        assert_eq!(leads(&root.join("etc/b"), &root, source.files()).unwrap(), Leads::Inside);
    }

    #[test]
    fn links_to_shared_files_of_the_description_are_followed() {
        let (_keep, source, root) = overlay();
        let inside = source.directory().join("shared");
        let outside = source.directory().parent().unwrap().join("shared");
        for shared in [&inside, &outside] {
            std::fs::create_dir(shared).unwrap();
            std::fs::write(shared.join("file"), "x").unwrap();
            symlink("/etc/shadow", shared.join("link")).unwrap();
        }
        symlink("../shared", root.join("inside")).unwrap();
        symlink("../../shared", root.join("outside")).unwrap();
        let leads = |name: &str, source: &Source| leads(&root.join(name), &root, source.files());
        assert_eq!(leads("inside", &source).unwrap(), Leads::ToDescription(inside));
        let error = leads("outside", &source).unwrap_err();
        assert!(format!("{error:#}").contains("--allow-path"), "{error:#}");
        let allowed = AllowedPaths::new(&[outside.parent().unwrap().to_owned()]).unwrap();
        let allowing = Source::open(source.directory(), &allowed).unwrap();
        assert_eq!(leads("outside", &allowing).unwrap(), Leads::ToDescription(outside));
        let planned = plan("root", &root, allowing.files()).unwrap();
        let link = planned.items.iter().find(|item| item.inside == Path::new("inside/link")).unwrap();
        assert_eq!(link.content, Content::Link { target: "/etc/shadow".into() });
    }

    #[test]
    fn links_that_lead_outside_are_rejected() {
        let (_keep, source, root) = overlay();
        symlink("../../../../../../../../../etc/passwd", root.join("etc/evil")).unwrap();
        let error = plan("root", &root, source.files()).unwrap_err().to_string();
        assert!(error.contains("etc/evil leads out of the description"), "{error}");
        assert_eq!(
            root.join("etc/evil").symlink_metadata().unwrap().uid(),
            rustix::process::geteuid().as_raw()
        );
    }

    #[test]
    fn a_file_keeps_its_mode_and_time_and_a_changed_file_is_rejected() {
        let (directory, source, root) = overlay();
        let host = Host::new(crate::host::Output::Quiet);
        let file = root.join("etc/large");
        let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
        std::fs::write(&file, &bytes).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o4750)).unwrap();
        let tree = RootTree::create(&host, &directory.path().join("tree")).unwrap();
        let planned = plan("root", &root, source.files()).unwrap();
        copy(&planned, &tree, &host).unwrap();
        assert!(tree.read("etc/large").unwrap() == bytes);
        let (here, there) = (file.metadata().unwrap(), tree.metadata("etc/large").unwrap());
        assert_eq!(there.mode(), here.mode());
        assert_eq!(there.modified().unwrap(), here.modified().unwrap());
        let node = root.join("etc/node");
        let device = Device { is_block: true, major: 8, minor: 1 };
        device.make(rustix::fs::CWD, &node, 0o4640).unwrap();
        set_time(&File::open(&node).unwrap(), (77, 0)).unwrap();
        tree.symlink("etc/node", "/nowhere").unwrap();
        copy(&plan("root", &root, source.files()).unwrap(), &tree, &host).unwrap();
        let made = tree.path().join("etc/node");
        let metadata = made.symlink_metadata().unwrap();
        assert_eq!(Device::of(&made, &metadata).unwrap(), Some(device));
        assert_eq!((metadata.mode() & 0o7777, metadata.mtime()), (0o4640, 77));
        std::fs::write(&file, "another").unwrap();
        let error = format!("{:#}", copy(&planned, &tree, &host).unwrap_err());
        assert!(error.ends_with("etc/large changed during the build; build again"), "{error}");
    }
}
