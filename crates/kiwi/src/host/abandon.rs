//! The end of a run whose work does not end by itself after a signal: what it would have removed is removed here.

use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use super::Host;
use super::file::remove_tree;
use super::interrupt::Interrupted;
use super::terminal;

impl Host {
    /// Does something short that must be done completely or not at all, such as giving several files their names.
    pub fn completely<T>(&self, work: impl FnOnce() -> T) -> T {
        let _whole = self.leftovers.whole();
        work()
    }

    /// Runs a program that removes something after a signal, which does not end it.
    pub fn clean_up_with(&self, program: &Path, arguments: &[String]) -> std::io::Result<ExitStatus> {
        Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status()
    }

    /// Calls `end` in a thread of its own when the work has not ended in time after a signal. It must end the program.
    pub fn on_overdue(&self, end: impl Fn(Interrupted) + Send + Sync + 'static) {
        self.interrupt.on_overdue(Box::new(end));
    }

    /// Ends all children and removes everything that the run would have removed. The program must exit immediately: other
    /// threads still run.
    pub fn abandon(&self) {
        self.interrupt.kill_children();
        for path in self.leftovers.take() {
            // Threads that are still writing can make a directory that was just emptied non-empty again.
            for _ in 0..50 {
                let removed = if path.is_dir() { remove_tree(&path) } else { std::fs::remove_file(&path) };
                if removed.is_ok() || path.symlink_metadata().is_err() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        self.progress.stop_drawing();
        terminal::restore();
    }
}
