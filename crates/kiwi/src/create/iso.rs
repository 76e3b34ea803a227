//! A live system: one hybrid ISO that boots from a CD or a stick (docs/formats/image-files.md).
//!
//! ```text
//! tree -> content (layout: what stays on the medium, what is copied to memory) ----+
//! kernel, initrd, menu, config.isoclient, config-cdroot.tgz, cdboot/ --------------+-> media::iso -> N.iso
//! ```

mod content;
mod edit;
mod extras;
mod menu;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bootconfig::{ImageName, LiveConfig};
use description::{Firmware, Iso, IsoLayout, Selection};

use self::content::Packed;
use super::{BootImageFiles, ImageContext, TreeFacts, remove_build_files};
use crate::artifact::{Artifact, Role};
use crate::bootloader::signed::{SignedPrograms, Use};
use crate::host::{Host, StageTask, Warning};
use crate::identity::Identity;
use crate::kernel::Kernel;
use crate::media::iso::{self, Graft, InPlace, IsoPlan, LOADER};
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// The plan of a live system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) name: ImageName,
    content: content::ContentPlan,
    medium: IsoPlan,
    /// Whether the signed programs of the tree start it by UEFI.
    secure_boot: bool,
    boot: BootImageFiles,
    epoch: u64,
    layout: IsoLayout,
    /// `editbootconfig`
    edit_boot_config: Option<String>,
}

pub(super) fn plan(
    live: &Iso,
    selection: &Selection,
    name: ImageName,
    facts: &TreeFacts,
    identity: &Identity,
) -> Result<Plan> {
    let boot = facts.boot.clone().context("a live system needs a boot image")?;
    let title = selection.settings.display_name.clone().unwrap_or_else(|| selection.name.to_string());
    let mut medium = iso::plan(menu::of(live, &title), &live.volume_id, live.firmware, identity);
    medium.application_id = live.application_id.clone().unwrap_or_default();
    medium.publisher = live.publisher.clone().unwrap_or_default();
    let content = content::plan(live, &name, facts, identity);
    let secure_boot = live.secure_boot && live.firmware != Firmware::Bios;
    Ok(Plan {
        name,
        content,
        medium,
        secure_boot,
        boot,
        epoch: identity.epoch,
        layout: live.layout,
        edit_boot_config: live.edit_boot_config.clone(),
    })
}

/// Returns the host programs that are needed for this live system.
pub(super) fn programs(live: &Iso) -> Vec<&'static str> {
    let mut programs = iso::programs(live.bootloader.name, live.firmware);
    programs.extend(content::programs(live));
    if live.edit_boot_config.is_some() {
        programs.push("cp");
    }
    programs
}

pub(super) fn create(plan: &Plan, context: ImageContext<'_>) -> Result<Vec<Artifact>> {
    let ImageContext { tree, workspace, host, .. } = context;
    if plan.layout == IsoLayout::DmSquash {
        host.warn(Warning::Description, "flags=\"dmsquash\" is built as \"overlay\": the squashfs contains the system itself, not another image of it");
    }
    // The first step, because the packages may be missing.
    let signed = match plan.secure_boot {
        true => Some(SignedPrograms::copy(tree, Use::Medium, workspace, host)?),
        false => None,
    };
    let medium = plan.medium.clone().started_by(signed);
    let mut artifacts = context.package_list(&plan.name)?;
    let mut grafts = extras::cd_root(tree, plan.epoch, workspace, host)?;
    let cdboot = extras::Cdboot::of(tree, &plan.boot.cdboot, workspace, host)?;
    let mut is_complete = false;
    if let Some(script) = &plan.edit_boot_config {
        grafts.extend(cdboot.loader_files(LOADER));
        let files = iso::with_boot_files(&medium, &grafts, workspace, host)?;
        grafts = edit::run(script, &files, plan.epoch, tree, workspace, host)?;
        tree.measure()?;
        is_complete = true;
    }
    remove_build_files(tree)?;
    tree.clamp_times(plan.epoch)?;
    let content = content::create(&plan.content, tree, workspace, host)?;
    grafts.extend(content.grafts);
    // Either a script assembles the medium, or the read-only part is packed directly to its offset.
    if let Some(packed) = content.packed.as_ref().filter(|_| cdboot.script().is_some()) {
        grafts.push(packed.graft(tree, workspace, host)?);
    }
    grafts.extend(boot_files(plan, tree, workspace, host)?);
    if !is_complete {
        grafts.extend(cdboot.loader_files(LOADER));
        grafts = iso::with_boot_files(&medium, &grafts, workspace, host)?;
    }
    for file in
        grafts.iter().map(|graft| &graft.source).filter(|source| source.starts_with(workspace.scratch()))
    {
        // The directories are parts of the tree, or come from the description.
        if file.is_file() {
            iso::finish(file, plan.epoch, host)?;
        }
    }
    let file = format!("{}.iso", plan.name);
    let path = workspace.unfinished(&file);
    let sha256 = match cdboot.script() {
        Some(script) => {
            let stage = host.stage(StageTask::WriteMedium, "Writing the medium");
            iso::create_by_script(&medium, script, &grafts, &tree.devices()?, &path, workspace, host)?;
            stage.finish();
            None
        }
        None => Some(write(&medium, &grafts, content.packed.as_ref(), &path, tree, workspace, host)?),
    };
    artifacts.push(Artifact { sha256, ..Artifact::new(Role::Image, file, path) });
    Ok(artifacts)
}

/// Writes the medium, with the packed part at its offset. Returns the SHA-256.
fn write(
    plan: &IsoPlan,
    grafts: &[Graft],
    packed: Option<&Packed>,
    output: &Path,
    tree: &RootTree,
    workspace: &Workspace,
    host: &Host,
) -> Result<String> {
    let stage = host.stage(StageTask::WriteMedium, "Writing the medium");
    let pack = |output: &Path, offset| match packed {
        Some(packed) => packed.write(tree, output, offset, workspace, host),
        None => Ok(()),
    };
    let in_place = packed.map(|packed| InPlace { location: packed.location.clone(), write: &pack });
    let sha256 = iso::create(plan, grafts, &tree.devices()?, in_place.as_ref(), output, workspace, host)?;
    stage.finish();
    Ok(sha256)
}

/// Returns the kernel, the initrd and the file that linuxrc reads first.
fn boot_files(plan: &Plan, tree: &RootTree, workspace: &Workspace, host: &Host) -> Result<Vec<Graft>> {
    let kernel = Kernel::find(tree)?;
    let written = |name: &str, bytes: Vec<u8>| -> Result<PathBuf> {
        let path = workspace.scratch_file(name);
        host.write_file(&path, bytes)
            .with_context(|| format!("cannot write {} of the medium", path.display()))?;
        Ok(path)
    };
    let initrd = std::fs::read(&plan.boot.initrd)
        .with_context(|| format!("cannot read the boot image {}", plan.boot.initrd.display()))?;
    let config = LiveConfig { image: plan.name.clone(), union: plan.content.union() };
    Ok(vec![
        Graft::new(format!("{LOADER}/linux"), written("medium-linux", tree.read(&kernel.image)?)?),
        Graft::new(format!("{LOADER}/initrd"), written("medium-initrd", initrd)?),
        Graft::new(LiveConfig::PATH, written("medium-config", config.to_string().into_bytes())?),
    ])
}
