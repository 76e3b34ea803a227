//! Moves the whole program into private namespaces before it does anything else.
//!
//! ```text
//! kiwi (what the user started: waits, forwards signals)
//!   +- keeper (user namespace; owns the pid namespace)
//!        +- kiwi as pid 1 of that namespace: does the work
//! ```
//!
//! Inside, kiwi is uid 0 with a range of ids: root's own, or the subordinate ids of an ordinary user. All mounts are
//! seen by nobody else. Whichever process is killed, the kernel ends the others and every mount goes with them.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

use super::refusal::{Refusal, Step};
use super::{sandbox, tool};

/// Ids a system needs: up to 65534 (nobody) are given out by distributions.
const IDS: u32 = 65_535;

/// Why the namespaces could not be had.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    /// The kernel or a container refuses user namespaces.
    #[error("{0}")]
    Refused(Refusal),
    /// No subordinate ids are configured.
    #[error(
        "user '{user}' has no subordinate ids in {file}; an administrator can give some with: \
         usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}"
    )]
    NoSubordinateIds {
        /// Login name or uid.
        user: String,
        /// `/etc/subuid` or `/etc/subgid`.
        file: &'static str,
    },
    /// Too few ids even for root, as in `unshare -Ur`.
    #[error(
        "only {count} user ids are mapped here, a root tree needs {IDS}; leave this user namespace or map a whole \
         range (for rootless podman: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER, then podman \
         system migrate)"
    )]
    TooFewIds {
        /// How many there are.
        count: u64,
    },
    /// `newuidmap` and its like are missing.
    #[error("{0}")]
    Tool(#[from] super::CommandError),
    /// `newuidmap` failed.
    #[error(
        "{program} could not map the subordinate ids: {text}; where its right is taken away (a container with \
         no-new-privileges, or one that maps fewer ids) start kiwi as root of the container"
    )]
    Mapping {
        /// Which of the two programs.
        program: &'static str,
        /// What it printed.
        text: String,
    },
    /// Anything else.
    #[error("entering private namespaces: {0}")]
    Io(#[from] io::Error),
}

/// How ids inside map to ids outside: lines of `inside outside count`.
enum Mapping {
    /// Written by ourselves, as root.
    Own { users: String, groups: String },
    /// Written by the setuid programs of package uidmap.
    Programs { users: Vec<String>, groups: Vec<String> },
}

/// Enters the namespaces. Returns in the process that does the work; the process the user started never returns
/// but exits with the same status. Must be called while the program has one thread.
pub fn enter() -> Result<(), NamespaceError> {
    let mapping = if rustix::process::geteuid().is_root() { own_ids()? } else { subordinate_ids()? };
    let (mut ready, ready_sender) = io::pipe()?;
    let (mut go, go_sender) = io::pipe()?;
    if let Some(keeper) = sandbox::fork()? {
        drop((ready_sender, go));
        let mut answer = [0; 4];
        let arrived = ready.read_exact(&mut answer);
        if arrived.is_ok() && answer != [0; 4] {
            return Err(refused(Step::Make)(io::Error::from_raw_os_error(i32::from_ne_bytes(answer))));
        }
        if arrived.is_ok() {
            write_mapping(keeper, &mapping)?;
            let mut sender = go_sender;
            sender.write_all(&[1])?;
        }
        stand_by(keeper);
    }
    drop((ready, go_sender));
    let mut sender = ready_sender;
    let made = sandbox::unshare(libc::CLONE_NEWUSER);
    let code = made.err().map_or(0, |error| error.raw_os_error().unwrap_or(libc::EIO));
    sender.write_all(&code.to_ne_bytes())?;
    if code != 0 || go.read_exact(&mut [0]).is_err() {
        std::process::exit(1);
    }
    drop((sender, go));
    sandbox::become_root().map_err(refused(Step::Use))?;
    sandbox::die_with_parent();
    let others = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC;
    sandbox::unshare(others).map_err(refused(Step::Use))?;
    sandbox::mount(None, c"/", None, libc::MS_REC | libc::MS_PRIVATE, None).map_err(refused(Step::Use))?;
    if let Some(worker) = sandbox::fork()? {
        stand_by(worker);
    }
    sandbox::die_with_parent();
    // Modes in a tree never depend on who builds it.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    Ok(())
}

