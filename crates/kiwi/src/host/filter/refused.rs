//! System calls that no program in a sandbox may make: what common container engines refuse without further capabilities.
//!
//! Each row has the numbers of one call on every machine whose programs can run here, the compatible 32-bit machine included. A
//! call that is newer than this table does not exist for the program: its C library uses an older one instead.

use super::{
    ALLOW, ANSWER, ARCHITECTURE, IF_ABOVE, IF_ANY_BIT, IF_AT_LEAST, IF_EQUAL, LOAD, MACHINE, NUMBER, SKIP,
    argument, step,
};

/// The call is not permitted.
const REFUSE: libc::sock_filter = step(ANSWER, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32, 0, 0);
/// The kernel does not have the call.
const UNKNOWN: libc::sock_filter = step(ANSWER, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32, 0, 0);
/// The kernel does not have the protocol family.
const NO_FAMILY: libc::sock_filter = step(ANSWER, libc::SECCOMP_RET_ERRNO | libc::EAFNOSUPPORT as u32, 0, 0);

/// The last call of this table's time (`file_setattr`, Linux 6.17).
const NEWEST: u32 = 469;
/// Bit of the calls of x32, which no distribution uses.
const X32: u32 = 0x4000_0000;
/// The first of the private calls of 32-bit Arm.
const ARM_PRIVATE: u32 = 0x000f_0000;

/// The kernel's names of the 32-bit machines.
const I386: u32 = 0x4000_0003;
const ARM: u32 = 0x4000_0028;

/// Flags of `clone` and `unshare` that create namespaces.
const NEW_NAMESPACES: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u32;
/// `CLONE_NEWTIME`; for `clone` the bit belongs to a signal number.
const NEW_TIME: u32 = 0x80;

/// Commands that type on a terminal or operate the console (`TIOCSTI`, `TIOCLINUX`).
const TERMINAL_COMMANDS: [u32; 2] = [0x5412, 0x541c];
/// Protocol families that remain: local, IPv4, IPv6, netlink.
const FAMILIES: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
/// Execution domains that only change what `uname` prints, and the query.
const PERSONALITIES: [u32; 5] = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// A machine that has no such call.
const NONE: u32 = u32::MAX;

/// Numbers of a call: x86-64, i386, arm64, 32-bit Arm.
type Numbers = [u32; 4];

/// Calls that are not permitted, whatever their arguments.
const REFUSED: [Numbers; 64] = [
    [163, 51, 89, 51],      // acct
    [248, 286, 217, 309],   // add_key
    [321, 357, 280, 386],   // bpf
    [227, 264, 112, 262],   // clock_settime
    [NONE, 404, NONE, 404], // clock_settime64
    [174, 127, NONE, NONE], // create_module
    [176, 129, 106, 129],   // delete_module
    [300, 338, 262, 367],   // fanotify_init
    [313, 350, 273, 379],   // finit_module
    [431, 431, 431, 431],   // fsconfig
    [432, 432, 432, 432],   // fsmount
    [430, 430, 430, 430],   // fsopen
    [433, 433, 433, 433],   // fspick
    [177, 130, NONE, NONE], // get_kernel_syms
    [175, 128, 105, 128],   // init_module
    [426, 426, 426, 426],   // io_uring_enter
    [427, 427, 427, 427],   // io_uring_register
    [425, 425, 425, 425],   // io_uring_setup
    [173, 101, NONE, NONE], // ioperm
    [172, 110, NONE, NONE], // iopl
    [312, 349, 272, 378],   // kcmp
    [320, NONE, 294, 401],  // kexec_file_load
    [246, 283, 104, 347],   // kexec_load
    [250, 288, 219, 311],   // keyctl
    [212, 253, 18, 249],    // lookup_dcookie
    [237, 274, 235, 319],   // mbind
    [256, 294, 238, 400],   // migrate_pages
    [165, 21, 40, 21],      // mount
    [442, 442, 442, 442],   // mount_setattr
    [429, 429, 429, 429],   // move_mount
    [279, 317, 239, 344],   // move_pages
    [180, 169, 42, 169],    // nfsservctl
    [304, 342, 265, 371],   // open_by_handle_at
    [428, 428, 428, 428],   // open_tree
    [467, 467, 467, 467],   // open_tree_attr
    [298, 336, 241, 364],   // perf_event_open
    [438, 438, 438, 438],   // pidfd_getfd
    [155, 217, 41, 218],    // pivot_root
    [310, 347, 270, 376],   // process_vm_readv
    [311, 348, 271, 377],   // process_vm_writev
    [101, 26, 117, 26],     // ptrace
    [178, 167, NONE, NONE], // query_module
    [179, 131, 60, 131],    // quotactl
    [443, 443, 443, 443],   // quotactl_fd
    [169, 88, 142, 88],     // reboot
    [249, 287, 218, 310],   // request_key
    [238, 276, 237, 321],   // set_mempolicy
    [450, 450, 450, 450],   // set_mempolicy_home_node
    [171, 121, 162, 121],   // setdomainname
    [170, 74, 161, 74],     // sethostname
    [308, 346, 268, 375],   // setns
    [164, 79, 170, 79],     // settimeofday
    [NONE, 25, NONE, NONE], // stime
    [168, 115, 225, 115],   // swapoff
    [167, 87, 224, 87],     // swapon
    [103, 103, 116, 103],   // syslog
    [139, 135, NONE, 135],  // sysfs
    [NONE, 22, NONE, NONE], // umount
    [166, 52, 39, 52],      // umount2
    [134, 86, NONE, 86],    // uselib
    [323, 374, 282, 388],   // userfaultfd
    [136, 62, NONE, 62],    // ustat
    [153, 111, 58, 111],    // vhangup
    [156, 149, NONE, 149],  // _sysctl
];

