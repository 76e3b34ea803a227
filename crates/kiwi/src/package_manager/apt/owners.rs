//! The packages whose file lists in the database of a tree contain a path.

use std::collections::BTreeSet;

use anyhow::Result;

use super::DPKG_STATUS;
use crate::deb822::{self, Comments};
use crate::package_manager::InventoryItem;
use crate::root_tree::RootTree;

const INFO: &str = "var/lib/dpkg/info";
const DIVERSIONS: &str = "var/lib/dpkg/diversions";
/// Which packages apt installed as dependencies.
const AUTOMATIC: &str = "var/lib/apt/extended_states";

/// An entry of a package for a path.
pub(in crate::package_manager) struct PackageEntry {
    /// The package.
    pub(in crate::package_manager) package: InventoryItem,
    /// Whether the package marks the file as configuration.
    pub(in crate::package_manager) is_configuration: bool,
    /// The MD5 digest of the file in the package, in lower-case hex.
    pub(in crate::package_manager) digest: Option<String>,
    /// Whether apt installed the package as a dependency; `None` without apt.
    pub(in crate::package_manager) is_dependency: Option<bool>,
}

/// Returns the entries of packages for a path that has these names, sorted by package; `items` are the installed packages.
pub(in crate::package_manager) fn owners(
    tree: &RootTree,
    paths: &[String],
    items: &[InventoryItem],
) -> Result<Vec<PackageEntry>> {
    if !tree.exists(DPKG_STATUS) || !tree.exists(INFO) {
        return Ok(Vec::new());
    }
    let diverted = Diversions::read(tree)?;
    let automatic = automatic(tree)?;
    let status = tree.read_text(DPKG_STATUS)?;
    let status = deb822::paragraphs(&status, Comments::Stray);
    let mut found = Vec::new();
    for file in tree.list(INFO)? {
        let Some(base) = file.strip_suffix(".list") else { continue };
        let (name, architecture) =
            base.split_once(':').map_or((base, None), |(name, arch)| (name, Some(arch)));
        let wanted = diverted.names(paths, name);
        let list = tree.read(format!("{INFO}/{file}"))?;
        let list = String::from_utf8_lossy(&list);
        let mut lines = list.lines().map(|line| line.trim_start_matches('/'));
        let Some(line) = lines.find(|line| wanted.contains(*line)) else { continue };
        let is_it = |item: &&InventoryItem| {
            item.name == name && architecture.is_none_or(|architecture| item.architecture == architecture)
        };
        let Some(item) = items.iter().find(is_it) else { continue };
        let paragraph = status.iter().find(|paragraph| {
            paragraph.value("Package") == Some(name)
                && paragraph.value("Architecture") == Some(&item.architecture)
        });
        let configuration = paragraph
            .and_then(|paragraph| paragraph.value("Conffiles"))
            .and_then(|list| digest_in(list, |words| (words[0].trim_start_matches('/'), words[1]), line));
        let sums = tree.read(format!("{INFO}/{base}.md5sums")).unwrap_or_default();
        let sum = digest_in(&String::from_utf8_lossy(&sums), |words| (words[1], words[0]), line);
        found.push(PackageEntry {
            is_configuration: configuration.is_some(),
            digest: configuration.or(sum),
            is_dependency: automatic
                .as_ref()
                .map(|automatic| automatic.contains(&(name.to_owned(), item.architecture.clone()))),
            package: item.clone(),
        });
    }
    found.sort_by(|one, other| one.package.name.cmp(&other.package.name));
    Ok(found)
}

/// Returns the digest of a path in a list with a path and a digest in each line, in the order that `parts` knows.
fn digest_in<'t>(
    list: &'t str,
    parts: impl Fn([&'t str; 2]) -> (&'t str, &'t str),
    path: &str,
) -> Option<String> {
    list.lines().find_map(|line| {
        let (first, second) = line.trim().split_once(' ')?;
        // The second word of a sum is the path, which may contain blanks; the digest of a configuration file is one word.
        let second = second.trim_start();
        let (named, digest) = parts([first, second]);
        let digest = digest.split(' ').next().unwrap_or_default();
        (named == path).then(|| digest.to_owned())
    })
}

/// Returns names and architectures of the packages that apt installed as dependencies; `None` without apt.
fn automatic(tree: &RootTree) -> Result<Option<BTreeSet<(String, String)>>> {
    if !tree.exists(AUTOMATIC) {
        return Ok(None);
    }
    let text = tree.read_text(AUTOMATIC)?;
    let paragraphs = deb822::paragraphs(&text, Comments::Stray);
    let automatic = paragraphs
        .iter()
        .filter(|paragraph| paragraph.value("Auto-Installed") == Some("1"))
        .filter_map(|paragraph| {
            Some((paragraph.value("Package")?.to_owned(), paragraph.value("Architecture")?.to_owned()))
        });
    Ok(Some(automatic.collect()))
}

/// Files that a package replaces with its own, so that those of other packages have another name (dpkg-divert(1)).
struct Diversions(Vec<[String; 3]>);

impl Diversions {
    fn read(tree: &RootTree) -> Result<Self> {
        if !tree.exists(DIVERSIONS) {
            return Ok(Self(Vec::new()));
        }
        let text = tree.read_text(DIVERSIONS)?;
        let lines: Vec<&str> = text.lines().map(|line| line.trim_start_matches('/')).collect();
        Ok(Self(
            lines.chunks_exact(3).map(|parts| [parts[0], parts[1], parts[2]].map(str::to_owned)).collect(),
        ))
    }

    /// Returns the names in the list of a package for a file that has these names in the tree.
    fn names(&self, paths: &[String], package: &str) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = paths.iter().cloned().collect();
        for [from, to, _] in self.0.iter().filter(|[.., by]| by != package) {
            names.remove(from);
            if paths.contains(to) {
                names.insert(from.clone());
            }
        }
        names
    }
}
