//! The view of the host: its root, read-only except for named directories.

use std::ffi::{CStr, CString};
use std::io;

use super::mounts::{Node, assemble_dev, mount, mount_proc, set_read_only};
use super::{Paths, as_path, step};

const SHARED_MEMORY: &CStr = c"/dev/shm";

/// Sets up the host read-only, with the exceptions, a private `/dev` and a `/proc` of the new pid namespace.
pub(super) fn restrict(writable: &[CString], paths: &Paths, stage: &[Node]) -> io::Result<()> {
    for directory in writable {
        step(
            "binding a writable directory",
            mount(Some(directory), directory, None, libc::MS_BIND | libc::MS_REC, None),
        )?;
    }
    step("making the host read-only", set_read_only(c"/", true))?;
    for directory in writable {
        step("making a directory writable", set_read_only(directory, false))?;
    }
    assemble_dev(paths, stage)?;
    // Trees and images of the user may be in memory; the rest of it stays read-only.
    if writable.iter().any(|directory| as_path(directory).starts_with(as_path(SHARED_MEMORY))) {
        step(
            "placing /dev/shm",
            mount(Some(SHARED_MEMORY), &paths.shm, None, libc::MS_BIND | libc::MS_REC, None),
        )?;
    }
    step("placing /dev", mount(Some(&paths.dev), c"/dev", None, libc::MS_BIND | libc::MS_REC, None))?;
    // SAFETY: a system call with a valid pointer.
    unsafe { libc::umount2(paths.dev.as_ptr(), libc::MNT_DETACH) };
    mount_proc(&paths.proc).map(|_| ())
}
