//! XFS by `mkfs.xfs -p`: a prototype file names every file of the tree.
//!
//! The prototype has limits that are not ours: no blanks in names, no extended attributes, no sockets, hard links become
//! copies. A tree that needs the first is refused, of the others a warning names the files.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{FilesystemPlan, empty_file, folder_of, xfs_times};
use crate::host::Host;
use crate::host::device::Device;
use crate::root_tree::{Measure, RootTree};
use crate::workspace::Workspace;

/// mkfs.xfs refuses anything smaller.
const SMALLEST: u64 = 320 << 20;

/// The second allocation group, which mkfs.xfs demands and may be smaller than the first.
const SECOND_GROUP: u64 = 32 << 20;

/// Content, inodes, the log of 64 MB and the room mkfs.xfs reserves for each folder it fills.
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
    let Prototype { text, linked, sockets, sticky, .. } = prototype_of(tree.path())?;
    tree.warn_of_attributes("XFS, as mkfs.xfs writes it,", &[], host)?;
    for (what, names) in [("keep hard links, which became copies:", linked), ("hold sockets:", sockets)] {
        if !names.is_empty() {
            host.warn(&format!("XFS, as mkfs.xfs writes it, cannot {what} {}", names.join(", ")));
        }
    }
    host.write_file(&prototype, text).context("writing the prototype of the file system")?;
    let make = |groups: &[String]| {
        let mut command = host
            .command("mkfs.xfs")
            .args(["-q", "-f", "-m", &format!("uuid={}", plan.uuid), "-p"])
            .arg(&prototype)
            .env("SOURCE_DATE_EPOCH", plan.epoch.to_string())
            .env("DETERMINISTIC_SEED", "1")
            .writable(folder_of(output));
        if let Some(label) = &plan.label {
            command = command.args(["-L", label]);
        }
        command.args(groups).args(&plan.options).arg(output).run().map(drop)
    };
    let mut file = empty_file(plan, output, host)?;
    let groups = groups(plan);
    if let Err(error) = make(&groups) {
        // A folder that begins in the small second group, when that is nearly full, cannot go on in the first: that ends in
        // "no space left", too. Groups of equal size have room then.
        if groups.is_empty() {
            return Err(error).context("writing the file system");
        }
        file = empty_file(plan, output, host)?;
        make(&[]).map_err(|_| error).context("writing the file system")?;
    }
    let mut repair = host.command("xfs_db").arg("-x").writable(folder_of(output));
    for (path, mode) in &sticky {
        repair = repair.args(["-c", &format!("path {path}"), "-c", &format!("write core.mode 0{mode:o}")]);
    }
    repair.arg(output).run().context("setting the sticky bit of folders")?;
    xfs_times::settle(&file, plan.epoch).context("settling the file system's times")
}

/// One allocation group holds everything, the log too: a prototype whose folders do not all fit into the group that is
/// being filled ends in "no space left", however much the others have. The description's own words go before.
fn groups(plan: &FilesystemPlan) -> Vec<String> {
    let own = |word: &str| plan.options.iter().any(|option| option.contains(word));
    if own("agcount") || own("agsize") || own("agnum") || own("logdev") {
        return Vec::new();
    }
    let size = (plan.size - SECOND_GROUP) & !4095;
    vec!["-d".to_owned(), format!("agsize={size}"), "-l".to_owned(), "agnum=0".to_owned()]
}

/// What mkfs.xfs is told of a tree, and what it cannot be told.
#[derive(Default)]
struct Prototype {
    text: Vec<u8>,
    /// Further names of files that have several.
    linked: Vec<String>,
    sockets: Vec<String>,
    inodes: HashSet<(u64, u64)>,
    /// Folders with the sticky bit, which the prototype has no letter for.
    sticky: Vec<(String, u32)>,
}

fn prototype_of(root: &Path) -> Result<Prototype> {
    let mut prototype = Prototype { text: b"/\n0 0\n".to_vec(), ..Prototype::default() };
    let metadata = root.symlink_metadata()?;
    let head = format!("{} {} {}\n", mode('d', &metadata), metadata.uid(), metadata.gid());
    prototype.text.extend(head.bytes());
    folder(root, root, &mut prototype)?;
    prototype.text.extend(b"$\n");
    Ok(prototype)
}

fn folder(root: &Path, path: &Path, prototype: &mut Prototype) -> Result<()> {
    let mut entries: BTreeMap<std::ffi::OsString, PathBuf> = BTreeMap::new();
    for entry in path.read_dir().with_context(|| format!("reading {}", path.display()))? {
        let entry = entry?;
        entries.insert(entry.file_name(), entry.path());
    }
    for (name, entry) in entries {
        let inside = entry.strip_prefix(root).unwrap_or(&entry).display().to_string();
        if name.as_bytes().iter().any(u8::is_ascii_whitespace) {
            bail!(
                "the file /{inside} has a blank in its name, which mkfs.xfs cannot take; use ext4 or btrfs, or rename it"
            );
        }
        let metadata = entry.symlink_metadata()?;
        let kind = metadata.file_type();
        let device = Device::of(&entry, &metadata)?;
        let (letter, rest): (char, Vec<u8>) = if let Some(device) = device {
            let letter = if device.is_block { 'b' } else { 'c' };
            (letter, format!("{} {}", device.major, device.minor).into_bytes())
        } else if kind.is_dir() {
            ('d', Vec::new())
        } else if kind.is_symlink() {
            let target = std::fs::read_link(&entry)?.into_os_string().into_vec();
            if target.iter().any(u8::is_ascii_whitespace) {
                bail!(
                    "the link /{inside} leads to a name with a blank, which mkfs.xfs cannot take; use ext4 or btrfs, or \
                     rename it"
                );
            }
            ('l', target)
        } else if kind.is_file() {
            ('-', entry.as_os_str().as_bytes().to_vec())
        } else if kind.is_fifo() {
            ('p', Vec::new())
        } else {
            prototype.sockets.push(format!("/{inside}"));
            continue;
        };
        if !kind.is_dir()
            && metadata.nlink() > 1
            && !prototype.inodes.insert((metadata.dev(), metadata.ino()))
        {
            prototype.linked.push(format!("/{inside}"));
        }
        if kind.is_dir() && metadata.mode() & 0o1000 != 0 {
            prototype.sticky.push((format!("/{inside}"), metadata.mode()));
        }
        let text = &mut prototype.text;
        text.extend(name.as_bytes());
        text.extend(format!(" {} {} {} ", mode(letter, &metadata), metadata.uid(), metadata.gid()).bytes());
        text.extend(&rest);
        text.push(b'\n');
        if kind.is_dir() {
            folder(root, &entry, prototype)?;
            prototype.text.extend(b"$\n");
        }
    }
    Ok(())
}

/// `-u-755` and the like.
fn mode(kind: char, metadata: &std::fs::Metadata) -> String {
    let bits = metadata.mode();
    let mut text = String::from(kind);
    text.push(if bits & 0o4000 == 0 { '-' } else { 'u' });
    text.push(if bits & 0o2000 == 0 { '-' } else { 'g' });
    let _ = write!(text, "{:03o}", bits & 0o777);
    text
}
