//! ext2, ext3 and ext4 by `mke2fs -d`.
//!
//! The features are ours, not those of the host's mke2fs.conf: GRUB 2.06 and older kernels read them. Afterwards one
//! run of debugfs gives every inode the time stamps of its file's last change, which mke2fs takes from the tree's own
//! inodes; with that the same tree gives the same bytes.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use description::Filesystem;

use super::{FilesystemPlan, folder_of};
use crate::host::Host;
use crate::root_tree::{Measure, RootTree};
use crate::workspace::Workspace;

/// Bytes of an inode.
const INODE: u64 = 256;
/// Bytes of a file system for each inode, as mke2fs reckons by default.
const BYTES_PER_INODE: u64 = 16384;

const CONFIGURATION: &str = "[defaults]
\tbase_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
\tdefault_mntopts = acl,user_xattr
\tenable_periodic_fsck = 0
\tblocksize = 4096
\tinode_size = 256
\tinode_ratio = 16384

[fs_types]
\text3 = {
\t\tfeatures = has_journal
\t}
\text4 = {
\t\tfeatures = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
\t}
";

/// Content, inodes, journal and a little for group descriptors and bitmaps.
pub(super) fn needed(filesystem: Filesystem, measure: &Measure) -> u64 {
    let content = measure.bytes + inodes(measure.entries, measure.bytes) * INODE;
    let journal = match filesystem {
        Filesystem::Ext2 => 0,
        _ => journal(content) << 20,
    };
    content + content / 64 + journal + (2 << 20)
}

/// Twice the entries as the chapter has it, and at least what mke2fs gives a file system of this size.
fn inodes(entries: u64, bytes: u64) -> u64 {
    (entries * 2).max(bytes / BYTES_PER_INODE)
}

/// Mebibytes of the journal for a file system of about this size.
fn journal(bytes: u64) -> u64 {
    match bytes >> 20 {
        0..=127 => 4,
        128..=1023 => 16,
        1024..=2047 => 32,
        _ => 64,
    }
}

pub(super) fn create(
    plan: &FilesystemPlan,
    tree: &RootTree,
    output: &Path,
    workspace: &Workspace,
    host: &Host,
) -> Result<()> {
    let configuration = workspace.scratch_file("mke2fs.conf");
    host.write_file(&configuration, CONFIGURATION).context("writing the settings of mke2fs")?;
    let file = host.create_file(output).with_context(|| format!("creating {}", output.display()))?;
    file.set_len(plan.size).with_context(|| format!("sizing {}", output.display()))?;
    drop(file);
    let mut command = host
        .command("mke2fs")
        .args(["-q", "-F", "-t", plan.filesystem.word(), "-m", "1"])
        .args(["-U", &plan.uuid])
        .args(["-E", &format!("hash_seed={},assume_storage_prezeroed=1,nodiscard", plan.uuid)])
        .args(["-N", &inodes(plan.entries, plan.size).to_string()])
        .args(["-T", "default"])
        .arg("-d")
        .arg(tree.path())
        .env("MKE2FS_CONFIG", &configuration)
        .env("E2FSPROGS_FAKE_TIME", plan.epoch.to_string())
        .env("SOURCE_DATE_EPOCH", plan.epoch.to_string())
        .writable(folder_of(output));
    if plan.filesystem != Filesystem::Ext2 {
        command = command.args(["-J", &format!("size={}", journal(plan.size))]);
    }
    if let Some(label) = &plan.label {
        command = command.args(["-L", label]);
    }
    command.args(&plan.options).arg(output).run().context("writing the file system")?;
    settle_times(plan, output, workspace, host)
}

/// Gives every inode in use the change and access time of its modification.
fn settle_times(plan: &FilesystemPlan, output: &Path, workspace: &Workspace, host: &Host) -> Result<()> {
    let fake = plan.epoch.to_string();
    let groups = host.command("dumpe2fs").arg(output).output().context("reading the file system's inodes")?;
    let mut script = String::new();
    for inode in used_inodes(&groups) {
        for field in ["atime", "ctime", "crtime"] {
            let _ = writeln!(script, "set_inode_field <{inode}> {field} @{fake}");
        }
        for field in ["atime_extra", "ctime_extra", "crtime_extra"] {
            let _ = writeln!(script, "set_inode_field <{inode}> {field} 0");
        }
    }
    let file = workspace.scratch_file("debugfs.commands");
    host.write_file(&file, script).context("writing the commands of debugfs")?;
    host.command("debugfs")
        .args(["-w", "-f"])
        .arg(&file)
        .arg(output)
        .env("E2FSPROGS_FAKE_TIME", fake)
        .stdout(
            host.create_file(&workspace.scratch_file("debugfs.output"))
                .context("writing the output of debugfs")?,
        )
        .writable(folder_of(output))
        .run()
        .context("settling the file system's times")
}

/// The inodes in use, from what dumpe2fs says of each group: `Free inodes: 13-1280, 1300-2560`.
fn used_inodes(text: &str) -> Vec<u64> {
    let number = |name: &str| -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    };
    let count = number("Inode count:");
    let mut free = vec![false; usize::try_from(count).unwrap_or(0) + 1];
    for line in text.lines().filter_map(|line| line.strip_prefix("  Free inodes:")) {
        for range in line.split(',').map(str::trim).filter(|range| !range.is_empty()) {
            let (start, end) = range.split_once('-').unwrap_or((range, range));
            if let (Ok(start), Ok(end)) = (start.parse::<usize>(), end.parse::<usize>())
                && end < free.len()
            {
                free[start..=end].fill(true);
            }
        }
    }
    // Inodes below 11 are the file system's own; of them only the root folder, 2, and the journal, 8, have times.
    (1..=count)
        .filter(|inode| [2, 7, 8].contains(inode) || *inode > 10)
        .filter(|inode| !free[*inode as usize])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inodes_in_use_are_those_not_free() {
        let text = "Inode count:              32\nInodes per group:         16\n\nGroup 0: (Blocks 0-1)\n  Free inodes: 14-16\n\
                    Group 1: (Blocks 2-3)\n  Free inodes: 17, 19-32\n";
        assert_eq!(used_inodes(text), [2, 7, 8, 11, 12, 13, 18]);
    }
}
