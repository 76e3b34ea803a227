//! Ctrl-C and its relatives: children are ended, then the work unwinds and cleans up as after any error.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The user asked to stop.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

#[derive(Default)]
struct Shared {
    asked: AtomicBool,
    children: Mutex<BTreeSet<i32>>,
}

/// Remembers whether the user asked to stop, and which children run.
#[derive(Clone)]
pub(super) struct Interrupt(Arc<Shared>);

impl Interrupt {
    /// Starts listening for INT, TERM and HUP.
    pub(super) fn listen() -> Self {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let shared = Arc::new(Shared::default());
        if let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]) {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || {
                for _ in signals.forever() {
                    shared.asked.store(true, Ordering::SeqCst);
                    let children = shared.children.lock().unwrap_or_else(PoisonError::into_inner);
                    for &child in children.iter() {
                        if let Some(pid) = rustix::process::Pid::from_raw(child) {
                            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
                        }
                    }
                }
            });
        }
        Self(shared)
    }

    pub(super) fn check(&self) -> Result<(), Interrupted> {
        if self.0.asked.load(Ordering::SeqCst) { Err(Interrupted) } else { Ok(()) }
    }

    /// Notes a child that must end when the user asks to stop; the value forgets it when dropped.
    pub(super) fn watch(&self, child: u32) -> Watched<'_> {
        let child = child.cast_signed();
        self.0.children.lock().unwrap_or_else(PoisonError::into_inner).insert(child);
        Watched { interrupt: self, child }
    }
}

/// A child that is ended when the user asks to stop.
pub(super) struct Watched<'a> {
    interrupt: &'a Interrupt,
    child: i32,
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.interrupt.0.children.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.child);
    }
}
