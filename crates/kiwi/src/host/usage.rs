//! What this program and the children it has waited for have used so far, and the pieces of work that used it.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Totals since the program began.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Processor time of user and system in seconds.
    pub cpu: f64,
    /// Bytes read from disks.
    pub read: u64,
    /// Bytes written to disks, at the latest when the system finds the time; what stays in memory does not count.
    pub written: u64,
}

/// What the cache had to do with a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FromCache {
    /// It was taken from it.
    Taken,
    /// It was put into it.
    Kept,
}

/// A piece of work that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// What was shown to the user.
    pub name: String,
    /// Seconds after the program began.
    pub start: f64,
    /// The same.
    pub end: f64,
    /// What the whole program used meanwhile.
    pub usage: Usage,
    /// Whether it was taken from the cache or put into it.
    pub cache: Option<FromCache>,
    /// Whether it succeeded.
    pub succeeded: bool,
}

/// Every piece of work of this run.
pub struct Spans {
    began: Instant,
    over: Mutex<Vec<Span>>,
}

impl Default for Spans {
    fn default() -> Self {
        Self { began: Instant::now(), over: Mutex::default() }
    }
}

impl Spans {
    pub(super) fn now(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    pub(super) fn add(&self, span: Span) {
        self.over.lock().unwrap_or_else(PoisonError::into_inner).push(span);
    }

    /// All that are over, in the order they began.
    pub fn list(&self) -> Vec<Span> {
        let mut spans = self.over.lock().unwrap_or_else(PoisonError::into_inner).clone();
        spans.sort_by(|one, other| one.start.total_cmp(&other.start));
        spans
    }

    /// The time since the program began, and what it used.
    pub fn total(&self) -> (f64, Usage) {
        (self.now(), Usage::so_far())
    }
}

impl Usage {
    /// Reads the kernel's counters; where they cannot be read they are zero.
    pub(super) fn so_far() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let (read_bytes, written) = disk_bytes(&read("/proc/self/io"));
        let ticks = rustix::param::clock_ticks_per_second();
        Self { cpu: cpu_ticks(&read("/proc/self/stat")) as f64 / ticks as f64, read: read_bytes, written }
    }

    pub(super) fn since(self, before: Self) -> Self {
        Self {
            cpu: (self.cpu - before.cpu).max(0.0),
            read: self.read.saturating_sub(before.read),
            written: self.written.saturating_sub(before.written),
        }
    }
}

/// Most memory this program itself had at any time, in bytes.
pub(super) fn peak_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) << 10
}

/// utime, stime, cutime and cstime, the fields 14 to 17; the second one, the name, may hold anything.
fn cpu_ticks(stat: &str) -> u64 {
    let behind_name = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    behind_name.split(' ').skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum()
}

fn disk_bytes(io: &str) -> (u64, u64) {
    let field = |name: &str| {
        let line = io.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    };
    (field("read_bytes:"), field("write_bytes:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_behind_any_name() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5";
        assert_eq!(cpu_ticks(stat), 127);
        assert_eq!(disk_bytes("rchar: 1\nwchar: 2\nread_bytes: 30\nwrite_bytes: 40\n"), (30, 40));
    }
}