/// Calls that the kernel appears not to have, because programs have an older way: `clone3`, whose flags no filter can read, and
/// `statmount` and `listmount`; on i386 also `vm86` and `vm86old`.
const MISSING: [Numbers; 5] = [
    [435, 435, 435, 435],
    [457, 457, 457, 457],
    [458, 458, 458, 458],
    [NONE, 166, NONE, NONE],
    [NONE, 113, NONE, NONE],
];

const CLONE: Numbers = [56, 120, 220, 120];
const UNSHARE: Numbers = [272, 310, 97, 337];
const IOCTL: Numbers = [16, 54, 29, 54];
const PERSONALITY: Numbers = [135, 136, 92, 136];
const SOCKET: Numbers = [41, 359, 198, 281];
const SOCKETPAIR: Numbers = [53, 360, 199, 288];
/// The one call of i386 for all of sockets; its first argument says which, and the family is in memory, where no filter looks.
const SOCKETCALL: Numbers = [NONE, 102, NONE, NONE];
/// `socket` and `socketpair` of `socketcall`.
const NEW_SOCKETS: [u32; 2] = [1, 8];

/// Refuses the calls; empty on a machine without filters. On a machine that is `i386` (`uname -m`), whose C library creates sockets with
/// `socketcall`, that is allowed. On others it does not exist for new sockets, which have calls of their own since Linux 4.3.
pub(in crate::host) fn refused(i386: bool) -> Vec<libc::sock_filter> {
    let (native, compatible) = match MACHINE {
        Some(machine) if cfg!(target_arch = "x86_64") => ((machine, 0), (I386, 1)),
        Some(machine) => ((machine, 2), (ARM, 3)),
        None => return Vec::new(),
    };
    let mut program = vec![step(LOAD, ARCHITECTURE, 0, 0)];
    for (machine, column) in [native, compatible] {
        let calls = calls_of(column, i386);
        program.push(step(IF_EQUAL, machine, 1, 0));
        program.push(step(SKIP, calls.len() as u32, 0, 0));
        program.extend(calls);
    }
    program.push(UNKNOWN);
    program
}

