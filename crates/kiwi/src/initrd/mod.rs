//! The boot image that is made from the system tree itself: its kernel's modules, its fsck, kiwi's `linuxrc`.
//!
//! ```text
//! kernel of the tree -> modules a machine needs, with their dependencies -> programs with their libraries
//!   -> one cpio archive, compressed for this kernel
//! ```
//!
//! No program of the tree runs, and only the archive is written.

mod archive;
mod drivers;
mod helper;
mod helper_kernel;
mod libraries;
mod modules;

use std::collections::BTreeMap;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, Result};
use bootconfig::{BootConfig, Kind, Storage, Table};
use description::Drivers;
use ondisk::modules::uncompressed;

pub use archive::Compression;
pub use helper::{COMPLETE, HelperFiles, create as helper};
pub use helper_kernel::HelperKernel;

use crate::failure::fail;
use crate::host::{Host, Warning};
use crate::identity::Identity;
use crate::kernel::Kernel;
use crate::root_tree::RootTree;

/// The contents of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitrdPlan {
    /// The version of its kernel.
    pub kernel: Kernel,
    /// `/kiwi.boot`.
    pub config: String,
    /// Files of the tree, by their path in the archive.
    files: BTreeMap<String, Content>,
    /// Its compression.
    pub compression: Compression,
    /// Drivers of the description that this kernel does not have.
    lacking: Vec<String>,
    /// Time stamp of every file.
    epoch: u64,
}

impl InitrdPlan {
    /// Warns of drivers that the boot image does not have.
    pub fn warn_of_lacking(&self, host: &Host) {
        if !self.lacking.is_empty() {
            host.warn(
                Warning::Kernel,
                &format!(
                    "kernel {} has no {}, which <drivers> names; the boot image is made without",
                    self.kernel.version,
                    self.lacking.join(", ")
                ),
            );
        }
    }
}

/// The source of a file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// A file of the tree, unchanged.
    Tree { path: String, mode: u32 },
    /// A kernel module of the tree, decompressed.
    Module { path: String },
    /// Generated text.
    Text { text: String, mode: u32 },
    /// A symbolic link.
    Link { target: String },
}

/// The system's file system, that of the layer over one that is read-only, and those that are mounted with the system.
fn filesystems(system: ondisk::Filesystem, config: &BootConfig) -> Vec<ondisk::Filesystem> {
    let mut filesystems = vec![system];
    if config.kind == Kind::Usb && system == ondisk::Filesystem::Squashfs {
        filesystems.push(ondisk::Filesystem::Ext4);
    }
    for (partition, _) in config.storage.iter().flat_map(Storage::early_mounts) {
        let kind = match &partition.content {
            bootconfig::Content::Filesystem(volume) => Some(volume.kind),
            bootconfig::Content::Fat { .. }
            | bootconfig::Content::Swap { .. }
            | bootconfig::Content::BootCode
            | bootconfig::Content::Empty => None,
        };
        filesystems.extend(kind.filter(|kind| !filesystems.contains(kind)));
    }
    filesystems
}

/// Programs that a kind of boot image runs; included if the tree has them.
fn kind_programs(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Vmx | Kind::Oem | Kind::Usb | Kind::Install => &[],
        // The persistent partition of a stick is created at the first boot.
        Kind::Iso => &["sbin/mke2fs", "sbin/e2fsck", "sbin/mkfs.xfs"],
        // The configuration of the client names the file systems.
        Kind::Netboot => &["sbin/mke2fs", "sbin/mkswap", "sbin/e2fsck", "sbin/xfs_repair", "sbin/btrfs"],
    }
}

/// Programs that create the partitions of the first boot, each with its package on Debian.
fn creating_programs(storage: &Storage) -> Vec<(&'static str, &'static str)> {
    let created = storage.tables.iter().flat_map(Table::created);
    created
        .filter_map(|(partition, _)| match &partition.content {
            bootconfig::Content::Swap { .. } => Some(("sbin/mkswap", "util-linux")),
            bootconfig::Content::Filesystem(_) => Some(("sbin/mke2fs", "e2fsprogs")),
            bootconfig::Content::Fat { .. } | bootconfig::Content::BootCode | bootconfig::Content::Empty => {
                None
            }
        })
        .collect()
}

/// Returns an error if the root tree lacks a program for the first boot.
fn require(tree: &RootTree, programs: &[(&'static str, &'static str)]) -> Result<()> {
    match programs.iter().find(|(program, _)| !tree.exists(program)) {
        Some((program, package)) => fail!(
            Packages,
            "the first boot creates a partition with /{program}, which the root tree does not have; add the package that has it: \
             {package} on Debian"
        ),
        None => Ok(()),
    }
}

