//! Namespaces, mounts, forks and notifications: the only module with `unsafe`.
//!
//! ```text
//! kiwi --fork--> A: unshare --fork--> B: pid 1, mounts, reaps --fork--> C: enters the view, execs the program
//! ```
//!
//! A child sees either the host, read-only except for named directories, or one root tree and nothing else. It has its own
//! mount, pid, ipc and uts namespaces, no network unless asked for, a `/dev` with six harmless nodes, a session of its own, no
//! open file but the standard ones, and dies with its parent. B ends as a program that contains nothing of kiwi (`init`).
//!
//! A tree and its programs are not trusted. Therefore B assembles the view of a tree in the user namespace of kiwi, leaves the
//! host's root and enters a user namespace below (`confinement`): from there no mount can be removed or changed. It gives up
//! everything that a common container does not have before it starts C. Programs of the host parse files that others wrote: they
//! get even fewer capabilities, and the same system calls are refused.
//!
//! Between fork and exec only system calls are made: every path is a C string made before.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;

pub(super) mod attended;
mod confinement;
mod host_view;
pub(super) mod init;
mod mounts;
pub(super) mod notification;
mod root_view;

use mounts::set_read_only;
pub(super) use mounts::{Node, change_root, device_nodes, make_private, map_mount, mount};

/// A bind mount inside the view of a child.
pub(super) struct BindMount {
    pub(super) source: CString,
    pub(super) target: CString,
    pub(super) read_only: bool,
    /// What is created first, if `target` does not exist.
    pub(super) created: Option<CreatedTarget>,
}

/// The target of a mount in the new `/run` of a view.
pub(super) struct CreatedTarget {
    /// The directories to create, the outermost first.
    pub(super) directories: Vec<CString>,
    /// The target is a file in the last of them, not the last of them itself.
    pub(super) is_file: bool,
}

/// The view of a child.
pub(super) enum View {
    /// The host's root, read-only except for these directories.
    Host { writable: Vec<CString> },
    /// A root tree as `/`.
    Root {
        path: CString,
        read_only: bool,
        nodes: Vec<Node>,
        /// The user namespace of its programs.
        users: BorrowedFd<'static>,
        /// The kernel limits process numbers per pid namespace.
        counts_processes: bool,
    },
}

/// Everything the child needs, prepared before the fork.
pub(super) struct Setup {
    pub(super) view: View,
    pub(super) binds: Vec<BindMount>,
    pub(super) network: bool,
    /// The program of pid 1, if there is one for this machine.
    pub(super) init: Option<BorrowedFd<'static>>,
    /// A system call filter that only saves time (see `filter`).
    pub(super) filter: Option<Vec<libc::sock_filter>>,
    /// A system call filter without which no program runs.
    pub(super) refusing: Vec<libc::sock_filter>,
    /// A filter that asks, and where to send its listener.
    pub(super) asking: (Vec<libc::sock_filter>, UnixStream),
    /// Whether the program must not run without that listener.
    pub(super) must_ask: bool,
    /// Working directory, as seen from inside the view.
    pub(super) directory: Option<CString>,
    /// Whether its standard input, a terminal of its own, becomes the terminal of its session.
    pub(super) controls_terminal: bool,
}

/// The exit code of a child that must ask and cannot.
pub(super) const CANNOT_ASK: libc::c_int = libc::ENOTSUP;

/// Returns a path as a C string; a NUL byte in it is an error of the caller's input.
pub(super) fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

fn as_path(path: &CStr) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(path.to_bytes()))
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
    /// `/dev/null`, and an empty directory, to hide files and directories.
    null: CString,
    empty: CString,
    in_proc: root_view::ProcPaths,
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
            null: c_path(&root.join(dev).join("null"))?,
            empty: c_path(&root.join(dev).join("empty"))?,
            in_proc: root_view::ProcPaths::new(&root.join("proc"))?,
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
    fork_and_wait(None)?;
    die_with_parent();
    step("making mounts private", mount(None, c"/", None, libc::MS_REC | libc::MS_PRIVATE, None))?;
    // SAFETY: a system call with a valid pointer and length.
    unsafe { libc::sethostname(c"localhost".as_ptr(), 9) };
    match &setup.view {
        View::Host { writable } => host_view::restrict(writable, paths, stage)?,
        View::Root { path, read_only, nodes, counts_processes, .. } => {
            let tree =
                root_view::Tree { path, read_only: *read_only, nodes, counts_processes: *counts_processes };
            root_view::assemble(&tree, paths, setup.network)?;
        }
    }
    for bind in &setup.binds {
        if let Some(created) = &bind.created {
            create_target(created, &bind.target)?;
        }
        let flags = libc::MS_BIND | libc::MS_REC;
        step("binding a directory", mount(Some(&bind.source), &bind.target, None, flags, None))?;
        if bind.read_only {
            step("making a directory read-only", set_read_only(&bind.target, true))?;
        }
    }
    confine(setup)?;
    fork_and_wait(Some(setup.init))?;
    // SAFETY: system calls with valid pointers. A program that leads its own session takes no part in pid 1's.
    unsafe {
        libc::setsid();
        if setup.controls_terminal {
            step("taking the terminal", check(libc::ioctl(0, libc::TIOCSCTTY, 0)))?;
        }
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::umask(0o022);
        if let Some(directory) = &setup.directory
            && libc::chdir(directory.as_ptr()) != 0
        {
            return step("changing to the directory", Err(io::Error::last_os_error()));
        }
    }
    confinement::close_on_exec()
}

