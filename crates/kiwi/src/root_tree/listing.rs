//! The content of a small tree as text, for tests that pin the result of a stage.

use std::os::unix::fs::MetadataExt;

use super::RootTree;

/// Returns a line for each entry, sorted: path, mode, link target and content; neither owners nor times, which depend
/// on the user and the time of the test.
pub(crate) fn listing(tree: &RootTree) -> String {
    let mut text = String::new();
    for entry in walkdir::WalkDir::new(tree.path()).min_depth(1).sort_by_file_name() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        let target = std::fs::read_link(entry.path()).unwrap_or_default();
        let content = if metadata.is_file() { std::fs::read(entry.path()).unwrap() } else { Vec::new() };
        let path = entry.path().strip_prefix(tree.path()).unwrap();
        text += &format!(
            "{} {:o} {} {}\n",
            path.display(),
            metadata.mode(),
            target.display(),
            content.escape_ascii()
        );
    }
    text
}
