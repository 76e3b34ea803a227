//! The forms of the names, versions, architectures and checksums of RPM packages, checked before a value becomes part of
//! a path, of a command line or of a cache key.

use anyhow::{Result, ensure};

use crate::package_form::is_file;
pub(crate) use crate::package_form::rpm::{is_architecture, is_name, is_version};

/// Returns a text that must have a form.
pub(super) fn checked<'t>(text: &'t str, form: fn(&str) -> bool, what: &str) -> Result<&'t str> {
    ensure!(form(text), "the {what} {text:?} is invalid");
    Ok(text)
}

/// Returns the path of a file below the repository.
pub(super) fn location(text: &str) -> Result<&str> {
    // Tools that index the current directory write the prefix.
    let text = text.strip_prefix("./").unwrap_or(text);
    checked(text, is_file, "location")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_distributions_have() {
        assert!(
            ["gcc-c++", "NetworkManager", "python3.11", "_x", "libstdc++6", "0ad"].into_iter().all(is_name)
        );
        assert!(["1.2~rc1", "3_4+deb12u1", "5.fc39", "1^20260101git"].into_iter().all(is_version));
        assert!(["x86_64", "noarch", "i686", "armv7hl"].into_iter().all(is_architecture));
        assert_eq!(location("./x86_64/a%2b.rpm").unwrap(), "x86_64/a%2b.rpm");
    }

    #[test]
    fn rejects_paths_and_options() {
        assert!(!["", "-x", "+", "a/b", "..", "../a", "a b", "a\n", "a(b)", "é"].into_iter().any(is_name));
        assert!(!["", "1-2", "1:2", "1/2", "1 ", "\n"].into_iter().any(is_version));
        assert!(!["", "x86-64", "../x", "a b"].into_iter().any(is_architecture));
        for wrong in ["", "/etc/passwd", "../x", "a/../b", "a\nb", "a//b"] {
            assert!(location(wrong).is_err(), "{wrong}");
        }
    }
}
