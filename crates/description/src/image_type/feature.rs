//! What some image types take and others do not.

/// A group of attributes and elements of `<type>` that fits some image types only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    /// `boot`
    BootImage,
    /// `bootprofile`
    BootProfile,
    /// `filesystem`
    Filesystem,
    /// `fsreadwrite`, `fsreadonly`
    TwoFilesystems,
    /// `rootfs_label`
    Label,
    /// `compressed`
    Compressed,
    /// `squashfscompression`
    Squashfs,
    /// `erofscompression`
    Erofs,
    /// `kernelcmdline`
    KernelParameters,
    /// `initrd_system`
    Initrd,
    /// `firmware`
    Firmware,
    /// Partitions, formats and installation of a disk.
    Disk,
    /// `<bootloader>` and what goes with it on disks and live media.
    Bootloader,
    /// `target_blocksize`
    TargetDisk,
    /// `luks` and what goes with it.
    Encryption,
    /// Layout and check of a live medium.
    Live,
    /// `hybridpersistent`
    Persistence,
    /// `derived_from`
    Base,
    /// `<containerconfig>`
    ContainerConfig,
    /// The settings of a container image.
    ContainerRoot,
    /// `layer_compression`
    Layers,
    /// `metadata_path`
    Metadata,
    /// `archive`
    Archive,
    /// `enclave_format`
    Enclave,
}

/// The features of a `vmx` disk.
pub(super) const DISK: &[Feature] = &[
    Feature::BootImage,
    Feature::BootProfile,
    Feature::Filesystem,
    Feature::Label,
    Feature::Squashfs,
    Feature::Erofs,
    Feature::KernelParameters,
    Feature::Initrd,
    Feature::Firmware,
    Feature::Disk,
    Feature::Bootloader,
    Feature::TargetDisk,
    Feature::Encryption,
];

/// The features of a file system with a boot image beside it.
pub(super) const WITH_BOOT_IMAGE: &[Feature] = &[
    Feature::BootImage,
    Feature::BootProfile,
    Feature::Filesystem,
    Feature::KernelParameters,
    Feature::Compressed,
];

/// The features of a `vmx` disk, and a base for a disk inside a container image.
pub(super) const OEM: &[Feature] = &{
    let mut features = [Feature::Base; DISK.len() + 1];
    let mut index = 0;
    while index < DISK.len() {
        features[index] = DISK[index];
        index += 1;
    }
    features
};
