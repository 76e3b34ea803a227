//! Access control lists of tar archives: text in pax records, to the binary form of the kernel's extended attributes
//! (`linux/posix_acl_xattr.h`).

use std::collections::HashMap;

use anyhow::{Context, Result, bail};

use crate::root_tree::RootTree;

/// Version of the binary form.
const VERSION: u32 = 2;
/// The id of entries that name nobody.
const NOBODY: u32 = u32::MAX;

/// The numbers of the users and groups of a tree.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    users: HashMap<String, u32>,
    groups: HashMap<String, u32>,
}

impl Accounts {
    pub(super) fn of(tree: &RootTree) -> Result<Self> {
        let read = |file: &str| -> Result<HashMap<String, u32>> {
            let text = if tree.exists(file) { tree.read_text(file)? } else { String::new() };
            let account = |line: &str| {
                let mut fields = line.split(':');
                Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
            };
            Ok(text.lines().filter_map(account).collect())
        };
        Ok(Self { users: read("etc/passwd")?, groups: read("etc/group")? })
    }
}

/// Returns the extended attribute for a pax record.
pub(super) fn attribute(key: &str) -> Option<&'static str> {
    match key {
        "SCHILY.acl.access" => Some("system.posix_acl_access"),
        "SCHILY.acl.default" => Some("system.posix_acl_default"),
        _ => None,
    }
}

/// Returns the binary form of a list such as `user::rw-,user:tux:r--,group::r--,mask::r--,other::---`. A fourth field is the
/// number of the account.
pub(super) fn parse(text: &str, accounts: &Accounts) -> Result<Vec<u8>> {
    let mut entries = Vec::new();
    for line in text.split([',', '\n']) {
        let entry = line.split('#').next().unwrap_or_default().trim();
        if entry.is_empty() {
            continue;
        }
        entries.push(parse_entry(entry, accounts)?);
    }
    // The kernel requires this order.
    entries.sort_unstable();
    let mut bytes = VERSION.to_le_bytes().to_vec();
    for (tag, id, permissions) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    Ok(bytes)
}

/// Returns tag, id and permissions of an entry.
fn parse_entry(entry: &str, accounts: &Accounts) -> Result<(u16, u32, u16)> {
    let fields: Vec<&str> = entry.split(':').map(str::trim).collect();
    let (kind, name, letters) = match fields[..] {
        // `mask` and `other` may have no empty field for a name.
        [kind @ ("mask" | "m" | "other" | "o"), letters] => (kind, "", letters),
        [kind, name, letters] | [kind, name, letters, _] => (kind, name, letters),
        _ => bail!("an entry has the form KIND:NAME:PERMISSIONS"),
    };
    let known = |numbers: &HashMap<String, u32>| -> Result<u32> {
        let number = fields.get(3).copied().unwrap_or(name);
        let found = number.parse().ok().or_else(|| numbers.get(name).copied());
        found.with_context(|| format!("the root tree has no account {name}"))
    };
    let (tag, id) = match (kind, name) {
        ("user" | "u", "") => (0x01, NOBODY),
        ("user" | "u", _) => (0x02, known(&accounts.users)?),
        ("group" | "g", "") => (0x04, NOBODY),
        ("group" | "g", _) => (0x08, known(&accounts.groups)?),
        ("mask" | "m", _) => (0x10, NOBODY),
        ("other" | "o", _) => (0x20, NOBODY),
        (kind, _) => bail!("the kind {kind} is unknown"),
    };
    let permission = |letter: char| match letter {
        'r' => Ok(4),
        'w' => Ok(2),
        'x' => Ok(1),
        '-' => Ok(0),
        letter => bail!("the permission {letter} is unknown"),
    };
    let permissions = letters.chars().map(permission).sum::<Result<u16>>()?;
    Ok((tag, id, permissions))
}
