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
    /// Google Compute Engine: the plain sectors in a compressed archive.
    Gce,
    /// A machine for VMware and others: an archive of its description and a VMDK.
    Ova,
    /// Vagrant boxes.
    Vagrant,
}

/// How a VMDK stores its sectors, `<vmdisk diskmode>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum DiskMode {
    /// One file that grows.
    MonolithicSparse,
    /// A descriptor and one file with all sectors.
    MonolithicFlat,
    /// A descriptor and files of up to 2 GB that grow.
    TwoGbMaxExtentSparse,
    /// A descriptor and files of up to 2 GB with all sectors.
    TwoGbMaxExtentFlat,
    /// One compressed file that is written and read from its start to its end.
    StreamOptimized,
}

impl DiskMode {
    const ALL: [Self; 5] = [
        Self::MonolithicSparse,
        Self::MonolithicFlat,
        Self::TwoGbMaxExtentSparse,
        Self::TwoGbMaxExtentFlat,
        Self::StreamOptimized,
    ];

    /// Returns its keyword in descriptions and VMDK files.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::MonolithicSparse => "monolithicSparse",
            Self::MonolithicFlat => "monolithicFlat",
            Self::TwoGbMaxExtentSparse => "twoGbMaxExtentSparse",
            Self::TwoGbMaxExtentFlat => "twoGbMaxExtentFlat",
            Self::StreamOptimized => "streamOptimized",
        }
    }

    /// Returns the mode that a keyword names.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.keyword() == keyword)
    }
}

/// A Vagrant box, `<vagrantconfig>`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct VagrantBox {
    /// The machines that it is for.
    pub provider: VagrantProvider,
    /// `virtualsize`, in gibibytes.
    pub size: u64,
    /// `boxname`; none: the name of the image.
    pub name: Option<String>,
    /// `virtualbox_guest_additions_present`: whether the system shares directories with VirtualBox.
    pub guest_additions: bool,
    /// `embedded_vagrantfile`: a file beside the description that the box contains.
    pub vagrantfile: Option<String>,
}

/// The machines of a Vagrant box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum VagrantProvider {
    /// QEMU, by libvirt.
    Libvirt,
    /// VirtualBox.
    VirtualBox,
}

impl VagrantProvider {
    /// Returns its keyword in descriptions and in Vagrant.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Libvirt => "libvirt",
            Self::VirtualBox => "virtualbox",
        }
    }

    /// Returns the provider that a keyword names.
    pub fn parse(keyword: &str) -> Option<Self> {
        [Self::Libvirt, Self::VirtualBox].into_iter().find(|provider| provider.keyword() == keyword)
    }
}

impl DiskFormat {
    /// Every format with its keyword, the first keyword being the one we write.
    pub const WORDS: [(&'static str, DiskFormat); 14] = [
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
        ("gce", Self::Gce),
        ("ova", Self::Ova),
        ("vagrant", Self::Vagrant),
    ];
    /// The format a keyword names.
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == keyword).map(|(_, format)| *format)
    }
}
