//! Programs that talk to the user, without a view of their own.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
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

/// Returns both ends of a new terminal: the one of kiwi, and the one of a program.
pub(in crate::host) fn pseudo_terminal() -> io::Result<(File, File)> {
    /// `TIOCGPTPEER`, which the C library's header lacks.
    const OPEN_OTHER_END: libc::c_ulong = 0x5441;
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: system calls without pointers, or with one to a number; each descriptor is owned by exactly one value.
    unsafe {
        let own = libc::posix_openpt(flags);
        if own < 0 {
            return Err(io::Error::last_os_error());
        }
        let own = File::from_raw_fd(own);
        let locked: libc::c_int = 0;
        super::check(libc::ioctl(own.as_raw_fd(), libc::TIOCSPTLCK, &raw const locked))?;
        let other = libc::ioctl(own.as_raw_fd(), OPEN_OTHER_END as _, flags);
        super::check(other)?;
        Ok((own, File::from_raw_fd(other)))
    }
}
