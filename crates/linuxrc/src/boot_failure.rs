//! The one error of linuxrc: what went wrong, and how the machine goes on from there (docs/formats/boot-images.md).

/// Why a boot cannot go on. The way out travels with the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BootFailure {
    /// What was missing or failed, what was seen instead, what to do. Several lines.
    pub(crate) text: String,
    /// The way out.
    pub(crate) then: Then,
}

/// The ways out of a boot failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Reboot after a minute.
    Reboot,
    /// Stay for ever: a reboot would do harm or change nothing.
    Wait,
    /// A shell, for whoever booted with DEBUG=1; for everybody else a reboot.
    Shell,
}

impl BootFailure {
    /// A failure after which the machine reboots.
    pub(crate) fn reboot(text: impl Into<String>) -> Self {
        Self { text: text.into(), then: Then::Reboot }
    }

    /// A failure after which the machine stands still.
    pub(crate) fn wait(text: impl Into<String>) -> Self {
        Self { text: text.into(), then: Then::Wait }
    }

    /// A failure that is looked into with a shell when there is one.
    pub(crate) fn shell(text: impl Into<String>) -> Self {
        Self { text: text.into(), then: Then::Shell }
    }
}
