//! `<oemconfig>`: what happens on the machine a disk image ends up on.

use crate::Mebibytes;

/// The settings that are acted on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Oem {
    /// `oem-swap` with `oem-swapsize` (128 MB): swap space is made at the first boot.
    pub swap: Option<Mebibytes>,
    /// `oem-systemsize`: the system grows to this and no further.
    pub system_size: Option<Mebibytes>,
    /// `oem-unattended`: an installation asks nothing.
    pub unattended: bool,
    /// `oem-unattended-id`: the disk an unattended installation takes.
    pub unattended_disk: Option<String>,
    /// `oem-shutdown`: the machine is switched off after the installation instead of booted.
    pub shutdown: bool,
}
