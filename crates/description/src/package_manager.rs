//! The package managers a description can name.

use crate::RepositoryType;

/// A package manager, by the keyword of the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum PackageManager {
    /// smart, the default of KIWI 1.x.
    Smart,
    /// zypper
    Zypper,
    /// apt (also `apt-get`, an extension to schema 1.4)
    Apt,
    /// dnf 4 (`dnf4`, also `dnf`)
    Dnf,
    /// dnf 5
    Dnf5,
    /// microdnf, a small dnf for containers
    Microdnf,
    /// yum, which dnf replaced
    Yum,
}

impl PackageManager {
    /// Every keyword with its meaning; the first keyword of a manager is its canonical one.
    pub const WORDS: [(&'static str, PackageManager); 9] = [
        ("smart", Self::Smart),
        ("zypper", Self::Zypper),
        ("apt", Self::Apt),
        ("apt-get", Self::Apt),
        ("dnf", Self::Dnf),
        ("dnf4", Self::Dnf),
        ("dnf5", Self::Dnf5),
        ("microdnf", Self::Microdnf),
        ("yum", Self::Yum),
    ];

    /// Returns the package manager for a keyword.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == keyword).map(|(_, manager)| *manager)
    }

    /// Returns the type of a repository without `type`, if the package manager has one for all of them.
    pub(crate) fn repository_type(self) -> Option<RepositoryType> {
        match self {
            Self::Apt => Some(RepositoryType::AptDeb),
            Self::Smart | Self::Zypper | Self::Dnf | Self::Dnf5 | Self::Microdnf | Self::Yum => None,
        }
    }

    /// Returns the canonical keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Smart => "smart",
            Self::Zypper => "zypper",
            Self::Apt => "apt",
            Self::Dnf => "dnf",
            Self::Dnf5 => "dnf5",
            Self::Microdnf => "microdnf",
            Self::Yum => "yum",
        }
    }
}
