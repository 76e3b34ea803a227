//! When a packet is sent again, and when a transfer is given up.

use std::time::{Duration, Instant};

/// The wait for an answer before any was measured.
const FIRST: Duration = Duration::from_secs(1);
const SHORTEST: Duration = Duration::from_millis(64);
const LONGEST: Duration = Duration::from_secs(4);

/// Measures answers and derives how long to wait for the next one.
#[derive(Debug, Clone)]
pub(super) struct Timer {
    patience: Duration,
    wait: Duration,
    /// The usual time of an answer; none: not yet measured.
    usual: Option<Duration>,
    sent: Instant,
    /// The packet was sent more than once, so an answer does not measure anything.
    repeated: bool,
    /// The begin of the present wait for progress.
    begin: Instant,
}

impl Timer {
    /// Returns a timer for a transfer that is given up after `patience` without progress.
    pub(super) fn new(patience: Duration) -> Self {
        let now = Instant::now();
        Self { patience, wait: FIRST, usual: None, sent: now, repeated: false, begin: now }
    }

    /// Notes that a packet was sent the first time.
    pub(super) fn sent(&mut self) {
        self.sent = Instant::now();
        self.repeated = false;
    }

    /// Notes that the last packet was sent again: the next wait is longer.
    pub(super) fn sent_again(&mut self) {
        self.sent = Instant::now();
        self.repeated = true;
        self.wait = (self.wait * 2).min(LONGEST);
    }

    /// Notes the answer to the last packet.
    pub(super) fn answered(&mut self) {
        if self.repeated {
            return;
        }
        let measured = self.sent.elapsed();
        let usual = self.usual.map_or(measured, |usual| (usual * 7 + measured) / 8);
        self.usual = Some(usual);
        // A power of two, so that the socket's limit is rarely changed.
        let millis = (usual * 4).as_millis().max(SHORTEST.as_millis()) as u64;
        self.wait = Duration::from_millis(millis.next_power_of_two()).min(LONGEST);
    }

    /// Begins to wait for progress. The time that the client spends elsewhere does not count.
    pub(super) fn begin(&mut self) {
        self.begin = Instant::now();
    }

    /// How long to wait for the next packet.
    pub(super) fn wait(&self) -> Duration {
        self.wait
    }

    /// Whether an answer is overdue by so much that a repeated packet is a sign of a lost one.
    pub(super) fn is_late(&self) -> bool {
        self.sent.elapsed() >= self.wait / 2
    }

    /// Whether the present wait for progress has lasted too long.
    pub(super) fn is_over(&self) -> bool {
        self.begin.elapsed() >= self.patience
    }
}
