//! Programs of the host that judge files in the unit tests of all crates. A test that needs one begins with
//!
//! ```text
//! if !have(&["mkswap"]) {
//!     return;
//! }
//! ```
//!
//! The test runner counts such a test as passed also when it returned there. A test is therefore skipped only if somebody counts
//! it: the environment variable `KIWI_SKIPPED_TESTS` names a file that gets one line for each skipped test. Without the variable
//! the test fails.
#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns whether the host has all of these programs. If not, it adds the running test to the file that `KIWI_SKIPPED_TESTS`
/// names.
///
/// # Panics
///
/// If a program is missing and `KIWI_SKIPPED_TESTS` is not set.
#[must_use]
pub fn have(programs: &[&str]) -> bool {
    let missing = missing(&search_path(), programs);
    if missing.is_empty() {
        return true;
    }
    skip_this(&missing);
    false
}

/// Adds the running test to the list of skipped tests.
fn skip_this(missing: &[&str]) {
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    let test = std::thread::current().name().unwrap_or("unnamed").to_owned();
    let list = std::env::var_os("KIWI_SKIPPED_TESTS").map(PathBuf::from);
    skip(list.as_deref(), &format!("{package} {test}"), missing);
}

/// Returns whether a file is there that no program provides, such as the schema of another program. If not, it adds the running
/// test to the file that `KIWI_SKIPPED_TESTS` names.
///
/// # Panics
///
/// If the file is missing and `KIWI_SKIPPED_TESTS` is not set.
#[must_use]
pub fn have_file(path: &Path, what: &str) -> bool {
    if path.is_file() {
        return true;
    }
    skip_this(&[&format!("{what} ({})", path.display())]);
    false
}

/// Returns a command for the program, in English and UTC.
pub fn command(program: &str) -> Command {
    let path = std::env::join_paths(search_path()).expect("directories of PATH contain no colon");
    let mut command = Command::new(program);
    command.env("PATH", path).env("LC_ALL", "C").env("TZ", "UTC");
    command
}

/// Returns what the program prints; it must succeed.
///
/// # Panics
///
/// If the program cannot be started or fails.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = command(program).args(arguments).output().unwrap_or_else(|error| {
        panic!("{program}: {error}; scripts/test lists the package that provides it")
    });
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
    text
}

/// Returns the directories of `PATH`, and those for administrators, which an ordinary user's `PATH` lacks.
fn search_path() -> Vec<PathBuf> {
    let path: OsString = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    std::env::split_paths(&path).chain(more.map(PathBuf::from)).collect()
}

/// Returns the programs that no directory has.
fn missing<'a>(directories: &[PathBuf], programs: &[&'a str]) -> Vec<&'a str> {
    let is_program = |path: PathBuf| {
        path.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
    };
    let has = |program: &&str| directories.iter().any(|directory| is_program(directory.join(program)));
    programs.iter().copied().filter(|program| !has(program)).collect()
}

/// Adds the line `TEST: PROGRAM ...` to the list of skipped tests.
fn skip(list: Option<&Path>, test: &str, missing: &[&str]) {
    let missing = missing.join(" ");
    let Some(list) = list else {
        panic!(
            "{test} needs programs that are missing: {missing}; install them (scripts/test does), or name a file in \
             KIWI_SKIPPED_TESTS that shall list skipped tests"
        );
    };
    eprintln!("skipped {test}: programs are missing: {missing}");
    // Tests of several processes write to the file: one call writes the whole line.
    let added = File::options()
        .append(true)
        .create(true)
        .open(list)
        .and_then(|mut file| file.write_all(format!("{test}: {missing}\n").as_bytes()));
    added.unwrap_or_else(|error| panic!("cannot add {test} to {}: {error}", list.display()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_only_executable_files() {
        let directory = tempfile::tempdir().unwrap();
        for (name, mode) in [("program", 0o755), ("text", 0o644)] {
            std::fs::write(directory.path().join(name), "").unwrap();
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(directory.path().join(name), mode).unwrap();
        }
        std::fs::create_dir(directory.path().join("directory")).unwrap();
        let directories = ["/nonexistent".into(), directory.path().to_owned()];
        let programs = ["program", "text", "directory", "absent"];
        assert_eq!(missing(&directories, &programs), ["text", "directory", "absent"]);
    }

    #[test]
    fn adds_a_line_for_each_skipped_test() {
        let directory = tempfile::tempdir().unwrap();
        let list = directory.path().join("list");
        skip(Some(&list), "package a::b", &["mkswap", "sfdisk"]);
        skip(Some(&list), "package c", &["mkswap"]);
        let text = std::fs::read_to_string(&list).unwrap();
        assert_eq!(text, "package a::b: mkswap sfdisk\npackage c: mkswap\n");
    }

    #[test]
    #[should_panic(expected = "needs programs that are missing: mkswap")]
    fn fails_when_nobody_counts_skipped_tests() {
        skip(None, "package a::b", &["mkswap"]);
    }
}
