//! The trusted comment in the signature of a chunk index: for which file of the server the index is.
//!
//! Without it, somebody who controls the server could offer the signed index of another image. The path contains the name and
//! the version of the image, so a client gets exactly the image that its configuration names, or nothing.

/// What a trusted comment starts with.
const MARK: &str = "kiwi file ";

/// Returns the trusted comment for the index of this file, whose path is relative to the directory that is served.
pub fn trusted_comment(path: &str) -> String {
    format!("{MARK}{}", path.trim_start_matches('/'))
}

/// Returns whether a trusted comment is for this file.
pub fn is_trusted_for(comment: &str, path: &str) -> bool {
    comment.strip_prefix(MARK) == Some(path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_for_one_file_only() {
        let comment = trusted_comment("/image/shop.x86_64-1.0.0.gz");
        assert_eq!(comment, "kiwi file image/shop.x86_64-1.0.0.gz");
        assert!(is_trusted_for(&comment, "image/shop.x86_64-1.0.0.gz"));
        for other in ["image/shop.x86_64-1.0.1.gz", "image/shop.x86_64-1.0.0", ""] {
            assert!(!is_trusted_for(&comment, other), "{other}");
        }
        assert!(!is_trusted_for("timestamp:1 file:image/shop.x86_64-1.0.0.gz", "image/shop.x86_64-1.0.0.gz"));
    }
}
