//! Namespaces, mounts, forks and notifications: the only module with `unsafe`.
//!
//! ```text
//! kiwi --fork--> A: unshare --fork--> B: pid 1, mounts, reaps --fork--> C: enters the view, execs the program
//! ```
//!
//! A child sees either the host, read-only except for named directories, or one root tree and nothing else. It has its own
//! mount, pid, ipc and uts namespaces, no network unless asked for, a `/dev` with six harmless nodes, and dies with
//! its parent. Between fork and exec only system calls are made: every path is a C string made before.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;

pub(super) mod attended;
pub(super) mod notification;

/// A bind mount inside the view of a child.
pub(super) struct BindMount {
    pub(super) source: CString,
    pub(super) target: CString,
    pub(super) read_only: bool,
}

/// The view of a child.
pub(super) enum View {
    /// The host's root, read-only except for these directories.
    Host { writable: Vec<CString> },
    /// A root tree as `/`.
    Root { path: CString, read_only: bool, nodes: Vec<Node> },
}

/// Everything the child needs, prepared before the fork.
pub(super) struct Setup {
    pub(super) view: View,
    pub(super) binds: Vec<BindMount>,
    pub(super) network: bool,
    /// System call filters that need no answer (see `filter`).
    pub(super) filters: Vec<Vec<libc::sock_filter>>,
    /// A filter that asks, and where to send its listener.
    pub(super) asking: (Vec<libc::sock_filter>, UnixStream),
    /// Whether the program must not run without that listener.
    pub(super) must_ask: bool,
    /// Working directory, as seen from inside the view.
    pub(super) directory: Option<CString>,
}

/// A file or directory of the private `/dev`.
pub(super) struct Node {
    host: CString,
    location: CString,
}

/// The exit code of a child that must ask and cannot.
pub(super) const CANNOT_ASK: libc::c_int = libc::ENOTSUP;

const NODES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
const SHARED_MEMORY: &CStr = c"/dev/shm";
const LINKS: [(&CStr, &CStr); 5] = [
    (c"/proc/self/fd", c"fd"),
    (c"/proc/self/fd/0", c"stdin"),
    (c"/proc/self/fd/1", c"stdout"),
    (c"/proc/self/fd/2", c"stderr"),
    (c"pts/ptmx", c"ptmx"),
];

/// Returns a path as a C string; a NUL byte in it is an error of the caller's input.
pub(super) fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

fn as_path(path: &CStr) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(path.to_bytes()))
}

/// Returns the nodes of a private `/dev` at `dev`.
pub(super) fn device_nodes(dev: &Path) -> io::Result<Vec<Node>> {
    NODES
        .iter()
        .map(|name| {
            Ok(Node { host: c_path(&Path::new("/dev").join(name))?, location: c_path(&dev.join(name))? })
        })
        .collect()
}

/// Makes `command` start in the sandbox that `setup` describes.
pub(super) fn isolate(command: &mut std::process::Command, setup: Setup) -> io::Result<()> {
    let stage = device_nodes(Path::new("/sys"))?;
    let paths = Paths::new(&setup.view)?;
    // SAFETY: the closure runs between fork and exec and makes system calls only; all memory it uses exists already.
    unsafe {
        command.pre_exec(move || enter(&setup, &paths, &stage));
    }
    Ok(())
}

/// Paths below a root tree for the mounts.
struct Paths {
    proc: CString,
    dev: CString,
    pts: CString,
    shm: CString,
    run: CString,
}

impl Paths {
    fn new(view: &View) -> io::Result<Self> {
        let root = match view {
            View::Host { .. } => Path::new("/"),
            View::Root { path, .. } => as_path(path),
        };
        // On the host's view `/dev` is assembled at `/sys` first: the nodes to bind are still below `/dev`.
        let dev = if matches!(view, View::Host { .. }) { "sys" } else { "dev" };
        Ok(Self {
            proc: c_path(&root.join("proc"))?,
            dev: c_path(&root.join(dev))?,
            pts: c_path(&root.join(dev).join("pts"))?,
            shm: c_path(&root.join(dev).join("shm"))?,
            run: c_path(&root.join("run"))?,
        })
    }
}

