//! Reads KIWI image descriptions: text in, a valid model or positioned diagnostics out.
//!
//! ```text
//! config.xml text -> Document (elements with spans) -> upgrade (canonical words) -> decode -> Description
//! Description + Choice (profiles, type, architecture) -> Selection
//! ```
//!
//! The crate is pure: it reads its arguments and nothing else. Loading files, looking up `inherit`ed descriptions
//! and every effect belong to the caller.

mod architecture;
mod bootloader;
mod check;
mod convert;
#[cfg(test)]
mod corpus;
mod decode;
mod deploy;
mod description;
mod diagnostic;
mod disk_format;
mod document;
mod drivers;
mod filesystem;
mod format;
#[cfg(test)]
mod generated;
mod image_type;
mod include;
mod mapping;
mod names;
mod not_built;
mod oem;
mod old_words;
mod package_list;
mod package_manager;
mod packages;
mod preferences;
mod profile;
mod repository;
mod rules;
mod schema;
mod select;
mod selection;
mod size;
mod split;
mod suggest;
mod upgrade;
mod users;
pub mod vocabulary;
mod words;
mod xml;

pub use architecture::{Architecture, ArchitectureList};
pub use bootloader::{Bootloader, BootloaderName, Console, Firmware};
pub use convert::{Conversion, Converted};
pub use deploy::{Configuration, Deploy, Partition, PartitionSize, Union, UnionType};
pub use description::{Description, Inherit, Parsed, TypeEntry};
pub use diagnostic::{Diagnostic, Diagnostics, Severity, SourceFile, Span};
pub use disk_format::DiskFormat;
pub use drivers::{DriverKind, Drivers};
pub use filesystem::{Filesystem, SplitFilesystems};
pub use format::Format;
pub use image_type::{
    BootImage, Disk, DiskWord, FilesystemImage, ImageType, Iso, IsoLayout, Machine, Pxe, Usb, Xen,
};
pub use include::Loader;
pub use names::{ImageName, PackageName, PatternName, ProfileName, UserName, Version};
pub use oem::Oem;
pub use package_manager::PackageManager;
pub use packages::{Package, PackageSet, PatternType};
pub use preferences::Settings;
pub use profile::{Profile, Requirement};
pub use repository::{Repository, RepositoryStatus, RepositoryType, SourcePath};
pub use schema::SchemaVersion;
pub use selection::{Choice, DescriptionKind, Selection};
pub use size::{Bytes, Mebibytes, SizeRule};
pub use split::Split;
pub use suggest::nearest;
pub use users::{Password, User};
