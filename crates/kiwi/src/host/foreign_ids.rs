//! Ids for a tree whose builder is root: a range of the machine that belongs to nobody.

use std::fs;

use super::id_range::{Extent, Range};
use super::ids::{Mapping, mapped, ranges_of};

/// Number of ids of a tree that are other ones outside.
const COUNT: u32 = 65_536;
/// The first range that is tried if root has no subordinate ids: behind the ids that systemd gives to containers.
const FIRST: u32 = 0x7000_0000;
/// The ids from here on are reserved by systemd, or negative for some programs.
const LAST: u32 = 0x7ffe_0000;

/// Files about users, or about groups.
struct Files {
    mapped: &'static str,
    subordinate: &'static str,
    accounts: &'static str,
}

/// Returns a mapping in which 0 to 65535 are ids that nobody has, and all others are the same as outside, with the uid that is 0
/// inside; none if this user namespace has no ids for that.
pub(super) fn choose() -> Option<(u32, Mapping)> {
    let users = Files { mapped: "/proc/self/uid_map", subordinate: "/etc/subuid", accounts: "/etc/passwd" };
    let groups = Files { mapped: "/proc/self/gid_map", subordinate: "/etc/subgid", accounts: "/etc/group" };
    let (users, groups) = (of(&users)?, of(&groups)?);
    Some((users.first()?.outside.first, Mapping::Own { users, groups }))
}

fn of(files: &Files) -> Option<Vec<Extent>> {
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    let mapped = mapped(&text(files.mapped));
    let unused = unused(&mapped, &text(files.subordinate), &text(files.accounts))?;
    Some(extents(&mapped, unused))
}

/// Returns the subordinate ids of root, or else the first range that contains neither those of anybody nor an account.
fn unused(mapped: &[Range], subordinate: &str, accounts: &str) -> Option<Range> {
    let exist = |range: Range| mapped.iter().any(|mapped| mapped.contains(range));
    if !exist(Range { first: 0, count: COUNT }) {
        return None;
    }
    let own = ranges_of(subordinate, |owner| owner == "root" || owner == "0").into_iter();
    let mut own = own.filter(|range| range.count >= COUNT).map(|range| Range { count: COUNT, ..range });
    if let Some(own) = own.find(|own| own.first >= COUNT && exist(*own)) {
        return Some(own);
    }
    let account = |line: &str| Some(Range { first: line.split(':').nth(2)?.parse().ok()?, count: 1 });
    let mut taken = ranges_of(subordinate, |_| true);
    taken.extend(accounts.lines().filter_map(account));
    let mut candidates = (FIRST..LAST).step_by(COUNT as usize).map(|first| Range { first, count: COUNT });
    candidates.find(|range| exist(*range) && !taken.iter().any(|taken| taken.overlaps(*range)))
}

/// Returns the mapping of 0 to 65535 to `unused`, and of all other ids to themselves. The ids 0 to 65535 of the outside, and
/// those that `unused` are inside, do not exist.
fn extents(mapped: &[Range], unused: Range) -> Vec<Extent> {
    let mut extents = vec![Extent { inside: 0, outside: unused }];
    for range in mapped {
        for (first, end) in [(u64::from(COUNT), unused.first.into()), (unused.end(), u64::MAX)] {
            let (first, end) = (first.max(range.first.into()), range.end().min(end));
            if let (Ok(first), Some(count)) = (u32::try_from(first), end.checked_sub(first))
                && let Ok(count @ 1..) = u32::try_from(count)
            {
                extents.push(Extent::same(Range { first, count }));
            }
        }
    }
    extents
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Range = Range { first: 0, count: u32::MAX };

    fn range(first: u32) -> Range {
        Range { first, count: COUNT }
    }

    #[test]
    fn the_subordinate_ids_of_root_are_used() {
        let text = "joe:100000:65536\nroot:165536:1000\nroot:200000:70000\n";
        assert_eq!(unused(&[ALL], text, ""), Some(range(200_000)));
        assert_eq!(unused(&[ALL], "0:300000:65536", ""), Some(range(300_000)));
        let useless = "root:1000:65536\nroot:4294967000:65536\n";
        assert_eq!(
            unused(&[ALL], useless, ""),
            Some(range(FIRST)),
            "ids of the machine, and ids that do not exist"
        );
    }

    #[test]
    fn otherwise_ids_that_belong_to_nobody() {
        assert_eq!(unused(&[ALL], "", ""), Some(range(FIRST)));
        let passwd = "root:x:0:0::/root:/bin/sh\njoe:x:1879048199:1::/home/joe:/bin/sh\n";
        assert_eq!(unused(&[ALL], "", passwd), Some(range(FIRST + COUNT)));
        let text = format!("joe:{}:{COUNT}\n", FIRST + COUNT - 1);
        assert_eq!(unused(&[ALL], &text, ""), Some(range(FIRST + 2 * COUNT)));
        assert_eq!(unused(&[ALL], &text, passwd), Some(range(FIRST + 2 * COUNT)));
        let all = format!("joe:100000:{}\n", u32::MAX - 100_000);
        assert_eq!(unused(&[ALL], &all, passwd), None);
    }

    #[test]
    fn a_container_has_no_ids_for_it() {
        let container = [Range { first: 0, count: 65_536 }];
        assert_eq!(unused(&container, "root:100000:65536", ""), None);
        assert_eq!(unused(&[Range { first: 1, count: u32::MAX - 1 }], "", ""), None, "no root");
    }

    #[test]
    fn all_other_ids_stay_the_same() {
        let same = |first, end: u32| Extent::same(Range { first, count: end - first });
        let own = Extent { inside: 0, outside: range(FIRST) };
        let expected = [own, same(COUNT, FIRST), same(FIRST + COUNT, u32::MAX)];
        assert_eq!(extents(&[ALL], range(FIRST)), expected);
        let own = Extent { inside: 0, outside: range(COUNT) };
        assert_eq!(extents(&[ALL], range(COUNT)), [own, same(2 * COUNT, u32::MAX)]);
        let parts = [Range { first: 0, count: 200_000 }, Range { first: 300_000, count: 100_000 }];
        let own = Extent { inside: 0, outside: range(300_000) };
        assert_eq!(extents(&parts, range(300_000)), [own, same(COUNT, 200_000), same(365_536, 400_000)]);
    }
}
