//! Kernel modules of a boot image.

/// The type of a driver section: the directory of its file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub enum DriverKind {
    /// Relative to `kernel/`.
    Drivers,
    /// Relative to `kernel/drivers/net`.
    Net,
    /// Relative to `kernel/drivers/usb`, or to `kernel/drivers` (both are tried).
    Usb,
    /// Relative to `kernel/drivers/scsi`.
    Scsi,
}

impl DriverKind {
    /// Every kind.
    pub const ALL: [DriverKind; 4] = [Self::Drivers, Self::Net, Self::Usb, Self::Scsi];

    /// Returns the kind for a keyword.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.keyword() == keyword)
    }

    /// Returns the keyword of the description, which is also the variable's name in `.profile`.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Drivers => "drivers",
            Self::Net => "netdrivers",
            Self::Usb => "usbdrivers",
            Self::Scsi => "scsidrivers",
        }
    }
}

/// All driver files of one kind.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Drivers {
    /// The directory of the names.
    pub kind: DriverKind,
    /// File names; one that ends in `/*` means the whole directory.
    pub files: Vec<String>,
}
