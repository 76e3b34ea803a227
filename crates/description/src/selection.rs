//! The part of a description that one build uses: one type, one architecture, certain profiles.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::{
    Architecture, Deploy, Drivers, ImageName, ImageType, PackageManager, PackageName, PackageSet, Positions,
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
    /// What the names of the files have after the base name; no description specifies it.
    pub name_part: Option<String>,
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
    /// `packages type="uninstall"`: removed at the end, with what needs them and with what nothing needs any more.
    pub uninstall: Vec<PackageName>,
    /// `packages type="delete"`: removed at the end, even if others need them.
    pub delete: Vec<PackageName>,
    /// The positions of the names of packages in the description, for messages.
    pub positions: Positions,
    /// Users in document order.
    pub users: Vec<User>,
    /// Driver sections, one per kind.
    pub drivers: Vec<Drivers>,
    /// The files beside the description that the Vagrant boxes of any type contain.
    pub vagrantfiles: Vec<String>,
    /// `<deploy>` of the chosen type, else that of the image.
    pub deploy: Option<Deploy>,
    /// The values that scripts read as shell variables, besides those in other fields.
    pub variables: BTreeMap<&'static str, String>,
    /// The public key with which a network client's downloads must be signed; no description specifies it.
    pub verify_key: Option<String>,
    /// A kernel outside the tree that fills file systems that no program fills; no description specifies it.
    pub helper_kernel: Option<PathBuf>,
    /// Whether programs lose their symbols in the image; no description specifies it.
    pub strip: bool,
    /// The bills of materials that are written beside the image; no description specifies them.
    pub bills: Bills,
    /// The reports about packages beside the image; no description specifies them.
    pub reports: Reports,
    /// Whether the record of the result has the plain SHA-256 of sparse files, too; no description specifies it.
    pub checksums: bool,
}

/// The bills of materials beside an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Bills {
    /// In the form SPDX.
    pub spdx: bool,
    /// In the form CycloneDX.
    pub cyclonedx: bool,
}

impl Bills {
    /// Returns whether there are any.
    pub fn any(self) -> bool {
        self.spdx || self.cyclonedx
    }
}

/// Files beside an image about its packages, besides their list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Reports {
    /// The change logs.
    pub changes: bool,
    /// The files that differ from their packages.
    pub verified: bool,
}
