//! `kiwi.lock`: every package of a build, so that exactly the same can be built again.
//!
//! The file is in the description directory and contains no host name: a package is found by its path in its repository
//! and verified by its digest. It is TOML, sorted, and suitable for version control. Like the rest of the description it
//! is not trusted: each value must have its form before it is used.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result};
use description::{Diagnostic, Diagnostics, SourceFile, Span};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::failure::Invalid;
use crate::package_form::{self, is_file, is_sha256, rpm};

/// Its name.
pub const FILE: &str = "kiwi.lock";
/// Its maximum size in bytes.
pub const MAX_SIZE: u64 = 64 << 20;
const FORMAT: u32 = 1;
const HEAD: &str = "# Written by 'kiwi build --lock'; 'kiwi build --locked' builds exactly this.\n";
/// The rule of a wrong value, in diagnostics.
const RULE: &str = "lock-value";
/// The last second of the year 9999.
const LAST_EPOCH: u64 = 253_402_300_799;

/// The image of the packages of a system without profiles.
pub const SYSTEM: &str = "system";

/// Returns the image of the packages of a system with these profiles: `system`, or `system:NAME,NAME`.
pub fn system<'a>(profiles: impl IntoIterator<Item = &'a str>) -> String {
    let names: BTreeSet<&str> = profiles.into_iter().collect();
    match names.is_empty() {
        true => SYSTEM.to_owned(),
        false => format!("{SYSTEM}:{}", names.into_iter().collect::<Vec<_>>().join(",")),
    }
}

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lock {
    format: u32,
    /// The maximum time of files in the image, in seconds since 1970.
    pub epoch: u64,
    /// Every package, sorted.
    #[serde(rename = "package")]
    pub packages: Vec<LockedPackage>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LockedPackage {
    /// The [`system`] with its profiles, or the path of a boot image description.
    pub image: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// Its index in the order of installation.
    pub order: usize,
    /// SHA-256 of its file, in lower-case hex.
    pub sha256: String,
    /// The repository as written in a description; `local` for a directory.
    pub repository: String,
    /// The path of the file, relative to the repository.
    pub file: String,
}

/// The file as it is written, with the positions of its values.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: Spanned<u32>,
    epoch: Spanned<u64>,
    #[serde(default)]
    package: Vec<WrittenPackage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPackage {
    image: Spanned<String>,
    name: Spanned<String>,
    version: Spanned<String>,
    architecture: Spanned<String>,
    order: usize,
    sha256: Spanned<String>,
    repository: Spanned<String>,
    file: Spanned<String>,
}

impl Lock {
    /// Returns a lock file with these packages, each once for an image: trees of several types may have the same one.
    pub fn new(epoch: u64, mut packages: Vec<LockedPackage>) -> Self {
        packages.sort();
        packages.dedup_by(|one, before| LockedPackage { order: before.order, ..one.clone() } == *before);
        Self { format: FORMAT, epoch, packages }
    }

    /// Parses the text of the file; its name is part of the diagnostics.
    ///
    /// # Errors
    ///
    /// The text is not TOML, or a value does not have its form.
    pub fn parse(file: SourceFile) -> Result<Self, Invalid> {
        let mut reader = Reader { file: Arc::new(file), wrong: Diagnostics::default() };
        let written: Written = match toml::from_str(&reader.file.text) {
            Ok(written) => written,
            Err(error) => {
                let range = error.span().unwrap_or(0..0);
                reader.reject(range, error.message().to_owned());
                return Err(Invalid::new(reader.wrong));
            }
        };
        let lock = reader.lock(written);
        match reader.wrong.0.is_empty() {
            true => Ok(lock),
            false => Err(Invalid::new(reader.wrong)),
        }
    }

    /// Returns the text of the file.
    pub fn text(&self) -> Result<String> {
        Ok(format!("{HEAD}{}", toml::to_string(self).context("writing kiwi.lock")?))
    }

    /// Returns the packages of one image. A lock without packages for the profiles of a system may have some for a system without
    /// profiles, which was all that earlier versions wrote.
    pub fn of(&self, image: &str) -> Vec<&LockedPackage> {
        let of =
            |image: &str| self.packages.iter().filter(|package| package.image == image).collect::<Vec<_>>();
        match image.strip_prefix(SYSTEM) {
            Some(profiles) if profiles.starts_with(':') && of(image).is_empty() => of(SYSTEM),
            Some(_) | None => of(image),
        }
    }
}

/// Collects the values of a file and what is wrong with them.
struct Reader {
    file: Arc<SourceFile>,
    wrong: Diagnostics,
}

impl Reader {
    fn reject(&mut self, range: Range<usize>, message: String) {
        let span = Span { file: Arc::clone(&self.file), range };
        let help = "write the file again with 'kiwi build --lock'";
        self.wrong.push(Diagnostic::error(span, message).rule(RULE).help(help));
    }

    fn lock(&mut self, written: Written) -> Lock {
        let Written { format, epoch, package } = written;
        if *format.get_ref() != FORMAT {
            let message = format!("the format is {}, but this kiwi reads format {FORMAT}", format.get_ref());
            self.reject(format.span(), message);
        }
        if *epoch.get_ref() > LAST_EPOCH {
            self.reject(epoch.span(), format!("the time {} is after the year 9999", epoch.get_ref()));
        }
        let packages = package.into_iter().map(|package| self.package(package)).collect();
        Lock { format: FORMAT, epoch: epoch.into_inner(), packages }
    }

    fn package(&mut self, package: WrittenPackage) -> LockedPackage {
        let WrittenPackage { image, name, version, architecture, order, sha256, repository, file } = package;
        LockedPackage {
            image: self.value(image, "an image", is_line),
            name: self.value(name, "the name of a package", is_name),
            version: self.value(version, "the version of a package", is_version),
            architecture: self.value(architecture, "an architecture", is_architecture),
            order,
            sha256: self.value(sha256, "a SHA-256 of 64 digits in lower-case hex", is_sha256),
            repository: self.value(repository, "a repository", is_line),
            file: self.value(file, "the path of a file below a repository", is_file),
        }
    }

    fn value(&mut self, value: Spanned<String>, what: &str, has_form: fn(&str) -> bool) -> String {
        if !has_form(value.get_ref()) {
            self.reject(value.span(), format!("{:?} is not {what}", value.get_ref()));
        }
        value.into_inner()
    }
}

fn is_line(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

/// Returns whether it is the name of a package of any format.
fn is_name(text: &str) -> bool {
    package_form::is_name(text) || rpm::is_name(text)
}

fn is_version(text: &str) -> bool {
    package_form::is_version(text) || rpm::is_edition(text)
}

fn is_architecture(text: &str) -> bool {
    package_form::is_architecture(text) || rpm::is_architecture(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> LockedPackage {
        LockedPackage {
            image: "system".to_owned(),
            name: name.to_owned(),
            version: "1:2-3".to_owned(),
            architecture: "all".to_owned(),
            order: 0,
            sha256: "0f".repeat(32),
            repository: "debian://bookworm".to_owned(),
            file: format!("pool/main/{name}.package"),
        }
    }

    fn parse(text: &str) -> Result<Lock, Invalid> {
        Lock::parse(SourceFile { name: "d/kiwi.lock".to_owned(), text: text.to_owned() })
    }

    #[test]
    fn reads_what_it_writes_sorted() {
        let lock = Lock::new(12, vec![package("bb"), package("aa")]);
        let text = lock.text().unwrap();
        assert!(text.starts_with(HEAD) && text.contains("name = \"aa\"\nversion = \"1:2-3\"\n"), "{text}");
        assert_eq!(parse(&text).unwrap(), lock);
        assert_eq!(
            lock.of("system").iter().map(|package| package.name.as_str()).collect::<Vec<_>>(),
            ["aa", "bb"]
        );
        assert!(parse(&text.replace("format = 1", "format = 2")).is_err());
    }

    #[test]
    fn each_set_of_profiles_has_its_packages() {
        assert_eq!(system([]), "system");
        assert_eq!(system(["b", "a", "b"]), "system:a,b");
        let of = |image: &str, name: &str, order| LockedPackage {
            image: image.to_owned(),
            order,
            ..package(name)
        };
        let names = |lock: &Lock, image: &str| {
            lock.of(image).iter().map(|package| package.name.clone()).collect::<Vec<_>>()
        };
        let packages = [
            of("system:a", "aa", 1),
            of("system:a", "aa", 0),
            of("system:b", "bb", 0),
            of("system", "cc", 0),
        ];
        let lock = Lock::new(0, packages.to_vec());
        assert_eq!(lock.packages.len(), 3, "{lock:?}");
        assert_eq!(lock.of("system:a")[0].order, 0);
        assert_eq!(names(&lock, "system:b"), ["bb"]);
        assert_eq!(
            (names(&lock, "system"), names(&lock, "system:c")),
            (vec!["cc".into()], vec!["cc".into()])
        );
        assert_eq!(names(&lock, "isoboot/debian-12"), [""; 0]);
    }

    #[test]
    fn a_wrong_value_is_an_error_at_its_position() {
        let text = Lock::new(12, vec![package("aa")]).text().unwrap();
        for (good, bad, position) in [
            ("\"aa\"", "\"../../aa\"", (7, 8)),
            ("\"1:2-3\"", "\"1/../..\"", (8, 11)),
            ("\"all\"", "\"\"", (9, 16)),
            (&"0f".repeat(32), "../../../../etc/passwd", (11, 10)),
            ("\"debian://bookworm\"", "\"a\\nb\"", (12, 14)),
            ("pool/main/aa.package", "../../../etc/passwd", (13, 8)),
            ("pool/main/aa.package", "%2e%2e/passwd", (13, 8)),
            ("epoch = 12", "epoch = 999999999999999", (3, 9)),
            ("order = 0", "order = -1", (10, 9)),
            ("order = 0", "odrer = 0", (10, 1)),
        ] {
            let changed = text.replace(good, bad);
            assert_ne!(changed, text, "{good}");
            let invalid = parse(&changed).unwrap_err();
            let [found] = invalid.diagnostics.0.as_slice() else { panic!("{invalid:?}") };
            assert_eq!((found.rule, found.span.line_and_column()), (RULE, position), "{bad}: {found:?}");
        }
    }
}
