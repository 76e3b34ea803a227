//! The times of symbolic links in unpacked images: the programs that unpack ext and ISO 9660 give links the time of now, which
//! would be a difference of each link.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rustix::fs::{AtFlags, CWD, utimensat};

use crate::host::Host;
use crate::root_tree::times;

/// Returns the paths of all links below a directory.
fn links(target: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(target).sort_by_file_name().into_iter().flatten();
    entries.filter(walkdir::DirEntry::path_is_symlink).map(walkdir::DirEntry::into_path).collect()
}

fn set(link: &Path, seconds: i64) -> Result<()> {
    utimensat(CWD, link, &times(seconds), AtFlags::SYMLINK_NOFOLLOW)
        .with_context(|| format!("setting the time of {}", link.display()))
}

/// Gives all links below `target` the same time, where the one in the image cannot be read.
pub(super) fn forget(target: &Path) -> Result<()> {
    links(target).iter().try_for_each(|link| set(link, 0))
}

/// Gives the links below `target` the times that they have in the ext file system of an image.
pub(super) fn read_ext(image: &Path, offset: u64, target: &Path, host: &Host) -> Result<()> {
    let links = links(target);
    let inside = |link: &PathBuf| {
        let path = link.strip_prefix(target).ok()?.to_str()?;
        // debugfs has no escape for these.
        (!path.contains(['"', '\n'])).then(|| format!("/{path}"))
    };
    let asked: Vec<(&PathBuf, String)> =
        links.iter().filter_map(|link| Some((link, inside(link)?))).collect();
    forget(target)?;
    if asked.is_empty() {
        return Ok(());
    }
    let requests: String = asked.iter().map(|(_, path)| format!("stat \"{path}\"\n")).collect();
    let reading = || format!("reading the times of links in {}", image.display());
    let answer = host
        .command("debugfs")
        .args(["-f", "/proc/self/fd/0"])
        .arg(format!("{}?offset={offset}", image.display()))
        .stdin_text(&requests)
        .with_context(reading)?
        .output()
        .with_context(reading)?;
    for ((link, _), seconds) in asked.iter().zip(modified(&answer)) {
        set(link, seconds.unwrap_or(0))?;
    }
    Ok(())
}

/// Reads the modification time of each answer of debugfs to `stat`.
fn modified(answer: &str) -> Vec<Option<i64>> {
    let answers = answer.split("debugfs: stat ").skip(1);
    answers
        .map(|answer| answer.lines().find_map(|line| seconds(line.trim_start().strip_prefix("mtime: 0x")?)))
        .collect()
}

/// Reads `SECONDS:MORE -- DATE` or `SECONDS -- DATE`, in hexadecimal digits. The lowest two bits of `MORE` extend the seconds.
fn seconds(text: &str) -> Option<i64> {
    let number = text.split_whitespace().next()?;
    let (low, more) = number.split_once(':').unwrap_or((number, "0"));
    let low = i64::from(u32::from_str_radix(low, 16).ok()?.cast_signed());
    let epochs = i64::from(u32::from_str_radix(more, 16).ok()? & 3);
    Some(low + (epochs << 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_times_that_debugfs_prints() {
        let answer = "debugfs: stat \"/bin\"\nInode: 12   Type: symlink    Mode:  0777\n ctime: 0x6500:0 -- x\n \
                      mtime: 0x67456f00:00000000 -- Tue Nov 26 2024\ndebugfs: stat \"/gone\"\n/gone: File not found\n\
                      debugfs: stat \"/late\"\n mtime: 0x00000001:00000001 -- later\n";
        assert_eq!(modified(answer), [Some(0x6745_6f00), None, Some(1 + (1 << 32))]);
        assert_eq!(seconds("0000000a -- old inode"), Some(10));
    }
}
