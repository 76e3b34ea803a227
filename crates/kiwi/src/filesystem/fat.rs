//! FAT by `mkfs.vfat` and mtools, for firmware. Files are added by name, not from a tree.

use std::fs::FileTimes;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result};
use ondisk::Bytes;

use crate::host::Host;
use crate::workspace::Workspace;

/// A FAT file system to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FatPlan {
    /// Its size.
    pub size: Bytes,
    /// At most eleven capital letters.
    pub label: &'static str,
    /// The volume id.
    pub id: u32,
    /// The time of its files, in seconds since 1970.
    pub epoch: u64,
}

/// Returns the size for files of this size in total: a sixteenth more, and enough for FAT32.
pub fn size_for(Bytes(files): Bytes) -> Bytes {
    Bytes((files + files / 16 + (4 << 20)).max(40 << 20).next_multiple_of(1 << 20))
}

/// Writes the file system to the new file `output`: these directories (parents first), then these files of the scratch
/// space, whose times are set.
pub fn create(
    plan: &FatPlan,
    directories: &[&str],
    files: &[(PathBuf, &str)],
    output: &Path,
    workspace: &Workspace,
    host: &Host,
) -> Result<()> {
    let what = |doing: &str| format!("{doing} {}", output.display());
    host.create_file(output).and_then(|file| file.set_len(plan.size.0)).with_context(|| what("creating"))?;
    let epoch = plan.epoch.to_string();
    // FAT32 needs 65525 clusters, FAT16 4085: one sector each up to 256 MiB. By itself mkfs.vfat makes larger ones for FAT16.
    let (fat, clusters): (_, &[&str]) = match plan.size.to_mebibytes().0 {
        0..3 => ("12", &[]),
        3..9 => ("16", &["-s", "1"]),
        9..33 => ("16", &[]),
        33.. => ("32", &[]),
    };
    let tool = |name: &str| {
        host.command(name)
            .env("SOURCE_DATE_EPOCH", &epoch)
            .env("TZ", "UTC")
            .env("MTOOLS_SKIP_CHECK", "1")
            .writable(workspace.scratch())
            .writable(super::directory_of(output))
    };
    tool("mkfs.vfat")
        .args(["--invariant", "-F", fat, "-n", plan.label, "-i", &format!("{:08X}", plan.id)])
        .args(clusters)
        .arg(output)
        .run()
        .with_context(|| what("creating the FAT file system in"))?;
    if !directories.is_empty() {
        let directories = directories.iter().map(|directory| format!("::/{directory}"));
        tool("mmd")
            .arg("-i")
            .arg(output)
            .args(directories)
            .run()
            .with_context(|| what("making directories in"))?;
    }
    let time = UNIX_EPOCH + Duration::from_secs(plan.epoch);
    for (source, location) in files {
        host.open_file(source)
            .and_then(|file| file.set_times(FileTimes::new().set_modified(time).set_accessed(time)))
            .with_context(|| format!("setting the time of {}", source.display()))?;
        tool("mcopy")
            .args(["-m", "-i"])
            .arg(output)
            .arg(source)
            .arg(format!("::/{location}"))
            .run()
            .with_context(|| what(&format!("copying {location} to")))?;
    }
    Ok(())
}
