//! Builds bootable Linux system images from a description: a library and one program.
//!
//! ```text
//! description text -> Description -> Selection -> plan -> stages -> Artifacts
//!   operation (one file per operation)
//!     prepare (packages, overlay, scripts -> root tree)
//!     create  (root tree -> file systems, disks, archives)
//!   host (processes, namespaces, files, log, progress: the only effects)
//! ```
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test is its own host"))]

pub mod artifact;
pub mod bootloader;
pub mod cache;
mod checked;
pub mod chunks;
pub mod cli;
pub mod compression;
pub mod context;
pub mod create;
pub mod deb822;
pub mod debugging;
pub mod diagnostic;
pub mod disk;
pub mod disk_format;
mod distribution;
pub mod error;
pub mod failure;
pub mod file_archive;
pub mod filesystem;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod gzip;
pub mod host;
pub mod identity;
pub mod initrd;
pub mod kernel;
pub mod lock;
pub mod media;
pub mod operation;
mod origins;
mod package_form;
pub mod package_manager;
pub mod parallel;
mod password;
pub mod prepare;
pub mod pxe;
pub mod record;
pub mod repository;
pub mod result_record;
pub mod root_tree;
pub mod runtime_configuration;
pub mod sbom;
pub mod script;
pub mod share;
pub mod signature;
pub mod source;
pub mod stage;
pub mod timings;
pub mod tree_archive;
pub mod workspace;
