//! Bills of materials: `--sbom` beside the images of a build, `kiwi sbom` for a root tree or a finished image.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use description::Bills;

use super::image_input::ImageInput;
use super::look;
use super::outcome::Outcome;
use crate::artifact::{Artifact, Role};
use crate::context::Context;
use crate::failure::fail;
use crate::host::StageTask;
use crate::lock::LockedPackage;
use crate::package_manager;
use crate::record::Record;
use crate::root_tree::RootTree;
use crate::sbom::{Bill, Form, Subject};

/// Files whose time is that of an image without a record and without a database of packages.
const RELEASE: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

/// The image and the form.
#[derive(Debug, Clone)]
pub struct Request {
    /// An image, or a root tree.
    pub image: PathBuf,
    /// The form of the bill.
    pub form: Form,
}

/// Returns the bill of an image.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let opened = look::open_system(&request.image, host)?;
    let found = package_manager::DATABASES.iter().chain(&RELEASE).find_map(|path| {
        let tree = RootTree::merged(&look::within(opened.root(), path)).ok()?;
        package_manager::has_database(&tree).then_some(tree)
    });
    let Some(tree) = found else {
        fail!(Damaged, "{} has no database of packages that kiwi can read", request.image.display());
    };
    let text = Bill::read(subject(&request.image, &tree), &tree, None, &[], host)?.text(request.form)?;
    drop(tree);
    opened.close()?;
    Ok(Outcome::FileContent { content: text.into_bytes() })
}

/// Returns what the bill of a finished image describes: name, version and time of its record, else the name of the file and
/// the time of its packages.
fn subject(image: &Path, tree: &RootTree) -> Subject {
    if let Ok(record) = Record::read(tree) {
        let Record { epoch, name, version, .. } = record;
        return Subject { name, version, architecture: String::new(), epoch };
    }
    let name = image.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let time = |path: &&str| tree.metadata(path).ok().and_then(|facts| u64::try_from(facts.mtime()).ok());
    let epoch = package_manager::DATABASES.iter().chain(&RELEASE).find_map(time).unwrap_or_default();
    Subject { name, version: String::new(), architecture: String::new(), epoch }
}

/// Writes the bills of one image. `layered` is what the image contains: the tree after scripts of the image. `packages` are
/// those that the build installed, if they are known.
pub(super) fn files(
    input: ImageInput<'_>,
    layered: &RootTree,
    packages: &[LockedPackage],
) -> Result<Vec<Artifact>> {
    let ImageInput { tree, selection, record, workspace, context } = input;
    let (Bills { spdx, cyclonedx }, host) = (selection.bills, &context.host);
    if !selection.bills.any() {
        return Ok(Vec::new());
    }
    let stage = host.stage(StageTask::RecordResult, "Writing the bill of materials");
    let subject = Subject {
        name: selection.name.to_string(),
        version: selection.version.to_string(),
        architecture: selection.architecture.machine().to_owned(),
        epoch: record.epoch,
    };
    // A script may have removed the database.
    let listed = if package_manager::has_database(layered) { layered } else { tree };
    let bill = Bill::read(subject, listed, Some(tree), packages, host)?;
    let mut artifacts = Vec::new();
    let forms = [(spdx, Form::Spdx, Role::SbomSpdx), (cyclonedx, Form::CycloneDx, Role::SbomCycloneDx)];
    for (_, form, role) in forms.into_iter().filter(|(is_wanted, ..)| *is_wanted) {
        let name = format!("{}{}", crate::create::image_name(selection), form.suffix());
        let path = workspace.unfinished(&name);
        host.write_file(&path, bill.text(form)?).with_context(|| format!("writing {}", path.display()))?;
        artifacts.push(Artifact::new(role, name, path));
    }
    stage.finish();
    Ok(artifacts)
}
