//! The inputs of the stage `Image`: everything that a finished file of one type depends on.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context as _, Result};
use description::Selection;

use super::boot_image::DecidedBoot;
use super::boot_program;
use crate::context::Context;
use crate::lock::LockedPackage;
use crate::prepare::{Decided, PreparePlan};
use crate::stage::{Inputs, Stage};

/// Directories with files of programs that end up in images.
const PARTS: [&str; 5] = [
    "/usr/lib/grub/i386-pc",
    "/usr/lib/grub/x86_64-efi",
    "/usr/share/grub2/i386-pc",
    "/usr/lib/ISOLINUX",
    "/usr/lib/syslinux/modules/bios",
];

/// Returns the inputs of one image.
pub(super) fn inputs(
    selection: &Selection,
    plan: &PreparePlan,
    decided: &Decided,
    packages: &[LockedPackage],
    boot: Option<&DecidedBoot>,
    context: &Context,
) -> Result<Inputs> {
    let share = &context.share;
    let host = &context.host;
    let mut inputs = Inputs::new(Stage::Image);
    inputs.after(&decided.tree);
    plan.image_inputs(decided, &mut inputs)?;
    of_selection(selection, &mut inputs)?;
    if selection.bills.any() {
        // Their locations are in the bill, and no other stage depends on those.
        inputs.value("the files of the packages", &packages)?;
    }
    let strip = Some(super::strip::PROGRAM).filter(|_| selection.strip);
    for program in crate::create::programs(&selection.image_type).into_iter().chain(strip) {
        let path = host.find_program(program)?;
        inputs.value(format!("the program {program}"), &file(&path)?)?;
    }
    for directory in PARTS.iter().map(Path::new).filter(|directory| directory.is_dir()) {
        inputs.value(directory.display().to_string(), &file(directory)?)?;
    }
    if let Some(boot) = boot {
        boot.inputs(&mut inputs);
    }
    boot_program::add(share, &mut inputs)?;
    Ok(inputs)
}

/// Adds the parts of the description that concern the image itself. A new field of [`Selection`] does not compile until
/// it is listed here.
fn of_selection(selection: &Selection, inputs: &mut Inputs) -> Result<()> {
    let Selection {
        name,
        name_part,
        version,
        kind,
        architecture,
        bundle_format,
        image_type,
        settings,
        drivers,
        deploy,
        verify_key,
        helper_kernel,
        strip,
        bills,
        reports,
        // Inputs of the stages `Packages` and `Tree`.
        package_manager: _,
        repositories: _,
        bootstrap: _,
        image: _,
        uninstall: _,
        delete: _,
        users: _,
        variables: _,
        // `PreparePlan`'s inputs contain them.
        profiles: _,
        vagrantfiles: _,
        // They are not in any image.
        author: _,
        contact: _,
        specification: _,
        positions: _,
        checksums: _,
    } = selection;
    inputs.value("name and version", &(name, version, architecture, kind))?;
    if let Some(part) = name_part {
        inputs.value("the part of the names", part)?;
    }
    inputs.value("the image type", image_type)?;
    inputs.value("the settings", &(settings, drivers, deploy))?;
    inputs.value("the key of downloads", verify_key)?;
    inputs.value("--strip", strip)?;
    if let Some(path) = helper_kernel {
        inputs.value("--helper-kernel", &(path.as_os_str().as_bytes(), file(path)?))?;
    }
    if bills.any() {
        inputs.value("--sbom", bills)?;
    }
    inputs.value("--changes and --verified", reports)?;
    inputs.value("bundle_format", bundle_format)
}

/// Returns size and time of a program or its files, which change when another package provides them.
fn file(path: &Path) -> Result<(u64, i64)> {
    let metadata = path.metadata().with_context(|| format!("reading {}", path.display()))?;
    Ok((metadata.len(), metadata.mtime()))
}

#[cfg(test)]
mod tests;
