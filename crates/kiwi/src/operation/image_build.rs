//! The images of one build, one for each requested type.

use std::time::Instant;

use anyhow::Result;
use description::Selection;

use super::boot_image::DecidedBoot;
use super::image_input::ImageInput;
use super::load::Loaded;
use super::{boot_image, cached_artifacts, create, image_stage};
use crate::context::Context;
use crate::host::Host;
use crate::lock::LockedPackage;
use crate::parallel;
use crate::prepare::{Decided, PreparePlan, Reuse};
use crate::record::Record;
use crate::result_record::BuiltImage;
use crate::root_tree::RootTree;
use crate::stage::Inputs;
use crate::workspace::Workspace;

/// Groups the selections that can share one tree: everything that prepare uses is equal, or only the type that `.profile`
/// names differs and no script asks for it. The tree is made for the first selection of a group.
pub(super) fn with_one_tree(selections: Vec<Selection>, loaded: &Loaded) -> Result<Vec<Vec<Selection>>> {
    let asks = crate::prepare::scripts_ask_for_type(&loaded.source)?;
    let mut groups: Vec<Vec<Selection>> = Vec::new();
    for selection in selections {
        match groups.iter_mut().find(|group| !asks && same_tree(&group[0], &selection)) {
            Some(group) => group.push(selection),
            None => groups.push(vec![selection]),
        }
    }
    Ok(groups)
}

fn same_tree(one: &Selection, other: &Selection) -> bool {
    tree_inputs(one) == tree_inputs(other)
}

/// Returns everything that decides about the tree. A new field of [`Selection`] does not compile until it is listed here.
fn tree_inputs(selection: &Selection) -> impl PartialEq {
    let Selection {
        name,
        version,
        kind,
        architecture,
        profiles,
        package_manager,
        settings,
        repositories,
        bootstrap,
        image,
        uninstall,
        delete,
        users,
        drivers,
        // The caller checked whether scripts ask for the type.
        image_type: _,
        variables: _,
        // Those of every type are in the tree.
        vagrantfiles: _,
        // These are not in the tree.
        name_part: _,
        author: _,
        contact: _,
        specification: _,
        bundle_format: _,
        deploy: _,
        verify_key: _,
        helper_kernel: _,
        positions: _,
        strip: _,
        bills: _,
        reports: _,
        checksums: _,
    } = selection;
    // The tree keeps the scripts of the type.
    let scripts: Vec<_> = selection
        .image_type
        .boot_scripts()
        .iter()
        .map(|script| (script.attribute, script.script.to_owned()))
        .collect();
    let about = (name, version, kind, architecture, profiles, scripts);
    let removed = (uninstall, delete);
    (about, package_manager, settings, repositories, bootstrap, image, removed, users, drivers)
}

/// One type, as far as descriptions and repositories decide it.
pub(super) struct ImageBuild<'a> {
    selection: &'a Selection,
    boot: Option<DecidedBoot>,
    /// The key of the stage `Image`.
    pub(super) inputs: Inputs,
    kept: bool,
    /// The packages of the tree, for a bill of materials.
    packages: Vec<LockedPackage>,
    workspace: &'a Workspace,
    context: &'a Context,
}

/// What the types of one tree share.
pub(super) struct TreeContext<'a> {
    pub(super) plan: &'a PreparePlan,
    pub(super) decided: &'a Decided,
    pub(super) loaded: &'a Loaded,
    pub(super) reuse: Reuse,
    pub(super) context: &'a Context,
}

impl<'a> ImageBuild<'a> {
    pub(super) fn decide(
        selection: &'a Selection,
        workspace: &'a Workspace,
        shared: &TreeContext<'a>,
    ) -> Result<Self> {
        let TreeContext { plan, decided, loaded, reuse, context } = *shared;
        let cache = context.cache()?;
        let boot = boot_image::decide(
            selection,
            loaded.source.directory(),
            &loaded.locking,
            reuse,
            workspace,
            context,
        )?;
        let packages = match selection.bills.any() {
            true => loaded.locking.of_system(selection).packages(plan, decided),
            false => Vec::new(),
        };
        let inputs = image_stage::inputs(selection, plan, decided, &packages, boot.as_ref(), context)?;
        let kept = !reuse.off
            && cache.lasts()
            && !context.debugging.has_shells()
            && (reuse.network || !plan.uses_network());
        Ok(Self { selection, boot, inputs, kept, packages, workspace, context })
    }

    /// Returns the keyword of the type.
    pub(super) fn keyword(&self) -> &'static str {
        self.selection.image_type.keyword()
    }

    /// Returns the boot image's stage, if it has its own.
    pub(super) fn boot_inputs(&self) -> Option<&Inputs> {
        self.boot.as_ref().filter(|boot| boot.kept).map(|boot| &boot.inputs)
    }

    /// Restores the image from the cache and publishes it, if the cache has it.
    pub(super) fn restore(&self) -> Result<bool> {
        if !self.kept {
            return Ok(false);
        }
        let taken = cached_artifacts::restore::<BuiltImage>(&self.inputs, self.workspace, self.context)?;
        let Some((artifacts, built)) = taken else { return Ok(false) };
        create::publish(artifacts, built, self.selection, self.workspace, self.context)?;
        Ok(true)
    }

    /// Makes a boot image that has its own description.
    pub(super) fn make_boot_image(&self) -> Result<()> {
        match &self.boot {
            Some(boot) => boot.make_ahead(self.context),
            None => Ok(()),
        }
    }

    /// Makes the image from the tree, saves and publishes it.
    fn make(&self, tree: &RootTree, record: &Record) -> Result<()> {
        let Self { selection, boot, workspace, context, .. } = self;
        let host = &context.host;
        let began = Instant::now();
        let earlier =
            if self.kept { context.cache()?.stages().previous_build(&self.inputs, host) } else { None };
        if let Some(entry) = &earlier {
            workspace.set_previous_build(entry.directory());
        }
        let input = ImageInput { tree, selection, record, workspace, context };
        let made = create::images(input, &self.packages, boot.as_ref())?;
        drop(earlier);
        let measure = || create::built_image(selection, &made, host);
        let mut built = None;
        if self.kept {
            // The digests for the result and for the cache are computed in parallel.
            parallel::beside(measure, |measuring| {
                let measured = || {
                    let image = measuring.end()?;
                    built = Some(image.clone());
                    Ok(image)
                };
                let (name, took) = (selection.name.to_string(), began.elapsed());
                cached_artifacts::save(&self.inputs, &name, &made.artifacts, measured, took, context)
            })?;
        }
        // A cache that cannot be written does not request the note.
        let built = built.map_or_else(measure, Ok)?;
        create::publish(made.artifacts, built, selection, workspace, context)
    }
}

/// Makes the images of one tree, at most one per processor at a time.
pub(super) fn make_all(
    images: &[&ImageBuild<'_>],
    tree: &RootTree,
    record: &Record,
    host: &Host,
) -> Result<()> {
    let make = |image: &&ImageBuild| {
        host.check_interrupt()?;
        image.make(tree, record)
    };
    parallel::map(images, host.processors(), make).map(drop)
}
