//! One build's view of a description: one type, one architecture, these profiles.

use crate::{
    Architecture, Deploy, Drivers, ImageName, ImageType, PackageManager, PackageName, PackageSet,
    ProfileName, Repository, Settings, User, Version,
};

/// What the user asks of a description.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// `--add-profile`, as given.
    pub profiles: Vec<String>,
    /// `--type`, as given.
    pub image_type: Option<String>,
    /// Target architecture; none means `x86_64`.
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

/// Everything a build needs of its description, decided.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Base name.
    pub name: ImageName,
    /// Version.
    pub version: Version,
    /// System or boot.
    pub kind: DescriptionKind,
    /// `author`, `contact`, `specification`.
    pub author: String,
    /// First `contact`.
    pub contact: String,
    /// Free text.
    pub specification: String,
    /// Built for this machine.
    pub architecture: Architecture,
    /// The profiles in force, requirements included, in order.
    pub profiles: Vec<ProfileName>,
    /// How the files of a bundle are named; none: as kiwi does.
    pub bundle_format: Option<String>,
    /// The chosen type.
    pub image_type: ImageType,
    /// The package manager.
    pub package_manager: PackageManager,
    /// Scalar settings.
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
}
