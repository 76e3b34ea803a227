//! `<oemconfig>`: what happens when a disk is installed and boots for the first time.

use super::values::{DIGITS, SOME_TEXT};
use super::{ElementSchema, Value, element, legacy, once};
use crate::SchemaVersion::{V4_7, V4_8, V4_9, V5_9, V6_8};

/// A switch of `<oemconfig>` that is off here.
const fn off(name: &'static str) -> ElementSchema {
    element(name).text(Value::Boolean).default("false").unsupported()
}

/// A switch of `<oemconfig>` that is acted on.
const fn switch(name: &'static str) -> ElementSchema {
    element(name).text(Value::Boolean).default("false")
}

const EXPRESSION: Value =
    Value::Form("a regular expression in one line, such as `/dev/sd[b-z]` or `^/dev/nvme`", |text| {
        !text.is_empty() && !text.contains('\n') && regex_lite::Regex::new(text).is_ok()
    });

const MEGABYTES: Value = Value::Number(1, u32::MAX as u64);

/// A setting of `<oemconfig>` for something that is not built.
const fn later(name: &'static str) -> ElementSchema {
    element(name).text(SOME_TEXT).unsupported()
}

pub(super) static OEM_BOOT_TITLE: ElementSchema =
    element("oem-boot-title").doc("The name in the boot menu.").text(SOME_TEXT).not_used();
// It does so anyway, unless it is switched off.
pub(super) static OEM_REBOOT: ElementSchema =
    switch("oem-reboot").doc("Whether the machine boots anew after the installation.");
pub(super) static OEM_SWAP: ElementSchema = switch("oem-swap").doc("Whether there is a swap partition.");
pub(super) static OEM_SWAP_SIZE: ElementSchema = element("oem-swapsize")
    .doc("The size of the swap partition in mebibytes.")
    .text(MEGABYTES)
    .default("128");
pub(super) static OEM_SYSTEM_SIZE: ElementSchema =
    element("oem-systemsize").doc("The size of the system in mebibytes.").text(MEGABYTES);
pub(super) static OEM_UNATTENDED: ElementSchema =
    switch("oem-unattended").doc("Whether the installation asks nothing.");
pub(super) static OEM_RECOVERY: ElementSchema =
    off("oem-recovery").doc("Whether there is a partition to recover the system from.");
pub(super) static OEM_KIWI_INITRD: ElementSchema =
    off("oem-kiwi-initrd").doc("Whether the boot image stays the initrd of the system.");

pub(super) static OEM_CONFIG: ElementSchema = element("oemconfig")
    .doc("What happens when the disk is installed and boots for the first time.")
    .children(&[
        once(&{
            element("oem-resize").doc("Whether the system grows to the disk it is on.").text(Value::Boolean)
        }),
        once(&OEM_BOOT_TITLE),
        once(&{
            element("oem-multipath-scan")
                .doc("Whether disks with several ways are looked for.")
                .text(Value::Boolean)
                .default("false")
                .not_used()
        }),
        once(&off("oem-resize-once").doc("Whether the system grows at the first boot only.")),
        once(&switch("oem-bootwait").doc("Whether the machine waits for the user before the installed system boots."))
            .since(V4_9),
        once(&off("oem-inplace-recovery").doc("Whether the archive for recovery is made in its partition.")),
        once(&OEM_KIWI_INITRD),
        once(&off("oem-partition-install").doc("Whether it is installed into a partition.")),
        once(&OEM_REBOOT),
        once(&switch("oem-reboot-interactive").doc("Whether it does so once the user agrees.")),
        once(&OEM_RECOVERY),
        once(&{ switch("oem-shutdown").doc("Whether the machine is switched off after the installation.") }),
        once(&switch("oem-shutdown-interactive").doc("Whether that happens once the user agrees.")),
        once(&switch("oem-silent-boot").doc("Whether the kernel of the disk says little when it boots.")),
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
        once(&later("oem-nic-filter").doc("Network cards that are not used, as an expression.")),
        once(&later("oem-vmcp-parmfile").doc("A file of parameters on IBM Z.")),
        once(&later("oem-recoveryID").doc("The type of the partition for recovery.").text(DIGITS)),
        once(&later("oem-recovery-part-size").doc("Its size in mebibytes.").text(DIGITS)),
        once(&OEM_SWAP_SIZE),
        once(&later("oem-swapname").doc("The name of the swap volume.")),
        once(&OEM_SYSTEM_SIZE),
        once(&{
            element("oem-unattended-id")
                .doc("The disk that is installed to without a question.")
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
                .doc("Whether disks of a RAID in firmware are looked for.")
                .text(Value::Boolean)
                .not_used()
        })
        .until(V6_8),
    ]);
