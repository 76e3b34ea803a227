//! The progress of an installation, unless its configuration hides it.

use std::path::Path;

use bootconfig::{InstallChoice, InstallConfig};
use ondisk::Bytes;

use crate::console::{Console, Progress};

/// Returns the progress of checking or writing `bytes`.
pub(crate) fn writing<'c>(
    config: &InstallConfig,
    text: &str,
    bytes: Bytes,
    console: &'c Console,
) -> Progress<'c> {
    shown(!config.is(InstallChoice::SilentInstall), text, bytes, console)
}

/// Returns the progress of reading the disk at `path` back.
pub(crate) fn reading_back<'c>(
    config: &InstallConfig,
    path: &Path,
    bytes: Bytes,
    console: &'c Console,
) -> Progress<'c> {
    let text = format!("Comparing {}", path.display());
    shown(!config.is(InstallChoice::SilentVerify), &text, bytes, console)
}

fn shown<'c>(is_shown: bool, text: &str, bytes: Bytes, console: &'c Console) -> Progress<'c> {
    match is_shown {
        true => console.progress(text, bytes.0),
        false => Progress::silent(),
    }
}
