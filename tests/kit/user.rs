//! An ordinary user, made by tests that compare it with root.

use std::path::{Path, PathBuf};

use crate::machine::judge;
use crate::program::{checkout, kiwi};

/// Name of the user.
pub const USER: &str = "kiwi-test";

/// Creates an ordinary user with subordinate ids, unless it exists.
pub fn make_user() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test compares root with an ordinary user and must run as root"
    );
    let known = std::fs::read_to_string("/etc/passwd").unwrap().contains(&format!("\n{USER}:"));
    if !known {
        judge("useradd", &["--create-home", USER]);
    }
    let ranges = std::fs::read_to_string("/etc/subuid").unwrap_or_default();
    if !ranges.contains(&format!("{USER}:")) {
        judge("usermod", &["--add-subuids", "1000000-1065535", "--add-subgids", "1000000-1065535", USER]);
    }
}

/// Copies kiwi, `linuxrc` and the supplied files to `directory`, because other users may not be able to enter the checkout.
pub fn copy_programs(directory: &Path) -> PathBuf {
    let linuxrc = kiwi().parent().unwrap().join("../x86_64-unknown-linux-gnu/linuxrc/linuxrc");
    std::fs::copy(linuxrc, directory.join("linuxrc")).expect("the boot program is needed: cargo linuxrc");
    std::fs::copy(kiwi(), directory.join("kiwi")).unwrap();
    let share = checkout().join("share");
    judge("cp", &["--recursive", share.to_str().unwrap(), directory.to_str().unwrap()]);
    directory.join("kiwi")
}
