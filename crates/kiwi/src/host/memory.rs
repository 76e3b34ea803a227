//! The memory that a build may use: that of the machine, and of the control groups, version 1 and 2, around this process.
//!
//! Builds that run at once share it: each notes what it reserved in a file that it locks, and the others leave that out.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::leftovers::Leftovers;
use super::{Host, namespace};

const LOCK: &str = "lock";

/// Returns the bytes that can be used without swapping and without exceeding the limit of a control group. `proc` is
/// `/proc`, `cgroup` is `/sys/fs/cgroup`.
pub(super) fn available(proc: &Path, cgroup: &Path) -> u64 {
    let text = fs::read_to_string(proc.join("meminfo")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("MemAvailable:")).unwrap_or_default();
    let machine = line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) << 10;
    let groups = fs::read_to_string(proc.join("self/cgroup")).unwrap_or_default();
    groups.lines().flat_map(|line| of_group(line, cgroup)).fold(machine, u64::min)
}

/// Returns what is left in the group with this directory, if it has a limit.
type Left = fn(&Path) -> Option<u64>;

/// Returns what is left in each limited group from that of a line `ID:CONTROLLERS:PATH` up to the root.
fn of_group(line: &str, cgroup: &Path) -> Vec<u64> {
    let mut parts = line.splitn(3, ':');
    let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
        return Vec::new();
    };
    let (mounts, left): (_, Left) = if controllers.is_empty() {
        ([cgroup.to_owned(), cgroup.join("unified")], left_of_version_2)
    } else if controllers.split(',').any(|controller| controller == "memory") {
        ([cgroup.join("memory"), cgroup.join(controllers)], left_of_version_1)
    } else {
        return Vec::new();
    };
    // In a container the path may be one of the host, and the top of the mount is the group of the container.
    let path = Path::new(path.trim_start_matches('/'));
    let levels = |mount: PathBuf| path.ancestors().map(move |level| mount.join(level)).collect::<Vec<_>>();
    mounts.into_iter().flat_map(levels).filter_map(|level| left(&level)).collect()
}

fn number(path: PathBuf) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Returns a value of `memory.stat`.
fn statistic(directory: &Path, name: &str) -> u64 {
    let text = fs::read_to_string(directory.join("memory.stat")).unwrap_or_default();
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    found.unwrap_or(0)
}

fn left_of_version_1(directory: &Path) -> Option<u64> {
    let limit = number(directory.join("memory.limit_in_bytes"))?;
    let used = number(directory.join("memory.usage_in_bytes"))?;
    // The kernel takes back pages of files before it kills.
    Some(limit.saturating_sub(used.saturating_sub(statistic(directory, "total_inactive_file "))))
}

fn left_of_version_2(directory: &Path) -> Option<u64> {
    // `max`, for no limit, is not a number.
    let limits = [number(directory.join("memory.max")), number(directory.join("memory.high"))];
    let limit = limits.into_iter().flatten().min()?;
    let used = number(directory.join("memory.current"))?;
    Some(limit.saturating_sub(used.saturating_sub(statistic(directory, "inactive_file "))))
}

/// Memory that this build reserved; the note is removed with the value.
#[derive(Debug)]
pub struct Reservation {
    path: PathBuf,
    file: File,
    leftovers: Leftovers,
}

impl Reservation {
    /// Notes another amount.
    pub fn set(&mut self, bytes: u64) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        write!(self.file, "{bytes}")
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        self.leftovers.forget(&self.path);
    }
}

impl Host {
    /// Lets `choose` decide how much of the memory that is available and that no other build reserved this build reserves;
    /// 0 means none. `notes` is the directory of the reservations, in a directory that only this user can change.
    pub fn reserve_memory(
        &self,
        notes: &Path,
        choose: impl FnOnce(u64) -> u64,
    ) -> std::io::Result<(u64, Option<Reservation>)> {
        self.create_directories(notes)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).custom_flags(libc::O_NOFOLLOW);
        let lock = options.open(notes.join(LOCK))?;
        flock(&lock, FlockOperation::LockExclusive)?;
        let bytes = choose(self.available_memory().saturating_sub(reserved(notes)));
        if bytes == 0 {
            return Ok((0, None));
        }
        let path = notes.join(format!("{}", namespace::outer_pid()));
        // What another build with this number left.
        let _ = fs::remove_file(&path);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        self.leftovers.note(&path);
        let mut reservation = Reservation { path, file, leftovers: self.leftovers.clone() };
        reservation.set(bytes)?;
        Ok((bytes, Some(reservation)))
    }
}

