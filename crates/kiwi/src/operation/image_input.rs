//! What the files of an image are made from.

use description::Selection;

use crate::context::Context;
use crate::record::Record;
use crate::root_tree::RootTree;
use crate::workspace::Workspace;

/// A prepared tree, and what its images are made with.
#[derive(Clone, Copy)]
pub(super) struct ImageInput<'i> {
    pub(super) tree: &'i RootTree,
    pub(super) selection: &'i Selection,
    pub(super) record: &'i Record,
    pub(super) workspace: &'i Workspace,
    pub(super) context: &'i Context,
}
