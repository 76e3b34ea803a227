//! The directory into which results are published: opened once, so that nobody who can rename its parents sends them elsewhere.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat, renameat};
use rustix::io::Errno;

use super::Host;

/// An open directory of results.
#[derive(Debug)]
pub struct Destination {
    path: PathBuf,
    directory: File,
}

impl Host {
    /// Opens the directory at `path`. A link there is followed: it is the caller's own.
    pub fn destination(&self, path: &Path) -> io::Result<Destination> {
        let directory = openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Destination { path: path.to_owned(), directory: directory.into() })
    }

    /// Gives a file its final name in a directory, replacing an existing file; returns its path. Fails if another directory is at the
    /// path of this one by now: the result is in the directory that was there before.
    pub fn publish(&self, from: &Path, name: &str, destination: &Destination) -> io::Result<PathBuf> {
        renameat(CWD, from, &destination.directory, name)?;
        self.leftovers.forget(from);
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let opened = identity(destination.directory.metadata()?);
        if std::fs::metadata(&destination.path).map(identity).ok() != Some(opened) {
            return Err(io::Error::other(format!(
                "the directory {} was moved or replaced during the build; the result is in the directory that was there before",
                destination.path.display()
            )));
        }
        Ok(destination.path.join(name))
    }
}

impl Destination {
    /// Returns its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the directory again.
    pub fn again(&self) -> io::Result<Self> {
        Ok(Self { path: self.path.clone(), directory: self.directory.try_clone()? })
    }

    /// Creates, if necessary, and opens a directory inside. A link is an error ([`Errno::NOTDIR`] or [`Errno::LOOP`]).
    pub fn inside(&self, name: &str) -> io::Result<Self> {
        match mkdirat(&self.directory, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = openat(&self.directory, name, flags, Mode::empty())?;
        Ok(Self { path: self.path.join(name), directory: directory.into() })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::host::Output;

    #[test]
    fn a_result_goes_to_the_directory_that_was_opened() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["images", "elsewhere"] {
            fs::create_dir(path(name)).unwrap();
        }
        let host = Host::new(Output::Quiet);
        let destination = host.destination(&path("images")).unwrap();
        let publish = |name: &str| {
            fs::write(path("unfinished"), name).unwrap();
            host.publish(&path("unfinished"), name, &destination)
        };
        assert_eq!(publish("one").unwrap(), path("images/one"));
        fs::rename(path("images"), path("moved")).unwrap();
        symlink(path("elsewhere"), path("images")).unwrap();
        assert!(publish("two").unwrap_err().to_string().contains("images was moved or replaced"));
        assert!(path("moved/two").exists() && fs::read_dir(path("elsewhere")).unwrap().next().is_none());
    }

    #[test]
    fn a_directory_of_a_type_is_not_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let destination = Host::new(Output::Quiet).destination(directory.path()).unwrap();
        for _ in 0..2 {
            assert_eq!(destination.inside("iso").unwrap().path(), directory.path().join("iso"));
        }
        symlink("/tmp", directory.path().join("oem")).unwrap();
        assert!(destination.inside("oem").is_err());
    }
}
