//! The keys of a client configuration.

use crate::install_choice::InstallChoice;

/// A key of a client configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClientKey {
    /// The disk to partition.
    Disk,
    /// Its partitions.
    Part,
    /// The images and their devices.
    Image,
    /// Files that are copied into the system.
    Conf,
    /// The file with the start of a multicast download.
    Sync,
    /// The journal of the root file system.
    Journal,
    /// Load the images again.
    ReloadImage,
    /// Load the files again.
    ReloadConfig,
    /// Combine two images.
    CombinedImage,
    /// Restart after the installation.
    RebootImage,
    /// A writable layer over a read-only image.
    UnionfsConfig,
    /// The boot image of later boots.
    Initrd,
    /// Its kernel.
    Kernel,
    /// Kernel parameters of later boots.
    KernelOptions,
    /// The time of the boot menu.
    BootTimeout,
    /// A root file system by NFS.
    NfsRoot,
    /// A root file system on a network block device.
    NbdRoot,
    /// Disks that are not offered.
    Filter,
    /// An option of an installation medium.
    Choice(InstallChoice),
}

impl ClientKey {
    /// Every key, in the order in which they are written.
    pub fn all() -> impl Iterator<Item = Self> {
        const KEYS: [ClientKey; 18] = [
            ClientKey::Disk,
            ClientKey::Part,
            ClientKey::Image,
            ClientKey::Conf,
            ClientKey::Sync,
            ClientKey::Journal,
            ClientKey::ReloadImage,
            ClientKey::ReloadConfig,
            ClientKey::CombinedImage,
            ClientKey::RebootImage,
            ClientKey::UnionfsConfig,
            ClientKey::BootTimeout,
            ClientKey::KernelOptions,
            ClientKey::Kernel,
            ClientKey::Initrd,
            ClientKey::NfsRoot,
            ClientKey::NbdRoot,
            ClientKey::Filter,
        ];
        KEYS.into_iter().chain(InstallChoice::ALL.map(ClientKey::Choice))
    }

    /// Returns the name of the key.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disk => "DISK",
            Self::Part => "PART",
            Self::Image => "IMAGE",
            Self::Conf => "CONF",
            Self::Sync => "SYNC",
            Self::Journal => "JOURNAL",
            Self::ReloadImage => "RELOAD_IMAGE",
            Self::ReloadConfig => "RELOAD_CONFIG",
            Self::CombinedImage => "COMBINED_IMAGE",
            Self::RebootImage => "REBOOT_IMAGE",
            Self::UnionfsConfig => "UNIONFS_CONFIG",
            Self::Initrd => "KIWI_INITRD",
            Self::Kernel => "KIWI_KERNEL",
            Self::KernelOptions => "KIWI_KERNEL_OPTIONS",
            Self::BootTimeout => "KIWI_BOOT_TIMEOUT",
            Self::NfsRoot => "NFSROOT",
            Self::NbdRoot => "NBDROOT",
            Self::Filter => "FILTER",
            Self::Choice(choice) => choice.key(),
        }
    }

    /// Returns the key with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|key| key.name() == name)
    }

    /// Returns why a name is not a key, and what was probably meant.
    pub(super) fn unknown(name: &str) -> String {
        if matches!(
            name,
            "NAME"
                | "DEBUG"
                | "kiwitftp"
                | "kiwiserver"
                | "kiwiservertype"
                | "kiwidebug"
                | "kiwikernelmodule"
        ) {
            return format!(
                "{name} is a parameter of the kernel: add it to the boot menu of the server instead"
            );
        }
        if matches!(name, "AOEROOT" | "RAID" | "FORCE_KEXEC" | "ERROR_INTERRUPT") {
            return format!("{name} of later versions of KIWI is not supported");
        }
        let upper = name.to_uppercase();
        let nearest = Self::all().map(|key| (distance(&upper, key.name()), key.name())).min();
        match nearest {
            Some((distance, key)) if distance <= 1 + name.len() / 4 => {
                format!("unknown key \"{name}\": did you mean {key}?")
            }
            _ => format!("unknown key \"{name}\""),
        }
    }
}

/// Returns how many letters must be inserted, removed or replaced to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 64 {
        return a.len();
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