/// Decides the contents of the boot image of this tree. `config.modules` names modules that are always loaded, `drivers` those that
/// the description adds.
pub fn plan(
    tree: &RootTree,
    filesystem: ondisk::Filesystem,
    config: &BootConfig,
    drivers: &[Drivers],
    identity: &Identity,
) -> Result<InitrdPlan> {
    let filesystems = filesystems(filesystem, config);
    let kernel = Kernel::find(tree)?;
    let set = modules::Modules::read(tree, &kernel)?;
    // The layer over a read-only stick can be in memory.
    let must_mount = filesystems.iter().filter(|kind| **kind == filesystem || config.kind != Kind::Usb);
    for kind in must_mount {
        let driver = kind.module();
        if set.lacks(driver) {
            fail!(
                Packages,
                "kernel {} of the root tree cannot mount {}: its module {driver} is missing; install the kernel package \
                 that has it, and where config.sh calls suseStripKernel name it among the <drivers>",
                kernel.version,
                kind.keyword()
            );
        }
    }
    let mut wanted: Vec<&str> = Vec::new();
    wanted.extend(drivers::of_machines());
    wanted.extend(filesystems.iter().flat_map(|filesystem| filesystem.modules()));
    wanted.extend(drivers::of_kind(config));
    wanted.extend(config.modules.iter().map(String::as_str));
    let (named, lacking) = set.named(drivers);
    wanted.extend(named);
    let chosen = set.closure(wanted.into_iter());
    let mut files = BTreeMap::new();
    let base = format!("lib/modules/{}", kernel.version);
    for path in set.paths(&chosen) {
        let location = format!("{base}/{}", uncompressed(path));
        files.insert(location, Content::Module { path: format!("{base}/{path}") });
    }
    for (name, text) in set.files(&chosen) {
        files.insert(format!("{base}/{name}"), Content::Text { text, mode: 0o644 });
    }
    // The shell is only for DEBUG=1: linuxrc never starts it otherwise.
    let checkers =
        filesystems.iter().filter_map(|filesystem| filesystem.checker().map(|checker| checker.program));
    let checkers = checkers.map(|program| format!("sbin/{program}"));
    let created: Vec<_> = config.storage.iter().flat_map(creating_programs).collect();
    require(tree, &created)?;
    let created = created.into_iter().map(|(program, _)| program);
    let others = kind_programs(config.kind).iter().copied().chain(created).chain(["bin/sh"]);
    for program in checkers.chain(others.map(str::to_owned)) {
        if tree.exists(&program) {
            for path in libraries::closure(tree, &program)? {
                files.insert(path.clone(), Content::Tree { path, mode: 0o755 });
            }
        }
    }
    files.insert("linuxrc".to_owned(), Content::Link { target: "init".to_owned() });
    files.insert(
        BootConfig::PATH.trim_start_matches('/').to_owned(),
        Content::Text { text: config.to_string(), mode: 0o644 },
    );
    let compression = match kernel.has_option(tree, "CONFIG_RD_ZSTD") {
        true => Compression::Zstd,
        false => Compression::Gzip,
    };
    Ok(InitrdPlan { kernel, config: config.to_string(), files, compression, lacking, epoch: identity.epoch })
}

/// Writes the archive to `output`, with the program at `linuxrc` as its `/init`.
pub fn create(plan: &InitrdPlan, tree: &RootTree, linuxrc: &Path, output: &Path, host: &Host) -> Result<()> {
    let init =
        std::fs::read(linuxrc).with_context(|| format!("reading the boot program {}", linuxrc.display()))?;
    let file =
        host.create_file(output).with_context(|| format!("writing the boot image {}", output.display()))?;
    let mut archive = archive::Archive::new(file, plan.compression, plan.epoch, host.processors())?;
    for directory in ["dev", "proc", "sys", "run", "mnt", "tmp", "etc"] {
        archive.directory(directory)?;
    }
    archive.file("init", &init, 0o755)?;
    for (location, content) in &plan.files {
        match content {
            Content::Tree { path, mode } => archive.file(location, &tree.read(path)?, *mode)?,
            Content::Module { path } => {
                archive.file(location, &modules::decompressed(path, tree.read(path)?)?, 0o644)?;
            }
            Content::Text { text, mode } => archive.file(location, text.as_bytes(), *mode)?,
            Content::Link { target } => archive.link(location, target)?,
        }
    }
    archive.finish().with_context(|| format!("writing the boot image {}", output.display()))
}

/// Copies the boot image `initrd` to `output` with `config` as its `/kiwi.boot`: it appends a second archive, whose files
/// replace those of the first one when the kernel unpacks them.
pub fn reconfigure(initrd: &Path, config: &BootConfig, epoch: u64, output: &Path, host: &Host) -> Result<()> {
    let what = || format!("writing the boot image {}", output.display());
    host.copy_file(initrd, output).with_context(what)?;
    let mut file = host.open_file(output).with_context(what)?;
    file.seek(SeekFrom::End(0)).with_context(what)?;
    // Compressed, because an uncompressed archive would have to start at a multiple of four bytes.
    let mut archive = archive::Archive::new(file, Compression::Gzip, epoch, 1)?;
    archive.file(BootConfig::PATH.trim_start_matches('/'), config.to_string().as_bytes(), 0o644)?;
    archive.finish().with_context(what)
}

/// Makes the tree of a boot description bootable by `linuxrc`: the program, its settings, uncompressed modules.
pub fn furnish(tree: &RootTree, config: &BootConfig, linuxrc: &Path) -> Result<()> {
    let init =
        std::fs::read(linuxrc).with_context(|| format!("reading the boot program {}", linuxrc.display()))?;
    tree.write("init", init, 0o755)?;
    tree.symlink("linuxrc", "init")?;
    if !tree.exists(BootConfig::PATH) {
        tree.write(BootConfig::PATH, config.to_string(), 0o644)?;
    }
    modules::decompress_in_place(tree)
}
