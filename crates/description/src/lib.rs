//! Reads KIWI image descriptions: text in, a valid model or positioned diagnostics out.
//!
//! ```text
//! config.xml text -> Document (elements with spans) -> upgrade (canonical keywords) -> decode -> Description
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
mod deprecated;
mod description;
mod diagnostic;
mod disk_format;
mod document;
mod drivers;
mod encoding;
mod format;
#[cfg(test)]
mod generated;
mod image_type;
mod include;
mod load;
mod mapping;
mod names;
mod oem;
mod package_list;
mod package_manager;
mod packages;
mod preferences;
mod profile;
mod redact;
mod repository;
mod rules;
mod schema;
mod schema_version;
mod select;
mod select_profiles;
mod selection;
mod size;
mod split;
mod suggest;
mod unsupported;
mod upgrade;
mod users;
pub mod vocabulary;
mod without_effect;
mod xml;

pub use architecture::{Architecture, ArchitectureList};
pub use bootloader::{Bootloader, BootloaderName, Console, Firmware, Input};
pub use convert::{Conversion, Converted, Dialect};
pub use decode::type_variables;
pub use deploy::{Configuration, Deploy, Partition, PartitionSize, Union, UnionType};
pub use description::{Description, Inherit, TypeEntry};
pub use diagnostic::{Diagnostic, Diagnostics, Severity, SourceFile, Span};
pub use disk_format::{DiskFormat, DiskMode, VagrantBox, VagrantProvider};
pub use drivers::{DriverKind, Drivers};
pub use encoding::{declare_utf_8, decode};
pub use format::Format;
pub use image_type::*;
pub use include::Loader;
pub use load::Parsed;
pub use mapping::{Key, Kind as NodeKind, Node, yaml_values};
pub use names::{ImageName, PackageName, PatternName, ProfileName, UserName, Version};
pub use oem::Oem;
pub use package_manager::PackageManager;
pub use packages::{DescriptionArchive, DescriptionFile, Package, PackageSet, PatternType, Positions};
pub use preferences::Settings;
pub use profile::{Profile, Requirement};
pub use repository::{Origin, Repository, RepositoryStatus, RepositoryType, SourcePath, SourceType};
pub use schema_version::SchemaVersion;
pub use select::TypeBuild;
pub use selection::{Bills, Choice, DescriptionKind, Reports, Selection};
pub use size::SizeRule;
pub use split::{SplitFiles, SplitList};
pub use suggest::nearest;
pub use unsupported::NOT_BUILT;
pub use users::{Group, Password, User};
