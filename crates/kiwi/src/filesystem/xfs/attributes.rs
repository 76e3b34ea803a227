//! Extended attributes of files on a finished XFS: those that fit into the inode beside the list of extents.
//!
//! Layout: XFS Algorithms & Data Structures, "Extended Attributes", "Short Form Attributes".

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use byteorder::{BE, ByteOrder};

use super::layout::{FORK, FORK_OFFSET, Format, Inode};
use crate::root_tree::RootTree;

/// Namespaces and their flags.
const SPACES: [(&str, u8); 3] = [("user.", 0), ("trusted.", 2), ("security.", 4)];
/// The flags of namespaces among all flags.
const SPACE_FLAGS: u8 = 6;
/// Bytes for all attributes of a file, so that an inode of the default size still has room for eight extents.
const ROOM: usize = 200;
/// Bytes before all attributes, and before each.
const HEAD: usize = 4;
const ENTRY_HEAD: usize = 3;
/// Offset of the attribute format in an inode, and the value for attributes in the inode.
const FORMAT: usize = 83;
const LOCAL: u8 = 1;

/// An attribute as it is on disk.
pub(super) struct Attribute {
    space: u8,
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Attribute {
    fn size(&self) -> usize {
        ENTRY_HEAD + self.name.len() + self.value.len()
    }
}

/// Attributes by the path of their file inside the tree.
pub(super) type Attributes = HashMap<PathBuf, Vec<Attribute>>;

/// Names of attributes by the path of their file inside the tree.
type Names = Vec<(PathBuf, Vec<String>)>;

/// Returns the attributes of a tree that can be stored, and the names of the others.
pub(super) fn of(tree: &RootTree) -> Result<(Attributes, Names)> {
    let (mut kept, mut lost) = (HashMap::new(), Vec::new());
    for (path, names) in tree.attributed(&[])? {
        let (attributes, others) = of_file(&tree.path().join(path.strip_prefix("/")?), names)
            .with_context(|| format!("reading extended attributes of {}", path.display()))?;
        if !others.is_empty() {
            lost.push((path.clone(), others));
        }
        if !attributes.is_empty() {
            kept.insert(path, attributes);
        }
    }
    Ok((kept, lost))
}

fn of_file(path: &Path, names: Vec<String>) -> Result<(Vec<Attribute>, Vec<String>)> {
    // A directory grows and needs its inode for that; a link stores its target there.
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_file() => (),
        Ok(_) => return Ok((Vec::new(), names)),
        // kiwi removed it from the tree after it was measured.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
        Err(error) => return Err(error.into()),
    }
    let (mut kept, mut lost, mut room) = (Vec::new(), Vec::new(), ROOM);
    for name in names {
        match attribute(path, &name)? {
            Some(attribute) if attribute.size() <= room => {
                room -= attribute.size();
                kept.push(attribute);
            }
            _ => lost.push(name),
        }
    }
    Ok((kept, lost))
}

/// Returns an attribute, if its namespace and size fit into an inode.
fn attribute(path: &Path, name: &str) -> Result<Option<Attribute>> {
    let space = SPACES.iter().find_map(|(space, flag)| Some((name.strip_prefix(space)?, *flag)));
    // A name that is not valid UTF-8 cannot be looked up.
    let Some((short, space)) = space.filter(|_| !name.contains(char::REPLACEMENT_CHARACTER)) else {
        return Ok(None);
    };
    let mut value = vec![0; ROOM];
    match rustix::fs::lgetxattr(path, name, &mut value[..]) {
        Ok(length) => value.truncate(length),
        Err(rustix::io::Errno::RANGE) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    Ok(Some(Attribute { space, name: short.into(), value }))
}

/// Returns the attributes of a file that an ordinary user's process can set again: those of users, and capabilities. Attributes that
/// do not fit into the inode are left out.
pub(super) fn read(inode: &Inode) -> Result<Vec<(OsString, Vec<u8>)>> {
    if inode.bytes[FORK_OFFSET] == 0 || inode.bytes[FORMAT] != LOCAL {
        return Ok(Vec::new());
    }
    let damaged = "an attribute ends beyond its inode";
    let start = FORK + usize::from(inode.bytes[FORK_OFFSET]) * 8;
    let content = inode.bytes.get(start..).filter(|content| content.len() >= HEAD).context(damaged)?;
    let (count, mut rest) = (content[2], &content[HEAD..]);
    let mut found = Vec::new();
    for _ in 0..count {
        let (head, after) = rest.split_at_checked(ENTRY_HEAD).context(damaged)?;
        let (name, after) = after.split_at_checked(head[0].into()).context(damaged)?;
        let (value, after) = after.split_at_checked(head[1].into()).context(damaged)?;
        rest = after;
        let space = SPACES.iter().find(|(_, flag)| *flag == head[2] & SPACE_FLAGS);
        let (space, _) = space.context("the namespace of an attribute is unknown")?;
        let name = OsString::from_vec([space.as_bytes(), name].concat());
        if *space == "user." || name == "security.capability" {
            found.push((name, value.to_vec()));
        }
    }
    found.sort();
    Ok(found)
}

/// Writes attributes into the inode of a file that has none.
pub(super) fn put(inode: &mut Inode, attributes: &[Attribute]) -> Result<()> {
    let size = HEAD + attributes.iter().map(Attribute::size).sum::<usize>();
    let start = (inode.bytes.len() - FORK)
        .checked_sub(size.next_multiple_of(8))
        .context("the inode is too small for its extended attributes")?;
    ensure!(inode.bytes[FORK_OFFSET] == 0, "the inode has extended attributes that the tree does not have");
    let extents = match inode.format()? {
        Format::Extents => inode.extents()?,
        Format::Device | Format::Local | Format::Tree => {
            bail!("the inode has no room for extended attributes")
        }
    };
    ensure!(extents * 16 <= start, "the inode has no room for extended attributes beside {extents} extents");
    let mut content = vec![0; HEAD];
    BE::write_u16(&mut content, u16::try_from(size)?);
    content[2] = u8::try_from(attributes.len())?;
    for Attribute { space, name, value } in attributes {
        content.extend([u8::try_from(name.len())?, u8::try_from(value.len())?, *space]);
        content.extend([name.as_slice(), value].concat());
    }
    inode.bytes[FORK_OFFSET] = u8::try_from(start / 8)?;
    inode.bytes[FORMAT] = LOCAL;
    let fork = &mut inode.bytes[FORK + start..];
    fork.fill(0);
    fork[..size].copy_from_slice(&content);
    Ok(())
}
