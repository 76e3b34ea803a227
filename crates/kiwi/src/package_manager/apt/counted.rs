//! Counts packages for the progress of a stage.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::host::RunningStage;

/// Packages that are unpacked, by several threads.
pub(super) struct Counted<'a> {
    stage: Option<&'a RunningStage<'a>>,
    total: usize,
    begun: AtomicUsize,
}

impl<'a> Counted<'a> {
    pub(super) fn new(total: usize, stage: &'a RunningStage<'_>) -> Self {
        Self { stage: Some(stage), total, begun: AtomicUsize::new(0) }
    }

    /// Reports that a package begins.
    pub(super) fn next(&self, name: &str) {
        let done = self.begun.fetch_add(1, Ordering::Relaxed);
        if let Some(stage) = self.stage {
            stage.advance_package(done, self.total, name);
        }
    }
}

/// Packages that dpkg configures, as its output names them.
pub(super) struct Configured<'a>(Counted<'a>);

impl<'a> Configured<'a> {
    pub(super) fn new(total: usize, stage: &'a RunningStage<'_>) -> Self {
        Self(Counted::new(total, stage))
    }

    /// Returns one that reports nothing.
    pub(super) fn none() -> Self {
        Self(Counted { stage: None, total: 0, begun: AtomicUsize::new(0) })
    }

    /// Reads a line of dpkg.
    pub(super) fn read(&self, line: &str) {
        if let Some(name) = configured(line) {
            self.0.next(name);
        }
    }
}

/// Returns the package that a line of dpkg names: `Setting up libc6:amd64 (2.36-9) ...`.
fn configured(line: &str) -> Option<&str> {
    line.strip_prefix("Setting up ")?.split([' ', ':']).next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::configured;

    #[test]
    fn reads_the_package_that_dpkg_configures() {
        assert_eq!(configured("Setting up libc6:amd64 (2.36-9) ..."), Some("libc6"));
        assert_eq!(configured("Setting up adduser (3.134) ..."), Some("adduser"));
        assert_eq!(configured("Processing triggers for libc-bin (2.36-9) ..."), None);
    }
}
