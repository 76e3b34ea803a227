//! The packages that contain a path of a tree, as the databases of package managers list them.

use anyhow::Result;
use ondisk::digest::{Digest, Md5, Sha256, hex};

use super::{InventoryItem, apt, inventory, rpm};
use crate::host::Host;
use crate::root_tree::RootTree;

/// A package that contains a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The package.
    pub package: InventoryItem,
    /// Whether the package marks the file as configuration.
    pub is_configuration: bool,
    /// Whether the content differs from that of the package; `None` if the database has no digest of it.
    pub is_changed: Option<bool>,
    /// Whether it was installed because another package needs it; `None` if the database does not say so.
    pub is_dependency: Option<bool>,
}

/// Returns the packages that contain a path, sorted by name; several can contain one directory. `paths` are the names that the
/// path has, such as `bin/ls` and `usr/bin/ls`, without a leading slash.
pub fn owners(tree: &RootTree, paths: &[String], host: &Host) -> Result<Vec<Owner>> {
    let content = paths.iter().find_map(|path| match tree.metadata(path) {
        Ok(facts) if facts.is_file() => tree.read(path).ok(),
        Ok(_) | Err(_) => None,
    });
    let mut found = Vec::new();
    let items = inventory(tree, host)?;
    for entry in apt::owners(tree, paths, &items)? {
        let is_changed = content
            .as_ref()
            .zip(entry.digest.as_ref())
            .and_then(|(content, digest)| differs(content, digest));
        found.push(Owner {
            package: entry.package,
            is_configuration: entry.is_configuration,
            is_changed,
            is_dependency: entry.is_dependency,
        });
    }
    for line in rpm::owners(tree, paths, host)? {
        let is_it = |item: &&InventoryItem| {
            item.name == line.name && item.version == line.version && item.architecture == line.architecture
        };
        let Some(item) = items.iter().find(is_it) else { continue };
        let is_changed = content.as_ref().and_then(|content| differs(content, &line.digest));
        found.push(Owner {
            package: item.clone(),
            is_configuration: line.is_configuration,
            is_changed,
            is_dependency: None,
        });
    }
    Ok(found)
}

/// Returns whether bytes have another digest than this one, whose length tells the algorithm; `None` for other lengths.
fn differs(content: &[u8], digest: &str) -> Option<bool> {
    let found = match digest.len() {
        32 => hex(Md5::digest(content)),
        64 => hex(Sha256::digest(content)),
        _ => return None,
    };
    Some(found != digest)
}