fn enter(setup: &Setup, paths: &Paths, stage: &[Node]) -> io::Result<()> {
    die_with_parent();
    let mut flags = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
    if !setup.network {
        flags |= libc::CLONE_NEWNET;
    }
    step("creating namespaces", unshare(flags))?;
    fork_and_wait(false)?;
    die_with_parent();
    step("making mounts private", mount(None, c"/", None, libc::MS_REC | libc::MS_PRIVATE, None))?;
    // SAFETY: a system call with a valid pointer and length.
    unsafe { libc::sethostname(c"localhost".as_ptr(), 9) };
    match &setup.view {
        View::Host { writable } => restrict_host(writable, paths, stage)?,
        View::Root { path, read_only, nodes } => assemble_root(path, *read_only, paths, nodes)?,
    }
    for bind in &setup.binds {
        let flags = libc::MS_BIND | libc::MS_REC;
        step("binding a directory", mount(Some(&bind.source), &bind.target, None, flags, None))?;
        if bind.read_only {
            step("making a directory read-only", set_read_only(&bind.target, true))?;
        }
    }
    if let View::Root { path, .. } = &setup.view {
        step("entering the root tree", change_root(path))?;
    }
    fork_and_wait(true)?;
    // SAFETY: system calls with valid pointers.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::umask(0o022);
    }
    for filter in &setup.filters {
        // If the kernel has no filters the child only takes longer.
        let _ = notification::set_filter(filter, 0);
    }
    let (filter, socket) = &setup.asking;
    let asked = notification::send_listener(filter, socket);
    if setup.must_ask && asked.is_err() {
        return Err(io::Error::from_raw_os_error(CANNOT_ASK));
    }
    // SAFETY: a system call with a valid pointer.
    unsafe {
        if let Some(directory) = &setup.directory
            && libc::chdir(directory.as_ptr()) != 0
        {
            return step("changing to the directory", Err(io::Error::last_os_error()));
        }
    }
    Ok(())
}

/// Sets up the host read-only, with the exceptions, a private `/dev` and a `/proc` of the new pid namespace.
fn restrict_host(writable: &[CString], paths: &Paths, stage: &[Node]) -> io::Result<()> {
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
    mount_proc(&paths.proc)
}

/// Sets up the tree with `/proc`, `/dev` and an empty `/run`.
fn assemble_root(path: &CStr, read_only: bool, paths: &Paths, nodes: &[Node]) -> io::Result<()> {
    step("binding the root tree", mount(Some(path), path, None, libc::MS_BIND | libc::MS_REC, None))?;
    if read_only {
        step("making the root tree read-only", set_read_only(path, true))?;
    }
    assemble_dev(paths, nodes)?;
    mount_proc(&paths.proc)?;
    step(
        "mounting /run",
        mount(Some(c"tmpfs"), &paths.run, Some(c"tmpfs"), libc::MS_NOSUID, Some(c"mode=755")),
    )
}

fn mount_proc(target: &CStr) -> io::Result<()> {
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    match mount(Some(c"proc"), target, Some(c"proc"), flags, None) {
        Ok(()) => Ok(()),
        // In a container with a masked /proc the kernel refuses a new one; the container's is sufficient then.
        Err(_) if target.to_bytes() == b"/proc" => Ok(()),
        Err(_) => {
            step("mounting /proc", mount(Some(c"/proc"), target, None, libc::MS_BIND | libc::MS_REC, None))
        }
    }
}

