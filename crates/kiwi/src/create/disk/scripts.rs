//! Scripts of a description that change the content of a disk: they see the tree with its boot files, in the sandbox, and
//! what they change is in the image only.

use std::path::Path;

use anyhow::{Context, Result};
use bootconfig::{Content, Partition, Table};
use description::BootScript;

use crate::create::{ImageContext, boot_script};
use crate::failure::fail;
use crate::host::{Host, StageTask};
use crate::root_tree::{DESCRIPTION, RootTree};
use crate::script::Script;
use crate::workspace::Workspace;

/// The scripts, in their order.
const NAMES: [&str; 2] = ["pre_disk_sync.sh", "disk.sh"];
const FSTAB: &str = "etc/fstab";
/// The path at which the script of `editbootinstall` sees the disk.
const DISK: &str = "image/disk";

/// Runs the scripts that the tree has.
pub(super) fn run(context: ImageContext<'_>) -> Result<()> {
    let ImageContext { tree, host, .. } = context;
    let mut has_run = false;
    for name in NAMES {
        let Some(script) = Script::of_tree(tree, name) else { continue };
        let stage = host.stage(StageTask::RunScript, format!("Running {name}"));
        script.run(tree, false, host)?;
        stage.finish();
        has_run = true;
    }
    if has_run {
        // What is known of the attributes in the tree must be true of what is written.
        tree.measure()?;
    }
    Ok(())
}

/// Runs the script of `editbootconfig`, called `name` in the description, in the system whose boot loader is configured. As with KIWI NG its
/// arguments are the file system that contains `/boot` and the number of its partition.
pub(super) fn edit_boot_config(name: &str, table: &Table, tree: &RootTree, host: &Host) -> Result<()> {
    let script = boot_script::of_tree(name, "editbootconfig", BootScript::EDIT_CONFIG, tree)?;
    let partition = boot_partition(table)?;
    let filesystem = match &partition.content {
        Content::Filesystem(volume) => volume.kind.keyword(),
        Content::Fat { .. } => "vfat",
        Content::Swap { .. } | Content::BootCode | Content::Empty => "",
    };
    let stage = host.stage(StageTask::RunScript, format!("Running {name}"));
    script.with_arguments(&[filesystem.to_owned(), partition.number.to_string()]).run(tree, false, host)?;
    stage.finish();
    tree.measure().map(drop)
}

fn boot_partition(table: &Table) -> Result<&Partition> {
    table.containing("/boot").map(|(partition, _)| partition).context("no partition contains /boot")
}

/// The script of `editbootinstall`. It runs when the disk is finished, and the tree has lost its build files by then.
pub(super) struct DiskScript {
    name: String,
    script: Script,
    /// Path, content and mode of what the script needs in the tree.
    files: Vec<(String, Vec<u8>, u32)>,
}

impl DiskScript {
    /// Takes the script `name` of the description from the tree.
    pub(super) fn take(name: &str, tree: &RootTree) -> Result<Self> {
        let script = boot_script::of_tree(name, "editbootinstall", BootScript::EDIT_INSTALL, tree)?;
        let path = format!("{DESCRIPTION}/{}", BootScript::EDIT_INSTALL);
        let mode = if tree.is_executable(&path) { 0o755 } else { 0o644 };
        let mut files = vec![(path.clone(), tree.read(&path)?, mode)];
        for file in [".profile", ".kconfig"].into_iter().filter(|file| tree.exists(file)) {
            files.push((file.to_owned(), tree.read(file)?, 0o644));
        }
        Ok(Self { name: name.to_owned(), script, files })
    }

    /// Runs it in the system, which sees the disk image as a file. Its arguments are that file and the number of the partition
    /// that contains `/boot`; KIWI NG passes a device instead.
    pub(super) fn run(self, table: &Table, disk: &Path, tree: &RootTree, host: &Host) -> Result<()> {
        let stage = host.stage(StageTask::RunScript, format!("Running {}", self.name));
        for (path, content, mode) in &self.files {
            tree.write(path, content, *mode)?;
        }
        tree.write(DISK, "", 0o600)?;
        let size = || disk.metadata().map(|metadata| metadata.len()).context("reading the disk");
        let before = size()?;
        let arguments = [format!("/{DISK}"), boot_partition(table)?.number.to_string()];
        self.script
            .with_arguments(&arguments)
            .run_with(tree, host, |command| command.bind(disk, format!("/{DISK}"), false))?;
        let after = size()?;
        if after != before {
            fail!(
                ScriptFailed,
                "the script {} of editbootinstall changed the size of the disk from {before} to {after} bytes; enlarge it with <size>",
                self.name
            );
        }
        stage.finish();
        Ok(())
    }
}

/// Applies the changes to `/etc/fstab` that the tree contains, and removes them: lines to append, a patch, a script.
pub(super) fn edit_fstab(tree: &RootTree, workspace: &Workspace, host: &Host) -> Result<()> {
    let of = |ending: &str| Some(format!("{FSTAB}.{ending}")).filter(|path| tree.exists(path));
    let text = |path: &str| if tree.exists(path) { tree.read(path) } else { Ok(Vec::new()) };
    if let Some(path) = of("append") {
        let whole = [text(FSTAB)?, tree.read(&path)?].concat();
        tree.write(FSTAB, whole, 0o644)?;
        tree.remove(&path)?;
    }
    if let Some(path) = of("patch") {
        let patched = patched(&text(FSTAB)?, &tree.read(&path)?, workspace, host)
            .with_context(|| format!("cannot apply /{path} of the root tree to /{FSTAB}"))?;
        tree.write(FSTAB, patched, 0o644)?;
        tree.remove(&path)?;
    }
    if let Some(path) = of("script") {
        Script::at(&path, &format!("/{path} of the root tree")).run(tree, false, host)?;
        tree.remove(&path)?;
    }
    Ok(())
}

/// Returns a text after a patch, which the program `patch` of the host applies.
fn patched(text: &[u8], patch: &[u8], workspace: &Workspace, host: &Host) -> Result<Vec<u8>> {
    let directory = workspace.scratch_file("fstab");
    host.create_directories(&directory)?;
    let (file, change) = (directory.join("fstab"), directory.join("patch"));
    host.write_file(&file, text)?;
    host.write_file(&change, patch)?;
    host.command("patch")
        .args(["--batch", "--forward", "--no-backup-if-mismatch", "--reject-file=-"])
        .arg(&file)
        .arg(&change)
        .writable(&directory)
        .run()?;
    Ok(std::fs::read(&file)?)
}
