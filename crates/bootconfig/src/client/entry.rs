//! The entries of `IMAGE`, `CONF`, `SYNC` and `UNIONFS_CONFIG`.

use std::fmt;

use crate::live::Union;

/// How an image is compressed on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// gzip; `compressed` in KIWI 1.x.
    Gzip,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// Every compression.
    pub const ALL: [Self; 3] = [Self::Gzip, Self::Xz, Self::Zstd];

    /// Returns the keyword in `IMAGE`.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Gzip => "compressed",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }

    /// Returns the ending of the names of compressed files, with its dot.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Xz => ".xz",
            Self::Zstd => ".zst",
        }
    }

    /// Returns the compression with this keyword; `gzip` is another name for `compressed`.
    pub fn parse(keyword: &str) -> Option<Self> {
        match keyword {
            "gzip" => Some(Self::Gzip),
            keyword => Self::ALL.into_iter().find(|compression| compression.keyword() == keyword),
        }
    }
}

/// An image and the device that it is written to: `device;name;version;server;blocksize;compression`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageEntry {
    /// The device, without `/dev/`.
    pub device: String,
    /// The name of the image with its architecture: `minimal.x86_64`.
    pub name: String,
    /// The version; empty when the name has none.
    pub version: String,
    /// The server; none: the one that the configuration came from.
    pub server: Option<String>,
    /// The block size of TFTP in bytes.
    pub block_size: Option<u32>,
    /// The compression of the file on the server.
    pub compressed: Option<Compression>,
}

impl ImageEntry {
    /// Returns the base name N of the image's files, `<name>-<version>`.
    pub fn file_name(&self) -> String {
        match self.version.as_str() {
            "" => self.name.clone(),
            version => format!("{}-{version}", self.name),
        }
    }

    /// Returns the path of the image on the server.
    pub fn image_path(&self) -> String {
        format!("image/{}{}", self.file_name(), self.compressed.map_or("", Compression::suffix))
    }

    /// Returns the path of the checksum file on the server. The checksum is that of the uncompressed image.
    pub fn checksum_path(&self) -> String {
        format!("image/{}.md5", self.file_name())
    }

    /// Returns whether the device is in memory (`ram1`).
    pub fn is_in_memory(&self) -> bool {
        let number = self.device.strip_prefix("ram");
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
    }
}

impl fmt::Display for ImageEntry {
    /// Writes the entry, without empty fields at its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without a known disk the device is empty, or only the number of a partition.
        let directory = if self.device.bytes().all(|c| c.is_ascii_digit()) { "" } else { "/dev/" };
        write!(f, "{directory}{};{};{}", self.device, self.name, self.version)?;
        write_server(f, self.server.as_deref(), self.block_size, self.compressed.is_some())?;
        self.compressed.map_or(Ok(()), |compression| write!(f, ";{}", compression.keyword()))
    }
}

/// Writes the fields for server and block size, unless nothing follows them.
fn write_server(
    f: &mut fmt::Formatter<'_>,
    server: Option<&str>,
    block_size: Option<u32>,
    followed: bool,
) -> fmt::Result {
    if server.is_none() && block_size.is_none() && !followed {
        return Ok(());
    }
    write!(f, ";{}", server.unwrap_or_default())?;
    match block_size {
        Some(size) => write!(f, ";{size}"),
        None if followed => f.write_str(";"),
        None => Ok(()),
    }
}

/// A file that is copied from the server into the system: `source;destination;server;blocksize`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// The path on the server.
    pub source: String,
    /// The path in the system.
    pub destination: String,
    /// The server; none: the one that the configuration came from.
    pub server: Option<String>,
    /// The block size of TFTP in bytes.
    pub block_size: Option<u32>,
}

impl fmt::Display for FileEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.source, self.destination)?;
        write_server(f, self.server.as_deref(), self.block_size, false)
    }
}

/// The file that announces a multicast download in the ancestor of KIWI 1.x: `file;server;blocksize`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncFile {
    /// The path on the server.
    pub file: String,
    /// The server.
    pub server: Option<String>,
    /// The block size of TFTP in bytes.
    pub block_size: Option<u32>,
}

impl fmt::Display for SyncFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        write_server(f, self.server.as_deref(), self.block_size, false)
    }
}

/// A read-only system and the device of its writable layer: `rw,ro,type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnionDevices {
    /// The device of the writable layer, without `/dev/`.
    pub read_write: String,
    /// The device of the read-only system, without `/dev/`.
    pub read_only: String,
    /// The union file system.
    pub kind: Union,
}

impl fmt::Display for UnionDevices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/dev/{},/dev/{},{}", self.read_write, self.read_only, self.kind.keyword())
    }
}
