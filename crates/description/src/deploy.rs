//! `<deploy>`: partitions and configuration of a machine for network clients and installers.

/// The section.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Deploy {
    /// The server; none: the one that the client finds.
    pub server: Option<String>,
    /// TFTP block size in bytes; none: the client's default.
    pub block_size: Option<u32>,
    /// `partitions/@device`.
    pub device: Option<String>,
    /// Partitions in the order of their numbers.
    pub partitions: Vec<Partition>,
    /// `<union>`.
    pub union: Option<Union>,
    /// `<configuration>` entries.
    pub configurations: Vec<Configuration>,
    /// `<timeout>`: seconds that the boot menu of the disk is shown.
    pub timeout: Option<u32>,
    /// `<commandline>`: kernel parameters of boots from the disk.
    pub command_line: Option<String>,
    /// `<kernel>`: path on the server of the kernel of boots from the disk.
    pub kernel: Option<String>,
    /// `<initrd>`: path on the server of their boot image.
    pub initrd: Option<String>,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Partition {
    /// Type as sfdisk names it, or containing `swap` or `linux`.
    pub kind: String,
    /// Its number.
    pub number: u32,
    /// Its size.
    pub size: PartitionSize,
    /// Its mount point in the system.
    pub mountpoint: Option<String>,
    /// Whether it receives the system image.
    pub target: bool,
}

/// Size of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum PartitionSize {
    /// `x`: the rest of the disk.
    Rest,
    /// `image`: the size of the system image.
    Image,
    /// A number of mebibytes.
    Fixed(ondisk::Mebibytes),
}

/// The union file system; all keywords mean overlayfs with today's kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum UnionType {
    /// aufs
    Aufs,
    /// unionfs
    Unionfs,
    /// overlayfs
    Overlay,
}

/// A read-only system below a writable layer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Union {
    /// Writable device.
    pub read_write: String,
    /// Read-only device.
    pub read_only: String,
    /// The union file system.
    pub kind: UnionType,
}

/// A file that the client downloads.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Configuration {
    /// Path on the server.
    pub source: String,
    /// Path on the client.
    pub destination: String,
    /// The architectures of the clients.
    pub architectures: crate::ArchitectureList,
}
