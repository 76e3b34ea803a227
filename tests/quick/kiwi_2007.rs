//! `docs/kiwi-2007.md` is true: every row names tests that exist and one that always runs, and the table of options is complete.

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
/// Every option that KIWI 1.x got later.
const LATER: [&str; 15] = [
    "--ignore-repos",
    "--installstick",
    "--installstick-system",
    "--force-new-root",
    "--bootcd-system",
    "--createhash",
    "--base-root",
    "--base-root-mode",
    "--nocolor",
    "--gzip-cmd",
    "--prebuiltbootimage",
    "--prechroot-call",
    "--list-xmlinfo",
    "--compress",
    "--setup-grub-splash",
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

/// When a test runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runs {
    /// With `scripts/test`.
    Always,
    /// With `scripts/test --all`.
    Ignored,
}

/// Returns when the test `FILE::NAME` runs, if it exists; the file is in `tests` or `crates`.
fn runs(test: &str, root: &Path) -> Option<Runs> {
    let (file, name) = test.split_once("::")?;
    let texts = ["tests", "crates"].iter().map(|top| std::fs::read_to_string(root.join(top).join(file)));
    texts.filter_map(Result::ok).find_map(|text| runs_in(&text, name))
}

/// Returns when the test `name` of a source runs, if it exists.
fn runs_in(text: &str, name: &str) -> Option<Runs> {
    let mut attributes = Vec::new();
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("#[") {
            attributes.push(line);
            continue;
        }
        if line.starts_with(&format!("fn {name}(")) && attributes.contains(&"#[test]") {
            let ignored = attributes.iter().any(|attribute| attribute.starts_with("#[ignore"));
            return Some(if ignored { Runs::Ignored } else { Runs::Always });
        }
        attributes.clear();
    }
    None
}

#[test]
fn a_test_is_found_with_its_attributes() {
    let text = "#[test]\nfn a() {}\n\n#[test]\n#[ignore = \"long\"]\nfn b() {}\nfn c() {}\n    #[cfg(x)]\n    #[test]\n    fn d() {}\n";
    assert_eq!(
        ["a", "b", "c", "d", "e"].map(|name| runs_in(text, name)),
        [Some(Runs::Always), Some(Runs::Ignored), None, Some(Runs::Always), None]
    );
}

#[test]
fn every_row_names_tests_that_exist_and_one_that_always_runs() {
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
        let found = tests
            .iter()
            .map(|test| runs(test, &root).unwrap_or_else(|| panic!("there is no test {test}: {row:?}")));
        let found: Vec<Runs> = found.collect();
        assert!(found.contains(&Runs::Always), "only scripts/test --all runs the tests of {row:?}");
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
    let help = Command::new(kiwi()).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let known: BTreeSet<&str> = help
        .split(|c: char| c.is_whitespace() || ",]".contains(c))
        .filter(|word| word.starts_with('-') && word.len() > 1)
        .collect();
    for (title, options) in [("Options", &OPTIONS[..]), ("Later options", &LATER[..])] {
        let section = text.split("\n## ").find(|section| section.starts_with(title)).expect("the options");
        let mut listed = BTreeSet::new();
        for row in rows(section) {
            let absent = row.last().unwrap().starts_with(ABSENT);
            for option in quoted(&row[0]) {
                assert_eq!(known.contains(option), !absent, "{option}: {row:?}");
                if absent {
                    let output = Command::new(kiwi()).args([option, "x"]).output().unwrap();
                    let said = String::from_utf8(output.stderr).unwrap();
                    let expected = format!("error: {option} of KIWI 1.x is not there: ");
                    assert_eq!(output.status.code(), Some(2), "{said}");
                    assert!(said.starts_with(&expected), "{said}");
                }
                if option.starts_with("--") {
                    listed.insert(option.to_owned());
                }
            }
        }
        assert_eq!(listed, options.iter().map(|option| (*option).to_owned()).collect());
    }
}
