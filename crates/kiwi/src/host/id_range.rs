//! Ranges of user or group ids, and their mapping.

/// Consecutive user or group ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// The lowest id.
    pub(super) first: u32,
    /// The number of ids.
    pub(super) count: u32,
}

impl Range {
    /// Returns the id behind the last one.
    pub(super) fn end(self) -> u64 {
        u64::from(self.first) + u64::from(self.count)
    }

    /// Returns whether an id is in both.
    pub(super) fn overlaps(self, other: Self) -> bool {
        u64::from(self.first) < other.end() && u64::from(other.first) < self.end()
    }

    /// Returns whether every id of `other` is in it.
    pub(super) fn contains(self, other: Self) -> bool {
        self.first <= other.first && other.end() <= self.end()
    }
}

/// Consecutive ids of a user namespace, and those that they are outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// The lowest id inside.
    pub(super) inside: u32,
    /// The ids outside.
    pub(super) outside: Range,
}

impl Extent {
    /// Returns ids that are the same inside and outside.
    pub(super) fn same(range: Range) -> Self {
        Self { inside: range.first, outside: range }
    }
}
