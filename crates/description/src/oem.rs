//! `<oemconfig>`: the behaviour of a disk image on its target machine.

use ondisk::Mebibytes;

/// The supported settings.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Oem {
    /// `oem-swap` with `oem-swapsize` (128 MB): the first boot creates swap space.
    pub swap: Option<Mebibytes>,
    /// `oem-systemsize`: the system grows to this size at most.
    pub system_size: Option<Mebibytes>,
    /// `oem-unattended`: an installation asks no questions.
    pub unattended: bool,
    /// `oem-unattended-id`: the disk of an unattended installation.
    pub unattended_disk: Option<String>,
    /// `oem-shutdown`, `oem-shutdown-interactive`: the machine is switched off after the installation instead of booted.
    pub shutdown: bool,
    /// `oem-shutdown-interactive`, `oem-reboot-interactive`, `oem-bootwait`: the machine waits for confirmation first.
    pub wait: bool,
    /// `oem-device-filter`: an installation does not offer disks that match this regular expression.
    pub device_filter: Option<String>,
    /// `oem-silent-install`: hides the progress of the installation.
    pub silent_install: bool,
    /// `oem-silent-verify`: hides the progress of the verification.
    pub silent_verify: bool,
    /// `oem-skip-verify`: skips the verification of the written data.
    pub skip_verify: bool,
    /// `oem-silent-boot`: the kernel of the disk prints few messages.
    pub silent_boot: bool,
}
