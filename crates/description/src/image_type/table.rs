//! The table of image types: one row per keyword.
//!
//! Over 400 lines because it is one table.
//!
//! The schema, the messages, `--help`, the reference page of the handbook and the README derive their lists from it. A row
//! specifies what a type takes; [`super::ImageType`] carries what a description specifies for it.

use super::feature::{DISK, OEM, WITH_BOOT_IMAGE};
use super::{ContainerKeyword, DiskKeyword, Feature};
use crate::SchemaVersion::{self, V2_0, V6_9};
use crate::suggest;
use ondisk::Filesystem;

/// The decoder of a `<type>`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Model {
    Filesystem(Filesystem),
    Cpio,
    Tbz,
    Disk(DiskKeyword),
    Usb,
    Iso,
    Container(ContainerKeyword),
    Split,
    Xen,
    Pxe,
    Kis,
}

/// One image type.
#[derive(Debug, Clone, Copy)]
pub struct TypeRow {
    /// The keyword in descriptions and of `--type`.
    pub keyword: &'static str,
    /// The result, in a few words.
    pub doc: &'static str,
    /// Whether this version of kiwi builds it.
    pub built: bool,
    /// Whether `<size>` sets its size.
    pub sized: bool,
    /// The result files besides `N.packages` and `N.log`; N is `NAME.ARCH-VERSION`.
    pub results: &'static str,
    /// The schemas that have it, from one to another.
    pub(crate) schemas: (SchemaVersion, SchemaVersion),
    /// The corresponding keyword of other schemas.
    pub(crate) instead: Option<&'static str>,
    /// Whether it is kiwi's own in the newest schema.
    pub(crate) own: bool,
    /// None: only the keyword is known.
    pub(crate) model: Option<Model>,
    pub(crate) takes: &'static [Feature],
    /// Attributes that this type takes and this version of kiwi does not act on for it.
    pub(crate) unsupported: &'static [&'static str],
    /// Values of `<packages type="...">` whose packages are installed for this type only.
    pub(crate) packages: &'static [&'static str],
}

impl TypeRow {
    pub(crate) fn takes(&self, feature: Feature) -> bool {
        self.takes.contains(&feature)
    }

    /// Returns whether `<size>` has a meaning for it; that of a split image is not built.
    pub(crate) fn has_size(&self) -> bool {
        self.sized || matches!(self.model, Some(Model::Split))
    }

    /// Returns whether a schema has this type.
    pub(crate) fn is_in(&self, schema: SchemaVersion) -> bool {
        (self.schemas.0..=self.schemas.1).contains(&schema)
    }

    /// Returns whether the image is booted, so that a boot image is made for it.
    pub fn boots(&self) -> bool {
        self.takes(Feature::BootImage)
    }
}

/// A type that is known by its keyword only.
const KNOWN: TypeRow = TypeRow {
    keyword: "",
    doc: "",
    built: false,
    sized: false,
    results: "",
    schemas: (V2_0, SchemaVersion::NEWEST),
    instead: None,
    own: false,
    model: None,
    takes: &[],
    unsupported: &[],
    packages: &[],
};

const ALL_SCHEMAS: (SchemaVersion, SchemaVersion) = (SchemaVersion::OLDEST, SchemaVersion::NEWEST);

/// The tree in one file system.
const fn filesystem(filesystem: Filesystem, doc: &'static str) -> TypeRow {
    TypeRow {
        keyword: filesystem.keyword(),
        doc,
        built: true,
        sized: true,
        results: "`N`, `N.md5`; compressed: `N.gz` in place of `N`; `N.config` with `<deploy>`",
        schemas: ALL_SCHEMAS,
        model: Some(Model::Filesystem(filesystem)),
        takes: &[Feature::Compressed],
        ..KNOWN
    }
}

/// A disk; the two keywords differ in defaults only.
const fn disk(keyword: DiskKeyword) -> TypeRow {
    TypeRow {
        keyword: keyword.keyword(),
        doc: "a virtual disk that boots",
        built: true,
        sized: true,
        results: "`N.raw`, or `N.FORMAT` with `format`; `N.install.iso` with `installiso`; `N.install.tar` with `installpxe`",
        schemas: ALL_SCHEMAS,
        model: Some(Model::Disk(keyword)),
        takes: DISK,
        unsupported: &["squashfscompression", "erofscompression", "volid", "application_id"],
        packages: &["oem", "vmx", "vmware"],
        ..KNOWN
    }
}

