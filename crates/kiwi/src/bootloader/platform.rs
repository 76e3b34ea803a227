//! Firmwares for which a boot loader has a program.

/// A platform of a boot loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// BIOS.
    Pc,
    /// UEFI, 64-bit x86.
    Efi64,
}
