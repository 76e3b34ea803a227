//! The descriptions that `kiwi init` can start with.

use description::PackageManager;

/// A description to start with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// Debian 12.
    Debian12,
    /// Debian 13.
    Debian13,
    /// openSUSE Leap.
    Leap,
    /// openSUSE Tumbleweed.
    Tumbleweed,
    /// Fedora, or another system whose packages dnf installs.
    Fedora,
}

impl Template {
    /// Every template, in the order in which they are offered.
    pub const ALL: [Template; 5] =
        [Self::Debian12, Self::Debian13, Self::Leap, Self::Tumbleweed, Self::Fedora];

    /// Its keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Debian12 => "debian-12",
            Self::Debian13 => "debian-13",
            Self::Leap => "opensuse-leap",
            Self::Tumbleweed => "opensuse-tumbleweed",
            Self::Fedora => "fedora",
        }
    }

    /// What it describes.
    pub fn title(self) -> &'static str {
        match self {
            Self::Debian12 => "A small Debian 12 server",
            Self::Debian13 => "A small Debian 13 server",
            Self::Leap => "A small openSUSE Leap server",
            Self::Tumbleweed => "A small openSUSE Tumbleweed server",
            Self::Fedora => "A small Fedora server",
        }
    }

    /// Reads its keyword.
    ///
    /// # Errors
    ///
    /// What keywords there are.
    pub fn parse(keyword: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|template| template.keyword() == keyword);
        found.ok_or_else(|| format!("expected one of {}", Self::keywords()))
    }

    /// All keywords, for messages.
    pub fn keywords() -> String {
        Self::ALL.map(Self::keyword).join(", ")
    }

    /// Where its packages come from; none: the user has to say.
    pub(super) fn repository(self) -> Option<&'static str> {
        match self {
            Self::Debian12 => Some("debian://bookworm"),
            Self::Debian13 => Some("debian://trixie"),
            Self::Leap => Some("obs://openSUSE:Leap:15.6/standard"),
            Self::Tumbleweed => Some("obs://openSUSE:Factory/snapshot"),
            Self::Fedora => None,
        }
    }

    /// Its text, with `@NAME@` where something is put in.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Debian12 | Self::Debian13 => include_str!("templates/debian.xml"),
            Self::Leap | Self::Tumbleweed => include_str!("templates/suse.xml"),
            Self::Fedora => include_str!("templates/fedora.xml"),
        }
    }

    /// Returns the package manager that its description names.
    pub(super) fn package_manager(self) -> PackageManager {
        match self {
            Self::Debian12 | Self::Debian13 => PackageManager::Apt,
            Self::Leap | Self::Tumbleweed => PackageManager::Zypper,
            Self::Fedora => PackageManager::Dnf,
        }
    }

    /// The service that lets people log in from elsewhere.
    pub(super) fn ssh_service(self) -> &'static str {
        match self {
            Self::Debian12 | Self::Debian13 => "ssh",
            Self::Leap | Self::Tumbleweed | Self::Fedora => "sshd",
        }
    }

    /// The group whose members may become root.
    pub(super) fn administrators(self) -> &'static str {
        match self {
            Self::Debian12 | Self::Debian13 => "sudo",
            Self::Leap | Self::Tumbleweed | Self::Fedora => "wheel",
        }
    }
}
