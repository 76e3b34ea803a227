//! `kiwi boot-vm`: makes a virtual disk from a boot image and a system that were built before.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use description::DiskFormat;
use ondisk::Bytes;

use super::outcome::Outcome;
use super::target::Target;
use crate::context::Context;
use crate::disk_format;
use crate::failure::fail;
use crate::host::StageTask;
use crate::media::boot_files::BootFiles;
use crate::media::stick::{self, Carrier};
use crate::media::system_image::SystemImage;
use crate::media::system_kernel;

/// The contents of the disk and its destination.
#[derive(Debug, Clone)]
pub struct Request {
    /// The boot image, `N.gz`, with its kernel in the same directory.
    pub initrd: PathBuf,
    /// The system, an image of type usb.
    pub system: PathBuf,
    /// The size of the disk; none: what its contents need.
    pub size: Option<Bytes>,
    /// The format of the file.
    pub format: DiskFormat,
    /// The file; none: beside the system, with the extension of the format.
    pub output: Option<PathBuf>,
}

/// Makes the disk.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let Request { initrd, system, size, format, output } = request;
    let host = &context.host;
    let converter = Some("qemu-img").filter(|_| *format != DiskFormat::Raw);
    for program in stick::programs().iter().copied().chain(converter) {
        host.find_program(program)?;
    }
    let boot = BootFiles::find(initrd)?;
    let target = Target::File(output.clone().unwrap_or_else(|| usual_name(system, *format)));
    let workspace = target.workspace(initrd, host)?;
    let system = SystemImage::open(system, workspace.scratch(), host)?;
    system_kernel::compare(&boot, &system, host)?;
    let identity = stick::identity(&boot.sums(host)?, Some(&system), host);
    let plan = stick::plan(boot, Some(&system), Carrier::Stick, &identity)?;
    let size = size.unwrap_or(plan.size());
    if size < plan.size() {
        fail!(
            Usage,
            "the disk needs {} MB, and --disksize is {} MB",
            plan.size().to_mebibytes_up().0,
            size.to_mebibytes_up().0
        );
    }
    let file = target.unfinished(&workspace)?;
    let raw = if *format == DiskFormat::Raw { file.clone() } else { workspace.scratch_file("disk.raw") };
    stick::create(&plan, &raw, &workspace, host)?;
    // The last partition grows to the end of the disk at the first boot.
    host.open_file(&raw).and_then(|disk| disk.set_len(size.0)).context("cannot size the disk")?;
    if *format != DiskFormat::Raw {
        let stage =
            host.stage(StageTask::ConvertDisk, format!("Converting to {}", disk_format::ending(*format)));
        let to = disk_format::Target { output: &file, earlier: None, stage: &stage };
        disk_format::convert(&raw, *format, &[], identity.uuid("disk file"), to, host)?;
        stage.finish();
    }
    target.deliver(&file, &workspace, host)?;
    workspace.close()?;
    Ok(target.outcome(host))
}

/// Returns the file name of KIWI 1.x: the name of the system with the extension of the format.
fn usual_name(system: &Path, format: DiskFormat) -> PathBuf {
    let name = system.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    system.with_file_name(format!("{name}.{}", disk_format::ending(format)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_disk_by_its_system_and_format() {
        for (system, format, disk) in [
            ("/tmp/full-suse-10.2.i686-1.1.2", DiskFormat::Vmdk, "/tmp/full-suse-10.2.i686-1.1.2.vmdk"),
            ("n.x86_64-1.0.0.gz", DiskFormat::Raw, "n.x86_64-1.0.0.raw"),
        ] {
            assert_eq!(usual_name(Path::new(system), format), Path::new(disk));
        }
    }
}
