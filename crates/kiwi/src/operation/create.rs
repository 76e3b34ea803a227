//! `kiwi create`: builds images from a root tree.
//!
//! ```text
//! tree (read-only) + layer -> images.sh -> boot image -> file systems, disks -> published under their final names
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use description::{DescriptionKind, Selection};

use super::boot_image::DecidedBoot;
use super::image_input::ImageInput;
use super::outcome::Outcome;
use super::{
    ImageOptions, Overrides, boot_image, images_script, install_archive, install_medium, load, prepare,
    reports, sbom, strip,
};
use crate::artifact::{self, Artifact, Role};
use crate::context::Context;
use crate::create::TreeFacts;
use crate::debugging::{self, Point, Step};
use crate::failure::fail;
use crate::host::{Host, NameLock, StageTask, Warning};
use crate::lock::LockedPackage;
use crate::origins::Origins;
use crate::prepare::Reuse;
use crate::record::Record;
use crate::result_record::{BuiltFile, BuiltImage, ResultRecord};
use crate::root_tree::RootTree;
use crate::workspace::{Scratch, Workspace};

/// The most paths of an image whose origin is recorded beside it.
const RECORDED: usize = 4000;

/// The root tree and the destination.
#[derive(Debug, Clone)]
pub struct Request {
    /// The prepared tree.
    pub root: PathBuf,
    /// `--destdir`; `None`: the description's `defaultdestination`.
    pub destdir: Option<PathBuf>,
    /// Whether the destination is created if it does not exist.
    pub make_destdir: bool,
    /// `--type`; `None`: the primary one.
    pub image_type: Option<String>,
    /// How the cache is used for a boot image with its own description.
    pub reuse: Reuse,
    /// How the images are made.
    pub image: ImageOptions,
    /// Shells, and what happens with the tree after a failure.
    pub debugging: debugging::Options,
}

/// Creates the images and returns the artifacts.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let tree = RootTree::open(&request.root)?;
    let record = Record::read(&tree)?;
    let loaded = load::load_prepared(&tree)?;
    let overrides = Overrides { image: request.image.clone(), ..Overrides::default() };
    let mut selection =
        load::select(&loaded, &record.profiles, request.image_type.as_deref(), &overrides, host)?;
    reports::configure(&mut selection, context)?;
    check(&selection, context)?;
    context.debugging.check(host)?;
    let destdir = destination(request.destdir.as_deref(), request.make_destdir, &selection, host)?;
    let _lock = lock(&destdir, &selection, host)?;
    let log = log_path(&destdir, &selection);
    prepare::open_log(&log, host)?;
    context.debugging.keep_beside(&log);
    let workspace = Workspace::open(&destdir, Scratch::Memory(&context.cache()?.reservations()), host)?;
    let directory = record.description.as_deref().unwrap_or(loaded.source.directory());
    let boot =
        boot_image::decide(&selection, directory, &loaded.locking, request.reuse, &workspace, context)?;
    let input =
        ImageInput { tree: &tree, selection: &selection, record: &record, workspace: &workspace, context };
    let made = images(input, &[], boot.as_ref())?;
    let built = built_image(&selection, &made, host)?;
    publish(made.artifacts, built, &selection, &workspace, context)?;
    drop(boot);
    workspace.close()?;
    Ok(Outcome::Artifacts { artifacts: host.artifacts() })
}

/// The files of an image, and what the steps of its build changed in its tree.
pub(super) struct MadeImage {
    pub(super) artifacts: Vec<Artifact>,
    pub(super) origins: Origins,
}

/// Makes all files that the selection's type needs. `packages` are those that the build installed, if they are known.
pub(super) fn images(
    input: ImageInput<'_>,
    packages: &[LockedPackage],
    boot: Option<&DecidedBoot>,
) -> Result<MadeImage> {
    let ImageInput { tree, selection, record, workspace, context } = input;
    let mut origins = Origins::read(tree)?.unwrap_or_default();
    let artifacts = match selection.kind {
        DescriptionKind::Boot => {
            let mut artifacts =
                boot_image::create_boot_image(tree, selection, record, None, workspace, context)?;
            artifacts.extend(sbom::files(input, tree, packages)?);
            artifacts
        }
        DescriptionKind::System => system_images(input, packages, boot, &mut origins)?,
    };
    origins.limit(RECORDED);
    Ok(MadeImage { artifacts, origins })
}

