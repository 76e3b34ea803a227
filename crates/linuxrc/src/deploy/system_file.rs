//! Files of the mounted system. Links of the system are resolved inside it, whatever they contain.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};

const IN_SYSTEM: ResolveFlags = ResolveFlags::IN_ROOT.union(ResolveFlags::NO_MAGICLINKS);

/// The directory tree of the mounted system.
pub(crate) struct SystemTree(OwnedFd);

impl SystemTree {
    /// Opens the tree at `path`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?))
    }

    fn open_at(&self, path: &str, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        Ok(rustix::fs::openat2(&self.0, relative(path)?, flags | OFlags::CLOEXEC, mode, IN_SYSTEM)?)
    }

    /// Opens a file for reading. Only regular files are opened.
    pub(crate) fn read_file(&self, path: &str) -> io::Result<File> {
        // A FIFO would wait for a writer.
        let file = File::from(self.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?);
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::Error::other("not a regular file")),
        }
    }

    /// Reads a text of at most `limit` bytes.
    pub(crate) fn read_text(&self, path: &str, limit: u64) -> io::Result<String> {
        let mut text = String::new();
        self.read_file(path)?.take(limit).read_to_string(&mut text)?;
        Ok(text)
    }

    /// Whether there is something at `path`.
    pub(crate) fn exists(&self, path: &str) -> bool {
        self.open_at(path, OFlags::PATH, Mode::empty()).is_ok()
    }

    /// Returns the names in a directory, sorted; none if it cannot be read.
    pub(crate) fn names(&self, directory: &str) -> Vec<String> {
        let Ok(opened) = self.open_at(directory, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()) else {
            return Vec::new();
        };
        let Ok(entries) = rustix::fs::Dir::read_from(&opened) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned));
        let mut names: Vec<String> = names.filter(|name| name != "." && name != "..").collect();
        names.sort();
        names
    }

    /// Opens a directory, and creates it and those above it where they are missing.
    pub(crate) fn make_directory(&self, path: &str) -> io::Result<OwnedFd> {
        let mut directory = self.open_at(".", OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
        let mut done = String::from(".");
        for name in relative(path)?.split('/').filter(|name| !matches!(*name, "" | ".")) {
            done = format!("{done}/{name}");
            let opened = self.open_at(&done, OFlags::PATH | OFlags::DIRECTORY, Mode::empty());
            directory = match opened {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    rustix::fs::mkdirat(&directory, name, Mode::from_raw_mode(0o755))?;
                    self.open_at(&done, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?
                }
                other => other?,
            };
        }
        Ok(directory)
    }

    /// Writes a file with the bytes that `fill` writes, in one step: after a power cut there is the old file or the new one.
    /// The mode of an existing file stays. A link at `path` itself is replaced.
    pub(crate) fn write_file(
        &self,
        path: &str,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        let (directory, name) = path.trim_end_matches('/').rsplit_once('/').unwrap_or(("", path));
        if matches!(name, "" | "." | "..") {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let directory = self.make_directory(directory)?;
        let before = rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW);
        let mode = match before {
            Ok(before) if rustix::fs::FileType::from_raw_mode(before.st_mode).is_file() => {
                Mode::from_raw_mode(before.st_mode & 0o7777)
            }
            Ok(_) | Err(_) => Mode::from_raw_mode(0o644),
        };
        let aside = format!(".{name}.kiwi");
        let _ = rustix::fs::unlinkat(&directory, &aside, AtFlags::empty());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&directory, &aside, flags, Mode::from_raw_mode(0o600))?);
        let written = fill(&mut file)
            .and_then(|()| Ok(rustix::fs::fchmod(&file, mode)?))
            .and_then(|()| file.sync_all())
            .and_then(|()| Ok(rustix::fs::renameat(&directory, &aside, &directory, name)?));
        if written.is_err() {
            let _ = rustix::fs::unlinkat(&directory, &aside, AtFlags::empty());
        }
        written
    }

    /// Writes a text to a file.
    pub(crate) fn write_text(&self, path: &str, text: &str) -> io::Result<()> {
        self.write_file(path, |file| file.write_all(text.as_bytes()))
    }

    /// Writes everything of the file system to its device.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let root = self.open_at(".", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
        Ok(rustix::fs::syncfs(&root)?)
    }
}

/// Returns the path without leading slashes; `..` is refused.
fn relative(path: &str) -> io::Result<&str> {
    let path = path.trim_start_matches('/');
    if path.split('/').any(|part| part == "..") || path.contains('\0') {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(if path.is_empty() { "." } else { path })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn links_never_lead_out_of_the_system() {
        let dir = tempfile::tempdir().unwrap();
        let (outside, root) = (dir.path().join("outside"), dir.path().join("system"));
        fs::create_dir_all(&outside).unwrap();
        fs::create_dir_all(root.join("real/etc")).unwrap();
        symlink("/real/etc", root.join("etc")).unwrap();
        symlink(&outside, root.join("out")).unwrap();
        symlink("../../../../outside", root.join("up")).unwrap();
        symlink(outside.join("file"), root.join("real/etc/file")).unwrap();
        let tree = SystemTree::open(&root).unwrap();
        tree.write_text("/etc/new/file", "1").unwrap();
        assert_eq!(fs::read_to_string(root.join("real/etc/new/file")).unwrap(), "1");
        // Absolute links mean the system's own directories, which do not exist here.
        for path in ["/out/file", "/up/file", "/../outside/file", "..", "/", "/etc/.."] {
            assert!(tree.write_text(path, "2").is_err(), "{path}");
        }
        tree.write_text("/etc/file", "3").unwrap();
        assert!(!root.join("real/etc/file").is_symlink(), "a link at the path itself is replaced");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
        assert_eq!(tree.read_text("etc/file", 100).unwrap(), "3");
        assert_eq!(tree.names("/etc"), ["file", "new"], "no unfinished file is left");
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_the_mode_stays() {
        let dir = tempfile::tempdir().unwrap();
        let tree = SystemTree::open(dir.path()).unwrap();
        tree.write_text("secret", "old").unwrap();
        fs::set_permissions(dir.path().join("secret"), fs::Permissions::from_mode(0o640)).unwrap();
        tree.write_file("secret", |_| Err(io::ErrorKind::TimedOut.into())).unwrap_err();
        assert_eq!(tree.read_text("secret", 100).unwrap(), "old");
        tree.write_text("secret", "new").unwrap();
        let metadata = fs::metadata(dir.path().join("secret")).unwrap();
        assert_eq!((metadata.permissions().mode() & 0o7777, metadata.len()), (0o640, 3));
        assert!(tree.exists("secret") && !tree.exists("other"));
        assert!(
            rustix::fs::mkfifoat(rustix::fs::CWD, dir.path().join("fifo"), Mode::from_raw_mode(0o600))
                .is_ok()
        );
        assert!(tree.read_text("fifo", 100).is_err(), "does not wait for a writer");
    }
}
