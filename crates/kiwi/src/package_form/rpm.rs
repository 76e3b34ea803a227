//! The forms of the names, versions and architectures of RPM packages.

/// Returns whether it is the name of a package.
pub(crate) fn is_name(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    text.starts_with(first) && !text.starts_with("..") && text.bytes().all(allowed)
}

/// Returns whether it is a version or a release.
pub(crate) fn is_version(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._+~^".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

/// Returns whether it is an architecture.
pub(crate) fn is_architecture(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && text.bytes().all(allowed)
}

/// Returns whether it is `[EPOCH:]VERSION-RELEASE`.
pub(crate) fn is_edition(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._+~^-:".contains(&byte);
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(allowed)
}
