//! Families of distributions: the properties of the trees and repositories of a family, as data.
//!
//! The module `package_manager` installs packages in a tree. A new family is a file with its [`Facts`] and a row of
//! `families!`; every field is required.

pub(crate) mod debian;
mod fedora;
mod rhel;
mod rpm;
mod secret;
mod suse;

pub(crate) use debian::documentation::exclude as exclude_documentation;
use std::path::PathBuf;

use anyhow::Result;
use description::Architecture;
use serde::Serialize;

pub(crate) use secret::{Renew, SecretKind, Unit};

use crate::root_tree::RootTree;

/// Declares the families, each with its facts, so that none can be missing from [`Distribution::ALL`].
macro_rules! families {
    ($($(#[$doc:meta])* $family:ident => $facts:path,)+) => {
        /// A family of distributions that this version of kiwi builds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub(crate) enum Distribution {
            $($(#[$doc])* $family,)+
        }

        impl Distribution {
            /// All families.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$family),+];

            /// Returns the properties of this family.
            pub(crate) fn facts(self) -> &'static Facts {
                match self {
                    $(Self::$family => &$facts,)+
                }
            }
        }
    };
}

families! {
    /// Debian and its derivatives.
    Debian => debian::FACTS,
    /// SUSE and its derivatives.
    Suse => suse::FACTS,
    /// Red Hat Enterprise Linux and its derivatives, which also name `fedora` in `ID_LIKE`.
    Rhel => rhel::FACTS,
    /// Fedora and its derivatives.
    Fedora => fedora::FACTS,
}

/// The properties that differ between families.
pub(crate) struct Facts {
    /// The name of the family, for messages.
    pub(crate) name: &'static str,
    /// Values of `ID` and `ID_LIKE` in `os-release`.
    pub(crate) ids: &'static [&'static str],
    /// Returns the family's name of an architecture.
    pub(crate) architecture: fn(&Architecture) -> &str,
    /// Packages of which one provides a kernel.
    pub(crate) kernel_packages: &'static [&'static str],
    /// The packages with a signed shim and GRUB.
    pub(crate) secure_boot_packages: &'static [&'static str],
    /// The package that provides `useradd`.
    pub(crate) user_package: &'static str,
    /// The package that provides the data of locales.
    pub(crate) locale_package: &'static str,
    /// Conventions for running package scripts during a build.
    pub(crate) package_scripts: PackageScripts,
    /// Files that a build leaves in a tree and that are not part of the system.
    pub(crate) leftovers: Leftovers,
    /// Files that must differ between machines.
    pub(crate) secrets: &'static [SecretKind],
    /// The file that lists the repositories of an image.
    pub(crate) repository_file: RepositoryFile,
    /// The directory of rpm's database, unless the tree's own rpm has another one.
    pub(crate) rpm_database: Option<&'static str>,
}

/// Conventions for the scripts of packages.
pub(crate) struct PackageScripts {
    /// Variables that keep scripts from asking questions and from building a boot image.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    /// Variables that keep any program from asking questions; scripts of a description get them, too.
    pub(crate) unattended: &'static [(&'static str, &'static str)],
    /// Path and text of the program that forbids scripts to start services.
    pub(crate) service_guard: Option<(&'static str, &'static str)>,
    /// Programs that are replaced while packages are installed, each with the text of its replacement.
    pub(crate) held_back: &'static [(&'static str, &'static str)],
    /// Links of the root directory into `usr/`, which must exist before the first package is unpacked.
    pub(crate) merged_directories: &'static [&'static str],
}

/// Files that only record when and where a tree was built, or that can be downloaded again.
pub(crate) struct Leftovers {
    /// Logs and backups.
    pub(crate) removed: &'static [&'static str],
    /// Files that the package manager creates again.
    pub(crate) caches: &'static [&'static str],
    /// Directories of such files, which are emptied.
    pub(crate) cache_directories: &'static [&'static str],
}

