//! `docs/kiwi-2007.md` is true: every row names tests that exist, and the table of options is complete.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use kiwi_tests::program::{checkout, kiwi};

/// Every option of KIWI 1.x in 2007.
const OPTIONS: [&str; 33] = [
    "--prepare",
    "--create",
    "--upgrade",
    "--root",
    "--destdir",
    "--type",
    "--add-profile",
    "--list-profiles",
    "--list",
    "--add-repo",
    "--add-repotype",
    "--set-repo",
    "--set-repotype",
    "--add-package",
    "--logfile",
    "--strip",
    "--bootstick",
    "--bootstick-system",
    "--bootstick-device",
    "--bootcd",
    "--installcd",
    "--installcd-system",
    "--bootvm",
    "--bootvm-system",
    "--bootvm-disksize",
    "--bootvm-format",
    "--createpassword",
    "--create-instsource",
    "--migrate",
    "--exclude",
    "--report",
    "--version",
    "--help",
];
/// How the proof of something begins that kiwi does not have.
const ABSENT: &str = "not there: ";

/// Returns the cells of every row.
fn rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
        inner.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    let lines: Vec<&str> = text.lines().collect();
    let is_row = |index: &usize| {
        let next = lines.get(index + 1).unwrap_or(&"");
        lines[*index].starts_with('|') && !lines[*index].starts_with("|--") && !next.starts_with("|--")
    };
    (0..lines.len()).filter(is_row).map(|index| cells(lines[index])).collect()
}

/// Returns the texts in backquotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Returns whether `FILE::NAME` is a test; the file is in `tests` or `crates`.
fn exists(test: &str, root: &Path) -> bool {
    let Some((file, name)) = test.split_once("::") else { return false };
    let texts =
        ["tests", "crates"].iter().filter_map(|top| std::fs::read_to_string(root.join(top).join(file)).ok());
    let mut lines = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    // The attribute, perhaps another one, and the function.
    let mut follows = 0;
    lines.any(|line| {
        follows = if line.trim() == "#[test]" { 4 } else { u32::saturating_sub(follows, 1) };
        follows > 0 && line.trim_start().starts_with(&format!("fn {name}("))
    })
}

#[test]
fn every_row_names_tests_that_exist() {
    let root = checkout();
    let text = std::fs::read_to_string(root.join("docs/kiwi-2007.md")).unwrap();
    let rows = rows(&text);
    assert!(rows.len() > 80, "{} rows", rows.len());
    for row in rows {
        let proof = row.last().unwrap();
        if let Some(reason) = proof.strip_prefix(ABSENT) {
            assert!(reason.len() > 20, "a reason is missing: {row:?}");
            continue;
        }
        let tests = quoted(proof);
        assert!(!tests.is_empty(), "a test is missing: {row:?}");
        for test in tests {
            assert!(exists(test, &root), "there is no test {test}: {row:?}");
        }
    }
}

/// Returns the anchor of a heading: lower case, hyphens for blanks, and no other punctuation.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    heading.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
}

#[test]
fn every_empty_section_has_a_page_of_the_handbook() {
    let docs = checkout().join("docs");
    let text = std::fs::read_to_string(docs.join("kiwi-2007.md")).unwrap();
    let section =
        text.split("\n## ").find(|section| section.starts_with("Empty sections")).expect("the table");
    let rows = rows(section);
    assert_eq!(rows.len(), 9);
    for row in rows {
        let link = row[1].split_once("](").and_then(|(_, link)| link.strip_suffix(')')).expect("a link");
        let (page, part) = link.split_once('#').unwrap_or((link, ""));
        let page = std::fs::read_to_string(docs.join(page)).unwrap_or_else(|error| panic!("{link}: {error}"));
        let mut headings = page.lines().filter(|line| line.starts_with('#'));
        assert!(part.is_empty() || headings.any(|heading| anchor(heading) == part), "{link}");
    }
}

#[test]
fn every_option_is_there_or_absent_with_a_reason() {
    let root = checkout();
    let text = std::fs::read_to_string(root.join("docs/kiwi-2007.md")).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("Options")).expect("the options");
    let help = Command::new(kiwi()).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let known: BTreeSet<&str> = help
        .split(|c: char| c.is_whitespace() || ",]".contains(c))
        .filter(|word| word.starts_with("--"))
        .collect();
    let mut listed = BTreeSet::new();
    for row in rows(section) {
        let absent = row.last().unwrap().starts_with(ABSENT);
        for option in quoted(&row[0]).into_iter().filter(|option| option.starts_with("--")) {
            assert_eq!(known.contains(option), !absent, "{option}: {row:?}");
            listed.insert(option.to_owned());
        }
    }
    assert_eq!(listed, OPTIONS.map(str::to_owned).into_iter().collect());
}
