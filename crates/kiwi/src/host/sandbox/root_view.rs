//! The view of a root tree: the tree as `/`, with `/proc`, `/dev` and `/run` as containers have them.

use std::ffi::{CStr, CString};
use std::io;
use std::path::Path;

use super::mounts::{Node, assemble_dev, mount, mount_proc, set_attributes, unless_missing};
use super::{Paths, c_path, check, step};

/// Files of `/proc` about the machine and its kernel that no program of a tree needs.
const MASKED_FILES: [&str; 19] = [
    "allocinfo",
    "interrupts",
    "iomem",
    "ioports",
    "kallsyms",
    "kcore",
    "key-users",
    "keys",
    "kmsg",
    "kpagecgroup",
    "kpagecount",
    "kpageflags",
    "latency_stats",
    "pagetypeinfo",
    "sched_debug",
    "slabinfo",
    "timer_list",
    "timer_stats",
    "vmallocinfo",
];
/// Directories of `/proc`, likewise.
const MASKED_DIRECTORIES: [&str; 5] = ["acpi", "asound", "bus", "driver", "scsi"];

/// Options of `/run`, which is in memory: scripts write their large files to the tree.
const RUN_OPTIONS: &CStr = c"mode=755,size=512m,nr_inodes=65536";

/// Paths in `/proc` below the tree.
pub(super) struct ProcPaths {
    files: Vec<CString>,
    directories: Vec<CString>,
    /// The lowest port that needs no capability.
    first_port: CString,
    /// The highest process number.
    last_process: CString,
}

impl ProcPaths {
    pub(super) fn new(proc: &Path) -> io::Result<Self> {
        let paths =
            |names: &[&str]| names.iter().map(|name| c_path(&proc.join(name))).collect::<Result<_, _>>();
        Ok(Self {
            files: paths(&MASKED_FILES)?,
            directories: paths(&MASKED_DIRECTORIES)?,
            first_port: c_path(&proc.join("sys/net/ipv4/ip_unprivileged_port_start"))?,
            last_process: c_path(&proc.join("sys/kernel/pid_max"))?,
        })
    }
}

/// What the view of a root tree consists of.
pub(super) struct Tree<'s> {
    pub(super) path: &'s CStr,
    pub(super) read_only: bool,
    pub(super) nodes: &'s [Node],
    /// The process numbers of a pid namespace can be limited without changing the machine's limit.
    pub(super) counts_processes: bool,
}

/// Sets up the tree with `/proc`, `/dev` and an empty `/run`.
pub(super) fn assemble(tree: &Tree<'_>, paths: &Paths, has_network: bool) -> io::Result<()> {
    step(
        "binding the root tree",
        mount(Some(tree.path), tree.path, None, libc::MS_BIND | libc::MS_REC, None),
    )?;
    // A tree on the host's disk may contain real device nodes.
    let read_only = if tree.read_only { libc::MOUNT_ATTR_RDONLY } else { 0 };
    step("protecting the root tree", set_attributes(tree.path, libc::MOUNT_ATTR_NODEV | read_only, 0, true))?;
    assemble_dev(paths, tree.nodes)?;
    let is_new = mount_proc(&paths.proc)?;
    if is_new && tree.counts_processes {
        write(&paths.in_proc.last_process, b"16384");
    }
    if !has_network {
        raise_loopback()?;
        // The network namespace belongs to kiwi, so capabilities of the tree's programs have no effect on it.
        write(&paths.in_proc.first_port, b"0");
    }
    protect_proc(paths)?;
    let flags = libc::MS_NOSUID | libc::MS_NODEV;
    step("mounting /run", mount(Some(c"tmpfs"), &paths.run, Some(c"tmpfs"), flags, Some(RUN_OPTIONS)))
}

/// Makes `/proc` read-only, so that root of the machine can change none of the kernel's settings, and hides parts of it.
fn protect_proc(paths: &Paths) -> io::Result<()> {
    step("making /proc read-only", set_attributes(&paths.proc, libc::MOUNT_ATTR_RDONLY, 0, true))?;
    for file in &paths.in_proc.files {
        step(
            "hiding a file of /proc",
            unless_missing(mount(Some(&paths.null), file, None, libc::MS_BIND, None)),
        )?;
    }
    // SAFETY: system calls with valid pointers. A removed directory remains where it is mounted, and nobody can fill it.
    unsafe {
        step("hiding directories of /proc", check(libc::mkdir(paths.empty.as_ptr(), 0o555)))?;
        for directory in &paths.in_proc.directories {
            let bound = mount(Some(&paths.empty), directory, None, libc::MS_BIND, None);
            step("hiding a directory of /proc", unless_missing(bound))?;
        }
        step("hiding directories of /proc", check(libc::rmdir(paths.empty.as_ptr())))
    }
}

/// Writes a setting of a namespace; in a container whose `/proc/sys` is read-only it stays as it is.
fn write(path: &CStr, value: &[u8]) {
    // SAFETY: system calls with valid pointers; the descriptor is closed at once.
    unsafe {
        let file = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if file >= 0 {
            libc::write(file, value.as_ptr().cast(), value.len());
            libc::close(file);
        }
    }
}

/// Brings up the loopback interface, the only one of a new network namespace.
fn raise_loopback() -> io::Result<()> {
    // SAFETY: the structure consists of numbers; system calls with a valid pointer; the descriptor is closed at once.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        step("opening a socket", check(socket))?;
        let mut request: libc::ifreq = std::mem::zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
            *to = *from as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
        let raised = check(libc::ioctl(socket, libc::SIOCSIFFLAGS, &raw const request));
        libc::close(socket);
        step("bringing up the loopback interface", raised)
    }
}
