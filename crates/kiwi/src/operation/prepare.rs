//! `kiwi prepare`: builds the root tree of a description.
//!
//! The tree is made in a work directory beside its destination and renamed when it is complete.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use description::Selection;

use super::locking::Locking;
use super::outcome::Outcome;
use super::{Overrides, load, space};
use crate::context::Context;
use crate::debugging;
use crate::failure::{Failure, Kind, fail};
use crate::host::{Host, Log, NameLock, NameLockError, Warning};
use crate::prepare::{Decided, PrepareOptions, PreparePlan, Reuse};
use crate::record::{Renewal, Secret};
use crate::root_tree::RootTree;

/// The description and the destination.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory of the description.
    pub description: PathBuf,
    /// `--root`; `None`: the description's `defaultroot`, else a new temporary directory.
    pub root: Option<PathBuf>,
    /// `--type`, whose packages are also installed.
    pub image_type: Option<String>,
    /// Whether scripts may use the network.
    pub network: bool,
    /// How far the cache is used.
    pub reuse: Reuse,
    /// `--add-profile`
    pub profiles: Vec<String>,
    /// Changes for this run.
    pub overrides: Overrides,
    /// Shells, and what happens with the tree after a failure.
    pub debugging: debugging::Options,
}

/// Prepares the tree and returns its path.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let loaded = load::load_and_warn(&request.description, context)?;
    let selection =
        load::select(&loaded, &request.profiles, request.image_type.as_deref(), &request.overrides, host)?;
    load::refuse_placeholders(&loaded.description, &selection)?;
    let root = root_directory(request.root.as_deref(), &selection, host)?;
    let _lock = lock_root(&root, host)?;
    context.debugging.check(host)?;
    open_log(&log_path(&root), host)?;
    context.debugging.keep_beside(&log_path(&root));
    context.configuration()?;
    let options = PrepareOptions {
        network: request.network,
        package_path: request.overrides.package_path,
        debugged: true,
    };
    let mut plan = crate::prepare::plan(&selection, &loaded.source, options, host)?;
    let prepared = into(
        &root,
        |tree| {
            let decided = decide(&mut plan, &loaded.locking, tree, context)?;
            space::check(crate::prepare::tree_size(&plan, &decided, context)?, tree.path(), host)?;
            let made = crate::prepare::make(&plan, &decided, tree, request.reuse, context);
            made.map_err(|error| context.debugging.failed(error, tree, Some(&root), host))
        },
        host,
    )?;
    report(&prepared.record.secrets, host);
    Ok(Outcome::Tree { root, upgraded: false })
}

/// Locks the destination of a root tree against other builds.
pub(super) fn lock_root(root: &Path, host: &Host) -> Result<NameLock> {
    let parent = root.parent().unwrap_or(Path::new("/"));
    host.create_directories(parent).with_context(|| format!("creating {}", parent.display()))?;
    lock_results(parent, &root.file_name().unwrap_or_default().to_string_lossy(), host)
}

/// Locks the results with this name in a directory against other builds.
pub(super) fn lock_results(directory: &Path, name: &str, host: &Host) -> Result<NameLock> {
    host.lock_name(directory, name).map_err(|error| match error {
        NameLockError::Held { .. } => {
            let remedy = "Wait until it has ended, or use another directory (--destdir, --root).";
            Failure::new(Kind::Failed, error.to_string()).remedy(remedy).into()
        }
        NameLockError::Io { error: cause, path } => {
            anyhow::Error::from(cause).context(format!("locking {}", path.display()))
        }
    })
}

/// Runs `work` on a new tree, which is renamed to `root` on success.
pub(super) fn into<T>(root: &Path, work: impl FnOnce(&RootTree) -> Result<T>, host: &Host) -> Result<T> {
    refuse_filled(root)?;
    let parent = root.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    host.create_directories(parent).with_context(|| format!("creating {}", parent.display()))?;
    let directory = host
        .work_directory(parent)
        .with_context(|| format!("creating a work directory in {}", parent.display()))?;
    let location = directory.path().join("root");
    let tree = RootTree::create(host, &location)?;
    let result = work(&tree)?;
    drop(tree);
    host.rename_directory(&location, root)
        .with_context(|| format!("renaming the finished root tree to {}", root.display()))?;
    directory.close().context("removing the work directory")?;
    Ok(result)
}

/// Resolves the packages, limited to a lock or noted for one.
pub(super) fn decide(
    plan: &mut PreparePlan,
    locking: &Locking,
    tree: &RootTree,
    context: &Context,
) -> Result<Decided> {
    locking.limit(plan, tree, context)?;
    let decided = crate::prepare::decide(plan, tree, context)?;
    locking.note(plan, &decided)?;
    Ok(decided)
}

/// Names the secrets that each machine creates itself, in one line, and warns about others that were found in the tree.
pub(super) fn report(secrets: &[Secret], host: &Host) {
    let mut own = Vec::new();
    for secret in secrets {
        match secret.renewed {
            Renewal::System | Renewal::Unit(_) => {
                host.log().line(&secret.to_string());
                own.push(secret.what.as_str());
            }
            Renewal::Nobody | Renewal::Author(_) | Renewal::Kept => {
                host.warn(Warning::Secret, &secret.to_string());
            }
        }
    }
    if !own.is_empty() {
        host.say(&format!("Each machine creates its own secrets: {}", own.join(", ")));
    }
}

/// Returns `--root`, else `defaultroot`, else a new temporary directory.
pub(super) fn root_directory(asked: Option<&Path>, selection: &Selection, host: &Host) -> Result<PathBuf> {
    let named =
        asked.map(Path::to_owned).or_else(|| selection.settings.default_root.as_ref().map(PathBuf::from));
    let root = match named {
        Some(root) => root,
        None => host
            .temporary_directory("kiwi.")
            .context("creating a directory for the root tree; --root names another one")?,
    };
    let root = std::path::absolute(&root).with_context(|| format!("resolving {}", root.display()))?;
    refuse_filled(&root)?;
    Ok(root)
}

/// Checks the destination, before the work, because a mistake would cost a whole build, and again before the rename.
fn refuse_filled(root: &Path) -> Result<()> {
    match root.read_dir() {
        Ok(mut entries) => match entries.next() {
            Some(_) => fail!(
                Exists,
                "the root directory {} is not empty; remove it or specify another one with --root",
                root.display()
            ),
            None => Ok(()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("opening the root directory {}", root.display())),
    }
}

/// Returns the path of the log as in KIWI 1.x: beside the root tree.
fn log_path(root: &Path) -> PathBuf {
    let mut name = root.as_os_str().to_owned();
    name.push(".log");
    PathBuf::from(name)
}

/// Opens the log at its default path unless `--logfile` specified another one.
pub(super) fn open_log(path: &Path, host: &Host) -> Result<()> {
    place_log(path, host, |log| log.create(path))
}

/// Like [`open_log`], for a run that may find everything in the cache: `Log::claim` gives the log its name.
pub(super) fn open_log_aside(path: &Path, host: &Host) -> Result<()> {
    place_log(path, host, |log| log.create_aside(path))
}

fn place_log(path: &Path, host: &Host, place: impl FnOnce(&Log) -> std::io::Result<()>) -> Result<()> {
    if host.log().is_placed() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        host.create_directories(parent).with_context(|| format!("creating {}", parent.display()))?;
    }
    place(host.log()).with_context(|| format!("writing the log {}", path.display()))
}
