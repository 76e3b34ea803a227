//! What a boot test found.

use std::path::PathBuf;

use serde::Serialize;

use crate::host::lossy;

/// The checks of a booted system.
#[derive(Debug, Serialize)]
pub struct BootTest {
    /// The image.
    #[serde(serialize_with = "lossy")]
    pub image: PathBuf,
    /// Whether every check passed.
    pub passed: bool,
    /// The checks in their order; the first one is the login.
    pub checks: Vec<CheckResult>,
}

/// The result of one check.
#[derive(Debug, Serialize)]
pub struct CheckResult {
    /// What was checked.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
    /// Why it failed.
    pub failure: Option<String>,
}

impl CheckResult {
    /// Returns the result of a check that was not run, because nobody could log in.
    pub fn skipped(name: String) -> Self {
        Self { name, seconds: 0.0, failure: Some("not run, because nobody could log in".to_owned()) }
    }

    /// Returns whether the check passed.
    pub fn has_passed(&self) -> bool {
        self.failure.is_none()
    }
}
