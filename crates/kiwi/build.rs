//! Sets `KIWI_VERSION`: the version, with the commit and its date in a release build that is made in a checkout.
#![allow(clippy::disallowed_methods, reason = "a build script asks cargo and git")]

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let version = env!("CARGO_PKG_VERSION");
    // Debug builds are not compiled again for each commit.
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = if is_release { git(&["log", "-1", "--format=%h %cs"]) } else { None };
    match commit {
        Some(commit) => {
            for name in ["HEAD", "logs/HEAD"] {
                if let Some(path) = git(&["rev-parse", "--path-format=absolute", "--git-path", name]) {
                    println!("cargo:rerun-if-changed={path}");
                }
            }
            println!("cargo:rustc-env=KIWI_VERSION={version} ({commit})");
        }
        None => println!("cargo:rustc-env=KIWI_VERSION={version}"),
    }
}

/// Returns the line that git prints; none without git, or if these sources are not those of a checkout.
fn git(arguments: &[&str]) -> Option<String> {
    let is_checkout = std::path::Path::new("../../.git").exists();
    let output = Command::new("git").args(arguments).output().ok().filter(|_| is_checkout)?;
    let line = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(line.trim().to_owned()).filter(|line| !line.is_empty())
}
