//! The kinds of boot images.

/// What a boot image is for. Each kind is one file below linuxrc's `kind/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A virtual disk; the chapter's `vmxboot`.
    Vmx,
    /// The same disk for real machines; `oemboot`, today's keyword for the type.
    Oem,
    /// A stick that carries a whole system; `usbboot`.
    Usb,
    /// A live system on a CD or a stick; `isoboot`.
    Iso,
    /// A medium that installs a system; `isoinstboot`.
    Install,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 5] = [Self::Vmx, Self::Oem, Self::Usb, Self::Iso, Self::Install];

    /// The keyword of the image type, which is also the one in `/kiwi.boot`.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Vmx => "vmx",
            Self::Oem => "oem",
            Self::Usb => "usb",
            Self::Iso => "iso",
            Self::Install => "install",
        }
    }

    /// The keywords, for messages.
    pub fn expected() -> String {
        Self::ALL.map(Self::keyword).join(", ")
    }

    /// The kind of this keyword.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.keyword() == keyword)
    }
}
