//! RPM repositories, made of the Debian packages of this machine by `tests/rpm/make-rpm-repo`. Its head lists the sets of
//! packages and the variants, each of which is a repository with one defect or feature.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::program::{checkout, clear, lock, scratch};

/// The programs that make a repository.
pub const PROGRAMS: [&str; 7] =
    ["python3", "apt-get", "dpkg-deb", "rpmbuild", "rpmsign", "createrepo_c", "gpg"];

/// A signed repository with its variants.
#[derive(Debug)]
pub struct Repository {
    directory: PathBuf,
}

/// Returns a repository of two dozen packages: shells with all that they need, `hello` and `tree`. They have no scripts, because
/// Debian's scripts need the whole base system.
pub fn small() -> Repository {
    let options = ["--no-base", "--scripts", "none"];
    Repository::made("rpm-small", &[&options[..], &["hello", "tree", "bash", "dash", "libc-bin"]].concat())
}

/// Returns a repository of a system that boots, with the patterns `base`, `minimal_base` and `bootable`.
pub fn bootable() -> Repository {
    Repository::made("rpm-bootable", &["@bootable", "busybox-static", "cron"])
}

impl Repository {
    /// Makes a repository below the target directory, or takes the one of an earlier run with the same generator and arguments.
    ///
    /// # Panics
    ///
    /// If the generator fails.
    fn made(name: &str, arguments: &[&str]) -> Self {
        let generator = checkout().join("tests/rpm/make-rpm-repo");
        let mut hash = Sha256::new();
        hash.update(fs::read(&generator).expect("the generator of RPM repositories"));
        hash.update(arguments.join(" "));
        let key: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();

        let (directory, stamp) = (scratch(name), scratch(&format!("{name}.key")));
        // Repositories share the downloaded packages.
        let _lock = lock("rpm");
        if fs::read_to_string(&stamp).is_ok_and(|text| text == key) {
            return Self { directory };
        }
        let _ = fs::remove_file(&stamp);
        clear(&directory);
        let mut command = Command::new(&generator);
        command.arg("--cache").arg(scratch("rpm-cache")).args(["--sign", "--variants"]).arg(&directory);
        let output = command.args(arguments).output().expect("the generator of RPM repositories starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::write(&stamp, key).expect("a stamp below the target directory");
        Self { directory }
    }

    /// Returns its directory.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Returns the directory of a variant.
    ///
    /// # Panics
    ///
    /// If there is no such variant.
    pub fn variant(&self, name: &str) -> PathBuf {
        let directory = self.directory.join("variants").join(name);
        assert!(directory.is_dir(), "{} is missing", directory.display());
        directory
    }

    /// Returns the public key that signs it.
    pub fn key(&self) -> PathBuf {
        self.directory.join("RPM-GPG-KEY-test")
    }

    /// Returns the public key that signs only the package of the variant `wrong-key`.
    pub fn other_key(&self) -> PathBuf {
        self.directory.join("RPM-GPG-KEY-other")
    }
}
