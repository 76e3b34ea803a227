//! A range of user or group ids.

/// Consecutive user or group ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// The lowest id.
    pub(super) first: u32,
    /// The number of ids.
    pub(super) count: u32,
}
