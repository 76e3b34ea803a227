//! A system call filter that makes asking for the disk's promise succeed at once.
//!
//! A tree under way is thrown away when the machine stops, so nothing in it has to be safe on the disk before the build
//! is done; dpkg would ask after every step of every package.

/// Calls that only wait for the disk.
const CALLS: [libc::c_long; 5] =
    [libc::SYS_fsync, libc::SYS_fdatasync, libc::SYS_sync, libc::SYS_syncfs, libc::SYS_sync_file_range];

/// What the kernel calls the machine this is built for; elsewhere there is no filter and builds only take longer.
const MACHINE: Option<u32> = if cfg!(target_arch = "x86_64") {
    Some(0xc000_003e)
} else if cfg!(target_arch = "aarch64") {
    Some(0xc000_00b7)
} else {
    None
};

/// Offsets in what the kernel shows a filter.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// The filter's program.
pub(super) fn program() -> Vec<libc::sock_filter> {
    let Some(machine) = MACHINE else { return Vec::new() };
    let load = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    let equal = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    let answer = (libc::BPF_RET | libc::BPF_K) as u16;
    let step = |code, k, jt, jf| libc::sock_filter { code, jt, jf, k };
    let count = CALLS.len() as u8;
    let mut program =
        vec![step(load, ARCHITECTURE, 0, 0), step(equal, machine, 0, count + 1), step(load, NUMBER, 0, 0)];
    for (place, call) in CALLS.iter().enumerate() {
        program.push(step(equal, *call as u32, count - place as u8, 0));
    }
    program.push(step(answer, libc::SECCOMP_RET_ALLOW, 0, 0));
    // Error number 0: the call did all that was asked.
    program.push(step(answer, libc::SECCOMP_RET_ERRNO, 0, 0));
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the filter answers, by running it as the kernel would.
    fn answer(machine: u32, call: libc::c_long) -> u32 {
        let (program, mut place, mut loaded) = (program(), 0, 0);
        loop {
            let step = program[place];
            place += 1;
            match u32::from(step.code) & 0x07 {
                libc::BPF_LD => loaded = if step.k == NUMBER { call as u32 } else { machine },
                libc::BPF_JMP => place += usize::from(if loaded == step.k { step.jt } else { step.jf }),
                _ => return step.k,
            }
        }
    }

    #[test]
    fn only_waiting_for_the_disk_is_left_out() {
        let Some(machine) = MACHINE else { return };
        for call in CALLS {
            assert_eq!(answer(machine, call), libc::SECCOMP_RET_ERRNO);
            assert_eq!(answer(machine ^ 1, call), libc::SECCOMP_RET_ALLOW);
        }
        for call in [libc::SYS_write, libc::SYS_openat, libc::SYS_close, libc::SYS_execve] {
            assert_eq!(answer(machine, call), libc::SECCOMP_RET_ALLOW);
        }
    }
}