/// The steps for the calls of one machine; each path through them ends in an answer.
fn calls_of(column: usize, i386: bool) -> Vec<libc::sock_filter> {
    let mut steps = vec![step(LOAD, NUMBER, 0, 0)];
    match column {
        0 => steps.extend([step(IF_AT_LEAST, X32, 0, 1), UNKNOWN]),
        3 => steps.extend([step(IF_AT_LEAST, ARM_PRIVATE, 0, 1), ALLOW]),
        _ => {}
    }
    steps.extend([step(IF_ABOVE, NEWEST, 0, 1), UNKNOWN]);
    let mut add = |numbers: Numbers, answer: &[libc::sock_filter]| {
        if numbers[column] != NONE {
            steps.push(step(IF_EQUAL, numbers[column], 0, answer.len() as u8));
            steps.extend(answer);
        }
    };
    add(IOCTL, &one_of(1, TERMINAL_COMMANDS, REFUSE, ALLOW));
    add(CLONE, &without_flags(NEW_NAMESPACES));
    add(UNSHARE, &without_flags(NEW_NAMESPACES | NEW_TIME));
    add(PERSONALITY, &one_of(0, PERSONALITIES, ALLOW, REFUSE));
    for call in [SOCKET, SOCKETPAIR] {
        add(call, &one_of(0, FAMILIES.map(|family| family as u32), ALLOW, NO_FAMILY));
    }
    if !i386 {
        add(SOCKETCALL, &one_of(0, NEW_SOCKETS, UNKNOWN, ALLOW));
    }
    REFUSED.into_iter().for_each(|call| add(call, &[REFUSE]));
    MISSING.into_iter().for_each(|call| add(call, &[UNKNOWN]));
    steps.push(ALLOW);
    steps
}

/// Answers `listed` if the argument `location` is one of `values`, `other` if not.
fn one_of<const N: usize>(
    location: u32,
    values: [u32; N],
    listed: libc::sock_filter,
    other: libc::sock_filter,
) -> Vec<libc::sock_filter> {
    let mut steps = vec![step(LOAD, argument(location), 0, 0)];
    for value in values {
        steps.extend([step(IF_EQUAL, value, 0, 1), listed]);
    }
    steps.push(other);
    steps
}

/// Refuses the call if the first argument has any of these bits.
fn without_flags(flags: u32) -> Vec<libc::sock_filter> {
    vec![step(LOAD, argument(0), 0, 0), step(IF_ANY_BIT, flags, 0, 1), REFUSE, ALLOW]
}

#[cfg(test)]
mod tests {
    use super::super::tests::answer;
    use super::*;

    fn native(call: libc::c_long, arguments: [u32; 4]) -> u32 {
        answer(&refused(false), MACHINE.unwrap(), call, arguments)
    }

    #[test]
    fn calls_of_container_escapes_are_refused() {
        if MACHINE.is_none() {
            return;
        }
        for call in [
            libc::SYS_mount,
            libc::SYS_umount2,
            libc::SYS_pivot_root,
            libc::SYS_fsopen,
            libc::SYS_open_tree,
            libc::SYS_move_mount,
            libc::SYS_setns,
            libc::SYS_ptrace,
            libc::SYS_keyctl,
            libc::SYS_add_key,
            libc::SYS_request_key,
            libc::SYS_bpf,
            libc::SYS_io_uring_setup,
            libc::SYS_perf_event_open,
            libc::SYS_userfaultfd,
            libc::SYS_open_by_handle_at,
            libc::SYS_process_vm_readv,
            libc::SYS_finit_module,
            libc::SYS_kexec_load,
            libc::SYS_reboot,
            libc::SYS_clock_settime,
            libc::SYS_sethostname,
        ] {
            assert_eq!(native(call, [0; 4]), REFUSE.k, "{call}");
        }
        assert_eq!(native(libc::SYS_clone3, [0; 4]), UNKNOWN.k);
        assert_eq!(native(libc::SYS_unshare, [libc::CLONE_NEWUSER as u32, 0, 0, 0]), REFUSE.k);
        assert_eq!(native(libc::SYS_clone, [libc::CLONE_NEWNS as u32 | 17, 0, 0, 0]), REFUSE.k);
        assert_eq!(native(libc::SYS_ioctl, [0, 0x5412, 0, 0]), REFUSE.k);
        assert_eq!(native(libc::SYS_socket, [libc::AF_VSOCK as u32, 1, 0, 0]), NO_FAMILY.k);
        assert_eq!(native(libc::SYS_personality, [0x0400_0000, 0, 0, 0]), REFUSE.k);
        assert_eq!(native(NEWEST as libc::c_long + 1, [0; 4]), UNKNOWN.k);
    }

