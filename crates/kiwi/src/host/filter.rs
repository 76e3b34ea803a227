//! System call filters: programs for the kernel that decide by call number and arguments.

mod refused;

use std::mem::offset_of;

pub(super) use refused::refused;

/// The kernel's name of the architecture of this program; there are no filters for others.
const MACHINE: Option<u32> = if cfg!(target_arch = "x86_64") {
    Some(0xc000_003e)
} else if cfg!(target_arch = "aarch64") {
    Some(0xc000_00b7)
} else {
    None
};

/// Calls that only wait for the disk.
const SYNC: [libc::c_long; 5] =
    [libc::SYS_fsync, libc::SYS_fdatasync, libc::SYS_sync, libc::SYS_syncfs, libc::SYS_sync_file_range];

/// Offsets of the number, architecture and arguments in the filter's input.
const NUMBER: u32 = offset_of!(libc::seccomp_data, nr) as u32;
const ARCHITECTURE: u32 = offset_of!(libc::seccomp_data, arch) as u32;
/// Offset of the lower half of an argument.
const fn argument(location: u32) -> u32 {
    offset_of!(libc::seccomp_data, args) as u32
        + 8 * location
        + if cfg!(target_endian = "big") { 4 } else { 0 }
}

const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const AND: u32 = libc::BPF_ALU | libc::BPF_AND | libc::BPF_K;
const IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const IF_ANY_BIT: u32 = libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K;
const IF_AT_LEAST: u32 = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;
const IF_ABOVE: u32 = libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K;
/// An unconditional jump, which reaches further than a conditional one.
const SKIP: u32 = libc::BPF_JMP | libc::BPF_JA;
const ANSWER: u32 = libc::BPF_RET | libc::BPF_K;

/// A step; a condition skips this many of the next steps if it is true, or false.
const fn step(code: u32, k: u32, holds: u8, fails: u8) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: holds, jf: fails, k }
}

const ALLOW: libc::sock_filter = step(ANSWER, libc::SECCOMP_RET_ALLOW, 0, 0);
const ASK: libc::sock_filter = step(ANSWER, libc::SECCOMP_RET_USER_NOTIF, 0, 0);

/// Makes sync calls succeed immediately: an unfinished tree is discarded when the machine stops, so nothing in it must be
/// flushed before the build is done, and a package manager would flush after every step of every package.
pub(super) fn without_sync() -> Vec<libc::sock_filter> {
    // Error number 0: the call succeeds.
    let done = vec![step(ANSWER, libc::SECCOMP_RET_ERRNO, 0, 0)];
    program(SYNC.into_iter().map(|call| (call, done.clone())))
}

/// Asks about every device node that is to be created; with `shows`, also about calls that query a path.
pub(super) fn of_devices(shows: bool) -> Vec<libc::sock_filter> {
    let mut calls = vec![(libc::SYS_mknodat, making(2))];
    #[cfg(target_arch = "x86_64")]
    calls.push((libc::SYS_mknod, making(1)));
    if shows {
        #[cfg(target_arch = "x86_64")]
        calls.extend([(libc::SYS_stat, vec![ASK]), (libc::SYS_lstat, vec![ASK])]);
        // An open file is not a device.
        let flags = step(LOAD, argument(3), 0, 0);
        let by_path = vec![flags, step(IF_ANY_BIT, libc::AT_EMPTY_PATH as u32, 0, 1), ALLOW, ASK];
        calls.push((libc::SYS_newfstatat, by_path));
        calls.extend([(libc::SYS_listxattr, vec![ASK]), (libc::SYS_llistxattr, vec![ASK])]);
        // C libraries fall back to another call if the kernel does not know this one.
        let unknown = step(ANSWER, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32, 0, 0);
        calls.push((libc::SYS_statx, vec![unknown]));
    }
    program(calls)
}

/// The steps for creating a node whose mode is the argument `location`, and its device the next one.
fn making(location: u32) -> Vec<libc::sock_filter> {
    vec![
        step(LOAD, argument(location), 0, 0),
        step(AND, libc::S_IFMT, 0, 0),
        step(IF_EQUAL, libc::S_IFBLK, 4, 0),
        step(IF_EQUAL, libc::S_IFCHR, 0, 2),
        step(LOAD, argument(location + 1), 0, 0),
        // Character device 0 is the whiteout of an overlay, which everybody may create.
        step(IF_EQUAL, 0, 0, 1),
        ALLOW,
        ASK,
    ]
}

