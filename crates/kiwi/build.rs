//! Gives the library a digest of everything it is built from: another kiwi takes no stage from the cache that an
//! earlier one has left there, whatever a change may have done to its results.
#![allow(clippy::disallowed_methods, reason = "a build script works on its package, not on images")]

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Sources, relative to this package. The command line decides about no byte of an image.
const SOURCES: [&str; 4] = ["src", "../description/src", "../bootconfig/src", "../../Cargo.lock"];
const LEFT_OUT: &str = "src/cli";

fn main() -> std::io::Result<()> {
    let package = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("cargo names the package"));
    let mut digest = Sha256::new();
    for name in SOURCES.iter().filter(|name| package.join(name).exists()) {
        println!("cargo::rerun-if-changed={name}");
        for entry in walkdir::WalkDir::new(package.join(name)).sort_by_file_name() {
            let path = entry?.into_path();
            let inside = path.strip_prefix(&package).unwrap_or(Path::new(""));
            if path.is_file() && !inside.starts_with(LEFT_OUT) {
                digest.update(inside.as_os_str().as_encoded_bytes());
                digest.update(std::fs::read(&path)?);
            }
        }
    }
    let text: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    println!("cargo::rustc-env=KIWI_SOURCES={text}");
    Ok(())
}
