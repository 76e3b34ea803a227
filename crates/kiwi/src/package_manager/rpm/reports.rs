//! What rpm's database of a tree says about its packages besides their names.

use anyhow::Result;

use crate::failure::fail;
use crate::host::Host;
use crate::root_tree::RootTree;

/// Returns the change logs of the packages.
pub(crate) fn changes(_tree: &RootTree, _host: &Host) -> Result<Vec<u8>> {
    fail!(NotBuilt, "this version does not write the change logs of RPM packages; leave out --changes");
}

/// Returns the files that differ from their packages.
pub(crate) fn verified(_tree: &RootTree, _host: &Host) -> Result<String> {
    fail!(NotBuilt, "this version does not verify the files of RPM packages; leave out --verified");
}