/// A program that allows all calls except these, whose steps end in an answer.
fn program(
    calls: impl IntoIterator<Item = (libc::c_long, Vec<libc::sock_filter>)>,
) -> Vec<libc::sock_filter> {
    let Some(machine) = MACHINE else { return Vec::new() };
    let mut program =
        vec![step(LOAD, ARCHITECTURE, 0, 0), step(IF_EQUAL, machine, 1, 0), ALLOW, step(LOAD, NUMBER, 0, 0)];
    for (call, steps) in calls {
        program.push(step(IF_EQUAL, call as u32, 0, steps.len() as u8));
        program.extend(steps);
    }
    program.push(ALLOW);
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a filter answers, by running it as the kernel would.
    pub(super) fn answer(
        program: &[libc::sock_filter],
        machine: u32,
        call: libc::c_long,
        arguments: [u32; 4],
    ) -> u32 {
        let (mut location, mut loaded) = (0, 0);
        loop {
            let step = program[location];
            location += 1;
            let jump = |holds: bool| usize::from(if holds { step.jt } else { step.jf });
            match u32::from(step.code) {
                LOAD if step.k == NUMBER => loaded = call as u32,
                LOAD if step.k == ARCHITECTURE => loaded = machine,
                LOAD => loaded = arguments[((step.k - argument(0)) / 8) as usize],
                AND => loaded &= step.k,
                IF_EQUAL => location += jump(loaded == step.k),
                IF_ANY_BIT => location += jump(loaded & step.k != 0),
                IF_AT_LEAST => location += jump(loaded >= step.k),
                IF_ABOVE => location += jump(loaded > step.k),
                SKIP => location += step.k as usize,
                ANSWER => return step.k,
                code => panic!("{code}"),
            }
        }
    }

    #[test]
    fn only_sync_calls_are_skipped() {
        let Some(machine) = MACHINE else { return };
        let answer = |machine, call| answer(&without_sync(), machine, call, [0; 4]);
        for call in SYNC {
            assert_eq!(answer(machine, call), libc::SECCOMP_RET_ERRNO);
            assert_eq!(answer(machine ^ 1, call), libc::SECCOMP_RET_ALLOW);
        }
        for call in [libc::SYS_write, libc::SYS_openat, libc::SYS_close, libc::SYS_execve] {
            assert_eq!(answer(machine, call), libc::SECCOMP_RET_ALLOW);
        }
    }

    #[test]
    fn only_device_nodes_are_asked_about() {
        let Some(machine) = MACHINE else { return };
        let ask = |mode, device| {
            let answered = answer(&of_devices(false), machine, libc::SYS_mknodat, [7, 7, mode, device]);
            #[cfg(target_arch = "x86_64")]
            assert_eq!(answered, answer(&of_devices(false), machine, libc::SYS_mknod, [7, mode, device, 7]));
            assert!([libc::SECCOMP_RET_USER_NOTIF, libc::SECCOMP_RET_ALLOW].contains(&answered));
            answered == libc::SECCOMP_RET_USER_NOTIF
        };
        assert!(ask(libc::S_IFCHR | 0o666, 0x103) && ask(libc::S_IFBLK, 0x800) && ask(libc::S_IFBLK, 0));
        assert!(!ask(libc::S_IFCHR | 0o600, 0));
        for kind in [0, libc::S_IFREG, libc::S_IFIFO, libc::S_IFSOCK, libc::S_IFDIR] {
            assert!(!ask(kind | 0o666, 0x103));
        }
    }

    #[test]
    fn path_queries_cost_nothing_without_devices() {
        let Some(machine) = MACHINE else { return };
        let answer = |shows, call, flags| answer(&of_devices(shows), machine, call, [0, 0, 0, flags]);
        for call in [libc::SYS_newfstatat, libc::SYS_llistxattr, libc::SYS_listxattr] {
            assert_eq!(answer(true, call, libc::AT_SYMLINK_NOFOLLOW as u32), libc::SECCOMP_RET_USER_NOTIF);
            assert_eq!(answer(false, call, 0), libc::SECCOMP_RET_ALLOW);
        }
        let open = libc::AT_EMPTY_PATH as u32;
        assert_eq!(answer(true, libc::SYS_newfstatat, open), libc::SECCOMP_RET_ALLOW);
        let unknown = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
        assert_eq!(answer(true, libc::SYS_statx, 0), unknown);
        assert_eq!(answer(true, libc::SYS_openat, 0), libc::SECCOMP_RET_ALLOW);
    }
}
