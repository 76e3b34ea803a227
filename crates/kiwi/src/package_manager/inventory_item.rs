//! What the metadata of an installed package contains about its origin.

/// The form of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageForm {
    /// Debian's.
    Deb,
    /// The form of rpm.
    Rpm,
}

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryItem {
    /// Its form.
    pub form: PackageForm,
    /// Its name.
    pub name: String,
    /// Its version, with its epoch.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// Who maintains it: the maintainer of a Debian package, the vendor or packager of an RPM package.
    pub maintainer: Option<String>,
    /// The home page of the software.
    pub homepage: Option<String>,
    /// Name and version of its source package, or the file name of a source RPM.
    pub source: Option<String>,
    /// The licence tag of an RPM package.
    pub licence: Option<String>,
}
