//! What a program gives up before it starts: capabilities, the caller's keyring and sessions, unlimited resources.

use std::io;
use std::mem::zeroed;
use std::os::fd::BorrowedFd;

use super::{check, step, unshare};

/// Capabilities for programs of the host, one bit each: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, MKNOD, SETFCAP. They read and write
/// trees, whose files have any owner.
pub(super) const OF_HOST_PROGRAMS: u64 = 1 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 27 | 1 << 31;
/// Capabilities of a common container, for programs of a tree. In addition: KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE,
/// NET_RAW, SYS_CHROOT, AUDIT_WRITE.
pub(super) const OF_TREE_PROGRAMS: u64 =
    OF_HOST_PROGRAMS | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 13 | 1 << 18 | 1 << 29;
/// Number of capabilities that the kernel's interface has room for.
const ALL_CAPABILITIES: u32 = 64;
/// Version of the structures of `capset`.
const VERSION_3: u32 = 0x2008_0522;
/// Maximum number of processes of one user; the kernel does not apply it to the machine's root.
const PROCESSES: libc::rlim_t = 16_384;
/// With this limit the kernel runs no handler of core dumps: such a handler would run outside, as root of the machine.
const NO_CORE_HANDLER: libc::rlim_t = 1;

/// Moves the calling process into the user namespace of trees, in which all mounts are locked.
pub(super) fn enter_users(users: BorrowedFd<'_>) -> io::Result<()> {
    step("entering the user namespace of the tree", super::enter_users(users))?;
    step("locking the mounts", unshare(libc::CLONE_NEWNS))
}

/// Leaves the caller's session, its terminal and keyring, and sets limits.
pub(super) fn leave_session(has_network: bool) -> io::Result<()> {
    // SAFETY: system calls with valid pointers. Kernels and containers without keyrings refuse `keyctl`.
    unsafe {
        libc::setsid();
        libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>());
    }
    if has_network {
        leave_abstract_sockets();
    }
    let limits = [(libc::RLIMIT_CORE, NO_CORE_HANDLER), (libc::RLIMIT_NPROC, PROCESSES)];
    for (resource, limit) in limits {
        step("setting limits", set_limit(resource, limit))?;
    }
    Ok(())
}

fn set_limit(resource: libc::__rlimit_resource_t, limit: libc::rlim_t) -> io::Result<()> {
    // SAFETY: system calls with valid pointers.
    unsafe {
        let mut limits: libc::rlimit = zeroed();
        check(libc::getrlimit(resource, &raw mut limits))?;
        // Only lowers it: raising needs a privilege of the machine's root.
        limits.rlim_max = limits.rlim_max.min(limit);
        limits.rlim_cur = limits.rlim_max;
        check(libc::setrlimit(resource, &raw const limits))
    }
}

/// Abstract sockets belong to a network namespace, not to a file system: with the host's network a program of the tree could
/// connect to the host's services. Landlock prevents that from Linux 6.12 on; older kernels have nothing for it.
fn leave_abstract_sockets() {
    /// `struct landlock_ruleset_attr`: files, network, scopes.
    #[repr(C)]
    struct Rules {
        files: u64,
        network: u64,
        scopes: u64,
    }
    const ABSTRACT_SOCKETS: u64 = 1;
    let rules = Rules { files: 0, network: 0, scopes: ABSTRACT_SOCKETS };
    // SAFETY: system calls with a valid pointer and its size; the descriptor is closed at once.
    unsafe {
        let rules = libc::syscall(libc::SYS_landlock_create_ruleset, &raw const rules, size_of::<Rules>(), 0);
        if rules >= 0 {
            libc::syscall(libc::SYS_landlock_restrict_self, rules, 0);
            libc::close(rules as libc::c_int);
        }
    }
}

/// Drops all capabilities but these, for this process and all that it starts.
pub(super) fn keep_capabilities(kept: u64) -> io::Result<()> {
    /// `struct __user_cap_header_struct`.
    #[repr(C)]
    struct Header {
        version: u32,
        process: libc::c_int,
    }
    /// `struct __user_cap_data_struct`.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Sets {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    for capability in (0..ALL_CAPABILITIES).filter(|capability| kept & 1 << capability == 0) {
        // SAFETY: system calls without pointers. Reading fails behind the last capability that the kernel has.
        unsafe {
            if libc::prctl(libc::PR_CAPBSET_READ, capability, 0, 0, 0) < 0 {
                break;
            }
            step("dropping capabilities", check(libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0)))?;
        }
    }
    let header = Header { version: VERSION_3, process: 0 };
    let half = |bits: u64| {
        let bits = bits as u32;
        Sets { effective: bits, permitted: bits, inheritable: 0 }
    };
    let sets = [half(kept), half(kept >> 32)];
    // SAFETY: a system call with valid pointers.
    let set = unsafe { libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr()) };
    step("dropping capabilities", check(set as libc::c_int))
}

/// Closes every descriptor above standard error when the program starts.
pub(super) fn close_on_exec() -> io::Result<()> {
    // SAFETY: a system call without pointers.
    let closed =
        unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    step("closing open files", check(closed as libc::c_int))
}
