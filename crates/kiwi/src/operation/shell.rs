//! `kiwi shell`: a shell or a command in a root tree, or in the tree of the last finished stage of a build.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::locking::{LockMode, Locking};
use super::outcome::Outcome;
use super::{Overrides, load, prepare};
use crate::context::Context;
use crate::debugging::kept_tree;
use crate::failure::fail;
use crate::prepare::{NextLayer, PrepareOptions};
use crate::root_tree::RootTree;
use crate::script;
use crate::workspace::{Scratch, Workspace};

/// The tree, and what runs in it.
#[derive(Debug, Clone)]
pub struct Request {
    /// A root tree, or the directory of a description.
    pub target: PathBuf,
    /// `--type` of the build.
    pub image_type: Option<String>,
    /// `--add-profile`
    pub profiles: Vec<String>,
    /// Changes of the build.
    pub overrides: Overrides,
    /// Whether the build used `kiwi.lock`.
    pub lock: LockMode,
    /// Whether the program has the network.
    pub network: bool,
    /// The command; empty: a shell.
    pub command: Vec<String>,
}

/// Runs the program and returns its exit code.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let target = kept_tree(&request.target).unwrap_or_else(|| request.target.clone());
    let exit_code = match is_tree(&target) {
        true => {
            let tree = RootTree::merged(&target)?;
            script::shell(&tree, &request.command, request.network, &context.host)?
        }
        false => in_last_stage(request, context)?,
    };
    Ok(Outcome::Shell { exit_code })
}

/// Returns whether this is the directory of a system and not of a description.
fn is_tree(directory: &Path) -> bool {
    let has = |path: &str| directory.join(path).symlink_metadata().is_ok();
    has("image/config.xml") || (has("etc") && has("usr") && !has("config.xml"))
}

/// Restores the last stage that the cache has in a scratch directory and runs the program in it.
fn in_last_stage(request: &Request, context: &Context) -> Result<u8> {
    let host = &context.host;
    let mut loaded = load::load_and_warn(&request.target, context)?;
    loaded.locking = Locking::open(request.lock, &loaded.source)?;
    let image_type = request.image_type.as_deref();
    let selection = load::select(&loaded, &request.profiles, image_type, &request.overrides, host)?;
    load::refuse_placeholders(&loaded.description, &selection)?;
    let options = PrepareOptions {
        network: request.network,
        package_path: request.overrides.package_path,
        debugged: false,
    };
    let mut plan = crate::prepare::plan(&selection, &loaded.source, options, host)?;
    let directory = host.temporary_work_directory()?;
    let reservations = context.cache()?.reservations();
    let workspace = Workspace::open(directory.path(), Scratch::Memory(&reservations), host)?;
    let tree = RootTree::create(host, &workspace.root_tree())?;
    let decided = prepare::decide(&mut plan, &loaded.locking.of_system(&selection), &tree, context)?;
    if !workspace.expect(crate::prepare::tree_size(&plan, &decided, context)?, host)? {
        fail!(
            NoSpace,
            "the tree of {} does not fit into memory; set KIWI_SCRATCH=disk to restore it below {}",
            request.target.display(),
            directory.path().parent().unwrap_or(Path::new("/")).display()
        );
    }
    let layer = || match crate::prepare::next_layer(&plan, &decided, context)? {
        NextLayer::Known(inputs) => Ok(Some(inputs)),
        NextLayer::None | NextLayer::Unread(_) => Ok(None),
    };
    let Some(stage) = crate::prepare::restore_last(&decided, layer, &tree, context)? else {
        fail!(
            Failed,
            "the cache {} has no stage of {}; build it first, with the same options and profiles",
            context.cache()?.directory().display(),
            request.target.display()
        );
    };
    host.say(&format!(
        "The tree is that of the stage '{}'; changes are removed at the end.",
        stage.keyword()
    ));
    let exit_code = script::shell(&tree, &request.command, request.network, host)?;
    drop(tree);
    workspace.close()?;
    directory.close().context("removing the scratch directory")?;
    Ok(exit_code)
}
