//! ReiserFS: made by `mkreiserfs`, and filled by a kernel that has its driver, in a virtual machine without network, because no
//! program fills it without mounting it. The kernel is that of the tree.
//!
//! The kernel sets times, so that two files of the same tree differ in them.

use std::path::Path;

use anyhow::{Context, Result, bail};
use ondisk::{Bytes, Filesystem};

use super::{FilesystemJob, directory_of, empty_file};
use crate::host::Warning;
use crate::initrd;
use crate::root_tree::Measure;

/// Bytes of the journal and of the first blocks.
const JOURNAL: u64 = 34 << 20;
/// Bytes that an entry needs besides its content.
const ENTRY: u64 = 512;
/// The most seconds that the machine may run.
const LIMIT: &str = "1800";

/// Returns the size that a tree needs.
pub(super) fn needed(measure: &Measure) -> Bytes {
    Bytes(measure.bytes + measure.entries * ENTRY + JOURNAL)
}

pub(super) fn create(job: FilesystemJob<'_>, output: &Path) -> Result<()> {
    let FilesystemJob { plan, tree, workspace, host } = job;
    tree.warn_of_attributes("reiserfs", &[], host)?;
    host.warn(
        Warning::Kernel,
        "Linux 6.13 and later cannot mount reiserfs, and few kernels before it are built with its driver; ext4 replaces it",
    );
    let [initrd, image] = ["helper.initrd", "helper.kernel"].map(|name| workspace.scratch_file(name));
    let kernel = initrd::helper(tree, Filesystem::Reiserfs, plan.epoch, &initrd, host)?;
    let copying = || format!("cannot write {}", image.display());
    host.write_file(&image, tree.read(&kernel.image)?).with_context(copying)?;
    empty_file(job, output)?;
    let label = plan.label.iter().flat_map(|label| ["--label", label]);
    host.command("mkreiserfs")
        .args(["-q", "-f", "-f", "--block-size", "4096", "--uuid", &plan.uuid])
        .args(label)
        .args(&plan.options)
        .arg(output)
        .writable(directory_of(output))
        .run()
        .context("cannot make the reiserfs")?;
    let archive = workspace.passing_file("helper.tar", plan.size);
    host.command("tar")
        .args(["--create", "--sort=name", "--numeric-owner", "--file"])
        .arg(&archive)
        .arg("--directory")
        .arg(tree.path())
        .arg(".")
        .writable(directory_of(&archive))
        .shows_devices(tree.devices()?)
        .run()
        .context("cannot pack the tree")?;
    let drive = |path: &Path, options: &str| {
        format!("file={},format=raw,if=virtio{options}", path.display().to_string().replace(',', ",,"))
    };
    let said = host
        .command("timeout")
        .args([
            "--kill-after=5",
            LIMIT,
            "qemu-system-x86_64",
            "-machine",
            "q35",
            "-accel",
            "tcg",
            "-cpu",
            "max",
        ])
        .args(["-m", "512", "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot", "-kernel"])
        .arg(&image)
        .arg("-initrd")
        .arg(&initrd)
        .args(["-append", "console=ttyS0 quiet panic=-1", "-drive", &drive(output, ""), "-drive"])
        .arg(drive(&archive, ",readonly=on"))
        .writable(directory_of(output))
        .output()
        .context("cannot fill the reiserfs in a virtual machine")?;
    for file in [&initrd, &image, &archive] {
        host.remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    if !said.contains(initrd::COMPLETE) {
        let lines: Vec<&str> = said.lines().collect();
        let tail = lines[lines.len().saturating_sub(5)..].join("\n");
        bail!("the virtual machine did not fill the reiserfs; its last messages:\n{tail}");
    }
    Ok(())
}