fn assemble_dev(paths: &Paths, nodes: &[Node]) -> io::Result<()> {
    let flags = libc::MS_NOSUID | libc::MS_STRICTATIME;
    step("mounting /dev", mount(Some(c"tmpfs"), &paths.dev, Some(c"tmpfs"), flags, Some(c"mode=755")))?;
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

fn change_root(path: &CStr) -> io::Result<()> {
    // SAFETY: system calls with valid pointers. The old root is stacked below the new one and then detached.
    unsafe {
        check(libc::chdir(path.as_ptr()))?;
        check(libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()) as libc::c_int)?;
        check(libc::umount2(c".".as_ptr(), libc::MNT_DETACH))?;
        check(libc::chdir(c"/".as_ptr()))
    }
}

/// Forks; the parent stays here, waits and exits with the child's status. As `reaper` it is pid 1 and collects every
/// process of the namespace; its exit kills the remaining ones.
fn fork_and_wait(reaper: bool) -> io::Result<()> {
    // SAFETY: the parent only makes system calls until `_exit`.
    unsafe {
        let child = libc::fork();
        if child < 0 {
            return step("forking", Err(io::Error::last_os_error()));
        }
        if child == 0 {
            return Ok(());
        }
        // Also closes the pipe on which the standard library waits for the exec.
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0);
        loop {
            let mut status = 0;
            let ended = libc::waitpid(if reaper { -1 } else { child }, &mut status, 0);
            if ended == child {
                libc::_exit(exit_code(status));
            }
            if ended < 0 && *libc::__errno_location() != libc::EINTR {
                libc::_exit(127);
            }
        }
    }
}

/// Returns the shell's exit code for a wait status: the code itself, or 128 plus the signal.
fn exit_code(status: libc::c_int) -> libc::c_int {
    if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) }
}

/// Forks the program itself; only called while it has one thread. Returns true in the child.
pub(super) fn fork() -> io::Result<Option<libc::pid_t>> {
    // SAFETY: the process has one thread, so the child may go on as the parent would.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        child => Ok(Some(child)),
    }
}

/// Checks `child` without blocking; returns its exit code after it ended.
pub(super) fn try_wait(child: libc::pid_t) -> Option<i32> {
    let mut status = 0;
    // SAFETY: a system call with a valid pointer.
    (unsafe { libc::waitpid(child, &mut status, libc::WNOHANG) } == child).then(|| exit_code(status))
}

/// Moves the calling process into new namespaces (`CLONE_*` flags).
pub(super) fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: a system call without pointers.
    check(unsafe { libc::unshare(flags) })
}

/// Becomes root of the user namespace.
pub(super) fn become_root() -> io::Result<()> {
    // SAFETY: system calls; an empty group list needs no pointer.
    unsafe {
        check(libc::setresgid(0, 0, 0))?;
        check(libc::setresuid(0, 0, 0))?;
        check(libc::setgroups(0, std::ptr::null()))
    }
}

/// Makes the kernel kill this process when its parent ends.
pub(super) fn die_with_parent() {
    // SAFETY: a system call without pointers.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

pub(super) fn mount(
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

fn set_read_only(target: &CStr, read_only: bool) -> io::Result<()> {
    let (set, clear) = if read_only { (libc::MOUNT_ATTR_RDONLY, 0) } else { (0, libc::MOUNT_ATTR_RDONLY) };
    let attributes = libc::mount_attr { attr_set: set, attr_clr: clear, propagation: 0, userns_fd: 0 };
    // SAFETY: the structure and its size match, the path is a valid C string.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            target.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    } as libc::c_int)
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Reports a failed step on standard error: the child can only return an error number.
fn step(what: &str, result: io::Result<()>) -> io::Result<()> {
    if let Err(error) = &result {
        for part in ["kiwi: sandbox: ", what, " failed\n"] {
            // SAFETY: a system call with a valid pointer and length.
            unsafe { libc::write(2, part.as_ptr().cast(), part.len()) };
        }
        return Err(io::Error::from_raw_os_error(error.raw_os_error().unwrap_or(libc::EIO)));
    }
    Ok(())
}