/// Renames all files to their final names, records them and reports them.
pub(super) fn publish(
    artifacts: Vec<Artifact>,
    mut built: BuiltImage,
    selection: &Selection,
    workspace: &Workspace,
    context: &Context,
) -> Result<()> {
    refuse_larger(&built, context.configuration()?.max_size)?;
    let host = &context.host;
    if selection.checksums {
        for file in &mut built.files {
            let artifact = artifacts.iter().find(|artifact| artifact.name == file.file);
            artifact.map_or(Ok(()), |artifact| file.complete(&artifact.path, host))?;
        }
    }
    // A link has the size and digest of its target.
    let measured: Vec<BuiltFile> = built.files.clone();
    let lock = ResultRecord::lock(workspace)?;
    host.check_interrupt()?;
    if let Some(profiles) = ResultRecord::other_profiles(workspace.destdir(), &built) {
        let list = |profiles: &[String]| match profiles {
            [] => "without profiles".to_owned(),
            profiles => format!("with the profiles {}", profiles.join(", ")),
        };
        host.warn(
            Warning::Description,
            &format!(
                "the image {} built {} replaces the one built {} in {}; build it into another directory to keep both",
                built.name,
                list(&built.profiles),
                list(&profiles),
                workspace.destdir().display()
            ),
        );
    }
    let published = host.completely(|| -> Result<_> {
        let published = artifact::publish(artifacts, workspace, host)?;
        ResultRecord::add(built.clone(), &lock, workspace, host)?;
        ResultRecord::add_to_all(built, workspace, host)?;
        Ok(published)
    })?;
    for artifact in published {
        let same = |file: &&BuiltFile| file.file == artifact.name;
        let kernel = |file: &&BuiltFile| artifact.role == Role::KernelLink && file.role == Role::Kernel;
        let Some(file) = measured.iter().find(same).or_else(|| measured.iter().find(kernel)) else {
            continue;
        };
        host.report_artifact(artifact.facts(file.size, file.known_digest()));
    }
    Ok(())
}

/// Returns an error if a file is larger than `kiwi.yml` allows; nothing is published then.
fn refuse_larger(built: &BuiltImage, most: Option<u64>) -> Result<()> {
    let Some(most) = most else { return Ok(()) };
    match built.files.iter().find(|file| file.size > most) {
        Some(file) => bail!(
            "{} has {} bytes, but build_constraints.max_size of kiwi.yml allows {most}; nothing was published",
            file.file,
            file.size
        ),
        None => Ok(()),
    }
}

/// Returns the entry of this build for `kiwi.result.json`, without links.
pub(super) fn built_image(selection: &Selection, made: &MadeImage, host: &Host) -> Result<BuiltImage> {
    let MadeImage { artifacts, origins } = made;
    let stage = host.stage(StageTask::RecordResult, "Recording the result");
    let measured = artifacts.iter().filter(|artifact| artifact.role != Role::KernelLink);
    let plain = |artifact: &Artifact| {
        // As in KIWI NG, a bundle also compresses the change logs.
        artifact.role == Role::PackageChanges
            || artifact.role == Role::Image && selection.image_type.is_uncompressed(&artifact.name)
    };
    let measure = |artifact| BuiltFile::measure(artifact, plain(artifact), host);
    let mut files: Vec<BuiltFile> = measured.map(measure).collect::<Result<_>>()?;
    files.sort_by(|left, right| (left.role, &left.file).cmp(&(right.role, &right.file)));
    stage.finish();
    Ok(BuiltImage {
        name: crate::create::base_name(selection),
        version: selection.version.to_string(),
        architecture: selection.architecture.machine().to_owned(),
        image_type: selection.image_type.keyword().to_owned(),
        directory: None,
        profiles: selection.profiles.iter().map(ToString::to_string).collect(),
        bundle_format: selection.bundle_format.clone(),
        files,
        origins: origins.clone(),
    })
}

