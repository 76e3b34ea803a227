//! The file formats of a virtual disk, `format="..."`.

/// A disk format, by the keyword of the description. `Raw` is always written first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum DiskFormat {
    /// The plain sectors.
    Raw,
    /// QEMU copy on write, version 2 or 3.
    Qcow2,
    /// QEMU copy on write, version 1.
    Qcow,
    /// VMware.
    Vmdk,
    /// VirtualBox.
    Vdi,
    /// Microsoft Virtual PC, `vpc` or today's `vhd`, dynamic.
    Vpc,
    /// Microsoft Virtual PC with a fixed size, `vhd-fixed`.
    VhdFixed,
    /// Microsoft Hyper-V.
    Vhdx,
    /// Parallels.
    Parallels,
}

impl DiskFormat {
    /// Every format with its keyword, the first keyword being the one we write.
    pub const WORDS: [(&'static str, DiskFormat); 11] = [
        ("raw", Self::Raw),
        ("qcow2", Self::Qcow2),
        ("qcow", Self::Qcow),
        ("vmdk", Self::Vmdk),
        ("vdi", Self::Vdi),
        ("vpc", Self::Vpc),
        ("vhd", Self::Vpc),
        ("vhd-fixed", Self::VhdFixed),
        ("vhdx", Self::Vhdx),
        ("parallels", Self::Parallels),
        ("qemu", Self::Raw),
    ];
    /// The format a keyword names.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == keyword).map(|(_, format)| *format)
    }
}
