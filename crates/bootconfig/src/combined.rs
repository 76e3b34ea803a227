//! Where the parts of a split image are in the running system (docs/formats/image-files.md).

/// The directory where the read-only part is mounted.
pub const READ_ONLY_PART: &str = "system";
/// The directory of either part for the paths that are in another part than the directory above them.
pub const MOVED: &str = ".kiwi";
/// The paths of the writable part among them.
pub const MOVED_PERSISTENT: &str = ".kiwi/persistent";
/// The paths of the read-only part among them.
pub const MOVED_READ_ONLY: &str = ".kiwi/read-only";
/// The paths whose changes are lost at the next boot: in the read-only part as each boot finds them, in the system where they are
/// mounted below a layer in memory.
pub const MOVED_TEMPORARY: &str = ".kiwi/temporary";
