//! Ctrl-C and other signals: children are ended, then the work unwinds and cleans up as after any error. Work that does not
//! look for the signal in time is abandoned (see [`super::Host::abandon`]).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// The time in which the work can end by itself after a signal.
const GRACE: Duration = Duration::from_millis(500);

/// The user asked to stop.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted {
    /// The number of the signal.
    pub signal: i32,
}

/// Ends the program after a signal.
type End = Box<dyn Fn(Interrupted) + Send + Sync>;

#[derive(Default)]
struct Shared {
    /// The number of the first signal; 0: none yet.
    asked: AtomicI32,
    /// Ends the program when the work has not ended in time.
    overdue: OnceLock<End>,
    /// Running children, and the signal that ends each.
    children: Mutex<BTreeMap<i32, Signal>>,
}

impl Shared {
    fn end_later(&self, signal: i32) {
        std::thread::sleep(GRACE);
        if let Some(end) = self.overdue.get() {
            end(Interrupted { signal });
        }
    }

    fn end_children(&self, with: impl Fn(Signal) -> Signal) {
        let children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        for (&child, &signal) in children.iter() {
            if let Some(pid) = Pid::from_raw(child) {
                let _ = kill_process(pid, with(signal));
            }
        }
    }
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
                    let first = shared.asked.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
                    if first.is_ok() {
                        let shared = Arc::clone(&shared);
                        std::thread::spawn(move || shared.end_later(signal));
                    }
                    shared.end_children(|signal| signal);
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

    /// Sets what ends the program when the work has not ended in time after a signal.
    pub(super) fn on_overdue(&self, end: End) {
        let _ = self.0.overdue.set(end);
    }

    /// Kills all children.
    pub(super) fn kill_children(&self) {
        self.0.end_children(|_| Signal::KILL);
    }

    /// Notes a child that gets `signal` when the user asks to stop; the value forgets it when dropped.
    pub(super) fn watch(&self, child: u32, signal: Signal) -> Watched<'_> {
        let child = child.cast_signed();
        self.0.children.lock().unwrap_or_else(PoisonError::into_inner).insert(child, signal);
        // A signal that came before is not delivered by the thread.
        if self.check().is_err()
            && let Some(pid) = Pid::from_raw(child)
        {
            let _ = kill_process(pid, signal);
        }
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
