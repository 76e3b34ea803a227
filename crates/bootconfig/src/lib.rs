//! The data that kiwi, which builds images, and linuxrc, which boots them, exchange.
//!
//! Every format that one side writes and the other reads is implemented here once, with its parser and its writer: the
//! boot settings of an initrd (`config`), the kernel command line (`parameter`), the root device (`partition`), the
//! partitions of a disk (`storage`, `deployed`), the checksum file of an image (`checksum`), the names
//! of the files (`image_name`), the kinds of boot images (`kind`), the identity and checksum of CDs and sticks
//! (`medium`), the content of live media (`live`), the configuration of a network client (`client`) and the parameters of
//! its boot (`network_parameter`), the colours of boot menus (`menu_colors`).
//!
//! The crate is pure: text and bytes in, values out. It touches no file, clock, process or terminal.
#![forbid(unsafe_code)]

mod checksum;
mod chunk_index;
mod client;
mod combined;
mod config;
mod deployed;
mod image_name;
mod install;
mod install_choice;
mod install_source;
mod kind;
mod live;
mod medium;
pub mod menu_colors;
mod network_parameter;
mod parameter;
mod partition;
mod plain_text;
mod signed_path;
mod storage;

pub use checksum::{Blocks, Checksum, ChecksumError, Digester};
pub use chunk_index::{Chunk, ChunkIndex, ChunkIndexError, ChunkSizes};
pub use client::{
    ClientConfig, ClientConfigError, ClientKey, Compression, FileEntry, ImageEntry, LOOKUP_DIRECTORY,
    MacAddress, MacAddressError, NbdRoot, NbdSwap, NfsRoot, Registration, RegistrationError, SyncFile,
    UPLOAD_DIRECTORY, UnionDevices, config_names,
};
pub use combined::{MOVED, MOVED_PERSISTENT, MOVED_READ_ONLY, MOVED_TEMPORARY, READ_ONLY_PART};
pub use config::{BootConfig, ConfigError, is_public_key};
pub use deployed::{Deployed, DeployedPartition, DeployedSize};
pub use image_name::ImageName;
pub use install::{InstallConfig, InstallConfigError};
pub use install_choice::InstallChoice;
pub use install_source::{InstallSource, SourceServer};
pub use kind::Kind;
pub use live::{LiveConfig, LiveConfigError, LiveParameters, Union};
pub use medium::{DESCRIPTOR, MediumDigester, MediumSum, SECTOR, Volume};
pub use network_parameter::{AliasPrompt, NetParameters, NetParametersError, ServerType, StaticAddress};
pub use parameter::{BootParameters, ParameterError, Parameters};
pub use partition::{RootDevice, RootDeviceError, partition_name, search_order};
pub use signed_path::{is_trusted_for, trusted_comment};
pub use storage::{
    Content, FilesystemContent, FirstBoot, FstabLine, LEAST_PARTITION, Mount, NO_MOUNT, Partition,
    PlannedSize, Scheme, Storage, StorageError, Table, created_filesystem, fat_uuid,
};
