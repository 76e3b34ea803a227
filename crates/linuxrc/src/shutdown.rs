//! The ends of a boot without a system: a message on the console, then a shell, a reboot or power off.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::boot_failure::{BootFailure, Then};
use crate::console::Console;
use crate::machine::Machine;
use crate::modules::load_keyboards;

/// How long the message is shown before the machine reboots.
const READING_TIME: Duration = Duration::from_secs(60);

impl BootFailure {
    /// Shows the message, then reacts.
    pub(crate) fn end(&self, machine: &Machine, console: &Console) -> ! {
        let shell = machine.shell().filter(|_| console.debug());
        console.boot_failure(&self.announcement(shell.is_some()));
        match (self.then, shell) {
            (Then::Wait, _) => loop {
                std::thread::sleep(READING_TIME);
            },
            (Then::Shell, Some(shell)) => {
                load_keyboards(console);
                run_shell(&shell);
            }
            (Then::Reboot | Then::Shell, _) => std::thread::sleep(READING_TIME),
        }
        restart()
    }

    /// Returns the text on the console, including the reaction.
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

/// Reboots the machine.
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
        // It cannot fail for PID 1; if it does, all that is left is to try again.
        let _ = rustix::system::reboot(command);
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Makes a panic end like a boot failure: message, a minute, reboot. The hook runs before the abort, which would make the
/// kernel panic.
pub(crate) fn reboot_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let machine = Machine::real();
        BootFailure::reboot(format!("linuxrc failed with an internal error: {panic}\nPlease report it."))
            .end(&machine, &Console::quiet(&machine))
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reaction_follows_the_message() {
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
