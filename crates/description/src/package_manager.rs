//! The package managers a description can name.

/// A package manager, by the keyword of the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum PackageManager {
    /// smart, the default of KIWI 1.x.
    Smart,
    /// zypper
    Zypper,
    /// apt (also `apt-get`, an extension to schema 1.4)
    Apt,
    /// dnf (also `yum`, `dnf4`, `dnf5`; an extension to schema 1.4)
    Dnf,
}

impl PackageManager {
    /// Every keyword with its meaning; the first keyword of a manager is its canonical one.
    pub const WORDS: [(&'static str, PackageManager); 8] = [
        ("smart", Self::Smart),
        ("zypper", Self::Zypper),
        ("apt", Self::Apt),
        ("apt-get", Self::Apt),
        ("dnf", Self::Dnf),
        ("dnf4", Self::Dnf),
        ("dnf5", Self::Dnf),
        ("yum", Self::Dnf),
    ];

    /// Returns the package manager for a keyword.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == keyword).map(|(_, manager)| *manager)
    }

    /// Returns the canonical keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Smart => "smart",
            Self::Zypper => "zypper",
            Self::Apt => "apt",
            Self::Dnf => "dnf",
        }
    }
}
