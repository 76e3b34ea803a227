//! squashfs by `mksquashfs`, with a pinned compressor and level: its own zstd default costs twenty times the processor.

use std::path::Path;

use anyhow::{Context, Result};

use super::{FilesystemPlan, directory_of};
use crate::host::Host;
use crate::root_tree::RootTree;

/// How glibc hands out blocks of memory: given back ones stay with the program, which asks for the same again at once.
const KEEP_MEMORY: &str = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1073741824";

/// Mebibytes for its buffers. By default it takes a quarter of the machine and fills page after page that is never used
/// again, which costs more than waiting for a buffer; what it writes is the same.
fn memory(processors: usize) -> usize {
    64 + 32 * processors
}

/// How the names of extended attributes begin that it has a location for; access control lists are others.
const KEPT: [&str; 3] = ["security.", "trusted.", "user."];

/// Keywords for mksquashfs that name the compressor.
fn compressor(asked: Option<&str>) -> Vec<&str> {
    match asked {
        None | Some("zstd") => vec!["-comp", "zstd", "-Xcompression-level", "3"],
        Some("gzip") => vec!["-comp", "gzip", "-Xcompression-level", "6"],
        Some("uncompressed") => vec!["-noI", "-noD", "-noF", "-noX"],
        Some(other) => vec!["-comp", other],
    }
}

/// Writes it into the file `output`, which is made, from byte `offset` on.
pub(super) fn create(
    plan: &FilesystemPlan,
    tree: &RootTree,
    output: &Path,
    offset: u64,
    host: &Host,
) -> Result<()> {
    tree.warn_of_attributes("squashfs", &KEPT, host)?;
    let below = tree.below()?;
    let leaves_out = plan.options.iter().any(|option| option == "-e");
    // The list has to be the last of the keywords.
    let list = if leaves_out || below.removed.is_empty() { None } else { Some("-e") };
    host.command("mksquashfs")
        .arg(below.path)
        .arg(output)
        .args(["-offset", &offset.to_string()])
        .args(["-noappend", "-no-progress", "-no-recovery", "-reproducible"])
        .args(["-mkfs-time", &plan.epoch.to_string()])
        .args(["-processors", &host.processors().to_string()])
        .args(["-mem", &format!("{}M", memory(host.processors()))])
        .env("GLIBC_TUNABLES", KEEP_MEMORY)
        .args(compressor(plan.compression.as_deref()))
        .args(&plan.options)
        .args(list)
        .args(&below.removed)
        .writable(directory_of(output))
        .shows_devices(tree.devices()?)
        .run()
        .context("writing the squashfs")
}
