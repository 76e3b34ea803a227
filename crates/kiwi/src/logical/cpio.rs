//! An initrd: the tree as N.gz, N.md5 over it, and the tree's kernel beside it (spec/kiwi-1.4, 4.4 and 4.5).

use std::collections::HashMap;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use ::cpio::newc::{Builder, trailer};
use anyhow::{Context, Result};
use bootconfig::ImageName;

use super::remove_build_files;
use crate::artifact::{Artifact, Role, Sums};
use crate::gzip::GzipWriter;
use crate::host::Host;
use crate::identity::Identity;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// What is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) name: ImageName,
    epoch: u64,
}

pub(super) fn plan(name: ImageName, identity: &Identity) -> Plan {
    Plan { name, epoch: identity.epoch }
}

pub(super) fn create(
    plan: &Plan,
    tree: &RootTree,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<Artifact>> {
    let mut artifacts = super::package_list(&plan.name, tree, workspace, host)?;
    artifacts.extend(extract_kernel(&plan.name, tree, workspace, host)?);
    remove_build_files(tree)?;
    let file = plan.name.initrd_file();
    let path = workspace.unfinished(&file);
    let stage = host.stage("Packing the initrd");
    let target = host.create_file(&path).with_context(|| format!("creating {}", path.display()))?;
    let writer = GzipWriter::new(target, host.processors()).context("packing the initrd")?;
    tree.warn_of_attributes("cpio", &[], host)?;
    let writer = archive(plan, tree, writer, host).context("packing the initrd")?;
    writer.finish().context("packing the initrd")?;
    let sum_path = workspace.unfinished(&plan.name.checksum_file());
    let sums = Sums::of(&path)?;
    host.write_file(&sum_path, sums.md5.to_string()).context("writing the checksum")?;
    stage.finish();
    artifacts.push(Artifact::new(Role::Checksum, plan.name.checksum_file(), sum_path));
    artifacts.push(Artifact { sha256: Some(sums.sha256), ..Artifact::new(Role::Initrd, file, path) });
    Ok(artifacts)
}

/// Writes every entry of the tree, sorted, hard links once; times no later than the epoch.
fn archive<W: Write>(plan: &Plan, tree: &RootTree, mut output: W, host: &Host) -> Result<W> {
    let mut numbers: HashMap<(u64, u64), u32> = HashMap::new();
    for entry in walkdir::WalkDir::new(tree.path()).sort_by_file_name() {
        let entry = entry?;
        host.check_interrupt()?;
        let inside = entry.path().strip_prefix(tree.path())?;
        let name = if inside.as_os_str().is_empty() { ".".to_owned() } else { inside.display().to_string() };
        let metadata = entry.metadata()?;
        let kind = metadata.file_type();
        let next = u32::try_from(numbers.len())? + 1;
        let known = numbers.get(&(metadata.dev(), metadata.ino())).copied();
        let number = known.unwrap_or(next);
        numbers.insert((metadata.dev(), metadata.ino()), number);
        let contents = if kind.is_symlink() {
            std::fs::read_link(entry.path())?.as_os_str().as_bytes().to_vec()
        } else if kind.is_file() && (known.is_none() || metadata.nlink() == 1) {
            std::fs::read(entry.path())?
        } else {
            Vec::new()
        };
        let mut header = Builder::new(&name)
            .ino(number)
            .mode(metadata.mode())
            .uid(metadata.uid())
            .gid(metadata.gid())
            .nlink(u32::try_from(if kind.is_dir() { 2 } else { metadata.nlink() })?)
            .mtime(u32::try_from(metadata.mtime().clamp(0, i64::try_from(plan.epoch)?))?);
        if kind.is_char_device() || kind.is_block_device() {
            header = header
                .rdev_major(rustix::fs::major(metadata.rdev()))
                .rdev_minor(rustix::fs::minor(metadata.rdev()));
        }
        let mut writer = header.write(&mut output, u32::try_from(contents.len())?);
        writer.write_all(&contents)?;
        writer.finish()?;
    }
    trailer(&mut output)?;
    Ok(output)
}

/// The kernel of the tree as N.kernel.VERSION, and N.kernel that leads to it.
fn extract_kernel(
    name: &ImageName,
    tree: &RootTree,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<Artifact>> {
    let Ok(kernel) = crate::kernel::Kernel::find(tree) else { return Ok(Vec::new()) };
    let file = name.kernel_file(&kernel.version);
    let path = workspace.unfinished(&file);
    host.write_file(&path, tree.read(&kernel.image)?)
        .with_context(|| format!("writing {}", path.display()))?;
    let link = workspace.unfinished(&name.kernel_link());
    host.link(&file, &link).with_context(|| format!("creating the link {}", link.display()))?;
    // The initrd itself needs no kernel: the boot loader has it.
    tree.remove(&kernel.image)?;
    Ok(vec![
        Artifact::new(Role::Kernel, file, path),
        Artifact::new(Role::KernelLink, name.kernel_link(), link),
    ])
}
