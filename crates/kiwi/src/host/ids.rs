//! The ids of the user namespace: those of root, or the subordinate ids of an ordinary user.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use super::id_range::{Extent, Range};
use super::program_lookup;
use super::userns_diagnosis::{Step, UsernsDiagnosis, program_remedy};

/// Number of ids that a system needs: distributions assign ids up to 65534 (nobody).
const IDS: u64 = 65_535;

/// Why there are not enough ids, or why they cannot be mapped.
#[derive(Debug, thiserror::Error)]
pub enum IdsError {
    /// No subordinate ids are configured, or too few.
    #[error(
        "user '{user}' has {count} subordinate ids in {file}, a root tree needs {}; an administrator can assign some: \
         usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}",
        IDS - 1
    )]
    TooFewSubordinate {
        /// Login name.
        user: String,
        /// `/etc/subuid` or `/etc/subgid`.
        file: &'static str,
        /// Their number.
        count: u64,
    },
    /// A user without a name, as in a container that was started with a numeric user.
    #[error(
        "uid {uid} has no name here, so it has no subordinate ids; start kiwi as root of the container, which needs no \
         privileges, or as a user with a name and with ids in /etc/subuid and /etc/subgid"
    )]
    Nameless {
        /// The uid.
        uid: u32,
    },
    /// Too few ids even for root, as in `unshare -Ur`.
    #[error(
        "only {count} user ids are mapped here, a root tree needs {IDS}; leave this user namespace or map a whole \
         range (for rootless podman: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER, then podman \
         system migrate)"
    )]
    TooFewMapped {
        /// Their number.
        count: u64,
    },
    /// `newuidmap` or `newgidmap` is missing.
    #[error(transparent)]
    Tool(#[from] super::CommandError),
    /// `newuidmap` failed.
    #[error("{program} could not map the subordinate ids: {text}; {remedy}")]
    Mapping {
        /// Which of the two programs.
        program: &'static str,
        /// What it printed.
        text: String,
        /// A possible remedy.
        remedy: String,
    },
    /// The kernel refuses root's own mapping.
    #[error("{0}")]
    Refused(UsernsDiagnosis),
    /// Anything else.
    #[error("mapping ids")]
    Io(#[from] io::Error),
}

/// The mapping of ids inside to ids outside.
pub(super) enum Mapping {
    /// Written by this program, as root.
    Own { users: Vec<Extent>, groups: Vec<Extent> },
    /// 0 is the user, from 1 on follow its subordinate ids; written by the programs of package uidmap.
    Programs { own: (u32, u32), users: Vec<Range>, groups: Vec<Range> },
}

impl Mapping {
    /// Returns the mapping for the user who runs this program.
    pub(super) fn plan() -> Result<Self, IdsError> {
        if rustix::process::geteuid().is_root() {
            return Self::same();
        }
        let directories = program_lookup::search_path();
        program_lookup::find(&directories, "newuidmap")?;
        program_lookup::find(&directories, "newgidmap")?;
        let uid = rustix::process::geteuid().as_raw();
        Ok(Self::Programs {
            own: (uid, rustix::process::getegid().as_raw()),
            users: subordinate("/etc/subuid", uid)?,
            groups: subordinate("/etc/subgid", uid)?,
        })
    }

    /// Returns the mapping of all ids of this user namespace to themselves.
    pub(super) fn same() -> Result<Self, IdsError> {
        let same = |file| Ok::<_, IdsError>(enough(file)?.into_iter().map(Extent::same).collect());
        Ok(Self::Own { users: same("/proc/self/uid_map")?, groups: same("/proc/self/gid_map")? })
    }

    /// Applies it to a process in a new user namespace.
    pub(super) fn write(&self, process: libc::pid_t) -> Result<(), IdsError> {
        match self {
            Self::Own { users, groups } => {
                for (file, extents) in [("uid_map", users), ("gid_map", groups)] {
                    let line = |Extent { inside, outside: Range { first, count } }: &Extent| {
                        format!("{inside} {first} {count}\n")
                    };
                    let lines: String = extents.iter().map(line).collect();
                    fs::write(format!("/proc/{process}/{file}"), lines)
                        .map_err(|error| IdsError::Refused(UsernsDiagnosis::new(Step::Map, error)))?;
                }
                Ok(())
            }
            Self::Programs { own: (user, group), users, groups } => {
                map_by_program("newuidmap", "/proc/self/uid_map", process, *user, users)?;
                map_by_program("newgidmap", "/proc/self/gid_map", process, *group, groups)
            }
        }
    }
}

/// Returns all ids that are mapped here, if they are enough.
fn enough(file: &str) -> Result<Vec<Range>, IdsError> {
    let ranges = mapped(&fs::read_to_string(file)?);
    match total(&ranges) {
        count if count < IDS => Err(IdsError::TooFewMapped { count }),
        _ => Ok(ranges),
    }
}

/// Parses the ids that exist here, from lines of `inside outside count`.
pub(super) fn mapped(text: &str) -> Vec<Range> {
    let range = |line: &str| {
        let mut keywords = line.split_whitespace();
        let first = keywords.next()?.parse().ok()?;
        Some(Range { first, count: keywords.nth(1)?.parse().ok()? })
    };
    text.lines().filter_map(range).collect()
}

fn total(ranges: &[Range]) -> u64 {
    ranges.iter().map(|range| u64::from(range.count)).sum()
}

/// Returns the subordinate ids of a user in `file`, or those of the name service.
fn subordinate(file: &'static str, uid: u32) -> Result<Vec<Range>, IdsError> {
    // podman uses the digits of a uid without a name as its name.
    let name = login_name(uid).filter(|name| *name != uid.to_string());
    let text = fs::read_to_string(file).unwrap_or_default();
    let number = uid.to_string();
    let mut ranges = ranges_of(&text, |owner| Some(owner) == name.as_deref() || owner == number);
    if ranges.is_empty()
        && let Some(name) = &name
    {
        ranges = ranges_of_name_service(file, name);
    }
    let count = total(&ranges);
    match (choose(ranges), name) {
        (Some(chosen), _) => Ok(chosen),
        (None, Some(user)) => Err(IdsError::TooFewSubordinate { user, file, count }),
        (None, None) => Err(IdsError::Nameless { uid }),
    }
}

/// Returns one range that is large enough, or all of them together if they are.
fn choose(ranges: Vec<Range>) -> Option<Vec<Range>> {
    let is_enough = |ranges: &[Range]| total(ranges) + 1 >= IDS;
    match ranges.iter().find(|range| is_enough(&[**range])) {
        Some(range) => Some(vec![*range]),
        None => is_enough(&ranges).then_some(ranges),
    }
}

/// Parses the lines `name:first:count` of those owners, who may also be listed by number.
pub(super) fn ranges_of(text: &str, is_owner: impl Fn(&str) -> bool) -> Vec<Range> {
    let range = |line: &str| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let first = fields.next()?.parse().ok()?;
        let count = fields.next()?.parse().ok()?;
        is_owner(owner).then_some(Range { first, count })
    };
    text.lines().filter_map(range).collect()
}

