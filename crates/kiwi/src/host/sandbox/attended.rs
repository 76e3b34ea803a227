//! Programs that talk to the user, without a view of their own.

use std::os::unix::process::CommandExt;
use std::process::Command;

use super::die_with_parent;

/// Makes the kernel kill the program that `command` starts when the thread that starts it ends.
pub(in crate::host) fn dies_with_parent(command: &mut Command) -> &mut Command {
    // SAFETY: the closure makes one system call.
    unsafe {
        command.pre_exec(|| {
            die_with_parent();
            Ok(())
        })
    }
}