/// Returns the sum of all notes of builds that still run; removes the others.
fn reserved(notes: &Path) -> u64 {
    let entries = notes.read_dir().into_iter().flatten().flatten();
    let of_note = |path: PathBuf| {
        let mut options = OpenOptions::new();
        let file = options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(&path).ok()?;
        if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
            let _ = fs::remove_file(&path);
            return None;
        }
        let mut text = String::new();
        file.take(20).read_to_string(&mut text).ok()?;
        text.trim().parse::<u64>().ok()
    };
    let names = entries.filter(|entry| entry.file_name() != LOCK);
    names.filter_map(|entry| of_note(entry.path())).fold(0, u64::saturating_add)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test is its own host")]
mod tests {
    use super::*;
    use crate::host::Output;

    fn system(files: &[(&str, &str)]) -> u64 {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        available(&directory.path().join("proc"), &directory.path().join("cgroup"))
    }

    const MACHINE: (&str, &str) = ("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable: 8000 kB\n");

    #[test]
    fn without_limits_the_machine_decides() {
        assert_eq!(system(&[MACHINE]), 8000 << 10);
        let files = [
            MACHINE,
            ("proc/self/cgroup", "0::/a\n"),
            ("cgroup/a/memory.max", "max\n"),
            ("cgroup/a/memory.current", "5\n"),
        ];
        assert_eq!(system(&files), 8000 << 10);
        let unlimited = "9223372036854771712\n";
        let files = [
            MACHINE,
            ("proc/self/cgroup", "4:memory:/\n"),
            ("cgroup/memory/memory.limit_in_bytes", unlimited),
            ("cgroup/memory/memory.usage_in_bytes", "1\n"),
        ];
        assert_eq!(system(&files), 8000 << 10);
    }

    #[test]
    fn the_narrowest_group_up_to_the_root_decides() {
        let version_1 = [
            MACHINE,
            ("proc/self/cgroup", "9:name=systemd:/x\n4:memory:/build/one\n"),
            ("cgroup/memory/build/one/memory.limit_in_bytes", "5000000\n"),
            ("cgroup/memory/build/one/memory.usage_in_bytes", "1000000\n"),
            ("cgroup/memory/build/memory.limit_in_bytes", "4000000\n"),
            ("cgroup/memory/build/memory.usage_in_bytes", "2000000\n"),
            ("cgroup/memory/build/memory.stat", "inactive_file 1\ntotal_inactive_file 500000\n"),
        ];
        assert_eq!(system(&version_1), 2_500_000);
        let version_2 = [
            MACHINE,
            ("proc/self/cgroup", "0::/build/one\n"),
            ("cgroup/build/one/memory.max", "max\n"),
            ("cgroup/build/one/memory.high", "6000000\n"),
            ("cgroup/build/one/memory.current", "1000000\n"),
            ("cgroup/build/memory.max", "3000000\n"),
            ("cgroup/build/memory.current", "2000000\n"),
            ("cgroup/build/memory.stat", "anon 7\ninactive_file 250000\n"),
        ];
        assert_eq!(system(&version_2), 1_250_000);
    }

    #[test]
    fn a_container_sees_its_own_group_at_the_top() {
        let files = [
            MACHINE,
            ("proc/self/cgroup", "4:cpu,memory:/docker/0123\n0::/docker/0123\n"),
            ("cgroup/cpu,memory/memory.limit_in_bytes", "3000000\n"),
            ("cgroup/cpu,memory/memory.usage_in_bytes", "1000000\n"),
            ("cgroup/unified/memory.max", "1500000\n"),
            ("cgroup/unified/memory.current", "0\n"),
        ];
        assert_eq!(system(&files), 1_500_000);
    }

    #[test]
    fn builds_that_run_at_once_share_the_memory() {
        let directory = tempfile::tempdir().unwrap();
        let notes = directory.path().join("notes");
        let host = Host::new(Output::Quiet);
        // Locks of one process on different open files exclude each other, too.
        let (first, held) = host.reserve_memory(&notes, |available| available / 2).unwrap();
        fs::rename(notes.join(namespace::outer_pid().to_string()), notes.join("1")).unwrap();
        assert_eq!(reserved(&notes), first);
        let mut seen = 0;
        let (none, nothing) = host
            .reserve_memory(&notes, |available| {
                seen = available;
                0
            })
            .unwrap();
        assert!(none == 0 && nothing.is_none() && seen <= first + first / 2, "{first}, {seen}");
        drop(held);
        assert_eq!(reserved(&notes), 0);
        assert!(!notes.join("1").exists(), "the note of a build that ended is removed");
    }
}
