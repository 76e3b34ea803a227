//! `editbootconfig` of a live system: a script of the description changes the boot files of the medium.

use anyhow::{Context, Result};
use description::BootScript;

use crate::create::boot_script;
use crate::host::{Host, StageTask};
use crate::media::iso::{Graft, lay_out};
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// The name of the directory below `/run` in which the script sees the files.
const DIRECTORY: &str = "medium";

/// Runs the script, called `name` in the description, in the system and returns the files of the medium after it. As with KIWI NG its
/// arguments are `iso:` with the directory of these files, and the number 1.
pub(super) fn run(
    name: &str,
    files: &[Graft],
    epoch: u64,
    tree: &RootTree,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<Graft>> {
    let script = boot_script::of_tree(name, "editbootconfig", BootScript::EDIT_CONFIG, tree)?;
    let stage = host.stage(StageTask::RunScript, format!("Running {name}"));
    let directory = workspace.scratch_file("medium-edited");
    host.create_directories(&directory).context("making a directory for the boot files of the medium")?;
    lay_out(files, &directory, workspace, host)?;
    script.with_arguments(&[format!("iso:/run/{DIRECTORY}"), "1".to_owned()]).run_with(
        tree,
        host,
        |command| command.bind_directory_in_run(&directory, DIRECTORY, false),
    )?;
    let edited = RootTree::merged(&directory)?;
    edited.clamp_times(epoch)?;
    let names = edited.list("/")?;
    stage.finish();
    Ok(names.into_iter().map(|name| Graft::new(format!("/{name}"), directory.join(&name))).collect())
}
