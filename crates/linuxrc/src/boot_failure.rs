//! The one error of linuxrc: what went wrong, and how the machine goes on from there (spec 1.4, section 5.4).

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::console::Console;
use crate::machine::Machine;

/// How long the text stays on the console before the machine reboots.
const READING_TIME: Duration = Duration::from_secs(60);

/// Why a boot cannot go on. The way out travels with the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BootFailure {
    /// What was missing or failed, what was seen instead, what to do. Several lines.
    pub(crate) text: String,
    /// The way out.
    pub(crate) then: Then,
}

/// The ways out of an boot_failure.
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
    /// An boot_failure after which the machine reboots.
    pub(crate) fn reboot(text: impl Into<String>) -> Self {
        Self { text: text.into(), then: Then::Reboot }
    }

    /// An boot_failure after which the machine stands still.
    pub(crate) fn wait(text: impl Into<String>) -> Self {
        Self { text: text.into(), then: Then::Wait }
    }

    /// An boot_failure that is looked into with a shell when there is one.
    pub(crate) fn shell(text: impl Into<String>) -> Self {
        Self { text: text.into(), then: Then::Shell }
    }

    /// Shows the text and takes the way out.
    pub(crate) fn end(&self, machine: &Machine, console: &Console) -> ! {
        let shell = machine.shell().filter(|_| console.debug());
        console.boot_failure(&self.announcement(shell.is_some()));
        match (self.then, shell) {
            (Then::Wait, _) => loop {
                std::thread::sleep(READING_TIME);
            },
            (Then::Shell, Some(shell)) => run_shell(&shell),
            (Then::Reboot | Then::Shell, _) => std::thread::sleep(READING_TIME),
        }
        restart()
    }

    /// What the console shows, the way out included.
    fn announcement(&self, has_shell: bool) -> String {
        let way_out = match (self.then, has_shell) {
            (Then::Reboot, _) | (Then::Shell, false) => "The machine reboots in 60 seconds.",
            (Then::Wait, _) => "The machine stays as it is; switch it off.",
            (Then::Shell, true) => "A shell follows; the machine reboots when it ends.",
        };
        let mut lines = self.text.lines();
        let mut shown = format!("\n*** kiwi: {}\n", lines.next().unwrap_or_default());
        for line in lines {
            shown.push_str(&format!("    {line}\n"));
        }
        shown + &format!("*** {way_out}\n")
    }
}

fn run_shell(shell: &Path) {
    if let Err(error) = Command::new(shell).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").status() {
        eprintln!("*** kiwi: starting {}: {error}", shell.display());
        std::thread::sleep(READING_TIME);
    }
}

/// Reboots without further keywords.
pub(crate) fn restart() -> ! {
    leave(rustix::system::RebootCommand::Restart)
}

/// Switches the machine off.
pub(crate) fn power_off() -> ! {
    leave(rustix::system::RebootCommand::PowerOff)
}

fn leave(command: rustix::system::RebootCommand) -> ! {
    rustix::fs::sync();
    loop {
        // It cannot fail for PID 1; if it did, another attempt is the only thing left.
        let _ = rustix::system::reboot(command);
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Makes a panic end like an boot_failure: text, a minute, reboot. The hook runs before the abort that would take the
/// kernel down.
pub(crate) fn reboot_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let machine = Machine::real();
        BootFailure::reboot(format!("linuxrc has an error of its own: {panic}\nPlease report it."))
            .end(&machine, &Console::quiet(&machine))
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_out_follows_the_text() {
        assert_eq!(
            BootFailure::reboot("one\ntwo").announcement(true),
            "\n*** kiwi: one\n    two\n*** The machine reboots in 60 seconds.\n"
        );
        assert_eq!(
            BootFailure::wait("x").announcement(true),
            "\n*** kiwi: x\n*** The machine stays as it is; switch it off.\n"
        );
    }

    #[test]
    fn without_debug_or_a_shell_the_machine_reboots() {
        let boot_failure = BootFailure::shell("x");
        assert!(boot_failure.announcement(false).ends_with("*** The machine reboots in 60 seconds.\n"));
        assert!(
            boot_failure
                .announcement(true)
                .ends_with("*** A shell follows; the machine reboots when it ends.\n")
        );
    }
}