fn system_images(
    input: ImageInput<'_>,
    packages: &[LockedPackage],
    boot: Option<&DecidedBoot>,
    origins: &mut Origins,
) -> Result<Vec<Artifact>> {
    let ImageInput { tree, selection, record, workspace, context } = input;
    let host = &context.host;
    let layered = workspace.layered(tree, host)?;
    context.debugging.reach(Point::Before(Step::Image), &layered, host)?;
    origins.steps.extend(images_script::run(&layered, &context.debugging, host)?);
    let bills = sbom::files(input, &layered, packages)?;
    if selection.strip {
        strip::run(&layered, host)?;
    }
    let boot = boot_image::of(selection, boot, &layered, record, workspace, context)?;
    let (files, published) = boot.map_or((None, Vec::new()), |made| (Some(made.files), made.artifacts));
    crate::create::exclude_files(&layered, host)?;
    let reports = reports::write(selection, &layered, workspace, host)?;
    let facts = TreeFacts::of(&layered, files, &crate::create::mount_points(selection)?)?;
    let plan = crate::create::plan(selection, &facts, &record.identity())?;
    let installer = install_medium::installer(selection, &layered, record, workspace, context)?;
    let of_archive = install_archive::boot_files(selection, &layered, record, workspace, context)?;
    let mut artifacts = crate::create::create(&plan, selection, &layered, workspace, host)?;
    if let Some(boot) = &installer {
        artifacts.push(install_medium::of(boot, &artifacts, input)?);
    }
    if let Some(boot) = &of_archive {
        artifacts.push(install_archive::of(boot, &artifacts, input)?);
    }
    artifacts.extend(published);
    artifacts.extend(bills);
    artifacts.extend(reports);
    context.debugging.reach(Point::After(Step::Image), &layered, host)?;
    Ok(artifacts)
}

/// Returns an error for a type that is not built or needs a missing program, before any work.
pub(super) fn check(selection: &Selection, context: &Context) -> Result<()> {
    let host = &context.host;
    crate::create::check(selection)?;
    if selection.kind == DescriptionKind::Boot || boot_image::wanted(selection).is_some() {
        context.share.linuxrc()?;
    }
    install_medium::check(selection, host)?;
    install_archive::check(selection)?;
    let strip = Some(strip::PROGRAM).filter(|_| selection.strip);
    for program in crate::create::programs(&selection.image_type).into_iter().chain(strip) {
        host.find_program(program)?;
    }
    Ok(())
}

/// Returns `--destdir`, else `defaultdestination`; it must exist unless it may be created.
pub(super) fn destination(
    asked: Option<&Path>,
    make: bool,
    selection: &Selection,
    host: &Host,
) -> Result<PathBuf> {
    let named = asked.map(Path::to_owned);
    let Some(path) = named.or_else(|| selection.settings.default_destination.as_ref().map(PathBuf::from))
    else {
        fail!(
            Usage,
            "no destination directory: specify one with --destdir, or defaultdestination in the description"
        );
    };
    if make {
        host.create_directories(&path).with_context(|| format!("creating {}", path.display()))?;
    }
    if !path.is_dir() {
        fail!(File, "the destination directory {} does not exist; create it first", path.display());
    }
    path.canonicalize().with_context(|| format!("opening the destination directory {}", path.display()))
}

/// Locks the files of this image in the destination against other builds.
pub(super) fn lock(destdir: &Path, selection: &Selection, host: &Host) -> Result<NameLock> {
    prepare::lock_results(destdir, &crate::create::image_name(selection).to_string(), host)
}

/// Returns the path of the log beside the images.
pub(super) fn log_path(destdir: &Path, selection: &Selection) -> PathBuf {
    destdir.join(format!("{}.{}-{}.log", selection.name, selection.architecture, selection.version))
}