/// Asks `getsubids`, which also knows network users.
fn ranges_of_name_service(file: &str, name: &str) -> Vec<Range> {
    let keywords: &[&str] = if file.ends_with("gid") { &["-g", name] } else { &[name] };
    let text = said_by("getsubids", keywords).unwrap_or_default();
    // Lines of `0: name first count`.
    let range = |line: &str| {
        let (_, rest) = line.split_once(&format!(" {name} "))?;
        let (first, count) = rest.trim().split_once(' ')?;
        Some(Range { first: first.parse().ok()?, count: count.parse().ok()? })
    };
    text.lines().filter_map(range).collect()
}

fn login_name(uid: u32) -> Option<String> {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let entry = passwd.lines().find(|line| line.split(':').nth(2) == Some(&uid.to_string()));
    match entry.and_then(|line| line.split(':').next()) {
        Some(name) => Some(name.to_owned()),
        None => said_by("id", &["--user", "--name"]).map(|text| text.trim().to_owned()),
    }
}

/// Returns the output of a host program; none if it is missing or fails.
fn said_by(program: &str, keywords: &[&str]) -> Option<String> {
    let path = program_lookup::find(&program_lookup::search_path(), program).ok()?;
    let output = Command::new(path).args(keywords).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn map_by_program(
    program: &'static str,
    here: &str,
    process: libc::pid_t,
    own: u32,
    ranges: &[Range],
) -> Result<(), IdsError> {
    let path = program_lookup::find(&program_lookup::search_path(), program)?;
    let mut numbers = vec![0, own, 1];
    let mut inside = 1;
    for range in ranges {
        numbers.extend([inside, range.first, range.count]);
        inside += range.count;
    }
    let keywords = numbers.iter().map(ToString::to_string);
    let output = Command::new(&path).arg(process.to_string()).args(keywords).output()?;
    if output.status.success() {
        return Ok(());
    }
    let set_uid = fs::metadata(&path).is_ok_and(|metadata| metadata.mode() & libc::S_ISUID != 0);
    let mapped = mapped(&fs::read_to_string(here).unwrap_or_default());
    Err(IdsError::Mapping {
        program,
        text: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        remedy: program_remedy(set_uid, ranges, &mapped),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_a_user_are_found_and_joined() {
        let text = "other:1:70000\nbuilder:1:999\n  builder:1001:64535\n1000:200000:10\nbuilder:x:1\n";
        let range = |first, count| Range { first, count };
        let found = ranges_of(text, |owner| ["builder", "1000"].contains(&owner));
        assert_eq!(found, [range(1, 999), range(1001, 64_535), range(200_000, 10)]);
        assert_eq!(ranges_of(text, |owner| owner == "1000"), [range(200_000, 10)]);
        assert_eq!(
            choose(found[..2].to_vec()),
            Some(found[..2].to_vec()),
            "with the user itself they are enough"
        );
        assert_eq!(choose(found[1..].to_vec()), None);
        let large = range(300_000, 65_536);
        assert_eq!(choose([&found[..], &[large]].concat()), Some(vec![large]), "one is simpler than four");
    }

    #[test]
    fn the_mapping_of_a_container_is_read() {
        let ranges = mapped("         0       1001          1\n         1     100000      65536\n");
        assert_eq!(ranges, [Range { first: 0, count: 1 }, Range { first: 1, count: 65_536 }]);
        assert_eq!(total(&mapped("0 0 4294967295")), 4_294_967_295);
    }
}
