//! What some image types take and others do not.

/// A group of attributes and elements of `<type>` that fits some image types only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    /// `boot`
    BootImage,
    /// `bootprofile`
    BootProfile,
    /// `bootkernel`
    BootKernel,
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
