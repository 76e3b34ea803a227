//! Relations between packages: `a (>= 1) | b:any, c` (Debian policy 7.1).

use std::cmp::Ordering;

use super::version::compare;

/// One package in a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Relation<'a> {
    /// Its name, without an architecture.
    pub(in super::super) name: &'a str,
    version: Option<(&'a str, &'a str)>,
}

/// Returns the groups of a field; one package of each group is sufficient.
pub(in super::super) fn alternatives(field: &str) -> impl Iterator<Item = Vec<Relation<'_>>> {
    field
        .split(',')
        .map(|group| group.split('|').filter_map(Relation::read).collect::<Vec<_>>())
        .filter(|group| !group.is_empty())
}

impl<'a> Relation<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let (name, rest) = text.split_at(text.find([' ', '(', ':', '[', '\n']).unwrap_or(text.len()));
        let version = rest.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(version, _)| {
            let version = version.trim();
            let length = version.find(|c| !"<=>".contains(c)).unwrap_or(version.len());
            (&version[..length], version[length..].trim())
        });
        (!name.is_empty()).then_some(Self { name, version })
    }

    /// Returns whether `version` of the named package satisfies the relation.
    pub(in super::super) fn admits(&self, version: &str) -> bool {
        let Some((operator, limit)) = self.version else { return true };
        let order = compare(version, limit);
        match operator {
            "<<" => order == Ordering::Less,
            "<=" | "<" => order != Ordering::Greater,
            "=" => order == Ordering::Equal,
            ">=" | ">" => order != Ordering::Less,
            ">>" => order == Ordering::Greater,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_groups_and_versions() {
        let groups: Vec<Vec<Relation>> = alternatives("libc6 (>= 2.36), a:any (<<2)|b ,\n perl").collect();
        let names: Vec<Vec<&str>> =
            groups.iter().map(|group| group.iter().map(|relation| relation.name).collect()).collect();
        assert_eq!(names, [vec!["libc6"], vec!["a", "b"], vec!["perl"]]);
        assert!(groups[0][0].admits("2.36-9") && !groups[0][0].admits("2.35"));
        assert!(groups[1][0].admits("1.9") && !groups[1][0].admits("2"));
        assert!(groups[1][1].admits("anything"));
        assert_eq!(alternatives("").count(), 0);
    }
}