fn refused(step: Step) -> impl Fn(io::Error) -> NamespaceError {
    move |error| NamespaceError::Refused(Refusal::new(step, error))
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
                    let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
                }
            }
        },
        Err(_) => 1,
    };
    std::process::exit(code)
}

/// Root keeps the ids it has: each mapped range onto itself.
fn own_ids() -> Result<Mapping, NamespaceError> {
    let identity = |file: &str| -> Result<String, NamespaceError> {
        let text = fs::read_to_string(file)?;
        let ranges: Vec<(u64, u64)> = text
            .lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                let start = words.next()?.parse().ok()?;
                Some((start, words.nth(1)?.parse().ok()?))
            })
            .collect();
        let count = ranges.iter().map(|(_, count)| count).sum();
        if count < u64::from(IDS) {
            return Err(NamespaceError::TooFewIds { count });
        }
        Ok(ranges.iter().map(|(start, count)| format!("{start} {start} {count}\n")).collect())
    };
    Ok(Mapping::Own { users: identity("/proc/self/uid_map")?, groups: identity("/proc/self/gid_map")? })
}

/// An ordinary user is root inside; the other ids are its subordinate ones.
fn subordinate_ids() -> Result<Mapping, NamespaceError> {
    let folders = tool::search_path();
    tool::find(&folders, "newuidmap")?;
    tool::find(&folders, "newgidmap")?;
    let uid = rustix::process::geteuid().as_raw();
    let gid = rustix::process::getegid().as_raw();
    let user = login_name(uid);
    Ok(Mapping::Programs {
        users: mapping_words(uid, subordinate_range("/etc/subuid", &user, uid)?),
        groups: mapping_words(gid, subordinate_range("/etc/subgid", &user, uid)?),
    })
}

fn mapping_words(own: u32, (start, count): (u32, u32)) -> Vec<String> {
    [0, own, 1, 1, start, count].iter().map(ToString::to_string).collect()
}

fn login_name(uid: u32) -> String {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let entry = passwd.lines().find(|line| line.split(':').nth(2) == Some(&uid.to_string()));
    entry.and_then(|line| line.split(':').next()).map_or_else(|| uid.to_string(), str::to_owned)
}

/// The first range of the file that is large enough.
fn subordinate_range(file: &'static str, user: &str, uid: u32) -> Result<(u32, u32), NamespaceError> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let mut fields = line.trim().split(':');
            let owner = fields.next()?;
            let start = fields.next()?.parse().ok()?;
            let count = fields.next()?.parse().ok()?;
            (owner == user || owner == uid.to_string()).then_some((start, count))
        })
        .find(|(_, count)| *count >= IDS)
        .ok_or_else(|| NamespaceError::NoSubordinateIds { user: user.to_owned(), file })
}

fn write_mapping(process: libc::pid_t, mapping: &Mapping) -> Result<(), NamespaceError> {
    match mapping {
        Mapping::Own { users, groups } => {
            fs::write(format!("/proc/{process}/uid_map"), users).map_err(refused(Step::Map))?;
            fs::write(format!("/proc/{process}/gid_map"), groups).map_err(refused(Step::Map))?;
        }
        Mapping::Programs { users, groups } => {
            let folders = tool::search_path();
            for (program, words) in [("newuidmap", users), ("newgidmap", groups)] {
                let path: PathBuf = tool::find(&folders, program)?;
                let output =
                    std::process::Command::new(path).arg(process.to_string()).args(words).output()?;
                if !output.status.success() {
                    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                    return Err(NamespaceError::Mapping { program, text });
                }
            }
        }
    }
    Ok(())
}

/// Mounts a fresh tmpfs of at most `size` bytes at `folder`; nobody outside sees it and it goes with the process.
pub(super) fn mount_tmpfs(folder: &Path, size: u64) -> io::Result<()> {
    let options = std::ffi::CString::new(format!("mode=755,size={size}"))?;
    let target = sandbox::c_path(folder)?;
    sandbox::mount(Some(c"tmpfs"), &target, Some(c"tmpfs"), libc::MS_NODEV, Some(&options))
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
