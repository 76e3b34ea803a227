//! `kiwi build`: prepare and create in one go.

use std::path::PathBuf;

use anyhow::Result;

use super::locking::{LockMode, Locking};
use super::{Overrides, create, load, prepare};
use crate::host::Host;
use crate::physical::Manner;
use crate::root_tree::RootTree;
use crate::share::Share;
use crate::workspace::Workspace;

/// What to build and where.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory of the description.
    pub description: PathBuf,
    /// Where the root tree is kept; none: it is only there for this build.
    pub root: Option<PathBuf>,
    /// `--destdir`; none: the description's `defaultdestination`.
    pub destdir: Option<PathBuf>,
    /// Whether the destination is made when it does not exist.
    pub make_destdir: bool,
    /// `--type`; none: the primary one.
    pub image_type: Option<String>,
    /// `--add-profile`
    pub profiles: Vec<String>,
    /// Changes for this run.
    pub overrides: Overrides,
    /// Whether scripts may use the network.
    pub network: bool,
    /// What to do with `kiwi.lock`.
    pub lock: LockMode,
}

/// Builds everything and says where it is.
pub fn run(request: &Request, host: &Host) -> Result<()> {
    let share = Share::find(host);
    let mut loaded = load::load_and_warn(&request.description, &share, host)?;
    loaded.locking = Locking::open(request.lock, loaded.source.folder())?;
    let selection =
        load::select(&loaded, &request.profiles, request.image_type.as_deref(), &request.overrides)?;
    create::check(&selection, host)?;
    let destdir = create::destination(request.destdir.as_deref(), request.make_destdir, &selection, host)?;
    prepare::open_log(&create::log_path(&destdir, &selection), host)?;
    let workspace = Workspace::open(&destdir, host)?;
    let manner = Manner { network: request.network, package_path: request.overrides.package_path };
    let make = |tree: &RootTree| prepare::tree_of(&loaded, &selection, manner, tree, host);
    let (tree, prepared) = match &request.root {
        Some(root) => {
            let root = prepare::root_folder(Some(root), &selection, host)?;
            let prepared = prepare::into(&root, make, host)?;
            (RootTree::open(&root)?, prepared)
        }
        None => {
            let tree = RootTree::create(host, &workspace.root_tree())?;
            let prepared = make(&tree)?;
            (tree, prepared)
        }
    };
    create::images(&tree, &loaded, &selection, &prepared.record, &share, &workspace, host)?;
    drop(tree);
    loaded.locking.write(loaded.source.folder(), host)?;
    workspace.close()
}
