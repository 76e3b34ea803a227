//! Ctrl-C and other signals: children are ended, then the work unwinds and cleans up as after any error.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The user asked to stop.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted {
    /// The number of the signal.
    pub signal: i32,
}

#[derive(Default)]
struct Shared {
    /// The number of the first signal; 0: none yet.
    asked: AtomicI32,
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
                for signal in signals.forever() {
                    let _ = shared.asked.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
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
        match self.0.asked.load(Ordering::SeqCst) {
            0 => Ok(()),
            signal => Err(Interrupted { signal }),
        }
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
