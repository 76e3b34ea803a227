//! The installed packages of any tree, with what their metadata contains about their origin: for bills of materials.

use anyhow::Result;

use super::apt::DPKG_STATUS;
use super::{InventoryItem, PackageForm, rpm};
use crate::deb822::{self, Comments, Paragraph};
use crate::host::Host;
use crate::root_tree::RootTree;

/// The files in which package managers keep the installed packages of a tree.
pub const DATABASES: [&str; 3] = [DPKG_STATUS, rpm::DATABASES[0], rpm::DATABASES[1]];

/// Returns whether a tree has a database of packages.
pub fn has_database(tree: &RootTree) -> bool {
    tree.exists(DPKG_STATUS) || rpm::has_database(tree)
}

/// Returns the installed packages of a tree, sorted by form, name, version and architecture.
pub fn inventory(tree: &RootTree, host: &Host) -> Result<Vec<InventoryItem>> {
    let mut items = Vec::new();
    if tree.exists(DPKG_STATUS) {
        let status = tree.read_text(DPKG_STATUS)?;
        items.extend(deb822::paragraphs(&status, Comments::Stray).iter().filter_map(debian));
        items.sort_by(|one, other| key(one).cmp(&key(other)));
    }
    let mut of_rpm = rpm::inventory(tree, host)?;
    of_rpm.sort_by(|one, other| key(one).cmp(&key(other)));
    items.append(&mut of_rpm);
    items.dedup();
    Ok(items)
}

fn key(item: &InventoryItem) -> (&str, &str, &str) {
    (&item.name, &item.version, &item.architecture)
}

fn debian(paragraph: &Paragraph<'_>) -> Option<InventoryItem> {
    let field = |name: &str| paragraph.value(name).map(str::to_owned);
    paragraph.value("Status")?.ends_with(" installed").then_some(())?;
    Some(InventoryItem {
        form: PackageForm::Deb,
        name: field("Package")?,
        version: field("Version")?,
        architecture: field("Architecture")?,
        maintainer: field("Maintainer"),
        homepage: field("Homepage"),
        source: field("Source"),
        licence: None,
    })
}
