//! ext2, ext3 and ext4 by `mke2fs -d`.
//!
//! The features are fixed, not those of the host's mke2fs.conf: GRUB 2.06 and older kernels can read them. The file system
//! is written in place, also inside a disk. Afterwards `ext_times` sets the times of every inode, which mke2fs takes
//! from the tree's own inodes, so that the same tree gives the same bytes.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result};
use ondisk::{Bytes, Filesystem};

use super::ext_times::{self, Top};
use super::{FilesystemJob, directory_of};
use crate::root_tree::Measure;

/// Bytes of an inode.
const INODE: u64 = 256;
/// Bytes of a file system for each inode, the default of mke2fs.
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

/// Returns the size for content, inodes, journal and a reserve for group descriptors and bitmaps.
pub(super) fn needed(filesystem: Filesystem, measure: &Measure) -> Bytes {
    let content = measure.bytes + inodes(measure.entries, measure.bytes) * INODE;
    let journal = if filesystem == Filesystem::Ext2 { 0 } else { journal(content) << 20 };
    Bytes(content + content / 64 + journal + (2 << 20))
}

/// Returns twice the number of entries, as KIWI 1.x does, and at least the default of mke2fs for a file system of this size.
fn inodes(entries: u64, bytes: u64) -> u64 {
    (entries * 2).max(bytes / BYTES_PER_INODE)
}

/// Returns the mebibytes of the journal for a file system of about this size.
fn journal(bytes: u64) -> u64 {
    match bytes >> 20 {
        0..=127 => 4,
        128..=1023 => 16,
        1024..=2047 => 32,
        _ => 64,
    }
}

/// Writes the file system at byte `offset` of the file `output`, which is large enough.
pub(super) fn create(job: FilesystemJob<'_>, output: &Path, offset: u64) -> Result<()> {
    let FilesystemJob { plan, tree, workspace, host, helper: _, stage: _ } = job;
    let configuration = workspace.scratch_file("mke2fs.conf");
    host.write_file(&configuration, CONFIGURATION).context("writing the configuration of mke2fs")?;
    let extended = format!("offset={offset},hash_seed={},assume_storage_prezeroed=1,nodiscard", plan.uuid);
    let mut command = host
        .command("mke2fs")
        .args(["-q", "-F", "-t", plan.filesystem.keyword(), "-m", "1"])
        .args(["-U", &plan.uuid])
        .args(["-E", &extended])
        .args(["-N", &inodes(plan.entries, plan.size.0).to_string()])
        .args(["-T", "default"])
        .arg("-d")
        .arg(tree.path())
        .env("MKE2FS_CONFIG", &configuration)
        .env("E2FSPROGS_FAKE_TIME", plan.epoch.to_string())
        .env("SOURCE_DATE_EPOCH", plan.epoch.to_string())
        .writable(directory_of(output))
        .shows_devices(tree.devices()?);
    if plan.filesystem != Filesystem::Ext2 {
        command = command.args(["-J", &format!("size={}", journal(plan.size.0))]);
    }
    if let Some(label) = &plan.label {
        command = command.args(["-L", label]);
    }
    command
        .args(&plan.options)
        .arg(output)
        .arg(format!("{}k", plan.size.0 >> 10))
        .run()
        .context("writing the file system")?;
    let file = host.open_file(output).with_context(|| format!("opening {}", output.display()))?;
    // That of a whole system is root's and open to all, whatever the directory it was built in is.
    let top = match tree.is_subtree() {
        true => {
            let top = tree.path().metadata().context("reading the top directory of the file system")?;
            Some(Top { mode: top.mode(), user: top.uid(), group: top.gid() })
        }
        false => None,
    };
    ext_times::finish(&file, offset, plan.epoch, top).context("setting the file system's times")
}
