//! What programs in sandboxes need, made once while kiwi enters its own namespaces: the user namespace of programs of a tree, and
//! the program of pid 1.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use super::ids::Mapping;
use super::namespace_error::NamespaceError;
use super::{sandbox, user_namespace};

/// The two things.
struct ForSandboxes {
    /// The user namespace of programs of a tree.
    users: OwnedFd,
    init: Option<OwnedFd>,
}

static FOR_SANDBOXES: OnceLock<ForSandboxes> = OnceLock::new();

/// The first Linux in which a pid namespace has a limit of its own (`kernel.pid_max`).
const COUNTS_PROCESSES: (u32, u32) = (6, 14);

/// Returns the user namespace for programs of a tree. A process that did not enter namespaces, as a test, makes it here.
pub(super) fn users_of_trees() -> io::Result<BorrowedFd<'static>> {
    if FOR_SANDBOXES.get().is_none() {
        make().map_err(io::Error::other)?;
    }
    known_users().ok_or_else(|| io::Error::other("there is no user namespace for programs of a tree"))
}

/// Returns that user namespace if it was made.
pub(super) fn known_users() -> Option<BorrowedFd<'static>> {
    FOR_SANDBOXES.get().map(|made| made.users.as_fd())
}

/// Returns the program of pid 1 of a sandbox, if there is one for this machine.
pub(super) fn init_program() -> Option<BorrowedFd<'static>> {
    FOR_SANDBOXES.get()?.init.as_ref().map(AsFd::as_fd)
}

/// Whether the kernel limits process numbers per pid namespace; an older one would change the limit of the whole machine.
pub(super) fn counts_processes() -> bool {
    is_linux_since(COUNTS_PROCESSES)
}

/// Whether the kernel is this version or a newer one.
pub(super) fn is_linux_since(version: (u32, u32)) -> bool {
    is_since(&rustix::system::uname().release().to_string_lossy(), version)
}

fn is_since(release: &str, version: (u32, u32)) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= version
}

/// Makes them. Must be called in kiwi's user namespace, while the process numbers of `/proc` are those of the caller.
pub(super) fn make() -> Result<(), NamespaceError> {
    let made = ForSandboxes { users: make_users_of_trees()?, init: sandbox::init::create()? };
    let _ = FOR_SANDBOXES.set(made);
    Ok(())
}

/// Creates the user namespace of programs of a tree, with the ids of this one.
fn make_users_of_trees() -> Result<OwnedFd, NamespaceError> {
    user_namespace::create(&Mapping::same()?, || {
        // No further user namespace can be created below: a second barrier behind the system call filter.
        if let Ok(mut limit) = File::options().write(true).open("/proc/sys/user/max_user_namespaces") {
            let _ = limit.write_all(b"0");
        }
    })
}

#[cfg(test)]
mod tests {
    use super::is_since;

    #[test]
    fn versions_are_compared_by_number() {
        for (release, expected) in [
            ("6.14.0", true),
            ("6.18.44-fc-v669", true),
            ("7.0-rc1", true),
            ("6.9.12-amd64", false),
            ("5.15.0", false),
            ("", false),
        ] {
            assert_eq!(is_since(release, (6, 14)), expected, "{release}");
        }
    }
}
