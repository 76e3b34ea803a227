//! The file formats of a virtual disk. The same disk gives the same file.

mod identity;
mod qcow2;
pub mod vhd_tag;
pub mod vmdk;

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result};
use description::DiskFormat;

use crate::host::{Host, RunningStage};

/// Returns the extension of a disk file in this format, without the dot.
pub fn ending(format: DiskFormat) -> &'static str {
    match format {
        DiskFormat::Raw => "raw",
        DiskFormat::Qcow2 => "qcow2",
        DiskFormat::Qcow => "qcow",
        DiskFormat::Vmdk => "vmdk",
        DiskFormat::Vdi => "vdi",
        DiskFormat::Vpc => "vhd",
        DiskFormat::VhdFixed => "vhdfixed",
        DiskFormat::Vhdx => "vhdx",
        DiskFormat::Parallels => "parallels",
        DiskFormat::Gce => "tar.gz",
        DiskFormat::Ova => "ova",
        DiskFormat::Vagrant => "box",
    }
}

/// Returns the arguments for qemu-img: its name of the format, kiwi's options, and whether it can compress.
fn keywords(format: DiskFormat) -> (&'static str, &'static [&'static str], bool) {
    match format {
        DiskFormat::Raw => ("raw", &[], false),
        // As `qcow2` writes it.
        DiskFormat::Qcow2 => ("qcow2", &["compression_type=zstd", "cluster_size=128k"], true),
        DiskFormat::Qcow => ("qcow", &[], false),
        DiskFormat::Vmdk => ("vmdk", &[], false),
        DiskFormat::Vdi => ("vdi", &[], false),
        DiskFormat::Vpc => ("vpc", &["force_size=on"], false),
        DiskFormat::VhdFixed => ("vpc", &["subformat=fixed", "force_size=on"], false),
        DiskFormat::Vhdx => ("vhdx", &[], false),
        DiskFormat::Parallels => ("parallels", &[], false),
        // The disk inside the archive.
        DiskFormat::Ova => ("vmdk", &["subformat=streamOptimized"], false),
        DiskFormat::Gce | DiskFormat::Vagrant => ("raw", &[], false),
    }
}

/// Where a converted disk goes.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The new file.
    pub output: &'a Path,
    /// The file of an earlier build, whose compressed parts are copied.
    pub earlier: Option<&'a Path>,
    /// The stage that converts.
    pub stage: &'a RunningStage<'a>,
}

/// Converts the raw disk into `output` and sets the identifiers of the file to `id`. A qcow2 without options of the
/// description is written by `qcow2`, which reuses clusters of an `earlier` one; all others are written by qemu-img. The
/// options of the description replace kiwi's options of the same name.
///
/// qemu-img reads ahead with sixteen coroutines. They never write out of order (`-W`): that would save a third of the
/// time, but put the clusters at different offsets in every file.
pub fn convert(
    raw: &Path,
    format: DiskFormat,
    options: &[String],
    id: [u8; 16],
    Target { output, earlier, stage }: Target<'_>,
    host: &Host,
) -> Result<()> {
    let (name, own, mut compressed) = keywords(format);
    if format == DiskFormat::Qcow2 && options.is_empty() {
        let file = host.create_file(output).with_context(|| format!("creating {}", output.display()))?;
        let earlier = earlier.and_then(qcow2::Earlier::open);
        return qcow2::write(raw, &file, earlier.as_ref(), stage, host)
            .with_context(|| format!("cannot convert the disk to {name}"));
    }
    let key = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let mut all: Vec<String> = own.iter().map(ToString::to_string).collect();
    all.retain(|option| !options.iter().any(|other| key(other) == key(option)));
    // Images of QEMU before 1.1 are compressed with zlib.
    if options.iter().any(|option| ["compat=0.10", "compat=v2"].contains(&option.as_str())) {
        all.retain(|option| key(option) != "compression_type");
    }
    // Compressed clusters have no fixed place.
    compressed &=
        !options.iter().any(|option| key(option) == "preallocation" && option != "preallocation=off");
    all.extend(options.iter().cloned());
    let mut command = host.command("qemu-img").args(["convert", "-f", "raw", "-O", name, "-m", "16"]);
    if compressed {
        command = command.arg("-c");
    }
    if !all.is_empty() {
        command = command.args(["-o", &all.join(",")]);
    }
    command
        .arg(raw)
        .arg(output)
        .writable(output.parent().unwrap_or(Path::new("/")))
        .reports_reading("qemu-img", raw.metadata().map_or(0, |facts| facts.blocks() * 512), stage)
        .run()
        .with_context(|| format!("cannot convert the disk to {name}"))?;
    let what = || format!("giving {} its identifiers", output.display());
    identity::finish(format, &host.open_file(output).with_context(what)?, id).with_context(what)
}
