//! `--changes` and `--verified`: files beside an image with the change logs of its packages, and with the files that differ from
//! them. Without these options, or `bundle.has_package_changes` of `kiwi.yml`, nothing is read for them.

use anyhow::{Context as _, Result};
use description::Selection;

use crate::artifact::{Artifact, Role};
use crate::context::Context;
use crate::host::{Host, StageTask};
use crate::package_manager::reports;
use crate::root_tree::{DESCRIPTION, RootTree};
use crate::workspace::Workspace;

/// Applies `bundle.has_package_changes` of `kiwi.yml`: `true` is `--changes` for every build. Without it KIWI NG writes the file, too;
/// kiwi does not, because every package is read for it.
pub(super) fn configure(selection: &mut Selection, context: &Context) -> Result<()> {
    selection.reports.changes |= context.configuration()?.package_changes == Some(true);
    Ok(())
}

/// Writes the reports of a tree that the selection asks for.
pub(super) fn write(
    selection: &Selection,
    tree: &RootTree,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<Artifact>> {
    let name = crate::create::image_name(selection);
    let mut artifacts = Vec::new();
    let mut add = |role, ending: &str, content: Vec<u8>| -> Result<()> {
        let file = format!("{name}.{ending}");
        let path = workspace.unfinished(&file);
        host.write_file(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        artifacts.push(Artifact::new(role, file, path));
        Ok(())
    };
    if selection.reports.changes {
        let stage = host.stage(StageTask::RecordResult, "Collecting change logs");
        add(Role::PackageChanges, "changes", reports::changes(&packages(tree)?, tree, host)?)?;
        stage.finish();
    }
    if selection.reports.verified {
        let stage = host.stage(StageTask::ComputeDigests, "Comparing the files with their packages");
        add(Role::PackageVerification, "verified", reports::verified(tree, host)?.into_bytes())?;
        stage.finish();
    }
    Ok(artifacts)
}

/// Returns the names of the packages of a prepared tree.
fn packages(tree: &RootTree) -> Result<Vec<String>> {
    let list = tree.read_text(format!("{DESCRIPTION}/packages"))?;
    Ok(list.lines().filter_map(|line| line.split('|').next()).map(str::to_owned).collect())
}
