//! The view of the host: its root, read-only except for named directories.

use std::ffi::{CStr, CString};
use std::io;

use super::mounts::{Node, assemble_dev, mount, mount_proc, set_read_only, unless_missing};
use super::{Paths, step};

const SHARED_MEMORY: &CStr = c"/dev/shm";

/// Sets up the host read-only, with the exceptions, a private `/dev` with the host's `/dev/shm`, and a `/proc` of the new pid namespace.
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
    // A destination, scratch files and trees of the user may be in memory; all but the writable directories is read-only.
    step(
        "placing /dev/shm",
        unless_missing(mount(Some(SHARED_MEMORY), &paths.shm, None, libc::MS_BIND | libc::MS_REC, None)),
    )?;
    step("placing /dev", mount(Some(&paths.dev), c"/dev", None, libc::MS_BIND | libc::MS_REC, None))?;
    // SAFETY: a system call with a valid pointer.
    unsafe { libc::umount2(paths.dev.as_ptr(), libc::MNT_DETACH) };
    mount_proc(&paths.proc).map(|_| ())
}
