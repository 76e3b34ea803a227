//! SUSE Linux Enterprise, openSUSE and their derivatives.

use super::rpm;
use super::{Facts, RepositoryFile};

pub(super) const FACTS: Facts = Facts {
    name: "SUSE",
    ids: &["suse", "opensuse", "opensuse-leap", "opensuse-tumbleweed", "sles", "sled"],
    architecture: rpm::architecture,
    kernel_packages: &["kernel-default", "kernel-default-base"],
    secure_boot_packages: &["shim", "grub2-x86_64-efi"],
    user_package: "shadow",
    locale_package: "glibc-locale",
    package_scripts: rpm::PACKAGE_SCRIPTS,
    leftovers: rpm::LEFTOVERS,
    secrets: rpm::SECRETS,
    repository_file: RepositoryFile {
        path: "etc/zypp/repos.d/kiwi.repo",
        replaces: &[],
        directory: "etc/zypp",
        keys: rpm::KEYS,
        text: rpm::repository_text,
    },
    rpm_database: Some("usr/lib/sysimage/rpm"),
};
