//! Reads the `use crate::` lines of the library against the arrows of ARCHITECTURE.md, and looks at file lengths.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kiwi_tests::program::checkout;

/// Module -> modules it may use. What is not here may use nothing of ours.
const ARROWS: &[(&str, &str)] = &[
    ("main", "cli context host diagnostic error operation timings"),
    ("cli", "host operation"),
    (
        "operation",
        "artifact context diagnostic error failure host identity initrd kernel lock create media package_manager password prepare record result_record root_tree \
         runtime_configuration script share source stage cache \
         workspace",
    ),
    (
        "prepare",
        "context host lock package_manager password record repository root_tree script source stage cache tree_archive",
    ),
    (
        "create",
        "artifact bootloader disk disk_format failure filesystem gzip host identity kernel media root_tree workspace",
    ),
    ("initrd", "gzip host identity kernel root_tree"),
    ("media", "artifact bootloader disk filesystem gzip host identity root_tree workspace"),
    ("context", "cache host runtime_configuration share"),
    ("error", "failure host script"),
    ("failure", ""),
    ("lock", ""),
    ("package_manager", "context failure host lock repository root_tree stage cache"),
    ("repository", "failure host runtime_configuration"),
    ("stage", ""),
    ("timings", "host"),
    ("cache", "host stage"),
    ("tree_archive", "host root_tree"),
    ("filesystem", "failure host identity root_tree tree_archive workspace"),
    ("disk", "identity"),
    ("disk_format", "host"),
    ("result_record", "artifact host workspace"),
    ("runtime_configuration", "host"),
    ("artifact", "gzip host workspace"),
    ("bootloader", "filesystem host root_tree workspace"),
    ("workspace", "host root_tree"),
    ("kernel", "root_tree"),
    ("record", "identity root_tree"),
    ("script", "host root_tree"),
    ("root_tree", "host"),
    ("share", "host"),
    ("source", ""),
    ("gzip", ""),
    ("identity", ""),
    ("password", ""),
    ("diagnostic", ""),
    ("host", ""),
    ("lib", ""),
];

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The top-level module a file belongs to.
fn module(path: &Path, root: &Path) -> String {
    let first = path.strip_prefix(root).unwrap().components().next().unwrap();
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The modules a text names as `crate::NAME` or, in braces, as `crate::{NAME, ..}`; tests may use anything.
fn used(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut names = Vec::new();
    for part in code.split("crate::").skip(1) {
        let list = match part.strip_prefix('{') {
            Some(braces) => braces.split('}').next().unwrap_or_default().to_owned(),
            None => part.to_owned(),
        };
        for keyword in list.split(',').take(if part.starts_with('{') { usize::MAX } else { 1 }) {
            let name: String =
                keyword.trim().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            if !name.is_empty() {
                names.push(name);
            }
        }
    }
    names
}

#[test]
fn no_module_uses_what_it_may_not() {
    let root = checkout().join("crates/kiwi/src");
    let allowed: BTreeMap<&str, Vec<&str>> =
        ARROWS.iter().map(|(from, to)| (*from, to.split_whitespace().collect())).collect();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for path in sources(&root) {
        let from = module(&path, &root);
        let text = std::fs::read_to_string(&path).unwrap();
        let kiwi = text.replace("kiwi::", "crate::");
        let known = allowed
            .get(from.as_str())
            .unwrap_or_else(|| panic!("{from} is a new module: give it its arrows"));
        for to in used(if from == "main" { &kiwi } else { &text }) {
            seen += 1;
            if to != from && !known.contains(&to.as_str()) {
                wrong.push(format!("{}: {from} -> {to}", path.display()));
            }
        }
    }
    assert!(seen > 80, "only {seen} arrows were seen: the reader is broken");
    assert!(wrong.is_empty(), "arrows that ARCHITECTURE.md does not allow:\n{}", wrong.join("\n"));
}

#[test]
fn long_files_say_why() {
    let crates = checkout().join("crates");
    let mut long = Vec::new();
    for name in ["bootconfig", "description", "kiwi", "linuxrc"] {
        for path in sources(&crates.join(name).join("src")) {
            let text = std::fs::read_to_string(&path).unwrap();
            let lines = text.split("#[cfg(test)]").next().unwrap_or_default().lines().count();
            let head = text.lines().take_while(|line| line.starts_with("//!"));
            if lines > 400 && !head.into_iter().any(|line| line.contains("400 lines")) {
                long.push(format!("{}: {lines}", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "over 400 lines without a reason at their top:\n{}", long.join("\n"));
}