/// Returns the type whose image is this file system alone; none: no schema has one.
const fn of_filesystem(kind: Filesystem) -> Option<TypeRow> {
    Some(match kind {
        Filesystem::Ext2 => filesystem(kind, "the tree in an ext2 file system"),
        Filesystem::Ext3 => filesystem(kind, "the tree in an ext3 file system"),
        Filesystem::Ext4 => filesystem(kind, "the tree in an ext4 file system"),
        Filesystem::Reiserfs => {
            TypeRow { own: true, ..filesystem(kind, "the tree in a reiserfs file system") }
        }
        Filesystem::Xfs => filesystem(kind, "the tree in an xfs file system"),
        Filesystem::Btrfs => filesystem(kind, "the tree in a btrfs file system"),
        Filesystem::Squashfs => TypeRow {
            takes: &[Feature::Compressed, Feature::Squashfs],
            ..filesystem(kind, "the tree in a squashfs file system")
        },
        Filesystem::Erofs => TypeRow {
            schemas: KNOWN.schemas,
            takes: &[Feature::Erofs],
            ..filesystem(kind, "the tree in an erofs file system")
        },
        Filesystem::Cramfs => return None,
    })
}

/// Number of types that are one file system.
const FILESYSTEMS: usize = {
    let (mut count, mut index) = (0, 0);
    while index < Filesystem::ALL.len() {
        count += of_filesystem(Filesystem::ALL[index]).is_some() as usize;
        index += 1;
    }
    count
};

/// Every image type.
pub static TYPES: &[TypeRow] = &{
    let mut rows = [KNOWN; FILESYSTEMS + OTHERS.len()];
    let (mut count, mut index) = (0, 0);
    while index < Filesystem::ALL.len() {
        if let Some(row) = of_filesystem(Filesystem::ALL[index]) {
            rows[count] = row;
            count += 1;
        }
        index += 1;
    }
    while count < rows.len() {
        rows[count] = OTHERS[count - FILESYSTEMS];
        count += 1;
    }
    rows
};

