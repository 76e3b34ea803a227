//! The one error of linuxrc: what failed, and how the machine continues (docs/formats/boot-images.md).

/// Why a boot failed, with the reaction to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BootFailure {
    /// What was missing or failed, what was found instead, and what to do. Several lines.
    pub(crate) text: String,
    /// The reaction.
    pub(crate) then: Then,
}

/// The reactions to a boot failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Reboot after a minute.
    Reboot,
    /// Halt forever: a reboot would do harm or change nothing.
    Wait,
    /// A shell with DEBUG=1, otherwise a reboot.
    Shell,
}

impl BootFailure {
    /// Returns a failure after which the machine reboots.
    pub(crate) fn reboot(text: impl Into<String>) -> Self {
        Self { text: text.into(), then: Then::Reboot }
    }

    /// Returns a failure after which the machine halts.
    pub(crate) fn wait(text: impl Into<String>) -> Self {
        Self { text: text.into(), then: Then::Wait }
    }

    /// Returns a failure that opens a shell if there is one.
    pub(crate) fn shell(text: impl Into<String>) -> Self {
        Self { text: text.into(), then: Then::Shell }
    }
}
