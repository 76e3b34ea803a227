//! Paths of the checkout and of the program under test, and work that is done once per run.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Returns the root of the checkout.
///
/// # Panics
///
/// If the checkout was moved after these tests were compiled.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the checkout")
}

/// Returns the target directory that this test program was built in.
///
/// # Panics
///
/// If the program does not lie in `TARGET/PROFILE/deps`.
pub fn target() -> PathBuf {
    let program = std::env::current_exe().expect("the path of this program");
    program.ancestors().nth(3).expect("a program in TARGET/PROFILE/deps").to_path_buf()
}

/// Returns the path of directory `name` for the files of a test; it remains after the run.
pub fn scratch(name: &str) -> PathBuf {
    target().join("tmp").join(name)
}

/// Returns the kiwi to test: the program that the variable `KIWI` names (a release build), otherwise the debug build, which
/// this function brings up to date first.
///
/// # Panics
///
/// If kiwi cannot be built.
pub fn kiwi() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| std::env::var_os("KIWI").map_or_else(build, PathBuf::from));
    assert!(program.is_file(), "there is no program {}; build it, or unset KIWI", program.display());
    program.clone()
}

fn build() -> PathBuf {
    once("kiwi", |_| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([
            "build",
            "--quiet",
            "--locked",
            "--package",
            "kiwi-image",
            "--bin",
            "kiwi",
            "--target-dir",
        ]);
        let status = cargo.arg(target()).current_dir(checkout()).status().expect("cargo starts");
        assert!(status.success(), "cargo cannot build the kiwi to test; see its messages above");
    });
    target().join("debug/kiwi")
}

/// Calls `make` once per run of the tests with a directory below the target directory, and returns that directory.
///
/// Under nextest each test is a process, so a lock file and a stamp decide who makes it. The directory can contain files of an
/// earlier run.
///
/// # Panics
///
/// If the lock file or the stamp cannot be written.
pub fn once(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let directory = scratch(name);
    fs::create_dir_all(&directory).expect("a directory below the target directory");
    let _lock = lock(name);
    let stamp = scratch(&format!("{name}.run"));
    if fs::read_to_string(&stamp).is_ok_and(|text| text == run()) {
        return directory;
    }
    let _ = fs::remove_file(&stamp);
    make(&directory);
    fs::write(&stamp, run()).expect("a stamp below the target directory");
    directory
}

/// Removes what an earlier run left in `directory`.
///
/// # Panics
///
/// If the directory cannot be created.
pub fn clear(directory: &Path) {
    let _ = fs::remove_dir_all(directory);
    fs::create_dir_all(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
}

/// Locks `name` against the other tests of this target directory until the returned file is dropped.
///
/// # Panics
///
/// If the lock file cannot be written.
#[must_use]
pub fn lock(name: &str) -> File {
    let path = scratch(&format!("{name}.lock"));
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory below the target directory");
    let file = File::create(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.lock().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file
}

/// Identifies this run: nextest's identifier, or this process.
fn run() -> &'static str {
    static RUN: OnceLock<String> = OnceLock::new();
    RUN.get_or_init(|| {
        std::env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| {
            let started = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
            format!("process {} at {started}", std::process::id())
        })
    })
}
