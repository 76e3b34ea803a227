//! The drivers of a boot image, chosen by what a machine may start from and what its user types on.
//!
//! Names that a kernel does not have, or has built in, are skipped. `share/kiwi/image/*/config.xml` names the same drivers by
//! path.

use bootconfig::{BootConfig, Kind};

/// Keyboards, for the installer's questions and the shell of `DEBUG=1`. `hid_generic` serves every USB keyboard whose own driver
/// is not loaded; a machine of Hyper-V's second generation has neither USB nor PS/2.
const KEYBOARDS: &[&str] = &["usbhid", "hid_generic", "i8042", "atkbd", "hyperv_keyboard", "virtio_input"];

/// Host controllers of USB: a keyboard, a stick, a card reader.
const USB: &[&str] =
    &["xhci_pci", "xhci_pci_renesas", "ehci_pci", "uhci_hcd", "ohci_pci", "usb_storage", "uas"];

/// Disks and drives of virtual machines: QEMU and most clouds, VMware, Hyper-V and Azure, Xen.
const VIRTUAL: &[&str] = &[
    "virtio_pci",
    "virtio_mmio",
    "virtio_blk",
    "virtio_scsi",
    "vmw_pvscsi",
    "mptspi",
    "mptsas",
    "sym53c8xx",
    "hv_vmbus",
    "hv_storvsc",
    "pci_hyperv",
    "xen_blkfront",
    "xen_scsifront",
];

/// Disks of PCs and notebooks: SATA by the standard, and of chips from before it or in its stead; NVMe, which some firmwares hide
/// behind Intel's Volume Management Device; eMMC and cards; UFS.
const PC: &[&str] = &[
    "sd_mod",
    "sr_mod",
    "ahci",
    "ata_piix",
    "ata_generic",
    "sata_nv",
    "sata_via",
    "sata_sil",
    "sata_sil24",
    "sata_mv",
    "pata_jmicron",
    "nvme",
    "vmd",
    "mmc_block",
    "sdhci_pci",
    "sdhci_acpi",
    "rtsx_pci_sdmmc",
    "rtsx_usb_sdmmc",
    "ufshcd_pci",
];

/// Controllers of servers: LSI/Broadcom (three generations), HP and Microchip Smart Array, Adaptec, Intel's C600.
const SERVER: &[&str] = &["megaraid_sas", "mpt3sas", "mpi3mr", "hpsa", "smartpqi", "aacraid", "isci"];

/// Returns the drivers that every boot image has.
pub(super) fn of_machines() -> Vec<&'static str> {
    [KEYBOARDS, USB, VIRTUAL, PC, SERVER].concat()
}

/// Returns the modules that a kind of boot image needs in addition to the drivers and its root file system.
pub(super) fn of_kind(config: &BootConfig) -> Vec<&'static str> {
    match config.kind {
        Kind::Vmx | Kind::Oem | Kind::Usb => Vec::new(),
        // Without a medium the image comes from a server.
        Kind::Install if config.medium.is_none() => [NETWORK_CARDS, NETWORK].concat(),
        Kind::Install => vec!["isofs"],
        // One boot image serves every layout, and a stick with persistent data.
        Kind::Iso => {
            vec!["isofs", "loop", "squashfs", "erofs", "overlay", "ext4", "crc32c_generic", "crc32c_intel"]
        }
        Kind::Netboot => [NETWORK_CARDS, NETWORK, NETBOOT].concat(),
    }
}

/// Cards of virtual machines, then of real ones on the board, in a slot and at a USB port.
const NETWORK_CARDS: &[&str] = &[
    "virtio_net",
    "vmxnet3",
    "hv_netvsc",
    "xen_netfront",
    "e1000",
    "e1000e",
    "igb",
    "igc",
    "ixgbe",
    "i40e",
    "ice",
    "r8169",
    "8139cp",
    "8139too",
    "tg3",
    "bnx2",
    "bnxt_en",
    "be2net",
    "mlx4_en",
    "mlx5_core",
    "ena",
    "gve",
    "atlantic",
    "alx",
    "atl1c",
    "sky2",
    "forcedeth",
    "ne2k_pci",
    "pcnet32",
    "usbnet",
    "cdc_ether",
    "cdc_ncm",
    "ax88179_178a",
    "asix",
    "r8152",
    "smsc95xx",
];

/// What a DHCP client and a VLAN need besides a card.
const NETWORK: &[&str] = &["af_packet", "8021q"];

/// Roots on a server, and the file systems that a client's configuration can name.
const NETBOOT: &[&str] = &[
    "nfs",
    "nfsv3",
    "nfsv4",
    "nbd",
    "brd",
    "loop",
    "overlay",
    "squashfs",
    "erofs",
    "cramfs",
    "ext4",
    "xfs",
    "btrfs",
    "crc32c_generic",
    "crc32c_intel",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the names of the modules of a boot image description.
    fn named(path: &std::path::Path) -> Vec<String> {
        let text = std::fs::read_to_string(path).unwrap();
        let lines =
            text.lines().filter_map(|line| line.trim().strip_prefix("<file name=\"")?.strip_suffix("\"/>"));
        lines.map(|path| ondisk::modules::module_name(path.rsplit('/').next().unwrap_or_default())).collect()
    }

    #[test]
    fn boot_descriptions_name_the_same_drivers() {
        let share = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../share/kiwi/image");
        let mut descriptions = 0;
        for kind in std::fs::read_dir(share).unwrap() {
            for distribution in std::fs::read_dir(kind.unwrap().path()).unwrap() {
                let path = distribution.unwrap().path().join("config.xml");
                let Ok(true) = path.try_exists() else { continue };
                let named = named(&path);
                // A guest of Xen has the devices of Xen only.
                if path.to_string_lossy().contains("/xenboot/") {
                    assert!(
                        ["xen_blkfront", "xen_scsifront"]
                            .iter()
                            .all(|driver| named.iter().any(|name| name == driver))
                    );
                    descriptions += 1;
                    continue;
                }
                let cards = if path.to_string_lossy().contains("netboot") { NETWORK_CARDS } else { &[] };
                // `drivers/virtio/*` names the whole directory.
                let directory =
                    |driver: &str| matches!(driver, "virtio_pci" | "virtio_mmio" | "virtio_input");
                for driver in
                    of_machines().into_iter().chain(cards.iter().copied()).filter(|driver| !directory(driver))
                {
                    assert!(named.iter().any(|name| name == driver), "{} lacks {driver}", path.display());
                }
                descriptions += 1;
            }
        }
        assert_eq!(descriptions, 16);
    }
}
