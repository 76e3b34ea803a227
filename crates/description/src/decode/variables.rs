//! The values of a type and of preferences that scripts read as shell variables (docs/formats/scripts.md).
//!
//! Scripts get what the description says, also where an image does not depend on it.

use std::collections::BTreeMap;

use crate::document::Element;
use crate::schema;

/// Shell variables by name.
pub(crate) type Variables = BTreeMap<&'static str, String>;

/// Attributes of `<type>` whose text is the value.
const TEXTS: [(&str, &str); 16] = [
    ("kiwi_bootkernel", "bootkernel"),
    ("kiwi_bootprofile", "bootprofile"),
    ("kiwi_cmdline", "kernelcmdline"),
    ("kiwi_devicepersistency", "devicepersistency"),
    ("kiwi_firmware", "firmware"),
    ("kiwi_fsmountoptions", "fsmountoptions"),
    ("kiwi_hybridpersistent_filesystem", "hybridpersistent_filesystem"),
    ("kiwi_initrd_system", "initrd_system"),
    ("kiwi_install_volid", "volid"),
    ("kiwi_installboot", "installboot"),
    ("kiwi_live_volid", "volid"),
    ("kiwi_sectorsize", "target_blocksize"),
    ("kiwi_startsector", "disk_start_sector"),
    ("kiwi_target_blocksize", "target_blocksize"),
    ("kiwi_vga", "vga"),
    ("kiwi_wwid_wait_timeout", "wwid_wait_timeout"),
];
/// Attributes of `<type>` that are on or off; only those that are on are variables.
const SWITCHES: [(&str, &str); 7] = [
    ("kiwi_btrfs_root_is_snapper_snapshot", "btrfs_root_is_snapper_snapshot"),
    ("kiwi_compressed", "compressed"),
    ("kiwi_gpt_hybrid_mbr", "gpt_hybrid_mbr"),
    ("kiwi_hybridpersistent", "hybridpersistent"),
    ("kiwi_luks_empty_passphrase", "luks_empty_passphrase"),
    ("kiwi_ramonly", "ramonly"),
    ("kiwi_target_removable", "target_removable"),
];
/// Elements of `<oemconfig>`.
const OEM: [(&str, &str); 27] = [
    ("kiwi_oembootwait", "oem-bootwait"),
    ("kiwi_oemdevicefilter", "oem-device-filter"),
    ("kiwi_oemkboot", "oem-kiwi-initrd"),
    ("kiwi_oemmultipath_scan", "oem-multipath-scan"),
    ("kiwi_oemnicfilter", "oem-nic-filter"),
    ("kiwi_oempartition_install", "oem-partition-install"),
    ("kiwi_oemramdisksize", "oem-ramdisk-size"),
    ("kiwi_oemreboot", "oem-reboot"),
    ("kiwi_oemrebootinteractive", "oem-reboot-interactive"),
    ("kiwi_oemrecovery", "oem-recovery"),
    ("kiwi_oemrecoveryID", "oem-recoveryID"),
    ("kiwi_oemrecoveryInPlace", "oem-inplace-recovery"),
    ("kiwi_oemrecoveryPartSize", "oem-recovery-part-size"),
    ("kiwi_oemresizeonce", "oem-resize-once"),
    ("kiwi_oemrootMB", "oem-systemsize"),
    ("kiwi_oemshutdown", "oem-shutdown"),
    ("kiwi_oemshutdowninteractive", "oem-shutdown-interactive"),
    ("kiwi_oemsilentboot", "oem-silent-boot"),
    ("kiwi_oemsilentinstall", "oem-silent-install"),
    ("kiwi_oemsilentverify", "oem-silent-verify"),
    ("kiwi_oemskipverify", "oem-skip-verify"),
    ("kiwi_oemswap", "oem-swap"),
    ("kiwi_oemswapMB", "oem-swapsize"),
    ("kiwi_oemtitle", "oem-boot-title"),
    ("kiwi_oemunattended", "oem-unattended"),
    ("kiwi_oemunattended_id", "oem-unattended-id"),
    ("kiwi_oemvmcp_parmfile", "oem-vmcp-parmfile"),
];
/// Values that variables have without a word in the description.
const DEFAULTS: [(&str, &str); 9] = [
    ("kiwi_align", "1048576"),
    ("kiwi_bootloader", "grub2"),
    ("kiwi_initrd_system", "kiwi"),
    ("kiwi_install_volid", "INSTALL"),
    ("kiwi_live_volid", "CDROM"),
    ("kiwi_revision", "kiwi"),
    ("kiwi_sectorsize", "512"),
    ("kiwi_shasum_suffix", "sha256"),
    ("kiwi_startsector", "2048"),
];
/// Variables of types that no table above contains.
const OTHERS: [&str; 9] = [
    "kiwi_boot_timeout",
    "kiwi_bootloader_console",
    "kiwi_cpio_name",
    "kiwi_lvm",
    "kiwi_lvmgroup",
    "kiwi_Volume",
    "kiwi_xendomain",
    "kiwi_size",
    "kiwi_type",
];

/// Returns the names of the variables that depend on the image type.
pub fn type_variables() -> impl Iterator<Item = &'static str> {
    let named = TEXTS.iter().chain(&SWITCHES).chain(&OEM).chain(&DEFAULTS).map(|(name, _)| *name);
    named.chain(OTHERS)
}

/// Returns the variables of `<type>`.
pub(super) fn of_type(element: &Element) -> Variables {
    let mut variables = Variables::from(DEFAULTS.map(|(name, value)| (name, value.to_owned())));
    let attribute = |element: &Element, name: &str| element.value(name).map(|value| value.text.clone());
    let mut set = |name, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            variables.insert(name, value);
        }
    };
    for (name, written) in TEXTS {
        set(name, attribute(element, written));
    }
    for (name, written) in SWITCHES {
        set(name, attribute(element, written).filter(|text| is_on(text)).map(|_| "true".to_owned()));
    }
    if let Some(config) = element.child("oemconfig") {
        for (name, written) in OEM {
            let text = config.child_text(written).map(|text| text.text.clone());
            set(name, text.filter(|text| text != "false"));
        }
    }
    if let Some(loader) = element.child("bootloader") {
        set("kiwi_bootloader", attribute(loader, "name"));
        set("kiwi_boot_timeout", attribute(loader, "timeout"));
        let consoles = ["output_console", "input_console"].map(|name| attribute(loader, name));
        let consoles: Vec<String> = consoles.into_iter().flatten().collect();
        set("kiwi_bootloader_console", Some(consoles.join(":")));
    }
    if attribute(element, "xen_server").is_some_and(|text| is_on(&text)) {
        set("kiwi_xendomain", Some("dom0".to_owned()));
    }
    if let Some(disk) = element.child("systemdisk") {
        set("kiwi_lvm", Some("true".to_owned()));
        set("kiwi_lvmgroup", Some(attribute(disk, "name").unwrap_or_else(|| "systemVG".to_owned())));
    }
    variables
}

/// Returns the variables of `<preferences>` that no setting of the model contains.
pub(super) fn of_preferences(element: &Element) -> Variables {
    let names = [
        ("kiwi_loader_theme", "bootloader-theme"),
        ("kiwi_showlicense", "showlicense"),
        ("kiwi_splash_theme", "bootsplash-theme"),
    ];
    let value = |(name, written)| Some((name, element.child_text(written)?.text.clone()));
    names.into_iter().filter_map(value).collect()
}

fn is_on(text: &str) -> bool {
    schema::boolean(text) == Some(true)
}
