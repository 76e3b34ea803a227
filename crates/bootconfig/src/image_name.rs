//! The names of the files of an image (docs/formats/image-files.md).

use std::fmt;

/// The base name N of an image, `<name>.<arch>-<version>`. The names of all its files start with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    name: String,
    architecture: String,
    version: String,
}

impl ImageName {
    /// Returns the base name of the image `name` in `version` for `architecture`, a machine name such as `x86_64`.
    pub fn new(name: &str, architecture: &str, version: &str) -> Self {
        Self { name: name.to_owned(), architecture: architecture.to_owned(), version: version.to_owned() }
    }

    /// Returns the name of the checksum file, `N.md5`.
    pub fn checksum_file(&self) -> String {
        format!("{self}.md5")
    }

    /// Returns the name of a boot image, `N.gz`. Its checksum file is called `N.md5`, too.
    pub fn initrd_file(&self) -> String {
        format!("{self}.gz")
    }

    /// Returns the name of the kernel that belongs to a boot image, `N.kernel.<kver>`.
    pub fn kernel_file(&self, kernel_version: &str) -> String {
        format!("{self}.kernel.{kernel_version}")
    }

    /// Returns the name of the link to the kernel, `N.kernel`.
    pub fn kernel_link(&self) -> String {
        format!("{self}.kernel")
    }

    /// Returns the image as configuration files name it, `<name>.<arch>;<version>`.
    pub fn entry(&self) -> String {
        format!("{}.{};{}", self.name, self.architecture, self.version)
    }

    /// Returns the name of the compressed image, `N.gz`.
    pub fn packed(&self) -> String {
        format!("{self}.gz")
    }

    /// Returns the name of the read-only part of a split or live image, `<name>-read-only.<arch>-<version>`.
    pub fn read_only(&self) -> Self {
        Self { name: format!("{}-read-only", self.name), ..self.clone() }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}-{}", self.name, self.architecture, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_files_of_a_boot_image() {
        let name = ImageName::new("initrd-netboot-suse-10.2", "i686", "2.1.1");
        assert_eq!(name.to_string(), "initrd-netboot-suse-10.2.i686-2.1.1");
        assert_eq!(name.initrd_file(), "initrd-netboot-suse-10.2.i686-2.1.1.gz");
        assert_eq!(name.checksum_file(), "initrd-netboot-suse-10.2.i686-2.1.1.md5");
        assert_eq!(name.kernel_file("2.6.18"), "initrd-netboot-suse-10.2.i686-2.1.1.kernel.2.6.18");
        assert_eq!(name.kernel_link(), "initrd-netboot-suse-10.2.i686-2.1.1.kernel");
        assert_eq!(name.read_only().to_string(), "initrd-netboot-suse-10.2-read-only.i686-2.1.1");
    }
}
