//! `<deploy>`: partitions and configuration of a machine for network clients and installers.

/// The section.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Deploy {
    /// TFTP server (default 192.168.1.1).
    pub server: String,
    /// TFTP block size in bytes (default 4096).
    pub block_size: u32,
    /// `partitions/@device`.
    pub device: Option<String>,
    /// Partitions in the order of their numbers.
    pub partitions: Vec<Partition>,
    /// `<union>`.
    pub union: Option<Union>,
    /// `<configuration>` entries.
    pub configurations: Vec<Configuration>,
    /// `<timeout>`, `<commandline>`, `<kernel>`, `<initrd>` of late 1.4.
    pub timeout: Option<u32>,
    /// Kernel options.
    pub command_line: Option<String>,
    /// Kernel path on the server.
    pub kernel: Option<String>,
    /// Initrd path on the server.
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

/// The union file system; both keywords mean overlayfs with today's kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum UnionType {
    /// aufs
    Aufs,
    /// unionfs
    Unionfs,
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
}
