//! `kiwi upgrade`: upgrades the packages of a prepared tree from its own repositories and additional ones of this run.

use std::path::PathBuf;

use anyhow::Result;

use super::outcome::Outcome;
use super::{Overrides, load};
use crate::context::Context;
use crate::record::Record;
use crate::root_tree::RootTree;

/// The root tree and the changes.
#[derive(Debug, Clone)]
pub struct Request {
    /// The prepared tree.
    pub root: PathBuf,
    /// Repositories and packages of this run.
    pub overrides: Overrides,
}

/// Upgrades the tree in place.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let tree = RootTree::open(&request.root)?;
    let record = Record::read(&tree)?;
    let loaded = load::load_prepared(&tree)?;
    let selection = load::select(&loaded, &record.profiles, None, &request.overrides, &context.host)?;
    load::refuse_placeholders(&loaded.description, &selection)?;
    crate::prepare::upgrade(&selection, &record, &tree, context)?;
    Ok(Outcome::Tree { root: tree.path().to_owned(), upgraded: true })
}
