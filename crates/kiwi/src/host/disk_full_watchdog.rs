//! Kills a command that waits forever for space on a full disk.
//!
//! apt-get does: if an index does not fit, one of its helpers can give up without telling it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Less free space than this counts as full: an index of a distribution is larger.
const FULL: u64 = 64 << 20;
/// How long nothing may change on a full disk.
const PATIENCE: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(250);

/// Watches the free space of a file system while a child runs.
pub(super) struct DiskFullWatchdog {
    over: Arc<AtomicBool>,
    stalled: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl DiskFullWatchdog {
    /// Kills the child if the file system of `directory` is full and its free space has not changed for a while.
    pub(super) fn start(directory: PathBuf, child: u32) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let stalled = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (over, stalled) = (Arc::clone(&over), Arc::clone(&stalled));
            move || {
                let mut last = (0, Instant::now());
                while !over.load(Ordering::SeqCst) {
                    std::thread::sleep(STEP);
                    let Ok(room) = rustix::fs::statvfs(&directory) else { return };
                    let room = room.f_bavail.saturating_mul(room.f_frsize);
                    if room != last.0 || room >= FULL {
                        last = (room, Instant::now());
                    } else if last.1.elapsed() > PATIENCE {
                        stalled.store(true, Ordering::SeqCst);
                        if let Some(pid) = Pid::from_raw(child.cast_signed()) {
                            let _ = kill_process(pid, Signal::KILL);
                        }
                        return;
                    }
                }
            }
        });
        Self { over, stalled, thread: Some(thread) }
    }

    /// Stops watching; returns whether the child was killed. Call it before the process number can be reused.
    pub(super) fn stop(mut self) -> bool {
        self.end();
        self.stalled.load(Ordering::SeqCst)
    }

    fn end(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for DiskFullWatchdog {
    fn drop(&mut self) {
        self.end();
    }
}
