//! Programs of the initrd.

use std::io;
use std::path::Path;
use std::process::Command;

use crate::console::Console;
use crate::machine::Machine;

/// Runs a program on a device. A failure has the end of what it printed.
pub(crate) fn run(
    machine: &Machine,
    name: &str,
    keywords: &[&str],
    device: &Path,
    console: &Console,
) -> io::Result<()> {
    let program = machine
        .program(&[name])
        .ok_or_else(|| io::Error::other(format!("{name} is missing in the initrd")))?;
    console.trace(&format!("{} {} {}", program.display(), keywords.join(" "), device.display()));
    let output = Command::new(&program).args(keywords).arg(device).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    Err(io::Error::other(format!("{name} on {} ended with {}: {said}", device.display(), output.status)))
}
