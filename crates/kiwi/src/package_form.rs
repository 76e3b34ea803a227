//! The forms of the names, versions, architectures and digests of packages (Debian Policy 5.6.1, 5.6.12), checked before
//! a value of an index or a lock becomes part of a path.

pub(crate) mod rpm;

/// Returns whether it is the name of a package.
pub(crate) fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    text.len() > 1 && starts_alphanumeric(text) && text.bytes().all(allowed)
}

/// Returns whether it is the version of a package.
pub(crate) fn is_version(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".+-~:".contains(&byte);
    starts_alphanumeric(text) && text.bytes().all(allowed)
}

/// Returns whether it is the name of an architecture.
pub(crate) fn is_architecture(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    starts_alphanumeric(text) && text.bytes().all(allowed)
}

/// Returns whether it is a SHA-256 in lower-case hex.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Returns whether it is the path of a file below a repository, also after its escapes (`%2b`) are decoded.
pub(crate) fn is_file(text: &str) -> bool {
    let below = |path: &str| {
        path.split('/').all(|part| !matches!(part, "" | "." | "..")) && !path.contains(char::is_control)
    };
    below(text) && below(&decoded(text))
}

/// Returns a path without the escapes that URLs need; an invalid escape is kept.
pub(crate) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|byte| (*byte as char).to_digit(16));
    let (mut plain, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn starts_alphanumeric(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_debian_has() {
        assert!(["libstdc++6", "0ad", "gcc-12", "x11-utils", "7zip"].into_iter().all(is_name));
        assert!(["1:2.0~rc1-3+deb12u1", "20230311", "0.0-r1"].into_iter().all(is_version));
        assert!(["amd64", "all", "kfreebsd-i386"].into_iter().all(is_architecture));
        assert!(is_sha256(&"0f".repeat(32)));
        assert!(
            ["a.package", "pool/main/g/g++/g%2b%2b_1%3a2_all.package", "my package"].into_iter().all(is_file)
        );
        assert_eq!(decoded("a%2bb%zz%2"), "a+b%zz%2");
    }

    #[test]
    fn rejects_paths_and_other_characters() {
        assert!(
            !["", "a", "../a", "a/b", "A1", "-a", ".aa", "a b", "aa\n", "aa\"", "aé"]
                .into_iter()
                .any(is_name)
        );
        assert!(!["", "1/2", "..", "-1", "1 2", "1_2", "1\n", "1%2f"].into_iter().any(is_version));
        assert!(!["", "../x", "amd64_", "AMD64", "-all"].into_iter().any(is_architecture));
        assert!(
            !["", "../../x", &"0F".repeat(32), &"0f".repeat(31), &"../".repeat(21)]
                .into_iter()
                .any(is_sha256)
        );
        let files = [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "./a",
            "a/",
            "a\nb",
            "%2e%2e/x",
            "a%2f..%2fb",
            "a%00",
        ];
        assert!(!files.into_iter().any(is_file));
    }
}
