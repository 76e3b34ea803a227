//! The distributions of which `kiwi init` writes descriptions.

use super::menu::MenuItem;

/// What the new system consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Debian 12.
    Debian12,
    /// Debian 13.
    Debian13,
    /// openSUSE Leap.
    Leap,
    /// openSUSE Tumbleweed.
    Tumbleweed,
    /// Fedora, or another distribution with dnf.
    Fedora,
}

impl MenuItem for Distribution {
    const ALL: &'static [Self] =
        &[Self::Debian12, Self::Debian13, Self::Leap, Self::Tumbleweed, Self::Fedora];

    fn keyword(self) -> &'static str {
        match self {
            Self::Debian12 => "debian-12",
            Self::Debian13 => "debian-13",
            Self::Leap => "opensuse-leap",
            Self::Tumbleweed => "opensuse-tumbleweed",
            Self::Fedora => "fedora",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Debian12 => "Debian 12",
            Self::Debian13 => "Debian 13",
            Self::Leap => "openSUSE Leap",
            Self::Tumbleweed => "openSUSE Tumbleweed",
            Self::Fedora => "Fedora",
        }
    }
}

impl Distribution {
    /// Returns the default source of packages; `None`: the user must specify one.
    pub(super) fn repository(self) -> Option<&'static str> {
        match self {
            Self::Debian12 => Some("debian://bookworm"),
            Self::Debian13 => Some("debian://trixie"),
            Self::Leap => Some("obs://openSUSE:Leap:15.6/standard"),
            Self::Tumbleweed => Some("obs://openSUSE:Factory/snapshot"),
            Self::Fedora => None,
        }
    }

    /// Returns the text, with `@NAME@` for each value to insert.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Debian12 | Self::Debian13 => include_str!("templates/debian.xml"),
            Self::Leap | Self::Tumbleweed => include_str!("templates/suse.xml"),
            Self::Fedora => include_str!("templates/fedora.xml"),
        }
    }

    /// Whether there are templates for all purposes; without them there is the server only.
    pub(super) fn is_debian(self) -> bool {
        matches!(self, Self::Debian12 | Self::Debian13)
    }

    /// Returns the service for remote logins.
    pub(super) fn ssh_service(self) -> &'static str {
        match self {
            Self::Debian12 | Self::Debian13 => "ssh",
            Self::Leap | Self::Tumbleweed | Self::Fedora => "sshd",
        }
    }

    /// Returns the group whose members may become root.
    pub(super) fn administrators(self) -> &'static str {
        match self {
            Self::Debian12 | Self::Debian13 => "sudo",
            Self::Leap | Self::Tumbleweed | Self::Fedora => "wheel",
        }
    }
}
