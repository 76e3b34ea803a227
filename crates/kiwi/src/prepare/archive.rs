//! Unpacks tar archives of the description in the tree: kiwi reads them itself, with any compression, owners, modes,
//! times, extended attributes, access control lists, hard links and holes.
//!
//! A directory that exists in the tree stays as it is; see [`Placement`] for everything else.

mod acl;
mod holes;
mod members;

use std::io::{BufRead, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::Timestamps;
use tar::EntryType;

use self::members::{Member, Members};
use super::placement::{Placement, is_copied};
use super::unchanged::{Unchanged, digest};
use crate::compression::Compression;
use crate::failure::{Failure, Kind, fail};
use crate::host::Host;
use crate::host::device::Device;
use crate::root_tree::{Attributes, Made, RootTree};
use crate::stage::{Digest, Inputs};

/// Prefix of pax records with extended attributes.
const ATTRIBUTE: &str = "SCHILY.xattr.";

/// An archive as it was when the build was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// Its name in the description.
    name: String,
    path: PathBuf,
    digest: Digest,
    /// The directory of the tree in which it is unpacked, relative to the tree.
    target: PathBuf,
}

pub(super) fn plan(name: &str, path: PathBuf, target: &str) -> Result<Plan> {
    let digest = digest(&path)?;
    let target = PathBuf::from(target.trim_start_matches('/'));
    Ok(Plan { name: name.to_owned(), path, digest, target })
}

impl Plan {
    /// Returns its name in the description.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Adds the content of the archive and its target.
    pub(super) fn inputs(&self, inputs: &mut Inputs) -> Result<()> {
        let Self { name, path: _, digest, target } = self;
        inputs.value(format!("the archive {name}"), &(digest, target.as_os_str().as_encoded_bytes()))
    }
}

/// Unpacks the archive; `wrote` is called with the path in the tree of every member but directories.
pub(super) fn unpack(plan: &Plan, wrote: &mut dyn FnMut(&Path), tree: &RootTree, host: &Host) -> Result<()> {
    let mut content = Unchanged::open(&plan.path, host)?;
    let mut input = BufReader::with_capacity(1 << 16, &mut content);
    let unpacked = unpack_stream(plan, &mut input, wrote, tree, host);
    drop(input);
    host.check_interrupt()?;
    unpacked?;
    content.end(&plan.digest)
}

fn unpack_stream(
    plan: &Plan,
    input: &mut impl BufRead,
    wrote: &mut dyn FnMut(&Path),
    tree: &RootTree,
    host: &Host,
) -> Result<()> {
    let start = input.fill_buf().with_context(|| format!("reading {}", plan.path.display()))?;
    if let Some(name) = unreadable(start) {
        fail!(
            InvalidDescription,
            "the archive {} is compressed with {name}, which kiwi does not read; compress it with gzip, bzip2, xz or zstd",
            plan.path.display()
        );
    }
    let mut members = Members::new(Compression::of_content(start).decoder(input)?);
    let mut unpacking = Unpacking {
        plan,
        placement: Placement::new(&plan.name, tree),
        accounts: acl::Accounts::of(tree)?,
        directories: Vec::new(),
        wrote,
    };
    while let Some(member) = members.next().map_err(|error| damaged(plan, &error))? {
        host.check_interrupt()?;
        let shown = member.path.display().to_string();
        unpacking
            .place(member, &mut members)
            .with_context(|| format!("unpacking {shown} of the archive {}", plan.path.display()))?;
    }
    unpacking.close(host)?;
    // The rest of the stream has its checksum.
    std::io::copy(&mut members.into_input(), &mut std::io::sink())
        .map_err(|error| damaged(plan, &error.into()))?;
    Ok(())
}

/// Returns the name of a compression that kiwi does not read.
fn unreadable(start: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 4] =
        [(b"\x1f\x9d", "compress"), (b"LZIP", "lzip"), (b"\x89LZO", "lzop"), (b"\x04\x22\x4d\x18", "lz4")];
    known.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, name)| *name)
}

fn damaged(plan: &Plan, error: &anyhow::Error) -> anyhow::Error {
    let path = plan.path.display();
    Failure::new(Kind::Damaged, format!("the archive {path} is damaged, or is not a tar archive: {error:#}"))
        .into()
}

/// An archive in progress.
struct Unpacking<'a> {
    plan: &'a Plan,
    placement: Placement<'a>,
    accounts: acl::Accounts,
    /// New directories, with their times in seconds.
    directories: Vec<(PathBuf, i64)>,
    wrote: &'a mut dyn FnMut(&Path),
}

impl Unpacking<'_> {
    /// Returns the path in the tree of a path in the archive.
    fn inside(&self, path: &Path) -> Result<PathBuf> {
        let mut inside = self.plan.target.clone();
        for component in path.components() {
            match component {
                Component::Normal(name) => inside.push(name),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => fail!(
                    InvalidDescription,
                    "the archive {} contains the member {}, which leads out of the root tree",
                    self.plan.path.display(),
                    path.display()
                ),
            }
        }
        Ok(inside)
    }

    fn place(&mut self, mut member: Member, content: &mut Members<impl Read>) -> Result<()> {
        let path = self.inside(&member.path)?;
        if path == self.plan.target {
            return Ok(());
        }
        let attributes = self.attributes(&member)?;
        if member.kind != EntryType::Directory {
            (self.wrote)(&path);
        }
        match member.kind {
            EntryType::Directory => {
                let seconds = member.time.tv_sec;
                if self.placement.directory(&path, attributes)? == Made::New {
                    self.directories.push((path, seconds));
                }
                Ok(())
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => match member.parts.take() {
                Some(parts) => self.placement.file(&path, &mut parts.content(content), true, attributes),
                None => self.placement.file(&path, content, false, attributes),
            },
            EntryType::Symlink => self.placement.link(&path, &member.target, &attributes),
            EntryType::Link => {
                let first = self.inside(&member.target)?;
                self.placement.hard_link(&path, &first)
            }
            EntryType::Fifo => self.placement.fifo(&path, &attributes),
            EntryType::Char | EntryType::Block => {
                let number = |part: Option<u32>| part.context("a device node without a number");
                let header = &member.header;
                let (major, minor) = (number(header.device_major()?)?, number(header.device_minor()?)?);
                let device = Device { is_block: member.kind == EntryType::Block, major, minor };
                self.placement.device(&path, device, attributes)
            }
            kind => fail!(InvalidDescription, "kiwi does not read members of kind {kind:?}"),
        }
    }

    fn attributes(&self, member: &Member) -> Result<Attributes> {
        let mut extended = Vec::new();
        for (key, value) in &member.records {
            if let Some(name) = key.strip_prefix(ATTRIBUTE).filter(|name| is_copied(name)) {
                extended.push((name.into(), value.clone()));
            } else if let Some(name) = acl::attribute(key) {
                let text = String::from_utf8_lossy(value);
                let list = acl::parse(&text, &self.accounts)
                    .with_context(|| format!("reading the access control list {}", text.escape_debug()))?;
                extended.push((name.into(), list));
            }
        }
        Ok(Attributes {
            mode: member.header.mode()? & 0o7777,
            user: member.user,
            group: member.group,
            times: Timestamps { last_access: member.time, last_modification: member.time },
            extended,
        })
    }

    fn close(mut self, host: &Host) -> Result<()> {
        for (path, seconds) in self.directories.iter().rev() {
            self.placement
                .date_directory(path, *seconds)
                .with_context(|| format!("setting the time of {}", path.display()))?;
        }
        self.placement.close(host);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
