//! `<oemconfig>`: the installation of a disk and its first boot.

use super::values::{DIGITS, SOME_TEXT};
use super::{ElementSchema, Value, element, legacy, once};
use crate::SchemaVersion::{V4_7, V4_8, V4_9, V5_9, V6_8};

/// A switch of `<oemconfig>` that is always off.
const fn off(name: &'static str) -> ElementSchema {
    element(name).text(Value::Boolean).default("false").unsupported()
}

/// A switch of `<oemconfig>` that is implemented.
const fn switch(name: &'static str) -> ElementSchema {
    element(name).text(Value::Boolean).default("false")
}

const EXPRESSION: Value =
    Value::Form("a regular expression in one line, such as `/dev/sd[b-z]` or `^/dev/nvme`", |text| {
        !text.is_empty() && !text.contains('\n') && regex_lite::Regex::new(text).is_ok()
    });

/// A setting of `<oemconfig>` that is not built.
const fn later(name: &'static str) -> ElementSchema {
    element(name).text(SOME_TEXT).unsupported()
}

pub(super) static OEM_BOOT_TITLE: ElementSchema =
    element("oem-boot-title").doc("The name in the boot menu.").text(SOME_TEXT).not_used();
// It does so anyway, unless it is turned off.
pub(super) static OEM_REBOOT: ElementSchema =
    switch("oem-reboot").doc("Whether the machine reboots after the installation.");
pub(super) static OEM_SWAP: ElementSchema = switch("oem-swap").doc("Whether there is a swap partition.");
pub(super) static OEM_SWAP_SIZE: ElementSchema = element("oem-swapsize")
    .doc("The size of the swap partition in mebibytes; 0 is none.")
    .text(Value::Number(0, u32::MAX as u64))
    .default("128");
pub(super) static OEM_SYSTEM_SIZE: ElementSchema =
    element("oem-systemsize").doc("The size of the system in mebibytes.").text(Value::Count(u32::MAX as u64));
pub(super) static OEM_UNATTENDED: ElementSchema =
    switch("oem-unattended").doc("Whether the installation asks no questions.");
pub(super) static OEM_RECOVERY: ElementSchema =
    off("oem-recovery").doc("Whether there is a recovery partition.");
pub(super) static OEM_KIWI_INITRD: ElementSchema =
    off("oem-kiwi-initrd").doc("Whether the boot image stays the initrd of the system.");

pub(super) static OEM_CONFIG: ElementSchema = element("oemconfig")
    .doc("Settings for the installation of the disk and its first boot.")
    .children(&[
        once(&{
            element("oem-resize").doc("Whether the system grows to the size of its disk.").text(Value::Boolean)
        }),
        once(&OEM_BOOT_TITLE),
        once(&{
            element("oem-multipath-scan")
                .doc("Whether to use multipath devices.")
                .text(Value::Boolean)
                .default("false")
                .not_used()
        }),
        once(&off("oem-resize-once").doc("Whether the system grows at the first boot only.")),
        once(&switch("oem-bootwait").doc("Whether the machine waits for the user before the installed system boots."))
            .since(V4_9),
        once(&off("oem-inplace-recovery").doc("Whether the archive for recovery is made in its partition.")),
        once(&OEM_KIWI_INITRD),
        once(&off("oem-partition-install").doc("Whether to install into a partition.")),
        once(&OEM_REBOOT),
        once(&switch("oem-reboot-interactive").doc("Whether it asks the user before.")),
        once(&OEM_RECOVERY),
        once(&{ switch("oem-shutdown").doc("Whether the machine is switched off after the installation.") }),
        once(&switch("oem-shutdown-interactive").doc("Whether it asks the user before.")),
        once(&switch("oem-silent-boot").doc("Whether the kernel of the disk prints few messages.")),
        once(&switch("oem-silent-install").doc("Whether the installation shows no progress.")),
        once(&switch("oem-silent-verify").doc("Whether the check of the installed disk shows no progress.")),
        once(&switch("oem-skip-verify").doc("Whether the installed disk is not checked.")),
        once(&OEM_SWAP),
        once(&OEM_UNATTENDED),
        once(&later("oem-ramdisk-size").doc("The size of the disk in memory.")),
        once(&{
            element("oem-device-filter")
                .doc("Disks that an installation does not offer: their names (`/dev/sda`) or models, as a regular expression.")
                .text(EXPRESSION)
        }),
        once(&later("oem-nic-filter").doc("Network cards to ignore, as a regular expression.")),
        once(&later("oem-vmcp-parmfile").doc("A file of parameters on IBM Z.")),
        once(&later("oem-recoveryID").doc("The type of the recovery partition.").text(DIGITS)),
        once(&later("oem-recovery-part-size").doc("Its size in mebibytes.").text(DIGITS)),
        once(&OEM_SWAP_SIZE),
        once(&later("oem-swapname").doc("The name of the swap volume.")),
        once(&OEM_SYSTEM_SIZE),
        once(&{
            element("oem-unattended-id")
                .doc("The disk of an unattended installation.")
                .text(SOME_TEXT)
        }),
        once(&legacy::OEM_HOME).until(V4_7),
        once(&legacy::OEM_DUMPHALT).until(V4_8),
        once(&{
            element("oem-align-partition")
                .doc("Whether partitions are aligned.")
                .text(Value::Boolean)
                .not_used()
        })
        .until(V5_9),
        once(&{
            element("oem-ataraid-scan")
                .doc("Whether to use the disks of a firmware RAID.")
                .text(Value::Boolean)
                .not_used()
        })
        .until(V6_8),
    ]);
