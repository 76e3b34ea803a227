//! XFS by `mkfs.xfs -p`: a prototype file names every file of the tree.
//!
//! ```text
//! tree -> Prototype: text, and what it cannot say -> mkfs.xfs -> names, long links, sticky bits, attributes and times
//! ```
//!
//! Limits that stay: no sockets, hard links become copies, and no extended attributes but those of files that are small;
//! a warning names the files.

mod attributes;
mod directory;
mod layout;
mod names;
mod prototype;
mod times;
mod tree;

use std::path::Path;

use anyhow::{Context, Result};

use self::prototype::{Prototype, TREE};
use super::{FilesystemPlan, directory_of, empty_file};
use crate::host::Host;
use crate::root_tree::{Measure, RootTree, warn_of_lost};
use crate::workspace::Workspace;

/// mkfs.xfs refuses anything smaller.
const SMALLEST: u64 = 320 << 20;

/// The second allocation group, which mkfs.xfs demands and may be smaller than the first.
const SECOND_GROUP: u64 = 32 << 20;

/// Content, inodes, the log of 64 MB and the room mkfs.xfs reserves for each directory it fills.
pub(super) fn needed(measure: &Measure) -> u64 {
    (measure.bytes + measure.bytes / 10 + measure.entries * 1024 + (144 << 20)).max(SMALLEST)
}

pub(super) fn create(
    plan: &FilesystemPlan,
    tree: &RootTree,
    output: &Path,
    workspace: &Workspace,
    host: &Host,
) -> Result<()> {
    let prototype = workspace.scratch_file("xfs.prototype");
    let Prototype { text, root, sources, linked, sockets, .. } = Prototype::of(tree.path())?;
    let (attributes, lost) = attributes::of(tree)?;
    warn_of_lost("XFS, as kiwi writes it, cannot hold all extended attributes", lost, host);
    for (what, names) in [("keep hard links, which became copies:", linked), ("hold sockets:", sockets)] {
        if !names.is_empty() {
            host.warn(&format!("XFS, as mkfs.xfs writes it, cannot {what} {}", names.join(", ")));
        }
    }
    host.write_file(&prototype, text).context("writing the prototype of the file system")?;
    // Links, as a prototype can name no file with a blank in its path.
    let directory = workspace.scratch_file("xfs.sources");
    host.create_directories(&directory).with_context(|| format!("creating {}", directory.display()))?;
    let numbered = sources.iter().enumerate().map(|(number, source)| (number.to_string(), source.as_path()));
    for (name, source) in numbered.chain([(TREE.to_owned(), tree.path())]) {
        host.link(source, &directory.join(name)).context("naming files for mkfs.xfs")?;
    }
    let make = |groups: &[String]| {
        let mut command = host
            .command("mkfs.xfs")
            .args(["-q", "-f", "-m", &format!("uuid={}", plan.uuid), "-p"])
            .arg(&prototype)
            .env("SOURCE_DATE_EPOCH", plan.epoch.to_string())
            .env("DETERMINISTIC_SEED", "1")
            .current_dir(&directory)
            .writable(directory_of(output));
        if let Some(label) = &plan.label {
            command = command.args(["-L", label]);
        }
        command.args(groups).args(&plan.options).arg(output).run().map(drop)
    };
    let mut file = empty_file(plan, output, host)?;
    let groups = groups(plan);
    if let Err(error) = make(&groups) {
        // A directory that begins in the small second group, when that is nearly full, cannot go on in the first: that ends in
        // "no space left", too. Groups of equal size have room then.
        if groups.is_empty() {
            return Err(error).context("writing the file system");
        }
        file = empty_file(plan, output, host)?;
        make(&[]).map_err(|_| error).context("writing the file system")?;
    }
    host.remove_tree(&directory).context("removing the names for mkfs.xfs")?;
    tree::finish(&file, &root, attributes, plan.epoch).context("putting the file system right")
}

/// One allocation group holds everything, the log too: a prototype whose directories do not all fit into the group that is
/// being filled ends in "no space left", however much the others have. The description's own keywords go before.
fn groups(plan: &FilesystemPlan) -> Vec<String> {
    let own = |keyword: &str| plan.options.iter().any(|option| option.contains(keyword));
    if own("agcount") || own("agsize") || own("agnum") || own("logdev") {
        return Vec::new();
    }
    let size = (plan.size - SECOND_GROUP) & !4095;
    vec!["-d".to_owned(), format!("agsize={size}"), "-l".to_owned(), "agnum=0".to_owned()]
}
