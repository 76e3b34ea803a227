//! Options of an installation: lines `KEY=yes` of its configuration file.

/// An option of an installation, off by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InstallChoice {
    /// Overwrites the disk without asking.
    Unattended,
    /// Switches the machine off after the installation instead of rebooting it.
    Shutdown,
    /// Asks before the machine is rebooted or switched off.
    Wait,
    /// Shows no progress while the system is checked and written.
    SilentInstall,
    /// Shows no progress while the system is read back.
    SilentVerify,
    /// Does not read the system back after writing it.
    SkipVerify,
}

impl InstallChoice {
    /// Every option.
    pub const ALL: [Self; 6] = [
        Self::Unattended,
        Self::Shutdown,
        Self::Wait,
        Self::SilentInstall,
        Self::SilentVerify,
        Self::SkipVerify,
    ];

    /// Returns the key of the option in the file.
    pub fn key(self) -> &'static str {
        match self {
            Self::Unattended => "UNATTENDED",
            Self::Shutdown => "SHUTDOWN",
            Self::Wait => "WAIT",
            Self::SilentInstall => "SILENT_INSTALL",
            Self::SilentVerify => "SILENT_VERIFY",
            Self::SkipVerify => "SKIP_VERIFY",
        }
    }
}
