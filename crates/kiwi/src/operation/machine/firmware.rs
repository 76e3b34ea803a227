//! The firmware of a machine.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::failure::fail;
use crate::host::Host;

/// What starts the boot loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Firmware {
    /// SeaBIOS.
    #[default]
    Bios,
    /// OVMF.
    Uefi,
    /// OVMF that starts only what Microsoft's keys have signed.
    SecureBoot,
}

/// Code and variables of the UEFI firmware, where distributions install them.
const UEFI: [(&str, &str); 4] = [
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ("/usr/share/qemu/ovmf-x86_64-code.bin", "/usr/share/qemu/ovmf-x86_64-vars.bin"),
];

/// The same with Secure Boot and Microsoft's keys.
const SECURE_BOOT: [(&str, &str); 4] = [
    ("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"),
    ("/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.ms.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd"),
    ("/usr/share/qemu/ovmf-x86_64-smm-ms-code.bin", "/usr/share/qemu/ovmf-x86_64-smm-ms-vars.bin"),
];

/// Returns QEMU's arguments: the code, read-only, and a new copy of the variables.
pub(super) fn arguments(firmware: Firmware, scratch: &Path, host: &Host) -> Result<Vec<String>> {
    let files = match firmware {
        Firmware::Bios => return Ok(Vec::new()),
        Firmware::Uefi => &UEFI,
        Firmware::SecureBoot => &SECURE_BOOT,
    };
    let Some((code, variables)) = files.iter().find(|(code, _)| Path::new(code).is_file()) else {
        fail!(
            MissingProgram,
            "UEFI firmware for QEMU is required and not installed; install the package that provides it: \
             ovmf on Debian, qemu-ovmf-x86_64 on SUSE, edk2-ovmf on Fedora"
        );
    };
    let copy = scratch.join("variables.fd");
    host.copy_file(Path::new(variables), &copy).context("copying the firmware's variables")?;
    let mut arguments = vec![
        "-drive".to_owned(),
        format!("if=pflash,format=raw,readonly=on,file={code}"),
        "-drive".to_owned(),
        format!("if=pflash,format=raw,file={}", copy.display()),
    ];
    if firmware == Firmware::SecureBoot {
        // Only code in system management mode writes the variables.
        arguments.extend(["-global", "driver=cfi.pflash01,property=secure,value=on"].map(str::to_owned));
    }
    Ok(arguments)
}
