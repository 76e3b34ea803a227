//! Builds Linux system images that boot from a description: a library and one binary over it.
//!
//! ```text
//! description text -> Description -> Selection -> plan -> stages -> Artifacts
//!   operation (the spine of each KIWI operation)
//!     physical (prepare: packages, overlay, scripts -> root tree)
//!     logical  (create: root tree -> file systems, disks, archives)
//!   host (processes, namespaces, files, log, progress: the only effects)
//! ```

pub mod host;
pub mod identity;
pub mod initrd;
pub mod root_tree;
pub mod source;