/// Creates an empty file or directory and its parents in the new `/run` of a view.
fn create_target(created: &CreatedTarget, path: &CStr) -> io::Result<()> {
    // SAFETY: system calls with valid pointers; the descriptor is closed at once.
    unsafe {
        for directory in &created.directories {
            if libc::mkdir(directory.as_ptr(), 0o755) != 0 && *libc::__errno_location() != libc::EEXIST {
                return step("creating a directory in /run", Err(io::Error::last_os_error()));
            }
        }
        if !created.is_file {
            return Ok(());
        }
        let file = libc::open(path.as_ptr(), libc::O_CREAT | libc::O_WRONLY | libc::O_CLOEXEC, 0o644);
        step("creating a file in /run", check(file))?;
        libc::close(file);
    }
    Ok(())
}

/// Gives up what neither pid 1 nor any other process of the sandbox may have. The filters come last but one, because the steps
/// before them use calls that are refused from then on, and installing a filter takes a capability.
fn confine(setup: &Setup) -> io::Result<()> {
    if let View::Root { path, users, .. } = &setup.view {
        step("entering the root tree", change_root(path))?;
        confinement::enter_users(*users)?;
    }
    confinement::leave_session(setup.network)?;
    if !setup.refusing.is_empty() {
        step("refusing system calls", notification::set_filter(&setup.refusing, 0).map(|_| ()))?;
    }
    if let Some(filter) = &setup.filter {
        // If the kernel has no filters the child only takes longer.
        let _ = notification::set_filter(filter, 0);
    }
    let (filter, socket) = &setup.asking;
    let asked = notification::send_listener(filter, socket);
    if setup.must_ask && asked.is_err() {
        return Err(io::Error::from_raw_os_error(CANNOT_ASK));
    }
    confinement::keep_capabilities(match &setup.view {
        View::Host { .. } => confinement::OF_HOST_PROGRAMS,
        View::Root { .. } => confinement::OF_TREE_PROGRAMS,
    })?;
    die_with_parent();
    // Until pid 1 has become another program, nobody may read the memory of kiwi in it.
    // SAFETY: a system call without pointers.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) };
    Ok(())
}

/// Forks; the parent stays here, waits and exits with the child's status. With `init` it is pid 1, becomes that program if
/// there is one, and collects every process of the namespace; its exit kills the remaining ones.
fn fork_and_wait(init: Option<Option<BorrowedFd<'_>>>) -> io::Result<()> {
    // SAFETY: the parent only makes system calls until `_exit`.
    unsafe {
        let child = libc::fork();
        if child < 0 {
            return step("forking", Err(io::Error::last_os_error()));
        }
        if child == 0 {
            return Ok(());
        }
        if let Some(Some(program)) = init {
            confinement::close_on_exec()?;
            init::execute(program);
        }
        // Signals for kiwi are not for this process: pid 1 without handlers ignores those of its namespace.
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM] {
            libc::signal(signal, libc::SIG_DFL);
        }
        // Also closes the pipe on which the standard library waits for the exec.
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0);
        loop {
            let mut status = 0;
            let ended = libc::waitpid(if init.is_some() { -1 } else { child }, &mut status, 0);
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

/// Forks the program itself, while it has one thread or for a child that waits for nothing that another thread holds. Returns
/// none in the child.
pub(super) fn fork() -> io::Result<Option<libc::pid_t>> {
    // SAFETY: the child has one thread, whose memory is in order: the C library makes its allocator usable in the child.
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

/// Moves the calling process into a user namespace.
pub(super) fn enter_users(users: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: a system call with an open descriptor.
    check(unsafe { libc::setns(users.as_raw_fd(), libc::CLONE_NEWUSER) })
}

/// Becomes root of the user namespace. The files of this process in `/proc` continue to belong to it, as if its id had not changed.
pub(super) fn become_root() -> io::Result<()> {
    // SAFETY: system calls; an empty group list needs no pointer.
    unsafe {
        check(libc::setresgid(0, 0, 0))?;
        check(libc::setresuid(0, 0, 0))?;
        check(libc::setgroups(0, std::ptr::null()))?;
        check(libc::prctl(libc::PR_SET_DUMPABLE, 1))
    }
}

/// Makes the kernel kill this process when its parent ends.
pub(super) fn die_with_parent() {
    // SAFETY: a system call without pointers.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
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
