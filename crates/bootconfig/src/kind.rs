//! The kinds of boot images.

/// The purpose of a boot image. Each kind has one file in `kind/` of linuxrc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A virtual disk; `vmxboot` in KIWI 1.x.
    Vmx,
    /// The same disk for physical machines; `oemboot`.
    Oem,
    /// A stick that contains a whole system; `usbboot`.
    Usb,
    /// A live system on a CD or a stick; `isoboot`.
    Iso,
    /// A medium that installs a system.
    Install,
    /// A machine that gets its system from a server; `netboot`.
    Netboot,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 6] = [Self::Vmx, Self::Oem, Self::Usb, Self::Iso, Self::Install, Self::Netboot];

    /// Returns the keyword of the image type, which `/kiwi.boot` uses, too.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Vmx => "vmx",
            Self::Oem => "oem",
            Self::Usb => "usb",
            Self::Iso => "iso",
            Self::Install => "install",
            Self::Netboot => "netboot",
        }
    }

    /// Returns all keywords, for messages.
    pub fn expected() -> String {
        Self::ALL.map(Self::keyword).join(", ")
    }

    /// Returns the kind with this keyword.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.keyword() == keyword)
    }
}
