//! Fedora and its derivatives.

use super::rpm;
use super::{Facts, RepositoryFile};

pub(super) const FACTS: Facts = Facts {
    name: "Fedora",
    ids: &["fedora"],
    architecture: rpm::architecture,
    kernel_packages: &["kernel", "kernel-core"],
    secure_boot_packages: &["shim-x64", "grub2-efi-x64"],
    user_package: "shadow-utils",
    locale_package: "glibc-langpack-en",
    package_scripts: rpm::PACKAGE_SCRIPTS,
    leftovers: rpm::LEFTOVERS,
    secrets: rpm::SECRETS,
    repository_file: RepositoryFile {
        path: "etc/yum.repos.d/kiwi.repo",
        replaces: &[],
        directory: "etc",
        keys: rpm::KEYS,
        text: rpm::repository_text,
    },
    rpm_database: Some("usr/lib/sysimage/rpm"),
};