    #[test]
    fn ordinary_calls_are_allowed() {
        if MACHINE.is_none() {
            return;
        }
        for call in [
            libc::SYS_openat,
            libc::SYS_execve,
            libc::SYS_chroot,
            libc::SYS_mknodat,
            libc::SYS_fchownat,
            libc::SYS_setresuid,
            libc::SYS_statx,
            libc::SYS_seccomp,
        ] {
            assert_eq!(native(call, [0; 4]), libc::SECCOMP_RET_ALLOW, "{call}");
        }
        assert_eq!(native(libc::SYS_clone, [libc::CLONE_VM as u32 | 17, 0, 0, 0]), libc::SECCOMP_RET_ALLOW);
        assert_eq!(native(libc::SYS_unshare, [libc::CLONE_FILES as u32, 0, 0, 0]), libc::SECCOMP_RET_ALLOW);
        assert_eq!(native(libc::SYS_socket, [libc::AF_INET6 as u32, 1, 0, 0]), libc::SECCOMP_RET_ALLOW);
        assert_eq!(native(libc::SYS_ioctl, [0, 0x5401, 0, 0]), libc::SECCOMP_RET_ALLOW);
    }

    #[test]
    fn programs_of_other_machines_are_held_too() {
        if !cfg!(target_arch = "x86_64") {
            return;
        }
        let of_i386 = |call| answer(&refused(false), I386, call, [0; 4]);
        for mount in [21, 22, 52, 26, 288] {
            assert_eq!(of_i386(mount), REFUSE.k, "{mount}");
        }
        assert_eq!(of_i386(5), libc::SECCOMP_RET_ALLOW, "open");
        let socketcall = |i386, which| answer(&refused(i386), I386, 102, [which, 0, 0, 0]);
        assert_eq!((socketcall(false, 1), socketcall(false, 8)), (UNKNOWN.k, UNKNOWN.k));
        assert_eq!(
            (socketcall(false, 3), socketcall(true, 1)),
            (ALLOW.k, ALLOW.k),
            "connect, and i386 itself"
        );
        let x32 = libc::c_long::from(X32) + libc::SYS_mount;
        assert_eq!(native(x32, [0; 4]), UNKNOWN.k);
        assert_eq!(native(libc::c_long::from(X32), [0; 4]), UNKNOWN.k);
        assert_eq!(answer(&refused(false), 0xc000_00f3, 0, [0; 4]), UNKNOWN.k, "RISC-V");
    }

    /// The numbers of this machine are those of the C library's headers.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn the_numbers_are_those_of_the_kernel() {
        let known = [
            libc::SYS_acct,
            libc::SYS_add_key,
            libc::SYS_bpf,
            libc::SYS_clock_settime,
            libc::c_long::from(NONE),
            174,
            libc::SYS_delete_module,
            libc::SYS_fanotify_init,
            libc::SYS_finit_module,
            libc::SYS_fsconfig,
            libc::SYS_fsmount,
            libc::SYS_fsopen,
            libc::SYS_fspick,
            177,
            libc::SYS_init_module,
            libc::SYS_io_uring_enter,
            libc::SYS_io_uring_register,
            libc::SYS_io_uring_setup,
            libc::SYS_ioperm,
            libc::SYS_iopl,
            libc::SYS_kcmp,
            libc::SYS_kexec_file_load,
            libc::SYS_kexec_load,
            libc::SYS_keyctl,
            libc::SYS_lookup_dcookie,
            libc::SYS_mbind,
            libc::SYS_migrate_pages,
            libc::SYS_mount,
            libc::SYS_mount_setattr,
            libc::SYS_move_mount,
            libc::SYS_move_pages,
            libc::SYS_nfsservctl,
            libc::SYS_open_by_handle_at,
            libc::SYS_open_tree,
        ];
        for (row, number) in REFUSED.iter().zip(known) {
            assert_eq!(libc::c_long::from(row[0]), number);
        }
    }
}
