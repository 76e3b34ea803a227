//! Names that exist only in valid form.

use std::fmt;

/// Declares a string newtype that can only be created by parsing.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        pub struct $name(String);

        impl $name {
            /// Describes a valid value, for diagnostics.
            pub const EXPECTED: &'static str = $expected;

            /// Accepts `text` if it has the form of this name.
            pub fn parse(text: &str) -> Option<Self> {
                let valid: fn(&str) -> bool = $valid;
                valid(text).then(|| Self(text.to_owned()))
            }

            /// Returns the name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn posix(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

fn package(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        && bytes.all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b'_' | b':' | b'~' | b'=' | b'*')
        })
}

fn printable(text: &str) -> bool {
    !text.is_empty() && !text.contains(['\n', '\0', ','])
}

name!(
    /// The base name of an image, `image/@name`.
    ImageName, "letters, digits, '_', '-' and '.'", |text| posix(text) && !text.starts_with(['-', '.'])
);
name!(
    /// The version of an image, `preferences/version`.
    Version, "Major.Minor.Release, made of letters, digits, '_', '-' and '.'", posix
);
name!(
    /// The name of a profile.
    ProfileName, "a name without comma or line break", printable
);
name!(
    /// The name of a package, as its package manager writes it.
    PackageName, "a package name: letters, digits, '+', '-', '.', '_', ':', '~', '='", package
);
name!(
    /// The name of a pattern, a group of packages.
    PatternName, "a pattern name without comma or line break", printable
);
name!(
    /// The name of a user or group.
    UserName, "a name of a user or group: it starts with a letter or '_' and has letters, digits, '_', '-', '.'",
    |text| posix(text) && !text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.')
);
