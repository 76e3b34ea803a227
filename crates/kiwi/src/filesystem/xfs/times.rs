//! The time stamps of a finished XFS: modification times from the tree, the time of the build for all others.
//!
//! `mkfs.xfs -p` gives every file the current time. Layout: XFS Algorithms & Data Structures, "Timestamps".

use std::collections::HashMap;

use anyhow::{Context, Result};

use super::layout::{Inode, Layout};

/// Offsets in an inode: access, change, creation; modification.
const OTHERS: [usize; 3] = [32, 48, 144];
const MODIFICATION: usize = 40;
const BIGTIME_ORIGIN: i64 = 1 << 31;

/// A time: seconds since 1970, and nanoseconds.
pub(super) type Time = (i64, u32);

/// Sets the times of every inode; those that are not in `modified` get `epoch` as modification time.
pub(super) fn finish(layout: &Layout, epoch: u64, modified: &HashMap<u64, Time>) -> Result<()> {
    let epoch = (i64::try_from(epoch)?, 0);
    layout.every_inode(|mut inode| {
        // Newer files were created by the build.
        let time = modified.get(&inode.number).map_or(epoch, |&time| time.min(epoch));
        set(&mut inode, MODIFICATION, time)?;
        for position in OTHERS {
            set(&mut inode, position, epoch)?;
        }
        layout.write_inode(&mut inode)
    })
}

/// Returns the modification time of an inode.
pub(super) fn modified(inode: &Inode) -> Time {
    let stamp: [u8; 8] = std::array::from_fn(|index| inode.bytes[MODIFICATION + index]);
    let stamp = u64::from_be_bytes(stamp);
    if inode.has_big_times() {
        let seconds = i64::try_from(stamp / 1_000_000_000).unwrap_or(i64::MAX) - BIGTIME_ORIGIN;
        (seconds, (stamp % 1_000_000_000) as u32)
    } else {
        (i64::from((stamp >> 32) as i32), (stamp as u32).min(999_999_999))
    }
}

fn set(inode: &mut Inode, position: usize, (seconds, nanoseconds): Time) -> Result<()> {
    let stamp = if inode.has_big_times() {
        u64::try_from(seconds + BIGTIME_ORIGIN).ok().and_then(|seconds| seconds.checked_mul(1_000_000_000))
    } else {
        i32::try_from(seconds).ok().map(|seconds| u64::from(seconds.cast_unsigned()) << 32)
    };
    let stamp = stamp.with_context(|| format!("the time {seconds} does not fit this XFS"))?;
    inode.bytes[position..position + 8].copy_from_slice(&(stamp + u64::from(nanoseconds)).to_be_bytes());
    Ok(())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test asks the foreign tools")]
mod tests {
    use std::fmt::Write;
    use std::fs::File;

    use test_programs::{have, run};

    use super::*;

    /// Uses more inodes than one block of the inode B+tree describes, and both kinds of time stamps.
    #[test]
    fn finished_file_systems_satisfy_xfs_repair_and_are_the_same_later() {
        if !have(&["mkfs.xfs", "xfs_repair", "xfs_db", "cmp"]) {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        let mut prototype = "/\n0 0\nd--755 0 0\n".to_owned();
        for number in 0..20_000 {
            writeln!(prototype, "{number} l--777 0 0 nowhere").unwrap();
        }
        std::fs::write(path("prototype"), prototype + "$\n").unwrap();
        for bigtime in ["bigtime=1", "bigtime=0"] {
            let images = [path("one"), path("other")];
            for image in &images {
                let file =
                    File::options().read(true).write(true).create(true).truncate(true).open(image).unwrap();
                file.set_len(320 << 20).unwrap();
                let uuid = "uuid=11111111-2222-4333-8444-555555555555";
                run("mkfs.xfs", &["-q", "-f", "-m", uuid, "-m", bigtime, "-p", &path("prototype"), image]);
                let layout = Layout::read(&file).unwrap();
                let modified = HashMap::from([(layout.root, (-1, 5))]);
                finish(&layout, 1_000_000_000, &modified).unwrap();
                run("xfs_repair", &["-n", image]);
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            run("cmp", &[&images[0], &images[1]]);
            let shown =
                run("xfs_db", &["-r", "-c", "path /19999", "-c", "print v3.crtime core.mtime", &images[0]]);
            assert_eq!(shown.matches("Sun Sep  9 01:46:40 2001").count(), 2, "{bigtime}: {shown}");
            let shown = run("xfs_db", &["-r", "-c", "path /", "-c", "print core.mtime", &images[0]]);
            for expected in ["sec = Wed Dec 31 23:59:59 1969", "nsec = 5\n"] {
                assert!(shown.contains(expected), "{bigtime}: {shown}");
            }
        }
    }
}
