//! The part of a description that one build uses: one type, one architecture, certain profiles.

use crate::{
    Architecture, Deploy, Drivers, ImageName, ImageType, PackageManager, PackageName, PackageSet,
    ProfileName, Repository, Settings, User, Version,
};

/// The user's choice of what to build.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// `--add-profile`, as given.
    pub profiles: Vec<String>,
    /// `--type`, as given.
    pub image_type: Option<String>,
    /// Target architecture; none: `x86_64`.
    pub architecture: Option<Architecture>,
}

/// `description/@type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum DescriptionKind {
    /// A system image.
    System,
    /// A boot image.
    Boot,
}

/// All settings of one build.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Base name.
    pub name: ImageName,
    /// Version.
    pub version: Version,
    /// System image or boot image.
    pub kind: DescriptionKind,
    /// `author`, `contact`, `specification`.
    pub author: String,
    /// First `contact`.
    pub contact: String,
    /// The text of `specification`.
    pub specification: String,
    /// The target architecture.
    pub architecture: Architecture,
    /// The profiles of the build with their requirements, in order.
    pub profiles: Vec<ProfileName>,
    /// The names of the files of a bundle; none: kiwi's default.
    pub bundle_format: Option<String>,
    /// The chosen type.
    pub image_type: ImageType,
    /// The package manager.
    pub package_manager: PackageManager,
    /// Settings with one value.
    pub settings: Settings,
    /// Repositories in document order.
    pub repositories: Vec<Repository>,
    /// `packages type="bootstrap"` (1.4: `boot`).
    pub bootstrap: PackageSet,
    /// `packages type="image"`, with the sections for the chosen type (`xen`, `vmware`, `iso`, `oem` ...).
    pub image: PackageSet,
    /// `packages type="delete"` (and `uninstall`).
    pub delete: Vec<PackageName>,
    /// Users in document order.
    pub users: Vec<User>,
    /// Driver sections, one per kind.
    pub drivers: Vec<Drivers>,
    /// `<deploy>` of the chosen type, else that of the image.
    pub deploy: Option<Deploy>,
    /// The public key with which a network client's downloads must be signed; no description specifies it.
    pub verify_key: Option<String>,
}
