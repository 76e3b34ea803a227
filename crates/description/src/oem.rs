//! `<oemconfig>`: what happens on the machine a disk image ends up on.

use ondisk::Mebibytes;

/// The settings that are acted on.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Oem {
    /// `oem-swap` with `oem-swapsize` (128 MB): swap space is made at the first boot.
    pub swap: Option<Mebibytes>,
    /// `oem-systemsize`: the system grows to this and no further.
    pub system_size: Option<Mebibytes>,
    /// `oem-unattended`: an installation asks nothing.
    pub unattended: bool,
    /// `oem-unattended-id`: the disk an unattended installation takes.
    pub unattended_disk: Option<String>,
    /// `oem-shutdown`, `oem-shutdown-interactive`: the machine is switched off after the installation instead of booted.
    pub shutdown: bool,
    /// `oem-shutdown-interactive`, `oem-reboot-interactive`, `oem-bootwait`: that happens when a person agrees.
    pub wait: bool,
    /// `oem-device-filter`: an installation does not offer disks that this regular expression finds.
    pub device_filter: Option<String>,
    /// `oem-silent-install`: the installation does not show how far it is.
    pub silent_install: bool,
    /// `oem-silent-verify`: nor does the check of what was written.
    pub silent_verify: bool,
    /// `oem-skip-verify`: what was written is not checked.
    pub skip_verify: bool,
    /// `oem-silent-boot`: the kernel of the disk says little.
    pub silent_boot: bool,
}
