//! Moves the whole program into private namespaces before it does anything else.
//!
//! ```text
//! kiwi (what the user started: waits, forwards signals)
//!   +- keeper (user namespace; owns the pid namespace)
//!        +- kiwi as pid 1 of that namespace: does the work
//!             +- programs of a root tree, in a user namespace of their own
//! ```
//!
//! Inside, kiwi is uid 0 with a range of ids. If an ordinary user starts it, they are that user and its subordinate ids; if root
//! does, they are ids that nobody has, and the file systems are mounted so that root's files belong to uid 0 (`machine_view`).
//! Where that is impossible, root's kiwi has root's ids. All mounts are seen by nobody else. Whichever process is killed, the
//! kernel ends the others and every mount goes with them.
//!
//! Programs of a root tree have the same ids in a user namespace below, which the keeper creates: a capability there is
//! worthless here, so they can neither inspect a process of kiwi nor remove a mount.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

use super::ids::Mapping;
use super::machine_view::{MachineView, Obstacle};
use super::namespace_error::{NamespaceError, refused};
use super::userns_diagnosis::Step;
use super::{for_sandboxes, foreign_ids, sandbox, user_namespace};

/// The id of the process that the user started.
static OUTER: OnceLock<u32> = OnceLock::new();

/// Returns the id of this run outside of its namespaces.
pub(super) fn outer_pid() -> u32 {
    OUTER.get().copied().unwrap_or_else(std::process::id)
}

/// Enters the namespaces. Returns in the process that does the work, with what uid 0 is outside, for the log; the process the
/// user started never returns but exits with the same status. Must be called while the program has one thread.
/// `devices` are those of the machine that kiwi opens inside.
pub fn enter(devices: &[&str]) -> Result<String, NamespaceError> {
    OUTER.get_or_init(std::process::id);
    let Inside { users, view, identity } = Inside::make(devices)?;
    if let Some(keeper) = sandbox::fork()? {
        drop((users, view));
        stand_by(keeper);
    }
    sandbox::die_with_parent();
    if let Some(view) = view {
        view.enter().map_err(refused(Step::Use))?;
    }
    sandbox::enter_users(users.as_fd()).map_err(refused(Step::Use))?;
    drop(users);
    sandbox::become_root().map_err(refused(Step::Use))?;
    sandbox::die_with_parent();
    for_sandboxes::make()?;
    let others = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC;
    sandbox::unshare(others).map_err(refused(Step::Use))?;
    sandbox::mount(None, c"/", None, libc::MS_REC | libc::MS_PRIVATE, None).map_err(refused(Step::Use))?;
    if let Some(worker) = sandbox::fork()? {
        stand_by(worker);
    }
    sandbox::die_with_parent();
    // Modes in a tree never depend on who builds it.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    Ok(identity)
}

/// What is made before kiwi leaves the namespaces of the user.
struct Inside {
    users: OwnedFd,
    view: Option<MachineView>,
    /// What uid 0 is outside.
    identity: String,
}

impl Inside {
    fn make(devices: &[&str]) -> Result<Self, NamespaceError> {
        let uid = rustix::process::geteuid();
        let mut identity = format!("uid 0 of the tree is uid {} outside", uid.as_raw());
        if uid.is_root() {
            match Self::without_root(devices) {
                Ok(inside) => return Ok(inside),
                Err(obstacle) => identity = format!("{identity}: {obstacle}"),
            }
        }
        let users = user_namespace::create(&Mapping::plan()?, || ())?;
        Ok(Self { users, view: None, identity })
    }

    /// Makes a user namespace without the ids of root, and the view of root's files in it.
    fn without_root(devices: &[&str]) -> Result<Self, Obstacle> {
        let (uid, mapping) = foreign_ids::choose().ok_or(Obstacle::Ids)?;
        let identity = format!("uid 0 of the tree is uid {uid} outside");
        let users = user_namespace::create(&mapping, || ())?;
        let view = MachineView::make(users.as_fd(), devices)?;
        Ok(Self { users, view: Some(view), identity })
    }
}

/// The signal that a child gets for one that this process got.
fn passed_on(signal: i32) -> rustix::process::Signal {
    match signal {
        SIGINT => rustix::process::Signal::INT,
        SIGHUP => rustix::process::Signal::HUP,
        _ => rustix::process::Signal::TERM,
    }
}

/// Waits for `child`, hands on signals, exits as it does.
fn stand_by(child: libc::pid_t) -> ! {
    let code = match signal_hook::iterator::Signals::new([SIGCHLD, SIGINT, SIGTERM, SIGHUP]) {
        Ok(mut signals) => loop {
            if let Some(code) = sandbox::try_wait(child) {
                break code;
            }
            for signal in signals.wait() {
                if signal != SIGCHLD
                    && let Some(pid) = rustix::process::Pid::from_raw(child)
                {
                    let _ = rustix::process::kill_process(pid, passed_on(signal));
                }
            }
        },
        Err(_) => 1,
    };
    std::process::exit(code)
}

/// Mounts a fresh tmpfs of at most `size` bytes at `directory`; nobody outside sees it and it goes with the process.
pub(super) fn mount_tmpfs(directory: &Path, size: u64) -> io::Result<()> {
    let options = std::ffi::CString::new(format!("mode=755,size={size}"))?;
    let target = sandbox::c_path(directory)?;
    sandbox::mount(Some(c"tmpfs"), &target, Some(c"tmpfs"), libc::MS_NODEV, Some(&options))
}

/// Changes the maximum size of a tmpfs.
pub(super) fn resize_tmpfs(directory: &Path, size: u64) -> io::Result<()> {
    let flags = rustix::mount::MountFlags::NODEV;
    Ok(rustix::mount::mount_remount(directory, flags, &std::ffi::CString::new(format!("size={size}"))?)?)
}

/// Mounts `lower` with a writable layer over it at `merged`.
pub(super) fn mount_overlay(lower: &Path, upper: &Path, work: &Path, merged: &Path) -> io::Result<()> {
    let escaped = |path: &Path| {
        path.display().to_string().replace('\\', "\\\\").replace(',', "\\,").replace(':', "\\:")
    };
    let options = std::ffi::CString::new(format!(
        "userxattr,lowerdir={},upperdir={},workdir={}",
        escaped(lower),
        escaped(upper),
        escaped(work)
    ))?;
    sandbox::mount(Some(c"overlay"), &sandbox::c_path(merged)?, Some(c"overlay"), 0, Some(&options))
}
