//! Mounts of both views: `/proc`, `/dev` with six harmless nodes, attributes, a new root.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;

use super::{Paths, c_path, check, step};

/// A file or directory of the private `/dev`.
pub(in super::super) struct Node {
    host: CString,
    location: CString,
}

const NODES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
const LINKS: [(&CStr, &CStr); 5] = [
    (c"/proc/self/fd", c"fd"),
    (c"/proc/self/fd/0", c"stdin"),
    (c"/proc/self/fd/1", c"stdout"),
    (c"/proc/self/fd/2", c"stderr"),
    (c"pts/ptmx", c"ptmx"),
];

/// Options of `/dev`, which is in memory.
const DEV_OPTIONS: &CStr = c"mode=755,size=256m,nr_inodes=65536";

/// Returns the nodes of a private `/dev` at `dev`.
pub(in super::super) fn device_nodes(dev: &Path) -> io::Result<Vec<Node>> {
    NODES
        .iter()
        .map(|name| {
            Ok(Node { host: c_path(&Path::new("/dev").join(name))?, location: c_path(&dev.join(name))? })
        })
        .collect()
}

/// Accepts a mount whose source or target does not exist.
pub(super) fn unless_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        result => result,
    }
}

/// Mounts a `/proc`; returns whether it is one of this pid namespace.
pub(super) fn mount_proc(target: &CStr) -> io::Result<bool> {
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    match mount(Some(c"proc"), target, Some(c"proc"), flags, None) {
        Ok(()) => Ok(true),
        // In a container with a masked /proc the kernel refuses a new one; the container's is sufficient then.
        Err(_) if target.to_bytes() == b"/proc" => Ok(false),
        Err(_) => {
            step("mounting /proc", mount(Some(c"/proc"), target, None, libc::MS_BIND | libc::MS_REC, None))?;
            Ok(false)
        }
    }
}

/// Mounts a private `/dev` with these nodes of the host.
pub(super) fn assemble_dev(paths: &Paths, nodes: &[Node]) -> io::Result<()> {
    let flags = libc::MS_NOSUID | libc::MS_STRICTATIME;
    step("mounting /dev", mount(Some(c"tmpfs"), &paths.dev, Some(c"tmpfs"), flags, Some(DEV_OPTIONS)))?;
    for node in nodes {
        // SAFETY: system calls with valid pointers; the descriptor is closed at once.
        unsafe {
            let file =
                libc::open(node.location.as_ptr(), libc::O_CREAT | libc::O_WRONLY | libc::O_CLOEXEC, 0o666);
            if file >= 0 {
                libc::close(file);
            }
        }
        step("binding a device node", mount(Some(&node.host), &node.location, None, libc::MS_BIND, None))?;
        // Data can be written to a device on a read-only mount; only the node itself, which is the host's, is protected.
        step("protecting a device node", set_attributes(&node.location, libc::MOUNT_ATTR_RDONLY, 0, false))?;
    }
    // SAFETY: system calls with valid pointers; a name that cannot be made is simply missing in /dev.
    unsafe {
        libc::mkdir(paths.pts.as_ptr(), 0o755);
        libc::mkdir(paths.shm.as_ptr(), 0o1777);
        libc::chmod(paths.shm.as_ptr(), 0o1777);
        let dev = libc::open(paths.dev.as_ptr(), libc::O_DIRECTORY | libc::O_PATH | libc::O_CLOEXEC);
        for (target, name) in LINKS {
            libc::symlinkat(target.as_ptr(), dev, name.as_ptr());
        }
        libc::close(dev);
    }
    let options = Some(c"newinstance,ptmxmode=0666,mode=620");
    step("mounting /dev/pts", mount(Some(c"devpts"), &paths.pts, Some(c"devpts"), libc::MS_NOSUID, options))
}

/// Makes the mount at `path` the root, and detaches the old one.
pub(in super::super) fn change_root(path: &CStr) -> io::Result<()> {
    // SAFETY: system calls with valid pointers. The old root is stacked below the new one and then detached.
    unsafe {
        check(libc::chdir(path.as_ptr()))?;
        check(libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()) as libc::c_int)?;
        check(libc::umount2(c".".as_ptr(), libc::MNT_DETACH))?;
        check(libc::chdir(c"/".as_ptr()))
    }
}

pub(in super::super) fn mount(
    source: Option<&CStr>,
    target: &CStr,
    kind: Option<&CStr>,
    flags: libc::c_ulong,
    options: Option<&CStr>,
) -> io::Result<()> {
    let pointer = |text: Option<&CStr>| text.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: every pointer is null or a valid C string.
    check(unsafe {
        libc::mount(
            pointer(source),
            target.as_ptr(),
            pointer(kind),
            flags,
            pointer(options).cast::<libc::c_void>(),
        )
    })
}

/// Makes a mount and all below it read-only, or writable again.
pub(super) fn set_read_only(target: &CStr, read_only: bool) -> io::Result<()> {
    let (set, clear) = if read_only { (libc::MOUNT_ATTR_RDONLY, 0) } else { (0, libc::MOUNT_ATTR_RDONLY) };
    set_attributes(target, set, clear, true)
}

/// Changes the attributes of a mount (`MOUNT_ATTR_*`), or of all below it, too.
pub(super) fn set_attributes(target: &CStr, set: u64, clear: u64, recursive: bool) -> io::Result<()> {
    let attributes = libc::mount_attr { attr_set: set, attr_clr: clear, propagation: 0, userns_fd: 0 };
    change(libc::AT_FDCWD, target, if recursive { libc::AT_RECURSIVE } else { 0 }, &attributes)
}

/// Shows the files of a mount that nobody sees yet with other owners: those that a user namespace has for the owners on the disk.
pub(in super::super) fn map_mount(mount: BorrowedFd<'_>, users: BorrowedFd<'_>) -> io::Result<()> {
    let userns_fd = users.as_raw_fd() as u64;
    let attributes =
        libc::mount_attr { attr_set: libc::MOUNT_ATTR_IDMAP, attr_clr: 0, propagation: 0, userns_fd };
    change(mount.as_raw_fd(), c"", libc::AT_EMPTY_PATH, &attributes)
}

/// Lets a mount receive and send no mounts.
pub(in super::super) fn make_private(mount: BorrowedFd<'_>) -> io::Result<()> {
    let attributes =
        libc::mount_attr { attr_set: 0, attr_clr: 0, propagation: libc::MS_PRIVATE, userns_fd: 0 };
    change(mount.as_raw_fd(), c"", libc::AT_EMPTY_PATH, &attributes)
}

fn change(
    directory: libc::c_int,
    path: &CStr,
    flags: libc::c_int,
    attributes: &libc::mount_attr,
) -> io::Result<()> {
    // SAFETY: the structure and its size match, the path is a valid C string.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            directory,
            path.as_ptr(),
            flags,
            &raw const *attributes,
            size_of::<libc::mount_attr>(),
        )
    } as libc::c_int)
}
