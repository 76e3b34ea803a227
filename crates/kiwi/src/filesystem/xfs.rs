//! XFS by `mkfs.xfs -p`: a prototype file names every file of the tree.
//!
//! ```text
//! tree -> Prototype: text and corrections -> mkfs.xfs -> names, long links, sticky bits, attributes and times
//! ```
//!
//! Remaining limits: no sockets, hard links become copies, and only small files keep extended attributes; a warning names
//! the files.

mod attributes;
mod directory;
mod layout;
mod names;
mod prototype;
mod times;
mod tree;
mod unpack;

pub use unpack::unpack;

use std::path::Path;

use anyhow::{Context, Result};
use ondisk::Bytes;

use self::prototype::{Prototype, TREE};
use super::{FilesystemJob, FilesystemPlan, directory_of, empty_file};
use crate::host::Warning;
use crate::root_tree::{Measure, warn_of_lost};

/// The minimum size that mkfs.xfs accepts.
const SMALLEST: u64 = 320 << 20;

/// Size of the second allocation group, which mkfs.xfs requires and which may be smaller than the first.
const SECOND_GROUP: u64 = 32 << 20;

/// Returns the size for content, inodes, the log of 64 MB and the space that mkfs.xfs reserves for each directory.
pub(super) fn needed(measure: &Measure) -> Bytes {
    Bytes((measure.bytes + measure.bytes / 10 + measure.entries * 1024 + (144 << 20)).max(SMALLEST))
}

pub(super) fn create(job: FilesystemJob<'_>, output: &Path) -> Result<()> {
    let FilesystemJob { plan, tree, workspace, host, helper: _, stage: _ } = job;
    let prototype = workspace.scratch_file("xfs.prototype");
    let Prototype { text, root, sources, linked, sockets, .. } = Prototype::of(tree.path())?;
    let (attributes, lost) = attributes::of(tree)?;
    warn_of_lost("XFS, as kiwi writes it, cannot store all extended attributes", lost, host);
    for (what, names) in [("keep hard links, which became copies:", linked), ("store sockets:", sockets)] {
        if !names.is_empty() {
            host.warn(
                Warning::Attributes,
                &format!("XFS, as mkfs.xfs writes it, cannot {what} {}", names.join(", ")),
            );
        }
    }
    host.write_file(&prototype, text).context("writing the prototype of the file system")?;
    // Links, because a path in a prototype cannot contain a blank.
    let directory = workspace.scratch_file("xfs.sources");
    host.create_directories(&directory).with_context(|| format!("creating {}", directory.display()))?;
    let numbered = sources.iter().enumerate().map(|(number, source)| (number.to_string(), source.as_path()));
    for (name, source) in numbered.chain([(TREE.to_owned(), tree.path())]) {
        host.link(source, &directory.join(name)).context("linking files for mkfs.xfs")?;
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
    let mut file = empty_file(job, output)?;
    let groups = groups(plan);
    if let Err(error) = make(&groups) {
        // A directory that starts in the small second group when that is nearly full cannot continue in the first one and also
        // fails with "no space left". Groups of equal size have enough space then.
        if groups.is_empty() {
            return Err(error).context("writing the file system");
        }
        file = empty_file(job, output)?;
        make(&[]).map_err(|_| error).context("writing the file system")?;
    }
    host.remove_tree(&directory).context("removing the links for mkfs.xfs")?;
    tree::finish(&file, &root, attributes, plan.epoch).context("correcting the file system")
}

/// Options for one allocation group that holds everything, including the log: a prototype with directories that do not all
/// fit into the current group fails with "no space left", even when other groups have space. Options of the description take precedence.
fn groups(plan: &FilesystemPlan) -> Vec<String> {
    let own = |name: &str| plan.options.iter().any(|option| option.contains(name));
    if own("agcount") || own("agsize") || own("agnum") || own("logdev") {
        return Vec::new();
    }
    let size = (plan.size.0 - SECOND_GROUP) & !4095;
    vec!["-d".to_owned(), format!("agsize={size}"), "-l".to_owned(), "agnum=0".to_owned()]
}