/// The types that are more than one file system.
const OTHERS: &[TypeRow] = &[
    TypeRow {
        keyword: "cpio",
        doc: "the tree as an initrd, with its kernel",
        built: true,
        results: "`N.gz`, `N.md5`, `N.kernel.VERSION` and the link `N.kernel`",
        schemas: ALL_SCHEMAS,
        model: Some(Model::Cpio),
        takes: &[Feature::BootProfile],
        unsupported: &["fscreateoptions"],
        ..KNOWN
    },
    TypeRow {
        keyword: "tbz",
        doc: "the tree as a tar archive, compressed with xz",
        built: true,
        results: "`N.tar.xz`, `N.md5`",
        schemas: ALL_SCHEMAS,
        model: Some(Model::Tbz),
        unsupported: &["fscreateoptions"],
        ..KNOWN
    },
    TypeRow { own: true, ..disk(DiskKeyword::Vmx) },
    TypeRow { schemas: KNOWN.schemas, instead: Some("vmx"), takes: OEM, ..disk(DiskKeyword::Oem) },
    TypeRow {
        keyword: "usb",
        own: true,
        doc: "system and boot image for a USB stick",
        built: true,
        sized: true,
        results: "`N`, `N.md5` and the boot image; compressed: `N.gz` in place of `N`",
        schemas: ALL_SCHEMAS,
        model: Some(Model::Usb),
        takes: WITH_BOOT_IMAGE,
        unsupported: &["kernelcmdline"],
        ..KNOWN
    },
    TypeRow {
        keyword: "iso",
        doc: "a live medium, for CD and stick",
        built: true,
        results: "`N.iso`",
        schemas: ALL_SCHEMAS,
        model: Some(Model::Iso),
        takes: &[
            Feature::BootImage,
            Feature::BootProfile,
            Feature::Filesystem,
            Feature::Squashfs,
            Feature::Erofs,
            Feature::KernelParameters,
            Feature::Firmware,
            Feature::Bootloader,
            Feature::Encryption,
            Feature::Live,
            Feature::Persistence,
        ],
        unsupported: &["fscreateoptions"],
        packages: &["iso"],
        ..KNOWN
    },
    TypeRow {
        keyword: "oci",
        doc: "a container image in an OCI archive",
        built: true,
        results: "`N.oci.tar`, `N.md5`",
        model: Some(Model::Container(ContainerKeyword::Oci)),
        takes: &[Feature::Base, Feature::ContainerConfig, Feature::ContainerRoot, Feature::Layers],
        unsupported: &["fscreateoptions", "fsmountoptions"],
        packages: &["oci"],
        ..KNOWN
    },
    TypeRow {
        keyword: "docker",
        doc: "a container image in a Docker archive",
        built: true,
        results: "`N.docker.tar`, `N.md5`",
        model: Some(Model::Container(ContainerKeyword::Docker)),
        takes: &[Feature::Label, Feature::Base, Feature::ContainerConfig, Feature::ContainerRoot],
        unsupported: &["fscreateoptions", "fsmountoptions", "rootfs_label"],
        packages: &["docker"],
        ..KNOWN
    },
    TypeRow {
        keyword: "split",
        own: true,
        doc: "a part that is written to and a read-only part",
        built: true,
        results: "`N`, `N.md5`, the read-only part `R` with `R.md5`; `N.config` with `<deploy>`; compressed: `N.gz`, `R.gz`",
        schemas: ALL_SCHEMAS,
        model: Some(Model::Split),
        takes: &[Feature::BootImage, Feature::Filesystem, Feature::TwoFilesystems],
        unsupported: &["fscreateoptions"],
        packages: &["split"],
        ..KNOWN
    },
    TypeRow {
        keyword: "xen",
        own: true,
        doc: "a para-virtual guest of Xen",
        built: true,
        sized: true,
        results: "`N`, `N.md5`, `N.xenconfig` and the boot image; compressed: `N.gz` in place of `N`",
        schemas: ALL_SCHEMAS,
        model: Some(Model::Xen),
        takes: WITH_BOOT_IMAGE,
        packages: &["xen"],
        ..KNOWN
    },
    TypeRow {
        keyword: "pxe",
        doc: "system and boot image for network clients",
        built: true,
        sized: true,
        results: "`N`, `N.md5`, `N.config` and the boot image; compressed: `N.gz` in place of `N`",
        schemas: ALL_SCHEMAS,
        model: Some(Model::Pxe),
        takes: &[
            Feature::BootImage,
            Feature::BootProfile,
            Feature::Filesystem,
            Feature::Label,
            Feature::Compressed,
            Feature::Squashfs,
            Feature::Erofs,
            Feature::KernelParameters,
            Feature::Initrd,
            Feature::Firmware,
            Feature::Encryption,
            Feature::Persistence,
        ],
        unsupported: &["firmware", "hybridpersistent", "hybridpersistent_filesystem"],
        packages: &["pxe"],
        ..KNOWN
    },
    TypeRow {
        keyword: "kis",
        doc: "kernel, initrd and system as separate files",
        built: true,
        sized: true,
        results: "`N.tar.xz` and `N.md5`; with `archive=\"false\"` the members of the archive",
        model: Some(Model::Kis),
        takes: &[
            Feature::Filesystem,
            Feature::Label,
            Feature::Compressed,
            Feature::Squashfs,
            Feature::Erofs,
            Feature::KernelParameters,
            Feature::Initrd,
            Feature::TargetDisk,
            Feature::Encryption,
            Feature::Archive,
        ],
        packages: &["kis"],
        ..KNOWN
    },
    TypeRow {
        keyword: "appx",
        doc: "a package for the Windows subsystem for Linux",
        takes: &[Feature::ContainerConfig, Feature::Metadata],
        ..KNOWN
    },
    TypeRow { keyword: "wsl", doc: "an archive for the Windows subsystem for Linux", ..KNOWN },
    TypeRow {
        keyword: "enclave",
        doc: "an image for a protected part of a virtual machine",
        takes: &[Feature::KernelParameters, Feature::Enclave],
        unsupported: &["kernelcmdline"],
        ..KNOWN
    },
    TypeRow { keyword: "product", doc: "an installation medium", schemas: (V2_0, V6_9), ..KNOWN },
    TypeRow { keyword: "clicfs", doc: "the tree in a clicfs file system", schemas: (V2_0, V6_9), ..KNOWN },
    TypeRow { keyword: "lxc", doc: "a container of LXC", schemas: (V2_0, V6_9), ..KNOWN },
];

/// Returns the row of a keyword.
pub fn type_row(keyword: &str) -> Option<&'static TypeRow> {
    TYPES.iter().find(|row| row.keyword == keyword)
}

/// Returns the keywords of the types that this version of kiwi builds.
pub fn built_types() -> impl Iterator<Item = &'static str> {
    TYPES.iter().filter(|row| row.built).map(|row| row.keyword)
}

/// Lists the types of a schema that take a feature, for a message.
pub(crate) fn listed_types(feature: Feature, schema: SchemaVersion) -> String {
    let rows = TYPES.iter().filter(|row| row.is_in(schema) && row.takes(feature));
    suggest::listed(rows.map(|row| row.keyword))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_type_has_a_model_and_names_its_results() {
        for row in TYPES.iter().filter(|row| row.built) {
            assert!(row.model.is_some() && !row.results.is_empty(), "{}", row.keyword);
        }
    }
}
