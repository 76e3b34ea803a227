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

/// Accepts what package managers select packages by: a name or a pattern of names, a path, a group (`@core`), a capability
/// (`pkgconfig(x)`), and a name or capability with a version (`x >= 1.2`). Only groups and text in parentheses contain blanks.
fn package(text: &str) -> bool {
    let graphic = |c: char| {
        c.is_alphanumeric()
            || (c.is_ascii_punctuation() && !matches!(c, '"' | '\'' | '\\' | '`' | '$' | ';' | '|' | '&'))
    };
    let group = text.strip_prefix('@').unwrap_or(text);
    !group.is_empty()
        && group.trim() == group
        && !text.starts_with(['-', '#', ','])
        && text.chars().all(|c| c == ' ' || graphic(c))
        && (text.len() > group.len() || one_package(text))
}

/// Returns whether a text without `@` selects one package, not several: `name`, `name >= version`.
fn one_package(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut outside = String::new();
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return false,
            ')' => depth -= 1,
            _ if depth == 0 => outside.push(c),
            _ => {}
        }
    }
    let words: Vec<&str> = outside.split(' ').filter(|word| !word.is_empty()).collect();
    let related = |word: &str| matches!(word, "=" | "==" | "<" | "<=" | ">" | ">=");
    let one = match words.as_slice() {
        [] | [_] => true,
        [relation, version] if text.starts_with('(') => related(relation) && !related(version),
        [name, relation, version] => !related(name) && related(relation) && !related(version),
        _ => false,
    };
    depth == 0 && one && !outside.contains(',')
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
    PackageName, "one package: a name or pattern, `@group`, `capability(x)`, a path, or `name >= version`", package
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_package_managers_select_by() {
        for name in [
            "libc6:i386",
            "bash=5.2-1",
            "linux-image-*",
            "*-firmware",
            "[a-oq-z]*-firmware",
            "@core",
            "@Xfce Desktop",
            "@^server-product-environment",
            "group(mail)",
            "libc.so.6()(64bit)",
            "perl(Foo::Bar) >= 1.2",
            "(systemd if (kernel or linux))",
            "systemd >= 255.7",
            "systemd>=255.7",
            "/usr/bin/python3",
            "bar?",
            "!vim",
            "java-1.8.0~rc^git",
        ] {
            assert!(PackageName::parse(name).is_some(), "{name}");
        }
    }

    #[test]
    fn refuses_several_packages_options_and_shell_text() {
        for name in [
            "",
            " ",
            "@",
            "-y",
            "--force",
            "vim emacs",
            "vim, emacs",
            "vim,emacs",
            "vim >=",
            ">= 1.2",
            "vim >= >=",
            "cap(x",
            "cap)x(",
            "a\nb",
            "a\tb",
            " vim",
            "vim ",
            "$(id)",
            "`id`",
            "vim;id",
            "vim|id",
            "vim&",
            "'vim'",
            "#vim",
        ] {
            assert!(PackageName::parse(name).is_none(), "{name}");
        }
    }
}
