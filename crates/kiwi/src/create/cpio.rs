//! An initrd: the tree as N.gz with the checksum file N.md5, and its kernel (docs/formats/image-files.md).

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ::cpio::newc::{Builder, trailer};
use anyhow::{Context, Result, bail};
use bootconfig::ImageName;

use super::{ImageContext, remove_build_files};
use crate::artifact::{Artifact, Role};
use crate::gzip::GzipWriter;
use crate::host::device::Device;
use crate::host::{Host, Meter, StageTask};
use crate::identity::Identity;
use crate::root_tree::RootTree;

/// The plan of an initrd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) name: ImageName,
    epoch: u64,
}

pub(super) fn plan(name: ImageName, identity: &Identity) -> Plan {
    Plan { name, epoch: identity.epoch }
}

pub(super) fn create(plan: &Plan, context: ImageContext<'_>) -> Result<Vec<Artifact>> {
    let ImageContext { tree, workspace, host, .. } = context;
    let mut artifacts = context.package_list(&plan.name)?;
    artifacts.extend(extract_kernel(&plan.name, context)?);
    remove_build_files(tree)?;
    let file = plan.name.initrd_file();
    let path = workspace.unfinished(&file);
    let stage = host.stage(StageTask::WriteArchive, "Packing the initrd");
    let target = host.create_file(&path).with_context(|| format!("creating {}", path.display()))?;
    let writer = GzipWriter::new(target, host.processors()).context("packing the initrd")?;
    tree.warn_of_attributes("cpio", &[], host)?;
    let meter = stage.meter(tree.measure()?.bytes);
    let writer = archive(plan, tree, writer, &meter, host).context("packing the initrd")?;
    writer.finish().context("packing the initrd")?;
    let (checksum, sums) = context.checksum(&plan.name, &path)?;
    stage.finish();
    artifacts.push(checksum);
    artifacts.push(Artifact { sha256: Some(sums.sha256), ..Artifact::new(Role::Initrd, file, path) });
    Ok(artifacts)
}

/// Writes every entry of the tree, in sorted order, hard links once, with times that are not later than the epoch.
fn archive<W: Write>(
    plan: &Plan,
    tree: &RootTree,
    mut output: W,
    meter: &Meter<'_>,
    host: &Host,
) -> Result<W> {
    let mut numbers: HashMap<(u64, u64), u32> = HashMap::new();
    for entry in walkdir::WalkDir::new(tree.path()).sort_by_file_name() {
        let entry = entry?;
        host.check_interrupt()?;
        let inside = entry.path().strip_prefix(tree.path())?;
        let name = name_of(inside)?;
        let metadata = entry.metadata()?;
        let kind = metadata.file_type();
        let next = u32::try_from(numbers.len())? + 1;
        let known = numbers.get(&(metadata.dev(), metadata.ino())).copied();
        let number = known.unwrap_or(next);
        numbers.insert((metadata.dev(), metadata.ino()), number);
        let device = Device::of(entry.path(), &metadata)?;
        let (mut content, size): (Box<dyn Read>, u64) = if kind.is_symlink() {
            let target = std::fs::read_link(entry.path())?.into_os_string().into_vec();
            let size = target.len() as u64;
            (Box::new(Cursor::new(target)), size)
        } else if kind.is_file() && device.is_none() && (known.is_none() || metadata.nlink() == 1) {
            (Box::new(File::open(entry.path())?), metadata.len())
        } else {
            (Box::new(io::empty()), 0)
        };
        let size = u32::try_from(size).with_context(|| {
            format!("/{name} has 4 GiB or more, which a cpio archive cannot hold; use the image type tbz")
        })?;
        let mut header = Builder::new(name)
            .ino(number)
            .mode(device.map_or(metadata.mode(), |device| device.mode(metadata.mode())))
            .uid(metadata.uid())
            .gid(metadata.gid())
            .nlink(u32::try_from(if kind.is_dir() { 2 } else { metadata.nlink() })?)
            .mtime(u32::try_from(metadata.mtime().clamp(0, i64::try_from(plan.epoch)?))?);
        if let Some(device) = device {
            header = header.rdev_major(device.major).rdev_minor(device.minor);
        }
        let mut writer = header.write(&mut output, size);
        io::copy(&mut meter.reading(&mut content), &mut writer)
            .and_then(|_| writer.finish())
            .with_context(|| format!("packing /{name}"))?;
    }
    trailer(&mut output)?;
    Ok(output)
}

/// Returns the name of an entry in the archive.
fn name_of(inside: &Path) -> Result<&str> {
    match inside.to_str() {
        Some("") => Ok("."),
        Some(name) => Ok(name),
        None => bail!(
            "the name of /{} is not UTF-8, which kiwi's cpio archives require; rename it, or use the image type tbz",
            inside.display()
        ),
    }
}

/// Copies the kernel of the tree to N.kernel.VERSION, and creates the link N.kernel to it.
fn extract_kernel(name: &ImageName, context: ImageContext<'_>) -> Result<Vec<Artifact>> {
    let ImageContext { tree, workspace, host, .. } = context;
    let Ok(kernel) = crate::kernel::Kernel::find(tree) else { return Ok(Vec::new()) };
    let file = name.kernel_file(&kernel.version);
    let path = workspace.unfinished(&file);
    host.write_file(&path, tree.read(&kernel.image)?)
        .with_context(|| format!("writing {}", path.display()))?;
    let link = workspace.unfinished(&name.kernel_link());
    host.link(&file, &link).with_context(|| format!("creating the link {}", link.display()))?;
    // The initrd itself needs no kernel: the boot loader loads it.
    tree.remove(&kernel.image)?;
    let mut artifacts = vec![
        Artifact::new(Role::Kernel, file, path),
        Artifact::new(Role::KernelLink, name.kernel_link(), link),
    ];
    let programs: Vec<String> = tree.list("boot")?.into_iter().filter(|name| is_hypervisor(name)).collect();
    if let Some(newest) = programs.iter().max() {
        let file = format!("{name}.kernel-xen.{}.gz", kernel.version);
        let path = workspace.unfinished(&file);
        let writing = || format!("cannot write {}", path.display());
        host.write_file(&path, tree.read(format!("boot/{newest}"))?).with_context(writing)?;
        artifacts.push(Artifact::new(Role::Hypervisor, file, path));
    }
    for program in &programs {
        tree.remove(format!("boot/{program}"))?;
    }
    Ok(artifacts)
}

/// Returns whether a file of `/boot` is Xen's hypervisor, such as `xen-4.17-amd64.gz`.
fn is_hypervisor(name: &str) -> bool {
    name.starts_with("xen") && name.ends_with(".gz")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn rejects_names_that_are_not_utf_8() {
        assert_eq!(name_of(Path::new("")).unwrap(), ".");
        assert_eq!(name_of(Path::new("etc/größe 1")).unwrap(), "etc/größe 1");
        let error = name_of(Path::new(OsStr::from_bytes(b"etc/gr\xf6\xdfe"))).unwrap_err().to_string();
        assert!(error.contains("/etc/gr") && error.contains("tbz"), "{error}");
    }
}
