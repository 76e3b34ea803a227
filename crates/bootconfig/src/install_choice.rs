//! What is chosen for an installation: lines `KEY=yes` of its configuration file.

/// A choice that is made or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InstallChoice {
    /// Nothing is asked before the disk is overwritten.
    Unattended,
    /// The machine is switched off afterwards instead of booted.
    Shutdown,
    /// That happens when a person agrees.
    Wait,
    /// How far checking and writing the system are is not shown.
    SilentInstall,
    /// How far reading it back is is not shown.
    SilentVerify,
    /// It is not read back.
    SkipVerify,
}

impl InstallChoice {
    /// Every choice.
    pub const ALL: [Self; 6] = [
        Self::Unattended,
        Self::Shutdown,
        Self::Wait,
        Self::SilentInstall,
        Self::SilentVerify,
        Self::SkipVerify,
    ];

    /// Its key in the file.
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
