//! Checks the system's file system before it is mounted, with the checker of the initrd.
//!
//! [`Filesystem::checker`] decides which are checked: ext2, ext3 and ext4. Without a checker the kernel replays the journal.

use std::path::Path;
use std::process::Command;

use ondisk::Filesystem;

use crate::boot_failure::BootFailure;
use crate::console::Console;
use crate::device::Device;
use crate::machine::Machine;

/// Runs the checker on the system's device.
pub(crate) fn check(
    machine: &Machine,
    device: &Device,
    filesystem: Filesystem,
    console: &Console,
) -> Result<(), BootFailure> {
    let Some(checker) = filesystem.checker() else { return Ok(()) };
    let name = checker.program;
    let Some(program) = machine.program(&[name, &format!("fsck.{}", filesystem.keyword())]) else {
        console.trace(&format!("no {name} in the initrd, the file system is not checked"));
        return Ok(());
    };
    console.trace(&format!(
        "{} {} {}",
        program.display(),
        checker.arguments.join(" "),
        device.path.display()
    ));
    let code = match Command::new(&program).args(checker.arguments).arg(&device.path).status() {
        Ok(status) => status.code(),
        // The initrd's checker is damaged, the system is not.
        Err(error) => {
            console.warn(&format!("starting {}: {error}; the file system is not checked", program.display()));
            return Ok(());
        }
    };
    verdict(code, &program, device)
}

/// Interprets the checker's exit code (e2fsck(8)), a sum of bits.
fn verdict(code: Option<i32>, program: &Path, device: &Device) -> Result<(), BootFailure> {
    const CORRECTED: i32 = 1;
    const REBOOT: i32 = 2;
    let what = format!("{} on {}", program.display(), device.path.display());
    match code {
        Some(code) if code & !CORRECTED == 0 => Ok(()),
        Some(code) if code & !CORRECTED == REBOOT => {
            Err(BootFailure::reboot(format!("{what} corrected errors and requires a reboot.")))
        }
        Some(code) => Err(BootFailure::shell(format!(
            "{what} ended with {code}: errors are left in the file system.\n\
             It is not mounted, so that nothing gets worse. Boot with DEBUG=1 for a shell and run e2fsck by hand."
        ))),
        None => Err(BootFailure::shell(format!("{what} was killed by a signal."))),
    }
}

#[cfg(test)]
mod tests {
    use test_programs::have;

    use super::*;
    use crate::boot_failure::Then;
    use crate::device::tests::{Files, ext2};

    #[test]
    fn the_codes_of_e2fsck_are_understood() {
        if !have(&["mke2fs"]) {
            return;
        }
        let files = Files::new();
        files.add("sda", None, &ext2("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "x"));
        let device = Device::look(&files.machine, "sda").unwrap();
        let outcome = |code| {
            verdict(code, Path::new("/sbin/e2fsck"), &device).map_err(|boot_failure| boot_failure.then)
        };
        for (code, expected) in [
            (Some(0), Ok(())),
            (Some(1), Ok(())),
            (Some(2), Err(Then::Reboot)),
            (Some(3), Err(Then::Reboot)),
            (Some(4), Err(Then::Shell)),
            (Some(12), Err(Then::Shell)),
            (Some(127), Err(Then::Shell)),
            (None, Err(Then::Shell)),
        ] {
            assert_eq!(outcome(code), expected, "{code:?}");
        }
    }
}
