//! What the databases of a tree contain about its packages besides their names: their change logs, and the files that differ from
//! what the packages contain. The tree is only read; no program of it runs.

use anyhow::Result;

use super::{apt, rpm};
use crate::failure::fail;
use crate::host::Host;
use crate::root_tree::RootTree;

/// Returns the change logs of these packages, and of all that rpm lists: for each its name, the text, and an empty line.
pub fn changes(packages: &[String], tree: &RootTree, host: &Host) -> Result<Vec<u8>> {
    let databases = Databases::of(tree)?;
    let mut text = Vec::new();
    if databases.debian {
        text.extend(apt::reports::changes(packages, tree)?);
    }
    if databases.rpm {
        text.extend(rpm::changes(tree, host)?);
    }
    Ok(text)
}

/// Returns a line for each file that differs from its package or is missing, as the package manager writes it.
pub fn verified(tree: &RootTree, host: &Host) -> Result<String> {
    let databases = Databases::of(tree)?;
    let mut text = String::new();
    if databases.debian {
        text += &apt::reports::verified(tree, host)?;
    }
    if databases.rpm {
        text += &rpm::verified(tree, host)?;
    }
    Ok(text)
}

/// The databases with packages in a tree; the name of the distribution does not decide.
struct Databases {
    debian: bool,
    rpm: bool,
}

impl Databases {
    fn of(tree: &RootTree) -> Result<Self> {
        let debian = tree.read_text(apt::DPKG_STATUS).is_ok_and(|text| !text.trim().is_empty());
        let rpm = rpm::has_database(tree);
        if !debian && !rpm {
            fail!(
                Packages,
                "the root tree has no database of Debian or RPM packages, so nothing is known about its packages; leave out \
                 --changes and --verified"
            );
        }
        Ok(Self { debian, rpm })
    }
}
