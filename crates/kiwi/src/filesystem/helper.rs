//! File systems that no program fills without mounting them: a kernel with their driver does so, in a virtual machine without
//! network. A program of the host makes the empty file system before.
//!
//! The kernel sets times, so that two files of the same tree differ in them.

use std::path::Path;

use anyhow::{Context, Result, bail};
use ondisk::Filesystem;

use super::facts::mounted_with;
use super::{FilesystemJob, directory_of};
use crate::host::Host;
use crate::initrd::{self, HelperFiles, HelperKernel};
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// The most seconds that the machine may run.
const LIMIT: &str = "1800";
/// The kernel that fills the file systems of an image, and its initrd.
#[derive(Debug)]
pub struct Helper(HelperFiles);

impl Helper {
    /// Makes the helper for those of `filesystems` that only a kernel fills; none if there are none. The kernel is that of the
    /// tree, or the one at `named` if that has no driver.
    pub fn prepare(
        filesystems: &[Filesystem],
        named: Option<&Path>,
        tree: &RootTree,
        workspace: &Workspace,
        host: &Host,
    ) -> Result<Option<Self>> {
        let mut filesystems = filesystems.to_vec();
        filesystems.retain(|filesystem| mounted_with(*filesystem).is_some());
        filesystems.dedup();
        if filesystems.is_empty() {
            return Ok(None);
        }
        let named = named.map(HelperKernel::parse).transpose()?;
        let [kernel, initrd] = ["helper.kernel", "helper.initrd"].map(|name| workspace.scratch_file(name));
        let files = HelperFiles { kernel, initrd };
        initrd::helper(&filesystems, named.as_ref(), tree, &files, host)?;
        Ok(Some(Self(files)))
    }

    /// Fills the empty file system in the file `output` with the tree.
    fn fill(&self, job: FilesystemJob<'_>, output: &Path) -> Result<()> {
        let FilesystemJob { plan, tree, workspace, host, helper: _, stage: _ } = job;
        let keyword = plan.filesystem.keyword();
        let archive = workspace.passing_file("helper.tar", plan.size);
        host.command("tar")
            .args(["--create", "--sort=name", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--file"])
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
        // Attributes may need options that a kernel can lack.
        let options = match tree.attributed(&[])?.is_empty() {
            true => None,
            false => mounted_with(plan.filesystem),
        };
        let options = options.unwrap_or("defaults");
        let line = format!("console=ttyS0 quiet panic=-1 KIWI_FILESYSTEM={keyword} KIWI_OPTIONS={options}");
        let said = host
            .command("timeout")
            .args(["--kill-after=5", LIMIT, "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg"])
            .args(["-cpu", "max", "-m", "512", "-nodefaults", "-display", "none", "-serial", "stdio"])
            .args(["-no-reboot", "-kernel"])
            .arg(&self.0.kernel)
            .arg("-initrd")
            .arg(&self.0.initrd)
            .args(["-append", &line, "-drive", &drive(output, ""), "-drive"])
            .arg(drive(&archive, ",readonly=on"))
            .writable(directory_of(output))
            .output()
            .with_context(|| format!("cannot fill the {keyword} in a virtual machine"))?;
        host.remove_file(&archive).with_context(|| format!("cannot remove {}", archive.display()))?;
        if !said.contains(initrd::COMPLETE) {
            let lines: Vec<&str> = said.lines().collect();
            let tail = lines[lines.len().saturating_sub(5)..].join("\n");
            bail!("the virtual machine did not fill the {keyword}; its last messages:\n{tail}");
        }
        Ok(())
    }
}

/// Fills the empty file system in the file `output` with the tree of the job.
pub(super) fn fill(job: FilesystemJob<'_>, output: &Path) -> Result<()> {
    let helper = job.helper.with_context(|| {
        format!("a {} is filled by a kernel, which was not prepared", job.plan.filesystem.keyword())
    })?;
    helper.fill(job, output)
}
