//! squashfs by `mksquashfs`, with a fixed compressor and level: its default level for zstd needs twenty times the CPU.

use std::path::Path;

use anyhow::{Context, Result};

use super::{FilesystemJob, directory_of};

/// Keeps freed memory in the program instead of returning it to the kernel, because mksquashfs allocates it again at once.
const KEEP_MEMORY: &str = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1073741824";

/// Mebibytes for its buffers. The default is a quarter of the machine's memory, of which it touches page after page only
/// once; that costs more than waiting for a buffer. The output is the same.
fn memory(processors: usize) -> usize {
    64 + 32 * processors
}

/// Prefixes of extended attributes that squashfs can store; it cannot store access control lists.
const KEPT: [&str; 3] = ["security.", "trusted.", "user."];

/// Returns the mksquashfs options for the compressor.
fn compressor(asked: Option<&str>) -> Vec<&str> {
    match asked {
        None | Some("zstd") => vec!["-comp", "zstd", "-Xcompression-level", "3"],
        Some("gzip") => vec!["-comp", "gzip", "-Xcompression-level", "6"],
        Some("uncompressed") => vec!["-noI", "-noD", "-noF", "-noX"],
        Some(other) => vec!["-comp", other],
    }
}

/// Writes it to the new file `output`, starting at byte `offset`.
pub(super) fn create(job: FilesystemJob<'_>, output: &Path, offset: u64) -> Result<()> {
    let FilesystemJob { plan, tree, host, workspace: _, helper: _, stage } = job;
    tree.warn_of_attributes("squashfs", &KEPT, host)?;
    let below = tree.below()?;
    let leaves_out = plan.options.iter().any(|option| option == "-e");
    // The list has to be the last argument.
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
        // The progress bar of mksquashfs is silent most of the time without a terminal.
        .reports_reading("mksquashfs", tree.last_measure()?.content, stage)
        .run()
        .context("writing the squashfs")
}