/// The file in which a family lists the repositories of a system.
pub(crate) struct RepositoryFile {
    /// The file that kiwi writes.
    pub(crate) path: &'static str,
    /// Files that it replaces.
    pub(crate) replaces: &'static [&'static str],
    /// The directory of the file; nothing is written if the tree does not have it.
    pub(crate) directory: &'static str,
    /// The directory of the keys of repositories.
    pub(crate) keys: &'static str,
    /// Returns the text of the file; `None` if the tree, which the second argument reads, does not document the URLs of
    /// the public archives.
    pub(crate) text: fn(&[&ImageRepository], ReadFile<'_>) -> Option<String>,
}

/// Returns the text of a file of a tree; `None` if it does not exist.
pub(crate) type ReadFile<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A repository in the configuration of the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageRepository {
    /// A public URL, never a mirror of the build host.
    pub location: String,
    /// The suites.
    pub suites: Vec<String>,
    /// The components; empty for a flat repository.
    pub components: Vec<String>,
    /// The keyring in the image that signs it; `None` for the keys that the system trusts.
    pub keyring: Option<PathBuf>,
    /// Keys that the description specifies for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<ImageKey>,
    /// Its name in the description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Its priority in the description; a lower number is preferred by zypper and dnf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// The keyword for a list of mirrors, if the location is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirrors: Option<&'static str>,
    /// Whether the signature of its metadata is checked, if the description decides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checks_metadata: Option<bool>,
    /// Whether the signature of each package is checked, if the description decides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checks_packages: Option<bool>,
}

/// A signing key of a repository in the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageKey {
    /// The name of its file, which says in which form it is.
    pub name: String,
    /// The content of the file.
    pub bytes: Vec<u8>,
}

impl Leftovers {
    /// Removes files that the package manager can create or download again.
    pub(crate) fn clear_caches(&self, tree: &RootTree) -> Result<()> {
        self.cache_directories.iter().try_for_each(|directory| tree.clear_dir(directory))?;
        self.caches.iter().try_for_each(|path| tree.remove(path))
    }
}

impl Distribution {
    /// Returns the family of a tree by its `os-release`; `None` if the file is missing or the family is unknown.
    pub(crate) fn detect(tree: &RootTree) -> Option<Self> {
        let files = ["etc/os-release", "usr/lib/os-release"];
        let text = files.iter().find_map(|file| tree.read_text(file).ok())?;
        let words = |key: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            value.unwrap_or_default().trim_matches(['"', '\'']).split_whitespace().map(str::to_owned)
        };
        words("ID")
            .chain(words("ID_LIKE"))
            .find_map(|id| Self::ALL.iter().copied().find(|family| family.facts().ids.contains(&id.as_str())))
    }

    /// Returns "PACKAGE on FAMILY" for the family of the tree, or for each family if that of the tree is unknown.
    pub(crate) fn package_hint(tree: &RootTree, packages: fn(&Facts) -> String) -> String {
        let hint = |family: &Self| format!("{} on {}", packages(family.facts()), family.facts().name);
        match Self::detect(tree) {
            Some(family) => hint(&family),
            None => Self::ALL.iter().map(hint).collect::<Vec<_>>().join(", "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(os_release: Option<&str>) -> Option<Distribution> {
        let directory = tempfile::tempdir().unwrap();
        let tree = RootTree::merged(directory.path()).unwrap();
        if let Some(text) = os_release {
            tree.write("usr/lib/os-release", text, 0o644).unwrap();
        }
        Distribution::detect(&tree)
    }

    #[test]
    fn detects_a_family_by_id_and_id_like() {
        assert_eq!(detected(Some("NAME=\"Debian\"\nID=debian\n")), Some(Distribution::Debian));
        assert_eq!(detected(Some("ID=mint\nID_LIKE=\"ubuntu debian\"\n")), Some(Distribution::Debian));
        assert_eq!(
            detected(Some("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n")),
            Some(Distribution::Suse)
        );
        assert_eq!(
            detected(Some("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n")),
            Some(Distribution::Rhel)
        );
        assert_eq!(detected(Some("ID=nobara\nID_LIKE=fedora\n")), Some(Distribution::Fedora));
        assert_eq!(detected(Some("ID=arch\n")), None);
        assert_eq!(detected(None), None);
    }

    #[test]
    fn every_family_is_listed_once_under_its_own_ids() {
        let mut ids: Vec<&str> =
            Distribution::ALL.iter().flat_map(|family| family.facts().ids).copied().collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
